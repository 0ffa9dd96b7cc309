// See attributes.h.
#include "loaders/hdf5/attributes.h"

#include <algorithm>

#include "loaders/hdf5/btree.h"
#include "loaders/hdf5/fractal_heap.h"
#include "runtime/base/checked.h"
#include "runtime/base/shape.h"

namespace tern::hdf5 {
namespace {

// Version 1 pads the name and what follows it to 8 bytes.
uint64_t padded(const Attribute& a, uint64_t n) { return a.version == 1 ? (n + 7) / 8 * 8 : n; }

// Version, flags (1: the datatype is shared, 2: the dataspace is), bytes of name, datatype and dataspace, in version 3 the character set; then these
// three, and the elements.
Status add_attribute(Space& space, std::span<const std::byte> message, std::vector<Attribute>& out) {
  Attribute a{{}, space.fields(message)};
  Fields& in = a.rest;
  a.version = in.u8();
  a.flags = in.u8();
  if (in.fits() && (a.version == 0 || a.version > 3)) return unsupported("has an attribute of version " + std::to_string(a.version));
  if (a.version == 1) a.flags = 0;
  const uint16_t name_bytes = in.u16();
  a.type_bytes = in.u16();
  a.space_bytes = in.u16();
  if (a.version == 3) in.skip(1);
  const auto name = in.take(padded(a, name_bytes));
  if (!in.fits()) return invalid("has an attribute that is truncated");
  const std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  a.name = text.substr(0, text.find('\0'));
  out.push_back(a);
  return {};
}

// Version, flags, the next creation order if it is tracked; the heap, the tree by names.
Status add_dense(Space& space, std::span<const std::byte> message, std::vector<Attribute>& out) {
  Fields in = space.fields(message);
  const uint8_t version = in.u8(), flags = in.u8();
  if (in.fits() && version != 0) return unsupported("has attribute info of version " + std::to_string(version));
  if ((flags & 1) != 0) in.skip(2);
  const uint64_t heap_address = in.address(), tree = in.address();
  if (!in.fits()) return invalid("has attribute info that is truncated");
  if (heap_address == kUndefined) return {};
  auto heap = FractalHeap::open(space, heap_address);
  if (!heap) return heap.error();
  return walk_btree_v2(space, tree, 8, [&](Fields record) -> Status {
    const auto id = record.take(heap->id_bytes());
    const uint8_t message_flags = record.u8();
    if (!record.fits()) return invalid("has a B-tree of attributes whose records are too short");
    if ((message_flags & 2) != 0) return unsupported("has an attribute in a heap that the whole file shares");
    auto body = heap->object(space, id);
    if (!body) return body.error();
    return add_attribute(space, *body, out);
  });
}

}  // namespace

Result<std::vector<Attribute>> read_attributes(Space& space, const std::vector<Message>& header) {
  std::vector<Attribute> out;
  for (const Message& m : header) {
    if (m.type != MessageType::attribute && m.type != MessageType::attribute_info) continue;
    auto body = resolve(space, m);
    if (!body) return body.error();
    Status s = m.type == MessageType::attribute ? add_attribute(space, *body, out) : add_dense(space, *body, out);
    if (!s) return s.error();
  }
  return out;
}

const Attribute* find_attribute(const std::vector<Attribute>& all, std::string_view name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const Attribute& a) { return a.name == name; });
  return it == all.end() ? nullptr : &*it;
}

Result<AttributeValue> read_value(Space& space, const Attribute& a) {
  Fields in = a.rest;
  auto type_bytes = resolve(space, {MessageType::datatype, (a.flags & 1) != 0, in.take(padded(a, a.type_bytes))});
  if (!type_bytes) return type_bytes.error();
  auto space_bytes = resolve(space, {MessageType::dataspace, (a.flags & 2) != 0, in.take(padded(a, a.space_bytes))});
  if (!space_bytes) return space_bytes.error();
  if (!in.fits()) return invalid("is truncated");
  auto type = read_datatype(space.fields(*type_bytes));
  if (!type) return type.error();
  auto sizes = read_dataspace(space.fields(*space_bytes));
  if (!sizes) return sizes.error();
  AttributeValue v;
  v.count = sizes->null ? 0 : static_cast<uint64_t>(*checked_count(sizes->sizes));  // read_dataspace checked it
  v.data = in.take(in.left());
  if (v.count > v.data.size() / static_cast<uint64_t>(type->size)) return invalid("has fewer bytes than its sizes need");
  v.type = std::move(*type);
  v.space = std::move(*sizes);
  return v;
}

}  // namespace tern::hdf5
