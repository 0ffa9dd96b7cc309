// Slice, Gather, Split and Concat: what is read begins here. See rules.h.
#include <algorithm>

#include "kernels/movement/movement.h"
#include "runtime/narrow/rules.h"

namespace tern::narrowing {
namespace {

constexpr int64_t kBeforeFirst = INT64_MIN;  // an end that a Slice takes as that, whatever the extent

// What the node takes along each axis of input 0; nothing when that is not known. Extents of axes that it leaves alone need not be.
std::optional<std::vector<Pick>> cuts(const Graph& g, const Node& n) {
  const Shape &x = shape(g, n.inputs[0]), &y = shape(g, n.outputs[0]);
  const auto starts = list(g, n, 1), ends = list(g, n, 2), axes = list(g, n, 3), steps = list(g, n, 4);
  if (!starts || !ends || (given(n, 3) && !axes) || (given(n, 4) && !steps)) return std::nullopt;
  std::vector<Pick> cut(static_cast<size_t>(x.rank()));
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = normalize_axis(axes ? (*axes)[i] : static_cast<int64_t>(i), x.rank());
    if (!axis || !x[*axis].known() || !y[*axis].known()) return std::nullopt;
    const int64_t extent = x[*axis].value(), step = steps ? (*steps)[i] : 1;
    int64_t start = (*starts)[i];
    if (start < 0) start += extent;
    cut[static_cast<size_t>(*axis)] = {std::clamp<int64_t>(start, 0, step > 0 ? extent : extent - 1), step, y[*axis].value()};
  }
  return cut;
}

// Elements `wanted` of what `cut` takes, in elements of what it is taken from. Of a single one the step, which may be huge, is 1.
Pick within(const Pick& cut, const Range& wanted) {
  if (cut.count == Range::kAll) return wanted.all() ? Pick{} : Pick{wanted.start, wanted.step, wanted.count};
  const int64_t count = wanted.extent(cut.count);
  return {cut.start + (wanted.start == 0 ? 0 : cut.step * wanted.start), count == 1 ? 1 : cut.step * wanted.step, count};
}

Range range_of(const Pick& p, int64_t extent) {
  const int64_t last = p.start + p.step * (p.count - 1);
  return range(std::min(p.start, last), p.step < 0 ? -p.step : p.step, p.count, extent);
}

// The same in elements of `have`.
Pick relative(const Pick& p, const Range& have) {
  if (have.all() || p.count == Range::kAll) return p;
  return {place(p.start, have), p.count == 1 ? 1 : p.step / have.step, p.count};
}

void finish_slice(Edit& e, ValueId from, const std::vector<Pick>& picked, const Region& have) {
  if (keeps_all(picked, have)) e.finish(kIdentity, {from});
  else e.finish(kSlice, slice_inputs(e, from, picked));
}

bool slice_reads(const Graph& g, const Node& n, Wanted& w) {
  const auto cut = cuts(g, n);
  if (!cut) return false;
  for (int a = 0; a < static_cast<int>(cut->size()); ++a) {
    const Pick p = within((*cut)[static_cast<size_t>(a)], at(*w.out[0], a));
    if (p.count != Range::kAll) at(*w.in[0], a) = range_of(p, *extent(g, n.inputs[0], a));
  }
  return true;
}
void slice_rewrite(Edit& e) {
  std::vector<Pick> picked = *cuts(e.graph, e.was);
  for (size_t a = 0; a < picked.size(); ++a) picked[a] = relative(within(picked[a], (*e.wanted.out[0])[a]), e.have[0][a]);
  finish_slice(e, e.now.inputs[0], picked, e.have[0]);
}
bool takes_data(const Graph&, const Node&, const Wanted&, size_t i, const Region&) { return i == 0; }

// The elements that constant indices pick; nothing when one is out of range.
std::optional<std::vector<int64_t>> indices(const Graph& g, const Node& n, int64_t of) {
  auto picked = shape(g, n.inputs[1]).rank() <= 1 ? list(g, n, 1) : std::nullopt;
  if (!picked || picked->empty()) return std::nullopt;
  for (int64_t& i : *picked) {
    if (i < -of || i >= of) return std::nullopt;
    if (i < 0) i += of;
  }
  return picked;
}
std::vector<int64_t> some_of(const std::vector<int64_t>& all, const Range& which) {
  if (which.all()) return all;
  std::vector<int64_t> some;
  for (int64_t i = 0; i < which.count; ++i) some.push_back(all[static_cast<size_t>(which.start + i * which.step)]);
  return some;
}

// What the indices of one place pick lies in y along the axes of the indices, those of the data around it. Indices that an input holds are all read.
bool gather_reads(const Graph& g, const Node& n, Wanted& w) {
  const int rank = shape(g, n.inputs[0]).rank(), listed = shape(g, n.inputs[1]).rank();
  const auto axis = normalize_axis(n.read().i("axis"), rank);
  if (!axis) return false;
  const auto of = extent(g, n.inputs[0], *axis);
  const auto picked = of ? indices(g, n, *of) : std::nullopt;
  Region &x = *w.in[0], &y = *w.out[0];
  for (int a = 0; a < rank; ++a) {
    if (a != *axis) at(x, a) = at(y, a < *axis ? a : a + listed - 1);
  }
  if (!picked) {
    for (int a = *axis; a < *axis + listed; ++a) at(y, a) = {};
    return true;
  }
  const auto some = some_of(*picked, listed == 1 ? at(y, *axis) : Range());
  Range read = range(some[0], 1, 1, *of);
  for (int64_t i : some) read = cover(read, range(i, 1, 1, *of), *of);
  at(x, *axis) = read;
  return true;
}
bool gather_takes(const Graph& g, const Node& n, const Wanted& w, size_t i, const Region& have) {
  const auto axis = *normalize_axis(n.read().i("axis"), shape(g, n.inputs[0]).rank());
  Region same = have;  // but for the axis of which it picks
  at(same, axis) = at(*w.in[0], axis);
  return i == 0 && same == *w.in[0];
}
void gather_rewrite(Edit& e) {
  const int rank = shape(e.graph, e.was.inputs[0]).rank(), axis = *normalize_axis(e.was.read().i("axis"), rank);
  const bool scalar = shape(e.graph, e.was.inputs[1]).rank() == 0;
  const auto of = extent(e.graph, e.was.inputs[0], axis);
  const auto picked = of ? indices(e.graph, e.was, *of) : std::nullopt;
  if (!picked) return e.finish();
  auto some = some_of(*picked, scalar ? Range() : at(*e.wanted.out[0], axis));
  const Range& have = at(e.have[0], axis);
  for (int64_t& i : some) i = place(i, have);
  // The last step alone: it is all that is there.
  if (have.extent(*of) == 1 && some.size() == 1)
    return scalar ? e.finish(kSqueeze, {e.now.inputs[0], e.ints("axis", {axis})}) : e.finish(kIdentity, {e.now.inputs[0]});
  e.now.inputs[1] = scalar ? e.graph.add_constant(e.name("index"), Tensor::scalar(some[0])) : e.ints("indices", some);
  e.finish();
}

// Where parts of these values lie along `axis`, one behind the other; nothing when an extent is not known.
std::optional<std::vector<int64_t>> offsets(const Graph& g, const std::vector<ValueId>& values, int axis) {
  std::vector<int64_t> at = {0};
  for (ValueId v : values) {
    const auto n = v == kNone || !shape(g, v)[axis].known() ? std::nullopt : std::optional(shape(g, v)[axis].value());
    if (!n) return std::nullopt;
    at.push_back(at.back() + *n);
  }
  return at;
}

// Where the parts of a Split begin: parts that nobody reads have no value, but a list of extents has theirs.
std::optional<std::vector<int64_t>> parts(const Graph& g, const Node& n, int axis) {
  const auto sizes = list(g, n, 1);
  if (!sizes) return given(n, 1) ? std::nullopt : offsets(g, n.outputs, axis);
  std::vector<int64_t> at = {0};
  for (int64_t size : *sizes) at.push_back(at.back() + size);
  return at.size() == n.outputs.size() + 1 ? std::optional(at) : std::nullopt;
}

bool split_reads(const Graph& g, const Node& n, Wanted& w) {
  const auto axis = normalize_axis(n.read().i("axis"), shape(g, n.inputs[0]).rank());
  const auto begin = axis ? parts(g, n, *axis) : std::nullopt;
  if (!begin || !extent(g, n.inputs[0], *axis)) return false;
  bool first = true;
  for (size_t o = 0; o < n.outputs.size(); ++o) {
    if (!w.out[o]) continue;
    const Region& y = *w.out[o];
    for (int a = 0; a < static_cast<int>(y.size()); ++a) {
      Range& x = at(*w.in[0], a);
      if (a != *axis && at(y, a).all()) {
        x = {};
        continue;
      }
      const int64_t of = *extent(g, n.inputs[0], a), from = a == *axis ? (*begin)[o] : 0, part = (*begin)[o + 1] - (*begin)[o];
      if (a == *axis && part == 0) return false;
      const Range read = range(from + at(y, a).start, at(y, a).step, at(y, a).extent(part), of);
      x = first ? read : cover(x, read, of);
    }
    first = false;
  }
  return true;
}
// One Slice for each part that is read: what else there was may be gone.
void split_rewrite(Edit& e) {
  const int axis = *normalize_axis(e.was.read().i("axis"), shape(e.graph, e.was.inputs[0]).rank());
  const auto begin = *parts(e.graph, e.was, axis);
  const Node was = e.now;
  for (size_t o = 0; o < was.outputs.size(); ++o) {
    if (!e.wanted.out[o]) continue;
    std::vector<Pick> picked;
    for (int a = 0; a < static_cast<int>(e.have[0].size()); ++a) {
      Pick part;
      if (a == axis) part = {begin[o], 1, begin[o + 1] - begin[o]};
      picked.push_back(relative(within(part, at(*e.wanted.out[o], a)), at(e.have[0], a)));
    }
    e.now = was;
    e.now.outputs = {was.outputs[o]};
    finish_slice(e, was.inputs[0], picked, e.have[0]);
  }
}

bool concat_reads(const Graph& g, const Node& n, Wanted& w) {
  const auto axis = normalize_axis(n.read().i("axis"), shape(g, n.outputs[0]).rank());
  if (!axis) return false;
  const auto begin = offsets(g, n.inputs, *axis);
  Range& r = at(*w.out[0], *axis);
  if (!begin) r = {};
  for (size_t i = 0; i < n.inputs.size(); ++i) {
    w.in[i] = w.out[0];
    at(*w.in[i], *axis) = {};
    if (r.all()) continue;
    const auto part = clip(r.start - (*begin)[i], r.step, r.count, (*begin)[i + 1] - (*begin)[i]);
    if (part) at(*w.in[i], *axis) = *part;
    else w.in[i].reset();
  }
  return true;
}
void concat_rewrite(Edit& e) {
  std::vector<ValueId> read;
  for (size_t i = 0; i < e.now.inputs.size(); ++i) {
    if (e.wanted.in[i]) read.push_back(e.now.inputs[i]);
  }
  if (read.size() == 1) return e.finish(kIdentity, read);
  e.now.inputs = std::move(read);
  e.finish();
}

}  // namespace

