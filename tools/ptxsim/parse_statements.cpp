#include <cstdlib>
#include <cstring>

#include "runtime/base/printable.h"
#include "tools/ptxsim/parse.h"

namespace ptxsim {
namespace {

constexpr int kMostScopes = 100;            // nested
constexpr uint64_t kAllScopes = 1'000'000;  // of a file
constexpr size_t kMostOperands = 4096;      // of one statement

}  // namespace

// After '{': to its '}'.
Status Parser::body(Function& f) {
  f.scopes.emplace_back();
  int scope = 0, depth = 0;
  for (;;) {
    const Token t = lexer_.now();
    if (t.kind == Token::Kind::end) return fail("the body of '" + tern::printable(f.name, 80) + "' has no end");
    if (t.is("{")) {
      if (++depth > kMostScopes) return fail("scopes nested more than 100 deep");
      if (++scopes_ > kAllScopes) return fail("more than a million scopes");
      lexer_.take();
      f.scopes.emplace_back().parent = scope;
      scope = int(f.scopes.size()) - 1;
    } else if (t.is("}")) {
      lexer_.take();
      if (depth-- == 0) return {};
      scope = f.scopes[size_t(scope)].parent;
    } else if (t.is(";")) {
      lexer_.take();
    } else {
      if (Status s = t.text[0] == '.' && t.kind == Token::Kind::word ? directive(f, scope) : statement(f, scope); !s) return s;
    }
  }
}

Status Parser::directive(Function& f, int scope) {
  const Token t = lexer_.take();
  if (t.is(".reg")) return registers(f.scopes[size_t(scope)]);
  if (t.is(".loc")) return location();
  if (t.is(".file")) return file();
  if (t.is(".local") || t.is(".shared") || t.is(".param") || t.is(".global") || t.is(".const")) {
    const Space space = t.is(".local")    ? Space::local
                        : t.is(".shared") ? Space::shared
                        : t.is(".param")  ? Space::param
                        : t.is(".global") ? Space::global
                                          : Space::constant;
    if (space == Space::global || space == Space::constant) return fail("a global variable inside a function");
    do {
      Variable& v = module_.variables.emplace_back();
      size_t elements = 0;
      uint32_t element_size = 0;
      if (Status s = variable(space, v, &elements, &element_size); !s) return s;
      f.scopes[size_t(scope)].variables[v.name] = &v;
    } while (lexer_.accept(","));
    return expect(";");
  }
  if (t.is(".pragma") || t.is(".callprototype")) {
    while (!lexer_.now().is(";") && lexer_.now().kind != Token::Kind::end) lexer_.take();
    return expect(";");
  }
  return tern::invalid("line " + std::to_string(t.line) + ": no directive of a body that is known here: '" + tern::printable(t.text, 40) + "'");
}

Status Parser::statement(Function& f, int scope) {
  Statement s;
  s.scope = scope;
  s.line = lexer_.now().line;
  s.location = int(module_.locations.size()) - 1;
  const size_t begin = lexer_.offset();
  if (lexer_.accept("@")) {
    s.predicate_negated = lexer_.accept("!");
    if (lexer_.now().kind != Token::Kind::word) return fail("expected a predicate after '@'");
    s.predicate = lexer_.take().text;
  }
  if (lexer_.now().kind != Token::Kind::word) return fail("expected an instruction");
  s.op = lexer_.take().text;
  if (lexer_.now().is(":") && s.predicate.empty()) {
    lexer_.take();
    Scope& in = f.scopes[size_t(scope)];
    if (lexer_.accept(".branchtargets")) {
      std::vector<std::string_view>& targets = in.branch_targets[s.op];
      do targets.push_back(lexer_.take().text);
      while (lexer_.accept(","));
      return expect(";");
    }
    if (!in.labels.emplace(s.op, uint32_t(f.statements.size())).second) return fail("the label '" + tern::printable(s.op, 80) + "' is there twice");
    return {};
  }
  while (!lexer_.now().is(";")) {
    if (s.operands.size() >= kMostOperands) return fail("too many operands");
    if (Status status = operand(s.operands.emplace_back(), 0); !status) return status;
    if (!lexer_.now().is(";")) {
      if (Status status = expect(","); !status) return status;
    }
  }
  lexer_.take();
  s.text = lexer_.text().substr(begin, lexer_.end_of_last() - begin);
  f.statements.push_back(std::move(s));
  return {};
}

Status Parser::number(bool negative, Operand& o) {
  const Token t = lexer_.take();
  const std::string_view text = t.text;
  const auto bad = [&] { return tern::invalid("line " + std::to_string(t.line) + ": no number: '" + tern::printable(text, 40) + "'"); };
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'f' || text[1] == 'F' || text[1] == 'd' || text[1] == 'D')) {
    const bool single = (text[1] | 0x20) == 'f';
    if (text.size() != (single ? 10u : 18u) || !parse_integer("0x" + std::string(text.substr(2)), &o.bits)) return bad();
    o.kind = single ? Operand::Kind::real32 : Operand::Kind::real64;
    if (negative) o.bits ^= single ? uint64_t(1) << 31 : uint64_t(1) << 63;
    return {};
  }
  if (text.find('.') != std::string_view::npos) {
    char* end = nullptr;
    const std::string copy(text);
    const double value = std::strtod(copy.c_str(), &end) * (negative ? -1 : 1);
    if (*end != '\0') return bad();
    std::memcpy(&o.bits, &value, 8);
    o.kind = Operand::Kind::real64;
    return {};
  }
  if (!parse_integer(text, &o.bits)) return bad();
  o.kind = Operand::Kind::integer;
  if (negative) o.bits = uint64_t(0) - o.bits;
  return {};
}

