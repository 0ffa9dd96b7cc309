#!/usr/bin/env python3
"""Records layers of torch.nn for tests/loaders/torch_nn.cpp: nn.py DIRECTORY (tests/data/torch/nn).

A family is two files. FAMILY.pt is a whole pickled ModuleDict of its cases ("c0", "c1" ...), saved in training mode.
FAMILY.npz has of each case: its constructor as text, what print() shows, the state_dict's names and shapes, inputs, and the
outputs of eval mode.
"""
import sys

import numpy as np
import torch
from torch import nn

directory = sys.argv[1]
generator = torch.Generator().manual_seed(20)


def f(*shape):
    return torch.randn(shape, generator=generator)


def ids(limit, *shape):
    return torch.randint(0, limit, shape, generator=generator)


def text(s):
    return np.frombuffer(s.encode(), dtype=np.uint8)


def fill(module):
    """Weights that are no defaults."""
    for name, tensor in list(module.named_parameters()) + list(module.named_buffers()):
        if not tensor.is_floating_point():
            continue
        with torch.no_grad():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            else:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.5)


def flat(value):
    return [value] if isinstance(value, torch.Tensor) else [t for v in value for t in flat(v)]


def record(family, cases):
    modules, arrays = nn.ModuleDict(), {}
    for i, (constructor, inputs) in enumerate(cases):
        name = f"c{i}"
        module = eval(constructor, {**vars(nn), "torch": torch}) if isinstance(constructor, str) else constructor
        fill(module)
        module.eval()
        with torch.no_grad():
            outputs = flat(module(*[t.clone() for t in inputs]))  # some change their input
        modules[name] = module.train()
        arrays[name + ".constructor"] = text(constructor if isinstance(constructor, str) else "")
        arrays[name + ".repr"] = text(repr(module))
        arrays[name + ".keys"] = text("".join(f"{k} {list(v.shape)}\n" for k, v in module.state_dict().items()))
        for kind, tensors in (("in", inputs), ("out", outputs)):
            for n, tensor in enumerate(tensors):
                arrays[f"{name}.{kind}{n}"] = tensor.numpy()
    torch.save(modules, f"{directory}/{family}.pt")
    np.savez_compressed(f"{directory}/{family}.npz", **arrays)


