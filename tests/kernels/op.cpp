// What every operator's schema enforces before infer and bind see anything. Contract: kernels/op.h.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/support/op_test.h"

namespace tern::test::in_op {
namespace {

InferContext::Input typed(DType t, Shape shape) { return {{t, std::move(shape)}, nullptr, nullptr}; }

std::string infer_error(const OpDef& op, std::vector<InferContext::Input> in, size_t outputs = 1) {
  const Attributes none;
  int64_t symbols = 0;
  InferContext c({op.attrs, none}, std::move(in), outputs, &symbols);
  Status s = infer_op(op, c);
  return s ? std::string() : s.error().message();
}

// An input that check_value_input has nothing against.
InferContext::Input legal(const OpDef& op, size_t i) {
  const ValueInputs& v = op.value_inputs;
  if (!v.has(i)) return typed(DType::f32, {2, 3});
  if ((v.ints | v.integer) >> i & 1) return typed(DType::i64, {1});
  return typed(v.boolean >> i & 1 ? DType::boolean : DType::f32, {1});
}

bool has_values(const OpDef& op) {
  bool any = false;
  for (size_t i = 0; i < 32; ++i) any = any || op.value_inputs.has(i);
  return any;
}

}  // namespace

TEST_CASE("op: whatever an operator must know the contents of is refused in a wrong dtype, rank or count, by every operator") {
  std::set<std::string> checked;
  for (const OpDef* op : all_ops()) {
    if (!has_values(*op)) continue;
    checked.insert(op->name);
    for (size_t i = 0; i < static_cast<size_t>(op->inputs.max); ++i) {
      if (!op->value_inputs.has(i)) continue;
      const ValueInputs& v = op->value_inputs;
      const uint32_t bit = 1u << i;
      const DType right = (v.ints | v.integer) & bit ? DType::i64 : v.boolean & bit ? DType::boolean : DType::f32;
      auto error = [&](DType t, Shape shape) {
        std::vector<InferContext::Input> in;
        for (size_t k = 0; k < std::max(i + 1, static_cast<size_t>(op->inputs.min)); ++k) in.push_back(k == i ? typed(t, shape) : legal(*op, k));
        return infer_error(*op, std::move(in), static_cast<size_t>(std::max(op->outputs.min, 1)));
      };
      INFO(std::string(op->name) << " input " << i);
      const std::string where = "input " + std::to_string(i);
      const DType wrong[] = {DType::string, right == DType::f32 || v.number & bit ? DType::boolean : DType::f32};
      for (DType t : wrong) CHECK(error(t, Shape{1}).find(where + " is " + name(t)) == 0);
      CHECK(error(right, Shape{1, 1}).find(where + " has 2 dimensions") == 0);
      if ((v.integer | v.number | v.boolean) & bit) CHECK(error(right, Shape{2}).find(where + " has 2 elements") == 0);
    }
  }
  for (const char* op : {"Slice", "Reshape", "Resize", "Range", "TopK", "Dropout", "ReduceSum"}) CHECK(checked.count(op) == 1);
}

TEST_CASE("op: the contents of a value input count, not what was declared of it") {
  const Tensor two = i64({2}, {0, 1});
  const SymbolicInts symbols = {Dim::symbol("n"), 3};
  InferContext::Input k{{DType::i64, Shape()}, &two, nullptr}, s{{DType::i64, Shape()}, nullptr, &symbols};
  CHECK(infer_error(*find_op("TopK"), {typed(DType::f32, {4}), k}, 2) == "input 1 has 2 elements, it must be one");
  CHECK(infer_error(*find_op("CumSum"), {typed(DType::f32, {4}), s}) == "input 1 has 2 elements, it must be one");
}

TEST_CASE("op: a required input that is absent is refused by every operator; of any number of inputs none may be") {
  for (const OpDef* op : all_ops()) {
    if (op->infer == nullptr) continue;
    INFO(std::string(op->name));
    for (size_t absent = 0; absent < static_cast<size_t>(op->inputs.min); ++absent) {
      std::vector<InferContext::Input> in;
      for (size_t k = 0; k < static_cast<size_t>(op->inputs.min); ++k) in.push_back(k == absent ? InferContext::Input() : legal(*op, k));
      CHECK(infer_error(*op, in) == "input " + std::to_string(absent) + " is required");
      in.resize(absent);
      CHECK(infer_error(*op, in) == "input " + std::to_string(absent) + " is required");
    }
    if (op->inputs.max >= 0) continue;
    CHECK(infer_error(*op, {typed(DType::f32, {2, 16, 3}), {}, typed(DType::f32, {2, 16, 3})}) == "input 1 is required");
  }
}

TEST_CASE("op: no answer has more than eight dimensions") {
  const Tensor axes = i64({5}, {0, 1, 2, 3, 4});
  InferContext::Input five{{DType::i64, Shape{5}}, &axes, nullptr};
  const Shape four{2, 2, 2, 2};
  CHECK(infer_error(*find_op("Unsqueeze"), {typed(DType::f32, four), five}).find("9 dimensions") != std::string::npos);
  CHECK(infer_error(*find_op("Gather"), {typed(DType::f32, four), typed(DType::i64, Shape{1, 1, 1, 1, 1, 1})}).find("9 dimensions") !=
        std::string::npos);
  const SymbolicInts twenty(20, Dim(1));
  InferContext::Input shape{{DType::i64, Shape{20}}, nullptr, &twenty};
  for (const char* op : {"Reshape", "Expand"})
    CHECK(infer_error(*find_op(op), {typed(DType::f32, Shape{1}), shape}).find("20 dimensions") != std::string::npos);
  CHECK(infer_error(*find_op("ConstantOfShape"), {shape}).find("20 dimensions") != std::string::npos);
}

TEST_CASE("op: the catalog names every operator once, and a kernel's name says its dtype and ISA and is its own") {
  std::set<std::string> operators;
  std::map<std::string, const KernelRow*> rows;
  for (const OpDef* op : all_ops()) {
    CHECK_MESSAGE(operators.insert(op->name).second, op->name);
    for (const KernelRow* row : op->kernels) {
      const std::string text = row->name, isa = std::string("/") + name(row->isa);
      INFO(text);
      CHECK(text.size() > isa.size());
      CHECK(text.substr(text.size() - isa.size()) == isa);
      if (row->dtype != DType::none) CHECK(text.find(std::string("/") + name(row->dtype)) != std::string::npos);
      const auto [at, fresh] = rows.emplace(text, row);
      CHECK((fresh || at->second == row));
    }
  }
}

TEST_CASE("op: bind refuses contents that are not known and outputs that must be there") {
  const Attributes none;
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6}), to = i64({1}, {6});
  Tensor y = *Tensor::allocate(DType::f32, {6});
  TensorView shape = to.view();
  shape.known = false;
  auto error = [&](const TensorView& second, const TensorView& out) {
    const TensorView in[] = {x.view(), second};
    return bind_op(*find_op("Reshape"), {.attrs = {find_op("Reshape")->attrs, none}, .inputs = in, .outputs = {&out, 1}}).error().message();
  };
  CHECK(error(shape, y.view()) == "input 1 must be known before the run");
  CHECK(error(to.view(), TensorView()) == "output 0 is required");
}

