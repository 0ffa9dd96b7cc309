"""Records what TensorFlow makes of the operators of loaders/channels_last, for tests/loaders/channels_last.cpp.

    python make.py            (TensorFlow 2.21; writes cases.json and arrays.npz beside this file)

A case is the name of a function of channels_last.h, its arguments as that function calls them, and names of arrays: x, its other tensors, y.
"""
import itertools
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(12)
cases, arrays = [], {}


def keep(a):
    a = np.asarray(a)
    for name, known in arrays.items():
        if known.dtype == a.dtype and known.shape == a.shape and known.tobytes() == a.tobytes():
            return name
    arrays[f"a{len(arrays)}"] = a
    return f"a{len(arrays) - 1}"


made = {}


def data(*shape):
    if shape not in made:  # the same array for the same shape keeps the file small
        made[shape] = rng.normal(size=shape).astype(np.float32)
    return made[shape]


def case(op, y, **arguments):
    out = {"op": op}
    for name, value in {**arguments, "y": y}.items():
        out[name] = keep(value) if isinstance(value, (np.ndarray, tf.Tensor)) else value
    cases.append(out)


def first(x):
    return np.moveaxis(np.asarray(x), -1, 1)


SPATIAL = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}


def convs():
    for spatial, kernel, padding in itertools.product((1, 2, 3), (1, 2, 3), ("SAME", "VALID")):
        for strides, dilations in ((1, 1), (2, 1), (1, 2)):
            if padding == "VALID" and (kernel - 1) * dilations + 1 > min(SPATIAL[spatial]):
                continue
            x, w = data(1, *SPATIAL[spatial], 4), data(*[kernel] * spatial, 4, 3)
            y = tf.nn.convolution(x, w, strides=strides, padding=padding, dilations=dilations)
            case("conv", y, x=x, w=w, strides=[strides] * spatial, dilations=[dilations] * spatial, padding=padding.lower())
    x, w = data(2, 7, 9, 4), data(3, 2, 4, 3)
    case("conv", tf.nn.conv2d(x, w, (3, 2), "SAME"), x=x, w=w, strides=[3, 2], dilations=[1, 1], padding="same")
    y = tf.nn.conv2d(x, w, (2, 1), [[0, 0], [1, 2], [0, 3], [0, 0]])
    case("conv", y, x=x, w=w, strides=[2, 1], dilations=[1, 1], padding="given", pads=[1, 0, 2, 3])
    case("conv", first(tf.nn.conv2d(x, w, (3, 2), "SAME")), x=first(x), w=w, strides=[3, 2], dilations=[1, 1], padding="same", first=True)
    x, w = data(2, 6, 5, 4), data(3, 3, 2, 6)  # two groups
    case("conv", tf.nn.conv2d(x, w, 1, "SAME"), x=x, w=w, strides=[1, 1], dilations=[1, 1], padding="same")
    x, w = data(2, 7, 4), data(3, 4, 3)
    y = tf.nn.conv1d(tf.pad(x, [[0, 0], [4, 0], [0, 0]]), w, 1, "VALID", dilations=2)
    case("conv", y, x=x, w=w, strides=[1], dilations=[2], padding="causal")


def depthwise():
    for padding, strides, dilations, times in (("SAME", 1, 1, 1), ("VALID", 1, 1, 2), ("SAME", 2, 1, 3), ("SAME", 1, 2, 2)):
        x, w = data(2, 6, 5, 4), data(3, 2, 4, times)
        y = tf.nn.depthwise_conv2d(x, w, (1, strides, strides, 1), padding, dilations=(dilations, dilations))
        case("depthwise_conv", y, x=x, w=w, strides=[strides] * 2, dilations=[dilations] * 2, padding=padding.lower())


def transposed():
    for spatial, kernel, strides, padding in itertools.product((1, 2, 3), (1, 2, 3, 4), (1, 2, 3), ("SAME", "VALID")):
        if spatial != 2 and kernel + strides not in (4, 5):
            continue
        x, w = data(2 if spatial == 1 else 1, *(3,) * (spatial - 1), 4, 3), data(*[kernel] * spatial, 2, 3)
        out = [n * strides + (0 if padding == "SAME" else max(kernel - strides, 0)) for n in x.shape[1:-1]]
        y = tf.nn.conv_transpose(x, w, [len(x), *out, 2], strides, padding)
        case("conv_transpose", y, x=x, w=w, strides=[strides] * spatial, dilations=[1] * spatial, padding=padding.lower())
    x, w = data(2, 3, 4, 3), data(3, 4, 2, 3)
    for strides, out in ((2, (5, 7)), (2, (5, 8)), (3, (8, 10))):
        y = tf.nn.conv2d_transpose(x, w, [2, *out, 2], strides, "SAME")
        more = [out[0] - 3 * strides, out[1] - 4 * strides]
        case("conv_transpose", y, x=x, w=w, strides=[strides] * 2, dilations=[1, 1], padding="same", more=more)


