#!/usr/bin/env python3
"""The weights of two small models in the forms that Keras' versions gave them, and what predict() says (in_NAME, out_NAME of MODEL.npz).
make.py keras, then make.py tf_keras: the two do not live in one process. Written by Keras 3.15 and tf_keras 2.21 on TensorFlow 2.21; forms of
other versions and systems are rewritten with h5py (3.14) from those."""
import os, sys, zipfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
legacy = sys.argv[1] == "tf_keras"
os.environ["TF_USE_LEGACY_KERAS"] = "1" if legacy else "0"
import h5py
import numpy as np
if legacy: import tf_keras as keras
else: import keras
L = keras.layers
rng = np.random.default_rng(3)


def model(shift=0, dtype="float32"):
    """Dense layers with the names that Keras gives them in a session where `shift` others were made before; a model in a model."""
    keras.backend.clear_session()
    for _ in range(shift): L.Dense(1)
    x = L.Input((4,), name="x")
    inner = keras.Sequential([L.Input((5,)), L.Dense(3, activation="tanh", dtype=dtype), L.Dense(6, use_bias=False, dtype=dtype)], name="inner")
    return keras.Model(x, L.Dense(2, dtype=dtype)(inner(L.Dense(5, activation="relu", dtype=dtype)(x))), name="net")


def filled(m):
    local = np.random.default_rng(5)
    for v in m.weights: v.assign(local.normal(0, 0.5, v.shape).astype("float32"))
    return m


def record(m, stem):
    x = rng.normal(0, 1, (3, 4)).astype("float32")
    np.savez(stem + ".npz", in_x=x, **{"out_" + m.layers[-1].name: np.asarray(m.predict(x, verbose=0), "float32")})
    open(stem + ".json", "w").write(m.to_json())


def rewritten(source, to, rename):
    """A copy in which the group `path` of variables lies at rename(path)."""
    with h5py.File(source) as a, h5py.File(to, "w") as b:
        def copy(path, obj):
            if isinstance(obj, h5py.Dataset):
                group, leaf = path.rsplit("/vars/", 1)
                target = rename(group)
                if target is not None:
                    b.require_group(target).require_group("vars").create_dataset(leaf, data=obj[()])
        a.visititems(copy)


if legacy:
    m = filled(model())
    record(m, "net2")
    m.save_weights("net2.listed.h5", save_format="h5")
    shifted = filled(model(shift=3))
    shifted.save_weights("net2.shifted.listed.h5", save_format="h5")
    with h5py.File("net2.listed.h5") as a, h5py.File("net2.split.listed.h5", "w") as b:  # as where a list is longer than an attribute
        for k, v in a.attrs.items():
            if k != "layer_names": b.attrs[k] = v
        names = a.attrs["layer_names"]
        b.attrs["layer_names0"], b.attrs["layer_names1"] = names[:2], names[2:]
        for k in a: a.copy(k, b)
else:
    m = filled(model())
    record(m, "net3")
    m.save_weights("net3.weights.h5")
    m.save_weights("net3.sharded.weights.json", max_shard_size=2e-7)  # in GB
    rewritten("net3.weights.h5", "net3.old.weights.h5", lambda p: p.replace("layers", "_layer_checkpoint_dependencies"))
    rewritten("net3.weights.h5", "net3.windows.weights.h5", lambda p: p.replace("/", "\\"))
    rewritten("net3.weights.h5", "net3.windows_old.weights.h5", lambda p: p.replace("layers", "_layer_checkpoint_dependencies").replace("/", "\\"))
    with h5py.File("net3.weights.h5") as a, h5py.File("net3.moved.weights.h5", "w") as b:  # paths of a session that counted otherwise, names kept
        for k in a["layers"]: a.copy("layers/" + k, b, "layers/" + k.replace("dense", "other"))
    m.save("net3.keras")
    with zipfile.ZipFile("net3.keras") as a, zipfile.ZipFile("net3.sharded.keras", "w") as b:
        for i in a.infolist():
            if i.filename != "model.weights.h5": b.writestr(i.filename, a.read(i))
        b.write("net3.sharded.weights.json", "model.weights.json")
        for f in sorted(os.listdir(".")):
            if f.startswith("net3.sharded_0"): b.write(f)
    os.remove("net3.keras")
    filled(model(dtype="bfloat16")).save_weights("net3.bfloat16.weights.h5")
