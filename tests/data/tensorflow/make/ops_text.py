"""Operators on text as a graph has them, with their attributes. What they compute is compared more widely in tests/data/strings."""
import numpy as np

import ops
from ops import C, case, chain, refused

tf = ops.tf


def s(*values, dims=None):
    a = np.array(values + (None,), object)[:-1]
    return a.reshape(dims) if dims is not None else a


def text(value):
    return C(np.array(value, object))


words = s("Hello World", "", " two  words ", "ÄÖÜ äöü", b"a\0b", "x" * 40)
case("StringLower", words)
case("StringUpper", words, encoding="utf-8")
case("StringStrip", words)
for unit in ("BYTE", "UTF8_CHAR"):
    case("StringLength", words, unit=unit)
    case("Substr", s("Hello", "ÄÖÜäöü"), C([1, -3]), C([2, 2]), unit=unit)
case("StringJoin", [words, s("1", "2", "3", "4", "5", "6")], separator="-")
case("StringJoin", [s("a", "b"), np.array("c", object)])
for axes in ([0], [-1], [1, 0], [0, 1], []):
    for keep in (False, True):
        case("ReduceJoin", s("a", "b", "c", "d", "e", "f", dims=(2, 3)), C(axes), keep_dims=keep, separator="+")
for sep, most in (("", -1), (" ", -1), ("o", 1), ("", 1), ("l", 0)):
    case("StringSplitV2", words, text(sep), maxsplit=most)
for sep in ("", " ", " l", ","):
    for skip in (True, False):
        case("StringSplit", s("Hello World", "", " two  words ", ",a,,b,"), text(sep), skip_empty=skip)
for widths, pad, short in (([1, 2], 0, False), ([3], -1, False), ([2, 4], 1, True), ([5], 0, True)):
    case("StringNGrams", s("a", "b", "c", "d", "e", "f"), np.array([0, 2, 2, 6], np.int64), separator="|", ngram_widths=widths, left_pad="<", right_pad=">",
         pad_width=pad, preserve_short_sequences=short)
case("StringNGrams", s("a", "b", "c"), np.array([0, 3], np.int32), separator=" ", ngram_widths=[2], left_pad="", right_pad="", pad_width=0,
     preserve_short_sequences=False)
case("StaticRegexReplace", words, pattern="[aeiou]", rewrite="<\\0>")
case("StaticRegexReplace", words, pattern="o", rewrite="0", replace_global=False)
case("RegexReplace", words, text("l+"), text("L"))
case("RegexReplace", words, text("l"), text("L"), replace_global=False)
case("StaticRegexFullMatch", words, pattern="[a-z ]*")
case("RegexFullMatch", words, text("H.*"))
case("AsString", np.array([1.5, -2.25, 1e20, np.nan, np.inf], np.float32))
case("AsString", np.array([1.5, -2.25, 1e-20], np.float64), precision=3, scientific=True)
case("AsString", np.array([1.5, -2.25, 1e-20], np.float32), shortest=True)
case("AsString", np.array([7, -12, 0], np.int64), width=6, fill="0")
case("AsString", np.array([7, -12, 0], np.int32), width=5, fill="-")
case("AsString", np.array([True, False]))
for to in (tf.float32, tf.float64, tf.int32, tf.int64):
    case("StringToNumber", s("1", "-20", " 7 "), out_type=to)
case("StringToNumber", s("1.5", "-2e3", "inf"))
case("StringToHashBucketFast", words, num_buckets=1000)
case("StringToHashBucketStrong", words, num_buckets=1000, key=[123, -456])
hashed = s(*["abcdefghijklmnopqrstuvwxyz"[:n] for n in range(27)])
case("StringToHashBucket", hashed, num_buckets=1 << 62)
case("StringToHashBucket", words, num_buckets=7)
broken = s("aé日🙂", b"\xff", b"a\xc3(", "\x01\n", b"\xed\xa0\x80z", "")
for op in ("UnicodeDecode", "UnicodeDecodeWithOffsets"):
    case(op, broken, input_encoding="UTF-8")
    case(op, broken, input_encoding="UTF-8", errors="ignore")
    case(op, broken, input_encoding="UTF-8", replacement_char=63, replace_control_characters=True)
for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
    case("UnicodeTranscode", broken, input_encoding="UTF-8", output_encoding=encoding)
    case("UnicodeTranscode", broken, input_encoding="UTF-8", output_encoding=encoding, errors="ignore")
    case("UnicodeTranscode", broken, input_encoding="UTF-8", output_encoding=encoding, replacement_char=63, replace_control_characters=True)
