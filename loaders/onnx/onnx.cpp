// The four steps from bytes to Graph. See onnx.h.
#include "loaders/onnx/onnx.h"

#include "loaders/onnx/build.h"
#include "loaders/onnx/functions.h"
#include "loaders/onnx/wire.h"
#include "runtime/base/byte_reader.h"

namespace tern {

using namespace onnx;  // NOLINT: this file is its front door

bool looks_like_onnx(std::span<const std::byte> bytes) {
  // Any field of ModelProto may come first; writers begin with ir_version (a varint).
  ByteReader in(bytes);
  auto tag = in.varint();
  if (!tag) return false;
  const uint64_t number = *tag >> 3, wire = *tag & 7;
  switch (number) {
    case 1:
    case 5: return wire == 0 && in.varint().has_value();
    case 2:
    case 3:
    case 4:
    case 6:
    case 7:
    case 8:
    case 14:
    case 20:
    case 25:
    case 26: return wire == 2;
    default: return false;
  }
}

namespace {

template <class Proto>
Status parse(const Result<std::string>& message, Proto& proto) {
  if (!message) return message.error();
  constexpr size_t kMostBytes = (size_t{1} << 31) - 1;  // of one protobuf message
  if (message->size() > kMostBytes || !proto.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
    return invalid("not a readable ONNX model: its fields are malformed");
  }
  return {};
}

}  // namespace

Result<Graph> load_onnx(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options, bool mapped) {
  onnx_pb::ModelProto model;
  if (Status s = parse(clean_model(bytes, options.budget), model); !s) return s.error();
  if (!model.has_graph()) return invalid("not a readable ONNX model: it has no graph");
  if (Status s = inline_functions(model); !s) return s.error();
  Sources sources{bytes, ExternalFiles(directory, options.follow_links), options.budget / 2, mapped};
  return build(model, sources, options.overridable);
}

Result<Tensor> load_tensor_proto(std::span<const std::byte> bytes) {
  constexpr int64_t kBudget = int64_t{64} << 20;
  onnx_pb::Tensor tensor;
  if (Status s = parse(clean_tensor(bytes, kBudget), tensor); !s) return s.error();
  Sources sources{bytes, ExternalFiles({}, false), kBudget};
  return to_tensor(tensor, sources);
}

}  // namespace tern
