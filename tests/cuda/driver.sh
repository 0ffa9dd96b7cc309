#!/usr/bin/env bash
# The device behind the driver's own interface: driver.sh TERN FAKE_FOLDER DATA. FAKE_FOLDER holds a libcuda.so.1 that executes by ptxsim
# (tests/programs/fake_driver.cpp). Sessions run to their end with the CPU's bytes, every error is one line and exit 4, and the command needs no CUDA to start.
set -u
tern=$1 fake=$2 data=$3
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
expect() { # expect WHAT WANTED GOT
  if [ "$2" = "$3" ]; then return; fi
  echo "FAILED: $1: wanted '$2', got '$3'"
  failed=1
}
model=$data/models/digits_mlp/model.onnx
run() { TERN_FAKE_CUDA=${1:-} LD_LIBRARY_PATH=$fake "$tern" run "$model" --input random --device "${2:-cuda}" --output-dir "$tmp/${3:-out}" >"$tmp/stdout" 2>"$tmp/stderr"; }

# Nothing of CUDA is linked.
if ldd "$tern" | grep -Eq 'libcuda|cudart|cublas'; then echo "FAILED: the command is linked with CUDA"; failed=1; fi

# Whole models have the CPU's bytes.
for name in digits_mlp digits_cnn orderbook_tcn transformer_encoder volatility_lstm; do
  model=$data/models/$name/model.onnx
  run "" cuda fake
  expect "$name: exit code" 0 $?
  "$tern" run "$model" --input random --output-dir "$tmp/cpu" >/dev/null 2>&1
  diff -rq "$tmp/cpu" "$tmp/fake" || { echo "FAILED: $name differs"; failed=1; }
  rm -rf "$tmp/cpu" "$tmp/fake"
done
model=$data/models/digits_mlp/model.onnx

# auto takes it; cuda:1 is not there.
LD_LIBRARY_PATH=$fake "$tern" run "$model" --input random --device auto --json 2>/dev/null | grep -Eq '"device": ?"cuda"' || { echo "FAILED: auto did not take the GPU"; failed=1; }
run "" cuda:1
expect "cuda:1" 4 $?

# A model with a loop: refused, and on both sides the CPU's bytes.
model=$data/loops/steady/loop_newton/model.onnx
run "" cuda
expect "a loop on cuda alone" 4 $?
grep -q Loop "$tmp/stderr" || { echo "FAILED: the loop is not named: $(cat "$tmp/stderr")"; failed=1; }
LD_LIBRARY_PATH=$fake "$tern" run "$model" --input random --device auto --json 2>/dev/null | grep -Eq '"device": ?"cpu"' || { echo "FAILED: auto split a model"; failed=1; }
run "" cuda,cpu fake
expect "cuda,cpu: exit code" 0 $?
"$tern" run "$model" --input random --output-dir "$tmp/cpu" >/dev/null 2>&1
diff -rq "$tmp/cpu" "$tmp/fake" || { echo "FAILED: cuda,cpu differs"; failed=1; }
"$tern" dump "$model" --after plan --device cuda,cpu >"$tmp/stdout"
grep -q '^on the CPU:' "$tmp/stdout" || { echo "FAILED: the plan does not tell what runs on the CPU"; failed=1; }
model=$data/models/digits_mlp/model.onnx

# Every error: exit 4, one line, what to do; and auto computes on the CPU.
for wrong in no_device:GPU old_driver:12.0 old_card:7.5 no_memory:memory refused_module:refused; do
  run "${wrong%%:*}"
  expect "${wrong%%:*}: exit code" 4 $?
  expect "${wrong%%:*}: lines" 1 "$(grep -c 'tern: cannot' "$tmp/stderr")"
  grep -q "${wrong##*:}" "$tmp/stderr" || { echo "FAILED: ${wrong%%:*}: $(cat "$tmp/stderr")"; failed=1; }
  run "${wrong%%:*}" auto
  expect "${wrong%%:*}: auto" 0 $?
