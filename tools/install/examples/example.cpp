// The README's example, compiled by the tests so that it cannot rot (tests/programs/check_readme.sh compares the two). Usage: example MODEL
// [readme]
#include <tern/tern.h>

#include <cstdio>

int main(int argc, char** argv) {
  auto model = tern::load(argc > 1 ? argv[1] : "model.onnx");
  if (!model) return std::fprintf(stderr, "%s\n", model.error().message().c_str()), 1;

  auto session = model->session({.dims = {{"batch", 1}}});  // plans memory, packs weights, binds kernels
  if (!session) return std::fprintf(stderr, "%s\n", session.error().message().c_str()), 1;

  std::span<float> x = *session->try_input<float>(session->inputs()[0].name);          // the arena itself: write in place
  std::span<const float> y = *session->try_output<float>(session->outputs()[0].name);  // stable address for the session's life
  for (float& value : x) value = 0.5f;

  session->run();  // noexcept: no allocation, no lock, no system call, nothing but arithmetic
  for (float value : y) std::printf("%g\n", value);
}
// [readme]
