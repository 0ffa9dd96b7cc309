"""digits_cnn and digits_mlp: the UCI handwritten digits (8x8) as scikit-learn ships them.

Writes both models and a dozen test-set digits as PGM and PNG files under tests/data/digits.
Preprocessing everywhere: image[n, 0, row, column] = pixel / 255.
"""
import struct
import zlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from common import MODELS, save, seed, train


class Cnn(nn.Module):
    """Conv-BatchNorm-ReLU twice with a max pool after each, then two dense layers; returns logits."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))

    def forward(self, image):
        return self.head(self.features(image))


class Mlp(nn.Module):
    """Three dense layers; returns probabilities."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2),
                                  nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, image):
        return torch.softmax(self.body(image), dim=1)


def data():
    """The digits as 8-bit pixels (0..16 scaled to 0..255) divided by 255: exactly what an image file gives."""
    x, y = load_digits(return_X_y=True)
    pixels = np.rint(x * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    return train_test_split(pixels, y, test_size=0.25, random_state=7, stratify=y)


def as_input(pixels):
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255))


def shifted(x):
    """A batch of training pictures moved by up to one pixel: helps the convolutions, hurts the dense net."""
    dy, dx = np.random.randint(-1, 2, 2)
    return torch.roll(F.pad(x, (1, 1, 1, 1)), (int(dy), int(dx)), (2, 3))[:, :, 1:-1, 1:-1]


def write_pgm(path, pixels):
    height, width = pixels.shape
    path.write_bytes(f"P5\n{width} {height}\n255\n".encode() + pixels.tobytes())


def write_png(path, pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def write_images(pixels, labels):
    """The first test digit of each label, and a second of 0, 3, 7 and 8; every other one as PNG."""
    folder = MODELS.parent / "digits"
    folder.mkdir(exist_ok=True)
    wanted = [(d, "a") for d in range(10)] + [(d, "b") for d in (0, 3, 7, 8)]
    for i, (label, letter) in enumerate(wanted):
        picture = pixels[np.flatnonzero(labels == label)["ab".index(letter)], 0]
        name = folder / f"digit_{label}_{letter}"
        if i % 2:
            write_png(name.with_suffix(".png"), picture)
        else:
            write_pgm(name.with_suffix(".pgm"), picture)


def main():
    train_px, test_px, train_y, test_y = data()
    x, y, tx, ty = as_input(train_px), torch.from_numpy(train_y), as_input(test_px), torch.from_numpy(test_y)
    dynamic = {"image": {0: "batch"}}
    for name, kind, output, opset, epochs in [("digits_cnn", Cnn, "logits", 13, 40), ("digits_mlp", Mlp, "probabilities", 11, 60)]:
        seed(1)
        net = kind()
        if kind is Mlp:
            train(net, lambda i: F.cross_entropy(net.body(x[i]), y[i]), len(x), epochs, lr=5e-3)
        else:
            train(net, lambda i: F.cross_entropy(net(shifted(x[i])), y[i]), len(x), epochs, lr=4e-3)
        with torch.no_grad():
            accuracy = (net(tx).argmax(1) == ty).float().mean().item()
        print(f"{name}: test accuracy {accuracy:.4f}")
        assert accuracy >= 0.97
        save(name, net, {"image": tx[:16]}, [output], opset, dynamic | {output: {0: "batch"}},
             training=torch.onnx.TrainingMode.PRESERVE)  # keeps BatchNormalization as a node of its own
    write_images(test_px, test_y)


if __name__ == "__main__":
    main()
