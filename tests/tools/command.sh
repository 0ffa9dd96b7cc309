#!/usr/bin/env bash
# The tern command as scripts see it: exit codes, streams, JSON. Usage: command.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"

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
expect 2 "an unknown source" run "$mlp" --input file.doc
expect 3 "a missing model" run "$work/none.onnx" --input zeros
check "it is one error line" one_error_line
check "it names the file" grep -q 'none.onnx' "$work/err"
echo garbage >"$work/garbage.onnx"
expect 3 "a file that is no model" inspect "$work/garbage.onnx"
expect 0 "inspect of Keras' weights" inspect "$data/formats/keras.weights.h5"
check "lists them" grep -q 'layers/dense/vars/0 *f32 *\[2,1\]' "$work/out"
check "and says what is needed" grep -q 'model.to_json() writes with --arch' "$work/out"
expect 4 "dump keras.weights.h5" dump "$data/formats/keras.weights.h5"
check "it is one error line" one_error_line
for file in torchscript.pt sklearn_5.pkl xgboost.ubj model.gguf settings.pkl model.gz; do
  for command in inspect dump; do
    expect 4 "$command $file" $command "$data/formats/$file"
    check "it is one error line" one_error_line
  done
done
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
brain="$data/node/test_celu_bfloat16"
expect 0 "convert what computes in bf16" convert "$brain/model.onnx" -o "$work/brain.onnx"
expect 0 "it has the same bits" verify "$work/brain.onnx" "$brain/test_data_set_0" --ulp 0
expect 0 "dump it" dump "$work/brain.onnx" --after load
check "and computes in f32 between Casts" test "$(grep -o '= [A-Za-z]*' "$work/out" | tr -d '\n')" = "= Cast= Celu= Cast"
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
none='"allocations": 0,'
[ -n "${TERN_SANITIZED:-}" ] && none='"allocations": null,'  # sanitizers have an allocator of their own, where nothing is counted
check "run() allocates nothing" grep -q "$none" "$work/out"
check "--svg draws" grep -q '</svg>' "$work/bench.svg"
for stage in load infer fold transpose fuse narrow plan; do expect 0 "dump --after $stage" dump "$mlp" --after $stage --dim batch=1; done
check "the plan names kernels" grep -q 'softmax/f32/' "$work/out"
expect 2 "dump --after nothing known" dump "$mlp" --after lunch
expect 0 "kernels --json" kernels --json
check "it is JSON" is_json
check "kernels lists softmax" grep -q '"softmax/f32/scalar"' "$work/out"

expect 3 "verify with what is no recording" verify "$mlp" "$data/command/words.npy"
says "neither a folder of ONNX test data nor an .npz"

# ---- PyTorch's files ----
torch=$data/torch/command
expect 0 "inspect weights" inspect "$torch/net.pth"
check "it lists tensors" grep -Eq '^blocks\.0\.conv\.weight +f32 +\[4,4,3,3\] +576$' "$work/out"
check "it ends with what is missing and how to give it, in two lines" bash -c "tail -2 '$work/out' | head -1 | grep -q '^This file holds weights only' && tail -1 '$work/out' | grep -q -- '--arch FILE.*--suggest-arch'"
expect 0 "inspect weights --json" inspect "$torch/net.pth" --json
check "it is JSON" is_json
check "with names, dtypes, shapes and bytes" bash -c "tr -d ' \n' <'$work/out' | grep -q '{\"name\":\"stem.weight\",\"dtype\":\"f32\",\"shape\":\[4,1,3,3\],\"bytes\":144}'"
expect 0 "inspect --checksum" inspect "$torch/net.pth" --checksum
check "it has a checksum for each" grep -Eq '^scale .* 16  [0-9a-f]{8}$' "$work/out"
expect 0 "inspect weights with an architecture" inspect "$torch/net.pth" --arch "$torch/net.txt" --json
check "it is JSON" is_json
check "it has layers" grep -q '"op": "Softmax"' "$work/out"
expect 0 "inspect names the prefix" inspect "$torch/parallel.pth" --arch "$torch/net.txt"
check "in a line of its own" grep -q '^note      weights matched with the prefix module. taken off (17 names)$' "$work/out"

