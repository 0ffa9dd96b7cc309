// The instruction sets that kernels are compiled for, bare: no C++ library, so that a kernel compiled for one of them may include it.
// Next: cpu_features.h.
#pragma once
#include <stdint.h>

namespace tern {

enum class Isa : uint8_t { scalar, avx2, avx512, neon, cuda };

// Those of CPUs. `cuda` is what a kernel is compiled for that a device runs.
inline constexpr Isa kIsas[] = {Isa::scalar, Isa::avx2, Isa::avx512, Isa::neon};

constexpr const char* name(Isa isa) {
  constexpr const char* kNames[] = {"scalar", "avx2", "avx512", "neon", "cuda"};
  return kNames[static_cast<int>(isa)];
}

}  // namespace tern
