#include "tools/ptxsim/shadow.h"

#include <algorithm>

#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {

void Shadow::start(uint32_t bytes, uint32_t granule, uint32_t warps) {
  shift_ = granule >= 4 ? 2 : granule >= 2 ? 1 : 0;
  granules_ = (bytes + (1u << shift_) - 1) >> shift_;
  const bool fresh = warps != warps_ || read_.size() != size_t(granules_) * warps;
  warps_ = warps;
  written_.assign(granules_, 0);
  written_pc_.resize(granules_);
  renewed_ = false;
  released_.assign(warps, {});
  handed_.clear();
  if (fresh) {
    read_.assign(size_t(granules_) * warps, 0);
    clock_.assign(warps, 1);
    known_.assign(size_t(warps) * warps, 1);
    lane_sync_.assign(size_t(warps) * kLanes, 1);
    floor_.assign(warps, 1);
  }
  all_ordered();  // reads of the block before are in read_ still
}

void Shadow::all_ordered() {
  uint32_t now = 0;
  for (const uint32_t c : clock_) now = std::max(now, c);
  if (++now >= kMostClock) {
    renew();
    return;
  }
  std::fill(clock_.begin(), clock_.end(), now);
  std::fill(known_.begin(), known_.end(), now);
  std::fill(lane_sync_.begin(), lane_sync_.end(), now);
  std::fill(floor_.begin(), floor_.end(), now);
}

void Shadow::renew() {
  renewed_ = true;
  std::fill(read_.begin(), read_.end(), 0);
  for (uint32_t& e : written_) {
    if (e != 0) e = (e & (kPending | kAtomic | kCopied | kThreads)) | 1u << kThreadBits;
  }
  std::fill(clock_.begin(), clock_.end(), 2);
  std::fill(known_.begin(), known_.end(), 2);
  std::fill(lane_sync_.begin(), lane_sync_.end(), 2);
  std::fill(floor_.begin(), floor_.end(), 2);
}

void Shadow::tick(uint32_t warp) {
  if (++clock_[warp] >= kMostClock) renew();
}

void Shadow::lower(uint32_t warp) {
  uint32_t least = ~0u;
  for (uint32_t v = 0; v < warps_; ++v) {
    if (v != warp) least = std::min(least, known(warp, v));
  }
  for (uint32_t l = 0; l < kLanes; ++l) least = std::min(least, lane_sync_[warp * kLanes + l]);
  floor_[warp] = least;
}

void Shadow::warp_ordered(Warp& w, uint32_t lanes) {
  if (warps_ == 0) return;
  tick(w.index);
  for (uint32_t l = 0; l < kLanes; ++l) {
    if ((lanes >> l & 1) != 0 || (w.alive >> l & 1) == 0) lane_sync_[w.index * kLanes + l] = clock_[w.index];
  }
  lower(w.index);
}

void Shadow::barrier_reached(Warp& w, std::vector<uint32_t>& clocks) {
  if (warps_ == 0) return;
  tick(w.index);
  clocks.resize(warps_, 0);
  for (uint32_t v = 0; v < warps_; ++v) clocks[v] = std::max(clocks[v], v == w.index ? clock_[v] : known(w.index, v));
  for (uint32_t l = 0; l < kLanes; ++l) lane_sync_[w.index * kLanes + l] = clock_[w.index];
  lower(w.index);
}

void Shadow::snapshot(Warp& w, std::vector<uint32_t>& clocks) {
  if (warps_ == 0) return;
  tick(w.index);
  clocks.resize(warps_, 0);
  for (uint32_t v = 0; v < warps_; ++v) clocks[v] = std::max(clocks[v], v == w.index ? clock_[v] : known(w.index, v));
}

void Shadow::barrier_left(Warp& w, const std::vector<uint32_t>& clocks) {
  if (warps_ == 0 || clocks.empty()) return;
  for (uint32_t v = 0; v < warps_; ++v) known(w.index, v) = std::max(known(w.index, v), clocks[v]);
  lower(w.index);
}

void Shadow::fenced(Warp& w) {
  if (warps_ == 0) return;
  tick(w.index);
  std::vector<uint32_t>& r = released_[w.index];
  r.assign(known_.begin() + long(w.index * warps_), known_.begin() + long((w.index + 1) * warps_));
  r[w.index] = clock_[w.index];
}

