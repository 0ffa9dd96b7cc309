"""Models that hand tables through, to see what a .csv becomes. Usage: tables.py OUT_FOLDER   Needs numpy and onnx."""
import sys

import numpy as np
from onnx import TensorProto, helper

out = sys.argv[1]
types = {"f32": TensorProto.FLOAT, "f64": TensorProto.DOUBLE, "f16": TensorProto.FLOAT16, "u8": TensorProto.UINT8, "i32": TensorProto.INT32,
         "i64": TensorProto.INT64, "u64": TensorProto.UINT64, "bool": TensorProto.BOOL, "string": TensorProto.STRING}


def identity(name, inputs):
    """inputs: (name, dtype, shape)"""
    nodes = [helper.make_node("Identity", [n], ["y_" + n]) for n, _, _ in inputs]
    m = helper.make_model(helper.make_graph(nodes, name, [helper.make_tensor_value_info(n, types[t], s) for n, t, s in inputs],
                                            [helper.make_tensor_value_info("y_" + n, types[t], s) for n, t, s in inputs]),
                          opset_imports=[helper.make_opsetid("", 18)])
    m.ir_version = 8
    open(f"{out}/{name}.onnx", "wb").write(m.SerializeToString())


for t in types:
    identity("rows_" + t, [("x", t, ["batch", 3])])
identity("one_row", [("x", "f32", [1, 3])])
identity("axis", [("x", "f32", ["n"])])
identity("axis4", [("x", "f32", [4])])
identity("scalar", [("x", "f32", [])])
identity("series", [("x", "f32", ["batch", "time", 2])])
identity("image", [("x", "f32", ["batch", 3, "h", "w"])])
identity("columns", [("age", "f32", ["batch", 1]), ("fare", "f64", ["batch", 1]), ("sex", "string", ["batch", 1]), ("id", "i64", ["batch", 1])])
np.save(f"{out}/words.npy", np.array([["a", "b", "c"]]))
