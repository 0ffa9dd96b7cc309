#!/usr/bin/env bash
# The example in README.md must be, to the letter, the one that is compiled. Usage: check_readme.sh README.md example.cpp
set -eu
wanted=$(sed -n '/\[readme\]/,/\[readme\]/p' "$2" | sed '1d;$d')
shown=$(awk '/^```cpp$/ {inside = 1; next} /^```$/ {if (inside) exit} inside' "$1")
if [ "$wanted" = "$shown" ]; then echo "1 passed, 0 failed"; else diff <(echo "$shown") <(echo "$wanted"); echo "0 passed, 1 failed"; exit 1; fi
