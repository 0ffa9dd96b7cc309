// Unique: the different elements of x, or its different slices along an axis. How many there are depends on the data, so that only the evaluator runs
// it. See movement.h.
#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/movement/movement.h"
#include "kernels/op.h"
#include "kernels/reduce/key.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

struct Slices {
  const void* x;  // [outer, n, inner]
  int64_t outer, n, inner;
};

// -1, 0 or 1. NaN equals NaN and comes last, as in NumPy.
template <class T>
int compare(T a, T b) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) return compare(to_f32(a), to_f32(b));
  else if constexpr (std::is_same_v<T, StringRef>) {
    const int order = a.view().compare(b.view());
    return (order > 0) - (order < 0);
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
    }
    return static_cast<int>(b < a) - static_cast<int>(a < b);
  }
}

// A bool may be any byte that is not zero.
template <class T>
using Ordered = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class T>
int compare_slices(const Slices& a, int64_t i, int64_t j) {
  const auto* x = static_cast<const Ordered<T>*>(a.x);
  for (int64_t o = 0; o < a.outer; ++o) {
    const auto *s = x + (o * a.n + i) * a.inner, *t = x + (o * a.n + j) * a.inner;  // [inner]
    for (int64_t k = 0; k < a.inner; ++k) {
      int order;
      if constexpr (std::is_same_v<T, bool>) order = static_cast<int>(s[k] != 0) - static_cast<int>(t[k] != 0);
      else order = compare(s[k], t[k]);
      if (order != 0) return order;
    }
  }
  return 0;
}

// What slices are sorted by before any other element is looked at: of a slice of one number all that counts, else what its first element begins with.
auto as_wide(auto v) {  // in 64 bits
  if constexpr (std::is_integral_v<decltype(v)>) return v;
  else return static_cast<double>(comparable(v));
}
uint64_t leading(const StringRef& s) {
  uint64_t bytes = 0;
  for (int64_t i = 0; i < 8; ++i) bytes = bytes << 8 | (i < s.size ? static_cast<uint8_t>(s.data[i]) : 0u);
  return bytes;
}
template <class T>
uint64_t leading(T v) {
  return static_cast<uint64_t>(key_of<true, int64_t>(as_wide(v))) ^ uint64_t(1) << 63;
}

struct Entry {
  uint64_t leading;
  int64_t index;
};

// Entries by what leads, those that have the same in the order in which they are: byte by byte from the last, bytes that all share left out. Numbers of a
// narrow range and short words differ in one or two.
void sort_by_leading(std::vector<Entry>& entries) {
  constexpr size_t kWorthCounting = 128;
  if (entries.size() < kWorthCounting) {
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& s, const Entry& t) { return s.leading < t.leading; });
    return;
  }
  uint64_t differ = 0;
  for (const Entry& e : entries) differ |= e.leading ^ entries[0].leading;
  std::vector<Entry> sorted(entries.size());
  for (int shift = 0; shift < 64; shift += 8) {
    if ((differ >> shift & 0xff) == 0) continue;
    size_t place[256] = {};
    for (const Entry& e : entries) ++place[e.leading >> shift & 0xff];
    size_t sum = 0;
    for (size_t& p : place) sum += std::exchange(p, sum);
    for (const Entry& e : entries) sorted[place[e.leading >> shift & 0xff]++] = e;
    entries.swap(sorted);
  }
}

// Do equal leading bits say all of slices [begin, end)? Of text when none is longer, and none ends in zeros that another one has not.
template <class T>
bool alike(const Slices& a, const Entry* begin, const Entry* end) {
  if constexpr (std::is_same_v<T, StringRef>) {
    if (a.outer * a.inner != 1) return false;
    const auto* x = static_cast<const StringRef*>(a.x);
    const int64_t size = x[begin->index].size;
    return size <= 8 && std::all_of(begin, end, [=](const Entry& e) { return x[e.index].size == size; });
  } else {
    return a.outer * a.inner == 1;
  }
}

// Slices in ascending order, equal ones in that of the data, which differ from those before them.
struct Sorted {
  std::vector<int64_t> order;
  std::vector<bool> starts;
};
template <class T>
Sorted sort_slices(const Slices& a) {
  const auto n = static_cast<size_t>(a.n);
  const bool none = a.outer * a.inner == 0;
  std::vector<Entry> entries(n);
  for (size_t i = 0; i < n; ++i) entries[i] = {0, static_cast<int64_t>(i)};
  for (size_t i = 0; i < n && !none; ++i) {
    const auto* first = static_cast<const Ordered<T>*>(a.x) + static_cast<int64_t>(i) * a.inner;
    if constexpr (std::is_same_v<T, bool>) entries[i].leading = *first != 0;
    else entries[i].leading = leading(*first);
  }
  sort_by_leading(entries);
  Sorted out{std::vector<int64_t>(n), std::vector<bool>(n)};
  for (size_t begin = 0, end = 0; begin < n; begin = end) {  // those of the same leading bits
    while (end < n && entries[end].leading == entries[begin].leading) ++end;
    const bool same = none || alike<T>(a, &entries[begin], &entries[begin] + (end - begin));
    if (!same) {
      std::stable_sort(entries.begin() + static_cast<std::ptrdiff_t>(begin), entries.begin() + static_cast<std::ptrdiff_t>(end),
                       [&](const Entry& s, const Entry& t) { return compare_slices<T>(a, s.index, t.index) < 0; });
    }
    for (size_t i = begin; i < end; ++i) {
      out.order[i] = entries[i].index;
      out.starts[i] = i == begin || (!same && compare_slices<T>(a, entries[i - 1].index, entries[i].index) != 0);
    }
  }
  return out;
}

