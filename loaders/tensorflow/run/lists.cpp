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

bool same(const Int& x, const Int& y) { return x.node == kNone && y.node == kNone && x.dim == y.dim; }

TypeInfo item_of(const Builder& b, ValueId elements) {
  TypeInfo item = b.type(elements);
  if (item.shape.rank() > 0) item.shape.dims().erase(item.shape.dims().begin());
  return item;
}

// Are these 0, 1, 2 … up to the last of n?
bool all_of(Builder& b, ValueId indices, const Int& n) {
  if (!b.ok() || b.shape(indices).rank() != 1) return false;
  if (const auto known = known_ints(b, indices)) {
    for (size_t i = 0; i < known->size(); ++i) {
      if ((*known)[i] != static_cast<int64_t>(i)) return false;
    }
    return same(n, static_cast<int64_t>(known->size()));
  }
  while (b.producer(indices) != nullptr && std::string_view(b.producer(indices)->op->name) == "Cast") indices = b.producer(indices)->inputs[0];
  const Node* range = b.producer(indices);
  if (range == nullptr || std::string_view(range->op->name) != "Range" || range->inputs.size() != 3) return false;
  const auto first = known_ints(b, range->inputs[0]), step = known_ints(b, range->inputs[2]);
  return first == std::vector<int64_t>{0} && step == std::vector<int64_t>{1} && same(b.size(indices, 0), n);
}

// Zeros behind the elements, up to so many.
ValueId longer(Builder& b, ValueId elements, const Int& has, const Int& wanted) {
  TensorList more;
  more.length = b.sub(wanted, has);
  return b.emit("Concat", {elements, filled(b, more, item_of(b, elements))}, axis_0());
}

Int most(Builder& b, const Int& x, const Int& y) {
  if (x.known() && y.known()) return std::max(x.value(), y.value());
  return same(x, y) ? x : Int::computed(b.emit("Max", {b.scalar(x), b.scalar(y)}));
}

Values made(TensorList list) { return {Value::list(std::move(list))}; }

// ---- lists that begin. Input Element tells the shape of elements.

Values reserve(Call& c, const Site&) {
  TensorList list;
  list.element = told_shape(c, 0);
  list.length = number_of(c, 1);
  list.dtype = c.dtype("element_dtype");
  return made(std::move(list));
}

Values empty(Call& c, const Site&) {
  TensorList list;
  list.element = told_shape(c, 0);
  list.dtype = c.dtype("element_dtype");
  return made(std::move(list));
}

Values from_tensor(Call& c, const Site&) {
  TensorList list;
  list.elements = c.tensor(0);
  if (c.b.rank(list.elements) == 0) return c.fail(invalid("a scalar has no elements for a list"));
  return made(std::move(list));
}

// An array of TensorFlow 1: its handle, which says nothing, and the first of the values that stand for it as it is written, which TensorFlow calls flows.
Values array(Call& c, const Site&) {
  TensorList list;
  list.length = number_of(c, 0);
  list.dtype = c.dtype("dtype");
  list.element = c.shape("element_shape");
  list.grows = c.boolean("dynamic_size", false);
  return {Value::uncomputed("the handle of an array"), Value::list(std::move(list))};
}

// ---- what operators on TensorLists and on arrays do; template arguments are the numbers of the inputs.

template <size_t List, size_t Index, size_t Item>
Values set_item(Call& c, const Site&) {
  const TensorList* before = list_of(c, List);
  const ValueId index = c.tensor(Index), item = c.tensor(Item);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  list.grows = list.grows || c.boolean("resize_if_index_out_of_bounds", false);
  if (list.use != nullptr) {  // in a body: the loop decides what becomes of it
    list.use->twice = list.use->twice || list.item != kNone;
    list.use->item = c.b.type(item);
    list.item = item;
    list.index = index;
    return made(std::move(list));
  }
  list.elements = filled(c.b, list, c.b.type(item));
  if (list.grows && c.b.ok()) {
    const Int has = c.b.size(list.elements, 0), wanted = most(c.b, has, c.b.add(number_of(c, Index), 1));
    if (!same(has, wanted)) list.elements = longer(c.b, list.elements, has, wanted);
  }
  list.elements = put(c.b, list.elements, index, item);
  return made(std::move(list));
}

template <size_t List, size_t Index>
Values get_item(Call& c, const Site&) {
  const TensorList* list = list_of(c, List);
  if (!c.b.ok()) return {};
  if (list->sequence != kNone) return {c.b.emit("SequenceAt", {list->sequence, c.tensor(Index)})};
  const ValueId elements = elements_of(c.b, *list);
  if (const auto at = known_ints(c.b, c.tensor(Index)); at && c.b.ok() && c.b.shape(elements).ranked() && c.b.shape(elements)[0].known()) {
    if (at->size() != 1) return c.fail(invalid("it reads " + std::to_string(at->size()) + " elements, expected one"));
    if ((*at)[0] < 0 || (*at)[0] >= c.b.shape(elements)[0].value())
      return c.fail(invalid("it reads element " + std::to_string((*at)[0]) + " of a list of " + c.b.shape(elements)[0].text()));
  }
  return {c.b.emit("Gather", {elements, c.tensor(Index)}, axis_0())};
}

