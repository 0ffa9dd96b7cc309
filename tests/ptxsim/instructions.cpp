// Instructions one by one, on PTX written by hand: what the PTX ISA defines, worked out without ptxsim.
#include <array>
#include <bit>
#include <cmath>

#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_instructions {
namespace {

const std::string kHead = ".version 8.5\n.target sm_90\n.address_size 64\n";

// One thread a row: 64-bit inputs a, b, c of the row in %rd1..3 (low halves in %r1..3, %f1..3, low quarters in %rs1..3), result in %rd9 (or %r9, %rs9, %f9).
std::vector<uint64_t> rows(const std::string& body, const std::vector<std::array<uint64_t, 3>>& in, const char* result = "%rd9") {
  std::string move;
  const std::string r = result;
  if (r.substr(0, 3) == "%rs") move = "cvt.u64.u16 %rd9, " + r + ";\n";
  else if (r.substr(0, 2) == "%r" && r.substr(0, 3) != "%rd") move = "cvt.u64.u32 %rd9, " + r + ";\n";
  else if (r.substr(0, 2) == "%f" && r.substr(0, 3) != "%fd") move = "mov.b32 %r9, " + r + ";\ncvt.u64.u32 %rd9, %r9;\n";
  else if (r.substr(0, 3) == "%fd") move = "mov.b64 %rd9, " + r + ";\n";
  else if (r[1] == 'p') move = "selp.u64 %rd9, 1, 0, " + r + ";\n";
  Device d(
      kHead +
      ".visible .entry k(.param .u64 x, .param .u64 y)\n{\n.reg .pred %p<10>; .reg .b16 %rs<10>; .reg .b32 %r<30>; .reg .f32 %f<10>; .reg .b64 "
      "%rd<30>; .reg .f64 %fd<10>;\n"
      "ld.param.u64 %rd20, [x]; ld.param.u64 %rd21, [y]; mov.u32 %r20, %tid.x;\n"
      "mad.wide.u32 %rd22, %r20, 24, %rd20; mad.wide.u32 %rd23, %r20, 8, %rd21;\n"
      "ld.global.u64 %rd1, [%rd22]; ld.global.u64 %rd2, [%rd22+8]; ld.global.u64 %rd3, [%rd22+16];\n"
      "cvt.u32.u64 %r1, %rd1; cvt.u32.u64 %r2, %rd2; cvt.u32.u64 %r3, %rd3; cvt.u16.u64 %rs1, %rd1; cvt.u16.u64 %rs2, %rd2; cvt.u16.u64 %rs3, %rd3;\n"
      "mov.b32 %f1, %r1; mov.b32 %f2, %r2; mov.b32 %f3, %r3; mov.b64 %fd1, %rd1; mov.b64 %fd2, %rd2; mov.b64 %fd3, %rd3;\n" +
      body + "\n" + move + "st.global.u64 [%rd23], %rd9;\nret;\n}\n");
  const Result<KernelInfo> info = d.module().find("k");
  REQUIRE(info.ok());
  for (const std::string& line : info->unsupported) FAIL_CHECK(line);
  if (!info->unsupported.empty()) return std::vector<uint64_t>(in.size());
  std::vector<uint64_t> flat;
  for (const auto& row : in) flat.insert(flat.end(), row.begin(), row.end());
  const uint64_t out = d.room<uint64_t>(in.size());
  d.clean("k", {1}, {uint32_t(in.size())}, Params().add(d.put(flat)).add(out));
  return d.get<uint64_t>(out, in.size());
}

// The result of one row.
uint64_t one(const std::string& body, uint64_t a, uint64_t b = 0, uint64_t c = 0, const char* result = "%r9") {
  return rows(body, {{a, b, c}}, result)[0];
}

uint32_t bits(float f) { return std::bit_cast<uint32_t>(f); }
uint64_t bits(double d) { return std::bit_cast<uint64_t>(d); }
uint64_t f1(const std::string& op, float a, float b = 0, float c = 0) { return one(op, bits(a), bits(b), bits(c), "%f9"); }

constexpr uint32_t kNan = 0x7fffffff;

}  // namespace

