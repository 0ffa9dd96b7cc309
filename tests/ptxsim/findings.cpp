// What is found where one end of a mistake is all there is to see; on PTX written by hand, so also where there is no nvcc.
#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_findings {
namespace {

const std::string kHead =
    ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 x)\n{\n.reg .pred %p<6>; .reg .b32 %r<20>; .reg .b64 %rd<10>; .reg "
    ".f32 %f<6>;\n"
    ".shared .align 16 .b8 t[260];\nld.param.u64 %rd1, [x]; mov.u32 %r1, %tid.x; mov.u32 %r2, t; shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3; "
    "cvt.u64.u32 %rd2, %r3; add.u64 %rd3, %rd1, %rd2;\n";

// The findings of a block (or more) that runs `body`; %r4 is the thread's word of shared memory, %rd3 of 4096 zeros in global memory.
std::vector<Finding> found(const std::string& body, uint32_t threads, uint32_t blocks = 1, const Options& options = {}) {
  Device d(kHead + body + "\nret;\n}\n");
  const uint64_t x = d.put(std::vector<uint8_t>(4096, 0));
  return d.launch("k", {blocks}, {threads}, Params().add(x), options).findings;
}

// In each order of warps, exactly one finding, of this kind.
void only(Kind kind, const std::string& body, uint32_t threads, uint32_t blocks = 1) {
  for (const Options& o : schedules()) {
    const std::vector<Finding> f = found(body, threads, blocks, o);
    CAPTURE(body);
    CAPTURE(int(o.order));
    for (const Finding& one : f) INFO(one.to_text());
    REQUIRE(f.size() == 1);
    CHECK(std::string(name_of(f[0].kind)) == name_of(kind));
  }
}

}  // namespace

TEST_CASE("findings: a read, then another warp's write, and nothing after") {
  const std::string fill = "st.shared.u32 [%r4], %r1; bar.sync 0; setp.lt.u32 %p1, %r1, 32; ";
  only(Kind::race, fill + "@%p1 ld.shared.u32 %r5, [%r2]; @!%p1 st.shared.u32 [%r2], 7;", 33);
  // one place for all lanes, and lanes of one warp
  only(Kind::race, fill + "ld.shared.u32 %r5, [%r2]; setp.eq.u32 %p2, %r1, 9; @%p2 st.shared.u32 [%r2], 7;", 32);
  CHECK(found(fill + "ld.shared.u32 %r5, [%r2]; bar.warp.sync -1; setp.eq.u32 %p2, %r1, 9; @%p2 st.shared.u32 [%r2], 7;", 32).empty());
  // an atomic after a plain read
  only(Kind::race, fill + "@%p1 ld.shared.u32 %r5, [%r2]; @!%p1 red.shared.add.u32 [%r2], 7;", 33);
}

TEST_CASE("findings: the same in global memory") {
  const std::string who = "setp.lt.u32 %p1, %r1, 32; ";
  only(Kind::race, who + "@%p1 ld.global.u32 %r5, [%rd1]; @!%p1 st.global.u32 [%rd1], 7;", 33);
  only(Kind::race, who + "@!%p1 st.global.u32 [%rd1], 7; @%p1 ld.global.u32 %r5, [%rd1];", 33);
  only(Kind::race, "st.global.u32 [%rd1], 7;", 2);
  CHECK(found(who + "@%p1 ld.global.u32 %r5, [%rd1]; bar.sync 0; @!%p1 st.global.u32 [%rd1], 7;", 33).empty());
}

TEST_CASE("findings: a barrier of some warps orders those alone") {
  const std::string body =
      "shr.u32 %r6, %r1, 5; setp.eq.u32 %p1, %r6, 0; setp.eq.u32 %p2, %r6, 1; setp.eq.u32 %p3, %r6, 2; setp.le.u32 %p4, %r6, 1;\n"
      "@%p1 st.shared.u32 [%r4], 5;\n@!%p4 bra third;\nbar.sync 1, 64;\n@%p2 ld.shared.u32 %r5, [%r4+-128];\nbra done;\nthird: ";
  CHECK(found(body + "add.u32 %r7, %r7, 1;\ndone:", 96).empty());
  const std::vector<Finding> f = found(body + "ld.shared.u32 %r5, [%r4+-256];\ndone:", 96);
  REQUIRE(f.size() == 1);
  CHECK(f[0].kind == Kind::race);
  CHECK(f[0].thread.x >= 64);
}

