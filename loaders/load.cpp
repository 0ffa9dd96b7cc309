// Tells formats apart and loads. See load.h.
#include "loaders/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "loaders/onnx/onnx.h"
#include "runtime/model.h"

namespace tern {
namespace {

// Memory that runs short inside a container is an error like any other.
template <class F>
Result<Model> guarded(F f) {
  try {
    return f();
  } catch (const std::exception&) {
    return unsupported("no memory for the model");
  }
}

Result<Model> from_bytes(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options) {
  auto graph = load_graph(bytes, directory, options);
  if (!graph) return graph.error();
  return make_model(std::move(*graph), options);
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // never waits for the other end of a FIFO
  if (fd < 0) return invalid(path + ": " + std::strerror(errno));
  struct Closer {
    int fd;
    ~Closer() { close(fd); }
  } closer{fd};
  struct stat info;
  if (fstat(fd, &info) != 0) return invalid(path + ": " + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return invalid(path + ": not a regular file");
  std::vector<std::byte> bytes(static_cast<size_t>(info.st_size));
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t n = read(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return invalid(path + ": " + std::strerror(errno));
    if (n == 0) break;  // it shrank meanwhile
    at += static_cast<size_t>(n);
  }
  bytes.resize(at);
  return bytes;
}

Result<Graph> load_graph(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options) {
  auto starts = [&](std::string_view magic) { return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0; };
  if (bytes.empty()) return invalid("the file is empty");
  if (starts("PK\3\4")) return unsupported("a zip archive: PyTorch files are not supported yet");
  if (starts("\x80\2") || starts("\x80\4")) return unsupported("a pickle: PyTorch files are not supported yet");
  if (bytes.size() > 9 && bytes[8] == std::byte('{') && bytes[7] == std::byte(0)) return unsupported("safetensors files are not supported yet");
  if (!looks_like_onnx(bytes)) return invalid("not a model file that tern knows (ONNX is)");
  return load_onnx(bytes, directory, options);
}

Result<Model> load(const std::string& path, const LoadOptions& options) {
  return guarded([&]() -> Result<Model> {
    auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    const size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    auto model = from_bytes(*bytes, directory, options);
    if (!model) return model.error().within(path);
    return model;
  });
}

Result<Model> load_bytes(std::span<const std::byte> bytes, const LoadOptions& options) {
  return guarded([&] { return from_bytes(bytes, options.directory, options); });
}

}  // namespace tern
