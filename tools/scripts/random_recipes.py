"""The nodes random_graphs.py may grow: each recipe looks at the values so far and proposes one or a few nodes.

A recipe returns nothing; it calls graph.add, which refuses what does not run. `RECIPES` at the end weighs them.
"""
import numpy as np
from onnx import TensorProto, helper

CASTS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64,
         "int32": TensorProto.INT32, "bool": TensorProto.BOOL}
is_float = lambda v: v.dtype.kind == "f"
is_f32 = lambda v: v.dtype == np.float32
of_rank = lambda *ranks: lambda v: is_f32(v) and v.ndim in ranks


def add_inputs(g):
    """One f32 input of rank 2 to 4, often with a symbolic batch, and up to two more of any kind."""
    rng = g.rng
    batch = int(rng.integers(1, 5))
    shape = (batch, *rng.integers(1, 9, rng.integers(1, 4)).tolist())
    symbols = ["batch", *shape[1:]] if rng.random() < 0.6 else None
    if symbols and len(shape) == 3 and rng.random() < 0.5:
        symbols[1] = "length"
    g.add_input(rng.standard_normal(shape).astype(np.float32), symbols)
    for _ in range(rng.integers(0, 3)):
        dtype = rng.choice(["float32", "float32", "float32", "int64", "float64", "float16", "bool"])
        other = shape if rng.random() < 0.5 else tuple(rng.integers(1, 7, rng.integers(1, 4)).tolist())
        same = list(symbols) if symbols and other == shape else None
        array = rng.integers(-5, 6, other) if dtype == "int64" else rng.random(other) < 0.5 if dtype == "bool" else rng.standard_normal(other)
        g.add_input(np.asarray(array).astype(dtype), same)


def grow(g):
    names, weights = zip(*RECIPES)
    names[g.rng.choice(len(names), p=np.array(weights) / sum(weights))](g)


def unary(g):
    x = g.pick(is_float)
    if x is None:
        return
    plain = ["Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Abs", "Neg", "Sin", "Cos", "Atan", "Softplus", "Softsign", "HardSwish", "Sinh",
             "Asinh", "Floor", "Ceil", "Round", "Sign", "Reciprocal", "Identity", "Mish" if g.opset >= 18 else "Tanh"]
    op = g.rng.choice(plain + ["LeakyRelu", "Elu", "Selu", "HardSigmoid", "Celu", "ThresholdedRelu", "Clip", "safe"])
    if op == "LeakyRelu" or op == "Elu" or op == "Celu":
        g.add(str(op), [x], alpha=float(np.round(g.rng.uniform(0.05, 1.2), 2)))
    elif op == "ThresholdedRelu":
        g.add("ThresholdedRelu", [x], alpha=0.3)
    elif op == "Clip":
        dtype = g.values[x].dtype
        low, high = g.constant(np.array(-0.8, dtype)), g.constant(np.array(1.1, dtype))
        g.add("Clip", [[x, low, high], [x, low], [x, "", high]][g.rng.integers(3)])
    elif op == "safe":  # square roots and logarithms want positive numbers
        positive = g.add("Abs", [x])
        one = g.constant(np.array(0.5, g.values[x].dtype))
        shifted = positive and g.add("Add", [positive[0], one])
        if shifted:
            g.add(str(g.rng.choice(["Sqrt", "Log", "Reciprocal"])), shifted)
    else:
        g.add(str(op), [x])


def partner(g, x):
    """A value or constant that broadcasts with x in one direction or both."""
    v, rng = g.values[x], g.rng
    other = g.pick(lambda w: w.dtype == v.dtype and broadcasts(w.shape, v.shape)) if rng.random() < 0.6 else None
    if other is not None:
        return other
    shape = [d if rng.random() < 0.6 else 1 for d in v.shape][int(rng.integers(0, v.ndim + 1)):]
    if rng.random() < 0.15:
        shape = [2] * (rng.random() < 0.5 and v.ndim < 4) + [1] * max(0, v.ndim - len(shape)) + shape
    if v.dtype.kind == "f":
        return g.weight(*shape, scale=1.0, dtype=v.dtype)
    if v.dtype.kind == "b":
        return g.constant(rng.random(shape) < 0.5)
    return g.constant(rng.integers(1, 5, shape).astype(v.dtype))


