// What deflate made small, as it was: members of ZIP archives, chunks of HDF5. The one place that inflates. Next: zip.h.
#pragma once
#include <cstdint>
#include <span>

#include "tern/status.h"

namespace tern {

constexpr uint64_t kDeflateMost = 1032;  // zlib's technical note: no stream grows more

// Fills `to`; the stream must end with its last byte. `wrapped`: with zlib's header and checksum. `once`: nobody reads `from` again, and its pages go as
// they are read. Errors: it does not, or is damaged (invalid).
Status inflate_exactly(std::span<const std::byte> from, std::span<std::byte> to, bool wrapped, bool once = false);

}  // namespace tern
