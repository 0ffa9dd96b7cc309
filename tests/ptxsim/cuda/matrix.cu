// Tensor cores, ldmatrix, cp.async pipelines and mbarriers, for sm_80 and later: a warp or a block each, small matrices.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>
#include <stdint.h>

#include <cuda/barrier>

__device__ unsigned shared_address(const void* p) { return (unsigned)__cvta_generic_to_shared(p); }

// C[16,8] = A[16,16] B[16,8] + C, row-major halves, through ldmatrix; a warp
extern "C" __global__ void mma_f16(const __half* a, const __half* b, float* c) {
  __shared__ __align__(16) __half ta[16][16], tb[16][8];
  const int l = threadIdx.x;
  for (int i = l; i < 256; i += 32) ta[i / 16][i % 16] = a[i];
  for (int i = l; i < 128; i += 32) tb[i / 8][i % 8] = b[i];
  __syncwarp();
  unsigned ra[4], rb[2];
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(ra[0]), "=r"(ra[1]), "=r"(ra[2]), "=r"(ra[3])
               : "r"(shared_address(&ta[l % 16][l / 16 * 8])));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(rb[0]), "=r"(rb[1]) : "r"(shared_address(&tb[l % 16][0])));
  const int g = l / 4, q = l % 4 * 2;
  float d[4] = {c[g * 8 + q], c[g * 8 + q + 1], c[(g + 8) * 8 + q], c[(g + 8) * 8 + q + 1]};
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
  c[g * 8 + q] = d[0], c[g * 8 + q + 1] = d[1], c[(g + 8) * 8 + q] = d[2], c[(g + 8) * 8 + q + 1] = d[3];
}

// the same without ldmatrix: every element where the ISA's pictures put it
extern "C" __global__ void mma_shapes(const float* a, const float* b, float* y) {
  const int l = threadIdx.x, g = l / 4, q = l % 4;
  // m16n8k8 tf32: A[16,8], B[8,8]
  unsigned fa[4], fb[2];
  for (int i = 0; i < 4; ++i) fa[i] = __float_as_uint(a[(g + 8 * (i & 1)) * 8 + q + 4 * (i >> 1)]);
  for (int i = 0; i < 2; ++i) fb[i] = __float_as_uint(b[(q + 4 * i) * 8 + g]);
  float d[4] = {0, 0, 0, 0};
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
  for (int i = 0; i < 4; ++i) y[(g + 8 * (i >> 1)) * 8 + 2 * q + (i & 1)] = d[i];
  // m16n8k8 bf16, on the same numbers
  unsigned ha[2], hb;
  for (int i = 0; i < 2; ++i) {
    const __nv_bfloat162 p = __floats2bfloat162_rn(a[(g + 8 * i) * 8 + 2 * q], a[(g + 8 * i) * 8 + 2 * q + 1]);
    ha[i] = *reinterpret_cast<const unsigned*>(&p);
  }
  const __nv_bfloat162 p = __floats2bfloat162_rn(b[2 * q * 8 + g], b[(2 * q + 1) * 8 + g]);
  hb = *reinterpret_cast<const unsigned*>(&p);
  float e[4] = {0, 0, 0, 0};
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
               : "+f"(e[0]), "+f"(e[1]), "+f"(e[2]), "+f"(e[3])
               : "r"(ha[0]), "r"(ha[1]), "r"(hb));
  for (int i = 0; i < 4; ++i) y[128 + (g + 8 * (i >> 1)) * 8 + 2 * q + (i & 1)] = e[i];
  // m8n8k4 f64: A[8,4] are the first columns of a, B[4,8] the first rows of b
  double f[2] = {0, 0};
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
               : "+d"(f[0]), "+d"(f[1])
               : "d"((double)a[g * 8 + q]), "d"((double)b[q * 8 + g]));
  y[256 + g * 8 + 2 * q] = (float)f[0], y[256 + g * 8 + 2 * q + 1] = (float)f[1];
}

// C[16,8] = A[16,32] B[32,8], signed bytes by unsigned ones; B is stored by columns
extern "C" __global__ void mma_s8(const int8_t* a, const uint8_t* b, int* c) {
  const int l = threadIdx.x, g = l / 4, q = l % 4;
  unsigned ra[4], rb[2];
  for (int i = 0; i < 4; ++i) ra[i] = *reinterpret_cast<const unsigned*>(a + (g + 8 * (i & 1)) * 32 + q * 4 + 16 * (i >> 1));
  for (int i = 0; i < 2; ++i) rb[i] = *reinterpret_cast<const unsigned*>(b + g * 32 + q * 4 + 16 * i);
  int d[4] = {1, 1, 1, 1};
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "r"(ra[0]), "r"(ra[1]), "r"(ra[2]), "r"(ra[3]), "r"(rb[0]), "r"(rb[1]));
  for (int i = 0; i < 4; ++i) c[(g + 8 * (i >> 1)) * 8 + 2 * q + (i & 1)] = d[i];
}

