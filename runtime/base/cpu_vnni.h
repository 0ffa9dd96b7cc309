// Has this CPU AVX-512's products of bytes (VNNI), or of pairs of bf16, or its tables of bytes (VBMI), or the products for AVX2 alone (AVX-VNNI), with the
// system's leave? Isa::avx512 and Isa::avx2 promise none of them: kernels that use them ask before they are chosen.
// Apart from cpu_features.h because few ask. Next: kernels/quantize/integer_bind.cpp.
#pragma once

namespace tern {

bool has_vnni();
bool has_avx_vnni();
bool has_bf16_pairs();
bool has_byte_tables();

}  // namespace tern
