// And, Or, Xor, Not of bools, the same on the bits of integers, and BitShift. See elementwise.h, binary_rows.h.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

// On bits: a bool is a byte, 0 or 1.
struct And {
  static constexpr bool kSameBits = true;
  template <class U>
  U operator()(U a, U b) const {
    return static_cast<U>(a & b);
  }
};
struct Or {
  static constexpr bool kSameBits = true;
  template <class U>
  U operator()(U a, U b) const {
    return static_cast<U>(a | b);
  }
};
struct Xor {
  static constexpr bool kSameBits = true;
  template <class U>
  U operator()(U a, U b) const {
    return static_cast<U>(a ^ b);
  }
};
struct Not {
  bool operator()(bool x) const { return !x; }
};
struct BitwiseNot {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(~x);
  }
};

// By the width or more gives 0.
template <bool kLeft>
struct Shift {
  static constexpr bool kSameBits = true;
  template <class U>
  U operator()(U a, U b) const {
    constexpr U kWidth = sizeof(U) * 8;
    const U by = b < kWidth ? b : U(0);
    const U r = kLeft ? static_cast<U>(a << by) : static_cast<U>(a >> by);
    return b < kWidth ? r : U(0);
  }
};

bool is_bool(DType t) { return t == DType::boolean; }

constexpr auto& kLeft = rows_of<kBinary<"shift_left", Shift<true>{}, UnsignedInts>>;
constexpr auto& kRight = rows_of<kBinary<"shift_right", Shift<false>{}, UnsignedInts>>;
constexpr AttrSpec kShiftAttrs[] = {{"direction", AttrKind::s, kRequired}};
Status infer_shift(InferContext& c) {
  const std::string direction = c.attrs.s("direction");
  if (direction != "LEFT" && direction != "RIGHT") return invalid("direction is \"" + direction + "\", neither LEFT nor RIGHT");
  return infer_binary<is_unsigned_int>(c);
}
Status bind_shift(BindContext& c) { return bind_binary(c, pick(c.attrs.s("direction") == "LEFT" ? kLeft : kRight, c.in(0).dtype, c.isa)); }

}  // namespace

extern constinit const OpDef kAnd = binary_op("And", infer_binary<is_bool>, rows_of<kBinary<"and", And{}, Types<bool>>>);
extern constinit const OpDef kBitShift = {
    .name = "BitShift",
    .inputs = {2, 2},
    .outputs = {1, 1},
    .attrs = kShiftAttrs,
    .infer = infer_shift,
    .bind = bind_shift,
    .kernels = rows_of<kBinary<"shift_left", Shift<true>{}, UnsignedInts>, kBinary<"shift_right", Shift<false>{}, UnsignedInts>>,
    .inplace_inputs = 3};
extern constinit const OpDef kBitwiseAnd = binary_op("BitwiseAnd", infer_binary<is_int>, rows_of<kBinary<"bitwise_and", And{}, Ints>>);
extern constinit const OpDef kBitwiseNot = unary_op("BitwiseNot", infer_unary<is_int>, rows_of<kUnary<"bitwise_not", BitwiseNot{}, Ints>>);
extern constinit const OpDef kBitwiseOr = binary_op("BitwiseOr", infer_binary<is_int>, rows_of<kBinary<"bitwise_or", Or{}, Ints>>);
extern constinit const OpDef kBitwiseXor = binary_op("BitwiseXor", infer_binary<is_int>, rows_of<kBinary<"bitwise_xor", Xor{}, Ints>>);
extern constinit const OpDef kNot = unary_op("Not", infer_unary<is_bool>, rows_of<kUnary<"not", Not{}, Types<bool>>>);
extern constinit const OpDef kOr = binary_op("Or", infer_binary<is_bool>, rows_of<kBinary<"or", Or{}, Types<bool>>>);
extern constinit const OpDef kXor = binary_op("Xor", infer_binary<is_bool>, rows_of<kBinary<"xor", Xor{}, Types<bool>>>);

}  // namespace tern
