#!/usr/bin/env bash
# The tests once more, compiled with ASan and UBSan. Usage:
#   sanitized.sh build CMAKE SOURCE_DIR BUILD_DIR COMPILER OBJECT...   by clang with the fuzz targets where there is one, else by COMPILER
#   sanitized.sh run BUILD_DIR NAME OPTION...                               tests_NAME, with doctest's options
#   sanitized.sh command_line BUILD_DIR TEST_DATA                           tools/command.sh with the sanitized command
#   sanitized.sh simd CMAKE SOURCE_DIR BUILD_DIR                            the SIMD kernels sanitized too, and all that runs them (label slow)
#   sanitized.sh threads CMAKE SOURCE_DIR BUILD_DIR                         what threads share, with TSan (label slow)
# But for `simd` and `threads` the objects of the SIMD kernels and of the tests are those of the ordinary build.
# No allocation of more than 1 GB and no process of more than 3 GB: a file that asks for as much must have been refused.
set -u
here=$(cd "$(dirname "$0")" && pwd)

build() {
  cmake=$1 source=$2 build=$3 compiler=$4 fuzz=OFF linker= targets=(tests_base tests_kernels tests_runtime tests_loaders tests_hostile tests_contracts tests_ptxsim tern_command)
  shift 4
  mkdir -p "$build"
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$build/probe.cpp"
  if clang++ -fsanitize=fuzzer,address,undefined "$build/probe.cpp" -o "$build/probe" 2>/dev/null; then
    compiler=clang++ fuzz=ON targets+=(fuzz)
    if clang++ -fuse-ld=lld -fsanitize=fuzzer "$build/probe.cpp" -o "$build/probe" 2>/dev/null; then linker=-fuse-ld=lld; fi  # twenty large programs
  fi
  "$cmake" -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Sanitized -DCMAKE_CXX_FLAGS=-O1 -DCMAKE_EXE_LINKER_FLAGS=$linker -DTERN_SANITIZE="address;undefined" -DTERN_FUZZ=$fuzz -DTERN_BENCH=OFF -DTERN_CUDA=OFF -DTERN_UNITE=ON \
    -DTERN_OBJECTS="$(IFS=';'; echo "$*")" >"$build/log" 2>&1 &&
    "$cmake" --build "$build" --target "${targets[@]}" >"$build/log" 2>&1 || { tail -40 "$build/log"; exit 1; }
}

# What is on the stack after its function returned is looked for where files are hostile: it takes a fifth of the time.
export ASAN_OPTIONS=max_allocation_size_mb=1024:hard_rss_limit_mb=3072:malloc_context_size=12
export LSAN_OPTIONS=suppressions=$here/leaks.txt:print_suppressions=0
run() {
  [ "$2" != hostile ] || ASAN_OPTIONS=$ASAN_OPTIONS:detect_stack_use_after_return=1
  exec "$1/tests/tests_$2" --no-intro --no-version "${@:3}"
}

command_line() { TERN_SANITIZED=1 exec "$here/../tools/command.sh" "$1/tern" "$2"; }

slow() {  # slow CMAKE SOURCE_DIR BUILD_DIR SANITIZERS TARGETS...
  cmake=$1 source=$2 build=$3 sanitizers=$4
  shift 4
  mkdir -p "$build"
  "$cmake" -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Sanitized -DCMAKE_CXX_FLAGS=-O1 -DTERN_SANITIZE="$sanitizers" -DTERN_BENCH=OFF -DTERN_CUDA=OFF -DTERN_UNITE=ON >"$build/log" 2>&1 &&
    "$cmake" --build "$build" --target "$@" >"$build/log" 2>&1 || { tail -40 "$build/log"; exit 1; }
}

# gcc misaligns AVX-512 variables on the stack that finds uses after return (its PR 110027), so that check is off here for all.
simd() {
  slow "$1" "$2" "$3" "address;undefined" tests_kernels tests_runtime tests_hostile tests_models
  for tests in kernels runtime hostile models; do "$3/tests/tests_$tests" --no-intro --no-version || exit 1; done
}

threads() {
  slow "$1" "$2" "$3" thread tests_contracts tests_runtime
  "$3/tests/tests_contracts" --no-intro --no-version --source-file='*embedding.cpp' --test-case-exclude='*64 KB*,*256 KB*,*fork*' || exit 1
  "$3/tests/tests_runtime" --no-intro --no-version --test-case='*thread*,*session*'
}

"$@"
