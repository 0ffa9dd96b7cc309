"""Reductions, places of extremes, running sums."""
import ml_dtypes
import numpy as np

import ops
from ops import C, case

rng = np.random.default_rng(4)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)  # few digits, so that the file is small


x = f(2, 3, 4)
bf16 = ml_dtypes.bfloat16
for op in ("Sum", "Mean", "Max", "Min", "Prod", "EuclideanNorm"):
    for axes in ([0], [1, 2], [-1], [0, 1, 2], []):
        case(op, x, C(axes))
    case(op, x, C([1]), keep_dims=True)
    case(op, x, C(2, np.int64), keep_dims=True)
    case(op, np.array(3.5, np.float32), C([]))
    case(op, f(2, 0, 3), C([1]))
    for dtype in (np.float64, np.float16, bf16):
        case(op, f(3, 5).astype(dtype), C([1]))
    case(op, np.array([[1, -2, 4], [7, 5, 3]], np.int32), C([1]))
    case(op, np.array([[1, -2, 4], [7, 5, 3]], np.int64), C([0, 1]))
    case(op, np.array([[1, np.nan, 4], [np.inf, 5, 3]], np.float32), C([1]))
for op in ("Mean", "Max"):  # as Keras pools
    for shape in ((2, 5, 3), (2, 3, 4, 5), (2, 2, 3, 2, 3)):
        for keep in (False, True):
            case(op, f(*shape), C(list(range(1, len(shape) - 1))), keep_dims=keep)
case("Max", np.array([[200, 3], [4, 5]], np.uint8), C([0]))
case("Min", np.array([[-100, 3], [4, 5]], np.int8), C([1]))
case("Mean", np.array([[-7, 2, 3], [4, 5, 6]], np.int32), C([0, 1]))
b = np.array([[True, False, True], [True, True, True]])
for op in ("All", "Any"):
    for axes in ([0], [1], [0, 1], []):
        case(op, b, C(axes))
    case(op, b, C([1]), keep_dims=True)
    case(op, np.zeros((2, 0), bool), C([1]))
for op in ("ArgMax", "ArgMin"):
    case(op, x, C(1))
    case(op, x, C(-1), output_type=tf.int32)
    case(op, np.array([[1, 3, 3], [0, 0, -1]], np.int32), C(1))
    case(op, np.array([[1, 3, 3], [0, 0, 7]], np.float16), C(0, np.int64))
case("ArgMax", np.array([[True, False], [False, True]]), C(1))
for op in ("Cumsum", "Cumprod", "CumulativeLogsumexp"):
    for exclusive in (False, True):
        for reverse in (False, True):
            case(op, x, C(1), exclusive=exclusive, reverse=reverse)
    case(op, x, C(-1, np.int64))
    case(op, f(4).astype(np.float64), C(0))
    if op != "CumulativeLogsumexp":
        case(op, np.array([3, -1, 4, 1], np.int32), C(0))
        case(op, np.array([3, -1, 4, 1], np.int64), C(0), reverse=True)
