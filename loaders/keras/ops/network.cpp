// Operations of networks: activations, convolutions, pools, norms, images. See ops.h. Next: ../layers/layer.h.
#include <cmath>

#include "loaders/channels_last/channels_last.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using channels_last::Channels;
using channels_last::Window;

constexpr const char* kX = "x|features|logits|input|inputs|images|value";

// An activation by name; its settings lie in the operation's config, or are arguments, whose defaults are those of the function.
template <Text name>
Flows activate(Call& c) {
  return {{activation(c, name.text, c.config, Operands(c).tensor(0, kX))}};
}

Flows softmax(Call& c) {
  const Operands o(c);
  return {{c.emit("Softmax", {o.tensor(0, kX)}, attributes({{"axis", o.integer("axis|dim", -1, 1)}}))}};
}
Flows log_softmax(Call& c) {
  const Operands o(c);
  return {{c.emit("LogSoftmax", {o.tensor(0, kX)}, attributes({{"axis", o.integer("axis|dim", -1, 1)}}))}};
}
Flows leaky_relu(Call& c) {
  const Operands o(c);
  const auto slope = static_cast<float>(o.number("negative_slope|alpha", 0.2, 1));
  return {{c.emit("LeakyRelu", {o.tensor(0, kX)}, attributes({{"alpha", slope}}))}};
}
Flows gelu(Call& c) {
  const Operands o(c);
  const bool approximate = o.flag("approximate", c.layer.class_name == "ops.Gelu");
  return {{c.emit("Gelu", {o.tensor(0, kX)}, attributes({{"approximate", std::string(approximate ? "tanh" : "none")}}))}};
}

// Spatial numbers of a window; those of tf have the batch and the channels too.
std::vector<int64_t> spatial(const Operands& o, const char* names, int axes, Channels channels) {
  std::vector<int64_t> out = o.ints(names);
  if (out.size() == 1) out.assign(static_cast<size_t>(axes), out[0]);
  if (out.size() == static_cast<size_t>(axes) + 2) {
    out.erase(out.begin());
    if (channels == Channels::last) out.pop_back();
    else out.erase(out.begin());
  }
  return out;
}

Window window_of(const Operands& o, int rank) {
  Window w;
  const std::string format = o.text("data_format", "channels_last"), padding = o.text("padding", "valid");
  w.channels = format == "channels_first" || format.starts_with("NC") ? Channels::first : Channels::last;
  w.padding = padding == "same" || padding == "SAME" ? Window::Padding::same : Window::Padding::valid;
  w.strides = spatial(o, "strides|stride", rank - 2, w.channels);
  w.dilations = spatial(o, "dilation_rate|dilations", rank - 2, w.channels);
  return w;
}

Flows conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX), kernel = o.tensor(1, "kernel|filters|filter");
  return {{channels_last::conv(c.b, x, kernel, window_of(o, c.b.rank(x)))}};
}
Flows depthwise_conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX), kernel = o.tensor(1, "kernel|filter");
  return {{channels_last::depthwise_conv(c.b, x, kernel, window_of(o, c.b.rank(x)))}};
}

template <channels_last::Pool kind>
Flows pool(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX);
  Window w = window_of(o, c.b.rank(x));
  w.kernel = spatial(o, "pool_size|ksize", c.b.rank(x) - 2, w.channels);
  if (w.strides.empty()) w.strides = w.kernel;
  return {{channels_last::pool(c.b, x, kind, w)}};
}

