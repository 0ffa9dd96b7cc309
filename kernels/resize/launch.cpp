// Which of resize.cu's kernels run, and how wide. See launch.h.
#include "kernels/launch.h"

#include <bit>
#include <utility>

#include "kernels/resize/resize_device.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "resize/resize";

// What `fill` makes with the Div that numbers so many units.
template <class Fill>
void add(const char* fast, const char* wide, int64_t units, Launches& to, Fill fill) {
  const Dim3 grid{blocks_for(units, kResizeBlock)}, block{kResizeBlock};
  if (units < kFastDivMost) to.add(kModule, fast, grid, block, 0, fill.template operator()<FastDiv>());
  else to.add(kModule, wide, grid, block, 0, fill.template operator()<WideDiv>());
}

void launch(const ResizeArgs& a, Launches& to) {
  const auto* from = static_cast<const float*>(a.x);
  for (int i = 0; i < a.passes; ++i) {
    auto* y = static_cast<float*>(i + 1 == a.passes ? a.y : a.buffer[i % 2]);
    const ResizePass& p = a.pass[i];
    const int64_t units = p.outer * p.out * p.inner;
    add("resize_pass_f32", "resize_pass_wide_f32", units, to,
        [&]<class Div>() { return ResizeUnits<Div>{from, y, p, Div(p.inner), Div(p.out), static_cast<typename Div::Int>(units)}; });
    from = y;
  }
  for (int i = 0; i < a.outsides; ++i) {
    const ResizeArgs::Outside& s = a.outside[i];
    const int64_t units = s.outer * s.out * s.inner;
    add("resize_outside_f32", "resize_outside_wide_f32", units, to, [&]<class Div>() {
      return OutsideUnits<Div>{
          static_cast<float*>(a.y), s.is, static_cast<float>(a.extrapolation), Div(s.inner), Div(s.out), static_cast<typename Div::Int>(units)};
    });
  }
}

}  // namespace

constinit const KernelRow resize_f32 = device_row<ResizeArgs, launch>("resize/f32/cuda", DType::f32);

void launch_nearest(const NearestArgs& a, Launches& to) {
  constexpr const char* kFast[] = {"resize_nearest_1", "resize_nearest_2", "resize_nearest_4", "resize_nearest_8"};
  constexpr const char* kWide[] = {"resize_nearest_wide_1", "resize_nearest_wide_2", "resize_nearest_wide_4", "resize_nearest_wide_8"};
  const int size = std::countr_zero(static_cast<uint64_t>(a.size));
  int64_t units = 1;
  for (int d = 0; d < a.rank; ++d) units *= a.n[d];
  add(kFast[size], kWide[size], units, to, [&]<class Div>() {
    NearestUnits<Div> u{a, {}, static_cast<typename Div::Int>(units)};
    for (int d = 0; d < a.rank; ++d) u.n[d] = Div(a.n[d]);
    return u;
  });
}

}  // namespace tern::cuda
