// Step 3: shuffles. Within a warp values change hands without memory or barriers: five steps of shuffles, one value a warp through shared memory, and
// every thread folds those eight itself. A row had 19 barriers, and has 2. Next: 04_one_read.cu.
__device__ float warp_max(float v) {
  for (int step = 16; step > 0; step /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}
__device__ float warp_sum(float v) {
  for (int step = 16; step > 0; step /= 2) v += __shfl_xor_sync(0xffffffffu, v, step);
  return v;
}

extern "C" __global__ void __launch_bounds__(256) softmax_03(const float* x, float* y, int rows, int cols) {
  __shared__ float each_max[8], each_sum[8];
  const int t = threadIdx.x, warp = t / 32;
  x += static_cast<long long>(blockIdx.x) * cols;
  y += static_cast<long long>(blockIdx.x) * cols;

  float m = -INFINITY;
  for (int c = t; c < cols; c += 256) m = fmaxf(m, x[c]);
  m = warp_max(m);
  if (t % 32 == 0) each_max[warp] = m;
  __syncthreads();
  for (int w = 0; w < 8; ++w) m = fmaxf(m, each_max[w]);

  float sum = 0;
  for (int c = t; c < cols; c += 256) sum += expf(x[c] - m);
  sum = warp_sum(sum);
  if (t % 32 == 0) each_sum[warp] = sum;
  __syncthreads();
  sum = 0;
  for (int w = 0; w < 8; ++w) sum += each_sum[w];
  for (int c = t; c < cols; c += 256) y[c] = expf(x[c] - m) / sum;
}
