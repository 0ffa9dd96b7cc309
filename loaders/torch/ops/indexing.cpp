// x[index], as Python has it: of tensors, tuples, lists and dicts. See indexing.h. Next: index.cpp.
#include "loaders/torch/ops/indexing.h"

namespace tern::torch {

ValueId select(Builder& b, ValueId x, int axis, const Int& index) {
  if (!b.ok()) return kNone;
  const int rank = b.rank(x);
  if (rank == 0) return b.fail(invalid("a scalar tensor has no dimension to index"));
  const Dim& size = b.shape(x)[axis];
  if (index.known() && size.known() && (index.value() < -size.value() || index.value() >= size.value())) {
    return b.fail(
        invalid("index " + std::to_string(index.value()) + " is out of bounds for dimension " + std::to_string(axis) + " with size " + size.text()));
  }
  return b.emit("Gather", {x, b.scalar(index)}, attributes({{"axis", int64_t(axis)}}));
}

ValueId slices(Builder& b, ValueId x, const std::vector<SliceOf>& parts) {
  std::vector<Int> starts, stops;
  std::vector<int64_t> axes, steps;
  for (const SliceOf& p : parts) {
    if (p.step < 1) return b.fail(unsupported("a slice's step must be at least 1, not " + std::to_string(p.step)));
    if (p.start.known() && p.start.value() == 0 && p.stop.known() && p.stop.value() == INT64_MAX && p.step == 1) continue;
    starts.push_back(p.start);
    stops.push_back(p.stop);
    axes.push_back(p.axis);
    steps.push_back(p.step);
  }
  if (axes.empty() || !b.ok()) return x;
  return b.emit("Slice", {x, b.ints(starts), b.ints(stops), b.ints(axes), b.ints(steps)});
}

bool is_index(Builder& b, ValueId v) {
  if (!b.ok()) return false;
  const DType t = b.dtype(v);
  if (t == DType::boolean || t == DType::u8) {
    b.fail(unsupported("an index that is a mask makes a shape that depends on the data; use torch.where or masked_fill"));
  } else if (!is_int(t)) {
    b.fail(invalid(std::string("an index must be of integers, not ") + name(t)));
  }
  return b.ok();
}

ValueId index_of(Builder& b, const Arguments& a, const char* name) {
  const ValueId v = a.tensor(name);
  if (!is_index(b, v)) return kNone;
  return b.dtype(v) == DType::i32 ? v : b.cast(v, DType::i64);
}

ValueId coordinates(Builder& b, std::vector<ValueId> indices) {
  std::vector<ValueId> columns;
  for (ValueId& v : indices) {
    if (!is_index(b, v)) return kNone;
    v = b.cast(v, DType::i64);
  }
  for (ValueId v : indices) {
    for (ValueId other : indices) {  // Expand broadcasts both ways
      if (b.ok() && !(b.shape(other) == b.shape(v)) && b.rank(other) > 0) v = b.emit("Expand", {v, b.emit("Shape", {other})});
    }
    if (b.ok()) columns.push_back(unsqueeze(b, v, {b.rank(v)}));
  }
  return b.ok() ? concat(b, columns, b.rank(columns[0]) - 1) : kNone;
}

ValueId advanced_index(Builder& b, ValueId x, const std::vector<ValueId>& indices) {
  const int rank = b.rank(x);
  std::vector<ValueId> given;
  std::vector<int64_t> order, others;  // of axes: the indexed ones, the rest
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] != kNone && !is_index(b, indices[i])) return kNone;
    if (indices[i] != kNone) given.push_back(indices[i]);
    (indices[i] != kNone ? order : others).push_back(static_cast<int64_t>(i));
  }
  if (!b.ok() || given.empty()) return x;
  if (static_cast<int>(indices.size()) > rank) return b.fail(invalid("too many indices for a tensor of " + std::to_string(rank) + " dimensions"));
  if (given.size() == 1) {
    return b.emit("Gather", {x, b.dtype(given[0]) == DType::i32 ? given[0] : b.cast(given[0], DType::i64)}, attributes({{"axis", order[0]}}));
  }
  for (int i = static_cast<int>(indices.size()); i < rank; ++i) others.push_back(i);
  const int64_t first = order.front();
  const bool neighbours = order.back() - first + 1 == static_cast<int64_t>(order.size());
  order.insert(order.end(), others.begin(), others.end());
  const ValueId places = coordinates(b, given);
  const ValueId y = b.emit("GatherND", {permute(b, x, order), places});
  if (!neighbours || first == 0 || !b.ok()) return y;
  // [places…, before…, after…] to [before…, places…, after…]
  const int64_t made = b.rank(places) - 1, all = b.rank(y);
  std::vector<int64_t> back;
  for (int64_t i = 0; i < first; ++i) back.push_back(made + i);
  for (int64_t i = 0; i < made; ++i) back.push_back(i);
  for (int64_t i = made + first; i < all; ++i) back.push_back(i);
  return permute(b, y, back);
}

