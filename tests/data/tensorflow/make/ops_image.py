"""Images on other grids, crops, colours, quantisation."""
import numpy as np

import ops
from ops import C, case, chain

rng = np.random.default_rng(6)
tf = ops.tf


def f(*shape):
    return (np.round(rng.standard_normal(shape) * 32) / 32).astype(np.float32)  # few digits, so that the file is small


x = f(2, 5, 6, 3)
for op in ("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"):
    for size in ([10, 12], [3, 4], [7, 9], [5, 6], [1, 1]):
        for corners, centers in [(False, False), (True, False), (False, True)]:
            case(op, x, C(size), align_corners=corners, half_pixel_centers=centers)
    case(op, (f(1, 4, 3, 2) * 50 + 100).astype(np.uint8), C([7, 5]), half_pixel_centers=True)
for size in ([10, 12], [3, 4], [2, 3], [7, 4]):
    case("ResizeArea", x, C(size))
for kernel in ("triangle", "lanczos3", "keyscubic"):
    case("ScaleAndTranslate", x, C([3, 9]), C([3 / 5, 9 / 6], np.float32), C([0, 0], np.float32), kernel_type=kernel)
    if kernel != "keyscubic":
        case("ScaleAndTranslate", x, C([3, 9]), C([3 / 5, 9 / 6], np.float32), C([0, 0], np.float32), kernel_type=kernel, antialias=False)
boxes = np.array([[0, 0, 1, 1], [0.2, 0.1, 0.7, 0.9], [-0.5, 0.3, 1.2, 0.6], [0.9, 0.8, 0.1, 0.2]], np.float32)
for method in ("bilinear", "nearest"):
    case("CropAndResize", x, C(boxes), C([0, 1, 1, 0]), C([4, 3]), method=method, extrapolation_value=-1.0)
    case("CropAndResize", x, boxes, np.array([0, 1, 1, 0], np.int32), C([1, 2]), method=method)
case("CropAndResize", x, boxes, np.array([0, 1, 1, 0], np.int32), C([3, 3]))  # what lies outside is 0
rgb = rng.random((2, 3, 4, 3)).astype(np.float32)
rgb[0, 0] = [[0, 0, 0], [0.5, 0.5, 0.5], [1, 0, 0], [0.2, 0.2, 0.7]]
case("RGBToHSV", rgb)
case("HSVToRGB", rgb)
case("RGBToHSV", rgb.astype(np.float64))
case("AdjustHue", rgb, C(0.3, np.float32))
case("AdjustHue", rgb, C(-0.45, np.float32))
case("AdjustSaturation", rgb, C(1.7, np.float32))
case("AdjustContrastv2", rgb, C(0.4, np.float32))
q = (f(3, 8) * 4)
case("FakeQuantWithMinMaxArgs", q)
case("FakeQuantWithMinMaxArgs", q, min=-1.0, max=3.0, num_bits=4, narrow_range=True)
case("FakeQuantWithMinMaxVars", q, C(-2.0, np.float32), C(5.0, np.float32))
case("FakeQuantWithMinMaxVars", q, C(0.0, np.float32), C(5.0, np.float32), num_bits=5)
case("FakeQuantWithMinMaxVarsPerChannel", q, C(np.linspace(-3, -0.5, 8).astype(np.float32)), C(np.linspace(1, 4, 8).astype(np.float32)), narrow_range=True)
for signed in (True, False):
    for narrow in (False, True):
        case("QuantizeAndDequantizeV2", q, C(-2.0, np.float32), C(5.0, np.float32), signed_input=signed, range_given=True, narrow_range=narrow)
        case("QuantizeAndDequantizeV3", q, C(0.0, np.float32), C(0.0, np.float32), C(5), signed_input=signed, narrow_range=narrow)
case("QuantizeAndDequantizeV2", q, C(-5.0, np.float32), C(2.0, np.float32), range_given=True, round_mode="HALF_UP", num_bits=4)
case("QuantizeAndDequantizeV4", q, C(np.zeros(8, np.float32)), C(np.zeros(8, np.float32)), axis=1)
case("QuantizeAndDequantizeV2", np.zeros((2, 3), np.float32), C(0.0, np.float32), C(0.0, np.float32))
case("QuantizeAndDequantizeV2", np.abs(q), C(0.0, np.float32), C(0.0, np.float32))
