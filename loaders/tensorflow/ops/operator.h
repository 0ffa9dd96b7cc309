// Operators of TensorFlow: a row has its names, the arguments that its outputs are of, and a function that adds the nodes.
// To add one: write the function in the file of its family, add a row to that file's table. Variables, functions, control flow and lists of tensors are
// not here but in ../graph. Next: catalog.cpp.
#pragma once
#include <span>
#include <string_view>

#include "loaders/tensorflow/graph/call.h"

namespace tern::tensorflow {

struct Operator {
  const char* names;  // separated by blanks: "Add AddV2"
  // Output arguments as TensorFlow's OpDef names them: "y batch_mean batch_variance". One that is a list has the attribute that tells its length:
  // "nested_splits*N values". Functions refer to outputs by these names. Null: one argument, perhaps a list.
  const char* outputs;
  // One value for each output, those of lists one by one.
  Values (*apply)(Call& c);
};

// The row of a name; null when there is none.
const Operator* find_operator(std::string_view name);
// Every table, for find_operator, tests and documentation.
std::span<const std::span<const Operator>> all_operators();

}  // namespace tern::tensorflow
