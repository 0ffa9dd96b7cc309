// The portable binary kernels: every dtype, one element at a time; the choice of the operation is made once a row.
#include <bit>
#include <cmath>

#include "kernels/choose.h"
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/portable.h"
#include "kernels/portable_math.h"

namespace tern {
namespace {

// The remainder of a / b, exact, by long division of the mantissas: as many steps as the farthest exponents of T need, whatever a and b are.
// All but f64 have 24 bits of mantissa and 2^-149 as their smallest, so that 7 divisions do.
template <class T>
double remainder(double a, double b) {
  constexpr bool kWide = std::is_same_v<T, double>;
  constexpr int kUnused = kWide ? 0 : 29, kStep = kWide ? 11 : 40, kSteps = kWide ? 186 : 7;
  constexpr uint64_t kOne = uint64_t(1) << 52, kMagnitude = ~uint64_t(0) >> 1, kInfinity = uint64_t(0x7ff) << 52;
  const uint64_t ua = std::bit_cast<uint64_t>(a) & kMagnitude, ub = std::bit_cast<uint64_t>(b) & kMagnitude;
  // |a| = ma 2^ea in units that are the same for both; a subnormal has the exponent of the smallest normal number
  const int64_t na = ua >= kOne, nb = ub >= kOne;
  const int64_t ea = static_cast<int64_t>(ua >> 52) + 1 - na, eb = static_cast<int64_t>(ub >> 52) + 1 - nb;
  const uint64_t ma = ((ua & (kOne - 1)) | (static_cast<uint64_t>(na) << 52)) >> kUnused;
  uint64_t mb = ((ub & (kOne - 1)) | (static_cast<uint64_t>(nb) << 52)) >> kUnused;
  mb += mb == 0;
  const int64_t distance = ea - eb, below = distance >> 63;  // below: all ones if a has the smaller exponent
  mb <<= below & 1;                                          // a normal b is above ma then: the remainder is a
  const int64_t e = eb + (distance & below);                 // of the remainder
  int64_t left = distance & ~below;
  uint64_t r = ma % mb;
  for (int i = 0; i < kSteps; ++i) {
    const int64_t by = left + ((kStep - left) & ((kStep - left) >> 63));  // min(left, kStep)
    r = (r << by) % mb;
    left -= by;
  }
  r <<= kUnused;
  // r 2^(e - 1075) as a double, by integers: flush-to-zero has no say
  const uint64_t bits = std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(r)));
  const int64_t field = static_cast<int64_t>(bits >> 52) + e - 1075;
  const uint64_t normal = (bits & (kOne - 1)) | (static_cast<uint64_t>(field) << 52), subnormal = r << ((e - 1) & 63);
  const uint64_t is_normal = uint64_t(0) - uint64_t((field >= 1) & (r != 0)), is_subnormal = uint64_t(0) - uint64_t((field < 1) & (r != 0));
  const uint64_t sign = std::bit_cast<uint64_t>(a) & ~kMagnitude;
  const double y = std::bit_cast<double>(sign | (normal & is_normal) | (subnormal & is_subnormal));
  const bool undefined = (ua >= kInfinity) | (ub > kInfinity) | (ub == 0);
  return portable::select(undefined, (a * b) / (a * b), portable::select(ub == kInfinity, a, y));
}
template <class T>
double float_mod(double a, double b, bool sign_of_divisor) {
  const double r = remainder<T>(a, b);
  const double moved = portable::select((r != 0) & ((r < 0) != (b < 0)), r + b, portable::select(r == 0, std::copysign(0.0, b), r));
  return portable::select(sign_of_divisor, moved, r);
}

