"""Shapes, parts, joins, margins, blocks, new tensors, diagonals."""
import numpy as np

import ops
from ops import C, case, chain, refused

rng = np.random.default_rng(2)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)  # few digits, so that the file is small


x = f(2, 3, 4)
for dtype in (tf.int32, tf.int64):
    case("Shape", x, out_type=dtype)
    case("Size", x, out_type=dtype)
case("Shape", np.float32(3) * np.ones((), np.float32))
case("ShapeN", [x, f(5)], out_type=tf.int32)
case("Rank", x)
case("Size", f(0, 3))
for to in ([6, 4], [-1], [2, -1, 2], [2, 3, 4, 1], [24]):
    case("Reshape", x, C(to))
case("Reshape", f(1), C([], np.int32))
case("Reshape", f(0, 3), C([3, 0]))
case("Reshape", f(0, 3), C([0, 1, 3]))
case("Reshape", x, C([4, 6], np.int64))
case("Reshape", np.arange(6).reshape(2, 3), C([3, 2]))
chain("reshape to a computed shape", lambda v: tf.reshape(v, tf.concat([tf.shape(v)[:1], [12]], 0)), x)
chain("flatten", lambda v: tf.reshape(v, [tf.shape(v)[0], -1]), x)
chain("reshape by packed sizes", lambda v: tf.reshape(v, tf.stack([tf.shape(v)[0], 2, 6])), x)
for axis in (0, 1, -1, 3, -4):
    case("ExpandDims", x, C(axis))
case("ExpandDims", np.ones((), np.float32), C(0))
y = f(1, 3, 1, 2)
case("Squeeze", y)
case("Squeeze", y, axis=[0])
case("Squeeze", y, axis=[-2, 0])
case("Squeeze", f(2, 3))
case("Transpose", x, C([2, 0, 1]))
case("Transpose", x, C([0, 1, 2]))
case("Transpose", np.arange(6).reshape(2, 3), C([1, 0], np.int64))
chain("transpose of all axes", tf.transpose, x)
case("ConjugateTranspose", x, C([1, 0, 2]))
case("BroadcastTo", f(3, 1), C([2, 3, 4]))
case("BroadcastTo", f(1), C([0]))
case("BroadcastTo", np.array([True, False]), C([2, 2], np.int64))
case("BroadcastArgs", C([1, 3]), C([2, 1, 1]))
case("BroadcastArgs", C([4]), C([]))
case("BroadcastArgs", np.array([2, 1], np.int32), np.array([1, 5], np.int32))
case("InvertPermutation", np.array([2, 0, 3, 1], np.int32))
case("InvertPermutation", C([1, 2, 0], np.int64))
case("ConcatOffset", C(1), [C([2, 3]), C([2, 5]), C([2, 1])])
case("EnsureShape", x, shape=[None, 3, None])

# ---- parts
def slices(what, index, v=x):
    chain("x[" + what + "]", lambda t: t[index], v)


n = None
s_ = np.s_
for what, index in [("0", s_[0]), ("-1", s_[-1]), (":, 1", s_[:, 1]), ("..., -1", s_[..., -1]), (":1", s_[:1]), ("1:, ::2", s_[1:, ::2]), ("::-1", s_[::-1]), (":, ::-2", s_[:, ::-2]),
                    ("..., 3:0:-1", s_[..., 3:0:-1]), (":, None", s_[:, n]), ("None, 0, ..., None", s_[n, 0, ..., n]), ("0, 1, 2", s_[0, 1, 2]), ("-2:", s_[-2:]), (":, -3:-1", s_[:, -3:-1]), (":, 5:9", s_[:, 5:9]),
                    ("..., None, 1:3", s_[..., n, 1:3]), ("0, None, 1", s_[0, n, 1]), (":100", s_[:100]), ("..., 2::-1", s_[..., 2::-1]), ("..., -1:-3:-1", s_[..., -1:-3:-1]), ("...", s_[...]),
                    (":0", s_[:0]), ("1, ..., 2:4", s_[1, ..., 2:4])]:
    slices(what, index)
