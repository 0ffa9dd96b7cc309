// See assemble.h: inputs, the call of the root, outputs.
#include "loaders/torch/nn/assemble.h"

#include <algorithm>
#include <set>

#include "loaders/torch/nn/net.h"
#include "loaders/torch/ops/signature.h"

namespace tern::torch {
namespace {

// Classes that would be called and have no forward, in one line. A custom forward calls what it names of self; of a class without one,
// anything may be called.
class Unknown {
 public:
  explicit Unknown(const Forwards* forwards) : forwards_(forwards) {}
  void visit(const Module& m, const std::string& path) {
    if (!seen_.insert(&m).second) return;
    const Function* forward = forward_of(m, path, forwards_);
    const Layer* layer = find_layer(m);
    const bool unknown = forward == nullptr && layer == nullptr;
    if (unknown && m.qualified.starts_with("torch.")) {  // nothing that a user would have written
      const bool quantised = m.qualified.starts_with("torch.ao.") || m.qualified.find("quant") != std::string::npos;
      if (refused_.empty()) refused_ = (path.empty() ? "" : path + ": ") + m.qualified + " is not supported" + (quantised ? ": it is quantised" : "");
    } else if (unknown && classes_.insert(m.cls).second) {
      list_ += (list_.empty() ? "" : ", ") + m.cls + (path.empty() ? "" : " (" + path + ")");
      if (chain_.empty() && !m.children.empty() && m.children[0].first == "0") chain_ = m.cls;
    }
    if (forward == nullptr && layer != nullptr && layer->complete != nullptr) return;  // it knows its children
    const auto names = forward != nullptr ? forwards_->names_of_self(m, *forward) : std::vector<std::string>();
    for (const auto& [name, child] : m.children) {
      if (name == "parametrizations" || (forward != nullptr && std::find(names.begin(), names.end(), name) == names.end())) continue;
      visit(*child, join(path, name));
    }
  }
  Status status() const {
    if (!refused_.empty()) return unsupported(refused_);
    if (list_.empty()) return {};
    const bool one = classes_.size() == 1;
    return unsupported(std::string("the forward") + (one ? "" : "s") + " of " + list_ + (one ? " is" : " are") + " not known: write " +
                       (one ? "it" : "them") + " in an architecture file as in Python and give it in LoadOptions::architecture" +
                       (chain_.empty() ? "" : " (a subclass of nn.Sequential is written as class " + chain_ + "(nn.Sequential): pass)"));
  }

