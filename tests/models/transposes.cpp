// move_transposes on whole files: the bits of every recorded model and official case are those without it.
#include "runtime/transposes/transposes.h"

#include <doctest/doctest.h>

#include <cstring>

#include "runtime/evaluator.h"
#include "runtime/optimize.h"
#include "tests/support/cases.h"
#include "tests/support/transposes.h"

namespace tern::test::in_transposes {
namespace {

// The inputs of a recorded case as tensors; none where one is no tensor of numbers.
std::vector<Tensor> inputs_of(const std::filesystem::path& folder, const Model& model) {
  std::vector<Tensor> all;
  for (const Array& a : read_arrays(folder, "input", model.inputs())) {
    auto t = a.sequence || a.dtype == DType::string ? Result<Tensor>(unsupported("no tensor of numbers"))
                                                    : Tensor::allocate(a.dtype, Dims(std::span<const int64_t>(a.dims)));
    if (!t) return {};
    std::memcpy(t->mutable_raw(), a.bytes.data(), a.bytes.size());
    all.push_back(std::move(*t));
  }
  return all;
}

}  // namespace

TEST_CASE("transposes: recorded models and official cases keep their bits") {
  int compared = 0, fewer = 0;
  for (const char* folder : {"/models", "/random", "/node", "/loops", "/quantized"}) {
    for (const auto& path : folders_with_models(std::string(TERN_TEST_DATA) + folder)) {
      INFO(path.string());
      auto model = load((path / "model.onnx").string());
      if (!model) continue;
      Graph before = model->state().graph, after = before;
      REQUIRE(optimize(before, 1 << 28, Stage::fold).ok());
      REQUIRE(optimize(after, 1 << 28, Stage::transpose).ok());
      CHECK(moved_elements(after) <= moved_elements(before));
      fewer += moved_elements(after) < moved_elements(before);
      const std::vector<Tensor> inputs = inputs_of(path, *model);
      if (inputs.size() != before.inputs.size()) continue;
      auto expected = evaluate_graph(before, inputs, {}), actual = evaluate_graph(after, inputs, {});
      REQUIRE(expected.ok() == actual.ok());
      if (!expected) continue;
      for (size_t o = 0; o < expected->size(); ++o) {
        const Tensor &a = (*actual)[o], &e = (*expected)[o];
        CHECK(a.dims() == e.dims());
        if (e.dtype() != DType::string) CHECK(std::memcmp(a.raw(), e.raw(), e.bytes()) == 0);
      }
      ++compared;
    }
  }
  CHECK(compared > 150);
  CHECK(fewer > 0);
}

}  // namespace tern::test::in_transposes
