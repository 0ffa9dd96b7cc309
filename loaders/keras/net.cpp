// See net.h.
#include "loaders/keras/net.h"

#include "loaders/keras/model/spec.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

constexpr int64_t kMostCalls = 1 << 16;  // a real model has thousands
constexpr int kDeepest = 32;             // of models and wrappers in each other

std::string shown(std::string_view name) { return printable(name, 80); }

std::string what_it_is(const std::string& cls) {
  if (cls.starts_with("ops.")) return "the operation " + shown(cls.substr(4)) + " of keras.ops is not supported";
  if (cls.starts_with("tf.")) return "the function " + shown(cls) + " is not supported";
  return "layers of class " + shown(cls) + " are not supported";
}

}  // namespace

void Builder::enter_layer(const Layer& layer) {
  const std::string name = shown(layer.name);  // every node has it, however long the file's is
  enter(name);
  const std::string path = layers_.empty() ? name : layers_.back().path + "/" + name;
  layers_.push_back({path, path + " (" + shown(layer.class_name) + ")"});
}

void Builder::leave_layer() {
  layers_.pop_back();
  leave();
}

// GraphBuilder names the scope; the layer's class tells more.
Error Builder::placed(const Error& error) const {
  if (layers_.empty() || error.message().compare(0, scope().size(), scope()) != 0) return error;
  return Error(error.code(), "layer " + layers_.back().text + error.message().substr(scope().size()));
}

int Layer::keras() const { return net.version.major; }

bool holds_quantized(const std::string& cls) { return cls == "Dense" || cls == "EinsumDense" || cls == "Embedding" || cls == "ReversibleEmbedding"; }

// What cannot be computed from what a file says of a layer; empty: nothing.
std::string Net::objection(const Config& self, const Config& config, const Layer& layer) const {
  const std::string module = self.text("module"), registered = self.text("registered_name");
  const bool own =
      module.empty() || module.starts_with("keras") || module.starts_with("tf_keras") || module.starts_with("tensorflow") || module == "builtins";
  const bool of_applications = module.starts_with("keras.src.applications.") || module.starts_with("tf_keras.src.applications.");
  if (!own || (registered.find('>') != registered.npos && !of_applications)) {
    return "a class of the model's own code" + (registered.empty() ? "" : " (" + shown(registered) + ")") +
           ", of which the file has no computation: save the model with model.export(), which writes it";
  }
  if (layer.compute == DType::none) return "dtype policy " + shown(config.policy()) + " is not supported: save the model before it is quantised";
  const std::string& mode = layer.quantized;
  const bool whole = mode == "int8" || mode.starts_with("int4"), calibrated = mode.starts_with("gptq/") || mode.starts_with("awq/");
  if (!mode.empty() && !(whole && holds_quantized(layer.class_name)) && !(calibrated && layer.class_name == "Dense"))
    return "a layer of class " + shown(layer.class_name) + " that is quantised to " + shown(mode) + " is not supported: save the model before that";
  return {};
}

Layer Net::layer(Json::Id object, const WeightPlace& place) {
  const Config self(b, json, object), config = self.object("config");
  std::string cls = self.text("class_name");
  const bool layer_alone = find_layer(cls) != nullptr && find_layer("ops." + cls) == nullptr;  // its config need not say all that others do
  if (is_operation(json, object) && !layer_alone) cls = "ops." + cls;
  if (cls == "TFOpLambda" || cls == "SlicingOpLambda") cls = "tf." + config.text("function");
  std::string name = config.text("name", self.text("name", cls));
  Layer made{*this, std::move(name), std::move(cls), config, Weights(weights, place)};
  if (std::string policy = config.policy(); !policy.empty()) {
    if (const size_t from = policy.find("_from_"); from != policy.npos) made.quantized = policy.substr(0, from), policy.erase(0, from + 6);
    if (policy.starts_with("mixed_")) policy.erase(0, 6);
    else made.variable = dtype_named(policy);
    made.compute = dtype_named(policy);
  }
  if (const std::string why = objection(self, config, made); !why.empty() && b.ok()) {
    b.enter_layer(made);
    b.fail(unsupported(why));
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

std::string Net::written_by() const { return version.text.empty() ? "" : " (the file is of Keras " + printable(version.text, 20) + ")"; }

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
  else if (row == nullptr) b.fail(unsupported(what_it_is(layer.class_name) + written_by()));
  if (b.ok()) {
    Arguments cast = with;
    const bool operation = layer.class_name.starts_with("ops.") || layer.class_name.starts_with("tf.");  // takes what comes
    if (row->autocast && !operation) autocast(cast, layer.compute);
    for (Argument& arg : cast.positional) unmask(arg);
    for (auto& [name, arg] : cast.named) unmask(arg);
    Call c(layer, cast);
    out = row->call(c);
    const bool kept = row->masking == Masking::kept || (row->masking == Masking::kept_by_3 && version.major != 2);
    const ValueId mask = kept && !c.inputs.empty() ? c.mask() : kNone;
    if (row->masking != Masking::own) {
      for (Flow& f : out) f.mask = mask;
    }
  }
  --depth_;
  b.leave_layer();
  return b.ok() ? out : Flows();
}

}  // namespace tern::keras
