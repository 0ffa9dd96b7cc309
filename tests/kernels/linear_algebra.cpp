// Systems of linear equations: what TensorFlow answers is in tests/loaders/tensorflow_ops.cpp; here what has no answer, and what must not be.
// Contract: kernels/linear_algebra/linear_algebra.h.
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test {

TEST_CASE("linear algebra: a matrix without an inverse, or a factor, is told") {
  const Tensor flat = f32({2, 2}, {1, 2, 2, 4}), sides = f32({2, 1}, {1, 1});
  CHECK(op_error("Solve", {}, {flat}).find("no inverse") != std::string::npos);
  CHECK(op_error("Solve", {}, {flat, sides}).find("no inverse") != std::string::npos);
  CHECK(op_error("TriangularSolve", {}, {f32({2, 2}, {1, 9, 2, 0}), sides}).find("no inverse") != std::string::npos);
  CHECK(op_error("TriangularSolve", {{"lower", int64_t(0)}}, {f32({2, 2}, {1, 9, 2, 4}), sides}) == "");
  CHECK(op_error("Cholesky", {}, {f32({2, 2}, {1, 2, 2, 1})}).find("not positive definite") != std::string::npos);
  CHECK(op_error("Cholesky", {}, {f32({1, 1}, {NAN})}).find("not positive definite") != std::string::npos);
}

TEST_CASE("linear algebra: rows are swapped where a zero would divide, and only one triangle is read") {
  check_close(run_op("Solve", {}, {f32({3, 3}, {0, 2, 0, 1, 0, 0, 0, 0, 4})})[0], f32({3, 3}, {0, 1, 0, 0.5, 0, 0, 0, 0, 0.25}), 1);
  check_close(run_op("Cholesky", {}, {f32({2, 2}, {4, NAN, 2, 5})})[0], f32({2, 2}, {2, 0, 1, 2}), 0);
  check_close(run_op("TriangularSolve", {}, {f32({2, 2}, {2, NAN, 1, 4}), f32({2, 1}, {2, 9})})[0], f32({2, 1}, {1, 2}), 0);
  check_close(run_op("TriangularSolve", {{"adjoint", int64_t(1)}}, {f32({2, 2}, {2, NAN, 1, 4}), f32({2, 1}, {4, 8})})[0], f32({2, 1}, {1, 2}), 0);
  check_close(run_op("Det", {}, {f32({2, 0, 0}, {})})[0], f32({2}, {1, 1}), 0);
}

TEST_CASE("linear algebra: what is no square matrix, or does not fit one, is refused") {
  CHECK(op_error("Det", {}, {f32({2, 3}, std::vector<float>(6))}).find("not square") != std::string::npos);
  CHECK(op_error("Det", {}, {f32({2}, {1, 2})}).find("no matrix") != std::string::npos);
  CHECK(op_error("Solve", {}, {f32({2, 2}, {1, 0, 0, 1}), f32({3, 1}, {1, 2, 3})}).find("do not fit") != std::string::npos);
  CHECK(op_error("Solve", {}, {f32({2, 2}, {1, 0, 0, 1}), f32({2}, {1, 2})}).find("do not fit") != std::string::npos);
  CHECK(op_error("Cholesky", {}, {i64({1, 1}, {4})}).find("not supported") != std::string::npos);
}

}  // namespace tern::test
