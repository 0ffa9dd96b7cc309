// Views of storages: which are accepted, made dense, summed. Against plain loops over indices. Code: loaders/weights/tensors.cpp.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <random>

#include "loaders/weights/tensors.h"

namespace tern::test::in_torch_tensors {
namespace {

constexpr int64_t kBudget = 1 << 20;

struct Type {
  const char* name;
  DType dtype;
  int64_t size;
};
constexpr Type kTypes[] = {{"f64", DType::f64, 8},     {"f32", DType::f32, 4}, {"f16", DType::f16, 2}, {"bf16", DType::bf16, 2},
                           {"i64", DType::i64, 8},     {"i32", DType::i32, 4}, {"i16", DType::i16, 2}, {"i8", DType::i8, 1},
                           {"u8", DType::u8, 1},       {"u16", DType::u16, 2}, {"u32", DType::u32, 4}, {"u64", DType::u64, 8},
                           {"bool", DType::boolean, 1}};
constexpr Type kF32 = kTypes[1], kBool = kTypes[12];

// A storage on a multiple of 64 bytes with `after` readable bytes behind it.
std::shared_ptr<Storage> storage(const std::string& bytes, int64_t after = 64, bool owned = true) {
  auto memory = std::shared_ptr<std::byte>(
      static_cast<std::byte*>(std::aligned_alloc(64, (bytes.size() + static_cast<size_t>(after) + 128) / 64 * 64)), std::free);
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  auto s = std::make_shared<Storage>();
  static std::vector<std::shared_ptr<std::byte>> kept;  // what has no owner must live on
  if (!owned) kept.push_back(memory);
  s->bytes = {memory.get(), bytes.size()};
  if (owned) s->owner = memory;
  s->key = "7";
  s->readable_after = after;
  return s;
}

StoredTensor view(std::shared_ptr<const Storage> s, const Type& type, std::vector<int64_t> sizes, std::vector<int64_t> strides, int64_t offset = 0) {
  StoredTensor t;
  t.dtype = type.dtype;
  t.dtype_name = type.name;
  t.element_size = type.size;
  t.sizes = std::move(sizes);
  t.strides = std::move(strides);
  t.offset = offset;
  t.storage = std::move(s);
  return t;
}

// The dense bytes, one element after the other.
std::string gathered(const StoredTensor& t) {
  std::string out;
  int64_t count = 1;
  for (int64_t n : t.sizes) count *= n;
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, at = t.offset;
    for (size_t axis = t.sizes.size(); axis-- > 0;) {
      at += rest % t.sizes[axis] * t.strides[axis];
      rest /= t.sizes[axis];
    }
    out.append(reinterpret_cast<const char*>(t.storage->bytes.data()) + at * t.element_size, static_cast<size_t>(t.element_size));
  }
  return out;
}

std::string bytes_of(const Tensor& t) { return {reinterpret_cast<const char*>(t.raw()), t.bytes()}; }

uint32_t crc(const std::string& s) { return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(s.data()), s.size())); }

