// ReverseSequence: for each batch b, the first lens[b] steps of time come in reverse. See movement.h.
#include "kernels/launch.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "kernels/movement/movement_device.h"

namespace tern {
namespace {

void reverse(const ReverseArgs& a) {
  uint32_t fault = 0;
  for (int64_t b = 0; b < a.batch; ++b) {
    fault |= static_cast<uint32_t>(static_cast<uint64_t>(a.lens[b]) > static_cast<uint64_t>(a.time));
    const int64_t len = std::clamp<int64_t>(a.lens[b], 0, a.time);
    for (int64_t t = 0; t < a.time; ++t) {
      const int64_t from = t < len ? len - 1 - t : t;
      const int64_t to = a.time_first ? t * a.batch + b : b * a.time + t;
      std::memcpy(a.y + to * a.run, a.x + (a.time_first ? from * a.batch + b : b * a.time + from) * a.run, static_cast<size_t>(a.run));
    }
  }
  *a.fault = fault;
}

constexpr KernelRow kReverseSequenceRows[] = {
    row<ReverseArgs, reverse>("reverse_sequence/scalar", DType::none, Isa::scalar),
    device_row<ReverseArgs, cuda::launch_reverse>("reverse_sequence/cuda", DType::none),
};

Status infer_reverse_sequence(InferContext& c) {
  const int64_t batch = c.attrs.i("batch_axis"), time = c.attrs.i("time_axis");
  if (c.dtype(1) != DType::i64) return bad_dtype(c.dtype(1));
  if (!((batch == 0 && time == 1) || (batch == 1 && time == 0))) return invalid("batch_axis and time_axis must be 0 and 1");
  const Shape &x = c.shape(0), &lens = c.shape(1);
  if (x.ranked() && x.rank() < 2) return invalid("the input " + x.text() + " has no batch and time");
  if (x.ranked() && lens.ranked()) {
    const Dim& n = x[static_cast<int>(batch)];
    if (lens.rank() != 1 || (n.known() && lens[0].known() && !(n == lens[0])))
      return invalid("sequence_lens " + lens.text() + " does not fit " + x.text());
  }
  return infer_same(c);
}

Status bind_reverse_sequence(BindContext& c) {
  const TensorView& x = c.in(0);
  const bool time_first = c.attrs.i("time_axis") == 0;
  if (x.count() == 0) return {};
  if (c.in(1).count() != x.dims[time_first ? 1 : 0]) return invalid("sequence_lens does not fit the batch");
  const int64_t batch = x.dims[time_first ? 1 : 0], time = x.dims[time_first ? 0 : 1];
  ReverseArgs& a = c.args(ReverseArgs{nullptr, nullptr, nullptr, batch, time, x.dims.count(2, x.dims.rank) * static_cast<int64_t>(size_of(x.dtype)),
                                      time_first, nullptr});
  c.set(a.x, c.input(0));
  c.set(a.lens, c.input<const int64_t>(1));
  c.set(a.y, c.output(0));
  c.set(a.fault, c.fault("a sequence length was out of range [0, " + std::to_string(time) + "]"));
  c.run(*c.pick(DType::none));
  return {};
}

constexpr AttrSpec kReverseSequenceAttrs[] = {{"batch_axis", AttrKind::i, 1}, {"time_axis", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kReverseSequence = {.name = "ReverseSequence",
                                          .inputs = {2, 2},
                                          .outputs = {1, 1},
                                          .attrs = kReverseSequenceAttrs,
                                          .infer = infer_reverse_sequence,
                                          .bind = bind_reverse_sequence,
                                          .kernels = rows_of<kReverseSequenceRows>};

}  // namespace tern
