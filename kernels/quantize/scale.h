// Scales of any float dtype, read as f32. Next: quantize.cpp.
#pragma once
#include "runtime/base/half.h"
#include "tern/dtype.h"

namespace tern {

TERN_HD inline float scale_at(const void* scale, DType dtype, int64_t i) {
  if (dtype == DType::f32) return static_cast<const float*>(scale)[i];
  return dtype == DType::f16 ? to_f32(static_cast<const f16*>(scale)[i]) : to_f32(static_cast<const bf16*>(scale)[i]);
}

}  // namespace tern
