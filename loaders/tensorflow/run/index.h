// Index: a graph or a function of the file with its nodes found by name and its references turned into edges. Nothing is missing yet: what an edge
// that leads nowhere was called is told when somebody follows it. Next: index.cpp, then run.h.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loaders/tensorflow/run/file_node.h"
#include "tern/status.h"

namespace tern::tensorflow {

struct Edge {
  static constexpr int32_t kMissing = INT32_MIN, kControl = -1;
  int32_t node = kMissing;  // below 0: argument -1 - node of the function
  int32_t output = 0;       // flat; kControl: nothing flows, the one node runs after the other
  bool argument() const { return node < 0 && node != kMissing; }
  int32_t argument_number() const { return -1 - node; }
  auto operator<=>(const Edge&) const = default;
};

class Index {
 public:
  // Both must outlive this. Errors (invalid): two nodes of one name.
  static Result<Index> of(const tensorflow_pb::GraphDef& graph);
  static Result<Index> of(const tensorflow_pb::FunctionDef& function);

  size_t size() const { return nodes_.size(); }
  const FileNode& node(int32_t i) const { return nodes_[static_cast<size_t>(i)]; }
  int32_t find(std::string_view name) const;  // -1: none
  // "node", "node:2", "^node"; in a function "argument", "node:output:0".
  Edge resolve(std::string_view reference) const;
  // The edge behind nodes that pass their input on.
  Edge behind(Edge e) const;
  const std::vector<Edge>& inputs(int32_t i) const { return inputs_[static_cast<size_t>(i)]; }

  // Of a function: its arguments and what it returns, in the order of its signature.
  size_t arguments() const { return arguments_; }
  const std::vector<Edge>& returns() const { return returns_; }
  const tensorflow_pb::FunctionDef* function() const { return function_; }  // null: a graph

  // Nodes that join the elements of a list, which may be of several shapes.
  const std::vector<int32_t>& joins() const { return joins_; }
  // Whether it has branches or loops of TensorFlow 1 (frames.h).
  bool has_frames() const { return frames_; }
  // For graphs that are made of others.
  int32_t add(FileNode node);
  std::vector<Edge>& inputs(int32_t i) { return inputs_[static_cast<size_t>(i)]; }
  std::vector<Edge>& returns() { return returns_; }
  void replace(int32_t i, FileNode node) { nodes_[static_cast<size_t>(i)] = std::move(node); }
  void take_arguments(size_t n) { arguments_ = n; }

 private:
  Status add(const google::protobuf::RepeatedPtrField<std::string>& nodes);
  void resolve_inputs();

  std::vector<FileNode> nodes_;
  std::vector<std::vector<Edge>> inputs_;
  std::vector<Edge> returns_;
  std::vector<int32_t> joins_;
  std::unordered_map<std::string_view, int32_t> by_name_;
  std::unordered_map<std::string_view, int32_t> argument_;
  size_t arguments_ = 0;
  const tensorflow_pb::FunctionDef* function_ = nullptr;
  bool frames_ = false;
};

// The functions of a file, indexed when they are first called.
class Functions {
 public:
  explicit Functions(const tensorflow_pb::FunctionLibrary& library);
  bool has(const std::string& name) const { return by_name_.contains(name); }
  // Errors (invalid): none of that name.
  Result<const Index*> find(const std::string& name);
  // Functions and nodes that are not of the file. A name that is taken gets a number; gives the name that it has.
  std::string add(const std::string& name, Index index);
  tensorflow_pb::NodeDef& add_node();

 private:
  struct Indexed {
    std::unique_ptr<const tensorflow_pb::FunctionDef> function;  // null: it was made
    Index index;
  };
  std::unordered_map<std::string_view, const std::string*> by_name_;
  std::unordered_map<std::string, std::unique_ptr<const Indexed>> indexed_;
  std::vector<std::unique_ptr<tensorflow_pb::NodeDef>> nodes_;
};

}  // namespace tern::tensorflow
