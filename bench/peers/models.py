#!/usr/bin/env python3
"""Makes the nets that tern is timed on beside other engines, with seeded random weights: NAME.onnx, NAME.pt in TorchScript and NAME.tflite.

usage: models.py FOLDER [NAME...] | --list        (needs torch, torchvision, onnx, onnxscript, litert_torch)

A file that is there already is left alone; where the converter to .tflite cannot take a net there is none, and a word says so. Batch 1 but for
mlp64_b32; every dimension is fixed. The weights are conditioned so that the output depends on the input: of a deep net with plain random weights
nothing arrives, and a wrong kernel would agree with everyone.
"""
import pathlib
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")


def mlp(*sizes, head=True):
    layers = []
    for k, n in zip(sizes, sizes[1:]):
        layers += [nn.Linear(k, n), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Softmax(-1)) if head else nn.Sequential(*layers)


class LstmStep(nn.Module):
    """One step of an LSTM, whose state is input and output."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.lstm, self.head = nn.LSTM(inputs, hidden), nn.Linear(hidden, 3)

    def forward(self, x, h, c):
        y, (hn, cn) = self.lstm(x, (h, c))
        return self.head(y[0]), hn, cn


class Window(nn.Module):
    """A recurrent stack over a window; a dense head reads its last step."""

    def __init__(self, kind, inputs, hidden, layers):
        super().__init__()
        self.rnn, self.head = kind(inputs, hidden, layers, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


class Tcn(nn.Module):
    """Dilated convolutions over 64 steps; the head reads the last."""

    def __init__(self):
        super().__init__()
        layers = []
        for level, inputs in enumerate([16, 32, 32, 32]):
            layers += [nn.Conv1d(inputs, 32, 3, dilation=2**level), nn.ReLU()]
        self.features, self.head = nn.Sequential(*layers), nn.Linear(32, 3)

    def forward(self, x):
        return self.head(self.features(x)[:, :, -1])


class DeepLob(nn.Module):
    """The limit order book net (Zhang, Zohren and Roberts 2019): three blocks of convolutions, an inception module, an LSTM."""

    def __init__(self):
        super().__init__()

        def conv(inputs, outputs, kernel, act=nn.LeakyReLU, **more):
            return [nn.Conv2d(inputs, outputs, kernel, **more), act(), nn.BatchNorm2d(outputs)]

        def block(inputs, kernel, stride, act=nn.LeakyReLU):
            return conv(inputs, 32, kernel, act, stride=stride) + conv(32, 32, (4, 1), act) + conv(32, 32, (4, 1), act)

        self.blocks = nn.Sequential(*block(1, (1, 2), (1, 2)), *block(32, (1, 2), (1, 2), nn.Tanh), *block(32, (1, 10), 1))
        self.branches = nn.ModuleList([nn.Sequential(*conv(32, 64, 1), *conv(64, 64, (k, 1), padding=(k // 2, 0))) for k in (3, 5)])
        self.branches.append(nn.Sequential(nn.MaxPool2d((3, 1), 1, (1, 0)), *conv(32, 64, 1)))
        self.lstm, self.head = nn.LSTM(192, 64, batch_first=True), nn.Linear(64, 3)

    def forward(self, x):
        x = self.blocks(x)
        x = torch.cat([branch(x) for branch in self.branches], 1).squeeze(3).permute(0, 2, 1)
        return torch.softmax(self.head(self.lstm(x)[0][:, -1]), 1)


class Encoder(nn.Module):
    """One layer of a transformer encoder, norms first."""

    def __init__(self, d, heads, hidden):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(d, d) for _ in range(4))
        self.norm1, self.norm2, self.up, self.down = nn.LayerNorm(d), nn.LayerNorm(d), nn.Linear(d, hidden), nn.Linear(hidden, d)
        self.heads, self.width = heads, d // heads

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, self.width).transpose(1, 2)

    def forward(self, x):
        r = self.norm1(x)
        q, k, v = self.split(self.q(r)), self.split(self.k(r)), self.split(self.v(r))
        a = torch.softmax(q @ k.transpose(-1, -2) / self.width**0.5, -1) @ v
        x = x + self.out(a.transpose(1, 2).reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """Two encoder layers over 50 steps; the head reads the last."""

    def __init__(self):
        super().__init__()
        self.embed, self.layers, self.head = nn.Linear(16, 64), nn.Sequential(Encoder(64, 4, 128), Encoder(64, 4, 128)), nn.Linear(64, 3)

    def forward(self, x):
        return self.head(self.layers(self.embed(x))[:, -1])


class Bert(nn.Module):
    """BERT's mini size: 4 layers of 256, 4 heads; the head reads the class token."""

    def __init__(self, steps=128):
        super().__init__()
        self.words, self.places = nn.Embedding(5000, 256), nn.Parameter(torch.randn(1, steps, 256) * 0.1)
        self.layers, self.norm, self.head = nn.Sequential(*(Encoder(256, 4, 1024) for _ in range(4))), nn.LayerNorm(256), nn.Linear(256, 2)

    def forward(self, ids):
        return self.head(torch.tanh(self.norm(self.layers(self.words(ids) + self.places)[:, 0])))


