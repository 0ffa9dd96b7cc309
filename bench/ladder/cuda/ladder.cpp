// See ladder.h.
#include "bench/ladder/cuda/ladder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/cuda/device.h"
#include "tools/ptxsim/ptxsim.h"

namespace tern::ladder {
namespace {

// Cards of the roofline, from their data sheets: bytes and f32 operations a second.
struct Card {
  const char* name;
  double bandwidth, flops;
};
constexpr Card kCards[] = {{"A100", 1.94e12, 19.5e12}, {"H100", 3.35e12, 67e12}, {"RTX 5090", 1.79e12, 105e12}};

const char* find(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  }
  return nullptr;
}

// The parameter block: pointers, then 32-bit sizes.
std::vector<std::byte> parameters(const Problem& p, std::span<const uint64_t> pointers) {
  std::vector<std::byte> block(pointers.size() * 8 + p.sizes.size() * 4);
  std::memcpy(block.data(), pointers.data(), pointers.size() * 8);
  std::memcpy(block.data() + pointers.size() * 8, p.sizes.data(), p.sizes.size() * 4);
  return block;
}

// The largest distance from what is expected, relative to the largest element; infinite for a NaN.
double error_of(const Problem& p, std::span<const float> y) {
  double largest = 0, worst = 0;
  for (double e : p.expected) largest = std::max(largest, std::fabs(e));
  for (size_t i = 0; i < y.size(); ++i) {
    const double d = std::fabs(static_cast<double>(y[i]) - p.expected[i]);
    worst = d <= worst ? worst : std::isnan(d) ? INFINITY : d;
  }
  return worst / largest;
}

bool right(const Problem& p, const Step& s, std::span<const float> y) {
  if (!s.exact) return error_of(p, y) <= p.tolerance;
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] != static_cast<float>(p.expected[i])) return false;
  }
  return true;
}

bool simulate(const Problem& p, const Step& s, const cuda::DeviceModule& module) {
  auto parsed = ptxsim::Module::parse({reinterpret_cast<const char*>(module.image.data()), module.image.size()}, std::string(s.name) + ".ptx");
  if (!parsed) return std::printf("%-18s %s\n", s.name, parsed.error().message().c_str()), false;
  ptxsim::Machine machine;
  std::vector<uint64_t> pointers;
  for (const auto& input : p.inputs) {
    auto at = machine.allocate(input.size() * 4);
    if (!at || !machine.write(*at, input.data(), input.size() * 4)) return false;
    pointers.push_back(*at);
  }
  auto out = machine.allocate(p.expected.size() * 4);
  if (!out) return false;
  pointers.push_back(*out);
  const ptxsim::Dim3 grid{s.grid.x, s.grid.y, s.grid.z}, block{s.block.x, s.block.y, s.block.z};
  auto result = machine.launch(*parsed, s.kernel, grid, block, s.shared, parameters(p, pointers), {});
  if (!result) return std::printf("%-18s %s\n", s.name, result.error().message().c_str()), false;
  std::vector<float> y(p.expected.size());
  if (!machine.read(y.data(), *out, y.size() * 4)) return false;

  const ptxsim::Counters& c = result->counters;
  const auto per = [](int64_t a, int64_t b) { return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b); };
  const double elements = static_cast<double>(p.expected.size());
  const bool ok = right(p, s, y) && result->findings.empty();
  std::printf("%-18s %9.1f %7.2f %8.2f %8.2f %9.2f %9.1f %8.1e%s  %s\n", s.name, static_cast<double>(c.instructions) / elements, 100 * c.fma_share(),
              per(c.global_load_sectors, c.global_loads), per(c.global_store_sectors, c.global_stores), per(c.shared_wavefronts, c.shared_requests),
              32 * static_cast<double>(c.global_load_sectors + c.global_store_sectors) / p.bytes * 100, error_of(p, y), ok ? "" : "  WRONG", s.idea);
  for (const ptxsim::Finding& f : result->findings) std::printf("    %s\n", f.to_text().c_str());
  return ok;
}

