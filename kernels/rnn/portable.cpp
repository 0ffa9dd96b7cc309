// The recurrent operators in double, straight from the formulas, for f64, f16 and bf16. See rnn.h.
#include "kernels/norm/portable.h"

#include "kernels/portable_math.h"
#include "kernels/rnn/rnn.h"

namespace tern::portable {
namespace {

double clamp(double x, double low, double high) { return norm::select(x < low, low, norm::select(x > high, high, x)); }

double activate(const ActivationSpec& e, double x) {
  using enum Activation;
  const double alpha = static_cast<double>(e.alpha), beta = static_cast<double>(e.beta);
  switch (e.activation) {
    case sigmoid: return portable::sigmoid(x);
    case tanh: return portable::tanh(x);
    case relu: return norm::select(x < 0, 0, x);
    case affine: return alpha * x + beta;
    case leaky_relu: return norm::select(x < 0, alpha * x, x);
    case thresholded_relu: return norm::select(x <= alpha, 0, x);
    case scaled_tanh: return alpha * portable::tanh(beta * x);
    case hard_sigmoid: return clamp(alpha * x + beta, 0, 1);
    case elu: return norm::select(x < 0, alpha * portable::expm1(norm::select(x < 0, x, 0)), x);
    case softsign: return x / (1 + __builtin_fabs(x));
    case softplus: return portable::softplus(x);
    default: return x;
  }
}

// One row of one direction.
template <class T>
struct Row {
  const PortableRnnArgs& a;
  int64_t d, b, gate_count;
  T *h, *c;

