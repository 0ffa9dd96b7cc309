#!/usr/bin/env bash
# libtern.so shows nothing but tern_* and namespace tern. Usage: check_exports.sh libtern.so
set -eu
names=$(nm -D --defined-only -C "$1" | cut -d' ' -f3-)
foreign=$(grep -Ev '^(tern_[a-z_]+|tern::|(vtable|typeinfo|typeinfo name|VTT|guard variable) for tern::|(non-)?virtual thunk to tern::)' <<<"$names" || true)
if [ -n "$foreign" ]; then echo "exported, but not ours:"; echo "$foreign" | head -20; exit 1; fi
for name in tern_load tern_run tern_abi_version 'tern::load(' 'tern::Session::run()'; do
  grep -qF "$name" <<<"$names" || { echo "not exported: $name"; exit 1; }
done
echo "$(wc -l <<<"$names") symbols, all ours"
