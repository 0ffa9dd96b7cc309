// StringSplit and RaggedStringSplit. See strings.h.
#include <utility>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"

namespace tern {
namespace {

// The parts of s, at most `most` cuts (all when it is negative). Without a delimiter at runs of white space, of which none is at either end;
// with one at each place where it stands, so that parts may be empty. `rest`: what the last cut leaves is a part even when it is empty, and without
// any cut the string stays as it is (TensorFlow).
template <class F>
void each_part(std::string_view s, std::string_view delimiter, int64_t most, bool rest, F f) {
  if (rest && most == 0) return f(s);
  if (delimiter.empty()) {
    const auto space = [](char c) { return is_space(c); };  // a pointer to it would be called for each byte
    auto skip_space = [&] { s = std::string_view(std::find_if_not(s.begin(), s.end(), space), s.end()); };
    skip_space();
    for (int64_t cuts = 0; !s.empty(); ++cuts) {
      const auto end = cuts == most ? s.end() : std::find_if(s.begin(), s.end(), space);
      f(std::string_view(s.begin(), end));
      s = std::string_view(end, s.end());
      skip_space();
      if (rest && s.empty() && cuts + 1 == most) f(s);
    }
    return;
  }
  for (int64_t cuts = 0;; ++cuts) {
    const size_t at = cuts == most ? std::string_view::npos : s.find(delimiter);
    f(s.substr(0, at));
    if (at == std::string_view::npos) return;
    s.remove_prefix(at + delimiter.size());
  }
}

// The parts between any of these letters, without empty ones on request; without letters every byte is a part. TensorFlow's first StringSplit.
template <class F>
void each_piece(std::string_view s, std::string_view letters, bool skip_empty, F f) {
  if (letters.empty()) {
    for (; !s.empty(); s.remove_prefix(1)) f(s.substr(0, 1));
    return;
  }
  for (bool more = !s.empty(); more;) {
    const size_t at = s.find_first_of(letters);
    if (const std::string_view part = s.substr(0, at); !part.empty() || !skip_empty) f(part);
    more = at != std::string_view::npos;
    if (more) s.remove_prefix(at + 1);
  }
}

// Parts are views of the input's text: they cost their elements alone.
struct Parts {
  std::vector<StringRef> all;
  std::vector<int64_t> ends;  // of each input string
  int64_t longest = 0;
};
// A part is an element of up to three outputs, and holds two numbers of a fourth.
constexpr int64_t kPartBytes = 4 * static_cast<int64_t>(sizeof(StringRef));

// cut(s, f) calls f with each part of s.
template <class Cut>
Result<Parts> split(const ComputeRequest& r, Cut cut) {
  Parts parts;
  parts.ends.reserve(static_cast<size_t>(r.inputs[0].count()));
  const auto room = static_cast<size_t>(r.budget / kPartBytes);
  for (const StringRef& x : strings_of(r.inputs[0])) {
    const size_t before = parts.all.size();
    cut(x.view(), [&](std::string_view part) {
      if (parts.all.size() <= room) parts.all.push_back({part.data(), static_cast<int64_t>(part.size())});
    });
    if (parts.all.size() > room) return too_much_text();
    parts.ends.push_back(static_cast<int64_t>(parts.all.size()));
    parts.longest = std::max(parts.longest, static_cast<int64_t>(parts.all.size() - before));
  }
  return parts;
}

Tensor tensor_of(const Dims& dims, std::span<const StringRef> elements, const Tensor& text) {
  Tensor t = Tensor::of<StringRef>(dims, elements);
  t.keep(text.pools());
  return t;
}

// ---- StringSplit ----

Status infer_split(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  Shape y = c.shape(0);
  if (y.ranked()) {
    std::vector<Dim> dims(y.dims().begin(), y.dims().end());
    dims.push_back(c.fresh());
    y = Shape(std::move(dims));
  }
  c.set(0, DType::string, std::move(y));
  c.set(1, DType::i64, c.shape(0));
  return {};
}

Result<std::vector<Tensor>> split_padded(const ComputeRequest& r) {
  const Tensor& x = r.inputs[0];
  const int64_t most = r.attrs.has("maxsplit") ? r.attrs.i("maxsplit") : -1;
  const std::string delimiter = r.attrs.s("delimiter");
  auto parts = split(r, [&](std::string_view s, auto f) { each_part(s, delimiter, most, false, f); });
  if (!parts) return parts.error();
  Dims dims = x.dims();
  dims.push_back(parts->longest);
  const auto bytes = storage_bytes(DType::string, dims);
  if (!bytes || *bytes > r.budget) return too_much_text();
  Tensor padded(DType::string, dims, allocate_aligned(static_cast<size_t>(*bytes)));
  Tensor counts(DType::i64, x.dims(), allocate_aligned(parts->ends.size() * sizeof(int64_t)));
  StringRef* y = padded.mutable_data<StringRef>();  // [rows, longest]
  auto* n = counts.mutable_data<int64_t>();         // [rows]
  const StringRef* part = parts->all.data();
  int64_t begin = 0;
  for (const int64_t end : parts->ends) {
    const int64_t own = *n++ = end - std::exchange(begin, end);
    for (int64_t i = 0; i < parts->longest; ++i) *y++ = i < own ? *part++ : StringRef{"", 0};
  }
  padded.keep(x.pools());
  return std::vector<Tensor>{std::move(padded), std::move(counts)};
}

// ---- RaggedStringSplit ----

Status infer_ragged(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  const Shape& x = c.shape(0);
  if (x.ranked() && x.rank() != 1) return invalid("x is " + x.text() + ": it must have one dimension");
  const Dim parts = c.fresh();
  const auto splits = x.ranked() ? add(x[0], Dim(1)) : std::nullopt;
  c.set(0, DType::string, Shape{parts});
  c.set(1, DType::i64, Shape{splits ? *splits : c.fresh()});
  c.set(2, DType::i64, Shape{parts, Dim(2)});
  c.set(3, DType::i64, Shape{Dim(2)});
  if (x.ranked() && c.output_ints.size() > 3) c.output_ints[3] = SymbolicInts{x[0], c.fresh()};
  return {};
}

Result<std::vector<Tensor>> split_ragged(const ComputeRequest& r) {
  const Tensor& x = r.inputs[0];
  const std::string separator = r.attrs.s("separator");
  const int64_t most = r.attrs.i("maxsplit");
  const bool any_letter = r.attrs.i("any_letter") != 0, skip_empty = r.attrs.i("skip_empty") != 0;
  auto parts = split(r, [&](std::string_view s, auto f) {
    if (any_letter) each_piece(s, separator, skip_empty, f);
    else each_part(s, separator, most, true, f);
  });
  if (!parts) return parts.error();
  std::vector<int64_t> splits{0}, indices;
  for (size_t row = 0; row < parts->ends.size(); ++row) {
    for (int64_t i = splits.back(); i < parts->ends[row]; ++i) indices.insert(indices.end(), {static_cast<int64_t>(row), i - splits.back()});
    splits.push_back(parts->ends[row]);
  }
  const auto n = static_cast<int64_t>(parts->all.size());
  const int64_t shape[] = {x.count(), parts->longest};
  return std::vector<Tensor>{tensor_of({n}, parts->all, x), Tensor::ints(splits), Tensor::of<int64_t>({n, 2}, indices), Tensor::ints(shape)};
}

constexpr AttrSpec kSplitAttrs[] = {{"delimiter", AttrKind::s}, {"maxsplit", AttrKind::i}};
// any_letter: separator is a set of bytes, each of which separates; skip_empty and no maxsplit go with it.
constexpr AttrSpec kRaggedAttrs[] = {
    {"any_letter", AttrKind::i, 0}, {"maxsplit", AttrKind::i, -1}, {"separator", AttrKind::s, ""}, {"skip_empty", AttrKind::i, 0}};

}  // namespace

constinit const OpDef kStringSplit = {.name = "StringSplit",
                                      .inputs = {1, 1},
                                      .outputs = {1, 2},
                                      .attrs = kSplitAttrs,
                                      .infer = infer_split,
                                      .compute = split_padded,
                                      .data_dependent = true};
constinit const OpDef kRaggedStringSplit = {.name = "RaggedStringSplit",
                                            .inputs = {1, 1},
                                            .outputs = {1, 4},
                                            .attrs = kRaggedAttrs,
                                            .infer = infer_ragged,
                                            .compute = split_ragged,
                                            .data_dependent = true,
                                            .tern_only = true};

}  // namespace tern