def broadcasts(a, b):
    return all(x == y or 1 in (x, y) for x, y in zip(a[::-1], b[::-1]))


def binary(g):
    x = g.pick(lambda v: v.dtype.kind in "fi")
    if x is None:
        return
    ops = ["Add", "Add", "Sub", "Mul", "Mul", "Max", "Min", "Sum", "Mean", "PRelu", "Div", "Pow", "Mod"]
    op, y = str(g.rng.choice(ops)), partner(g, x)
    if op in ("Sum", "Mean", "Max", "Min"):
        g.add(op, [x, y] + ([x] if g.rng.random() < 0.3 else []))
    elif op == "PRelu":
        g.add("PRelu", [x, g.weight(*g.values[x].shape[-1:], scale=0.3, dtype=g.values[x].dtype)])
    elif op == "Div":
        dtype = g.values[x].dtype
        g.add("Div", [x, g.constant((g.rng.integers(2, 7, g.values[x].shape[-1:])).astype(dtype))])
    elif op == "Pow":
        g.add("Pow", [x, g.constant(np.array(g.rng.choice([2, 3]), g.values[x].dtype))])
    elif op == "Mod":
        integer = g.values[x].dtype.kind == "i"
        g.add("Mod", [x, g.constant(np.array(3, g.values[x].dtype))], **({} if integer else {"fmod": 1}))
    else:
        pair = [x, y] if g.rng.random() < 0.5 else [y, x]
        g.add(op, pair)


def compare_and_choose(g):
    x = g.pick(lambda v: v.dtype.kind in "fi")
    if x is None:
        return
    y = partner(g, x)
    mask = g.add(str(g.rng.choice(["Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Equal"])), [x, y])
    if mask and g.rng.random() < 0.3:
        mask = g.add("Not", mask)
    other = g.pick(lambda v: v.dtype == bool and broadcasts(v.shape, g.values[mask[0]].shape)) if mask else None
    if other is not None and other != mask[0]:
        mask = g.add(str(g.rng.choice(["And", "Or", "Xor"])), [mask[0], other]) or mask
    if mask:
        g.add("Where", [mask[0], x, y] if g.rng.random() < 0.5 else [mask[0], y, x])


def cast(g):
    x = g.pick()
    if g.values[x].dtype == np.float16 or g.values[x].dtype == np.float64 or g.values[x].dtype == bool:
        to = "float32"
    else:
        to = str(g.rng.choice(["float32", "float32", "float64", "int64", "int32", "float16", "bool"]))
    g.add("Cast", [x], to=CASTS[to])


def matmul(g):
    x = g.pick(lambda v: v.dtype in (np.float32, np.float64) and v.ndim >= 2)
    if x is None:
        return
    v, n = g.values[x], int(g.rng.integers(1, 20))
    kind = g.rng.integers(4)
    if kind == 0 and v.ndim == 2 and is_f32(v):
        trans = int(g.rng.integers(2))
        w = g.weight(n, v.shape[1]) if trans else g.weight(v.shape[1], n, scale=v.shape[1] ** -0.5)
        bias = [g.weight(*[(n,), (1, n), (1,), ()][g.rng.integers(4)], scale=0.5)] if g.rng.random() < 0.8 else []
        out = g.add("Gemm", [x, w] + bias, transB=trans, **({"alpha": 0.5, "beta": 1.5} if g.rng.random() < 0.3 else {}))
        if out and g.rng.random() < 0.5:
            g.add(str(g.rng.choice(["Relu", "Sigmoid", "Tanh"])), out)
    elif kind == 1 and v.ndim <= 4:  # x times its own transpose
        order = list(range(v.ndim))
        order[-2:] = order[:-3:-1]
        t = g.add("Transpose", [x], perm=order)
        if t:
            g.add("MatMul", [x, t[0]])
    else:
        out = g.add("MatMul", [x, g.weight(v.shape[-1], n, scale=v.shape[-1] ** -0.5, dtype=v.dtype)])
        if out and g.rng.random() < 0.6:
            g.add("Add", [out[0], g.weight(n, scale=0.5, dtype=v.dtype)])


