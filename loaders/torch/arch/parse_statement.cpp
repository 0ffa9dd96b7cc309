// Statements. See parse_function.h.
#include "loaders/torch/arch/parse_function.h"

namespace tern::torch {
// Skips what is on this logical line; bad characters in it do not matter, but a string or a bracket must end.
bool Parser::skip_line() {
  while (lexer_.peek().kind != Token::Kind::newline && lexer_.peek().kind != Token::Kind::end) {
    if (lexer_.peek().kind == Token::Kind::error) return refuse(lexer_.peek(), "");
    lexer_.next();
  }
  if (lexer_.peek().kind == Token::Kind::newline) lexer_.next();
  return true;
}

// After the ':' of a def, an if, a for: an indented block, or statements on the same line.
bool Parser::block(Block& out) {
  if (!expect(":", "this")) return false;
  if (lexer_.peek().kind != Token::Kind::newline) return simple(out);
  lexer_.next();
  if (lexer_.peek().kind != Token::Kind::indent) return refuse(lexer_.peek(), "expected an indented block");
  if (blocks_ >= kMostNesting) return refuse(lexer_.peek(), "blocks nest more than " + std::to_string(kMostNesting) + " deep");
  lexer_.next();
  ++blocks_;
  while (lexer_.peek().kind != Token::Kind::dedent && lexer_.peek().kind != Token::Kind::end) {
    if (!statement(out)) return false;
  }
  --blocks_;
  if (lexer_.peek().kind == Token::Kind::dedent) lexer_.next();
  return true;
}

bool Parser::statement(Block& out) {
  const Token& t = lexer_.peek();
  if (t.kind == Token::Kind::error) return refuse(t, "");
  if (t.kind == Token::Kind::indent) return refuse(t, "this line is indented more than the lines above");
  if (t.is("if")) return branch(out);
  if (t.is("for")) return loop(out);
  if (t.is("with")) return with(out);
  if (t.is("@") || ((t.is("def") || t.is("class")) && blocks_ > 0)) {
    return refuse(t, std::string(t.is("class") ? "a class" : "a function") + " inside a forward is not allowed" + kAllowed);
  }
  return simple(out);
}

// if, elif; the word is still to be read.
bool Parser::branch(Block& out) {
  Block* into = &out;
  int chain = 0;
  while (true) {  // elif: a branch in the block of its else, which nests the tree
    Statement s;
    s.kind = Statement::Kind::branch;
    s.place = lexer_.next().place;
    if (++chain + blocks_ > kMostNesting) return refuse_at(s.place, "more than " + std::to_string(kMostNesting) + " branches");
    if (!(s.value = expression()) || !block(s.body)) return false;
    into->push_back(std::move(s));
    into = &into->back().otherwise;
    if (!lexer_.peek().is("elif")) break;
  }
  if (!lexer_.peek().is("else")) return true;
  lexer_.next();
  return block(*into);
}

bool Parser::loop(Block& out) {
  Statement s;
  s.kind = Statement::Kind::loop;
  s.place = lexer_.next().place;
  std::vector<ExpressionPtr> names;
  bool comma = false;
  while (!lexer_.peek().is("in")) {
    ExpressionPtr name = binary(0);
    if (!name || !target_ok(*name)) return false;
    names.push_back(std::move(name));
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
    comma = true;
  }
  if (names.empty()) return refuse(lexer_.peek(), "expected the names of a for");
  s.targets.push_back(comma ? make(Expression::Kind::tuple, s.place, std::move(names)) : std::move(names[0]));
  if (!s.targets[0] || !expect("in", "the names of a for")) return false;
  if (!(s.value = expressions()) || !block(s.body)) return false;
  if (lexer_.peek().is("else")) return refuse(lexer_.peek(), std::string("the else of a loop is not allowed in a forward") + kAllowed);
  out.push_back(std::move(s));
  return true;
}

// with torch.no_grad(): what is in it runs as if it stood alone.
bool Parser::with(Block& out) {
  lexer_.next();
  ExpressionPtr context = expression();
  if (!context) return false;
  const Expression& called = context->kind == Expression::Kind::call ? *context->parts[0] : *context;
  constexpr std::string_view kInert[] = {"no_grad", "inference_mode", "enable_grad", "set_grad_enabled", "autocast", "record_function"};
  bool inert = false;
  for (std::string_view name : kInert) inert |= called.text == name;
  if (!inert) return refuse_at(context->place, std::string("only with torch.no_grad() and its like are allowed in a forward") + kAllowed);
  return block(out);
}

bool Parser::target_ok(const Expression& target) {
  using Kind = Expression::Kind;
  switch (target.kind) {
    case Kind::name: return true;
    case Kind::starred: return target_ok(*target.parts[0]);
    case Kind::tuple:
    case Kind::list:
      for (const ExpressionPtr& part : target.parts) {
        if (!target_ok(*part)) return false;
      }
      return true;
    case Kind::index: return true;  // of dicts and lists; tensors are refused when they are met
    case Kind::attribute:
      return refuse_at(target.place, "an assignment to an attribute (" + target.text + ") is not allowed in a forward; use a variable");
    default: return refuse_at(target.place, "this cannot be assigned to");
  }
}

// Simple statements separated by semicolons, to the end of the line.
bool Parser::simple(Block& out) {
  while (true) {
    Statement s;
    const Token t = lexer_.peek();
    s.place = t.place;
    if (t.is("return") || t.is("del")) {
      lexer_.next();
      s.kind = t.is("return") ? Statement::Kind::give : Statement::Kind::forget;
      const Token& after = lexer_.peek();
      if (after.kind != Token::Kind::newline && after.kind != Token::Kind::end && !after.is(";") && !(s.value = expressions())) return false;
      out.push_back(std::move(s));
    } else if (t.is("break") || t.is("continue")) {
      lexer_.next();
      s.kind = t.is("break") ? Statement::Kind::stop : Statement::Kind::skip;
      out.push_back(std::move(s));
    } else if (t.is("pass")) {
      lexer_.next();
    } else if (t.is("assert") || (t.is("print") && lexer_.peek(1).is("("))) {
      return skip_line();
    } else if (t.is("raise")) {
      s.kind = Statement::Kind::raise;
      out.push_back(std::move(s));
      return skip_line();
    } else if (!assignment(out)) {
      return false;
    }
    if (out.size() > 0 && room_ == 0) return refuse_at(s.place, "the forwards of this file hold too many statements");
    if (lexer_.peek().is(";")) {
      lexer_.next();
      if (lexer_.peek().kind != Token::Kind::newline) continue;
    }
    break;
  }
  if (lexer_.peek().kind == Token::Kind::newline) return lexer_.next(), true;
  if (lexer_.peek().kind == Token::Kind::end) return true;
  return refuse(lexer_.peek(), "expected the end of the line, not '" + printable(lexer_.peek().text, 20) + "'");
}

// a = b = …, a, *b = …, a += …, a: Tensor = …, or an expression alone.
bool Parser::assignment(Block& out) {
  Statement s;
  s.place = lexer_.peek().place;
  ExpressionPtr first = expressions();
  if (!first) return false;
  const Token t = lexer_.peek();
  if (t.is(":") && first->kind == Expression::Kind::name) {
    if (lexer_.next(); !annotation(nullptr, "=")) return false;
    if (!lexer_.peek().is("=")) return true;
  }
  if (t.kind == Token::Kind::op && t.text.size() >= 2 && t.text.back() == '=' && t.text != "==" && t.text != "<=" && t.text != ">=" &&
      t.text != "!=") {
    lexer_.next();
    if (first->kind != Expression::Kind::name && first->kind != Expression::Kind::index) {
      return refuse_at(first->place, "only a variable can be changed by " + std::string(t.text));
    }
    s.kind = Statement::Kind::augmented;
    s.text = t.text.substr(0, t.text.size() - 1);
    s.targets.push_back(std::move(first));
    if (!(s.value = expressions())) return false;
    out.push_back(std::move(s));
    return true;
  }
  s.kind = Statement::Kind::expression;
  s.value = std::move(first);
  while (lexer_.peek().is("=")) {
    lexer_.next();
    s.kind = Statement::Kind::assign;
    if (!target_ok(*s.value)) return false;
    s.targets.push_back(std::move(s.value));
    if (!(s.value = expressions())) return false;
  }
  out.push_back(std::move(s));
  if (room_ > 0) --room_;
  return true;
}

}  // namespace tern::torch
