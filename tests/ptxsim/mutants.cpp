// Seeded bugs (cuda/mutants.cu): each is reported with its kind, at its line of the .cu file, in every schedule; without the bug there is no finding.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_mutants {
namespace {

std::vector<float> ramp(size_t n) {
  std::vector<float> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = float(i % 97) * 0.5f;
  return v;
}

// Lines of the source by the mutant that is found there.
std::map<int, std::set<int>> expected_lines() {
  std::map<int, std::set<int>> lines;
  std::istringstream source(read_file(std::string(PTXSIM_SOURCES) + "/mutants.cu"));
  std::string line;
  for (int number = 1; std::getline(source, line); ++number) {
    const size_t at = line.find("// finds ");
    if (at == std::string::npos) continue;
    std::istringstream list(line.substr(at + 9));
    for (int mutant = 0; list >> mutant;) lines[mutant].insert(number);
  }
  return lines;
}

// Launches kernel<mutant> in every schedule. Mutant 0: no finding. Else: one of the kind, and every one on a line of the mutant.
template <class Setup>
void hunt(const char* kernel, int mutant, Kind kind, Setup setup) {
  const std::string ptx = compiled("mutants", 80);
  if (ptx.empty()) {
    MESSAGE("skipped: no nvcc");
    return;
  }
  static const std::map<int, std::set<int>> lines = expected_lines();
  for (Options options : schedules()) {
    CAPTURE(kernel);
    CAPTURE(mutant);
    CAPTURE(int(options.order));
    CAPTURE(int(options.async));
    options.max_instructions = 1'000'000;
    Device d(ptx);
    Dim3 grid, block;
    Params params;
    uint32_t shared = 0;
    setup(d, grid, block, params, shared);
    const int compiled_as = mutant == 26 ? 0 : mutant;
    const LaunchResult r = d.launch(d.named(std::string(kernel) + "ILi" + std::to_string(compiled_as) + "E"), grid, block, params, options, shared);
    if (mutant == 0) {
      for (const Finding& f : r.findings) FAIL_CHECK(f.to_text());
      CHECK(r.completed);
      continue;
    }
    bool found = false;
    for (const Finding& f : r.findings) {
      INFO(f.to_text());
      found = found || f.kind == kind;
      CHECK((f.kind == kind || f.kind == Kind::uninitialised));  // read before another warp has written: both are true
      CHECK(f.file.ends_with("mutants.cu"));
      CHECK(lines.at(mutant).count(f.cu_line) == 1);
    }
    CHECK(found);
  }
}

}  // namespace

TEST_CASE("mutants: a missing barrier, before and after, and a buffer that is half written") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {128};
    p.add(d.put(ramp(512))).add(d.room<float>(512)).add(4);
  };
  hunt("rotate", 0, Kind::race, setup);
  hunt("rotate", 1, Kind::race, setup);
  hunt("rotate", 2, Kind::race, setup);
  hunt("rotate", 3, Kind::uninitialised, setup);
}

TEST_CASE("mutants: a shuffle of half a warp, and of lanes that have left") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {64};
    p.add(d.put(ramp(64))).add(d.room<float>(64));
  };
  hunt("pairs", 0, Kind::absent_lanes, setup);
  hunt("pairs", 4, Kind::absent_lanes, setup);
}

TEST_CASE("mutants: bounds of shared and global memory, and barriers that not all come to") {
  const auto setup = [](Device& d, Dim3& grid, Dim3& block, Params& p, uint32_t&) {
    grid = {2}, block = {128};
    p.add(d.put(ramp(200))).add(d.room<float>(200)).add(200);
  };
  hunt("shift", 0, Kind::race, setup);
  hunt("shift", 6, Kind::barrier, setup);
  hunt("shift", 7, Kind::out_of_bounds, setup);
  hunt("shift", 12, Kind::barrier, setup);
}

TEST_CASE("mutants: one element past a shared array, whose first one nobody writes") {
  const std::string ptx = compiled("mutants", 80);
  if (ptx.empty()) return;
  for (const Options& options : schedules()) {
    Device d(ptx);
    Params p;
    p.add(d.put(ramp(200))).add(d.room<float>(200)).add(200);
    const LaunchResult r = d.launch(d.named("shiftILi5E"), {2}, {128}, p, options);
    REQUIRE(r.findings.size() == 2);
    CHECK(r.findings[0].kind == Kind::out_of_bounds);
    CHECK(expected_lines().at(5).count(r.findings[0].cu_line) == 1);
    CHECK(r.findings[0].thread.x == 127);
    CHECK(r.findings[1].kind == Kind::uninitialised);
  }
}

TEST_CASE("mutants: a tiled product without its last barrier") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {16, 16};
    p.add(d.put(ramp(16 * 64))).add(d.put(ramp(16 * 64))).add(d.room<float>(256)).add(64);
  };
  hunt("tiled", 0, Kind::race, setup);
  hunt("tiled", 8, Kind::race, setup);
}

TEST_CASE("mutants: cp.async not waited for, without barriers, and with its source overwritten") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {128};
    p.add(d.put(ramp(512 * 6))).add(d.room<float>(128)).add(6);
  };
  hunt("stream", 0, Kind::race, setup);
  for (const int mutant : {9, 10, 21, 24}) hunt("stream", mutant, Kind::stale_async, setup);
}

