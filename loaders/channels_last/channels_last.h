// Operators over images, sounds and volumes as TensorFlow and Keras have them: channels last, filters [spatial…, in, out], "same" padding that
// depends on the input's size. TensorFlow's operators and Keras' layers call the same functions, so that all forms of one model give the same nodes.
// The catalog's operators want channels first: between two Transposes stands what it does, and the runtime takes the Transposes out.
//   x         [N, spatial…, C], or [N, C, spatial…] with Channels::first; one to three spatial axes.
//   Errors    go to the builder, as GraphBuilder has it: ranks and sizes that do not fit (invalid), more than three spatial axes (unsupported).
//   Source    TensorFlow's nn_ops and image_ops, Keras' layers; how their sizes come about: tf.nn.convolution, "Padding algorithms".
// Next: layout.cpp, conv.cpp.
#pragma once
#include "runtime/graph_nodes.h"

namespace tern::channels_last {

enum class Channels : bool { last, first };

// [N, spatial…, C] as [N, C, spatial…] and back; as it is when it has no spatial axis.
ValueId to_first(GraphBuilder& b, ValueId x);
ValueId to_last(GraphBuilder& b, ValueId x);
// f(x) of [N, C, spatial…].
template <class F>
ValueId channels_first(GraphBuilder& b, ValueId x, Channels channels, F f) {
  return channels == Channels::first ? f(x) : to_last(b, f(to_first(b, x)));
}
// Of rank dimensions: which axis has the channels, which is the first spatial one.
inline int channel_axis(int rank, Channels channels) { return channels == Channels::first ? 1 : rank - 1; }
inline int first_spatial(Channels channels) { return channels == Channels::first ? 2 : 1; }

// ---- windows: conv.cpp, pool.cpp ----

// A window that slides over the spatial axes: one number for each of them, or none (ones).
struct Window {
  enum class Padding : uint8_t {
    valid,
    same,    // ceil(size / stride) places; of what is missing the larger half behind
    causal,  // all of it before
    given,   // pads
  };
  std::vector<int64_t> kernel = {};  // of pools; a filter has its own
  std::vector<int64_t> strides = {}, dilations = {};
  Padding padding = Padding::valid;
  std::vector<int64_t> pads = {};  // begin of all axes, then end
  Channels channels = Channels::last;
};

// filter [spatial…, C / groups, OC]; there are as many groups as make its inputs x's channels.
ValueId conv(GraphBuilder& b, ValueId x, ValueId filter, const Window& window);
// filter [spatial…, C, M]: output channel c * M + m.
ValueId depthwise_conv(GraphBuilder& b, ValueId x, ValueId filter, const Window& window);
// filter [spatial…, OC, C]. An axis of n becomes n * stride + more; `more` empty: what TensorFlow's users mean, 0 for same, max(reach - stride, 0)
// for valid, where reach = (kernel - 1) * dilation + 1.
ValueId conv_transpose(GraphBuilder& b, ValueId x, ValueId filter, const Window& window, std::vector<int64_t> more = {});
// x + bias [C] on the axis of the channels.
ValueId bias_add(GraphBuilder& b, ValueId x, ValueId bias, Channels channels = Channels::last);

enum class Pool : bool { max, average };  // average: of the cells that are there, padding left out
ValueId pool(GraphBuilder& b, ValueId x, Pool kind, const Window& window);
// Over all spatial axes: [N, C], or with keep_dims extents of 1.
ValueId global_pool(GraphBuilder& b, ValueId x, Pool kind, Channels channels, bool keep_dims);

// ---- norm.cpp ----

// (x - mean) / sqrt(variance + epsilon) * gamma + beta along `axis`; gamma and beta may be kNone.
struct BatchNorm {
  ValueId gamma = kNone, beta = kNone, mean = kNone, variance = kNone;  // [size of the axis]
  double epsilon = 1e-3;
};
ValueId batch_norm(GraphBuilder& b, ValueId x, int axis, const BatchNorm& norm);

// ---- resize.cpp: two spatial axes, or as many as sizes are given ----

struct Resize {
  enum class Filter : uint8_t { nearest, bilinear, bicubic, area, lanczos3, lanczos5, gaussian, mitchellcubic };
  enum class Grid : uint8_t { half_pixel, align_corners, legacy };  // legacy: neither; output i lies at i * scale
  Filter filter = Filter::bilinear;
  Grid grid = Grid::half_pixel;
  bool antialias = false;
};
// sizes: of the spatial axes; factors: what they are times the input's, where that is known although sizes are not. Integers become f32 but for
// nearest. Of an input whose sizes are not known when the model is loaded: nearest, bilinear, with antialias bicubic too, without it bicubic by powers
// of two (TensorFlow rounds distances to 1/1024, which these have).
ValueId resize(GraphBuilder& b, ValueId x, const std::vector<Int>& sizes, const Resize& how, Channels channels = Channels::last,
               const std::vector<int64_t>& factors = {});
// Every cell `factors` times; any number of spatial axes.
ValueId repeat(GraphBuilder& b, ValueId x, const std::vector<int64_t>& factors, Channels channels = Channels::last);

// ---- space.cpp ----

// before and after, for each spatial axis.
using Margins = std::vector<std::pair<int64_t, int64_t>>;
ValueId zero_pad(GraphBuilder& b, ValueId x, const Margins& margins, Channels channels = Channels::last);
ValueId crop(GraphBuilder& b, ValueId x, const Margins& margins, Channels channels = Channels::last);
// Blocks of block * block cells become channels, the cell's place before the channel: TensorFlow's order.
ValueId space_to_depth(GraphBuilder& b, ValueId x, int64_t block, Channels channels = Channels::last);
ValueId depth_to_space(GraphBuilder& b, ValueId x, int64_t block, Channels channels = Channels::last);

}  // namespace tern::channels_last