template <class T>
std::string raw(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

// 0, 1, 2 … as bytes of no special meaning; every byte differs from its neighbours.
std::string ramp(size_t n) {
  std::string s(n, '\0');
  for (size_t i = 0; i < n; ++i) s[i] = static_cast<char>(i * 37 + 65);
  return s;
}

std::string refusal(const StoredTensor& t) {
  const Status s = check_view(t);
  if (s.ok()) return "";
  CHECK(s.error().code() == Code::kInvalid);
  CHECK_FALSE(dense(t, kBudget).ok());
  CHECK_FALSE(checksum(t, kBudget).ok());
  return s.error().message();
}

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("tensors: views of every kind and dtype become dense, and sum the same") {
  struct Case {
    std::vector<int64_t> sizes, strides;
    int64_t offset;
  };
  const Case cases[] = {{{}, {}, 0},
                        {{}, {}, 5},
                        {{24}, {1}, 0},
                        {{2, 3, 4}, {12, 4, 1}, 0},
                        {{4, 3}, {1, 4}, 0},
                        {{3, 4}, {1, 3}, 2},
                        {{5}, {2}, 1},
                        {{3, 3}, {0, 0}, 4},
                        {{2, 3, 2}, {0, 1, 3}, 1},
                        {{1, 4}, {99, 1}, 3},
                        {{4, 1}, {1, 99}, 3},
                        {{2, 1, 2}, {2, 77, 1}, 0},
                        {{0, 3}, {3, 1}, 0},
                        {{3, 0}, {99, 99}, 9999},
                        {{2, 2, 2, 2}, {1, 2, 4, 8}, 3},
                        {{1}, {12345}, 7},
                        {{3, 4}, {8, 1}, 0},
                        {{1, 1, 1}, {5, 6, 7}, 23},
                        {{2, 2, 3}, {12, 3, 1}, 0},
                        {{4, 4}, {1, 1}, 0}};
  for (const Type& type : kTypes) {
    const auto s = storage(ramp(static_cast<size_t>(24 * type.size)));
    for (const Case& c : cases) {
      const StoredTensor t = view(s, type, c.sizes, c.strides, c.offset);
      CAPTURE(type.name);
      CAPTURE(&c - cases);
      REQUIRE(check_view(t).ok());
      std::string expected = c.sizes.size() == 2 && c.sizes[0] * c.sizes[1] == 0 ? "" : gathered(t);
      if (type.dtype == DType::boolean)
        for (char& b : expected) b = b != 0;
      auto made = dense(t, kBudget);
      REQUIRE(made.ok());
      CHECK(made->dtype() == type.dtype);
      CHECK(std::vector<int64_t>(made->dims().span().begin(), made->dims().span().end()) == c.sizes);
      CHECK(bytes_of(*made) == expected);
      CHECK(*checksum(t, kBudget) == crc(expected));
    }
  }
}

TEST_CASE("tensors: random permuted and sliced views") {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    const Type& type = kTypes[2 + random() % 10];  // not those whose subnormals change
    std::vector<int64_t> sizes, strides;
    int64_t n = 1;
    for (size_t rank = random() % 6; rank > 0; --rank) {
      const int64_t size = 1 + random() % 5, padding = random() % 2;
      const size_t place = random() % (sizes.size() + 1);
      sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(place), size);
      strides.insert(strides.begin() + static_cast<std::ptrdiff_t>(place), n);
      n *= size + padding;
    }
    const int64_t offset = random() % 3;
    const StoredTensor t = view(storage(ramp(static_cast<size_t>((n + offset) * type.size))), type, sizes, strides, offset);
    REQUIRE(check_view(t).ok());
    auto made = dense(t, kBudget);
    REQUIRE(made.ok());
    CHECK(bytes_of(*made) == gathered(t));
    CHECK(*checksum(t, kBudget) == crc(gathered(t)));
  }
}

TEST_CASE("tensors: the last element must lie in the storage, to the byte") {
  for (const Type& type : kTypes) {
    const auto s = storage(ramp(static_cast<size_t>(12 * type.size)));
    const auto fits = [&](std::vector<int64_t> sizes, std::vector<int64_t> strides, int64_t offset) {
      return refusal(view(s, type, sizes, strides, offset)) == "";
    };
    CHECK(fits({12}, {1}, 0));
    CHECK_FALSE(fits({12}, {1}, 1));
    CHECK_FALSE(fits({13}, {1}, 0));
    CHECK(fits({}, {}, 11));
    CHECK_FALSE(fits({}, {}, 12));
    CHECK(fits({2, 2}, {10, 1}, 0));
    CHECK_FALSE(fits({2, 2}, {11, 1}, 0));
    CHECK(fits({1000, 12}, {0, 1}, 0));
    if (type.size > 1) CHECK_FALSE(refusal(view(storage(ramp(static_cast<size_t>(12 * type.size - 1))), type, {12}, {1})) == "");
  }
  CHECK(contains(refusal(view(storage("12345678"), kF32, {3}, {1})), "reaches beyond its storage 7 of 8 bytes"));
}

