// Instructions that are no plain arithmetic: what the decoder may point to. One file of execute_*.cpp a group. Next: execute_memory.cpp.
#pragma once
#include "tools/ptxsim/program.h"

namespace ptxsim {

// execute_memory.cpp
void load(Warp&, const Instruction&, uint32_t lanes);
void store(Warp&, const Instruction&, uint32_t lanes);
void no_operation(Warp&, const Instruction&, uint32_t lanes);
void fence(Warp&, const Instruction&, uint32_t lanes);       // kind: 0 block, 1 device, 2 system
void to_generic(Warp&, const Instruction&, uint32_t lanes);  // cvta: adds imm
void is_space(Warp&, const Instruction&, uint32_t lanes);    // isspacep
// execute_atomic.cpp
enum class Atomic : uint8_t { add, min, max, bit_and, bit_or, bit_xor, exchange, compare_and_swap, increment, decrement };
void atomic(Warp&, const Instruction&, uint32_t lanes);  // kind: Atomic; e: Type
// execute_move.cpp
void move_predicate(Warp&, const Instruction&, uint32_t lanes);
void not_predicate(Warp&, const Instruction&, uint32_t lanes);
void logic_predicate(Warp&, const Instruction&, uint32_t lanes);  // kind: 0 and, 1 or, 2 xor
void pack(Warp&, const Instruction&, uint32_t lanes);             // list: sources of register_bytes each
void unpack(Warp&, const Instruction&, uint32_t lanes);
void read_clock(Warp&, const Instruction&, uint32_t lanes);  // kind: Special
void select_predicate(Warp&, const Instruction&, uint32_t lanes);
// execute_warp.cpp
enum class Shuffle : uint8_t { idx, up, down, bfly };
void shuffle(Warp&, const Instruction&, uint32_t lanes);
enum class Vote : uint8_t { all, any, uni, ballot };
void vote(Warp&, const Instruction&, uint32_t lanes);
void match(Warp&, const Instruction&, uint32_t lanes);  // kind: 0 any, 1 all
void redux(Warp&, const Instruction&, uint32_t lanes);  // kind: Atomic
void active_mask(Warp&, const Instruction&, uint32_t lanes);
void elect(Warp&, const Instruction&, uint32_t lanes);
void warp_barrier(Warp&, const Instruction&, uint32_t lanes);
// execute_control.cpp
void trap(Warp&, const Instruction&, uint32_t lanes);
void sleep(Warp&, const Instruction&, uint32_t lanes);
void print(Warp&, const Instruction&, uint32_t lanes);  // vprintf
void assertion_failed(Warp&, const Instruction&, uint32_t lanes);
// execute_async.cpp
void copy_async(Warp&, const Instruction&, uint32_t lanes);
void commit_async(Warp&, const Instruction&, uint32_t lanes);
void wait_async(Warp&, const Instruction&, uint32_t lanes);  // imm: groups that may be pending; ~0: all are waited for, committed or not
enum class MBarrier : uint8_t { init, inval, arrive, arrive_drop, arrive_expect, expect, complete, test, arrive_async, pending };
void mbarrier(Warp&, const Instruction&, uint32_t lanes);  // kind: MBarrier
// execute_matrix.cpp
struct MatrixShape {
  uint8_t m = 0, n = 0, k = 0;
};
void load_matrix(Warp&, const Instruction&, uint32_t lanes);
void store_matrix(Warp&, const Instruction&, uint32_t lanes);
void move_matrix(Warp&, const Instruction&, uint32_t lanes);
void multiply(Warp&, const Instruction&, uint32_t lanes);       // mma.sync; kind 1: wmma.mma
void load_fragment(Warp&, const Instruction&, uint32_t lanes);  // wmma
void store_fragment(Warp&, const Instruction&, uint32_t lanes);

// The lanes that a collective waits for, of those that execute it.
uint32_t named_lanes(Warp&, const Instruction&, uint32_t lanes);

}  // namespace ptxsim