TEST_CASE("integers: sums, products and their high halves") {
  CHECK(one("add.s32 %r9, %r1, %r2;", 0xffffffff, 2) == 1);
  CHECK(one("add.sat.s32 %r9, %r1, %r2;", 0x7fffffff, 2) == 0x7fffffff);
  CHECK(one("sub.sat.s32 %r9, %r1, %r2;", 0x80000000, 2) == 0x80000000);
  CHECK(one("sub.u64 %rd9, %rd1, %rd2;", 1, 2, 0, "%rd9") == ~uint64_t(0));
  CHECK(one("add.u16 %rs9, %rs1, %rs2;", 0xffff, 3, 0, "%rs9") == 2);
  CHECK(one("mul.lo.s32 %r9, %r1, %r2;", 0xfffffffd, 7) == 0xffffffeb);
  CHECK(one("mul.hi.s32 %r9, %r1, %r2;", 0xfffffffd, 7) == 0xffffffff);
  CHECK(one("mul.hi.u32 %r9, %r1, %r2;", 0xfffffffd, 7) == 6);
  CHECK(one("mul.hi.u64 %rd9, %rd1, %rd2;", ~uint64_t(0), ~uint64_t(0), 0, "%rd9") == ~uint64_t(1));
  CHECK(one("mul.hi.s64 %rd9, %rd1, %rd2;", ~uint64_t(0), 5, 0, "%rd9") == ~uint64_t(0));
  CHECK(one("mul.wide.s32 %rd9, %r1, %r2;", 0xfffffffd, 7, 0, "%rd9") == uint64_t(-21));
  CHECK(one("mul.wide.u16 %r9, %rs1, %rs2;", 0xffff, 0xffff) == 0xfffe0001);
  CHECK(one("mad.lo.s32 %r9, %r1, %r2, %r3;", 3, 5, 7) == 22);
  CHECK(one("mad.hi.u32 %r9, %r1, %r2, %r3;", 0x80000000, 4, 1) == 3);
  CHECK(one("mad.wide.s32 %rd9, %r1, %r2, %rd3;", 0xffffffff, 2, 10, "%rd9") == 8);
  CHECK(one("mad.hi.sat.s32 %r9, %r1, %r2, %r3;", 0x7fffffff, 0x7fffffff, 0x7fffffff) == 0x7fffffff);
  CHECK(one("mul24.lo.u32 %r9, %r1, %r2;", 0x1000003, 5) == 15);
  CHECK(one("mul24.hi.s32 %r9, %r1, %r2;", 0xffffff, 0x10000) == 0xffffffff);
  CHECK(one("mad24.lo.s32 %r9, %r1, %r2, %r3;", 0xffffff, 5, 100) == 95);
  CHECK(one("sad.s32 %r9, %r1, %r2, %r3;", 0xffffffff, 4, 10) == 15);
  CHECK(one("sad.u32 %r9, %r1, %r2, %r3;", 9, 4, 10) == 15);
  CHECK(one("neg.s32 %r9, %r1;", 5) == 0xfffffffb);
  CHECK(one("abs.s32 %r9, %r1;", 0xfffffffb) == 5);
  CHECK(one("min.s32 %r9, %r1, %r2;", 0xffffffff, 1) == 0xffffffff);
  CHECK(one("min.u32 %r9, %r1, %r2;", 0xffffffff, 1) == 1);
  CHECK(one("max.s16 %rs9, %rs1, %rs2;", 0xffff, 1, 0, "%rs9") == 1);
  CHECK(one("max.relu.s32 %r9, %r1, %r2;", 0xffffffff, 0xfffffffe) == 0);
  CHECK(one("div.s32 %r9, %r1, %r2;", 0xfffffff9, 2) == 0xfffffffd);  // -7 / 2 = -3
  CHECK(one("rem.s32 %r9, %r1, %r2;", 0xfffffff9, 2) == 0xffffffff);
  CHECK(one("div.s32 %r9, %r1, %r2;", 0x80000000, 0xffffffff) == 0x80000000);
  CHECK(one("div.u64 %rd9, %rd1, %rd2;", 100, 7, 0, "%rd9") == 14);
  CHECK(one("add.u16x2 %r9, %r1, %r2;", 0xffff0001, 0x00010002) == 0x00000003);
  CHECK(one("min.s16x2 %r9, %r1, %r2;", 0xffff0005, 0x00010002) == 0xffff0002);
}

TEST_CASE("integers: carries over 64 bits") {
  CHECK(one("{ .reg .u32 lo, hi; add.cc.u32 lo, %r1, %r2; addc.u32 hi, %r3, 0; mov.b64 %rd9, {lo, hi}; }", 0xffffffff, 1, 5, "%rd9") == uint64_t(6)
                                                                                                                                            << 32);
  CHECK(one("{ .reg .u32 lo, hi; sub.cc.u32 lo, %r1, %r2; subc.u32 hi, %r3, 0; mov.b64 %rd9, {lo, hi}; }", 0, 1, 5, "%rd9") ==
        (uint64_t(4) << 32 | 0xffffffff));
  CHECK(one("{ .reg .u32 lo, hi; mad.lo.cc.u32 lo, %r1, %r2, %r3; madc.hi.u32 hi, %r1, %r2, 0; mov.b64 %rd9, {lo, hi}; }", 0xffffffff, 0xffffffff,
            0xffffffff, "%rd9") == uint64_t(0xffffffff) * 0xffffffff + 0xffffffff);
  CHECK(one("{ .reg .u64 lo; add.cc.u64 lo, %rd1, %rd2; addc.cc.u64 lo, 0, 0; addc.u64 %rd9, %rd3, lo; }", ~uint64_t(0), 1, 40, "%rd9") == 41);
}