TEST_CASE("tensors: sizes, strides and offsets that make no sense are refused") {
  const auto s = storage(ramp(64));
  constexpr int64_t kMost = INT64_MAX;
  CHECK(contains(refusal(view(s, kF32, {2, 2}, {2})), "2 sizes and 1 strides"));
  CHECK(contains(refusal(view(s, kF32, std::vector<int64_t>(65, 1), std::vector<int64_t>(65, 1))), "65 dimensions"));
  CHECK(refusal(view(s, kF32, {-1}, {1})) == "a tensor has the negative size -1");
  CHECK(refusal(view(s, kF32, {2, -1}, {1, 1})) != "");
  CHECK(refusal(view(s, kF32, {0, -1}, {1, 1})) != "");
  CHECK(refusal(view(s, kF32, {2}, {-1}, 4)) == "a tensor has the negative stride -1");
  CHECK(refusal(view(s, kF32, {1}, {-1}, 4)) != "");
  CHECK(contains(refusal(view(s, kF32, {2}, {1}, -1)), "negative offset -1"));
  CHECK(contains(refusal(view(s, kF32, {int64_t(1) << 32, int64_t(1) << 32}, {0, 0})), "too large"));
  CHECK(contains(refusal(view(s, kF32, {2}, {kMost})), "beyond"));
  CHECK(contains(refusal(view(s, kF32, {3, 3}, {kMost / 2, kMost / 2})), "beyond"));
  CHECK(contains(refusal(view(s, kF32, {2}, {1}, kMost)), "beyond"));
  CHECK(contains(refusal(view(s, kF32, {2}, {kMost / 4})), "beyond"));  // fits in elements, not in bytes
  CHECK(refusal(view(s, kF32, {0, 5}, {-3, kMost}, -9)) == "");         // no elements: nothing is looked at
  CHECK(refusal(view(s, kF32, {0}, {1}, kMost)) == "");
}

TEST_CASE("tensors: a view that repeats its elements is bounded by the budget") {
  const auto s = storage(ramp(64));
  CHECK(dense(view(s, kF32, {32}, {0}), 64).ok());  // 128 bytes: 64 of them beyond the storage
  CHECK_FALSE(dense(view(s, kF32, {33}, {0}), 64).ok());
  CHECK(checksum(view(s, kF32, {32}, {0}), 64).ok());
  const StoredTensor huge = view(s, kF32, {int64_t(1) << 40, 1 << 20}, {0, 0});
  CHECK(dense(huge, kBudget).error().code() == Code::kInvalid);
  CHECK(contains(dense(huge, kBudget).error().message(), "repeats the 64 bytes"));
  CHECK_FALSE(checksum(huge, kBudget).ok());
  CHECK_FALSE(checksum(view(s, kF32, {int64_t(1) << 61}, {0}), kBudget).ok());  // more bytes than 64 bits count
}

