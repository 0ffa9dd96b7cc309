// Runs the ladder: checks every step against a sum in double, then times it. See ladder.h.
//   bench_ladder_gemm --benchmark_filter=avx512/256x256x256
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/kernels/bound.h"
#include "bench/ladder/gemm/ladder.h"
#include "kernels/gemm/panel.h"

namespace tern::bench {
namespace {

struct LadderStep {
  const char* name;
  void (*avx2)(const LadderArgs&);
  void (*avx512)(const LadderArgs&);
};
constexpr LadderStep kSteps[] = {
    {"01_naive", avx2::gemm_01_naive, avx512::gemm_01_naive},       {"02_loop_order", avx2::gemm_02_loop_order, avx512::gemm_02_loop_order},
    {"03_vectors", avx2::gemm_03_vectors, avx512::gemm_03_vectors}, {"04_register_tile", avx2::gemm_04_register_tile, avx512::gemm_04_register_tile},
    {"05_packed", avx2::gemm_05_packed, avx512::gemm_05_packed},    {"06_even_rows", avx2::gemm_06_even_rows, avx512::gemm_06_even_rows},
    {"07_chains", avx2::gemm_07_chains, avx512::gemm_07_chains},    {"08_production", avx2::gemm_08_production, avx512::gemm_08_production},
};

// One product and the memory it needs.
struct Problem {
  int64_t m, n, k;
  Tensor a, b, c;
  std::shared_ptr<std::byte> packed, weights;
  Problem(int64_t rows, int64_t columns, int64_t depth)
      : m(rows), n(columns), k(depth), a(random_tensor({m, k}, 1)), b(random_tensor({k, n}, 2)), c(random_tensor({m, n}, 3)) {
    const int chains = gemm_chains(n, k);
    packed = allocate_aligned(static_cast<size_t>((n + 15) / 16 * 16 * k + 16) * sizeof(float), true);
    weights = allocate_aligned(static_cast<size_t>(packed_floats(n, k, chains) + 16) * sizeof(float), true);
    pack_weights(b.data<float>(), n, 1, n, k, 1, chains, reinterpret_cast<float*>(weights.get()));
  }
  LadderArgs args() {
    return {a.data<float>(),
            b.data<float>(),
            c.mutable_data<float>(),
            m,
            n,
            k,
            reinterpret_cast<float*>(packed.get()),
            reinterpret_cast<const float*>(weights.get())};
  }
};

// Every element within K eps sum |a b| of the sum in double.
bool correct(void (*step)(const LadderArgs&), Problem& p) {
  for (int64_t i = 0; i < p.m * p.n; ++i) p.c.mutable_data<float>()[i] = NAN;
  step(p.args());
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      double sum = 0, size = 0;
      for (int64_t k = 0; k < p.k; ++k) {
        const double t = static_cast<double>(p.a.data<float>()[i * p.k + k]) * p.b.data<float>()[k * p.n + j];
        sum += t;
        size += std::fabs(t);
      }
      if (!(std::fabs(p.c.data<float>()[i * p.n + j] - sum) <= static_cast<double>(p.k + 2) * 0x1p-23 * size)) return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
  using namespace tern;
  using namespace tern::bench;
  for (Isa isa : {Isa::avx2, Isa::avx512}) {
    if (!runnable(isa)) continue;
    for (const LadderStep& s : kSteps) {
      const auto step = isa == Isa::avx512 ? s.avx512 : s.avx2;
      for (auto [m, n, k] :
           {std::array<int64_t, 3>{1, 1, 1}, {7, 3, 64}, {31, 16, 17}, {5, 33, 20}, {33, 50, 5}, {13, 64, 64}, {8, 79, 3}, {2, 130, 40}}) {
        Problem p(m, n, k);
        if (!correct(step, p)) {
          std::fprintf(stderr, "%s on %s is wrong at %dx%dx%d\n", s.name, name(isa), static_cast<int>(m), static_cast<int>(n), static_cast<int>(k));
          return 1;
        }
      }
    }
    for (auto [m, n, k] :
         {std::array<int64_t, 3>{1, 64, 64}, {1, 16, 64}, {31, 64, 64}, {64, 64, 64}, {32, 128, 64}, {256, 256, 256}, {512, 512, 512}}) {
      for (const LadderStep& s : kSteps) {
        const auto step = isa == Isa::avx512 ? s.avx512 : s.avx2;
        auto p = std::make_shared<Problem>(m, n, k);
        const std::string title = std::string(name(isa)) + "/" + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + "/" + s.name;
        benchmark::RegisterBenchmark(title.c_str(), [step, p](benchmark::State& state) {
          const LadderArgs args = p->args();
          for (auto _ : state) {
            step(args);
            benchmark::ClobberMemory();
          }
          state.counters["FLOP/s"] = benchmark::Counter(static_cast<double>(2 * p->m * p->n * p->k), benchmark::Counter::kIsIterationInvariantRate);
        });
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
