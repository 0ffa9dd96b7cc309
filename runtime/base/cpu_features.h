// Which instruction sets this machine can run: the CPU's word and the operating system's (register state saved on a switch).
// Asked when a session is made, a constant folded or a graph evaluated, never on the hot path. Next: kernels/simd.h.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/isa.h"

namespace tern {

std::optional<Isa> parse_isa(std::string_view name);

// Has this machine's architecture such an ISA at all, whether or not this CPU has it? (On x86 neon is none, and no cap there.)
bool of_this_architecture(Isa isa);
// "scalar, avx2, avx512"
std::string isas_of_this_architecture();
// Why TERN_ISA is ignored; empty when it is not set or does what it says.
std::string ignored_environment();

// May this machine execute kernels of this ISA? avx2 means AVX2 + FMA + F16C; avx512 means F, BW, DQ, VL; neon is part of every AArch64.
bool runnable(Isa isa);
// The best runnable ISA, capped by the environment variable TERN_ISA (a name; others are ignored, see ignored_environment) and by `cap`.
Isa best_isa(std::optional<Isa> cap = std::nullopt);
// "AMD EPYC 9B45", as the CPU calls itself; "unknown CPU" where it does not.
std::string cpu_name();

}  // namespace tern
