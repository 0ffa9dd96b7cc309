// Small kernels of every kind that a CUDA course has, for the tests of ptxsim. Each names the shape that it is launched with.
#include <cuda_fp16.h>

#include <cstdio>

// blocks of 128: one partial sum a block, tree in shared memory
extern "C" __global__ void reduce_tree(const float* x, float* y, int n) {
  __shared__ float t[128];
  float v = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
  t[threadIdx.x] = v;
  __syncthreads();
  for (int o = 64; o > 0; o >>= 1) {
    if (threadIdx.x < o) t[threadIdx.x] += t[threadIdx.x + o];
    __syncthreads();
  }
  if (threadIdx.x == 0) y[blockIdx.x] = t[0];
}

// blocks of 256: shuffles, then one warp over the warps' sums
extern "C" __global__ void reduce_warp(const float* x, float* y, int n) {
  __shared__ float sums[8];
  float v = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) v += x[blockIdx.x * n + i];
  for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffffu, v, o);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x < 32) {
    v = threadIdx.x < 8 ? sums[threadIdx.x] : 0.0f;
    for (int o = 4; o > 0; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
    if (threadIdx.x == 0) y[blockIdx.x] = v;
  }
}

// one block of 256: inclusive scan of 256 numbers, Hillis and Steele, two buffers
extern "C" __global__ void scan(const int* x, int* y) {
  __shared__ int t[2][256];
  int now = 0;
  t[0][threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  for (int o = 1; o < 256; o *= 2) {
    const int v = t[now][threadIdx.x] + (threadIdx.x >= o ? t[now][threadIdx.x - o] : 0);
    now ^= 1;
    t[now][threadIdx.x] = v;
    __syncthreads();
  }
  y[threadIdx.x] = t[now][threadIdx.x];
}

// 64 bins; shared atomics, then global ones
extern "C" __global__ void histogram(const unsigned char* x, unsigned* bins, int n) {
  __shared__ unsigned t[64];
  if (threadIdx.x < 64) t[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&t[x[i] & 63], 1u);
  __syncthreads();
  if (threadIdx.x < 64) atomicAdd(&bins[threadIdx.x], t[threadIdx.x]);
}

// blocks of (32, 8), tiles of 32 x 32
extern "C" __global__ void transpose(const float* x, float* y, int rows, int cols) {
  __shared__ float t[32][33];
  int c = blockIdx.x * 32 + threadIdx.x, r = blockIdx.y * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8) {
    if (c < cols && r + i < rows) t[threadIdx.y + i][threadIdx.x] = x[(r + i) * cols + c];
  }
  __syncthreads();
  c = blockIdx.y * 32 + threadIdx.x, r = blockIdx.x * 32 + threadIdx.y;
  for (int i = 0; i < 32; i += 8) {
    if (c < rows && r + i < cols) y[(r + i) * rows + c] = t[threadIdx.x][threadIdx.y + i];
  }
}

// blocks of 128: y[i] = x[i-1] + 2 x[i] + x[i+1], zero outside, through a halo in shared memory
extern "C" __global__ void stencil(const float* x, float* y, int n) {
  __shared__ float t[130];
  const int i = blockIdx.x * 128 + threadIdx.x;
  t[threadIdx.x + 1] = i < n ? x[i] : 0.0f;
  if (threadIdx.x == 0) t[0] = i > 0 ? x[i - 1] : 0.0f;
  if (threadIdx.x == 127) t[129] = i + 1 < n ? x[i + 1] : 0.0f;
  __syncthreads();
  if (i < n) y[i] = t[threadIdx.x] + 2.0f * t[threadIdx.x + 1] + t[threadIdx.x + 2];
}

