// UnicodeDecode, UnicodeEncode and UnicodeTranscode, of UTF-8. See strings.h and utf8.h.
#include <numeric>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "kernels/strings/utf8.h"

namespace tern {
namespace {

// What becomes of what is no character.
enum class Errors { strict, replace, ignore };
Result<Errors> errors_of(const AttrReader& attrs) {
  const std::string errors = attrs.s("errors");
  if (errors == "strict") return Errors::strict;
  if (errors == "replace") return Errors::replace;
  if (errors == "ignore") return Errors::ignore;
  return invalid("errors is " + quoted(errors) + ": strict, replace or ignore");
}

// Calls f(byte, code) for every character of x; of what is none, or a control character where these count as that, what `errors` says.
// Error: it says strict (invalid).
struct Decoder {
  Errors errors;
  int32_t replacement;
  bool control;
  explicit Decoder(const AttrReader& attrs)
      : errors(*errors_of(attrs)),
        replacement(static_cast<int32_t>(attrs.i("replacement_char"))),
        control(attrs.i("replace_control_characters") != 0) {}
  template <class F>
  Status each(std::string_view x, F f) const {
    int64_t at = 0;
    for (std::string_view rest = x; !rest.empty();) {
      const Character c = first_character(rest);
      rest.remove_prefix(c.bytes);
      const bool valid = c.valid && !(control && c.code < 0x20);
      if (!valid && errors == Errors::strict) return invalid("byte " + std::to_string(at) + " of " + quoted(x) + " is no UTF-8");
      if (valid || errors == Errors::replace) f(at, valid ? static_cast<int32_t>(c.code) : replacement);
      at += static_cast<int64_t>(c.bytes);
    }
    return {};
  }
};

Status infer_decode(InferContext& c) {
  if (auto errors = errors_of(c.attrs); !errors) return errors.error();
  if (Status s = check_text(c); !s) return s;
  const Dim n = c.fresh();
  const Shape& x = c.shape(0);
  const auto rows = x.ranked() && x.rank() == 1 ? add(x[0], Dim(1)) : std::nullopt;
  c.set(0, DType::i32, Shape{n});
  c.set(1, DType::i64, Shape{rows ? *rows : c.fresh()});
  c.set(2, DType::i64, Shape{n});
  return {};
}

Result<std::vector<Tensor>> decode(const ComputeRequest& r) {
  const Decoder decoder(r.attrs);
  if (12 * r.inputs[0].text_bytes() > r.budget) return too_much_text();
  std::vector<int32_t> codes;
  std::vector<int64_t> splits{0}, begins;
  for (const StringRef& x : strings_of(r.inputs[0])) {
    const Status read = decoder.each(x.view(), [&](int64_t at, int32_t code) {
      codes.push_back(code);
      begins.push_back(at);
    });
    if (!read) return read.error();
    // Strings may share their text, so that they are more than it.
    if (static_cast<int64_t>(codes.size()) * 12 > r.budget) return too_much_text();
    splits.push_back(static_cast<int64_t>(codes.size()));
  }
  const Dims dims = {static_cast<int64_t>(codes.size())};
  return std::vector<Tensor>{Tensor::of<int32_t>(dims, codes), Tensor::ints(splits), Tensor::ints(begins)};
}

Status infer_encode(InferContext& c) {
  if (auto errors = errors_of(c.attrs); !errors) return errors.error();
  if (c.dtype(0) != DType::i32) return bad_dtype(c.dtype(0));
  if (!c.has(1)) return c.set(0, DType::string, c.shape(0)), Status();  // a string of each
  const Shape& splits = c.shape(1);
  const auto rows = splits.ranked() && splits.rank() == 1 ? sub(splits[0], Dim(1)) : std::nullopt;
  c.set(0, DType::string, Shape{rows ? *rows : c.fresh()});
  return {};
}

Result<std::vector<Tensor>> encode(const ComputeRequest& r) {
  const Errors errors = *errors_of(r.attrs);
  const auto replacement = static_cast<char32_t>(r.attrs.i("replacement_char"));
  const bool single = !r.has(1);
  auto splits = single ? Result<std::vector<int64_t>>(std::vector<int64_t>(static_cast<size_t>(r.inputs[0].count()) + 1))
                       : row_splits(r.inputs[1], r.inputs[0].count());
  if (!splits) return splits.error();
  if (single) std::iota(splits->begin(), splits->end(), int64_t(0));
  const auto codes = r.inputs[0].span<int32_t>();
  TextBuilder y(r.budget);
  for (size_t row = 0; row + 1 < splits->size() && y.fits(); ++row) {
    for (int64_t i = (*splits)[row]; i < (*splits)[row + 1]; ++i) {
      const auto code = static_cast<char32_t>(codes[static_cast<size_t>(i)]);
      const bool valid = code < 0xD800 || (code >= 0xE000 && code <= 0x10FFFF);
      if (!valid && errors == Errors::strict)
        return invalid("value " + std::to_string(i) + " is no character: " + std::to_string(codes[static_cast<size_t>(i)]));
      std::string character;
      if (valid || errors == Errors::replace) append_utf8(character, valid ? code : replacement);
      y.append(character);
    }
    y.end();
  }
  auto out = std::move(y).finish(single ? r.inputs[0].dims() : Dims{static_cast<int64_t>(splits->size()) - 1});
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

// ---- UnicodeTranscode ----

enum class Encoding { utf8, utf16, utf32 };  // the wide ones big-endian
Result<Encoding> encoding_of(const AttrReader& attrs) {
  const std::string encoding = attrs.s("encoding");
  if (encoding == "UTF-8") return Encoding::utf8;
  if (encoding == "UTF-16-BE") return Encoding::utf16;
  if (encoding == "UTF-32-BE") return Encoding::utf32;
  return unsupported("the encoding " + quoted(encoding) + " is not supported, only UTF-8, UTF-16-BE and UTF-32-BE are");
}

void append_units(std::string& to, char32_t code, Encoding encoding) {
  auto unit = [&](char32_t v, int bytes) {
    while (bytes-- > 0) to += static_cast<char>(v >> 8 * bytes & 255);
  };
  if (encoding == Encoding::utf8) append_utf8(to, code);
  else if (encoding == Encoding::utf32) unit(code, 4);
  else if (code < 0x10000) unit(code, 2);
  else unit(0xD800 + ((code - 0x10000) >> 10), 2), unit(0xDC00 + ((code - 0x10000) & 0x3FF), 2);
}

Status infer_transcode(InferContext& c) {
  if (auto errors = errors_of(c.attrs); !errors) return errors.error();
  if (auto encoding = encoding_of(c.attrs); !encoding) return encoding.error();
  return infer_text_map(c);
}

Result<std::vector<Tensor>> transcode(const ComputeRequest& r) {
  const Decoder decoder(r.attrs);
  const Encoding encoding = *encoding_of(r.attrs);
  Status read;
  auto y = map_text(r, [&](std::string_view x, TextBuilder& to) {
    const Status one = decoder.each(x, [&](int64_t, int32_t code) {
      std::string units;
      append_units(units, static_cast<char32_t>(code), encoding);
      to.append(units);
    });
    if (read && !one) read = one;
  });
  return read ? std::move(y) : read.error();
}

constexpr AttrSpec kTranscodeAttrs[] = {{"encoding", AttrKind::s, "UTF-8"},
                                        {"errors", AttrKind::s, "replace"},
                                        {"replace_control_characters", AttrKind::i, 0},
                                        {"replacement_char", AttrKind::i, int64_t(kReplacement)}};
constexpr AttrSpec kDecodeAttrs[] = {
    {"errors", AttrKind::s, "replace"}, {"replace_control_characters", AttrKind::i, 0}, {"replacement_char", AttrKind::i, int64_t(kReplacement)}};
constexpr AttrSpec kUnicodeEncodeAttrs[] = {{"errors", AttrKind::s, "replace"}, {"replacement_char", AttrKind::i, int64_t(kReplacement)}};

}  // namespace

constinit const OpDef kUnicodeDecode = {.name = "UnicodeDecode",
                                        .inputs = {1, 1},
                                        .outputs = {1, 3},
                                        .attrs = kDecodeAttrs,
                                        .infer = infer_decode,
                                        .compute = decode,
                                        .data_dependent = true,
                                        .tern_only = true};
constinit const OpDef kUnicodeEncode = {.name = "UnicodeEncode",
                                        .inputs = {1, 2},
                                        .outputs = {1, 1},
                                        .attrs = kUnicodeEncodeAttrs,
                                        .infer = infer_encode,
                                        .compute = encode,
                                        .tern_only = true};

constinit const OpDef kUnicodeTranscode = {.name = "UnicodeTranscode",
                                           .inputs = {1, 1},
                                           .outputs = {1, 1},
                                           .attrs = kTranscodeAttrs,
                                           .infer = infer_transcode,
                                           .compute = transcode,
                                           .tern_only = true};

}  // namespace tern
