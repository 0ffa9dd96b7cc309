// Epilogues: what operators say of themselves, and what inference refuses.
#include "kernels/epilogue.h"

#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_epilogue {
namespace {

bool lists(const OpDef& op, std::string_view attribute) {
  return std::any_of(op.attrs.begin(), op.attrs.end(), [&](const AttrSpec& a) { return a.name == attribute; });
}

}  // namespace

TEST_CASE("epilogue: what an operator is as an epilogue is the activation of its name, and computes the same on blocks") {
  int found = 0;
  for (const OpDef* op : all_ops()) {
    if (op->activation == nullptr) continue;
    INFO(op->name);
    ++found;
    CHECK((op->layouts == activation_layouts));
    const Attributes none;
    const LayoutQuery q{*op, {op->attrs, none}, none, {}, {}};
    const auto spec = op->activation(q), named = parse_activation(op->name);
    REQUIRE((spec && named));
    CHECK(spec->activation == named->activation);
    CHECK(spec->alpha == named->alpha);  // the schema's defaults are those of the name
    CHECK(spec->beta == named->beta);
    CHECK(as_attributes(q, *spec).s("activation") == op->name);
  }
  CHECK(found == 16);
}

TEST_CASE("epilogue: who has one lists its attributes, and has inputs for its parts") {
  int found = 0;
  for (const OpDef* op : all_ops()) {
    if (op->epilogue == nullptr) continue;
    INFO(op->name);
    ++found;
    const EpilogueSlots& slots = *op->epilogue;
    CHECK(slots.op->epilogue == &slots);
    CHECK((slots.scale < 0) == (slots.shift < 0));
    for (const AttrSpec& a : kEpilogueAttrs) CHECK(lists(*slots.op, a.name));
    for (int i : {slots.residual, slots.scale, slots.shift}) CHECK((i < 0 || (i >= slots.op->inputs.min && i < slots.op->inputs.max)));
  }
  CHECK(found == 8);
}

TEST_CASE("epilogue: parts that do not fit are refused, whoever has it") {
  const Tensor x = random_f32({1, 2, 3, 3}, 1), w = random_f32({4, 2, 2, 2}, 2), c = random_f32({4}, 3);
  CHECK(op_error("FusedConv", {}, {x, w, random_f32({3}, 3)}).find("one value per output channel") != std::string::npos);
  CHECK(op_error("FusedConv", {}, {x, w, absent(), random_f32({1, 4, 2, 3}, 3)}).find("the residual is [1,4,2,3]") != std::string::npos);
  CHECK(op_error("FusedConv", {}, {x, w, absent(), absent(), c}).find("together") != std::string::npos);
  CHECK(op_error("FusedConv", {}, {x, w, absent(), absent(), c, random_f32({2}, 3)}).find("one value per output channel") != std::string::npos);
  CHECK(op_error("FusedConv", {{"activation", std::string("Softmax")}}, {x, w}).find("Softmax") != std::string::npos);
  const Tensor x64 = cast(x, DType::f64), w64 = cast(w, DType::f64);
  CHECK(op_error("FusedConv", {{"activation", std::string("Relu")}}, {x64, w64}) == "f64 inputs are not supported");
  CHECK(op_error("FusedConv", {}, {x64, w64, absent(), cast(random_f32({1, 4, 2, 2}, 3), DType::f64)}) == "f64 inputs are not supported");

  const Tensor rows = random_f32({3, 5}, 1), matrix = random_f32({5, 4}, 2);
  CHECK(op_error("Linear", {}, {rows, matrix, absent(), random_f32({4}, 3)}).find("the residual is [4]") != std::string::npos);
  CHECK(op_error("Linear", {{"activation", std::string("Softmax")}}, {rows, matrix}).find("Softmax") != std::string::npos);

  const Tensor bytes = cast(rows, DType::u8), weights = cast(matrix, DType::i8), scale = f32({}, {1});
  const auto product = [&](const char* activation, Dims residual) {
    return op_error("MatMulIntegerToFloat", {{"activation", std::string(activation)}},
                    {bytes, scale, cast(scale, DType::u8), weights, scale, cast(scale, DType::i8), absent(), random_f32(residual, 1)});
  };
  CHECK(product("Sigmoid", {3, 4}).find("Sigmoid") != std::string::npos);
  CHECK(product("Relu", {4}).find("the residual is [4]") != std::string::npos);
}

}  // namespace tern::test::in_epilogue
