// See npy.h. The header is a Python literal; only the three keys that NumPy writes are read, without an evaluator.
#include "loaders/npy/npy.h"

#include <algorithm>
#include <cstring>

#include "loaders/npy/numpy_types.h"
#include "loaders/zip/zip.h"
#include "runtime/base/byte_reader.h"
#include "runtime/base/checked.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

struct Header {
  char order = '|', kind = 0;
  int64_t size = 0;  // of an element, as the file counts
  bool fortran = false;
  Dims dims;
};

// The text after "'key':", blanks skipped; empty when there is no such key.
std::string_view after_key(std::string_view text, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "'";
  size_t p = text.find(quoted);
  if (p == text.npos) return {};
  p = text.find_first_not_of(" :", p + quoted.size());
  return p == text.npos ? std::string_view() : text.substr(p);
}

std::optional<int64_t> take_number(std::string_view& text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  std::optional<int64_t> n = 0;
  while (n && !text.empty() && text[0] >= '0' && text[0] <= '9') {
    n = checked_mul(*n, 10);
    if (n) n = checked_add(*n, text[0] - '0');
    text.remove_prefix(1);
  }
  return n;
}

Result<Header> parse_header(std::string_view text) {
  Header h;
  std::string_view descr = after_key(text, "descr"), order = after_key(text, "fortran_order"), shape = after_key(text, "shape");
  if (descr.size() < 4 || descr[0] != '\'' || order.empty() || shape.empty() || shape[0] != '(') {
    return invalid("the .npy header is damaged, or describes a structured array");
  }
  const std::string type(descr.substr(1, std::min<size_t>(descr.find('\'', 1), 20) - 1));
  h.order = descr[1];
  h.kind = descr[2];
  descr.remove_prefix(3);
  auto size = take_number(descr);
  if (!size || descr.empty() || descr[0] != '\'' || std::string_view("<>|=").find(h.order) == std::string_view::npos) {
    return unsupported("the .npy file has elements of type '" + type + "', which tern does not have" +
                       (h.kind == 'O' ? " (Python objects); save an array of numbers or of strings" : ""));
  }
  h.size = *size;
  h.fortran = order.substr(0, 4) == "True";
  shape.remove_prefix(1);
  while (true) {
    while (!shape.empty() && (shape[0] == ' ' || shape[0] == ',')) shape.remove_prefix(1);
    if (!shape.empty() && shape[0] == ')') return h;
    auto n = take_number(shape);
    if (!n) return invalid("the .npy header has a damaged shape");
    if (h.dims.rank == kMaxRank) return unsupported("the .npy array has more than 8 dimensions");
    h.dims.push_back(*n);
  }
}

DType dtype_of(const Header& h) {
  if (h.kind == 'S' || h.kind == 'U') return DType::string;
  const NumpyType* type = numpy_type(h.kind + std::to_string(h.size));
  return type == nullptr ? DType::none : type->dtype;
}

void append_utf8(std::string& s, uint32_t c) {
  if (c < 0x80) {
    s += static_cast<char>(c);
  } else if (c < 0x800) {
    s += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  } else if (c < 0x10000) {
    s += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
  } else {
    s += {static_cast<char>(0xf0 | (c >> 18 & 7)), static_cast<char>(0x80 | (c >> 12 & 63)), static_cast<char>(0x80 | (c >> 6 & 63)),
          static_cast<char>(0x80 | (c & 63))};
  }
}

// One fixed-width string, without the zeros that fill it up.
std::string one_string(const std::byte* p, const Header& h) {
  std::string s;
  if (h.kind == 'S') {
    s.assign(reinterpret_cast<const char*>(p), static_cast<size_t>(h.size));
  } else {
    for (int64_t i = 0; i < h.size; ++i) {
      uint32_t c;
      std::memcpy(&c, p + 4 * i, 4);
      append_utf8(s, h.order == '>' ? __builtin_bswap32(c) : c);
    }
  }
  s.resize(s.find_last_not_of('\0') + 1);
  return s;
}

// Where element i of a row-major array lies in a column-major one.
int64_t fortran_index(int64_t i, const Dims& dims) {
  int64_t index[kMaxRank], at = 0;
  for (int d = dims.rank; d-- > 0;) {
    index[d] = i % dims[d];
    i /= dims[d];
  }
  for (int d = dims.rank; d-- > 0;) at = at * dims[d] + index[d];
  return at;
}

}  // namespace

