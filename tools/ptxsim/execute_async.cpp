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

void mbarrier(Warp&, const Instruction&, uint32_t) {}

}  // namespace ptxsim
