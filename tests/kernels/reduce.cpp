// Reductions against the double reference and xtensor, on every ISA. Contract: kernels/reduce/reduce.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>

#include "tests/support/cheap.h"
#include "tests/support/op_test.h"

namespace tern::test::in_reduce {
namespace {

const float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
Tensor ints(std::vector<int64_t> v) { return i64({static_cast<int64_t>(v.size())}, v); }

// Folds [outer, k, inner] over k in double.
template <class F>
Tensor folded(const Tensor& x, int64_t outer, int64_t k, int64_t inner, Dims dims, F f) {
  Tensor y = *Tensor::allocate(DType::f32, dims);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t j = 0; j < inner; ++j) {
      std::vector<double> v;
      for (int64_t i = 0; i < k; ++i) v.push_back(x.data<float>()[(o * k + i) * inner + j]);
      y.mutable_data<float>()[o * inner + j] = static_cast<float>(f(v));
    }
  }
  return y;
}
double sum(const std::vector<double>& v) {
  double s = 0;
  for (double e : v) s += e;
  return s;
}
double log_sum_exp(const std::vector<double>& v) {
  double m = -INFINITY, s = 0;
  for (double e : v) m = std::max(m, e);
  for (double e : v) s += std::exp(e - m);
  return std::log(s) + m;
}

struct Case {
  const char* op;
  double (*f)(const std::vector<double>&);
  int64_t ulp;  // positive inputs: k additions are within k/2 ULP, and in sixteen lanes far less
};
const Case kCases[] = {
    {"ReduceSum", [](const std::vector<double>& v) { return sum(v); }, 6},
    {"ReduceMean", [](const std::vector<double>& v) { return sum(v) / static_cast<double>(v.size()); }, 6},
    {"ReduceMax", [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }, 0},
    {"ReduceMin", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); }, 0},
    {"ReduceProd",
     [](const std::vector<double>& v) {
       double p = 1;
       for (double e : v) p *= e;
       return p;
     },
     40},
    {"ReduceL1",
     [](const std::vector<double>& v) {
       double s = 0;
       for (double e : v) s += std::fabs(e);
       return s;
     },
     6},
    {"ReduceSumSquare",
     [](const std::vector<double>& v) {
       double s = 0;
       for (double e : v) s += e * e;
       return s;
     },
     6},
    {"ReduceL2",
     [](const std::vector<double>& v) {
       double s = 0;
       for (double e : v) s += e * e;
       return std::sqrt(s);
     },
     6},
    {"ReduceLogSum", [](const std::vector<double>& v) { return std::log(sum(v)); }, 60},
    {"ReduceLogSumExp", [](const std::vector<double>& v) { return log_sum_exp(v); }, 8},
};

}  // namespace

TEST_CASE("reduce: the last axis, every tail length") {
  for (const Case& c : kCases) {
    CAPTURE(c.op);
    for (int64_t k = 1; k <= 67; ++k) {
      const Tensor x = random_f32({3, k}, static_cast<uint32_t>(k), 0.5f, 1.5f);
      check_close(run_op(c.op, {{"keepdims", int64_t(0)}}, {x, ints({-1})})[0], folded(x, 3, k, 1, {3}, c.f), c.ulp, 2e-7f);
    }
    const Tensor x = random_f32({2, 211}, 5, 0.9f, 1.1f);
    check_close(run_op(c.op, {}, {x, ints({1})})[0], folded(x, 2, 211, 1, {2, 1}, c.f), 2 * c.ulp, 4e-7f);
  }
}

