// See texts.h.
#include "loaders/hdf5/texts.h"

#include <algorithm>

namespace tern::hdf5 {
namespace {

constexpr uint64_t kTextBytes = 32;  // of a std::string, whatever it holds

std::string_view view_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

// Signature, version 1, 3 bytes of nothing, size; then objects: number, references, 4 bytes of nothing, size, bytes padded to 8. Number 0 is the
// free rest.
Result<std::vector<GlobalHeap::Object>> GlobalHeap::read(Space& space, uint64_t address) {
  constexpr const char* kName = "global heap";
  // Before the collection's objects, and before an object's bytes: with lengths of 4 or 2 bytes padded to 8 too.
  constexpr uint64_t kHead = 16;
  auto head = space.at(address, kHead, kName, "GCOL");
  if (!head) return head.error();
  Fields prefix = space.fields(*head);
  prefix.skip(4);
  const uint8_t version = prefix.u8();
  prefix.skip(3);
  const uint64_t size = prefix.length();
  if (version != 1) return unsupported("has a global heap of version " + std::to_string(version));
  if (size < kHead) return space.damaged(kName, address);
  auto all = space.at(address, size, kName);
  if (!all) return all.error();
  Fields in = space.fields(all->subspan(kHead));
  std::vector<Object> out;
  while (in.left() >= kHead) {
    const uint32_t index = in.u16();
    if (index == 0) break;
    in.skip(6);
    const uint64_t bytes = in.length();
    in.skip(8 - static_cast<uint64_t>(space.length_size()));
    const auto piece = in.take(bytes);
    if (in.fits() && bytes % 8 != 0) in.skip(8 - bytes % 8);
    if (!in.fits()) return space.damaged(kName, address, "has an object that reaches beyond it");
    if (++objects_ > space.bytes().size() / 16) return space.damaged(kName, address, "lies over others");
    out.push_back({index, piece});
  }
  std::sort(out.begin(), out.end(), [](const Object& a, const Object& b) { return a.index < b.index; });
  return out;
}

Result<std::span<const std::byte>> GlobalHeap::object(Space& space, uint64_t address, uint32_t index) {
  auto collection = collections_.find(address);
  if (collection == collections_.end()) {
    auto objects = read(space, address);
    if (!objects) return objects.error();
    collection = collections_.emplace(address, std::move(*objects)).first;
  }
  const auto& all = collection->second;
  const auto it = std::lower_bound(all.begin(), all.end(), index, [](const Object& o, uint32_t i) { return o.index < i; });
  if (it == all.end() || it->index != index) return space.damaged("global heap", address, "has no object " + std::to_string(index));
  return it->bytes;
}

Result<std::vector<std::string>> read_texts(Space& space, GlobalHeap& heap, const Datatype& type, std::span<const std::byte> data, uint64_t count) {
  if (type.dtype != DType::string) return invalid("is " + type.name + " and no text");
  const auto size = static_cast<uint64_t>(type.size);  // not 0
  if (type.variable && size != 8 + static_cast<uint64_t>(space.offset_size())) return invalid("has texts whose places are of another size");
  if (count > data.size() / size) return invalid("has fewer bytes than its sizes need");
  if (Status s = space.copy(count * kTextBytes); !s) return s.error();
  std::vector<std::string> out;
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    auto element = data.subspan(i * size, size);
    if (type.variable) {  // bytes, address of the collection, number in it
      Fields in = space.fields(element);
      const uint64_t bytes = in.u32(), address = in.address();
      element = {};
      if (bytes > 0) {
        auto object = heap.object(space, address, in.u32());
        if (!object) return object.error();
        if (object->size() < bytes) return invalid("has a text that is longer than its place in the global heap");
        element = object->first(bytes);
      }
    }
    std::string_view text = view_of(element);
    text = text.substr(0, text.find('\0'));
    if (type.spaces) text = text.substr(0, text.find_last_not_of(' ') + 1);
    if (Status s = space.copy(text.size()); !s) return s.error();
    out.emplace_back(text);
  }
  return out;
}

}  // namespace tern::hdf5
