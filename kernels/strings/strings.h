// Operators on text. Elements are bytes, UTF-8 by convention; none of them minds what is no UTF-8, or a NUL. Their results have no size before
// they are made, so that most have no kernel: OpDef::compute makes them, in the evaluator, and a plan refuses them.
//   StringLower, StringUpper  ASCII letters; with encoding "utf-8" every letter, as Unicode's full mappings without a language have it
//   StringStrip               without ASCII white space at both ends
//   StringNormalizer          ONNX's: stopwords taken out, then another case
//   RegexReplace              the first match of `pattern`, or all of them, by `rewrite` (\1 is the first group, \0 all of it), in RE2's syntax
//   RegexFullMatch            ONNX's, and TensorFlow's: does `pattern` match the whole string?
//   StringSplit               ONNX's: parts along a new last axis, padded with "", and how many they are
//   RaggedStringSplit         TensorFlow's StringSplitV2: parts [n], row_splits [rows+1], indices [n, 2], dense shape [2]
//   StringNGrams              of the strings of each row, `widths` of them at a time: ngrams [n], row_splits [rows+1]
//   StringJoin, StringConcat  elements of all inputs one after another (ONNX's has two), broadcast
//   StringReduceJoin          all elements along the last axis, joined
//   Substring                 `length` bytes or characters from `position` on; both broadcast
//   StringLength              bytes or characters
//   UnicodeDecode             code points of every string: values [n], row_splits [rows+1], where each begins [n]
//   UnicodeTranscode          text made well-formed, and written in another encoding
//   UnicodeEncode             a string of the code points of every row; of each, without rows
//   StringToNumber, AsString  as TensorFlow reads and writes numbers
//   DecodeRaw                 the bytes of every string as numbers, along a new last axis
//   EncodeBase64, DecodeBase64  with the letters for URLs
//   ExampleFeature            of serialised tf.Example messages one feature: values [n], row_splits [examples+1]; with a size each has so many, or
//                             those of the default
//   StringHash                a fingerprint modulo `buckets`: FarmHash64's, or SipHash-2-4's with a key; see fingerprint.h
//   HashCross                 of all inputs' elements together, strings by their fingerprints: TensorFlow's sparse.cross_hashed of dense columns
//   SparseCross               the same of sparse columns and dense matrices: one for each choice of a feature of every column, hashed or as text
//   Lookup                    values[i] where keys[i] equals x, else the default: strings and integers to strings and numbers
//   RaggedToDense             TensorFlow's RaggedTensorToTensor: rows of different lengths as one tensor, padded, cut
//   Bincount                  how often each number below `size` occurs in each row: [rows, size], or [size] of one row
//   Shapes    elementwise but where said; row_splits are i64: row r is [row_splits[r], row_splits[r+1]).
//   Cost      linear in the bytes. A regular expression may take as many steps as it has states for each byte; that is asked of the budget first.
//   Edges     what an index, a number or a row that cannot be does is said by an error (invalid), as in TensorFlow.
//   Source    TensorFlow's operators of like names, onnx.ai for ONNX's. tests/data/strings holds what TensorFlow 2.21 answers.
// Next: text.h, then bytes.cpp, case.cpp, regex.cpp, split.cpp … and lookup.h, the one with kernels.
#pragma once

namespace tern {

struct OpDef;
extern const OpDef kAsString, kBincount, kDecodeBase64, kDecodeRaw, kEncodeBase64, kExampleFeature, kUnicodeTranscode, kHashCross, kSparseCross,
    kLookup, kRaggedStringSplit, kRaggedToDense, kRegexFullMatch, kRegexReplace, kStringConcat, kStringHash, kStringJoin, kStringLength, kStringLower,
    kStringNGrams, kStringNormalizer, kStringReduceJoin, kStringSplit, kStringStrip, kStringToNumber, kStringUpper, kSubstring, kUnicodeDecode,
    kUnicodeEncode;

}  // namespace tern
