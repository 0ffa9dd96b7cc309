// Add, Sub, Mul, Div and PRelu. See elementwise.h, binary_functions.h, binary_rows.h. Next: mod.cpp, bitwise.cpp, compare.cpp, variadic.cpp, pow.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/numbers.h"
#include "kernels/layouts.h"

namespace tern {
namespace {

using namespace functions;
constexpr Text kArithmeticModule("elementwise/arithmetic");

template <std::optional<Dim> (*kF)(const Dim&, const Dim&)>
std::optional<Dim> symbolic_binary(std::span<const Dim> in, const AttrReader&) {
  return kF(in[0], in[1]);
}

// Shapes divide exactly, or both numbers are known: then C's truncation, as the kernel.
std::optional<Dim> quotient(std::span<const Dim> in, const AttrReader&) {
  if (in[0].known() && in[1].known()) {
    const int64_t a = in[0].value(), b = in[1].value();
    if (b == 0 || (b == -1 && a == INT64_MIN)) return std::nullopt;
    return Dim(a / b);
  }
  return div(in[0], in[1]);
}

// The slope broadcasts to x, not the other way round.
Status infer_prelu(InferContext& c) {
  if (Status s = infer_binary<is_number>(c); !s) return s;
  const Shape &x = c.shape(0), &y = c.outputs[0].shape;
  if (x.known() && y.known() && !(x == y)) return invalid("the slope " + c.shape(1).text() + " does not broadcast to " + x.text());
  c.set(0, c.dtype(0), x);
  return {};
}

}  // namespace

void set_binary(BindContext& c, BinaryArgs& args, const Operand& a, const Operand& b, int64_t begin, int64_t end) {
  const Dims operands[] = {a.dims, b.dims};
  args.nest = make_nest(c.out(0).dims, operands, begin, end);
  c.set(args.a, a.at);
  c.set(args.b, b.at);
  c.set(args.y, c.output(0));
}

Status bind_binary(BindContext& c, const KernelRow* kernel, size_t a, size_t b) {
  if (kernel == nullptr || c.in(1).dtype != c.in(0).dtype) return bad_dtype(c.in(0).dtype);
  if (broadcast(c.in(0).dims, c.in(1).dims) != c.out(0).dims) {
    return invalid("shapes " + to_string(c.in(0).dims) + " and " + to_string(c.in(1).dims) + " do not broadcast to " + to_string(c.out(0).dims));
  }
  const auto [begin, end] = c.range(c.out(0).count(), kGrain);
  if (begin == end) return {};
  set_binary(c, c.args<BinaryArgs>(), Operand::input(c, a), Operand::input(c, b), begin, end);
  c.run(*kernel);
  return {};
}
Status bind_binary(BindContext& c) { return bind_binary(c, c.pick(c.in(0).dtype)); }

extern constinit const OpDef kAdd = binary_op("Add", infer_binary<is_number>,
                                              rows_of<TERN_ON_EACH_ISA(add_f32), TERN_ON_EACH_ISA(add_wide), TERN_ON_EACH_ISA(add_int),
                                                      kBinary<"add", Add{}, OtherInts>, cuda::kBinary<kArithmeticModule, "add", Ints>>,
                                              symbolic_binary<add>, commutative_layouts);
extern constinit const OpDef kDiv = binary_op(
    "Div", infer_binary<is_number>,
    rows_of<TERN_ON_EACH_ISA(div_f32), TERN_ON_EACH_ISA(div_wide), kBinary<"div", Div{}, Ints>, cuda::kBinary<kArithmeticModule, "div", Ints>>,
    quotient, pair_layouts);
extern constinit const OpDef kMul = binary_op("Mul", infer_binary<is_number>,
                                              rows_of<TERN_ON_EACH_ISA(mul_f32), TERN_ON_EACH_ISA(mul_wide), TERN_ON_EACH_ISA(mul_int),
                                                      kBinary<"mul", Mul{}, OtherInts>, cuda::kBinary<kArithmeticModule, "mul", Ints>>,
                                              symbolic_binary<mul>, commutative_layouts);
extern constinit const OpDef kPRelu = binary_op("PRelu", infer_prelu,
                                                rows_of<TERN_ON_EACH_ISA(prelu_f32), TERN_ON_EACH_ISA(prelu_wide), kBinary<"prelu", PRelu{}, Ints>,
                                                        cuda::kBinary<kArithmeticModule, "prelu", Ints>>,
                                                nullptr, pair_layouts);
extern constinit const OpDef kSub = binary_op("Sub", infer_binary<is_number>,
                                              rows_of<TERN_ON_EACH_ISA(sub_f32), TERN_ON_EACH_ISA(sub_wide), TERN_ON_EACH_ISA(sub_int),
                                                      kBinary<"sub", Sub{}, OtherInts>, cuda::kBinary<kArithmeticModule, "sub", Ints>>,
                                              symbolic_binary<sub>, pair_layouts);

}  // namespace tern
