// Expressions. See parse_function.h.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "loaders/torch/arch/parse_function.h"

namespace tern::torch {
namespace {

// Words of Python that no forward here may hold.
constexpr std::string_view kRefused[] = {"lambda", "await",  "yield",    "async", "import", "from",   "while",   "try",
                                         "with",   "global", "nonlocal", "def",   "class",  "except", "finally", "match"};
constexpr std::string_view kKeywords[] = {"if",     "else", "elif",  "for",      "in",  "is",    "and",    "or", "not",
                                          "return", "pass", "break", "continue", "del", "raise", "assert", "as"};

bool among(std::string_view word, std::span<const std::string_view> words) { return std::find(words.begin(), words.end(), word) != words.end(); }

}  // namespace

bool Parser::refuse_at(const Place& place, const std::string& what) {
  if (!error_) error_ = at(*source_, place, what);
  return false;
}

// An error token says what is wrong itself.
bool Parser::refuse(const Token& token, const std::string& what) {
  if (token.kind == Token::Kind::error) return refuse_at(token.place, lexer_.message());
  return refuse_at(token.place, what);
}

bool Parser::expect(std::string_view op, const char* after) {
  if (lexer_.peek().is(op)) return lexer_.next(), true;
  return refuse(lexer_.peek(), "expected '" + std::string(op) + "' after " + after);
}

ExpressionPtr Parser::make(Expression::Kind kind, const Place& place, std::vector<ExpressionPtr> parts, std::string text) {
  auto e = std::make_unique<Expression>();
  e->kind = kind;
  e->place = place;
  e->text = std::move(text);
  for (const ExpressionPtr& part : parts) {
    if (part) e->height = std::max(e->height, part->height + 1);
  }
  e->parts = std::move(parts);
  if (e->height > kMostNesting) return refuse_at(place, "this expression nests more than " + std::to_string(kMostNesting) + " deep"), nullptr;
  if (room_ == 0) return refuse_at(place, "the forwards of this file hold too many expressions"), nullptr;
  --room_;
  return e;
}

ExpressionPtr Parser::expressions() {
  const Place place = lexer_.peek().place;
  std::vector<ExpressionPtr> items;
  bool comma = false;
  while (true) {
    ExpressionPtr item;
    if (const Token t = lexer_.peek(); t.is("*")) {
      lexer_.next();
      item = binary(0);
      if (item)
        item = make(Expression::Kind::starred, t.place, [&] {
          std::vector<ExpressionPtr> v;
          v.push_back(std::move(item));
          return v;
        }());
    } else {
      item = expression();
    }
    if (!item) return nullptr;
    items.push_back(std::move(item));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
    comma = true;
    const Token& t = lexer_.peek();
    if (t.kind == Token::Kind::newline || t.kind == Token::Kind::end || t.is("=") || t.is(")") || t.is("]") || t.is(":") || t.is(";")) break;
  }
  if (!comma && items[0]->kind == Expression::Kind::starred) return refuse_at(place, "a starred expression has no place here"), nullptr;
  return comma ? make(Expression::Kind::tuple, place, std::move(items)) : std::move(items[0]);
}

ExpressionPtr Parser::expression() {
  if (depth_ >= kMostNesting) {
    return refuse_at(lexer_.peek().place, "this expression nests more than " + std::to_string(kMostNesting) + " deep"), nullptr;
  }
  ++depth_;
  ExpressionPtr e = conditional();
  --depth_;
  if (e && lexer_.peek().is(":="))
    return refuse(lexer_.peek(), std::string("an assignment inside an expression is not allowed in a forward") + kAllowed), nullptr;
  return e;
}

namespace {

std::vector<ExpressionPtr> list_of(ExpressionPtr a, ExpressionPtr b = nullptr, ExpressionPtr c = nullptr) {
  std::vector<ExpressionPtr> v;
  v.push_back(std::move(a));
  if (b) v.push_back(std::move(b));
  if (c) v.push_back(std::move(c));
  return v;
}

}  // namespace

ExpressionPtr Parser::conditional() {
  ExpressionPtr yes = logical(0);
  if (!yes || !lexer_.peek().is("if")) return yes;
  const Place place = lexer_.next().place;
  ExpressionPtr condition = logical(0);
  if (!condition || !expect("else", "the condition of an if expression")) return nullptr;
  ExpressionPtr no = expression();
  return no ? make(Expression::Kind::conditional, place, list_of(std::move(yes), std::move(condition), std::move(no))) : nullptr;
}

// level 0: or, 1: and, 2: not
ExpressionPtr Parser::logical(int level) {
  if (level == 2) {
    if (!lexer_.peek().is("not")) return comparison();
    if (depth_ >= kMostNesting) return refuse_at(lexer_.peek().place, "this expression nests too deep"), nullptr;
    const Place place = lexer_.next().place;
    ++depth_;
    ExpressionPtr e = logical(2);
    --depth_;
    return e ? make(Expression::Kind::unary, place, list_of(std::move(e)), "not") : nullptr;
  }
  ExpressionPtr left = logical(level + 1);
  const char* word = level == 0 ? "or" : "and";
  while (left && lexer_.peek().is(word)) {
    const Place place = lexer_.next().place;
    ExpressionPtr right = logical(level + 1);
    if (!right) return nullptr;
    left = make(level == 0 ? Expression::Kind::either : Expression::Kind::both, place, list_of(std::move(left), std::move(right)));
  }
  return left;
}

ExpressionPtr Parser::comparison() {
  ExpressionPtr left = binary(0);
  if (!left) return nullptr;
  const Place place = lexer_.peek().place;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> names;
  while (true) {
    const Token& t = lexer_.peek();
    std::string op;
    for (const char* o : {"<", "<=", ">", ">=", "==", "!=", "in", "is"}) {
      if (t.is(o)) op = o;
    }
    if (t.is("not") && lexer_.peek(1).is("in")) {
      lexer_.next();
      op = "not in";
    }
    if (op.empty()) break;
    lexer_.next();
    if (op == "is" && lexer_.peek().is("not")) {
      lexer_.next();
      op = "is not";
    }
    ExpressionPtr right = binary(0);
    if (!right) return nullptr;
    if (parts.empty()) parts.push_back(std::move(left));
    parts.push_back(std::move(right));
    names.push_back(std::move(op));
  }
  if (parts.empty()) return left;
  ExpressionPtr e = make(Expression::Kind::compare, place, std::move(parts));
  if (e) e->names = std::move(names);
  return e;
}

ExpressionPtr Parser::binary(int precedence) {
  static const std::vector<std::string_view> kLevels[] = {{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}};
  if (precedence == 6) return unary();
  ExpressionPtr left = binary(precedence + 1);
  while (left) {
    const Token t = lexer_.peek();
    if (t.kind != Token::Kind::op || !among(t.text, kLevels[precedence])) break;
    lexer_.next();
    ExpressionPtr right = binary(precedence + 1);
    if (!right) return nullptr;
    left = make(Expression::Kind::binary, t.place, list_of(std::move(left), std::move(right)), std::string(t.text));
  }
  return left;
}

// -x ** y is -(x ** y); x ** -y is allowed.
ExpressionPtr Parser::unary() {
  const Token t = lexer_.peek();
  if (depth_ >= kMostNesting) return refuse_at(t.place, "this expression nests more than " + std::to_string(kMostNesting) + " deep"), nullptr;
  if (t.is("-") || t.is("+") || t.is("~")) {
    lexer_.next();
    ++depth_;
    ExpressionPtr e = unary();
    --depth_;
    return e ? make(Expression::Kind::unary, t.place, list_of(std::move(e)), std::string(t.text)) : nullptr;
  }
  ExpressionPtr base = postfix();
  if (!base || !lexer_.peek().is("**")) return base;
  const Place place = lexer_.next().place;
  ++depth_;
  ExpressionPtr exponent = unary();
  --depth_;
  return exponent ? make(Expression::Kind::binary, place, list_of(std::move(base), std::move(exponent)), "**") : nullptr;
}

ExpressionPtr Parser::postfix() {
  ExpressionPtr e = atom();
  while (e) {
    const Token t = lexer_.peek();
    if (t.is(".")) {
      lexer_.next();
      if (!is_name()) return refuse(lexer_.peek(), "expected a name after '.'"), nullptr;
      const Token name = lexer_.next();
      e = make(Expression::Kind::attribute, name.place, list_of(std::move(e)), std::string(name.text));
    } else if (t.is("(")) {
      lexer_.next();
      const Place place = e->place;
      auto call = std::make_unique<Expression>();
      call->parts.push_back(std::move(e));
      if (!arguments(*call)) return nullptr;
      e = make(Expression::Kind::call, place, std::move(call->parts));
      if (e) e->names = std::move(call->names);
    } else if (t.is("[")) {
      lexer_.next();
      ExpressionPtr index = subscript();
      if (!index || !expect("]", "an index")) return nullptr;
      e = make(Expression::Kind::index, t.place, list_of(std::move(e), std::move(index)));
    } else {
      break;
    }
  }
  return e;
}

// After '(': the arguments and ')'.
bool Parser::arguments(Expression& call) {
  while (!lexer_.peek().is(")")) {
    std::string name;
    if (lexer_.peek().is("*") || lexer_.peek().is("**")) {
      name = lexer_.next().text;
    } else if (is_name() && lexer_.peek(1).is("=")) {
      name = lexer_.next().text;
      lexer_.next();
    }
    ExpressionPtr value = expression();
    if (!value) return false;
    if (lexer_.peek().is("for") && name.empty()) {  // f(g(l) for l in layers)
      value = comprehension(std::move(value), ")");
      if (!value) return false;
      call.parts.push_back(std::move(value));
      call.names.push_back({});
      return true;
    }
    if (name.empty() && !call.names.empty() && !call.names.back().empty() && call.names.back() != "*") {
      return refuse_at(value->place, "an argument without a name comes after one with a name");
    }
    call.parts.push_back(std::move(value));
    call.names.push_back(std::move(name));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
  }
  return expect(")", "the arguments of a call");
}

// What stands in [ ]: slices and expressions, a tuple where there is a comma.
ExpressionPtr Parser::subscript() {
  const Place place = lexer_.peek().place;
  std::vector<ExpressionPtr> items;
  bool comma = false;
  while (!lexer_.peek().is("]")) {
    const Place begin = lexer_.peek().place;
    std::vector<ExpressionPtr> bounds(1);
    auto ends = [&] { return lexer_.peek().is(":") || lexer_.peek().is("]") || lexer_.peek().is(","); };
    const bool starred = lexer_.peek().is("*");
    if (starred) lexer_.next();
    if (!ends() && !(bounds[0] = expression())) return nullptr;
    if (starred) {
      items.push_back(make(Expression::Kind::starred, begin, std::move(bounds)));
      comma = true;
    } else if (lexer_.peek().is(":")) {
      while (lexer_.peek().is(":") && bounds.size() < 3) {
        lexer_.next();
        bounds.emplace_back();
        if (!ends() && !(bounds.back() = expression())) return nullptr;
      }
      bounds.resize(3);
      items.push_back(make(Expression::Kind::slice, begin, std::move(bounds)));
    } else {
      items.push_back(std::move(bounds[0]));
    }
    if (!items.back()) return refuse(lexer_.peek(), "expected an index"), nullptr;
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
    comma = true;
  }
  if (items.empty()) return refuse(lexer_.peek(), "expected an index"), nullptr;
  return comma ? make(Expression::Kind::tuple, place, std::move(items)) : std::move(items[0]);
}

// After the first item of a list, a tuple in brackets or a call: for target in sequence if condition …, and the closing bracket.
ExpressionPtr Parser::comprehension(ExpressionPtr item, std::string_view close) {
  const Place place = lexer_.next().place;
  std::vector<ExpressionPtr> parts;
  parts.push_back(std::move(item));
  std::vector<ExpressionPtr> targets;
  while (true) {  // like expressions(), but "in" ends it
    ExpressionPtr target = binary(0);
    if (!target || !target_ok(*target)) return nullptr;
    targets.push_back(std::move(target));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
  }
  ExpressionPtr target = targets.size() == 1 ? std::move(targets[0]) : make(Expression::Kind::tuple, place, std::move(targets));
  if (!target || !expect("in", "the names of a for")) return nullptr;
  parts.push_back(std::move(target));
  parts.push_back(logical(0));
  if (!parts.back()) return nullptr;
  while (lexer_.peek().is("if")) {
    lexer_.next();
    parts.push_back(logical(0));
    if (!parts.back()) return nullptr;
  }
  if (lexer_.peek().is("for")) return refuse(lexer_.peek(), "a second for in a comprehension is not allowed in a forward"), nullptr;
  std::string after = "a comprehension";
  if (!expect(close, after.c_str())) return nullptr;
  return make(Expression::Kind::comprehension, place, std::move(parts));
}

// After the opening bracket of a list or of a tuple.
ExpressionPtr Parser::bracketed(std::string_view close) {
  const Place place = lexer_.next().place;
  const bool list = close == "]";
  std::vector<ExpressionPtr> items;
  bool comma = false;
  while (!lexer_.peek().is(close)) {
    const Token t = lexer_.peek();
    if (t.is("*")) lexer_.next();
    ExpressionPtr item = expression();
    if (!item) return nullptr;
    if (lexer_.peek().is("for") && items.empty() && !t.is("*")) return comprehension(std::move(item), close);
    if (t.is("*")) {
      item = make(Expression::Kind::starred, t.place, list_of(std::move(item)));
      if (!item) return nullptr;
    }
    items.push_back(std::move(item));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
    comma = true;
  }
  if (!expect(close, list ? "the items of a list" : "an expression in brackets")) return nullptr;
  if (!list && items.size() == 1 && !comma) {
    if (items[0]->kind == Expression::Kind::starred) return refuse_at(place, "a starred expression has no place here"), nullptr;
    return std::move(items[0]);
  }
  return make(list ? Expression::Kind::list : Expression::Kind::tuple, place, std::move(items));
}

ExpressionPtr Parser::dict() {
  const Place place = lexer_.next().place;
  std::vector<ExpressionPtr> items;
  while (!lexer_.peek().is("}")) {
    ExpressionPtr key = expression();
    if (!key || !expect(":", "the key of a dict")) return nullptr;
    ExpressionPtr value = expression();
    if (!value) return nullptr;
    if (lexer_.peek().is("for")) return refuse(lexer_.peek(), std::string("a dict comprehension is not allowed in a forward") + kAllowed), nullptr;
    items.push_back(std::move(key));
    items.push_back(std::move(value));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
  }
  if (!expect("}", "the items of a dict")) return nullptr;
  return make(Expression::Kind::dict, place, std::move(items));
}

ExpressionPtr Parser::number() {
  const Token t = lexer_.next();
  std::string digits(t.text);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  ExpressionPtr e = make(Expression::Kind::constant, t.place);
  if (!e) return nullptr;
  const bool based = digits.size() > 1 && digits[0] == '0' && std::isalpha(static_cast<unsigned char>(digits[1]));
  const char* end = digits.data() + digits.size();
  if (based || digits.find_first_of(".eE") == digits.npos) {
    const int base = !based ? 10 : digits[1] == 'x' || digits[1] == 'X' ? 16 : digits[1] == 'o' || digits[1] == 'O' ? 8 : 2;
    int64_t n = 0;
    const auto [stop, error] = std::from_chars(digits.data() + (based ? 2 : 0), end, n, base);
    if (error == std::errc::result_out_of_range) return refuse_at(t.place, "this integer does not fit into 64 bits"), nullptr;
    if (error != std::errc() || stop != end) return refuse_at(t.place, "this is no number"), nullptr;
    e->value = Int(n);
    return e;
  }
  double d = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, d);
  if (stop != end) return refuse_at(t.place, "this is no number"), nullptr;
  e->value = error == std::errc() ? d : digits.find("e-") != digits.npos || digits.find("E-") != digits.npos ? 0.0 : INFINITY;
  return e;
}

