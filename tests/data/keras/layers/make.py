"""Records what Keras makes of its layers, for tests/loaders/keras_layers.cpp: a case is a small model, its config, weights, inputs and outputs.

    python make.py 3            (Keras 3.15: keras3.json, keras3.npz beside this file)
    python make.py 2            (tf_keras 2.21: keras2.json, keras2.npz)

Arrays are called CASE/PATH/vars/N as in model.weights.h5, CASE/in/NAME and CASE/out/N; equal ones are stored once (aliases in the JSON).
"""
import json
import os
import pathlib
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import h5py
import numpy as np

OLD = sys.argv[1] == "2"
if OLD:
    import tf_keras as keras
else:
    import keras
L, Input, Model = keras.layers, keras.Input, keras.Model
rng = np.random.default_rng(5)
models = {}


def model(f):
    models[f.__name__] = f
    return f


def new(f):
    return f if OLD else model(f)


def steps(t, n, seed=0):  # rows end early, and have holes
    r = np.random.default_rng(seed)
    x = r.normal(size=(2, t, n)).astype(np.float32)
    x[0, t - 2:] = 0
    x[1, 1] = x[1, 0] = 0
    return x


@model
def convs():
    x, z, v = Input((6, 5, 4), name="x"), Input((7, 4), name="z"), Input((3, 4, 3, 2), name="v")
    return [x, z, v], [
        L.Conv2D(3, 3, strides=2, padding="same", activation="relu")(x), L.Conv2D(4, 2, groups=2, use_bias=False)(x), L.Conv2D(2, (2, 3), dilation_rate=2, padding="same")(x),
        L.Conv1D(3, 3, padding="causal", dilation_rate=2)(z), L.Conv1D(3, 2, strides=3)(z), L.Conv3D(2, 2, strides=(1, 2, 1), padding="same")(v),
        L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2)(x), L.DepthwiseConv1D(2)(z), L.SeparableConv2D(3, 2, depth_multiplier=2)(x),
        L.SeparableConv1D(3, 3, padding="causal" if OLD else "same")(z), L.Conv2DTranspose(3, 3, strides=2, padding="same")(x), L.Conv2DTranspose(2, 2, strides=3)(x),
        L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1)(x), L.Conv1DTranspose(2, 4, strides=2, padding="same")(z), L.Conv3DTranspose(2, 2, strides=2)(v)]


@model
def channels_first():
    x, z = Input((4, 6, 5), name="x"), Input((4, 7), name="z")
    c = dict(data_format="channels_first")
    return [x, z], [L.MaxPooling2D(2, **c)(x), L.ZeroPadding2D(((1, 0), (0, 2)), **c)(x), L.Cropping2D((1, 2), **c)(x), L.UpSampling2D((2, 1), **c)(x), L.Flatten(**c)(x),
                    L.GlobalAveragePooling2D(keepdims=True, **c)(x), L.GlobalMaxPooling1D(**c)(z), L.BatchNormalization(axis=1)(x), L.AveragePooling1D(3, padding="same", **c)(z)]


@model
def pools():
    x, z, v = Input((6, 5, 2), name="x"), Input((7, 3), name="z"), Input((3, 4, 5, 2), name="v")
    return [x, z, v], [L.MaxPooling2D()(x), L.AveragePooling2D(3, strides=2, padding="same")(x), L.MaxPooling1D(3, strides=1, padding="same")(z), L.AveragePooling1D(2)(z),
                       L.MaxPooling3D(2)(v), L.AveragePooling3D(2, padding="same")(v), L.GlobalAveragePooling1D()(z), L.GlobalMaxPooling2D()(x), L.GlobalAveragePooling3D(keepdims=True)(v)]


@new
def adaptive():
    x, z = Input((6, 5, 2), name="x"), Input((7, 3), name="z")
    return [x, z], [L.AdaptiveAveragePooling2D((2, 3))(x), L.AdaptiveMaxPooling2D(4)(x), L.AdaptiveMaxPooling1D(3)(z), L.AdaptiveAveragePooling1D(2)(z)]


