// Layers that prepare numbers: scales, sizes, crops. What augments does nothing when a model is run. See layer.h. Next: equalize.cpp.
#include <cmath>
#include <limits>

#include "loaders/keras/layers/proportions.h"
#include "runtime/base/checked.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using channels_last::Resize;

// config[key] as a constant of the layer's dtype: a number, or lists of them, which nest; reshaped by `shape` when there are several.
ValueId numbers(Call& c, std::string_view key, double otherwise) {
  std::vector<double> values = c.config.flat_numbers(key);
  if (values.empty()) values = {otherwise};
  if (values.size() == 1) return c.b.scalar(c.layer.compute, values[0]);
  auto tensor = Tensor::allocate(DType::f64, Dims{static_cast<int64_t>(values.size())});
  if (!tensor) return c.b.fail(tensor.error());
  std::copy(values.begin(), values.end(), tensor->mutable_data<double>());
  return c.b.cast(c.b.constant(std::move(*tensor)), c.layer.compute);
}

Flows rescaling(Call& c) {
  const ValueId x = c.b.cast(c.x(), c.layer.compute);
  return {{c.emit("Add", {c.emit("Mul", {x, numbers(c, "scale", 1)}), numbers(c, "offset", 0)})}};
}

// (x - mean) / max(sqrt(variance), 1e-7) along the axes that have statistics of their own; or back.
Flows normalization(Call& c) {
  const ValueId x = c.b.cast(c.x(), c.layer.compute);
  const int rank = c.b.rank(x);
  const bool none = c.config.at("axis") != Json::kNothing && !c.config.has("axis");  // null: one mean of everything
  const std::vector<int64_t> axes =
      none || (c.config.is_list("axis") && c.config.ints("axis").empty()) ? std::vector<int64_t>() : axes_of(c, "axis", rank, -1);
  std::vector<int64_t> sizes;
  std::vector<Int> shape(static_cast<size_t>(rank), Int(1));
  for (int64_t a : axes) {
    sizes.push_back(c.known_size(x, static_cast<int>(a)));
    if (c.b.ok()) shape[static_cast<size_t>(a)] = sizes.back();
  }
  ValueId mean = kNone, variance = kNone;
  if (c.config.has("mean")) {
    mean = numbers(c, "mean", 0);
    variance = numbers(c, "variance", 1);
    std::optional<int64_t> count = 1;
    for (int64_t n : sizes) count = count ? checked_mul(*count, n) : count;
    for (ValueId* v : {&mean, &variance}) {
      if (c.b.ok() && c.b.rank(*v) > 0 && axes.size() > 1 && c.b.shape(*v)[0].value() != count)
        return c.unsupported("a mean that has fewer axes than it is for");
      if (c.b.ok() && c.b.rank(*v) > 0) *v = c.b.reshape(*v, shape);
    }
  } else {
    mean = c.b.reshape(c.weight("mean", sizes, false), shape);
    variance = c.b.reshape(c.weight("variance", sizes, false), shape);
    if (c.weights.has("count")) c.weight("count", {}, false);
  }
  const ValueId deviation = c.emit("Max", {c.emit("Sqrt", {variance}), number(c, variance, 1e-7)});
  if (c.config.boolean("invert", false)) return {{c.emit("Add", {mean, c.emit("Mul", {x, deviation})})}};
  return {{c.emit("Div", {c.emit("Sub", {x, mean}), deviation})}};
}

// ---- sizes of pictures

Picture picture(Call& c, ValueId x) { return picture(c, x, channels_of(c), c.config.integer("height"), c.config.integer("width")); }

ValueId resized(Call& c, const Picture& p, ValueId x, const Resize& how) {
  return channels_last::resize(c.b, x, {Int(p.to_height), Int(p.to_width)}, how, p.channels);
}

// Integers come back as integers from Keras 3: rounded, within their type's range.
ValueId as_it_was(Call& c, ValueId y, DType was) {
  if (!c.b.ok() || c.b.dtype(y) == was || is_float(was)) return c.b.cast(y, was);
  y = c.emit("Round", {y});
  const double most = was == DType::u8 ? 255 : was == DType::i8 ? 127 : was == DType::i16 ? 32767 : was == DType::u16 ? 65535 : 2147483520;
  const double least = was == DType::u8 || was == DType::u16 ? 0 : was == DType::i8 ? -128 : was == DType::i16 ? -32768 : -2147483648.0;
  return c.b.cast(c.emit("Clip", {y, number(c, y, least), number(c, y, most)}), was);
}

