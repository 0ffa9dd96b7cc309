// Warp collectives. The warp's loop has gathered the lanes that they name: named_lanes; who is absent then was reported.
#include <algorithm>

#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

// Lanes with one mask act together.
template <class F>
void each_mask(Warp& w, uint32_t mask_register, uint32_t lanes, F&& f) {
  const uint32_t* masks = w.lanes<uint32_t>(mask_register);
  for (uint32_t rest = lanes; rest != 0;) {
    const uint32_t mask = masks[__builtin_ctz(rest)];
    uint32_t same = 0;
    for (uint32_t r = rest; r != 0; r &= r - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(r));
      same |= uint32_t(masks[l] == mask) << l;
    }
    f(same, mask);
    rest &= ~same;
  }
}

}  // namespace

uint32_t named_lanes(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t* masks = w.lanes<uint32_t>(in.c);
  uint32_t named = lanes;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) named |= masks[__builtin_ctz(rest)];
  return named;
}

// d|e = a of the lane that b says; list: the clamp register; c: the mask.
void shuffle(Warp& w, const Instruction& in, uint32_t lanes) {
  uint32_t from[kLanes];
  std::memcpy(from, w.lanes<uint32_t>(in.a), sizeof from);
  uint32_t* d = w.lanes<uint32_t>(in.d);
  const uint32_t* b = w.lanes<uint32_t>(in.b);
  const uint32_t* clamp = w.lanes<uint32_t>(w.launch->code->pool[in.list]);
  const uint32_t* masks = w.lanes<uint32_t>(in.c);
  uint32_t inside = 0;
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    const int32_t by = int32_t(b[l] & 31), c = int32_t(clamp[l] & 31), segment = int32_t(clamp[l] >> 8 & 31), lane = int32_t(l);
    const int32_t most = (lane & segment) | (c & ~segment), least = lane & segment;
    int32_t j = 0;
    bool ok = false;
    switch (Shuffle(in.kind)) {
      case Shuffle::up: j = lane - by, ok = j >= most; break;
      case Shuffle::down: j = lane + by, ok = j <= most; break;
      case Shuffle::bfly: j = lane ^ by, ok = j <= most; break;
      case Shuffle::idx: j = least | (by & ~segment), ok = j <= most; break;
    }
    if (!ok) j = lane;
    inside |= uint32_t(ok) << l;
    if ((lanes >> j & 1) == 0 || (masks[l] >> j & 1) == 0) {
      w.launch->report(Kind::absent_lanes, w, l,
                       "a shuffle reads lane " + std::to_string(j) + ", which " +
                           ((w.born >> j & 1) == 0    ? "the block does not have"
                            : (w.alive >> j & 1) == 0 ? "has exited"
                                                      : "does not take part") +
                           ": its value is undefined; keep every lane of the mask to the end");
    }
    d[l] = from[j];
  }
  if (in.e != 0) w.set_predicate(in.e, inside, lanes);
}

void vote(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t p = w.predicates[in.a];
  each_mask(w, in.c, lanes, [&](uint32_t same, uint32_t) {
    const uint32_t yes = p & same;
    switch (Vote(in.kind)) {
      case Vote::all: w.set_predicate(in.d, yes == same ? kAllLanes : 0, same); break;
      case Vote::any: w.set_predicate(in.d, yes != 0 ? kAllLanes : 0, same); break;
      case Vote::uni: w.set_predicate(in.d, yes == 0 || yes == same ? kAllLanes : 0, same); break;
      case Vote::ballot:
        for (uint32_t rest = same; rest != 0; rest &= rest - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(rest)] = yes;
        break;
    }
  });
}

void match(Warp& w, const Instruction& in, uint32_t lanes) {
  uint64_t value[kLanes] = {};
  for (uint32_t l = 0; l < kLanes; ++l) std::memcpy(&value[l], w.registers + in.a + l * in.bytes, in.bytes);
  each_mask(w, in.c, lanes, [&](uint32_t same, uint32_t) {
    for (uint32_t rest = same; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest));
      uint32_t equal = 0;
      for (uint32_t r = same; r != 0; r &= r - 1) equal |= uint32_t(value[__builtin_ctz(r)] == value[l]) << __builtin_ctz(r);
      const bool all = equal == same;
      w.lanes<uint32_t>(in.d)[l] = in.kind == 0 ? equal : all ? same : 0;
      if (in.kind == 1 && in.e != 0) w.set_predicate(in.e, all ? kAllLanes : 0, 1u << l);
    }
  });
}

void redux(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t* a = w.lanes<uint32_t>(in.a);
  each_mask(w, in.c, lanes, [&](uint32_t same, uint32_t) {
    uint32_t r = a[__builtin_ctz(same)];
    for (uint32_t rest = same & (same - 1); rest != 0; rest &= rest - 1) {
      const uint32_t v = a[__builtin_ctz(rest)];
      switch (Atomic(in.kind)) {
        case Atomic::add: r += v; break;
        case Atomic::min: r = in.is_signed ? uint32_t(std::min(int32_t(r), int32_t(v))) : std::min(r, v); break;
        case Atomic::max: r = in.is_signed ? uint32_t(std::max(int32_t(r), int32_t(v))) : std::max(r, v); break;
        case Atomic::bit_and: r &= v; break;
        case Atomic::bit_or: r |= v; break;
        default: r ^= v; break;
      }
    }
    for (uint32_t rest = same; rest != 0; rest &= rest - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(rest)] = r;
  });
}

void active_mask(Warp& w, const Instruction& in, uint32_t lanes) {
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(rest)] = lanes;
}

void elect(Warp& w, const Instruction& in, uint32_t lanes) {
  each_mask(w, in.c, lanes, [&](uint32_t same, uint32_t) {
    const uint32_t leader = uint32_t(__builtin_ctz(same));
    for (uint32_t rest = same; rest != 0; rest &= rest - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(rest)] = leader;
    w.set_predicate(in.e, 1u << leader, same);
  });
}

void warp_barrier(Warp& w, const Instruction& in, uint32_t lanes) {
  each_mask(w, in.c, lanes, [&](uint32_t same, uint32_t) { w.block->shadow.warp_ordered(w, same); });
}

}  // namespace ptxsim
