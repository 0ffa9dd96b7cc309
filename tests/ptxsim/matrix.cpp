// Tensor cores and pipelines (cuda/matrix.cu) against plain C++, in every schedule.
#include <bit>
#include <cmath>

#include "runtime/base/half.h"
#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_matrix {
namespace {

constexpr int kMatrixArchs[] = {80, 90, 120};

void everywhere(const std::function<void(Device&, const Options&)>& body) { on_every_arch("matrix", kMatrixArchs, body); }

// Small multiples of 1/4: every product and sum is exact in every format.
std::vector<float> quarters(size_t n, int salt) {
  std::vector<float> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = float(int(i * 7 + size_t(salt)) % 17 - 8) * 0.25f;
  return v;
}

std::vector<uint16_t> halves(const std::vector<float>& v) {
  std::vector<uint16_t> h;
  for (const float f : v) h.push_back(tern::to_f16(f).bits);
  return h;
}

}  // namespace

TEST_CASE("matrices: every instruction is known") { check_known("matrix", kMatrixArchs); }

TEST_CASE("matrices: mma of halves through ldmatrix") {
  everywhere([](Device& d, const Options& o) {
    const std::vector<float> a = quarters(256, 3), b = quarters(128, 5), c = quarters(128, 1);
    const uint64_t pc = d.put(c);
    d.clean("mma_f16", {1}, {32}, Params().add(d.put(halves(a))).add(d.put(halves(b))).add(pc), o);
    const std::vector<float> y = d.get<float>(pc, 128);
    for (size_t m = 0; m < 16; ++m) {
      for (size_t n = 0; n < 8; ++n) {
        float want = c[m * 8 + n];
        for (size_t k = 0; k < 16; ++k) want += a[m * 16 + k] * b[k * 8 + n];
        CHECK(y[m * 8 + n] == want);
      }
    }
  });
}

TEST_CASE("matrices: mma of tf32, bf16, f64 and bytes, element by element") {
  everywhere([](Device& d, const Options& o) {
    const std::vector<float> a = quarters(128, 3), b = quarters(64, 5);
    const uint64_t py = d.room<float>(320);
    d.clean("mma_shapes", {1}, {32}, Params().add(d.put(a)).add(d.put(b)).add(py), o);
    const std::vector<float> y = d.get<float>(py, 320);
    for (size_t m = 0; m < 16; ++m) {
      for (size_t n = 0; n < 8; ++n) {
        float want = 0, four = 0;
        for (size_t k = 0; k < 8; ++k) {
          want += a[m * 8 + k] * b[k * 8 + n];
          if (k < 4) four += a[m * 8 + k] * b[k * 8 + n];
        }
        CHECK(y[m * 8 + n] == want);
        CHECK(y[128 + m * 8 + n] == want);
        if (m < 8) CHECK(y[256 + m * 8 + n] == four);
      }
    }
    std::vector<int8_t> s(512);
    std::vector<uint8_t> u(256);
    for (size_t i = 0; i < 512; ++i) s[i] = int8_t(i * 37 % 251);
    for (size_t i = 0; i < 256; ++i) u[i] = uint8_t(i * 91 % 256);
    const uint64_t pc = d.room<int>(128);
    d.clean("mma_s8", {1}, {32}, Params().add(d.put(s)).add(d.put(u)).add(pc), o);
    const std::vector<int> c = d.get<int>(pc, 128);
    for (size_t m = 0; m < 16; ++m) {
      for (size_t n = 0; n < 8; ++n) {
        int want = 1;
        for (size_t k = 0; k < 32; ++k) want += int(s[m * 32 + k]) * int(u[n * 32 + k]);
        CHECK(c[m * 8 + n] == want);
      }
    }
  });
}

TEST_CASE("matrices: wmma") {
  everywhere([](Device& d, const Options& o) {
    const std::vector<float> a = quarters(256, 3), b = quarters(256, 5);
    const uint64_t pc = d.room<float>(256), ph = d.room<uint16_t>(256);
    d.clean("wmma_f16", {1}, {32}, Params().add(d.put(halves(a))).add(d.put(halves(b))).add(pc).add(ph), o);
    const std::vector<float> c = d.get<float>(pc, 256);
    const std::vector<uint16_t> h = d.get<uint16_t>(ph, 256);
    std::vector<int8_t> sa(256), sb(256);
    for (size_t i = 0; i < 256; ++i) sa[i] = int8_t(i * 3), sb[i] = int8_t(i * 5 + 1);
    const uint64_t pi = d.room<int>(256);
    d.clean("wmma_s8", {1}, {32}, Params().add(d.put(sa)).add(d.put(sb)).add(pi), o);
    const std::vector<int> y = d.get<int>(pi, 256);
    for (size_t m = 0; m < 16; ++m) {
      for (size_t n = 0; n < 16; ++n) {
        float want = 0;
        int whole = 0;
        for (size_t k = 0; k < 16; ++k) {
          want += a[m * 16 + k] * b[n * 16 + k];
          whole += int(sa[m * 16 + k]) * int(sb[k * 16 + n]);
        }
        CHECK(c[m * 16 + n] == 2 * want);
        CHECK(h[n * 16 + m] == tern::to_f16(want).bits);
        CHECK(y[m * 16 + n] == whole);
      }
    }
  });
}

TEST_CASE("matrices: a product through two buffers of cp.async equals a loop of fma") {
  everywhere([](Device& d, const Options& o) {
    const int M = 64, N = 128, K = 80;
    std::vector<float> a(size_t(M * K)), b(size_t(K * N)), want(size_t(M * N), 0.0f);
    for (size_t i = 0; i < a.size(); ++i) a[i] = std::sin(float(i));
    for (size_t i = 0; i < b.size(); ++i) b[i] = std::cos(float(i) * 0.7f);
    for (int m = 0; m < M; ++m) {
      for (int k = 0; k < K; ++k) {
        for (int n = 0; n < N; ++n) want[size_t(m * N + n)] = std::fma(a[size_t(m * K + k)], b[size_t(k * N + n)], want[size_t(m * N + n)]);
      }
    }
    const uint64_t pc = d.room<float>(want.size());
    d.clean("pipelined", {2, 2}, {128}, Params().add(d.put(a)).add(d.put(b)).add(pc).add(M).add(N).add(K), o);
    CHECK(d.get<float>(pc, want.size()) == want);
  });
}

TEST_CASE("matrices: cuda::barrier, and copies with a guard") {
  everywhere([](Device& d, const Options& o) {
    std::vector<int> x(128);
    for (int i = 0; i < 128; ++i) x[size_t(i)] = i * 3;
    const uint64_t py = d.room<int>(256);
    d.clean("barriers", {1}, {96}, Params().add(d.put(x)).add(py), o);
    const std::vector<int> y = d.get<int>(py, 256);
    for (size_t r = 0; r < 4; ++r) {
      for (size_t w = 0; w < 2; ++w) {
        for (size_t l = 0; l < 32; ++l) CHECK(y[(r * 2 + w) * 32 + l] == x[r * 32 + 31 - l]);
      }
    }
    const std::vector<float> f = quarters(50, 1);
    const uint64_t pz = d.room<float>(64);
    d.clean("guarded", {1}, {64}, Params().add(d.put(f)).add(pz).add(50), o);
    const std::vector<float> z = d.get<float>(pz, 64);
    for (size_t i = 0; i < 64; ++i) CHECK(z[63 - i] == (i < 50 ? f[i] : 0.0f));
  });
}

}  // namespace in_matrix
