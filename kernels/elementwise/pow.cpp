// See pow.h.
#include "kernels/elementwise/pow.h"

#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/unary.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

// Of integers with exponents that are floats.
template <class T>
void run(const PowArgs& args) {
  visit(args.exponent, [&]<class B>() {
    if constexpr (kIsFloat<B>) {
      const T* a = static_cast<const T*>(args.binary.a);
      const B* b = static_cast<const B*>(args.binary.b);
      T* y = static_cast<T*>(args.binary.y);
      const int64_t sa = args.binary.nest.step[0], sb = args.binary.nest.step[1];
      for_rows(args.binary.nest, [=](int64_t at, const int64_t* from, int64_t n) {
        const T* ra = a + from[0];
        const B* rb = b + from[1];
        for (int64_t i = 0; i < n; ++i) y[at + i] = convert<T>(portable::pow(static_cast<double>(ra[i * sa]), widen(rb[i * sb])));
      });
    }
  });
}
template <class... T>
constexpr std::array<KernelRow, sizeof...(T)> pow_rows(Types<T...>) {
  return {portable_row<"pow_mixed", T, PowArgs, run<T>>()...};
}
constexpr auto kMixedRows = pow_rows(SignedInts());
constexpr auto& kOneKind = rows_of<TERN_ON_EACH_ISA(pow_floats), TERN_ON_EACH_ISA(pow_ints), cuda::kPow>;

Status infer_pow(InferContext& c) {
  if (!is_float(c.dtype(0)) && !is_signed_int(c.dtype(0))) return bad_dtype(c.dtype(0));
  if (!is_number(c.dtype(1))) return bad_dtype(c.dtype(1));
  return infer_broadcast(c, c.dtype(0));
}

// The exponent, when it is one known number for all.
std::optional<double> constant_exponent(const TensorView& b) {
  if (!b.constant || b.count() != 1) return std::nullopt;
  double value = 0;
  visit(b.dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) value = static_cast<double>(widen(*b.as<T>()));
  });
  return value;
}

Status bind_pow(BindContext& c) {
  const TensorView &a = c.in(0), &b = c.in(1), &y = c.out(0);
  const KernelRow* kernel =
      is_float(a.dtype) || !is_float(b.dtype) || c.isa == Isa::cuda ? pick(kOneKind, a.dtype, c.isa) : pick(rows_of<kMixedRows>, a.dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(a.dtype);
  if (broadcast(a.dims, b.dims) != y.dims) return invalid("the inputs of Pow do not broadcast to " + to_string(y.dims));
  const auto [begin, end] = c.range(y.count(), kGrain);
  if (begin == end) return {};
  const std::optional<double> exponent = constant_exponent(b);
  if (exponent == 3 && is_float(a.dtype) && a.dims == y.dims && c.isa != Isa::cuda) {
    UnaryArgs& args = c.args(UnaryArgs{nullptr, nullptr, end - begin, 0, 0});
    c.set(args.x, c.input(0) + begin * static_cast<int64_t>(size_of(a.dtype)));
    c.set(args.y, c.output(0) + begin * static_cast<int64_t>(size_of(a.dtype)));
    c.run(*pick(rows_of<TERN_ON_EACH_ISA(cube_any)>, a.dtype, c.isa));
  } else if (a.dtype == DType::f32 && exponent == 2) {
    set_binary(c, c.args<BinaryArgs>(), Operand::input(c, 0), Operand::input(c, 0), begin, end);
    c.run(*pick(kMul.kernels, DType::f32, c.isa));
  } else {
    PowArgs& args = c.args(PowArgs{{}, b.dtype});
    set_binary(c, args.binary, Operand::input(c, 0), Operand::input(c, 1), begin, end);
    c.run(*kernel);
  }
  return {};
}

}  // namespace

extern constinit const OpDef kPow = {
    .name = "Pow",
    .inputs = {2, 2},
    .outputs = {1, 1},
    .infer = infer_pow,
    .bind = bind_pow,
    .kernels = rows_of<TERN_ON_EACH_ISA(pow_floats), TERN_ON_EACH_ISA(pow_ints), TERN_ON_EACH_ISA(cube_any), kMixedRows, cuda::kPow>,
    .inplace_inputs = 1};

}  // namespace tern
