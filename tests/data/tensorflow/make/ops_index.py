"""Reading and writing by index, segments, bins, order."""
import numpy as np

import ops
from ops import C, case, chain, refused

rng = np.random.default_rng(3)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)  # few digits, so that the file is small


def i(*values, dtype=np.int32):
    return np.array(values, dtype)


x = f(4, 5, 3)
case("Gather", x, i(3, 0, 1))
case("Gather", f(6), np.array([[1, 2], [3, 5]], np.int64))
case("GatherV2", x, i(3, 0), C(0))
case("GatherV2", x, np.array([[1, 4], [0, 2]], np.int64), C(1))
case("GatherV2", x, np.array(2, np.int32), C(-1))
case("GatherV2", x, C([2, 1]), C(2, np.int64))
case("GatherV2", np.arange(7), i(1, 1), C(0))
case("GatherV2", x, np.zeros((0,), np.int32), C(1))
case("GatherV2", np.array([True, False, True]), i(2, 1), C(0))
index = rng.integers(0, 5, (4, 2)).astype(np.int32)
case("GatherV2", x, index, C(1), batch_dims=1)
case("GatherV2", x, rng.integers(0, 3, (4, 2, 2)).astype(np.int32), C(2), batch_dims=1)
case("GatherV2", x, rng.integers(0, 3, (4, 5)).astype(np.int32), C(2), batch_dims=2)
case("GatherV2", x, rng.integers(0, 3, (4, 5, 2)).astype(np.int32), C(-1), batch_dims=2)
case("GatherV2", f(2, 3, 4, 5), rng.integers(0, 5, (2, 6)).astype(np.int64), C(3), batch_dims=1)
case("GatherV2", f(2, 3, 4, 5), rng.integers(0, 4, (2, 6)).astype(np.int64), C(2), batch_dims=-1)
case("GatherNd", x, np.array([[0, 1], [3, 4]], np.int32))
case("GatherNd", x, np.array([[[0, 1, 2]], [[3, 4, 0]]], np.int64))
case("GatherNd", x, np.array([[2]], np.int32))
case("GatherNd", np.arange(6).reshape(2, 3), np.array([[1, 2], [0, 0]], np.int32))
case("ScatterNd", np.array([[1], [3], [1]], np.int32), f(3), C([5]))
case("ScatterNd", np.array([[1, 0], [3, 2]], np.int64), f(2, 2), C([4, 3, 2], np.int64))
case("ScatterNd", np.array([[1], [0]], np.int32), i(5, 7), C([3]))
chain("scatter to a computed shape", lambda a, b: tf.scatter_nd(a, b, tf.shape(b)), np.array([[1], [0], [2]], np.int32), f(3, 2))
for op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"):
    case(op, x, np.array([[1], [3]], np.int32), f(2, 5, 3))
    case(op, x, np.array([[1, 2], [3, 0]], np.int64), f(2, 3))
    case(op, i(1, 2, 3, 4), np.array([[1], [3]], np.int32), i(9, -9))
case("TensorScatterAdd", f(3), np.array([[1], [1], [1]], np.int32), f(3))
case("ScatterNdNonAliasingAdd", f(3), np.array([[1], [1], [2]], np.int32), f(3))
case("SparseToDense", np.array([[0, 1], [2, 3]], np.int64), C([3, 4], np.int64), f(2), C(0.5, np.float32))
case("SparseToDense", i(1, 3), C([5]), f(2), C(0.0, np.float32))
case("SparseToDense", np.array(2, np.int32), C([4]), np.array(7, np.int32), C(-1))
case("SparseToDense", np.array([[0, 1], [2, 3]], np.int64), C([3, 4], np.int64), np.array(1.5, np.float32), C(0.0, np.float32))
ids = i(0, 0, 1, 3)
for op in ("SegmentSum", "SegmentMean", "SegmentProd", "SegmentMax", "SegmentMin"):
    case(op, f(4, 2), C([0, 0, 1, 3]))
    case(op, f(4), ids)
    case(op, f(4), C([0, 0, 2, 2], np.int64))
    if op != "SegmentMean":
        case(op, i(3, 4, -5, 6), C([0, 1, 1, 3]))
