"""Rows of different lengths, and sparse tensors."""
import numpy as np

import ops
from ops import C, case

rng = np.random.default_rng(13)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)


def i(*values, dtype=np.int32):
    return np.array(values, dtype)


case("RaggedRange", i(0, 5, 8), i(3, 5, 12), i(1, 1, 2))
case("RaggedRange", i(5, 9, -3), i(0, 10, -8), i(-2, 3, -5), Tsplits=tf.int32)
case("RaggedRange", np.array(2, np.int64), i(4, 2, 7, dtype=np.int64), np.array(1, np.int64))
case("RaggedRange", f(4), f(4) + 2, np.float32([0.25, 0.5, 0.3, 1]))
case("RaggedRange", i(7, 3), i(2, 5), i(1, 1))
case("RaggedRange", np.zeros(0, np.int32), np.zeros(0, np.int32), np.array(1, np.int32))
case("RaggedRange", np.array(1.5, np.float32), np.array(-3, np.float32), np.array(-1, np.float32))
rows = i(0, 2, 2, 5, 9, dtype=np.int64)
for index in (i(3, 0, 1, 3), i(1), np.zeros(0, np.int32), np.array([[0, 3], [2, 2], [1, 0]], np.int64)):
    case("RaggedGather", [rows], f(9), index, OUTPUT_RAGGED_RANK=index.ndim)
    case("RaggedGather", [i(0, 1, 1, 3, 4, dtype=np.int64), rows], f(9, 2), index, OUTPUT_RAGGED_RANK=index.ndim + 1)
case("RaggedGather", [rows.astype(np.int32)], i(1, 2, 3, 4, 5, 6, 7, 8, 9), i(2, 3), OUTPUT_RAGGED_RANK=1)
case("RaggedTensorToSparse", [rows], f(9))
case("RaggedTensorToSparse", [i(0, 1, 1, 3, 4, dtype=np.int64), rows], f(9))
case("RaggedTensorToSparse", [i(0, 2, 3), i(0, 1, 1, 3), i(0, 2, 2, 5)], f(5))
case("RaggedTensorToSparse", [rows], f(9, 2, 3))
case("RaggedTensorToSparse", [i(0, 0, 0, dtype=np.int64)], f(0))


def sparse(shape, n, ordered=True, dtype=np.float32):
    flat = rng.permutation(int(np.prod(shape)))[:n]
    if ordered:
        flat.sort()
    values = f(n) if dtype == np.float32 else rng.integers(-9, 9, n).astype(dtype)
    return [np.stack(np.unravel_index(flat, shape), 1).astype(np.int64), values, np.array(shape, np.int64)]


case("SparseReorder", *sparse((3, 4, 5), 11, False))
case("SparseReorder", *sparse((30,), 0))
case("SparseReorder", *sparse((6, 2), 12, False, np.int32))
for shape, to in (((4, 6), [3, -1]), ((4, 6), [24]), ((2, 3, 4), [4, 3, 2]), ((2, 3, 4), [-1]), ((5, 1), [1, -1, 5])):
    a = sparse(shape, 5)
    case("SparseReshape", a[0], a[2], i(*to, dtype=np.int64))
    case("SparseReshape", a[0], C(a[2]), C(to, np.int64))
case("SparseReshape", np.zeros((0, 2), np.int64), i(0, 4, dtype=np.int64), i(4, 0, dtype=np.int64))
case("SparseSlice", *sparse((5, 6), 14), i(1, 2, dtype=np.int64), i(3, 2, dtype=np.int64))
case("SparseSlice", *sparse((5, 6), 14), i(0, 4, dtype=np.int64), i(9, 9, dtype=np.int64))
case("SparseSlice", *sparse((5, 6, 2), 14), C([4, 1, 0], np.int64), C([1, 3, 1], np.int64))
case("SparseSlice", *sparse((5, 6), 14), i(7, 2, dtype=np.int64), i(2, 3, dtype=np.int64))  # beyond the end
for axis in (0, 1, -1):
    a, b, c = sparse((3, 4), 5), sparse((3, 4), 0), sparse((3, 4), 7)
    case("SparseConcat", [a[0], b[0], c[0]], [a[1], b[1], c[1]], [a[2], b[2], c[2]], concat_dim=axis)
