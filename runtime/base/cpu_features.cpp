// CPU features by CPUID and XGETBV. See cpu_features.h.
#include "runtime/base/cpu_features.h"

#include <cstdlib>
#include <cstring>

#include "runtime/base/cpu_vnni.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tern {

std::optional<Isa> parse_isa(std::string_view text) {
  for (Isa isa : kIsas) {
    if (text == name(isa)) return isa;
  }
  return std::nullopt;
}

#if defined(__x86_64__)

namespace {

// The extended state that the operating system saves: bits of XCR0 (SDM vol. 1, 13.3).
uint64_t xcr0() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

bool bit(uint32_t word, int n) { return (word >> n) & 1; }

// What CPU and system offer.
struct Offered {
  bool avx2 = false, avx512 = false, vnni = false, vbmi = false, bf16 = false, avx_vnni = false;
};
Offered offered() {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return {};
  const bool osxsave = bit(c, 27), avx = bit(c, 28), fma = bit(c, 12), f16c = bit(c, 29);
  if (!osxsave || !avx || !fma || !f16c) return {};
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return {};
  const uint64_t state = xcr0();
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6;  // SSE and AVX; and the mask registers and both halves of ZMM
  if (!bit(b, 5) || (state & kYmm) != kYmm) return {};
  const bool avx512 = bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31) && (state & kZmm) == kZmm;  // F DQ BW VL
  const bool vnni = avx512 && bit(c, 11), vbmi = avx512 && bit(c, 1);
  const bool more = __get_cpuid_count(7, 1, &a, &b, &c, &d);
  return {true, avx512, vnni, vbmi, avx512 && more && bit(a, 5), more && bit(a, 4)};
}
// Asked once: on virtual machines CPUID leaves the guest.
const Offered& here() {
  static const Offered offer = offered();
  return offer;
}

}  // namespace

bool runnable(Isa isa) { return isa == Isa::scalar || (isa == Isa::avx2 && here().avx2) || (isa == Isa::avx512 && here().avx512); }
bool has_vnni() { return here().vnni; }
bool has_avx_vnni() { return here().avx_vnni; }
bool has_bf16_pairs() { return here().bf16; }
bool has_byte_tables() { return here().vbmi; }

std::string cpu_name() {
  uint32_t words[12];
  if (static_cast<uint32_t>(__get_cpuid_max(0x80000000u, nullptr)) < 0x80000004u) return "unknown CPU";
  for (uint32_t i = 0; i < 3; ++i) __get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  std::string s(text);
  size_t begin = s.find_first_not_of(' '), end = s.find_last_not_of(' ');
  return begin == std::string::npos ? "unknown CPU" : s.substr(begin, end - begin + 1);
}

bool of_this_architecture(Isa isa) { return isa != Isa::neon; }

#elif defined(__aarch64__)

bool of_this_architecture(Isa isa) { return isa == Isa::scalar || isa == Isa::neon; }
bool runnable(Isa isa) { return of_this_architecture(isa); }  // every AArch64 CPU has NEON
bool has_vnni() { return false; }
bool has_avx_vnni() { return false; }
bool has_bf16_pairs() { return false; }
bool has_byte_tables() { return false; }
std::string cpu_name() { return "unknown CPU"; }

#else

bool of_this_architecture(Isa isa) { return isa == Isa::scalar; }
bool runnable(Isa isa) { return isa == Isa::scalar; }
bool has_vnni() { return false; }
bool has_avx_vnni() { return false; }
bool has_bf16_pairs() { return false; }
bool has_byte_tables() { return false; }
std::string cpu_name() { return "unknown CPU"; }

#endif

std::string isas_of_this_architecture() {
  std::string names;
  for (Isa isa : kIsas) {
    if (of_this_architecture(isa)) names += (names.empty() ? "" : ", ") + std::string(name(isa));
  }
  return names;
}

std::string ignored_environment() {
  const char* text = std::getenv("TERN_ISA");
  if (text == nullptr || *text == '\0') return {};
  const auto isa = parse_isa(text);
  if (isa && of_this_architecture(*isa)) return {};
  return "TERN_ISA=" + std::string(text) + ": " + (isa ? "not of this machine" : "unknown") + "; known: " + isas_of_this_architecture();
}

Isa best_isa(std::optional<Isa> cap) {
  Isa best = Isa::neon;  // the last of them
  if (cap && *cap < best) best = *cap;
  const char* environment = std::getenv("TERN_ISA");
  const auto named = environment ? parse_isa(environment) : std::nullopt;
  if (named && of_this_architecture(*named) && *named < best) best = *named;
  while (!runnable(best)) best = static_cast<Isa>(static_cast<int>(best) - 1);
  return best;
}

}  // namespace tern
