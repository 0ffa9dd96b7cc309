// Systems of linear equations: what TensorFlow answers is in tests/loaders/tensorflow_ops.cpp; here what has no answer, and what must not be.
// Contracts: kernels/linear_algebra/linear_algebra.h, kernels/linear_algebra/factor.h.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/op_test.h"

namespace tern::test::in_linear_algebra {

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

TEST_CASE("linear algebra: factors of what is no rectangle full of numbers") {
  CHECK(op_error("Svd", {}, {f32({3}, {1, 2, 3})}).find("no matrix") != std::string::npos);
  CHECK(op_error("Qr", {}, {i64({1, 1}, {4})}).find("not supported") != std::string::npos);
  CHECK(op_error("SelfAdjointEigen", {}, {f32({2, 3}, std::vector<float>(6))}).find("not square") != std::string::npos);
  for (const char* op : {"Svd", "Qr", "SelfAdjointEigen"}) {  // NaN ends, and stays NaN
    const auto y = run_op(op, {}, {f32({2, 2}, {NAN, 1, 2, 3})}, op == std::string("Svd") ? 3 : 2);
    CHECK(std::isnan(y[0].data<float>()[0]));
  }
}

TEST_CASE("linear algebra: columns without length are completed to a basis") {
  const Tensor flat = f32({3, 2}, {0, 2, 0, 0, 0, 0});  // of rank one
  const auto y = run_op("Svd", {{"full", int64_t(1)}}, {flat}, 3);
  check_close(y[0], f32({2}, {2, 0}), 0);
  const float* u = y[1].data<float>();
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      float dot = 0;
      for (int k = 0; k < 3; ++k) dot += u[k * 3 + i] * u[k * 3 + j];
      CHECK(std::fabs(dot - float(i == j)) < 1e-6f);
    }
  }
}

TEST_CASE("linear algebra: reflections give the diagonal the sign that cancels nothing") {
  const auto y = run_op("Qr", {}, {f32({2, 2}, {3, 1, 4, 2})}, 2);
  check_close(y[1], f32({2, 2}, {-5, -2.2f, 0, 0.4f}), 1);
  check_close(run_op("Qr", {}, {f32({2, 2}, {3, 1, 0, -2})}, 2)[1], f32({2, 2}, {3, 1, 0, -2}), 0);  // is one already
  check_close(run_op("Qr", {}, {f32({2, 1}, {1, 1e-5f})}, 2)[1], f32({1, 1}, {-1}), 1);              // however little is below
}

}  // namespace tern::test::in_linear_algebra
