// Operations of networks: activations, convolutions, pools, norms. See ops.h. Next: picture.cpp.
#include <algorithm>
#include <cmath>

#include "loaders/keras/layers/attention.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using channels_last::Channels;
using channels_last::Window;

constexpr const char* kNetworkX = "x|features|logits|input|inputs|images|value";

// An activation by name; its settings lie in the operation's config, or are arguments, whose defaults are those of the function.
template <Text name>
Flows activate(Call& c) {
  return {{activation(c, name.text, c.config, Operands(c).tensor(0, kNetworkX))}};
}
// tf.nn.silu has a factor: x sigmoid(beta x).
Flows silu(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX);
  const double beta = c.layer.class_name.starts_with("tf.") ? o.number("beta", 1, 1) : 1;
  return {{c.emit("Mul", {x, c.emit("Sigmoid", {beta == 1 ? x : c.emit("Mul", {x, number(c, x, beta)})})})}};
}
Flows tanh(Call& c) {
  const Operands o(c);
  return {{c.emit("Tanh", {o.real(o.tensor(0, kNetworkX))})}};
}

// Over one axis; of keras.ops over all of them where it is null.
template <Text op>
Flows softmax(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX);
  const auto over = [&](ValueId v, int64_t axis) { return c.emit(op.text, {v}, attributes({{"axis", axis}})); };
  if (!c.layer.class_name.starts_with("ops.") || o.has("axis")) return {{over(x, o.integer("axis|dim", -1, 1))}};
  return {{c.b.reshape(over(c.b.reshape(x, {-1}), 0), sizes_of(c.b, x))}};
}
Flows leaky_relu(Call& c) {
  const Operands o(c);
  const auto slope = static_cast<float>(o.number("negative_slope|alpha", 0.2, 1));
  return {{c.emit("LeakyRelu", {o.tensor(0, kNetworkX)}, attributes({{"alpha", slope}}))}};
}
Flows gelu(Call& c) {
  const Operands o(c);
  const bool approximate = o.flag("approximate", c.layer.class_name == "ops.Gelu");
  return {{c.emit("Gelu", {o.tensor(0, kNetworkX)}, attributes({{"approximate", std::string(approximate ? "tanh" : "none")}}))}};
}

// Spatial numbers of a window; those of tf have the batch and the channels too.
std::vector<int64_t> spatial(const Operands& o, const char* names, int axes, Channels channels) {
  std::vector<int64_t> out = o.ints(names);
  if (axes < 1) return {};
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
  if (o.has("padding") && !o.get(kNamed, "padding").is(Argument::Kind::text)) o.c.unsupported("padding in numbers");
  w.channels = format == "channels_first" || format.starts_with("NC") ? Channels::first : Channels::last;
  w.padding = padding == "same" || padding == "SAME" ? Window::Padding::same : Window::Padding::valid;
  w.strides = spatial(o, "strides|stride", rank - 2, w.channels);
  w.dilations = spatial(o, "dilation_rate|dilations|rate", rank - 2, w.channels);
  return w;
}

Flows conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), kernel = o.tensor(1, "kernel|filters|filter");
  return {{channels_last::conv(c.b, x, kernel, window_of(o, c.b.rank(x)))}};
}
Flows bias_add(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), bias = o.tensor(o.get(1, "bias"), c.b.dtype(x));
  return {{channels_last::bias_add(c.b, x, bias, o.text("data_format").starts_with("NC") ? Channels::first : Channels::last)}};
}
Flows crelu(Call& c) {  // of x, and of -x behind it
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX);
  return {{c.emit("Relu", {concat(c.b, {x, c.emit("Neg", {x})}, c.axis(o.integer("axis", -1, 1), c.b.rank(x)))})}};
}
Flows depthwise_conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), kernel = o.tensor(1, "kernel|filter");
  return {{channels_last::depthwise_conv(c.b, x, kernel, window_of(o, c.b.rank(x)))}};
}

Flows separable_conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), depthwise = o.tensor(1, "depthwise_kernel"), pointwise = o.tensor(2, "pointwise_kernel");
  const Window w = window_of(o, c.b.rank(x));
  return {{channels_last::conv(c.b, channels_last::depthwise_conv(c.b, x, depthwise, w), pointwise, {.channels = w.channels})}};
}
Flows conv_transpose(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), kernel = o.tensor(1, "kernel");
  if (o.has("output_padding")) return c.unsupported("conv_transpose with output_padding");
  return {{channels_last::conv_transpose(c.b, x, kernel, window_of(o, c.b.rank(x)))}};
}

