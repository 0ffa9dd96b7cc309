// LSTM, GRU, SimpleRNN, RNN with cells, and the CuDNN layers of Keras 2. See rnn.h. Next: wrappers.cpp.
#include "loaders/keras/layers/rnn.h"

#include "loaders/keras/model/spec.h"
#include "loaders/keras/net.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using Kind = Cell::Kind;

std::optional<Kind> kind_of(std::string_view cls) {
  constexpr std::pair<std::string_view, Kind> kKinds[] = {{"LSTM", Kind::lstm},        {"LSTMCell", Kind::lstm},       {"CuDNNLSTM", Kind::lstm},
                                                          {"GRU", Kind::gru},          {"GRUCell", Kind::gru},         {"CuDNNGRU", Kind::gru},
                                                          {"SimpleRNN", Kind::simple}, {"SimpleRNNCell", Kind::simple}};
  for (const auto& [name, kind] : kKinds) {
    if (name == cls) return kind;
  }
  return std::nullopt;
}

// Adds config[key] to the cell's activations, as the catalog's recurrent operators call it.
void add_activation(Call& c, Cell& cell, std::string_view key, std::string_view otherwise) {
  struct Row {
    std::string_view keras;
    const char* op;
    int numbers = 0;  // alpha, then beta
    float alpha = 0, beta = 0;
  };
  const float slope = c.layer.keras() == 2 ? 0.2f : 1.0f / 6;
  const Row rows[] = {{"tanh", "Tanh"},
                      {"sigmoid", "Sigmoid"},
                      {"relu", "Relu"},
                      {"hard_sigmoid", "HardSigmoid", 2, slope, 0.5f},
                      {"linear", "Affine", 2, 1, 0},
                      {"elu", "Elu", 1, 1},
                      {"selu", "Selu"},
                      {"leaky_relu", "LeakyRelu", 1, 0.2f},
                      {"softplus", "Softplus"},
                      {"softsign", "Softsign"},
                      {"swish", "Swish"},
                      {"silu", "Swish"},
                      {"gelu", "Gelu"},
                      {"mish", "Mish"},
                      {"hard_silu", "HardSwish"},
                      {"hard_swish", "HardSwish"}};
  const bool given = c.config.at(key) != Json::kNothing;
  std::string name = !given ? std::string(otherwise) : c.config.has(key) ? c.config.called(key) : "linear";
  const Config settings = c.config.object(key).object("config");
  for (const Row& row : rows) {
    if (row.keras != name || settings.json().size(settings.id()) != 0) continue;
    cell.activations.emplace_back(row.op);
    if (row.numbers > 0) cell.alpha.push_back(row.alpha);
    if (row.numbers > 1) cell.beta.push_back(row.beta);
    return;
  }
  if (name == "PReLU") c.unsupported("activation PReLU in a recurrent layer");
  cell.stepwise = true;
}

// ---- weights

// Of CuDNN, a gate's kernel [n, units] holds the elements of its transpose [units, n].
ValueId from_cudnn(Call& c, ValueId kernel, int64_t gates, int64_t rows, int64_t units) {
  std::vector<ValueId> out;
  for (ValueId part : c.b.emit("Split", {kernel}, attributes({{"axis", int64_t(1)}, {"num_outputs", gates}}), static_cast<size_t>(gates)))
    out.push_back(permute(c.b, c.b.reshape(part, {Int(units), Int(rows)}), {1, 0}));
  return concat(c.b, out, 1);
}

int64_t gates_of(const Cell& cell) { return cell.kind == Kind::lstm ? 4 : cell.kind == Kind::gru ? 3 : 1; }

// The biases, and the kernels of what was trained by CuDNN as others have them; layers of other classes may hold such weights too.
void read_biases(Call& c, Weights weights, Cell& cell, int64_t features, bool cudnn) {
  const int64_t gates = gates_of(cell), wide = gates * cell.units;
  cudnn = cudnn || (cell.kind != Kind::simple && weights.dims("bias") == std::vector<int64_t>{2 * wide});
  if (cudnn) cell.reset_after = cell.kind == Kind::gru;
  if (!cudnn && !cell.reset_after) {
    cell.bias = c.weight(weights, "bias", {wide});
    return;
  }
  const ValueId both = c.weight(weights, "bias", cudnn ? std::vector<int64_t>{2 * wide} : std::vector<int64_t>{2, wide});
  const ValueId flat = c.b.reshape(both, {Int(2 * wide)});
  cell.bias = slice(c.b, flat, 0, 0, wide);
  cell.recurrent_bias = slice(c.b, flat, 0, wide, 2 * wide);
  if (!cudnn) return;
  if (cell.kind == Kind::lstm) {
    cell.bias = c.emit("Add", {cell.bias, cell.recurrent_bias});
    cell.recurrent_bias = kNone;
  }
  cell.kernel = from_cudnn(c, cell.kernel, gates, features, cell.units);
  cell.recurrent = from_cudnn(c, cell.recurrent, gates, cell.units, cell.units);
}

}  // namespace

