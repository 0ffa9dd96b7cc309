// Recurrent networks: LSTM, GRU and RNN over windows, and their single steps. See operator.h. Next: attention.cpp.
// PyTorch holds the gates of an LSTM as i, f, g, o and of a GRU as r, z, n; the operators of the graph want i, o, f, c and z, r, h (and
// both biases one behind the other), so weights are reordered here, once.
#include <array>
#include <cstring>

#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct Cell {
  const char* op;
  int gates;
  std::array<int, 4> order;          // gate i of the graph is gate order[i] of torch
  const char* activation = nullptr;  // other than the operator's default
};
constexpr Cell kLstm{"LSTM", 4, {0, 3, 1, 2}}, kGru{"GRU", 3, {1, 0, 2}}, kTanh{"RNN", 1, {0}}, kRelu{"RNN", 1, {0}, "Relu"};

// The weights of one direction of one layer. w_hr: the projection of an LSTM's state.
struct Direction {
  ValueId w_ih = kNone, w_hh = kNone, b_ih = kNone, b_hh = kNone, w_hr = kNone;
};
struct States {
  ValueId h = kNone, c = kNone;  // [directions, batch, units]
};
struct Window {
  ValueId y = kNone;  // [steps, batch, directions * units], or with the batch first
  States last;
};

// ---- weights ----

Status check(Builder& b, const Cell& cell, const Direction& d, const Dim& inputs) {
  const Shape &ih = b.shape(d.w_ih), &hh = b.shape(d.w_hh);
  if (ih.rank() != 2 || hh.rank() != 2 || !ih.known() || !hh.known()) return invalid("weight_ih and weight_hh must be matrices of known sizes");
  const int64_t rows = hh[0].value(), units = rows / cell.gates;
  const bool projected = d.w_hr != kNone;
  if (units < 1 || rows != units * cell.gates || !(ih[0] == hh[0]) || (!projected && !hh[1].is(units))) {
    return invalid("weight_ih is " + ih.text() + " and weight_hh " + hh.text() + ", which do not fit each other");
  }
  if (projected && b.shape(d.w_hr) != Shape{hh[1], Dim(units)})
    return invalid("weight_hr is " + b.shape(d.w_hr).text() + ", it must be " + Shape{hh[1], Dim(units)}.text());
  for (ValueId bias : {d.b_ih, d.b_hh}) {
    if (bias != kNone && b.shape(bias) != Shape{ih[0]}) return invalid("a bias is " + b.shape(bias).text() + ", it must be " + Shape{ih[0]}.text());
  }
  if (inputs.known() && !(inputs == ih[1])) return invalid("the input has " + inputs.text() + " features, weight_ih is for " + ih[1].text());
  return {};
}

// One tensor for all directions: [directions, rows of all parts, ...], the gates of every part in the graph's order.
ValueId stacked(Builder& b, const Cell& cell, const std::vector<std::vector<ValueId>>& directions) {
  if (!b.ok()) return kNone;
  bool constant = true;
  for (const auto& parts : directions) {
    for (ValueId v : parts) constant = constant && b.contents(v) != nullptr;
  }
  if (!constant) {  // computed weights: a graph that is folded away where it can be
    std::vector<ValueId> rows;
    for (const auto& parts : directions) {
      std::vector<ValueId> gates;
      for (ValueId v : parts) {
        const auto split = cell.gates == 1 ? std::vector<ValueId>{v}
                                           : b.emit("Split", {v}, attributes({{"axis", int64_t(0)}, {"num_outputs", int64_t(cell.gates)}}),
                                                    static_cast<size_t>(cell.gates));
        for (int g = 0; g < cell.gates; ++g) gates.push_back(split[static_cast<size_t>(cell.order[static_cast<size_t>(g)])]);
      }
      rows.push_back(unsqueeze(b, concat(b, gates, 0), {0}));
    }
    return concat(b, rows, 0);
  }
  const tern::Tensor& first = *b.contents(directions[0][0]);
  Dims dims{static_cast<int64_t>(directions.size()), first.dims()[0] * static_cast<int64_t>(directions[0].size())};
  if (first.dims().rank == 2) dims.push_back(first.dims()[1]);
  auto out = tern::Tensor::allocate(first.dtype(), dims);
  if (!out) return b.fail(out.error());
  std::byte* to = out->mutable_raw();
  for (const auto& parts : directions) {
    for (ValueId v : parts) {
      const tern::Tensor& from = *b.contents(v);
      if (from.dtype() != first.dtype() || from.dims() != first.dims())
        return b.fail(invalid("the weights of the two directions or biases differ in type or shape"));
      const size_t block = from.bytes() / static_cast<size_t>(cell.gates);
      for (int g = 0; g < cell.gates; ++g, to += block)
        std::memcpy(to, from.raw() + block * static_cast<size_t>(cell.order[static_cast<size_t>(g)]), block);
    }
  }
  return b.constant(std::move(*out));
}

