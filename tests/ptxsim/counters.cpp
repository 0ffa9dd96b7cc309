// What a launch counts, worked out by hand for one warp; and what the taint mode says.
#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_counters {
namespace {

// A warp that runs `body` with %r1 = its lane, %rd1 = 64 KiB of zeros in global memory, %r2 = 16 KiB of shared memory that is filled before.
LaunchResult warp(const std::string& body, bool taint = false) {
  Device d(
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 x)\n{\n"
      ".reg .pred %p<6>; .reg .b16 %rs<4>; .reg .b32 %r<20>; .reg .b64 %rd<20>; .reg .f32 %f<20>;\n.shared .align 16 .b8 t[16384];\n.local .align 8 "
      ".b8 depot[64];\n"
      "ld.param.u64 %rd1, [x]; mov.u32 %r1, %tid.x; mov.u32 %r2, t;\n" +
      body + "\nret;\n}\n");
  Options o;
  o.taint = taint;
  o.diagnose = false;
  const LaunchResult r = d.launch("k", {1}, {32}, Params().add(d.put(std::vector<uint32_t>(16384, 0))), o);
  for (const Finding& f : r.findings) FAIL_CHECK(f.to_text());
  return r;
}

std::string global(int scale, const std::string& type, int add = 0) {
  return "mul.lo.u32 %r3, %r1, " + std::to_string(scale) + "; cvt.u64.u32 %rd2, %r3; add.u64 %rd3, %rd1, %rd2; ld.global." + type + ", [%rd3+" +
         std::to_string(add) + "];";
}

int64_t sectors(int scale, const std::string& type, int add = 0) {
  const Counters c = warp(global(scale, type, add)).counters;
  CHECK(c.global_loads == 1);
  return c.global_load_sectors;
}

int64_t wavefronts(int scale, const std::string& type, const std::string& of = "%r1") {
  const Counters c =
      warp("mul.lo.u32 %r3, " + of + ", " + std::to_string(scale) + "; add.u32 %r4, %r2, %r3; ld.shared." + type + ", [%r4];").counters;
  CHECK(c.shared_requests == 1);
  return c.shared_wavefronts;
}

}  // namespace

TEST_CASE("counters: sectors of 32 bytes") {
  CHECK(sectors(4, "f32 %f1") == 4);
  CHECK(sectors(4, "f32 %f1", 4) == 5);  // it begins inside a sector
  CHECK(sectors(8, "f32 %f1") == 8);
  CHECK(sectors(32, "f32 %f1") == 32);
  CHECK(sectors(1024, "f32 %f1") == 32);
  CHECK(sectors(0, "f32 %f1") == 1);
  CHECK(sectors(16, "v4.f32 {%f1, %f2, %f3, %f4}") == 16);
  CHECK(sectors(1, "u8 %rs1") == 1);
  // one instruction, twice: the pattern of its lanes is the same, where it begins is not
  const Counters twice = warp(
                             "mul.wide.u32 %rd2, %r1, 12; add.u64 %rd3, %rd1, %rd2; mov.u32 %r5, 0;\n"
                             "L1: ld.global.f32 %f1, [%rd3]; add.u64 %rd3, %rd3, 28; add.u32 %r5, %r5, 1; setp.lt.u32 %p1, %r5, 2; @%p1 bra L1;")
                             .counters;
  CHECK(twice.global_load_sectors == 12 + 13);
  const Counters c =
      warp("setp.lt.u32 %p1, %r1, 8;\nmul.wide.u32 %rd2, %r1, 4; add.u64 %rd3, %rd1, %rd2; @%p1 st.global.f32 [%rd3], 0f00000000;").counters;
  CHECK(c.global_stores == 1);
  CHECK(c.global_store_sectors == 1);
  CHECK(c.global_store_bytes == 32);
}

TEST_CASE("counters: wavefronts of 32 banks") {
  CHECK(wavefronts(4, "f32 %f1") == 1);
  CHECK(wavefronts(0, "f32 %f1") == 1);  // one word for all
  CHECK(wavefronts(8, "f32 %f1") == 2);
  CHECK(wavefronts(16, "f32 %f1") == 4);
  CHECK(wavefronts(128, "f32 %f1") == 32);                    // down a column of 32 floats
  CHECK(wavefronts(132, "f32 %f1") == 1);                     // padded
  CHECK(wavefronts(8, "v2.f32 {%f1, %f2}") == 2);             // two half warps
  CHECK(wavefronts(16, "v4.f32 {%f1, %f2, %f3, %f4}") == 4);  // four quarters
  CHECK(wavefronts(32, "v4.f32 {%f1, %f2, %f3, %f4}") == 8);  // each quarter twice
  CHECK(wavefronts(2, "u16 %rs1") == 1);
}

