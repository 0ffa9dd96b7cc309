#include "tools/ptxsim/arguments.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "runtime/base/half.h"
#include "runtime/base/printable.h"

namespace ptxsim {
namespace {

constexpr std::string_view kArgumentTypes[] = {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f16", "f32", "f64"};
constexpr uint64_t kMostElements = uint64_t(1) << 32;

bool is_type(std::string_view t) {
  for (const std::string_view known : kArgumentTypes) {
    if (known == t) return true;
  }
  return false;
}

size_t bytes_of(std::string_view t) { return t.substr(1) == "8" ? 1 : t.substr(1) == "16" ? 2 : t.substr(1) == "32" ? 4 : 8; }

void put(std::string_view type, double real, int64_t whole, std::byte* at) {
  if (type == "f32") {
    const float f = float(real);
    std::memcpy(at, &f, 4);
  } else if (type == "f64") {
    std::memcpy(at, &real, 8);
  } else if (type == "f16") {
    const uint16_t h = tern::to_f16(real).bits;
    std::memcpy(at, &h, 2);
  } else {
    std::memcpy(at, &whole, bytes_of(type));
  }
}

bool number(std::string_view text, double* real, int64_t* whole) {
  const std::string copy(text);
  char* end = nullptr;
  *real = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0') return false;
  *whole = std::strtoll(copy.c_str(), &end, 0);
  if (*end != '\0') *whole = std::fabs(*real) < 9e18 ? int64_t(*real) : 0;
  if (*real >= 9.3e18) *whole = int64_t(std::strtoull(copy.c_str(), nullptr, 0));
  return true;
}

// An .npy file of the type said: format 1 to 3, little endian, C order.
Result<std::vector<std::byte>> npy(const std::string& path, std::string_view type, uint64_t count) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return tern::invalid(path + ": cannot be read");
  std::string file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (file.size() < 12 || file.compare(0, 6, "\x93NUMPY") != 0) return tern::invalid(path + ": no .npy file");
  const auto byte = [&](size_t at) { return size_t(uint8_t(file[at])); };
  const bool old = file[6] == 1;
  const size_t header = old ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24, begin = old ? 10 : 12;
  if (header > file.size() - begin) return tern::invalid(path + ": its header is cut off");
  const std::string text = file.substr(begin, header);
  const std::string kind(1, type[0] == 'f' ? 'f' : type[0] == 'u' ? 'u' : 'i'), size = std::to_string(bytes_of(type));
  if (text.find("'<" + kind + size + "'") == std::string::npos && text.find("'|" + kind + size + "'") == std::string::npos)
    return tern::invalid(path + ": not of type " + std::string(type));
  if (text.find("'fortran_order': False") == std::string::npos) return tern::invalid(path + ": not in C order");
  const size_t bytes = count * bytes_of(type);
  if (file.size() - begin - header < bytes) return tern::invalid(path + ": fewer than " + std::to_string(count) + " elements");
  std::vector<std::byte> data(bytes);
  std::memcpy(data.data(), file.data() + begin + header, bytes);
  return data;
}

}  // namespace

size_t element_bytes(const Argument& a) { return bytes_of(a.type); }

std::string element_text(const Argument& a, const std::byte* at) {
  const std::string_view type = a.type;
  char text[40];
  double real = 0;
  if (type == "f32") {
    float f;
    std::memcpy(&f, at, 4);
    std::snprintf(text, sizeof text, "%.9g", double(f));
  } else if (type == "f64") {
    std::memcpy(&real, at, 8);
    std::snprintf(text, sizeof text, "%.17g", real);
  } else if (type == "f16") {
    tern::f16 h;
    std::memcpy(&h.bits, at, 2);
    std::snprintf(text, sizeof text, "%.5g", double(tern::to_f32(h)));
  } else {
    uint64_t v = 0;
    const size_t bytes = bytes_of(type);
    std::memcpy(&v, at, bytes);
    if (type[0] == 'i' && bytes < 8 && (v >> (8 * bytes - 1) & 1) != 0) v |= ~uint64_t(0) << (8 * bytes);
    if (type[0] == 'i') std::snprintf(text, sizeof text, "%lld", static_cast<long long>(v));
    else std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(v));
  }
  return text;
}

Result<Argument> parse_argument(std::string_view text) {
  const std::string shown = "'" + tern::printable(text, 80) + "'";
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return tern::usage(shown + ": an argument is TYPE:VALUE or buffer:COUNTtype=CONTENTS");
  const std::string_view head = text.substr(0, colon), tail = text.substr(colon + 1);
  Argument a;
  const auto set_type = [&](std::string_view t) {
    if (!is_type(t)) return false;
    std::memset(a.type, 0, sizeof a.type);
    t.copy(a.type, 3);
    return true;
  };
  if (head != "buffer") {
    double real = 0;
    int64_t whole = 0;
    if (!set_type(head)) return tern::usage(shown + ": no type of a value; there are i8 u8 i16 u16 i32 u32 i64 u64 f16 f32 f64");
    if (!number(tail, &real, &whole)) return tern::usage(shown + ": no number after the colon");
    a.bytes.resize(element_bytes(a));
    put(a.type, real, whole, a.bytes.data());
    return a;
  }
  a.buffer = true;
  const size_t equals = tail.find('=');
  const std::string_view shape = tail.substr(0, equals), contents = equals == std::string_view::npos ? "uninit" : tail.substr(equals + 1);
  const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), a.count);
  if (error != std::errc() || a.count == 0 || a.count > kMostElements || !set_type(shape.substr(size_t(end - shape.data())))) {
    return tern::usage(shown + ": a buffer is COUNTtype, as in buffer:1024f32=zeros");
  }
  if (contents == "uninit") return a;
  const size_t size = element_bytes(a);
  if (contents.ends_with(".npy")) {
    Result<std::vector<std::byte>> data = npy(std::string(contents), a.type, a.count);
    if (!data) return data.error();
    a.bytes = std::move(*data);
    return a;
  }
  a.bytes.resize(a.count * size);
  uint64_t random = 0x9e3779b97f4a7c15u;
  for (uint64_t i = 0; i < a.count; ++i) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    double real = 0;
    int64_t whole = 0;
    if (contents == "iota") {
      real = double(i), whole = int64_t(i);
    } else if (contents == "random") {  // floats in [-1, 1), integers in [0, 256)
      real = double(random >> 11) * 0x1p-52 - 1, whole = int64_t(random >> 56);
    } else if (contents != "zeros" && !number(contents, &real, &whole)) {
      return tern::usage(shown + ": contents are zeros, iota, random, uninit, a number or a file .npy");
    }
    put(a.type, real, whole, a.bytes.data() + i * size);
  }
  return a;
}

}  // namespace ptxsim
