// Einsum against a plain reference in double. Contract: kernels/einsum/einsum.h. The official cases are in tests/data/node.
#include <doctest/doctest.h>

#include <map>

#include "runtime/base/half.h"
#include "tests/support/op_test.h"

namespace tern::test::in_einsum {
namespace {

Tensor einsum(const char* equation, std::vector<Tensor> inputs) {
  return run_op("Einsum", {{"equation", std::string(equation)}}, std::move(inputs))[0];
}

// sum over every assignment of the letters; `in` and `out` spell the axes out, without dots. An axis of one is read at 0.
Tensor reference(const std::vector<std::string>& in, const std::string& out, const std::vector<Tensor>& x) {
  std::map<char, int64_t> size;
  for (size_t k = 0; k < in.size(); ++k) {
    for (size_t i = 0; i < in[k].size(); ++i) size[in[k][i]] = std::max(size[in[k][i]], x[k].dims()[static_cast<int>(i)]);
  }
  int64_t all = 1;
  for (const auto& [letter, n] : size) all *= n;
  std::vector<int64_t> sides;
  for (char letter : out) sides.push_back(size[letter]);
  Tensor y = *Tensor::allocate(DType::f32, Dims(std::span<const int64_t>(sides)));
  std::vector<double> sums(static_cast<size_t>(y.count()));
  for (int64_t n = 0; n < all; ++n) {
    std::map<char, int64_t> at;
    int64_t rest = n;
    for (const auto& [letter, side] : size) {
      at[letter] = rest % side;
      rest /= side;
    }
    double product = 1;
    for (size_t k = 0; k < in.size(); ++k) {
      int64_t offset = 0;
      for (size_t i = 0; i < in[k].size(); ++i) {
        const int64_t side = x[k].dims()[static_cast<int>(i)];
        offset = offset * side + (side == 1 ? 0 : at[in[k][i]]);
      }
      product *= static_cast<double>(x[k].data<float>()[offset]);
    }
    int64_t to = 0;
    for (char letter : out) to = to * size[letter] + at[letter];
    sums[static_cast<size_t>(to)] += product;
  }
  for (int64_t i = 0; i < y.count(); ++i) y.mutable_data<float>()[i] = static_cast<float>(sums[static_cast<size_t>(i)]);
  return y;
}

}  // namespace

TEST_CASE("einsum: products, outer products, transposes and sums follow the equation") {
  const Tensor a = random_f32({2, 3, 5}, 1), b = random_f32({2, 5, 4}, 2), c = random_f32({4, 3}, 3), v = random_f32({5}, 4);
  check_close(einsum("bij,bjk->bik", {a, b}), reference({"bij", "bjk"}, "bik", {a, b}), 1, 1e-7f);
  check_close(einsum("bij,bjk->kib", {a, b}), reference({"bij", "bjk"}, "kib", {a, b}), 1, 1e-7f);
  check_close(einsum("bij,bjk,ki->b", {a, b, c}), reference({"bij", "bjk", "ki"}, "b", {a, b, c}), 1, 1e-6f);
  check_close(einsum("bij,kl->bijkl", {a, c}), reference({"bij", "kl"}, "bijkl", {a, c}), 1);
  check_close(einsum("bij->jb", {a}), reference({"bij"}, "jb", {a}), 1, 1e-7f);
  check_close(einsum("bij,j->", {a, v}), reference({"bij", "j"}, "", {a, v}), 1, 1e-6f);
  check_same(einsum("ij->ji", {f32({2, 3}, {1, 2, 3, 4, 5, 6})}), f32({3, 2}, {1, 4, 2, 5, 3, 6}));
}

TEST_CASE("einsum: without an arrow the letters that appear once come out, sorted") {
  const Tensor a = random_f32({2, 3}, 1), b = random_f32({3, 4}, 2);
  check_close(einsum("zj,ja", {a, b}), reference({"zj", "ja"}, "az", {a, b}), 1, 1e-7f);
  check_same(einsum("ba", {a}), einsum("ba->ab", {a}));
  check_same(einsum("ii", {f32({2, 2}, {1, 2, 3, 4})}), f32({}, {5}));
  check_same(einsum(" i j , j k -> i k ", {a, b}), einsum("ij,jk->ik", {a, b}));
}

TEST_CASE("einsum: a letter twice in one operand is its diagonal") {
  const Tensor a = random_f32({2, 3, 3}, 1);
  check_close(einsum("bii->bi", {a}), reference({"bii"}, "bi", {a}), 1);
  check_close(einsum("bii->b", {a}), reference({"bii"}, "b", {a}), 1, 1e-7f);
  check_same(einsum("iii->i", {f32({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})}), f32({2}, {1, 8}));
}

TEST_CASE("einsum: the dots stand for axes that broadcast from the last") {
  const Tensor a = random_f32({2, 3, 4, 5}, 1), b = random_f32({3, 5, 2}, 2), c = random_f32({2, 1, 5, 2}, 3), m = random_f32({4, 5}, 4);
  check_close(einsum("...ij,...jk->...ik", {a, b}), reference({"xyij", "yjk"}, "xyik", {a, b}), 1, 1e-7f);
  check_close(einsum("...ij,...jk", {a, c}), reference({"xyij", "xyjk"}, "xyik", {a, c}), 1, 1e-7f);
  check_close(einsum("...ij,ij->...", {a, m}), reference({"xyij", "ij"}, "xy", {a, m}), 1, 1e-6f);
  check_close(einsum("i...->...i", {a}), reference({"ixyz"}, "xyzi", {a}), 0);
  check_close(einsum("...ij->ij", {m}), reference({"ij"}, "ij", {m}), 0);  // the dots may stand for nothing,
  check_same(einsum("ij->...", {m}), einsum("ij->", {m}));                 // as in NumPy
}

TEST_CASE("einsum: a chain of f32 is rounded once") {
  // in f32 each 1 would be lost beside 2^24
  check_same(einsum("i->", {f32({5}, {16777216, 1, 1, 1, 1})}), f32({}, {16777220}));
  check_same(einsum("i,i->", {f32({2}, {1e30f, 1e30f}), f32({2}, {1e30f, -1e30f})}), f32({}, {0}));
}

TEST_CASE("einsum: other floats are the double result rounded once, integers wrap") {
  const Tensor a = f32({2, 3}, {1, 2, 3, 4, 5, 6}), b = f32({3, 2}, {1, -1, 2, 0, -3, 7}), y = f32({2, 2}, {-4, 20, -4, 38});
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64}) check_same(einsum("ij,jk->ik", {cast(a, t), cast(b, t)}), cast(y, t));
  const Tensor u = f32({2, 2}, {11, 3, 4, 0});
  for (DType t : {DType::u32, DType::u64})
    check_same(einsum("ij,jk->ik", {cast(f32({2, 2}, {1, 2, 0, 1}), t), cast(f32({2, 2}, {3, 3, 4, 0}), t)}), cast(u, t));
  check_same(einsum("i,i->i", {i64({1}, {int64_t(1) << 62}), i64({1}, {6})}), i64({1}, {int64_t(-1) << 63}));
  // 2048 + 1 + 1 is 2050 in f16, but 2048 when every sum is rounded to it
  check_same(einsum("i->", {cast(f32({3}, {2048, 1, 1}), DType::f16)}), cast(f32({}, {2050}), DType::f16));
}

