// See build.h.
#include "loaders/keras/model/build.h"

#include <algorithm>
#include <queue>
#include <unordered_set>

#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using Kind = Json::Kind;

// ---- what an InputLayer, or a layer that stands in for one, says of a tensor

struct InputType {
  bool known = false;
  DType dtype = DType::f32;
  std::vector<std::optional<int64_t>> shape;  // nothing: any size
};

InputType input_type(Builder& b, const Config& config) {
  InputType out;
  const char* key = config.has("batch_shape") ? "batch_shape" : config.has("batch_input_shape") ? "batch_input_shape" : "build_input_shape";
  const Json& json = config.json();
  const Json::Id shape = config.at(key);
  if (!config.has(key)) return out;
  if (!json.is(shape, Kind::array)) b.fail(invalid(std::string(key) + " is no list of sizes"));
  out.known = b.ok();
  for (size_t i = 0; i < json.size(shape); ++i) {
    const Json::Id n = json.item(shape, i);
    if (json.is(n, Kind::integer) && json.integer(n) >= 0) out.shape.emplace_back(json.integer(n));
    else if (json.is(n, Kind::null)) out.shape.emplace_back(std::nullopt);
    else b.fail(invalid(std::string(key) + " has a size that is none"));
  }
  if (config.is_text("dtype")) out.dtype = dtype_named(config.text("dtype"));
  return out;
}

WeightPlace place_of(const WeightPlace& model, const ModelLayer& layer) {
  WeightPlace at = model;
  at.path += (at.path.empty() ? "layers/" : "/layers/") + layer.leaf;
  at.names.push_back(layer.name);
  return at;
}

InputType input_type(const Port& port) {
  InputType out{true, port.dtype == DType::none ? DType::f32 : port.dtype, {}};
  for (const std::string& size : port.shape) {
    const auto dim = parse_dim(size);
    out.shape.push_back(dim && dim->known() ? std::optional(dim->value()) : std::nullopt);
  }
  return out;
}

// ---- one model: the outermost, or a layer of another

class ModelBuilder {
 public:
  ModelBuilder(Net& net, const ModelSpec& spec, const WeightPlace& place, bool outermost)
      : net_(net), b_(net.b), json_(net.json), spec_(spec), place_(place), outermost_(outermost) {}

  // Tensors of the model's inputs in order; the outermost has none, it makes them.
  Flows sequential(Flows x) {
    for (const ModelLayer& layer : spec_.layers) {
      if (!b_.ok()) return {};
      if (layer.input) {
        if (!outermost_ && x.size() == 1) x[0] = conform(x[0], input_type(b_, Config(b_, json_, layer.object).object("config")));
        continue;
      }
      Arguments with;
      if (x.size() == 1) {
        with.positional.emplace_back(x[0]);
      } else {
        Argument all;
        all.kind = Argument::Kind::list;
        all.items.assign(x.begin(), x.end());
        with.positional.push_back(std::move(all));
      }
      x = call(layer, with);
    }
    return x;
  }

