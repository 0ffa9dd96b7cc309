"""Activations, products, convolutions, pools, norms; what Grappler fuses."""
import ml_dtypes
import numpy as np

import ops
from ops import C, case, chain, old, refused

rng = np.random.default_rng(5)
tf = ops.tf
bf16 = ml_dtypes.bfloat16


def f(*shape, dtype=np.float32):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32).astype(dtype)  # few digits, so that the file is small


def w(*shape, dtype=np.float32):
    return C(f(*shape, dtype=dtype))


odd = np.array([[0.0, -0.0, 1, -1, 7, -7], [3, 0.5, -0.5, 90, -90, np.nan]], np.float32)
for op in ("Relu", "Relu6", "Elu", "Selu", "Softplus", "Softsign", "LeakyRelu"):
    for dtype in (np.float32, np.float64, np.float16, bf16):
        case(op, f(2, 5, dtype=dtype))
    case(op, odd)
case("Relu", np.array([-3, 4], np.int32))
case("Relu", np.array([3, 4], np.uint8))
case("LeakyRelu", f(2, 5), alpha=0.3)
for op in ("Softmax", "LogSoftmax"):
    for dtype in (np.float32, np.float64, np.float16, bf16):
        case(op, f(3, 7, dtype=dtype))
    case(op, f(2, 3, 4))
    case(op, odd[:, :5].copy())

# ---- products
for ta in (False, True):
    for tb in (False, True):
        case("MatMul", f(4, 3) if ta else f(3, 4), w(5, 4) if tb else w(4, 5), transpose_a=ta, transpose_b=tb)
        case("BatchMatMulV2", f(2, 4, 3) if ta else f(2, 3, 4), f(2, 5, 4) if tb else f(2, 4, 5), adj_x=ta, adj_y=tb)
