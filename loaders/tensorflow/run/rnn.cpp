// See rnn.h. Arguments: inputs, the initial state (h; c of an LSTM), kernel [features, gates * units], recurrent kernel, bias. Results: the last output,
// all outputs, the states, a number that nobody reads. Gates: i, f, c, o; z, r, h.
#include "loaders/tensorflow/run/rnn.h"

#include "runtime/graph_nodes.h"

namespace tern::tensorflow {
namespace {

const tensorflow_pb::AttrValue* attribute(const Index& function, std::string_view name) {
  for (const auto& a : function.function()->attr()) {
    if (a.key() == name) return &a.value();
  }
  return nullptr;
}

// [rows, columns] as [1, columns, rows].
ValueId turned(Builder& b, ValueId kernel) { return unsqueeze(b, permute(b, kernel, {1, 0}), {0}); }

// An LSTM's gates in the catalog's order: i, o, f, c.
ValueId ordered(Builder& b, bool lstm, ValueId gates, int64_t units) { return lstm ? reorder_parts(b, gates, {0, 3, 1, 2}, units) : gates; }

}  // namespace

std::optional<Values> keras_rnn(Call& c, const Index& function) {
  const auto* implements = attribute(function, "api_implements");
  if (implements == nullptr) return std::nullopt;
  const bool lstm = implements->s().starts_with("lstm_");
  const size_t states = lstm ? 2 : 1;
  if ((!lstm && !implements->s().starts_with("gru_")) || c.count() != states + 4 || function.arguments() != c.count()) return std::nullopt;
  const auto *time_major = attribute(function, "time_major"), *backwards = attribute(function, "go_backwards");
  if (time_major == nullptr || backwards == nullptr) return std::nullopt;
  Builder& b = c.b;
  const std::vector<ValueId> in = c.tensors();
  if (!b.ok()) return Values();
  const ValueId kernel = in[states + 1], recurrent = in[states + 2], bias = in[states + 3];
  const int64_t gates = lstm ? 4 : 3;
  if (b.rank(in[0]) != 3 || b.rank(kernel) != 2 || b.rank(recurrent) != 2 || !b.shape(recurrent)[0].known()) return std::nullopt;
  const int64_t units = b.shape(recurrent)[0].value();
  ValueId biases = kNone;
  if (lstm && b.rank(bias) == 1) {
    const ValueId first = ordered(b, lstm, bias, units);
    biases = unsqueeze(b, concat(b, {first, b.emit("Sub", {first, first})}, 0), {0});
  } else if (!lstm && b.rank(bias) == 2) {  // the input's and the recurrent one
    biases = b.reshape(bias, {Int(1), Int(2 * gates * units)});
  } else {
    return std::nullopt;
  }
  const bool batch_first = !time_major->b();
  const ValueId x = backwards->b() ? reverse(b, in[0], batch_first ? 1 : 0) : in[0];
  Attributes attrs = attributes({{"hidden_size", units}, {"layout", int64_t(batch_first)}});
  if (!lstm) attrs.set("linear_before_reset", int64_t(1));
  const int state_axis = batch_first ? 1 : 0;
  std::vector<ValueId> inputs{x, turned(b, ordered(b, lstm, kernel, units)), turned(b, ordered(b, lstm, recurrent, units)), biases, kNone};
  for (size_t i = 0; i < states; ++i) inputs.push_back(unsqueeze(b, in[1 + i], {state_axis}));
  const std::vector<ValueId> out = b.emit(lstm ? "LSTM" : "GRU", std::move(inputs), std::move(attrs), 1 + states);
  if (!b.ok()) return Values();
  Values made{Value(), squeeze(b, out[0], {batch_first ? 2 : 1})};
  for (size_t i = 0; i < states; ++i) made.emplace_back(squeeze(b, out[1 + i], {state_axis}));
  made[0] = made[2];
  made.push_back(Value::uncomputed("a number that tells the device"));
  return made;
}

}  // namespace tern::tensorflow
