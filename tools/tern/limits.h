// What this machine allows, measured on the spot: multiply-adds in registers, and bytes read from the caches or memory that hold so many.
// Next: limits.cpp.
#pragma once
#include "runtime/base/isa.h"
#include "tools/tern/clock.h"

namespace tern::command {

// The instructions that a tile of multiply-adds may use: those of `isa`, or the best below it that this CPU has. Baseline instructions for scalar
// (which multiply and add), and for NEON what the compiler makes of them.
double tile_gflops(const Clock& clock, Isa isa, double seconds);
// The best of many short bursts of it: what the core can, whatever else runs here.
double peak_gflops(const Clock& clock, Isa isa);

// GB/s of reading the same `bytes` again and again, at most 256 MB, with vectors of 32 bytes: the best of some passes.
double read_gbytes(const Clock& clock, int64_t bytes);

}  // namespace tern::command
