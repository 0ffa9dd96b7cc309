// See lookup.h.
#include "kernels/strings/lookup.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "kernels/op.h"
#include "kernels/strings/short_text.h"
#include "kernels/strings/strings.h"

namespace tern {
namespace {

bool less(const StringRef& a, const StringRef& b) { return a.view() < b.view(); }
bool less(int32_t a, int32_t b) { return a < b; }
bool less(int64_t a, int64_t b) { return a < b; }

void copy_value(void* to, const std::byte* from, int32_t size) {
  switch (size) {
    case 1: std::memcpy(to, from, 1); break;
    case 2: std::memcpy(to, from, 2); break;
    case 4: std::memcpy(to, from, 4); break;
    case 8: std::memcpy(to, from, 8); break;
    default: std::memcpy(to, from, sizeof(StringRef));
  }
}

// Behind the index lie the keys in its order.
template <class T>
const T* sorted_keys(const uint32_t* index, int64_t n) {
  return reinterpret_cast<const T*>(index + n + n % 2);
}
template <class T>
int64_t sorted_words(int64_t n) {
  return n + n % 2 + n * static_cast<int64_t>(sizeof(T) / sizeof(uint32_t));
}
// The place of the first key that equals x; of any key when none does. n > 0.
template <class T>
int64_t search(const LookupArgs& a, const T& x) {
  const T* sorted = sorted_keys<T>(a.index, a.n);
  int64_t low = 0;  // so many keys are known to be less than x
  for (int64_t rest = a.n; rest > 1;) {
    const int64_t half = rest / 2;
    low += half * static_cast<int64_t>(less(sorted[low + half - 1], x));
    rest -= half;
  }
  return a.index[low];
}

// The table of hashes: at [0] how many slots, none where keys collide too often for it; then slots, each the upper half of a hash and a key's place
// plus 1, or 0. A string is in its hash's slot or in one of those that follow.
constexpr int64_t kMostSteps = 32;
int64_t slots_of(int64_t n) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(n) * 2 + 2)); }
constexpr uint64_t kUpper = ~uint64_t(0) << 32;
void make_hashes(const StringRef* keys, int64_t n, uint64_t* table) {
  const auto slots = static_cast<uint64_t>(slots_of(n));
  table[0] = slots;
  std::fill_n(table + 1, slots, uint64_t(0));
  for (int64_t k = 0; k < n; ++k) {
    const uint64_t hash = lookup_hash(keys[k].view());
    int64_t steps = 0;
    for (uint64_t at = hash & (slots - 1); steps < kMostSteps; at = (at + 1) & (slots - 1), ++steps) {
      uint64_t& slot = table[1 + at];
      if (slot == 0) slot = (hash & kUpper) | static_cast<uint64_t>(k + 1);
      else if (((slot ^ hash) & kUpper) != 0 || !same_text(keys[(slot & ~kUpper) - 1].view(), keys[k].view())) continue;
      break;  // of equal keys the first stays
    }
    if (steps == kMostSteps) return void(table[0] = 0);
  }
}
const uint64_t* hashes_of(const LookupArgs& a) { return reinterpret_cast<const uint64_t*>(a.index + sorted_words<StringRef>(a.n)); }
// The place of x, or -1.
int64_t search(const LookupArgs& a, const StringRef& x) {
  const uint64_t* table = hashes_of(a);
  const StringRef* keys = static_cast<const StringRef*>(a.keys);
  if (table[0] == 0) {
    const int64_t k = search<StringRef>(a, x);
    return same_text(keys[k].view(), x.view()) ? k : -1;
  }
  const uint64_t hash = lookup_hash(x.view()), mask = table[0] - 1;
  uint64_t at = hash & mask;
  for (int64_t steps = 0; steps < kMostSteps; ++steps, at = (at + 1) & mask) {
    const uint64_t slot = table[1 + at];
    if (slot == 0) return -1;
    if (((slot ^ hash) & kUpper) == 0 && same_text(keys[(slot & ~kUpper) - 1].view(), x.view())) return static_cast<int64_t>(slot & ~kUpper) - 1;
  }
  return -1;
}

template <class T>
void lookup(const LookupArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  [[maybe_unused]] const T* keys = static_cast<const T*>(a.keys);
  const auto *values = static_cast<const std::byte*>(a.values), *otherwise = static_cast<const std::byte*>(a.otherwise);
  auto* y = static_cast<std::byte*>(a.y);
  uint32_t missing = 0;
  for (int64_t i = 0; i < a.count; ++i) {
    int64_t k = a.n > 0 ? search(a, x[i]) : 0;
    bool other = a.n == 0 || k < 0;
    if constexpr (std::is_same_v<T, StringRef>) k = std::max<int64_t>(k, 0);
    else other = other || x[i] != keys[k];
    const std::byte* from[] = {values + k * a.value_size, otherwise};
    copy_value(y + i * a.value_size, from[static_cast<int>(other)], a.value_size);
    missing |= static_cast<uint32_t>(other);
  }
  if (a.fault != nullptr) *a.fault = missing;
}

template <class T>
void sort_keys(const T* keys, uint32_t* index, int64_t n) {
  std::iota(index, index + n, 0u);
  std::stable_sort(index, index + n, [keys](uint32_t a, uint32_t b) { return less(keys[a], keys[b]); });
  T* sorted = const_cast<T*>(sorted_keys<T>(index, n));
  for (int64_t i = 0; i < n; ++i) sorted[i] = keys[index[i]];
}

