// Cast and CastLike: every dtype to every other. The number of a dtype in the attribute `to` is ONNX's. See convert.h.
// Text: numbers are read as ONNX writes them (decimal, scientific, inf, nan; what is no number gives NaN, or 0 for integers; out of range as convert.h) and
// written shortest (NaN, INF, -INF). Written text lies in memory of the session, valid until the next run.
#include "kernels/elementwise/cast.h"

#include <charconv>
#include <limits>

#include "kernels/dtype_code.h"
#include "kernels/elementwise/convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/nest.h"
#include "kernels/portable_row.h"

namespace tern {
namespace {

constexpr int64_t kTextBytes = 32;  // the longest: -2.2250738585072014e-308

template <class T>
T parse(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '+')) s.remove_prefix(1);
  double v = std::is_integral_v<T> ? 0 : std::numeric_limits<double>::quiet_NaN();
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    T exact = 0;
    if (auto r = std::from_chars(s.data(), s.data() + s.size(), exact); r.ec == std::errc() && r.ptr == s.data() + s.size()) return exact;
  }
  if constexpr (std::is_same_v<T, float>) {
    float exact = 0;
    auto r = std::from_chars(s.data(), s.data() + s.size(), exact);
    if (r.ec == std::errc()) return exact;
  }
  auto r = std::from_chars(s.data(), s.data() + s.size(), v);
  if (r.ec == std::errc::result_out_of_range) {  // too large, or too small: told apart by the sign of the exponent
    const size_t e = s.find_first_of("eE");
    const bool tiny = (e != std::string_view::npos && e + 1 < s.size() && s[e + 1] == '-') || s.substr(0, 2) == "0." || s.substr(0, 3) == "-0.";
    v = tiny ? 0 : s.front() == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  return convert<T>(v);
}

template <class T>
StringRef print(T x, char* text) {
  char* end = text;
  if constexpr (kIsFloat<T>) {
    const double v = widen(x);
    const std::string_view special = v != v                                    ? "NaN"
                                     : v > std::numeric_limits<double>::max()  ? "INF"
                                     : v < -std::numeric_limits<double>::max() ? "-INF"
                                                                               : "";
    if (!special.empty()) end = std::copy(special.begin(), special.end(), text);
    else if constexpr (std::is_same_v<T, double>) end = std::to_chars(text, text + kTextBytes, v).ptr;
    else end = std::to_chars(text, text + kTextBytes, static_cast<float>(v)).ptr;
  } else if constexpr (std::is_same_v<T, bool>) {
    *end++ = x ? '1' : '0';
  } else {
    end = std::to_chars(text, text + kTextBytes, x).ptr;
  }
  return {text, end - text};
}

template <class To>
void read_text(const CastArgs& a) {
  const StringRef* x = static_cast<const StringRef*>(a.x);
  To* y = static_cast<To*>(a.y);
  for (int64_t i = 0; i < a.count; ++i) y[i] = parse<To>(x[i].view());
}
void write_text(const CastArgs& a) {
  StringRef* y = static_cast<StringRef*>(a.y);
  visit(a.from, [&]<class From>() {
    if constexpr (!std::is_void_v<From>) {
      const From* x = static_cast<const From*>(a.x);
      for (int64_t i = 0; i < a.count; ++i) {
        if constexpr (std::is_same_v<From, StringRef>) y[i] = x[i];
        else y[i] = print(x[i], a.text + i * kTextBytes);
      }
    }
  });
}
template <class... T>
constexpr std::array<KernelRow, sizeof...(T)> text_rows(Types<T...>) {
  return {portable_row<"cast_text", T, CastArgs, read_text<T>>()...};
}
constexpr auto kReadText = text_rows(NumbersAndBool());
constexpr KernelRow kWriteText = row<CastArgs, write_text>("cast/string/scalar", DType::string, Isa::scalar);

Status infer_cast(InferContext& c) {
  const DType to = dtype_from_code(c.attrs.i("to"));
  if (to == DType::none) return unsupported("a cast to the ONNX data type " + std::to_string(c.attrs.i("to")));
  if (!c.has(0)) return bad_dtype(c.dtype(0));
  c.set(0, to, c.shape(0));
  return {};
}
Status infer_cast_like(InferContext& c) {
  if (!c.has(0) || !c.has(1)) return bad_dtype(DType::none);
  c.set(0, c.dtype(1), c.shape(0));
  return {};
}
Status bind_cast(BindContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const KernelRow* kernel = x.dtype == DType::string && y.dtype != DType::string ? pick(rows_of<kReadText>, y.dtype, Isa::scalar) : c.pick(y.dtype);
  if (kernel == nullptr) return bad_dtype(y.dtype);
  const auto [begin, end] = c.range(x.count(), 64);
  if (begin == end) return {};
  CastArgs& a = c.args<CastArgs>();
  a.count = end - begin;
  a.from = x.dtype;
  c.set(a.x, c.input(0) + begin * static_cast<int64_t>(size_of(x.dtype)));
  c.set(a.y, c.output(0) + begin * static_cast<int64_t>(size_of(y.dtype)));
  if (y.dtype == DType::string && x.dtype != DType::string) c.set(a.text, c.table<char>((end - begin) * kTextBytes, [](char*) {}));
  c.run(*kernel);
  return {};
}

// A shape computation keeps its numbers between integer dtypes.
std::optional<Dim> same(std::span<const Dim> in, const AttrReader& attrs) {
  const DType to = dtype_from_code(attrs.i("to"));
  if (to != DType::i64 && to != DType::i32) return std::nullopt;
  return in[0];
}

constexpr AttrSpec kCastAttrs[] = {{"round_mode", AttrKind::s, "up"}, {"saturate", AttrKind::i, 1}, {"to", AttrKind::i, kRequired}};
constexpr AttrSpec kCastLikeAttrs[] = {{"round_mode", AttrKind::s, "up"}, {"saturate", AttrKind::i, 1}};

}  // namespace

extern constinit const OpDef kCast = {.name = "Cast",
                                      .inputs = {1, 1},
                                      .outputs = {1, 1},
                                      .attrs = kCastAttrs,
                                      .infer = infer_cast,
                                      .bind = bind_cast,
                                      .kernels = rows_of<TERN_ON_EACH_ISA(cast_any), kWriteText, kReadText, cuda::kCast>,
                                      .inplace_inputs = 1,
                                      .symbolic = same};
extern constinit const OpDef kCastLike = {.name = "CastLike",
                                          .inputs = {2, 2},
                                          .outputs = {1, 1},
                                          .attrs = kCastLikeAttrs,
                                          .infer = infer_cast_like,
                                          .bind = bind_cast,
                                          .kernels = rows_of<TERN_ON_EACH_ISA(cast_any), kWriteText, kReadText, cuda::kCast>,
                                          .inplace_inputs = 1};

}  // namespace tern