// Of a list that nothing is known of, input 1 may tell the shape of elements.
Values stack(Call& c, const Site&) {
  const TensorList* list = list_of(c, 0);
  if (!c.b.ok()) return {};
  TensorList told = *list;
  if (!told.element.ranked() && c.knows_ints(1)) told.element = told_shape(c, 1);
  return {elements_of(c.b, told)};
}

template <size_t List, size_t Indices>
Values gather(Call& c, const Site&) {
  const TensorList* list = list_of(c, List);
  const ValueId indices = c.tensor(Indices);
  if (!c.b.ok()) return {};
  const ValueId elements = elements_of(c.b, *list);
  if (c.b.ok() && all_of(c.b, indices, c.b.size(elements, 0))) return {elements};
  return {c.b.emit("Gather", {elements, indices}, axis_0())};
}

// Several elements at once, rows of a tensor.
template <size_t List, size_t Indices, size_t Rows>
Values scatter(Call& c, const Site&) {
  const TensorList* before = list_of(c, List);
  const ValueId indices = c.tensor(Indices), rows = c.tensor(Rows);
  if (!c.b.ok()) return {};
  if (c.b.rank(rows) == 0) return c.fail(invalid("a scalar has no elements for a list"));
  TensorList list = *before;
  const Int count = c.b.size(rows, 0);
  if (list.use != nullptr) list.use->read = true;
  const bool whole = list.elements == kNone && (list.grows || same(list.length, count)) && all_of(c.b, indices, count);
  if (whole) {
    list.elements = rows;
    return made(std::move(list));
  }
  const ValueId at = c.b.emit("Unsqueeze", {c.b.cast(indices, DType::i64), c.b.ints({1})});
  list.elements = c.b.emit("ScatterND", {filled(c.b, list, item_of(c.b, rows)), at, rows});
  return made(std::move(list));
}

// Elements of one length, one behind the other in a tensor.
template <size_t Rows, size_t Lengths>
Values split(Call& c, const Site&) {
  const ValueId rows = c.tensor(Rows);
  if (!c.b.ok() || c.b.rank(rows) == 0) return c.fail(invalid("a scalar has no elements for a list"));
  const std::vector<int64_t> lengths = c.known_ints(Lengths);
  if (!c.b.ok()) return {};
  for (const int64_t n : lengths) {
    if (n != lengths[0]) return c.fail(unsupported("it makes a list of elements of several lengths"));
  }
  std::vector<Int> sizes{static_cast<int64_t>(lengths.size()), lengths.empty() ? int64_t(0) : lengths[0]};
  for (int axis = 1; axis < c.b.rank(rows); ++axis) sizes.push_back(c.b.size(rows, axis));
  TensorList list;
  list.elements = c.b.reshape(rows, sizes);
  return made(std::move(list));
}

// The elements one behind the other, and how long each is.
template <size_t List>
Values concat(Call& c, const Site&) {
  const TensorList* list = list_of(c, List);
  if (!c.b.ok()) return {};
  Builder& b = c.b;
  if (list->sequence != kNone)
    return {b.emit("ConcatFromSequence", {list->sequence}, axis_0()), Value::uncomputed("the lengths of a list's elements")};
  const ValueId elements = elements_of(b, *list);
  const int rank = b.rank(elements);
  if (rank < 2) return c.fail(invalid("scalars cannot be concatenated"));
  const Int count = b.size(elements, 0), each = b.size(elements, 1);
  std::vector<Int> sizes{b.mul(count, each)};
  for (int axis = 2; axis < rank; ++axis) sizes.push_back(b.size(elements, axis));
  return {b.reshape(elements, sizes), b.emit("Expand", {b.scalar(each), b.ints(std::vector<Int>{count})})};
}

template <size_t List>
Values length(Call& c, const Site&) {
  const TensorList* list = list_of(c, List);
  if (!c.b.ok()) return {};
  const bool changes = list->grows || (list->length.known() && list->length.value() == 0);  // from one iteration to the next
  if (list->use != nullptr && changes) list->use->read = true;
  if (list->sequence != kNone) return {c.b.cast(c.b.emit("SequenceLength", {list->sequence}), DType::i32)};
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
    return made(std::move(list));
  }
  const Int has = c.b.size(list.elements, 0);
  const bool shorter = has.known() && wanted.known() && wanted.value() <= has.value();
  if (!shorter) list.elements = longer(c.b, list.elements, has, most(c.b, has, wanted));
  list.elements = c.b.emit("Slice", {list.elements, c.b.ints({0}), c.b.ints(std::vector<Int>{wanted}), c.b.ints({0})});
  return made(std::move(list));
}

