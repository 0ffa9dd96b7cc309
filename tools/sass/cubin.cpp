// See sass.h.
#include <elf.h>

#include <algorithm>
#include <cstring>

#include "tools/sass/sass.h"

namespace sass {
namespace {

using tern::invalid;
using tern::Result;

struct Operation {
  uint16_t code;  // the low 9 bits
  const char* name;
};
constexpr Operation kOperations[] = {
    {0x002, "MOV"},  {0x008, "FSEL"}, {0x009, "FMNMX"},  {0x00b, "FSETP"}, {0x00c, "ISETP"}, {0x010, "IADD3"}, {0x011, "LEA"},  {0x012, "LOP3"},
    {0x016, "PRMT"}, {0x019, "SHF"},  {0x020, "FMUL"},   {0x021, "FADD"},  {0x023, "FFMA"},  {0x024, "IMAD"},  {0x025, "IMAD"}, {0x027, "IMAD"},
    {0x028, "DMUL"}, {0x029, "DADD"}, {0x02b, "DFMA"},   {0x031, "HFMA2"}, {0x037, "IMMA"},  {0x03b, "LDSM"},  {0x03c, "HMMA"}, {0x108, "MUFU"},
    {0x11d, "BAR"},  {0x147, "BRA"},  {0x14d, "EXIT"},   {0x181, "LDG"},   {0x183, "LDL"},   {0x184, "LDS"},   {0x186, "STG"},  {0x187, "STL"},
    {0x188, "STS"},  {0x189, "SHFL"}, {0x1ae, "LDGSTS"}, {0x118, "NOP"},
};

template <class T>
bool read_at(std::span<const std::byte> file, uint64_t at, T& to) {
  if (at > file.size() || file.size() - at < sizeof(T)) return false;
  std::memcpy(&to, file.data() + at, sizeof(T));
  return true;
}

// A word of a section's text; "" beyond it.
std::string_view text_at(std::span<const std::byte> table, uint64_t at) {
  if (at >= table.size()) return {};
  const char* begin = reinterpret_cast<const char*>(table.data()) + at;
  return {begin, strnlen(begin, table.size() - at)};
}

void count_code(std::span<const std::byte> code, KernelCode& k) {
  std::vector<uint8_t> is_ffma;
  for (uint64_t at = 0; at + 16 <= code.size(); at += 16) {
    uint64_t first = 0, second = 0;
    read_at(code, at, first);
    read_at(code, at + 8, second);
    const char* name = operation(first);
    const std::string what = name == nullptr ? "other" : name;
    if (what == "NOP") continue;
    ++k.instructions;
    ++k.counts[what];
    const bool memory = what == "LDG" || what == "LDS" || what == "STG" || what == "STS";
    const uint64_t width = second >> 9 & 7;
    if (memory && width == 6) ++k.counts[what + ".128"];
    if (memory && width == 5) ++k.counts[what + ".64"];
    is_ffma.push_back(what == "FFMA");
  }
  const auto window = std::min<size_t>(kWindow, is_ffma.size());
  int64_t inside = 0, most = 0;
  for (size_t i = 0; i < is_ffma.size(); ++i) {
    inside += is_ffma[i];
    if (i >= window) inside -= is_ffma[i - window];
    most = std::max(most, inside);
  }
  k.ffma_share = window == 0 ? 0 : static_cast<double>(most) / static_cast<double>(window);
}

// Records of .nv.info: a form, an attribute, 16 bits of a value or of a size. Calls f(attribute, payload).
template <class F>
void each_info(std::span<const std::byte> info, F f) {
  for (size_t at = 0; at + 4 <= info.size();) {
    const auto form = static_cast<uint8_t>(info[at]), attribute = static_cast<uint8_t>(info[at + 1]);
    uint16_t value = 0;
    read_at(info, at + 2, value);
    at += 4;
    if (form != 4) continue;
    if (info.size() - at < value) return;
    f(attribute, info.subspan(at, value));
    at += value;
  }
}
constexpr uint8_t kMaxThreads = 0x05, kFrameSize = 0x11, kRegisters = 0x2f;

}  // namespace

const char* operation(uint64_t first_word) {
  for (const Operation& o : kOperations) {
    if (o.code == (first_word & 0x1ff)) return o.name;
  }
  return nullptr;
}

int64_t KernelCode::count(const std::string& of) const {
  const auto at = counts.find(of);
  return at == counts.end() ? 0 : at->second;
}

Result<Cubin> read_cubin(std::span<const std::byte> file) {
  Elf64_Ehdr header;
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_machine != EM_CUDA) return invalid("not a cubin");
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  for (size_t i = 0; i < sections.size(); ++i) {
    if (!read_at(file, header.e_shoff + i * sizeof(Elf64_Shdr), sections[i])) return invalid("the cubin's table of sections is cut off");
  }
  auto bytes = [&](const Elf64_Shdr& s) -> std::span<const std::byte> {
    if (s.sh_type == SHT_NOBITS || s.sh_offset > file.size() || file.size() - s.sh_offset < s.sh_size) return {};
    return file.subspan(s.sh_offset, s.sh_size);
  };
  if (header.e_shstrndx >= sections.size()) return invalid("the cubin has no names");
  const auto names = bytes(sections[header.e_shstrndx]);