// ---- windows ----

// [a, b, ...] as [b, a, ...]; no copy where one of them is known to be 1.
ValueId swap_first(Builder& b, ValueId v) {
  if (v == kNone || !b.ok()) return v;
  if (b.shape(v)[0].is(1)) return unsqueeze(b, squeeze(b, v, {0}), {1});
  if (b.shape(v)[1].is(1)) return unsqueeze(b, squeeze(b, v, {1}), {0});
  return transpose(b, v, 0, 1);
}

// The directions of y side by side: from [steps, directions, batch, units], or [batch, steps, directions, units].
ValueId side_by_side(Builder& b, ValueId y, bool batch_first, int64_t directions, int64_t units) {
  if (!b.ok()) return kNone;
  if (directions == 1) return squeeze(b, y, {batch_first ? 2 : 1});
  const bool alone = !batch_first && b.shape(y)[2].is(1);  // one row in the batch is no copy
  if (!batch_first && !alone) y = transpose(b, y, 1, 2);
  return b.emit("Reshape", {y, b.ints({0, alone ? 1 : 0, directions * units})});  // 0: as it is
}

Window plain_window(Builder& b, const Cell& cell, ValueId x, const std::vector<Direction>& directions, States first, bool batch_first,
                    const char* direction) {
  std::vector<std::vector<ValueId>> w, r, biases;
  for (const Direction& d : directions) {
    w.push_back({d.w_ih});
    r.push_back({d.w_hh});
    if (d.b_ih != kNone) biases.push_back({d.b_ih, d.b_hh});
  }
  if (!b.ok()) return {};
  const int64_t units = b.shape(directions[0].w_hh)[0].value() / cell.gates;
  Attributes attrs = attributes({{"direction", std::string(direction)}, {"hidden_size", units}});
  if (batch_first) attrs.set("layout", int64_t(1));
  if (cell.op == std::string_view("GRU")) attrs.set("linear_before_reset", int64_t(1));
  if (cell.activation != nullptr) attrs.set("activations", std::vector<std::string>(directions.size(), cell.activation));
  std::vector<ValueId> inputs = {x,
                                 stacked(b, cell, w),
                                 stacked(b, cell, r),
                                 biases.empty() ? kNone : stacked(b, cell, biases),
                                 kNone,
                                 batch_first ? swap_first(b, first.h) : first.h};
  const bool lstm = cell.op == std::string_view("LSTM");
  if (lstm) inputs.push_back(batch_first ? swap_first(b, first.c) : first.c);
  std::vector<ValueId> out = b.emit(cell.op, std::move(inputs), std::move(attrs), lstm ? 3 : 2);
  if (batch_first) {
    for (size_t i = 1; i < out.size(); ++i) out[i] = swap_first(b, out[i]);
  }
  return {side_by_side(b, out[0], batch_first, static_cast<int64_t>(directions.size()), units), {out[1], lstm ? out[2] : kNone}};
}

// An LSTM whose state is projected: h = W_hr u. What the gates take of it, W_hh h = (W_hh W_hr) u, is a plain LSTM of u; the first h,
// which no u need give, enters as more features of the first step.
Window projected_window(Builder& b, ValueId x, const Direction& d, States first, bool batch_first, bool backwards) {
  Direction plain = d;
  plain.w_hr = kNone;
  plain.w_hh = b.emit("MatMul", {d.w_hh, d.w_hr});
  if (first.h != kNone) {
    const int time = batch_first ? 1 : 0;
    std::vector<Int> pads(6, Int(0));
    pads[static_cast<size_t>(time + (backwards ? 0 : 3))] = b.sub(b.size(x, time), 1);
    const ValueId once = b.emit("Pad", {batch_first ? swap_first(b, first.h) : first.h, b.ints(pads)});
    x = concat(b, {x, once}, 2);
    plain.w_ih = concat(b, {d.w_ih, d.w_hh}, 1);
  }
  Window out = plain_window(b, kLstm, x, {plain}, {kNone, first.c}, batch_first, backwards ? "reverse" : "forward");
  for (ValueId* v : {&out.y, &out.last.h}) *v = call(b, "aten.linear.default", {tensor_of(*v), tensor_of(d.w_hr)}).id();
  return out;
}