  Flows functional(const Flows& given) {
    if (!list_calls() || !take_inputs(given)) return {};
    // Calls whose tensors are there, in the order of the file.
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (calls_[i].waits == 0) ready.push(i);
    }
    size_t made = 0;
    for (; !ready.empty() && b_.ok(); ++made) {
      const size_t i = ready.top();
      ready.pop();
      run(calls_[i]);
      for (size_t next : calls_[i].feeds) {
        if (--calls_[next].waits == 0) ready.push(next);
      }
    }
    if (b_.ok() && made < calls_.size()) b_.fail(invalid("layers of the model wait for each other's outputs"));
    Flows out;
    for (const ModelPort& port : spec_.outputs) out.push_back(tensor(port.from));
    return b_.ok() ? out : Flows();
  }

  // What model.summary() prints: a row for each layer, also for those that nothing is computed by.
  void summarize() const {
    for (const ModelLayer& layer : spec_.layers) {
      SummaryRow row{layer.name, layer.class_name, {}, 0, 0, {}};
      if (const auto at = net_.weights.counts.find(place_of(place_, layer).path); at != net_.weights.counts.end() && !layer.leaf.empty()) {
        row.fixed = at->second.fixed;
        row.parameters = at->second.trainable + row.fixed;
      }
      if (const auto at = shown_.find(&layer); at != shown_.end()) row.shapes = at->second.shapes, row.inputs = at->second.inputs;
      b_.graph.summary.push_back(std::move(row));
    }
  }

  // The InputLayers of the outermost model become inputs of the graph.
  Flow input(const std::string& name, const InputType& type) {
    if (!type.known)
      b_.fail(unsupported("the shape of input " + quoted(name) +
                          " is not in the file: give it in LoadOptions::inputs, or save the model after it was built"));
    if (type.dtype == DType::none) b_.fail(unsupported("the dtype of input " + quoted(name) + " is not supported"));
    if (type.shape.size() > kMaxRank) b_.fail(unsupported("input " + quoted(name) + " has more than " + std::to_string(kMaxRank) + " axes"));
    if (!inputs_.insert(name).second) b_.fail(invalid("two inputs are called " + quoted(name)));
    Shape shape{std::vector<Dim>{}};
    for (size_t i = 0; i < type.shape.size(); ++i) {
      shape.push_back(type.shape[i] ? Dim(*type.shape[i]) : Dim::symbol(i == 0 ? "batch" : name + "_" + std::to_string(i)));
    }
    return {b_.input(name, {type.dtype, shape})};
  }

 private:
  struct Made {
    const ModelLayer* layer;
    Json::Id with;              // kNothing: an InputLayer
    std::vector<size_t> feeds;  // calls that read its outputs
    size_t waits = 0;
    Flows out;
  };

  Flows call(const ModelLayer& layer, const Arguments& with) {
    Layer made = net_.layer(layer.object, place_of(place_, layer));
    made.name = layer.name;
    if (outermost_) net_.weights.counted = place_of(place_, layer).path;
    const Flows out = net_.call(made, with);
    note_shapes(layer, out);
    return out;
  }

  void note_shapes(const ModelLayer& layer, const Flows& out) {
    std::vector<Shape>& shapes = shown_[&layer].shapes;
    if (!outermost_ || !shapes.empty()) return;  // of its first call
    for (const Flow& f : out) shapes.push_back(b_.shape(f.value));
  }

  // Keras casts what a model is called with to the dtypes of its inputs, and adds or drops a last axis of 1.
  Flow conform(Flow f, const InputType& type) {
    if (!type.known || type.dtype == DType::none || type.dtype == DType::string || b_.dtype(f.value) == DType::string) return f;
    f.value = b_.cast(f.value, type.dtype);
    const int want = static_cast<int>(type.shape.size()), rank = b_.rank(f.value);
    if (rank == want + 1 && b_.shape(f.value)[rank - 1].is(1)) f.value = b_.emit("Squeeze", {f.value, b_.ints({rank - 1})});
    if (rank == want - 1 && type.shape.back() == 1) f.value = b_.emit("Unsqueeze", {f.value, b_.ints({rank})});
    return f;
  }

  const Made* find(const Reference& r) const {
    const auto at = spec_.by_name.find(r.layer);
    if (at == spec_.by_name.end()) return nullptr;
    const ModelLayer& layer = spec_.layers[at->second];
    const int64_t k = r.node - (r.from_zero ? 0 : layer.first_node);
    return k >= 0 && k < count_[at->second] ? &calls_[first_[at->second] + static_cast<size_t>(k)] : nullptr;
  }

  Flow tensor(const Reference& r) {
    const Made* made = find(r);
    const std::string who = quoted(r.layer) + " [" + std::to_string(r.node) + "][" + std::to_string(r.tensor) + "]";
    if (!b_.ok()) return {};
    if (made == nullptr || r.tensor < 0 || static_cast<size_t>(r.tensor) >= made->out.size()) {
      b_.fail(invalid("the model reads " + who + ", which no layer makes"));
      return {};
    }
    return made->out[static_cast<size_t>(r.tensor)];
  }

  bool list_calls() {
    for (const ModelLayer& layer : spec_.layers) {
      first_.push_back(calls_.size());
      if (layer.input) calls_.push_back({&layer, Json::kNothing, {}, 0, {}});
      else
        for (Json::Id with : layer.calls) calls_.push_back({&layer, with, {}, 0, {}});
      count_.push_back(static_cast<int64_t>(calls_.size() - first_.back()));
    }
    for (size_t i = 0; i < calls_.size() && b_.ok(); ++i) {
      if (calls_[i].with == Json::kNothing) continue;
      read_call(b_, json_, spec_, calls_[i].with, [&](const Reference& r) {
        if (outermost_) {
          shown_[calls_[i].layer].inputs.push_back(std::string(r.layer) + "[" + std::to_string(r.node) + "][" + std::to_string(r.tensor) + "]");
        }
        if (const Made* from = find(r); from != nullptr) {
          calls_[static_cast<size_t>(from - calls_.data())].feeds.push_back(i);
          ++calls_[i].waits;
        } else {
          tensor(r);  // says what is wrong
        }
        return Flow();
      });
    }
    return b_.ok();
  }

  bool take_inputs(const Flows& given) {
    if (!outermost_ && given.size() != spec_.inputs.size()) {
      b_.fail(invalid("it has " + std::to_string(spec_.inputs.size()) + " inputs and is called with " + std::to_string(given.size())));
      return false;
    }
    for (size_t i = 0; i < spec_.inputs.size(); ++i) {
      const Reference& r = spec_.inputs[i].from;
      const Made* made = find(r);
      if (made == nullptr || !made->layer->input) {
        b_.fail(invalid("its input " + quoted(r.layer) + " is no InputLayer"));
        return false;
      }
      const Config config = Config(b_, json_, made->layer->object).object("config");
      if (config.boolean("sparse", false) || config.boolean("ragged", false)) {
        b_.fail(unsupported("input " + quoted(r.layer) + " is sparse or ragged, which is not supported"));
      }
      const InputType type = input_type(b_, config);
      Flows& out = calls_[static_cast<size_t>(made - calls_.data())].out;
      out = {outermost_ ? input(made->layer->name, type) : conform(given[i], type)};
      note_shapes(*made->layer, out);
    }
    return b_.ok();
  }

  void run(Made& made) {
    if (made.with == Json::kNothing) return;
    const Arguments with = read_call(b_, json_, spec_, made.with, [&](const Reference& r) { return tensor(r); });
    if (b_.ok()) made.out = call(*made.layer, with);
  }

  Net& net_;
  Builder& b_;
  const Json& json_;
  const ModelSpec& spec_;
  const WeightPlace& place_;
  const bool outermost_;
  std::vector<Made> calls_;     // those of one layer side by side
  std::vector<size_t> first_;   // of every layer, its first call
  std::vector<int64_t> count_;  // and how many
  std::unordered_set<std::string> inputs_;
  struct Shown {
    std::vector<Shape> shapes;
    std::vector<std::string> inputs;
  };
  std::unordered_map<const ModelLayer*, Shown> shown_;  // for the summary
};

