// Pictures that keep their proportions when they are resized: what is cut off before, or the margins. Next: proportions.cpp.
#pragma once
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {

// x [N, height, width, C] (or channels first), and the size that it is to have.
struct Picture {
  ValueId x;
  channels_last::Channels channels;
  int64_t to_height = 0, to_width = 0;
  int64_t height = 0, width = 0;  // as it is
};
// Fails the builder where x has no four axes, or a size is no number or makes no sense.
Picture picture(const Call& c, ValueId x, channels_last::Channels channels, int64_t to_height, int64_t to_width);

ValueId crop_to(const Call& c, const Picture& p, int64_t top, int64_t left, int64_t height, int64_t width);
// The largest part in the middle that has the proportions of the result.
ValueId middle(const Call& c, const Picture& p);
// With margins of `fill` that give it the proportions of the result.
ValueId framed(const Call& c, const Picture& p, double fill);

}  // namespace tern::keras
