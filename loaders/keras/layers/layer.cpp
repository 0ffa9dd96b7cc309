// What calls of all layers share, and the catalog. See layer.h.
#include "loaders/keras/layers/layer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "loaders/keras/net.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {

Call::Call(Layer& called, const Arguments& with)
    : layer(called), net(called.net), b(called.net.b), config(called.config), weights(called.weights), args(with) {
  if (!with.positional.empty()) with.positional[0].flatten(inputs);
  else if (!with.named.empty()) with.named[0].second.flatten(inputs);
}

Call::Call(const Call& of, GraphBuilder& subgraph)
    : layer(of.layer), net(of.net), b(subgraph), config(of.config), weights(of.weights), args(of.args), inputs(of.inputs) {}

Flow Call::in(size_t i) const {
  if (i < inputs.size()) return inputs[i];
  b.fail(tern::invalid("it is called with " + std::to_string(inputs.size()) + " tensors, and needs input " + std::to_string(i)));
  return {};
}

const Argument& Call::arg(size_t place, std::string_view name) const {
  static const Argument kAbsent;
  if (place < args.positional.size()) return args.positional[place];
  const Argument* named = args.find(name);
  return named == nullptr ? kAbsent : *named;
}

ValueId Call::tensor(size_t place, std::string_view name) const {
  const Argument& a = arg(place, name);
  return a.is(Argument::Kind::tensor) ? a.flow.value : kNone;
}

ValueId Call::mask(size_t i) const {
  const Argument& given = arg("mask");
  if (given.is(Argument::Kind::tensor)) return i == 0 ? given.flow.value : kNone;
  if (given.is(Argument::Kind::list)) return i < given.items.size() ? given.items[i].flow.value : kNone;  // null: none
  return i < inputs.size() ? inputs[i].mask : kNone;
}

ValueId Call::weight(std::string_view name, const std::vector<int64_t>& dims, bool trainable) { return weight(weights, name, dims, trainable); }

ValueId Call::weight(Weights of, std::string_view name, const std::vector<int64_t>& dims, bool trainable) const {
  const std::string lora = "lora_" + std::string(name);
  const bool adapted = layer.quantized.empty() && config.has("lora_rank") && of.has_by_name(lora + "_a");
  trainable = trainable && config.boolean("trainable", true);
  ValueId v = of.get(name, dims, trainable && !adapted);
  if (!b.ok() || !is_float(b.dtype(v))) return v;
  v = b.cast(v, layer.compute);
  if (!adapted) return v;
  // LoRA, which .h5 keeps apart: w + alpha / rank a b. Archives have the sum.
  const int64_t rank = config.integer("lora_rank");
  std::vector<int64_t> of_a = of.dims(name).value_or(std::vector<int64_t>()), of_b{rank};
  if (of_a.empty() || rank < 1) return b.fail(tern::invalid("its config: lora_rank is " + std::to_string(rank)));
  of_b.push_back(std::exchange(of_a.back(), rank));
  const ValueId first = b.cast(of.get(lora + "_a", of_a, trainable), layer.compute);
  const ValueId second = b.cast(of.get(lora + "_b", of_b, trainable), layer.compute);
  if (!b.ok()) return kNone;
  const double scale = config.number("lora_alpha", static_cast<double>(rank)) / static_cast<double>(rank);
  return emit("Add", {v, emit("Mul", {emit("MatMul", {first, second}), b.scalar_like(v, scale)})});
}

int64_t Call::known_size(ValueId v, int axis) const {
  const int rank = b.rank(v);
  if (!b.ok()) return 0;
  const int a = this->axis(axis, rank);
  if (!b.ok()) return 0;
  const Dim& d = b.shape(v)[a];
  if (d.known()) return d.value();
  b.fail(tern::unsupported("its input " + b.shape(v).text() + " has no fixed size along axis " + std::to_string(axis)));
  return 0;
}

int Call::axis(int64_t axis, int rank) const {
  const auto a = normalize_axis(axis, rank);
  if (!a) b.fail(tern::invalid("axis " + std::to_string(axis) + " of a tensor with " + std::to_string(rank) + " axes"));
  return a.value_or(0);
}

Layer Call::inner(std::string_view attribute, Json::Id object) const {
  const Config config = this->config.item(object).object("config");
  return net.layer(object, weights.child(attribute, config.text("name")).place());
}

Flows Call::call(Layer& inner, const Arguments& with) const { return net.call(inner, with); }

Flows Call::unsupported(const std::string& what) const {
  b.fail(tern::unsupported(what + " is not supported"));
  return {};
}

Flows Call::invalid(const std::string& what) const {
  b.fail(tern::invalid(what));
  return {};
}

std::span<const std::span<const LayerRow>> all_layers() {
  static const std::span<const LayerRow> kTables[] = {core_layers(),           activation_layers(),
                                                      conv_layers(),           pool_layers(),
                                                      reshape_layers(),        merge_layers(),
                                                      application_layers(),    norm_layers(),
                                                      embedding_layers(),      rnn_layers(),
                                                      wrapper_layers(),        attention_layers(),
                                                      multi_head_layers(),     image_layers(),
                                                      spectrogram_layers(),    locally_connected_layers(),
                                                      lookup_layers(),         category_layers(),
                                                      model_layers(),          pointwise_operations(),
                                                      function_operations(),   reduce_operations(),
                                                      shape_operations(),      join_operations(),
                                                      product_operations(),    create_operations(),
                                                      equalize_layers(),       nan_operations(),
                                                      range_operations(),      scatter_operations(),
                                                      fourier_operations(),    network_operations(),
                                                      picture_operations(),    loss_operations(),
                                                      tensorflow_operations(), algebra_operations(),
                                                      factor_operations(),     tf_picture_operations(),
                                                      label_operations(),      rarer_operations(),
                                                      warp_operations()};
  return kTables;
}

const LayerRow* find_layer(std::string_view name) {
  static const auto kByName = [] {
    std::map<std::string_view, const LayerRow*> rows;
    for (const auto& table : all_layers()) {
      for (const LayerRow& row : table) {
        for (std::string_view rest = row.names; !rest.empty();) {
          const size_t end = std::min(rest.find(' '), rest.size());
          rows.emplace(rest.substr(0, end), &row);
          rest.remove_prefix(std::min(end + 1, rest.size()));
        }
      }
    }
    return rows;
  }();
  const auto at = kByName.find(name);
  return at == kByName.end() ? nullptr : at->second;
}

}  // namespace tern::keras
