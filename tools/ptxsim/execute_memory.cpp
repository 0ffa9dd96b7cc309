// ld, st, cvta, isspacep, fences.
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

template <class T>
void gather(T* d, const Access& a, uint32_t offset) {
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    std::memcpy(&d[l], a.host[l] + offset, sizeof(T));
  }
}

template <class T>
void scatter(const T* s, const Access& a, uint32_t offset) {
  for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    std::memcpy(a.host[l] + offset, &s[l], sizeof(T));
  }
}

// All lanes, one after the other: elements of one lane are `count` apart.
template <class T>
void gather_row(T* d, const std::byte* from, uint32_t count, uint32_t v) {
  if (count == 1) {
    std::memcpy(d, from, sizeof(T) * kLanes);
    return;
  }
  for (uint32_t l = 0; l < kLanes; ++l) std::memcpy(&d[l], from + (l * count + v) * sizeof(T), sizeof(T));
}

uint64_t extended(const std::byte* p, uint32_t bytes, bool is_signed) {
  uint64_t v = 0;
  std::memcpy(&v, p, bytes);
  if (is_signed && bytes < 8 && (v >> (8 * bytes - 1) & 1) != 0) v |= ~uint64_t(0) << (8 * bytes);
  return v;
}

void set(Warp& w, uint32_t offset, uint32_t bytes, uint32_t lane, uint64_t v) { std::memcpy(w.registers + offset + lane * bytes, &v, bytes); }

template <class T>
void fill(T* d, const std::byte* from) {
  T v;
  std::memcpy(&v, from, sizeof(T));
  for (uint32_t l = 0; l < kLanes; ++l) d[l] = v;
}

}  // namespace

void load(Warp& w, const Instruction& in, uint32_t lanes) {
  Access a;
  resolve(w, in, lanes, Purpose::load, a);
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  const uint32_t missing = lanes & ~a.lanes;
  for (uint32_t v = 0; v < in.count; ++v) {
    const uint32_t offset = v * in.bytes;
    if (in.bytes == in.register_bytes && in.bytes == 4) {
      uint32_t* d = w.lanes<uint32_t>(list[v]);
      if (a.uniform) fill(d, a.host[0] + offset);
      else if (a.contiguous) gather_row(d, a.host[0], in.count, v);
      else gather(d, a, offset);
    } else if (in.bytes == in.register_bytes && in.bytes == 8) {
      uint64_t* d = w.lanes<uint64_t>(list[v]);
      if (a.uniform) fill(d, a.host[0] + offset);
      else if (a.contiguous) gather_row(d, a.host[0], in.count, v);
      else gather(d, a, offset);
    } else if (in.bytes == in.register_bytes && in.bytes == 2) {
      gather(w.lanes<uint16_t>(list[v]), a, offset);
    } else {
      for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(rest));
        set(w, list[v], in.register_bytes, l, extended(a.host[l] + offset, in.bytes, in.is_signed));
      }
    }
    for (uint32_t rest = missing; rest != 0; rest &= rest - 1) set(w, list[v], in.register_bytes, uint32_t(__builtin_ctz(rest)), 0);
  }
}

void store(Warp& w, const Instruction& in, uint32_t lanes) {
  Access a;
  resolve(w, in, lanes, Purpose::store, a);
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  for (uint32_t v = 0; v < in.count; ++v) {
    const uint32_t offset = v * in.bytes;
    if (in.bytes == 4 && in.register_bytes == 4) {
      const uint32_t* s = w.lanes<uint32_t>(list[v]);
      if (a.contiguous && in.count == 1) std::memcpy(a.host[0], s, sizeof(uint32_t) * kLanes);
      else scatter(s, a, offset);
    } else if (in.bytes == 8 && in.register_bytes == 8) {
      scatter(w.lanes<uint64_t>(list[v]), a, offset);
    } else if (in.bytes == 2 && in.register_bytes == 2) {
      scatter(w.lanes<uint16_t>(list[v]), a, offset);
    } else {
      for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
        const uint32_t l = uint32_t(__builtin_ctz(rest));
        std::memcpy(a.host[l] + offset, w.registers + list[v] + l * in.register_bytes, in.bytes);  // little endian: the low bytes
      }
    }
  }
}

void no_operation(Warp&, const Instruction&, uint32_t) {}

void fence(Warp& w, const Instruction& in, uint32_t) {
  Launch& launch = *w.launch;
  if (in.kind >= 1) w.block->fenced_at = ++launch.time;
  w.block->shadow.fenced(w);
}

void to_generic(Warp& w, const Instruction& in, uint32_t lanes) {
  uint64_t* d = w.lanes<uint64_t>(in.d);
  const uint64_t* a = w.lanes<uint64_t>(in.a);
  for (uint32_t l = 0; l < kLanes; ++l) {
    if ((lanes >> l & 1) != 0) d[l] = a[l] + in.imm;
  }
}

void is_space(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint64_t* a = w.lanes<uint64_t>(in.a);
  uint32_t result = 0;
  for (uint32_t l = 0; l < kLanes; ++l) {
    const bool window = a[l] >= kParamWindow && a[l] < kSharedWindow + kWindowBytes;
    const Region* r = window || in.imm != 0 ? nullptr : w.launch->memory->find(a[l]);
    const bool yes = in.imm != 0 ? a[l] - in.imm < kWindowBytes : !window && (in.kind == 1) == (r != nullptr && r->constant);
    result |= uint32_t(yes) << l;
  }
  uint32_t& p = w.predicates[in.d];
  p = (p & ~lanes) | (result & lanes);
}

}  // namespace ptxsim