def pools():
    for (op, function), spatial, padding in itertools.product((("max", tf.nn.max_pool), ("average", tf.nn.avg_pool)), (1, 2, 3), ("SAME", "VALID")):
        for kernel, strides in ((2, 2), (3, 1), (3, 2)):
            x = data(1, *SPATIAL[spatial], 4)
            y = function(x, kernel, strides, padding)
            case("pool", y, x=x, kind=op, kernel=[kernel] * spatial, strides=[strides] * spatial, padding=padding.lower())
    x = data(2, 6, 5, 4)
    case("pool", first(tf.nn.avg_pool(x, (3, 2), (2, 1), "SAME")), x=first(x), kind="average", kernel=[3, 2], strides=[2, 1], padding="same", first=True)
    for kind, keep_dims in itertools.product(("max", "average"), (False, True)):
        reduce = tf.reduce_max if kind == "max" else tf.reduce_mean
        case("global_pool", reduce(x, [1, 2], keepdims=keep_dims), x=x, kind=kind, keep_dims=keep_dims)
        case("global_pool", reduce(first(x), [2, 3], keepdims=keep_dims), x=first(x), kind=kind, keep_dims=keep_dims, first=True)


def norms():
    for shape, axis in (((3, 4), 1), ((2, 7, 4), 2), ((2, 6, 5, 4), 3), ((2, 6, 5, 4), 1), ((2, 6, 5, 4), 2), ((2, 4, 5, 3, 4), 4)):
        x, n = data(*shape), shape[axis]
        vectors = [data(n), data(n) + 1, data(n, 1)[:, 0], np.abs(data(1, n)[0])]
        wide = [1] * len(shape)
        wide[axis] = n
        gamma, beta, mean, variance = [v.reshape(wide) for v in vectors]
        y = tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)
        case("batch_norm", y, x=x, axis=axis, epsilon=1e-3, mean=vectors[2], variance=vectors[3], gamma=vectors[0], beta=vectors[1])
        y = tf.nn.batch_normalization(x, mean, variance, None, None, 1e-2)
        case("batch_norm", y, x=x, axis=axis, epsilon=1e-2, mean=vectors[2], variance=vectors[3])
    x, bias = data(2, 6, 5, 4), data(4)
    case("bias_add", tf.nn.bias_add(x, bias), x=x, bias=bias)
    case("bias_add", tf.nn.bias_add(first(x), bias, "NCHW"), x=first(x), bias=bias, first=True)


def resizes():
    raw = tf.raw_ops
    x = data(1, 5, 6, 1)
    sizes = ((10, 12), (3, 4), (7, 9), (5, 6), (1, 1), (13, 11))
    for size in sizes:
        for grid in ("half_pixel", "align_corners", "legacy"):
            flags = {"align_corners": grid == "align_corners", "half_pixel_centers": grid == "half_pixel"}
            for filter, op in (("nearest", raw.ResizeNearestNeighbor), ("bilinear", raw.ResizeBilinear), ("bicubic", raw.ResizeBicubic)):
                case("resize", op(images=x, size=size, **flags), x=x, sizes=size, filter=filter, grid=grid, antialias=False)
        case("resize", raw.ResizeArea(images=x, size=size), x=x, sizes=size, filter="area", grid="legacy", antialias=False)
        for filter in ("bilinear", "bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"):
            for antialias in (False, True):
                if not antialias and filter in ("bilinear", "bicubic"):
                    continue
                y = tf.image.resize(x, size, filter, antialias=antialias)
                case("resize", y, x=x, sizes=size, filter=filter, grid="half_pixel", antialias=antialias)
    y = tf.image.resize(x, (7, 9))
    case("resize", first(y), x=first(x), sizes=(7, 9), filter="bilinear", grid="half_pixel", antialias=False, first=True)
    x = rng.integers(0, 256, size=(1, 4, 5, 3)).astype(np.uint8)
    for filter in ("nearest", "bilinear"):
        case("resize", tf.image.resize(x, (7, 3), filter), x=x, sizes=(7, 3), filter=filter, grid="half_pixel", antialias=False)
    for x, factors in ((data(2, 7, 4), (3,)), (data(2, 6, 5, 4), (2, 3)), (data(2, 4, 5, 3, 4), (2, 1, 3))):
        y = x
        for i, f in enumerate(factors):
            y = np.repeat(y, f, i + 1)
        case("repeat", y, x=x, factors=factors)
    case("repeat", first(np.repeat(data(2, 7, 4), 2, 1)), x=first(data(2, 7, 4)), factors=(2,), first=True)


def spaces():
    for x, margins in ((data(2, 7, 4), ((1, 2),)), (data(2, 6, 5, 4), ((0, 1), (2, 0))), (data(2, 4, 5, 3, 4), ((1, 0), (0, 2), (1, 1)))):
        case("zero_pad", np.pad(x, ((0, 0), *margins, (0, 0))), x=x, margins=margins)
        cut = [slice(None)] + [slice(a, n - b) for n, (a, b) in zip(x.shape[1:], margins)]
        case("crop", x[tuple(cut)], x=x, margins=margins)
        case("crop", first(x[tuple(cut)]), x=first(x), margins=margins, first=True)
    x = data(2, 4, 6, 8)
    case("space_to_depth", tf.nn.space_to_depth(x, 2), x=x, block=2)
    case("depth_to_space", tf.nn.depth_to_space(x, 2), x=x, block=2)
    case("depth_to_space", first(tf.nn.depth_to_space(x, 2)), x=first(x), block=2, first=True)


for family in (convs, depthwise, transposed, pools, norms, resizes, spaces):
    family()
folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "cases.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
np.savez_compressed(os.path.join(folder, "arrays.npz"), **arrays)
print(len(cases), "cases,", len(arrays), "arrays")