// After '[': to ']'.
Status Parser::address(Operand& o) {
  o.kind = Operand::Kind::address;
  if (lexer_.now().kind == Token::Kind::word) {
    o.name = lexer_.take().text;
  } else if (lexer_.now().kind == Token::Kind::number) {
    Result<uint64_t> n = integer();
    if (!n) return n.error();
    o.bits = *n;
  } else {
    return fail("expected an address");
  }
  while (lexer_.now().is("+") || lexer_.now().is("-")) {
    bool negative = lexer_.take().is("-");
    if (lexer_.accept("-")) negative = !negative;
    Result<uint64_t> n = integer();
    if (!n) return n.error();
    o.bits += negative ? uint64_t(0) - *n : *n;
  }
  while (lexer_.accept(",")) {  // coordinates of textures, and such: for the decoder to refuse
    if (o.items.size() >= kMostOperands) return fail("too many operands");
    if (Status s = operand(o.items.emplace_back(), 1); !s) return s;
  }
  return expect("]");
}

Status Parser::operand(Operand& o, int depth) {
  if (depth > 3) return fail("operands nested too deeply");
  const Token t = lexer_.now();
  if (lexer_.accept("[")) return address(o);
  if (t.is("{") || t.is("(")) {
    lexer_.take();
    o.kind = t.is("{") ? Operand::Kind::vector : Operand::Kind::list;
    const std::string_view close = t.is("{") ? "}" : ")";
    while (!lexer_.now().is(close)) {
      if (o.items.size() >= kMostOperands) return fail("too many operands");
      if (Status s = operand(o.items.emplace_back(), depth + 1); !s) return s;
      if (!lexer_.now().is(close)) {
        if (Status s = expect(","); !s) return s;
      }
    }
    lexer_.take();
  } else if (t.kind == Token::Kind::number) {
    if (Status s = number(false, o); !s) return s;
  } else {
    if (lexer_.accept("!")) {
      o.negated = true;
    } else if (lexer_.accept("-")) {
      if (lexer_.now().kind == Token::Kind::number) return number(true, o);
      o.negated = true;
    }
    if (lexer_.now().kind != Token::Kind::word) return fail("expected an operand");
    o.name = lexer_.take().text;
    o.kind = o.name == "_" ? Operand::Kind::sink : Operand::Kind::name;
    if (lexer_.accept("+")) {
      const bool negative = lexer_.accept("-");
      Result<uint64_t> n = integer();
      if (!n) return n.error();
      o.bits = negative ? uint64_t(0) - *n : *n;
    }
  }
  if (lexer_.accept("|")) {
    Operand first = std::move(o);
    o = Operand();
    o.kind = Operand::Kind::pair;
    o.items.push_back(std::move(first));
    if (Status s = operand(o.items.emplace_back(), depth + 1); !s) return s;
  }
  return {};
}

}  // namespace ptxsim
