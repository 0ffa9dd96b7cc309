// Functions, classes and bare statements. See parse_function.h. Next: names.cpp, what they read.
#include "loaders/torch/arch/parse_function.h"

#include <algorithm>

#include "loaders/torch/module/dtypes.h"

namespace tern::torch {

// Up to one of the characters of `stops` outside of brackets: `f32[N, 3]` is a type, anything else is skipped.
bool Parser::annotation(Parameter* p, std::string_view stops) {
  const Token first = lexer_.peek();
  size_t end = first.offset;
  int depth = 0;
  while (true) {
    const Token& t = lexer_.peek();
    if (t.kind == Token::Kind::error) return refuse(t, "");
    if (t.kind == Token::Kind::newline || t.kind == Token::Kind::end) break;
    if (depth == 0 && t.kind == Token::Kind::op && t.text.size() == 1 && stops.find(t.text[0]) != stops.npos) break;
    depth += t.is("(") || t.is("[");
    depth -= t.is(")") || t.is("]");
    end = t.offset + t.text.size();
    lexer_.next();
  }
  if (end == first.offset) return refuse(lexer_.peek(), "expected a type");
  if (p == nullptr) return true;
  const std::string_view text = std::string_view(source_->text).substr(first.offset, end - first.offset);
  const size_t bracket = text.find('[');
  if (bracket == text.npos || text.back() != ']') return true;
  const auto dtype = dtype_named(text.substr(0, text.find_last_not_of(" \t", bracket - 1) + 1));
  if (!dtype) return true;
  std::vector<Dim> dims;
  for (std::string_view rest = text.substr(bracket + 1, text.size() - bracket - 2); rest.find_first_not_of(" \t\r\n") != rest.npos;) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const auto dim = parse_dim(rest.substr(0, comma));
    if (!dim || (dim->known() && dim->value() < 0))
      return refuse_at(first.place, "'" + printable(rest.substr(0, comma), 30) + "' is no size; write f32[N, 3, 224, 224]");
    dims.push_back(*dim);
    if (dims.size() > size_t(kMaxRank)) return refuse_at(first.place, "more than " + std::to_string(kMaxRank) + " dimensions");
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  p->type = TypeInfo{*dtype, Shape(std::move(dims))};
  return true;
}

// After '(' up to and with ')'.
bool Parser::parameters(Function& f, bool method) {
  bool named_only = false;
  while (!lexer_.peek().is(")")) {
    const Token t = lexer_.peek();
    if (t.is("*") || t.is("**")) {
      lexer_.next();
      if (is_name()) (t.is("*") ? f.rest : f.named_rest) = lexer_.next().text;
      else if (t.is("**")) return refuse(lexer_.peek(), "expected a name after '**'");
      if (lexer_.peek().is(":") && (lexer_.next(), !annotation(nullptr, ",)"))) return false;
      named_only = true;
    } else if (t.is("/")) {
      lexer_.next();
    } else if (is_name()) {
      Parameter p;
      p.name = lexer_.next().text;
      p.place = t.place;
      if (lexer_.peek().is(":") && (lexer_.next(), !annotation(&p, ",)="))) return false;
      if (lexer_.peek().is("=")) {
        lexer_.next();
        ExpressionPtr value = expression();
        if (!value) return false;
        p.fallback = literal_of(*value);
        if (!p.fallback) return refuse_at(value->place, "the default of " + p.name + " must be a constant");
      }
      for (const Parameter& other : f.parameters) {
        if (other.name == p.name) return refuse_at(p.place, "there are two parameters " + p.name);
      }
      if (method && f.self.empty() && f.parameters.empty()) f.self = p.name;
      else f.parameters.push_back(std::move(p));
    } else {
      return refuse(t, "expected the name of a parameter");
    }
    if (!named_only) f.positional = f.parameters.size();
    if (!lexer_.peek().is(",")) break;
    lexer_.next();
  }
  return expect(")", "the parameters of a function");
}

bool Parser::decorators(bool& is_static) {
  while (lexer_.peek().is("@")) {
    is_static |= lexer_.peek(1).is("staticmethod");
    if (!skip_line()) return false;
  }
  return true;
}

// def NAME(…) -> …: block. Outside of classes `def Block.forward(self, x)` gives the class.
std::shared_ptr<Function> Parser::function(bool in_class, std::string& cls) {
  auto f = std::make_shared<Function>();
  bool is_static = false;
  if (!decorators(is_static)) return nullptr;
  if (!expect("def", "a decorator")) return nullptr;
  if (!is_name()) return refuse(lexer_.peek(), "expected a name after def"), nullptr;
  f->place = lexer_.peek().place;
  f->name = lexer_.next().text;
  while (lexer_.peek().is(".") && !in_class) {
    lexer_.next();
    if (!is_name()) return refuse(lexer_.peek(), "expected a name after '.'"), nullptr;
    cls = f->name;
    f->name = lexer_.next().text;
  }
  if (!expect("(", "the name of a function")) return nullptr;
  const bool method = !is_static && (in_class || !cls.empty() || lexer_.peek().is("self"));
  if (!parameters(*f, method)) return nullptr;
  if (lexer_.peek().is("->") && (lexer_.next(), !annotation(nullptr, ":"))) return nullptr;
  ++blocks_;
  const bool ok = block(f->body);
  --blocks_;
  if (!ok) return nullptr;
  f->source = source_;
  return f;
}

// From a ':' past its block, whatever is in it.
bool Parser::skip_block() {
  while (!lexer_.peek().is(":") || lexer_.peek(1).kind != Token::Kind::newline) {  // the head may hold brackets with ':'
    const Token& t = lexer_.peek();
    if (t.kind == Token::Kind::error) return refuse(t, "");
    if (t.kind == Token::Kind::end) return true;
    if (t.kind == Token::Kind::newline) return lexer_.next(), true;  // def f(self): pass
    lexer_.next();
  }
  lexer_.next();
  lexer_.next();
  if (lexer_.peek().kind != Token::Kind::indent) return refuse(lexer_.peek(), "expected an indented block");
  int depth = 0;
  do {
    const Token t = lexer_.next();
    if (t.kind == Token::Kind::error) return refuse(t, "");
    if (t.kind == Token::Kind::end) return true;
    depth += t.kind == Token::Kind::indent;
    depth -= t.kind == Token::Kind::dedent;
  } while (depth > 0);
  return true;
}

namespace {

constexpr size_t kMostBases = 16;

// What the assignments to one attribute in __init__ say, those of all branches together.
struct Assigned {
  bool module = false, other = false;  // nn.Linear(4, 8): the tree shows it; something that only Python knows
  std::vector<IValue> literals;
};

bool makes_module(const Expression& e, const std::vector<Parameter>& parameters) {
  using Kind = Expression::Kind;
  if (e.kind != Kind::call) return false;
  const Expression& callee = *e.parts[0];
  if (callee.kind == Kind::name && std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == callee.text; }))
    return true;  // norm_layer(dim)
  return (callee.kind == Kind::name || callee.kind == Kind::attribute) && std::isupper(static_cast<unsigned char>(callee.text[0]));
}

