// Hashes of strings whose values are stored in models: which bucket a word outside of a vocabulary is in, and which row of an embedding that is.
//   farm_hash     FarmHash's 64-bit fingerprint ("na", Hash64 without a seed).
//   sip_hash      SipHash-2-4, keyed.
//   murmur_hash   MurmurHash64A with the seed 0xDECAFCAFFE: TensorFlow's Hash64, which its first hash of strings is.
//   Cost      a few cycles for each 8 bytes; SipHash about four times as many.
//   Numerics  fixed for ever: the same number on every machine, whatever its byte order.
//   Source    Pike and Alakuijala, FarmHash 2014; Aumasson and Bernstein, SipHash 2012; Appleby, MurmurHash2. tests/data/strings holds TensorFlow's
//             answers for all lengths from 0 to 300.
// Next: fingerprint.cpp, hash.cpp.
#pragma once
#include <cstdint>
#include <string_view>

namespace tern {

uint64_t farm_hash(std::string_view s);
uint64_t murmur_hash(std::string_view s);
uint64_t sip_hash(uint64_t key0, uint64_t key1, std::string_view s);

}  // namespace tern
