// Dims, Dim expressions, broadcasting. Contract: runtime/base/shape.h.
#include <doctest/doctest.h>

#include "runtime/base/shape.h"

namespace tern {

TEST_CASE("shape: a product that overflows is refused, a zero makes it zero") {
  CHECK(!checked_count(std::vector<int64_t>{int64_t(1) << 32, int64_t(1) << 32}));
  CHECK(!checked_count(std::vector<int64_t>{2, -1}));
  CHECK(checked_count(std::vector<int64_t>{0, 5}) == 0);
  CHECK(checked_count(std::vector<int64_t>{}) == 1);
}

TEST_CASE("shape: dims are linear expressions that print and parse") {
  const Dim seq = Dim::symbol("seq"), batch = Dim::symbol("batch");
  const Dim d = *add(*mul(seq, 2), 1);
  CHECK(d.text() == "2*seq+1");
  CHECK(*parse_dim("1 + seq * 2") == d);
  CHECK(sub(d, d)->is(0));
  CHECK(!mul(seq, batch));
  CHECK(*div(*mul(batch, 6), 3) == *mul(batch, 2));
  CHECK(!div(d, 2));
  CHECK(div(Dim(-7), Dim(2))->is(-4));
  CHECK(!parse_dim("floor(seq/2)"));
  CHECK(parse_dim("-batch+3")->text() == "-batch+3");
}

TEST_CASE("shape: broadcasting follows NumPy") {
  CHECK(*broadcast({3, 1}, {1, 4}) == Dims{3, 4});
  CHECK(*broadcast({5}, {}) == Dims{5});
  CHECK(*broadcast({1}, {0}) == Dims{0});
  CHECK(!broadcast({2}, {3}));
  CHECK(*normalize_axis(-1, 3) == 2);
  CHECK(!normalize_axis(3, 3));
}

}  // namespace tern