template <class T>
T int_div(T a, T b) {
  const bool none = b == 0;
  bool minus = false;
  if constexpr (std::is_signed_v<T>) minus = b == -1;
  const T q = static_cast<T>(a / choose(none | minus, T(1), b));  // neither trap of the division can be reached
  return choose(none, T(0), choose(minus, wrap_neg(a), q));
}
template <class T>
T int_mod(T a, T b, bool sign_of_divisor) {
  const T r = wrap_sub(a, wrap_mul(int_div(a, b), b));
  const T moved = choose(sign_of_divisor & (r != 0) & ((r < 0) != (b < 0)), wrap_add(r, b), r);
  return choose(b == 0, T(0), moved);
}
template <class T>
T shifted(T a, T b, bool left) {
  using U = Unsigned<T>;
  constexpr U kWidth = sizeof(T) * 8;
  const U n = static_cast<U>(b), by = n < kWidth ? n : U(0);
  const U r = left ? static_cast<U>(static_cast<U>(a) << by) : static_cast<U>(static_cast<U>(a) >> by);
  return n < kWidth ? static_cast<T>(r) : T(0);
}
template <Binary kOp, class T>
T compute(T a, T b) {
  if constexpr (kIsFloat<T>) {
    const double x = widen(a), y = widen(b);
    if constexpr (kOp == Binary::add) return narrow<T>(x + y);
    if constexpr (kOp == Binary::sub) return narrow<T>(x - y);
    if constexpr (kOp == Binary::mul) return narrow<T>(x * y);
    if constexpr (kOp == Binary::div) return narrow<T>(x / y);
    if constexpr (kOp == Binary::min) return narrow<T>(portable::min_nan(x, y));
    if constexpr (kOp == Binary::max) return narrow<T>(portable::max_nan(x, y));
    if constexpr (kOp == Binary::prelu) return narrow<T>(portable::select(x < 0, x * y, x));
    if constexpr (kOp == Binary::mod_sign_of_divisor) return narrow<T>(float_mod<T>(x, y, true));
    if constexpr (kOp == Binary::mod_sign_of_dividend) return narrow<T>(float_mod<T>(x, y, false));
  } else if constexpr (std::is_same_v<T, bool>) {
    if constexpr (kOp == Binary::bit_and) return a & b;
    if constexpr (kOp == Binary::bit_or) return a | b;
    if constexpr (kOp == Binary::bit_xor) return a != b;
  } else {
    if constexpr (kOp == Binary::add) return wrap_add(a, b);
    if constexpr (kOp == Binary::sub) return wrap_sub(a, b);
    if constexpr (kOp == Binary::mul) return wrap_mul(a, b);
    if constexpr (kOp == Binary::div) return int_div(a, b);
    if constexpr (kOp == Binary::min) return a < b ? a : b;
    if constexpr (kOp == Binary::max) return a > b ? a : b;
    if constexpr (kOp == Binary::prelu) return a < 0 ? wrap_mul(a, b) : a;
    if constexpr (kOp == Binary::mod_sign_of_divisor) return int_mod(a, b, true);
    if constexpr (kOp == Binary::mod_sign_of_dividend) return int_mod(a, b, false);
    if constexpr (kOp == Binary::bit_and) return static_cast<T>(a & b);
    if constexpr (kOp == Binary::bit_or) return static_cast<T>(a | b);
    if constexpr (kOp == Binary::bit_xor) return static_cast<T>(a ^ b);
    if constexpr (kOp == Binary::shift_left) return shifted(a, b, true);
    if constexpr (kOp == Binary::shift_right) return shifted(a, b, false);
  }
  return a;  // inference has refused the other pairs of operation and dtype
}

// f32 compares as it is: widening it would halve the lanes.
inline float comparable(float x) { return x; }
template <class T>
auto comparable(T x) { return widen(x); }

template <Binary kOp, class T>
bool compare(T a, T b) {
  if constexpr (std::is_same_v<T, StringRef>) {
    return a.view() == b.view();  // Equal alone takes strings
  } else {
    const auto x = comparable(a);
    const auto y = comparable(b);
    if constexpr (kOp == Binary::less) return x < y;
    if constexpr (kOp == Binary::less_or_equal) return x <= y;
    if constexpr (kOp == Binary::greater) return x > y;
    if constexpr (kOp == Binary::greater_or_equal) return x >= y;
    return x == y;
  }
}

