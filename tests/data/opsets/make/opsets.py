"""Records tests/data/opsets: every operator of the catalog in every version that ONNX ever gave it, the old forms above all; and what reports say of others.

Usage: opsets.py OUT [--report]      (numpy, onnx, onnxruntime; recorded with 2.4, 1.23, 1.32)
One graph an opset, OUT/opset_N/model.onnx and data.npz (in_*, out_*): each operator that got a version in opset N is a node or several,
with its defaults left out and with all of them written. Answers come from onnxruntime without optimisations; where it has not that
version, from the newest version of the same operator that says the same (`like`), or from NumPy (`want`). --report prints which.
"""
import argparse
import collections
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
rng = np.random.default_rng(11)
NEWEST = 26  # what onnx.reference and onnxruntime know of today; later versions only widen types


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


HISTORY = collections.defaultdict(dict)
for schema in defs.get_all_schemas_with_history():
    if schema.domain == "" and not schema.deprecated:
        HISTORY[schema.name][schema.since_version] = schema
HISTORY["GroupNormalization"][18] = next(s for s in defs.get_all_schemas_with_history() if s.name == "GroupNormalization" and s.since_version == 18)


class Const:
    """An input that the model holds itself."""

    def __init__(self, value):
        self.value = np.asarray(value)


def ints(*values):
    return Const(np.array(values, np.int64))


Case = collections.namedtuple("Case", "label op opset inputs attributes outputs answers source")
CASES = []


def single(op, opset, inputs, attributes, outputs):
    names, feeds, constants = [], {}, []
    for i, v in enumerate(inputs):
        names.append("" if v is None else f"i{i}")
        if isinstance(v, Const):
            constants.append(numpy_helper.from_array(v.value, f"i{i}"))
        elif v is not None:
            feeds[f"i{i}"] = np.asarray(v)
    graph = helper.make_graph(
        [helper.make_node(op, names, [f"o{i}" for i in range(outputs)], **attributes)], "g",
        [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in feeds.items()],
        [helper.make_empty_tensor_value_info(f"o{i}") for i in range(outputs)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10), feeds


def by_onnxruntime(model, feeds):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)


def answer(op, opset, inputs, attributes, outputs):
    model, feeds = single(op, opset, inputs, attributes, outputs)
    reasons = []
    for source, run in (("onnxruntime", by_onnxruntime), ("reference", lambda m, f: ReferenceEvaluator(m).run(None, f))):
        try:
            return [np.asarray(y) for y in run(model, feeds)], source
        except Exception as error:  # noqa: BLE001 (any refusal means: ask the next)
            reasons.append(f"{source}: {str(error)[:200]!r}")
    raise RuntimeError(f"{op}-{opset}: {reasons}")


def add(op, opset, inputs, attributes=None, outputs=1, like=None, want=None, tag=""):
    """like: (opset, inputs, attributes) of a version that says the same; want: the answers themselves."""
    attributes = attributes or {}
    label = f"{op}_{opset}" + (f"_{tag}" if tag else "")
    if want is not None:
        answers, source = [np.asarray(w) for w in want], "numpy"
    else:
        try:
            if like is not None:
                raise RuntimeError("another version is asked")
            answers, source = answer(op, opset, inputs, attributes, outputs)
        except RuntimeError:
            at, their_inputs, their_attributes = like or (max(v for v in HISTORY[op] if v <= NEWEST), inputs, without(attributes, "consumed_inputs"))
            answers, source = answer(op, at, their_inputs, their_attributes, outputs)
            source += f" at {at}"
    CASES.append(Case(f"{label}_{len(CASES)}", op, opset, inputs, attributes, outputs, answers, source))


def without(attributes, *names):
    return {k: v for k, v in attributes.items() if k not in names}


def versions(op):
    return sorted(v for v in HISTORY[op] if v <= NEWEST)


def every(op, inputs, attributes=None, outputs=1, first=1, last=99, tag="", **more):
    """All versions from first to last; in each also with every default written out."""
    for version in versions(op):
        if not first <= version <= last:
            continue
        schema = HISTORY[op][version]
        mine = dict(attributes or {})
        add(op, version, inputs, mine, outputs, tag=tag, **more)
        defaults = {k: helper.get_attribute_value(a.default_value) for k, a in schema.attributes.items() if a.default_value.type}
        if "consumed_inputs" in schema.attributes:
            defaults["consumed_inputs"] = [0] * len(inputs)
        # not in what onnxruntime reads, or a misprint of the schema
        stated = {k: v for k, v in {**defaults, **mine}.items() if v != b"foward"}
        if stated != mine:
            extra = dict(more)
            if extra.get("like") is None and extra.get("want") is None and "consumed_inputs" in stated:
                extra["like"] = (max(versions(op)), inputs, mine)
            add(op, version, inputs, stated, outputs, tag=tag + "stated", **extra)


