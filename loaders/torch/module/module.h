// A tree of torch.nn modules: what `print(model)` shows, what a whole pickled module holds, what tern::nn builds.
// Next: nn/layers.h (from a module to nodes), arch/parse.h (from text to a tree).
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "loaders/weights/tensors.h"

namespace tern::torch {

// A Python literal: constructor arguments and attributes of modules.
struct Literal;
using Literals = std::vector<Literal>;
struct Name {  // an identifier that is no literal: relu, torch.float32, nn.ReLU; "?" in a suggested tree
  std::string text;
  bool operator==(const Name&) const = default;
};
struct Literal {
  enum class Kind { none, boolean, integer, real, string, name, tuple, list };
  std::variant<std::monostate, bool, int64_t, double, std::string, Name, Literals> value;
  bool list = false;  // Literals: a list, else a tuple
  Kind kind() const;
  bool is_none() const { return value.index() == 0; }
  // Python's text of it: (3, 3), 'same', 1e-05, True
  std::string text() const;
};

// Where a module was written in an architecture file; 0 elsewhere.
struct Place {
  int line = 0, column = 0;  // from 1
};

struct Module {
  std::string cls;        // "Conv2d", "Block"
  std::string qualified;  // "torch.nn.modules.conv.Conv2d" where the file says so (whole modules), else empty
  std::string extends;    // the layer of torch.nn that its class extends ("Conv1d"), where an architecture file says so; else empty
  Place place;
  // Constructor arguments as printed or written: positional ones have an empty name. Of a pickled module: its __dict__ attributes.
  std::vector<std::pair<std::string, Literal>> args;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children;  // in order; one module may appear twice
  // Whole modules only: own parameters and buffers by name; a null tensor: registered as None.
  struct Own {
    std::string name;
    std::shared_ptr<const StoredTensor> tensor;
    bool buffer = false, persistent = true;
  };
  std::vector<Own> tensors;
  bool pickled = false;  // args are attributes and tensors are present
  std::string refusal;   // not empty: why it cannot become a graph (a forward hook, a quantised class)
  std::string source;    // the class's Python text where the file carries it (legacy whole modules): shown, never run

  // A literal among args: by name, else at position `index` among the positional ones (-1: by name only); null when absent.
  const Literal* arg(std::string_view name, int index = -1) const;
  const Module* child(std::string_view name) const;
};

// The tree as torch prints it. `depth` of the tree is bounded where trees are made (kMaxModuleDepth).
std::string print(const Module& module);
constexpr int kMaxModuleDepth = 100;

// The state_dict of a pickled module: own parameters, own persistent buffers, then children; torch's order.
StateDict state_dict(const Module& module);

}  // namespace tern::torch
