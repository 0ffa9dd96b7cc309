// What the ladders of CUDA kernels share: every step is run by tools/ptxsim, which counts what it does, and with --device cuda on a GPU, which times it.
// A ladder is its steps and one problem; see softmax_cuda/main.cpp.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "runtime/cuda/modules.h"

namespace tern::ladder {

struct Step {
  const char* name;  // "01_naive": the .cu, and the module
  const char* kernel;
  Dim3 grid, block;
  uint32_t shared = 0;  // dynamic, bytes
  const char* idea;
  bool exact = false;  // its results must have the bits of `expected`; else be within `tolerance` of it
};

struct Problem {
  std::string title;
  std::vector<std::vector<float>> inputs;
  std::vector<double> expected;
  double tolerance = 0;         // relative to the largest expected element
  std::vector<int32_t> sizes;   // the kernels' parameters: pointers to the inputs, to the output, then these
  double flops = 0, bytes = 0;  // the least that any kernel must do and move
};

// Runs and prints; returns the exit code: 1 when a step is wrong or the simulator finds something.
int climb(int argc, char** argv, const Problem& problem, std::span<const Step> steps, std::span<const cuda::DeviceModule> modules);
// An integer option, "--rows 64".
int32_t option(int argc, char** argv, const char* name, int32_t fallback);

}  // namespace tern::ladder
