// Model: the immutable half of the API. See tern.h and model.h.
#include "runtime/model.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/checked.h"
#include "runtime/base/guarded.h"
#include "runtime/evaluator.h"
#include "runtime/fold_constants.h"
#include "runtime/infer_shapes.h"
#include "runtime/parts.h"
#include "runtime/plan/plan.h"
#include "runtime/seal_weights.h"
#include "runtime/weightless.h"

namespace tern {
namespace {

// A symbol that inference made up, alone: "?7".
bool is_fresh(const Dim& d) { return d.terms().size() == 1 && d.text().starts_with('?'); }

std::vector<Port> ports(const Graph& graph, const std::vector<ValueId>& ids, const std::vector<std::string>* names) {
  std::vector<Port> out;
  for (size_t i = 0; i < ids.size(); ++i) {
    const Value& value = graph.value(ids[i]);
    Port port{names ? (*names)[i] : value.name, value.type.dtype, {}, value.type.kind};
    if (!value.type.shape.ranked()) port.shape.push_back("?");
    for (const Dim& d : value.type.shape.dims()) port.shape.push_back(d.text());
    out.push_back(std::move(port));
  }
  return out;
}

// Weights: constants of any size that are read as data, not as shapes or axes. `constant`: of the graph's values.
void for_each_weight(const Graph& graph, const Node& node, const std::vector<bool>& constant, auto f) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    if (v == kNone || !constant[static_cast<size_t>(v)] || node.op->value_inputs.has(i)) continue;
    const Tensor& t = graph.value(v).constant;
    const TypeInfo& type = graph.value(v).type;
    const Dims dims = t.present() ? t.dims() : type.shape.concrete();
    f(v, dims.count(), dims.count() * static_cast<int64_t>(size_of(t.present() ? t.dtype() : type.dtype)));
  }
}

// Each weight once, also when several nodes read it; subgraphs included.
void count_weights(const Graph& graph, int64_t& elements, int64_t& bytes) {
  std::vector<bool> not_seen = constants_and_dropped(graph);
  for (const Node& node : graph.nodes) {
    for_each_weight(graph, node, not_seen, [&](ValueId v, int64_t count, int64_t size) {
      not_seen[static_cast<size_t>(v)] = false;
      elements += count;
      bytes += size;
    });
  }
  for (const Graph& g : graph.subgraphs) count_weights(g, elements, bytes);
}

std::optional<TensorView> static_view(const Graph& graph, const std::vector<TypeInfo>& types, ValueId v) {
  if (v == kNone) return TensorView{};
  const Tensor& constant = graph.value(v).constant;
  if (constant.present()) return constant.view(true);
  const TypeInfo& type = types[static_cast<size_t>(v)];
  if (!type.shape.known() || type.shape.rank() > kMaxRank) return std::nullopt;
  const auto bytes = storage_bytes(type.dtype, type.shape.concrete());
  if (!bytes || *bytes > int64_t(1) << 33) return std::nullopt;  // products of extents that nothing backs could overflow
  return TensorView{type.dtype, type.shape.concrete(), nullptr, false, false, {}};
}

std::optional<int64_t> macs_of(const Graph& graph, const std::vector<TypeInfo>& types, const Node& node) {
  if (node.op->macs == nullptr) return 0;
  std::vector<TensorView> in, out;
  for (ValueId v : node.inputs) {
    auto view = static_view(graph, types, v);
    if (!view) return std::nullopt;
    in.push_back(*view);
  }
  for (ValueId v : node.outputs) {
    auto view = static_view(graph, types, v);
    if (!view) return std::nullopt;
    out.push_back(*view);
  }
  return node.op->macs(node.read(), in, out);
}

// The types of all values when dimensions have these values, where inference has left nothing open: neither a rank nor a size.
std::optional<std::vector<TypeInfo>> settled_types(const Graph& graph, const std::map<std::string, int64_t>& dims) {
  const auto fresh = [](const Dim::Term& term) { return term.first.starts_with('?'); };
  std::vector<TypeInfo> all;
  all.reserve(graph.values.size());
  for (const Value& v : graph.values) {
    if (!v.type.shape.ranked()) return std::nullopt;
    all.push_back(v.type);
    for (Dim& d : all.back().shape.dims()) {
      if (std::any_of(d.terms().begin(), d.terms().end(), fresh)) return std::nullopt;
      auto value = d.known() ? d : substitute(d, dims);
      if (!value || (value->known() && value->value() < 0)) return std::nullopt;
      d = std::move(*value);
    }
  }
  return all;
}

