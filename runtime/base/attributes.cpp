// Attributes: a small sorted list. See attributes.h.
#include "runtime/base/attributes.h"

#include <algorithm>
#include <cstring>

namespace tern {
namespace {

bool before(const std::pair<std::string, Attributes::Value>& entry, std::string_view name) { return entry.first < name; }

bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.dims() == b.dims() && a.dtype() != DType::string &&
         (a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

std::string number(int64_t v) { return std::to_string(v); }
std::string number(float v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.9g", static_cast<double>(v));
  return buffer;
}
std::string number(const std::string& v) { return v; }

struct Text {
  template <class T>
  std::string operator()(const T& v) const { return number(v); }
  template <class T>
  std::string operator()(const std::vector<T>& v) const {
    std::string s = "[";
    for (size_t i = 0; i < v.size() && i < 8; ++i) s += (i ? "," : "") + number(v[i]);
    return s + (v.size() > 8 ? ",...]" : "]");
  }
  std::string operator()(const Tensor& t) const { return std::string(name(t.dtype())) + to_string(t.dims()); }
};

}  // namespace

void Attributes::set(std::string name, Value value) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), std::string_view(name), before);
  if (at != entries_.end() && at->first == name) at->second = std::move(value);
  else entries_.insert(at, {std::move(name), std::move(value)});
}

void Attributes::erase(std::string_view name) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == name; });
}

const Attributes::Value* Attributes::find(std::string_view name) const {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  return at != entries_.end() && at->first == name ? &at->second : nullptr;
}

bool Attributes::operator==(const Attributes& other) const {
  return std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first || a.second.index() != b.second.index()) return false;
    if (const Tensor* t = std::get_if<Tensor>(&a.second)) return same(*t, std::get<Tensor>(b.second));
    if (const float* f = std::get_if<float>(&a.second)) return std::memcmp(f, std::get_if<float>(&b.second), sizeof *f) == 0;
    return std::visit(
        [&](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, Tensor>) return false;
          else return v == std::get<T>(b.second);
        },
        a.second);
  });
}

std::string Attributes::text() const {
  std::string s;
  for (const auto& [name, value] : entries_) s += (s.empty() ? "" : ", ") + name + "=" + std::visit(Text{}, value);
  return s;
}

}  // namespace tern