TEST_CASE("integers: bits") {
  CHECK(one("and.b32 %r9, %r1, %r2;", 0xff00ff00, 0x0ff00ff0) == 0x0f000f00);
  CHECK(one("or.b64 %rd9, %rd1, %rd2;", 0xf0, uint64_t(1) << 60, 0, "%rd9") == (uint64_t(1) << 60 | 0xf0));
  CHECK(one("xor.b16 %rs9, %rs1, %rs2;", 0xff00, 0x0ff0, 0, "%rs9") == 0xf0f0);
  CHECK(one("not.b32 %r9, %r1;", 0) == 0xffffffff);
  CHECK(one("cnot.b32 %r9, %r1;", 0) == 1);
  CHECK(one("cnot.b32 %r9, %r1;", 7) == 0);
  CHECK(one("lop3.b32 %r9, %r1, %r2, %r3, 0x96;", 0xff00ff00, 0x0ff00ff0, 0xffffffff) == (0xff00ff00u ^ 0x0ff00ff0u ^ 0xffffffffu));
  CHECK(one("lop3.b32 %r9, %r1, %r2, %r3, 0xca;", 0xff00ff00, 0x12345678, 0x9abcdef0) == ((0xff00ff00u & 0x12345678u) | (0x00ff00ffu & 0x9abcdef0u)));
  CHECK(one("shl.b32 %r9, %r1, %r2;", 1, 31) == 0x80000000);
  CHECK(one("shl.b32 %r9, %r1, %r2;", 1, 32) == 0);
  CHECK(one("shr.u32 %r9, %r1, %r2;", 0x80000000, 40) == 0);
  CHECK(one("shr.s32 %r9, %r1, %r2;", 0x80000000, 40) == 0xffffffff);
  CHECK(one("shr.s64 %rd9, %rd1, %r2;", uint64_t(1) << 63, 62, 0, "%rd9") == ~uint64_t(1));
  CHECK(one("shf.l.wrap.b32 %r9, %r1, %r2, %r3;", 0x80000000, 1, 33) == 3);
  CHECK(one("shf.l.clamp.b32 %r9, %r1, %r2, %r3;", 0x80000000, 1, 33) == 0x80000000);
  CHECK(one("shf.r.wrap.b32 %r9, %r1, %r2, %r3;", 2, 1, 1) == 0x80000001);
  CHECK(one("shf.r.clamp.b32 %r9, %r1, %r2, %r3;", 2, 1, 99) == 1);
  CHECK(one("bfe.u32 %r9, %r1, %r2, %r3;", 0x12345678, 8, 12) == 0x456);
  CHECK(one("bfe.s32 %r9, %r1, %r2, %r3;", 0x00000f00, 8, 4) == 0xffffffff);
  CHECK(one("bfe.s32 %r9, %r1, %r2, %r3;", 0x80000000, 28, 8) == 0xfffffff8);
  CHECK(one("bfe.u32 %r9, %r1, %r2, %r3;", 0x12345678, 8, 0) == 0);
  CHECK(one("bfe.u64 %rd9, %rd1, %r2, %r3;", uint64_t(0xab) << 40, 40, 8, "%rd9") == 0xab);
  CHECK(one("bfi.b32 %r9, %r1, %r2, %r3, 8;", 0xab, 0xffffffff, 4) == 0xfffffabf);
  CHECK(one("bfi.b64 %rd9, %rd1, %rd2, 32, 4;", 5, 0, 0, "%rd9") == uint64_t(5) << 32);
  CHECK(one("bfind.u32 %r9, %r1;", 0x00010000) == 16);
  CHECK(one("bfind.s32 %r9, %r1;", 0xfffffff0) == 3);
  CHECK(one("bfind.u32 %r9, %r1;", 0) == 0xffffffff);
  CHECK(one("bfind.shiftamt.u32 %r9, %r1;", 0x00010000) == 15);
  CHECK(one("bfind.u64 %r9, %rd1;", uint64_t(1) << 50) == 50);
  CHECK(one("brev.b32 %r9, %r1;", 1) == 0x80000000);
  CHECK(one("clz.b32 %r9, %r1;", 0x00ffffff) == 8);
  CHECK(one("clz.b64 %r9, %rd1;", 0) == 64);
  CHECK(one("popc.b64 %r9, %rd1;", ~uint64_t(0) >> 3) == 61);
  CHECK(one("prmt.b32 %r9, %r1, %r2, %r3;", 0x03020100, 0x07060504, 0x7531) == 0x07050301);
  CHECK(one("prmt.b32 %r9, %r1, %r2, %r3;", 0x03028000, 0, 0x0009) == 0x000000ff);
  CHECK(one("prmt.b32.f4e %r9, %r1, %r2, %r3;", 0x03020100, 0x07060504, 1) == 0x04030201);
  CHECK(one("prmt.b32.rc16 %r9, %r1, %r2, %r3;", 0x03020100, 0, 1) == 0x03020302);
  CHECK(one("fns.b32 %r9, %r1, %r2, 2;", 0b101100, 0) == 3);
  CHECK(one("fns.b32 %r9, %r1, %r2, -1;", 0b101100, 4) == 3);
  CHECK(one("fns.b32 %r9, %r1, %r2, 9;", 0b101100, 0) == 0xffffffff);
  CHECK(one("bmsk.clamp.b32 %r9, %r1, %r2;", 4, 8) == 0xff0);
  CHECK(one("szext.clamp.s32 %r9, %r1, %r2;", 0xff8, 4) == 0xfffffff8);
  CHECK(one("szext.clamp.u32 %r9, %r1, %r2;", 0xff8, 4) == 8);
  CHECK(one("dp4a.s32.s32 %r9, %r1, %r2, %r3;", 0xff010203, 0x02030405, 10) == uint32_t(-2 + 3 + 8 + 15 + 10));
  CHECK(one("dp4a.u32.u32 %r9, %r1, %r2, %r3;", 0xff010203, 0x02030405, 10) == 510 + 3 + 8 + 15 + 10);
  CHECK(one("dp2a.lo.s32.s32 %r9, %r1, %r2, %r3;", 0xffff0003, 0x00000205, 1) == uint32_t(15 - 2 + 1));
  CHECK(one("dp2a.hi.s32.s32 %r9, %r1, %r2, %r3;", 0xffff0003, 0x02050000, 1) == uint32_t(15 - 2 + 1));
}

