// The driver's entry points as tern declares them are those of the toolkit's header, where there is one. Contract: runtime/cuda/driver_api.h.
#include "runtime/cuda/driver_api.h"

#include <doctest/doctest.h>

#include <type_traits>

#if __has_include(<cuda.h>)
#include <cuda.h>
#ifdef cuEventElapsedTime  // newer headers put another of the same form in its place; drivers have both
#undef cuEventElapsedTime
constexpr auto* cuEventElapsedTime = &cuEventElapsedTime_v2;
#endif

namespace tern::cuda {
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

}  // namespace tern::cuda
#endif