// The same also of those that only folding tells, as of a Pad whose amounts the graph computes: a folded graph keeps the places of its values. What
// tells them is small: large constants are not computed once more.
std::vector<TypeInfo> types_of(const ModelState& model, const std::map<std::string, int64_t>& dims) {
  if (auto settled = settled_types(model.graph, dims)) return std::move(*settled);
  auto bound = bind_dims(model.graph, dims);
  Graph graph = bound && infer_shapes(*bound) ? std::move(*bound) : model.graph;
  auto types = [&] {
    std::vector<TypeInfo> all;
    all.reserve(std::max(graph.values.size(), model.graph.values.size()));
    for (const Value& v : graph.values) all.push_back(v.type);
    all.resize(model.graph.values.size());
    return all;
  };
  std::vector<TypeInfo> known = types();
  FoldBudget left = fold_budget(graph, model.options.budget);
  left.largest = int64_t(1) << 20;
  for (int round = 0; round < kFoldRounds; ++round) {
    const size_t before = graph.nodes.size();
    if (!fold_constants(graph, left) || !infer_shapes(graph)) return known;
    if (graph.nodes.size() == before) break;
  }
  return types();
}

// A dimension about which nothing is known has the name that the file declares.
std::vector<Port> outputs_of(const Graph& graph) {
  std::vector<Port> out = ports(graph, graph.outputs, &graph.output_names);
  for (size_t o = 0; o < out.size() && o < graph.output_dim_names.size(); ++o) {
    const Shape& shape = graph.value(graph.outputs[o]).type.shape;
    const std::vector<std::string>& declared = graph.output_dim_names[o];
    if (declared.size() != out[o].shape.size() || !shape.ranked()) continue;
    for (int d = 0; d < shape.rank(); ++d) {
      const auto i = static_cast<size_t>(d);
      if (is_fresh(shape[d]) && !declared[i].empty()) out[o].shape[i] = declared[i];
    }
  }
  return out;
}

std::vector<LayerInfo> layers_of(const ModelState& model, const std::map<std::string, int64_t>& dims) {
  const Graph& graph = model.graph;
  const std::vector<TypeInfo> types = types_of(model, dims);
  const std::vector<bool> constant = constants_and_dropped(graph);
  std::vector<LayerInfo> out;
  out.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    LayerInfo layer;
    layer.name = node.name;
    layer.op = node.op->name;
    if (!node.outputs.empty() && node.outputs[0] != kNone) {
      if (layer.name.empty()) layer.name = "@" + graph.value(node.outputs[0]).name;
      const Shape& y = types[static_cast<size_t>(node.outputs[0])].shape;
      for (const Dim& d : y.dims()) layer.shape.push_back(d.text());
      if (!y.ranked()) layer.shape.push_back("?");
    }
    for_each_weight(graph, node, constant, [&](ValueId, int64_t count, int64_t) { layer.parameters += count; });
    layer.macs = macs_of(graph, types, node);
    out.push_back(std::move(layer));
  }
  return out;
}

}  // namespace

Result<Model> make_model(Graph graph, const LoadOptions& options) {
  auto state = std::make_shared<ModelState>();
  state->options = options;
  state->graph = std::move(graph);
  if (const std::string why = ignored_environment(); !why.empty()) state->graph.notes.push_back("ignored: " + why);
  if (Status s = optimize(state->graph, options.budget, Stage::infer); !s) return s.error();
  count_weights(state->graph, state->parameters, state->weight_bytes);
  auto metadata = std::exchange(state->graph.metadata, {});  // may be most of the file; sessions have no use for these
  auto summary = std::exchange(state->graph.summary, {});
  auto signatures = std::exchange(state->graph.signatures, {});
  state->optimized = state->graph;
  if (options.optimize) drop_weights(state->graph);
  state->graph.metadata = std::move(metadata);
  state->graph.summary = std::move(summary);
  state->graph.signatures = std::move(signatures);
  const int64_t backed = bytes_of_constants(state->optimized);
  if (options.optimize) {
    if (Status s = optimize_inferred(state->optimized, options.budget); !s) return s.error();
  }
  state->fold_again = options.budget - kFoldedPerBudget * std::max<int64_t>(0, bytes_of_constants(state->optimized) - backed);
  Graph* const graphs[] = {&state->graph, &state->optimized};
  seal_weights(graphs);
  state->data_dependent = !first_no_tensor(state->optimized).empty() || !data_dependence(state->optimized).empty();
  return Model(std::move(state));
}

