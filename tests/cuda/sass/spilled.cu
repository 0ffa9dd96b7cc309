// An array that is indexed by a loop lies in local memory: the census must say so.
extern "C" __global__ void spilled(float* x, int n) {
  float a[64];
  for (int i = 0; i < 64; ++i) a[i] = x[i * n];
  for (int i = 0; i < n; ++i) x[i] = a[i * 7 & 63];
}
