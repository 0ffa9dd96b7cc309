// Margins around tensors, and blocks moved between space, batch and channels. See operator.h. Next: create.cpp.
#include "loaders/tensorflow/ops/complex.h"
#include "loaders/tensorflow/ops/fused.h"

namespace tern::tensorflow {
namespace {

// Paddings [rank, 2] as the catalog has them: all that come before, then all that come behind.
ValueId margins_of(Call& c, size_t i) {
  GraphBuilder& b = c.b;
  const ValueId pairs = c.tensor(i);
  if (b.rank(pairs) != 2 && b.ok()) return c.b.fail(invalid("paddings must be pairs")), kNone;
  if (c.knows_ints(i)) {
    std::vector<int64_t> margins;
    const std::vector<int64_t> n = c.known_ints(i);
    for (size_t side = 0; side < 2; ++side) {
      for (size_t at = side; at < n.size(); at += 2) {
        if (n[at] < 0)
          return c.b.fail(invalid("paddings must not be negative, they are " + std::to_string(n[at]))), kNone;  // the catalog's Pad would cut
        margins.push_back(n[at]);
      }
    }
    return b.ints(margins);
  }
  return b.reshape(transpose(b, b.cast(pairs, DType::i64), 0, 1), {Int(-1)});
}

Values pad(Call& c) { return {c.b.emit("Pad", {c.tensor(0), margins_of(c, 1)})}; }
Values pad_with(Call& c) { return {c.b.emit("Pad", {c.tensor(0), margins_of(c, 1), c.tensor(2)})}; }

// REFLECT leaves the edge out; SYMMETRIC repeats it, which is a reflection of a tensor that has every edge twice: one wider, and then without
// what came between.
Values mirror_pad(Call& c) {
  GraphBuilder& b = c.b;
  const std::string mode = c.string("mode", "");
  const ValueId x = c.tensor(0), margins = margins_of(c, 1);
  if (mode == "REFLECT") return {b.emit("Pad", {x, margins}, attributes({{"mode", std::string("reflect")}}))};
  if (mode != "SYMMETRIC") return c.fail(invalid("mode is '" + mode + "', expected REFLECT or SYMMETRIC"));
  const std::vector<Int> n = b.elements(margins);
  const int rank = b.rank(x);
  if (!b.ok() || n.size() != 2 * static_cast<size_t>(rank)) return b.ok() ? c.fail(invalid("paddings must have a pair for each axis")) : Values();
  ValueId y = x;
  for (int axis = 0; axis < rank; ++axis) {
    const Int &before = n[static_cast<size_t>(axis)], &behind = n[static_cast<size_t>(axis + rank)];
    std::vector<ValueId> parts;
    const ValueId on = b.ints({axis});
    auto piece = [&](const Int& from, const Int& to) {
      return b.emit("Slice", {y, b.ints(std::vector<Int>{from}), b.ints(std::vector<Int>{to}), on});
    };
    if (!before.known() || before.value() != 0) parts.push_back(reverse(b, piece(0, before), axis));
    parts.push_back(y);
    const Int size = b.size(y, axis);
    if (!behind.known() || behind.value() != 0) parts.push_back(reverse(b, piece(b.sub(size, behind), size), axis));
    y = concat(b, parts, axis);
  }
  return {y};
}

template <bool ToDepth>
Values depth(Call& c) {
  if (!has_rank(c, 0, 4)) return {};
  const int64_t block = c.integer("block_size");
  const auto channels = channels_of(c);
  if (c.b.ok() && block < 1) return c.fail(invalid("block_size is " + std::to_string(block)));
  return {ToDepth ? channels_last::space_to_depth(c.b, c.tensor(0), block, channels)
                  : channels_last::depth_to_space(c.b, c.tensor(0), block, channels)};
}

struct Blocks {
  std::vector<int64_t> sizes;       // of each blocked axis, which follow the batch
  std::vector<Int> before, behind;  // margins or crops of each
  int64_t product = 1;
};

// block_shape: known. The pairs may be computed (from the size of the input).
std::optional<Blocks> blocks_of(Call& c, std::vector<int64_t> sizes, ValueId pairs) {
  GraphBuilder& b = c.b;
  Blocks out;
  out.sizes = std::move(sizes);
  const std::vector<Int> flat = b.elements(b.reshape(pairs, {Int(-1)}));
  if (!b.ok()) return std::nullopt;
  if (out.sizes.empty() || flat.size() != 2 * out.sizes.size()) {
    c.fail(invalid("there must be a pair of margins for each blocked axis"));
    return std::nullopt;
  }
  for (size_t i = 0; i < out.sizes.size(); ++i) {
    if (out.sizes[i] < 1 || out.sizes[i] > 1 << 16 || out.product > 1 << 30) {
      c.fail(invalid("a block of " + std::to_string(out.sizes[i])));
      return std::nullopt;
    }
    out.product *= out.sizes[i];
    out.before.push_back(flat[2 * i]);
    out.behind.push_back(flat[2 * i + 1]);
  }
  return out;
}

// [N, s0.., rest] padded, each axis as [s / block, block], the blocks to the front: [prod(block) * N, s0 / block.., rest]
ValueId space_to_batch(Call& c, const Blocks& blocks) {
  GraphBuilder& b = c.b;
  ValueId x = c.tensor(0);
  const int rank = b.rank(x), m = static_cast<int>(blocks.sizes.size());
  if (b.ok() && (rank < m + 1 || rank + m > kMaxRank)) return b.fail(unsupported("so many dimensions are not supported")), kNone;
  std::vector<Int> margins(static_cast<size_t>(2 * rank), Int(0));
  for (int i = 0; i < m; ++i) {
    margins[static_cast<size_t>(1 + i)] = blocks.before[static_cast<size_t>(i)];
    margins[static_cast<size_t>(rank + 1 + i)] = blocks.behind[static_cast<size_t>(i)];
  }
  x = b.emit("Pad", {x, b.ints(margins)});
  std::vector<Int> cut = {b.size(x, 0)}, out = {b.mul(b.size(x, 0), Int(blocks.product))};
  std::vector<int64_t> order;
  for (int i = 0; i < m; ++i) {
    const Int block = blocks.sizes[static_cast<size_t>(i)], places = b.floor_div(b.size(x, 1 + i), block);
    cut.insert(cut.end(), {places, block});
    out.push_back(places);
    order.push_back(2 + 2 * i);
  }
  order.push_back(0);
  for (int i = 0; i < m; ++i) order.push_back(1 + 2 * i);
  for (int i = 1 + m; i < rank; ++i) {
    cut.push_back(b.size(x, i));
    out.push_back(b.size(x, i));
    order.push_back(i + m);
  }
  return b.reshape(permute(b, b.reshape(x, cut), order), out);
}

// And back.
ValueId batch_to_space(Call& c, const Blocks& blocks) {
  GraphBuilder& b = c.b;
  ValueId x = c.tensor(0);
  const int rank = b.rank(x), m = static_cast<int>(blocks.sizes.size());
  if (b.ok() && (rank < m + 1 || rank + m > kMaxRank)) return b.fail(unsupported("so many dimensions are not supported")), kNone;
  const Int batch = b.floor_div(b.size(x, 0), Int(blocks.product));
  std::vector<Int> cut, out = {batch}, starts, ends;
  std::vector<int64_t> order = {m}, axes;
  for (int64_t block : blocks.sizes) cut.emplace_back(block);
  cut.push_back(batch);
  for (int i = 0; i < m; ++i) {
    const auto s = static_cast<size_t>(i);
    const Int size = b.mul(b.size(x, 1 + i), Int(blocks.sizes[s]));
    cut.push_back(b.size(x, 1 + i));
    out.push_back(size);
    order.insert(order.end(), {m + 1 + i, i});
    axes.push_back(1 + i);
    starts.push_back(blocks.before[s]);
    ends.push_back(b.sub(size, blocks.behind[s]));
  }
  for (int i = 1 + m; i < rank; ++i) {
    cut.push_back(b.size(x, i));
    out.push_back(b.size(x, i));
    order.push_back(i + m);
  }
  x = b.reshape(permute(b, b.reshape(x, cut), order), out);
  return b.emit("Slice", {x, b.ints(starts), b.ints(ends), b.ints(axes)});
}

template <bool ToBatch>
Values blocks_nd(Call& c) {
  const auto blocks = blocks_of(c, c.known_ints(1), c.tensor(2));
  if (!blocks) return {};
  return {ToBatch ? space_to_batch(c, *blocks) : batch_to_space(c, *blocks)};
}

template <bool ToBatch>
Values blocks_2d(Call& c) {
  const int64_t size = c.integer("block_size");
  if (!has_rank(c, 0, 4)) return {};
  const auto blocks = blocks_of(c, {size, size}, c.tensor(1));
  if (!blocks) return {};
  return {ToBatch ? space_to_batch(c, *blocks) : batch_to_space(c, *blocks)};
}

constexpr Operator kPadRows[] = {
    {"Pad", nullptr, each_part<pad>},
    {"PadV2", nullptr, pad_with},
    {"MirrorPad", nullptr, mirror_pad},
    {"SpaceToDepth", nullptr, depth<true>},
    {"DepthToSpace", nullptr, depth<false>},
    {"SpaceToBatchND", nullptr, blocks_nd<true>},
    {"BatchToSpaceND", nullptr, blocks_nd<false>},
    {"SpaceToBatch", nullptr, blocks_2d<true>},
    {"BatchToSpace", nullptr, blocks_2d<false>},
};

}  // namespace

std::span<const Operator> pad_operators() { return kPadRows; }

}  // namespace tern::tensorflow