a, b = sparse((3, 2), 4), sparse((3, 5), 6)
case("SparseConcat", [a[0], b[0]], [a[1], b[1]], [C(a[2]), C(b[2])], concat_dim=1)
case("SparseFillEmptyRows", *sparse((6, 4), 5), np.array(-1, np.float32))
case("SparseFillEmptyRows", *sparse((6, 4), 9, False, np.int64), C(7, np.int64))
case("SparseFillEmptyRows", *sparse((6, 4, 2), 3), C(0.5, np.float32))
case("SparseFillEmptyRows", np.zeros((0, 2), np.int64), f(0), i(3, 2, dtype=np.int64), C(0.5, np.float32))
case("SparseFillEmptyRows", *sparse((9,), 4), C(0.5, np.float32))
for left, right in ((False, False), (True, False), (False, True), (True, True)):
    n, m = (4, 5) if not left else (5, 4)
    case("SparseTensorDenseMatMul", *sparse((n, m), 8), f(3, 5) if right else f(5, 3), adjoint_a=left, adjoint_b=right)
case("SparseTensorDenseMatMul", *sparse((3, 5), 0), f(5, 3))
a = sparse((3, 5), 6)
case("SparseTensorDenseMatMul", a[0], a[1], C(a[2]), f(5, 2))
case("SparseTensorDenseAdd", *sparse((3, 5), 6), f(3, 5))
for op in ("SparseDenseCwiseAdd", "SparseDenseCwiseMul", "SparseDenseCwiseDiv"):
    for other in (f(3, 5) + 4, f(5) + 4, f(3, 1) + 4, np.float32(3)):
        if op == "SparseDenseCwiseAdd" and other.ndim < 2:
            continue
        case(op, *sparse((3, 5), 6), other)
for axes in ([0], [1], [-1], [0, 1], [0, 2]):
    for keep in (False, True):
        case("SparseReduceSum", *sparse((3, 5, 2), 9), C(axes), keep_dims=keep)
case("SparseAdd", *sparse((3, 5), 6), *sparse((3, 5), 7), C(0, np.float32))
case("SparseAdd", *sparse((3, 5), 6), *sparse((3, 5), 7), C(1.0, np.float32))
case("SparseAdd", *sparse((12,), 6, True, np.int32), *sparse((12,), 7, True, np.int32), C(0))

def words(*values, dims=None):
    a = np.array(values + (None,), object)[:-1]
    return a.reshape(dims) if dims is not None else a


one, two = words("a", "b", "c", "d", dims=(2, 2)), np.array([[1, -2, 3], [4, 5, 6]], np.int64)
places, row_of = np.array([[0, 0], [0, 2], [2, 1]], np.int64), np.array([3, 4], np.int64)
texts, tall, more = words("x", "y", "z"), words("p", "q", "r", dims=(3, 1)), np.array([[7], [8], [9]], np.int64)
for buckets in (0, 1000):
    attrs = dict(hashed_output=True, num_buckets=buckets, hash_key=956888297470, out_type=ops.tf.int64)
    case("SparseCross", [], [], [], [one, two], internal_type=ops.tf.int64, **attrs)
    case("SparseCross", [], [], [], [one, one], internal_type=ops.tf.string, **attrs)
    case("SparseCross", [places], [texts], [row_of], [tall], internal_type=ops.tf.string, **attrs)
    case("SparseCross", [places, places[1:]], [i(5, 6, 7, dtype=np.int64), texts[1:]], [row_of, row_of], [more], internal_type=ops.tf.int64, **attrs)
case("SparseCross", [], [], [], [one, one], internal_type=ops.tf.string, hashed_output=False, num_buckets=0, hash_key=1, out_type=ops.tf.string)
case("SparseCrossV2", [], [], [], [one, two], C("-", object))
case("SparseCrossV2", [places], [texts], [row_of], [tall], C("_Y_", object))
logits = f(6, 3, 5)
logits[1, 0] = logits[0, 0]
for merge in (False, True):
    for blank in (-1, 0):
        case("CTCGreedyDecoder", logits, i(6, 3, 0), merge_repeated=merge, blank_index=blank)
case("CTCGreedyDecoder", f(40, 2, 3), i(40, 17), merge_repeated=True)
a = sparse((3, 5, 4), 21)
case("SparseSoftmax", *a)
case("SparseSoftmax", a[0], a[1] * 30, C(a[2]))
case("SparseSoftmax", *sparse((4, 6), 0))
for axis, parts in ((0, 3), (1, 2), (-1, 4)):
    case("SparseSplit", C(axis, np.int64), *sparse((3, 5, 4), 21), num_split=parts)
case("SparseSplit", C(1, np.int64), *sparse((3, 2), 4), num_split=2)
