#!/usr/bin/env bash
# Builds the tests of the loaders with ASan and UBSan and runs them. Usage: sanitized.sh CMAKE SOURCE_DIR BUILD_DIR COMPILER SIMD_OBJECT...
# The objects of the SIMD kernels are those of the ordinary build: they see no byte of a file, and take minutes to compile.
set -u
cmake=$1 source=$2 build=$3 compiler=$4
shift 4
objects=$(IFS=';'; echo "$*")
mkdir -p "$build"
"$cmake" -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DTERN_SANITIZE="address;undefined" -DTERN_BENCH=OFF -DTERN_SIMD_OBJECTS="$objects" >"$build/log" 2>&1 &&
  "$cmake" --build "$build" --target tests_base tests_loaders tests_hostile >"$build/log" 2>&1 || { tail -40 "$build/log"; echo "0 passed, 1 failed"; exit 1; }
passed=0 failed=0
for tests in tests_base tests_loaders tests_hostile; do
  if "$build/tests/$tests" --no-intro --no-version; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
