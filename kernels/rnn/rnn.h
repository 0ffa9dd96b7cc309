// LSTM, GRU and RNN over a window, in one or both directions, for a batch. f, g, h are activations (Sigmoid, Tanh, Tanh by default).
//   LSTM  i, o, f = f(x W' + h R' + Wb + Rb [+ P c]),  c~ = g(...),  c = f c + i c~,  y = h = o h(c)          gates i, o, f, c; o sees the new c
//   GRU   z, r = f(x W' + h R' + Wb + Rb),  h~ = g(x W' + r (h R' + Rb) + Wb) or g(x W' + (r h) R' + Wb + Rb),  y = h = (1 - z) h~ + z h
//   RNN   y = h = f(x W' + h R' + Wb + Rb)
//   DynamicQuantizeLSTM   LSTM whose W and R are i8 in [-127, 127] times scales of their columns, [D, 4*H] each: kept so, as below, unless they are few
//   Shapes    x [T,B,I] (layout 1: [B,T,I]); w [D, G*H, I]; r [D, G*H, H]; biases [D, 2*G*H]; states [D,B,H] (layout 1: [B,D,H]);
//             peepholes [D,3*H] (i, o, f); y [T,D,B,H] (layout 1: [B,T,D,H]). D directions, G gates, H units.
//   How       the x part of the whole window is one product into `pre`; a step continues those sums with h times R and
//             applies the gates. R and W are plain panels of kernels/gemm, so neither needs padding between gates. A batch of
//             1 reads R by units, in one pass (interleaved.h).
//   Cost      2*T*B*G*H*(I + H) FLOPs; a step at B = 1 is bound by reading R from L2.
//   Numerics  a gate is Wb + Rb, then the x terms in k order, then the h terms in k order, by fma in one chain: T calls of one step,
//             one call of T steps, a row alone and in a batch give the same bits, as do all ISAs and thread counts.
//             W and R kept in bf16 or int8: products as kernels/gemm/weights.h says, the x part first, whose result the h part begins with. x and h are
//             rounded for them alone (and GRU's r h): to bf16, or to bytes times a power of two that the row's largest element chooses.
//             f64, f16 and bf16: portable code in double, states rounded to the dtype after every step; a device flushes no f64 subnormals.
//   Edges     sequence_lens: rows of y past a length are 0, states stop there; chosen by masks, so the same instructions run for
//             any lengths. Lengths outside of [0, T] are clamped and reported (BindContext::fault). reverse begins at each row's own last element. clip bounds what
//             enters the gates' activations, as onnxruntime and OpenVINO do, not h(c) and not the state. input_forget: f = 1 - i.
//             T = 0: the final states are the initial ones.
//   Source    the ONNX operators, opset 22; DynamicQuantizeLSTM after onnxruntime's, which rounds x of the whole window and h of the whole batch to steps
//             of (max - min) / 255 and not each row to steps of a power of two.
// Next: rnn.cpp (schema, inference), bind.cpp, pack.cpp, rnn.simd.cpp (the kernels), portable.cpp, launch.h and rnn.cu (on a device).
#pragma once
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/gemm/weights.h"
#include "kernels/row.h"
#include "runtime/base/host_device.h"