case("MatMul", f(2, 3, dtype=np.float64), f(3, 2, dtype=np.float64))
case("MatMul", f(2, 3, dtype=np.float16), f(3, 2, dtype=np.float16))
case("MatMul", np.array([[1, 2], [3, 4]], np.int32), np.array([[5, 6], [7, -8]], np.int32))
case("MatMul", np.array([[1, 2], [3, 4]], np.int64), np.array([[5, 6], [7, -8]], np.int64))
case("MatMul", f(0, 3), f(3, 2))
case("BatchMatMul", f(2, 3, 4), f(2, 4, 5))
case("BatchMatMulV2", f(3, 1, 2, 4), f(2, 4, 5))
case("BatchMatMulV2", f(2, 4), f(4, 5))
case("BatchMatMulV3", f(2, 3, 4), f(2, 4, 5), Tout=tf.float32)
case("SparseMatMul", f(2, 3), f(3, 4), a_is_sparse=True)
case("SparseMatMul", f(3, 2), f(4, 3), transpose_a=True, transpose_b=True)
for equation, shapes in [("ij,jk->ik", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("...ij,jk->...ik", [(2, 3, 4), (4, 5)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ii->i", [(3, 3)]),
                         ("abcd,aecd->ebac", [(2, 3, 2, 4), (2, 5, 2, 4)]), ("i,j->ij", [(3,), (4,)]), ("aab->ba", [(3, 3, 2)]),
                         ("abc,cde->abde", [(2, 3, 4), (4, 2, 3)])]:
    case("Einsum", [f(*s) for s in shapes], equation=equation)
case("BiasAdd", f(2, 3), w(3))
case("BiasAdd", f(2, 3, 4, 5), w(5))
case("BiasAdd", f(2, 3, 4, 5), w(3), data_format="NCHW")
case("BiasAdd", f(2, 3, 4), w(4))
case("BiasAddV1", f(2, 3, 4), w(4))
case("L2Loss", f(2, 3))

# ---- convolutions
for padding in ("SAME", "VALID"):
    for stride in (1, 2, 3):
        case("Conv2D", f(2, 7, 8, 3), w(3, 2, 3, 4), strides=[1, stride, stride, 1], padding=padding)
        case("DepthwiseConv2dNative", f(2, 7, 8, 3), w(3, 2, 3, 2), strides=[1, stride, stride, 1], padding=padding)
    case("Conv2D", f(1, 9, 8, 3), w(3, 3, 3, 4), strides=[1, 1, 1, 1], padding=padding, dilations=[1, 2, 3, 1])
    x, k = f(1, 9, 8, 2), w(3, 3, 2, 1)
    y = tf.nn.depthwise_conv2d(x, k.value, [1, 1, 1, 1], padding, dilations=[2, 2])  # the node itself has no kernel
    case("DepthwiseConv2dNative", x, k, strides=[1, 1, 1, 1], padding=padding, dilations=[1, 2, 2, 1], want=[y.numpy()])
    case("Conv3D", f(1, 4, 5, 6, 2), w(2, 3, 2, 2, 3), strides=[1, 1, 2, 1, 1], padding=padding)
    case("Conv2D", f(1, 5, 6, 2, dtype=np.float64), w(3, 3, 2, 2, dtype=np.float64), strides=[1, 2, 1, 1], padding=padding)
    for stride in (1, 2, 3):
        out = [(n - 1) * stride + (1 if padding == "SAME" else 3) for n in (4, 3)]
        for more in range(stride):
            size = [n + more for n in out]
            case("Conv2DBackpropInput", C([2, *size, 3]), w(3, 3, 3, 4), f(2, 4, 3, 4), strides=[1, stride, stride, 1], padding=padding)
    case("Conv3DBackpropInputV2", C([1, 4, 6, 4, 2] if padding == "SAME" else [1, 5, 6, 5, 2]), w(3, 2, 3, 2, 3), f(1, 2, 3, 2, 3), strides=[1, 2, 2, 2, 1], padding=padding)
case("Conv2D", f(2, 7, 8, 4), w(3, 2, 2, 6), strides=[1, 1, 1, 1], padding="SAME")  # two groups
case("Conv2D", f(2, 7, 8, 3), w(3, 2, 3, 4), strides=[1, 2, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
case("DepthwiseConv2dNative", f(2, 7, 8, 3), w(3, 2, 3, 2), strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 2, 0, 1, 1, 0, 0])
case("Conv2D", f(1, 1, 1, 3), w(1, 1, 3, 2), strides=[1, 1, 1, 1], padding="VALID")
case("Conv2D", f(2, 5, 5, 3), f(3, 3, 3, 2), strides=[1, 1, 1, 1], padding="SAME")  # a computed filter
case("Conv", f(2, 7, 8, 3), w(3, 2, 3, 4), strides=[1, 2, 2, 1], padding="SAME")
short, square = f(3, 2, 4), f(3, 3, 2, 3)
chain("conv1d", lambda x: tf.nn.conv1d(x, tf.constant(short), 2, "SAME"), f(2, 9, 2))
chain("a dilated conv1d", lambda x: tf.nn.conv1d(x, tf.constant(short), 1, "VALID", dilations=2), f(2, 9, 2))
chain("a transposed conv of computed size", lambda x: tf.nn.conv2d_transpose(x, tf.constant(square), tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 2, 8, 2]), 2, "SAME"), f(2, 3, 4, 3))


def first(operator, x, *rest, strides, padding, **more):
    """In NCHW, for which the CPU has no kernels: computed in NHWC."""
    attrs = {k: v for k, v in more.items() if k != "ksize"}
    order = lambda v: [v[0], v[3], v[1], v[2]]  # noqa: E731
    sizes = {"ksize": more["ksize"]} if "ksize" in more else {}
    y = getattr(tf.raw_ops, operator)(**{("value" if operator == "AvgPool" else "input"): x, **({"filter": rest[0].value} if rest else {})}, strides=strides, padding=padding, **attrs, **sizes)
    ordered = {"ksize": order(more["ksize"])} if "ksize" in more else {}
    case(operator, x.transpose(0, 3, 1, 2).copy(), *rest, strides=order(strides), padding=padding, data_format="NCHW", **attrs, **ordered, want=[y.numpy().transpose(0, 3, 1, 2).copy()])


first("Conv2D", f(2, 7, 8, 3), w(3, 2, 3, 4), strides=[1, 2, 1, 1], padding="SAME")
first("DepthwiseConv2dNative", f(2, 7, 8, 3), w(3, 2, 3, 2), strides=[1, 2, 2, 1], padding="SAME")
first("MaxPool", f(2, 7, 8, 3), ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
first("AvgPool", f(2, 7, 8, 3), ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

# ---- pools
for padding in ("SAME", "VALID"):
    for op in ("MaxPool", "AvgPool"):
        case(op, f(2, 7, 8, 3), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=padding)
        case(op, f(2, 7, 8, 3), ksize=[1, 3, 2, 1], strides=[1, 1, 3, 1], padding=padding)
        case(op, f(1, 5, 5, 2, dtype=np.float64), ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding=padding)
        case(op + "3D", f(1, 4, 5, 6, 2), ksize=[1, 2, 3, 2, 1], strides=[1, 2, 2, 1, 1], padding=padding)
    case("MaxPoolV2", f(2, 7, 8, 3), C([1, 3, 2, 1]), C([1, 2, 2, 1]), padding=padding)
    for batch in (False, True):
        case("MaxPoolWithArgmax", f(2, 5, 6, 3), ksize=[1, 2, 3, 1], strides=[1, 2, 2, 1], padding=padding, include_batch_in_index=batch)
    case("Dilation2D", f(2, 6, 7, 3), w(2, 3, 3), strides=[1, 2, 1, 1], rates=[1, 1, 2, 1], padding=padding)
    case("ExtractImagePatches", f(2, 6, 7, 3), ksizes=[1, 2, 3, 1], strides=[1, 2, 2, 1], rates=[1, 1, 2, 1], padding=padding)
    case("ExtractVolumePatches", f(1, 3, 4, 5, 2), ksizes=[1, 2, 2, 2, 1], strides=[1, 1, 2, 2, 1], padding=padding)
case("MaxPool", f(2, 7, 8, 3), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 1, 0, 1, 0, 0])

# ---- norms
scale, offset, mean, variance = w(3), w(3), w(3), C(np.abs(f(3)) + 0.5)
for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
    case(op, f(2, 4, 5, 3), scale, offset, mean, variance, is_training=False, keep=3)
case("FusedBatchNormV3", f(2, 4, 5, 3), scale, offset, mean, variance, is_training=False, epsilon=0.001, keep=3)
case("FusedBatchNormV3", f(2, 4, 5, 3, dtype=np.float16), scale, offset, mean, variance, is_training=False, epsilon=0.001, keep=3)
case("FusedBatchNormV3", f(2, 4, 5, 3), scale, offset, C([], np.float32), C([], np.float32), keep=3)
case("FusedBatchNormV3", f(2, 4, 5, 3), scale, offset, mean, variance, exponential_avg_factor=0.25, keep=3)
for scaled in (True, False):
    x = f(2, 3, 4, 3)
    y = tf.nn.batch_normalization(x, mean.value, variance.value, offset.value, scale.value if scaled else None, 0.01)
    old("BatchNormWithGlobalNormalization", x, mean, variance, offset, scale, want=[y.numpy()], variance_epsilon=0.01, scale_after_normalization=scaled)
t = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], np.float32)
old("TopK", t, want=[v.numpy() for v in tf.math.top_k(t, 3)], k=3)
case("LRN", f(2, 3, 4, 7))
case("LRN", f(2, 3, 4, 9), depth_radius=2, bias=2.0, alpha=0.5, beta=0.75)

# ---- what Grappler fuses
T = tf.float32
for fused, more in [(["BiasAdd"], 1), (["BiasAdd", "Relu"], 1), (["BiasAdd", "Relu6"], 1), (["BiasAdd", "Elu"], 1), (["BiasAdd", "LeakyRelu"], 1)]:
    args = [w(5) for _ in range(more)]
    case("_FusedMatMul", f(2, 3), w(3, 5), args, T=T, num_args=more, fused_ops=fused)
    args = [w(4) for _ in range(more)]
    case("_FusedConv2D", f(2, 5, 6, 3), w(3, 3, 3, 4), args, T=T, num_args=more, num_host_args=0, TArgs=[T] * more, strides=[1, 2, 2, 1], padding="SAME", fused_ops=fused)
case("_FusedMatMul", f(2, 3), w(3, 5), [w(5)], T=T, num_args=1, fused_ops=["BiasAdd", "Tanh"])
case("_FusedMatMul", f(2, 3), w(3, 5), [w(5)], T=T, num_args=1, fused_ops=["BiasAdd", "Sigmoid"])
case("_FusedConv2D", f(2, 5, 6, 3), w(3, 3, 3, 4), [w(4), w(4), w(4), C(np.abs(f(4)) + 0.5)], T=T, num_args=4, num_host_args=0, TArgs=[T] * 4, strides=[1, 1, 1, 1], padding="SAME", fused_ops=["FusedBatchNorm", "Relu"],
     epsilon=0.001)
x, k, bias = f(2, 7, 8, 3), w(3, 2, 3, 2), w(6)
y = tf.nn.relu(tf.nn.bias_add(tf.nn.depthwise_conv2d(x, k.value, [1, 2, 2, 1], "SAME"), bias.value))
case("_FusedDepthwiseConv2dNative", x, k, [bias], T=T, num_args=1, strides=[1, 2, 2, 1], padding="SAME", fused_ops=["BiasAdd", "Relu"], want=[y.numpy()])
x, side, four = f(2, 4, 5, 4), f(2, 4, 5, 4), [w(4), w(4), w(4), C(np.abs(f(4)) + 0.5)]
y = tf.nn.relu(tf.nn.batch_normalization(x, four[2].value, four[3].value, four[1].value, four[0].value, 0.01) + side)
case("_FusedBatchNormEx", x, *four, [side], T=T, U=T, epsilon=0.01, is_training=False, num_side_inputs=1, activation_mode="Relu", want=[y.numpy()])
refused("RandomStandardNormal", C([2, 3]), dtype=tf.float32)
refused("StatelessRandomUniformV2", C([2]), C([1], np.uint64), C([1, 2], np.uint64), C(1), dtype=tf.float32)
refused("ReluGrad", f(2), f(2))
refused("DecodeJpeg", C("abcd", object))
peep = [f(5), f(5), f(5)]
for forget, clip, peephole in ((1.0, 3.0, False), (0.5, -1.0, True), (0.0, 0.3, True)):
    case("LSTMBlockCell", f(3, 4), f(3, 5), f(3, 5), f(9, 20), *peep, f(20), forget_bias=forget, cell_clip=clip, use_peephole=peephole)
case("LSTMBlockCell", f(3, 4), f(3, 5) * 5, f(3, 5), f(9, 20), *peep, f(20))
case("GRUBlockCell", f(3, 4), f(3, 5), f(9, 10), f(9, 5), f(10), f(5))
for rows in (4, 1):
    case("SoftmaxCrossEntropyWithLogits", f(4, 5) * 3, np.abs(f(rows, 5)))
    case("SparseSoftmaxCrossEntropyWithLogits", f(rows, 5) * 3, np.array([4, 0, 2, 2], np.int32)[:rows])
case("SparseSoftmaxCrossEntropyWithLogits", f(3, 2), np.array([1, 0, 1], np.int64))


def kept(rate):
    return tf.compat.v1.placeholder_with_default(tf.constant(1 - rate), [])


uniform = lambda x: tf.raw_ops.RandomUniform(shape=tf.shape(x), dtype=tf.float32)  # noqa: E731
chain("dropout that keeps everything", lambda x: tf.compat.v1.nn.dropout(x, keep_prob=kept(0.0)), f(3, 4))
chain("dropout that keeps everything, as it was", lambda x: tf.floor(kept(0.0) + (uniform(x) * (1.0 - kept(1.0)) + 0.0)) * x / kept(0.0), f(3, 4))
chain("dropout that keeps nothing", lambda x: tf.cast((uniform(x) * 0.5 - 0.25) >= kept(0.75), tf.float32) * x, f(3, 4))
refused("RandomUniform", C([2]), dtype=tf.float32)
