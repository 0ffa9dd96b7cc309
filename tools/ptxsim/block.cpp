// A block: its warps in turn, and the barriers between them.
#include <algorithm>

#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr uint64_t kWarpQuantum = 200'000, kPollingQuantum = 1'000;  // warp-instructions

uint32_t special_value(const Launch& launch, const Block& b, const Warp& w, uint32_t lane, Special s) {
  const Dim3 t = thread_of(w, lane), &n = launch.block_dim, &g = launch.grid;
  switch (s) {
    case Special::tid_x: return t.x;
    case Special::tid_y: return t.y;
    case Special::tid_z: return t.z;
    case Special::ntid_x: return n.x;
    case Special::ntid_y: return n.y;
    case Special::ntid_z: return n.z;
    case Special::ctaid_x: return b.id.x;
    case Special::ctaid_y: return b.id.y;
    case Special::ctaid_z: return b.id.z;
    case Special::nctaid_x: return g.x;
    case Special::nctaid_y: return g.y;
    case Special::nctaid_z: return g.z;
    case Special::laneid: return lane;
    case Special::warpid: return w.index;
    case Special::nwarpid: return uint32_t(b.warps.size());
    case Special::lanemask_eq: return 1u << lane;
    case Special::lanemask_lt: return (1u << lane) - 1;
    case Special::lanemask_le: return (2u << lane) - 1;
    case Special::lanemask_gt: return ~((2u << lane) - 1);
    case Special::lanemask_ge: return ~((1u << lane) - 1);
    case Special::smid: return uint32_t(b.number % 4);
    case Special::nsmid: return 4;
    case Special::dynamic_smem_size: return launch.dynamic_shared;
    case Special::total_smem_size: return launch.shared_bytes;
    case Special::one: return 1;
    case Special::workspace_low: return uint32_t(launch.workspace);
    case Special::workspace_high: return uint32_t(launch.workspace >> 32);
    default: return 0;
  }
}

void release(Block& b, Barrier& bar) {
  const bool whole = bar.waiting_warps == (b.warps.size() == 64 ? ~uint64_t(0) : (uint64_t(1) << b.warps.size()) - 1);
  for (Warp& w : b.warps) {
    if ((bar.waiting_warps >> w.index & 1) == 0) continue;
    w.at_barrier = false;
    const Instruction& in = *w.barrier_instruction;
    for (uint32_t rest = in.kind == 1 ? w.barrier_lanes : 0; rest != 0; rest &= rest - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(rest)] = bar.count;
    if (in.kind >= 2) {
      const uint32_t value = (in.kind == 2 ? bar.all : bar.any) != 0 ? kAllLanes : 0;
      w.predicates[in.d] = (w.predicates[in.d] & ~w.barrier_lanes) | (value & w.barrier_lanes);
    }
    if (!whole) b.shadow.barrier_left(w, bar.clocks);
  }
  if (whole) b.shadow.all_ordered();
  bar = Barrier();
}

// Every warp waits or is done, and a barrier is not complete.
void stalled(Block& b) {
  for (uint32_t id = 0; id < 16; ++id) {
    Barrier& bar = b.barriers[id];
    if (bar.waiting_warps == 0) continue;
    Warp& w = b.warps[size_t(__builtin_ctzll(bar.waiting_warps))];
    uint32_t exited = 0;
    for (const Warp& o : b.warps) {
      exited += uint32_t(__builtin_popcount(o.born & ~o.alive));
    }
    b.launch->report(Kind::barrier, w, uint32_t(__builtin_ctz(w.barrier_lanes)),
                     "a barrier (" + std::to_string(id) + ") that expects " + std::to_string(bar.expected) +
                         " threads: " + std::to_string(bar.arrived_threads) + " are there, " + std::to_string(exited) +
                         " have exited, the rest wait elsewhere: every thread must come to it");
    release(b, bar);
    return;
  }
  b.launch->stop = true;
}

}  // namespace

Dim3 thread_of(const Warp& w, uint32_t lane) {
  const Dim3& n = w.launch->block_dim;
  const uint32_t flat = w.index * kLanes + lane;
  return {flat % n.x, flat / n.x % n.y, flat / n.x / n.y};
}