Window window(Builder& b, const Cell& cell, ValueId x, const std::vector<Direction>& directions, States first, bool batch_first) {
  if (directions[0].w_hr == kNone)
    return plain_window(b, cell, x, directions, first, batch_first, directions.size() == 2 ? "bidirectional" : "forward");
  std::vector<ValueId> y, h, c;
  for (size_t d = 0; d < directions.size(); ++d) {
    const auto at = static_cast<int64_t>(d);
    auto own = [&](ValueId v) { return v == kNone || directions.size() == 1 ? v : slice(b, v, 0, at, at + 1); };
    const Window one = projected_window(b, x, directions[d], {own(first.h), own(first.c)}, batch_first, d == 1);
    y.push_back(one.y);
    h.push_back(one.last.h);
    c.push_back(one.last.c);
  }
  return {concat(b, y, 2), {concat(b, h, 0), concat(b, c, 0)}};
}

// ---- the operators ----

bool all_zero(const tern::Tensor& t) {
  return std::all_of(t.raw(), t.raw() + t.bytes(), [](std::byte byte) { return byte == std::byte(0); });
}

// Zeros, as the modules make when no state is given: absent is the same.
bool is_zero(Builder& b, ValueId v) {
  const Node* node = b.producer(v);
  while (node != nullptr && node->op->name == std::string_view("Expand")) {
    v = node->inputs[0];
    node = b.producer(v);
  }
  if (node == nullptr) return b.contents(v) != nullptr && all_zero(*b.contents(v));
  if (node->op->name != std::string_view("ConstantOfShape")) return false;
  const tern::Tensor* value = node->read().tensor("value");
  return value == nullptr || all_zero(*value);
}

// hx as it is given: None, a tensor, or for an LSTM the pair of h and c.
States states(Builder& b, const Cell& cell, const IValue& hx, int rank) {
  if (hx.is_none() || !b.ok()) return {};
  const bool lstm = cell.op == std::string_view("LSTM");
  const IValues* items = hx.items();
  const bool pair = lstm && items != nullptr && items->size() == 2;
  States s{pair ? (*items)[0].id() : hx.id(), pair ? (*items)[1].id() : kNone};
  if (s.h == kNone || (lstm && s.c == kNone)) {
    b.fail(invalid(lstm ? "hx must be a pair of tensors, (h_0, c_0)" : std::string("hx must be a tensor, not ") + hx.kind()));
    return {};
  }
  for (ValueId* v : {&s.h, &s.c}) {
    if (*v == kNone) continue;
    if (b.rank(*v) != rank && b.ok())
      b.fail(invalid("the initial state must have " + std::to_string(rank) + " dimensions, not " + b.shape(*v).text()));
    if (b.ok() && is_zero(b, *v)) *v = kNone;
  }
  return s;
}

std::vector<std::vector<Direction>> layers_of(Builder& b, const Arguments& a, bool lstm) {
  const std::vector<ValueId> params = a.tensors("params");
  const int64_t layers = a.integer("num_layers"), directions = a.boolean("bidirectional") ? 2 : 1;
  const bool biased = a.boolean("has_biases");
  if (!b.ok()) return {};
  const int64_t each = biased ? 4 : 2, count = static_cast<int64_t>(params.size());
  if (layers < 1 || layers > count || count % (layers * directions) != 0) {
    b.fail(invalid(std::to_string(count) + " parameters do not make " + std::to_string(layers) + " layers"));
    return {};
  }
  const int64_t given = count / (layers * directions);
  if (given != each && !(lstm && given == each + 1)) {
    b.fail(invalid("a layer has " + std::to_string(given) + " parameters in each direction, it must have " + std::to_string(each)));
    return {};
  }
  std::vector<std::vector<Direction>> out(static_cast<size_t>(layers));
  const ValueId* p = params.data();
  for (auto& layer : out) {
    for (int64_t d = 0; d < directions; ++d, p += given) {
      layer.push_back({p[0], p[1], biased ? p[2] : kNone, biased ? p[3] : kNone, given > each ? p[each] : kNone});
    }
  }
  return out;
}

