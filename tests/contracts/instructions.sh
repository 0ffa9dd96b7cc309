#!/usr/bin/env bash
# The instruction count of run() must be the same for zeros, random numbers, subnormals and NaN, on every model of the folders.
# Usage: instructions.sh COUNT_INSTRUCTIONS BRANCHING_PROGRAM MODELS_FOLDER...
# BRANCHING_PROGRAM has a planted branch on its data: its counts must differ, or this check could not fail.
set -u
program=$1 planted=$2
shift 2
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
export TERN_ISA=avx2  # valgrind knows no AVX-512
count() {  # count PROGRAM ARGS...: instructions collected
  valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
failed=0 passed=0
a=$(count "$planted" zeros) b=$(count "$planted" random)
if [ -n "$a" ] && [ "$a" != "$b" ]; then passed=$((passed + 1)); else echo "FAILED: a planted branch went unnoticed ($a, $b)"; failed=$((failed + 1)); fi
for model in $(printf "%s/*/model.onnx " "$@"); do
  first='' line=''
  for kind in zeros random subnormals nan; do
    n=$(count "$program" "$model" "$kind" 2)
    line="$line $kind ${n:-none}"
    [ -z "$first" ] && first=${n:-none}
    if [ -z "$n" ] || [ "$n" = 0 ] || [ "$n" != "$first" ]; then bad=1; else bad=0; fi
    [ $bad = 1 ] && break
  done
  name=$(basename "$(dirname "$model")")
  if [ $bad = 0 ]; then passed=$((passed + 1)); else echo "FAILED: $name:$line"; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
