// The signature: what is input, weight and output of a program, and how that is called. See program.h.
#include "loaders/torch/export/program.h"

#include <algorithm>
#include <set>

#include "loaders/torch/export/expression.h"
#include "loaders/torch/export/run.h"
#include "loaders/torch/export/schema.h"
#include "loaders/torch/export/treespec.h"
#include "loaders/torch/module/dtypes.h"
#include "loaders/torch/nn/assemble.h"
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

using Kind = Json::Kind;
constexpr int64_t kOldestSchema = 5, kNewestSchema = 8;
constexpr int64_t kUnbounded = int64_t(1) << 62;  // no maximum is written as null, or as the largest i64 and its neighbours

// Parameters, buffers and constants become constants of the graph when a node reads them.
class Lifted : public Runner::Lifted {
 public:
  Lifted(Builder& b, Weights& weights, const Json& json, Json::Id metas) : b_(b), weights_(weights), json_(json), metas_(metas) {}
  void add(std::string_view name, std::string_view weight) { names_[name] = weight; }
  bool has(std::string_view name) const override { return names_.contains(name); }

  IValue get(std::string_view name) override {
    const std::string weight(names_.at(name));
    const StoredTensor* stored = weights_.stored(weight);
    if (stored != nullptr && !fits(*stored, json_.get(metas_, name)))
      b_.fail(invalid("weight " + weight + " has another dtype or shape than the program says"));
    return IValue::tensor(weights_.get(b_, weight));
  }

  void changed(std::string_view name) override {
    const std::string note = "the program changes " + std::string(names_.at(name)) + "; here every run begins with the file's value";
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
  std::vector<std::string> notes;

 private:
  bool fits(const StoredTensor& stored, Json::Id meta) const {
    StoredTensor said;
    return meta == Json::kNothing || !read_meta(json_, meta, said) || (said.dtype == stored.dtype && said.sizes == stored.sizes);
  }

  Builder& b_;
  Weights& weights_;
  const Json& json_;
  const Json::Id metas_;
  std::unordered_map<std::string_view, std::string_view> names_;
};

class Exported {
 public:
  Exported(const Json& json, const LoadOptions& options) : json_(json), options_(options), b_("pt2 (torch.export)") {}

  Result<Graph> build(const std::map<std::string, StoredTensor, std::less<>>& tensors) {
    if (Status s = check_version(); !s) return s.error();
    const Json::Id module = json_.get(json_.root(), "graph_module"), signature = json_.get(module, "signature");
    graph_ = json_.get(module, "graph");
    inputs_ = json_.get(signature, "input_specs");
    outputs_ = json_.get(signature, "output_specs");
    if (!json_.is(json_.get(graph_, "nodes"), Kind::array) || !json_.is(inputs_, Kind::array) || !json_.is(outputs_, Kind::array)) {
      return invalid("the program has no graph or no signature");
    }
    metas_ = json_.get(graph_, "tensor_values");
    read_specs(module);
    std::map<std::string, const StoredTensor*, std::less<>> names;
    for (const auto& [name, tensor] : tensors) names.emplace(name, &tensor);
    Weights weights(std::move(names), options_.budget);
    Lifted lifted(b_, weights, json_, metas_);
    Runner runner(b_, json_, lifted);
    const std::vector<Json::Id> wanted = wanted_outputs();
    if (const std::string unknown = runner.unknown_operators(graph_, wanted); !unknown.empty())
      return unsupported("operators that are not supported: " + unknown);
    if (Status s = declare(lifted); !s) return s.error();
    const IValues results = runner.run(graph_, std::move(scope_), wanted);
    if (!b_.ok()) return b_.status().error();
    auto outputs = name_results(results);
    if (!outputs) return outputs.error();
    auto graph = b_.finish(*outputs);
    if (!graph) return graph;
    const std::string version(text_of(json_, json_.root(), "torch_version"));
    graph->notes = std::move(notes_);
    graph->ranges = std::move(ranges_);
    graph->notes.insert(graph->notes.end(), lifted.notes.begin(), lifted.notes.end());
    graph->producer = version.empty() ? "torch" : "torch " + version.substr(0, version.find('+'));
    return graph;
  }

 private:
  Status check_version() const {
    const Json::Id version = json_.get(json_.root(), "schema_version"), major = json_.get(version, "major");
    if (!json_.is(major, Kind::integer)) return invalid("the program has no schema_version");
    const int64_t n = json_.integer(major);
    if (n >= kOldestSchema && n <= kNewestSchema) return {};
    return unsupported("the program has schema version " + std::to_string(n) +
                       ", versions 5 to 8 are supported; export it again with torch 2.6 or newer");
  }

