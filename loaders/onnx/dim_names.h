// DimNames: what the dim_params of a graph's inputs mean. A dim_param is a name, whatever it holds: `batch`, `batch-size`, `2x`, `a b`.
// It is an expression (`2*seq+1`) only when it reads as one whole and every symbol in it is the whole dim_param of some input.
// What tools write for "not known" (nothing, None, ?, -1, unk__7 …) names no size that two dimensions share. Next: builder.cpp.
#pragma once
#include <map>
#include <string>

#include "runtime/base/shape.h"

namespace tern::onnx {

class DimNames {
 public:
  // Every dim_param of every input is to be noted before any is read.
  void note(const std::string& dim_param) { ++count_[dim_param]; }
  // `own` is what the symbol is called when the file gives no name that means anything: "x_dim_0".
  Dim read(const std::string& dim_param, std::string own) const;

 private:
  std::map<std::string, int64_t> count_;
};

}  // namespace tern::onnx
