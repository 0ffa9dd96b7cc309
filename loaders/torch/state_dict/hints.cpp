// See hints.h.
#include "loaders/torch/state_dict/hints.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "runtime/base/checked.h"

namespace tern::torch {
namespace {

constexpr size_t kMostHints = 3, kMostCompared = 200, kMostName = 100;  // names compared with each other: 200 times 200, of 100 bytes

// Letters to change, add or take away between the two (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t change = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

const Expected* find(const std::vector<Expected>& expected, std::string_view name) {
  auto found = std::find_if(expected.begin(), expected.end(), [&](const Expected& e) { return e.name == name; });
  return found == expected.end() ? nullptr : &*found;
}

std::string_view leaf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

int64_t product(const std::vector<int64_t>& sizes) { return checked_count(sizes).value_or(-1); }

std::optional<std::string> about_size(const Problems::Size& s) {
  std::vector<int64_t> reversed(s.file.rbegin(), s.file.rend());
  if (s.file.size() == 2 && reversed == s.tree) return s.name + " would fit transposed";
  if (s.file.size() > 2 && s.file.size() == s.tree.size() && std::is_permutation(s.file.begin(), s.file.end(), s.tree.begin())) {
    return s.name + " would fit with its dimensions in another order";
  }
  if (product(s.file) >= 0 && product(s.file) == product(s.tree)) return s.name + " has as many elements as the tree expects";
  return std::nullopt;
}

// One that the file has under a name that is spelt nearly so.
std::optional<std::string> near(const std::string& missing, const Expected& wanted, const Problems& problems, const StateDict& weights) {
  size_t best = missing.size() / 2;
  const std::string* found = nullptr;
  for (size_t i = 0; i < std::min(kMostCompared, problems.unexpected.size()); ++i) {
    const std::string& name = problems.unexpected[i];
    const StoredTensor* t = weights.find(name);
    if (t == nullptr || name.size() > kMostName || missing.size() > kMostName || (wanted.shape && t->sizes != *wanted.shape) ||
        leaf(name) != leaf(missing))
      continue;
    const size_t d = distance(missing, name);
    if (d >= best) continue;
    best = d;
    found = &name;
  }
  if (found == nullptr) return std::nullopt;
  return "did you mean \"" + *found + "\" for \"" + missing + "\"?";
}

// The output layer of a language model is often its embedding; such weights are stored once.
std::optional<std::string> tied(const std::string& missing, const Expected& wanted, const StateDict& weights) {
  if (!wanted.shape || wanted.shape->size() != 2 || leaf(missing) != "weight") return std::nullopt;
  const StateDict::Entry* found = nullptr;
  for (const StateDict::Entry& e : weights.entries) {
    if (e.tensor.sizes != *wanted.shape || leaf(e.name) != "weight") continue;
    if (found != nullptr) return std::nullopt;  // no more than one of these sizes, or it is a guess
    found = &e;
  }
  if (found == nullptr || found->name.find("emb") == std::string::npos) return std::nullopt;
  return "\"" + missing + "\" may be tied to \"" + found->name + "\", which has its size: use F.linear(x, self." + found->name + ") in the forward";
}

}  // namespace

std::string size_text(const std::vector<int64_t>& sizes) {
  std::string s = "torch.Size([";
  for (size_t i = 0; i < sizes.size(); ++i) s += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  return s + "])";
}

std::string hints(const Problems& problems, const StateDict& weights, const std::vector<Expected>& expected) {
  std::vector<std::string> all;
  auto add = [&](std::optional<std::string> hint) {
    if (hint && all.size() < kMostHints) all.push_back(std::move(*hint));
  };
  for (size_t i = 0; i < std::min(kMostCompared, problems.sizes.size()); ++i) add(about_size(problems.sizes[i]));
  for (size_t i = 0; i < std::min(kMostCompared, problems.missing.size()) && all.size() < kMostHints; ++i) {
    const std::string& name = problems.missing[i];
    const Expected* wanted = find(expected, name);
    if (wanted == nullptr) continue;
    std::optional<std::string> hint = near(name, *wanted, problems, weights);
    if (!hint) hint = tied(name, *wanted, weights);
    add(std::move(hint));
  }
  std::string s;
  for (const std::string& hint : all) s += "; " + hint;
  return s;
}

}  // namespace tern::torch
