// The ladder of products on a GPU: bench_ladder_gemm_cuda [--m M] [--n N] [--k K] [--device cuda]. See ../cuda/ladder.h; first step: 01_naive.cu.
#include <cmath>
#include <random>

#include "bench/ladder/cuda/ladder.h"

namespace tern::cuda {
std::span<const DeviceModule> gemm_ladder();  // made by bench/CMakeLists.txt
}

int main(int argc, char** argv) {
  using namespace tern;
  const int32_t m = ladder::option(argc, argv, "--m", 256), n = ladder::option(argc, argv, "--n", 256) / 4 * 4,
                k = ladder::option(argc, argv, "--k", 128) / 4 * 4;
  ladder::Problem p;
  p.title = "product of " + std::to_string(m) + " x " + std::to_string(k) + " and " + std::to_string(k) + " x " + std::to_string(n);
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(m) * static_cast<size_t>(k)), w(static_cast<size_t>(k) * static_cast<size_t>(n));
  for (float& v : x) v = normal(engine);
  for (float& v : w) v = normal(engine);
  std::vector<float> row(static_cast<size_t>(n));
  for (int32_t r = 0; r < m; ++r) {
    row.assign(row.size(), 0.0f);
    for (int32_t i = 0; i < k; ++i) {
      const float a = x[static_cast<size_t>(r) * static_cast<size_t>(k) + static_cast<size_t>(i)];
      const float* line = w.data() + static_cast<size_t>(i) * static_cast<size_t>(n);
      for (size_t c = 0; c < row.size(); ++c) row[c] = std::fma(a, line[c], row[c]);
    }
    p.expected.insert(p.expected.end(), row.begin(), row.end());
  }
  p.inputs = {std::move(x), std::move(w)};
  p.sizes = {m, n, k};
  p.flops = 2.0 * m * n * k;
  p.bytes = 4.0 * (static_cast<double>(m) * k + static_cast<double>(k) * n + static_cast<double>(m) * n);

  const auto grid = [&](int64_t tile) { return Dim3{blocks_for(m, tile), blocks_for(n, tile)}; };
  const Dim3 block{256};
  const std::vector<ladder::Step> steps = {
      {"01_naive", "gemm_01", grid(16), block, 0, "a thread an element, a warp down the rows", true},
      {"02_coalesced", "gemm_02", grid(16), block, 0, "a warp along the columns", true},
      {"03_shared_tile", "gemm_03", grid(16), block, 0, "what is read is used 16 times", true},
      {"04_register_tile", "gemm_04", grid(64), block, 0, "4 x 4 elements a thread", true},
      {"05_vectors", "gemm_05", grid(128), block, 0, "8 x 8 elements a thread, 16 bytes a load", true},
      {"06_double_buffer", "gemm_06", grid(128), block, 0, "the next stage comes while this one is multiplied", true},
  };
  return ladder::climb(argc, argv, p, steps, cuda::gemm_ladder());
}
