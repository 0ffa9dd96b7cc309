// See lexer.h.
#include "loaders/torch/arch/lexer.h"

#include <cctype>

namespace tern::torch {
namespace {

constexpr size_t kMostIndents = 100;  // as Python has it

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool in_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)); }

// Longest first.
constexpr std::string_view kOperators[] = {"**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", "+=", "-=",
                                           "*=",  "/=",  "%=",  "&=",  "|=",  "^=", "@=", ":=", "+",  "-",  "*",  "/",  "%",  "@",  "&",  "|",
                                           "^",   "~",   "<",   ">",   "(",   ")",  "[",  "]",  "{",  "}",  ",",  ":",  ".",  ";",  "="};

}  // namespace

Lexer::Lexer(const SourceText& source, size_t offset) : source_(&source), pos_(offset), line_begin_(offset) { line_ = source.place_of(offset).line; }

const Token& Lexer::peek(size_t ahead) {
  while (ahead_.size() <= ahead) ahead_.push_back(scan());
  return ahead_[ahead];
}

Token Lexer::next() {
  const Token t = peek();
  ahead_.pop_front();
  return t;
}

Token Lexer::make(Token::Kind kind, size_t begin, size_t end) {
  pos_ = end;
  return {kind, std::string_view(source_->text).substr(begin, end - begin), {line_, static_cast<int>(begin - line_begin_) + 1}, begin};
}

Token Lexer::fail(size_t begin, std::string message) {
  message_ = std::move(message);
  ended_ = true;
  Token t = make(Token::Kind::error, begin, begin);
  pos_ = source_->text.size();
  return t;
}

// At the start of a line: reads its indentation, skips it when nothing is on it.
bool Lexer::begin_line() {
  int width = 0;
  size_t i = pos_;
  for (;; ++i) {
    if (at(i) == ' ') ++width;
    else if (at(i) == '\t') width = width / 8 * 8 + 8;
    else if (at(i) == '\f') width = 0;
    else break;
  }
  if (at(i) == '#') i = std::min(source_->text.find('\n', i), source_->text.size());
  if (at(i) == '\r' && at(i + 1) == '\n') ++i;
  pos_ = i;
  if (at(i) == '\n' || i >= source_->text.size()) return true;  // a blank line
  fresh_line_ = false;
  if (indents_.empty()) indents_.push_back(width);
  if (width > indents_.back()) {
    indents_.push_back(width);
    indent_ = true;
  }
  while (indents_.size() > 1 && width < indents_.back()) {
    indents_.pop_back();
    ++dedents_;
  }
  if (width < indents_.back()) ended_ = true;  // outside of what was asked for
  else if (width > indents_.back()) message_ = "this line's indentation fits none of the lines above";
  return false;
}

