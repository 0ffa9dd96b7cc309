#!/usr/bin/env bash
# The tern command as scripts see it: exit codes, streams, JSON. Usage: command.sh TERN TEST_DATA
set -u
tern=$1
data=$2
mlp=$data/models/digits_mlp/model.onnx
seven=$data/digits/digit_7_a.png
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
fail() { failed=$((failed + 1)); echo "FAILED: $1"; sed 's/^/    /' "$work/out" "$work/err" | head -5; }
# expect CODE "what" ARGS...: runs tern; output to $work/out and $work/err
expect() {
  local code=$1 what=$2 got=0
  shift 2
  "$tern" "$@" >"$work/out" 2>"$work/err" || got=$?
  if [ $got = "$code" ]; then passed=$((passed + 1)); else fail "$what: exit $got, not $code"; fi
}
# check "what" COMMAND...
check() { local what=$1; shift; if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); else fail "$what"; fi; }
one_error_line() { [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q '^tern: .*: ' "$work/err"; }
is_json() { python3 -m json.tool "$work/out"; }
if ! command -v python3 >/dev/null; then is_json() { head -c 1 "$work/out" | grep -q '{'; }; fi

expect 0 "--help" --help
check "--help goes to stdout" test -s "$work/out"
expect 0 "--version" --version
check "--version names the version" grep -Eq '^tern [0-9]+\.[0-9]+\.[0-9]+$' "$work/out"
for command in inspect run verify bench conformance dump kernels convert; do
  expect 0 "$command --help" $command --help
  check "$command --help says how it is used" grep -q "usage: tern $command" "$work/out"
done

expect 2 "no command"
expect 2 "an unknown command" frobnicate
check "it is one error line" one_error_line
expect 2 "an unknown option" run "$mlp" --frobnicate
expect 2 "an option without its value" run "$mlp" --input
expect 2 "no model" run
expect 2 "no input" run "$mlp"
check "it names the input" grep -q 'image' "$work/err"
expect 2 "a negative thread count" run "$mlp" --input zeros --threads -1
expect 2 "an unknown ISA" run "$mlp" --input zeros --isa sse9
expect 2 "a dimension that no input has" run "$mlp" --input zeros --dim nope=3
expect 2 "an unknown source" run "$mlp" --input file.txt
expect 3 "a missing model" run "$work/none.onnx" --input zeros
check "it is one error line" one_error_line
check "it names the file" grep -q 'none.onnx' "$work/err"
echo garbage >"$work/garbage.onnx"
expect 3 "a file that is no model" inspect "$work/garbage.onnx"
head -c 30000 "$mlp" >"$work/short.onnx"
expect 3 "a truncated model" inspect "$work/short.onnx"
expect 3 "a folder instead of a model" inspect "$work"
expect 4 "CUDA" run "$mlp" --input zeros --device cuda
expect 3 "an architecture file that is not there" inspect "$mlp" --arch model.py
expect 2 "convert without -o" convert "$mlp"
check "it is one error line" one_error_line
expect 2 "convert to the model itself" convert "$mlp" -o "$(dirname "$mlp")/../digits_mlp/model.onnx"
expect 2 "convert to nothing" convert "$mlp" -o ""
expect 3 "convert into a folder that is not there" convert "$mlp" -o "$work/none/out.onnx"
check "it is one error line" one_error_line
mkdir "$work/folder.onnx"
expect 3 "convert onto a folder" convert "$mlp" -o "$work/folder.onnx"
check "nothing is left behind" bash -c "! ls '$work' | grep -q part"
expect 3 "convert a file that is no model" convert "$work/garbage.onnx" -o "$work/out.onnx"
check "no file is made of it" test ! -e "$work/out.onnx"

expect 0 "inspect" inspect "$mlp" --dot "$work/graph.dot"
check "inspect counts parameters" grep -q '17,226' "$work/out"
check "--dot writes a graph" grep -q '^digraph' "$work/graph.dot"
expect 0 "inspect --json" inspect "$mlp" --dim batch=8 --json
check "it is JSON" is_json
check "a bound dimension is a number" grep -q '"shape": \[8, 10\]' "$work/out"
expect 0 "a picture" run "$mlp" --input "$seven" --top 1
check "seven is seen" grep -q '^  7  ' "$work/out"
check "no colours without a terminal" bash -c "! grep -q $'\033' '$work/out'"
expect 0 "--output-dir" run "$mlp" --input image="$data/models/digits_mlp/data.npz:in_image" --output-dir "$work/a/b"
check "it writes NAME.npy" test -s "$work/a/b/probabilities.npy"
cp "$work/a/b/probabilities.npy" "$work/plan.npy"
expect 0 "--evaluate" run "$mlp" --input "$data/models/digits_mlp/data.npz:in_image" --output-dir "$work/a/b" --evaluate
check "it has the same bits" cmp "$work/plan.npy" "$work/a/b/probabilities.npy"
expect 0 "--isa scalar" run "$mlp" --input "$data/models/digits_mlp/data.npz:in_image" --output-dir "$work/a/b" --isa scalar
check "it has the same bits" cmp "$work/plan.npy" "$work/a/b/probabilities.npy"
expect 0 "run --json" run "$mlp" --input random:3 --dim batch=2 --json
check "it is JSON" is_json
cp "$work/out" "$work/first"
expect 0 "the same seed again" run "$mlp" --input random:3 --dim batch=2 --json
check "it gives the same" cmp "$work/out" "$work/first"
expect 0 "another seed" run "$mlp" --input random:4 --dim batch=2 --json
check "it gives something else" bash -c "! cmp '$work/out' '$work/first'"
expect 3 "a file of another shape" run "$mlp" --input "$data/models/orderbook_tcn/data.npz:in_book"
expect 3 "a key that is not there" run "$mlp" --input "$data/models/digits_mlp/data.npz:nope"

expect 0 "verify" verify "$mlp" "$data/models/digits_mlp/data.npz" --rtol 1e-4 --atol 1e-5
expect 1 "verify to the last bit" verify "$mlp" "$data/models/digits_mlp/data.npz" --ulp 1
expect 3 "verify against nothing" verify "$mlp" "$work"

echo old >"$work/out.onnx"
expect 0 "convert" convert "$data/models/transformer_encoder_opset13/model.onnx" -o "$work/out.onnx"
check "it tells opset and bytes" grep -q "; opset 18, $(wc -c <"$work/out.onnx") bytes\$" "$work/out"
check "in one line" test "$(wc -l <"$work/out")" = 1
expect 0 "verify what was converted" verify "$work/out.onnx" "$data/models/transformer_encoder_opset13/data.npz" --rtol 1e-4 --atol 1e-5
expect 0 "inspect it" inspect "$work/out.onnx"
check "tern made it" grep -q 'tern 0' "$work/out"
(ulimit -f 16; trap '' XFSZ; "$tern" convert "$data/models/digits_cnn/model.onnx" -o "$work/cut.onnx" >"$work/out" 2>"$work/err"; echo $? >"$work/code")
check "a disk that is full exits 3" grep -q '^3$' "$work/code"
check "it is one error line" one_error_line
check "and leaves nothing behind" bash -c "! ls '$work' | grep -q cut.onnx"

expect 0 "conformance" conformance "$data/random" --only 'case_00[01]*' --json "$work/results.json"
check "its last line counts" bash -c "tail -1 '$work/out' | grep -Eq '^[0-9]+ passed, 0 failed, 0 skipped\$'"
cp "$work/results.json" "$work/out"
check "it is JSON" is_json
mkdir -p "$work/cases/wrong/test_data_set_0"
cp "$data"/random/case_0001/model.onnx "$work/cases/wrong"
cp "$data"/random/case_0001/test_data_set_0/* "$work/cases/wrong/test_data_set_0"
for f in "$work"/cases/wrong/test_data_set_0/output_*.pb; do python3 - "$f" <<'P' 2>/dev/null || true
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[-1] ^= 0x40; open(sys.argv[1], "wb").write(b)
P
done
command -v python3 >/dev/null && expect 1 "a case with wrong outputs" conformance "$work/cases"
expect 3 "conformance without cases" conformance "$work/a"

expect 0 "bench --json" bench "$mlp" --seconds 0.05 --per-node --json --svg "$work/bench.svg"
check "it is JSON" is_json
for key in model device isa threads runs min_ns p50_ns p90_ns p99_ns p999_ns p9999_ns max_ns mean_ns macs weight_bytes arena_bytes allocations page_faults control canary_gflops nodes kernel; do
  check "bench tells $key" grep -q "\"$key\"" "$work/out"
done
check "run() allocates nothing" grep -q '"allocations": 0,' "$work/out"
check "--svg draws" grep -q '</svg>' "$work/bench.svg"
for stage in load infer fold fuse plan; do expect 0 "dump --after $stage" dump "$mlp" --after $stage --dim batch=1; done
check "the plan names kernels" grep -q 'softmax/f32/' "$work/out"
expect 2 "dump --after nothing known" dump "$mlp" --after lunch
expect 0 "kernels --json" kernels --json
check "it is JSON" is_json
check "kernels lists softmax" grep -q '"softmax/f32/scalar"' "$work/out"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
