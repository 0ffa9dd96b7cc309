// What is where in a checkpoint: nested dictionaries, all tensors, and the dictionaries that are weights. See checkpoint.h.
// Walks keep a stack of their own and end on cycles. What several names share is walked under each of them, but only as often as the size
// of the file explains: objects that refer to each other exponentially often are walked once.
#include <algorithm>
#include <unordered_map>

#include "loaders/torch/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;
constexpr size_t kFreeNames = size_t(16) << 20, kNamesPerObject = 64;  // bytes of all names: deep nesting makes them long

// "optimizer", "optimizer_states", "optim", "lr_schedulers": what training keeps for itself.
bool is_training_state(std::string_view key) {
  std::string s(key);
  for (char& c : s) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return s.starts_with("optim") || s.ends_with("optimizer") || s.find("scheduler") != s.npos || s.find("scaler") != s.npos;
}

}  // namespace

bool Checkpoint::is_dict(ObjectId id) const {
  const Pickle& p = *pickle_;
  if (p.is(id, Kind::dict)) return true;
  if (!p.is(id, Kind::call) || p.kind(p.callable(id)) != Kind::global) return false;
  for (std::string_view name : {"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"}) {
    if (p.is_call_of(id, name)) return true;
  }
  return false;
}

Checkpoint::Pairs Checkpoint::pairs(ObjectId id) const {
  const Pickle& p = *pickle_;
  Pairs out;
  std::unordered_map<std::string_view, size_t> places;  // a key that is set again keeps its place
  auto add = [&](ObjectId key, ObjectId value) {
    if (p.is(key, Kind::text)) {
      auto [it, fresh] = places.emplace(p.text(key), out.size());
      if (!fresh) {
        out[it->second].second = value;
        return;
      }
    }
    out.emplace_back(key, value);
  };
  auto add_all = [&](std::span<const ObjectId> items) {
    for (size_t i = 0; i + 1 < items.size(); i += 2) add(items[i], items[i + 1]);
  };
  if (p.is(id, Kind::dict)) {
    add_all(p.items(id));
  } else if (is_dict(id)) {
    for (ObjectId argument : p.items(p.arguments(id))) {  // OrderedDict([(k, v), …]) of old pickles
      if (p.is(argument, Kind::dict)) add_all(p.items(argument));
      if (!p.is(argument, Kind::list)) continue;
      for (ObjectId pair : p.items(argument)) {
        const auto two = p.items(pair);
        if (two.size() == 2 && !p.is(pair, Kind::dict)) add(two[0], two[1]);
      }
    }
    if (p.extras_are_pairs(id)) add_all(p.extras(id));
  }
  return out;
}

ObjectId Checkpoint::get(ObjectId dict, std::string_view key) const {
  const Pickle& p = *pickle_;
  ObjectId found = kNoObject;
  for (const auto& [k, v] : pairs(dict)) {
    if (p.is(k, Kind::text) && p.text(k) == key) found = v;
  }
  return found;
}

namespace {

std::string key_text(const Pickle& p, ObjectId key) {
  if (p.is(key, Kind::text)) return std::string(p.text(key));
  if (p.is(key, Kind::integer)) return std::to_string(p.integer(key));
  if (p.is(key, Kind::boolean)) return p.integer(key) != 0 ? "True" : "False";
  return "?";
}

const char* type_text(const Checkpoint& c, ObjectId id) {
  if (c.is_dict(id)) return c.pickle().is(id, Kind::dict) ? "dict" : "collections.OrderedDict";
  switch (c.pickle().kind(id)) {
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer:
    case Kind::big_integer: return "int";
    case Kind::real: return "float";
    case Kind::text: return "str";
    case Kind::tuple: return "tuple";
    case Kind::list: return "list";
    case Kind::set: return "set";
    default: return "object";
  }
}

// A walk in file order over everything that containers hold. `visit(id)` says whether to go into the object; path() makes its name.
class Walk {
 public:
  explicit Walk(const Checkpoint& c)
      : c_(c), active_(c.pickle().size(), false), seen_(c.pickle().size(), false), repeats_(c.pickle().size() + 1000),
        names_(kFreeNames + kNamesPerObject * c.pickle().size()) {}

