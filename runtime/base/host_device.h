// TERN_HD: a function of plain C++ that kernels of both kinds call, a CPU's and a device's (*.cu): the same operations, so the same bits.
// Such a function calls none of the C++ library's, which nvcc knows on the host alone (__builtin_bit_cast for std::bit_cast). Where it is compiled for
// one ISA (*.simd.cpp) it is inlined, always: a copy of its own could be the one that the linker keeps for everyone. Next: half.h, kernels/fast_div.h.
#pragma once

#if defined(__CUDACC__)
#define TERN_HD __host__ __device__
#elif defined(TERN_ISA)
#define TERN_HD __attribute__((always_inline))
#else
#define TERN_HD
#endif