TEST_CASE("findings: the last bytes of an access, and memory that was freed") {
  only(Kind::out_of_bounds, "st.shared.v2.u32 [t+256], {%r1, %r1};", 1);
  only(Kind::out_of_bounds, "{ .shared .align 16 .b8 u[16]; st.shared.u32 [t], %r1; st.shared.u32 [u], %r1; st.shared.v2.u32 [t+256], {%r1, %r1}; }",
       1);  // into the gap
  CHECK(found("st.shared.u32 [t+256], %r1;", 1).empty());
  only(Kind::out_of_bounds, "ld.global.u32 %r5, [%rd1+4096];", 1);
  only(Kind::out_of_bounds, "ld.global.u32 %r5, [%rd1+-4];", 1);
  only(Kind::out_of_bounds, "st.global.u32 [0], %r1;", 1);
  only(Kind::misaligned, "ld.global.u32 %r5, [%rd1+2];", 1);
  only(Kind::misaligned, "ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1+8];", 1);
  Device d(kHead + "ld.global.u32 %r5, [%rd1];\nret;\n}\n");
  const uint64_t x = d.put(std::vector<uint32_t>(4, 0));
  d.clean("k", {1}, {1}, Params().add(x));
  d.machine().free(x);
  const LaunchResult r = d.launch("k", {1}, {1}, Params().add(x));
  REQUIRE(r.findings.size() == 1);
  CHECK(r.findings[0].text.find("freed memory of 16 bytes") != std::string::npos);
}

TEST_CASE("findings: one byte of four that nobody wrote") {
  Device d(kHead + "ld.global.u32 %r5, [%rd1];\nret;\n}\n");
  const uint64_t x = d.room<uint32_t>(2);
  const uint8_t three[3] = {1, 2, 3};
  CHECK(d.machine().write(x, three, 3).ok());
  LaunchResult r = d.launch("k", {1}, {1}, Params().add(x));
  REQUIRE(r.findings.size() == 1);
  CHECK(r.findings[0].kind == Kind::uninitialised);
  CHECK(d.machine().write(x + 3, three, 1).ok());
  d.clean("k", {1}, {1}, Params().add(x));
  CHECK(d.machine().forget(x, 1).ok());
  r = d.launch("k", {1}, {1}, Params().add(x));
  CHECK(r.findings.size() == 1);
}

TEST_CASE("findings: lanes and warps that left before a barrier of the block") {
  only(Kind::barrier, "setp.eq.u32 %p1, %r1, 5; @%p1 exit; bar.sync 0;", 64);
  only(Kind::barrier, "setp.lt.u32 %p1, %r1, 32; @%p1 exit; bar.sync 0;", 64);
  CHECK(found("setp.lt.u32 %p1, %r1, 32; @%p1 bar.sync 0; @!%p1 bar.sync 1;", 64).size() == 2);  // each waits where the other is not
  only(Kind::barrier, "bar.sync 0, 33;", 64);
  only(Kind::absent_lanes, "mov.u32 %r5, 1; bar.warp.sync %r5;", 2);  // lane 1 is not named
}

