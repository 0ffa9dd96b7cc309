"""What detectors end with: boxes that overlap."""
import numpy as np

import ops
from ops import C, case, refused

rng = np.random.default_rng(11)
tf = ops.tf


def boxes(n, size=0.3):
    corner, extent = rng.random((n, 2)), rng.random((n, 2)) * size
    return np.round(np.concatenate([corner, corner + extent], 1) * 256).astype(np.float32) / 256


def scores(n):
    return rng.permutation(n).astype(np.float32) / n


b, s = boxes(20), scores(20)
b[4] = b[9]
b[7] = b[7][[2, 3, 0, 1]]  # the other corners
b[11, 2:] = b[11, :2]      # no area
f32 = np.float32
case("NonMaxSuppression", b, s, C(5), iou_threshold=0.3)
case("NonMaxSuppression", b, s, C(50))
near = np.array([[0, 0, 8, 8], [0, 0, 8, 3.75], [0, 0, 8, 4.25]], np.float32)  # overlaps just below and above one half
case("NonMaxSuppression", near, np.array([3, 2, 1], np.float32), C(3))
case("NonMaxSuppression", near[[0, 2]], np.array([3, 2], np.float32), C(3))
case("NonMaxSuppressionV2", b, s, np.array(8, np.int32), C(0.1, f32))
case("NonMaxSuppressionV2", b, np.full(20, 0.5, f32), C(30), C(0.2, f32))
case("NonMaxSuppressionV2", b.astype(np.float16), s.astype(np.float16), C(30), C(0.2, np.float16))
case("NonMaxSuppressionV2", b[:0], s[:0], C(3), C(0.5, f32))
case("NonMaxSuppressionV3", b, s, C(30), C(0.2, f32), C(0.35, f32))
case("NonMaxSuppressionV3", b, s, C(0), C(0.2, f32), C(0.35, f32))
odd = s.copy()
odd[3], odd[5], odd[6] = np.nan, np.inf, -np.inf
case("NonMaxSuppressionV3", b, odd, C(30), C(0.0, f32), C(-np.inf, f32))
case("NonMaxSuppressionV3", b * 100, s - 0.5, C(30), C(1.0, f32), C(0.0, f32))
for pad in (False, True):
    case("NonMaxSuppressionV4", b, s, C(18), C(0.1, f32), C(0.2, f32), pad_to_max_output_size=pad)
    for sigma in (0.0, 0.5, 0.1):
        case("NonMaxSuppressionV5", b, s, C(18), C(0.1, f32), C(0.2, f32), C(sigma, f32), pad_to_max_output_size=pad)
case("NonMaxSuppressionV5", b, np.full(20, 0.7, f32), C(20), C(0.5, f32), C(0.3, f32), C(0.2, f32))
case("NonMaxSuppressionV4", b, s, np.array(18, np.int32), C(0.1, f32), C(0.2, f32), pad_to_max_output_size=True)
many = np.stack([boxes(12), boxes(12)])
chances = rng.random((2, 12, 3)).astype(f32)
for pad in (False, True):
    for clip in (False, True):
        case("CombinedNonMaxSuppression", many[:, :, None] * 1.2, chances, C(4), C(9), C(0.1, f32), C(0.3, f32), pad_per_class=pad, clip_boxes=clip)
each = np.stack([boxes(24), boxes(24)]).reshape(2, 8, 3, 4)[..., [2, 1, 0, 3]]
case("CombinedNonMaxSuppression", each, chances[:, :8], C(2),
     C(20), C(0.05, f32), C(0.1, f32))
case("CombinedNonMaxSuppression", many[:, :, None], chances, C(2), C(20), C(0.1, f32), C(0.3, f32), pad_per_class=True)
case("CombinedNonMaxSuppression", many[:, :, None] - 0.25, chances, C(4), C(9), C(0.1, f32), C(0.3, f32))
case("CombinedNonMaxSuppression", many[:, :, None], chances - 0.5, C(5), C(7), C(0.5, f32), C(-0.25, f32))
refused("CombinedNonMaxSuppression", many[:, :, None], chances, np.array(2, np.int32), C(20), C(0.1, f32), C(0.3, f32))
