// Operations of images [..., height, width, channels]: sizes, colours, windows written out, filters. See ops.h. Next: loss.cpp.
#include <cmath>
#include <limits>

#include "kernels/portable_math.h"
#include "loaders/keras/layers/proportions.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using channels_last::Channels;

constexpr const char* kPictureX = "images|image|x|image1|volumes|inputs";

Channels channels_of(const Operands& o) { return o.text("data_format") == "channels_first" ? Channels::first : Channels::last; }

// f of [N, height, width, C]; one image alone becomes a batch for the while.
template <class F>
Flows of_batch(Call& c, F f) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kPictureX);
  const int rank = c.b.rank(x);
  if (c.b.ok() && rank != 3 && rank != 4) return c.invalid("its input has " + std::to_string(rank) + " axes, not three or four");
  const bool first = channels_of(o) == Channels::first;
  ValueId y = rank == 3 ? unsqueeze(c.b, x, {0}) : x;
  y = f(first ? channels_last::to_last(c.b, y) : y);
  if (first) y = channels_last::to_first(c.b, y);
  return {{rank == 3 ? squeeze(c.b, y, {0}) : y}};
}

// The largest size with the proportions of the picture that fits in the one that it is to have, as f32 gives it.
std::vector<Int> within(const Picture& p) {
  const auto scale =
      std::min(static_cast<float>(p.to_height) / static_cast<float>(p.height), static_cast<float>(p.to_width) / static_cast<float>(p.width));
  const auto scaled = [&](int64_t n) { return Int(static_cast<int64_t>(std::nearbyint(scale * static_cast<float>(n)))); };
  return {scaled(p.height), scaled(p.width)};
}

Flows resize(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kPictureX);
  const std::string name = o.text("interpolation|method", "bilinear");
  const auto filter = filter_named(name);
  if (!filter) return c.unsupported("resizing by " + name);
  const channels_last::Resize how = {.filter = *filter, .antialias = o.flag("antialias", false)};
  const bool crop = o.flag("crop_to_aspect_ratio", false), pad = o.flag("pad_to_aspect_ratio", false), fit = o.flag("preserve_aspect_ratio", false);
  if (!crop && !pad && !fit) return {{channels_last::resize(c.b, x, o.sizes("size", 1), how, channels_of(o))}};
  const std::vector<int64_t> size = o.ints("size", 1);
  if (size.size() != 2) return c.b.ok() ? c.invalid("its size is not two numbers") : Flows();
  return of_batch(c, [&](ValueId batch) {
    const Picture p = picture(c, batch, Channels::last, size[0], size[1]);
    if (crop || pad)
      return channels_last::resize(c.b, crop ? middle(c, p) : framed(c, p, o.number("fill_value", 0)), {Int(size[0]), Int(size[1])}, how);
    return c.b.ok() ? channels_last::resize(c.b, batch, within(p), how) : kNone;
  });
}

// 0.2989 R + 0.587 G + 0.114 B
Flows to_gray(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kPictureX);
  const int rank = c.b.rank(x), axis = channels_of(o) == Channels::first ? rank - 3 : rank - 1;
  if (axis < 0) return c.invalid("its input is no image");
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  dims[static_cast<size_t>(axis)] = 3;
  const float weights[] = {0.2989F, 0.587F, 0.114F};
  const ValueId w = c.b.cast(c.b.constant(Tensor::of<float>(Dims(dims), weights)), c.b.dtype(x));
  return {{c.emit("ReduceSum", {c.emit("Mul", {x, w}), c.b.ints({axis})}, attributes({{"keepdims", int64_t(1)}}))}};
}

template <Text op>
Flows colors(Call& c) {
  return of_batch(c, [&](ValueId x) { return by_tensorflow(c, op.text, {x})[0].value; });
}

template <int from_end>
Flows mirrored(Call& c) {
  const ValueId x = Operands(c).tensor(0, kPictureX);
  return {{reverse(c.b, x, c.b.rank(x) - from_end)}};
}

// ---- margins: of four sides two are told, or one and the size that is to come

