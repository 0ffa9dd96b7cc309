// A bounded reader over bytes from a file: every read says whether it fitted. Little-endian. Next: loaders/README.md.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace tern {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  bool done() const { return at_ == bytes_.size(); }
  bool seek(size_t position) {
    if (position > bytes_.size()) return false;
    at_ = position;
    return true;
  }
  // The next n bytes, or nothing (and no move) when fewer are left.
  std::optional<std::span<const std::byte>> take(size_t n) {
    if (n > left()) return std::nullopt;
    auto piece = bytes_.subspan(at_, n);
    at_ += n;
    return piece;
  }
  template <class T>
  std::optional<T> read() {
    auto piece = take(sizeof(T));
    if (!piece) return std::nullopt;
    T value;
    std::memcpy(&value, piece->data(), sizeof value);
    return value;
  }
  // A protobuf varint: at most ten bytes of seven bits.
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      auto byte = read<uint8_t>();
      if (!byte) return std::nullopt;
      value |= static_cast<uint64_t>(*byte & 0x7f) << (shift < 64 ? shift : 63);
      if (!(*byte & 0x80)) return value;
    }
    return std::nullopt;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

}  // namespace tern