@model
def reshapes():
    x, z, f = Input((4, 3, 2), name="x"), Input((6, 2), name="z"), Input((3,), name="f")
    return [x, z, f], [L.Reshape((2, -1))(x), L.Reshape((3, 4))(z), L.Permute((2, 3, 1))(x), L.RepeatVector(3)(f), L.Flatten()(x), L.ZeroPadding1D((1, 2))(z), L.Cropping1D(1)(z),
                       L.ZeroPadding2D((1, 2))(x), L.UpSampling2D((2, 3), interpolation="bilinear")(x), L.UpSampling1D(2)(z), L.Flatten()(f)]


@model
def norms():
    x, f = Input((3, 4, 6), name="x"), Input((4,), name="f")
    outs = [L.BatchNormalization()(x), L.BatchNormalization(axis=2, scale=False)(x), L.BatchNormalization(center=False, epsilon=0.01)(f), L.LayerNormalization()(x),
            L.LayerNormalization(axis=[1, 2], center=False)(x), L.LayerNormalization(axis=[2, 3])(x), L.LayerNormalization(axis=1, epsilon=1e-5)(x), L.GroupNormalization(groups=3)(x),
            L.GroupNormalization(groups=-1, axis=2)(x), L.GroupNormalization(groups=2, scale=False)(f), L.UnitNormalization()(x), L.UnitNormalization(axis=[1, 2])(x)]
    if not OLD:
        outs += [L.RMSNormalization()(x), L.SpectralNormalization(L.Dense(3))(f)]
    return [x, f], outs


@model
def merges():
    a, b, f = Input((3, 4), name="a"), Input((3, 4), name="b"), Input((4,), name="f")
    return [a, b, f], [L.Add()([a, b, a]), L.Subtract()([a, b]), L.Multiply()([a, f]), L.Average()([a, b, b]), L.Maximum()([a, b]), L.Minimum()([a, b]), L.Concatenate(axis=1)([a, b]),
                       L.Concatenate()([a, b]), L.Dot(axes=2)([a, b]), L.Dot(axes=(1, 1))([a, b]), L.Dot(axes=1, normalize=True)([f, f]), L.Dot(axes=(2, 1))([a, f])]


@model
def activations():
    x = Input((3, 4), name="x")
    names = ["elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign", "swish", "tanh"]
    layers = [L.ReLU(), L.ReLU(max_value=1, negative_slope=0.1, threshold=0.2), L.ReLU(6), L.ReLU(negative_slope=0.3), L.LeakyReLU(), L.LeakyReLU(0.1), L.ELU(0.5), L.PReLU(alpha_initializer="ones"),
              L.PReLU(alpha_initializer="ones", shared_axes=[1]), L.Softmax(axis=1), L.Dense(2, activation=keras.layers.LeakyReLU())]
    if OLD:
        layers.append(L.ThresholdedReLU(0.5))
    else:
        layers.append(L.Softmax(axis=[1, 2]))
        names += ["celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "relu6", "silu", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax",
                  "squareplus", "tanh_shrink"]
    return [x], [L.Activation(n)(x) for n in names] + [layer(x) for layer in layers]


@model
def embeddings():
    ids, x = Input((5,), name="ids", dtype="int32"), Input((3, 4), name="x")
    e = L.Embedding(7, 4, mask_zero=True)(ids)
    return [ids, x], [e, L.GlobalAveragePooling1D()(L.Dense(3)(e)), L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d", activation="relu")(x),
                      L.EinsumDense("...x,xy->...y", output_shape=6, bias_axes="y")(x), L.EinsumDense("abc,bcd->ad", output_shape=3)(x), L.GlobalAveragePooling1D()(L.Masking()(x))]


embeddings.inputs = {"ids": np.array([[1, 3, 6, 0, 0], [2, 0, 5, 1, 0]], np.int32), "x": steps(3, 4)}


@model
def recurrent():
    x = Input((5, 3), name="x")
    outs = [L.LSTM(4, return_sequences=True)(x), L.LSTM(4, go_backwards=True, return_sequences=True)(x), L.LSTM(3, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False)(x),
            L.GRU(4)(x), L.GRU(4, reset_after=False, go_backwards=True)(x), L.GRU(3, use_bias=False, return_sequences=True)(x), L.SimpleRNN(4, return_sequences=True)(x),
            L.SimpleRNN(3, activation="elu")(x), L.RNN(L.LSTMCell(3), return_sequences=True)(x), L.RNN(L.StackedRNNCells([L.GRUCell(3), L.SimpleRNNCell(4)]))(x),
            L.RNN([L.LSTMCell(3), L.LSTMCell(2)], return_sequences=True)(x), L.LSTM(3, activation="swish")(x), *L.LSTM(3, return_state=True)(x)]
    return [x], outs


