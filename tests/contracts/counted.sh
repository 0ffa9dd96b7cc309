# Sourced by instructions.sh and operator_instructions.sh. counted PROGRAM ARGUMENT...: runs a program that prints a line "NAME KIND" for each stretch that
# it has callgrind count, of zeros, random, subnormals and nan for every name (others do not matter); prints "NAME the four counts", nothing when it failed.
export TERN_ISA=avx2  # valgrind knows no AVX-512
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
counted() {
  local work number=0 name kind
  work=$(mktemp -d)
  if valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" "$@" >"$work/names" 2>"$work/log"; then
    while read -r name kind; do
      number=$((number + 1))
      case $kind in zeros) printf '%s' "$name" ;; random | subnormals | nan) ;; *) continue ;; esac
      printf ' %s' "$(sed -n 's/^totals: *//p' "$work/out.$number" | head -1)"
      [ "$kind" != nan ] || echo
    done <"$work/names"
  else
    cat "$work/log" >&2
  fi
  rm -rf "$work"
}
# all_equal COUNT...: four, above zero, and one number.
all_equal() { [ $# = 4 ] && [ "$1" -gt 0 ] && [ "$1" = "$2" ] && [ "$1" = "$3" ] && [ "$1" = "$4" ]; }
