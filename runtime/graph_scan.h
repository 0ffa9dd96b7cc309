// A Scan written with a GraphBuilder: steps along an axis, for recurrent layers that are no operator of the catalog. As in GraphBuilder, nothing
// happens after an error. Next: graph_scan.cpp.
#pragma once
#include <functional>
#include <vector>

#include "runtime/graph_builder.h"

namespace tern {

struct ScanInputs {
  std::vector<ValueId> carried = {};    // before the first step
  std::vector<ValueId> sequences = {};  // cut along `axis`
  std::vector<ValueId> around = {};     // what a step reads besides; kNone stays kNone
  int axis = 1;
  bool backwards = false;
};
// One step in a graph of its own: what is carried after it, then what it adds to each of the outputs.
using ScanBody = std::function<std::vector<ValueId>(GraphBuilder& body, const std::vector<ValueId>& carried, const std::vector<ValueId>& now,
                                                    const std::vector<ValueId>& around)>;
// What is carried in the end, then the outputs along `axis`. Empty after an error.
std::vector<ValueId> scan(GraphBuilder& b, const ScanInputs& steps, const ScanBody& step);

}  // namespace tern
