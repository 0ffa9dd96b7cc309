// Step 1: a thread a row, the formula as it stands. The 32 threads of a warp read 32 rows, so each load touches 32 places of memory and uses
// 4 bytes of every 32 that come: eight times the traffic, three times over (maximum, sum, result). Next: 02_block_a_row.cu.
//   y[r,c] = exp(x[r,c] - max_c x[r,c]) / sum_c exp(x[r,c] - max_c x[r,c])     x, y: [rows, cols]
extern "C" __global__ void __launch_bounds__(256) softmax_01(const float* x, float* y, int rows, int cols) {
  const int r = blockIdx.x * 256 + threadIdx.x;
  if (r >= rows) return;
  x += static_cast<long long>(r) * cols;
  y += static_cast<long long>(r) * cols;
  float m = x[0], sum = 0;
  for (int c = 1; c < cols; ++c) m = fmaxf(m, x[c]);
  for (int c = 0; c < cols; ++c) sum += expf(x[c] - m);
  for (int c = 0; c < cols; ++c) y[c] = expf(x[c] - m) / sum;
}
