// ConvTranspose between its scales: a convolution that gives the s * s pixels of each pixel as channels, whose weights are spread over what any of them
// sees, and DepthToSpace. See integer_products.h.
#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/fuse/integer_products.h"

namespace tern {
namespace {

constexpr int64_t kMostSpread = 5, kSpreadOver = 2;  // weights may become so many halves of what they were: products of integers are that much faster

// Along an axis: output s t + f is a sum over taps k = s j + f + begin, j in [last - taps + 1, last], of x[t - j].
struct PhaseAxis {
  int64_t stride, begin, taps, last, pad_end;
  int64_t tap_of(int64_t phase, int64_t i) const { return stride * (last - i) + phase + begin; }
};
std::optional<PhaseAxis> phases_of(int64_t kernel, int64_t stride, int64_t begin, int64_t end, int64_t extra) {
  const int64_t out = kernel - begin - end + extra;  // of one pixel
  if (begin < 0 || end < 0 || extra < 0 || begin >= kernel || end >= kernel || out < 1 || out % stride != 0) return std::nullopt;
  PhaseAxis a{stride, begin, 0, (kernel - 1 - begin) / stride, 0};
  a.taps = a.last + (stride - 1 + begin) / stride + 1;
  a.pad_end = out / stride - 1 - a.last + a.taps - 1;
  return a.pad_end < 0 ? std::nullopt : std::optional(a);
}
std::optional<std::array<PhaseAxis, 2>> phases_of(const Node& node, const Dims& weights) {
  const AttrReader attrs = node.read();
  auto at = [&](const char* list, size_t i, int64_t none) {
    const auto v = attrs.ints(list);
    return i < v.size() ? v[i] : none;
  };
  const int64_t stride = at("strides", 0, 1);
  if (weights.rank != 4 || attrs.i("group") != 1 || attrs.s("auto_pad") != "NOTSET" || !attrs.ints("output_shape").empty()) return std::nullopt;
  if (stride < 2 || stride > 8 || at("strides", 1, 1) != stride || at("dilations", 0, 1) != 1 || at("dilations", 1, 1) != 1) return std::nullopt;
  std::array<PhaseAxis, 2> axes;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t kernel = weights[static_cast<int>(i) + 2];
    if (kernel > 64) return std::nullopt;
    const auto axis = phases_of(kernel, stride, at("pads", i, 0), at("pads", i + 2, 0), at("output_padding", i, 0));
    if (!axis) return std::nullopt;
    axes[i] = *axis;
  }
  const int64_t spread = axes[0].taps * axes[1].taps * stride * stride, own = weights[2] * weights[3];
  return spread * kSpreadOver <= own * kMostSpread ? std::optional(axes) : std::nullopt;
}

// Weights [C, OC, KH, KW] as [s * s * OC, C, taps, taps]; what is no tap is the zero point.
Tensor spread(const Tensor& w, const std::array<PhaseAxis, 2>& axes, const Tensor* zero) {
  const Dims& d = w.dims();
  const int64_t C = d[0], OC = d[1], s = axes[0].stride;
  Tensor y = *Tensor::allocate(w.dtype(), {s * s * OC, C, axes[0].taps, axes[1].taps});
  const std::byte* from = w.raw();
  std::byte* to = y.mutable_raw();
  for (int64_t q = 0; q < s * s * OC; ++q) {
    const int64_t oc = q % OC, fh = q / OC / s, fw = q / OC % s;
    const std::byte none = zero == nullptr ? std::byte(0) : zero->raw()[zero->count() == 1 ? 0 : oc];
    for (int64_t c = 0; c < C; ++c) {
      for (int64_t i = 0; i < axes[0].taps; ++i) {
        for (int64_t j = 0; j < axes[1].taps; ++j, ++to) {
          const int64_t h = axes[0].tap_of(fh, i), v = axes[1].tap_of(fw, j);
          *to = h >= 0 && h < d[2] && v >= 0 && v < d[3] ? from[((c * OC + oc) * d[2] + h) * d[3] + v] : none;
        }
      }
    }
  }
  return y;
}
// A vector of the channels `times` over; a scale or zero point for all stays one.
ValueId repeated(Rewriter& r, ValueId v, int64_t times, bool one_for_all) {
  const Tensor& of = r.graph.value(v).constant;
  if (of.count() == 1 && one_for_all) return v;
  const size_t bytes = static_cast<size_t>(of.count()) * size_of(of.dtype());
  Tensor y = *Tensor::allocate(of.dtype(), {of.count() * times});
  for (int64_t i = 0; i < times; ++i) std::memcpy(y.mutable_raw() + static_cast<size_t>(i) * bytes, of.raw(), bytes);
  return r.add_constant(r.graph.value(v).name + ".phases", std::move(y));
}

}  // namespace

void integer_conv_transpose(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype) {
  const Node* node = product_before(r, within, "ConvTranspose");
  const auto x = node ? dequantized(r, node->inputs[0]) : std::nullopt;
  const auto w = x ? dequantized_weights(r, node->inputs[1], 1) : std::nullopt;
  if (!w || r.dtype(w->data) == DType::i32) return;
  // What others read, too, would be spread for each: many nodes of one large tensor would become more than the file can back.
  if (!r.read_once(node->inputs[1]) || !r.read_once(w->data)) return;
  const Tensor& own = r.graph.value(w->data).constant;
  const Dims dims = own.dims();
  const auto axes = phases_of(*node, dims);
  if (!axes || own.count() == 0 || !sums_fit(r, *x, *w, own.count() / dims[1])) return;
  const std::string name = node->name;
  const ValueId bias = optional_input(*node, 2);
  auto inputs = product_inputs(r, *x, *w, y, dtype, bias, dims[1]);
  if (!inputs) return;
  const int64_t stride = (*axes)[0].stride, phases = stride * stride;
  Tensor weights = spread(r.graph.value(w->data).constant, *axes, r.constant(w->zero, r.dtype(w->data)));
  (*inputs)[3] = r.add_constant(r.graph.value(w->data).name + ".phases", std::move(weights));
  for (size_t i : {4u, 5u}) (*inputs)[i] = repeated(r, (*inputs)[i], phases, true);
  if (inputs->size() > 8) (*inputs)[8] = repeated(r, (*inputs)[8], phases, false);
  Attributes conv, blocks;
  conv.set("pads", std::vector<int64_t>{(*axes)[0].last, (*axes)[1].last, (*axes)[0].pad_end, (*axes)[1].pad_end});
  blocks.set("blocksize", stride);
  const ValueId deep = r.insert_before(n, *find_op("QLinearConv"), conv, *inputs, name + ".phases");
  if (deep != kNone) put_within(r, n, Node{find_op("DepthToSpace"), name, blocks, {deep}, {}, {}}, within, dtype);
}

}  // namespace tern
