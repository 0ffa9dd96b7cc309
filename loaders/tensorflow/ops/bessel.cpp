// Special functions that have a kernel (kernels/special), computed in f64; and the next number. See operator.h. Next: bits.cpp.
#include "kernels/dtype_code.h"
#include "loaders/tensorflow/ops/common.h"

namespace tern::tensorflow {
namespace {

// All inputs of the call in f64 and of one shape, and what the function makes of them in the dtype of the first.
Values special(Call& c, const char* function) {
  GraphBuilder& b = c.b;
  std::vector<ValueId> x;
  for (size_t i = 0; i < c.count(); ++i) x.push_back(b.cast(c.tensor(i), DType::f64));
  const DType dtype = b.dtype(c.tensor(0));
  for (size_t pass = 0; x.size() > 1 && pass < 2; ++pass) {  // each takes the sizes of the ones before it, then of those behind it
    for (size_t i = 1; i < x.size(); ++i) x[i] = b.emit("Expand", {x[i], b.ints(sizes_of(b, x[i - 1]))});
    std::reverse(x.begin(), x.end());
  }
  return {b.cast(b.emit("Special", std::move(x), attributes({{"function", std::string(function)}})), dtype)};
}

Values bessel(Call& c) { return special(c, c.op.substr(6).c_str()); }  // BesselI0e: I0e
Values igamma(Call& c) { return special(c, c.op == "Igamma" ? "P" : "Q"); }
Values betainc(Call& c) { return special(c, "Betainc"); }
Values zeta(Call& c) { return special(c, "Zeta"); }
Values integral(Call& c) { return special(c, c.op.c_str()); }

// The number behind x on the way to y: its bits and one, or less one. From zero the smallest one, with the sign of y.
Values next_after(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0), y = c.tensor(1);
  const DType dtype = b.dtype(x), whole = dtype == DType::f64 ? DType::i64 : DType::i32;
  if (dtype != DType::f32 && dtype != DType::f64) return c.fail(unsupported("of " + std::string(name(dtype)) + " is not supported"));
  const auto as = [&](ValueId v, DType to) { return b.emit("BitCast", {v}, attributes({{"to", int64_t(code_of(to))}})); };
  const ValueId up = b.emit("Equal", {b.emit("Greater", {y, x}), with(b, "Greater", x, 0)});
  const ValueId one = b.scalar(whole, 1), bits = as(x, whole);
  const ValueId moved = as(b.emit("Add", {bits, select(b, up, one, b.emit("Neg", {one}))}), dtype);
  const ValueId least = as(one, dtype), from_zero = select(b, with(b, "Greater", y, 0), least, b.emit("Neg", {least}));
  ValueId next = select(b, is_zero(b, x), from_zero, moved);
  next = select(b, b.emit("Equal", {x, y}), y, next);
  return {select(b, b.emit("IsNaN", {b.emit("Add", {x, y})}), b.emit("Add", {x, y}), next)};
}

constexpr Operator kBesselRows[] = {
    {"BesselI0 BesselI0e BesselI1 BesselI1e BesselJ0 BesselJ1 BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1", nullptr, bessel},
    {"Igamma Igammac", nullptr, igamma},
    {"Betainc", nullptr, betainc},
    {"Zeta", nullptr, zeta},
    {"Dawsn Expint Spence FresnelSin FresnelCos", nullptr, integral},
    {"NextAfter", nullptr, next_after},
};

}  // namespace

std::span<const Operator> bessel_operators() { return kBesselRows; }

}  // namespace tern::tensorflow
