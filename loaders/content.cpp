// See content.h.
#include "loaders/content.h"

#include <algorithm>

#include "runtime/base/mapping.h"

namespace tern {
namespace {

constexpr size_t kHead = size_t(64) << 10;

size_t find_package(std::string_view head, std::string_view package) {
  auto of_package = [&](std::string_view s) { return s.starts_with(package) && (s.size() == package.size() || s[package.size()] == '.'); };
  for (size_t i = 2; (i = head.find(package, i)) != head.npos; ++i) {
    const std::string_view rest = head.substr(i);
    const size_t line = rest.find('\n');
    if (head[i - 1] == 'c' && line != rest.npos && of_package(rest.substr(0, line)) && is_word(rest.substr(0, line))) return i;
    const size_t length = static_cast<unsigned char>(head[i - 1]);
    if (head[i - 2] != '\x8c' || length > rest.size() || !of_package(rest.substr(0, length))) continue;
    std::string_view next = rest.substr(length);
    if (next.starts_with('\x94')) next.remove_prefix(1);
    if (next.size() < 2 || next[0] != '\x8c') continue;
    next = next.substr(std::min<size_t>(2 + static_cast<unsigned char>(next[1]), next.size()));
    if (next.starts_with('\x94')) next.remove_prefix(1);
    if (next.starts_with('\x93')) return i;
  }
  return head.npos;
}

}  // namespace

bool is_word(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return c > 32 && c < 127; });
}

Content::Content(const Source& file)
    : source(file), all(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()), head(all.substr(0, kHead)) {
  if (at(0, "PK\x03\x04")) {
    auto opened = ZipArchive::open(source.bytes, {.in_place = is_in_place(source.owner), .zero_crc_unset = true});
    if (opened) zip = std::make_shared<const ZipArchive>(std::move(*opened));
    else damage = opened.error();
  }
  // Protocols 2 to 5; PyTorch's legacy files begin with a number of their own.
  const bool pickle = all.size() > 2 && all[0] == '\x80' && all[1] >= 2 && all[1] <= 5 && !at(2, "\x8a\x0a\x6c\xfc");
  for (size_t p = 0; p < std::size(kPackages); ++p) first_[p] = pickle ? find_package(head, kPackages[p]) : head.npos;
}

bool Content::has_ending(std::string_view end) const {
  if (!zip) return false;
  const auto& entries = zip->entries();
  return std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return std::string_view(e.name).ends_with(end); });
}

size_t Content::first_of(std::string_view package) const {
  return first_[std::find(std::begin(kPackages), std::end(kPackages), package) - std::begin(kPackages)];
}

}  // namespace tern
