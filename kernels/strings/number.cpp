// StringToNumber and AsString: as TensorFlow reads and C's printf writes them, whatever the locale. See strings.h.
#include <charconv>
#include <cmath>

#include "kernels/dtype_code.h"
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

// ---- StringToNumber ----

template <class T>
Result<T> parse(std::string_view text) {
  std::string_view s = strip(text);
  const bool negative = s.starts_with('-');
  if (s.starts_with('+') || negative) s.remove_prefix(1);
  const Error bad = invalid(quoted(text) + " is no number" + (std::is_integral_v<T> ? " of that size" : ""));
  if (s.empty() || s.front() == '-' || s.front() == '+') return bad;
  T v = 0;
  std::from_chars_result end;
  if constexpr (std::is_integral_v<T>) {
    const std::string with_sign = (negative ? "-" : "") + std::string(s);
    end = std::from_chars(with_sign.data(), with_sign.data() + with_sign.size(), v);
    if (end.ec != std::errc() || end.ptr != with_sign.data() + with_sign.size()) return bad;
    return v;
  } else {
    const bool hex = s.starts_with("0x") || s.starts_with("0X");
    if (hex) s.remove_prefix(2);
    end = std::from_chars(s.data(), s.data() + s.size(), v, hex ? std::chars_format::hex : std::chars_format::general);
    if (end.ptr != s.data() + s.size()) return bad;
    if (end.ec == std::errc::result_out_of_range) {  // too large or too small: its double, or the exponent's sign, tells
      double wide = 0;
      const bool in_double =
          std::from_chars(s.data(), s.data() + s.size(), wide, hex ? std::chars_format::hex : std::chars_format::general).ec == std::errc();
      const size_t e = s.find_first_of(hex ? "pP" : "eE");
      const bool tiny = in_double ? wide < 1 : (e != std::string_view::npos && e + 1 < s.size() && s[e + 1] == '-') || s.starts_with("0.");
      v = tiny ? T(0) : std::numeric_limits<T>::infinity();
    } else if (end.ec != std::errc()) {
      return bad;
    }
    return negative ? -v : v;
  }
}

Status infer_parse(InferContext& c) {
  const DType to = dtype_from_code(c.attrs.i("to"));
  if (to != DType::f32 && to != DType::f64 && to != DType::i32 && to != DType::i64) return unsupported(std::string("text read as ") + name(to));
  return infer_text_map(c, to);
}

Result<std::vector<Tensor>> parse_all(const ComputeRequest& r) {
  switch (dtype_from_code(r.attrs.i("to"))) {
    case DType::f64: return map_numbers<double>(r, parse<double>);
    case DType::i32: return map_numbers<int32_t>(r, parse<int32_t>);
    case DType::i64: return map_numbers<int64_t>(r, parse<int64_t>);
    default: return map_numbers<float>(r, parse<float>);
  }
}

// ---- AsString ----

constexpr int64_t kMostDigits = 512;

struct Format {
  int precision;  // negative: the default
  std::chars_format form;
  size_t width;
  char fill;  // printf's flag, or 0
};

Result<Format> format_of(const AttrReader& attrs) {
  const int64_t precision = attrs.i("precision"), width = attrs.i("width");
  const bool scientific = attrs.i("scientific") != 0, shortest = attrs.i("shortest") != 0;
  const std::string fill = attrs.s("fill");
  if (scientific && shortest) return invalid("scientific and shortest are both asked for");
  if (precision > kMostDigits || width > kMostDigits) return unsupported("more than " + std::to_string(kMostDigits) + " digits");
  if (fill.size() > 1 || std::string_view(" +-0").find(fill) == std::string_view::npos) return invalid("fill is " + quoted(fill));
  return Format{static_cast<int>(std::max<int64_t>(-1, precision)),
                scientific ? std::chars_format::scientific
                : shortest ? std::chars_format::general
                           : std::chars_format::fixed,
                static_cast<size_t>(std::max<int64_t>(0, width)), fill.empty() ? '\0' : fill[0]};
}

std::string padded(std::string digits, const Format& f, bool number) {
  const bool negative = digits.starts_with('-');
  if (!negative && (f.fill == ' ' || f.fill == '+')) digits.insert(0, 1, f.fill);
  if (digits.size() >= f.width) return digits;
  const size_t missing = f.width - digits.size();
  if (f.fill == '-') return digits + std::string(missing, ' ');
  if (f.fill == '0' && number) return digits.insert(negative, missing, '0');
  return std::string(missing, ' ') + digits;
}

template <class T>
std::string print(T x, const Format& f) {
  if constexpr (std::is_same_v<T, bool>) {
    return x ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    std::string digits = std::to_string(x);
    const auto whole = static_cast<size_t>(std::max(0, f.precision));  // at least so many digits
    const size_t sign = digits.starts_with('-');
    if (digits.size() - sign < whole) digits.insert(sign, whole - (digits.size() - sign), '0');
    return padded(std::move(digits), f, f.precision < 0);
  } else {
    const double v = static_cast<double>(to_f32(x));
    return print(v, f);
  }
}
template <>
std::string print(double v, const Format& f) {
  char text[1 + 310 + kMostDigits + 8];
  const auto end = std::to_chars(text, text + sizeof text, v, f.form, f.precision < 0 ? 6 : f.precision);
  return padded(std::string(text, end.ptr), f, std::isfinite(v));
}
template <>
std::string print(float v, const Format& f) {
  return print(static_cast<double>(v), f);
}

Status infer_print(InferContext& c) {
  auto f = format_of(c.attrs);
  if (!f) return f.error();
  const DType t = c.dtype(0);
  const bool plain = c.attrs.i("precision") < 0 && c.attrs.i("scientific") == 0 && c.attrs.i("shortest") == 0;
  if (t == DType::none) return bad_dtype(t);
  if (!is_float(t) && (c.attrs.i("scientific") != 0 || c.attrs.i("shortest") != 0)) return invalid("scientific and shortest are for floats");
  if ((t == DType::boolean || t == DType::string) && !(plain && c.attrs.i("width") < 0)) return invalid(std::string(name(t)) + " takes no format");
  c.set(0, DType::string, c.shape(0));
  return {};
}

Result<std::vector<Tensor>> print_all(const ComputeRequest& r) {
  const Tensor& x = r.inputs[0];
  if (x.dtype() == DType::string) return std::vector<Tensor>{x};
  const Format f = *format_of(r.attrs);
  TextBuilder y(r.budget);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
      for (int64_t i = 0; i < x.count() && y.fits(); ++i) {
        if constexpr (std::is_same_v<T, bool>) y.add(print(x.data<uint8_t>()[i] != 0, f));
        else y.add(print(x.data<T>()[i], f));
      }
    }
  });
  auto out = std::move(y).finish(x.dims());
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

constexpr AttrSpec kParseAttrs[] = {{"to", AttrKind::i, 1}};
constexpr AttrSpec kPrintAttrs[] = {{"fill", AttrKind::s, ""},
                                    {"precision", AttrKind::i, -1},
                                    {"scientific", AttrKind::i, 0},
                                    {"shortest", AttrKind::i, 0},
                                    {"width", AttrKind::i, -1}};

}  // namespace

constinit const OpDef kStringToNumber = {.name = "StringToNumber",
                                         .inputs = {1, 1},
                                         .outputs = {1, 1},
                                         .attrs = kParseAttrs,
                                         .infer = infer_parse,
                                         .compute = parse_all,
                                         .tern_only = true};
constinit const OpDef kAsString = {
    .name = "AsString", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kPrintAttrs, .infer = infer_print, .compute = print_all, .tern_only = true};

}  // namespace tern
