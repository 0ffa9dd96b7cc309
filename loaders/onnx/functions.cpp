// Inlining as a work list: a call is taken from the list, its function's nodes are put in its place. See functions.h.
#include "loaders/onnx/functions.h"

#include <memory>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "loaders/onnx/text.h"

namespace tern::onnx {
namespace {

// Bounds on what calls may unfold to, far above what exporters write.
constexpr int64_t kMaxNodes = 1 << 16, kMaxBytes = 16 << 20, kPerArgument = 32;
constexpr int kMaxCallDepth = 256;

using Key = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
using Renamed = std::unordered_map<std::string, std::string>;

int64_t version_of(const Opsets& opsets, const std::string& domain) {
  auto it = opsets.find(canonical_domain(domain));
  return it == opsets.end() ? 0 : it->second;
}

using Given = std::unordered_map<std::string_view, const onnx_pb::Attribute*>;

struct Callee {
  const onnx_pb::Function* function;
  Opsets opsets;
  Given defaults;  // of its attributes
};

// A chain of calls, innermost first.
struct Call {
  const onnx_pb::Function* function;
  std::shared_ptr<const Call> caller;
  int depth;
};

struct Pending {
  onnx_pb::NodeProto node;
  std::shared_ptr<const Call> call;
};

class Inliner {
 public:
  explicit Inliner(onnx_pb::ModelProto& model) : model_(model) {}

  Status run() {
    Opsets opsets;
    for (const auto& o : model_.opset_import()) opsets[canonical_domain(o.domain())] = o.version();
    if (opsets.empty() && model_.ir_version() < 3) opsets[""] = 1;  // files of that time do not say
    for (const auto& f : model_.functions()) {
      Callee callee{&f, {}, {}};
      for (const auto& d : f.attribute_proto()) callee.defaults[d.name()] = &d;
      for (const auto& o : f.opset_import()) callee.opsets[canonical_domain(o.domain())] = o.version();
      if (!callees_.emplace(Key(canonical_domain(f.domain()), f.name(), f.overload()), std::move(callee)).second) {
        return invalid("function " + quoted(f.name()) + " is defined twice");
      }
    }
    stamp(*model_.mutable_graph(), opsets);
    if (callees_.empty()) return {};
    std::vector<onnx_pb::GraphProto*> graphs{model_.mutable_graph()};
    while (!graphs.empty()) {
      onnx_pb::GraphProto* graph = graphs.back();
      graphs.pop_back();
      if (Status s = expand(*graph); !s) return s;
      for (auto& node : *graph->mutable_node()) {
        for (auto& attribute : *node.mutable_attribute()) {
          if (attribute.has_g()) graphs.push_back(attribute.mutable_g());
        }
      }
    }
    return {};
  }

 private:
  // Writes versions into the nodes of a graph and its subgraphs.
  static void stamp(onnx_pb::GraphProto& top, const Opsets& opsets) {
    std::vector<onnx_pb::GraphProto*> graphs{&top};
    while (!graphs.empty()) {
      onnx_pb::GraphProto* graph = graphs.back();
      graphs.pop_back();
      for (auto& node : *graph->mutable_node()) stamp(node, opsets, graphs);
    }
  }
  static void stamp(onnx_pb::NodeProto& node, const Opsets& opsets, std::vector<onnx_pb::GraphProto*>& graphs) {
    node.set_version(version_of(opsets, node.domain()));
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) graphs.push_back(attribute.mutable_g());
      for (auto& g : *attribute.mutable_graphs()) graphs.push_back(&g);
    }
  }

  const Callee* find(const onnx_pb::NodeProto& node) const {
    auto it = callees_.find(Key(canonical_domain(node.domain()), node.op_type(), node.overload()));
    return it == callees_.end() ? nullptr : &it->second;
  }

  Status expand(onnx_pb::GraphProto& graph) {
    bool calls = false;
    for (const auto& node : graph.node()) calls |= find(node) != nullptr;
    if (!calls) return {};
    std::vector<Pending> pending;  // the next node is at the back
    for (int i = graph.node_size(); i-- > 0;) {
      pending.push_back({});
      pending.back().node.Swap(graph.mutable_node(i));
    }
    graph.clear_node();
    while (!pending.empty()) {
      Pending next = std::move(pending.back());
      pending.pop_back();
      const Callee* callee = find(next.node);
      if (callee == nullptr) {
        graph.add_node()->Swap(&next.node);
      } else if (Status s = substitute(next, *callee, pending); !s) {
        return s;
      }
    }
    return {};
  }

