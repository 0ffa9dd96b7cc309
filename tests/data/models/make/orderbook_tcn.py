"""orderbook_tcn: a dilated convolution net that guesses the next price move from the last 64 events of an order book.

Data     SYNTHETIC: `simulate` below draws limit, cancel and market orders on a five-level book with a slowly changing
         buying pressure. No market data is involved; the numbers say nothing about real markets.
Input    book[n, 12, 64]: 10 log queue sizes (bid levels 1 to 5, ask levels 1 to 5), imbalance of the best queues,
         signed size of the last market order; oldest event first.
Output   logits[n, 3]: mid price over the next 12 events goes down, stays, goes up.
"""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import save, seed, train

LEVELS, LENGTH, AHEAD = 5, 64, 12


def simulate(events, rng):
    """-> features [events, 12] f32, mid price in ticks [events]."""
    queues = rng.integers(5, 30, (2, LEVELS)).astype(float)  # side 0 bid, side 1 ask
    price, pressure = 0, 0.0
    features, mid = np.zeros((events, 2 * LEVELS + 2), np.float32), np.zeros(events)
    for t in range(events):
        pressure = 0.985 * pressure + 0.35 * rng.standard_normal()
        buy = rng.random() < 1 / (1 + np.exp(-pressure))
        kind, size, traded = rng.random(), 1 + rng.geometric(0.25), 0.0
        if kind < 0.5:  # a limit order joins the queue of its own side, mostly near the touch
            queues[0 if buy else 1, min(rng.geometric(0.45) - 1, LEVELS - 1)] += size
        elif kind < 0.7:  # somebody gives up: buyers leave when the pressure is to sell
            side, level = (1 if buy else 0), rng.integers(LEVELS)
            queues[side, level] = max(queues[side, level] - size, 1 if level else 0)
        else:  # a market order eats the other side's best queue
            side = 1 if buy else 0
            traded = size if buy else -size
            queues[side, 0] -= 1.5 * size
        for side in (0, 1):
            if queues[side, 0] <= 0:  # the best level is gone: the price moves one tick that way
                price += 1 if side else -1
                queues[side] = np.append(np.maximum(queues[side, 1:], 1), rng.integers(5, 30))
                queues[1 - side] = np.append(rng.integers(3, 12), queues[1 - side, :-1])
        bid, ask = queues[0, 0], queues[1, 0]
        features[t] = np.concatenate([np.log1p(queues.ravel()), [(bid - ask) / (bid + ask), traded / 5]])
        mid[t] = price
    return features, mid


class Block(nn.Module):
    """Two causal dilated convolutions with a residual connection."""

    def __init__(self, cin, cout, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.first = nn.Conv1d(cin, cout, 3, dilation=dilation)
        self.norm = nn.BatchNorm1d(cout)
        self.second = nn.Conv1d(cout, cout, 3, dilation=dilation)
        self.skip = nn.Conv1d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x):
        y = F.relu(self.norm(self.first(F.pad(x, (self.pad, 0)))))
        return F.relu(self.second(F.pad(y, (self.pad, 0))) + self.skip(x))


class Tcn(nn.Module):
    def __init__(self, channels=24):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(channels if i else 12, channels, 2**i) for i in range(4)])
        self.head = nn.Linear(channels, 3)

    def forward(self, book):
        return self.head(self.blocks(book)[:, :, -1])


def main():
    seed(5)
    features, mid = simulate(60000, np.random.default_rng(5))
    ends = np.arange(LENGTH - 1, len(mid) - AHEAD, 3)
    windows = torch.from_numpy(np.stack([features[e - LENGTH + 1:e + 1].T for e in ends]))
    move = torch.from_numpy(np.sign(mid[ends + AHEAD] - mid[ends]).astype(np.int64) + 1)
    cut = int(0.8 * len(ends))
    first_test = cut + (LENGTH + AHEAD) // 3  # no test window or target overlaps training
    x, y, tx, ty = windows[:cut], move[:cut], windows[first_test:], move[first_test:]
    net = Tcn()
    train(net, lambda i: F.cross_entropy(net(x[i]), y[i]), len(x), epochs=5, lr=3e-3, weight_decay=1e-2)
    with torch.no_grad():
        accuracy = (net(tx).argmax(1) == ty).float().mean().item()
    commonest = torch.bincount(ty).max().item() / len(ty)
    print(f"orderbook_tcn: {len(x)} windows to train, test accuracy {accuracy:.4f} on {len(tx)}, the commonest class has {commonest:.4f}")
    assert accuracy > commonest + 0.1
    dynamic = {"book": {0: "batch"}, "logits": {0: "batch"}}
    save("orderbook_tcn", net, {"book": tx[::len(tx) // 9][:9].clone()}, ["logits"], 18, dynamic,
         training=torch.onnx.TrainingMode.PRESERVE)


if __name__ == "__main__":
    main()
