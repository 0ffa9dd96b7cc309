// Words for people. Next: text.cpp.
#pragma once
#include <cstdint>
#include <string>

#include "tools/ptxsim/ptxsim.h"

namespace ptxsim {

std::string hex(uint64_t);
std::string triple(Dim3);  // "(1,0,0)"

}  // namespace ptxsim