refused("UnicodeTranscode", words, input_encoding="UTF-16-LE", output_encoding="UTF-8")
refused("UnicodeDecode", words, input_encoding="latin1")
case("UnicodeEncode", np.array([72, 233, 0x1F642, 0x110000, 65], np.int32), np.array([0, 2, 2, 5], np.int64), output_encoding="UTF-8")
case("UnicodeEncode", np.array([72, 0x110000, 65], np.int32), np.array([0, 1, 3], np.int64), output_encoding="UTF-8", errors="ignore")
case("UnicodeEncode", np.array([72, 0x110000, 65], np.int32), np.array([0, 1, 3], np.int64), output_encoding="UTF-8", replacement_char=63)
for to in (tf.uint8, tf.int16, tf.int32, tf.int64, tf.float32, tf.float64, tf.float16):
    case("DecodeRaw", s(bytes(range(60, 76)), bytes(range(16)), dims=(2, 1)), out_type=to)
case("DecodeRaw", s(bytes(range(16))), out_type=tf.int16, little_endian=False)
case("DecodeRaw", s(b"\0\1\1"), out_type=tf.bool)
case("DecodeRaw", np.array(b"", object), out_type=tf.int32)
coded = s(b"", b"\xff", b"\xff\xfe", b"\xff\xfe\xfd", "Hello World?>")
for pad in (False, True):
    case("EncodeBase64", coded, pad=pad)
    chain("base64 and back", lambda x, pad=pad: tf.io.decode_base64(tf.io.encode_base64(x, pad)), coded)
case("DecodeBase64", s("_w", "_w==", "__4", "__4=", "SGVsbG8"))
case("RaggedTensorToTensor", C([3, -1], np.int64), s("a", "b", "c"), text("-"), [np.array([0, 1, 3], np.int64)], row_partition_types=["ROW_SPLITS"])
case("RaggedTensorToTensor", C([-1, 4], np.int64), np.array([1, 2, 3, 4, 5], np.int32), C(9), [C(3, np.int64), np.array([0, 0, 2, 2, 2], np.int64)],
     row_partition_types=["FIRST_DIM_SIZE", "VALUE_ROWIDS"])
case("RaggedBincount", np.array([0, 3, 3, 5], np.int64), np.array([1, 1, 3, 0, 1], np.int32), C(3), C([], np.float32))
case("RaggedBincount", np.array([0, 3, 5], np.int64), np.array([1, 1, 3, 0, 1], np.int32), C(4), np.float32([0.5, 1, 2, 3, 4]))
case("RaggedBincount", np.array([0, 3, 5], np.int64), np.array([1, 1, 3, 0, 1], np.int32), C(4), C([], np.float32), binary_output=True)


def example(**features):
    """A tf.Example: lists of bytes, floats or integers by name."""
    e = tf.train.Example()
    for name, values in features.items():
        to = e.features.feature[name]
        if values and isinstance(values[0], bytes):
            to.bytes_list.value.extend(values)
        elif values and isinstance(values[0], float):
            to.float_list.value.extend(values)
        elif values:
            to.int64_list.value.extend(values)
    return e.SerializeToString(deterministic=True)


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


# Numbers one by one, a key twice, a field that nobody knows.
entry = field(1, b"id") + field(2, field(3, b"\x08\x07\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
odd = field(1, field(1, field(1, b"id") + field(2, field(3, b"\x0a\x01\x05"))) + field(1, entry)) + b"\x18\x05"
people = s(example(id=[1, 2], age=[31.5], word=[b"x", b"yz"], tag=[b"t"], rank=[5, 6, 7]), example(id=[3, -4], age=[], word=[], rank=[8]), odd, b"")
found = dict(sparse_keys=[text("word"), text("id")], dense_keys=[text("age")], dense_defaults=[C([7.5], np.float32)], sparse_types=[tf.string, tf.int64],
             dense_shapes=[[1]])
case("ParseExample", people, s(), *[found[k] for k in ("sparse_keys", "dense_keys", "dense_defaults")], sparse_types=found["sparse_types"],
     dense_shapes=found["dense_shapes"])
keys = [text(["word", "none"]), text(["age", "id"]), text(["tag", "rank"])]
case("ParseExampleV2", people[:3], s(), *keys, [C(7.5, np.float32), C([[8], [9]], np.int64)], num_sparse=2, sparse_types=[tf.string, tf.float32],
     ragged_value_types=[tf.string, tf.int64], ragged_split_types=[tf.int64, tf.int32], dense_shapes=[[], [2, 1]])
case("ParseExampleV2", people[:1].reshape(()), s(), keys[0], keys[1], text(np.zeros(0, object)), [C([], np.float32), C([], np.int64)], num_sparse=2,
     sparse_types=[tf.string, tf.float32], ragged_value_types=[], ragged_split_types=[], dense_shapes=[[], [2]])
refused("ParseExampleV2", people, s(), text([]), text(["age"]), text([]), [C(0.5, np.float32)], num_sparse=0, sparse_types=[], ragged_value_types=[],
        ragged_split_types=[], dense_shapes=[[None]])

for sep in ("", ", "):
    case("UnsortedSegmentJoin", s("a", "bc", "", "d", "e", "f"), np.array([2, 0, 2, 1, 2, 0], np.int32), C(4), separator=sep)
case("UnsortedSegmentJoin", s(), np.zeros(0, np.int32), C(2), separator="-")
