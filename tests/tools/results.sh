#!/usr/bin/env bash
# What run, inspect and convert give: the top K alone, metadata, totals that are the sum of their rows, the fused graph. Usage: results.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
models=$data/command

# ---- run ----
expect 0 "--top of two rows" run "$models/rows_f32.onnx" --input iota --dim batch=2 --top 2
check "they are the largest, and nothing else" diff <(printf 'y_x: f32[2,3]\n  row 0  2  2\n  row 0  1  1\n  row 1  2  5\n  row 1  1  4\n') "$work/out"
expect 0 "--top of a thousand" run "$models/axis.onnx" --input iota --dim n=1000 --top 3
check "three lines and no thousand numbers" diff <(printf 'y_x: f32[1000]\n  999  999\n  998  998\n  997  997\n') "$work/out"
expect 0 "--top of more than there are" run "$models/axis4.onnx" --input iota --top 9
check "all of them" test "$(grep -c '^  ' "$work/out")" = 4
expect 0 "--top as JSON" run "$models/rows_f32.onnx" --input iota --dim batch=2 --top 2 --json
check "it is JSON" is_json
check "the top and no values" diff <(printf '"top": [{"row": 0, "index": 2, "label": "2", "value": 2}, {"row": 0, "index": 1, "label": "1", "value": 1}, {"row": 1, "index": 2, "label": "2", "value": 5}, {"row": 1, "index": 1, "label": "1", "value": 4}]\n') <(grep -o '"top": \[[^]]*\]\|"values".*' "$work/out")
expect 0 "--top of many rows" run "$models/rows_f32.onnx" --input iota --dim batch=5000 --top 1
check "three at each end" diff <(printf 'y_x: f32[5000,3]\n  row 0  2  2\n  row 1  2  5\n  row 2  2  8\n  ...\n  row 4997  2  14993\n  row 4998  2  14996\n  row 4999  2  14999\n') "$work/out"
expect 0 "--top of large integers" run "$models/rows_i64.onnx" --input iota --dim batch=500000 --top 1
check "they have all their digits" grep -q '^  row 499999  2  1499999$' "$work/out"
printf 'cat\ndog\r\nbird' >"$work/labels"
expect 0 "--labels" run "$models/rows_f32.onnx" --input iota --dim batch=1 --top 2 --labels "$work/labels"
check "rows have names" grep -q '^  bird  2$' "$work/out"
expect 0 "--top of strings" run "$models/rows_string.onnx" --input x="$data/command/words.npy" --top 2
check "they are printed as they are" grep -q '"b"' "$work/out"
expect 0 "a picture" run "$mlp" --input "$seven" --top 1
check "is not drawn" test "$(wc -l <"$work/out")" = 2
expect 0 "--draw" run "$mlp" --input "$seven" --top 1 --draw
check "draws it" test "$(wc -l <"$work/out")" -gt 8

# ---- inspect ----
expect 0 "metadata of ONNX" inspect "$models/metadata.onnx"
for line in 'domain: org.example' 'model_version: 7' 'doc_string: what it is for' 'graph.doc_string: what it computes' 'license: MIT' "classes: {0: 'cat', 1: 'dog'}"; do
  check "it shows $line" grep -qx "metadata  $line" "$work/out"
done
check "long ones are abridged" grep -Eqx 'metadata  long: x{100}\.\.\.' "$work/out"
expect 0 "as JSON" inspect "$models/metadata.onnx" --json
check "it is JSON" is_json
check "whole" grep -Eq '"metadata": \{"domain": "org.example", .*"license": "MIT", .*"long": "x{1000}"\}' "$work/out"
expect 0 "metadata of safetensors" inspect "$models/metadata.safetensors"
check "it shows the license" grep -qx 'metadata  license: Apache-2.0' "$work/out"
expect 0 "as JSON" inspect "$models/metadata.safetensors" --json
check "it is there" grep -qF '"metadata": {"format": "pt", "license": "Apache-2.0"}' "$work/out"

sums() { tr -d ',' <"$work/out" | awk '/^layer/ {rows = 1; next} /^$/ {rows = 0} rows {sum += $NF} /^MACs/ {total = $2} END {exit !(total != "" && sum == total)}'; }
for dims in "" "--dim batch=8"; do
  # shellcheck disable=SC2086
  expect 0 "inspect $dims" inspect "$mlp" $dims
  check "the MACs of the rows add up to the total" sums
  check "none is unknown" bash -c "! grep -q ' ?\$' '$work/out'"
done
for model in digits_cnn orderbook_tcn transformer_encoder_opset13; do
  expect 0 "inspect $model" inspect "$data/models/$model/model.onnx"
  check "the MACs of the rows add up to the total" sums
done
expect 0 "a dimension of its own" inspect "$models/metadata.onnx" --dim batch=8
check "a row has its number" grep -Eq '^fc +MatMul +\[8,2\] +6 +48$' "$work/out"

expect 0 "--dot" inspect "$models/metadata.onnx" --dot "$work/graph.dot"
check "has the file's operators" bash -c "grep -q 'MatMul fc' '$work/graph.dot' && grep -q Relu '$work/graph.dot'"
expect 0 "--dot --fused" inspect "$models/metadata.onnx" --dot "$work/fused.dot" --fused
check "has the fused one" bash -c "grep -q '^digraph' '$work/fused.dot' && grep -q Linear '$work/fused.dot' && ! grep -q Relu '$work/fused.dot'"
# ---- convert ----
expect 0 "convert" convert "$models/metadata.onnx" -o "$work/converted.onnx"
"$tern" inspect "$models/metadata.onnx" --json >"$work/before" 2>"$work/err"
expect 0 "inspect what was written" inspect "$work/converted.onnx" --json
metadata() { grep -o '"metadata": {[^}]*}' "$1"; }
check "it says of itself what the file said" diff <(metadata "$work/before") <(metadata "$work/out")

# ---- more of inspect ----
expect 2 "--fused alone" inspect "$models/metadata.onnx" --fused
says "--fused goes with --dot FILE"
if command -v dot >/dev/null; then
  for f in graph fused; do check "Graphviz reads $f" dot -Tsvg "$work/$f.dot" -o "$work/dot.svg"; done
fi
finish
