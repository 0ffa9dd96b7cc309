// See index.h.
#include "loaders/tensorflow/run/index.h"

#include <charconv>

#include "loaders/tensorflow/ops/operator.h"
#include "loaders/tensorflow/run/frames.h"
#include "loaders/tensorflow/run/special.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

// A number of an output; nothing when the text is none.
std::optional<int32_t> number(std::string_view text) {
  int32_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() && n >= 0 ? std::optional(n) : std::nullopt;
}

// How many outputs the list argument has whose length this attribute tells.
int32_t length_of(const FileNode& node, std::string_view attribute) {
  const auto value = node.attribute(attribute);
  if (value == nullptr) return 0;
  const int64_t n = value->has_list() ? value->list().type_size() : value->i();
  return n < 0 || n > INT32_MAX / 2 ? 0 : static_cast<int32_t>(n);
}

// The flat number of an argument's first output: of "values" in "indices*N values" as many as the attribute N says.
std::optional<int32_t> first_of(const FileNode& node, std::string_view argument) {
  const Operator* op = find_operator(node.op());
  const Special* special = find_special(node.op());
  const char* outputs = special != nullptr ? special->outputs : op != nullptr ? op->outputs : nullptr;
  if (outputs == nullptr) return 0;
  int64_t at = 0;
  for (std::string_view rest = outputs; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' ')), name = word.substr(0, word.find('*'));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (name == argument) return static_cast<int32_t>(std::min<int64_t>(at, INT32_MAX));
    at += name.size() == word.size() ? 1 : length_of(node, word.substr(name.size() + 1));
  }
  return std::nullopt;
}

}  // namespace

Status Index::add(const google::protobuf::RepeatedPtrField<std::string>& nodes) {
  nodes_.reserve(static_cast<size_t>(nodes.size()));
  inputs_.reserve(static_cast<size_t>(nodes.size()));
  by_name_.reserve(static_cast<size_t>(nodes.size()));
  for (const std::string& bytes : nodes) {
    const FileNode n(bytes);
    if (!by_name_.emplace(n.name(), static_cast<int32_t>(nodes_.size())).second) {
      return invalid("node '" + printable(n.name(), 80) + "' is there twice");
    }
    add(n);
    const std::string_view op = n.op().starts_with("Ref") ? n.op().substr(3) : n.op();
    frames_ = frames_ || op == "Switch" || op == "Merge" || op == "Enter";
  }
  return {};
}

int32_t Index::add(FileNode node) {
  const auto n = static_cast<int32_t>(nodes_.size());
  inputs_.emplace_back();
  for (const char* op : {"TensorListConcatV2", "TensorListConcat", "TensorArrayConcatV3"}) {
    if (node.op() == op) joins_.push_back(n);
  }
  nodes_.push_back(std::move(node));
  return n;
}

void Index::resolve_inputs() {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const std::vector<std::string_view> references = nodes_[i].inputs();
    inputs_[i].reserve(references.size());
    for (const std::string_view reference : references) inputs_[i].push_back(resolve(reference));
  }
}

Result<Index> Index::of(const tensorflow_pb::GraphDef& graph) {
  Index index;
  if (Status s = index.add(graph.node()); !s) return s.error();
  index.resolve_inputs();
  return index;
}

Result<Index> Index::of(const tensorflow_pb::FunctionDef& function) {
  Index index;
  index.function_ = &function;
  for (const auto& a : function.signature().input_arg()) index.argument_.emplace(a.name(), static_cast<int32_t>(index.arguments_++));
  if (Status s = index.add(function.node_def()); !s) return s.error();
  index.resolve_inputs();
  std::unordered_map<std::string_view, std::string_view> returned;
  for (const auto& r : function.ret()) returned.emplace(r.key(), r.value());
  for (const auto& o : function.signature().output_arg()) {
    const auto at = returned.find(o.name());
    index.returns_.push_back(at == returned.end() ? Edge() : index.resolve(at->second));
  }
  index.by_name_ = {};  // nobody asks for a node of a function by name
  index.argument_ = {};
  return index;
}

int32_t Index::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? -1 : at->second;
}

Edge Index::behind(Edge e) const {
  constexpr int kMost = 64;  // far above what is written; whoever asks may ask for every edge
  for (int left = kMost; e.node >= 0 && left > 0; --left) {
    const std::string_view op = node(e.node).op();
    if ((op != "Identity" && op != "StopGradient") || inputs(e.node).empty()) break;
    e = inputs(e.node)[0];
  }
  return e;
}

Edge Index::resolve(std::string_view reference) const {
  if (reference.starts_with('^')) {
    const int32_t node = find(reference.substr(1));
    return node < 0 ? Edge{Edge::kMissing, Edge::kControl} : Edge{node, Edge::kControl};
  }
  const size_t colon = reference.find(':');
  const std::string_view name = reference.substr(0, colon);
  if (const auto a = argument_.find(name); a != argument_.end()) return {-1 - a->second, 0};
  const int32_t node = find(name);
  if (node < 0) return {};
  if (colon == reference.npos) return {node, 0};
  const std::string_view rest = reference.substr(colon + 1);
  const size_t second = rest.find(':');
  const auto k = number(second == rest.npos ? rest : rest.substr(second + 1));
  if (!k) return {};
  if (second == rest.npos) return {node, *k};
  const auto first = first_of(nodes_[static_cast<size_t>(node)], rest.substr(0, second));
  if (!first || *first > INT32_MAX - *k) return {};
  return {node, *first + *k};
}

Functions::Functions(const tensorflow_pb::FunctionLibrary& library) {
  by_name_.reserve(static_cast<size_t>(library.function_size()));
  for (const std::string& f : library.function()) by_name_.emplace(name_of_function(f), &f);
}

Result<const Index*> Functions::find(const std::string& name) {
  if (const auto known = indexed_.find(name); known != indexed_.end()) return &known->second->index;
  const auto at = by_name_.find(name);
  if (at == by_name_.end()) return invalid("it calls the function '" + printable(name, 80) + "', which is not there");
  auto function = parse_function(*at->second);
  if (function == nullptr) return invalid("function " + printable(name, 80) + ": its fields are malformed");
  auto made = Index::of(*function);
  if (made && made->has_frames()) {
    std::vector<Edge> wanted = made->returns();
    made = without_frames(*made, wanted, *this);
    if (made) made->returns() = std::move(wanted);
  }
  if (!made) return made.error().within("function " + printable(name, 80));
  return &(indexed_[name] = std::make_unique<const Indexed>(Indexed{std::move(function), std::move(*made)}))->index;
}

std::string Functions::add(const std::string& name, Index index) {
  std::string own = name;
  for (size_t n = 1; by_name_.contains(own) || indexed_.contains(own); ++n) own = name + "_" + std::to_string(n);
  indexed_[own] = std::make_unique<const Indexed>(Indexed{nullptr, std::move(index)});
  return own;
}

tensorflow_pb::NodeDef& Functions::add_node() { return *nodes_.emplace_back(std::make_unique<tensorflow_pb::NodeDef>()); }

}  // namespace tern::tensorflow
