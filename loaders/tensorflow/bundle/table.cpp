// Footer, index block, data blocks. See table.h; loaders/README.md draws the bytes.
#include "loaders/tensorflow/bundle/table.h"

#include <optional>

#include "loaders/tensorflow/bundle/snappy.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/crc.h"

namespace tern::tensorflow {
namespace {

constexpr size_t kFooter = 48, kTrailer = 5;
constexpr uint64_t kMagic = 0xdb4775248b80fb57u;

struct Handle {
  uint64_t offset, size;
};
std::optional<Handle> read_handle(ByteReader& in) {
  const auto offset = in.varint(), size = in.varint();
  return offset && size ? std::optional(Handle{*offset, *size}) : std::nullopt;
}

class Reader {
 public:
  Reader(std::span<const std::byte> file, int64_t budget) : file_(file), left_(budget + 16 * static_cast<int64_t>(file.size())) {}

  Result<Table> run() {
    if (file_.size() < kFooter) return invalid("the index is shorter than its footer");
    ByteReader footer(file_.last(kFooter));
    const auto meta = read_handle(footer), index = read_handle(footer);
    footer.seek(kFooter - 8);
    if (footer.read<uint64_t>() != kMagic) return invalid("it does not end as the index of a checkpoint does");
    if (!meta || !index) return invalid("the index has no footer");
    Table blocks;  // the last key of each, and where it lies
    if (Status s = block(*index, blocks); !s) return s.error().within("its index block");
    Table all;
    uint64_t end = 0;
    for (const auto& [last, where] : blocks) {
      ByteReader in(std::as_bytes(std::span(where)));
      const auto handle = read_handle(in);
      if (!handle) return invalid("the index has a block without a place");
      if (handle->offset < end) return invalid("the blocks of the index overlap");
      if (Status s = block(*handle, all); !s) return s.error().within("the block at byte " + std::to_string(handle->offset));
      end = handle->offset + handle->size;
    }
    return all;
  }

 private:
  bool spend(uint64_t bytes) {
    if (bytes > static_cast<uint64_t>(left_)) return false;
    left_ -= static_cast<int64_t>(bytes);
    return true;
  }
  static Error too_much() { return invalid("it takes more memory than LoadOptions::budget allows"); }

  Status block(Handle at, Table& into) {
    const size_t body = file_.size() - kFooter;
    if (at.offset > body || at.size > body - at.offset || body - at.offset - at.size < kTrailer) return invalid("it lies beyond the end of the file");
    const auto bytes = file_.subspan(at.offset, at.size + 1);
    ByteReader trailer(file_.subspan(at.offset + at.size, kTrailer));
    const uint8_t type = *trailer.read<uint8_t>();
    if (*trailer.read<uint32_t>() != masked(crc32c(bytes))) return invalid("its checksum is wrong: the file is damaged");
    if (type == 0) return entries(bytes.first(at.size), into);
    if (type != 1) return unsupported("it is compressed in a way that is not supported (" + std::to_string(type) + ")");
    auto plain = snappy_uncompressed(bytes.first(at.size), left_);
    if (!plain) return plain.error();
    if (!spend(plain->size())) return too_much();
    return entries(*plain, into);
  }

  // Each key begins with some bytes of the one before it. Behind the entries stand places where a key is whole, which nobody needs here.
  Status entries(std::span<const std::byte> block, Table& into) {
    const Error damaged = invalid("its entries are malformed");
    if (block.size() < 4) return damaged;
    ByteReader tail(block.last(4));
    const uint64_t restarts = 4 * (uint64_t{*tail.read<uint32_t>()} + 1);
    if (restarts > block.size()) return damaged;
    ByteReader in(block.first(block.size() - restarts));
    constexpr uint64_t kCost = 160;  // of an entry in memory, beside its texts
    std::string key;
    while (!in.done()) {
      const auto shared = in.varint(), rest = in.varint(), size = in.varint();
      if (!shared || !rest || !size || *shared > key.size() || *rest > in.left() || *size > in.left() - *rest) return damaged;
      key.resize(*shared);
      const auto suffix = *in.take(*rest), value = *in.take(*size);
      key.append(reinterpret_cast<const char*>(suffix.data()), suffix.size());
      if (!spend(kCost + 2 * key.size() + value.size())) return too_much();
      if (!into.empty() && key <= into.rbegin()->first) return invalid("its keys are not in ascending order");
      into.emplace_hint(into.end(), key, std::string(reinterpret_cast<const char*>(value.data()), value.size()));
    }
    return {};
  }

  std::span<const std::byte> file_;
  int64_t left_;
};

}  // namespace

Result<Table> read_table(std::span<const std::byte> file, int64_t budget) { return Reader(file, budget).run(); }

}  // namespace tern::tensorflow
