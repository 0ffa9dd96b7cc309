"""Records what TensorFlow's operators on text answer: ../answers.txt, and ../hashes.txt for hashes of all lengths.

    CUDA_VISIBLE_DEVICES=-1 python3 answers.py      (TensorFlow 2.21)

A case is lines: op NAME; attr NAME KIND VALUES; in/out DTYPE DIMS VALUES; an empty line. Strings are percent-encoded after a '='.
"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import urllib.parse
from pathlib import Path
import numpy as np
import tensorflow as tf

HERE = Path(__file__).resolve().parent.parent
NAMES = {np.dtype("float32"): "f32", np.dtype("float64"): "f64", np.dtype("int32"): "i32", np.dtype("int64"): "i64", np.dtype("bool"): "bool",
         np.dtype("uint8"): "u8", np.dtype("int8"): "i8", np.dtype("float16"): "f16"}
lines = ["# written by make/answers.py, TensorFlow " + tf.__version__, ""]


def word(v):
    if isinstance(v, (str, bytes)):
        return "=" + urllib.parse.quote(v.encode() if isinstance(v, str) else v, safe="")
    return str(int(v)) if isinstance(v, (bool, np.bool_, int, np.integer)) else repr(float(v))


def tensor(v):
    a = v.numpy() if hasattr(v, "numpy") else v
    a = a if isinstance(a, np.ndarray) else np.array(a, object if isinstance(a, (str, bytes)) else None)
    text = a.dtype.kind in "OSU"
    return " ".join(["string" if text else NAMES[a.dtype], "x".join(map(str, a.shape)) or "-", *map(word, a.flatten().tolist())])


def s(*values, dims=None):
    a = np.array(values + (None,), object)[:-1]
    return a.reshape(dims) if dims is not None else a


def case(op, inputs, outputs, **attrs):
    lines.append("op " + op)
    for name, v in sorted(attrs.items()):
        kind = {int: "i", bool: "i", str: "s", list: "ints"}[type(v)]
        if kind == "ints" and v and isinstance(v[0], str):
            kind = "strings"
        lines.append(" ".join(["attr", name, kind, *map(word, v if isinstance(v, list) else [v])]))
    lines.extend("in " + tensor(v) if v is not None else "absent" for v in inputs)
    lines.extend("out " + tensor(v) for v in outputs)
    lines.append("")


BROKEN = [b"\x80", b"\xc3", b"a\xc3(", b"\xe2\x82", b"\xe2\x28\xa1", b"\xf0\x9f\x98", b"\xf0\x28\x8c\xbc", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
          b"\xff\xfe", b"x\xe0\x80\x80y", b"\xf8\x88\x80\x80\x80", b"\xe1\x80z", b"\xf0\x80\x80\x80"]
TEXTS = s("", "Hello, World!", " \t two  words\n", "ÄÖÜ äöü ß", "ΑΣ ΑΣΑ Σ 'ΑΣ' ΑΣ.Α", "İstanbul ıI", "ﬁn ŉ ΐ և", "日本語 テキスト", "🙂 smile", b"a\0b\0", "ΣΣ", *BROKEN)

for encoding in "", "utf-8":
    case("StringLower", [TEXTS], [tf.strings.lower(TEXTS, encoding)], encoding=encoding)
    case("StringUpper", [TEXTS], [tf.strings.upper(TEXTS, encoding)], encoding=encoding)
case("StringLower", [s("AbC", "d", dims=(1, 2))], [tf.strings.lower(s("AbC", "d", dims=(1, 2)))])
SPACES = s("", "  ", "\t a b \r\n", "\v\fx", "\xa0x", " x")
case("StringStrip", [SPACES], [tf.strings.strip(SPACES)])
case("StringLength", [TEXTS], [tf.cast(tf.strings.length(TEXTS), tf.int64)])
case("StringLength", [TEXTS], [tf.cast(tf.strings.length(TEXTS, "UTF8_CHAR"), tf.int64)], unit="character")

for pattern, rewrite, everywhere in [
        (r"""[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~']""", "", True), (r"\s+", " ", True), (r"(\w)(\w)", r"\2\1", True), (r"o", "0", False),
        (r"^", ">", True), (r"", "-", True), (r"(?i)WORLD", r"<\0>", True), (r"[äöü]", "x", True), (r"\pL", "L", True), (r".", "", True),
        (r"(a)|(b)", r"[\1\2]", True), (r"\x{65e5}", r"\\", True), (r"$", "<", False)]:
    case("RegexReplace", [TEXTS], [tf.strings.regex_replace(TEXTS, pattern, rewrite, everywhere)], pattern=pattern, rewrite=rewrite,
         replace_global=everywhere)
