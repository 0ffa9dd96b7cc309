// What tools/sass must find in the machine code: as many of each as calibration.txt says, on every card.
extern "C" __global__ void __launch_bounds__(256) products(float* x, float a, float b) {
  float v = x[threadIdx.x];
#pragma unroll
  for (int i = 0; i < 200; ++i) v = fmaf(v, a, b);
  x[threadIdx.x] = v;
}
extern "C" __global__ void wide(float4* x, const float4* y, const float2* z) {
  __shared__ float4 row[256];
  const unsigned i = threadIdx.x;
  row[i] = y[i];
  __syncthreads();
  float4 v = row[i * 7 % 256];
  v.x += z[i].x * z[i].y;
  v.y += __shfl_xor_sync(0xffffffffu, v.x, 8);
  x[i] = v;
}
extern "C" __global__ void doubles(double* x) { x[threadIdx.x] = fma(x[threadIdx.x], 2.5, x[threadIdx.x + 32]); }
