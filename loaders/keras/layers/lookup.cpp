// Layers that look words and numbers up: StringLookup, IntegerLookup, TextVectorization. The vocabulary is in the config, or in the archive's
// assets; one that is the path of a file is refused, whoever wrote it there: no file is opened for a name that a model gives. See layer.h.
#include <charconv>
#include <numeric>

#include "loaders/keras/layers/categories.h"
#include "loaders/keras/layers/layer.h"
#include "runtime/graph_nodes.h"

namespace tern::keras {
namespace {

constexpr int64_t kMasked = INT64_MAX;  // the number of a masked token where numbers are counted: no category has it

// Tokens as Keras writes them, joined by line feeds, or on Windows by CR LF. A token that is a line feed itself (of a layer that splits characters)
// leaves two empty lines, which Keras does not read again; no other token is empty but the mask, the first of `first`.
std::vector<std::string> tokens_of_lines(std::string_view text, size_t first) {
  std::vector<std::string> lines;
  for (bool more = true; more;) {
    const size_t end = text.find('\n');
    more = end != std::string_view::npos;
    lines.emplace_back(text.substr(0, end));
    if (more) text.remove_prefix(end + 1);
  }
  if (lines.size() > 1 && std::all_of(lines.begin(), lines.end() - 1, [](const std::string& s) { return s.ends_with('\r'); })) {
    for (size_t i = 0; i + 1 < lines.size(); ++i) lines[i].pop_back();
  }
  std::vector<std::string> tokens;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool feed = i >= first && i + 1 < lines.size() && lines[i].empty() && lines[i + 1].empty();
    tokens.push_back(feed ? "\n" : std::move(lines[i]));
    i += feed;
  }
  while (!tokens.empty() && tokens.back().empty()) tokens.pop_back();
  return tokens;
}

// What the lookup of a layer is. TextVectorization has one inside of it, with most settings at their defaults.
struct Table {
  DType dtype = DType::string;      // of tokens
  std::vector<std::string> tokens;  // as text, without special ones
  bool special_found = false;       // they stood before the tokens
  std::string mask, oov;            // as text
  bool masked = false, invert = false;
  std::string mode = "int";
  int64_t oov_buckets = 1, depth = 0;  // depth: categories of modes that count
  int64_t oov_start() const { return masked && mode == "int" ? 1 : 0; }
  int64_t token_start() const { return oov_start() + oov_buckets; }
};

// A token of the config as text: a string, or a whole number.
std::string token_text(const Json& json, Json::Id id) {
  return json.is(id, Json::Kind::string)    ? std::string(json.string(id))
         : json.is(id, Json::Kind::integer) ? std::to_string(json.integer(id))
                                            : std::string();
}

// Fails the builder where there is no vocabulary that may be read.
bool read_vocabulary(Call& c, Table& t) {
  const Json& json = c.config.json();
  const Json::Id given = c.config.at("vocabulary");
  if (c.config.is_text("vocabulary")) {
    c.b.fail(tern::unsupported("its vocabulary is the path of a file, " + c.config.text("vocabulary") +
                               ", and no file is opened because a model names it: give the layer the list itself"));
    return false;
  }
  if (c.config.is_list("vocabulary")) {
    for (size_t i = 0; i < json.size(given); ++i) t.tokens.push_back(token_text(json, json.item(given, i)));
  } else if (c.weights.has_asset("vocabulary.txt")) {
    t.tokens = tokens_of_lines(c.weights.asset("vocabulary.txt"), static_cast<size_t>(t.oov_start()));
  } else {
    c.b.fail(
        tern::unsupported("the file does not hold its vocabulary: save the model as .keras, or give the layer vocabulary=layer.get_vocabulary()"));
    return false;
  }
  std::vector<std::string> special(static_cast<size_t>(t.oov_start()), t.mask);
  special.insert(special.end(), static_cast<size_t>(t.oov_buckets), t.oov);
  t.special_found = t.tokens.size() >= special.size() && std::equal(special.begin(), special.end(), t.tokens.begin());
  if (t.special_found) t.tokens.erase(t.tokens.begin(), t.tokens.begin() + static_cast<int64_t>(special.size()));
  t.depth = c.config.boolean("pad_to_max_tokens", false) ? c.config.integer("max_tokens") : t.token_start() + static_cast<int64_t>(t.tokens.size());
  return c.b.ok();
}

ValueId tokens_as(Call& c, const std::vector<std::string>& tokens, DType dtype) {
  if (dtype == DType::string) {
    auto t = Tensor::strings({static_cast<int64_t>(tokens.size())}, tokens);
    return t ? c.b.constant(std::move(*t)) : c.b.fail(t.error());
  }
  std::vector<int64_t> numbers;
  for (const std::string& token : tokens) {
    int64_t n = 0;
    const auto end = std::from_chars(token.data(), token.data() + token.size(), n);
    if (end.ec != std::errc() || end.ptr != token.data() + token.size())
      return c.b.fail(tern::invalid("its vocabulary holds '" + token + "', which is no whole number"));
    numbers.push_back(n);
  }
  return c.b.cast(c.b.ints(numbers), dtype);
}

// The numbers of x's tokens, or with `invert` the tokens of numbers.
ValueId look_up(Call& c, const Table& t, ValueId x) {
  GraphBuilder& b = c.b;
  std::vector<int64_t> numbers(t.tokens.size());
  std::iota(numbers.begin(), numbers.end(), t.token_start());
  std::vector<std::string> tokens = t.tokens;
  if (t.masked) {
    tokens.push_back(t.mask);
    numbers.push_back(t.mode == "int" ? 0 : kMasked);
  }
  const ValueId words = tokens_as(c, tokens, t.dtype), places = b.ints(numbers);
  auto one = [&](const std::string& token) {
    const ValueId list = tokens_as(c, {token}, t.dtype);
    const Tensor* known = b.contents(list);  // ONNX's tables have it in the file
    return known != nullptr ? b.constant(known->reshaped({})) : squeeze(b, list, {0});
  };
  if (t.invert) return b.emit("Lookup", {b.cast(x, DType::i64), places, words, one(t.oov)});
  if (t.dtype != DType::string) x = b.cast(x, t.dtype);
  const int64_t otherwise = t.oov_buckets == 1 ? t.oov_start() : -1;
  const bool required = t.oov_buckets == 0;  // Keras ends with an error there
  ValueId y =
      b.emit("Lookup", {x, words, places, b.scalar(DType::i64, static_cast<double>(otherwise))}, attributes({{"required", int64_t(required)}}));
  if (t.oov_buckets < 2) return y;
  ValueId bucket = kNone;
  if (t.dtype != DType::string && c.config.text("oov_method", "floormod") != "farmhash") {
    bucket = b.cast(b.emit("Mod", {x, b.scalar_like(x, static_cast<double>(t.oov_buckets))}), DType::i64);
  } else {
    const ValueId text = t.dtype == DType::string ? x : b.emit("AsString", {x});
    bucket = hashed(c, text, t.oov_buckets);
  }
  bucket = b.emit("Add", {bucket, b.scalar(DType::i64, static_cast<double>(t.oov_start()))});
  return b.emit("Where", {b.emit("Equal", {y, b.scalar(DType::i64, -1)}), bucket, y});
}

// The weights of tf_idf, for every category: in the file as they are used, or in the config for the tokens alone.
ValueId idf_weights(Call& c, const Table& t) {
  if (c.weights.has("idf_weights")) return c.b.cast(c.weights.get("idf_weights", {t.depth}, false), DType::f32);
  const std::vector<double> given = c.config.numbers("idf_weights");
  if (given.empty()) return c.b.fail(tern::invalid("its output_mode is tf_idf, and there are no idf_weights"));
  std::vector<float> all;
  if (!t.special_found)
    all.assign(static_cast<size_t>(t.token_start()),
               static_cast<float>(std::accumulate(given.begin(), given.end(), 0.0) / static_cast<double>(given.size())));
  all.insert(all.end(), given.begin(), given.end());
  if (static_cast<int64_t>(all.size()) > t.depth)
    return c.b.fail(tern::invalid("it has " + std::to_string(all.size()) + " idf_weights for " + std::to_string(t.depth) + " tokens"));
  all.resize(static_cast<size_t>(t.depth));
  return c.b.constant(Tensor::of<float>({t.depth}, all));
}

// What the mode makes of numbers; of rows with `splits`, of which x holds the values.
ValueId encode_tokens(Call& c, const Table& t, ValueId x, ValueId splits) {
  const bool idf = t.mode == "tf_idf" || t.mode == "tf-idf";
  const DType counts = c.layer.keras() == 2 ? (is_float(c.layer.compute) ? c.layer.compute : DType::f32) : DType::i64;
  const ValueId y = encode(c, x, {idf ? "count" : t.mode, t.depth, idf ? DType::f32 : counts, kNone, splits});
  return idf ? c.emit("Mul", {y, idf_weights(c, t)}) : y;
}

// The dtype of numbers in mode int: Keras 2 layers may say another.
DType number_dtype(const Call& c) {
  const DType said = dtype_named(c.config.policy());
  return c.layer.keras() == 2 && is_int(said) ? said : DType::i64;
}

Flows lookup(Call& c, DType dtype, const std::string& oov) {
  if (c.config.boolean("sparse", false)) return c.unsupported("sparse=True");
  Table t;
  const Json& json = c.config.json();
  if (const std::string said = c.config.text("vocabulary_dtype"); dtype != DType::string && said == "int32") dtype = DType::i32;
  t.dtype = dtype;
  t.masked = c.config.has("mask_token") || c.config.has("mask_value");
  t.mask = token_text(json, c.config.at(c.config.has("mask_token") ? "mask_token" : "mask_value"));
  t.oov = c.config.has("oov_token")   ? token_text(json, c.config.at("oov_token"))
          : c.config.has("oov_value") ? token_text(json, c.config.at("oov_value"))
                                      : oov;
  t.invert = c.config.boolean("invert", false);
  t.mode = c.config.text("output_mode", "int");
  if (t.mode == "binary") t.mode = "multi_hot";
  t.oov_buckets = c.config.integer("num_oov_indices", 1);
  if (t.oov_buckets < 0 || t.oov_buckets > (1 << 24)) return c.invalid("num_oov_indices is " + std::to_string(t.oov_buckets));
  if (!read_vocabulary(c, t)) return {};
  const ValueId y = look_up(c, t, c.x());
  if (t.invert) return {{y}};
  if (t.mode == "int") return {{c.b.cast(y, number_dtype(c))}};
  return {{encode_tokens(c, t, y, kNone)}};
}

Flows string_lookup(Call& c) { return lookup(c, DType::string, "[UNK]"); }
Flows integer_lookup(Call& c) { return lookup(c, DType::i64, "-1"); }

// ---- TextVectorization ----

ValueId standardize(Call& c, ValueId x) {
  const std::string how = c.config.called("standardize");
  const bool lower = how == "lower" || how == "lower_and_strip_punctuation",
             strip = how == "strip_punctuation" || how == "lower_and_strip_punctuation";
  if (!how.empty() && !lower && !strip) {
    c.unsupported("standardize=" + how + ", a function of Python's,");
    return kNone;
  }
  if (lower) x = c.emit("StringLower", {x});
  if (strip)
    x = c.emit("RegexReplace", {x},
               attributes({{"pattern", std::string(R"([!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\'])")}, {"rewrite", std::string()}}));
  return x;
}

// The tokens of rows, in `splits`: words or characters, then n-grams of them. Without a split x as it is, and no rows.
struct Tokens {
  ValueId values = kNone, splits = kNone;
};
Tokens split(Call& c, ValueId x) {
  const std::string how = c.config.called("split");
  std::vector<int64_t> widths = c.config.ints("ngrams");
  if (c.config.is_number("ngrams")) {
    widths.resize(static_cast<size_t>(std::clamp<int64_t>(widths[0], 0, 1 << 10)));
    std::iota(widths.begin(), widths.end(), int64_t(1));
  }
  if (how.empty()) {
    if (!widths.empty()) c.unsupported("ngrams without a split");
    return {x};
  }
  const int rank = c.b.rank(x);
  if (rank > 1) x = squeeze(c.b, x, {rank - 1});
  if (c.b.ok() && c.b.rank(x) != 1) c.invalid("its input must be [batch] or [batch, 1]");
  std::vector<ValueId> parts;
  if (how == "whitespace") {
    parts = c.b.emit("RaggedStringSplit", {x}, {}, 2);
  } else if (how == "character") {
    parts = c.b.emit("UnicodeDecode", {x}, {}, 2);
    parts[0] = c.emit("UnicodeEncode", {parts[0]});
  } else {
    c.unsupported("split=" + how + ", a function of Python's,");
    return {};
  }
  if (!widths.empty()) parts = c.b.emit("StringNGrams", parts, attributes({{"widths", widths}, {"separator", std::string(" ")}}), 2);
  return {parts[0], parts[1]};
}

// Rows cut, or filled with zeros, to `length` along the last axis.
ValueId with_length(Call& c, ValueId x, int64_t length) {
  const int axis = c.b.rank(x) - 1;
  x = slice(c.b, x, axis, 0, length);
  const Int missing = c.b.sub(length, c.b.size(x, axis));
  std::vector<Int> pads(2 * static_cast<size_t>(axis + 1), Int(0));
  pads.back() = missing;
  return c.emit("Pad", {x, c.b.ints(pads), c.b.scalar_like(x, 0)});
}

Flows text_vectorization(Call& c) {
  if (c.config.boolean("sparse", false) || c.config.boolean("ragged", false)) return c.unsupported("sparse=True or ragged=True");
  Table t;
  t.masked = true;
  t.oov = "[UNK]";
  t.mode = c.config.text("output_mode", "int");
  if (t.mode == "binary") t.mode = "multi_hot";
  if (!read_vocabulary(c, t)) return {};
  const Tokens tokens = split(c, standardize(c, c.x()));
  const ValueId numbers = look_up(c, t, tokens.values);
  if (!c.b.ok()) return {};
  if (t.mode != "int") return {{encode_tokens(c, t, numbers, tokens.splits)}};
  const int64_t length = c.config.integer("output_sequence_length", -1);
  if (tokens.splits != kNone) {
    return {{c.emit("RaggedToDense", {c.b.ints({-1, length}), numbers, c.b.scalar(DType::i64, 0), tokens.splits},
                    attributes({{"types", std::vector<std::string>{"ROW_SPLITS"}}}))}};
  }
  return {{length < 0 ? numbers : with_length(c, numbers, length)}};
}

constexpr LayerRow kLookupRows[] = {
    {"StringLookup", string_lookup, Masking::dropped, false},
    {"IntegerLookup", integer_lookup, Masking::dropped, false},
    {"TextVectorization", text_vectorization, Masking::dropped, false},
};

}  // namespace

std::span<const LayerRow> lookup_layers() { return kLookupRows; }

}  // namespace tern::keras
