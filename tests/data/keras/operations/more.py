"""Further families, with the means of make.py: recurrent activations, masks over several axes, quantised kernels, proportions, linear algebra.
more.py keras, then more.py tf_keras; names behind that write only these."""
import sys
from make import *
import make

only = sys.argv[2:]


def family(name, *args, **more):
    if not only or name in only: make.write(name, *args, **more)


def recurrent(t, i, h, c):
    """Activations that the catalog's recurrent operators have not, in every kind of cell; with masks, states and both directions."""
    e = L.Embedding(3, 4, mask_zero=True)(i)
    last = L.Dense(4, activation="relu6" if not legacy else "exponential")(t)
    soft = dict(activation="softmax", recurrent_activation="softmax", return_sequences=True)
    return [L.LSTM(3, **soft)(t), L.GRU(3, activation="exponential", reset_after=False)(t), L.GRU(3, activation="relu6" if not legacy else "softmax", go_backwards=True, return_sequences=True)(t),
            L.SimpleRNN(3, activation=L.LeakyReLU(.2), return_sequences=True)(e), *L.LSTM(3, activation="exponential", return_sequences=True, return_state=True)(e, initial_state=[h, c]),
            L.GRU(3, activation="softmax", go_backwards=True)(e, initial_state=[h]), L.GRU(3, activation="softmax", zero_output_for_mask=True, return_sequences=True)(e),
            L.Bidirectional(L.LSTM(2, activation=L.ELU(.5), recurrent_activation="softmax", use_bias=False))(e), L.RNN(L.StackedRNNCells([L.GRUCell(3, activation="exponential"), L.LSTMCell(2)]))(last),
            L.ConvLSTM1D(2, 2, padding="same", return_sequences=True)(t[..., None])]


