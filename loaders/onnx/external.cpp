// Safe locations, and reading what lies there. See external.h.
#include "loaders/onnx/external.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "loaders/onnx/tensors.h"
#include "loaders/onnx/text.h"
#include "runtime/base/checked.h"

namespace tern::onnx {
namespace {

constexpr size_t kMaxPath = 4096;

// Why this location must not be opened; null when it may.
const char* unsafe(std::string_view location) {
  if (location.empty()) return "it has no location";
  if (location.size() > kMaxPath) return "its location is too long";
  if (location.find('\0') != location.npos) return "its location holds a NUL";
  if (location.find('\\') != location.npos) return "its location holds a backslash";
  if (location.front() == '/') return "its location is absolute";
  for (size_t at = 0; at <= location.size();) {
    size_t end = std::min(location.find('/', at), location.size());
    if (location.substr(at, end - at) == "..") return "its location leaves the model's folder";
    at = end + 1;
  }
  return nullptr;
}

Error refused(std::string_view location, const std::string& why) { return invalid("external data " + quoted(location) + ": " + why); }

}  // namespace

Status ExternalFiles::open(const std::string& location) {
  if (file_.fd() >= 0 && open_name_ == location) return {};
  if (directory_.empty()) return refused(location, "the model was loaded from memory; name its folder in LoadOptions::directory");
  if (const char* why = unsafe(location)) return refused(location, why);
  auto file = open_beneath(directory_, location, follow_links_);
  if (!file) return refused(location, file.error().message());
  file_ = std::move(*file);
  open_name_ = location;
  return {};
}

Result<Tensor> ExternalFiles::read(std::string_view location, int64_t offset, int64_t length, DType dtype, const Dims& dims, int64_t& spare) {
  if (Status s = open(std::string(location)); !s) return s.error();
  const auto bytes = storage_bytes(dtype, dims);
  if (!bytes) return invalid("shape " + to_string(dims) + " has no representable size");
  if (length >= 0 && length != *bytes) {
    return refused(location, "length is " + std::to_string(length) + " and shape " + to_string(dims) + " needs " + std::to_string(*bytes) + " bytes");
  }
  const auto end = checked_add(offset, *bytes);
  if (offset < 0 || !end || *end > file_.size()) {
    return refused(location, "needs " + std::to_string(*bytes) + " bytes at offset " + std::to_string(offset) + ", the file has " +
                                 std::to_string(file_.size()));
  }
  Tensor& known = read_[{std::string(location), offset, *bytes, dtype}];
  if (known.present()) return known.reshaped(dims);
  int64_t& asked = asked_[std::string(location)];
  const int64_t beyond = std::max<int64_t>(0, *bytes - std::max<int64_t>(0, file_.size() - asked));
  if (beyond > spare) return refused(location, "overlapping parts ask for more bytes than the file has");
  spare -= beyond;
  asked = std::min(file_.size(), asked + *bytes - beyond);
  auto tensor = Tensor::allocate(dtype, dims);
  if (!tensor) return tensor;
  for (int64_t done = 0; done < *bytes;) {
    const ssize_t n = ::pread(file_.fd(), tensor->mutable_raw() + done, static_cast<size_t>(*bytes - done), offset + done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return refused(location, n == 0 ? "the file became shorter" : std::strerror(errno));
    done += n;
  }
  clean(*tensor);
  known = *tensor;
  return tensor;
}

}  // namespace tern::onnx
