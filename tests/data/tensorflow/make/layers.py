"""SavedModels that Keras 2 wrote, with what model.summary() says of their layers: ../layers/NAME/{model/, summary.txt}. tf_keras 2.21.
A line of summary.txt: name|class|output shape|parameters|of them not trained|what feeds the first call."""
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", TF_USE_LEGACY_KERAS="1")
import shutil
import tf_keras
from tf_keras import layers

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "layers")


def shape_text(shape):
    return "[" + ",".join(str(d) if d is not None else "batch" if i == 0 else "?" for i, d in enumerate(shape)) + "]"


def write(name, model):
    path = f"{HERE}/{name}"
    shutil.rmtree(path, ignore_errors=True)
    model.save(path + "/model", save_format="tf")
    for gone in ("fingerprint.pb", "assets"):
        if os.path.isdir(f"{path}/model/{gone}"): os.rmdir(f"{path}/model/{gone}")
        elif os.path.exists(f"{path}/model/{gone}"): os.remove(f"{path}/model/{gone}")
    with open(path + "/summary.txt", "w") as out:
        for layer in model.layers:
            shapes = {str(layer.get_output_shape_at(i)): layer.get_output_shape_at(i) for i in range(len(layer._inbound_nodes))}
            shapes = list(shapes.values())[0] if len(shapes) == 1 else []  # "multiple" in the summary
            shapes = shapes if isinstance(shapes, list) else [shapes]
            fixed = sum(w.numpy().size for w in layer.non_trainable_weights)
            feeds = []
            for inbound, node, tensor, _ in layer._inbound_nodes[0].iterate_inbound() if layer._inbound_nodes else []:
                if inbound in model.layers: feeds.append(f"{inbound.name}[{node}][{tensor}]")
            out.write(f"{layer.name}|{type(layer).__name__}|{' '.join(map(shape_text, shapes))}|{layer.count_params()}|{fixed}|{' '.join(feeds)}\n")


tf_keras.utils.set_random_seed(1)
a, b = tf_keras.Input([2, 4], name="a"), tf_keras.Input([3], name="b")
shared = layers.Dense(3, name="shared")
left = layers.Flatten(name="flat")(shared(a))
right = layers.BatchNormalization(name="norm")(shared(layers.Dense(4, name="wide")(b)))
y = layers.Concatenate(name="both")([left, right])
write("functional", tf_keras.Model([a, b], [layers.Dense(2, name="y")(y), layers.Activation("relu", name="z")(right)]))
write("sequential", tf_keras.Sequential([tf_keras.Input([5]), layers.Dense(4, activation="relu", trainable=False), layers.Dropout(0.5), layers.Dense(1)]))


# Up to TensorFlow 2.4 the objects of saved_model.pb held what keras_metadata.pb has now.
from tensorflow.core.protobuf import saved_model_pb2
from tf_keras.protobuf import saved_metadata_pb2
shutil.rmtree(f"{HERE}/before_2_5", ignore_errors=True)
shutil.copytree(f"{HERE}/sequential", f"{HERE}/before_2_5")
model, metadata = saved_model_pb2.SavedModel(), saved_metadata_pb2.SavedMetadata()
model.ParseFromString(open(f"{HERE}/sequential/model/saved_model.pb", "rb").read())
metadata.ParseFromString(open(f"{HERE}/sequential/model/keras_metadata.pb", "rb").read())
for node in metadata.nodes: model.meta_graphs[0].object_graph_def.nodes[node.node_id].user_object.metadata = node.metadata
open(f"{HERE}/before_2_5/model/saved_model.pb", "wb").write(model.SerializeToString())
os.remove(f"{HERE}/before_2_5/model/keras_metadata.pb")