void start(Block& b, Launch& launch, uint64_t number) {
  const Program& code = *launch.code;
  const uint64_t threads = launch.block_dim.count();
  const size_t warps = size_t((threads + kLanes - 1) / kLanes);
  b.launch = &launch;
  b.number = number;
  b.id = {uint32_t(number % launch.grid.x), uint32_t(number / launch.grid.x % launch.grid.y), uint32_t(number / launch.grid.x / launch.grid.y)};
  b.done = false;
  b.copying = false;
  b.accessed_at = 0;
  b.fenced_at = b.acquired_at = 0;
  const bool fresh = b.warps.size() != warps;
  if (fresh) {
    b.warps.resize(warps);
    b.register_memory.resize(warps * code.register_bytes + 64);
    b.predicate_memory.resize(warps * code.predicates);
  }
  b.shared.assign(launch.shared_bytes, std::byte(0xff));  // of floats: NaN
  std::fill(b.predicate_memory.begin(), b.predicate_memory.end(), 0);
  b.mbarriers.clear();
  b.shared_taint.assign(launch.options.taint ? b.shared.size() : 0, 0);
  for (Barrier& bar : b.barriers) bar = Barrier();
  uint8_t* const registers = b.register_memory.data() + (64 - reinterpret_cast<uintptr_t>(b.register_memory.data()) % 64) % 64;
  for (size_t i = 0; i < warps; ++i) {
    Warp& w = b.warps[i];
    w.block = &b;
    w.launch = &launch;
    w.registers = registers + i * code.register_bytes;
    w.predicates = b.predicate_memory.data() + i * code.predicates;
    w.predicates[kTrue] = kAllLanes;
    w.index = uint32_t(i);
    const uint64_t left = threads - i * kLanes;
    w.born = w.alive = left >= kLanes ? kAllLanes : (1u << left) - 1;
    w.groups.assign(1, {0, w.born, false});
    w.at_barrier = w.forced = w.yielded = false;
    w.async.copies.clear();
    std::fill(w.async.committed, w.async.committed + kLanes, 0);
    w.local.assign(size_t(code.local.size()) * kLanes, std::byte(0xff));
    w.local_written.assign(launch.diagnose ? size_t(code.local.size()) * kLanes : 0, 0);
    w.carried.assign(launch.diagnose && !code.carried.empty() ? code.register_bytes : 0, 1);
    w.taint.assign(launch.options.taint ? code.register_bytes / 64 + code.predicates : 0, 0);
    w.taint_predicates = code.register_bytes / 64;
    w.local_taint.assign(launch.options.taint ? w.local.size() : 0, 0);
    if (fresh) std::copy(code.constants.begin(), code.constants.end(), w.registers);
    for (const Program::SpecialSlot& s : code.specials) {
      for (uint32_t l = 0; l < kLanes; ++l) {
        if (s.special == Special::gridid) w.lanes<uint64_t>(s.offset)[l] = 1;
        else w.lanes<uint32_t>(s.offset)[l] = special_value(launch, b, w, l, s.special);
      }
    }
  }
  if (launch.diagnose) b.shadow.start(launch.shared_bytes, code.shared_granule, uint32_t(warps));
}

// Every lane of the warp that is alive has come to the barrier (or the warp was forced to do with less).
void arrive(Warp& w, const Instruction& in, uint32_t lanes) {
  Block& b = *w.block;
  const uint32_t lane = uint32_t(__builtin_ctz(lanes)), id = w.lanes<uint32_t>(in.a)[lane];
  const uint32_t all = uint32_t(b.warps.size()) * kLanes, threads = in.count != 0 ? w.lanes<uint32_t>(in.b)[lane] : all;
  ++w.launch->result.counters.barriers;
  if (id > 15 || threads == 0 || threads % kLanes != 0 || threads > all) {
    w.launch->report(Kind::barrier, w, lane,
                     "barrier " + std::to_string(id) + " of " + std::to_string(threads) +
                         " threads: there are barriers 0 to 15, of a multiple of 32 threads of the block");
    return;
  }
  Barrier& bar = b.barriers[id];
  if (bar.expected != 0 && bar.expected != threads) {
    w.launch->report(Kind::barrier, w, lane,
                     "barrier " + std::to_string(id) + " is awaited for " + std::to_string(bar.expected) + " threads by others and for " +
                         std::to_string(threads) + " here");
  }
  if (in.count == 0 && w.alive != w.born) {
    w.launch->report(Kind::barrier, w, lane,
                     "a barrier of the whole block, but lanes " + hex(w.born & ~w.alive) +
                         " of this warp have exited: let every thread come to it, and guard the work instead");
  }
  bar.expected = threads;
  bar.arrived_threads += kLanes;
  const uint32_t p = in.kind != 0 ? w.predicates[in.c] & lanes : 0;
  bar.count += uint32_t(__builtin_popcount(p));
  bar.all &= uint32_t(p == lanes);
  bar.any |= uint32_t(p != 0);
  b.shadow.barrier_reached(w, bar.clocks);
  if (!in.is_signed) {
    bar.waiting_warps |= uint64_t(1) << w.index;
    w.at_barrier = true;
    w.barrier_instruction = &in;
    w.barrier_lanes = lanes;
    w.barrier_id = id;
  }
  if (bar.arrived_threads >= bar.expected) release(b, bar);
}

bool run(Block& b, uint64_t quantum) {
  Launch& launch = *b.launch;
  const int64_t begin = launch.budget;
  std::vector<uint32_t> order(b.warps.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  if (launch.options.order == Options::WarpOrder::descending) std::reverse(order.begin(), order.end());
  uint64_t random = launch.options.seed * 0x9e3779b97f4a7c15u + b.number + 1;
  for (;;) {
    if (launch.options.order == Options::WarpOrder::shuffled) {
      for (size_t i = order.size(); i > 1; --i) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        std::swap(order[i - 1], order[random % i]);
      }
    }
    bool ran = false, all_done = true;
    for (const uint32_t i : order) {
      Warp& w = b.warps[i];
      if (w.groups.empty()) continue;
      all_done = false;
      if (w.at_barrier) continue;
      ran = true;
      run(w, launch.code->polls_block ? kPollingQuantum : kWarpQuantum);
      if (w.groups.empty() && !w.guesses.empty()) report_guesses(w);
      if (launch.stop) return b.done = true;
    }
    if (all_done) {
      b.done = true;
      return true;
    }
    if (!ran) stalled(b);
    if (launch.stop) return b.done = true;
    if (launch.code->polls && uint64_t(begin - launch.budget) > quantum) return false;
  }
}

}  // namespace ptxsim
