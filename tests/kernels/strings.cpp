// Operators on text against what TensorFlow answers (data/strings), and what must not be. Contract: kernels/strings/strings.h.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "kernels/strings/fingerprint.h"
#include "kernels/strings/lookup.h"
#include "kernels/strings/utf8.h"
#include "runtime/base/half.h"
#include "tests/support/cheap.h"
#include "tests/support/op_test.h"

namespace tern::test::in_strings {
namespace {

std::ifstream open_answers(const char* file) {
  std::ifstream in(std::string(TERN_TEST_DATA) + "/strings/" + file);
  REQUIRE(in.good());
  return in;
}

// "=a%20b": "a b"
std::string decoded(const std::string& word) {
  std::string out;
  for (size_t i = 1; i < word.size(); ++i) {
    if (word[i] != '%') out += word[i];
    else out += static_cast<char>(std::stoi(word.substr(i + 1, 2), nullptr, 16)), i += 2;
  }
  return out;
}

// "i64 2x3 1 2 3 4 5 6"
Tensor tensor_of(std::istream& line) {
  std::string dtype, shape, word;
  line >> dtype >> shape;
  Dims dims;
  std::istringstream sizes(shape == "-" ? "" : shape);
  for (std::string size; std::getline(sizes, size, 'x');) dims.push_back(std::stoll(size));
  std::vector<std::string> words;
  while (line >> word) words.push_back(word);
  REQUIRE(static_cast<int64_t>(words.size()) == dims.count());
  if (dtype == "string") {
    for (std::string& w : words) w = decoded(w);
    return *Tensor::strings(dims, words);
  }
  DType t = DType::none;
  for (DType d : {DType::f64, DType::f32, DType::f16, DType::i8, DType::i32, DType::i64, DType::u8, DType::boolean}) t = dtype == name(d) ? d : t;
  auto tensor = Tensor::allocate(t, dims);
  visit(t, [&]<class T>() {
    for (size_t i = 0; i < words.size(); ++i) {
      if constexpr (std::is_same_v<T, f16>) tensor->mutable_data<T>()[i] = to_f16(std::stod(words[i]));
      else if constexpr (std::is_integral_v<T>) tensor->mutable_data<T>()[i] = static_cast<T>(std::stoll(words[i]));
      else if constexpr (std::is_floating_point_v<T>) tensor->mutable_data<T>()[i] = static_cast<T>(std::strtod(words[i].c_str(), nullptr));
    }
  });
  return *tensor;
}

Attributes::Value value_of(const std::string& kind, std::istream& line) {
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  if (kind == "i") return int64_t(std::stoll(words.at(0)));
  if (kind == "s") return decoded(words.at(0));
  if (kind == "strings") {
    for (std::string& w : words) w = decoded(w);
    return words;
  }
  std::vector<int64_t> ints;
  for (const std::string& w : words) ints.push_back(std::stoll(w));
  return ints;
}

struct Answer {
  std::string op;
  Attributes attrs;
  std::vector<Tensor> inputs, outputs;
};
std::vector<Answer> read_answers() {
  std::vector<Answer> all;
  std::ifstream in = open_answers("answers.txt");
  for (std::string text; std::getline(in, text);) {
    std::istringstream line(text);
    std::string what, name, kind;
    line >> what;
    if (what == "op") line >> all.emplace_back().op;
    if (what == "attr") line >> name >> kind, all.back().attrs.set(name, value_of(kind, line));
    if (what == "in") all.back().inputs.push_back(tensor_of(line));
    if (what == "out") all.back().outputs.push_back(tensor_of(line));
    if (what == "absent") all.back().inputs.emplace_back();
  }
  return all;
}

Tensor text(const std::vector<std::string>& values) { return *Tensor::strings({static_cast<int64_t>(values.size())}, values); }

std::vector<std::string> words_of(const Tensor& t) {
  std::vector<std::string> out;
  for (const StringRef& s : t.span<StringRef>()) out.emplace_back(s.view());
  return out;
}

// For messages: bytes that are no printable ASCII by their numbers.
std::string shown(const Tensor& t) {
  std::string out;
  for (const std::string& word : words_of(t)) {
    for (char c : word) {
      char hex[8];
      std::snprintf(hex, sizeof hex, c > ' ' && c <= '~' && c != '%' ? "%c" : "%%%02x", static_cast<unsigned char>(c));
      out += hex;
    }
    out += '|';
  }
  return out;
}

void check_equal(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.dtype() == expected.dtype());
  REQUIRE(to_string(actual.dims()) == to_string(expected.dims()));
  if (expected.dtype() == DType::string) CHECK(shown(actual) == shown(expected));
  else check_same(actual, expected);
}

bool has_re2() { return op_error("RegexFullMatch", {{"pattern", std::string("a")}}, {text({"a"})}).empty(); }

}  // namespace