TEST_CASE("reduce: short rows, however many, are sums of sixteen lanes and their tree") {
  for (int64_t k = 1; k <= 34; ++k) {
    for (int64_t rows : {1, 15, 16, 17, 40}) {
      const Tensor x = random_f32({rows, k}, static_cast<uint32_t>(k + rows), -3, 5);
      std::vector<float> sums, products;
      for (int64_t r = 0; r < rows; ++r) {
        float sum[16] = {}, product[16];
        std::fill_n(product, 16, 1.0f);
        for (int64_t i = 0; i < k; ++i) {
          sum[i % 16] += x.data<float>()[r * k + i];
          product[i % 16] *= x.data<float>()[r * k + i];
        }
        for (int width = 8; width > 0; width /= 2) {
          for (int i = 0; i < width; ++i) sum[i] += sum[i + width], product[i] *= product[i + width];
        }
        sums.push_back(sum[0]);
        products.push_back(product[0]);
      }
      check_same(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {x, ints({1})})[0], f32({rows}, sums));
      check_same(run_op("ReduceProd", {{"keepdims", int64_t(0)}}, {x, ints({1})})[0], f32({rows}, products));
    }
  }
  for (int64_t k : {1, 2, 9, 16}) {  // a NaN shows in its own row, and so does an infinity
    for (int64_t at = 0; at < k; ++at) {
      const int64_t where = at % 3;
      for (float odd : {kNan, kInf, -kInf}) {
        Tensor x = random_f32({3, k}, 4);
        x.mutable_data<float>()[where * k + at] = odd;
        for (const char* op : {"ReduceMax", "ReduceMin", "ReduceSum", "ReduceLogSumExp", "ReduceL2"}) {
          const Tensor y = run_op(op, {{"keepdims", int64_t(0)}}, {x, ints({1})})[0];
          for (int64_t r = 0; r < 3; ++r) {
            const Tensor row = Tensor::of<float>({k}, x.span<float>().subspan(static_cast<size_t>(r * k), static_cast<size_t>(k)));
            check_same(Tensor::of<float>({1}, y.span<float>().subspan(static_cast<size_t>(r), 1)), run_op(op, {}, {row, ints({0})})[0]);
            CHECK(std::isnan(y.data<float>()[r]) == (std::isnan(odd) && r == where));
          }
        }
      }
    }
  }
}

TEST_CASE("reduce: a middle axis, every width of the columns") {
  for (const Case& c : kCases) {
    CAPTURE(c.op);
    for (int64_t inner : {1, 2, 15, 16, 17, 31, 63, 64, 65, 131}) {
      const Tensor x = random_f32({2, 9, inner}, static_cast<uint32_t>(inner), 0.5f, 1.5f);
      check_close(run_op(c.op, {}, {x, ints({1})})[0], folded(x, 2, 9, inner, {2, 1, inner}, c.f), c.ulp, 4e-7f);
    }
  }
}

TEST_CASE("reduce: every set of axes is xtensor's") {
  const Tensor x = random_f32({3, 4, 2, 5}, 7, 0.5f, 1.5f);
  const xt::xarray<float> a = xt::adapt(std::vector<float>(x.span<float>().begin(), x.span<float>().end()), std::vector<size_t>{3, 4, 2, 5});
  for (unsigned set = 1; set < 16; ++set) {
    std::vector<int64_t> axes;
    std::vector<size_t> there;
    for (unsigned d = 0; d < 4; ++d) {
      if (set >> d & 1) {
        axes.insert(axes.begin(), d % 2 ? static_cast<int64_t>(d) : static_cast<int64_t>(d) - 4);  // any order, either sign
        there.push_back(d);
      }
    }
    const xt::xarray<double> y = xt::sum(xt::cast<double>(a), there), top = xt::amax(xt::cast<double>(a), there);
    std::vector<int64_t> shape(y.shape().begin(), y.shape().end());
    check_close(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {x, ints(axes)})[0],
                Tensor::of<float>(Dims(shape), std::vector<float>(y.begin(), y.end())), 6);
    check_same(run_op("ReduceMax", {{"keepdims", int64_t(0)}}, {x, ints(axes)})[0],
               Tensor::of<float>(Dims(shape), std::vector<float>(top.begin(), top.end())));
  }
}

TEST_CASE("reduce: no axes means all, or none with noop_with_empty_axes") {
  const Tensor x = f32({2, 2}, {1, -2, 3, 4});
  check_same(run_op("ReduceSum", {}, {x})[0], f32({1, 1}, {6}));
  check_same(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {x, ints({})})[0], f32({}, {6}));
  check_same(run_op("ReduceSum", {{"noop_with_empty_axes", int64_t(1)}}, {x, ints({})})[0], x);
  check_same(run_op("ReduceMean", {{"noop_with_empty_axes", int64_t(1)}}, {x})[0], x);
  CHECK(op_error("ReduceSum", {}, {x, ints({2})}) != "");
  CHECK(op_error("ReduceSum", {}, {x, ints({0, -2})}) != "");
}

