// Embeddings: rows of a table, one by one or in bags. See operator.h. Next: scatter.cpp.
#include <cmath>

#include "loaders/torch/ops/indexing.h"

namespace tern::torch {
namespace {

ValueId rows_of(Builder& b, ValueId weight, ValueId indices) { return b.emit("Gather", {weight, indices}, attributes({{"axis", int64_t(0)}})); }

bool refuse_max_norm(Builder& b, const Arguments& a) {
  if (!a.has("max_norm")) return false;
  b.fail(unsupported("max_norm is not supported: it changes the weights while the model runs"));
  return true;
}

IValue embedding(Builder& b, const Arguments& a) {
  const ValueId weight = a.tensor("weight"), indices = index_of(b, a, "indices");
  return refuse_max_norm(b, a) ? IValue() : tensor_of(rows_of(b, weight, indices));
}

IValue one_hot(Builder& b, const Arguments& a) {
  const ValueId index = index_of(b, a, "input");
  const Int classes = a.size("num_classes");
  if (classes.known() && classes.value() < 0)
    return tensor_of(b.fail(unsupported("num_classes must be given: without it the shape depends on the data")));
  return tensor_of(b.emit("OneHot", {index, b.scalar(classes), b.ints({0, 1})}, attributes({{"axis", int64_t(-1)}})));
}

// ---- bags ----

enum class Mode { sum, mean, max };

struct Bags {
  ValueId weight = kNone, indices = kNone;  // [V, D]; [B, L], or [N] with offsets
  ValueId offsets = kNone;                  // [B], or [B + 1] when the last one is the end
  ValueId factors = kNone;                  // per_sample_weights, as the indices
  Mode mode = Mode::mean;
  bool with_end = false;
  std::optional<int64_t> padding = {};  // rows of this index do not count
};

// [.., L] to [.., L, 1] of the table's dtype.
ValueId column(Builder& b, ValueId v, DType dtype) { return b.cast(unsqueeze(b, v, {b.rank(v)}), dtype); }

// The rows that a bag is made of; those of the padding are what adds or wins nothing.
ValueId members(Builder& b, const Bags& bags, ValueId valid) {
  ValueId rows = rows_of(b, bags.weight, bags.indices);
  if (bags.factors != kNone && b.ok()) rows = b.emit("Mul", {rows, column(b, bags.factors, b.dtype(rows))});
  if (valid == kNone || !b.ok()) return rows;
  return b.emit("Where", {column(b, valid, DType::boolean), rows, b.scalar_like(rows, bags.mode == Mode::max ? -INFINITY : 0)});
}

// Mean: by how many; max: a bag of nothing is zero. `counts` [B, 1] of the table's dtype.
ValueId finished(Builder& b, const Bags& bags, ValueId folded, ValueId counts) {
  if (!b.ok() || bags.mode == Mode::sum) return folded;
  if (bags.mode == Mode::mean) return b.emit("Div", {folded, b.emit("Max", {counts, b.scalar_like(counts, 1)})});
  return b.emit("Where", {b.emit("Equal", {counts, b.scalar_like(counts, 0)}), b.scalar_like(folded, 0), folded});
}

// Bags as the rows of a matrix.
ValueId matrix_bags(Builder& b, const Bags& bags, ValueId valid) {
  const ValueId rows = members(b, bags, valid), axis = b.ints({1});
  const Attributes gone = attributes({{"keepdims", int64_t(0)}});
  if (valid == kNone && bags.mode == Mode::mean) return b.emit("ReduceMean", {rows, axis}, gone);
  const ValueId folded = b.emit(bags.mode == Mode::max ? "ReduceMax" : "ReduceSum", {rows, axis}, gone);
  if (valid == kNone) return folded;
  return finished(b, bags, folded, b.emit("ReduceSum", {b.cast(valid, b.dtype(rows)), axis}, attributes({{"keepdims", int64_t(1)}})));
}

// Bag i is what lies from offset i to the next. Position n belongs to the bag whose offset is the last one not behind n.
ValueId offset_bags(Builder& b, const Bags& bags, ValueId valid) {
  ValueId offsets = b.cast(bags.offsets, DType::i64);
  if (bags.with_end) offsets = slice(b, offsets, 0, 0, -1);
  const ValueId rows = members(b, bags, valid);
  if (!b.ok()) return kNone;
  const ValueId position = b.emit("Range", {b.scalar(Int(0)), b.scalar(b.size(bags.indices, 0)), b.scalar(Int(1))});
  const ValueId reached = b.emit("LessOrEqual", {unsqueeze(b, offsets, {0}), unsqueeze(b, position, {1})});  // [N, B]
  const Attributes kept = attributes({{"keepdims", int64_t(1)}});
  ValueId bag = b.emit("ReduceSum", {b.cast(reached, DType::i64), b.ints({1})}, kept);  // [N, 1]
  bag = b.emit("Sub", {bag, b.scalar(Int(1))});
  // What lies before the first offset belongs to no bag: an index out of range, and not the last row.
  bag = b.emit("Where", {b.emit("Less", {bag, b.scalar(Int(0))}), b.scalar(Int(INT64_MAX)), bag});
  const DType dtype = b.dtype(rows);
  auto scattered = [&](ValueId updates, double from, const Int& width, const char* how) {
    const ValueId start = b.emit("Expand", {b.scalar(dtype, from), b.ints(std::vector<Int>{b.size(offsets, 0), width})});
    return b.emit("ScatterND", {start, bag, updates}, attributes({{"reduction", std::string(how)}}));
  };
  const bool max = bags.mode == Mode::max;
  const ValueId folded = scattered(rows, max ? -INFINITY : 0, b.size(bags.weight, 1), max ? "max" : "add");
  if (bags.mode == Mode::sum) return folded;
  const ValueId each = valid != kNone ? b.cast(unsqueeze(b, valid, {1}), dtype)
                                      : b.emit("Expand", {b.scalar(dtype, 1), b.ints(std::vector<Int>{b.size(bags.indices, 0), 1})});
  return finished(b, bags, folded, scattered(each, 0, 1, "add"));
}

ValueId bags_of(Builder& b, const Bags& bags) {
  if (!b.ok()) return kNone;
  if (bags.factors != kNone && bags.mode != Mode::sum) return b.fail(invalid("per_sample_weights need mode='sum'"));
  const int rank = b.rank(bags.indices);
  if (b.rank(bags.weight) != 2) return b.fail(invalid("the weight must be a matrix"));
  ValueId valid = kNone;
  if (bags.padding) {
    const Dim& rows = b.shape(bags.weight)[0];
    const int64_t at = *bags.padding < 0 && rows.known() ? *bags.padding + rows.value() : *bags.padding;
    valid = b.emit("Not", {b.emit("Equal", {b.cast(bags.indices, DType::i64), b.scalar(Int(at))})});
  }
  if (rank == 2) {
    if (bags.offsets != kNone) return b.fail(invalid("offsets go with indices of one dimension"));
    return matrix_bags(b, bags, valid);
  }
  if (rank != 1) return b.fail(invalid("the indices must have one or two dimensions, not " + std::to_string(rank)));
  if (bags.offsets == kNone) return b.fail(invalid("indices of one dimension need offsets"));
  return offset_bags(b, bags, valid);
}

IValue functional_bag(Builder& b, const Arguments& a) {
  Bags bags{a.tensor("weight"), index_of(b, a, "input"), a.tensor_or_none("offsets"), a.tensor_or_none("per_sample_weights")};
  const std::string mode = a.string("mode");
  if (refuse_max_norm(b, a)) return {};
  if (mode != "sum" && mode != "mean" && mode != "max") return tensor_of(b.fail(invalid("mode must be 'sum', 'mean' or 'max', not '" + mode + "'")));
  bags.mode = mode == "sum" ? Mode::sum : mode == "mean" ? Mode::mean : Mode::max;
  bags.with_end = a.boolean("include_last_offset");
  if (a.has("padding_idx")) bags.padding = a.integer("padding_idx");
  return tensor_of(bags_of(b, bags));
}

// ATen's: modes are numbers, and there are three more results, which training wants. Padding of `None` means that there is none, except for 0.
template <int None>
IValue aten_bag(Builder& b, const Arguments& a) {
  Bags bags{a.tensor("weight"), index_of(b, a, "indices"), a.tensor("offsets"), a.tensor_or_none("per_sample_weights")};
  const int64_t mode = a.integer("mode");
  if (b.ok() && (mode < 0 || mode > 2)) b.fail(invalid("mode must be 0 (sum), 1 (mean) or 2 (max), not " + std::to_string(mode)));
  bags.mode = static_cast<Mode>(mode);
  bags.with_end = a.boolean("include_last_offset");
  if (a.has("padding_idx") && (None == 0 || a.integer("padding_idx") != None)) bags.padding = a.integer("padding_idx");
  const IValue none = IValue::uncomputed("bag of each index nor sizes of bags, which serve training alone");
  return IValue::tuple({tensor_of(bags_of(b, bags)), none, none, none});
}

constexpr const char* kBag =
    "weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None, include_last_offset=False, "
    "padding_idx=None";

constexpr Operator kEmbeddingRows[] = {
    {"F.embedding", "indices|input, weight, padding_idx=None, max_norm=None, norm_type=2., scale_grad_by_freq=False, sparse=False", embedding},
    {"aten.embedding.default torch.embedding", "weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False", embedding},
    {"aten.one_hot.default F.one_hot", "input|self|tensor, num_classes=-1", one_hot},
    {"F.embedding_bag",
     "input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode='mean', sparse=False, per_sample_weights=None, "
     "include_last_offset=False, padding_idx=None",
     functional_bag},
    {"aten.embedding_bag.default aten.embedding_bag.padding_idx torch.embedding_bag", kBag, aten_bag<0>},
    {"aten._embedding_bag.default aten._embedding_bag_forward_only.default", kBag, aten_bag<-1>},
};

}  // namespace

std::span<const Operator> embedding_operators() { return kEmbeddingRows; }

}  // namespace tern::torch
