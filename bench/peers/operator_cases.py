"""What operators.py times and a plan can run: cases of one operator each, at the usual size (cases) and at others (other_cases). Next: evaluated_cases.py."""
import numpy as np
from onnx import TensorProto, helper

random = np.random.default_rng(1)


def f(*dims):
    return random.uniform(-1, 1, dims).astype(np.float32)


def positive(*dims):
    return random.uniform(0.5, 2, dims).astype(np.float32)


def i(high, *dims, dtype=np.int64):
    return random.integers(0, high, dims).astype(dtype)


def bools(*dims):
    return random.integers(0, 2, dims).astype(bool)


class Const:
    """An input that is an initializer."""

    def __init__(self, value, dtype=None):
        self.value = np.asarray(value, dtype)


def ints(*values):
    return Const(values, np.int64)


def w(*dims):
    return Const(f(*dims))


M = (64, 1024)       # elementwise: 256 KB of f32
IMAGE = (1, 32, 56, 56)
Q = np.float32(0.02)
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, dtype, *dims):
    return helper.make_tensor_value_info(name, dtype, dims)


def doubling():
    """A loop's body: its state twice."""
    nodes = [helper.make_node("Add", ["s", "s"], ["t"]), helper.make_node("Identity", ["c"], ["d"])]
    return helper.make_graph(nodes, "body", [value("n", INT64), value("c", BOOL), value("s", FLOAT, 16)], [value("d", BOOL), value("t", FLOAT, 16)])


