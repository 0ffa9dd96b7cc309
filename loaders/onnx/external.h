// External data: files beside the model that hold its weights. Only regular files beneath the given folder are ever opened:
// no absolute path, no "..", no symbolic link on the way. Next: external.cpp.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/tensor.h"

namespace tern::onnx {

class ExternalFiles {
 public:
  explicit ExternalFiles(std::string directory) : directory_(std::move(directory)) {}
  ~ExternalFiles();
  ExternalFiles(const ExternalFiles&) = delete;
  ExternalFiles& operator=(const ExternalFiles&) = delete;

  // A tensor of `bytes` bytes from `location` (relative, '/' between components) at `offset`. `length` is what the model says, -1 when it does not.
  // Errors (invalid): no directory, an unsafe path, not a regular file, the file is too short.
  Result<Tensor> read(std::string_view location, int64_t offset, int64_t length, DType dtype, const Dims& dims);

 private:
  struct File {
    int fd;
    int64_t size;
  };
  Result<File> open(const std::string& location);

  std::string directory_;
  std::string open_name_;  // the file that was read last stays open: models keep their weights in one or few
  File file_{-1, 0};
};

}  // namespace tern::onnx
