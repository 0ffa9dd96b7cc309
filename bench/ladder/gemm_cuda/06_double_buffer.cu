// Step 6: the next stage is on its way while this one is multiplied. Asynchronous copies go past the registers from device memory to shared memory, and
// write zeros where there is nothing; with two buffers one barrier a stage is enough: it says that the copy has come, and that nobody reads what the next
// copy overwrites. This is kernels/gemm/gemm.cu without its batches, biases, chains and epilogues.
#include "kernels/ptx.cuh"

using namespace tern::cuda;

extern "C" __global__ void __launch_bounds__(256, 2) gemm_06(const float* x, const float* w, float* y, int m, int n, int k) {
  __shared__ alignas(16) float xs[2][128 * 16], ws[2][16 * 128];  // [row, k], [k, column]
  const int t = threadIdx.x, r = t / 16, c = t % 16 * 4;
  const int row = blockIdx.x * 128, column = blockIdx.y * 128;
  float sum[8][8] = {};
  const auto load = [&](int first, int to) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int a = t / 4 + 64 * i, q = t % 4 * 4, b = t / 32 + 8 * i, d = t % 32 * 4;
      copy_async_16(&xs[to][a * 16 + q], &x[(row + a) * k + first + q], row + a < m && first + q < k);
      copy_async_16(&ws[to][b * 128 + d], &w[(first + b) * n + column + d], column + d < n && first + b < k);
    }
    commit_copies();
  };
  load(0, 0);
  for (int first = 0, buffer = 0; first < k; first += 16, buffer ^= 1) {
    wait_copies<0>();
    __syncthreads();
    if (first + 16 < k) load(first + 16, buffer ^ 1);
#pragma unroll 1
    for (int q = 0; q < 16; q += 2) {
      float2 a[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) a[i] = *reinterpret_cast<const float2*>(&xs[buffer][(r + 16 * i) * 16 + q]);
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const float* line = &ws[buffer][(q + e) * 128 + c];
        const float4 low = *reinterpret_cast<const float4*>(line), high = *reinterpret_cast<const float4*>(line + 64);
        const float b[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
        for (int i = 0; i < 8; ++i) {
#pragma unroll
          for (int j = 0; j < 8; ++j) sum[i][j] = fmaf(e == 0 ? a[i].x : a[i].y, b[j], sum[i][j]);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
#pragma unroll
    for (int j = 0; j < 8; j += 4) {
      const int at = column + c + j * 16;
      if (row + r + 16 * i < m && at < n)
        *reinterpret_cast<float4*>(&y[(row + r + 16 * i) * n + at]) = make_float4(sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]);
    }
  }
}
