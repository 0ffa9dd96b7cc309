// Embeddings, masks, and products by an equation. See layer.h. Next: rnn.h.
#include "loaders/keras/layers/pieces.h"
#include "runtime/base/printable.h"
#include "runtime/graph_einsum.h"

namespace tern::keras {
namespace {

ValueId differs(const Call& c, ValueId x, double value) { return c.emit("Not", {c.emit("Equal", {x, number(c, x, value)})}); }

Flows embedding(Call& c) {
  const ValueId table = c.weight("embeddings", {c.config.integer("input_dim"), c.config.integer("output_dim")});
  const DType t = c.b.dtype(c.x());
  const ValueId ids = t == DType::i32 || t == DType::i64 ? c.x() : c.b.cast(c.x(), DType::i32);
  return {{c.emit("Gather", {table, ids}), c.config.boolean("mask_zero", false) ? differs(c, c.x(), 0) : kNone}};
}

// The same table also from features back to ids: features [..., n] times its transpose, or a kernel of its own.
Flows reversible_embedding(Call& c) {
  const int64_t ids = c.config.integer("input_dim"), features = c.config.integer("output_dim");
  const ValueId table = c.weight("embeddings", {ids, features});
  const ValueId kernel = c.config.boolean("tie_weights", true) ? kNone : c.weight("reverse_embeddings", {features, ids});
  const Argument& reverse = c.arg(1, "reverse");
  if (!reverse.flag)
    return {{c.emit("Gather", {table, c.b.cast(c.x(), DType::i32)}), c.config.boolean("mask_zero", false) ? differs(c, c.x(), 0) : kNone}};
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

// y = equation(x, kernel) + bias, which has the axes from the first of bias_axes on, sizes where it names them and ones elsewhere.
Flows einsum_dense(Call& c) {
  std::string equation = c.config.text("equation");
  std::erase(equation, ' ');
  const size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma == equation.npos || arrow == equation.npos || arrow < comma) return c.invalid("its config: equation is " + printable(equation, 80));
  const std::string of_kernel = equation.substr(comma + 1, arrow - comma - 1), out = equation.substr(arrow + 2);
  const ValueId kernel = c.weight("kernel", std::vector<int64_t>(of_kernel.size(), kAnySize));
  ValueId y = einsum(c.b, equation, {c.x(), kernel});
  if (c.config.has("bias_axes")) {
    const std::string axes = c.config.text("bias_axes");
    const size_t first = out.find_first_of(axes), open = out.find("...");
    if (axes.empty() || first == out.npos || (open != out.npos && open > first && open + 3 != out.size()))
      return c.unsupported("a bias over the axes " + printable(axes, 80));
    std::vector<int64_t> dims;
    for (char axis : out.substr(first)) {
      if (axis != '.') dims.push_back(axes.find(axis) == axes.npos ? 1 : kAnySize);
    }
    const int elided = open != out.npos && open > first ? c.b.rank(y) - static_cast<int>(out.size() - 3) : 0;  // of axes behind
    dims.insert(dims.end(), static_cast<size_t>(std::max(elided, 0)), 1);
    y = c.emit("Add", {y, c.weight("bias", dims)});
  }
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
