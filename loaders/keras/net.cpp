// See net.h.
#include "loaders/keras/net.h"

#include "loaders/keras/model/spec.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

constexpr int64_t kMostCalls = 1 << 16;  // a real model has thousands
constexpr int kDeepest = 32;             // of models and wrappers in each other

std::string shown(std::string_view name) { return printable(name, 80); }

}  // namespace

void Builder::enter_layer(const Layer& layer) {
  enter(layer.name);
  layers_.push_back((layers_.empty() ? "" : layers_.back().substr(0, layers_.back().find(" (")) + "/") + layer.name + " (" + layer.class_name + ")");
}

void Builder::leave_layer() {
  layers_.pop_back();
  leave();
}

// GraphBuilder names the scope; the layer's class tells more.
Error Builder::placed(const Error& error) const {
  if (layers_.empty() || error.message().compare(0, scope().size(), scope()) != 0) return error;
  return Error(error.code(), "layer " + layers_.back() + error.message().substr(scope().size()));
}

int Layer::keras() const { return net.version.major; }

// A custom class has a package's name, or a module that is not Keras'.
Layer Net::layer(Json::Id object, const WeightPlace& place) {
  const Config self(b, json, object), config = self.object("config");
  std::string cls = self.text("class_name");
  const std::string module = self.text("module"), registered = self.text("registered_name");
  if (is_operation(json, object)) cls = "ops." + cls;
  if (cls == "TFOpLambda" || cls == "SlicingOpLambda") cls = "tf." + config.text("function");
  std::string name = config.text("name", self.text("name", cls));
  Layer made{*this, std::move(name), std::move(cls), config, Weights(weights, place)};
  std::string policy = config.policy();
  if (policy.empty()) return made;
  if (policy.starts_with("mixed_")) policy.erase(0, 6);
  else if (dtype_named(policy) != DType::none) made.variable = dtype_named(policy);
  made.compute = dtype_named(policy);
  if (made.compute == DType::none) {
    b.enter_layer(made);
    b.fail(unsupported("dtype policy " + shown(policy) + " is not supported: save the model before it is quantised"));
    b.leave_layer();
  }
  if (registered.find('>') != registered.npos || (!module.empty() && !module.starts_with("keras") && !module.starts_with("tf_keras") &&
                                                  !module.starts_with("tensorflow") && module != "builtins")) {
    b.enter_layer(made);
    b.fail(unsupported("a class of the model's own code" + (registered.empty() ? "" : " (" + shown(registered) + ")") +
                       ", of which the file has no computation; save the model with model.export(), which writes it"));
    b.leave_layer();
  }
  return made;
}

void Net::autocast(Argument& arg, DType to) {
  if (arg.is(Argument::Kind::tensor) && is_float(b.dtype(arg.flow.value))) arg.flow.value = b.cast(arg.flow.value, to);
  for (Argument& item : arg.items) autocast(item, to);
}

void Net::autocast(Arguments& args, DType to) {
  for (Argument& arg : args.positional) autocast(arg, to);
  for (auto& [name, arg] : args.named) autocast(arg, to);
}

void Net::unmask(Argument& arg) const {
  if (arg.is(Argument::Kind::tensor) && unmasked.contains(arg.flow.value)) arg.flow.mask = kNone;
  for (Argument& item : arg.items) unmask(item);
}

Flows Net::call(Layer& layer, const Arguments& with) {
  if (!b.ok()) return {};
  b.enter_layer(layer);
  ++depth_;
  Flows out;
  const LayerRow* row = find_layer(layer.class_name);
  if (depth_ > kDeepest) b.fail(unsupported("models and wrappers are nested more than " + std::to_string(kDeepest) + " deep"));
  else if (++calls_ > kMostCalls) b.fail(unsupported("more than " + std::to_string(kMostCalls) + " calls of layers"));
  else if (row == nullptr) b.fail(unsupported("layers of class " + shown(layer.class_name) + " are not supported"));
  if (b.ok()) {
    Arguments cast = with;
    if (row->autocast) autocast(cast, layer.compute);
    for (Argument& arg : cast.positional) unmask(arg);
    for (auto& [name, arg] : cast.named) unmask(arg);
    Call c(layer, cast);
    out = row->call(c);
    const ValueId mask = row->masking == Masking::kept && !c.inputs.empty() ? c.mask() : kNone;
    if (row->masking != Masking::own) {
      for (Flow& f : out) f.mask = mask;
    }
  }
  --depth_;
  b.leave_layer();
  return b.ok() ? out : Flows();
}

}  // namespace tern::keras
