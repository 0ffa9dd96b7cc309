// Operators that a file has and tern lacks, told all at once: a reader wants to know the whole of what stands between a model and running it.
// Next: missing_operators.cpp.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "tern/status.h"

namespace tern {

// In the order of their first nodes.
class MissingOperators {
 public:
  void add(const std::string& op, const std::string& node);
  bool empty() const { return entries_.empty(); }
  // "these operators are not supported: TfIdfVectorizer (2 nodes, first 'a'), com.acme.Foo (1 node, first 'b')" (unsupported)
  Error error() const;

 private:
  struct Entry {
    std::string op, first;
    int64_t count;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace tern