// ---- models that are layers

// A dictionary goes to inputs of its keys, or of its InputLayers' names; anything else in order.
Flows in_order(const ModelSpec& spec, const Call& c) {
  if (c.args.positional.empty() || !c.args.positional[0].is(Argument::Kind::dict)) return c.inputs;
  const Argument& dict = c.args.positional[0];
  Flows out;
  for (const ModelPort& port : spec.inputs) {
    auto at = std::find(dict.keys.begin(), dict.keys.end(), port.key.empty() ? std::string(port.from.layer) : port.key);
    if (at == dict.keys.end()) at = std::find(dict.keys.begin(), dict.keys.end(), std::string(port.from.layer));
    if (at == dict.keys.end()) return c.inputs;
    dict.items[static_cast<size_t>(at - dict.keys.begin())].flatten(out);
  }
  return out;
}

Flows call_model(Call& c) {
  auto spec = read_model(c.net.json, c.layer.class_name, c.config.id(), c.net.version);
  if (!spec) return c.b.fail(spec.error()), Flows();
  ModelBuilder model(c.net, *spec, c.weights.place(), false);
  Flows in = in_order(*spec, c);
  for (size_t i = 0; i < in.size(); ++i) {
    if (const ValueId mask = c.mask(i); mask != kNone) in[i].mask = mask;
  }
  return spec->sequential ? model.sequential(in) : model.functional(in);
}

constexpr LayerRow kRows[] = {{"Functional Model Sequential", call_model, Masking::own, false}};

// ---- the outermost