slices("1:3, of ints", s_[1:3], np.arange(7))
slices("2, of a shape", s_[2], np.arange(7))
chain("a computed begin", lambda v: v[:, tf.shape(v)[1] - 2:], x)
chain("a computed end", lambda v: v[:, :tf.shape(v)[2] - 2], x)
chain("a computed index", lambda v: v[:, tf.shape(v)[1] - 1], x)
case("StridedSlice", x, np.array([0, 1], np.int32), np.array([2, 3], np.int32), C([1, 1]), begin_mask=1, shrink_axis_mask=2)
case("StridedSlice", x, C([-100, 1]), C([100, 2]), C([1, 1]))
case("TensorStridedSliceUpdate", x, C([0, 1]), C([2, 3]), C([1, 1]), f(2, 2, 4))
for begin, size in [([0, 1, 2], [2, 1, 2]), ([0, 0, 1], [-1, -1, -1]), ([1, 0, 0], [1, 3, 0]), ([0, 0, 0], [-1, 2, 4])]:
    case("Slice", x, C(begin), C(size))
case("Slice", x, np.array([0, 1, 2], np.int32), np.array([1, 1, 2], np.int32))
case("Slice", np.arange(5), C([1], np.int64), C([3], np.int64))
for axes in ([0], [1, 2], [-1], []):
    case("ReverseV2", x, C(axes))
case("Reverse", x, C([True, False, True], np.bool_))
for seq, batch in [(1, 0), (0, 1), (2, 0), (1, 2)]:
    case("ReverseSequence", f(3, 4, 3), np.array({0: [1, 3, 2], 1: [2, 1, 3, 3]}.get(batch, [1, 2, 3]), np.int64), seq_dim=seq, batch_dim=batch)
case("ReverseSequence", f(2, 3), np.array([2, 3], np.int32), seq_dim=1)
case("Roll", x, C(1), C(0))
case("Roll", x, C([2, -1]), C([1, 2]))
case("Roll", x, C([1, 1, 5]), C([1, 1, -1]))
case("Tile", x, C([2, 1, 3]))
case("Tile", f(3), C([0]))
case("Tile", np.arange(3), C([2], np.int64))

# ---- joins
case("ConcatV2", [f(2, 3), f(1, 3)], C(0))
case("ConcatV2", [f(2, 3), f(2, 1), f(2, 0)], C(-1))
case("ConcatV2", [np.arange(3), np.arange(2)], C(0, np.int64))
case("Concat", C(1), [f(2, 3), f(2, 1)])
case("Pack", [f(2, 3), f(2, 3)])
case("Pack", [f(2, 3), f(2, 3), f(2, 3)], axis=-1)
case("Pack", [np.ones((), np.int32), np.zeros((), np.int32)], axis=0)
case("Pack", [f(2, 3)], axis=1)
case("Unpack", x, num=2)
case("Unpack", x, num=4, axis=-1)
case("Unpack", f(1, 3), num=1)
case("Split", C(1), f(2, 6), num_split=3)
case("Split", C(-1), f(2, 6), num_split=1)
case("Split", C(0), np.arange(4), num_split=2)
case("SplitV", f(2, 6), C([1, 2, 3]), C(1), num_split=3)
case("SplitV", f(2, 6), C([4, -1], np.int64), C(-1), num_split=2)
case("SplitV", f(3, 6), C([0, 3]), C(0), num_split=2)

# ---- margins and blocks
case("Pad", x, C([[0, 0], [1, 2], [3, 0]]))
case("Pad", np.arange(3), C([[1, 1]], np.int64))
case("PadV2", x, C([[1, 0], [0, 2], [0, 0]]), C(7.5, np.float32))
case("PadV2", np.array([True]), C([[1, 1]]), C(True, np.bool_))
chain("computed margins", lambda v: tf.pad(v, tf.stack([[0, 0], [0, tf.shape(v)[1]], [1, 0]])), x)
for mode in ("REFLECT", "SYMMETRIC"):
    case("MirrorPad", x, C([[0, 0], [1, 2], [2, 1]]), mode=mode)
    case("MirrorPad", np.arange(5), C([[3, 2]]), mode=mode)
case("MirrorPad", f(2, 3), C([[2, 2], [3, 3]], np.int64), mode="SYMMETRIC")
case("SpaceToDepth", f(2, 4, 6, 3), block_size=2)
case("DepthToSpace", f(2, 2, 3, 12), block_size=2)
case("SpaceToDepth", f(1, 3, 6, 2), block_size=3)
case("SpaceToBatchND", f(2, 5, 6, 3), C([2, 3]), C([[1, 0], [0, 3]]))
case("SpaceToBatchND", f(2, 7, 3), C([2]), C([[0, 1]]))
case("BatchToSpaceND", f(12, 2, 3, 3), C([2, 3]), C([[1, 0], [0, 2]]))
case("BatchToSpaceND", f(4, 3, 2), C([2], np.int64), C([[0, 1]], np.int64))
case("SpaceToBatch", f(1, 4, 4, 2), C([[0, 0], [1, 1]]), block_size=2)
case("BatchToSpace", f(4, 3, 2, 2), C([[0, 1], [1, 0]]), block_size=2)
chain("a dilated convolution over blocks", lambda v: tf.nn.space_to_batch(v, [2, 2], tf.stack([[0, tf.shape(v)[1] % 2], [0, 0]])), f(2, 5, 4, 1))

