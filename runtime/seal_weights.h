// seal_weights: large constants that lie on the heap (inflated, of lists of numbers) move into mappings, whose pages leave the process once kernels
// have packed them: otherwise every weight would lie in it twice.
// Next: base/mapping.h.
#pragma once
#include <span>

#include "runtime/graph.h"

namespace tern {

// Constants that several graphs share stay shared. One for which there is no memory, or no mapping left, stays where it is.
void seal_weights(std::span<Graph* const> graphs);

}  // namespace tern
