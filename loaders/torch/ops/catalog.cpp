// Every operator of PyTorch that tern knows, found by any of its spellings. See operator.h.
#include <algorithm>
#include <string>
#include <vector>

#include "loaders/torch/ops/operator.h"

namespace tern::torch {

std::span<const std::span<const Operator>> all_operators() {
  static const std::span<const Operator> kTables[] = {
      number_operators(),   pointwise_operators(), cast_operators(),    function_operators(),    activation_operators(), linear_operators(),
      einsum_operators(),   conv_operators(),      pool_operators(),    interpolate_operators(), norm_operators(),       shape_operators(),
      join_operators(),     pad_operators(),       reduce_operators(),  order_operators(),       getitem_operators(),    index_operators(),
      diagonal_operators(), embedding_operators(), scatter_operators(), create_operators(),      attention_operators(),  rnn_operators(),
  };
  return kTables;
}

namespace {

struct Spelling {
  std::string_view text;
  const Operator* op;
};

std::vector<Spelling> sorted_spellings() {
  std::vector<Spelling> all;
  for (std::span<const Operator> table : all_operators()) {
    for (const Operator& op : table) {
      for (std::string_view rest = op.spellings; !rest.empty();) {
        const size_t blank = std::min(rest.find(' '), rest.size());
        if (blank > 0) all.push_back({rest.substr(0, blank), &op});
        rest.remove_prefix(std::min(blank + 1, rest.size()));
      }
    }
  }
  std::sort(all.begin(), all.end(), [](const Spelling& a, const Spelling& b) { return a.text < b.text; });
  return all;
}

}  // namespace

const Operator* find_operator(std::string_view spelling) {
  static const std::vector<Spelling> kSpellings = sorted_spellings();
  auto it = std::lower_bound(kSpellings.begin(), kSpellings.end(), spelling, [](const Spelling& s, std::string_view t) { return s.text < t; });
  return it != kSpellings.end() && it->text == spelling ? it->op : nullptr;
}

}  // namespace tern::torch