  Status substitute(const Pending& site, const Callee& callee, std::vector<Pending>& pending) {
    const onnx_pb::Function& f = *callee.function;
    const std::string where = "function " + quoted(f.name());
    for (const Call* c = site.call.get(); c != nullptr; c = c->caller.get()) {
      if (c->function == &f) return invalid(where + " calls itself");
    }
    auto call = std::make_shared<const Call>(Call{&f, site.call, site.call ? site.call->depth + 1 : 1});
    if (call->depth > kMaxCallDepth) return invalid(where + ": calls nest more than " + std::to_string(kMaxCallDepth) + " deep");
    if (site.node.input_size() > f.input_size() || site.node.output_size() > f.output_size()) {
      return invalid("node " + quoted(site.node.name()) + " passes " + std::to_string(site.node.input_size()) + " inputs and takes " +
                     std::to_string(site.node.output_size()) + " outputs; " + where + " has " + std::to_string(f.input_size()) + " and " +
                     std::to_string(f.output_size()));
    }
    bytes_ += kPerArgument * (f.input_size() + f.output_size());
    if (bytes_ > kMaxBytes) return invalid(where + ": its calls unfold to too much");
    Given given;
    for (const auto& a : site.node.attribute()) given[a.name()] = &a;
    Renamed names;
    for (int i = 0; i < f.input_size(); ++i) names[f.input(i)] = i < site.node.input_size() ? site.node.input(i) : std::string();
    // A function may return an input (or one value twice) as it is: then an Identity carries the name.
    std::vector<onnx_pb::NodeProto> copies;
    for (int i = 0; i < site.node.output_size(); ++i) {
      if (site.node.output(i).empty()) continue;
      if (names.emplace(f.output(i), site.node.output(i)).second) continue;
      onnx_pb::NodeProto copy;
      copy.set_op_type("Identity");
      copy.set_version(version_of(callee.opsets, ""));
      copy.add_input(names[f.output(i)]);
      copy.add_output(site.node.output(i));
      copies.push_back(std::move(copy));
    }
    constexpr size_t kMaxPrefix = 100;  // names must not grow with the depth of calls
    const std::string prefix = (site.node.name().empty() ? f.name() : site.node.name()).substr(0, kMaxPrefix) + "/" + std::to_string(++serial_) + "/";
    for (auto& copy : copies) pending.push_back({std::move(copy), call});
    for (int i = f.node_size(); i-- > 0;) {
      onnx_pb::NodeProto body = f.node(i);
      if (++nodes_ > kMaxNodes || bytes_ > kMaxBytes) return invalid(where + ": its calls unfold to too many nodes");
      std::vector<onnx_pb::GraphProto*> graphs;
      stamp(body, callee.opsets, graphs);
      for (size_t g = 0; g < graphs.size(); ++g) {
        for (auto& inner : *graphs[g]->mutable_node()) stamp(inner, callee.opsets, graphs);
      }
      bind_attributes(body, given, callee.defaults);
      rename(body, names, prefix);
      bytes_ += static_cast<int64_t>(body.ByteSizeLong());
      pending.push_back({std::move(body), call});
    }
    return {};
  }

  // Replaces attributes that refer to the call's attributes; one that neither the call nor the function supplies is dropped.
  static void bind_attributes(onnx_pb::NodeProto& body, const Given& given, const Given& defaults) {
    std::vector<onnx_pb::NodeProto*> nodes{&body};
    while (!nodes.empty()) {
      onnx_pb::NodeProto* node = nodes.back();
      nodes.pop_back();
      for (int i = node->attribute_size(); i-- > 0;) {
        onnx_pb::Attribute& a = *node->mutable_attribute(i);
        if (a.has_g()) {
          for (auto& inner : *a.mutable_g()->mutable_node()) nodes.push_back(&inner);
        }
        if (a.ref_attr_name().empty()) continue;
        auto at = given.find(a.ref_attr_name());
        if (at == given.end()) {
          at = defaults.find(a.ref_attr_name());
          if (at == defaults.end()) {
            node->mutable_attribute()->DeleteSubrange(i, 1);
            continue;
          }
        }
        std::string name = a.name();
        a = *at->second;
        a.set_name(name);
      }
    }
  }

  static std::string renamed(const std::string& name, Renamed& names, const std::string& prefix) {
    if (name.empty()) return name;
    auto [it, fresh] = names.emplace(name, std::string());
    if (fresh) it->second = prefix + name;
    return it->second;
  }

  // Names of the function's values become the call's, or unique. Subgraphs read and may define names of their own: the same map serves.
  static void rename(onnx_pb::NodeProto& body, Renamed& names, const std::string& prefix) {
    std::vector<onnx_pb::NodeProto*> nodes{&body};
    while (!nodes.empty()) {
      onnx_pb::NodeProto* node = nodes.back();
      nodes.pop_back();
      for (auto& name : *node->mutable_input()) name = renamed(name, names, prefix);
      for (auto& name : *node->mutable_output()) name = renamed(name, names, prefix);
      if (!node->name().empty()) node->set_name(prefix + node->name());
      for (auto& a : *node->mutable_attribute()) {
        if (!a.has_g()) continue;
        onnx_pb::GraphProto& g = *a.mutable_g();
        for (auto& t : *g.mutable_initializer()) t.set_name(renamed(t.name(), names, prefix));
        for (auto& t : *g.mutable_sparse_initializer()) t.mutable_values()->set_name(renamed(t.values().name(), names, prefix));
        for (auto& v : *g.mutable_input()) v.set_name(renamed(v.name(), names, prefix));
        for (auto& v : *g.mutable_output()) v.set_name(renamed(v.name(), names, prefix));
        for (auto& inner : *g.mutable_node()) nodes.push_back(&inner);
      }
    }
  }

  onnx_pb::ModelProto& model_;
  std::map<Key, Callee> callees_;
  int64_t nodes_ = 0, bytes_ = 0, serial_ = 0;
};

}  // namespace

Status inline_functions(onnx_pb::ModelProto& model) { return Inliner(model).run(); }

}  // namespace tern::onnx
