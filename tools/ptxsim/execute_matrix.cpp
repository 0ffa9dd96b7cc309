// ldmatrix, stmatrix, movmatrix and mma.sync, with the fragments that the PTX ISA draws: lane l is row (or column) l / 4 and part l % 4.
// mma adds products to the accumulator one k after the other, each step an f32 fma: the order of the tensor core is not documented, and its sums
// may be off by a few of the largest term's last bits. tf32 inputs lose their 13 low bits. f16 accumulators are rounded once, at the end.
#include <algorithm>
#include <cmath>

#include "tools/ptxsim/halves.h"
#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/numbers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

struct Matrices {
  MatrixShape s;
  Type d, a, b, c;
  bool clamps;
  explicit Matrices(uint64_t imm)
      : s{uint8_t(imm), uint8_t(imm >> 8), uint8_t(imm >> 16)},
        d(Type(imm >> 24 & 255)),
        a(Type(imm >> 32 & 255)),
        b(Type(imm >> 40 & 255)),
        c(Type(imm >> 48 & 255)),
        clamps((imm >> 56) != 0) {}
};

uint32_t size_in_fragment(Type t) { return t == Type::u8 || t == Type::s8 ? 1 : t == Type::f16 || t == Type::bf16 ? 2 : t == Type::f64 ? 8 : 4; }

double value_of(Type t, const std::byte* at) {
  uint64_t bits = 0;
  std::memcpy(&bits, at, size_in_fragment(t));
  switch (t) {
    case Type::f16: return double(f16_value(uint16_t(bits)));
    case Type::bf16: return double(bf16_value(uint16_t(bits)));
    case Type::tf32: return double(std::bit_cast<float>(uint32_t(bits) & 0xffffe000u));
    case Type::f32: return double(std::bit_cast<float>(uint32_t(bits)));
    case Type::f64: return std::bit_cast<double>(bits);
    case Type::s8: return double(int8_t(bits));
    case Type::u8: return double(uint8_t(bits));
    default: return double(int32_t(bits));
  }
}

void put_value(Type t, double v, std::byte* at) {
  uint64_t bits = 0;
  switch (t) {
    case Type::f16: bits = to_f16_bits(v); break;
    case Type::f32: bits = std::bit_cast<uint32_t>(canonical(float(v))); break;
    case Type::f64: bits = std::bit_cast<uint64_t>(v); break;
    default: bits = uint32_t(int64_t(v)); break;
  }
  std::memcpy(at, &bits, size_in_fragment(t));
}

// Where element `e` of a lane's fragment stands. per: elements of a register.
struct At {
  uint32_t row, col;
};
enum class Part { a, b, c };

At place(Part part, const MatrixShape& s, Type t, uint32_t lane, uint32_t e) {
  const uint32_t g = lane / 4, q = lane % 4;
  const uint32_t per = t == Type::f64 ? 1 : 4 / size_in_fragment(t), r = e / per, i = e % per;
  if (part == Part::b) return {q * per + i + r * 4 * per, g};
  if (part == Part::a) return s.m == 8 ? At{g, q * per + i + r * 4 * per} : At{g + 8 * (r & 1), q * per + i + (r >> 1) * 4 * per};
  return {g + 8 * (e >> 1), q * 2 + (e & 1)};
}
// wmma's fragments are nobody's business: element by element along the rows, several times over when there are more lanes than elements.
At place_opaque(uint32_t rows, uint32_t cols, uint32_t elements, uint32_t lane, uint32_t e) {
  const uint32_t i = (lane * elements + e) % (rows * cols);
  return {i / cols, i % cols};
}

constexpr uint32_t kMost = 32;  // rows and columns of any matrix

}  // namespace