class Vit(nn.Module):
    """A vision transformer's tiny size: 12 layers of 192, 3 heads, patches of 16 of 224² pixels; the head reads the class token."""

    def __init__(self):
        super().__init__()
        self.patches, self.token = nn.Conv2d(3, 192, 16, 16), nn.Parameter(torch.randn(1, 1, 192))
        self.places = nn.Parameter(torch.randn(1, 197, 192) * 0.1)
        self.layers, self.norm, self.head = nn.Sequential(*(Encoder(192, 3, 768) for _ in range(12))), nn.LayerNorm(192), nn.Linear(192, 1000)

    def forward(self, x):
        x = torch.cat([self.token.expand(x.shape[0], 1, 192), self.patches(x).flatten(2).transpose(1, 2)], 1)
        return self.head(self.norm(self.layers(x + self.places))[:, 0])


class EmbeddingBag(nn.Module):
    """The mean of 32 rows of a table, and two dense layers."""

    def __init__(self):
        super().__init__()
        self.embed, self.hidden, self.head = nn.Embedding(5000, 64), nn.Linear(64, 64), nn.Linear(64, 4)

    def forward(self, ids):
        return torch.softmax(self.head(torch.relu(self.hidden(self.embed(ids).mean(1)))), -1)


class Unet(nn.Module):
    """A U-Net (Ronneberger, Fischer and Brox 2015) of four levels from 32 channels, padded, with batch norms; 128² pixels."""

    def __init__(self, widths=(32, 64, 128, 256)):
        super().__init__()

        def double(inputs, outputs):
            return nn.Sequential(*(layer for i in (inputs, outputs) for layer in
                                   (nn.Conv2d(i, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())))

        self.downs = nn.ModuleList(double(i, o) for i, o in zip((3,) + widths, widths))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, 2) for i, o in zip(widths[:0:-1], widths[-2::-1]))
        self.merges = nn.ModuleList(double(2 * o, o) for o in widths[-2::-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        skips = []
        for down in self.downs:
            x = down(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for up, merge, skip in zip(self.ups, self.merges, skips[-2::-1]):
            x = merge(torch.cat([skip, up(x)], 1))
        return self.head(x)


def vision(name):
    import torchvision.models
    return getattr(torchvision.models, name)(weights=None)


def image(size=224):
    return (torch.randn(1, 3, size, size),)


def ids(steps):
    return (torch.randint(0, 5000, (1, steps)),)


def random(*dims):
    return (torch.randn(*dims),)


MODELS = {  # name: the net and its inputs
    "dense4": lambda: (mlp(4, 4, head=False), random(1, 4)),
    "dense64": lambda: (mlp(64, 64, head=False), random(1, 64)),
    "mlp64": lambda: (mlp(64, 128, 64, 3), random(1, 64)),
    "mlp64_b32": lambda: (mlp(64, 128, 64, 3), random(32, 64)),
    "mlp256": lambda: (mlp(256, 512, 512, 16), random(1, 256)),
    "lstm64_step": lambda: (LstmStep(64, 64), 3 * random(1, 1, 64)),
    "gru64_win20": lambda: (Window(nn.GRU, 32, 64, 1), random(1, 20, 32)),
    "lstm_a": lambda: (Window(nn.LSTM, 100, 100, 2), random(1, 50, 100)),
    "tcn": lambda: (Tcn(), random(1, 16, 64)),
    "transformer": lambda: (Transformer(), random(1, 50, 16)),
    "deeplob": lambda: (DeepLob(), random(1, 1, 100, 40)),
    "embbag": lambda: (EmbeddingBag(), ids(32)),
    "resnet18": lambda: (vision("resnet18"), image()),
    "squeezenet1_1": lambda: (vision("squeezenet1_1"), image()),
    "mobilenet_v2": lambda: (vision("mobilenet_v2"), image()),
    "efficientnet_b0": lambda: (vision("efficientnet_b0"), image()),
    "unet": lambda: (Unet(), image(128)),
    "resnet50": lambda: (vision("resnet50"), image()),
    "mobilenet_v3_large": lambda: (vision("mobilenet_v3_large"), image()),
    "bert_mini": lambda: (Bert(), ids(128)),
    "vit_tiny": lambda: (Vit(), image()),
    "lstm512": lambda: (Window(nn.LSTM, 64, 512, 2), random(1, 20, 64)),
    "gru256": lambda: (Window(nn.GRU, 64, 256, 2), random(1, 20, 64)),
}


def condition(net, inputs):
    """Weights that keep the variance of what flows through them; batch norms learn the statistics of random inputs."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in net.modules():
        if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.bias is not None:
                nn.init.normal_(m.bias, std=0.1)
        elif isinstance(m, (nn.LSTM, nn.GRU)):
            for name, p in m.named_parameters():
                nn.init.normal_(p, std=p.shape[1]**-0.5 if "weight" in name else 0.1)
    for m in norms:
        m.momentum = None  # the mean over all that it sees
    if norms:
        net.train()
        for _ in range(4):
            net(*(torch.randn(4, *x.shape[1:]) for x in inputs))
    net.eval()


def check_swing(name, net, inputs, result):
    """The output moves with the input: by a tenth of its largest element at least."""
    other = net(*((x + 1) % 5000 if x.dtype == torch.int64 else torch.zeros_like(x) for x in inputs))
    first = lambda y: y[0] if isinstance(y, tuple) else y
    swing = float((first(result) - first(other)).abs().max() / first(result).abs().max())
    if swing < 0.1:
        sys.exit(f"{name}: the output hardly depends on the input ({swing:.2g})")


def save_tflite(net, inputs, path):
    import litert_torch
    try:
        litert_torch.convert(net, tuple(x.clone() for x in inputs)).export(str(path))  # of one tensor given twice it makes one input
    except Exception as why:  # whatever a converter throws: the table has a gap
        path.with_suffix(".no-tflite").write_text(f"{why}\n")
        print(f"{path.name}: the converter cannot: {str(why).strip().splitlines()[0][:200]}", flush=True)


def make(name, folder):
    onnx, script, lite = (folder / f"{name}.{suffix}" for suffix in ("onnx", "pt", "tflite"))
    lite_done = lite.exists() or lite.with_suffix(".no-tflite").exists()
    if onnx.exists() and script.exists() and lite_done:
        return
    torch.manual_seed(sum(map(ord, name)))
    net, inputs = MODELS[name]()
    with torch.no_grad():
        condition(net, inputs)
        check_swing(name, net, inputs, net(*inputs))
        names = (["x", "h", "c"][:len(inputs)], ["y", "hn", "cn"][:len(inputs)])
        if not (onnx.exists() and script.exists()):
            torch.jit.freeze(torch.jit.trace(net, inputs)).save(str(script))
            torch.onnx.export(net, inputs, str(onnx), input_names=names[0], output_names=names[1], opset_version=17, dynamo=False)
        if not lite_done:
            save_tflite(net, inputs, lite)
    print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        sys.exit(print(*MODELS, sep="\n"))
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for chosen in sys.argv[2:] or MODELS:
        make(chosen, target)
