// Convolutions. See operator.h. Next: pool.cpp.
#include "loaders/torch/ops/common.h"

namespace tern::torch {
namespace {

struct ConvWindow {
  std::vector<int64_t> stride, padding, dilation;
  std::string auto_pad;  // "same", "valid"
  int64_t groups = 1;
};

ValueId conv_of(Builder& b, ValueId x, ValueId w, ValueId bias, const ConvWindow& window) {
  const int spatial = b.rank(w) - 2;
  if (!b.ok()) return kNone;
  Attributes attrs = attributes({{"strides", window.stride}, {"dilations", window.dilation}, {"group", window.groups}});
  std::vector<int64_t> pads = window.padding;
  if (window.auto_pad == "same") {  // the odd one goes behind
    pads.assign(static_cast<size_t>(spatial), 0);
    std::vector<int64_t> behind = pads;
    for (int i = 0; i < spatial; ++i) {
      const Dim& k = b.shape(w)[i + 2];
      if (!k.known() || window.stride[static_cast<size_t>(i)] != 1) return b.fail(unsupported("padding='same' needs stride 1"));
      if (k.value() > int64_t(1) << 31) return b.fail(unsupported("a kernel of " + k.text()));
      const int64_t total = window.dilation[static_cast<size_t>(i)] * (k.value() - 1);
      pads[static_cast<size_t>(i)] = total / 2;
      behind[static_cast<size_t>(i)] = total - total / 2;
    }
    pads.insert(pads.end(), behind.begin(), behind.end());
  } else {
    pads.insert(pads.end(), window.padding.begin(), window.padding.end());
  }
  attrs.set("pads", pads);
  return batched(b, x, spatial, [&](ValueId v) { return b.emit("Conv", {v, w, bias}, attrs); });
}

ConvWindow conv_window(Builder& b, const Arguments& a, int spatial) {
  const auto n = static_cast<size_t>(std::max(spatial, 1));
  ConvWindow w{a.ints("stride", n), {}, a.ints("dilation", n), {}, a.integer("groups")};
  if (a["padding"].get<std::string>() != nullptr) {
    w.auto_pad = a.string("padding");
    w.padding.assign(n, 0);
    if (w.auto_pad != "same" && w.auto_pad != "valid" && b.ok())
      b.fail(invalid("padding must be 'same', 'valid' or numbers, not '" + w.auto_pad + "'"));
  } else {
    w.padding = a.ints("padding", n);
  }
  for (const auto* list : {&w.stride, &w.padding, &w.dilation}) {  // and no product overflows
    for (int64_t v : *list) {
      if (b.ok() && (v < 0 || v > int64_t(1) << 31))
        b.fail(invalid("a convolution's stride, padding or dilation makes no sense: " + std::to_string(v)));
    }
  }
  return w;
}

template <int Spatial>
IValue conv(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), w = a.tensor("weight");
  if (b.ok() && b.rank(w) != Spatial + 2)
    b.fail(invalid("the weight has " + std::to_string(b.rank(w)) + " dimensions, not " + std::to_string(Spatial + 2)));
  const ConvWindow window = conv_window(b, a, Spatial);
  return tensor_of(conv_of(b, x, w, a.tensor_or_none("bias"), window));
}

ValueId transposed_of(Builder& b, ValueId x, ValueId w, ValueId bias, const ConvWindow& window, const std::vector<int64_t>& output_padding) {
  const int spatial = b.rank(w) - 2;
  if (!b.ok()) return kNone;
  std::vector<int64_t> pads = window.padding;
  pads.insert(pads.end(), window.padding.begin(), window.padding.end());
  const Attributes attrs = attributes(
      {{"strides", window.stride}, {"dilations", window.dilation}, {"group", window.groups}, {"pads", pads}, {"output_padding", output_padding}});
  return batched(b, x, spatial, [&](ValueId v) { return b.emit("ConvTranspose", {v, w, bias}, attrs); });
}

template <int Spatial>
IValue conv_transpose(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), w = a.tensor("weight");
  if (b.ok() && b.rank(w) != Spatial + 2)
    b.fail(invalid("the weight has " + std::to_string(b.rank(w)) + " dimensions, not " + std::to_string(Spatial + 2)));
  return tensor_of(transposed_of(b, x, w, a.tensor_or_none("bias"), conv_window(b, a, Spatial), a.ints("output_padding", Spatial)));
}

IValue convolution(Builder& b, const Arguments& a) {  // what decomposed programs have for all of them
  const ValueId x = a.tensor("input"), w = a.tensor("weight");
  const int spatial = b.rank(w) - 2;
  if (!b.ok()) return {};
  if (spatial < 1) return tensor_of(b.fail(invalid("the weight has too few dimensions")));
  const ConvWindow window = conv_window(b, a, spatial);
  if (!a.boolean("transposed")) return tensor_of(conv_of(b, x, w, a.tensor_or_none("bias"), window));
  return tensor_of(transposed_of(b, x, w, a.tensor_or_none("bias"), window, a.ints("output_padding", static_cast<size_t>(spatial))));
}

constexpr const char* kConv = "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1";
constexpr const char* kTransposed = "input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1";

constexpr Operator kConvRows[] = {
    {"aten.conv1d.default aten.conv1d.padding F.conv1d torch.conv1d", kConv, conv<1>},
    {"aten.conv2d.default aten.conv2d.padding F.conv2d torch.conv2d", kConv, conv<2>},
    {"aten.conv3d.default aten.conv3d.padding F.conv3d torch.conv3d", kConv, conv<3>},
    {"aten.conv_transpose1d.default F.conv_transpose1d torch.conv_transpose1d", kTransposed, conv_transpose<1>},
    {"aten.conv_transpose2d.input F.conv_transpose2d torch.conv_transpose2d", kTransposed, conv_transpose<2>},
    {"aten.conv_transpose3d.input F.conv_transpose3d torch.conv_transpose3d", kTransposed, conv_transpose<3>},
    {"aten.convolution.default", "input, weight, bias, stride, padding, dilation, transposed, output_padding, groups", convolution},
};

}  // namespace

std::span<const Operator> conv_operators() { return kConvRows; }

}  // namespace tern::torch
