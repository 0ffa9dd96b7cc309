// See phases.h.
#include "kernels/conv/phases.h"

#include <algorithm>
#include <numeric>

#include "runtime/base/checked.h"

namespace tern {
namespace {

constexpr int64_t kMostPhases = 1024;  // 32 x 32; beyond them x is spread out

// Outputs r, r + s, … of one axis: their taps are first + v * every.
struct AxisPhase {
  int64_t out = 0, taps = 0, first = 0, every = 1, dilation = 1, begin = 0;
};
AxisPhase axis_phase(const Window& w, size_t a, int64_t s, int64_t r) {
  const int64_t d = w.dilation[a], common = std::gcd(s, d);
  AxisPhase p;
  p.out = ceil_div(w.out[a] - r, s);
  p.every = s / common;
  p.dilation = d / common;
  while (p.first < p.every && (r + p.first * d - w.begin[a]) % s != 0) ++p.first;
  if (p.first >= std::min(p.every, w.kernel[a])) return p;
  p.taps = ceil_div(w.kernel[a] - p.first, p.every);
  p.begin = (w.begin[a] - r - p.first * d) / s;
  return p;
}

std::vector<int64_t> all_taps(const ConvProblem& p, const AxisPhase (&axes)[3]) {
  const Extent3& k = p.window.kernel;
  std::vector<int64_t> taps;
  for (int64_t z = 0; z < axes[0].taps; ++z) {
    for (int64_t y = 0; y < axes[1].taps; ++y) {
      for (int64_t x = 0; x < axes[2].taps; ++x) {
        const int64_t t = ((axes[0].first + z * axes[0].every) * k[1] + axes[1].first + y * axes[1].every) * k[2] + axes[2].first + x * axes[2].every;
        taps.push_back(p.mirrored ? p.window.taps() - 1 - t : t);
      }
    }
  }
  return taps;
}

}  // namespace

Phases phases_of(const ConvProblem& p) {
  Phases phases;
  const Extent3 &s = p.spread, &out = p.window.out;
  const auto count = checked_count(std::array<int64_t, 3>{std::min(s[0], out[0]), std::min(s[1], out[1]), std::min(s[2], out[2])});
  if (s == Extent3{1, 1, 1} || !count || *count > kMostPhases) {
    phases.spread = s;
    phases.all.push_back({p.window, {0, 0, 0}, std::vector<int64_t>(static_cast<size_t>(p.window.taps()))});
    std::vector<int64_t>& taps = phases.all[0].taps;
    std::iota(taps.begin(), taps.end(), int64_t(0));
    if (p.mirrored) std::reverse(taps.begin(), taps.end());
    return phases;
  }
  phases.step = s;
  for (int64_t i = 0; i < *count; ++i) {
    Phase phase{p.window, {0, 0, 0}, {}};
    AxisPhase axes[3];
    for (int64_t a = 2, rest = i; a >= 0; --a) {
      const auto axis = static_cast<size_t>(a);
      const int64_t n = std::min(s[axis], out[axis]);
      phase.first[axis] = rest % n;
      rest /= n;
      axes[axis] = axis_phase(p.window, axis, s[axis], phase.first[axis]);
      phase.window.out[axis] = axes[axis].out;
      phase.window.kernel[axis] = axes[axis].taps;
      phase.window.dilation[axis] = axes[axis].dilation;
      phase.window.begin[axis] = axes[axis].begin;
    }
    phase.taps = all_taps(p, axes);
    phases.all.push_back(std::move(phase));
  }
  return phases;
}

}  // namespace tern
