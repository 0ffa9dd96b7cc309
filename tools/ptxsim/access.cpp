// A warp's access: 32 addresses into 32 pointers, with everything that can be wrong about them.
#include <algorithm>
#include <cstring>

#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

uint32_t first_of(uint32_t lanes) { return uint32_t(__builtin_ctz(lanes)); }

const char* verb(Purpose p) { return p == Purpose::load ? "read" : p == Purpose::store ? "write" : "atomic"; }

// The pattern of the lanes relative to the first one, remembered: most instructions have one pattern all the time.
bool same_pattern(AccessCache& cache, const Access& a, uint32_t phase) {
  const uint64_t base = a.address[first_of(a.lanes)];
  uint32_t deltas[kLanes];
  for (uint32_t l = 0; l < kLanes; ++l) deltas[l] = (a.lanes >> l & 1) != 0 ? uint32_t(a.address[l] - base) : 0;
  if (cache.lanes == a.lanes && cache.phase == phase && cache.count != 0 && std::memcmp(cache.deltas, deltas, sizeof deltas) == 0) return true;
  cache.lanes = a.lanes;
  cache.phase = phase;
  std::memcpy(cache.deltas, deltas, sizeof deltas);
  return false;
}

uint32_t sectors(const Access& a) {
  uint64_t touched[kLanes * 2];
  uint32_t n = 0;
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = first_of(rest);
    const uint64_t first = a.address[l] / 32, last = (a.address[l] + a.bytes - 1) / 32;
    if (n == 0 || touched[n - 1] != first) touched[n++] = first;
    if (last != first) touched[n++] = last;
  }
  std::sort(touched, touched + n);
  return uint32_t(std::unique(touched, touched + n) - touched);
}

// 32 banks of 4 bytes. 8-byte accesses go in half warps, 16-byte ones in quarters; lanes that want the same word share it.
uint32_t wavefronts(const Access& a) {
  const uint32_t parts = a.bytes <= 4 ? 1 : a.bytes <= 8 ? 2 : a.bytes <= 16 ? 4 : 8, lanes_of_part = kLanes / parts;
  uint32_t total = 0;
  for (uint32_t part = 0; part < parts; ++part) {
    uint64_t words[kLanes * 2 + 64];
    uint32_t n = 0;
    for (uint32_t l = part * lanes_of_part; l < (part + 1) * lanes_of_part; ++l) {
      if ((a.lanes >> l & 1) == 0) continue;
      for (uint64_t w = a.address[l] / 4; w <= (a.address[l] + a.bytes - 1) / 4; ++w) words[n++] = w;
    }
    std::sort(words, words + n);
    n = uint32_t(std::unique(words, words + n) - words);
    uint32_t of_bank[32] = {}, most = 0;
    for (uint32_t i = 0; i < n; ++i) most = std::max(most, ++of_bank[words[i] % 32]);
    total += most;
  }
  return total;
}

void count(Launch& launch, AccessCache& cache, const Access& a) {
  Counters& c = launch.result.counters;
  if (a.space == Space::global) {
    const uint64_t base = a.address[first_of(a.lanes)];
    uint32_t n;
    if (a.contiguous && a.bytes <= 32) {
      n = uint32_t((base + uint64_t(a.bytes) * kLanes - 1) / 32 - base / 32 + 1);
    } else if (same_pattern(cache, a, uint32_t(base % 32))) {
      n = cache.count;
    } else {
      n = cache.count = sectors(a);
    }
    const int64_t bytes = int64_t(a.bytes) * __builtin_popcount(a.lanes);
    if (a.purpose != Purpose::store) ++c.global_loads, c.global_load_sectors += n, c.global_load_bytes += bytes;
    if (a.purpose != Purpose::load) ++c.global_stores, c.global_store_sectors += n, c.global_store_bytes += bytes;
  } else if (a.space == Space::shared) {
    ++c.shared_requests;
    if (a.uniform || (a.contiguous && a.bytes == 4)) {
      c.shared_wavefronts += a.bytes <= 4 ? 1 : a.bytes <= 8 ? 2 : a.bytes <= 16 ? 4 : 8;
    } else {
      if (!same_pattern(cache, a, uint32_t(a.address[first_of(a.lanes)] % 4))) cache.count = wavefronts(a);
      c.shared_wavefronts += cache.count;
    }
  }
}

