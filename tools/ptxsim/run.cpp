// A warp's loop: the group with the lowest program counter runs until it meets another, waits, or has spent its share.
#include <algorithm>

#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/taint.h"
#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr size_t kNone = ~size_t(0);
constexpr uint64_t kPatience = 5'000;  // warp-instructions that one group may poll before another has its turn

// Groups that stand at one place become one.
void merge(Warp& w) {
  for (size_t i = 0; i < w.groups.size(); ++i) {
    for (size_t j = i + 1; j < w.groups.size();) {
      if (w.groups[j].pc != w.groups[i].pc) {
        ++j;
        continue;
      }
      w.groups[i].lanes |= w.groups[j].lanes;
      w.groups[i].waits = false;
      w.groups.erase(w.groups.begin() + long(j));
    }
  }
}

// The lowest program counter that can go on; the highest when the lowest has been at it for long, so that one lane may wait for another.
size_t choose(const Warp& w, bool highest) {
  size_t chosen = kNone;
  for (size_t i = 0; i < w.groups.size(); ++i) {
    if (w.groups[i].waits) continue;
    if (chosen == kNone || (w.groups[i].pc < w.groups[chosen].pc) != highest) chosen = i;
  }
  return chosen;
}

// Nobody of the warp can go on: who waits takes who is there.
void force(Warp& w) {
  const auto lowest = std::min_element(w.groups.begin(), w.groups.end(), [](const Group& a, const Group& b) { return a.pc < b.pc; });
  const Instruction& in = w.launch->code->instructions[lowest->pc];
  w.pc = lowest->pc;
  const uint32_t lane = uint32_t(__builtin_ctz(lowest->lanes)), exited = w.born & ~w.alive, elsewhere = w.alive & ~lowest->lanes;
  const std::string others = elsewhere != 0 ? "lanes " + hex(elsewhere) + " wait elsewhere" : "lanes " + hex(exited) + " have exited";
  if (in.flow == Flow::barrier) {
    w.launch->report(
        Kind::barrier, w, lane,
        "lanes " + hex(lowest->lanes) + " of a warp wait at a barrier that " + others + " without reaching: take the barrier out of the branch");
  } else {
    const uint32_t missing = named_lanes(w, in, lowest->lanes) & w.born & ~lowest->lanes;
    w.launch->report(Kind::absent_lanes, w, lane,
                     "a warp collective names lanes " + hex(missing) + ", which never come to it (" + others +
                         "): name the lanes that are there, or take it out of the branch");
  }
  lowest->waits = false;
  w.forced = true;
}

void check_own_mask(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t* masks = w.lanes<uint32_t>(in.c);
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    if ((masks[l] >> l & 1) == 0)
      w.launch->report(Kind::absent_lanes, w, l,
                       "a lane takes part in a warp collective whose mask " + hex(masks[l]) + " does not name it: its result is undefined");
  }
}

// brx.idx: a group for every target.
void branch_by_table(Warp& w, const Instruction& in, uint32_t lanes, uint32_t rest_pc, uint32_t others) {
  const uint32_t* index = w.lanes<uint32_t>(in.a);
  while (lanes != 0) {
    const uint32_t l = uint32_t(__builtin_ctz(lanes)), i = index[l];
    uint32_t same = 0;
    for (uint32_t r = lanes; r != 0; r &= r - 1) same |= uint32_t(index[__builtin_ctz(r)] == i) << __builtin_ctz(r);
    lanes &= ~same;
    if (i < in.imm) {
      w.groups.push_back({w.launch->code->pool[in.list + i], same, false});
    } else {
      w.launch->report(Kind::out_of_bounds, w, l, "a jump to entry " + std::to_string(i) + " of a table of " + std::to_string(in.imm));
      w.alive &= ~same;
    }
  }
  if (others != 0) w.groups.push_back({rest_pc, others, false});
}

}  // namespace

