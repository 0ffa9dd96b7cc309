// See slices.h.
#include "loaders/tensorflow/bundle/slices.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tern::tensorflow {
namespace {

// A number that is not negative: how many bytes, then these, the highest first.
void put_number(std::string& out, uint64_t n) {
  std::string bytes;
  for (; n > 0; n >>= 8) bytes.insert(bytes.begin(), static_cast<char>(n & 255));
  out += static_cast<char>(bytes.size());
  out += bytes;
}

// A text, in which 00 is written 00 ff and ff is written ff 00, and its end 00 01.
void put_text(std::string& out, const std::string& text) {
  for (const char c : text) {
    out += c;
    if (c == '\0') out += '\xff';
    if (c == '\xff') out += '\0';
  }
  out += std::string_view("\0\1", 2);
}

// Any number: as many leading ones as there are bytes, a zero, then the number, all of it inverted below zero.
void put_signed(std::string& out, int64_t n) {
  const uint64_t size = static_cast<uint64_t>(n < 0 ? ~n : n);
  size_t length = 1;
  while (length < 10 && size >> std::min<size_t>(7 * length - 1, 63) != 0) ++length;
  std::string bytes(10, n < 0 ? '\xff' : '\0');
  for (size_t i = 0; i < 8; ++i) bytes[9 - i] = static_cast<char>(static_cast<uint64_t>(n) >> (8 * i) & 255);
  bytes.erase(0, 10 - length);
  for (size_t bit = 0; bit < length; ++bit) bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (0x80 >> bit % 8));
  out += bytes;
}

int64_t count(const Slice& s) {  // inside a tensor: no overflow
  int64_t n = 1;
  for (const int64_t extent : s.length) n *= extent;
  return n;
}

bool overlap(const Slice& a, const Slice& b) {
  for (size_t axis = 0; axis < a.start.size(); ++axis) {
    if (a.start[axis] >= b.start[axis] + b.length[axis] || b.start[axis] >= a.start[axis] + a.length[axis]) return false;
  }
  return true;
}

}  // namespace

std::optional<Slice> parse_slice(std::string_view text) {
  text.remove_prefix(text.rfind(' ') + 1);
  Slice slice;
  while (!text.empty()) {
    const std::string_view axis = text.substr(0, text.find(':'));
    text.remove_prefix(std::min(axis.size() + 1, text.size()));
    int64_t start = 0, length = -1;
    if (axis != "-") {
      const char *begin = axis.data(), *end = begin + axis.size();
      const auto first = std::from_chars(begin, end, start);
      if (first.ec != std::errc() || first.ptr == end || *first.ptr != ',') return std::nullopt;
      const auto second = std::from_chars(first.ptr + 1, end, length);
      if (second.ec != std::errc() || second.ptr != end || start < 0 || length < 0) return std::nullopt;
    }
    slice.start.push_back(start);
    slice.length.push_back(length);
  }
  return slice;
}

std::string slice_key(const std::string& name, const Slice& slice) {
  std::string key;
  put_number(key, 0);
  put_text(key, name);
  put_number(key, slice.start.size());
  for (size_t axis = 0; axis < slice.start.size(); ++axis) {
    put_signed(key, slice.start[axis]);
    put_signed(key, slice.length[axis]);
  }
  return key;
}

Status check_slices(std::vector<Slice>& slices, const Dims& whole) {
  constexpr size_t kMost = 4096;
  if (slices.size() > kMost) return unsupported("it has more than " + std::to_string(kMost) + " parts");
  int64_t elements = 0;
  for (Slice& s : slices) {
    if (s.start.size() != static_cast<size_t>(whole.rank)) return invalid("a part of it has another number of axes");
    for (int axis = 0; axis < whole.rank; ++axis) {
      int64_t &start = s.start[static_cast<size_t>(axis)], &length = s.length[static_cast<size_t>(axis)];
      if (length == -1 && start == 0) length = whole[axis];
      if (start < 0 || length < 0 || start > whole[axis] || length > whole[axis] - start) return invalid("a part of it lies outside");
    }
    if (count(s) > whole.count() - elements) return invalid("its parts overlap");
    elements += count(s);
  }
  if (elements != whole.count()) return invalid("its parts leave gaps");
  for (size_t i = 0; i < slices.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (overlap(slices[i], slices[k])) return invalid("its parts overlap");
    }
  }
  return {};
}

void place_slice(const Tensor& part, const Slice& slice, Tensor& whole) {
  const int rank = whole.dims().rank;
  const size_t size = size_of(part.dtype());
  const int64_t run = rank == 0 ? 1 : slice.length.back();  // elements side by side
  std::vector<int64_t> index(slice.start.size(), 0);
  for (int64_t done = 0; done < part.count(); done += run) {
    int64_t at = 0;
    for (int axis = 0; axis < rank; ++axis) at = at * whole.dims()[axis] + slice.start[static_cast<size_t>(axis)] + index[static_cast<size_t>(axis)];
    std::memcpy(whole.mutable_raw() + static_cast<size_t>(at) * size, part.raw() + static_cast<size_t>(done) * size, static_cast<size_t>(run) * size);
    for (size_t axis = index.empty() ? 0 : index.size() - 1; axis-- > 0;) {
      if (++index[axis] < slice.length[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace tern::tensorflow
