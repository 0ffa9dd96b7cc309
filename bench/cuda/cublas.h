// cuBLAS as the yardstick of products, opened when it is asked for: nothing of it is linked. Row-major y [M,N] = x [M,K] w [K,N], f32.
// Next: main.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "tern/status.h"

namespace tern::cuda {

class Cublas {
 public:
  // Precondition: a device is open (its context current while multiply runs). Errors (unsupported): no library of a version from 12 on, or it does not start.
  static Result<Cublas> open();
  Cublas(Cublas&&) noexcept = default;
  // Queues one product on the default stream. `tf32`: tensor cores may round the factors to 10 bits.
  bool multiply(const std::byte* x, const std::byte* w, std::byte* y, int m, int n, int k, bool tf32);

 private:
  struct Library;
  explicit Cublas(std::shared_ptr<Library> library) : library_(std::move(library)) {}
  std::shared_ptr<Library> library_;
};

}  // namespace tern::cuda
