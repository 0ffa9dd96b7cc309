// Functions of Python numbers: math.sqrt(q.size(-1)), torch.sym_max. See operator.h. Next: functions.cpp.
#include "loaders/torch/ops/numbers.h"

#include "kernels/portable_math.h"

namespace tern::torch {

double as_double(const IValue& v) {
  if (const auto* x = v.get<double>()) return *x;
  if (const auto* flag = v.get<bool>()) return *flag;
  const auto* n = v.get<Int>();
  return n != nullptr && n->known() ? static_cast<double>(n->value()) : NAN;
}

Int as_int(const IValue& v) {
  if (const auto* flag = v.get<bool>()) return int64_t(*flag);
  return v.get<Int>() != nullptr ? *v.get<Int>() : Int();
}

namespace {

// Python raises an error where the function is not defined.
IValue defined(Builder& b, double x, double y) {
  if (std::isnan(y) && !std::isnan(x) && b.ok()) b.fail(invalid("is not defined for " + std::to_string(x)));
  return y;
}

template <double (*F)(double)>
IValue real_function(Builder& b, const Arguments& a) {
  const double x = a.number("x");
  return defined(b, x, F(x));
}

// floor, ceil, trunc give ints, and leave ints (sizes) as they are.
template <double (*F)(double)>
IValue to_int(Builder& b, const Arguments& a) {
  const IValue& x = a["x"];
  if (x.get<Int>() != nullptr || x.get<bool>() != nullptr) return as_int(x);
  const double y = F(a.number("x"));
  if (std::fabs(y) < 9e15) return Int(static_cast<int64_t>(y));
  if (b.ok()) b.fail(invalid("the number is too large for an int"));
  return {};
}

IValue power(Builder&, const Arguments& a) { return std::pow(a.number("x"), a.number("y")); }

IValue logarithm(Builder& b, const Arguments& a) {
  const double x = a.number("x"), y = portable::log(x);
  return defined(b, x, a.has("base") ? y / portable::log(a.number("base")) : y);
}

IValue product(Builder& b, const Arguments& a) {
  Int n = 1;
  for (const Int& size : a.sizes("x")) n = b.mul(n, size);
  return n;
}

// Of sizes too: their extreme is computed where it is not known.
template <OpName Op>
IValue extreme_number(Builder& b, const Arguments& a) {
  const bool max = std::string_view(Op.text) == "Max";
  return numbers(
      b, a["a"], a["b"],
      [&](const Int& p, const Int& q) {
        const Int d = b.sub(p, q);
        if (d.known()) return IValue((d.value() > 0) == max ? p : q);
        return IValue(Int::computed(b.emit(Op.text, {b.scalar(p), b.scalar(q)})));
      },
      [&](double p, double q) { return IValue(max ? std::max(p, q) : std::min(p, q)); });
}

IValue to_float(Builder&, const Arguments& a) { return a.number("x"); }

constexpr double pi_over_180 = 0.017453292519943295;
double radians(double x) { return x * pi_over_180; }

constexpr Operator kNumbersRows[] = {
    {"math.sqrt torch.sym_sqrt torch._sym_sqrt", "x", real_function<std::sqrt>},
    {"math.exp", "x", real_function<std::exp>},
    {"math.log2", "x", real_function<std::log2>},
    {"math.log10", "x", real_function<std::log10>},
    {"math.sin", "x", real_function<std::sin>},
    {"math.cos", "x", real_function<std::cos>},
    {"math.tan", "x", real_function<std::tan>},
    {"math.tanh", "x", real_function<std::tanh>},
    {"math.atan", "x", real_function<std::atan>},
    {"math.erf", "x", real_function<std::erf>},
    {"math.fabs", "x", real_function<std::fabs>},
    {"math.radians", "x", real_function<radians>},
    {"math.log", "x, base=None", logarithm},
    {"math.pow", "x, y", power},
    {"math.prod", "x", product},
    {"math.floor", "x", to_int<std::floor>},
    {"math.ceil", "x", to_int<std::ceil>},
    {"math.trunc torch.sym_int", "x", to_int<std::trunc>},
    {"torch.sym_float", "x", to_float},
    {"torch.sym_max", "a, b", extreme_number<"Max">},
    {"torch.sym_min", "a, b", extreme_number<"Min">},
};

}  // namespace

std::span<const Operator> number_operators() { return kNumbersRows; }

}  // namespace tern::torch
