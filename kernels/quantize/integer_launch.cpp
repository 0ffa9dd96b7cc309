// Which of integer.cu's kernels runs, and how wide. See launch.h.
#include <algorithm>

#include "kernels/launch.h"
#include "kernels/quantize/integer.h"
#include "kernels/quantize/integer_device.h"
#include "runtime/base/checked.h"

namespace tern::cuda {
namespace {

template <class Div>
IntegerLaunch<Div> launch_of(const IntegerArgs& a) {
  IntegerLaunch<Div> l = {};
  l.x = a.x;
  l.w = a.w;
  l.x_signed = a.x_signed;
  l.w_signed = a.w_signed;
  l.y_signed = a.y_signed();
  l.conv = a.conv;
  l.scale_dtype = a.scale_dtype;
  l.x_zero = a.x_zero;
  l.w_zero = a.w_zero;
  l.x_scale = a.x_scale;
  l.w_scale = a.w_scale;
  l.y_scale = a.y_scale;
  l.y_zero = a.y_zero;
  l.bias = a.bias;
  l.y = a.y;
  l.batch = a.batch;
  l.batches = a.end / a.m;
  l.m = a.m;
  l.n = a.n;
  l.k = a.k;
  l.w_matrix = a.w_matrix;
  l.w_k = a.w_k;
  l.w_column = a.w_column;
  l.y_row = a.y_row;
  l.y_column = a.y_column;
  l.row_tiles = ceil_div(a.m, kIntegerTile);
  l.column_tiles = ceil_div(a.n, kIntegerTile);
  for (size_t axis = 0; axis < 3; ++axis) {
    l.out[axis] = Div(a.window.out[axis]);
    l.kernel[axis] = Div(a.window.kernel[axis]);
    l.in[axis] = a.window.in[axis];
    l.stride[axis] = a.window.stride[axis];
    l.dilation[axis] = a.window.dilation[axis];
    l.begin[axis] = a.window.begin[axis];
  }
  return l;
}
void launch_integer(const IntegerArgs& a, Launches& to) {
  constexpr const char* kModule = "quantize/integer";
  const IntegerLaunch<FastDiv> l = launch_of<FastDiv>(a);
  const uint32_t tiles = blocks_for(l.batches * l.row_tiles * l.column_tiles, 1);
  if (!a.conv && a.m <= kIntegerFewRows) {
    const uint32_t columns = std::min<uint32_t>(blocks_for(a.n, kIntegerBlock), 65535);
    to.add(kModule, "integer_product_few_rows", {blocks_for(a.end, 1), columns}, {kIntegerBlock}, 0, launch_of<WideDiv>(a));
  } else if (std::max(a.m, a.k) < kFastDivMost) {
    to.add(kModule, "integer_product", {tiles}, {kIntegerBlock}, 0, l);
  } else {
    to.add(kModule, "integer_product_large", {tiles}, {kIntegerBlock}, 0, launch_of<WideDiv>(a));
  }
}

}  // namespace

constinit const KernelRow kIntegerRows[1] = {device_row<IntegerArgs, launch_integer>("integer_product/i8/cuda", DType::i8)};

}  // namespace tern::cuda
