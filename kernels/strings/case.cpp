// StringLower, StringUpper, StringStrip, StringNormalizer. See strings.h.
#include <set>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "kernels/strings/utf8.h"

namespace tern {
namespace {

Status infer_case(InferContext& c) {
  const std::string encoding = c.attrs.s("encoding");
  if (!encoding.empty() && encoding != "utf-8") return unsupported("encoding is " + quoted(encoding) + ": only \"\" (ASCII) and \"utf-8\" are there");
  return infer_text_map(c);
}

template <bool kLower>
Result<std::vector<Tensor>> change_case(const ComputeRequest& r) {
  if (r.attrs.s("encoding").empty()) {
    return map_text(r, [](std::string_view x, TextBuilder& y) {
      std::string s(x);
      for (char& c : s) c = kLower ? to_lower(c) : to_upper(c);
      y.append(s);
    });
  }
  return map_text(r, [](std::string_view x, TextBuilder& y) {
    x = x.substr(0, x.find('\0'));  // TensorFlow gives ICU a C string
    y.append(kLower ? utf8_lower(x) : utf8_upper(x));
  });
}

Result<std::vector<Tensor>> strip_all(const ComputeRequest& r) {
  return map_text(r, [](std::string_view x, TextBuilder& y) { y.append(strip(x)); });
}

// ---- StringNormalizer ----

Status infer_normalizer(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  const std::string action = c.attrs.s("case_change_action");
  if (action != "LOWER" && action != "UPPER" && action != "NONE") return invalid("case_change_action is " + quoted(action));
  const Shape& x = c.shape(0);
  if (!x.ranked()) return c.set(0, DType::string, Shape()), Status();
  if (x.rank() != 1 && !(x.rank() == 2 && (x[0].is(1) || !x[0].known()))) return invalid("x is " + x.text() + ": it must be [C] or [1, C]");
  Shape y = x;
  y[x.rank() - 1] = c.fresh();
  c.set(0, DType::string, std::move(y));
  return {};
}

Result<std::vector<Tensor>> normalize(const ComputeRequest& r) {
  const std::string action = r.attrs.s("case_change_action");
  const bool sensitive = r.attrs.i("is_case_sensitive") != 0;
  auto compared = [&](std::string_view s) { return sensitive ? std::string(s) : utf8_lower(s); };
  std::set<std::string, std::less<>> stop;
  for (const std::string& word : r.attrs.strings("stopwords")) stop.insert(compared(word));
  TextBuilder y(r.budget);
  for (const StringRef& x : strings_of(r.inputs[0])) {
    if (stop.contains(compared(x.view()))) continue;
    y.add(action == "LOWER" ? utf8_lower(x.view()) : action == "UPPER" ? utf8_upper(x.view()) : std::string(x.view()));
    if (!y.fits()) break;
  }
  if (y.count() == 0) y.add("");  // nothing left is one empty string
  Dims dims = r.inputs[0].dims();
  dims[dims.rank - 1] = y.count();
  auto out = std::move(y).finish(dims);
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

constexpr AttrSpec kEncoding[] = {{"encoding", AttrKind::s, ""}};
constexpr AttrSpec kNormalizer[] = {
    {"case_change_action", AttrKind::s, "NONE"}, {"is_case_sensitive", AttrKind::i, 0}, {"locale", AttrKind::s}, {"stopwords", AttrKind::strings}};

constexpr OpDef text_op(const char* name, std::span<const AttrSpec> attrs, Status (*infer)(InferContext&), ComputeFn compute) {
  return {.name = name, .inputs = {1, 1}, .outputs = {1, 1}, .attrs = attrs, .infer = infer, .compute = compute, .tern_only = true};
}

}  // namespace

constinit const OpDef kStringLower = text_op("StringLower", kEncoding, infer_case, change_case<true>);
constinit const OpDef kStringUpper = text_op("StringUpper", kEncoding, infer_case, change_case<false>);
constinit const OpDef kStringStrip = text_op(
    "StringStrip", {}, [](InferContext& c) { return infer_text_map(c); }, strip_all);
constinit const OpDef kStringNormalizer = {.name = "StringNormalizer",
                                           .inputs = {1, 1},
                                           .outputs = {1, 1},
                                           .attrs = kNormalizer,
                                           .infer = infer_normalizer,
                                           .compute = normalize,
                                           .data_dependent = true};

}  // namespace tern
