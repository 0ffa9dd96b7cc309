// Layers that move elements: shapes, margins, repetitions. See layer.h. Next: merge.cpp.
#include "loaders/keras/layers/pieces.h"
#include "runtime/base/checked.h"
#include "runtime/base/printable.h"

namespace tern::keras {
namespace {

using channels_last::Channels;
using channels_last::Margins;
using channels_last::Resize;

// target_shape has no batch; one of it may be -1.
Flows reshape(Call& c) {
  const std::vector<int64_t> target = c.config.ints("target_shape");
  std::vector<Int> sizes = {c.b.size(c.x(), 0)};
  size_t open = 0;
  for (int64_t n : target) {
    if (n < -1) return c.invalid("its config: target_shape holds " + std::to_string(n));
    open += n == -1;
    sizes.emplace_back(n);
  }
  if (open > 1) return c.invalid("its config: target_shape has more than one -1");
  Int have = 1;  // what is open is told in numbers where it can be, so that layers behind know their sizes
  int64_t known = 1;
  for (int i = 1; i < c.b.rank(c.x()); ++i) have = c.b.mul(have, c.b.size(c.x(), i));
  for (int64_t n : target) known = n == -1 ? known : checked_mul(known, n).value_or(0);
  if (known == 0) return c.unsupported("a reshape to no elements, or to more than 2^63,");
  if (have.known() && (open == 0 ? have.value() != known : have.value() % known != 0)) {
    return c.invalid("its config: target_shape has other elements than its input " + c.b.shape(c.x()).text());
  }
  for (Int& n : sizes) {
    if (n.known() && n.value() == -1) n = c.b.floor_div(have, known);
  }
  return {{c.b.reshape(c.x(), sizes)}};
}

// dims counts from 1, the batch aside.
Flows permuted(Call& c) {
  const std::vector<int64_t> dims = c.config.ints("dims");
  const int rank = c.b.rank(c.x());
  std::vector<int64_t> order = {0};
  std::vector<bool> seen(dims.size() + 1, false);
  for (int64_t d : dims) {
    if (d < 1 || d > static_cast<int64_t>(dims.size()) || seen[static_cast<size_t>(d)]) return c.invalid("its config: dims is no permutation");
    seen[static_cast<size_t>(d)] = true;
    order.push_back(d);
  }
  if (rank != static_cast<int>(order.size())) return c.invalid("its input has " + std::to_string(rank) + " axes");
  return {{permute(c.b, c.x(), order)}};
}

// [batch, features] to [batch, n, features].
Flows repeat_vector(Call& c) {
  const int64_t n = c.config.integer("n");
  if (c.b.rank(c.x()) != 2 || n < 1) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes, or n is below 1");
  const std::vector<Int> sizes = {c.b.size(c.x(), 0), Int(n), c.b.size(c.x(), 1)};
  return {{c.emit("Expand", {unsqueeze(c.b, c.x(), {1}), c.b.ints(sizes)})}};
}

// n, (n for each axis), or ((before, after) for each axis); of one axis (before, after).
Margins margins(const Call& c, std::string_view key, size_t spatial) {
  const Json& json = c.config.json();
  const Json::Id list = c.config.at(key);
  Margins out;
  if (json.is(list, Json::Kind::array) && json.size(list) > 0 && json.is(json.item(list, 0), Json::Kind::array)) {
    for (size_t i = 0; i < json.size(list); ++i) {
      const Json::Id pair = json.item(list, i);
      if (json.size(pair) != 2 || !json.is(json.item(pair, 0), Json::Kind::integer) || !json.is(json.item(pair, 1), Json::Kind::integer)) {
        c.invalid("its config: " + std::string(key) + " holds no pairs");
        return out;
      }
      out.emplace_back(json.integer(json.item(pair, 0)), json.integer(json.item(pair, 1)));
    }
    return out;
  }
  const std::vector<int64_t> numbers = c.config.ints(key, spatial == 1 ? 2 : spatial);
  if (spatial == 1 && numbers.size() == 2) return {{numbers[0], numbers[1]}};
  for (int64_t n : numbers) out.emplace_back(n, n);
  return out;
}

template <size_t kSpatial>
Flows zero_padding(Call& c) {
  Margins m = margins(c, "padding", kSpatial);
  if (m.empty()) m.assign(kSpatial, {1, 1});
  return {{channels_last::zero_pad(c.b, c.x(), m, channels_of(c))}};
}

template <size_t kSpatial>
Flows cropping(Call& c) {
  Margins m = margins(c, "cropping", kSpatial);
  if (m.empty()) m.assign(kSpatial, kSpatial == 2 ? std::pair<int64_t, int64_t>(0, 0) : std::pair<int64_t, int64_t>(1, 1));
  return {{channels_last::crop(c.b, c.x(), m, channels_of(c))}};
}

template <size_t kSpatial>
Flows upsampling(Call& c) {
  std::vector<int64_t> factors = c.config.ints("size", kSpatial);
  if (factors.empty()) factors.assign(kSpatial, 2);
  const std::string interpolation = c.config.text("interpolation", "nearest");
  const Channels channels = channels_of(c);
  if (kSpatial != 2 || interpolation == "nearest") return {{channels_last::repeat(c.b, c.x(), factors, channels)}};
  const auto filter = filter_named(interpolation);
  if (!filter) return c.unsupported("interpolation " + printable(interpolation, 80));
  if (c.b.rank(c.x()) != 4) return c.invalid("its input has " + std::to_string(c.b.rank(c.x())) + " axes");
  std::vector<Int> sizes;
  for (int i = 0; i < 2; ++i) sizes.push_back(c.b.mul(c.b.size(c.x(), channels_last::first_spatial(channels) + i), factors[static_cast<size_t>(i)]));
  return {{channels_last::resize(c.b, c.x(), sizes, {.filter = *filter}, channels, factors)}};
}

constexpr LayerRow kReshapeRows[] = {
    {"Reshape", reshape},
    {"Permute", permuted},
    {"RepeatVector", repeat_vector},
    {"ZeroPadding1D", zero_padding<1>},
    {"ZeroPadding2D", zero_padding<2>},
    {"ZeroPadding3D", zero_padding<3>},
    {"Cropping1D", cropping<1>},
    {"Cropping2D", cropping<2>},
    {"Cropping3D", cropping<3>},
    {"UpSampling1D", upsampling<1>},
    {"UpSampling2D", upsampling<2>},
    {"UpSampling3D", upsampling<3>},
};

}  // namespace

std::optional<Resize::Filter> filter_named(std::string_view name) {
  using Filter = Resize::Filter;
  constexpr std::pair<std::string_view, Filter> kNames[] = {
      {"nearest", Filter::nearest},   {"bilinear", Filter::bilinear}, {"bicubic", Filter::bicubic},   {"area", Filter::area},
      {"lanczos3", Filter::lanczos3}, {"lanczos5", Filter::lanczos5}, {"gaussian", Filter::gaussian}, {"mitchellcubic", Filter::mitchellcubic}};
  for (const auto& [known, filter] : kNames) {
    if (known == name) return filter;
  }
  return std::nullopt;
}

std::span<const LayerRow> reshape_layers() { return kReshapeRows; }

}  // namespace tern::keras
