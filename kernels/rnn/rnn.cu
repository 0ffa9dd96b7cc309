// The recurrent kernels on a device: see launch.h for which there are. A thread has one gate of one unit, of one row or of four: it continues the
// sum that the x part began, and activates it; then a thread a unit combines the gates. Bits are the CPU's. Next: launch.cpp.
#include "kernels/rnn/launch.h"
#include "kernels/simd_activation.h"

namespace tern::cuda {
namespace {

// Of the gates f, g and h of this direction: which == 2 is not clipped.
TERN_INLINE float act(const RnnArgs& a, int64_t d, int which, float v) {
  if (a.s.plain) return which == 0 && a.cell != Cell::rnn ? sigmoid(f32x16{v}).v : tanh(f32x16{v}).v;
  if (which < 2 && a.s.clip > 0) v = clip(f32x16{v}, -a.s.clip, a.s.clip).v;
  return activate(a.s.activations[d][which], f32x16{v}).v;
}

// A row of the batch at one step.
struct Place {
  int64_t time;
  bool past;  // the end of its sequence
};
TERN_INLINE Place place_of(const RnnArgs& a, int64_t step, int64_t b, bool reversed) {
  if (a.lengths == nullptr) return {reversed ? a.s.steps - 1 - step : step, false};
  const int64_t length = sequence_length(a.lengths[b], a.s.steps);
  return {time_of_step(step, length, reversed), step >= length};
}

// What a block works on.
struct Block {
  int64_t d, first_row, rows;  // rows: that exist
  int64_t first_unit, units;
  bool reversed;
  float *h, *c, *reset, *gates;  // shared: [rows, depth], [rows, units], [rows, depth], [rows, G * units]
};

// gates[row, column] = act(start + sum_k h[row, k] r[k, column]) for columns [begin, end) of the block's G * units. `h`: of row 0, h_row floats apart, in
// global memory and brought to `staged` in parts; null: it is there already.
template <Cell kCell, int RB>
TERN_INLINE void products(const RnnArgs& a, const Block& o, int64_t step, int begin, int end, const float* h, float* staged) {
  const int H = static_cast<int>(a.s.hidden), units = static_cast<int>(o.units), each = static_cast<int>(blockDim.x) / a.groups;
  const int lane_column = static_cast<int>(threadIdx.x) % each, row = static_cast<int>(threadIdx.x) / each * RB;
  const int most = RB * a.groups;
  for (int c0 = begin; c0 < end; c0 += each) {
    const int column = c0 + lane_column, gate = column / units;
    const bool mine = column < end;
    const int64_t unit = o.first_unit + (column - gate * units), n = gate * static_cast<int64_t>(H) + unit;
    const bool separate = kCell == Cell::gru && a.s.linear_before_reset && gate == 2;  // h R' + Rb, and not on top of the x part
    float acc[RB];
#pragma unroll
    for (int i = 0; i < RB; ++i) {
      acc[i] = 0;
      if (mine && row + i < o.rows) {
        const int64_t b = o.first_row + row + i, time = place_of(a, step, b, o.reversed).time;
        acc[i] = separate ? a.bias[o.d * (gates(kCell) * H + H) + gates(kCell) * H + unit]
                          : a.pre[o.d * a.pre_direction + time * a.pre_step + b * a.pre_row + n];
      }
    }
    const float* r = a.r + o.d * H * a.r_row + n;
    for (int k0 = 0; k0 < H; k0 += a.depth) {
      const int left = H - k0 < a.depth ? H - k0 : a.depth;
      if (h != nullptr) {
        __syncthreads();
        for (int i = threadIdx.x; i < most * a.depth; i += blockDim.x) {
          const int at = i / a.depth, k = i % a.depth;
          staged[i] = at < o.rows && k < left ? h[at * H + k0 + k] : 0;
        }
        __syncthreads();
      }
      if (mine) {
        const float* from = staged + row * a.depth;
        int k = 0;
#pragma unroll(RB == 1 ? 8 : 4)
        for (; k + 4 <= left; k += 4) {
          const float w0 = r[0], w1 = r[a.r_row], w2 = r[2 * a.r_row], w3 = r[3 * a.r_row];
#pragma unroll
          for (int i = 0; i < RB; ++i) {
            const float4 v = *reinterpret_cast<const float4*>(from + i * a.depth + k);
            acc[i] = fmaf(v.w, w3, fmaf(v.z, w2, fmaf(v.y, w1, fmaf(v.x, w0, acc[i]))));
          }
          r += 4 * a.r_row;
        }
        for (; k < left; ++k, r += a.r_row) {
#pragma unroll
          for (int i = 0; i < RB; ++i) acc[i] = fmaf(from[i * a.depth + k], *r, acc[i]);
        }
      }
    }
    if (mine) {
#pragma unroll 1
      for (int i = 0; i < RB; ++i) {
        if (row + i >= o.rows) break;
        float v = acc[0];
#pragma unroll
        for (int j = 1; j < RB; ++j) v = i == j ? acc[j] : v;
        const int64_t at = (row + i) * units + (column - gate * units);
        const bool peephole = kCell == Cell::lstm && a.peepholes != nullptr;
        if (peephole && (gate == 0 || gate == 2)) v = v + a.peepholes[(o.d * 3 + gate) * H + unit] * o.c[at];
        const bool later = separate || (peephole && gate == 1);  // o sees the new c; h~ waits for r
        const int which = kCell != Cell::rnn && gate == (kCell == Cell::lstm ? 3 : 2) ? 1 : 0;
        o.gates[(row + i) * gates(kCell) * units + column] = later ? v : act(a, o.d, which, v);
      }
    }
  }
}

// The new state of every unit, from its gates. h_old, h_new: [rows, h_row], at the block's first unit; the state of a row past its end stays.
template <Cell kCell>
TERN_INLINE void combine(const RnnArgs& a, const Block& o, int64_t step, const float* h_old, float* h_new, int64_t h_row) {
  const int units = static_cast<int>(o.units), H = static_cast<int>(a.s.hidden);
  for (int i = threadIdx.x; i < o.rows * units; i += blockDim.x) {
    const int row = i / units, u = i % units;
    const int64_t b = o.first_row + row, unit = o.first_unit + u;
    const Place place = place_of(a, step, b, o.reversed);
    const float* g = o.gates + row * gates(kCell) * units + u;
    const float old = h_old[row * h_row + u];
    float h = g[0];
    if constexpr (kCell == Cell::lstm) {
      const float input = g[0], forget = a.s.input_forget ? 1.0f - input : g[2 * units], before = o.c[i];
      const float c = forget * before + input * g[3 * units];
      float out = g[units];
      if (a.peepholes != nullptr) out = act(a, o.d, 0, out + a.peepholes[(o.d * 3 + 1) * H + unit] * c);
      h = out * act(a, o.d, 2, c);
      o.c[i] = place.past ? before : c;
    }
    if constexpr (kCell == Cell::gru) {
      const float z = g[0];
      float t = g[2 * units];
      if (a.s.linear_before_reset) {
        const float x = a.pre[o.d * a.pre_direction + place.time * a.pre_step + b * a.pre_row + 2 * static_cast<int64_t>(H) + unit];
        t = act(a, o.d, 1, x + g[units] * t);
      }
      h = (1.0f - z) * t + z * old;
    }
    h_new[row * h_row + u] = place.past ? old : h;
    if (a.y != nullptr) a.y[place.time * a.s.y_step + o.d * a.s.y_direction + b * a.s.y_row + unit] = place.past ? 0 : h;
  }
}

// All steps: h, c and r h stay in shared memory.
template <Cell kCell, int RB>
TERN_INLINE void whole(const RnnArgs& a, const Block& o) {
  const int H = static_cast<int>(a.s.hidden), columns = gates(kCell) * H;
  const bool resets = kCell == Cell::gru && !a.s.linear_before_reset;
  const int64_t state = o.d * a.s.state_direction + o.first_row * a.s.state_row;
  for (int i = threadIdx.x; i < o.rows * H; i += blockDim.x) {
    const int row = i / H, u = i % H;
    o.h[row * a.depth + u] = a.initial_h != nullptr ? a.initial_h[state + row * a.s.state_row + u] : 0;
    if (kCell == Cell::lstm) o.c[i] = a.initial_c != nullptr ? a.initial_c[state + row * a.s.state_row + u] : 0;
  }
  // A thread's four rows may be more than there are: it reads zeros.
  for (int i = threadIdx.x + static_cast<int>(o.rows) * a.depth; i < RB * a.groups * a.depth; i += blockDim.x) o.h[i] = o.reset[i] = 0;
  __syncthreads();
  for (int64_t step = 0; step < a.s.steps; ++step) {
    products<kCell, RB>(a, o, step, 0, resets ? 2 * H : columns, nullptr, o.h);
    __syncthreads();
    if (resets) {
      for (int i = threadIdx.x; i < o.rows * H; i += blockDim.x) {
        const int row = i / H, u = i % H;
        o.reset[row * a.depth + u] = o.gates[row * columns + H + u] * o.h[row * a.depth + u];
      }
      __syncthreads();
      products<kCell, RB>(a, o, step, 2 * H, columns, nullptr, o.reset);
      __syncthreads();
    }
    combine<kCell>(a, o, step, o.h, o.h, a.depth);
    __syncthreads();
  }
  for (int i = threadIdx.x; i < o.rows * H; i += blockDim.x) {
    const int row = i / H, u = i % H;
    if (a.y_h != nullptr) a.y_h[state + row * a.s.state_row + u] = o.h[row * a.depth + u];
    if (kCell == Cell::lstm && a.y_c != nullptr) a.y_c[state + row * a.s.state_row + u] = o.c[i];
  }
}

// One step of some units, or one half of it.
template <Cell kCell, int RB>
TERN_INLINE void one_step(const RnnArgs& a, Block& o) {
  const int H = static_cast<int>(a.s.hidden), units = static_cast<int>(o.units);
  const int64_t state = (o.d * a.s.batch + o.first_row) * H;
  const float* h_old = a.h[a.step % 2] + state;
  if (kCell == Cell::lstm) {  // of each unit, by its own thread: before and after
    for (int i = threadIdx.x; i < o.rows * units; i += blockDim.x) o.c[i] = a.c[state + i / units * H + o.first_unit + i % units];
  }
  const bool rest = kCell == Cell::gru && a.part == RnnPart::rest, reset = kCell == Cell::gru && a.part == RnnPart::reset;
  products<kCell, RB>(a, o, a.step, rest ? 2 * units : 0, reset ? 2 * units : gates(kCell) * units, rest ? a.c + state : h_old, o.h);
  __syncthreads();
  if (reset) {
    for (int i = threadIdx.x; i < o.rows * units; i += blockDim.x) {
      const int row = i / units, u = i % units;
      const float* g = o.gates + row * gates(kCell) * units + u;
      const int64_t at = state + row * H + o.first_unit + u;
      a.z[at] = g[0];
      a.c[at] = g[units] * h_old[row * H + o.first_unit + u];
    }
    return;
  }
  if (rest) {
    for (int i = threadIdx.x; i < o.rows * units; i += blockDim.x) {
      o.gates[i / units * gates(kCell) * units + i % units] = a.z[state + i / units * H + o.first_unit + i % units];
    }
    __syncthreads();
  }
  combine<kCell>(a, o, a.step, h_old + o.first_unit, a.h[(a.step + 1) % 2] + state + o.first_unit, H);
  if (kCell == Cell::lstm) {
    for (int i = threadIdx.x; i < o.rows * units; i += blockDim.x) a.c[state + i / units * H + o.first_unit + i % units] = o.c[i];
  }
}

template <Cell kCell, int RB>
TERN_INLINE void recurrent(const RnnArgs& a) {
  extern __shared__ __align__(16) float shared[];
  const int64_t most = RB * a.groups, tiles = (a.s.batch + most - 1) / most, left = a.s.hidden - static_cast<int64_t>(blockIdx.x) * a.units;
  Block o;
  o.d = blockIdx.z;
  o.first_unit = static_cast<int64_t>(blockIdx.x) * a.units;
  o.units = left < a.units ? left : a.units;
  o.reversed = o.d == 1 || a.s.first_reversed;
  o.h = shared;
  o.reset = o.h + most * a.depth;
  o.c = o.reset + (a.part == RnnPart::whole ? most * a.depth : 0);
  o.gates = o.c + most * a.units;
  for (int64_t tile = blockIdx.y; tile < tiles; tile += gridDim.y) {
    o.first_row = tile * most;
    o.rows = a.s.batch - o.first_row < most ? a.s.batch - o.first_row : most;
    if (a.part == RnnPart::whole) whole<kCell, RB>(a, o);
    else one_step<kCell, RB>(a, o);
    __syncthreads();  // before the next tile's states
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kRnnMostThreads, 1) void lstm_row_f32(const RnnArgs a) { recurrent<Cell::lstm, 1>(a); }
__global__ __launch_bounds__(kRnnMostThreads, 1) void lstm_rows_f32(const RnnArgs a) { recurrent<Cell::lstm, kRnnRows>(a); }
__global__ __launch_bounds__(kRnnMostThreads, 1) void gru_row_f32(const RnnArgs a) { recurrent<Cell::gru, 1>(a); }
__global__ __launch_bounds__(kRnnMostThreads, 1) void gru_rows_f32(const RnnArgs a) { recurrent<Cell::gru, kRnnRows>(a); }
__global__ __launch_bounds__(kRnnMostThreads, 1) void rnn_row_f32(const RnnArgs a) { recurrent<Cell::rnn, 1>(a); }
__global__ __launch_bounds__(kRnnMostThreads, 1) void rnn_rows_f32(const RnnArgs a) { recurrent<Cell::rnn, kRnnRows>(a); }

__global__ void rnn_state_f32(const RnnStateArgs a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kRnnBlock + threadIdx.x;
  if (i >= a.directions * a.batch * a.hidden) return;
  const int64_t u = i % a.hidden, b = i / a.hidden % a.batch, d = i / a.hidden / a.batch;
  a.to[d * a.to_direction + b * a.to_row + u] = a.from != nullptr ? a.from[d * a.from_direction + b * a.from_row + u] : 0;
}

__global__ void rnn_lengths(const RnnLengthsArgs a) {
  const int64_t b = static_cast<int64_t>(blockIdx.x) * kRnnBlock + threadIdx.x;
  if (b < a.batch && sequence_length(a.lengths[b], a.steps) != a.lengths[b]) atomicOr(a.fault, 1u);
}

__global__ void rnn_bias_f32(const RnnBiasArgs a) {
  const int64_t n = a.gates * a.hidden, all = n + a.hidden, i = static_cast<int64_t>(blockIdx.x) * kRnnBlock + threadIdx.x;
  if (i >= a.directions * all) return;
  const float* bias = a.bias + i / all * 2 * n;
  const int64_t at = i % all, split = a.linear_before_reset ? 2 * a.hidden : n;
  a.to[i] = at >= n ? bias[2 * n - a.hidden + at - n] : at < split ? bias[at] + bias[n + at] : bias[at];
}
}

}  // namespace tern::cuda
