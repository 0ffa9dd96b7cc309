// See call.h.
#include "loaders/tensorflow/graph/call.h"

#include "loaders/tensorflow/graph/types.h"
#include "runtime/base/printable.h"
#include "runtime/evaluator.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

using tensorflow_pb::AttrValue;

const char* Value::kind() const {
  constexpr const char* kKinds[] = {"nothing",      "of a branch that is not taken", "a tensor",          "not computed",  "a variable",
                                    "a hash table", "the name of an asset",          "a list of tensors", "random numbers"};
  static_assert(std::size(kKinds) == std::variant_size_v<decltype(v)>);
  return kKinds[v.index()];
}

Call::Call(Builder& builder, const tensorflow_pb::NodeDef& def, Values inputs, const Caller* from)
    : b(builder), name(def.name()), op(def.op()), node(def), caller(from), inputs_(std::move(inputs)) {}

Values Call::fail(const Error& error) const {
  b.fail(error);
  return {};
}

// ---- inputs

const Value& Call::value(size_t i) const {
  static const Value kNothing;
  return i < inputs_.size() ? inputs_[i] : kNothing;
}

ValueId Call::tensor(size_t i) const {
  const Value& v = value(i);
  if (v.id() != kNone && v.imaginary() == kNone) return v.id();
  const std::string which = "input " + std::to_string(i);
  if (const auto* u = v.get<Value::Uncomputed>()) return b.fail(unsupported(which + " is " + u->what + ", which is not supported"));
  if (v.id() != kNone) return b.fail(unsupported(which + " is complex, which is not supported here"));
  return b.fail(invalid(which + " is " + v.kind() + ", expected a tensor"));
}

std::vector<ValueId> Call::tensors(size_t from, size_t to) const {
  std::vector<ValueId> list;
  for (size_t i = from; i < std::min(to, inputs_.size()); ++i) list.push_back(tensor(i));
  return list;
}

ValueId Call::variable(size_t i) const {
  if (const auto* known = value(i).get<Value::Variable>()) return b.variable(known->index);
  if (value(i).get<Value::Plain>() != nullptr) return tensor(i);
  return b.fail(invalid("input " + std::to_string(i) + " is " + value(i).kind() + ", expected a variable"));
}

const LookupTable* Call::table(size_t i) const {
  if (const auto* known = value(i).get<Value::Table>()) {
    if (known->table->keys.present()) return known->table.get();
    const Status& filled = b.program.tables_filled;
    const std::string which = "the table " + printable(known->table->name, 80);
    if (filled) b.fail(unsupported(which + " is filled by nothing that is supported"));
    else b.fail(Error(filled.error().code(), which + " could not be filled: " + filled.error().message()));
    return nullptr;
  }
  b.fail(invalid("input " + std::to_string(i) + " is " + value(i).kind() + ", expected a hash table"));
  return nullptr;
}

namespace {

constexpr int64_t kFewElements = 4096;

std::optional<Tensor> written_down(const Builder& b, ValueId v) {
  if (const Tensor* known = b.contents(v)) return known->count() <= kFewElements ? std::optional(*known) : std::nullopt;
  const auto& symbolic = b.graph.value(v).ints;
  if (!symbolic || !b.shape(v).ranked() || b.shape(v).rank() > 1) return std::nullopt;
  std::vector<int64_t> wide;
  for (const Dim& d : *symbolic) {
    if (!d.known()) return std::nullopt;
    wide.push_back(d.value());
  }
  const Dims dims = b.shape(v).rank() == 0 ? Dims() : Dims{static_cast<int64_t>(wide.size())};
  if (b.dtype(v) == DType::i64) return Tensor::of<int64_t>(dims, wide);
  const std::vector<int32_t> narrow(wide.begin(), wide.end());
  return b.dtype(v) == DType::i32 ? std::optional(Tensor::of<int32_t>(dims, narrow)) : std::nullopt;
}

// What constants and sizes that are numbers make, through so many nodes at most.
std::optional<Tensor> computed(const Builder& b, ValueId v, int& left) {
  if (v == kNone) return Tensor();
  if (auto known = written_down(b, v)) return known;
  const Node* node = b.producer(v);
  if (node == nullptr || !node->subgraphs.empty() || node->outputs.size() != 1 || --left < 0) return std::nullopt;
  if (++b.program.nodes > Program::kMostNodes) return std::nullopt;
  std::vector<Tensor> inputs;
  for (const ValueId in : node->inputs) {
    auto tensor = computed(b, in, left);
    if (!tensor) return std::nullopt;
    inputs.push_back(std::move(*tensor));
  }
  EvaluateOptions options;
  options.budget = kFewElements * 64;
  options.work = kFewElements * 64;
  auto made = evaluate_node(b.graph, *node, inputs, options);
  return made && made->size() == 1 && (*made)[0].present() && (*made)[0].count() <= kFewElements ? std::optional((*made)[0]) : std::nullopt;
}

}  // namespace

