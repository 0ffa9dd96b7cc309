// Margins, and cells that become channels. See channels_last.h.
#include "loaders/channels_last/channels_last.h"

namespace tern::channels_last {
namespace {

constexpr int64_t kWidestMargin = int64_t(1) << 31;  // of a margin

// The margins of every axis: those of the spatial ones, and none of the others. Empty: the builder has failed.
Margins of_all_axes(GraphBuilder& b, ValueId x, const Margins& margins, Channels channels) {
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  if (rank != static_cast<int>(margins.size()) + 2) {
    b.fail(invalid("margins of " + std::to_string(margins.size()) + " spatial axes for an input of " + b.shape(x).text()));
    return {};
  }
  for (const auto& [before, after] : margins) {
    if (before >= 0 && after >= 0 && before <= kWidestMargin && after <= kWidestMargin) continue;
    b.fail(invalid("margins of " + std::to_string(before) + " and " + std::to_string(after)));
    return {};
  }
  Margins all(static_cast<size_t>(rank), {0, 0});
  std::copy(margins.begin(), margins.end(), all.begin() + first_spatial(channels));
  return all;
}

ValueId rearrange(GraphBuilder& b, const char* op, ValueId x, int64_t block, Channels channels) {
  if (b.rank(x) != 4) return b.ok() ? b.fail(invalid("the input is " + b.shape(x).text() + ", expected four dimensions")) : kNone;
  return channels_first(b, x, channels, [&](ValueId v) { return b.emit(op, {v}, attributes({{"blocksize", block}})); });
}

}  // namespace

ValueId zero_pad(GraphBuilder& b, ValueId x, const Margins& margins, Channels channels) {
  const Margins all = of_all_axes(b, x, margins, channels);
  std::vector<int64_t> pads(2 * all.size(), 0);
  for (size_t i = 0; i < all.size(); ++i) {
    pads[i] = all[i].first;
    pads[all.size() + i] = all[i].second;
  }
  return b.emit("Pad", {x, b.ints(pads)});
}

ValueId crop(GraphBuilder& b, ValueId x, const Margins& margins, Channels channels) {
  const Margins all = of_all_axes(b, x, margins, channels);
  for (size_t i = 0; i < all.size(); ++i) {
    const Dim& n = b.shape(x)[static_cast<int>(i)];
    if (b.ok() && n.known() && all[i].first + all[i].second > n.value())
      return b.fail(invalid("more is cropped than an axis of " + n.text() + " has"));
    x = slice(b, x, static_cast<int>(i), all[i].first, all[i].second == 0 ? INT64_MAX : -all[i].second);
  }
  return x;
}

ValueId space_to_depth(GraphBuilder& b, ValueId x, int64_t block, Channels channels) { return rearrange(b, "SpaceToDepth", x, block, channels); }
ValueId depth_to_space(GraphBuilder& b, ValueId x, int64_t block, Channels channels) { return rearrange(b, "DepthToSpace", x, block, channels); }

}  // namespace tern::channels_last
