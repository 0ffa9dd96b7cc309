// The recurrent layers of f64, f16 and bf16 on a device: a block a row of one direction, a thread a gate and then a thread a unit.
// See portable_row.h. Next: launch.cpp.
#include "kernels/rnn/launch.h"
#include "kernels/rnn/portable_row.h"
#include "kernels/simd.h"

namespace tern::cuda {
namespace {

template <class T, Cell kCell>
TERN_INLINE void recurrent(const PortableRnnArgs& a) {
  const RnnShape& s = a.s;
  const int64_t H = s.hidden, at = blockIdx.x;  // of the workspace
  for (int64_t pair = s.begin + at; pair < s.end; pair += gridDim.x) {
    const int64_t d = pair / s.batch, b = pair % s.batch;
    const portable::Row<T> r{a, d, b, gates(kCell), static_cast<T*>(a.h) + at * H, static_cast<T*>(a.c) + at * H, a.gates + at * 4 * H};
    for (int64_t u = threadIdx.x; u < H; u += kPortableRnnBlock) r.start(u);
    __syncthreads();
    const bool backwards = d == 1 || s.first_reversed;
    const int64_t length = a.lengths != nullptr ? sequence_length(a.lengths[b], s.steps) : s.steps;
    for (int64_t step = 0; step < s.steps; ++step) {
      const int64_t time = time_of_step(step, length, backwards);
      for (int64_t j = threadIdx.x; j < portable::first_gates(kCell) * H; j += kPortableRnnBlock) r.template first<kCell>(time, j);
      __syncthreads();
      if (kCell == Cell::gru) {
        for (int64_t u = threadIdx.x; u < H; u += kPortableRnnBlock) r.reset(time, u);
        __syncthreads();
      }
      for (int64_t u = threadIdx.x; u < H; u += kPortableRnnBlock) {  // its own gates and states
        r.template combine<kCell>(u);
        r.template keep<kCell>(time, step < length, u);
      }
      __syncthreads();
    }
    for (int64_t u = threadIdx.x; u < H; u += kPortableRnnBlock) r.template end<kCell>(u);  // the next row starts with the same thread's units
  }
}

}  // namespace

extern "C" {
__global__ __launch_bounds__(kPortableRnnBlock, 4) void lstm_f64(const PortableRnnArgs a) { recurrent<double, Cell::lstm>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void lstm_f16(const PortableRnnArgs a) { recurrent<f16, Cell::lstm>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void lstm_bf16(const PortableRnnArgs a) { recurrent<bf16, Cell::lstm>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void gru_f64(const PortableRnnArgs a) { recurrent<double, Cell::gru>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void gru_f16(const PortableRnnArgs a) { recurrent<f16, Cell::gru>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void gru_bf16(const PortableRnnArgs a) { recurrent<bf16, Cell::gru>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void rnn_f64(const PortableRnnArgs a) { recurrent<double, Cell::rnn>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void rnn_f16(const PortableRnnArgs a) { recurrent<f16, Cell::rnn>(a); }
__global__ __launch_bounds__(kPortableRnnBlock, 4) void rnn_bf16(const PortableRnnArgs a) { recurrent<bf16, Cell::rnn>(a); }
}

}  // namespace tern::cuda