TEST_CASE("strings: operators on text answer as TensorFlow does") {
  std::set<std::string> ops;
  const bool re2 = has_re2();
  int number = 0;
  for (const Answer& a : read_answers()) {
    const OpDef* op = find_op(a.op);
    REQUIRE(op != nullptr);
    CAPTURE(a.op);
    CAPTURE(a.attrs.text());
    CAPTURE(number);
    ++number;
    if (a.op.starts_with("Regex") && !re2) continue;
    ops.insert(a.op);
    for (uint32_t constants : {0u, ~0u}) {
      auto y = evaluate(*op, a.attrs, a.inputs, a.outputs.size(), {.constants = constants});
      REQUIRE_MESSAGE(y.ok(), y.error().message());
      REQUIRE(y->size() >= a.outputs.size());
      for (size_t o = 0; o < a.outputs.size(); ++o) check_equal((*y)[o], a.outputs[o]);
    }
  }
  CHECK(ops.size() == (re2 ? 19 : 17));  // all but those of ONNX, and the hash
}

TEST_CASE("strings: hashes of all lengths to 300 are TensorFlow's") {
  std::ifstream in = open_answers("hashes.txt");
  std::string line;
  std::getline(in, line);
  int64_t n = 0, fast = 0, strong = 0, zero = 0, seen = 0;
  while (in >> n >> fast >> strong >> zero) {
    std::string s;
    for (int64_t i = 0; i < n; ++i) s += static_cast<char>(n * 31 + i * 7 + i * i);
    CAPTURE(n);
    constexpr uint64_t kMost = INT64_MAX;
    CHECK(static_cast<int64_t>(farm_hash(s) % kMost) == fast);
    CHECK(static_cast<int64_t>(sip_hash(0x0123456789abcdef, static_cast<uint64_t>(-2), s) % kMost) == strong);
    CHECK(static_cast<int64_t>(sip_hash(0, 0, s) % kMost) == zero);
    ++seen;
  }
  CHECK(seen == 301);
  const Tensor x = text({"a", "bc"});
  const Tensor bucket = run_op("StringHash", {{"buckets", int64_t(10)}}, {x})[0];
  CHECK(bucket.data<int64_t>()[0] == static_cast<int64_t>(farm_hash("a") % 10));
  const Tensor keyed = run_op("StringHash", {{"buckets", int64_t(7)}, {"key", std::vector<int64_t>{1, 2}}}, {x})[0];
  CHECK(keyed.data<int64_t>()[1] == static_cast<int64_t>(sip_hash(1, 2, "bc") % 7));
}

TEST_CASE("strings: a search among integers finds what is there, in a plan's kernel as in the evaluator's") {
  for (int64_t n : {0, 1, 2, 3, 7, 8, 9, 100}) {
    std::vector<int64_t> keys, values, x, expected;
    for (int64_t k = 0; k < n; ++k) keys.push_back((k * 37) % 101 * 2), values.push_back(1000 + k);
    for (int64_t v = -1; v < 204; ++v) {
      x.push_back(v);
      const auto at = std::find(keys.begin(), keys.end(), v);
      expected.push_back(at == keys.end() ? -5 : values[static_cast<size_t>(at - keys.begin())]);
    }
    const Tensor y = run_op("Lookup", {}, {i64({205}, x), i64({n}, keys), i64({n}, values), i64({}, {-5})})[0];
    check_same(y, i64({205}, expected));
  }
  check_same(run_op("Lookup", {}, {i64({2}, {4, 4}), i64({3}, {4, 4, 1}), i64({3}, {7, 8, 9}), i64({}, {0})})[0],
             i64({2}, {7, 7}));  // the first of equal keys
}