// A strong write after a fence hands on what its warp knew at the fence; a strong read takes it.
void Shadow::hand_over(Warp& w, const Instruction& in, const Access& a) {
  if (a.purpose != Purpose::load && in.releases) fenced(w);
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t g = uint32_t(a.address[__builtin_ctz(rest)] >> shift_);
    if (a.purpose != Purpose::store) {
      if (const auto it = handed_.find(g); it != handed_.end()) barrier_left(w, it->second);
    }
    if (a.purpose != Purpose::load && !released_[w.index].empty()) {
      std::vector<uint32_t>& clocks = handed_[g];
      clocks.resize(warps_, 0);
      for (uint32_t v = 0; v < warps_; ++v) clocks[v] = std::max(clocks[v], released_[w.index][v]);
    }
  }
}

bool Shadow::ordered(uint32_t entry, uint32_t warp, uint32_t lane) const {
  const uint32_t clock = entry >> kThreadBits & kClockMask, thread = entry & kThreads, of = thread / kLanes, by = thread % kLanes;
  if (of != warp) return clock < known(warp, of);
  if (lane == kSeveral) {
    for (uint32_t l = 0; l < kLanes; ++l) {
      if (l != by && clock >= lane_sync_[warp * kLanes + l]) return false;
    }
    return clock < lane_sync_[warp * kLanes + by];
  }
  return by == lane || clock < std::min(lane_sync_[warp * kLanes + by], lane_sync_[warp * kLanes + lane]);
}

uint32_t Shadow::stamp(const Warp& w, uint32_t lane) const { return clock_[w.index] << kThreadBits | (w.index * kLanes + lane); }

bool Shadow::stamp_ordered(uint32_t stamp, const Warp& w, uint32_t lane) const { return renewed_ || stamp == 0 || ordered(stamp, w.index, lane); }

std::string Shadow::where(const Warp& w, uint32_t granule, uint32_t entry) const {
  const uint32_t thread = entry & kThreads;
  return "thread " + triple(thread_of(w.block->warps[thread / kLanes], thread % kLanes)) + " (" + place_text(w, written_pc_[granule]) + ")";
}

// The granule was written by somebody who is not ordered before this access, or by nobody.
void Shadow::written_before(Warp& w, const Access& a, uint32_t lane, uint32_t granule, uint32_t entry) {
  if ((entry & kPending) == 0 && ordered(entry, w.index, lane)) return;
  const uint32_t shown = lane == kSeveral ? uint32_t(__builtin_ctz(a.lanes)) : lane;
  const std::string at = "shared byte " + std::to_string(granule << shift_);
  const bool reads = a.purpose != Purpose::store;
  if ((entry & kPending) != 0) {
    w.launch->report(Kind::stale_async, w, shown,
                     std::string(reads ? "a read of " : "a write to ") + at + ", which a cp.async of " + where(w, granule, entry) +
                         " is still copying to: wait for its group, then a barrier");
    return;
  }
  const bool same_warp = (entry & kThreads) / kLanes == w.index;
  const std::string order = same_warp ? "put __syncwarp() (or a barrier) between them" : "put a barrier between them";
  if ((entry & kCopied) != 0) {
    w.launch->report(Kind::stale_async, w, shown,
                     std::string(reads ? "a read of " : "a write to ") + at + ", which a cp.async of " + where(w, granule, entry) +
                         " filled: only that thread waited for it; " + order);
    return;
  }
  w.launch->report(Kind::race, w, shown,
                   std::string(a.purpose == Purpose::load    ? "a read of "
                               : a.purpose == Purpose::store ? "a write to "
                                                             : "an atomic on ") +
                       at + " and the write of " + where(w, granule, entry) + " have no order: " + order);
}

void Shadow::read(Warp& w, const Instruction& in, const Access& a, uint32_t lane, uint32_t granule) {
  const uint32_t e = written_[granule];
  if ((e & kOld) - 1 >= (floor_[w.index] << kThreadBits) - 1) {
    if (e == 0) {
      w.launch->report(Kind::uninitialised, w, lane == kSeveral ? uint32_t(__builtin_ctz(a.lanes)) : lane,
                       "a read of shared byte " + std::to_string(granule << shift_) + ", which no thread of the block has written");
    } else if (!(in.strong && (e & kAtomic) != 0)) {
      written_before(w, a, lane, granule, e);
    }
  }
  uint32_t& r = read_[size_t(w.index) * granules_ + granule];
  const uint32_t now = clock_[w.index] << 6;
  r = (r & ~63u) == now && (r & 63u) != lane ? now | kSeveral : now | lane;
}