@model
def recurrent_masked():
    x = Input((6, 3), name="x")
    m = L.Masking()(x)
    outs = [L.LSTM(4, return_sequences=True)(m), L.LSTM(4)(m), L.LSTM(4, go_backwards=True, return_sequences=True)(m), L.GRU(4, go_backwards=True)(m), L.GRU(3, reset_after=False)(m),
            L.SimpleRNN(4, return_sequences=True)(m), *L.LSTM(3, return_state=True)(m), L.RNN(L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(4)]), return_sequences=True)(m),
            L.RNN(L.GRUCell(3), return_sequences=True, zero_output_for_mask=True)(m), L.RNN(L.GRUCell(3), zero_output_for_mask=True)(m)]
    return [x], outs


recurrent_masked.inputs = {"x": steps(6, 3)}


@model
def recurrent_states():
    x, h, c = Input((5, 3), name="x"), Input((4,), name="h"), Input((4,), name="c")
    m = L.Masking()(x)
    return [x, h, c], [L.LSTM(4, return_sequences=True)(x, initial_state=[h, c]), *L.GRU(4, return_state=True)(x, initial_state=h), L.LSTM(4, return_sequences=True)(m, initial_state=[h, c]),
                       L.GRU(4, go_backwards=True)(m, initial_state=[h]), L.Bidirectional(L.GRU(4))(x, initial_state=[h, c])]


recurrent_states.inputs = {"x": steps(5, 3)}


@model
def bidirectional():
    x = Input((5, 3), name="x")
    m = L.Masking()(x)
    outs = [L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=mode)(x) for mode in ("concat", "sum", "ave", "mul")]
    outs += [*L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode=None)(x), L.Bidirectional(L.GRU(3))(x), L.Bidirectional(L.LSTM(3, return_sequences=True))(m), L.Bidirectional(L.LSTM(3))(m),
             L.Bidirectional(L.LSTM(3, return_sequences=True), backward_layer=L.GRU(2, return_sequences=True, go_backwards=True))(m), *L.Bidirectional(L.LSTM(2, return_state=True))(x),
             L.Bidirectional(L.RNN(L.GRUCell(2)))(x)]
    return [x], outs


bidirectional.inputs = {"x": steps(5, 3)}


@model
def wrappers():
    x, z = Input((3, 4), name="x"), Input((2, 5, 5, 2), name="z")
    inner = keras.Sequential([Input((4,)), L.Dense(3, activation="tanh"), L.Dense(2)])
    return [x, z], [L.TimeDistributed(L.Dense(3))(x), L.TimeDistributed(L.Conv2D(2, 3))(z), L.TimeDistributed(L.Flatten())(z), L.TimeDistributed(inner)(x), L.TimeDistributed(L.LSTM(2))(L.Reshape((2, 5, 10))(z))]


@model
def conv_lstm():
    x, z = Input((3, 4, 4, 2), name="x"), Input((4, 5, 2), name="z")
    outs = [L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)(x), L.ConvLSTM2D(2, 2, strides=2, activation="relu", recurrent_activation="sigmoid")(x),
            L.ConvLSTM1D(2, 2, go_backwards=True, return_sequences=True)(z), *L.ConvLSTM1D(2, 3, return_state=True, use_bias=False)(z), L.Bidirectional(L.ConvLSTM1D(2, 2))(z)]
    return [x, z], outs


@model
def attention():
    q, v, w = Input((3, 6), name="q"), Input((4, 6), name="v"), Input((4, 6), name="w")
    causal, scores = L.Attention()([q, v], return_attention_scores=True, use_causal_mask=True)
    return [q, v, w], [L.Attention()([q, v]), L.Attention(use_scale=True)([q, v, w]), L.Attention(score_mode="concat", use_scale=True)([q, v]), L.AdditiveAttention()([q, v]),
                       L.AdditiveAttention(use_scale=False)([q, v, w]), causal, scores]


