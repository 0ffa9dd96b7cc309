#!/usr/bin/env bash
# Installs into a temporary folder and builds a small project against it, by find_package and by pkg-config.
# Usage: install.sh CMAKE BUILD_DIR PROJECT_DIR MODEL COMPILER
set -eu
cmake=$1 build=$2 project=$3 model=$4 compiler=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
for file in include/tern/tern.h include/tern/tern_c.h bin/tern share/man/man1/tern.1 share/bash-completion/completions/tern; do
  [ -s "$work/prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
for which in tern tern_shared; do
  "$cmake" -G Ninja -S "$project" -B "$work/$which" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$compiler" -DTERN_TARGET=tern::$which >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  "$cmake" --build "$work/$which" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  "$work/$which/consumer" "$model" | grep -q '^10 probabilities' || { echo "$which: wrong output"; exit 1; }
done
if command -v pkg-config >/dev/null; then
  pc=$(dirname "$(find "$work/prefix" -name tern.pc)")
  flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs tern)
  "$compiler" -std=c++20 "$project/consumer.cpp" $flags -Wl,-rpath,"$(dirname "$pc")" -o "$work/consumer"
  "$work/consumer" "$model" | grep -q '^10 probabilities' || { echo "pkg-config: wrong output"; exit 1; }
fi
echo "installed, found and used"