void note(const Expression& e, const std::vector<Parameter>& parameters, Assigned& out) {
  if (e.kind == Expression::Kind::conditional) {  // Attention(dim) if attend else None
    note(*e.parts[0], parameters, out);
    note(*e.parts[2], parameters, out);
  } else if (auto literal = literal_of(e)) {
    out.literals.push_back(from_literal(*literal));
  } else {
    (makes_module(e, parameters) ? out.module : out.other) = true;
  }
}

// The value where it is the only one; None where a module is the only other (the tree shows whether it is there).
const IValue* constant_of(const Assigned& a) {
  if (a.other || a.literals.empty()) return nullptr;
  const IValue& first = a.literals[0];
  for (const IValue& v : a.literals) {
    const bool none = first.is_none() && v.is_none(), one = a.literals.size() == 1 && !a.module;
    if (!none && !one) return nullptr;
  }
  return &first;
}

}  // namespace

// In the block of __init__ (its head is read up to the '('): NAME.attribute = constant, also in branches. Other lines are skipped.
bool Parser::read_constants(ClassScope& scope) {
  while (!lexer_.peek().is("(")) {
    if (lexer_.peek().kind != Token::Kind::name) return refuse(lexer_.peek(), "expected '(' after the name of a function");
    lexer_.next();
  }
  lexer_.next();
  const std::string self(is_name() ? lexer_.peek().text : "self");
  std::vector<Parameter> parameters;
  int depth = 1;
  while (depth > 0) {
    const Token t = lexer_.next();
    if (t.kind == Token::Kind::error || t.kind == Token::Kind::end) return refuse(t, "expected ')'");
    depth += t.is("(");
    depth -= t.is(")");
    const bool named = depth == 1 && t.kind == Token::Kind::name &&
                       (lexer_.peek().is(",") || lexer_.peek().is(":") || lexer_.peek().is("=") || lexer_.peek().is(")"));
    if (named && parameters.size() < kMostBases * 4) parameters.push_back({std::string(t.text), {}, {}, t.place});
  }
  while (!lexer_.peek().is(":") && lexer_.peek().kind != Token::Kind::newline && lexer_.peek().kind != Token::Kind::end) {
    if (lexer_.peek().kind == Token::Kind::error) return refuse(lexer_.peek(), "");
    lexer_.next();
  }
  if (!lexer_.peek().is(":") || lexer_.peek(1).kind != Token::Kind::newline || lexer_.peek(2).kind != Token::Kind::indent) return skip_block();
  for (int i = 0; i < 3; ++i) lexer_.next();
  std::map<std::string, Assigned, std::less<>> assigned;
  depth = 1;
  while (depth > 0) {
    const Token t = lexer_.peek();
    if (t.kind == Token::Kind::error) return refuse(t, "");
    if (t.kind == Token::Kind::end) break;
    if (t.kind == Token::Kind::indent || t.kind == Token::Kind::dedent) {
      depth += t.kind == Token::Kind::indent ? 1 : -1;
      lexer_.next();
      continue;
    }
    const bool attribute = t.is(self) && lexer_.peek(1).is(".") && lexer_.peek(2).kind == Token::Kind::name;
    if (attribute && (lexer_.peek(3).is("=") || lexer_.peek(3).is(":"))) {  // self.scale = 0.5, self.attn: nn.Module = None, self.a = self.b = 1
      std::vector<std::string> names{std::string(lexer_.peek(2).text)};
      for (int i = 0; i < 3; ++i) lexer_.next();
      if (lexer_.next().is(":") && annotation(nullptr, "=") && lexer_.peek().is("=")) lexer_.next();
      ExpressionPtr value = expression();
      for (; value && lexer_.peek().is("=") && value->kind == Expression::Kind::attribute && value->parts[0]->text == self; value = expression()) {
        names.push_back(value->text);
        lexer_.next();
      }
      for (const std::string& name : names) {
        Assigned& a = assigned[name];
        if (depth == 1) a = {};  // whatever came before
        if (value && lexer_.peek().kind == Token::Kind::newline) note(*value, parameters, a);
        else a.other = true;
      }
      error_.reset();  // what __init__ does is no concern of ours
    } else if (attribute && lexer_.peek(2).text.starts_with("register_") && lexer_.peek(3).is("(") && lexer_.peek(4).kind == Token::Kind::string) {
      ExpressionPtr call = expression();  // self.register_parameter("bias", None)
      const bool two = call && call->kind == Expression::Kind::call && call->parts.size() >= 3;
      const auto* name = two ? call->parts[1]->value.get<std::string>() : nullptr;
      if (name != nullptr) {
        Assigned& a = assigned[*name];
        if (depth == 1) a = {};
        if (literal_of(*call->parts[2])) note(*call->parts[2], parameters, a);
        else a.module = true;  // a tensor: the file has it
      }
      error_.reset();
    }
    if (!skip_line()) return false;
  }
  for (const auto& [name, a] : assigned) {
    if (const IValue* v = constant_of(a)) scope.attributes[name] = *v;
    else scope.attributes.erase(name);
  }
  return true;
}