WarpState run(Warp& w, uint64_t quantum) {
  Launch& launch = *w.launch;
  const Instruction* const code = launch.code->instructions.data();
  int64_t* const executed_lanes = launch.executed_lanes.data();
  int64_t* const executed_warps = launch.executed_warps.data();
  const bool taint = launch.options.taint;
  int64_t spent = 0;
  uint64_t steps = 0;
  w.yielded = false;
  while (!w.groups.empty() && !launch.stop) {
    if (w.at_barrier) break;
    if (w.groups.size() > 1) merge(w);
    if (w.groups.size() == 1) w.apart = 0;
    const bool highest = launch.code->polls_block && (w.apart / kPatience & 1) != 0;
    const size_t at = choose(w, highest);
    if (at == kNone) {
      force(w);
      continue;
    }
    uint32_t pc = w.groups[at].pc, active = w.groups[at].lanes;
    const bool alone = w.groups.size() == 1;
    uint32_t stop = ~0u;
    for (const Group& g : w.groups) {
      if (g.pc > pc) stop = std::min(stop, g.pc);
    }
    const uint64_t begin = steps, share = steps + std::min<uint64_t>(quantum, 20'000);
    bool leave = false, waits = false, gone = false;
    while (!leave) {
      const Instruction& in = code[pc];
      const uint32_t lanes = active & (w.predicates[in.predicate] ^ in.flip);
      const int64_t n = __builtin_popcount(active);
      w.pc = pc;
      executed_lanes[pc] += n;
      ++executed_warps[pc];
      spent += n;
      ++steps;
      if (taint) before(w, in, active, lanes);
      switch (in.flow) {
        case Flow::plain:
          if (lanes != 0) {
            in.run(w, in, lanes);
            if (taint) after(w, in, lanes);
          }
          leave = ++pc == stop;
          break;
        case Flow::wait:
          if (lanes != 0) {
            in.run(w, in, lanes);
            if (taint) after(w, in, lanes);
            w.yielded = true;
          }
          ++pc;
          leave = true;
          break;
        case Flow::branch:
          ++launch.result.counters.branches;
          if (lanes == active) {
            pc = in.target;
          } else {
            ++pc;
            if (lanes != 0) {
              ++launch.result.counters.divergent_branches;
              active &= ~lanes;
              w.groups[at].lanes = active;
              w.groups.push_back({in.target, lanes, false});
              leave = true;
            }
          }
          leave |= !alone || steps >= share || launch.stop;
          break;
        case Flow::table: {
          ++launch.result.counters.branches;
          const size_t before_count = w.groups.size();
          branch_by_table(w, in, lanes, pc + 1, active & ~lanes);
          if (w.groups.size() > before_count + 1) ++launch.result.counters.divergent_branches;
          gone = leave = true;
          break;
        }
        case Flow::exit:
          w.alive &= ~lanes;
          active &= ~lanes;
          ++pc;
          gone = active == 0;
          leave = lanes != 0 || pc == stop;
          break;
        case Flow::collective:
        case Flow::barrier:
          if (lanes == 0) {
            leave = ++pc == stop;
            break;
          }
          leave = true;
          if (lanes != active) {  // the others go on without it
            w.groups.push_back({pc + 1, active & ~lanes, false});
            active = lanes;
          }
          if (in.flow == Flow::barrier) {
            waits = lanes != w.alive && !w.forced;
            if (waits) break;
            arrive(w, in, lanes);
            if (taint && in.kind != 0) after(w, in, lanes);
          } else {
            waits = (named_lanes(w, in, lanes) & w.alive & ~lanes) != 0 && !w.forced;
            if (waits) break;
            check_own_mask(w, in, lanes);
            in.run(w, in, lanes);
            if (taint) after(w, in, lanes);
            leave = !alone || lanes != active;
          }
          w.forced = false;
          ++pc;
          leave |= pc == stop;
          break;
      }
    }
    w.groups[at] = {pc, active, waits};
    if (gone) w.groups.erase(w.groups.begin() + long(at));
    launch.budget -= spent;
    spent = 0;
    w.apart += steps - begin;
    if (launch.budget < 0) {
      const uint32_t lane = w.alive == 0 ? 0 : uint32_t(__builtin_ctz(w.alive));
      launch.report(Kind::hang, w, lane,
                    "the launch has run " + std::to_string(launch.options.max_instructions) +
                        " thread-instructions and is not done: a loop without an end, or a limit that is too low");
      launch.stop = true;
    }
    if (w.yielded) return WarpState::spent;
    if (steps >= quantum) return WarpState::spent;
  }
  return w.groups.empty() || launch.stop ? WarpState::done : WarpState::waits;
}

}  // namespace ptxsim
