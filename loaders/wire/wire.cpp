// The walk over the wire format. See wire.h; loaders/README.md draws it.
#include "loaders/wire/wire.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tern::wire {
namespace {

constexpr size_t kMaxDepth = 64;  // messages inside messages: an ONNX If inside an If takes three

class Cleaner {
 public:
  Cleaner(std::span<const std::byte> file, const Message& whole, int64_t budget, const char* what)
      : in_(file), what_(what), limit_(budget + 12 * static_cast<int64_t>(file.size())) {
    open_.push_back({&whole, file.size(), 0});
  }

  Result<std::string> run() {
    for (;;) {
      while (in_.position() == open_.back().end) {
        if (open_.size() == 1) return std::move(out_);
        close();
      }
      if (!field()) return error_;
    }
  }

 private:
  struct Open {
    const Message* message;
    size_t end;     // in the file
    size_t length;  // where its length stands in out_: five bytes, written when it ends
  };

  size_t left() const { return open_.back().end - in_.position(); }
  bool fail(const char* why) {
    error_ = invalid("not " + std::string(what_) + ": " + why + " at byte " + std::to_string(in_.position()));
    return false;
  }
  bool spend(uint64_t bytes) {
    spent_ += static_cast<int64_t>(bytes);
    return spent_ <= limit_ || fail("so many small parts that they would take more memory than LoadOptions::budget allows,");
  }

  void put(uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<char>(v | 0x80));
    out_.push_back(static_cast<char>(v));
  }
  void put(std::span<const std::byte> bytes) { out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void close() {
    const size_t slot = open_.back().length;
    uint64_t length = out_.size() - slot - 5;
    for (size_t i = 0; i < 5; ++i, length >>= 7) out_[slot + i] = static_cast<char>((length & 0x7f) | (i < 4 ? 0x80 : 0));
    open_.pop_back();
  }

  // One field: checked, then copied, opened or dropped.
  bool field() {
    const size_t start = in_.position();
    auto tag = in_.varint();
    if (!tag || in_.position() > open_.back().end) return fail("the file ends within a field");
    const uint64_t number = *tag >> 3;
    if (number == 0 || number > 0x1fffffff) return fail("a field number is out of range");
    const Field* known = nullptr;
    for (const Field& f : open_.back().message->fields) {
      if (f.number == number) known = &f;
    }
    switch (*tag & 7) {
      case 0: {
        if (!in_.varint() || in_.position() > open_.back().end) return fail("a number runs past the end of its message");
        break;
      }
      case 1:
      case 5: {
        const size_t n = (*tag & 7) == 1 ? 8 : 4;
        if (n > left()) return fail("a number runs past the end of its message");
        in_.seek(in_.position() + n);
        break;
      }
      case 2: return payload(*tag, known);
      default: return fail("an unknown wire type");
    }
    if (known == nullptr) return true;
    if (known->kind != Kind::scalar && known->kind != Kind::ints && known->kind != Kind::floats) return fail("a field has the wrong wire type");
    if (known->kind != Kind::scalar && !spend(8)) return false;
    const size_t end = in_.position();
    in_.seek(start);
    put(*in_.take(end - start));
    return true;
  }

  // Varints among the next n bytes: each ends in a byte below 0x80.
  uint64_t count_varints(size_t n) {
    const size_t begin = in_.position();
    uint64_t count = 0;
    const std::span<const std::byte> varints = *in_.take(n);
    for (std::byte b : varints) count += b < std::byte{0x80};
    in_.seek(begin);
    return count;
  }

  // A field that carries its length.
  bool payload(uint64_t tag, const Field* known) {
    auto length = in_.varint();
    if (!length || in_.position() > open_.back().end) return fail("a length runs past the end of its message");
    if (*length > left()) return fail("a length points past the end of its message");
    const size_t begin = in_.position(), n = static_cast<size_t>(*length);
    if (known == nullptr) return in_.seek(begin + n);
    if (known->kind != Kind::ints && !spend(static_cast<uint64_t>(known->cost))) return false;
    switch (known->kind) {
      case Kind::scalar: return fail("a field has the wrong wire type");
      case Kind::message:
        if (open_.size() >= kMaxDepth) return fail("messages nest more than 64 deep");
        put(tag);
        open_.push_back({known->message, begin + n, out_.size()});
        out_.append(5, '\0');
        return true;
      case Kind::raw:
        put(kOffset << 3);
        put(begin);
        put(kSize << 3);
        put(n);
        return in_.seek(begin + n);
      case Kind::flag:
        put(tag);
        put(uint64_t{0});
        return in_.seek(begin + n);
      case Kind::ints:
        if (!spend(static_cast<uint64_t>(known->cost) * count_varints(n))) return false;
        break;
      case Kind::floats:
      case Kind::text:
        if (!spend(n)) return false;
        break;
    }
    put(tag);
    put(uint64_t{n});
    put(*in_.take(n));
    return true;
  }

  ByteReader in_;
  const char* what_;
  std::string out_;
  std::vector<Open> open_;
  int64_t spent_ = 0, limit_;
  Error error_;
};

}  // namespace

