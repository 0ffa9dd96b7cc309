// Renaming: prefixes that wrappers put before the names of weights (DataParallel's module., torch.compile's _orig_mod., Lightning's
// model.), taken off or put on so that a file's names become the tree's. Next: bind.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "loaders/torch/nn/layers.h"

namespace tern::torch {

struct Renaming {
  std::string strip, add;  // with their dots: "module."
  bool unwrap = false;     // drop what wrappers put inside of names: _orig_mod, _fsdp_wrapped_module, _checkpoint_wrapped_module

  bool nothing() const { return strip.empty() && add.empty() && !unwrap; }
  // A name that does not begin with `strip` stays.
  std::string operator()(std::string_view name) const;
  // "the prefix module. taken off"
  std::string text() const;
};

// What wrappers and trainers put before all of the names: "module._orig_mod."; empty: nothing that is known.
std::string wrapper_prefix(const std::vector<std::string_view>& names);

struct Match {
  Renaming renaming;
  size_t matched = 0;  // names of the file that the tree expects then
  bool exact = false;  // nothing is missing (but what torch lets be absent) and nothing unexpected
};

// The renaming that makes all names match; without one, the one that matches most, which is none at all when no other matches more.
Match find_renaming(const std::vector<std::string_view>& names, const std::vector<Expected>& expected);

}  // namespace tern::torch
