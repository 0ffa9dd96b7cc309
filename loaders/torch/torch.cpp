// See torch.h.
#include "loaders/torch/torch.h"

#include <algorithm>

#include "loaders/torch/arch/parse.h"
#include "loaders/torch/module/agree.h"
#include "loaders/torch/nn/assemble.h"
#include "loaders/torch/nn/net.h"
#include "loaders/torch/nn/whole.h"
#include "loaders/torch/state_dict/bind.h"
#include "loaders/torch/weights_file.h"

namespace tern::torch {
namespace {

// Nothing to run: no architecture, and no whole module among what could be chosen.
bool holds_weights_only(const WeightsFile& file) {
  const auto all = file.candidates();
  return !all.empty() && std::none_of(all.begin(), all.end(), [](const WeightsFile::Candidate& c) { return c.module; });
}

Error lacks_architecture() {
  const Advice advice = advice_for_weights();
  return unsupported(std::string(advice.what) + " " + advice.how);
}

// Inputs whose shapes neither the caller nor the forward told: the first layer that reads them did, which may have taken others too.
void note_assumed(Graph& g, const Module& root, const Forwards* forwards, const LoadOptions& options) {
  const Function* forward = forward_of(root, "", forwards);
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    const Value& input = g.value(g.inputs[i]);
    bool told = std::any_of(options.inputs.begin(), options.inputs.end(), [&](const Port& p) { return p.name == input.name; });
    told |= i < options.inputs.size() && options.inputs[i].name.empty();
    if (forward != nullptr) {
      for (const Parameter& p : forwards->parameters(*forward)) told |= p.name == input.name && p.type.has_value();
    }
    if (!told)
      g.notes.push_back("input " + input.name + " is taken to be " + name(input.type.dtype) + input.type.shape.text() +
                        ", as the first layer has it");
  }
}

// The floating dtype of the module that the weights are copied into. What print(model) shows does not tell it: f32, as torch makes modules,
// unless all floats of the file are of the dtype that a floating input is declared with (model.half(), model.double()).
DType module_dtype(const StateDict& weights, const Architecture& arch, const LoadOptions& options) {
  std::vector<DType> declared;
  for (const Port& port : options.inputs) declared.push_back(port.dtype);
  if (const Function* forward = forward_of(*arch.root, "", arch.program.get())) {
    for (const Parameter& p : arch.program->parameters(*forward)) declared.push_back(p.type ? p.type->dtype : DType::none);
  }
  for (DType dtype : declared) {
    auto fits = [&](const StateDict::Entry& e) { return !is_float(e.tensor.dtype) || e.tensor.dtype == dtype; };
    if (is_float(dtype) && std::all_of(weights.entries.begin(), weights.entries.end(), fits)) return dtype;
  }
  return DType::f32;
}

// torch's load_state_dict, and the graph of what was loaded into.
Result<Graph> with_architecture(const WeightsFile& file, const Architecture& arch, const LoadOptions& options) {
  auto weights = file.select(options.key);
  if (!weights) return weights.error();
  const std::string& name = arch.program->file;
  if (!arch.root) return invalid(name + ": it has no module tree, which weights need: write what print(model) prints before the forward");
  if (Status s = complete(*arch.root); !s) return s.error().within(name);
  auto expected = expected_state(*arch.root, arch.program.get());
  if (!expected) return expected.error().within(name);
  auto bound = bind_weights(*weights, *arch.root, *expected, options.strict, module_dtype(*weights, arch, options));
  if (!bound) return bound.error();
  auto graph = assemble(*arch.root, arch.program.get(), bound->weights, options, file.format());
  if (!graph) return graph;
  graph->notes.insert(graph->notes.end(), bound->notes.begin(), bound->notes.end());
  note_assumed(*graph, *arch.root, arch.program.get(), options);
  return graph;
}

}  // namespace

Result<Graph> load_torch(const Content& content, const LoadOptions& options) {
  auto file = WeightsFile::open(content);
  if (!file) return file.error();
  Architecture arch;
  const bool has_arch = !options.architecture.empty();
  if (has_arch) {
    auto parsed = parse_architecture(options.architecture, options.architecture_name);
    if (!parsed) return parsed.error();
    arch = std::move(*parsed);
  } else if (holds_weights_only(*file)) {
    return lacks_architecture();
  }
  auto tree = file->module(options.key);
  if (!tree) return tree.error();
  if (!*tree) {
    if (!has_arch) return lacks_architecture();
    auto graph = with_architecture(*file, arch, options);
    if (graph) graph->metadata = file->metadata();
    return graph;
  }
  if (arch.root) {
    if (Status s = check_agreement(**tree, *arch.root); !s) return s.error().within(options.architecture_name);
  }
  if (has_arch) arch.program->tell_layers(**tree);
  auto graph = load_whole(**tree, arch.program.get(), options, file->format());
  if (graph) note_assumed(*graph, **tree, arch.program.get(), options);
  return graph;
}

}  // namespace tern::torch