TEST_CASE("mutants: lanes of a warp without __syncwarp, and an atomic beside a plain read") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {64};
    p.add(d.put(std::vector<int>(64, 3))).add(d.room<int>(65));
  };
  hunt("neighbours", 0, Kind::race, setup);
  hunt("neighbours", 11, Kind::race, setup);
  hunt("neighbours", 27, Kind::race, setup);
}

TEST_CASE("mutants: misaligned, fresh memory, and local arrays") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {32};
    std::vector<int> index(32);
    for (int i = 0; i < 32; ++i) index[size_t(i)] = i;
    p.add(d.put(ramp(256))).add(d.room<float>(32)).add(d.room<float>(32)).add(d.put(index));
  };
  hunt("wide", 0, Kind::misaligned, setup);
  hunt("wide", 13, Kind::misaligned, setup);
  hunt("wide", 14, Kind::uninitialised, setup);
  hunt("wide", 15, Kind::uninitialised, setup);
  hunt("wide", 25, Kind::out_of_bounds, setup);
}

TEST_CASE("mutants: blocks that meet at one word") {
  const auto setup = [](Device& d, Dim3& grid, Dim3& block, Params& p, uint32_t&) {
    grid = {4}, block = {32};
    p.add(d.put(ramp(8))).add(d.put(ramp(32))).add(d.room<float>(1));
  };
  hunt("blocks", 0, Kind::inter_block, setup);
  hunt("blocks", 16, Kind::inter_block, setup);
  hunt("blocks", 17, Kind::inter_block, setup);
  hunt("blocks", 29, Kind::inter_block, setup);
}

TEST_CASE("mutants: blocks that stay, and write before all have read") {
  const auto setup = [](Device& d, Dim3& grid, Dim3& block, Params& p, uint32_t&) {
    grid = {4}, block = {32};
    p.add(d.put(std::vector<float>(128, 0.001f))).add(3);
  };
  hunt("stay", 0, Kind::inter_block, setup);
  hunt("stay", 31, Kind::inter_block, setup);
}

TEST_CASE("mutants: threads of a block that hand over through global memory") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {128};
    p.add(d.put(ramp(128))).add(d.room<float>(128)).add(3);
  };
  hunt("handed", 0, Kind::race, setup);
  for (const int mutant : {32, 33, 34}) hunt("handed", mutant, Kind::race, setup);
}

TEST_CASE("mutants: no end, assertions, traps, two threads that write one word") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {64};
    std::vector<int> x(64);
    for (int i = 0; i < 64; ++i) x[size_t(i)] = i;
    p.add(d.put(x)).add(d.room<int>(64));
  };
  hunt("endings", 0, Kind::hang, setup);
  hunt("endings", 18, Kind::hang, setup);
  hunt("endings", 19, Kind::assertion, setup);
  hunt("endings", 20, Kind::trap, setup);
  hunt("endings", 22, Kind::absent_lanes, setup);
  hunt("endings", 23, Kind::race, setup);
}

TEST_CASE("mutants: a barrier between two warps, which one does not come to, or too early") {
  const auto setup = [](Device& d, Dim3&, Dim3& block, Params& p, uint32_t&) {
    block = {64};
    p.add(d.put(std::vector<int>(32, 5))).add(d.room<int>(32));
  };
  hunt("handover", 0, Kind::race, setup);
  hunt("handover", 30, Kind::race, setup);
  const std::string ptx = compiled("mutants", 80);
  if (ptx.empty()) return;
  for (const Options& options : schedules()) {  // the barrier is reported, and then also the race
    Device d(ptx);
    Params p;
    p.add(d.put(std::vector<int>(32, 5))).add(d.room<int>(32));
    const LaunchResult r = d.launch(d.named("handoverILi28E"), {1}, {64}, p, options);
    REQUIRE(r.findings.size() >= 1);
    CHECK(std::count_if(r.findings.begin(), r.findings.end(),
                        [](const Finding& f) { return f.kind == Kind::barrier && expected_lines().at(28).count(f.cu_line) == 1; }) == 1);
  }
}

TEST_CASE("mutants: too little dynamic shared memory") {
  const auto setup = [](uint32_t bytes) {
    return [bytes](Device& d, Dim3&, Dim3& block, Params& p, uint32_t& shared) {
      block = {128};
      p.add(d.put(ramp(128))).add(d.room<float>(128));
      shared = bytes;
    };
  };
  hunt("dynamic", 0, Kind::race, setup(512));
  const std::string ptx = compiled("mutants", 80);
  if (ptx.empty()) return;
  Device d(ptx);
  Params p;
  p.add(d.put(ramp(128))).add(d.room<float>(128));
  const LaunchResult r = d.launch(d.named("dynamicILi0E"), {1}, {128}, p, {}, 508);
  REQUIRE(!r.findings.empty());
  CHECK(r.findings[0].kind == Kind::out_of_bounds);
  CHECK(expected_lines().at(26).count(r.findings[0].cu_line) == 1);
}

}  // namespace in_mutants
