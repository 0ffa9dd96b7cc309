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
  if (dtype == DType::string) return unsupported("strings come from a .txt, .csv, .npy or .pb file, or text:WORDS");
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
  constexpr const char* kNames[] = {"none",  "float64", "float32", "float16", "bfloat16", "int8", "int16", "int32",
                                    "int64", "uint8",   "uint16",  "uint32",  "uint64",   "bool", "str"};
  return kNames[static_cast<int>(dtype)];
}

// splitmix64: the same numbers everywhere
uint64_t random_bits(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string size_text(const Image& image) {
  return std::to_string(image.width) + "x" + std::to_string(image.height) + (image.channels == 1 ? " grey" : " RGB");
}

// A picture as [N,C,H,W], [N,H,W,C], [H,W] or anything flat that has as many elements, channel after channel; what became of it is told.
Result<Array> from_image(const Source& s, const Port& port, const std::vector<int64_t>& dims) {
  const Image& image = *s.image;
  const size_t rank = dims.size();
  const int64_t pixels = image.width * image.height, count = checked_count(dims).value_or(-1), channels = pixels > 0 ? count / pixels : 0;
  const bool last = rank >= 3 && dims[rank - 1] == channels && dims[rank - 2] == image.width && dims[rank - 3] == image.height;
  const bool first = rank >= 3 && dims[rank - 1] == image.width && dims[rank - 2] == image.height;
  if (pixels == 0 || (count != pixels && count != 3 * pixels) || (rank >= 3 && !last && !first)) {
    std::string wants = shape_text(port.shape);
    if (rank >= 3) {
      const bool wants_last = dims[rank - 1] <= 4 && dims[rank - 3] > 4;
      const int64_t width = dims[rank - (wants_last ? 2 : 1)], height = dims[rank - (wants_last ? 3 : 2)], depth = dims[rank - (wants_last ? 1 : 3)];
      wants += ": " + std::to_string(width) + "x" + std::to_string(height) + " pixels, " + std::to_string(depth) +
               (depth == 1 ? " channel" : " channels") + (wants_last ? " last" : " first");
    }
    return invalid("the picture is " + size_text(image) + ", the model wants " + wants + "; bring the picture to that size");
  }
  const bool whole = !is_float(port.dtype);
  std::string told =
      "input " + port.name + ": " + s.text + " (" + size_text(image) + image.notes + ") is " + (whole ? "rounded to 0..255" : "scaled to 0..1");
  if (channels < image.channels) told += ", made grey (0.299 R + 0.587 G + 0.114 B)";
  if (channels > image.channels) told += ", its grey repeated in 3 channels";
  note(told + ", as " + shape_text(dims) + (rank < 3 ? "" : last ? ", channels last" : ", channels first") + "; no mean or deviation is applied");
  return fill(port.dtype, dims, [&](int64_t i) {
    const int64_t pixel = last ? i / channels : i % pixels, c = last ? i % channels : i / pixels;
    const float* p = image.pixels.data() + pixel * image.channels;
    const double v = image.channels == channels ? p[c] : channels == 3 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    return whole ? std::nearbyint(v * 255) : v;
  });
}

}  // namespace

Status check_array(const Array& a, const std::string& from, const Port& port, const Shape& shape, const std::map<std::string, int64_t>& dims) {
  const std::string is = "input " + port.name + ": " + from + " is " + name(a.dtype) + shape_text(a.dims) + ", the model expects " +
                         name(port.dtype) + shape_text(port.shape);
  if (a.dtype != port.dtype) {
    const bool convertible = a.dtype != DType::string && port.dtype != DType::string;
    return invalid(is + (convertible ? std::string("; convert it: a.astype(\"") + numpy_name(port.dtype) + "\") in NumPy" : ""));
  }
  const auto wanted = concrete(shape, dims);
  if (wanted && *wanted == a.dims) return {};
  if (wanted && wanted->size() != a.dims.size() && checked_count(*wanted) == checked_count(a.dims)) {
    const std::string to = shape_text(*wanted);
    return invalid(is + "; as many elements have that shape: a.reshape(" + to.substr(1, to.size() - 2) + ") in NumPy");
  }
  if (shape.ranked() && port.shape.size() == a.dims.size() + 1 && !a.dims.empty())
    return invalid(is + "; if this is one sample, give it an axis: a[None] in NumPy");
  return {};  // what depends on other inputs is told when the model is bound
}

bool retry_with_zeros(Inputs& inputs, const Error& error) {
  std::string names;
  for (size_t i = 0; i < inputs.ports.size(); ++i) {
    const DType t = inputs.ports[i].dtype;
    if (inputs.sources[i].text.starts_with("random") && !is_float(t) && t != DType::boolean)
      names += (names.empty() ? "" : ", ") + inputs.ports[i].name;
  }
  if (names.empty() || inputs.zero_integers) return false;
  inputs.zero_integers = true;
  note("random integers do not fit (" + error.message() + "): inputs of zeros instead: " + names);
  return true;
}

Result<Array> make_array(const Inputs& inputs, size_t i) {
  const Source& s = inputs.sources[i];
  const Port& port = inputs.ports[i];
  if (s.array) {
    if (Status fits = check_array(*s.array, s.text, port, inputs.shapes[i], inputs.dims); !fits) return fits.error();
    return *s.array;
  }
  const auto dims = concrete(inputs.shapes[i], inputs.dims);
  if (!dims) return usage("input " + port.name + " has no fixed shape; give a file, or --dim NAME=N");
  auto where = [&](Result<Array> a) -> Result<Array> {
    if (!a) return a.error().within("input " + port.name + " from " + s.text);
    return a;
  };
  if (s.image) return where(from_image(s, port, *dims));
  if (s.table) return where(array_of_table(*s.table, s.part, port.dtype, *dims));
  if (s.text == "zeros") return where(fill(port.dtype, *dims, [](int64_t) { return 0.0; }));
  if (s.text == "ones") return where(fill(port.dtype, *dims, [](int64_t) { return 1.0; }));
  if (s.text == "iota") return where(fill(port.dtype, *dims, [&](int64_t i) { return static_cast<double>(size_of(port.dtype) == 1 ? i % 128 : i); }));
  uint64_t state = s.text.size() > 7 ? std::strtoull(s.text.c_str() + 7, nullptr, 10) : 0;
  for (char c : port.name) state = state * 31 + static_cast<unsigned char>(c);  // two inputs differ
  return where(fill(port.dtype, *dims, [&](int64_t) {  // floats in [-1, 1), integers 0 or 1: legal as indices almost everywhere
    const uint64_t bits = random_bits(state);
    if (is_float(port.dtype)) return static_cast<double>(bits >> 40) * 0x1p-23 - 1;
    return inputs.zero_integers && port.dtype != DType::boolean ? 0 : static_cast<double>(bits >> 63);
  }));
}

Result<Array> outline(const Inputs& inputs, size_t i) {
  const Source& s = inputs.sources[i];
  const auto dims = concrete(inputs.shapes[i], inputs.dims);
  if (s.array || s.image || s.table || !dims || inputs.ports[i].dtype == DType::string) return make_array(inputs, i);
  return Array{inputs.ports[i].dtype, *dims, {}, {}};
}

}  // namespace tern::command
