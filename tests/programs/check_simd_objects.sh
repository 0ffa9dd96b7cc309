#!/usr/bin/env bash
# Objects compiled for one ISA must define no weak symbol: the linker may keep that copy for everyone, also for machines without the ISA.
# Usage: check_simd_objects.sh OBJECT...
set -u
[ $# -gt 10 ] || { echo "FAILED: $# objects given"; exit 1; }
weak=$(nm -C "$@" | grep -E ' [WVu] ' | grep -v ' V template parameter object for ')  # that is data, without an instruction
strong=$(nm -C "$@" | grep -c -E ' [TDR] tern::(scalar|avx2|avx512|neon)::')
if [ -n "$weak" ]; then echo "weak symbols:"; echo "$weak"; echo "0 passed, 1 failed"; exit 1; fi
[ "$strong" -gt 50 ] || { echo "FAILED: only $strong kernels found"; exit 1; }
echo "1 passed, 0 failed"