expect 4 "run weights without an architecture" run "$torch/net.pth" --input "$torch/x.npy"
check "it is one error line" one_error_line
check "with the advice" grep -q 'This file holds weights only: .* --arch FILE; .*--suggest-arch' "$work/err"
expect 4 "a checkpoint of several weights, none of which is a module, without an architecture" run "$torch/training.pth" --input zeros
for f in net.pth parallel.pth compiled.pth lightning.ckpt net.safetensors mixed.pth; do
  expect 0 "verify $f" verify "$torch/$f" "$torch/net.npz" --arch "$torch/net.txt" --rtol 1e-4 --atol 1e-5
done
expect 0 "run with a prefix" run "$torch/compiled.pth" --arch "$torch/net.txt" --input "$torch/x.npy"
check "it tells of the prefix on stderr" grep -q 'note: weights matched with the prefix module._orig_mod. taken off' "$work/err"
expect 0 "run with other values" run "$torch/mixed.pth" --arch "$torch/net.txt" --input "$torch/x.npy"
check "it tells of them" grep -q 'note: values that are no tensors, not used: epoch, date' "$work/err"
expect 2 "several weights and no key" run "$torch/training.pth" --arch "$torch/net.txt" --input "$torch/x.npy"
check "it lists them" grep -q 'model (17 tensors), ema (17 tensors); choose one with --key' "$work/err"
expect 2 "a key that is not there" run "$torch/training.pth" --arch "$torch/net.txt" --input "$torch/x.npy" --key optimizer
expect 0 "--key model" verify "$torch/training.pth" "$torch/net.npz" --arch "$torch/net.txt" --key model --rtol 1e-4 --atol 1e-5
expect 0 "--key ema" verify "$torch/training.pth" "$torch/other.npz" --arch "$torch/net.txt" --key ema --rtol 1e-4 --atol 1e-5
expect 1 "the other one is another" verify "$torch/training.pth" "$torch/net.npz" --arch "$torch/net.txt" --key ema --rtol 1e-4 --atol 1e-5
line=0
for f in missing mismatch; do
  line=$((line + 1))
  expect 3 "weights: $f" run "$torch/$f.pth" --arch "$torch/net.txt" --input "$torch/x.npy"
  check "it is one error line" one_error_line
  check "in torch's words" grep -qF "$(sed -n ${line}p "$torch/errors.txt")" "$work/err"
  check "and names the file" grep -q "$f.pth: Error(s) in loading state_dict for Net: " "$work/err"
done
check "with a hint" grep -q 'head.weight would fit transposed' "$work/err"
expect 3 "sizes count also when not strict" run "$torch/mismatch.pth" --arch "$torch/net.txt" --input "$torch/x.npy" --no-strict
expect 3 "a weight that is missing and used" run "$torch/missing.pth" --arch "$torch/net.txt" --input "$torch/x.npy" --no-strict
check "it names it" grep -q 'stem' "$work/err"

expect 0 "a whole module" verify "$torch/chain.pth" "$torch/chain.npz" --rtol 1e-4 --atol 1e-5
expect 0 "inspect a whole module" inspect "$torch/chain.pth"
check "it has layers" grep -q 'Linear' "$work/out"
expect 4 "a whole module of a class of its own" run "$torch/whole.pth" --input "$torch/x.npy"
check "it names the classes" grep -q 'Net.*Block' "$work/err"
expect 0 "inspect one" inspect "$torch/whole.pth"
check "it shows the tree" grep -q '^  (stem): Conv2d(1, 4, kernel_size=(3, 3), stride=(2, 2))$' "$work/out"
for arch in forwards net; do
  expect 0 "a whole module with $arch.txt" verify "$torch/whole.pth" "$torch/net.npz" --arch "$torch/$arch.txt" --rtol 1e-4 --atol 1e-5
done
sed 's/stride=(2, 2)/stride=(1, 1)/' "$torch/net.txt" >"$work/other.txt"
expect 3 "a tree that is not the file's" run "$torch/whole.pth" --arch "$work/other.txt" --input "$torch/x.npy"
check "it says where" grep -q 'other.txt: its module tree is not the file.s: stem has stride=(1, 1), and (2, 2) in the file' "$work/err"
expect 0 "the source in a legacy file is the architecture" inspect "$torch/legacy.pth" --suggest-arch
cp "$work/out" "$work/legacy.txt"
expect 0 "it needs no word more" verify "$torch/legacy.pth" "$torch/net.npz" --arch "$work/legacy.txt" --rtol 1e-4 --atol 1e-5

