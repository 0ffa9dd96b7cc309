// Loads, stores, atomics, address spaces, barriers with results and jumps by table, on PTX written by hand.
#include <bit>
#include <cmath>

#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_memory {
namespace {

// A block of `threads` runs `body`: %rd1 = x (given), %rd2 = y (64 words a thread, zeros), %rd3 = this thread's part of y, %r1 = the thread.
std::vector<uint32_t> run(const std::string& body, uint32_t threads, const std::vector<uint32_t>& x, std::vector<uint32_t>* x_after = nullptr) {
  Device d(
      ".version 8.5\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 x, .param .u64 y, .param .align 4 .b8 s[16])\n{\n"
      ".reg .pred %p<6>; .reg .b16 %rs<10>; .reg .b32 %r<40>; .reg .b64 %rd<20>; .reg .f32 %f<10>; .reg .f64 %fd<4>;\n"
      ".shared .align 16 .b8 t[1024];\n.local .align 8 .b8 depot[64];\n"
      "ld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd3, %r1, 256; add.u64 %rd3, %rd3, %rd2;\n" +
      body + "\nret;\n}\n");
  const KernelInfo info = *d.module().find("k");
  for (const std::string& line : info.unsupported) FAIL_CHECK(line);
  if (!info.unsupported.empty()) return std::vector<uint32_t>(threads * 64);
  struct S {
    uint32_t v[4];
  };
  const uint64_t in = d.put(x), out = d.put(std::vector<uint32_t>(threads * 64, 0));
  d.clean("k", {1}, {threads}, Params().add(in).add(out).add(S{{11, 22, 33, 44}}));
  if (x_after != nullptr) *x_after = d.get<uint32_t>(in, x.size());
  return d.get<uint32_t>(out, threads * 64);
}

// The word that an atomic leaves, and (in y) what every thread got.
uint32_t left_by(const std::string& body, uint32_t word, uint32_t threads = 32) {
  std::vector<uint32_t> after;
  run(body, threads, {word, 0}, &after);
  return after[0];
}

}  // namespace

TEST_CASE("loads and stores: widths, signs and vectors") {
  const std::vector<uint32_t> x = {0x8081ff7f, 0x11223344, 0x55667788, 0x99aabbcc, 5, 6, 7, 8};
  std::vector<uint32_t> y =
      run("ld.global.s8 %r2, [%rd1+1]; ld.global.u8 %r3, [%rd1+1]; ld.global.s16 %r4, [%rd1+2]; ld.global.u16 %rs1, [%rd1+2]; cvt.u32.u16 %r5, %rs1;"
          "ld.global.s32 %rd5, [%rd1]; st.global.u32 [%rd3], %r2; st.global.u32 [%rd3+4], %r3; st.global.u32 [%rd3+8], %r4; st.global.u32 [%rd3+12], "
          "%r5; st.global.u64 [%rd3+16], %rd5;",
          1, x);
  CHECK(y[0] == 0xffffffff);
  CHECK(y[1] == 0xff);
  CHECK(y[2] == 0xffff8081);
  CHECK(y[3] == 0x8081);
  CHECK(y[4] == 0x8081ff7f);
  CHECK(y[5] == 0xffffffff);
  y = run(
      "ld.global.v4.u32 {%r2, _, %r4, %r5}, [%rd1+-0]; ld.global.nc.v2.u64 {%rd5, %rd6}, [%rd1+16]; ld.volatile.global.v2.u16 {%rs1, %rs2}, [%rd1];"
      "st.global.v4.u32 [%rd3], {%r5, %r4, %r2, 77}; st.global.v2.u64 [%rd3+16], {%rd6, %rd5}; st.global.v2.u16 [%rd3+32], {%rs2, %rs1}; "
      "st.global.u8 [%rd3+37], %r4;",
      1, x);
  CHECK(std::vector<uint32_t>(y.begin(), y.begin() + 10) ==
        std::vector<uint32_t>{0x99aabbcc, 0x55667788, 0x8081ff7f, 77, 7, 8, 5, 6, 0xff7f8081, 0x00008800});
}