int time_on(const char* device_name, const Problem& p, std::span<const Step> steps, std::span<const cuda::DeviceModule> modules) {
  auto device = cuda::open_device(device_name, modules);
  if (!device) return std::fprintf(stderr, "%s\n", device.error().message().c_str()), 4;
  std::vector<cuda::Memory> kept;
  std::vector<uint64_t> pointers;
  auto room = [&](size_t bytes) {
    auto memory = (*device)->allocate(bytes);
    if (!memory) return std::fprintf(stderr, "%s\n", memory.error().message().c_str()), false;
    pointers.push_back(reinterpret_cast<uint64_t>(memory->get()));
    kept.push_back(std::move(*memory));
    return true;
  };
  for (const auto& input : p.inputs) {
    if (!room(input.size() * 4) || !(*device)->upload(kept.back().get(), std::as_bytes(std::span(input)))) return 4;
  }
  if (!room(p.expected.size() * 4)) return 4;
  auto host = (*device)->allocate_host(p.expected.size() * 4);
  if (!host) return 4;
  std::printf("%s\n%-18s %10s %10s %10s\n", (*device)->name().c_str(), "", "us", "GFLOP/s", "GB/s");
  int code = 0;
  for (const Step& s : steps) {
    Launch kernel, back;
    kernel.module = s.name;
    kernel.kernel = s.kernel;
    kernel.grid = s.grid;
    kernel.block = s.block;
    kernel.shared = s.shared;
    kernel.args = parameters(p, pointers);
    back.kind = Launch::Kind::download;
    back.to = host->get();
    back.from = kept.back().get();
    back.bytes = static_cast<int64_t>(p.expected.size() * 4);
    const Launch both[] = {kernel, back};
    auto run = (*device)->prepare(both);
    if (!run) return std::fprintf(stderr, "%s: %s\n", s.name, run.error().message().c_str()), 4;
    double best = INFINITY, ns[2];
    for (int i = 0; i < 50; ++i) {
      if (!(*run)->run_timed(ns)) return std::fprintf(stderr, "%s: %s\n", s.name, (*run)->status().error().message().c_str()), 4;
      best = std::min(best, ns[0]);
    }
    const bool ok = right(p, s, {reinterpret_cast<const float*>(host->get()), p.expected.size()});
    std::printf("%-18s %10.2f %10.1f %10.1f%s\n", s.name, best / 1e3, p.flops / best, p.bytes / best, ok ? "" : "  WRONG");
    if (!ok) code = 1;
  }
  return code;
}

}  // namespace

int32_t option(int argc, char** argv, const char* name, int32_t fallback) {
  const char* text = find(argc, argv, name);
  return text == nullptr ? fallback : std::max(1, std::atoi(text));
}

int climb(int argc, char** argv, const Problem& p, std::span<const Step> steps, std::span<const cuda::DeviceModule> modules) {
  std::printf("%s\n", p.title.c_str());
  if (const char* device = find(argc, argv, "--device")) return time_on(device, p, steps, modules);
  std::printf("counted by tools/ptxsim from the PTX of compute_80, never run on a GPU\n");
  for (const Card& c : kCards) {
    std::printf("  no kernel is faster on %s than %.2f us (%s)\n", c.name, 1e6 * std::max(p.bytes / c.bandwidth, p.flops / c.flops),
                p.bytes / c.bandwidth > p.flops / c.flops ? "memory" : "arithmetic");
  }
  std::printf("\n%-18s %9s %7s %8s %8s %9s %9s %8s  %s\n", "", "instr/", "fma", "sectors/", "sectors/", "wavefr./", "traffic", "error", "idea");
  std::printf("%-18s %9s %7s %8s %8s %9s %9s %8s\n", "step", "element", "%", "load", "store", "shared", "% of min", "");
  bool all = true;
  for (const Step& s : steps) {
    const auto module = std::find_if(modules.begin(), modules.end(), [&](const cuda::DeviceModule& m) { return std::strcmp(m.name, s.name) == 0; });
    all &= module != modules.end() && simulate(p, s, *module);
  }
  return all ? 0 : 1;
}

}  // namespace tern::ladder
