// Lexer: the tokens of Python, made one at a time. Indentation becomes tokens as in Python; inside brackets lines are joined.
// Next: ast.h, then parse_function.h.
#pragma once
#include <deque>
#include <vector>

#include "loaders/torch/module/source_text.h"

namespace tern::torch {

struct Token {
  enum class Kind : uint8_t { name, number, string, op, newline, indent, dedent, end, error };
  Kind kind = Kind::end;
  std::string_view text;  // as written, with quotes and prefixes; of an error: empty
  Place place;
  size_t offset = 0;  // in the text
  bool is(std::string_view t) const { return (kind == Kind::op || kind == Kind::name) && text == t; }
};

class Lexer {
 public:
  // Begins at `offset`, which is the start of a line. The indentation of the first line that holds something is the outermost one; a
  // line that is indented less ends the tokens.
  Lexer(const SourceText& source, size_t offset);

  const Token& peek(size_t ahead = 0);
  Token next();
  // What is wrong with an error token.
  const std::string& message() const { return message_; }
  const SourceText& source() const { return *source_; }

 private:
  Token scan();
  Token make(Token::Kind kind, size_t begin, size_t end);
  Token fail(size_t begin, std::string message);
  bool begin_line();  // false: a token of indentation waits
  Token number(size_t begin);
  Token string(size_t begin, size_t quote);
  char at(size_t i) const { return i < source_->text.size() ? source_->text[i] : '\0'; }

  const SourceText* source_;
  size_t pos_;
  int line_ = 1;
  size_t line_begin_;
  bool fresh_line_ = true, ended_ = false, content_ = false;
  int brackets_ = 0;
  int dedents_ = 0;
  bool indent_ = false;
  std::vector<int> indents_;
  std::deque<Token> ahead_;
  std::string message_;
};

// The characters that a string's text (without quotes) stands for.
std::string unescaped(std::string_view body, bool raw);

}  // namespace tern::torch
