// LSTM, GRU and RNN, and their cells. See layers.h. Next: attention.cpp.
#include <algorithm>

#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostRecurrent = 256;

int64_t gates(const Module& m) { return m.cls.starts_with("LSTM") ? 4 : m.cls.starts_with("GRU") ? 3 : 1; }

struct LayerSizes {
  int64_t inputs = 0, units = 0, layers = 0, directions = 0, projected = 0;  // projected: what a state holds
  bool biased = true;
};

LayerSizes layer_sizes(Options& o, const Module& m) {
  LayerSizes s{o.integer("input_size"), o.integer("hidden_size"), o.integer("num_layers"), o.boolean("bidirectional") ? 2 : 1, 0, o.boolean("bias")};
  s.projected = gates(m) == 4 ? o.integer("proj_size") : 0;
  if (s.inputs < 1 || s.units < 1) o.fail("input_size and hidden_size must be positive");
  if (s.layers < 1 || s.layers > kMostRecurrent) o.fail("num_layers=" + std::to_string(s.layers) + " makes no sense");
  if (s.projected < 0 || s.projected >= std::max<int64_t>(s.units, 1)) o.fail("proj_size must be smaller than hidden_size");
  return s;
}

// The names of one direction of one layer, in torch's order: weight_ih_l0, weight_hh_l0_reverse …
std::vector<std::string> names_of(const LayerSizes& s, int64_t layer, int64_t direction) {
  const std::string suffix = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
  std::vector<std::string> names = {"weight_ih" + suffix, "weight_hh" + suffix};
  if (s.biased) names.insert(names.end(), {"bias_ih" + suffix, "bias_hh" + suffix});
  if (s.projected > 0) names.push_back("weight_hr" + suffix);
  return names;
}

Status expected_weights(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const LayerSizes s = layer_sizes(o, m);
  if (!o.status()) return o.status();
  const int64_t rows = gates(m) * s.units, state = s.projected > 0 ? s.projected : s.units;
  for (int64_t l = 0; l < s.layers; ++l) {
    const int64_t inputs = l == 0 ? s.inputs : state * s.directions;
    for (int64_t d = 0; d < s.directions; ++d) {
      const std::vector<std::string> names = names_of(s, l, d);
      std::vector<std::vector<int64_t>> shapes = {{rows, inputs}, {rows, state}};
      if (s.biased) shapes.insert(shapes.end(), {{rows}, {rows}});
      shapes.push_back({state, s.units});
      for (size_t i = 0; i < names.size(); ++i) out.push_back({join(path, names[i]), shapes[i]});
    }
  }
  return {};
}

TypeInfo window_input(const Module& m) {
  Options o(m);
  return {DType::f32, Shape{free_size(), free_size(), o.integer("input_size")}};
}

// print(model) does not show an RNN's function, so that it must be written where it is not tanh. Old pickles have it in their mode only.
std::string spelling(const LayerCall& c) {
  if (gates(c.module) == 4) return "lstm";
  if (gates(c.module) == 3) return "gru";
  const Literal* mode = c.module.pickled ? c.module.arg("mode") : nullptr;
  if (mode != nullptr && mode->text() == "'RNN_RELU'") return "rnn_relu";
  const std::string how = c.string("nonlinearity");
  if (how != "tanh" && how != "relu") c.fail(invalid(c.module.cls + ": nonlinearity must be 'tanh' or 'relu', not '" + how + "'"));
  return "rnn_" + how;
}

// hx with one more axis, for inputs without a batch.
IValue batched_state(Builder& b, const IValue& hx, int axis) {
  if (hx.items() == nullptr) return hx.is_tensor() ? tensor_of(unsqueeze(b, hx.id(), {axis})) : hx;
  IValues items;
  for (const IValue& item : *hx.items()) items.push_back(batched_state(b, item, axis));  // a pair of tensors
  return IValue::tuple(std::move(items));
}

// The result without that axis.
ValueId unbatched(Builder& b, const IValue& v, int axis) { return squeeze(b, v.id(), {axis}); }

