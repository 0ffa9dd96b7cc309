// See hdf5.h: the tree of names, and what is asked of one object.
#include "loaders/hdf5/hdf5.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "loaders/hdf5/attributes.h"
#include "loaders/hdf5/groups.h"
#include "loaders/hdf5/read.h"
#include "loaders/hdf5/superblock.h"
#include "loaders/hdf5/texts.h"
#include "runtime/base/half.h"
#include "runtime/base/printable.h"
#include "runtime/base/shape.h"
#include "runtime/base/tensor.h"

namespace tern::hdf5 {
namespace {

const char* link_text(File::Kind kind) {
  if (kind == File::Kind::soft_link) return "a soft link";
  return kind == File::Kind::external_link ? "a link to another file" : "a user-defined link";
}

File::Kind kind_of(Link::Kind kind) {
  if (kind == Link::Kind::soft) return File::Kind::soft_link;
  return kind == Link::Kind::external ? File::Kind::external_link : File::Kind::user_link;
}

}  // namespace

struct File::Body {
  struct Node {
    std::string_view name;  // in the file
    uint64_t address = kUndefined;
    Id parent = kNothing, first = 0, count = 0;  // children lie side by side, by name
    Kind kind = Kind::group;
  };

  Body(const Source& file, std::span<const std::byte> bytes, int64_t budget) : owner(file.owner), space(bytes, budget) {}

  std::shared_ptr<const void> owner;
  Space space;
  GlobalHeap heap;
  std::vector<Node> nodes;
  std::unordered_map<uint64_t, Kind> kinds;            // of objects that were met
  std::unordered_map<uint64_t, StoredTensor> tensors;  // that were read

  std::string path(Id id) const {
    std::vector<std::string_view> names;
    for (; id != 0; id = nodes[id].parent) names.push_back(nodes[id].name);
    std::string out;
    for (size_t i = names.size(); i-- > 0 && out.size() < 500;) out += (out.empty() ? "" : "/") + printable(names[i], 200);
    return out.empty() ? "/" : out;
  }

  Status read_group(Id id, const std::vector<Message>& header) {
    std::vector<Link> links;
    if (Status s = read_links(space, header, kMostLinks - nodes.size(), links); !s) return s;
    std::sort(links.begin(), links.end(), [](const Link& a, const Link& b) { return a.name < b.name; });
    nodes[id].first = static_cast<Id>(nodes.size());
    nodes[id].count = static_cast<Id>(links.size());
    for (size_t i = 0; i < links.size(); ++i) {
      const Link& l = links[i];
      if (i > 0 && l.name == links[i - 1].name) return invalid("has the name " + printable(l.name, 100) + " twice");
      nodes.push_back({l.name, l.address, id, 0, 0, l.kind == Link::Kind::hard ? Kind::group : kind_of(l.kind)});
    }
    return {};
  }

  // What an object is, and the links of a group.
  Status read_object(Id id) {
    const uint64_t address = nodes[id].address;
    if (nodes[id].kind != Kind::group) return {};  // a link
    if (const auto known = kinds.find(address); known != kinds.end()) {
      nodes[id].kind = known->second;
      if (known->second != Kind::group) return {};
      for (Id above = nodes[id].parent; above != kNothing; above = nodes[above].parent) {
        if (nodes[above].address == address) return invalid("is the group that it lies in: groups that contain themselves are not read");
      }
      return invalid("is a group that has another name too, which is not supported");
    }
    auto header = read_messages(space, address);
    if (!header) return header.error();
    const Kind kind = find_message(*header, MessageType::layout) != nullptr     ? Kind::dataset
                      : is_group(*header)                                       ? Kind::group
                      : find_message(*header, MessageType::datatype) != nullptr ? Kind::datatype
                                                                                : Kind::soft_link;
    if (kind == Kind::soft_link) return invalid("is neither a group nor a dataset nor a datatype");
    nodes[id].kind = kinds[address] = kind;
    return kind == Kind::group ? read_group(id, *header) : Status();
  }

  Result<Dataset> dataset(Id id) {
    if (nodes[id].kind != Kind::dataset) return invalid("is no dataset");
    auto header = read_messages(space, nodes[id].address);
    if (!header) return header.error();
    return read_dataset(space, *header);
  }

