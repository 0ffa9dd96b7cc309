"""Arithmetic, comparisons, activations, dtypes. See ops.py."""
cases = []


def add(*texts):
    cases.extend(texts)


# functions of one tensor: every spelling group, ints and bools where torch takes them
for name in "abs neg sign floor ceil round trunc exp sin cos tan asin acos atan sinh cosh asinh atanh erf reciprocal square expm1 exp2".split():
    arg = "q" if name in ("asin", "acos", "atanh") else "x"
    add(f"torch.{name}({arg})", f"Tensor.{name}({arg})", f"aten.{name}.default({arg})")
for name in "log sqrt rsqrt log1p log2 log10".split():
    add(f"torch.{name}(p)", f"Tensor.{name}(p)", f"aten.{name}.default(p)")
add("torch.acosh(operator.add(p, 1))", "aten.acosh.default(operator.add(p, 1.0))", "Tensor.acosh(operator.add(p, 1))", "torch.erfc(x)", "Tensor.erfc(x)", "aten.erfc.default(x)",
    "torch.frac(wide)", "Tensor.frac(wide)", "aten.frac.default(wide)", "torch.deg2rad(x)", "torch.rad2deg(x)", "aten.deg2rad.default(x)", "aten.rad2deg.default(x)",
    "Tensor.deg2rad(x)", "Tensor.rad2deg(x)", "torch.special.expit(x)", "torch.special.erf(x)", "torch.logit(torch.sigmoid(x))", "torch.logit(q, eps=0.1)", "aten.logit.default(q, 0.1)",
    "Tensor.logit(q, 0.2)", "torch.sinc(x)", "torch.sinc(operator.getitem(x, (0, 0, 0)))", "aten.sinc.default(x)", "Tensor.sinc(x)", "torch.signbit(x)", "aten.signbit.default(x)",
    "Tensor.signbit(x)", "torch.signbit(i)")
for name in "exp sqrt log sin erf reciprocal sigmoid tanh rsqrt log1p expm1 exp2 log2 atan".split():
    add(f"torch.{name}(u8)", f"torch.{name}(b)" if name not in ("rsqrt",) else "torch.rsqrt(si)")
for name in "abs neg sign floor ceil round trunc square relu".split():
    add(f"torch.{name}(i)", f"torch.{name}(i32)")
for name in "abs exp sqrt sigmoid tanh floor square relu".split():
    add(f"torch.{name}(d)", f"torch.{name}(h)")
add("torch.round(halves)", "torch.round(wide, decimals=1)", "aten.round.decimals(wide, decimals=2)", "torch.sign(odd)", "torch.abs(odd)", "torch.trunc(odd)", "torch.fix(wide)",
    "torch.isnan(odd)", "torch.isinf(odd)", "torch.isfinite(odd)", "torch.isnan(i)", "torch.isinf(i)", "torch.isfinite(i)", "Tensor.isnan(odd)", "Tensor.isinf(odd)", "Tensor.isfinite(odd)",
    "aten.isnan.default(odd)", "aten.isinf.default(odd)", "aten.isfinite.default(odd)", "torch.isposinf(odd)", "torch.isneginf(odd)", "aten.isposinf.default(odd)",
    "aten.isneginf.default(odd)", "torch.nan_to_num(odd)", "torch.nan_to_num(odd, 1.0, 2.0, -2.0)", "aten.nan_to_num.default(odd, 0.5)", "Tensor.nan_to_num(odd, posinf=9.0)",
    "torch.nan_to_num(i)", "operator.neg(x)", "operator.pos(x)", "operator.abs(x)", "operator.invert(b)", "operator.invert(i)", "torch.sgn(x)", "torch.absolute(x)", "torch.negative(x)")

# two operands: tensors, scalars, other kinds
for name, op in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("div", "truediv")):
    add(f"torch.{name}(x, y)", f"torch.{name}(x, v)", f"torch.{name}(x, 2)", f"torch.{name}(i, 2)", f"torch.{name}(i, 2.5)", f"torch.{name}(i, j)", f"torch.{name}(x, i)", f"torch.{name}(x, d)",
        f"torch.{name}(h, x)", f"torch.{name}(x, sd)", f"torch.{name}(i, s)", f"torch.{name}(i, si)", f"torch.{name}(h, 1.5)", f"torch.{name}(i32, i)", f"torch.{name}(u8, i16)",
        f"torch.{name}(i32, 3)", f"torch.{name}(s, sd)", f"torch.{name}(s, v)", f"Tensor.{name}(x, y)", f"operator.{op}(x, y)", f"operator.{op}(3, p)", f"operator.{op}(2.5, i)",
        f"aten.{name}.Tensor(x, y)", f"aten.{name}.Tensor(x, 1.5)", f"torch.{name}(one, w)")
