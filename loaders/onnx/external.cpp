// See external.h.
#include "loaders/onnx/external.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

namespace tern::onnx {
namespace {

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }
  void reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

std::optional<std::vector<std::string>> components(const std::string& path) {
  std::vector<std::string> parts;
  if (path.empty() || path[0] == '/' || path.find('\\') != std::string::npos || path.find('\0') != std::string::npos) return std::nullopt;
  for (size_t at = 0; at <= path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, slash - at);
    if (part.empty() || part == "..") return std::nullopt;
    if (part != ".") parts.push_back(part);
    at = slash + 1;
  }
  return parts.empty() ? std::nullopt : std::optional(parts);
}

std::optional<int64_t> number(const std::string& text) {
  int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() && n >= 0 ? std::optional(n) : std::nullopt;
}

}  // namespace

Result<Tensor> ExternalData::read(const onnx_pb::Tensor& proto, DType dtype, const Dims& dims, const std::string& label) {
  std::string location;
  int64_t offset = 0;
  std::optional<int64_t> length;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset" || entry.key() == "length") {
      auto n = number(entry.value());
      if (!n) return invalid(label + ": the external " + entry.key() + " is not a non-negative number");
      if (entry.key() == "offset") offset = *n;
      else length = *n;
    }
  }
  if (directory_.empty()) return invalid(label + " lies in the file " + location + ": a model from memory may not name files; give LoadOptions::directory");
  auto parts = components(location);
  if (!parts) return invalid(label + ": the external path '" + location + "' leaves the model's folder");

  // One component at a time, so that no link on the way is followed.
  File file(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (size_t i = 0; file.fd() >= 0 && i < parts->size(); ++i) {
    const bool last = i + 1 == parts->size();
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY);
    file.reset(openat(file.fd(), (*parts)[i].c_str(), flags));
  }
  if (file.fd() < 0) return invalid(label + ": external file " + location + ": " + std::strerror(errno));
  struct stat info;
  if (fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return invalid(label + ": external file " + location + " is not a regular file");

  const int64_t bytes = *storage_bytes(dtype, dims);
  if (length && *length != bytes) return invalid(label + ": external length " + std::to_string(*length) + ", its shape needs " + std::to_string(bytes));
  if (offset > info.st_size || bytes > info.st_size - offset) return invalid(label + ": external file " + location + " is too short");
  auto t = Tensor::allocate(dtype, dims);
  if (!t) return t;
  for (int64_t at = 0; at < bytes;) {
    const ssize_t n = pread(file.fd(), t->mutable_raw() + at, static_cast<size_t>(bytes - at), offset + at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return invalid(label + ": external file " + location + " cannot be read");
    at += n;
  }
  return t;
}

}  // namespace tern::onnx
