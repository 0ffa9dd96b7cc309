// Resize on a device: a launch an axis, a thread an element, taps in order and without fma as in resize.simd.cpp. See resize_device.h.
#include "kernels/resize/resize_device.h"

namespace tern::cuda {
namespace {

template <class Int>
__device__ Int thread_number() {
  return static_cast<Int>(blockIdx.x) * kResizeBlock + threadIdx.x;
}

template <class Div>
__device__ void resample(const ResizeUnits<Div>& u) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= u.units) return;
  auto rest = number;
  const int64_t j = take_last(rest, u.inner), o = take_last(rest, u.out), outer = rest;
  const ResizePass& p = u.pass;
  const int32_t* index = p.index + o * p.taps;  // [taps]
  const float* weight = p.weight + o * p.taps;  // [taps]
  const float* x = u.x + outer * p.in * p.inner + j;
  float acc = weight[0] * x[index[0] * p.inner];
  for (int64_t t = 1; t < p.taps; ++t) acc = acc + weight[t] * x[index[t] * p.inner];
  u.y[number] = acc;
}

template <class Div>
__device__ void fill_outside(const OutsideUnits<Div>& u) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= u.units) return;
  auto rest = u.inner.quotient(number);
  if (u.is[take_last(rest, u.out)] != 0) u.y[number] = u.value;
}

template <class Unit, class Div>
__device__ void nearest(const NearestUnits<Div>& u) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= u.units) return;
  auto rest = number;
  const std::byte* x = u.a.x;
  for (int d = u.a.rank - 1; d >= 0; --d) x += u.a.offset[d][take_last(rest, u.n[d])];
  reinterpret_cast<Unit*>(u.a.y)[number] = *reinterpret_cast<const Unit*>(x);
}

}  // namespace

extern "C" {
__global__ void resize_pass_f32(const ResizeUnits<FastDiv> u) { resample(u); }
__global__ void resize_pass_wide_f32(const ResizeUnits<WideDiv> u) { resample(u); }
__global__ void resize_outside_f32(const OutsideUnits<FastDiv> u) { fill_outside(u); }
__global__ void resize_outside_wide_f32(const OutsideUnits<WideDiv> u) { fill_outside(u); }
__global__ void resize_nearest_1(const __grid_constant__ NearestUnits<FastDiv> u) { nearest<uint8_t>(u); }
__global__ void resize_nearest_2(const __grid_constant__ NearestUnits<FastDiv> u) { nearest<uint16_t>(u); }
__global__ void resize_nearest_4(const __grid_constant__ NearestUnits<FastDiv> u) { nearest<uint32_t>(u); }
__global__ void resize_nearest_8(const __grid_constant__ NearestUnits<FastDiv> u) { nearest<uint64_t>(u); }
__global__ void resize_nearest_wide_1(const __grid_constant__ NearestUnits<WideDiv> u) { nearest<uint8_t>(u); }
__global__ void resize_nearest_wide_2(const __grid_constant__ NearestUnits<WideDiv> u) { nearest<uint16_t>(u); }
__global__ void resize_nearest_wide_4(const __grid_constant__ NearestUnits<WideDiv> u) { nearest<uint32_t>(u); }
__global__ void resize_nearest_wide_8(const __grid_constant__ NearestUnits<WideDiv> u) { nearest<uint64_t>(u); }
}

}  // namespace tern::cuda
