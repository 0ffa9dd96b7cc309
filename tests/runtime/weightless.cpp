// What a model keeps of its weights: those that its sessions read, once; and what making it takes. Code: runtime/weightless.cpp, runtime/model.cpp,
// runtime/fold_constants.cpp, hold() of runtime/base/mapping.cpp.
#include "runtime/weightless.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

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

// While it is there, files do not grow: weights that are not needed soon stay in the process (retire(), runtime/base/mapping.h).
class NoFiles {
 public:
  NoFiles() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
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

TEST_CASE("weights: what matrices are transposed into lies where they did, and none moves out of the process for that") {
  Stack stack(3);
  const auto first = reinterpret_cast<const float*>(stack.pieces[0].lock().get());
  auto model = make_model(std::move(stack.b.graph), {});
  REQUIRE(model.ok());
  const Graph& g = model->state().optimized;
  for (size_t n = 0; n < 3; ++n) {
    const Tensor& t = g.value(g.nodes[n].inputs[1]).constant;
    const float* transposed = first + n * Stack::kBytes / sizeof(float);
    CHECK(t.data<float>() == transposed);
    for (size_t i = 0; i < Stack::kBytes / sizeof(float); i += 999) {
      const size_t was = n * Stack::kBytes / sizeof(float) + i % Stack::kRows * Stack::kRows + i / Stack::kRows;
      REQUIRE(transposed[i] == static_cast<float>(was % 7) - 3);
    }
  }
}

TEST_CASE("weights: gates in another order lie where they did; what only looks like that does not") {
  constexpr int64_t kRows = Stack::kRows;
  const auto kept_place = [](const std::vector<int64_t>& order, int64_t axis) {
    GraphBuilder b;
    auto memory = map_memory(Stack::kBytes);
    REQUIRE(memory.ok());
    for (int64_t i = 0; i < kRows * kRows; ++i) reinterpret_cast<float*>(memory->get())[i] = static_cast<float>(i % 1021);
    Tensor t(DType::f32, Dims{kRows, 4, kRows / 4}, std::move(*memory));
    const std::byte* place = t.raw();
    const ValueId w = b.constant(std::exchange(t, Tensor()));
    b.output(b.node("Add", {b.input("x", {kRows / 4}), b.node("Gather", {w, b.ints(order)}, {{"axis", axis}})}), "y");
    auto model = make_model(std::move(b.graph), {});
    REQUIRE(model.ok());
    const Graph& g = model->state().optimized;
    const Tensor& moved = g.value(g.nodes[0].inputs[1]).constant;
    const int64_t parts = axis == 1 ? static_cast<int64_t>(order.size()) : 4;
    REQUIRE(moved.dims()[1] == parts);
    for (int64_t i = 0; i < moved.count(); i += 97) {
      const int64_t part = i / (kRows / 4) % parts, row = i / (kRows / 4) / parts;
      const int64_t from_row = axis == 0 ? order[static_cast<size_t>(row)] : row, from = axis == 1 ? order[static_cast<size_t>(part)] : part;
      REQUIRE(moved.data<float>()[i] == static_cast<float>(((from_row * 4 + from) * (kRows / 4) + i % (kRows / 4)) % 1021));
    }
    return moved.raw() == place;
  };
  CHECK(kept_place({0, 3, 1, 2}, 1));
  CHECK(!kept_place({0, 3, 1, 1}, 1));
  CHECK(!kept_place({0, 2, 1}, 1));
  CHECK(!kept_place({5, 4, 3}, 0));
}

TEST_CASE("weights: a matrix that is also read as it is stays as it is") {
  constexpr int64_t kRows = Stack::kRows;
  GraphBuilder b;
  auto matrix = Tensor::allocate(DType::f32, {kRows, kRows});
  REQUIRE(matrix.ok());
  for (int64_t i = 0; i < kRows * kRows; ++i) matrix->mutable_data<float>()[i] = static_cast<float>(i);
  const std::byte* place = matrix->raw();
  const ValueId w = b.constant(std::move(*matrix));
  b.output(b.node("MatMul", {b.node("MatMul", {b.input("x", {2, kRows}), w}), b.node("Transpose", {w})}), "y");
  auto model = make_model(std::move(b.graph), {});
  REQUIRE(model.ok());
  int as_it_is = 0, transposed = 0;
  for (const Value& v : model->state().optimized.values) {
    if (v.constant.bytes() != Stack::kBytes) continue;
    as_it_is += v.constant.raw() == place && v.constant.data<float>()[1] == 1;
    transposed += v.constant.raw() != place && v.constant.data<float>()[1] == kRows;
  }
  CHECK(as_it_is == 1);
  CHECK(transposed == 1);
}

TEST_CASE("weights: folding takes no memory for them") {
  if (kSanitized || !reset_peak()) return;
  constexpr size_t kCount = 12;
  Stack stack(kCount);
  REQUIRE(reset_peak());
  const int64_t before = peak_kb();
  auto model = [&] {
    const NoFiles none;
    return make_model(std::move(stack.b.graph), {});
  }();
  REQUIRE(model.ok());
  CHECK(peak_kb() - before < static_cast<int64_t>(Stack::kBytes / 1024) / 2);
}

TEST_CASE("weights: the channels of a convolution are scaled where its weights are, unless another model has them too") {
  constexpr int64_t kChannels = 256;
  GraphBuilder b;
  auto w = Tensor::allocate(DType::f32, {kChannels, kChannels, 3, 3});
  REQUIRE(w.ok());
  for (int64_t i = 0; i < w->count(); ++i) w->mutable_data<float>()[i] = static_cast<float>(i % 7) - 3;
  const std::byte* place = w->raw();
  const ValueId conv = b.node("Conv", {b.input("x", {1, kChannels, 8, 8}), b.constant(std::move(*w))});
  std::vector<float> two(kChannels, 2);
  b.output(b.node("Mul", {conv, b.constant(Tensor::of<float>({kChannels, 1, 1}, two))}), "y");
  const auto weights = [](const Model& m) {
    const Graph& g = m.state().optimized;
    REQUIRE(!g.nodes.empty());
    return g.value(g.nodes[0].inputs[1]).constant;
  };
  const auto is_scaled = [](const Tensor& t, float by) {
    for (int64_t i = 0; i < t.count(); ++i) {
      if (t.data<float>()[i] != by * (static_cast<float>(i % 7) - 3)) return false;
    }
    return true;
  };
  auto kept = make_model(b.graph, {.optimize = false});
  REQUIRE(kept.ok());
  {
    auto model = make_model(b.graph, {});
    REQUIRE(model.ok());
    CHECK(weights(*model).raw() != place);
    CHECK(is_scaled(weights(*model), 2));
  }
  CHECK(is_scaled(weights(*kept), 1));
  kept = Error();
  auto model = make_model(std::move(b.graph), {});
  REQUIRE(model.ok());
  CHECK(model->state().optimized.nodes.size() == 1);
  CHECK(weights(*model).raw() == place);
  CHECK(is_scaled(weights(*model), 2));
}

}  // namespace tern::test::in_weightless
