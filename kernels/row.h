// A row: one kernel, declared once, beside its body. Plain C, so that *.simd.cpp may include it. How softmax's reach their operator:
//   softmax/softmax.simd.cpp  constinit const KernelRow softmax_f32 = row<SoftmaxArgs, softmax<false>>("softmax/f32/" TERN_ISA_NAME, …);
//   softmax/softmax.h         TERN_EACH_ISA(extern const KernelRow softmax_f32;)
//   softmax/softmax.cpp       .kernels = rows_of<TERN_ON_EACH_ISA(softmax_f32), portable::kSoftmax>        (rows_of: binding.h)
// Next: binding.h.
#pragma once
#include <stdint.h>

#include "runtime/base/isa.h"
#include "tern/element.h"

// The namespaces that *.simd.cpp are compiled into. A further ISA is an entry in these two and in CMakeLists.txt, and a file of simd/.
#if defined(__x86_64__)
#define TERN_EACH_ISA(...) \
  namespace scalar {       \
  __VA_ARGS__              \
  }                        \
  namespace avx2 {         \
  __VA_ARGS__              \
  }                        \
  namespace avx512 {       \
  __VA_ARGS__              \
  }
#define TERN_ON_EACH_ISA(name) scalar::name, avx2::name, avx512::name
#elif defined(__aarch64__)
#define TERN_EACH_ISA(...) \
  namespace scalar {       \
  __VA_ARGS__              \
  }                        \
  namespace neon {         \
  __VA_ARGS__              \
  }
#define TERN_ON_EACH_ISA(name) scalar::name, neon::name
#else
#define TERN_EACH_ISA(...) \
  namespace scalar {       \
  __VA_ARGS__              \
  }
#define TERN_ON_EACH_ISA(name) scalar::name
#endif

namespace tern {

// What a step of a plan calls.
using RunFn = void (*)(const void* args);

// Of a kernel whose weights are packed for its register tile.
struct RegisterTile {
  int16_t blocks, pixels;
};

// What a row for a device has in its place: which kernels are launched, from the arguments with their addresses (launch.h).
class Launches;
using LaunchFn = void (*)(const void* args, Launches& to);

// One body for one dtype and one ISA. `name` is printed everywhere: "softmax/f32/avx512".
struct KernelRow {
  const char* name;
  DType dtype;  // of the elements it computes on (the first input's, unless its family says otherwise)
  Isa isa;      // portable C++ code is `scalar`
  RunFn run;    // null where isa is `cuda`
  RegisterTile tile = {0, 0};
  LaunchFn launch = nullptr;  // null but where isa is `cuda`
};
// F: in an unnamed namespace, or the linker could keep one ISA's code for everyone.
template <class Args, void (*F)(const Args&)>
constexpr KernelRow row(const char* name, DType dtype, Isa isa, RegisterTile tile = {0, 0}) {
  return {name, dtype, isa, [](const void* args) { F(*static_cast<const Args*>(args)); }, tile};
}

}  // namespace tern
