// Times every kernel row of the catalog that this machine runs: at the shapes below, which small nets have, in the plans of planned.h, which alone have
// blocked values and weights in fewer bits, and what none of them reaches at the small shapes that the tests run it with (tests/support/operator_cases.h).
//   bench_kernels --benchmark_filter=gemm/f32/avx512 --benchmark_min_time=0.05
//   bench_kernels --missing        the rows that this CPU runs and nothing times, names that are no filters; exit 1 when there is one (test bench/rows)
// Names are <kernel>/<operator>/<shapes>, without a character that a filter reads as anything but itself: gemm/f32/avx512/MatMul/64x64,64x64. The
// context has what each ISA's multiply-adds reach in registers here, in GFLOP/s: peak_avx2.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <set>
#include <string>

#include "bench/kernels/planned.h"
#include "tern/flush_subnormals.h"
#include "tests/support/operator_cases.h"
#include "tools/tern/limits.h"

namespace tern::bench {
namespace {

using Attrs = std::vector<std::pair<std::string, Attributes::Value>>;
struct Case {
  const char* op;
  Attrs attrs;
  std::vector<Dims> inputs;
  uint32_t constants;
};

Dims dims_of(const Tensor& t) { return t.present() ? t.dims() : Dims{}; }
Dims dims_of(const TensorView& t) { return t.dims; }

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
  for (int64_t n : {8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}) {
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
  for (int64_t cols : {64, 128, 256, 512}) all.push_back({"LayerNormalization", {}, {{50, cols}, {cols}, {cols}}, 6});
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

using Counter = benchmark::Counter;
Counter per_second(int64_t n) { return Counter(static_cast<double>(n), Counter::kIsIterationInvariantRate); }

void measure(benchmark::State& state, const std::shared_ptr<Bound>& bound) {
  FlushSubnormals flush;
  for (auto _ : state) {
    bound->run();
    benchmark::DoNotOptimize(bound->output().raw());
    benchmark::ClobberMemory();
  }
  if (bound->macs() > 0) state.counters["FLOP/s"] = per_second(2 * bound->macs());
  state.counters["bytes/s"] = per_second(bound->bytes());
}

// A filter reads names as regular expressions: dims are told without brackets.
template <class Views>
std::string shapes_text(const Views& inputs) {
  std::string text;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i > 0) text += ",";
    const Dims dims = dims_of(inputs[i]);
    for (int axis = 0; axis < dims.rank; ++axis) text += (axis > 0 ? "x" : "") + std::to_string(dims[axis]);
    if (dims.rank == 0) text += "1";
  }
  return text;
}

// What was registered.
struct Timed {
  std::set<const KernelRow*> rows;
  std::set<std::string> names;
  bool add(const KernelRow* row) { return rows.insert(row).second; }
  template <class F>
  void add(const std::string& name, F f) {
    names.insert(name);
    benchmark::RegisterBenchmark(name.c_str(), f);
  }
};

// One benchmark for each ISA that has a row of its own; those in `timed` not again.
void add(const OpDef& op, const Attributes& attrs, const std::vector<Tensor>& inputs, size_t outputs, uint32_t constants, Timed& timed, bool again) {
  const std::string shapes = shapes_text(inputs);
  for (Isa isa : kIsas) {
    if (!runnable(isa)) continue;
    auto bound = std::make_shared<Bound>(op, attrs, inputs, outputs, constants, isa);
    if (!bound->ok() || bound->row()->isa != isa) continue;  // no kernel of its own for this ISA
    if (!timed.add(bound->row()) && !again) continue;
    const std::string name = std::string(bound->row()->name) + "/" + op.name + "/" + shapes + (constants ? "" : "/computed");
    timed.add(name, [bound](benchmark::State& s) { measure(s, bound); });
  }
}

// The steps of plans whose rows nothing timed yet.
void add_planned(Timed& timed) {
  for (const PlannedCase& c : planned_cases()) {
    for (Isa isa : kIsas) {
      if (!runnable(isa)) continue;
      auto planned = std::make_shared<Planned>(c, isa);
      for (size_t i = 0; i < planned->works.size(); ++i) {
        const Work& work = *planned->works[i];
        if (work.node == nullptr || work.row->isa != isa || !timed.add(work.row)) continue;
        const std::string name = std::string(work.row->name) + "/" + work.node->op->name + "/" + shapes_text(planned->program->views(work).in);
        const int64_t bytes = step_bytes(*planned->program)[i];
        timed.add(name, [planned, i, bytes](benchmark::State& state) {
          FlushSubnormals flush;
          const Step& step = planned->plan->steps[0][i];
          for (auto _ : state) {
            step.run(step.args);
            benchmark::ClobberMemory();
          }
          state.counters["bytes/s"] = per_second(bytes);
        });
      }
    }
  }
}

int tell_missing(const Timed& timed) {
  int missing = 0;
  for (const OpDef* op : all_ops()) {
    for (const KernelRow* row : op->kernels) {
      if (!runnable(row->isa) || timed.rows.count(row) > 0) continue;
      std::printf("%s of %s has no case in bench_kernels\n", row->name, op->name);
      ++missing;
    }
  }
  for (const std::string& name : timed.names) {
    if (name.find_first_of("[](){}*+?.|^$\\") == std::string::npos) continue;
    std::printf("%s is no filter for itself\n", name.c_str());
    ++missing;
  }
  return missing > 0 ? 1 : 0;
}

void tell_peaks() {
  const command::Clock clock;
  for (Isa isa : kIsas) {
    if (!runnable(isa)) continue;
    benchmark::AddCustomContext(std::string("peak_") + tern::name(isa), std::to_string(command::peak_gflops(clock, isa)));
  }
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
  using namespace tern;
  using namespace tern::bench;
  Timed timed;
  for (const Case& c : cases()) {
    Attributes attrs;
    for (const auto& [name, value] : c.attrs) attrs.set(name, value);
    std::vector<Tensor> inputs;
    for (size_t i = 0; i < c.inputs.size(); ++i) inputs.push_back(random_tensor(c.inputs[i], static_cast<uint32_t>(i + 1)));
    add(*find_op(c.op), attrs, inputs, 1, c.constants, timed, true);
  }
  add_planned(timed);
  for (const test::Case& c : test::row_cases()) {
    std::vector<Tensor> inputs;
    uint32_t constants = 0;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.push_back(test::tensor_of(c, i));
      constants |= uint32_t(c.inputs[i].constant) << i;
    }
    add(*find_op(c.op), test::attributes_of(c), inputs, c.outputs, constants, timed, false);
  }
  if (argc == 2 && std::string(argv[1]) == "--missing") return tell_missing(timed);
  tell_peaks();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