// x * gain + shift, as TensorFlow computes it.
Flows batch_norm(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX), mean = o.tensor(1, "mean"), variance = o.tensor(2, "variance");
  const int rank = c.b.rank(x);
  std::vector<Int> along(static_cast<size_t>(rank), Int(1));
  const int axis = c.axis(o.integer("axis", -1), rank);
  if (!c.b.ok()) return {};
  along[static_cast<size_t>(axis)] = c.b.size(x, axis);
  const bool tf = c.layer.class_name.starts_with("tf.");
  const auto aligned = [&](ValueId v) { return tf ? v : c.b.reshape(v, along); };
  const ValueId spread = c.emit("Sqrt", {c.emit("Add", {aligned(variance), c.b.scalar_like(variance, o.number("epsilon|variance_epsilon", 1e-3))})});
  ValueId gain = c.emit("Div", {c.b.scalar_like(spread, 1), spread});
  if (const ValueId scale = c.tensor(4, "scale"); scale != kNone) gain = c.emit("Mul", {gain, aligned(scale)});
  ValueId shift = c.emit("Neg", {c.emit("Mul", {aligned(mean), gain})});
  if (const ValueId offset = c.tensor(3, "offset"); offset != kNone) shift = c.emit("Add", {shift, aligned(offset)});
  return {{c.emit("Add", {c.emit("Mul", {x, gain}), shift})}};
}

Flows resize(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX);
  using channels_last::Resize;
  Resize how;
  std::string filter = o.text("interpolation|method", "bilinear");
  constexpr std::pair<const char*, Resize::Filter> kFilters[] = {{"nearest", Resize::Filter::nearest},   {"bilinear", Resize::Filter::bilinear},
                                                                 {"bicubic", Resize::Filter::bicubic},   {"lanczos3", Resize::Filter::lanczos3},
                                                                 {"lanczos5", Resize::Filter::lanczos5}, {"area", Resize::Filter::area}};
  bool known = false;
  for (const auto& [name, value] : kFilters) {
    if (filter == name) how.filter = value, known = true;
  }
  if (!known || o.flag("crop_to_aspect_ratio|preserve_aspect_ratio", false) || o.flag("pad_to_aspect_ratio", false)) {
    return c.unsupported("resizing that keeps the aspect ratio, or by " + filter + ",");
  }
  how.antialias = o.flag("antialias", false);
  const Channels channels = o.text("data_format") == "channels_first" ? Channels::first : Channels::last;
  return {{channels_last::resize(c.b, x, o.sizes("size", 1), how, channels)}};
}

// 0.2989 R + 0.587 G + 0.114 B
Flows to_gray(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kX);
  const int rank = c.b.rank(x);
  const int axis = o.text("data_format") == "channels_first" ? rank - 3 : rank - 1;
  if (axis < 0) return c.invalid("its input is no image");
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  dims[static_cast<size_t>(axis)] = 3;
  const float weights[] = {0.2989F, 0.587F, 0.114F};
  const ValueId w = c.b.cast(c.b.constant(Tensor::of<float>(Dims(dims), weights)), c.b.dtype(x));
  return {{c.emit("ReduceSum", {c.emit("Mul", {x, w}), c.b.ints({axis})}, attributes({{"keepdims", int64_t(1)}}))}};
}

template <int from_end>
Flows mirrored(Call& c) {
  const ValueId x = Operands(c).tensor(0, "image|images");
  return {{reverse(c.b, x, c.b.rank(x) - from_end)}};
}

// softmax(scale q k' + mask) v; q, k, v [batch, time, heads, features].
Flows attention(Call& c) {
  const Operands o(c);
  const auto heads_first = [&](size_t place, const char* name) { return permute(c.b, o.tensor(place, name), {0, 2, 1, 3}); };
  const ValueId q = heads_first(0, "query"), k = heads_first(1, "key"), v = heads_first(2, "value");
  if (o.flag("is_causal", false) || o.has("bias") || o.has("attn_logits_soft_cap")) return c.unsupported("this attention");
  const double scale = o.number("scale", 1 / std::sqrt(static_cast<double>(c.known_size(q, -1))));
  ValueId scores = c.emit("MatMul", {c.emit("Mul", {q, c.b.scalar_like(q, scale)}), transpose(c.b, k, 2, 3)});
  if (const Argument mask = o.get(4, "mask"); !mask.is_none()) {
    scores = c.emit("Where", {c.b.cast(o.tensor(mask), DType::boolean), scores, c.b.scalar_like(scores, -3.4e38)});
  }
  const ValueId y = c.emit("MatMul", {c.emit("Softmax", {scores}, attributes({{"axis", int64_t(-1)}})), v});
  return {{permute(c.b, y, {0, 2, 1, 3})}};
}

