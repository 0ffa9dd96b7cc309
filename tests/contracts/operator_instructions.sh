#!/usr/bin/env bash
# The instruction count of run() must be the same for zeros, random numbers, subnormals and NaN, operator by operator.
# That a branch on data is noticed at all, instructions.sh checks with a planted one. Usage: operator_instructions.sh COUNT_OPERATORS
set -u
. "$(dirname "$0")/counted.sh"
passed=0 failed=0
while read -r op counts; do
  if all_equal $counts; then passed=$((passed + 1)); else echo "FAILED: $op: zeros, random, subnormals, nan: $counts"; failed=$((failed + 1)); fi
done < <(counted "$1")
[ $passed -gt 80 ] || { echo "only $passed operators were counted"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed"
[ $failed = 0 ]