Flows resizing(Call& c) {
  const bool old = c.layer.keras() == 2;
  const auto filter = filter_named(c.config.text("interpolation", "bilinear"));
  if (!filter) return c.unsupported("interpolation " + printable(c.config.text("interpolation"), 80));
  const DType was = old ? c.layer.compute : c.b.dtype(c.x());
  const ValueId x = old ? c.b.cast(c.x(), *filter == Resize::Filter::nearest ? c.layer.compute : DType::f32) : c.x();
  const Resize how = {.filter = *filter, .antialias = c.config.boolean("antialias", false)};
  const bool crop = c.config.boolean("crop_to_aspect_ratio", false), pad = c.config.boolean("pad_to_aspect_ratio", false);
  if (!crop && !pad) {  // also from sizes that are not known
    const std::vector<Int> sizes = {Int(c.config.integer("height")), Int(c.config.integer("width"))};
    return {{as_it_was(c, channels_last::resize(c.b, x, sizes, how, channels_of(c)), was)}};
  }
  const Picture p = picture(c, x);
  return {{as_it_was(c, resized(c, p, crop ? middle(c, p) : framed(c, p, c.config.number("fill_value", 0)), how), was)}};
}

Flows center_crop(Call& c) {
  const Picture p = picture(c, c.b.cast(c.x(), c.layer.compute));
  if (!c.b.ok()) return {};
  if (p.height < p.to_height || p.width < p.to_width) return {{c.b.cast(resized(c, p, middle(c, p), {}), c.layer.compute)}};
  return {{crop_to(c, p, (p.height - p.to_height) / 2, (p.width - p.to_width) / 2, p.to_height, p.to_width)}};
}

// Keras 2 resizes when a model is run; Keras 3 does nothing.
Flows random_crop(Call& c) {
  if (c.layer.keras() != 2) return c.inputs;
  const Picture p = picture(c, c.b.cast(c.x(), c.layer.compute));
  return {{c.b.cast(resized(c, p, middle(c, p), {}), c.layer.compute)}};
}

// Each channel of each picture stretched over the whole range; one that is the same everywhere stays.
Flows auto_contrast(Call& c) {
  const ValueId given = c.b.cast(c.x(), c.layer.compute);
  std::vector<double> range = c.config.numbers("value_range");
  if (range.empty()) range = {0, 255};
  if (range.size() != 2 || c.b.rank(given) != 4) return c.invalid("its config: value_range has not two numbers, or its input not four axes");
  const double low = std::min(range[0], range[1]), wide = std::fabs(range[1] - range[0]);
  auto scaled = [&](ValueId v, double by, double more) { return c.emit("Add", {c.emit("Mul", {v, number(c, v, by)}), number(c, v, more)}); };
  const ValueId x = scaled(given, 255 / wide, -low * 255 / wide);
  const ValueId least = reduce(c, "ReduceMin", x, {1, 2}, true), most = reduce(c, "ReduceMax", x, {1, 2}, true);
  const ValueId scale = c.emit("Div", {number(c, x, 255), c.emit("Sub", {most, least})});
  const ValueId y = c.emit("Add", {c.emit("Mul", {x, scale}), c.emit("Mul", {c.emit("Neg", {least}), scale})});
  const ValueId back = scaled(c.emit("Clip", {y, number(c, y, 0), number(c, y, 255)}), wide / 255, low);
  return {{c.emit("Where", {c.emit("IsNaN", {back}), given, back})}};
}

Flows augmentation(Call& c) { return c.inputs; }

constexpr LayerRow kImageRows[] = {
    {"Rescaling", rescaling, Masking::kept_by_3},
    {"Normalization", normalization, Masking::kept_by_3},
    {"Resizing", resizing},
    {"CenterCrop", center_crop},
    {"RandomCrop", random_crop},
    {"AutoContrast", auto_contrast},
    {"RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomHeight RandomWidth RandomHue RandomSaturation "
     "RandomSharpness RandomShear RandomPosterization RandomColorJitter RandomColorDegeneration RandomGrayscale RandomInvert RandomPerspective "
     "RandomElasticTransform RandomErasing RandomGaussianBlur RandomApply AugMix CutMix MixUp RandAugment Equalization Solarization "
     "RandomRotation90",
     augmentation},
};

}  // namespace

std::span<const LayerRow> image_layers() { return kImageRows; }

}  // namespace tern::keras
