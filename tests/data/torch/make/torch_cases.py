"""Cases of modules and operators with the answers of torch, for tests/loaders/torch_rnn.cpp and torch_attention.cpp.

A file is torch.save of {name: case}. A case has
  module   the module itself (pickled whole), or
  op       the spelling of an operator ("aten.lstm.input");
  tree     how the module is written in an architecture file: what print(model) shows, with the arguments that it hides
  short    the same as a constructor alone
  args, kwargs   of the call: tensors, numbers, None, lists
  out      the tensors of the result, flattened, without what is None
  symbols  dimensions of inputs that are symbols when the case runs with free ones: "3=batch 5=seq 6=2*batch"
All tensors of a file are views of one storage, and its pickle is deflated, so that files stay small.
"""
import io
import re
import zipfile

import torch

SYMBOLS = "3=batch 5=seq 6=2*batch"


def flatten(value):
    if value is None:
        return []
    if isinstance(value, torch.Tensor):
        return [value.detach()]
    return [t for item in value for t in flatten(item)]


def randomize(module, generator):
    """Every parameter, biases and norms too, so that each matters."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(torch.randn(p.shape, generator=generator) * 0.4)
            if "norm" in name and name.endswith("weight"):
                p.add_(1)
    return module.eval()


def printed(module, **written):
    """print(module) with arguments written into every class of these names: printed(m, MultiheadAttention="num_heads=2")."""
    text = str(module)
    for cls, arguments in written.items():
        text = re.sub(rf"\b{cls}\(", f"{cls}({arguments}" + (", " if f"{cls}()" in text else ""), text)
        text = text.replace(", )", ")")
    return text


def module_case(module, args, kwargs=None, tree=None, short=None, symbols=SYMBOLS):
    # With gradients on torch computes layer by layer, without its fast path for inference.
    with torch.enable_grad():
        out = module(*args, **(kwargs or {}))
    case = {"module": module, "args": list(args), "kwargs": kwargs or {}, "out": flatten(out), "symbols": symbols}
    if tree:
        case["tree"] = tree
    if short:
        case["short"] = short
    return case


def op_case(spelling, op, args, kwargs=None, symbols=SYMBOLS):
    with torch.no_grad():
        out = op(*args, **(kwargs or {}))
    return {"op": spelling, "args": list(args), "kwargs": kwargs or {}, "out": flatten(out), "symbols": symbols}


def save(cases, path):
    """One storage for all f32 tensors; the pickle deflated."""
    tensors = []

    def visit(value):
        if isinstance(value, torch.nn.Module):
            for p in value.parameters():
                tensors.append(p)
        elif isinstance(value, torch.Tensor):
            if value.dtype == torch.float32:
                tensors.append(value)
        elif isinstance(value, dict):
            for item in value.values():
                visit(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                visit(item)

    visit(cases)
    flat = torch.cat([t.detach().reshape(-1) for t in tensors])
    at = 0
    for t in tensors:
        t.data = flat[at:at + t.numel()].view(t.shape)
        at += t.numel()
    buffer = io.BytesIO()
    torch.save(cases, buffer)
    with zipfile.ZipFile(buffer) as original, zipfile.ZipFile(path, "w") as out:
        for info in original.infolist():
            packed = info.filename.endswith("data.pkl")
            entry = zipfile.ZipInfo(info.filename, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            out.writestr(entry, original.read(info))
    print(path, len(cases), "cases")