def elementwise():
    x, y, row = normal(2, 3, 4), normal(2, 3, 4), normal(4)
    positive = np.abs(x) + np.float32(0.1)
    for op in ("Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Identity", "IsNaN", "LeakyRelu", "Neg", "Reciprocal",
               "Relu", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Cosh", "Softplus", "Softsign", "Tan", "Tanh", "Atan", "Asinh", "ThresholdedRelu",
               "Celu", "Gelu", "Mish", "Round", "Swish", "IsInf"):
        if op == "Selu":  # opset 1 rounds its constants
            old = np.where(x > 0, 1.0507 * x, 1.0507 * (1.6732 * np.exp(np.minimum(x, 0)) - 1.6732)).astype(np.float32)
            every(op, [x], last=1, want=[old])
            every(op, [x], first=6)
            continue
        every(op, [x])
    for op in ("Log", "Sqrt"):
        every(op, [positive])
    for op in ("Acos", "Asin", "Atanh"):
        every(op, [np.tanh(x)])
    every("Acosh", [positive + 1])
    every("Not", [x > 0])
    every("BitwiseNot", [np.arange(4, dtype=np.int32)])
    every("BitShift", [np.array([1, 2, 3], np.uint32), np.array([1, 2, 3], np.uint32)], {"direction": "LEFT"})
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        every(op, [np.arange(6, dtype=np.int32).reshape(2, 3), np.array([1, 2, 3], np.int32)])
    whole = np.arange(24, dtype=np.int64).reshape(2, 3, 4)
    old_types = {"Equal": whole, "Greater": x, "Less": x, "And": x > 0, "Or": x > 0, "Xor": x > 0}
    numpy_of = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power, "Equal": np.equal, "Greater": np.greater,
                "Less": np.less, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}
    for op, f in numpy_of.items():
        a = positive if op == "Pow" else old_types.get(op, x)
        b = y if op in ("Add", "Sub", "Mul", "Div", "Pow") else a[::-1].copy()
        for v in versions(op):
            if v >= 7:
                add(op, v, [a, b[1, 2]])
                add(op, v, [a, b[:, :1]])
                continue
            hint = {"consumed_inputs": [0, 0]} if "consumed_inputs" in HISTORY[op][v].attributes else {}
            add(op, v, [a, b], hint, want=[f(a, b)])
            add(op, v, [a, b[0, 0]], {"broadcast": 1}, want=[f(a, b[0, 0])], tag="suffix")
            add(op, v, [a, b[0]], {"broadcast": 1, "axis": 1}, want=[f(a, b[0])], tag="axis1")
            add(op, v, [a, b[:, 0, 0]], {"broadcast": 1, "axis": 0}, want=[f(a, b[:, 0, 0].reshape(2, 1, 1))], tag="axis0")
            add(op, v, [a, b[:, :, 0]], {"broadcast": 1, "axis": 0}, want=[f(a, b[:, :, 0].reshape(2, 3, 1))], tag="axis0of2")
            add(op, v, [a, b[0, :, 0]], {"broadcast": 1, "axis": -2}, want=[f(a, b[0, :, 0].reshape(1, 3, 1))], tag="minus2")
            add(op, v, [a, b[0, 0, 0].reshape(1)], {"broadcast": 1}, want=[f(a, b[0, 0, 0])], tag="one")
    for op in ("GreaterOrEqual", "LessOrEqual"):
        every(op, [x, row])
    every("Mod", [whole, np.array([3, 5, 7, 2], np.int64)])
    every("Mod", [x, row], {"fmod": 1}, tag="f")
    for v in versions("PRelu"):
        hint = {"consumed_inputs": [0, 0]} if v == 1 else {}
        slope = np.array([0.1, 0.2, 0.3], np.float32)
        if v < 7:
            add("PRelu", v, [x, slope], hint, want=[np.where(x < 0, x * slope.reshape(1, 3, 1), x)], tag="channels")
            add("PRelu", v, [x, slope[:1]], hint, want=[np.where(x < 0, x * slope[0], x)], tag="one")
        else:
            add("PRelu", v, [x, slope.reshape(3, 1)])
    for op in ("Max", "Min", "Sum", "Mean"):
        every(op, [x, y])
        every(op, [x], tag="one")
        every(op, [x, row, y], first=8, tag="broadcast")
    for op in ("Max", "Min"):
        every(op, [whole, whole[:1]], first=12, tag="whole")
    for v in versions("Clip"):
        wide = x.copy()
        wide[0, 0, 0], wide[0, 0, 1] = np.inf, -np.inf
        if v < 11:
            add("Clip", v, [wide], {"min": -0.5, "max": 0.5}, want=[np.clip(wide, -0.5, 0.5)])
            add("Clip", v, [wide], {"min": -0.5}, want=[np.clip(wide, -0.5, None if v == 1 else np.finfo(np.float32).max)], tag="min")
            add("Clip", v, [x], {}, want=[x], tag="none")
        else:
            add("Clip", v, [wide, np.float32(-0.5).reshape(()), np.float32(0.5).reshape(())])
            add("Clip", v, [wide, None, np.float32(0.5).reshape(())], tag="max")
    every("Where", [x > 0, x, row])
    add("Cast", 1, [x * 100], {"to": "INT32"}, want=[(x * 100).astype(np.int32)])
    add("Cast", 1, [x], {"to": "FLOAT16"}, want=[x.astype(np.float16)])
    add("Cast", 1, [whole], {"to": "DOUBLE"}, want=[whole.astype(np.float64)])
    every("Cast", [x * 100], {"to": 7}, first=6)
    every("CastLike", [x * 100, whole])


