// See channel_affine.h.
#include "runtime/fuse/channel_affine.h"

#include <cmath>

namespace tern {

std::optional<ChannelAffine> batch_norm(const Rewriter& r, const Node& node) {
  if (std::string_view(node.op->name) != "BatchNormalization" || node.read().i("training_mode") != 0) return std::nullopt;
  const Tensor* t[4];
  for (size_t i = 0; i < 4; ++i) {
    t[i] = r.constant(node.inputs[i + 1]);
    if (t[i] == nullptr || t[i]->count() != t[0]->count()) return std::nullopt;
  }
  ChannelAffine a;
  const double epsilon = node.read().f("epsilon");
  for (int64_t c = 0; c < t[0]->count(); ++c) {
    const double scale = t[0]->data<float>()[c] / std::sqrt(static_cast<double>(t[3]->data<float>()[c]) + epsilon);
    a.scale.push_back(static_cast<float>(scale));
    a.shift.push_back(static_cast<float>(t[1]->data<float>()[c] - t[2]->data<float>()[c] * scale));
  }
  return a;
}

Tensor vector_of(const std::vector<float>& values) { return Tensor::of<float>({static_cast<int64_t>(values.size())}, values); }

}  // namespace tern
