// A PTX file as data: scopes, variables, functions and statements, names still names. Views point into the text that ModuleData keeps.
// Next: parse.cpp, which makes it, and decode.h, which reads it.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/ptxsim/ptxsim.h"

namespace ptxsim {

enum class Type : uint8_t {
  none,
  pred,
  b8,
  u8,
  s8,
  b16,
  u16,
  s16,
  f16,
  bf16,
  b32,
  u32,
  s32,
  f32,
  f16x2,
  bf16x2,
  u16x2,
  s16x2,
  tf32,
  b64,
  u64,
  s64,
  f64,
  b128
};
Type type_named(std::string_view);  // without its dot; none: no type
uint32_t size_of(Type);             // bytes; 0: pred, none

enum class Space : uint8_t { generic, global, shared, local, constant, param };

struct Operand {
  enum class Kind : uint8_t { name, integer, real32, real64, address, vector, list, pair, sink };
  Kind kind = Kind::sink;
  bool negated = false;        // !%p, -%r
  std::string_view name;       // of `name`, and the base of `address` (empty: absolute)
  uint64_t bits = 0;           // of numbers; what `name` and `address` add
  std::vector<Operand> items;  // of vector {}, list () and pair a|b
};

struct Variable {
  std::string_view name;
  Space space = Space::global;
  Type type = Type::none;
  uint32_t align = 1;
  uint64_t size = 0;       // bytes
  bool is_extern = false;  // .extern .shared x[]: the launch's dynamic shared bytes
  std::vector<uint8_t> initial;
  struct Reference {  // the address of a symbol, in an initialiser
    uint64_t at, add;
    uint32_t bytes;
    bool generic;
    std::string_view symbol;
    int line;
  };
  std::vector<Reference> references;
  uint64_t address = 0;  // of module-scope global and const variables: the same on every machine
};

struct RegisterRange {
  Type type;
  uint64_t count;  // 0: one register of this very name
};

struct Scope {
  int parent = -1;
  std::map<std::string_view, RegisterRange> registers;
  std::map<std::string_view, const Variable*> variables;
  std::map<std::string_view, uint32_t> labels;                               // the statement that follows
  std::map<std::string_view, std::vector<std::string_view>> branch_targets;  // of .branchtargets
};

struct Statement {
  std::string_view op;  // with its dots: "add.s32"
  std::string_view predicate;
  bool predicate_negated = false;
  std::vector<Operand> operands;
  std::string_view text;  // as it stands in the file
  int line = 0, location = -1, scope = 0;
};

struct Location {
  int file = 0, line = 0, column = 0;
  int at_file = 0, at_line = 0, at_column = 0;  // inlined_at; at_file 0: not inlined
};

struct Function {
  std::string_view name;
  bool entry = false, defined = false;
  std::vector<Variable*> returns, parameters;
  std::vector<Scope> scopes;  // [0] is the body's
  std::vector<Statement> statements;
  uint32_t max_threads = 0, required[3] = {0, 0, 0};
  int line = 0;
};

struct Program;  // a decoded kernel, program.h

struct ModuleData {
  std::string name, text;
  std::deque<Variable> variables;  // all, module-scope ones and those of functions
  std::map<std::string_view, Variable*> globals;
  std::deque<Function> functions;
  std::map<std::string_view, Function*> by_name;
  std::map<int, std::string> files;
  std::vector<Location> locations;
  int isa_major = 0, isa_minor = 0, target = 0;

  mutable std::mutex mutex;  // of decoded
  mutable std::unordered_map<const Function*, std::shared_ptr<const Program>> decoded;
};

// Where a statement stands in the user's source: out of CUDA's own headers, along inlined_at.
struct SourcePlace {
  std::string file;
  int line = 0;
};
SourcePlace place_of(const ModuleData&, const Statement&);

}  // namespace ptxsim
