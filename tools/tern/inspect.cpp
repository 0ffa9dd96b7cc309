// tern inspect: what is in a model file. See command.h.
#include <algorithm>
#include <optional>

#include "runtime/base/checked.h"
#include "runtime/model.h"
#include "runtime/weightless.h"
#include "tools/tern/arrays.h"
#include "tools/tern/inspect_weights.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {
namespace {

// The graph for Graphviz: boxes are nodes, edges are values with their types.
std::string dot(const Graph& g) {
  auto quoted = [](const std::string& s) { return Json().value(printable(s)).fragment().str(); };  // Graphviz knows quotes and backslashes only
  std::string out = "digraph tern {\n  node [shape=box, fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=10];\n";
  const std::vector<NodeId> by = producers(g);
  for (ValueId v : g.inputs) out += "  i" + std::to_string(v) + " [shape=ellipse, label=" + quoted(g.value(v).name) + "];\n";
  auto edge = [&](ValueId v, const std::string& to) {
    if (v == kNone || g.is_constant(v)) return;
    const NodeId n = by[static_cast<size_t>(v)];
    const std::string from = n == kNone ? "i" + std::to_string(v) : "n" + std::to_string(n);
    out += "  " + from + " -> " + to + " [label=" + quoted(g.value(v).type.text()) + "];\n";
  };
  for (size_t n = 0; n < g.nodes.size(); ++n) {
    const std::string id = "n" + std::to_string(n);
    out += "  " + id + " [label=" + quoted(g.nodes[n].op->name + (g.nodes[n].name.empty() ? "" : " " + g.nodes[n].name)) + "];\n";
    for (ValueId v : g.nodes[n].inputs) edge(v, id);
  }
  for (size_t o = 0; o < g.outputs.size(); ++o) {
    const std::string id = "o" + std::to_string(o);
    out += "  " + id + " [shape=ellipse, label=" + quoted(g.output_names[o]) + "];\n";
    edge(g.outputs[o], id);
  }
  return out + "}\n";
}

struct Totals {
  int64_t parameters = 0, weight_bytes = 0;
  std::optional<int64_t> macs = 0, arena_bytes;
  std::string no_arena;  // why there is none
};

// Shapes keep the symbols that the caller left open; numbers are those of the dims that the totals have. One list at a time: they may be long.
std::vector<LayerInfo> layers_of(const Model& model, const std::map<std::string, int64_t>& given, const std::map<std::string, int64_t>& all) {
  if (given == all) return model.layers(given);
  std::vector<std::optional<int64_t>> counted;
  for (const LayerInfo& layer : model.layers(all)) counted.push_back(layer.macs);
  std::vector<LayerInfo> layers = model.layers(given);
  for (size_t i = 0; i < layers.size() && i < counted.size(); ++i) layers[i].macs = counted[i];
  return layers;
}

// All but the MACs, which are those of the layers.
Totals totals_of(const Model& model, const std::map<std::string, int64_t>& dims) {
  Totals t;
  t.parameters = model.parameters();
  t.weight_bytes = model.weight_bytes();
  auto bytes = arena_bytes(model, {.dims = dims});
  if (bytes) t.arena_bytes = *bytes;
  else t.no_arena = bytes.error().message();
  return t;
}

// Where a model is in parts: what each takes and gives. Nothing for others.
struct PartPorts {
  const char* name;
  bool planned;
  size_t nodes;
  std::vector<Port> inputs, outputs;
};
std::vector<PartPorts> parts_of(const Model& model) {
  std::vector<PartPorts> out;
  auto parts = model.parts();
  if (!parts || !*parts) return out;
  auto add = [&](const char* name, bool planned, const Model& m) {
    out.push_back({name, planned, m.state().optimized.nodes.size(), m.inputs(), m.outputs()});
  };
  if ((*parts)->before) add("before", false, *(*parts)->before);
  add("rest", true, (*parts)->rest);
  if ((*parts)->after) add("after", false, *(*parts)->after);
  return out;
}

std::string ports_text(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& p : ports) text += (text.empty() ? "" : ", ") + p.name + ": " + type_text(p);
  return text;
}

void value_or_null(Json& j, const std::optional<int64_t>& n) {
  if (n) j.value(*n);
  else j.null();
}

using Signatures = std::vector<Signature>;

void write_signatures(Json& j, const Signatures& signatures) {
  if (signatures.empty()) return;
  j.key("signatures").array();
  for (const Signature& s : signatures) {
    j.object().key("name").value(s.name);
    for (const auto& [key, values] : {std::pair("inputs", &s.inputs), std::pair("outputs", &s.outputs)}) {
      j.key(key).array();
      for (const Signature::Value& v : *values) {
        j.object().key("name").value(v.name).key("dtype").value(v.dtype).key("shape");
        if (v.shape) write_shape(j, *v.shape);
        else j.null();
        j.end();
      }
      j.end();
    }
    j.end();
  }
  j.end();
}

