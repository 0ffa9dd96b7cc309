// See space.h.
#include "loaders/hdf5/space.h"

#include <algorithm>
#include <cstring>

#include "loaders/hdf5/checksums.h"

namespace tern::hdf5 {
namespace {

constexpr uint64_t kWorkBeyond = uint64_t(64) << 20, kWorkTimes = 32;  // a header is read for its kind, its data and each of its attributes
constexpr uint64_t kCopyTimes = 16;

// Whether `total` grew by `more` and is still at most `most`.
bool grow(uint64_t& total, uint64_t more, uint64_t most) {
  if (more > most || total > most - more) return false;
  total += more;
  return true;
}

}  // namespace

uint64_t Fields::number(size_t bytes) {
  uint64_t value = 0;
  const auto piece = take(bytes);
  for (size_t i = piece.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(piece[i]);
  return value;
}

uint64_t Fields::or_undefined(size_t bytes) {
  const uint64_t value = number(bytes);
  return value == kUndefined >> (64 - 8 * bytes) ? kUndefined : value;
}

std::span<const std::byte> Fields::take(uint64_t n) {
  if (n > left()) {
    fits_ = false;
    at_ = bytes_.size();
    return {};
  }
  at_ += n;
  return bytes_.subspan(at_ - n, n);
}

Result<std::span<const std::byte>> Space::inside(uint64_t address, uint64_t size, std::string_view what) const {
  if (address == kUndefined) return invalid("the " + std::string(what) + " is missing");
  if (address > bytes_.size() || size > bytes_.size() - address) return damaged(what, address, "lies outside of the file");
  return bytes_.subspan(address, size);
}

Result<std::span<const std::byte>> Space::elements(uint64_t address, uint64_t size) {
  auto bytes = inside(address, size, "dataset");
  if (!bytes || grow(viewed_, size, bytes_.size() + static_cast<uint64_t>(std::max<int64_t>(budget_, 0)))) return bytes;
  return invalid("the datasets lie over one another");
}

Result<std::span<const std::byte>> Space::at(uint64_t address, uint64_t size, std::string_view what) {
  auto bytes = inside(address, size, what);
  if (!bytes) return bytes;
  if (Status s = work(size); !s) return s.error();
  return bytes;
}

Result<std::span<const std::byte>> Space::at(uint64_t address, uint64_t size, std::string_view what, std::string_view signature) {
  auto bytes = at(address, size, what);
  if (bytes && (size < signature.size() || std::memcmp(bytes->data(), signature.data(), signature.size()) != 0)) {
    return damaged(what, address, "is none: its signature is missing");
  }
  return bytes;
}

Status Space::check_sum(std::span<const std::byte> structure, uint64_t address, std::string_view what) const {
  if (structure.size() < 4) return damaged(what, address);
  const auto body = structure.first(structure.size() - 4);
  if (Fields(structure.last(4), 8, 8).u32() != lookup3(body))
    return damaged(what, address, "of " + std::to_string(structure.size()) + " bytes is corrupt: its checksum does not match");
  return {};
}

Error Space::damaged(std::string_view what, uint64_t address, std::string_view why) const {
  return invalid("the " + std::string(what) + " at byte " + std::to_string(address) + " " + std::string(why));
}

Status Space::work(uint64_t bytes) {
  if (grow(worked_, bytes, kWorkTimes * bytes_.size() + kWorkBeyond)) return {};
  return invalid("the file's structures lie over one another: following them takes more work than its size explains");
}

Status Space::copy(uint64_t bytes) {
  if (grow(copied_, bytes, kCopyTimes * bytes_.size() + static_cast<uint64_t>(std::max<int64_t>(budget_, 0)))) return {};
  return invalid("the data are larger than the file explains and the budget of " + std::to_string(budget_) + " bytes allows");
}

}  // namespace tern::hdf5
