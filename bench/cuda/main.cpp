// bench_cuda [--device cuda[:N]] [MODEL.onnx...]: what a GPU takes for tern's kernels, beside cuBLAS where it is, and for whole models, whose outputs are
// compared with the CPU's byte for byte. Called by on_gpu; prints tables. Exit: 0, 1 a model differs, 4 no usable GPU. Next: runtime/cuda/cublas.h.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>

#include "bench/kernels/bound.h"
#include "kernels/op.h"
#include "runtime/cuda/device_step.h"
#include "runtime/model.h"

namespace tern::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  const char* op;
  std::vector<std::pair<const char*, Attributes::Value>> attrs;
  std::vector<Dims> inputs;
  uint32_t constants = 0;
};

std::vector<Case> cases() {
  const Attributes::Value relu = std::string("Relu");
  std::vector<Case> all;
  for (int64_t n : {128, 256, 512, 1024, 2048, 4096}) all.push_back({"MatMul", {}, {{n, n}, {n, n}}});
  for (auto [m, k, n] : {std::array<int64_t, 3>{1, 1024, 1024}, {1, 4096, 4096}, {32, 512, 512}, {512, 768, 3072}}) {
    all.push_back({"Linear", {{"activation", relu}}, {{m, k}, {k, n}, {n}}, 6});
  }
  all.push_back({"Conv", {{"pads", std::vector<int64_t>{1, 1, 1, 1}}}, {{1, 64, 56, 56}, {64, 64, 3, 3}, {64}}, 6});
  all.push_back({"Conv", {}, {{1, 256, 14, 14}, {1024, 256, 1, 1}, {1024}}, 6});
  all.push_back({"FusedAttention", {{"scale", 0.125f}}, {{1, 8, 128, 64}, {1, 8, 128, 64}, {1, 8, 128, 64}}});
  for (int64_t cols : {128, 1024, 8192}) all.push_back({"Softmax", {}, {{4096, cols}}});
  all.push_back({"LayerNormalization", {}, {{4096, 1024}, {1024}, {1024}}, 6});
  all.push_back({"ReduceSum", {}, {{4096, 4096}}});
  for (const char* op : {"Relu", "Exp", "Tanh"}) all.push_back({op, {}, {{1 << 24}}});
  all.push_back({"Add", {}, {{1 << 24}, {1 << 24}}});
  all.push_back({"Transpose", {{"perm", std::vector<int64_t>{1, 0}}}, {{4096, 4096}}});
  all.push_back({"MaxPool", {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}}, {{8, 64, 112, 112}}});
  return all;
}

// The least of several runs, in microseconds.
double least_us(cuda::DeviceRun& run, int times) {
  double best = 1e30;
  for (int i = 0; i < times; ++i) {
    const auto begin = Clock::now();
    if (!run.run()) return -1;
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  return best;
}

// A graph of the launches, so many times over: what one of them takes without the cost of the graph's launch.
double us_of(cuda::Device& device, std::span<const Launch> launches, double floor) {
  constexpr int kRepeats = 20;
  std::vector<Launch> many;
  for (int i = 0; i < kRepeats; ++i) many.insert(many.end(), launches.begin(), launches.end());
  auto run = device.prepare(many);
  if (!run) return std::fprintf(stderr, "%s\n", run.error().message().c_str()), -1;
  least_us(**run, 2);
  const double us = least_us(**run, 10);
  return us < 0 ? us : std::max(0.0, us - floor) / kRepeats;
}

void time_kernels(cuda::Device& device, double floor) {
  bool cublas = true;  // until it is missed
  std::printf("\n%-22s %-34s %10s %10s %10s %12s\n", "kernel", "shapes", "us", "GFLOP/s", "GB/s", "cuBLAS us");
  for (const Case& c : cases()) {
    Attributes attrs;
    for (const auto& [name, value] : c.attrs) attrs.set(name, value);
    std::vector<Tensor> inputs;
    std::string shapes;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      inputs.push_back(random_tensor(c.inputs[i], static_cast<uint32_t>(i + 1)));
      shapes += (i ? "x" : "") + to_string(c.inputs[i]);
    }
    const OpDef& op = *find_op(c.op);
    Bound here(op, attrs, inputs, 1, c.constants, best_isa());  // for the shape of the output
    if (!here.ok()) continue;
    std::vector<TensorView> in;
    for (size_t i = 0; i < inputs.size(); ++i) in.push_back(inputs[i].view(c.constants >> i & 1));
    const TensorView out = here.output().view();
    auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = Isa::cuda, .inputs = in, .outputs = {&out, 1}});
    if (!bound || bound->row == nullptr || bound->row->isa != Isa::cuda) {
      std::printf("%-22s %-34s no kernel\n", c.op, shapes.c_str());
      continue;
    }
    auto step = cuda::make_step(device, *bound, inputs, {&here.output(), 1}, true);
    if (!step) {
      std::printf("%-22s %s\n", c.op, step.error().message().c_str());
      continue;
    }
    const double us = us_of(device, step->launches.all(), floor);
    std::printf("%-22s %-34s %10.2f %10.1f %10.1f", bound->row->name, shapes.c_str(), us, 2e-3 * static_cast<double>(here.macs()) / us,
                1e-3 * static_cast<double>(here.bytes()) / us);
    if (cublas && std::string_view(c.op) == "MatMul") {
      const int64_t n = c.inputs[0][0];
      const auto x = device.allocate(inputs[0].bytes()), w = device.allocate(inputs[1].bytes()), y = device.allocate(here.output().bytes());
      if (x && w && y && device.upload(x->get(), {inputs[0].raw(), inputs[0].bytes()}) &&
          device.upload(w->get(), {inputs[1].raw(), inputs[1].bytes()})) {
        CublasProduct p{};
        p.batches = 1;
        p.m = p.n = p.k = p.x_row = p.w_row = n;
        p.alpha = 1;
        p.x = reinterpret_cast<const float*>(x->get());
        p.w = reinterpret_cast<const float*>(w->get());
        p.y = reinterpret_cast<float*>(y->get());
        Launches product;
        product.multiply(p);
        const double its = us_of(device, product.all(), floor);
        cublas = its >= 0;
        if (cublas) std::printf(" %12.2f", its);
      }
    }
    std::printf("\n");
  }
}

