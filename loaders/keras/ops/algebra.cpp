// Linear algebra of matrices [..., n, n]: kernels/linear_algebra by TensorFlow's operators. See ops.h. Next: factors.cpp.
#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char *kMatrix = "a|x|input|matrix", *kSides = "b|rhs";

ValueId real_matrix(Call& c) {
  const Operands o(c);
  return o.real(o.tensor(0, kMatrix));
}

template <Text op>
Flows of_matrix(Call& c) {
  return {{by_tensorflow(c, op.text, {real_matrix(c)})[0].value}};
}

ValueId factor(Call& c) { return of_matrix<"Cholesky">(c)[0].value; }

Flows cholesky(Call& c) {
  const ValueId lower = factor(c);
  return {{Operands(c).flag("upper", false) ? turned(c, lower) : lower}};
}

// The inverse of a matrix whose Cholesky factor l is given: (l l^T)^-1 = l^-T l^-1.
Flows cholesky_inverse(Call& c) {
  const bool upper = Operands(c).flag("upper", false);
  const ValueId x = real_matrix(c);
  const int rank = c.b.rank(x);
  if (rank < 2) return c.b.ok() ? c.invalid("its input is no matrix") : Flows();
  const ValueId square = c.emit("Expand", {number(c, x, 0), c.b.ints(std::vector<Int>{c.b.size(x, rank - 2), c.b.size(x, rank - 1)})});
  const ValueId identity = c.emit("EyeLike", {square});
  const ValueId inverse = by_tensorflow(c, "MatrixTriangularSolve", {x, identity}, {{"lower", !upper}})[0].value;
  return {{upper ? c.emit("MatMul", {inverse, turned(c, inverse)}) : c.emit("MatMul", {turned(c, inverse), inverse})}};
}

ValueId summed_diagonal(Call& c, ValueId x) { return reduce(c, "ReduceSum", by_tensorflow(c, "MatrixDiagPart", {x})[0].value, {-1}, false); }

// log |x| of what is positive definite.
Flows log_determinant(Call& c) {
  const ValueId l = by_tensorflow(c, "MatrixDiagPart", {factor(c)})[0].value;
  return {{with(c, "Mul", reduce(c, "ReduceSum", c.emit("Log", {l}), {-1}, false), 2)}};
}

Flows sign_and_log(Call& c) {
  const auto y = by_tensorflow(c, "LogMatrixDeterminant", {real_matrix(c)});
  if (y.size() != 2) return {};
  return {{y[0].value}, {y[1].value}};
}

Flows trace_of_last(Call& c) { return {{summed_diagonal(c, Operands(c).tensor(0, kMatrix))}}; }

// a y = b, where b may be one side [..., n].
Flows solved(Call& c, const char* op, std::vector<TensorFlowAttribute> attributes) {
  const auto [a, given] = Operands(c).pair(0, kMatrix, kSides);
  const bool one = c.b.rank(given) == c.b.rank(a) - 1;
  const ValueId b = one ? unsqueeze(c.b, given, {-1}) : given;
  const ValueId y = by_tensorflow(c, op, {a, b}, std::move(attributes))[0].value;
  return {{one ? squeeze(c.b, y, {-1}) : y}};
}
Flows solve(Call& c) { return solved(c, "MatrixSolve", {{"adjoint", Operands(c).flag("adjoint", false)}}); }
Flows solve_triangular(Call& c) {
  const Operands o(c);
  const bool lower = o.flag("lower", c.layer.class_name.starts_with("tf."));
  return solved(c, "MatrixTriangularSolve", {{"lower", lower}, {"adjoint", o.flag("adjoint", false)}});
}

constexpr LayerRow kAlgebraRows[] = {
    {"ops.Cholesky tf.linalg.cholesky", cholesky},
    {"ops.CholeskyInverse", cholesky_inverse},
    {"ops.Det tf.linalg.det", of_matrix<"MatrixDeterminant">},
    {"ops.Inv tf.linalg.inv", of_matrix<"MatrixInverse">},
    {"ops.Logdet tf.linalg.logdet", log_determinant},
    {"ops.Slogdet tf.linalg.slogdet", sign_and_log},
    {"tf.linalg.trace", trace_of_last},
    {"ops.Solve tf.linalg.solve", solve},
    {"ops.SolveTriangular tf.linalg.triangular_solve", solve_triangular},
};

}  // namespace

ValueId turned(Call& c, ValueId x) {
  const int rank = c.b.rank(x);
  return rank < 2 ? c.b.fail(invalid("a matrix must have at least two dimensions")) : transpose(c.b, x, rank - 2, rank - 1);
}

std::span<const LayerRow> algebra_operations() { return kAlgebraRows; }

}  // namespace tern::keras