// Neighbouring strings are one. An f-string is its own text: in a forward it is the message of a check, which nobody reads here.
ExpressionPtr Parser::string() {
  const Place place = lexer_.peek().place;
  std::string all;
  while (lexer_.peek().kind == Token::Kind::string) {
    const Token t = lexer_.next();
    const size_t quote = t.text.find_first_of("'\"");
    const std::string_view prefix = t.text.substr(0, quote);
    if (prefix.find_first_of("bB") != prefix.npos) return refuse_at(t.place, std::string("bytes are not allowed in a forward") + kAllowed), nullptr;
    std::string_view body = t.text.substr(quote);
    const size_t n = body.size() >= 6 && body[1] == body[0] && body[2] == body[0] ? 3 : 1;
    all += unescaped(body.substr(n, body.size() - 2 * n), prefix.find_first_of("rR") != prefix.npos);
  }
  ExpressionPtr e = make(Expression::Kind::constant, place);
  if (e) e->value = std::move(all);
  return e;
}

ExpressionPtr Parser::atom() {
  const Token t = lexer_.peek();
  if (t.kind == Token::Kind::number) return number();
  if (t.kind == Token::Kind::string) return string();
  if (t.is("(")) return bracketed(")");
  if (t.is("[")) return bracketed("]");
  if (t.is("{")) return dict();
  if (t.is("...")) {
    lexer_.next();
    ExpressionPtr e = make(Expression::Kind::constant, t.place);
    if (e) e->value = IValue::Ellipsis{};
    return e;
  }
  if (t.kind == Token::Kind::name) {
    if (among(t.text, kRefused)) return refuse_at(t.place, std::string(t.text) + " is not allowed in a forward" + kAllowed), nullptr;
    if (among(t.text, kKeywords)) return refuse_at(t.place, "expected an expression, not '" + std::string(t.text) + "'"), nullptr;
    lexer_.next();
    if (t.text == "None" || t.text == "True" || t.text == "False") {
      ExpressionPtr e = make(Expression::Kind::constant, t.place);
      if (e && t.text != "None") e->value = t.text == "True";
      return e;
    }
    return make(Expression::Kind::name, t.place, {}, std::string(t.text));
  }
  refuse(t, t.kind == Token::Kind::newline || t.kind == Token::Kind::end ? "expected an expression before the end of the line"
                                                                         : "expected an expression, not '" + printable(t.text, 20) + "'");
  return nullptr;
}

}  // namespace tern::torch
