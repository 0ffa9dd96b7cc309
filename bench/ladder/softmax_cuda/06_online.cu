// Step 6: rows of any length in two passes. Maximum and sum are found together: when a larger value comes, the sum so far is worth exp(old - new) of what it
// was (Milakov and Gimelshein 2018). Two reads instead of three, without keeping the row; pairs (m, s) fold like sums do. Next: 07_order.cu.
struct Pair {
  float m, s;  // the largest so far, and the sum of exp(x - m)
};
__device__ Pair fold(Pair a, Pair b) {
  const float m = fmaxf(a.m, b.m);
  // exp(-inf - -inf) of two empty pairs would be NaN
  return {m, (a.m == m ? a.s : a.s * expf(a.m - m)) + (b.m == m ? b.s : b.s * expf(b.m - m))};
}
__device__ Pair warp_fold(Pair p) {
  for (int step = 16; step > 0; step /= 2) {
    p = fold(p, {__shfl_xor_sync(0xffffffffu, p.m, step), __shfl_xor_sync(0xffffffffu, p.s, step)});
  }
  return p;
}

extern "C" __global__ void __launch_bounds__(256) softmax_06(const float* x, float* y, int rows, int cols) {
  __shared__ Pair each[8];
  const int t = threadIdx.x;
  x += static_cast<long long>(blockIdx.x) * cols;
  y += static_cast<long long>(blockIdx.x) * cols;
  Pair p = {-INFINITY, 0};
  for (int c = t; c < cols; c += 256) p = fold(p, {x[c], 1});
  p = warp_fold(p);
  if (t % 32 == 0) each[t / 32] = p;
  __syncthreads();
  p = each[0];
  for (int w = 1; w < 8; ++w) p = fold(p, each[w]);
  const float scale = 1 / p.s;
  for (int c = t; c < cols; c += 256) y[c] = expf(x[c] - p.m) * scale;
}