def axes():
    x = normal(2, 3, 4, 5)
    for op in ("Softmax", "LogSoftmax", "Hardmax"):
        for v in versions(op):
            def flat(axis):
                rows = x.reshape(int(np.prod(x.shape[:axis])), -1)
                y = np.exp(rows - rows.max(1, keepdims=True))
                y = y / y.sum(1, keepdims=True)
                y = np.eye(rows.shape[1])[rows.argmax(1)] if op == "Hardmax" else np.log(y) if op == "LogSoftmax" else y
                return [y.reshape(x.shape).astype(np.float32)]
            for axis in (None, 0, 1, 2, 3) + ((-1, -2) if v >= 11 else ()):
                known = v >= 13
                add(op, v, [x], {} if axis is None else {"axis": axis}, want=None if known else flat(1 if axis is None else axis % 4), tag=f"axis{axis}".replace("-", "m"))
    for op in ("ArgMax", "ArgMin"):
        every(op, [x])
        every(op, [x], {"axis": 2, "keepdims": 0}, tag="axis")
        every(op, [np.round(x)], {"axis": -1, "select_last_index": 1}, first=12, tag="last")
    for op in ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"):
        data = np.abs(x) + np.float32(0.5)
        inputs_from = 13 if op == "ReduceSum" else 18
        for v in versions(op):
            attribute = v < inputs_from
            for tag, list_, keep in (("all", None, None), ("two", [1, 3], None), ("flat", [0], 0), ("minus", [-1, -3], 1)):
                if tag == "minus" and v < 11:
                    continue
                attrs = {} if keep is None else {"keepdims": keep}
                newest = max(versions(op))
                modern = [data] + ([ints(*list_)] if list_ else [])
                if attribute:
                    add(op, v, [data], {**attrs, **({"axes": list_} if list_ else {})}, like=(newest, modern, attrs), tag=tag)
                else:
                    add(op, v, modern, attrs, tag=tag)
            if not attribute:
                add(op, v, [data], {"noop_with_empty_axes": 1}, tag="noop")
    one = normal(2, 1, 3, 1)
    for v in versions("Squeeze"):
        if v < 13:
            add("Squeeze", v, [one], {}, want=[one.reshape(2, 3)])
            add("Squeeze", v, [one], {"axes": [3]}, want=[one.reshape(2, 1, 3)], tag="axes")
        else:
            add("Squeeze", v, [one, ints(-1)])
            add("Squeeze", v, [one], tag="all")
    for v in versions("Unsqueeze"):
        if v < 13:
            add("Unsqueeze", v, [one], {"axes": [0, 5]}, want=[one.reshape(1, 2, 1, 3, 1, 1)])
        else:
            add("Unsqueeze", v, [one, ints(0, -1)])
    for v in versions("Split"):
        if v < 13:
            add("Split", v, [x], {"axis": 1, "split": [1, 2]}, 2, want=np.split(x, [1], 1))
            add("Split", v, [x], {"axis": 2}, 2, want=np.split(x, 2, 2), tag="even")
            add("Split", v, [x], {}, 2, want=np.split(x, 2, 0), tag="default")
        else:
            add("Split", v, [x, ints(1, 2)], {"axis": 1}, 2)
            add("Split", v, [x], {"axis": 2, **({"num_outputs": 2} if v >= 18 else {})}, 2, tag="even")
    add("Split", 18, [x], {"axis": 3, "num_outputs": 3}, 3, tag="uneven")
    for v in versions("Concat"):
        add("Concat", v, [x, x], {} if v < 4 else {"axis": 1}, want=[np.concatenate([x, x], 1)])
        add("Concat", v, [x, x], {"axis": 3}, want=[np.concatenate([x, x], 3)], tag="last")
    for v in versions("Slice"):
        if v < 10:
            add("Slice", v, [x], {"starts": [0, -2], "ends": [1, 1000], "axes": [0, 2]}, want=[x[:1, :, -2:]])
            add("Slice", v, [x], {"starts": [1, 1], "ends": [2, -1]}, want=[x[1:2, 1:-1]], tag="noaxes")
        else:
            add("Slice", v, [x, ints(3, 0), ints(-100, 4), ints(2, 3), ints(-1, 2)])
            add("Slice", v, [x, ints(1, 1), ints(2, -1)], tag="noaxes")
    for v in versions("TopK"):
        kwargs = {"k": 2, "axis": 2} if v < 10 else {"axis": 2}
        order = np.argsort(-x, axis=2, kind="stable")[:, :, :2]
        add("TopK", v, [x] + ([] if v < 10 else [ints(2)]), kwargs, 2, want=[np.take_along_axis(x, order, 2), order.astype(np.int64)])
        if v >= 11:
            add("TopK", v, [x, ints(2)], {"largest": 0}, 2, tag="smallest")
    every("Flatten", [x])
    every("Flatten", [x], {"axis": 3}, tag="three")
    every("Flatten", [x], {"axis": 0}, tag="zero")
    every("Flatten", [x], {"axis": -1}, first=11, tag="minus")
    every("CumSum", [x, Const(np.int64(1).reshape(()))])
    every("Transpose", [x])
    every("Transpose", [x], {"perm": [3, 0, 2, 1]}, tag="perm")
    every("LpNormalization", [x])
    every("LpNormalization", [x], {"p": 1, "axis": 1}, tag="one")
    every("Trilu", [x])
    every("OneHot", [np.array([0, 2, 1], np.int64), Const(np.array([3], np.int64)), np.array([2, 5], np.float32)])
    # opset 9 calls an index below 0 out of range; onnxruntime and the reference count it from the end, as 11 says
    every("OneHot", [np.array([0, -1, 7], np.int64), Const(np.array([3], np.int64)), np.array([2, 5], np.float32)], tag="negative")


