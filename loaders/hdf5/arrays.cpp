// See arrays.h. Blocks of both begin alike; long ones are cut into pages, of which those that were never written are told by bits.
#include "loaders/hdf5/arrays.h"

#include <bit>
#include <string_view>

namespace tern::hdf5 {
namespace {

struct Array {
  Space& space;
  uint64_t header;
  bool filtered;
  const VisitElement& visit;
  std::string_view name;
  uint64_t element = 0;  // bytes
  uint64_t page = 0;     // elements
};

// Signature, version 0, kind of chunks (1: filtered); in blocks also the header's address.
Status check_start(Array& a, Fields& in, uint64_t at, bool block) {
  in.skip(4);
  const uint8_t version = in.u8(), filtered = in.u8();
  if (version != 0 || filtered != (a.filtered ? 1 : 0)) return a.space.damaged(a.name, at, "is of another version or kind of chunks");
  if (block && in.address() != a.header) return a.space.damaged(a.name, at, "has a block of another one");
  return {};
}

// A block whose last four bytes are its checksum, positioned behind what check_start reads.
Result<Fields> read_block(Array& a, uint64_t at, uint64_t size, std::string_view signature) {
  auto bytes = a.space.at(at, size, a.name, signature);
  if (!bytes) return bytes.error();
  if (Status s = a.space.check_sum(*bytes, at, a.name); !s) return s.error();
  Fields in = a.space.fields(bytes->first(size - 4));
  if (Status s = check_start(a, in, at, true); !s) return s.error();
  return in;
}

Status visit_all(Array& a, Fields& in, uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    if (Status s = a.visit(first + i, in.part(a.element)); !s) return s;
  }
  return {};
}

// Bit i of a map, the first one being the high bit of the first byte.
bool bit(std::span<const std::byte> bits, uint64_t i) { return i / 8 < bits.size() && (static_cast<uint8_t>(bits[i / 8]) & (0x80 >> i % 8)) != 0; }

// `count` elements in pages from `at`, each with its checksum; of those that `written` tells from its bit `bit_at` on.
Status visit_pages(Array& a, uint64_t at, uint64_t first, uint64_t count, std::span<const std::byte> written, uint64_t bit_at) {
  for (uint64_t done = 0; done < count; done += a.page, at += a.page * a.element + 4, ++bit_at) {
    if (!bit(written, bit_at)) continue;
    const uint64_t n = std::min(a.page, count - done), size = n * a.element + 4;
    auto bytes = a.space.at(at, size, a.name);
    if (!bytes) return bytes.error();
    if (Status s = a.space.check_sum(*bytes, at, a.name); !s) return s;
    Fields in = a.space.fields(*bytes);
    if (Status s = visit_all(a, in, first + done, n); !s) return s;
  }
  return {};
}

// Bytes of a block that are not its elements: signature, version, kind, header; checksum.
uint64_t overhead(const Space& space) { return 10 + static_cast<uint64_t>(space.offset_size()); }

// What an extensible array's header says, and what follows from it.
struct Growth {
  uint64_t bits, in_index, least, pointers, index_block;
  size_t offset_bytes;
};

// Blocks come in sets: set i has 2^(i/2) blocks of least * 2^((i+1)/2) elements.
uint64_t blocks_of(uint64_t set) { return uint64_t(1) << (set / 2); }
uint64_t elements_of(const Growth& g, uint64_t set) { return g.least << ((set + 1) / 2); }

Status visit_data_block(Array& a, const Growth& g, uint64_t at, uint64_t first, uint64_t count, std::span<const std::byte> written, uint64_t bit_at) {
  const bool paged = count > a.page;
  const uint64_t head = overhead(a.space) + g.offset_bytes;
  if (count > a.space.bytes().size()) return a.space.damaged(a.name, a.header, "has a block that is larger than the file");
  auto in = read_block(a, at, head + (paged ? 0 : count * a.element), "EADB");
  if (!in) return in.error();
  in->skip(g.offset_bytes);  // its first element, as some count it
  return paged ? visit_pages(a, at + head, first, count, written, bit_at) : visit_all(a, *in, first, count);
}

// A set that has a block of its own, with the addresses of its data blocks.
Status visit_set(Array& a, const Growth& g, uint64_t at, uint64_t set, uint64_t first) {
  const uint64_t blocks = blocks_of(set), count = elements_of(g, set), pages = count > a.page ? count / a.page : 0;
  if (blocks > a.space.bytes().size() || pages > a.space.bytes().size()) return a.space.damaged(a.name, a.header, "is larger than the file");
  const uint64_t bits = blocks * ((pages + 7) / 8);
  auto in = read_block(a, at, overhead(a.space) + g.offset_bytes + bits + blocks * static_cast<uint64_t>(a.space.offset_size()), "EASB");
  if (!in) return in.error();
  in->skip(g.offset_bytes);
  const auto written = in->take(bits);
  for (uint64_t i = 0; i < blocks; ++i, first += count) {
    const uint64_t block = in->address();
    if (block == kUndefined) continue;
    if (Status s = visit_data_block(a, g, block, first, count, written, i * pages); !s) return s;
  }
  return {};
}

}  // namespace

