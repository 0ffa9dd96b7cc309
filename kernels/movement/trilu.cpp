// Trilu: keeps what lies on and above (upper) or below the k-th diagonal of every matrix, zero elsewhere. See movement.h.
#include "kernels/launch.h"
#include "kernels/movement/copy.h"
#include "kernels/movement/movement.h"
#include "kernels/movement/movement_device.h"

namespace tern {
namespace {

void trilu(const TriluArgs& a) {
  for (int64_t r = a.begin; r < a.end; ++r) {
    const int64_t i = r % a.rows;
    // columns [0, split) and [split, cols): the second is kept for upper, the first for lower
    const int64_t split = std::clamp<int64_t>(a.upper ? i + a.k : i + a.k + 1, 0, a.cols) * a.size, row = a.cols * a.size;
    const std::byte* x = a.x + r * row;
    std::byte* y = a.y + r * row;
    const int64_t keep = a.upper ? split : 0, zero = a.upper ? 0 : split, kept = a.upper ? row - split : split;
    if (x != y) std::memcpy(y + keep, x + keep, static_cast<size_t>(kept));
    std::memset(y + zero, 0, static_cast<size_t>(row - kept));
  }
}

constexpr KernelRow kTriluRows[] = {
    row<TriluArgs, trilu>("trilu/scalar", DType::none, Isa::scalar),
    device_row<TriluArgs, cuda::launch_trilu>("trilu/cuda", DType::none),
};

Status infer_trilu(InferContext& c) {
  if (c.dtype(0) == DType::string) return bad_dtype(c.dtype(0));
  if (c.shape(0).ranked() && c.shape(0).rank() < 2) return invalid("the input " + c.shape(0).text() + " is no matrix");
  return infer_same(c);
}

Status bind_trilu(BindContext& c) {
  const TensorView& x = c.in(0);
  const int rank = x.dims.rank;
  const int64_t rows = x.dims[rank - 2], cols = x.dims[rank - 1];
  const int64_t diagonal = std::clamp(c.has(1) ? c.ints(1)[0] : 0, -rows - 1, cols + 1);  // farther out changes nothing
  const auto [begin, end] = c.range(x.dims.count(0, rank - 1));
  if (begin == end || cols == 0) return {};
  TriluArgs& a =
      c.args(TriluArgs{nullptr, nullptr, rows, cols, static_cast<int64_t>(size_of(x.dtype)), begin, end, diagonal, c.attrs.i("upper") != 0});
  c.set(a.x, c.input(0));
  c.set(a.y, c.output(0));
  c.run(*c.pick(DType::none));
  return {};
}

constexpr AttrSpec kTriluAttrs[] = {{"upper", AttrKind::i, 1}};

}  // namespace

constinit const OpDef kTrilu = {.name = "Trilu",
                                .inputs = {1, 2},
                                .outputs = {1, 1},
                                .attrs = kTriluAttrs,
                                .infer = infer_trilu,
                                .bind = bind_trilu,
                                .kernels = rows_of<kTriluRows>,
                                .value_inputs = {.integer = 2},
                                .inplace_inputs = 1};

}  // namespace tern