void Shadow::write(Warp& w, const Instruction& in, const Access& a, uint32_t lane, uint32_t granule) {
  const uint32_t e = written_[granule];
  const bool atomic = in.strong || a.purpose == Purpose::atomic;
  if (e == 0) {
    if (a.purpose == Purpose::atomic) {
      w.launch->report(Kind::uninitialised, w, lane,
                       "an atomic on shared byte " + std::to_string(granule << shift_) + ", which no thread of the block has written");
    }
  } else if ((e & kOld) >= floor_[w.index] << kThreadBits && !(atomic && (e & kAtomic) != 0)) {
    written_before(w, a, lane, granule, e);
  }
  // who read it, of every warp
  for (uint32_t v = 0; v < warps_; ++v) {
    const uint32_t r = read_[size_t(v) * granules_ + granule];
    if (r >> 6 < floor_[w.index]) continue;
    const uint32_t by = r & 63u;
    const bool fine = v != w.index ? r >> 6 < known(w.index, v) : by == lane || r >> 6 < lane_sync_[v * kLanes + lane];
    if (fine) continue;
    const Kind kind = in.kind == kAsyncWrite ? Kind::stale_async : Kind::race;
    const std::string who = by == kSeveral ? "several threads of warp " + std::to_string(v) : "thread " + triple(thread_of(w.block->warps[v], by));
    w.launch->report(kind, w, lane,
                     std::string(in.kind == kAsyncWrite ? "a cp.async to shared byte " : "a write to shared byte ") +
                         std::to_string(granule << shift_) + " and an earlier read of " + who +
                         " have no order: the buffer is used again too early; put " + (v == w.index ? "__syncwarp() or a barrier" : "a barrier") +
                         " between them");
    break;
  }
  const uint32_t thread = w.index * kLanes + lane;
  written_[granule] = (in.kind == kAsyncWrite ? kPending | kCopied : 0) | (atomic ? kAtomic : 0) | clock_[w.index] << kThreadBits | thread;
  written_pc_[granule] = w.pc;
}

void Shadow::accessed(Warp& w, const Instruction& in, const Access& a) {
  const uint32_t per_lane = std::max(1u, a.bytes >> shift_);
  if (in.strong) hand_over(w, in, a);
  if (a.purpose == Purpose::load) {
    if (in.strong) {  // not noted: a strong write may follow without order
      for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(rest)), g = uint32_t(a.address[l] >> shift_);
        for (uint32_t i = 0; i < per_lane; ++i) {
          const uint32_t kept = read_[size_t(w.index) * granules_ + g + i];
          read(w, in, a, l, g + i);
          read_[size_t(w.index) * granules_ + g + i] = kept;
        }
      }
      return;
    }
    if (a.uniform || in.kind == kByWarp) {  // one place for all lanes
      const uint32_t lanes = a.uniform ? 1 : a.lanes;
      for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
        const uint32_t g = uint32_t(a.address[__builtin_ctz(rest)] >> shift_);
        for (uint32_t i = 0; i < per_lane; ++i) read(w, in, a, kSeveral, g + i);
      }
      return;
    }
    for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest)), g = uint32_t(a.address[l] >> shift_);
      for (uint32_t i = 0; i < per_lane; ++i) read(w, in, a, l, g + i);
    }
    return;
  }
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest)), g = uint32_t(a.address[l] >> shift_);
    for (uint32_t i = 0; i < per_lane; ++i) write(w, in, a, l, g + i);
  }
}

void Shadow::arrived(Warp& w, const AsyncCopy& copy) {
  if (warps_ == 0) return;
  const uint32_t thread = w.index * kLanes + copy.lane, first = copy.to >> shift_;
  for (uint32_t g = first; g < first + std::max(1u, copy.bytes >> shift_); ++g) {
    if ((written_[g] & kPending) != 0 && (written_[g] & kThreads) == thread) written_[g] = kCopied | clock_[w.index] << kThreadBits | thread;
  }
}

}  // namespace ptxsim
