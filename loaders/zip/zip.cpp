// See zip.h. Nothing is allocated that the file cannot back: deflate grows data at most 1032 times.
#include "loaders/zip/zip.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "loaders/zip/inflate.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/crc.h"
#include "runtime/base/mapping.h"
#include "runtime/base/printable.h"
#include "runtime/base/tensor.h"

namespace tern {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;

template <class T>
T at(std::span<const std::byte> bytes, size_t position) {  // precondition: it fits
  T value;
  std::memcpy(&value, bytes.data() + position, sizeof value);
  return value;
}

// What another reader might take for another place, or another name.
bool is_bad_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != name.npos || name.find('\0') != name.npos) return true;
  if (name.size() > 1 && name[1] == ':') return true;
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

// A name in a message: printable, and not a page long.
std::string shown(std::string_view name) { return "member " + printable(name, 100); }

struct Directory {
  uint64_t entries, size, offset;
};

// The end record is the last one in the file, its comment fills the rest, and nothing lies between the directory and it: readers that
// search from the front, from the back, or by offsets find the same directory.
Result<Directory> find_directory(std::span<const std::byte> b) {
  constexpr size_t kSize = 22, kSize64 = 56, kLocator = 20;
  if (b.size() < kSize) return invalid("not a ZIP file");
  const size_t lowest = b.size() - kSize > 65535 ? b.size() - kSize - 65535 : 0;
  size_t p = b.size() - kSize + 1;
  do {
    if (p-- == lowest) return invalid("not a ZIP file, or truncated");
  } while (at<uint32_t>(b, p) != kEnd);
  if (p + kSize + at<uint16_t>(b, p + 20) != b.size()) return invalid("not a ZIP file, or truncated, or followed by other data");
  const auto disk = at<uint16_t>(b, p + 4), first_disk = at<uint16_t>(b, p + 6), entries = at<uint16_t>(b, p + 10);
  const auto size = at<uint32_t>(b, p + 12), offset = at<uint32_t>(b, p + 16);
  if (disk != first_disk || at<uint16_t>(b, p + 8) != entries) return invalid("the ZIP file is one of several parts");
  Directory d{entries, size, offset};
  size_t end = p;
  if (p >= kLocator && at<uint32_t>(b, p - kLocator) == kEnd64Locator) {
    const uint64_t q = at<uint64_t>(b, p - kLocator + 8);
    if (q > b.size() || b.size() - q < kSize64 || at<uint32_t>(b, q) != kEnd64) return invalid("the ZIP64 end record is damaged");
    d = {at<uint64_t>(b, q + 32), at<uint64_t>(b, q + 40), at<uint64_t>(b, q + 48)};
    if (at<uint64_t>(b, q + 4) != p - kLocator - q - 12 || at<uint64_t>(b, q + 24) != d.entries || (entries != 0xffff && entries != d.entries) ||
        (size != 0xffffffff && size != d.size) || (offset != 0xffffffff && offset != d.offset)) {
      return invalid("the two end records of the ZIP file disagree");
    }
    end = q;
  } else if (entries == 0xffff || size == 0xffffffff || offset == 0xffffffff) {
    return invalid("the ZIP64 end record is missing");
  }
  if (d.offset > end || d.size != end - d.offset) return invalid("the ZIP directory does not lie where the end record says");
  return d;
}

// Sizes that do not fit in 32 bits stand in an extra field, in this order.
bool read_zip64(std::span<const std::byte> extra, ZipArchive::Entry& e) {
  ByteReader r(extra);
  while (r.left() >= 4) {
    const uint16_t id = *r.read<uint16_t>(), size = *r.read<uint16_t>();
    auto body = r.take(size);
    if (!body) return false;
    if (id != 1) continue;
    ByteReader fields(*body);
    for (uint64_t* field : {&e.size, &e.compressed, &e.offset}) {
      if (*field != 0xffffffff) continue;
      auto value = fields.read<uint64_t>();
      if (!value) return false;
      *field = *value;
    }
  }
  return true;
}

}  // namespace