for pattern in r"\w+", r"(?s).*", r"[^\n]*", r"Hello.*", r"\pL*", "", r"a|a\x{0}b\x{0}", r"(?i)σ+":
    case("RegexFullMatch", [TEXTS], [tf.strings.regex_full_match(TEXTS, pattern)], pattern=pattern)

SPLIT = s("", " ", "a b  c", "  lead and trail\t", "one", "a,b,,c,", ",,", "a, b, c", "x\0y z", "tab\tline\nend\v\f\r.", "é à")
for separator in "", ",", ", ", "b", "ab":
    for most in -1, 0, 1, 2:
        v = tf.raw_ops.StringSplitV2(input=SPLIT, sep=separator, maxsplit=most)
        rows = np.bincount(v.indices[:, 0].numpy(), minlength=len(SPLIT))
        case("RaggedStringSplit", [SPLIT], [v.values, np.concatenate([[0], np.cumsum(rows)]).astype("int64"), v.indices, v.shape],
             separator=separator, maxsplit=most)

WORDS, ROWS = s("the", "cat", "", "sat", "on", "a", "mat"), np.array([0, 2, 2, 3, 7], "int64")
for widths, separator, left, right, pad, short in [([1], " ", "", "", 0, False), ([2], " ", "", "", 0, False), ([1, 2], " ", "", "", 0, False),
                                                   ([3, 1, 2], "_", "", "", 0, False), ([2], "|", "<", ">", -1, False), ([3], "|", "<", ">", -1, False),
                                                   ([3], "|", "<", ">", 1, False), ([5], " ", "", "", 0, True), ([4], "", "L", "R", 2, True),
                                                   ([9], "-", "l", "", 1, True), ([2, 3], "|", "", ">", -1, True)]:
    v = tf.raw_ops.StringNGrams(data=WORDS, data_splits=ROWS, separator=separator, ngram_widths=widths, left_pad=left, right_pad=right, pad_width=pad,
                                preserve_short_sequences=short)
    case("StringNGrams", [WORDS, ROWS], [v.ngrams, v.ngrams_splits], widths=widths, separator=separator, left_pad=left, right_pad=right, pad_width=pad,
         preserve_short=short)

A, B, C = s("a", "", "c", "d", dims=(2, 2)), s("x"), s("1", "2", "3", "4", dims=(2, 2))
case("StringJoin", [A, C], [tf.strings.join([A, C])])
case("StringJoin", [A, B[0], C], [tf.strings.join([A, B[0], C], ", ")], separator=", ")
case("StringJoin", [A], [tf.strings.join([A], "-")], separator="-")
case("StringReduceJoin", [A], [tf.strings.reduce_join(A, 1, separator="+")], separator="+")
case("StringReduceJoin", [WORDS], [tf.strings.reduce_join(WORDS, 0)])

SUB = s("hello", "日本語テキスト", "🙂🙂ab", "äbc")
for position, length in (0, 2), (1, 3), (-2, 1), (-3, 9), (3, 0), (4, 100), (0, -1):
    case("Substring", [SUB, np.int32(position), np.int32(length)], [tf.strings.substr(SUB, position, length)])
    if position < 4:
        case("Substring", [SUB, np.int64(position), np.int64(length)], [tf.strings.substr(SUB, np.int64(position), np.int64(length), "UTF8_CHAR")],
             unit="character")
AT, LEN = np.array([0, 3, -4, 2], "int32"), np.array([1, 3, 4, 9], "int32")
case("Substring", [SUB, AT, LEN], [tf.strings.substr(SUB, AT, LEN)])

for errors in "replace", "ignore":
    for control in False, True:
        v = tf.raw_ops.UnicodeDecodeWithOffsets(input=TEXTS, input_encoding="UTF-8", errors=errors, replacement_char=ord("?") if control else 0xFFFD,
                                                replace_control_characters=control)
        case("UnicodeDecode", [TEXTS], [v.char_values, v.row_splits, v.char_to_byte_starts], errors=errors, replace_control_characters=control,
             replacement_char=ord("?") if control else 0xFFFD)
CODES = np.array([72, 0x65E5, 0x1F642, 0xD800, 0x110000, -1, 0, 0x7FF, 0x800, 0xFFFF, 0x10000], "int32")
CUT = np.array([0, 0, 3, 7, 11], "int64")
for errors in "replace", "ignore":
    v = tf.raw_ops.UnicodeEncode(input_values=CODES, input_splits=CUT, output_encoding="UTF-8", errors=errors, replacement_char=0x3F)
    case("UnicodeEncode", [CODES, CUT], [v], errors=errors, replacement_char=0x3F)

