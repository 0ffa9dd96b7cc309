// Global and local memory: bytes that nobody wrote, and blocks that meet at one word without order. Order is: an access of one block, its fence,
// then a strong write of that block (a release), then a strong read of another block (an acquire), then that one's access. Which flag carries it
// is not asked. Atomics and other strong accesses do not conflict with each other. Threads of one block are ordered as in shadow.h; of several
// readers the last one is known.
#include <algorithm>
#include <cstdlib>

#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr uint32_t kStrong = 1u << 31;
constexpr size_t kMostGuesses = 64;

// The number after those of a launch's blocks: several of them.
uint32_t many(const Launch& launch) { return launch.first_block + 1 + uint32_t(launch.grid.count()); }

// What blocks did last, in launch time.
void strong_access(Warp& w, const Instruction& in, const Access& a) {
  Launch& launch = *w.launch;
  Block& b = *w.block;
  if (in.releases && a.purpose != Purpose::load) b.fenced_at = ++launch.time;
  if (a.purpose != Purpose::store) b.acquired_at = ++launch.time;
  if (a.purpose == Purpose::load || b.fenced_at == 0) return;
  std::vector<uint32_t>& releases = launch.releases[uint32_t(b.number)];
  if (releases.empty() || releases.back() < b.accessed_at) releases.push_back(uint32_t(++launch.time));  // once, however often it polls
}

// Did the block release what it did at `since`, before this block's last acquire?
bool between(const Warp& w, const std::vector<uint32_t>& releases, uint32_t since) {
  const auto next = std::upper_bound(releases.begin(), releases.end(), since);
  return next != releases.end() && *next < w.block->acquired_at;
}

bool ordered(const Warp& w, uint32_t other, uint32_t since) {
  const Launch& launch = *w.launch;
  if (w.block->acquired_at == 0) return false;
  if (other != many(launch)) {
    const auto it = launch.releases.find(other - 1 - launch.first_block);
    return it != launch.releases.end() && between(w, it->second, since);
  }
  for (const auto& [block, releases] : launch.releases) {  // who they were is not known: one is enough
    if (block != w.block->number && between(w, releases, since)) return true;
  }
  return false;
}

// `pc`: of the access.
void conflict(Warp& w, uint32_t pc, Purpose purpose, uint32_t lane, uint64_t at, uint32_t other, bool other_wrote) {
  Launch& launch = *w.launch;
  const uint64_t n = other - 1 - launch.first_block;
  const Dim3& g = launch.grid;
  const std::string who =
      other == many(launch) ? "several other blocks" : "block " + triple({uint32_t(n % g.x), uint32_t(n / g.x % g.y), uint32_t(n / g.x / g.y)});
  launch.report_at(Kind::inter_block, pc, w.block->id, thread_of(w, lane),
                   std::string(purpose == Purpose::load    ? "a read of "
                               : purpose == Purpose::store ? "a write to "
                                                           : "an atomic on ") +
                       hex(at) + ", which " + who + (other_wrote ? " wrote" : " read") +
                       " in the same launch: blocks have no order; use atomics, or a fence and a flag, or two launches");
}

// A plain read of what other blocks change by atomics is a conflict, unless the warp then tries a compare-and-swap there: whatever it read was a guess.
void guess(Warp& w, uint32_t lane, uint64_t at, uint32_t other) {
  for (const Guess& g : w.guesses) {
    if (g.at == at && g.pc == w.pc) return;
  }
  if (w.guesses.size() < kMostGuesses) w.guesses.push_back({at, w.pc, lane, other});
  else conflict(w, w.pc, Purpose::load, lane, at, other, true);
}

void conflict_in_block(Warp& w, const Access& a, uint32_t lane, uint64_t at, uint32_t stamp, bool other_wrote) {
  const uint32_t thread = stamp & 1023;
  const Warp& other = w.block->warps[thread / kLanes];
  w.launch->report(Kind::race, w, lane,
                   std::string(a.purpose == Purpose::load ? "a read of " : "a write to ") + "global " + hex(at) + " and " +
                       (other_wrote ? "the write" : "an earlier read") + " of thread " + triple(thread_of(other, thread % kLanes)) +
                       " of the same block have no order: put " + (other.index == w.index ? "__syncwarp() or a barrier" : "a barrier") +
                       " between them");
}