template <const Cell& C>
IValue recurrent(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input");
  const bool lstm = &C == &kLstm, batch_first = a.boolean("batch_first");
  const auto layers = layers_of(b, a, lstm);
  const States first = states(b, C, a["hx"], 3);
  if (b.ok() && a.boolean("train") && a.number("dropout") != 0)
    b.fail(unsupported("dropout in training mode is not supported; call model.eval() before saving or exporting"));
  if (!b.ok()) return {};
  if (b.rank(x) != 3) return tensor_of(b.fail(invalid("the input is " + b.shape(x).text() + ", it must have 3 dimensions")));
  const auto directions = static_cast<int64_t>(layers[0].size());
  const Dim all(directions * static_cast<int64_t>(layers.size()));
  for (ValueId v : {first.h, first.c}) {
    if (v != kNone && b.shape(v)[0].known() && !(b.shape(v)[0] == all)) {
      return tensor_of(
          b.fail(invalid("the initial state is " + b.shape(v).text() + ", its first dimension must be " + all.text() + ": layers times directions")));
    }
  }
  std::vector<ValueId> h, c;
  for (size_t l = 0; l < layers.size() && b.ok(); ++l) {
    for (const Direction& d : layers[l]) {
      if (Status s = check(b, C, d, b.shape(x)[2]); !s) return tensor_of(b.fail(s.error().within("layer " + std::to_string(l))));
    }
    const int64_t at = static_cast<int64_t>(l) * directions;
    auto own = [&](ValueId v) { return v == kNone || layers.size() == 1 ? v : slice(b, v, 0, at, at + directions); };
    const Window w = window(b, C, x, layers[l], {own(first.h), own(first.c)}, batch_first);
    x = w.y;
    h.push_back(w.last.h);
    c.push_back(w.last.c);
  }
  IValues out = {tensor_of(x), tensor_of(concat(b, h, 0))};
  if (lstm) out.push_back(tensor_of(concat(b, c, 0)));
  return IValue::tuple(std::move(out));
}

// One step: a window of one.
template <const Cell& C>
IValue step(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const Direction d{a.tensor("w_ih"), a.tensor("w_hh"), a.tensor_or_none("b_ih"), a.tensor_or_none("b_hh")};
  States first = states(b, C, a["hx"], 2);
  if (!b.ok()) return {};
  if (b.rank(x) != 2) return tensor_of(b.fail(invalid("the input is " + b.shape(x).text() + ", it must have 2 dimensions")));
  if ((d.b_ih == kNone) != (d.b_hh == kNone)) return tensor_of(b.fail(unsupported("a cell with one bias of two is not supported")));
  if (Status s = check(b, C, d, b.shape(x)[1]); !s) return tensor_of(b.fail(s.error()));
  for (ValueId* v : {&first.h, &first.c}) *v = *v == kNone ? kNone : unsqueeze(b, *v, {0});
  const Window w = window(b, C, unsqueeze(b, x, {0}), {d}, first, false);
  const IValue h = tensor_of(squeeze(b, w.last.h, {0}));
  return &C == &kLstm ? IValue::tuple({h, tensor_of(squeeze(b, w.last.c, {0}))}) : h;
}

IValue packed(Builder& b, const Arguments&) {
  b.fail(unsupported("packed sequences (pack_padded_sequence, pad_packed_sequence) are not supported; give the padded batch to the network itself"));
  return {};
}

constexpr const char* kWindow = "input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first";
constexpr const char* kPacked = "data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional";
constexpr const char* kStep = "input, hx, w_ih, w_hh, b_ih=None, b_hh=None";

constexpr Operator kRnnRows[] = {
    {"aten.lstm.input", kWindow, recurrent<kLstm>},
    {"aten.gru.input", kWindow, recurrent<kGru>},
    {"aten.rnn_tanh.input", kWindow, recurrent<kTanh>},
    {"aten.rnn_relu.input", kWindow, recurrent<kRelu>},
    {"aten.lstm_cell.default torch.lstm_cell", kStep, step<kLstm>},
    {"aten.gru_cell.default torch.gru_cell", kStep, step<kGru>},
    {"aten.rnn_tanh_cell.default torch.rnn_tanh_cell", kStep, step<kTanh>},
    {"aten.rnn_relu_cell.default torch.rnn_relu_cell", kStep, step<kRelu>},
    {"aten.lstm.data aten.gru.data aten.rnn_tanh.data aten.rnn_relu.data", kPacked, packed},
    {"aten._pack_padded_sequence.default torch.nn.utils.rnn.pack_padded_sequence", "input, lengths, batch_first=False, enforce_sorted=True", packed},
    {"aten._pad_packed_sequence.default torch.nn.utils.rnn.pad_packed_sequence",
     "sequence|data, batch_sizes=None, batch_first=False, padding_value=0, total_length=None", packed},
};

}  // namespace

std::span<const Operator> rnn_operators() { return kRnnRows; }

}  // namespace tern::torch
