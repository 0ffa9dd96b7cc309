// Options: the constructor arguments of a module of torch.nn. Next: layers.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loaders/torch/graph/value.h"
#include "loaders/torch/module/module.h"

namespace tern::torch {

struct Layer;

// As they were written or printed, or the attributes of a pickled module; what is absent is the signature's default. `bias`, which a
// pickle tells by the parameter's presence, is a bool here too. The first error stays, named by the class; values are zero then.
class Options {
 public:
  Options(const Layer& layer, const Module& module) : layer_(layer), module_(module) {}
  explicit Options(const Module& module);  // precondition: find_layer(module)

  IValue operator[](std::string_view name);  // fails when a required one is missing, or still a '?'
  bool has(std::string_view name) { return !(*this)[name].is_none(); }
  bool boolean(std::string_view name);
  int64_t integer(std::string_view name);  // below 2^31, so that two of them can be multiplied
  double number(std::string_view name);
  std::string string(std::string_view name);
  std::vector<int64_t> ints(std::string_view name, size_t count = 0);  // one int is repeated to `count` (0: as it is)
  void fail(const std::string& why);                                   // "Conv2d: <why>"
  const Status& status() const { return status_; }

 private:
  int64_t known(const IValue& value, std::string_view name);
  const Layer& layer_;
  const Module& module_;
  Status status_;
};

// Is every argument that was written one that the constructor has?
Status check_arguments(const Layer& layer, const Module& module);

}  // namespace tern::torch
