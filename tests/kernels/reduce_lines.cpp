// ArgMax, CumSum, TopK, OneHot by hand. Contracts: kernels/reduce/reduce.h, kernels/shape/shape.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/support/op_test.h"

namespace tern::test::in_reduce_lines {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("arg: first or last extreme, any axis, NaN first") {
  const Tensor x = f32({2, 3}, {1, 5, 5, 7, 2, 7});
  auto arg = [&](const char* op, int64_t axis, int64_t last, int64_t keep) {
    return run_op(op, {{"axis", axis}, {"select_last_index", last}, {"keepdims", keep}}, {x})[0];
  };
  check_same(arg("ArgMax", 1, 0, 1), i64({2, 1}, {1, 0}));
  check_same(arg("ArgMax", -1, 1, 0), i64({2}, {2, 2}));
  check_same(arg("ArgMin", 0, 0, 0), i64({3}, {0, 1, 0}));
  check_same(run_op("ArgMax", {{"keepdims", int64_t(0)}}, {f32({5}, {1, kNan, 9, kNan, 0})})[0], i64({}, {1}));
  check_same(run_op("ArgMin", {{"keepdims", int64_t(0)}, {"select_last_index", int64_t(1)}}, {f32({5}, {1, kNan, -9, kNan, 0})})[0], i64({}, {3}));
  check_same(run_op("ArgMax", {}, {cast(x, DType::f16)})[0], i64({1, 3}, {1, 0, 1}));
  check_same(run_op("ArgMin", {}, {cast(x, DType::u8)})[0], i64({1, 3}, {0, 1, 0}));
  CHECK(op_error("ArgMax", {}, {f32({0}, {})}) != "");
  CHECK(op_error("ArgMax", {{"axis", int64_t(2)}}, {x}) != "");
}

TEST_CASE("cumulate: exclusive, reverse, any axis") {
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  auto run = [&](const char* op, int64_t axis, int64_t exclusive, int64_t reverse) {
    return run_op(op, {{"exclusive", exclusive}, {"reverse", reverse}}, {x, i64({}, {axis})})[0];
  };
  check_same(run("CumSum", 1, 0, 0), f32({2, 3}, {1, 3, 6, 4, 9, 15}));
  check_same(run("CumSum", 1, 1, 0), f32({2, 3}, {0, 1, 3, 0, 4, 9}));
  check_same(run("CumSum", 1, 0, 1), f32({2, 3}, {6, 5, 3, 15, 11, 6}));
  check_same(run("CumSum", -1, 1, 1), f32({2, 3}, {5, 3, 0, 11, 6, 0}));
  check_same(run("CumSum", 0, 0, 0), f32({2, 3}, {1, 2, 3, 5, 7, 9}));
  check_same(run("CumProd", 1, 0, 0), f32({2, 3}, {1, 2, 6, 4, 20, 120}));
  check_same(run("CumProd", 0, 1, 1), f32({2, 3}, {4, 5, 6, 1, 1, 1}));
  check_same(run_op("CumSum", {}, {i64({2}, {INT64_MAX, 1}), i64({}, {0})})[0], i64({2}, {INT64_MAX, INT64_MIN}));
  check_same(run_op("CumSum", {}, {cast(f32({3}, {2048, 1, 1}), DType::f16), i64({}, {0})})[0], cast(f32({3}, {2048, 2048, 2050}), DType::f16));
  CHECK(op_error("CumSum", {}, {x, i64({}, {2})}) != "");
}

TEST_CASE("topk: sorted, stable, from either end, NaN largest") {
  const Tensor x = f32({1, 6}, {3, 9, 3, kNan, -1, 9});
  auto y = run_op("TopK", {}, {x, i64({1}, {4})}, 2);
  check_same(y[0], f32({1, 4}, {kNan, 9, 9, 3}));
  check_same(y[1], i64({1, 4}, {3, 1, 5, 0}));
  y = run_op("TopK", {{"largest", int64_t(0)}}, {x, i64({1}, {6})}, 2);
  check_same(y[1], i64({1, 6}, {4, 0, 2, 1, 5, 3}));
  y = run_op("TopK", {{"axis", int64_t(0)}}, {f32({3, 2}, {1, 6, 3, 4, 2, 5}), i64({1}, {2})}, 2);
  check_same(y[0], f32({2, 2}, {3, 6, 2, 5}));
  check_same(y[1], i64({2, 2}, {1, 0, 2, 2}));
  CHECK(run_op("TopK", {}, {x, i64({1}, {0})}, 2)[0].dims() == Dims{1, 0});
  CHECK(op_error("TopK", {}, {x, i64({1}, {7})}, 2) != "");
  CHECK(op_error("TopK", {}, {x, i64({1}, {-1})}, 2) != "");
  const Tensor r = random_f32({5, 101}, 11);
  y = run_op("TopK", {}, {r, i64({1}, {17})}, 2);
  for (int64_t row = 0; row < 5; ++row) {
    std::vector<float> v(r.data<float>() + row * 101, r.data<float>() + (row + 1) * 101);
    std::sort(v.begin(), v.end(), std::greater<>());
    CHECK(std::equal(v.begin(), v.begin() + 17, y[0].data<float>() + row * 17));
  }
}

TEST_CASE("topk: numbers of 64 bits in order, equal ones too, their lowest bits count") {
  const int64_t big = int64_t(1) << 62;
  const Tensor x = i64({6}, {big, big + 1, -big, big, -1, INT64_MIN});
  auto y = run_op("TopK", {}, {x, i64({1}, {5})}, 2);
  check_same(y[0], i64({5}, {big + 1, big, big, -1, -big}));
  check_same(y[1], i64({5}, {1, 0, 3, 4, 2}));
  check_same(run_op("TopK", {{"largest", int64_t(0)}}, {x, i64({1}, {3})}, 2)[1], i64({3}, {5, 2, 4}));
  Tensor u = *Tensor::allocate(DType::u64, {3}), d = *Tensor::allocate(DType::f64, {6});
  for (int64_t i = 0; i < 3; ++i) u.mutable_data<uint64_t>()[i] = UINT64_MAX >> i;
  check_same(run_op("TopK", {{"largest", int64_t(0)}}, {u, i64({1}, {3})}, 2)[1], i64({3}, {2, 1, 0}));
  const double values[] = {1, 1 + 0x1p-52, -0.0, 0.0, static_cast<double>(kNan), -1};
  for (int64_t i = 0; i < 6; ++i) d.mutable_data<double>()[i] = values[i];
  check_same(run_op("TopK", {}, {d, i64({1}, {6})}, 2)[1], i64({6}, {4, 1, 0, 2, 3, 5}));
  check_same(run_op("TopK", {{"largest", int64_t(0)}}, {d, i64({1}, {6})}, 2)[1], i64({6}, {5, 2, 3, 0, 1, 4}));
}

TEST_CASE("topk: lines of every length and every k are those of a sort, equal elements too, along any axis") {
  for (int64_t n : {1, 2, 3, 15, 16, 17, 33, 300, 600}) {
    for (int64_t k : {int64_t(1), int64_t(2), n / 2, n - 1, n}) {
      if (k < 1 || k > n) continue;
      for (DType t : {DType::f32, DType::f64, DType::f16, DType::i64, DType::u8}) {
        for (int64_t inner : {1, 3}) {
          const Tensor whole =
              cast(random_f32({2, n, inner}, static_cast<uint32_t>(n + k), 0, 25), DType::i64);  // few values, so that many are equal
          const Tensor x = run_op("Cast",
                                  {{"to", int64_t(t == DType::f32   ? 1
                                                  : t == DType::f64 ? 11
                                                  : t == DType::f16 ? 10
                                                  : t == DType::i64 ? 7
                                                                    : 2)}},
                                  {whole})[0];
          for (int64_t largest : {0, 1}) {
            const auto y = run_op("TopK", {{"axis", int64_t(1)}, {"largest", largest}}, {x, i64({1}, {k})}, 2);
            std::vector<int64_t> expected;
            for (int64_t line = 0; line < 2 * inner; ++line) {
              const int64_t* v = whole.data<int64_t>() + line / inner * n * inner + line % inner;
              std::vector<int64_t> order(static_cast<size_t>(n));
              std::iota(order.begin(), order.end(), 0);
              std::stable_sort(order.begin(), order.end(),
                               [&](int64_t i, int64_t j) { return largest ? v[i * inner] > v[j * inner] : v[i * inner] < v[j * inner]; });
              expected.insert(expected.end(), order.begin(), order.begin() + k);
            }
            const Tensor lines = run_op("Transpose", {{"perm", std::vector<int64_t>{0, 2, 1}}}, {y[1]})[0];
            CHECK(std::equal(expected.begin(), expected.end(), lines.data<int64_t>()));
          }
        }
      }
    }
  }
}

TEST_CASE("arg: short lines, as many as there may be, and lines of which few lie side by side have their own extremes") {
  for (int64_t inner : {2, 3, 7, 15, 16}) {
    const Tensor x = random_f32({12, 9, inner}, static_cast<uint32_t>(inner));
    std::vector<int64_t> most, last;
    for (int64_t l = 0; l < 12 * inner; ++l) {
      const float* line = x.data<float>() + l / inner * 9 * inner + l % inner;
      int64_t at = 0;
      for (int64_t i = 1; i < 9; ++i) at = line[i * inner] > line[at * inner] ? i : at;
      most.push_back(at);
      last.push_back(8);
    }
    for (DType t : {DType::f32, DType::f64})
      check_same(run_op("ArgMax", {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}}, {cast(x, t)})[0], i64({12, inner}, most));
    const Tensor same = run_op("Mul", {}, {x, f32({1}, {0})})[0];
    check_same(run_op("ArgMin", {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}, {"select_last_index", int64_t(1)}}, {same})[0],
               i64({12, inner}, last));
  }
  for (int64_t n : {1, 2, 3, 7, 16, 17, 32, 33}) {
    for (int64_t lines : {1, 5, 64, 65, 200}) {
      const Tensor x = random_f32({lines, n}, static_cast<uint32_t>(n * lines));
      std::vector<int64_t> most, least;
      std::vector<float> ones(static_cast<size_t>(n * lines), 0.0f);
      for (int64_t l = 0; l < lines; ++l) {
        const float* row = x.data<float>() + l * n;
        most.push_back(std::max_element(row, row + n) - row);
        least.push_back(std::min_element(row, row + n) - row);
        ones[static_cast<size_t>(l * n + most.back())] = 1;
      }
      for (DType t : {DType::f32, DType::f64}) {
        check_same(run_op("ArgMax", {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}}, {cast(x, t)})[0], i64({lines}, most));
        check_same(run_op("ArgMin", {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}}, {cast(x, t)})[0], i64({lines}, least));
      }
      check_same(run_op("Hardmax", {}, {x})[0], f32({lines, n}, ones));
    }
  }
}