// Divided by the deviation along the axes, with the mean taken off or (rms) not.
template <bool rms>
Flows axis_norm(Call& c) {
  const Operands o(c);
  const ValueId given = o.tensor(0, kNetworkX), x = widened(c, o.real(given));
  const std::vector<int64_t> axes = o.has("axis") ? o.axes("axis", c.b.rank(x)) : std::vector<int64_t>{int64_t(c.b.rank(x)) - 1};
  const auto mean = [&](ValueId v) { return reduce(c, "ReduceMean", v, axes, true); };
  std::vector<Int> along(static_cast<size_t>(c.b.rank(x)), Int(1));
  for (int64_t a : axes) along[static_cast<size_t>(a)] = c.b.size(x, static_cast<int>(a));
  const ValueId d = rms ? x : c.emit("Sub", {x, mean(x)});
  const ValueId spread = c.emit("Add", {mean(c.emit("Mul", {d, d})), number(c, x, o.number("epsilon", 1e-7))});
  ValueId y = c.emit("Div", {d, c.emit("Sqrt", {spread})});
  const auto scaled = [&](const char* op, size_t place, const char* name) {
    if (const Argument a = o.get(place, name); !a.is_none()) y = c.emit(op, {y, c.b.reshape(o.tensor(a, c.b.dtype(y)), along)});
  };
  scaled("Mul", 1, rms ? "scale" : "gamma");
  if (!rms) scaled("Add", 2, "beta");
  return {{is_float(c.b.dtype(given)) ? c.b.cast(y, c.b.dtype(given)) : y}};
}

template <channels_last::Pool kind>
Flows pool(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX);
  Window w = window_of(o, c.b.rank(x));
  w.kernel = spatial(o, "pool_size|ksize", c.b.rank(x) - 2, w.channels);
  if (w.strides.empty()) w.strides = w.kernel;
  return {{channels_last::pool(c.b, x, kind, w)}};
}

// x * gain + shift, as TensorFlow computes it.
Flows batch_norm(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kNetworkX), mean = o.tensor(1, "mean"), variance = o.tensor(2, "variance");
  const int rank = c.b.rank(x);
  std::vector<Int> along(static_cast<size_t>(rank), Int(1));
  const int axis = c.axis(o.integer("axis", -1), rank);
  if (!c.b.ok()) return {};
  along[static_cast<size_t>(axis)] = c.b.size(x, axis);
  const bool tf = c.layer.class_name.starts_with("tf.");
  const auto aligned = [&](ValueId v) { return tf ? v : c.b.reshape(v, along); };
  const ValueId spread = c.emit("Sqrt", {c.emit("Add", {aligned(variance), c.b.scalar_like(variance, o.number("epsilon|variance_epsilon", 1e-3))})});
  ValueId gain = c.emit("Div", {c.b.scalar_like(spread, 1), spread});
  const Argument scale = o.get(4, "scale"), offset = o.get(3, "offset");
  if (!scale.is_none()) gain = c.emit("Mul", {gain, aligned(o.tensor(scale, c.b.dtype(x)))});
  ValueId shift = c.emit("Neg", {c.emit("Mul", {aligned(mean), gain})});
  if (!offset.is_none()) shift = c.emit("Add", {shift, aligned(o.tensor(offset, c.b.dtype(x)))});
  return {{c.emit("Add", {c.emit("Mul", {x, gain}), shift})}};
}

