#!/usr/bin/env bash
# No two files define a type of the same name in the same named namespace: the linker would keep one set of inline functions for both.
# Usage: check_types.sh SOURCE_FOLDER
set -u
# "namespace::Type file" of every struct and class that begins a line, outside of unnamed namespaces.
types() {
  find "$@" -name '*.h' -o -name '*.cpp' -o -name '*.cuh' | sort | xargs awk '
    FNR == 1 { depth = 0 }
    /^(inline )?namespace [A-Za-z_:]* ?\{$/ { name = $0; sub(/^(inline )?namespace /, "", name); sub(/ ?\{$/, "", name); spaces[++depth] = name == "" ? "-" : name }
    /^\}  \/\/ namespace/ && depth > 0 { --depth }
    /^(struct|class) [A-Za-z0-9_]+( final)?( : [^;{]*)? \{/ {
      whole = ""
      for (i = 1; i <= depth; ++i) { if (spaces[i] == "-") next; whole = whole spaces[i] "::" }
      print whole $2, FILENAME
    }'
}
twice() { types "$@" | sort -u | awk '{ files[$1] = files[$1] " " $2; n[$1]++ } END { for (t in n) if (n[t] > 1) print t ":" files[t] }'; }

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
printf '%s\n' 'namespace tern {' 'namespace {' 'struct Own {' '};' '}  // namespace' 'struct Args {' '};' '}  // namespace tern' | tee "$planted/a.h" >"$planted/b.cpp"
[ "$(twice "$planted")" = "tern::Args: $planted/a.h $planted/b.cpp" ] || { echo "a planted pair is not found"; exit 1; }

found=$(cd "$1" && twice runtime kernels loaders)
[ -z "$found" ] || { echo "types of one name in two files:"; echo "$found"; exit 1; }
[ "$(cd "$1" && types runtime kernels loaders | wc -l)" -gt 300 ] || { echo "hardly any type is found"; exit 1; }
