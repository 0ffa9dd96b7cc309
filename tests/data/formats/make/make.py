#!/usr/bin/env python3
"""Small files of formats that tern refuses by name, made by the libraries that write them.
pip install numpy h5py scikit-learn joblib xgboost-cpu lightgbm keras gguf msgpack onnx onnxruntime torch; then make.py. A library that is
missing leaves its files as they are."""
import bz2, gzip, lzma, os, pickle, sys, zlib
os.environ["KERAS_BACKEND"] = "torch"
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
path = lambda name: os.path.join(out, name)
import numpy as np

X = np.arange(24, dtype=np.float32).reshape(12, 2) % 7
y = (X.sum(1) > 6).astype(int)


def sklearn_():
    import joblib
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    for protocol in (2, 5):
        pickle.dump(model, open(path(f"sklearn_{protocol}.pkl"), "wb"), protocol)
    pickle.dump({"version": 1, "model": model}, open(path("sklearn_in_dict.pkl"), "wb"), 4)
    joblib.dump(model, path("sklearn.joblib"))
    joblib.dump(model, path("sklearn_zlib.joblib"), compress=3)
    joblib.dump([X], path("arrays.joblib"))


def xgboost_():
    import xgboost
    model = xgboost.XGBClassifier(n_estimators=1, max_depth=1).fit(X, y)
    for end in ("json", "ubj"):
        model.save_model(path("xgboost." + end))
    pickle.dump(model, open(path("xgboost.pkl"), "wb"))


def lightgbm_():
    import lightgbm
    model = lightgbm.LGBMClassifier(n_estimators=1, min_child_samples=1, verbose=-1).fit(X, y)
    model.booster_.save_model(path("lightgbm.txt"))
    pickle.dump(model, open(path("lightgbm.pkl"), "wb"))


def keras_():
    import keras
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.save(path("model.keras"))
    model.save(path("keras.h5"))
    model.save_weights(path("keras.weights.h5"))
    open(path("keras.json"), "w").write(model.to_json())


def hdf5_():
    import h5py
    with h5py.File(path("plain.h5"), "w") as f:
        f["x"] = X


def gguf_():
    import gguf
    w = gguf.GGUFWriter(path("model.gguf"), "llama")
    w.add_tensor("x", X)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


def msgpack_():  # as flax.serialization.to_bytes writes arrays: extension 1 with (shape, dtype, bytes)
    import msgpack
    array = msgpack.ExtType(1, msgpack.packb((X.shape, "float32", X.tobytes())))
    open(path("flax.msgpack"), "wb").write(msgpack.packb({"params": {"Dense_0": {"kernel": array}}}))


def torch_():
    import torch
    class Net(torch.nn.Module):
        def forward(self, x):
            return x + 1
    torch.jit.script(Net()).save(path("torchscript.pt"))


def onnxruntime_():
    import onnxruntime
    o = onnxruntime.SessionOptions()
    o.optimized_model_filepath = path("model.ort")
    o.add_session_config_entry("session.save_model_format", "ORT")
    model = os.path.join(out, "..", "node", "test_relu", "model.onnx")
    onnxruntime.InferenceSession(model, o)


def python_():
    np.save(path("x.npy"), X)
    np.savez(path("x.npz"), x=X)
    pickle.dump({"epoch": 3, "lr": [0.1, 0.01], "name": "run"}, open(path("settings.pkl"), "wb"))
    text = b"any bytes at all, a model among them" * 4
    open(path("model.gz"), "wb").write(gzip.compress(text))
    open(path("model.xz"), "wb").write(lzma.compress(text))
    open(path("model.lzma"), "wb").write(lzma.compress(text, lzma.FORMAT_ALONE))
    open(path("model.bz2"), "wb").write(bz2.compress(text))
    open(path("model.z"), "wb").write(zlib.compress(text))



for make in (sklearn_, xgboost_, lightgbm_, keras_, hdf5_, gguf_, msgpack_, torch_, onnxruntime_, python_):
    try:
        make()
    except ImportError as e:
        print(make.__name__, e, file=sys.stderr)