TEST_CASE("reduce: over nothing") {
  const Tensor none = f32({2, 0, 3}, {});
  const std::pair<const char*, float> kEmpty[] = {{"ReduceSum", 0},        {"ReduceProd", 1},         {"ReduceMax", -kInf}, {"ReduceMin", kInf},
                                                  {"ReduceMean", kNan},    {"ReduceL1", 0},           {"ReduceL2", 0},      {"ReduceSumSquare", 0},
                                                  {"ReduceLogSum", -kInf}, {"ReduceLogSumExp", -kInf}};
  for (const auto& row : kEmpty) {
    const char* op = row.first;
    const float value = row.second;
    CAPTURE(op);
    check_same(run_op(op, {}, {none, ints({1})})[0], f32({2, 1, 3}, std::vector<float>(6, value)));
    check_same(run_op(op, {{"keepdims", int64_t(0)}}, {f32({2, 0}, {}), ints({1})})[0], f32({2}, {value, value}));
    CHECK(run_op(op, {}, {none, ints({0})})[0].count() == 0);
  }
}

TEST_CASE("reduce: NaN goes through Max and Min from every lane") {
  for (int64_t at = 0; at < 70; at += 3) {
    std::vector<float> v(70, 1.0f);
    v[static_cast<size_t>(at)] = kNan;
    CHECK(std::isnan(run_op("ReduceMax", {}, {f32({70}, v)})[0].data<float>()[0]));
    CHECK(std::isnan(run_op("ReduceMin", {}, {f32({70}, v)})[0].data<float>()[0]));
    CHECK(std::isnan(run_op("ReduceMax", {},
                            {f32({70, 2},
                                 [&] {
                                   auto w = v;
                                   w.resize(140, 0.0f);
                                   return w;
                                 }()),
                             ints({0})})[0]
                         .data<float>()[at % 2]));
  }
}

TEST_CASE("reduce: extremes of every dtype and set of axes are those of f32; of zeros of both signs the last stays") {
  for (const Dims& dims : {Dims{3, 5, 7}, Dims{2, 3, 300}, Dims{4, 70, 2}, Dims{1, 600}, Dims{5, 1, 3, 2}, Dims{150, 3}, Dims{7, 20, 16}}) {
    Tensor x = random_f32(dims, 9, 0, 120);
    for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = std::floor(x.data<float>()[i]);
    for (const auto& axes : {std::vector<int64_t>{0}, {1}, {-1}, {0, -1}, {0, 1}}) {
      for (const char* op : {"ReduceMax", "ReduceMin"}) {
        const Tensor expected = run_op(op, {}, {x, ints(axes)})[0];
        for (DType t : {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64, DType::u32, DType::u64, DType::i8, DType::u8})
          check_same(run_op(op, {}, {cast(x, t), ints(axes)})[0], cast(expected, t));
      }
    }
  }
  for (DType t : {DType::f64, DType::f16}) {
    const Tensor x = cast(f32({2, 3}, {-1, 0, -0.0f, -0.0f, 0, -2}), t), y = cast(f32({2, 3}, {1, -0.0f, 0, 0, -0.0f, 2}), t);
    check_same(run_op("ReduceMax", {{"keepdims", int64_t(0)}}, {x, ints({1})})[0], cast(f32({2}, {-0.0f, 0}), t));
    check_same(run_op("ReduceMin", {{"keepdims", int64_t(0)}}, {y, ints({1})})[0], cast(f32({2}, {0, -0.0f}), t));
    check_same(run_op("ReduceMax", {{"keepdims", int64_t(0)}}, {x, ints({0})})[0], cast(f32({3}, {-0.0f, 0, -0.0f}), t));
    const Tensor runs = cast(f32({2, 2, 2}, {0, -1, -0.0f, -1, -0.0f, -1, 0, -1}), t);
    check_same(run_op("ReduceMax", {{"keepdims", int64_t(0)}}, {runs, ints({0, 2})})[0], cast(f32({2}, {-0.0f, 0}), t));
  }
  const Tensor nan = cast(f32({1, 4}, {1, kNan, 7, 2}), DType::f64);
  check_same(run_op("ReduceMax", {}, {nan, ints({1})})[0], cast(f32({1, 1}, {kNan}), DType::f64));
  check_same(run_op("ReduceMin", {}, {nan, ints({1})})[0], cast(f32({1, 1}, {kNan}), DType::f64));
}

TEST_CASE("reduce: LogSumExp does not overflow, and knows infinities") {
  auto lse = [](std::vector<float> v) { return run_op("ReduceLogSumExp", {}, {f32({static_cast<int64_t>(v.size())}, v)})[0].data<float>()[0]; };
  CHECK(lse({1000, 1000}) == doctest::Approx(1000.6931));
  CHECK(lse({-1000, -1000}) == doctest::Approx(-999.3069));
  CHECK(lse({-kInf, -kInf}) == -kInf);
  CHECK(lse({kInf, 0}) == kInf);
  CHECK(std::isnan(lse({kNan, 0})));
}

