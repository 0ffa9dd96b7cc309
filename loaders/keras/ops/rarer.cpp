// Functions of TensorFlow that Keras 2 files have as layers, and few have: each one operator, or a handful. See ops.h. Next: tf_pictures.cpp.
#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

// What lies where a mask over axes from `axis` on says so, those axes as one.
Flows boolean_mask(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "tensor"), mask = o.tensor(o.get(1, "mask"), DType::boolean);
  const int rank = c.b.rank(x), wide = c.b.rank(mask);
  const int axis = c.axis(o.integer("axis", 0, 3), rank);
  if (!c.b.ok() || wide < 1 || axis + wide > rank) return c.b.ok() ? c.invalid("its mask does not fit") : Flows();
  std::vector<Int> sizes = sizes_of(c.b, x), flat(sizes.begin(), sizes.begin() + axis);
  flat.emplace_back(-1);
  flat.insert(flat.end(), sizes.begin() + axis + wide, sizes.end());
  const ValueId rows = wide == 1 ? x : c.b.reshape(x, flat);
  return {{c.emit("Compress", {rows, c.b.reshape(mask, {-1})}, attributes({{"axis", int64_t(axis)}}))}};
}

Flows clip_by_norm(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, "t")), most = o.tensor(o.get(1, "clip_norm"), c.b.dtype(x));
  const ValueId norm = reduce(c, "ReduceL2", x, o.axes("axes", c.b.rank(x), 2), true);
  return {{c.emit("Div", {c.emit("Mul", {x, most}), c.emit("Max", {norm, most})})}};
}

Flows running_log_sum(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x"), axis = c.b.constant(Tensor::scalar(static_cast<int32_t>(o.integer("axis", 0, 1))));
  return {{by_tensorflow(c, "CumulativeLogsumexp", {x, axis}, {{"exclusive", o.flag("exclusive", false)}, {"reverse", o.flag("reverse", false)}})[0]
               .value}};
}

Flows diagonal_matrix(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "diagonal");
  const auto size = [&](const char* name) { return c.b.constant(Tensor::scalar(static_cast<int32_t>(o.integer(name, -1)))); };
  const Argument k = o.get(1, "k");
  const ValueId at = k.is_none() ? c.b.constant(Tensor::scalar(int32_t(0))) : o.tensor(k);
  return {{by_tensorflow(c, "MatrixDiagV3", {x, at, size("num_rows"), size("num_cols"), c.b.scalar_like(x, o.number("padding_value", 0))},
                         {{"align", o.text("align", "RIGHT_LEFT")}})[0]
               .value}};
}

Flows diagonal_part(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "input");
  const Argument k = o.get(1, "k");
  const ValueId at = k.is_none() ? c.b.constant(Tensor::scalar(int32_t(0))) : o.tensor(k);
  return {
      {by_tensorflow(c, "MatrixDiagPartV3", {x, at, c.b.scalar_like(x, o.number("padding_value", 0))}, {{"align", o.text("align", "RIGHT_LEFT")}})[0]
           .value}};
}

Flows tf_in_top_k(Call& c) {
  const Operands o(c);
  const bool old = c.layer.class_name.starts_with("tf.compat");  // the predictions come first there
  const ValueId first = o.tensor(0, old ? "predictions" : "targets"), second = o.tensor(1, old ? "targets" : "predictions");
  const ValueId k = o.tensor(2, "k");
  return {{by_tensorflow(c, "InTopKV2", {old ? first : second, old ? second : first, k})[0].value}};
}

Flows inverse_normal(Call& c) { return {{by_tensorflow(c, "Ndtri", {Operands(c).real(Operands(c).tensor(0, "x"))})[0].value}}; }

template <Text op, Text margins>
Flows blocks(Call& c) {
  const Operands o(c);
  const ValueId block = o.tensor(1, "block_shape|block_size"), edges = o.tensor(2, margins.text);
  return {{by_tensorflow(c, op.text, {o.tensor(0, "input"), block, edges})[0].value}};
}

Flows strided_slice(Call& c) {
  const Operands o(c);
  const ValueId begin = o.tensor(1, "begin"), end = o.tensor(2, "end");
  const Argument given = o.get(3, "strides");
  ValueId strides = kNone;
  if (given.is_none()) strides = c.b.cast(c.b.ints(std::vector<int64_t>(static_cast<size_t>(c.known_size(begin, 0)), 1)), c.b.dtype(begin));
  else strides = o.tensor(given);
  std::vector<TensorFlowAttribute> masks;
  for (const char* name : {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"})
    masks.emplace_back(name, o.integer(name, 0));
  return {{by_tensorflow(c, "StridedSlice", {o.tensor(0, "input_"), begin, end, strides}, std::move(masks))[0].value}};
}

Flows tf_unique(Call& c) {
  const auto y = by_tensorflow(c, "Unique", {Operands(c).tensor(0, "x")});
  if (y.size() != 2) return {};
  return {{y[0].value}, {y[1].value}};
}

// It drops whenever it is called, unless it is told to drop nothing.
Flows dropout(Call& c) {
  const Operands o(c);
  if (o.number("rate", 0, 1) != 0) return c.unsupported("tf.nn.dropout, which draws random numbers at every call: use a Dropout layer; this");
  return {{o.tensor(0, "x")}};
}

Flows embedding_lookup(Call& c) {
  const Operands o(c);
  const std::vector<ValueId> tables = o.tensors(0, "params");
  const Argument given = o.get(0, "params");
  const ValueId table = given.is(Argument::Kind::list) && tables.size() > 1 && c.b.rank(tables[0]) < 2 ? o.tensor(given) : tables[0];
  if (given.is(Argument::Kind::list) && tables.size() > 1 && table == tables[0]) return c.unsupported("a table in several parts");
  return {{c.emit("Gather", {table, o.tensor(1, "ids")})}};
}

Flows dilation(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "input"), filter = o.tensor(o.get(1, "filters"), c.b.dtype(x));
  return {{by_tensorflow(c, "Dilation2D", {x, filter},
                         {{"strides", o.ints("strides", 2)}, {"padding", o.get(3, "padding").text}, {"rates", o.ints("dilations", 5)}})[0]
               .value}};
}

Flows tf_separable_conv(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "input"), each = o.tensor(o.get(1, "depthwise_filter"), c.b.dtype(x));
  const ValueId all = o.tensor(o.get(2, "pointwise_filter"), c.b.dtype(x));
  if (o.text("data_format", "NHWC") != "NHWC") return c.unsupported("this with channels first");
  const std::vector<int64_t> strides = o.ints("strides", 3), rates = o.ints("rate|dilations");
  const std::string padding = o.get(4, "padding").text;
  if (strides.size() != 4 || (padding != "SAME" && padding != "VALID")) return c.b.ok() ? c.invalid("its strides or padding make no sense") : Flows();
  using Window = channels_last::Window;
  const ValueId y = channels_last::depthwise_conv(
      c.b, x, each,
      {.strides = {strides[1], strides[2]}, .dilations = rates, .padding = padding == "SAME" ? Window::Padding::same : Window::Padding::valid});
  return {{channels_last::conv(c.b, y, all, {})}};
}

