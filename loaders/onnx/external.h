// External data: files beside the model that hold its weights. Only regular files beneath the given folder are ever opened:
// no absolute path, no "..", no symbolic link on the way. Next: external.cpp.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "runtime/base/tensor.h"

namespace tern::onnx {

class ExternalFiles {
 public:
  explicit ExternalFiles(std::string directory) : directory_(std::move(directory)) {}
  ~ExternalFiles();
  ExternalFiles(const ExternalFiles&) = delete;
  ExternalFiles& operator=(const ExternalFiles&) = delete;

  // A tensor of `bytes` bytes from `location` (relative, '/' between components) at `offset`. `length` is what the model says, -1 when it does not.
  // The same bytes as the same dtype are read once and shared. Parts that overlap may ask for as many bytes as the file has; what is beyond
  // that comes out of `spare`. The tensor's subnormals are flushed and its bools are 0 or 1.
  // Errors (invalid): no directory, an unsafe path, not a regular file, the file is too short, more than `spare`.
  Result<Tensor> read(std::string_view location, int64_t offset, int64_t length, DType dtype, const Dims& dims, int64_t& spare);

 private:
  struct File {
    int fd;
    int64_t size;
  };
  Result<File> open(const std::string& location);

  std::string directory_;
  std::string open_name_;  // the file that was read last stays open: models keep their weights in one or few
  File file_{-1, 0};
  std::map<std::string, int64_t> asked_;  // bytes, by location
  std::map<std::tuple<std::string, int64_t, int64_t, DType>, Tensor> read_;  // by location, offset, bytes, dtype
};

}  // namespace tern::onnx
