// The movements that no strided copy does. See movement_device.h.
#include "kernels/movement/movement_device.h"

namespace tern::cuda {
namespace {

// The number of this thread.
template <class Int>
__device__ Int thread_number() {
  return static_cast<Int>(blockIdx.x) * kMoveBlock + threadIdx.x;
}

__device__ int64_t fold(int64_t i, int64_t n, PadArgs::Mode mode) {
  if (mode == PadArgs::Mode::edge) return i < 0 ? 0 : i < n ? i : n - 1;
  if (i >= 0 && i < n) return i;
  if (mode == PadArgs::Mode::wrap) {
    const int64_t at = i % n;
    return at < 0 ? at + n : at;
  }
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);  // reflect: the edge is not repeated
  int64_t at = i % period;
  at = at < 0 ? at + period : at;
  return at < n ? at : period - at;
}

template <class Unit, class Div>
__device__ void pad(const PadUnits<Div>& p) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= p.units) return;
  auto rest = number;
  const std::byte* from = p.a.x;
  for (int d = p.a.rank - 1; d >= 0; --d) {
    const PadAxis& axis = p.a.axes[d];
    from += fold(static_cast<int64_t>(take_last(rest, p.n[d])) - axis.before, axis.kept, p.a.mode) * axis.stride;
  }
  reinterpret_cast<Unit*>(p.a.y)[number] = *reinterpret_cast<const Unit*>(from);
}

template <class Unit, class Div>
__device__ void trilu(const TriluUnits<Div>& t) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= t.units) return;
  auto rest = number;
  const int64_t j = take_last(rest, t.cols), i = static_cast<int64_t>(take_last(rest, t.rows)) + t.a.k;
  const bool keep = t.a.upper ? j >= i : j <= i;
  const Unit v = reinterpret_cast<const Unit*>(t.a.x)[number];
  reinterpret_cast<Unit*>(t.a.y)[number] = keep ? v : Unit(0);
}

struct alignas(16) Unit16 {
  uint32_t v[4];
};
template <class Unit, class Div>
__device__ void reverse(const ReverseUnits<Div>& r) {
  const auto number = thread_number<typename Div::Int>();
  if (number >= r.units) return;
  const ReverseArgs& a = r.a;
  auto rest = number;
  const int64_t unit = take_last(rest, r.run), second = take_last(rest, r.second), first = rest;
  const int64_t b = a.time_first ? second : first, t = a.time_first ? first : second;
  const int64_t given = a.lens[b];
  if (given < 0 || given > a.time) atomicOr(a.fault, 1u);
  const int64_t len = given < 0 ? 0 : given < a.time ? given : a.time;
  const int64_t from = t < len ? len - 1 - t : t;
  const int64_t row = a.time_first ? from * a.batch + b : b * a.time + from;
  reinterpret_cast<Unit*>(a.y)[number] = *reinterpret_cast<const Unit*>(a.x + row * a.run + unit * static_cast<int64_t>(sizeof(Unit)));
}

}  // namespace

extern "C" {
__global__ void pad_1(const __grid_constant__ PadUnits<FastDiv> p) { pad<uint8_t>(p); }
__global__ void pad_2(const __grid_constant__ PadUnits<FastDiv> p) { pad<uint16_t>(p); }
__global__ void pad_4(const __grid_constant__ PadUnits<FastDiv> p) { pad<uint32_t>(p); }
__global__ void pad_8(const __grid_constant__ PadUnits<FastDiv> p) { pad<uint64_t>(p); }
__global__ void pad_wide_1(const __grid_constant__ PadUnits<WideDiv> p) { pad<uint8_t>(p); }
__global__ void pad_wide_2(const __grid_constant__ PadUnits<WideDiv> p) { pad<uint16_t>(p); }
__global__ void pad_wide_4(const __grid_constant__ PadUnits<WideDiv> p) { pad<uint32_t>(p); }
__global__ void pad_wide_8(const __grid_constant__ PadUnits<WideDiv> p) { pad<uint64_t>(p); }

__global__ void trilu_1(const TriluUnits<FastDiv> t) { trilu<uint8_t>(t); }
__global__ void trilu_2(const TriluUnits<FastDiv> t) { trilu<uint16_t>(t); }
__global__ void trilu_4(const TriluUnits<FastDiv> t) { trilu<uint32_t>(t); }
__global__ void trilu_8(const TriluUnits<FastDiv> t) { trilu<uint64_t>(t); }
__global__ void trilu_wide_1(const TriluUnits<WideDiv> t) { trilu<uint8_t>(t); }
__global__ void trilu_wide_2(const TriluUnits<WideDiv> t) { trilu<uint16_t>(t); }
__global__ void trilu_wide_4(const TriluUnits<WideDiv> t) { trilu<uint32_t>(t); }
__global__ void trilu_wide_8(const TriluUnits<WideDiv> t) { trilu<uint64_t>(t); }

__global__ void reverse_sequence_1(const ReverseUnits<FastDiv> r) { reverse<uint8_t>(r); }
__global__ void reverse_sequence_2(const ReverseUnits<FastDiv> r) { reverse<uint16_t>(r); }
__global__ void reverse_sequence_4(const ReverseUnits<FastDiv> r) { reverse<uint32_t>(r); }
__global__ void reverse_sequence_8(const ReverseUnits<FastDiv> r) { reverse<uint64_t>(r); }
__global__ void reverse_sequence_16(const ReverseUnits<FastDiv> r) { reverse<Unit16>(r); }
__global__ void reverse_sequence_wide_1(const ReverseUnits<WideDiv> r) { reverse<uint8_t>(r); }
__global__ void reverse_sequence_wide_2(const ReverseUnits<WideDiv> r) { reverse<uint16_t>(r); }
__global__ void reverse_sequence_wide_4(const ReverseUnits<WideDiv> r) { reverse<uint32_t>(r); }
__global__ void reverse_sequence_wide_8(const ReverseUnits<WideDiv> r) { reverse<uint64_t>(r); }
__global__ void reverse_sequence_wide_16(const ReverseUnits<WideDiv> r) { reverse<Unit16>(r); }
}

}  // namespace tern::cuda