// x as [outer, n, inner]; without an axis all its elements are slices. Precondition: the axis exists.
Slices slices_of(const AttrReader& attrs, const Tensor& x) {
  const Dims& dims = x.dims();
  if (!attrs.has("axis")) return {x.raw(), 1, dims.count(), 1};
  const int axis = *normalize_axis(attrs.i("axis"), dims.rank);
  return {x.raw(), dims.count(0, axis), dims[axis], dims.count(axis + 1, dims.rank)};
}

template <class T>
Result<std::vector<Tensor>> unique(const ComputeRequest& r) {
  constexpr int64_t kScratch = 64;  // bytes for each slice, while it works
  const Tensor& x = r.inputs[0];
  const Slices a = slices_of(r.attrs, x);
  if (a.n > r.budget / kScratch) return unsupported("Unique of " + std::to_string(a.n) + " slices needs more memory than the budget");
  const Sorted sorted = sort_slices<T>(a);
  std::vector<int64_t> first, group(static_cast<size_t>(a.n));  // of each group the first slice; of each slice its group
  for (size_t i = 0; i < sorted.order.size(); ++i) {
    if (sorted.starts[i]) first.push_back(sorted.order[i]);
    group[static_cast<size_t>(sorted.order[i])] = static_cast<int64_t>(first.size()) - 1;
  }
  if (r.attrs.i("sorted") == 0) {  // groups in the order in which they come
    std::vector<int64_t> number(first.size());
    int64_t next = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      int64_t& g = group[i];
      if (first[static_cast<size_t>(g)] == static_cast<int64_t>(i)) number[static_cast<size_t>(g)] = next++;
      g = number[static_cast<size_t>(g)];
    }
    std::sort(first.begin(), first.end());
  }
  const auto found = static_cast<int64_t>(first.size());
  Dims dims = x.dims();
  if (r.attrs.has("axis")) dims[*normalize_axis(r.attrs.i("axis"), dims.rank)] = found;
  else dims = {found};
  auto y = Tensor::allocate(x.dtype(), dims);
  if (!y) return y.error();
  auto* to = y->template mutable_data<Ordered<T>>();
  for (int64_t o = 0; o < a.outer; ++o) {
    for (int64_t slice : first) to = std::copy_n(static_cast<const Ordered<T>*>(a.x) + (o * a.n + slice) * a.inner, a.inner, to);
  }
  y->keep(x.pools());
  std::vector<Tensor> out{std::move(*y)};
  if (r.outputs > 1) out.push_back(Tensor::ints(first));
  if (r.outputs > 2) out.push_back(Tensor::ints(group));
  if (r.outputs > 3) {
    std::vector<int64_t> counts(first.size());
    for (int64_t g : group) ++counts[static_cast<size_t>(g)];
    out.push_back(Tensor::ints(counts));
  }
  return out;
}
Result<std::vector<Tensor>> compute(const ComputeRequest& r) {
  Result<std::vector<Tensor>> out = bad_dtype(r.inputs[0].dtype());
  visit(r.inputs[0].dtype(), [&]<class T>() {
    if constexpr (!std::is_void_v<T>) out = unique<T>(r);
  });
  return out;
}

Status infer_unique(InferContext& c) {
  const Shape& x = c.shape(0);
  std::optional<int> axis;
  if (c.attrs.has("axis") && x.ranked()) {
    axis = normalize_axis(c.attrs.i("axis"), x.rank());
    if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  }
  Dim found = c.fresh(), all = axis ? x[*axis] : c.fresh();
  if (auto n = checked_count(x.concrete().span()); n && !c.attrs.has("axis")) all = Dim(*n);
  Shape y = x;
  if (!c.attrs.has("axis")) y = Shape{found};
  else if (axis) y[*axis] = found;
  c.set(0, c.dtype(0), std::move(y));
  c.set(1, DType::i64, Shape{found});
  c.set(2, DType::i64, Shape{all});
  c.set(3, DType::i64, Shape{found});
  return {};
}

constexpr AttrSpec kUniqueAttrs[] = {{"axis", AttrKind::i}, {"sorted", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kUnique = {
    .name = "Unique", .inputs = {1, 1}, .outputs = {1, 4}, .attrs = kUniqueAttrs, .infer = infer_unique, .compute = compute, .data_dependent = true};

}  // namespace tern
