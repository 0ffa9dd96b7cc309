// FileNode: a node of a file, parsed when somebody asks for more than its name and its operator, and let go when it was run. Most nodes of a file are
// never run, and thousands of parsed ones take more memory than all that is made of them. Next: file_node.cpp, then index.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/status.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {

class FileNode {
 public:
  // A clean NodeDef (../wire.h), or one that was made, and is changed still. Both must outlive this.
  explicit FileNode(const std::string& bytes);
  explicit FileNode(const tensorflow_pb::NodeDef& made);

  std::string_view name() const { return name_; }
  std::string_view op() const { return op_; }
  // What it reads, as the file writes it; none of one that was made.
  std::vector<std::string_view> inputs() const;
  // All of it; null: its fields are malformed. Kept until let_go(), and as long as somebody holds it.
  std::shared_ptr<const tensorflow_pb::NodeDef> parsed() const;
  std::shared_ptr<const tensorflow_pb::AttrValue> attribute(std::string_view name) const;  // null: absent
  void let_go() const;

 private:
  std::string_view name_, op_;
  const std::string* bytes_ = nullptr;  // null: it was made
  mutable std::shared_ptr<const tensorflow_pb::NodeDef> parsed_;
};

// What to say of a node that cannot be parsed (invalid).
Error malformed(const FileNode& node);

// A function that is called: the whole of a clean FunctionDef but its nodes. Null: its fields are malformed.
std::unique_ptr<const tensorflow_pb::FunctionDef> parse_function(const std::string& bytes);
// What it is called.
std::string_view name_of_function(const std::string& bytes);

}  // namespace tern::tensorflow
