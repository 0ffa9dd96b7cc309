// Layers that hold a layer: Bidirectional, TimeDistributed. See rnn.h. Next: attention.cpp.
#include "loaders/keras/layers/rnn.h"
#include "loaders/keras/net.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

// ---- Bidirectional

// One of its layers, as an argument of its own call; enters the layer for messages and names.
struct Half {
  Layer layer;
  Arguments args;
};

Half half(Call& c, std::string_view attribute, Json::Id object, std::string name, const std::vector<ValueId>& states, ValueId mask) {
  const std::string prefix = std::string(attribute.substr(0, attribute.find('_'))) + "_";  // "forward_"
  if (!name.starts_with(prefix)) name = prefix + name;
  Half h{c.net.layer(object, c.weights.child(attribute, name).place()), {}};
  h.args.positional.emplace_back(Flow{c.x(), kNone});
  if (mask != kNone) h.args.named.emplace_back("mask", Flow{mask});
  if (states.empty()) return h;
  Argument list;
  list.kind = Argument::Kind::list;
  for (ValueId v : states) list.items.emplace_back(Flow{v});
  h.args.named.emplace_back("initial_state", std::move(list));
  return h;
}

std::optional<RnnWindow> run(Call& c, Half& h, const Direction& direction) {
  c.net.b.enter_layer(h.layer);
  Call own(h.layer, h.args);
  auto window = recurrent(own, direction);
  if (!window) own.unsupported("a layer of class " + printable(h.layer.class_name, 80) + " in Bidirectional");
  c.net.b.leave_layer();
  return c.b.ok() ? window : std::nullopt;
}

Flows merged(Call& c, ValueId forward, ValueId backward, ValueId mask) {
  if (!c.config.has("merge_mode") && c.config.at("merge_mode") != Json::kNothing) return {{forward, mask}, {backward, mask}};
  const std::string mode = c.config.text("merge_mode", "concat");
  if (mode == "concat") return {{concat(c.b, {forward, backward}, c.b.rank(forward) - 1), mask}};
  if (mode == "mul") return {{c.emit("Mul", {forward, backward}), mask}};
  if (mode != "sum" && mode != "ave") return c.invalid("its config: merge_mode is " + printable(mode, 80));
  const ValueId sum = c.emit("Add", {forward, backward});
  return {{mode == "sum" ? sum : c.emit("Div", {sum, number(c, sum, 2)}), mask}};
}

Flows bidirectional(Call& c) {
  std::vector<ValueId> states = initial_states(c), first, second;
  if (states.size() % 2 != 0) return c.invalid("it is called with " + std::to_string(states.size()) + " states");
  first.assign(states.begin(), states.begin() + static_cast<std::ptrdiff_t>(states.size() / 2));
  second.assign(states.begin() + static_cast<std::ptrdiff_t>(states.size() / 2), states.end());
  const Config object = c.config.object("layer"), given = c.config.object("backward_layer");
  const bool own = c.config.is_object("backward_layer");
  const std::string name = object.object("config").text("name");
  const ValueId mask = step_mask(c, !states.empty());
  Half forward = half(c, "forward_layer", object.id(), name, first, mask);
  Half backward = half(c, "backward_layer", own ? given.id() : object.id(), own ? given.object("config").text("name") : name, second, mask);
  if (!c.b.ok()) return {};
  const bool sequences = forward.layer.config.boolean("return_sequences", false), turned = forward.layer.config.boolean("go_backwards", false);
  const bool turned_back = own ? backward.layer.config.boolean("go_backwards", false) : c.layer.keras() != 2 || !turned;
  const auto there = run(c, forward, {turned, sequences}), back = run(c, backward, {turned_back, sequences});
  if (!there || !back) return {};
  Flows out;
  if (sequences) out = merged(c, turned ? reverse(c.b, there->y, 1) : there->y, turned_back ? back->y : reverse(c.b, back->y, 1), c.mask());
  else out = merged(c, there->last, back->last, kNone);
  if (forward.layer.config.boolean("return_state", false)) {
    for (const RnnWindow* w : {&*there, &*back}) {
      for (ValueId state : w->states) out.push_back({state});
    }
  }
  return out;
}

// ---- TimeDistributed: every step is one of a larger batch

// [batch, steps, …] as [batch * steps, …].
ValueId merge_steps(const Call& c, ValueId v) {
  std::vector<Int> sizes = {Int(-1)};
  for (int i = 2; i < c.b.rank(v); ++i) sizes.push_back(c.b.size(v, i));
  return c.b.reshape(v, sizes);
}

void merge_steps(const Call& c, Argument& a) {
  if (a.is(Argument::Kind::tensor)) {
    const ValueId mask = a.flow.mask;
    a.flow = {merge_steps(c, a.flow.value), mask != kNone && c.b.rank(mask) > 2 ? merge_steps(c, mask) : kNone};
  }
  for (Argument& item : a.items) merge_steps(c, item);
}

// [batch * steps, …] as [batch, steps, …].
ValueId split_steps(const Call& c, ValueId v, const Int& batch, const Int& steps) {
  std::vector<Int> sizes = {batch, steps};
  for (int i = 1; i < c.b.rank(v); ++i) sizes.push_back(c.b.size(v, i));
  return c.b.reshape(v, sizes);
}

// In Keras 2 what the layer makes of the mask (or of its input), and where it makes nothing of it the steps in which anything counts. Keras 3: as it was.
ValueId mask_behind(const Call& c, ValueId own, const Int& batch, const Int& steps) {
  const ValueId mask = c.mask();
  if (c.layer.keras() != 2) return mask;
  if (own != kNone) return split_steps(c, own, batch, steps);
  if (mask == kNone || c.b.rank(mask) < 3) return mask;
  std::vector<int64_t> rest;
  for (int64_t i = 2; i < c.b.rank(mask); ++i) rest.push_back(i);
  return reduce(c, "ReduceMax", mask, rest, false);
}

Flows time_distributed(Call& c) {
  if (c.b.rank(c.x()) < 2) return c.invalid("its input has no steps");
  Layer inner = c.inner("layer", c.config.object("layer").id());
  const Int batch = c.b.size(c.x(), 0), steps = c.b.size(c.x(), 1);
  Arguments args;
  if (!c.args.positional.empty()) args.positional.push_back(c.args.positional[0]);
  for (Argument& a : args.positional) merge_steps(c, a);
  Flows out = c.call(inner, args);
  for (Flow& f : out) f = {split_steps(c, f.value, batch, steps), mask_behind(c, f.mask, batch, steps)};
  return out;
}

constexpr LayerRow kWrappersRows[] = {
    {"Bidirectional", bidirectional, Masking::own},
    {"TimeDistributed", time_distributed, Masking::own},
};

}  // namespace

std::span<const LayerRow> wrapper_layers() { return kWrappersRows; }

}  // namespace tern::keras