  template <class Visit>
  void run(ObjectId root, Visit visit) {
    enter(root, visit);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.next == frame.children.size()) {
        active_[frame.id] = false;
        stack_.pop_back();
        continue;
      }
      auto& [name, id] = frame.children[frame.next++];
      frame.current = std::move(name);
      enter(id, visit);
    }
  }
  // The whole name. Errors: all names together are longer than the file explains.
  Result<std::string> path() {
    size_t size = 0;
    for (const Frame& f : stack_) size += f.current.size() + 1;
    if (size > names_) return invalid("its objects nest too deeply to be named");
    names_ -= size;
    std::string s;
    for (const Frame& f : stack_) s += (&f == &stack_.front() ? "" : ".") + f.current;
    return s;
  }
  // The last part of the name.
  std::string_view key() const { return stack_.empty() ? std::string_view() : stack_.back().current; }

 private:
  struct Frame {
    ObjectId id;
    size_t next;
    std::vector<std::pair<std::string, ObjectId>> children;
    std::string current;
  };

  template <class Visit>
  void enter(ObjectId id, Visit& visit) {
    if (active_[id] || !visit(id)) return;
    if (seen_[id] && repeats_ == 0) return;
    Frame frame{id, 0, children(id), {}};
    if (seen_[id]) repeats_ -= std::min(repeats_, frame.children.size() + 1);
    seen_[id] = true;
    if (frame.children.empty()) return;
    active_[id] = true;
    stack_.push_back(std::move(frame));
  }

  std::vector<std::pair<std::string, ObjectId>> children(ObjectId id) const {
    const Pickle& p = c_.pickle();
    std::vector<std::pair<std::string, ObjectId>> out;
    auto interesting = [&](ObjectId v) {
      const Kind k = p.kind(v);
      return k == Kind::tuple || k == Kind::list || k == Kind::dict || k == Kind::set || k == Kind::call;
    };
    auto add_pairs = [&](const Checkpoint::Pairs& pairs) {
      for (const auto& [key, value] : pairs) {
        if (interesting(value)) out.emplace_back(key_text(p, key), value);
      }
    };
    auto add_items = [&](std::span<const ObjectId> items) {
      for (size_t i = 0; i < items.size(); ++i) {
        if (interesting(items[i])) out.emplace_back(std::to_string(i), items[i]);
      }
    };
    if (c_.is_dict(id)) {
      add_pairs(c_.pairs(id));
    } else if (p.is(id, Kind::call)) {  // an object of a class that tern does not know: a tuple's fields, attributes, items
      add_items(p.items(p.arguments(id)));
      const ObjectId state = p.state(id);
      const auto both = p.is(state, Kind::tuple) && p.items(state).size() == 2 ? p.items(state) : std::span<const ObjectId>();  // dict, slots
      if (p.is(state, Kind::dict)) add_pairs(c_.pairs(state));
      for (ObjectId part : both) add_pairs(c_.pairs(part));
      const auto extras = p.extras(id);
      if (!p.extras_are_pairs(id)) add_items(extras);
      for (size_t i = 0; p.extras_are_pairs(id) && i + 1 < extras.size(); i += 2) add_pairs({{extras[i], extras[i + 1]}});
    } else {
      add_items(p.items(id));
    }
    return out;
  }

  const Checkpoint& c_;
  std::vector<bool> active_, seen_;
  std::vector<Frame> stack_;
  size_t repeats_, names_;
};

}  // namespace

Result<StateDict> Checkpoint::list() const {
  StateDict out;
  std::optional<Error> error;
  Walk walk(*this);
  walk.run(root(), [&](ObjectId id) {
    if (error || !(is_tensor(id) || is_module(id))) return !error;
    auto path = walk.path();
    if (!path) {
      error = path.error();
    } else if (is_tensor(id)) {
      auto t = tensor(id);
      if (!t) error = t.error().within(path->empty() ? "the tensor" : *path);
      else out.entries.push_back({*path, std::move(*t)});
    } else {
      auto tree = wrapped_module(id);
      if (!tree) error = tree.error().within(path->empty() ? "the module" : *path);
      else for (StateDict::Entry& e : torch::state_dict(**tree).entries) out.entries.push_back({path->empty() ? e.name : *path + "." + e.name, std::move(e.tensor)});
    }
    return false;
  });
  if (error) return *error;
  return out;
}