TEST_CASE("cumulate: columns of every width, in order") {
  for (int64_t width : {1, 7, 8, 15, 16, 17, 33, 64, 81, 300}) {
    const Tensor x = random_f32({5, width}, static_cast<uint32_t>(width), 1, 3);
    for (DType t : {DType::f32, DType::f64, DType::i32, DType::i64}) {
      for (bool product : {false, true}) {
        for (int64_t exclusive : {0, 1}) {
          for (int64_t reverse : {0, 1}) {
            const Tensor in = cast(x, t),
                         y = run_op(product ? "CumProd" : "CumSum", {{"exclusive", exclusive}, {"reverse", reverse}}, {in, i64({}, {0})})[0];
            visit(t, [&]<class T>() {
              if constexpr (std::is_arithmetic_v<T>) {
                Tensor expected = *Tensor::allocate(t, in.dims());
                for (int64_t j = 0; j < width; ++j) {
                  T acc = product ? 1 : 0;
                  for (int64_t i = 0; i < 5; ++i) {
                    const int64_t at = (reverse ? 4 - i : i) * width + j;
                    const T before = acc;
                    acc = product ? static_cast<T>(acc * in.data<T>()[at]) : static_cast<T>(acc + in.data<T>()[at]);
                    expected.mutable_data<T>()[at] = exclusive ? before : acc;
                  }
                }
                check_same(y, expected);
              }
            });
          }
        }
      }
    }
  }
}

