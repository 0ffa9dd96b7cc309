// What is where in a checkpoint: nested dictionaries, all tensors, and the dictionaries that are weights. See checkpoint.h.
// Walks keep a stack of their own and end on cycles and on objects that refer to each other exponentially often.
#include <algorithm>
#include <unordered_map>

#include "loaders/torch/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;
constexpr size_t kMostVisits = size_t(1) << 22;  // a real checkpoint has some hundred thousand objects

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

// A walk in file order over everything that containers hold. `visit(id, path)` says whether to go into the object; path() makes the name.
class Walk {
 public:
  Walk(const Checkpoint& c, size_t objects) : c_(c), active_(objects, false) {}

  template <class Visit>
  void run(ObjectId root, Visit visit) {
    enter(root, visit);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.next == frame.children.size() || visits_ > kMostVisits) {
        active_[frame.id] = false;
        stack_.pop_back();
        continue;
      }
      auto& [name, id] = frame.children[frame.next++];
      frame.current = std::move(name);
      enter(id, visit);
    }
  }
  std::string path() const {
    std::string s;
    for (const Frame& f : stack_) s += (s.empty() ? "" : ".") + f.current;
    return s;
  }
  bool exhausted() const { return visits_ > kMostVisits; }
  size_t depth() const { return stack_.size(); }

 private:
  struct Frame {
    ObjectId id;
    size_t next;
    std::vector<std::pair<std::string, ObjectId>> children;
    std::string current;
  };

  template <class Visit>
  void enter(ObjectId id, Visit& visit) {
    ++visits_;
    if (!visit(id) || active_[id]) return;
    Frame frame{id, 0, children(id), {}};
    if (frame.children.empty()) return;
    visits_ += frame.children.size() / 8;
    active_[id] = true;
    stack_.push_back(std::move(frame));
  }

  std::vector<std::pair<std::string, ObjectId>> children(ObjectId id) const {
    const Pickle& p = c_.pickle();
    std::vector<std::pair<std::string, ObjectId>> out;
    auto interesting = [&](ObjectId v) {
      const Kind k = p.kind(v);
      return k == Kind::tuple || k == Kind::list || k == Kind::dict || k == Kind::call;
    };
    if (c_.is_dict(id)) {
      for (const auto& [key, value] : c_.pairs(id)) {
        if (interesting(value)) out.emplace_back(key_text(p, key), value);
      }
    } else if (p.is(id, Kind::list) || p.is(id, Kind::tuple)) {
      const auto items = p.items(id);
      for (size_t i = 0; i < items.size(); ++i) {
        if (interesting(items[i])) out.emplace_back(std::to_string(i), items[i]);
      }
    } else if (p.is(id, Kind::call)) {  // attributes of an object
      ObjectId state = p.state(id);
      if (p.is(state, Kind::tuple) && p.items(state).size() == 2) state = p.items(state)[0];  // (dict, slots)
      if (p.is(state, Kind::dict)) return children(state);
    }
    return out;
  }

  const Checkpoint& c_;
  std::vector<bool> active_;
  std::vector<Frame> stack_;
  size_t visits_ = 0;
};

}  // namespace

Result<StateDict> Checkpoint::list() const {
  StateDict out;
  std::optional<Error> error;
  Walk walk(*this, pickle_->size());
  walk.run(root(), [&](ObjectId id) {
    if (error) return false;
    if (is_tensor(id)) {
      auto t = tensor(id);
      if (!t) error = t.error().within(walk.path().empty() ? "the tensor" : walk.path());
      else out.entries.push_back({walk.path(), std::move(*t)});
      return false;
    }
    if (!is_module(id)) return true;
    auto tree = module(id);
    if (!tree) {
      error = tree.error();
      return false;
    }
    const std::string prefix = walk.path();
    for (StateDict::Entry& e : torch::state_dict(**tree).entries) {
      out.entries.push_back({prefix.empty() ? e.name : prefix + "." + e.name, std::move(e.tensor)});
    }
    return false;
  });
  if (error) return *error;
  if (walk.exhausted()) return invalid("its objects refer to each other too often to be listed");
  return out;
}

std::vector<Checkpoint::Candidate> Checkpoint::candidates() const {
  std::vector<Candidate> out;
  std::vector<bool> seen(pickle_->size(), false);
  Walk walk(*this, pickle_->size());
  walk.run(root(), [&](ObjectId id) {
    if (seen[id] || is_tensor(id)) return false;
    seen[id] = true;
    const std::string path = walk.path();
    if (is_training_state(path.substr(path.rfind('.') + 1))) return false;
    if (is_module(id)) {
      auto tree = module(id);
      if (tree) out.push_back({path, id, torch::state_dict(**tree).entries.size()});
      return false;
    }
    if (!is_dict(id)) return true;
    size_t tensors = 0, others = 0;
    for (const auto& [key, value] : pairs(id)) (is_tensor(value) ? tensors : others) += 1;
    if (tensors == 0 || tensors < others) return true;
    out.push_back({path, id, tensors});
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
  for (const Candidate& c : all) {
    if (c.path == key) return c;
    if (c.path.ends_with("." + std::string(key))) found = found == nullptr ? &c : found;
  }
  if (found != nullptr) return *found;
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
    if (!is_tensor(value)) continue;
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