TEST_CASE("loads and stores: shared, local, constants, parameters, and generic addresses of all of them") {
  const std::vector<uint32_t> y =
      run("mov.u32 %r2, 100; st.shared.u32 [t+8], %r2; mov.u32 %r3, t; cvt.u64.u32 %rd5, %r3; cvta.shared.u64 %rd6, %rd5; ld.u32 %r4, [%rd6+8]; "
          "st.global.u32 [%rd3], %r4;\n"
          "mov.u64 %rd7, depot; st.local.u32 [%rd7+12], 200; cvta.local.u64 %rd8, %rd7; ld.u32 %r5, [%rd8+12]; st.global.u32 [%rd3+4], %r5;\n"
          "st.u32 [%rd8+16], 300; ld.local.u32 %r6, [depot+16]; st.global.u32 [%rd3+8], %r6;\n"
          "mov.b64 %rd9, s; ld.param.u32 %r7, [%rd9+8]; st.global.u32 [%rd3+12], %r7; cvta.param.u64 %rd10, %rd9; ld.u32 %r8, [%rd10+4]; "
          "st.global.u32 [%rd3+16], %r8;\n"
          "cvta.to.global.u64 %rd11, %rd1; ld.u32 %r9, [%rd11]; st.u32 [%rd3+20], %r9;\n"
          "isspacep.shared %p1, %rd6; isspacep.local %p2, %rd8; isspacep.global %p3, %rd1; isspacep.global %p4, %rd6;\n"
          "selp.u32 %r10, 1, 0, %p1; selp.u32 %r11, 1, 0, %p2; selp.u32 %r12, 1, 0, %p3; selp.u32 %r13, 1, 0, %p4; st.global.v4.u32 [%rd3+32], "
          "{%r10, %r11, %r12, %r13};\n"
          "cvta.to.shared.u64 %rd12, %rd6; cvt.u32.u64 %r14, %rd12; sub.u32 %r14, %r14, %r3; st.global.u32 [%rd3+24], %r14;",
          1, {55});
  CHECK(std::vector<uint32_t>(y.begin(), y.begin() + 12) == std::vector<uint32_t>{100, 200, 300, 33, 22, 55, 0, 0, 1, 1, 1, 0});
}

TEST_CASE("atomics: every operation, by a warp") {
  CHECK(left_by("atom.global.add.u32 %r2, [%rd1], 3;", 5) == 5 + 96);
  CHECK(left_by("red.global.add.u32 [%rd1], %r1;", 0) == 31 * 16);
  CHECK(left_by("red.global.min.s32 [%rd1], %r1;", 7) == 0);
  CHECK(left_by("red.global.max.u32 [%rd1], %r1;", 7) == 31);
  CHECK(left_by("red.global.min.u32 [%rd1], %r1;", 0xffffffff) == 0);
  CHECK(left_by("red.global.max.s32 [%rd1], %r1;", 0xffffffff) == 31);
  CHECK(left_by("red.global.and.b32 [%rd1], 0xf0;", 0xff) == 0xf0);
  CHECK(left_by("mov.u32 %r2, 1; shl.b32 %r2, %r2, %r1; red.global.or.b32 [%rd1], %r2;", 0) == 0xffffffff);
  CHECK(left_by("red.global.xor.b32 [%rd1], 3;", 1, 3) == 2);
  CHECK(left_by("red.global.inc.u32 [%rd1], 9;", 0, 25) == 5);  // counts modulo 10
  CHECK(left_by("red.global.dec.u32 [%rd1], 9;", 0, 3) == 7);   // 0 wraps to 9
  CHECK(left_by("atom.global.exch.b32 %r2, [%rd1], 77;", 1) == 77);
  CHECK(left_by("atom.global.cas.b32 %r2, [%rd1], 1, 42;", 1) == 42);
  CHECK(left_by("atom.global.cas.b32 %r2, [%rd1], 2, 42;", 1) == 1);
  CHECK(left_by("mov.u16 %rs1, 7; mov.u16 %rs2, 9; atom.global.cas.b16 %rs3, [%rd1], %rs1, %rs2;", 0x00050007) == 0x00050009);
  CHECK(left_by("mov.f32 %f1, 0f3F000000; red.global.add.f32 [%rd1], %f1;", std::bit_cast<uint32_t>(1.0f)) == std::bit_cast<uint32_t>(17.0f));
  CHECK(left_by("mov.b32 %r2, 0x3c004000; red.global.add.noftz.f16x2 [%rd1], %r2;", 0, 3) == 0x42004600);
  CHECK(left_by("atom.acq_rel.gpu.global.add.u32 %r2, [%rd1], 1;", 0) == 32);
  std::vector<uint32_t> after;
  run("mov.f64 %fd1, 0d3FF8000000000000; red.global.add.f64 [%rd1], %fd1;", 4, {0, 0}, &after);
  CHECK(std::bit_cast<double>(uint64_t(after[1]) << 32 | after[0]) == 6.0);
  run("atom.global.add.u64 %rd5, [%rd1], 0x100000000;", 4, {1, 0}, &after);
  CHECK(after == std::vector<uint32_t>{1, 4});
  // what a thread gets back is the value before its own
  const std::vector<uint32_t> y = run("atom.global.add.u32 %r2, [%rd1], 1; st.global.u32 [%rd3], %r2;", 32, {100});
  for (uint32_t i = 0; i < 32; ++i) CHECK(y[i * 64] == 100 + i);
  const std::vector<uint32_t> z =
      run("setp.ne.u32 %p1, %r1, 0; @%p1 bra wait; st.shared.u32 [t], 10;\nwait: bar.sync 0; atom.shared.add.u32 %r2, [t], 2; bar.sync 0; "
          "ld.shared.u32 %r3, [t]; st.global.u32 [%rd3], %r3;",
          64, {0});
  for (uint32_t i = 0; i < 64; ++i) CHECK(z[i * 64] == 138);
}

