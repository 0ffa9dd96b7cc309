#include <cstring>

#include "runtime/base/printable.h"
#include "tools/ptxsim/parse.h"

namespace ptxsim {
namespace {

constexpr uint64_t kMostBytes = uint64_t(1) << 30;  // of one variable
constexpr int kMostDepth = 8;                       // of nested braces

}  // namespace

Status Parser::variable(Space space, Variable& v, size_t* elements, uint32_t* element_size) {
  v.space = space;
  uint32_t vector = 1;
  bool aligned = false;
  for (;;) {
    const Token t = lexer_.now();
    if (t.is(".align")) {
      lexer_.take();
      Result<uint64_t> n = integer();
      if (!n) return n.error();
      if (*n == 0 || *n > 4096 || (*n & (*n - 1)) != 0) return fail("an alignment is a power of two up to 4096");
      v.align = uint32_t(*n);
      aligned = true;
    } else if (t.is(".ptr") || t.is(".global") || t.is(".shared") || t.is(".const") || t.is(".local") || t.is(".param")) {
      lexer_.take();       // of a parameter: what it points to
      if (t.is(".ptr")) {  // its .align is that of the pointee
        while (lexer_.now().kind == Token::Kind::word && lexer_.now().text[0] == '.') {
          const Token u = lexer_.take();
          if (u.is(".align")) {
            if (Result<uint64_t> n = integer(); !n) return n.error();
          }
        }
        break;
      }
    } else if (t.is(".attribute") || t.is(".managed") || t.is(".unified")) {
      lexer_.take();
      if (lexer_.accept("(")) {
        while (!lexer_.now().is(")") && lexer_.now().kind != Token::Kind::end) lexer_.take();
        if (Status s = expect(")"); !s) return s;
      }
    } else if (t.is(".v2") || t.is(".v4")) {
      lexer_.take();
      vector = t.is(".v2") ? 2 : 4;
    } else if (t.kind == Token::Kind::word && t.text[0] == '.') {
      const Type type = type_named(t.text.substr(1));
      if (type == Type::none || size_of(type) == 0) return fail("no type of a variable");
      lexer_.take();
      v.type = type;
    } else {
      break;
    }
  }
  if (v.type == Type::none) return fail("a variable without a type");
  if (lexer_.now().kind != Token::Kind::word) return fail("expected the name of a variable");
  v.name = lexer_.take().text;
  *element_size = size_of(v.type);
  uint64_t count = vector;
  dimensions_.clear();
  if (vector != 1) dimensions_.push_back(vector);
  while (lexer_.accept("[")) {
    uint64_t n = 0;
    if (!lexer_.now().is("]")) {
      Result<uint64_t> size = integer();
      if (!size) return size.error();
      n = *size;
    }
    dimensions_.push_back(n);
    if (__builtin_mul_overflow(count, n, &count) || count > kMostBytes) return fail("a variable of more than 1 GiB");
    if (Status s = expect("]"); !s) return s;
  }
  if (!aligned) v.align = *element_size * vector;
  *elements = count;
  v.size = count * *element_size;
  if (v.size > kMostBytes) return fail("a variable of more than 1 GiB");
  return {};
}

Status Parser::initial_value(Variable& v, uint32_t element_size, uint64_t at) {
  if (at + element_size > v.size && v.size != 0) return fail("more initial values than the variable has elements");
  const bool negative = lexer_.accept("-");
  const Token t = lexer_.now();
  uint64_t bits = 0;
  if (t.kind == Token::Kind::number) {
    Operand value;
    if (Status s = number(negative, value); !s) return s;
    bits = value.bits;
    if (value.kind == Operand::Kind::real64 && v.type == Type::f32) {
      double d;
      std::memcpy(&d, &bits, 8);
      const float f = float(d);
      uint32_t f_bits;
      std::memcpy(&f_bits, &f, 4);
      bits = f_bits;
    }
  } else if (t.kind == Token::Kind::word) {
    lexer_.take();
    Variable::Reference r{at, 0, element_size, t.is("generic"), t.text, t.line};
    if (r.generic) {
      if (Status s = expect("("); !s) return s;
      r.symbol = lexer_.take().text;
    }
    for (int turn = 0; turn < 2; ++turn) {  // generic(x + 4) or generic(x) + 4
      if (lexer_.accept("+")) {
        Result<uint64_t> add = integer();
        if (!add) return add.error();
        r.add += *add;
      }
      if (!r.generic || turn == 1) break;
      if (Status s = expect(")"); !s) return s;
    }
    v.references.push_back(r);
  } else {
    return fail("expected an initial value");
  }
  if (v.initial.size() < at + element_size) v.initial.resize(at + element_size);
  std::memcpy(v.initial.data() + at, &bits, std::min<uint32_t>(element_size, 8));
  return {};
}

Status Parser::initializer(Variable& v, std::span<const uint64_t> dimensions, uint32_t element_size, uint64_t at, int depth) {
  if (!lexer_.accept("{")) return initial_value(v, element_size, at);
  if (depth >= kMostDepth) return fail("braces nested too deeply");
  uint64_t stride = element_size;
  const std::span<const uint64_t> inner = dimensions.empty() ? dimensions : dimensions.subspan(1);
  for (const uint64_t n : inner) stride *= n;  // their product is the variable's size at most
  while (!lexer_.now().is("}")) {
    const bool nested = lexer_.now().is("{");
    if (Status s = nested ? initializer(v, inner, element_size, at, depth + 1) : initial_value(v, element_size, at); !s) return s;
    at += nested ? stride : element_size;
    if (!lexer_.accept(",")) break;
  }
  if (v.size == 0 && depth == 0) v.size = v.initial.size();  // x[] = {...}
  return expect("}");
}

// After '(': to ')'.
Status Parser::parameters(std::vector<Variable*>& out) {
  while (!lexer_.accept(")")) {
    Variable& v = module_.variables.emplace_back();
    const Token space = lexer_.take();
    if (!space.is(".param") && !space.is(".reg")) return fail("expected .param");
    size_t elements = 0;
    uint32_t element_size = 0;
    if (Status s = variable(Space::param, v, &elements, &element_size); !s) return s;
    if (out.size() > 4096) return fail("more than 4096 parameters");
    out.push_back(&v);
    if (!lexer_.now().is(")")) {
      if (Status s = expect(","); !s) return s;
    }
  }
  return {};
}

// After ".reg": to ';'.
Status Parser::registers(Scope& scope) {
  const Token t = lexer_.take();
  if (t.is(".v2") || t.is(".v4")) return Error(tern::unsupported("line " + std::to_string(t.line) + ": vector registers are not supported"));
  const Type type = t.text.empty() ? Type::none : type_named(t.text.substr(1));
  if (type == Type::none) return fail("no type of a register");
  do {
    if (lexer_.now().kind != Token::Kind::word) return fail("expected the name of a register");
    const std::string_view name = lexer_.take().text;
    uint64_t count = 0;
    if (lexer_.accept("<")) {
      Result<uint64_t> n = integer();
      if (!n) return n.error();
      count = *n;
      if (Status s = expect(">"); !s) return s;
    }
    scope.registers[name] = {type, count};
  } while (lexer_.accept(","));
  return expect(";");
}

}  // namespace ptxsim