constinit const Rule kSliceRule = {slice_reads, slice_rewrite, takes_data};
constinit const Rule kGatherRule = {gather_reads, gather_rewrite, gather_takes};
constinit const Rule kSplitRule = {split_reads, split_rewrite, takes_data};
constinit const Rule kConcatRule = {concat_reads, concat_rewrite};

std::vector<Pick> picks(const Region& wanted, const Region& have) {
  std::vector<Pick> picked;
  for (size_t a = 0; a < wanted.size(); ++a) picked.push_back(relative(within({}, wanted[a]), have[a]));
  return picked;
}

bool keeps_all(const std::vector<Pick>& picks, const Region& have) {
  for (size_t a = 0; a < picks.size(); ++a) {
    if (picks[a].count != Range::kAll && picks[a] != Pick{0, 1, have[a].count}) return false;
  }
  return true;
}

std::vector<ValueId> slice_inputs(Edit& e, ValueId from, const std::vector<Pick>& picks) {
  std::vector<int64_t> starts, ends, axes, steps;
  for (size_t a = 0; a < picks.size(); ++a) {
    const Pick& p = picks[a];
    if (p.count == Range::kAll) continue;
    const int64_t end = p.start + p.step * p.count;
    starts.push_back(p.start);
    ends.push_back(end < 0 ? kBeforeFirst : end);
    axes.push_back(static_cast<int64_t>(a));
    steps.push_back(p.step);
  }
  return {from, e.ints("starts", starts), e.ints("ends", ends), e.ints("axes", axes), e.ints("steps", steps)};
}

}  // namespace tern::narrowing
