#!/usr/bin/env bash
# What inputs are called, how large they are, and which initializers are inputs too. Usage: inputs.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
models=$data/command

# ---- names of dimensions ----
expect 0 "names that look like expressions, sizes from arrays" verify "$models/dims.onnx" "$models/dims.npz"
expect 0 "inspect shows them as they are" inspect "$models/dims.onnx"
check "the input" grep -q '^input     x: f32\[batch-size,a b,2\]$' "$work/out"
expect 0 "bench without sizes" bench "$models/dims.onnx" --seconds 0.02
check "each name is one dimension, of 1" grep -q "'batch-size' = 1, 'a b' = 1" "$work/err"
expect 0 "run with sizes" run "$models/dims.onnx" --input iota --dim batch-size=4 --dim 'a b=1'
check "they are taken" grep -q '^y: f32\[4,1,2\]$' "$work/out"
expect 2 "a part of a name is none" run "$models/dims.onnx" --input iota --dim batch=4
expect 0 "None is a size of its own each time" verify "$models/unrelated.onnx" "$models/unrelated.npz"

# ---- initializers that are inputs too ----
expect 0 "an initializer's recorded value" verify "$models/overridable.onnx" "$models/overridable.npz"
expect 0 "in the evaluator too" verify "$models/overridable.onnx" "$models/overridable.npz" --evaluate
expect 0 "inspect names them" inspect "$models/overridable.onnx"
check "on one line" grep -q '^defaults  w=1, b: --input' "$work/out"
expect 0 "not given: the default" run "$models/overridable.onnx" --input x="$models/overridable.npz:in_x"
check "it is used" grep -q '\[\[ *6 *10 *14\]\]' "$work/out"
expect 0 "given" run "$models/overridable.onnx" --input x="$models/overridable.npz:in_x" --input w=1="$models/overridable.npz:in_w=1"
check "it is replaced, another one stays" grep -q '\[\[ *60 *91 *122\]\]' "$work/out"
expect 0 "bench with it" bench "$models/overridable.onnx" --seconds 0.02 --input w=1=ones
expect 3 "another shape than the default's" run "$models/overridable.onnx" --input x="$models/overridable.npz:in_x" --input b="$models/overridable.npz:in_w=1"

# ---- inputs of gigabytes ----
(ulimit -v 2000000; "$tern" run "$models/large_input.onnx" --input random > "$work/out" 2> "$work/err"); code=$?
check "a plan is refused before its inputs are made up" test $code = 4
check "and the remedy is told" grep -q 'raise --budget' "$work/err"
(ulimit -v 2000000; "$tern" run "$models/large_input.onnx" --input random --evaluate > "$work/out" 2> "$work/err"); code=$?
check "so is an evaluation" test $code = 4

# ---- random indices ----
expect 0 "indices into one row" verify "$models/one_entry.onnx" "$models/one_entry.npz"
for how in "run" "run --evaluate" "bench --seconds 0.02"; do
  # shellcheck disable=SC2086
  expect 0 "$how with random ones" $how "$models/one_entry.onnx" --input random --dim n=8
  check "it says that they are zeros" grep -qF 'random integers do not fit' "$work/err"
done
expect 3 "indices that are given stay" bench "$models/one_entry.onnx" --input iota --dim n=8

finish