add("torch.add(x, True)", "torch.mul(x, True)", "torch.div(x, True)")
add("torch.add(b, c)", "torch.mul(b, c)", "torch.add(b, 1)", "torch.mul(b, 2.5)", "torch.add(b, True)", "torch.mul(b, True)", "torch.mul(b, x)", "torch.div(b, 2)",
    "torch.add(x, y, alpha=2)", "torch.sub(x, y, alpha=0.5)", "torch.add(i, j, alpha=3)", "aten.add.Tensor(x, y, alpha=-1)", "aten.sub.Tensor(x, 2, alpha=3)", "aten.add.Scalar(x, 2, 3)",
    "aten.sub.Scalar(x, 2, 3)", "aten.mul.Scalar(x, 3)", "aten.div.Scalar(x, 3)", "torch.rsub(x, y)", "torch.rsub(x, 2)", "torch.rsub(x, y, alpha=2)", "aten.rsub.Tensor(x, y, alpha=3)",
    "aten.rsub.Scalar(x, 1)", "aten.rsub.Scalar(x, 5, 2)", "aten.rsub.Scalar(i, 1)", "torch.subtract(x, 1)", "torch.multiply(x, 2)", "torch.divide(i, 2)", "torch.true_divide(i, j)")
for mode in ("'floor'", "'trunc'", "None"):
    add(f"torch.div(wide, y, rounding_mode={mode})", f"torch.div(i, j, rounding_mode={mode})", f"torch.div(i, -2, rounding_mode={mode})", f"torch.div(i, 2.5, rounding_mode={mode})",
        f"aten.div.Tensor_mode(wide, x, rounding_mode={mode})", f"aten.div.Scalar_mode(i, 3, rounding_mode={mode})", f"Tensor.div(i32, 4, rounding_mode={mode})",
        f"torch.div(u8, 3, rounding_mode={mode})")
add("torch.floor_divide(i, j)", "torch.floor_divide(i, -2)", "torch.floor_divide(wide, y)", "Tensor.floor_divide(i, 3)", "operator.floordiv(i, j)", "operator.floordiv(x, 0.3)",
    "operator.floordiv(7, j)", "aten.floor_divide.default(i, j)", "aten.floor_divide.Scalar(i, 4)", "torch.floor_divide(u8, 3)", "torch.floor_divide(i, 2.5)",
    "torch.floor_divide(i32, j)")
for name in ("remainder", "fmod"):
    add(f"torch.{name}(i, j)", f"torch.{name}(i, -3)", f"torch.{name}(wide, y)", f"torch.{name}(wide, 2.5)", f"torch.{name}(wide, -2.5)", f"Tensor.{name}(i, 4)", f"aten.{name}.Tensor(i, j)",
        f"aten.{name}.Scalar(i, 3)", f"aten.{name}.Scalar(wide, 1.5)", f"torch.{name}(i32, 4)", f"torch.{name}(d, 0.7)", f"torch.{name}(u8, 7)", f"torch.{name}(i, 2.5)")
add("operator.mod(i, j)", "operator.mod(wide, 1.5)", "operator.mod(7, j)", "torch.remainder(5, j)", "aten.remainder.Scalar_Tensor(5, j)")
for e in (0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 1.5):
    add(f"torch.pow(p, {e})")
for e in (0, 1, 2, 3, 4):
    add(f"torch.pow(i, {e})", f"torch.pow(b, {e})")
add("torch.pow(p, x)", "torch.pow(2, x)", "torch.pow(2.5, i)", "torch.pow(i, small)", "torch.pow(x, i)", "torch.pow(i, 0.5)", "torch.pow(u8, 2.0)", "torch.pow(h, 2)", "torch.pow(i32, 2)",
    "torch.pow(small, -1.0)", "Tensor.pow(p, 0.3)", "operator.pow(p, 2)", "operator.pow(2, x)", "aten.pow.Tensor_Scalar(p, 2.5)", "aten.pow.Tensor_Tensor(p, x)", "aten.pow.Scalar(3, x)",
    "torch.pow(x, s)", "torch.pow(x, 2.0)", "torch.pow(d, 3)", "torch.pow(x, 3)", "torch.float_power(x, 2)", "torch.float_power(i, 2)", "aten.float_power.Tensor_Scalar(p, 0.5)",
    "Tensor.float_power(p, 1.5)")
