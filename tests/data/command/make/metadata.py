"""Files that say something of themselves. Usage: metadata.py OUT_FOLDER   Needs onnx."""
import json
import struct
import sys

from onnx import TensorProto, helper

out = sys.argv[1]
f32 = TensorProto.FLOAT
m = helper.make_model(helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["h"], name="fc"), helper.make_node("Add", ["h", "b"], ["s"]), helper.make_node("Relu", ["s"], ["y"])], "g",
    [helper.make_tensor_value_info("x", f32, ["batch", 3])], [helper.make_tensor_value_info("y", f32, ["batch", 2])],
    [helper.make_tensor("w", f32, [3, 2], [1] * 6), helper.make_tensor("b", f32, [2], [1, 2])]), opset_imports=[helper.make_opsetid("", 18)])
m.ir_version, m.domain, m.model_version, m.doc_string, m.graph.doc_string = 8, "org.example", 7, "what it is for", "what it computes"
helper.set_model_props(m, {"license": "MIT", "classes": "{0: 'cat', 1: 'dog'}", "long": "x" * 1000})
open(f"{out}/metadata.onnx", "wb").write(m.SerializeToString())

header = json.dumps({"__metadata__": {"format": "pt", "license": "Apache-2.0"}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
open(f"{out}/metadata.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + struct.pack("<f", 1))
