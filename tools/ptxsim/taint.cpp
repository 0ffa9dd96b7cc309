#include "tools/ptxsim/taint.h"

#include "tools/ptxsim/handlers.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {
namespace {

constexpr size_t kMostPlaces = 64;

uint32_t& mask_of(Warp& w, uint32_t entry) { return w.taint[entry >= 0xc0000000u ? w.taint_predicates + ~entry : entry]; }

std::vector<uint8_t>& bytes_of(Warp& w, Space space) { return space == Space::shared ? w.block->shared_taint : w.local_taint; }

// A place is told once.
void note(Warp& w, std::vector<TaintReport::Place>& list) {
  const Statement& s = *w.launch->code->statements[w.pc];
  for (const TaintReport::Place& p : list) {
    if (p.ptx_line == s.line) return;
  }
  if (list.size() >= kMostPlaces) return;
  const SourcePlace place = place_of(*w.launch->code->module, s);
  list.push_back({s.line, place.line, place.file, std::string(s.text)});
}

bool accesses(const Instruction& in) { return in.bytes != 0 && in.touches; }

// The lanes' bytes in shared or local memory, for f(lane, first byte, bytes).
template <class F>
void each_place(Warp& w, const Instruction& in, uint32_t lanes, F f) {
  uint64_t address[kLanes];
  addresses_of(w, in, in.a, in.base_bytes, in.imm, address);
  const uint64_t bytes = uint64_t(in.bytes) * in.count;
  for (; lanes != 0; lanes &= lanes - 1) {
    const uint32_t l = uint32_t(__builtin_ctz(lanes));
    uint64_t at = address[l];
    Space space = in.space;
    if (space == Space::generic) {
      if (at - kSharedWindow < kWindowBytes) space = Space::shared, at -= kSharedWindow;
      else if (at - kLocalWindow < kWindowBytes) space = Space::local, at -= kLocalWindow;
      else if (at - kParamWindow < kWindowBytes) space = Space::param;
    }
    if (space == Space::local) at += uint64_t(l) * w.launch->code->local.size();
    if (space == Space::shared || space == Space::local) {
      const size_t size = bytes_of(w, space).size();
      if (at >= size || size - at < bytes) continue;  // out of bounds, and reported as such
    }
    f(l, space, size_t(at), size_t(bytes));
  }
}

}  // namespace

void before(Warp& w, const Instruction& in, uint32_t active, uint32_t lanes) {
  TaintReport& report = w.launch->result.taint;
  // Who takes part: also when a predicate leaves nobody.
  const bool matters = in.flow != Flow::plain || in.touches;
  if (in.predicate != kTrue && matters && (w.taint[w.taint_predicates + in.predicate] & active) != 0) note(w, report.decisions);
  if (in.predicate != kTrue && in.flow == Flow::plain) {  // what stays as it was depends on the predicate too
    const uint32_t undecided = w.taint[w.taint_predicates + in.predicate] & active;
    const Program::Dependence& dep = w.launch->code->dependences[w.pc];
    for (uint32_t i = 0; i < dep.writes; ++i) mask_of(w, w.launch->code->dependence_pool[dep.first + dep.reads + i]) |= undecided;
  }
  if (lanes == 0) return;
  if (in.flow == Flow::table && (w.taint[in.a / 64] & lanes) != 0) note(w, report.decisions);
  if (accesses(in)) {
    if (in.base_bytes != 0 && (w.taint[in.a / 64] & lanes) != 0) note(w, report.addresses);
    if (in.source_register && (w.taint[in.b / 64] & lanes) != 0) note(w, report.addresses);
  }
}

void after(Warp& w, const Instruction& in, uint32_t lanes) {
  const Program& code = *w.launch->code;
  const Program::Dependence& dep = code.dependences[w.pc];
  const uint32_t* entry = code.dependence_pool.data() + dep.first;
  uint32_t taint = 0;
  for (uint32_t i = 0; i < dep.reads; ++i) taint |= mask_of(w, entry[i]);
  if (in.flow == Flow::collective && (taint & lanes) != 0) taint = kAllLanes;
  if (in.flow == Flow::barrier) taint = kAllLanes;  // bar.red: of all threads
  if (in.run == mbarrier) {
    taint = 0;
  } else if (in.run == load_fragment) {
    taint = kAllLanes;
  } else if (in.run == store_fragment) {
    std::fill(w.block->shared_taint.begin(), w.block->shared_taint.end(), 1);
  } else if (accesses(in)) {
    if (in.source_register) {  // cp.async: what comes from global memory
      each_place(w, in, lanes, [&](uint32_t, Space space, size_t at, size_t bytes) {
        if (space == Space::shared) std::memset(w.block->shared_taint.data() + at, 1, bytes);
      });
      return;
    }
    uint32_t loaded = 0;
    each_place(w, in, lanes, [&](uint32_t l, Space space, size_t at, size_t bytes) {
      if (space == Space::param) return;
      if (space != Space::shared && space != Space::local) {
        loaded |= 1u << l;
        return;
      }
      std::vector<uint8_t>& memory = bytes_of(w, space);
      if (in.run == store || in.run == store_matrix) std::memset(memory.data() + at, (taint >> l & 1) != 0, bytes);
      if (in.run == atomic && (taint >> l & 1) != 0) std::memset(memory.data() + at, 1, bytes);
      for (size_t i = 0; dep.writes != 0 && i < bytes; ++i) loaded |= uint32_t(memory[at + i] != 0) << l;
    });
    // An atomic's old value, and what a volatile read finds, depend on the order of threads.
    taint = dep.writes == 0 ? taint : in.strong ? kAllLanes : loaded;
    if (in.flow == Flow::collective && taint != 0) taint = kAllLanes;
  }
  for (uint32_t i = 0; i < dep.writes; ++i) {
    uint32_t& mask = mask_of(w, entry[dep.reads + i]);
    mask = (mask & ~lanes) | (taint & lanes);
  }
}

}  // namespace ptxsim
