#!/usr/bin/env bash
# Pictures as inputs: their samples as they are stored, and what was done to them told. Usage: pictures.sh TERN TEST_DATA
set -u
. "$(dirname "$0")/lib.sh"
models=$data/command
shape() { check "its shape is $1" grep -qF "\"shape\": [$1]" "$work/out"; }

printf 'P5 2 1 65535\n\377\377\0\0' >"$work/deep.pgm"
expect 0 "16 bits of PGM" run "$models/image.onnx" --input "$work/deep.pgm" --json
check "have all of them" grep -qF '"values": [1, 0, 1, 0, 1, 0]' "$work/out"
if "$tern" run "$mlp" --input "$seven" 2>&1 | grep -q 'no libpng'; then
  finish
  exit
fi
expect 0 "a picture" run "$mlp" --input "$seven"
check "what was done to it is told" grep -q 'note: input image: .*digit_7_a.png (8x8 grey) is scaled to 0..1, as \[1,1,8,8\], channels first; no mean' "$work/err"
printf 'P5 3 2 255\n\1\2\3\4\5\6' >"$work/small.pgm"
expect 3 "a picture of another size" run "$mlp" --input "$work/small.pgm"
check "it says what the model wants" grep -q 'the picture is 3x2 grey, the model wants \[batch,1,8,8\]: 8x8 pixels, 1 channel first' "$work/err"
expect 0 "a picture for an input of any size" run "$models/image.onnx" --input "$work/small.pgm" --json
shape '1, 3, 2, 3'
check "its grey is repeated, and told" grep -q 'its grey repeated in 3 channels' "$work/err"

# gives FILE VALUES NOTE: of an input of any size with three channels
gives() {
  expect 0 "$1" run "$models/image.onnx" --input "$models/$1.png" --json
  shape '1, 3, 1, 2'
  check "$1: [$2]" grep -qF "\"values\": [$2]" "$work/out"
  check "$1 is told as $3" grep -qF "$models/$1.png ($3) is scaled to 0..1" "$work/err"
}
gives grey1 '0, 1, 0, 1, 0, 1' '2x1 grey'
gives grey8 '0, 0.5019608, 0, 0.5019608, 0, 0.5019608' '2x1 grey'
gives grey16 '0.5000076, 1.5259022e-05, 0.5000076, 1.5259022e-05, 0.5000076, 1.5259022e-05' '2x1 grey'
gives palette '0.15686275, 0.039215688, 0.19607843, 0.078431375, 0.23529412, 0.11764706' '2x1 RGB'
gives rgba '1, 0.2, 0, 0, 0.2, 0.040000003' '2x1 RGB, transparency over black'
gives opaque '0.2, 0.4, 0.2, 0.4, 0.2, 0.4' '2x1 grey'
head -c 60 "$models/rgba.png" >"$work/short.png"
expect 3 "a truncated picture" run "$models/image.onnx" --input "$work/short.png"
check "it says so" grep -q 'damaged PNG' "$work/err"
sed 's/IDAT/IDAX/' "$models/rgba.png" >"$work/damaged.png"
expect 3 "a damaged picture" run "$models/image.onnx" --input "$work/damaged.png"
finish
