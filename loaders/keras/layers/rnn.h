// Recurrent layers: a cell over a window, with masks. Layers, Bidirectional and RNN(cell) share what is here. Next: rnn_window.cpp,
// rnn_steps.cpp, then rnn.cpp.
#pragma once
#include <optional>

#include "loaders/keras/layers/pieces.h"

namespace tern::keras {

// LSTM, GRU or SimpleRNN with its weights. Gates lie side by side: i, f, c, o of an LSTM; z, r, h of a GRU.
struct Cell {
  enum class Kind : uint8_t { simple, gru, lstm };
  Kind kind = Kind::simple;
  int64_t units = 0;
  ValueId kernel = kNone;          // [features, gates * units]
  ValueId recurrent = kNone;       // [units, gates * units]
  ValueId bias = kNone;            // [gates * units]
  ValueId recurrent_bias = kNone;  // of a GRU with reset_after: [gates * units]
  bool reset_after = false;
  std::vector<std::string> activations;  // of the gates, the candidate and (of an LSTM) the state, as the catalog's operators call them
  std::vector<float> alpha, beta;        // of those that have some
  bool stepwise = false;                 // one of them is none of the catalog's: the cell is spelled out

  size_t states() const { return kind == Kind::lstm ? 2 : 1; }
};
// The cell of a layer, or of an RNN's cell layer, by class and config. `weights`: where its weights are. `features`: of the input.
// Nothing, and the builder has failed, where its class is none.
std::optional<Cell> read_cell(Call& c, Weights weights, int64_t features);

struct RnnWindow {
  ValueId y = kNone;     // [batch, steps, …]: each step's output at its own place, also when time runs backwards
  ValueId last = kNone;  // [batch, …]: the output of the step that came last
  std::vector<ValueId> states;
};
struct WindowOptions {
  ValueId mask = kNone;          // [batch, steps]: a step that does not count leaves the states, and gives the output before it again
  std::vector<ValueId> initial;  // [batch, units] each; none: zeros
  bool backwards = false;
  bool zeros = false;  // instead of the output before (zero_output_for_mask)
};
// x: [batch, steps, features].
RnnWindow run_window(const Call& c, const Cell& cell, ValueId x, const WindowOptions& options);
// The same as a Scan of the cell's steps, with any activations of the layer's config.
RnnWindow run_spelled(const Call& c, const Cell& cell, ValueId x, const WindowOptions& options);

// One step: what x has there [batch, …], the states, and the weights, all in the subgraph that `c` builds. Gives the states after it, of which the
// first is the output.
using Step = std::function<std::vector<ValueId>(const Call& c, ValueId x, const std::vector<ValueId>& states, const std::vector<ValueId>& weights)>;
// A Scan of steps over axis 1 of x, from options.initial, of which there is one for each state. given: the call gave these; a step that does not
// count, before any that does, shows zeros then. Weights may be kNone.
RnnWindow run_steps(const Call& c, ValueId x, const WindowOptions& options, bool given, const std::vector<ValueId>& weights, const Step& step);

// What Bidirectional decides for its layers, in place of their configs.
struct Direction {
  std::optional<bool> backwards, zeros;
};
// A recurrent layer's call, before its outputs are chosen: of LSTM, GRU, SimpleRNN, RNN, ConvLSTM1D…; nothing for other classes.
std::optional<RnnWindow> recurrent(Call& c, const Direction& direction);
// Of ConvLSTM1D, 2D, 3D.
RnnWindow convolutional(Call& c, const WindowOptions& options);
// The mask that a call of a recurrent layer computes with. Keras 3 fills it in only where the sequence is the only tensor of the call.
ValueId step_mask(const Call& c, bool has_states);
// The states that a call gives: as an argument, or behind the input.
std::vector<ValueId> initial_states(const Call& c);

}  // namespace tern::keras
