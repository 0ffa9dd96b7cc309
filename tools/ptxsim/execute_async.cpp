// cp.async and its groups. At issue: the bytes move now, and stay forbidden until they are waited for. At wait: they move then.
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

void move(Warp& w, const AsyncCopy& c) {
  std::byte* const to = w.block->shared.data() + c.to;
  const Region* r = c.from_bytes == 0 ? nullptr : w.launch->memory->find(c.from);
  if (r != nullptr) std::memcpy(to, r->data + (c.from - r->base), c.from_bytes);
  std::memset(to + c.from_bytes, 0, c.bytes - c.from_bytes);
}

}  // namespace

void copy_async(Warp& w, const Instruction& in, uint32_t lanes) {
  Launch& launch = *w.launch;
  Access from, to;
  from.space = Space::global;
  from.purpose = Purpose::load;
  from.bytes = to.bytes = in.bytes;
  from.lanes = lanes;
  uint32_t from_bytes[kLanes];
  for (uint32_t l = 0; l < kLanes; ++l) from_bytes[l] = in.bytes;
  if (in.kind == 1) {
    for (uint32_t l = 0; l < kLanes; ++l) from_bytes[l] = std::min<uint32_t>(in.bytes, w.lanes<uint32_t>(in.c)[l]);
  } else if (in.kind == 2) {  // true: the source is ignored
    for (uint32_t l = 0; l < kLanes; ++l) from_bytes[l] = (w.predicates[in.c] >> l & 1) != 0 ? 0 : in.bytes;
  }
  uint32_t reading = 0, whole = 0;
  for (uint32_t l = 0; l < kLanes; ++l) {
    reading |= uint32_t(from_bytes[l] != 0) << l;
    whole |= uint32_t(from_bytes[l] == in.bytes) << l;
  }
  addresses_of(w, in, in.b, in.register_bytes, uint64_t(int64_t(int32_t(in.target))), from.address);
  Instruction source = in;
  source.cache = in.list;
  source.space = Space::global;
  source.kind = 0;
  // lanes that read in part are checked one by one, for their bytes alone
  from.lanes = lanes & whole;
  uint32_t ok = lanes & ~reading;
  if (from.lanes != 0) {
    check(w, source, from);
    ok |= from.lanes;
  }
  for (uint32_t rest = lanes & reading & ~whole; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    for (uint32_t at = 0; at < from_bytes[l]; ++at) {
      Access one;
      one.space = Space::global;
      one.purpose = Purpose::load;
      one.bytes = 1;
      one.lanes = 1u << l;
      one.address[l] = from.address[l] + at;
      check(w, source, one);
      if (one.lanes == 0) break;
      if (at + 1 == from_bytes[l]) ok |= 1u << l;
    }
  }
  w.block->copying = true;
  to.space = Space::shared;
  to.purpose = Purpose::store;
  to.lanes = ok;
  addresses_of(w, in, in.a, in.base_bytes, in.imm, to.address);
  Instruction destination = in;
  destination.kind = kAsyncWrite;
  check(w, destination, to);
  for (uint32_t rest = to.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    const AsyncCopy copy{l, w.async.committed[l], uint32_t(to.address[l]), in.bytes, from_bytes[l], from.address[l], w.pc};
    if (launch.options.async == AsyncMode::at_issue) move(w, copy);
    w.async.copies.push_back(copy);
  }
}

void commit_async(Warp& w, const Instruction&, uint32_t lanes) {
  for (; lanes != 0; lanes &= lanes - 1) ++w.async.committed[__builtin_ctz(lanes)];
}

void wait_async(Warp& w, const Instruction& in, uint32_t lanes) {
  const Launch& launch = *w.launch;
  size_t kept = 0;
  for (size_t i = 0; i < w.async.copies.size(); ++i) {
    const AsyncCopy copy = w.async.copies[i];
    const bool mine = (lanes >> copy.lane & 1) != 0;
    const uint32_t committed = w.async.committed[copy.lane];
    const bool done = mine && (in.imm == ~uint64_t(0) || (copy.group < committed && committed - copy.group > in.imm));
    if (!done) {
      w.async.copies[kept++] = copy;
      continue;
    }
    if (launch.options.async == AsyncMode::at_wait) move(w, copy);
    w.block->shadow.arrived(w, copy);
  }
  w.async.copies.resize(kept);
}

