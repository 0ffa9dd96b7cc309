#!/usr/bin/env bash
# Names, shapes, metadata and errors of hostile files reach neither stdout nor stderr raw, nor the files that the command writes for people.
# Usage: terminal.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
hostile=$data/command
# Controls but newline, C1 (as UTF-8 and alone), marks of direction, separators, byte-order marks, and bytes that are no UTF-8 (0x9b, 0xff).
raw='[\x00-\x08\x0b-\x1f\x7f\xff]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b\x8e\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|(?<![\xc2-\xf4\x80-\xbf])[\x80-\xbf]'
quiet() { ! LC_ALL=C grep -qaP "$raw" "$@"; }
printf 'e\033[31m\n' >"$work/planted" && check "the search finds what is planted" bash -c "! $(declare -f quiet); raw='$raw'; ! quiet '$work/planted'"
# shows CODE "what" ARGS...: the exit code, and nothing raw on either stream
shows() {
  expect "$@"
  check "$2: nothing raw on stdout" quiet "$work/out"
  check "$2: nothing raw on stderr" quiet "$work/err"
}
for f in names strings operator edge; do cp "$hostile/$f.onnx" "$work/$f.onnx"; done
m=$work/names.onnx
shows 0 "inspect" inspect "$m" --dot "$work/graph.dot"
check "the name is shown all the same" grep -qF 'x'"e\\x1b]0;pwned\\x07" "$work/out"
check "a name is one line" bash -c "[ \$(grep -c '^input ' '$work/out') = 1 ] && ! grep -q '^y' '$work/out'"
check "--dot: nothing raw" quiet "$work/graph.dot"
shows 0 "inspect --json" inspect "$m" --json
check "it is JSON" is_json
check "with the name as it is" bash -c "python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert \"\\x1b]0;pwned\\x07\" in d[\"inputs\"][0][\"name\"] and \"\\u202e\" in d[\"inputs\"][0][\"name\"]' '$work/out' || ! command -v python3"
for stage in load infer fold transpose fuse plan; do
  shows 0 "dump --after $stage" dump "$m" --after $stage
  shows 0 "dump --after $stage --json" dump "$m" --after $stage --json
  check "it is JSON" is_json
done
shows 0 "run" run "$m" --input iota --output-dir "$work/outputs"
shows 0 "run --json" run "$m" --input iota --json
check "it is JSON" is_json
shows 0 "run --evaluate" run "$m" --input iota --evaluate
shows 0 "strings" run "$work/strings.onnx" --input iota --output-dir "$work/outputs"
shows 0 "strings as JSON" run "$work/strings.onnx" --input iota --json
check "it is JSON" is_json
printf 'l\033[31m\xc2\x9b\xe2\x80\xae\xff\n' >"$work/labels"
shows 0 "run --labels" run "$m" --input iota --top 2 --labels "$work/labels"
shows 0 "run --labels --json" run "$m" --input iota --top 2 --labels "$work/labels" --json
check "it is JSON" is_json
shows 0 "verify" verify "$m" "$hostile/names.npz"
shows 0 "verify --json" verify "$m" "$hostile/names.npz" --json
shows 3 "verify with arrays of other names" verify "$m" "$hostile/other.npz"
shows 0 "bench" bench "$m" --seconds 0.02 --per-node --svg "$work/bench.svg"
shows 0 "bench --json" bench "$m" --seconds 0.02 --per-node --json
check "it is JSON" is_json
shows 0 "convert" convert "$m" -o "$work/converted.onnx"
shows 0 "inspect what was converted" inspect "$work/converted.onnx"
shows 2 "no input" run "$m"
shows 2 "an input that the model has not" run "$m" --input z=zeros
shows 2 "a dimension that the model has not" run "$m" --input iota --dim "$(printf 'a\033[31m\xe2\x80\xae')=3"
for word in "$(printf 'b\033[2J')" "$(printf 'x\xc2\x9b1m')" "$(printf 'y\xe2\x80\xae')"; do
  shows 2 "a command of control characters" "$word"
  shows 2 "an option of control characters" run "$m" "--$word"
  shows 2 "a source of control characters" run "$m" --input "$word"
  shows 2 "a choice of control characters" run "$m" --device "$word"
  shows 3 "a model of control characters" inspect "$work/$word.onnx"
  cp "$m" "$work/$word.onnx"
  shows 0 "a file name of control characters" bench "$work/$word.onnx" --seconds 0.02 --svg "$work/$word.svg"
  check "--svg: nothing raw" quiet "$work/$word.svg"
  shows 0 "convert to control characters" convert "$m" -o "$work/new$word.onnx"
done
shows 4 "an operator of control characters" inspect "$work/operator.onnx"
shows 3 "an edge of control characters" run "$work/edge.onnx" --input iota
shows 0 "inspect weights" inspect "$hostile/names.safetensors"
shows 0 "inspect weights --json" inspect "$hostile/names.safetensors" --json
check "it is JSON" is_json
shows 0 "inspect --suggest-arch" inspect "$hostile/names.safetensors" --suggest-arch
printf 'Net(\n  (a\033[31m): Frob\xe2\x80\xae()\n)\n' >"$work/net.txt"
shows 3 "an architecture of control characters" run "$hostile/names.safetensors" --arch "$work/net.txt" --input iota
mkdir -p "$work/cases/$(printf 'c\033[31m')/test_data_set_0"
cp "$work/edge.onnx" "$work/cases/$(printf 'c\033[31m')/model.onnx"
shows 1 "conformance" conformance "$work/cases"
shows 1 "conformance --json" conformance "$work/cases" --json -
check "it is JSON" is_json
shows 0 "kernels" kernels
finish
