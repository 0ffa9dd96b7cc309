# What torch says is in a checkpoint, in the words of `tern inspect --json --checksum`: name, dtype, shape, bytes, CRC-32 of the dense
# little-endian bytes. Used by checkpoints.py and random_checkpoints.py.
import zlib
import torch
from torch import nn

NAMES = {"float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16", "int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8",
         "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64"}


def dense_bytes(t):
    t = t.detach()
    if getattr(t, "is_quantized", False):
        t = t.int_repr()
    if hasattr(t, "resolve_conj"):
        t = t.resolve_conj().resolve_neg()
    t = t.contiguous().clone()
    return t.reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""


def entry(name, t):
    dtype, data = str(t.dtype)[len("torch."):], dense_bytes(t)
    return dict(name=name, dtype=NAMES.get(dtype, dtype), shape=list(t.shape), bytes=len(data), crc32=zlib.crc32(data))


def listing(obj, name="", out=None):
    out = [] if out is None else out
    at = lambda key: (name + "." if name else "") + str(key)
    if isinstance(obj, torch.Tensor):
        out.append(entry(name, obj))
    elif isinstance(obj, nn.Module):
        out.extend(entry(at(k), v) for k, v in obj.state_dict(keep_vars=True).items() if isinstance(v, torch.Tensor))
    elif isinstance(obj, dict):
        for k, v in obj.items():
            listing(v, at(k), out)
    elif isinstance(obj, (list, tuple)):
        for i, v in enumerate(obj):
            listing(v, at(i), out)
    return out


def lines(obj):
    return "".join(f"{e['name']}|{e['dtype']}|{'x'.join(map(str, e['shape']))}|{e['bytes']}|{e['crc32']:08x}\n" for e in listing(obj))