TEST_CASE("one-hot: negative indices wrap, others outside are off, any axis") {
  const Tensor values = f32({2}, {5, 7}), depth = i64({}, {3});
  check_same(run_op("OneHot", {}, {i64({4}, {0, -1, 3, -4}), depth, values})[0], f32({4, 3}, {7, 5, 5, 5, 5, 7, 5, 5, 5, 5, 5, 5}));
  check_same(run_op("OneHot", {{"axis", int64_t(0)}}, {i64({2}, {2, 0}), depth, values})[0], f32({3, 2}, {5, 7, 5, 5, 7, 5}));
  check_same(run_op("OneHot", {}, {f32({2}, {1, kNan}), depth, values})[0], f32({2, 3}, {5, 7, 5, 5, 5, 5}));
  CHECK(op_error("OneHot", {}, {i64({1}, {0}), i64({}, {-1}), values}) != "");
  // more positions than are looked at together, depths beyond what a byte counts
  constexpr int64_t kDepth = 600, kSide = 300;
  std::vector<int64_t> at;
  for (int64_t i = 0; i < 2 * kSide; ++i) at.push_back(i * 7919 % 1500 - 750);
  for (const int64_t to : {2, 4, 1, 7}) {  // u8, u16, f32, i64
    const Tensor off_on = run_op("Cast", {{"to", to}}, {values})[0];
    const Tensor y =
        run_op("Cast", {{"to", int64_t(7)}}, {run_op("OneHot", {{"axis", int64_t(1)}}, {i64({2, kSide}, at), i64({}, {kDepth}), off_on})[0]})[0];
    std::vector<int64_t> expected;
    for (int64_t o = 0; o < 2; ++o) {
      for (int64_t d = 0; d < kDepth; ++d) {
        for (int64_t i = 0; i < kSide; ++i) {
          const int64_t index = at[static_cast<size_t>(o * kSide + i)];
          expected.push_back(index == d || index + kDepth == d ? 7 : 5);
        }
      }
    }
    check_same(y, i64({2, kDepth, kSide}, expected));
  }
}

TEST_CASE("reduce: of equal elements any distance apart the first is found, and the last where it is asked for") {
  for (int64_t size : {8, 33, 70}) {
    for (int64_t first = 0; first < size; first += 5) {
      for (int64_t apart : {1, 8, 16}) {
        const int64_t last = first + (size - 1 - first) / apart * apart;
        Tensor x = random_f32({1, size}, 1, -3, -1);
        for (int64_t i = first; i < size; i += apart) x.mutable_data<float>()[i] = 2;
        for (DType t : {DType::f32, DType::f64}) {
          check_same(run_op("ArgMax", {{"axis", int64_t(1)}}, {cast(x, t)})[0], i64({1, 1}, {first}));
          check_same(run_op("ArgMax", {{"axis", int64_t(1)}, {"select_last_index", int64_t(1)}}, {cast(x, t)})[0], i64({1, 1}, {last}));
        }
      }
    }
  }
}

}  // namespace tern::test::in_reduce_lines