TEST_CASE("tensors: what is dense, aligned, owned and free of subnormals stays where it is") {
  const auto is_alias = [](const StoredTensor& t) {
    auto made = dense(t, kBudget);
    REQUIRE(made.ok());
    return made->raw() == t.storage->bytes.data() + t.offset * t.element_size;
  };
  std::string floats;
  for (int i = 0; i < 64; ++i) floats += raw<float>({static_cast<float>(i)});
  CHECK(is_alias(view(storage(floats), kF32, {8, 8}, {8, 1})));
  CHECK(is_alias(view(storage(floats), kF32, {1, 8}, {77, 1})));             // the stride of one element means nothing
  CHECK(is_alias(view(storage(floats), kF32, {2, 16}, {16, 1}, 16)));        // 64 bytes further
  CHECK(is_alias(view(storage(floats, 0), kF32, {3, 16}, {16, 1})));         // the storage itself goes on for 64 bytes
  CHECK_FALSE(is_alias(view(storage(floats, 63), kF32, {64}, {1})));         // kernels may read a vector beyond the end
  CHECK(is_alias(view(storage(floats), kF32, {8}, {1}, 1)));                 // aligned to its elements
  CHECK_FALSE(is_alias(view(storage(floats), kF32, {8, 8}, {1, 8})));        // transposed
  CHECK_FALSE(is_alias(view(storage(floats), kF32, {8, 4}, {8, 1})));        // sliced
  CHECK_FALSE(is_alias(view(storage(floats, 64, false), kF32, {64}, {1})));  // may go away
  CHECK_FALSE(is_alias(view(storage(ramp(64)), kBool, {64}, {1})));          // booleans are made 0 and 1
  StoredTensor between = view(storage(floats), kF32, {32}, {1});
  const std::span<const std::byte> bytes = between.storage->bytes;
  between.storage = std::make_shared<Storage>(Storage{bytes.subspan(2, 128), between.storage->owner, "", 64});
  CHECK_FALSE(is_alias(between));  // not aligned
  StoredTensor negative = view(storage(floats), kF32, {64}, {1});
  negative.negative = true;
  CHECK_FALSE(is_alias(negative));
  std::string tiny = floats;
  tiny.replace(4 * 63, 4, raw<float>({1e-40f}));
  CHECK_FALSE(is_alias(view(storage(tiny), kF32, {64}, {1})));
  CHECK(is_alias(view(storage(tiny), kF32, {48}, {1})));       // beyond the view
  CHECK(is_alias(view(storage(tiny), kTypes[5], {64}, {1})));  // as integers
  // The owner lives as long as the tensor does.
  Result<Tensor> made = dense(view(storage(floats), kF32, {64}, {1}), kBudget);
  REQUIRE(made.ok());
  CHECK(bytes_of(*made) == floats);
}

TEST_CASE("tensors: subnormals become zeros of their sign, in both widths of float") {
  auto f = dense(view(storage(raw<float>({1e-40f, -1e-40f, 1.5e-38f, 0.f, -INFINITY, 1.17549435e-38f})), kF32, {6}, {1}), kBudget);
  REQUIRE(f.ok());
  CHECK(bytes_of(*f) == raw<float>({0.f, -0.f, 1.5e-38f, 0.f, -INFINITY, 1.17549435e-38f}));
  auto d = dense(view(storage(raw<double>({-1e-310, 1e-310, 1e-300, 3})), kTypes[0], {4}, {1}), kBudget);
  REQUIRE(d.ok());
  CHECK(bytes_of(*d) == raw<double>({-0., 0., 1e-300, 3}));
  const StoredTensor t = view(storage(raw<float>({1e-40f})), kF32, {1}, {1});
  CHECK(*checksum(t, kBudget) == crc(raw<float>({1e-40f})));  // a listing says what is in the file
}

TEST_CASE("tensors: torch's lazy bits of negation and conjugation") {
  StoredTensor t = view(storage(raw<float>({1, -2, 0, 4})), kF32, {2}, {2});
  t.negative = true;
  CHECK(bytes_of(*dense(t, kBudget)) == raw<float>({-1, -0.f}));
  CHECK(*checksum(t, kBudget) == crc(raw<float>({-1, -0.f})));
  t = view(storage(raw<int16_t>({1, -2, INT16_MIN})), kTypes[6], {3}, {1});
  t.negative = true;
  CHECK(bytes_of(*dense(t, kBudget)) == raw<int16_t>({-1, 2, INT16_MIN}));
  t = view(storage(raw<int32_t>({1, INT32_MIN})), kTypes[5], {2}, {1});
  t.negative = true;
  CHECK(bytes_of(*dense(t, kBudget)) == raw<int32_t>({-1, INT32_MIN}));
  t = view(storage(raw<int64_t>({-5, INT64_MIN})), kTypes[4], {2}, {1});
  t.negative = true;
  CHECK(bytes_of(*dense(t, kBudget)) == raw<int64_t>({5, INT64_MIN}));
  for (const Type& type : {kTypes[2], kTypes[3]}) {
    t = view(storage(raw<uint16_t>({0x3c01, 0x8002})), type, {2}, {1});
    t.negative = true;
    CHECK(bytes_of(*dense(t, kBudget)) == raw<uint16_t>({0xbc01, 0x0002}));
  }
  for (const bool negative : {false, true}) {
    for (const bool conjugate : {false, true}) {
      StoredTensor c = view(storage(raw<float>({1, 2, 3, -4})), {"complex64", DType::none, 8}, {2}, {1});
      c.negative = negative;
      c.conjugate = conjugate;
      const float re = negative ? -1 : 1, im = negative != conjugate ? -1 : 1;
      CHECK(*checksum(c, kBudget) == crc(raw<float>({re * 1, im * 2, re * 3, im * -4})));
      CHECK(dense(c, kBudget).error().code() == Code::kUnsupported);
    }
  }
  std::string many;  // more than one piece at a time
  std::string turned;
  for (int i = 0; i < 5000; ++i) many += raw<double>({static_cast<double>(i), 1.}), turned += raw<double>({static_cast<double>(i), -1.});
  StoredTensor c = view(storage(many), {"complex128", DType::none, 16}, {5000}, {1});
  c.conjugate = true;
  CHECK(*checksum(c, kBudget) == crc(turned));
}

