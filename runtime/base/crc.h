// CRC-32 in its two kinds, at the speed of memory: by carry-less products where the CPU has them (of 512 bits, of 128), by tables elsewhere.
//   crc32    reflected polynomial 0xEDB88320: ZIP, gzip, PNG
//   crc32c   reflected polynomial 0x82F63B78 (Castagnoli): TensorFlow's checkpoints
// Source: Gopal et al. 2009 (folding by PCLMULQDQ); Kounavis and Berry 2005 (slicing by 8). Next: crc.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern {

// Of `bytes` behind those that gave `before`.
uint32_t crc32(std::span<const std::byte> bytes, uint32_t before = 0);
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);
// The same by tables alone.
uint32_t crc32_by_tables(std::span<const std::byte> bytes, uint32_t before = 0);
uint32_t crc32c_by_tables(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace tern