struct Side {
  int64_t before = 0, behind = 0;
};
Side side(Call& c, int64_t size, const char* before, const char* behind, const char* target, int sign) {
  const Operands o(c);
  const int64_t change = o.has(target) ? sign * (o.integer(target, 0) - size) : 0;  // of both margins together
  Side s;
  if (o.has(before)) s.before = o.integer(before, 0);
  if (o.has(behind)) s.behind = o.integer(behind, 0);
  if (!o.has(before)) s.before = change - s.behind;
  if (!o.has(behind)) s.behind = change - s.before;
  constexpr int64_t kMost = int64_t(1) << 30;
  if (std::min(s.before, s.behind) < 0 || std::max(s.before, s.behind) > kMost) c.invalid("its config: margins that make no sense");
  return s;
}

Flows crop_images(Call& c) {
  return of_batch(c, [&](ValueId x) {
    const Side rows = side(c, c.known_size(x, 1), "top_cropping", "bottom_cropping", "target_height", -1);
    const Side columns = side(c, c.known_size(x, 2), "left_cropping", "right_cropping", "target_width", -1);
    if (!c.b.ok()) return kNone;
    return channels_last::crop(c.b, x, {{rows.before, rows.behind}, {columns.before, columns.behind}});
  });
}
Flows pad_images(Call& c) {
  return of_batch(c, [&](ValueId x) {
    const Side rows = side(c, c.known_size(x, 1), "top_padding", "bottom_padding", "target_height", 1);
    const Side columns = side(c, c.known_size(x, 2), "left_padding", "right_padding", "target_width", 1);
    if (!c.b.ok()) return kNone;
    return channels_last::zero_pad(c.b, x, {{rows.before, rows.behind}, {columns.before, columns.behind}});
  });
}

// ---- windows

std::vector<int64_t> numbers(const Operands& o, const char* name, size_t n, std::vector<int64_t> otherwise) {
  std::vector<int64_t> out = o.ints(name);
  if (out.empty()) out = std::move(otherwise);
  if (out.size() == 1) out.assign(n, out[0]);
  if (out.size() != n) o.c.invalid("its config: " + std::string(name) + " has " + std::to_string(out.size()) + " numbers");
  return out;
}

// The cells of each window as channels: place, then channel.
ValueId patches(Call& c, ValueId x, std::vector<int64_t> size, std::vector<int64_t> strides, std::vector<int64_t> rates, const std::string& padding) {
  const char* op = size.size() == 3 ? "ExtractVolumePatches" : "ExtractImagePatches";
  for (auto* list : {&size, &strides, &rates}) list->insert(list->begin(), 1), list->push_back(1);
  return by_tensorflow(c, op, {x}, {{"ksizes", size}, {"strides", strides}, {"rates", rates}, {"padding", padding}})[0].value;
}

Flows extract_patches(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kPictureX);
  std::vector<int64_t> size = o.ints("size");
  if (size.size() == 1) size.assign(2, size[0]);
  const size_t n = size.size();
  if (n != 2 && n != 3) return c.invalid("its config: size has " + std::to_string(n) + " numbers");
  const std::vector<int64_t> strides = numbers(o, "strides", n, size), rates = numbers(o, "dilation_rate", n, {1});
  const std::string padding = o.text("padding", "valid") == "same" ? "SAME" : "VALID";
  const bool alone = c.b.rank(x) == static_cast<int>(n) + 1, first = channels_of(o) == Channels::first;
  if (alone) x = unsqueeze(c.b, x, {0});
  ValueId y = patches(c, first ? channels_last::to_last(c.b, x) : x, size, strides, rates, padding);
  if (first) y = channels_last::to_first(c.b, y);
  return {{alone ? squeeze(c.b, y, {0}) : y}};
}

struct PatchWindow {
  std::vector<int64_t> kernel, rate, pad, stride;
};
PatchWindow window_of(const Operands& o) {
  return {numbers(o, "kernel_size", 2, {1}), numbers(o, "dilation", 2, {1}), numbers(o, "padding", 2, {0}), numbers(o, "stride", 2, {1})};
}

