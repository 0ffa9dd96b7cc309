// And, Or, Xor, Not of bools, the same on the bits of integers, and BitShift. See elementwise.h, binary_functions.h, binary_rows.h.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/bits.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary_functions.h"
#include "kernels/elementwise/unary_rows.h"

namespace tern {
namespace {

using namespace functions;
constexpr Text kBitwiseModule("elementwise/bitwise");

bool is_bool(DType t) { return t == DType::boolean; }

constexpr auto& kLeft = rows_of<TERN_ON_EACH_ISA(shift_left_any), cuda::kPlainBinary<kBitwiseModule, "shift_left", UnsignedInts>>;
constexpr auto& kRight = rows_of<TERN_ON_EACH_ISA(shift_right_any), cuda::kPlainBinary<kBitwiseModule, "shift_right", UnsignedInts>>;
constexpr AttrSpec kShiftAttrs[] = {{"direction", AttrKind::s, kRequired}};
Status infer_shift(InferContext& c) {
  const std::string direction = c.attrs.s("direction");
  if (direction != "LEFT" && direction != "RIGHT") return invalid("direction is \"" + direction + "\", neither LEFT nor RIGHT");
  return infer_binary<is_unsigned_int>(c);
}
Status bind_shift(BindContext& c) { return bind_binary(c, pick(c.attrs.s("direction") == "LEFT" ? kLeft : kRight, c.in(0).dtype, c.isa)); }

}  // namespace

extern constinit const OpDef kAnd =
    binary_op("And", infer_binary<is_bool>, rows_of<TERN_ON_EACH_ISA(and_bool), cuda::kPlainBinary<kBitwiseModule, "and", Types<bool>>>);
extern constinit const OpDef kBitShift = {
    .name = "BitShift",
    .inputs = {2, 2},
    .outputs = {1, 1},
    .attrs = kShiftAttrs,
    .infer = infer_shift,
    .bind = bind_shift,
    .kernels = rows_of<TERN_ON_EACH_ISA(shift_left_any), cuda::kPlainBinary<kBitwiseModule, "shift_left", UnsignedInts>,
                       TERN_ON_EACH_ISA(shift_right_any), cuda::kPlainBinary<kBitwiseModule, "shift_right", UnsignedInts>>,
    .inplace_inputs = 3};
extern constinit const OpDef kBitwiseAnd = binary_op(
    "BitwiseAnd", infer_binary<is_int>, rows_of<kBinary<"bitwise_and", And{}, Ints>, cuda::kPlainBinary<kBitwiseModule, "bitwise_and", Ints, "and">>);
extern constinit const OpDef kBitwiseNot =
    unary_op("BitwiseNot", infer_unary<is_int>,
             rows_of<kUnary<"bitwise_not", BitwiseNot{}, Ints>, cuda::kPlainUnary<"elementwise/unary", "bitwise_not", Ints>>);
extern constinit const OpDef kBitwiseOr = binary_op(
    "BitwiseOr", infer_binary<is_int>, rows_of<kBinary<"bitwise_or", Or{}, Ints>, cuda::kPlainBinary<kBitwiseModule, "bitwise_or", Ints, "or">>);
extern constinit const OpDef kBitwiseXor = binary_op(
    "BitwiseXor", infer_binary<is_int>, rows_of<kBinary<"bitwise_xor", Xor{}, Ints>, cuda::kPlainBinary<kBitwiseModule, "bitwise_xor", Ints, "xor">>);
extern constinit const OpDef kNot =
    unary_op("Not", infer_unary<is_bool>, rows_of<TERN_ON_EACH_ISA(not_bool), cuda::kPlainUnary<"elementwise/unary", "not", Types<bool>>>);
extern constinit const OpDef kOr =
    binary_op("Or", infer_binary<is_bool>, rows_of<TERN_ON_EACH_ISA(or_bool), cuda::kPlainBinary<kBitwiseModule, "or", Types<bool>>>);
extern constinit const OpDef kXor =
    binary_op("Xor", infer_binary<is_bool>, rows_of<TERN_ON_EACH_ISA(xor_bool), cuda::kPlainBinary<kBitwiseModule, "xor", Types<bool>>>);

}  // namespace tern
