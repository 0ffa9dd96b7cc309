"""Arithmetic, comparisons, functions of one number, casts, logic."""
import ml_dtypes
import numpy as np

import ops
from ops import C, case, chain, refused

rng = np.random.default_rng(1)
inf, nan = np.inf, np.nan


def floats(*shape, dtype=np.float32, scale=2.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32).astype(dtype)


bf16 = ml_dtypes.bfloat16
FLOATS = [np.float32, np.float64, np.float16, bf16]
odd = np.array([0.0, -0.0, 1, -1, 0.5, -2.5, 1.5, 2.5, inf, -inf, nan, 3e38, 1e-30, -7.25, 100.5], np.float32)
tame = np.array([0.0, 1, -1, 0.5, -2.5, 1.5, 2.5, -0.75, 0.1, 3.3, -3.6], np.float32)
ints = np.array([-7, -4, -1, 0, 3, 5, 8, 100], np.int32)
divisors = np.array([2, -3, 4, 5, -2, 3, -5, 7], np.int32)

# ---- two operands
for op in ("AddV2", "Add", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "SquaredDifference"):
    for dtype in FLOATS:
        case(op, floats(2, 3, dtype=dtype), floats(3, dtype=dtype))
    case(op, odd, odd[::-1].copy())
    case(op, floats(2, 1, 3), floats(4, 1))
    case(op, floats(0, 3), floats(3))
    if op != "RealDiv":
        case(op, ints, divisors)
        case(op, ints.astype(np.int64), divisors.astype(np.int64))
for op in ("AddV2", "Sub", "Mul", "Maximum", "Minimum"):
    case(op, np.array([250, 3, 7], np.uint8), np.array([9, 200, 7], np.uint8))
    case(op, np.array([120, -100, 7], np.int8), np.array([9, 100, 7], np.int8))
for op in ("Div", "FloorDiv", "FloorMod", "TruncateDiv", "TruncateMod", "Mod"):
    case(op, ints, divisors)
    case(op, ints.astype(np.int64), divisors.astype(np.int64))
    case(op, np.array([[9, 7], [2, 250]], np.int32).astype(np.uint8), np.array([4, 3], np.uint8)) if op not in ("TruncateMod", "Mod") else None
for op in ("Div", "FloorDiv", "FloorMod", "DivNoNan", "Mod", "TruncateMod"):
    for dtype in (np.float32, np.float64, np.float16, bf16):
        if dtype == np.float16 and op in ("Mod", "TruncateMod") or dtype == bf16 and op in ("Mod", "TruncateMod"):
            continue
        case(op, np.array([7, -7, 7, -7, 5.5, -0.25, 0, 6], np.float32).astype(dtype), np.array([2, 2, -2, -2, 1.5, 3, 4, -3], np.float32).astype(dtype))
case("FloorDiv", np.array([1, -1, 0, 3.0], np.float32), np.zeros(4, np.float32))
case("DivNoNan", odd, np.zeros_like(odd))
case("DivNoNan", odd, odd[::-1].copy())
case("MulNoNan", odd, np.zeros_like(odd))
case("MulNoNan", odd, odd[::-1].copy())
for op in ("Xlogy", "Xdivy", "Xlog1py"):
    case(op, np.array([0, 0, 1, 2.5, -1], np.float32), np.array([0, nan, 2, 0.5, 3], np.float32))
    case(op, floats(2, 3, dtype=np.float64), np.abs(floats(3, dtype=np.float64)))
case("Atan2", np.array([0, -0.0, 1, -1, 1, -1, 0, 2, -3], np.float32), np.array([1, -1, 1, 1, -1, -1, 0, 0, 0], np.float32))
case("Atan2", floats(3, 4), floats(4))
case("Atan2", floats(3, 4, dtype=np.float64), floats(4, dtype=np.float64))
case("Pow", np.abs(floats(2, 3)), floats(3))
case("Pow", tame, C([2.0], np.float32))
case("Pow", tame, C(0.5, np.float32))
case("Pow", tame, C(3.0, np.float32))
case("Pow", np.abs(floats(2, 3, dtype=np.float64)), floats(3, dtype=np.float64))
case("Pow", np.array([2, -3, 5, 7], np.int32), np.array([3, 3, 0, 2], np.int32))
case("Pow", np.array([2, -3, 5, 7], np.int64), C(2, np.int64))
for n in (1, 2, 3, 5):
    case("AddN", [floats(2, 3) for _ in range(n)])
    case("AccumulateNV2", [floats(2, 3) for _ in range(n)], shape=[2, 3])
