"""Records the cases of tests/data/quantized and quantized_states: small networks that onnxruntime's quantiser made, and its com.microsoft operators one by
one, each with the answers of onnxruntime without graph optimisations; of networks in QDQ whose products are to become integer ones, with all of them.

Usage: quantized.py OUT      (numpy, onnx, onnxruntime; recorded with 2.4, 1.23, 1.32)
Each case is OUT/NAME/model.onnx and OUT/NAME/data.npz with in_* and out_* arrays.
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import onnxruntime.quantization as quantization
from onnx import helper, numpy_helper

rng = np.random.default_rng(7)


def normal(*shape):
    return (rng.standard_normal(shape) * 0.3).astype(np.float32)


def graph(name, nodes, inputs, outputs, initializers, domains=()):
    made = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in inputs.items()],
        [helper.make_empty_tensor_value_info(o) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in initializers.items()])
    opsets = [helper.make_opsetid("", 13)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def cnn():
    weights = dict(w1=normal(8, 3, 3, 3), b1=normal(8), w2=normal(8, 1, 3, 3), b2=normal(8), w3=normal(16, 8, 1, 1), b3=normal(16),
                   w4=normal(16, 16, 3, 3), w5=normal(10, 16), b5=normal(10), low=np.float32(0), high=np.float32(6),
                   scales=np.array([1, 1, 2, 2], np.float32))
    n = helper.make_node
    nodes = [
        n("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]), n("Relu", ["c1"], ["r1"]),
        n("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1], group=8, strides=[2, 2]), n("Clip", ["c2", "low", "high"], ["r2"]),
        n("Conv", ["r2", "w3", "b3"], ["c3"]), n("Conv", ["c3", "w4"], ["c4"], pads=[1, 1, 1, 1]), n("Add", ["c3", "c4"], ["a"]),
        n("LeakyRelu", ["a"], ["l"], alpha=0.1), n("MaxPool", ["l"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        n("Sigmoid", ["p"], ["s"]), n("Mul", ["p", "s"], ["m"]), n("Concat", ["m", "p"], ["cc"], axis=1), n("Split", ["cc"], ["s1", "s2"], axis=1),
        n("Add", ["s1", "s2"], ["sum"]),
        n("Resize", ["sum", "", "scales"], ["z"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        n("AveragePool", ["z"], ["ap"], kernel_shape=[2, 2], strides=[2, 2]), n("GlobalAveragePool", ["ap"], ["g"]), n("Flatten", ["g"], ["f"]),
        n("Gemm", ["f", "w5", "b5"], ["h"], transB=1), n("Softmax", ["h"], ["y"], axis=-1)]
    inputs = {"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32)}
    return graph("cnn", nodes, inputs, ["y"], weights), inputs


def chain():
    """Layers as image classifiers have them: a stem, a residual block with a strided shortcut, depthwise, a concat of two scales, a head."""
    weights = dict(w1=normal(20, 3, 5, 5), b1=normal(20), w2=normal(20, 20, 3, 3), b2=normal(20), w3=normal(24, 20, 3, 3), b3=normal(24),
                   w4=normal(24, 20, 1, 1), w5=normal(24, 1, 3, 3), b5=normal(24), w6=normal(16, 24, 1, 1), w7=normal(7, 40), b7=normal(7),
                   low=np.float32(0), high=np.float32(1.5))
    n = helper.make_node
    nodes = [
        n("Conv", ["x", "w1", "b1"], ["c1"], pads=[2, 2, 2, 2], strides=[2, 2]), n("Relu", ["c1"], ["r1"]),
        n("MaxPool", ["r1"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        n("Conv", ["p", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1]), n("Add", ["c2", "p"], ["a1"]), n("Relu", ["a1"], ["r2"]),
        n("Conv", ["r2", "w3", "b3"], ["c3"], pads=[1, 1, 1, 1], strides=[2, 2]), n("Conv", ["r2", "w4"], ["c4"], strides=[2, 2]),
        n("Add", ["c3", "c4"], ["a2"]), n("Conv", ["a2", "w5", "b5"], ["c5"], pads=[1, 1, 1, 1], group=24), n("Clip", ["c5", "low", "high"], ["r5"]),
        n("Conv", ["r5", "w6"], ["c6"]), n("Sigmoid", ["c6"], ["s"]), n("Mul", ["c6", "s"], ["m"]), n("Concat", ["m", "r5"], ["cc"], axis=1),
        n("GlobalAveragePool", ["cc"], ["g"]), n("Flatten", ["g"], ["f"]), n("Gemm", ["f", "w7", "b7"], ["y"], transB=1)]
    inputs = {"x": rng.standard_normal((1, 3, 40, 40)).astype(np.float32)}
    return graph("chain", nodes, inputs, ["y"], weights), inputs


def dense():
    n = helper.make_node
    weights = dict(w1=normal(45, 20), b1=normal(45), w2=normal(45, 33), b2=normal(33), w3=normal(33, 7))
    nodes = [n("Gemm", ["x", "w1", "b1"], ["g1"], transB=1), n("Relu", ["g1"], ["r1"]), n("Gemm", ["r1", "w2", "b2"], ["g2"]), n("Tanh", ["g2"], ["t"]),
             n("MatMul", ["t", "w3"], ["y"])]
    inputs = {"x": rng.standard_normal((3, 20)).astype(np.float32)}
    return graph("dense", nodes, inputs, ["y"], weights), inputs


def mlp():
    n = helper.make_node
    weights = dict(w1=normal(20, 32), b1=normal(32), w2=normal(32, 32), b2=normal(32), w3=normal(32, 7))
    nodes = [n("MatMul", ["x", "w1"], ["m1"]), n("Add", ["m1", "b1"], ["a1"]), n("Relu", ["a1"], ["r1"]), n("MatMul", ["r1", "w2"], ["m2"]),
             n("Add", ["m2", "b2"], ["a2"]), n("Tanh", ["a2"], ["t"]), n("MatMul", ["t", "w3"], ["y"])]
    inputs = {"x": rng.standard_normal((3, 20)).astype(np.float32)}
    return graph("mlp", nodes, inputs, ["y"], weights), inputs


def lstm(directions):
    n, hidden, width = helper.make_node, 12, 9
    weights = dict(W=normal(directions, 4 * hidden, width), R=normal(directions, 4 * hidden, hidden), B=normal(directions, 8 * hidden))
    nodes = [n("LSTM", ["x", "W", "R", "B"], ["y", "h", "c"], hidden_size=hidden, direction="bidirectional" if directions == 2 else "forward")]
    inputs = {"x": rng.standard_normal((7, 2, width)).astype(np.float32)}
    return graph("lstm", nodes, inputs, ["y", "h", "c"], weights), inputs


def microsoft():
    """Every operator of com.microsoft that the quantiser writes, as one graph of many nodes."""
    nodes, inputs, constants, outputs = [], {}, {}, []

    def scalar(value, dtype=np.float32):
        name = f"c{len(constants)}"
        constants[name] = np.array(value, dtype)
        return name

    def node(op, names, label, **attributes):
        outputs.append(label)
        nodes.append(helper.make_node(op, names, [label], domain="com.microsoft", **attributes))

    for kind, dtype, low in (("u8", np.uint8, 0), ("i8", np.int8, -128)):
        def data(*shape):
            return rng.integers(low, low + 256, shape).astype(dtype)

        x, z, a, b = f"x_{kind}", f"z_{kind}", f"a_{kind}", f"b_{kind}"
        inputs[x], inputs[z], inputs[a], constants[b] = data(2, 3, 6, 6), data(6), data(5, 33), data(33, 17)
        at, by, to, small = scalar(low + 120, dtype), scalar(low + 131, dtype), scalar(low + 100, dtype), scalar(1 / 256)
        xs, zs, ys = scalar(0.02), scalar(0.03), scalar(0.05)
        for op in ("QLinearAdd", "QLinearMul"):
            node(op, [x, xs, at, z, zs, by, ys, to], f"{op}_{kind}")
        node("QLinearSigmoid", [x, xs, at, small, to], f"QLinearSigmoid_{kind}")
        node("QLinearLeakyRelu", [x, xs, at, ys, to], f"QLinearLeakyRelu_{kind}", alpha=0.1)
        for opset, axis in ((13, -1), (13, 1), (11, 2)):
            node("QLinearSoftmax", [x, xs, at, small, to], f"QLinearSoftmax_{kind}_{opset}_{axis}", opset=opset, axis=axis)
        for last in (0, 1):
            node("QLinearGlobalAveragePool", [x, xs, at, ys, to], f"QLinearGlobalAveragePool_{kind}_{last}", channels_last=last)
            node("QLinearAveragePool", [x, xs, at, ys, to], f"QLinearAveragePool_{kind}_{last}", channels_last=last, kernel_shape=[3, 2],
                 pads=[1, 1, 1, 0], strides=[2, 1], count_include_pad=last)
        node("QLinearConcat", [ys, to, x, xs, at, x, zs, by], f"QLinearConcat_{kind}", axis=1)
        inputs[f"w_{kind}"] = rng.random((2, 3, 6, 6)) > 0.5
        node("QLinearWhere", [f"w_{kind}", x, xs, at, x, zs, by, ys, to], f"QLinearWhere_{kind}")
        inputs[f"f_{kind}"] = rng.standard_normal((5, 33)).astype(np.float32)
        bias, column = scalar(rng.standard_normal(17)), scalar(rng.random(17) * 0.02 + 0.01)
        node("DynamicQuantizeMatMul", [f"f_{kind}", b, xs, by, bias], f"DynamicQuantizeMatMul_{kind}")
        node("DynamicQuantizeMatMul", [f"f_{kind}", b, column], f"DynamicQuantizeMatMul_{kind}_columns")
        first, zero = "a_u8", scalar(117, np.uint8)
        node("MatMulIntegerToFloat", [first, b, xs, zs, zero, by, bias], f"MatMulIntegerToFloat_{kind}")
        c, wide = scalar(rng.integers(-2000, 2000, 17), np.int32), scalar(0.7)
        node("QGemm", [first, xs, zero, b, zs, by, c, wide, zero], f"QGemm_{kind}", alpha=1.5)
        constants[f"t_{kind}"] = constants[b].T.copy()
        node("QGemm", [first, xs, zero, f"t_{kind}", zs, by, c], f"QGemm_{kind}_float", transB=1)
    return graph("microsoft", nodes, inputs, outputs, constants, ["com.microsoft"]), inputs


def without_zero_points(case):
    """Weights of 0 to 255, a sixteenth as large: bytes that no signed ones hold."""
    model, inputs = case
    for t in model.graph.initializer:
        value = numpy_helper.to_array(t)
        if value.dtype == np.int8:
            zero = t.name.endswith("zero_point")
            t.CopyFrom(numpy_helper.from_array((value * 0 if zero else value.astype(int) + 128).astype(np.uint8), t.name))
        elif t.name.endswith("scale"):
            t.CopyFrom(numpy_helper.from_array(value / 16, t.name))
    return model, inputs


class Reader(quantization.CalibrationDataReader):
    def __init__(self, inputs):
        self.samples = iter([inputs] + [{k: rng.standard_normal(v.shape).astype(np.float32) for k, v in inputs.items()} for _ in range(8)])

    def get_next(self):
        return next(self.samples, None)


def quantized(model, inputs, dynamic, **options):
    with tempfile.TemporaryDirectory() as folder:
        plain, made = pathlib.Path(folder) / "plain.onnx", pathlib.Path(folder) / "made.onnx"
        onnx.save(model, plain)
        if dynamic:
            quantization.quantize_dynamic(plain, made, **options)
        else:
            quantization.quantize_static(plain, made, Reader(inputs), **options)
        return onnx.load(made), inputs


def record(out, name, case, fused=False):
    model, inputs = case
    model.producer_name = model.producer_version = ""
    del model.graph.value_info[:]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL if fused else onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    answers = dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs)))
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    np.savez_compressed(folder / "data.npz", **{"in_" + k: v for k, v in inputs.items()}, **{"out_" + k: v for k, v in answers.items()})
    print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes")


def main():
    out, kinds = pathlib.Path(sys.argv[1]), quantization.QuantType
    record(out, "cnn_qdq", quantized(*cnn(), False, quant_format=quantization.QuantFormat.QDQ, activation_type=kinds.QInt8,
                                     weight_type=kinds.QInt8, per_channel=False))
    record(out, "cnn_operators", quantized(*cnn(), False, quant_format=quantization.QuantFormat.QOperator, activation_type=kinds.QUInt8,
                                           weight_type=kinds.QInt8, per_channel=True, reduce_range=True))
    record(out, "cnn_dynamic", quantized(*cnn(), True, weight_type=kinds.QUInt8))
    record(out, "mlp_dynamic", quantized(*mlp(), True, weight_type=kinds.QInt8, per_channel=True))
    states = out.parent / "quantized_states"  # onnxruntime rounds x and h to 8 bits before every product, tern only the weights
    record(states, "lstm_dynamic", quantized(*lstm(1), True, weight_type=kinds.QUInt8))
    record(states, "lstm_dynamic_channels", quantized(*lstm(2), True, weight_type=kinds.QInt8, per_channel=True))
    record(out, "operators", microsoft())
    for name, net in (("chain", chain), ("dense", dense)):
        for kind, options in (("u8", dict(activation_type=kinds.QUInt8, weight_type=kinds.QInt8)),
                              ("i8", dict(activation_type=kinds.QInt8, weight_type=kinds.QInt8)),
                              ("channels", dict(activation_type=kinds.QUInt8, weight_type=kinds.QInt8, per_channel=True)),
                              ("u8u8", dict(activation_type=kinds.QUInt8, weight_type=kinds.QUInt8))):
            record(out, f"{name}_{kind}", quantized(*net(), False, quant_format=quantization.QuantFormat.QDQ, **options), fused=True)
    record(states, "lstm_dynamic_unsigned", without_zero_points(quantized(*lstm(1), True, weight_type=kinds.QUInt8)))


if __name__ == "__main__":
    main()
