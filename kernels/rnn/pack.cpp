// How W and R are packed for the CPU's kernels. See rnn.h, interleaved.h. Next: terms.h.
#include "kernels/gemm/weights.h"
#include "kernels/rnn/rnn.h"
#include "runtime/base/checked.h"
#include "runtime/base/half.h"

namespace tern {

int64_t packed_r_floats(Cell cell, int64_t hidden) {
  if (cell == Cell::gru) return packed_floats(2 * hidden, hidden, 1) + packed_floats(hidden, hidden, 1);
  return packed_floats(gates(cell) * hidden, hidden, 1);
}
void pack_w(Cell cell, const float* w, int64_t inputs, int64_t hidden, float* packed) {
  pack_weights(w, 1, inputs, gates(cell) * hidden, inputs, 1.0f, 1, packed);
}
void pack_r(Cell cell, const float* r, int64_t hidden, float* packed) {
  if (cell != Cell::gru) return pack_weights(r, 1, hidden, gates(cell) * hidden, hidden, 1.0f, 1, packed);
  pack_weights(r, 1, hidden, 2 * hidden, hidden, 1.0f, 1, packed);
  pack_weights(r + 2 * hidden * hidden, 1, hidden, hidden, hidden, 1.0f, 1, packed + packed_floats(2 * hidden, hidden, 1));
}
int64_t kept_r_bytes(WeightForm form, Cell cell, int64_t hidden) {
  if (cell == Cell::gru) return kept_h_at(form, hidden) + kept_bytes(form, hidden, hidden);
  return kept_bytes(form, gates(cell) * hidden, hidden);
}
void sum_bias(Cell cell, const float* bias, int64_t hidden, bool linear_before_reset, float* sum) {
  const int64_t n = gates(cell) * hidden, split = cell == Cell::gru && linear_before_reset ? 2 * hidden : n;
  for (int64_t i = 0; i < n; ++i) sum[i] = i < split ? bias[i] + bias[n + i] : bias[i];
  for (int64_t i = 0; i < hidden; ++i) sum[n + i] = bias[2 * n - hidden + i];
}

namespace {

// Where the weights of a gate of a unit are.
struct InterleavedLane {
  int64_t vector, lane;  // vector: of the first step of K
  int64_t step;          // vectors to the next
};
InterleavedLane interleaved_lane(Cell cell, int64_t hidden, int64_t depth, int64_t gate, int64_t unit) {
  const InterleavedBlocks in(hidden);
  const int64_t G = gates(cell), block = unit / 16;
  if (block < in.blocks) return {block * depth * G + gate, unit % 16, G};
  return {in.blocks * depth * G, gate * 4 + unit % 16, 1};
}

void interleave_bytes(Cell cell, const float* r, int64_t hidden, const float* given, void* packed) {
  const InterleavedBlocks in(hidden);
  const int64_t G = gates(cell), depth = interleaved_depth(WeightForm::int8, hidden), lanes = in.vectors(cell) * 16;
  auto* scales = static_cast<float*>(packed);
  auto* begins = reinterpret_cast<int32_t*>(scales + lanes);
  auto* to = reinterpret_cast<int8_t*>(begins + lanes);
  for (int64_t g = 0; g < G; ++g) {
    for (int64_t u = 0; u < hidden; ++u) {
      const float* from = r + (g * hidden + u) * hidden;  // [k]
      const InterleavedLane at = interleaved_lane(cell, hidden, depth, g, u), of_step = interleaved_lane(cell, hidden, 1, g, u);
      const float scale = given != nullptr ? given[g * hidden + u] : int8_scale(from, 1, hidden, 1.0f);
      int32_t sum = 0;
      for (int64_t k = 0; k < hidden; ++k) {
        const int8_t w = to_int8(from[k], scale);
        to[(at.vector + k / 4 * at.step) * 64 + at.lane * 4 + k % 4] = w;
        sum += w;
      }
      scales[of_step.vector * 16 + of_step.lane] = scale;
      begins[of_step.vector * 16 + of_step.lane] = -kByteBias * sum;
    }
  }
}

}  // namespace

void interleave_r(WeightForm form, Cell cell, const float* r, int64_t hidden, const float* given, void* packed) {
  if (form == WeightForm::int8) return interleave_bytes(cell, r, hidden, given, packed);
  const int64_t G = gates(cell), depth = interleaved_depth(form, hidden);
  for (int64_t g = 0; g < G; ++g) {
    for (int64_t u = 0; u < hidden; ++u) {
      const float* from = r + (g * hidden + u) * hidden;  // [k]
      const InterleavedLane at = interleaved_lane(cell, hidden, depth, g, u);
      if (form == WeightForm::f32 && at.lane == 0 && hidden - u >= 16) {  // a block of sixteen units
        pack_transposed(from, hidden, 16, hidden, 1.0f, static_cast<float*>(packed) + at.vector * 16, at.step * 16);
        u += 15;
        continue;
      }
      for (int64_t k = 0; form == WeightForm::f32 && k < hidden; ++k) static_cast<float*>(packed)[(at.vector + k * at.step) * 16 + at.lane] = from[k];
      for (int64_t k = 0; form == WeightForm::bf16 && k < 2 * depth; ++k) {  // the earlier term in the upper half: element 1, little-endian
        static_cast<bf16*>(packed)[((at.vector + k / 2 * at.step) * 16 + at.lane) * 2 + 1 - k % 2] = k < hidden ? to_bf16(from[k]) : kNoTerm;
      }
    }
  }
}

}  // namespace tern
