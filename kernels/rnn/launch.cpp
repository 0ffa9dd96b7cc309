// Which of rnn.cu's kernels run, and how wide. See launch.h.
#include "kernels/rnn/launch.h"

#include <algorithm>

#include "kernels/launch.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "rnn/rnn";
constexpr int64_t kEnough = 132;      // blocks, as in gemm/launch.cpp: with fewer rows each has a block of its own
constexpr int32_t kStepColumns = 32;  // threads side by side in a step's block: a warp reads one stretch of R's row for each gate

int64_t round_up_to(int64_t n, int64_t of) { return (n + of - 1) / of * of; }

const char* kernel_of(Cell cell, bool rows) {
  if (cell == Cell::lstm) return rows ? "lstm_rows_f32" : "lstm_row_f32";
  if (cell == Cell::gru) return rows ? "gru_rows_f32" : "gru_row_f32";
  return rows ? "rnn_rows_f32" : "rnn_row_f32";
}

void add_recurrent(RnnArgs a, RnnPart part, bool rows, uint32_t threads, Launches& to) {
  a.part = part;
  const int64_t most = (rows ? kRnnRows : 1) * a.groups;
  const int64_t floats = most * (a.depth * (part == RnnPart::whole ? 2 : 1) + a.units * (1 + gates(a.cell)));
  const Dim3 grid{blocks_for(a.s.hidden, a.units), static_cast<uint32_t>(std::min<int64_t>((a.s.batch + most - 1) / most, 65535)),
                  static_cast<uint32_t>(a.s.directions)};
  to.add(kModule, kernel_of(a.cell, rows), grid, {threads}, static_cast<uint32_t>(floats * 4), a);
}

void add_state(const RnnShape& s, const float* from, float* into, bool load, Launches& to) {
  if (into == nullptr) return;
  RnnStateArgs a{from, into, s.directions, s.batch, s.hidden, s.state_direction, s.state_row, s.batch * s.hidden, s.hidden};
  if (!load) {
    std::swap(a.from_direction, a.to_direction);
    std::swap(a.from_row, a.to_row);
  }
  to.add(kModule, "rnn_state_f32", {blocks_for(s.directions * s.batch * s.hidden, kRnnBlock)}, {kRnnBlock}, 0, a);
}

void add_lengths(const RnnShape& s, const int32_t* lengths, uint32_t* fault, Launches& to) {
  if (lengths == nullptr) return;
  to.add(kModule, "rnn_lengths", {blocks_for(s.batch, kRnnBlock)}, {kRnnBlock}, 0, RnnLengthsArgs{lengths, s.batch, s.steps, fault});
}

void add_steps(RnnArgs a, Launches& to) {
  const RnnShape& s = a.s;
  const bool rows = s.batch > 1, lstm = a.cell == Cell::lstm, resets = a.cell == Cell::gru && !s.linear_before_reset;
  a.units = a.cell == Cell::rnn ? 32 : resets ? 16 : 8;
  a.groups = rows ? static_cast<int32_t>(std::min<int64_t>(4, (s.batch + kRnnRows - 1) / kRnnRows)) : 1;
  a.depth = static_cast<int32_t>(std::min<int64_t>(kRnnDepth, round_up_to(s.hidden, 4)));
  add_state(s, a.initial_h, a.h[0], true, to);
  if (lstm) add_state(s, a.initial_c, a.c, true, to);
  for (a.step = 0; a.step < s.steps; ++a.step) {
    if (resets) add_recurrent(a, RnnPart::reset, rows, static_cast<uint32_t>(kStepColumns * a.groups), to);
    add_recurrent(a, resets ? RnnPart::rest : RnnPart::step, rows, static_cast<uint32_t>(kStepColumns * a.groups), to);
  }
  add_state(s, a.h[s.steps % 2], a.y_h, false, to);
  if (lstm) add_state(s, a.c, a.y_c, false, to);
}

