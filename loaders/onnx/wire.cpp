// See wire.h. Only fields that hold messages of the schema are entered, so that text and weights are never mistaken for structure.
#include "loaders/onnx/wire.h"

#include <string>

#include "runtime/base/byte_reader.h"

namespace tern::onnx {
namespace {

constexpr int kMaxDepth = 60;             // protobuf itself stops at 100
constexpr int64_t kFreeMessages = 20000;  // small files may hold this many; larger ones one for every kBytesPerMessage
constexpr int64_t kBytesPerMessage = 8;
constexpr int64_t kMaxMessages = 5000000;

enum Kind : uint8_t { none, model, graph, function, node, attribute, tensor, sparse, value_info, type, tensor_type, shape, dimension, entry, opset };

// The message that a field of `parent` holds; none when it is a number, text or unknown.
Kind child(Kind parent, uint64_t field) {
  switch (parent) {
    case model: return field == 7 ? graph : field == 8 ? opset : field == 25 ? function : none;
    case graph: return field == 1 ? node : field == 5 ? tensor : field >= 11 && field <= 13 ? value_info : field == 15 ? sparse : none;
    case function: return field == 7 ? node : field == 9 ? opset : field == 11 ? attribute : none;
    case node: return field == 5 ? attribute : none;
    case attribute:
      return field == 5 || field == 10 ? tensor : field == 6 || field == 11 ? graph : field == 22 ? sparse : none;
    case sparse: return field == 1 || field == 2 ? tensor : none;
    case tensor: return field == 13 ? entry : none;
    case value_info: return field == 2 ? type : none;
    case type: return field == 1 ? tensor_type : none;
    case tensor_type: return field == 2 ? shape : none;
    case shape: return field == 1 ? dimension : none;
    default: return none;
  }
}

Error at(const ByteReader& r, const char* what) {
  return invalid("not a valid ONNX file: " + std::string(what) + " at byte " + std::to_string(r.position()));
}

}  // namespace

Status check_wire(std::span<const std::byte> bytes, bool tensor_only) {
  struct Level {
    Kind kind;
    size_t end;
  };
  Level levels[kMaxDepth + 1];
  int depth = 0;
  levels[0] = {tensor_only ? tensor : model, bytes.size()};
  ByteReader r(bytes);
  int64_t messages = 0;
  const int64_t allowed = std::min(kMaxMessages, kFreeMessages + static_cast<int64_t>(bytes.size()) / kBytesPerMessage);
  for (;;) {
    while (depth > 0 && r.position() == levels[depth].end) --depth;
    if (r.position() == bytes.size()) return {};
    auto tag = r.varint();
    if (!tag) return at(r, "a cut-off field");
    const uint64_t field = *tag >> 3, wire_type = *tag & 7;
    if (field == 0 || field > 536870911) return at(r, "an impossible field number");
    bool fits = true;
    if (wire_type == 0) {
      fits = r.varint().has_value();
    } else if (wire_type == 1) {
      fits = r.take(8).has_value();
    } else if (wire_type == 5) {
      fits = r.take(4).has_value();
    } else if (wire_type == 2) {
      auto length = r.varint();
      if (!length || *length > levels[depth].end - std::min(levels[depth].end, r.position())) return at(r, "a length past the end");
      // A short string costs protobuf as much memory as a message does, so it is counted too.
      const Kind kind = child(levels[depth].kind, field);
      if (kind != none || *length < 16) {
        if (++messages > allowed) return at(r, "more messages than any model has");
      }
      if (kind == none) {
        fits = r.take(static_cast<size_t>(*length)).has_value();
      } else if (depth == kMaxDepth) {
        return at(r, "messages nested too deeply");
      } else {
        levels[++depth] = {kind, r.position() + static_cast<size_t>(*length)};
      }
    } else {
      return at(r, "an unknown wire type");
    }
    if (!fits || r.position() > levels[depth].end) return at(r, "a field past the end");
  }
}

}  // namespace tern::onnx
