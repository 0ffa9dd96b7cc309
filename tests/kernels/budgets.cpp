// What binding may take before anyone has agreed to it: nothing. And loops over nothing end. Contract: kernels/op.h.
#include <doctest/doctest.h>

#include "runtime/base/guarded.h"
#include "tests/support/op_test.h"

namespace tern::test::in_budgets {
namespace {

// Binds one part within a megabyte of tables.
Result<Binding> bound(const char* name, const Attrs& attributes, std::vector<TensorView> in, TensorView out) {
  Attributes attrs;
  for (const auto& [key, value] : attributes) attrs.set(key, value);
  return bind_op(*find_op(name), {.attrs = {find_op(name)->attrs, attrs}, .inputs = in, .outputs = {&out, 1}, .table_budget = 1 << 20});
}
// How many bytes of tables it was refused for.
int64_t refused(const Result<Binding>& b) {
  const std::string text = b ? "" : b.error().message(), start = "its tables need ";
  REQUIRE_MESSAGE(text.find(start) == 0, text);
  return std::stoll(text.substr(start.size()));
}
TensorView nowhere(DType t, Dims dims) { return {t, dims, nullptr, false, false, {}}; }
TensorView known(const Tensor& t) {
  TensorView v = t.view(true);
  return v;
}

}  // namespace

TEST_CASE("budgets: tables of gigabytes are counted and not made") {
  constexpr int64_t kFar = int64_t(1) << 31;
  const Tensor pads = i64({2}, {0, kFar - 3}), sizes = i64({1}, {kFar - 1});
  CHECK(refused(bound("Pad", {{"mode", std::string("reflect")}}, {nowhere(DType::u8, {3}), known(pads)}, nowhere(DType::u8, {kFar}))) > 8 * kFar);
  CHECK(refused(bound("Resize", {}, {nowhere(DType::u8, {3}), {}, {}, known(sizes)}, nowhere(DType::u8, {kFar - 1}))) > 8 * (kFar - 1));
  CHECK(refused(bound("MatMul", {}, {nowhere(DType::f32, {kFar, 1, 1}), nowhere(DType::f32, {kFar, 1, 1})}, nowhere(DType::f32, {kFar, 1, 1}))) >
        24 * kFar);
}

TEST_CASE("budgets: tables have a share of their own, and all that a node takes counts together") {
  const Tensor x = random_f32({64}, 1), sizes = i64({1}, {1000});
  const std::vector<Tensor> in = {x, {}, {}, sizes};
  const Attributes none;
  const auto code = [&](EvaluateOptions options) {
    auto y = evaluate(*find_op("Resize"), none, in, 1, options);
    return y ? Code::kOk : y.error().code();
  };
  CHECK(code({.tables = 8 * 1000 - 1}) == Code::kUnsupported);
  CHECK(code({.tables = 16 * 1000}) == Code::kOk);
  CHECK(code({.budget = 4 * 1000 + 8 * 1000 - 1}) == Code::kUnsupported);  // the output and an i64 for each of its elements
  CHECK(code({.budget = 4 * 1000 + 16 * 1000}) == Code::kOk);
}

TEST_CASE("budgets: an operator whose outputs are empty is not bound, whatever its other extents are") {
  constexpr int64_t kFar = int64_t(1) << 40;
  CHECK(bound("Softmax", {}, {nowhere(DType::f32, {kFar, 0})}, nowhere(DType::f32, {kFar, 0}))->row == nullptr);
  CHECK(bound("MatMul", {}, {nowhere(DType::f32, {kFar, 1, 0}), nowhere(DType::f32, {kFar, 0, 0})}, nowhere(DType::f32, {kFar, 1, 0}))->row ==
        nullptr);
}

TEST_CASE("budgets: loops over nothing end at once") {
  constexpr int64_t kFar = int64_t(1) << 40;
  const Tensor x = *Tensor::allocate(DType::f32, {kFar, 2, 0}), wide = *Tensor::allocate(DType::f64, {kFar, 2, 0});
  check_same(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {x, i64({2}, {0, 2})})[0], f32({2}, {0, 0}));
  check_same(run_op("ReduceSum", {{"keepdims", int64_t(0)}}, {wide, i64({2}, {0, 2})})[0], cast(f32({2}, {0, 0}), DType::f64));
  check_same(run_op("ReduceProd", {{"keepdims", int64_t(0)}}, {x, i64({2}, {0, 2})})[0], f32({2}, {1, 1}));
  const Tensor plane = *Tensor::allocate(DType::f32, {1, 1, kFar, 0});
  CHECK(run_op("GlobalMaxPool", {}, {plane})[0].dims() == Dims{1, 1, 1, 1});
  Attributes attrs;
  const std::vector<Tensor> lstm = {*Tensor::allocate(DType::f64, {kFar, 1, 0}), *Tensor::allocate(DType::f64, {1, 4, 0}),
                                    cast(f32({1, 4, 1}, {1, 1, 1, 1}), DType::f64)};
  attrs.set("hidden_size", int64_t(1));
#ifndef TERN_SANITIZED  // 8 TB for its output: sanitizers end the process where the system says no
  CHECK(guarded([&] { return evaluate(*find_op("LSTM"), attrs, lstm, 2, {.budget = int64_t(1) << 60}); }).error().code() == Code::kUnsupported);
#endif
}

TEST_CASE("budgets: work is counted before it is done") {
  const Tensor a = random_f32({8, 8}, 1);
  const Attributes none;
  const std::vector<Tensor> in = {a, a};
  CHECK(evaluate(*find_op("MatMul"), none, in, 1, {.work = 8 * 8 * 8}).error().code() == Code::kUnsupported);  // elements count 8 each
  CHECK(evaluate(*find_op("MatMul"), none, in, 1, {.work = 8 * 3 * 64}).ok());
  const std::vector<Tensor> sorted = {random_f32({64}, 2), i64({1}, {64})};
  CHECK(evaluate(*find_op("TopK"), none, sorted, 2, {.work = 8 * 64 * 7 - 1}).error().code() == Code::kUnsupported);
  CHECK(evaluate(*find_op("TopK"), none, sorted, 2, {.work = 8 * 64 * 7}).ok());
}

}  // namespace tern::test::in_budgets
