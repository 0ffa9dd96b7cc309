// The two checksums of HDF5: of its own structures, and of the filter fletcher32. Next: filters.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::hdf5 {

// Bob Jenkins' hash of 2006 (lookup3, "hashlittle"), begun with 0. Source: burtleburtle.net/bob/c/lookup3.c.
uint32_t lookup3(std::span<const std::byte> bytes);

// Sums of big-endian 16-bit words modulo 65535, the second of the first; a last odd byte is the high one of a word. Source: J. Fletcher, 1982.
uint32_t fletcher32(std::span<const std::byte> bytes);

}  // namespace tern::hdf5
