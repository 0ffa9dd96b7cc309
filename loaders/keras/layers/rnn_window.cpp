// A cell over a window as one LSTM, GRU or RNN of the catalog. See rnn.h. Next: rnn_steps.cpp.
// Masks may have holes, and the catalog's operators know lengths: steps that count are moved to the front, run as sequences of their
// number, and each place then takes the output of the step that it shows.

#include "loaders/keras/layers/rnn.h"

namespace tern::keras {
namespace {

// [rows, columns] as [1, columns, rows].
ValueId turned(const Call& c, ValueId kernel) { return unsqueeze(c.b, permute(c.b, kernel, {1, 0}), {0}); }

// Gates side by side, those of an LSTM in the catalog's order: i, o, f, c.
ValueId ordered(const Call& c, const Cell& cell, ValueId gates) {
  return cell.kind != Cell::Kind::lstm || gates == kNone ? gates : reorder_parts(c.b, gates, {0, 3, 1, 2}, cell.units);
}

// Where the steps that count are, and what shows them.
struct Packed {
  ValueId order = kNone;    // [batch, steps] i64: the places of the steps that count, in order, then of the others
  ValueId lengths = kNone;  // [batch] i32
  ValueId shown = kNone;    // [batch, steps] i64: which of the steps that count each place shows
  ValueId shows = kNone;    // [batch, steps] bool: it shows one at all
};
Packed pack(const Call& c, ValueId mask, bool backwards) {
  GraphBuilder& b = c.b;
  const Int steps = b.size(mask, 1);
  const ValueId counts = b.cast(mask, DType::i64), one = b.scalar(Int(1));
  const ValueId sums = c.emit("CumSum", {counts, one});  // how many count up to here
  const ValueId falling = c.emit("Range", {b.scalar(steps), b.scalar(Int(0)), b.scalar(Int(-1))});
  Packed p;
  p.order = b.emit("TopK", {c.emit("Mul", {counts, falling}), b.ints(std::vector<Int>{steps})}, attributes({{"axis", int64_t(1)}}), 2)[1];
  const ValueId total = reduce(c, "ReduceSum", counts, {1}, true);
  p.lengths = b.cast(squeeze(b, total, {1}), DType::i32);
  p.shown = c.emit("Sub", {sums, backwards ? counts : one});
  p.shows = backwards ? c.emit("Less", {p.shown, total}) : c.emit("GreaterOrEqual", {p.shown, b.scalar(Int(0))});
  return p;
}

// x [batch, steps, n] at places [batch, steps].
ValueId at_places(const Call& c, ValueId x, ValueId places) {
  return c.emit("GatherND", {x, unsqueeze(c.b, places, {2})}, attributes({{"batch_dims", int64_t(1)}}));
}

}  // namespace

RnnWindow run_window(const Call& c, const Cell& cell, ValueId x, const WindowOptions& options) {
  if (!c.b.ok()) return {};
  if (cell.stepwise) return run_spelled(c, cell, x, options);
  const bool lstm = cell.kind == Cell::Kind::lstm, masked = options.mask != kNone;
  const Packed packed = masked ? pack(c, options.mask, options.backwards) : Packed();
  ValueId biases = ordered(c, cell, cell.bias);
  if (biases != kNone) {
    const ValueId second = cell.recurrent_bias == kNone ? c.emit("Sub", {biases, biases}) : cell.recurrent_bias;
    biases = unsqueeze(c.b, concat(c.b, {biases, second}, 0), {0});
  }
  Attributes attrs = attributes({{"hidden_size", cell.units}, {"layout", int64_t(1)}, {"activations", cell.activations}});
  attrs.set("direction", std::string(options.backwards ? "reverse" : "forward"));
  if (!cell.alpha.empty()) attrs.set("activation_alpha", cell.alpha);
  if (!cell.beta.empty()) attrs.set("activation_beta", cell.beta);
  if (cell.kind == Cell::Kind::gru) attrs.set("linear_before_reset", int64_t(cell.reset_after));
  std::vector<ValueId> inputs = {masked ? at_places(c, x, packed.order) : x, turned(c, ordered(c, cell, cell.kernel)),
                                 turned(c, ordered(c, cell, cell.recurrent)), biases, packed.lengths};
  for (ValueId state : options.initial) inputs.push_back(unsqueeze(c.b, state, {1}));
  const std::vector<ValueId> out = c.b.emit(lstm                           ? "LSTM"
                                            : cell.kind == Cell::Kind::gru ? "GRU"
                                                                           : "RNN",
                                            std::move(inputs), std::move(attrs), 1 + cell.states());
  RnnWindow w;
  w.y = squeeze(c.b, out[0], {2});
  for (size_t i = 1; i < out.size(); ++i) w.states.push_back(squeeze(c.b, out[i], {1}));
  w.last = w.states.empty() ? kNone : w.states[0];
  if (!masked) return w;
  const ValueId inside = c.emit("Clip", {packed.shown, c.b.scalar(Int(0)), c.b.scalar(c.b.sub(c.b.size(x, 1), 1))});
  const ValueId shows = options.zeros ? options.mask : packed.shows;
  w.y = c.emit("Where", {unsqueeze(c.b, shows, {2}), at_places(c, w.y, inside), number(c, w.y, 0)});
  if (options.zeros || !options.initial.empty()) {  // what the last place shows, which the state is not
    w.last = squeeze(c.b, options.backwards ? slice(c.b, w.y, 1, 0, 1) : slice(c.b, w.y, 1, -1, INT64_MAX), {1});
  }
  return w;
}

}  // namespace tern::keras
