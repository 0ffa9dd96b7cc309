// safetensors: a length, a JSON header, the tensors' bytes. See the table in loaders/README.md. Sets of such files: weights/shards.h.
// Next: safetensors.cpp.
#pragma once
#include "loaders/source.h"
#include "loaders/weights/tensors.h"

namespace tern {

bool looks_like_safetensors(std::span<const std::byte> bytes);

// The tensors in the order of their bytes. Errors: a header that the format's rules forbid (invalid).
Result<StateDict> load_safetensors(const Source& source);

}  // namespace tern
