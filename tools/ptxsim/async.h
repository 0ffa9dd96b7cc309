// cp.async, its groups, and mbarriers. Next: execute_async.cpp.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ptxsim {

struct AsyncCopy {
  uint32_t lane = 0, group = 0;                // group: of the lane, counted from its first commit
  uint32_t to = 0, bytes = 0, from_bytes = 0;  // shared offset; what lies beyond from_bytes is zero
  uint64_t from = 0;                           // a global address
  uint32_t pc = 0;
};

struct AsyncQueue {
  std::vector<AsyncCopy> copies;
  uint32_t committed[32] = {};  // groups, a lane
};

struct MBarrierState {
  uint32_t expected = 0, pending = 0;
  int64_t transactions = 0;
  uint64_t phase = 0;
  std::vector<uint32_t> arriving, arrived;  // clocks: joined in this phase, and of the phase before
};
using MBarriers = std::unordered_map<uint32_t, MBarrierState>;  // by shared offset

}  // namespace ptxsim
