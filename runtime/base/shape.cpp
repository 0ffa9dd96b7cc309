// Shapes: products with overflow checks, linear expressions over symbols, broadcasting. See shape.h.
#include "runtime/base/shape.h"

#include <cctype>
#include <charconv>

#include "runtime/base/checked.h"

namespace tern {

std::optional<int64_t> checked_count(std::span<const int64_t> dims) {
  int64_t n = 1;
  bool zero = false;
  for (int64_t d : dims) {
    if (d < 0) return std::nullopt;
    if (d == 0) {
      zero = true;
      continue;
    }
    auto product = checked_mul(n, d);
    if (!product) return std::nullopt;
    n = *product;
  }
  return zero ? 0 : n;
}

std::string to_string(const Dims& dims) { return Shape(dims).text(); }

namespace {

using Terms = std::vector<Dim::Term>;

// a + scale * b, merged by name; nothing when a coefficient overflows or there are too many terms.
std::optional<Terms> combine(std::span<const Dim::Term> a, std::span<const Dim::Term> b, int64_t scale) {
  Terms out;
  while (!a.empty() || !b.empty()) {
    const bool from_a = !a.empty() && (b.empty() || a[0].first <= b[0].first);
    const bool from_b = !b.empty() && (a.empty() || b[0].first <= a[0].first);
    const auto scaled = from_b ? checked_mul(b[0].second, scale) : 0;
    const auto sum = scaled ? checked_add(from_a ? a[0].second : 0, *scaled) : std::nullopt;
    if (!sum) return std::nullopt;
    if (*sum != 0) out.emplace_back((from_a ? a : b)[0].first, *sum);
    if (out.size() > Dim::kMaxTerms) return std::nullopt;
    if (from_a) a = a.subspan(1);
    if (from_b) b = b.subspan(1);
  }
  return out;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }

// FNV-1a.
uint64_t hash(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace

Dim::Dim(int64_t constant, std::vector<Term> terms) : constant_(constant) {
  if (!terms.empty()) terms_ = std::make_shared<const std::vector<Term>>(std::move(terms));
}

Dim Dim::symbol(std::string name) {
  if (name.size() > kMaxSymbol) name = name.substr(0, kMaxSymbol - 21) + "_" + std::to_string(hash(name));
  return Dim(0, {{std::move(name), 1}});
}

std::optional<Dim> add(const Dim& a, const Dim& b) {
  auto constant = checked_add(a.constant_, b.constant_);
  if (!constant) return std::nullopt;
  if (a.known() || b.known()) {
    Dim d = a.known() ? b : a;
    d.constant_ = *constant;
    return d;
  }
  auto terms = combine(a.terms(), b.terms(), 1);
  return terms ? std::optional(Dim(*constant, std::move(*terms))) : std::nullopt;
}

std::optional<Dim> sub(const Dim& a, const Dim& b) {
  auto negative = mul(b, Dim(-1));
  return negative ? add(a, *negative) : std::nullopt;
}

std::optional<Dim> mul(const Dim& a, const Dim& b) {
  if (!a.known() && !b.known()) return std::nullopt;
  const Dim& factor = a.known() ? a : b;
  const Dim& other = a.known() ? b : a;
  if (factor.constant_ == 1) return other;
  auto constant = checked_mul(factor.constant_, other.constant_);
  auto terms = combine({}, other.terms(), factor.constant_);
  return constant && terms ? std::optional(Dim(*constant, std::move(*terms))) : std::nullopt;
}

std::optional<Dim> div(const Dim& a, const Dim& b) {
  if (a == b && !a.known()) return Dim(1);
  if (!b.known() || b.constant_ == 0 || (a.constant_ == INT64_MIN && b.constant_ == -1)) return std::nullopt;
  if (a.known()) return Dim(floor_div(a.constant_, b.constant_));
  if (a.constant_ % b.constant_ != 0) return std::nullopt;
  Terms terms;
  for (const auto& [name, coefficient] : a.terms()) {
    if (coefficient == INT64_MIN || coefficient % b.constant_ != 0) return std::nullopt;
    terms.emplace_back(name, coefficient / b.constant_);
  }
  return Dim(a.constant_ / b.constant_, std::move(terms));
}

std::string Dim::text() const {
  std::string s;
  for (const auto& [name, coefficient] : terms()) {
    if (coefficient < 0) {
      s += "-";
    } else if (!s.empty()) {
      s += "+";
    }
    if (coefficient != 1 && coefficient != -1) s += std::to_string(coefficient < 0 ? -coefficient : coefficient) + "*";
    s += name;
  }
  if (s.empty()) return std::to_string(constant_);
  if (constant_ > 0) s += "+" + std::to_string(constant_);
  if (constant_ < 0) s += std::to_string(constant_);
  return s;
}

std::optional<Dim> parse_dim(std::string_view text) {
  constexpr size_t kLongest = (Dim::kMaxTerms + 1) * (Dim::kMaxSymbol + 22);
  if (text.size() > kLongest) return std::nullopt;
  size_t at = 0;
  auto skip = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  };
  auto factor = [&]() -> std::optional<Dim> {
    skip();
    size_t begin = at;
    auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '?' || c == ':'; };
    while (at < text.size() && word(text[at])) ++at;
    if (at == begin) return std::nullopt;
    std::string_view token = text.substr(begin, at - begin);
    if (!std::isdigit(static_cast<unsigned char>(token[0]))) return Dim::symbol(std::string(token));
    int64_t n = 0;
    auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), n);
    if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
    return Dim(n);
  };
  auto term = [&]() -> std::optional<Dim> {
    auto product = factor();
    for (skip(); product && at < text.size() && text[at] == '*'; skip()) {
      ++at;
      auto right = factor();
      product = right ? mul(*product, *right) : std::nullopt;
    }
    return product;
  };
  Dim sum(0);
  skip();
  bool minus = at < text.size() && text[at] == '-';
  if (minus) ++at;
  for (;;) {
    auto t = term();
    if (!t) return std::nullopt;
    auto next = minus ? sub(sum, *t) : add(sum, *t);
    if (!next) return std::nullopt;
    sum = *next;
    skip();
    if (at == text.size()) return sum;
    if (text[at] != '+' && text[at] != '-') return std::nullopt;
    minus = text[at++] == '-';
  }
}

Dims Shape::concrete() const {
  if (!known()) return Dims::impossible();
  Dims out;
  for (const Dim& d : dims_) out.push_back(d.value());
  return out;
}

std::string Shape::text() const {
  if (!ranked_) return "?";
  std::string s = "[";
  for (size_t i = 0; i < dims_.size(); ++i) s += (i ? "," : "") + dims_[i].text();
  return s + "]";
}

std::optional<Dims> broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.rank >= b.rank ? a : b;
  const Dims& shorter = a.rank >= b.rank ? b : a;
  Dims out = longer;
  for (int i = 0; i < shorter.rank; ++i) {
    int64_t& n = out[longer.rank - shorter.rank + i];
    if (n == 1) n = shorter[i];
    else if (shorter[i] != 1 && shorter[i] != n) return std::nullopt;
  }
  return out;
}

std::optional<int> normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return std::nullopt;
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace tern
