// Factors of matrices, and what singular values say: kernels/linear_algebra/factor.h by TensorFlow's operators. See ops.h. Next: create.cpp.
#include <cmath>

#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

ValueId factored(Call& c) {
  const Operands o(c);
  return o.real(o.tensor(0, "a|x|tensor|input|matrix"));
}

std::vector<ValueId> svd_of(Call& c, ValueId x, bool vectors, bool full) {
  std::vector<ValueId> y;
  for (const auto& t : by_tensorflow(c, "Svd", {x}, {{"compute_uv", vectors}, {"full_matrices", full}})) y.push_back(t.value);
  y.resize(3, kNone);
  return y;
}

// Of keras.ops u, s, v^T; of TensorFlow's s, u, v.
Flows svd(Call& c) {
  const Operands o(c);
  const bool tf = c.layer.class_name.starts_with("tf."), vectors = o.flag("compute_uv", true);
  const auto y = svd_of(c, factored(c), vectors, o.flag("full_matrices", !tf));
  if (!vectors) return {{y[0]}};
  if (tf) return {{y[0]}, {y[1]}, {y[2]}};
  return {{y[1]}, {y[0]}, {turned(c, y[2])}};
}

Flows qr(Call& c) {
  const Operands o(c);
  const auto y = by_tensorflow(c, "Qr", {factored(c)}, {{"full_matrices", o.flag("full_matrices", o.text("mode", "reduced") == "complete")}});
  if (y.size() != 2) return {};
  return {{y[0].value}, {y[1].value}};
}

template <bool vectors>
Flows eigh(Call& c) {
  const auto y = by_tensorflow(c, "SelfAdjointEigV2", {factored(c)}, {{"compute_v", vectors}});
  if (!vectors) return {{y[0].value}};
  if (y.size() != 2) return {};
  return {{y[0].value}, {y[1].value}};
}

// What counts as zero among singular values: factor * (the longer side) * (the step of the dtype behind 1) * (the largest).
ValueId zero_below(Call& c, ValueId x, ValueId s, double factor) {
  const double side = static_cast<double>(std::max(c.known_size(x, -1), c.known_size(x, -2)));
  return with(c, "Mul", reduce(c, "ReduceMax", s, {-1}, true), factor * side * (c.b.dtype(s) == DType::f64 ? 0x1p-52 : 0x1p-23));
}

Flows matrix_rank(Call& c) {
  const Operands o(c);
  const ValueId x = factored(c), s = svd_of(c, x, false, false)[0];
  const ValueId least = o.has("tol") ? o.tensor(o.get(kNamed, "tol"), c.b.dtype(s)) : zero_below(c, x, s, 1);
  return {{reduce(c, "ReduceSum", c.b.cast(c.emit("Greater", {s, least}), DType::i32), {-1}, false)}};
}

// v diag(1 / s) u^T, of those s that are not zero.
Flows pseudo_inverse(Call& c) {
  const Operands o(c);
  const ValueId x = factored(c);
  const auto y = svd_of(c, x, true, false);
  const ValueId s = y[0];
  const ValueId least = o.has("rcond") ? with(c, "Mul", reduce(c, "ReduceMax", s, {-1}, true), o.number("rcond", 0)) : zero_below(c, x, s, 10);
  const ValueId kept = c.emit("Where", {c.emit("Greater", {s, least}), s, c.b.scalar_like(s, INFINITY)});
  return {{c.emit("MatMul", {c.emit("Div", {y[2], unsqueeze(c.b, kept, {-2})}), turned(c, y[1])})}};
}

constexpr LayerRow kFactorRows[] = {
    {"ops.SVD tf.linalg.svd", svd},
    {"ops.Qr tf.linalg.qr", qr},
    {"ops.Eigh tf.linalg.eigh", eigh<true>},
    {"tf.linalg.eigvalsh", eigh<false>},
    {"ops.MatrixRank tf.linalg.matrix_rank", matrix_rank},
    {"ops.Pinv tf.linalg.pinv", pseudo_inverse},
};

}  // namespace

std::span<const LayerRow> factor_operations() { return kFactorRows; }

ValueId singular_values(Call& c, ValueId x) { return svd_of(c, x, false, false)[0]; }

}  // namespace tern::keras
