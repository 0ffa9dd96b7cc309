// Whole pickled modules: the tree, its tensors, and the attributes that are literals. See checkpoint.h and module.h.
#include <algorithm>

#include "loaders/torch/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;
constexpr size_t kMostModules = 200000, kMostItems = 256;

// Legacy files carry the source of the modules' classes: ('module', class, file, text).
std::map<std::string, std::string> class_sources(const Pickle& p) {
  std::map<std::string, std::string> out;
  for (ObjectId id = 0; id < p.size(); ++id) {
    const auto items = p.is(id, Kind::persistent) ? p.items(p.pid(id)) : std::span<const ObjectId>();
    if (items.size() == 4 && p.is(items[0], Kind::text) && p.text(items[0]) == "module" && p.is(items[1], Kind::global) && p.is(items[3], Kind::text) &&
        !p.module(items[1]).starts_with("torch.nn.")) {
      out.emplace(p.qualified(items[1]), p.text(items[3]));
    }
  }
  return out;
}

}  // namespace

bool Checkpoint::is_module(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (!p.is(id, Kind::call) || !p.is(p.callable(id), Kind::global)) return false;
  const ObjectId state = p.state(id);
  return p.is(state, Kind::dict) && p.get(state, "_modules") != kNoObject && p.get(state, "_parameters") != kNoObject;
}

Literal Checkpoint::literal(ObjectId id, int depth, bool& known) const {
  const Pickle& p = *pickle_;
  Literal out;
  switch (p.kind(id)) {
    case Kind::none: return out;
    case Kind::boolean: out.value = p.integer(id) != 0; return out;
    case Kind::integer: out.value = p.integer(id); return out;
    case Kind::real: out.value = p.real(id); return out;
    case Kind::text: out.value = std::string(p.text(id)); return out;
    case Kind::global: {
      const bool dtype = p.module(id) == "torch";
      out.value = Name{dtype ? "torch." + std::string(p.name(id)) : std::string(p.name(id))};
      return out;
    }
    case Kind::call:
      if (p.is_call_of(id, "torch.Size") && p.items(p.arguments(id)).size() == 1) return literal(p.items(p.arguments(id))[0], depth, known);
      if (p.is(p.callable(id), Kind::global) && p.module(p.callable(id)).starts_with("torch.nn.modules.activation")) {
        out.value = Name{std::string(p.name(p.callable(id)))};  // an activation module among attributes
        return out;
      }
      break;
    case Kind::tuple:
    case Kind::list: {
      const auto items = p.items(id);
      if (depth >= 4 || items.size() > kMostItems) break;
      Literals literals;
      for (ObjectId item : items) literals.push_back(literal(item, depth + 1, known));
      out.value = std::move(literals);
      out.list = p.is(id, Kind::list);
      return out;
    }
    default: break;
  }
  known = false;
  return out;
}

// Everything but the children.
Status Checkpoint::read_module(ObjectId id, Module& m) const {
  const Pickle& p = *pickle_;
  const ObjectId cls = p.callable(id), state = p.state(id);
  m.cls = p.name(cls);
  m.qualified = p.qualified(cls);
  m.pickled = true;
  std::vector<std::string> passing;  // buffers that are not saved
  if (const ObjectId set = p.get(state, "_non_persistent_buffers_set"); set != kNoObject) {
    std::vector<ObjectId> names(p.items(set).begin(), p.items(set).end());
    if (p.is(set, Kind::call)) {  // protocol 2 spells a set as a call of it with a list
      for (ObjectId argument : p.items(p.arguments(set))) names.insert(names.end(), p.items(argument).begin(), p.items(argument).end());
    }
    for (ObjectId name : names) {
      if (p.is(name, Kind::text)) passing.emplace_back(p.text(name));
    }
  }
  for (const char* which : {"_parameters", "_buffers"}) {
    const bool buffer = std::string_view(which) == "_buffers";
    const ObjectId dict = p.get(state, which);
    if (dict == kNoObject) continue;
    for (const auto& [key, value] : pairs(dict)) {
      if (!p.is(key, Kind::text)) return invalid("a parameter of " + m.qualified + " has no name");
      Module::Own own{std::string(p.text(key)), nullptr, buffer, true};
      own.persistent = std::find(passing.begin(), passing.end(), own.name) == passing.end();
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
    if (name.ends_with("forward_hooks") || name.ends_with("forward_pre_hooks")) {
      for (const auto& [number, hook] : pairs(value)) {
        const ObjectId hook_class = p.is(hook, Kind::call) ? p.callable(hook) : kNoObject;
        const bool norm = p.is(hook_class, Kind::global) && p.module(hook_class).starts_with("torch.nn.utils.") && p.is(p.state(hook), Kind::dict);
        if (!norm) {
          m.refusal = "it has forward hooks, which are code";
          continue;
        }
        Literals about;  // (class, name, dim …)
        about.push_back({std::string(p.name(hook_class))});
        for (const char* attribute : {"name", "dim", "n_power_iterations", "eps"}) {
          const ObjectId v = p.get(p.state(hook), attribute);
          bool known = true;
          about.push_back(v == kNoObject ? Literal() : literal(v, 0, known));
        }
        m.args.emplace_back("hook", Literal{std::move(about)});
      }
    }
    if (name.starts_with("_") && name != "_qkv_same_embed_dim") continue;
    bool known = true;
    Literal l = literal(value, 0, known);
    if (known) m.args.emplace_back(name, std::move(l));
  }
  return {};
}

Result<std::shared_ptr<Module>> Checkpoint::module(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (!is_module(id)) return invalid("an object is no module");
  for (int wraps = 0; wraps < 4; ++wraps) {  // DataParallel, torch.compile
    const ObjectId children = p.get(p.state(id), "_modules");
    const std::string_view cls = p.name(p.callable(id));
    const ObjectId inner = cls == "DataParallel" || cls == "DistributedDataParallel" ? get(children, "module") : cls == "OptimizedModule" ? get(children, "_orig_mod") : kNoObject;
    if (inner == kNoObject || !is_module(inner)) break;
    id = inner;
  }
  struct Waiting {
    ObjectId id;
    std::shared_ptr<Module> module;
    int depth;
  };
  auto root = std::make_shared<Module>();
  const std::map<std::string, std::string> sources = zip_ ? std::map<std::string, std::string>() : class_sources(p);
  std::vector<Waiting> waiting = {{id, root, 0}};
  for (size_t done = 0; !waiting.empty(); ++done) {
    const Waiting next = waiting.back();
    waiting.pop_back();
    if (done > kMostModules || next.depth > kMaxModuleDepth) return invalid("its modules nest too deeply or are too many");
    if (Status s = read_module(next.id, *next.module); !s) return s.error();
    if (auto source = sources.find(next.module->qualified); source != sources.end()) next.module->source = source->second;
    for (const auto& [key, value] : pairs(p.get(p.state(next.id), "_modules"))) {
      if (!p.is(key, Kind::text) || p.is(value, Kind::none)) continue;  // an absent submodule
      if (!is_module(value)) return invalid("the module " + next.module->qualified + "." + std::string(p.text(key)) + " is none");
      auto child = std::make_shared<Module>();
      next.module->children.emplace_back(std::string(p.text(key)), child);
      waiting.push_back({value, child, next.depth + 1});
    }
  }
  return root;
}

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
