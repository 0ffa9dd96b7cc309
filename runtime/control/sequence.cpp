// Sequences as lists: SequenceConstruct, SequenceEmpty, SequenceInsert, SequenceErase, SequenceAt, SequenceLength. One whose elements are
// known before the run, as values of the graph, is taken apart by folding: what reads it reads them, so that there is a plan. See
// kernels/sequence/sequence.h, sequences.h.
#include "kernels/sequence/sequence.h"

#include "kernels/dtype_code.h"
#include "runtime/control/sequences.h"
#include "runtime/infer_shapes.h"

namespace tern {
namespace {

Status check_position(const Graph& graph, const Node& node, size_t i) {
  if (!has_input(node, i)) return {};
  auto type = input_type(graph, node, i, ValueKind::tensor);
  if (!type) return type.error();
  bool one = type->dtype == DType::i32 || type->dtype == DType::i64;
  for (const Dim& d : type->shape.dims()) one = one && (!d.known() || d.is(1));
  return one ? Status() : Status(invalid("the position is " + type->text() + ", it must be one i32 or i64"));
}

// A place in 0..`end`: `size` elements, and one behind them when something is inserted.
Result<size_t> place(const Tensor& position, size_t size, bool insert) {
  const auto ints = position.present() ? as_ints(position.view()) : std::nullopt;
  if (!ints || ints->size() != 1) return invalid("the position is not one integer");
  const int64_t i = (*ints)[0], n = static_cast<int64_t>(size), end = insert ? n : n - 1;
  if (i < -n || i > end)
    return invalid("position " + std::to_string(i) + " is outside of the sequence, which has " + std::to_string(n) + " elements");
  return static_cast<size_t>(i < 0 ? i + n : i);
}
// The same, of input i, which may be absent: at the end.
Result<size_t> place(std::span<const Datum> inputs, size_t i, size_t size, bool insert) {
  if (i < inputs.size() && inputs[i].present()) return place(inputs[i].tensor, size, insert);
  if (!insert && size == 0) return invalid("the sequence is empty");
  return insert ? size : size - 1;
}
// The same in a graph; nothing when it is not known.
Result<std::optional<size_t>> known_place(const Graph& graph, const Node& node, size_t i, size_t size, bool insert) {
  if (has_input(node, i) && !graph.is_constant(node.inputs[i])) return std::optional<size_t>();
  const Datum absent_or_known[] = {has_input(node, i) ? Datum(graph.value(node.inputs[i]).constant) : Datum()};
  auto at = place(absent_or_known, 0, size, insert);
  if (!at) return at.error().within(describe(graph, node));
  return std::optional(*at);
}

// ---- SequenceConstruct ----

Status infer_construct(Graph& graph, Node& node) {
  TypeInfo all;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    auto type = input_type(graph, node, i, ValueKind::tensor);
    if (!type) return type.error();
    if (i == 0) all = *type;
    if (type->dtype != all.dtype) return invalid(std::string("elements are both ") + name(all.dtype) + " and " + name(type->dtype));
    all.shape = common_shape(graph, all.shape, type->shape);
  }
  set_output(graph, node, 0, sequence_of(std::move(all)));
  return {};
}

Result<bool> fold_construct(Folding& folding, Node& node) {
  set_elements(folding, node, node.inputs);
  return false;
}

Result<std::vector<Datum>> evaluate_construct(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions& left) {
  Datum::Elements list;
  for (const Datum& d : inputs) list.push_back(d.tensor);
  return give(std::move(list), left);
}

// ---- SequenceEmpty ----

Status infer_empty(Graph& graph, Node& node) {
  const int64_t code = node.read().has("dtype") ? node.read().i("dtype") : code_of(DType::f32);
  const DType dtype = dtype_from_code(code);
  if (dtype == DType::none) return unsupported("a sequence of the ONNX data type " + std::to_string(code));
  set_output(graph, node, 0, sequence_of({dtype, {}}));
  return {};
}

Result<std::vector<Datum>> evaluate_empty(const Graph&, const Node&, std::span<const Datum>, EvaluateOptions&) {
  return std::vector<Datum>{Datum::Elements()};
}

// ---- SequenceInsert, SequenceErase ----

Status infer_insert(Graph& graph, Node& node) {
  auto sequence = input_type(graph, node, 0, ValueKind::sequence);
  if (!sequence) return sequence.error();
  auto tensor = input_type(graph, node, 1, ValueKind::tensor);
  if (!tensor) return tensor.error();
  if (tensor->dtype != sequence->dtype) return invalid("a tensor of " + std::string(name(tensor->dtype)) + " cannot go into a " + sequence->text());
  if (Status s = check_position(graph, node, 2); !s) return s;
  set_output(graph, node, 0, sequence_of({tensor->dtype, common_shape(graph, sequence->shape, tensor->shape)}));
  return {};
}

Status infer_erase(Graph& graph, Node& node) {
  auto sequence = input_type(graph, node, 0, ValueKind::sequence);
  if (!sequence) return sequence.error();
  if (Status s = check_position(graph, node, 1); !s) return s;
  set_output(graph, node, 0, *sequence);
  return {};
}

Result<bool> fold_insert(Folding& folding, Node& node) {
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr) return false;
  auto at = known_place(folding.graph, node, 2, known->size(), true);
  if (!at) return at.error();
  if (!*at) return false;
  std::vector<ValueId> list = *known;
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(**at), node.inputs[1]);
  set_elements(folding, node, std::move(list));
  return false;
}

