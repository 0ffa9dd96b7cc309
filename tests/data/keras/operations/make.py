"""Functions of keras.ops (and, of Keras 2, of TensorFlow) as layers, and layers that are made of them: NAME.keras or NAME.h5 with what it computes
(in_NAME and out_NAME of NAME.npz). make.py keras, then make.py tf_keras. Written by Keras 3.15 and tf_keras 2.21 on TensorFlow 2.21."""
import json, os, sys, zipfile
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
legacy = sys.argv[1:2] == ["tf_keras"]
os.environ["TF_USE_LEGACY_KERAS"] = "1" if legacy else "0"
import h5py
import numpy as np
import tensorflow as tf
if legacy: import tf_keras as keras
else: import keras
L, o = keras.layers, None if legacy else keras.ops
rng = np.random.default_rng(11)


def floats(*shape): return rng.normal(0, 1, shape).astype("float32")
def ints(low, high, *shape): return rng.integers(low, high, shape).astype("int32")
def some(values, *shape): return rng.choice(np.array(values, "float32"), shape)


def names(model):
    """Those of layers; further outputs of one with _1, _2."""
    leaves = model.outputs if legacy else tf.nest.flatten(model._outputs_struct)
    out, seen = [], {}
    for t in leaves:
        n = t.node.layer.name if legacy else t._keras_history.operation.name
        name = n
        while name in out: seen[n] = seen.get(n, 0) + 1; name = f"{n}_{seen[n]}"
        out.append(name)
    return out


def forget(file, keys, rename):
    """The configs of an .h5 as older versions wrote them: without options that were not yet there, models of class Model, calls without arguments."""
    with h5py.File(file, "r+") as f:
        c = json.loads(f.attrs["model_config"])
        for l in c["config"]["layers"]:
            for k in keys: l["config"].pop(k, None)
            l["class_name"] = rename.get(l["class_name"], l["class_name"])
            l["inbound_nodes"] = [n[:3] if isinstance(n[-1], dict) else [r[:3] for r in n] for n in l["inbound_nodes"]]
        c["class_name"] = "Model"
        f.attrs["model_config"] = json.dumps(c)
        for g in (f, f["model_weights"]): g.attrs["keras_version"] = "2.2.4"


def write(name, arrays, f, form=None, without=(), rename={}, change=None):
    keras.utils.set_random_seed(3)
    x = [keras.Input(a.shape[1:], dtype="string" if a.dtype == object else a.dtype.name, name=k) for k, a in arrays.items()]
    model = keras.Model(x, f(*x), name=name)
    for w in model.weights:
        if w.dtype == "float32": w.assign(rng.uniform(0.2, 1, w.shape) if "scale" in w.name or "variance" in w.name else rng.normal(0, 0.5, w.shape))
    if change: change(model)
    file = name + (form or (".h5" if legacy else ".keras"))
    model.save(file)
    if file.endswith(".keras"):
        with zipfile.ZipFile(file) as z: members = [(i.filename, z.read(i)) for i in z.infolist()]
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
            for n, d in members: z.writestr(zipfile.ZipInfo(n), d, zipfile.ZIP_DEFLATED)
    if without: forget(file, without, rename); model = keras.models.load_model(file, compile=False)
    y = tf.nest.flatten(model([tf.constant(a) for a in arrays.values()], training=False))
    plain = lambda a: np.char.encode(np.asarray(a, "U"), "utf-8") if np.asarray(a).dtype == object and isinstance(np.asarray(a).flat[0], str) else np.array(a, "S") if np.asarray(a).dtype == object else np.asarray(a)
    np.savez_compressed(name + ".npz", **{"in_" + k: plain(a) for k, a in arrays.items()}, **{"out_" + k: plain(v.numpy()) for k, v in zip(names(model), y)})


