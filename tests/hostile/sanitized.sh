#!/usr/bin/env bash
# The tests once more, compiled with ASan and UBSan. Usage:
#   sanitized.sh build CMAKE SOURCE_DIR BUILD_DIR COMPILER SIMD_OBJECT...   by clang with the fuzz targets where there is one, else by COMPILER
#   sanitized.sh run BUILD_DIR NAME                                         tests_NAME
# The objects of the SIMD kernels are those of the ordinary build (label `slow` compiles them too). No optimisation: compiling takes longer than running.
set -u
here=$(cd "$(dirname "$0")" && pwd)

build() {
  cmake=$1 source=$2 build=$3 compiler=$4 fuzz=OFF targets=(tests_base tests_kernels tests_runtime tests_loaders tests_hostile tern_command)
  shift 4
  mkdir -p "$build"
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$build/probe.cpp"
  if clang++ -fsanitize=fuzzer,address,undefined "$build/probe.cpp" -o "$build/probe" 2>/dev/null; then compiler=clang++ fuzz=ON targets+=(fuzz); fi
  "$cmake" -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Sanitized -DTERN_SANITIZE="address;undefined" -DTERN_FUZZ=$fuzz -DTERN_BENCH=OFF \
    -DTERN_SIMD_OBJECTS="$(IFS=';'; echo "$*")" >"$build/log" 2>&1 &&
    "$cmake" --build "$build" --target "${targets[@]}" >"$build/log" 2>&1 || { tail -40 "$build/log"; exit 1; }
}

run() { exec "$1/tests/tests_$2" --no-intro --no-version; }

"$@"
