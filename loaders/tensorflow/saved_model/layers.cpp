// See layers.h.
#include "loaders/tensorflow/saved_model/layers.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "loaders/json/json.h"
#include "loaders/tensorflow/wire.h"
#include "runtime/base/checked.h"

namespace tern::tensorflow {
namespace {

using tensorflow_pb::SavedObject;

class Layers {
 public:
  Layers(const tensorflow_pb::MetaGraph& meta, const Source& model) : objects_(meta.object_graph_def()) {
    for (int32_t i = 0; i < objects_.nodes_size(); ++i) {
      const auto& user = objects_.nodes(i).user_object();
      if (!user.metadata().empty()) texts_[i] = user.metadata();
    }
    for (const auto& f : objects_.concrete_functions()) functions_.emplace(f.key(), &f.value());
    if (model.directory.empty()) return;
    auto file = map_beneath(model.directory, "keras_metadata.pb", model.how);
    if (!file) return;
    auto metadata = read_keras_metadata(file->bytes, model.how.budget);
    if (!metadata) return;
    for (auto& n : *metadata->mutable_nodes()) texts_[n.node_id()] = std::move(*n.mutable_metadata());
  }

  std::vector<SummaryRow> rows() {
    if (objects_.nodes_size() == 0 || !texts_.contains(0)) return {};
    const auto list = follow(0, {"keras_api", "layers"});
    if (!list) return {};
    std::vector<SummaryRow> rows;
    std::set<int32_t> seen;
    for (const int32_t layer : numbered(*list)) {
      if (!seen.insert(layer).second) continue;
      if (auto row = row_of(layer)) rows.push_back(std::move(*row));
    }
    connect(rows);
    return left_ > 0 ? rows : std::vector<SummaryRow>();
  }

 private:
  const SavedObject* object(int32_t id) const { return id >= 0 && id < objects_.nodes_size() ? &objects_.nodes(id) : nullptr; }
  std::optional<int32_t> child(int32_t id, std::string_view name) const {
    const SavedObject* o = object(id);
    for (int i = 0; o != nullptr && i < o->children_size() && --left_ > 0; ++i) {
      if (o->children(i).local_name() == name) return o->children(i).node_id();
    }
    return std::nullopt;
  }
  std::optional<int32_t> follow(int32_t id, std::initializer_list<std::string_view> names) const {
    std::optional<int32_t> at = id;
    for (const std::string_view name : names) at = at ? child(*at, name) : at;
    return at;
  }
  // The children "0", "1" … of a list.
  std::vector<int32_t> numbered(int32_t id) const {
    std::map<int32_t, int32_t> by;
    const SavedObject* o = object(id);
    for (int i = 0; o != nullptr && i < o->children_size() && --left_ > 0; ++i) {
      const std::string& name = o->children(i).local_name();
      int32_t n = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
      if (error == std::errc() && end == name.data() + name.size()) by.emplace(n, o->children(i).node_id());
    }
    std::vector<int32_t> out;
    for (const auto& [n, node] : by) out.push_back(node);
    return out;
  }

  int64_t elements(const std::set<int32_t>& variables) const {
    int64_t sum = 0;
    for (const int32_t v : variables) {
      const SavedObject* o = object(v);
      if (o == nullptr || !o->has_variable()) continue;
      int64_t count = 1;
      for (const auto& d : o->variable().shape().dim()) count = checked_mul(count, std::max<int64_t>(d.size(), 0)).value_or(0);
      sum = checked_add(sum, count).value_or(INT64_MAX);
    }
    return sum;
  }
  std::set<int32_t> listed(int32_t layer, const char* list) const {
    const auto at = child(layer, list);
    const std::vector<int32_t> all = at ? numbered(*at) : std::vector<int32_t>();
    return {all.begin(), all.end()};
  }

  static Shape shape_of(const tensorflow_pb::ShapeProto& proto) {
    if (proto.unknown_rank()) return {};
    std::vector<Dim> dims;
    for (const auto& d : proto.dim()) dims.push_back(d.size() >= 0 ? Dim(d.size()) : Dim::symbol(dims.empty() ? "batch" : "?"));
    return Shape(std::move(dims));
  }
  // Of the first tensors that a function returns: what follows in a tuple are losses.
  static void add_shapes(const tensorflow_pb::StructuredValue& value, std::vector<Shape>& shapes) {
    if (value.has_tensor()) shapes.push_back(shape_of(value.tensor().shape()));
    for (const auto* list : {&value.list(), &value.tuple()}) {
      for (const auto& v : list->values()) {
        if (v.has_tensor()) shapes.push_back(shape_of(v.tensor().shape()));
      }
    }
  }

  // Of a layer that was called for several shapes: none.
  std::vector<Shape> traced_shapes(const tensorflow_pb::SavedFunction& function) const {
    std::optional<std::vector<Shape>> all;
    for (const auto& name : function.concrete_functions()) {
      const auto traced = functions_.find(name);
      if (traced == functions_.end()) continue;
      std::vector<Shape> own;
      add_shapes(traced->second->output_signature(), own);
      if (all && *all != own) return {};
      all = std::move(own);
    }
    return all.value_or(std::vector<Shape>());
  }

