// Variables that one call assigns and reads. What is in the file is what the first read gives; a read behind an assignment must give what was assigned.
// Control edges order the two (TensorFlow 2 adds them for all that touches one variable). So the graph is rewritten: an assignment gives the variable's new
// value, whoever reads it afterwards reads that node instead of the handle, and calls, branches and loops take and return values for the variables that
// they change. Nothing is kept from one call to the next. Next: states.cpp.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "loaders/tensorflow/run/index.h"

namespace tern::tensorflow {

// An operator that refuses: reads of what is changed in ways that are not followed.
constexpr const char* kLostVariable = "LostVariable";

// The graph, its nodes under their old numbers, others added behind; functions that it makes go to `functions`. Nothing: it stays as it is. `assigned`:
// names of the variables that what is wanted may assign. Errors: calls that lie too deep, too many variables of too many nodes (unsupported); a function that is not there (invalid).
Result<std::optional<Index>> with_states(const Index& graph, std::span<const Edge> wanted, Functions& functions, std::vector<std::string>& assigned);

}  // namespace tern::tensorflow