  // The structures of inputs and outputs, and the names of forward's arguments.
  void read_specs(Json::Id module) {
    const Json::Id calls = json_.get(module, "module_call_graph");
    for (size_t i = 0; i < json_.size(calls); ++i) {
      const Json::Id call = json_.item(calls, i), signature = json_.get(call, "signature");
      if (!text_of(json_, call, "fqn").empty() || !json_.is(signature, Kind::object)) continue;
      in_spec_ = text_of(json_, signature, "in_spec");
      out_spec_ = text_of(json_, signature, "out_spec");
      const Json::Id names = json_.get(signature, "forward_arg_names");
      for (size_t k = 0; k < json_.size(names); ++k) argument_names_.emplace_back(json_.string(json_.item(names, k)));
      return;
    }
  }

  // Changes of buffers and of inputs are outputs of their own in some programs; nobody reads them.
  std::vector<Json::Id> wanted_outputs() const {
    std::vector<Json::Id> out;
    for (size_t i = 0; i < json_.size(outputs_); ++i) {
      const Tagged spec = tagged(json_, json_.item(outputs_, i));
      if (spec.tag == "user_output" || spec.tag == "loss_output") out.push_back(json_.get(spec.value, "arg"));
    }
    return out;
  }

  Status declare(Lifted& lifted) {
    struct User {
      std::string_view name;
      Tagged arg;
    };
    std::vector<User> users;
    for (size_t i = 0; i < json_.size(inputs_); ++i) {
      const Tagged spec = tagged(json_, json_.item(inputs_, i));
      const std::string_view name = text_of(json_, json_.get(spec.value, "arg"), "name");
      if (spec.tag == "parameter") lifted.add(name, text_of(json_, spec.value, "parameter_name"));
      else if (spec.tag == "buffer") lifted.add(name, text_of(json_, spec.value, "buffer_name"));
      else if (spec.tag == "tensor_constant") lifted.add(name, text_of(json_, spec.value, "tensor_constant_name"));
      else if (spec.tag == "constant_input") users.push_back({text_of(json_, spec.value, "name"), tagged(json_, json_.get(spec.value, "value"))});
      else if (spec.tag == "user_input") users.push_back({{}, tagged(json_, json_.get(spec.value, "arg"))});
      else if (spec.tag != "custom_obj" && spec.tag != "token")
        return unsupported("inputs of the kind '" + std::string(spec.tag.substr(0, 100)) + "' are not supported");
    }
    const std::vector<std::string> by_place = input_names(in_spec_, argument_names_, users.size());
    std::vector<std::pair<std::string, TypeInfo>> types;  // of tensors
    for (size_t i = 0; i < users.size(); ++i) {
      User& u = users[i];
      if (u.name.empty()) u.name = text_of(json_, u.arg.value, u.arg.tag.starts_with("as_sym") ? "as_name" : "name");
      if (u.arg.tag != "as_tensor" && !(u.arg.tag == "as_sym_int" && !u.name.empty())) continue;
      std::string name(u.name);
      if (name.starts_with("arg") && name.ends_with("_1") && i < by_place.size()) name = by_place[i];  // torch 2.3 names by number
      TypeInfo type{DType::i64, Shape(std::vector<Dim>())};
      if (u.arg.tag == "as_tensor") {
        auto read = type_of(json_.get(metas_, u.name));
        if (!read) return read.error().within("input " + name);
        type = std::move(*read);
      }
      types.emplace_back(std::move(name), std::move(type));
    }
    name_symbols(types);
    auto type = types.begin();
    for (const User& u : users) {
      if (u.arg.tag == "as_tensor") {
        scope_[u.name] = IValue::tensor(b_.input(type->first, type->second)), ++type;
      } else if (u.arg.tag == "as_sym_int" && !u.name.empty()) {
        scope_[u.name] = Int::computed(b_.input(type->first, type->second)), ++type;
      } else if (!u.name.empty()) {
        scope_[u.name] = constant_of(u.arg);
      }
    }
    return b_.status();
  }

  IValue constant_of(const Tagged& arg) const {
    switch (arg.value == Json::kNothing ? Kind::null : json_.kind(arg.value)) {
      case Kind::boolean: return arg.tag == "as_none" ? IValue() : IValue(json_.boolean(arg.value));
      case Kind::integer: return Int(json_.integer(arg.value));
      case Kind::real: return json_.number(arg.value);
      case Kind::string: return std::string(json_.string(arg.value));
      default: return {};
    }
  }

