#include "tools/ptxsim/text.h"

#include <cstdio>

namespace ptxsim {

std::string hex(uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v));
  return text;
}

std::string triple(Dim3 d) { return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")"; }

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::race: return "race";
    case Kind::barrier: return "barrier";
    case Kind::uninitialised: return "uninitialised";
    case Kind::out_of_bounds: return "out of bounds";
    case Kind::misaligned: return "misaligned";
    case Kind::stale_async: return "stale cp.async";
    case Kind::absent_lanes: return "absent lanes";
    case Kind::inter_block: return "inter-block";
    case Kind::hang: return "hang";
    case Kind::assertion: return "assertion";
    case Kind::trap: return "trap";
  }
  return "?";
}

const char* name_of(InstructionClass c) {
  static constexpr const char* kNames[] = {"fma",    "other float", "integer", "conversion", "move",  "compare",
                                           "memory", "control",     "barrier", "warp",       "matrix"};
  return c < InstructionClass::count ? kNames[size_t(c)] : "?";
}

// FILE:12: race in kernel (PTX line 40), block (0,0,0), thread (3,0,0): what, and what to do
std::string Finding::to_text() const {
  std::string out = cu_line != 0 && !file.empty() ? file + ":" + std::to_string(cu_line) + ": " : "";
  out += std::string(name_of(kind)) + " in " + kernel + " (PTX line " + std::to_string(ptx_line) + "), block " + triple(block) + ", thread " +
         triple(thread) + ": " + text;
  if (times > 1) out += " [" + std::to_string(times) + " times]";
  return out;
}

std::string Counters::to_text() const {
  char line[256];
  std::string out;
  const auto add = [&](const char* format, auto... values) {
    std::snprintf(line, sizeof line, format, values...);
    out += line;
  };
  add("thread-instructions %lld, warp-instructions %lld, active lanes %.1f %%\n", static_cast<long long>(instructions),
      static_cast<long long>(warp_instructions), 100 * active_lane_ratio());
  for (size_t i = 0; i < size_t(InstructionClass::count); ++i) {
    if (by_class[i] != 0) add("  %-12s %5.1f %%\n", name_of(InstructionClass(i)), 100.0 * double(by_class[i]) / double(instructions));
  }
  const auto ratio = [](int64_t a, int64_t b) { return b == 0 ? 0.0 : double(a) / double(b); };
  add("global loads  %lld requests, %lld bytes, %.2f sectors a request\n", static_cast<long long>(global_loads),
      static_cast<long long>(global_load_bytes), ratio(global_load_sectors, global_loads));
  add("global stores %lld requests, %lld bytes, %.2f sectors a request\n", static_cast<long long>(global_stores),
      static_cast<long long>(global_store_bytes), ratio(global_store_sectors, global_stores));
  add("shared        %lld requests, %.2f modelled wavefronts a request\n", static_cast<long long>(shared_requests),
      ratio(shared_wavefronts, shared_requests));
  add("barriers %lld, branches %lld, of them divergent %lld\n", static_cast<long long>(barriers), static_cast<long long>(branches),
      static_cast<long long>(divergent_branches));
  return out;
}

std::string TaintReport::to_text() const {
  if (!ran) return "";
  if (clean()) return "no address and no decision depends on loaded data: what this run found holds for all inputs of this launch shape\n";
  std::string out;
  for (const auto* list : {&addresses, &decisions}) {
    for (const Place& p : *list) {
      out += (p.cu_line != 0 ? p.file + ":" + std::to_string(p.cu_line) + ": " : "") + std::string(list == &addresses ? "an address" : "a decision") +
             " depends on loaded data (PTX line " + std::to_string(p.ptx_line) + "): " + p.text + "\n";
    }
  }
  return out;
}

}  // namespace ptxsim