void load_matrix(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t matrices = in.register_bytes;
  Access a;
  resolve(w, in, lanes & (matrices == 4 ? kAllLanes : (1u << (8 * matrices)) - 1), Purpose::load, a);
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  for (uint32_t m = 0; m < matrices; ++m) {
    uint16_t rows[8][8];
    std::memset(rows, 0, sizeof rows);
    for (uint32_t r = 0; r < 8; ++r) {
      if ((a.lanes >> (m * 8 + r) & 1) != 0) std::memcpy(rows[r], a.host[m * 8 + r], 16);
    }
    uint32_t* d = w.lanes<uint32_t>(list[m]);
    for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest)), g = l / 4, q = l % 4 * 2;
      d[l] = in.is_signed ? rows[q][g] | uint32_t(rows[q + 1][g]) << 16 : rows[g][q] | uint32_t(rows[g][q + 1]) << 16;
    }
  }
}

void store_matrix(Warp& w, const Instruction& in, uint32_t lanes) {
  const uint32_t matrices = in.register_bytes;
  Access a;
  resolve(w, in, lanes & (matrices == 4 ? kAllLanes : (1u << (8 * matrices)) - 1), Purpose::store, a);
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  for (uint32_t m = 0; m < matrices; ++m) {
    uint16_t rows[8][8];
    const uint32_t* s = w.lanes<uint32_t>(list[m]);
    for (uint32_t l = 0; l < kLanes; ++l) {
      const uint32_t g = l / 4, q = l % 4 * 2;
      (in.is_signed ? rows[q][g] : rows[g][q]) = uint16_t(s[l]);
      (in.is_signed ? rows[q + 1][g] : rows[g][q + 1]) = uint16_t(s[l] >> 16);
    }
    for (uint32_t r = 0; r < 8; ++r) {
      if ((a.lanes >> (m * 8 + r) & 1) != 0) std::memcpy(a.host[m * 8 + r], rows[r], 16);
    }
  }
}

void move_matrix(Warp& w, const Instruction& in, uint32_t lanes) {
  uint16_t rows[8][8];
  const uint32_t* s = w.lanes<uint32_t>(in.a);
  for (uint32_t l = 0; l < kLanes; ++l) rows[l / 4][l % 4 * 2] = uint16_t(s[l]), rows[l / 4][l % 4 * 2 + 1] = uint16_t(s[l] >> 16);
  uint32_t* d = w.lanes<uint32_t>(in.d);
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(rest));
    d[l] = rows[l % 4 * 2][l / 4] | uint32_t(rows[l % 4 * 2 + 1][l / 4]) << 16;
  }
}

void multiply(Warp& w, const Instruction& in, uint32_t lanes) {
  const Matrices m(in.imm);
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  static thread_local double a[kMost][kMost], b[kMost][kMost], c[kMost][kMost];
  const uint32_t register_bytes = m.a == Type::f64 ? 8 : 4;
  // Elements of one operand, for reading (f gets the value's place in memory) or writing.
  const auto each = [&](Part part, Type t, uint32_t first, uint32_t registers, uint32_t of, auto f) {
    const uint32_t bytes = size_in_fragment(t), per = register_bytes / bytes, elements = registers * per;
    const uint32_t rows = part == Part::b ? m.s.k : m.s.m, cols = part == Part::a ? m.s.k : m.s.n;
    for (uint32_t rest = of; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest));
      for (uint32_t e = 0; e < elements; ++e) {
        const At at = in.kind != 0 ? place_opaque(rows, cols, elements, l, e) : place(part, m.s, t, l, e);
        f(at, reinterpret_cast<std::byte*>(w.registers + list[first + e / per] + l * register_bytes + e % per * bytes));
      }
    }
  };
  each(Part::a, m.a, in.d, in.a, kAllLanes, [&](At at, std::byte* p) { a[at.row][at.col] = value_of(m.a, p); });
  each(Part::b, m.b, in.d + in.a, in.b, kAllLanes, [&](At at, std::byte* p) { b[at.row][at.col] = value_of(m.b, p); });
  each(Part::c, m.c, in.d + in.a + in.b, in.e, kAllLanes, [&](At at, std::byte* p) { c[at.row][at.col] = value_of(m.c, p); });
  const bool whole = m.d == Type::s32;
  for (uint32_t i = 0; i < m.s.m; ++i) {
    for (uint32_t j = 0; j < m.s.n; ++j) {
      if (whole) {
        int64_t sum = int64_t(c[i][j]);
        for (uint32_t k = 0; k < m.s.k; ++k) sum += int64_t(a[i][k] * b[k][j]);
        c[i][j] = double(m.clamps ? std::clamp<int64_t>(sum, -int64_t(0x80000000), 0x7fffffff) : int64_t(int32_t(uint32_t(sum))));
      } else if (m.d == Type::f64) {
        for (uint32_t k = 0; k < m.s.k; ++k) c[i][j] = std::fma(a[i][k], b[k][j], c[i][j]);
      } else {
        float sum = float(c[i][j]);
        for (uint32_t k = 0; k < m.s.k; ++k) sum = std::fmaf(float(a[i][k]), float(b[k][j]), sum);
        c[i][j] = double(sum);
      }
    }
  }
  each(Part::c, m.d, 0, in.d, lanes, [&](At at, std::byte* p) { put_value(m.d, c[at.row][at.col], p); });
}