Result<Tensor> read_npy(std::span<const std::byte> bytes) {
  ByteReader r(bytes);
  auto magic = r.take(6);
  auto major = r.read<uint8_t>(), minor = r.read<uint8_t>();
  if (!magic || !minor || std::memcmp(magic->data(), "\x93NUMPY", 6) != 0) return invalid("not a .npy file");
  std::optional<uint32_t> length;
  if (*major == 1) {
    if (auto n = r.read<uint16_t>()) length = *n;
  } else if (*major <= 3) {
    length = r.read<uint32_t>();
  }
  auto text = length ? r.take(*length) : std::nullopt;
  if (!text) return invalid("the .npy header is truncated");
  auto h = parse_header({reinterpret_cast<const char*>(text->data()), text->size()});
  if (!h) return h.error();
  const DType dtype = dtype_of(*h);
  if (dtype == DType::none) {
    return unsupported(std::string("the .npy file has elements of type '") + h->kind + std::to_string(h->size) + "', which tern does not have");
  }
  auto count = checked_count(h->dims.span());
  auto width = checked_mul(h->size, h->kind == 'U' ? 4 : 1);
  auto total = count && width ? checked_mul(*count, *width) : std::nullopt;
  auto data = total ? r.take(static_cast<size_t>(*total)) : std::nullopt;
  if (!data) return invalid("the .npy file has fewer bytes than its shape " + to_string(h->dims) + " needs");
  auto source = [&](int64_t i) { return data->data() + (h->fortran ? fortran_index(i, h->dims) : i) * *width; };
  if (dtype == DType::string) {
    if (*width == 0 && *count > int64_t(1) << 20) return invalid("the .npy file claims more empty strings than are sensible");
    std::vector<std::string> strings;
    for (int64_t i = 0; i < *count; ++i) strings.push_back(one_string(source(i), *h));
    return Tensor::strings(h->dims, strings);
  }
  auto t = Tensor::allocate(dtype, h->dims);
  if (!t) return t;
  if (!h->fortran && h->order != '>') {
    if (*total > 0) std::memcpy(t->mutable_raw(), data->data(), static_cast<size_t>(*total));
    if (dtype == DType::boolean) normalize_elements(dtype, t->mutable_raw(), *count);
    return t;
  }
  for (int64_t i = 0; i < *count; ++i) {
    std::byte* to = t->mutable_raw() + i * h->size;
    std::memcpy(to, source(i), static_cast<size_t>(h->size));
    if (h->order == '>') std::reverse(to, to + h->size);
  }
  if (dtype == DType::boolean) normalize_elements(dtype, t->mutable_raw(), *count);
  return t;
}

std::string write_npy(const Tensor& t) {
  std::string descr, body;
  if (t.dtype() == DType::string) {
    int64_t width = 1;
    for (const StringRef& s : t.span<StringRef>()) width = std::max(width, s.size);
    descr = "|S" + std::to_string(width);
    for (const StringRef& s : t.span<StringRef>()) {
      body.append(s.view());
      body.append(static_cast<size_t>(width - s.size), '\0');
    }
  } else if (t.dtype() == DType::bf16) {
    descr = "<f4";
    for (bf16 h : t.span<bf16>()) {
      const float f = to_f32(h);
      body.append(reinterpret_cast<const char*>(&f), 4);
    }
  } else {
    descr = std::string(size_of(t.dtype()) == 1 ? "|" : "<") + std::string(numpy_type(t.dtype())->code);
    body.assign(reinterpret_cast<const char*>(t.raw()), t.bytes());
  }
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t d : t.dims().span()) header += std::to_string(d) + ", ";
  if (t.dims().rank > 1) header.resize(header.size() - 2);
  if (t.dims().rank == 1) header.resize(header.size() - 1);
  header += "), }";
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());
  std::string out("\x93NUMPY\x01\x00", 8);
  out.append(reinterpret_cast<const char*>(&length), 2);
  return out + header + body;
}

namespace {

// NumPy stores the array "x" as the member "x.npy".
std::string array_name(std::string member) {
  if (member.size() > 4 && member.ends_with(".npy")) member.resize(member.size() - 4);
  return member;
}

}  // namespace

Result<std::vector<std::pair<std::string, Tensor>>> read_npz(std::span<const std::byte> bytes, std::string_view key) {
  auto zip = ZipArchive::open(bytes);
  if (!zip) return zip.error();
  std::vector<std::pair<std::string, Tensor>> arrays;
  uint64_t left = (uint64_t(32) << 20) + 8 * bytes.size();  // bytes of compressed arrays
  for (const ZipArchive::Entry& e : zip->entries()) {
    std::string name = array_name(e.name);
    if (!key.empty() && name != key) continue;
    if (e.method == 0) {  // backed by the file, byte for byte
      auto member = zip->view(e);
      if (!member) return member.error();
      auto tensor = read_npy(*member);
      if (!tensor) return tensor.error().within(name);
      arrays.emplace_back(std::move(name), std::move(*tensor));
      continue;
    }
    auto member = zip->read(e, left);
    if (!member) return member.error();
    left -= member->size();
    auto tensor = read_npy(*member);
    if (!tensor) return tensor.error().within(name);
    arrays.emplace_back(std::move(name), std::move(*tensor));
  }
  if (arrays.empty() && !key.empty()) {
    constexpr size_t kMostNames = 20;
    std::string names;
    for (size_t i = 0; i < zip->entries().size() && i < kMostNames; ++i) names += (i == 0 ? "" : ", ") + array_name(zip->entries()[i].name);
    if (zip->entries().size() > kMostNames) names += ", and " + std::to_string(zip->entries().size() - kMostNames) + " more";
    return invalid("it holds no array named " + std::string(key) + (names.empty() ? ", nor any other" : "; it holds " + names));
  }
  return arrays;
}

}  // namespace tern
