// Whole pickled modules: the tree, its tensors, and the attributes that are literals. See checkpoint.h and module/module.h.
#include <algorithm>
#include <unordered_set>

#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;
constexpr int kMostInAttribute = 256;                            // of tuples and lists in one attribute
constexpr size_t kMostText = 4096;                               // and bytes of a text
constexpr size_t kFreeTree = size_t(1) << 20, kTreePerByte = 8;  // bytes of all names in a tree whose modules share others
constexpr size_t kFreeModules = 10000;                           // and its modules, beyond the objects of the file

// Legacy files carry the source of the modules' classes: ('module', class, file, text).
std::map<std::string, std::string> class_sources(const Pickle& p) {
  std::map<std::string, std::string> out;
  for (ObjectId id = 0; id < p.size(); ++id) {
    const auto items = p.is(id, Kind::persistent) ? p.items(p.pid(id)) : std::span<const ObjectId>();
    if (items.size() == 4 && p.is(items[0], Kind::text) && p.text(items[0]) == "module" && p.is(items[1], Kind::global) &&
        p.is(items[3], Kind::text) && !p.module(items[1]).starts_with("torch.nn.")) {
      out.emplace(p.qualified(items[1]), p.text(items[3]));
    }
  }
  return out;
}

}  // namespace

// A legacy file names the class by a persistent id, the protocols 0 and 1 by copyreg's way of making objects.
ObjectId Checkpoint::class_of(ObjectId call) const {
  const Pickle& p = *pickle_;
  if (!p.is(call, Kind::call)) return kNoObject;
  ObjectId cls = p.callable(call);
  if (p.is_call_of(call, "copyreg._reconstructor") && !p.items(p.arguments(call)).empty()) cls = p.items(p.arguments(call))[0];
  if (p.is(cls, Kind::persistent)) {
    const auto items = p.items(p.pid(cls));
    if (items.size() == 4 && p.is(items[0], Kind::text) && p.text(items[0]) == "module") cls = items[1];
  }
  return p.is(cls, Kind::global) ? cls : kNoObject;
}

bool Checkpoint::is_module(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (class_of(id) == kNoObject) return false;
  const ObjectId state = p.state(id);
  return p.is(state, Kind::dict) && p.get(state, "_modules") != kNoObject && p.get(state, "_parameters") != kNoObject;
}

// `room`: how many more items there may be; below zero afterwards: the object is no literal.
Literal Checkpoint::literal(ObjectId id, int depth, int& room) const {
  const Pickle& p = *pickle_;
  Literal out;
  if (--room < 0) return out;
  switch (p.kind(id)) {
    case Kind::none: return out;
    case Kind::boolean: out.value = p.integer(id) != 0; return out;
    case Kind::integer: out.value = p.integer(id); return out;
    case Kind::real: out.value = p.real(id); return out;
    case Kind::text:
      if (p.text(id).size() > kMostText) break;
      out.value = std::string(p.text(id));
      return out;
    case Kind::global: {
      out.value = Name{p.module(id).starts_with("torch.") ? std::string(p.name(id)) : p.qualified(id)};  // relu; torch.float32, mine.relu
      return out;
    }
    case Kind::call:
      if (auto number = numpy_scalar(id)) return *number;
      if (p.is_call_of(id, "torch.Size") && p.items(p.arguments(id)).size() == 1 && depth < 4)
        return literal(p.items(p.arguments(id))[0], depth + 1, room);
      if (const auto of = p.is_call_of(id, "builtins.getattr") ? p.items(p.arguments(id)) : std::span<const ObjectId>();
          of.size() == 2 && p.is(of[0], Kind::global) && p.qualified(of[0]) == "torch._C._VariableFunctionsClass" && p.is(of[1], Kind::text) &&
          p.text(of[1]).size() <= kMostText) {
        out.value = Name{"torch." + std::string(p.text(of[1]))};  // torch.tanh
        return out;
      }
      if (const ObjectId cls = class_of(id); cls != kNoObject && p.module(cls).starts_with("torch.nn.modules.activation")) {
        out.value = Name{std::string(p.name(cls))};  // an activation module among attributes
        return out;
      }
      break;
    case Kind::tuple:
    case Kind::list: {
      const auto items = p.items(id);
      if (depth >= 4) break;
      Literals literals;
      for (ObjectId item : items) {
        literals.push_back(literal(item, depth + 1, room));
        if (room < 0) return out;
      }
      out.value = std::move(literals);
      out.list = p.is(id, Kind::list);
      return out;
    }
    default: break;
  }
  room = -1;
  return out;
}

