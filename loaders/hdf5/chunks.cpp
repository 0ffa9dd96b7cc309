// See chunks.h.
#include "loaders/hdf5/chunks.h"

#include "loaders/hdf5/arrays.h"
#include "loaders/hdf5/btree.h"
#include "runtime/base/checked.h"

namespace tern::hdf5 {
namespace {

class Chunks {
 public:
  Chunks(Space& space, const Dataset& dataset, const std::function<Status(const Chunk&)>& visit)
      : space_(space), dataset_(dataset), index_(dataset.layout.chunks), visit_(visit), grid_(chunk_grid(dataset)), place_(grid_.size()) {
    uint64_t count = 1;
    for (uint64_t n : grid_) count *= n;
    seen_.resize(count);
  }

  Status walk() {
    const size_t rank = grid_.size();
    const bool filtered = !dataset_.filters.empty();
    if (seen_.empty() || index_.address == kUndefined) return {};
    switch (index_.kind) {
      case ChunkIndex::Kind::btree_v1:
        return walk_btree_v1(space_, index_.address, 1, 8 + 8 * (rank + 1), [&](Fields key, uint64_t child) { return add_keyed(key, child); });
      case ChunkIndex::Kind::single: return add({place_, index_.address, index_.stored_bytes, index_.mask});
      case ChunkIndex::Kind::implicit: return add_implicit();
      case ChunkIndex::Kind::btree_v2:
        return walk_btree_v2(space_, index_.address, filtered ? 11 : 10, [&](Fields record) { return add_record(record, filtered); });
      case ChunkIndex::Kind::fixed_array:
      case ChunkIndex::Kind::extensible_array: break;
    }
    const auto add_element = [&](uint64_t i, Fields element) { return add_indexed(i, element, filtered); };
    if (index_.kind == ChunkIndex::Kind::extensible_array) {
      if (Status s = order_axes(true); !s) return s;
      return walk_extensible_array(space_, index_.address, filtered, add_element);
    }
    if (Status s = order_axes(false); !s) return s;
    uint64_t count = 1;
    for (const Axis& a : axes_) {
      if (__builtin_mul_overflow(count, a.chunks, &count)) return invalid("has more chunks than can be counted");
    }
    return walk_fixed_array(space_, index_.address, filtered, count, add_element);
  }

 private:
  struct Axis {
    size_t dimension;
    uint64_t chunks;  // along it when it has grown to its limit
  };

  Status add(const Chunk& chunk) {
    if (chunk.address == kUndefined) return {};
    uint64_t at = 0;
    for (size_t i = 0; i < grid_.size(); ++i) {
      if (chunk.place[i] >= grid_[i]) return {};  // room to grow
      at = at * grid_[i] + chunk.place[i];
    }
    if (seen_[at]) return invalid("has a chunk twice");
    seen_[at] = true;
    return visit_(chunk);
  }

  // Bytes, mask, the first element's place and a zero (of the bytes of an element).
  Status add_keyed(Fields key, uint64_t child) {
    Chunk chunk{place_, child, key.u32(), key.u32()};
    for (size_t i = 0; i < grid_.size(); ++i) {
      const uint64_t element = key.number(8), size = static_cast<uint64_t>(index_.sizes[i]);
      if (element % size != 0) return invalid("has a chunk that begins within another one");
      place_[i] = element / size;
    }
    return add(chunk);
  }

  // Address; of filtered ones bytes and mask, before `after` bytes of something else.
  Chunk stored(Fields& in, bool filtered, size_t after) {
    Chunk chunk{place_, in.address(), index_.bytes, 0};
    if (filtered) {
      if (in.left() < after + 4) in.skip(in.left() + 1);
      chunk.stored_bytes = in.number(std::min<size_t>(in.left() - std::min(in.left(), after + 4), 8));
      chunk.mask = in.u32();
    }
    return chunk;
  }

  Status add_record(Fields record, bool filtered) {
    const Chunk chunk = stored(record, filtered, 8 * grid_.size());
    for (uint64_t& p : place_) p = record.number(8);
    if (!record.fits() || record.left() != 0) return invalid("has an index of chunks whose records have another size");
    return add(chunk);
  }

  Status add_indexed(uint64_t i, Fields element, bool filtered) {
    const Chunk chunk = stored(element, filtered, 0);
    if (!element.fits() || element.left() != 0) return invalid("has an index of chunks whose elements have another size");
    if (chunk.address == kUndefined) return {};
    for (size_t a = axes_.size(); a-- > 1;) {
      place_[axes_[a].dimension] = i % axes_[a].chunks;
      i /= axes_[a].chunks;
    }
    if (!axes_.empty()) place_[axes_[0].dimension] = i;
    return add(chunk);
  }

  // Side by side from one address, as many as the sizes may grow to.
  Status add_implicit() {
    if (!dataset_.filters.empty()) return invalid("has filters, which its index of chunks does not allow");
    if (Status s = order_axes(false); !s) return s;
    for (uint64_t n = 0; n < seen_.size(); ++n) {
      uint64_t rest = n, index = 0;
      for (size_t i = grid_.size(); i-- > 0; rest /= grid_[i]) place_[i] = rest % grid_[i];
      for (const Axis& a : axes_) index = index * a.chunks + place_[a.dimension];  // overflow gives an address out of the file, or another chunk's
      if (index > space_.bytes().size() / index_.bytes) return invalid("has chunks outside of the file");
      if (Status s = add({place_, index_.address + index * index_.bytes, index_.bytes, 0}); !s) return s;
    }
    return {};
  }

  // The order in which chunks are numbered: row-major, with the dimension that grows without limit first. Errors: more or fewer of those than
  // the index can have.
  Status order_axes(bool growing) {
    size_t unlimited = 0;
    for (size_t i = 0; i < grid_.size(); ++i) {
      const int64_t most = dataset_.space.most[i];
      unlimited += most < 0;
      const Axis axis{i, most < 0 ? 0 : static_cast<uint64_t>(ceil_div(most, index_.sizes[i]))};
      axes_.insert(most < 0 ? axes_.begin() : axes_.end(), axis);
      if (most >= 0 && axis.chunks < grid_[i]) return invalid("is larger than it may grow");
    }
    if (unlimited != (growing ? 1u : 0u)) return invalid("has an index of chunks that does not fit its dimensions");
    return {};
  }

  Space& space_;
  const Dataset& dataset_;
  const ChunkIndex& index_;
  const std::function<Status(const Chunk&)>& visit_;
  std::vector<uint64_t> grid_, place_;
  std::vector<Axis> axes_;
  std::vector<bool> seen_;
};

}  // namespace

std::vector<uint64_t> chunk_grid(const Dataset& d) {
  std::vector<uint64_t> grid;
  for (size_t i = 0; i < d.space.sizes.size(); ++i) grid.push_back(static_cast<uint64_t>(ceil_div(d.space.sizes[i], d.layout.chunks.sizes[i])));
  return grid;
}

Status for_each_chunk(Space& space, const Dataset& dataset, const std::function<Status(const Chunk&)>& visit) {
  return Chunks(space, dataset, visit).walk();
}

}  // namespace tern::hdf5