TEST_CASE("tensors: what cannot be used says why") {
  StoredTensor t = view(nullptr, kF32, {2, 2}, {2, 1});
  CHECK(dense(t, kBudget).error().code() == Code::kUnsupported);
  CHECK(contains(dense(t, kBudget).error().message(), "no data"));
  CHECK(checksum(t, kBudget).error().code() == Code::kUnsupported);
  t.refusal = "a sparse tensor";
  CHECK(contains(dense(t, kBudget).error().message(), "is a sparse tensor, which is not supported"));
  t = view(storage(ramp(8)), {"qint8", DType::none, 1}, {8}, {1});
  CHECK(contains(dense(t, kBudget).error().message(), "dtype qint8"));
  CHECK(*checksum(t, kBudget) == crc(ramp(8)));
  t = view(storage(ramp(64)), kF32, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1));
  CHECK(contains(dense(t, kBudget).error().message(), "9 dimensions"));
  CHECK(checksum(t, kBudget).ok());
  t = view(nullptr, kF32, {0}, {1});
  CHECK(dense(t, kBudget)->dims().count() == 0);  // nothing needs no data
}

TEST_CASE("tensors: two names of one view are the same, two views of one storage are not") {
  const auto s = storage(ramp(64));
  const StoredTensor t = view(s, kF32, {2, 2}, {2, 1}, 1);
  CHECK(same_view(t, view(s, kF32, {2, 2}, {2, 1}, 1)));
  CHECK_FALSE(same_view(t, view(s, kF32, {2, 2}, {2, 1}, 2)));
  CHECK_FALSE(same_view(t, view(s, kF32, {2, 2}, {1, 2}, 1)));
  CHECK_FALSE(same_view(t, view(s, kF32, {4}, {1}, 1)));
  CHECK_FALSE(same_view(t, view(s, kTypes[5], {2, 2}, {2, 1}, 1)));
  CHECK_FALSE(same_view(t, view(storage(ramp(64)), kF32, {2, 2}, {2, 1}, 1)));
  StoredTensor negative = t;
  negative.negative = true;
  CHECK_FALSE(same_view(t, negative));
  StoredTensor nothing = t;
  nothing.storage = nullptr;
  CHECK_FALSE(same_view(nothing, nothing));
}

TEST_CASE("tensors: a state_dict finds names, also after it has grown") {
  StateDict d;
  CHECK(d.find("a") == nullptr);
  for (int i = 0; i < 100; ++i) {
    d.entries.push_back({"layer" + std::to_string(i), view(storage("1234"), kF32, {1}, {1}, 0)});
    CHECK(d.find("layer" + std::to_string(i)) == &d.entries.back().tensor);
    CHECK(d.find("layer0") == &d.entries[0].tensor);
    CHECK(d.find("layer") == nullptr);
  }
}

}  // namespace tern::test::in_torch_tensors