TEST_CASE("barriers: reductions over the block") {
  const std::vector<uint32_t> y =
      run("setp.lt.u32 %p1, %r1, 40; bar.red.popc.u32 %r2, 0, %p1; bar.red.and.pred %p2, 0, %p1; bar.red.or.pred %p3, 0, !%p1; setp.lt.u32 %p4, %r1, "
          "1000; barrier.cta.red.and.aligned.pred %p5, 1, 96, %p4;"
          "selp.u32 %r3, 1, 0, %p2; selp.u32 %r4, 1, 0, %p3; selp.u32 %r5, 1, 0, %p5; st.global.v4.u32 [%rd3], {%r2, %r3, %r4, %r5};",
          96, {0});
  for (uint32_t i = 0; i < 96; ++i) CHECK(std::vector<uint32_t>(y.begin() + i * 64, y.begin() + i * 64 + 4) == std::vector<uint32_t>{40, 0, 1, 1});
}

TEST_CASE("branches: by a table, to lanes' own targets, and back together") {
  const std::vector<uint32_t> y =
      run("rem.u32 %r2, %r1, 3; mov.u32 %r3, 0; brx.idx %r2, list;\nlist: .branchtargets a, b, c;\na: add.u32 %r3, %r3, 10; bra join;\nb: add.u32 "
          "%r3, %r3, 20; bra join;\nc: add.u32 %r3, %r3, 30;\n"
          "join: activemask.b32 %r4; st.global.v2.u32 [%rd3], {%r3, %r4};",
          32, {0});
  for (uint32_t i = 0; i < 32; ++i) {
    CHECK(y[i * 64] == 10 + 10 * (i % 3));
    CHECK(y[i * 64 + 1] == 0xffffffff);
  }
}

TEST_CASE("copies: a source that is ignored, and one that is shorter") {
  const std::string mode[] = {"cp.async.ca.shared.global [t], [%rd1], 16, %p1;", "cp.async.cg.shared.global.L2::128B [t], [%rd1], 16, %r5;"};
  for (int i = 0; i < 2; ++i) {
    const std::vector<uint32_t> y = run(
        "setp.eq.u32 %p1, %r1, 0; mov.u32 %r5, 8; " + mode[i] +
            " cp.async.commit_group; cp.async.wait_all; ld.shared.v4.u32 {%r2, %r3, %r4, %r6}, [t]; st.global.v4.u32 [%rd3], {%r2, %r3, %r4, %r6};",
        1, {1, 2, 3, 4});
    CHECK(std::vector<uint32_t>(y.begin(), y.begin() + 4) == (i == 0 ? std::vector<uint32_t>{0, 0, 0, 0} : std::vector<uint32_t>{1, 2, 0, 0}));
  }
}

