// See proportions.h. Next: image.cpp.
#include "loaders/keras/layers/proportions.h"

#include <algorithm>

namespace tern::keras {

Picture picture(const Call& c, ValueId x, channels_last::Channels channels, int64_t to_height, int64_t to_width) {
  Picture p{x, channels, to_height, to_width};
  if (c.b.rank(x) != 4) c.invalid("its input has " + std::to_string(c.b.rank(x)) + " axes, not four");
  if (!c.b.ok()) return p;
  const int first = channels_last::first_spatial(p.channels);
  p.height = c.known_size(x, first), p.width = c.known_size(x, first + 1);
  constexpr int64_t kMost = int64_t(1) << 24;
  if (c.b.ok() && (std::min({p.to_height, p.to_width, p.height, p.width}) < 1 || std::max({p.to_height, p.to_width, p.height, p.width}) > kMost))
    c.invalid("a size of " + std::to_string(p.to_height) + " by " + std::to_string(p.to_width));
  return p;
}

namespace {

// n * to / by, cut to a whole number as f32 gives it.
int64_t share(int64_t n, int64_t to, int64_t by) { return static_cast<int64_t>(static_cast<float>(n * to) / static_cast<float>(by)); }

}  // namespace

ValueId crop_to(const Call& c, const Picture& p, int64_t top, int64_t left, int64_t height, int64_t width) {
  return channels_last::crop(c.b, p.x, {{top, p.height - height - top}, {left, p.width - width - left}}, p.channels);
}

ValueId middle(const Call& c, const Picture& p) {
  if (!c.b.ok()) return kNone;
  const int64_t height = std::max(std::min(p.height, share(p.width, p.to_height, p.to_width)), int64_t(1));
  const int64_t width = std::max(std::min(p.width, share(p.height, p.to_width, p.to_height)), int64_t(1));
  return crop_to(c, p, (p.height - height) / 2, (p.width - width) / 2, height, width);
}

ValueId framed(const Call& c, const Picture& p, double fill) {
  if (!c.b.ok()) return kNone;
  const int64_t height = std::max(p.height, share(p.width, p.to_height, p.to_width)),
                width = std::max(p.width, share(p.height, p.to_width, p.to_height));
  const int64_t top = (height - p.height) / 2, left = (width - p.width) / 2;
  const size_t first = static_cast<size_t>(channels_last::first_spatial(p.channels));
  std::vector<int64_t> pads(8, 0);
  pads[first] = pads[4 + first] = top;
  pads[first + 1] = pads[5 + first] = left;
  return c.emit("Pad", {p.x, c.b.ints(pads), number(c, p.x, fill)});
}

}  // namespace tern::keras
