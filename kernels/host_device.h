// TERN_HD: a function of plain C++ that nvcc compiles for the host and for a device, so that both run the same operations. Next: fast_div.h.
#pragma once

#if defined(__CUDACC__)
#define TERN_HD __host__ __device__
#else
#define TERN_HD
#endif