def shapes():
    x = normal(2, 3, 4)
    add("Reshape", 1, [x], {"shape": [0, -1]}, want=[x.reshape(2, 12)])
    add("Reshape", 1, [x], {"shape": [4, 6], "consumed_inputs": [0]}, want=[x.reshape(4, 6)], tag="hint")
    every("Reshape", [x, ints(0, -1)], first=5)
    add("Tile", 1, [x, Const(np.float32(2).reshape(())), Const(np.float32(1).reshape(()))], want=[np.tile(x, (1, 2, 1))])
    every("Tile", [x, ints(2, 1, 3)], first=6)
    for mode, numpy_mode in (("constant", "constant"), ("reflect", "reflect"), ("edge", "edge")):
        padded = np.pad(x, ((0, 0), (1, 2), (2, 1)), numpy_mode)
        add("Pad", 1, [x], {"paddings": [0, 1, 2, 0, 2, 1], "mode": mode}, want=[padded], tag=mode)
        add("Pad", 2, [x], {"pads": [0, 1, 2, 0, 2, 1], "mode": mode}, want=[padded], tag=mode)
        every("Pad", [x, ints(0, 1, 2, 0, 2, 1)], {"mode": mode}, first=11, tag=mode)
    add("Pad", 2, [x], {"pads": [0, 1, 0, 0, 0, -1], "value": 1.5}, want=[np.pad(x[:, :, :3], ((0, 0), (1, 0), (0, 0)), constant_values=1.5)], tag="value")
    every("Pad", [x, ints(1, 2), Const(np.float32(2.5).reshape(())), ints(1)], first=18, tag="axes")
    every("Pad", [x, ints(0, 1, 5, 0, 0, -1)], {"mode": "wrap"}, first=19, tag="wrap")
    every("Expand", [x, ints(2, 1, 3, 1)])
    every("Shape", [x])
    every("Shape", [x], {"start": 1, "end": -1}, first=15, tag="part")
    every("Size", [x])
    every("Gather", [x, np.array([[0, 2], [1, 0]], np.int64)], {"axis": 1})
    every("GatherElements", [x, np.zeros((2, 3, 2), np.int64) + 1], {"axis": 2})
    every("GatherND", [x, np.array([[0, 1], [1, 2]], np.int64)])
    every("GatherND", [x, np.array([[1], [2]], np.int64)], {"batch_dims": 1}, first=12, tag="batch")
    scatter = [x, np.array([[[0, 1, 2, 0]]], np.int64), normal(1, 1, 4)]
    y = x.copy()
    np.put_along_axis(y[:1], scatter[1], scatter[2], 1)
    add("Scatter", 9, scatter, {"axis": 1}, want=[y])
    every("ScatterElements", scatter, {"axis": 1})
    nd = [x, np.array([[1, 2], [0, 0]], np.int64), normal(2, 4)]
    every("ScatterND", nd)
    for reduction in ("add", "mul", "max", "min"):
        first = 16 if reduction in ("add", "mul") else 18
        every("ScatterElements", scatter, {"axis": 1, "reduction": reduction}, first=first, tag=reduction)
        every("ScatterND", nd, {"reduction": reduction}, first=first, tag=reduction)
    image = normal(1, 8, 2, 4)
    every("DepthToSpace", [image], {"blocksize": 2})
    every("DepthToSpace", [image], {"blocksize": 2, "mode": "CRD"}, first=11, tag="crd")
    every("SpaceToDepth", [image], {"blocksize": 2})
    every("EyeLike", [normal(3, 4)])
    every("ReverseSequence", [normal(4, 3), np.array([1, 4, 2], np.int64)])
    every("Dropout", [x], last=6, want=[x])
    every("Dropout", [x], first=7, last=11)
    every("Dropout", [x], first=12, tag="plain")
    every("Dropout", [x], outputs=2, first=7, tag="mask")
    add("Dropout", 6, [x], {"is_test": 1}, 2, want=[x, np.zeros_like(x)], tag="mask")
    every("CenterCropPad", [x, ints(4, 1, 4)])


