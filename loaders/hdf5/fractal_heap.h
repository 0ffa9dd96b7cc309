// A fractal heap: where groups with many links and objects with many or large attributes keep them. Blocks double from row to row of a table;
// an object is found by the offset in all of them that its id holds. Next: groups.h, attributes.h.
#pragma once
#include <vector>

#include "loaders/hdf5/space.h"

namespace tern::hdf5 {

class FractalHeap {
 public:
  // Reads all tables of blocks. Errors: damaged (invalid); filtered (unsupported).
  static Result<FractalHeap> open(Space& space, uint64_t address);

  size_t id_bytes() const { return id_bytes_; }
  // The object of an id, in place (a tiny one: in the id). Errors: damaged, outside of the heap (invalid).
  Result<std::span<const std::byte>> object(Space& space, std::span<const std::byte> id);

 private:
  struct Block {
    uint64_t offset, size;  // in the heap
    uint64_t address;       // in the file
  };
  struct Table {  // an indirect block
    uint64_t address, offset, rows;
  };
  struct Huge {
    uint64_t id, address, length;
  };

  Status read_header(Space& space);
  Status read_table(Space& space, const Table& table, std::vector<Table>& waiting);
  Status add_block(Space& space, uint64_t address, uint64_t offset, uint64_t size);
  Status check_prefix(Space& space, std::span<const std::byte> block, uint64_t address, uint64_t offset) const;
  uint64_t row_bytes(uint64_t row) const { return first_block_ << (row > 0 ? row - 1 : 0); }  // of one block of it
  Result<std::span<const std::byte>> huge(Space& space, Fields id);

  uint64_t address_ = 0;
  size_t id_bytes_ = 0, offset_bytes_ = 0, length_bytes_ = 0;
  bool checked_ = false;  // direct blocks have checksums
  uint64_t width_ = 0, first_block_ = 0, most_direct_ = 0, rows_ = 0, root_ = 0, huge_tree_ = 0;
  bool huge_read_ = false;
  std::vector<Block> blocks_;  // by offset
  std::vector<Huge> huge_;     // by id
};

}  // namespace tern::hdf5