def new():
    x, y, nan = floats(3, 4, 6), floats(3, 4, 6), np.where(rng.uniform(size=(3, 4, 6)) < .2, np.nan, floats(3, 4, 6)).astype("float32")
    nan[0, 1] = np.nan
    i, j, flags = ints(-9, 9, 3, 4, 6), ints(1, 5, 3, 4, 6), rng.integers(0, 2, (3, 4, 6)).astype(bool)
    odd = some([np.nan, np.inf, -np.inf, 0, -0., 1.5, -2], 3, 4, 6)
    write("pointwise", dict(x=x, y=y, i=i, j=j, b=flags, odd=odd), lambda x, y, i, j, b, odd: [
        o.fmax(odd, x), o.fmin(x, odd), o.fmax(i, j), o.signbit(odd), o.signbit(i), o.angle(x), o.imag(x), o.isreal(x), o.ldexp(x, j), o.logaddexp2(x, y), o.left_shift(j, 2),
        o.right_shift(i, j), o.erfinv(x * .2), o.cdist(x, y), o.floor(i), o.ceil(j), o.divide_no_nan(i, j - 2), o.abs(b), o.square(b), o.tanh(i), o.clip(b, 0, 1),
        o.saturate_cast(x * 200, "uint8"), o.saturate_cast(i * 50, "int8"), o.cast(x, "float16"), o.cast(x, "float64") + 1., o.max(b, axis=-1), o.min(b, axis=1), o.any(b, axis=1),
        o.sum(o.cast(i, "int8"), axis=1), o.sum(o.cast(j, "uint8"), axis=1), o.cumsum(o.cast(i, "int8"), axis=1), o.max(x, axis=-1, initial=.5), o.min(x, axis=1, initial=-.5), o.argmax(b, axis=1)])
    write("reductions", dict(x=x, nan=nan, w=np.abs(x) + .1), lambda x, nan, w: [
        o.nansum(nan), o.nanprod(nan, axis=-1), o.nanmean(nan, axis=1), o.nanvar(nan, axis=(1, 2)), o.nanstd(nan, axis=2, keepdims=True), o.nanmax(nan, axis=-1), o.nanmin(nan),
        o.nanargmax(nan, axis=-1), o.nanargmin(nan, axis=1), o.nancumsum(nan, axis=1), o.nancumprod(nan, axis=2), o.median(x), o.median(x, axis=1), o.nanmedian(nan, axis=-1),
        o.quantile(x, [.1, .5, .9], axis=1), o.quantile(x, .25, axis=(1, 2), keepdims=True), o.percentile(x, 30., axis=-1, method="higher"), o.percentile(x, 30., axis=-1, method="lower"),
        o.percentile(x, 50., axis=-1, method="nearest"), o.percentile(x, 30., axis=2, method="midpoint"), o.nanquantile(nan, .3, axis=-1), o.average(x, axis=1, weights=w),
        o.average(x, axis=-1, weights=np.arange(1, 7, dtype="float32")), o.norm(x, ord=1, axis=(1, 2)), o.norm(x, ord=np.inf, axis=(1, 2)), o.norm(x, ord=3, axis=1), o.normalize(x, epsilon=2.),
        o.softmax(x, None), o.log_softmax(x, None), o.argsort(x, axis=None), o.moments(x, axes=[0, 2], keepdims=True)[1]])
    write("ranges", dict(x=x, y=y, p=np.abs(x) + .1, i=ints(0, 24, 3, 5), v=floats(3, 4, 3), u=floats(3, 4, 3)), lambda x, y, p, i, v, u: [
        o.linspace(x, y, 3), o.linspace(x, y, 4, endpoint=False, axis=-1), o.logspace(x, y, 2), o.geomspace(p, p + 1, 3, axis=1), *o.meshgrid(x[0, 0], y[0, :, 0]), *o.meshgrid(x[0, 0], y[0, :, 0], indexing="ij"),
        o.diag(x[0, 0]), o.diag(x[0, 0], k=-2), o.diag(x[0], k=1), o.diagflat(x[0, :2, :2], k=1), o.cross(v, u), o.cross(v[..., :2], u), o.cross(v[..., :2], u[..., :2]), o.kron(x[0], y[0]), o.corrcoef(x[0]),
        o.correlate(x[0, 0], y[0, 0, :3]), o.correlate(x[0, 0], y[0, 0, :3], mode="full"), o.correlate(x[0, 0], y[0, 0, :2], mode="same"), o.trapezoid(x, dx=.5, axis=1), o.trapezoid(x),
        o.vander(x[0, 0], 3), o.vander(x[0, 0], increasing=True), *o.unravel_index(i[0], (3, 8)), o.select([x > 1, y > 0], [x, y * 2], default=-1.), o.rot90(x, axes=(1, 2)), o.rot90(x, 3, axes=(2, 1)), o.rot90(x[:, :, :4], 2, axes=(1, 2)),
        o.fliplr(x), o.flipud(x), o.roll(x, -1, axis=0), o.roll(x, 4), o.repeat(x, [1, 0, 2, 1], axis=1), o.dstack([x[0], y[0]]), *o.hsplit(x, 2), *o.dsplit(x, [1, 4]), *o.array_split(x, 4, axis=2),
        o.pad(x, [[0, 0], [1, 2], [2, 1]], mode="symmetric"), o.argpartition(x, 2) * 0 if False else o.empty_like(x) * 0])
    ids = np.array([[0], [2], [5]], "int32")
    write("scatters", dict(x=x, y=y, i=ints(0, 6, 3, 4), at=np.tile(np.array([[[0, 1], [2, 3], [0, 1]]], "int32"), (3, 1, 1))[:, :, :], s=np.array([2, 0, 2], "int32")), lambda x, y, i, at, s: [
        o.scatter(at[0], x[0, :3], (3, 5, 6)), o.scatter_update(x, np.array([[0, 1], [1, 2]], "int32"), y[:2, 0]), *[o.scatter_update(x, np.array([[0, 1], [1, 2], [0, 1]], "int32"), y[:, 0], reduction=r) for r in ("add", "max", "min", "mul")],
        o.slice_update(x, (0, 1, 2), y[:2, :2, :3]), o.segment_sum(x, s, num_segments=4), o.segment_max(x, s, num_segments=3), o.segment_min(x, s), o.segment_prod(x, s, num_segments=3), o.segment_sum(x, o.sort(s, axis=0), sorted=True),
        o.in_top_k(i[:, 0], x[:, 0], 2), o.digitize(x, np.array([-1., 0, .5, 2], "float32")), o.isin(i, np.array([1, 2, 5], "int32")), o.isin(i, np.array([1, 2], "int32"), invert=True), o.bincount(i, minlength=8), *o.nonzero(i), o.multi_hot(i, 6), o.one_hot(i, 6, axis=1)])
    t = floats(2, 40)
    write("fourier", dict(t=t, a=floats(2, 8, 6), b=floats(2, 8, 6)), lambda t, a, b: [
        *o.fft((a, b)), *o.fft2((a, b)), *o.ifft2((a, b)), *o.rfft(t), *o.rfft(t, 24), *o.rfft(t, 45), o.irfft((a, b)), o.irfft((a, b), 7), *o.stft(t, 12, 5, 16), *o.stft(t, 16, 8, 16, window="hamming", center=False), *o.stft(t, 16, 8, 16, window=None),
        o.istft(o.stft(t, 16, 8, 16), 16, 8, 16), o.istft(o.stft(t, 16, 4, 16, center=False), 16, 4, 16, center=False, length=30), o.extract_sequences(t, 8, 4)])
    pic = rng.uniform(0, 1, (2, 7, 8, 3)).astype("float32")
    write("pictures", dict(x=pic, y=rng.uniform(0, 1, (2, 7, 8, 3)).astype("float32"), v=floats(2, 4, 4, 5, 2), c=floats(2, 2, 6, 7), f=floats(2, 12, 25)), lambda x, y, v, c, f: [
        o.image.rgb_to_hsv(x), o.image.hsv_to_rgb(x), o.image.crop_images(x, top_cropping=1, left_cropping=2, bottom_cropping=2, right_cropping=1), o.image.crop_images(x, top_cropping=1, left_cropping=2, target_height=4, target_width=5),
        o.image.pad_images(x, top_padding=1, left_padding=2, target_height=9, target_width=11), o.image.pad_images(x, 1, 0, 2, 1), o.image.extract_patches(x, 3), o.image.extract_patches(x, (2, 3), strides=(2, 1), padding="same"), o.image.extract_patches(x, 2, strides=1, dilation_rate=2),
        o.image.extract_patches_3d(v, 2), o.unfold(c, 2, dilation=2, padding=1, stride=2), o.unfold(c, (2, 3)), o.fold(f, (6, 7), (2, 3)), o.fold(f[:, :, :12], (6, 8), 2, dilation=2, padding=1, stride=2), o.image.gaussian_blur(x), o.image.gaussian_blur(x, (3, 5), (1., 2.)),
        o.image.ssim(x, y, 1., filter_size=5), o.psnr(x, y, 1.), o.separable_conv(x, np.linspace(-1, 1, 54).reshape(3, 3, 3, 2).astype("float32"), np.linspace(-1, 1, 30).reshape(1, 1, 6, 5).astype("float32"), strides=2, padding="same"), o.adaptive_average_pool(x, (2, 5)), o.adaptive_max_pool(x, (3, 3)),
        o.layer_normalization(x, gamma=np.array([.5, 1, 2], "float32"), beta=np.ones(3, "float32"), epsilon=1e-2), o.layer_normalization(x, axis=(1, 2)), o.rms_normalization(x, scale=np.array([.5, 1, 2], "float32")), o.rms_normalization(x, axis=1, epsilon=.01), o.sparsemax(x),
        o.batch_normalization(x, np.array([.1, .2, .3], "float32"), np.array([.4, .5, .6], "float32"), axis=-1, offset=np.array([1, 2, 3], "float32"), scale=np.array([3, 2, 1], "float32"), epsilon=.01)])
    q, k, v = floats(2, 5, 4, 3), floats(2, 5, 2, 3), floats(2, 5, 2, 3)
    write("attention_and_losses", dict(q=q, k=k, v=v, m=np.tril(np.ones((2, 4, 5, 5), bool)), b=floats(2, 4, 5, 5), x=x[:2], y=y[:2], c=ints(0, 6, 2, 4)), lambda q, k, v, m, b, x, y, c: [
        o.dot_product_attention(q, k, v), o.dot_product_attention(q, k, v, is_causal=True), o.dot_product_attention(q, k, v, mask=m, scale=.3), o.dot_product_attention(q, k, v, bias=b),
        o.categorical_crossentropy(o.softmax(x), y, from_logits=True), o.categorical_crossentropy(o.softmax(x, axis=1), o.sigmoid(y) * 1., axis=1), o.sparse_categorical_crossentropy(c, y, from_logits=True), o.sparse_categorical_crossentropy(c, o.sigmoid(y) * 1.),
        o.binary_crossentropy(o.sigmoid(x), o.sigmoid(y) * 1.), o.binary_crossentropy(o.sigmoid(x), y, from_logits=True), o.einsum("bij,jk,bkl->bil", x, np.linspace(-1, 1, 24).reshape(6, 4).astype("float32"), y)])
    grey = rng.integers(0, 256, (2, 13, 16, 2)).astype("float32")
    write("layers3", dict(x=grey, t=floats(2, 5, 4), h=floats(2, 3), c=floats(2, 3), i=ints(0, 5, 2, 4), m=np.array([[1, 1, 0, 0, 1], [0, 1, 1, 1, 0]], bool)), lambda x, t, h, c, i, m: [
        L.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=2., tile_grid_size=(3, 4))(x), L.ContrastLimitedAdaptiveHistogramEqualization(value_range=(0, 512), clip_limit=0, tile_grid_size=(2, 2))(x),
        *L.LSTMCell(3)(t[:, 0], [h, c])[:1], L.GRUCell(3)(t[:, 0], [h])[0], L.SimpleRNNCell(3)(t[:, 0], [h])[0], L.SpectralNormalization(L.Embedding(5, 3))(i), L.Pipeline([L.Dense(3, activation="relu"), L.Dense(2)])(t), L.Pipeline([L.Embedding(5, 4, mask_zero=True), L.LSTM(3)])(i),
        L.AdditiveAttention()([t, t], mask=[None, m]), L.Attention()([t, t], mask=[m, None]), L.MultiHeadAttention(2, 3)(t, t, query_mask=m, value_mask=m), L.STFTSpectrogram(mode="angle", frame_length=3, frame_step=1, fft_length=4)(t),
        L.GlobalAveragePooling1D()(L.Rescaling(2.)(L.Embedding(5, 4, mask_zero=True)(i)))])

    few = floats(2, 6, 4) * .01
    none = np.array([[[1, 1, 0, 0, 1], [0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]]] * 2, bool)
    write("more3", dict(x=few, t=floats(2, 5, 4), k=floats(2, 5, 4), v=floats(2, 5, 4), m=none, p=floats(2, 5, 6, 4)), lambda x, t, k, v, m, p: [
        L.LayerNormalization(rms_scaling=True)(t), L.GroupNormalization(-1)(p), L.RMSNormalization()(x), L.UnitNormalization()(x), L.Attention()([t, v, k]), L.AdditiveAttention()([t, v, k]),
        *L.MultiHeadAttention(2, 3, value_dim=5)(t, v, k, attention_mask=m, return_attention_scores=True), L.MultiHeadAttention(2, 3, dropout=.1)(t, v, attention_mask=m), L.MultiHeadAttention(2, 3)(t, v, attention_mask=m),
        L.Conv2DTranspose(2, 4, strides=2, padding="same", output_padding=1)(p), L.Conv2DTranspose(2, (2, 4), strides=(1, 3), output_padding=(0, 1))(p), L.Dense(3, activation="hard_sigmoid")(t), L.ReLU(threshold=.3, negative_slope=.2)(t)])
    masks(True)


