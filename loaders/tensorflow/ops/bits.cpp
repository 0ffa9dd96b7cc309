// Bits of integers. Shifts are computed on unsigned integers of the same width. See operator.h. Next: casts.cpp.
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

DType unsigned_of(DType t) {
  switch (size_of(t)) {
    case 1: return DType::u8;
    case 2: return DType::u16;
    case 4: return DType::u32;
    default: return DType::u64;
  }
}

// By at least 0 and at most all bits but one, as TensorFlow has it.
ValueId shifted(GraphBuilder& b, ValueId x, ValueId by, const char* direction) {
  const DType plain = unsigned_of(b.dtype(x));
  const double most = 8.0 * static_cast<double>(size_of(plain)) - 1;
  if (is_signed_int(b.dtype(by))) by = with(b, "Max", by, 0);
  by = b.cast(with(b, "Min", by, most), plain);
  return b.emit("BitShift", {b.cast(x, plain), by}, attributes({{"direction", std::string(direction)}}));
}

Values left_shift(Call& c) { return {c.b.cast(shifted(c.b, c.tensor(0), c.tensor(1), "LEFT"), c.b.dtype(c.tensor(0)))}; }

// What comes in from the left is the sign: of a negative number the complement is shifted.
Values right_shift(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!is_signed_int(b.dtype(x))) return {shifted(b, x, c.tensor(1), "RIGHT")};
  const ValueId negative = with(b, "Less", x, 0);
  const ValueId y = b.cast(shifted(b, select(b, negative, b.emit("BitwiseNot", {x}), x), c.tensor(1), "RIGHT"), b.dtype(x));
  return {select(b, negative, b.emit("BitwiseNot", {y}), y)};
}

// How many bits are set: sums of pairs, of fours, of bytes.
Values population_count(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  if (!b.ok()) return {};
  ValueId v = b.cast(b.cast(x, unsigned_of(b.dtype(x))), DType::u64);
  auto number = [&](uint64_t n) { return b.constant(Tensor::scalar(n)); };
  auto right = [&](ValueId of, uint64_t n) { return b.emit("BitShift", {of, number(n)}, attributes({{"direction", std::string("RIGHT")}})); };
  auto masked = [&](ValueId of, uint64_t bits) { return b.emit("BitwiseAnd", {of, number(bits)}); };
  v = b.emit("Sub", {v, masked(right(v, 1), 0x5555555555555555)});
  v = b.emit("Add", {masked(v, 0x3333333333333333), masked(right(v, 2), 0x3333333333333333)});
  v = masked(b.emit("Add", {v, right(v, 4)}), 0x0F0F0F0F0F0F0F0F);
  return {b.cast(right(b.emit("Mul", {v, number(0x0101010101010101)}), 56), DType::u8)};
}

constexpr Operator kBitsRows[] = {
    {"BitwiseAnd", nullptr, binary<"BitwiseAnd">},  {"BitwiseOr", nullptr, binary<"BitwiseOr">}, {"BitwiseXor", nullptr, binary<"BitwiseXor">},
    {"Invert", nullptr, unary<"BitwiseNot">},       {"LeftShift", nullptr, left_shift},          {"RightShift", nullptr, right_shift},
    {"PopulationCount", nullptr, population_count},
};

}  // namespace

std::span<const Operator> bit_operators() { return kBitsRows; }

}  // namespace tern::tensorflow
