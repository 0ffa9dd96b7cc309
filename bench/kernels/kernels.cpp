// Times every kernel row of the catalog that this machine runs: at the shapes below, which small nets have, and what none of them reaches
// at the small shapes that the tests run it with (tests/support/operator_cases.h; tests/kernels/rows.cpp fails for a row that has none).
//   bench_kernels --benchmark_filter=gemm/f32/avx512 --benchmark_min_time=0.05
// Names are <kernel>/<operator>/<shapes>. Not timed are the kernels on blocked layouts but for Conv's: only a plan has such values.
#include <benchmark/benchmark.h>

#include <set>
#include <string>

#include "bench/kernels/bound.h"
#include "tern/flush_subnormals.h"
#include "tests/support/operator_cases.h"

namespace tern::bench {
namespace {

using Attrs = std::vector<std::pair<std::string, Attributes::Value>>;
struct Case {
  const char* op;
  Attrs attrs;
  std::vector<Dims> inputs;
  uint32_t constants;
};

std::vector<Case> cases() {
  const int64_t one = 1;
  const Attrs relu = {{"activation", std::string("Relu")}};
  std::vector<Case> all;
  // Dense layers: x [M,K], W [K,N], bias [N].
  for (auto [m, k, n] : {std::array<int64_t, 3>{1, 4, 4},
                         {1, 64, 3},
                         {1, 64, 16},
                         {1, 64, 64},
                         {1, 64, 128},
                         {1, 128, 64},
                         {1, 64, 192},
                         {1, 128, 128},
                         {1, 256, 256},
                         {1, 256, 512},
                         {1, 512, 512},
                         {1, 512, 16},
                         {5, 64, 64},
                         {32, 64, 128},
                         {32, 256, 256},
                         {50, 64, 192}}) {
    all.push_back({"Linear", relu, {{m, k}, {k, n}, {n}}, 6});
  }
  // Squares, B packed before and in every call.
  for (int64_t n : {8, 16, 32, 48, 64, 96, 128, 256, 512}) {
    all.push_back({"MatMul", {}, {{n, n}, {n, n}}, 2});
    all.push_back({"MatMul", {}, {{n, n}, {n, n}}, 0});
  }
  for (int64_t cols : {3, 16, 64, 1000}) {
    for (const char* op : {"Softmax", "LogSoftmax"}) all.push_back({op, {}, {{1, cols}}, 0});
  }
  for (int64_t cols : {3, 10, 16}) all.push_back({"Softmax", {}, {{32, cols}}, 0});
  all.push_back({"Softmax", {}, {{200, 50}}, 0});
  all.push_back({"Softmax", {{"axis", one}}, {{8, 10, 64}}, 0});
  all.push_back({"FusedAttention", {{"scale", 0.25f}}, {{1, 4, 50, 16}, {1, 4, 50, 16}, {1, 4, 50, 16}}, 0});
  all.push_back({"FusedAttention", {{"scale", 0.125f}}, {{1, 8, 128, 64}, {1, 8, 128, 64}, {1, 8, 128, 64}}, 0});
  for (const char* op : {"Relu", "Sigmoid", "Tanh", "Gelu", "Exp", "Erf"}) all.push_back({op, {}, {{1, 64}}, 0});
  for (const char* op : {"Tanh", "Gelu"}) all.push_back({op, {}, {{64, 256}}, 0});
  for (const char* op : {"Add", "Mul", "Div"}) {
    all.push_back({op, {}, {{1, 64}, {1, 64}}, 0});
    all.push_back({op, {}, {{50, 256}, {256}}, 0});
  }
  for (int64_t h : {64, 100}) {  // a window of 20, a row alone
    all.push_back({"LSTM", {{"hidden_size", h}}, {{20, 1, h}, {1, 4 * h, h}, {1, 4 * h, h}}, 6});
    all.push_back({"GRU", {{"hidden_size", h}, {"linear_before_reset", one}}, {{20, 1, h}, {1, 3 * h, h}, {1, 3 * h, h}}, 6});
  }
  all.push_back({"LayerNormalization", {}, {{50, 64}, {64}, {64}}, 6});
  all.push_back({"Conv", {}, {{1, 32, 56, 56}, {32, 32, 3, 3}, {32}}, 6});
  // Padded maps, 14 and 7 wide; depthwise; with an activation that the tile does not apply in registers; transposed, by phases.
  const Attrs padded = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}, twofold = {{"strides", std::vector<int64_t>{2, 2}}};
  all.push_back({"Conv", padded, {{1, 256, 14, 14}, {256, 256, 3, 3}, {256}}, 6});
  all.push_back({"Conv", padded, {{1, 512, 7, 7}, {512, 512, 3, 3}, {512}}, 6});
  all.push_back({"Conv", {padded[0], {"group", int64_t(96)}}, {{1, 96, 28, 28}, {96, 1, 3, 3}, {96}}, 6});
  all.push_back({"FusedConv", {{"activation", std::string("Swish")}, {"alpha", 1.0f}}, {{1, 16, 28, 28}, {96, 16, 1, 1}, {96}}, 6});
  all.push_back({"ConvTranspose", twofold, {{1, 64, 16, 16}, {64, 32, 2, 2}, {32}}, 6});
  all.push_back({"MaxPool", {{"kernel_shape", std::vector<int64_t>{2, 2}}}, {{1, 32, 56, 56}}, 0});
  all.push_back({"Transpose", {{"perm", std::vector<int64_t>{1, 0}}}, {{256, 256}}, 0});
  return all;
}

void measure(benchmark::State& state, const std::shared_ptr<Bound>& bound) {
  FlushSubnormals flush;
  for (auto _ : state) {
    bound->run();
    benchmark::DoNotOptimize(bound->output().raw());
    benchmark::ClobberMemory();
  }
  const auto per_second = [](int64_t n) { return benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate); };
  if (bound->macs() > 0) state.counters["FLOP/s"] = per_second(2 * bound->macs());
  state.counters["bytes/s"] = per_second(bound->bytes());
}