loose = i(2, 0, -1, 2)
for op in ("UnsortedSegmentSum", "UnsortedSegmentProd", "UnsortedSegmentMax", "UnsortedSegmentMin"):
    case(op, f(4, 2), loose, C(4))
    case(op, f(2, 2, 3), np.array([[0, 1], [1, 0]], np.int64), C(2))
    case(op, i(3, 4, -5, 6), loose, C(3))
    case(op, f(4).astype(np.float16), loose, C(3))
for op in ("SparseSegmentSum", "SparseSegmentMean", "SparseSegmentSqrtN"):
    case(op, x, i(0, 3, 1), C([0, 0, 2]))
    case(op, f(4, 2), i(0, 3, 1, 1), i(0, 0, 1, 1))
    case(op + "WithNumSegments", f(4, 2), i(0, 3, 1), C([0, 0, 2]), C(4))
case("DynamicPartition", f(5, 2), i(0, 1, 0, 2, 1), num_partitions=3)
case("DynamicPartition", f(2, 2), np.array([[0, 1], [1, 0]], np.int32), num_partitions=2)
for op in ("DynamicStitch", "ParallelDynamicStitch"):
    case(op, [C([0, 2]), C([1, 3, 4])], [f(2, 3), f(3, 3)])
    case(op, [i(0, 2), i(1)], [f(2), f(1)])
case("DynamicStitch", [C([[0, 3], [2, 1]])], [f(2, 2, 2)])
case("Where", np.array([[True, False], [True, True]]))
case("Where", np.array([0, 1.5, 0, -2], np.float32))
case("Where", i(0, 3, 0))
v = i(4, 1, 1, 2, 4, 4, 8)
case("Unique", v)
case("Unique", np.array([1.5, 2, 1.5, 0], np.float32), out_idx=tf.int64)
case("UniqueV2", v, C([0], np.int64))
case("UniqueV2", np.array([[1, 2], [3, 4], [1, 2]], np.int32), C([0], np.int64))
case("UniqueV2", np.array([[1, 2, 1], [3, 4, 3]], np.int32), C([1], np.int64))
case("UniqueWithCounts", v)
case("UniqueWithCountsV2", v, C([0], np.int64))
case("ListDiff", v, i(1, 8))
case("ListDiff", np.arange(5), np.array([], np.int64), out_idx=tf.int64)
none = C([], np.float32)
case("Bincount", i(1, 1, 2, 7, 0), C(4), none)
case("Bincount", np.array([[1, 1], [2, 0]], np.int32), C(4), C([], np.int32))
case("Bincount", i(1, 1, 2), C(4), f(3))
for binary in (False, True):
    case("DenseBincount", i(1, 1, 2, 7, 0), C(4), none, binary_output=binary)
    case("DenseBincount", np.array([[1, 1, 0], [2, 0, 9]], np.int64), C(4, np.int64), C([], np.int64), binary_output=binary)
case("DenseBincount", np.array([[1, 1, 0], [2, 0, 9]], np.int32), C(4), f(2, 3))
case("Bucketize", np.array([[-5, 0, 1.5], [2, 7, np.nan]], np.float32), boundaries=[0.0, 1.5, 3.25])
case("Bucketize", i(-5, 0, 10, 4), boundaries=[0.0, 4.0])
case("Bucketize", np.array([0.1, 1e6], np.float64), boundaries=[0.1])
case("Bucketize", f(3), boundaries=[])
for op in ("LowerBound", "UpperBound"):
    case(op, np.array([[0, 2, 2, 5], [1, 1, 3, 9]], np.float32), np.array([[2, 6, -1], [1, 3, 4]], np.float32))
    case(op, np.array([[0, 2, 2, 5]], np.int32), np.array([[2, 6]], np.int32), out_type=tf.int64)
t = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], np.float32)
case("TopKV2", t, C(2))
case("TopKV2", t, C(5), sorted=True)
case("TopKV2", np.array([2, 2, 7, 2], np.int32), C(3))
case("TopKV2", t.astype(np.float16), C(2))
case("NthElement", t, C(1))
case("NthElement", t, C(0), reverse=True)
case("InTopK", t, i(2, 0), k=1)
case("InTopK", t, i(2, 4), k=2)
case("InTopKV2", t, np.array([4, 2], np.int64), C(2, np.int64))
case("InTopKV2", np.array([[1, np.inf, 2], [1, np.nan, 0], [1, 1, 1]], np.float32), i(1, 0, 5), C(1))
