// Pools. See channels_last.h. Next: norm.cpp.
#include "loaders/channels_last/window.h"

namespace tern::channels_last {

ValueId pool(GraphBuilder& b, ValueId x, Pool kind, const Window& window) {
  const auto axes = axes_of(b, window, window.kernel);
  if (!axes) return kNone;
  if (b.rank(x) != static_cast<int>(axes->kernel.size()) + 2)
    return b.fail(invalid("the input is " + b.shape(x).text() + ", a pool over " + std::to_string(axes->kernel.size()) +
                          " spatial axes needs as many between the batch and the channels"));
  Attributes attrs = window_attributes(window, *axes);
  attrs.set("kernel_shape", axes->kernel);
  return channels_first(b, x, window.channels, [&](ValueId v) { return b.emit(kind == Pool::max ? "MaxPool" : "AveragePool", {v}, attrs); });
}

ValueId global_pool(GraphBuilder& b, ValueId x, Pool kind, Channels channels, bool keep_dims) {
  const int rank = b.rank(x);
  if (rank < 3)
    return b.ok() ? b.fail(invalid("the input is " + b.shape(x).text() + ", a global pool needs axes between the batch and the channels")) : kNone;
  std::vector<int64_t> spatial;
  for (int i = 2; i < rank; ++i) spatial.push_back(i);
  auto pooled = [&](ValueId v) { return b.emit(kind == Pool::max ? "GlobalMaxPool" : "GlobalAveragePool", {v}); };
  if (keep_dims) return channels_first(b, x, channels, pooled);
  return squeeze(b, pooled(channels == Channels::first ? x : to_first(b, x)), spatial);
}

}  // namespace tern::channels_last
