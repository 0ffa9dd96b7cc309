// Convolutions. See channels_last.h. Next: pool.cpp.
#include <numeric>

#include "loaders/channels_last/window.h"

namespace tern::channels_last {
namespace {

constexpr int64_t kMostMore = int64_t(1) << 30;

// A filter [spatial…, a, b] as [a, b, spatial…], or swapped [b, a, spatial…].
ValueId filter_first(GraphBuilder& b, ValueId filter, bool swapped) {
  const int rank = b.rank(filter);
  std::vector<int64_t> order = {rank - 2, rank - 1};
  if (swapped) std::swap(order[0], order[1]);
  for (int i = 0; i < rank - 2; ++i) order.push_back(i);
  return permute(b, filter, order);
}

const Dim& channels_of(GraphBuilder& b, ValueId x, Channels channels) { return b.shape(x)[channel_axis(b.rank(x), channels)]; }

ValueId misfit(GraphBuilder& b, ValueId x, ValueId filter) {
  return b.fail(invalid("the input is " + b.shape(x).text() + " and the kernel " + b.shape(filter).text() + ": their channels do not fit"));
}

}  // namespace

ValueId conv(GraphBuilder& b, ValueId x, ValueId filter, const Window& window) {
  const auto axes = filter_axes(b, window, x, filter);
  if (!axes) return kNone;
  const int rank = b.rank(filter);
  const Dim& have = channels_of(b, x, window.channels);
  const int64_t in = b.shape(filter)[rank - 2].value(), out = b.shape(filter)[rank - 1].value();
  const int64_t groups = have.known() && in > 0 ? have.value() / in : 1;
  if (in < 1 || groups < 1 || (have.known() && groups * in != have.value()) || out % groups != 0) return misfit(b, x, filter);
  Attributes attrs = window_attributes(window, *axes);
  attrs.set("group", groups);
  const ValueId w = filter_first(b, filter, true);
  return channels_first(b, x, window.channels, [&](ValueId v) { return b.emit("Conv", {v, w}, attrs); });
}

ValueId depthwise_conv(GraphBuilder& b, ValueId x, ValueId filter, const Window& window) {
  const auto axes = filter_axes(b, window, x, filter);
  if (!axes) return kNone;
  const int rank = b.rank(filter);
  const Dim& have = channels_of(b, x, window.channels);
  const int64_t in = b.shape(filter)[rank - 2].value(), times = b.shape(filter)[rank - 1].value();
  if (in < 1 || times < 1 || (have.known() && have.value() != in)) return misfit(b, x, filter);
  Attributes attrs = window_attributes(window, *axes);
  attrs.set("group", in);
  std::vector<Int> shape = {Int(-1), Int(1)};  // [in, times, spatial…] as one output channel after the other
  for (int64_t k : axes->kernel) shape.push_back(k);
  const ValueId w = b.reshape(filter_first(b, filter, false), shape);
  return channels_first(b, x, window.channels, [&](ValueId v) { return b.emit("Conv", {v, w}, attrs); });
}

ValueId conv_transpose(GraphBuilder& b, ValueId x, ValueId filter, const Window& window, std::vector<int64_t> more) {
  const auto axes = filter_axes(b, window, x, filter);
  if (!axes) return kNone;
  const int rank = b.rank(filter);
  const Dim& have = channels_of(b, x, window.channels);
  const int64_t in = b.shape(filter)[rank - 1].value();
  if (in < 1 || (have.known() && have.value() != in)) return misfit(b, x, filter);
  const size_t n = axes->kernel.size();
  const bool same = window.padding == Window::Padding::same;
  if (more.empty()) {
    for (size_t i = 0; i < n; ++i) more.push_back(same ? 0 : std::max(axes->reach(i) - axes->strides[i], int64_t(0)));
  }
  // The full result has (in - 1) * stride + reach places. What is too many is cut off, the smaller half in front; what is missing is zeros behind.
  std::vector<int64_t> pads(2 * n, 0), behind(n, 0);
  for (size_t i = 0; i < n; ++i) {
    if (more.size() != n || more[i] > kMostMore || more[i] < -kMostMore)
      return b.fail(invalid("the output of a transposed convolution makes no sense"));
    const int64_t cut = axes->reach(i) - axes->strides[i] - more[i];
    pads[i] = !same || cut < 0 ? 0 : cut / 2;
    pads[n + i] = cut < 0 ? 0 : cut - pads[i];
    behind[i] = std::max(-cut, int64_t(0));
  }
  const ValueId w = filter_first(b, filter, true);
  const Attributes attrs = attributes({{"strides", axes->strides}, {"dilations", axes->dilations}, {"pads", pads}, {"output_padding", behind}});
  return channels_first(b, x, window.channels, [&](ValueId v) { return b.emit("ConvTranspose", {v, w}, attrs); });
}

ValueId bias_add(GraphBuilder& b, ValueId x, ValueId bias, Channels channels) {
  const int rank = b.rank(x);
  if (channels == Channels::last || rank < 3) return b.emit("Add", {x, bias});
  std::vector<int64_t> spatial(static_cast<size_t>(rank - 2));
  std::iota(spatial.begin(), spatial.end(), 1);
  return b.emit("Add", {x, unsqueeze(b, bias, spatial)});
}

}  // namespace tern::channels_last
