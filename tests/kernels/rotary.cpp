// RotaryEmbedding against a plain reference in double. Contract: kernels/rotary/rotary.h. The official cases are in tests/data/node.
#include <doctest/doctest.h>

#include "runtime/base/half.h"
#include "tests/support/heads.h"
#include "tests/support/op_test.h"

namespace tern::test::in_rotary {
namespace {

// x [B, heads, S, D]; cos(b, s, i) and sin(b, s, i) as functions of the place.
template <class C, class S>
Tensor reference(const Tensor& x, int64_t rotated, bool interleaved, C cos, S sin) {
  Tensor y = *Tensor::allocate(DType::f32, x.dims());
  const int64_t heads = x.dims()[1], places = x.dims()[2], D = x.dims()[3], half = rotated / 2;
  for (int64_t row = 0; row < x.dims().count(0, 3); ++row) {
    const float* from = x.data<float>() + row * D;
    float* to = y.mutable_data<float>() + row * D;
    const int64_t b = row / places / heads, s = row % places;
    for (int64_t i = rotated; i < D; ++i) to[i] = from[i];
    for (int64_t i = 0; i < half; ++i) {
      const int64_t one = interleaved ? 2 * i : i, two = interleaved ? 2 * i + 1 : i + half;
      const double c = cos(b, s, i), sn = sin(b, s, i), x1 = from[one], x2 = from[two];
      to[one] = static_cast<float>(c * x1 - sn * x2);
      to[two] = static_cast<float>(sn * x1 + c * x2);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("rotary: halves and interleaved pairs, whole and partial heads, both layouts") {
  const int64_t B = 2, heads = 3, S = 5, D = 8, cached = 7;
  const Tensor x = random_f32({B, heads, S, D}, 1), positions = i64({B, S}, {0, 1, 2, 3, 4, 6, 5, -1, -7, 0});
  for (int64_t rotated : {8, 4, 2}) {
    const int64_t half = rotated / 2;
    const Tensor cos = random_f32({cached, half}, 2), sin = random_f32({cached, half}, 3), cos_of = random_f32({B, S, half}, 4),
                 sin_of = random_f32({B, S, half}, 5);
    auto by_position = [&](const Tensor& cache) {
      return [&, data = cache.data<float>()](int64_t b, int64_t s, int64_t i) -> double {
        const int64_t p = positions.data<int64_t>()[b * S + s];
        return data[(p < 0 ? p + cached : p) * half + i];
      };
    };
    auto by_place = [&](const Tensor& cache) {
      return [&, data = cache.data<float>()](int64_t b, int64_t s, int64_t i) -> double { return data[(b * S + s) * half + i]; };
    };
    for (bool interleaved : {false, true}) {
      const int64_t dim = rotated == D ? 0 : rotated;
      const Attributes::Value pairs = int64_t(interleaved);
      const Tensor known = reference(x, rotated, interleaved, by_position(cos), by_position(sin));
      check_close(run_op("RotaryEmbedding", {{"interleaved", pairs}, {"rotary_embedding_dim", dim}}, {x, cos, sin, positions})[0], known, 0);
      check_close(
          run_op("RotaryEmbedding", {{"interleaved", pairs}, {"rotary_embedding_dim", dim}, {"num_heads", heads}}, {flat(x), cos, sin, positions})[0],
          flat(known), 0);
      check_close(run_op("RotaryEmbedding", {{"interleaved", pairs}, {"rotary_embedding_dim", dim}}, {x, cos_of, sin_of})[0],
                  reference(x, rotated, interleaved, by_place(cos_of), by_place(sin_of)), 0);
    }
  }
}

TEST_CASE("rotary: other floats are the double result rounded once") {
  const Tensor x = f32({1, 1, 1, 4}, {1, 2, 3, -4}), cos = f32({1, 1, 2}, {0.5f, -1}), sin = f32({1, 1, 2}, {2, 0.25f}),
               y = f32({1, 1, 1, 4}, {-5.5f, -1, 3.5f, 4.5f});
  for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16})
    check_same(run_op("RotaryEmbedding", {}, {cast(x, t), cast(cos, t), cast(sin, t)})[0], cast(y, t));
}

TEST_CASE("rotary: nothing to turn, and nothing at all") {
  const Tensor cache = f32({2, 1}, {0, 0});
  CHECK(run_op("RotaryEmbedding", {}, {f32({1, 2, 0, 2}, {}), cache, cache, i64({1, 0}, {})})[0].dims() == Dims{1, 2, 0, 2});
  CHECK(run_op("RotaryEmbedding", {}, {f32({0, 2, 3, 2}, {}), cache, cache, i64({0, 3}, {})})[0].dims() == Dims{0, 2, 3, 2});
}

TEST_CASE("rotary: shapes, dtypes and positions that do not fit are refused") {
  const Tensor x = random_f32({1, 2, 3, 4}, 1), cache = random_f32({5, 2}, 2), positions = i64({1, 3}, {0, 1, 2});
  auto error = [](Attrs attrs, std::vector<Tensor> in) { return op_error("RotaryEmbedding", attrs, std::move(in)); };
  CHECK(error({}, {x, cache, cache, i64({1, 3}, {0, 1, 5})}).find("out of range [-5, 5)") != std::string::npos);
  CHECK(error({}, {x, cache, cache, i64({1, 3}, {0, -6, 2})}).find("out of range [-5, 5)") != std::string::npos);
  CHECK(!error({}, {x, cache, cache, i64({3, 1}, {0, 1, 2})}).empty());
  CHECK(!error({}, {x, cache, cache}).empty());  // caches of places have three dimensions
  CHECK(!error({}, {x, cache, random_f32({5, 1}, 2), positions}).empty());
  CHECK(!error({}, {x, random_f32({0, 2}, 1), random_f32({0, 2}, 1), positions}).empty());
  CHECK(!error({{"rotary_embedding_dim", int64_t(3)}}, {x, cache, cache, positions}).empty());
  CHECK(!error({{"rotary_embedding_dim", int64_t(6)}}, {x, cache, cache, positions}).empty());
  CHECK(!error({{"rotary_embedding_dim", int64_t(-2)}}, {x, cache, cache, positions}).empty());
  CHECK(error({}, {random_f32({1, 3, 8}, 1), cache, cache, positions}) == "an input of 3 dimensions needs num_heads");
  CHECK(!error({{"num_heads", int64_t(3)}}, {random_f32({1, 3, 8}, 1), cache, cache, positions}).empty());
  CHECK(error({}, {random_f32({3, 8}, 1), cache, cache, positions}).find("3 or 4 dimensions") != std::string::npos);
  CHECK(error({}, {x, cast(cache, DType::f16), cache, positions}) == "input 0 is f32 and input 1 is f16");
  CHECK(!error({}, {cast(x, DType::i32), cast(cache, DType::i32), cast(cache, DType::i32), positions}).empty());
}

}  // namespace tern::test::in_rotary
