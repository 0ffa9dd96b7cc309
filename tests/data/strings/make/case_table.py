"""Prints kernels/strings/case_table.h: how TensorFlow (by ICU) changes the case of every code point, asked of it one by one.

    python3 case_table.py > ../../../../kernels/strings/case_table.h
"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

CODES = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]


def ask(f, before="", after=""):
    texts = f(tf.constant([(before + chr(c) + after).encode() for c in CODES]), encoding="utf-8").numpy()
    return {c: t.decode() for c, t in zip(CODES, texts)}


def ranges(codes):
    """[(first, last)] of sorted code points."""
    out = []
    for c in sorted(codes):
        if out and out[-1][1] + 1 == c:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def deltas(mapping):
    """[(first, last, step, delta)] of a map between code points: neighbours, or every second one, with one distance."""
    out = []
    for c in sorted(mapping):
        delta = mapping[c] - c
        if out and out[-1][3] == delta and out[-1][0] == out[-1][1] and c - out[-1][1] in (1, 2):
            out[-1][1:3] = [c, c - out[-1][1]]
        elif out and out[-1][3] == delta and c - out[-1][1] == out[-1][2]:
            out[-1][1] = c
        else:
            out.append([c, c, 1, delta])
    return out


def table(name, kind, rows):
    cells = ["{" + ", ".join(f"0x{v:X}" if i < hexes(kind) else str(v) for i, v in enumerate(r)) + "}" for r in rows]
    print(f"constexpr {kind} {name}[] = {{")
    line = "   "
    for cell in cells:
        if len(line) + len(cell) + 2 > 148:
            print(line)
            line = "   "
        line += " " + cell + ","
    print(line)
    print("};")


def hexes(kind):
    return 2 if kind == "CaseRange" else 9


lower, upper = ask(tf.strings.lower), ask(tf.strings.upper)
to_lower = {c: ord(t) for c, t in lower.items() if len(t) == 1 and ord(t) != c}
to_upper = {c: ord(t) for c, t in upper.items() if len(t) == 1 and ord(t) != c}
long_lower = {c: t for c, t in lower.items() if len(t) != 1}
assert list(long_lower.items()) == [(0x130, "i\u0307")], long_lower
to_lower[0x130] = ord("i")
long_upper = {c: t for c, t in upper.items() if len(t) != 1}
# A sigma after a letter is final unless a cased letter follows, with nothing between them but what case ignores.
ends = ask(tf.strings.lower, before="a\u03a3")
joins = ask(tf.strings.lower, before="a\u03a3", after="a")
cased = [c for c in CODES if ends[c][1] == "\u03c3"]
ignorable = [c for c in CODES if c not in set(cased) and joins[c][1] == "\u03c3"]
cased = [c for c in cased if c not in to_lower and c not in to_upper]

print("""// Case as Unicode has it, in the version of TensorFlow 2.21's ICU: written by tests/data/strings/make/case_table.py, not by hand. See utf8.h.
#pragma once
#include <cstdint>

namespace tern {

// Code points first, first + step … last have their other case `delta` further.
struct CaseRange {
  char32_t first, last;
  int32_t step, delta;
};
// Code points whose upper case is several; zeros fill up.
struct LongUpper {
  char32_t code, upper[3];
};
struct CodeRange {
  char32_t first, last;
  constexpr bool holds(char32_t code) const { return code >= first && code <= last; }
};
""")
table("kToLower", "CaseRange", deltas(to_lower))
table("kToUpper", "CaseRange", deltas(to_upper))
print("// Cased letters that have no other case.")
table("kCased", "CodeRange", ranges(cased))
print("// What stands between letters without ending a word.")
table("kCaseIgnorable", "CodeRange", ranges(ignorable))
cells = [[c, *map(ord, t)] for c, t in sorted(long_upper.items())]
print("constexpr LongUpper kLongUpper[] = {")
line = "   "
for r in cells:
    cell = f"{{0x{r[0]:X}, {{" + ", ".join(f"0x{v:X}" for v in r[1:]) + "}},"
    if len(line) + len(cell) + 1 > 148:
        print(line)
        line = "   "
    line += " " + cell
print(line)
print("};\n\n}  // namespace tern")