def cases():
    """(name of the case, operator, inputs, attributes, number of outputs)"""
    for op in ("Abs Ceil Cos Elu Erf Exp Floor Celu Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Mish Neg Reciprocal Relu Round Selu "
               "Shrink Sigmoid Sign Sin Softplus Softsign Swish Tan Tanh ThresholdedRelu Asin Acos Atan Asinh Atanh Sinh Cosh").split():
        yield op, op, [f(*M)], {}
    for op in "Log Sqrt".split():
        yield op, op, [positive(*M)], {}
    yield "Acosh", "Acosh", [positive(*M) + 1], {}
    yield "Clip", "Clip", [f(*M), Const(np.float32(-0.5)), Const(np.float32(0.5))], {}
    yield "Gelu tanh", "Gelu", [f(*M)], {"approximate": "tanh"}
    for op in "Add Div Mul PRelu Sub Max Min Mean Sum Equal Greater GreaterOrEqual Less LessOrEqual".split():
        yield op, op, [f(*M), positive(*M)], {}
    yield "Add of a row", "Add", [f(*M), f(M[1])], {}
    for name, y in (("2", 2), ("3", 3), ("0.5", 0.5), ("-1.7", -1.7)):
        yield f"Pow {name}", "Pow", [positive(*M), Const(np.float32(y))], {}
    yield "Pow any", "Pow", [positive(*M), f(*M)], {}
    yield "Mod fmod", "Mod", [f(*M), positive(*M)], {"fmod": 1}
    for dtype in (np.int32, np.int64, np.uint8):
        for op in "Add Mul Div Mod".split():
            if dtype is np.uint8 and op == "Mod":
                continue
            yield f"{op} {np.dtype(dtype).name}", op, [i(100, *M, dtype=dtype), i(100, *M, dtype=dtype) + dtype(1)], {}
    for op in "And Or Xor".split():
        yield op, op, [bools(*M), bools(*M)], {}
    yield "Not", "Not", [bools(*M)], {}
    for op in "BitwiseAnd BitwiseOr BitwiseXor".split():
        yield op, op, [i(100, *M, dtype=np.int32), i(100, *M, dtype=np.int32)], {}
    yield "BitwiseNot", "BitwiseNot", [i(100, *M, dtype=np.int32)], {}
    yield "BitShift", "BitShift", [i(100, *M, dtype=np.uint32), i(8, *M, dtype=np.uint32)], {"direction": "LEFT"}
    yield "Where", "Where", [bools(*M), f(*M), f(*M)], {}
    kinds = {"f64": TensorProto.DOUBLE, "f16": TensorProto.FLOAT16, "i64": TensorProto.INT64, "i32": TensorProto.INT32, "u8": TensorProto.UINT8,
             "bool": TensorProto.BOOL}
    for name, to in kinds.items():
        yield f"Cast f32 {name}", "Cast", [f(*M)], {"to": to}
    for name, dtype in (("i64", np.int64), ("i32", np.int32), ("u8", np.uint8), ("bool", bool), ("f16", np.float16), ("f64", np.float64)):
        yield f"Cast {name} f32", "Cast", [i(100, *M).astype(dtype)], {"to": TensorProto.FLOAT}
    yield "Cast i64 i32", "Cast", [i(100, *M)], {"to": TensorProto.INT32}
    yield "CastLike", "CastLike", [f(*M), np.zeros(1, np.int64)], {}

    yield "MatMul", "MatMul", [f(64, 256), w(256, 256)], {}
    yield "MatMul batched", "MatMul", [f(8, 64, 64), f(8, 64, 64)], {}
    yield "Gemm", "Gemm", [f(64, 256), w(256, 256), w(256)], {"transB": 1}
    yield "Einsum", "Einsum", [f(4, 64, 64), f(64, 64)], {"equation": "bij,jk->bik"}
    yield "Det", "Det", [f(16, 8, 8)], {}
    yield "Conv", "Conv", [f(*IMAGE), w(32, 32, 3, 3), w(32)], {"pads": [1, 1, 1, 1]}
    yield "Conv depthwise", "Conv", [f(*IMAGE), w(32, 1, 3, 3)], {"pads": [1, 1, 1, 1], "group": 32}
    yield "Conv 1d", "Conv", [f(1, 64, 256), w(64, 64, 3)], {"pads": [1, 1]}
    yield "ConvTranspose", "ConvTranspose", [f(1, 32, 28, 28), w(32, 32, 2, 2)], {"strides": [2, 2]}
    for op in "MaxPool AveragePool LpPool".split():
        yield op, op, [f(*IMAGE)], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    for op in "GlobalMaxPool GlobalAveragePool GlobalLpPool".split():
        yield op, op, [f(*IMAGE)], {}

    for op in "Softmax LogSoftmax Hardmax".split():
        yield op, op, [f(*M)], {}
    yield "Softmax axis 1 of 3", "Softmax", [f(8, 64, 64)], {"axis": 1}
    yield "BatchNormalization", "BatchNormalization", [f(*IMAGE), w(32), w(32), w(32), Const(positive(32))], {}
    yield "InstanceNormalization", "InstanceNormalization", [f(*IMAGE), w(32), w(32)], {}
    yield "GroupNormalization", "GroupNormalization", [f(*IMAGE), w(32), w(32)], {"num_groups": 8}
    yield "LayerNormalization", "LayerNormalization", [f(64, 256), w(256), w(256)], {}
    yield "RMSNormalization", "RMSNormalization", [f(64, 256), w(256)], {}
    yield "LpNormalization", "LpNormalization", [f(64, 256)], {}
    yield "MeanVarianceNormalization", "MeanVarianceNormalization", [f(*IMAGE)], {}
    yield "LRN", "LRN", [f(*IMAGE)], {"size": 5}
    for op in "Max Mean Min Prod Sum SumSquare L1 L2 LogSum LogSumExp".split():
        yield f"Reduce{op}", f"Reduce{op}", [positive(*M), ints(1)], {}
    for op in "Max Mean Sum".split():
        yield f"Reduce{op} axis 0", f"Reduce{op}", [positive(*M), ints(0)], {}
        yield f"Reduce{op} axes 0, 2", f"Reduce{op}", [positive(16, 64, 64), ints(0, 2)], {}
    yield "ReduceSum i64", "ReduceSum", [i(100, *M), ints(1)], {}
    for op in "ArgMax ArgMin".split():
        yield op, op, [f(*M)], {"axis": 1}
        yield f"{op} axis 0", op, [f(*M)], {"axis": 0}
    yield "CumSum", "CumSum", [f(*M), Const(np.int64(1))], {}
    yield "CumSum axis 0", "CumSum", [f(*M), Const(np.int64(0))], {}
    yield "CumProd", "CumProd", [positive(*M), Const(np.int64(1))], {}
    yield "TopK 5", "TopK", [f(*M), ints(5)], {}, 2
    yield "TopK 100", "TopK", [f(*M), ints(100)], {}, 2

    yield "Concat", "Concat", [f(64, 512), f(64, 512)], {"axis": 1}
    yield "Split", "Split", [f(*M)], {"axis": 1, "num_outputs": 2}, 2
    yield "DepthToSpace", "DepthToSpace", [f(*IMAGE)], {"blocksize": 2}
    yield "SpaceToDepth", "SpaceToDepth", [f(*IMAGE)], {"blocksize": 2}
    yield "Expand", "Expand", [f(64, 1), ints(64, 1024)], {}
    yield "Expand rows", "Expand", [f(1, 1024), ints(64, 1024)], {}
    yield "Tile", "Tile", [f(16, 16), ints(8, 8)], {}
    yield "Flatten", "Flatten", [f(*IMAGE)], {}
    yield "Reshape", "Reshape", [f(*M), ints(1024, 64)], {}
    yield "Squeeze", "Squeeze", [f(1, *M), ints(0)], {}
    yield "Unsqueeze", "Unsqueeze", [f(*M), ints(0)], {}
    for mode in "constant reflect edge wrap".split():
        yield f"Pad {mode}", "Pad", [f(*IMAGE), ints(0, 0, 3, 3, 0, 0, 3, 3)], {"mode": mode}
    yield "Slice", "Slice", [f(*M), ints(1, 3), ints(60, 1000), ints(0, 1), ints(1, 2)], {}
    yield "Slice whole runs", "Slice", [f(*M), ints(0, 100), ints(64, 800), ints(0, 1)], {}
    for name, dtype in (("f32", np.float32), ("f16", np.float16), ("u8", np.uint8), ("f64", np.float64)):
        yield f"Transpose {name}", "Transpose", [i(100, 256, 256).astype(dtype)], {"perm": [1, 0]}
    yield "Transpose 0213", "Transpose", [f(1, 64, 8, 32)], {"perm": [0, 2, 1, 3]}
    yield "Transpose to last", "Transpose", [f(*IMAGE)], {"perm": [0, 2, 3, 1]}
    yield "Trilu", "Trilu", [f(256, 256)], {}
    yield "ReverseSequence", "ReverseSequence", [f(64, 32, 32), Const(i(64, 32))], {}
    yield "CenterCropPad", "CenterCropPad", [f(64, 128), ints(96, 96)], {}
    yield "Gather rows", "Gather", [f(1000, 64), i(1000, 128)], {}
    yield "Gather axis 1", "Gather", [f(64, 1000), i(1000, 128)], {"axis": 1}
    yield "GatherElements", "GatherElements", [f(64, 1000), i(1000, 64, 128)], {"axis": 1}
    yield "GatherND rows", "GatherND", [f(100, 10, 64), np.stack([i(100, 128), i(10, 128)], 1)], {}
    yield "GatherND elements", "GatherND", [f(100, 64), np.stack([i(100, 2048), i(64, 2048)], 1)], {}
    yield "ScatterElements", "ScatterElements", [f(64, 1000), i(1000, 64, 128), f(64, 128)], {"axis": 1}
    yield "ScatterND rows", "ScatterND", [f(1000, 64), i(1000, 128, 1), f(128, 64)], {}
    yield "ScatterND elements", "ScatterND", [f(100, 64), np.stack([i(100, 2048), i(64, 2048)], 1), f(2048)], {}
    yield "ScatterND add", "ScatterND", [f(1000, 64), i(1000, 128, 1), f(128, 64)], {"reduction": "add"}
    yield "OneHot", "OneHot", [i(100, 256), Const(np.int64(100)), Const(np.float32([0, 1]))], {}
    yield "EyeLike", "EyeLike", [f(256, 256)], {}
    yield "NonZero", "NonZero", [f(*M)], {}
    yield "Compress", "Compress", [f(*M), bools(64)], {"axis": 0}
    yield "Unique", "Unique", [i(100, 4096)], {}, 4

    size = (1, 16, 32, 32)
    for mode in "nearest linear cubic".split():
        yield f"Resize {mode}", "Resize", [f(*size), Const(np.float32([])), Const(np.float32([])), ints(1, 16, 64, 64)], {"mode": mode}
        yield f"Resize {mode} down", "Resize", [f(*size), Const(np.float32([])), Const(np.float32([])), ints(1, 16, 20, 20)], {"mode": mode}
    for mode in "nearest linear cubic".split():
        yield f"GridSample {mode}", "GridSample", [f(*size), f(1, 32, 32, 2)], {"mode": mode}
    yield "LSTM", "LSTM", [f(20, 1, 64), w(1, 256, 64), w(1, 256, 64)], {"hidden_size": 64}, 3
    yield "GRU", "GRU", [f(20, 1, 64), w(1, 192, 64), w(1, 192, 64)], {"hidden_size": 64}, 2
    yield "RNN", "RNN", [f(20, 1, 64), w(1, 64, 64), w(1, 64, 64)], {"hidden_size": 64}, 2
    yield "Attention", "Attention", [f(1, 4, 50, 16), f(1, 4, 50, 16), f(1, 4, 50, 16)], {}
    yield "RotaryEmbedding", "RotaryEmbedding", [f(1, 4, 50, 32), w(50, 16), w(50, 16), Const(np.arange(50)[None], np.int64)], {}

    zero = Const(np.uint8(128))
    yield "QuantizeLinear", "QuantizeLinear", [f(*M), Const(Q), zero], {}
    yield "QuantizeLinear axis 1", "QuantizeLinear", [f(*M), Const(positive(1024)), Const(np.zeros(1024), np.int8)], {"axis": 1}
    yield "DequantizeLinear", "DequantizeLinear", [i(255, *M, dtype=np.uint8), Const(Q), zero], {}
    yield "DequantizeLinear axis 1", "DequantizeLinear", [i(100, *M, dtype=np.int8), Const(positive(1024)), Const(np.zeros(1024), np.int8)], {"axis": 1}
    yield "DynamicQuantizeLinear", "DynamicQuantizeLinear", [f(*M)], {}, 3
    x8, w8 = i(255, 64, 256, dtype=np.uint8), Const(i(255, 256, 256), np.uint8)
    yield "MatMulInteger", "MatMulInteger", [x8, w8, zero, zero], {}
    yield "QLinearMatMul", "QLinearMatMul", [x8, Const(Q), zero, w8, Const(Q), zero, Const(np.float32(1)), zero], {}
    image8, taps8 = i(255, *IMAGE, dtype=np.uint8), Const(i(100, 32, 32, 3, 3), np.int8)
    yield "ConvInteger", "ConvInteger", [image8, Const(taps8.value.astype(np.uint8)), zero], {"pads": [1, 1, 1, 1]}
    yield "QLinearConv", "QLinearConv", [image8, Const(Q), zero, taps8, Const(Q), Const(np.int8(0)), Const(np.float32(1)), zero], {"pads": [1, 1, 1, 1]}


DTYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "i64": np.int64, "i32": np.int32, "i16": np.int16, "i8": np.int8, "u8": np.uint8, "bool": bool}


def some(dtype, *dims):
    """Any numbers of a dtype by its name in tern."""
    return f(*dims).astype(DTYPES[dtype]) if dtype[0] == "f" else i(2 if dtype == "bool" else 100, *dims, dtype=DTYPES[dtype])


def other_cases():
    """The same operators at other sizes and dtypes: a handful of elements, odd shapes, every axis, broadcasts."""
    for op in "Add Mul Div Sub Max Greater Equal".split():
        yield f"{op} 16", op, [f(16), positive(16)], {}
    for op in "Relu Exp Sigmoid Tanh Erf Sqrt Neg Abs Floor Sin Softmax LogSoftmax Hardmax Identity".split():
        yield f"{op} 16", op, [positive(1, 16)], {}
    yield "Where 16", "Where", [bools(16), f(16), f(16)], {}
    yield "Cast 16", "Cast", [i(100, 16)], {"to": TensorProto.FLOAT}
    yield "MatMul 4", "MatMul", [f(1, 4), w(4, 4)], {}
    yield "Gemm 16", "Gemm", [f(1, 16), w(16, 16), w(16)], {}
    yield "Conv 16", "Conv", [f(1, 1, 4, 4), w(1, 1, 3, 3)], {}
    yield "MaxPool 16", "MaxPool", [f(1, 1, 4, 4)], {"kernel_shape": [2, 2]}
    yield "ReduceMean 16", "ReduceMean", [f(4, 4), ints(1)], {}
    yield "ArgMax 16", "ArgMax", [f(4, 4)], {"axis": 1}
    yield "TopK 16", "TopK", [f(1, 16), ints(3)], {}, 2
    yield "CumSum 16", "CumSum", [f(16), Const(np.int64(0))], {}
    yield "Concat 16", "Concat", [f(2, 4), f(2, 4)], {"axis": 1}
    yield "Split 16", "Split", [f(4, 4)], {"axis": 1, "num_outputs": 2}, 2
    yield "Slice 16", "Slice", [f(4, 4), ints(1), ints(3), ints(1)], {}
    yield "Gather 16", "Gather", [f(4, 4), i(4, 4)], {}
    yield "Transpose 16", "Transpose", [f(4, 4)], {"perm": [1, 0]}
    yield "Reshape 16", "Reshape", [f(4, 4), ints(2, 8)], {}
    yield "Expand 16", "Expand", [f(4, 1), ints(4, 4)], {}
    yield "Pad 16", "Pad", [f(4, 4), ints(1, 1, 1, 1)], {}
    yield "LayerNormalization 16", "LayerNormalization", [f(1, 16), w(16), w(16)], {}

    for op in "Add Mul Greater".split():
        yield f"{op} [256,1] [1,256]", op, [f(256, 1), f(1, 256)], {}
        yield f"{op} [64,1024] [64,1]", op, [f(64, 1024), f(64, 1)], {}
        yield f"{op} [32,56,56] [32,1,1]", op, [f(32, 56, 56), f(32, 1, 1)], {}
        yield f"{op} [333,7] [7]", op, [f(333, 7), f(7)], {}
        yield f"{op} [64,33,3] [64,1,3]", op, [f(64, 33, 3), f(64, 1, 3)], {}
        yield f"{op} one", op, [f(10007), f(1)], {}
    yield "Where [256,1] [1,256]", "Where", [bools(256, 1), f(1, 256), f(1)], {}
    for dtype in "f64 i64 i32 i8 u8".split():
        for op in "Add Sub Mul Max Min Equal Less".split():
            if dtype in ("i8", "u8") and op in ("Sub", "Mul"):
                continue
            yield f"{op} {dtype} odd", op, [some(dtype, 57, 131), some(dtype, 57, 131)], {}
            yield f"{op} {dtype} row", op, [some(dtype, 57, 131), some(dtype, 131)], {}
    for dtype in "f64 i64 i32 u8 bool".split():
        yield f"Where {dtype}", "Where", [bools(57, 131), some(dtype, 57, 131), some(dtype, 57, 131)], {}
        yield f"Expand {dtype}", "Expand", [some(dtype, 57, 1), ints(57, 131)], {}
        yield f"Concat {dtype}", "Concat", [some(dtype, 57, 13), some(dtype, 57, 5), some(dtype, 57, 77)], {"axis": 1}
        yield f"Slice {dtype}", "Slice", [some(dtype, 57, 131), ints(3, 5), ints(50, 120), ints(0, 1)], {}
        yield f"Gather {dtype} axis 1", "Gather", [some(dtype, 57, 131), i(131, 40)], {"axis": 1}
        yield f"Transpose {dtype} odd", "Transpose", [some(dtype, 57, 131)], {"perm": [1, 0]}
        if dtype != "bool":
            yield f"Pad {dtype}", "Pad", [some(dtype, 57, 131), ints(1, 2, 3, 4)], {}
            yield f"Tile {dtype}", "Tile", [some(dtype, 5, 7), ints(11, 13)], {}
    for op in "Abs Neg Sign".split():
        for dtype in "f64 i64 i32".split():
            yield f"{op} {dtype}", op, [some(dtype, 57, 131)], {}
    for op in "Exp Log Sqrt Tanh Sigmoid Relu Floor".split():
        yield f"{op} f64", op, [positive(57, 131).astype(np.float64)], {}
    for dtype in "i64 i32 u8".split():
        low, high = Const(np.asarray(10, DTYPES[dtype])), Const(np.asarray(60, DTYPES[dtype]))
        yield f"Clip {dtype}", "Clip", [some(dtype, 57, 131), low, high], {}
    for frm in "f64 i64 i32 i8 u8 bool f16 f32".split():
        for to in "f64 i64 i32 u8 bool f16 f32".split():
            if frm != to:
                yield f"Cast {frm} {to} odd", "Cast", [some(frm, 57, 131)], {"to": helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[to]))}

    for axis in range(3):
        x = [f(23, 33, 65)]
        for op in "Sum Mean Max Min Prod L2 SumSquare LogSumExp".split():
            yield f"Reduce{op} axis {axis} of 3", f"Reduce{op}", x + [ints(axis)], {}
        for dtype in "f64 i64 i32".split():
            for op in "Sum Max Mean".split():
                yield f"Reduce{op} {dtype} axis {axis} of 3", f"Reduce{op}", [some(dtype, 23, 33, 65), ints(axis)], {}
        yield f"ArgMax axis {axis} of 3", "ArgMax", x, {"axis": axis}
        yield f"ArgMax i32 axis {axis} of 3", "ArgMax", [some("i32", 23, 33, 65)], {"axis": axis}
        yield f"TopK 3 axis {axis} of 3", "TopK", x + [ints(3)], {"axis": axis}, 2
        yield f"CumSum axis {axis} of 3", "CumSum", x + [Const(np.int64(axis))], {}
        yield f"CumSum i64 axis {axis} of 3", "CumSum", [i(100, 23, 33, 65), Const(np.int64(axis))], {}
        yield f"Softmax odd axis {axis} of 3", "Softmax", x, {"axis": axis}
        yield f"Softmax f64 axis {axis} of 3", "Softmax", [f(23, 33, 65).astype(np.float64)], {"axis": axis}
        yield f"Concat axis {axis} of 3", "Concat", [f(7, 33, 65), f(7, 33, 65)], {"axis": axis}
        yield f"Split axis {axis} of 3", "Split", [f(21, 33, 66), ints(*{0: (5, 16), 1: (20, 13), 2: (1, 65)}[axis])], {"axis": axis}, 2
        yield f"Gather axis {axis} of 3", "Gather", x + [i(23, 17, dtype=np.int32)], {"axis": axis}
        yield f"GatherElements axis {axis} of 3", "GatherElements", x + [i(23, 23, 33, 65)], {"axis": axis}
        yield f"ScatterElements axis {axis} of 3", "ScatterElements", x + [i(23, 5, 30, 50), f(5, 30, 50)], {"axis": axis}
        yield f"OneHot axis {axis}", "OneHot", [i(30, 23, 33), Const(np.int64(30)), Const(np.float32([0, 1]))], {"axis": axis}
        yield f"LpNormalization axis {axis} of 3", "LpNormalization", x, {"axis": axis}
        yield f"Slice step 2 axis {axis} of 3", "Slice", x + [ints(1), ints(20), ints(axis), ints(2)], {}
        yield f"Slice backwards axis {axis} of 3", "Slice", x + [ints(-1), ints(-100), ints(axis), ints(-1)], {}
    for perm in ([0, 2, 1], [1, 0, 2], [2, 0, 1], [2, 1, 0], [1, 2, 0]):
        yield f"Transpose {perm} odd", "Transpose", [f(23, 33, 65)], {"perm": perm}
    yield "Transpose [0, 3, 1, 2] RGB", "Transpose", [f(1, 64, 64, 3)], {"perm": [0, 3, 1, 2]}
    yield "Transpose [0, 2, 3, 1] RGB", "Transpose", [f(1, 3, 64, 64)], {"perm": [0, 2, 3, 1]}

    for k, s in ((2, 2), (3, 1), (5, 3)):
        for op in "MaxPool AveragePool".split():
            yield f"{op} {k}x{k} step {s}", op, [f(1, 8, 75, 75)], {"kernel_shape": [k, k], "strides": [s, s]}
        yield f"Conv depthwise {k}x{k} step {s}", "Conv", [f(1, 40, 31, 31), w(40, 1, k, k), w(40)], {"strides": [s, s], "group": 40}
    yield "MaxPool 1d", "MaxPool", [f(4, 16, 200)], {"kernel_shape": [4], "strides": [4]}
    yield "MaxPool 3d", "MaxPool", [f(1, 4, 12, 20, 20)], {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]}
    yield "AveragePool 7x7", "AveragePool", [f(1, 128, 7, 7)], {"kernel_shape": [7, 7]}
    yield "MaxPool with indices", "MaxPool", [f(1, 8, 40, 40)], {"kernel_shape": [2, 2], "strides": [2, 2]}, 2
    yield "GlobalAveragePool 7x7", "GlobalAveragePool", [f(1, 512, 7, 7)], {}
    yield "GlobalMaxPool 7x7", "GlobalMaxPool", [f(1, 512, 7, 7)], {}
    yield "Conv 1x1", "Conv", [f(1, 64, 28, 28), w(128, 64, 1, 1)], {}
    yield "Conv first", "Conv", [f(1, 3, 112, 112), w(16, 3, 3, 3), w(16)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    yield "Conv odd channels", "Conv", [f(1, 13, 30, 30), w(7, 13, 3, 3)], {}
    yield "Conv groups", "Conv", [f(1, 32, 28, 28), w(32, 8, 3, 3)], {"group": 4, "pads": [1, 1, 1, 1]}
    yield "Conv 1d causal", "Conv", [f(1, 16, 300), w(16, 16, 3), w(16)], {"pads": [4, 0], "dilations": [2]}
    yield "Conv 3d", "Conv", [f(1, 4, 10, 16, 16), w(8, 4, 3, 3, 3)], {}
    yield "ConvTranspose 3x3", "ConvTranspose", [f(1, 16, 20, 20), w(16, 8, 3, 3)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    yield "BatchNormalization [N,C]", "BatchNormalization", [f(64, 100), w(100), w(100), w(100), Const(positive(100))], {}
    yield "LayerNormalization odd", "LayerNormalization", [f(57, 131), w(131), w(131)], {}
    yield "LayerNormalization wide", "LayerNormalization", [f(4, 4096), w(4096), w(4096)], {}
    yield "InstanceNormalization odd", "InstanceNormalization", [f(2, 5, 17, 19), w(5), w(5)], {}
    yield "Softmax rows of 10", "Softmax", [f(100, 10)], {}
    yield "Softmax one long row", "Softmax", [f(1, 32000)], {}
    yield "MatMul vector", "MatMul", [f(1, 512), w(512, 512)], {}
    yield "MatMul odd", "MatMul", [f(33, 77), w(77, 51)], {}
    yield "MatMul f64", "MatMul", [f(64, 96).astype(np.float64), f(96, 64).astype(np.float64)], {}
    yield "MatMul heads", "MatMul", [f(2, 8, 50, 32), f(2, 8, 32, 50)], {}
    yield "Gemm odd", "Gemm", [f(33, 77), w(51, 77), w(51)], {"transB": 1}
    yield "Gather rows of 768", "Gather", [f(2000, 768), i(2000, 1, 128)], {}
    yield "Gather one", "Gather", [f(1, 50, 256), Const(np.int64(0))], {"axis": 1}
    yield "TopK 1", "TopK", [f(64, 1000), ints(1)], {}, 2
    yield "Resize linear odd", "Resize", [f(1, 3, 45, 60), Const(np.float32([])), Const(np.float32([])), ints(1, 3, 100, 70)], {"mode": "linear"}
    yield "Resize nearest odd", "Resize", [f(1, 3, 45, 60), Const(np.float32([])), Const(np.float32([])), ints(1, 3, 100, 70)], {"mode": "nearest"}
    yield "Einsum attention", "Einsum", [f(2, 4, 50, 16), f(2, 4, 50, 16)], {"equation": "bhid,bhjd->bhij"}
    yield "Einsum outer", "Einsum", [f(100), f(200)], {"equation": "i,j->ij"}
    yield "Einsum trace", "Einsum", [f(16, 20, 20)], {"equation": "bii->b"}
    yield "LSTM batch 4", "LSTM", [f(20, 4, 32), w(1, 128, 32), w(1, 128, 32)], {"hidden_size": 32}, 3
    yield "GRU batch 4", "GRU", [f(20, 4, 32), w(1, 96, 32), w(1, 96, 32)], {"hidden_size": 32}, 2
    yield "Range", "Range", [Const(np.int64(0)), Const(np.int64(1000)), Const(np.int64(1))], {}
    yield "Trilu i64", "Trilu", [i(100, 64, 64)], {}

    # What a stranger would time: one element, a few, a million; many axes and one; a broadcast in the middle; every width of number.
    f64 = lambda *dims: f(*dims).astype(np.float64)
    for n in (1, 7, 100, 1_000_000):
        for op in "Add Relu Exp Tanh".split():
            yield f"{op} of {n}", op, [f(n)] * (2 if op == "Add" else 1), {}
        yield f"ReduceSum of {n}", "ReduceSum", [f(n), ints(0)], {}
        yield f"Softmax of {n}", "Softmax", [f(1, n)], {}
    for shape in ((5, 3, 7, 2, 11), (3, 2, 4, 3, 5, 7)):
        rank = len(shape)
        yield f"Add of {rank} axes", "Add", [f(*shape), f(*shape)], {}
        yield f"Mul in the middle of {rank} axes", "Mul", [f(*shape), f(1, *shape[1:3], *[1] * (rank - 3))], {}
        yield f"Transpose of {rank} axes", "Transpose", [f(*shape)], {"perm": list(reversed(range(rank)))}
        yield f"Transpose two of {rank} axes", "Transpose", [f(*shape)], {"perm": [0, 2, 1, *range(3, rank)]}
        for axis in (0, 2, rank - 1):
            yield f"ReduceSum axis {axis} of {rank}", "ReduceSum", [f(*shape), ints(axis)], {}
            yield f"ReduceMax axis {axis} of {rank}", "ReduceMax", [f(*shape), ints(axis)], {}
        yield f"ReduceMean all of {rank}", "ReduceMean", [f(*shape)], {}
        yield f"Slice of {rank} axes", "Slice", [f(*shape), ints(1, 1), ints(3, 3), ints(1, 2)], {}
        yield f"Concat of {rank} axes", "Concat", [f(*shape), f(*shape)], {"axis": 2}
    for op in "Add Mul Sub Div".split():
        yield f"{op} [16,1,64] [1,32,64]", op, [f(16, 1, 64), positive(1, 32, 64)], {}
        yield f"{op} [8,32,1,32] [8,1,32,32]", op, [f(8, 32, 1, 32), positive(8, 1, 32, 32)], {}
    for dtype in "f16 i8 u8 i16".split():
        for op in "Add Mul Sub Div Max Min Relu Abs Neg Sqrt Exp Tanh Sigmoid Equal Less Where".split():
            arity = 1 if op in "Relu Abs Neg Sqrt Exp Tanh Sigmoid".split() else 2
            if dtype != "f16" and op in "Sqrt Exp Tanh Sigmoid".split() or dtype == "u8" and op in ("Relu", "Neg") or dtype == "i16" and op in "Max Min Relu Where".split():
                continue  # one of the two has it not
            operands = [np.abs(some(dtype, 57, 131)) + DTYPES[dtype](1) for _ in range(arity)]
            yield f"{op} {dtype}", op, ([bools(57, 131)] + operands if op == "Where" else operands), {}
        yield f"Concat {dtype} rows", "Concat", [some(dtype, 57, 131), some(dtype, 57, 131)], {"axis": 1}
        yield f"Transpose {dtype} rows", "Transpose", [some(dtype, 57, 131)], {"perm": [1, 0]}
        yield f"Gather {dtype} rows", "Gather", [some(dtype, 1000, 64), i(1000, 128)], {}
    for op in "Sum Mean Max Min Prod L2".split():
        yield f"Reduce{op} f16", f"Reduce{op}", [positive(57, 131).astype(np.float16), ints(1)], {}
    for op in "Sum Mean Max Min Prod L1 L2 SumSquare LogSum LogSumExp".split():
        for dtype in (np.float64, np.int32, np.int64):
            yield f"Reduce{op} {np.dtype(dtype).name} rows", f"Reduce{op}", [positive(57, 131).astype(dtype) + dtype(1), ints(1)], {}
    for op in "Sin Cos Round Ceil Sign Reciprocal".split():
        yield f"{op} f64", op, [f64(57, 131)], {}
    for op, scales in (("Softmax", 0), ("LogSoftmax", 0), ("LayerNormalization", 2), ("BatchNormalization", 4)):
        channels = 131 if op[0] == "L" else 57
        yield f"{op} f64 rows", op, [f64(2, 57, 131)] + [Const(positive(channels).astype(np.float64)) for _ in range(scales)], {}

    for dtype in (np.float64, np.float16):
        d, n = (lambda a, t=dtype: a.astype(t)), np.dtype(dtype).name
        c = lambda *dims, t=dtype: Const(f(*dims).astype(t))
        if dtype == np.float16:
            yield f"Conv {n}", "Conv", [d(f(1, 16, 28, 28)), c(16, 16, 3, 3), c(16)], {"pads": [1, 1, 1, 1]}
            yield f"Conv depthwise {n}", "Conv", [d(f(1, 16, 28, 28)), c(16, 1, 3, 3)], {"pads": [1, 1, 1, 1], "group": 16}
            yield f"ConvTranspose {n}", "ConvTranspose", [d(f(1, 16, 14, 14)), c(16, 16, 2, 2)], {"strides": [2, 2]}
        yield f"MaxPool {n}", "MaxPool", [d(f(1, 16, 28, 28))], {"kernel_shape": [2, 2], "strides": [2, 2]}
        if dtype == np.float16:
            yield f"AveragePool {n}", "AveragePool", [d(f(1, 16, 28, 28))], {"kernel_shape": [2, 2], "strides": [2, 2]}
            yield f"GlobalAveragePool {n}", "GlobalAveragePool", [d(f(1, 16, 28, 28))], {}
            yield f"LSTM {n}", "LSTM", [d(f(20, 1, 64)), c(1, 256, 64), c(1, 256, 64)], {"hidden_size": 64}, 3
            yield f"GRU {n}", "GRU", [d(f(20, 1, 64)), c(1, 192, 64), c(1, 192, 64)], {"hidden_size": 64}, 2
            yield f"RNN {n}", "RNN", [d(f(20, 1, 64)), c(1, 64, 64), c(1, 64, 64)], {"hidden_size": 64}, 2
        yield f"MatMul {n} 64", "MatMul", [d(f(64, 64)), c(64, 64)], {}
        yield f"MatMul {n} vector", "MatMul", [d(f(1, 256)), c(256, 256)], {}
        yield f"Gemm {n}", "Gemm", [d(f(33, 77)), c(51, 77), c(51)], {"transB": 1}
        if dtype == np.float16:
            yield f"Resize linear {n}", "Resize", [d(f(1, 4, 32, 32)), Const(np.float32([])), Const(np.float32([])), ints(1, 4, 64, 64)], {"mode": "linear"}
        yield f"Einsum {n}", "Einsum", [d(f(4, 32, 32)), d(f(32, 32))], {"equation": "bij,jk->bik"}
        yield f"TopK {n}", "TopK", [d(f(64, 1000)), ints(5)], {}, 2
        yield f"ArgMax {n}", "ArgMax", [d(f(64, 1000))], {"axis": 1}
        yield f"CumSum {n}", "CumSum", [d(f(64, 1000)), Const(np.int64(1))], {}
        yield f"Clip {n}", "Clip", [d(f(64, 1000)), Const(dtype(-0.5)), Const(dtype(0.5))], {}
        yield f"Pow {n}", "Pow", [d(positive(64, 100)), d(f(64, 100))], {}
    for dtype in (np.int32, np.int64):
        n = np.dtype(dtype).name
        yield f"MatMul {n}", "MatMul", [i(100, 64, 64, dtype=dtype), i(100, 64, 64, dtype=dtype)], {}
        yield f"TopK {n}", "TopK", [i(1000, 64, 1000, dtype=dtype), ints(5)], {}, 2
        yield f"ArgMax {n}", "ArgMax", [i(1000, 64, 1000, dtype=dtype)], {"axis": 1}
        yield f"CumSum {n}", "CumSum", [i(1000, 64, 1000, dtype=dtype), Const(np.int64(1))], {}
        yield f"Pow {n}", "Pow", [i(10, 64, 100, dtype=dtype), i(4, 64, 100, dtype=dtype)], {}
        yield f"Pow f32 {n}", "Pow", [positive(64, 100), i(4, 64, 100, dtype=dtype)], {}
    yield "MaxPool u8", "MaxPool", [i(255, 1, 16, 28, 28, dtype=np.uint8)], {"kernel_shape": [2, 2], "strides": [2, 2]}
    yield "Mod fmod f64", "Mod", [f64(57, 131), positive(57, 131).astype(np.float64)], {"fmod": 1}
    yield "Mod i8", "Mod", [i(100, 57, 131, dtype=np.int8), i(9, 57, 131, dtype=np.int8) + np.int8(1)], {}

    for n in (2, 3, 4, 32):
        yield f"Det {n}x{n}", "Det", [f(16, n, n)], {}
    yield "Det f64", "Det", [f64(16, 8, 8)], {}
    for reduction in "none add mul max min".split():
        yield f"ScatterND {reduction} odd", "ScatterND", [f(100, 13), np.stack([i(100, 333), i(13, 333)], 1), f(333)], {"reduction": reduction}
        yield f"ScatterElements {reduction}", "ScatterElements", [f(64, 100), i(64, 32, 100), f(32, 100)], {"axis": 0, "reduction": reduction}
    yield "ScatterND rows f64", "ScatterND", [f64(1000, 16), i(1000, 128, 1), f64(128, 16)], {}
    yield "GatherElements i64", "GatherElements", [i(9, 64, 100), i(64, 32, 100)], {"axis": 0}
    yield "GatherND batch", "GatherND", [f(8, 50, 16), i(50, 8, 20, 1)], {"batch_dims": 1}
    yield "TopK half", "TopK", [f(16, 1000), ints(500)], {}, 2
    yield "TopK all", "TopK", [f(16, 1000), ints(1000)], {}, 2
    yield "TopK smallest", "TopK", [f(64, 1000), ints(5)], {"largest": 0}, 2
    for equation, shapes in (("ij,jk->ik", ((64, 64), (64, 64))), ("ij->ji", ((64, 100),)), ("ij->i", ((64, 100),)), ("i,i->", ((1000,), (1000,))),
                             ("ij,ij->ij", ((64, 100), (64, 100))), ("bij,bjk->bik", ((4, 32, 32), (4, 32, 32))), ("bhwc,hkc->bhwk", ((2, 8, 8, 16), (8, 8, 16))),
                             ("ij,jk,kl->il", ((20, 30), (30, 20), (20, 10))), ("...ij->...ji", ((3, 4, 20, 30),)), ("ii->i", ((100, 100),)),
                             ("bij,bkj->bik", ((4, 32, 16), (4, 32, 16))), ("ij,kj->ik", ((64, 64), (64, 64)))):
        yield f"Einsum {equation}", "Einsum", [f(*shape) for shape in shapes], {"equation": equation}
    no = Const(np.float32([]))
    for name, size, attrs in (("cubic odd", (1, 3, 100, 70), {"mode": "cubic"}), ("linear antialias", (1, 3, 20, 30), {"mode": "linear", "antialias": 1}),
                              ("cubic antialias", (1, 3, 20, 30), {"mode": "cubic", "antialias": 1}),
                              ("nearest floor", (1, 3, 20, 30), {"mode": "nearest", "nearest_mode": "floor"}),
                              ("linear align", (1, 3, 90, 120), {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
                              ("nearest asymmetric", (1, 3, 90, 120), {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"})):
        yield f"Resize {name}", "Resize", [f(1, 3, 45, 60), no, no, ints(*size)], attrs
    yield "Resize linear u8", "Resize", [i(255, 1, 3, 45, 60, dtype=np.uint8), no, no, ints(1, 3, 90, 120)], {"mode": "linear"}
    yield "Resize linear 1d", "Resize", [f(1, 8, 100), no, no, ints(1, 8, 200)], {"mode": "linear"}
    yield "Resize linear 3d", "Resize", [f(1, 2, 10, 12, 14), no, no, ints(1, 2, 20, 24, 28)], {"mode": "linear"}
    yield "GridSample 3d", "GridSample", [f(1, 2, 8, 9, 10), f(1, 6, 7, 8, 3)], {"mode": "linear"}
    for mode in "border reflection".split():
        yield f"GridSample {mode}", "GridSample", [f(1, 4, 32, 32), f(1, 20, 20, 2)], {"mode": "linear", "padding_mode": mode}
    boxes = np.sort(random.uniform(0, 1, (1, 200, 2, 2)), 2).reshape(1, 200, 4).astype(np.float32)
    yield "NonMaxSuppression", "NonMaxSuppression", [Const(boxes), Const(random.uniform(0, 1, (1, 2, 200)).astype(np.float32)), ints(20), Const(np.float32([0.5]))], {}
    yield "BitShift u8", "BitShift", [i(100, 57, 131, dtype=np.uint8), i(8, 57, 131, dtype=np.uint8)], {"direction": "RIGHT"}
    yield "Shape", "Shape", [f(3, 4)], {}
    yield "Size", "Size", [f(3, 4)], {}
    yield "ConstantOfShape", "ConstantOfShape", [ints(64, 1000)], {}
    yield "Dropout", "Dropout", [f(64, 1000)], {}
    yield "LpPool 1d", "LpPool", [f(1, 16, 200)], {"kernel_shape": [4], "strides": [4], "p": 2}
    yield "GroupNormalization odd", "GroupNormalization", [f(2, 6, 17, 19), w(6), w(6)], {"num_groups": 3}
    yield "LRN odd", "LRN", [f(1, 7, 13, 13)], {"size": 3}
    yield "Attention causal", "Attention", [f(1, 4, 50, 16), f(1, 4, 50, 16), f(1, 4, 50, 16)], {"is_causal": 1}
    yield "LSTM bidirectional", "LSTM", [f(20, 1, 32), w(2, 128, 32), w(2, 128, 32)], {"hidden_size": 32, "direction": "bidirectional"}, 3
    yield "LSTM of one step", "LSTM", [f(1, 1, 64), w(1, 256, 64), w(1, 256, 64)], {"hidden_size": 64}, 3

    # Control flow: a condition (its branches read the other input), a hundred trips, a scan of a hundred rows.
    branch = lambda op: helper.make_graph([helper.make_node(op, ["x1"], ["z"])], op, [], [value("z", FLOAT, 64)])
    yield "If", "If", [np.array(True), f(64)], {"then_branch": branch("Relu"), "else_branch": branch("Neg")}
    yield "Loop of 100", "Loop", [Const(np.int64(100)), Const(np.array(True)), f(16)], {"body": doubling()}
    step = helper.make_graph([helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Relu", ["t"], ["y"])], "body",
                             [value("s", FLOAT, 16), value("x", FLOAT, 16)], [value("t", FLOAT, 16), value("y", FLOAT, 16)])
    yield "Scan of 100", "Scan", [f(16), f(100, 16)], {"body": step, "num_scan_inputs": 1}, 2
