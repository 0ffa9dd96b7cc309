// Interpreter: runs a forward once while a graph is built. Tensors are values of the graph; everything else (sizes, lists, None, modules)
// is known now, so conditions on it choose a branch and loops over it unroll. Next: interpret.cpp (statements), expressions.cpp, calls.cpp.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "loaders/torch/arch/ast.h"
#include "loaders/torch/graph/builder.h"
#include "loaders/torch/nn/net.h"

namespace tern::torch {

constexpr int kDeepest = 16;  // lists in lists

using Named = std::vector<std::pair<std::string, IValue>>;

// Names that mean something without an assignment: F, torch, len, range …
bool is_global_name(std::string_view name);

class Interpreter {
 public:
  Interpreter(const Program& program, Network& network, const Module& module, const std::string& path, int depth)
      : program_(program), network_(network), b_(network.builder), module_(module), path_(path), depth_(depth) {}

  static bool is_builtin(std::string_view name);
  // A call of a function of this module. `scope`: the class whose methods self has.
  IValue run(const Function& f, const ClassScope* scope, const IValues& positional, const Named& named);

 private:
  enum class Flow : uint8_t { next, returned, stopped, skipped };

  // ---- interpret.cpp ----
  bool bind(const IValues& positional, const Named& named);
  Flow run(const Block& block);
  Flow run(const Statement& s);
  Flow loop(const Statement& s);
  void assign(const Expression& target, const IValue& value);
  void unpack(const Expression& target, const IValues& items);
  void augment(const Statement& s);
  void put(const IValue& object, const IValue& at, const IValue& v, const Place& place);  // object[at] = v
  IValue overwritten(ValueId before, const IValue& after, const Place& place);
  // Brings what in-place operations changed up to date.
  void settle(IValue& v, int depth = 0);
  bool spend(const Place& place, int64_t steps = 1);
  // True or False of something known; fails for tensors and for sizes that inputs decide.
  bool truth(const IValue& value, const Place& place);
  // What a for goes through; fails for tensors.
  IValues elements(const IValue& value, const Place& place);

  // ---- expressions.cpp; attributes.cpp: what stands behind a dot or in brackets, and put() ----
  IValue value(const Expression& e);
  IValue value_of(const Expression& e);
  IValue name(const Expression& e);
  IValue attribute(const Expression& e);
  IValue weight(const std::string& path, const Place& place);
  IValue attribute_of_module(const IValue::Callable& module, const std::string& name, const Place& place);
  IValue attribute_of_tensor(const IValue& tensor, const std::string& name, const Place& place);
  IValue index(const Expression& e);
  IValue index_of(const IValue& object, const IValue& at, const Place& place);
  IValue unary(const Expression& e);
  IValue binary(const std::string& op, const IValue& x, const IValue& y, const Place& place);
  IValue compare(const Expression& e);
  IValue compare(const std::string& op, const IValue& x, const IValue& y, const Place& place);
  IValue comprehension(const Expression& e);
  IValues sequence(const std::vector<ExpressionPtr>& parts, size_t first);
  // May it be walked? Fails when lists in lists hold too much, or too deep; what a walk takes is spent. Lists may share what they hold and
  // grow later, so it is asked before every walk.
  bool walkable(const IValue& v, const Place& place);
  IValue made(IValue v, const Place& place);  // a list, when it is walkable
  IValue sequential(const IValue::Callable& c, const std::vector<int64_t>& which);

  // ---- calls.cpp ----
  IValue call(const Expression& e);
  struct Above {  // where to look for a method: at this class, or behind it
    std::string cls;
    bool itself, self_given;
  };
  std::optional<Above> above_of(const Expression& e) const;
  IValue call_above(const Above& above, const std::string& name, IValues positional, const Named& named, const Place& place);
  IValue call_module(const IValue::Callable& module, const IValues& positional, const Named& named, const Place& place);
  IValue call_function(const std::string& spelling, const IValues& positional, const Named& named, const Place& place);
  IValue call_method(const Expression& callee, const IValue& object, IValues positional, const Named& named, const Place& place);
  IValue call_operator(const std::string& spelling, const IValues& positional, const Named& named, const Place& place);
  // ---- builtins.cpp ----
  struct Builtins;  // the table: len, range, zip …
  // False: no such function.
  bool builtin(const std::string& name, const IValues& positional, const Named& named, const Place& place, IValue& result);
  IValue fold_numbers(const std::string& name, const IValues& items, const Place& place);
  IValue range(const IValues& positional, const Place& place);
  IValue to_number(const std::string& name, const IValue& v, const Place& place);
  std::optional<bool> is_instance(const IValue& v, const IValue& type) const;
  bool has_attribute(const IValue::Callable& c, const std::string& name) const;
  IValues loop_elements(const IValue& v, const Place& place);
  bool method_of_module(const IValue::Callable& c, const std::string& name, const IValues& positional, const Place& place, IValue& result);
  bool method_of_sequence(const IValue& object, const std::string& name, const IValues& positional, const Place& place, IValue& result);
  IValue make_module(const std::string& cls, const IValues& positional, const Named& named, const Place& place);

  // Fails with the place; returns None.
  IValue fail(const Place& place, const std::string& what, Code code = Code::kInvalid);
  bool ok() const { return b_.ok(); }

  const Program& program_;
  Network& network_;
  Builder& b_;
  const Module& module_;
  const std::string& path_;
  int depth_;  // of functions that call functions
  const Function* function_ = nullptr;
  const ClassScope* scope_ = nullptr;
  std::map<std::string, IValue, std::less<>> variables_;
  IValue returned_;
};

// Is there a list or a dict in it (tuples aside)?
bool holds_list(const IValue& v, int depth = 0);
// Does a signature of a layer or of an operator have that name?
bool has_parameter(std::string_view signature, std::string_view name);
// The spelling of a function in ops/: torch.nn.functional.relu is F.relu. Empty: a namespace or unknown.
std::string spelling_of(const std::string& dotted);

}  // namespace tern::torch