# ---- new tensors
case("Fill", C([2, 3]), np.float32(1.5) * np.ones((), np.float32))
case("Fill", C([2], np.int64), C(7))
chain("a fill of a computed shape", lambda v: tf.fill(tf.shape(v)[:2], 2.0), x)
case("ZerosLike", x)
case("OnesLike", x)
case("ZerosLike", np.array([True, False]))
case("OnesLike", np.arange(3))
case("Range", C(1), C(10), C(3))
case("Range", C(5, np.int64), C(-2, np.int64), C(-2, np.int64))
case("Range", C(0.5, np.float32), C(2.0, np.float32), C(0.25, np.float32))
case("Range", C(3), C(3), C(1))
chain("a range as long as an axis", lambda v: tf.range(tf.shape(v)[1]), x)
case("LinSpace", C(0.0, np.float32), C(1.0, np.float32), C(5))
case("LinSpace", C(-2.0, np.float64), C(7.5, np.float64), C(4, np.int64))
case("LinSpace", C(3.0, np.float32), C(9.0, np.float32), C(1))
ids = np.array([[0, 2], [-1, 5]], np.int32)
case("OneHot", ids, C(4), C(1.0, np.float32), C(0.0, np.float32))
case("OneHot", ids.astype(np.int64), C(3), C(5), C(-1), axis=0)
case("OneHot", ids, C(3), C(True, np.bool_), C(False, np.bool_), axis=1)
case("OneHot", ids.astype(np.uint8), C(3), C(2.5, np.float32), C(-1.0, np.float32))
case("OneHot", np.array(1, np.int32), C(3), C(1.0, np.float32), C(0.0, np.float32))

# ---- diagonals and bands
m = f(2, 4, 5)
for lower, upper in [(1, 0), (-1, 0), (0, -1), (2, 1), (0, 0), (-1, -1)]:
    case("MatrixBandPart", m, C(lower, np.int64), C(upper, np.int64))
case("MatrixBandPart", np.arange(9).reshape(3, 3), C(0), C(1))
case("MatrixDiag", f(2, 3))
case("MatrixDiagPart", m)
case("MatrixSetDiag", m, f(2, 4))
case("Diag", f(2, 3))
case("DiagPart", f(2, 3, 2, 3))
for k in (0, 1, -2, 3):
    case("MatrixDiagPartV2", m, C(k), C(0.0, np.float32))
    case("MatrixDiagV2", f(2, 3), C(k), C(-1), C(-1), C(9.0, np.float32))
for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
    for k in ([-1, 1], [0, 2], [-3, -1], [-3, 4]):
        case("MatrixDiagPartV3", m, C(k), C(9.0, np.float32), align=align)
    case("MatrixDiagV3", f(2, 3, 4), C([-1, 1]), C(-1), C(-1), C(7.0, np.float32), align=align)
    case("MatrixDiagV3", f(2, 2, 3), C([1, 2]), C(3), C(6), C(7.0, np.float32), align=align)
    case("MatrixSetDiagV3", m, f(2, 3, 4), C([-1, 1]), align=align)
case("MatrixDiagV3", f(2, 3), C(0), C(4), C(3), C(0.0, np.float32))
case("MatrixSetDiagV2", m, f(2, 4), C(1))
case("MatrixSetDiagV3", m, f(2, 4), C(0))
case("IdentityN", [x, f(2)])
for op in ("Identity", "StopGradient", "Snapshot", "DeepCopy", "GuaranteeConst"):
    case(op, x)
for op, more in [("PreventGradient", {}), ("PlaceholderWithDefault", dict(shape=[2, 3, 4])), ("DebugGradientIdentity", {})]:
    case(op, x if op != "PlaceholderWithDefault" else C(x), **more, want=[x])
case("Print", x, [f(2)], want=[x])
case("Empty", C([2, 3]), dtype=tf.float32, init=True)