TEST_CASE("comparisons: signed, unsigned, with NaN, with a second predicate and a combination") {
  CHECK(one("setp.lt.s32 %p1, %r1, %r2;", 0xffffffff, 1, 0, "%p1") == 1);
  CHECK(one("setp.lt.u32 %p1, %r1, %r2;", 0xffffffff, 1, 0, "%p1") == 0);
  CHECK(one("setp.lo.u32 %p1, %r1, %r2;", 0, 1, 0, "%p1") == 1);
  CHECK(one("setp.ge.s64 %p1, %rd1, %rd2;", ~uint64_t(0), 0, 0, "%p1") == 0);
  CHECK(one("setp.lt.s32 %p2|%p1, %r1, %r2;", 5, 1, 0, "%p1") == 1);
  CHECK(one("setp.ne.s32 %p3, %r3, 0; setp.lt.and.s32 %p1, %r1, %r2, %p3;", 0, 1, 0, "%p1") == 0);
  CHECK(one("setp.ne.s32 %p3, %r3, 0; setp.lt.or.s32 %p1, %r1, %r2, !%p3;", 5, 1, 0, "%p1") == 1);
  CHECK(one("setp.ne.s32 %p3, %r3, 0; setp.lt.xor.s32 %p1, %r1, %r2, %p3;", 0, 1, 1, "%p1") == 0);
  const uint64_t nan = 0x7fc00000;
  CHECK(one("setp.lt.f32 %p1, %f1, %f2;", nan, 0, 0, "%p1") == 0);
  CHECK(one("setp.ltu.f32 %p1, %f1, %f2;", nan, 0, 0, "%p1") == 1);
  CHECK(one("setp.ne.f32 %p1, %f1, %f1;", nan, 0, 0, "%p1") == 0);
  CHECK(one("setp.neu.f32 %p1, %f1, %f1;", nan, 0, 0, "%p1") == 1);
  CHECK(one("setp.equ.f32 %p1, %f1, %f2;", nan, 0, 0, "%p1") == 1);
  CHECK(one("setp.nan.f32 %p1, %f1, %f2;", nan, 0, 0, "%p1") == 1);
  CHECK(one("setp.num.f32 %p1, %f1, %f2;", nan, 0, 0, "%p1") == 0);
  CHECK(one("setp.gt.ftz.f32 %p1, %f1, 0f00000000;", 1, 0, 0, "%p1") == 0);
  CHECK(one("setp.gt.f32 %p1, %f1, 0f00000000;", 1, 0, 0, "%p1") == 1);
  CHECK(one("set.lt.u32.s32 %r9, %r1, %r2;", 0xffffffff, 1) == 0xffffffff);
  CHECK(one("set.lt.f32.s32 %f9, %r1, %r2;", 0xffffffff, 1, 0, "%f9") == bits(1.0f));
  CHECK(one("slct.b32.s32 %r9, %r1, %r2, %r3;", 7, 8, 0xffffffff) == 8);
  CHECK(one("slct.u32.f32 %r9, %r1, %r2, %f3;", 7, 8, 0x80000000) == 7);  // -0 >= 0
  CHECK(one("testp.finite.f32 %p1, %f1;", 0x7f7fffff, 0, 0, "%p1") == 1);
  CHECK(one("testp.infinite.f32 %p1, %f1;", 0xff800000, 0, 0, "%p1") == 1);
  CHECK(one("testp.subnormal.f32 %p1, %f1;", 1, 0, 0, "%p1") == 1);
  CHECK(one("testp.normal.f64 %p1, %fd1;", bits(1.0), 0, 0, "%p1") == 1);
  CHECK(one("testp.notanumber.f32 %p1, %f1;", nan, 0, 0, "%p1") == 1);
  CHECK(one("setp.lt.f16 %p1, %rs1, %rs2;", 0xbc00, 0x3c00, 0, "%p1") == 1);
}

TEST_CASE("f32: rounding to nearest, NaN and zeros") {
  CHECK(f1("add.f32 %f9, %f1, %f2;", 1.0f, 0x1p-24f) == bits(1.0f));
  CHECK(f1("add.f32 %f9, %f1, %f2;", 1.0f + 0x1p-23f, 0x1p-24f) == bits(1.0f + 0x1p-22f));
  CHECK(f1("sub.rn.f32 %f9, %f1, %f2;", INFINITY, INFINITY) == kNan);
  CHECK(f1("mul.f32 %f9, %f1, %f2;", 0.0f, INFINITY) == kNan);
  CHECK(one("add.f32 %f9, %f1, %f2;", 0xffc12345, bits(1.0f), 0, "%f9") == kNan);
  CHECK(f1("fma.rn.f32 %f9, %f1, %f2, %f3;", 1 + 0x1p-12f, 1 + 0x1p-12f, -1.0f) == bits(0x1p-11f + 0x1p-24f));
  CHECK(f1("div.rn.f32 %f9, %f1, %f2;", 1.0f, 3.0f) == bits(1.0f / 3.0f));
  CHECK(f1("div.rn.f32 %f9, %f1, %f2;", 1.0f, -0.0f) == bits(-INFINITY));
  CHECK(f1("sqrt.rn.f32 %f9, %f1;", 2.0f) == 0x3fb504f3);
  CHECK(f1("sqrt.rn.f32 %f9, %f1;", -1.0f) == kNan);
  CHECK(f1("rcp.rn.f32 %f9, %f1;", 3.0f) == bits(1.0f / 3.0f));
  CHECK(one("min.f32 %f9, %f1, %f2;", 0x7fc00000, bits(2.0f), 0, "%f9") == bits(2.0f));
  CHECK(one("max.f32 %f9, %f1, %f2;", 0x7fc00001, 0x7fc00002, 0, "%f9") == kNan);
  CHECK(one("max.NaN.f32 %f9, %f1, %f2;", 0x7fc00000, bits(2.0f), 0, "%f9") == kNan);
  CHECK(f1("min.f32 %f9, %f1, %f2;", 0.0f, -0.0f) == bits(-0.0f));
  CHECK(f1("max.f32 %f9, %f1, %f2;", -0.0f, 0.0f) == bits(0.0f));
  CHECK(f1("abs.f32 %f9, %f1;", -2.5f) == bits(2.5f));
  CHECK(f1("neg.f32 %f9, %f1;", 0.0f) == bits(-0.0f));
  CHECK(f1("copysign.f32 %f9, %f1, %f2;", -1.0f, 3.0f) == bits(-3.0f));
}

