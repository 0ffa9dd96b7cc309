// What a model keeps of its weights: those that its sessions read, once; and what making it takes. Code: runtime/weightless.cpp, runtime/model.cpp,
// runtime/fold_constants.cpp, hold() of runtime/base/mapping.cpp.
#include "runtime/weightless.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "runtime/base/mapping.h"
#include "runtime/model.h"
#include "tests/support/cheap.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_weightless {
namespace {

// A file of `count` matrices [rows, rows], one behind the other, as loaders have it; each transposed before it is multiplied with.
struct Stack {
  static constexpr int64_t kRows = 1024;
  static constexpr size_t kBytes = size_t(kRows) * kRows * sizeof(float);
  GraphBuilder b;
  std::weak_ptr<const std::byte> file;
  std::vector<std::weak_ptr<const std::byte>> pieces;

  explicit Stack(size_t count) {
    auto memory = map_memory(count * kBytes);
    REQUIRE(memory.ok());
    file = *memory;
    auto* numbers = reinterpret_cast<float*>(memory->get());
    for (size_t i = 0; i < count * kBytes / sizeof(float); ++i) numbers[i] = static_cast<float>(i % 7) - 3;
    protect(*memory);
    ValueId x = b.input("x", {2, kRows});
    for (size_t i = 0; i < count; ++i) {
      const auto piece = hold(*memory, {memory->get() + i * kBytes, kBytes});
      pieces.push_back(piece);
      x = b.node("MatMul", {x, b.node("Transpose", {b.constant(Tensor(DType::f32, {kRows, kRows}, piece))})});
    }
    b.output(x, "y");
  }
};

}  // namespace

TEST_CASE("weights: what folding replaced is nobody's any more, and a model tells its sizes all the same") {
  Stack stack(2);
  auto kept = make_model(stack.b.graph, {.optimize = false});
  REQUIRE(kept.ok());
  auto model = make_model(std::move(stack.b.graph), {});
  REQUIRE(model.ok());
  for (const Value& v : model->state().graph.values) CHECK(!v.constant.present());
  CHECK(!stack.pieces[0].expired());  // `kept` has them
  for (const Model& m : {*kept, *model}) {
    CHECK(m.parameters() == 2 * 1024 * 1024);
    CHECK(m.weight_bytes() == static_cast<int64_t>(2 * Stack::kBytes));
    const auto layers = m.layers({});
    REQUIRE(layers.size() == 4);
    CHECK(layers[0].op == "Transpose");
    CHECK(layers[0].parameters == 1024 * 1024);
    CHECK(layers[1].macs == 2 * 1024 * 1024);
  }
  const std::vector<bool> constant = constants_and_dropped(model->state().graph);
  CHECK(std::count(constant.begin(), constant.end(), true) == 2);
  kept = Error();
  CHECK(stack.file.expired());
  CHECK(stack.pieces[0].expired());
  CHECK(stack.pieces[1].expired());
}

TEST_CASE("weights: what one matrix is folded into takes the place that another one left") {
  if (kSanitized || !reset_peak()) return;
  constexpr size_t kCount = 12;
  Stack stack(kCount);
  REQUIRE(reset_peak());
  const int64_t before = peak_kb();
  auto model = make_model(std::move(stack.b.graph), {});
  REQUIRE(model.ok());
  CHECK(peak_kb() - before < 2 * static_cast<int64_t>(Stack::kBytes / 1024) + 2048);
}

}  // namespace tern::test::in_weightless
