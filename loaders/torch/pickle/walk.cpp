// What is where in a checkpoint: nested dictionaries, all tensors, and the dictionaries that are weights. See checkpoint.h.
// Walks keep a stack of their own and end on cycles. What several names share is walked under each of them, but only as often as the size
// of the file explains: objects that refer to each other exponentially often are walked once.
#include <algorithm>
#include <unordered_set>

#include "loaders/torch/pickle/checkpoint.h"

namespace tern::torch {
namespace {

using Kind = Pickle::Kind;
constexpr size_t kMostDepth = 1000;                                 // Python itself pickles nothing that nests deeper
constexpr size_t kFreeNames = size_t(16) << 20, kNamesPerByte = 8;  // bytes of all names, and of what is known of each tensor
constexpr size_t kEntryBytes = 256;

// "optimizer", "optimizer_states", "optim", "lr_schedulers": what training keeps for itself.
bool is_training_state(std::string_view key) {
  std::string s(key);
  for (char& c : s) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return s.starts_with("optim") || s.ends_with("optimizer") || s.find("scheduler") != s.npos || s.find("scaler") != s.npos;
}

std::string latin(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) out += c;
    else out += {static_cast<char>(0xc0 | b >> 6), static_cast<char>(0x80 | (b & 63))};
  }
  return out;
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
  auto add = [&](std::span<const ObjectId> items) {
    for (size_t i = 0; i + 1 < items.size(); i += 2) out.emplace_back(items[i], items[i + 1]);
  };
  if (p.is(id, Kind::dict)) {
    add(p.items(id));
  } else if (is_dict(id)) {
    for (ObjectId argument : p.items(p.arguments(id))) {  // OrderedDict([(k, v), …]) of old pickles
      if (p.is(argument, Kind::dict)) add(p.items(argument));
      if (!p.is(argument, Kind::list)) continue;
      for (ObjectId pair : p.items(argument)) {
        if (!p.is(pair, Kind::dict) && p.items(pair).size() == 2) add(p.items(pair));
      }
    }
    if (p.extras_are_pairs(id)) add(p.extras(id));
  }
  // A key that is set again keeps its place. Sorting by hashes finds those, in little memory.
  std::vector<std::pair<size_t, uint32_t>> order;
  for (uint32_t i = 0; i < out.size(); ++i) {
    if (p.is(out[i].first, Kind::text)) order.emplace_back(std::hash<std::string_view>()(p.text(out[i].first)), i);
  }
  auto text = [&](const std::pair<size_t, uint32_t>& o) { return p.text(out[o.second].first); };
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    const int c = text(a).compare(text(b));
    return c != 0 ? c < 0 : a.second < b.second;
  });
  bool repeats = false;
  for (size_t i = 0, first = 0; i < order.size(); ++i) {
    if (i == 0 || order[i].first != order[first].first || text(order[i]) != text(order[first])) {
      first = i;
      continue;
    }
    out[order[first].second].second = out[order[i].second].second;
    out[order[i].second].second = kNoObject;
    repeats = true;
  }
  if (repeats) std::erase_if(out, [](const auto& pair) { return pair.second == kNoObject; });
  return out;
}

ObjectId Checkpoint::get(ObjectId dict, std::string_view key) const {
  const Pickle& p = *pickle_;
  if (p.is(dict, Kind::dict)) return p.get(dict, key);
  if (!is_dict(dict)) return kNoObject;
  const auto extras = p.extras_are_pairs(dict) ? p.extras(dict) : std::span<const ObjectId>();
  for (size_t i = extras.size(); i >= 2; i -= 2) {
    if (p.is(extras[i - 2], Kind::text) && p.text(extras[i - 2]) == key) return extras[i - 1];
  }
  ObjectId found = kNoObject;
  for (ObjectId argument : p.items(p.arguments(dict))) {
    if (const ObjectId value = p.get(argument, key); value != kNoObject) found = value;
    if (!p.is(argument, Kind::list)) continue;
    for (ObjectId pair : p.items(argument)) {
      const auto two = p.items(pair);
      if (two.size() == 2 && p.is(two[0], Kind::text) && p.text(two[0]) == key) found = two[1];
    }
  }
  return found;
}

