// See renaming.h.
#include "loaders/torch/state_dict/renaming.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "loaders/torch/nn/parametrize.h"

namespace tern::torch {
namespace {

constexpr std::string_view kWrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."};
constexpr std::string_view kPrefixes[] = {"module", "_orig_mod", "model", "_fsdp_wrapped_module", "_forward_module"};
constexpr size_t kMostPrefixes = 16;  // tried one by one when no renaming is exact

std::string without_wrappers(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const size_t n = std::min(name.find('.'), name.size() - 1) + 1;
    const std::string_view part = name.substr(0, n);
    if (std::find(std::begin(kWrappers), std::end(kWrappers), part) == std::end(kWrappers)) out += part;
    name.remove_prefix(n);
  }
  return out;
}

// The dotted prefix that all names share: "module.net."; never a whole name.
template <class Names>
std::string common_prefix(const Names& names) {
  if (names.empty()) return {};
  std::string_view shared = names[0];
  for (const auto& name : names) {
    size_t n = 0;
    while (n < shared.size() && n < name.size() && shared[n] == name[n]) ++n;
    shared = shared.substr(0, n);
  }
  const size_t dot = shared.rfind('.');
  return std::string(shared.substr(0, dot == shared.npos ? 0 : dot + 1));
}

// module._orig_mod.: what wrappers and trainers call the model in them.
bool is_known_prefix(std::string_view prefix) {
  while (!prefix.empty()) {
    const size_t n = prefix.find('.');
    if (std::find(std::begin(kPrefixes), std::end(kPrefixes), prefix.substr(0, n)) == std::end(kPrefixes)) return false;
    prefix.remove_prefix(n + 1);
  }
  return true;
}

// What both end with belongs to the names: model.layer. and layer. differ by model. alone.
void drop_common_end(std::string& a, std::string& b) {
  while (!a.empty() && !b.empty()) {
    auto last = [](const std::string& s) { return s.size() < 2 || s.rfind('.', s.size() - 2) == s.npos ? 0 : s.rfind('.', s.size() - 2) + 1; };
    const size_t in_a = last(a), in_b = last(b);
    if (a.compare(in_a, a.npos, b, in_b, b.npos) != 0) return;
    a.resize(in_a);
    b.resize(in_b);
  }
}

// The weight that a part of a split one belongs to (weight_g, parametrizations.weight.original0); empty: none.
std::string whole_of(std::string_view name) {
  constexpr std::string_view kLists = "parametrizations.";
  if (const size_t list = name.find(kLists); list != name.npos && (list == 0 || name[list - 1] == '.')) {
    const std::string_view rest = name.substr(list + kLists.size());
    return std::string(name.substr(0, list)) + std::string(rest.substr(0, rest.find('.')));
  }
  for (std::string_view end : {"_g", "_v", "_u", "_orig"}) {
    if (name.ends_with(end)) return std::string(name.substr(0, name.size() - end.size()));
  }
  return {};
}

}  // namespace

std::string Renaming::operator()(std::string_view name) const {
  const std::string plain = unwrap ? without_wrappers(name) : std::string(name);
  return plain.starts_with(strip) ? add + plain.substr(strip.size()) : plain;
}

std::string Renaming::text() const {
  std::string s;
  auto also = [&](const std::string& what) { s += (s.empty() ? "" : ", ") + what; };
  if (unwrap) also("the names of wrappers (_orig_mod and the like) taken out");
  if (!strip.empty()) also("the prefix " + strip + " taken off");
  if (!add.empty()) also("the prefix " + add + " put on");
  return s;
}

std::string wrapper_prefix(const std::vector<std::string_view>& names) {
  std::string prefix = common_prefix(names);
  while (!is_known_prefix(prefix)) prefix.resize(prefix.rfind('.', prefix.size() - 2) == prefix.npos ? 0 : prefix.rfind('.', prefix.size() - 2) + 1);
  return prefix;
}

Match find_renaming(const std::vector<std::string_view>& names, const std::vector<Expected>& expected) {
  std::unordered_set<std::string_view> wanted;
  std::vector<std::string_view> wanted_names;
  size_t needed = 0;
  for (const Expected& e : expected) {
    if (!wanted.insert(e.name).second) continue;
    wanted_names.push_back(e.name);
    needed += !e.optional;
  }
  std::set<std::string_view> optional;
  for (const Expected& e : expected) {
    if (e.optional) optional.insert(e.name);
  }
  auto match = [&](Renaming r) {
    Match m{std::move(r), 0, false};
    std::unordered_set<std::string> seen;
    size_t met = 0;
    for (std::string_view name : names) {
      std::string renamed = m.renaming(name);
      if (const std::string now = parametrized_name(renamed); wanted.contains(now)) renamed = now;
      const bool part = !wanted.contains(renamed);
      if (part) renamed = whole_of(renamed);
      if (part && !wanted.contains(renamed)) continue;
      const bool is_needed = !optional.contains(renamed), first = seen.insert(std::move(renamed)).second;
      m.matched += first || part;
      met += first && is_needed;
    }
    m.exact = m.matched == names.size() && met == needed;
    return m;
  };
  Match best = match({});
  auto consider = [&](Renaming r) {
    if (best.exact) return;
    Match m = match(std::move(r));
    if (m.exact || m.matched > best.matched) best = std::move(m);
  };
  // With all of the common prefixes exchanged the match is exact, or no exchange of prefixes makes it so.
  const std::string add = common_prefix(wanted_names);
  for (const bool unwrap : {false, true}) {
    std::vector<std::string> plain;
    for (std::string_view name : names) plain.push_back(unwrap ? without_wrappers(name) : std::string(name));
    Renaming r{common_prefix(plain), add, unwrap};
    drop_common_end(r.strip, r.add);
    const bool exchanged = !r.strip.empty() && !r.add.empty();  // fc1. for fc2. is no prefix but another layer
    if (!r.nothing() && (!exchanged || is_known_prefix(r.strip) || is_known_prefix(r.add))) consider(std::move(r));
  }
  std::set<std::string> firsts;  // not exact: perhaps only some names have a prefix
  for (std::string_view name : names) {
    if (const size_t dot = name.find('.'); dot != name.npos && firsts.size() < kMostPrefixes) firsts.emplace(name.substr(0, dot + 1));
  }
  for (const std::string& first : firsts) consider({first, "", false});
  if (!add.empty()) consider({"", add, false});
  return best;
}

}  // namespace tern::torch