// The indented block of a class.
bool Parser::class_body(ClassScope& scope, std::shared_ptr<Function>& forward) {
  if (lexer_.peek().kind != Token::Kind::newline) return skip_line();  // class Block(nn.Module): pass
  lexer_.next();
  if (lexer_.peek().kind != Token::Kind::indent) return refuse(lexer_.peek(), "expected an indented block");
  lexer_.next();
  while (lexer_.peek().kind != Token::Kind::dedent && lexer_.peek().kind != Token::Kind::end) {
    const Token t = lexer_.peek();
    if (t.kind == Token::Kind::error) return refuse(t, "");
    if (t.is("def") && lexer_.peek(1).is("__init__")) {
      lexer_.next();
      if (!read_constants(scope)) return false;
    } else if (t.is("def") || t.is("@")) {
      const Lexer before = lexer_;
      std::string cls;
      auto f = function(true, cls);
      if (f && f->name == "forward") {
        forward = std::move(f);
        continue;
      }
      if (!f) {  // a method that a forward need not know: refused when it is called
        lexer_ = before;
        std::optional<Error> why = std::move(error_);
        error_.reset();
        depth_ = 0;
        blocks_ = 0;
        bool is_static = false;
        if (!decorators(is_static) || !expect("def", "a decorator")) return false;
        f = std::make_shared<Function>();
        f->name = lexer_.peek().text;
        f->place = lexer_.peek().place;
        if (f->name == "forward" || !is_name()) return error_ = why, false;
        f->refusal = why ? why->message() : "";
        f->source = source_;
        if (!skip_block()) return false;
      }
      const std::string name = f->name;
      scope.methods[name] = std::move(f);
    } else if (is_name() && (lexer_.peek(1).is("=") || lexer_.peek(1).is(":"))) {  // expansion = 4, expansion: int = 4
      const std::string name(t.text);
      lexer_.next();
      if (lexer_.next().is(":") && annotation(nullptr, "=") && lexer_.peek().is("=")) lexer_.next();
      ExpressionPtr value = expression();
      const auto literal = value && lexer_.peek().kind == Token::Kind::newline ? literal_of(*value) : std::nullopt;
      if (literal) scope.attributes[name] = from_literal(*literal);
      error_.reset();
      if (!skip_line()) return false;
    } else if (t.is("class")) {
      if (!skip_block()) return false;
    } else if (!skip_line()) {  // docstrings, annotations, pass
      return false;
    }
  }
  if (lexer_.peek().kind == Token::Kind::dedent) lexer_.next();
  return true;
}

