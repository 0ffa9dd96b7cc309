// tern convert: a model as one self-contained ONNX file. See command.h; the file itself is loaders/onnx/write.h.
#include <algorithm>
#include <filesystem>

#include "loaders/onnx/write.h"
#include "runtime/model.h"
#include "runtime/widen.h"
#include "tools/tern/command.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {
namespace {

Status write_model(const std::string& path, const OnnxFile& model) {
  auto file = NewFile::at(path);
  if (!file) return file.error();
  if (Status s = model.write([&](std::span<const std::byte> piece) { return file->write(piece); }); !s) return s;
  return file->publish();
}

Text text_of(const std::vector<Port>& ports) {
  Text s;
  for (const Port& port : ports) s += (s.empty() ? Text("") : Text(", ")) + shown(port.name + " " + type_text(port));
  return s;
}

// Other runtimes have next to no kernels for bf16: what is computed in it is computed in f32 between Casts there, as in a plan, with the same bits.
bool has_bf16(const Graph& graph) {
  return std::any_of(graph.values.begin(), graph.values.end(), [](const Value& v) { return v.type.dtype == DType::bf16; }) ||
         std::any_of(graph.subgraphs.begin(), graph.subgraphs.end(), has_bf16);
}

Result<OnnxFile> file_of(const Graph& graph) {
  if (!has_bf16(graph)) return OnnxFile::of(graph);
  Graph wide = graph;
  if (Status s = widen(wide); !s) return s.error();
  return OnnxFile::of(wide);
}

}  // namespace

int convert(const Options& options) {
  const std::string &from = options.positional[0], to = options.get("-o");
  if (to.empty()) return fail("wrong usage", usage("convert needs -o OUT.onnx; see tern convert --help"));
  std::error_code none;
  if (std::filesystem::equivalent(from, to, none)) return fail("wrong usage", usage(to + " is the model itself; give -o another name"));
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  auto file = file_of(model->state().graph);
  if (!file) return fail_at("cannot convert", file.error().within(from));
  if (Status s = write_model(to, *file); !s) return fail_at("cannot write", s.error());
  out(shown(to) + ": " + text_of(model->inputs()) + " -> " + text_of(model->outputs()) + "; opset " + shown(file->opset()) + ", " +
      shown(file->bytes()) + " bytes\n");
  return kDone;
}

}  // namespace tern::command
