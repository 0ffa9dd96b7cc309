// PTX text into tokens. Words keep their dots ("ld.global.f32", ".reg", "%tid.x"); numbers keep their spelling. Next: parse.h.
#pragma once
#include <string>
#include <string_view>

namespace ptxsim {

struct Token {
  enum class Kind : unsigned char { end, word, number, text, sign } kind = Kind::end;
  std::string_view text;  // of a string: without its quotes
  int line = 1;
  bool is(std::string_view t) const { return kind != Kind::text && text == t; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { next(); }
  const Token& now() const { return now_; }
  Token take() {
    Token t = now_;
    next();
    return t;
  }
  bool accept(std::string_view t) {
    if (!now_.is(t)) return false;
    next();
    return true;
  }
  size_t offset() const { return size_t(now_.text.data() - text_.data()); }  // of the token
  size_t end_of_last() const { return last_end_; }
  std::string_view text() const { return text_; }
  void skip_section();  // from '{' to its '}', whatever is inside; the token after follows

 private:
  void next();
  void skip_space();
  std::string_view text_;
  size_t at_ = 0, last_end_ = 0;
  int line_ = 1;
  Token now_;
};

}  // namespace ptxsim