// softmax(scale q k' + bias, where the mask says so) v; q, k, v [batch, time, heads, features]. A head of k and v may serve several of q.
Flows attention(Call& c) {
  const Operands o(c);
  const auto heads_first = [&](size_t place, const char* name) { return permute(c.b, o.tensor(place, name), {0, 2, 1, 3}); };
  const ValueId q = heads_first(0, "query");
  ValueId k = heads_first(1, "key"), v = heads_first(2, "value");
  if (o.has("attn_logits_soft_cap")) return c.unsupported("attention with a soft cap");
  const int64_t groups = c.known_size(q, 1) / std::max<int64_t>(c.known_size(k, 1), 1);
  const double scale = o.number("scale", 1 / std::sqrt(static_cast<double>(c.known_size(q, -1))));
  if (!c.b.ok()) return {};
  const auto shared = [&](ValueId x) {  // each head `groups` times
    std::vector<Int> sizes = sizes_of(c.b, x);
    sizes[1] = c.b.mul(sizes[1], groups);
    return c.b.reshape(c.emit("Tile", {unsqueeze(c.b, x, {2}), c.b.ints({1, 1, groups, 1, 1})}), sizes);
  };
  if (groups > 1) k = shared(k), v = shared(v);
  ValueId scores = c.emit("MatMul", {c.emit("Mul", {q, c.b.scalar_like(q, scale)}), transpose(c.b, k, 2, 3)});
  if (const Argument bias = o.get(3, "bias"); !bias.is_none()) scores = c.emit("Add", {scores, o.tensor(bias, c.b.dtype(scores))});
  const Argument mask = o.get(4, "mask");
  ValueId counts = mask.is_none() ? kNone : c.b.cast(o.tensor(mask), DType::boolean);
  if (o.flag("is_causal", false)) counts = both(c, counts, band(c, c.b.size(scores, 2), c.b.size(scores, 3), true, 0));
  if (counts != kNone) scores = c.emit("Where", {counts, scores, c.b.scalar_like(scores, c.b.dtype(scores) == DType::f16 ? -3e4 : -2.38e38)});
  const ValueId y = c.emit("MatMul", {c.emit("Softmax", {scores}, attributes({{"axis", int64_t(-1)}})), v});
  return {{permute(c.b, y, {0, 2, 1, 3})}};
}

template <ValueId (*move)(GraphBuilder&, ValueId, int64_t, Channels)>
Flows blocks(Call& c) {
  const Operands o(c);
  const std::string format = o.text("data_format", "channels_last");
  return {{move(c.b, o.tensor(0, kNetworkX), o.integer("block_size", 1, 1),
                format == "channels_first" || format == "NCHW" ? Channels::first : Channels::last)}};
}

constexpr LayerRow kNetworkRows[] = {
    {"ops.Relu tf.nn.relu", activate<"relu">},
    {"ops.Relu6 tf.nn.relu6", activate<"relu6">},
    {"ops.Sigmoid tf.math.sigmoid tf.nn.sigmoid tf.sigmoid", activate<"sigmoid">},
    {"ops.Tanh tf.math.tanh tf.tanh tf.nn.tanh", tanh},
    {"ops.Silu tf.nn.silu tf.nn.swish", silu},
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
    {"ops.Sparsemax", activate<"sparsemax">},
    {"ops.Squareplus", activate<"squareplus">},
    {"ops.Softmax tf.nn.softmax tf.math.softmax", softmax<"Softmax">},
    {"ops.LogSoftmax tf.nn.log_softmax tf.math.log_softmax", softmax<"LogSoftmax">},
    {"ops.LeakyRelu tf.nn.leaky_relu", leaky_relu},
    {"ops.Gelu tf.nn.gelu", gelu},
    {"ops.Conv tf.nn.convolution tf.nn.conv2d tf.nn.conv1d tf.nn.conv3d tf.compat.v1.nn.conv1d tf.compat.v1.nn.conv2d", conv},
    {"tf.nn.bias_add", bias_add},
    {"tf.nn.crelu tf.compat.v1.nn.crelu", crelu},
    {"ops.DepthwiseConv tf.nn.depthwise_conv2d tf.compat.v1.nn.depthwise_conv2d", depthwise_conv},
    {"ops.SeparableConv", separable_conv},
    {"ops.ConvTranspose", conv_transpose},
    {"ops.LayerNorm", axis_norm<false>},
    {"ops.RMSNorm", axis_norm<true>},
    {"ops.MaxPool tf.nn.max_pool tf.nn.max_pool2d tf.nn.max_pool1d tf.nn.max_pool3d", pool<channels_last::Pool::max>},
    {"ops.AveragePool tf.nn.avg_pool tf.nn.avg_pool2d tf.nn.avg_pool1d tf.nn.avg_pool3d", pool<channels_last::Pool::average>},
    {"ops.BatchNorm tf.nn.batch_normalization", batch_norm},
    {"ops.DotProductAttention", attention},
    {"ops.DepthToSpace tf.nn.depth_to_space", blocks<channels_last::depth_to_space>},
    {"ops.SpaceToDepth tf.nn.space_to_depth", blocks<channels_last::space_to_depth>},
};

}  // namespace

std::span<const LayerRow> network_operations() { return kNetworkRows; }

}  // namespace tern::keras
