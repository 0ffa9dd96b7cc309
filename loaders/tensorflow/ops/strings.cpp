// Operators on text, on rows of different lengths, and on tables of words. What they compute is in kernels/strings; here are the attributes and
// inputs that TensorFlow has for it. See operator.h.
#include "loaders/tensorflow/ops/ragged.h"

namespace tern::tensorflow {
namespace {

// A string that must be known when the model is loaded; fails otherwise.
std::string known_text(Call& c, size_t i) {
  const Tensor* t = c.b.contents(c.tensor(i));
  if (t != nullptr && t->dtype() == DType::string && t->count() == 1) return std::string(t->span<StringRef>()[0].view());
  c.fail(unsupported("input " + std::to_string(i) + " must be one string that is known when the model is loaded"));
  return {};
}

// Attribute `unit` of TensorFlow in tern's words.
std::string unit_of(Call& c) { return c.string("unit", "BYTE") == "UTF8_CHAR" ? "character" : "byte"; }

bool is_utf8(Call& c, const char* attr) {
  const std::string encoding = c.string(attr, "UTF-8");
  if (encoding == "UTF-8" || encoding == "UTF8" || encoding == "utf-8") return true;
  c.fail(unsupported(std::string(attr) + " " + encoding + " is not supported, only UTF-8 is"));
  return false;
}

template <OpName Op>
Values change_case(Call& c) {
  return {c.b.emit(Op.text, {c.tensor(0)}, attributes({{"encoding", c.string("encoding", "")}}))};
}

Values length(Call& c) { return {c.b.cast(c.b.emit("StringLength", {c.tensor(0)}, attributes({{"unit", unit_of(c)}})), DType::i32)}; }

Values substring(Call& c) { return {c.b.emit("Substring", {c.tensor(0), c.tensor(1), c.tensor(2)}, attributes({{"unit", unit_of(c)}}))}; }

Values join(Call& c) { return {c.b.emit("StringJoin", c.tensors(), attributes({{"separator", c.string("separator", "")}}))}; }

// The axes are brought to the end and become one; the first of them is walked fastest.
Values reduce_join(Call& c) {
  GraphBuilder& b = c.b;
  ValueId x = c.tensor(0);
  const int rank = b.rank(x);
  std::vector<int64_t> axes = c.known_ints(1), order;
  for (int64_t& axis : axes) axis = axis_of(c, axis, rank);
  if (!b.ok()) return {};
  const std::vector<Int> all = sizes_of(b, x);
  std::vector<Int> kept, sizes;
  for (int d = 0; d < rank; ++d) {
    const bool joined = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (!joined) order.push_back(d), sizes.push_back(all[static_cast<size_t>(d)]);
    kept.push_back(joined ? Int(1) : all[static_cast<size_t>(d)]);
  }
  if (axes.empty()) return {x};
  order.insert(order.end(), axes.rbegin(), axes.rend());
  if (static_cast<int>(order.size()) != rank) return c.fail(invalid("an axis is reduced twice"));
  sizes.emplace_back(-1);
  x = b.reshape(permute(b, x, order), sizes);
  const ValueId y = b.emit("StringReduceJoin", {x}, attributes({{"separator", c.string("separator", "")}}));
  return {c.boolean("keep_dims", false) ? b.reshape(y, kept) : y};
}

// Texts of one segment, in order. Every text but the first of its segment brings the separator, so that rows filled up with nothing join right.
Values segment_join(Call& c) {
  GraphBuilder& b = c.b;
  if (!has_rank(c, 0, 1) || !has_rank(c, 1, 1)) return {};
  const ValueId ids = b.cast(c.tensor(1), DType::i64), texts = picked(b, c.tensor(0), rising_order(b, ids));
  const std::vector<Int> count = b.elements(c.tensor(2));
  if (!b.ok() || count.size() != 1) return c.fail(invalid("num_segments is no number"));
  const ValueId lengths = added(b, full(b, DType::i64, 0, {count[0]}), unsqueeze(b, ids, {1}), full(b, DType::i64, 1, {b.size(ids, 0)}));
  const ValueId splits = splits_of(b, lengths), first = is_zero(b, places_of(b, splits).place);
  const auto text = [&](const std::string& t) { return b.constant(*Tensor::strings({}, std::span(&t, 1))); };
  const ValueId nothing = text(""), between = text(c.string("separator", ""));
  const ValueId whole = b.emit("StringJoin", {b.emit("Where", {first, nothing, between}), texts}, attributes({{"separator", std::string()}}));
  const ValueId table =
      b.emit("RaggedToDense", {b.ints({-1, -1}), whole, nothing, splits}, attributes({{"types", std::vector<std::string>{"ROW_SPLITS"}}}));
  return {b.emit("StringReduceJoin", {table}, attributes({{"separator", std::string()}}))};
}

Values split_text(Call& c) {
  const std::vector<ValueId> y =
      c.b.emit("RaggedStringSplit", {c.tensor(0)}, attributes({{"separator", known_text(c, 1)}, {"maxsplit", c.integer("maxsplit", -1)}}), 4);
  return {y[2], y[0], y[3]};
}

// Any byte of the delimiter separates.
Values split_v1(Call& c) {
  const std::vector<ValueId> y =
      c.b.emit("RaggedStringSplit", {c.tensor(0)},
               attributes({{"separator", known_text(c, 1)}, {"any_letter", int64_t(1)}, {"skip_empty", int64_t(c.boolean("skip_empty", true))}}), 4);
  return {y[2], y[0], y[3]};
}

Values ngrams(Call& c) {
  const std::vector<ValueId> y = c.b.emit("StringNGrams", {c.tensor(0), c.tensor(1)},
                                          attributes({{"separator", c.string("separator")},
                                                      {"widths", c.ints("ngram_widths")},
                                                      {"left_pad", c.string("left_pad")},
                                                      {"right_pad", c.string("right_pad")},
                                                      {"pad_width", c.integer("pad_width")},
                                                      {"preserve_short", int64_t(c.boolean("preserve_short_sequences"))}}),
                                          2);
  return {y[0], c.b.cast(y[1], c.dtype("Tsplits", DType::i64))};
}

Values replaced(Call& c, const std::string& pattern, const std::string& rewrite) {
  const int64_t everywhere = c.boolean("replace_global", true);
  return {c.b.emit("RegexReplace", {c.tensor(0)}, attributes({{"pattern", pattern}, {"rewrite", rewrite}, {"replace_global", everywhere}}))};
}
Values static_regex_replace(Call& c) { return replaced(c, c.string("pattern"), c.string("rewrite")); }
Values regex_replace(Call& c) {
  const std::string pattern = known_text(c, 1);
  return replaced(c, pattern, known_text(c, 2));
}
Values matched(Call& c, const std::string& pattern) { return {c.b.emit("RegexFullMatch", {c.tensor(0)}, attributes({{"pattern", pattern}}))}; }
Values static_regex_match(Call& c) { return matched(c, c.string("pattern")); }
Values regex_match(Call& c) { return matched(c, known_text(c, 1)); }

Values as_string(Call& c) {
  return {c.b.emit("AsString", {c.tensor(0)},
                   attributes({{"precision", c.integer("precision", -1)},
                               {"scientific", int64_t(c.boolean("scientific", false))},
                               {"shortest", int64_t(c.boolean("shortest", false))},
                               {"width", c.integer("width", -1)},
                               {"fill", c.string("fill", "")}}))};
}

// The number of a dtype is ONNX's here.
Values to_number(Call& c) {
  const DType to = c.dtype("out_type", DType::f32);
  const int64_t code = to == DType::f32 ? 1 : to == DType::i32 ? 6 : to == DType::i64 ? 7 : 11;
  return {c.b.emit("StringToNumber", {c.tensor(0)}, attributes({{"to", code}}))};
}

Values hash_fast(Call& c) { return {c.b.emit("StringHash", {c.tensor(0)}, attributes({{"buckets", c.integer("num_buckets")}}))}; }
Values hash_strong(Call& c) {
  return {c.b.emit("StringHash", {c.tensor(0)}, attributes({{"buckets", c.integer("num_buckets")}, {"key", c.ints("key")}}))};
}

Values hash_first(Call& c) {
  return {c.b.emit("StringHash", {c.tensor(0)}, attributes({{"buckets", c.integer("num_buckets")}, {"murmur", int64_t(1)}}))};
}

Values decode_raw(Call& c) {
  const std::string to = name(c.dtype("out_type"));
  return {c.b.emit("DecodeRaw", {c.tensor(0)}, attributes({{"to", to}, {"little_endian", int64_t(c.boolean("little_endian", true))}}))};
}
Values encode_base64(Call& c) { return {c.b.emit("EncodeBase64", {c.tensor(0)}, attributes({{"pad", int64_t(c.boolean("pad", false))}}))}; }

// ---- code points ----

Values decode(Call& c) {
  if (!is_utf8(c, "input_encoding")) return {};
  std::vector<ValueId> y = c.b.emit("UnicodeDecode", {c.tensor(0)},
                                    attributes({{"errors", c.string("errors", "replace")},
                                                {"replacement_char", c.integer("replacement_char", 65533)},
                                                {"replace_control_characters", int64_t(c.boolean("replace_control_characters", false))}}),
                                    3);
  const ValueId splits = c.b.cast(y[1], c.dtype("Tsplits", DType::i64));
  if (c.op == "UnicodeDecode") return {splits, y[0]};
  return {splits, y[0], y[2]};
}

Values encode(Call& c) {
  if (!is_utf8(c, "output_encoding")) return {};
  return {c.b.emit("UnicodeEncode", {c.tensor(0), c.tensor(1)},
                   attributes({{"errors", c.string("errors", "replace")}, {"replacement_char", c.integer("replacement_char", 65533)}}))};
}

Values transcode(Call& c) {
  if (!is_utf8(c, "input_encoding")) return {};
  return {c.b.emit("UnicodeTranscode", {c.tensor(0)},
                   attributes({{"encoding", c.string("output_encoding")},
                               {"errors", c.string("errors", "replace")},
                               {"replacement_char", c.integer("replacement_char", 65533)},
                               {"replace_control_characters", int64_t(c.boolean("replace_control_characters", false))}}))};
}

// ---- rows of different lengths ----

Values ragged_to_dense(Call& c) {
  std::vector<ValueId> ins = c.tensors();
  if (ins.size() < 4) return c.fail(invalid("no row partitions"));
  if (const Shape& d = c.b.shape(ins[2]); d.ranked() && d.rank() > 0)
    return c.fail(unsupported("a default value of shape " + d.text() + " is not supported, only a scalar is"));
  return {c.b.emit("RaggedToDense", std::move(ins), attributes({{"types", c.strings("row_partition_types")}}))};
}

Values ragged_bincount(Call& c) {
  return {c.b.emit("Bincount", {c.tensor(1), c.tensor(2), c.tensor(0), c.tensor(3)},
                   attributes({{"binary", int64_t(c.boolean("binary_output", false))}}))};
}

// ---- tables ----

// Whether the table is there and filled.
const LookupTable* filled(Call& c) {
  const LookupTable* t = c.table(0);
  if (t == nullptr || (t->keys.present() && t->values.present())) return t;
  c.fail(invalid("the table " + t->name + " is read and nothing fills it"));
  return nullptr;
}

Values find(Call& c) {
  const LookupTable* t = filled(c);
  if (t == nullptr) return {};
  return {c.b.emit("Lookup", {c.tensor(1), c.b.constant(t->keys), c.b.constant(t->values), c.tensor(2)})};
}

Values table_size(Call& c) {
  const LookupTable* t = filled(c);
  return t == nullptr ? Values() : Values{c.b.scalar(DType::i64, static_cast<double>(t->keys.count()))};
}

Values table_contents(Call& c) {
  const LookupTable* t = filled(c);
  return t == nullptr ? Values() : Values{c.b.constant(t->keys), c.b.constant(t->values)};
}

constexpr Operator kStringsRows[] = {
    {"StringLower", nullptr, change_case<"StringLower">},
    {"StringUpper", nullptr, change_case<"StringUpper">},
    {"StringStrip", nullptr, unary<"StringStrip">},
    {"StringLength", nullptr, length},
    {"Substr", nullptr, substring},
    {"StringJoin", nullptr, join},
    {"ReduceJoin", nullptr, reduce_join},
    {"UnsortedSegmentJoin", nullptr, segment_join},
    {"StringSplitV2", "indices values shape", split_text},
    {"StringSplit", "indices values shape", split_v1},
    {"StringNGrams", "ngrams ngrams_splits", ngrams},
    {"StaticRegexReplace", nullptr, static_regex_replace},
    {"RegexReplace", nullptr, regex_replace},
    {"StaticRegexFullMatch", nullptr, static_regex_match},
    {"RegexFullMatch", nullptr, regex_match},
    {"AsString", nullptr, as_string},
    {"StringToNumber", nullptr, to_number},
    {"StringToHashBucketFast", nullptr, hash_fast},
    {"StringToHashBucketStrong", nullptr, hash_strong},
    {"StringToHashBucket", nullptr, hash_first},
    {"DecodeRaw", nullptr, decode_raw},
    {"EncodeBase64", nullptr, encode_base64},
    {"DecodeBase64", nullptr, unary<"DecodeBase64">},
    {"UnicodeDecode", "row_splits char_values", decode},
    {"UnicodeDecodeWithOffsets", "row_splits char_values char_to_byte_starts", decode},
    {"UnicodeEncode", nullptr, encode},
    {"UnicodeTranscode", nullptr, transcode},
    {"RaggedTensorToTensor", nullptr, ragged_to_dense},
    {"RaggedBincount", nullptr, ragged_bincount},
    {"LookupTableFind LookupTableFindV2", nullptr, find},
    {"LookupTableSize LookupTableSizeV2", nullptr, table_size},
    {"LookupTableExport LookupTableExportV2", "keys values", table_contents},
};

}  // namespace

std::span<const Operator> string_operators() { return kStringsRows; }

}  // namespace tern::tensorflow
