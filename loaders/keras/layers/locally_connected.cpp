// LocallyConnected1D and 2D of Keras 2: convolutions whose every place has a kernel of its own. See layer.h.
#include "loaders/keras/layers/pieces.h"

namespace tern::keras {
namespace {

using channels_last::Channels;

// How the windows of an input lie: for each place of the output, the places of the input that its window has, in order.
struct Patches {
  std::vector<int64_t> out;     // extents
  std::vector<int64_t> places;  // [outputs, cells of the window], in the input's spatial axes as one
  int64_t cells = 1, count = 1;
};

constexpr int64_t kMostPlaces = int64_t(1) << 24;

Patches patches_of(Call& c, const std::vector<int64_t>& in, const std::vector<int64_t>& kernel, const std::vector<int64_t>& strides) {
  Patches p;
  for (size_t i = 0; i < in.size(); ++i) {
    if (kernel[i] < 1 || strides[i] < 1 || kernel[i] > in[i]) return c.invalid("a window of " + std::to_string(kernel[i])), Patches();
    p.out.push_back((in[i] - kernel[i]) / strides[i] + 1);
    if (p.out[i] > kMostPlaces / p.count || kernel[i] > kMostPlaces / p.cells) return c.unsupported("a window of so many places"), Patches();
    p.count *= p.out[i], p.cells *= kernel[i];
  }
  if (p.cells > kMostPlaces / p.count) return c.unsupported("a layer of so many places"), Patches();
  const bool flat = in.size() == 1;
  for (int64_t o = 0; o < p.count; ++o) {
    for (int64_t k = 0; k < p.cells; ++k) {
      const int64_t last = in.back(), out_last = p.out.back(), k_last = kernel.back();
      const int64_t column = o % out_last * strides.back() + k % k_last, row = flat ? 0 : o / out_last * strides[0] + k / k_last;
      p.places.push_back(row * last + column);
    }
  }
  return p;
}

template <size_t kSpatial>
Flows locally_connected(Call& c) {
  if (c.config.integer("implementation", 1) != 1 || c.config.text("padding", "valid") != "valid") return c.unsupported("implementation 2 or 3");
  const Channels format = channels_of(c);
  const int rank = c.b.rank(c.x());
  if (rank != static_cast<int>(kSpatial) + 2) return c.invalid("its input has " + std::to_string(rank) + " axes");
  std::vector<int64_t> in, strides = c.config.ints("strides", kSpatial), kernel = c.config.ints("kernel_size", kSpatial);
  if (strides.empty()) strides.assign(kSpatial, 1);
  for (size_t i = 0; i < kSpatial; ++i) in.push_back(c.known_size(c.x(), channels_last::first_spatial(format) + static_cast<int>(i)));
  const int64_t channels = channel_count(c, c.x(), format), filters = c.config.integer("filters");
  if (!c.b.ok() || kernel.size() != kSpatial) return c.invalid("its config has no kernel_size");
  const Patches p = patches_of(c, in, kernel, strides);
  if (!c.b.ok() || channels < 1 || channels > kMostPlaces || filters < 1 || filters > kMostPlaces) return c.invalid("its channels make no sense");
  const Int batch = c.b.size(c.x(), 0);
  const bool last = format == Channels::last;
  const ValueId places = c.b.reshape(c.b.ints(p.places), {Int(p.count), Int(p.cells)});
  const ValueId flat = c.b.reshape(c.x(), last ? std::vector<Int>{batch, Int(-1), Int(channels)} : std::vector<Int>{batch, Int(channels), Int(-1)});
  ValueId x =
      c.emit("Gather", {flat, places}, attributes({{"axis", int64_t(last ? 1 : 2)}}));  // [batch, outputs, cells, channels], or channels second
  if (!last) x = permute(c.b, x, {0, 2, 1, 3});
  x = c.b.reshape(x, {batch, Int(p.count), Int(1), Int(p.cells * channels)});
  ValueId y = c.emit("MatMul", {x, c.weight("kernel", {p.count, p.cells * channels, filters})});
  std::vector<Int> shape = {batch};
  std::vector<int64_t> bias = p.out, back = {0, static_cast<int64_t>(kSpatial) + 1};
  for (size_t i = 0; i < kSpatial; ++i) {
    shape.emplace_back(p.out[i]);
    back.push_back(static_cast<int64_t>(i) + 1);
  }
  shape.emplace_back(filters);
  bias.push_back(filters);
  y = c.b.reshape(y, shape);
  if (!last) y = permute(c.b, y, back);
  if (c.config.boolean("use_bias", true)) {
    ValueId b = c.weight("bias", bias);
    if (!last) {  // read as it lies, not transposed: so tf_keras has it
      std::vector<Int> as_channels = {Int(filters)};
      for (int64_t n : p.out) as_channels.emplace_back(n);
      b = c.b.reshape(b, as_channels);
    }
    y = c.emit("Add", {y, b});
  }
  return {{activation(c, "activation", y)}};
}

constexpr LayerRow kLocallyConnectedRows[] = {
    {"LocallyConnected1D", locally_connected<1>},
    {"LocallyConnected2D", locally_connected<2>},
};

}  // namespace

std::span<const LayerRow> locally_connected_layers() { return kLocallyConnectedRows; }

}  // namespace tern::keras
