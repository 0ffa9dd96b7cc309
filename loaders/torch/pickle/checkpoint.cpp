// The containers: zip (torch 1.6 to today), legacy (0.1.10 to 1.5), bare pickles. See checkpoint.h and the tables in loaders/README.md.
#include "loaders/torch/pickle/checkpoint.h"

#include <cstring>

#include "loaders/torch/module/dtypes.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"

namespace tern::torch {
namespace {

constexpr uint64_t kMostPickle = uint64_t(256) << 20;
constexpr uint64_t kFreeInflated = uint64_t(64) << 20, kInflatedPerByte = 16;  // what members may decompress to
// 0x1950a86a20f9469cfc6c, little-endian: the first of a legacy file's five pickles.
constexpr std::string_view kMagicText = "L119547037146038801333356L";  // protocols 0 and 1
constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

bool begins(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

bool looks_like_checkpoint(std::span<const std::byte> bytes) {
  if (begins(bytes, "PK\x03\x04") || begins(bytes, kMagicText)) return true;
  if (bytes.size() < 4) return false;
  // Protocols 0 and 1 have no mark of their own: an object begins in one of few ways, and all of it must make sense.
  if (std::string_view("(]}c").find(static_cast<char>(bytes[0])) != std::string_view::npos) {
    size_t position = 0;
    return bytes.size() <= kMostPickle && bytes.back() == std::byte{'.'} && Pickle::read(bytes, position).ok() && position == bytes.size();
  }
  if (bytes[0] != std::byte{0x80}) return false;
  const auto protocol = static_cast<uint8_t>(bytes[1]);
  return protocol >= 1 && protocol <= 5 && (bytes.back() == std::byte{'.'} || bytes.size() > 64);
}

Result<Checkpoint> Checkpoint::open(const Source& source) {
  if (begins(source.bytes, "PK\x03\x04")) {
    auto zip = ZipArchive::open(source.bytes, {.in_place = is_in_place(source.owner), .zero_crc_unset = true});
    if (!zip) return zip.error();
    return open(source, std::make_shared<const ZipArchive>(std::move(*zip)));
  }
  size_t position = 0;
  auto first = Pickle::read(source.bytes.first(std::min<size_t>(source.bytes.size(), 64)), position);
  if (first && first->is(first->root(), Pickle::Kind::big_integer) && (first->text(first->root()) == kMagic || begins(source.bytes, kMagicText))) {
    return open_legacy(source);
  }
  return open_pickle(source);
}

Result<Checkpoint> Checkpoint::open(const Source& source, std::shared_ptr<const ZipArchive> archive) {
  const ZipArchive& zip = *archive;
  Checkpoint c;
  c.format_ = "pytorch (zip)";
  c.source_ = source;
  c.zip_ = std::move(archive);
  c.room_for_inflated_ = kFreeInflated + kInflatedPerByte * source.bytes.size();
  if (zip.entries().empty()) return invalid("the ZIP archive is empty");
  // The folder is named after the file, or anything else; other programs may have added members beside it.
  const std::string& first = zip.entries()[0].name;
  c.prefix_ = first.substr(0, first.find('/') == std::string::npos ? 0 : first.find('/') + 1);
  size_t pickles = 0;
  for (const ZipArchive::Entry& e : zip.entries()) {
    const size_t slash = e.name.find('/');
    if (e.name != "data.pkl" && (slash == std::string::npos || std::string_view(e.name).substr(slash) != "/data.pkl")) continue;
    if (++pickles > 1) return invalid("the archive holds two files data.pkl");
    c.prefix_ = e.name.substr(0, e.name.size() - 8);
  }
  const ZipArchive::Entry* data = zip.find(c.prefix_ + "data.pkl");
  if (data == nullptr) return invalid("a ZIP archive without data.pkl is no PyTorch file");
  if (const auto* order = zip.find(c.prefix_ + "byteorder")) {
    auto text = zip.read(*order, 64);
    if (!text) return text.error();
    const std::string_view s(reinterpret_cast<const char*>(text->data()), text->size());
    if (s != "little" && s != "big") return invalid("byteorder is neither little nor big");
    c.big_endian_ = s == "big";
  }
  std::span<const std::byte> bytes;
  if (data->method == 0) {
    auto view = zip.view(*data);
    if (!view) return view.error();
    bytes = *view;
  } else {
    auto read = zip.read(*data, std::min(kMostPickle, c.room_for_inflated_));
    if (!read) return read.error();
    c.inflated_ = std::make_shared<const std::vector<std::byte>>(std::move(*read));
    bytes = *c.inflated_;
  }
  size_t position = 0;
  auto pickle = Pickle::read(bytes, position);
  if (!pickle) return pickle.error().within("data.pkl");
  c.pickle_ = std::make_shared<Pickle>(std::move(*pickle));
  return c;
}

// magic, version and system information, the object, the keys of its storages: five pickles. Then each storage: i64 elements, and they.
Result<Checkpoint> Checkpoint::open_legacy(const Source& source) {
  Checkpoint c;
  c.format_ = "pytorch (legacy)";
  c.source_ = source;
  size_t position = 0;
  std::shared_ptr<Pickle> keys;
  for (int part = 0; part < 5; ++part) {
    auto pickle = Pickle::read(source.bytes, position);
    if (!pickle) return pickle.error();
    if (part == 1 && !(pickle->is(pickle->root(), Pickle::Kind::integer) && pickle->integer(pickle->root()) == 1001)) {
      return unsupported("a legacy file of an unknown version");
    }
    for (const Pickle::Global& g : part == 3 ? std::vector<Pickle::Global>() : pickle->globals()) {
      if (!is_known_global(g)) c.more_globals_.push_back(g.module + "." + g.name);
    }
    if (part == 3) c.pickle_ = std::make_shared<Pickle>(std::move(*pickle));
    else if (part == 4) keys = std::make_shared<Pickle>(std::move(*pickle));
  }
  if (!keys->is(keys->root(), Pickle::Kind::list)) return invalid("the list of storages is missing");
  // How large an element is, the persistent ids of the object say.
  std::map<std::string, std::pair<int64_t, int64_t>, std::less<>> sizes;  // elements, bytes of one
  const Pickle& p = *c.pickle_;
  for (ObjectId id = 0; id < p.size(); ++id) {
    if (!p.is(id, Pickle::Kind::persistent)) continue;
    const auto items = p.items(p.pid(id));
    if (items.size() < 5 || !p.is(items[0], Pickle::Kind::text) || p.text(items[0]) != "storage") continue;
    if (!p.is(items[1], Pickle::Kind::global) || !p.is(items[2], Pickle::Kind::text) || !p.is(items[4], Pickle::Kind::integer)) continue;
    if (const ElementType* type = element_of_storage(p.name(items[1]))) sizes.emplace(p.text(items[2]), std::pair(p.integer(items[4]), type->bytes));
  }
  ByteReader in(source.bytes);
  in.seek(position);
  for (ObjectId key : keys->items(keys->root())) {
    if (!keys->is(key, Pickle::Kind::text)) return invalid("the key of a storage is no text");
    const std::string name(keys->text(key));
    auto size = sizes.find(name);
    if (size == sizes.end()) return invalid("storage " + name + " is used by no tensor");
    auto count = in.read<int64_t>();
    if (!count) return invalid("the file is truncated in storage " + name);
    if (*count != size->second.first)
      return invalid("storage " + name + " has " + std::to_string(*count) + " elements, its tensors say " + std::to_string(size->second.first));
    auto bytes = checked_mul(*count, size->second.second);
    auto piece = bytes && *bytes >= 0 ? in.take(static_cast<size_t>(*bytes)) : std::nullopt;
    if (!piece) return invalid("the file is truncated in storage " + name);
    if (!c.legacy_.emplace(name, *piece).second) return invalid("storage " + name + " is there twice");
  }
  return c;
}

Result<Checkpoint> Checkpoint::open_pickle(const Source& source) {
  Checkpoint c;
  c.format_ = "pickle";
  c.source_ = source;
  if (source.bytes.size() > kMostPickle) return invalid("a pickle of more than 256 MB");
  size_t position = 0;
  auto pickle = Pickle::read(source.bytes, position);
  if (!pickle) return pickle.error();
  c.pickle_ = std::make_shared<Pickle>(std::move(*pickle));
  return c;
}

}  // namespace tern::torch