Values push_back(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  const ValueId pushed = c.tensor(1);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  if (list.use != nullptr) {
    list.use->twice = list.use->twice || list.item != kNone;
    list.use->item = c.b.type(pushed);
    list.item = pushed;
    list.index = kNone;
    return made(std::move(list));
  }
  const ValueId item = c.b.emit("Unsqueeze", {pushed, c.b.ints({0})});
  const bool first = list.elements == kNone && list.length.known() && list.length.value() == 0;
  list.elements = first ? item : c.b.emit("Concat", {filled(c.b, list, c.b.type(pushed)), item}, axis_0());
  return made(std::move(list));
}

Values pop_back(Call& c, const Site&) {
  const TensorList* before = list_of(c, 0);
  if (!c.b.ok()) return {};
  TensorList list = *before;
  const ValueId all = elements_of(c.b, list);
  list.elements = c.b.emit("Slice", {all, c.b.ints({0}), c.b.ints({-1}), c.b.ints({0})});
  return {Value::list(std::move(list)), c.b.emit("Gather", {all, c.b.constant(Tensor::scalar(int64_t(-1)))}, axis_0())};
}

constexpr Special kListsOperators[] = {{"TensorListReserve", reserve},
                                       {"EmptyTensorList", empty},
                                       {"TensorListFromTensor", from_tensor},
                                       {"TensorArrayV3", array, false, "handle flow"},
                                       {"TensorListSetItem", set_item<0, 1, 2>},
                                       {"TensorArrayWriteV3", set_item<3, 1, 2>},
                                       {"TensorListGetItem", get_item<0, 1>},
                                       {"TensorArrayReadV3", get_item<2, 1>},
                                       {"TensorListStack", stack},
                                       {"TensorListGather", gather<0, 1>},
                                       {"TensorArrayGatherV3", gather<2, 1>},
                                       {"TensorListScatterIntoExistingList", scatter<0, 2, 1>},
                                       {"TensorArrayScatterV3", scatter<3, 1, 2>},
                                       {"TensorListSplit", split<0, 2>},
                                       {"TensorArraySplitV3", split<1, 2>},
                                       {"TensorListConcatV2 TensorListConcat", concat<0>, false, "tensor lengths"},
                                       {"TensorArrayConcatV3", concat<1>, false, "value lengths"},
                                       {"TensorListLength", length<0>},
                                       {"TensorArraySizeV3", length<1>},
                                       {"TensorListElementShape", element_shape},
                                       {"TensorListResize", resize},
                                       {"TensorListPushBack", push_back},
                                       {"TensorListPopBack", pop_back, false, "output_handle tensor"}};

}  // namespace

Int int_of(Builder& b, ValueId v) {
  if (!b.ok()) return 0;
  const auto& known = b.graph.value(v).ints;
  if (known && known->size() == 1 && b.resolvable((*known)[0])) return (*known)[0];
  if (b.rank(v) != 0) v = b.reshape(v, {});
  return Int::computed(b.cast(v, DType::i64));
}

ValueId zeros(Builder& b, DType dtype, const Int& length, const std::vector<Int>& element) {
  std::vector<Int> sizes{length};
  sizes.insert(sizes.end(), element.begin(), element.end());
  const ValueId all = b.emit("Expand", {b.scalar(dtype, 0), b.ints(sizes)});
  const bool known = std::all_of(element.begin(), element.end(), [](const Int& n) { return n.known() && n.value() > 0; });
  if (length.node == kNone || !known) return all;
  sizes[0] = -1;  // inference knows none of sizes of which one is computed
  return b.reshape(all, sizes);
}

ValueId filled(Builder& b, const TensorList& list, const TypeInfo& item) {
  if (!b.ok()) return kNone;
  if (list.sequence != kNone) {
    Attributes attrs = axis_0();
    attrs.set("new_axis", int64_t(1));
    return b.emit("ConcatFromSequence", {list.sequence}, std::move(attrs));
  }
  if (list.elements != kNone) return list.elements;
  const Shape& element = item.shape.ranked() ? item.shape : list.element;
  if (!element.ranked()) return b.fail(unsupported("the shape of a list's elements is not known"));
  std::vector<Int> sizes;
  for (int axis = 0; axis < element.rank(); ++axis) {
    const bool told = list.element.ranked() && list.element.rank() == element.rank() && b.resolvable(list.element[axis]);
    if (!told && !b.resolvable(element[axis]))
      return b.fail(unsupported("the shape of a list's elements, " + element.text() + ", is not known before the loop"));
    sizes.push_back(told ? list.element[axis] : element[axis]);
  }
  return zeros(b, item.dtype == DType::none ? list.dtype : item.dtype, list.length, sizes);
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

std::span<const Special> list_operators() { return kListsOperators; }

}  // namespace tern::tensorflow
