"""Small SavedModels and frozen graphs with what TensorFlow computes of them: saved_models.py, into saved_models/NAME/{model/ or model.pb, data.npz}.
TensorFlow 2.21, tf_keras 2.21. An array in_X is input X of the signature, out_Y output Y."""
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import shutil
import tempfile
import numpy as np
import tensorflow as tf

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "saved_models")
rng = np.random.default_rng(12)


def floats(*shape):
    return rng.normal(size=shape).astype(np.float32)


def folder(name):
    path = os.path.join(HERE, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def record(path, inputs, outputs):
    if os.path.exists(path + "/model/fingerprint.pb"): os.remove(path + "/model/fingerprint.pb")
    np.savez_compressed(path + "/data.npz", **{"in_" + k: v for k, v in inputs.items()}, **{"out_" + k: np.asarray(v) for k, v in outputs.items()})


def saved(name, module, signatures, inputs):
    path = folder(name)
    tf.saved_model.save(module, path + "/model", signatures=signatures)
    called = tf.saved_model.load(path + "/model").signatures["serving_default"]
    record(path, inputs, called(**{k: tf.constant(v) for k, v in inputs.items()}))


class Linear(tf.Module):
    """Two signatures and two variables of one name; an assertion between."""

    def __init__(self):
        super().__init__()
        self.w, self.b = tf.Variable(floats(3, 2), name="same"), tf.Variable(floats(2), name="same")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name="x")])
    def affine(self, x):
        tf.debugging.assert_greater(tf.shape(x)[0], 0)
        return {"y": tf.matmul(x, self.w) + self.b, "shape": tf.shape(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], name="x")])
    def product(self, x):
        return {"y": tf.matmul(x, self.w)}