Result<bool> fold_erase(Folding& folding, Node& node) {
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr) return false;
  auto at = known_place(folding.graph, node, 1, known->size(), false);
  if (!at) return at.error();
  if (!*at) return false;
  std::vector<ValueId> list = *known;
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(**at));
  set_elements(folding, node, std::move(list));
  return false;
}

Result<std::vector<Datum>> evaluate_insert(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions& left) {
  auto old = elements_of(inputs, 0);
  if (!old) return old.error();
  auto at = place(inputs, 2, (*old)->size(), true);
  if (!at) return at.error();
  Datum::Elements list = **old;
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(*at), inputs[1].tensor);
  return give(std::move(list), left);
}

Result<std::vector<Datum>> evaluate_erase(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions& left) {
  auto old = elements_of(inputs, 0);
  if (!old) return old.error();
  auto at = place(inputs, 1, (*old)->size(), false);
  if (!at) return at.error();
  Datum::Elements list = **old;
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(*at));
  return give(std::move(list), left);
}

// ---- SequenceAt, SequenceLength ----

Status infer_at(Graph& graph, Node& node) {
  auto sequence = input_type(graph, node, 0, ValueKind::sequence);
  if (!sequence) return sequence.error();
  if (Status s = check_position(graph, node, 1); !s) return s;
  set_output(graph, node, 0, element_type(graph, *sequence));
  return {};
}

Status infer_length(Graph& graph, Node& node) {
  auto sequence = input_type(graph, node, 0, ValueKind::sequence);
  if (!sequence) return sequence.error();
  set_output(graph, node, 0, {DType::i64, Shape(std::vector<Dim>())});
  return {};
}

Result<bool> fold_at(Folding& folding, Node& node) {
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr) return false;
  auto at = known_place(folding.graph, node, 1, known->size(), false);
  if (!at) return at.error();
  if (!*at) return false;
  return replace(folding, node, (*known)[**at]);
}

Result<bool> fold_length(Folding& folding, Node& node) {
  const auto* known = known_elements(folding, node.inputs[0]);
  if (known == nullptr) return false;
  const std::string name = folding.graph.value(node.outputs[0]).name;
  return replace(folding, node, folding.graph.add_constant(name, Tensor::scalar(static_cast<int64_t>(known->size()))));
}

Result<std::vector<Datum>> evaluate_at(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions&) {
  auto list = elements_of(inputs, 0);
  if (!list) return list.error();
  auto at = place(inputs, 1, (*list)->size(), false);
  if (!at) return at.error();
  return std::vector<Datum>{(**list)[*at]};
}

Result<std::vector<Datum>> evaluate_length(const Graph&, const Node&, std::span<const Datum> inputs, EvaluateOptions&) {
  auto list = elements_of(inputs, 0);
  if (!list) return list.error();
  return std::vector<Datum>{Tensor::scalar(static_cast<int64_t>((*list)->size()))};
}

}  // namespace

constinit const ControlDef kSequenceConstructControl = {
    .op = &kSequenceConstruct, .infer = infer_construct, .fold = fold_construct, .evaluate = evaluate_construct};
constinit const ControlDef kSequenceEmptyControl = {.op = &kSequenceEmpty, .infer = infer_empty, .fold = fold_construct, .evaluate = evaluate_empty};
constinit const ControlDef kSequenceInsertControl = {.op = &kSequenceInsert, .infer = infer_insert, .fold = fold_insert, .evaluate = evaluate_insert};
constinit const ControlDef kSequenceEraseControl = {.op = &kSequenceErase, .infer = infer_erase, .fold = fold_erase, .evaluate = evaluate_erase};
constinit const ControlDef kSequenceAtControl = {.op = &kSequenceAt, .infer = infer_at, .fold = fold_at, .evaluate = evaluate_at};
constinit const ControlDef kSequenceLengthControl = {.op = &kSequenceLength, .infer = infer_length, .fold = fold_length, .evaluate = evaluate_length};
}  // namespace tern