TEST_CASE("f32: directed rounding, saturation and flushing") {
  CHECK(f1("add.rz.f32 %f9, %f1, %f2;", 1.0f, 0x1.8p-24f) == bits(1.0f));
  CHECK(f1("add.rp.f32 %f9, %f1, %f2;", 1.0f, 0x1p-60f) == bits(1.0f + 0x1p-23f));
  CHECK(f1("add.rm.f32 %f9, %f1, %f2;", 1.0f, -0x1p-60f) == bits(1.0f - 0x1p-24f));
  CHECK(f1("sub.rm.f32 %f9, %f1, %f2;", 1.0f, 0x1p-60f) == bits(1.0f - 0x1p-24f));
  CHECK(f1("mul.rp.f32 %f9, %f1, %f2;", 1 + 0x1p-23f, 1 + 0x1p-23f) == bits(1 + 0x1.8p-22f));
  CHECK(f1("fma.rm.f32 %f9, %f1, %f2, %f3;", 1.0f, 1.0f, -0x1p-60f) == bits(1.0f - 0x1p-24f));
  CHECK(f1("div.rz.f32 %f9, %f1, %f2;", 2.0f, 3.0f) == 0x3f2aaaaa);
  CHECK(f1("sqrt.rp.f32 %f9, %f1;", 2.0f) == 0x3fb504f4);
  CHECK(f1("add.sat.f32 %f9, %f1, %f2;", 1.0f, 1.0f) == bits(1.0f));
  CHECK(f1("add.sat.f32 %f9, %f1, %f2;", -1.0f, 0.5f) == 0);
  CHECK(one("fma.rn.sat.f32 %f9, %f1, %f2, %f3;", 0x7fc00000, 0, 0, "%f9") == 0);
  CHECK(one("add.ftz.f32 %f9, %f1, %f2;", 0x80000001, 0x80000000, 0, "%f9") == 0x80000000);
  CHECK(one("mul.ftz.f32 %f9, %f1, %f2;", bits(0x1p-100f), bits(-0x1p-40f), 0, "%f9") == 0x80000000);
  CHECK(one("mul.f32 %f9, %f1, %f2;", bits(0x1p-100f), bits(0x1p-40f), 0, "%f9") == bits(0x1p-140f));
  CHECK(one("fma.rn.ftz.f32 %f9, %f1, %f2, %f3;", bits(1.0f), 5, bits(1.0f), "%f9") == bits(1.0f));
}

TEST_CASE("f32: approximations stay within the error of the real unit") {
  for (const float x : {0.1f, 0.7f, 1.0f, 2.5f, 33.0f}) {
    const auto near = [](uint64_t got, double want, double ulps) {
      const float g = std::bit_cast<float>(uint32_t(got));
      return std::fabs(double(g) - want) <= ulps * 0x1p-24 * std::fabs(want) * 2;
    };
    CHECK(near(f1("ex2.approx.ftz.f32 %f9, %f1;", x), std::exp2(double(x)), 2));
    CHECK(near(f1("lg2.approx.f32 %f9, %f1;", x + 1), std::log2(double(x + 1)), 2));
    CHECK(near(f1("rsqrt.approx.f32 %f9, %f1;", x), 1 / std::sqrt(double(x)), 2));
    CHECK(near(f1("sqrt.approx.f32 %f9, %f1;", x), std::sqrt(double(x)), 2));
    CHECK(near(f1("rcp.approx.ftz.f32 %f9, %f1;", x), 1 / double(x), 1));
    CHECK(near(f1("sin.approx.f32 %f9, %f1;", x), std::sin(double(x)), 2));
    CHECK(near(f1("cos.approx.f32 %f9, %f1;", x), std::cos(double(x)), 2));
    CHECK(near(f1("tanh.approx.f32 %f9, %f1;", x), std::tanh(double(x)), 2));
    CHECK(near(f1("div.full.f32 %f9, %f1, %f2;", x, 3.0f), double(x) / 3, 2));
    CHECK(near(f1("div.approx.ftz.f32 %f9, %f1, %f2;", x, 3.0f), double(x) / 3, 2));
  }
  CHECK(f1("ex2.approx.f32 %f9, %f1;", -INFINITY) == 0);
  CHECK(f1("lg2.approx.f32 %f9, %f1;", 0.0f) == bits(-INFINITY));
}

