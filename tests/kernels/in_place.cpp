// Transpose where the array lies, against the definition. Contract: kernels/movement/in_place.h.
#include "kernels/movement/in_place.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "tests/support/cheap.h"

namespace tern::test::in_in_place {
namespace {

// Elements of `size` bytes, each of which says its number as far as it can.
std::vector<std::byte> numbered(int64_t count, int64_t size) {
  std::vector<std::byte> all(static_cast<size_t>(count * size));
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t number[2] = {static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15, static_cast<uint64_t>(i)};
    std::memcpy(all.data() + i * size, number, std::min(sizeof number, static_cast<size_t>(size)));
  }
  return all;
}

// y[i_perm[0], i_perm[1], …] = x[i0, i1, …], element by element.
std::vector<std::byte> transposed(const std::vector<std::byte>& x, int64_t size, const Dims& dims, const std::vector<int>& perm) {
  std::vector<int64_t> stride(static_cast<size_t>(dims.rank), size), at(static_cast<size_t>(dims.rank), 0);
  for (int d = dims.rank - 1; d > 0; --d) stride[static_cast<size_t>(d - 1)] = stride[static_cast<size_t>(d)] * dims[d];
  std::vector<std::byte> y(x.size());
  const int last = perm.empty() ? 1 : static_cast<int>(dims[perm.back()]);
  const int64_t step = perm.empty() ? 0 : stride[static_cast<size_t>(perm.back())];
  std::byte* to = y.data();
  for (int64_t rows = dims.count() / std::max(last, 1); rows-- > 0;) {
    const std::byte* from = x.data();
    for (size_t d = 0; d + 1 < perm.size(); ++d) from += at[d] * stride[static_cast<size_t>(perm[d])];
    for (int i = 0; i < last; ++i, to += size, from += step) std::memcpy(to, from, static_cast<size_t>(size));
    for (size_t d = perm.size(); d-- > 1;) {
      if (++at[d - 1] < dims[perm[d - 1]]) break;
      at[d - 1] = 0;
    }
  }
  return y;
}

// Done, and right; or not done, and as it was.
bool done(int64_t size, const Dims& dims, const std::vector<int>& perm) {
  CAPTURE(size);
  CAPTURE(to_string(dims));
  const std::vector<std::byte> x = numbered(dims.count(), size);
  std::vector<std::byte> y = x;
  const bool moved = transpose_in_place(y.data(), size, dims, perm);
  CHECK(y == (moved ? transposed(x, size, dims, perm) : x));
  return moved;
}

}  // namespace

TEST_CASE("transpose in place: every permutation of four axes, in the buffer and beyond it") {
  for (const Dims& dims : {Dims{3, 5, 2, 7}, Dims{1, 5, 1, 7}, Dims{9, 16, 24, 80}, Dims{2, 96, 1, 1024}}) {
    std::vector<int> perm = {0, 1, 2, 3};
    size_t turn = 0;
    do {
      if (turn++ % every(1) == 0) CHECK(done(4, dims, perm));
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

TEST_CASE("transpose in place: elements of every size, rows and columns of which a few fit into the buffer") {
  for (int64_t size : {1, 2, 4, 8, 16}) {
    if (kSanitized && size != 16) continue;
    CHECK(done(size, {4608, 512}, {1, 0}));
    CHECK(done(size, {64, 65536}, {1, 0}));
    CHECK(done(size, {65536, 64}, {1, 0}));
  }
}

TEST_CASE("transpose in place: where only one of two extents can be divided, that one is, and where none can, nothing moves") {
  constexpr int64_t kPrime = 2003;
  CHECK(done(4, {kPrime, 1024}, {1, 0}));
  CHECK(done(4, {1024, kPrime}, {1, 0}));
  CHECK(!done(4, {kPrime, kPrime + 8}, {1, 0}));
  CHECK(done(16, {kPrime / 4, 499, 4}, {1, 0, 2}));
}

TEST_CASE("transpose in place: runs longer than the buffer move in pieces") {
  CHECK(done(8, {2, 3, kInPlaceBuffer / 8 + 1000}, {1, 0, 2}));
  CHECK(done(8, {5, 2, 2, kInPlaceBuffer / 8}, {0, 2, 1, 3}));
}

TEST_CASE("transpose in place: without elements, and without axes") {
  CHECK(done(4, {0, 5}, {1, 0}));
  CHECK(done(4, {}, {}));
  CHECK(done(4, {7}, {0}));
}

TEST_CASE("reorder in place: blocks of every array as the order says, arrays larger than the buffer as they lie") {
  for (const auto& [outer, block] : {std::pair<int64_t, int64_t>{1, 4}, {5, 1}, {7, 12}, {3, 4096}, {0, 8}}) {
    const std::vector<int64_t> order = {0, 3, 1, 2};
    const std::vector<std::byte> x = numbered(outer * 4, block);
    std::vector<std::byte> y = x, want;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t from : order) want.insert(want.end(), x.begin() + (o * 4 + from) * block, x.begin() + (o * 4 + from + 1) * block);
    }
    CHECK(reorder_in_place(y.data(), outer, block, order));
    CHECK(y == want);
  }
  const std::vector<std::byte> x(static_cast<size_t>(kInPlaceBuffer) + 2, std::byte{7});
  std::vector<std::byte> y = x;
  y[0] = std::byte{1};
  CHECK(!reorder_in_place(y.data(), 1, kInPlaceBuffer / 2 + 1, std::vector<int64_t>{1, 0}));
  CHECK(y[0] == std::byte{1});
}

}  // namespace tern::test::in_in_place