template <ValueId (*move)(GraphBuilder&, ValueId, int64_t, Channels)>
Flows blocks(Call& c) {
  const Operands o(c);
  const std::string format = o.text("data_format", "channels_last");
  return {
      {move(c.b, o.tensor(0, kX), o.integer("block_size", 1, 1), format == "channels_first" || format == "NCHW" ? Channels::first : Channels::last)}};
}

constexpr LayerRow kRows[] = {
    {"ops.Relu tf.nn.relu", activate<"relu">},
    {"ops.Relu6 tf.nn.relu6", activate<"relu6">},
    {"ops.Sigmoid tf.math.sigmoid tf.nn.sigmoid tf.sigmoid", activate<"sigmoid">},
    {"ops.Tanh tf.math.tanh tf.tanh tf.nn.tanh", activate<"tanh">},
    {"ops.Silu tf.nn.silu tf.nn.swish", activate<"silu">},
    {"ops.Softplus tf.math.softplus tf.nn.softplus", activate<"softplus">},
    {"ops.Softsign tf.nn.softsign tf.math.softsign", activate<"softsign">},
    {"ops.Elu tf.nn.elu", activate<"elu">},
    {"ops.Selu tf.nn.selu", activate<"selu">},
    {"ops.Celu", activate<"celu">},
    {"ops.Glu", activate<"glu">},
    {"ops.HardSigmoid", activate<"hard_sigmoid">},
    {"ops.HardSilu", activate<"hard_silu">},
    {"ops.HardTanh", activate<"hard_tanh">},
    {"ops.HardShrink", activate<"hard_shrink">},
    {"ops.SoftShrink", activate<"soft_shrink">},
    {"ops.TanhShrink", activate<"tanh_shrink">},
    {"ops.Threshold", activate<"threshold">},
    {"ops.LogSigmoid tf.math.log_sigmoid", activate<"log_sigmoid">},
    {"ops.SparsePlus", activate<"sparse_plus">},
    {"ops.SparseSigmoid", activate<"sparse_sigmoid">},
    {"ops.Squareplus", activate<"squareplus">},
    {"ops.Softmax tf.nn.softmax tf.math.softmax", softmax},
    {"ops.LogSoftmax tf.nn.log_softmax tf.math.log_softmax", log_softmax},
    {"ops.LeakyRelu tf.nn.leaky_relu", leaky_relu},
    {"ops.Gelu tf.nn.gelu", gelu},
    {"ops.Conv tf.nn.convolution tf.nn.conv2d tf.nn.conv1d tf.nn.conv3d", conv},
    {"ops.DepthwiseConv tf.nn.depthwise_conv2d", depthwise_conv},
    {"ops.MaxPool tf.nn.max_pool tf.nn.max_pool2d tf.nn.max_pool1d tf.nn.max_pool3d", pool<channels_last::Pool::max>},
    {"ops.AveragePool tf.nn.avg_pool tf.nn.avg_pool2d tf.nn.avg_pool1d tf.nn.avg_pool3d", pool<channels_last::Pool::average>},
    {"ops.BatchNorm tf.nn.batch_normalization", batch_norm},
    {"ops.DotProductAttention", attention},
    {"ops.RGBToGrayscale tf.image.rgb_to_grayscale", to_gray},
    {"tf.image.flip_left_right", mirrored<2>},
    {"tf.image.flip_up_down", mirrored<3>},
    {"ops.Resize tf.image.resize", resize},
    {"ops.DepthToSpace tf.nn.depth_to_space", blocks<channels_last::depth_to_space>},
    {"ops.SpaceToDepth tf.nn.space_to_depth", blocks<channels_last::space_to_depth>},
};

}  // namespace

std::span<const LayerRow> network_operations() { return kRows; }

}  // namespace tern::keras
