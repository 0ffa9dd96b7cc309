// See file_node.h. The numbers of fields are those of tern_tensorflow.proto.
#include "loaders/tensorflow/run/file_node.h"

#include "loaders/wire/wire.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {

using wire::Payloads;

FileNode::FileNode(const std::string& bytes) : bytes_(&bytes) {
  for (Payloads fields(bytes); const auto field = fields.next();) {
    if (field->number == 1) name_ = field->bytes;
    if (field->number == 2) op_ = field->bytes;
  }
}

FileNode::FileNode(const tensorflow_pb::NodeDef& made) : name_(made.name()), op_(made.op()), parsed_(std::shared_ptr<void>(), &made) {}

std::vector<std::string_view> FileNode::inputs() const {
  std::vector<std::string_view> all;
  if (bytes_ == nullptr) return all;
  for (Payloads fields(*bytes_); const auto field = fields.next();) {
    if (field->number == 3) all.push_back(field->bytes);
  }
  return all;
}

std::shared_ptr<const tensorflow_pb::NodeDef> FileNode::parsed() const {
  if (parsed_ != nullptr) return parsed_;
  auto def = std::make_shared<tensorflow_pb::NodeDef>();
  if (def->ParseFromString(*bytes_)) parsed_ = std::move(def);
  return parsed_;
}

std::shared_ptr<const tensorflow_pb::AttrValue> FileNode::attribute(std::string_view name) const {
  const auto def = parsed();
  if (def == nullptr) return nullptr;
  for (const auto& a : def->attr()) {
    if (a.key() == name) return {def, &a.value()};
  }
  return nullptr;
}

void FileNode::let_go() const {
  if (bytes_ != nullptr) parsed_ = nullptr;
}

Error malformed(const FileNode& node) {
  return invalid("node '" + printable(node.name(), 120) + "' (" + printable(node.op(), 80) + ") has malformed fields");
}

std::unique_ptr<const tensorflow_pb::FunctionDef> parse_function(const std::string& bytes) {
  auto function = std::make_unique<tensorflow_pb::FunctionDef>();
  if (!function->ParseFromString(bytes)) return nullptr;
  return function;
}

std::string_view name_of_function(const std::string& bytes) {
  std::string_view name;
  for (Payloads fields(bytes); const auto field = fields.next();) {
    for (Payloads signature(field->number == 1 ? field->bytes : std::string_view()); const auto part = signature.next();) {
      if (part->number == 1) name = part->bytes;
    }
  }
  return name;
}

}  // namespace tern::tensorflow
