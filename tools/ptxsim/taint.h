// Which registers depend on loaded data: a bit a lane. Next: taint.cpp.
#pragma once
#include <cstdint>

namespace ptxsim {

struct Warp;
struct Instruction;

void before(Warp&, const Instruction&, uint32_t active, uint32_t lanes);  // reports addresses and decisions
void after(Warp&, const Instruction&, uint32_t lanes);                    // from what it read to what it wrote

}  // namespace ptxsim
