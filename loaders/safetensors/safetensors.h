// safetensors: a length, a JSON header, the tensors' bytes. And sets of such files with an index. See the table in loaders/README.md.
// Next: safetensors.cpp.
#pragma once
#include "loaders/source.h"
#include "loaders/weights/tensors.h"

namespace tern {

bool looks_like_safetensors(std::span<const std::byte> bytes);
// {"metadata": …, "weight_map": {"tensor": "file"}}
bool looks_like_shard_index(std::span<const std::byte> bytes);

// The tensors in the order of their bytes. Errors: a header that the format's rules forbid (invalid).
Result<torch::StateDict> load_safetensors(const Source& source);
// Those of all files that the index names, which lie in its own directory. Errors also: a file that is missing, a name with a separator.
Result<torch::StateDict> load_shards(const Source& source);

}  // namespace tern
