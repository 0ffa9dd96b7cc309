"""Models whose every name, dimension, metadata and string moves the cursor or reorders the line. Usage: hostile_names.py OUT_FOLDER
Needs numpy and onnx. Bytes that are no UTF-8 are put in afterwards: protobuf for Python refuses them in names."""
import json
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

out = sys.argv[1]
H = "e\x1b]0;pwned\x07\x1b[31mR\u202eb\u009b1mx\ny\r\u2028\u061c\u2066\ufeff\x7f"  # valid UTF-8
B = H + "QQ"                                                                     # and then two bytes that are none


def save(name, model):
    open(f"{out}/{name}", "wb").write(model.SerializeToString().replace(b"QQ", b"\xff\x9b"))


def model(nodes, inputs, outputs, initializers=()):
    m = helper.make_model(helper.make_graph(nodes, B, inputs, outputs, list(initializers)), opset_imports=[helper.make_opsetid("", 18)])
    m.ir_version = 8
    m.producer_name, m.producer_version, m.doc_string = B, B, B
    m.graph.doc_string = B
    entry = m.metadata_props.add()
    entry.key, entry.value = "k" + B, B * 50
    return m


f32 = TensorProto.FLOAT
x = helper.make_tensor_value_info("x" + H, f32, ["n" + H, 4])
y = helper.make_tensor_value_info("y" + H, f32, ["n" + H, 4])
w = helper.make_tensor("w" + B, f32, [4, 4], np.eye(4, dtype="float32").ravel())
s = helper.make_tensor_value_info("s/" + H, TensorProto.STRING, [2])
save("names.onnx", model([
    helper.make_node("MatMul", ["x" + H, "w" + B], ["h" + B], name="mm" + B),
    helper.make_node("Relu", ["h" + B], ["y" + H], name="relu" + B),
], [x], [y], [w]))
save("strings.onnx", model([
    helper.make_node("Relu", ["x" + H], ["y" + H]),
    helper.make_node("Constant", [], ["s/" + H], name="c" + B, value_strings=[(H + "QQ").encode(), H.encode()]),
], [x], [y, s]))
save("operator.onnx", model([helper.make_node("Frob" + B, ["x" + H], ["y" + H], name="f" + B)], [x], [y]))
save("edge.onnx", model([helper.make_node("Relu", ["nobody" + B], ["y" + H], name="r" + B)], [x], [y]))
data = np.array([[1, -2, 3, -4]], "float32")
np.savez(f"{out}/names.npz", **{"in_x" + H: data, "out_y" + H: np.maximum(data, 0)})
np.savez(f"{out}/other.npz", **{"in_z" + H: data})

# Two outputs that would be one file, in each way that names can be.
names = ["a/b", "a_b", "A_B", "..", ".", "", "a\\b", "nul\x01", "x" * 300, "x" * 299 + "y", "a_b-2"]
m = helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], [n]) for n in names if n] + [helper.make_node("Relu", ["x"], ["r"])], "g",
    [helper.make_tensor_value_info("x", f32, [2])], [helper.make_tensor_value_info(n, f32, [2]) for n in names if n] + [helper.make_tensor_value_info("r", f32, [2])]),
    opset_imports=[helper.make_opsetid("", 18)])
m.ir_version = 8
save("files.onnx", m)

header = json.dumps({"__metadata__": {"k" + H: H}, "t" + H: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
open(f"{out}/names.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1))