double percentile(std::vector<double>& us, double p) {
  std::sort(us.begin(), us.end());
  return us[std::min(us.size() - 1, static_cast<size_t>(p * static_cast<double>(us.size())))];
}

// Returns whether the outputs are the CPU's.
bool time_model(const std::string& path, const std::string& device) {
  auto model = load(path);
  if (!model) return std::printf("%-30s %s\n", path.c_str(), model.error().message().c_str()), false;
  SessionOptions options;
  for (const Port& p : model->inputs()) {
    for (const std::string& d : p.shape) {
      if (d.find_first_not_of("0123456789") != std::string::npos) options.dims[d] = 1;
    }
  }
  auto here = model->session(options);
  options.device = device;
  auto there = model->session(options);
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!here || !there) return std::printf("%-30s %s\n", name.c_str(), (here ? there : here).error().message().c_str()), false;
  for (const Port& p : here->inputs()) {
    auto to = here->input_bytes(p.name);
    if (p.dtype == DType::f32) {
      const Tensor random = random_tensor(Dims{static_cast<int64_t>(to.size() / 4)}, 1);
      std::memcpy(to.data(), random.raw(), to.size());
    }
    std::ranges::copy(to, there->input_bytes(p.name).begin());
  }
  auto times = [](Session& s, int count) {
    std::vector<double> us;
    for (int i = 0; i < count; ++i) {
      const auto begin = Clock::now();
      s.run();
      us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    }
    return us;
  };
  times(*there, 20);
  auto gpu = times(*there, 1000);
  auto cpu = times(*here, 200);
  bool same = true;
  for (const Port& p : here->outputs()) same &= std::ranges::equal(here->output_bytes(p.name), there->output_bytes(p.name));
  std::printf("%-30s %8zu %10.2f %10.2f %10.2f %10.2f  %s\n", name.c_str(), there->steps().size(), percentile(gpu, 0), percentile(gpu, 0.5),
              percentile(gpu, 0.99), percentile(cpu, 0.5), same ? "same bytes as the CPU" : "DIFFERS from the CPU");
  return same;
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
  using namespace tern;
  std::string name = "cuda";
  std::vector<std::string> models;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--device") == 0 && i + 1 < argc) name = argv[++i];
    else models.emplace_back(argv[i]);
  }
  auto device = cuda::open_device(name);
  if (!device) return std::fprintf(stderr, "bench_cuda: %s\n", device.error().message().c_str()), 4;
  std::printf("%s\n", (*device)->name().c_str());
  auto scratch = (*device)->allocate(4);
  if (!scratch) return 4;
  Launches one;
  one.zero(scratch->get(), 4);
  auto empty = (*device)->prepare(one.all());
  if (!empty) return std::fprintf(stderr, "bench_cuda: %s\n", empty.error().message().c_str()), 4;
  const double floor = bench::least_us(**empty, 1000);
  std::printf("launch floor (a graph of one fill of 4 bytes, until the host sees it done): %.2f us\n", floor);
  bench::time_kernels(**device, floor);
  bool same = true;
  if (!models.empty()) std::printf("\n%-30s %8s %10s %10s %10s %10s\n", "model", "steps", "min us", "p50 us", "p99 us", "CPU p50");
  for (const std::string& m : models) same &= bench::time_model(m, name);
  return same ? 0 : 1;
}
