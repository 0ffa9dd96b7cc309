// What runs: a Launch has Blocks, a Block has Warps, a Warp has 32 lanes that stand in groups, one a program counter.
// Next: run.cpp (a warp's loop), block.cpp (barriers), launch.cpp; execute_*.cpp are the instructions.
#pragma once
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tools/ptxsim/async.h"
#include "tools/ptxsim/memory.h"
#include "tools/ptxsim/program.h"
#include "tools/ptxsim/registers.h"
#include "tools/ptxsim/shadow.h"

namespace ptxsim {

struct Block;
struct Launch;

struct Group {
  uint32_t pc = 0, lanes = 0;
  bool waits = false;  // at a collective or a barrier, for lanes that are not here
};

struct Guess {  // a plain read of a word that other blocks change by atomics
  uint64_t at;
  uint32_t pc, lane, other;  // other: as Region::writer has it
};

struct Warp : WarpRegisters {
  Block* block = nullptr;
  Launch* launch = nullptr;
  uint32_t index = 0;  // of the block's warps
  uint32_t born = 0;   // lanes that the launch has
  uint32_t alive = 0;  // lanes that have not exited
  uint32_t pc = 0;     // of what runs now
  std::vector<Group> groups;
  bool at_barrier = false;  // arrived, not released
  bool forced = false;      // the next collective or barrier takes who is there: the rest cannot come, and that is reported
  bool yielded = false;     // it waits by trying again
  uint64_t apart = 0;       // instructions since the lanes last were together
  uint32_t barrier_id = 0, barrier_result = 0;
  const Instruction* barrier_instruction = nullptr;
  uint32_t barrier_lanes = 0;
  std::vector<std::byte> local;  // [lane][code.local.size()]
  std::vector<uint8_t> local_written;
  std::vector<uint8_t> carried;  // by byte of the registers of Program::carried: was it written?
  std::vector<Guess> guesses;
  AsyncQueue async;
  std::vector<uint32_t> taint;  // [register / 128] masks, then predicates
  uint32_t taint_predicates = 0;
  std::vector<uint8_t> local_taint;  // a byte of `local`

  template <class T>
  T* lanes(uint32_t offset) {
    return reinterpret_cast<T*>(registers + offset);
  }
  void set_predicate(uint32_t p, uint32_t value, uint32_t of_lanes) { predicates[p] = (predicates[p] & ~of_lanes) | (value & of_lanes); }
};

struct Barrier {
  uint32_t arrived_threads = 0, expected = 0;
  uint64_t arrived_warps = 0, waiting_warps = 0;
  uint32_t all = 1, any = 0, count = 0;  // of bar.red
  std::vector<uint32_t> clocks;          // joined, of who arrived
};

struct Block {
  Launch* launch = nullptr;
  Dim3 id;
  uint64_t number = 0;
  std::vector<Warp> warps;
  std::vector<std::byte> shared;
  std::vector<uint8_t> shared_taint;  // a byte of `shared`
  Shadow shadow;
  Barrier barriers[16];
  MBarriers mbarriers;
  std::vector<uint8_t> register_memory;
  std::vector<uint32_t> predicate_memory;
  bool done = false;
  bool copying = false;  // a cp.async was issued
  uint32_t accessed_at = 0;
  uint64_t fenced_at = 0, acquired_at = 0;  // launch time: see Launch::time
};

struct Launch {
  const Program* code = nullptr;
  MemoryMap* memory = nullptr;
  Options options;
  LaunchResult result;
  Dim3 grid, block_dim;
  uint32_t dynamic_shared = 0, shared_bytes = 0, dynamic_at = 0;
  std::vector<std::byte> params;
  Layout shared_layout;
  std::vector<AccessCache> caches;
  std::vector<int64_t> executed_lanes, executed_warps;  // [pc]
  std::vector<uint32_t> finding_at;                     // [pc * kinds]: 1 + index of the finding of this place
  int64_t budget = 0;                                   // thread-instructions left
  bool stop = false;
  uint64_t workspace = 0;  // 256 bytes of zeros, when the kernel asks for them
  bool diagnose = false;
  uint64_t time = 1;                                             // grows with every strong operation
  uint32_t first_block = 0;                                      // numbers blocks over launches, for the shadow of global memory
  std::unordered_map<uint32_t, std::vector<uint32_t>> releases;  // by block: when it made strong writes after a fence

  void report(Kind, const Warp&, uint32_t lane, std::string text);
  void report_at(Kind, uint32_t pc, Dim3 block, Dim3 thread, std::string text);
};

Dim3 thread_of(const Warp&, uint32_t lane);

// run.cpp
// Runs until the warp exits, waits, or has spent `quantum` instructions.
enum class WarpState : uint8_t { done, waits, spent };
WarpState run(Warp&, uint64_t quantum);

// block.cpp
void start(Block&, Launch&, uint64_t number);
// True: it is done (or the launch stops). False: it has spent its quantum, and others may go on.
bool run(Block&, uint64_t quantum);
void arrive(Warp&, const Instruction&, uint32_t lanes);

// report.cpp
void finish(Launch&);

}  // namespace ptxsim