// nvcuda::wmma: C = 2 A B, 16 x 16 x 16, B by columns; from shared memory, and with f16 accumulators from global memory
extern "C" __global__ void wmma_f16(const __half* a, const __half* b, float* c, __half* h) {
  using namespace nvcuda::wmma;
  __shared__ __align__(32) __half t[256];
  for (int i = threadIdx.x; i < 256; i += 32) t[i] = a[i];
  __syncwarp();
  fragment<matrix_a, 16, 16, 16, __half, row_major> fa;
  fragment<matrix_b, 16, 16, 16, __half, col_major> fb;
  fragment<accumulator, 16, 16, 16, float> fc;
  fragment<accumulator, 16, 16, 16, __half> fh;
  fill_fragment(fc, 0.0f);
  fill_fragment(fh, __float2half(0.0f));
  load_matrix_sync(fa, t, 16);
  load_matrix_sync(fb, b, 16);
  mma_sync(fc, fa, fb, fc);
  mma_sync(fh, fa, fb, fh);
  for (int i = 0; i < fc.num_elements; ++i) fc.x[i] *= 2.0f;
  store_matrix_sync(c, fc, 16, mem_row_major);
  store_matrix_sync(h, fh, 16, mem_col_major);
}

extern "C" __global__ void wmma_s8(const signed char* a, const signed char* b, int* c) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, signed char, row_major> fa;
  fragment<matrix_b, 16, 16, 16, signed char, row_major> fb;
  fragment<accumulator, 16, 16, 16, int> fc;
  fill_fragment(fc, 0);
  load_matrix_sync(fa, a, 16);
  load_matrix_sync(fb, b, 16);
  mma_sync(fc, fa, fb, fc);
  store_matrix_sync(c, fc, 16, mem_row_major);
}

// blocks of 128: C[32, 64] tiles of a product, K in steps of 16 through two buffers filled by cp.async; M, N multiples of the tile, K of 16
extern "C" __global__ void pipelined(const float* a, const float* b, float* c, int M, int N, int K) {
  __shared__ __align__(16) float ta[2][32][16], tb[2][16][64];
  const int t = threadIdx.x, m0 = blockIdx.y * 32, n0 = blockIdx.x * 64;
  const auto fill = [&](int buffer, int k0) {
    __pipeline_memcpy_async(&ta[buffer][t / 4][t % 4 * 4], &a[(m0 + t / 4) * K + k0 + t % 4 * 4], 16);
    for (int i = 0; i < 2; ++i) {
      const int r = t / 16 + i * 8;
      __pipeline_memcpy_async(&tb[buffer][r][t % 16 * 4], &b[(k0 + r) * N + n0 + t % 16 * 4], 16);
    }
    __pipeline_commit();
  };
  float sum[4][4] = {};
  const int m = t / 16 * 4, n = t % 16 * 4;
  fill(0, 0);
  for (int k0 = 0; k0 < K; k0 += 16) {
    const int now = k0 / 16 & 1;
    if (k0 + 16 < K) fill(now ^ 1, k0 + 16);
    else __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    for (int k = 0; k < 16; ++k) {
      const float4 v = *reinterpret_cast<const float4*>(&tb[now][k][n]);
      for (int i = 0; i < 4; ++i) {
        const float u = ta[now][m + i][k];
        sum[i][0] = fmaf(u, v.x, sum[i][0]), sum[i][1] = fmaf(u, v.y, sum[i][1]), sum[i][2] = fmaf(u, v.z, sum[i][2]),
        sum[i][3] = fmaf(u, v.w, sum[i][3]);
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) c[(m0 + m + i) * N + n0 + n + j] = sum[i][j];
  }
}

// cuda::barrier: one warp fills, the others take, twice over one buffer
extern "C" __global__ void barriers(const int* x, int* y) {
  using barrier = cuda::barrier<cuda::thread_scope_block>;
#pragma nv_diag_suppress static_var_with_dynamic_init
  __shared__ barrier full, empty;
  __shared__ int t[32];
  const int l = threadIdx.x % 32;
  if (threadIdx.x == 0) init(&full, blockDim.x), init(&empty, blockDim.x);
  __syncthreads();
  for (int r = 0; r < 4; ++r) {
    if (threadIdx.x < 32) {
      empty.arrive_and_wait();
      t[l] = x[r * 32 + l];
      full.arrive_and_wait();
    } else {
      empty.arrive_and_wait();
      full.arrive_and_wait();
      y[(r * (blockDim.x / 32 - 1) + threadIdx.x / 32 - 1) * 32 + l] = t[31 - l];
    }
  }
}

// cp.async of 4 bytes with a guard: beyond n are zeros; arrival by mbarrier
extern "C" __global__ void guarded(const float* x, float* y, int n) {
  __shared__ float t[64];
  const int i = threadIdx.x;
  const unsigned to = shared_address(&t[i]);
  const int bytes = i < n ? 4 : 0;
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(x + (i < n ? i : 0)), "r"(bytes) : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  y[i] = t[63 - i];
}
