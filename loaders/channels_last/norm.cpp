// Batch normalization. See channels_last.h. Next: resize.cpp.
#include "loaders/channels_last/channels_last.h"

namespace tern::channels_last {
namespace {

// A vector of the same value, as long as `like`.
ValueId all(GraphBuilder& b, ValueId like, double value) {
  return b.emit("Expand", {b.scalar_like(like, value), b.ints(std::vector<Int>{b.size(like, 0)})});
}

}  // namespace

ValueId batch_norm(GraphBuilder& b, ValueId x, int axis, const BatchNorm& norm) {
  const int rank = b.rank(x);
  if (!b.ok()) return kNone;
  if (rank < 2 || axis < 0 || axis >= rank)
    return b.fail(invalid("batch normalization along axis " + std::to_string(axis) + " of " + b.shape(x).text()));
  const ValueId gamma = norm.gamma == kNone ? all(b, norm.mean, 1) : norm.gamma, beta = norm.beta == kNone ? all(b, norm.mean, 0) : norm.beta;
  auto normalized = [&](ValueId v) {
    return b.emit("BatchNormalization", {v, gamma, beta, norm.mean, norm.variance}, attributes({{"epsilon", static_cast<float>(norm.epsilon)}}));
  };
  if (axis == 1) return normalized(x);
  if (axis == rank - 1) return to_last(b, normalized(to_first(b, x)));
  return transpose(b, normalized(transpose(b, x, 1, axis)), 1, axis);
}

}  // namespace tern::channels_last
