"""transformer_encoder: the handwritten digits read as a sequence of rows by a two-layer pre-norm transformer.

Input    rows[n, length, 8]: the picture's rows from the top, pixel / 255; any length from 1 to 8.
Output   logits[n, 10]: the class, from the mean over the rows seen.
Training hides the bottom rows of half of the batches, so that short sequences mean something too.
Written twice: opset 17 (LayerNormalization nodes) and opset 13 (LayerNorm spelt out); GELU is spelt with Erf in both.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import save, seed, train
from digits import as_input, data


class Layer(nn.Module):
    """x + attention(norm(x)), then x + dense(gelu(dense(norm(x)))): 4 heads of 8."""

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        split = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)  # each [batch, heads, length, 8]
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(width // self.heads)
        mixed = torch.matmul(torch.softmax(scores, -1), v)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Encoder(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Parameter(torch.randn(1, 8, width) * 0.1)
        self.layers = nn.ModuleList([Layer(width), Layer(width)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, rows):
        x = self.embed(rows) + self.position[:, :rows.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(1))


def main():
    seed(3)
    train_px, test_px, train_y, test_y = data()
    x, tx = as_input(train_px)[:, 0], as_input(test_px)[:, 0]
    y, ty = torch.from_numpy(train_y), torch.from_numpy(test_y)
    net = Encoder()

    def loss(i):
        length = 8 if torch.rand(()) < 0.5 else int(torch.randint(4, 9, ()))
        return F.cross_entropy(net(x[i, :length]), y[i], label_smoothing=0.05)

    train(net, loss, len(x), epochs=60, lr=4e-3, weight_decay=0.02)
    for length in (4, 6, 8):
        accuracy = (net(tx[:, :length]).argmax(1) == ty).float().mean().item()
        print(f"transformer_encoder: test accuracy with {length} of 8 rows {accuracy:.4f}")
    assert accuracy >= 0.96
    dynamic = {"rows": {0: "batch", 1: "length"}, "logits": {0: "batch"}}
    for name, opset in [("transformer_encoder", 17), ("transformer_encoder_opset13", 13)]:
        # traced on another length than the recorded ones: a length frozen by the trace would show
        save(name, net, {"rows": tx[:10]}, ["logits"], opset, dynamic, trace={"rows": tx[:3, :6]})


if __name__ == "__main__":
    main()
