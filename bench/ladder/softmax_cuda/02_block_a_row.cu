// Step 2: a block a row. Neighbouring threads read neighbouring elements, so a warp's load is 128 bytes in 4 sectors, all of them used. Maximum and sum
// now cross threads: a tree in shared memory, with a barrier after each of its eight levels. Next: 03_shuffles.cu.
extern "C" __global__ void __launch_bounds__(256) softmax_02(const float* x, float* y, int rows, int cols) {
  __shared__ float tree[256];
  const int t = threadIdx.x;
  x += static_cast<long long>(blockIdx.x) * cols;
  y += static_cast<long long>(blockIdx.x) * cols;

  float m = -INFINITY;
  for (int c = t; c < cols; c += 256) m = fmaxf(m, x[c]);
  tree[t] = m;
  __syncthreads();
  for (int width = 128; width > 0; width /= 2) {
    if (t < width) tree[t] = fmaxf(tree[t], tree[t + width]);
    __syncthreads();
  }
  m = tree[0];
  __syncthreads();  // all have read it before it is written again

  float sum = 0;
  for (int c = t; c < cols; c += 256) sum += expf(x[c] - m);
  tree[t] = sum;
  __syncthreads();
  for (int width = 128; width > 0; width /= 2) {
    if (t < width) tree[t] += tree[t + width];
    __syncthreads();
  }
  sum = tree[0];
  for (int c = t; c < cols; c += 256) y[c] = expf(x[c] - m) / sum;
}
