"""A model that works on text, with what onnxruntime answers: ../text.onnx, ../text.npz. Needs numpy, onnx and onnxruntime.

Counts the cats in each line, adds other numbers, and says with a label whether there were any. Usage: text.py OUT_FOLDER
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
weights = np.array([[1, -1], [0.5, 0.25], [0, 1]], "float32")
nodes = [
    helper.make_node("StringSplit", ["text"], ["words", "counts"], delimiter=" "),
    helper.make_node("Equal", ["words", "cat"], ["is_cat"]),
    helper.make_node("Cast", ["is_cat"], ["ones"], to=TensorProto.FLOAT),
    helper.make_node("ReduceSum", ["ones", "axis"], ["cats"], keepdims=1),
    helper.make_node("Concat", ["cats", "more"], ["row"], axis=1),
    helper.make_node("MatMul", ["row", "weights"], ["score"]),
    helper.make_node("ArgMax", ["score"], ["best"], axis=1, keepdims=0),
    helper.make_node("Gather", ["labels", "best"], ["label"]),
]
graph = helper.make_graph(
    nodes, "text",
    [helper.make_tensor_value_info("text", TensorProto.STRING, ["batch"]), helper.make_tensor_value_info("more", TensorProto.FLOAT, ["batch", 2])],
    [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 2]), helper.make_tensor_value_info("label", TensorProto.STRING, ["batch"])],
    [numpy_helper.from_array(np.array(["cat"], object), "cat"), numpy_helper.from_array(np.array([1]), "axis"),
     numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.array(["cats", "none"], object), "labels")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
onnx.checker.check_model(model)
onnx.save(model, f"{out}/text.onnx")
text = np.array(["the cat sat", "a dog", "cat cat cat and cat"], object)
more = np.array([[0.5, 0], [1, 1], [-1, 0.25]], "float32")
score, label = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"text": text, "more": more})
np.savez(f"{out}/text.npz", in_text=text.astype("U"), in_more=more, out_score=score, out_label=np.array(label).astype("U"))
