#!/usr/bin/env python3
"""Every operator that ONNX has, one case each at a sensible size: tern beside onnxruntime, in one process, interleaved.

usage: operators.py PEER LIBONNXRUNTIME.SO [--only REGEX] [--dtype f32|f16|f64] [--readme bench/README.md]       (needs onnx and numpy)

PEER is build/bench/peer_onnxruntime. Writes a model of one node for each case (and its inputs beside it), and prints the ratio of the least
times, worst first; what one of the two does not run is listed with its reason. --readme puts the table between the marks of that file.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 22
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


OPSETS = {"Attention": 23, "RMSNormalization": 23, "RotaryEmbedding": 23, "Swish": 24, "CumProd": 26}


def to_dtype(array, dtype):
    return array.astype({"f16": np.float16, "f64": np.float64}[dtype]) if dtype != "f32" and array.dtype == np.float32 else array


def model(case, dtype, path):
    _, op, inputs, attrs, *outputs = case
    names, graph_inputs, initializers, contents = [], [], [], b""
    for at, value in enumerate(inputs):
        name = f"x{at}"
        constant = isinstance(value, Const)
        array = to_dtype(np.asarray(value.value if constant else value), dtype)
        if constant and array.size == 0:
            names.append("")
            continue
        names.append(name)
        if constant:
            initializers.append(numpy_helper.from_array(array, name))
        else:
            graph_inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
            contents += np.ascontiguousarray(array).tobytes()
    ys = [f"y{at}" for at in range(outputs[0] if outputs else 1)]
    graph = helper.make_graph([helper.make_node(op, names, ys, **attrs)], "g", graph_inputs, [], initializers)
    graph.output.extend(onnx.ValueInfoProto(name=y) for y in ys)
    opset = OPSETS.get(op, OPSET)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True)
    onnx.save(inferred, path)
    path.with_suffix(".in").write_bytes(contents)


LINE = re.compile(r"tern +([\d.]+) us .*onnxruntime +([\d.]+) us .*ratio of minima ([\d.]+).*error (\S+)")


def table(rows, machine):
    text = [f"{machine}", "", "| case | tern, us | onnxruntime, us | tern/onnxruntime |", "|---|---|---|---|"]
    text += [f"| {name} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} |" for name, mine, theirs, _ in rows]
    return "\n".join(text)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("peer")
    options.add_argument("library")
    options.add_argument("--only", default="")
    options.add_argument("--dtype", default="f32", choices=["f32", "f16", "f64"])
    options.add_argument("--readme")
    options = options.parse_args()
    rows, refused = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases()):
            if not re.search(options.only, case[0]):
                continue
            path = Path(folder) / f"{number}.onnx"
            try:
                model(case, options.dtype, path)
            except Exception as error:
                refused.append((case[0], "onnx: " + str(error).splitlines()[0][:100]))
                continue
            run = subprocess.run([options.peer, options.library, str(path)], capture_output=True, text=True)
            found = LINE.search(run.stdout)
            if found is None:
                lines = (run.stderr.strip() or f"exit {run.returncode}").splitlines()
                refused.append((case[0], lines[-1][-110:]))
                continue
            mine, theirs, _, error = found.groups()
            rows.append((case[0], float(mine), float(theirs), float(error)))
            print(f"{case[0]:28} {float(mine):10.2f} {float(theirs):10.2f} {float(mine) / float(theirs):7.2f}   error {error}", flush=True)
    rows.sort(key=lambda r: -r[1] / r[2])
    print("\nworst first")
    for name, mine, theirs, error in rows:
        print(f"{name:28} {mine:10.2f} {theirs:10.2f} {mine / theirs:7.2f}   error {error:.1e}")
    slow = [r for r in rows if r[1] > 1.5 * r[2]]
    mean = np.exp(np.mean([np.log(r[1] / r[2]) for r in rows]))
    print(f"{len(rows)} cases of {len({r[0].split()[0] for r in rows})} operators, geometric mean {mean:.2f}, {len(slow)} above 1.5")
    for name, why in refused:
        print(f"not compared: {name}: {why}")
    if options.readme:
        readme = Path(options.readme)
        begin, end = "<!-- operators.py: begin -->", "<!-- operators.py: end -->"
        before, rest = readme.read_text().split(begin)
        after = rest.split(end)[1]
        summary = f"{len(rows)} cases, geometric mean {mean:.2f}, {len(slow)} above 1.5."
        readme.write_text(before + begin + "\n" + table(rows, summary) + "\n" + end + after)


if __name__ == "__main__":
    sys.exit(main())
