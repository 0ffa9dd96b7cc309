// See nest.h.
#include "kernels/elementwise/nest.h"

namespace tern {

RowNest make_nest(const Dims& out, std::span<const Dims> operands, int64_t begin, int64_t end) {
  RowNest nest;
  nest.begin = begin;
  nest.end = end;
  if (begin >= end) return nest;
  // axes innermost first, those of extent 1 dropped, neighbours joined
  int64_t extent[kMaxRank] = {}, stride[kMaxOperands][kMaxRank] = {}, pitch[kMaxOperands] = {1, 1, 1};
  int axes = 0;
  for (int axis = out.rank - 1; axis >= 0; --axis) {
    if (out[axis] == 1) continue;
    int64_t here[kMaxOperands] = {};
    bool joins = axes > 0;
    for (size_t i = 0; i < operands.size(); ++i) {
      const int own = axis - (out.rank - operands[i].rank);
      const int64_t n = own < 0 ? 1 : operands[i][own];
      here[i] = n == 1 ? 0 : pitch[i];
      pitch[i] *= n;
      joins = joins && here[i] == stride[i][axes - 1] * extent[axes - 1];
    }
    if (joins) {
      extent[axes - 1] *= out[axis];
      continue;
    }
    extent[axes] = out[axis];
    for (int i = 0; i < kMaxOperands; ++i) stride[i][axes] = here[i];
    ++axes;
  }
  if (axes == 0) return nest;
  nest.inner = extent[0];
  nest.outer = axes - 1;
  for (int i = 0; i < kMaxOperands; ++i) {
    nest.step[i] = stride[i][0];
    for (int a = 1; a < axes; ++a) nest.stride[i][axes - 1 - a] = stride[i][a];
  }
  for (int a = 1; a < axes; ++a) nest.extent[axes - 1 - a] = extent[a];
  return nest;
}

Status infer_broadcast(InferContext& c, DType dtype) {
  Shape shape = c.shape(0);
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    auto wider = broadcast_shapes(shape, c.shape(i), c);
    if (!wider) return wider.error();
    shape = std::move(*wider);
  }
  c.set(0, dtype, std::move(shape));
  return {};
}

Status same_dtypes(const InferContext& c, size_t first, bool (*allowed)(DType)) {
  for (size_t i = first; i < c.inputs.size(); ++i) {
    if (!allowed(c.dtype(i))) return bad_dtype(c.dtype(i));
    if (c.dtype(i) != c.dtype(first)) {
      return invalid("inputs " + std::to_string(first) + " and " + std::to_string(i) + " are " + name(c.dtype(first)) + " and " + name(c.dtype(i)));
    }
  }
  return {};
}

}  // namespace tern