v = tf.strings.unicode_split(TEXTS, "UTF-8")
case("UnicodeEncode", [tf.strings.unicode_decode(TEXTS, "UTF-8").values, None], [v.values])

NUMBERS = s("0", "1", "-1", " 12 ", "+3", "3.25", "1e3", "1E-3", ".5", "5.", "-0", "inf", "-inf", "nan", "INF", "1e400", "-1e400", "1e-400", "3.4028236e38",
            "0x10", "16777217", "0.1", "123456789012345678901234567890", "infinity", "\t7\n")
case("StringToNumber", [NUMBERS], [tf.strings.to_number(NUMBERS)], to=1)
case("StringToNumber", [NUMBERS], [tf.strings.to_number(NUMBERS, tf.float64)], to=11)
WHOLE = s("0", "-7", " 42", "2147483647", "-2147483648", "007", "+5", "8 ")
case("StringToNumber", [WHOLE], [tf.strings.to_number(WHOLE, tf.int32)], to=6)
WHOLE = s("9223372036854775807", "-9223372036854775808", "-0", "12")
case("StringToNumber", [WHOLE], [tf.strings.to_number(WHOLE, tf.int64)], to=7)

FLOATS = np.array([0, -0.0, 1, -2.5, 3.14159265, 1e10, 1.5e-7, 123456.789, np.inf, -np.inf, np.nan, 1e38], "float32")
DOUBLES = FLOATS.astype("float64")
INTS = np.array([0, -1, 7, 123456, -2147483648, 2147483647], "int32")
for kwargs in {}, dict(precision=2), dict(scientific=True), dict(shortest=True), dict(precision=3, scientific=True), dict(width=9), dict(width=9, fill="0"), \
        dict(width=9, fill="-", precision=1), dict(fill="+"), dict(fill=" ", width=4), dict(precision=0), dict(shortest=True, precision=9):
    case("AsString", [FLOATS], [tf.strings.as_string(FLOATS, **kwargs)], **kwargs)
    case("AsString", [DOUBLES], [tf.strings.as_string(DOUBLES, **kwargs)], **kwargs)
for kwargs in {}, dict(width=5), dict(width=5, fill="0"), dict(width=5, fill="-"), dict(fill="+"), dict(fill=" ", width=3):
    case("AsString", [INTS], [tf.strings.as_string(INTS, **kwargs)], **kwargs)
case("AsString", [INTS.astype("int64")], [tf.strings.as_string(INTS.astype("int64"))])
case("AsString", [np.array([1, 255], "uint8")], [tf.strings.as_string(np.array([1, 255], "uint8"))])
case("AsString", [np.array([True, False])], [tf.strings.as_string(np.array([True, False]))])

for values, splits, default, shape in [(np.arange(6, dtype="int64"), [0, 2, 2, 6], -1, None), (np.arange(6, dtype="int64"), [0, 2, 2, 6], -1, [-1, 2]),
                                       (np.arange(6, dtype="float32"), [0, 0, 6], 0.5, [3, 8]), (s(*"abc"), [0, 1, 3], "pad", [1, -1]),
                                       (np.arange(6, dtype="int64").reshape(3, 2), [0, 2, 3], 9, None)]:
    splits = np.array(splits, "int64")
    out = tf.RaggedTensor.from_row_splits(values, splits)
    case("RaggedToDense", [np.array(-1 if shape is None else shape + [-1] * (values.ndim - 1), "int64"), values, s(default)[0] if isinstance(default, str)
                           else values.dtype.type(default), splits], [out.to_tensor(default, shape=shape and [None if n < 0 else n for n in shape + [-1] * (values.ndim - 1)])], types=["ROW_SPLITS"])
    v = tf.raw_ops.RaggedTensorToTensor(shape=np.array(-1 if shape is None else shape + [-1] * (values.ndim - 1), "int64"), values=values,
                                        default_value=tf.constant(default, tf.as_dtype("string" if isinstance(default, str) else values.dtype)),
                                        row_partition_tensors=[tf.constant(len(splits) - 1, tf.int64), tf.repeat(tf.range(len(splits) - 1, dtype=tf.int64),
                                                                                                                np.diff(splits))],
                                        row_partition_types=["FIRST_DIM_SIZE", "VALUE_ROWIDS"])
    case("RaggedToDense", [np.array(-1 if shape is None else shape + [-1] * (values.ndim - 1), "int64"), values, s(default)[0] if isinstance(default, str)
                           else values.dtype.type(default), np.int64(len(splits) - 1), np.repeat(np.arange(len(splits) - 1), np.diff(splits))], [v],
         types=["FIRST_DIM_SIZE", "VALUE_ROWIDS"])
