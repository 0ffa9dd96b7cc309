// See padding.h.
#include "runtime/fuse/padding.h"

#include <cmath>
#include <numeric>

namespace tern {
namespace {

constexpr int64_t kMostPadding = 1 << 20;

std::optional<std::vector<int64_t>> constant_ints(const Graph& g, ValueId v) {
  return g.is_constant(v) ? as_ints(g.value(v).constant.view()) : std::nullopt;
}

}  // namespace

std::optional<std::vector<int64_t>> zero_padding(const Graph& g, const Node& pad) {
  const int rank = g.value(pad.inputs[0]).type.shape.rank();
  const auto pads = constant_ints(g, pad.inputs[1]);
  if (g.value(pad.inputs[0]).type.dtype != DType::f32 || rank < 3 || !pads || pad.read().s("mode") != "constant") return std::nullopt;
  if (pad.inputs.size() > 2 && pad.inputs[2] != kNone) {
    const Tensor& value = g.value(pad.inputs[2]).constant;
    if (!value.present() || value.count() != 1 || *value.data<float>() != 0 || std::signbit(*value.data<float>())) return std::nullopt;
  }
  std::vector<int> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (pad.inputs.size() > 3 && pad.inputs[3] != kNone) {
    const auto listed = constant_ints(g, pad.inputs[3]);
    if (!listed) return std::nullopt;
    axes.clear();
    for (int64_t a : *listed) axes.push_back(normalize_axis(a, rank).value_or(0));
  }
  const auto n = static_cast<int64_t>(axes.size()), spatial = int64_t(rank) - 2;
  if (static_cast<int64_t>(pads->size()) != 2 * n) return std::nullopt;
  std::vector<int64_t> around(static_cast<size_t>(2 * spatial), 0);
  for (int64_t i = 0; i < 2 * n; ++i) {
    const int64_t by = (*pads)[static_cast<size_t>(i)], axis = axes[static_cast<size_t>(i % n)];
    if (by < 0 || by > kMostPadding || (axis < 2 && by != 0)) return std::nullopt;
    if (axis >= 2) around[static_cast<size_t>(i / n * spatial + axis - 2)] += by;
  }
  return around;
}

}  // namespace tern
