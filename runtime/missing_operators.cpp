// See missing_operators.h.
#include "runtime/missing_operators.h"

#include "runtime/base/printable.h"

namespace tern {

void MissingOperators::add(const std::string& op, const std::string& node) {
  const auto [at, fresh] = index_.emplace(op, entries_.size());
  if (fresh) entries_.push_back({op, node, 0});
  ++entries_[at->second].count;
}

Error MissingOperators::error() const {
  constexpr size_t kMost = 256;  // a real model has a handful
  std::string s = entries_.size() == 1 ? "this operator is not supported: " : "these operators are not supported: ";
  for (size_t i = 0; i < entries_.size() && i < kMost; ++i) {
    const auto& [op, first, count] = entries_[i];
    s += (i > 0 ? ", " : "") + printable(op, 80) + " (" + std::to_string(count) + (count == 1 ? " node, first '" : " nodes, first '") +
         printable(first, 80) + "')";
  }
  if (entries_.size() > kMost) s += " and " + std::to_string(entries_.size() - kMost) + " more";
  return unsupported(s);
}

}  // namespace tern