Result<std::string> clean(std::span<const std::byte> file, const Message& whole, int64_t budget, const char* what) {
  return Cleaner(file, whole, budget, what).run();
}

std::optional<Payloads::Payload> Payloads::next() {
  while (!in_.done()) {
    const auto tag = in_.varint();
    if (!tag) return std::nullopt;
    const uint64_t kind = *tag & 7;
    if (kind == 0 ? !in_.varint() : kind == 1 ? !in_.take(8) : kind == 5 ? !in_.take(4) : kind != 2) return std::nullopt;
    if (kind != 2) continue;
    const auto length = in_.varint();
    const auto bytes = length ? in_.take(static_cast<size_t>(*length)) : std::nullopt;
    if (!bytes) return std::nullopt;
    return Payload{*tag >> 3, {reinterpret_cast<const char*>(bytes->data()), bytes->size()}};
  }
  return std::nullopt;
}

std::optional<int64_t> first_payload(int fd, int64_t size, std::span<const uint32_t> path, int64_t least) {
  constexpr int kFields = 1024;  // nodes, as a rule, before the first weights
  constexpr int64_t kHead = 20;  // a tag and a length, or a varint
  std::vector<int64_t> ends = {size};
  std::array<std::byte, 8192> window;
  int64_t at = 0, from = 0, count = 0;
  for (int field = 0; field < kFields && at < ends.back(); ++field) {
    if (at < from || at + std::min(kHead, size - at) > from + count) {
      from = at;
      count = ::pread(fd, window.data(), window.size(), at);
      if (count <= 0) return std::nullopt;
    }
    ByteReader in(std::span<const std::byte>(window).subspan(static_cast<size_t>(at - from), static_cast<size_t>(from + count - at)));
    const auto tag = in.varint();
    const uint64_t kind = tag ? *tag & 7 : 6;
    const auto number = kind == 2 || kind == 0 ? in.varint() : std::optional<uint64_t>(kind == 1 ? 8 : 4);
    if (!number || (kind != 0 && kind != 1 && kind != 2 && kind != 5)) return std::nullopt;
    const int64_t begin = at + static_cast<int64_t>(in.position());
    at = begin;
    if (kind == 0) continue;
    if (*number > static_cast<uint64_t>(ends.back() - begin)) return std::nullopt;
    const auto bytes = static_cast<int64_t>(*number);
    const bool wanted = kind == 2 && bytes >= least && *tag >> 3 == path[ends.size() - 1];
    if (wanted && ends.size() == path.size()) return begin;
    if (wanted) ends.push_back(begin + bytes);
    else at += bytes;
    while (ends.size() > 1 && at == ends.back()) ends.pop_back();
  }
  return std::nullopt;
}

}  // namespace tern::wire