// PyTorch's: [N, C, H, W] to [N, C * cells, windows].
Flows unfold(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x");
  const PatchWindow w = window_of(o);
  if (!c.b.ok() || c.b.rank(x) != 4) return c.b.ok() ? c.invalid("its input has no four axes") : Flows();
  const ValueId wide = c.emit("Pad", {x, c.b.ints({0, 0, w.pad[0], w.pad[1], 0, 0, w.pad[0], w.pad[1]})});
  const ValueId y = patches(c, channels_last::to_last(c.b, wide), w.kernel, w.stride, w.rate, "VALID");
  if (!c.b.ok()) return {};
  const Int batch = c.b.size(x, 0), channels = c.b.size(x, 1), cells = w.kernel[0] * w.kernel[1];
  const ValueId apart = c.b.reshape(y, {batch, Int(-1), cells, channels});  // [N, windows, cells, C]
  return {{c.b.reshape(permute(c.b, apart, {0, 3, 2, 1}), {batch, c.b.mul(cells, channels), Int(-1)})}};
}

// And back, adding where windows overlap.
Flows fold(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x");
  const PatchWindow w = window_of(o);
  const std::vector<int64_t> out = numbers(o, "output_size", 2, {});
  if (!c.b.ok() || c.b.rank(x) != 3) return c.b.ok() ? c.invalid("its input has no three axes") : Flows();
  const Int batch = c.b.size(x, 0);
  const int64_t cells = w.kernel[0] * w.kernel[1], all = c.known_size(x, 1);
  if (cells < 1 || cells > 4096 || all % cells != 0) return c.invalid("its input does not have the cells of its windows");
  std::vector<Int> grid;      // of windows
  std::vector<int64_t> rest;  // that no window covers
  for (size_t i = 0; i < 2; ++i) {
    const int64_t reach = w.rate[i] * (w.kernel[i] - 1) + 1, room = out[i] + 2 * w.pad[i] - reach;
    if (std::min({w.stride[i], w.rate[i], w.pad[i] + 1, room + 1}) < 1) return c.invalid("its config: windows that make no sense");
    rest.push_back(room % w.stride[i]);
    grid.emplace_back(room / w.stride[i] + 1);
  }
  // A transposed convolution of each window's cells with ones at their own places.
  std::vector<float> ones(static_cast<size_t>(cells * cells), 0);
  for (int64_t i = 0; i < cells; ++i) ones[static_cast<size_t>(i * cells + i)] = 1;
  const ValueId kernel = c.b.cast(c.b.constant(Tensor::of<float>({cells, 1, w.kernel[0], w.kernel[1]}, ones)), c.b.dtype(x));
  const ValueId apart = c.b.reshape(x, {Int(-1), Int(cells), grid[0], grid[1]});
  const ValueId y = c.emit("ConvTranspose", {apart, kernel},
                           attributes({{"output_padding", rest},
                                       {"dilations", w.rate},
                                       {"pads", std::vector<int64_t>{w.pad[0], w.pad[1], w.pad[0], w.pad[1]}},
                                       {"strides", w.stride}}));
  return {{c.b.reshape(y, {batch, Int(all / cells), Int(out[0]), Int(out[1])})}};
}

// ---- filters: one kernel for every channel

ValueId filtered(Call& c, ValueId x, const std::vector<double>& kernel, int64_t rows, int64_t columns, bool same) {
  const int64_t channels = c.features(x);
  if (!c.b.ok()) return kNone;
  std::vector<float> values;
  for (double v : kernel) values.insert(values.end(), static_cast<size_t>(channels), static_cast<float>(v));
  const ValueId filter = c.b.cast(c.b.constant(Tensor::of<float>({rows, columns, channels, 1}, values)), c.b.dtype(x));
  using Padding = channels_last::Window::Padding;
  return channels_last::depthwise_conv(c.b, x, filter, {.padding = same ? Padding::same : Padding::valid});
}

std::vector<double> bell(int64_t size, double sigma) {
  std::vector<double> out;
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double x = (static_cast<double>(i) - static_cast<double>(size - 1) / 2) / sigma;
    out.push_back(portable::exp(-0.5 * x * x));
    sum += out.back();
  }
  for (double& v : out) v /= sum;
  return out;
}
std::vector<double> outer(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> out;
  for (double a : x) {
    for (double b : y) out.push_back(a * b);
  }
  return out;
}

constexpr int64_t kLargest = 255;  // of a filter

