// See read.h.
#include "loaders/hdf5/read.h"

#include <algorithm>
#include <cstring>

#include "loaders/hdf5/filters.h"
#include "runtime/base/checked.h"
#include "runtime/base/tensor.h"

namespace tern::hdf5 {
namespace {

constexpr auto kReadableAfter = static_cast<int64_t>(kAlignment);  // behind memory of our own

// Memory for all elements, each the fill value.
Result<std::shared_ptr<std::byte>> allocate_filled(Space& space, const Dataset& d, uint64_t bytes) {
  if (Status s = space.copy(bytes); !s) return s.error();
  auto memory = allocate_aligned(bytes + kAlignment, true);
  const bool zeros = std::all_of(d.fill.begin(), d.fill.end(), [](std::byte b) { return b == std::byte{0}; });
  for (uint64_t at = 0; !zeros && at < bytes; at += d.fill.size()) std::memcpy(memory.get() + at, d.fill.data(), d.fill.size());
  return memory;
}

// Places chunks in a row-major array, whose last chunks of a dimension may reach beyond it.
class Gather {
 public:
  Gather(Space& space, const Dataset& dataset, std::byte* to) : space_(space), d_(dataset), to_(to), rank_(dataset.space.sizes.size()) {}

  Status add(const Chunk& chunk) {
    const std::vector<int64_t>& sizes = d_.layout.chunks.sizes;
    std::vector<int64_t> first(rank_), extent(rank_);
    bool whole = true;
    for (size_t i = 0; i < rank_; ++i) {
      first[i] = static_cast<int64_t>(chunk.place[i]) * sizes[i];
      extent[i] = std::min(sizes[i], d_.space.sizes[i] - first[i]);
      whole = whole && extent[i] == sizes[i];
    }
    auto stored = space_.at(chunk.address, chunk.stored_bytes, "chunk");
    if (!stored) return stored.error();
    if (Status s = space_.work(d_.layout.chunks.bytes); !s) return s;
    auto elements = unfilter(d_, chunk, whole, *stored, buffer_);
    if (!elements) return elements.error();
    place(first, extent, elements->data());
    return {};
  }

 private:
  // Row by row, a row along the last dimension.
  void place(const std::vector<int64_t>& first, const std::vector<int64_t>& extent, const std::byte* from) {
    const std::vector<int64_t>& sizes = d_.layout.chunks.sizes;
    const size_t outer = rank_ > 0 ? rank_ - 1 : 0;
    const int64_t row = (rank_ > 0 ? extent[outer] : 1) * d_.type.size;
    std::vector<int64_t> index(outer, 0);
    while (true) {
      int64_t in = 0, out = 0;
      for (size_t i = 0; i < rank_; ++i) {
        in = in * sizes[i] + (i < outer ? index[i] : 0);
        out = out * d_.space.sizes[i] + first[i] + (i < outer ? index[i] : 0);
      }
      std::memcpy(to_ + out * d_.type.size, from + in * d_.type.size, static_cast<size_t>(row));
      size_t axis = outer;
      while (axis > 0 && ++index[axis - 1] == extent[axis - 1]) index[--axis] = 0;
      if (axis == 0) return;
    }
  }

  Space& space_;
  const Dataset& d_;
  std::byte* to_;
  size_t rank_;
  std::vector<std::byte> buffer_;
};

Result<Elements> read_chunks(Space& space, const Dataset& d, uint64_t bytes) {
  // A chunk is decompressed and unshuffled at most once at a time.
  if (!d.filters.empty() && d.layout.chunks.bytes > bytes) {
    if (Status s = space.copy(2 * (d.layout.chunks.bytes - bytes)); !s) return s.error();
  }
  auto memory = allocate_filled(space, d, bytes);
  if (!memory) return memory.error();
  Gather gather(space, d, memory->get());
  if (Status s = for_each_chunk(space, d, [&](const Chunk& chunk) { return gather.add(chunk); }); !s) return s.error();
  return Elements{{memory->get(), bytes}, *memory, kReadableAfter};
}

}  // namespace

Result<Elements> read_elements(Space& space, const Dataset& d, const std::shared_ptr<const void>& file) {
  if (!d.refusal.empty()) return unsupported("is " + d.refusal + ", which is not supported");
  const auto count = checked_count(d.space.sizes);
  const auto size = count ? checked_mul(*count, d.type.size) : std::nullopt;
  if (!size) return invalid("has sizes that are too large");
  const auto bytes = static_cast<uint64_t>(*size);
  if (bytes == 0 || d.space.null) return Elements{};
  if (d.layout.kind == Layout::Kind::chunked) return read_chunks(space, d, bytes);
  std::span<const std::byte> all = d.layout.compact;
  if (d.layout.kind == Layout::Kind::contiguous) {
    if (d.layout.address == kUndefined) {
      auto memory = allocate_filled(space, d, bytes);
      if (!memory) return memory.error();
      return Elements{{memory->get(), bytes}, *memory, kReadableAfter};
    }
    if (d.layout.bytes < bytes) return invalid("has " + std::to_string(d.layout.bytes) + " bytes, its sizes need " + std::to_string(bytes));
    auto there = space.elements(d.layout.address, bytes);
    if (!there) return there.error();
    all = *there;
  }
  if (all.size() < bytes) return invalid("has " + std::to_string(all.size()) + " bytes, its sizes need " + std::to_string(bytes));
  const auto* end = space.bytes().data() + space.bytes().size();
  return Elements{all.first(bytes), file, static_cast<int64_t>(end - all.data()) - *size};
}

}  // namespace tern::hdf5
