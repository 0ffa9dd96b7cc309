// Net: what the layers of one file share while their graph is built, and the one way to call a layer. Next: net.cpp, then model/spec.h.
#pragma once
#include <set>

#include "loaders/keras/layers/layer.h"

namespace tern::keras {

// Which Keras wrote a file.
struct Version {
  int major = 3;
  std::string text;  // "3.15.1"; empty: the file does not say
};

// Errors begin with the layer that they are of: "block/dense_1 (Dense): …".
class Builder : public GraphBuilder {
 public:
  explicit Builder(std::string format) : GraphBuilder(std::move(format)) {}
  void enter_layer(const Layer& layer);
  void leave_layer();

 private:
  Error placed(const Error& error) const override;
  struct Place {
    std::string path, text;  // "block/dense_1", "block/dense_1 (Dense)"
  };
  std::vector<Place> layers_;  // that are being called, outermost first
};

class Net {
 public:
  Net(Builder& builder, const Json& json, Version version, WeightSource& source, int64_t budget)
      : b(builder), json(json), version(std::move(version)), weights{builder, source, budget, {}, {}, {}, {}, {}} {}

  Builder& b;
  const Json& json;
  const Version version;
  Weights::Shared weights;
  // Keras 3: tensors whose masks a MultiHeadAttention has taken off; the layers that are called after it see none.
  std::set<ValueId> unmasked;

  // A layer from its object {class_name, config, module, registered_name}. Fails the builder for custom classes.
  Layer layer(Json::Id object, const WeightPlace& place);
  // Calls it: casts, the row's function, masks. Errors go to the builder: no such layer, too many calls, wrappers too deep in each other.
  Flows call(Layer& layer, const Arguments& with);

 private:
  std::string objection(const Config& self, const Config& config, const Layer& layer) const;
  std::string written_by() const;
  void autocast(Arguments& args, DType to);
  void autocast(Argument& arg, DType to);
  void unmask(Argument& arg) const;
  int64_t calls_ = 0;
  int depth_ = 0;
};

}  // namespace tern::keras