  std::optional<SummaryRow> row_of(int32_t layer) {
    const auto text = texts_.find(layer);
    if (text == texts_.end()) return std::nullopt;
    auto json = Json::parse(text->second);
    if (!json) return std::nullopt;
    const Json::Id name = json->get(0, "name"), type = json->get(0, "class_name");
    if (!json->is(name, Json::Kind::string) || !json->is(type, Json::Kind::string)) return std::nullopt;
    SummaryRow row{std::string(json->string(name)), std::string(json->string(type)), {}, 0, 0, {}};
    const std::set<int32_t> all = listed(layer, "variables"), trained = listed(layer, "trainable_variables");
    std::set<int32_t> fixed;
    std::set_difference(all.begin(), all.end(), trained.begin(), trained.end(), std::inserter(fixed, fixed.end()));
    row.parameters = elements(all);
    row.fixed = elements(fixed);
    const auto call = child(layer, "__call__");
    const SavedObject* function = call ? object(*call) : nullptr;
    if (function != nullptr && function->function().concrete_functions_size() > 0) {
      row.shapes = traced_shapes(function->function());
    } else {
      input_shape(*json, row);
    }
    return row;
  }
  // An InputLayer computes nothing; its configuration has the shape.
  static void input_shape(const Json& json, SummaryRow& row) {
    Json::Id shape = json.get(0, "batch_input_shape");
    if (json.is(shape, Json::Kind::object)) shape = json.get(shape, "items");  // of a tuple
    if (!json.is(shape, Json::Kind::array) || json.size(shape) > static_cast<size_t>(kMaxRank)) return;
    std::vector<Dim> dims;
    for (size_t i = 0; i < json.size(shape); ++i) {
      const Json::Id d = json.item(shape, i);
      dims.push_back(json.is(d, Json::Kind::integer) ? Dim(json.integer(d)) : Dim::symbol(i == 0 ? "batch" : "?"));
    }
    row.shapes.emplace_back(std::move(dims));
  }

  // What the model's configuration says that a layer's first call reads; of a chain the layer before.
  void connect(std::vector<SummaryRow>& rows) const {
    auto json = Json::parse(texts_.at(0));
    if (!json) return;
    const Json::Id layers = json->get(json->get(0, "config"), "layers"), type = json->get(0, "class_name");
    if (!json->is(layers, Json::Kind::array)) return;
    const bool chain = json->is(type, Json::Kind::string) && json->string(type) == "Sequential";
    for (size_t i = 1; chain && i < rows.size(); ++i) rows[i].inputs = {rows[i - 1].name + "[0][0]"};
    std::map<std::string_view, SummaryRow*> by_name;
    for (SummaryRow& row : rows) by_name.emplace(row.name, &row);
    for (size_t i = 0; !chain && i < json->size(layers); ++i) {
      const Json::Id layer = json->item(layers, i), name = json->get(layer, "name"), calls = json->get(layer, "inbound_nodes");
      if (!json->is(name, Json::Kind::string) || !json->is(calls, Json::Kind::array) || json->size(calls) == 0) continue;
      const auto row = by_name.find(json->string(name));
      if (row != by_name.end() && row->second->inputs.empty()) add_inputs(*json, json->item(calls, 0), row->second->inputs);
    }
  }
  // ["dense", 0, 0, {…}], or a list of these; tensors among the keywords are left out.
  static void add_inputs(const Json& json, Json::Id call, std::vector<std::string>& inputs) {
    const auto is_one = [&](Json::Id id) {
      return json.is(id, Json::Kind::array) && json.size(id) >= 3 && json.is(json.item(id, 0), Json::Kind::string) &&
             json.is(json.item(id, 1), Json::Kind::integer) && json.is(json.item(id, 2), Json::Kind::integer);
    };
    const auto add = [&](Json::Id id) {
      inputs.push_back(std::string(json.string(json.item(id, 0))) + "[" + std::to_string(json.integer(json.item(id, 1))) + "][" +
                       std::to_string(json.integer(json.item(id, 2))) + "]");
    };
    if (is_one(call)) return add(call);
    for (size_t i = 0; json.is(call, Json::Kind::array) && i < json.size(call); ++i) {
      if (is_one(json.item(call, i))) add(json.item(call, i));
    }
  }

  const tensorflow_pb::SavedObjectGraph& objects_;
  mutable int64_t left_ = int64_t(1) << 22;  // children that may still be looked at: lists may be those of many layers
  std::map<int32_t, std::string> texts_;     // by object: what Keras says of it, JSON
  std::map<std::string_view, const tensorflow_pb::SavedConcreteFunction*> functions_;
};

}  // namespace

std::vector<SummaryRow> layers_of(const tensorflow_pb::MetaGraph& meta, const Source& model) { return Layers(meta, model).rows(); }

}  // namespace tern::tensorflow