Model::Model(std::shared_ptr<const ModelState> state) : state_(std::move(state)) {}

// What may allocate is guarded: memory that runs short gives an empty value.
std::string Model::format() const {
  return guarded([&] { return state_->graph.format; });
}
std::string Model::producer() const {
  return guarded([&] { return state_->graph.producer; });
}
int64_t Model::opset() const { return state_->graph.opset; }
std::vector<std::pair<std::string, std::string>> Model::metadata() const {
  return guarded([&] { return state_->graph.metadata; });
}
std::vector<std::string> Model::notes() const {
  return guarded([&] { return state_->graph.notes; });
}
std::string Model::text() const {
  return guarded([&] { return to_text(state_->optimized); });
}
std::vector<Port> Model::inputs() const {
  return guarded([&] { return ports(state_->graph, state_->graph.inputs, nullptr); });
}
std::vector<Port> Model::outputs() const {
  return guarded([&] { return outputs_of(state_->graph); });
}
std::vector<LayerInfo> Model::layers(const std::map<std::string, int64_t>& dims) const {
  return guarded([&] { return layers_of(*state_, dims); });
}
bool Model::data_dependent() const { return state_->data_dependent; }
int64_t Model::parameters() const { return state_->parameters; }
int64_t Model::weight_bytes() const { return state_->weight_bytes; }

int64_t budget_of(const ModelState& model, int64_t budget, std::span<const Dims> inputs) {
  constexpr int64_t kLeast = int64_t(1) << 30, kPerWeight = 16, kPerInput = 64, kMostForInputs = int64_t(3) << 30;
  if (budget != 0) return budget;
  int64_t for_inputs = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TypeInfo& declared = model.optimized.value(model.optimized.inputs[i]).type;
    if (declared.shape.known()) continue;  // the file's choice
    const int64_t bytes = storage_bytes(declared.dtype, inputs[i]).value_or(0);
    for_inputs = std::min(kMostForInputs, for_inputs + kPerInput * std::min(bytes, kMostForInputs));
  }
  return kLeast + kPerWeight * model.weight_bytes + for_inputs;
}

// Strings where they are: `values` must outlive the tensor and whatever has copied its elements.
static Result<Tensor> strings_in_place(const Dims& dims, std::span<const std::string> values) {
  auto t = Tensor::allocate(DType::string, dims);
  if (!t) return t;
  int64_t bytes = 0;
  auto* elements = t->mutable_data<StringRef>();
  for (const std::string& s : values) {
    *elements++ = {s.data(), static_cast<int64_t>(s.size())};
    bytes += static_cast<int64_t>(s.size());
  }
  const Tensor::Pool kept{std::shared_ptr<const void>(std::shared_ptr<const void>(), values.data()), bytes};  // its owner is the caller
  t->keep({&kept, 1});
  return t;
}

// No byte of a bool is anything but 0 or 1. In words: most inputs are.
static bool are_bools(std::span<const std::byte> bytes) {
  uint64_t any = 0;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    any |= word;
  }
  for (; i < bytes.size(); ++i) any |= static_cast<uint64_t>(bytes[i]);
  return (any & 0xfefefefefefefefe) == 0;
}

