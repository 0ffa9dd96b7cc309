// Step 5: the row in registers, and 16 bytes at a time. A thread that knows how many elements it has keeps them in registers: no shared memory but for the
// eight warps' values, and float4 loads are a quarter of the instructions. The price: cols is a multiple of 4 and at most 256 * 4 * 4 = 4096, and loads
// past the row are switched off one by one. Next: 06_online.cu.
__device__ float warp_max(float v) {
  for (int step = 16; step > 0; step /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}
__device__ float warp_sum(float v) {
  for (int step = 16; step > 0; step /= 2) v += __shfl_xor_sync(0xffffffffu, v, step);
  return v;
}

extern "C" __global__ void __launch_bounds__(256) softmax_05(const float* x, float* y, int rows, int cols) {
  constexpr int kEach = 4;  // float4s of a thread
  __shared__ float each_max[8], each_sum[8];
  const int t = threadIdx.x, warp = t / 32;
  const float4* from = reinterpret_cast<const float4*>(x + static_cast<long long>(blockIdx.x) * cols);  // [cols / 4]
  float4* to = reinterpret_cast<float4*>(y + static_cast<long long>(blockIdx.x) * cols);

  float4 v[kEach];
  float m = -INFINITY;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int c = t + 256 * i;
    v[i] = c < cols / 4 ? from[c] : make_float4(-INFINITY, -INFINITY, -INFINITY, -INFINITY);
    m = fmaxf(m, fmaxf(fmaxf(v[i].x, v[i].y), fmaxf(v[i].z, v[i].w)));
  }
  m = warp_max(m);
  if (t % 32 == 0) each_max[warp] = m;
  __syncthreads();
  for (int w = 0; w < 8; ++w) m = fmaxf(m, each_max[w]);

  float sum = 0;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    v[i] = make_float4(expf(v[i].x - m), expf(v[i].y - m), expf(v[i].z - m), expf(v[i].w - m));
    sum += v[i].x + v[i].y + v[i].z + v[i].w;
  }
  sum = warp_sum(sum);
  if (t % 32 == 0) each_sum[warp] = sum;
  __syncthreads();
  sum = 0;
  for (int w = 0; w < 8; ++w) sum += each_sum[w];
  const float scale = 1 / sum;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int c = t + 256 * i;
    if (c < cols / 4) to[c] = make_float4(v[i].x * scale, v[i].y * scale, v[i].z * scale, v[i].w * scale);
  }
}