std::optional<std::vector<int64_t>> known_ints(const Builder& b, ValueId v) {
  if (v == kNone) return std::nullopt;
  if (const Tensor* known = b.contents(v)) return as_ints(known->view());
  int nodes = 64;
  const auto tensor = computed(b, v, nodes);
  return tensor && tensor->present() ? as_ints(tensor->view()) : std::nullopt;
}

bool Call::knows_ints(size_t i) const { return tensorflow::known_ints(b, value(i).id()).has_value(); }

std::vector<int64_t> Call::known_ints(size_t i) const {
  const ValueId v = tensor(i);
  if (!b.ok()) return {};
  if (auto list = tensorflow::known_ints(b, v)) return std::move(*list);
  b.fail(unsupported("input " + std::to_string(i) + " must be known when the model is loaded"));
  return {};
}

// ---- attributes

const AttrValue* Call::attribute(std::string_view attr) const {
  const auto* of = &node.attr();
  for (const Caller* from = caller;; from = from->caller) {
    const AttrValue* found = nullptr;
    for (const auto& a : *of) {
      if (a.key() == attr) found = &a.value();
    }
    if (found == nullptr || !found->has_placeholder()) return found;
    if (from == nullptr) return nullptr;
    attr = found->placeholder();
    of = from->attributes;
  }
}

const AttrValue* Call::expect(const char* attr, bool (AttrValue::*has)() const, const char* kind, bool optional) const {
  const AttrValue* a = attribute(attr);
  if (a != nullptr && (a->*has)()) return a;
  if (a != nullptr) b.fail(invalid("attribute " + std::string(attr) + " is not " + kind));
  if (a == nullptr && !optional) b.fail(invalid("attribute " + std::string(attr) + " is missing"));
  return nullptr;
}

int64_t Call::integer(const char* attr, std::optional<int64_t> otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_i, "an integer", otherwise.has_value());
  return a != nullptr ? a->i() : otherwise.value_or(0);
}

double Call::number(const char* attr, std::optional<double> otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_f, "a number", otherwise.has_value());
  return a != nullptr ? a->f() : otherwise.value_or(0);
}

bool Call::boolean(const char* attr, std::optional<bool> otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_b, "a bool", otherwise.has_value());
  return a != nullptr ? a->b() : otherwise.value_or(false);
}

std::string Call::string(const char* attr, std::optional<std::string> otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_s, "a text", otherwise.has_value());
  return a != nullptr ? a->s() : otherwise.value_or("");
}

int Call::type_number(const char* attr, int otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_type, "a type", true);
  return a != nullptr ? a->type() : otherwise;
}

DType Call::dtype(const char* attr, std::optional<DType> otherwise) const {
  const AttrValue* a = expect(attr, &AttrValue::has_type, "a type", otherwise.has_value());
  if (a == nullptr) return otherwise.value_or(DType::none);
  auto dtype = dtype_of(a->type());
  if (dtype) return *dtype;
  b.fail(dtype.error().within("attribute " + std::string(attr)));
  return DType::none;
}

std::vector<int64_t> Call::ints(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_list, "a list", true);
  return a != nullptr ? std::vector<int64_t>(a->list().i().begin(), a->list().i().end()) : std::vector<int64_t>();
}

std::vector<float> Call::floats(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_list, "a list", true);
  return a != nullptr ? std::vector<float>(a->list().f().begin(), a->list().f().end()) : std::vector<float>();
}

std::vector<std::string> Call::strings(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_list, "a list", true);
  return a != nullptr ? std::vector<std::string>(a->list().s().begin(), a->list().s().end()) : std::vector<std::string>();
}

std::vector<int> Call::type_numbers(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_list, "a list", true);
  return a != nullptr ? std::vector<int>(a->list().type().begin(), a->list().type().end()) : std::vector<int>();
}

Shape Call::shape(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_shape, "a shape", true);
  if (a == nullptr) return {};
  auto shape = to_shape(a->shape(), b.graph);
  if (shape) return *shape;
  b.fail(shape.error().within("attribute " + std::string(attr)));
  return {};
}

Tensor Call::constant(const char* attr) const {
  const AttrValue* a = expect(attr, &AttrValue::has_tensor, "a tensor", false);
  if (a == nullptr) return {};
  auto tensor = to_tensor(a->tensor(), b.program.contents);
  if (tensor) return *tensor;
  b.fail(tensor.error().within("attribute " + std::string(attr)));
  return {};
}

}  // namespace tern::tensorflow
