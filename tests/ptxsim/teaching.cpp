// The kernels of cuda/teaching.cu, compiled by nvcc for four GPUs, against plain C++: right, and without a finding, in every schedule.
#include <array>
#include <bit>
#include <cmath>

#include "tests/support/ptxsim_device.h"

using namespace ptxsim_test;

namespace in_teaching {
namespace {

std::vector<float> waves(size_t n, float step = 0.37f) {
  std::vector<float> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = std::sin(step * float(i)) * 3;
  return v;
}

void everywhere(const std::function<void(Device&, const Options&)>& body) { on_every_arch("teaching", kArchs, body); }

}  // namespace

TEST_CASE("teaching kernels: every instruction is known") { check_known("teaching", kArchs); }

TEST_CASE("teaching kernels: reductions, by a tree and by shuffles") {
  everywhere([](Device& d, const Options& o) {
    const std::vector<float> x = waves(1000);
    const uint64_t in = d.put(x), out = d.room<float>(3);
    d.clean("reduce_tree", {3}, {128}, Params().add(in).add(out).add(1000), o);
    std::vector<float> y = d.get<float>(out, 3);
    double sum = 0, want = 0;
    for (const float v : y) sum += double(v);
    for (const float v : x) want += double(v);
    CHECK(std::fabs(sum - want) < 1e-3);
    const uint64_t out2 = d.room<float>(2);
    d.clean("reduce_warp", {2}, {256}, Params().add(in).add(out2).add(500), o);
    y = d.get<float>(out2, 2);
    CHECK(std::fabs(double(y[0]) + double(y[1]) - want) < 1e-3);
  });
}

TEST_CASE("teaching kernels: a scan and a histogram") {
  everywhere([](Device& d, const Options& o) {
    std::vector<int> x(256);
    for (int i = 0; i < 256; ++i) x[size_t(i)] = (i * 37) % 19 - 5;
    const uint64_t in = d.put(x), out = d.room<int>(256);
    d.clean("scan", {1}, {256}, Params().add(in).add(out), o);
    int sum = 0;
    const std::vector<int> y = d.get<int>(out, 256);
    for (size_t i = 0; i < 256; ++i) CHECK(y[i] == (sum += x[i]));

    std::vector<uint8_t> bytes(3001);
    std::vector<unsigned> want(64, 0);
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = uint8_t(i * i * 7 >> 3);
      ++want[bytes[i] & 63];
    }
    const uint64_t data = d.put(bytes), bins = d.put(std::vector<unsigned>(64, 0));
    d.clean("histogram", {4}, {128}, Params().add(data).add(bins).add(3001), o);
    CHECK(d.get<unsigned>(bins, 64) == want);
  });
}

TEST_CASE("teaching kernels: a transpose and a stencil") {
  everywhere([](Device& d, const Options& o) {
    const int rows = 45, cols = 70;
    const std::vector<float> x = waves(size_t(rows * cols));
    const uint64_t in = d.put(x), out = d.room<float>(x.size());
    d.clean("transpose", {3, 2}, {32, 8}, Params().add(in).add(out).add(rows).add(cols), o);
    const std::vector<float> y = d.get<float>(out, x.size());
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < cols; ++c) CHECK(y[size_t(c * rows + r)] == x[size_t(r * cols + c)]);
    }
    const int n = 300;
    const uint64_t out2 = d.room<float>(300);
    d.clean("stencil", {3}, {128}, Params().add(in).add(out2).add(n), o);
    const std::vector<float> z = d.get<float>(out2, 300);
    for (int i = 0; i < n; ++i) {
      const float left = i > 0 ? x[size_t(i - 1)] : 0, right = i + 1 < n ? x[size_t(i + 1)] : 0;
      CHECK(z[size_t(i)] == std::fma(2.0f, x[size_t(i)], left) + right);
    }
  });
}

TEST_CASE("teaching kernels: tiled products equal a loop of fma, bit for bit") {
  everywhere([](Device& d, const Options& o) {
    for (const auto& [M, N, K] : {std::array<int, 3>{33, 17, 20}, std::array<int, 3>{16, 16, 16}, std::array<int, 3>{1, 5, 70}}) {
      const std::vector<float> a = waves(size_t(M * K)), b = waves(size_t(K * N), 0.11f);
      std::vector<float> want(size_t(M * N), 0.0f);
      for (int m = 0; m < M; ++m) {
        for (int n = 0; n < N; ++n) {
          for (int k = 0; k < K; ++k) want[size_t(m * N + n)] = std::fma(a[size_t(m * K + k)], b[size_t(k * N + n)], want[size_t(m * N + n)]);
        }
      }
      const uint64_t pa = d.put(a), pb = d.put(b);
      for (const uint32_t tile : {8u, 16u}) {
        const uint64_t pc = d.room<float>(want.size());
        const Dim3 grid{(uint32_t(N) + tile - 1) / tile, (uint32_t(M) + tile - 1) / tile};
        d.clean(tile == 8 ? "product8" : "product16", grid, {tile, tile}, Params().add(pa).add(pb).add(pc).add(M).add(N).add(K), o);
        CHECK(d.get<float>(pc, want.size()) == want);
      }
    }
  });
}

