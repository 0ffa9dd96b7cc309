// Convolutions, pools and padding. See rules.h.
//   Output o sees the inputs o*stride - begin + k*dilation. Of outputs that are a range these are a range again, whose step divides both: of outputs
//   7, 15, ... under a dilation of 4 every fourth input. Among those the window has a dilation of 1 and a stride of 2.
// What lies beyond the edges is padding as before, counted in elements of the range.
#include <algorithm>
#include <numeric>

#include "kernels/conv/window.h"
#include "kernels/movement/axes.h"
#include "kernels/movement/movement.h"
#include "runtime/narrow/rules.h"

namespace tern::narrowing {
namespace {

// One spatial axis of a window of which some outputs are wanted.
struct Sweep {
  int64_t first;           // where the window of the first output begins; negative: in the padding
  int64_t stride, count;   // from output to output
  int64_t dilation, taps;  // within a window
  int64_t last() const { return first + (count - 1) * stride + (taps - 1) * dilation; }
};

struct Swept {
  Window window;
  std::vector<Sweep> axes;  // spatial ones
};

// Nothing when an extent is not known, or the window does not fit.
std::optional<Swept> sweep(const Graph& g, const Node& n, const Region& y) {
  const Shape& x = shape(g, n.inputs[0]);
  std::vector<int64_t> in, kernel;
  for (int a = 2; a < x.rank(); ++a) {
    if (!x[a].known() || !shape(g, n.outputs[0])[a].known()) return std::nullopt;
    in.push_back(x[a].value());
  }
  if (n.op->macs != nullptr) {  // a convolution: its weights say it
    const Shape& w = shape(g, n.inputs[1]);
    if (!w.known() || w.rank() != x.rank()) return std::nullopt;
    for (int a = 2; a < w.rank(); ++a) kernel.push_back(w[a].value());
  }
  auto window = read_window(n.read(), x.rank() - 2, kernel);
  if (!window) return std::nullopt;
  window->ceil_mode = n.read().lists("ceil_mode") && n.read().i("ceil_mode") != 0;
  if (!fit_window(*window, n.read(), in)) return std::nullopt;
  Swept s{*window, {}};
  for (int a = 2; a < x.rank(); ++a) {
    const auto i = static_cast<size_t>(3 - window->spatial + a - 2);
    const Range& r = at(y, a);
    const int64_t stride = window->stride[i] * r.step;
    s.axes.push_back({r.start * window->stride[i] - window->begin[i], stride, r.extent(window->out[i]), window->dilation[i], window->kernel[i]});
  }
  return s;
}

// The inputs that it sees; nothing where that is padding alone.
std::optional<Range> seen(const Sweep& s, int64_t extent) {
  const int64_t step = std::gcd(s.count > 1 ? s.stride : 0, s.taps > 1 ? s.dilation : 0);
  return clip(s.first, std::max<int64_t>(step, 1), step == 0 ? 1 : (s.last() - s.first) / step + 1, extent);
}

// The same among the elements of `have`; nothing when it does not see these alone.
struct Placed {
  int64_t stride, dilation, begin, end;
};
std::optional<Placed> placed(const Sweep& s, const Range& have, int64_t extent) {
  const int64_t step = have.all() ? 1 : have.step, before = have.start - s.first;
  if (before < 0 || (s.count > 1 && s.stride % step != 0) || (s.taps > 1 && s.dilation % step != 0)) return std::nullopt;
  Placed p{s.count > 1 ? s.stride / step : 1, s.taps > 1 ? s.dilation / step : 1, before / step, 0};
  p.end = (s.count - 1) * p.stride + (s.taps - 1) * p.dilation + 1 - p.begin - have.extent(extent);
  if (p.end < 0 && -p.end >= p.stride) return std::nullopt;  // there would be another output
  p.end = std::max<int64_t>(p.end, 0);
  return p;
}

bool window_reads(const Graph& g, const Node& n, Wanted& w) {
  Region& y = *w.out[0];
  if (y.size() < 3 || !one_output(n)) return false;
  auto s = sweep(g, n, y);
  if (!s) return false;
  at(*w.in[0], 0) = at(y, 0);
  for (int a = 2; a < static_cast<int>(y.size()); ++a) {
    if (at(y, a).all()) continue;
    const auto read = seen(s->axes[static_cast<size_t>(a - 2)], *extent(g, n.inputs[0], a));
    if (read) at(*w.in[0], a) = *read;
    else at(y, a) = {};
  }
  return true;
}

bool window_takes(const Graph& g, const Node& n, const Wanted& w, size_t i, const Region& have) {
  if (i != 0 || at(have, 0) != at(*w.in[0], 0) || at(have, 1) != at(*w.in[0], 1)) return false;
  const auto s = sweep(g, n, *w.out[0]);
  for (size_t a = 0; a < s->axes.size(); ++a) {
    if (have[a + 2] != (*w.in[0])[a + 2] && !placed(s->axes[a], have[a + 2], s->window.in[3 - s->axes.size() + a])) return false;
  }
  return true;
}

void window_rewrite(Edit& e) {
  const auto s = sweep(e.graph, e.was, *e.wanted.out[0]);
  const size_t n = s->axes.size();
  std::vector<int64_t> strides, dilations, pads(2 * n);
  for (size_t a = 0; a < n; ++a) {
    const size_t i = 3 - n + a;
    const Window& w = s->window;
    Placed p{w.stride[i], w.dilation[i], w.begin[i], w.end[i]};
    if (!e.have[0][a + 2].all() || !(*e.wanted.out[0])[a + 2].all()) p = *placed(s->axes[a], e.have[0][a + 2], w.in[i]);
    else if (w.ceil_mode) p.end = std::max<int64_t>(0, (w.out[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1 - w.begin[i] - w.in[i]);
    strides.push_back(p.stride);
    dilations.push_back(p.dilation);
    pads[a] = p.begin;
    pads[n + a] = p.end;
  }
  for (const char* name : {"auto_pad", "ceil_mode"}) e.now.attrs.erase(name);
  e.now.attrs.set("strides", std::move(strides));
  e.now.attrs.set("dilations", std::move(dilations));
  e.now.attrs.set("pads", std::move(pads));
  e.finish();
}

// Fewer channels would be summed in another order, or be other weights.
bool conv_reads(const Graph& g, const Node& n, Wanted& w) {
  at(*w.out[0], 1) = {};
  if (!window_reads(g, n, w)) return false;
  if (given(n, 3)) w.in[3] = w.out[0];  // the residual
  return true;
}
bool max_reads(const Graph& g, const Node& n, Wanted& w) {
  if (!window_reads(g, n, w)) return false;
  at(*w.in[0], 1) = at(*w.out[0], 1);
  return true;
}
// A mean counts what its pads say, but not what ceil_mode adds to them.
bool average_reads(const Graph& g, const Node& n, Wanted& w) {
  return (n.read().i("ceil_mode") == 0 || n.read().i("count_include_pad") == 0) && max_reads(g, n, w);
}

// ---- Pad ----

// How much before and behind each axis; nothing when it is not known, or not filled with one value.
std::optional<std::vector<int64_t>> padding(const Graph& g, const Node& n) {
  const int rank = shape(g, n.inputs[0]).rank();
  const auto pads = list(g, n, 1), axes = list(g, n, 3);
  if (!pads || n.read().s("mode") != "constant" || (given(n, 3) && !axes)) return std::nullopt;
  const size_t listed = axes ? axes->size() : static_cast<size_t>(rank);
  std::vector<int64_t> all(static_cast<size_t>(2 * rank), 0);
  if (pads->size() != 2 * listed) return std::nullopt;
  for (size_t i = 0; i < 2 * listed; ++i) {
    const auto axis = normalize_axis(axes ? (*axes)[i % listed] : static_cast<int64_t>(i), axes ? rank : 2 * rank);
    if (!axis) return std::nullopt;
    all[static_cast<size_t>(axes && i >= listed ? *axis + rank : *axis)] += (*pads)[i];
  }
  return all;
}

bool pad_reads(const Graph& g, const Node& n, Wanted& w) {
  const auto pads = padding(g, n);
  if (!pads) return false;
  for (int a = 0; a < static_cast<int>(w.out[0]->size()); ++a) {
    Range& y = at(*w.out[0], a);
    const auto of = extent(g, n.inputs[0], a);
    if (y.all()) continue;
    const auto inside = of ? clip(y.start - (*pads)[static_cast<size_t>(a)], y.step, y.count, *of) : std::nullopt;
    if (inside) at(*w.in[0], a) = *inside;
    else y = {};
  }
  return true;
}
void pad_rewrite(Edit& e) {
  std::vector<int64_t> pads = *padding(e.graph, e.was);
  const size_t rank = e.have[0].size();
  for (size_t a = 0; a < rank; ++a) {
    const Range& y = (*e.wanted.out[0])[a];
    if (y.all()) continue;
    const int64_t of = *extent(e.graph, e.was.inputs[0], static_cast<int>(a));
    const int64_t first = y.start - pads[a], real = e.have[0][a].start;
    pads[a] = (real - first) / y.step;
    pads[rank + a] = y.count - pads[a] - e.have[0][a].extent(of);
  }
  if (std::all_of(pads.begin(), pads.end(), [](int64_t p) { return p == 0; })) return e.finish(kIdentity, {e.now.inputs[0]});
  e.now.inputs.resize(std::min<size_t>(e.now.inputs.size(), 3));
  e.now.inputs[1] = e.ints("pads", pads);
  e.finish();
}

}  // namespace

constinit const Rule kConvRule = {conv_reads, window_rewrite, window_takes};
constinit const Rule kMaxPoolRule = {max_reads, window_rewrite, window_takes};
constinit const Rule kAveragePoolRule = {average_reads, window_rewrite, window_takes};
constinit const Rule kPadRule = {pad_reads, pad_rewrite};

}  // namespace tern::narrowing
