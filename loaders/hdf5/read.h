// The elements of a dataset: in place where they lie in one piece, else gathered from chunks. Next: texts.h, hdf5.h.
#pragma once
#include <memory>

#include "loaders/hdf5/layout.h"

namespace tern::hdf5 {

struct Elements {
  std::span<const std::byte> bytes;   // as the file has them, row-major
  std::shared_ptr<const void> owner;  // keeps them alive; null if nobody does
  int64_t readable_after = 0;         // bytes behind them
};

// `file`: who keeps the file's bytes. Errors: a refusal (unsupported); damaged, more memory than allowed (invalid).
Result<Elements> read_elements(Space& space, const Dataset& dataset, const std::shared_ptr<const void>& file);

}  // namespace tern::hdf5