namespace tern {

struct OpDef;
extern const OpDef kDynamicQuantizeLSTM, kGRU, kLSTM, kRNN;

enum class Cell : uint8_t { rnn, gru, lstm };
TERN_HD constexpr int64_t gates(Cell c) { return c == Cell::lstm ? 4 : c == Cell::gru ? 3 : 1; }

// A length brought to [0, steps], and the time at which step `step` of a row works: past its end, the step itself. Both by
// masks and not by branches: lengths are data.
TERN_HD static inline int64_t sequence_length(int64_t given, int64_t steps) {
  const int64_t low = given & ~(given >> 63), over = (steps - low) >> 63;
  return (steps & over) | (low & ~over);
}
TERN_HD static inline int64_t time_of_step(int64_t step, int64_t length, bool backwards) {
  const int64_t turn = (step - length) >> 63 & -static_cast<int64_t>(backwards);
  return ((length - 1 - step) & turn) | (step & ~turn);
}

// Everything but the pointers: what both kernels need to know.
struct RnnShape {
  int64_t steps, batch, inputs, hidden, directions;
  int64_t begin, end;   // the (direction, row) pairs d * batch + b of this binding
  bool batch_first;     // layout 1
  bool first_reversed;  // direction 0 runs backwards; direction 1 always does
  bool input_forget, linear_before_reset;
  bool plain;                        // default activations and none of: clip, input_forget, peepholes, sequence_lens
  float clip;                        // 0: none
  ActivationSpec activations[2][3];  // f, g, h of each direction
  // Strides of elements: a step, a row, a direction.
  int64_t x_step, x_row, y_step, y_row, y_direction, state_row, state_direction;
};

struct RnnArgs {
  RnnShape s;
  const float *x, *w, *r;  // w, r as given; used when the packed ones must be made in the run
  const float* bias;       // as given [D, 2*G*H], or null
  const float *initial_h, *initial_c, *peepholes;
  const int32_t* lengths;              // [B] or null
  float *y, *y_h, *y_c;                // any may be null
  const float *packed_w, *packed_r;    // [D] blobs; null: pack into workspace
  const void *kept_w, *kept_r;         // [D] blobs, where the session keeps weights in fewer bits (gemm/weights.h): nothing else of them is used then
  void* terms;                         // with these: rows of x and h as they are multiplied
  const void* interleaved;             // [D] blobs of R, of a batch of 1 (interleaved.h): packed_r and kept_r are not used then; null: they are
  const float* summed_bias;            // [D, G*H + H]: Wb + Rb (and GRU's Rb of h~, with linear_before_reset); null: sum in the run
  float *work_w, *work_r, *work_bias;  // where to, when they are null
  float* pre;                          // [steps * rows, G*H] the x part
  float* gates;                        // [rows, G*H]
  void* ahead;                         // with `interleaved`: x of steps to come, [inputs, kMostAhead] words, and a row of them as it is made
  float *h, *c;                        // [rows, H]; c: GRU keeps r*h there
  int64_t w_floats, r_floats;          // of one direction's packed weights, bytes of those that are kept
  uint32_t* fault;                     // of lengths that are out of range; null without lengths
};

// Floats of a direction's packed R: GRU's h~ columns are a product of their own.
int64_t packed_r_floats(Cell cell, int64_t hidden);
// Bytes of a product's weights in fewer bits, and of a direction's R: as above, h~ of GRU behind the others.
int64_t kept_r_bytes(WeightForm form, Cell cell, int64_t hidden);
constexpr int64_t kept_bytes(WeightForm form, int64_t n, int64_t k) {
  return ((form == WeightForm::int8 ? quad_bytes(n, k) : weight_bytes(form, n, k)) + 63) / 64 * 64;
}
constexpr int64_t kept_h_at(WeightForm form, int64_t hidden) { return kept_bytes(form, 2 * hidden, hidden); }
// R of a row alone, by units (interleaved.h): whole blocks of 16, the last padded with zeros unless at most 4 units are left, which are one vector.
struct InterleavedBlocks {
  int64_t blocks, left;
  explicit constexpr InterleavedBlocks(int64_t hidden) : blocks(hidden / 16 + (hidden % 16 > 4)), left(hidden % 16 > 4 ? 0 : hidden % 16) {}
  constexpr int64_t vectors(Cell cell) const { return blocks * gates(cell) + (left > 0); }  // of a step of K
};
// Steps of K: one, two or four terms each.
constexpr int64_t interleaved_depth(WeightForm form, int64_t hidden) {
  const int64_t terms = form == WeightForm::f32 ? 1 : form == WeightForm::bf16 ? 2 : 4;
  return (hidden + terms - 1) / terms;
}
// Vectors of 64 bytes; of int8 two more each, of scales and of what sums begin with.
constexpr int64_t interleaved_bytes(WeightForm form, Cell cell, int64_t hidden) {
  return InterleavedBlocks(hidden).vectors(cell) * 64 * (interleaved_depth(form, hidden) + (form == WeightForm::int8 ? 2 : 0));
}
constexpr int64_t kMostAhead = 8;  // steps of which the x part is computed beside the recurrence
// packed: zeroed; given: of int8, as pack_quads has it
void interleave_r(WeightForm form, Cell cell, const float* r, int64_t hidden, const float* given, void* packed);
void pack_w(Cell cell, const float* w, int64_t inputs, int64_t hidden, float* packed);  // packed: zeroed
void pack_r(Cell cell, const float* r, int64_t hidden, float* packed);
void sum_bias(Cell cell, const float* bias, int64_t hidden, bool linear_before_reset, float* sum);  // bias null: zeros

TERN_EACH_ISA(extern const KernelRow lstm_f32, gru_f32, rnn_f32;)  // rnn.simd.cpp
TERN_EACH_ISA(extern const KernelRow lstm_weights_bf16, gru_weights_bf16, rnn_weights_bf16, lstm_weights_int8, gru_weights_int8, rnn_weights_int8;)

// The portable kernel: any float dtype, weights as given.
struct PortableRnnArgs {
  RnnShape s;
  const void *x, *w, *r, *bias, *initial_h, *initial_c, *peepholes;
  const int32_t* lengths;
  void *y, *y_h, *y_c;
  double* gates;  // [4 * hidden], on a device for each block
  void *h, *c;    // [hidden] of the dtype, likewise
  uint32_t* fault;
};
namespace portable {
extern const KernelRow kLstm[3], kGru[3], kRnn[3];
}  // namespace portable

// What every kernel ends with. It clamped lengths; this tells of those that needed it.
template <class Args>
static inline void report_lengths(const Args& a) {
  if (a.lengths == nullptr) return;
  uint32_t fault = 0;
  for (int64_t b = 0; b < a.s.batch; ++b) fault |= static_cast<uint32_t>(sequence_length(a.lengths[b], a.s.steps) != a.lengths[b]);
  *a.fault = fault;
}

}  // namespace tern
