// See common.h.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {

int axis_of(Call& c, int64_t axis, int rank) {
  if (axis >= -rank && axis < rank) return static_cast<int>(axis < 0 ? axis + rank : axis);
  c.fail(invalid("axis " + std::to_string(axis) + " of a tensor with " + std::to_string(rank) + " dimensions"));
  return 0;
}

int axis_input(Call& c, size_t i, int rank) { return axis_of(c, known_int(c, i), rank); }

std::vector<int64_t> axes_input(Call& c, size_t i, int rank) {
  std::vector<int64_t> axes;
  for (int64_t axis : c.known_ints(i)) {
    if (!c.b.ok()) return {};
    axes.push_back(axis_of(c, axis, rank));
  }
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) c.fail(invalid("an axis is given twice"));
  return axes;
}

int64_t known_int(Call& c, size_t i) {
  const std::vector<int64_t> ints = c.known_ints(i);
  if (ints.size() == 1) return ints[0];
  c.fail(invalid("input " + std::to_string(i) + " has " + std::to_string(ints.size()) + " elements, expected one number"));
  return 0;
}

bool has_rank(Call& c, size_t i, int rank) {
  const int have = c.b.rank(c.tensor(i));
  if (!c.b.ok() || have == rank) return c.b.ok();
  c.fail(invalid("input " + std::to_string(i) + " has " + std::to_string(have) + " dimensions, expected " + std::to_string(rank)));
  return false;
}

ValueId square(GraphBuilder& b, ValueId x) { return b.emit("Mul", {x, x}); }

ValueId filled_like(GraphBuilder& b, ValueId like, DType dtype, double value) {
  return b.emit("Expand", {b.scalar(dtype, value), b.ints(sizes_of(b, like))});
}

ValueId reduced(GraphBuilder& b, const char* op, ValueId x, const std::vector<int64_t>& axes, bool keep_dims) {
  return b.emit(op, {x, b.ints(axes)}, attributes({{"keepdims", int64_t(keep_dims)}}));
}

ValueId counted(GraphBuilder& b, const Int& n) { return b.emit("Range", {b.scalar(Int(0)), b.scalar(n), b.scalar(Int(1))}); }

}  // namespace tern::tensorflow
