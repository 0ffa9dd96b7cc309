// The way in: wire check, protobuf, import. See onnx.h.
#include "loaders/onnx/onnx.h"

#include <google/protobuf/io/coded_stream.h>

#include <queue>

#include "loaders/onnx/import.h"
#include "loaders/onnx/wire.h"
#include "runtime/base/byte_reader.h"

namespace tern {
namespace onnx {
namespace {

// Everything that a node reads: its inputs, and what its branches read (names that they produce themselves do no harm).
void read_names(const onnx_pb::Node& node, std::vector<const std::string*>& names) {
  for (const auto& name : node.input()) names.push_back(&name);
  for (const auto& a : node.attribute()) {
    if (!a.has_g()) continue;
    for (const auto& inner : a.g().node()) read_names(inner, names);  // nesting is bounded by the wire check
    for (const auto& output : a.g().output()) names.push_back(&output.name());
  }
}

}  // namespace

Result<std::vector<int>> topological_order(const google::protobuf::RepeatedPtrField<onnx_pb::Node>& nodes) {
  std::map<std::string, int, std::less<>> producer;
  for (int n = 0; n < nodes.size(); ++n) {
    for (const auto& name : nodes.Get(n).output()) {
      if (!name.empty()) producer.emplace(name, n);
    }
  }
  std::vector<int> waiting(static_cast<size_t>(nodes.size()), 0);
  std::vector<std::vector<int>> readers(static_cast<size_t>(nodes.size()));
  for (int n = 0; n < nodes.size(); ++n) {
    std::vector<const std::string*> names;
    read_names(nodes.Get(n), names);
    for (const std::string* name : names) {
      auto at = producer.find(*name);
      if (at == producer.end() || at->second == n) continue;
      readers[static_cast<size_t>(at->second)].push_back(n);
      ++waiting[static_cast<size_t>(n)];
    }
    for (const auto& name : nodes.Get(n).input()) {
      if (auto at = producer.find(name); at != producer.end() && at->second == n) return invalid("node " + nodes.Get(n).name() + " reads its own output " + name);
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int n = 0; n < nodes.size(); ++n) {
    if (waiting[static_cast<size_t>(n)] == 0) ready.push(n);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int n = ready.top();
    ready.pop();
    order.push_back(n);
    for (int r : readers[static_cast<size_t>(n)]) {
      if (--waiting[static_cast<size_t>(r)] == 0) ready.push(r);
    }
  }
  for (int n = 0; n < nodes.size() && order.size() < waiting.size(); ++n) {
    if (waiting[static_cast<size_t>(n)] > 0) {
      return invalid("the graph has a cycle through node " + (nodes.Get(n).name().empty() ? "@" + (nodes.Get(n).output_size() ? nodes.Get(n).output(0) : "?") : nodes.Get(n).name()));
    }
  }
  return order;
}

Result<TypeInfo> to_type(const onnx_pb::ValueInfo& info) {
  if (!info.type().has_tensor_type()) return unsupported("is no tensor (sequences, maps and optionals are not supported)");
  const auto& t = info.type().tensor_type();
  const DType dtype = to_dtype(t.elem_type());
  if (dtype == DType::none) {
    if (t.elem_type() < 1 || t.elem_type() > 26) return invalid("has the unknown " + data_type_name(t.elem_type()));
    return unsupported("is " + data_type_name(t.elem_type()) + ": this dtype is not supported");
  }
  if (!t.has_shape()) return TypeInfo{dtype, Shape()};
  Shape shape{std::vector<Dim>()};
  for (int i = 0; i < t.shape().dim_size(); ++i) {
    const auto& dim = t.shape().dim(i);
    if (dim.has_dim_value() && dim.dim_value() < -1) return invalid("has the negative dimension " + std::to_string(dim.dim_value()));
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      shape.push_back(Dim(dim.dim_value()));
    } else if (!dim.dim_param().empty()) {
      auto parsed = parse_dim(dim.dim_param());
      shape.push_back(parsed ? *parsed : Dim::symbol(dim.dim_param()));
    } else {
      shape.push_back(Dim::symbol(info.name() + "_dim_" + std::to_string(i)));
    }
  }
  if (shape.rank() > kMaxRank) return unsupported("has " + std::to_string(shape.rank()) + " dimensions; 8 are supported");
  return TypeInfo{dtype, std::move(shape)};
}

namespace {

template <class Proto>
Status parse(std::span<const std::byte> bytes, bool tensor_only, Proto& proto) {
  if (bytes.size() > INT32_MAX) return unsupported("files above 2 GiB need their weights in external data");
  if (Status s = check_wire(bytes, tensor_only); !s) return s;
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  stream.SetTotalBytesLimit(INT32_MAX);
  if (!proto.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) return invalid("not a valid ONNX file");
  return {};
}

}  // namespace
}  // namespace onnx

bool looks_like_onnx(std::span<const std::byte> bytes) {
  ByteReader r(bytes);
  auto tag = r.varint();
  if (!tag) return false;
  const uint64_t field = *tag >> 3, wire_type = *tag & 7;
  const bool known = (field >= 1 && field <= 8) || field == 14 || field == 20 || field == 25 || field == 26;
  return known && (wire_type == 0 || wire_type == 2);
}

Result<Graph> load_onnx(std::span<const std::byte> bytes, const std::string& directory, const LoadOptions& options) {
  onnx_pb::Model model;
  if (Status s = onnx::parse(bytes, false, model); !s) return s.error();
  return onnx::Importer(model, directory, options).run();
}

Result<Tensor> load_tensor_proto(std::span<const std::byte> bytes) {
  onnx_pb::Tensor proto;
  if (Status s = onnx::parse(bytes, true, proto); !s) return s.error();
  onnx::ExternalData none("");
  return onnx::to_tensor(proto, none);
}

}  // namespace tern
