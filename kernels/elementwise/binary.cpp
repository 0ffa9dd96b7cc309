// The binary operators with results of their own dtype: schemas, inference, binding. See elementwise.h. Next: pow.cpp, compare.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"

namespace tern {
namespace {

bool is_bool(DType t) { return t == DType::boolean; }

template <bool (*kAllowed)(DType)>
Status infer(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, c.dtype(0));
}
template <Binary kOp>
Status bind(BindContext& c) { return bind_binary(c, kBinaryRows, kOp); }

using Symbolic = std::optional<Dim> (*)(std::span<const Dim>, const Attributes&);
template <std::optional<Dim> (*kF)(const Dim&, const Dim&)>
std::optional<Dim> symbolic(std::span<const Dim> in, const Attributes&) { return kF(in[0], in[1]); }

// Shapes divide exactly, or both numbers are known: then C's truncation, as the kernel.
std::optional<Dim> quotient(std::span<const Dim> in, const Attributes&) {
  if (in[0].known() && in[1].known()) {
    const int64_t a = in[0].value(), b = in[1].value();
    if (b == 0 || (b == -1 && a == INT64_MIN)) return std::nullopt;
    return Dim(a / b);
  }
  return div(in[0], in[1]);
}
std::optional<Dim> remainder(std::span<const Dim> in, const Attributes& attrs) {
  if (!in[0].known() || !in[1].known() || in[1].value() == 0 || in[1].value() == -1) return std::nullopt;
  const int64_t b = in[1].value(), r = in[0].value() % b;
  return Dim(attrs.i("fmod", 0) == 0 && r != 0 && (r < 0) != (b < 0) ? r + b : r);
}

constexpr OpDef binary_op(const char* name, Status (*infer)(InferContext&), Status (*bind)(BindContext&), Symbolic symbolic = nullptr) {
  return {.name = name, .inputs = {2, 2}, .outputs = {1, 1}, .infer = infer, .bind = bind, .kernels = kBinaryRows, .inplace_inputs = 3,
          .symbolic = symbolic};
}

// ---- Mod, BitShift ----

constexpr AttrSpec kModAttrs[] = {{"fmod", AttrKind::i}};
Status bind_mod(BindContext& c) {
  return bind_binary(c, kModRows, c.attrs.i("fmod", 0) != 0 ? Binary::mod_sign_of_dividend : Binary::mod_sign_of_divisor);
}

constexpr AttrSpec kShiftAttrs[] = {{"direction", AttrKind::s, true}};
Status infer_shift(InferContext& c) {
  const std::string direction = c.attrs.s("direction");
  if (direction != "LEFT" && direction != "RIGHT") return invalid("direction is \"" + direction + "\", neither LEFT nor RIGHT");
  return infer<is_unsigned_int>(c);
}
Status bind_shift(BindContext& c) {
  return bind_binary(c, kBinaryRows, c.attrs.s("direction") == "LEFT" ? Binary::shift_left : Binary::shift_right);
}

// The slope broadcasts to x, not the other way round.
Status infer_prelu(InferContext& c) {
  if (Status s = infer<is_number>(c); !s) return s;
  const Shape &x = c.shape(0), &y = c.outputs[0].shape;
  if (x.known() && y.known() && !(x == y)) return invalid("the slope " + c.shape(1).text() + " does not broadcast to " + x.text());
  c.set(0, c.dtype(0), x);
  return {};
}

}  // namespace

constinit const OpDef kAdd = binary_op("Add", infer<is_number>, bind<Binary::add>, symbolic<add>);
constinit const OpDef kSub = binary_op("Sub", infer<is_number>, bind<Binary::sub>, symbolic<sub>);
constinit const OpDef kMul = binary_op("Mul", infer<is_number>, bind<Binary::mul>, symbolic<mul>);
constinit const OpDef kDiv = binary_op("Div", infer<is_number>, bind<Binary::div>, quotient);
constinit const OpDef kMod = {.name = "Mod", .inputs = {2, 2}, .outputs = {1, 1}, .attrs = kModAttrs, .infer = infer<is_number>, .bind = bind_mod,
                              .kernels = kModRows, .inplace_inputs = 3, .symbolic = remainder};
constinit const OpDef kPRelu = binary_op("PRelu", infer_prelu, bind<Binary::prelu>);
constinit const OpDef kAnd = binary_op("And", infer<is_bool>, bind<Binary::bit_and>);
constinit const OpDef kOr = binary_op("Or", infer<is_bool>, bind<Binary::bit_or>);
constinit const OpDef kXor = binary_op("Xor", infer<is_bool>, bind<Binary::bit_xor>);
constinit const OpDef kBitwiseAnd = binary_op("BitwiseAnd", infer<is_int>, bind<Binary::bit_and>);
constinit const OpDef kBitwiseOr = binary_op("BitwiseOr", infer<is_int>, bind<Binary::bit_or>);
constinit const OpDef kBitwiseXor = binary_op("BitwiseXor", infer<is_int>, bind<Binary::bit_xor>);
constinit const OpDef kBitShift = {.name = "BitShift", .inputs = {2, 2}, .outputs = {1, 1}, .attrs = kShiftAttrs, .infer = infer_shift,
                                   .bind = bind_shift, .kernels = kBinaryRows, .inplace_inputs = 3};

}  // namespace tern
