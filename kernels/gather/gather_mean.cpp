// GatherMean: schema, inference, binding. See gather_mean.h.
#include "kernels/gather/gather_mean.h"

#include "kernels/gather/index.h"

namespace tern {
namespace {

constexpr AttrSpec kMeanAttrs[] = {{"keepdims", AttrKind::i, 1}};

Status infer_mean(InferContext& c) {
  if (const DType t = c.dtype(0); t != DType::f32 && t != DType::f16 && t != DType::bf16) return bad_dtype(t);
  if (Status s = check_index_dtype(c.dtype(1)); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1);
  Shape y;
  if (x.ranked() && k.ranked()) {
    if (x.rank() < 1 || k.rank() < 1) return invalid("a table of shape " + x.text() + " and indices of shape " + k.text() + ": both need an axis");
    std::vector<Dim> dims(k.dims().begin(), k.dims().end() - 1);
    if (c.attrs.i("keepdims") != 0) dims.push_back(1);
    dims.insert(dims.end(), x.dims().begin() + 1, x.dims().end());
    y = Shape(std::move(dims));
    if (Status s = check_indices(c.inputs[1].value, x[0], y); !s) return s;
  }
  c.set(0, DType::f32, std::move(y));
  return {};
}

Status bind_mean(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int64_t count = k.dims.back(), row = x.dims.count(1, x.dims.rank);
  const auto [begin, end] = c.range(k.dims.count(0, k.dims.rank - 1));
  if (begin == end || row == 0) return {};
  if (x.dims[0] == 0 && count > 0) return invalid("a table of 0 rows has nothing to gather");
  GatherMeanArgs& a = c.args<GatherMeanArgs>();
  a.n = x.dims[0];
  a.count = count;
  a.row = row;
  a.begin = begin;
  a.end = end;
  a.from = x.dtype;
  c.set(a.x, c.input(0));
  c.set(a.indices, c.input(1));
  c.set(a.y, c.output<float>(0));
  c.set(a.fault, c.fault(index_fault(x.dims[0])));
  c.run(*c.pick(k.dtype));
  return {};
}

int64_t steps(const AttrReader&, std::span<const TensorView> in, std::span<const TensorView> out) {
  return out[0].count() * std::max<int64_t>(1, in[1].dims.back());
}

}  // namespace

constinit const OpDef kGatherMean = {.name = "GatherMean",
                                     .inputs = {2, 2},
                                     .outputs = {1, 1},
                                     .attrs = kMeanAttrs,
                                     .infer = infer_mean,
                                     .bind = bind_mean,
                                     .kernels = rows_of<TERN_ON_EACH_ISA(gather_mean_i32), TERN_ON_EACH_ISA(gather_mean_i64)>,
                                     .steps = steps,
                                     .tern_only = true};

}  // namespace tern
