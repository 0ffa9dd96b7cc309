// Convolutions. See layers.h. Next: norm.cpp.
#include "loaders/torch/nn/net.h"

namespace tern::torch {
namespace {

constexpr const char* kFunctions[2][3] = {{"F.conv1d", "F.conv2d", "F.conv3d"}, {"F.conv_transpose1d", "F.conv_transpose2d", "F.conv_transpose3d"}};

template <int Spatial, bool Transposed>
Status conv_state(const Module& m, const std::string& path, std::vector<Expected>& out) {
  Options o(m);
  const int64_t in = o.integer("in_channels"), n = o.integer("out_channels"), groups = o.integer("groups");
  const std::vector<int64_t> kernel = o.ints("kernel_size", Spatial);
  if (o.status() && (groups < 1 || in % groups != 0 || n % groups != 0)) o.fail("in_channels and out_channels must be multiples of groups");
  if (!o.status()) return o.status();
  std::vector<int64_t> shape = Transposed ? std::vector<int64_t>{in, n / groups} : std::vector<int64_t>{n, in / groups};
  shape.insert(shape.end(), kernel.begin(), kernel.end());
  out.push_back({join(path, "weight"), shape});
  if (o.boolean("bias")) out.push_back({join(path, "bias"), {{n}}});
  return o.status();
}

// print(model) shows padding=same without quotes, which reads as a name.
IValue padding_of(const LayerCall& c) {
  const IValue padding = c.option("padding");
  return padding.get<IValue::Callable>() != nullptr ? IValue(c.string("padding")) : padding;
}

// F.pad's list: the last axis first, before and behind.
template <int Spatial>
IValue around(const LayerCall& c) {
  std::vector<int64_t> before, behind;
  if (const IValue padding = padding_of(c); padding.get<std::string>() == nullptr) {
    before = behind = c.ints("padding", Spatial);
  } else {
    before = behind = std::vector<int64_t>(Spatial, 0);
    const std::vector<int64_t> kernel = c.ints("kernel_size", Spatial), dilation = c.ints("dilation", Spatial);
    for (size_t i = 0; i < Spatial && *padding.get<std::string>() == "same"; ++i) {
      const int64_t total = dilation[i] * (kernel[i] - 1);
      before[i] = total / 2;
      behind[i] = total - total / 2;
    }
  }
  IValues list;
  for (size_t i = Spatial; i-- > 0;) list.insert(list.end(), {Int(before[i]), Int(behind[i])});
  return IValue::list(std::move(list));
}

template <int Spatial>
IValue conv(const LayerCall& c) {
  IValue x = c.input(), padding = padding_of(c);
  if (std::string mode = c.string("padding_mode"); mode != "zeros") {
    x = call(c.builder(), "F.pad", {x, around<Spatial>(c)}, {{"mode", mode}});
    padding = Int(0);
  }
  return call(c.builder(), kFunctions[0][Spatial - 1], {x, IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias"))},
              {{"stride", c.option("stride")}, {"padding", padding}, {"dilation", c.option("dilation")}, {"groups", c.option("groups")}});
}

// What must be added to the smallest output to have the wanted one.
template <int Spatial>
IValue padding_for(const LayerCall& c, const IValue& x, const IValue& wanted) {
  Builder& b = c.builder();
  const int first = b.rank(x.id()) - Spatial;
  const auto stride = c.ints("stride", Spatial), padding = c.ints("padding", Spatial), kernel = c.ints("kernel_size", Spatial),
             dilation = c.ints("dilation", Spatial);
  IValues list;
  const size_t skip = wanted.items()->size() == Spatial + 2 ? 2 : 0;
  for (size_t i = 0; i < Spatial && b.ok(); ++i) {
    const auto* want = skip + i < wanted.items()->size() ? (*wanted.items())[skip + i].get<Int>() : nullptr;
    if (want == nullptr) return c.fail(invalid(c.module.cls + ": output_size must have " + std::to_string(Spatial) + " ints"));
    const Int least =
        b.add(b.mul(b.sub(b.size(x.id(), first + static_cast<int>(i)), 1), stride[i]), dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i]);
    const Int more = b.sub(*want, least);
    if (!b.ok()) return {};
    if (more.known() && (more.value() < 0 || more.value() >= std::max(stride[i], dilation[i]))) {
      return c.fail(invalid(c.module.cls + ": no input of this size has an output of size " + std::to_string(want->known() ? want->value() : 0)));
    }
    list.push_back(more);
  }
  return IValue::list(std::move(list));
}

template <int Spatial>
IValue conv_transpose(const LayerCall& c) {
  const IValue x = c.input(), size = c.argument("output_size", 1);
  if (c.string("padding_mode") != "zeros") return c.fail(invalid(c.module.cls + " has no padding_mode but zeros"));
  const IValue more = size.items() != nullptr ? padding_for<Spatial>(c, x, size) : c.option("output_padding");
  return call(c.builder(), kFunctions[1][Spatial - 1], {x, IValue::tensor(c.weight("weight")), IValue::tensor(c.weight("bias"))},
              {{"stride", c.option("stride")},
               {"padding", c.option("padding")},
               {"output_padding", more},
               {"groups", c.option("groups")},
               {"dilation", c.option("dilation")}});
}

template <int Spatial>
TypeInfo image(const Module& m) {
  Shape s{free_size(), Dim(Options(m).integer("in_channels"))};
  for (int i = 0; i < Spatial; ++i) s.push_back(free_size());
  return {DType::f32, s};
}

constexpr const char* kConv =
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None";
constexpr const char* kTransposed =
    "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', "
    "device=None, "
    "dtype=None";

constexpr Layer kConvRows[] = {
    {"Conv1d", kConv, "input", conv_state<1, false>, conv<1>, image<1>},
    {"Conv2d", kConv, "input", conv_state<2, false>, conv<2>, image<2>},
    {"Conv3d", kConv, "input", conv_state<3, false>, conv<3>, image<3>},
    {"ConvTranspose1d", kTransposed, "input, output_size=None", conv_state<1, true>, conv_transpose<1>, image<1>},
    {"ConvTranspose2d", kTransposed, "input, output_size=None", conv_state<2, true>, conv_transpose<2>, image<2>},
    {"ConvTranspose3d", kTransposed, "input, output_size=None", conv_state<3, true>, conv_transpose<3>, image<3>},
};

}  // namespace

std::span<const Layer> conv_layers() { return kConvRows; }

}  // namespace tern::torch