  // The attributes of an object, none of a link.
  Result<std::vector<Attribute>> attributes(Id id) {
    if (nodes[id].kind > Kind::datatype) return std::vector<Attribute>();
    auto header = read_messages(space, nodes[id].address);
    if (!header) return header.error();
    return read_attributes(space, *header);
  }

  Result<std::vector<std::string>> texts(const Attribute& a) {
    auto value = read_value(space, a);
    auto out = !value              ? Result<std::vector<std::string>>(value.error())
               : value->count == 0 ? std::vector<std::string>()
                                   : read_texts(space, heap, value->type, value->data, value->count);
    if (!out) return out.error().within("attribute " + printable(a.name, 100));
    return out;
  }
};

namespace {

StoredTensor described(const Dataset& d) {
  StoredTensor t;
  const bool tensor = d.type.dtype != DType::none && d.type.dtype != DType::string;
  t.dtype = tensor ? d.type.dtype : DType::none;
  t.dtype_name = d.type.name;
  t.element_size = d.type.size;
  t.sizes = d.space.sizes;
  t.strides.resize(t.sizes.size());
  int64_t stride = 1;
  for (size_t i = t.sizes.size(); i-- > 0;) {
    t.strides[i] = stride;
    stride *= std::max<int64_t>(t.sizes[i], 1);  // no overflow: the count was checked
  }
  t.refusal = d.refusal.empty() && d.space.null ? "a dataset without elements (null)" : d.refusal;
  return t;
}

// A copy in the machine's byte order.
Result<Elements> swapped(Space& space, const Elements& from, size_t size) {
  if (Status s = space.copy(from.bytes.size()); !s) return s.error();
  auto memory = allocate_aligned(from.bytes.size() + kAlignment);
  for (size_t at = 0; at < from.bytes.size(); at += size) std::reverse_copy(&from.bytes[at], &from.bytes[at] + size, memory.get() + at);
  return Elements{{memory.get(), from.bytes.size()}, memory, static_cast<int64_t>(kAlignment)};
}

}  // namespace

bool looks_like_hdf5(std::span<const std::byte> bytes) { return find_superblock(bytes).has_value(); }

Result<File> File::open(const Source& source, int64_t budget) {
  const auto begin = find_superblock(source.bytes);
  if (!begin) return invalid("not an HDF5 file");
  auto body = std::make_shared<Body>(source, source.bytes.subspan(*begin), budget);
  auto root = read_superblock(body->space, *begin);
  if (!root) return root.error();
  body->nodes.push_back({"", *root});
  for (Id id = 0; id < body->nodes.size(); ++id) {
    if (Status s = body->read_object(id); !s) return s.error().within(body->path(id));
  }
  if (body->nodes[0].kind != Kind::group) return invalid("the root of the file is no group");
  return File(std::move(body));
}

File::Kind File::kind(Id id) const { return body_->nodes[id].kind; }
std::string_view File::name(Id id) const { return body_->nodes[id].name; }
std::string File::path(Id id) const { return body_->path(id); }
size_t File::objects() const { return body_->nodes.size(); }

std::vector<File::Id> File::children(Id id) const {
  std::vector<Id> out(body_->nodes[id].count);
  for (Id i = 0; i < out.size(); ++i) out[i] = body_->nodes[id].first + i;
  return out;
}

Result<File::Id> File::find(Id from, std::string_view path) const {
  const auto& nodes = body_->nodes;
  Id at = from;
  while (true) {
    if (nodes[at].kind > Kind::datatype) return unsupported(body_->path(at) + ": is " + link_text(nodes[at].kind) + ", which is not followed");
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    if (path.empty()) return at;
    const std::string_view step = path.substr(0, path.find('/'));
    const auto first = nodes.begin() + nodes[at].first, last = first + nodes[at].count;
    const auto it = std::lower_bound(first, last, step, [](const Body::Node& n, std::string_view name) { return n.name < name; });
    if (it == last || it->name != step) return kNothing;
    at = static_cast<Id>(it - nodes.begin());
    path.remove_prefix(step.size());
  }
}

Result<std::vector<std::string>> File::attribute_names(Id id) const {
  auto all = body_->attributes(id);
  if (!all) return all.error();
  std::vector<std::string> names;
  for (const Attribute& a : *all) names.emplace_back(a.name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<std::vector<std::string>>> File::texts(Id id, std::string_view name) const {
  auto all = body_->attributes(id);
  if (!all) return all.error();
  if (const Attribute* whole = find_attribute(*all, name)) {
    auto out = body_->texts(*whole);
    if (!out) return out.error();
    return std::optional(std::move(*out));
  }
  std::vector<std::string> joined;
  std::sort(all->begin(), all->end(), [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
  for (size_t i = 0;; ++i) {
    const std::string part = std::string(name) + std::to_string(i);
    const auto it = std::lower_bound(all->begin(), all->end(), part, [](const Attribute& a, const std::string& n) { return a.name < n; });
    if (it == all->end() || it->name != part) return i == 0 ? std::nullopt : std::optional(std::move(joined));
    auto more = body_->texts(*it);
    if (!more) return more.error();
    joined.insert(joined.end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
}

Result<std::optional<std::string>> File::text(Id id, std::string_view name) const {
  auto all = body_->attributes(id);
  if (!all) return all.error();
  const Attribute* a = find_attribute(*all, name);
  if (a == nullptr) return std::optional<std::string>();
  auto out = body_->texts(*a);
  if (!out) return out.error();
  if (out->size() != 1) return invalid("attribute " + printable(name, 100) + ": is a list of " + std::to_string(out->size()) + " and no text");
  return std::optional(std::move(out->front()));
}

Result<std::optional<double>> File::number(Id id, std::string_view name) const {
  auto all = body_->attributes(id);
  if (!all) return all.error();
  const Attribute* a = find_attribute(*all, name);
  if (a == nullptr) return std::optional<double>();
  auto v = read_value(body_->space, *a);
  if (!v) return v.error().within("attribute " + printable(name, 100));
  std::byte bytes[8] = {};
  if (v->count == 1 && v->type.size <= 8) {
    std::copy_n(v->data.begin(), v->type.size, bytes);
    if (v->type.big_endian) std::reverse(bytes, bytes + v->type.size);
  }
  const auto number = visit(v->count == 1 ? v->type.dtype : DType::none, [&]<class T>() -> std::optional<double> {
    if constexpr (std::is_same_v<T, bool>) return bytes[0] != std::byte{0};
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, StringRef>) {
      T value;
      std::memcpy(&value, bytes, sizeof value);
      if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(value);
      else return to_f32(value);
    }
    return std::nullopt;
  });
  if (!number) return invalid("attribute " + printable(name, 100) + ": is no number");
  return number;
}

Result<StoredTensor> File::describe(Id id) const {
  auto d = body_->dataset(id);
  if (!d) return d.error();
  return described(*d);
}

Result<StoredTensor> File::read(Id id) const {
  const auto known = body_->tensors.find(body_->nodes[id].address);
  if (known != body_->tensors.end() && kind(id) == Kind::dataset) return known->second;
  auto d = body_->dataset(id);
  if (!d) return d.error();
  StoredTensor t = described(*d);
  if (!t.refusal.empty()) return unsupported("is " + t.refusal + ", which is not supported");
  auto elements = read_elements(body_->space, *d, body_->owner);
  if (elements && d->type.big_endian) elements = swapped(body_->space, *elements, static_cast<size_t>(d->type.size));
  if (!elements) return elements.error();
  t.storage = std::make_shared<Storage>(Storage{elements->bytes, elements->owner, path(id), elements->readable_after});
  if (Status s = check_view(t); !s) return s.error();
  body_->tensors.emplace(body_->nodes[id].address, t);
  return t;
}

Result<std::vector<std::string>> File::strings(Id id) const {
  auto d = body_->dataset(id);
  if (!d) return d.error();
  auto elements = read_elements(body_->space, *d, body_->owner);
  if (!elements) return elements.error();
  const auto count = d->space.null ? 0 : static_cast<uint64_t>(*checked_count(d->space.sizes));  // read_elements checked it
  return read_texts(body_->space, body_->heap, d->type, elements->bytes, count);
}

}  // namespace tern::hdf5