TEST_CASE("reduce: other dtypes fold in order; integers wrap, halves fold in f32") {
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 7});
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64, DType::u32, DType::u64, DType::i8, DType::u8}) {
    CAPTURE(std::string(name(t)));
    check_same(run_op("ReduceSum", {}, {cast(x, t), ints({1})})[0], cast(f32({2, 1}, {6, 16}), t));
    check_same(run_op("ReduceProd", {}, {cast(x, t), ints({0})})[0], cast(f32({1, 3}, {4, 10, 21}), t));
    check_same(run_op("ReduceMax", {}, {cast(x, t)})[0], cast(f32({1, 1}, {7}), t));
    check_same(run_op("ReduceMin", {}, {cast(x, t), ints({1})})[0], cast(f32({2, 1}, {1, 4}), t));
    check_same(run_op("ReduceSumSquare", {}, {cast(f32({2}, {3, 4}), t)})[0], cast(f32({1}, {25}), t));
    check_same(run_op("ReduceL2", {}, {cast(f32({2}, {3, 4}), t)})[0], cast(f32({1}, {5}), t));
  }
  check_same(run_op("ReduceSum", {}, {i64({2}, {INT64_MAX, 1})})[0], i64({1}, {INT64_MIN}));
  check_same(run_op("ReduceL1", {}, {i64({2}, {-3, 4})})[0], i64({1}, {7}));
  // 2048 + 1 + 1 is 2048 in f16 arithmetic, 2050 in f32
  check_same(run_op("ReduceSum", {}, {cast(f32({3}, {2048, 1, 1}), DType::f16)})[0], cast(f32({1}, {2050}), DType::f16));
}

TEST_CASE("reduce: other dtypes fold in order, along rows and columns of every width") {
  auto in_order = []<class T>(T, DType t, const Tensor& x, int64_t outer, int64_t k, int64_t inner) {  // f32 [outer, k, inner] over k, in T
    Tensor y = *Tensor::allocate(t, Dims{outer, inner});
    for (int64_t o = 0; o < outer * inner; ++o) {
      T sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += static_cast<T>(x.data<float>()[(o / inner * k + i) * inner + o % inner]);
      y.mutable_data<T>()[o] = sum;
    }
    return y;
  };
  for (int64_t inner : {2, 7, 8, 9, 65, 255, 256, 257, 600}) {
    for (int64_t k : {1, 3, 4, 5, 9}) {
      const Tensor x = random_f32({2, k, inner}, static_cast<uint32_t>(inner + k), -9, 9);
      const Tensor f64 = run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {cast(x, DType::f64), ints({1})})[0];
      check_same(f64, in_order(double(), DType::f64, x, 2, k, inner));
      const Tensor i32 = run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {cast(x, DType::i32), ints({1})})[0];
      check_same(i32, in_order(int32_t(), DType::i32, x, 2, k, inner));
    }
  }
  for (int64_t outer = 1; outer < 20; ++outer) {
    const Tensor x = random_f32({outer, 11}, static_cast<uint32_t>(outer), -9, 9);
    check_same(run_op("ReduceSum", {}, {cast(x, DType::f64), ints({1})})[0], in_order(double(), DType::f64, x, outer, 11, 1));
  }
}

TEST_CASE("reduce: long runs of other floats are sixteen lanes and their tree") {
  for (int64_t k : {1023, 1024, 1025, 1039}) {
    for (int64_t runs : {1, 2}) {
      const Tensor x = cast(random_f32({runs, 9, k}, static_cast<uint32_t>(k), 0.9f, 1.1f), DType::f64);
      std::vector<double> sums, products;
      for (int64_t o = 0; o < 9; ++o) {
        double sum[16] = {}, product[16];
        std::fill_n(product, 16, 1.0);
        for (int64_t i = 0; i < runs * k; ++i) {
          const double v = x.data<double>()[(i / k * 9 + o) * k + i % k];
          const int64_t lane = k < 1024 ? 0 : i % k % 16;
          sum[lane] += v;
          product[lane] *= v;
        }
        for (int width = 8; width > 0; width /= 2) {
          for (int i = 0; i < width; ++i) sum[i] += sum[i + width], product[i] *= product[i + width];
        }
        sums.push_back(sum[0]);
        products.push_back(product[0]);
      }
      check_same(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {x, ints({0, 2})})[0], Tensor::of<double>({9}, sums));
      check_same(run_op("ReduceProd", {{"keepdims", int64_t(0)}}, {x, ints({0, 2})})[0], Tensor::of<double>({9}, products));
    }
  }
  std::vector<float> ones(1030, 1);
  ones[0] = 2048;
  for (DType t : {DType::f16, DType::bf16}) check_same(run_op("ReduceSum", {}, {cast(f32({1030}, ones), t)})[0], cast(f32({1}, {2048 + 1029}), t));
}

