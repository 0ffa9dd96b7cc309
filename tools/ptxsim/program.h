// A kernel as it is executed: one Instruction a PTX instruction, device functions inlined, registers numbered, handlers chosen.
// Registers of a warp are arrays of 32 lanes of their declared width (16, 32 or 64 bits) in one block of memory; fields hold byte offsets in it.
// Predicates are masks of 32 lanes; number 0 is always true. Next: decode.h, which makes it; warp.h, which runs it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tools/ptxsim/module.h"

namespace ptxsim {

constexpr uint32_t kLanes = 32;
constexpr uint32_t kAllLanes = 0xffffffffu;
constexpr uint32_t kTrue = 0, kCarry = 1;  // predicates that every kernel has

// Generic addresses of what has no address of its own.
constexpr uint64_t kSharedWindow = 0x7e0000000000, kLocalWindow = 0x7d0000000000, kParamWindow = 0x7c0000000000;
constexpr uint64_t kWindowBytes = uint64_t(1) << 32;

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&, uint32_t lanes);

enum class Flow : uint8_t { plain, branch, table, exit, barrier, collective, wait };  // wait: may be tried again (mbarrier, sleep): others go first

struct Instruction {
  Handler run = nullptr;
  uint64_t imm = 0;
  uint32_t predicate = kTrue, flip = 0;        // lanes that take part: predicates[predicate] ^ flip
  uint32_t d = 0, e = 0, a = 0, b = 0, c = 0;  // registers (byte offsets) or predicates
  uint32_t list = 0;                           // first of Program::pool: vector operands, branch tables
  uint32_t target = 0;                         // of a branch
  uint32_t cache = 0;                          // of memory accesses: index of what a launch remembers about this place
  Flow flow = Flow::plain;
  Space space = Space::generic;
  uint8_t bytes = 0, count = 1, register_bytes = 0;          // of an access: an element, elements, width of its registers
  uint8_t base_bytes = 0;                                    // of an address register; 0: imm alone
  uint8_t kind = 0;                                          // what the handlers of one family tell apart by
  bool touches = false, source_register = false;             // memory; cp.async: in.b is an address too
  bool is_signed = false, strong = false, releases = false;  // strong: volatile, relaxed, acquire, release, atomic
  bool copies = false;                                       // moves bytes that nobody need have written: copies.cpp
};

enum class Special : uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  lanemask_eq,
  lanemask_lt,
  lanemask_le,
  lanemask_gt,
  lanemask_ge,
  smid,
  nsmid,
  gridid,
  dynamic_smem_size,
  total_smem_size,
  zero,
  workspace_low,
  workspace_high,
  one,
  clock,
  clock_hi,
  clock64,
  globaltimer,
  globaltimer_lo,
  globaltimer_hi,  // from here on: read when executed
  none
};

// Where variables of a space lie, with gaps between them.
struct Layout {
  std::vector<uint8_t> inside;  // a byte: is it of a variable
  uint32_t size() const { return uint32_t(inside.size()); }
  uint32_t place(uint64_t bytes, uint32_t align, uint32_t gap);
  // [at, at + bytes) is in one variable: gaps are wider than any access.
  bool holds(uint64_t at, uint32_t bytes) const { return at < inside.size() && bytes <= inside.size() - at && inside[at] && inside[at + bytes - 1]; }
};

struct Program {
  const ModuleData* module = nullptr;
  const Function* function = nullptr;
  KernelInfo info;
  std::vector<Instruction> instructions;
  std::vector<const Statement*> statements;  // of each instruction
  std::vector<InstructionClass> classes;
  std::vector<uint32_t> pool;
  std::vector<uint8_t> constants;  // the first bytes of every warp's registers
  struct SpecialSlot {
    Special special;
    uint32_t offset;
  };
  std::vector<SpecialSlot> specials;
  uint32_t register_bytes = 0, predicates = 2;
  uint32_t caches = 0;
  Layout shared, local;
  uint32_t dynamic_at = 0;                          // where dynamic shared memory begins
  uint32_t shared_granule = 4, global_granule = 4;  // bytes: the smallest access of the kernel, at most 4
  bool polls_block = false;                         // it reads by volatile, relaxed or atomic operations: warps may wait for each other
  bool fences = false;                              // it has fences, or strong writes that release
  bool polls = false;  // it reads global memory by volatile, relaxed or atomic operations: blocks may wait for each other
  // For taint: registers and predicates (offset / 64, or ~predicate) that an instruction reads, then those it writes.
  struct Dependence {
    uint32_t first = 0;
    uint16_t reads = 0, writes = 0;
  };
  std::vector<Dependence> dependences;
  std::vector<uint32_t> dependence_pool;
  std::vector<uint8_t> carried;  // registers (offset / 64) that go from local memory to a store and nowhere else; empty: none
};

}  // namespace ptxsim