// Leaves out what the variables of a space do not hold.
void check_layout(Warp& w, Access& a, const Layout& layout, const char* space) {
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = first_of(rest);
    if (layout.holds(a.address[l], a.bytes)) continue;
    a.lanes &= ~(1u << l);
    w.launch->report(Kind::out_of_bounds, w, l,
                     std::string(verb(a.purpose)) + " of " + std::to_string(a.bytes) + " bytes at " + hex(a.address[l]) + " of " + space +
                         " memory, where no variable is (" + std::to_string(layout.size()) + " bytes in all): check the index against the array");
  }
}

void check_global(Warp& w, AccessCache& cache, Access& a) {
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = first_of(rest);
    const uint64_t at = a.address[l];
    Region* r = cache.region;
    if (r == nullptr || at - r->base >= r->size || r->size - (at - r->base) < a.bytes || r->freed) {
      r = w.launch->memory->find(at);
      if (r == nullptr || r->size - (at - r->base) < a.bytes || (r->constant && a.purpose != Purpose::load)) {
        a.lanes &= ~(1u << l);
        w.launch->report(Kind::out_of_bounds, w, l,
                         std::string(verb(a.purpose)) + " of " + std::to_string(a.bytes) + " bytes at " + hex(at) + ": " +
                             (r != nullptr && r->constant ? "constant memory" : w.launch->memory->nearest(at + (r != nullptr ? a.bytes - 1 : 0))) +
                             "; check the index, and the tail's guard");
        continue;
      }
      cache.region = r;
    }
    a.host[l] = r->data + (at - r->base);
  }
}

// What a copy brings to or from another space.
void carry_out(Warp& w, const Instruction& in, const Access& a) {
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    if (carry(w, in, a, first_of(rest), nullptr)) continue;
    w.launch->report(Kind::uninitialised, w, first_of(rest),
                     "a write of " + std::to_string(a.bytes) + " bytes that came from local memory, of which the thread has not written all");
  }
}

}  // namespace

void addresses_of(Warp& w, const Instruction&, uint32_t base, uint32_t base_bytes, uint64_t add, uint64_t* out) {
  if (base_bytes == 8) {
    const uint64_t* r = w.lanes<uint64_t>(base);
    for (uint32_t l = 0; l < kLanes; ++l) out[l] = r[l] + add;
  } else if (base_bytes == 4) {
    const uint32_t* r = w.lanes<uint32_t>(base);
    for (uint32_t l = 0; l < kLanes; ++l) out[l] = r[l] + uint32_t(add);
    if (add >> 32 != 0 && int64_t(add) >> 31 != -1) {
      for (uint32_t l = 0; l < kLanes; ++l) out[l] = r[l] + add;
    } else {
      for (uint32_t l = 0; l < kLanes; ++l) out[l] &= 0xffffffffu;
    }
  } else {
    for (uint32_t l = 0; l < kLanes; ++l) out[l] = add;
  }
}