  // Sizes that are not linear get symbols of their own.
  Result<TypeInfo> type_of(Json::Id meta) {
    const Json::Id code = json_.get(meta, "dtype"), sizes = json_.get(meta, "sizes");
    const ElementType* element = json_.is(code, Kind::integer) ? element_of_code(json_.integer(code)) : nullptr;
    if (element == nullptr || !json_.is(sizes, Kind::array)) return invalid("its dtype or shape is missing");
    if (element->dtype == DType::none) return unsupported(std::string("the dtype ") + element->name + " is not supported");
    TypeInfo type{element->dtype, Shape(std::vector<Dim>())};
    if (json_.size(sizes) > static_cast<size_t>(kMaxRank))
      return unsupported("more than " + std::to_string(kMaxRank) + " dimensions are not supported");
    for (size_t i = 0; i < json_.size(sizes); ++i) {
      const Tagged size = tagged(json_, json_.item(sizes, i));
      if (size.tag == "as_int" && json_.is(size.value, Kind::integer) && json_.integer(size.value) >= 0) {
        type.shape.push_back(json_.integer(size.value));
        continue;
      }
      const std::string_view expression = text_of(json_, size.value, "expr_str");
      if (size.tag != "as_expr" || expression.empty()) return invalid("a size is damaged");
      auto dim = parse_expression(expression);
      if (!dim) return dim.error();
      type.shape.push_back(*dim ? **dim : Dim::symbol("?" + std::to_string(not_linear_++)));
    }
    return type;
  }

  // The file knows symbols by number (s27). They are called after the first input and axis that has them alone: "batch" for axis 0,
  // "tokens_1". Those that no axis has alone keep their number.
  void name_symbols(std::vector<std::pair<std::string, TypeInfo>>& types) {
    std::map<std::string, std::string, std::less<>> names;
    std::set<std::string> used;
    for (const auto& [input, type] : types) {
      for (int axis = 0; axis < type.shape.rank(); ++axis) {
        const Dim& d = type.shape[axis];
        if (d.terms().size() != 1 || d.terms()[0].second != 1 || d.constant() != 0 || names.contains(d.terms()[0].first)) continue;
        std::string name = axis == 0 ? "batch" : input + "_" + std::to_string(axis);
        if (!used.insert(name).second) used.insert(name = input + "_" + std::to_string(axis));
        names.emplace(d.terms()[0].first, name);
        note_range(d.terms()[0].first, name);
      }
    }
    for (auto& [input, type] : types) {
      for (Dim& d : type.shape.dims()) {
        std::optional<Dim> renamed = Dim(d.constant());
        for (const auto& [symbol, coefficient] : d.terms()) {
          auto known = names.find(symbol);
          auto term = mul(Dim::symbol(known == names.end() ? symbol : known->second), Dim(coefficient));
          renamed = renamed && term ? add(*renamed, *term) : std::nullopt;
        }
        if (renamed) d = *renamed;
      }
    }
  }

  // {"s27": {"min_val": 2, "max_val": 64}}; torch lets a size be 0 and 1 below a minimum of 2.
  void note_range(const std::string& symbol, const std::string& name) {
    const Json::Id range = json_.get(json_.get(json_.root(), "range_constraints"), symbol);
    const Json::Id low = json_.get(range, "min_val"), high = json_.get(range, "max_val");
    const bool bounded = json_.is(high, Kind::integer) && json_.integer(high) < kUnbounded,
               above = json_.is(low, Kind::integer) && json_.integer(low) > 2;
    if (!bounded && !above) return;
    ranges_[name] = {above ? json_.integer(low) : 0, bounded ? json_.integer(high) : INT64_MAX};
    notes_.push_back("the program was made for " + name + " " + (above ? "from " + std::to_string(json_.integer(low)) + " on" : "") +
                     (above && bounded ? " and " : "") + (bounded ? "up to " + std::to_string(json_.integer(high)) : ""));
  }

  Result<std::vector<std::pair<std::string, ValueId>>> name_results(const IValues& results) {
    auto structure = unflatten(out_spec_, results);
    std::vector<std::pair<std::string, ValueId>> outputs;
    name_outputs(b_, structure ? *structure : results.size() == 1 ? results[0] : IValue::tuple(results), "output", outputs);
    if (!b_.ok()) return b_.status().error();
    return outputs;
  }

  const Json& json_;
  const LoadOptions& options_;
  Builder b_;
  Json::Id graph_ = Json::kNothing, inputs_ = Json::kNothing, outputs_ = Json::kNothing, metas_ = Json::kNothing;
  std::string_view in_spec_, out_spec_;
  std::vector<std::string> argument_names_;
  Runner::Scope scope_;
  std::vector<std::string> notes_;
  std::map<std::string, std::pair<int64_t, int64_t>> ranges_;
  int not_linear_ = 0;
};

}  // namespace

Result<Graph> build_program(std::string_view text, const std::map<std::string, StoredTensor, std::less<>>& tensors, const LoadOptions& options) {
  auto json = Json::parse(text);
  if (!json) return json.error();
  return Exported(*json, options).build(tensors);
}

}  // namespace tern::torch