namespace {

// [0, 2]: a list of known ints.
ValueId list_index(Builder& b, const IValues& items) {
  std::vector<Int> values;
  for (const IValue& item : items) {
    const Int* n = item.get<Int>();
    if (n == nullptr) return b.fail(unsupported(std::string("a list that indexes must be of ints, not of ") + item.kind() + "s"));
    values.push_back(*n);
  }
  return b.ints(values);
}

SliceOf slice_of(Builder& b, const IValue::Slice& s, int axis) {
  SliceOf out{axis, 0, INT64_MAX, 1};
  auto part = [&](size_t i, Int otherwise) -> Int {
    if (s.parts == nullptr || i >= s.parts->size() || (*s.parts)[i].is_none()) return otherwise;
    if (const Int* n = (*s.parts)[i].get<Int>()) return *n;
    if (const IValue& v = (*s.parts)[i]; v.is_tensor() && b.rank(v.id()) == 0 && is_index(b, v.id()))
      return Int::computed(b.cast(v.id(), DType::i64));
    b.fail(invalid(std::string("a slice is made of ints, not ") + (*s.parts)[i].kind()));
    return otherwise;
  };
  out.start = part(0, 0);
  out.stop = part(1, INT64_MAX);
  const Int step = part(2, 1);
  if (step.known()) out.step = step.value();
  else b.fail(unsupported("a slice's step must be known when the model is loaded"));
  return out;
}

// How many dimensions of the tensor an item takes.
int taken(const IValue& item) { return item.is_none() || item.get<IValue::Ellipsis>() != nullptr ? 0 : 1; }

ValueId index_tensor(Builder& b, ValueId x, const IValues& items) {
  const int rank = b.rank(x);
  int needed = 0, ellipses = 0;
  for (const IValue& item : items) {
    needed += taken(item);
    ellipses += item.get<IValue::Ellipsis>() != nullptr;
  }
  if (!b.ok()) return kNone;
  if (ellipses > 1) return b.fail(invalid("an index can have one ellipsis only"));
  if (needed > rank) return b.fail(invalid("too many indices (" + std::to_string(needed) + ") for a tensor of shape " + b.shape(x).text()));

  // What each axis of x becomes; then, without those that ints took, what each axis of the result is made of.
  struct Selected {
    int axis;
    Int index;
  };
  std::vector<SliceOf> cut;
  std::vector<Selected> selected;
  std::vector<int64_t> fresh;    // axes of the result that None makes
  std::vector<ValueId> tensors;  // by axis of the result; kNone: none
  bool any = false;
  int axis = 0;
  for (const IValue& item : items) {
    if (item.get<IValue::Ellipsis>() != nullptr) {
      for (int i = rank - needed; i > 0; --i, ++axis) tensors.push_back(kNone);
    } else if (item.is_none()) {
      fresh.push_back(static_cast<int64_t>(tensors.size()));
      tensors.push_back(kNone);
    } else if (const auto* s = item.get<IValue::Slice>()) {
      cut.push_back(slice_of(b, *s, axis++));
      tensors.push_back(kNone);
    } else if (const Int* n = item.get<Int>()) {
      selected.push_back({axis++, *n});
    } else if (item.is_tensor() && b.rank(item.id()) == 0 && is_index(b, item.id())) {  // as an int is
      selected.push_back({axis++, Int::computed(b.cast(item.id(), DType::i64))});
    } else if (item.is_tensor() || item.items() != nullptr) {
      tensors.push_back(item.is_tensor() ? item.id() : list_index(b, *item.items()));
      any = true;
      ++axis;
    } else {
      return b.fail(unsupported(std::string("a tensor cannot be indexed with ") + item.kind()));
    }
    if (!b.ok()) return kNone;
  }
  x = slices(b, x, cut);
  for (size_t i = selected.size(); i-- > 0;) x = select(b, x, selected[i].axis, selected[i].index);
  if (!fresh.empty() && b.ok()) x = unsqueeze(b, x, fresh);
  return any ? advanced_index(b, x, tensors) : x;
}

IValue index_sequence(Builder& b, const IValue::Sequence& sequence, const IValue& index) {
  const IValues& items = *sequence.items;
  const auto n = static_cast<int64_t>(items.size());
  if (const Int* i = index.get<Int>(); i != nullptr && i->known()) {
    if (i->value() >= -n && i->value() < n) return items[static_cast<size_t>(i->value() < 0 ? i->value() + n : i->value())];
    b.fail(invalid("index " + std::to_string(i->value()) + " is out of range for " + std::to_string(n) + " elements"));
    return {};
  }
  const auto* s = index.get<IValue::Slice>();
  if (s == nullptr) {
    b.fail(unsupported(std::string("a tuple or list is indexed with a known int or a slice, not with ") + index.kind()));
    return {};
  }
  const SliceOf of = slice_of(b, *s, 0);
  if (!b.ok()) return {};
  if (!of.start.known() || !of.stop.known() || of.step == 0 || of.step == INT64_MIN)
    return b.fail(unsupported("a slice of a tuple or list must be of known ints")), IValue();
  const bool back = of.step < 0;
  auto bound = [&](size_t part, const Int& value, int64_t otherwise) {
    if (s->parts == nullptr || part >= s->parts->size() || (*s->parts)[part].is_none()) return otherwise;
    const int64_t v = value.value() < 0 ? std::max<int64_t>(value.value(), -n) + n - (value.value() < -n && back) : value.value();
    return back ? std::min(v, n - 1) : std::min(v, n);
  };
  IValues out;
  const int64_t begin = bound(0, of.start, back ? n - 1 : 0), end = bound(1, of.stop, back ? -1 : n);
  for (int64_t i = begin; (back ? i > end : i < end);) {
    out.push_back(items[static_cast<size_t>(i)]);
    if (std::abs(of.step) > n) break;
    i += of.step;
  }
  return sequence.tuple ? IValue::tuple(std::move(out)) : IValue::list(std::move(out));
}

IValue getitem(Builder& b, const Arguments& a) {
  const IValue &x = a["input"], &index = a["index"];
  if (const auto* sequence = x.get<IValue::Sequence>()) return index_sequence(b, *sequence, index);
  if (const auto* dict = x.get<IValue::Dict>()) {
    const auto* key = index.get<std::string>();
    for (size_t i = 0; key != nullptr && i < dict->items->size(); ++i) {
      if ((*dict->items)[i].first == *key) return (*dict->items)[i].second;
    }
    b.fail(invalid(key == nullptr ? std::string("a dict is indexed with a string, not with ") + index.kind() : "there is no key '" + *key + "'"));
    return {};
  }
  if (!x.is_tensor()) {
    b.fail(invalid(std::string(x.kind()) + " cannot be indexed"));
    return {};
  }
  const auto* several = index.get<IValue::Sequence>();
  return tensor_of(several != nullptr && several->tuple ? index_tensor(b, x.id(), *several->items) : index_tensor(b, x.id(), {index}));
}

constexpr Operator kIndexingRows[] = {
    // x[index]: of a tensor with an int, a slice, an ellipsis, None, a tensor or list of ints, or a tuple of these; of tuples, lists and dicts.
    {"operator.getitem operator.__getitem__ Tensor.__getitem__", "input|self, index", getitem, Shares::perhaps},
};

}  // namespace

std::span<const Operator> getitem_operators() { return kIndexingRows; }

}  // namespace tern::torch
