"""What operators.py times and no plan can run, in Model::evaluate: strings, sequences, shapes that depend on data, loops that a run ends."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from operator_cases import BOOL, FLOAT, INT64, Const, bools, doubling, f, i, ints, random, value


def words(count, longest=8):
    """Strings of a few letters, some of them several times."""
    letters = np.array(list("abcdefgh "))
    return np.array(["".join(random.choice(letters, random.integers(1, longest + 1))) for _ in range(count)], dtype=object)


def evaluated_cases():
    """What has no plan: strings, sequences, shapes that depend on data, control flow that only a run decides. Each result is a tensor."""
    node = helper.make_node
    for n in (16, 1000, 100_000):
        yield f"NonZero bool {n}", "NonZero", [bools(n)], {}
        yield f"NonZero few {n}", "NonZero", [i(20, n) == 0], {}
        yield f"Compress {n}", "Compress", [f(n), bools(n)], {}
    yield "NonZero matrix", "NonZero", [f(64, 1024) * bools(64, 1024)], {}
    yield "NonZero i64 of 4 axes", "NonZero", [i(3, 4, 8, 16, 32)], {}
    yield "Compress rows", "Compress", [f(1000, 64), bools(1000)], {"axis": 0}
    yield "Compress columns", "Compress", [f(200, 300), bools(300)], {"axis": 1}
    for n in (16, 4096):
        yield f"Unique f32 {n}", "Unique", [i(100, n).astype(np.float32)], {}, 4
        yield f"Unique i64 unsorted {n}", "Unique", [i(100, n)], {"sorted": 0}, 4
        yield f"Unique i64 alone {n}", "Unique", [i(100, n)], {}
        yield f"Unique i64 all differ {n}", "Unique", [i(1 << 40, n)], {}, 4
        yield f"Unique string {n}", "Unique", [words(n, 2)], {}
    yield "Unique rows", "Unique", [i(3, 500, 4)], {"axis": 0}, 4

    for n in (16, 4096):
        s = words(n)
        yield f"Identity string {n}", "Identity", [s], {}
        yield f"StringConcat {n}", "StringConcat", [s, words(n)], {}
        yield f"StringConcat one {n}", "StringConcat", [s, words(1)], {}
        yield f"StringSplit {n}", "StringSplit", [s], {"delimiter": " "}, 2
        yield f"StringSplit blanks {n}", "StringSplit", [s], {}, 2
        yield f"RegexFullMatch {n}", "RegexFullMatch", [s], {"pattern": "[a-d ]+e?.*"}
        yield f"StringNormalizer lower {n}", "StringNormalizer", [s], {"case_change_action": "LOWER"}
        yield f"StringNormalizer upper {n}", "StringNormalizer", [s], {"case_change_action": "UPPER", "stopwords": ["a", "b"], "is_case_sensitive": 0}
        yield f"Equal string {n}", "Equal", [s, words(n)], {}
        yield f"Concat string {n}", "Concat", [s, s], {"axis": 0}
        yield f"Gather string {n}", "Gather", [s, i(n, n)], {}
        yield f"Where string {n}", "Where", [bools(n), s, words(n)], {}
        yield f"Reshape string {n}", "Reshape", [s, ints(4, -1)], {}
        yield f"Cast string f32 {n}", "Cast", [np.array([f"{v:.4f}" for v in f(n)], dtype=object)], {"to": TensorProto.FLOAT}
        yield f"Cast f32 string {n}", "Cast", [f(n)], {"to": TensorProto.STRING}
        yield f"Cast i64 string {n}", "Cast", [i(100000, n)], {"to": TensorProto.STRING}
        yield f"Cast string i64 {n}", "Cast", [np.array([str(v) for v in i(100000, n)], dtype=object)], {"to": TensorProto.INT64}
        keys = sorted(set(s))[: n // 2]
        yield (f"LabelEncoder {n}", "LabelEncoder", [s],
               {"domain": "ai.onnx.ml", "keys_strings": keys, "values_int64s": range(len(keys)), "default_int64": -1})
        yield (f"LabelEncoder i64 {n}", "LabelEncoder", [i(100, n)],
               {"domain": "ai.onnx.ml", "keys_int64s": range(0, 100, 2), "values_strings": [str(k) for k in range(50)], "default_string": "none"})
    grams = dict(mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=1, ngram_counts=[0, 4], ngram_indexes=list(range(7)))
    for n in (16, 1000):
        yield f"TfIdfVectorizer {n}", "TfIdfVectorizer", [i(9, 4, n)], {**grams, "pool_int64s": [2, 3, 5, 4, 5, 6, 7, 8, 6, 7]}
        yield f"TfIdfVectorizer string {n}", "TfIdfVectorizer", [words(n, 1)], {**grams, "pool_strings": list("abcdabbcca")}

    tensors = lambda count, *dims: [f(*dims) for _ in range(count)]
    for n, dims in ((4, (16,)), (50, (8, 8))):
        xs = [f"x{k}" for k in range(n)]
        made, at, second = node("SequenceConstruct", xs, ["s"]), f"x{n}", f"x{n + 1}"
        yield f"SequenceAt of {n}", [made, node("SequenceAt", ["s", at], ["y0"])], [*tensors(n, *dims), np.int64(2)], {}
        yield f"SequenceLength of {n}", [made, node("SequenceLength", ["s"], ["y0"])], tensors(n, *dims), {}
        yield f"ConcatFromSequence of {n}", [made, node("ConcatFromSequence", ["s"], ["y0"], axis=0)], tensors(n, *dims), {}
        yield f"ConcatFromSequence new axis of {n}", [made, node("ConcatFromSequence", ["s"], ["y0"], axis=1, new_axis=1)], tensors(n, *dims), {}
        yield (f"SequenceInsert of {n}", [made, node("SequenceInsert", ["s", "x0", at], ["t"]), node("SequenceAt", ["t", at], ["y0"])],
               [*tensors(n, *dims), np.int64(1)], {})
        yield (f"SequenceErase of {n}", [made, node("SequenceErase", ["s", at], ["t"]), node("SequenceAt", ["t", at], ["y0"])],
               [*tensors(n, *dims), np.int64(1)], {})
    yield ("SplitToSequence rows", [node("SplitToSequence", ["x0"], ["s"], axis=0, keepdims=0), node("SequenceAt", ["s", "x1"], ["y0"])],
           [f(100, 64), np.int64(7)], {})
    yield ("SplitToSequence pieces", [node("SplitToSequence", ["x0", "x2"], ["s"], axis=1), node("SequenceAt", ["s", "x1"], ["y0"])],
           [f(64, 100), np.int64(1), ints(30, 70)], {})
    yield ("SplitToSequence and back", [node("SplitToSequence", ["x0", "x1"], ["s"], axis=0), node("ConcatFromSequence", ["s"], ["y0"], axis=0)],
           [f(64, 100), np.int64(16)], {})
    optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [64]))
    yield "Optional", [node("Optional", ["x0"], ["o"], type=optional), node("OptionalGetElement", ["o"], ["y0"])], [f(64)], {}
    yield "OptionalHasElement", [node("Optional", ["x0"], ["o"], type=optional), node("OptionalHasElement", ["o"], ["y0"])], [f(64)], {}

    # Shapes that only a run tells.
    yield "Reshape to a shape", "Reshape", [f(64, 64), np.array([32, -1])], {}
    yield "Expand to a shape", "Expand", [f(64, 1), np.array([64, 64])], {}
    yield "Tile by counts", "Tile", [f(16, 16), np.array([4, 4])], {}
    yield "Slice to an end", "Slice", [f(64, 64), np.array([1]), np.array([40]), np.array([0])], {}
    yield "Pad by widths", "Pad", [f(64, 64), np.array([1, 1, 1, 1])], {}
    yield "TopK of k", "TopK", [f(64, 100), np.array([5])], {}, 2
    yield "Range to a limit", "Range", [np.int64(0), np.int64(1000), np.int64(1)], {}
    yield "ConstantOfShape of a shape", "ConstantOfShape", [np.array([64, 64])], {}
    yield "Resize by a size", "Resize", [f(1, 3, 20, 20), Const(np.float32([])), Const(np.float32([])), np.array([1, 3, 40, 40])], {"mode": "nearest"}
    yield "ReduceSum of axes", "ReduceSum", [f(64, 64), np.array([1])], {}
    boxes = np.sort(random.uniform(0, 1, (1, 200, 2, 2)), 2).reshape(1, 200, 4).astype(np.float32)
    yield "NonMaxSuppression of inputs", "NonMaxSuppression", [boxes, random.uniform(0, 1, (1, 2, 200)).astype(np.float32), ints(20), Const(np.float32([0.5]))], {}

    # Control flow: as long as an input says, until a condition, with branches of other shapes.
    for trips in (3, 100):
        yield f"Loop of {trips}, an input", "Loop", [np.int64(trips), Const(np.array(True)), f(16)], {"body": doubling()}
    until = helper.make_graph([node("Mul", ["s", "s"], ["t"]), node("ReduceSum", ["t"], ["sum"], keepdims=0),
                               node("Constant", [], ["low"], value=numpy_helper.from_array(np.float32(1e-20))), node("Greater", ["sum", "low"], ["d"])], "until",
                              [value("n", INT64), value("c", BOOL), value("s", FLOAT, 16)], [value("d", BOOL), value("t", FLOAT, 16)])
    yield "Loop until", "Loop", [Const(np.int64(100)), Const(np.array(True)), f(16)], {"body": until}
    rows = helper.make_graph([node("Identity", ["c"], ["d"]), node("Add", ["s", "s"], ["t"]), node("Mul", ["t", "t"], ["y"])], "rows",
                             [value("n", INT64), value("c", BOOL), value("s", FLOAT, 16)],
                             [value("d", BOOL), value("t", FLOAT, 16), value("y", FLOAT, 16)])
    yield "Loop of 100 rows", "Loop", [np.int64(100), Const(np.array(True)), f(16)], {"body": rows}, 2
    one = helper.make_graph([node("Relu", ["x1"], ["z"])], "one", [], [value("z", FLOAT, 64)])
    two = helper.make_graph([node("Concat", ["x1", "x1"], ["z"], axis=0)], "two", [], [value("z", FLOAT, 128)])
    yield "If of two shapes", "If", [np.array(True), f(64)], {"then_branch": one, "else_branch": two}
