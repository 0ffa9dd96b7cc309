// The driver's entry points as tern declares them are those of the toolkit's header, where there is one. Contract: runtime/cuda/driver_api.h.
#include <doctest/doctest.h>

#include <type_traits>

#include "runtime/cuda/cublas.h"

#if __has_include(<cuda.h>)
#include <cuda.h>
#if __has_include(<cublas_v2.h>)
#include <cublas_v2.h>
#endif
#ifdef cuEventElapsedTime  // newer headers put another of the same form in its place; drivers have both
#undef cuEventElapsedTime
extern "C" decltype(cuEventElapsedTime_v2) cuEventElapsedTime;
#endif

namespace tern::cuda {
namespace in_driver_api {
namespace {

// What the calling convention sees of a function: how many parameters of which size, and which of them are pointers.
template <class F>
constexpr size_t kShape = 0;
template <class R, class... A>
constexpr size_t kShape<R (*)(A...)> = [] {
  size_t n = sizeof(R);
  ((n = n * 31 + sizeof(A) * 2 + (std::is_pointer_v<A> ? 1 : 0)), ...);
  return n;
}();

}  // namespace

TEST_CASE("driver: every entry point takes what the toolkit's header says") {
  int checked = 0;
#define TERN_CHECK(name, ...)                                                           \
  CHECK_MESSAGE(kShape<decltype(DriverApi::name)> == kShape<decltype(+::name)>, #name); \
  ++checked;
  TERN_CUDA_DRIVER(TERN_CHECK)
#undef TERN_CHECK
  CHECK(checked == 42);
  CHECK(kCuOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY);
  CHECK(kCuNoDevice == CUDA_ERROR_NO_DEVICE);
  CHECK(kCuMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  CHECK(kCuMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  CHECK(kCuMaxDynamicShared == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  CHECK(kCuNonBlocking == CU_STREAM_NON_BLOCKING);
  CHECK(kCuCaptureThreadLocal == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  CHECK(kCuScheduleSpin == CU_CTX_SCHED_SPIN);
  CHECK(kCuBlockingSync == CU_EVENT_BLOCKING_SYNC);
  CHECK(kCuDisableTiming == CU_EVENT_DISABLE_TIMING);
}

#ifdef CUBLAS_VER_MAJOR
TEST_CASE("driver: every entry point of cuBLAS takes what the toolkit's header says") {
#define TERN_CHECK(name, header) CHECK_MESSAGE(kShape<decltype(CublasApi::name)> == kShape<decltype(header)>, #name)
  TERN_CHECK(cublasCreate_v2, &::cublasCreate_v2);
  TERN_CHECK(cublasDestroy_v2, &::cublasDestroy_v2);
  TERN_CHECK(cublasSetStream_v2, &::cublasSetStream_v2);
  TERN_CHECK(cublasSetWorkspace_v2, &::cublasSetWorkspace_v2);
  // Of two overloads this is the one that is no wrapper for older code: a header with another does not compile.
  using Gemm = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void*, const void*, cudaDataType, int,
                                  long long, const void*, cudaDataType, int, long long, const void*, void*, cudaDataType, int, long long, int,
                                  cublasComputeType_t, cublasGemmAlgo_t);
  TERN_CHECK(cublasGemmStridedBatchedEx, static_cast<Gemm>(&::cublasGemmStridedBatchedEx));
#undef TERN_CHECK
  CHECK((CUBLAS_COMPUTE_32F_PEDANTIC == 69 && CUBLAS_COMPUTE_32F_FAST_TF32 == 77 && CUBLAS_COMPUTE_32F_FAST_16F == 74 &&
         CUBLAS_COMPUTE_32F_FAST_16BF == 75));
  CHECK((CUDA_R_32F == 0 && CUBLAS_GEMM_DEFAULT == -1 && CUBLAS_OP_N == 0 && CUBLAS_OP_T == 1));
}
#endif

}  // namespace in_driver_api
#endif
}
