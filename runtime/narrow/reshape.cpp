// Reshape, Flatten, Squeeze, Unsqueeze and Transpose: elements keep their order, or axes theirs. See rules.h.
//   [2,50,64] -> [100,64]     the axes 2 and 50 are 100: a group. Rows 49 and 99 are step 49 of both, and back
// Within a group a region is a range of the elements in their order, or it cannot be told of the other side; then the group is computed whole.
#include <algorithm>
#include <numeric>

#include "kernels/movement/movement.h"
#include "runtime/narrow/rules.h"

namespace tern::narrowing {
namespace {

// Axes [x, x_end) of the input are axes [y, y_end) of the output.
struct Group {
  int x, x_end, y, y_end;
};

std::vector<Group> groups(const Shape& x, const Shape& y) {
  std::vector<Group> all;
  int i = 0, j = 0;
  while (i < x.rank() || j < y.rank()) {
    Group g{i, i, j, j};
    if (i < x.rank() && j < y.rank() && x[i] == y[j]) g.x_end = ++i, g.y_end = ++j;
    else if (i < x.rank() && x[i].is(1)) g.x_end = ++i;
    else if (j < y.rank() && y[j].is(1)) g.y_end = ++j;
    else if (i == x.rank() || j == y.rank()) return {{0, x.rank(), 0, y.rank()}};
    else {
      Dim above = x[i++], below = y[j++];
      while (!(above == below)) {
        const bool more = above.known() && below.known() ? above.value() < below.value() : div(below, above).has_value();
        const Shape& from = more ? x : y;
        int& next = more ? i : j;
        const auto grown = next < from.rank() ? mul(more ? above : below, from[next++]) : std::nullopt;
        if (!grown) return {{0, x.rank(), 0, y.rank()}};
        (more ? above : below) = *grown;
      }
      g.x_end = i;
      g.y_end = j;
    }
    all.push_back(g);
  }
  return all;
}

// Element numbers first, first + step, ... of a group.
struct Line {
  int64_t first = 0, step = 1, count = 1;
};

// The region of these axes as one line.
std::optional<Line> line_of(const Shape& s, const Region& r, int begin, int end) {
  Line l;
  for (int64_t a = end - 1, stride = 1; a >= begin; --a) {
    const Dim& d = s[static_cast<int>(a)];
    if (!d.known()) return std::nullopt;
    const Range& here = at(r, static_cast<int>(a));
    const int64_t count = here.extent(d.value()), step = here.step * stride;
    l.first += here.start * stride;
    if (count > 1) {
      if (l.count > 1 && step != l.step * l.count) return std::nullopt;
      if (l.count == 1) l.step = step;
      l.count *= count;
    }
    stride *= d.value();
  }
  return l;
}

// A line as a region of these axes; false when it is none.
bool region_of(Line l, const Shape& s, int begin, int end, Region& r) {
  for (int a = end - 1; a >= begin; --a) {
    if (!s[a].known()) return false;
    const int64_t n = s[a].value(), start = l.first % n;
    int64_t step = 1, count = 1;
    if (l.count > 1 && l.step % n != 0) {
      step = l.step;
      count = std::min(l.count, (n - 1 - start) / step + 1);
      if (l.count % count != 0 || (l.count > count && count * step != n)) return false;
      l.count /= count;
      l.step = n;
    }
    at(r, a) = range(start, step, count, n);
    l.first /= n;
    l.step /= n;
  }
  return l.count == 1;
}

bool reads_same_elements(const Graph& g, const Node& n, Wanted& w) {
  const Shape &x = shape(g, n.inputs[0]), &y = shape(g, n.outputs[0]);
  for (const Group& group : groups(x, y)) {
    Region &in = *w.in[0], &out = *w.out[0];
    const bool all = std::all_of(out.begin() + group.y, out.begin() + group.y_end, [](const Range& r) { return r.all(); });
    if (all) continue;
    if (group.x_end - group.x == 1 && group.y_end - group.y == 1 && x[group.x] == y[group.y]) {
      at(in, group.x) = at(out, group.y);
      continue;
    }
    const auto line = line_of(y, out, group.y, group.y_end);
    if (line && region_of(*line, x, group.x, group.x_end, in)) continue;
    std::fill(out.begin() + group.y, out.begin() + group.y_end, Range());
    std::fill(in.begin() + group.x, in.begin() + group.x_end, Range());
  }
  return true;
}

// A shape that says what comes out: one extent may be a symbol.
bool reshape_reads(const Graph& g, const Node& n, Wanted& w) {
  const Shape& y = shape(g, n.outputs[0]);
  return std::count_if(y.dims().begin(), y.dims().end(), [](const Dim& d) { return !d.known(); }) <= 1 && reads_same_elements(g, n, w);
}
void reshape_rewrite(Edit& e) {
  const Shape& y = shape(e.graph, e.was.outputs[0]);
  std::vector<int64_t> to;
  for (int a = 0; a < y.rank(); ++a) to.push_back(y[a].known() ? at(*e.wanted.out[0], a).extent(y[a].value()) : -1);
  e.finish(kReshape, {e.now.inputs[0], e.ints("shape", to)});
}

// Without a list of axes all extents of 1 go, and there may be more now.
void squeeze_rewrite(Edit& e) {
  if (!given(e.was, 1)) {
    const Shape& x = shape(e.graph, e.was.inputs[0]);
    std::vector<int64_t> ones;
    for (int a = 0; a < x.rank(); ++a) {
      if (x[a].is(1)) ones.push_back(a);
    }
    e.now.inputs = {e.now.inputs[0], e.ints("axes", ones)};
  }
  e.finish();
}

std::vector<int64_t> order_of(const Graph& g, const Node& n) {
  std::vector<int64_t> perm = n.read().ints("perm");
  if (!perm.empty()) return perm;
  perm.resize(static_cast<size_t>(shape(g, n.inputs[0]).rank()));
  std::iota(perm.rbegin(), perm.rend(), 0);
  return perm;
}

bool transpose_reads(const Graph& g, const Node& n, Wanted& w) {
  const std::vector<int64_t> perm = order_of(g, n);
  for (size_t a = 0; a < perm.size(); ++a) (*w.in[0])[static_cast<size_t>(perm[a])] = (*w.out[0])[a];
  return true;
}
// Where only extents of 1 change their places nothing is moved.
void transpose_rewrite(Edit& e) {
  const std::vector<int64_t> perm = order_of(e.graph, e.was);
  const Shape& x = shape(e.graph, e.was.inputs[0]);
  std::vector<int64_t> from, to, rest;
  auto one = [&](int64_t axis) { return x[static_cast<int>(axis)].is(1) || at((*e.wanted.in[0]), static_cast<int>(axis)).count == 1; };
  for (size_t a = 0; a < perm.size(); ++a) {
    if (one(static_cast<int64_t>(a))) from.push_back(static_cast<int64_t>(a));
    if (one(perm[a])) to.push_back(static_cast<int64_t>(a));
    else rest.push_back(perm[a]);
  }
  if (from.empty() || !std::is_sorted(rest.begin(), rest.end())) return e.finish();
  const ValueId dense = e.emit(kSqueeze, {e.now.inputs[0], e.ints("ones", from)}, {}, "dense");
  e.finish(kUnsqueeze, {dense, e.ints("places", to)});
}

}  // namespace

constinit const Rule kReshapeRule = {reshape_reads, reshape_rewrite};
constinit const Rule kSqueezeRule = {reads_same_elements, squeeze_rewrite};
constinit const Rule kTransposeRule = {transpose_reads, transpose_rewrite};
constinit const Rule kUnsqueezeRule = {reads_same_elements};

}  // namespace tern::narrowing