// blocks of (16, 16): C = A B, row-major, any sizes
template <int T>
__device__ void product(const float* a, const float* b, float* c, int M, int N, int K) {
  __shared__ float ta[T][T], tb[T][T];
  const int m = blockIdx.y * T + threadIdx.y, n = blockIdx.x * T + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < K; k += T) {
    ta[threadIdx.y][threadIdx.x] = m < M && k + threadIdx.x < K ? a[m * K + k + threadIdx.x] : 0.0f;
    tb[threadIdx.y][threadIdx.x] = n < N && k + threadIdx.y < K ? b[(k + threadIdx.y) * N + n] : 0.0f;
    __syncthreads();
    for (int i = 0; i < T; ++i) sum = fmaf(ta[threadIdx.y][i], tb[i][threadIdx.x], sum);
    __syncthreads();
  }
  if (m < M && n < N) c[m * N + n] = sum;
}
extern "C" __global__ void product16(const float* a, const float* b, float* c, int M, int N, int K) { product<16>(a, b, c, M, N, K); }
extern "C" __global__ void product8(const float* a, const float* b, float* c, int M, int N, int K) { product<8>(a, b, c, M, N, K); }

// a block of 128 with 512 bytes of dynamic shared memory: reversed
extern "C" __global__ void reverse(const int* x, int* y) {
  extern __shared__ int t[];
  t[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = t[blockDim.x - 1 - threadIdx.x];
}

// a device function that is called, with a struct by value and a pointer to a local variable
struct Line {
  float a, b;
  int n;
  char kind;
};
__device__ __noinline__ float along(Line l, float x, int* count) {
  if (l.kind == 'n') return 0.0f;
  *count += l.n;
  return l.a * x + l.b;
}
extern "C" __global__ void lines(const float* x, float* y, int* counts, Line l) {
  int count = threadIdx.x;
  y[threadIdx.x] = along(l, x[threadIdx.x], &count);
  counts[threadIdx.x] = count;
}

// a local array that is indexed by data
__constant__ int steps[4] = {3, 1, 4, 1};
__device__ unsigned calls;
extern "C" __global__ void digits(const int* x, int* y) {
  int local[10];
  for (int i = 0; i < 10; ++i) local[i] = 0;
  for (int v = x[threadIdx.x]; v > 0; v /= 10) local[v % 10] += steps[v & 3];
  int best = 0;
  for (int i = 1; i < 10; ++i) {
    if (local[i] > local[best]) best = i;
  }
  y[threadIdx.x] = best * 100 + local[best];
  atomicInc(&calls, 1000u);
}

extern "C" __global__ void hello(int n) {
  if (threadIdx.x < 2) printf("thread %d of %u: %5.2f %s %lld %%\n", threadIdx.x, blockDim.x, 1.5 * n, "text", 1ll << 40);
}

// every path of a switch
extern "C" __global__ void paths(int* y) {
  int v = 0;
  switch (threadIdx.x % 7) {
    case 0: v = 10; break;
    case 1: v = threadIdx.x * 3; break;
    case 2: v = -1; break;
    case 3:
      for (int i = 0; i < threadIdx.x; ++i) v += i;
      break;
    case 4: v = 77;  // on into the next
    case 5: v += 5; break;
    default: v = 1000 - threadIdx.x;
  }
  y[threadIdx.x] = v;
}

// votes, matches, reductions of a warp
extern "C" __global__ void warp_words(const int* x, unsigned* y) {
  const int v = x[threadIdx.x];
  const unsigned below = __ballot_sync(0xffffffffu, v < 100);
  const unsigned any = __any_sync(0xffffffffu, v == 7), all = __all_sync(0xffffffffu, v >= 0);
  const int from = __shfl_sync(0xffffffffu, v, (threadIdx.x * 5) & 31), up = __shfl_up_sync(0xffffffffu, v, 3, 8);
  y[threadIdx.x * 4] = below;
  y[threadIdx.x * 4 + 1] = any * 2 + all;
  y[threadIdx.x * 4 + 2] = from;
  y[threadIdx.x * 4 + 3] = up;
}

// row-wise softmax, a block of 128 a row
extern "C" __global__ void softmax(const float* x, float* y, int cols) {
  __shared__ float t[4];
  const float* in = x + blockIdx.x * (long long)cols;
  float m = -INFINITY;
  for (int i = threadIdx.x; i < cols; i += 128) m = fmaxf(m, in[i]);
  for (int o = 16; o > 0; o >>= 1) m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, o));
  if (threadIdx.x % 32 == 0) t[threadIdx.x / 32] = m;
  __syncthreads();
  m = fmaxf(fmaxf(t[0], t[1]), fmaxf(t[2], t[3]));
  __syncthreads();
  float s = 0;
  for (int i = threadIdx.x; i < cols; i += 128) s += expf(in[i] - m);
  for (int o = 16; o > 0; o >>= 1) s += __shfl_xor_sync(0xffffffffu, s, o);
  if (threadIdx.x % 32 == 0) t[threadIdx.x / 32] = s;
  __syncthreads();
  s = t[0] + t[1] + t[2] + t[3];
  for (int i = threadIdx.x; i < cols; i += 128) y[blockIdx.x * (long long)cols + i] = expf(in[i] - m) / s;
}

