"""Models with loops, and what their frameworks answer: python make.py FOLDER

scripted_*: torch.jit.script, exported by torch.onnx.export(dynamo=False): a Loop around an If, a while, a loop in a loop; recorded by PyTorch.
scan_* and loop_*: written with onnx.helper; recorded by onnxruntime.
"""
import io
import os
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper


class Gate(torch.nn.Module):
    """A Loop around an If, whose condition depends on data."""

    def __init__(self):
        super().__init__()
        self.up = torch.nn.Linear(4, 4)
        self.down = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor):
        h = torch.zeros(4)
        for i in range(x.size(0)):
            if bool((h.sum() + x[i].sum()) > 0):
                h = torch.tanh(self.up(h) + x[i])
            else:
                h = self.down(h) - x[i]
        return h


class Power(torch.nn.Module):
    """A while: how often it runs depends on data."""

    def forward(self, x: torch.Tensor):
        steps = 0
        while bool(x.abs().max() > 1e-3) and steps < 40:
            x = x * 0.5
            steps += 1
        return x, torch.tensor(steps)


class Rows(torch.nn.Module):
    """A loop in a loop over sizes of the input, and a list that is stacked."""

    def forward(self, x: torch.Tensor):
        total = torch.zeros(3)
        for i in range(x.size(0)):
            part = torch.ones(3)
            for j in range(x.size(1)):
                part = part * 0.5 + x[i, j]
            total = total + part * float(i)
        return total


def save(folder, name, model, inputs, outputs):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    onnx.save(model, os.path.join(path, "model.onnx"))
    arrays = {"in_" + k: np.asarray(v) for k, v in inputs.items()} | {"out_" + k: np.asarray(v) for k, v in outputs.items()}
    np.savez(os.path.join(path, "data.npz"), **arrays)


def scripted(folder, name, module, x, outputs, dynamic=None):
    script = torch.jit.script(module.eval())
    file = io.BytesIO()
    torch.onnx.export(script, (x,), file, input_names=["x"], output_names=outputs, opset_version=17, dynamo=False, dynamic_axes=dynamic)
    with torch.no_grad():
        y = script(x)
    y = y if isinstance(y, tuple) else (y,)
    save(folder, name, onnx.load_from_string(file.getvalue()), {"x": x.numpy()}, dict(zip(outputs, [t.numpy() for t in y])))


def info(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def written(folder, name, nodes, inputs, outputs, weights, feeds):
    graph = helper.make_graph(nodes, os.path.basename(name), inputs, outputs, [onnx.numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    names = [o.name for o in outputs]
    y = onnxruntime.InferenceSession(model.SerializeToString()).run(names, feeds)
    save(folder, name, model, feeds, dict(zip(names, y)))


def scan_rnn(folder, rng):
    """Both directions of a recurrent layer: two Scans, one from the end."""
    w, u = (rng.standard_normal(s).astype(np.float32) * 0.4 for s in ((6, 8), (8, 8)))
    nodes = []
    for k, reverse in enumerate((0, 1)):
        body = helper.make_graph(
            [helper.make_node("MatMul", ["x_t", "w"], ["a"]), helper.make_node("MatMul", ["h", "u"], ["b"]), helper.make_node("Add", ["a", "b"], ["s"]),
             helper.make_node("Tanh", ["s"], ["h_next"]), helper.make_node("Identity", ["h_next"], ["y_t"])],
            f"step{k}", [info("h", [2, 8]), info("x_t", [2, 6])], [info("h_next", [2, 8]), info("y_t", [2, 8])])
        nodes.append(helper.make_node("Scan", ["h0", "x"], [f"last{k}", f"y{k}"], body=body, num_scan_inputs=1, scan_input_directions=[reverse],
                                      scan_output_directions=[reverse]))
    nodes.append(helper.make_node("Concat", ["y0", "y1"], ["y"], axis=2))
    feeds = {"x": rng.standard_normal((7, 2, 6)).astype(np.float32), "h0": rng.standard_normal((2, 8)).astype(np.float32)}
    written(folder, "steady/scan_rnn", nodes, [info("x", [7, 2, 6]), info("h0", [2, 8])], [info("y", [7, 2, 16])], {"w": w, "u": u}, feeds)


def loop_newton(folder, rng):
    """Five steps of Newton's method, every iterate kept; a loop in it takes powers."""
    power = helper.make_graph([helper.make_node("Identity", ["c2"], ["c2_out"]), helper.make_node("Mul", ["p", "v"], ["p_out"])], "power",
                              [info("j", [], TensorProto.INT64), info("c2", [], TensorProto.BOOL), info("p", [5])],
                              [info("c2_out", [], TensorProto.BOOL), info("p_out", [5])])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c_out"]), helper.make_node("Loop", ["two", "yes", "v"], ["cube"], body=power),
         helper.make_node("Sub", ["cube", "x"], ["f"]), helper.make_node("Mul", ["v", "v"], ["square"]), helper.make_node("Mul", ["square", "three"], ["slope"]),
         helper.make_node("Div", ["f", "slope"], ["step"]), helper.make_node("Sub", ["v", "step"], ["v_out"]), helper.make_node("Identity", ["v_out"], ["kept"])],
        "newton", [info("i", [], TensorProto.INT64), info("c", [], TensorProto.BOOL), info("v", [5])], [info("c_out", [], TensorProto.BOOL), info("v_out", [5]), info("kept", [5])])
    nodes = [helper.make_node("Loop", ["five", "yes", "x"], ["root", "path"], body=body)]
    weights = {"two": np.array(2), "five": np.array(5), "three": np.array(3, np.float32), "yes": np.array(True)}
    written(folder, "steady/loop_newton", nodes, [info("x", [5])], [info("root", [5]), info("path", [5, 5])], weights,
            {"x": rng.uniform(1, 30, 5).astype(np.float32)})


if __name__ == "__main__":
    to = sys.argv[1]
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    scripted(to, "live/scripted_gate", Gate(), torch.randn(6, 4), ["h"])
    scripted(to, "evaluated/scripted_while", Power(), torch.randn(5) * 3, ["y", "steps"])
    scripted(to, "steady/scripted_rows", Rows(), torch.randn(4, 5, 3), ["total"], {"x": {0: "rows", 1: "columns"}})
    scan_rnn(to, rng)
    loop_newton(to, rng)
