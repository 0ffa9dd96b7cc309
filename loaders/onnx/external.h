// External data: elements in files beside the model. Only regular files beneath the model's own folder are opened, and no link is followed.
// Next: import.cpp.
#pragma once
#include <string>

#include "runtime/base/tensor.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

class ExternalData {
 public:
  // directory: the model's folder; empty: external data are refused.
  explicit ExternalData(std::string directory) : directory_(std::move(directory)) {}
  // The elements that `proto` says lie in a file. Errors: a path that leaves the folder, a file that is no regular one, too short (kInvalid).
  Result<Tensor> read(const onnx_pb::Tensor& proto, DType dtype, const Dims& dims, const std::string& label);

 private:
  std::string directory_;
};

}  // namespace tern::onnx
