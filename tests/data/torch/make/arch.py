"""Makes tests/data/torch/arch: what print(model) shows of many models, and small programs (a printed tree and forwards as they stand in
Python) with weights, inputs and what torch answers. Needs torch, safetensors and torchvision.

Usage: arch.py [NAME...]    all of them, or the programs of these names
"""
import inspect
import os
import re
import sys
import textwrap

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

from arch_programs import programs

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "arch")


def forward_of(cls, name):
    """def forward of a class, for use outside of it: def Block.forward(self, x)"""
    text = textwrap.dedent(inspect.getsource(cls.forward))
    return text.replace("def forward(", "def %sforward(" % (name + "." if name else ""), 1)


def architecture(model, style):
    seen = []
    for m in model.modules():
        if type(m).__module__ == "arch_programs" and type(m) not in seen:
            seen.append(type(m))
    parts = [str(model)]
    for cls in seen:
        if "forward" not in cls.__dict__ and style != "class":
            continue
        if style == "class":
            parts.append(inspect.getsource(cls))
        elif cls is type(model):
            parts.append(forward_of(cls, ""))
        else:
            parts.append(forward_of(cls, cls.__name__))
    parts += [inspect.getsource(f) for f in getattr(type(model), "helpers", [])]
    return "\n\n".join(parts) + "\n"


def stable(text):
    """Addresses of functions differ from run to run."""
    return re.sub("0x[0-9a-f]+", "0x7f00", text)


def flat(value, name, out):
    if isinstance(value, torch.Tensor):
        out[name] = value.contiguous().clone()
    elif isinstance(value, dict):
        for key, item in value.items():
            flat(item, key if name == "output" else name + "_" + key, out)
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            flat(item, "%s_%d" % (name, i), out)
    elif isinstance(value, int):
        out[name] = torch.tensor(value)


def make(cls):
    torch.manual_seed(sum(map(ord, cls.__name__)))
    model = cls().eval()
    for p in list(model.parameters()) + [b for b in model.buffers() if b.dtype.is_floating_point]:
        with torch.no_grad():
            p.copy_(torch.rand(p.shape) * 1.0 - 0.4)
    for name, b in model.named_buffers():
        if name.endswith("running_var"):
            b.copy_(torch.rand(b.shape) + 0.5)
    inputs = cls.inputs()
    tensors = {"weight:" + k: v.contiguous().clone() for k, v in model.state_dict().items()}
    for name, v in inputs.items():
        tensors["in:" + name] = v.contiguous().clone()
    outputs = {}
    with torch.no_grad():
        flat(model(**{k: v.clone() for k, v in inputs.items()}), "output", outputs)
    tensors.update({"out:" + k: v for k, v in outputs.items()})
    path = os.path.join(HERE, "programs", cls.__name__.lower())
    save_file(tensors, path + ".safetensors")
    with open(path + ".txt", "w") as f:
        text = stable(getattr(cls, "text", None) or architecture(model, getattr(cls, "style", "class")))
        f.write(text.replace("MultiheadAttention(\n", "MultiheadAttention(num_heads=2, batch_first=True,\n"))  # print does not show them


def main():
    names = sys.argv[1:]
    for cls in programs():
        if not names or cls.__name__ in names:
            make(cls)
    if names:
        return
    from arch_models import printed
    for name, model in printed():
        with open(os.path.join(HERE, "prints", name + ".txt"), "w") as f:
            f.write(stable(str(model)) + "\n")


if __name__ == "__main__":
    main()
