// What tf.image has besides keras.ops.image, as layers of Keras 2 files: images [..., height, width, channels]. See ops.h. Next: loss.cpp.
#include <cmath>

#include "loaders/keras/layers/proportions.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

ValueId image(Call& c) {
  const ValueId x = Operands(c).tensor(0, "image|images|input");
  if (c.b.ok() && c.b.rank(x) != 3 && c.b.rank(x) != 4) c.invalid("its input has " + std::to_string(c.b.rank(x)) + " axes, not three or four");
  return x;
}

// Those of floats: integers are scaled to floats and back there.
ValueId float_image(Call& c) {
  const ValueId x = image(c);
  if (c.b.ok() && !is_float(c.b.dtype(x))) c.unsupported("this of integers");
  return x;
}

// ---- colours

Flows adjust_brightness(Call& c) { return {{with(c, "Add", float_image(c), Operands(c).number("delta", 0, 1))}}; }

template <Text op, Text factor>
Flows adjusted(Call& c) {
  const ValueId by = c.b.scalar(DType::f32, Operands(c).number(factor.text, 1, 1));
  return {{by_tensorflow(c, op.text, {float_image(c), by})[0].value}};
}

Flows adjust_gamma(Call& c) {
  const Operands o(c);
  return {{with(c, "Mul", with(c, "Pow", float_image(c), o.number("gamma", 1, 1)), o.number("gain", 1, 2))}};
}

// (x - mean) / max(deviation, 1 / sqrt(cells)) of each image.
Flows standardized(Call& c) {
  const ValueId x = c.b.cast(image(c), DType::f32);
  const int rank = c.b.rank(x);
  const std::vector<int64_t> axes = {rank - 3, rank - 2, rank - 1};
  double cells = 1;
  for (int64_t a : axes) cells *= static_cast<double>(c.known_size(x, static_cast<int>(a)));
  if (!c.b.ok()) return {};
  const ValueId d = c.emit("Sub", {x, reduce(c, "ReduceMean", x, axes, true)});
  const ValueId deviation = c.emit("Sqrt", {reduce(c, "ReduceMean", c.emit("Mul", {d, d}), axes, true)});
  return {{c.emit("Div", {d, c.emit("Max", {deviation, number(c, x, 1 / std::sqrt(cells))})})}};
}

// Colours times a matrix [3, 3].
using Matrix = float[9];
constexpr Matrix kYuv = {0.299F, -0.14714119F, 0.61497538F, 0.587F, -0.28886916F, -0.51496512F, 0.114F, 0.43601035F, -0.10001026F};
constexpr Matrix kFromYuv = {1, 1, 1, 0, -0.394642334F, 2.03206185F, 1.13988303F, -0.58062185F, 0};
constexpr Matrix kYiq = {0.299F, 0.59590059F, 0.2115F, 0.587F, -0.27455667F, -0.52273617F, 0.114F, -0.32134392F, 0.31119955F};
constexpr Matrix kFromYiq = {1, 1, 1, 0.95598634F, -0.27201283F, -1.10674021F, 0.6208248F, -0.64720424F, 1.70423049F};

template <const Matrix& matrix>
Flows colors_by(Call& c) {
  const ValueId x = float_image(c), m = c.b.cast(c.b.constant(Tensor::of<float>({3, 3}, matrix)), c.b.dtype(x));
  return {{c.emit("MatMul", {x, m})}};
}

Flows to_colors(Call& c) {
  const ValueId x = image(c);
  return {{concat(c.b, {x, x, x}, c.b.rank(x) - 1)}};
}

// To another dtype: integers stand for floats from 0 to 1.
Flows to_dtype(Call& c) {
  const Operands o(c);
  const ValueId x = image(c);
  const Argument named = o.get(1, "dtype");
  const DType from = c.b.dtype(x), to = dtype_named(named.text);
  if (from == to) return {{x}};
  if (to == DType::none || is_float(from) == is_float(to) || o.flag("saturate", false)) {
    return is_float(from) && is_float(to) ? Flows{{c.b.cast(x, to)}}
                                          : c.unsupported("a picture of " + std::string(name_of(from)) + " as " + named.text);
  }
  const auto most = [](DType d) { return std::ldexp(1.0, static_cast<int>(8 * size_of(d)) - (is_signed_int(d) ? 1 : 0)) - 1; };
  if (is_float(to)) return {{with(c, "Mul", c.b.cast(x, to), 1 / most(from))}};
  return {{c.b.cast(with(c, "Mul", x, most(to) + 0.5), to)}};
}

// ---- places

Flows turned_around(Call& c) {
  const ValueId x = image(c);
  return {{transpose(c.b, x, c.b.rank(x) - 3, c.b.rank(x) - 2)}};
}

// k quarters against the clock.
Flows quarters(Call& c) {
  const ValueId x = image(c);
  const int rows = c.b.rank(x) - 3, columns = rows + 1;
  const int64_t k = ((Operands(c).integer("k", 1, 1) % 4) + 4) % 4;
  if (!c.b.ok() || k == 0) return {{x}};
  if (k == 1) return {{reverse(c.b, transpose(c.b, x, rows, columns), rows)}};
  if (k == 2) return {{reverse(c.b, reverse(c.b, x, rows), columns)}};
  return {{reverse(c.b, transpose(c.b, x, rows, columns), columns)}};
}

