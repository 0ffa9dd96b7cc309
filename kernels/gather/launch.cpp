// Which kernels of gather.cu and scatter.cu run: by the bytes of a unit, and by whether 31 bits number all units. See launch.h.
#include "kernels/launch.h"

#include <algorithm>
#include <bit>

#include "kernels/gather/gather_device.h"

namespace tern::cuda {
namespace {

constexpr const char* kGather = "gather/gather";
constexpr const char* kScatter = "gather/scatter";

// By log2 of a unit's bytes; `wide`: for 2^31 units and more.
struct Names {
  const char *fast[5], *wide[5];
};
constexpr Names kGatherNames = {{"gather_1", "gather_2", "gather_4", "gather_8", "gather_16"},
                                {"gather_wide_1", "gather_wide_2", "gather_wide_4", "gather_wide_8", "gather_wide_16"}};
constexpr Names kElementsNames = {{"gather_elements_1", "gather_elements_2", "gather_elements_4", "gather_elements_8"},
                                  {"gather_elements_wide_1", "gather_elements_wide_2", "gather_elements_wide_4", "gather_elements_wide_8"}};
constexpr Names kNdNames = {{"gather_nd_1", "gather_nd_2", "gather_nd_4", "gather_nd_8", "gather_nd_16"},
                            {"gather_nd_wide_1", "gather_nd_wide_2", "gather_nd_wide_4", "gather_nd_wide_8", "gather_nd_wide_16"}};
constexpr Names kMoveNames = {{"scatter_move_1", "scatter_move_2", "scatter_move_4", "scatter_move_8"},
                              {"scatter_move_wide_1", "scatter_move_wide_2", "scatter_move_wide_4", "scatter_move_wide_8"}};

// What `fill` makes with the Div that numbers so many units. `most`: no smaller than any number that is divided by, or divided.
template <class Fill>
void add(const char* module, const char* fast, const char* wide, int64_t units, int64_t most, Launches& to, Fill fill) {
  const Dim3 grid{blocks_for(units, kGatherBlock)}, block{kGatherBlock};
  if (std::max(units, most) < kFastDivMost) to.add(module, fast, grid, block, 0, fill.template operator()<FastDiv>());
  else to.add(module, wide, grid, block, 0, fill.template operator()<WideDiv>());
}

// Bytes of a unit: what divides runs, strides and addresses.
int64_t unit_of(const std::byte* x, const std::byte* y, int64_t run, std::initializer_list<int64_t> strides = {}) {
  uint64_t all = 16 | static_cast<uint64_t>(run) | reinterpret_cast<uintptr_t>(x) | reinterpret_cast<uintptr_t>(y);
  for (int64_t s : strides) all |= static_cast<uint64_t>(s);
  return int64_t(1) << std::countr_zero(all);
}
int log2_of(int64_t unit) { return std::countr_zero(static_cast<uint64_t>(unit)); }

template <class Div>
typename Div::Int number(int64_t n) {
  return static_cast<typename Div::Int>(n);
}

void gather(const GatherArgs& a, bool wide_indices, Launches& to) {
  const int64_t unit = unit_of(a.x, a.y, a.run), run = a.run / unit, units = a.end * run;  // a device's share is all
  const int size = log2_of(unit);
  add(kGather, kGatherNames.fast[size], kGatherNames.wide[size], units, a.count, to, [&]<class Div>() {
    return GatherUnits<Div>{a, Div(run), Div(a.count), number<Div>(units), wide_indices};
  });
}

void gather_elements(const GatherElementsArgs& a, bool wide_indices, Launches& to) {
  const int size = log2_of(a.size);
  add(kGather, kElementsNames.fast[size], kElementsNames.wide[size], a.end, 0, to, [&]<class Div>() {
    GatherElementsUnits<Div> g{a, {}, number<Div>(a.end), wide_indices};
    for (int d = 0; d < a.rank; ++d) g.n[d] = Div(a.n[d]);
    return g;
  });
}

void gather_nd(const GatherNdArgs& a, bool wide_indices, Launches& to) {
  const int64_t unit = unit_of(a.x, a.y, a.run), run = a.run / unit, units = a.end * run;
  const int size = log2_of(unit);
  add(kGather, kNdNames.fast[size], kNdNames.wide[size], units, a.per_batch, to, [&]<class Div>() {
    return GatherNdUnits<Div>{a, Div(run), Div(a.per_batch), number<Div>(units), wide_indices};
  });
}

template <class Div>
ScatterUnits<Div> scatter_units(const ScatterArgs& a, int64_t run, int64_t units) {
  ScatterUnits<Div> s{a, {}, Div(run), number<Div>(units)};
  for (int d = 0; d < a.rank; ++d) s.at_n[d] = Div(a.at_n[d]);
  return s;
}

void scatter(const ScatterArgs& a, const char* fold, Launches& to) {
  if (a.x != a.y) to.copy(a.y, a.x, a.bytes);
  if (a.count == 0 || a.run == 0) return;
  if (a.reduction != Reduction::none) {
    const int64_t threads = a.rank > 0 ? a.count / a.at_n[a.axis] : a.run;
    to.add(kScatter, fold, {blocks_for(threads, kGatherBlock)}, {kGatherBlock}, 0, scatter_units<WideDiv>(a, a.run, threads));
    return;
  }
  to.zero(a.last, a.bytes / a.size / a.run * static_cast<int64_t>(sizeof(uint64_t)));
  add(kScatter, "scatter_claim", "scatter_claim_wide", a.count, 0, to, [&]<class Div>() { return scatter_units<Div>(a, 1, a.count); });
  const int size = log2_of(a.size);
  add(kScatter, kMoveNames.fast[size], kMoveNames.wide[size], a.count * a.run, 0, to,
      [&]<class Div>() { return scatter_units<Div>(a, a.run, a.count * a.run); });
}

constexpr const char* fold_name(DType t) {
  switch (t) {
    case DType::f32: return "scatter_fold_f32";
    case DType::f64: return "scatter_fold_f64";
    case DType::i8: return "scatter_fold_i8";
    case DType::i16: return "scatter_fold_i16";
    case DType::i32: return "scatter_fold_i32";
    case DType::i64: return "scatter_fold_i64";
    case DType::u8: return "scatter_fold_u8";
    case DType::u16: return "scatter_fold_u16";
    case DType::u32: return "scatter_fold_u32";
    case DType::u64: return "scatter_fold_u64";
    case DType::boolean: return "scatter_fold_bool";
    default: return nullptr;  // bind refuses
  }
}

}  // namespace

template <bool kWideIndices>
void launch_gather(const GatherArgs& a, Launches& to) {
  gather(a, kWideIndices, to);
}
template <bool kWideIndices>
void launch_gather_elements(const GatherElementsArgs& a, Launches& to) {
  gather_elements(a, kWideIndices, to);
}
template <bool kWideIndices>
void launch_gather_nd(const GatherNdArgs& a, Launches& to) {
  gather_nd(a, kWideIndices, to);
}
template <DType kType>
void launch_scatter(const ScatterArgs& a, Launches& to) {
  scatter(a, fold_name(kType), to);
}

template void launch_gather<false>(const GatherArgs&, Launches&);
template void launch_gather<true>(const GatherArgs&, Launches&);
template void launch_gather_elements<false>(const GatherElementsArgs&, Launches&);
template void launch_gather_elements<true>(const GatherElementsArgs&, Launches&);
template void launch_gather_nd<false>(const GatherNdArgs&, Launches&);
template void launch_gather_nd<true>(const GatherNdArgs&, Launches&);
template void launch_scatter<DType::f32>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::f64>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::f16>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::bf16>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::i8>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::i16>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::i32>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::i64>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::u8>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::u16>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::u32>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::u64>(const ScatterArgs&, Launches&);
template void launch_scatter<DType::boolean>(const ScatterArgs&, Launches&);

}  // namespace tern::cuda
