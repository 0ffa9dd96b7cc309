// Parts of tensors, and the same backwards, rolled and repeated. See operator.h. Next: join.cpp.
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

// What a StridedSlice does to each axis of its input, in order, and to the axes of its output.
struct Subscript {
  enum class Kind : uint8_t { whole, part, one, added } kind = Kind::whole;
  Int begin, end;
  int64_t step = 1;
  bool from_edge = false, to_edge = false;  // begin_mask, end_mask
};

// The masks are bits by position; `ellipsis` stands for as many axes as the others leave.
std::vector<Subscript> subscripts(Call& c, int rank, size_t begin_at) {
  GraphBuilder& b = c.b;
  const std::vector<Int> begin = b.elements(c.tensor(begin_at)), end = b.elements(c.tensor(begin_at + 1));
  const std::vector<int64_t> strides = c.known_ints(begin_at + 2);
  const int64_t begin_mask = c.integer("begin_mask", 0), end_mask = c.integer("end_mask", 0), ellipsis = c.integer("ellipsis_mask", 0),
                added = c.integer("new_axis_mask", 0), shrink = c.integer("shrink_axis_mask", 0);
  for (const int64_t mask : {begin_mask, end_mask, ellipsis, added, shrink}) {  // TensorFlow reads 32 bits of them
    if (mask != static_cast<int32_t>(mask)) c.fail(invalid("a mask of " + std::to_string(mask) + " has more than 32 bits"));
  }
  if (!b.ok()) return {};
  if (begin.size() != end.size() || begin.size() != strides.size() || begin.size() > 32) {
    c.fail(invalid("begin, end and strides have different lengths"));
    return {};
  }
  int taken = 0, wildcards = 0;
  auto set = [](int64_t mask, size_t i) { return (mask >> i & 1) != 0; };
  for (size_t i = 0; i < begin.size(); ++i) {
    wildcards += set(ellipsis, i);
    taken += !set(ellipsis, i) && !set(added, i);
  }
  if (wildcards > 1) c.fail(invalid("ellipsis_mask has more than one bit"));
  if (taken > rank) c.fail(invalid("there are more subscripts than dimensions"));
  std::vector<Subscript> out;
  for (size_t i = 0; i < begin.size() && b.ok(); ++i) {
    if (set(ellipsis, i)) {
      out.insert(out.end(), static_cast<size_t>(rank - taken), Subscript());
    } else if (set(added, i)) {
      out.push_back({Subscript::Kind::added, 0, 0, 1, false, false});
    } else if (strides[i] == 0 || strides[i] == INT64_MIN) {
      c.fail(invalid("a stride is " + std::to_string(strides[i])));
    } else {
      const bool one = set(shrink, i);
      out.push_back({one ? Subscript::Kind::one : Subscript::Kind::part, begin[i], end[i], one ? 1 : strides[i], set(begin_mask, i) && !one,
                     set(end_mask, i) && !one});
    }
  }
  if (wildcards == 0) out.insert(out.end(), static_cast<size_t>(rank - taken), Subscript());
  return out;
}

ValueId strided(GraphBuilder& b, ValueId x, const std::vector<Subscript>& subscripts) {
  std::vector<Int> starts, ends;
  std::vector<int64_t> axes, steps, dropped, added;
  std::vector<std::pair<int64_t, Int>> picked;  // one element, whose place the graph computes: of the axes that are left when others were dropped
  int64_t axis = 0, place = 0;                  // in the input, in the output before axes are dropped
  for (const Subscript& s : subscripts) {
    if (s.kind == Subscript::Kind::added) {
      added.push_back(place++ - static_cast<int64_t>(dropped.size() + picked.size()));
      continue;
    }
    if (s.kind == Subscript::Kind::one && !s.begin.known()) {
      picked.emplace_back(axis++ - static_cast<int64_t>(dropped.size()), s.begin);
      ++place;
      continue;
    }
    if (s.kind == Subscript::Kind::one) dropped.push_back(axis);
    const bool whole = s.kind == Subscript::Kind::whole || (s.from_edge && s.to_edge && s.step == 1);
    if (!whole) {
      // One element from -1 on ends at the axis' end. A negative step that goes down to the first one ends before it.
      const bool single = s.kind == Subscript::Kind::one;
      const Int last = single && s.begin.value() != -1 && s.begin.value() != INT64_MAX ? Int(s.begin.value() + 1) : Int(INT64_MAX);
      starts.push_back(s.from_edge ? Int(s.step > 0 ? 0 : INT64_MAX) : s.begin);
      ends.push_back(single ? last : s.to_edge ? Int(s.step > 0 ? INT64_MAX : INT64_MIN) : s.end);
      axes.push_back(axis);
      steps.push_back(s.step);
    }
    ++axis;
    ++place;
  }
  if (!axes.empty()) x = b.emit("Slice", {x, b.ints(starts), b.ints(ends), b.ints(axes), b.ints(steps)});
  x = squeeze(b, x, dropped);
  for (size_t k = picked.size(); k-- > 0;) x = b.emit("Gather", {x, b.scalar(picked[k].second)}, attributes({{"axis", picked[k].first}}));
  return added.empty() ? x : unsqueeze(b, x, added);
}

Values strided_slice(Call& c) {
  const ValueId x = c.tensor(0);
  const int rank = c.b.rank(x);
  const std::vector<Subscript> s = subscripts(c, rank, 1);
  return {c.b.ok() ? strided(c.b, x, s) : kNone};
}

