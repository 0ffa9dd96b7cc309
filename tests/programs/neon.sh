#!/usr/bin/env bash
# NEON without an ARM machine: base, kernels and runtime compiled for AArch64, their tests run by qemu, and what every operator gives in the
# kernels' tests compared to the bit with this machine's. Usage: neon.sh CMAKE SOURCE_DIR BUILD_DIR TESTS_KERNELS XTENSOR_DIR (of the ordinary build)
# Skipped (77) where g++-aarch64-linux-gnu or qemu-user is missing.
set -u
cmake=$1 source=$2 build=$3 native=$4 xtensor=$5
command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null || { echo "skipped: no compiler for AArch64 or no qemu"; exit 77; }
mkdir -p "$build"
"$cmake" -S "$source" -B "$build" -G Ninja -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_EXE_LINKER_FLAGS=-static -DTERN_LOADERS=OFF -DTERN_CUDA=OFF -Dxtensor_DIR="$xtensor" >"$build/log" 2>&1 &&
  "$cmake" --build "$build" --target tests_base tests_kernels tests_runtime check_math >"$build/log" 2>&1 || { tail -40 "$build/log"; exit 1; }
on_arm() { qemu-aarch64 "$@"; }
options="--no-intro --no-version"
TERN_RECORD=$build/native.txt "$native" $options >"$build/log" 2>&1 || { tail -20 "$build/log"; exit 1; }
TERN_RECORD=$build/neon.txt on_arm "$build/tests/tests_kernels" $options || exit 1
# the last words of a process that aborts have a line of qemu's own among them
on_arm "$build/tests/tests_base" $options "--source-file-exclude=*/base/status.cpp,*/base/attributes.cpp" || exit 1
on_arm "$build/tests/tests_runtime" $options || exit 1
on_arm "$build/tests/check_math" --stride 262147 || exit 1
lines=$(wc -l <"$build/neon.txt")
[ "$lines" -gt 1000 ] || { echo "FAILED: only $lines results were recorded"; exit 1; }
# sorted: in which order the arguments of a call are computed differs
diff <(sort "$build/native.txt") <(sort "$build/neon.txt") >"$build/differences" || { echo "FAILED: results differ between machines"; head -20 "$build/differences"; exit 1; }
echo "$lines results of operators are the same on both machines"
