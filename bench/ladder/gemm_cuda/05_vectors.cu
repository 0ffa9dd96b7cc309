// Step 5: 16 bytes a load, from device memory and from shared memory, and 8 x 8 elements a thread of a 128 x 128 tile: six loads for 128 multiply-adds.
// A thread reads x by twos of k and w by fours of columns; by fours of both the registers ran out. The price: k and n are multiples of 4.
// Next: 06_double_buffer.cu.
extern "C" __global__ void __launch_bounds__(256, 2) gemm_05(const float* x, const float* w, float* y, int m, int n, int k) {
  __shared__ alignas(16) float xs[128 * 16], ws[16 * 128];  // [row, k], [k, column]
  const int t = threadIdx.x, r = t / 16, c = t % 16 * 4;    // rows r + 16 i, columns c + 64 j and the three behind
  const int row = blockIdx.x * 128, column = blockIdx.y * 128;
  const float4 zero = {0, 0, 0, 0};
  float sum[8][8] = {};
  for (int first = 0; first < k; first += 16) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int a = t / 4 + 64 * i, q = t % 4 * 4, b = t / 32 + 8 * i, d = t % 32 * 4;
      *reinterpret_cast<float4*>(&xs[a * 16 + q]) =
          row + a < m && first + q < k ? *reinterpret_cast<const float4*>(&x[(row + a) * k + first + q]) : zero;
      *reinterpret_cast<float4*>(&ws[b * 128 + d]) =
          column + d < n && first + b < k ? *reinterpret_cast<const float4*>(&w[(first + b) * n + column + d]) : zero;
    }
    __syncthreads();
#pragma unroll 1
    for (int q = 0; q < 16; q += 2) {
      float2 a[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) a[i] = *reinterpret_cast<const float2*>(&xs[(r + 16 * i) * 16 + q]);
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const float4 low = *reinterpret_cast<const float4*>(&ws[(q + e) * 128 + c]),
                     high = *reinterpret_cast<const float4*>(&ws[(q + e) * 128 + c + 64]);
        const float b[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
        for (int i = 0; i < 8; ++i) {
#pragma unroll
          for (int j = 0; j < 8; ++j) sum[i][j] = fmaf(e == 0 ? a[i].x : a[i].y, b[j], sum[i][j]);
        }
      }
    }
    __syncthreads();
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