template <class T, class Y, class F>
void rows(const BinaryArgs& args, F f) {
  const T *a = static_cast<const T*>(args.a), *b = static_cast<const T*>(args.b);
  Y* y = static_cast<Y*>(args.y);
  const int64_t sa = args.nest.step[0], sb = args.nest.step[1];
  for_rows(args.nest, [=](int64_t at, const int64_t* from, int64_t n) {
    const T *ra = a + from[0], *rb = b + from[1];
    Y* ry = y + at;
    if (sa == 1 && sb == 1) {
      for (int64_t i = 0; i < n; ++i) ry[i] = f(ra[i], rb[i]);
    } else if (sa == 1) {
      const T vb = *rb;
      for (int64_t i = 0; i < n; ++i) ry[i] = f(ra[i], vb);
    } else {  // the first stands, the second moves, or both stand
      const T va = *ra;
      for (int64_t i = 0; i < n; ++i) ry[i] = f(va, rb[i * sb]);
    }
  });
}

template <class T>
struct Compute {
  template <Binary kOp>
  static void all(const BinaryArgs& args) { rows<T, T>(args, [](T a, T b) { return compute<kOp, T>(a, b); }); }
  static void run(const BinaryArgs& args) {
    switch (args.op) {
      case Binary::add: return all<Binary::add>(args);
      case Binary::sub: return all<Binary::sub>(args);
      case Binary::mul: return all<Binary::mul>(args);
      case Binary::div: return all<Binary::div>(args);
      case Binary::min: return all<Binary::min>(args);
      case Binary::max: return all<Binary::max>(args);
      case Binary::prelu: return all<Binary::prelu>(args);
      case Binary::mod_sign_of_divisor: return all<Binary::mod_sign_of_divisor>(args);
      case Binary::mod_sign_of_dividend: return all<Binary::mod_sign_of_dividend>(args);
      case Binary::bit_and: return all<Binary::bit_and>(args);
      case Binary::bit_or: return all<Binary::bit_or>(args);
      case Binary::bit_xor: return all<Binary::bit_xor>(args);
      case Binary::shift_left: return all<Binary::shift_left>(args);
      case Binary::shift_right: return all<Binary::shift_right>(args);
      default: return;
    }
  }
};
template <class T>
struct Compare {
  template <Binary kOp>
  static void all(const BinaryArgs& args) { rows<T, bool>(args, [](T a, T b) { return compare<kOp, T>(a, b); }); }
  static void run(const BinaryArgs& args) {
    switch (args.op) {
      case Binary::equal: return all<Binary::equal>(args);
      case Binary::less: return all<Binary::less>(args);
      case Binary::less_or_equal: return all<Binary::less_or_equal>(args);
      case Binary::greater: return all<Binary::greater>(args);
      case Binary::greater_or_equal: return all<Binary::greater_or_equal>(args);
      default: return;
    }
  }
};
template <template <class> class Kernel, class T>
constexpr KernelRow portable_row(const char* name) { return row<BinaryArgs, Kernel<T>::run>(name, dtype_of<T>(), Isa::scalar); }

}  // namespace

