// See cublas.h.
#include "runtime/cuda/cublas.h"

#include <dlfcn.h>

#include <string>

namespace tern::cuda {

Result<std::unique_ptr<Cublas>> Cublas::open(CuStream stream, std::byte* workspace) {
  void* library = nullptr;
  for (const char* name : {"libcublas.so.13", "libcublas.so.12"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr)
    return unsupported("cuBLAS was not found (libcublas.so.13 or .12): install it, or leave the products to tern's own kernels");
  std::unique_ptr<Cublas> c(new Cublas);
#define TERN_FIND(name, ...)                                                      \
  c->api_.name = reinterpret_cast<decltype(c->api_.name)>(dlsym(library, #name)); \
  if (c->api_.name == nullptr) return unsupported("cuBLAS has no " #name ": version 12 or 13 is needed");
  TERN_CUBLAS(TERN_FIND)
#undef TERN_FIND
  int status = c->api_.cublasCreate_v2(&c->handle_);
  if (status == 0) status = c->api_.cublasSetStream_v2(c->handle_, stream);
  if (status == 0) status = c->api_.cublasSetWorkspace_v2(c->handle_, workspace, kCublasWorkspace);  // after the stream, which takes it away
  if (status != 0) return unsupported("cuBLAS does not start: status " + std::to_string(status));
  return c;
}

Cublas::~Cublas() {
  if (handle_ != nullptr) api_.cublasDestroy_v2(handle_);
}

int Cublas::multiply(const CublasProduct& p) noexcept {
  constexpr int kF32 = 0, kDefaultAlgorithm = -1;
  constexpr int kCompute[] = {69, 77, 74, 75};  // of f32, pedantic: no tensor cores whatever the environment says; fast by tf32, f16, bf16
  const float zero = 0;
  // Column-major, as cuBLAS reads memory, a row-major matrix is its transpose, and this is y' = w' x'.
  return api_.cublasGemmStridedBatchedEx(handle_, p.w_transposed, p.x_transposed, static_cast<int>(p.n), static_cast<int>(p.m), static_cast<int>(p.k),
                                         &p.alpha, p.w, kF32, static_cast<int>(p.w_row), p.w_step, p.x, kF32, static_cast<int>(p.x_row), p.x_step,
                                         &zero, p.y, kF32, static_cast<int>(p.n), p.y_step, static_cast<int>(p.batches),
                                         kCompute[static_cast<int>(p.precision)], kDefaultAlgorithm);
}

}  // namespace tern::cuda