TEST_CASE("findings: what is only copied need not be written, and stays unwritten where it arrives") {
  const std::string half = "{ .local .align 8 .b8 a[16]; .local .align 8 .b8 b[16]; st.local.u32 [a], 1; ";  // a structure's first member
  const std::string copy = "ld.local.u64 %rd4, [a]; st.local.u64 [b], %rd4; ld.local.v2.u32 {%r5, %r6}, [b]; st.local.v2.u32 [b+8], {%r5, %r6}; ";
  CHECK(found(half + copy + "ld.local.u32 %r7, [b+8]; add.u32 %r8, %r7, 1; }", 33).empty());
  only(Kind::uninitialised, half + copy + "ld.local.u32 %r7, [b+12]; add.u32 %r8, %r7, 1; }", 33);
  // the same copy with numbers where it takes them from; and to memory that others read
  only(Kind::uninitialised, half + "ld.local.u64 %rd4, [a]; st.local.u64 [b], %rd4; add.u64 %rd5, %rd4, 1; }", 1);
  only(Kind::uninitialised, half + "ld.local.u64 %rd4, [a]; st.global.u64 [%rd1], %rd4; }", 1);
  // a call's structure by value
  const std::string call = "{ .param .b64 p; ld.local.u64 %rd4, [a]; st.param.b64 [p], %rd4; ld.param.b64 %rd5, [p]; st.local.b64 [b], %rd5; } ";
  CHECK(found(half + call + "ld.local.u32 %r7, [b]; add.u32 %r8, %r7, 1; }", 1).empty());
  only(Kind::uninitialised, half + call + "ld.local.u32 %r7, [b+4]; add.u32 %r8, %r7, 1; }", 1);
  // a bit field is put into its word; one that is taken out must be there
  CHECK(found("{ .local .align 4 .b8 a[8]; ld.local.u32 %r5, [a]; and.b32 %r6, %r5, -8; or.b32 %r7, %r6, 3; st.local.u32 [a], %r7; }", 1).empty());
  only(Kind::uninitialised, "{ .local .align 4 .b8 a[8]; ld.local.u32 %r5, [a]; and.b32 %r6, %r5, 7; add.u32 %r7, %r6, 3; st.local.u32 [a], %r7; }",
       1);
}

TEST_CASE("findings: a plain read before a compare-and-swap is a guess, before nothing it is a mistake") {
  const std::string loop =
      "ld.global.u32 %r5, [%rd1];\nagain: mov.u32 %r6, %r5; add.u32 %r7, %r6, 1; atom.global.cas.b32 %r5, [%rd1], %r6, %r7; setp.ne.u32 %p1, %r5, "
      "%r6;\n"
      "@%p1 bra again;";
  for (const Options& o : schedules()) CHECK(found(loop, 40, 3, o).empty());
  only(Kind::inter_block, "mov.u32 %r5, %ctaid.x; setp.eq.u32 %p1, %r5, 0; @%p1 red.global.add.u32 [%rd1], 1; @!%p1 ld.global.u32 %r6, [%rd1];", 1,
       2);
  only(Kind::inter_block, "ld.global.u32 %r5, [%rd1]; atom.global.cas.b32 %r6, [%rd1+4], %r5, 1; red.global.add.u32 [%rd1], 1;", 1, 2);
}

TEST_CASE("findings: the system's part of shared memory") {
  CHECK(found("mov.u32 %r5, %reserved_smem_offset_1; st.shared.u32 [%r5+508], 1; mov.u32 %r6, %reserved_smem_offset_0; st.shared.u32 [%r6], 1;", 1)
            .empty());
  only(Kind::out_of_bounds, "mov.u32 %r5, %reserved_smem_offset_1; st.shared.u32 [%r5+512], 1;", 1);
}

TEST_CASE("findings: two blocks at one word, and many times one place") {
  only(Kind::inter_block, "st.global.u32 [%rd1], 1;", 1, 2);
  CHECK(found("red.global.add.u32 [%rd1], 1;", 32, 4).empty());
  const std::vector<Finding> f = found("ld.global.u32 %r5, [%rd3+4000];", 64);
  REQUIRE(f.size() == 1);
  CHECK(f[0].times == 64 - 24);
  CHECK(f[0].thread.x == 24);
  CHECK(f[0].ptx_line == 9);
  CHECK(f[0].to_text().find("out of bounds in k (PTX line 9), block (0,0,0), thread (24,0,0): read of 4 bytes at 0x7f0000001000") == 0);
  CHECK(f[0].to_text().find("[40 times]") != std::string::npos);
}

TEST_CASE("findings: without diagnosis bounds and barriers are still checked, races are not") {
  Options o;
  o.diagnose = false;
  CHECK(found("st.shared.u32 [t], 1;", 64, 1, o).empty());
  CHECK(found("st.global.u32 [%rd1+4096], 1;", 1, 1, o).size() == 1);
  CHECK(found("setp.lt.u32 %p1, %r1, 3; @%p1 bar.sync 0;", 64, 1, o).size() >= 1);
}

}  // namespace in_findings
