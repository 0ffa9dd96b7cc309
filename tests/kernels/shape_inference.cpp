// Symbols through the shape operators: what makes exported transformers static. Contract: kernels/op.h (InferContext).
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_shape_inference {
namespace {

const Dim B = Dim::symbol("batch"), S = Dim::symbol("seq");

struct Answer {
  std::string shape, ints, error;
};
std::string text(const SymbolicInts& ints) { return Shape(std::vector<Dim>(ints.begin(), ints.end())).text(); }
InferContext::Input typed(Shape shape, DType t = DType::f32) { return {{t, std::move(shape)}, nullptr, nullptr}; }
InferContext::Input symbols(const SymbolicInts& ints) { return {{DType::i64, Shape{Dim(static_cast<int64_t>(ints.size()))}}, nullptr, &ints}; }

Answer infer(const char* op, Attrs attrs, std::vector<InferContext::Input> in, size_t outputs = 1, size_t output = 0) {
  Attributes a;
  for (const auto& [name, value] : attrs) a.set(name, value);
  int64_t counter = 0;
  InferContext c({find_op(op)->attrs, a}, std::move(in), outputs, &counter);
  if (Status s = infer_op(*find_op(op), c); !s) return {"", "", s.error().message()};
  return {c.outputs[output].shape.text(), c.output_ints[output] ? text(*c.output_ints[output]) : "", ""};
}

}  // namespace

TEST_CASE("infer: reshape cancels symbols against each other for -1 and 0") {
  auto reshape = [](Shape x, SymbolicInts to) { return infer("Reshape", {}, {typed(x), symbols(to)}).shape; };
  CHECK(reshape({B, S, 768}, {B, S, 12, 64}) == "[batch,seq,12,64]");
  CHECK(reshape({B, S, 768}, {0, 0, 12, -1}) == "[batch,seq,12,64]");
  CHECK(reshape({B, S, 768}, {0, -1}) == "[batch,768*seq]");
  CHECK(reshape({B, S, 768}, {B, -1, 768}) == "[batch,seq,768]");
  CHECK(reshape({B, 6}, {-1, 3}) == "[2*batch,3]");
  CHECK(reshape({B, 3}, {-1, 2}) == "[?0,2]");  // 3*batch/2 is not linear with whole coefficients
  CHECK(reshape({B, S}, {-1}) == "[?0]");       // batch*seq is no linear expression
  CHECK(infer("Reshape", {}, {typed({B, 6}), typed({3}, DType::i64)}).shape == "[?0,?1,?2]");
  CHECK(infer("Reshape", {}, {typed(Shape()), typed(Shape(), DType::i64)}).shape == "?");
}

TEST_CASE("infer: shape and size carry symbols, split hands them on") {
  CHECK(infer("Shape", {}, {typed({B, 3, S})}).ints == "[batch,3,seq]");
  CHECK(infer("Shape", {{"start", int64_t(-1)}}, {typed({B, 3, S})}).ints == "[seq]");
  CHECK(infer("Size", {}, {typed({B, 3})}).ints == "[3*batch]");
  CHECK(infer("Size", {}, {typed({B, S})}).ints == "");
  const SymbolicInts ints = {B, S, 4};
  const SymbolicInts sizes = {1, 2};
  CHECK(infer("Split", {}, {symbols(ints), symbols(sizes)}, 2, 1).ints == "[seq,4]");
  CHECK(infer("Split", {{"axis", int64_t(1)}}, {typed({B, Dim(*mul(S, 2))})}, 2, 1).shape == "[batch,seq]");
}

TEST_CASE("infer: slices of symbolic axes") {
  auto slice = [](SymbolicInts start, SymbolicInts end, SymbolicInts step = {1}) {
    const SymbolicInts axes = {1};
    return infer("Slice", {}, {typed({B, S}), symbols(start), symbols(end), symbols(axes), symbols(step)}).shape;
  };
  CHECK(slice({0}, {INT64_MAX}) == "[batch,seq]");
  CHECK(slice({2}, {INT64_MAX}) == "[batch,seq-2]");
  CHECK(slice({-3}, {INT64_MAX}) == "[batch,3]");
  CHECK(slice({0}, {-1}) == "[batch,seq-1]");
  CHECK(slice({0}, {1}) == "[batch,1]");
  CHECK(slice({0}, {512}) == "[batch,?0]");  // may be cut short
  CHECK(slice({0}, {S}) == "[batch,seq]");
  CHECK(slice({-1}, {INT64_MIN}, {-1}) == "[batch,seq]");
  CHECK(slice({0}, {INT64_MAX}, {2}) == "[batch,?0]");
}

TEST_CASE("infer: sums, products and differences of symbols") {
  CHECK(infer("Concat", {{"axis", int64_t(1)}}, {typed({B, S}), typed({B, 1}), typed({B, S})}).shape == "[batch,2*seq+1]");
  const SymbolicInts pads = {0, 1, 0, 2}, repeats = {2, 3}, target = {B, 1, 1}, sizes = {B, 4};
  CHECK(infer("Pad", {}, {typed({B, S}), symbols(pads)}).shape == "[batch,seq+3]");
  CHECK(infer("Tile", {}, {typed({B, S}), symbols(repeats)}).shape == "[2*batch,3*seq]");
  CHECK(infer("Expand", {}, {typed({1, S}), symbols(target)}).shape == "[batch,1,seq]");
  CHECK(infer("ConstantOfShape", {}, {symbols(sizes)}).shape == "[batch,4]");
  CHECK(infer("Resize", {}, {typed({B, S}), {}, {}, symbols(sizes)}).shape == "[batch,4]");
  const SymbolicInts zero = {0}, one = {1}, end = {S};
  CHECK(infer("Range", {}, {symbols(zero), symbols(end), symbols(one)}).shape == "[seq]");
  CHECK(infer("Transpose", {}, {typed({B, 3, S})}).shape == "[seq,3,batch]");
  CHECK(infer("Flatten", {}, {typed({B, 3, 4})}).shape == "[batch,12]");
  CHECK(infer("Gather", {}, {typed({B, 3}), typed({S, 2}, DType::i64)}).shape == "[seq,2,3]");
  const SymbolicInts axes = {-1};
  CHECK(infer("ReduceMean", {}, {typed({B, S}), symbols(axes)}).shape == "[batch,1]");
  CHECK(infer("ReduceProd", {{"keepdims", int64_t(0)}}, {symbols(sizes)}).ints == "[4*batch]");
  CHECK(infer("TopK", {}, {typed({B, S}), symbols(one)}, 2, 1).shape == "[batch,1]");
  CHECK(infer("Squeeze", {}, {typed({B, 1})}).shape == "?");  // batch may be 1 too
  CHECK(infer("Squeeze", {}, {typed({B, 1}), symbols(axes)}).shape == "[batch]");
  CHECK(infer("NonZero", {}, {typed({B, S})}).shape == "[2,?0]");
}

TEST_CASE("infer: unranked inputs are no error anywhere") {
  for (const char* op : {"Transpose", "Flatten", "Squeeze", "Identity", "Shape", "Size", "ReduceSum", "ArgMax", "Trilu"}) {
    CAPTURE(op);
    CHECK(infer(op, {}, {typed(Shape())}).error == "");
  }
  for (const char* op : {"Reshape", "Unsqueeze", "Expand", "Tile", "Gather", "GatherElements", "GatherND", "TopK", "Pad"}) {
    CAPTURE(op);
    CHECK(infer(op, {}, {typed(Shape()), typed(Shape(), DType::i64)}, op == std::string("TopK") ? 2 : 1).error == "");
  }
}

}  // namespace tern::test::in_shape_inference