 private:
  const Forwards* forwards_;
  std::set<const Module*> seen_;
  std::set<std::string> classes_;
  std::string list_, refused_;
  std::string chain_;  // the first of them that looks like a Sequential
};

struct Input {
  std::string name;
  bool required;
  std::optional<TypeInfo> type;  // the annotation
};

std::vector<Input> inputs_of(const Module& root, const Forwards* forwards) {
  std::vector<Input> out;
  if (const Function* forward = forward_of(root, "", forwards)) {
    for (const Parameter& p : forwards->parameters(*forward)) out.push_back({p.name, !p.fallback, p.type});
  } else if (const Layer* layer = find_layer(root); layer != nullptr && layer->forward != nullptr) {
    for (const SignatureParameter& p : parse_signature(layer->forward_signature)) out.push_back({std::string(p.name), !p.fallback, std::nullopt});
  }
  return out;
}

Result<TypeInfo> type_of(const Port& port) {
  TypeInfo type{port.dtype, Shape(std::vector<Dim>())};
  for (const std::string& text : port.shape) {
    auto dim = parse_dim(text);
    if (!dim) return usage("input " + port.name + ": '" + text + "' is no size");
    type.shape.push_back(*dim);
  }
  return type;
}

// Which input a port means: the one of its name, without a name the one at its place.
Result<std::vector<std::pair<Input, const Port*>>> match(const std::vector<Input>& inputs, const std::vector<Port>& ports) {
  std::vector<std::pair<Input, const Port*>> out;
  std::string names;
  for (const Input& i : inputs) {
    out.emplace_back(i, nullptr);
    names += (names.empty() ? "" : ", ") + i.name;
  }
  for (size_t n = 0; n < ports.size(); ++n) {
    auto it = ports[n].name.empty() ? out.begin() + static_cast<std::ptrdiff_t>(std::min(n, out.size()))
                                    : std::find_if(out.begin(), out.end(), [&](const auto& o) { return o.first.name == ports[n].name; });
    if (it == out.end())
      return usage("the model has no input " + (ports[n].name.empty() ? std::to_string(n) : ports[n].name) + "; its inputs are " + names);
    it->second = &ports[n];
  }
  return out;
}

// An optional one is an input only when its type is given.
Status declare(const Module& root, const Forwards* forwards, const LoadOptions& options, Builder& b,
               std::vector<std::pair<std::string, IValue>>& arguments) {
  auto inputs = match(inputs_of(root, forwards), options.inputs);
  if (!inputs) return inputs.error();
  for (const auto& [input, port] : *inputs) {
    TypeInfo type = input.type.value_or(TypeInfo{});
    if (port != nullptr) {
      auto given = type_of(*port);
      if (!given) return given.error();
      if (given->dtype == DType::none) given->dtype = type.dtype;
      type = std::move(*given);
    }
    if (input.required || port != nullptr || input.type) arguments.emplace_back(input.name, IValue::tensor(b.input(input.name, std::move(type))));
  }
  return {};
}

}  // namespace

void name_outputs(Builder& b, const IValue& value, const std::string& name,
                  std::vector<std::pair<std::string, ValueId>>& out) {  // as deep as a program's literals
  if (const auto* dict = value.get<IValue::Dict>()) {
    for (const auto& [key, item] : *dict->items) name_outputs(b, item, name == "output" ? key : name + "_" + key, out);
  } else if (const IValues* items = value.items()) {
    for (size_t i = 0; i < items->size(); ++i) name_outputs(b, (*items)[i], name + "_" + std::to_string(i), out);
  } else if (const auto* n = value.get<Int>()) {
    out.emplace_back(name, b.scalar(*n));
  } else if (value.is_tensor()) {
    out.emplace_back(name, value.id());
  } else if (!value.is_none()) {
    b.fail(unsupported("output " + name + " is " + value.kind() + ", not a tensor"));
  }
}

namespace {

// Shapes of an input from which a forward may make what the layer takes that its class extends: the same, with an axis less, with the
// channels last, with axes of an image behind the features.
std::vector<Port> guesses(const Network::Asked& asked) {
  std::vector<Port> out;
  const Shape& layers = asked.layers.shape;
  auto add = [&](const std::vector<Dim>& dims) {
    Port port{asked.input, asked.layers.dtype, {}};
    for (size_t i = 0; i < dims.size(); ++i) {
      const std::string free = i == 0 ? "batch" : asked.input + "_" + std::to_string(i);
      port.shape.push_back(dims[i] == free_size() ? free : dims[i].text());
    }
    out.push_back(std::move(port));
  };
  if (!layers.ranked() || layers.rank() < 2) return out;
  const std::vector<Dim> dims(layers.dims().begin(), layers.dims().end());
  add(dims);
  for (int one = 1; one >= 0; --one) {  // axes of size 1 first
    for (size_t i = 1; i < dims.size(); ++i) {
      if ((one == 1) != dims[i].is(1)) continue;
      std::vector<Dim> less = dims;
      less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
      add(less);
    }
  }
  if (dims.size() > 2) {
    std::vector<Dim> last = dims;
    std::rotate(last.begin() + 1, last.begin() + 2, last.end());
    add(last);
  } else {
    add({dims[0], dims[1], free_size()});
    add({dims[0], dims[1], free_size(), free_size()});
    add({dims[0], free_size(), dims[1]});
  }
  return out;
}

Result<Graph> attempt(const Module& root, const Forwards* forwards, const StateDict& weights, const LoadOptions& options, const std::string& format,
                      std::optional<Network::Asked>& asked, bool guessed = false) {
  std::map<std::string, const StoredTensor*, std::less<>> names;
  for (const StateDict::Entry& e : weights.entries) names.emplace(e.name, &e.tensor);
  Builder b(format);
  Weights constants(std::move(names), options.budget);
  Network network(b, constants, forwards);
  network.guessed = guessed;
  std::vector<std::pair<std::string, IValue>> arguments;
  if (Status s = declare(root, forwards, options, b, arguments); !s) return s.error();
  const IValue result = network.call(root, "", {}, arguments);
  std::vector<std::pair<std::string, ValueId>> outputs;
  if (b.ok()) name_outputs(b, result, "output", outputs);
  asked = network.asked;
  return b.finish(outputs);
}

}  // namespace

Result<Graph> assemble(const Module& root, const Forwards* forwards, const StateDict& weights, const LoadOptions& options,
                       const std::string& format) {
  Unknown unknown(forwards);
  unknown.visit(root, "");
  if (Status s = unknown.status(); !s) return s.error();
  std::optional<Network::Asked> asked;
  Result<Graph> first = attempt(root, forwards, weights, options, format, asked);
  if (first || !asked) return first;
  std::optional<Network::Asked> again;
  for (Port& guess : guesses(*asked)) {
    LoadOptions with = options;
    with.inputs.push_back(std::move(guess));
    if (Result<Graph> graph = attempt(root, forwards, weights, with, format, again, true)) return graph;
  }
  return first;
}

}  // namespace tern::torch