TEST_CASE("op: numbers near the ends of 64 bits are refused or harmless") {
  const Tensor x = f32({2, 3}, {1, 2, 3, 4, 5, 6});
  const int64_t low = INT64_MIN, high = INT64_MAX;
  for (int64_t far : {low, low + 1, -(high / 2), high / 2, high - 1, high}) {
    for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
      CHECK(op_error("Pad", {{"mode", std::string(mode)}}, {x, i64({4}, {0, far, 0, 0})}) != "");
      CHECK(op_error("Pad", {{"mode", std::string(mode)}}, {x, i64({4}, {0, far, 0, far == low ? high : -far})}) != "");
    }
    CHECK(op_error("Tile", {}, {x, i64({2}, {1, far})}) != "");
    CHECK(op_error("ConstantOfShape", {}, {i64({2}, {2, far})}) != "");
    CHECK(op_error("ConstantOfShape", {}, {i64({2}, {0, far})}) != "");  // no elements, but strides of such extents overflow
    CHECK(op_error("Expand", {}, {x, i64({2}, {2, far})}) != "");
    CHECK(op_error("CenterCropPad", {}, {x, i64({2}, {2, far})}) != "");
    CHECK(op_error("Reshape", {}, {x, i64({2}, {2, far})}) != "");
    CHECK(op_error("OneHot", {}, {i64({1}, {0}), i64({}, {far}), f32({2}, {0, 1})}) != "");
    CHECK(op_error("Split", {}, {x, i64({2}, {far, 1})}, 2) != "");
    CHECK(op_error("TopK", {}, {x, i64({1}, {far})}, 2) != "");
    CHECK(op_error("CumSum", {}, {x, i64({}, {far})}) != "");
    CHECK(op_error("Resize", {}, {x, absent(), absent(), i64({2}, {2, far})}) != "");
    CHECK(op_error("ConvTranspose", {{"output_shape", std::vector<int64_t>{far}}}, {random_f32({1, 1, 3}, 1), random_f32({1, 1, 2}, 2)}) != "");
    for (const char* list : {"pads", "strides", "dilations", "kernel_shape"}) {
      const std::vector<int64_t> two = {far, far}, one = {far};
      CHECK(op_error("Conv", {{list, std::string_view(list) == "pads" ? two : one}}, {random_f32({1, 1, 3}, 1), random_f32({1, 1, 2}, 2)}) != "");
    }
    // Bounds of a Slice are clamped, whatever they are.
    const int64_t taken = far < 0 ? 1 : 0;  // backwards from the first element to before it
    CHECK(run_op("Slice", {}, {x, i64({1}, {far}), i64({1}, {far}), i64({1}, {1}), i64({1}, {far})})[0].dims() == Dims{2, taken});
    CHECK(run_op("Slice", {}, {x, i64({1}, {far}), i64({1}, {far < 0 ? high : low}), i64({1}, {1}), i64({1}, {far < 0 ? high : low})})[0].dims() ==
          Dims{2, 1});
    run_op("Trilu", {}, {x, i64({}, {far})});
    run_op("EyeLike", {{"k", far}}, {x});
  }
  CHECK(op_error("Range", {}, {i64({}, {low}), i64({}, {high}), i64({}, {1})}) != "");
  CHECK(op_error("Range", {}, {i64({}, {high}), i64({}, {low}), i64({}, {low})}) != "");
  for (float scale : {-1.0f, 0.0f, 1e30f, INFINITY, NAN}) CHECK(op_error("Resize", {}, {x, absent(), f32({2}, {1, scale})}) != "");
  for (float depth : {-1.0f, 1e30f, -1e30f, INFINITY, NAN}) CHECK(op_error("OneHot", {}, {i64({1}, {0}), f32({}, {depth}), f32({2}, {0, 1})}) != "");
}

}  // namespace tern::test::in_op
