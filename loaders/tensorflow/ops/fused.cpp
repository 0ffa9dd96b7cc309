// See fused.h.
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {

using channels_last::Channels;

Channels channels_of(Call& c) {
  const std::string format = c.string("data_format", "NHWC");
  if (format == "NHWC" || format == "NDHWC" || format == "NWC" || format == "CHANNELS_LAST") return Channels::last;
  if (format == "NCHW" || format == "NCDHW" || format == "NCW" || format == "CHANNELS_FIRST") return Channels::first;
  c.fail(unsupported("data_format " + format + " is not supported"));
  return Channels::last;
}

ValueId activated(Call& c, const std::string& name, ValueId x) {
  GraphBuilder& b = c.b;
  if (name == "Relu" || name == "Sigmoid" || name == "Tanh") return b.emit(name == "Relu" ? "Relu" : name == "Tanh" ? "Tanh" : "Sigmoid", {x});
  if (name == "Relu6") return b.emit("Clip", {x, b.scalar_like(x, 0), b.scalar_like(x, 6)});
  if (name == "Elu") return b.emit("Elu", {x}, attributes({{"alpha", 1.0f}}));
  if (name == "LeakyRelu") return b.emit("LeakyRelu", {x}, attributes({{"alpha", static_cast<float>(c.number("leakyrelu_alpha", 0.2f))}}));
  if (name == "GeluExact" || name == "GeluApproximate")
    return b.emit("Gelu", {x}, attributes({{"approximate", std::string(name == "GeluExact" ? "none" : "tanh")}}));
  if (name == "Identity") return x;
  return b.fail(unsupported("the fused operator " + name + " is not supported"));
}

ValueId fused(Call& c, ValueId x, size_t next, Channels channels) {
  for (const std::string& op : c.strings("fused_ops")) {
    if (!c.b.ok()) return kNone;
    if (op == "BiasAdd") {
      x = channels_last::bias_add(c.b, x, c.tensor(next++), channels);
    } else if (op == "Add") {
      x = c.b.emit("Add", {x, c.tensor(next++)});
    } else if (op == "FusedBatchNorm") {
      const channels_last::BatchNorm norm{c.tensor(next), c.tensor(next + 1), c.tensor(next + 2), c.tensor(next + 3), c.number("epsilon", 1e-4f)};
      next += 4;
      x = channels_last::batch_norm(c.b, x, channels_last::channel_axis(c.b.rank(x), channels), norm);
    } else {
      x = activated(c, op, x);
    }
  }
  return x;
}

}  // namespace tern::tensorflow
