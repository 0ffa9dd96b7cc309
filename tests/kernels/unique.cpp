// Unique: known answers of NumPy. Contract: kernels/movement/movement.h. The official cases are in tests/data/node.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "tests/support/op_test.h"

namespace tern::test::in_unique {
namespace {

std::vector<Tensor> unique(const Tensor& x, bool sorted = true) { return run_op("Unique", {{"sorted", int64_t(sorted)}}, {x}, 4); }

}  // namespace

TEST_CASE("unique: elements ascending or as they come, where each came first, which is which, how many") {
  const Tensor x = f32({2, 3}, {2, 1, 1, 3, 4, 3});
  auto y = unique(x);
  check_same(y[0], f32({4}, {1, 2, 3, 4}));
  check_same(y[1], i64({4}, {1, 0, 3, 4}));
  check_same(y[2], i64({6}, {1, 0, 0, 2, 3, 2}));
  check_same(y[3], i64({4}, {2, 1, 2, 1}));
  y = unique(x, false);
  check_same(y[0], f32({4}, {2, 1, 3, 4}));
  check_same(y[1], i64({4}, {0, 1, 3, 4}));
  check_same(y[2], i64({6}, {0, 1, 1, 2, 3, 2}));
  check_same(y[3], i64({4}, {1, 2, 2, 1}));
}

TEST_CASE("unique: slices along an axis, in lexicographic order") {
  const Tensor x = i64({2, 4}, {3, 1, 3, 1, 0, 5, 0, 2});
  auto y = run_op("Unique", {{"axis", int64_t(-1)}}, {x}, 4);
  check_same(y[0], i64({2, 3}, {1, 1, 3, 2, 5, 0}));
  check_same(y[1], i64({3}, {3, 1, 0}));
  check_same(y[2], i64({4}, {2, 1, 2, 0}));
  check_same(y[3], i64({3}, {1, 1, 2}));
  y = run_op("Unique", {{"axis", int64_t(0)}}, {i64({3, 2}, {1, 0, 1, 0, 2, 3})}, 1);
  check_same(y[0], i64({2, 2}, {1, 0, 2, 3}));
}

TEST_CASE("unique: NaN is one element and the last, zeros of both signs are one") {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  auto y = unique(f32({6}, {kNaN, 0.0f, -1, -0.0f, kNaN, 2}));
  check_same(y[0], f32({4}, {-1, 0, 2, kNaN}));
  check_same(y[3], i64({4}, {1, 2, 1, 2}));
}

TEST_CASE("unique: other dtypes, scalars and empty tensors") {
  for (DType t : {DType::f64, DType::f16, DType::bf16, DType::i8, DType::u8, DType::i32, DType::u64}) {
    check_same(unique(cast(f32({3}, {2, 1, 2}), t))[0], cast(f32({2}, {1, 2}), t));
  }
  check_same(unique(boolean({4}, {true, false, true, true}))[3], i64({2}, {1, 3}));
  check_same(unique(f32({}, {5}))[0], f32({1}, {5}));
  check_same(unique(f32({0}, {}))[0], f32({0}, {}));
  check_same(run_op("Unique", {{"axis", int64_t(0)}}, {f32({3, 0}, {})}, 1)[0], f32({1, 0}, {}));
  CHECK(!op_error("Unique", {{"axis", int64_t(2)}}, {f32({1}, {1})}).empty());
}

TEST_CASE("unique: of many elements, those of every width, and of slices whose first elements are equal") {
  const Tensor f = random_f32({3000}, 3, -40, 40);
  for (DType t : {DType::i64, DType::i8, DType::u16, DType::f32, DType::f64}) {
    Tensor x = cast(f, DType::i64);
    std::map<int64_t, int64_t> counts;
    for (int64_t v : x.span<int64_t>()) ++counts[v];
    if (t == DType::u16) {  // no signs
      for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<int64_t>()[i] += 100;
    }
    x = run_op("Cast", {{"to", int64_t(t == DType::i64 ? 7 : t == DType::i8 ? 3 : t == DType::u16 ? 4 : t == DType::f32 ? 1 : 11)}}, {x})[0];
    const auto y = unique(x);
    const Tensor values = run_op("Cast", {{"to", int64_t(7)}}, {y[0]})[0];
    REQUIRE(values.count() == static_cast<int64_t>(counts.size()));
    int64_t at = 0;
    for (auto [value, count] : counts) {
      CHECK(values.data<int64_t>()[at] == value + (t == DType::u16 ? 100 : 0));
      CHECK(y[3].data<int64_t>()[at++] == count);
    }
    for (int64_t i = 0; i < x.count(); i += 97) {
      CHECK(std::abs(f.data<float>()[i] - static_cast<float>(values.data<int64_t>()[y[2].data<int64_t>()[i]]) + (t == DType::u16 ? 100.0f : 0.0f)) <
            1);
    }
  }
  const std::string words[] = {"abcdefghi", "abcdefgh", std::string("abcdefgh\0", 9), "abcdefghi", "b", "", std::string("\0", 1)};
  auto y = unique(*Tensor::strings({7}, words));
  check_same(y[1], i64({6}, {5, 6, 1, 2, 0, 4}));
  check_same(y[2], i64({7}, {4, 2, 3, 4, 5, 0, 1}));
  const std::string others[] = {"a", "Z", "\xff", "{", "a\xff", "1"};  // bytes have no sign
  check_same(unique(*Tensor::strings({6}, others))[1], i64({6}, {5, 1, 0, 4, 3, 2}));
  std::vector<std::string> many;  // of all lengths to 11, some with zeros at their end
  for (size_t i = 0; i < 600; ++i) many.push_back(std::string(i % 12, static_cast<char>('b' + i % 3)) + std::string(i % 5 == 0 ? i % 2 : 0, '\0'));
  std::map<std::string, int64_t> places;
  for (size_t i = 0; i < many.size(); ++i) places.emplace(many[i], static_cast<int64_t>(i));
  std::vector<int64_t> firsts;
  for (const auto& [word, place] : places) firsts.push_back(place);
  check_same(unique(*Tensor::strings({600}, many))[1], i64({static_cast<int64_t>(firsts.size())}, firsts));
  y = run_op("Unique", {{"axis", int64_t(1)}}, {i64({2, 4}, {7, 7, 7, 7, 2, 1, 2, 0})}, 4);
  check_same(y[0], i64({2, 3}, {7, 7, 7, 0, 1, 2}));
  check_same(y[1], i64({3}, {3, 1, 0}));
}

}  // namespace tern::test::in_unique
