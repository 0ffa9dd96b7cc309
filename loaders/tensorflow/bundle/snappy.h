// Blocks that are compressed with Snappy, by libsnappy when this build has it. Next: snappy.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tern/status.h"

namespace tern::tensorflow {

// Errors: malformed, or more than `most` bytes (invalid); no libsnappy (unsupported).
Result<std::vector<std::byte>> snappy_uncompressed(std::span<const std::byte> block, int64_t most);

}  // namespace tern::tensorflow
