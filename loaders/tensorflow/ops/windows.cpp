// See windows.h.
#include "loaders/tensorflow/ops/windows.h"

namespace tern::tensorflow {

using channels_last::Channels;
using channels_last::Window;

std::vector<int64_t> spatial_part(Call& c, const std::vector<int64_t>& all, int spatial, Channels channels, const char* what) {
  const auto n = static_cast<size_t>(spatial);
  if (all.empty()) return std::vector<int64_t>(n, 1);
  if (all.size() == n) return all;
  if (all.size() != n + 2) {
    c.fail(invalid(std::string(what) + " has " + std::to_string(all.size()) + " numbers, expected " + std::to_string(n + 2)));
    return std::vector<int64_t>(n, 1);
  }
  const size_t first = static_cast<size_t>(channels_last::first_spatial(channels));
  std::vector<int64_t> out;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i >= first && i < first + n) out.push_back(all[i]);
    else if (all[i] != 1) c.fail(unsupported(std::string(what) + " along the batch or the channels is not supported"));
  }
  return out;
}

Window window_of(Call& c, int spatial) {
  Window w;
  w.channels = channels_of(c);
  if (c.has("ksize")) w.kernel = spatial_part(c, c.ints("ksize"), spatial, w.channels, "ksize");
  w.strides = spatial_part(c, c.ints("strides"), spatial, w.channels, "strides");
  w.dilations = spatial_part(c, c.ints("dilations"), spatial, w.channels, "dilations");
  const std::string padding = c.string("padding", "");
  if (padding == "SAME" || padding == "VALID") {
    w.padding = padding == "SAME" ? Window::Padding::same : Window::Padding::valid;
    return w;
  }
  if (padding != "EXPLICIT") {
    c.fail(invalid("padding is '" + padding + "', expected SAME, VALID or EXPLICIT"));
    return w;
  }
  // Pairs, before and after, of all axes.
  w.padding = Window::Padding::given;
  const std::vector<int64_t> pairs = c.ints("explicit_paddings");
  if (pairs.size() != 2 * static_cast<size_t>(spatial + 2)) {
    c.fail(invalid("explicit_paddings has " + std::to_string(pairs.size()) + " numbers"));
    return w;
  }
  const auto first = static_cast<size_t>(channels_last::first_spatial(w.channels)), n = static_cast<size_t>(spatial);
  for (size_t side = 0; side < 2; ++side) {
    for (size_t i = 0; i < n; ++i) w.pads.push_back(pairs[2 * (first + i) + side]);
  }
  for (size_t i = 0; i < n + 2; ++i) {
    if ((i < first || i >= first + n) && (pairs[2 * i] != 0 || pairs[2 * i + 1] != 0))
      c.fail(invalid("explicit_paddings of the batch or the channels"));
  }
  return w;
}

}  // namespace tern::tensorflow
