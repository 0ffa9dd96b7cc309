// See binding.h.
#include "loaders/tensorflow/saved_model/binding.h"

#include <deque>

#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/wire.h"
#include "runtime/base/printable.h"

namespace tern::tensorflow {
namespace {

const tensorflow_pb::AttrValue* attribute(const tensorflow_pb::NodeDef& node, std::string_view name) {
  for (const auto& a : node.attr()) {
    if (a.key() == name) return &a.value();
  }
  return nullptr;
}

bool is_call(const FileNode& node) { return node.op() == "StatefulPartitionedCall" || node.op() == "PartitionedCall"; }

// The node of an edge behind those that pass their input on; null: an argument, or none.
const FileNode* node_behind(const Index& graph, Edge e) {
  e = graph.behind(e);
  return e.node < 0 ? nullptr : &graph.node(e.node);
}

// The texts of a constant.
std::vector<std::string> texts_of(const Index& graph, Edge e) {
  const auto* node = node_behind(graph, e);
  const auto value = node != nullptr ? node->attribute("value") : nullptr;
  if (value == nullptr) return {};
  return {value->tensor().string_val().begin(), value->tensor().string_val().end()};
}

}  // namespace

Status SavedVariables::open() {
  if (bundle_) return {};
  if (folder_.empty()) {
    return invalid("its variables lie in a folder beside it, and it was loaded from memory; name the folder in LoadOptions::directory");
  }
  auto bundle = Bundle::open(folder_, "variables/variables", how_);
  if (!bundle) {
    return bundle.error().within(
        "the model has variables, and they cannot be read (a SavedModel is a folder with saved_model.pb and variables/ in it)");
  }
  bundle_ = std::move(*bundle);
  bind_captured();
  bind_restored();
  return {};
}

// Objects of the model have the same numbers in the checkpoint's graph of objects, or the same way from the root.
std::vector<std::string> SavedVariables::checkpoint_keys() const {
  std::vector<std::string> keys(static_cast<size_t>(meta_.object_graph_def().nodes_size()));
  const std::string name = "_CHECKPOINTABLE_OBJECT_GRAPH";
  if (keys.empty() || !bundle_->has(name)) return keys;
  auto text = const_cast<Bundle&>(*bundle_).text(name);
  auto objects = text ? read_object_graph(std::as_bytes(std::span(*text)), how_.budget) : text.error();
  if (!objects) return keys;
  std::vector<int32_t> stored(keys.size(), -1);
  if (objects->nodes_size() == meta_.object_graph_def().nodes_size()) {
    for (size_t i = 0; i < keys.size(); ++i) stored[i] = static_cast<int32_t>(i);
  } else {
    std::deque<int32_t> open{0};
    stored[0] = 0;
    while (!open.empty()) {
      const int32_t at = open.front();
      open.pop_front();
      std::unordered_map<std::string_view, int32_t> there;
      for (const auto& c : objects->nodes(stored[static_cast<size_t>(at)]).children()) there.emplace(c.local_name(), c.node_id());
      for (const auto& c : meta_.object_graph_def().nodes(at).children()) {
        const auto same = there.find(c.local_name());
        if (same == there.end() || c.node_id() < 0 || c.node_id() >= static_cast<int32_t>(keys.size())) continue;
        if (same->second < 0 || same->second >= objects->nodes_size() || stored[static_cast<size_t>(c.node_id())] >= 0) continue;
        stored[static_cast<size_t>(c.node_id())] = same->second;
        open.push_back(c.node_id());
      }
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (stored[i] < 0 || stored[i] >= objects->nodes_size()) continue;
    for (const auto& a : objects->nodes(stored[i]).attributes()) {
      if (a.name() == "VARIABLE_VALUE") keys[i] = a.checkpoint_key();
    }
  }
  return keys;
}

// The last inputs of a call are what its function captures; the file lists the objects that these are.
void SavedVariables::bind_captured() {
  std::unordered_map<std::string_view, const tensorflow_pb::SavedConcreteFunction*> concrete;
  for (const auto& f : meta_.object_graph_def().concrete_functions()) concrete.emplace(f.key(), &f.value());
  if (concrete.empty()) return;
  const std::vector<std::string> keys = checkpoint_keys();
  for (size_t i = 0; i < graph_.size(); ++i) {
    const auto& node = graph_.node(static_cast<int32_t>(i));
    const auto f = is_call(node) ? node.attribute("f") : nullptr;
    const auto known = f != nullptr ? concrete.find(f->func().name()) : concrete.end();
    if (known == concrete.end()) continue;
    const auto& bound = known->second->bound_inputs();
    const auto& inputs = graph_.inputs(static_cast<int32_t>(i));
    size_t data = 0;
    while (data < inputs.size() && inputs[data].output != Edge::kControl) ++data;
    if (static_cast<size_t>(bound.size()) > data) continue;
    for (int j = 0; j < bound.size(); ++j) {
      const Edge e = inputs[data - static_cast<size_t>(bound.size()) + static_cast<size_t>(j)];
      if (e.node < 0 || bound.Get(j) < 0 || bound.Get(j) >= static_cast<int>(keys.size())) continue;
      const std::string& key = keys[static_cast<size_t>(bound.Get(j))];
      if (!key.empty() && graph_.node(e.node).op() == "VarHandleOp") stored_as_.emplace(std::string(graph_.node(e.node).name()), Stored{key, {}});
    }
  }
}

// RestoreV2 gives the tensors of a list of names; each is assigned to a variable, or to an argument that the call passes one for. Two fill a table.
void SavedVariables::bind_assigned(const Index& within, const FileNode* call) {
  struct Lists {
    std::vector<std::string> keys, parts;
  };
  std::unordered_map<int32_t, Lists> restored;
  const std::vector<std::string_view> arguments = call != nullptr ? call->inputs() : std::vector<std::string_view>();
  for (size_t i = 0; i < within.size(); ++i) {
    const auto& node = within.node(static_cast<int32_t>(i));
    const auto& inputs = within.inputs(static_cast<int32_t>(i));
    const bool table = node.op() == "LookupTableImportV2";
    if ((node.op() != "AssignVariableOp" && node.op() != "Assign" && !table) || inputs.size() < (table ? 3 : 2)) continue;
    std::vector<Stored> from;  // what it is called in the checkpoint
    for (size_t k = 1; k < (table ? 3 : 2); ++k) {
      const Edge e = within.behind(inputs[k]);
      if (e.node < 0 || within.node(e.node).op() != "RestoreV2" || within.inputs(e.node).size() < 3) break;
      auto [at, fresh] = restored.try_emplace(e.node);
      if (fresh) at->second = {texts_of(within, within.inputs(e.node)[1]), texts_of(within, within.inputs(e.node)[2])};
      const auto& [keys, parts] = at->second;
      const auto which = static_cast<size_t>(e.output);
      if (which < keys.size()) from.push_back({keys[which], which < parts.size() ? parts[which] : ""});
    }
    if (from.size() < (table ? 2 : 1)) continue;
    const Edge to = inputs[0];
    const FileNode* variable = to.node >= 0 ? &within.node(to.node) : nullptr;
    if (to.argument() && static_cast<size_t>(to.argument_number()) < arguments.size()) {
      variable = node_behind(graph_, graph_.resolve(arguments[static_cast<size_t>(to.argument_number())]));
    }
    if (variable == nullptr) continue;
    if (table) rows_.emplace(std::string(variable->name()), std::pair(from[0].key, from[1].key));
    else stored_as_.emplace(std::string(variable->name()), from[0]);
  }
}

void SavedVariables::bind_restored() {
  bind_assigned(graph_, nullptr);
  const Edge restore = graph_.resolve(meta_.saver_def().restore_op_name());
  if (restore.node < 0 || !is_call(graph_.node(restore.node))) return;
  const auto& call = graph_.node(restore.node);
  const auto f = call.attribute("f");
  auto function = f != nullptr ? functions_.find(f->func().name()) : invalid("");
  if (function) bind_assigned(**function, &call);
}

Result<int32_t> SavedVariables::find(const tensorflow_pb::NodeDef& node) {
  std::string bytes = node.SerializeAsString();
  if (const auto at = known_.find(bytes); at != known_.end()) return at->second;
  if (Status s = open(); !s) return s.error();
  const auto* shared = attribute(node, "shared_name");
  Stored stored;
  if (const auto at = stored_as_.find(node.name()); at != stored_as_.end()) stored = at->second;
  std::string& key = stored.key;
  if (!bundle_->has(key) && shared != nullptr && bundle_->has(shared->s())) key = shared->s();
  if (!bundle_->has(key) && bundle_->has(node.name())) key = node.name();
  if (key.empty() || !bundle_->has(key)) {
    constexpr size_t kMost = 16;
    const std::vector<std::string> all = bundle_->keys();
    std::string there;
    for (size_t i = 0; i < all.size() && i < kMost; ++i) there += (i > 0 ? ", " : "") + printable(all[i], 120);
    return invalid("the checkpoint holds no such variable; it holds " + there +
                   (all.size() > kMost ? " and " + std::to_string(all.size() - kMost) + " more" : ""));
  }
  variables_.push_back({node, std::move(stored)});
  known_.emplace(std::move(bytes), static_cast<int32_t>(variables_.size()) - 1);
  return static_cast<int32_t>(variables_.size()) - 1;
}

Result<Variables::Rows> SavedVariables::table(const tensorflow_pb::NodeDef& node) {
  if (!open()) return Rows();  // it may be filled by other means
  const auto at = rows_.find(node.name());
  if (at == rows_.end()) return Rows();
  auto keys = bundle_->read(at->second.first), values = bundle_->read(at->second.second);
  for (const auto* t : {&keys, &values}) {
    if (!*t) return t->error().within("table " + printable(node.name(), 120));
  }
  return Rows(std::pair(std::move(*keys), std::move(*values)));
}

Result<Tensor> SavedVariables::read(int32_t index) {
  const Variable& v = variables_[static_cast<size_t>(index)];
  const std::string where = "variable " + printable(v.node.name(), 120) + " (" + printable(v.stored.key, 200) + ")";
  auto tensor = v.stored.part.empty() ? bundle_->read(v.stored.key) : bundle_->read_part(v.stored.key, v.stored.part);
  if (!tensor) return tensor.error().within(where);
  const auto* dtype = attribute(v.node, "dtype");
  const auto* shape = attribute(v.node, "shape");
  if (dtype != nullptr) {
    auto wanted = dtype_of(dtype->type());
    if (wanted && *wanted != tensor->dtype()) {
      return invalid(where + " is " + name(*wanted) + " in the graph and " + name(tensor->dtype()) +
                     " in the checkpoint: they are of different models");
    }
  }
  if (shape != nullptr && !shape->shape().unknown_rank()) {
    const auto& dims = shape->shape().dim();
    bool same = dims.size() == tensor->dims().rank;
    std::string text;
    for (int i = 0; i < dims.size(); ++i) {
      text += (i > 0 ? "," : "") + (dims.Get(i).size() < 0 ? std::string("?") : std::to_string(dims.Get(i).size()));
      same = same && (dims.Get(i).size() < 0 || dims.Get(i).size() == tensor->dims()[i]);
    }
    if (!same) {
      return invalid(where + " is [" + text + "] in the graph and " + to_string(tensor->dims()) + " in the checkpoint: they are of different models");
    }
  }
  return tensor;
}

}  // namespace tern::tensorflow
