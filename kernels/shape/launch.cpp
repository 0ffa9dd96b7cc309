// Which of shape.cu's kernels runs, and how wide. See launch.h.
#include "kernels/launch.h"

#include "kernels/portable_row.h"
#include "kernels/shape/one_hot.h"
#include "kernels/shape/range.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "shape/shape";

template <class T>
void launch_range(const RangeArgs& a, Launches& to) {
  to.add(kModule, "range_any", {blocks_for(a.end - a.begin, kShapeBlock)}, {kShapeBlock}, 0, RangeLaunch{a, dtype_of<T>()});
}
template <class T>
constexpr KernelRow range_row() {
  return device_row<RangeArgs, launch_range<T>>(kRowName<"range", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

template <class T>
void launch_one_hot(const OneHotArgs& a, Launches& to) {
  const int64_t count = (a.end - a.begin) * a.depth;
  auto launch = [&]<class Div>(const char* kernel) {
    to.add(kModule, kernel, {blocks_for(count, kShapeBlock)}, {kShapeBlock}, 0,
           OneHotLaunch<Div>{a, Div(a.depth), Div(a.inner), count, dtype_of<T>()});
  };
  if (count < kFastDivMost) launch.template operator()<FastDiv>("one_hot_any");
  else launch.template operator()<WideDiv>("one_hot_large");
}
template <class T>
constexpr KernelRow one_hot_row() {
  return device_row<OneHotArgs, launch_one_hot<T>>(kRowName<"one_hot", dtype_of<T>(), Isa::cuda>.data(), dtype_of<T>());
}

}  // namespace

constinit const KernelRow kRangeRows[7] = {range_row<float>(),   range_row<double>(),  range_row<f16>(),    range_row<bf16>(),
                                           range_row<int16_t>(), range_row<int32_t>(), range_row<int64_t>()};
constinit const KernelRow kOneHotRows[10] = {one_hot_row<int32_t>(), one_hot_row<int64_t>(),  one_hot_row<int8_t>(),   one_hot_row<uint8_t>(),
                                             one_hot_row<int16_t>(), one_hot_row<uint16_t>(), one_hot_row<uint32_t>(), one_hot_row<uint64_t>(),
                                             one_hot_row<float>(),   one_hot_row<double>()};

}  // namespace tern::cuda