def masks(new):
    """Of what several layers give, each with holes of its own."""
    def f(i, j):
        e, g = L.Embedding(3, 4, mask_zero=True)(i), L.Embedding(3, 4, mask_zero=True)(j)
        return [L.GRU(2)(m([e, g])) for m in (L.Add(), L.Maximum(), L.Minimum(), L.Average(), L.Concatenate(), L.Concatenate(axis=1))] + [L.GRU(2)(L.Add()([e, L.Embedding(3, 4)(j)])), L.GlobalAveragePooling1D()(L.Multiply()([e, g]))]
    write("masks3" if new else "masks2", dict(i=ints(0, 3, 4, 5), j=ints(0, 3, 4, 5)), f)


def old():
    text = np.array([["Hello World"], ["a B c"], ["  "]], object)
    s = tf.strings
    write("text2", dict(x=text), lambda x: [s.lower(x), s.upper(x), s.strip(x), s.regex_replace(x, "[aeiou]", "*"), s.regex_replace(x, "o", "0", replace_global=False), s.regex_full_match(x, "H.*"), s.length(x), s.substr(x, 0, 1), s.join([x, x], "-"), s.to_hash_bucket_fast(x, 10), tf.equal(x, "a B c")])
    x, y = floats(3, 4, 6), floats(3, 4, 6)
    write("functions2", dict(x=x, y=y, i=ints(1, 9, 3, 4, 6)), lambda x, y, i: [tf.math.lgamma(tf.abs(x) + 1.), tf.math.digamma(tf.abs(x) + 1.), tf.math.erfinv(x * .2), tf.bitwise.left_shift(i, i % 3), tf.bitwise.bitwise_and(i, 6), tf.math.xlogy(tf.abs(x), tf.abs(y) + 1.),
        tf.image.rgb_to_hsv(tf.nn.sigmoid(x[..., :3])), tf.tensor_scatter_nd_add(x, [[0, 1], [1, 2]], y[:2, 0]), tf.saturate_cast(x * 200., tf.uint8), tf.einsum("bij,bkj->bik", x, y) if False else tf.searchsorted([0., 1.], x[0, 0])])
    write("more_functions2", dict(x=x, y=y, i=ints(-9, 9, 3, 4, 6), n=np.array([1, 3, 4], "int32"), p=floats(3, 5, 6, 4)), lambda x, y, i, n, p: [tf.sequence_mask(n, 5), tf.cumsum(i, 1), i / (i * i + 1), x // (tf.abs(y) + .5), i // 3, tf.math.count_nonzero(i, axis=1), tf.nn.silu(x, 2.), tf.nn.bias_add(p, np.array([1, 2, 3, 4], "float32")),
        tf.math.angle(x), tf.math.real(x), tf.math.imag(x), tf.math.reciprocal_no_nan(tf.nn.relu(x)), tf.math.multiply_no_nan(x, tf.nn.relu(y)), tf.math.xlog1py(x, tf.abs(y)), tf.reverse_sequence(x, n, seq_axis=1), tf.linalg.band_part(x, 1, 0), tf.nn.local_response_normalization(p, 1, 1., .5, .7),
        tf.gather(x, i[:, 0, :3] % 4, batch_dims=1), tf.gather(x, i[:, 0, :3] % 4, axis=1, batch_dims=1), tf.scatter_nd([[0], [2]], x[0, :2], [4, 6]), tf.nn.crelu(x), tf.nn.conv1d(x, np.linspace(-1, 1, 36).reshape(3, 6, 2).astype("float32"), 2, "SAME"), tf.math.reduce_std(x, 1), tf.nn.leaky_relu(x, .3), tf.clip_by_value(i, -2, 3)])
    write("layers2", dict(x=floats(3, 6), t=floats(3, 4, 2, 3), i=ints(0, 4, 3, 5), h=floats(3, 3)), lambda x, t, i, h: [L.experimental.RandomFourierFeatures(4, scale=2.)(x), L.experimental.RandomFourierFeatures(3, kernel_initializer="laplacian", trainable=True)(x),
        L.BatchNormalization(axis=[1, 3])(t), L.BatchNormalization(axis=[1, 2], center=False, epsilon=.1)(t), L.GRUCell(3)(x, [h])[0], *[L.GlobalAveragePooling1D()(f(L.Embedding(4, 5, mask_zero=True)(i))) for f in (L.Rescaling(2.), L.Identity(), L.Activation("relu"), L.Normalization(mean=.1, variance=2.))]], ".keras")
    write("more2", dict(x=floats(2, 6, 4) * .01, t=floats(2, 5, 4), p=floats(2, 5, 6, 4), i=ints(0, 3, 2, 5)), lambda x, t, p, i: [L.UnitNormalization()(x), L.GroupNormalization(-1)(p), L.PReLU(shared_axes=[1])(t), L.Softmax()(t, mask=t > 0),
        L.Conv2DTranspose(2, 4, strides=2, padding="same", output_padding=1)(p), L.Activation("hard_sigmoid")(t), L.Concatenate(axis=-1)([t, t]), L.GRU(3, recurrent_activation="hard_sigmoid")(t),
        L.LSTM(3, return_sequences=True, go_backwards=True)(L.Embedding(3, 4, mask_zero=True)(i)), L.GRU(3, zero_output_for_mask=True, return_sequences=True)(L.Embedding(3, 4, mask_zero=True)(i)), L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum")(L.Embedding(3, 4, mask_zero=True)(i))])
    masks(False)
    write("forgotten2", dict(x=floats(2, 9, 8, 2), t=floats(2, 5, 4), v=floats(2, 5, 4)), lambda x, t, v: [
        L.Conv2D(3, 3)(x), L.DepthwiseConv2D(2)(x), L.SeparableConv2D(3, 2)(x), L.Conv2DTranspose(2, 3)(x), L.MaxPooling2D()(x), L.AveragePooling2D()(x), L.UpSampling2D()(x), L.ZeroPadding2D()(x), L.Cropping2D()(x), L.BatchNormalization()(x), L.LayerNormalization()(t),
        L.LeakyReLU()(t), L.ELU()(t), L.ReLU()(t), L.PReLU()(t), L.ThresholdedReLU()(t), L.Softmax()(t), L.Concatenate()([t, v]), L.Add()([t, v]), L.Attention()([t, v]), L.AdditiveAttention()([t, v]), L.GaussianNoise(.1)(t), L.Conv1D(3, 2)(t), L.GlobalMaxPooling1D()(t), L.AveragePooling1D()(t),
        L.LSTM(3)(t), L.GRU(3, reset_after=True)(t), L.SimpleRNN(3)(t), L.Dense(3)(t), L.RepeatVector(2)(L.Flatten()(t)), L.Masking()(t), L.UpSampling1D()(t), L.Cropping1D()(t), L.ZeroPadding1D()(t)],
        without="strides padding pool_size size cropping data_format dilation_rate groups depth_multiplier use_bias activation epsilon axis center scale momentum alpha max_value negative_slope threshold theta shared_axes use_scale score_mode recurrent_activation unit_forget_bias implementation time_major "
        "return_sequences return_state go_backwards stateful unroll output_padding interpolation keepdims mask_value trainable dtype".split(), rename={"Conv2D": "Convolution2D", "BatchNormalization": "BatchNormalizationV1"})
    from tensorflow.core.framework import node_def_pb2
    from tf_keras.src.engine.base_layer import TensorFlowOpLayer

    def node(name, op, n, constants=None, **attr):
        d = node_def_pb2.NodeDef(name=name, op=op, input=["in%d" % k for k in range(n)])
        for k, v in attr.items():
            if isinstance(v, bool): d.attr[k].b = v
            elif isinstance(v, tuple): d.attr[k].type = v[0]
            elif isinstance(v, int): d.attr[k].i = v
            elif isinstance(v, float): d.attr[k].f = v
            elif isinstance(v, str): d.attr[k].s = v.encode()
            else: d.attr[k].list.i.extend(v)
        return TensorFlowOpLayer(d.SerializeToString(), name, constants=constants or {})
    F, I, I64 = (1,), (3,), (9,)

    def nodes(x, p):
        a = node("Mul", "Mul", 2, {1: np.float32(2.5)}, T=F)(x)
        b = node("Rsub", "Sub", 2, {0: np.float32(1)}, T=F)(a)
        c = node("Mean", "Mean", 2, {1: np.array([1], "int32")}, T=F, Tidx=I, keep_dims=True)(b)
        d = node("Pad", "Pad", 2, {1: np.array([[0, 0], [1, 0], [0, 2]], "int32")}, T=F, Tpaddings=I)(x)
        e = node("Conv2D", "Conv2D", 2, {1: np.linspace(-1, 1, 36).reshape(2, 3, 3, 2).astype("float32")}, T=F, strides=[1, 2, 1, 1], padding="SAME", data_format="NHWC", dilations=[1, 1, 1, 1])(p)
        f = node("Slice", "StridedSlice", 4, {1: np.array([0, 1, 0], "int32"), 2: np.array([0, 3, 0], "int32"), 3: np.array([1, 1, 1], "int32")}, T=F, Index=I, begin_mask=5, end_mask=5, ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=0)(x)
        g, h = node("Split", "SplitV", 3, {1: np.array([2, 4], "int32"), 2: np.int32(2)}, T=F, Tlen=I, num_split=2)(x)
        return [b, c, d, e, f, g, h, node("Leaky", "LeakyRelu", 1, T=F, alpha=.3)(x), node("Top", "ArgMax", 2, {1: np.int32(2)}, T=F, Tidx=I, output_type=I64)(x)]
    write("nodes2", dict(x=x, p=floats(3, 5, 6, 3)), nodes)


if __name__ == "__main__": old() if legacy else new()
