// Boxes that overlap: what TensorFlow answers is in tests/loaders/tensorflow_ops.cpp, ONNX's cases in tests/data/node; here what must not be.
// Contract: kernels/detection/detection.h.
#include <doctest/doctest.h>

#include "tests/support/op_test.h"

namespace tern::test::in_detection {
namespace {

bool has(const std::string& error, const char* part) { return error.find(part) != std::string::npos; }
std::vector<float> numbers(size_t n) { return std::vector<float>(n, 0.5f); }

}  // namespace

TEST_CASE("detection: boxes and scores that do not belong together are refused") {
  CHECK(op_error("NonMaxSuppression", {}, {f32({1, 2, 4}, numbers(8)), f32({1, 3, 2}, numbers(6))}) == "");
  CHECK(has(op_error("NonMaxSuppression", {}, {f32({1, 2, 4}, numbers(8)), f32({1, 3, 3}, numbers(9))}), "have scores of"));
  CHECK(has(op_error("NonMaxSuppression", {}, {f32({1, 2, 4}, numbers(8)), f32({2, 3, 2}, numbers(12))}), "have scores of"));
  CHECK(has(op_error("NonMaxSuppression", {}, {f32({1, 2, 5}, numbers(10)), f32({1, 3, 2}, numbers(6))}), "not [batch, boxes, 4]"));
  CHECK(has(op_error("NonMaxSuppression", {}, {f32({1, 2, 4}, numbers(8)), f32({1, 3, 2}, numbers(6)), i64({2}, {1, 2})}), "one number"));
  const Tensor half = f32({}, {0.5f});
  CHECK(has(op_error("SoftNonMaxSuppression", {}, {f32({2, 4}, numbers(8)), f32({3}, numbers(3)), i64({}, {1}), half, half, half}, 2),
            "have scores of"));
  const Attrs limits = {{"of_class", int64_t(2)}, {"total", int64_t(3)}, {"iou", 0.5f}, {"score", 0.0f}};
  CHECK(op_error("CombinedNonMaxSuppression", limits, {f32({1, 2, 1, 4}, numbers(8)), f32({1, 2, 3}, numbers(6))}, 4) == "");
  CHECK(has(op_error("CombinedNonMaxSuppression", limits, {f32({1, 2, 2, 4}, numbers(16)), f32({1, 2, 3}, numbers(6))}, 4), "have scores of"));
  CHECK(has(op_error("CombinedNonMaxSuppression", {{"of_class", int64_t(0)}, {"total", int64_t(3)}, {"iou", 0.5f}, {"score", 0.0f}},
                     {f32({1, 2, 1, 4}, numbers(8)), f32({1, 2, 3}, numbers(6))}, 4),
            "at most 0 boxes"));
}

TEST_CASE("detection: more work or memory than the budgets is refused") {
  std::vector<float> apart;
  for (int i = 0; i < 2000; ++i) apart.insert(apart.end(), {float(i), float(i), float(i) + 0.5f, float(i) + 0.5f});
  const std::vector<Tensor> boxes = {f32({1, 2000, 4}, apart), f32({1, 1, 2000}, numbers(2000)), i64({}, {2000}), f32({}, {0.5f})};
  auto tried = [&](int64_t budget, int64_t work) { return evaluate(*find_op("NonMaxSuppression"), {}, boxes, 1, {.budget = budget, .work = work}); };
  CHECK(tried(1 << 24, 1 << 24).ok());
  for (const auto& y : {tried(1 << 24, 1 << 20), tried(1 << 10, 1 << 24)}) {
    REQUIRE(!y.ok());
    CHECK(y.error().code() == Code::kUnsupported);
    CHECK(has(y.error().message(), "budget"));
  }
  Attributes wide;
  wide.set("of_class", int64_t(1));
  wide.set("total", int64_t(1) << 40);
  wide.set("iou", 0.5f);
  wide.set("score", 0.0f);
  CHECK(!evaluate(*find_op("CombinedNonMaxSuppression"), wide, std::vector<Tensor>{f32({1, 2, 1, 4}, numbers(8)), f32({1, 2, 3}, numbers(6))}, 4, {})
             .ok());
}

}  // namespace tern::test::in_detection