offsets = torch.tensor([0, 3, 3])
record("linear", [
    ("Linear(5, 3)", [f(2, 5)]),
    ("Linear(5, 3, bias=False)", [f(4, 2, 5)]),
    ("Linear(in_features=5, out_features=3)", [f(5)]),
    ("Bilinear(3, 4, 2)", [f(2, 3), f(2, 4)]),
    ("Bilinear(3, 4, 2, bias=False)", [f(2, 5, 3), f(2, 5, 4)]),
    ("Embedding(10, 3)", [ids(10, 2, 4)]),
    ("Embedding(10, 3, padding_idx=2, norm_type=1.0, scale_grad_by_freq=True)", [ids(10, 7)]),
    ("Embedding(10, 3, 9, None, 2.0, False, True)", [ids(10, 2, 1, 3)]),
    ("EmbeddingBag(10, 3)", [ids(10, 2, 4)]),
    ("EmbeddingBag(10, 3, mode='sum')", [ids(10, 3, 5)]),
    ("EmbeddingBag(10, 3, mode='max')", [ids(10, 2, 4)]),
    ("EmbeddingBag(10, 3, mode='mean', padding_idx=1)", [torch.tensor([[1, 2, 3, 1], [4, 5, 1, 6]])]),
    ("EmbeddingBag(10, 3, mode='sum')", [ids(10, 7), offsets]),
    ("EmbeddingBag(10, 3)", [ids(10, 7), offsets]),
    ("EmbeddingBag(10, 3, mode='max')", [ids(10, 7), offsets]),
    ("EmbeddingBag(10, 3, mode='sum', include_last_offset=True)", [ids(10, 7), torch.tensor([0, 3, 3, 7])]),
    ("EmbeddingBag(10, 3, mode='sum')", [ids(10, 7), offsets, f(7)]),
    ("Linear(5, 3, True)", [f(2, 3, 5)]),
])
record("conv", [
    ("Conv1d(3, 4, 3)", [f(2, 3, 9)]),
    ("Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False)", [f(1, 4, 11)]),
    ("Conv1d(4, 4, 4, padding='same', dilation=3)", [f(1, 4, 13)]),
    ("Conv1d(2, 3, 5, padding=2, padding_mode='circular')", [f(2, 2, 9)]),
    ("Conv1d(3, 4, 3)", [f(3, 9)]),
    ("Conv2d(3, 4, 3)", [f(2, 3, 7, 8)]),
    ("Conv2d(3, 4, (3, 2), (2, 1), (1, 2))", [f(2, 3, 7, 8)]),
    ("Conv2d(4, 4, kernel_size=3, stride=(1, 2), padding=(0, 1), dilation=2, groups=4, bias=False)", [f(1, 4, 9, 9)]),
    ("Conv2d(3, 2, 3, padding='valid')", [f(1, 3, 6, 6)]),
    ("Conv2d(3, 2, (2, 4), padding='same')", [f(1, 3, 6, 6)]),
    ("Conv2d(3, 2, 3, padding=(1, 2), padding_mode='reflect')", [f(1, 3, 6, 6)]),
    ("Conv2d(3, 2, 4, stride=2, padding='valid', padding_mode='replicate')", [f(1, 3, 6, 7)]),
    ("Conv2d(3, 2, 4, padding='same', padding_mode='replicate')", [f(1, 3, 6, 7)]),
    ("Conv2d(3, 2, 3, stride=2, padding=2, padding_mode='circular')", [f(1, 3, 6, 6)]),
    ("Conv3d(2, 3, 2)", [f(1, 2, 4, 5, 6)]),
    ("Conv3d(2, 4, (1, 2, 3), stride=(1, 2, 1), padding=1, groups=2, padding_mode='reflect')", [f(1, 2, 4, 5, 6)]),
    ("ConvTranspose1d(3, 4, 3)", [f(2, 3, 5)]),
    ("ConvTranspose1d(4, 4, 3, 2, 1, 1, 2, False, 2)", [f(1, 4, 6)]),
    ("ConvTranspose2d(3, 4, 3)", [f(1, 3, 5, 4)]),
    ("ConvTranspose2d(4, 6, (3, 2), stride=2, padding=1, output_padding=(1, 0), groups=2)", [f(2, 4, 5, 4)]),
    ("ConvTranspose2d(3, 2, 2, stride=3, bias=False, dilation=2)", [f(3, 5, 4)]),
    ("ConvTranspose3d(2, 3, 2, stride=(2, 1, 2))", [f(1, 2, 3, 3, 3)]),
])
record("norm", [
    ("BatchNorm1d(4)", [f(3, 4)]),
    ("BatchNorm1d(4, eps=0.1, momentum=None)", [f(3, 4, 5)]),
    ("BatchNorm1d(4, affine=False)", [f(3, 4)]),
    ("BatchNorm1d(4, bias=False)", [f(3, 4)]),
    ("BatchNorm1d(4, track_running_stats=False)", [f(3, 4)]),
    ("BatchNorm2d(3)", [f(2, 3, 4, 5)]),
    ("BatchNorm2d(3, 0.01, 0.2, False)", [f(2, 3, 4, 5)]),
    ("BatchNorm2d(3, affine=False, track_running_stats=False)", [f(2, 3, 4, 5)]),
    ("BatchNorm2d(3, eps=0.5, track_running_stats=False)", [f(2, 3, 4, 5)]),
    ("BatchNorm3d(2)", [f(2, 2, 3, 2, 4)]),
    ("SyncBatchNorm(3)", [f(2, 3, 4)]),
    ("InstanceNorm1d(4)", [f(2, 4, 6)]),
    ("InstanceNorm1d(4, affine=True)", [f(4, 6)]),
    ("InstanceNorm2d(3, eps=0.1, affine=True)", [f(2, 3, 4, 5)]),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", [f(2, 3, 4, 5)]),
    ("InstanceNorm2d(3, track_running_stats=True)", [f(3, 4, 5)]),
    ("InstanceNorm2d(3, affine=True, bias=False)", [f(2, 3, 4, 5)]),
    ("InstanceNorm3d(2)", [f(2, 2, 3, 2, 4)]),
    ("LayerNorm(6)", [f(2, 6)]),
    ("LayerNorm((4, 6), eps=0.1)", [f(2, 3, 4, 6)]),
    ("LayerNorm([6], elementwise_affine=False)", [f(2, 3, 6)]),
    ("LayerNorm(6, bias=False)", [f(2, 3, 6)]),
    ("RMSNorm(6)", [f(2, 6) * 1e-3]),
    ("RMSNorm((4, 6), eps=0.1)", [f(2, 4, 6)]),
    ("RMSNorm(6, elementwise_affine=False)", [f(2, 3, 6)]),
    ("GroupNorm(2, 6)", [f(2, 6, 5)]),
    ("GroupNorm(3, 6, eps=0.1, affine=False)", [f(2, 6, 4, 3)]),
    ("GroupNorm(1, 6, bias=False)", [f(2, 6)]),
    ("LocalResponseNorm(3)", [f(2, 7, 4, 4) * 20]),
    ("LocalResponseNorm(2, alpha=0.1, beta=0.5, k=2.0)", [f(2, 7, 5) * 4]),
    ("LocalResponseNorm(4, 0.1)", [f(1, 6, 3, 3) * 4]),
])
x = torch.linspace(-8, 8, 60).reshape(3, 4, 5)
record("activation", [(c, [x]) for c in (
    "ReLU()", "ReLU(inplace=True)", "ReLU6()", "Sigmoid()", "Tanh()", "Hardtanh()", "Hardtanh(-2.0, 3.5, True)", "Hardtanh(min_val=-0.5, max_val=0.25)",
    "Hardsigmoid()", "Hardswish()", "Hardshrink()", "Hardshrink(2.0)", "Softshrink()", "Softshrink(lambd=1.5)", "Tanhshrink()", "LeakyReLU()",
    "LeakyReLU(0.2)", "LeakyReLU(negative_slope=1.5, inplace=True)", "RReLU()", "RReLU(0.2, 0.5)", "PReLU()", "PReLU(4)", "Threshold(0.5, 20.0)",
    "Threshold(-1, 0)", "ELU()", "ELU(alpha=0.5)", "CELU()", "CELU(2.0)", "SELU()", "GELU()", "GELU(approximate='tanh')", "SiLU()", "Mish()", "GLU(1)",
    "GLU(dim=-2)", "Softplus()", "Softplus(2)", "Softplus(beta=0.5, threshold=1)", "Softsign()", "LogSigmoid()", "Softmax()", "Softmax(1)", "Softmax(dim=-1)",
    "LogSoftmax()", "LogSoftmax(dim=1)", "Softmin()", "Softmin(dim=2)", "Softmax2d()")] + [
    ("Softmax()", [f(3, 5)]), ("LogSoftmax()", [f(2, 3, 2, 2)]), ("Softmin()", [f(4)]), ("Softmax2d()", [f(2, 3, 2, 2)]), ("PReLU(3)", [f(2, 3)]),
    ("GLU()", [f(2, 6)]),
])
record("pool", [
    ("MaxPool1d(3)", [f(2, 3, 10)]),
    ("MaxPool1d(3, stride=2, padding=1, dilation=2, ceil_mode=True)", [f(3, 11)]),
    ("MaxPool2d(2)", [f(2, 3, 7, 8)]),
    ("MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0))", [f(2, 3, 7, 8)]),
    ("MaxPool2d(3, 2, 1, ceil_mode=True)", [f(1, 2, 8, 8)]),
    ("MaxPool2d(2, dilation=(2, 3))", [f(2, 7, 8)]),
    ("MaxPool3d(2)", [f(1, 2, 4, 5, 6)]),
    ("AvgPool1d(3)", [f(2, 3, 10)]),
    ("AvgPool1d(3, 2, 1, True, False)", [f(2, 3, 10)]),
    ("AvgPool2d(2)", [f(2, 3, 7, 8)]),
    ("AvgPool2d(3, stride=2, padding=1)", [f(2, 3, 7, 8)]),
    ("AvgPool2d(3, stride=2, padding=1, count_include_pad=False)", [f(2, 3, 7, 8)]),
    ("AvgPool2d(3, 2, 1, ceil_mode=True)", [f(2, 3, 8, 8)]),
    ("AvgPool2d((2, 3), divisor_override=4)", [f(3, 7, 8)]),
    ("AvgPool3d(2, padding=1)", [f(1, 2, 4, 5, 6)]),
    ("AvgPool3d(2, 1, divisor_override=3)", [f(1, 2, 3, 3, 3)]),
    ("LPPool1d(2, 3)", [f(2, 3, 10)]),
    ("LPPool1d(1, 2)", [f(3, 10)]),
    ("LPPool2d(2, (2, 3), stride=2)", [f(2, 3, 7, 8)]),
    ("LPPool2d(4, 3, 2, True)", [f(2, 3, 8, 8)]),
    ("LPPool2d(1.5, 2)", [f(2, 3, 6, 6).abs()]),
    ("LPPool3d(2, 2)", [f(1, 2, 4, 4, 4)]),
    ("AdaptiveAvgPool1d(4)", [f(2, 3, 10)]),
    ("AdaptiveAvgPool2d(1)", [f(2, 3, 7, 8)]),
    ("AdaptiveAvgPool2d((3, 4))", [f(2, 3, 7, 8)]),
    ("AdaptiveAvgPool2d((None, 2))", [f(3, 7, 8)]),
    ("AdaptiveAvgPool3d((1, 2, 3))", [f(1, 2, 4, 5, 6)]),
    ("AdaptiveMaxPool1d(4)", [f(2, 3, 10)]),
    ("AdaptiveMaxPool2d((3, 4))", [f(2, 3, 7, 8)]),
    ("AdaptiveMaxPool2d(1)", [f(2, 3, 7, 8)]),
    ("AdaptiveMaxPool3d((2, None, 1))", [f(1, 2, 4, 5, 6)]),
    ("Upsample(scale_factor=2)", [f(2, 3, 5)]),
    ("Upsample(size=7)", [f(1, 2, 4, 4)]),
    ("Upsample((5, 9), mode='nearest-exact')", [f(1, 2, 4, 4)]),
    ("Upsample(scale_factor=1.7)", [f(1, 2, 5, 5)]),
    ("Upsample(scale_factor=2.5, mode='linear')", [f(1, 2, 5)]),
    ("Upsample(scale_factor=2, mode='bilinear')", [f(1, 2, 4, 5)]),
    ("Upsample(scale_factor=(1.5, 2.0), mode='bilinear', align_corners=True)", [f(1, 2, 4, 5)]),
    ("Upsample(scale_factor=1.7, mode='bilinear')", [f(1, 2, 5, 5)]),
    ("Upsample(scale_factor=1.7, mode='bilinear', recompute_scale_factor=True)", [f(1, 2, 5, 5)]),
    ("Upsample(size=(7, 3), mode='bicubic')", [f(1, 2, 5, 5)]),
    ("Upsample(scale_factor=2, mode='bicubic', align_corners=True)", [f(1, 2, 4, 4)]),
    ("Upsample(scale_factor=2, mode='trilinear')", [f(1, 1, 2, 3, 4)]),
    ("UpsamplingNearest2d(scale_factor=2)", [f(1, 2, 3, 4)]),
    ("UpsamplingNearest2d(size=5)", [f(1, 2, 3, 4)]),
    ("UpsamplingBilinear2d(scale_factor=2)", [f(1, 2, 3, 4)]),
    ("UpsamplingBilinear2d(size=(5, 6))", [f(1, 2, 3, 4)]),
    ("PixelShuffle(2)", [f(2, 8, 3, 4)]),
    ("PixelUnshuffle(2)", [f(2, 2, 6, 4)]),
    ("ChannelShuffle(3)", [f(2, 6, 3, 4)]),
])
record("shape", [
    ("Flatten()", [f(2, 3, 4, 5)]),
    ("Flatten(0, 1)", [f(2, 3, 4)]),
    ("Flatten(start_dim=2, end_dim=-1)", [f(2, 3, 4, 5)]),
    ("Flatten(end_dim=-2)", [f(2, 3, 4, 5)]),
    ("Unflatten(1, (2, 3))", [f(2, 6, 4)]),
    ("Unflatten(dim=-1, unflattened_size=(2, -1))", [f(2, 3, 6)]),
    ("ConstantPad1d(2, 3.5)", [f(2, 3, 4)]),
    ("ConstantPad1d((3, 1), -1)", [f(3, 4)]),
    ("ConstantPad2d((3, 0, 2, 1), 3.5)", [f(2, 3, 4, 4)]),
    ("ConstantPad2d((-1, 1, 0, -1), 2.0)", [f(2, 3, 4, 4)]),
    ("ConstantPad3d((3, 3, 6, 6, 0, 1), 0.5)", [f(1, 2, 2, 2, 3)]),
    ("ZeroPad1d(2)", [f(2, 3, 4)]),
    ("ZeroPad2d((1, 1, 2, 0))", [f(2, 3, 4, 4)]),
    ("ZeroPad3d(1)", [f(1, 2, 2, 2, 3)]),
    ("ReflectionPad1d((3, 1))", [f(2, 2, 4)]),
    ("ReflectionPad2d((1, 1, 2, 0))", [f(1, 2, 3, 3)]),
    ("ReflectionPad3d(1)", [f(1, 1, 2, 3, 3)]),
    ("ReplicationPad1d(2)", [f(2, 2, 4)]),
    ("ReplicationPad2d((3, 1, 0, 2))", [f(1, 2, 3, 3)]),
    ("ReplicationPad3d((1, 2, 0, 1, 1, 0))", [f(1, 1, 2, 2, 3)]),
    ("CircularPad1d((3, 1))", [f(2, 2, 4)]),
    ("CircularPad2d((1, 2, 2, 0))", [f(1, 2, 3, 3)]),
    ("CircularPad3d(1)", [f(1, 1, 2, 2, 3)]),
    ("Fold((4, 5), (2, 2))", [f(2, 12, 12)]),
    ("Fold(output_size=(6, 6), kernel_size=3, dilation=1, padding=1, stride=2)", [f(1, 9, 9)]),
    ("Unfold((2, 3))", [f(2, 2, 4, 5)]),
    ("Unfold(kernel_size=3, dilation=2, padding=1, stride=2)", [f(1, 2, 8, 7)]),
    ("CosineSimilarity()", [f(3, 4), f(3, 4)]),
    ("CosineSimilarity(dim=-1, eps=3.0)", [f(2, 3, 4), f(2, 3, 4)]),
    ("PairwiseDistance()", [f(3, 4), f(3, 4)]),
    ("PairwiseDistance(p=1, eps=0.5, keepdim=True)", [f(3, 4), f(3, 4)]),
    ("PairwiseDistance(3.0)", [f(3, 4), f(3, 4)]),
])

