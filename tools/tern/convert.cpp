// tern convert: a model as one self-contained ONNX file. See command.h; the file itself is loaders/onnx/write.h.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "loaders/onnx/write.h"
#include "runtime/model.h"
#include "tools/tern/command.h"

namespace tern::command {
namespace {

Status write_to(int descriptor, const OnnxFile& file) {
  return file.write([&](std::span<const std::byte> piece) -> Status {
    while (!piece.empty()) {
      const ssize_t n = ::write(descriptor, piece.data(), piece.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return invalid(std::strerror(errno));
      piece = piece.subspan(static_cast<size_t>(n));
    }
    return {};
  });
}

// Through a file beside it, so that `path` is never half a model.
Status write_model(const std::string& path, const OnnxFile& file) {
  const std::string beside = path + ".part" + std::to_string(::getpid());
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) return invalid(std::string("cannot be written: ") + std::strerror(errno));
  Status written = write_to(descriptor, file);
  if (::close(descriptor) != 0 && written) written = invalid(std::strerror(errno));
  if (written && ::rename(beside.c_str(), path.c_str()) != 0) written = invalid(std::string("cannot be written: ") + std::strerror(errno));
  if (!written) ::unlink(beside.c_str());
  return written;
}

std::string text_of(const std::vector<Port>& ports) {
  std::string s;
  for (const Port& port : ports) {
    std::string shape;
    for (const std::string& dim : port.shape) shape += (shape.empty() ? "" : ",") + dim;
    s += (s.empty() ? "" : ", ") + port.name + " " + name(port.dtype) + "[" + shape + "]";
  }
  return s;
}

}  // namespace

int convert(const Options& options) {
  const std::string &from = options.positional[0], to = options.get("-o");
  if (to.empty()) return fail("wrong usage", usage("convert needs -o OUT.onnx; see tern convert --help"));
  std::error_code none;
  if (std::filesystem::equivalent(from, to, none)) return fail("wrong usage", usage(to + " is the model itself; give -o another name"));
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  auto file = OnnxFile::of(model->state().graph);
  if (!file) return fail_at("cannot convert", file.error().within(from));
  if (Status s = write_model(to, *file); !s) return fail_at("cannot write", s.error().within(to));
  out(to + ": " + text_of(model->inputs()) + " -> " + text_of(model->outputs()) + "; opset " + std::to_string(file->opset()) + ", " +
      std::to_string(file->bytes()) + " bytes\n");
  return kDone;
}

}  // namespace tern::command