// Mostly tensors, and none of its dictionaries is.
bool Checkpoint::is_weights(ObjectId id, std::unordered_map<ObjectId, bool>& known) const {
  auto mostly = [&](ObjectId dict) {
    auto [it, fresh] = known.emplace(dict, false);
    if (!fresh) return it->second;
    size_t tensors = 0, others = 0;
    for (const auto& [key, value] : pairs(dict)) (is_tensor(value) ? tensors : others) += 1;
    return it->second = tensors > 0 && tensors >= others;
  };
  if (is_module(id)) return true;
  if (!is_dict(id) || !mostly(id)) return false;
  for (const auto& [key, value] : pairs(id)) {
    if (pickle_->is(key, Kind::text) && is_training_state(pickle_->text(key))) continue;
    if (is_module(value) || (is_dict(value) && mostly(value))) return false;
  }
  return true;
}

std::vector<Checkpoint::Candidate> Checkpoint::candidates() const {
  std::vector<Candidate> out;
  std::vector<bool> seen(pickle_->size(), false);
  std::unordered_map<ObjectId, bool> known;
  Walk walk(*this);
  walk.run(root(), [&](ObjectId id) {
    if (seen[id] || is_tensor(id) || is_training_state(walk.key())) return false;
    seen[id] = true;
    if (is_dict(id) && get(id, "state") != kNoObject && get(id, "param_groups") != kNoObject) return false;  // an optimizer by another name
    if (!is_weights(id, known)) return true;
    auto path = walk.path();
    if (!path) return false;
    size_t tensors = 0;
    if (is_module(id)) {
      auto tree = module(id);
      tensors = tree ? torch::state_dict(**tree).entries.size() : 0;
    } else {
      for (const auto& [key, value] : pairs(id)) tensors += is_tensor(value);
    }
    out.push_back({std::move(*path), id, tensors});
    return false;
  });
  return out;
}

Result<Checkpoint::Candidate> Checkpoint::select(std::string_view key) const {
  const std::vector<Candidate> all = candidates();
  if (all.empty()) return invalid("it holds no dictionary of tensors");
  std::string names;
  for (const Candidate& c : all) {
    names += (names.empty() ? "" : ", ") + (c.path.empty() ? std::string("(the root)") : c.path) + " (" + std::to_string(c.tensors) + " tensors)";
  }
  if (key.empty() && all.size() == 1) return all[0];
  if (key.empty()) return usage("it holds several sets of weights: " + names + "; choose one with --key");
  const Candidate* found = nullptr;
  size_t matches = 0;
  for (const Candidate& c : all) {
    if (c.path == key) return c;
    if (!c.path.ends_with("." + std::string(key))) continue;
    found = &c;
    ++matches;
  }
  if (matches == 1) return *found;
  return usage("it holds no weights at " + std::string(key) + "; it has: " + names);
}

Result<StateDict> Checkpoint::state_dict(const Candidate& candidate) const {
  const Pickle& p = *pickle_;
  if (is_module(candidate.id)) {
    auto tree = module(candidate.id);
    if (!tree) return tree.error();
    return torch::state_dict(**tree);
  }
  StateDict out;
  for (const auto& [key, value] : pairs(candidate.id)) {
    if (!is_tensor(value)) {
      out.others.emplace_back(key_text(p, key), type_text(*this, value));
      continue;
    }
    auto t = tensor(value);
    if (!t) return t.error().within(key_text(p, key));
    out.entries.push_back({key_text(p, key), std::move(*t)});
  }
  // {"layer": {"version": 1}, …}, an attribute that torch puts on the OrderedDict
  const ObjectId state = p.is(candidate.id, Kind::call) ? p.state(candidate.id) : kNoObject;
  const ObjectId metadata = p.is(state, Kind::dict) ? p.get(state, "_metadata") : kNoObject;
  if (metadata != kNoObject && is_dict(metadata)) {
    for (const auto& [path, about] : pairs(metadata)) {
      const ObjectId version = is_dict(about) ? get(about, "version") : kNoObject;
      out.modules.emplace_back(key_text(p, path), p.is(version, Kind::integer) ? p.integer(version) : 0);
    }
  }
  return out;
}

std::vector<std::string> Checkpoint::unknown_globals() const {
  std::vector<std::string> out;
  for (const Pickle::Global& g : pickle_->globals()) {
    if (g.called && !is_known_global(g.module, g.name)) out.push_back(g.module + "." + g.name);
  }
  return out;
}

}  // namespace tern::torch
