// Gathers on a device: a thread a unit of y, which reads its index (one that neighbours share comes from the cache). See gather_device.h.
#include "kernels/gather/gather_device.h"
#include "kernels/gather/place.h"

namespace tern::cuda {
namespace {

struct alignas(16) Unit16 {
  uint32_t v[4];
};

__device__ int64_t index_at(const void* indices, int64_t i, bool wide) {
  return wide ? static_cast<const int64_t*>(indices)[i] : static_cast<const int32_t*>(indices)[i];
}
__device__ void report(uint32_t* fault, uint32_t any) {
  if (any != 0) atomicOr(fault, 1u);
}

template <class Unit, class Div>
__device__ void gather(const GatherUnits<Div>& g) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= g.units) return;
  auto rest = number;
  const int64_t unit = take_last(rest, g.run), k = take_last(rest, g.count), o = rest;
  uint32_t fault = 0;
  const int64_t at = place_index(index_at(g.a.indices, k, g.wide_indices), g.a.n, fault);
  report(g.a.fault, fault);
  const std::byte* from = g.a.x + (o * g.a.n + at) * g.a.run;  // [run]
  reinterpret_cast<Unit*>(g.a.y)[number] = reinterpret_cast<const Unit*>(from)[unit];
}

template <class Unit, class Div>
__device__ void gather_elements(const GatherElementsUnits<Div>& g) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= g.units) return;
  auto rest = number;
  int64_t offset = 0;
  for (int d = g.a.rank - 1; d >= 0; --d) offset += static_cast<int64_t>(take_last(rest, g.n[d])) * g.a.stride[d];
  uint32_t fault = 0;
  offset += place_index(index_at(g.a.indices, number, g.wide_indices), g.a.axis_n, fault) * g.a.axis_stride;
  report(g.a.fault, fault);
  reinterpret_cast<Unit*>(g.a.y)[number] = reinterpret_cast<const Unit*>(g.a.x)[offset];
}

template <class Unit, class Div>
__device__ void gather_nd(const GatherNdUnits<Div>& g) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= g.units) return;
  auto rest = number;
  const int64_t unit = take_last(rest, g.run), tuple = rest;
  int64_t offset = static_cast<int64_t>(g.per_batch.quotient(rest)) * g.a.batch_stride;
  uint32_t fault = 0;
  for (int d = 0; d < g.a.depth; ++d) {
    offset += place_index(index_at(g.a.indices, tuple * g.a.depth + d, g.wide_indices), g.a.n[d], fault) * g.a.stride[d];
  }
  report(g.a.fault, fault);
  reinterpret_cast<Unit*>(g.a.y)[number] = reinterpret_cast<const Unit*>(g.a.x + offset)[unit];
}

}  // namespace

extern "C" {
__global__ void gather_1(const GatherUnits<FastDiv> g) { gather<uint8_t>(g); }
__global__ void gather_2(const GatherUnits<FastDiv> g) { gather<uint16_t>(g); }
__global__ void gather_4(const GatherUnits<FastDiv> g) { gather<uint32_t>(g); }
__global__ void gather_8(const GatherUnits<FastDiv> g) { gather<uint64_t>(g); }
__global__ void gather_16(const GatherUnits<FastDiv> g) { gather<Unit16>(g); }
__global__ void gather_wide_1(const GatherUnits<WideDiv> g) { gather<uint8_t>(g); }
__global__ void gather_wide_2(const GatherUnits<WideDiv> g) { gather<uint16_t>(g); }
__global__ void gather_wide_4(const GatherUnits<WideDiv> g) { gather<uint32_t>(g); }
__global__ void gather_wide_8(const GatherUnits<WideDiv> g) { gather<uint64_t>(g); }
__global__ void gather_wide_16(const GatherUnits<WideDiv> g) { gather<Unit16>(g); }

__global__ void gather_elements_1(const __grid_constant__ GatherElementsUnits<FastDiv> g) { gather_elements<uint8_t>(g); }
__global__ void gather_elements_2(const __grid_constant__ GatherElementsUnits<FastDiv> g) { gather_elements<uint16_t>(g); }
__global__ void gather_elements_4(const __grid_constant__ GatherElementsUnits<FastDiv> g) { gather_elements<uint32_t>(g); }
__global__ void gather_elements_8(const __grid_constant__ GatherElementsUnits<FastDiv> g) { gather_elements<uint64_t>(g); }
__global__ void gather_elements_wide_1(const __grid_constant__ GatherElementsUnits<WideDiv> g) { gather_elements<uint8_t>(g); }
__global__ void gather_elements_wide_2(const __grid_constant__ GatherElementsUnits<WideDiv> g) { gather_elements<uint16_t>(g); }
__global__ void gather_elements_wide_4(const __grid_constant__ GatherElementsUnits<WideDiv> g) { gather_elements<uint32_t>(g); }
__global__ void gather_elements_wide_8(const __grid_constant__ GatherElementsUnits<WideDiv> g) { gather_elements<uint64_t>(g); }

__global__ void gather_nd_1(const __grid_constant__ GatherNdUnits<FastDiv> g) { gather_nd<uint8_t>(g); }
__global__ void gather_nd_2(const __grid_constant__ GatherNdUnits<FastDiv> g) { gather_nd<uint16_t>(g); }
__global__ void gather_nd_4(const __grid_constant__ GatherNdUnits<FastDiv> g) { gather_nd<uint32_t>(g); }
__global__ void gather_nd_8(const __grid_constant__ GatherNdUnits<FastDiv> g) { gather_nd<uint64_t>(g); }
__global__ void gather_nd_16(const __grid_constant__ GatherNdUnits<FastDiv> g) { gather_nd<Unit16>(g); }
__global__ void gather_nd_wide_1(const __grid_constant__ GatherNdUnits<WideDiv> g) { gather_nd<uint8_t>(g); }
__global__ void gather_nd_wide_2(const __grid_constant__ GatherNdUnits<WideDiv> g) { gather_nd<uint16_t>(g); }
__global__ void gather_nd_wide_4(const __grid_constant__ GatherNdUnits<WideDiv> g) { gather_nd<uint32_t>(g); }
__global__ void gather_nd_wide_8(const __grid_constant__ GatherNdUnits<WideDiv> g) { gather_nd<uint64_t>(g); }
__global__ void gather_nd_wide_16(const __grid_constant__ GatherNdUnits<WideDiv> g) { gather_nd<Unit16>(g); }
}

}  // namespace tern::cuda