IValue window(const LayerCall& c) {
  Builder& b = c.builder();
  ValueId x = c.tensor_argument("input", 0);
  IValue hx = c.argument("hx", 1);
  Options o(c.module);
  const LayerSizes s = layer_sizes(o, c.module);
  const bool batch_first = o.boolean("batch_first");
  if (!o.status()) return c.fail(o.status().error());
  IValues weights;
  for (int64_t l = 0; l < s.layers; ++l) {
    for (int64_t d = 0; d < s.directions; ++d) {
      for (const std::string& name : names_of(s, l, d)) weights.push_back(tensor_of(c.weight(name)));
    }
  }
  const int rank = b.rank(x), batch = batch_first ? 0 : 1;
  if (!b.ok()) return {};
  if (rank != 2 && rank != 3)
    return c.fail(invalid(c.module.cls + ": the input is " + b.shape(x).text() + ", it must have 3 dimensions, or 2 without a batch"));
  if (rank == 2) {
    x = unsqueeze(b, x, {batch});
    hx = batched_state(b, hx, 1);
  }
  const IValue result =
      call(b, "aten." + spelling(c) + ".input",
           {tensor_of(x), hx, IValue::list(std::move(weights)), s.biased, Int(s.layers), 0.0, false, s.directions == 2, batch_first});
  if (!b.ok()) return {};
  const IValues& parts = *result.items();
  auto part = [&](size_t i) { return rank == 3 ? parts[i] : tensor_of(unbatched(b, parts[i], i == 0 ? batch : 1)); };
  return IValue::tuple({part(0), parts.size() == 3 ? IValue::tuple({part(1), part(2)}) : part(1)});
}

// ---- cells ----

Status expected_of_cell(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t inputs = o.integer("input_size"), units = o.integer("hidden_size");
  const bool biased = o.boolean("bias");
  if (inputs < 1 || units < 1) o.fail("input_size and hidden_size must be positive");
  if (!o.status()) return o.status();
  const int64_t rows = gates(m) * units;
  out.push_back({join(path, "weight_ih"), std::vector<int64_t>{rows, inputs}});
  out.push_back({join(path, "weight_hh"), std::vector<int64_t>{rows, units}});
  if (biased) out.push_back({join(path, "bias_ih"), std::vector<int64_t>{rows}});
  if (biased) out.push_back({join(path, "bias_hh"), std::vector<int64_t>{rows}});
  return {};
}

TypeInfo cell_input(const Module& m) {
  Options o(m);
  return {DType::f32, Shape{free_size(), o.integer("input_size")}};
}

IValue cell(const LayerCall& c) {
  Builder& b = c.builder();
  ValueId x = c.tensor_argument("input", 0);
  IValue hx = c.argument("hx", 1);
  const int rank = b.rank(x);
  if (!b.ok()) return {};
  if (rank == 1) {
    x = unsqueeze(b, x, {0});
    hx = batched_state(b, hx, 0);
  }
  const IValue h = call(b, "aten." + spelling(c) + "_cell.default",
                        {tensor_of(x), hx, tensor_of(c.weight("weight_ih")), tensor_of(c.weight("weight_hh")), tensor_of(c.weight("bias_ih")),
                         tensor_of(c.weight("bias_hh"))});
  if (!b.ok() || rank != 1) return h;
  if (h.items() == nullptr) return tensor_of(unbatched(b, h, 0));
  return IValue::tuple({tensor_of(unbatched(b, (*h.items())[0], 0)), tensor_of(unbatched(b, (*h.items())[1], 0))});
}

constexpr Layer kRecurrentRows[] = {
    {"LSTM",
     "input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0, bidirectional=False, proj_size=0, device=None, dtype=None",
     "input, hx=None", expected_weights, window, window_input},
    {"GRU", "input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0, bidirectional=False, device=None, dtype=None",
     "input, hx=None", expected_weights, window, window_input},
    {"RNN",
     "input_size, hidden_size, num_layers=1, nonlinearity='tanh', bias=True, batch_first=False, dropout=0, bidirectional=False, device=None, "
     "dtype=None",
     "input, hx=None", expected_weights, window, window_input},
    {"LSTMCell GRUCell", "input_size, hidden_size, bias=True, device=None, dtype=None", "input, hx=None", expected_of_cell, cell, cell_input},
    {"RNNCell", "input_size, hidden_size, bias=True, nonlinearity='tanh', device=None, dtype=None", "input, hx=None", expected_of_cell, cell,
     cell_input},
};

}  // namespace

std::span<const Layer> recurrent_layers() { return kRecurrentRows; }

}  // namespace tern::torch
