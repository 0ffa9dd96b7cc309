// See inputs.h.
#include "loaders/tensorflow/inputs.h"

#include <algorithm>

#include "loaders/tensorflow/graph/types.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {

Result<TypeInfo> declared_type(const std::string& name, int dtype, const tensorflow_pb::ShapeProto& proto, const std::string& first) {
  auto type = dtype_of(dtype);
  if (!type) return type.error();
  Graph nowhere;
  auto shape = to_shape(proto, nowhere);
  if (!shape) return shape.error();
  for (int axis = 0; axis < shape->rank(); ++axis) {
    if (!(*shape)[axis].known()) (*shape)[axis] = Dim::symbol(axis == 0 ? first : name + "_" + std::to_string(axis));
  }
  return TypeInfo{*type, std::move(*shape)};
}

Result<ValueId> add_input(Builder& b, const std::string& name, TypeInfo type, const LoadOptions& options) {
  if (!type.shape.ranked()) {
    const auto given = std::find_if(options.inputs.begin(), options.inputs.end(), [&](const Port& p) { return p.name == name; });
    if (given == options.inputs.end()) {
      return unsupported("the file does not tell the shape of input " + printable(name, 80) + "; tell it in LoadOptions::inputs");
    }
    type.shape = Shape(std::vector<Dim>());
    for (const std::string& text : given->shape) {
      auto dim = parse_dim(text);
      if (!dim) return usage("input " + name + ": '" + text + "' is no size");
      type.shape.push_back(*dim);
    }
  }
  const ValueId v = b.input(name, std::move(type));
  return b.ok() ? Result<ValueId>(v) : b.status().error();
}

Result<Graph> finish(Builder& b, const std::vector<std::pair<std::string, Value>>& outputs, const std::string& writer) {
  if (!b.ok()) return b.status().error();
  std::vector<std::pair<std::string, ValueId>> tensors;
  for (const auto& [name, value] : outputs) {
    const auto* u = value.get<Value::Uncomputed>();
    if (u != nullptr && u->unknown) {
      const Error missing = b.program.missing.error();
      return Error(missing.code(), missing.message() + (writer.empty() ? "" : "; the file was written by " + writer));
    }
    const std::string where = "output " + printable(name, 80);
    if (u != nullptr) return unsupported(where + " is " + u->what + ", which is not supported");
    if (value.imaginary() != kNone) return unsupported(where + " is complex, which is not supported");
    if (value.id() == kNone) return unsupported(where + " is " + value.kind() + ", not a tensor");
    tensors.emplace_back(name, value.id());
  }
  b.graph.producer = writer;
  return b.finish(tensors);
}

}  // namespace tern::tensorflow
