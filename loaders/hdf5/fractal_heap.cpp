// See fractal_heap.h.
#include "loaders/hdf5/fractal_heap.h"

#include <algorithm>
#include <bit>

#include "loaders/hdf5/btree.h"

namespace tern::hdf5 {
namespace {

constexpr const char* kHeap = "fractal heap";
constexpr uint64_t kMostRows = 64;

size_t bytes_for_bits(uint64_t bits) { return static_cast<size_t>(bits + 7) / 8; }

}  // namespace

Result<FractalHeap> FractalHeap::open(Space& space, uint64_t address) {
  FractalHeap heap;
  heap.address_ = address;
  if (Status s = heap.read_header(space); !s) return s.error();
  if (heap.root_ == kUndefined) return heap;
  if (heap.rows_ == 0) {
    if (Status s = heap.add_block(space, heap.root_, 0, heap.first_block_); !s) return s.error();
  } else {
    std::vector<Table> waiting = {{heap.root_, 0, heap.rows_}};
    while (!waiting.empty()) {
      const Table table = waiting.back();
      waiting.pop_back();
      if (Status s = heap.read_table(space, table, waiting); !s) return s.error();
    }
  }
  std::sort(heap.blocks_.begin(), heap.blocks_.end(), [](const Block& a, const Block& b) { return a.offset < b.offset; });
  return heap;
}

Status FractalHeap::read_header(Space& space) {
  const auto o = static_cast<uint64_t>(space.offset_size()), l = static_cast<uint64_t>(space.length_size());
  auto bytes = space.at(address_, 26 + 3 * o + 12 * l, kHeap, "FRHP");
  if (!bytes) return bytes.error();
  Fields in = space.fields(*bytes);
  in.skip(4);
  const uint8_t version = in.u8();
  id_bytes_ = in.u16();
  const uint16_t filter_bytes = in.u16();
  checked_ = (in.u8() & 2) != 0;
  const uint64_t most_managed = in.u32();
  in.skip(l);  // the next huge object's id
  huge_tree_ = in.address();
  in.skip(l + o + 8 * l);  // free space, and what is stored of each kind
  width_ = in.u16();
  first_block_ = in.length();
  most_direct_ = in.length();
  const uint64_t bits = in.u16();
  in.skip(2);  // rows of a new table
  root_ = in.address();
  rows_ = in.u16();
  if (version != 0) return unsupported("has a fractal heap of version " + std::to_string(version));
  if (filter_bytes != 0) return unsupported("has a fractal heap with filters");
  if (Status s = space.check_sum(*bytes, address_, kHeap); !s) return s;
  if (width_ == 0 || !std::has_single_bit(width_) || !std::has_single_bit(first_block_) || !std::has_single_bit(most_direct_) ||
      most_direct_ < first_block_ || bits == 0 || bits > 64 || rows_ > kMostRows || id_bytes_ < 2) {
    return space.damaged(kHeap, address_);
  }
  offset_bytes_ = bytes_for_bits(bits);
  const auto log2 = [](uint64_t n) { return static_cast<uint64_t>(std::bit_width(n) - 1); };
  length_bytes_ = std::min(bytes_for_bits(log2(most_direct_)), static_cast<size_t>(log2(std::max<uint64_t>(most_managed, 1)) / 8 + 1));
  return {};
}

// What both kinds of blocks begin with: signature, version, the heap's address, their own offset in the heap.
Status FractalHeap::check_prefix(Space& space, std::span<const std::byte> block, uint64_t address, uint64_t offset) const {
  Fields in = space.fields(block);
  in.skip(4);
  const uint8_t version = in.u8();
  const uint64_t heap = in.address(), its_offset = in.number(offset_bytes_);
  if (!in.fits() || version != 0 || heap != address_ || its_offset != offset) return space.damaged("fractal heap's block", address);
  return {};
}

Status FractalHeap::add_block(Space& space, uint64_t address, uint64_t offset, uint64_t size) {
  auto block = space.at(address, size, "fractal heap's block", "FHDB");
  if (!block) return block.error();
  if (Status s = check_prefix(space, *block, address, offset); !s) return s;
  if (checked_) {  // the checksum stands behind the prefix, and counts as zeros
    const size_t at = 5 + static_cast<size_t>(space.offset_size()) + offset_bytes_;
    std::vector<std::byte> copy(block->begin(), block->end());
    if (copy.size() < at + 4) return space.damaged("fractal heap's block", address);
    std::fill_n(copy.begin() + static_cast<int64_t>(at), 4, std::byte{0});
    copy.insert(copy.end(), block->begin() + static_cast<int64_t>(at), block->begin() + static_cast<int64_t>(at) + 4);
    if (Status s = space.check_sum(copy, address, "fractal heap's block"); !s) return s;
  }
  if (blocks_.size() >= space.bytes().size() / 16) return space.damaged(kHeap, address_, "has more blocks than the file");
  blocks_.push_back({offset, size, address});
  return {};
}

// Rows of `width_` blocks of one size: first those that hold objects, then tables of tables.
Status FractalHeap::read_table(Space& space, const Table& table, std::vector<Table>& waiting) {
  const auto o = static_cast<uint64_t>(space.offset_size());
  const uint64_t head = 5 + o + offset_bytes_;
  auto block = space.at(table.address, head + table.rows * width_ * o + 4, "fractal heap's block", "FHIB");
  if (!block) return block.error();
  if (Status s = space.check_sum(*block, table.address, "fractal heap's block"); !s) return s;
  if (Status s = check_prefix(space, *block, table.address, table.offset); !s) return s;
  Fields in = space.fields(*block);
  in.skip(head);
  uint64_t offset = table.offset;
  for (uint64_t row = 0; row < table.rows; ++row) {
    if (row > 0 && std::bit_width(first_block_) + row - 1 > 63) return space.damaged(kHeap, address_, "is larger than 64 bits count");
    const uint64_t size = row_bytes(row);
    for (uint64_t i = 0; i < width_; ++i) {
      const uint64_t child = in.address();
      if (child != kUndefined && size <= most_direct_) {
        if (Status s = add_block(space, child, offset, size); !s) return s;
      } else if (child != kUndefined) {
        const auto widest = std::bit_width(first_block_) + std::bit_width(width_) - 1;  // of the first row, in bits
        if (std::bit_width(size) < widest) return space.damaged(kHeap, address_);
        waiting.push_back({child, offset, static_cast<uint64_t>(std::bit_width(size) - widest) + 1});
      }
      if (__builtin_add_overflow(offset, size, &offset)) return space.damaged(kHeap, address_, "is larger than 64 bits count");
    }
  }
  return {};
}

// An id: version (0) and kind in its first byte; of a managed object then its offset and length, of a tiny one its bytes.
Result<std::span<const std::byte>> FractalHeap::object(Space& space, std::span<const std::byte> id) {
  Fields in = space.fields(id);
  const uint8_t first = in.u8();
  if (!in.fits() || (first & 0xc0) != 0) return space.damaged(kHeap, address_, "has no object of an id that is asked for");
  const uint8_t kind = first >> 4 & 3;
  if (kind == 1) return huge(space, in);
  if (kind == 2) {
    uint64_t length = (first & 15u) + 1;
    if (id_bytes_ > 18) length = ((first & 15u) << 8 | in.u8()) + 1;
    auto piece = in.take(length);
    if (!in.fits()) return space.damaged(kHeap, address_, "has a tiny object that is longer than its id");
    return piece;
  }
  const uint64_t offset = in.number(offset_bytes_), length = in.number(length_bytes_);
  auto block = std::upper_bound(blocks_.begin(), blocks_.end(), offset, [](uint64_t at, const Block& b) { return at < b.offset; });
  if (kind != 0 || !in.fits() || block == blocks_.begin()) return space.damaged(kHeap, address_, "has no object of an id that is asked for");
  --block;
  const uint64_t within = offset - block->offset;
  if (within > block->size || length > block->size - within) return space.damaged(kHeap, address_, "has an object that lies in no block");
  return space.at(block->address + within, length, "fractal heap's object");
}

// Objects that fit in no block lie on their own: the id says where, or is a key of a B-tree that does.
Result<std::span<const std::byte>> FractalHeap::huge(Space& space, Fields id) {
  const auto o = static_cast<size_t>(space.offset_size()), l = static_cast<size_t>(space.length_size());
  if (id_bytes_ >= 1 + o + l) {
    const uint64_t address = id.address(), length = id.length();
    return space.at(address, length, "fractal heap's object");
  }
  if (!huge_read_) {
    Status s = walk_btree_v2(space, huge_tree_, 1, [&](Fields record) -> Status {
      const uint64_t address = record.address(), length = record.length(), key = record.length();
      if (!record.fits()) return space.damaged(kHeap, address_, "has records of huge objects that are too short");
      huge_.push_back({key, address, length});
      return {};
    });
    if (!s) return s.error();
    std::sort(huge_.begin(), huge_.end(), [](const Huge& a, const Huge& b) { return a.id < b.id; });
    huge_read_ = true;
  }
  const uint64_t key = id.number(std::min(l, id_bytes_ - 1));
  const auto found = std::lower_bound(huge_.begin(), huge_.end(), key, [](const Huge& h, uint64_t k) { return h.id < k; });
  if (found == huge_.end() || found->id != key) return space.damaged(kHeap, address_, "has no huge object of an id that is asked for");
  return space.at(found->address, found->length, "fractal heap's object");
}

}  // namespace tern::hdf5
