#!/usr/bin/env bash
# libtern.so shows what the public headers declare and nothing else. Usage: check_exports.sh libtern.so HEADERS
set -eu
headers=$2
names=$(nm -D --defined-only -C "$1" | cut -d' ' -f3- | sort -u)
alternatives() { sort -u | paste -sd'|'; }
c=$(grep -oE '\btern_[a-z_]+\(' "$headers/tern_c.h" | tr -d '(' | alternatives)
classes=$(grep -ohE '^(class|struct) [A-Za-z]+ \{' "$headers"/{tern,nn}.h | awk '{print $2}' | alternatives)
functions=$(sed '/^ /d; s|//.*||' "$headers"/{tern,nn}.h | grep -oE '\b[A-Za-z_0-9]+\(' | tr -d '(' | alternatives)
foreign=$(grep -Ev "^($c)\$|^tern::(nn::)?(($classes)::|($functions)(\[abi:[a-z0-9]+\])?\()" <<<"$names" || true)
if [ -n "$foreign" ]; then echo "exported, but in no public header:"; echo "$foreign" | head -20; exit 1; fi
for name in ${c//|/ } 'tern::load(' 'tern::load_bytes(' 'tern::version(' 'tern::Session::run(' 'tern::Model::session(' 'tern::nn::custom('; do
  grep -qF "$name" <<<"$names" || { echo "not exported: $name"; exit 1; }
done
echo "$(wc -l <<<"$names") symbols, all of the public headers"
