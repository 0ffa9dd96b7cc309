// Operators that need more than their inputs: which of their outputs are used, the functions that they name, the variables and tables of the program.
// Next: calls.cpp, loop.cpp, lists.cpp, resources.cpp, switch.cpp, chance.cpp.
#pragma once
#include "loaders/tensorflow/run/run.h"

namespace tern::tensorflow {

// Where a call stands.
struct Site {
  Runner& runner;
  const Index& graph;
  const Runner::Scope& scope;
  int32_t node;
  std::vector<int32_t> used;  // outputs that somebody reads, ascending
};

struct Special {
  const char* names;  // separated by blanks
  Values (*apply)(Call& c, const Site& site);
  bool effect = false;            // it changes a table, or calls what may
  const char* outputs = nullptr;  // as Operator's (../ops/operator.h)
};

// Null: an operator of ../ops, or none.
const Special* find_special(std::string_view name);

std::span<const Special> call_operators();      // calls.cpp: PartitionedCall, If, Case
std::span<const Special> loop_operators();      // loop.cpp: While
std::span<const Special> list_operators();      // lists.cpp: TensorListReserve …
std::span<const Special> resource_operators();  // resources.cpp: VarHandleOp, ReadVariableOp, HashTableV2 …
std::span<const Special> switch_operators();    // switch.cpp: Switch, Merge
std::span<const Special> chance_operators();    // chance.cpp: RandomUniform

// What a node makes of inputs of which one is random numbers: an interval, or what is the same for all of it; else fails.
Values with_chances(Call& c);

// The outputs of a call.
Values call_function(Call& c, const Site& site, const Index& function, const Caller& caller);
// Does a function take so many arguments and return what is used? Fails.
bool fits(const Call& c, const Site& site, const Index& function, size_t arguments);
// The used outputs at their places among all.
Values at_their_places(const Site& site, Values used);

// The tensors that a value is made of (none of a handle), and the value that others make.
std::vector<ValueId> tensors_of(const Value& v);
Value with_tensors(const Value& like, std::span<const ValueId> tensors);
// Both the same variable or table, or nothing that could be told apart.
bool same_handle(const Value& a, const Value& b);

}  // namespace tern::tensorflow
