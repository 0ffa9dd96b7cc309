#!/usr/bin/env python3
"""Random checkpoints, saved by torch in every way it can, listed by `tern inspect --json --checksum` and compared with torch's own view.

    torch_listings.py TERN [--count 500] [--seed 1] [--keep DIR]       (needs torch; by hand, not part of the tests)
"""
import argparse, collections, json, os, pickle, random, subprocess, sys, tempfile, warnings, zipfile, zlib

import numpy as np
import torch
from torch import nn

NAMES = {torch.float64: "f64", torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.int8: "i8", torch.int16: "i16",
         torch.int32: "i32", torch.int64: "i64", torch.uint8: "u8", torch.bool: "bool", torch.uint16: "u16", torch.uint32: "u32",
         torch.uint64: "u64"}
ODD = [torch.complex64, torch.complex128, torch.complex32, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz]


def random_tensor(r):
    dtype = r.choice([torch.float32] * 4 + list(NAMES) + ODD)
    shape = [r.choice([0, 1, 1, 2, 3, 4, 5]) for _ in range(r.choice([0, 1, 1, 2, 2, 3, 4]))]
    count = max(1, int(np.prod(shape)))
    raw = torch.tensor([r.randrange(256) for _ in range(count * dtype.itemsize)], dtype=torch.uint8)
    if dtype == torch.bool:
        t = raw % 2 == 0
    else:
        t = raw.view(dtype)
    t = t[: int(np.prod(shape))].reshape(shape)
    kind = r.randrange(10)
    if kind == 0 and t.dim() >= 2: t = t.transpose(0, 1)
    if kind == 1 and t.dim() >= 1 and t.shape[0] > 1: t = t[1:]
    if kind == 2 and t.dim() >= 1: t = t.unsqueeze(0).expand([2] + list(t.shape))
    if kind == 3 and t.dim() >= 1 and t.shape[-1] > 2: t = t[..., ::2]
    if kind == 4 and t.dim() == 4: t = t.contiguous(memory_format=torch.channels_last)
    if kind == 5 and t.dtype in (torch.complex64, torch.complex128): t = t.conj()
    if kind == 6 and t.dtype in (torch.complex64, torch.complex128): t = t.conj().imag if r.random() < 0.5 else t.real
    if kind == 7 and t.dtype == torch.float32: t = nn.Parameter(t, requires_grad=r.random() < 0.5)
    if kind == 8 and t.dtype == torch.float32:
        t = nn.Parameter(t)
        t.note = "attribute"
    return t


def random_value(r, tensors, depth=0):
    kind = r.randrange(14)
    if tensors and kind == 0: return r.choice(tensors)
    if kind < 7:
        tensors.append(random_tensor(r))
        return tensors[-1]
    if depth < 3 and kind == 7: return collections.OrderedDict((f"k{i}.w", random_value(r, tensors, depth + 1)) for i in range(r.randrange(5)))
    if depth < 3 and kind == 8: return {r.choice([i, f"key{i}", i % 2 == 0]): random_value(r, tensors, depth + 1) for i in range(r.randrange(5))}
    if depth < 3 and kind == 9: return [random_value(r, tensors, depth + 1) for _ in range(r.randrange(4))]
    if depth < 3 and kind == 10: return tuple(random_value(r, tensors, depth + 1) for _ in range(r.randrange(4)))
    return r.choice([None, 3, -5, 2**40, 2**70, 1.5, "text", "Ünïcode", b"bytes", True, {1, 2}, complex(1, 2), torch.Size([2, 3]), torch.float16,
                     torch.device("cpu"), np.float32(3), np.arange(4), slice(1, 2), range(3), collections.Counter("ab"), bytearray(b"xy")])


