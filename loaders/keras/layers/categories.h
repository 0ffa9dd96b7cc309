// What layers make of numbers of categories: one_hot, multi_hot, count. Next: categories.cpp, lookup.cpp.
#pragma once
#include "loaders/keras/layers/layer.h"

namespace tern::keras {

struct Encoding {
  std::string mode;          // "int", "one_hot", "multi_hot", "count"
  int64_t depth = 0;         // how many categories; numbers outside of [0, depth) are in none
  DType dtype = DType::f32;  // of the result
  ValueId weights = kNone;   // of numbers, where they are counted
  ValueId splits = kNone;    // the numbers are those of rows of different lengths
};
ValueId encode(Call& c, ValueId numbers, const Encoding& how);

// The bucket of each string: by the layer's `salt` where it has one.
ValueId hashed(Call& c, ValueId text, int64_t buckets);

}  // namespace tern::keras