def images():
    x, odd = normal(1, 4, 6, 7), normal(1, 2, 5, 5)
    w, bias = normal(6, 2, 3, 2), normal(6)
    every("Conv", [x, w, bias], {"group": 2, "pads": [1, 0, 1, 1], "strides": [2, 1]})
    every("Conv", [x, normal(3, 4, 3, 3)], {"auto_pad": "SAME_LOWER", "strides": [2, 2]}, tag="same")
    every("Conv", [x, normal(3, 4, 2, 2)], {"auto_pad": "VALID", "dilations": [2, 2]}, tag="valid")
    t = normal(4, 3, 3, 3)
    every("ConvTranspose", [x, t], {"strides": [2, 2], "pads": [1, 0, 0, 1], "output_padding": [1, 0]})
    every("ConvTranspose", [x, t], {"strides": [2, 2], "output_shape": [13, 14]}, tag="shape")
    every("ConvTranspose", [x, t], {"strides": [2, 2], "output_shape": [12, 13], "auto_pad": "SAME_LOWER"}, tag="lower")
    every("ConvTranspose", [x, t], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}, tag="upper")
    for op in ("AveragePool", "MaxPool", "LpPool"):
        p = {"p": 3.0} if op == "LpPool" else {}
        for v in versions(op):
            whole = {k: (int(a) if v > 1 else a) for k, a in p.items()}
            like = (max(versions(op)), [x], {**{k: int(a) for k, a in p.items()}, "kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "strides": [2, 1]}) if op == "LpPool" and v < 18 else None
            if op == "AveragePool" and v == 1:  # the padding did not count before it could be said
                like = (7, [x], {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "strides": [2, 1]})
            add(op, v, [x], {**whole, "kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "strides": [2, 1]}, like=like)
            for tag in ("UPPER", "LOWER") if op != "LpPool" else ():
                same = {"kernel_shape": [3, 3], "auto_pad": "SAME_" + tag, "strides": [2, 2]}
                add(op, v, [x], same, like=(7, [x], same) if op == "AveragePool" and v == 1 else None, tag=tag.lower())
            if v >= 10 and op != "LpPool":
                add(op, v, [odd], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, tag="ceil")
    every("AveragePool", [x], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, first=7, tag="count")
    every("AveragePool", [x], {"kernel_shape": [2, 2], "dilations": [2, 2]}, first=19, tag="dilated")
    every("MaxPool", [x], {"kernel_shape": [2, 2], "dilations": [2, 2]}, first=10, tag="dilated")
    every("MaxPool", [x], {"kernel_shape": [2, 2], "strides": [2, 2]}, 2, first=8, tag="indices")
    every("MaxPool", [x], {"kernel_shape": [2, 2], "strides": [2, 2], "storage_order": 1}, 2, first=8, tag="columns")
    for op in ("GlobalAveragePool", "GlobalMaxPool"):
        every(op, [x])
    for v in versions("GlobalLpPool"):
        add("GlobalLpPool", v, [x], {"p": 3.0 if v == 1 else 3}, like=(2, [x], {"p": 3}))
    channels = [np.abs(normal(4)) + np.float32(0.5) for _ in range(4)]
    for v in versions("BatchNormalization"):
        for tag, extra in (("", {}), ("epsilon", {"epsilon": 0.01})):
            stated = {**extra, **({"consumed_inputs": [0, 0, 0, 1, 1], "is_test": 1} if v == 1 else {"is_test": 1} if v == 6 else {})}
            add("BatchNormalization", v, [x, *channels], stated, like=(9, [x, *channels], extra), tag=tag)
    each = [np.abs(normal(4, 6, 7)) + np.float32(0.5) for _ in range(4)]
    flat = each[0] * (x - each[2]) / np.sqrt(each[3] + 1e-5) + each[1]
    for v in (1, 6, 7):
        add("BatchNormalization", v, [x, *each], {"spatial": 0, **({"consumed_inputs": [0, 0, 0, 1, 1], "is_test": 1} if v == 1 else {"is_test": 1} if v == 6 else {})},
            want=[flat.astype(np.float32)], tag="spatial")
    every("InstanceNormalization", [x, channels[0], channels[1]])
    every("LRN", [x], {"size": 3})
    every("LayerNormalization", [x, normal(7), normal(7)])
    every("LayerNormalization", [x, normal(6, 7)], {"axis": 2}, tag="axis")
    every("RMSNormalization", [x, normal(7)])
    every("MeanVarianceNormalization", [x])
    groups = x.reshape(1, 2, -1)
    unit = ((groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)).reshape(1, 2, 2, 6, 7)
    scale, shift = normal(2), normal(2)
    add("GroupNormalization", 18, [x, scale, shift], {"num_groups": 2},
        want=[(unit * scale.reshape(1, 2, 1, 1, 1) + shift.reshape(1, 2, 1, 1, 1)).reshape(x.shape).astype(np.float32)])
    wide, wide_shift = normal(4), normal(4)
    add("GroupNormalization", 21, [x, wide, wide_shift], {"num_groups": 2},
        want=[(unit.reshape(x.shape) * wide.reshape(1, 4, 1, 1) + wide_shift.reshape(1, 4, 1, 1)).astype(np.float32)])


def resizing():
    x = normal(1, 2, 4, 6)
    nearest = x.repeat(2, 2).repeat(3, 3)
    add("Upsample", 1, [x], {"height_scale": 2.0, "width_scale": 3.0}, want=[nearest])
    add("Upsample", 1, [x], {"height_scale": 2.0, "width_scale": 3.0, "mode": "nearest"}, want=[nearest], tag="stated")
    scales = Const(np.array([1, 1, 2, 3], np.float32))
    for mode in ("nearest", "linear"):
        every("Upsample", [x], {"scales": [1.0, 1.0, 2.0, 3.0], "mode": mode}, first=7, last=7, tag=mode)
        every("Upsample", [x, scales], {"mode": mode}, first=9, last=9, tag=mode)
    for tag, s in (("up", (1, 1, 2, 1.5)), ("down", (1, 1, 0.6, 0.4)), ("both", (1, 1, 0.5, 2.5))):
        for mode in ("nearest", "linear"):
            every("Resize", [x, Const(np.array(s, np.float32))], {"mode": mode}, last=10, tag=mode + tag)
        roi = Const(np.array([], np.float32))
        for mode in ("nearest", "linear", "cubic"):
            every("Resize", [x, roi, Const(np.array(s, np.float32))], {"mode": mode}, first=11, tag=mode + tag)
    for nearest_mode in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        for coordinates in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
            every("Resize", [x, Const(np.array([], np.float32)), Const(np.array([], np.float32)), ints(1, 2, 7, 4)],
                  {"nearest_mode": nearest_mode, "coordinate_transformation_mode": coordinates}, first=11, last=18, tag=nearest_mode + coordinates)
    for nearest_mode in ("round_prefer_floor", "floor"):
        for tag, s in (("up", (1, 1, 2, 1.5)), ("down", (1, 1, 0.6, 0.4))):
            every("Resize", [x, Const(np.array([], np.float32)), Const(np.array(s, np.float32))],
                  {"nearest_mode": nearest_mode, "coordinate_transformation_mode": "tf_half_pixel_for_nn"}, first=11, last=11, tag="tf" + nearest_mode + tag)
    every("Resize", [x, None, None, ints(7, 3)], {"axes": [2, 3], "keep_aspect_ratio_policy": "not_larger"}, first=18, tag="aspect")
    every("Resize", [x, None, Const(np.array([0.5, 0.6], np.float32))], {"axes": [3, 2], "mode": "linear", "antialias": 1}, first=18, tag="antialias")


def recurrent():
    steps, batch, width, hidden = 4, 2, 3, 5
    x = normal(steps, batch, width)
    for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        w, r, b = normal(2, gates * hidden, width), normal(2, gates * hidden, hidden), normal(2, 2 * gates * hidden)
        outputs = 3 if op == "LSTM" else 2
        first = [v[:1].copy() for v in (w, r, b)]
        newest = 14
        for v in versions(op):
            attrs = {"hidden_size": hidden}
            old = v < 7
            add(op, v, [x, *first], {**attrs, **({"output_sequence": 1} if old else {})}, outputs, like=(newest, [x, *first], attrs) if old else None)
            add(op, v, [x, w, r, b], {**attrs, "direction": "bidirectional"}, outputs,
                like=(newest, [x, w, r, b], {**attrs, "direction": "bidirectional"}) if old else None, tag="both")
            turned = [x, *first, np.array([4, 2], np.int32), normal(1, batch, hidden)]
            limits = {**attrs, "direction": "reverse", "clip": 0.7}
            add(op, v, turned, limits, outputs, like=(newest, turned, limits) if old else None, tag="lengths")
            if op == "GRU" and v >= 3:
                before = {**attrs, "linear_before_reset": 1}
                add(op, v, [x, *first], before, outputs, like=(newest, [x, *first], before) if old else None, tag="before")
            if v >= 14:
                turned = x.transpose(1, 0, 2).copy()
                y = answer(op, newest, [x, *first], attrs, outputs)[0]
                add(op, v, [turned, *first], {**attrs, "layout": 1}, outputs, want=[y[0].transpose(2, 0, 1, 3)] + [s.transpose(1, 0, 2) for s in y[1:]], tag="layout")


def products():
    a, b, c = normal(3, 4), normal(4, 5), normal(5)
    every("MatMul", [normal(2, 3, 4), normal(4, 5)])
    for v in versions("Gemm"):
        full = normal(3, 5)
        old = v < 7
        add("Gemm", v, [a, b, full], {}, want=[a @ b + full])
        add("Gemm", v, [a, b, c], {"alpha": 0.5, "beta": 2.0, **({"broadcast": 1} if old else {})}, want=[0.5 * (a @ b) + 2 * c], tag="row")
        add("Gemm", v, [a.T.copy(), b.T.copy(), c[:1]], {"transA": 1, "transB": 1, **({"broadcast": 1} if old else {})}, want=[a @ b + c[:1]], tag="turned")
        if v >= 11:
            add("Gemm", v, [a, b], {}, tag="none")
    q, z = rng.integers(0, 256, (3, 4)).astype(np.uint8), np.uint8(120).reshape(())
    s = np.float32(0.05).reshape(())
    every("QuantizeLinear", [a, s, z])
    every("QuantizeLinear", [a, s], tag="nozero")
    every("QuantizeLinear", [a, np.array([0.1, 0.2, 0.3, 0.4], np.float32), np.full(4, 7, np.uint8)], first=13, tag="axis")
    every("DequantizeLinear", [q, s, z])
    every("DequantizeLinear", [q, np.array([0.1, 0.2, 0.3], np.float32), np.full(3, 7, np.uint8)], {"axis": 0}, first=13, tag="axis")
    every("DynamicQuantizeLinear", [a], outputs=3)
    every("MatMulInteger", [q, rng.integers(0, 256, (4, 5)).astype(np.uint8), z, z])
    every("QLinearMatMul", [q, s, z, rng.integers(0, 256, (4, 5)).astype(np.uint8), s, z, np.float32(0.6).reshape(()), z])
    image, taps = rng.integers(0, 256, (1, 2, 5, 5)).astype(np.uint8), rng.integers(0, 256, (3, 2, 3, 3)).astype(np.uint8)
    every("ConvInteger", [image, taps, z, z], {"pads": [1, 1, 1, 1]})
    every("QLinearConv", [image, s, z, taps, s, z, np.float32(0.9).reshape(()), z], {"pads": [1, 1, 1, 1]})


def reported():
    """What public reports say that a runtime got wrong, in small. ONNX's reference where onnxruntime is the one."""
    def by_reference(op, opset, inputs, attributes):
        model, feeds = single(op, opset, inputs, attributes, 1)
        add(op, opset, inputs, attributes, want=ReferenceEvaluator(model).run(None, feeds), tag="reported")

    x, nan, inf = normal(2, 3, 4), np.nan, np.inf
    by_reference("LayerNormalization", 17, [x, normal(2, 1, 4), normal(3, 1)], {})  # onnxruntime #25855, #32603
    a, b = np.array([-4.3, 7.2, 5, -0.0, 6, inf, 1, -1], np.float32), np.array([2.1, -3.4, 8, 2, -3, 2, inf, inf], np.float32)
    add("Mod", 28, [a, b], want=[np.mod(a, b)], tag="reported")  # onnxruntime #32369
    big = np.array([2**62, 2**40, 2**31 - 1, -7, 7], np.int64)
    add("Div", 14, [big, np.array([11, 11, 11, 2, -2], np.int64)], want=[np.array([2**62 // 11, 2**40 // 11, (2**31 - 1) // 11, -3, -3], np.int64)], tag="reported")  # openvino #37766, onnxruntime #26997
    add("Pow", 15, [np.array([13, 23, 2, -3], np.int64), np.array([8, 6, 62, 3], np.int64)], want=[np.array([13**8, 23**6, 2**62, -27], np.int64)], tag="reported")  # openvino #35838
    add("Mod", 13, [np.array([1234567890, 1999999993, -7], np.int64), np.array([13, 13, 3], np.int64)], want=[np.array([1234567890 % 13, 1999999993 % 13, 2], np.int64)], tag="reported")  # openvino #35829
    for n in (1, 2, 3, 4):  # onnxruntime #10514
        add("ReduceMax", 18, [np.array([nan] * n + [42], np.float32)], {"keepdims": 0}, want=[np.float32(nan)], tag="reported")
    add("Max", 13, [np.array([[nan], [1]], np.float32), np.array([10], np.float32)], want=[np.array([[nan], [10]], np.float32)], tag="reported")  # onnxruntime #21455
    for mode in ("floor", "round_prefer_ceil"):  # a size that is no whole multiple: iree #24264
        by_reference("Resize", 13, [normal(1, 1, 4, 7), None, Const(np.array([1, 1, 1.5, 0.7], np.float32))],
                     {"mode": "nearest", "nearest_mode": mode, "coordinate_transformation_mode": "align_corners"})
    by_reference("ConvTranspose", 11, [normal(1, 2, 3, 3), normal(2, 1, 3, 3)], {"strides": [2, 2], "auto_pad": "SAME_UPPER", "output_padding": [1, 1]})  # onnxruntime #11927
    image = normal(1, 6, 2, 2)  # onnx #7805: the reference counts samples where it means channels
    squares = np.stack([np.square(image[:, max(0, c - 1):c + 3]).sum(1) for c in range(6)], 1)
    add("LRN", 13, [image], {"size": 4, "alpha": 0.1, "beta": 0.5, "bias": 2.0}, want=[image / np.sqrt(2 + 0.1 / 4 * squares)], tag="reported")
    q, k, v = normal(1, 2, 4, 3), normal(1, 2, 6, 3), normal(1, 2, 6, 3)
    for left, right in ((2, 1), (0, -1), (-1, 0)):
        by_reference("Attention", 25, [q, k, v], {"left_window_size": left, "right_window_size": right})
    by_reference("Slice", 13, [np.arange(20, dtype=np.float32), ints(19), ints(0), ints(0), ints(-3)], {})  # iree #24584
    by_reference("ScatterND", 18, [normal(3, 4), Const(np.array([[0, 1], [2, 3], [-1, -4]], np.int64)), normal(3)], {})  # onnx-mlir #3611
    add("DequantizeLinear", 13, [np.array([[1, 1, 1], [4, 4, 4]], np.int8), np.array([0.5, 2, 10], np.float32), np.array([0, 1, -1], np.int8)], {"axis": 1}, tag="reported")  # tract #2849


def write(out):
    by_opset = collections.defaultdict(list)
    for case in CASES:
        by_opset[case.opset].append(case)
    for opset, cases in sorted(by_opset.items()):
        feeds, constants, nodes, answers, known = [], [], [], [], {}

        def named(value):
            if value is None:
                return ""
            array = value.value if isinstance(value, Const) else np.asarray(value)
            key = (isinstance(value, Const), array.dtype.str, array.shape, array.tobytes())
            if key not in known:
                known[key] = f"{'c' if key[0] else 'x'}{len(known)}"
                (constants if key[0] else feeds).append((known[key], array))
            return known[key]

        for case in cases:
            names = [case.label + (f"_{i}" if case.outputs > 1 else "") for i in range(case.outputs)]
            nodes.append(helper.make_node(case.op, [named(v) for v in case.inputs], names, name=case.label, **case.attributes))
            answers += zip(names, case.answers)
        graph = helper.make_graph(
            nodes, f"opset_{opset}", [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in feeds],
            [helper.make_empty_tensor_value_info(name) for name, _ in answers], [numpy_helper.from_array(v, k) for k, v in constants])
        folder = out / f"opset_{opset}"
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10), folder / "model.onnx")
        np.savez_compressed(folder / "data.npz", **{f"in_{k}": v for k, v in feeds}, **{f"out_{k}": v for k, v in answers})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--report", action="store_true")
    args = parser.parse_args()
    for part in (elementwise, axes, shapes, images, resizing, recurrent, products, reported):
        part()
    write(args.out)
    if args.report:
        for case in CASES:
            print(case.label, case.source)
    print(len(CASES), "cases of", len({c.op for c in CASES}), "operators,", dict(collections.Counter(c.source for c in CASES)))


if __name__ == "__main__":
    main()