TEST_CASE("einsum: sums over nothing are 0, results without elements are empty") {
  check_same(einsum("ij,jk->ik", {f32({2, 0}, {}), f32({0, 3}, {})}), f32({2, 3}, {0, 0, 0, 0, 0, 0}));
  check_same(einsum("ij,jk->ik", {f32({0, 2}, {}), f32({2, 3}, {1, 2, 3, 4, 5, 6})}), f32({0, 3}, {}));
  check_same(einsum(",->", {f32({}, {2}), f32({}, {3})}), f32({}, {6}));
}

TEST_CASE("einsum: equations and operands that do not fit are refused") {
  auto error = [](const char* equation, std::vector<Tensor> x) { return op_error("Einsum", {{"equation", std::string(equation)}}, std::move(x)); };
  const Tensor m = random_f32({2, 3}, 1);
  for (const char* equation : {"", "i", "ijk", "ij,jk", "i1->i", "ij->ii", "ij->k", "ij->ij->i", "..ij->ij", "...i...->i", "i-j"}) {
    INFO(std::string(equation));
    CHECK(error(equation, {m}) == "equation '" + std::string(equation) + "' does not fit the number of operands or of their dimensions");
  }
  CHECK(error("ij,jk->ik", {m, random_f32({4, 2}, 1)}).find("axes of the letter j are 3 and 4") != std::string::npos);
  CHECK(error("ii->i", {m}) == "operand 0 has the letter i twice, for axes of 2 and 3");
  CHECK(error("i,ii", {f32({1}, {1}), random_f32({1, 3}, 1)}) ==
        "operand 1 has the letter i twice, for axes of 1 and 3");  // what is one does not broadcast within an operand
  CHECK(error("ij,ij->ij", {m, cast(m, DType::f64)}) == "input 0 is f32 and input 1 is f64");
  CHECK(!error("i->i", {boolean({2}, {true, false})}).empty());
}

}  // namespace tern::test::in_einsum
