// Weights in several files, and the index that says which is where. The files are of any format. Next: shards.cpp.
#pragma once
#include "loaders/source.h"
#include "loaders/weights/tensors.h"

namespace tern {

// {"metadata": …, "weight_map": {"tensor": "file"}}
bool looks_like_shard_index(std::span<const std::byte> bytes);
// The tensors of all files that the index names, which lie in its own directory; `open` reads one of them. Errors: as `open` gives them; a
// file that is missing, a name with a separator, a tensor that its file lacks (invalid).
Result<StateDict> load_shards(const Source& index, Result<StateDict> (*open)(const Source& shard));

}  // namespace tern