Result<Tensor> to_tensor(const Array& array, bool in_place) {
  if (array.dims.size() > static_cast<size_t>(kMaxRank)) return unsupported("an array has more than 8 dimensions");
  const Dims dims{std::span<const int64_t>(array.dims)};
  auto count = checked_count(dims.span());
  if (!count) return invalid("an array has an impossible shape");
  if (array.dtype == DType::string) {
    if (static_cast<int64_t>(array.strings.size()) != *count) return invalid("an array has another number of strings than its shape says");
    return in_place ? strings_in_place(dims, array.strings) : Tensor::strings(dims, array.strings);
  }
  auto bytes = storage_bytes(array.dtype, dims);
  if (!bytes || static_cast<size_t>(*bytes) != array.bytes.size()) {
    return invalid("an array of " + std::string(name(array.dtype)) + to_string(dims) + " has " + std::to_string(array.bytes.size()) + " bytes");
  }
  if (in_place && *bytes > 0 && (array.dtype != DType::boolean || are_bools(array.bytes))) {
    return Tensor(array.dtype, dims, {std::shared_ptr<const std::byte>(), array.bytes.data()});  // its owner is the caller
  }
  Tensor t(array.dtype, dims, allocate_aligned(array.bytes.size()));
  if (*bytes > 0) std::memcpy(t.mutable_raw(), array.bytes.data(), array.bytes.size());
  if (array.dtype == DType::boolean) normalize_elements(array.dtype, t.mutable_raw(), *count);
  return t;
}

Array to_array(const Tensor& tensor) {
  Array a{tensor.dtype(), {tensor.dims().span().begin(), tensor.dims().span().end()}, {}, {}};
  if (tensor.dtype() == DType::string) {
    a.strings.reserve(static_cast<size_t>(tensor.count()));
    for (const StringRef& s : tensor.span<StringRef>()) a.strings.emplace_back(s.view());
  } else {
    a.bytes.assign(tensor.raw(), tensor.raw() + tensor.bytes());
  }
  return a;
}

Result<Datum> to_datum(const Array& array, bool in_place) {
  if (!array.sequence && array.dtype == DType::none) return Datum();
  if (!array.sequence) {
    auto t = to_tensor(array, in_place);
    return t ? Result<Datum>(std::move(*t)) : t.error();
  }
  Datum::Elements list;
  for (const Array& a : array.elements) {
    const std::string where = "element " + std::to_string(list.size());
    if (a.sequence || a.dtype == DType::none) return invalid(where + " of a sequence is no tensor");
    auto t = to_tensor(a, in_place);
    if (!t) return t.error().within(where);
    list.push_back(std::move(*t));
  }
  return Datum(std::move(list));
}

Array to_array(const Datum& datum, DType dtype) {
  if (datum.tensor.present()) return to_array(datum.tensor);
  Array a;
  if (datum.elements == nullptr) return a;
  a.dtype = dtype;
  a.sequence = true;
  for (const Tensor& t : *datum.elements) a.elements.push_back(to_array(t));
  return a;
}

