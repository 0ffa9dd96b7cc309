#include "tools/ptxsim/parse.h"

#include <atomic>

#include "runtime/base/printable.h"

namespace ptxsim {
namespace {

constexpr size_t kMostText = 64u << 20;
// Module-scope variables have the same addresses on every machine, so that decoded code holds them: ranges are never given twice.
std::atomic<uint64_t> next_address{0x600000000000};

uint64_t reserve(uint64_t bytes) { return next_address.fetch_add((bytes + 0x1ffff) & ~uint64_t(0xffff)); }

}  // namespace

Error Parser::fail(const std::string& what) const {
  const Token& t = lexer_.now();
  const std::string near = t.kind == Token::Kind::end ? "the end of the file" : "'" + tern::printable(t.text, 40) + "'";
  return tern::invalid("line " + std::to_string(t.line) + ": " + what + ", at " + near);
}

Status Parser::expect(std::string_view sign) {
  if (!lexer_.accept(sign)) return fail("expected '" + std::string(sign) + "'");
  return {};
}

Result<uint64_t> Parser::integer() {
  uint64_t value = 0;
  if (lexer_.now().kind != Token::Kind::number || !parse_integer(lexer_.now().text, &value)) return fail("expected an integer");
  lexer_.take();
  return value;
}

bool parse_integer(std::string_view text, uint64_t* value) {
  while (!text.empty() && (text.back() == 'U' || text.back() == 'u')) text.remove_suffix(1);
  uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = char(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(base == 8 ? 1 : 2);
  }
  if (text.empty()) return false;
  uint64_t v = 0;
  for (const char c : text) {
    const char low = char(c | 0x20);
    const uint64_t digit = c >= '0' && c <= '9' ? uint64_t(c - '0') : low >= 'a' && low <= 'f' ? uint64_t(low - 'a' + 10) : 99;
    if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v)) return false;
  }
  *value = v;
  return true;
}

Status Parser::version() {
  const Token t = lexer_.take();
  const size_t dot = t.text.find('.');
  uint64_t major = 0, minor = 0;
  if (dot == std::string_view::npos || !parse_integer(t.text.substr(0, dot), &major) || !parse_integer(t.text.substr(dot + 1), &minor) ||
      major > 99 || minor > 99) {
    return fail("expected a version as 9.0 after .version");
  }
  module_.isa_major = int(major), module_.isa_minor = int(minor);
  return {};
}

Status Parser::parse() {
  if (lexer_.text().size() > kMostText) return tern::invalid("more than 64 MiB of text");
  bool versioned = false, is_extern = false;
  while (lexer_.now().kind != Token::Kind::end) {
    const Token t = lexer_.now();
    if (!versioned && !t.is(".version")) return fail("no PTX: a file begins with .version");
    lexer_.take();
    Status status;
    if (t.is(".version")) {
      versioned = true;
      status = version();
    } else if (t.is(".target")) {
      do {
        const Token target = lexer_.take();
        if (target.text.substr(0, 3) == "sm_") module_.target = std::atoi(std::string(target.text.substr(3)).c_str());
      } while (lexer_.accept(","));
    } else if (t.is(".address_size")) {
      Result<uint64_t> bits = integer();
      if (!bits) return bits.error();
      if (*bits != 64) return tern::unsupported("line " + std::to_string(t.line) + ": 32-bit addresses; only .address_size 64 is supported");
    } else if (t.is(".visible") || t.is(".weak") || t.is(".common")) {
    } else if (t.is(".extern")) {
      is_extern = true;
      continue;
    } else if (t.is(".entry") || t.is(".func")) {
      status = function(t.is(".entry"));
    } else if (t.is(".global") || t.is(".const") || t.is(".shared")) {
      status = globals(t.is(".global") ? Space::global : t.is(".const") ? Space::constant : Space::shared, is_extern);
    } else if (t.is(".file")) {
      status = file();
    } else if (t.is(".loc")) {
      status = location();
    } else if (t.is(".section")) {
      lexer_.take();
      if (!lexer_.now().is("{")) return fail("expected '{' after .section");
      lexer_.skip_section();
    } else if (t.is(".pragma") || t.is(".alias")) {
      while (!lexer_.now().is(";") && lexer_.now().kind != Token::Kind::end) lexer_.take();
      status = expect(";");
    } else if (t.is(";")) {
    } else {
      return tern::invalid("line " + std::to_string(t.line) + ": no directive of PTX that is known here: '" + tern::printable(t.text, 40) + "'");
    }
    if (!status) return status;
    is_extern = false;
  }
  return versioned ? Status() : Status(tern::invalid("no PTX: it is empty"));
}

Status Parser::globals(Space space, bool is_extern) {
  size_t elements = 0;
  uint32_t element_size = 0;
  Variable first;
  if (Status s = variable(space, first, &elements, &element_size); !s) return s;
  for (;;) {
    Variable& v = module_.variables.emplace_back(first);
    v.is_extern = is_extern || (space == Space::shared && v.size == 0);
    if (lexer_.accept("=")) {
      if (space == Space::shared) return fail("a shared variable has no initialiser");
      if (Status s = initializer(v, dimensions_, element_size, 0, 0); !s) return s;
    }
    if (space != Space::shared) v.address = reserve(v.size);
    auto [it, fresh] = module_.globals.emplace(v.name, &v);
    if (!fresh) {
      if (!it->second->is_extern && !v.is_extern) return fail("'" + tern::printable(v.name, 80) + "' is declared twice");
      if (it->second->is_extern) it->second = &v;
    }
    if (!lexer_.accept(",")) break;
    first.name = lexer_.take().text;
    first.initial.clear();
    first.references.clear();
  }
  return expect(";");
}

