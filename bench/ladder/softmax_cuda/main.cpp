// The ladder of softmax on a GPU: bench_ladder_softmax_cuda [--rows N] [--cols N] [--device cuda]. See ../cuda/ladder.h; first step: 01_naive.cu.
#include <cmath>
#include <random>

#include "bench/ladder/cuda/ladder.h"

namespace tern::cuda {
std::span<const DeviceModule> softmax_ladder();  // made by bench/CMakeLists.txt
}

int main(int argc, char** argv) {
  using namespace tern;
  const int32_t rows = ladder::option(argc, argv, "--rows", 64), cols = ladder::option(argc, argv, "--cols", 1024) / 4 * 4;
  ladder::Problem p;
  p.title = "softmax of " + std::to_string(rows) + " rows of " + std::to_string(cols);
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  std::vector<float>& x = p.inputs.emplace_back(static_cast<size_t>(rows) * cols);
  for (float& v : x) v = normal(engine);
  for (int32_t r = 0; r < rows; ++r) {
    const float* row = x.data() + static_cast<size_t>(r) * cols;
    double m = -INFINITY, sum = 0;
    for (int32_t c = 0; c < cols; ++c) m = std::max<double>(m, row[c]);
    for (int32_t c = 0; c < cols; ++c) sum += std::exp(row[c] - m);
    for (int32_t c = 0; c < cols; ++c) p.expected.push_back(std::exp(row[c] - m) / sum);
  }
  p.tolerance = 1e-5;  // a row of 4096 that one thread adds up loses two digits
  p.sizes = {rows, cols};
  p.bytes = 8.0 * rows * cols;
  p.flops = 5.0 * rows * cols;

  const Dim3 each{static_cast<uint32_t>(rows)}, block{256};
  const auto row_bytes = static_cast<uint32_t>(cols) * 4;
  std::vector<ladder::Step> steps = {
      {"01_naive", "softmax_01", {blocks_for(rows, 256)}, block, 0, "a thread a row"},
      {"02_block_a_row", "softmax_02", each, block, 0, "neighbours read neighbours; trees in shared memory"},
      {"03_shuffles", "softmax_03", each, block, 0, "warps fold by shuffles"},
      {"04_one_read", "softmax_04", each, block, row_bytes, "the row in shared memory, one exponential an element"},
      {"05_registers", "softmax_05", each, block, 0, "the row in registers, 16 bytes a load"},
      {"06_online", "softmax_06", each, block, 0, "maximum and sum in one pass, any length"},
      {"07_order", "softmax_07", each, block, row_bytes, "the CPU's order of the sum"},
  };
  if (cols > 4096) std::erase_if(steps, [](const ladder::Step& s) { return std::string_view(s.kernel) == "softmax_05"; });
  if (row_bytes > 40000) std::erase_if(steps, [](const ladder::Step& s) { return s.shared != 0; });
  return ladder::climb(argc, argv, p, steps, cuda::softmax_ladder());
}
