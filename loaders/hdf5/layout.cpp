// See layout.h.
#include "loaders/hdf5/layout.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "runtime/base/checked.h"
#include "runtime/base/printable.h"

namespace tern::hdf5 {
namespace {

struct KnownFilter {
  uint16_t id;
  const char* name;
  bool read;
};
constexpr KnownFilter kFilters[] = {
    {1, "deflate", true},      {2, "shuffle", true},   {3, "fletcher32", true},  {4, "szip", false},    {5, "nbit", false},
    {6, "scaleoffset", false}, {32000, "lzf", false},  {32001, "blosc", false},  {32004, "lz4", false}, {32008, "bitshuffle", false},
    {32013, "zfp", false},     {32015, "zstd", false}, {32026, "blosc2", false},
};

// The sizes of a chunk; the last one in the file is the element's. Errors: zeros, another element, more than 4 GiB.
Status set_chunk(Dataset& d, std::vector<uint64_t> sizes) {
  ChunkIndex& c = d.layout.chunks;
  if (sizes.size() != d.space.sizes.size() + 1) return invalid("has chunks of another rank than its own");
  if (sizes.back() != static_cast<uint64_t>(d.type.size)) return invalid("has chunks of other elements than its own");
  uint64_t bytes = 1;
  for (uint64_t n : sizes) {
    if (n == 0 || __builtin_mul_overflow(bytes, n, &bytes) || bytes > UINT32_MAX) return invalid("has chunks of an impossible size");
  }
  c.bytes = bytes;
  c.sizes.assign(sizes.begin(), sizes.end() - 1);
  return {};
}

// Versions 1 and 2: dimensions, class, 5 bytes of nothing, an address unless compact, sizes; compact data.
Status read_old_layout(Fields in, Dataset& d) {
  const size_t dimensions = in.u8();
  const uint8_t kind = in.u8();
  in.skip(5);
  if (kind > 2) return invalid("has a layout of the unknown class " + std::to_string(kind));
  d.layout.kind = static_cast<Layout::Kind>(kind);
  const uint64_t address = kind != 0 ? in.address() : kUndefined;
  std::vector<uint64_t> sizes;
  for (size_t i = 0; i < dimensions; ++i) sizes.push_back(in.u32());
  if (kind == 0) d.layout.compact = in.take(in.u32());
  if (!in.fits()) return invalid("has a layout that is truncated");
  d.layout.address = d.layout.chunks.address = address;
  return kind == 2 ? set_chunk(d, std::move(sizes)) : Status();
}

// Version 4: flags (1: plain edges, 2: a single chunk with filters), dimensions, their bytes, sizes; the index's kind, what it has, its address.
Status read_chunks_v4(Fields in, Dataset& d) {
  ChunkIndex& c = d.layout.chunks;
  const uint8_t flags = in.u8();
  const size_t dimensions = in.u8(), width = in.u8();
  if (width > 8 || dimensions > 33) return invalid("has a layout that is damaged");
  std::vector<uint64_t> sizes;
  for (size_t i = 0; i < dimensions; ++i) sizes.push_back(in.number(width));
  const uint8_t kind = in.u8();
  c.plain_edges = (flags & 1) != 0;
  switch (kind) {
    case 1:
      c.kind = ChunkIndex::Kind::single;
      if ((flags & 2) != 0) {
        c.stored_bytes = in.length();
        c.mask = in.u32();
      }
      break;
    case 2: c.kind = ChunkIndex::Kind::implicit; break;
    case 3:
      c.kind = ChunkIndex::Kind::fixed_array;
      in.skip(1);
      break;
    case 4:
      c.kind = ChunkIndex::Kind::extensible_array;
      in.skip(5);
      break;
    case 5:
      c.kind = ChunkIndex::Kind::btree_v2;
      in.skip(6);
      break;
    default: return invalid("has a chunk index of the unknown kind " + std::to_string(kind));
  }
  c.address = in.address();
  if (!in.fits()) return invalid("has a layout that is truncated");
  if (Status s = set_chunk(d, std::move(sizes)); !s) return s;
  if (kind == 1 && (flags & 2) == 0) c.stored_bytes = c.bytes;
  return {};
}

Status read_layout(Fields in, Dataset& d) {
  const uint8_t version = in.u8();
  if (version == 1 || version == 2) return read_old_layout(in, d);
  if (version != 3 && version != 4) {
    d.refusal = "kept in a layout of version " + std::to_string(version);
    return {};
  }
  const uint8_t kind = in.u8();
  if (kind == 3) {
    d.refusal = "virtual: its data are those of other files";
    return {};
  }
  if (kind > 2) return invalid("has a layout of the unknown class " + std::to_string(kind));
  d.layout.kind = static_cast<Layout::Kind>(kind);
  if (kind == 2 && version == 4) return read_chunks_v4(in, d);
  std::vector<uint64_t> sizes;
  if (kind == 0) d.layout.compact = in.take(in.u16());
  if (kind == 1) {
    d.layout.address = in.address();
    d.layout.bytes = in.length();
  }
  if (kind == 2) {
    const size_t dimensions = in.u8();
    d.layout.chunks.address = in.address();
    for (size_t i = 0; i < dimensions; ++i) sizes.push_back(in.u32());
  }
  if (!in.fits()) return invalid("has a layout that is truncated");
  return kind == 2 ? set_chunk(d, std::move(sizes)) : Status();
}

// Version 1: count, 6 bytes of nothing; of each: id, name's length, flags, count of values, name padded to 8 bytes, values padded to 8 bytes.
// Version 2: nothing is padded, and filters below 256 have neither name nor its length.
Status read_filters(Fields in, Dataset& d) {
  const uint8_t version = in.u8(), count = in.u8();
  if (in.fits() && version != 1 && version != 2) {
    d.refusal = "stored with a list of filters of version " + std::to_string(version);
    return {};
  }
  if (version == 1) in.skip(6);
  for (size_t i = 0; i < count; ++i) {
    Filter f;
    f.id = in.u16();
    const uint64_t length = version == 1 || f.id >= 256 ? in.u16() : 0;
    in.skip(2);
    const uint64_t values = in.u16();
    const auto text = in.take(version == 1 ? static_cast<uint64_t>(round_up(static_cast<int64_t>(length), 8)) : length);
    if (values > 0) f.value = in.u32();
    in.skip(4 * (values > 0 ? values - 1 : 0) + (version == 1 && values % 2 == 1 ? 4 : 0));
    if (!in.fits()) return invalid("has a list of filters that is truncated");
    const auto* known = std::find_if(std::begin(kFilters), std::end(kFilters), [&](const KnownFilter& k) { return k.id == f.id; });
    if (known == std::end(kFilters) || !known->read) {
      const std::string_view its_name(reinterpret_cast<const char*>(text.data()), text.size());
      d.refusal = "stored with the filter " + (known != std::end(kFilters) ? std::string(known->name)
                                               : text.empty()              ? std::to_string(f.id)
                                                                           : printable(its_name.substr(0, its_name.find('\0')), 100));
    }
    d.filters.push_back(f);
  }
  return {};
}

// Versions 1 and 2: when space is taken, when it is filled, whether there is a value; version 3: all of them in one byte. Then size and value.
Status read_fill(Fields in, bool old, Dataset& d) {
  bool defined = true;
  if (!old) {
    const uint8_t version = in.u8();
    if (version == 1 || version == 2) {
      in.skip(2);
      defined = in.u8() != 0 || version == 1;
    } else if (version == 3) {
      defined = (in.u8() & 0x20) != 0;
    } else {
      return invalid("has a fill value of the unknown version " + std::to_string(version));
    }
  }
  const uint32_t size = defined ? in.u32() : 0;
  if (size <= INT32_MAX) d.fill = in.take(size);  // a negative one: there is none
  if (!in.fits()) return invalid("has a fill value that is truncated");
  if (!d.fill.empty() && d.fill.size() != static_cast<size_t>(d.type.size)) return invalid("has a fill value that is no element");
  return {};
}

}  // namespace

Result<Dataset> read_dataset(Space& space, const std::vector<Message>& header) {
  Dataset d;
  // The others are checked against the first two.
  for (const MessageType type :
       {MessageType::datatype, MessageType::dataspace, MessageType::layout, MessageType::filters, MessageType::old_fill, MessageType::fill}) {
    const Message* message = find_message(header, type);
    if (message == nullptr) {
      if (type == MessageType::datatype || type == MessageType::dataspace || type == MessageType::layout)
        return invalid("is a dataset without a datatype, sizes or a layout");
      continue;
    }
    auto body = resolve(space, *message);
    if (!body) return body.error();
    const Fields in = space.fields(*body);
    Status s;
    if (type == MessageType::datatype) {
      auto t = read_datatype(in);
      if (!t) return t.error();
      d.type = std::move(*t);
    } else if (type == MessageType::dataspace) {
      auto n = read_dataspace(in);
      if (!n) return n.error();
      d.space = std::move(*n);
    } else if (type == MessageType::layout) {
      s = read_layout(in, d);
    } else if (type == MessageType::filters) {
      s = read_filters(in, d);
    } else {
      s = read_fill(in, type == MessageType::old_fill, d);
    }
    if (!s) return s.error();
  }
  if (find_message(header, MessageType::external_files) != nullptr) d.refusal = "kept in other files (external storage)";
  return d;
}

}  // namespace tern::hdf5