Status Parser::file() {
  Result<uint64_t> number = integer();
  if (!number) return number.error();
  if (lexer_.now().kind != Token::Kind::text) return fail("expected a path after .file");
  module_.files[int(*number & 0x7fffffff)] = std::string(lexer_.take().text);
  while (lexer_.accept(",")) {
    if (Result<uint64_t> stamp = integer(); !stamp) return stamp.error();
  }
  return {};
}

// It ends with its line, not with a semicolon.
Status Parser::location() {
  const int line = lexer_.now().line;
  Location at;
  int* const fields[] = {&at.file, &at.line, &at.column, &at.at_file, &at.at_line, &at.at_column};
  int field = 0;
  while (lexer_.now().line == line && lexer_.now().kind != Token::Kind::end) {
    const Token t = lexer_.take();
    uint64_t value = 0;
    if (t.is("inlined_at")) field = 3;
    if (t.is("function_name")) field = 6;  // an offset may follow the name
    if (t.kind == Token::Kind::number && field < 6 && parse_integer(t.text, &value)) *fields[field++] = int(value & 0x7fffffff);
  }
  module_.locations.push_back(at);
  return {};
}

Status Parser::attributes(Function& f) {
  for (;;) {
    const Token t = lexer_.now();
    if (t.is(".maxntid") || t.is(".reqntid")) {
      lexer_.take();
      uint64_t dims[3] = {1, 1, 1};
      for (int i = 0; i < 3; ++i) {
        Result<uint64_t> n = integer();
        if (!n) return n.error();
        dims[i] = *n & 0xffff;
        if (!lexer_.accept(",")) break;
      }
      f.max_threads = uint32_t(dims[0] * dims[1] * dims[2]);
      if (t.is(".reqntid")) std::copy(dims, dims + 3, f.required);
    } else if (t.is(".minnctapersm") || t.is(".maxnctapersm") || t.is(".maxnreg") || t.is(".maxclusterrank")) {
      lexer_.take();
      if (Result<uint64_t> n = integer(); !n) return n.error();
    } else if (t.is(".noreturn") || t.is(".explicitcluster") || t.is(".unified")) {
      lexer_.take();
    } else if (t.is(".pragma")) {
      while (!lexer_.now().is(";") && lexer_.now().kind != Token::Kind::end) lexer_.take();
      if (Status s = expect(";"); !s) return s;
    } else if (t.is(".reqnctapercluster")) {
      return Error(tern::unsupported("line " + std::to_string(t.line) + ": thread block clusters are not supported"));
    } else {
      return {};
    }
  }
}

Status Parser::function(bool entry) {
  Function f;
  f.entry = entry;
  f.line = lexer_.now().line;
  while (lexer_.accept(".attribute")) {
    while (!lexer_.now().is(")") && lexer_.now().kind != Token::Kind::end) lexer_.take();
    if (Status s = expect(")"); !s) return s;
  }
  if (!entry && lexer_.accept("(")) {
    if (Status s = parameters(f.returns); !s) return s;
  }
  if (lexer_.now().kind != Token::Kind::word) return fail("expected the name of a function");
  f.name = lexer_.take().text;
  if (lexer_.accept("(")) {
    if (Status s = parameters(f.parameters); !s) return s;
  }
  if (Status s = attributes(f); !s) return s;
  auto it = module_.by_name.find(f.name);
  if (it != module_.by_name.end() && (it->second->defined && lexer_.now().is("{")))
    return fail("'" + tern::printable(f.name, 80) + "' is defined twice");
  if (lexer_.accept(";")) {
    if (it == module_.by_name.end()) module_.by_name.emplace(f.name, &module_.functions.emplace_back(std::move(f)));
    return {};
  }
  if (Status s = expect("{"); !s) return s;
  f.defined = true;
  Status status = body(f);
  if (!status) return status;
  if (it != module_.by_name.end()) {
    *it->second = std::move(f);
  } else {
    module_.by_name.emplace(f.name, &module_.functions.emplace_back(std::move(f)));
  }
  return {};
}

Result<Module> Module::parse(std::string_view text, std::string name) {
  auto data = std::make_shared<ModuleData>();
  data->name = std::move(name);
  data->text = std::string(text.substr(0, text.find('\0')));  // nvcc's embedded text ends with one
  Parser parser(*data, data->text);
  if (Status s = parser.parse(); !s) return s.error().within(data->name);
  Module module;
  module.data_ = std::move(data);
  return module;
}

std::vector<std::string> Module::kernels() const {
  std::vector<std::string> names;
  for (const Function& f : data_->functions) {
    if (f.entry && f.defined) names.emplace_back(f.name);
  }
  return names;
}

}  // namespace ptxsim
