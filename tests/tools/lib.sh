# What the scripts here share; sourced with the arguments TERN TEST_DATA. Ends with `finish`.
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
# says "text": the error of the last run, one line, holds it
says() { check "it says: $1" grep -qF -- "$1" "$work/err"; check "in one line" one_error_line; }
one_error_line() { [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q '^tern: .*: ' "$work/err"; }
is_json() { python3 -m json.tool "$work/out"; }
if ! command -v python3 >/dev/null; then is_json() { head -c 1 "$work/out" | grep -q '{'; }; fi
finish() { echo "$passed passed, $failed failed"; [ $failed = 0 ]; }