void check_blocks(Warp& w, const Instruction& in, Region& r, const Access& a) {
  Launch& launch = *w.launch;
  const uint32_t granule = launch.code->global_granule, first = launch.first_block + 1, me = first + uint32_t(w.block->number),
                 several = many(launch);
  const bool writes = a.purpose != Purpose::load, strong = in.strong;
  const bool fences = launch.code->fences;
  const uint32_t now = uint32_t(launch.time);
  w.block->accessed_at = std::max(w.block->accessed_at, now + 1);
  if (r.granule != granule || r.writer == nullptr || (fences && r.wrote_at == nullptr)) {
    r.granule = granule;
    const size_t n = (r.size + granule - 1) / granule;
    const auto make = [n] { return static_cast<uint32_t*>(std::calloc(n, 4)); };  // pages that nobody touches cost nothing
    r.writer.reset(make());
    r.reader.reset(make());
    r.write_stamp.reset(make());
    r.read_stamp.reset(make());
    r.wrote_at.reset(fences ? make() : nullptr);
    r.read_at.reset(fences ? make() : nullptr);
    if (r.writer == nullptr || r.reader == nullptr || r.write_stamp == nullptr || r.read_stamp == nullptr ||
        (fences && (r.wrote_at == nullptr || r.read_at == nullptr))) {
      r.writer.reset();
      return;
    }
  }
  uint32_t* const writer = r.writer.get();
  uint32_t* const reader = r.reader.get();
  uint32_t* const write_stamp = r.write_stamp.get();
  uint32_t* const read_stamp = r.read_stamp.get();
  uint32_t* const wrote_at = r.wrote_at.get();
  uint32_t* const read_at = r.read_at.get();
  const uint32_t per_lane = std::max(1u, a.bytes / granule);
  const auto touch = [&](uint32_t lane, uint64_t g) {
    const uint32_t old = writer[g], by = old & ~kStrong;
    if (by >= first && by != me && !(strong && (old & kStrong) != 0) && !(fences && ordered(w, by, wrote_at[g]))) {
      if (!writes && (old & kStrong) != 0) guess(w, lane % kLanes, r.base + g * granule, by);
      else conflict(w, w.pc, a.purpose, lane % kLanes, r.base + g * granule, by, true);
    }
    const Shadow& threads = w.block->shadow;
    const uint32_t as = lane == kLanes ? 0 : lane;  // kLanes: all lanes at one place
    if (by == me && !strong && (old & kStrong) == 0 && !threads.stamp_ordered(write_stamp[g], w, lane))
      conflict_in_block(w, a, as, r.base + g * granule, write_stamp[g], true);
    if (writes) {
      const uint32_t read_by = reader[g];
      if (read_by == me && !strong && !threads.stamp_ordered(read_stamp[g], w, lane))
        conflict_in_block(w, a, as, r.base + g * granule, read_stamp[g], false);
      if (read_by >= first && read_by != me && !(fences && ordered(w, read_by, read_at[g])) && !strong)
        conflict(w, w.pc, a.purpose, lane, r.base + g * granule, read_by, false);
      writer[g] = me | (strong ? kStrong : 0);
      write_stamp[g] = threads.stamp(w, as);
      reader[g] = 0;  // whoever read before is ordered, or was reported
      if (fences) wrote_at[g] = now;
    } else if (!strong) {
      const bool alone = reader[g] < first || reader[g] == me;
      reader[g] = alone ? me : several;
      read_stamp[g] = threads.stamp(w, as);
      if (fences && alone) read_at[g] = now;  // of several: the first
    }
  };
  if (a.uniform && !writes) {
    const uint64_t g = (a.address[0] - r.base) / granule;
    for (uint32_t i = 0; i < per_lane; ++i) touch(kLanes, g + i);
    return;
  }
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    const uint64_t g = (a.address[l] - r.base) / granule;
    for (uint32_t i = 0; i < per_lane; ++i) touch(l, g + i);
  }
}