TEST_CASE("counters: classes, divergence and barriers") {
  const LaunchResult r = warp(
      "mov.f32 %f1, 0f3F800000; fma.rn.f32 %f2, %f1, %f1, %f1; fma.rn.f32 %f2, %f2, %f1, %f1;\n"
      "setp.lt.u32 %p1, %r1, 8; @%p1 bra L1; add.f32 %f3, %f2, %f1; add.f32 %f3, %f3, %f1; add.f32 %f3, %f3, %f1;\nL1: bar.sync 0;");
  const Counters& c = r.counters;
  CHECK(c.by_class[size_t(InstructionClass::fma)] == 64);
  CHECK(c.by_class[size_t(InstructionClass::float_other)] == 72);
  CHECK(c.by_class[size_t(InstructionClass::barrier)] == 32);
  CHECK(c.branches == 1);
  CHECK(c.divergent_branches == 1);
  CHECK(c.barriers == 1);
  CHECK(c.instructions == 32 * c.warp_instructions - 3 * 8);
  CHECK(r.completed);
}

TEST_CASE("taint: data that only passes through is clean") {
  CHECK(warp(global(4, "f32 %f1") + "mul.f32 %f1, %f1, %f1; mul.wide.u32 %rd2, %r1, 4; add.u64 %rd3, %rd1, %rd2; st.global.f32 [%rd3], %f1;", true)
            .taint.clean());
  // an index that went through shared and local memory is no data
  CHECK(warp("shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3; st.shared.u32 [%r4], %r3; ld.shared.u32 %r5, [%r4]; mov.u64 %rd5, depot; st.local.u32 "
             "[%rd5], %r5; ld.local.u32 %r6, [%rd5];"
             "cvt.u64.u32 %rd6, %r6; add.u64 %rd7, %rd1, %rd6; ld.global.f32 %f1, [%rd7];",
             true)
            .taint.clean());
  CHECK(!warp("", false).taint.clean());  // not asked for
}

TEST_CASE("taint: addresses and decisions that depend on data") {
  TaintReport t =
      warp(global(4, "u32 %r5") + "and.b32 %r5, %r5, 255; mul.wide.u32 %rd5, %r5, 4; add.u64 %rd6, %rd1, %rd5; ld.global.f32 %f1, [%rd6];", true)
          .taint;
  CHECK(t.addresses.size() == 1);
  CHECK(t.decisions.empty());
  t = warp(global(4, "u32 %r5") + "setp.ne.u32 %p1, %r5, 0; @%p1 bra L1; mov.u32 %r6, 1;\nL1:", true).taint;
  CHECK(t.addresses.empty());
  CHECK(t.decisions.size() == 1);
  t = warp(global(4, "u32 %r5") + "setp.ne.u32 %p1, %r5, 0; @%p1 st.global.u32 [%rd1], 1;", true).taint;  // nobody stores: still a decision
  CHECK(t.decisions.size() == 1);
  t = warp(global(4, "u32 %r5") +
               "setp.ne.u32 %p1, %r5, 0; mov.u32 %r6, 4; @%p1 mov.u32 %r6, 8; cvt.u64.u32 %rd5, %r6; add.u64 %rd6, %rd1, %rd5; ld.global.f32 %f1, "
               "[%rd6];",
           true)
          .taint;
  CHECK(t.addresses.size() == 1);  // through the predicate of a move that nobody made
  t = warp(global(4, "u32 %r5") +
               "shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3; st.shared.u32 [%r4], %r5; ld.shared.u32 %r6, [%r2]; cvt.u64.u32 %rd5, %r6; add.u64 %rd6, "
               "%rd1, %rd5; ld.global.u8 %rs1, [%rd6];",
           true)
          .taint;
  CHECK(t.addresses.size() == 1);  // through shared memory
  t = warp(global(4, "u32 %r5") +
               "setp.eq.u32 %p2, %r1, 0; selp.u32 %r7, %r5, 0, %p2; shfl.sync.idx.b32 %r6, %r7, 0, 31, -1; and.b32 %r6, %r6, 255; cvt.u64.u32 %rd5, "
               "%r6; add.u64 %rd6, %rd1, %rd5; ld.global.u8 %rs1, [%rd6];",
           true)
          .taint;
  CHECK(t.addresses.size() == 1);  // through a shuffle
}

}  // namespace in_counters
