// See groups.h.
#include "loaders/hdf5/groups.h"

#include <algorithm>

#include "loaders/hdf5/btree.h"
#include "loaders/hdf5/fractal_heap.h"

namespace tern::hdf5 {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class Links {
 public:
  Links(Space& space, size_t left, std::vector<Link>& out) : space_(space), left_(left), out_(out) {}

  Status add(const Link& link) {
    if (link.name.empty() || link.name == "." || link.name.find('/') != link.name.npos) return invalid("has a link whose name is none");
    if (out_.size() >= left_) return invalid("the file has more than " + std::to_string(kMostLinks) + " links");
    out_.push_back(link);
    return {};
  }

  // Addresses of a B-tree of version 1 and of the heap with the names.
  Status add_table(std::span<const std::byte> message) {
    Fields in = space_.fields(message);
    const uint64_t tree = in.address(), heap = in.address();
    if (!in.fits()) return invalid("has a symbol table without an address");
    auto names = local_heap(heap);
    if (!names) return names.error();
    return walk_btree_v1(space_, tree, 0, static_cast<size_t>(space_.length_size()),
                         [&](Fields, uint64_t node) { return add_symbols(node, *names); });
  }

  // Version, flags; kind, creation order and character set if the flags say so; the name; where it leads.
  Status add_message(std::span<const std::byte> message) {
    Fields in = space_.fields(message);
    const uint8_t version = in.u8(), flags = in.u8();
    if (in.fits() && version != 1) return unsupported("has a link of version " + std::to_string(version));
    const uint8_t kind = (flags & 8) != 0 ? in.u8() : 0;
    in.skip(((flags & 4) != 0 ? 8 : 0) + ((flags & 16) != 0 ? 1 : 0));
    Link link;
    link.name = text_of(in.take(in.number(size_t(1) << (flags & 3))));
    link.kind = kind == 0 ? Link::Kind::hard : kind == 1 ? Link::Kind::soft : kind == 64 ? Link::Kind::external : Link::Kind::user;
    if (kind == 0) link.address = in.address();
    if (!in.fits()) return invalid("has a link that is truncated");
    return add(link);
  }

  // Version, flags, the next creation order if it is tracked; the heap, the tree by names.
  Status add_dense(std::span<const std::byte> message) {
    Fields in = space_.fields(message);
    const uint8_t version = in.u8(), flags = in.u8();
    if (in.fits() && version != 0) return unsupported("has link info of version " + std::to_string(version));
    if ((flags & 1) != 0) in.skip(8);
    const uint64_t heap_address = in.address(), tree = in.address();
    if (!in.fits()) return invalid("has link info that is truncated");
    if (heap_address == kUndefined) return {};  // the links are messages
    auto heap = FractalHeap::open(space_, heap_address);
    if (!heap) return heap.error();
    return walk_btree_v2(space_, tree, 5, [&](Fields record) -> Status {
      record.skip(4);  // the name's hash
      const auto id = record.take(heap->id_bytes());
      if (!record.fits()) return invalid("has a B-tree of links whose records are too short");
      auto link = heap->object(space_, id);
      if (!link) return link.error();
      return add_message(*link);
    });
  }

 private:
  // Signature, version, size of the data, the first free piece, their address.
  Result<std::span<const std::byte>> local_heap(uint64_t address) {
    auto head =
        space_.at(address, 8 + 2 * static_cast<uint64_t>(space_.length_size()) + static_cast<uint64_t>(space_.offset_size()), "local heap", "HEAP");
    if (!head) return head.error();
    Fields in = space_.fields(*head);
    in.skip(8);
    const uint64_t size = in.length();
    in.length();
    return space_.at(in.address(), size, "local heap's data");
  }

  // Signature, version 1, 0, count; then for each: its name's place in the heap, its header, a kind of cache with 20 bytes for it.
  Status add_symbols(uint64_t address, std::span<const std::byte> names) {
    auto head = space_.at(address, 8, "symbol table node", "SNOD");
    if (!head) return head.error();
    Fields prefix = space_.fields(*head);
    prefix.skip(6);
    const uint64_t count = prefix.u16(), entry = 2 * static_cast<uint64_t>(space_.offset_size()) + 24;
    auto body = space_.at(address + 8, count * entry, "symbol table node");
    if (!body) return body.error();
    Fields in = space_.fields(*body);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t name_at = in.number(static_cast<size_t>(space_.offset_size()));
      Link link;
      link.address = in.address();
      const bool soft = in.u32() == 2;
      in.skip(20);
      const std::string_view rest = name_at < names.size() ? text_of(names.subspan(name_at)) : std::string_view();
      const size_t end = rest.find('\0');
      if (end == rest.npos) return space_.damaged("symbol table node", address, "has a name that is not in the heap");
      link.name = rest.substr(0, end);
      if (soft) link.kind = Link::Kind::soft;
      if (Status s = add(link); !s) return s;
    }
    return {};
  }

  Space& space_;
  const size_t left_;
  std::vector<Link>& out_;
};

}  // namespace

bool is_group(const std::vector<Message>& header) {
  return std::any_of(header.begin(), header.end(), [](const Message& m) {
    return m.type == MessageType::symbol_table || m.type == MessageType::link_info || m.type == MessageType::link;
  });
}

Status read_links(Space& space, const std::vector<Message>& header, size_t left, std::vector<Link>& out) {
  Links links(space, left, out);
  for (const Message& m : header) {
    if (m.shared) continue;  // links never are
    Status s;
    if (m.type == MessageType::symbol_table) s = links.add_table(m.body);
    if (m.type == MessageType::link_info) s = links.add_dense(m.body);
    if (m.type == MessageType::link) s = links.add_message(m.body);
    if (!s) return s;
  }
  return {};
}

}  // namespace tern::hdf5