// Everything but the children.
Status Checkpoint::read_module(ObjectId id, Module& m) const {
  const Pickle& p = *pickle_;
  const ObjectId cls = class_of(id), state = p.state(id);
  m.cls = p.name(cls);
  m.qualified = p.qualified(cls);
  m.pickled = true;
  std::unordered_set<std::string_view> passing;  // buffers that are not saved
  if (const ObjectId set = p.get(state, "_non_persistent_buffers_set"); set != kNoObject) {
    std::vector<ObjectId> names(p.items(set).begin(), p.items(set).end());
    if (p.is(set, Kind::call)) {  // protocol 2 spells a set as a call of it with a list
      for (ObjectId argument : p.items(p.arguments(set))) names.insert(names.end(), p.items(argument).begin(), p.items(argument).end());
    }
    for (ObjectId name : names) {
      if (p.is(name, Kind::text)) passing.insert(p.text(name));
    }
  }
  for (const char* which : {"_parameters", "_buffers"}) {
    const bool buffer = std::string_view(which) == "_buffers";
    const ObjectId dict = p.get(state, which);
    if (dict == kNoObject) continue;
    for (const auto& [key, value] : pairs(dict)) {
      if (!p.is(key, Kind::text)) return invalid("a parameter of " + m.qualified + " has no name");
      Module::Own own{std::string(p.text(key)), nullptr, buffer, true};
      own.persistent = !buffer || !passing.contains(own.name);
      if (is_tensor(value)) {
        auto t = tensor(value);
        if (!t) return t.error().within(m.qualified + "." + own.name);
        own.tensor = std::make_shared<StoredTensor>(std::move(*t));
      }
      m.tensors.push_back(std::move(own));
    }
  }
  for (const auto& [key, value] : pairs(state)) {
    if (!p.is(key, Kind::text)) continue;
    const std::string name(p.text(key));
    if (name == "_forward_hooks" || name == "_forward_pre_hooks") {
      if (Status hooks = read_hooks(value, m); !hooks) return hooks;
    }
    if (name.starts_with("_") && name != "_qkv_same_embed_dim") continue;
    int room = kMostInAttribute;
    Literal l = literal(value, 0, room);
    if (room >= 0) {
      m.args.emplace_back(name, std::move(l));
    } else if (is_tensor(value)) {  // a plain attribute that forward may read: not in the state_dict, as a buffer that is not persistent
      auto t = tensor(value);
      if (!t) return t.error().within(m.qualified + "." + name);
      m.tensors.push_back({name, std::make_shared<StoredTensor>(std::move(*t)), true, false});
    } else if (name == "activation") {  // that of a Transformer's layer: its default must not stand in
      m.args.emplace_back(name, Literal{Name{"?"}});
    }
  }
  return {};
}

// weight_norm and spectral_norm of old are hooks whose attributes say all; other hooks are code.
Status Checkpoint::read_hooks(ObjectId hooks, Module& m) const {
  const Pickle& p = *pickle_;
  for (const auto& [number, hook] : pairs(hooks)) {
    const ObjectId cls = class_of(hook);
    if (cls == kNoObject || !p.module(cls).starts_with("torch.nn.utils.") || !p.is(p.state(hook), Kind::dict)) {
      m.refusal = "it has forward hooks, which are code";
      continue;
    }
    Literals about;  // (class, name, dim, n_power_iterations, eps)
    about.push_back({std::string(p.name(cls))});
    for (const char* attribute : {"name", "dim", "n_power_iterations", "eps"}) {
      const ObjectId v = p.get(p.state(hook), attribute);
      int room = kMostInAttribute;
      about.push_back(v == kNoObject ? Literal() : literal(v, 0, room));
    }
    m.args.emplace_back("hook", Literal{std::move(about)});
  }
  return {};
}

