#include "tools/ptxsim/taint.h"

#include "tools/ptxsim/warp.h"

namespace ptxsim {

void before(Warp&, const Instruction&, uint32_t, uint32_t) {}
void after(Warp&, const Instruction&, uint32_t) {}

}  // namespace ptxsim
