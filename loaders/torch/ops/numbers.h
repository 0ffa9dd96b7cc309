// Python numbers while a graph is built: known ones are computed at once, sizes stay symbolic. Next: numbers.cpp.
#pragma once
#include <cmath>

#include "loaders/torch/ops/common.h"

namespace tern::torch {

inline bool is_number(const IValue& v) { return v.get<Int>() != nullptr || v.get<double>() != nullptr || v.get<bool>() != nullptr; }
// NaN for what is no known number.
double as_double(const IValue& v);
Int as_int(const IValue& v);

// x op y: `ints` of ints and bools, `reals` as soon as one is a float.
template <class Ints, class Reals>
IValue numbers(Builder& b, const IValue& x, const IValue& y, Ints ints, Reals reals) {
  if (x.get<double>() == nullptr && y.get<double>() == nullptr) return ints(as_int(x), as_int(y));
  for (const IValue* v : {&x, &y}) {
    const Int* n = v->get<Int>();
    if (n == nullptr || n->known()) continue;
    b.fail(unsupported("a float made from a size that is not known when the model is loaded"));
    return {};
  }
  return reals(as_double(x), as_double(y));
}

}  // namespace tern::torch
