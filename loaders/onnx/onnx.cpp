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

Result<Graph> load_onnx(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options,
                        const std::shared_ptr<const void>& owner) {
  onnx_pb::ModelProto model;
  if (Status s = parse(clean_model(bytes, options.budget), model); !s) return s.error();
  if (!model.has_graph()) return invalid("not a readable ONNX model: it has no graph");
  if (Status s = inline_functions(model); !s) return s.error();
  Sources sources{bytes, ExternalFiles(directory, options.follow_links), options.budget / 2, owner};
  return build(model, sources, options.overridable);
}

namespace {

constexpr int64_t kDataBudget = int64_t{64} << 20;
constexpr int32_t kNothing = 0, kTensors = 1, kSequence = 3;  // SequenceProto.DataType, OptionalProto.DataType

Result<Datum> to_sequence(const onnx_pb::Sequence& sequence, Sources& sources) {
  if (sequence.elem_type() != kTensors && sequence.elem_type() != kNothing) return unsupported("it is a sequence of other things than tensors");
  Datum::Elements list;
  for (const auto& t : sequence.tensor_values()) {
    auto tensor = to_tensor(t, sources);
    if (!tensor) return tensor.error().within("element " + std::to_string(list.size()));
    list.push_back(std::move(*tensor));
  }
  return Datum(std::move(list));
}

}  // namespace

Result<Tensor> load_tensor_proto(std::span<const std::byte> bytes) {
  onnx_pb::Tensor tensor;
  if (Status s = parse(clean_tensor(bytes, kDataBudget), tensor); !s) return s.error();
  Sources sources{bytes, ExternalFiles({}, false), kDataBudget};
  return to_tensor(tensor, sources);
}

Result<Datum> load_value_proto(std::span<const std::byte> bytes, ValueKind kind) {
  if (kind == ValueKind::tensor) {
    auto tensor = load_tensor_proto(bytes);
    return tensor ? Result<Datum>(std::move(*tensor)) : tensor.error();
  }
  Sources sources{bytes, ExternalFiles({}, false), kDataBudget};
  if (kind == ValueKind::sequence) {
    onnx_pb::Sequence sequence;
    if (Status s = parse(clean_sequence(bytes, kDataBudget), sequence); !s) return s.error();
    return to_sequence(sequence, sources);
  }
  onnx_pb::Optional optional;
  if (Status s = parse(clean_optional(bytes, kDataBudget), optional); !s) return s.error();
  switch (optional.elem_type()) {
    case kNothing: return Datum();
    case kSequence: return to_sequence(optional.sequence_value(), sources);
    case kTensors: {
      auto tensor = to_tensor(optional.tensor_value(), sources);
      return tensor ? Result<Datum>(std::move(*tensor)) : tensor.error();
    }
    default: return unsupported("it is an optional of another thing than a tensor or a sequence");
  }
}

}  // namespace tern
