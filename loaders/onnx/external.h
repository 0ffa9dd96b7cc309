// External data: files beside the model that hold its weights. Only regular files beneath the given folder are ever opened:
// no absolute path, no "..", no link on the way but as open_file.h has it. Next: external.cpp.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "loaders/open_file.h"
#include "runtime/base/tensor.h"

namespace tern::onnx {

class ExternalFiles {
 public:
  ExternalFiles(std::string directory, bool follow_links) : directory_(std::move(directory)), follow_links_(follow_links) {}

  // A tensor of `bytes` bytes from `location` (relative, '/' between components) at `offset`. `length` is what the model says, -1 when it does not.
  // The same bytes as the same dtype are read once and shared. Parts that overlap may ask for as many bytes as the file has; what is beyond
  // that comes out of `spare`. The tensor's subnormals are flushed and its bools are 0 or 1.
  // Errors (invalid): no directory, an unsafe path, not a regular file, the file is too short, more than `spare`.
  Result<Tensor> read(std::string_view location, int64_t offset, int64_t length, DType dtype, const Dims& dims, int64_t& spare);

 private:
  Status open(const std::string& location);

  std::string directory_;
  bool follow_links_;
  std::string open_name_;  // the file that was read last stays open: models keep their weights in one or few
  OpenFile file_;
  std::map<std::string, int64_t> asked_;                                     // bytes, by location
  std::map<std::tuple<std::string, int64_t, int64_t, DType>, Tensor> read_;  // by location, offset, bytes, dtype
};

}  // namespace tern::onnx