TEST_CASE("matrices of 8 x 8: stored, moved and loaded again") {
  // lane l holds elements (l/4, 2(l%4)) and the next; transposed, it holds those of column l/4
  const std::string hold =
      "shl.b32 %r2, %r1, 1; add.u32 %r3, %r2, 1; shl.b32 %r3, %r3, 16; or.b32 %r4, %r2, %r3;";  // 2l, 2l+1: number e = 8 row + column
  std::vector<uint32_t> y = run(hold + "movmatrix.sync.aligned.m8n8.trans.b16 %r5, %r4; st.global.u32 [%rd3], %r5;", 32, {0});
  for (uint32_t l = 0; l < 32; ++l) CHECK(y[l * 64] == (8 * (2 * (l % 4)) + l / 4) + ((8 * (2 * (l % 4) + 1) + l / 4) << 16));
  y = run(hold +
              "mov.u32 %r6, t; and.b32 %r7, %r1, 7; shl.b32 %r7, %r7, 4; add.u32 %r8, %r6, %r7; stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r8], "
              "{%r4}; bar.warp.sync -1;"
              "shl.b32 %r9, %r1, 2; add.u32 %r10, %r6, %r9; ld.shared.u32 %r11, [%r10]; ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r12}, "
              "[%r8]; st.global.v2.u32 [%rd3], {%r11, %r12};",
          32, {0});
  for (uint32_t l = 0; l < 32; ++l) {
    CHECK(y[l * 64] == (2 * l | (2 * l + 1) << 16));
    CHECK(y[l * 64 + 1] == (8 * (2 * (l % 4)) + l / 4) + ((8 * (2 * (l % 4) + 1) + l / 4) << 16));
  }
}

TEST_CASE("calls: nested, under a predicate, with vectors of parameters") {
  Device d(
      ".version 8.5\n.target sm_90\n.address_size 64\n"
      ".func (.param .b32 r) inner(.param .b32 a) { .reg .pred %p<2>; .reg .b32 %r<3>; ld.param.b32 %r1, [a]; setp.gt.s32 %p1, %r1, 10; @%p1 bra "
      "big; add.s32 %r2, %r1, 1; st.param.b32 [r], %r2; ret;\n"
      "big: mul.lo.s32 %r2, %r1, 2; st.param.b32 [r], %r2; ret; }\n"
      ".func (.param .b32 r) outer(.param .align 16 .b8 v[16]) { .reg .b32 %r<6>; ld.param.v4.b32 {%r1, %r2, %r3, %r4}, [v]; add.s32 %r1, %r1, %r4;\n"
      "{ .param .b32 p; .param .b32 q; st.param.b32 [p], %r1; call.uni (q), inner, (p); ld.param.b32 %r5, [q]; } st.param.b32 [r+0], %r5; ret; }\n"
      ".visible .entry k(.param .u64 y) { .reg .pred %p<2>; .reg .b32 %r<5>; .reg .b64 %rd<4>; mov.u32 %r1, %tid.x; setp.ne.u32 %p1, %r1, 3; mov.u32 "
      "%r2, 1000;\n"
      "{ .param .align 16 .b8 v[16]; .param .b32 q; st.param.v4.b32 [v], {%r1, 0, 0, 4}; st.param.b32 [q], %r2; @%p1 call (q), outer, (v); "
      "ld.param.b32 %r2, [q]; }\n"
      "ld.param.u64 %rd1, [y]; mul.wide.u32 %rd2, %r1, 4; add.u64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r2; ret; }\n");
  const uint64_t y = d.room<uint32_t>(32);
  d.clean("k", {1}, {32}, Params().add(y));
  const std::vector<uint32_t> got = d.get<uint32_t>(y, 32);
  for (uint32_t i = 0; i < 32; ++i) CHECK(got[i] == (i == 3 ? 1000 : i + 4 > 10 ? 2 * (i + 4) : i + 5));
}

}  // namespace in_memory
