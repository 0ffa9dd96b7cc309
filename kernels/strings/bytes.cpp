// DecodeRaw, EncodeBase64 and DecodeBase64: bytes to numbers, to letters, and back. See strings.h.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

// ---- DecodeRaw: every string as elements of `to`, all of one length ----

Result<DType> raw_dtype(const AttrReader& attrs) {
  const std::string to = attrs.s("to");
  for (DType t : {DType::f16, DType::f32, DType::f64, DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::boolean}) {
    if (to == name(t)) return t;
  }
  return unsupported("raw bytes as " + quoted(to) + " are not supported");
}

Status infer_raw(InferContext& c) {
  auto dtype = raw_dtype(c.attrs);
  if (!dtype) return dtype.error();
  if (Status s = check_text(c); !s) return s;
  Shape y = c.shape(0);
  if (y.ranked()) {
    std::vector<Dim> dims(y.dims().begin(), y.dims().end());
    dims.push_back(c.fresh());
    y = Shape(std::move(dims));
  }
  c.set(0, *dtype, std::move(y));
  return {};
}

Result<std::vector<Tensor>> decode_raw(const ComputeRequest& r) {
  const DType dtype = *raw_dtype(r.attrs);
  const auto x = strings_of(r.inputs[0]);
  const auto size = static_cast<int64_t>(size_of(dtype)), length = x.empty() ? 0 : x[0].size;
  for (const StringRef& s : x) {
    if (s.size != length) return invalid("a string of " + std::to_string(s.size) + " bytes stands beside one of " + std::to_string(length));
  }
  if (length % size != 0) return invalid("a string of " + std::to_string(length) + " bytes is no list of " + name(dtype));
  Dims dims = r.inputs[0].dims();
  dims.push_back(length / size);
  if (const auto bytes = storage_bytes(dtype, dims); !bytes || *bytes > r.budget) return too_much_text();
  auto y = Tensor::allocate(dtype, dims);
  if (!y) return y.error();
  std::byte* to = y->mutable_raw();
  const bool swap = (r.attrs.i("little_endian") != 0) != (std::endian::native == std::endian::little);
  for (const StringRef& s : x) {
    std::memcpy(to, s.view().data(), static_cast<size_t>(length));
    for (int64_t i = 0; swap && i < length; i += size) std::reverse(to + i, to + i + size);
    to += length;
  }
  for (std::byte* b = y->mutable_raw(); dtype == DType::boolean && b != to; ++b) *b = std::byte(*b != std::byte(0));
  return std::vector<Tensor>{std::move(*y)};
}

// ---- base64 with the letters for URLs ----

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Status infer_map(InferContext& c) { return infer_text_map(c); }

Result<std::vector<Tensor>> encode_base64(const ComputeRequest& r) {
  const bool pad = r.attrs.i("pad") != 0;
  return map_text(r, [&](std::string_view x, TextBuilder& y) {
    for (; !x.empty() && y.fits(); x.remove_prefix(std::min<size_t>(3, x.size()))) {
      uint32_t bits = 0;
      for (size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < x.size() ? static_cast<unsigned char>(x[i]) : 0u);
      for (size_t i = 0; i < 4; ++i) {
        if (i <= x.size()) y.append(kLetters.substr(bits >> (18 - 6 * i) & 63, 1));
        else if (pad) y.append("=");
      }
    }
  });
}

// Nothing when it is no base64: another letter, one letter alone, bits that are left over, too much padding.
std::optional<std::string> from_base64(std::string_view x) {
  size_t pads = 0;
  for (; pads < 2 && x.ends_with('='); ++pads) x.remove_suffix(1);
  if (x.size() % 4 == 1 || (pads > 0 && (x.size() + pads) % 4 != 0)) return {};
  std::string out;
  uint32_t bits = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t letter = kLetters.find(x[i]);
    if (letter == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<uint32_t>(letter);
    if (i % 4 != 0) out += static_cast<char>(bits >> (6 - 2 * (i % 4)) & 255);
  }
  if ((x.size() % 4 == 2 && (bits & 15) != 0) || (x.size() % 4 == 3 && (bits & 3) != 0)) return {};
  return out;
}

Result<std::vector<Tensor>> decode_base64(const ComputeRequest& r) {
  const std::string_view* wrong = nullptr;
  std::string_view text;
  auto y = map_text(r, [&](std::string_view x, TextBuilder& to) {
    if (const auto decoded = from_base64(x)) return to.append(*decoded);
    text = x;
    wrong = &text;
  });
  if (wrong != nullptr) return invalid(quoted(text) + " is no base64 with the letters for URLs");
  return y;
}

constexpr AttrSpec kRawAttrs[] = {{"little_endian", AttrKind::i, 1}, {"to", AttrKind::s, kRequired}};
constexpr AttrSpec kEncodeAttrs[] = {{"pad", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kDecodeRaw = {.name = "DecodeRaw",
                                    .inputs = {1, 1},
                                    .outputs = {1, 1},
                                    .attrs = kRawAttrs,
                                    .infer = infer_raw,
                                    .compute = decode_raw,
                                    .data_dependent = true,
                                    .tern_only = true};
constinit const OpDef kEncodeBase64 = {.name = "EncodeBase64",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kEncodeAttrs,
                                       .infer = infer_map,
                                       .compute = encode_base64,
                                       .tern_only = true};
constinit const OpDef kDecodeBase64 = {
    .name = "DecodeBase64", .inputs = {1, 1}, .outputs = {1, 1}, .infer = infer_map, .compute = decode_base64, .tern_only = true};

}  // namespace tern
