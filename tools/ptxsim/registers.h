// What arithmetic sees of a warp, so that files compiled for several instruction sets include nothing else of it. Next: lanes.h.
#pragma once
#include <cstdint>

namespace ptxsim {

struct Warp;
struct WarpRegisters {  // the base of Warp, and so its first members
  uint8_t* registers = nullptr;
  uint32_t* predicates = nullptr;
};
inline uint8_t* registers_of(Warp& w) { return reinterpret_cast<WarpRegisters&>(w).registers; }
inline uint32_t* predicates_of(Warp& w) { return reinterpret_cast<WarpRegisters&>(w).predicates; }

}  // namespace ptxsim
