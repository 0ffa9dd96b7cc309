// Scatters on a device, with the results of updates that come one after another.
//   none     each place keeps the number of its last update (a maximum, so the order of threads does not matter), then winners are moved
//   others   ScatterElements: updates of one place have the same coordinates but along the axis, so a thread walks along it. ScatterND: a
//            thread is one element of all runs and walks the updates.
// See gather_device.h.
#include "kernels/gather/combine.h"
#include "kernels/gather/gather_device.h"
#include "kernels/gather/place.h"

namespace tern::cuda {
namespace {

struct alignas(16) Unit16 {
  uint32_t v[4];
};

__device__ int64_t index_at(const ScatterArgs& a, int64_t i) {
  return a.wide_indices ? static_cast<const int64_t*>(a.indices)[i] : static_cast<const int32_t*>(a.indices)[i];
}
// Where the tuple of an update points.
__device__ int64_t indexed(const ScatterArgs& a, int64_t update, uint32_t& fault) {
  int64_t offset = 0;
  for (int d = 0; d < a.depth; ++d) offset += place_index(index_at(a, update * a.depth + d), a.n[d], fault) * a.stride[d];
  return offset;
}

template <class Div>
struct Place {
  int64_t update, unit, offset;  // offset: of the run, in elements of y
};
template <class Div>
__device__ Place<Div> place_of(const ScatterUnits<Div>& s, typename Div::Int number, uint32_t& fault) {
  auto rest = number;
  const int64_t unit = take_last(rest, s.run), update = rest;
  int64_t offset = indexed(s.a, update, fault);
  for (int d = s.a.rank - 1; d >= 0; --d) offset += static_cast<int64_t>(take_last(rest, s.at_n[d])) * s.a.at_stride[d];
  return {update, unit, offset};
}

// Threads are updates here: s.run is 1.
template <class Div>
__device__ void claim(const ScatterUnits<Div>& s) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= s.units) return;
  uint32_t fault = 0;
  const Place<Div> p = place_of(s, number, fault);
  if (fault != 0) atomicOr(s.a.fault, 1u);
  atomicMax(reinterpret_cast<unsigned long long*>(s.a.last + p.offset / s.a.run), static_cast<unsigned long long>(p.update + 1));
}

template <class T, class Div>
__device__ void move(const ScatterUnits<Div>& s) {
  const auto number = static_cast<typename Div::Int>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= s.units) return;
  uint32_t fault = 0;
  const Place<Div> p = place_of(s, number, fault);
  if (s.a.last[p.offset / s.a.run] == static_cast<uint64_t>(p.update) + 1)
    reinterpret_cast<T*>(s.a.y)[p.offset + p.unit] = reinterpret_cast<const T*>(s.a.updates)[number];
}

template <class T, Reduction kReduction>
__device__ void fold(const ScatterUnits<WideDiv>& s) {
  const ScatterArgs& a = s.a;
  const int64_t number = static_cast<int64_t>(blockIdx.x) * kGatherBlock + threadIdx.x;
  if (number >= s.units) return;
  const T* updates = reinterpret_cast<const T*>(a.updates);
  T* y = reinterpret_cast<T*>(a.y);
  int64_t first = 0, step = 1, count = a.count, to = 0, unit = number;  // updates first, first + step, …; `to`: what they share of their offsets
  if (a.rank > 0) {
    int64_t rest = number, stride = 1;
    for (int d = a.rank - 1; d >= 0; --d) {
      if (d == a.axis) {
        step = stride;
      } else {
        const int64_t at = take_last(rest, s.at_n[d]);
        first += at * stride;
        to += at * a.at_stride[d];
      }
      stride *= a.at_n[d];
    }
    count = a.at_n[a.axis];
    unit = 0;
  }
  uint32_t fault = 0;
  for (int64_t i = 0, u = first; i < count; ++i, u += step) {
    T& at = y[to + indexed(a, u, fault) + unit];
    at = combine(kReduction, at, updates[u * a.run + unit]);
  }
  if (fault != 0) atomicOr(a.fault, 1u);
}
template <class T>
__device__ void fold(const ScatterUnits<WideDiv>& s) {
  switch (s.a.reduction) {
    case Reduction::add: return fold<T, Reduction::add>(s);
    case Reduction::mul: return fold<T, Reduction::mul>(s);
    case Reduction::min: return fold<T, Reduction::min>(s);
    case Reduction::max: return fold<T, Reduction::max>(s);
    case Reduction::none: break;
  }
}

}  // namespace

extern "C" {
__global__ void scatter_claim(const __grid_constant__ ScatterUnits<FastDiv> s) { claim(s); }
__global__ void scatter_claim_wide(const __grid_constant__ ScatterUnits<WideDiv> s) { claim(s); }
__global__ void scatter_move_1(const __grid_constant__ ScatterUnits<FastDiv> s) { move<uint8_t>(s); }
__global__ void scatter_move_2(const __grid_constant__ ScatterUnits<FastDiv> s) { move<uint16_t>(s); }
__global__ void scatter_move_4(const __grid_constant__ ScatterUnits<FastDiv> s) { move<uint32_t>(s); }
__global__ void scatter_move_8(const __grid_constant__ ScatterUnits<FastDiv> s) { move<uint64_t>(s); }
__global__ void scatter_move_wide_1(const __grid_constant__ ScatterUnits<WideDiv> s) { move<uint8_t>(s); }
__global__ void scatter_move_wide_2(const __grid_constant__ ScatterUnits<WideDiv> s) { move<uint16_t>(s); }
__global__ void scatter_move_wide_4(const __grid_constant__ ScatterUnits<WideDiv> s) { move<uint32_t>(s); }
__global__ void scatter_move_wide_8(const __grid_constant__ ScatterUnits<WideDiv> s) { move<uint64_t>(s); }

__global__ void scatter_fold_f32(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<float>(s); }
__global__ void scatter_fold_f64(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<double>(s); }
__global__ void scatter_fold_i8(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<int8_t>(s); }
__global__ void scatter_fold_i16(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<int16_t>(s); }
__global__ void scatter_fold_i32(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<int32_t>(s); }
__global__ void scatter_fold_i64(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<int64_t>(s); }
__global__ void scatter_fold_u8(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<uint8_t>(s); }
__global__ void scatter_fold_u16(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<uint16_t>(s); }
__global__ void scatter_fold_u32(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<uint32_t>(s); }
__global__ void scatter_fold_u64(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<uint64_t>(s); }
__global__ void scatter_fold_bool(const __grid_constant__ ScatterUnits<WideDiv> s) { fold<bool>(s); }
}

}  // namespace tern::cuda
