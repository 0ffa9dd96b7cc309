#!/usr/bin/env bash
# Coverage-guided fuzzing with clang's libFuzzer. Usage:
#   fuzz.sh build CMAKE BUILD_DIR LIBTERN     builds every target of this folder into BUILD_DIR
#   fuzz.sh run BUILD_DIR NAME                runs one for TERN_FUZZ_SECONDS (60); what it finds is kept in BUILD_DIR/corpus/NAME. The
#                                             same walk every time; TERN_FUZZ_SEED (1) takes another, 0 a random one
# A crash, a leak, 10 s or 2 GB for one input fail (with 1: libFuzzer's own code for that is 77, which ctest takes for skipped), and leave the
# input in BUILD_DIR/crashes. Exit code 77: no clang with libFuzzer here.
set -u
here=$(cd "$(dirname "$0")" && pwd)

build() {
  cmake=$1 build=$2 library=$3
  rm -f "$build/ready"
  mkdir -p "$build"
  if ! command -v clang++ >/dev/null; then
    echo "skipped: clang++ is not installed, so nothing is fuzzed"
    exit 77
  fi
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$build/probe.cpp"
  if ! clang++ -fsanitize=fuzzer,address,undefined "$build/probe.cpp" -o "$build/probe" 2>"$build/log"; then
    echo "skipped: this clang has no libFuzzer (install libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev), so nothing is fuzzed"
    exit 77
  fi
  "$cmake" -S "$here" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE= -DTERN_LIBRARY="$library" >"$build/log" 2>&1 &&
    "$cmake" --build "$build" >"$build/log" 2>&1 || { tail -40 "$build/log"; exit 1; }
  touch "$build/ready"
}

run() {
  build=$1 name=$2
  if ! [ -f "$build/ready" ]; then
    echo "skipped: the fuzz targets are not built (see fuzz/build)"
    exit 77
  fi
  mkdir -p "$build/corpus/$name" "$build/crashes"
  words=()
  [ -f "$here/$name.dict" ] && words=("-dict=$here/$name.dict")
  exec "$build/$name" -error_exitcode=1 -seed="${TERN_FUZZ_SEED:-1}" -max_total_time="${TERN_FUZZ_SECONDS:-60}" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$build/crashes/$name-" "${words[@]}" "$build/corpus/$name" "$here/seeds/$name" 2>&1
}

"$@"
