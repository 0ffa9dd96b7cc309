// See datatype.h.
#include "loaders/hdf5/datatype.h"

#include <cstring>
#include <iterator>

#include "runtime/base/shape.h"

namespace tern::hdf5 {
namespace {

constexpr const char* kClasses[] = {"integer",  "float",     "time",        "string",          "bit field", "opaque",
                                    "compound", "reference", "enumeration", "variable-length", "array",     "complex"};
constexpr size_t kMostRank = 32;

struct Head {
  uint8_t version = 0, kind = 0;
  uint32_t flags = 0, size = 0;
};

// Version and class in one byte, 24 flags, the size; then what the class has.
Head read_head(Fields& in) {
  Head h;
  const uint8_t first = in.u8();
  h.version = first >> 4;
  h.kind = first & 15;
  h.flags = static_cast<uint32_t>(in.number(3));
  h.size = in.u32();
  return h;
}

// Flags: 1 big-endian, 8 signed. Then the first bit and the number of bits.
DType integer_type(const Head& h, Fields& in) {
  const uint16_t first = in.u16(), bits = in.u16();
  if (first != 0 || bits != 8 * uint64_t(h.size)) return DType::none;
  const bool is_signed = (h.flags & 8) != 0;
  switch (h.size) {
    case 1: return is_signed ? DType::i8 : DType::u8;
    case 2: return is_signed ? DType::i16 : DType::u16;
    case 4: return is_signed ? DType::i32 : DType::u32;
    case 8: return is_signed ? DType::i64 : DType::u64;
    default: return DType::none;
  }
}

// Flags: 1 big-endian, 0x40 with it VAX order, 0x30 how the first bit of the mantissa is kept (0x20: not), from 8 on where the sign is. Then the
// first bit, number of bits, place and bits of exponent and mantissa, bias.
DType float_type(const Head& h, Fields& in) {
  const uint16_t first = in.u16(), bits = in.u16();
  const uint8_t exponent_at = in.u8(), exponent = in.u8(), mantissa_at = in.u8(), mantissa = in.u8();
  const uint32_t bias = in.u32(), sign_at = h.flags >> 8 & 0xff;
  struct Row {
    DType dtype;
    uint32_t bits, exponent, bias;
  };
  constexpr Row kRows[] = {{DType::f16, 16, 5, 15}, {DType::bf16, 16, 8, 127}, {DType::f32, 32, 8, 127}, {DType::f64, 64, 11, 1023}};
  if (first != 0 || (h.flags & 0x40) != 0 || (h.flags & 0x30) != 0x20 || mantissa_at != 0 || exponent_at != mantissa) return DType::none;
  for (const Row& r : kRows) {
    if (bits == r.bits && 8 * uint64_t(h.size) == r.bits && exponent == r.exponent && bias == r.bias && mantissa == r.bits - 1 - r.exponent &&
        sign_at == r.bits - 1) {
      return r.dtype;
    }
  }
  return DType::none;
}

// Truth values: bytes called FALSE (0) and TRUE (1). Flags: the number of names. The integer's type, names (padded to 8 bytes before version 3),
// values.
bool is_boolean(const Head& h, Fields& in) {
  const Head base = read_head(in);
  in.skip(4);
  if ((h.flags & 0xffff) != 2 || base.kind != 0 || base.size != 1 || h.size != 1) return false;
  for (const std::string_view name : {std::string_view("FALSE", 6), std::string_view("TRUE", 5)}) {  // each with its zero
    const auto text = in.take(h.version < 3 ? 8 : name.size());
    if (!in.fits() || std::memcmp(text.data(), name.data(), name.size()) != 0) return false;
  }
  return in.u8() == 0 && in.u8() == 1;
}

}  // namespace

Result<Datatype> read_datatype(Fields in) {
  const Head h = read_head(in);
  if (!in.fits()) return invalid("has a datatype that is truncated");
  if (h.version == 0 || h.version > 5) return unsupported("has a datatype of version " + std::to_string(h.version));
  if (h.kind >= std::size(kClasses)) return invalid("has a datatype of the unknown class " + std::to_string(h.kind));
  if (h.size == 0) return invalid("has a datatype without a size");
  Datatype t;
  t.size = h.size;
  t.name = kClasses[h.kind];
  if (h.kind == 0) t.dtype = integer_type(h, in);
  if (h.kind == 1) t.dtype = float_type(h, in);
  if (h.kind == 0 || h.kind == 1) {
    t.big_endian = (h.flags & 1) != 0 && h.size > 1;
    if (t.dtype == DType::none) t.name = std::to_string(8 * uint64_t(h.size)) + "-bit " + t.name;
  }
  if (h.kind == 3) {
    if ((h.flags & 15) > 2) return invalid("has strings that are padded in an unknown way");
    t.dtype = DType::string;
    t.spaces = (h.flags & 15) == 2;
  }
  if (h.kind == 8 && is_boolean(h, in)) t.dtype = DType::boolean;
  if (h.kind == 9 && (h.flags & 15) == 1) {
    t.dtype = DType::string;
    t.variable = true;
  }
  if (t.dtype != DType::none) {
    if (!in.fits()) return invalid("has a datatype that is truncated");
    t.name = tern::name(t.dtype);
  }
  return t;
}

// Version 1: rank, flags, 5 bytes of nothing. Version 2: rank, flags, kind (0 scalar, 1 simple, 2 null). Then sizes, and limits with flag 1.
Result<Dataspace> read_dataspace(Fields in) {
  const uint8_t version = in.u8(), rank = in.u8(), flags = in.u8();
  if (in.fits() && version != 1 && version != 2) return unsupported("has a dataspace of version " + std::to_string(version));
  const uint8_t kind = version == 2 ? in.u8() : 1;
  if (version == 1) in.skip(5);
  if (kind > 2 || rank > kMostRank || (kind != 1 && rank != 0)) return invalid("has a dataspace that is damaged");
  Dataspace out;
  out.null = kind == 2;
  const bool limits = (flags & 1) != 0;
  for (size_t i = 0; i < rank; ++i) {
    const uint64_t n = in.length();
    if (n > INT64_MAX) return invalid("has a dimension of " + std::to_string(n));
    out.sizes.push_back(static_cast<int64_t>(n));
  }
  for (size_t i = 0; i < rank; ++i) {
    const uint64_t n = limits ? in.length() : static_cast<uint64_t>(out.sizes[i]);
    out.most.push_back(n > INT64_MAX ? -1 : static_cast<int64_t>(n));
  }
  if (!in.fits()) return invalid("has a dataspace that is truncated");
  if (!checked_count(out.sizes)) return invalid("has sizes that are too large");
  return out;
}

}  // namespace tern::hdf5
