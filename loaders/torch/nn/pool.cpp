// Pools, upsampling, shuffles of pixels and channels. See layers.h. Next: shape.cpp.
#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

template <int Spatial>
TypeInfo pooled_image(const Module&) {
  Shape s{free_size(), free_size()};
  for (int i = 0; i < Spatial; ++i) s.push_back(free_size());
  return {DType::f32, s};
}

IValue upsample(const LayerCall& c) {
  // Files from before the attribute was: torch takes True then.
  const IValue recompute = c.module.pickled && c.module.arg("recompute_scale_factor") == nullptr ? IValue(true) : c.option("recompute_scale_factor");
  return call(c.builder(), "F.interpolate", {c.input()},
              {{"size", c.option("size")},
               {"scale_factor", c.option("scale_factor")},
               {"mode", c.option("mode")},
               {"align_corners", c.option("align_corners")},
               {"recompute_scale_factor", recompute}});
}

constexpr const char* kMax = "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False";
constexpr const char* kAvg1 = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True";
constexpr const char* kAvg = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None";
constexpr const char* kLp = "norm_type, kernel_size, stride=None, ceil_mode=False";
constexpr const char* kAdaptiveMax = "output_size, return_indices=False";

template <OpName Spelling>
constexpr auto max_pool = apply<Spelling, "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices">;
template <OpName Spelling>
constexpr auto lp_pool = apply<Spelling, "norm_type", "kernel_size", "stride", "ceil_mode">;
template <OpName Spelling>
constexpr auto avg_pool = apply<Spelling, "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override">;

constexpr Layer kPoolRows[] = {
    {"MaxPool1d", kMax, "input", nullptr, max_pool<"F.max_pool1d">, pooled_image<1>},
    {"MaxPool2d", kMax, "input", nullptr, max_pool<"F.max_pool2d">, pooled_image<2>},
    {"MaxPool3d", kMax, "input", nullptr, max_pool<"F.max_pool3d">, pooled_image<3>},
    {"AvgPool1d", kAvg1, "input", nullptr, apply<"F.avg_pool1d", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad">,
     pooled_image<1>},
    {"AvgPool2d", kAvg, "input", nullptr, avg_pool<"F.avg_pool2d">, pooled_image<2>},
    {"AvgPool3d", kAvg, "input", nullptr, avg_pool<"F.avg_pool3d">, pooled_image<3>},
    {"LPPool1d", kLp, "input", nullptr, lp_pool<"F.lp_pool1d">, pooled_image<1>},
    {"LPPool2d", kLp, "input", nullptr, lp_pool<"F.lp_pool2d">, pooled_image<2>},
    {"LPPool3d", kLp, "input", nullptr, lp_pool<"F.lp_pool3d">, pooled_image<3>},
    {"AdaptiveAvgPool1d", "output_size", "input", nullptr, apply<"F.adaptive_avg_pool1d", "output_size">, pooled_image<1>},
    {"AdaptiveAvgPool2d", "output_size", "input", nullptr, apply<"F.adaptive_avg_pool2d", "output_size">, pooled_image<2>},
    {"AdaptiveAvgPool3d", "output_size", "input", nullptr, apply<"F.adaptive_avg_pool3d", "output_size">, pooled_image<3>},
    {"AdaptiveMaxPool1d", kAdaptiveMax, "input", nullptr, apply<"F.adaptive_max_pool1d", "output_size", "return_indices">, pooled_image<1>},
    {"AdaptiveMaxPool2d", kAdaptiveMax, "input", nullptr, apply<"F.adaptive_max_pool2d", "output_size", "return_indices">, pooled_image<2>},
    {"AdaptiveMaxPool3d", kAdaptiveMax, "input", nullptr, apply<"F.adaptive_max_pool3d", "output_size", "return_indices">, pooled_image<3>},
    {"Upsample", "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None", "input", nullptr, upsample,
     nullptr},
    // mode is printed, though their constructors do not have it
    {"UpsamplingNearest2d", "size=None, scale_factor=None, *, mode='nearest', align_corners=None, recompute_scale_factor=None", "input", nullptr,
     upsample, pooled_image<2>},
    {"UpsamplingBilinear2d", "size=None, scale_factor=None, *, mode='bilinear', align_corners=True, recompute_scale_factor=None", "input", nullptr,
     upsample, pooled_image<2>},
    {"PixelShuffle", "upscale_factor", "input", nullptr, apply<"F.pixel_shuffle", "upscale_factor">, pooled_image<2>},
    {"PixelUnshuffle", "downscale_factor", "input", nullptr, apply<"F.pixel_unshuffle", "downscale_factor">, pooled_image<2>},
    {"ChannelShuffle", "groups", "input", nullptr, apply<"F.channel_shuffle", "groups">, nullptr},
};

}  // namespace

std::span<const Layer> pool_layers() { return kPoolRows; }

}  // namespace tern::torch
