// Several tensors as one, one as several. See operator.h. Next: pad.cpp.
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

// A number in a file could ask for any number of parts: of all the graph's values together there are so many.
bool parts_fit(Call& c, int64_t n) {
  constexpr int64_t kMostValues = 1 << 18;
  if (n < 0) c.fail(invalid("a split into " + std::to_string(n) + " parts"));
  else if (static_cast<int64_t>(c.b.graph.values.size()) + n > kMostValues)
    c.fail(unsupported("splits make more than " + std::to_string(kMostValues) + " values"));
  return c.b.ok();
}

Values concat_along(Call& c, size_t first, size_t axis_at) {
  std::vector<ValueId> parts = c.tensors(first, first == 0 ? c.count() - 1 : c.count());
  if (parts.empty() || !c.b.ok()) return c.fail(invalid("nothing to concatenate"));
  const int axis = axis_input(c, axis_at, c.b.rank(parts[0]));
  return {concat(c.b, std::move(parts), axis)};
}

Values concat_v2(Call& c) { return c.count() < 2 ? c.fail(invalid("nothing to concatenate")) : concat_along(c, 0, c.count() - 1); }
Values concat_v1(Call& c) { return c.count() < 2 ? c.fail(invalid("nothing to concatenate")) : concat_along(c, 1, 0); }

Values pack(Call& c) {
  GraphBuilder& b = c.b;
  if (c.count() == 0) return c.fail(invalid("nothing to pack"));
  const int axis = axis_of(c, c.integer("axis", 0), b.rank(c.tensor(0)) + 1);
  std::vector<ValueId> parts;
  for (ValueId v : c.tensors(0, c.count())) parts.push_back(unsqueeze(b, v, {axis}));
  return {concat(b, std::move(parts), axis)};
}

Values split_at(Call& c, ValueId x, int axis, const std::vector<int64_t>& sizes) {
  if (sizes.size() == 1) return {x};
  const auto parts = c.b.emit("Split", {x, c.b.ints(sizes)}, attributes({{"axis", int64_t(axis)}}), sizes.size());
  return Values(parts.begin(), parts.end());
}

Values unpack(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int axis = axis_of(c, c.integer("axis", 0), b.rank(x));
  const int64_t n = c.integer("num");
  if (!b.ok()) return {};
  if (b.shape(x)[axis].known() && !b.shape(x)[axis].is(n))
    return c.fail(invalid("an axis of " + b.shape(x)[axis].text() + " has not " + std::to_string(n)));
  if (!parts_fit(c, n)) return {};
  Values out;
  if (n == 0) return out;
  for (const Value& part : split_at(c, x, axis, std::vector<int64_t>(static_cast<size_t>(n), 1))) out.push_back(squeeze(b, part.id(), {axis}));
  return out;
}

Values split(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(1);
  const int axis = axis_input(c, 0, b.rank(x));
  const int64_t n = c.integer("num_split");
  if (!b.ok()) return {};
  if (n == 1) return {x};
  if (!parts_fit(c, n)) return {};
  const Dim& size = b.shape(x)[axis];
  if (n == 0 || (size.known() && size.value() % n != 0))
    return c.fail(invalid("an axis of " + size.text() + " does not split into " + std::to_string(n)));
  const auto parts = b.emit("Split", {x}, attributes({{"axis", int64_t(axis)}, {"num_outputs", n}}), static_cast<size_t>(n));
  return Values(parts.begin(), parts.end());
}

// One of the sizes may be -1.
Values split_v(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int axis = axis_input(c, 2, b.rank(x));
  std::vector<int64_t> sizes = c.known_ints(1);
  if (!b.ok()) return {};
  if (sizes.empty()) return c.fail(invalid("size_splits is empty"));
  if (!parts_fit(c, static_cast<int64_t>(sizes.size()))) return {};
  int64_t sum = 0;
  int64_t* rest = nullptr;
  for (int64_t& size : sizes) {
    if (size < -1 || size > int64_t(1) << 40 || (size == -1 && rest != nullptr))
      return c.fail(invalid("size_splits has a size of " + std::to_string(size)));
    if (size == -1) rest = &size;
    else sum += size;
  }
  if (rest != nullptr) {
    const int64_t whole = known_size(b, x, axis, "a split into what is left");
    if (b.ok() && whole < sum) return c.fail(invalid("size_splits have more than the axis"));
    *rest = whole - sum;
  }
  return b.ok() ? split_at(c, x, axis, sizes) : Values();
}

constexpr Operator kJoinRows[] = {
    {"ConcatV2", nullptr, each_part<concat_v2>}, {"Concat", nullptr, each_part<concat_v1>}, {"Pack", nullptr, each_part<pack>},
    {"Unpack", nullptr, each_part<unpack>},      {"Split", nullptr, each_part<split>},      {"SplitV", nullptr, each_part<split_v>},
};

}  // namespace

std::span<const Operator> join_operators() { return kJoinRows; }

}  // namespace tern::tensorflow
