// Substring and StringLength, in bytes or in characters, which are counted by their first bytes. See strings.h.
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "kernels/strings/utf8.h"

namespace tern {
namespace {

// Attribute `unit`: are characters counted?
Result<bool> in_characters(const AttrReader& attrs) {
  const std::string unit = attrs.s("unit");
  if (unit != "byte" && unit != "character") return invalid("unit is " + quoted(unit) + ": byte or character");
  return unit == "character";
}

int64_t length(std::string_view s, bool characters) { return characters ? count_characters(s) : static_cast<int64_t>(s.size()); }

// Where character n of s begins; its end where it has no more.
size_t place(std::string_view s, int64_t n) {
  size_t at = 0;
  for (; n > 0 && at < s.size(); --n) {
    do ++at;
    while (at < s.size() && is_trail(s[at]));
  }
  return at;
}

Status infer_length(InferContext& c) {
  if (auto unit = in_characters(c.attrs); !unit) return unit.error();
  return infer_text_map(c, DType::i64);
}
Result<std::vector<Tensor>> lengths(const ComputeRequest& r) {
  const bool characters = *in_characters(r.attrs);
  return map_numbers<int64_t>(r, [&](std::string_view x) { return Result<int64_t>(length(x, characters)); });
}

Status infer_substring(InferContext& c) {
  if (auto unit = in_characters(c.attrs); !unit) return unit.error();
  if (Status s = check_text(c); !s) return s;
  Shape y = c.shape(0);
  for (size_t i : {1, 2}) {
    if (!is_int(c.dtype(i))) return invalid(std::string(i == 1 ? "position" : "length") + " is " + name(c.dtype(i)) + ": it must be an integer");
    if (!c.shape(i).ranked() || c.shape(i).rank() == 0) continue;
    if (c.shape(i) != y && y.known() && c.shape(i).known())
      return unsupported("position and length of shape " + c.shape(i).text() + " for strings of shape " + y.text() + ": scalars or the same shape");
  }
  c.set(0, DType::string, std::move(y));
  return {};
}

Result<std::vector<Tensor>> substring(const ComputeRequest& r) {
  const bool characters = *in_characters(r.attrs);
  const auto positions = *as_ints(r.inputs[1].view()), counts = *as_ints(r.inputs[2].view());
  const auto n = static_cast<size_t>(r.inputs[0].count());
  auto at = [](const std::vector<int64_t>& v, size_t i) { return v.size() == 1 ? v[0] : v[i]; };
  for (const auto* v : {&positions, &counts}) {
    if (v->size() != 1 && v->size() != n) return invalid(std::to_string(v->size()) + " positions or lengths for " + std::to_string(n) + " strings");
  }
  TextBuilder y(r.budget);
  for (size_t i = 0; i < n; ++i) {
    const std::string_view x = strings_of(r.inputs[0])[i].view();
    const int64_t all = length(x, characters), given = at(positions, i), from = given < 0 ? all + given : given;
    if (given < -all || given > all) return invalid("position " + std::to_string(given) + " is outside of " + quoted(x));
    const int64_t most = at(counts, i), unbounded = characters ? 0 : all;  // TensorFlow's bytes before -1 are as many as there are
    const int64_t count = std::min(most < 0 ? unbounded : most, all - from);
    if (!characters) {
      y.add(x.substr(static_cast<size_t>(from), static_cast<size_t>(count)));
      continue;
    }
    const std::string_view rest = x.substr(place(x, from));
    y.add(rest.substr(0, place(rest, count)));
  }
  auto out = std::move(y).finish(r.inputs[0].dims());
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

constexpr AttrSpec kUnit[] = {{"unit", AttrKind::s, "byte"}};

}  // namespace

constinit const OpDef kStringLength = {
    .name = "StringLength", .inputs = {1, 1}, .outputs = {1, 1}, .attrs = kUnit, .infer = infer_length, .compute = lengths, .tern_only = true};
constinit const OpDef kSubstring = {
    .name = "Substring", .inputs = {3, 3}, .outputs = {1, 1}, .attrs = kUnit, .infer = infer_substring, .compute = substring, .tern_only = true};

}  // namespace tern
