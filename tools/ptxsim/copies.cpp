// Bytes that are only moved. Without optimisation a compiler copies structures whole, with their padding and the members that nobody has set, and
// changes a bit field by reading the word around it: such reads of what nobody wrote are no mistake. What a copy carries stays unwritten where it
// arrives in local memory, so that a read that matters is still found; a word with a bit field counts as written with its first field.
// Next: global.cpp.
#include <algorithm>

#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr uint32_t kNobody = 0xffffffffu, kSeveral = 0xfffffffeu;

struct Registers {  // by entry of Program::dependence_pool; predicates are left out
  std::vector<std::vector<uint32_t>> readers;
  std::vector<uint32_t> writer;

  explicit Registers(const Program& code) : readers(code.register_bytes / 64 + 1), writer(readers.size(), kNobody) {
    for (uint32_t pc = 0; pc < code.dependences.size(); ++pc) {
      const Program::Dependence& dep = code.dependences[pc];
      for (uint32_t i = 0; i < dep.reads + dep.writes; ++i) {
        const uint32_t entry = code.dependence_pool[dep.first + i];
        if (entry >= readers.size()) continue;
        if (i < dep.reads) readers[entry].push_back(pc);
        else writer[entry] = writer[entry] == kNobody ? pc : kSeveral;
      }
    }
  }
};

bool is(const Program& code, uint32_t pc, std::string_view name) { return code.statements[pc]->op.substr(0, name.size()) == name; }

// The register is a value that `pc` stores, and no part of its address.
bool stores(const Program& code, uint32_t pc, uint32_t entry) {
  const Instruction& in = code.instructions[pc];
  if (in.run != store || (in.base_bytes != 0 && in.a / 64 == entry)) return false;
  return std::any_of(&code.pool[in.list], &code.pool[in.list] + in.count, [&](uint32_t r) { return r / 64 == entry; });
}
// All that becomes of the register: it is stored, perhaps after other bits were put in.
bool is_word_of_fields(const Program& code, const Registers& all, uint32_t entry, int steps) {
  const auto fits = [&](uint32_t pc) {
    if (stores(code, pc, entry)) return true;
    const bool merges = (steps == 2 && is(code, pc, "and.b")) || (steps == 1 && is(code, pc, "or.b"));
    return merges && code.dependences[pc].writes == 1 &&
           is_word_of_fields(code, all, code.dependence_pool[code.dependences[pc].first + code.dependences[pc].reads], steps - 1);
  };
  return !all.readers[entry].empty() && all.writer[entry] < kSeveral && std::all_of(all.readers[entry].begin(), all.readers[entry].end(), fits);
}

}  // namespace

void find_copies(Program& code) {
  if (code.local.size() == 0) return;
  const Registers all(code);
  for (uint32_t pc = 0; pc < code.instructions.size(); ++pc) {
    Instruction& in = code.instructions[pc];
    if (in.run != load || in.predicate != kTrue || (in.space != Space::local && in.space != Space::generic)) continue;
    in.copies = std::all_of(&code.pool[in.list], &code.pool[in.list] + in.count, [&](uint32_t r) { return is_word_of_fields(code, all, r / 64, 2); });
    for (uint32_t i = 0; in.copies && i < in.count; ++i) {
      const uint32_t entry = code.pool[in.list + i] / 64;
      const auto& readers = all.readers[entry];
      if (!std::all_of(readers.begin(), readers.end(), [&](uint32_t p) { return stores(code, p, entry); })) continue;
      code.carried.resize(all.readers.size());
      code.carried[entry] = 1;
      for (const uint32_t p : readers) code.instructions[p].copies = true;
    }
  }
}

bool carry(Warp& w, const Instruction& in, const Access& a, uint32_t lane, uint8_t* written) {
  const Program& code = *w.launch->code;
  bool whole = true;
  for (uint32_t i = 0; i < in.count; ++i) {
    const uint32_t at = code.pool[in.list + i];
    const bool carried = at / 64 < code.carried.size() && code.carried[at / 64] != 0;
    uint8_t* const held = carried ? w.carried.data() + at + lane * in.register_bytes : nullptr;
    uint8_t* const there = written == nullptr ? nullptr : written + i * in.bytes;
    if (a.purpose == Purpose::store) {
      if (there != nullptr && held != nullptr) std::copy_n(held, in.bytes, there);
      else if (there != nullptr) std::fill_n(there, in.bytes, 1);
      else if (held != nullptr) whole = whole && std::all_of(held, held + in.bytes, [](uint8_t b) { return b != 0; });
    } else if (held != nullptr) {
      if (there != nullptr) std::copy_n(there, in.bytes, held);
      else std::fill_n(held, in.bytes, 1);
    }
  }
  return whole;
}

}  // namespace ptxsim