TEST_CASE("f64: arithmetic in every rounding") {
  const auto d = [](const std::string& op, double a, double b = 0, double c = 0) {
    return std::bit_cast<double>(one(op, bits(a), bits(b), bits(c), "%fd9"));
  };
  CHECK(d("add.f64 %fd9, %fd1, %fd2;", 0.1, 0.2) == 0.1 + 0.2);
  CHECK(d("sub.rp.f64 %fd9, %fd1, %fd2;", 1, -0x1p-80) == 1 + 0x1p-52);
  CHECK(d("mul.rn.f64 %fd9, %fd1, %fd2;", 0.1, 3) == 0.1 * 3);
  CHECK(d("fma.rn.f64 %fd9, %fd1, %fd2, %fd3;", 0.1, 10, -1) == std::fma(0.1, 10, -1));
  CHECK(d("div.rz.f64 %fd9, %fd1, %fd2;", 2, 3) == 0x1.5555555555555p-1);
  CHECK(d("div.rp.f64 %fd9, %fd1, %fd2;", 2, 3) == 0x1.5555555555556p-1);
  CHECK(d("sqrt.rn.f64 %fd9, %fd1;", 2) == std::sqrt(2.0));
  CHECK(d("rcp.rn.f64 %fd9, %fd1;", 3) == 1.0 / 3);
  CHECK(d("min.f64 %fd9, %fd1, %fd2;", NAN, 3) == 3);
  CHECK(d("abs.f64 %fd9, %fd1;", -3) == 3);
  CHECK(d("neg.f64 %fd9, %fd1;", -3) == 3);
  CHECK(d("copysign.f64 %fd9, %fd1, %fd2;", -1, 4) == -4);
}

TEST_CASE("f16 and bf16: one rounding, NaN, pairs") {
  const auto h = [](const std::string& op, uint64_t a, uint64_t b = 0, uint64_t c = 0) { return one(op, a, b, c, "%rs9"); };
  CHECK(h("add.f16 %rs9, %rs1, %rs2;", 0x3c00, 0x1000) == 0x3c00);  // 1 + 2^-11: a tie, to even
  CHECK(h("add.f16 %rs9, %rs1, %rs2;", 0x3c01, 0x1000) == 0x3c02);
  CHECK(h("sub.f16 %rs9, %rs1, %rs2;", 0x3c00, 0x3c00) == 0);
  CHECK(h("mul.f16 %rs9, %rs1, %rs2;", 0x7bff, 0x4000) == 0x7c00);
  CHECK(h("fma.rn.f16 %rs9, %rs1, %rs2, %rs3;", 0x3c01, 0x3c01, 0xbc02) == 0x0010);  // (1+u)^2 - (1+2u) = u^2 = 2^-20
  CHECK(h("fma.rn.f16 %rs9, %rs1, %rs2, %rs3;", 0x0001, 0x0001, 0x3c00) == 0x3c00);
  CHECK(h("fma.rn.relu.f16 %rs9, %rs1, %rs2, %rs3;", 0x3c00, 0xbc00, 0) == 0);
  CHECK(h("mul.ftz.f16 %rs9, %rs1, %rs2;", 0x0400, 0x3800) == 0);
  CHECK(h("add.sat.f16 %rs9, %rs1, %rs2;", 0x3c00, 0x3c00) == 0x3c00);
  CHECK(h("neg.f16 %rs9, %rs1;", 0x3c00) == 0xbc00);
  CHECK(h("abs.f16 %rs9, %rs1;", 0xbc00) == 0x3c00);
  CHECK(h("min.f16 %rs9, %rs1, %rs2;", 0x7e00, 0x4000) == 0x4000);
  CHECK(h("max.NaN.f16 %rs9, %rs1, %rs2;", 0x7e00, 0x4000) == 0x7fff);
  CHECK(h("add.f16 %rs9, %rs1, %rs2;", 0x7c00, 0xfc00) == 0x7fff);
  CHECK(h("fma.rn.bf16 %rs9, %rs1, %rs2, %rs3;", 0x3f80, 0x3f80, 0x3f80) == 0x4000);
  CHECK(h("max.bf16 %rs9, %rs1, %rs2;", 0xbf80, 0x3f80) == 0x3f80);
  CHECK(h("ex2.approx.f16 %rs9, %rs1;", 0x4200) == 0x4800);
  CHECK(h("tanh.approx.bf16 %rs9, %rs1;", 0) == 0);
  CHECK(one("fma.rn.f16x2 %r9, %r1, %r2, %r3;", 0x3c004000, 0x40003c00, 0x3c003c00) == 0x42004200);
  CHECK(one("add.f16x2 %r9, %r1, %r2;", 0x3c004000, 0x40003c00) == 0x42004200);
  CHECK(one("max.bf16x2 %r9, %r1, %r2;", 0x3f80bf80, 0x40000000) == 0x40000000);
}

TEST_CASE("conversions: between integers") {
  CHECK(one("cvt.s64.s32 %rd9, %r1;", 0xfffffffe, 0, 0, "%rd9") == uint64_t(-2));
  CHECK(one("cvt.u64.u32 %rd9, %r1;", 0xfffffffe, 0, 0, "%rd9") == 0xfffffffe);
  CHECK(one("cvt.s32.s8 %r9, %r1;", 0x1ff) == 0xffffffff);
  CHECK(one("cvt.u32.u8 %r9, %rs1;", 0x1ff) == 0xff);
  CHECK(one("cvt.u16.u32 %rs9, %r1;", 0x12345, 0, 0, "%rs9") == 0x2345);
  CHECK(one("cvt.sat.u8.s32 %r9, %r1;", 300) == 255);
  CHECK(one("cvt.sat.u8.s32 %r9, %r1;", 0xfffffff0) == 0);
  CHECK(one("cvt.sat.s8.s32 %r9, %r1;", 0xffffff00) == 0xffffff80);
  CHECK(one("cvt.sat.s32.s64 %r9, %rd1;", uint64_t(1) << 40) == 0x7fffffff);
  CHECK(one("cvt.sat.u32.u64 %r9, %rd1;", uint64_t(1) << 40) == 0xffffffff);
}

