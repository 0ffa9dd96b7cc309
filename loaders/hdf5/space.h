// Space: a file as HDF5's structures address it, and the bounds on following them. Fields: one structure, read field by field.
// Every structure is read through Space, which counts its bytes; so cycles of any kind, and structures that lie over one another a thousand
// times, end when more was read than the file explains, and all work is linear in its size. Next: object_header.h.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tern/status.h"

namespace tern::hdf5 {

inline constexpr uint64_t kUndefined = ~uint64_t(0);  // an address or a length of ones only: there is none

// Little-endian fields in turn. One that lies beyond the end is 0, and fits() false from then on: ask it once, before the fields are used.
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, int offset_size, int length_size)
      : bytes_(bytes), offset_size_(static_cast<uint8_t>(offset_size)), length_size_(static_cast<uint8_t>(length_size)) {}
  uint64_t number(size_t bytes);  // of 0 to 8 bytes
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t address() { return or_undefined(offset_size_); }
  uint64_t length() { return or_undefined(length_size_); }
  std::span<const std::byte> take(uint64_t n);
  Fields part(uint64_t n) { return Fields(take(n), offset_size_, length_size_); }  // the next n bytes
  void skip(uint64_t n) { take(n); }
  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  bool fits() const { return fits_; }

 private:
  uint64_t or_undefined(size_t bytes);
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
  uint8_t offset_size_, length_size_;
  bool fits_ = true;
};

class Space {
 public:
  // `bytes` from the superblock on: what addresses count from. Offsets and lengths: 2, 4 or 8 bytes each.
  Space(std::span<const std::byte> bytes, int64_t budget) : bytes_(bytes), budget_(budget) {}
  void set_sizes(int offset_size, int length_size) { offset_size_ = offset_size, length_size_ = length_size; }
  int offset_size() const { return offset_size_; }
  int length_size() const { return length_size_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  Fields fields(std::span<const std::byte> bytes) const { return Fields(bytes, offset_size_, length_size_); }

  // `size` bytes of elements, counted as elements that are used in place (one dataset over another). Errors: outside of the file, too many (invalid).
  Result<std::span<const std::byte>> elements(uint64_t address, uint64_t size);
  // `size` bytes of a structure, counted as work. `what`: "local heap", for messages. Errors: outside of the file, too much work (invalid).
  Result<std::span<const std::byte>> at(uint64_t address, uint64_t size, std::string_view what);
  // The same, which must begin with a signature of four letters.
  Result<std::span<const std::byte>> at(uint64_t address, uint64_t size, std::string_view what, std::string_view signature);
  // The last four bytes of a structure are the checksum of those before. Errors: they are not (invalid).
  Status check_sum(std::span<const std::byte> structure, uint64_t address, std::string_view what) const;
  // "the local heap at byte 680 WHY": of the file that the addresses count from.
  Error damaged(std::string_view what, uint64_t address, std::string_view why = "is damaged") const;

  // Each says what is about to be done, and fails when it is more than allowed: bytes of structures and chunks that are read, memory for copies
  // of elements and texts.
  Status work(uint64_t bytes);
  Status copy(uint64_t bytes);

 private:
  Result<std::span<const std::byte>> inside(uint64_t address, uint64_t size, std::string_view what) const;
  std::span<const std::byte> bytes_;
  int64_t budget_;
  int offset_size_ = 8, length_size_ = 8;
  uint64_t worked_ = 0, copied_ = 0, viewed_ = 0;
};

}  // namespace tern::hdf5
