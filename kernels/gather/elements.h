// The rows of GatherElements. Next: elements.simd.cpp (a CPU's), gather_elements.cpp (the operator).
#pragma once
#include "kernels/gather/gather_device.h"
#include "kernels/rows.h"

namespace tern {

TERN_EACH_ISA(extern const Rows<2> gather_elements_any;)

}  // namespace tern
