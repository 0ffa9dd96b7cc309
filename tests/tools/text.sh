#!/usr/bin/env bash
# Models that work on text: strings as inputs and outputs, and the plan of what has none. Usage: text.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
model=$data/command/text.onnx recorded=$data/command/text.npz

# ---- inputs ----
expect 0 "recorded strings" verify "$model" "$recorded"
expect 0 "node by node" verify "$model" "$recorded" --evaluate
expect 0 "words, and other numbers" run "$model" --input "text=text:the cat sat" --input more=ones
check "the score" grep -q '\[\[ *1.5 *0.25\]\]' "$work/out"
check "the label" grep -q 'cats' "$work/out"
check "nothing is told" test ! -s "$work/err"
printf 'the cat\r\na dog\n\nx,y\tz "q"' >"$work/lines.txt"
expect 0 "lines" run "$model" --input text="$work/lines.txt" --input more=zeros
check "each is a sample, an empty one too" grep -q 'score: f32\[4,2\]' "$work/out"
check "their labels" grep -q '"cats" "cats" "cats" "cats"' "$work/out"
printf 'text\n' >"$work/name.txt"
expect 0 "a line that is the input's name is no heading" run "$model" --input text="$work/name.txt" --input more=zeros
: >"$work/empty.txt"
expect 3 "no lines" run "$model" --input text="$work/empty.txt" --input more=zeros
says "empty.txt"
expect 2 "strings are not made up" run "$model" --input more=zeros
expect 4 "random strings" run "$model" --input text=random --input more=zeros --dim batch=1
says "text:WORDS"
expect 3 "--dim against what the inputs have" run "$model" --input text=text:a --input more=zeros --dim batch=2

# ---- outputs ----
expect 0 "as files" run "$model" --input "text=text:cat" --input more=ones --output-dir "$work/results"
expect 0 "and back" run "$model" --input text="$work/results/label.npy" --input more=ones
expect 0 "as JSON" run "$model" --input "text=text:a cat" --input more=ones --json
check "that it is" is_json
check "in parts" grep -q '"in_parts": *true' "$work/out"
check "the label there" grep -q '"cats"' "$work/out"
if command -v python3 >/dev/null && python3 -c 'import numpy' 2>/dev/null; then
  python3 -c 'import sys, numpy as np
a = dict(np.load(sys.argv[1]), out_label=np.array(["cats", "cats", "cats"]))
np.savez(sys.argv[2], **a)' "$recorded" "$work/other.npz"
  expect 1 "another string is a difference" verify "$model" "$work/other.npz"
  check "it is named" grep -q 'label.*DIFFERENT' "$work/out"
fi

# ---- where the parts lie ----
expect 0 "inspect" inspect "$model"
check "before" grep -q '^part      before, .* nodes one by one: text: string\[batch\] -> is_cat: bool\[batch,?[0-9]*\]$' "$work/out"
check "the rest" grep -q '^part      rest, .* nodes by a plan: more: f32\[batch,2\], is_cat: bool\[batch,length\] -> ' "$work/out"
check "after" grep -q '^part      after, 1 nodes one by one: .* -> label: string\[batch\]$' "$work/out"
expect 0 "as JSON" inspect "$model" --json
check "that it is" is_json
check "planned or not" grep -q '"planned": *true' "$work/out"

# ---- the time of the plan alone ----
expect 0 "bench" bench "$model" --seconds 0.02 --input "text=text:a cat" --input more=random
check "it says so" grep -q 'timed is the part that has a plan' "$work/err"
expect 0 "of a model without text" bench "$mlp" --seconds 0.02
check "nothing of it" test ! "$(grep -c 'without text' "$work/err")" = 1
finish