class Loops(tf.Module):
    """A recurrent cell over a TensorArray, a loop that data ends, branches that data chooses."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(floats(4, 4) * 0.3)

    @tf.function(input_signature=[tf.TensorSpec([None, 5, 4], name="x")])
    def cell(self, x):
        steps = tf.TensorArray(tf.float32, size=5)
        state = tf.zeros_like(x[:, 0])
        for t in tf.range(5):
            state = tf.tanh(tf.matmul(state, self.w) + x[:, t])
            steps = steps.write(t, state)
        return {"all": tf.transpose(steps.stack(), [1, 0, 2]), "last": state}

    @tf.function(input_signature=[tf.TensorSpec([None, None, 4], name="x")])
    def open(self, x):  # as many steps as there are; what is carried stands behind the list
        length = tf.shape(x)[1]
        first = tf.zeros([tf.shape(x)[0], 4])

        def step(t, steps, state, sum):
            state = tf.tanh(tf.matmul(state, self.w) + x[:, t])
            return t + 1, steps.write(t, state), state, sum + state

        loop = tf.while_loop(lambda t, steps, state, sum: t < length, step, (0, tf.TensorArray(tf.float32, size=length), first, first), maximum_iterations=length)
        return {"all": tf.transpose(loop[1].stack(), [1, 0, 2]), "last": loop[2], "sum": loop[3]}

    @tf.function(input_signature=[tf.TensorSpec([4], name="x")])
    def until(self, x):
        n = tf.constant(0)
        while tf.reduce_sum(x) < 100.0:
            x = x * 2.0 + 1.0
            n += 1
        return {"x": x, "n": n}

    @tf.function(input_signature=[tf.TensorSpec([4], name="x")])
    def branch(self, x):
        if tf.reduce_sum(x) > 0.0:
            y = tf.linalg.matvec(self.w, x)
        else:
            y = -x
        which = tf.cast(tf.reduce_sum(tf.abs(x)), tf.int32) % 3
        return {"y": y, "z": tf.switch_case(which, [lambda: x + 1.0, lambda: x * 3.0, lambda: x - 2.0])}


class Words(tf.Module):
    """A table out of an asset and one out of constants."""

    def __init__(self, vocabulary):
        super().__init__()
        text, index = tf.lookup.TextFileInitializer, tf.lookup.TextFileIndex
        self.ids = tf.lookup.StaticHashTable(text(vocabulary, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER), -1)
        numbers = tf.lookup.KeyValueTensorInitializer(tf.constant([3, 1, 2], tf.int64), tf.constant([0.5, 1.5, 2.5]))
        self.prices = tf.lookup.StaticHashTable(numbers, -1.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words"), tf.TensorSpec([None], tf.int64, name="numbers")])
    def __call__(self, words, numbers):
        return {"ids": self.ids.lookup(words), "prices": self.prices.lookup(numbers)}


def first_tensorflow(name, partitioned=False, reference=False):
    """TensorFlow 1: variables by name, a learning phase that is a placeholder with a default, Switch and Merge, a saver beside."""
    v1 = tf.compat.v1
    path = folder(name)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.disable_control_flow_v2()
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        training = v1.placeholder_with_default(False, [], name="learning_phase")
        with v1.variable_scope("net", use_resource=not reference, partitioner=v1.fixed_size_partitioner(3) if partitioned else None):
            w = v1.get_variable("w", [4, 6], tf.float32, initializer=v1.random_uniform_initializer(-1, 1, seed=3))
            b = v1.get_variable("b", [6], tf.float32, initializer=v1.random_uniform_initializer(-1, 1, seed=4))
        h = tf.matmul(x, tf.convert_to_tensor(w)) + tf.convert_to_tensor(b)
        y = tf.identity(v1.cond(training, lambda: h * 100.0, lambda: tf.nn.relu(h), name="cond"), "y")
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(path + "/model")
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
        given = floats(3, 4)
        record(path, {"x": given}, {"y": session.run(y, {x: given})})


def first_words(name, vocabulary=None):
    """TensorFlow 1: a table whose file is in the collection saved_model_assets, or whose values are a range that the graph makes."""
    v1 = tf.compat.v1
    path = folder(name)
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.string, [None], name="x")
        if vocabulary:
            asset = tf.constant(vocabulary, name="asset_path")
            v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, asset)
            rows = tf.lookup.TextFileInitializer(asset, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
        else:
            rows = tf.lookup.KeyValueTensorInitializer(tf.constant(["red", "green", "blue"]), tf.cast(tf.range(3) * 2, tf.int64))
        y = tf.identity(tf.lookup.StaticHashTable(rows, -1).lookup(x), "y")
        session.run(v1.tables_initializer())
        builder = v1.saved_model.Builder(path + "/model")
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=v1.tables_initializer(),
                                             assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS))
        builder.save()
        given = np.array([b"blue", b"mauve", b"red"])
        record(path, {"x": given}, {"y": session.run(y, {x: given})})


def frozen(name, two_ends=False):
    path = folder(name)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        y = tf.nn.softmax(tf.matmul(x, tf.constant(floats(3, 4), name="w")), name="y")
        if two_ends: tf.argmax(y, 1, name="class")
        if two_ends: tf.reduce_sum(x, 1, name="sum")
        given = floats(2, 3)
        with tf.compat.v1.Session(graph=graph) as session:
            record(path, {"x": given}, {n: session.run(n + ":0", {"x:0": given}) for n in (["class", "sum"] if two_ends else ["y"])})
    open(path + "/model.pb", "wb").write(graph.as_graph_def().SerializeToString())


def keras_rnn(name):
    import tf_keras
    tf_keras.utils.set_random_seed(5)
    x = tf_keras.Input([6, 3], name="x")
    y = tf_keras.layers.LSTM(4, return_sequences=True)(x)
    model = tf_keras.Model(x, tf_keras.layers.GRU(3, go_backwards=True)(y))
    path = folder(name)
    archive = tf_keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda x: model(x), input_signature=[tf.TensorSpec([None, 6, 3], name="x")])
    archive.write_out(path + "/model")
    given = floats(2, 6, 3)
    record(path, {"x": given}, {"output_0": model(given)})


class Prices(tf.Module):
    """A table that code filled, and the call reads."""

    def __init__(self):
        super().__init__()
        self.table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, -1.0)
        self.table.insert(tf.constant(["tea", "bread", "salt"]), tf.constant([2.5, 1.25, 0.5]))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])
    def __call__(self, x):
        return {"y": self.table.lookup(x) * 2.0}


m = Linear()
saved("linear", m, {"serving_default": m.affine, "product": m.product}, {"x": floats(4, 3)})
loops = Loops()
for which, given in (("cell", floats(2, 5, 4)), ("until", np.abs(floats(4))), ("branch", np.abs(floats(4)))):
    saved("loop_" + which, loops, {"serving_default": getattr(loops, which)}, {"x": given})
with tempfile.TemporaryDirectory() as apart:
    vocabulary = os.path.join(apart, "vocabulary.txt")
    open(vocabulary, "w").write("red\r\ngreen\nblue\n")
    words = Words(vocabulary)
    saved("words", words, {"serving_default": words.__call__}, {"words": np.array([b"blue", b"red", b"mauve"]), "numbers": np.array([1, 2, 9])})
    first_words("tf1_words", vocabulary)
first_tensorflow("tf1")
first_tensorflow("tf1_reference", reference=True)
first_tensorflow("tf1_partitioned", partitioned=True)
frozen("frozen")
frozen("frozen_two_ends", two_ends=True)
keras_rnn("keras_rnn")
saved("loop_open", loops, {"serving_default": loops.open}, {"x": floats(2, 3, 4)})
prices = Prices()
saved("mutable_table", prices, {"serving_default": prices.__call__}, {"x": np.array([b"salt", b"tea", b"gold"])})
first_words("tf1_counted")


class Rows(tf.Module):
    """A ragged argument, which a signature takes as its values and where rows begin."""

    def __init__(self):
        super().__init__()
        self.table = tf.Variable(floats(9, 4))

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32), tf.TensorSpec([None, 4], tf.float32, name="more")])
    def __call__(self, x, more):
        return {"y": tf.reduce_mean(tf.gather(self.table, x), 1) + more, "longest": x.bounding_shape()[1]}


rows = Rows()
saved("ragged", rows, {"serving_default": rows.__call__}, {"x": np.array([3, 1, 4, 1, 5], np.int32), "x_1": np.array([0, 2, 2, 5]), "more": floats(3, 4)})


class Edges(tf.Module):
    """Nodes, and edges between them: first sizes that are not one."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3], tf.float32, name="nodes"),
            tf.TensorSpec([None, 2], tf.int32, name="edges"),
            tf.TensorSpec([None], tf.float32, name="weights"),
        ]
    )
    def __call__(self, nodes, edges, weights):
        sent = tf.gather(nodes, edges[:, 0]) * weights[:, None]
        return {"y": nodes + tf.math.unsorted_segment_sum(sent, edges[:, 1], tf.shape(nodes)[0])}


edges = Edges()
between = np.array([[0, 1], [1, 2], [2, 0], [3, 3], [0, 3]], np.int32)
saved("edges", edges, {"serving_default": edges.__call__}, {"nodes": floats(4, 3), "edges": between, "weights": floats(5)})
