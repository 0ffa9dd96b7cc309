// See axes.h.
#include "kernels/movement/axes.h"

namespace tern {

Result<std::vector<int>> normalize_axes(std::span<const int64_t> axes, int rank) {
  std::vector<int> out;
  for (int64_t axis : axes) {
    auto a = normalize_axis(axis, rank);
    if (!a) return invalid("axis " + std::to_string(axis) + " is outside of rank " + std::to_string(rank));
    if (std::find(out.begin(), out.end(), *a) != out.end()) return invalid("axis " + std::to_string(axis) + " is named twice");
    out.push_back(*a);
  }
  return out;
}

Shape fresh_shape(int rank, InferContext& c) {
  Shape s(std::vector<Dim>{});
  for (int i = 0; i < rank; ++i) s.push_back(c.fresh());
  return s;
}

std::optional<int64_t> length_of(const InferContext& c, size_t input) {
  if (!c.has(input)) return std::nullopt;
  const Shape& s = c.shape(input);
  if (!s.ranked() || s.rank() != 1 || !s[0].known()) return std::nullopt;
  return s[0].value();
}

}  // namespace tern
