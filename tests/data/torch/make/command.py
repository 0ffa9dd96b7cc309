# Files of one small model as training leaves them, for tests/tools/command.sh and tests/loaders/torch_builder.cpp.
# Usage: python3 command.py (torch 2.14.1, safetensors); writes ../command.
import os
import collections

import numpy as np
import torch
from torch import nn

from strip import strip
from safetensors.torch import save_file

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "command")
os.makedirs(out, exist_ok=True)
os.chdir(out)
torch.manual_seed(7)


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(n, n, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(n)

    def forward(self, x):
        return x + torch.relu(self.bn(self.conv(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2)
        self.blocks = nn.Sequential(Block(4), Block(4))
        self.scale = nn.Parameter(torch.rand(4, 1, 1))
        self.head = nn.Linear(36, 3)

    def forward(self, x):
        x = self.blocks(self.stem(x)) * self.scale
        return torch.softmax(self.head(x.flatten(1)), dim=-1)


forwards = """
class Block(nn.Module):
    def forward(self, x):
        return x + torch.relu(self.bn(self.conv(x)))

class Net(nn.Module):
    def forward(self, x):
        x = self.blocks(self.stem(x)) * self.scale
        return torch.softmax(self.head(x.flatten(1)), dim=-1)
"""


def random_net():
    net = Net()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.uniform_(-1, 1)
            m.running_var.uniform_(0.5, 2)
    return net.eval()


net, other = random_net(), random_net()
weights = net.state_dict()
for k in weights:
    weights[k] = weights[k].clone()  # the optimizer below changes the network's own
x = torch.randn(2, 1, 8, 8)
with torch.no_grad():
    np.savez("net.npz", in_x=x.numpy(), out_output=net(x).numpy())
    np.savez("other.npz", in_x=x.numpy(), out_output=other(x).numpy())
np.save("x.npy", x.numpy())

torch.save(weights, "net.pth")
with open("net.txt", "w") as f:
    f.write(repr(net) + "\n" + forwards)
with open("forwards.txt", "w") as f:
    f.write(forwards)
save_file({k: v.contiguous() for k, v in weights.items()}, "net.safetensors")


def prefixed(prefix):
    return collections.OrderedDict((prefix + k, v) for k, v in weights.items())


torch.save(nn.DataParallel(net).state_dict(), "parallel.pth")
torch.save(prefixed("module._orig_mod."), "compiled.pth")
torch.save({"epoch": 3, "state_dict": prefixed("model."), "hyper_parameters": {"lr": 0.1},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5), "best_k_models": {"epoch=3.ckpt": torch.tensor(0.5)}}},
            "optimizer_states": [torch.optim.Adam(net.parameters()).state_dict()], "lr_schedulers": [], "pytorch-lightning_version": "2.5.0"}, "lightning.ckpt")
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net.train()
net(x).sum().backward()
optimizer.step()
net.eval()
net.load_state_dict(weights)
torch.save({"epoch": np.int64(3), "model": weights, "ema": other.state_dict(), "optimizer": optimizer.state_dict()}, "training.pth")
mixed = dict(weights)
mixed.update(epoch=3, date="today")
torch.save(mixed, "mixed.pth")

broken = collections.OrderedDict(weights)
del broken["stem.weight"], broken["blocks.1.bn.running_var"]
broken["extra.weight"] = torch.zeros(2)
torch.save(broken, "missing.pth")
wrong = collections.OrderedDict(weights)
wrong["head.weight"] = torch.zeros(36, 3)
torch.save(wrong, "mismatch.pth")
errors = []
for bad in (broken, wrong):
    try:
        Net().load_state_dict(bad)
    except RuntimeError as e:
        errors.append(" ".join(str(e).split()))
with open("errors.txt", "w") as f:  # what torch says, whitespace made one blank
    f.write("\n".join(errors) + "\n")

torch.save(net, "whole.pth")


def only_our_source(cls, *args):
    if cls.__module__.startswith("torch."):
        raise OSError("torch's own source stays out of the file")
    return source_of(cls, *args)


source_of = torch.serialization.get_source_lines_and_file
torch.serialization.get_source_lines_and_file = only_our_source
torch.save(net, "legacy.pth", _use_new_zipfile_serialization=False)
strip("legacy.pth")
torch.manual_seed(1)
chain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
torch.save(chain, "chain.pth")
with torch.no_grad():
    v = torch.randn(5, 4)
    np.savez("chain.npz", in_input=v.numpy(), out_output=chain(v).numpy())


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/tern-was-here",))


torch.save({"weight": torch.zeros(2, 2), "evil": Evil()}, "evil.pth")