Flows pool(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "input");
  const std::string kind = o.get(2, "pooling_type").text, padding = o.get(3, "padding").text, format = o.text("data_format");
  if (format.starts_with("NC")) return c.unsupported("this with channels first");
  const std::vector<int64_t> rates = o.ints("dilation_rate|dilations", 4);
  for (int64_t rate : rates) {
    if (rate != 1) return c.unsupported("a dilated pool");
  }
  using Window = channels_last::Window;
  const Window window = {.kernel = o.ints("window_shape", 1),
                         .strides = o.ints("strides", 5),
                         .padding = padding == "SAME" ? Window::Padding::same : Window::Padding::valid};
  return {{channels_last::pool(c.b, x, kind == "MAX" ? channels_last::Pool::max : channels_last::Pool::average, window)}};
}

// max(x, 0) - x t + log(1 + e^-|x|)
Flows sigmoid_loss(Call& c) {
  const auto [t, x] = Operands(c).pair(0, "labels", "logits");
  const ValueId far = c.emit("Softplus", {c.emit("Neg", {c.emit("Abs", {x})})});
  return {{c.emit("Add", {c.emit("Sub", {c.emit("Relu", {x}), c.emit("Mul", {x, t})}), far})}};
}

Flows softmax_loss(Call& c) {
  const Operands o(c);
  const auto [t, x] = o.pair(0, "labels", "logits");
  const int axis = c.axis(o.integer("axis|dim", -1), c.b.rank(x));
  const ValueId log = c.emit("LogSoftmax", {x}, attributes({{"axis", int64_t(axis)}}));
  return {{c.emit("Neg", {reduce(c, "ReduceSum", c.emit("Mul", {t, log}), {axis}, false)})}};
}

Flows sparse_softmax_loss(Call& c) {
  const Operands o(c);
  const ValueId t = o.tensor(0, "labels"), x = o.tensor(1, "logits");
  const ValueId log = c.emit("LogSoftmax", {x}, attributes({{"axis", int64_t(-1)}}));
  const ValueId at = c.emit("GatherElements", {log, unsqueeze(c.b, t, {-1})}, attributes({{"axis", int64_t(-1)}}));
  return {{c.emit("Neg", {squeeze(c.b, at, {-1})})}};
}

constexpr LayerRow kRarerRows[] = {
    {"tf.compat.v1.boolean_mask tf.boolean_mask", boolean_mask},
    {"tf.clip_by_norm", clip_by_norm},
    {"tf.math.cumulative_logsumexp", running_log_sum},
    {"tf.linalg.diag", diagonal_matrix},
    {"tf.linalg.diag_part", diagonal_part},
    {"tf.compat.v1.math.in_top_k tf.math.in_top_k", tf_in_top_k},
    {"tf.math.ndtri", inverse_normal},
    {"tf.space_to_batch_nd tf.space_to_batch", blocks<"SpaceToBatchND", "paddings">},
    {"tf.compat.v1.batch_to_space_nd tf.batch_to_space", blocks<"BatchToSpaceND", "crops">},
    {"tf.strided_slice", strided_slice},
    {"tf.unique", tf_unique},
    {"tf.nn.dropout", dropout},
    {"tf.compat.v1.nn.embedding_lookup tf.nn.embedding_lookup", embedding_lookup},
    {"tf.nn.dilation2d", dilation},
    {"tf.compat.v1.nn.separable_conv2d tf.nn.separable_conv2d", tf_separable_conv},
    {"tf.compat.v1.nn.pool tf.nn.pool", pool},
    {"tf.compat.v1.nn.sigmoid_cross_entropy_with_logits tf.nn.sigmoid_cross_entropy_with_logits", sigmoid_loss},
    {"tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2 tf.nn.softmax_cross_entropy_with_logits", softmax_loss},
    {"tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits tf.nn.sparse_softmax_cross_entropy_with_logits", sparse_softmax_loss},
};

}  // namespace

std::span<const LayerRow> rarer_operations() { return kRarerRows; }

}  // namespace tern::keras
