"""Models whose graphs are the point, in the files that Keras 3 and tf_keras save them as, with what they compute (in_NAME and out_NAME of NAME.npz).
make.py keras, then make.py tf_keras: the two do not live in one process. Written by Keras 3.15 and tf_keras 2.21 on TensorFlow 2.21."""
import os, sys, zipfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
legacy = sys.argv[1] == "tf_keras"
os.environ["TF_USE_LEGACY_KERAS"] = "1" if legacy else "0"
import numpy as np
import tensorflow as tf
if legacy: import tf_keras as keras
else: import keras
L, ops = keras.layers, None if legacy else keras.ops
keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)


def record(model, stem, inputs, outputs):
    """inputs by name; outputs: names in the order of predict()'s leaves."""
    for v in model.weights: v.assign(rng.normal(0, 0.5, v.shape).astype("float32") if v.shape else v)
    named = not isinstance(model, keras.Sequential) and isinstance(model.input, dict)
    feed = inputs if named else [inputs[i.name.split(":")[0]] for i in model.inputs]
    y = model.predict(feed if len(inputs) > 1 or named else feed[0], verbose=0)
    leaves = [y[k] for k in outputs] if isinstance(y, dict) else y if isinstance(y, (list, tuple)) else [y]
    np.savez(stem + ".npz", **{"in_" + k: v for k, v in inputs.items()}, **{"out_" + k: v for k, v in zip(outputs, leaves)})


def floats(*shape): return rng.normal(0, 1, shape).astype("float32")


def deflate(source, to):
    with zipfile.ZipFile(source) as a, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as b:
        for i in a.infolist(): b.writestr(zipfile.ZipInfo(i.filename), a.read(i), zipfile.ZIP_DEFLATED)


def chain(prefix):
    return keras.Sequential([L.Input((2, 4), name="x"), L.Dense(3, activation="relu"), L.Flatten(), L.Dense(5, use_bias=False),
                             L.Activation("tanh"), L.Dropout(0.5), L.Dense(2, activation="softmax", name="y")], name=prefix)


def shared_and_nested(prefix):
    """A layer called twice, a model called twice, models in models, inputs and outputs in dictionaries."""
    a, b = L.Input((6,), name="a"), L.Input((6,), name="b")
    shared = L.Dense(6, name="shared")
    inner = keras.Sequential([L.Input((6,), name="inner_x"), L.Dense(5, name="twice")], name="inner")
    p, q = shared(a), shared(b)
    i = L.Input((5,), name="deep_in")
    deepest = keras.Model(i, L.Dense(5, activation="tanh", name="twice")(i), name="deepest")
    j = L.Input((5,), name="mid_in")
    middle = keras.Model(j, [L.Dense(2, name="head")(deepest(j)), deepest(deepest(j))], name="middle")
    u, v = middle(inner(p))
    w, _ = middle(inner(q))
    return keras.Model({"a": a, "b": b}, {"u": u, "v": v, "w": L.Activation("sigmoid", name="late")(w)}, name=prefix)


def several(prefix):
    """Lists of inputs, outputs that are inputs of others, the same layer as two outputs."""
    a, b = L.Input((3,), name="a"), L.Input((4,), name="b")
    two = L.Input((3,), name="two_in")
    split = keras.Model(two, [L.Dense(2, name="left")(two), L.Dense(2, name="right")(two)], name="split")
    x, y = split(a)
    z = L.Dense(2, name="third")(b)
    return keras.Model([a, b], [x, y, z, L.Activation("relu", name="r")(z)], name=prefix)


