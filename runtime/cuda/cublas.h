// cuBLAS, for the products of sessions that ask for it (SessionOptions::gemm = "cublas") and as a yardstick: opened when it is asked for, nothing of it is
// linked. Its sums have an order of their own: not the CPU's bits, and with another card or version others. Never run on a GPU. Next: cublas.cpp.
#pragma once
#include <cstddef>
#include <memory>

#include "kernels/products.h"
#include "runtime/cuda/driver_api.h"
#include "tern/status.h"

namespace tern::cuda {

// name(symbol, parameters): each becomes a member `symbol` of CublasApi. As the toolkit declares them: a status that is 0 when done, an opaque handle,
// enumerations as int.
#define TERN_CUBLAS(F)                                                                                                                           \
  F(cublasCreate_v2, void**)                                                                                                                     \
  F(cublasDestroy_v2, void*)                                                                                                                     \
  F(cublasSetStream_v2, void*, CuStream)                                                                                                         \
  F(cublasSetWorkspace_v2, void*, void*, size_t)                                                                                                 \
  F(cublasGemmStridedBatchedEx, void*, int, int, int, int, int, const void*, const void*, int, int, long long, const void*, int, int, long long, \
    const void*, void*, int, int, long long, int, int, int)

struct CublasApi {
#define TERN_DECLARE(name, ...) int (*name)(__VA_ARGS__) = nullptr;
  TERN_CUBLAS(TERN_DECLARE)
#undef TERN_DECLARE
};

constexpr size_t kCublasWorkspace = size_t(32) << 20;  // bytes: what NVIDIA advises for Hopper; older cards want 4 MB

class Cublas {
 public:
  // Queues on `stream`, with this workspace on the device, which must outlive it: so it allocates nothing, and a stream that is captured captures it.
  // Precondition: the context of the stream is current, here and in every call. Errors (unsupported): no library of version 12 or 13, or it does not start.
  static Result<std::unique_ptr<Cublas>> open(CuStream stream, std::byte* workspace);
  ~Cublas();
  Cublas(const Cublas&) = delete;
  // cuBLAS's status: 0 when done. Precondition: every extent fits an int.
  int multiply(const CublasProduct& product) noexcept;

 private:
  Cublas() = default;
  CublasApi api_;
  void* handle_ = nullptr;
};

}  // namespace tern::cuda