add("torch.maximum(x, y)", "torch.minimum(x, y)", "torch.maximum(i, x)", "torch.maximum(odd, row)", "torch.minimum(odd, row)", "Tensor.maximum(x, v)", "Tensor.minimum(x, v)", "aten.maximum.default(x, y)",
    "aten.minimum.default(x, y)", "torch.maximum(b, c)", "torch.minimum(b, c)", "torch.minimum(i32, j)", "torch.fmax(odd, row)", "torch.fmin(odd, row)", "aten.fmax.default(odd, row)",
    "aten.fmin.default(row, odd)", "Tensor.fmax(x, v)", "Tensor.fmin(x, v)", "torch.fmax(i, j)")
add("torch.atan2(x, y)", "torch.arctan2(x, y)", "Tensor.atan2(x, y)", "aten.atan2.default(x, y)", "torch.atan2(i, j)", "torch.atan2(odd, row)", "torch.atan2(row, torch.zeros(4))", "torch.hypot(x, y)",
    "Tensor.hypot(x, y)", "aten.hypot.default(x, y)", "torch.logaddexp(x, y)", "aten.logaddexp.default(big, wide)", "Tensor.logaddexp(x, y)", "torch.logaddexp(odd, odd)", "torch.copysign(x, y)",
    "torch.copysign(x, -1)", "aten.copysign.Tensor(x, y)", "Tensor.copysign(p, x)", "torch.xlogy(small, p)", "torch.xlogy(x, p)", "aten.xlogy.Tensor(p, p)", "Tensor.xlogy(p, p)",
    "torch.heaviside(row, v)", "aten.heaviside.default(row, v)", "Tensor.heaviside(row, v)", "torch.heaviside(odd, v)")

# comparisons, logic
for name in "eq ne lt le gt ge".split():
    add(f"torch.{name}(x, y)", f"torch.{name}(small, 2)", f"torch.{name}(i, j)", f"torch.{name}(x, i)", f"Tensor.{name}(x, 0)", f"operator.{name}(x, y)", f"aten.{name}.Tensor(x, y)",
        f"aten.{name}.Scalar(small, 1)", f"torch.{name}(odd, odd)", f"torch.{name}(b, c)", f"torch.{name}(i, 0.5)", f"torch.{name}(u8, i)", f"operator.{name}(3, 4)", f"operator.{name}(2.5, 2)")
add("torch.greater(x, y)", "torch.less(x, y)", "torch.greater_equal(x, y)", "torch.less_equal(x, y)", "torch.not_equal(x, y)", "Tensor.greater(x, y)", "Tensor.less(x, y)",
    "torch.isclose(x, operator.add(x, 1e-9))", "torch.isclose(odd, odd)", "torch.isclose(odd, odd, equal_nan=True)", "torch.isclose(x, y, rtol=0.5, atol=0.2)",
    "aten.isclose.default(x, y, 0.5, 0.2)", "Tensor.isclose(x, y, 0.5, 0.2)", "torch.isclose(i, j)")
for name in "logical_and logical_or logical_xor".split():
    add(f"torch.{name}(b, c)", f"torch.{name}(small, b)", f"Tensor.{name}(x, small)", f"aten.{name}.default(b, c)")
add("torch.logical_not(b)", "torch.logical_not(small)", "Tensor.logical_not(x)", "aten.logical_not.default(b)")
for name, op in (("bitwise_and", "and_"), ("bitwise_or", "or_"), ("bitwise_xor", "xor")):
    add(f"torch.{name}(b, c)", f"torch.{name}(i, j)", f"torch.{name}(u8, 6)", f"Tensor.{name}(i, 5)", f"operator.{op}(b, c)", f"operator.{op}(i, j)", f"aten.{name}.Tensor(i, j)",
        f"aten.{name}.Scalar(i, 3)", f"torch.{name}(b, True)", f"torch.{name}(i32, j)")
add("torch.bitwise_not(b)", "torch.bitwise_not(i)", "Tensor.bitwise_not(i)", "aten.bitwise_not.default(u8)", "torch.bitwise_left_shift(u8, 2)", "torch.bitwise_right_shift(u8, 1)",
    "aten.bitwise_left_shift.Tensor_Scalar(u8, 1)", "aten.bitwise_right_shift.Tensor_Scalar(u8, 2)", "operator.lshift(u8, 1)", "operator.rshift(u8, 1)")