// The input with the part that the subscripts tell replaced: places are counted, and cut in the same way.
Values strided_update(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const std::vector<Subscript> s = subscripts(c, b.rank(x), 1);
  Int n = 1;
  for (const Int& size : sizes_of(b, x)) n = b.mul(n, size);
  const ValueId places = b.reshape(counted(b, n), sizes_of(b, x)), part = b.ok() ? strided(b, places, s) : kNone;
  const ValueId value = b.emit("Expand", {c.tensor(4), b.ints(sizes_of(b, part))});
  const ValueId flat = b.emit("ScatterElements", {b.reshape(x, {Int(-1)}), b.reshape(part, {Int(-1)}), b.reshape(value, {Int(-1)})});
  return {b.reshape(flat, sizes_of(b, x))};
}

// From begin, `size` elements of each axis; -1: all that are left.
Values slice_of(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  const std::vector<Int> begin = b.elements(c.tensor(1)), size = b.elements(c.tensor(2));
  if (!b.ok()) return {};
  if (begin.size() != static_cast<size_t>(rank) || size.size() != begin.size())
    return c.fail(invalid("begin and size must have a number for each axis"));
  std::vector<Int> starts, ends;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < begin.size(); ++i) {
    const bool rest = size[i].known() && size[i].value() == -1;
    if (rest && begin[i].known() && begin[i].value() == 0) continue;
    if (begin[i].known() && begin[i].value() < 0) return c.fail(invalid("begin is " + std::to_string(begin[i].value())));
    starts.push_back(begin[i]);
    Int end = rest ? Int(INT64_MAX) : b.add(begin[i], size[i]);
    if (size[i].node != kNone)  // what the graph computes may be -1 as well
      end = Int::computed(select(b, with(b, "Equal", b.scalar(size[i]), -1), b.scalar(Int(INT64_MAX)), b.scalar(end)));
    ends.push_back(end);
    axes.push_back(static_cast<int64_t>(i));
  }
  return {axes.empty() ? x : b.emit("Slice", {x, b.ints(starts), b.ints(ends), b.ints(axes)})};
}

Values reverse_axes(Call& c) {
  ValueId x = c.tensor(0);
  for (int64_t axis : axes_input(c, 1, c.b.rank(x))) x = reverse(c.b, x, static_cast<int>(axis));
  return {x};
}

Values reverse_flags(Call& c) {  // a bool for each axis
  GraphBuilder& b = c.b;
  ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  const Tensor* known = b.contents(c.tensor(1));
  if (known == nullptr || known->dtype() != DType::boolean || known->count() > rank)
    return c.fail(unsupported("the axes must be known when the model is loaded"));
  const Tensor flags = *known;  // the graph's values move when nodes are added
  for (int64_t i = 0; i < flags.count(); ++i) {
    if (flags.data<uint8_t>()[i] != 0) x = reverse(b, x, static_cast<int>(i));
  }
  return {x};
}

// The first lengths[i] elements of row i backwards. ReverseSequence of the catalog has time and batch on the first two axes.
Values reverse_sequence(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  const int time = axis_of(c, c.integer("seq_dim"), rank), batch = axis_of(c, c.integer("batch_dim", 0), rank);
  if (!b.ok()) return {};
  if (time == batch) return c.fail(invalid("seq_dim and batch_dim are the same axis"));
  std::vector<int64_t> order = {batch, time}, back(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    if (i != time && i != batch) order.push_back(i);
  }
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  const ValueId y = b.emit("ReverseSequence", {permute(b, x, order), b.cast(c.tensor(1), DType::i64)},
                           attributes({{"batch_axis", int64_t(0)}, {"time_axis", int64_t(1)}}));
  return {permute(b, y, back)};
}

// What is pushed over the end of an axis comes in again at its begin.
Values roll(Call& c) {
  GraphBuilder& b = c.b;
  ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  const std::vector<int64_t> shifts = c.known_ints(1), axes = c.known_ints(2);
  if (!b.ok()) return {};
  if (shifts.size() != axes.size()) return c.fail(invalid("there are not as many shifts as axes"));
  for (size_t i = 0; i < axes.size() && b.ok(); ++i) {
    const int axis = axis_of(c, axes[i], rank);
    const Int size = b.size(x, axis);
    if (!b.ok() || (size.known() && size.value() == 0)) continue;
    if (shifts[i] < -(int64_t(1) << 40) || shifts[i] > int64_t(1) << 40) return c.fail(unsupported("a shift by " + std::to_string(shifts[i])));
    const Int by = b.mod(b.sub(0, Int(shifts[i])), size);  // the element that comes first
    const ValueId begin = b.ints(std::vector<Int>{by}), on = b.ints({axis});
    x = concat(b, {b.emit("Slice", {x, begin, b.ints({INT64_MAX}), on}), b.emit("Slice", {x, b.ints({0}), begin, on})}, axis);
  }
  return {x};
}

Values tile(Call& c) { return {c.b.emit("Tile", {c.tensor(0), c.b.cast(c.tensor(1), DType::i64)})}; }

constexpr Operator kSliceRows[] = {
    {"StridedSlice", nullptr, each_part<strided_slice>},
    {"TensorStridedSliceUpdate", nullptr, strided_update},
    {"Slice", nullptr, each_part<slice_of>},
    {"ReverseV2", nullptr, each_part<reverse_axes>},
    {"Reverse", nullptr, reverse_flags},
    {"ReverseSequence", nullptr, reverse_sequence},
    {"Roll", nullptr, each_part<roll>},
    {"Tile", nullptr, each_part<tile>},
};

}  // namespace

std::span<const Operator> slice_operators() { return kSliceRows; }

}  // namespace tern::tensorflow
