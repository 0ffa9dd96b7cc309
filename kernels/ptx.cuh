// Instructions that CUDA C++ has no word for: all inline assembly of the project. Included by *.cu only.
//   copy_async   from global to shared memory, past the registers; zeros where there is nothing to read (`from` is then not read). Done when the
//                thread that asked has waited for its group, and seen by others after a barrier. Before sm_80: an ordinary copy, done at once.
//   load_matrices, multiply_*   the tensor cores: all lanes of a warp together. ldmatrix: lane l names a row of 16 bytes of matrix l / 8, and gets of
//                each matrix 4 bytes: number l % 4 of row l / 4. mma.sync: sum [16,8] += a [16,32 bytes of k] b [8,32 bytes of k]', of which
//                load_matrices gives a as (rows 0-7, bytes 0-15), (8-15, 0-15), (0-7, 16-31), (8-15, 16-31), and b as (bytes 0-15), (16-31).
// Source: the PTX ISA, cp.async, ldmatrix, mma.sync.
#pragma once
#include <stdint.h>

namespace tern::cuda {
namespace {

[[maybe_unused]] static __device__ __forceinline__ uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// Both addresses are multiples of 16 bytes.
[[maybe_unused]] static __device__ __forceinline__ void copy_async_16(void* to, const void* from, bool there) {
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

[[maybe_unused]] static __device__ __forceinline__ void load_matrices(uint32_t (&to)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared_address(row))
               : "memory");
}
#define TERN_MULTIPLY(types)                                                                                \
  asm volatile("mma.sync.aligned." types " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])                                     \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))
[[maybe_unused]] static __device__ __forceinline__ void multiply_f16(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if __CUDA_ARCH__ >= 800
  TERN_MULTIPLY("m16n8k16.row.col.f32.f16.f16.f32");
#else  // half as deep
  for (int i = 0; i < 2; ++i) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(a[i * 2]), "r"(a[i * 2 + 1]), "r"(i == 0 ? b0 : b1));
  }
#endif
}
#if __CUDA_ARCH__ >= 800
[[maybe_unused]] static __device__ __forceinline__ void multiply_bf16(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  TERN_MULTIPLY("m16n8k16.row.col.f32.bf16.bf16.f32");
}
[[maybe_unused]] static __device__ __forceinline__ void multiply_tf32(float (&sum)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  TERN_MULTIPLY("m16n8k8.row.col.f32.tf32.tf32.f32");
}
#endif
#undef TERN_MULTIPLY

}  // namespace
}  // namespace tern::cuda