# limits, mixtures
add("torch.clamp(x, -0.5, 0.5)", "torch.clamp(x, min=0)", "torch.clamp(x, max=0.25)", "torch.clip(x, -1, 1)", "torch.clamp(i, -2, 3)", "torch.clamp(i, -2.5, 3)", "torch.clamp(x, v)", "torch.clamp(x, v, y)",
    "torch.clamp(x, max=y)", "torch.clamp(odd, -1, 1)", "torch.clamp(x, 1, -1)", "Tensor.clamp(x, 0.1)", "Tensor.clamp_min(x, 0.2)", "Tensor.clamp_max(x, 0.2)", "torch.clamp_min(x, y)",
    "torch.clamp_max(x, y)", "aten.clamp.default(x, -1, None)", "aten.clamp.default(x, None, 0.5)", "aten.clamp.Tensor(x, y, z)", "aten.clamp.Tensor(x, None, z)", "aten.clamp_min.default(x, 0)",
    "aten.clamp_max.default(x, 0)", "aten.clamp_min.Tensor(x, y)", "aten.clamp_max.Tensor(x, y)", "torch.clamp(u8, 3, 9)", "torch.clamp(i16, -2, 2)", "torch.clamp(h, -0.5, 0.5)", "torch.clamp(i32, -2, 2)",
    "torch.lerp(x, y, 0.3)", "torch.lerp(x, y, z)", "Tensor.lerp(x, y, 0.7)", "aten.lerp.Scalar(x, y, 0.25)", "aten.lerp.Tensor(x, y, v)", "torch.addcmul(x, y, z)", "torch.addcmul(x, y, v, value=0.5)",
    "Tensor.addcmul(x, y, z, value=2)", "aten.addcmul.default(x, y, z, value=-1)", "torch.addcdiv(x, y, p)", "torch.addcdiv(x, y, p, value=0.5)", "Tensor.addcdiv(x, y, p)",
    "aten.addcdiv.default(x, y, p, value=3)", "torch.where(b, x, y)", "torch.where(b, x, 1.5)", "torch.where(b, 0.5, x)", "torch.where(b, 1, 2)", "torch.where(b, i, x)", "torch.where(b, x, i)",
    "torch.where(torch.gt(x, 0), x, torch.mul(x, 0.1))", "aten.where.self(b, x, y)", "aten.where.ScalarOther(b, x, 2.0)", "aten.where.ScalarSelf(b, 2.0, x)", "aten.where.Scalar(b, 1.0, 0.0)",
    "Tensor.where(x, b, y)", "Tensor.where(x, b, 0.0)", "torch.where(mask, v, 0)", "torch.where(b, i, 2.5)", "Tensor.masked_fill(x, b, 9.0)", "Tensor.masked_fill(x, mask, -math.inf)", "torch.masked_fill(x, b, 2)",
    "torch.masked_fill(i, b, 2)", "aten.masked_fill.Scalar(x, b, -1e9)", "aten.masked_fill.Tensor(x, b, s)", "torch.masked_fill(h, b, -5)", "Tensor.masked_fill(v, b, 0.0)")

# dtypes
for t in ("float32", "float64", "float16", "int64", "int32", "bool", "uint8", "int16", "int8"):
    add(f"Tensor.to(x, torch.{t})" if t != "uint8" else "Tensor.to(p, torch.uint8)", f"Tensor.to(i, torch.{t})" if t not in ("uint8",) else f"Tensor.to(u8, torch.{t})")
add("Tensor.to(x, dtype=torch.float64)", "Tensor.to(x, 'cpu')", "Tensor.to(x, 'cpu', torch.float64)", "Tensor.to(x, d)", "Tensor.to(x, y, non_blocking=True)", "Tensor.to(x, 'cpu', dtype=torch.int64)", "Tensor.float(i)",
    "Tensor.double(x)", "Tensor.half(x)", "Tensor.long(wide)", "Tensor.int(wide)", "Tensor.bool(small)", "Tensor.short(wide)", "Tensor.byte(u8)", "Tensor.char(wide)", "Tensor.float(Tensor.bfloat16(x))",
    "Tensor.type_as(x, d)", "aten.type_as.default(x, i)", "Tensor.type(x, torch.float64)", "aten.to.dtype(x, torch.float64)", "aten.to.dtype(i, torch.float32, False, True)", "aten._to_copy.default(x, dtype=torch.float64)",
    "aten._to_copy.default(x)", "aten.to.dtype_layout(x, dtype=torch.int64, device='cpu')", "aten.to.device(x, 'cpu', torch.float64)", "aten.to.other(i, x)", "aten.clone.default(x)", "torch.clone(x)",
    "Tensor.contiguous(x)", "aten.contiguous.default(x)", "aten.detach.default(x)", "Tensor.detach(x)", "torch.detach(x)", "aten.alias.default(x)", "aten.lift_fresh_copy.default(x)", "Tensor.cpu(x)", "torch.positive(x)", "aten.divide.Tensor_mode(i, j, rounding_mode='floor')", "aten.multiply.Tensor(x, y)", "aten.subtract.Tensor(x, y, alpha=2)", "aten.clip.default(x, 0, 1)", "aten.less.Scalar(x, 1)", "aten.__and__.Scalar(i, 3)",
    "aten.positive.default(x)", "F.dropout(x, 0.5, False)", "F.dropout(x, training=False)", "F.alpha_dropout(x, 0.3, False)", "F.feature_alpha_dropout(img, 0.3, False)", "F.dropout2d(img, 0.2, False)",
    "torch.dropout(x, 0.5, False)", "aten.dropout.default(x, 0.5, False)", "aten.feature_dropout.default(img, 0.5, False)", "aten.alpha_dropout.default(x, 0.5, False)", "operator.getitem(aten.native_dropout.default(x, 0.5, False), 0)",
    "Tensor.requires_grad_(x, False)")

