# Makes tests/data/torch/safetensors: files that the safetensors package and torch write, and crc.txt with the CRC-32 of every tensor's
# dense bytes. Needs torch and safetensors. Usage: python safetensors_files.py OUT
import json
import os
import sys
import zlib

import torch
from safetensors.torch import load_file, save_file, save_model

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
torch.manual_seed(0)
lines = []


def crc(t):
    return zlib.crc32(t.detach().contiguous().view(torch.uint8).numpy().tobytes() if t.numel() else b"")


def record(name, tensors):
    for key, t in tensors.items():
        t = t.reshape(1) if t.dim() == 0 else t
        lines.append(f"{name} {key} {crc(t):08x}")


types = {
    str(t).split(".")[1]: torch.arange(6).reshape(2, 3).to(t)
    for t in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
        torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2,
    )
}
types["scalar"] = torch.tensor(2.5)
types["empty"] = torch.zeros(0, 4)
save_file(types, f"{out}/types.safetensors", {"format": "pt", "note": "all types"})
record("types.safetensors", types)


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(5, 3)
        self.head = torch.nn.Linear(3, 5, bias=False)
        self.head.weight = self.embed.weight


save_model(Tied(), f"{out}/tied.safetensors")
record("tied.safetensors", load_file(f"{out}/tied.safetensors"))

weights = {"a.weight": torch.randn(3, 4), "a.bias": torch.randn(3), "b.weight": torch.randn(2, 3), "b.bias": torch.randn(2)}
for kind, write in (("model", save_file), ("pytorch_model", torch.save)):
    end = "safetensors" if kind == "model" else "bin"
    shards = [f"{kind}-{i:05}-of-00002.{end}" for i in (1, 2)]
    write({k: v for k, v in weights.items() if k[0] == "a"}, f"{out}/{shards[0]}")
    write({**{k: v for k, v in weights.items() if k[0] == "b"}, "extra": torch.zeros(1)}, f"{out}/{shards[1]}")
    index = {"metadata": {"total_size": 92}, "weight_map": {k: shards[k[0] == "b"] for k in sorted(weights)}}
    with open(f"{out}/{kind}.{end}.index.json", "w") as f:
        f.write(json.dumps(index, indent=2, sort_keys=True) + "\n")
    record(f"{kind}.{end}.index.json", weights)
with open(f"{out}/crc.txt", "w") as f:
    f.write("\n".join(lines) + "\n")
