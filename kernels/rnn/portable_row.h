// One row of a recurrent layer in double, in pieces that a CPU calls in turn and a device from many threads. Each sum is of one thread, in order.
// See rnn.h. Next: portable.cpp, portable.cu (on a device).
#pragma once
#include "kernels/norm/portable.h"
#include "kernels/portable_math.h"
#include "kernels/rnn/rnn.h"

namespace tern::portable {

TERN_HD inline double activate(const ActivationSpec& e, double x) {
  using enum Activation;
  const double alpha = static_cast<double>(e.alpha), beta = static_cast<double>(e.beta);
  switch (e.activation) {
    case sigmoid: return portable::sigmoid(x);
    case tanh: return portable::tanh(x);
    case relu: return select(x < 0, 0, x);
    case affine: return alpha * x + beta;
    case leaky_relu: return select(x < 0, alpha * x, x);
    case thresholded_relu: return select(x <= alpha, 0, x);
    case scaled_tanh: return alpha * portable::tanh(beta * x);
    case hard_sigmoid: return clamp(alpha * x + beta, 0, 1);
    case elu: return select(x < 0, alpha * portable::expm1(select(x < 0, x, 0)), x);
    case softsign: return x / (1 + __builtin_fabs(x));
    case softplus: return portable::softplus(x);
    default: return x;
  }
}

// One row of one direction. gates: [4*H].
template <class T>
struct Row {
  const PortableRnnArgs& a;
  int64_t d, b, gate_count;
  T *h, *c;
  double* gates;

  TERN_HD int64_t H() const { return a.s.hidden; }
  TERN_HD int64_t state() const { return d * a.s.state_direction + b * a.s.state_row; }
  TERN_HD double value(const void* p, int64_t i) const { return p != nullptr ? norm::get(static_cast<const T*>(p), i) : 0.0; }
  TERN_HD double wb(int64_t j) const { return value(a.bias, d * 2 * gate_count * H() + j); }
  TERN_HD double rb(int64_t j) const { return value(a.bias, d * 2 * gate_count * H() + gate_count * H() + j); }
  TERN_HD double x_part(int64_t time, int64_t j) const {
    double sum = 0;
    const int64_t x = time * a.s.x_step + b * a.s.x_row, w = (d * gate_count * H() + j) * a.s.inputs;
    for (int64_t k = 0; k < a.s.inputs; ++k) sum += value(a.x, x + k) * value(a.w, w + k);
    return sum;
  }
  // factor null: h; else h times factor, by unit
  TERN_HD double h_part(int64_t j, const double* factor = nullptr) const {
    double sum = 0;
    for (int64_t k = 0; k < H(); ++k) sum += value(h, k) * (factor != nullptr ? factor[k] : 1.0) * value(a.r, (d * gate_count * H() + j) * H() + k);
    return sum;
  }
  TERN_HD double act(int which, double v) const {
    const double bound = static_cast<double>(a.s.clip);
    if (bound > 0) v = clamp(v, -bound, bound);
    return activate(a.s.activations[d][which], v);
  }
  TERN_HD double peephole(int64_t gate, int64_t u, double state) const {
    return a.peepholes != nullptr ? value(a.peepholes, (d * 3 + gate) * H() + u) * state : 0.0;
  }

  // The initial state of unit u.
  TERN_HD void start(int64_t u) const {
    norm::put(h, u, value(a.initial_h, state() + u));
    norm::put(c, u, value(a.initial_c, state() + u));
  }
  // The gates [0, first_gates(cell)) before those that need r, which only a GRU has.
  template <Cell kCell>
  TERN_HD void first(int64_t time, int64_t j) const {
    const double v = x_part(time, j) + h_part(j) + wb(j) + rb(j);
    gates[j] = kCell == Cell::gru ? act(0, v) : v;
  }
  TERN_HD void reset(int64_t time, int64_t u) const {
    const int64_t j = 2 * H() + u;
    const double recurrent = a.s.linear_before_reset ? gates[H() + u] * (h_part(j) + rb(j)) : h_part(j, gates + H()) + rb(j);
    gates[j] = act(1, x_part(time, j) + recurrent + wb(j));
  }
  // The new h of unit u into gates[u], the new c into gates[H + u].
  template <Cell kCell>
  TERN_HD void combine(int64_t u) const {
    double* g = gates + u;
    const int64_t n = H();
    if constexpr (kCell == Cell::gru) {
      g[0] = (1 - g[0]) * g[2 * n] + g[0] * value(h, u);
    } else if constexpr (kCell == Cell::rnn) {
      g[0] = act(0, g[0]);
    } else {
      const double old = value(c, u), i = act(0, g[0] + peephole(0, u, old));
      const double f = a.s.input_forget ? 1 - i : act(0, g[2 * n] + peephole(2, u, old));
      const double now = f * old + i * act(1, g[3 * n]);
      g[0] = act(0, g[n] + peephole(1, u, now)) * activate(a.s.activations[d][2], now);
      g[n] = now;
    }
  }
  // What unit u shows and keeps of a step; not active: past the end of its sequence.
  template <Cell kCell>
  TERN_HD void keep(int64_t time, bool active, int64_t u) const {
    const double now = select(active, gates[u], value(h, u));
    if (kCell == Cell::lstm) norm::put(c, u, select(active, gates[H() + u], value(c, u)));
    norm::put(h, u, now);
    if (a.y != nullptr) {
      norm::put(static_cast<T*>(a.y), time * a.s.y_step + d * a.s.y_direction + b * a.s.y_row + u, select(active, now, 0));
    }
  }
  template <Cell kCell>
  TERN_HD void end(int64_t u) const {
    if (a.y_h != nullptr) norm::put(static_cast<T*>(a.y_h), state() + u, value(h, u));
    if (kCell == Cell::lstm && a.y_c != nullptr) norm::put(static_cast<T*>(a.y_c), state() + u, value(c, u));
  }
};
TERN_HD constexpr int64_t first_gates(Cell c) { return c == Cell::gru ? 2 : gates(c); }

}  // namespace tern::portable