TEST_CASE("conversions: between floats and integers") {
  CHECK(one("cvt.rn.f32.s32 %f9, %r1;", 16777217, 0, 0, "%f9") == bits(16777216.0f));
  CHECK(one("cvt.rp.f32.s32 %f9, %r1;", 16777217, 0, 0, "%f9") == bits(16777218.0f));
  CHECK(one("cvt.rn.f32.u64 %f9, %rd1;", ~uint64_t(0), 0, 0, "%f9") == bits(0x1p64f));
  CHECK(one("cvt.rz.f32.u64 %f9, %rd1;", ~uint64_t(0), 0, 0, "%f9") == bits(0x1.fffffep63f));
  CHECK(one("cvt.rn.f64.s64 %fd9, %rd1;", uint64_t(-3), 0, 0, "%fd9") == bits(-3.0));
  CHECK(one("cvt.rn.f64.u32 %fd9, %r1;", 0xffffffff, 0, 0, "%fd9") == bits(4294967295.0));
  CHECK(one("cvt.rn.f64.s32 %fd9, %r1;", 0xffffffff, 0, 0, "%fd9") == bits(-1.0));
  CHECK(one("cvt.rn.f16.u32 %rs9, %r1;", 2049, 0, 0, "%rs9") == 0x6800);
  CHECK(one("cvt.rn.f16.s32 %rs9, %r1;", 100000, 0, 0, "%rs9") == 0x7c00);
  CHECK(one("cvt.rzi.s32.f32 %r9, %f1;", bits(-2.7f)) == 0xfffffffe);
  CHECK(one("cvt.rni.s32.f32 %r9, %f1;", bits(2.5f)) == 2);
  CHECK(one("cvt.rni.s32.f32 %r9, %f1;", bits(3.5f)) == 4);
  CHECK(one("cvt.rmi.s32.f32 %r9, %f1;", bits(-2.1f)) == 0xfffffffd);
  CHECK(one("cvt.rpi.u32.f32 %r9, %f1;", bits(2.1f)) == 3);
  CHECK(one("cvt.rzi.s32.f32 %r9, %f1;", bits(3e9f)) == 0x7fffffff);
  CHECK(one("cvt.rzi.u32.f32 %r9, %f1;", bits(-3.0f)) == 0);
  CHECK(one("cvt.rzi.u8.f32 %r9, %f1;", bits(300.0f)) == 255);
  CHECK(one("cvt.rzi.s32.f32 %r9, %f1;", 0x7fc00000) == 0);
  CHECK(one("cvt.rzi.s64.f32 %rd9, %f1;", 0x7fc00000, 0, 0, "%rd9") == uint64_t(1) << 63);
  CHECK(one("cvt.rzi.s64.f64 %rd9, %fd1;", bits(-1e300), 0, 0, "%rd9") == uint64_t(1) << 63);
  CHECK(one("cvt.rzi.u64.f64 %rd9, %fd1;", bits(1.8e19), 0, 0, "%rd9") == uint64_t(1.8e19));
}

TEST_CASE("conversions: between floats") {
  CHECK(one("cvt.rn.f16.f32 %rs9, %f1;", bits(1 + 0x1p-11f), 0, 0, "%rs9") == 0x3c00);
  CHECK(one("cvt.rn.f16.f32 %rs9, %f1;", bits(65520.0f), 0, 0, "%rs9") == 0x7c00);
  CHECK(one("cvt.rz.f16.f32 %rs9, %f1;", bits(65520.0f), 0, 0, "%rs9") == 0x7bff);
  CHECK(one("cvt.rn.f16.f32 %rs9, %f1;", bits(0x1p-24f), 0, 0, "%rs9") == 1);
  CHECK(one("cvt.rn.f16.f64 %rs9, %fd1;", bits(1 + 0x1p-11 + 0x1p-40), 0, 0, "%rs9") == 0x3c01);  // through f32 it would be a tie
  CHECK(one("cvt.f32.f16 %f9, %rs1;", 1, 0, 0, "%f9") == bits(0x1p-24f));
  CHECK(one("cvt.f32.f16 %f9, %rs1;", 0x7e01, 0, 0, "%f9") == kNan);
  CHECK(one("cvt.f32.bf16 %f9, %rs1;", 0x3f80, 0, 0, "%f9") == bits(1.0f));
  CHECK(one("cvt.rn.bf16.f32 %rs9, %f1;", bits(1 + 0x1p-8f), 0, 0, "%rs9") == 0x3f80);
  CHECK(one("cvt.rn.bf16.f32 %rs9, %f1;", bits(1 + 0x1.8p-7f), 0, 0, "%rs9") == 0x3f82);
  CHECK(one("cvt.rn.f16x2.f32 %r9, %f1, %f2;", bits(1.0f), bits(2.0f)) == 0x3c004000);
  CHECK(one("cvt.rn.relu.bf16x2.f32 %r9, %f1, %f2;", bits(-1.0f), bits(2.0f)) == 0x00004000);
  CHECK(one("cvt.rna.tf32.f32 %r9, %f1;", bits(1 + 0x1p-11f)) == bits(1 + 0x1p-10f));
  CHECK(one("cvt.rn.f32.f64 %f9, %fd1;", bits(1 + 0x1p-24), 0, 0, "%f9") == bits(1.0f));
  CHECK(one("cvt.rp.f32.f64 %f9, %fd1;", bits(1 + 0x1p-40), 0, 0, "%f9") == bits(1 + 0x1p-23f));
  CHECK(one("cvt.f64.f32 %fd9, %f1;", bits(0.1f), 0, 0, "%fd9") == bits(double(0.1f)));
  CHECK(one("cvt.rni.f32.f32 %f9, %f1;", bits(-2.5f), 0, 0, "%f9") == bits(-2.0f));
  CHECK(one("cvt.rmi.ftz.f32.f32 %f9, %f1;", 0x80000001, 0, 0, "%f9") == bits(-0.0f));
  CHECK(one("cvt.sat.f32.f32 %f9, %f1;", bits(1.5f), 0, 0, "%f9") == bits(1.0f));
}