std::optional<Cell> read_cell(Call& c, Weights weights, int64_t features) {
  const std::string& cls = c.layer.class_name;
  const auto kind = kind_of(cls);
  if (!kind) c.unsupported("a cell of class " + printable(cls, 80));
  Cell cell;
  cell.kind = kind.value_or(Kind::simple);
  cell.units = c.config.integer("units");
  if (cell.units < 1 || cell.units > int64_t(1) << 40) c.invalid("its config: units is " + std::to_string(cell.units));
  if (!c.b.ok()) return std::nullopt;
  const bool cudnn = cls.starts_with("CuDNN");
  if (cudnn) {
    cell.activations = cell.kind == Kind::lstm ? std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"} : std::vector<std::string>{"Sigmoid", "Tanh"};
  } else {
    if (cell.kind != Kind::simple) add_activation(c, cell, "recurrent_activation", "sigmoid");
    for (size_t i = 0; i < cell.states(); ++i) add_activation(c, cell, "activation", "tanh");  // of the candidate; of an LSTM's state too
  }
  const int64_t wide = gates_of(cell) * cell.units;
  cell.kernel = c.weight(weights, "kernel", {features, wide});
  cell.recurrent = c.weight(weights, "recurrent_kernel", {cell.units, wide});
  cell.reset_after = cell.kind == Kind::gru && (cudnn || c.config.boolean("reset_after", c.layer.keras() != 2));
  if (cudnn || c.config.boolean("use_bias", true)) read_biases(c, weights, cell, features, cudnn);
  return c.b.ok() ? std::optional(cell) : std::nullopt;
}

ValueId step_mask(const Call& c, bool has_states) { return to_bool(c, has_states && c.layer.keras() != 2 ? c.tensor(SIZE_MAX, "mask") : c.mask()); }

std::vector<ValueId> initial_states(const Call& c) {
  Flows given;
  c.arg("initial_state").flatten(given);
  if (given.empty() && c.args.positional.size() > 1) {
    for (size_t i = 1; i < c.args.positional.size(); ++i) c.args.positional[i].flatten(given);
  }
  if (given.empty() && c.inputs.size() > 1) given.assign(c.inputs.begin() + 1, c.inputs.end());
  std::vector<ValueId> out;
  for (const Flow& f : given) out.push_back(c.b.cast(f.value, c.layer.compute));
  return out;
}

namespace {

// Cells one on the other are layers one behind the other: what each gives for a step that does not count, the next does not look at.
RnnWindow run_cells(Call& c, std::vector<std::pair<Layer, Weights>>& cells, ValueId x, const WindowOptions& options) {
  const std::vector<ValueId>& initial = options.initial;
  RnnWindow whole;
  size_t used = 0;
  for (size_t i = 0; i < cells.size() && c.b.ok(); ++i) {
    const Arguments none;
    Call own(cells[i].first, none);
    const auto cell = read_cell(own, cells[i].second, c.features(x));
    if (!cell) return {};
    WindowOptions here = options;
    here.initial.clear();
    for (size_t s = 0; s < cell->states() && !initial.empty(); ++s, ++used) {
      if (used >= initial.size()) return c.invalid("it is called with " + std::to_string(initial.size()) + " states"), RnnWindow();
      here.initial.push_back(initial[used]);
    }
    here.zeros = options.zeros && i + 1 == cells.size();
    RnnWindow w = run_window(own, *cell, x, here);
    x = w.y;
    whole.y = w.y;
    whole.last = w.last;
    whole.states.insert(whole.states.end(), w.states.begin(), w.states.end());
  }
  if (used < initial.size()) c.invalid("it is called with " + std::to_string(initial.size()) + " states, and has " + std::to_string(used));
  return whole;
}

// The cells of config.cell: one, or those of StackedRNNCells (a plain list is one too).
std::vector<std::pair<Layer, Weights>> cells_of(Call& c) {
  std::vector<std::pair<Layer, Weights>> out;
  const Config object = c.config.object("cell");
  if (object.text("class_name") != "StackedRNNCells") {
    Layer cell = c.inner("cell", object.id());
    const Weights weights = cell.weights;
    out.emplace_back(std::move(cell), weights);
    return out;
  }
  const Config stack = object.object("config");
  const Weights all = c.weights.child("cell", stack.text("name")).child("cells", "");
  std::map<std::string, int> seen;
  const Json::Id list = stack.at("cells");
  for (size_t i = 0; i < c.config.json().size(list) && c.b.ok(); ++i) {
    const Config one = c.config.item(c.config.json().item(list, i));
    std::string place = snake_case(one.text("class_name"));
    const int before = seen[place]++;
    if (before > 0) place += "_" + std::to_string(before);
    const Weights weights = all.child(place, one.object("config").text("name"));
    out.emplace_back(c.net.layer(one.id(), weights.place()), weights);
  }
  if (out.empty()) c.invalid("its config: it has no cells");
  return out;
}

}  // namespace