def conv(g):
    x = g.pick(of_rank(3, 4, 5))
    if x is None:
        return
    v, rng = g.values[x], g.rng
    channels, spatial = v.shape[1], v.ndim - 2
    groups = channels if rng.random() < 0.3 else 1
    out_channels = groups * int(rng.integers(1, 4 if groups > 1 else 10))
    kernel = [int(rng.integers(1, min(4, d) + 1)) for d in v.shape[2:]]
    attributes = {"strides": rng.integers(1, 3, spatial).tolist(), "dilations": rng.integers(1, 3, spatial).tolist(), "group": int(groups)}
    if rng.random() < 0.3:
        attributes["auto_pad"] = str(rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
        attributes["dilations"] = [1] * spatial
    else:
        attributes["pads"] = rng.integers(0, 3, 2 * spatial).tolist()
    if rng.random() < 0.15:
        attributes.pop("auto_pad", None)
        g.add("ConvTranspose", [x, g.weight(channels, out_channels // groups, *kernel)], **attributes)
        return
    w = g.weight(out_channels, channels // groups, *kernel)
    bias = [g.weight(out_channels, scale=0.5)] if rng.random() < 0.7 else []
    out = g.add("Conv", [x, w] + bias, kernel_shape=kernel, **attributes)
    if out and rng.random() < 0.4:
        out = batch_norm(g, out[0]) or out
    if out and rng.random() < 0.5:
        g.add(str(rng.choice(["Relu", "Sigmoid", "LeakyRelu", "HardSwish"])), out)


def batch_norm(g, x):
    c = g.values[x].shape[1]
    var = g.constant(g.rng.uniform(0.5, 2, c).astype(np.float32), "var")
    return g.add("BatchNormalization", [x, g.weight(c, scale=1.0), g.weight(c, scale=1.0), g.weight(c, scale=0.5), var])


def pool(g):
    x = g.pick(of_rank(3, 4, 5))
    if x is None:
        return
    v, rng = g.values[x], g.rng
    if rng.random() < 0.25:
        g.add(str(rng.choice(["GlobalAveragePool", "GlobalMaxPool"])), [x])
        return
    spatial = v.ndim - 2
    kernel = [int(rng.integers(1, min(3, d) + 1)) for d in v.shape[2:]]
    attributes = {"kernel_shape": kernel, "strides": rng.integers(1, 3, spatial).tolist()}
    if rng.random() < 0.6:
        attributes["pads"] = [int(rng.integers(0, k)) for k in kernel] * 2
    op = str(rng.choice(["MaxPool", "AveragePool", "LpPool"]))
    if op == "AveragePool":
        attributes["count_include_pad"] = int(rng.integers(2))
    if op != "LpPool" and rng.random() < 0.3:
        attributes["ceil_mode"] = 1 if "pads" not in attributes else 0
    g.add(op, [x], **attributes)


def reduce(g):
    x = g.pick(lambda v: v.dtype.kind in "fi" and v.ndim >= 1)
    if x is None:
        return
    rng, rank = g.rng, g.values[x].ndim
    op = str(rng.choice(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd"]))
    axes = sorted(rng.choice(rank, rng.integers(1, rank + 1), replace=False).tolist())
    axes = [int(a) - rank if rng.random() < 0.4 else int(a) for a in axes]
    keep = int(rng.integers(2))
    if rng.random() < 0.1:
        g.add(op, [x], keepdims=keep)
    elif op == "ReduceSum" or g.opset >= 18:
        g.add(op, [x, g.constant(np.array(axes, np.int64))], keepdims=keep)
    else:
        g.add(op, [x], axes=axes, keepdims=keep)


def arg_and_order(g):
    x = g.pick(lambda v: is_f32(v) and v.ndim >= 1)
    if x is None:
        return
    rng, v = g.rng, g.values[x]
    axis = int(rng.integers(-v.ndim, v.ndim))
    kind = rng.integers(3)
    if kind == 0:
        g.add(str(rng.choice(["ArgMax", "ArgMin"])), [x], axis=axis, keepdims=int(rng.integers(2)), select_last_index=int(rng.integers(2)))
    elif kind == 1:
        k = g.constant(np.array([rng.integers(1, v.shape[axis] + 1)], np.int64))
        g.add("TopK", [x, k], outputs=2, axis=axis, largest=int(rng.integers(2)))
    else:
        g.add("CumSum", [x, g.constant(np.array(axis, np.int64))], exclusive=int(rng.integers(2)), reverse=int(rng.integers(2)))


def softmax_or_norm(g):
    x = g.pick(lambda v: is_f32(v) and v.ndim >= 2)
    if x is None:
        return
    rng, v = g.rng, g.values[x]
    op = str(rng.choice(["Softmax", "Softmax", "LogSoftmax", "LayerNormalization", "LayerNormalization", "spelt", "InstanceNormalization",
                         "BatchNormalization", "LRN", "LpNormalization"]))
    if op in ("Softmax", "LogSoftmax"):
        g.add(op, [x], axis=int(rng.integers(-v.ndim, v.ndim)))
    elif op == "LayerNormalization" and g.opset >= 17 and v.shape[-1] > 2:
        g.add(op, [x, g.weight(v.shape[-1], scale=1.0), g.weight(v.shape[-1], scale=1.0)], axis=-1)
    elif op == "InstanceNormalization" and v.ndim >= 3 and np.prod(v.shape[2:]) > 4:
        g.add(op, [x, g.weight(v.shape[1], scale=1.0), g.weight(v.shape[1], scale=1.0)], epsilon=1e-3)
    elif op == "BatchNormalization":
        batch_norm(g, x)
    elif op == "LRN" and v.ndim == 4:
        g.add("LRN", [x], size=3, alpha=0.01, beta=0.75, bias=1.0)
    elif op == "LpNormalization" and v.shape[-1] > 2:
        g.add("LpNormalization", [x], axis=-1, p=2)
    elif op == "spelt" and v.shape[-1] > 2 and g.opset < 18:  # LayerNorm as exporters before opset 17 spell it
        mean = g.add("ReduceMean", [x], axes=[-1])
        centred = mean and g.add("Sub", [x, mean[0]])
        square = centred and g.add("Pow", [centred[0], g.constant(np.array(2, np.float32))])
        variance = square and g.add("ReduceMean", square, axes=[-1])
        moved = variance and g.add("Add", [variance[0], g.constant(np.array(1e-3, np.float32))])
        root = moved and g.add("Sqrt", moved)
        scaled = root and g.add("Div", [centred[0], root[0]])
        if scaled:
            g.add("Mul", [scaled[0], g.weight(v.shape[-1], scale=1.0)])


def movement(g):
    rng = g.rng
    x = g.pick(lambda v: v.ndim >= 1)
    if x is None:
        return
    v = g.values[x]
    i64 = lambda *values: g.constant(np.array(values, np.int64))
    axis = int(rng.integers(-v.ndim, v.ndim))
    op = str(rng.choice(["Transpose", "Transpose", "Reshape", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat", "Concat", "Split", "Slice",
                         "Slice", "Gather", "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Expand", "Tile", "Pad",
                         "Trilu", "Resize", "DepthToSpace", "SpaceToDepth", "OneHot"]))
    if op == "Transpose":
        g.add(op, [x], perm=rng.permutation(v.ndim).tolist())
    elif op == "Reshape":
        target = [(0, -1), (-1,), (-1, v.shape[-1]), (0, 1, -1), (v.shape[0], -1, 1), (1, 0, -1)][rng.integers(6)]
        g.add(op, [x, i64(*target)])
    elif op == "Flatten":
        g.add(op, [x], axis=axis)
    elif op == "Squeeze":
        ones = [i for i, d in enumerate(v.shape) if d == 1]
        g.add(op, [x, i64(*ones)] if ones else [x])
    elif op == "Unsqueeze":
        g.add(op, [x, i64(int(rng.integers(-v.ndim - 1, v.ndim + 1)))])
    elif op == "Concat":
        fits = lambda w: w.dtype == v.dtype and w.ndim == v.ndim and all(a == b for i, (a, b) in enumerate(zip(w.shape, v.shape)) if i != axis % v.ndim)
        g.add(op, [x] + [g.pick(fits) for _ in range(rng.integers(1, 3))], axis=axis)
    elif op == "Split" and v.shape[axis] >= 2:
        cut = int(rng.integers(1, v.shape[axis]))
        g.add(op, [x, i64(cut, v.shape[axis] - cut)], outputs=2, axis=axis)
    elif op == "Slice":
        start, stop, step = [(0, 2**62, 2), (-1, -2**62, -1), (1, 2**31, 1), (0, -1, 1), (-3, 100, 1)][rng.integers(5)]
        g.add(op, [x, i64(start), i64(stop), i64(axis), i64(step)])
    elif op == "Gather":
        d = v.shape[axis]
        shape = [(), (1,), (3,), (2, 2)][rng.integers(4)]
        g.add(op, [x, g.constant(rng.integers(-d, d, shape).astype(np.int64))], axis=axis)
    elif op in ("GatherElements", "ScatterElements"):
        shape = [int(rng.integers(1, d + 1)) for d in v.shape]
        index = rng.permuted(np.broadcast_to(np.arange(v.shape[axis]).reshape([-1 if i == axis % v.ndim else 1 for i in range(v.ndim)]), v.shape), axis=axis)
        indices = g.constant(index[tuple(slice(0, s) for s in shape)].astype(np.int64))  # no index twice
        if op == "GatherElements":
            g.add(op, [x, indices], axis=axis)
        elif v.dtype == np.float32:
            g.add(op, [x, indices, g.weight(*shape, scale=1.0)], axis=axis)
    elif op == "GatherND" or op == "ScatterND":
        rows = rng.permutation(v.shape[0])[:2]
        indices = g.constant(rows.astype(np.int64)[:, None])
        if op == "GatherND":
            g.add(op, [x, indices])
        elif v.dtype == np.float32:
            g.add(op, [x, indices, g.weight(len(rows), *v.shape[1:], scale=1.0)])
    elif op == "Expand":
        g.add(op, [x, i64(*[int(rng.integers(2, 4)) if d == 1 else d for d in v.shape])])
    elif op == "Tile":
        g.add(op, [x, i64(*rng.integers(1, 3, v.ndim).tolist())])
    elif op == "Pad" and v.dtype.kind == "f":
        mode = str(rng.choice(["constant", "constant", "edge", "reflect"]))
        limit = [min(2, d - 1) if mode == "reflect" else 2 for d in v.shape]
        pads = [int(rng.integers(0, p + 1)) for p in limit * 2]
        g.add(op, [x, i64(*pads)] + ([g.constant(np.array(0.5, v.dtype))] if mode == "constant" and rng.random() < 0.5 else []), mode=mode)
    elif op == "Trilu" and g.opset >= 14 and v.ndim >= 2:
        g.add(op, [x, g.constant(np.array(rng.integers(-1, 2), np.int64))], upper=int(rng.integers(2)))
    elif op == "Resize" and v.ndim == 4 and v.dtype == np.float32:
        scales = g.constant(np.array([1, 1, 2, 2], np.float32))
        mode, coordinates = [("nearest", "asymmetric"), ("linear", "half_pixel"), ("linear", "align_corners")][rng.integers(3)]
        extra = {"nearest_mode": "floor"} if mode == "nearest" else {}
        g.add(op, [x, "", scales], mode=mode, coordinate_transformation_mode=coordinates, **extra)
    elif op == "DepthToSpace" and v.ndim == 4 and v.shape[1] % 4 == 0:
        g.add(op, [x], blocksize=2, mode=str(rng.choice(["DCR", "CRD"])))
    elif op == "SpaceToDepth" and v.ndim == 4:
        g.add(op, [x], blocksize=2)
    elif op == "OneHot" and v.dtype == np.int64:
        g.add(op, [x, i64(5), g.constant(np.array([0, 1], np.float32))], axis=axis)


def shape_chain(g):
    """Shape -> Gather -> Unsqueeze -> Concat -> Reshape, as exporters write x.view(x.size(0), -1)."""
    x = g.pick(lambda v: is_f32(v) and v.ndim >= 2)
    if x is None:
        return
    v = g.values[x]
    shape = g.add("Shape", [x])
    axis = int(g.rng.integers(v.ndim))
    size = shape and g.add("Gather", [shape[0], g.constant(np.array(axis, np.int64))], axis=0)
    lifted = size and g.add("Unsqueeze", [size[0], g.constant(np.array([0], np.int64))])
    if not lifted:
        return
    if g.rng.random() < 0.3:  # or a range as long as the axis, turned into numbers
        zero, one = g.constant(np.array(0, np.int64)), g.constant(np.array(1, np.int64))
        counted = g.add("Range", [zero, size[0], one])
        number = counted and g.add("Cast", counted, to=TensorProto.FLOAT)
        if number:
            g.add("Mul", [number[0], g.constant(np.array(0.1, np.float32))])
        return
    minus = g.constant(np.array([-1], np.int64))
    target = g.add("Concat", [lifted[0], minus] if g.rng.random() < 0.7 else [minus, lifted[0]], axis=0)
    if target:
        g.add("Reshape", [x, target[0]])


def recurrent(g):
    x = g.pick(of_rank(3))
    if x is None:
        return
    rng, (steps, batch, size) = g.rng, g.values[x].shape
    op = str(rng.choice(["LSTM", "LSTM", "GRU", "GRU", "RNN"]))
    gates, hidden = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], int(rng.integers(1, 9))
    direction = str(rng.choice(["forward", "forward", "reverse", "bidirectional"]))
    d = 2 if direction == "bidirectional" else 1
    inputs = [x, g.weight(d, gates * hidden, size, scale=0.4), g.weight(d, gates * hidden, hidden, scale=0.4)]
    if rng.random() < 0.8:
        inputs.append(g.weight(d, 2 * gates * hidden, scale=0.3))
        if rng.random() < 0.3 and not g.symbols:
            inputs.append(g.constant(rng.integers(1, steps + 1, batch).astype(np.int32)))
        elif rng.random() < 0.3 and not g.symbols:
            inputs += ["", g.weight(d, batch, hidden, scale=0.5)]
    extra = {"linear_before_reset": int(rng.integers(2))} if op == "GRU" else {}
    g.add(op, inputs, outputs=2 if rng.random() < 0.7 or op != "LSTM" else 3, hidden_size=hidden, direction=direction, **extra)


def branch(g):
    """If over a computed or constant condition; both branches read x from outside."""
    x = g.pick(lambda v: is_f32(v) and v.ndim >= 1)
    if x is None:
        return
    rng = g.rng
    if rng.random() < 0.4:
        condition = g.constant(np.array(bool(rng.integers(2))))
    else:
        total = g.add("ReduceSum", [x], keepdims=0)
        made = total and g.add("Greater", [total[0], g.constant(np.array(0.2, np.float32))])
        if not made:
            return
        condition = made[0]
    rank = g.values[x].ndim

    def side(op):
        out = g.name("side")
        return helper.make_graph([helper.make_node(op, [x], [out])], op.lower(), [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, [None] * rank)])

    one, two = rng.choice(["Relu", "Tanh", "Neg", "Identity", "Abs", "Sigmoid"], 2, replace=False)
    g.add("If", [condition], then_branch=side(str(one)), else_branch=side(str(two)))


def quantized(g):
    x = g.pick(lambda v: is_f32(v) and np.abs(v).max() < 6)
    if x is None:
        return
    scale, zero = g.constant(np.array(0.05, np.float32)), g.constant(np.array(3, g.rng.choice(["int8", "uint8"])))
    small = g.add("QuantizeLinear", [x, scale, zero])
    if small:
        g.add("DequantizeLinear", [small[0], scale, zero])


RECIPES = [(unary, 6), (binary, 7), (matmul, 4), (conv, 4), (pool, 2), (reduce, 2.5), (arg_and_order, 1), (softmax_or_norm, 3), (movement, 8),
           (shape_chain, 1.5), (recurrent, 1.2), (compare_and_choose, 1.5), (cast, 1.5), (branch, 0.6), (quantized, 0.4)]
