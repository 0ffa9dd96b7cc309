// Layers of torch.nn against what torch 2.14.1 recorded: from whole pickled modules, from constructors, and from what print() shows.
// Code: loaders/torch/nn.
#include <set>

#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/layers.h"
#include "loaders/torch/state_dict/bind.h"
#include "tests/support/torch_layers.h"

namespace tern::test::in_torch_nn {
namespace {

constexpr const char* kFamilies[] = {"linear", "conv", "norm", "activation", "pool", "shape", "container"};

}  // namespace

TEST_CASE("torch nn: whole pickled layers compute what torch computes") {
  for (const char* family : kFamilies) {
    for (const LayerCase& c : load_family(family)) {
      auto graph = torch::load_whole(*c.module, nullptr, options_for(c), "pytorch");
      CHECK_MESSAGE(graph.ok(), c.name << " " << c.constructor << ": " << (graph.ok() ? "" : graph.error().message()));
      if (graph.ok()) check_outputs(std::move(*graph), c, "whole");
    }
  }
}

// The same layer from a text, with the weights of the file bound to it.
Result<Graph> from_text(const std::string& text, const LayerCase& c) {
  auto arch = torch::parse_architecture(text, "layer.txt");
  if (!arch) return arch.error();
  if (Status s = torch::complete(*arch->root); !s) return s.error();
  auto expected = torch::expected_state(*arch->root, arch->program.get());
  if (!expected) return expected.error();
  auto bound = torch::bind_weights(torch::state_dict(*c.module), *arch->root, *expected, true);
  if (!bound) return bound.error();
  return torch::assemble(*arch->root, arch->program.get(), bound->weights, options_for(c), "pytorch");
}

void check_text(const std::string& text, const LayerCase& c, const char* how) {
  auto graph = from_text(text, c);
  CHECK_MESSAGE(graph.ok(), c.name << " " << text << ": " << (graph.ok() ? "" : graph.error().message()));
  if (graph.ok()) check_outputs(std::move(*graph), c, how);
}

TEST_CASE("torch nn: layers from their constructors compute what torch computes") {
  for (const char* family : kFamilies) {
    for (const LayerCase& c : load_family(family)) {
      if (!c.constructor.empty()) check_text(c.constructor, c, "constructor");
    }
  }
}

TEST_CASE("torch nn: layers from what print() shows compute what torch computes") {
  // What print() hides and these cases need; users write it in.
  auto hidden = [](const LayerCase& c) {
    for (const char* option : {"include_last_offset", "count_include_pad", "divisor_override", "align_corners", "recompute_scale_factor", "eps=3.0",
                               "AvgPool1d(3, 2, 1,", "AvgPool2d(3, 2, 1,", "PairwiseDistance(p", "PairwiseDistance(3"}) {
      if (c.constructor.find(option) != std::string::npos) return true;
    }
    return false;
  };
  for (const char* family : kFamilies) {
    for (const LayerCase& c : load_family(family)) {
      if (!c.constructor.empty() && !hidden(c)) check_text(c.printed, c, "printed");
    }
  }
}

// "weight [4, 3]\n": as the recording has them.
std::string listed(const std::vector<torch::Expected>& expected) {
  std::string s;
  for (const torch::Expected& e : expected) {
    s += e.name + " [";
    for (size_t i = 0; e.shape && i < e.shape->size(); ++i) s += (i > 0 ? ", " : "") + std::to_string((*e.shape)[i]);
    s += e.shape ? "]\n" : "?]\n";
  }
  return s;
}

TEST_CASE("torch nn: a layer expects the names and shapes of torch's state_dict, in its order") {
  for (const char* family : kFamilies) {
    for (const LayerCase& c : load_family(family)) {
      auto expected = torch::expected_state(*c.module, nullptr);
      REQUIRE_MESSAGE(expected.ok(), c.name << " " << c.constructor << ": " << (expected.ok() ? "" : expected.error().message()));
      if (c.constructor.empty()) continue;  // split weights
      CHECK_MESSAGE(listed(*expected) == c.keys, c.name << " " << c.constructor);
    }
  }
}

TEST_CASE("torch nn: every layer has a case") {
  std::set<const torch::Layer*> seen;
  auto visit = [&](auto& self, const torch::Module& m) -> void {
    seen.insert(torch::find_layer(m));
    for (const auto& [name, child] : m.children) self(self, *child);
  };
  for (const char* family : kFamilies) {
    for (const LayerCase& c : load_family(family)) visit(visit, *c.module);
  }
  for (std::span<const torch::Layer> table : {torch::container_layers(), torch::linear_layers(), torch::conv_layers(), torch::norm_layers(),
                                              torch::activation_layers(), torch::pool_layers(), torch::shape_layers()}) {
    for (const torch::Layer& layer : table) {
      const bool passes = layer.forward_signature[0] == '*';  // wrappers, and what is refused
      if (layer.forward != nullptr && !passes) CHECK_MESSAGE(seen.contains(&layer), std::string(layer.cls));
    }
  }
}

}  // namespace tern::test::in_torch_nn