namespace {

// One lane arrives `count` times; when nobody is awaited any more, the next phase begins.
void arrive(Warp& w, uint32_t lane, MBarrierState& b, uint32_t count, bool drops) {
  if (count > b.pending) {
    w.launch->report(Kind::barrier, w, lane,
                     "an mbarrier of " + std::to_string(b.expected) + " arrivals is arrived at once more than it awaits in this phase");
    count = b.pending;
  }
  b.pending -= count;
  if (drops) b.expected -= std::min(count, b.expected);
  w.block->shadow.snapshot(w, b.arriving);
}

void complete(MBarrierState& b) {
  if (b.pending != 0 || b.transactions != 0) return;
  ++b.phase;
  b.pending = b.expected;
  b.arrived = std::move(b.arriving);
  b.arriving.clear();
}

// The copies of one lane are done now, or at the latest here.
void finish_copies(Warp& w, uint32_t lane) {
  size_t kept = 0;
  for (size_t i = 0; i < w.async.copies.size(); ++i) {
    const AsyncCopy copy = w.async.copies[i];
    if (copy.lane != lane) {
      w.async.copies[kept++] = copy;
      continue;
    }
    if (w.launch->options.async == AsyncMode::at_wait) move(w, copy);
    w.block->shadow.arrived(w, copy);
  }
  w.async.copies.resize(kept);
}

}  // namespace

void mbarrier(Warp& w, const Instruction& in, uint32_t lanes) {
  const MBarrier kind = MBarrier(in.kind);
  if (kind == MBarrier::pending) {  // the state is phase << 32 | pending
    for (; lanes != 0; lanes &= lanes - 1) w.lanes<uint32_t>(in.d)[__builtin_ctz(lanes)] = uint32_t(w.lanes<uint64_t>(in.a)[__builtin_ctz(lanes)]);
    return;
  }
  Instruction one = in;
  one.count = 1;
  one.kind = kPlain;
  Access a;
  resolve(w, one, lanes, kind == MBarrier::init ? Purpose::store : Purpose::atomic, a);
  const bool waits = kind == MBarrier::test;
  uint32_t done = 0;
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest)), at = uint32_t(a.address[l]);
    const uint64_t value = in.count == 0 ? 1 : waits && !in.is_signed ? w.lanes<uint64_t>(in.b)[l] : w.lanes<uint32_t>(in.b)[l];
    MBarriers& all = w.block->mbarriers;
    if (kind == MBarrier::init) {
      all[at] = MBarrierState{uint32_t(value), uint32_t(value), 0, 0, {}, {}};
      continue;
    }
    const auto it = all.find(at);
    if (it == all.end()) {
      w.launch->report(Kind::barrier, w, l, "an mbarrier at shared byte " + std::to_string(at) + " that was not initialised");
      done |= 1u << l;
      continue;
    }
    MBarrierState& b = it->second;
    const uint64_t state = b.phase << 32 | b.pending;
    switch (kind) {
      case MBarrier::inval: all.erase(it); continue;
      case MBarrier::arrive: arrive(w, l, b, uint32_t(value), false); break;
      case MBarrier::arrive_drop: arrive(w, l, b, uint32_t(value), true); break;
      case MBarrier::arrive_expect:
        b.transactions += int64_t(value);
        arrive(w, l, b, 1, in.register_bytes != 0);
        break;
      case MBarrier::expect: b.transactions += int64_t(value); break;
      case MBarrier::complete: b.transactions -= int64_t(value); break;
      case MBarrier::arrive_async:
        finish_copies(w, l);
        if (in.count != 0) ++b.pending;  // without .noinc it counts for itself
        arrive(w, l, b, 1, false);
        break;
      default: {  // the phase that the state or the parity names is over
        const bool over = in.is_signed ? (b.phase & 1) != (value & 1) : b.phase > value >> 32;
        done |= uint32_t(over) << l;
        if (over) w.block->shadow.barrier_left(w, b.arrived);
        continue;
      }
    }
    if (in.e != 0) w.lanes<uint64_t>(in.d)[l] = state;
    complete(b);
  }
  if (waits) w.predicates[in.d] = (w.predicates[in.d] & ~lanes) | (done & lanes);
}

}  // namespace ptxsim