def random_module(r):
    layers = [nn.Linear(3, 4), nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm1d(4), nn.LSTM(3, 2, bidirectional=True), nn.ReLU(), nn.Embedding(5, 3),
              nn.MultiheadAttention(4, 2), nn.TransformerEncoderLayer(4, 2, 8), nn.GroupNorm(2, 4), nn.Sequential(nn.Linear(2, 2), nn.Tanh()),
              nn.ParameterList([nn.Parameter(torch.ones(2))]), nn.ModuleDict({"a": nn.Linear(1, 1)}), nn.DataParallel(nn.Linear(2, 2))]
    return nn.Sequential(*(r.choice(layers) for _ in range(r.randrange(1, 6))))


def random_checkpoint(r):
    kind, tensors = r.randrange(6), []
    if kind == 0: return random_module(r)
    if kind == 1: return random_module(r).state_dict()
    if kind == 2:
        m = random_module(r)
        parameters = list(m.parameters()) or [nn.Parameter(torch.ones(1))]
        o = torch.optim.Adam(parameters)
        for p in parameters: p.grad = torch.ones_like(p)
        o.step()
        return {"epoch": 3, "model": m.state_dict(), "optimizer": o.state_dict(), "loss": torch.tensor(1.0), "again": m.state_dict()}
    if kind == 3: return random_tensor(r)
    return {f"n{i}": random_value(r, tensors) for i in range(r.randrange(8))}


def listing(value, path=()):
    """What tern lists: nested keys joined with dots; a module as its state_dict."""
    if isinstance(value, torch.Tensor):
        yield ".".join(path), value
    elif isinstance(value, nn.Module):
        for name, t in value.state_dict().items(): yield ".".join(path + (name,)), t
    elif isinstance(value, dict):
        for k, v in value.items(): yield from listing(v, path + (str(k),))
    elif isinstance(value, (list, tuple)):
        for i, v in enumerate(value): yield from listing(v, path + (str(i),))


def expected(name, t):
    t = t.detach().resolve_conj().resolve_neg().contiguous()
    raw = t.flatten().view(torch.uint8).numpy().tobytes() if t.numel() else b""
    dtype = NAMES.get(t.dtype, str(t.dtype).removeprefix("torch."))
    return {"name": name, "dtype": dtype, "shape": list(t.shape), "bytes": t.numel() * t.dtype.itemsize, "crc32": zlib.crc32(raw)}


def rezip(path, r):
    """The same archive under another root, deflated, in another order."""
    with zipfile.ZipFile(path) as z: members = [(n.split("/", 1)[1], z.read(n)) for n in z.namelist()]
    r.shuffle(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members: z.writestr("other/" + name, data)


def save(value, path, r):
    kind = r.randrange(6)
    protocol = r.choice([2, 2, 2, 3, 4, 5])
    if kind < 2: torch.save(value, path, pickle_protocol=protocol)
    elif kind < 4: torch.save(value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    elif kind == 4:
        with open(path, "wb") as f: torch.save(value, f, pickle_protocol=protocol)
        rezip(path, r)
    else:
        with open(path, "wb") as f: pickle.dump(value, f, protocol=protocol)
    return ["zip", "zip", "legacy", "legacy", "rezipped", "bare pickle"][kind] + f", protocol {protocol}"


warnings.filterwarnings("ignore")


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("tern")
    a.add_argument("--count", type=int, default=500)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--keep")
    o = a.parse_args()
    folder = o.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    failed = tensors = 0
    for i in range(o.count):
        r = random.Random(o.seed * 100003 + i)
        torch.manual_seed(i)
        value = random_checkpoint(r)
        path = os.path.join(folder, f"{i}.pt")
        how = save(value, path, r)
        want = [expected(n, t) for n, t in listing(value)]
        done = subprocess.run([o.tern, "inspect", "--json", "--checksum", path], capture_output=True, text=True)
        got = json.loads(done.stdout)["tensors"] if done.returncode == 0 else done.stderr
        tensors += len(want)
        if got != want:
            failed += 1
            wrong = got if isinstance(got, str) else [(g, w) for g, w in zip(got + [None] * len(want), want + [None] * len(got)) if g != w][:2]
            print(f"{path} ({how}): {wrong}")
    print(f"{o.count - failed} passed, {failed} failed, {tensors} tensors")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