done
# One in mid-run, the third launch of a bench: it is the error of the runs that follow too, which a driver might let pass.
for device in cuda cuda,cpu; do
  TERN_FAKE_CUDA=failing_launch TERN_FAKE_CUDA_LOG=$tmp/log LD_LIBRARY_PATH=$fake "$tern" bench "$model" --seconds 0.01 --device $device >"$tmp/stdout" 2>"$tmp/stderr"
  expect "an error in mid-run on $device: exit code" 4 $?
  expect "an error in mid-run on $device: launches" 3 "$(grep -c cuGraphLaunch "$tmp/log")"
  grep -q CUDA_ERROR_LAUNCH_FAILED "$tmp/stderr" || { echo "FAILED: an error in mid-run: $(cat "$tmp/stderr")"; failed=1; }
done

# Waiting: spinning by default, asleep when told to.
for wait in "" --block; do
  TERN_FAKE_CUDA_LOG=$tmp/log LD_LIBRARY_PATH=$fake "$tern" run "$model" --input zeros --device cuda $wait >/dev/null 2>&1
  expect "run $wait: exit code" 0 $?
  expect "run $wait: waits" "$([ -n "$wait" ] && echo cuEventSynchronize || echo cuStreamSynchronize)" "$(grep -A1 cuGraphLaunch "$tmp/log" | tail -1)"
done

# Other arithmetic, by name: within its error. f16 needs no more than Turing. cuBLAS is not there, does not start, and then it is: the fake driver
# by another name.
models=$data/models
by_name() { LD_LIBRARY_PATH=$fake:$tmp/$1 "$tern" "${@:2}" --device cuda >"$tmp/stdout" 2>"$tmp/stderr"; } # by_name WITH ARGUMENTS...
mkdir "$tmp/none" "$tmp/blas"
touch "$tmp/none/libcublas.so.13" "$tmp/none/libcublas.so.12"
ln -s "$fake/libcuda.so.1" "$tmp/blas/libcublas.so.13"
for precision in tf32 f16 bf16; do
  by_name none verify $models/digits_mlp/model.onnx $models/digits_mlp/data.npz --precision $precision --rtol 0.05 --atol 0.05
  expect "digits_mlp by $precision" 0 $?
  by_name none verify $models/digits_cnn/model.onnx $models/digits_cnn/data.npz --precision $precision --rtol 0.05 --atol 0.05
  expect "digits_cnn by $precision" 0 $?
done
for precision in tf32:4 f16:0 bf16:4; do
  TERN_FAKE_CUDA=turing by_name none run $model --input random --precision ${precision%%:*}
  expect "${precision%%:*} on Turing" "${precision##*:}" $?
  [ "${precision##*:}" = 0 ] || grep -q "by_${precision%%:*} needs compute capability 8.0" "$tmp/stderr" || { echo "FAILED: $(cat "$tmp/stderr")"; failed=1; }
done
by_name none run $model --input random --gemm cublas
expect "no cuBLAS: exit code" 4 $?
grep -q 'cuBLAS was not found' "$tmp/stderr" || { echo "FAILED: no cuBLAS: $(cat "$tmp/stderr")"; failed=1; }
TERN_FAKE_CUDA=no_cublas by_name blas run $model --input random --gemm cublas
expect "a cuBLAS that does not start: exit code" 4 $?
for name in digits_mlp transformer_encoder; do
  for precision in f32:69 tf32:77 f16:74 bf16:75; do
    TERN_FAKE_CUDA_LOG=$tmp/log by_name blas verify $models/$name/model.onnx $models/$name/data.npz --gemm cublas --precision ${precision%%:*} \
      --rtol 1e-3 --atol 1e-4
    expect "$name by cuBLAS" 0 $?
    grep -q "cublasGemm.* compute ${precision##*:}" "$tmp/log" || { echo "FAILED: $name: cuBLAS was not asked for ${precision%%:*}"; failed=1; }
  done
done

# The hot path's calls are the same whatever the values: as many, in the same order.
for source in zeros random:1 random:2; do
  TERN_FAKE_CUDA_LOG=$tmp/log.$source LD_LIBRARY_PATH=$fake "$tern" run "$model" --input $source --device cuda >/dev/null 2>&1
  cmp -s "$tmp/log.zeros" "$tmp/log.$source" || { echo "FAILED: other calls with --input $source"; failed=1; }
done
[ -s "$tmp/log.zeros" ] || { echo "FAILED: the fake driver was not called"; failed=1; }

[ $failed = 0 ] && echo "the device behind a driver: all as it should be"
exit $failed
