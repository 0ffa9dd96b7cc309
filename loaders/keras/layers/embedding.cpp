// Embeddings, masks, and products by an equation. See layer.h. Next: rnn.h.
#include "loaders/keras/layers/quantized.h"
#include "runtime/base/printable.h"
#include "runtime/graph_einsum.h"

namespace tern::keras {
namespace {

ValueId differs(const Call& c, ValueId x, double value) { return c.emit("Not", {c.emit("Equal", {x, number(c, x, value)})}); }

ValueId rows(Call& c) {
  const int64_t count = c.config.integer("input_dim"), width = c.config.integer("output_dim");
  const DType t = c.b.dtype(c.x());
  const ValueId ids = t == DType::i32 || t == DType::i64 ? c.x() : c.b.cast(c.x(), DType::i32);
  return c.layer.quantized.empty() ? c.emit("Gather", {c.weight("embeddings", {count, width}), ids}) : quantized_rows(c, ids, count, width);
}

Flows embedding(Call& c) { return {{rows(c), c.config.boolean("mask_zero", false) ? differs(c, c.x(), 0) : kNone}}; }

// The same table also from features back to ids: features [..., n] times its transpose, or a kernel of its own.
Flows reversible_embedding(Call& c) {
  const int64_t ids = c.config.integer("input_dim"), features = c.config.integer("output_dim");
  const Argument& reverse = c.arg(1, "reverse");
  if (!c.layer.quantized.empty() && (reverse.flag || !c.config.boolean("tie_weights", true))) return c.unsupported("its way back to ids, quantised,");
  if (!c.layer.quantized.empty()) return embedding(c);
  const ValueId table = c.weight("embeddings", {ids, features});
  const ValueId kernel = c.config.boolean("tie_weights", true) ? kNone : c.weight("reverse_embeddings", {features, ids});
  if (!reverse.flag) return embedding(c);
  const ValueId y = c.emit("MatMul", {c.b.cast(c.x(), c.layer.compute), kernel == kNone ? permute(c.b, table, {1, 0}) : kernel});
  if (!c.config.has("logit_soft_cap")) return {{y}};
  const double cap = c.config.number("logit_soft_cap", 1);
  return {{c.emit("Mul", {c.emit("Tanh", {c.emit("Div", {y, number(c, y, cap)})}), number(c, y, cap)})}};
}

// A step counts when any of its features is not the value; what does not count becomes zeros.
Flows masking(Call& c) {
  const ValueId x = c.x();
  const ValueId any = reduce(c, "ReduceMax", differs(c, x, c.config.number("mask_value", 0)), {-1}, true);
  return {{c.emit("Mul", {x, c.b.cast(any, c.b.dtype(x))}), squeeze(c.b, any, {-1})}};
}

// The sizes of the bias of y, which has `rank` axes: from the first of bias_axes on, sizes where it names them and ones elsewhere.
std::optional<std::vector<int64_t>> bias_dims(const Call& c, const std::string& out, int rank) {
  if (!c.config.has("bias_axes")) return std::nullopt;
  const std::string axes = c.config.text("bias_axes");
  const size_t first = out.find_first_of(axes), open = out.find("...");
  std::vector<int64_t> dims;
  if (axes.empty() || first == out.npos || (open != out.npos && open > first && open + 3 != out.size())) {
    c.unsupported("a bias over the axes " + printable(axes, 80));
    return dims;
  }
  for (char axis : out.substr(first)) {
    if (axis != '.') dims.push_back(axes.find(axis) == axes.npos ? 1 : kAnySize);
  }
  const int elided = open != out.npos && open > first ? rank - static_cast<int>(out.size() - 3) : 0;  // of axes behind
  dims.insert(dims.end(), static_cast<size_t>(std::max(elided, 0)), 1);
  return dims;
}

// The sizes of a kernel by its letters: of x, or the layer's output_shape, which leaves out the batch; kAnySize where neither tells.
std::vector<int64_t> kernel_dims(const Call& c, const std::string& of_x, const std::string& of_kernel, const std::string& out) {
  const Json& json = c.config.json();
  const Json::Id given = c.config.at("output_shape");
  std::vector<int64_t> shape;
  for (size_t i = 0; json.is(given, Json::Kind::array) && i < json.size(given); ++i) {
    const Json::Id n = json.item(given, i);
    shape.push_back(json.is(n, Json::Kind::integer) ? json.integer(n) : kAnySize);
  }
  if (json.is(given, Json::Kind::integer)) shape = {json.integer(given)};
  std::vector<int64_t> dims;
  for (char letter : of_kernel) {
    const size_t in = of_x.rfind(letter), at = out.rfind(letter);
    dims.push_back(kAnySize);
    const bool behind = in != of_x.npos && of_x.find("...", in) == of_x.npos;
    if (behind) dims.back() = c.known_size(c.x(), static_cast<int>(in) - static_cast<int>(of_x.size()));
    else if (at != out.npos && out.size() - at <= shape.size()) dims.back() = shape[shape.size() - (out.size() - at)];
  }
  return dims;
}

// y = equation(x, kernel) + bias.
Flows einsum_dense(Call& c) {
  std::string equation = c.config.text("equation");
  std::erase(equation, ' ');
  const size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma == equation.npos || arrow == equation.npos || arrow < comma) return c.invalid("its config: equation is " + printable(equation, 80));
  const std::string of_kernel = equation.substr(comma + 1, arrow - comma - 1), out = equation.substr(arrow + 2);
  if (is_quantized(c, c.weights)) {
    const std::string of_x = equation.substr(0, comma);
    const auto named = [](const std::string& s) { return static_cast<int>(s.size()) - (s.find("...") == s.npos ? 0 : 3); };
    const int rank = out.find("...") == out.npos ? named(out) : named(out) + c.b.rank(c.x()) - named(of_x);
    const bool small = c.layer.quantized.starts_with("int4");
    const QuantizedProduct product = {equation, small ? kernel_dims(c, of_x, of_kernel, out) : std::vector<int64_t>(of_kernel.size(), kAnySize),
                                      bias_dims(c, out, rank)};
    return {{activation(c, "activation", quantized_product(c, c.weights, c.x(), product))}};
  }
  const ValueId kernel = c.weight("kernel", std::vector<int64_t>(of_kernel.size(), kAnySize));
  ValueId y = einsum(c.b, equation, {c.x(), kernel});
  if (const auto dims = bias_dims(c, out, c.b.rank(y))) y = c.emit("Add", {y, c.weight("bias", *dims)});
  return {{activation(c, "activation", y)}};
}

constexpr LayerRow kEmbeddingRows[] = {
    {"Embedding", embedding, Masking::own, false},
    {"ReversibleEmbedding", reversible_embedding, Masking::own, false},
    {"Masking", masking, Masking::own},
    {"EinsumDense", einsum_dense},
};

}  // namespace

std::span<const LayerRow> embedding_layers() { return kEmbeddingRows; }

}  // namespace tern::keras
