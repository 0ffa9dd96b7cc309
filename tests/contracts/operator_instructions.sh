#!/usr/bin/env bash
# The instruction count of run() must be the same for zeros, random numbers, subnormals and NaN, operator by operator.
# That a branch on data is noticed at all, instructions.sh checks with a planted one. Usage: operator_instructions.sh COUNT_OPERATORS
set -u
program=$1
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
export TERN_ISA=avx2  # valgrind knows no AVX-512
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kind in zeros random subnormals nan; do
  mkdir "$work/$kind"
  valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/$kind/out" "$program" $kind >"$work/$kind.names" 2>"$work/$kind.log" ||
    { cat "$work/$kind.log"; echo "0 passed, 1 failed"; exit 1; }
  number=0
  while read -r op; do
    number=$((number + 1))
    echo "$number $op $(sed -n 's/^totals: *//p' "$work/$kind/out.$number" | head -1)"
  done <"$work/$kind.names" >"$work/$kind.counts"
done
passed=0 failed=0
while read -r number op count; do
  line="" bad=0
  for kind in zeros random subnormals nan; do
    n=$(awk -v number="$number" '$1 == number {print $3}' "$work/$kind.counts")
    line="$line $kind ${n:-none}"
    [ "${n:-0}" -gt 0 ] && [ "$n" = "$count" ] || bad=1
  done
  if [ $bad = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $op:$line"
  fi
done <"$work/random.counts"
[ $passed -gt 80 ] || { echo "only $passed operators were counted"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed"
[ $failed = 0 ]
