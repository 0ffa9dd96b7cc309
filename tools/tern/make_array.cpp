// The array that a source stands for, once its input's dtype and shape are known. See arrays.h.
#include <cmath>
#include <cstdlib>

#include "runtime/base/checked.h"
#include "runtime/base/half.h"
#include "runtime/base/shape.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

// Element i of dtype T from a double.
template <class T>
T from_double(double v) {
  if constexpr (std::is_same_v<T, f16>) return to_f16(v);
  else if constexpr (std::is_same_v<T, bf16>) return to_bf16(v);
  else if constexpr (std::is_same_v<T, bool>) return v != 0;
  else return static_cast<T>(v);
}

Result<Array> fill(DType dtype, const std::vector<int64_t>& dims, auto element) {
  Array a{dtype, dims, {}, {}};
  auto count = checked_count(dims);
  auto bytes = count ? checked_mul(*count, static_cast<int64_t>(size_of(dtype))) : std::nullopt;
  if (!bytes || *bytes > int64_t(1) << 34) return invalid("its shape needs too much memory");
  if (dtype == DType::string) return unsupported("strings come from a .pb or .npy file");
  a.bytes.resize(static_cast<size_t>(*bytes));
  visit(dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
      auto* p = reinterpret_cast<T*>(a.bytes.data());
      for (int64_t i = 0; i < *count; ++i) p[i] = from_double<T>(element(i));
    }
  });
  return a;
}

const char* numpy_name(DType dtype) {
  constexpr const char* kNames[] = {"none", "float64", "float32", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool", "str"};
  return kNames[static_cast<int>(dtype)];
}

// splitmix64: the same numbers everywhere
uint64_t random_bits(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// A picture as [N,C,H,W], [N,H,W,C], [H,W] or anything that has as many elements in one of those orders.
Result<Array> from_image(const Image& image, const Port& port, const std::vector<int64_t>& dims) {
  const auto rank = dims.size();
  const int64_t pixels = image.width * image.height;
  const int64_t count = checked_count(dims).value_or(-1);
  if (pixels == 0 || (count != pixels && count != 3 * pixels)) {
    return invalid("the picture is " + std::to_string(image.width) + "x" + std::to_string(image.height) + ", the model expects " + shape_text(dims));
  }
  const int64_t channels = count / pixels;
  const bool last = rank >= 3 && dims[rank - 1] == channels && dims[rank - 2] == image.width;
  if (rank >= 3 && !last && (dims[rank - 1] != image.width || dims[rank - 2] != image.height)) {
    return invalid("the picture is " + std::to_string(image.width) + "x" + std::to_string(image.height) + ", the model expects " + shape_text(dims));
  }
  const double scale = is_float(port.dtype) ? 1 : 255;
  return fill(port.dtype, dims, [&](int64_t i) {
    const int64_t pixel = last ? i / channels : i % pixels, c = last ? i % channels : i / pixels;
    const float* p = image.pixels.data() + pixel * image.channels;
    double v = image.channels == channels ? p[c] : channels == 3 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    return is_float(port.dtype) ? v : std::nearbyint(v * scale);
  });
}

// An array from a file that is not what the input takes, with what to do about it in NumPy. What depends on other inputs is checked later.
Status check_array(const Source& s, const Port& port, const std::map<std::string, int64_t>& values) {
  const Array& a = *s.array;
  const std::string is = "input " + port.name + ": " + s.text + " is " + name(a.dtype) + shape_text(a.dims) + ", the model expects " + name(port.dtype) + shape_text(port.shape);
  if (a.dtype != port.dtype) {
    const bool convertible = a.dtype != DType::string && port.dtype != DType::string;
    return invalid(is + (convertible ? std::string("; convert it: a.astype(\"") + numpy_name(port.dtype) + "\") in NumPy" : ""));
  }
  const auto wanted = concrete(port, values);
  if (wanted && *wanted == a.dims) return {};
  if (wanted && wanted->size() != a.dims.size() && checked_count(*wanted) == checked_count(a.dims)) {
    const std::string shape = shape_text(*wanted);
    return invalid(is + "; as many elements have that shape: a.reshape(" + shape.substr(1, shape.size() - 2) + ") in NumPy");
  }
  if (port.shape.size() == a.dims.size() + 1 && a.dims.size() > 0 && port.shape != std::vector<std::string>{"?"}) {
    return invalid(is + "; if this is one sample, give it an axis: a[None] in NumPy");
  }
  return {};
}

}  // namespace

Result<Array> make_array(const Source& s, const Port& port, const std::map<std::string, int64_t>& values) {
  if (s.array) {
    if (Status fits = check_array(s, port, values); !fits) return fits.error();
    return *s.array;
  }
  auto dims = concrete(port, values);
  if (!dims) return usage("input " + port.name + " has no fixed shape; give a file, or --dim NAME=N");
  auto count = checked_count(*dims);
  if (!count) return usage("input " + port.name + ": its shape has no size");
  auto where = [&](Result<Array> a) -> Result<Array> {
    if (!a) return a.error().within("input " + port.name + " from " + s.text);
    return a;
  };
  if (s.image) return where(from_image(*s.image, port, *dims));
  if (s.csv) {
    if (static_cast<int64_t>(s.numbers.size()) != *count) {
      return invalid("input " + port.name + ": " + s.text + " has " + std::to_string(s.numbers.size()) + " numbers, the model expects " + shape_text(*dims));
    }
    return where(fill(port.dtype, *dims, [&](int64_t i) { return s.numbers[static_cast<size_t>(i)]; }));
  }
  if (s.text == "zeros") return where(fill(port.dtype, *dims, [](int64_t) { return 0.0; }));
  if (s.text == "ones") return where(fill(port.dtype, *dims, [](int64_t) { return 1.0; }));
  if (s.text == "iota") return where(fill(port.dtype, *dims, [&](int64_t i) { return static_cast<double>(size_of(port.dtype) == 1 ? i % 128 : i); }));
  uint64_t state = s.text.size() > 7 ? std::strtoull(s.text.c_str() + 7, nullptr, 10) : 0;
  for (char c : port.name) state = state * 31 + static_cast<unsigned char>(c);  // two inputs differ
  return where(fill(port.dtype, *dims, [&](int64_t) {  // floats in [-1, 1), integers 0 or 1: legal as indices almost everywhere
    const uint64_t bits = random_bits(state);
    return is_float(port.dtype) ? static_cast<double>(bits >> 40) * 0x1p-23 - 1 : static_cast<double>(bits >> 63);
  }));
}

}  // namespace tern::command