void check(Warp& w, const Instruction& in, Access& a) {
  AccessCache& cache = w.launch->caches[in.cache];
  Launch& launch = *w.launch;
  const uint64_t align = uint64_t(a.bytes & (~a.bytes + 1)) - 1;  // bytes are powers of two
  uint64_t low = 0;
  for (uint32_t l = 0; l < kLanes; ++l) low |= (a.lanes >> l & 1) != 0 ? a.address[l] : 0;
  if ((low & align) != 0) {
    for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
      const uint32_t l = first_of(rest);
      if ((a.address[l] & align) == 0) continue;
      a.lanes &= ~(1u << l);
      launch.report(Kind::misaligned, w, l,
                    std::string(verb(a.purpose)) + " of " + std::to_string(a.bytes) + " bytes at " + hex(a.address[l]) +
                        ", which is no multiple of " + std::to_string(a.bytes) + ": align the array, or use narrower accesses");
    }
  }
  if (a.lanes == kAllLanes) {
    uint64_t off = 0, unlike = 0;
    for (uint32_t l = 0; l < kLanes; ++l) off |= a.address[l] ^ (a.address[0] + uint64_t(l) * a.bytes), unlike |= a.address[l] ^ a.address[0];
    a.contiguous = off == 0;
    a.uniform = unlike == 0;
  } else {
    a.contiguous = a.uniform = false;
  }
  switch (a.space) {
    case Space::global:
    case Space::constant: check_global(w, cache, a); break;
    case Space::shared: {
      check_layout(w, a, launch.shared_layout, "shared");
      std::byte* const base = w.block->shared.data();
      for (uint32_t l = 0; l < kLanes; ++l) a.host[l] = base + ((a.lanes >> l & 1) != 0 ? a.address[l] : 0);
      break;
    }
    case Space::local: {
      check_layout(w, a, launch.code->local, "local");
      const uint32_t stride = launch.code->local.size();
      for (uint32_t l = 0; l < kLanes; ++l) a.host[l] = w.local.data() + ((a.lanes >> l & 1) != 0 ? uint64_t(l) * stride + a.address[l] : 0);
      break;
    }
    case Space::param:
      for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = first_of(rest);
        if (a.purpose == Purpose::load && a.address[l] < launch.params.size() && launch.params.size() - a.address[l] >= a.bytes) {
          a.host[l] = launch.params.data() + a.address[l];
          continue;
        }
        a.lanes &= ~(1u << l);
        launch.report(Kind::out_of_bounds, w, l,
                      std::string(verb(a.purpose)) + " of " + std::to_string(a.bytes) + " bytes at " + hex(a.address[l]) +
                          " of the parameters, which are " + std::to_string(launch.params.size()) + " bytes and constant");
      }
      break;
    case Space::generic: a.lanes = 0; break;
  }
  if (a.lanes != kAllLanes || a.space == Space::local) a.contiguous = a.uniform = false;
  if (a.lanes == 0) return;
  count(launch, cache, a);
  if (!launch.diagnose) return;
  if (in.copies && a.space != Space::local) carry_out(w, in, a);
  if (a.space == Space::global) {
    global_accessed(w, in, cache, a);
  } else if (a.space == Space::shared) {
    w.block->shadow.accessed(w, in, a);
  } else if (a.space == Space::local) {
    local_accessed(w, in, a);
  }
}

void resolve(Warp& w, const Instruction& in, uint32_t lanes, Purpose purpose, Access& a) {
  a.purpose = purpose;
  a.bytes = uint32_t(in.bytes) * in.count;
  a.space = in.space;
  a.lanes = lanes;
  addresses_of(w, in, in.a, in.base_bytes, in.imm, a.address);
  if (in.space != Space::generic) return check(w, in, a);
  // Generic addresses: a lane's window says its space; lanes of several spaces go one space after the other.
  uint32_t of_space[4] = {0, 0, 0, 0};  // global, shared, local, param
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = first_of(rest);
    const uint64_t at = a.address[l];
    of_space[at - kSharedWindow < kWindowBytes ? 1 : at - kLocalWindow < kWindowBytes ? 2 : at - kParamWindow < kWindowBytes ? 3 : 0] |= 1u << l;
  }
  static constexpr Space kSpaces[] = {Space::global, Space::shared, Space::local, Space::param};
  static constexpr uint64_t kWindows[] = {0, kSharedWindow, kLocalWindow, kParamWindow};
  uint32_t done = 0;
  bool contiguous = false, uniform = false;
  for (int s = 0; s < 4; ++s) {
    if (of_space[s] == 0) continue;
    Access part;
    part.purpose = purpose;
    part.bytes = a.bytes;
    part.space = kSpaces[s];
    part.lanes = of_space[s];
    for (uint32_t l = 0; l < kLanes; ++l) part.address[l] = a.address[l] - kWindows[s];
    check(w, in, part);
    for (uint32_t l = 0; l < kLanes; ++l) {
      if ((part.lanes >> l & 1) != 0) a.host[l] = part.host[l], a.address[l] = part.address[l];
    }
    done |= part.lanes;
    contiguous = part.contiguous;
    uniform = part.uniform;
    a.space = part.space;
  }
  a.lanes = done;
  a.contiguous = contiguous && done == kAllLanes;
  a.uniform = uniform && done == kAllLanes;
}

}  // namespace ptxsim
