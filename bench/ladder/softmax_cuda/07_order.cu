// Step 7: one order for everyone. All sums before depend on how many threads a block has, and each step gave other bits. Here the sum has the order of the
// CPU's kernels: sixteen lanes, lane l adds elements l, l + 16, l + 32 ... in turn, then a tree over the lanes; every machine and every width of a vector
// gives the same bits. Exponentials are still taken by all threads; sixteen of them add up what lies in shared memory, while the others wait. That costs
// cols / 16 additions in a row, which other blocks on the same multiprocessor hide. The production kernel (kernels/softmax/softmax.cu) is this one with
// tern's own exp, and with half a warp a row where rows are short. Shared memory of the launch: cols floats. Next: kernels/softmax/softmax.cu.
__device__ float warp_max(float v) {
  for (int step = 16; step > 0; step /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}

extern "C" __global__ void __launch_bounds__(256) softmax_07(const float* x, float* y, int rows, int cols) {
  extern __shared__ float row[];  // [cols]
  __shared__ float each_max[8], total;
  const int t = threadIdx.x;
  x += static_cast<long long>(blockIdx.x) * cols;
  y += static_cast<long long>(blockIdx.x) * cols;

  float m = -INFINITY;
  for (int c = t; c < cols; c += 256) {
    row[c] = x[c];
    m = fmaxf(m, row[c]);
  }
  m = warp_max(m);
  if (t % 32 == 0) each_max[t / 32] = m;
  __syncthreads();
  for (int w = 0; w < 8; ++w) m = fmaxf(m, each_max[w]);
  for (int c = t; c < cols; c += 256) row[c] = expf(row[c] - m);
  __syncthreads();  // now others' elements are read

  if (t < 32) {  // a whole warp, for the shuffles: its halves do the same
    float sum = 0;
    for (int c = t % 16; c < cols; c += 16) sum += row[c];
    for (int step = 8; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (t == 0) total = sum;
  }
  __syncthreads();
  for (int c = t; c < cols; c += 256) y[c] = row[c] / total;
}