// Header: start, bytes of an element, bits of a page's length, length, the block's address. Block: bits of pages, or the elements.
Status walk_fixed_array(Space& space, uint64_t header, bool filtered, uint64_t count, const VisitElement& visit) {
  Array a{space, header, filtered, visit, "fixed array"};
  auto bytes = space.at(header, 12 + static_cast<uint64_t>(space.offset_size() + space.length_size()), a.name, "FAHD");
  if (!bytes) return bytes.error();
  if (Status s = space.check_sum(*bytes, header, a.name); !s) return s;
  Fields in = space.fields(*bytes);
  if (Status s = check_start(a, in, header, false); !s) return s;
  a.element = in.u8();
  const uint8_t page_bits = in.u8();
  const uint64_t length = in.length(), block = in.address();
  if (length != count || count > space.bytes().size() || a.element == 0 || page_bits > 32)
    return space.damaged(a.name, header, "is of another length");
  if (block == kUndefined) return {};
  a.page = uint64_t(1) << page_bits;
  const bool paged = count > a.page;
  const uint64_t pages = paged ? (count + a.page - 1) / a.page : 0, bits = (pages + 7) / 8, head = overhead(space) + bits;
  auto body = read_block(a, block, head + (paged ? 0 : count * a.element), "FADB");
  if (!body) return body.error();
  const auto written = body->take(bits);
  return paged ? visit_pages(a, block + head, 0, count, written, 0) : visit_all(a, *body, 0, count);
}

// Header: start, bytes of an element, bits of the longest length, elements in the index block, least of a data block, least pointers of a set's
// block, bits of a page's length, six counts, the index block's address. Index block: elements, addresses of the data blocks of the first sets,
// addresses of the blocks of the other sets.
Status walk_extensible_array(Space& space, uint64_t header, bool filtered, const VisitElement& visit) {
  Array a{space, header, filtered, visit, "extensible array"};
  const auto o = static_cast<uint64_t>(space.offset_size());
  auto bytes = space.at(header, 16 + o + 6 * static_cast<uint64_t>(space.length_size()), a.name, "EAHD");
  if (!bytes) return bytes.error();
  if (Status s = space.check_sum(*bytes, header, a.name); !s) return s;
  Fields in = space.fields(*bytes);
  if (Status s = check_start(a, in, header, false); !s) return s;
  a.element = in.u8();
  Growth g{};
  g.bits = in.u8();
  g.in_index = in.u8();
  g.least = in.u8();
  g.pointers = in.u8();
  const uint8_t page_bits = in.u8();
  in.skip(6 * static_cast<uint64_t>(space.length_size()));
  g.index_block = in.address();
  g.offset_bytes = (g.bits + 7) / 8;
  if (a.element == 0 || !std::has_single_bit(g.least) || !std::has_single_bit(g.pointers) || g.bits > 64 || page_bits > 32 ||
      g.bits + 1 < static_cast<uint64_t>(std::bit_width(g.least))) {
    return space.damaged(a.name, header);
  }
  if (g.index_block == kUndefined) return {};
  a.page = uint64_t(1) << page_bits;
  const uint64_t sets = g.bits + 2 - static_cast<uint64_t>(std::bit_width(g.least));
  const uint64_t direct_sets = 2 * static_cast<uint64_t>(std::bit_width(g.pointers) - 1), direct = 2 * (g.pointers - 1);
  if (direct_sets > sets) return space.damaged(a.name, header);
  auto index = read_block(a, g.index_block, overhead(space) + g.in_index * a.element + (direct + sets - direct_sets) * o, "EAIB");
  if (!index) return index.error();
  if (Status s = visit_all(a, *index, 0, g.in_index); !s) return s;
  uint64_t first = g.in_index;
  for (uint64_t set = 0; set < sets; ++set) {
    const uint64_t blocks = blocks_of(set), count = elements_of(g, set);
    if (set >= direct_sets) {
      const uint64_t block = index->address();
      if (Status s = block != kUndefined ? visit_set(a, g, block, set, first) : Status(); !s) return s;
    }
    for (uint64_t i = 0; set < direct_sets && i < blocks; ++i) {
      const uint64_t block = index->address();
      if (block == kUndefined) continue;
      if (count > a.page) return space.damaged(a.name, header, "has pages where none can be");
      if (Status s = visit_data_block(a, g, block, first + i * count, count, {}, 0); !s) return s;
    }
    first += blocks * count;  // wraps only behind the last set: an index beyond the chunks is refused
  }
  return {};
}

}  // namespace tern::hdf5