TEST_CASE("strings: a word is found among few and many, and among words that collide; of equal ones the first") {
  auto check = [](const std::vector<std::string>& keys) {
    std::vector<std::string> x = keys;
    for (const std::string& k : keys) x.push_back(k + "!");
    x.insert(x.end(), {"", "nowhere"});
    std::vector<int64_t> values, expected;
    for (size_t k = 0; k < keys.size(); ++k) values.push_back(static_cast<int64_t>(k));
    for (const std::string& word : x) {
      const auto at = std::find(keys.begin(), keys.end(), word);
      expected.push_back(at == keys.end() ? -5 : at - keys.begin());
    }
    const auto n = static_cast<int64_t>(keys.size()), m = static_cast<int64_t>(x.size());
    check_same(run_op("Lookup", {}, {*Tensor::strings({m}, x), *Tensor::strings({n}, keys), i64({n}, values), i64({}, {-5})})[0], i64({m}, expected));
  };
  for (size_t n : {0, 1, 2, 3, 33, 400}) {
    std::vector<std::string> keys;
    for (size_t k = 0; k < n; ++k) keys.push_back("a long word, and its number is " + std::to_string(k * 7919 % 1000));
    check(keys);
  }
  check({"two", "one", "two", "", ""});
  std::vector<std::string> colliding;
  for (int64_t k = 0; colliding.size() < 60; ++k) {
    const std::string word = std::to_string(k);
    if ((lookup_hash(word) & 127) < 8) colliding.push_back(word);
  }
  check(colliding);
}

