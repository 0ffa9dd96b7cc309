// Lookup: a table from keys to values, which the kernel searches in an index made once per model.   y[i] = values[k] where keys[k] == x[i], else otherwise
//   Shapes    x, y: any, the same; keys, values: [n]; otherwise: one element. x has the dtype of keys (string, i32, i64), y that of values.
//   Cost      of integers a search in ceil(log2(n + 1)) steps without a branch, so that a plan runs the same instructions whatever they are; of strings
//             a step or two of a table of hashes, or where keys are made to collide such a search.
//   Numerics  exact.
//   Edges     of equal keys the first counts; n == 0 gives `otherwise` everywhere. Where every x must be found, one that is not raises the fault.
//   Source    TensorFlow's LookupTableFindV2.
// Next: lookup.cpp.
#pragma once
#include <cstdint>
#include <string_view>

namespace tern {

struct LookupArgs {
  const void* x;          // [count]
  const void* keys;       // [n]
  const void* values;     // [n]
  const void* otherwise;  // []
  void* y;                // [count]
  const uint32_t* index;  // [n], the places of the keys in ascending order; then these keys, and of strings a table of hashes (lookup.cpp)
  uint32_t* fault;        // null: any x will do
  int64_t count, n;
  int32_t value_size;
};

// What a word's place in the table of hashes goes by: for the tests, which make words that collide.
uint64_t lookup_hash(std::string_view word);

}  // namespace tern
