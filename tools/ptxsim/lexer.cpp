#include "tools/ptxsim/lexer.h"

namespace ptxsim {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$' || c == '%'; }

}  // namespace

void Lexer::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_], n = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at_;
    } else if (c == '/' && n == '/') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == '/' && n == '*') {
      const size_t end = text_.find("*/", at_ + 2);
      const size_t stop = end == std::string_view::npos ? text_.size() : end + 2;
      for (; at_ < stop; ++at_) line_ += text_[at_] == '\n';
    } else {
      return;
    }
  }
}

void Lexer::next() {
  last_end_ = at_;
  skip_space();
  now_ = Token{Token::Kind::end, text_.substr(at_, 0), line_};
  if (at_ >= text_.size()) return;
  const size_t begin = at_;
  const char c = text_[at_];
  if (c == '"') {
    size_t end = begin + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' && end + 1 < text_.size() ? 2 : 1;
    if (end > text_.size()) end = text_.size();
    now_ = Token{Token::Kind::text, text_.substr(begin + 1, end - begin - 1), line_};
    at_ = end < text_.size() && text_[end] == '"' ? end + 1 : end;
    return;
  }
  if (is_word(c) || (c == '.' && at_ + 1 < text_.size() && is_word(text_[at_ + 1]))) {
    at_ += c == '.';
    while (at_ < text_.size()) {
      if (is_word(text_[at_])) {
        ++at_;
      } else if (c != '.' && text_[at_] == '.' && at_ + 1 < text_.size() && is_word(text_[at_ + 1])) {  // ".reg.b16" is two
        ++at_;
      } else if (text_[at_] == ':' && at_ + 2 < text_.size() && text_[at_ + 1] == ':' && is_word(text_[at_ + 2])) {
        at_ += 2;
      } else {
        break;
      }
    }
    now_ = Token{is_digit(c) ? Token::Kind::number : Token::Kind::word, text_.substr(begin, at_ - begin), line_};
    return;
  }
  ++at_;
  now_ = Token{Token::Kind::sign, text_.substr(begin, 1), line_};
}

void Lexer::skip_section() {
  int depth = 0;
  do {
    if (now_.is("{")) ++depth;
    if (now_.is("}")) --depth;
    next();
  } while (depth > 0 && now_.kind != Token::Kind::end);
}

}  // namespace ptxsim