shared = nn.Linear(4, 4)
tied = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
tied[2].weight = tied[0].weight
norm, spectral = nn.utils.weight_norm, nn.utils.spectral_norm
import warnings
warnings.simplefilter("ignore")
record("container", [
    ("Sequential(Conv2d(1, 2, 3), BatchNorm2d(2), ReLU(), Sequential(MaxPool2d(2), Dropout(0.9)), Flatten(), Linear(8, 3), Identity())", [f(2, 1, 6, 6)]),
    ("Sequential(Identity(54, unused=True), Dropout(), Dropout1d(), Dropout2d(0.2), Dropout3d(), AlphaDropout(), FeatureAlphaDropout(), Linear(4, 2))", [f(2, 4)]),
    (nn.Sequential(shared, nn.Tanh(), shared), [f(2, 4)]),
    (tied, [f(2, 4)]),
    (nn.Sequential(norm(nn.Conv1d(2, 3, 3)), norm(nn.Linear(4, 5), dim=1), norm(nn.Linear(5, 2), dim=None)), [f(1, 2, 6)]),
    (nn.Sequential(spectral(nn.Conv2d(2, 3, 3)), spectral(nn.ConvTranspose2d(3, 3, 2, bias=False))), [f(1, 2, 5, 5)]),
    (nn.Sequential(nn.DataParallel(nn.Linear(4, 2))), [f(3, 4)]),
])