def operations():
    a, b = L.Input((4, 6), name="a"), L.Input((4, 6), name="b")
    y = [a + b * 2.0 - 1, (a - b) / (ops.abs(b) + 1.5), ops.where(a > b, a, 0.0), ops.maximum(a, 0.25) ** 2, -a, 3.0 - a,
         ops.concatenate([a[:, 1:3], b[:, ::-1, :][:, :2]], axis=1), ops.stack([a, b], axis=-1), a[:, -1], a[..., 0], a[:, None, :, 1:5:2],
         ops.reshape(a, (-1, 24)), ops.transpose(a, (0, 2, 1)), ops.matmul(a, ops.transpose(b, (0, 2, 1))), ops.einsum("bij,bkj->bik", a, b),
         ops.mean(a, axis=1), ops.sum(a, axis=(1, 2), keepdims=True), ops.max(a, axis=-1), ops.std(a, axis=1), ops.argmax(a, axis=-1),
         ops.split(a, 3, axis=2)[1], ops.split(a, [1, 3], axis=1)[2], ops.expand_dims(a, 1), ops.tile(a, (1, 2, 1)), ops.repeat(a, 2, axis=1),
         ops.pad(a, ((0, 0), (1, 0), (0, 2)), constant_values=0.5), ops.clip(a, -0.5, 0.5), ops.cumsum(a, axis=1), ops.roll(a, 1, axis=2),
         ops.softmax(a, axis=1), ops.relu(a), ops.sigmoid(a), ops.logical_and(a > 0, b > 0), ops.cast(a * 3, "int32"), ops.sort(a, axis=-1),
         ops.top_k(a, 2)[0], ops.take(a, [2, 0], axis=1), ops.one_hot(ops.argmax(a, axis=1), 4), ops.swapaxes(a, 1, 2), ops.floor(a), ops.exp(a)]
    return keras.Model([a, b], y, name="operations")


def functions():
    a, b = L.Input((4, 6), name="a"), L.Input((4, 6), name="b")
    y = [a + b * 2.0 - 1.0, (a - b) / (tf.abs(b) + 1.5), tf.where(a > b, a, b), tf.maximum(a, 0.25) ** 2, -a, 3.0 - a,
         tf.concat([a[:, 1:3], b[:, ::-1, :][:, :2]], axis=1), tf.stack([a, b], axis=-1), a[:, -1], a[..., 0], a[:, tf.newaxis, :, 1:5:2],
         tf.reshape(a, (-1, 24)), tf.reshape(a, [tf.shape(a)[0], 2, 12]), tf.transpose(a, (0, 2, 1)), tf.matmul(a, b, transpose_b=True),
         tf.reduce_mean(a, axis=1), tf.reduce_sum(a, axis=(1, 2), keepdims=True), tf.reduce_max(a, -1),
         tf.argmax(a, axis=-1), tf.split(a, 3, axis=2)[1], tf.expand_dims(a, 1), tf.tile(a, (1, 2, 1)), tf.pad(a, ((0, 0), (1, 0), (0, 2))),
         tf.clip_by_value(a, -0.5, 0.5), tf.cumsum(a, axis=1), tf.nn.softmax(a, axis=1), tf.nn.relu(a), tf.sigmoid(a), tf.cast(a * 3.0, tf.int32),
         tf.gather(a, [2, 0], axis=1), tf.one_hot(tf.argmax(a, axis=1), 4), tf.square(a), tf.exp(a), tf.nn.l2_normalize(a, axis=-1)]
    return keras.Model([a, b], y, name="functions")


def outputs_of(model):
    names, seen = [], {}
    for t in model.outputs:
        n = t.node.layer.name if legacy else t._keras_history.operation.name
        names.append(n if n not in seen else f"{n}_{seen[n]}")
        seen[n] = seen.get(n, 0) + 1
    return names


v = "2" if legacy else "3"
a, b = floats(3, 6), floats(3, 6)
m = chain("chain")
record(m, "chain" + v, {"x": floats(3, 2, 4)}, ["y"])
m.save(f"chain{v}.keras"), m.save(f"chain{v}.h5"), m.save_weights(f"chain{v}.weights.h5")
open(f"chain{v}.json", "w").write(m.to_json())
if legacy: m.save_weights("chain2.listed.h5", save_format="h5")
else: deflate("chain3.keras", "chain3.deflated.keras")
m = shared_and_nested("nested")
record(m, "nested" + v, {"a": a, "b": b}, ["u", "v", "w"])
m.save(f"nested{v}.keras"), m.save(f"nested{v}.h5")
m = several("several")
record(m, "several" + v, {"a": floats(3, 3), "b": floats(3, 4)}, ["split", "split_1", "third", "r"])
m.save(f"several{v}.keras"), m.save(f"several{v}.h5")
m = functions() if legacy else operations()
record(m, m.name, {"a": floats(3, 4, 6), "b": floats(3, 4, 6)}, outputs_of(m))
m.save(f"{m.name}.h5" if legacy else f"{m.name}.keras")
