#!/usr/bin/env bash
# The command ptxsim as scripts see it: what it prints, and how it exits. Usage: ptxsim.sh PTXSIM
set -u
ptxsim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
# runs EXIT TEXT ARGUMENTS...: exits so, and says TEXT on stdout or stderr
runs() {
  local want=$1 text=$2 got
  shift 2
  "$ptxsim" "$@" >"$work/out" 2>&1
  got=$?
  if [ $got != "$want" ] || ! grep -qF -- "$text" "$work/out"; then
    echo "FAILED: ptxsim $*: exit $got, expected $want with '$text':"
    head -5 "$work/out"
    failures=$((failures + 1))
  fi
}

cat >"$work/k.ptx" <<'PTX'
.version 8.0
.target sm_80
.address_size 64
.visible .entry scale(.param .u64 x, .param .u64 y, .param .f32 by, .param .u32 n)
{
  .reg .pred %p<2>; .reg .b32 %r<6>; .reg .b64 %rd<6>; .reg .f32 %f<4>;
  ld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; ld.param.f32 %f1, [by]; ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 ret;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd4, %rd1, %rd3; add.s64 %rd5, %rd2, %rd3;
  ld.global.f32 %f2, [%rd4];
  mul.f32 %f3, %f2, %f1;
  st.global.f32 [%rd5], %f3;
  ret;
}
.visible .entry odd() { wgmma.fence.sync.aligned; ret; }
PTX
printf 'nonsense' >"$work/bad.ptx"
scale=("$work/k.ptx" --kernel scale --grid 2 --block 64 --arg buffer:100f32=iota --arg buffer:100f32)

runs 0 'Exit status' --help
runs 0 'argument 1: 0 0.5 1 1.5' "${scale[@]}" --arg f32:0.5 --arg i32:100 --print 4
runs 0 '2.00 sectors a request' "${scale[@]}" --arg f32:0.5 --arg i32:16 --counters
runs 0 'holds for all inputs' "${scale[@]}" --arg f32:0.5 --arg i32:100 --taint
runs 0 '"findings": []' "${scale[@]}" --arg f32:0.5 --arg i32:100 --json
runs 1 'out of bounds in scale (PTX line 14), block (1,0,0), thread (36,0,0)' "${scale[@]}" --arg f32:0.5 --arg i32:101
runs 1 '"kind": "out of bounds"' "${scale[@]}" --arg f32:0.5 --arg i32:101 --json
runs 1 'uninitialised' "$work/k.ptx" --kernel scale --grid 1 --block 32 --arg buffer:32f32 --arg buffer:32f32 --arg f32:1 --arg u32:32
runs 0 'odd  shared 0, local 0, cannot be run' "$work/k.ptx" --list
runs 4 'wgmma.fence.sync.aligned;' "$work/k.ptx" --check
runs 4 'wgmma.fence.sync.aligned;' "$work/k.ptx" --kernel odd --grid 1 --block 32
runs 2 'no kernel' "$work/k.ptx" --kernel none --grid 1 --block 32
runs 2 'which file' --kernel scale
runs 2 'which kernel' "$work/k.ptx"
runs 2 'arguments' "$work/k.ptx" --kernel scale --grid 1 --block 32
runs 2 'has 4 bytes, and the parameter 8' "$work/k.ptx" --kernel scale --grid 1 --block 32 --arg i32:1 --arg i32:1 --arg f32:1 --arg i32:1
runs 2 'no type' "${scale[@]}" --arg q8:1 --arg i32:1
runs 2 'is no value' "${scale[@]}" --arg f32:1 --arg i32:1 --async never
runs 2 'unknown' "${scale[@]}" --arg f32:1 --arg i32:1 --nonsense
runs 2 'a block of (2000,1,1)' "$work/k.ptx" --kernel scale --grid 1 --block 2000 --arg buffer:1f32 --arg buffer:1f32 --arg f32:1 --arg i32:1
runs 3 'line 1: no PTX' "$work/bad.ptx" --list
runs 3 'cannot be read' "$work/missing.ptx" --list
[ $failures = 0 ] || exit 1
