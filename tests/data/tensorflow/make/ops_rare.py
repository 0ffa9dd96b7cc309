"""What few graphs have: layers of steps that TensorFlow 1 fused, projective transforms, histograms."""
import numpy as np

import ops
from ops import C, case, chain

rng = np.random.default_rng(21)
tf = ops.tf


def f(*shape, dtype=np.float32):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(dtype)


def read(op, **attrs):
    """What inference reads of a layer of steps: the states and the outputs."""
    def build(n, *tensors):
        names = "x cs_prev h_prev w wci wcf wco b".split()
        y = getattr(tf.raw_ops, op)(seq_len_max=n, **dict(zip(names, tensors)), **attrs)
        return tf.concat([y.cs, y.h], 2)
    return build


for op, n, attrs in (("BlockLSTM", 5, {}), ("BlockLSTM", 3, dict(forget_bias=0.5, cell_clip=-1.0, use_peephole=True)), ("BlockLSTM", 5, dict(cell_clip=0.3)),
                     ("BlockLSTMV2", 5, {}), ("BlockLSTMV2", 4, dict(cell_clip=0.25, use_peephole=True))):
    chain(f"{op} of {n} steps, {attrs}", read(op, **attrs), C(n, np.int64), f(5, 2, 4), f(2, 3), f(2, 3), f(7, 12), f(3), f(3), f(3), f(12))
chain("BlockLSTM of a number of steps that the run tells", read("BlockLSTM"), np.array(2, np.int64), f(4, 2, 4), f(2, 3), f(2, 3), f(7, 12), f(3), f(3), f(3), f(12))

turn = np.array([[1.1, .1, -1, -.1, .9, .5, 0, 0], [.8, -.6, 2, .6, .8, -1, .01, .02]], np.float32)
far = np.array([[1, 0, -30, 0, 1, 17, 0, 0], [2, .5, 9, -1, 3, -12, 0, 0]], np.float32)
for mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
    for how in ("BILINEAR", "NEAREST"):
        for t in (turn, far):
            case("ImageProjectiveTransformV3", f(2, 5, 7, 2), t, C([5, 7]), C(0.25, np.float32), interpolation=how, fill_mode=mode)
case("ImageProjectiveTransformV2", f(2, 5, 7, 1), turn[:1], C([4, 9]), interpolation="BILINEAR")
case("ImageProjectiveTransformV3", f(2, 4, 4, 1), turn, np.array([3, 6], np.int32), C(0, np.float32), interpolation="NEAREST")
case("ImageProjectiveTransformV3", f(1, 4, 4, 1), np.array([[1, 0, 0, 0, 1, 0, -.5, 0]], np.float32), C([4, 4]), C(9, np.float32), interpolation="BILINEAR")
for dtype in (np.float32, np.int32):
    case("HistogramFixedWidth", f(3, 8, dtype=np.float32).astype(dtype), C([-1, 2], dtype), C(5))
case("HistogramFixedWidth", f(40) * 3, C([-2, 2.5], np.float32), C(7), dtype=tf.int64)
