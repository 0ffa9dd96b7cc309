// See cublas.h.
#include "bench/cuda/cublas.h"

#include <dlfcn.h>

#include <string>

namespace tern::cuda {

struct Cublas::Library {
  // As the toolkit declares them: a status that is 0 when done, an opaque handle, enumerations as int.
  int (*create)(void**) = nullptr;
  int (*destroy)(void*) = nullptr;
  int (*set_math_mode)(void*, int) = nullptr;
  int (*sgemm)(void*, int, int, int, int, int, const float*, const float*, int, const float*, int, const float*, float*, int) = nullptr;
  void* handle = nullptr;
  ~Library() {
    if (handle != nullptr) destroy(handle);
  }
};

Result<Cublas> Cublas::open() {
  void* library = nullptr;
  for (const char* name : {"libcublas.so.13", "libcublas.so.12"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) return unsupported("libcublas.so.13 and .12 were not found: products are not compared with cuBLAS");
  auto l = std::make_shared<Library>();
  auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    return function != nullptr;
  };
  if (!find(l->create, "cublasCreate_v2") || !find(l->destroy, "cublasDestroy_v2") || !find(l->set_math_mode, "cublasSetMathMode") ||
      !find(l->sgemm, "cublasSgemm_v2")) {
    return unsupported("libcublas lacks an entry point");
  }
  if (int status = l->create(&l->handle); status != 0) return unsupported("cuBLAS does not start: status " + std::to_string(status));
  return Cublas(std::move(l));
}

bool Cublas::multiply(const std::byte* x, const std::byte* w, std::byte* y, int m, int n, int k, bool tf32) {
  constexpr int kNotTransposed = 0, kPedantic = 2, kTf32 = 3;
  if (library_->set_math_mode(library_->handle, tf32 ? kTf32 : kPedantic) != 0) return false;
  const float one = 1, zero = 0;
  // Column-major, as cuBLAS reads memory, this is y' = w' x'.
  return library_->sgemm(library_->handle, kNotTransposed, kNotTransposed, n, m, k, &one, reinterpret_cast<const float*>(w), n,
                         reinterpret_cast<const float*>(x), k, &zero, reinterpret_cast<float*>(y), n) == 0;
}

}  // namespace tern::cuda
