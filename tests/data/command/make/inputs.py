"""Models whose dimensions have names that look like something else, one whose initializer is an input too, one with a table of one row, and one with an input of 8 GB.
Usage: inputs.py OUT_FOLDER   Needs numpy, onnx and onnxruntime, which computes what is recorded."""
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
f32 = TensorProto.FLOAT


def save(name, nodes, inputs, outputs, initializers, feeds):
    dtype = {n: helper.np_dtype_to_tensor_dtype(v.dtype) for n, v in feeds.items()}
    m = helper.make_model(helper.make_graph(nodes, "g", [helper.make_tensor_value_info(n, dtype.get(n, f32), d) for n, d in inputs],
                                            [helper.make_empty_tensor_value_info(n) for n in outputs], initializers),
                          opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    results = onnxruntime.InferenceSession(m.SerializeToString(), options).run(None, feeds)
    open(f"{out}/{name}.onnx", "wb").write(m.SerializeToString())
    np.savez(f"{out}/{name}.npz", **{f"in_{n}": v for n, v in feeds.items()}, **{f"out_{n}": v for n, v in zip(outputs, results)})


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


save("dims", [helper.make_node("Relu", ["x"], ["y"])], [("x", ["batch-size", "a b", 2])], ["y"], [], {"x": ramp(2, 3, 2) - 5})
save("unrelated", [helper.make_node("Concat", ["a", "b"], ["y"], axis=0)], [("a", ["None", 3]), ("b", ["None", 3])], ["y"], [],
     {"a": ramp(4, 3), "b": ramp(2, 3)})
save("overridable", [helper.make_node("MatMul", ["x", "w=1"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])],
     [("x", ["n", 2]), ("w=1", [2, 3]), ("b", [3])], ["y"],
     [numpy_helper.from_array(ramp(2, 3), "w=1"), numpy_helper.from_array(ramp(3), "b")], {"x": ramp(1, 2) + 1, "w=1": ramp(2, 3) * 10})
save("one_entry", [helper.make_node("Gather", ["table", "i"], ["y"])], [("i", ["n"])], ["y"], [numpy_helper.from_array(ramp(1, 2) + 1, "table")],
     {"i": np.array([0, -1, 0], np.int64)})
large = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [helper.make_tensor_value_info("x", f32, [1 << 31])], [helper.make_empty_tensor_value_info("y")])
open(f"{out}/large_input.onnx", "wb").write(helper.make_model(large, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString())