// Keras lays the kernel of other than squares out in the wrong order, and so does this.
Flows gaussian_blur(Call& c) {
  const Operands o(c);
  const std::vector<int64_t> size = numbers(o, "kernel_size", 2, {3});
  const Argument given = o.get(kNamed, "sigma");
  std::vector<double> sigma(2, given.is_number() ? given.real : 1);
  if (given.is(Argument::Kind::list) && given.items.size() == 2) sigma = {given.items[0].real, given.items[1].real};
  if (!c.b.ok() || std::min(size[0], size[1]) < 1 || std::max(size[0], size[1]) > kLargest)
    return c.invalid("its config: kernel_size makes no sense");
  return of_batch(c, [&](ValueId x) { return filtered(c, x, outer(bell(size[1], sigma[1]), bell(size[0], sigma[0])), size[0], size[1], true); });
}

// Means, variances and the covariance under a bell, compared; the mean over each image.
Flows ssim(Call& c) {
  const Operands o(c);
  const int64_t size = o.integer("filter_size", 11);
  if (size < 1 || size > kLargest) return c.invalid("its config: filter_size is " + std::to_string(size));
  if (channels_of(o) == Channels::first) return c.unsupported("this with channels first");
  const std::vector<double> one = bell(size, o.number("filter_sigma", 1.5)), kernel = outer(one, one);
  const ValueId x = o.real(o.tensor(0, kPictureX)), y = o.tensor(o.get(1, "image2"), c.b.dtype(x));
  if (c.b.rank(x) != 4) return c.unsupported("this of other than a batch of images");
  const auto mean = [&](ValueId v) { return filtered(c, v, kernel, size, size, false); };
  const auto mul = [&](ValueId a, ValueId b) { return c.emit("Mul", {a, b}); };
  const auto with = [&](const char* op, ValueId v, double by) { return c.emit(op, {v, number(c, v, by)}); };
  const double most = o.number("max_val", 1), c1 = std::pow(o.number("k1", 0.01) * most, 2), c2 = std::pow(o.number("k2", 0.03) * most, 2);
  const ValueId mx = mean(x), my = mean(y), mxy = mul(mx, my), squares = c.emit("Add", {mul(mx, mx), mul(my, my)});
  const ValueId covariance = c.emit("Sub", {mean(mul(x, y)), mxy});
  const ValueId variances = c.emit("Sub", {c.emit("Add", {mean(mul(x, x)), mean(mul(y, y))}), squares});
  const ValueId above = mul(with("Add", with("Mul", mxy, 2), c1), with("Add", with("Mul", covariance, 2), c2));
  const ValueId below = mul(with("Add", squares, c1), with("Add", variances, c2));
  return {{reduce(c, "ReduceMean", c.emit("Div", {above, below}), {1, 2, 3}, false)}};
}

template <bool maximum>
Flows adaptive_pool(Call& c) {
  const Operands o(c);
  ValueId y = o.tensor(0, kPictureX);
  const int spatial = c.b.rank(y) - 2;
  if (!c.b.ok() || spatial < 1 || spatial > 3) return c.b.ok() ? c.invalid("its input has no axes to pool") : Flows();
  const std::vector<int64_t> sizes = numbers(o, "output_size", static_cast<size_t>(spatial), {});
  if (!c.b.ok()) return {};
  for (int i = 0; i < spatial; ++i)
    y = adaptive_pool_axis(c.b, y, channels_last::first_spatial(channels_of(o)) + i, sizes[static_cast<size_t>(i)], maximum);
  return {{y}};
}

constexpr LayerRow kPictureRows[] = {
    {"ops.Resize tf.image.resize", resize},
    {"ops.RGBToGrayscale tf.image.rgb_to_grayscale", to_gray},
    {"ops.RGBToHSV", colors<"RGBToHSV">},
    {"ops.HSVToRGB", colors<"HSVToRGB">},
    {"tf.image.flip_left_right", mirrored<2>},
    {"tf.image.flip_up_down", mirrored<3>},
    {"ops.CropImages", crop_images},
    {"ops.PadImages", pad_images},
    {"ops.ExtractPatches", extract_patches},
    {"ops.Unfold", unfold},
    {"ops.Fold", fold},
    {"ops.GaussianBlur", gaussian_blur},
    {"ops.SSIM", ssim},
    {"ops.AdaptiveMaxPool", adaptive_pool<true>},
    {"ops.AdaptiveAveragePool", adaptive_pool<false>},
};

}  // namespace

std::span<const LayerRow> picture_operations() { return kPictureRows; }

}  // namespace tern::keras