namespace {

// Is it what an input of this type takes? Dims of tensors are compared when they are solved for.
Status check_input(const Datum& datum, const TypeInfo& type) {
  const bool optional = type.kind == ValueKind::optional || type.kind == ValueKind::optional_sequence;
  const bool sequence = type.kind == ValueKind::sequence || type.kind == ValueKind::optional_sequence;
  if (!datum.present()) return optional ? Status() : Status(invalid("is nothing, the model expects type " + type.text()));
  if ((datum.elements != nullptr) != sequence)
    return invalid(std::string(sequence ? "is a tensor" : "is a sequence") + ", the model expects type " + type.text());
  const std::span<const Tensor> tensors = sequence ? std::span<const Tensor>(*datum.elements) : std::span<const Tensor>(&datum.tensor, 1);
  for (const Tensor& t : tensors) {
    if (t.dtype() != type.dtype) return invalid(std::string("is ") + name(t.dtype()) + ", the model expects " + name(type.dtype));
    if (type.kind == ValueKind::tensor || !type.shape.ranked()) continue;
    bool fits = t.dims().rank == type.shape.rank();
    for (int d = 0; fits && d < t.dims().rank; ++d) fits = !type.shape[d].known() || type.shape[d].is(t.dims()[d]);
    if (!fits) return invalid("holds a tensor of shape " + to_string(t.dims()) + ", the model expects type " + type.text());
  }
  return {};
}

// The graph for inputs of these dims. To bind and to optimize one takes longer than to run most of them.
Result<std::shared_ptr<const BoundGraph>> bound_graph(const ModelState& model, const std::vector<Dims>& dims) {
  {
    const std::scoped_lock lock(model.bound_mutex);
    if (model.bound != nullptr && model.bound->dims == dims) return model.bound;
  }
  auto values = solve_dims(model.optimized, dims);
  if (!values) return values.error();
  auto graph = bind_dims(model.optimized, *values);
  if (!graph) return graph.error();
  for (size_t i = 0; i < dims.size(); ++i) {  // also where the file says no shape
    TypeInfo& type = graph->value(graph->inputs[i]).type;
    if (type.kind == ValueKind::tensor) type.shape = Shape(dims[i]);
  }
  if (Status s = optimize(*graph, model.fold_again); !s) return s.error();
  int64_t constant = 0;
  for (const Tensor* t : constants(*graph)) constant = checked_add(constant, static_cast<int64_t>(t->bytes())).value_or(INT64_MAX);
  auto bound = std::make_shared<const BoundGraph>(BoundGraph{dims, std::move(*graph), constant});
  const std::scoped_lock lock(model.bound_mutex);
  model.bound = bound;
  return bound;
}

Result<std::vector<Array>> evaluate_arrays(const ModelState& model, std::span<const Array> inputs, std::string_view isa, int64_t budget) {
  const Graph& graph = model.optimized;
  if (inputs.size() != graph.inputs.size()) {
    return usage("the model has " + std::to_string(graph.inputs.size()) + " inputs, got " + std::to_string(inputs.size()));
  }
  std::vector<Datum> data;
  std::vector<Dims> dims;
  data.reserve(inputs.size());
  dims.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.value(graph.inputs[i]);
    const bool by_default = inputs[i].dtype == DType::none && value.initial.present();
    auto d = by_default ? Result<Datum>(value.initial) : to_datum(inputs[i], true);
    if (!d) return d.error().within("input " + value.name);
    if (Status s = check_input(*d, value.type); !s) return Error(s.error().code(), "input " + value.name + " " + s.error().message());
    dims.push_back(value.type.kind == ValueKind::tensor ? d->tensor.dims() : Dims());
    data.push_back(std::move(*d));
  }
  auto bound = bound_graph(model, dims);
  if (!bound) return bound.error();
  budget = budget_of(model, budget, dims);
  int64_t backed = (*bound)->constants;
  for (const Datum& d : data) backed = checked_add(backed, d.bytes()).value_or(INT64_MAX);
  const int64_t work = checked_add(SessionOptions().work, checked_mul(backed, kWorkPerByte).value_or(INT64_MAX)).value_or(INT64_MAX);
  EvaluateOptions left{.isa = best_isa(parse_isa(isa)), .packs = &model.packs, .budget = budget, .tables = budget / kTablesOfBudget, .work = work};
  auto out = evaluate_graph((*bound)->graph, data, left);
  if (!out) return out.error();
  std::vector<Array> arrays;
  arrays.reserve(out->size());
  for (size_t o = 0; o < out->size(); ++o) arrays.push_back(to_array(std::exchange((*out)[o], {}), graph.value(graph.outputs[o]).type.dtype));
  return arrays;
}

Result<std::optional<ModelParts>> parts_of(const ModelState& model) {
  auto graphs = split_parts(model.optimized);
  if (!graphs) return std::optional<ModelParts>();
  std::optional<Model> ends[2];
  std::optional<Graph>* const from[] = {&graphs->before, &graphs->after};
  for (size_t i = 0; i < 2; ++i) {
    if (!*from[i]) continue;
    auto made = make_model(std::move(**from[i]), model.options);
    if (!made) return made.error();
    ends[i] = std::move(*made);
  }
  auto rest = make_model(std::move(graphs->rest), model.options);
  if (!rest) return rest.error();
  return std::optional(ModelParts{std::move(ends[0]), std::move(*rest), std::move(ends[1])});
}

}  // namespace

Result<std::optional<ModelParts>> Model::parts() const {
  return guarded([&] { return parts_of(*state_); });
}

Result<std::vector<Array>> Model::evaluate(std::span<const Array> inputs, std::string_view isa, int64_t budget) const {
  return guarded([&] { return evaluate_arrays(*state_, inputs, isa, budget); });
}

}  // namespace tern
