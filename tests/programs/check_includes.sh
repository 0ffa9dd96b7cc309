#!/usr/bin/env bash
# The arrows that the linker cannot see: check_includes.sh ROOT. Whoever includes what, by room; who may know protobuf and zlib; and that
# every file which an #include or a comment names is there. Prints what is wrong, a line each.
set -u
cd "$1" || exit 2

# A room and the rooms it may include, itself aside. Rooms are folders; a folder without a line belongs to the one above it, but each of loaders/
# and of loaders/torch/ has a line. `loaders/file` is loaders/source.h, open_file.h, file_parts.h and content.h, which know no format; `public` is
# runtime/include/tern, of which kernels see PUBLIC_BASE alone.
arrows='
runtime/base         public
kernels              public runtime/base
runtime              public runtime/base kernels
loaders/file         public runtime/base loaders/wire loaders/zip
loaders/zip          public runtime/base
loaders/json         public runtime/base
loaders/npy          public runtime/base loaders/zip
loaders/hdf5         public runtime/base loaders/file loaders/weights loaders/zip
loaders/weights      public runtime/base loaders/file loaders/json loaders/zip
loaders/keras        public runtime/base kernels runtime loaders/file loaders/zip loaders/json loaders/weights loaders/hdf5 loaders/channels_last loaders/tensorflow
loaders/safetensors  public runtime/base loaders/file loaders/json loaders/weights
loaders/channels_last public runtime/base kernels runtime
loaders/wire         public runtime/base
loaders/onnx         public runtime/base kernels runtime loaders/file loaders/weights loaders/wire
loaders/tensorflow        public runtime/base kernels runtime loaders/file loaders/json loaders/weights loaders/wire loaders/tensorflow/graph loaders/tensorflow/ops
loaders/tensorflow/graph  public runtime/base kernels runtime loaders/file loaders/weights
loaders/tensorflow/ops    public runtime/base kernels runtime loaders/tensorflow/graph loaders/channels_last
loaders/torch/module      public runtime/base kernels runtime loaders/weights
loaders/torch/pickle      public runtime/base loaders/file loaders/zip loaders/npy loaders/weights loaders/torch/module
loaders/torch/graph       public runtime/base kernels runtime loaders/torch/module
loaders/torch/ops         public runtime/base kernels runtime loaders/torch/module loaders/torch/graph
loaders/torch/nn          public runtime/base kernels runtime loaders/weights loaders/torch/module loaders/torch/graph loaders/torch/ops
loaders/torch/arch        public runtime/base kernels runtime loaders/torch/module loaders/torch/graph loaders/torch/ops loaders/torch/nn
loaders/torch/state_dict  public runtime/base loaders/weights loaders/torch/module loaders/torch/nn
loaders/torch/suggest     public runtime/base loaders/weights loaders/torch/module loaders/torch/nn loaders/torch/state_dict
loaders/torch/export      public runtime/base kernels runtime loaders/file loaders/json loaders/zip loaders/weights loaders/torch/module loaders/torch/pickle loaders/torch/graph loaders/torch/ops loaders/torch/nn
loaders              *
tools                *
bench                *
tests                *
'
PUBLIC_BASE=' tern/status.h tern/dtype.h tern/element.h tern/flush_subnormals.h '

