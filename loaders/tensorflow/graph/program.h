// Program: what one file gives to all the graphs that are made of it: contents of tensors, variables, and what calls may still unfold to.
// Next: builder.h.
#pragma once
#include <functional>

#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/value.h"

namespace tern::tensorflow {

struct Program {
  Contents contents;
  // What variable i holds. Errors: those of its file, without its name.
  std::function<Result<Tensor>(int32_t)> variable;
  // Bounds on what calls unfold to, far above what exporters write.
  static constexpr int64_t kMostNodes = int64_t(1) << 16;
  static constexpr int kMostDepth = 64;  // of calls, branches and loops inside one another
  int64_t nodes = 0;                     // that were run so far
  bool unknown = false;                  // an operator without a row was met
};

}  // namespace tern::tensorflow
