// Text that no compiler wrote: truncated, garbled, nested, huge. An error with its line, or a kernel that is refused or runs; never a crash.
#include <sstream>

#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_hostile {
namespace {

// A bit of everything.
const char* const kSample = R"(.version 8.0
.target sm_80
.address_size 64
.extern .func (.param .b32 r) vprintf (.param .b64 a, .param .b64 b);
.global .align 4 .u32 table[2][3] = {{1, 2, 3}, {4, 5}};
.global .u64 pointer = generic(table)+4;
.const .f32 half = 0f3F000000;
.extern .shared .align 16 .b8 dynamic[];
.func (.param .b32 out) twice(.param .b32 in)
{
  .reg .b32 %r<3>;
  ld.param.b32 %r1, [in];
  add.s32 %r2, %r1, %r1;
  st.param.b32 [out+0], %r2;
  ret;
}
.visible .entry kernel(.param .u64 x, .param .u32 n, .param .align 8 .b8 s[12])
.maxntid 64, 1, 1
{
  .local .align 8 .b8 depot[16];
  .shared .align 8 .b8 tile[256];
  .reg .pred %p<5>; .reg .b16 %rs<4>; .reg .b32 %r<40>; .reg .b64 %rd<12>; .reg .f32 %f<8>;
  .loc 1 12 3, function_name $L1, inlined_at 1 20 5
  ld.param.u64 %rd1, [x];
  ld.param.u32 %r1, [n];
  ld.param.u32 %r10, [s+4];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %rd2, %r2, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.f32 %f1, [%rd3];
  mov.u32 %r3, tile;
  shl.b32 %r4, %r2, 2;
  add.s32 %r5, %r3, %r4;
  st.shared.f32 [%r5], %f1;
  cp.async.ca.shared.global [%r5], [%rd3], 4;
  cp.async.commit_group;
  cp.async.wait_group 0;
  bar.sync 0;
  ld.shared.v2.f32 {%f2, %f3}, [tile+8];
  shfl.sync.bfly.b32 %r6|%p1, %r2, 1, 31, -1;
  vote.sync.ballot.b32 %r7, %p1, 0xffffffff;
  setp.lt.and.s32 %p2|%p3, %r2, %r1, %p1;
  mov.b64 %rd4, {%r6, %r7};
  mov.b32 {%rs1, %rs2}, %r6;
  lop3.b32 %r8, %r6, %r7, %r2, 0x96;
  mov.u64 %rd5, depot;
  st.local.u32 [%rd5], %r8;
  ld.local.u32 %r9, [%rd5];
  atom.global.add.u32 %r11, [table+4], 1;
  red.shared.max.s32 [tile], %r2;
  {
    .param .b32 p0;
    st.param.b32 [p0+0], %r9;
    .param .b32 q0;
    call.uni (q0), twice, (p0);
    ld.param.b32 %r12, [q0+0];
  }
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r20, %r21, %r22, %r23}, [%r3];
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f4, %f5, %f6, %f7}, {%r20, %r21, %r22, %r23}, {%r20, %r21}, {%f1, %f1, %f1, %f1};
  and.b32 %r13, %r12, 1;
  brx.idx %r13, targets;
targets: .branchtargets one, two;
one:
  cvt.rn.f16.f32 %rs3, %f2;
  bra two;
two:
  @%p2 st.global.f32 [%rd3], %f4;
  ret;
}
.file 1 "sample.cu"
.section .debug_str { .b8 1, 2, 3 }
)";

// Parses, decodes every kernel, and runs those that can be run. True: it parsed.
bool try_all(const std::string& text) {
  Result<Module> m = Module::parse(text, "hostile.ptx");
  if (!m) {
    CHECK(!m.error().message().empty());
    return false;
  }
  for (const std::string& name : m->kernels()) {
    const Result<KernelInfo> info = m->find(name);
    if (!info || !info->unsupported.empty()) continue;
    Machine machine;
    const Result<uint64_t> memory = machine.allocate(4096);
    REQUIRE(memory.ok());
    std::vector<std::byte> params(info->parameter_bytes);
    if (params.size() >= 8) std::memcpy(params.data(), &*memory, 8);
    Options o;
    o.max_instructions = 20'000;
    o.taint = true;
    o.printed = [](std::string_view) {};
    const Result<LaunchResult> r = machine.launch(*m, name, {2}, {40}, 64, params, o);
    if (!r) CHECK(!r.error().message().empty());
  }
  return true;
}

std::string error_of(const std::string& text) {
  const Result<Module> m = Module::parse(text, "hostile.ptx");
  return m.ok() ? "" : m.error().message();
}

