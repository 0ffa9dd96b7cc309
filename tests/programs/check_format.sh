#!/usr/bin/env bash
# Every source is as clang-format 14 lays it out, by .clang-format. Usage: check_format.sh SOURCE_DIR
# Skipped (77) where that version is missing: others break some lines elsewhere. To mend: clang-format -i FILE.
set -u
cd "$1" || exit 1
clang-format --version 2>/dev/null | grep -q ' version 14\.' || { echo "skipped: no clang-format 14"; exit 77; }
mapfile -t files < <(find runtime kernels loaders tools tests bench -name build\* -prune -o \( -name '*.h' -o -name '*.cpp' -o -name '*.c' -o -name '*.cu' -o -name '*.cuh' \) -print)
[ ${#files[@]} -gt 400 ] || { echo "FAILED: only ${#files[@]} sources found"; exit 1; }
wrong=$(clang-format --dry-run "${files[@]}" 2>&1 | sed -n 's/:[0-9]*:[0-9]*: warning: code should be.*//p' | sort | uniq -c)
[ -z "$wrong" ] || { echo "lines to be laid out otherwise, and where:"; echo "$wrong"; exit 1; }
echo "${#files[@]} sources are laid out as .clang-format says"
