// Forwards: what an architecture file says beside the tree, as layers and the assembly of a graph ask for it. arch/program.h reads and runs
// them; nothing here knows their syntax. Next: net.h.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "loaders/torch/graph/value.h"

namespace tern::torch {

class Network;
struct Function;  // one forward; only who made it looks inside (arch/ast.h)

// A parameter of a forward, without self.
struct Parameter {
  std::string name;
  std::optional<Literal> fallback;  // x=None
  // `x: f32[N, 3, 224, 224]`: what the input is when this is the root's forward. Other annotations (torch.Tensor, Optional[…]) say nothing.
  std::optional<TypeInfo> type;
  Place place;
};

class Forwards {
 public:
  virtual ~Forwards() = default;
  // The forward of a module; null when it is a layer's business, or nobody's. A class that the file defines is the file's even when a layer
  // has its name, unless the module says that it is torch's.
  virtual const Function* forward_of(const Module& module, const std::string& path) const = 0;
  virtual const std::vector<Parameter>& parameters(const Function& function) const = 0;
  // The names that the forward reads of self, with the methods and the forwards of the classes that the module's class extends, in order,
  // each once: children, attributes, own parameters (self.pos_embed).
  virtual std::vector<std::string> names_of_self(const Module& module, const Function& function) const = 0;
  // Adds its nodes to the network's builder; the result is what it returns. Errors go to the builder, with line and column and what is
  // allowed there. self.NAME is, in this order: a child; a weight of that path; an attribute that the tree has as a literal.
  virtual IValue run(const Function& function, Network& network, const Module& module, const std::string& path, const IValues& positional,
                     const std::vector<std::pair<std::string, IValue>>& named) const = 0;
};

// Null without forwards.
inline const Function* forward_of(const Module& module, const std::string& path, const Forwards* forwards) {
  return forwards == nullptr ? nullptr : forwards->forward_of(module, path);
}

}  // namespace tern::torch
