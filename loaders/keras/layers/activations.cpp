// Activations: functions by name, as layers take them (activation="relu"), and the layers of the same name. See layer.h.
#include "loaders/keras/layers/layer.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

// The functions of keras.activations with their defaults.
struct Function {
  const char* names;
  ValueId (*apply)(const Call& c, const Config& config, ValueId x);
};

template <size_t N>
struct Text {
  char text[N];
  constexpr Text(const char (&s)[N]) { std::copy_n(s, N, text); }  // NOLINT: implicit on purpose
};

template <Text op>
ValueId unary(const Call& c, const Config&, ValueId x) {
  return c.emit(op.text, {x});
}

ValueId linear(const Call&, const Config&, ValueId x) { return x; }

ValueId softmax(const Call& c, const Config& config, ValueId x) { return c.emit("Softmax", {x}, attributes({{"axis", config.integer("axis", -1)}})); }

constexpr Function kFunctions[] = {
    {"linear", linear}, {"relu", unary<"Relu">}, {"sigmoid", unary<"Sigmoid">}, {"tanh", unary<"Tanh">}, {"softmax", softmax},
};

bool lists(std::string_view names, std::string_view name) {
  for (; !names.empty(); names.remove_prefix(std::min(names.find(' '), names.size() - 1) + 1)) {
    if (names.substr(0, names.find(' ')) == name) return true;
  }
  return false;
}

}  // namespace

ValueId activation(const Call& c, const std::string& name, const Config& config, ValueId x) {
  for (const Function& f : kFunctions) {
    if (lists(f.names, name)) return f.apply(c, config, x);
  }
  if (name == "<lambda>") {
    c.b.fail(unsupported("its activation was a Python lambda, of which the file has nothing but <lambda>; save the model with model.export()"));
  } else {
    c.b.fail(unsupported("activation " + printable(name, 80) + " is not supported"));
  }
  return kNone;
}

ValueId activation(const Call& c, std::string_view key, ValueId x) {
  if (!c.config.has(key)) return x;
  return activation(c, c.config.called(key), c.config.object(key).object("config"), x);
}

std::span<const LayerRow> activation_layers() {
  static constexpr LayerRow kRows[] = {
      {"Softmax", [](Call& c) { return Flows{{softmax(c, c.config, c.x())}}; }, Masking::kept},
  };
  return kRows;
}

}  // namespace tern::keras
