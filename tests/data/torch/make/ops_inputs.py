"""The arrays that the cases of ops.py share. Capital letters: constants."""
import math

import torch

g = torch.Generator().manual_seed(4)


def real(*size, dtype=torch.float32, scale=1.0):
    return (torch.randn(*size, generator=g) * scale).to(dtype)


def ints(low, high, *size, dtype=torch.int64):
    return torch.randint(low, high, size, generator=g).to(dtype)


inputs = dict(
    # one shape, several kinds
    x=real(2, 3, 4), y=real(2, 3, 4), z=real(2, 3, 4),
    p=real(2, 3, 4).abs() + 0.1, q=real(2, 3, 4).sigmoid() * 1.8 - 0.9,
    wide=real(2, 3, 4, scale=8.0), big=real(2, 3, 4, scale=30.0),
    d=real(2, 3, 4, dtype=torch.float64), h=real(2, 3, 4, dtype=torch.float16),
    i=ints(-9, 10, 2, 3, 4), j=torch.where(ints(0, 2, 2, 3, 4) == 0, -1, 1) * ints(1, 5, 2, 3, 4),
    i32=ints(-9, 10, 2, 3, 4, dtype=torch.int32), i16=ints(-9, 10, 2, 3, 4, dtype=torch.int16), u8=ints(0, 20, 2, 3, 4, dtype=torch.uint8),
    small=ints(0, 4, 2, 3, 4),
    b=ints(0, 2, 2, 3, 4, dtype=torch.bool), c=ints(0, 2, 2, 3, 4, dtype=torch.bool),
    odd=torch.tensor([[1.5, math.nan, -math.inf, 2.5], [0.0, -0.0, math.inf, -1.5], [math.nan, 3.0, -2.5, 0.5]]),
    halves=torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.49]),
    # others
    v=real(4), w=real(3, 1), m=real(3, 5), n=real(5, 4), sq=real(4, 4), s=torch.tensor(0.75), si=torch.tensor(3), sd=torch.tensor(2.5, dtype=torch.float64),
    one=real(1, 3, 1, 4), r5=real(2, 3, 2, 3, 2), bm=real(2, 4, 5), bn=real(2, 5, 3), v5=real(5), e=torch.zeros(0, 3), e2=torch.zeros(2, 0),
    ties=torch.tensor([[3.0, 1.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0]]), row=torch.tensor([-1.0, 0.0, 0.5, 2.0]),
    # indices
    k=torch.tensor([2, 0, 1]), k2=torch.tensor([[0, 1], [1, 0]]), kn=torch.tensor([-1, 0]), k4=torch.tensor([3, 0, 2, 2]), k32=torch.tensor([1, 0], dtype=torch.int32),
    g=ints(0, 3, 2, 3, 4), g2=ints(0, 2, 1, 3, 2), dup=torch.tensor([0, 2, 0]), mask=torch.tensor([True, False, True, True]),
    # images, weights
    seq=real(2, 4, 11), img=real(2, 4, 9, 8), vol=real(1, 2, 5, 6, 7), im3=real(4, 9, 8), sq2=real(4, 11), pic=real(1, 2, 5, 6), even=real(1, 8, 6, 4),
    W1=real(6, 4, 3, scale=0.4), W1g=real(8, 2, 3, scale=0.4), W2=real(6, 4, 3, 3, scale=0.3), W2e=real(6, 4, 2, 4, scale=0.3), W2g=real(8, 1, 3, 3, scale=0.5),
    W3=real(3, 2, 2, 3, 2, scale=0.4), T1=real(4, 6, 3, scale=0.4), T2=real(4, 6, 3, 2, scale=0.3), T2g=real(4, 3, 3, 3, scale=0.3), T3=real(2, 3, 2, 3, 2, scale=0.4),
    B6=real(6), B8=real(8), B3=real(3), w2=real(6, 4, 3, 3, scale=0.3), b6=real(6),
    # norms
    G4=real(4) + 1, H4=real(4), M4=real(4), V4=real(4).abs() + 0.5, G34=real(3, 4) + 1, H34=real(3, 4), G3=real(3) + 1, H3=real(3), M3=real(3), V3=real(3).abs() + 0.5,
    g4=real(4) + 1, h4=real(4),
    # products
    L=real(6, 4), Lb=real(6), L5=real(3, 5), Lb3=real(3), Bi=real(2, 4, 5), Bib=real(2), x5=real(2, 3, 5), lw=real(6, 4), lb=real(6),
    # embeddings
    E=real(7, 5), ids=ints(0, 7, 2, 3), flat=ints(0, 7, 8), offs=torch.tensor([0, 3, 3, 5]), offe=torch.tensor([0, 3, 3, 8]), psw=real(8), psw2=real(2, 3),
    flat32=ints(0, 7, 8, dtype=torch.int32), offs32=torch.tensor([0, 2, 7], dtype=torch.int32),
    grid=real(2, 3, 5, 2), grid3=real(1, 2, 3, 2, 3),
)
