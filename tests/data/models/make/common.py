"""Shared by the model scripts in this folder: seeds, export to ONNX, recording of outputs, and the check with onnxruntime.

Each script trains one model and calls `save`, which writes ../NAME/model.onnx and ../NAME/data.npz.
Go next to digits.py, the shortest complete example.
"""
import pathlib
import random
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import torch

warnings.filterwarnings("ignore")
MODELS = pathlib.Path(__file__).resolve().parent.parent


def seed(value=0):
    """Every random source, and one thread, so that a rerun on one machine gives the same weights."""
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)
    torch.set_num_threads(1)


def train(net, loss_of_batch, count, epochs, batch=64, lr=2e-3, weight_decay=1e-4):
    """AdamW with a one-cycle learning rate; loss_of_batch(indices) returns the loss of those samples."""
    steps = epochs * ((count + batch - 1) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for indices in torch.randperm(count).split(batch):
            optimiser.zero_grad()
            loss_of_batch(indices).backward()
            optimiser.step()
            schedule.step()
    net.eval()
    return net


def save(name, net, inputs, outputs, opset, dynamic, trace=None, **more):
    """Exports net and records its answers.

    name     folder below tests/data/models
    inputs   {input name: float or integer tensor}: the recorded samples
    outputs  list of output names, in the order the net returns them
    opset    ONNX operator set to export
    dynamic  {input or output name: {axis: symbol}}
    trace    inputs to trace with, when they should differ in size from the recorded ones
    more     further arguments of torch.onnx.export
    """
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    net.eval()
    traced = trace if trace is not None else {k: v[:2] for k, v in inputs.items()}
    torch.onnx.export(net, tuple(traced.values()), str(path), input_names=list(inputs), output_names=outputs,
                      opset_version=opset, dynamic_axes=dynamic, dynamo=False, **more)
    model = onnx.load(str(path))
    for node in model.graph.node:  # the exporter's source locations would name the machine the model was made on
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    record(name, net, inputs, outputs)


def record(name, net, inputs, outputs):
    """Writes data.npz from PyTorch's answers, then checks that onnxruntime agrees and that inputs matter."""
    folder = MODELS / name
    with torch.no_grad():
        answers = net(*inputs.values())
    answers = answers if isinstance(answers, tuple) else (answers,)
    arrays = {f"in_{k}": v.numpy() for k, v in inputs.items()}
    arrays |= {f"out_{k}": v.numpy() for k, v in zip(outputs, answers)}
    np.savez_compressed(folder / "data.npz", **arrays)

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    feeds = {k: v.numpy() for k, v in inputs.items()}
    for output, got in zip(outputs, session.run(outputs, feeds)):
        want = arrays[f"out_{output}"]
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
        assert got.shape == want.shape and np.ptp(want, axis=0).max() > 1e-3, "outputs must depend on inputs"
    one = {k: v[:1] for k, v in feeds.items()}
    for output, got in zip(outputs, session.run(outputs, one)):
        np.testing.assert_allclose(got, arrays[f"out_{output}"][:1], rtol=1e-4, atol=1e-5)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: {size // 1024} KiB, " + ", ".join(f"{k} {list(v.shape)}" for k, v in arrays.items()))