files=$(git ls-files -co --exclude-standard '*.h' '*.cpp' '*.cuh' '*.cu' 2>/dev/null || find . -name 'build*' -prune -o -name '*.h' -print -o -name '*.cpp' -print | sed 's,^\./,,')
wrong=$(for f in $files; do [ -f "$f" ] && grep -HnE '^#include|//' "$f"; done | awk -v arrows="$arrows" -v public_base="$PUBLIC_BASE" '
function exists(path,   line, there) {
  if (!(path in known)) { there = (getline line < path) >= 0; close(path); known[path] = there }
  return known[path]
}
function normal(path,   out, n, i, part, depth) {  # a/../b is b
  n = split(path, part, "/"); depth = 0
  for (i = 1; i <= n; ++i) {
    if (part[i] == "..") { if (depth > 0) --depth }
    else if (part[i] != "." && part[i] != "") keep[++depth] = part[i]
  }
  out = keep[1]
  for (i = 2; i <= depth; ++i) out = out "/" keep[i]
  return out
}
function room_of(path,   dir) {
  if (path ~ /^loaders\/(source|open_file|file_parts|content)\.(h|cpp)$/) return "loaders/file"
  if (path ~ /^runtime\/include\//) return "public"
  for (dir = path; sub(/\/[^\/]*$/, "", dir) > 0; ) if (dir in may) return dir
  return ""
}
# Beside the file, or in a folder above it.
function found(name, from,   dir) {
  for (dir = from; sub(/\/[^\/]*$/, "", dir) > 0; ) if (exists(normal(dir "/" name))) return 1
  return exists(name)
}
BEGIN {
  n = split(arrows, row, "\n")
  for (i = 1; i <= n; ++i) { m = split(row[i], word, " "); if (m > 0) { may[word[1]] = " " ; for (j = 2; j <= m; ++j) may[word[1]] = may[word[1]] word[j] " " } }
}
{
  match($0, /^[^:]*:[0-9]*:/); at = substr($0, 1, RLENGTH - 1); text = substr($0, RLENGTH + 1)
  file = at; sub(/:[0-9]*$/, "", file)
  if (file ~ /^loaders\/(torch\/)?[^\/]*\/[^\/]*$/ && file !~ /^loaders\/torch\/[^\/]*$/) {
    folder = file; sub(/\/[^\/]*$/, "", folder)
    if (!(folder in may)) { print at ": " folder " has no line in the table of check_includes.sh"; may[folder] = " * " }
  }
}
text ~ /^#include/ {
  name = text; sub(/^#include *[<"]/, "", name); sub(/[>"].*/, "", name)
  if (name ~ /^google\/protobuf|\.pb\.h$/ && file !~ /^loaders\/(onnx|tensorflow)\//) print at ": protobuf is known to loaders/onnx and loaders/tensorflow alone"
  if (name == "zlib.h" && file !~ /^(loaders\/zip|tests)\//) print at ": zlib is known to loaders/zip alone"
  to = name
  if (name ~ /^tern\//) to = "runtime/include/" name
  if (name !~ /^(base|kernels|runtime|loaders|tools|tests|bench|tern)\//) next
  if (!exists(to)) { print at ": includes " name ", which is not there"; next }
  from_room = room_of(file); to_room = room_of(to)
  if (from_room == "" || from_room == to_room) next
  if (to_room ~ /^(tests|bench|tools)$/ && from_room !~ /^(tests|bench|tools)$/ || to_room == "tests" && from_room == "tools") { print at ": " from_room " includes " name ", of " to_room; next }
  if (may[from_room] == " * ") next
  if (from_room == "public" ? to_room != "public" : index(may[from_room], " " to_room " ") == 0) print at ": " from_room " includes " name ", of " to_room
  if ((from_room == "kernels" || from_room == "runtime/base") && to_room == "public" && index(public_base, " " name " ") == 0) print at ": " from_room " includes " name ", which is above it"
}
text ~ /\/\// {
  sub(/^.*\/\/ ?/, "", text)
  while (match(text, /(^|[ (,;:])[A-Za-z0-9_.\/]*[a-z0-9_]\.(h|cpp|cuh|cu|md)($|[^A-Za-z0-9_{*\/])/)) {
    name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH - 1)
    gsub(/^[ (,;:]|[^a-z]$/, "", name)
    if (!found(name, file) && !exists("runtime/include/" name) && !exists("runtime/include/tern/" name)) print at ": names " name ", which is not there"
  }
}')
[ -z "$wrong" ] || { echo "$wrong"; exit 1; }