case("AddN", [ints, divisors, ints])

# ---- comparisons, logic
for op in ("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"):
    case(op, odd, np.roll(odd, 1))
    case(op, odd, odd)
    case(op, ints, divisors)
    case(op, np.array([[1, 2, 3]], np.int64), np.array([[2], [3]], np.int64))
    case(op, floats(2, 3, dtype=np.float16), floats(3, dtype=np.float16))
    case(op, floats(2, 3, dtype=bf16), floats(3, dtype=bf16))
    case(op, np.array([200, 3], np.uint8), np.array([3, 200], np.uint8))
bools = np.array([[True, False, True], [False, False, True]])
for op in ("Equal", "NotEqual", "LogicalAnd", "LogicalOr"):
    case(op, bools, np.array([True, False, False]))
case("LogicalNot", bools)
case("ApproximateEqual", np.array([1, 2, 3, nan], np.float32), np.array([1 + 1e-6, 2.1, 3, nan], np.float32))
case("ApproximateEqual", np.array([1, 2, 3], np.float32), np.array([1.05, 2.2, 3], np.float32), tolerance=0.1)
for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
    case(op, ints, divisors)
    case(op, np.array([200, 3], np.uint8), np.array([3, 200], np.uint8))
for dtype in (np.int8, np.int32, np.int64, np.uint8, np.uint16):
    case("Invert", np.array([0, 1, 5, 127], dtype))
    case("LeftShift", np.array([1, 3, 100, 7], dtype), np.array([0, 2, 1, 6], dtype))
    case("RightShift", np.array([1, 3, 100, 127], dtype), np.array([0, 1, 3, 6], dtype))
    case("PopulationCount", np.array([0, 1, 100, 127], dtype))
case("RightShift", np.array([-1, -100, -7], np.int32), np.array([1, 3, 31], np.int32))
case("LeftShift", np.array([-1, -100, 7], np.int32), np.array([1, 3, 31], np.int32))
case("PopulationCount", np.array([-1, -100, 7], np.int32))
case("PopulationCount", np.array([-1, -100, 7, 1 << 40], np.int64))

# ---- one operand
for op in ("Abs", "Neg", "Sign", "Square"):
    for dtype in FLOATS:
        case(op, floats(2, 5, dtype=dtype))
    case(op, odd)
    case(op, ints)
    case(op, ints.astype(np.int64))
    case(op, np.zeros((0, 3), np.float32))
for op in ("Floor", "Ceil", "Rint", "Round"):
    for dtype in FLOATS[:2] if op == "Rint" else FLOATS:
        case(op, np.array([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.2, -0.7, 3], np.float32).astype(dtype))
    case(op, odd)
positive = np.array([0.0, 0.25, 1, 2, 10, 1e-20, 1e20, inf, nan], np.float32)
for op in ("Sqrt", "Rsqrt", "Reciprocal", "Inv", "Log", "Log1p", "Lgamma", "Digamma"):
    for dtype in FLOATS:
        if op in ("Lgamma", "Digamma") and dtype == bf16:
            continue
        case(op, (np.abs(floats(2, 5)) + 0.1).astype(dtype))
    case(op, positive)
