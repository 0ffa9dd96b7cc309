// The bytes of the file: a head, then the nodes, then one piece for each initializer, whose elements go from the graph's own memory to the
// sink. Lengths come before contents in protobuf, so all sizes are known before the first byte is written. See write.h.
#include "loaders/onnx/write.h"

#include <charconv>

#include "loaders/onnx/graph_writer.h"
#include "tern/tern.h"

namespace tern {

using namespace onnx;  // NOLINT: as onnx.cpp

namespace {

constexpr int64_t kIrVersion = 8;                       // all that is written was there in it; the opset says the rest
constexpr int64_t kMlOpset = 2;                         // of ai.onnx.ml: the first in which a LabelEncoder has keys and values
constexpr int64_t kMostBytes = (int64_t{1} << 31) - 1;  // of a protobuf message

// Field numbers (loaders/README.md).
constexpr uint32_t kModelGraph = 7, kGraphInitializer = 5, kTensorRaw = 9;

// The beginning of a field that holds `length` bytes.
void open_field(std::string& to, uint32_t field, int64_t length) {
  auto varint = [&](uint64_t v) {
    for (; v >= 0x80; v >>= 7) to.push_back(static_cast<char>(v | 0x80));
    to.push_back(static_cast<char>(v));
  };
  varint(field << 3 | 2);
  varint(static_cast<uint64_t>(length));
}

int64_t raw_bytes(const Tensor& t) { return t.dtype() == DType::string ? 0 : static_cast<int64_t>(t.bytes()); }

std::span<const std::byte> bytes_of(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

// The field of an initializer up to its elements.
std::string initializer_head(const Initializer& i) {
  Tensor shown = i.tensor;
  if (i.transposed) shown = shown.reshaped({shown.dims()[1], shown.dims()[0]});
  onnx_pb::Tensor proto;
  write_header(i.name, shown, proto);
  std::string tensor = proto.SerializeAsString(), head;
  if (shown.dtype() != DType::string) open_field(tensor, kTensorRaw, raw_bytes(shown));
  open_field(head, kGraphInitializer, static_cast<int64_t>(tensor.size()) + raw_bytes(shown));
  return head + tensor;
}

Result<Tensor> transpose(const Tensor& t) {
  const int64_t rows = t.dims()[0], columns = t.dims()[1];
  auto out = Tensor::allocate(t.dtype(), {columns, rows});
  if (!out) return out;
  auto copy = [&]<class T>(const T* from, T* to) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
    }
  };
  switch (size_of(t.dtype())) {
    case 2: copy(t.data<uint16_t>(), out->mutable_data<uint16_t>()); break;
    case 4: copy(t.data<uint32_t>(), out->mutable_data<uint32_t>()); break;
    default: copy(t.data<uint64_t>(), out->mutable_data<uint64_t>()); break;
  }
  return out;
}

// What the file said of itself: the reverse of build.cpp's metadata_of. Of two entries of a field's name the first is the field.
void write_metadata(const Graph& graph, onnx_pb::ModelProto& model) {
  for (const auto& [key, value] : graph.metadata) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (key == "domain" && !model.has_domain()) model.set_domain(value);
    else if (key == "doc_string" && !model.has_doc_string()) model.set_doc_string(value);
    else if (key == "model_version" && !model.has_model_version() && error == std::errc() && std::to_string(number) == value)
      model.set_model_version(number);
    else if (key != "graph.doc_string") {  // which the graph holds
      auto* entry = model.add_metadata_props();
      entry->set_key(key);
      entry->set_value(value);
    }
  }
}

}  // namespace

Result<OnnxFile> OnnxFile::of(const Graph& graph) {
  ModelWriter model;
  model.note_uses(graph);
  onnx_pb::GraphProto proto;
  if (Status s = GraphWriter(model, graph, proto).whole(); !s) return s.error();
  for (const auto& [key, value] : graph.metadata) {
    if (key == "graph.doc_string" && !proto.has_doc_string()) proto.set_doc_string(value);
  }

  OnnxFile file;
  file.opset_ = model.opset();
  Piece nodes;
  auto in_graph = static_cast<int64_t>(proto.ByteSizeLong());
  if (in_graph <= kMostBytes) nodes.head = proto.SerializeAsString();
  proto.Clear();
  std::vector<Piece> initializers;
  for (const Initializer& i : model.initializers()) {
    initializers.push_back({initializer_head(i), i.tensor.dtype() == DType::string ? Tensor() : i.tensor, i.transposed});
    in_graph += static_cast<int64_t>(initializers.back().head.size()) + raw_bytes(i.tensor);
  }
  onnx_pb::ModelProto head;
  head.set_ir_version(kIrVersion);
  head.set_producer_name("tern");
  head.set_producer_version(version());
  head.add_opset_import()->set_domain("");
  head.mutable_opset_import(0)->set_version(file.opset_);
  if (model.needs_ml()) {
    head.add_opset_import()->set_domain("ai.onnx.ml");
    head.mutable_opset_import(1)->set_version(kMlOpset);
  }
  write_metadata(graph, head);
  file.pieces_.push_back({head.SerializeAsString(), {}});
  open_field(file.pieces_[0].head, kModelGraph, in_graph);
  file.bytes_ = static_cast<int64_t>(file.pieces_[0].head.size()) + in_graph;
  if (file.bytes_ > kMostBytes) {
    return unsupported("it would take " + std::to_string(file.bytes_) + " bytes, and one ONNX file can hold " + std::to_string(kMostBytes) +
                       "; use the file that it was loaded from");
  }
  file.pieces_.push_back(std::move(nodes));
  for (Piece& p : initializers) file.pieces_.push_back(std::move(p));
  return file;
}

Status OnnxFile::write(const ByteSink& sink) const {
  for (const Piece& piece : pieces_) {
    if (Status s = sink(bytes_of(piece.head)); !s) return s;
    if (!piece.elements.present() || piece.elements.count() == 0) continue;
    Result<Tensor> elements = piece.transposed ? transpose(piece.elements) : piece.elements;
    if (!elements) return elements.error();
    if (Status s = sink({elements->raw(), elements->bytes()}); !s) return s;
  }
  return {};
}

Result<std::string> to_onnx(const Graph& graph) {
  auto file = OnnxFile::of(graph);
  if (!file) return file.error();
  std::string bytes;
  bytes.reserve(static_cast<size_t>(file->bytes()));
  Status s = file->write([&](std::span<const std::byte> piece) -> Status {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return {};
  });
  if (!s) return s.error();
  return bytes;
}

}  // namespace tern
