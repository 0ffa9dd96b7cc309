// Gather. See gather.h.
#include "kernels/gather/gather.h"

#include "kernels/gather/gather_device.h"
#include "kernels/gather/index.h"
#include "kernels/launch.h"

namespace tern {
namespace {

template <class Index, int Run>
void gather_runs(const GatherArgs& a) {
  const auto* indices = static_cast<const Index*>(a.indices);
  const int64_t run = Run > 0 ? Run : a.run;
  int64_t o = a.begin / a.count, k = a.begin % a.count;
  std::byte* y = a.y + a.begin * run;
  uint32_t fault = 0;
  for (int64_t at = a.begin; at < a.end; ++at, y += run) {
    std::memcpy(y, a.x + (o * a.n + place_index(indices[k], a.n, fault)) * run, static_cast<size_t>(run));
    if (++k == a.count) {
      k = 0;
      ++o;
    }
  }
  *a.fault = fault;
}

template <class Index>
void gather(const GatherArgs& a) {
  switch (a.run) {
    case 1: return gather_runs<Index, 1>(a);
    case 2: return gather_runs<Index, 2>(a);
    case 4: return gather_runs<Index, 4>(a);
    case 8: return gather_runs<Index, 8>(a);
    default: return gather_runs<Index, 0>(a);
  }
}

constexpr KernelRow kRows[] = {
    row<GatherArgs, gather<int32_t>>("gather/i32/scalar", DType::i32, Isa::scalar),
    row<GatherArgs, gather<int64_t>>("gather/i64/scalar", DType::i64, Isa::scalar),
    device_row<GatherArgs, cuda::launch_gather<false>>("gather/i32/cuda", DType::i32),
    device_row<GatherArgs, cuda::launch_gather<true>>("gather/i64/cuda", DType::i64),
};

Status infer(InferContext& c) {
  if (Status s = check_index_dtype(c.dtype(1)); !s) return s;
  const Shape &x = c.shape(0), &k = c.shape(1);
  if (!x.ranked() || !k.ranked()) {
    c.set(0, c.dtype(0), Shape());
    return {};
  }
  auto axis = normalize_axis(c.attrs.i("axis"), x.rank());
  if (!axis) return invalid("axis " + std::to_string(c.attrs.i("axis")) + " is outside of " + x.text());
  Shape y(std::vector<Dim>{});
  for (int d = 0; d < x.rank(); ++d) {
    if (d != *axis) {
      y.push_back(x[d]);
      continue;
    }
    for (const Dim& n : k.dims()) y.push_back(n);
  }
  if (Status s = check_indices(c.inputs[1].value, x[*axis], y); !s) return s;
  c.set(0, c.dtype(0), std::move(y));
  return {};
}

Status bind(BindContext& c) {
  const TensorView &x = c.in(0), &k = c.in(1);
  const int axis = *normalize_axis(c.attrs.i("axis"), x.dims.rank);
  const int64_t outer = x.dims.count(0, axis), count = k.count();
  const int64_t run = x.dims.count(axis + 1, x.dims.rank) * static_cast<int64_t>(size_of(x.dtype));
  const auto [begin, end] = c.range(outer * count);
  if (run == 0 || begin == end) return {};
  if (x.dims[axis] == 0) return invalid("an axis of 0 has nothing to gather");
  GatherArgs& a = c.args<GatherArgs>();
  a.n = x.dims[axis];
  a.count = count;
  a.run = run;
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input(0));
  c.set(a.indices, c.input(1));
  c.set(a.y, c.output(0));
  c.set(a.fault, c.fault(index_fault(x.dims[axis])));
  c.run(*c.pick(k.dtype));
  return {};
}

constexpr AttrSpec kAttrs[] = {{"axis", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kGather = {.name = "Gather",
                                 .inputs = {2, 2},
                                 .outputs = {1, 1},
                                 .attrs = kAttrs,
                                 .infer = infer,
                                 .bind = bind,
                                 .kernels = rows_of<kRows>,
                                 .moves_data = true};

}  // namespace tern
