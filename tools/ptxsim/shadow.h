// Who wrote and read each granule of shared memory, and when: races, uninitialised reads and stale asynchronous copies.
#pragma once
#include <cstdint>
#include <vector>

namespace ptxsim {

struct Warp;
struct Instruction;
struct Access;
struct AccessCache;
struct AsyncCopy;

class Shadow {
 public:
  void start(uint32_t, uint32_t, uint32_t) {}
  void accessed(Warp&, const Instruction&, const Access&) {}
  void arrived(Warp&, const AsyncCopy&) {}
  void fenced(Warp&) {}
  void warp_ordered(Warp&, uint32_t) {}
  void barrier_reached(Warp&, std::vector<uint32_t>&) {}
  void barrier_left(Warp&, const std::vector<uint32_t>&) {}
};

inline void global_accessed(Warp&, const Instruction&, AccessCache&, const Access&) {}
inline void local_accessed(Warp&, const Access&) {}

}  // namespace ptxsim