Result<ZipArchive> ZipArchive::open(std::span<const std::byte> bytes, const Options& options) {
  auto directory = find_directory(bytes);
  if (!directory) return directory.error();
  if (directory->entries > directory->size / 46) return invalid("the ZIP directory names more members than it can hold");
  ZipArchive zip(bytes, options);
  ByteReader r(bytes.subspan(directory->offset, directory->size));
  for (uint64_t i = 0; i < directory->entries; ++i) {
    auto head = r.take(46);
    if (!head || at<uint32_t>(*head, 0) != kCentral) return invalid("the ZIP directory is damaged");
    Entry e;
    e.flags = at<uint16_t>(*head, 8);
    e.method = at<uint16_t>(*head, 10);
    e.crc = at<uint32_t>(*head, 16);
    e.compressed = at<uint32_t>(*head, 20);
    e.size = at<uint32_t>(*head, 24);
    e.offset = at<uint32_t>(*head, 42);
    auto name = r.take(at<uint16_t>(*head, 28));
    auto extra = r.take(at<uint16_t>(*head, 30));
    if (!name || !extra || !r.take(at<uint16_t>(*head, 32)) || !read_zip64(*extra, e)) return invalid("the ZIP directory is damaged");
    e.name.assign(reinterpret_cast<const char*>(name->data()), name->size());
    if (is_bad_name(e.name)) return invalid("the ZIP directory has the unsafe name '" + shown(e.name).substr(7) + "'");
    zip.entries_.push_back(std::move(e));
  }
  if (!r.done()) return invalid("the ZIP directory is longer than its members");
  if (Status s = zip.check_members(directory->offset); !s) return s.error();
  return zip;
}

// Names once; members one after the other, before the directory.
Status ZipArchive::check_members(uint64_t directory_offset) {
  by_name_.resize(entries_.size());
  for (uint32_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
  std::sort(by_name_.begin(), by_name_.end(), [&](uint32_t a, uint32_t b) { return entries_[a].name < entries_[b].name; });
  for (size_t i = 1; i < by_name_.size(); ++i) {
    if (entries_[by_name_[i]].name == entries_[by_name_[i - 1]].name) return invalid(shown(entries_[by_name_[i]].name) + " is there twice");
  }
  std::vector<std::pair<uint64_t, uint64_t>> places;
  for (const Entry& e : entries_) {
    auto data = payload(e);
    if (!data) return data.error();
    const auto end = static_cast<uint64_t>(data->data() - bytes_.data()) + data->size();
    if (end > directory_offset) return invalid(shown(e.name) + " reaches into the directory");
    places.emplace_back(e.offset, end);
  }
  std::sort(places.begin(), places.end());
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i].first < places[i - 1].second) return invalid("members of the ZIP file overlap");
  }
  return {};
}

// Where the bytes of a member lie: the local header tells, and must agree with the directory.
Result<std::span<const std::byte>> ZipArchive::payload(const Entry& e) const {
  if (e.offset > bytes_.size() || bytes_.size() - e.offset < 30 || at<uint32_t>(bytes_, e.offset) != kLocal) {
    return invalid(shown(e.name) + " has no local header");
  }
  const uint64_t name_size = at<uint16_t>(bytes_, e.offset + 26);
  const uint64_t begin = e.offset + 30 + name_size + at<uint16_t>(bytes_, e.offset + 28);
  if (begin > bytes_.size() || e.compressed > bytes_.size() - begin) return invalid(shown(e.name) + " is truncated");
  const std::string_view local(reinterpret_cast<const char*>(bytes_.data()) + e.offset + 30, name_size);
  if (local != e.name) return invalid(shown(e.name) + " has another name in its local header");
  if (at<uint16_t>(bytes_, e.offset + 8) != e.method) return invalid(shown(e.name) + " has another compression in its local header");
  // Writers that do not know the sizes yet leave zeros (bit 3: they follow the data); large ones are in an extra field.
  const uint16_t flags = at<uint16_t>(bytes_, e.offset + 6);
  const bool later = (flags & 8) != 0;
  Entry there;
  there.crc = at<uint32_t>(bytes_, e.offset + 14);
  there.compressed = at<uint32_t>(bytes_, e.offset + 18);
  there.size = at<uint32_t>(bytes_, e.offset + 22);
  const bool big = read_zip64(bytes_.subspan(begin - at<uint16_t>(bytes_, e.offset + 28), at<uint16_t>(bytes_, e.offset + 28)), there);
  const bool agree = there.crc == e.crc && there.compressed == e.compressed && there.size == e.size;
  if (((flags ^ e.flags) & 1) != 0 || !big || !(agree || (later && there.crc == 0 && there.compressed == 0 && there.size == 0))) {
    return invalid(shown(e.name) + " has another size or checksum in its local header");
  }
  if (e.method == 0 && e.size != e.compressed) return invalid(shown(e.name) + " cannot have the size that it states");
  return bytes_.subspan(begin, e.compressed);
}

