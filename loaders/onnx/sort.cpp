// Kahn's algorithm, lowest position first. See sort.h.
#include "loaders/onnx/sort.h"

#include <functional>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "loaders/onnx/text.h"

namespace tern::onnx {
namespace {

// Calls f(name) for every name that the node reads from around it, subgraphs included. Subgraphs nest at most as deep as
// wire.cpp lets messages nest, so this recursion is bounded.
template <class F>
void for_each_read(const onnx_pb::NodeProto& node, const F& f) {
  for (const auto& name : node.input()) {
    if (!name.empty()) f(std::string_view(name));
  }
  for (const auto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    const onnx_pb::GraphProto& g = attribute.g();
    std::unordered_set<std::string_view> own;
    for (const auto& t : g.initializer()) own.insert(t.name());
    for (const auto& t : g.sparse_initializer()) own.insert(t.values().name());
    for (const auto& v : g.input()) own.insert(v.name());
    for (const auto& n : g.node()) own.insert(n.output().begin(), n.output().end());
    const std::function<void(std::string_view)> outer = [&](std::string_view name) {
      if (!own.contains(name)) f(name);
    };
    for (const auto& n : g.node()) for_each_read(n, outer);
    for (const auto& v : g.output()) outer(v.name());
  }
}

}  // namespace

std::string describe(const onnx_pb::NodeProto& node) {
  std::string label = node.name();
  for (int i = 0; label.empty() && i < node.output_size(); ++i) {
    if (!node.output(i).empty()) label = "@" + node.output(i);
  }
  const std::string name = quoted(label), op = quoted(node.op_type());
  return name.substr(1, name.size() - 2) + " (" + op.substr(1, op.size() - 2) + ")";
}

Result<std::vector<int>> sorted_nodes(const onnx_pb::GraphProto& graph) {
  const size_t count = static_cast<size_t>(graph.node_size());
  std::unordered_map<std::string_view, int> producer;
  for (int n = 0; n < graph.node_size(); ++n) {
    for (const auto& name : graph.node(n).output()) {
      if (name.empty()) continue;
      auto [it, fresh] = producer.emplace(name, n);
      if (!fresh) {
        return invalid("value " + quoted(name) + " is produced twice: by " + describe(graph.node(it->second)) + " and by " + describe(graph.node(n)));
      }
    }
  }
  std::vector<int> waits(count, 0);  // reads of a node whose producer has not been placed
  std::vector<std::vector<int>> readers(count);
  for (size_t n = 0; n < count; ++n) {
    const std::function<void(std::string_view)> read = [&](std::string_view name) {
      auto it = producer.find(name);
      if (it == producer.end()) return;
      readers[static_cast<size_t>(it->second)].push_back(static_cast<int>(n));
      ++waits[n];
    };
    for_each_read(graph.node(static_cast<int>(n)), read);
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t n = 0; n < count; ++n) {
    if (waits[n] == 0) ready.push(static_cast<int>(n));
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int n = ready.top();
    ready.pop();
    order.push_back(n);
    for (int r : readers[static_cast<size_t>(n)]) {
      if (--waits[static_cast<size_t>(r)] == 0) ready.push(r);
    }
  }
  if (order.size() == count) return order;
  // Every node left waits for another one left: walking from reader to producer must come back, and that node is on a cycle.
  std::vector<bool> seen(count, false);
  int at = 0;
  while (waits[static_cast<size_t>(at)] == 0) ++at;
  std::string_view value;
  while (!seen[static_cast<size_t>(at)]) {
    seen[static_cast<size_t>(at)] = true;
    int next = at;
    const std::function<void(std::string_view)> read = [&](std::string_view name) {
      auto it = producer.find(name);
      if (it == producer.end() || waits[static_cast<size_t>(it->second)] == 0) return;
      next = it->second;
      value = name;
    };
    for_each_read(graph.node(at), read);
    at = next;
  }
  return invalid("the graph has a cycle: " + describe(graph.node(at)) + " produces " + quoted(value) + " and cannot run before it is known");
}

}  // namespace tern::onnx