// One benchmark for each ISA that has a row of its own; those in `timed` not again.
void add(const OpDef& op, const Attributes& attrs, const std::vector<Tensor>& inputs, size_t outputs, uint32_t constants,
         std::set<const KernelRow*>& timed, bool again) {
  std::string shapes;
  for (size_t i = 0; i < inputs.size(); ++i) shapes += (i ? "x" : "") + to_string(inputs[i].dims());
  for (Isa isa : kIsas) {
    if (!runnable(isa)) continue;
    auto bound = std::make_shared<Bound>(op, attrs, inputs, outputs, constants, isa);
    if (!bound->ok() || bound->row()->isa != isa) continue;  // no kernel of its own for this ISA
    if (!timed.insert(bound->row()).second && !again) continue;
    const std::string name = std::string(bound->row()->name) + "/" + op.name + "/" + shapes + (constants ? "" : "/computed");
    benchmark::RegisterBenchmark(name.c_str(), [bound](benchmark::State& s) { measure(s, bound); });
  }
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
  using namespace tern;
  using namespace tern::bench;
  std::set<const KernelRow*> timed;
  for (const Case& c : cases()) {
    Attributes attrs;
    for (const auto& [name, value] : c.attrs) attrs.set(name, value);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(random_tensor(c.inputs[i], static_cast<uint32_t>(i + 1)));
    add(*find_op(c.op), attrs, inputs, 1, c.constants, timed, true);
  }
  for (const test::Case& c : test::row_cases()) {
    std::vector<Tensor> inputs;
    uint32_t constants = 0;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.push_back(test::tensor_of(c, i));
      constants |= uint32_t(c.inputs[i].constant) << i;
    }
    add(*find_op(c.op), test::attributes_of(c), inputs, c.outputs, constants, timed, false);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