  Cubin cubin;
  cubin.sm = static_cast<int>(header.e_flags >> 8 & 0xff);
  std::map<std::string, KernelCode, std::less<>> kernels;
  auto kernel = [&](std::string_view name, std::string_view prefix) -> KernelCode* {
    if (!name.starts_with(prefix)) return nullptr;
    const auto at = kernels.find(name.substr(prefix.size()));
    return at == kernels.end() ? nullptr : &at->second;
  };
  std::vector<std::string> symbols;  // names, by index
  for (const Elf64_Shdr& s : sections) {
    const std::string_view name = text_at(names, s.sh_name);
    if (name.starts_with(".text.")) count_code(bytes(s), kernels[std::string(name.substr(6))]);
    if (s.sh_type != SHT_SYMTAB || s.sh_link >= sections.size()) continue;
    const auto table = bytes(s), text = bytes(sections[s.sh_link]);
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      read_at(table, at, symbol);
      symbols.emplace_back(text_at(text, symbol.st_name));
    }
  }
  for (const Elf64_Shdr& s : sections) {
    const std::string_view name = text_at(names, s.sh_name);
    if (KernelCode* k = kernel(name, ".nv.shared.")) k->shared_bytes = static_cast<int64_t>(s.sh_size);
    if (KernelCode* k = kernel(name, ".nv.info.")) {
      each_info(bytes(s), [&](uint8_t attribute, std::span<const std::byte> payload) {
        uint32_t threads = 0;
        if (attribute == kMaxThreads && read_at(payload, 0, threads)) k->max_threads = static_cast<int>(threads);
      });
    }
    if (name != ".nv.info") continue;
    each_info(bytes(s), [&](uint8_t attribute, std::span<const std::byte> payload) {
      uint32_t symbol = 0, value = 0;
      if (!read_at(payload, 0, symbol) || !read_at(payload, 4, value) || symbol >= symbols.size()) return;
      KernelCode* k = kernel(symbols[symbol], "");
      if (k == nullptr) return;
      if (attribute == kRegisters) k->registers = static_cast<int>(value);
      if (attribute == kFrameSize) k->stack_bytes = value;
    });
  }
  for (auto& [name, k] : kernels) {
    k.name = name;
    cubin.kernels.push_back(std::move(k));
  }
  return cubin;
}

double occupancy(int sm, const KernelCode& k, int threads, int64_t dynamic_shared) {
  struct Card {
    int sm, threads, blocks, registers;
    int64_t shared;
  };
  // "Technical Specifications per Compute Capability" of the CUDA C++ programming guide.
  constexpr Card kCards[] = {
      {75, 1024, 16, 65536, 65536}, {80, 2048, 32, 65536, 167936}, {90, 2048, 32, 65536, 233472}, {120, 1536, 24, 65536, 102400}};
  for (const Card& c : kCards) {
    if (c.sm != sm || threads <= 0) continue;
    const int warps = (threads + 31) / 32;
    const int registers_of_warp = (k.registers * 32 + 255) / 256 * 256;
    int blocks = std::min(c.blocks, c.threads / (warps * 32));
    if (registers_of_warp > 0) blocks = std::min(blocks, c.registers / registers_of_warp / warps);
    const int64_t reserved = sm == 80 ? 1024 : 0;  // of every block, by the system; newer cubins count it in
    const int64_t shared = (k.shared_bytes + dynamic_shared + reserved + 127) / 128 * 128;
    if (shared > 0) blocks = static_cast<int>(std::min<int64_t>(blocks, c.shared / shared));
    return static_cast<double>(blocks * warps) / (c.threads / 32);
  }
  return 0;
}

}  // namespace sass
