// The parser: text to ModuleData, names left for the decoder. Untrusted text: every error has its line, nesting and sizes are bounded.
// parse.cpp: the file's level; parse_variables.cpp: declarations; parse_statements.cpp: bodies and operands. Next: parse.cpp.
#pragma once
#include "tools/ptxsim/lexer.h"
#include "tools/ptxsim/module.h"

namespace ptxsim {

class Parser {
 public:
  Parser(ModuleData& module, std::string_view text) : module_(module), lexer_(text) {}
  Status parse();

 private:
  // parse.cpp
  Status version();
  Status function(bool entry);
  Status attributes(Function&);
  Status location();
  Status file();
  Status globals(Space, bool is_extern);
  // parse_variables.cpp
  Status variable(Space, Variable&, size_t* elements, uint32_t* element_size);  // after ".global": to the name and its dimensions
  Status initializer(Variable&, std::span<const uint64_t> dimensions, uint32_t element_size, uint64_t at, int depth);
  Status initial_value(Variable&, uint32_t element_size, uint64_t at);
  Status parameters(std::vector<Variable*>&);
  Status registers(Scope&);
  // parse_statements.cpp
  Status body(Function&);
  Status directive(Function&, int scope);
  Status statement(Function&, int scope);
  Status operand(Operand&, int depth);
  Status address(Operand&);
  Status number(bool negative, Operand&);

  Error fail(const std::string& what) const;  // "line 12: WHAT, at 'token'"
  Status expect(std::string_view sign);
  Result<uint64_t> integer();

  ModuleData& module_;
  Lexer lexer_;
  std::vector<uint64_t> dimensions_;
  uint64_t scopes_ = 0;
};

// "0x1F", "017", "12U", "0b101"; false: no integer of 64 bits.
bool parse_integer(std::string_view, uint64_t*);

}  // namespace ptxsim