# activations
act = {"relu": "", "relu6": "", "sigmoid": "", "tanh": "", "softsign": "", "mish": "", "hardswish": "", "hardsigmoid": "", "leaky_relu": "0.2", "elu": "0.7", "celu": "0.7", "selu": "", "gelu": "", "silu": "",
       "softplus": "2.0, 3.0", "logsigmoid": "", "hardtanh": "-0.5, 0.7", "threshold": "0.3, -2.0", "hardshrink": "0.8", "softshrink": "0.8", "tanhshrink": ""}
for name, args in act.items():
    add(f"F.{name}(wide, {args})" if args else f"F.{name}(wide)")
    if name != "threshold":
        add(f"F.{name}(x)", f"F.{name}(operator.getitem(odd, 2))")
    if name not in ("softsign", "tanhshrink", "logsigmoid"):
        add(f"aten.{name}.default(x, {args})" if args else f"aten.{name}.default(x)")
for name in ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "silu", "gelu", "hardtanh", "softplus", "mish", "hardswish", "selu", "celu", "relu6", "softsign", "hardsigmoid"):
    add(f"F.{name}(h)", f"F.{name}(d)")
add("F.gelu(wide, approximate='tanh')", "aten.gelu.default(x, approximate='tanh')", "F.leaky_relu(x, negative_slope=-0.5)", "operator.getitem(aten.log_sigmoid_forward.default(x), 0)", "aten.log_sigmoid.default(big)", "F.softplus(big)",
    "F.softplus(big, beta=0.5)", "F.softplus(x, 1, 0.5)", "F.softplus(x, 3)", "aten.softplus.default(x)", "aten.elu.default(x, 1.6732632423543772, 1.0507009873554805)", "aten.elu.default(x, 1.0, 1.0, 2.0)",
    "aten.elu.default(x, 0.5, 2.0, 0.5)", "F.hardtanh(i, -2, 3)", "F.relu(i)", "F.relu6(i)", "torch.relu(x)", "Tensor.relu(x)", "torch.sigmoid(x)", "Tensor.sigmoid(x)", "torch.tanh(x)", "Tensor.tanh(x)", "F.sigmoid(big)",
    "F.relu(x, inplace=False)", "F.silu(big)", "torch.celu(x, 0.5)", "torch.selu(x)", "torch.threshold(x, 0.1, 20)", "torch.hardshrink(x)", "Tensor.hardshrink(x, 0.3)", "F.hardshrink(odd)", "F.softshrink(odd)",
    "F.glu(x)", "F.glu(img, 1)", "F.glu(seq, dim=-2)", "aten.glu.default(x, -1)", "F.prelu(img, V4)", "F.prelu(x, V3)", "F.prelu(x, torch.tensor([0.2]))", "torch.prelu(img, v)", "Tensor.prelu(x, V3)", "F.prelu(v, torch.tensor([0.3]))",
    "aten.prelu.default(img, V4)", "aten._prelu_kernel.default(x, w)", "F.prelu(m, v5)", "F.rrelu(x)", "F.rrelu(x, 0.1, 0.5, False)", "torch.rrelu(x)", "aten.rrelu.default(x)", "F.gelu(big)", "F.mish(big)", "F.hardswish(big)", "F.elu(big)",
    "F.softmin(x, dim=1)", "F.hardsigmoid(big)", "F.threshold(i, 2, 7)", "F.logsigmoid(big)", "F.leaky_relu(odd)", "F.hardtanh(odd)", "F.relu(odd)", "F.relu6(odd)", "F.threshold(odd, 0.0, 1.0)")