// Bytes [at, at + bytes) are written from here on, or must have been.
bool all_written(const uint8_t* written, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; ++i) {
    if (written[i] == 0) return false;
  }
  return true;
}

// The source of a copy that is still on its way.
void check_sources(Warp& w, const Access& a) {
  for (Warp& other : w.block->warps) {
    for (const AsyncCopy& c : other.async.copies) {
      for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(rest));
        if (a.address[l] >= c.from + c.from_bytes || c.from >= a.address[l] + a.bytes) continue;
        w.launch->report(Kind::stale_async, w, l,
                         "a write to " + hex(a.address[l]) + ", which a cp.async of thread " + triple(thread_of(other, c.lane)) + " (" +
                             place_text(w, c.pc) + ") may still read: wait for its group first");
        return;
      }
    }
  }
}

}  // namespace

void global_accessed(Warp& w, const Instruction& in, AccessCache& cache, const Access& a) {
  if (in.strong) strong_access(w, in, a);
  for (uint32_t left = a.lanes; left != 0;) {  // nearly always one region
    Region* r = cache.region;
    if (r == nullptr || a.address[__builtin_ctz(left)] - r->base >= r->size) r = w.launch->memory->find(a.address[__builtin_ctz(left)]);
    Access part = a;
    part.lanes = 0;
    for (uint32_t rest = left; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest));
      if (a.address[l] - r->base < r->size) part.lanes |= 1u << l;
    }
    left &= ~part.lanes;
    if (r->constant) continue;
    if (!r->written.empty()) {
      uint8_t* const written = r->written.data();
      for (uint32_t rest = part.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(rest));
        uint8_t* const at = written + (a.address[l] - r->base);
        if (a.purpose != Purpose::store && !all_written(at, a.bytes)) {
          w.launch->report(Kind::uninitialised, w, l,
                           "a read of " + std::to_string(a.bytes) + " bytes at " + hex(a.address[l]) + ", of which nobody has written all: " +
                               std::to_string(a.address[l] - r->base) + " bytes into an allocation of " + std::to_string(r->size));
        }
        if (a.purpose != Purpose::load) std::memset(at, 1, a.bytes);
      }
    }
    check_blocks(w, in, *r, part);
  }
  if (a.purpose == Purpose::store && w.block->copying) check_sources(w, a);
}

void guessed(Warp& w, const Access& a) {
  std::erase_if(w.guesses, [&](const Guess& g) {
    for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
      if (g.at - a.address[__builtin_ctz(rest)] < a.bytes) return true;
    }
    return false;
  });
}

void report_guesses(Warp& w) {
  for (const Guess& g : w.guesses) conflict(w, g.pc, Purpose::load, g.lane, g.at, g.other, true);
  w.guesses.clear();
}

void local_accessed(Warp& w, const Instruction& in, const Access& a) {
  const uint32_t stride = w.launch->code->local.size();
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    uint8_t* const written = w.local_written.data() + uint64_t(l) * stride + a.address[l];
    if (in.copies) {
      carry(w, in, a, l, written);
    } else if (a.purpose == Purpose::store) {
      std::memset(written, 1, a.bytes);
    } else if (in.kind != kOfParameters && !all_written(written, a.bytes)) {
      w.launch->report(
          Kind::uninitialised, w, l,
          "a read of " + std::to_string(a.bytes) + " bytes at " + hex(a.address[l]) + " of local memory, of which the thread has not written all");
    }
  }
}

std::string place_text(const Warp& w, uint32_t pc) {
  const Statement& s = *w.launch->code->statements[pc];
  const SourcePlace place = place_of(*w.launch->code->module, s);
  if (place.line == 0) return "PTX line " + std::to_string(s.line);
  const size_t slash = place.file.rfind('/');
  return place.file.substr(slash == std::string::npos ? 0 : slash + 1) + ":" + std::to_string(place.line);
}

}  // namespace ptxsim
