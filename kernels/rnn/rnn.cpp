// LSTM, GRU and RNN: schema and shape inference, the operators. See rnn.h; binding is in bind.cpp.
#include "kernels/rnn/rnn.h"

#include "kernels/op.h"
#include "kernels/rnn/bind.h"

namespace tern {
namespace {

// The kernels clamp lengths; this tells of those that needed it.
template <class Args, void (*F)(const Args&)>
void run(const Args& a) {
  F(a);
  if (a.lengths == nullptr) return;
  uint32_t fault = 0;
  for (int64_t b = 0; b < a.s.batch; ++b) fault |= static_cast<uint32_t>(sequence_length(a.lengths[b], a.s.steps) != a.lengths[b]);
  *a.fault = fault;
}
template <class Args, void (*F)(const Args&)>
constexpr KernelRow rnn_row(const char* name, DType dtype, Isa isa) {
  return row<Args, run<Args, F>>(name, dtype, isa);
}

constexpr KernelRow kLstmRows[] = {
    rnn_row<RnnArgs, scalar::lstm_f32>("lstm/f32/scalar", DType::f32, Isa::scalar),
    rnn_row<RnnArgs, avx2::lstm_f32>("lstm/f32/avx2", DType::f32, Isa::avx2),
    rnn_row<RnnArgs, avx512::lstm_f32>("lstm/f32/avx512", DType::f32, Isa::avx512),
    rnn_row<PortableRnnArgs, portable::rnn<double, Cell::lstm>>("lstm/f64/scalar", DType::f64, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<f16, Cell::lstm>>("lstm/f16/scalar", DType::f16, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<bf16, Cell::lstm>>("lstm/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kGruRows[] = {
    rnn_row<RnnArgs, scalar::gru_f32>("gru/f32/scalar", DType::f32, Isa::scalar),
    rnn_row<RnnArgs, avx2::gru_f32>("gru/f32/avx2", DType::f32, Isa::avx2),
    rnn_row<RnnArgs, avx512::gru_f32>("gru/f32/avx512", DType::f32, Isa::avx512),
    rnn_row<PortableRnnArgs, portable::rnn<double, Cell::gru>>("gru/f64/scalar", DType::f64, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<f16, Cell::gru>>("gru/f16/scalar", DType::f16, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<bf16, Cell::gru>>("gru/bf16/scalar", DType::bf16, Isa::scalar),
};
constexpr KernelRow kRnnRows[] = {
    rnn_row<RnnArgs, scalar::rnn_f32>("rnn/f32/scalar", DType::f32, Isa::scalar),
    rnn_row<RnnArgs, avx2::rnn_f32>("rnn/f32/avx2", DType::f32, Isa::avx2),
    rnn_row<RnnArgs, avx512::rnn_f32>("rnn/f32/avx512", DType::f32, Isa::avx512),
    rnn_row<PortableRnnArgs, portable::rnn<double, Cell::rnn>>("rnn/f64/scalar", DType::f64, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<f16, Cell::rnn>>("rnn/f16/scalar", DType::f16, Isa::scalar),
    rnn_row<PortableRnnArgs, portable::rnn<bf16, Cell::rnn>>("rnn/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr AttrSpec kRnnAttrs[] = {{"activation_alpha", AttrKind::floats}, {"activation_beta", AttrKind::floats}, {"activations", AttrKind::strings},
                                  {"clip", AttrKind::f}, {"direction", AttrKind::s}, {"hidden_size", AttrKind::i}, {"layout", AttrKind::i}};
constexpr AttrSpec kGruAttrs[] = {{"activation_alpha", AttrKind::floats}, {"activation_beta", AttrKind::floats}, {"activations", AttrKind::strings},
                                  {"clip", AttrKind::f}, {"direction", AttrKind::s}, {"hidden_size", AttrKind::i}, {"layout", AttrKind::i},
                                  {"linear_before_reset", AttrKind::i}};
constexpr AttrSpec kLstmAttrs[] = {{"activation_alpha", AttrKind::floats}, {"activation_beta", AttrKind::floats}, {"activations", AttrKind::strings},
                                   {"clip", AttrKind::f}, {"direction", AttrKind::s}, {"hidden_size", AttrKind::i}, {"input_forget", AttrKind::i},
                                   {"layout", AttrKind::i}};

Status infer(InferContext& c, Cell cell) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    if (i == 4 ? c.dtype(i) != DType::i32 : c.dtype(i) != c.dtype(0)) {
      return invalid("input " + std::to_string(i) + " is " + std::string(name(c.dtype(i))) + (i == 4 ? ", sequence_lens must be i32" : ", the data is " + std::string(name(c.dtype(0)))));
    }
  }
  const std::string direction = c.attrs.s("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") return invalid("direction is '" + direction + "'");
  if (auto s = rnn_activations(c.attrs, cell); !s) return s.error();
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() != 3) return invalid("the input is " + x.text() + ", it must have 3 dimensions");
  Dim hidden = c.attrs.has("hidden_size") ? Dim(c.attrs.i("hidden_size")) : Dim(0);
  const bool have_r = c.has(2) && c.shape(2).ranked();
  if (have_r && c.shape(2).rank() != 3) return invalid("R is " + c.shape(2).text() + ", it must have 3 dimensions");
  if (!c.attrs.has("hidden_size")) hidden = have_r ? c.shape(2)[2] : c.fresh();
  if (hidden.known() && hidden.value() < 1) return invalid("hidden_size is " + hidden.text());
  const bool batch_first = c.attrs.i("layout") != 0;
  const Dim steps = x.ranked() ? x[batch_first ? 1 : 0] : c.fresh(), batch = x.ranked() ? x[batch_first ? 0 : 1] : c.fresh();
  c.set(0, c.dtype(0), batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden});
  const Shape state = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  c.set(1, c.dtype(0), state);
  if (cell == Cell::lstm) c.set(2, c.dtype(0), state);
  return {};
}
Status infer_lstm(InferContext& c) { return infer(c, Cell::lstm); }
Status infer_gru(InferContext& c) { return infer(c, Cell::gru); }
Status infer_rnn(InferContext& c) { return infer(c, Cell::rnn); }
Status bind_lstm(BindContext& c) { return bind_recurrent(c, Cell::lstm, kLstmRows); }
Status bind_gru(BindContext& c) { return bind_recurrent(c, Cell::gru, kGruRows); }
Status bind_rnn(BindContext& c) { return bind_recurrent(c, Cell::rnn, kRnnRows); }

int64_t macs(const Attributes&, std::span<const TensorView> in, std::span<const TensorView>) {
  return in[0].dims[0] * in[0].dims[1] * (in[1].count() + in[2].count());
}

}  // namespace

constinit const OpDef kLSTM = {.name = "LSTM", .inputs = {3, 8}, .outputs = {0, 3}, .attrs = kLstmAttrs, .infer = infer_lstm, .bind = bind_lstm,
    .kernels = kLstmRows, .macs = macs};
constinit const OpDef kGRU = {.name = "GRU", .inputs = {3, 6}, .outputs = {0, 2}, .attrs = kGruAttrs, .infer = infer_gru, .bind = bind_gru,
    .kernels = kGruRows, .macs = macs};
constinit const OpDef kRNN = {.name = "RNN", .inputs = {3, 6}, .outputs = {0, 2}, .attrs = kRnnAttrs, .infer = infer_rnn, .bind = bind_rnn,
    .kernels = kRnnRows, .macs = macs};

}  // namespace tern