const std::string kHead = ".version 8.0\n.target sm_80\n.address_size 64\n";

}  // namespace

TEST_CASE("hostile text: the sample itself can be run") {
  Device d(kSample);
  CHECK(d.module().find("kernel")->unsupported.empty());
  CHECK(try_all(kSample));
}

TEST_CASE("hostile text: cut off anywhere") {
  const std::string text = kSample;
  for (size_t n = 0; n < text.size(); ++n) try_all(text.substr(0, n));
}

TEST_CASE("hostile text: garbled bytes, and lines in each other's place") {
  const std::string text = kSample;
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  uint64_t random = 42;
  const auto next = [&](size_t n) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    return size_t(random % n);
  };
  int parsed = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string bad = text;
    if (i % 3 == 0) {
      for (size_t k = 1 + next(4); k > 0; --k) bad[next(bad.size())] = char(next(256));
    } else if (i % 3 == 1) {
      std::vector<std::string> mixed = lines;
      for (size_t k = 1 + next(6); k > 0; --k) mixed[18 + next(lines.size() - 18)] = lines[next(lines.size())];
      bad.clear();
      for (const std::string& line : mixed) bad += line + "\n";
    } else {  // one word in another's place
      const size_t from = next(bad.size() - 20), to = next(bad.size() - 20), n = 1 + next(12);
      bad.replace(to, n, bad.substr(from, n));
    }
    parsed += try_all(bad);
  }
  CHECK(parsed > 100);
}

TEST_CASE("hostile text: errors say the line") {
  CHECK(error_of("") == "hostile.ptx: no PTX: it is empty");
  CHECK(error_of("hello").find("line 1: no PTX") != std::string::npos);
  CHECK(error_of(kHead + "\n.reg .b32 x;").find("line 5") != std::string::npos);
  CHECK(error_of(kHead + ".entry k() { add.s32 %r1, %r2 }").find("line 4: expected ','") != std::string::npos);
  CHECK(error_of(kHead + ".entry k() { a: a: ret; }").find("twice") != std::string::npos);
  CHECK(error_of(kHead + ".global .b8 x[4] = {1, 2, 3, 4, 5};").find("more initial values") != std::string::npos);
  CHECK(error_of(".version 8.0\n.target sm_80\n.address_size 32\n").find("32-bit") != std::string::npos);
}

TEST_CASE("hostile text: deep nesting") {
  CHECK(error_of(kHead + ".entry k() " + std::string(100000, '{')).find("100 deep") != std::string::npos);
  CHECK(error_of(kHead + ".entry k() { mov.b32 %r1, " + std::string(100000, '{') + "; }").find("too deeply") != std::string::npos);
  CHECK(error_of(kHead + ".global .b8 x[4] = " + std::string(100000, '{') + ";").find("too deeply") != std::string::npos);
  try_all(kHead + ".section x " + std::string(100000, '{'));
  std::string flat = kHead + ".entry k() {";
  for (int i = 0; i < 50000; ++i) flat += "{}";
  CHECK(try_all(flat + "ret; }"));
}

TEST_CASE("hostile text: huge counts and sizes") {
  CHECK(try_all(kHead + ".entry k() { .reg .b64 %rd<4000000000>; mov.u64 %rd3999999999, 1; ret; }"));
  CHECK(error_of(kHead + ".global .b64 x[9999999999];").find("1 GiB") != std::string::npos);
  CHECK(error_of(kHead + ".global .b8 x[4294967296][4294967296];").find("1 GiB") != std::string::npos);
  CHECK(try_all(kHead + ".entry k() { .shared .b8 x[1000000000]; .reg .b32 %r<2>; mov.u32 %r1, x; ret; }"));  // refused when decoded
  CHECK(try_all(kHead + ".entry k() { .local .b8 x[1000000000]; .reg .b64 %r<2>; mov.u64 %r1, x; ret; }"));
  CHECK(!try_all(kHead + ".entry k(.param .b8 x[99999999999999]) { ret; }"));
  CHECK(try_all(kHead + ".entry k(.param .b8 x[100000]) { ret; }"));
}

