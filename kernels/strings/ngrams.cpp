// StringNGrams. See strings.h.
#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

struct NGrams {
  std::string separator, left_pad, right_pad;
  int64_t pad_width = 0;  // negative: as many as fit
  int64_t pad(int64_t width) const { return pad_width < 0 ? width - 1 : std::min(pad_width, width - 1); }
  // How many of this width a row of `length` has.
  int64_t count(int64_t length, int64_t width) const { return std::max<int64_t>(0, length + 2 * pad(width) - width + 1); }
};

// The n-gram that begins `at` places after the first pad.
void add_ngram(const NGrams& n, std::span<const StringRef> row, int64_t at, int64_t width, int64_t pad, TextBuilder& y) {
  for (int64_t i = at; i < at + width; ++i) {
    if (i > at) y.append(n.separator);
    const int64_t token = i - pad;
    y.append(token < 0 ? n.left_pad : token >= static_cast<int64_t>(row.size()) ? n.right_pad : row[static_cast<size_t>(token)].view());
  }
  y.end();
}

Status infer_ngrams(InferContext& c) {
  if (Status s = check_text(c); !s) return s;
  for (int64_t width : c.attrs.ints("widths")) {
    if (width < 1) return invalid("an n-gram of width " + std::to_string(width));
  }
  c.set(0, DType::string, Shape{c.fresh()});
  c.set(1, DType::i64, c.shape(1));
  return {};
}

Result<std::vector<Tensor>> compute_ngrams(const ComputeRequest& r) {
  const NGrams n{r.attrs.s("separator"), r.attrs.s("left_pad"), r.attrs.s("right_pad"), r.attrs.i("pad_width")};
  const std::vector<int64_t> widths = r.attrs.ints("widths");
  auto splits = row_splits(r.inputs[1], r.inputs[0].count());
  if (!splits) return splits.error();
  TextBuilder y(r.budget);
  std::vector<int64_t> ends{0};
  int64_t tokens = r.budget;  // that may still be written, empty ones too
  for (size_t row = 0; row + 1 < splits->size(); ++row) {
    const auto strings =
        strings_of(r.inputs[0]).subspan(static_cast<size_t>((*splits)[row]), static_cast<size_t>((*splits)[row + 1] - (*splits)[row]));
    const auto length = static_cast<int64_t>(strings.size());
    for (int64_t width : widths) {
      if (width > tokens) return too_much_text();
      const int64_t count = n.count(length, width);
      const auto all = checked_mul(count, width);
      if (!all || *all > tokens) return too_much_text();
      tokens -= *all;
      for (int64_t i = 0; i < count && y.fits(); ++i) add_ngram(n, strings, i, width, n.pad(width), y);
    }
    if (r.attrs.i("preserve_short") != 0 && length > 0 && y.count() == ends.back()) {  // all of it, with its pads
      const int64_t pad = std::max<int64_t>(0, n.pad_width);
      if (pad > tokens / 2) return too_much_text();
      add_ngram(n, strings, 0, length + 2 * pad, pad, y);
    }
    if (!y.fits()) return too_much_text();
    ends.push_back(y.count());
  }
  const Dims dims = {y.count()};
  auto out = std::move(y).finish(dims);
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out), Tensor::ints(ends)};
}

constexpr AttrSpec kNgramsAttrs[] = {{"left_pad", AttrKind::s, ""},  {"pad_width", AttrKind::i, 0},   {"preserve_short", AttrKind::i, 0},
                                     {"right_pad", AttrKind::s, ""}, {"separator", AttrKind::s, " "}, {"widths", AttrKind::ints, kRequired}};

}  // namespace

constinit const OpDef kStringNGrams = {.name = "StringNGrams",
                                       .inputs = {2, 2},
                                       .outputs = {1, 2},
                                       .attrs = kNgramsAttrs,
                                       .infer = infer_ngrams,
                                       .compute = compute_ngrams,
                                       .data_dependent = true,
                                       .tern_only = true};

}  // namespace tern
