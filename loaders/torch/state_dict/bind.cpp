// See bind.h: what is missing, unexpected and of another size, told as torch tells it. Next: renaming.cpp (prefixes), hints.cpp.
#include "loaders/torch/state_dict/bind.h"

#include <map>
#include <set>
#include <unordered_map>

#include "loaders/torch/nn/parametrize.h"
#include "loaders/torch/state_dict/hints.h"
#include "loaders/torch/state_dict/renaming.h"

namespace tern::torch {
namespace {

constexpr int64_t kCountsBatches = 2;  // the version of BatchNorm from which on num_batches_tracked must be there
constexpr size_t kMostNamed = 3;       // in notes

// The file under the tree's names; of two that become one name the first counts.
StateDict renamed(const StateDict& file, const Renaming& renaming) {
  StateDict out;
  std::set<std::string> seen;
  for (const StateDict::Entry& e : file.entries) {
    std::string name = renaming(e.name);
    if (seen.insert(name).second) out.entries.push_back({std::move(name), e.tensor});
  }
  for (const auto& [name, type] : file.others) {
    if (std::string r = renaming(name); seen.insert(r).second) out.others.emplace_back(std::move(r), type);
  }
  for (const auto& [path, version] : file.modules) {
    std::string r = renaming(path + ".");
    if (!r.empty()) r.pop_back();
    out.modules.emplace_back(std::move(r), version);
  }
  return out;
}

// weight_g and weight_v, both, become the parts of weight_norm's parametrization where the tree has it.
void rename_split(StateDict& weights, const std::set<std::string_view>& wanted) {
  std::unordered_map<std::string, StateDict::Entry*> known;
  for (StateDict::Entry& e : weights.entries) known.emplace(e.name, &e);
  for (StateDict::Entry& e : weights.entries) {
    const std::string now = parametrized_name(e.name);
    if (!now.ends_with("original0") || !wanted.contains(now) || known.contains(now)) continue;
    auto v = known.find(e.name.substr(0, e.name.size() - 1) + "v");
    if (v == known.end()) continue;
    e.name = now;
    v->second->name = now.substr(0, now.size() - 1) + "1";
  }
}

// Files of before BatchNorm counted, and dictionaries that lost their _metadata, may lack the count; what else is optional always may.
bool may_be_absent(const Expected& e, const std::map<std::string_view, int64_t>& versions) {
  if (!e.optional) return false;
  const size_t dot = e.name.rfind('.');
  if (e.name.substr(dot == e.name.npos ? 0 : dot + 1) != "num_batches_tracked") return true;
  const auto version = versions.find(std::string_view(e.name).substr(0, dot == e.name.npos ? 0 : dot));
  return version == versions.end() || version->second < kCountsBatches;
}

// torch's scalars were tensors of one element before 0.4.
bool fits(StoredTensor& t, const std::vector<int64_t>& shape) {
  if (shape.empty() && t.sizes == std::vector<int64_t>{1}) t.sizes.clear(), t.strides.clear();
  return t.sizes == shape;
}

// What the tree expects, one by one: what there is of it goes to `bound`. A weight that weight_norm and the like split is there by its
// parts: what print(model) shows of a layer with such hooks does not tell.
void take(StateDict& weights, const std::vector<Expected>& expected, DType module, Problems& problems, StateDict& bound) {
  std::unordered_map<std::string_view, StoredTensor*> tensors;
  std::unordered_map<std::string_view, std::string_view> others;
  std::map<std::string_view, int64_t> versions;
  for (StateDict::Entry& e : weights.entries) tensors.emplace(e.name, &e.tensor);
  for (const auto& [name, type] : weights.others) others.emplace(name, type);
  for (const auto& [path, version] : weights.modules) versions.emplace(path, version);
  const auto has = [&](const std::string& name) { return tensors.contains(name); };
  auto copy = [&](const Expected& e, const std::string& name, StoredTensor tensor) {
    const DType to = e.real || (e.dtype == DType::none && is_float(tensor.dtype)) ? module : e.dtype;
    if (tensor.dtype != DType::none && tensor.dtype != to) tensor.copied_to = to;
    bound.entries.push_back({name, std::move(tensor)});
  };
  for (const Expected& e : expected) {
    auto tensor = tensors.find(e.name);
    if (auto other = others.find(e.name); other != others.end()) {
      problems.others.push_back("While copying the parameter named \"" + e.name +
                                "\", expected torch.Tensor or Tensor-like object from checkpoint but received <class '" + std::string(other->second) +
                                "'>");
    } else if (auto parts = tensor == tensors.end() ? parametrized(e.name, has) : std::nullopt) {
      for (const std::string& part : parts->names) copy(e, part, *tensors.at(part));
    } else if (tensor == tensors.end()) {
      if (!may_be_absent(e, versions)) problems.missing.push_back(e.name);
    } else if (e.shape && !fits(*tensor->second, *e.shape)) {
      problems.sizes.push_back({e.name, tensor->second->sizes, *e.shape});
      problems.others.push_back("size mismatch for " + e.name + ": copying a param with shape " + size_text(tensor->second->sizes) +
                                " from checkpoint, the shape in current model is " + size_text(*e.shape) + ".");
    } else {
      copy(e, e.name, *tensor->second);
    }
  }
  bound.modules = weights.modules;
}

// Module by module: names (which all begin with the module's path of `prefix` bytes) that its own state and its children do not explain.
void find_unexpected(const Module& module, size_t prefix, const std::vector<std::string_view>& names, const std::set<std::string_view>& wanted,
                     std::vector<std::string>& unexpected) {  // at most kMaxModuleDepth deep
  std::unordered_map<std::string_view, std::vector<std::string_view>> of_children;
  for (const auto& [name, child] : module.children) of_children[name];
  for (std::string_view name : names) {  // torch looks at this one first
    if (name.substr(prefix) == "_extra_state") unexpected.emplace_back(name);
  }
  for (std::string_view name : names) {
    if (wanted.contains(name)) continue;
    const std::string_view rest = name.substr(prefix);
    const size_t dot = rest.find('.');
    auto child = of_children.find(rest.substr(0, dot));
    if (dot != rest.npos && child != of_children.end()) child->second.push_back(name);
    else if (dot != rest.npos || rest != "_extra_state") unexpected.emplace_back(name);
  }
  for (const auto& [name, child] : module.children) {
    const std::vector<std::string_view> mine = std::move(of_children[name]);
    of_children[name].clear();
    if (!mine.empty()) find_unexpected(*child, prefix + name.size() + 1, mine, wanted, unexpected);
  }
}

std::string quoted(const std::vector<std::string>& names) {
  std::string s;
  for (const std::string& name : names) s += (s.empty() ? "\"" : ", \"") + name + "\"";
  return s;
}

// "a, b, c and 7 more"
std::string some(const std::vector<std::string>& names) {
  std::string s;
  for (size_t i = 0; i < std::min(kMostNamed, names.size()); ++i) s += (i > 0 ? ", " : "") + names[i];
  return s + (names.size() > kMostNamed ? " and " + std::to_string(names.size() - kMostNamed) + " more" : "");
}

// torch's text, whose lines (each begun by a tab) follow each other with a blank between.
Error error_of(const std::string& cls, const Problems& p, bool strict) {
  std::string s = "Error(s) in loading state_dict for " + cls + ":";
  if (strict && !p.missing.empty()) s += " Missing key(s) in state_dict: " + quoted(p.missing) + ".";
  if (strict && !p.unexpected.empty()) s += " Unexpected key(s) in state_dict: " + quoted(p.unexpected) + ".";
  for (const std::string& other : p.others) s += " " + other;
  return invalid(std::move(s));
}

}  // namespace

Result<Bound> bind_weights(const StateDict& file, const Module& root, const std::vector<Expected>& expected, bool strict, DType module) {
  std::vector<std::string_view> names;
  for (const StateDict::Entry& e : file.entries) names.push_back(e.name);
  const Match match = find_renaming(names, expected);
  // Not strict, the best that there is will do. Strict, a renaming that leaves errors would only hide the names that the file has.
  const Renaming renaming = match.exact || !strict ? match.renaming : Renaming();
  StateDict weights = renamed(file, renaming);
  std::set<std::string_view> wanted;
  for (const Expected& e : expected) wanted.insert(e.name);
  rename_split(weights, wanted);
  Bound bound;
  Problems problems;
  take(weights, expected, module, problems, bound.weights);
  for (const StateDict::Entry& e : bound.weights.entries) wanted.insert(e.name);
  names.clear();
  for (const StateDict::Entry& e : weights.entries) names.push_back(e.name);
  find_unexpected(root, 0, names, wanted, problems.unexpected);

  if (!problems.others.empty() || (strict && !(problems.missing.empty() && problems.unexpected.empty()))) {
    std::string text = error_of(root.cls, problems, strict).message() + hints(problems, weights, expected);
    if (!match.exact && strict && !match.renaming.nothing()) {
      text += "; with " + match.renaming.text() + " " + std::to_string(match.matched) + " of its " + std::to_string(file.entries.size()) +
              " names would be among the " + std::to_string(expected.size()) + " expected ones";
    }
    return invalid(std::move(text));
  }
  if (!renaming.nothing()) bound.notes.push_back("weights matched with " + renaming.text() + " (" + std::to_string(match.matched) + " names)");
  if (!problems.missing.empty()) bound.notes.push_back("missing weights: " + some(problems.missing));
  if (!problems.unexpected.empty()) bound.notes.push_back("unexpected weights, not used: " + some(problems.unexpected));
  std::vector<std::string> others;
  for (const auto& [name, type] : weights.others) others.push_back(name);
  if (!others.empty()) bound.notes.push_back("values that are no tensors, not used: " + some(others));
  return bound;
}

}  // namespace tern::torch
