#!/usr/bin/env bash
# Installs into a temporary folder and builds the installed examples against it: C++ by find_package and pkg-config, C by pkg-config, and C
# without a shared library. Usage: install.sh CMAKE BUILD_DIR MODEL C_COMPILER CXX_COMPILER
set -eu
cmake=$1 build=$2 model=$3 cc=$4 cxx=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" >/dev/null
for file in include/tern/{tern,tern_c,nn,status,dtype,version,xtensor}.h bin/tern share/man/man1/tern.1 share/bash-completion/completions/tern \
  share/doc/tern/{LICENSE,README.md,examples/{example.cpp,example.c,CMakeLists.txt}}; do
  [ -s "$work/prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
project=$work/prefix/share/doc/tern/examples
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
runs() { [ "$("$1" "$model" | wc -l)" = 10 ] || { echo "$2: not ten probabilities"; exit 1; }; }
for which in tern tern_shared; do
  quietly "$cmake" -G Ninja -S "$project" -B "$work/$which" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" -DTERN_TARGET=tern::$which
  quietly "$cmake" --build "$work/$which"
  runs "$work/$which/example" "find_package, $which"
done
if command -v pkg-config >/dev/null; then
  pc=$(dirname "$(find "$work/prefix" -name tern.pc)")
  export PKG_CONFIG_PATH=$pc
  version=$("$work/prefix/bin/tern" --version)
  [ "tern $(pkg-config --modversion tern)" = "$version" ] || { echo "pkg-config and the command differ in the version"; exit 1; }
  quietly "$cxx" -std=c++20 "$project/example.cpp" $(pkg-config --cflags --libs tern) -Wl,-rpath,"$(dirname "$pc")" -o "$work/shared_cpp"
  runs "$work/shared_cpp" "pkg-config, C++"
  quietly "$cc" "$project/example.c" $(pkg-config --cflags --libs tern) -Wl,-rpath,"$(dirname "$pc")" -o "$work/shared_c"
  runs "$work/shared_c" "pkg-config, C"
  quietly "$cc" -static "$project/example.c" $(pkg-config --static --cflags --libs tern) -o "$work/static_c"
  runs "$work/static_c" "pkg-config --static, C"
  ! readelf -d "$work/static_c" | grep -q NEEDED || { echo "pkg-config --static: needs shared libraries"; exit 1; }
fi
echo "installed, found and used"