Token Lexer::scan() {
  while (true) {
    if (indent_) {
      indent_ = false;
      if (indents_.size() > kMostIndents) return fail(pos_, "blocks nest more than " + std::to_string(kMostIndents) + " deep");
      return make(Token::Kind::indent, pos_, pos_);
    }
    if (dedents_ > 0) {
      --dedents_;
      return make(Token::Kind::dedent, pos_, pos_);
    }
    if (!message_.empty()) return fail(pos_, message_);
    if (ended_) return make(Token::Kind::end, pos_, pos_);
    if (fresh_line_ && brackets_ == 0) {
      if (!begin_line()) continue;
    } else {
      fresh_line_ = false;
      while (at(pos_) == ' ' || at(pos_) == '\t' || at(pos_) == '\f' || (at(pos_) == '\r' && at(pos_ + 1) == '\n')) ++pos_;
    }
    if (at(pos_) == '#') pos_ = std::min(source_->text.find('\n', pos_), source_->text.size());
    if (pos_ >= source_->text.size()) {
      if (brackets_ > 0) return fail(pos_, "a bracket is never closed");
      if (content_) {
        content_ = false;
        return make(Token::Kind::newline, pos_, pos_);
      }
      ended_ = true;
      if (!indents_.empty()) dedents_ = static_cast<int>(indents_.size()) - 1;
      continue;
    }
    const size_t begin = pos_;
    const char c = at(begin);
    const bool joins = c == '\\' && (at(begin + 1) == '\n' || (at(begin + 1) == '\r' && at(begin + 2) == '\n'));
    if (c == '\n' || joins) {
      Token t = make(Token::Kind::newline, begin, begin + (c == '\n' ? 1 : at(begin + 1) == '\n' ? 2 : 3));
      ++line_;
      line_begin_ = pos_;
      if (joins) continue;
      fresh_line_ = true;
      if (brackets_ > 0 || !content_) continue;
      content_ = false;
      return t;
    }
    content_ = true;
    if (starts_name(c)) {
      size_t end = begin + 1;
      while (in_name(at(end))) ++end;
      if ((at(end) == '\'' || at(end) == '"') && end - begin <= 2 &&
          std::string_view(source_->text).substr(begin, end - begin).find_first_not_of("rRbBuUfF") == std::string_view::npos) {
        return string(begin, end);
      }
      return make(Token::Kind::name, begin, end);
    }
    if (std::isdigit(static_cast<unsigned char>(c)) || (c == '.' && std::isdigit(static_cast<unsigned char>(at(begin + 1))))) return number(begin);
    if (c == '\'' || c == '"') return string(begin, begin);
    for (std::string_view op : kOperators) {
      if (std::string_view(source_->text).substr(begin, op.size()) != op) continue;
      brackets_ += op == "(" || op == "[" || op == "{";
      brackets_ -= (op == ")" || op == "]" || op == "}") && brackets_ > 0;
      return make(Token::Kind::op, begin, begin + op.size());
    }
    return fail(begin, std::string("the character ") +
                           (c > ' ' && c <= '~' ? std::string(1, c) : "of code " + std::to_string(static_cast<unsigned char>(c))) +
                           " has no place here");
  }
}

Token Lexer::number(size_t begin) {
  size_t end = begin;
  if (at(begin) == '0' && std::string_view("xXoObB").find(at(begin + 1)) != std::string_view::npos && at(begin + 1) != '\0') {
    end = begin + 2;
    while (std::isxdigit(static_cast<unsigned char>(at(end))) || at(end) == '_') ++end;
  } else {
    while (std::isdigit(static_cast<unsigned char>(at(end))) || at(end) == '_' || at(end) == '.') ++end;
    if (at(end) == 'e' || at(end) == 'E') {
      const size_t digits = end + (at(end + 1) == '-' || at(end + 1) == '+' ? 2 : 1);
      if (std::isdigit(static_cast<unsigned char>(at(digits)))) {
        end = digits;
        while (std::isdigit(static_cast<unsigned char>(at(end)))) ++end;
      }
    }
  }
  if (in_name(at(end))) return fail(begin, "this is no number");
  return make(Token::Kind::number, begin, end);
}

Token Lexer::string(size_t begin, size_t quote) {
  const char q = at(quote);
  const bool triple = at(quote + 1) == q && at(quote + 2) == q;
  int lines = 0;
  size_t last_line = line_begin_;
  for (size_t i = quote + (triple ? 3 : 1); i < source_->text.size(); ++i) {
    if (at(i) == q && (!triple || (at(i + 1) == q && at(i + 2) == q))) {
      Token t = make(Token::Kind::string, begin, i + (triple ? 3 : 1));
      line_ += lines;
      line_begin_ = last_line;
      return t;
    }
    if (at(i) == '\\') ++i;  // in raw strings too, a quote after it is no end
    if (at(i) == '\n') {
      if (!triple && at(i - 1) != '\\') break;
      ++lines;
      last_line = i + 1;
    }
  }
  return fail(begin, "a string is never closed");
}

std::string unescaped(std::string_view body, bool raw) {
  if (raw) return std::string(body);
  std::string out;
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      out += body[i];
      continue;
    }
    constexpr std::string_view kLetters = "ntr0\\'\"", kMeanings("\n\t\r\0\\'\"", 7);
    const char c = body[++i];
    if (c == '\n') continue;  // a joined line
    if (const size_t known = kLetters.find(c); known != kLetters.npos) out += kMeanings[known];
    else out += {'\\', c};
  }
  return out;
}

}  // namespace tern::torch
