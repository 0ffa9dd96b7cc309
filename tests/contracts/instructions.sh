#!/usr/bin/env bash
# The instruction count of run() must be the same for zeros, random numbers, subnormals and NaN, on every model of the folders.
# Usage: instructions.sh COUNT_INSTRUCTIONS BRANCHING_PROGRAM MODELS_FOLDER...
# BRANCHING_PROGRAM has a planted branch on its data: its counts must differ, or this check could not fail.
set -u
. "$(dirname "$0")/counted.sh"
program=$1 planted=$2
shift 2
failed=0 passed=0
check() {  # check NAME COUNT...
  if all_equal "${@:2}"; then passed=$((passed + 1)); else echo "FAILED: $1: zeros, random, subnormals, nan: ${*:2}"; failed=$((failed + 1)); fi
}
read -r _ a b _ <<<"$(counted "$planted")"
if [ -n "${a:-}" ] && [ "$a" != "$b" ]; then passed=$((passed + 1)); else echo "FAILED: a planted branch went unnoticed ($a, $b)"; failed=$((failed + 1)); fi
for model in $(printf "%s/*/model.onnx " "$@"); do
  read -r name counts <<<"$(counted "$program" "$model" 2)"
  check "$model" ${counts:-}
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