// Reads each module once, whatever shares it.
Result<const Checkpoint::Tree*> Checkpoint::tree(ObjectId root) const {
  const Pickle& p = *pickle_;
  if (!sources_) sources_ = zip_ ? std::map<std::string, std::string>() : class_sources(p);
  auto fill = [&](auto& self, ObjectId id, int depth, Tree& tree) -> Status {  // at most kMaxModuleDepth deep
    const std::string too_deep = "its modules nest more than " + std::to_string(kMaxModuleDepth) + " deep";
    auto m = std::make_shared<Module>();
    if (!is_module(id)) return invalid("an object is no module");
    if (depth > kMaxModuleDepth) return invalid(too_deep);
    if (Status s = read_module(id, *m); !s) return s;
    if (auto source = sources_->find(m->qualified); source != sources_->end()) m->source = source->second;
    for (const Module::Own& own : m->tensors) {
      tree.bytes += own.name.size() + 1;
      tree.tensors += own.tensor && own.persistent;
    }
    for (const auto& [name, literal] : m->args) tree.bytes += name.size() + literal.text().size();
    tree.names += m->tensors.size();
    for (const auto& [key, value] : pairs(p.get(p.state(id), "_modules"))) {
      if (!p.is(key, Kind::text)) continue;
      if (p.is(value, Kind::none)) {  // an absent submodule: self.downsample is None
        m->args.emplace_back(p.text(key), Literal());
        tree.bytes += m->args.back().first.size() + 4;
        continue;
      }
      const std::string name(p.text(key));
      if (!is_module(value)) return invalid("the module " + m->qualified + "." + name.substr(0, 100) + " is none");
      auto [place, fresh] = trees_.emplace(value, Tree());
      Tree& child = place->second;  // stays in place
      if (fresh) {
        if (Status s = self(self, value, depth + 1, child); !s) child.error = s.error();
      }
      if (child.error) return *child.error;
      if (!child.module) return invalid("a module contains itself");
      tree.height = std::max(tree.height, child.height + 1);
      tree.names += child.names;
      tree.tensors += child.tensors;
      tree.bytes += child.bytes + child.names * (name.size() + 1);
      if (tree.height > kMaxModuleDepth) return invalid(too_deep);
      if (tree.bytes > kFreeTree + kTreePerByte * p.bytes() || tree.names > kFreeModules + p.size())
        return invalid("its modules contain each other too often");
      m->children.emplace_back(name, child.module);
    }
    tree.module = std::move(m);
    return {};
  };
  auto [place, fresh] = trees_.emplace(root, Tree());
  Tree& tree = place->second;
  if (fresh) {
    if (Status s = fill(fill, root, 1, tree); !s) tree.error = s.error();
  }
  if (tree.error) return *tree.error;
  return &tree;
}

Result<std::shared_ptr<Module>> Checkpoint::wrapped_module(ObjectId id) const {
  auto made = tree(id);
  if (!made) return made.error();
  return (*made)->module;
}

// Inside of DataParallel, torch.compile.
ObjectId Checkpoint::unwrapped(ObjectId id) const {
  const Pickle& p = *pickle_;
  for (int wraps = 0; wraps < 4 && is_module(id); ++wraps) {
    const ObjectId children = p.get(p.state(id), "_modules");
    const std::string_view cls = p.name(class_of(id));
    const ObjectId inner = cls == "DataParallel" || cls == "DistributedDataParallel" ? get(children, "module")
                           : cls == "OptimizedModule"                                ? get(children, "_orig_mod")
                                                                                     : kNoObject;
    if (inner == kNoObject || !is_module(inner)) break;
    id = inner;
  }
  return id;
}

Result<std::shared_ptr<Module>> Checkpoint::module(ObjectId id) const { return wrapped_module(unwrapped(id)); }

StateDict state_dict(const Module& root) {
  StateDict out;
  auto visit = [&](auto& self, const Module& m, const std::string& prefix) -> void {  // trees are at most kMaxModuleDepth deep
    for (const bool buffers : {false, true}) {
      for (const Module::Own& own : m.tensors) {
        if (own.buffer == buffers && own.tensor && own.persistent) out.entries.push_back({prefix + own.name, *own.tensor});
      }
    }
    for (const auto& [name, child] : m.children) self(self, *child, prefix + name + ".");
  };
  visit(visit, root, "");
  return out;
}

}  // namespace tern::torch