TEST_CASE("teaching kernels: dynamic shared memory, calls, local arrays, switches") {
  everywhere([](Device& d, const Options& o) {
    std::vector<int> x(128);
    for (int i = 0; i < 128; ++i) x[size_t(i)] = i * 977 % 10007;
    const uint64_t in = d.put(x), out = d.room<int>(128);
    d.clean("reverse", {1}, {128}, Params().add(in).add(out), o, 512);
    CHECK(d.get<int>(out, 128) == std::vector<int>(x.rbegin(), x.rend()));

    struct Line {
      float a, b;
      int n;
      char kind;
    };
    const std::vector<float> f = waves(64);
    const uint64_t fin = d.put(f), fout = d.room<float>(64), counts = d.room<int>(64);
    d.clean("lines", {1}, {64}, Params().add(fin).add(fout).add(counts).add(Line{2, 1, 5, 'y'}), o);
    const std::vector<float> fy = d.get<float>(fout, 64);
    const std::vector<int> c = d.get<int>(counts, 64);
    for (size_t i = 0; i < 64; ++i) {
      CHECK(fy[i] == std::fma(2.0f, f[i], 1.0f));
      CHECK(c[i] == int(i) + 5);
    }

    const uint64_t digits = d.room<int>(128);
    d.clean("digits", {1}, {128}, Params().add(in).add(digits), o);
    const std::vector<int> y = d.get<int>(digits, 128);
    const int steps[4] = {3, 1, 4, 1};
    for (size_t i = 0; i < 128; ++i) {
      int local[10] = {}, best = 0;
      for (int v = x[i]; v > 0; v /= 10) local[v % 10] += steps[v & 3];
      for (int k = 1; k < 10; ++k) best = local[k] > local[best] ? k : best;
      CHECK(y[i] == best * 100 + local[best]);
    }
    const uint64_t calls = *d.machine().symbol(d.module(), "calls");
    CHECK(d.get<unsigned>(calls, 1)[0] == 128);

    const uint64_t paths = d.room<int>(70);
    d.clean("paths", {1}, {70}, Params().add(paths), o);
    const std::vector<int> p = d.get<int>(paths, 70);
    for (int i = 0; i < 70; ++i) {
      const int want[] = {10, i * 3, -1, i * (i - 1) / 2, 82, 5, 1000 - i};
      CHECK(p[size_t(i)] == want[i % 7]);
    }
  });
}

TEST_CASE("teaching kernels: printf prints") {
  everywhere([](Device& d, const Options& o) {
    std::string text;
    Options options = o;
    options.printed = [&](std::string_view t) { text += t; };
    d.clean("hello", {1}, {64}, Params().add(3), options);
    CHECK(text == "thread 0 of 64:  4.50 text 1099511627776 %\nthread 1 of 64:  4.50 text 1099511627776 %\n");
  });
}

TEST_CASE("teaching kernels: votes and shuffles") {
  everywhere([](Device& d, const Options& o) {
    std::vector<int> x(32);
    uint32_t below = 0;
    for (int i = 0; i < 32; ++i) {
      x[size_t(i)] = i * 7;
      below |= uint32_t(i * 7 < 100) << i;
    }
    const uint64_t in = d.put(x), out = d.room<unsigned>(128);
    d.clean("warp_words", {1}, {32}, Params().add(in).add(out), o);
    const std::vector<unsigned> y = d.get<unsigned>(out, 128);
    for (uint32_t i = 0; i < 32; ++i) {
      CHECK(y[i * 4] == below);
      CHECK(y[i * 4 + 1] == 3);
      CHECK(y[i * 4 + 2] == (i * 5 & 31) * 7);
      CHECK(y[i * 4 + 3] == (i % 8 >= 3 ? i - 3 : i) * 7);
    }
  });
}

