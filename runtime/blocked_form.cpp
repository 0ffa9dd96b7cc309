// See blocked_form.h.
#include "runtime/blocked_form.h"

#include <algorithm>

#include "kernels/conv/map_blocks.h"
#include "runtime/fuse/activation.h"
#include "runtime/fuse/padding.h"

namespace tern {
namespace {

Dims dims(const Graph& g, ValueId v) { return g.value(v).type.shape.concrete(); }

// A Slice of channels alone, or of rows and columns with steps forward.
std::optional<Node> slice_form(const Graph& g, const Node& n) {
  const Dims x = dims(g, n.inputs[0]), y = dims(g, n.outputs[0]);
  std::optional<std::vector<int64_t>> ints[5];  // starts, ends, axes, steps
  for (size_t i = 1; i < n.inputs.size(); ++i) {
    if (n.inputs[i] == kNone) continue;
    ints[i] = g.is_constant(n.inputs[i]) ? as_ints(g.value(n.inputs[i]).constant.view()) : std::nullopt;
    if (!ints[i]) return std::nullopt;
  }
  std::vector<int64_t> first(static_cast<size_t>(x.rank), 0), steps(static_cast<size_t>(x.rank), 1);
  for (size_t i = 0; i < ints[1]->size(); ++i) {
    const auto axis = normalize_axis(ints[3] ? (*ints[3])[i] : static_cast<int64_t>(i), x.rank);
    if (!axis || (ints[4] && (*ints[4])[i] < 1)) return std::nullopt;
    const int64_t start = (*ints[1])[i], size = x[*axis];
    first[static_cast<size_t>(*axis)] = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
    if (ints[4]) steps[static_cast<size_t>(*axis)] = (*ints[4])[i];
  }
  if (x[0] != y[0] || steps[1] != 1) return std::nullopt;
  std::vector<int64_t> pads;
  for (int i = 2; i < x.rank; ++i) pads.push_back(-first[static_cast<size_t>(i)]);
  bool whole = true;
  for (size_t i = 2; i < first.size(); ++i) {
    const int at = static_cast<int>(i);
    pads.push_back(first[i] + (y[at] - 1) * steps[i] + 1 - x[at]);
    whole = whole && x[at] == y[at];
  }
  if (whole) return some_channels(g, n, n.outputs[0], first[1]);
  if (x[1] != y[1]) return std::nullopt;
  Node map{&kMapBlocks, n.name, {}, {n.inputs[0]}, n.outputs, {}};
  map.attrs.set("pads", pads);
  map.attrs.set("steps", std::vector<int64_t>(steps.begin() + 2, steps.end()));
  return map;
}

// Scales are what sizes say: 2.1 of 3 makes 6, too.
bool has_whole_scales(const Graph& g, const Node& n, const std::vector<int64_t>& by) {
  if (n.inputs.size() < 3 || n.inputs[2] == kNone) return true;
  const Tensor& scales = g.value(n.inputs[2]).constant;
  if (!scales.present() || scales.dtype() != DType::f32 || scales.count() < static_cast<int64_t>(by.size())) return false;
  const float* last = scales.data<float>() + scales.count() - by.size();
  return std::equal(by.begin(), by.end(), last, [](int64_t a, float b) { return static_cast<float>(a) == b; });
}

// How often a Resize repeats each element along each spatial axis; nothing when it does anything else.
std::optional<std::vector<int64_t>> repeats(const Graph& g, const Node& n) {
  const AttrReader attrs = n.read();
  const Dims x = dims(g, n.inputs[0]), y = dims(g, n.outputs[0]);
  if (attrs.s("mode") != "nearest" || attrs.s("coordinate_transformation_mode") != "asymmetric" || attrs.s("nearest_mode") != "floor")
    return std::nullopt;
  if (attrs.s("keep_aspect_ratio_policy") != "stretch" || attrs.i("antialias") != 0 || x[0] != y[0] || x[1] != y[1] || x.count() == 0)
    return std::nullopt;
  std::vector<int64_t> by;
  for (int i = 2; i < x.rank; ++i) {
    by.push_back(y[i] / x[i]);
    if (by.back() < 1 || y[i] % x[i] != 0) return std::nullopt;
  }
  return has_whole_scales(g, n, by) ? std::optional(by) : std::nullopt;
}

// Does a Resize compute every row and column from several others? It reads and writes blocked values as they are.
bool resamples(const Graph& g, const Node& n) {
  const AttrReader attrs = n.read();
  const Dims x = dims(g, n.inputs[0]), y = dims(g, n.outputs[0]);
  if (attrs.s("mode") == "nearest" || attrs.s("coordinate_transformation_mode") == "tf_crop_and_resize" || x[0] != y[0] || x[1] != y[1]) return false;
  for (int i = 2; i < x.rank; ++i) {
    if (x[i] == y[i]) return false;
  }
  return true;
}

// One element, or one a channel of y, or of each of its images.
bool is_of_channels(const Graph& g, ValueId v, const Dims& y) {
  if (!g.value(v).type.shape.known()) return false;
  const Dims d = dims(g, v);
  if (d.count() == 1 && d.rank <= y.rank) return true;
  const int axis = d.rank - y.rank + 1;
  if (axis < 0 || axis > 1 || d[axis] != y[1]) return false;
  return d.count() == y[1] * (axis == 1 ? d[0] : 1);
}

}  // namespace

bool suits_blocks(const Graph& g, ValueId v, int64_t fewest) {
  if (v == kNone || g.is_constant(v)) return false;
  const TypeInfo& t = g.value(v).type;
  if (t.dtype != DType::f32 || !t.shape.known() || (t.shape.rank() != 3 && t.shape.rank() != 4)) return false;
  const Dims d = t.shape.concrete();
  return d.count() > 0 && d[1] >= fewest;
}

Node some_channels(const Graph& g, const Node& n, ValueId y, int64_t first) {
  Node part{&kConcatBlocks, n.name, {}, {n.inputs[0]}, {y}, {}};
  part.attrs.set("first", first);
  part.attrs.set("channels", dims(g, y)[1]);
  return part;
}

std::optional<Node> blocked_form(const Graph& g, const Node& n, const std::vector<bool>& can_be_blocked) {
  if (n.outputs.size() != 1 || !suits_blocks(g, n.outputs[0])) return std::nullopt;
  const std::string_view op = n.op->name;
  auto blocked = [&](ValueId v) { return suits_blocks(g, v) && can_be_blocked[static_cast<size_t>(v)]; };
  auto whole = [&](ValueId v) { return blocked(v) && dims(g, v) == dims(g, n.outputs[0]); };
  Node map = n;
  map.op = &kMapBlocks;
  map.attrs = {};
  if (const auto activation = activation_of(g, n)) {
    if (!whole(activation->input)) return std::nullopt;
    set_epilogue(map.attrs, *activation);
    map.inputs = {activation->input};
    return map;
  }
  if (op == "Slice") return blocked(n.inputs[0]) ? slice_form(g, n) : std::nullopt;
  if (op == "Pad" || op == "Resize") {
    if (!blocked(n.inputs[0])) return std::nullopt;
    if (op == "Resize" && resamples(g, n)) return n;
    const auto around = op == "Pad" ? zero_padding(g, n) : repeats(g, n);
    if (!around) return std::nullopt;
    map.attrs.set(op == "Pad" ? "pads" : "repeats", *around);
    map.inputs.resize(1);
    return map;
  }
  map.attrs.set("map", std::string(op));
  if (op == "BatchNormalization") {
    map.attrs.set("epsilon", n.read().f("epsilon"));
    const bool all_f32 = std::all_of(n.inputs.begin(), n.inputs.end(), [&](ValueId v) { return g.value(v).type.dtype == DType::f32; });
    return all_f32 && whole(n.inputs[0]) ? std::optional(map) : std::nullopt;
  }
  constexpr std::string_view kOfTwo[] = {"Add", "Div", "Max", "Min", "Mul", "PRelu", "Sub"};
  if (map.inputs.size() != 2 || std::find(std::begin(kOfTwo), std::end(kOfTwo), op) == std::end(kOfTwo)) return std::nullopt;
  if ((op == "Add" || op == "Mul") && !whole(map.inputs[0])) std::swap(map.inputs[0], map.inputs[1]);
  if (!whole(map.inputs[0]) || (!whole(map.inputs[1]) && !is_of_channels(g, map.inputs[1], dims(g, n.outputs[0])))) return std::nullopt;
  return map;
}

}  // namespace tern
