"""The programs of arch.py: each class is a model whose forwards use a part of the language that --arch understands."""
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F


def rand(*shape):
    return torch.rand(*shape) * 2 - 1


def programs():
    return [c for c in vars(sys.modules[__name__]).values() if isinstance(c, type) and "inputs" in vars(c)]


class Skip(nn.Module):
    """A docstring."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 3, 1)

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 5, 5)}

    def forward(self, x):
        """Adds what came in."""
        out = F.relu(self.bn(self.conv1(x)))  # a comment
        out = self.conv2(out)
        return out + x


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x

        out = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)

        out = self.conv2(out)
        out = self.bn2(out)

        if self.downsample is not None:
            identity = self.downsample(x)

        out += identity
        out = self.relu(out)

        return out


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(4, 4), BasicBlock(4, 4))
        down = nn.Sequential(nn.Conv2d(4, 6, 1, 2, bias=False), nn.BatchNorm2d(6))
        self.layer2 = nn.Sequential(BasicBlock(4, 6, 2, down), BasicBlock(6, 6))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(6, 5)

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 17, 17)}

    def _forward_impl(self, x):
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.maxpool(x)

        x = self.layer1(x)
        x = self.layer2(x)

        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        x = self.fc(x)

        return x

    def forward(self, x):
        return self._forward_impl(x)


class RepeatBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, 2 * dim)
        self.fc2 = nn.Linear(2 * dim, dim)

    def forward(self, x):
        return x + self.fc2(F.gelu(self.fc1(self.norm(x))))


class Repeats(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([RepeatBlock(6) for _ in range(4)])
        self.head = nn.Linear(6, 3)

    @staticmethod
    def inputs():
        return {"x": rand(2, 5, 6)}

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(dim=1))


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = 2
        self.scale = 0.5
        self.qkv = nn.Linear(8, 24)
        self.proj = nn.Linear(8, 8)

    @staticmethod
    def inputs():
        return {"x": rand(2, 5, 8)}

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q = q.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        k = k.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        v = v.view(B, T, self.heads, C // self.heads).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * self.scale
        mask = torch.tril(torch.ones(T, T)).view(1, 1, T, T)
        att = att.masked_fill(mask == 0, float('-inf'))
        att = F.softmax(att, dim=-1)
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.proj(y)


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, 4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 8))
        self.pos_embed = nn.Parameter(torch.zeros(1, 5, 8))
        self.norm = nn.LayerNorm(8)

    @staticmethod
    def inputs():
        return {"img": rand(2, 3, 8, 8)}

    def forward(self, img):
        x = self.patch(img).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x = x + self.pos_embed
        x = self.norm(x)
        return x[:, 0]


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)])
        self.up = nn.ModuleDict({"last one": nn.ConvTranspose2d(6, 4, 2, 2), "first": nn.Conv2d(8, 2, 1)})

    @staticmethod
    def inputs():
        return {"x": rand(1, 2, 8, 8)}

    def forward(self, x):
        skips = []
        for i, conv in enumerate(self.down):
            x = torch.relu(conv(x))
            if i < len(self.down) - 1:
                skips.append(x)
                x = F.max_pool2d(x, 2)
        x = self.up['last one'](x)
        x = torch.cat([x, skips.pop()], 1)
        return self.up["first"](x)


class Inplace(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.act = nn.ReLU(inplace=True)

    @staticmethod
    def inputs():
        return {"x": rand(3, 4)}

    def forward(self, x):
        x = self.a(x)
        y = x
        x += 1
        z = y * 2          # sees the 1
        w = F.relu(z, inplace=True)
        u = z + w          # twice the same
        h = self.a(u)
        kept = h.clone()
        h.mul_(0.5).add_(kept)
        g = self.act(h)
        return g, h, kept - h, y


class InplaceBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 4))

    def forward(self, x):
        return x + self.body(x)


class InplaceHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.block = InplaceBlock()

    @staticmethod
    def inputs():
        return {"x": rand(3, 4)}

    def forward(self, x):
        x = self.first(x) - 1
        return self.block(x) - x


class Unpack(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.f = nn.Linear(6, 6)

    @staticmethod
    def inputs():
        return {"x": rand(2, 6), "y": rand(2, 6)}

    def forward(self, x, y):
        a = b = self.f(x)
        (c, d), e = (a + y, b), [y]
        first, *rest = torch.split(c, 2, dim=1)
        *_, last = rest
        p, q = x.shape
        u, = e
        w, z = d[0], d[1]
        return {"first": first, "rest": rest, "last": last, "size": p * q + 1, "u": u, "w": w * z}


class Arithmetic(nn.Module):
    style = "function"

    @staticmethod
    def inputs():
        return {"x": rand(3, 4) + 2, "n": torch.tensor([[7, -7, 3], [5, 2, -2]])}

    def forward(self, x, n):
        a = -x ** 2 + 2 ** x - x / 3 + (x // 0.5) % 0.75
        b = 1 - x * 2 + 3 / x - +x
        c = n // 2 + n % 3 - n
        d = (x > 2) & ~(x < 2.5) | (x == 2)
        e = x @ x.T
        f = torch.where(d, a, b)
        a *= 0.5
        b -= a
        b /= 2
        c += 1
        g = 7 // 2 + 7 % -3 + 2 ** 3 + int(3.7) + abs(-2) + max(1, 2, 3) + min([4, 5]) + round(2.5)
        h = math.sqrt(16) + math.pi + math.floor(2.5) + math.log(2.0) + float("1" == "1")
        return a, b, c, e, f, x + g, x * h


class Folding(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.extra = None

    @staticmethod
    def inputs():
        return {"x": rand(2, 4)}

    def forward(self, x, mask=None, scale=2.0, mode='sum', *, training=False):
        if self.training:
            x = x + torch.randn_like(x)
        elif mask is not None and mask.sum() > 0:
            x = x * mask
        else:
            x = self.fc(x)
        x = x * scale if mask is None else x
        if not mode == 'sum' or scale < 1 or x.dim() != 2:
            raise ValueError(f"mode {mode!r}")
        assert x.shape[1] == 4, f"{x.shape}"
        if mode in ('sum', 'mean'): x = x + 1
        y = 0
        if 1 < scale <= 2 and isinstance(x, torch.Tensor) and hasattr(self, 'fc'):
            y = x - 1
        if x.shape[-1] == 4:
            y = y * 3
        print("never shown", x)
        return F.dropout(y, 0.5, training=self.training)


class Loops(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.norms = nn.ModuleList([nn.LayerNorm(4) for _ in range(3)])

    @staticmethod
    def inputs():
        return {"x": rand(2, 4)}

    def forward(self, x):
        outs = []
        for conv, norm in zip(self.convs, self.norms):
            x = norm(conv(x))
            outs += [x]
        for i in range(len(self.convs) - 1, -1, -1):
            if i == 1:
                continue
            x = x + self.convs[i](outs[i])
            if i == 0:
                break
        all = [l(x) for l in self.convs]
        some = [a * k for k, a in enumerate(all) if k != 1]
        total = sum(some)
        for _ in range(0):
            total = None
        for layer in self.convs[1:]:
            total = layer(total)
        for name, module in self.norms.named_children():
            total = module(total) + int(name == '1')
        return torch.stack(outs, dim=1), total, torch.cat([*outs, x], dim=-1)


class Indexing(nn.Module):
    style = "function"

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 4, 5), "i": torch.tensor([2, 0])}

    def forward(self, x, i):
        a = x[0]
        b = x[:, -1, 1:3]
        c = x[..., ::2]
        d = x[:, None, :, 0]
        e = x[:, [0, 2]]
        f = x[:, i]
        g = x[..., -1:, :]
        sizes = x.shape[1:3]
        h = x.reshape(-1, *sizes)[:2]
        k = x[slice(0, 1)]
        return a, b, c, d, e, f, g, h, k


class Sizes(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 4)

    @staticmethod
    def inputs():
        return {"ids": torch.tensor([[1, 2, 3], [9, 0, 4]])}

    def forward(self, ids):
        b, t = ids.size()
        assert t <= 10
        x = self.embed(ids)
        n = x.size(-1) // 2
        left, right = x[:, :, :n], x[..., n:]
        y = torch.cat((right, left), -1)
        y = y.reshape(b * t, -1)
        z = y.view(b, t, 2, n).permute(0, 2, 1, 3)
        s = self.embed.embedding_dim ** -0.5
        pos = torch.arange(t, device=ids.device).unsqueeze(0)
        return z * s, pos, x.ndim + x.dim() + len(x.shape) + x.numel(), (x * len(ids))


class Dicts(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    @staticmethod
    def inputs():
        return {"x": rand(2, 3)}

    def forward(self, x, **kwargs):
        options = {'dim': -1, "keepdim": True}
        out = {}
        out['a'] = self.fc(x)
        out["b"] = x.mean(**options)
        for key, value in out.items():
            x = x + value * (2 if key == 'a' else 1)
        out['x'] = x
        if 'nothing' not in out:
            out.get('nothing', None)
        return out


def rotate_half(x):
    x1, x2 = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def apply_rotary(q, cos, sin=None, times=1):
    """Helpers may call each other."""
    return (q * cos) + (rotate_half(q) * sin) * times


class Helpers(nn.Module):
    style = "function"
    helpers = [rotate_half, apply_rotary]

    def __init__(self):
        super().__init__()
        self.register_buffer("inv_freq", torch.ones(3))

    @staticmethod
    def inputs():
        return {"x": rand(2, 4, 6)}

    def forward(self, x):
        t = torch.arange(x.shape[1], dtype=torch.float32)
        freqs = torch.outer(t, self.inv_freq)
        emb = torch.cat((freqs, freqs), dim=-1)
        return apply_rotary(x, emb.cos(), sin=emb.sin())


class Functions(nn.Module):
    style = "function"

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 6)}

    def forward(self, x):
        a = nn.functional.relu(x)
        b = torch.nn.functional.leaky_relu(x, negative_slope=0.2)
        c = torch.sigmoid(x) * x.tanh()
        d = nn.ReLU()(x) + torch.nn.Hardtanh(-0.5, 0.5)(x)
        e = F.pad(x, (1, 1), mode='constant', value=0.5)
        f = F.interpolate(x, scale_factor=2, mode='nearest')
        g = torch.Tensor.mul(x, 3)
        h = x.to(torch.float64).float() + x.type_as(x) + torch.zeros_like(x)
        low = torch.finfo(x.dtype).min
        k = x.masked_fill(x > 0, low)
        l = torch.max(x, dim=-1)[0] + x.max(-1).values.abs() if False else torch.maximum(x, -x)
        return a, b, c, d, e, f, g, h, k, l, torch.full((2, 2), math.inf)


class Layout(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    @staticmethod
    def inputs():
        return {"x": rand(2, 4)}

    def forward(
            self,
            x,   # the input
    ):
        y = self.fc(
            x
        ); z = (y
                + x)
        w = y \
            + z
        if True: w = w * 2; z = z - 1
        else: w = 0
        '''A string that does nothing.'''
        return (
            w,
            z,
        )


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
        self.table = nn.ParameterList([nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(2, 4))])
        self.weight = nn.Parameter(torch.zeros(4, 4))
        self.bias = nn.Parameter(torch.zeros(4))

    @staticmethod
    def inputs():
        return {"x": rand(2, 4)}

    def forward(self, x):
        x = F.linear(x, self.weight, self.bias)
        x = x + self.table[0] + self.table[1]
        for p in self.table:
            x = x * p
        x = self.inner[0](x) @ self.inner[2].weight.t() + self.inner[-1].bias
        x = self.inner[:2](x)
        first = self.inner[0]
        return getattr(self, 'inner')(first(x))


class Lstm(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(8, 2)

    @staticmethod
    def inputs():
        return {"x": rand(2, 5, 3)}

    def forward(self, x):
        out, (h, c) = self.lstm(x)
        return self.fc(out[:, -1, :]), h, c[0]


class Decoder(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 4, batch_first=True)
        self.cell = nn.GRUCell(4, 4)

    @staticmethod
    def inputs():
        return {"x": rand(2, 5, 3)}

    def forward(self, x):
        _, h = self.gru(x)
        h = h.squeeze(0)
        outs = []
        for t in range(3):
            h = self.cell(h, h)
            outs.append(h.unsqueeze(1))
        return torch.cat(outs, 1)


class Siamese(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(4, 3), nn.ReLU())

    @staticmethod
    def inputs():
        return {"left": rand(2, 4), "right": rand(2, 4)}

    def forward(self, left, right):
        a, b = self.branch(left), self.branch(right)
        return F.cosine_similarity(a + 1, b + 1, dim=1), torch.abs(a - b).sum(dim=-1, keepdim=True)


class SqueezeExcite(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = nn.Conv2d(c, 2, 1)
        self.fc2 = nn.Conv2d(2, c, 1)

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        s = F.relu(self.fc1(s), inplace=True)
        return torch.sigmoid(self.fc2(s)) * x


class Mobile(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Hardswish(), SqueezeExcite(4),
                                      nn.Conv2d(4, 4, 3, padding=1, groups=4))
        self.classifier = nn.Linear(4, 3)

    @staticmethod
    def inputs():
        return {"x": rand(1, 3, 8, 8)}

    def forward(self, x):
        x = self.features(x)
        x = x.mean([2, 3])
        x = self.classifier(x)
        return F.log_softmax(x, dim=1)


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.eps = 1e-6
        self.weight = nn.Parameter(torch.ones(dim))

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x):
        output = self._norm(x.float()).type_as(x)
        return output * self.weight


class FeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.w1 = nn.Linear(dim, 8, bias=False)
        self.w2 = nn.Linear(8, dim, bias=False)
        self.w3 = nn.Linear(dim, 8, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class LlamaBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm1 = Norm(dim)
        self.attn = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.norm2 = Norm(dim)
        self.ffn = FeedForward(dim)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        h, _ = self.attn(h, h, h, attn_mask=mask, need_weights=False)
        x = x + h
        return x + self.ffn(self.norm2(x))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(11, 4)
        self.layers = nn.ModuleList(LlamaBlock(4) for _ in range(2))
        self.norm = Norm(4)
        self.head = nn.Linear(4, 11, bias=False)

    @staticmethod
    def inputs():
        return {"ids": torch.tensor([[1, 5, 3, 10]])}

    @torch.no_grad()
    def forward(self, ids):
        x = self.tok(ids)
        n = ids.shape[1]
        mask = torch.full((n, n), float("-inf"))
        mask = torch.triu(mask, diagonal=1)
        for layer in self.layers:
            x = layer(x, mask)
        return self.head(self.norm(x))


class Pool(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(2, 4, 3, padding=1)
        self.act = nn.PReLU()

    @staticmethod
    def inputs():
        return {"x": rand(2, 2, 8)}

    def forward(self, x):
        with torch.no_grad():
            x = self.act(self.stem(x))
        m = F.adaptive_max_pool1d(x, 1).squeeze(-1)
        a = F.adaptive_avg_pool1d(x, 1)[..., 0]
        std = x.std(dim=2)
        y: torch.Tensor = torch.cat([m, a, std], dim=1)
        del m, a
        return y


class Gates(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(4, 3)
        self.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    @staticmethod
    def inputs():
        return {"x": rand(5, 4)}

    def forward(self, x):
        w = self.gate(x).softmax(dim=-1)
        ys = torch.stack([e(x) for e in self.experts], dim=-1)
        return (ys * w.unsqueeze(1)).sum(-1), w.argmax(dim=-1)


class Chain(nn.Sequential):
    text = """Sequential(
  (0): Linear(in_features=4, out_features=8, bias=True)
  (1): ReLU()
  (2): Dropout(p=0.5, inplace=False)
  (3): Linear(in_features=8, out_features=2, bias=True)
)
"""

    def __init__(self):
        super().__init__(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))

    @staticmethod
    def inputs():
        return {"input": rand(2, 4)}


class Written(nn.Module):
    text = """# Written by hand, as constructor calls.
