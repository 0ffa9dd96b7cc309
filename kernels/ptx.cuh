// Instructions that CUDA C++ has no word for: all inline assembly of the project. Included by *.cu only.
//   copy_async   from global to shared memory, past the registers; zeros where there is nothing to read (`from` is then not read). Done when the
//                thread that asked has waited for its group, and seen by others after a barrier. Before sm_80: an ordinary copy, done at once.
// Source: the PTX ISA, cp.async.
#pragma once
#include <stdint.h>

namespace tern::cuda {
namespace {

[[maybe_unused]] static __device__ __forceinline__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// Both addresses are multiples of 16 bytes.
[[maybe_unused]] static __device__ __forceinline__ void copy_async_16(float* to, const float* from, bool there) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
               : "memory");
#else
  *reinterpret_cast<float4*>(to) = there ? *reinterpret_cast<const float4*>(from) : float4{0, 0, 0, 0};
#endif
}
[[maybe_unused]] static __device__ __forceinline__ void copy_async_4(float* to, const float* from, bool there) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(__cvta_generic_to_global(from)), "r"(there ? 4 : 0)
               : "memory");
#else
  *to = there ? *from : 0.0f;
#endif
}
// Ends a group: the copies since the last one.
[[maybe_unused]] static __device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Until at most the last `kPending` groups are under way.
template <int kPending>
[[maybe_unused]] static __device__ __forceinline__ void wait_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

}  // namespace
}  // namespace tern::cuda
