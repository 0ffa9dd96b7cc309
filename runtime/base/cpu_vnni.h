// Has this CPU AVX-512's products of bytes (VNNI), with the system's leave? Isa::avx512 does not promise them: kernels that use them ask before they
// are chosen. Apart from cpu_features.h because one family asks. Next: kernels/quantize/integer_bind.cpp.
#pragma once

namespace tern {

bool has_vnni();

}  // namespace tern