namespace {

// d: rows, e: columns, b: the stride's register, is_signed: by rows.
template <class F>
void each_element(Warp& w, const Instruction& in, uint32_t lanes, Purpose purpose, F f) {
  const uint32_t bytes = in.bytes, register_bytes = bytes == 8 ? 8 : 4, per = register_bytes / bytes, elements = in.register_bytes * per;
  const uint32_t* list = w.launch->code->pool.data() + in.list;
  uint64_t base[kLanes];
  addresses_of(w, in, in.a, in.base_bytes, in.imm, base);
  const uint32_t* stride = w.lanes<uint32_t>(in.b);
  for (uint32_t e = 0; e < elements; ++e) {
    Access a;
    a.purpose = purpose;
    a.bytes = bytes;
    a.lanes = lanes;
    a.space = in.space;
    for (uint32_t l = 0; l < kLanes; ++l) {
      const At at = place_opaque(in.d, in.e, elements, l, e);
      a.address[l] = base[l] + uint64_t(in.is_signed ? at.row * stride[l] + at.col : at.col * stride[l] + at.row) * bytes;
    }
    if (in.space == Space::generic) {
      const uint64_t first = a.address[__builtin_ctz(lanes)];
      const bool shared = first - kSharedWindow < kWindowBytes;
      a.space = shared ? Space::shared : Space::global;
      for (uint32_t l = 0; shared && l < kLanes; ++l) a.address[l] -= kSharedWindow;
    }
    if (purpose == Purpose::store) {  // several lanes may hold one element: one writes
      const uint32_t copies = std::max(1u, elements * kLanes / (in.d * in.e));
      a.lanes &= copies >= kLanes ? 1u : copies == 1 ? kAllLanes : (1u << (kLanes / copies)) - 1;
      if (a.lanes == 0) continue;
    }
    check(w, in, a);
    for (uint32_t rest = a.lanes; rest != 0; rest &= rest - 1) {
      const uint32_t l = uint32_t(__builtin_ctz(rest));
      f(a.host[l], reinterpret_cast<std::byte*>(w.registers + list[e / per] + l * register_bytes + e % per * bytes), bytes);
    }
  }
}

}  // namespace

void load_fragment(Warp& w, const Instruction& in, uint32_t lanes) {
  each_element(w, in, lanes, Purpose::load, [](std::byte* memory, std::byte* element, uint32_t bytes) { std::memcpy(element, memory, bytes); });
}

void store_fragment(Warp& w, const Instruction& in, uint32_t lanes) {
  each_element(w, in, lanes, Purpose::store, [](std::byte* memory, std::byte* element, uint32_t bytes) { std::memcpy(memory, element, bytes); });
}

}  // namespace ptxsim