TEST_CASE("hostile text: recursion, and calls that would fill the memory") {
  const std::string recursive = kHead +
                                ".func f() { call f, (); ret; }\n.func g();\n.func h() { call g; ret; }\n.func g() { call h; ret; }\n.entry a() { "
                                "call f; ret; }\n.entry b() { call g; ret; }\n";
  Device d(recursive);
  for (const char* name : {"a", "b"}) {
    const KernelInfo info = *d.module().find(name);
    REQUIRE(!info.unsupported.empty());
    CHECK(info.unsupported[0].find("recursive") != std::string::npos);
  }
  std::string doubling = kHead + ".func f0() { .reg .b32 r; mov.b32 r, 1; ret; }\n";
  for (int i = 1; i <= 30; ++i) {
    const std::string callee = "f" + std::to_string(i - 1);
    doubling += ".func f" + std::to_string(i) + "() { call " + callee + "; call " + callee + "; ret; }\n";
  }
  Device deep(doubling + ".entry k() { call f30; ret; }\n");
  const KernelInfo info = *deep.module().find("k");
  REQUIRE(!info.unsupported.empty());
  CHECK(info.unsupported[0].find("million") != std::string::npos);
}

TEST_CASE("hostile text: what is not supported is named, and other kernels still run") {
  Device d(kHead +
           ".entry good() { ret; }\n.entry bad() {\n  wgmma.fence.sync.aligned;\n  ret; }\n.entry odd() { .reg .b32 %r<3>; .reg .b64 %rd<2>; "
           "add.s32.nonsense %r1, %r2, %r2; add.s32 %r1, %rd1, %r2; bra away; ret; }\n");
  d.clean("good", {1}, {32}, Params());
  const Result<LaunchResult> r = d.machine().launch(d.module(), "bad", {1}, {32}, 0, {}, {});
  REQUIRE(!r.ok());
  CHECK(r.error().code() == tern::Code::kUnsupported);
  CHECK(r.error().message().find("line 6: ") != std::string::npos);
  CHECK(r.error().message().find("wgmma.fence.sync.aligned;") != std::string::npos);
  const KernelInfo odd = *d.module().find("odd");
  REQUIRE(odd.unsupported.size() == 3);
  CHECK(odd.unsupported[0].find("'nonsense' is not supported") != std::string::npos);
  CHECK(odd.unsupported[1].find("64 bits where 32 belong") != std::string::npos);
  CHECK(odd.unsupported[2].find("no label 'away'") != std::string::npos);
}

TEST_CASE("launches: what many blocks have read, a later launch may write") {
  Device d(kHead +
           ".entry k(.param .u64 x, .param .u64 y) {\n.reg .b64 %rd<4>; .reg .b32 %r<3>;\nld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; "
           "ld.global.u32 %r1, [%rd1];\n"
           "mov.u32 %r2, %ctaid.x; mul.wide.u32 %rd3, %r2, 4; add.u64 %rd3, %rd3, %rd2; st.global.u32 [%rd3], %r1;\nret;\n}\n");
  const uint64_t x = d.put(std::vector<uint32_t>(8, 5)), y = d.room<uint32_t>(8);
  d.clean("k", {8}, {1}, Params().add(x).add(y));
  d.clean("k", {8}, {1}, Params().add(y).add(x));
  const LaunchResult r = d.launch("k", {8}, {1}, Params().add(x).add(x));
  REQUIRE(r.findings.size() == 1);
  CHECK(r.findings[0].kind == Kind::inter_block);
}

TEST_CASE("launches: what does not fit is refused") {
  Device d(kSample);
  const auto code = [&](Dim3 grid, Dim3 block, uint32_t shared, size_t params) {
    const std::vector<std::byte> bytes(params);
    const Result<LaunchResult> r = d.machine().launch(d.module(), "kernel", grid, block, shared, bytes, {});
    return r.ok() ? tern::Code::kOk : r.error().code();
  };
  CHECK(code({1}, {65}, 0, 28) == tern::Code::kUsage);  // .maxntid 64
  CHECK(code({1}, {0}, 0, 28) == tern::Code::kUsage);
  CHECK(code({0}, {32}, 0, 28) == tern::Code::kUsage);
  CHECK(code({1}, {32}, 1u << 30, 28) == tern::Code::kUsage);
  CHECK(code({1}, {32}, 0, 27) == tern::Code::kUsage);
  CHECK(code({1}, {32}, 0, 28) == tern::Code::kOk);
  CHECK(!d.machine().launch(d.module(), "nobody", {1}, {32}, 0, {}, {}).ok());
  CHECK(!d.machine().symbol(d.module(), "nothing").ok());
  const uint64_t table = *d.machine().symbol(d.module(), "table");
  CHECK(d.get<uint32_t>(table, 6) == std::vector<uint32_t>{1, 34, 3, 4, 5, 0});  // every thread of the launch above added 1
  CHECK(d.get<uint64_t>(*d.machine().symbol(d.module(), "pointer"), 1)[0] == table + 4);
}

}  // namespace in_hostile
