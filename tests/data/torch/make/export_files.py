# Makes tests/data/torch/export: programs that torch.export saved, each with an .npz of inputs (in_NAME) and of what the module's eval()
# gives (out_NAME), named as tern names them. Run once with every torch version of the files: python export_files.py OUT [CASE...]
# Files are CASE-VERSION.pt2, and CASE-VERSION-aten.pt2 after run_decompositions. A case that a version cannot export is left out.
import os
import sys

import numpy
import torch
from torch import nn
from torch.export import Dim, export
from torch.nn import functional as F

from strip import strip

out, only = sys.argv[1], sys.argv[2:]
version = ".".join(torch.__version__.split("+")[0].split(".")[:2])
batch = Dim("batch", min=2, max=64)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        return F.softmax(self.fc2(self.drop(F.relu(self.fc1(x)))) * 2, dim=-1)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, groups=2), nn.SiLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 3)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.uniform_(-1, 1)
                m.running_var.uniform_(0.5, 2)

    def forward(self, image):
        return self.fc(torch.flatten(self.pool(self.body(image)), 1))


class Rnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.lstm = nn.LSTM(4, 3, num_layers=2, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(6, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)

    def forward(self, tokens):
        h, (hn, cn) = self.lstm(self.embed(tokens))
        y, _ = self.gru(h)
        return self.fc(y[:, -1]), hn


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        return self.head(self.encoder(self.embed(tokens)))


class Structures(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.arange(3.0), persistent=False)
        self.register_buffer("scale", torch.arange(1.0, 4.0))
        self.fixed = torch.ones(3) * 0.5

    def forward(self, x, parts, flag=True):
        a, (b, c) = parts["a"], parts["rest"]
        y = x * self.scale + self.shift + self.fixed
        if flag:
            y = y + a
        return {"sum": y, "pair": [b - c, b * c]}, y, x, self.scale


class NoGrad(nn.Module):
    def forward(self, x):
        with torch.no_grad():
            y = x * 2 + 1
            z = torch.sigmoid(y)
        return y - z, z


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.tensor(0))
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        self.calls.add_(1)
        y = self.fc(x)
        y.add_(1).mul_(2)
        F.relu_(y)
        y[y > 3] = 0.5
        z = torch.zeros_like(y)
        z += y
        return z.clamp_(max=2.5)


class Sizes(nn.Module):
    def forward(self, x, y):
        n, t = x.shape[0], x.shape[1]
        a = x.reshape(n * t, 4).view(n, -1)
        b = torch.cat([y, y[: n // 2 * 0 + 1]], 0)
        return a, b.sum(1), x.new_zeros(n, t + 1) + torch.arange(t + 1, device=x.device), x.unflatten(2, (2, 2)).flatten(1, 2)


class Derived(nn.Module):
    def forward(self, x, y):
        return x + y[::2], y.view(2, -1, 3)


class Upscale(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 6, 2, stride=2)
        self.norm = nn.GroupNorm(2, 6)
        self.act = nn.PReLU(6)
        self.last = nn.Conv2d(6, 4, 3, padding="same")

    def forward(self, x):
        y = self.act(self.norm(self.up(x)))
        y = F.interpolate(y, scale_factor=2, mode="nearest")
        return F.pixel_shuffle(self.last(y), 2)


class Kinds(nn.Module):
    def forward(self, x, i):
        m = x > 0.5
        return m, i + 1, x.to(torch.float16), torch.where(m, x, -torch.inf), x.argmax(1), x.topk(2).values, m, i.float() / 2


class Branches(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda v: v * 2, lambda v: v - 1, (x,))


cases = {
    "mlp": (Mlp, lambda: (torch.randn(5, 4),), {"x": {0: batch}}),
    "cnn": (Cnn, lambda: (torch.randn(3, 2, 10, 10),), {"image": {0: batch}}),
    "rnn": (Rnn, lambda: (torch.randint(0, 10, (3, 4)),), None),
    "transformer": (Transformer, lambda: (torch.randint(0, 12, (3, 5)),), {"tokens": {0: batch, 1: Dim("length", max=100)}}),
    "structures": (Structures, lambda: (torch.randn(2, 3), {"a": torch.randn(2, 3), "rest": (torch.randn(4), torch.randn(4))}, True), None),
    "no_grad": (NoGrad, lambda: (torch.randn(2, 3),), None),
    "in_place": (InPlace, lambda: (torch.randn(4, 3),), None),
    "sizes": (Sizes, lambda: (torch.randn(3, 5, 4), torch.randn(3, 2)), {"x": {0: batch, 1: Dim("t", max=9)}, "y": {0: batch}}),
    "derived": (Derived, lambda: (torch.randn(3, 3), torch.randn(6, 3)), {"x": {0: batch}, "y": {0: 2 * batch}}),
    "upscale": (Upscale, lambda: (torch.randn(1, 3, 4, 5),), None),
    "kinds": (Kinds, lambda: (torch.rand(3, 4), torch.arange(3)), None),
    "branches": (Branches, lambda: (torch.randn(2, 3),), None),
}
# What a version is asked for beyond the newest, which is asked for everything in both dialects.
older = {"2.3": ["mlp", "cnn", "transformer", "structures"], "2.5": ["mlp", "cnn", "in_place", "structures"], "2.6": ["mlp", "no_grad", "rnn", "sizes"],
         "2.8": ["mlp", "cnn", "transformer", "structures", "derived"]}


def named(value, name):
    if isinstance(value, torch.Tensor):
        return {name: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    result = {}
    for key, item in items:
        result.update(named(item, str(key) if name in ("output", "") and isinstance(value, dict) else f"{name}_{key}"))
    return result


def arguments(model, args):
    names = list(model.forward.__code__.co_varnames[1 : 1 + len(args)])
    if version == "2.3":  # which does not keep them
        names = ["input"] if len(names) == 1 else [f"input_{i}" for i in range(len(names))]
    result = {}
    for name, value in zip(names, args):
        if not isinstance(value, bool):
            result.update(named(value, name))
    return result


os.makedirs(out, exist_ok=True)
for case in only or older.get(version, list(cases)):
    cls, make, dynamic = cases[case]
    torch.manual_seed(1)
    model = cls().eval()
    args = make()
    arrays = {"in_" + k: v for k, v in arguments(model, args).items()}
    try:
        program = export(model, args, dynamic_shapes=dynamic)
        for dialect in ("", "-aten"):
            if dialect:
                program = program.run_decompositions()
                if (version in older and case not in ("mlp", "cnn")) or case == "rnn":  # unrolled: 600 KB
                    continue
            stem = f"{out}/{case}-{version}{dialect}"
            torch.export.save(program, stem + ".pt2")
            strip(stem + ".pt2")
    except Exception as error:
        print(case, "left out:", type(error).__name__, str(error).splitlines()[0][:200])
        continue
    with torch.no_grad():
        arrays.update({"out_" + k: v for k, v in named(model(*args), "output").items()})
    numpy.savez(f"{out}/{case}-{version}.npz", **{k: v.detach().numpy() for k, v in arrays.items()})