std::string Checkpoint::key_text(ObjectId key) const {
  if (pickle_->is(key, Kind::text)) return std::string(pickle_->text(key));
  if (pickle_->is(key, Kind::bytes)) return latin(pickle_->text(key));  // a str of Python 2
  int room = 16;
  const Literal l = literal(key, 0, room);  // 0, 1.5, None, (0, 'a')
  return room < 0 ? "?" : l.text();
}

namespace {

const char* type_text(const Checkpoint& c, ObjectId id) {
  if (c.is_dict(id)) return c.pickle().is(id, Kind::dict) ? "dict" : "collections.OrderedDict";
  switch (c.pickle().kind(id)) {
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer:
    case Kind::big_integer: return "int";
    case Kind::real: return "float";
    case Kind::text: return "str";
    case Kind::bytes: return "bytes";
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
      : c_(c),
        active_(c.pickle().size(), false),
        seen_(c.pickle().size(), false),
        repeats_(c.pickle().size() + 1000),
        names_(kFreeNames + kNamesPerByte * c.pickle().bytes()) {}

  template <class Visit>
  void run(ObjectId root, Visit visit) {
    enter(root, visit);
    while (!stack_.empty()) {
      Frame& f = stack_.back();
      if (f.next == f.before.size() + f.pairs.size() + f.after.size()) {
        active_[f.id] = false;
        stack_.pop_back();
      } else {
        const ObjectId child = child_at(f, f.next++);
        if (is_interesting(child)) enter(child, visit);
      }
    }
  }
  // The whole name. Errors: all names together are longer than the file explains.
  Result<std::string> path() {
    std::string s;
    for (const Frame& f : stack_) s += (&f == &stack_.front() ? "" : ".") + name(f);
    if (!spend(s.size() + kEntryBytes)) return too_much();
    return s;
  }
  // The last part of the name.
  std::string key() const { return stack_.empty() ? std::string() : name(stack_.back()); }
  // Takes from what names and tensors may cost; false: there is not so much left.
  bool spend(size_t bytes) {
    if (bytes > names_) return false;
    names_ -= bytes;
    return true;
  }
  static Error too_much() { return invalid("its objects refer to each other too often to be listed"); }
  // Was something left out for that?
  bool too_deep() const { return too_deep_; }

 private:
  struct Frame {  // an object: items, keys and values, items again
    ObjectId id;
    std::span<const ObjectId> before, after;
    Checkpoint::Pairs pairs;
    size_t next;
  };

  static ObjectId child_at(const Frame& f, size_t i) {
    if (i < f.before.size()) return f.before[i];
    i -= f.before.size();
    return i < f.pairs.size() ? f.pairs[i].second : f.after[i - f.pairs.size()];
  }
  // Of the child that is being visited.
  std::string name(const Frame& f) const {
    const size_t i = f.next - 1, after = f.before.size() + f.pairs.size();
    if (i < f.before.size()) return std::to_string(i);
    return i < after ? c_.key_text(f.pairs[i - f.before.size()].first) : std::to_string(i - after);
  }
  bool is_interesting(ObjectId id) const {
    const Kind k = c_.pickle().kind(id);
    return k == Kind::tuple || k == Kind::list || k == Kind::dict || k == Kind::set || k == Kind::call;
  }
  template <class Visit>
  void enter(ObjectId id, Visit& visit) {
    if (active_[id] || !visit(id)) return;
    if (seen_[id] && repeats_ == 0) return;
    Frame f = frame(id);
    const size_t children = f.before.size() + f.pairs.size() + f.after.size();
    if (seen_[id]) repeats_ -= std::min(repeats_, children + 1);
    seen_[id] = true;
    too_deep_ = too_deep_ || (children > 0 && stack_.size() >= kMostDepth);
    if (children == 0 || stack_.size() >= kMostDepth) return;
    active_[id] = true;
    stack_.push_back(std::move(f));
  }
  Frame frame(ObjectId id) const {
    const Pickle& p = c_.pickle();
    Frame f{id, {}, {}, {}, 0};
    if (c_.is_dict(id)) {
      f.pairs = c_.pairs(id);
    } else if (p.is(id, Kind::call)) {  // an object of a class that tern does not know: a tuple's fields, attributes, items
      f.before = p.items(p.arguments(id));
      const ObjectId state = p.state(id);
      if (p.is(state, Kind::dict)) f.pairs = c_.pairs(state);
      for (ObjectId part : p.is(state, Kind::tuple) && p.items(state).size() == 2 ? p.items(state) : std::span<const ObjectId>()) {  // dict, slots
        const Checkpoint::Pairs pairs = c_.pairs(part);
        f.pairs.insert(f.pairs.end(), pairs.begin(), pairs.end());
      }
      const auto extras = p.extras(id);
      if (!p.extras_are_pairs(id)) f.after = extras;
      for (size_t i = 0; p.extras_are_pairs(id) && i + 1 < extras.size(); i += 2) f.pairs.emplace_back(extras[i], extras[i + 1]);
    } else {
      f.before = p.items(id);
    }
    return f;
  }

  const Checkpoint& c_;
  std::vector<bool> active_, seen_;
  std::vector<Frame> stack_;
  size_t repeats_, names_;
  bool too_deep_ = false;
};

}  // namespace

Result<StateDict> Checkpoint::list() const {
  StateDict out;
  std::optional<Error> error;
  Walk walk(*this);
  auto add = [&](ObjectId id) -> Status {
    auto path = walk.path();
    if (!path) return path.error();
    if (is_weight(id)) {
      auto t = tensor(id);
      if (!t) return t.error().within(path->empty() ? "the tensor" : *path);
      out.entries.push_back({*path, std::move(*t)});
      return {};
    }
    auto tree = this->tree(id);
    if (!tree) return tree.error().within(path->empty() ? "the module" : *path);
    if (!walk.spend((*tree)->bytes + (*tree)->names * (path->size() + kEntryBytes))) return Walk::too_much();
    for (StateDict::Entry& e : torch::state_dict(*(*tree)->module).entries) {
      out.entries.push_back({path->empty() ? e.name : *path + "." + e.name, std::move(e.tensor)});
    }
    return {};
  };
  walk.run(root(), [&](ObjectId id) {
    if (error || !(is_weight(id) || is_module(id))) return !error;
    if (Status s = add(id); !s) error = s.error();
    return false;
  });
  if (error) return *error;
  if (walk.too_deep()) return invalid("its objects nest more than " + std::to_string(kMostDepth) + " deep");
  return out;
}

// Mostly tensors, and none of its dictionaries is.
bool Checkpoint::is_weights(ObjectId id, std::unordered_map<ObjectId, bool>& known) const {
  auto mostly = [&](ObjectId dict) {
    auto [it, fresh] = known.emplace(dict, false);
    if (!fresh) return it->second;
    size_t tensors = 0, others = 0;
    for (const auto& [key, value] : pairs(dict)) (is_weight(value) ? tensors : others) += 1;
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

// A dictionary whose tensors all have no dimension.
bool Checkpoint::is_scalars(ObjectId id) const {
  if (is_module(id)) return false;
  for (const auto& [key, value] : pairs(id)) {
    if (!is_tensor(value)) continue;
    auto t = tensor(value);
    if (!t || !t->sizes.empty()) return false;
  }
  return true;
}

std::vector<Checkpoint::Candidate> Checkpoint::candidates() const {
  std::vector<Candidate> out;
  std::vector<bool> seen(pickle_->size(), false);
  std::unordered_map<ObjectId, bool> known;
  Walk walk(*this);
  walk.run(root(), [&](ObjectId id) {
    if (seen[id] || is_weight(id) || is_training_state(walk.key())) return false;
    seen[id] = true;
    if (is_dict(id) && get(id, "state") != kNoObject && get(id, "param_groups") != kNoObject) return false;  // an optimizer by another name
    if (!is_weights(id, known)) return true;
    auto path = walk.path();
    if (!path) return false;
    size_t tensors = 0;
    if (is_module(id)) {
      auto tree = this->tree(unwrapped(id));
      tensors = tree ? (*tree)->tensors : 0;
    } else {
      for (const auto& [key, value] : pairs(id)) tensors += is_weight(value);
    }
    out.push_back({std::move(*path), id, tensors});
    return false;
  });
  // Scores that a trainer keeps ({"epoch=3.ckpt": tensor(0.9)}) are dictionaries of scalars; no candidates when there are real ones.
  auto is_real = [&](const Candidate& c) { return !is_scalars(c.id); };
  if (std::any_of(out.begin(), out.end(), is_real)) std::erase_if(out, [&](const Candidate& c) { return !is_real(c); });
  if (out.empty() && is_dict(root()) && pairs(root()).empty()) out.push_back({"", root(), 0});  // of layers that have no weights
  return out;
}

Result<Checkpoint::Candidate> Checkpoint::select(std::string_view key) const {
  const std::vector<Candidate> all = candidates();
  if (all.empty()) return invalid("it holds no dictionary of tensors");
  std::string names;
  for (size_t i = 0; i < all.size(); ++i) {
    const Candidate& c = all[i];
    if (i == 20 && all.size() > 21) {
      names += " and " + std::to_string(all.size() - i) + " more";
      break;
    }
    names += (names.empty() ? "" : ", ") + (c.path.empty() ? std::string("(the root)") : c.path) + " (" + std::to_string(c.tensors) + " tensors)";
  }
  if (key.empty() && all.size() == 1) return all[0];
  if (key.empty()) return usage("it holds several sets of weights: " + names + "; choose one with LoadOptions::key");
  const Candidate* found = nullptr;
  size_t matches = 0;
  for (const Candidate& c : all) {
    if (c.path == key) return c;
    if (!c.path.ends_with("." + std::string(key)) && !c.path.starts_with(std::string(key) + ".")) continue;
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
    if (!is_weight(value)) {
      out.others.emplace_back(key_text(key), type_text(*this, value));
      continue;
    }
    auto t = tensor(value);
    if (!t) return t.error().within(key_text(key));
    out.entries.push_back({key_text(key), std::move(*t)});
  }
  // {"layer": {"version": 1}, …}, an attribute that torch puts on the OrderedDict
  const ObjectId state = p.is(candidate.id, Kind::call) ? p.state(candidate.id) : kNoObject;
  const ObjectId metadata = p.is(state, Kind::dict) ? p.get(state, "_metadata") : kNoObject;
  if (metadata != kNoObject && is_dict(metadata)) {
    for (const auto& [path, about] : pairs(metadata)) {
      const ObjectId version = is_dict(about) ? get(about, "version") : kNoObject;
      out.modules.emplace_back(key_text(path), p.is(version, Kind::integer) ? p.integer(version) : 0);
    }
  }
  return out;
}

std::vector<std::string> Checkpoint::unknown_globals() const {
  const Pickle& p = *pickle_;
  std::vector<std::string> out;
  std::unordered_set<std::string> seen;
  auto add = [&](std::string name) {
    if (seen.insert(name).second) out.push_back(std::move(name));
  };
  for (const Pickle::Global& g : p.globals()) {
    if (!is_known_global(g)) add(g.module + "." + g.name);
  }
  for (const std::string& name : more_globals_) add(name);
  for (ObjectId id = 0; id < p.size(); ++id) {  // files inside of the file
    if (!p.is_call_of(id, "torch.storage._load_from_bytes")) continue;
    auto inner = nested(id);
    for (const std::string& name : inner ? (*inner)->more_globals_ : std::vector<std::string>()) add(name);
    for (const Pickle::Global& g : inner ? (*inner)->pickle().globals() : std::vector<Pickle::Global>()) {
      if (!is_known_global(g)) add(g.module + "." + g.name);
    }
  }
  return out;
}

}  // namespace tern::torch