outer, inner, flat = np.array([0, 2, 2, 3], "int64"), np.array([0, 1, 4, 6], "int64"), np.arange(6, dtype="int32")
for shape in None, [3, 2, 2], [2, 3, 4]:
    v = tf.RaggedTensor.from_nested_row_splits(flat, [outer, inner]).to_tensor(7, shape=shape)
    case("RaggedToDense", [np.array(-1 if shape is None else shape, "int64"), flat, np.int32(7), outer, inner], [v], types=["ROW_SPLITS", "ROW_SPLITS"])

COUNTED, WEIGHTS = np.array([1, 3, 1, 0, 7, 3, 3], "int64"), np.array([.5, 1, 2, 4, 8, 16, 32], "float32")
for binary in False, True:
    case("Bincount", [COUNTED, np.int64(5), None, np.zeros(0, "float32")],
         [tf.raw_ops.DenseBincount(input=COUNTED, size=np.int64(5), weights=np.zeros(0, "float32"), binary_output=binary)], binary=binary)
    grid = COUNTED[:6].reshape(2, 3)
    case("Bincount", [grid, np.int64(4), None, WEIGHTS[:0]],
         [tf.raw_ops.DenseBincount(input=grid, size=np.int64(4), weights=WEIGHTS[:0], binary_output=binary)], binary=binary)
    case("Bincount", [COUNTED, np.int64(8), ROWS, WEIGHTS[:0]],
         [tf.raw_ops.RaggedBincount(splits=ROWS, values=COUNTED, size=np.int64(8), weights=WEIGHTS[:0], binary_output=binary)], binary=binary)
case("Bincount", [COUNTED, np.int64(8), ROWS, WEIGHTS],
     [tf.raw_ops.RaggedBincount(splits=ROWS, values=COUNTED, size=np.int64(8), weights=WEIGHTS, binary_output=False)])


CROSSED = [s("a", "bb", "", "日本"), np.array([1, -2, 3, 2**40]), s("x", "y", "x", "z")]
for columns in CROSSED, CROSSED[:2], CROSSED[1:]:
    for buckets in 0, 7, 1000003:
        grid = [tf.constant(c.reshape(4, 1)) for c in columns]
        case("HashCross", columns, [tf.reshape(tf.sparse.to_dense(tf.sparse.cross_hashed(grid, buckets)), [4])], buckets=buckets)


def lookup(keys, values, default, x):
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values)), default)
    d = np.array(default, object)[()] if isinstance(default, str) else np.asarray(values).dtype.type(default)
    case("Lookup", [x, keys, values, d], [table.lookup(tf.constant(x))])


VOCABULARY = s("", "the", "cat", "tha", "t", "thecat", "日本")
lookup(VOCABULARY, np.arange(7), -1, s("cat", "The", "", "日本", "日", "t", "th", "zz"))
lookup(VOCABULARY, s(*"abcdefg"), "?", s("the", "x"))
lookup(np.array([5, -3, 9, 2**40, 0]), np.arange(10, 15), -7, np.array([[0, 5, 6], [2**40, -3, -4]]))
lookup(np.array([5, -3, 9], "int32"), np.array([.5, 1.5, 2.5], "float32"), 0, np.array([9, 8, -3, 5], "int32"))
lookup(np.array([0, 1, 2]), s("zero", "one", "two"), "[UNK]", np.array([2, 0, 3, -1]))

(HERE / "answers.txt").write_text("\n".join(lines))

MOST = 2**63 - 1
texts = np.array([bytes((n * 31 + i * 7 + i * i) & 255 for i in range(n)) for n in range(301)] + [None], object)[:-1]
fast = tf.strings.to_hash_bucket_fast(texts, MOST).numpy()
strong = tf.strings.to_hash_bucket_strong(texts, MOST, [0x0123456789ABCDEF, -2]).numpy()
zero = tf.strings.to_hash_bucket_strong(texts, MOST, [0, 0]).numpy()
with open(HERE / "hashes.txt", "w") as f:
    f.write("# hash modulo 2^63-1 of bytes (31 n + 7 i + i^2) mod 256, i < n: n, FarmHash64, SipHash by the key 0123456789abcdef -2, by 0 0\n")
    for n in range(301):
        f.write(f"{n} {fast[n]} {strong[n]} {zero[n]}\n")