void launch(const RnnSteps& step, Launches& to) {
  RnnArgs a = step.rnn;
  const RnnShape& s = a.s;
  const int64_t n = gates(a.cell) * s.hidden;
  for (int64_t d = 0; d < s.directions; ++d) {
    for (ArrangeArgs r : {step.w, step.r}) {
      if (r.from == nullptr) continue;
      r.from += d * r.rows * r.columns;
      r.to += d * r.rows * r.to_row;
      launch_arrange(r, to);
    }
  }
  if (step.bias.bias != nullptr) to.add(kModule, "rnn_bias_f32", {blocks_for(s.directions * (n + s.hidden), kRnnBlock)}, {kRnnBlock}, 0, step.bias);
  add_lengths(s, a.lengths, step.fault, to);
  for (int64_t d = 0; d < s.directions; ++d) {
    ProductArgs x = step.x;
    x.w += d * s.inputs * x.w_k;
    x.bias += d * (n + s.hidden);
    x.y += d * a.pre_direction;
    launch_product(x, to);
  }
  if (!rnn_whole(s, a.cell)) return add_steps(a, to);
  a.units = static_cast<int32_t>(s.hidden);
  a.groups = 1;
  a.depth = static_cast<int32_t>(round_up_to(s.hidden, 4));
  add_recurrent(a, RnnPart::whole, s.batch * s.directions > kEnough, static_cast<uint32_t>(std::min<int64_t>(kRnnMostThreads, round_up_to(n, 32))),
                to);
}

template <Cell kCell, DType kType>
void launch_portable(const PortableRnnArgs& a, Launches& to) {
  constexpr const char* kNames[3][3] = {
      {"rnn_f64", "rnn_f16", "rnn_bf16"}, {"gru_f64", "gru_f16", "gru_bf16"}, {"lstm_f64", "lstm_f16", "lstm_bf16"}};
  const char* kernel = kNames[static_cast<int>(kCell)][kType == DType::f64 ? 0 : kType == DType::f16 ? 1 : 2];
  add_lengths(a.s, a.lengths, a.fault, to);
  to.add("rnn/portable", kernel, {blocks_for(std::min(kPortableRnnBlocks, a.s.end - a.s.begin), 1)}, {kPortableRnnBlock}, 0, a);
}
template <Cell kCell, DType kType>
constexpr KernelRow portable_row(const char* name) {
  return device_row<PortableRnnArgs, launch_portable<kCell, kType>>(name, kType);
}

}  // namespace

bool rnn_whole(const RnnShape& s, Cell cell) { return gates(cell) * s.hidden * s.hidden <= kRnnWhole; }

constinit const KernelRow kPortableLstm[] = {portable_row<Cell::lstm, DType::f64>("lstm/f64/cuda"),
                                             portable_row<Cell::lstm, DType::f16>("lstm/f16/cuda"),
                                             portable_row<Cell::lstm, DType::bf16>("lstm/bf16/cuda")};
constinit const KernelRow kPortableGru[] = {portable_row<Cell::gru, DType::f64>("gru/f64/cuda"), portable_row<Cell::gru, DType::f16>("gru/f16/cuda"),
                                            portable_row<Cell::gru, DType::bf16>("gru/bf16/cuda")};
constinit const KernelRow kPortableRnn[] = {portable_row<Cell::rnn, DType::f64>("rnn/f64/cuda"), portable_row<Cell::rnn, DType::f16>("rnn/f16/cuda"),
                                            portable_row<Cell::rnn, DType::bf16>("rnn/bf16/cuda")};
constinit const KernelRow lstm_f32 = device_row<RnnSteps, launch>("lstm/f32/cuda", DType::f32);
constinit const KernelRow gru_f32 = device_row<RnnSteps, launch>("gru/f32/cuda", DType::f32);
constinit const KernelRow rnn_f32 = device_row<RnnSteps, launch>("rnn/f32/cuda", DType::f32);

}  // namespace tern::cuda
