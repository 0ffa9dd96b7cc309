// Step 1: a thread an element of y, and neighbours in a warp are neighbouring rows. Each load of x by a warp touches 16 rows, 4 bytes of every 32 that
// come; each store of y likewise. Two loads for one multiply-add. Next: 02_coalesced.cu.
//   y[i,j] = sum_k x[i,k] w[k,j]     x [m,k], w [k,n], y [m,n] row-major; every step adds in ascending k, by fma, from 0: all have the same bits
extern "C" __global__ void __launch_bounds__(256) gemm_01(const float* x, const float* w, float* y, int m, int n, int k) {
  const int row = blockIdx.x * 16 + threadIdx.x % 16, column = blockIdx.y * 16 + threadIdx.x / 16;
  if (row >= m || column >= n) return;
  float sum = 0;
  for (int i = 0; i < k; ++i) sum = fmaf(x[row * k + i], w[i * n + column], sum);
  y[row * n + column] = sum;
}
