"""volatility_lstm: forecasts the realised volatility of the S&P 500 from the last 22 trading days.

Data     daily open, high, low, close from 1999 to 2018 as the Python package `arch` ships them.
Input    window[n, 22, 3]: per day the log return, the log realised volatility of the 5 days ending there, and the
         log Parkinson (high-low) volatility; returns are scaled by 100 and the logs are of values in per cent.
Output   forecast[n, 1]: the log of the realised volatility of the *next* 5 days, same units.
Split    by date: the first 75 % of days train, the rest test, with a gap so that no target crosses over.
"""
import csv
import gzip
import importlib.util
import pathlib

import numpy as np
import torch
import torch.nn as nn

from common import MODELS, save, seed, train

WINDOW, AHEAD = 22, 5


class Forecaster(nn.Module):
    """Two LSTM layers over the window; the head corrects the last observed volatility."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.lstm = nn.LSTM(3, 24, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(24, 1)

    def forward(self, window):
        states, _ = self.lstm((window - self.mean) / self.deviation)
        return window[:, -1, 1:2] + self.head(states[:, -1])


def prices():
    package = pathlib.Path(importlib.util.find_spec("arch").origin).parent
    with gzip.open(package / "data/sp500/sp500.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return [r["Date"] for r in rows], {k: np.array([float(r[k]) for r in rows]) for k in ("Open", "High", "Low", "Close")}


def samples():
    dates, p = prices()
    returns = 100 * np.diff(np.log(p["Close"]))  # [days - 1]
    realised = np.sqrt(np.convolve(returns**2, np.ones(AHEAD) / AHEAD, "valid"))  # ends at returns[i + AHEAD - 1]
    parkinson = 100 * np.log(p["High"] / p["Low"])[1:] / np.sqrt(4 * np.log(2))
    log_rv = np.full(len(returns), np.nan)
    log_rv[AHEAD - 1:] = np.log(realised)
    features = np.stack([returns, log_rv, np.log(np.maximum(parkinson, 0.05))], 1).astype(np.float32)
    ends = np.arange(AHEAD - 1 + WINDOW - 1, len(returns) - AHEAD)  # last day of each window
    x = np.stack([features[e - WINDOW + 1:e + 1] for e in ends])
    y = log_rv[ends + AHEAD].astype(np.float32)[:, None]
    return torch.from_numpy(x), torch.from_numpy(y), [dates[e + 1] for e in ends]


def main():
    seed(2)
    x, y, dates = samples()
    cut = int(0.75 * len(x))
    first_test = cut + AHEAD
    train_x, train_y, test_x, test_y = x[:cut], y[:cut], x[first_test:], y[first_test:]
    net = Forecaster(train_x.mean((0, 1)), train_x.std((0, 1)))
    train(net, lambda i: nn.functional.mse_loss(net(train_x[i]), train_y[i]), cut, epochs=12, lr=3e-3, weight_decay=1e-2)

    with torch.no_grad():
        ours = (net(test_x) - test_y).square().mean().item()
    naive = (test_x[:, -1, 1:2] - test_y).square().mean().item()
    average = (train_y.mean() - test_y).square().mean().item()
    print(f"volatility_lstm: test {dates[first_test]} to {dates[-1]}, {len(test_x)} windows, mean squared error of the log: "
          f"network {ours:.4f}, last value {naive:.4f}, training mean {average:.4f}")
    assert ours < 0.85 * naive and ours < average

    picked = torch.linspace(0, len(test_x) - 1, 12).long()
    dynamic = {"window": {0: "batch"}, "forecast": {0: "batch"}}
    save("volatility_lstm", net, {"window": test_x[picked]}, ["forecast"], 17, dynamic)
    np.savetxt(MODELS / "volatility_lstm/window.csv", test_x[-1:].numpy().reshape(1, -1), "%.9g", ",")  # a row is a sample: 22 days of 3, the newest last
    print(f"window.csv ends {dates[-1]}; forecast {net(test_x[-1:]).item():.6f}, observed {test_y[-1].item():.6f}")


if __name__ == "__main__":
    main()