Status Parser::read_class(Program& program) {
  bool is_static = false;
  std::vector<std::string> bases;
  if (!decorators(is_static) || !expect("class", "a decorator")) return status();
  const Token name = lexer_.peek();
  if (!is_name()) return refuse(name, "expected a name after class"), status();
  lexer_.next();
  if (lexer_.peek().is("(")) {
    int depth = 0;
    do {
      const Token t = lexer_.next();
      if (t.kind == Token::Kind::error || t.kind == Token::Kind::end) return refuse(t, "expected ')'"), status();
      depth += t.is("(") || t.is("[");
      depth -= t.is(")") || t.is("]");
      const bool last = lexer_.peek().is(",") || lexer_.peek().is(")") || lexer_.peek().is("[");  // of nn.Module, not of metaclass=…
      if (depth == 1 && t.kind == Token::Kind::name && last && bases.size() < kMostBases) bases.emplace_back(t.text);
    } while (depth > 0);
  }
  if (!expect(":", "the bases of a class")) return status();
  auto scope = std::make_shared<ClassScope>();
  scope->name = name.text;
  std::shared_ptr<Function> forward;
  if (!class_body(*scope, forward)) return status();
  scope->names_of_self = names_of_self(*scope);
  program.bases[scope->name] = std::move(bases);
  program.scopes[scope->name] = scope;
  if (!forward) return {};
  if (program.functions.contains(scope->name)) return at(*source_, forward->place, "there are two forwards of " + scope->name);
  forward->scope = scope;
  forward->names_of_self = names_of_self(*forward);
  program.functions.emplace(scope->name, std::move(forward));
  return {};
}

Status Parser::read_function(Program& program) {
  std::string cls;
  auto f = function(false, cls);
  if (!f) return status();
  if (f->name != "forward") {
    if (!cls.empty()) return at(*source_, f->place, "only forwards can be given for a class from outside of it: def " + cls + ".forward(self, x)");
    const std::string name = f->name;
    if (!program.helpers.emplace(name, std::move(f)).second) return at(*source_, f ? f->place : Place{1, 1}, "there are two functions " + name);
    return {};
  }
  f->names_of_self = names_of_self(*f);
  const Place place = f->place;
  if (!program.functions.emplace(cls, std::move(f)).second) {
    return at(*source_, place, "there are two forwards" + (cls.empty() ? std::string() : " of " + cls));
  }
  return {};
}

Status Parser::read_body(Program& program) {
  auto f = std::make_shared<Function>();
  f->name = "forward";
  f->self = "self";
  f->place = lexer_.peek().place;
  while (lexer_.peek().kind != Token::Kind::end && !lexer_.peek().is("def") && !lexer_.peek().is("class") && !lexer_.peek().is("@")) {
    if (lexer_.peek().kind == Token::Kind::dedent) {
      lexer_.next();
      continue;
    }
    if (!statement(f->body)) return status();
  }
  f->parameters = free_names(f->body);
  f->positional = f->parameters.size();
  f->source = source_;
  f->names_of_self = names_of_self(*f);
  if (program.functions.contains("")) return at(*source_, f->place, "there are statements outside of the forward");
  program.functions.emplace("", std::move(f));
  return {};
}

}  // namespace tern::torch