# Weights that are split, as state_dicts: {"s0": ...}, with the printed tree.
P = nn.utils.parametrizations
dicts, arrays = {}, {}
for i, (module, x) in enumerate([
    (nn.Sequential(P.weight_norm(nn.Conv1d(2, 3, 3)), P.weight_norm(nn.Linear(4, 5, bias=False), dim=1)), f(1, 2, 6)),
    (nn.Sequential(P.spectral_norm(nn.Conv2d(2, 3, 3)), P.spectral_norm(nn.ConvTranspose2d(3, 3, 2))), f(1, 2, 5, 5)),
    (nn.Sequential(norm(nn.Conv1d(2, 3, 3)), nn.ReLU(), spectral(nn.Linear(4, 5))), f(1, 2, 6)),
]):
    fill(module)
    module.eval()
    name = f"s{i}"
    dicts[name] = module.state_dict()
    arrays[name + ".repr"] = text(repr(module))
    arrays[name + ".keys"] = text("".join(f"{k}\n" for k in module.state_dict()))
    arrays[name + ".in0"] = x.numpy()
    with torch.no_grad():
        arrays[name + ".out0"] = module(x).numpy()
torch.save(dicts, f"{directory}/split.pt")
np.savez_compressed(f"{directory}/split.npz", **arrays)


# A class of the user's: torch.save(Net()).
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("shift", f(4), persistent=False)
        self.scale = f(4)

    def forward(self, x):
        return torch.relu(self.fc(x)) * self.scale + self.shift


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.head = nn.Linear(4, 2)
        self.unused = Block()

    def forward(self, x):
        h = self.block(x)
        return {"logits": self.head(h), "states": (x, [h])}


net, x = Net().eval(), f(3, 4)
torch.save(net, f"{directory}/custom.pt")
with torch.no_grad():
    out = net(x)
np.savez_compressed(f"{directory}/custom.npz", x=x.numpy(), logits=out["logits"].numpy(), states=out["states"][1][0].numpy())
