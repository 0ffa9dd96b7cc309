// Step 2: the same with rows and columns of the block exchanged: neighbours are neighbouring columns. A warp reads one stretch of w and one element of x,
// which all lanes share. Still two loads a multiply-add, and every element of w is read m / 16 times from the caches. Next: 03_shared_tile.cu.
extern "C" __global__ void __launch_bounds__(256) gemm_02(const float* x, const float* w, float* y, int m, int n, int k) {
  const int row = blockIdx.x * 16 + threadIdx.x / 16, column = blockIdx.y * 16 + threadIdx.x % 16;
  if (row >= m || column >= n) return;
  float sum = 0;
  for (int i = 0; i < k; ++i) sum = fmaf(x[row * k + i], w[i * n + column], sum);
  y[row * n + column] = sum;
}