std::optional<RnnWindow> recurrent(Call& c, const Direction& direction) {
  const std::string& cls = c.layer.class_name;
  const bool layer = kind_of(cls).has_value() && !cls.ends_with("Cell"), convolution = cls.starts_with("ConvLSTM");
  if (!layer && !convolution && cls != "RNN") return std::nullopt;
  WindowOptions options;
  options.backwards = direction.backwards.value_or(c.config.boolean("go_backwards", false));
  options.zeros = direction.zeros.value_or(c.config.boolean("zero_output_for_mask", false));
  options.initial = initial_states(c);
  options.mask = step_mask(c, !options.initial.empty());
  if (convolution) return convolutional(c, options);
  if (c.b.ok() && c.b.rank(c.x()) != 3) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes, not three"), RnnWindow();
  const bool time_major = c.config.boolean("time_major", false);
  const ValueId x = time_major ? transpose(c.b, c.x(), 0, 1) : c.x();
  if (time_major && options.mask != kNone) options.mask = transpose(c.b, options.mask, 0, 1);
  std::vector<std::pair<Layer, Weights>> cells;
  if (layer) {
    const bool cudnn = cls.starts_with("CuDNN");
    cells.emplace_back(c.layer, cudnn ? c.weights : c.weights.child("cell", snake_case(cls) + "_cell"));
  } else {
    cells = cells_of(c);
  }
  return run_cells(c, cells, x, options);
}

namespace {

Flows recurrent_layer(Call& c) {
  const auto window = recurrent(c, {});
  if (!window || !c.b.ok()) return {};
  Flows out;
  if (c.config.boolean("return_sequences", false)) {
    ValueId y = c.config.boolean("go_backwards", false) ? reverse(c.b, window->y, 1) : window->y;
    if (c.config.boolean("time_major", false)) y = transpose(c.b, y, 0, 1);
    out.push_back({y, c.mask()});
  } else {
    out.push_back({window->last});
  }
  if (c.config.boolean("return_state", false)) {
    for (ValueId state : window->states) out.push_back({state});
  }
  return out;
}

// A cell alone: one step of x [batch, features] from the states that it is called with.
Flows cell(Call& c) {
  if (c.b.rank(c.x()) != 2) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes, not two");
  const auto cell = read_cell(c, c.weights, c.features(c.x()));
  WindowOptions options;
  Flows given;
  c.arg(1, "states").flatten(given);
  if (given.empty() && c.inputs.size() > 1) given.assign(c.inputs.begin() + 1, c.inputs.end());
  for (const Flow& f : given) options.initial.push_back(c.b.cast(f.value, c.layer.compute));
  if (!cell || options.initial.size() != cell->states()) return c.b.ok() ? c.invalid("it is called with other states than it has") : Flows();
  const RnnWindow w = run_window(c, *cell, unsqueeze(c.b, c.x(), {1}), options);
  Flows out = {{w.last}};
  for (ValueId state : w.states) out.push_back({state});
  return out;
}

constexpr LayerRow kRnnRows[] = {
    {"LSTMCell GRUCell SimpleRNNCell", cell},
    {"LSTM GRU SimpleRNN RNN CuDNNLSTM CuDNNGRU", recurrent_layer, Masking::own},
    {"ConvLSTM1D ConvLSTM2D ConvLSTM3D", recurrent_layer, Masking::own},
};

}  // namespace

std::span<const LayerRow> rnn_layers() { return kRnnRows; }

}  // namespace tern::keras
