#!/usr/bin/env bash
# Files that the command writes: each output its own, nothing but regular files replaced, nothing half done left behind.
# Usage: files.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"

# ---- names of outputs ----
expect 0 "outputs whose names collide as files" run "$data/command/files.onnx" --input iota --output-dir "$work/outputs"
check "each has a file" test "$(ls "$work/outputs" | wc -l)" = 11
check "also where upper and lower case are one" test "$(ls "$work/outputs" | tr A-Z a-z | sort -u | wc -l)" = 11
check "a plain name is its file" test -s "$work/outputs/a_b.npy"
check "another one is told" grep -q 'note: output a/b is in .*/a_b-3.npy' "$work/err"
check "and nothing is above it" test "$(ls "$work" | sort | tr '\n' ' ')" = "err out outputs "

# ---- what is not replaced ----
writes() {  # writes FILE ARGS...: what is written, for each command
  local to=$1
  echo "convert $mlp -o $to"
  echo "inspect $mlp --dot $to"
  echo "bench $mlp --seconds 0.01 --svg $to"
  echo "conformance $data/random --only case_0001 --json $to"
}
echo precious >"$work/precious"
ln -s "$work/precious" "$work/link"
ln -s "$work/nowhere" "$work/dangling"
mkfifo "$work/pipe"
mkdir "$work/folder"
for target in link dangling pipe folder; do
  while read -r line; do
    # shellcheck disable=SC2086
    expect 3 "${line%% *} onto a $target" $line
    check "it says so" grep -q "$target: is .*; give another name" "$work/err"
  done < <(writes "$work/$target")
done
expect 3 "convert onto a device" convert "$mlp" -o /dev/null
check "which is still one" test -c /dev/null
check "what the link leads to is as it was" grep -qx precious "$work/precious"
check "the links are still links" test -L "$work/link" -a -L "$work/dangling" -a ! -e "$work/nowhere"
check "the pipe is a pipe" test -p "$work/pipe"
mkdir "$work/results" && ln -s "$work/precious" "$work/results/probabilities.npy"
expect 3 "--output-dir onto a link" run "$mlp" --input zeros --dim batch=1 --output-dir "$work/results"
check "what it leads to is as it was" grep -qx precious "$work/precious"
if [ "$(id -u)" != 0 ]; then
  echo old >"$work/protected" && chmod 400 "$work/protected"
  expect 3 "onto a file that is write-protected" convert "$mlp" -o "$work/protected"
  check "it is as it was" grep -qx old "$work/protected"
fi

# ---- what is ----
while read -r line; do
  echo old >"$work/file"
  # shellcheck disable=SC2086
  expect 0 "${line%% *} onto a file" $line
  check "it is new" bash -c "! grep -qx old '$work/file' && [ -s '$work/file' ]"
  rm "$work/file"
  expect 0 "${line%% *} to a new file" $line
  check "it is there" test -s "$work/file"
done < <(writes "$work/file")
check "its permissions are those of any new file" test "$(stat -c %a "$work/file")" = "$(touch "$work/touched" && stat -c %a "$work/touched")"
long=$work/$(printf '%0255d' 0)
expect 0 "a name as long as names may be" convert "$mlp" -o "$long"
check "it is there" test -s "$long"
expect 3 "a name that is longer" convert "$mlp" -o "${long}0"
check "in one line" one_error_line
rm "$long"

# ---- nothing half done ----
before=$(ls -A "$work" | sort)
(ulimit -f 16; trap '' XFSZ; "$tern" convert "$mlp" -o "$work/cut" >"$work/out" 2>"$work/err"; echo $? >"$work/code")
check "a disk that is full exits 3" grep -q '^3$' "$work/code"
rm "$work/code"
check "nothing is left" test "$(ls -A "$work" | sort)" = "$before"
(ulimit -f 16; ulimit -c 0; "$tern" convert "$mlp" -o "$work/cut"; true) >/dev/null 2>&1
check "nor by one that is killed in the middle" test "$(ls -A "$work" | sort)" = "$before"
finish
