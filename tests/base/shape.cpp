// Dims, Dim expressions, broadcasting. Contract: runtime/base/shape.h.
#include "runtime/base/shape.h"

#include <doctest/doctest.h>

#include <new>

#include "runtime/base/checked.h"
#include "runtime/base/tensor.h"

namespace tern {

TEST_CASE("shape: a product that overflows is refused, a zero makes it zero") {
  CHECK(!checked_count(std::vector<int64_t>{int64_t(1) << 32, int64_t(1) << 32}));
  CHECK(!checked_count(std::vector<int64_t>{2, -1}));
  CHECK(checked_count(std::vector<int64_t>{0, 5}) == 0);
  CHECK(checked_count(std::vector<int64_t>{}) == 1);
}

TEST_CASE("shape: nine extents make impossible dims, which nothing has a size for") {
  Dims d{1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(d.rank == kMaxRank);
  CHECK(storage_bytes(DType::u8, d) == 40320);
  for (int n = 9; n < 40; ++n) {
    d.push_back(0);
    CHECK(d.rank <= kMaxRank);
    CHECK(!storage_bytes(DType::u8, d));
    CHECK(!checked_count(d.span()));
  }
  const std::vector<int64_t> nine(9, 1);
  CHECK(Dims(std::span(nine)) == Dims::impossible());
  CHECK(!checked_count(Shape(std::vector<Dim>(20, Dim(1))).concrete().span()));
  CHECK(Shape{2, Dim::symbol("n")}.concrete() == Dims::impossible());
  CHECK(Shape().concrete() == Dims::impossible());
  CHECK(!Tensor::allocate(DType::f32, Dims::impossible()).ok());
}

#ifndef TERN_SANITIZED  // sanitizers end the process where the system says no
TEST_CASE("tensor: memory that runs short throws, so that nobody can take it for an answer about the shape") {
  CHECK_THROWS_AS((void)Tensor::allocate(DType::u8, {kMaxBytes}), std::bad_alloc);
}
#endif

TEST_CASE("shape: a size counts extents beside a zero, so that their products cannot overflow elsewhere") {
  CHECK(storage_bytes(DType::f32, {0, 3}) == 0);
  CHECK(storage_bytes(DType::f64, {int64_t(1) << 45}) == kMaxBytes);
  CHECK(!storage_bytes(DType::f64, {(int64_t(1) << 45) + 1}));
  CHECK(!storage_bytes(DType::u8, {0, INT64_MAX}));
  CHECK(!storage_bytes(DType::u8, {0, int64_t(1) << 30, int64_t(1) << 30}));
  CHECK(ceil_div(INT64_MAX, 16) == INT64_MAX / 16 + 1);
  CHECK(ceil_div(0, 16) == 0);
  CHECK(ceil_div(-5, 4) == -1);
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

TEST_CASE("shape: a dim stays small whatever a text says") {
  std::string sum;
  for (int i = 0; i < 9; ++i) {
    sum += (i ? "+s" : "s") + std::to_string(i);
    CHECK(parse_dim(sum).has_value() == (i < 8));  // eight terms
  }
  CHECK(!add(*parse_dim("a+b+c+d"), *parse_dim("e+f+g+h+i")));
  CHECK(add(*parse_dim("a+b+c+d"), *parse_dim("a-d+e+f+g+h"))->text() == "2*a+b+c+e+f+g+h");
  CHECK(!parse_dim(std::string(20000, ' ') + "n"));
  const std::string name(5000, 'n');
  const Dim a = Dim::symbol(name), b = Dim::symbol(name + "m");
  CHECK(a.terms()[0].first.size() <= Dim::kMaxSymbol);
  CHECK(a == Dim::symbol(name));
  CHECK(!(a == b));
}

}  // namespace tern
