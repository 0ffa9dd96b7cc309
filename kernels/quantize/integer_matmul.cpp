// MatMulInteger, QLinearMatMul, FusedQLinearMatMul and MatMulIntegerToFloat: schemas, inference, binding. See integer.h.
#include <limits>

#include "kernels/epilogue.h"
#include "kernels/gemm/matrices.h"
#include "kernels/quantize/integer.h"

namespace tern {
namespace {

// Which input is what; kNoInput for those that an operator has not.
struct MatmulRoles {
  size_t a, b, a_zero, b_zero, a_scale = kNoInput, b_scale = kNoInput, y_scale = kNoInput, y_zero = kNoInput, bias = kNoInput, residual = kNoInput;
  bool to_float() const { return a_scale != kNoInput && y_scale == kNoInput; }
};
constexpr EpilogueSlots kMatmulToFloatEpilogue{
    .op = &kMatMulIntegerToFloat, .residual = 7, .activations = activation_bit(Activation::none) | activation_bit(Activation::relu)};
constexpr MatmulRoles kIntegerOfMatmul{0, 1, 2, 3}, kLinear8OfMatmul{0, 3, 2, 5, 1, 4, 6, 7, 8},
    kToFloatOfMatmul{0, 3, 2, 5, 1, 4, kNoInput, kNoInput, 6, kMatmulToFloatEpilogue.residual};

bool transposed(const AttrReader& attrs) { return attrs.lists("transB") && attrs.i("transB") != 0; }

Status infer(InferContext& c, const MatmulRoles& in) {
  if (Status s = check_integer_dtypes(c, in.a, in.b); !s) return s;
  if (Status s = check_zero_dtype(c, in.a_zero, in.a); !s) return s;
  if (Status s = check_zero_dtype(c, in.b_zero, in.b); !s) return s;
  DType y = DType::i32;
  if (in.y_zero != kNoInput) {
    if (Status s = check_scale_dtypes(c, {in.a_scale, in.b_scale, in.y_scale}); !s) return s;
    y = c.dtype(in.y_zero);
    if (y != DType::u8 && y != DType::i8) return bad_dtype(y);
  }
  if (in.to_float()) {
    for (size_t i : {in.a_scale, in.b_scale, in.bias, in.residual}) {
      if (c.has(i) && c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
    }
    y = DType::f32;
  }
  Shape b = c.shape(in.b);
  if (transposed(c.attrs)) {
    if (b.ranked() && b.rank() != 2) return invalid("B is " + b.text() + ", expected a matrix");
    if (b.ranked()) std::swap(b[0], b[1]);
  }
  if (!in.to_float() && c.has(in.bias) && c.dtype(in.bias) != DType::i32)
    return invalid(std::string("the bias is ") + name(c.dtype(in.bias)) + ", it must be i32");
  auto shape = matmul_shape(c.shape(in.a), b, c);
  if (!shape) return shape.error();
  c.set(0, y, *shape);
  return in.to_float() ? check_epilogue(c, kMatmulToFloatEpilogue, *shape) : Status();
}

Status bind(BindContext& c, const MatmulRoles& in) {
  const TensorView &x = c.in(in.a), &w = c.in(in.b);
  if (c.out(0).count() == 0) return {};
  Dims w_dims = w.dims;
  if (transposed(c.attrs)) std::swap(w_dims[0], w_dims[1]);
  auto matrices = matmul_matrices(x.dims, w_dims);
  if (!matrices) return matrices.error();
  IntegerArgs& a = c.args<IntegerArgs>();
  c.set(a.x, c.input(in.a));
  a.x_signed = x.dtype == DType::i8;
  a.w_signed = w.dtype == DType::i8;
  a.m = matrices->m;
  a.n = matrices->n;
  a.k = matrices->k;
  a.w_matrix = a.k * a.n;
  a.w_k = transposed(c.attrs) ? 1 : a.n;
  a.w_column = transposed(c.attrs) ? a.k : 1;
  a.matrices = w.dims.rank > 2 ? w.dims.count(0, w.dims.rank - 2) : 1;
  a.y_row = a.n;
  a.y_column = 1;
  a.y_dtype = c.out(0).dtype;
  c.set(a.y, c.output(0));
  const int64_t rows = x.dims.rank > 2 ? x.dims.count(0, x.dims.rank - 1) : a.m, columns = a.matrices * a.n;
  if (Status s = set_per_index(c, a.x_zero, in.a_zero, a.m, rows, "a_zero_point"); !s) return s;
  if (Status s = set_per_index(c, a.w_zero, in.b_zero, a.n, columns, "b_zero_point"); !s) return s;
  if (in.a_scale != kNoInput) {
    if (Status s = set_per_index(c, a.x_scale, in.a_scale, a.m, rows, "a_scale"); !s) return s;
    if (Status s = set_per_index(c, a.w_scale, in.b_scale, a.n, columns, "b_scale"); !s) return s;
    a.scale_dtype = c.in(in.a_scale).dtype;
    if (c.has(in.bias) && (c.in(in.bias).count() != a.n || a.matrices != 1))
      return invalid("the bias is " + to_string(c.in(in.bias).dims) + ", expected one value a column");
  }
  if (in.y_zero != kNoInput) {
    if (c.in(in.y_scale).count() != 1 || c.in(in.y_zero).count() != 1) return invalid("y_scale and y_zero_point must have one element");
    c.set(a.y_scale, c.input(in.y_scale));
    c.set(a.y_zero, c.input(in.y_zero));
    c.set(a.bias, c.input<const int32_t>(in.bias));
  }
  if (in.to_float()) {
    c.set(a.float_bias, c.input<const float>(in.bias));
    c.set(a.residual, c.input<const float>(in.residual));
    a.low = fused_activation(c.attrs)->activation == Activation::relu ? 0.0f : -std::numeric_limits<float>::infinity();
    a.high = std::numeric_limits<float>::infinity();
  }
  const int64_t batches = matrices->batch.count();
  c.set(a.batch, c.table<IntegerBatch>(batches, [&](IntegerBatch* batch) {
    for (int64_t i = 0; i < batches; ++i) {
      const BatchOffset at = matrices->batch.at(i);
      const int64_t matrix = at.w / std::max<int64_t>(a.w_matrix, 1);
      batch[i] = {at.x, matrix, at.y, a.k == 0 ? 0 : at.x / a.k, matrix * a.n};
    }
  }));
  return bind_integer(c, a, in.b, in.b_zero, batches);
}

Status infer_matmul_integer(InferContext& c) { return infer(c, kIntegerOfMatmul); }
Status bind_integer_matmul(BindContext& c) { return bind(c, kIntegerOfMatmul); }
Status infer_qlinear_matmul(InferContext& c) { return infer(c, kLinear8OfMatmul); }
Status bind_qlinear_matmul(BindContext& c) { return bind(c, kLinear8OfMatmul); }
Status infer_matmul_to_float(InferContext& c) { return infer(c, kToFloatOfMatmul); }
Status bind_matmul_to_float(BindContext& c) { return bind(c, kToFloatOfMatmul); }

int64_t macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) { return out[0].count() * in[0].dims.back(); }

constexpr AttrSpec kFusedMatmulAttrs[] = {{"transB", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kMatMulInteger = {.name = "MatMulInteger",
                                        .inputs = {2, 4},
                                        .outputs = {1, 1},
                                        .infer = infer_matmul_integer,
                                        .bind = bind_integer_matmul,
                                        .kernels = kIntegerRows,
                                        .macs = macs};
constinit const OpDef kQLinearMatMul = {.name = "QLinearMatMul",
                                        .inputs = {8, 8},
                                        .outputs = {1, 1},
                                        .infer = infer_qlinear_matmul,
                                        .bind = bind_qlinear_matmul,
                                        .kernels = kIntegerRows,
                                        .macs = macs};
constinit const OpDef kFusedQLinearMatMul = {.name = "FusedQLinearMatMul",
                                             .inputs = {8, 9},
                                             .outputs = {1, 1},
                                             .attrs = kFusedMatmulAttrs,
                                             .infer = infer_qlinear_matmul,
                                             .bind = bind_qlinear_matmul,
                                             .kernels = kIntegerRows,
                                             .macs = macs,
                                             .tern_only = true};
// Of the CPU alone (runtime/fuse/dynamic_products.cpp).
constinit const OpDef kMatMulIntegerToFloat = {.name = "MatMulIntegerToFloat",
                                               .inputs = {6, 8},
                                               .outputs = {1, 1},
                                               .attrs = kEpilogueAttrs,
                                               .infer = infer_matmul_to_float,
                                               .bind = bind_matmul_to_float,
                                               .kernels = kCpuIntegerRows,
                                               .macs = macs,
                                               .inplace_inputs = 1u << kMatmulToFloatEpilogue.residual,
                                               .tern_only = true,
                                               .epilogue = &kMatmulToFloatEpilogue};

}  // namespace tern
