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

bool same(const Attributes::Value& a, const Attributes::Value& b) {
  if (a.index() != b.index()) return false;
  if (const float* f = std::get_if<float>(&a)) return std::memcmp(f, std::get_if<float>(&b), sizeof *f) == 0;
  return std::visit(
      [&]<class T>(const T& v) {
        if constexpr (std::is_same_v<T, Tensor>) return same(v, std::get<T>(b));
        else return v == std::get<T>(b);
      },
      a);
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
  std::string operator()(const T& v) const {
    return number(v);
  }
  template <class T>
  std::string operator()(const std::vector<T>& v) const {
    std::string s = "[";
    for (size_t i = 0; i < v.size() && i < 8; ++i) s += (i ? "," : "") + number(v[i]);
    return s + (v.size() > 8 ? ",...]" : "]");
  }
  std::string operator()(const Tensor& t) const { return std::string(name(t.dtype())) + to_string(t.dims()); }
};

// Whether a name of the schema is `name`: most differ in their first letters, before a length would be known.
bool same_text(const char* own, std::string_view name) {
  for (const char c : name) {
    if (*own++ != c || c == 0) return false;
  }
  return *own == 0;
}

template <class T, size_t... I>
constexpr AttrKind kind_of(std::index_sequence<I...>) {
  size_t kind = 0;
  ((std::is_same_v<T, std::variant_alternative_t<I, Attributes::Value>> ? void(kind = I) : void()), ...);
  return static_cast<AttrKind>(kind);
}

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
  constexpr size_t kFew = 8;  // as nodes have: lengths mostly tell them apart, and a search in order compares letters
  if (entries_.size() <= kFew) {
    for (const auto& [own, value] : entries_) {
      if (own == name) return &value;
    }
    return nullptr;
  }
  auto at = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  return at != entries_.end() && at->first == name ? &at->second : nullptr;
}

bool Attributes::operator==(const Attributes& other) const {
  return std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
                    [](const auto& a, const auto& b) { return a.first == b.first && same(a.second, b.second); });
}

std::string Attributes::text() const {
  std::string s;
  for (const auto& [name, value] : entries_) s += (s.empty() ? "" : ", ") + name + "=" + std::visit(Text{}, value);
  return s;
}

std::optional<Attributes::Value> AttrSpec::default_value() const {
  if (const auto* i = std::get_if<int64_t>(&otherwise)) return *i;
  if (const auto* f = std::get_if<float>(&otherwise)) return *f;
  if (const auto* s = std::get_if<const char*>(&otherwise)) return std::string(*s);
  if (const auto* ints = std::get_if<std::span<const int64_t>>(&otherwise)) return std::vector<int64_t>(ints->begin(), ints->end());
  return std::nullopt;
}

bool AttrSpec::is_default(const Attributes::Value& value) const {
  const std::optional<Attributes::Value> d = default_value();
  return d && same(*d, value);
}

const AttrSpec* AttrReader::spec(std::string_view name) const {
  for (const AttrSpec& s : schema_) {
    if (same_text(s.name, name)) return &s;
  }
  return nullptr;
}

const AttrSpec& AttrReader::checked(std::string_view name) const {
  const AttrSpec* s = spec(name);
  if (s == nullptr) detail::stop("an attribute is read that the schema does not list", std::string(name));
  return *s;
}

bool AttrReader::has(std::string_view name) const {
  const AttrSpec& s = checked(name);
  return (given_ != nullptr && given_->has(name)) || s.otherwise.index() > 1;
}

const Attributes::Value* AttrReader::given(const AttrSpec& s, AttrKind kind) const {
  if (s.kind != kind) detail::stop("an attribute is read as another kind than the schema says", s.name);
  const Attributes::Value* v = given_ == nullptr ? nullptr : given_->find(s.name);
  return v != nullptr && Attributes::kind(*v) == kind ? v : nullptr;
}

template <class T>
T AttrReader::get(std::string_view name) const {
  constexpr AttrKind kKind = kind_of<T>(std::make_index_sequence<std::variant_size_v<Attributes::Value>>());
  const AttrSpec& s = checked(name);
  if (const Attributes::Value* v = given(s, kKind)) return std::get<T>(*v);
  if (s.otherwise.index() <= 1) return T();
  return std::get<T>(*s.default_value());
}

int64_t AttrReader::i(std::string_view name) const { return get<int64_t>(name); }
float AttrReader::f(std::string_view name) const { return get<float>(name); }
std::string AttrReader::s(std::string_view name) const { return get<std::string>(name); }
std::vector<int64_t> AttrReader::ints(std::string_view name) const { return get<std::vector<int64_t>>(name); }
std::vector<float> AttrReader::floats(std::string_view name) const { return get<std::vector<float>>(name); }
std::vector<std::string> AttrReader::strings(std::string_view name) const { return get<std::vector<std::string>>(name); }
const Tensor* AttrReader::tensor(std::string_view name) const {
  const Attributes::Value* v = given(checked(name), AttrKind::tensor);
  return v == nullptr ? nullptr : &std::get<Tensor>(*v);
}

}  // namespace tern
