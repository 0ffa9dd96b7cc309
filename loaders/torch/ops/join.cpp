// Putting together and taking apart: cat, stack, split, chunk, unbind. See operator.h. Next: pad.cpp.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

IValue cat(Builder& b, const Arguments& a) {
  std::vector<ValueId> all = a.tensors("tensors"), parts;
  if (!b.ok() || all.empty()) return tensor_of(b.ok() ? b.fail(invalid("cat: there are no tensors")) : kNone);
  DType type = DType::none;
  for (ValueId v : all) {
    const bool legacy = b.rank(v) == 1 && b.shape(v)[0].is(0) && all.size() > 1;  // torch skips empty vectors
    if (!legacy) parts.push_back(v);
    type = promote(type, b.dtype(v));
  }
  if (parts.empty()) parts.push_back(all[0]);
  for (ValueId& v : parts) v = b.cast(v, type);
  const int axis = b.axis(parts[0], a.integer("dim"));
  return tensor_of(b.ok() ? concat(b, parts, axis) : kNone);
}

IValue stack(Builder& b, const Arguments& a) {
  std::vector<ValueId> parts = a.tensors("tensors");
  if (!b.ok() || parts.empty()) return tensor_of(b.ok() ? b.fail(invalid("stack: there are no tensors")) : kNone);
  const int axis = b.axis_of(a.integer("dim"), b.rank(parts[0]) + 1);
  if (!b.ok()) return {};
  for (ValueId& v : parts) v = unsqueeze(b, v, {axis});
  return tensor_of(concat(b, parts, axis));
}

IValue pieces(Builder& b, ValueId x, int axis, const std::vector<int64_t>& sizes) {
  if (!b.ok()) return {};
  if (sizes.size() == 1) return IValue::tuple({tensor_of(x)});
  IValues out;
  for (ValueId v : b.emit("Split", {x, b.ints(sizes)}, attributes({{"axis", int64_t(axis)}}), sizes.size())) out.push_back(tensor_of(v));
  return IValue::tuple(std::move(out));
}

constexpr int64_t kMostPieces = 65536;

IValue split(Builder& b, const Arguments& a) {  // an int: pieces of that size; a list: pieces of these sizes
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  if (a["sizes"].items() != nullptr) return pieces(b, x, axis, a.ints("sizes"));
  const int64_t each = a.integer("sizes"), n = known_size(b, x, axis, "split");
  if (!b.ok()) return {};
  if (each <= 0 || n / each > kMostPieces) return tensor_of(b.fail(invalid("split: pieces of size " + std::to_string(each))));
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < std::max<int64_t>(n, 1); at += each) sizes.push_back(std::min(each, n - at));
  return pieces(b, x, axis, sizes);
}

IValue chunk(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const int64_t n = known_size(b, x, axis, "chunk"), chunks = a.integer("chunks");
  if (!b.ok()) return {};
  if (chunks <= 0 || chunks > kMostPieces) return tensor_of(b.fail(invalid("chunk: " + std::to_string(chunks) + " chunks")));
  const int64_t each = n == 0 ? 1 : (n - 1) / chunks + 1;
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < n; at += each) sizes.push_back(std::min(each, n - at));
  return pieces(b, x, axis, sizes);
}

IValue unbind(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const int64_t n = known_size(b, x, axis, "unbind");
  if (!b.ok()) return {};
  if (n > kMostPieces) return tensor_of(b.fail(unsupported("unbind: " + std::to_string(n) + " pieces")));
  IValues out;
  const IValue parts = pieces(b, x, axis, std::vector<int64_t>(static_cast<size_t>(n), 1));
  for (size_t i = 0; parts.items() != nullptr && i < parts.items()->size(); ++i)
    out.push_back(tensor_of(squeeze(b, (*parts.items())[i].id(), {axis})));
  return IValue::tuple(std::move(out));
}

// Along an axis, after each has at least that many dimensions: hstack (of vectors: 0), vstack, dstack.
template <int Rank, int Axis>
IValue stack_at_least(Builder& b, const Arguments& a) {
  std::vector<ValueId> parts = a.tensors("tensors");
  DType type = DType::none;
  for (ValueId& v : parts) {
    v = with_rank(b, v, Rank);
    type = promote(type, b.dtype(v));
  }
  if (!b.ok() || parts.empty()) return tensor_of(b.ok() ? b.fail(invalid("there are no tensors")) : kNone);
  for (ValueId& v : parts) v = b.cast(v, type);
  return tensor_of(concat(b, parts, std::min(Axis, b.rank(parts[0]) - 1)));
}

