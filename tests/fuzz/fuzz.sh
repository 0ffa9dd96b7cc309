#!/usr/bin/env bash
# Coverage-guided fuzzing with clang's libFuzzer, in the sanitized build. Usage: fuzz.sh BUILD_DIR NAME
#   Runs one target for TERN_FUZZ_SECONDS (3, youngest readers 60); what it finds worth keeping goes to BUILD_DIR/corpus/NAME. The same walk every time;
#   TERN_FUZZ_SEED (1) takes another, 0 a random one.  By hand for longer: TERN_FUZZ_SECONDS=3600 TERN_FUZZ_SEED=0 ctest -L fuzz
# A crash, a leak, 60 s or 2 GB for one input fail, and leave the input in BUILD_DIR/crashes (a loop that spends its whole budget of work takes 9 s with
# sanitizers, more on a busy machine). They exit with 1: libFuzzer's own code is 77, which ctest takes for skipped.
# Exit code 77: no clang with libFuzzer here, so the targets were not built.
set -u
here=$(cd "$(dirname "$0")" && pwd) build=$1 name=$2
if ! [ -x "$build/tests/fuzz_$name" ]; then
  echo "skipped: no clang with libFuzzer is installed (libclang-rt-N-dev), so nothing is fuzzed"
  exit 77
fi
seconds=3 seeds=($here/seeds/$name) words=$here/$name.dict  # what the target begins with: seeds of its own, or recorded files
case $name in
  onnx) seeds=(-seed_inputs="$(find "$here/../data/node" -name '*.onnx' | sort | awk 'NR % 8 == 1' | paste -sd,)") ;;  # all of them take a minute
  tensor_proto) seeds=($here/../data/node) ;;
  safetensors) seeds=($here/../data/torch/safetensors) ;;
  hdf5) seeds=($here/../data/hdf5/few) ;;
  bundle) seeds=($here/../data/tensorflow/saved_models/linear/model/variables) ;;
  saved_model) seeds=($here/../data/tensorflow/saved_models) ;;
  interpret) seeds=($here/seeds/arch) words=$here/arch.dict ;;
esac
case $name in hdf5 | bundle | keras) seconds=60 ;; esac
mkdir -p "$build/corpus/$name" "$build/crashes"
options=()
[ -f "$words" ] && options=("-dict=$words")
exec "$build/tests/fuzz_$name" -error_exitcode=1 -seed="${TERN_FUZZ_SEED:-1}" -max_total_time="${TERN_FUZZ_SECONDS:-$seconds}" -max_len=65536 -timeout=60 -rss_limit_mb=2048 \
  -print_final_stats=1 -verbosity=1 -artifact_prefix="$build/crashes/$name-" "${options[@]}" "$build/corpus/$name" "${seeds[@]}" 2>&1