  int64_t H() const { return a.s.hidden; }
  double value(const void* p, int64_t i) const { return p != nullptr ? norm::get(static_cast<const T*>(p), i) : 0.0; }
  double wb(int64_t j) const { return value(a.bias, d * 2 * gate_count * H() + j); }
  double rb(int64_t j) const { return value(a.bias, d * 2 * gate_count * H() + gate_count * H() + j); }
  double x_part(int64_t time, int64_t j) const {
    double sum = 0;
    const int64_t x = time * a.s.x_step + b * a.s.x_row, w = (d * gate_count * H() + j) * a.s.inputs;
    for (int64_t k = 0; k < a.s.inputs; ++k) sum += value(a.x, x + k) * value(a.w, w + k);
    return sum;
  }
  // factor null: h; else h times factor, by unit
  double h_part(int64_t j, const double* factor = nullptr) const {
    double sum = 0;
    for (int64_t k = 0; k < H(); ++k) sum += value(h, k) * (factor != nullptr ? factor[k] : 1.0) * value(a.r, (d * gate_count * H() + j) * H() + k);
    return sum;
  }
  double act(int which, double v) const {
    const double bound = static_cast<double>(a.s.clip);
    if (bound > 0) v = clamp(v, -bound, bound);
    return activate(a.s.activations[d][which], v);
  }
  double peephole(int64_t gate, int64_t u, double state) const {
    return a.peepholes != nullptr ? value(a.peepholes, (d * 3 + gate) * H() + u) * state : 0.0;
  }
};

// Writes the new h (and c) of every unit into the gates buffer: h at [u], c at [H + u].
template <class T, Cell kCell>
void new_state(const Row<T>& r, int64_t time) {
  const int64_t H = r.H();
  double* g = r.a.gates;  // [G*H]
  if constexpr (kCell == Cell::gru) {
    for (int64_t j = 0; j < 2 * H; ++j) g[j] = r.act(0, r.x_part(time, j) + r.h_part(j) + r.wb(j) + r.rb(j));
    for (int64_t u = 0; u < H; ++u) {
      const int64_t j = 2 * H + u;
      const double recurrent = r.a.s.linear_before_reset ? g[H + u] * (r.h_part(j) + r.rb(j)) : r.h_part(j, g + H) + r.rb(j);
      g[j] = r.act(1, r.x_part(time, j) + recurrent + r.wb(j));
    }
    for (int64_t u = 0; u < H; ++u) g[u] = (1 - g[u]) * g[2 * H + u] + g[u] * r.value(r.h, u);
    return;
  }
  for (int64_t j = 0; j < r.gate_count * H; ++j) g[j] = r.x_part(time, j) + r.h_part(j) + r.wb(j) + r.rb(j);
  for (int64_t u = 0; u < H; ++u) {
    if constexpr (kCell == Cell::rnn) {
      g[u] = r.act(0, g[u]);
    } else {
      const double old = r.value(r.c, u), i = r.act(0, g[u] + r.peephole(0, u, old));
      const double f = r.a.s.input_forget ? 1 - i : r.act(0, g[2 * H + u] + r.peephole(2, u, old));
      const double c = f * old + i * r.act(1, g[3 * H + u]);
      g[u] = r.act(0, g[H + u] + r.peephole(1, u, c)) * activate(r.a.s.activations[r.d][2], c);
      g[H + u] = c;
    }
  }
}

template <class T, Cell kCell>
void rnn(const PortableRnnArgs& a) {
  const RnnShape& s = a.s;
  for (int64_t pair = s.begin; pair < s.end; ++pair) {
    const int64_t d = pair / s.batch, b = pair % s.batch, state = d * s.state_direction + b * s.state_row;
    Row<T> r{a, d, b, gates(kCell), static_cast<T*>(a.h), static_cast<T*>(a.c)};
    for (int64_t u = 0; u < s.hidden; ++u) {
      norm::put(r.h, u, r.value(a.initial_h, state + u));
      norm::put(r.c, u, r.value(a.initial_c, state + u));
    }
    const bool backwards = d == 1 || s.first_reversed;
    const int64_t length = a.lengths != nullptr ? sequence_length(a.lengths[b], s.steps) : s.steps;
    for (int64_t step = 0; step < s.steps; ++step) {
      const bool active = step < length;
      const int64_t time = time_of_step(step, length, backwards);
      new_state<T, kCell>(r, time);
      for (int64_t u = 0; u < s.hidden; ++u) {
        const double h = norm::select(active, a.gates[u], r.value(r.h, u));
        if (kCell == Cell::lstm) norm::put(r.c, u, norm::select(active, a.gates[s.hidden + u], r.value(r.c, u)));
        norm::put(r.h, u, h);
        if (a.y != nullptr) norm::put(static_cast<T*>(a.y), time * s.y_step + d * s.y_direction + b * s.y_row + u, norm::select(active, h, 0));
      }
    }
    for (int64_t u = 0; u < s.hidden; ++u) {
      if (a.y_h != nullptr) norm::put(static_cast<T*>(a.y_h), state + u, r.value(r.h, u));
      if (kCell == Cell::lstm && a.y_c != nullptr) norm::put(static_cast<T*>(a.y_c), state + u, r.value(r.c, u));
    }
  }
  report_lengths(a);
}

}  // namespace

constinit const KernelRow kLstm[] = {
    row<PortableRnnArgs, rnn<double, Cell::lstm>>("lstm/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::lstm>>("lstm/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::lstm>>("lstm/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kGru[] = {
    row<PortableRnnArgs, rnn<double, Cell::gru>>("gru/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::gru>>("gru/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::gru>>("gru/bf16/scalar", DType::bf16, Isa::scalar),
};
constinit const KernelRow kRnn[] = {
    row<PortableRnnArgs, rnn<double, Cell::rnn>>("rnn/f64/scalar", DType::f64, Isa::scalar),
    row<PortableRnnArgs, rnn<f16, Cell::rnn>>("rnn/f16/scalar", DType::f16, Isa::scalar),
    row<PortableRnnArgs, rnn<bf16, Cell::rnn>>("rnn/bf16/scalar", DType::bf16, Isa::scalar),
};

}  // namespace tern::portable