// A place or a size in a picture.
int64_t measure(Call& c, const char* name, size_t place) {
  const int64_t n = Operands(c).integer(name, 0, place);
  constexpr int64_t kMost = int64_t(1) << 24;
  if (n < -kMost || n > kMost) c.invalid("its " + std::string(name) + " is " + std::to_string(n));
  return c.b.ok() ? n : 0;
}

// Rows and columns [top, top + height) and so on; beyond the picture are zeros.
ValueId box(Call& c, ValueId x, int64_t top, int64_t left, int64_t height, int64_t width) {
  const int rows = c.b.rank(x) - 3, columns = rows + 1;
  const int64_t have_rows = c.known_size(x, rows), have_columns = c.known_size(x, columns);
  if (!c.b.ok()) return kNone;
  if (std::min(height, width) < 1) return c.invalid("a part of " + std::to_string(height) + " by " + std::to_string(width)), kNone;
  const auto cut = [&](ValueId v, int axis, int64_t from, int64_t n, int64_t have) {
    const int64_t first = std::clamp<int64_t>(from, 0, have), last = std::clamp<int64_t>(from + n, first, have);
    return slice(c.b, v, axis, first, last);
  };
  ValueId y = cut(cut(x, rows, top, height, have_rows), columns, left, width, have_columns);
  std::vector<int64_t> pads(2 * static_cast<size_t>(rows + 3), 0);
  const auto margin = [&](int axis, int64_t from, int64_t n, int64_t have) {
    pads[static_cast<size_t>(axis)] = std::clamp<int64_t>(-from, 0, n);
    pads[static_cast<size_t>(axis + rows + 3)] = std::clamp<int64_t>(from + n - have, 0, n - pads[static_cast<size_t>(axis)]);
  };
  margin(rows, top, height, have_rows), margin(columns, left, width, have_columns);
  return std::any_of(pads.begin(), pads.end(), [](int64_t n) { return n != 0; }) ? c.emit("Pad", {y, c.b.ints(pads)}) : y;
}

Flows crop_to_box(Call& c) {
  return {{box(c, image(c), measure(c, "offset_height", 1), measure(c, "offset_width", 2), measure(c, "target_height", 3),
               measure(c, "target_width", 4))}};
}
Flows pad_to_box(Call& c) {
  return {{box(c, image(c), -measure(c, "offset_height", 1), -measure(c, "offset_width", 2), measure(c, "target_height", 3),
               measure(c, "target_width", 4))}};
}

Flows central_crop(Call& c) {
  const ValueId x = image(c);
  const double share = Operands(c).number("central_fraction", 1, 1);
  const int64_t height = c.known_size(x, -3), width = c.known_size(x, -2);
  if (!c.b.ok() || share == 1) return {{x}};
  if (!(share > 0 && share <= 1)) return c.invalid("its central_fraction is not in (0, 1]");
  const auto before = [&](int64_t n) { return static_cast<int64_t>((static_cast<double>(n) - static_cast<double>(n) * share) / 2); };
  return {{box(c, x, before(height), before(width), height - 2 * before(height), width - 2 * before(width))}};
}

// Halves of what is too much or too little, rounded down, lie before.
Flows crop_or_pad(Call& c) {
  const ValueId x = image(c);
  const int64_t height = c.known_size(x, -3), width = c.known_size(x, -2), to_height = measure(c, "target_height", 1),
                to_width = measure(c, "target_width", 2);
  const auto from = [](int64_t have, int64_t want) { return have > want ? (have - want) / 2 : -((want - have) / 2); };
  return {{c.b.ok() ? box(c, x, from(height, to_height), from(width, to_width), to_height, to_width) : kNone}};
}

// The whole picture in its proportions, and zeros around it.
Flows resize_with_pad(Call& c) {
  const Operands o(c);
  const ValueId given = image(c), x = c.b.rank(given) == 3 ? unsqueeze(c.b, given, {0}) : given;
  const auto filter = filter_named(o.text("method", "bilinear"));
  const Picture p = picture(c, x, channels_last::Channels::last, measure(c, "target_height", 1), measure(c, "target_width", 2));
  if (!c.b.ok() || !filter) return c.b.ok() ? c.unsupported("resizing by " + o.text("method")) : Flows();
  const auto ratio = [](int64_t have, int64_t want) { return static_cast<float>(have) / static_cast<float>(want); };
  const float by = std::max(ratio(p.width, p.to_width), ratio(p.height, p.to_height));
  const auto scaled = [&](int64_t n) { return static_cast<int64_t>(std::floor(static_cast<float>(n) / by)); };
  const auto before = [&](int64_t n, int64_t to) {
    return std::max<int64_t>(0, static_cast<int64_t>(std::floor((static_cast<float>(to) - static_cast<float>(n) / by) / 2)));
  };
  const ValueId y =
      channels_last::resize(c.b, x, {Int(scaled(p.height)), Int(scaled(p.width))}, {.filter = *filter, .antialias = o.flag("antialias", false)});
  const ValueId whole = box(c, y, -before(p.height, p.to_height), -before(p.width, p.to_width), p.to_height, p.to_width);
  return {{c.b.rank(given) == 3 ? squeeze(c.b, whole, {0}) : whole}};
}

