// The panel product called directly: misaligned memory, nothing read or written past the ends, y over its residual, continued sums,
// shares of the panels. Contract: kernels/gemm/panel.h.
#include "kernels/gemm/panel.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/op_test.h"

namespace tern::test::in_panel {
namespace {

// Of the functions that TERN_ON_EACH_ISA lists: NEON's is the last where there is one.
template <class F, size_t N>
F of(const std::array<F, N>& each, Isa isa) {
  return each[isa == Isa::neon ? N - 1 : static_cast<size_t>(isa)];
}
auto panel_of(Isa isa) { return of(std::array{TERN_ON_EACH_ISA(panel_gemm)}, isa); }
auto pack_of(Isa isa) { return of(std::array{TERN_ON_EACH_ISA(panel_pack)}, isa); }

// The elements of t at an odd address, with NaN before and after.
struct Guarded {
  std::vector<float> memory;
  float* at;
  explicit Guarded(const Tensor& t) : memory(static_cast<size_t>(t.count()) + 34, std::numeric_limits<float>::quiet_NaN()), at(memory.data() + 17) {
    std::copy_n(t.data<float>(), t.count(), at);
  }
  bool intact(int64_t count) const {
    for (size_t i = 0; i < memory.size(); ++i) {
      const bool inside = i >= 17 && i < 17 + static_cast<size_t>(count);
      if (!inside && !std::isnan(memory[i])) return false;
    }
    return true;
  }
};

PanelArgs args(const float* x, const float* w, float* y, int64_t m, int64_t n, int64_t k, int chains) {
  PanelArgs a{};
  a.x = x;
  a.w = w;
  a.y = y;
  a.m = m;
  a.n = a.ldy = n;
  a.k = a.lda = k;
  a.group_end = PanelGroups(n).groups;
  a.chains = chains;
  return a;
}

std::vector<float> packed(const Tensor& w, int chains) {  // w [K,N]
  const int64_t k = w.dims()[0], n = w.dims()[1];
  std::vector<float> p(static_cast<size_t>(packed_floats(n, k, chains)) + 1, 0.0f);
  pack_weights(w.data<float>(), n, 1, n, k, 1, chains, p.data());
  return p;
}

}  // namespace

TEST_CASE("panel: groups cover all panels, two to four each, and only five make a pair") {
  for (int64_t n = 1; n <= 2000; ++n) {
    const PanelGroups g(n);
    CHECK(g.first(0) == 0);
    CHECK(g.first(g.groups) == (n + 15) / 16);
    for (int64_t i = 0; i < g.groups; ++i) {
      const int64_t size = g.first(i + 1) - g.first(i);
      CHECK(size >= (g.panels > 5 ? 3 : g.panels == 5 ? 2 : g.panels));
      CHECK(size <= kGroup);
    }
  }
}

TEST_CASE("panel: the chains follow the measured table") {
  CHECK(gemm_chains(4, 47) == 4);
  CHECK(gemm_chains(4, 48) == 0);
  CHECK(gemm_chains(5, 63) == 4);
  CHECK(gemm_chains(8, 64) == 0);
  CHECK(gemm_chains(9, 511) == 4);
  CHECK(gemm_chains(16, 512) == 0);
  CHECK(gemm_chains(17, 512) == 4);
  CHECK(gemm_chains(32, 15) == 1);
  CHECK(gemm_chains(32, 16) == 4);
  CHECK(gemm_chains(33, 16) == 2);
  CHECK(gemm_chains(96, 16) == 2);
  CHECK(gemm_chains(97, 16) == 1);
}

TEST_CASE("panel: misaligned and guarded memory, y over its residual, give the same bits on every ISA") {
  for (int64_t n = 1; n <= 80; ++n) {
    for (int64_t m : {1, 2, 7}) {
      const int64_t k = n % 3 == 0 ? 65 : 9;
      const int chains = gemm_chains(n, k);
      const Tensor x = random_f32({m, k}, 1), w = random_f32({k, n}, 2), bias = random_f32({n}, 3), residual = random_f32({m, n}, 4);
      const std::vector<float> p = packed(w, chains);
      std::vector<float> first;
      for (Isa isa : runnable_isas()) {
        Guarded gx(x), gb(bias), gy(residual);
        PanelArgs a = args(gx.at, p.data(), gy.at, m, n, k, chains);
        a.bias = gb.at;
        a.residual = gy.at;
        a.epilogue.activation = Activation::sigmoid;
        panel_of(isa)(a);
        INFO("N " << n << " M " << m << " on " << std::string(name(isa)));
        CHECK(gy.intact(m * n));
        const std::vector<float> y(gy.at, gy.at + m * n);
        if (first.empty()) first = y;
        bool number = true;  // a guard that was read would have made a NaN
        for (float v : y) number = number && v > 0 && v < 1;
        CHECK(number);
        CHECK(std::memcmp(first.data(), y.data(), y.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("panel: with one chain a sum that is continued equals the whole") {
  for (int64_t n : {3, 16, 40, 64, 130}) {
    for (int64_t m : {1, 5}) {
      const int64_t k = 30, part = 13;
      const Tensor x = random_f32({m, k}, 1), w = random_f32({k, n}, 2);
      std::vector<float> whole(static_cast<size_t>(m * n)), half(whole.size()), both(whole.size());
      const std::vector<float> all = packed(w, 1);
      const Tensor top = f32({part, n}, std::vector<float>(w.data<float>(), w.data<float>() + part * n));
      const Tensor rest = f32({k - part, n}, std::vector<float>(w.data<float>() + part * n, w.data<float>() + k * n));
      const std::vector<float> p = packed(top, 1), q = packed(rest, 1);
      for (Isa isa : runnable_isas()) {
        panel_of(isa)(args(x.data<float>(), all.data(), whole.data(), m, n, k, 1));
        PanelArgs a = args(x.data<float>(), p.data(), half.data(), m, n, part, 1),
                  b = args(x.data<float>() + part, q.data(), both.data(), m, n, k - part, 1);
        a.lda = b.lda = k;
        b.bias = half.data();
        b.bias_stride = n;
        panel_of(isa)(a);
        panel_of(isa)(b);
        CHECK(std::memcmp(whole.data(), both.data(), whole.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("panel: packing on the hot path gives the bytes of packing once, from rows and from columns") {
  for (int64_t n : {1, 4, 16, 17, 50, 79, 130}) {
    for (int64_t k : {1, 15, 70}) {
      for (int chains : {gemm_chains(n, k), 1}) {
        const Tensor w = random_f32({k, n}, 1), t = random_f32({n, k}, 2);
        for (bool across : {false, true}) {
          const int64_t k_stride = across ? 1 : n, n_stride = across ? k : 1;
          const float* from = across ? t.data<float>() : w.data<float>();
          std::vector<float> once(static_cast<size_t>(packed_floats(n, k, chains)), 0.0f);
          pack_weights(from, k_stride, n_stride, n, k, 0.5f, chains, once.data());
          for (Isa isa : runnable_isas()) {
            std::vector<float> hot(once.size(), 7.0f);
            pack_of(isa)({from, hot.data(), n, k, k_stride, n_stride, 0, PanelGroups(n).groups, 0.5f, chains});
            CHECK(std::memcmp(once.data(), hot.data(), once.size() * sizeof(float)) == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("panel: a share of the groups writes its own columns and no others") {
  const int64_t m = 3, n = 150, k = 20;
  const Tensor x = random_f32({m, k}, 1), w = random_f32({k, n}, 2);
  const std::vector<float> p = packed(w, 1);
  for (Isa isa : runnable_isas()) {
    std::vector<float> whole(static_cast<size_t>(m * n)), share(whole.size(), 7.0f);
    PanelArgs a = args(x.data<float>(), p.data(), whole.data(), m, n, k, 1);
    panel_of(isa)(a);
    a.y = share.data();
    a.group_begin = 1;
    a.group_end = 2;
    panel_of(isa)(a);
    const int64_t begin = PanelGroups(n).first(1) * 16, end = PanelGroups(n).first(2) * 16;
    int64_t wrong = 0;
    for (int64_t i = 0; i < m * n; ++i) {
      const bool mine = i % n >= begin && i % n < end;
      wrong += share[static_cast<size_t>(i)] != (mine ? whole[static_cast<size_t>(i)] : 7.0f);
    }
    CHECK(wrong == 0);
  }
}

}  // namespace tern::test::in_panel
