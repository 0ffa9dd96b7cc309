# Completion of the tern command for bash.
_tern() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words=""
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "inspect run verify bench conformance dump kernels convert --help --version" -- "$current"))
    return
  fi
  case $previous in
    --device) words="cpu cuda auto" ;;
    --isa) words="scalar avx2 avx512 neon" ;;
    --after) words="load infer fold fuse plan" ;;
    --dim | --top | --threads | --rtol | --atol | --ulp | --seconds | --pin | --idle | --only | --key) return ;;
  esac
  if [ -z "$words" ] && [[ $current == -* ]]; then
    case $command in
      inspect) words="--input --dim --json --dot --checksum --suggest-arch --arch --key --no-strict --help" ;;
      run) words="--input --dim --output-dir --top --labels --device --threads --isa --evaluate --json --arch --key --no-strict --help" ;;
      verify) words="--rtol --atol --ulp --dim --device --threads --isa --evaluate --json --arch --key --no-strict --help" ;;
      bench) words="--input --dim --seconds --pin --idle --per-node --json --svg --device --threads --isa --arch --key --no-strict --help" ;;
      conformance) words="--only --device --threads --isa --evaluate --json --help" ;;
      dump) words="--input --after --dim --threads --isa --json --arch --key --no-strict --help" ;;
      kernels) words="--json --help" ;;
      convert) words="--input --arch --key --no-strict -o --help" ;;
    esac
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _tern tern