size_t aligning_shift(int fd) {
  constexpr int kMembers = 64;  // before the first large one
  std::byte head[30];
  for (int64_t member = 0, offset = 0; member < kMembers; ++member) {
    if (::pread(fd, head, sizeof head, offset) != sizeof head || at<uint32_t>(head, 0) != kLocal) return 0;
    const int64_t begin = offset + 30 + at<uint16_t>(head, 26) + at<uint16_t>(head, 28);
    const auto bytes = at<uint32_t>(head, 18);  // all ones: an extra field tells more
    if (at<uint16_t>(head, 8) == 0 && bytes >= kWorthMapping) return (kAlignment - static_cast<size_t>(begin) % kAlignment) % kAlignment;
    offset = begin + bytes;
  }
  return 0;
}

Status ZipArchive::check_sum(const Entry& e, std::span<const std::byte> data, bool in_place) const {
  if (e.crc == 0 && options_.zero_crc_unset) return {};
  constexpr size_t kPiece = size_t(1) << 20, kWorth = 65536;  // pages leave the process again as the check goes on
  uint32_t crc = 0;
  for (size_t done = 0; done < data.size(); done += kPiece) {
    const auto piece = data.subspan(done, std::min(kPiece, data.size() - done));
    crc = crc32(piece, crc);
    if (in_place && data.size() >= kWorth) release_pages(piece);
  }
  return crc == e.crc ? Status() : invalid(shown(e.name) + " is corrupt: its checksum does not match");
}

Result<std::span<const std::byte>> ZipArchive::view(const Entry& e) const {
  if (e.flags & 1) return unsupported(shown(e.name) + " is encrypted");
  if (e.method != 0) return unsupported(shown(e.name) + " is compressed");
  auto data = payload(e);
  if (!data) return data.error();
  if (Status s = check_sum(e, *data, options_.in_place); !s) return s.error();
  return *data;
}

const ZipArchive::Entry* ZipArchive::find(std::string_view name) const {
  auto it = std::lower_bound(by_name_.begin(), by_name_.end(), name, [&](uint32_t e, std::string_view n) { return entries_[e].name < n; });
  return it != by_name_.end() && entries_[*it].name == name ? &entries_[*it] : nullptr;
}

Status ZipArchive::check_size(const Entry& e, uint64_t limit) const {
  if (e.flags & 1) return unsupported(shown(e.name) + " is encrypted");
  if (e.method != 0 && e.method != 8) return unsupported(shown(e.name) + " uses compression method " + std::to_string(e.method));
  auto data = payload(e);
  if (!data) return data.error();
  const uint64_t most = e.method == 0 ? e.compressed : e.compressed * kDeflateMost;
  if (e.size > limit) return invalid(shown(e.name) + " is larger than the budget of " + std::to_string(limit) + " bytes");
  if (e.size > most) return invalid(shown(e.name) + " cannot have the size that it states");
  return {};
}

Status ZipArchive::read_into(const Entry& e, std::span<std::byte> to, bool once) const {
  auto data = payload(e);
  if (!data) return data.error();
  if (e.method == 0) {
    if (e.size > 0) std::memcpy(to.data(), data->data(), e.size);
  } else if (Status s = inflate_exactly(*data, to, false, once); !s) {
    return Error(s.error().code(), shown(e.name) + " " + s.error().message());
  }
  return check_sum(e, to, false);
}

Result<std::vector<std::byte>> ZipArchive::read(const Entry& e, uint64_t limit) const {
  if (Status s = check_size(e, limit); !s) return s.error();
  std::vector<std::byte> out(e.size);
  if (Status s = read_into(e, out, false); !s) return s.error();
  return out;
}

Result<std::shared_ptr<const std::byte>> ZipArchive::read_shared(const Entry& e, uint64_t limit, bool once) const {
  if (Status s = check_size(e, limit); !s) return s.error();
  auto memory = e.size < kWorthMapping ? Result(allocate_aligned(e.size, true)) : map_memory(e.size);
  if (!memory) return memory.error();
  if (Status s = read_into(e, {memory->get(), e.size}, once); !s) return s.error();
  protect(*memory);
  return std::shared_ptr<const std::byte>(std::move(*memory));
}

}  // namespace tern
