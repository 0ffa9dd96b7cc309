// What of others' strings reaches a terminal.
#include "runtime/base/printable.h"

#include <doctest/doctest.h>

namespace tern::test::in_printable {

TEST_CASE("printable: letters of every script and emoji stay") {
  for (const char* text : {"conv1/weight:0", "ß, Ω, 語, العربية, हिन्दी", "\U0001f600", "C:\\new", ""}) CHECK(printable(text) == text);
}

TEST_CASE("printable: controls are spelt out, also C1 as UTF-8 and as a lone byte") {
  CHECK(printable("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(printable(std::string_view("a\0b\n\r\t\x7f", 7)) == "a\\x00b\\x0a\\x0d\\x09\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\u009b31m");
  CHECK(printable("\x9b"
                  "31m") == "\\x9b31m");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");
}

TEST_CASE("printable: marks of direction, separators, byte-order marks and invisible characters are spelt out") {
  CHECK(printable("a\u202eb\u2066c\u061c\u200f") == "a\\u202eb\\u2066c\\u061c\\u200f");
  CHECK(printable("\u2028\u2029\ufeff\u200b\u2060") == "\\u2028\\u2029\\ufeff\\u200b\\u2060");
  CHECK(printable("\U000e0041") == "\\U000e0041");
}

TEST_CASE("printable: what is no UTF-8 is spelt byte by byte: cut off, overlong, surrogates, beyond the last code point") {
  CHECK(printable("\xe2\x80") == "\\xe2\\x80");
  CHECK(printable("\xc0\x9b") == "\\xc0\\x9b");
  CHECK(printable("\xe0\x80\x9b") == "\\xe0\\x80\\x9b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xff"
                  "a") == "\\xffa");
}

TEST_CASE("printable: a limit cuts between characters; printing twice does no harm; one character may stay") {
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("abc", 3) == "abc");
  CHECK(printable("aß", 2) == "a...");
  const std::string once = printable("a\x1b\u202e\xff");
  CHECK(printable(once) == once);
  CHECK(printable("a\nb\x1b", std::string_view::npos, '\n') == "a\nb\\x1b");
}

}  // namespace tern::test::in_printable
