// Lists of tensors (TensorArray in Python) as one tensor, [length, element...]. See special.h and graph/value.h. Next: resources.cpp.
#include "loaders/tensorflow/run/lists.h"

#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/run/special.h"

namespace tern::tensorflow {

namespace {

Attributes axis_0() {
  Attributes attrs;
  attrs.set("axis", int64_t(0));
  return attrs;
}

// What an input says of the shape of elements: -1 in it is not known, one -1 alone nothing at all.
Shape told_shape(Call& c, size_t i) {
  if (!c.knows_ints(i) || (c.b.ok() && c.b.rank(c.tensor(i)) == 0)) return {};
  std::vector<Dim> dims;
  for (const int64_t n : c.known_ints(i)) dims.push_back(n < 0 ? c.b.graph.fresh_dim() : Dim(n));
  return Shape(std::move(dims));
}

const TensorList* list_of(Call& c, size_t i) {
  if (const auto* held = c.value(i).get<Value::List>()) return held->list.get();
  c.fail(invalid("input " + std::to_string(i) + " is " + c.value(i).kind() + ", expected a list of tensors"));
  return nullptr;
}

// An i64 scalar of an input, known or not.
Int number_of(Call& c, size_t i) {
  const ValueId v = c.tensor(i);
  if (const auto known = known_ints(c.b, v); known && known->size() == 1) return (*known)[0];
  return int_of(c.b, v);
}

Values reserve(Call& c, const Site&) {
  TensorList list;
  list.element = told_shape(c, 0);
  list.length = number_of(c, 1);
  list.dtype = c.dtype("element_dtype");
  return {Value::list(std::move(list))};
}

Values empty(Call& c, const Site&) {
  TensorList list;
  list.element = told_shape(c, 0);
  list.dtype = c.dtype("element_dtype");
  return {Value::list(std::move(list))};
}

Values from_tensor(Call& c, const Site&) {
  TensorList list;
  list.elements = c.tensor(0);
  if (c.b.rank(list.elements) == 0) return c.fail(invalid("a scalar has no elements for a list"));
  return {Value::list(std::move(list))};
}

Values set_item(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  const ValueId index = c.tensor(1), item = c.tensor(2);
  if (!c.b.ok()) return {};
  if (c.boolean("resize_if_index_out_of_bounds", false)) return c.fail(unsupported("a list that grows as it is written is not supported"));
  TensorList list = *before;
  if (list.use != nullptr) {  // in a body: the loop decides what becomes of it
    list.use->twice = list.use->twice || list.item != kNone;
    list.use->item = c.b.type(item);
    list.item = item;
    list.index = index;
    return {Value::list(std::move(list))};
  }
  list.elements = put(c.b, filled(c.b, list, c.b.type(item)), index, item);
  return {Value::list(std::move(list))};
}

Values get_item(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  const ValueId elements = elements_of(c.b, *list);
  if (const auto at = known_ints(c.b, c.tensor(1)); at && c.b.ok() && c.b.shape(elements).ranked() && c.b.shape(elements)[0].known()) {
    if ((*at)[0] < 0 || (*at)[0] >= c.b.shape(elements)[0].value())
      return c.fail(invalid("it reads element " + std::to_string((*at)[0]) + " of a list of " + c.b.shape(elements)[0].text()));
  }
  return {c.b.emit("Gather", {elements, c.tensor(1)}, axis_0())};
}

Values stack(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  return {elements_of(c.b, *list)};
}

Values gather(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  return {c.b.emit("Gather", {elements_of(c.b, *list), c.tensor(1)}, axis_0())};
}

// The elements one behind the other, and how long each is: all the same here.
Values concat(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  Builder& b = c.b;
  const ValueId elements = elements_of(b, *list);
  const int rank = b.rank(elements);
  if (rank < 2) return c.fail(invalid("scalars cannot be concatenated"));
  const Int count = b.size(elements, 0), each = b.size(elements, 1);
  std::vector<Int> sizes{b.mul(count, each)};
  for (int axis = 2; axis < rank; ++axis) sizes.push_back(b.size(elements, axis));
  return {b.reshape(elements, sizes), b.emit("Expand", {b.scalar(each), b.ints(std::vector<Int>{count})})};
}

Values length(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  const Int n = list->elements == kNone ? list->length : c.b.size(list->elements, 0);
  return {c.b.cast(c.b.scalar(n), DType::i32)};
}

Values element_shape(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  const ValueId elements = elements_of(c.b, *list);
  Attributes attrs;
  attrs.set("start", int64_t(1));
  return {c.b.cast(c.b.emit("Shape", {elements}, std::move(attrs)), c.dtype("shape_type", DType::i32))};
}

// Zeros behind, or the rest is cut off.
Values resize(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  const Int wanted = number_of(c, 1);
  if (list.use != nullptr) list.use->read = true;
  if (list.elements == kNone) {
    list.length = wanted;
    return {Value::list(std::move(list))};
  }
  const Int has = c.b.size(list.elements, 0);
  if (!has.known() || !wanted.known()) return c.fail(unsupported("the length of the list must be known when the model is loaded"));
  if (wanted.value() <= has.value()) {
    list.elements = c.b.emit("Slice", {list.elements, c.b.ints({0}), c.b.ints({wanted.value()}), c.b.ints({0})});
  } else {
    TensorList more;
    more.length = wanted.value() - has.value();
    TypeInfo item = c.b.type(list.elements);
    item.shape.dims().erase(item.shape.dims().begin());
    list.elements = c.b.emit("Concat", {list.elements, filled(c.b, more, item)}, axis_0());
  }
  return {Value::list(std::move(list))};
}

Values push_back(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  if (list.use != nullptr) return c.fail(unsupported("a list that a loop makes longer is not supported"));
  const ValueId item = c.b.emit("Unsqueeze", {c.tensor(1), c.b.ints({0})});
  const bool first = list.elements == kNone && list.length.known() && list.length.value() == 0;
  list.elements = first ? item : c.b.emit("Concat", {elements_of(c.b, list), item}, axis_0());
  return {Value::list(std::move(list))};
}

Values pop_back(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  if (list.use != nullptr) return c.fail(unsupported("a list that a loop makes shorter is not supported"));
  const ValueId all = elements_of(c.b, list);
  list.elements = c.b.emit("Slice", {all, c.b.ints({0}), c.b.ints({-1}), c.b.ints({0})});
  return {Value::list(std::move(list)), c.b.emit("Gather", {all, c.b.constant(Tensor::scalar(int64_t(-1)))}, axis_0())};
}

constexpr Special kOperators[] = {{"TensorListReserve", reserve},        {"EmptyTensorList", empty},
                                  {"TensorListFromTensor", from_tensor}, {"TensorListSetItem", set_item},
                                  {"TensorListGetItem", get_item},       {"TensorListStack", stack},
                                  {"TensorListGather", gather},          {"TensorListConcatV2 TensorListConcat", concat},
                                  {"TensorListLength", length},          {"TensorListElementShape", element_shape},
                                  {"TensorListResize", resize},          {"TensorListPushBack", push_back},
                                  {"TensorListPopBack", pop_back}};

}  // namespace

Int int_of(Builder& b, ValueId v) {
  if (!b.ok()) return 0;
  const auto& known = b.graph.value(v).ints;
  if (known && known->size() == 1 && b.resolvable((*known)[0])) return (*known)[0];
  if (b.rank(v) != 0) v = b.reshape(v, {});
  return Int::computed(b.cast(v, DType::i64));
}

ValueId filled(Builder& b, const TensorList& list, const TypeInfo& item) {
  if (list.elements != kNone || !b.ok()) return list.elements;
  const Shape& element = item.shape.ranked() ? item.shape : list.element;
  if (!element.ranked()) return b.fail(unsupported("the shape of a list's elements is not known"));
  std::vector<Int> sizes{list.length};
  for (const Dim& d : element.dims()) {
    if (!b.resolvable(d)) return b.fail(unsupported("the shape of a list's elements, " + element.text() + ", is not known before the loop"));
    sizes.push_back(d);
  }
  return b.emit("Expand", {b.scalar(item.dtype == DType::none ? list.dtype : item.dtype, 0), b.ints(sizes)});
}

ValueId elements_of(Builder& b, const TensorList& list) {
  if (list.use != nullptr) list.use->read = true;
  TypeInfo item = list.use != nullptr ? list.use->item : TypeInfo();
  return filled(b, list, item);
}

ValueId put(Builder& b, ValueId elements, ValueId index, ValueId item) {
  if (!b.ok()) return kNone;
  if (b.shape(elements)[0].is(1)) return b.emit("Unsqueeze", {item, b.ints({0})});
  const ValueId at = b.reshape(b.cast(index, DType::i64), {1, 1});
  return b.emit("ScatterND", {elements, at, b.emit("Unsqueeze", {item, b.ints({0})})});
}

std::span<const Special> list_operators() { return kOperators; }

}  // namespace tern::tensorflow