constinit const std::array<KernelRow, 15> kBinaryRows = {{
    row<BinaryArgs, scalar::binary_f32>("binary/f32/scalar", DType::f32, Isa::scalar),
    row<BinaryArgs, avx2::binary_f32>("binary/f32/avx2", DType::f32, Isa::avx2),
    row<BinaryArgs, avx512::binary_f32>("binary/f32/avx512", DType::f32, Isa::avx512),
    portable_row<Compute, double>("binary/f64/scalar"), portable_row<Compute, f16>("binary/f16/scalar"),
    portable_row<Compute, bf16>("binary/bf16/scalar"), portable_row<Compute, int8_t>("binary/i8/scalar"),
    portable_row<Compute, int16_t>("binary/i16/scalar"), portable_row<Compute, int32_t>("binary/i32/scalar"),
    portable_row<Compute, int64_t>("binary/i64/scalar"), portable_row<Compute, uint8_t>("binary/u8/scalar"),
    portable_row<Compute, uint16_t>("binary/u16/scalar"), portable_row<Compute, uint32_t>("binary/u32/scalar"),
    portable_row<Compute, uint64_t>("binary/u64/scalar"), portable_row<Compute, bool>("binary/bool/scalar"),
}};
constinit const std::array<KernelRow, 12> kModRows = {{
    portable_row<Compute, float>("mod/f32/scalar"), portable_row<Compute, double>("mod/f64/scalar"),
    portable_row<Compute, f16>("mod/f16/scalar"), portable_row<Compute, bf16>("mod/bf16/scalar"),
    portable_row<Compute, int8_t>("mod/i8/scalar"), portable_row<Compute, int16_t>("mod/i16/scalar"),
    portable_row<Compute, int32_t>("mod/i32/scalar"), portable_row<Compute, int64_t>("mod/i64/scalar"),
    portable_row<Compute, uint8_t>("mod/u8/scalar"), portable_row<Compute, uint16_t>("mod/u16/scalar"),
    portable_row<Compute, uint32_t>("mod/u32/scalar"), portable_row<Compute, uint64_t>("mod/u64/scalar"),
}};
constinit const std::array<KernelRow, 14> kCompareRows = {{
    portable_row<Compare, float>("compare/f32/scalar"), portable_row<Compare, double>("compare/f64/scalar"),
    portable_row<Compare, f16>("compare/f16/scalar"), portable_row<Compare, bf16>("compare/bf16/scalar"),
    portable_row<Compare, int8_t>("compare/i8/scalar"), portable_row<Compare, int16_t>("compare/i16/scalar"),
    portable_row<Compare, int32_t>("compare/i32/scalar"), portable_row<Compare, int64_t>("compare/i64/scalar"),
    portable_row<Compare, uint8_t>("compare/u8/scalar"), portable_row<Compare, uint16_t>("compare/u16/scalar"),
    portable_row<Compare, uint32_t>("compare/u32/scalar"), portable_row<Compare, uint64_t>("compare/u64/scalar"),
    portable_row<Compare, bool>("compare/bool/scalar"), portable_row<Compare, StringRef>("compare/string/scalar"),
}};

void set_binary(BindContext& c, BinaryArgs& args, const Operand& a, const Operand& b, Binary op, int64_t begin, int64_t end) {
  const Dims operands[] = {a.dims, b.dims};
  args.nest = make_nest(c.out(0).dims, operands, begin, end);
  args.op = op;
  c.set(args.a, a.at);
  c.set(args.b, b.at);
  c.set(args.y, c.output(0));
}

Status bind_binary(BindContext& c, std::span<const KernelRow> rows, Binary op) {
  const KernelRow* kernel = pick(rows, c.in(0).dtype, c.isa);
  if (kernel == nullptr || c.in(1).dtype != c.in(0).dtype) return bad_dtype(c.in(0).dtype);
  if (broadcast(c.in(0).dims, c.in(1).dims) != c.out(0).dims) {
    return invalid("shapes " + to_string(c.in(0).dims) + " and " + to_string(c.in(1).dims) + " do not broadcast to " + to_string(c.out(0).dims));
  }
  const auto [begin, end] = c.range(c.out(0).count(), kGrain);
  if (begin == end) return {};
  set_binary(c, c.args<BinaryArgs>(), Operand::input(c, 0), Operand::input(c, 1), op, begin, end);
  c.run(*kernel);
  return {};
}

}  // namespace tern
