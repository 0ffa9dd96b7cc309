#!/usr/bin/env bash
# No text of the library names an option of the command: its callers have none. Usage: check_messages.sh SOURCE_FOLDER
set -u
# "file:line:text" of the string literals that hold --option; comments are none.
options() { grep -rnoE '"([^"\\]|\\.)*"|//.*' --include='*.cpp' --include='*.h' --include='*.cu' --include='*.cuh' -- "$@" | grep -E '^[^:]+:[0-9]+:"' | grep -E -- '--[a-z]'; }

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
printf '%s\n' 'int n = i--;  // "--none"' 'auto url = "http://x \" y";' 'return invalid("give --dim " + name);' >"$planted/planted.cpp"
[ "$(options "$planted")" = "$planted/planted.cpp:3:\"give --dim \"" ] || { echo "a planted message is not found"; exit 1; }

found=$(options "$1/runtime" "$1/kernels" "$1/loaders")
[ -z "$found" ] || { echo "messages of the library that name options of the command:"; echo "$found"; exit 1; }