std::string signature_text(const Signature& s) {
  const auto text = [](const std::vector<Signature::Value>& values) {
    std::string all;
    for (const auto& v : values) all += (all.empty() ? "" : ", ") + v.name + ": " + v.dtype + (v.shape ? shape_text(*v.shape) : " of any shape");
    return all;
  };
  return s.name + ": " + text(s.inputs) + (s.inputs.empty() ? "-> " : " -> ") + text(s.outputs);
}

using Summary = std::vector<SummaryRow>;

void write_summary(Json& j, const Summary& summary) {
  if (summary.empty()) return;
  j.key("summary").array();
  for (const SummaryRow& row : summary) {
    j.object().key("name").value(row.name).key("class").value(row.type).key("shapes").array();
    for (const Shape& shape : row.shapes) {
      std::vector<std::string> sizes;
      for (const Dim& d : shape.dims()) sizes.push_back(d.text());
      write_shape(j, sizes);
    }
    j.end().key("parameters").value(row.parameters).key("fixed").value(row.fixed).key("inputs").array();
    for (const std::string& name : row.inputs) j.value(name);
    j.end().end();
  }
  j.end();
}

// What Keras' model.summary() shows.
Text summary_text(const Summary& summary) {
  std::vector<std::vector<Text>> rows = {{"layer", "class", "output shape", "parameters", "connected to"}};
  int64_t parameters = 0, fixed = 0;
  for (const SummaryRow& row : summary) {
    std::string shapes;
    for (const Shape& shape : row.shapes) shapes += (shapes.empty() ? "" : " ") + shape.text();
    rows.push_back({shown(row.name), shown(row.type), shown(shapes), grouped(row.parameters), shown(joined(row.inputs))});
    parameters += row.parameters;
    fixed += row.fixed;
  }
  return table(rows, 0b1000) + "\ntrainable     " + grouped(parameters - fixed) + "\nfixed         " + grouped(fixed) + "\n";
}

Text json_text(const Model& model, const Signatures& signatures, const Summary& summary, const std::vector<LayerInfo>& layers, const Totals& totals,
               const std::map<std::string, int64_t>& dims) {
  Json j;
  j.object().key("format").value(model.format()).key("producer").value(model.producer()).key("opset").value(model.opset());
  write_metadata(j, model.metadata());
  write_signatures(j, signatures);
  for (const auto& [key, ports] : {std::pair("inputs", model.inputs()), std::pair("outputs", model.outputs())}) {
    j.key(key).array();
    for (const Port& p : ports) {
      j.object();
      write_port(j, p);
      j.end();
    }
    j.end();
  }
  j.key("parts").array();
  for (const PartPorts& part : parts_of(model)) {
    j.object().key("name").value(part.name).key("planned").value(part.planned).key("nodes").value(part.nodes);
    for (const auto& [key, ports] : {std::pair("inputs", &part.inputs), std::pair("outputs", &part.outputs)}) {
      j.key(key).array();
      for (const Port& p : *ports) {
        j.object();
        write_port(j, p);
        j.end();
      }
      j.end();
    }
    j.end();
  }
  j.end();
  write_summary(j, summary);
  j.key("overridable").array();
  for (const std::string& name : model.state().graph.overridable) j.value(name);
  j.end().key("layers").array();
  for (const LayerInfo& layer : layers) {
    j.object().key("name").value(layer.name).key("op").value(layer.op).key("shape");
    write_shape(j, layer.shape);
    j.key("parameters").value(layer.parameters).key("macs");
    value_or_null(j, layer.macs);
    j.end();
  }
  j.end().key("tensors").array();
  const Graph& graph = model.state().graph;
  const std::vector<bool> constant = constants_and_dropped(graph);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& v = graph.values[i];
    if (!constant[i] || (!v.constant.present() && !v.type.shape.known())) continue;  // nobody's
    const DType dtype = v.constant.present() ? v.constant.dtype() : v.type.dtype;
    const Dims dims = v.constant.present() ? v.constant.dims() : v.type.shape.concrete();
    j.object().key("name").value(v.name).key("dtype").value(name(dtype)).key("shape").array();
    for (int64_t d : dims.span()) j.value(d);
    j.end().key("bytes").value(dims.count() * static_cast<int64_t>(size_of(dtype))).end();
  }
  j.end().key("totals").object().key("parameters").value(totals.parameters).key("macs");
  value_or_null(j, totals.macs);
  j.key("weight_bytes").value(totals.weight_bytes).key("arena_bytes");
  value_or_null(j, totals.arena_bytes);
  j.end().key("dims").object();
  for (const auto& [symbol, value] : dims) j.key(symbol).value(value);
  j.end().key("notes").array();
  for (const std::string& text : model.notes()) j.value(text);
  return j.end().end().text();
}