@model
def multi_head():
    q, v, z = Input((3, 6), name="q"), Input((4, 5), name="v"), Input((2, 3, 4), name="z")
    m = Input((3, 4), name="m", dtype="bool")
    y, s = L.MultiHeadAttention(2, 3)(q, v, return_attention_scores=True)
    outs = [y, s, L.MultiHeadAttention(2, 3, value_dim=2, output_shape=7, use_bias=False)(q, v), L.MultiHeadAttention(2, 3)(q, q, use_causal_mask=True), L.MultiHeadAttention(1, 2)(q, v, attention_mask=m),
            L.MultiHeadAttention(2, 3, attention_axes=(1, 2))(z, z), L.MultiHeadAttention(2, 3, attention_axes=(2,))(z, z), L.MultiHeadAttention(2, 3)(z, z)]
    if not OLD:
        outs += [L.GroupQueryAttention(3, 4, 2)(q, q), L.GroupQueryAttention(3, 2, 2, use_bias=False)(q, q, use_causal_mask=True), L.MultiHeadAttention(2, 3, use_gate=True)(q, v),
                 L.MultiHeadAttention(2, 3, sliding_window=2)(q, q)]
    return [q, v, z, m], outs


multi_head.inputs = {"m": np.array([[[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]], [[0, 0, 0, 1], [1, 1, 1, 1], [0, 1, 0, 1]]], bool)}


@model
def attention_masked():
    a, b = Input((5,), name="a", dtype="int32"), Input((4,), name="b", dtype="int32")
    e = L.Embedding(6, 4, mask_zero=True)
    q, v = e(a), e(b)
    y = L.MultiHeadAttention(2, 3)(q, v)
    return [a, b], [L.Attention()([q, v]), L.AdditiveAttention()([q, v]), L.GlobalAveragePooling1D()(y), L.GlobalAveragePooling1D()(L.Add()([q, y])), L.LSTM(3)(L.Concatenate(axis=1)([q, v]))]


attention_masked.inputs = {"a": np.array([[1, 2, 3, 0, 0], [5, 4, 3, 2, 0]], np.int32), "b": np.array([[1, 2, 0, 0], [3, 4, 5, 1]], np.int32)}


@model
def images():
    x = Input((6, 5, 3), name="x")
    outs = [L.Rescaling(0.1, offset=-1)(x), L.Rescaling([0.1, 0.2, 0.3], offset=[1, 2, 3])(x), L.Resizing(4, 7)(x), L.Resizing(9, 3, interpolation="nearest")(x), L.Resizing(4, 4, interpolation="bicubic")(x),
            L.Resizing(4, 4, crop_to_aspect_ratio=True)(x), L.CenterCrop(3, 4)(x), L.CenterCrop(8, 3)(x), L.RandomFlip()(x), L.RandomCrop(6, 5)(x), L.Normalization(mean=[1, 2, 3], variance=[4, 5, 0])(x),
            L.Normalization(axis=None, mean=2, variance=3, invert=True)(x)]
    if not OLD:
        outs += [L.Resizing(4, 7, pad_to_aspect_ratio=True, fill_value=2)(x), L.Resizing(3, 3, antialias=True)(x), L.Normalization(mean=[1, 2, 3], variance=[4, 5, 0], invert=True)(x), L.AutoContrast((-3, 3))(x)]
    learned = [L.Normalization(), L.Normalization(axis=None), L.Normalization(axis=[1, 3])]
    for layer in learned:
        layer.adapt(rng.normal(size=(8, 6, 5, 3)).astype(np.float32))
    return [x], outs + [layer(x) for layer in learned]


@new
def spectrograms():
    x, z = Input((90,), name="x"), Input((40, 2), name="z")
    return [x, z], [L.MelSpectrogram(num_mel_bins=5, sampling_rate=800, sequence_stride=20, fft_length=32)(x),
                    L.MelSpectrogram(num_mel_bins=4, sampling_rate=800, sequence_stride=16, sequence_length=24, fft_length=32, window="hamming", mag_exp=1.0, max_freq=300, power_to_db=False)(x),
                    L.STFTSpectrogram(frame_length=8, frame_step=4, window=None)(z), L.STFTSpectrogram("psd", frame_length=8, fft_length=8, expand_dims=True, padding="same", window=None)(z), L.STFTSpectrogram("stft", frame_length=6, window=None)(z)]


