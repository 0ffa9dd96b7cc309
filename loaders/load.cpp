// Reads files, tells formats apart by their first bytes, and loads. See load.h.
#include "loaders/load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>

#include "loaders/onnx/onnx.h"
#include "runtime/base/byte_reader.h"
#include "runtime/model.h"

namespace tern {
namespace {

// One printable line, whatever names a file holds.
Error printable(const Error& error) {
  constexpr size_t kMost = 16384;
  std::string s = error.message().substr(0, kMost);
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    const size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    bool good = n > 0 && i + n <= s.size() && c != 127 && c >= 32;
    for (size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(s[i + k]) & 0xc0) == 0x80;
    if (!good) s[i] = '?';
    i += good ? n : 1;
  }
  return Error(error.code(), std::move(s));
}

// Memory that runs short inside a container is an error like any other.
template <class F>
auto guarded(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const std::exception&) {
    return unsupported("no memory for the model");
  }
}

bool begins(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// Eight bytes of header length, then JSON.
bool is_safetensors(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  auto header = in.read<uint64_t>();
  auto brace = in.read<char>();
  return header && brace && *brace == '{' && *header >= 2 && *header <= bytes.size() - 8;
}

// Pickle protocols 2 to 5: PROTO n, then an opcode that programs begin with.
bool is_pickle(std::span<const std::byte> bytes) {
  if (bytes.size() < 4 || bytes[0] != std::byte{0x80}) return false;
  const auto protocol = static_cast<uint8_t>(bytes[1]);
  return protocol >= 2 && protocol <= 5 && (static_cast<uint8_t>(bytes.back()) == '.' || bytes.size() > 64);
}

bool is_text(std::span<const std::byte> bytes) {
  const auto head = bytes.first(std::min<size_t>(bytes.size(), 512));
  return std::all_of(head.begin(), head.end(), [](std::byte b) {
    const auto c = static_cast<uint8_t>(b);
    return c == '\n' || c == '\r' || c == '\t' || (c >= 32 && c != 127);
  });
}

Result<Graph> load_any(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options) {
  if (bytes.empty()) return invalid("the file is empty");
  if (begins(bytes, "PK\x03\x04") || is_pickle(bytes) || is_safetensors(bytes)) {
    return unsupported("PyTorch files are not supported yet; export the model to ONNX");
  }
  if (begins(bytes, "\x89HDF\r\n")) return unsupported("Keras files are not supported yet; export the model to ONNX");
  if (begins(bytes, "version https://git-lfs")) return invalid("a pointer of git-lfs, not the model; run git lfs pull");
  if (is_text(bytes)) return invalid("a text, not a model");
  if (!looks_like_onnx(bytes)) return invalid("not a model in a known format");
  return load_onnx(bytes, directory, options);
}

}  // namespace

Result<Graph> load_graph(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options) {
  auto graph = guarded([&] { return load_any(bytes, directory, options); });
  if (!graph) return printable(graph.error());
  return graph;
}

Result<std::vector<std::byte>> read_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return invalid(path + ": " + std::strerror(errno));
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info;
  if (::fstat(fd, &info) != 0) return invalid(path + ": " + std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return invalid(path + ": is a directory, not a model file");
  if (!S_ISREG(info.st_mode)) return invalid(path + ": is not a regular file");
  std::vector<std::byte> bytes(static_cast<size_t>(info.st_size));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return invalid(path + ": " + std::strerror(errno));
    if (n == 0) return invalid(path + ": became shorter while it was read");
    done += static_cast<size_t>(n);
  }
  return bytes;
}

Result<Model> load(const std::string& path, const LoadOptions& options) {
  auto model = guarded([&]() -> Result<Model> {
    auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    const size_t slash = path.rfind('/');
    const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
    auto graph = load_graph(*bytes, directory, options);
    if (!graph) return graph.error().within(path);
    *bytes = {};  // the graph has what it needs
    auto made = make_model(std::move(*graph), options);
    if (!made) return made.error().within(path);
    return made;
  });
  if (!model) return printable(model.error());
  return model;
}

Result<Model> load_bytes(std::span<const std::byte> bytes, const LoadOptions& options) {
  auto model = guarded([&]() -> Result<Model> {
    auto graph = load_graph(bytes, options.directory, options);
    if (!graph) return graph.error();
    return make_model(std::move(*graph), options);
  });
  if (!model) return printable(model.error());
  return model;
}

}  // namespace tern
