// See expression.h. A parser by recursive descent, as deep as kMostDepth.
#include "loaders/torch/export/expression.h"

#include <charconv>
#include <climits>
#include <vector>

namespace tern::torch {
namespace {

constexpr size_t kMostBytes = 4096;
constexpr int kMostDepth = 64;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::optional<Dim>> run() {
    auto value = expression(0);
    if (bad_ || at_ != text_.size()) return invalid("'" + std::string(text_.substr(0, 100)) + "' is no size");
    return value;
  }

 private:
  using Value = std::optional<Dim>;  // nothing: not linear

  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Value fail() {
    bad_ = true;
    return std::nullopt;
  }
  std::string_view word() {
    skip_blanks();
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // Name(argument, …); an argument is an expression, a text in quotes, or name=word.
  Value expression(int depth) {
    if (depth > kMostDepth) return fail();
    const std::string_view name = word();
    if (name.empty()) return fail();
    if (!take('(')) return std::nullopt;  // oo, int_oo, nan
    if (name == "Integer") return integer();
    if (name == "Symbol" || name == "Dummy") return symbol();
    std::vector<Value> arguments;
    do {
      arguments.push_back(argument(depth));
      if (bad_) return std::nullopt;
    } while (take(','));
    return take(')') ? apply(name, arguments) : fail();
  }

  Value argument(int depth) {
    skip_blanks();
    if (at_ < text_.size() && (text_[at_] == '-' || (text_[at_] >= '0' && text_[at_] <= '9'))) {  // Rational(1, 2)
      take('-');
      word();
      return std::nullopt;
    }
    return expression(depth + 1);
  }

  Value integer() {
    skip_blanks();
    int64_t n = 0;
    const char* begin = text_.data() + at_;
    auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), n);
    if (error != std::errc()) return fail();
    at_ += static_cast<size_t>(end - begin);
    return take(')') ? Value(Dim(n)) : fail();
  }

  // Symbol('s0', positive=True, integer=True)
  Value symbol() {
    if (!take('\'')) return fail();
    const std::string_view name = word();
    if (name.empty() || (name[0] >= '0' && name[0] <= '9') || at_ == text_.size() || text_[at_++] != '\'') return fail();
    while (take(',')) {
      if (word().empty() || !take('=') || word().empty()) return fail();
    }
    return take(')') ? Value(Dim::symbol(std::string(name))) : fail();
  }

  static Value apply(std::string_view name, const std::vector<Value>& arguments) {
    for (const Value& a : arguments) {
      if (!a) return std::nullopt;
    }
    Value value = arguments[0];
    if (name == "Add" || name == "Mul") {
      for (size_t i = 1; value && i < arguments.size(); ++i) value = name == "Add" ? add(*value, *arguments[i]) : mul(*value, *arguments[i]);
      return value;
    }
    if (arguments.size() == 2 && name == "FloorDiv") return div(*value, *arguments[1]);
    return std::nullopt;
  }

  const std::string_view text_;
  size_t at_ = 0;
  bool bad_ = false;
};

}  // namespace

Result<std::optional<Dim>> parse_expression(std::string_view text) {
  if (text.size() > kMostBytes) return invalid("a size of " + std::to_string(text.size()) + " characters");
  if (text.find('(') != text.npos && is_word(text[0]) && text.find('\'') != text.npos) return Parser(text).run();
  if (text.starts_with("Integer(")) return Parser(text).run();
  int open = 0;  // str: read where it is linear, else only looked at
  for (char c : text) {
    open += (c == '(') - (c == ')');
    if (open < 0 || (!is_word(c) && std::string_view(" +-*/%(),<>=").find(c) == std::string_view::npos)) open = INT_MIN / 2;
  }
  if (open != 0) return invalid("'" + std::string(text.substr(0, 100)) + "' is no size");
  return parse_dim(text);
}

}  // namespace tern::torch