void print_text(const Model& model, const Signatures& signatures, const Summary& summary, const std::vector<LayerInfo>& layers, const Totals& totals,
                const std::map<std::string, int64_t>& dims) {
  out("format    " + shown(model.format()) + (model.opset() ? ", opset " + shown(model.opset()) : Text()) + "\n");
  if (!model.producer().empty()) out("producer  " + shown(model.producer()) + "\n");
  out(metadata_text(model.metadata()));
  for (const Signature& s : signatures) out("signature " + shown(signature_text(s)) + "\n");
  for (const std::string& text : model.notes()) out("note      " + shown(text) + "\n");
  for (const Port& p : model.inputs()) out("input     " + shown(p.name + ": " + type_text(p)) + "\n");
  if (const auto& names = model.state().graph.overridable; !names.empty()) {  // a whole model's weights, when an old exporter listed them all
    constexpr size_t kShown = 8;
    const std::vector<std::string> first(names.begin(), names.begin() + static_cast<int64_t>(std::min(names.size(), kShown)));
    const std::string more = names.size() > kShown ? " and " + std::to_string(names.size() - kShown) + " more" : "";
    out("defaults  " + shown(joined(first) + more) + ": --input NAME=SOURCE replaces one\n");
  }
  for (const Port& p : model.outputs()) out("output    " + shown(p.name + ": " + type_text(p)) + "\n");
  for (const PartPorts& part : parts_of(model)) {
    const char* how = part.planned ? " nodes by a plan: " : " nodes one by one: ";
    out("part      " + shown(part.name + (", " + std::to_string(part.nodes)) + how + ports_text(part.inputs) + " -> " + ports_text(part.outputs)) +
        "\n");
  }
  if (!summary.empty()) out("\n" + summary_text(summary));
  std::vector<std::vector<Text>> rows = {{"layer", "operator", "output shape", "parameters", "MACs"}};
  for (const LayerInfo& layer : layers) {
    rows.push_back({shown(layer.name), shown(layer.op), shown(shape_text(layer.shape)), grouped(layer.parameters),
                    layer.macs ? grouped(*layer.macs) : Text("?")});
  }
  out("\n" + table(rows, 0b11000));
  Text bound;
  for (const auto& [symbol, value] : dims) bound += (bound.empty() ? Text("  (") : Text(", ")) + shown(symbol) + " = " + shown(value);
  if (!bound.empty()) bound += ")";
  out("\nparameters    " + grouped(totals.parameters) + "\nweight bytes  " + grouped(totals.weight_bytes) + "\n");
  out("MACs          " + (totals.macs ? grouped(*totals.macs) + bound : Text("depend on data")) + "\n");
  out("arena bytes   " + (totals.arena_bytes ? grouped(*totals.arena_bytes) + bound : "not known: " + shown(totals.no_arena)) + "\n");
}

}  // namespace

int inspect(const Options& options) {
  auto dims = dims_of(options);
  if (!dims) return fail("wrong usage", dims.error());
  if (options.has("--fused") && !options.has("--dot")) return fail("wrong usage", usage("--fused goes with --dot FILE"));
  if (auto code = inspect_weights(options)) return *code;
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  if (Status s = check_dims(model->state().graph, *dims); !s) return fail("cannot inspect " + options.positional[0], s.error());
  std::map<std::string, int64_t> all = *dims;
  default_dims(*model, all, false);
  Totals totals = totals_of(*model, all);  // its plan goes before the layers come
  const std::vector<LayerInfo> layers = layers_of(*model, *dims, all);
  for (const LayerInfo& layer : layers) totals.macs = totals.macs && layer.macs ? checked_add(*totals.macs, *layer.macs) : std::nullopt;
  if (options.has("--dot")) {
    const Graph& graph = options.has("--fused") ? model->state().optimized : model->state().graph;
    if (Status s = write_file(options.get("--dot"), dot(graph)); !s) return fail_at("cannot write", s.error());
  }
  const Summary& summary = model->state().graph.summary;
  const Signatures& signatures = model->state().graph.signatures;
  if (options.has("--json")) out(json_text(*model, signatures, summary, layers, totals, all));
  else print_text(*model, signatures, summary, layers, totals, all);
  return kDone;
}

}  // namespace tern::command
