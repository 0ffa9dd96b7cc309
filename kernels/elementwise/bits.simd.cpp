// And, Or, Xor and Not of bools and BitShift, for whose bytes and shifts by each its own the vectors of plain x86-64 are short or missing: loops that
// the compiler vectorises (-O3, CMakeLists.txt). BitwiseAnd and its kin wait for memory and stay plain C++ (bitwise.cpp). See elementwise.h.
#include "kernels/elementwise/bits.h"

#include "kernels/elementwise/binary_functions.h"
#include "kernels/elementwise/element_rows.h"

namespace tern::TERN_ISA {
namespace {

template <auto kF, class T>
void each(const BinaryArgs& args) {
  const T *a = static_cast<const T*>(args.a), *b = static_cast<const T*>(args.b);
  T* y = static_cast<T*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) { binary_row(a + from[0], sa, b + from[1], sb, y + at, n, kF); });
}
void flip(const UnaryArgs& a) {
  const uint8_t* x = static_cast<const uint8_t*>(a.x);  // [count], bools
  uint8_t* y = static_cast<uint8_t*>(a.y);
  const int64_t count = a.count;
  TERN_APART
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] ^ 1;
}

// Bools that may be any bytes: those that are not zero are one.
void copy(const UnaryArgs& a) {
  const uint8_t* x = static_cast<const uint8_t*>(a.x);  // [count]
  uint8_t* y = static_cast<uint8_t*>(a.y);
  const int64_t count = a.count;
  TERN_APART
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] != 0;
}

template <auto kF, class T>
constexpr KernelRow bits_row(const char* name, DType dtype) {
  return row<BinaryArgs, each<kF, T>>(name, dtype, Isa::TERN_ISA);
}

}  // namespace

constinit const KernelRow and_bool = bits_row<functions::And{}, uint8_t>("and/bool/" TERN_ISA_NAME, DType::boolean);
constinit const KernelRow or_bool = bits_row<functions::Or{}, uint8_t>("or/bool/" TERN_ISA_NAME, DType::boolean);
constinit const KernelRow xor_bool = bits_row<functions::Xor{}, uint8_t>("xor/bool/" TERN_ISA_NAME, DType::boolean);
constinit const KernelRow not_bool = row<UnaryArgs, flip>("not/bool/" TERN_ISA_NAME, DType::boolean, Isa::TERN_ISA);
constinit const KernelRow copy_bool = row<UnaryArgs, copy>("copy/bool/" TERN_ISA_NAME, DType::boolean, Isa::TERN_ISA);
constinit const Rows<4> shift_left_any = {{
    bits_row<functions::Shift<true>{}, uint8_t>("shift_left/u8/" TERN_ISA_NAME, DType::u8),
    bits_row<functions::Shift<true>{}, uint16_t>("shift_left/u16/" TERN_ISA_NAME, DType::u16),
    bits_row<functions::Shift<true>{}, uint32_t>("shift_left/u32/" TERN_ISA_NAME, DType::u32),
    bits_row<functions::Shift<true>{}, uint64_t>("shift_left/u64/" TERN_ISA_NAME, DType::u64),
}};
constinit const Rows<4> shift_right_any = {{
    bits_row<functions::Shift<false>{}, uint8_t>("shift_right/u8/" TERN_ISA_NAME, DType::u8),
    bits_row<functions::Shift<false>{}, uint16_t>("shift_right/u16/" TERN_ISA_NAME, DType::u16),
    bits_row<functions::Shift<false>{}, uint32_t>("shift_right/u32/" TERN_ISA_NAME, DType::u32),
    bits_row<functions::Shift<false>{}, uint64_t>("shift_right/u64/" TERN_ISA_NAME, DType::u64),
}};

}  // namespace tern::TERN_ISA