TEST_CASE("teaching kernels: softmax, and half precision") {
  everywhere([](Device& d, const Options& o) {
    const int cols = 333;
    const std::vector<float> x = waves(size_t(2 * cols));
    const uint64_t in = d.put(x), out = d.room<float>(x.size());
    d.clean("softmax", {2}, {128}, Params().add(in).add(out).add(cols), o);
    const std::vector<float> y = d.get<float>(out, x.size());
    for (int r = 0; r < 2; ++r) {
      double sum = 0;
      for (int c = 0; c < cols; ++c) sum += std::exp(double(x[size_t(r * cols + c)]));
      for (int c = 0; c < cols; ++c) {
        const double want = std::exp(double(x[size_t(r * cols + c)])) / sum;
        CHECK(std::fabs(double(y[size_t(r * cols + c)]) - want) < 2e-6 * want);
      }
    }
    const std::vector<float> h = {0.0f, 1.0f, -2.0f, 0.333251953125f, 100.0f, 65504.0f, 0.5f, 0.25f};
    const uint64_t hin = d.put(h), hout = d.room<float>(8);
    d.clean("halves", {1}, {8}, Params().add(hin).add(hout), o);
    const std::vector<float> got = d.get<float>(hout, 8);
    CHECK(got[0] == 0.75f);
    CHECK(got[1] == 2 + 0.75f + 2);
    CHECK(got[2] == 2 + 0.75f - 4);
    CHECK(got[4] == 10100 - 4 + 0.75f + 200);  // 10100 lies between halves 10096 and 10104
    CHECK(std::isinf(got[5]));
  });
}

TEST_CASE("teaching kernels: the last block adds up, and blocks that poll for each other run side by side") {
  everywhere([](Device& d, const Options& o) {
    const std::vector<float> x = waves(256);
    const uint64_t in = d.put(x), partial = d.room<float>(4), out = d.room<float>(1), all = d.room<int>(40);
    double want = 0;
    for (const float v : x) want += double(v);
    for (int again = 0; again < 2; ++again) {
      d.clean("last_block", {4}, {64}, Params().add(in).add(partial).add(out), o);
      CHECK(std::fabs(double(d.get<float>(out, 1)[0]) - want) < 1e-4);
    }
    d.clean("all_blocks", {20}, {32}, Params().add(all), o);
    const std::vector<int> y = d.get<int>(all, 40);
    for (size_t i = 0; i < 20; ++i) CHECK(y[20 + i] == 210);
  });
}

TEST_CASE("teaching kernels: blocks that stay for many steps, with a barrier of the grid between them") {
  everywhere([](Device& d, const Options& o) {
    std::vector<float> a(128, 1.0f), b(128);
    const uint64_t pa = d.put(a), pb = d.room<float>(128);
    d.clean("persistent", {4}, {32}, Params().add(pa).add(pb).add(6), o);
    for (int s = 0; s < 6; ++s) {
      float sum = 0;
      for (const float v : a) sum += v;
      for (size_t i = 0; i < 128; ++i) b[i] = std::fma(sum, 0.03125f, float(i));
      a.swap(b);
    }
    CHECK(d.get<float>(pa, 128) == a);
  });
}

TEST_CASE("teaching kernels: 64-bit integers") {
  everywhere([](Device& d, const Options& o) {
    std::vector<uint64_t> x;
    uint64_t random = 99;
    for (int i = 0; i < 64; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      x.push_back(i == 0 ? 0 : i == 1 ? ~uint64_t(0) : random >> (i % 40));
    }
    const uint64_t in = d.put(x), out = d.room<uint64_t>(256);
    d.clean("integers", {1}, {32}, Params().add(in).add(out), o);
    const std::vector<uint64_t> y = d.get<uint64_t>(out, 256);
    for (size_t i = 0; i < 32; ++i) {
      const uint64_t a = x[2 * i], b = x[2 * i + 1];
      __extension__ using u128 = unsigned __int128;
      CHECK(y[i * 8] == uint64_t(u128(a) * b >> 64));
      CHECK(y[i * 8 + 1] == a / (b | 1));
      CHECK(y[i * 8 + 2] == (int64_t(b | 1) == -1 ? 0 : uint64_t(int64_t(a) % int64_t(b | 1))));
      CHECK(y[i * 8 + 3] == uint64_t(std::popcount(a) + 100 * std::countl_zero(b)));
      uint64_t reversed = 0;
      for (int k = 0; k < 64; ++k) reversed |= (a >> k & 1) << (63 - k);
      CHECK(y[i * 8 + 4] == reversed);
      CHECK(y[i * 8 + 5] == uint32_t(((uint64_t(uint32_t(b)) << 32 | uint32_t(a)) << (b >> 40 & 31)) >> 32));
      uint32_t bytes = 0;
      const uint64_t both = uint64_t(uint32_t(b)) << 32 | uint32_t(a);
      for (int k = 0; k < 4; ++k) bytes |= uint32_t(both >> (8 * (a >> (32 + 4 * k) & 7)) & 255) << (8 * k);
      CHECK((y[i * 8 + 6] == bytes || (a >> 32 & 0x8888) != 0));
      int32_t dot = 5;
      for (int k = 0; k < 4; ++k) dot += int32_t(int8_t(a >> (8 * k))) * int32_t(int8_t(b >> (8 * k)));
      CHECK(y[i * 8 + 7] == uint32_t(dot));
    }
  });
}

}  // namespace in_teaching