expect 0 "--suggest-arch" inspect "$torch/net.pth" --suggest-arch
cp "$work/out" "$work/draft.txt"
check "it has a ? for the stride" grep -q '(stem): Conv2d(1, 4, kernel_size=(3, 3), stride=?, padding=?)' "$work/draft.txt"
expect 3 "a draft that is not complete" run "$torch/net.pth" --arch "$work/draft.txt" --input "$torch/x.npy"
check "it says where" grep -Eq 'draft.txt:[0-9]+' "$work/err"
sed -i 's/(stem)\(.*\)stride=?, padding=?/(stem)\1stride=2, padding=0/; s/stride=?, padding=?/stride=1, padding=1/; /^class/,$d' "$work/draft.txt"
cat "$torch/forwards.txt" >>"$work/draft.txt"
expect 0 "a draft that is complete" verify "$torch/net.pth" "$torch/net.npz" --arch "$work/draft.txt" --rtol 1e-4 --atol 1e-5
expect 2 "--suggest-arch of a model that has one" inspect "$mlp" --suggest-arch

# ---- files: links, and reading in place ----
shards=$data/torch/safetensors
mkdir -p "$work/links" "$work/hub/blobs" "$work/hub/snapshots/rev"
cp "$shards/model.safetensors.index.json" "$work/links"
for f in "$shards"/model-*.safetensors; do
  ln -s "$f" "$work/links"
  cp "$f" "$work/hub/blobs"
  ln -s "../../blobs/$(basename "$f")" "$work/hub/snapshots/rev"
done
cp "$shards/model.safetensors.index.json" "$work/hub/snapshots/rev"
expect 3 "shards that are links" inspect "$work/links/model.safetensors.index.json"
says "is a symbolic link"
expect 0 "shards that are links, when they may be" inspect "$work/links/model.safetensors.index.json" --follow-links
expect 0 "shards of a hub's cache" inspect "$work/hub/snapshots/rev/model.safetensors.index.json"
ln -s "$mlp" "$work/model.link"
expect 0 "a model that is a link itself" inspect "$work/model.link"
expect 0 "a model read in place" run "$mlp" --map --input "$seven"

for f in net.pth net.safetensors whole.pth; do
  expect 0 "convert $f" convert "$torch/$f" --arch "$torch/net.txt" -o "$work/net.onnx"
  expect 0 "verify what was converted" verify "$work/net.onnx" "$torch/net.npz" --rtol 1e-4 --atol 1e-5
done
printf 'Net(\n  (stem): Conv2d(1, 4, kernel_size=(3, 3), stride=(2, 2))\n)\ndef forward(self, x):\n    return self.stem(x * 2)\n' >"$work/twice.txt"
expect 3 "convert with an input whose shape nothing tells" convert "$torch/net.pth" --arch "$work/twice.txt" --no-strict -o "$work/twice.onnx"
check "it says what to do" grep -q -- 'shape of input x is not known: .*--input' "$work/err"
expect 0 "convert with an array that tells" convert "$torch/net.pth" --arch "$work/twice.txt" --no-strict --input "$torch/x.npy" -o "$work/twice.onnx"
check "it has that shape" grep -q 'x f32\[2,1,8,8\]' "$work/out"
expect 0 "dump with an architecture" dump "$torch/net.pth" --arch "$torch/net.txt"
check "it names nodes by modules" grep -q 'blocks.0' "$work/out"
expect 0 "bench with an architecture" bench "$torch/net.pth" --arch "$torch/net.txt" --input "$torch/x.npy" --seconds 0.05 --json
check "it is JSON" is_json
expect 3 "an architecture that is none" run "$torch/net.pth" --arch "$torch/x.npy" --input "$torch/x.npy"
expect 3 "arrays instead of a model" inspect "$torch/net.npz"
check "it says so" grep -q 'npz' "$work/err"
rm -f /tmp/tern-was-here
expect 0 "inspect what would execute" inspect "$torch/evil.pth"
check "it names it" grep -Eq '(posix|os).system, never executed' "$work/out"
check "and it was not" test ! -e /tmp/tern-was-here

finish
