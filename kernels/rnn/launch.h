// LSTM, GRU and RNN, f32, on a device: what the kernels of rnn.cu are given. The order of sums is rnn.h's: a gate is one chain that begins with the
// bias, goes on with the x terms (a product of gemm for the whole window) and then with the h terms.
//   Kernels   whole     a block takes all units of a few rows of one direction, and all steps: states stay in shared memory, R is read from L1 or L2
//             step      a launch a step where R is too large for that: a block takes a few units of some rows, states lie in the workspace, twice
//             reset     the launch before it of a GRU without linear_before_reset: z and r h, which all units of h~ need
//             state     states from and to the caller's tensors, around the steps
// Next: bind.cpp, launch.cpp, rnn.cu; portable.cu (other dtypes).
#pragma once
#include "kernels/gemm/launch.h"
#include "kernels/rnn/rnn.h"

namespace tern::cuda {

enum class RnnPart : uint8_t { whole, step, reset, rest };  // rest: of a step, after reset

struct RnnArgs {
  RnnShape s;
  Cell cell;
  const float* pre;   // [directions][in the order of x][G*H] the x part
  const float* r;     // [directions][H][r_row]: R, k by k
  const float* bias;  // [directions][G*H + H] summed as rnn.h says
  const float *initial_h, *initial_c, *peepholes;
  const int32_t* lengths;  // [B] or null
  float *y, *y_h, *y_c;
  float *h[2], *c;  // [directions, B, H]: states between launches; c is r h of a GRU
  float* z;         // [directions, B, H]: of a GRU, between reset and rest
  int64_t r_row, pre_direction, pre_step, pre_row;
  int64_t step;  // of this launch
  RnnPart part;
  int32_t units;   // of a block
  int32_t groups;  // of threads: each has all columns of some rows
  int32_t depth;   // h terms that shared memory holds at a time, a multiple of 4
};
struct RnnStateArgs {
  const float* from;  // null: zeros
  float* to;
  int64_t directions, batch, hidden;
  int64_t from_direction, from_row, to_direction, to_row;
};
struct RnnLengthsArgs {
  const int32_t* lengths;
  int64_t batch, steps;
  uint32_t* fault;
};
struct RnnBiasArgs {  // sum_bias
  const float* bias;
  float* to;
  int64_t directions, gates, hidden;
  bool linear_before_reset;  // of a GRU
};

// The step of an operator. Sources that are null are ready.
struct RnnSteps {
  RnnArgs rnn;
  RnnBiasArgs bias;
  ArrangeArgs w, r;  // of direction 0
  ProductArgs x;     // of direction 0: pre
  uint32_t* fault;   // of lengths
};
extern const KernelRow lstm_f32, gru_f32, rnn_f32, kPortableLstm[3], kPortableGru[3], kPortableRnn[3];

constexpr int64_t kRnnWhole = 65536;      // most floats of one direction's R that a block reads in every step: 256 KB
constexpr int64_t kRnnMostSteps = 65536;  // that are launched one by one
constexpr int kRnnRows = 4;               // rows of a thread, when there are several
constexpr int kRnnDepth = 512;            // most of RnnArgs::depth where h comes in parts
constexpr int kRnnMostThreads = 512;
constexpr int kPortableRnnBlock = 128;
constexpr int64_t kPortableRnnBlocks = 264;  // each with a row of states: two for each multiprocessor of an H100
constexpr int kRnnBlock = 256;               // threads of the small kernels

// Whether one launch does all steps.
bool rnn_whole(const RnnShape& s, Cell cell);

}  // namespace tern::cuda