IValue column_stack(Builder& b, const Arguments& a) {  // vectors are columns
  std::vector<ValueId> parts = a.tensors("tensors");
  for (ValueId& v : parts) {
    if (b.rank(v) < 2) v = b.reshape(v, {Int(-1), Int(1)});
  }
  if (!b.ok() || parts.empty()) return tensor_of(b.ok() ? b.fail(invalid("there are no tensors")) : kNone);
  return tensor_of(concat(b, parts, 1));
}

// Sections of nearly equal size (the first ones are larger), or pieces that begin at indices, as Python's slices.
IValue tensor_split_of(Builder& b, const Arguments& a, ValueId x, int axis) {
  const int64_t n = known_size(b, x, axis, "tensor_split");
  std::vector<int64_t> bounds;
  if (a["parts"].items() != nullptr) {
    bounds = a.ints("parts");
  } else {
    const int64_t sections = a.integer("parts");
    if (b.ok() && (sections < 1 || sections > kMostPieces))
      return tensor_of(b.fail(invalid("tensor_split: " + std::to_string(sections) + " sections")));
    for (int64_t i = 1; i < sections; ++i) bounds.push_back(i * (n / sections) + std::min(i, n % sections));
  }
  if (!b.ok()) return {};
  IValues out;
  int64_t begin = 0;
  bounds.push_back(n);
  for (size_t i = 0; i < bounds.size(); ++i) {
    const int64_t end = i + 1 == bounds.size() ? n : std::clamp<int64_t>(bounds[i] < 0 ? bounds[i] + n : bounds[i], 0, n);
    out.push_back(tensor_of(slice(b, x, axis, begin, std::max(begin, end))));
    begin = end;
  }
  return IValue::tuple(std::move(out));
}

IValue tensor_split(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  return tensor_split_of(b, a, x, b.axis(x, a.integer("dim")));
}

// vsplit 0, hsplit 1 (of vectors: 0), dsplit 2
template <int Axis>
IValue split_axis(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = Axis == 1 && b.rank(x) == 1 ? 0 : Axis;
  if (b.ok() && b.rank(x) <= axis) return tensor_of(b.fail(invalid("the input has no dimension " + std::to_string(axis))));
  return tensor_split_of(b, a, x, axis);
}

constexpr Operator kJoinRows[] = {
    {"aten.cat.default aten.concatenate.default aten.concat.default torch.cat torch.concat torch.concatenate", "tensors, dim|axis=0", cat},
    {"aten.stack.default torch.stack", "tensors, dim=0", stack},
    {"aten.split.Tensor aten.split_with_sizes.default aten.split.sizes torch.split torch.split_with_sizes Tensor.split Tensor.split_with_sizes",
     "input|self, sizes|split_size|split_sizes|split_size_or_sections, dim=0", split, Shares::view},
    {"aten.chunk.default torch.chunk Tensor.chunk", "input|self, chunks, dim=0", chunk, Shares::view},
    {"aten.unbind.int torch.unbind Tensor.unbind", "input|self, dim=0", unbind, Shares::view},
    {"aten.hstack.default torch.hstack", "tensors", stack_at_least<1, 1>},
    {"aten.vstack.default torch.vstack torch.row_stack", "tensors", stack_at_least<2, 0>},
    {"aten.dstack.default torch.dstack", "tensors", stack_at_least<3, 2>},
    {"aten.column_stack.default torch.column_stack", "tensors", column_stack},
    {"aten.tensor_split.sections aten.tensor_split.indices torch.tensor_split Tensor.tensor_split",
     "input|self, parts|sections|indices|indices_or_sections, dim=0", tensor_split, Shares::view},
    {"aten.vsplit.int aten.vsplit.array torch.vsplit Tensor.vsplit", "input|self, parts|sections|indices|indices_or_sections", split_axis<0>,
     Shares::view},
    {"aten.hsplit.int aten.hsplit.array torch.hsplit Tensor.hsplit", "input|self, parts|sections|indices|indices_or_sections", split_axis<1>,
     Shares::view},
    {"aten.dsplit.int aten.dsplit.array torch.dsplit Tensor.dsplit", "input|self, parts|sections|indices|indices_or_sections", split_axis<2>,
     Shares::view},
};

}  // namespace

std::span<const Operator> join_operators() { return kJoinRows; }

}  // namespace tern::torch
