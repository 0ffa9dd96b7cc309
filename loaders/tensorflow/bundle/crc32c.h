// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step, by the CPU's instruction or by tables, and how checkpoints mask one.
// Source: RFC 3720 B.4; Kounavis and Berry 2005 (slicing by 8). Next: table.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::tensorflow {

// Of `bytes` behind those that gave `crc`.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);
// The same where the CPU has no instruction for it.
uint32_t crc32c_by_tables(std::span<const std::byte> bytes, uint32_t crc = 0);
// What is stored is rotated and shifted, so that bytes which hold checksums have sound ones too.
constexpr uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

}  // namespace tern::tensorflow