def locally_connected():
    x, z = Input((4, 5, 2), name="x"), Input((6, 3), name="z")
    return [x, z], [L.LocallyConnected2D(2, (2, 3), strides=(2, 1))(x), L.LocallyConnected1D(3, 2, activation="relu", use_bias=False)(z),
                    L.LocallyConnected1D(2, 2, data_format="channels_first")(L.Permute((2, 1))(z))]


if OLD:
    model(locally_connected)


@model
def masks_of_steps():
    c = Input((3, 4), dtype="int32", name="c")
    e = L.TimeDistributed(L.Embedding(5, 3, mask_zero=True))(c)
    words = L.TimeDistributed(L.LSTM(2))(e)
    return [c], [words, L.LSTM(2)(words), L.TimeDistributed(L.GRU(2, return_sequences=True))(e), L.TimeDistributed(L.Bidirectional(L.GRU(2)))(e)]


masks_of_steps.inputs = {"c": np.array([[[1, 2, 0, 0], [0, 0, 0, 0], [3, 0, 4, 1]], [[0, 0, 0, 2], [4, 4, 4, 4], [0, 0, 0, 0]]], np.int32)}


@model
def of_applications():
    from importlib import import_module
    own = import_module(keras.__name__ + ".src.applications.convnext")
    other = import_module(keras.__name__ + ".src.applications.inception_resnet_v2")
    x, y = Input((3, 4), name="x"), Input((3, 4), name="y")
    return [x, y], [own.LayerScale(0.5, 4)(x), own.StochasticDepth(0.3)(x), other.CustomScaleLayer(0.2)([x, y])]


arrays, aliases, configs = {}, {}, {}


def bare(node):  # what only training needs
    if isinstance(node, dict):
        if node.get("class_name") == "DTypePolicy":
            return node["config"]["name"]
        return {k: bare(v) for k, v in node.items() if not k.endswith(("_initializer", "_regularizer", "_constraint", "build_config", "compile_config"))}
    return [bare(v) for v in node] if isinstance(node, list) else node


def keep(name, a):
    a = np.asarray(a)
    for known, b in arrays.items():
        if b.dtype == a.dtype and b.shape == a.shape and b.tobytes() == a.tobytes():
            aliases[name] = known
            return
    arrays[name] = a


for name, build in models.items():
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    inputs, outputs = build()
    m = Model(inputs, outputs)
    for layer in m.weights:
        w = layer.numpy()
        if w.dtype.kind == "f" and w.size and not any(k in layer.name for k in ("vector_u", "variance", "mean", "sn_u")):
            layer.assign((rng.normal(size=w.shape) * 0.5).astype(np.float32))
        elif "moving_variance" in layer.name:
            layer.assign(rng.uniform(0.5, 2, size=w.shape).astype(np.float32))
        elif "moving_mean" in layer.name:
            layer.assign(rng.normal(size=w.shape).astype(np.float32))
    given = getattr(build, "inputs", {})
    x = {t.name: given[t.name] if t.name in given else np.random.default_rng(9).normal(size=(2, *t.shape[1:])).astype(np.float32) for t in inputs}
    y = m.predict([x[t.name] for t in inputs], verbose=0)
    for key, value in x.items():
        keep(f"{name}/in/{key}", value)
    for i, value in enumerate(y if isinstance(y, (list, tuple)) else [y]):
        keep(f"{name}/out/{i}", value)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.keras")
        m.save(path)
        with zipfile.ZipFile(path) as z:
            z.extractall(folder)
            configs[name] = bare(json.loads(z.read("config.json")))
        with h5py.File(os.path.join(folder, "model.weights.h5")) as f:
            f.visititems(lambda k, d: keep(f"{name}/{k}", d[()]) if isinstance(d, h5py.Dataset) else None)
    print(name, len(m.outputs), flush=True)

here = pathlib.Path(__file__).parent
kind = "keras2" if OLD else "keras3"
(here / f"{kind}.json").write_text(json.dumps({"models": configs, "aliases": aliases}, separators=(",", ":")))
np.savez_compressed(here / f"{kind}.npz", **arrays)
print(len(arrays), "arrays", (here / f"{kind}.npz").stat().st_size, (here / f"{kind}.json").stat().st_size)
