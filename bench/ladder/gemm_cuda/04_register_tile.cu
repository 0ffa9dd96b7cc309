// Step 4: a thread computes 4 x 4 elements of a 64 x 64 tile. For each k it reads 4 of x and 4 of w from shared memory and does 16 multiply-adds: half a load
// each, where it were two. The sums stay in registers. Next: 05_vectors.cu.
extern "C" __global__ void __launch_bounds__(256) gemm_04(const float* x, const float* w, float* y, int m, int n, int k) {
  __shared__ float xs[64][16], ws[16][64];            // [row, k], [k, column]
  const int t = threadIdx.x, r = t / 16, c = t % 16;  // rows r + 16 i, columns c + 16 j
  const int row = blockIdx.x * 64, column = blockIdx.y * 64;
  float sum[4][4] = {};
  for (int first = 0; first < k; first += 16) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int a = t / 16 + 16 * i, b = t / 64 + 4 * i;
      xs[a][t % 16] = row + a < m && first + t % 16 < k ? x[(row + a) * k + first + t % 16] : 0;
      ws[b][t % 64] = column + t % 64 < n && first + b < k ? w[(first + b) * n + column + t % 64] : 0;
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < 16; ++q) {
      float a[4], b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = xs[r + 16 * i][q], b[i] = ws[q][c + 16 * i];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] = fmaf(a[i], b[j], sum[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (row + r + 16 * i < m && column + c + 16 * j < n) y[(row + r + 16 * i) * n + column + c + 16 * j] = sum[i][j];
    }
  }
}
