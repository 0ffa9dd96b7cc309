// LSTM, GRU and RNN: schema and shape inference, the operators. See rnn.h; binding is in bind.cpp.
#include "kernels/rnn/rnn.h"

#include "kernels/op.h"
#include "kernels/rnn/bind.h"
#include "kernels/rnn/launch.h"

namespace tern {
namespace {

constexpr AttrSpec kRnnAttrs[] = {
    {"activation_alpha", AttrKind::floats}, {"activation_beta", AttrKind::floats}, {"activations", AttrKind::strings}, {"clip", AttrKind::f},
    {"direction", AttrKind::s, "forward"},  {"hidden_size", AttrKind::i},          {"layout", AttrKind::i, 0}};
constexpr AttrSpec kGruAttrs[] = {{"activation_alpha", AttrKind::floats},
                                  {"activation_beta", AttrKind::floats},
                                  {"activations", AttrKind::strings},
                                  {"clip", AttrKind::f},
                                  {"direction", AttrKind::s, "forward"},
                                  {"hidden_size", AttrKind::i},
                                  {"layout", AttrKind::i, 0},
                                  {"linear_before_reset", AttrKind::i, 0}};
constexpr AttrSpec kLstmAttrs[] = {
    {"activation_alpha", AttrKind::floats}, {"activation_beta", AttrKind::floats}, {"activations", AttrKind::strings}, {"clip", AttrKind::f},
    {"direction", AttrKind::s, "forward"},  {"hidden_size", AttrKind::i},          {"input_forget", AttrKind::i, 0},   {"layout", AttrKind::i, 0}};

// `weights`: the dtype of W and R.
Status infer(InferContext& c, Cell cell, DType weights) {
  if (!is_float(c.dtype(0))) return bad_dtype(c.dtype(0));
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    if (c.dtype(i) != (i == 4 ? DType::i32 : i <= 2 ? weights : c.dtype(0))) {
      return invalid("input " + std::to_string(i) + " is " + std::string(name(c.dtype(i))) +
                     (i == 4                            ? ", sequence_lens must be i32"
                      : i <= 2 && weights != c.dtype(0) ? ", weights must be i8"
                                                        : ", the data is " + std::string(name(c.dtype(0)))));
    }
  }
  const std::string direction = c.attrs.s("direction");
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
Status infer_lstm(InferContext& c) { return infer(c, Cell::lstm, c.dtype(0)); }
Status infer_quantized(InferContext& c) {
  if (c.dtype(0) != DType::f32) return bad_dtype(c.dtype(0));
  if (!c.has(8) || !c.has(9)) return invalid("the scales of W and R are required");
  return infer(c, Cell::lstm, DType::i8);
}
Status infer_gru(InferContext& c) { return infer(c, Cell::gru, c.dtype(0)); }
Status infer_rnn(InferContext& c) { return infer(c, Cell::rnn, c.dtype(0)); }
Status bind_lstm(BindContext& c) { return bind_recurrent(c, Cell::lstm); }
Status bind_gru(BindContext& c) { return bind_recurrent(c, Cell::gru); }
Status bind_rnn(BindContext& c) { return bind_recurrent(c, Cell::rnn); }

int64_t macs(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView>) {
  return in[0].dims[0] * in[0].dims[1] * (in[1].count() + in[2].count());
}

}  // namespace

constinit const OpDef kLSTM = {.name = "LSTM",
                               .inputs = {3, 8},
                               .outputs = {0, 3},
                               .attrs = kLstmAttrs,
                               .infer = infer_lstm,
                               .bind = bind_lstm,
                               .kernels = rows_of<TERN_ON_EACH_ISA(lstm_f32), TERN_ON_EACH_ISA(lstm_weights_bf16),
                                                  TERN_ON_EACH_ISA(lstm_weights_int8), cuda::lstm_f32, portable::kLstm, cuda::kPortableLstm>,
                               .macs = macs};
constinit const OpDef kDynamicQuantizeLSTM = {.name = "DynamicQuantizeLSTM",
                                              .inputs = {3, 10},
                                              .outputs = {0, 3},
                                              .attrs = kLstmAttrs,
                                              .infer = infer_quantized,
                                              .bind = bind_lstm,
                                              .kernels = rows_of<TERN_ON_EACH_ISA(lstm_f32), TERN_ON_EACH_ISA(lstm_weights_int8)>,
                                              .macs = macs,
                                              .tern_only = true};
constinit const OpDef kGRU = {.name = "GRU",
                              .inputs = {3, 6},
                              .outputs = {0, 2},
                              .attrs = kGruAttrs,
                              .infer = infer_gru,
                              .bind = bind_gru,
                              .kernels = rows_of<TERN_ON_EACH_ISA(gru_f32), TERN_ON_EACH_ISA(gru_weights_bf16), TERN_ON_EACH_ISA(gru_weights_int8),
                                                 cuda::gru_f32, portable::kGru, cuda::kPortableGru>,
                              .macs = macs};
constinit const OpDef kRNN = {.name = "RNN",
                              .inputs = {3, 6},
                              .outputs = {0, 2},
                              .attrs = kRnnAttrs,
                              .infer = infer_rnn,
                              .bind = bind_rnn,
                              .kernels = rows_of<TERN_ON_EACH_ISA(rnn_f32), TERN_ON_EACH_ISA(rnn_weights_bf16), TERN_ON_EACH_ISA(rnn_weights_int8),
                                                 cuda::rnn_f32, portable::kRnn, cuda::kPortableRnn>,
                              .macs = macs};

}  // namespace tern
