// Shapes: Dims are known numbers (kernels and sessions), Shape may hold symbols (the IR).
// A Dim is an integer or a linear expression over named symbols: `batch`, `2*seq+1`. Next: tensor.h.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tern/status.h"

namespace tern {

constexpr int kMaxRank = 8;

// The extents of a tensor, outermost first. Rank 0 is a scalar; a plain value, no allocation.
// There are never more than kMaxRank: one more makes the dims impossible, and no tensor, buffer or view of such dims can be made.
struct Dims {
  int rank = 0;  // to be read; push_back changes it
  std::array<int64_t, kMaxRank> d{};

  Dims() = default;
  Dims(std::initializer_list<int64_t> list) : Dims(std::span(list.begin(), list.size())) {}
  explicit Dims(std::span<const int64_t> list) {
    for (int64_t n : list) push_back(n);
  }
  // [-1]: storage_bytes() and checked_count() have no answer for it, nor for anything pushed behind it.
  static Dims impossible() { return {-1}; }
  int64_t operator[](int i) const { return d[static_cast<size_t>(i)]; }
  int64_t& operator[](int i) { return d[static_cast<size_t>(i)]; }
  int64_t back() const { return d[static_cast<size_t>(rank - 1)]; }
  std::span<const int64_t> span() const { return {d.data(), static_cast<size_t>(rank)}; }
  void push_back(int64_t n) {
    if (rank == kMaxRank) *this = impossible();
    else d[static_cast<size_t>(rank++)] = n;
  }
  // The product of the extents; the caller knows that it fits (Tensor and the planner have checked).
  int64_t count() const { return count(0, rank); }
  int64_t count(int begin, int end) const {
    int64_t n = 1;
    for (int i = begin; i < end; ++i) n *= d[static_cast<size_t>(i)];
    return n;
  }
  bool operator==(const Dims& o) const { return rank == o.rank && std::equal(d.begin(), d.begin() + rank, o.d.begin()); }
};

// Product of the extents, or nothing when one is negative or the product overflows.
std::optional<int64_t> checked_count(std::span<const int64_t> dims);
// "[2,3]"
std::string to_string(const Dims& dims);

// An integer or a linear expression over symbols. Symbols are compared by name. A Dim is small whatever a file says: it has at most
// kMaxTerms terms (a sum of more is not linear: see below), a longer name than kMaxSymbol is cut and ends with a hash of the whole,
// and copies share the terms.
class Dim {
 public:
  static constexpr size_t kMaxTerms = 8, kMaxSymbol = 64;
  using Term = std::pair<std::string, int64_t>;

  Dim(int64_t value = 0) : constant_(value) {}  // NOLINT: implicit on purpose
  static Dim symbol(std::string name);
  bool known() const { return terms_ == nullptr; }
  int64_t value() const { return constant_; }  // precondition: known()
  bool is(int64_t n) const { return known() && constant_ == n; }
  std::span<const Term> terms() const { return known() ? std::span<const Term>() : std::span<const Term>(*terms_); }
  int64_t constant() const { return constant_; }
  bool operator==(const Dim& o) const { return constant_ == o.constant_ && (terms_ == o.terms_ || (!known() && !o.known() && *terms_ == *o.terms_)); }

  // Each gives nothing when the result is not linear (or overflows, or has too many terms).
  friend std::optional<Dim> add(const Dim& a, const Dim& b);
  friend std::optional<Dim> sub(const Dim& a, const Dim& b);
  friend std::optional<Dim> mul(const Dim& a, const Dim& b);
  // Exact: only when b divides every coefficient, or both are known (floor division then).
  friend std::optional<Dim> div(const Dim& a, const Dim& b);

  // "batch", "2*seq+1", "7"
  std::string text() const;

 private:
  Dim(int64_t constant, std::vector<Term> terms);
  int64_t constant_ = 0;
  std::shared_ptr<const std::vector<Term>> terms_;  // sorted by name, no zero coefficients; null: none
};
std::optional<Dim> add(const Dim& a, const Dim& b);
std::optional<Dim> sub(const Dim& a, const Dim& b);
std::optional<Dim> mul(const Dim& a, const Dim& b);
std::optional<Dim> div(const Dim& a, const Dim& b);
// Reads what text() writes (integers, symbols, + - *, parentheses around products of constants are not needed); nothing when it cannot,
// or when the text is longer than any that text() writes.
std::optional<Dim> parse_dim(std::string_view text);

// A shape of the IR: unranked (nothing known), or a list of Dims.
class Shape {
 public:
  Shape() = default;  // unranked
  Shape(std::vector<Dim> dims) : ranked_(true), dims_(std::move(dims)) {}
  Shape(std::initializer_list<Dim> dims) : ranked_(true), dims_(dims) {}
  explicit Shape(const Dims& dims) : ranked_(true), dims_(dims.span().begin(), dims.span().end()) {}
  bool ranked() const { return ranked_; }
  int rank() const { return static_cast<int>(dims_.size()); }  // 0 when unranked
  const Dim& operator[](int i) const { return dims_[static_cast<size_t>(i)]; }
  Dim& operator[](int i) { return dims_[static_cast<size_t>(i)]; }
  const std::vector<Dim>& dims() const { return dims_; }
  std::vector<Dim>& dims() { return dims_; }
  void push_back(Dim d) { dims_.push_back(std::move(d)); }
  // All numbers?
  bool known() const {
    return ranked_ && std::all_of(dims_.begin(), dims_.end(), [](const Dim& d) { return d.known(); });
  }
  // The dims; impossible ones when a dimension is not known or there are more than kMaxRank.
  Dims concrete() const;
  bool operator==(const Shape& o) const { return ranked_ == o.ranked_ && dims_ == o.dims_; }
  // "[batch,3,224,224]", "[]" for a scalar, "?" when unranked
  std::string text() const;

 private:
  bool ranked_ = false;
  std::vector<Dim> dims_;
};

// NumPy broadcasting of concrete dims; nothing when they do not fit.
std::optional<Dims> broadcast(const Dims& a, const Dims& b);
// An axis in [-rank, rank) brought to [0, rank); nothing outside.
std::optional<int> normalize_axis(int64_t axis, int rank);

}  // namespace tern