// What the first layer of a Sequential model takes: an InputLayer says it, or the layer itself, or the first layer inside of it.
std::pair<std::string, InputType> first_input(Builder& b, const Json& json, Json::Id config) {
  std::string name;
  InputType type;
  for (int depth = 0; depth < 32 && !type.known; ++depth) {
    const Json::Id layers = json.is(config, Kind::array) ? config : json.get(config, "layers");
    if (json.size(layers) == 0 || !json.is(layers, Kind::array)) break;
    const Config first(b, json, json.item(layers, 0));
    const Config inner = first.object("config");
    const bool input = first.text("class_name") == "InputLayer";
    if (name.empty()) name = input ? inner.text("name") : inner.text("name", "layer") + "_input";
    type = input_type(b, inner);
    if (!input && type.known && !inner.is_text("dtype")) type.dtype = DType::f32;
    config = inner.id();
  }
  return {name.empty() ? "input" : name, type};
}

// Keras' names: of the layer, and of its further outputs with _1, _2.
std::vector<std::string> output_names(const ModelSpec& spec) {
  std::vector<std::string> names;
  std::map<std::string, int> used;
  std::unordered_set<std::string> taken;
  for (const ModelPort& port : spec.outputs) {
    const std::string base = port.key.empty() ? std::string(port.from.layer) : port.key;
    std::string name = base;
    while (!taken.insert(name).second) name = base + "_" + std::to_string(++used[base]);
    names.push_back(name);
  }
  return names;
}

// A layer that is part of two models is written once, where it comes first: the other places lead there.
void note_places(Net& net, const ModelSpec& spec, const WeightPlace& place, int depth, std::map<std::string, std::string>& first) {
  for (const ModelLayer& layer : spec.layers) {
    const WeightPlace at = place_of(place, layer);
    const auto [known, fresh] = first.emplace(layer.class_name + "/" + layer.name, at.path);
    if (!fresh) net.weights.elsewhere.emplace(at.path, known->second);
    const bool model = layer.class_name == "Functional" || layer.class_name == "Sequential" || layer.class_name == "Model";
    if (!model || depth == 32) continue;
    auto inner = read_model(net.json, layer.class_name, net.json.get(layer.object, "config"), net.version);
    if (inner) note_places(net, *inner, at, depth + 1, first);
  }
}

}  // namespace

std::span<const LayerRow> model_layers() { return kRows; }

Result<Graph> build_graph(Net& net, Json::Id root, std::span<const Port> told) {
  Builder& b = net.b;
  const Config object(b, net.json, root);
  const std::string cls = object.text("class_name");
  const Layer checked = net.layer(root, {});  // a custom class is refused
  const Json::Id config = object.at("config");
  auto spec = read_model(net.json, cls, config, net.version);
  if (!b.ok()) return b.status().error();
  if (!spec) return spec.error();
  std::vector<std::string> layers;
  for (const ModelLayer& l : spec->layers) {
    if (!spec->sequential || !l.input) layers.push_back(l.name);
  }
  if (Status s = net.weights.source.begin(layers); !s) return s.error();
  const WeightPlace top;
  std::map<std::string, std::string> places;
  note_places(net, *spec, top, 0, places);
  ModelBuilder model(net, *spec, top, true);
  std::vector<std::pair<std::string, ValueId>> outputs;
  if (spec->sequential) {
    auto [name, type] = first_input(b, net.json, config);
    if (!type.known) type = input_type(b, Config(b, net.json, config));
    if (!type.known && !told.empty() && (told[0].name.empty() || told[0].name == name)) type = input_type(told[0]);
    const Flows out = model.sequential({model.input(name, type)});
    const std::string last = spec->layers.empty() ? "output" : spec->layers.back().name;
    for (size_t i = 0; i < out.size(); ++i) outputs.emplace_back(i == 0 ? last : last + "_" + std::to_string(i), out[i].value);
  } else {
    const Flows out = model.functional({});
    const std::vector<std::string> names = output_names(*spec);
    for (size_t i = 0; i < out.size(); ++i) outputs.emplace_back(names[i], out[i].value);
  }
  if (!b.ok()) return b.status().error();
  if (Status s = net.weights.source.finish(); !s) return s.error();
  model.summarize();
  auto graph = b.finish(outputs);
  if (graph) graph->name = checked.name;
  return graph;
}

}  // namespace tern::keras
