// Cast, a kernel for each dtype of the result. See cast.h, convert.h.
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/device.cuh"

namespace tern::cuda {
namespace {

// Every float as a double and every integer as one of 64 bits is exact, so that three conversions are enough for all dtypes.
template <class To>
TERN_INLINE void cast(const CastArgs& a) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= a.count) return;
  To& y = element<To>(a.y, i);
  if (is_float_type(a.from)) {
    y = convert<To>(load_float(a.x, i, a.from));
  } else if (a.from <= DType::i64) {
    y = convert<To>(load_signed(a.x, i, a.from));
  } else {
    y = convert<To>(load_unsigned(a.x, i, a.from));
  }
}

}  // namespace

extern "C" {
__global__ void cast_f32(const CastArgs a) { cast<float>(a); }
__global__ void cast_f64(const CastArgs a) { cast<double>(a); }
__global__ void cast_f16(const CastArgs a) { cast<f16>(a); }
__global__ void cast_bf16(const CastArgs a) { cast<bf16>(a); }
__global__ void cast_i8(const CastArgs a) { cast<int8_t>(a); }
__global__ void cast_i16(const CastArgs a) { cast<int16_t>(a); }
__global__ void cast_i32(const CastArgs a) { cast<int32_t>(a); }
__global__ void cast_i64(const CastArgs a) { cast<int64_t>(a); }
__global__ void cast_u8(const CastArgs a) { cast<uint8_t>(a); }
__global__ void cast_u16(const CastArgs a) { cast<uint16_t>(a); }
__global__ void cast_u32(const CastArgs a) { cast<uint32_t>(a); }
__global__ void cast_u64(const CastArgs a) { cast<uint64_t>(a); }
__global__ void cast_bool(const CastArgs a) { cast<bool>(a); }
}

}  // namespace tern::cuda