template <Text op>
Flows resize_v1(Call& c) {
  const Operands o(c);
  const ValueId given = image(c), x = c.b.rank(given) == 3 ? unsqueeze(c.b, given, {0}) : given, size = o.tensor(1, "size");
  const ValueId y = by_tensorflow(c, op.text, {x, size},
                                  {{"align_corners", o.flag("align_corners", false)}, {"half_pixel_centers", o.flag("half_pixel_centers", false)}})[0]
                        .value;
  return {{c.b.rank(given) == 3 ? squeeze(c.b, y, {0}) : y}};
}

Flows extract_image_patches(Call& c) {
  const Operands o(c);
  return {{by_tensorflow(c, "ExtractImagePatches", {image(c)},
                         {{"ksizes", o.ints("sizes", 1)},
                          {"strides", o.ints("strides", 2)},
                          {"rates", o.ints("rates", 3)},
                          {"padding", o.get(4, "padding").text}})[0]
               .value}};
}

// Differences down and to the right, with the picture mirrored at its edges: [batch, height, width, channels, 2].
Flows sobel_edges(Call& c) {
  const ValueId given = image(c);
  const bool first = c.layer.class_name.starts_with("ops.") && Operands(c).text("data_format") == "channels_first";
  const ValueId x = first ? channels_last::to_last(c.b, given) : given;
  const int64_t channels = c.known_size(x, -1);
  if (!c.b.ok() || c.b.rank(x) != 4) return c.b.ok() ? c.invalid("its input is no batch of images") : Flows();
  const float kernel[2][9] = {{-1, -2, -1, 0, 0, 0, 1, 2, 1}, {-1, 0, 1, -2, 0, 2, -1, 0, 1}};
  std::vector<float> filter;
  for (int i = 0; i < 9; ++i) {
    for (int64_t ch = 0; ch < channels && ch < 4096; ++ch) filter.insert(filter.end(), {kernel[0][i], kernel[1][i]});
  }
  if (channels > 4096) return c.unsupported("edges of so many channels");
  const ValueId wide = c.emit("Pad", {x, c.b.ints({0, 1, 1, 0, 0, 1, 1, 0})}, attributes({{"mode", std::string("reflect")}}));
  const ValueId w = c.b.cast(c.b.constant(Tensor::of<float>({3, 3, channels, 2}, filter)), c.b.dtype(x));
  std::vector<Int> sizes = sizes_of(c.b, x);
  sizes.emplace_back(2);
  const ValueId y = c.b.reshape(channels_last::depthwise_conv(c.b, wide, w, {}), sizes);
  return {{first ? permute(c.b, y, {0, 3, 1, 2, 4}) : y}};
}

constexpr LayerRow kTfPictureRows[] = {
    {"tf.image.adjust_brightness", adjust_brightness},
    {"tf.image.adjust_contrast", adjusted<"AdjustContrastv2", "contrast_factor">},
    {"tf.image.adjust_saturation", adjusted<"AdjustSaturation", "saturation_factor">},
    {"tf.image.adjust_hue", adjusted<"AdjustHue", "delta">},
    {"tf.image.adjust_gamma", adjust_gamma},
    {"tf.image.per_image_standardization", standardized},
    {"tf.image.rgb_to_yuv", colors_by<kYuv>},
    {"tf.image.yuv_to_rgb", colors_by<kFromYuv>},
    {"tf.image.rgb_to_yiq", colors_by<kYiq>},
    {"tf.image.yiq_to_rgb", colors_by<kFromYiq>},
    {"tf.image.grayscale_to_rgb", to_colors},
    {"tf.image.convert_image_dtype", to_dtype},
    {"tf.image.transpose", turned_around},
    {"tf.image.rot90", quarters},
    {"tf.image.crop_to_bounding_box", crop_to_box},
    {"tf.image.pad_to_bounding_box", pad_to_box},
    {"tf.image.central_crop", central_crop},
    {"tf.image.resize_with_crop_or_pad", crop_or_pad},
    {"tf.image.resize_with_pad", resize_with_pad},
    {"tf.compat.v1.image.resize_bilinear", resize_v1<"ResizeBilinear">},
    {"tf.compat.v1.image.resize_nearest_neighbor", resize_v1<"ResizeNearestNeighbor">},
    {"tf.compat.v1.image.resize_bicubic", resize_v1<"ResizeBicubic">},
    {"tf.compat.v1.image.resize_area", resize_v1<"ResizeArea">},
    {"tf.image.extract_patches", extract_image_patches},
    {"ops.SobelEdges tf.image.sobel_edges", sobel_edges},
};

}  // namespace

std::span<const LayerRow> tf_picture_operations() { return kTfPictureRows; }

}  // namespace tern::keras