holes = np.array([[1, 0, 2, 0, 1], [0, 2, 1, 1, 0]], "int32")
states = dict(t=floats(2, 5, 4) * .3, i=holes, h=floats(2, 3), c=floats(2, 3))
if legacy:
    family("recurrent2", states, recurrent)
    m, im = tf.math, tf.image
    square = floats(2, 4, 4)
    spd = (square @ square.transpose(0, 2, 1) + np.eye(4)).astype("float32")
    family("rarer2", dict(x=floats(2, 4, 6), i=ints(0, 6, 2, 4), s=spd, b=floats(2, 4, 3)), lambda x, i, s, b: [
        m.accumulate_n([x, x]), tf.boolean_mask(x, [True, False, True, True], axis=1), tf.boolean_mask(x, [[True, False, True, False, False, True]] * 4, axis=1), tf.clip_by_norm(x, 1.), tf.clip_by_norm(x, 1., axes=[2]), m.cumulative_logsumexp(x, 1), m.cumulative_logsumexp(x, 2, exclusive=True, reverse=True),
        tf.linalg.diag(x[:, 0]), tf.linalg.diag(x[:, 0], k=1), tf.linalg.diag_part(x), tf.linalg.diag_part(x, k=-1), tf.linalg.trace(x), m.in_top_k(i[:, 0], x[:, 0], 2), m.ndtri(tf.nn.sigmoid(x)), tf.linspace(x, x + 1., 3), tf.strided_slice(x, [0, 1, 0], [2, 4, 6], [1, 2, 3]), tf.unique(tf.reshape(i, [-1]))[0], tf.nn.dropout(x, 0.),
        tf.nn.embedding_lookup(np.linspace(-1, 1, 18).reshape(6, 3).astype("float32"), i), tf.nn.sigmoid_cross_entropy_with_logits(tf.nn.sigmoid(x), x), tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(x), x), tf.nn.sparse_softmax_cross_entropy_with_logits(i, x), m.reduce_mean(i, 1), m.reduce_mean(i - 5),
        tf.linalg.cholesky(s), tf.linalg.det(s), tf.linalg.inv(s), tf.linalg.logdet(s), tf.linalg.solve(s, b), tf.linalg.triangular_solve(s, b), tf.linalg.triangular_solve(s, b, lower=False, adjoint=True)])
    family("rarer_pictures2", dict(x=rng.uniform(0, 1, (2, 8, 9, 3)).astype("float32")), lambda x: [
        im.adjust_brightness(x, .1), im.adjust_contrast(x, 1.5), im.adjust_saturation(x, .6), im.adjust_hue(x, .2), im.adjust_gamma(x, 2.), im.per_image_standardization(x), im.rgb_to_yuv(x), im.yuv_to_rgb(x), im.rgb_to_yiq(x), im.yiq_to_rgb(x), im.convert_image_dtype(x, tf.uint8), im.convert_image_dtype(tf.cast(x * 255., tf.uint8), tf.float32),
        im.rot90(x), im.rot90(x[0], 3), im.rot90(x, 2), im.transpose(x), im.grayscale_to_rgb(x[..., :1]), im.central_crop(x, .5), im.crop_to_bounding_box(x, 1, 2, 4, 5), im.pad_to_bounding_box(x, 1, 2, 12, 13), im.resize_with_crop_or_pad(x, 6, 12), im.resize_with_crop_or_pad(x[0], 11, 4), im.resize_with_pad(x, 12, 12), im.resize_with_pad(x, 5, 12),
        im.resize(x, (4, 4), preserve_aspect_ratio=True), tf.compat.v1.image.resize_bilinear(x, (5, 12)), tf.compat.v1.image.resize_nearest_neighbor(x, (16, 18)), tf.compat.v1.image.resize_bilinear(x, (16, 18), align_corners=True), im.extract_patches(x, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"), im.sobel_edges(x),
        tf.space_to_batch_nd(x, [2, 2], [[0, 0], [0, 1]]), tf.nn.atrous_conv2d(x, np.linspace(-1, 1, 54).reshape(3, 3, 3, 2).astype("float32"), 2, "VALID"), tf.nn.dilation2d(x, np.linspace(-1, 1, 27).reshape(3, 3, 3).astype("float32"), [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
        tf.nn.separable_conv2d(x, np.linspace(-1, 1, 27).reshape(3, 3, 3, 1).astype("float32"), np.linspace(-1, 1, 12).reshape(1, 1, 3, 4).astype("float32"), [1, 1, 1, 1], "SAME"), tf.nn.pool(x, [2, 2], "MAX", strides=[2, 2]), tf.nn.pool(x, [2, 3], "AVG", padding="SAME")])
    family("special2", dict(x=np.abs(floats(2, 5)) + .1, a=np.abs(floats(2, 5)) * 3 + .5, s=square, w=floats(2, 3, 5)), lambda x, a, s, w: [
        m.bessel_i0(x), m.bessel_i0e(x), m.bessel_i1(x), m.bessel_i1e(x), m.special.bessel_j0(x), m.special.bessel_j1(x), m.special.bessel_k0(x), m.special.bessel_k1(x), m.special.bessel_y0(x), m.special.bessel_y1(x),
        m.igamma(a, x), m.igamma(a, 2.), m.igammac(a, x), m.betainc(a, x, tf.nn.sigmoid(x)), m.zeta(a + 1., x), m.polygamma(tf.round(a), x), m.nextafter(x, a), tf.linalg.svd(w, compute_uv=False), *tf.linalg.qr(w), *tf.linalg.qr(w, full_matrices=True),
        tf.linalg.eigvalsh(s), tf.linalg.eigh(s)[0], tf.linalg.pinv(w), tf.linalg.matrix_rank(w)])
    family("time2", dict(x=floats(5, 2, 4), m=np.array([[1, 1], [1, 0], [0, 1], [1, 1], [0, 0]], bool)), lambda x, m: [
        L.LSTM(3, time_major=True)(x, mask=m), L.GRU(3, time_major=True, return_sequences=True)(x, mask=m)])
    family("slopes2", dict(x=floats(3, 6)), lambda x: [L.Dense(4, activation=L.PReLU("normal"))(x)])
else:
    family("recurrent3", states, recurrent)

    def attention(x, m, n):
        return [L.MultiHeadAttention(2, 3, attention_axes=(1, 2))(x, x, attention_mask=m), *L.MultiHeadAttention(2, 3, attention_axes=(2, 1), value_dim=2)(x, x[:, :2], attention_mask=n, return_attention_scores=True)]
    family("axes3", dict(x=floats(2, 3, 2, 4), m=rng.integers(0, 2, (2, 3, 2, 3, 2)).astype(bool), n=rng.integers(0, 2, (2, 2, 3, 2, 2)).astype(bool)), attention)
    pic = floats(2, 7, 12, 3)
    family("proportions3", dict(x=pic, y=floats(2, 9, 5, 1)), lambda x, y: [
        *[o.image.resize(v, s, crop_to_aspect_ratio=True) for v in (x, x[0]) for s in ((4, 4), (3, 9), (10, 5))], *[o.image.resize(v, s, pad_to_aspect_ratio=True, fill_value=.5) for v in (x, x[0]) for s in ((4, 4), (3, 9), (10, 5))],
        L.Resizing(4, 4, pad_to_aspect_ratio=True, interpolation="nearest")(y)])
    from keras import quantizers as q

    def dense(i, t):
        e = L.Embedding(6, 5)(i)
        return [L.Dense(7, activation="relu")(e), L.Dense(3, use_bias=False)(t), L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(t), L.EinsumDense("abc,cde->aebd", output_shape=(3, None, 2), bias_axes="ed", activation="tanh")(t)]
    wide = floats(2, 5, 4)
    wide[0, 1] = 0
    quantized = dict(i=ints(0, 6, 2, 5), t=wide)
    family("int8", quantized, dense, change=lambda m: m.quantize("int8"))
    family("int8_attention", dict(x=wide, y=floats(2, 3, 4)), lambda x, y: [L.MultiHeadAttention(2, 3)(x, y), L.GroupQueryAttention(3, 4, 2)(x, y)], change=lambda m: m.quantize("int8"))
    family("int8_long", dict(x=floats(2, 1100)), lambda x: [L.Dense(2)(x)], change=lambda m: m.quantize("int8"))
    family("int8_weights", quantized, dense, change=lambda m: m.quantize(config=q.Int8QuantizationConfig(activation_quantizer=None)))
    family("int4", quantized, dense, change=lambda m: m.quantize("int4"))
    family("int4_columns", quantized, dense, change=lambda m: m.quantize(config=q.Int4QuantizationConfig(block_size=-1)), form=".h5")
    family("int4_blocks", quantized, dense, change=lambda m: m.quantize(config=q.Int4QuantizationConfig(block_size=2)))

    def adapted(m):
        """LoRA, which .h5 keeps apart from the weights that it is added to."""
        for l in m.layers:
            if not hasattr(l, "enable_lora"): continue
            l.enable_lora(2, lora_alpha=3)
            b = l.lora_embeddings_b if hasattr(l, "lora_embeddings_b") else l.lora_kernel_b
            b.assign(floats(*b.shape))

    def calibrated(mode, **how):
        """What GPTQ and AWQ leave of Dense layers, with numbers of no calibration: these need a tokenizer and a corpus. Keras 3.15 loads kernel_zero, and
        forgets it when it saves."""
        merged = L.Dense._get_kernel_with_merged_lora
        L.Dense._get_kernel_with_merged_lora = lambda l: (None, None, l.kernel_zero) if l.quantization_mode in ("gptq", "awq") else merged(l)
        def change(m):
            for l in m.layers:
                if not isinstance(l, L.Dense): continue
                l.quantize(mode, config=(q.GPTQConfig if mode == "gptq" else q.AWQConfig)(None, None, **how))
                l.quantized_kernel.assign(ints(0, 256 if how.get("weight_bits", 4) != 2 else 4, *l.quantized_kernel.shape).astype("uint8"))
                l.kernel_scale.assign(np.abs(floats(*l.kernel_scale.shape)) * .1 + .01)
                l.kernel_zero.assign(ints(0, 16, *l.kernel_zero.shape).astype("uint8"))
                l.g_idx.assign(np.arange(l.g_idx.shape[0])[::-1] // how["group_size"] if how["group_size"] > 0 else np.zeros(l.g_idx.shape))
                if mode == "awq": l.awq_scales.assign(np.abs(floats(*l.awq_scales.shape)) + .5)
                l.is_gptq_calibrated, l.is_awq_calibrated = mode == "gptq", mode == "awq"
        return change

    def denses(i, t):
        return [L.Dense(7, activation="relu")(L.Embedding(6, 5)(i)), L.Dense(3, use_bias=False)(t)]
    family("lora", quantized, lambda i, t: dense(i, t) + [L.Conv1D(3, 2)(t)], change=adapted, form=".h5")
    family("gptq", quantized, denses, change=calibrated("gptq", group_size=2))
    family("gptq2", quantized, denses, change=calibrated("gptq", weight_bits=2, group_size=-1))
    family("awq", quantized, denses, change=calibrated("awq", group_size=2))
    square = floats(2, 4, 4)
    spd = (square @ square.transpose(0, 2, 1) + np.eye(4)).astype("float32")
    family("algebra3", dict(a=square, s=spd, b=floats(2, 4, 3), v=floats(2, 4)), lambda a, s, b, v: [
        o.cholesky(s), o.cholesky(s, upper=True), o.det(a), o.inv(a), *o.slogdet(a), o.logdet(s), o.solve(a, b), o.solve(a, v), o.solve_triangular(s, b, lower=True), o.solve_triangular(s, v), o.cholesky_inverse(o.cholesky(s)), o.cholesky_inverse(o.cholesky(s, upper=True), upper=True)])
    speech = floats(3, 7, 5) * 4
    family("labels3", dict(x=speech, n=np.array([7, 4, 0], "int32"), i=ints(0, 5, 3, 4)), lambda x, n, i: [
        *o.ctc_decode(x, n), *o.ctc_decode(x, n, merge_repeated=False, mask_index=-1), *o.unique(i, return_index=True, return_inverse=True, return_counts=True), o.view(x, "int32"), o.image.sobel_edges(x[..., None])])
    family("divisors3", dict(i=np.concatenate([ints(-60, 60, 3, 5), np.array([[0, 0, 2147483647, 1836311903, -7]] * 3, "int32")], 1), j=np.concatenate([ints(1, 60, 3, 5), np.array([[0, 9, 6, 1134903170, 0]] * 3, "int32")], 1)), lambda i, j: [o.gcd(i, j), o.gcd(i, 12), o.lcm(i[:, :5], j[:, :5])])
    view = np.array([1.1, .1, -1, -.1, .9, .5, 0, 0], "float32")
    corners = np.array([[[0, 0], [0, 6], [6, 0], [6, 6]]], "float32")
    family("warp3", dict(x=floats(2, 5, 7, 2), t=np.stack([view, view * np.float32(.9)]), p=(rng.uniform(-3, 9, (2, 4, 6))).astype("float32"), i=ints(0, 9, 2, 5, 7)), lambda x, t, p, i: [
        o.image.affine_transform(x, view), o.image.affine_transform(x[0], view, interpolation="nearest"), o.image.affine_transform(x, t, fill_mode="reflect", fill_value=.3), o.image.affine_transform(o.transpose(x, (0, 3, 1, 2)), view, fill_mode="wrap", data_format="channels_first"),
        o.image.perspective_transform(x, corners, corners + np.array([[[.5, 0], [0, 1], [-1, 0], [0, -.5]]], "float32")), *[o.image.map_coordinates(x[0, ..., 0], o.stack([p[0], p[1]]), 1, fill_mode=m, fill_value=.5) for m in ("constant", "nearest", "wrap", "reflect")],
        o.image.map_coordinates(x[0], o.stack([p[0], p[1], p[0] * .1]), 1, fill_mode="nearest"), o.image.map_coordinates(x[0, ..., 0], o.stack([p[0], p[1]]), 0), o.image.map_coordinates(i[0], o.stack([p[0], p[1]]), 1, fill_mode="wrap")])


def space():
    """What FeatureSpace makes of features, as the model that its documentation saves."""
    F = keras.utils.FeatureSpace
    made = F(features=dict(age=F.float_normalized(), n=F.integer_categorical(), word=F.string_categorical(), part=F.float_discretized(num_bins=3), hashed=F.string_hashed(num_bins=5), scaled=F.float_rescaled(2.)), crosses=[F.cross(["n", "word"], crossing_dim=8)], output_mode="concat")
    data = dict(age=np.array([20, 30, 40, 50], "float32"), n=np.array([1, 2, 3, 1]), word=np.array(["a", "b", "a", "c"]), part=np.array([.1, .5, .7, .9], "float32"), hashed=np.array(["x", "y", "zz", "x"]), scaled=np.array([1, 2, 3, 4], "float32"))
    made.adapt(tf.data.Dataset.from_tensor_slices(data))
    model = keras.Model(made.get_inputs(), L.Dense(2)(made.get_encoded_features()), name="space3")
    model.save("space3.keras")
    given = {k: v[:, None] for k, v in data.items()}
    given["word"] = np.array([["b"], ["zz"], ["c"], ["a"]])
    y = model({k: tf.constant(v) for k, v in given.items()}).numpy()
    np.savez_compressed("space3.npz", **{"in_" + k: v.astype("S") if v.dtype.kind == "U" else v.astype("int32") if v.dtype.kind == "i" else v for k, v in given.items()}, out_dense=y)


if not legacy and (not only or "space3" in only): keras.utils.set_random_seed(1); space()
if not legacy:
    wide = floats(2, 3, 5)
    family("factors3", dict(a=floats(2, 4, 4), w=wide, t=floats(2, 2, 5, 4), x=floats(2, 4), n=ints(-2, 3, 2, 4)), lambda a, w, t, x, n: [
        o.svd(w, compute_uv=False), *o.qr(w), *o.qr(a, mode="complete"), o.eigh(a)[0], o.pinv(w), o.pinv(a, rcond=.3), o.matrix_rank(w), o.norm(w, 2, axis=(1, 2)), o.norm(t, -2, axis=(3, 1)), o.norm(t, "nuc", axis=(2, 3), keepdims=True),
        o.i0(x), o.nextafter(x, x + 1), L.Concatenate()([x, n]), L.Add()([n, x]), L.Multiply()([x, n]), L.Maximum()([n, x])])
    family("takes3", dict(x=floats(2, 5, 3), i=ints(-5, 5, 2, 4, 1), j=ints(0, 3, 2, 5, 1)), lambda x, i, j: [
        o.take_along_axis(x, i, axis=1), o.take_along_axis(x, j, axis=2), o.take_along_axis(x[:, :1], j, axis=-1), o.take_along_axis(x, np.array([[[4], [0]]], "int32"), axis=1), o.take_along_axis(x[:, :, 0], i[:, :, 0], axis=1)])
    holes = floats(2, 5, 3)
    holes[:, 1], holes[0, 3], holes[:, 2, 1], holes[1, 0, :2] = 0, 0, 0, 0
    family("holes3", dict(x=holes, m=np.array([[1, 0, 1], [0, 1, 1]], bool), t=floats(2, 4) * 1e-9, i=ints(0, 6, 2, 3, 4)), lambda x, m, t, i: [
        L.Masking()(x), L.LSTM(2)(L.Masking()(x)), L.GlobalAveragePooling1D()(L.Masking()(x)), L.GlobalAveragePooling1D(data_format="channels_first")(x, mask=m), L.UnitNormalization()(t),
        L.CategoryEncoding(6, output_mode="multi_hot")(i)])
