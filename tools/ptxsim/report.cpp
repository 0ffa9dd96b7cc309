// Findings: one a kind and line, repetitions counted. And what a launch adds up to.
#include "tools/ptxsim/taint.h"
#include "tools/ptxsim/text.h"
#include "tools/ptxsim/warp.h"

namespace ptxsim {

void Launch::report(Kind kind, const Warp& w, uint32_t lane, std::string text) {
  report_at(kind, w.pc, w.block->id, thread_of(w, lane), std::move(text));
}

void Launch::report_at(Kind kind, uint32_t pc, Dim3 block, Dim3 thread, std::string text) {
  constexpr size_t kKinds = size_t(Kind::trap) + 1;
  if (finding_at.empty()) finding_at.assign(code->instructions.size() * kKinds, 0);
  uint32_t& known = finding_at[pc * kKinds + size_t(kind)];
  if (known != 0) {
    if (known <= result.findings.size()) ++result.findings[known - 1].times;
    return;
  }
  const Statement& s = *code->statements[pc];
  const SourcePlace place = place_of(*code->module, s);
  for (size_t i = 0; i < result.findings.size(); ++i) {  // an unrolled loop has one line at many places
    Finding& f = result.findings[i];
    if (f.kind != kind || place.line == 0 || f.cu_line != place.line || f.file != place.file) continue;
    ++f.times;
    known = uint32_t(i + 1);
    return;
  }
  if (result.findings.size() >= size_t(std::max(1, options.max_findings))) {
    known = ~0u;
    return;
  }
  Finding f;
  f.kind = kind;
  f.kernel = code->info.name;
  f.file = place.file;
  f.ptx_line = s.line;
  f.cu_line = place.line;
  f.block = block;
  f.thread = thread;
  f.text = std::move(text);
  result.findings.push_back(std::move(f));
  known = uint32_t(result.findings.size());
}

void finish(Launch& launch) {
  Counters& c = launch.result.counters;
  for (size_t pc = 0; pc < launch.executed_lanes.size(); ++pc) {
    c.instructions += launch.executed_lanes[pc];
    c.warp_instructions += launch.executed_warps[pc];
    c.by_class[size_t(launch.code->classes[pc])] += launch.executed_lanes[pc];
  }
  launch.result.taint.ran = launch.options.taint;
}

}  // namespace ptxsim