TEST_CASE("moves: packing, unpacking, symbols and special registers") {
  CHECK(one("mov.b32 %r9, {%rs1, %rs2};", 0x1111, 0x2222) == 0x22221111);
  CHECK(one("mov.b64 %rd9, {%r1, %r2};", 1, 2, 0, "%rd9") == (uint64_t(2) << 32 | 1));
  CHECK(one("mov.b32 {%rs9, _}, %r1;", 0x22221111, 0, 0, "%rs9") == 0x1111);
  CHECK(one("mov.b64 {_, %r9}, %rd1;", uint64_t(7) << 32) == 7);
  CHECK(one("mov.u32 %r9, 0x1F;", 0) == 31);
  CHECK(one("mov.u32 %r9, 017;", 0) == 15);
  CHECK(one("mov.s32 %r9, -5;", 0) == 0xfffffffb);
  CHECK(one("mov.f32 %f9, 0f40490FDB;", 0, 0, 0, "%f9") == 0x40490fdb);
  CHECK(one("mov.f32 %f9, 0d3FF0000000000000;", 0, 0, 0, "%f9") == bits(1.0f));
  CHECK(one("mov.f64 %fd9, 0d3FF0000000000000;", 0, 0, 0, "%fd9") == bits(1.0));
  CHECK(one("mov.f32 %f9, 2.5;", 0, 0, 0, "%f9") == bits(2.5f));
  CHECK(one("mov.u32 %r9, %ntid.x;", 0) == 1);
  CHECK(one("mov.u32 %r9, %nctaid.z;", 0) == 1);
  CHECK(one("mov.u32 %r9, %lanemask_lt;", 0) == 0);
  CHECK(one("mov.u64 %rd9, %clock64; setp.ne.u64 %p1, %rd9, 0; selp.u64 %rd9, 1, 0, %p1;", 0, 0, 0, "%rd9") == 1);
  const std::vector<uint64_t> lanes =
      rows("mov.u32 %r8, %lanemask_lt; mov.u32 %r7, %laneid; add.u32 %r9, %r8, %r7;", std::vector<std::array<uint64_t, 3>>(32), "%r9");
  for (uint32_t l = 0; l < 32; ++l) CHECK(lanes[l] == (1u << l) - 1 + l);
}

TEST_CASE("collectives: votes, matches, reductions, elections") {
  std::vector<std::array<uint64_t, 3>> in(32);
  for (uint64_t l = 0; l < 32; ++l) in[l] = {l % 3, l, l < 5 ? 1u : 0u};
  std::vector<uint64_t> y = rows("match.any.sync.b32 %r9, %r1, 0xffffffff;", in, "%r9");
  uint32_t thirds[3] = {};
  for (uint32_t l = 0; l < 32; ++l) thirds[l % 3] |= 1u << l;
  for (uint32_t l = 0; l < 32; ++l) CHECK(y[l] == thirds[l % 3]);
  y = rows("match.all.sync.b32 %r9|%p1, %r1, 0xffffffff;", in, "%r9");
  CHECK(y[0] == 0);
  y = rows("redux.sync.add.u32 %r9, %r2, 0xffffffff;", in, "%r9");
  CHECK(y[31] == 31 * 16);
  y = rows("redux.sync.max.s32 %r9, %r2, 0xffffffff;", in, "%r9");
  CHECK(y[0] == 31);
  y = rows("setp.ne.u32 %p1, %r3, 0; vote.sync.ballot.b32 %r9, %p1, 0xffffffff;", in, "%r9");
  CHECK(y[9] == 31);
  y = rows("setp.ne.u32 %p1, %r3, 0; vote.sync.any.pred %p2, !%p1, 0xffffffff;", in, "%p2");
  CHECK(y[9] == 1);
  y = rows("activemask.b32 %r9;", in, "%r9");
  CHECK(y[3] == 0xffffffff);
  y = rows("elect.sync %r9|%p1, 0xffffffff; selp.u32 %r9, 1, 0, %p1;", in, "%r9");
  CHECK(y[0] == 1);
  CHECK(y[1] == 0);
  y = rows("shfl.sync.idx.b32 %r9|%p1, %r2, 7, 0x181f, 0xffffffff;", in, "%r9");  // segments of 8: lane 7 of each
  for (uint32_t l = 0; l < 32; ++l) CHECK(y[l] == (l & 24) + 7);
  y = rows("shfl.sync.up.b32 %r9|%p1, %r2, 2, 0, 0xffffffff; selp.u32 %r9, %r9, 99, %p1;", in, "%r9");
  CHECK(y[1] == 99);
  CHECK(y[2] == 0);
}

}  // namespace in_instructions