// half precision arithmetic and conversions
extern "C" __global__ void halves(const float* x, float* y) {
  const __half h = __float2half_rn(x[threadIdx.x]);
  const __half2 p = __halves2half2(h, __float2half_rn(0.5f));
  const __half2 q = __hfma2(p, p, p);
  y[threadIdx.x] = __low2float(q) + __high2float(q) + __half2float(__hadd(h, h));
}

// blocks of 64, a counter of who came last: the last one adds up the others' sums
__device__ unsigned arrived;
extern "C" __global__ void last_block(const float* x, float* partial, float* y) {
  __shared__ float t[64];
  __shared__ bool last;
  t[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  for (int o = 32; o > 0; o >>= 1) {
    if (threadIdx.x < o) t[threadIdx.x] += t[threadIdx.x + o];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = t[0];
    __threadfence();
    last = atomicAdd(&arrived, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    __threadfence();
    float s = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) s += reinterpret_cast<volatile float*>(partial)[i];
    *y = s;
    arrived = 0;
  }
}

// all blocks wait for all, by polling: they must run side by side
__device__ volatile unsigned gate;
extern "C" __global__ void all_blocks(int* y) {
  if (threadIdx.x == 0) {
    y[blockIdx.x] = blockIdx.x + 1;
    __threadfence();
    atomicAdd((unsigned*)&gate, 1u);
    while (gate < gridDim.x) {
    }
    __threadfence();
    int s = 0;
    for (unsigned i = 0; i < gridDim.x; ++i) s += reinterpret_cast<volatile int*>(y)[i];
    y[gridDim.x + blockIdx.x] = s;
  }
}

// blocks of 32 that stay for all steps: everybody adds up what all wrote in the step before; two buffers, a barrier of the grid a step
__device__ unsigned came;  // 0 at first: the kernel runs once
__device__ void grid_barrier(unsigned step) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    atomicAdd(&came, 1u);
    while (*(volatile unsigned*)&came < (step + 1) * gridDim.x) {
    }
    __threadfence();
  }
  __syncthreads();
}
extern "C" __global__ void persistent(float* a, float* b, int steps) {
  const int n = gridDim.x * 32, i = blockIdx.x * 32 + threadIdx.x;
  for (int s = 0; s < steps; ++s) {
    const float* from = s & 1 ? b : a;
    float* to = s & 1 ? a : b;
    float sum = 0;
    for (int k = 0; k < n; ++k) sum += from[k];
    to[i] = sum * 0.03125f + i;
    grid_barrier(s);
  }
}

// integers: 64-bit products, division, bits
extern "C" __global__ void integers(const unsigned long long* x, unsigned long long* y) {
  const unsigned long long a = x[threadIdx.x * 2], b = x[threadIdx.x * 2 + 1];
  unsigned long long* out = y + threadIdx.x * 8;
  out[0] = __umul64hi(a, b);
  out[1] = a / (b | 1);
  out[2] = (long long)a % ((long long)b | 1);
  out[3] = __popcll(a) + 100 * __clzll(b);
  out[4] = __brevll(a);
  out[5] = __funnelshift_l((unsigned)a, (unsigned)b, (unsigned)(b >> 40));
  out[6] = __byte_perm((unsigned)a, (unsigned)b, (unsigned)(a >> 32));
  out[7] = (unsigned)__dp4a((int)a, (int)b, 5);
}