Written(
  (body): nn.Sequential(
      nn.Conv1d(2, 4, 3, padding='same'),   # positional
      torch.nn.ReLU(),
      nn.Conv1d(in_channels=4, out_channels=2,
                kernel_size=(1,)),
  ),
  (head): Linear(2, 3),
)

x = self.body(signal)
y = x.mean(-1)
return self.head(y), y * gain
"""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(2, 4, 3, padding="same"), nn.ReLU(), nn.Conv1d(4, 2, 1))
        self.head = nn.Linear(2, 3)

    @staticmethod
    def inputs():
        return {"signal": rand(2, 2, 6), "gain": rand(2, 2)}

    def forward(self, signal, gain):
        x = self.body(signal)
        y = x.mean(-1)
        return self.head(y), y * gain


class Annotated(nn.Module):
    text = """Annotated(
  (fc): Linear(in_features=3, out_features=3, bias=True)
)

def forward(self, x: f32[N, 4, 3], index: i64[N], extra: f32[2*N] = None):
    y = self.fc(x)
    batch = torch.arange(x.shape[0])
    picked = y[batch, index]
    return picked, extra.reshape(x.shape[0], 2)
"""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    @staticmethod
    def inputs():
        return {"x": rand(2, 4, 3), "index": torch.tensor([3, 1]), "extra": rand(4)}

    def forward(self, x, index, extra):
        y = self.fc(x)
        return y[torch.arange(2), index], extra.reshape(2, 2)


class Views(nn.Module):
    style = "function"

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(4, 12)

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 4)}

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q *= 0.5                       # pieces of a split have nothing in common
        k = k.transpose(1, 2).contiguous()
        h = x.flatten(1)
        h = h.clone()
        h += 1
        return torch.bmm(q, k), v, h, x


class ChangedViews(nn.Module):
    """Views of what changes in place, and changes of views."""
    style = "function"

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)

    @staticmethod
    def inputs():
        return {"x": rand(2, 3, 4)}

    def forward(self, x):
        y = self.fc(x)                 # [2, 3, 6]
        flat = y.view(6, 6)
        turned = y.transpose(1, 2)
        y.mul_(2)                      # seen by both
        a = flat + 0
        turned.add_(1)                 # seen by the whole and its other view
        b = y + 0
        c = flat + 0
        row = flat.select(0, 1)
        cell = row.unsqueeze(0)        # a view of a view of a view
        cell.zero_()
        row.add_(0.25)
        d = y + 0
        left, right = turned.squeeze().permute(2, 0, 1).unsqueeze(0).select(1, 2), torch.narrow(y, 1, 2, 1)
        left.sub_(3)
        e = right + 0
        kept = y.clone()
        y.neg_()
        half = kept.unflatten(2, (2, 3)).select(2, 0)
        half.mul_(0.5)
        half.mul_(0.5)
        return a, b, c, d, e, kept, y, row, flat, turned, left


class Buffers(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.register_buffer("std", torch.ones(3, 1, 1))
        self.size = (4, 4)
        self.mode = 'bilinear'
        self.align = False

    @staticmethod
    def inputs():
        return {"x": rand(1, 3, 8, 8)}

    def forward(self, x):
        x = (x - self.mean) / (self.std + 2)
        return F.interpolate(x, size=self.size, mode=self.mode, align_corners=self.align)


class Activation(nn.Module):
    """The tree shows a function as an argument."""

    def __init__(self, act=torch.relu):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.act = act

    def extra_repr(self):
        return "act=%s, note: not a literal" % self.act

    @staticmethod
    def inputs():
        return {"x": rand(2, 4)}

    def forward(self, x):
        return self.act(self.fc(x))
