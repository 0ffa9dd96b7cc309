// The JSON reader: what it accepts and what it refuses, to the byte.
#include "loaders/json/json.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace tern;
using Kind = Json::Kind;

namespace in_json {
namespace {

Json good(std::string_view text) {
  auto json = Json::parse(text);
  REQUIRE_MESSAGE(json.ok(), std::string(text) << ": " << (json ? "" : json.error().message()));
  return std::move(*json);
}

// The message without its "JSON: ".
std::string refusal(std::string_view text, const Json::Limits& limits = {}) {
  auto json = Json::parse(text, limits);
  if (json) return "accepted";
  CHECK(json.error().code() == Code::kInvalid);
  CHECK(json.error().message().starts_with("JSON"));
  return json.error().message().substr(json.error().message().find(' ') + 1);
}

double number(std::string_view text) {
  const Json j = good(text);
  return j.number(j.root());
}

std::string repeat(std::string_view s, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

}  // namespace

TEST_CASE("json: a document of every kind reads as it is written") {
  const std::string text = R"( {"a": [1, -2.5e3, true, false, null, "x"], "b": {"c": {}, "d": []}, "": 7} )";
  const Json j = good(text);
  REQUIRE(j.kind(j.root()) == Kind::object);
  CHECK(j.size(j.root()) == 3);
  CHECK(j.key(j.root(), 0) == "a");
  CHECK(j.key(j.root(), 2) == "");
  const auto a = j.get(j.root(), "a");
  REQUIRE(j.is(a, Kind::array));
  REQUIRE(j.size(a) == 6);
  CHECK(j.integer(j.item(a, 0)) == 1);
  CHECK(j.kind(j.item(a, 1)) == Kind::real);
  CHECK(j.number(j.item(a, 1)) == -2500);
  CHECK(j.boolean(j.item(a, 2)));
  CHECK_FALSE(j.boolean(j.item(a, 3)));
  CHECK(j.kind(j.item(a, 3)) == Kind::boolean);
  CHECK(j.kind(j.item(a, 4)) == Kind::null);
  CHECK(j.string(j.item(a, 5)) == "x");
  const auto b = j.item(j.root(), 1);
  CHECK(j.size(b) == 2);
  CHECK(j.size(j.get(b, "c")) == 0);
  CHECK(j.kind(j.get(b, "d")) == Kind::array);
  CHECK(j.integer(j.get(j.root(), "")) == 7);
  CHECK(j.get(j.root(), "c") == Json::kNothing);
  CHECK(j.get(a, "a") == Json::kNothing);
  CHECK(j.get(Json::kNothing, "a") == Json::kNothing);
  CHECK(j.size(j.item(a, 5)) == 0);
  CHECK(j.size(Json::kNothing) == 0);
}

TEST_CASE("json: scalars are documents") {
  CHECK(number("0") == 0);
  CHECK(good("\n\r\t null").kind(0) == Kind::null);
  CHECK(good("\"\"").string(0) == "");
}

TEST_CASE("json: members keep their order and are found by key among many") {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += (i ? "," : "") + std::string("\"k") + std::to_string((i * 7919) % 500) + "\":" + std::to_string(i);
  text += "}";
  const Json j = good(text);
  for (int i = 0; i < 500; ++i) {
    const std::string key = "k" + std::to_string((i * 7919) % 500);
    CHECK(j.key(j.root(), static_cast<size_t>(i)) == key);
    CHECK(j.integer(j.get(j.root(), key)) == i);
  }
  CHECK(j.get(j.root(), "k500") == Json::kNothing);
  CHECK(j.get(j.root(), "k") == Json::kNothing);
}

TEST_CASE("json: integers keep 64 bits, and those beyond are reals") {
  auto integer = [](std::string_view text) {
    const Json j = good(text);
    CHECK(j.kind(j.root()) == Kind::integer);
    return j.integer(j.root());
  };
  CHECK(integer("9223372036854775807") == INT64_MAX);
  CHECK(integer("-9223372036854775808") == INT64_MIN);
  CHECK(integer("9007199254740993") == 9007199254740993);
  CHECK(integer("-0") == 0);
  for (const char* beyond : {"9223372036854775808", "-9223372036854775809", "18446744073709551615", "100000000000000000000"}) {
    const Json j = good(beyond);
    CHECK(j.kind(j.root()) == Kind::real);
    CHECK(j.integer(j.root()) == 0);
  }
  CHECK(number("18446744073709551616") == 18446744073709551616.0);
  CHECK(good("1.0").kind(0) == Kind::real);
  CHECK(good("1e2").kind(0) == Kind::real);
}

TEST_CASE("json: reals are the nearest f64") {
  CHECK(number("0.1") == 0.1);
  CHECK(number("-1E+2") == -100);
  CHECK(number("1.7976931348623157e308") == 1.7976931348623157e308);
  CHECK(number("5e-324") == 5e-324);
  CHECK(number("0e5") == 0);
  CHECK(refusal("1e999") == "byte 0: a number out of range");
}

TEST_CASE("json: NaN and infinities are read bare, as Python writes them") {
  CHECK(std::isnan(number("NaN")));
  CHECK(number("Infinity") == INFINITY);
  CHECK(number("-Infinity") == -INFINITY);
  const Json j = good("[-Infinity, NaN,Infinity]");
  CHECK(j.number(j.item(0, 0)) == -INFINITY);
  CHECK(j.kind(j.item(0, 1)) == Kind::real);
  for (const char* bad : {"-NaN", "nan", "inf", "+Infinity", "-Inf", "Infinit"}) CHECK(refusal(bad) != "accepted");
}

TEST_CASE("json: numbers have JSON's grammar and no other") {
  for (const char* bad : {"01", "-01", "1.", ".5", "-", "+1", "1e", "1e+", "1.e5", "0x10", "1_000", "--1", "1.5.5", "00"})
    CHECK(refusal(bad) != "accepted");
  CHECK(refusal("[1, 01]") == "byte 4: no number");
  CHECK(refusal("1 2") == "byte 2: something follows the value");
}

TEST_CASE("json: escapes are undone") {
  const Json j = good(R"(["\"\\\/\b\f\n\r\t", "a\u0041\u00e9\u20AC\ud83d\ude00z", "\u0000"])");
  CHECK(j.string(j.item(0, 0)) == "\"\\/\b\f\n\r\t");
  CHECK(j.string(j.item(0, 1)) == "aA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
  CHECK(j.string(j.item(0, 2)) == std::string_view("\0", 1));
  CHECK(good("\"\\udbff\\udfff\"").string(0) == "\xf4\x8f\xbf\xbf");
  CHECK(good("\"\\ud800\\udc00\"").string(0) == "\xf0\x90\x80\x80");
  CHECK(good("\"\\uffff\"").string(0) == "\xef\xbf\xbf");
  CHECK(good("\"\\u07ff\\u0800\\u007f\\u0080\"").string(0) == "\xdf\xbf\xe0\xa0\x80\x7f\xc2\x80");
}

TEST_CASE("json: bad escapes and lone surrogates are refused") {
  for (const char* bad : {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\U0041")", R"("\)", R"("\")", R"("\u)"}) CHECK(refusal(bad) != "accepted");
  CHECK(refusal(R"(["ab\q"])") == "byte 4: an unknown escape");
  for (const char* lone :
       {R"("\ud800")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")", R"("\udc00")", R"("\udfff\ud800")", R"("\ud800\u0041")"}) {
    CHECK(refusal(lone) == "byte 1: half of a surrogate pair");
  }
}

TEST_CASE("json: text is UTF-8 without control characters") {
  CHECK(good("\"\x7f\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf\"").string(0).size() == 16);
  for (const char* bad : {"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xc3\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"",
                          "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xff\"", "\"\\n\x80\""}) {
    CHECK(refusal(bad).ends_with("a string is not UTF-8"));
  }
  CHECK(refusal("\"a\nb\"") == "byte 2: a control character in a string");
  CHECK(refusal(std::string_view("\"a\0\"", 4)) == "byte 2: a control character in a string");
  CHECK(refusal("\xef\xbb\xbf{}") == "byte 0: no JSON value");
}

TEST_CASE("json: a key that is there twice is refused, escaped or not") {
  CHECK(refusal(R"({"a":1,"b":2,"a":3})") != "accepted");
  CHECK(refusal(R"({"a":1,"\u0061":2})").ends_with("there twice"));
  CHECK(refusal(R"({"":1,"":2})").ends_with("there twice"));
  CHECK(good(R"({"a":{"a":1},"b":{"a":2}})").size(0) == 2);
}

TEST_CASE("json: structure is strict") {
  for (const char* bad : {"",           "  ",    "{",       "[",        "}",         "]",     "{]",       "[}",      "[1,]", "[,1]", "[1 2]",
                          "{\"a\":1,}", "{,}",   "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{1:2}",    "{'a':1}", "[1]]", "[1],", "{} {}",
                          "tru",        "nulll", "True",    "// x\n1",  "[1/**/]",   "\"a",   "{\"a\":1", "[\"a\"",  "[[]",  ":"}) {
    CHECK_MESSAGE(refusal(bad) != "accepted", std::string(bad));
  }
  CHECK(refusal("[1 2]") == "byte 3: a comma or ] is expected");
  CHECK(refusal("{\"a\":1 2}") == "byte 7: a comma or } is expected");
  CHECK(refusal("{\"a\" 1}") == "byte 5: a colon is expected");
  CHECK(refusal("{1:2}") == "byte 1: a key in quotes is expected");
  CHECK(refusal("[1") == "byte 2: a comma or ] is expected");
  CHECK(refusal("\"a") == "byte 2: a string does not end");
}

TEST_CASE("json: nesting stops at the limit, at no cost") {
  CHECK(refusal(repeat("[", 256) + repeat("]", 256)) == "accepted");
  CHECK(refusal(repeat("[", 257) + repeat("]", 257)) == "byte 256: nested too deeply");
  CHECK(refusal(repeat("{\"a\":", 256) + "1" + repeat("}", 256)) == "accepted");
  CHECK(refusal(repeat("{\"a\":", 257) + "1" + repeat("}", 257)).ends_with("nested too deeply"));
  CHECK(refusal(repeat("[", 10'000'000)) == "byte 256: nested too deeply");
  CHECK(refusal("[[[]]]", {.depth = 2}) == "byte 2: nested too deeply");
  CHECK(refusal("[[],[],{}]", {.depth = 2}) == "accepted");
  CHECK(refusal("1", {.depth = 0}) == "accepted");
}

TEST_CASE("json: texts above the limit are not read") {
  CHECK(refusal("[1,2]", {.bytes = 4}).starts_with("of more than"));
  CHECK(refusal("[1,2]", {.bytes = 5}) == "accepted");
}

TEST_CASE("json: a million items cost their size") {
  const std::string text = "[" + repeat("0,", 999'999) + "7]";
  const Json j = good(text);
  CHECK(j.size(0) == 1'000'000);
  CHECK(j.integer(j.item(0, 999'999)) == 7);
  CHECK(j.integer(j.item(0, 999'998)) == 0);
}

TEST_CASE("json: a document cut anywhere is refused") {
  const std::string text = R"({"a":[1,{"b":"\u00e9x"},true],"c":-1.5e3,"d":null})";
  good(text);
  for (size_t n = 0; n < text.size(); ++n) CHECK(refusal(std::string_view(text).substr(0, n)) != "accepted");
}

}  // namespace in_json