case("Log", np.array([-1.0, -0.0], np.float32))
case("Log1p", np.array([-1.0, -2, 1e-6, -1e-6, 1e-3, 0.5, 30, -0.9], np.float32))
case("Lgamma", np.array([0.5, 1, 2, 3, 10, 100, -0.5, -1.5, -2.7, 1e-5, 1.0001, 1.9999], np.float32))
case("Digamma", np.array([0.5, 1, 2, 3, 10, 100, -0.5, -1.5, -2.7, 1e-3, 1.0001, 1.4616], np.float32))
for op in ("Exp", "Expm1", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Erf", "Erfc", "Sigmoid"):
    for dtype in FLOATS:
        case(op, floats(2, 5, dtype=dtype))
    case(op, tame)
    case(op, np.array([0, -0.0, 1e-6, -1e-4, 5, -6, nan], np.float32))
case("Exp", odd)
case("Expm1", odd)
case("Erfc", np.array([0, 3, 5, 9, -3, -9, 1e-3], np.float32))
case("Sigmoid", odd)
case("Tanh", odd)
for op in ("Asin", "Acos", "Atanh"):
    case(op, np.array([0, 0.5, -0.5, 0.99, -0.99, 0.1], np.float32))
    case(op, np.array([0, 0.5, -0.5, 0.99, -0.99, 0.1], np.float64))
case("Acosh", np.array([1, 1.5, 2, 10, 0.5], np.float32))
for op in ("Erfinv", "Ndtri"):
    points = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1e-3, 0.0005, 0.9999], np.float32)
    case(op, points)
    case(op, points.astype(np.float64))
case("Erfinv", np.array([-0.1, -0.5, -0.9, -0.999, 1, -1], np.float32))
line = np.array([0, 1e-6, 1e-3, 0.1, 0.5, 1, 2, 3.5, 5, 7.9, 8.9, 9.1, 11.9, 12.1, 15, 20, 50, 80], np.float32)
for op in ("BesselI0", "BesselI0e", "BesselI1", "BesselI1e", "BesselJ0", "BesselJ1"):
    case(op, np.concatenate([line, -line]))
    case(op, line.astype(np.float64))
for op in ("BesselK0", "BesselK0e", "BesselK1", "BesselK1e", "BesselY0", "BesselY1"):
    case(op, line)
    case(op, line[3:].astype(np.float64))
a, x = np.array([0.1, 0.5, 1, 3, 10, 100, 500], np.float32)[:, None], np.array([0, 1e-3, 0.3, 1, 2.5, 9, 40, 99, 101, 600], np.float32)
for op in ("Igamma", "Igammac"):
    case(op, a + 0 * x, x + 0 * a)
    case(op, (a + 0 * x).astype(np.float64), (x + 0 * a).astype(np.float64))
    case(op, a, x)
    case(op, np.array([-1, 1, 0, nan], np.float32), np.array([1, -1, 2, 1], np.float32))
unit = np.array([0, 1e-4, 0.1, 0.3, 0.5, 0.77, 0.99, 1], np.float32)
for dtype in (np.float32, np.float64):
    for p, q in ((0.5, 0.5), (1, 3), (5, 0.2), (30, 40), (200, 3)):
        case("Betainc", np.full(8, p, dtype), np.full(8, q, dtype), unit.astype(dtype))
    case("Zeta", np.array([1.1, 2, 3, 5.5, 20, 1.5, 2], dtype), np.array([1, 1, 0.5, 2, 3, 100, 7.25], dtype))
    case("Polygamma", np.array([0, 1, 2, 3, 1, 4, 0], dtype), np.array([1.5, 1, 0.5, 2, 30, 7.25, 0.25], dtype))
    case("NextAfter", np.array([1, 1, -1, -1, 2, 1e30, 3, nan], dtype), np.array([2, 0, 0, -2, 2, inf, -inf, 1], dtype))
both = np.array([0, 1e-6, 1e-3, 0.1, 0.37, 0.49, 0.51, 0.99, 1, 1.01, 1.49, 1.51, 1.99, 2.01, 3.5, 6.9, 7.1, 12, 26, 39, 49.9, 50.1, 80, 300], np.float32)
for op in ("Dawsn", "FresnelSin", "FresnelCos"):
    case(op, np.concatenate([both, -both]))
    case(op, np.concatenate([both, -both]).astype(np.float64))