TEST_CASE("reduce: LogSumExp of other dtypes takes each column's own largest") {
  Tensor x = *Tensor::allocate(DType::f64, Dims{3, 600});
  for (int64_t i = 0; i < 1800; ++i) x.mutable_data<double>()[i] = 10.0 * static_cast<double>(i % 600);
  const Tensor y = run_op("ReduceLogSumExp", {}, {x, ints({0})})[0];
  for (int64_t j = 0; j < 600; ++j) CHECK(y.data<double>()[j] == doctest::Approx(10.0 * static_cast<double>(j) + std::log(3.0)));
}

TEST_CASE("reduce: LogSumExp of other dtypes is that of all blocks of a run, and of integers counts the largest") {
  Tensor x = random_f32({2, 700}, 1, 0, 7);
  double sum[2] = {};
  for (int64_t i = 0; i < 1400; ++i) sum[i / 700] += std::exp(static_cast<double>(x.data<float>()[i]));
  for (DType t : {DType::f64, DType::f16, DType::bf16}) {
    const Tensor y = run_op("Cast", {{"to", int64_t(11)}}, {run_op("ReduceLogSumExp", {}, {cast(x, t), ints({1})})[0]})[0];
    for (int64_t r = 0; r < 2; ++r) CHECK(y.data<double>()[r] == doctest::Approx(std::log(sum[r])).epsilon(t == DType::f64 ? 1e-14 : 1e-2));
  }
  for (DType t : {DType::f64, DType::f16, DType::bf16}) {
    check_same(run_op("ReduceLogSumExp", {}, {cast(f32({3, 2}, {-kInf, -kInf, kInf, 0, kNan, 0}), t), ints({1})})[0],
               cast(f32({3, 1}, {-kInf, kInf, kNan}), t));
  }
  check_same(run_op("ReduceLogSumExp", {}, {cast(f32({2, 9}, {5, 5, 5, 5, 5, 5, 5, 5, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9}), DType::i32), ints({1})})[0],
             cast(f32({2, 1}, {7, 9}), DType::i32));  // log 8 is 2
}

TEST_CASE("reduce: in columns of doubles a NaN anywhere shows in its column, and of zeros the last stays") {
  for (int64_t inner : {3, 8, 9, 21}) {
    for (int64_t rows : {1, 2, 5, 9}) {
      const auto step = static_cast<int64_t>(every(inner > 9 ? 4 : 1));
      for (int64_t at = 0; at < rows * inner; at += step) {
        std::vector<float> v(static_cast<size_t>(rows * inner), -1.0f), w = v;
        v[static_cast<size_t>(at)] = kNan;
        w[static_cast<size_t>(at)] = -0.0f;  // before zeros of the other sign, or after
        if (at % 2 == 0) w[static_cast<size_t>(at % inner)] = 0;
        if (at % 3 == 0) w[static_cast<size_t>((rows - 1) * inner + at % inner)] = 0;
        std::vector<float> nans(static_cast<size_t>(inner), -1.0f), zeros = nans;
        for (int64_t i = at % inner; i < rows * inner; i += inner) {
          if (w[static_cast<size_t>(i)] == 0) zeros[static_cast<size_t>(at % inner)] = w[static_cast<size_t>(i)];
        }
        nans[static_cast<size_t>(at % inner)] = kNan;
        const auto wide = [](Dims dims, const std::vector<float>& of) { return cast(f32(dims, of), DType::f64); };
        check_same(run_op("ReduceMax", {}, {wide({rows, inner}, v), ints({0})})[0], wide({1, inner}, nans));
        check_same(run_op("ReduceMin", {}, {wide({rows, inner}, v), ints({0})})[0], wide({1, inner}, nans));
        check_same(run_op("ReduceMax", {}, {wide({rows, inner}, w), ints({0})})[0], wide({1, inner}, zeros));
      }
    }
  }
}

}  // namespace tern::test::in_reduce
