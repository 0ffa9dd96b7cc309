#!/usr/bin/env bash
# The same bits on every machine: no mathematical function of the C library, whose last digit differs between machines, in what computes or
# makes constants (kernels/portable_math.h has them; std::sqrt and std::fma are exact everywhere). Usage: check_portable.sh SOURCE_FOLDER
# Loaders may raise numbers that a file gives to powers of them: portable::pow is not exact where such powers are.
set -u
functions='exp|exp2|expm1|log|log2|log10|log1p|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|lgamma|tgamma|cbrt|hypot'
# "file:line:text" of the calls; comments are none.
calls() { grep -rnE "^[^/]*\bstd::($1)f?\(" --include='*.cpp' --include='*.h' --include='*.cu' --include='*.cuh' -- "${@:2}"; }

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
printf '%s\n' '// std::exp(x) is not portable' 'double y = portable::exp(x) + std::sqrt(x);' 'double z = 2 * std::log1p(x);' >"$planted/planted.cpp"
[ "$(calls "$functions" "$planted")" = "$planted/planted.cpp:3:double z = 2 * std::log1p(x);" ] || { echo "a planted call is not found"; exit 1; }

found=$(calls "$functions|pow" "$1/runtime" "$1/kernels"; calls "$functions" "$1/loaders")
[ -z "$found" ] || { echo "functions of the C library, whose results differ between machines:"; echo "$found"; exit 1; }
