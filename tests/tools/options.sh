#!/usr/bin/env bash
# Commands and options: one table is the parser, the help, the manual and the completion; what is mistyped gets a hint.
# Usage: options.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
sources=$(cd "$(dirname "$0")/../../tools/tern" && pwd)
commands=$("$tern" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
check "there are commands" test "$(wc -w <<<"$commands")" -ge 8

# ---- one source ----
"$tern" help --man >"$work/tern.1"
"$tern" help --completion >"$work/tern.bash"
check "the completion is bash" bash -n "$work/tern.bash"
if command -v man >/dev/null; then
  check "the manual has no troff error" bash -c "[ -z \"\$(man --warnings -E UTF-8 -l '$work/tern.1' 2>&1 >/dev/null)\" ]"
fi
completions() { bash -c '. "$1"; shift; COMP_WORDS=(tern "$@"); COMP_CWORD=$#; _tern; echo "${COMPREPLY[@]}"' _ "$work/tern.bash" "$@"; }
: >"$work/all"
for command in $commands; do
  "$tern" $command --help >"$work/help"
  options=$(sed -n 's/^  \(-[-a-zA-Z]*\).*/\1/p' "$work/help")
  echo "$options" >>"$work/all"
  check "completion of $command offers what its help tells" test "$(completions $command - | tr ' ' '\n' | sort)" = "$(sort <<<"$options")"
  for option in $options; do
    check "the manual knows $command $option" grep -q "^.fB$(sed 's/-/\\\\-/g' <<<"$option")..R" "$work/tern.1"
    [ "$option" = --help ] || expect 2 "$command $option is taken" $command "$option" --frobnicate
    [ "$option" = --help ] || check "$command $option is no unknown option" bash -c "! grep -Eq 'unknown option $option|option $option is not of' '$work/err'"
  done
  for word in $("$tern" $command --help | sed -n 's/^  --[a-z]* \([a-z0-9|]*|[a-z0-9|]*\).*/\1/p' | tr '|' ' '); do
    check "completion of $command offers $word" grep -rq "$word" "$work/tern.bash"
  done
done
sort -u "$work/all" >"$work/known"
read_by_code=$(grep -hoE '(has|get|all|integer|number)\("-[-a-z]+"' "$sources"/*.cpp | grep -oE -- '-[-a-z]+' | sort -u)
check "every option that the code reads is in the table" test -z "$(comm -13 "$work/known" <(echo "$read_by_code"))"
check "every option of the table is read by the code" test -z "$(comm -23 "$work/known" <(echo "$read_by_code"))"
check "completion offers choices" test "$(completions run --isa "")" = "scalar avx2 avx512 neon"
check "completion offers commands" test "$(completions ver)" = "verify"

# ---- streams and hints ----
expect 2 "tern alone"
check "it says so in two lines on stderr" bash -c "[ ! -s '$work/out' ] && [ \$(wc -l <'$work/err') = 2 ] && grep -q 'tern --help' '$work/err'"
expect 2 "a mistyped command" rnu "$mlp"
says "did you mean run?"
expect 2 "a mistyped command of help" help verfy
says "did you mean verify?"
expect 2 "a mistyped option" run "$mlp" --input zeros --thread 2
says "did you mean --threads?"
expect 2 "an option with two letters swapped" bench "$mlp" --secodns 1
says "did you mean --seconds?"
expect 2 "an option like none" run "$mlp" --frobnicate
check "gets no guess" bash -c "! grep -q 'did you mean' '$work/err'"
expect 2 "an option of another command" run "$mlp" --svg x.svg
says "is not of run but of bench"
expect 2 "a flag with a value" run "$mlp" --input zeros --json=yes
says "takes no value"
expect 2 "an option instead of a value" run "$mlp" --input --json
says "--input needs a value"
expect 2 "an empty value" run "$mlp" --input zeros --output-dir ""
says "--output-dir needs a value"
expect 2 "a word too many" run "$mlp" other.onnx --input zeros
says "one argument too many: other.onnx"
expect 2 "a word too few" verify "$mlp"
says "no DATA is given"
expect 2 "a mistyped choice" dump "$mlp" --after fues
says "did you mean fuse?"
expect 2 "an unknown device" run "$mlp" --input zeros --dim batch=1 --device tpu
says "known: cpu, cuda, cuda:N, auto, and cuda,cpu for both"
expect 2 "a precision that is none" run "$mlp" --input zeros --precision f64
says "known: f32, tf32, f16, bf16"
expect 2 "other arithmetic on the CPU" run "$mlp" --input zeros --precision tf32
says "option --precision tf32 needs a device"
expect 2 "another's products on the CPU" run "$mlp" --input zeros --device auto --gemm cublas
says "option --gemm cublas needs a device"
expect 0 "the CPU's own arithmetic by name" run "$mlp" --input zeros --precision f32 --gemm own
expect 0 "weights in fewer bits" run "$mlp" --input iota --weights int8
expect 0 "the plan says so" dump "$mlp" --dim batch=1 --after plan --weights bf16
check "its kernels are named" grep -q "gemm_weights_bf16" "$work/out"
expect 2 "a form of weights that is none" run "$mlp" --input zeros --weights int4
expect 2 "weights in fewer bits node by node" run "$mlp" --input zeros --weights int8 --evaluate
expect 2 "weights in fewer bits on a device" run "$mlp" --input zeros --weights int8 --device cuda
says "option --weights int8 is for the CPU"

# ---- inputs and dimensions ----
expect 2 "an input given twice" run "$mlp" --input zeros --input image=ones
says "input image is given twice: zeros and ones"
expect 2 "a dimension given twice" run "$mlp" --input zeros --dim batch=1 --dim batch=2
says "dimension batch twice"
expect 2 "an input that the model has not" run "$mlp" --input z=none.npy
says "the model has no input z; its inputs: image"
expect 2 "a mistyped input" run "$mlp" --input imaeg=zeros
says "did you mean image?"
expect 2 "a dimension that no input has" run "$mlp" --input zeros --dim nope=3
check "the known ones are listed" grep -q 'named nope; known: batch$' "$work/err"
cp "$data/models/digits_mlp/data.npz" "$work/a=b.npz"
expect 0 "a file name with an equals sign" run "$mlp" --input "$work/a=b.npz:in_image"
if python3 -c 'import numpy' 2>/dev/null; then
  python3 - "$work" "$data" <<'P'
import sys, numpy as np
np.save(sys.argv[1] + "/f64.npy", np.zeros((1, 1, 28, 28)))
np.save(sys.argv[1] + "/flat.npy", np.zeros(784, "float32"))
np.save(sys.argv[1] + "/sample.npy", np.zeros((1, 28, 28), "float32"))
np.savez(sys.argv[1] + "/more.npz", out_more=np.zeros(2, "float32"), **np.load(sys.argv[2] + "/models/digits_mlp/data.npz"))
P
  expect 3 "verify with an output that the model has not" verify "$mlp" "$work/more.npz"
  says "holds out_more, which the model does not give"
  expect 3 "f64 for f32" run "$mlp" --input "$work/f64.npy"
  says 'a.astype("float32") in NumPy'
  expect 3 "as many elements of another shape" run "$mlp" --input "$work/flat.npy" --dim batch=1
  says 'a.reshape(1,1,28,28) in NumPy'
  expect 3 "a sample without its batch" run "$mlp" --input "$work/sample.npy"
  says 'a[None] in NumPy'
  python3 - "$work" "$data/models/digits_mlp/data.npz" <<'P'
import sys, numpy as np
d = dict(np.load(sys.argv[2]))
np.savez(sys.argv[1] + "/f64.npz", **{k: v.astype("float64") for k, v in d.items()})
P
  expect 3 "verify with f64 for f32" verify "$mlp" "$work/f64.npz"
  says 'a.astype("float32") in NumPy'
fi
expect 2 "an array of several" run "$mlp" --input "$data/models/digits_mlp/data.npz"
says "say which array, as in $data/models/digits_mlp/data.npz:KEY; it holds in_image"
cp "$data/models/digits_mlp/data.npz" "$work/DATA.NPZ"
expect 2 "an extension in capitals" run "$mlp" --input "$work/DATA.NPZ"
says "say which array"
for command in inspect dump "convert -o $work/out.onnx"; do  # where an input only tells a shape
  # shellcheck disable=SC2086
  expect 2 "$command: an input that the model has not" $command "$mlp" --input z="$data/models/digits_mlp/data.npz:in_image"
  says "the model has no input z"
  # shellcheck disable=SC2086
  expect 3 "$command: a file that is not there" $command "$mlp" --input image=none.npy
  says "none.npy"
  # shellcheck disable=SC2086
  expect 2 "$command: numbers that tell no shape" $command "$mlp" --input image=random
  says "only an array tells a shape"
done
expect 3 "verify with arrays of other names" verify "$mlp" "$data/models/orderbook_tcn/data.npz"
says "wanted in_image; it holds in_book, out_"
expect 3 "verify with a folder of no arrays" verify "$mlp" "$data/digits"
says "wanted output_0.pb and on; it holds digit_"

# ---- instruction sets ----
other=neon
case $(uname -m) in aarch64 | arm64) other=avx2 ;; esac
expect 2 "an ISA of another architecture" run "$mlp" --input zeros --isa $other
says "$other is not of this machine; known here: scalar"
TERN_ISA=foo expect 2 "an unknown TERN_ISA" run "$mlp" --input zeros
says "TERN_ISA=foo: unknown; known: scalar"
TERN_ISA=$other expect 2 "a TERN_ISA of another architecture" kernels
says "not of this machine"
TERN_ISA=scalar expect 0 "a known TERN_ISA" run "$mlp" --input zeros --json
check "caps" grep -q '"isa": "scalar"' "$work/out"
TERN_ISA= expect 0 "an empty TERN_ISA" kernels

finish
