// Step 3: a block takes sixteen k of its rows and columns into shared memory, and every element that it read is used 16 times. Device memory has rest;
// now shared memory is what is waited for: two loads from there a multiply-add. Next: 04_register_tile.cu.
extern "C" __global__ void __launch_bounds__(256) gemm_03(const float* x, const float* w, float* y, int m, int n, int k) {
  __shared__ float xs[16][16], ws[16][16];  // [row, k], [k, column]
  const int r = threadIdx.x / 16, c = threadIdx.x % 16;
  const int row = blockIdx.x * 16 + r, column = blockIdx.y * 16 + c;
  float sum = 0;
  for (int first = 0; first < k; first += 16) {
    xs[r][c] = row < m && first + c < k ? x[row * k + first + c] : 0;
    ws[r][c] = column < n && first + r < k ? w[(first + r) * n + column] : 0;
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum = fmaf(xs[r][i], ws[i][c], sum);
    __syncthreads();
  }
  if (row < m && column < n) y[row * n + column] = sum;
}