constexpr KernelRow kRows[] = {row<LookupArgs, lookup<int32_t>>("lookup/i32/scalar", DType::i32, Isa::scalar),
                               row<LookupArgs, lookup<int64_t>>("lookup/i64/scalar", DType::i64, Isa::scalar),
                               row<LookupArgs, lookup<StringRef>>("lookup/string/scalar", DType::string, Isa::scalar)};

Status infer_lookup(InferContext& c) {
  if (pick(rows_of<kRows>, c.dtype(0), Isa::scalar) == nullptr) return bad_dtype(c.dtype(0));
  if (c.dtype(1) != c.dtype(0)) return invalid(std::string("keys are ") + name(c.dtype(1)) + ", x is " + name(c.dtype(0)));
  if (c.dtype(3) != c.dtype(2)) return invalid(std::string("values are ") + name(c.dtype(2)) + ", their default is " + name(c.dtype(3)));
  const Shape &keys = c.shape(1), &values = c.shape(2), &otherwise = c.shape(3);
  const bool lists = (!keys.ranked() || keys.rank() == 1) && (!values.ranked() || values.rank() == 1);
  if (!lists || (keys.known() && values.known() && keys != values))
    return invalid("keys are " + keys.text() + ", values " + values.text() + ": lists of one length are wanted");
  if (otherwise.known() && otherwise.concrete().count() != 1) return invalid("the default is " + otherwise.text() + ": one element is wanted");
  c.set(0, c.dtype(2), c.shape(0));
  return {};
}

Status bind(BindContext& c) {
  const TensorView &x = c.in(0), &keys = c.in(1);
  if (!keys.known) return unsupported("keys must be known before the run");
  const auto [begin, end] = c.range(x.count(), 64);
  if (begin == end) return {};
  LookupArgs& a = c.args<LookupArgs>();
  a.n = keys.count();
  if (a.n >= int64_t(1) << 31) return unsupported("a table of " + std::to_string(a.n) + " keys");
  if (c.in(2).count() != a.n || c.in(3).count() != 1) return invalid("a table of another number of keys than of values");
  a.count = end - begin;
  a.value_size = static_cast<int32_t>(size_of(c.out(0).dtype));
  auto index = [&]<class T>() {
    constexpr bool kText = std::is_same_v<T, StringRef>;
    const int64_t n = a.n, words = sorted_words<T>(n) + (kText ? 2 * (1 + slots_of(n)) : 0);
    auto fill = [n](const T* contents, uint32_t* to) {
      sort_keys(contents, to, n);
      if constexpr (kText) make_hashes(contents, n, reinterpret_cast<uint64_t*>(to + sorted_words<T>(n)));
    };
    if (keys.constant) c.set(a.index, c.packed<uint32_t, T>(1, "lookup", words, fill));
    else c.set(a.index, c.table<uint32_t>(words, [&](uint32_t* to) { fill(keys.as<T>(), to); }));  // in the evaluator alone
  };
  if (x.dtype == DType::string) index.operator()<StringRef>();
  else if (x.dtype == DType::i32) index.operator()<int32_t>();
  else index.operator()<int64_t>();
  if (c.attrs.i("required") != 0) c.set(a.fault, c.fault("a value is not in the table"));
  c.set(a.x, c.input(0) + begin * static_cast<int64_t>(size_of(x.dtype)));
  c.set(a.keys, c.input(1));
  c.set(a.values, c.input(2));
  c.set(a.otherwise, c.input(3));
  c.set(a.y, c.output(0) + begin * a.value_size);
  c.run(*pick(rows_of<kRows>, x.dtype, Isa::scalar));
  return {};
}

constexpr AttrSpec kLookupAttrs[] = {{"required", AttrKind::i, 0}};

}  // namespace

uint64_t lookup_hash(std::string_view word) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t hash = word.size() * kOdd;
  auto mix = [&](uint64_t bytes) {
    hash = (hash ^ bytes) * kOdd;
    hash ^= hash >> 32;
  };
  for (uint64_t bytes = 0; word.size() >= 8; word.remove_prefix(8)) {
    std::memcpy(&bytes, word.data(), 8);
    mix(bytes);
  }
  // Of what is left every byte, some of them twice: the size, which is in the hash, tells which.
  const char* p = word.data();
  const size_t n = word.size();
  if (n >= 4) mix(text_word<uint32_t>(p) | static_cast<uint64_t>(text_word<uint32_t>(p + n - 4)) << 32);
  else if (n >= 2) mix(text_word<uint16_t>(p) | static_cast<uint64_t>(text_word<uint16_t>(p + n - 2)) << 16);
  else mix(n == 0 ? 0 : static_cast<uint8_t>(*p));
  return hash * kOdd;
}

constinit const OpDef kLookup = {.name = "Lookup",
                                 .inputs = {4, 4},
                                 .outputs = {1, 1},
                                 .attrs = kLookupAttrs,
                                 .infer = infer_lookup,
                                 .bind = bind,
                                 .kernels = rows_of<kRows>,
                                 .tern_only = true};

}  // namespace tern
