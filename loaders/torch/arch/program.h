// Program: the forwards that an architecture file gives, by class: straight-line Python, read once and then interpreted into nodes.
// Nothing of it is ever run as Python. Next: interpret.h.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/torch/nn/forwards.h"

namespace tern::torch {

struct ClassScope;  // ast.h: what a class gives besides its forward

class Program : public Forwards {
 public:
  // The forward that runs for this module: its class's, or the file's own `def forward` for the root. Null when there is none.
  const Function* find(const Module& module) const;
  const Function* forward_of(const Module& module, const std::string& path) const override;
  const std::vector<Parameter>& parameters(const Function& function) const override;
  std::vector<std::string> names_of_self(const Module& module, const Function& function) const override;
  IValue run(const Function& function, Network& network, const Module& module, const std::string& path, const IValues& positional,
             const std::vector<std::pair<std::string, IValue>>& named) const override;
  // A `def forward` outside of any class is this class's from now on.
  void set_root(const std::string& cls) { root_ = cls; }

  std::string file;                                                               // for messages: "net.txt"
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions;  // by class; "": outside of any class
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> helpers;    // functions that forwards may call, by name
  // The class and what it extends, in the order in which Python looks for methods. The last words of names: nn.Conv1d is Conv1d.
  std::vector<std::string> ancestors(const std::string& cls) const;
  // A method of a class of the file, or of one that it extends, with the scope that has it; a constant likewise. Null: none.
  struct Method {
    const Function* function = nullptr;
    const ClassScope* scope = nullptr;
  };
  Method method(const std::string& cls, std::string_view name) const;
  const IValue* constant(const std::string& cls, std::string_view name) const;
  // Says of the modules of a tree which layers of torch.nn their classes extend.
  void tell_layers(Module& root) const;

  std::map<std::string, std::vector<std::string>, std::less<>> bases;            // by class, the last words: class Block(nn.Module) has Module
  std::map<std::string, std::shared_ptr<const ClassScope>, std::less<>> scopes;  // by class
  // The children that modules of a class have somewhere in the tree: where one lacks a child of that name, self.NAME is None.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> children;

 private:
  std::string root_;
};

}  // namespace tern::torch
