// The recurrent kernels: one product for the x part of the window, then step by step a continued product and the gates.
// See rnn.h for the formulas and the order of sums.
#include "kernels/rnn/rnn.h"

#include "kernels/gemm/panel.h"
#include "kernels/rnn/interleaved.h"
#include "kernels/simd_activation.h"

namespace tern::TERN_ISA {
namespace {

// The rows of one direction that this binding computes.
struct Direction {
  int64_t d, begin, rows;
  bool reversed;
  const void *w, *r;  // packed, as the form of the weights says
  const float *bias, *peepholes;
};

// y[m, n] = start[m, n] + sum_k x[m, k] w[k, n], in one chain. start null: 0.
template <WeightForm kForm>
void product(const RnnArgs& a, int64_t m, int64_t n, int64_t k, const float* x, int64_t lda, const void* w, const float* start, int64_t start_stride,
             float* y, int64_t ldy) {
  if (m == 0) return;
  PanelArgs p{};
  p.x = x;
  p.bias = start;
  p.y = y;
  p.m = m;
  p.n = n;
  p.k = k;
  p.lda = lda;
  p.ldy = ldy;
  p.bias_stride = start_stride;
  p.group_end = PanelGroups(n).groups;
  p.chains = 1;
  if constexpr (kForm == WeightForm::f32) {
    p.w = static_cast<const float*>(w);
    panel_gemm(p);
  } else if constexpr (kForm == WeightForm::bf16) {
    bf16_pairs_gemm(p, w, static_cast<int32_t*>(a.terms));
  } else {
    int8_quads_gemm(p, w, static_cast<int8_t*>(a.terms));
  }
}
// h~ of GRU in a direction's packed R.
template <WeightForm kForm>
const void* of_candidate(const void* r, int64_t hidden) {
  const int64_t bytes = kForm == WeightForm::f32 ? PanelGroups(2 * hidden).panels * kPanel * hidden * 4 : kept_h_at(kForm, hidden);
  return static_cast<const char*>(r) + bytes;
}

void pack_columns(const float* w, int64_t n, int64_t k, float* packed) { panel_pack({w, packed, n, k, 1, k, 0, PanelGroups(n).groups, 1.0f, 1}); }

template <Cell kCell, WeightForm kForm>
void prepare(const RnnArgs& a, int64_t d, Direction& o) {
  const int64_t H = a.s.hidden, I = a.s.inputs, n = gates(kCell) * H;
  if constexpr (kForm != WeightForm::f32) {
    o.w = static_cast<const char*>(a.kept_w) + d * a.w_floats;
    o.r = static_cast<const char*>(a.kept_r) + d * a.r_floats;
  } else {
    o.w = a.packed_w != nullptr ? a.packed_w + d * a.w_floats : a.work_w + d * a.w_floats;
    o.r = (a.packed_r != nullptr ? a.packed_r : a.work_r) + d * a.r_floats;
  }
  if (a.interleaved != nullptr) o.r = static_cast<const char*>(a.interleaved) + d * interleaved_bytes(kForm, kCell, H);
  o.bias = a.summed_bias != nullptr ? a.summed_bias + d * (n + H) : a.work_bias + d * (n + H);
  o.peepholes = a.peepholes != nullptr ? a.peepholes + d * 3 * H : nullptr;
  if (kForm == WeightForm::f32 && a.packed_w == nullptr) pack_columns(a.w + d * n * I, n, I, a.work_w + d * a.w_floats);
  if (kForm == WeightForm::f32 && a.packed_r == nullptr && a.interleaved == nullptr) {
    const int64_t first = kCell == Cell::gru ? 2 * H : n;
    float* to = a.work_r + d * a.r_floats;
    pack_columns(a.r + d * n * H, first, H, to);
    if (first < n) pack_columns(a.r + d * n * H + first * H, n - first, H, to + PanelGroups(first).panels * kPanel * H);
  }
  if (a.summed_bias == nullptr) {
    const float* b = a.bias + d * 2 * n;  // [2*G*H]
    float* to = a.work_bias + d * (n + H);
    const int64_t split = kCell == Cell::gru && a.s.linear_before_reset ? 2 * H : n;
    for (int64_t i = 0; i < split; ++i) to[i] = b[i] + b[n + i];
    for (int64_t i = split; i < n; ++i) to[i] = b[i];
    for (int64_t i = 0; i < H; ++i) to[n + i] = b[n + n - H + i];
  }
}

template <bool kPlain, Activation A>
TERN_INLINE f32x16 apply(const RnnShape& s, const ActivationSpec& e, f32x16 x) {
  if constexpr (kPlain) return activate<A>(x, 0, 0);
  if (s.clip > 0) x = clip(x, -s.clip, s.clip);
  return activate(e, x);
}

// What one row of one step reads and writes.
struct RowStep {
  const float *gates, *pre;  // [G*H] after the products; pre: GRU's x part of h~
  float *h, *c, *y;          // [H]; y null: not wanted
  int32_t past;              // all ones: past the length of its sequence; else 0
};

// In bits: a select on a mask may become a branch in scalar code.
TERN_INLINE f32x16 unless(int32_t past, f32x16 value, f32x16 otherwise) {
  return from_bits((bits(value) & splat_i32(~past)) | (bits(otherwise) & splat_i32(past)));
}
template <bool kPlain>
TERN_INLINE void keep(const RowStep& row, float* state, int64_t u, int64_t n, f32x16 value) {
  store_columns(state + u, kPlain ? value : unless(row.past, value, load_columns(state + u, n)), n);
}
template <bool kPlain>
TERN_INLINE void emit(const RowStep& row, int64_t u, int64_t n, f32x16 h) {
  if (row.y != nullptr) store_columns(row.y + u, kPlain ? h : unless(row.past, h, zero()), n);
}

template <bool kPlain>
void lstm_cell(const RnnShape& s, const Direction& d, const RowStep& row) {
  using enum Activation;
  const ActivationSpec* e = s.activations[d.d];
  for (int64_t u = 0; u < s.hidden; u += 16) {
    const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
    const float* g = row.gates + u;
    f32x16 i = load_columns(g, n), o = load_columns(g + s.hidden, n), f = load_columns(g + 2 * s.hidden, n);
    f32x16 c = load_columns(row.c + u, n);
    if (!kPlain && d.peepholes != nullptr) {
      i = i + load_columns(d.peepholes + u, n) * c;
      f = f + load_columns(d.peepholes + 2 * s.hidden + u, n) * c;
    }
    i = apply<kPlain, sigmoid>(s, e[0], i);
    f = !kPlain && s.input_forget ? splat(1.0f) - i : apply<kPlain, sigmoid>(s, e[0], f);
    c = f * c + i * apply<kPlain, tanh>(s, e[1], load_columns(g + 3 * s.hidden, n));
    if (!kPlain && d.peepholes != nullptr) o = o + load_columns(d.peepholes + s.hidden + u, n) * c;
    const f32x16 h = apply<kPlain, sigmoid>(s, e[0], o) * (kPlain ? activate<tanh>(c, 0, 0) : activate(e[2], c));
    keep<kPlain>(row, row.c, u, n, c);
    keep<kPlain>(row, row.h, u, n, h);
    emit<kPlain>(row, u, n, h);
  }
}

template <bool kPlain>
void rnn_cell(const RnnShape& s, const Direction& d, const RowStep& row) {
  for (int64_t u = 0; u < s.hidden; u += 16) {
    const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
    const f32x16 h = apply<kPlain, Activation::tanh>(s, s.activations[d.d][0], load_columns(row.gates + u, n));
    keep<kPlain>(row, row.h, u, n, h);
    emit<kPlain>(row, u, n, h);
  }
}

// Without linear_before_reset: r * h, which the product for h~ takes. The activated r is not needed later.
template <bool kPlain>
void gru_reset(const RnnShape& s, const Direction& d, const RowStep& row) {
  for (int64_t u = 0; u < s.hidden; u += 16) {
    const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
    const f32x16 r = apply<kPlain, Activation::sigmoid>(s, s.activations[d.d][0], load_columns(row.gates + s.hidden + u, n));
    store_columns(row.c + u, r * load_columns(row.h + u, n), n);
  }
}

template <bool kPlain>
void gru_cell(const RnnShape& s, const Direction& d, const RowStep& row) {
  using enum Activation;
  const ActivationSpec* e = s.activations[d.d];
  for (int64_t u = 0; u < s.hidden; u += 16) {
    const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
    const float* g = row.gates + u;
    const f32x16 z = apply<kPlain, sigmoid>(s, e[0], load_columns(g, n)), old = load_columns(row.h + u, n);
    f32x16 t = load_columns(g + 2 * s.hidden, n);
    if (s.linear_before_reset) t = load_columns(row.pre + 2 * s.hidden + u, n) + apply<kPlain, sigmoid>(s, e[0], load_columns(g + s.hidden, n)) * t;
    t = apply<kPlain, tanh>(s, e[1], t);
    const f32x16 h = (splat(1.0f) - z) * t + z * old;
    keep<kPlain>(row, row.h, u, n, h);
    emit<kPlain>(row, u, n, h);
  }
}

// The h terms of `rows` rows: gates = pre + h R. pre rows lie pre_stride apart.
template <Cell kCell, WeightForm kForm>
void recur(const RnnArgs& a, const Direction& d, int64_t row, int64_t rows, const float* pre, int64_t pre_stride) {
  const int64_t H = a.s.hidden, n = gates(kCell) * H;
  float* g = a.gates + row * n;
  const float* h = a.h + row * H;
  if constexpr (kCell != Cell::gru) {
    product<kForm>(a, rows, n, H, h, H, d.r, pre, pre_stride, g, n);
  } else {
    product<kForm>(a, rows, 2 * H, H, h, H, d.r, pre, pre_stride, g, n);
    if (a.s.linear_before_reset) {
      product<kForm>(a, rows, H, H, h, H, of_candidate<kForm>(d.r, H), d.bias + n, 0, g + 2 * H, n);
    }
  }
}

template <Cell kCell, WeightForm kForm, bool kPlain>
void step_rows(const RnnArgs& a, const Direction& d, int64_t step, int64_t pre_step, int64_t pre_row) {
  const RnnShape& s = a.s;
  const int64_t H = s.hidden, n = gates(kCell) * H, forward = d.reversed ? s.steps - 1 - step : step;
  const bool own_time = !kPlain && a.lengths != nullptr && d.reversed;  // every row begins at its own end
  if (!own_time) recur<kCell, kForm>(a, d, 0, d.rows, a.pre + forward * pre_step, pre_row);
  for (int64_t b = 0; b < d.rows; ++b) {
    int64_t time = forward, past = 0;  // past: all ones when this row has ended
    if (!kPlain && a.lengths != nullptr) {
      const int64_t length = sequence_length(a.lengths[d.begin + b], s.steps);
      past = ~((step - length) >> 63);
      time = time_of_step(step, length, d.reversed);
    }
    const float* pre = a.pre + time * pre_step + b * pre_row;
    if (own_time) recur<kCell, kForm>(a, d, b, 1, pre, 0);
    float* y = a.y == nullptr ? nullptr : a.y + time * s.y_step + d.d * s.y_direction + (d.begin + b) * s.y_row;
    const RowStep row{a.gates + b * n, pre, a.h + b * H, a.c + b * H, y, static_cast<int32_t>(past)};
    if constexpr (kCell == Cell::lstm) lstm_cell<kPlain>(s, d, row);
    if constexpr (kCell == Cell::rnn) rnn_cell<kPlain>(s, d, row);
    if constexpr (kCell == Cell::gru) {
      if (!s.linear_before_reset) {
        gru_reset<kPlain>(s, d, row);
        product<kForm>(a, 1, H, H, row.c, H, of_candidate<kForm>(d.r, H), pre + 2 * H, 0, a.gates + b * n + 2 * H, n);
      }
      gru_cell<kPlain>(s, d, row);
    }
  }
}

// State rows from or to the caller's tensors.
void load_state(const float* from, const RnnShape& s, const Direction& d, float* to) {
  for (int64_t b = 0; b < d.rows; ++b) {
    for (int64_t u = 0; u < s.hidden; u += 16) {
      const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
      store_columns(to + b * s.hidden + u,
                    from != nullptr ? load_columns(from + d.d * s.state_direction + (d.begin + b) * s.state_row + u, n) : zero(), n);
    }
  }
}
void store_state(const float* from, const RnnShape& s, const Direction& d, float* to) {
  if (to == nullptr) return;
  for (int64_t b = 0; b < d.rows; ++b) {
    for (int64_t u = 0; u < s.hidden; u += 16) {
      const int64_t n = s.hidden - u < 16 ? s.hidden - u : 16;
      store_columns(to + d.d * s.state_direction + (d.begin + b) * s.state_row + u, load_columns(from + b * s.hidden + u, n), n);
    }
  }
}

// The x part of `count` steps of a row alone, from step `first` on.
template <WeightForm kForm>
void x_part(const RnnArgs& a, const Direction& d, int64_t n, int64_t first, int64_t count) {
  const RnnShape& s = a.s;
  const int64_t time = d.reversed ? s.steps - first - count : first;
  product<kForm>(a, count, n, s.inputs, a.x + time * s.inputs, s.inputs, d.w, d.bias, 0, a.pre + time * n, n);
}

// The eight steps from `first` on are ahead.
template <WeightForm kForm>
void look_ahead(const RnnArgs& a, const Direction& d, int64_t first, Ahead& ahead) {
  const RnnShape& s = a.s;
  const int64_t back = d.reversed ? -1 : 1, time = d.reversed ? s.steps - 1 - first : first;
  const int64_t depth = ahead.depth;
  for (int64_t r = 0; r < kStepsAhead; ++r) {
    const float* x = a.x + (time + r * back) * s.inputs;  // [inputs]
    auto* to = static_cast<char*>(a.ahead) + r * 4;
    void* row = to - r * 4 + s.inputs * kMostAhead * 4;
    ahead.factors[r] = terms_of<kForm>(x, s.inputs, row);
    const auto* words = static_cast<const char*>(kForm == WeightForm::f32 ? static_cast<const void*>(x) : row);
    for (int64_t i = 0; i < depth; ++i) __builtin_memcpy(to + i * kStepsAhead * 4, words + i * 4, 4);
  }
  ahead.pre = a.pre + time * ahead.columns;
  ahead.pre_step = back * ahead.columns;
  ahead.panel = ahead.group = 0;
  ahead.panels = PanelGroups(ahead.columns).panels;
}

// R as interleaved.h says, and where its vectors begin.
template <WeightForm kForm>
void set_weights(const Direction& d, Cell cell, InterleavedStep& step) {
  step.r = static_cast<const char*>(d.r);
  step.depth = interleaved_depth(kForm, step.hidden);
  if constexpr (kForm == WeightForm::int8) {
    const int64_t lanes = InterleavedBlocks(step.hidden).vectors(cell) * 16;
    step.scales = static_cast<const float*>(d.r);
    step.begins = reinterpret_cast<const int32_t*>(step.scales + lanes);
    step.r = reinterpret_cast<const char*>(step.begins + lanes);
  }
}

// A row alone: gates needs no room, so that h and the next one take turns there.
template <Cell kCell, WeightForm kForm>
void run_interleaved(const RnnArgs& a, const Direction& d) {
  static_assert(kStepsAhead <= kMostAhead);
  const RnnShape& s = a.s;
  const int64_t n = gates(kCell) * s.hidden;
  Ahead ahead{};
  ahead.x = a.ahead;
  ahead.w = static_cast<const char*>(d.w) + (kForm == WeightForm::int8 ? padded_columns(n) * 8 : 0);
  ahead.scales = static_cast<const float*>(d.w);
  ahead.begins = static_cast<const int32_t*>(d.w) + padded_columns(n);
  ahead.bias = d.bias;
  ahead.depth = interleaved_depth(kForm, s.inputs);
  ahead.columns = n;
  const bool waits = kStepsAhead > 0 && interleaved_bytes(kForm, kCell, s.hidden) > kBytesOfL1;
  const int64_t blocks = waits && s.steps >= 2 * kStepsAhead ? s.steps / kSums : 0;  // of whole eights, of which the first is not ahead
  if (blocks > 0) {
    x_part<kForm>(a, d, n, 0, kStepsAhead);
    x_part<kForm>(a, d, n, blocks * kStepsAhead, s.steps - blocks * kStepsAhead);
  } else {
    x_part<kForm>(a, d, n, 0, s.steps);
  }
  InterleavedStep step{};
  step.bias = d.bias + n;
  step.h = a.h;
  step.next = a.gates;
  step.c = a.c;
  step.hidden = s.hidden;
  set_weights<kForm>(d, kCell, step);
  for (int64_t t = 0; t < s.steps; ++t) {
    if (t % kSums == 0 && t / kSums + 1 < blocks) look_ahead<kForm>(a, d, t + kStepsAhead, ahead);
    step.factor = terms_of<kForm>(step.h, s.hidden, a.terms);
    step.terms = kForm == WeightForm::f32 ? step.h : a.terms;
    const int64_t time = d.reversed ? s.steps - 1 - t : t;
    step.pre = a.pre + time * n;
    step.y = a.y == nullptr ? nullptr : a.y + time * s.y_step + d.d * s.y_direction;
    interleaved_step<kForm, kCell>(step, (t & 1) != 0, ahead);
    float* made = step.next;
    step.next = made == a.gates ? a.h : a.gates;
    step.h = made;
    if (t % kSums == kSums - 1) finish_ahead<kForm>(ahead);
  }
  store_state(step.h, s, d, a.y_h);
}

template <Cell kCell, WeightForm kForm>
void run_direction(const RnnArgs& a, Direction& d) {
  const RnnShape& s = a.s;
  const int64_t n = gates(kCell) * s.hidden;
  prepare<kCell, kForm>(a, d.d, d);
  if constexpr (kCell != Cell::rnn) {
    if (a.interleaved != nullptr) {
      load_state(a.initial_h, s, d, a.h);
      if (kCell == Cell::lstm) load_state(a.initial_c, s, d, a.c);
      run_interleaved<kCell, kForm>(a, d);
      if (kCell == Cell::lstm) store_state(a.c, s, d, a.y_c);
      return;
    }
  }
  // pre lies in the order of x: [step][row], or [row][step] for layout 1.
  const int64_t pre_step = s.batch_first ? n : d.rows * n, pre_row = s.batch_first ? s.steps * n : n;
  if (s.batch_first || d.rows == s.batch) {
    product<kForm>(a, s.steps * d.rows, n, s.inputs, a.x + d.begin * s.x_row, s.inputs, d.w, d.bias, 0, a.pre, n);
  } else {
    for (int64_t t = 0; t < s.steps; ++t) {
      product<kForm>(a, d.rows, n, s.inputs, a.x + t * s.x_step + d.begin * s.x_row, s.inputs, d.w, d.bias, 0, a.pre + t * pre_step, n);
    }
  }
  load_state(a.initial_h, s, d, a.h);
  if (kCell == Cell::lstm) load_state(a.initial_c, s, d, a.c);
  for (int64_t t = 0; t < s.steps; ++t) {
    if (s.plain) step_rows<kCell, kForm, true>(a, d, t, pre_step, pre_row);
    else step_rows<kCell, kForm, false>(a, d, t, pre_step, pre_row);
  }
  store_state(a.h, s, d, a.y_h);
  if (kCell == Cell::lstm) store_state(a.c, s, d, a.y_c);
}

template <Cell kCell, WeightForm kForm>
void run(const RnnArgs& a) {
  for (int64_t d = 0; d < a.s.directions; ++d) {
    const int64_t low = a.s.begin - d * a.s.batch, high = a.s.end - d * a.s.batch;
    const int64_t begin = low < 0 ? 0 : low, end = high > a.s.batch ? a.s.batch : high;
    if (begin >= end) continue;
    Direction direction{d, begin, end - begin, d == 1 || a.s.first_reversed, nullptr, nullptr, nullptr, nullptr};
    run_direction<kCell, kForm>(a, direction);
  }
  report_lengths(a);
}

template <Cell kCell, WeightForm kForm>
constexpr KernelRow row_of(const char* name) {
  return row<RnnArgs, run<kCell, kForm>>(name, DType::f32, Isa::TERN_ISA);
}

}  // namespace

constinit const KernelRow lstm_f32 = row_of<Cell::lstm, WeightForm::f32>("lstm/f32/" TERN_ISA_NAME);
constinit const KernelRow gru_f32 = row_of<Cell::gru, WeightForm::f32>("gru/f32/" TERN_ISA_NAME);
constinit const KernelRow rnn_f32 = row_of<Cell::rnn, WeightForm::f32>("rnn/f32/" TERN_ISA_NAME);
constinit const KernelRow lstm_weights_bf16 = row_of<Cell::lstm, WeightForm::bf16>("lstm_weights_bf16/f32/" TERN_ISA_NAME);
constinit const KernelRow gru_weights_bf16 = row_of<Cell::gru, WeightForm::bf16>("gru_weights_bf16/f32/" TERN_ISA_NAME);
constinit const KernelRow rnn_weights_bf16 = row_of<Cell::rnn, WeightForm::bf16>("rnn_weights_bf16/f32/" TERN_ISA_NAME);
constinit const KernelRow lstm_weights_int8 = row_of<Cell::lstm, WeightForm::int8>("lstm_weights_int8/f32/" TERN_ISA_NAME);
constinit const KernelRow gru_weights_int8 = row_of<Cell::gru, WeightForm::int8>("gru_weights_int8/f32/" TERN_ISA_NAME);
constinit const KernelRow rnn_weights_int8 = row_of<Cell::rnn, WeightForm::int8>("rnn_weights_int8/f32/" TERN_ISA_NAME);

}  // namespace tern::TERN_ISA