TEST_CASE("strings: of every length to 40 they are compared and copied to the last byte, and no further") {
  std::vector<std::string> a, b, joined, lower;
  std::vector<char> same;
  for (size_t n = 0; n <= 40; ++n) {
    const std::string word = std::string("The Quick Brown Fox Jumps Over a Lazy Dog!").substr(0, n);
    for (size_t changed = 0; changed <= n; ++changed) {  // n: none
      std::string other = word;
      if (changed < n) other[changed] ^= 1;
      a.push_back(word), b.push_back(other), joined.push_back(word + other), same.push_back(changed == n);
      for (char& c : other) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      lower.push_back(other);
    }
    a.push_back(word), b.push_back(word + '\0'), joined.push_back(word + word + '\0'), same.push_back(0), lower.push_back("");
    for (char c : word) lower.back() += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    lower.back() += '\0';
  }
  const auto n = static_cast<int64_t>(a.size());
  const Tensor x = *Tensor::strings({n}, a), y = *Tensor::strings({n}, b);
  const Tensor equal = run_op("Equal", {}, {x, y})[0];
  for (int64_t i = 0; i < n; ++i) CHECK((equal.data<uint8_t>()[i] != 0) == (same[static_cast<size_t>(i)] != 0));
  auto check_text = [](const Tensor& actual, const std::vector<std::string>& expected) {
    REQUIRE(actual.count() == static_cast<int64_t>(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) CHECK(actual.data<StringRef>()[i].view() == expected[i]);
  };
  check_text((*evaluate(*find_op("StringConcat"), {}, std::vector<Tensor>{x, y}, 1, {}))[0], joined);
  check_text((*evaluate(*find_op("StringLower"), {}, std::vector<Tensor>{y}, 1, {}))[0], lower);
  std::vector<int64_t> places, expected;
  for (int64_t i = 0; i < n; ++i) {
    places.push_back(i);
    const auto first = std::find(b.begin(), b.end(), a[static_cast<size_t>(i)]) - b.begin();
    expected.push_back(first < n ? first : -1);
  }
  check_same(run_op("Lookup", {}, {x, y, i64({n}, places), i64({}, {-1})})[0], i64({n}, expected));
}

TEST_CASE("strings: text that is made counts all its bytes, and is somewhere when it has none") {
  for (size_t n : {0, 1, 63, 64, 65, 200}) {
    const std::string word(n, 'w');
    const auto y = evaluate(*find_op("StringConcat"), {}, std::vector<Tensor>{text({word, "", word}), text({""})}, 1, {});
    REQUIRE(y.ok());
    CHECK(words_of((*y)[0]) == std::vector<std::string>{word, "", word});
    CHECK((*y)[0].text_bytes() == static_cast<int64_t>(2 * n));
    for (int i = 0; i < 3; ++i) CHECK((*y)[0].data<StringRef>()[i].data != nullptr);
  }
  const auto made_within = [](int64_t budget) {
    return evaluate(*find_op("StringConcat"), {}, std::vector<Tensor>{text({"ab", "", "c"}), text({"xyz"})}, 1, {.budget = budget}).ok();
  };
  constexpr int64_t kNeeded = 2 + 1 + 3 * 3 + 3 * int64_t(sizeof(StringRef) + sizeof(size_t));
  CHECK(made_within(kNeeded));
  CHECK(!made_within(kNeeded - 1));
}

TEST_CASE("strings: ONNX's operators do what its examples say") {
  const Tensor x = text({"abc.com", "a.b.c", "", "abc"});
  auto split = evaluate(*find_op("StringSplit"), {}, std::vector<Tensor>{text({"a  b", "", " c"})}, 2, {});
  REQUIRE(split.ok());
  CHECK(words_of((*split)[0]) == std::vector<std::string>{"a", "b", "", "", "c", ""});
  check_same((*split)[1], i64({3}, {2, 0, 1}));
  Attributes attrs;
  attrs.set("delimiter", std::string("."));
  attrs.set("maxsplit", int64_t(1));
  split = evaluate(*find_op("StringSplit"), attrs, std::vector<Tensor>{x}, 2, {});
  REQUIRE(split.ok());
  CHECK(words_of((*split)[0]) == std::vector<std::string>{"abc", "com", "a", "b.c", "", "", "abc", ""});
  check_same((*split)[1], i64({4}, {2, 2, 1, 1}));
  auto normalized = [&](const char* action, int64_t sensitive, std::vector<std::string> stop, std::vector<std::string> in) {
    Attributes a;
    a.set("case_change_action", std::string(action));
    a.set("is_case_sensitive", sensitive);
    a.set("stopwords", stop);
    auto y = evaluate(*find_op("StringNormalizer"), a, std::vector<Tensor>{text(in)}, 1, {});
    REQUIRE(y.ok());
    return words_of((*y)[0]);
  };
  CHECK(normalized("LOWER", 1, {"monday"}, {"monday", "Tuesday", "Monday"}) == std::vector<std::string>{"tuesday", "monday"});
  CHECK(normalized("UPPER", 0, {"monday"}, {"monday", "Tuesday", "Monday"}) == std::vector<std::string>{"TUESDAY"});
  CHECK(normalized("UPPER", 1, {"a"}, {"a", "a"}) == std::vector<std::string>{""});
}

TEST_CASE("strings: what cannot be is an error that says why") {
  auto has = [](const std::string& error, const char* part) { return error.find(part) != std::string::npos; };
  CHECK(has(op_error("StringLower", {{"encoding", std::string("latin-1")}}, {text({"a"})}), "encoding is 'latin-1'"));
  CHECK(has(op_error("StringLower", {}, {i64({1}, {1})}), "must be text"));
  CHECK(has(op_error("Substring", {}, {text({"abc"}), i64({}, {4}), i64({}, {1})}), "position 4 is outside of 'abc'"));
  CHECK(has(op_error("StringToNumber", {}, {text({"1x"})}), "'1x' is no number"));
  for (const char* no : {"", " ", "+", "--1", "+-1", "1 2", "0x", "nanx"}) CHECK(has(op_error("StringToNumber", {}, {text({no})}), "is no number"));
  CHECK(has(op_error("StringToNumber", {{"to", int64_t(6)}}, {text({"2147483648"})}), "no number of that size"));
  CHECK(has(op_error("UnicodeDecode", {{"errors", std::string("strict")}}, {text({"a\xff"})}, 3), "byte 1 of 'a?' is no UTF-8"));
  CHECK(has(op_error("UnicodeTranscode", {{"errors", std::string("strict")}}, {text({"a", "b\xff"})}), "byte 1 of 'b?' is no UTF-8"));
  CHECK(has(op_error("UnicodeTranscode", {{"encoding", std::string("EBCDIC")}}, {text({"a"})}), "encoding 'EBCDIC'"));
  for (const char* no : {"A", "A=", "AB=", "AB", "ABC=D", "A+BC", "AAAA=", "AAB"})
    CHECK(has(op_error("DecodeBase64", {}, {text({no})}), "is no base64"));
  CHECK(has(op_error("DecodeRaw", {{"to", std::string("i32")}}, {text({"abcde"})}), "a string of 5 bytes is no list of i32"));
  CHECK(has(op_error("DecodeRaw", {{"to", std::string("u8")}}, {text({"abc", "ab"})}), "a string of 2 bytes stands beside one of 3"));
  CHECK(has(op_error("DecodeRaw", {{"to", std::string("string")}}, {text({"abc"})}), "not supported"));
  const Attributes::Value one = int64_t(1);
  auto cross = [&](std::vector<int64_t> places, std::vector<int64_t> shape) {
    const auto n = static_cast<int64_t>(places.size() / 2);
    return op_error("SparseCross", {{"sparse", one}, {"hashed", one}}, {i64({n, 2}, places), i64({2}, {1, 2}), i64({2}, shape), i64({2, 1}, {1, 2})},
                    3);
  };
  CHECK(cross({0, 0, 1, 0}, {2, 1}) == "");
  CHECK(has(cross({1, 0, 0, 0}, {2, 1}), "not in order"));
  CHECK(has(cross({0, 0, 2, 0}, {2, 1}), "outside of its rows"));
  CHECK(has(cross({0, 0, -1, 0}, {2, 1}), "not in order"));
  CHECK(has(cross({0, 0, 1, 0}, {3, 1}), "rows"));
  CHECK(has(cross({0, 0}, {2, 1}), "no matrix"));
  CHECK(has(op_error("StringHash", {{"buckets", int64_t(0)}}, {text({"a"})}), "buckets is 0"));
  for (std::vector<int64_t> splits : {std::vector<int64_t>{1, 2}, {0, 3, 2}, {0, 1}, {0, 3}, {0, -1, 2}}) {
    const Tensor rows = i64({static_cast<int64_t>(splits.size())}, splits);
    CHECK(has(op_error("StringNGrams", {{"widths", std::vector<int64_t>{1}}}, {text({"a", "b"}), rows}, 2), "row_splits must"));
    CHECK(has(op_error("UnicodeEncode", {}, {*Tensor::allocate(DType::i32, {2}), rows}), "row_splits must"));
  }
  CHECK(has(op_error("Bincount", {}, {i64({2}, {1, -1}), i64({}, {3})}), "negative"));
  CHECK(has(op_error("RaggedToDense", {{"types", std::vector<std::string>{"FIRST_DIM_SIZE", "VALUE_ROWIDS"}}},
                     {i64({}, {-1}), i64({2}, {1, 2}), i64({}, {0}), i64({}, {2}), i64({2}, {1, 2})}),
            "out of order, or not below 2"));
  CHECK(has(op_error("Lookup", {}, {i64({1}, {1}), i64({2}, {1, 2}), i64({3}, {1, 2, 3}), i64({}, {0})}), "lists of one length"));
  const std::vector<Tensor> table = {i64({2}, {1, 2}), i64({2}, {10, 20}), i64({}, {0})};
  CHECK(op_error("Lookup", {{"required", int64_t(1)}}, {i64({2}, {2, 1}), table[0], table[1], table[2]}) == "");
  CHECK(has(op_error("Lookup", {{"required", int64_t(1)}}, {i64({2}, {2, 3}), table[0], table[1], table[2]}), "not in the table"));
  if (!has_re2()) return;
  CHECK(has(op_error("RegexFullMatch", {{"pattern", std::string("a(")}}, {text({"a"})}), "pattern 'a('"));
  CHECK(has(op_error("RegexReplace", {{"pattern", std::string("a")}, {"rewrite", std::string("\\1")}}, {text({"a"})}), "rewrite '\\1'"));
}

TEST_CASE("strings: examples that are cut, changed or of other types are errors, and never read beyond") {
  const std::string whole = std::string("\x0a\x10\x0a\x0e\x0a\x02id\x12\x08\x1a\x06\x0a\x04\x01\x02\xff\x01", 18);
  auto tried = [&](const std::string& bytes, const char* dtype, int64_t size) {
    return op_error("ExampleFeature", {{"key", std::string("id")}, {"dtype", std::string(dtype)}, {"size", size}}, {text({bytes})}, 2);
  };
  CHECK(tried(whole, "i64", 3) == "");
  CHECK(tried(whole, "i64", -1) == "");
  CHECK(tried("", "i64", -1) == "");
  CHECK(tried(whole, "i64", 2).find("feature 'id' has 3 values, expected 2") != std::string::npos);
  CHECK(tried(whole, "f32", -1).find("of another type than f32") != std::string::npos);
  CHECK(tried("", "i64", 1).find("feature 'id' is required") != std::string::npos);
  CHECK(tried(whole, "i32", 1).find("not supported") != std::string::npos);
  for (size_t n = 1; n < whole.size(); ++n) CHECK(tried(whole.substr(0, n), "i64", -1) != "");
  for (size_t i = 0; i < whole.size(); ++i) {  // every byte as every other: an answer or an error, under the sanitizers too
    for (int v = 0; v < 256; ++v) {
      std::string bad = whole;
      bad[i] = static_cast<char>(v);
      (void)tried(bad, "i64", -1);
    }
  }
}

TEST_CASE("strings: text is made within the budget, whatever an operator multiplies it by") {
  auto over = [](const char* op, Attrs attrs, std::vector<Tensor> inputs, size_t outputs = 1) {
    Attributes a;
    for (const auto& [key, value] : attrs) a.set(key, value);
    auto y = evaluate(*find_op(op), a, inputs, outputs, {.budget = 1 << 20, .work = 1 << 24});
    return !y && y.error().code() == Code::kUnsupported && y.error().message().find("budget") != std::string::npos;
  };
  const std::string letters(1000, 'a');
  const Tensor many = text(std::vector<std::string>(1100, letters));  // 1 MB
  CHECK(over("StringLower", {}, {many}));
  CHECK(over("StringJoin", {{"separator", std::string(1 << 19, '-')}}, {text({"a"}), text({"b"}), text({"c"}), text({"d"})}));
  CHECK(over("AsString", {{"width", int64_t(500)}}, {i64({4000}, std::vector<int64_t>(4000, 1))}));
  CHECK(over("StringSplit", {},
             {text({std::string(60000, ' ') + "a",
                    [] {
                      std::string s;
                      for (int i = 0; i < 40000; ++i) s += "x ";
                      return s;
                    }()})},
             2));
  CHECK(over("RaggedStringSplit", {{"separator", std::string("a")}}, {many}, 4));
  CHECK(over("StringNGrams", {{"widths", std::vector<int64_t>{int64_t(1) << 40}}, {"pad_width", int64_t(-1)}}, {text({}), i64({2}, {0, 0})}, 2));
  CHECK(over("StringNGrams", {{"widths", std::vector<int64_t>{2}}, {"separator", std::string(1 << 19, '-')}},
             {text({"a", "b", "c", "d"}), i64({2}, {0, 4})}, 2));
  CHECK(over("UnicodeDecode", {}, {many}, 3));
  CHECK(over("UnicodeTranscode", {{"encoding", std::string("UTF-32-BE")}}, {many}));
  CHECK(over("EncodeBase64", {}, {many}));
  CHECK(over("DecodeRaw", {{"to", std::string("u8")}}, {many}));
  const Tensor wide = i64({2, 300}, std::vector<int64_t>(600, 1));
  CHECK(over("SparseCross", {{"hashed", int64_t(1)}}, {wide, wide, wide, wide}, 3));
  CHECK(over("RaggedToDense", {{"types", std::vector<std::string>{"ROW_SPLITS"}}},
             {i64({2}, {1 << 20, 1 << 20}), i64({1}, {1}), i64({}, {0}), i64({2}, {0, 1})}));
  CHECK(over("Bincount", {}, {i64({1}, {0}), i64({}, {1 << 30})}));
  if (!has_re2()) return;
  CHECK(over("RegexReplace", {{"pattern", std::string("a")}, {"rewrite", std::string(1 << 12, 'b')}}, {text({letters})}));
  CHECK(over("RegexFullMatch", {{"pattern", std::string("(a{0,30}b){0,20}")}}, {text(std::vector<std::string>(1000, std::string(1000, 'a')))}));
  // What repeats too often is refused by RE2 itself, before it takes memory.
  CHECK(op_error("RegexFullMatch", {{"pattern", std::string("((((a{100}){100}){100}){100}){100}")}}, {text({"a"})}) != "");
}

TEST_CASE("strings: a string that is no UTF-8 becomes one, and lower case of sigmas takes linear time") {
  CHECK(utf8_lower("A\xffZ") == "a\xef\xbf\xbdz");
  std::string sigmas = "a";
  for (size_t i = 0; i < flood(200000); ++i) sigmas += "\xce\xa3'";
  const std::string lower = utf8_lower(sigmas);
  CHECK(lower.size() == sigmas.size());
  CHECK(lower.substr(lower.size() - 3) == "\xcf\x82'");
}

}  // namespace tern::test::in_strings