for op in ("Expint", "Spence"):
    case(op, np.concatenate([both, [-0.5, -1e-3, -8, -inf, nan]]).astype(np.float32))
    case(op, np.concatenate([both, [-0.5, -1e-3, -8, -inf, nan]]).astype(np.float64))
for op in ("IsNan", "IsInf", "IsFinite"):
    case(op, odd)
    case(op, odd.astype(np.float64))
    with np.errstate(over="ignore"):
        case(op, odd.astype(np.float16))
    case(op, odd.astype(bf16))

# ---- casts
sources = {
    np.float32: np.array([0, 1, -1, 2.7, -2.7, 100.9, 0.4], np.float32), np.float64: np.array([0, 1, 2.7, -2.7, 1e10], np.float64), np.float16: np.array([0, 1, -2.7], np.float16),
    bf16: np.array([0, 1, -2.7], np.float32).astype(bf16), np.int32: np.array([0, 1, -1, 77, 300], np.int32), np.int64: np.array([0, 1, -1, 77, 1 << 33], np.int64),
    np.uint8: np.array([0, 1, 200], np.uint8), np.int8: np.array([0, -1, 100], np.int8), np.int16: np.array([0, -1, 1000], np.int16), np.bool_: np.array([True, False])}
for source in sources.values():
    for target in ("float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "int8", "bool"):
        if source.dtype == np.float64 and target == "int32" or source.dtype.kind in "f" and target in ("uint8",) or source.dtype == bf16 and target == "uint8":
            continue
        case("Cast", source, DstT=getattr(ops.tf, target))
case("Bitcast", C([1.0, -2, 0.5], np.float32), type=ops.tf.int32)
case("Bitcast", C([1 << 30, 0x3F800000]), type=ops.tf.float32)
case("Bitcast", np.array([1.0, -2, 0.5], np.float32), type=ops.tf.int32)
case("Bitcast", np.array([[1, -2]], np.int64), type=ops.tf.float64)
case("Bitcast", np.array([1.0, -2, 0.5], np.float16), type=ops.tf.uint16)
refused("Bitcast", np.array([1.0, -2, 0.5], np.float32), type=ops.tf.uint8)
case("Bitcast", np.array([[1, 2], [3, 250]], np.uint8), type=ops.tf.int8)

# ---- choices
for op in ("SelectV2",):
    case(op, bools, floats(2, 3), floats(2, 3))
    case(op, np.array([[True], [False]]), floats(2, 3), floats(3))
    case(op, np.array(True), floats(2, 3), floats(3))
    case(op, bools, np.ones((2, 3), np.int64), np.zeros((), np.int64))
    case(op, bools, bools, ~bools)
case("Select", bools, floats(2, 3), floats(2, 3))
case("Select", np.array([True, False]), floats(2, 3), floats(2, 3))
case("Select", np.array([True, False]), floats(2, 3, 2), floats(2, 3, 2))
case("Select", np.array(True), floats(2, 3), floats(2, 3))
case("Select", np.array([True, False]), np.array([1, 2]), np.array([3, 4]))
case("ClipByValue", floats(2, 3), np.array(-1, np.float32), np.array(1.5, np.float32))
case("ClipByValue", floats(2, 3), C(-0.5, np.float32), C(0.5, np.float32))
case("ClipByValue", ints, C(-2), C(6))
case("ClipByValue", floats(2, 3), np.full((2, 3), -1, np.float32), np.full((2, 3), 1, np.float32))
case("CheckNumerics", floats(2, 3), message="x")
case("CheckNumericsV2", floats(2, 3), message="x")
case("Cross", floats(4, 3), floats(4, 3))
case("Cross", np.array([1, 2, 3], np.int32), np.array([4, 5, 7], np.int32))
for known in (True, False):
    case("SelectV2", C(known, bool), floats(3), floats(3))
chain("linspace along a known axis", lambda a, b: ops.tf.linspace(a, b, 5, axis=-1), floats(2, 3), floats(2, 3))
