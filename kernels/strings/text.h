// Strings in the making, and what operators on text share. Next: utf8.h.
#pragma once
#include <algorithm>
#include <memory>
#include <string_view>

#include "kernels/op.h"
#include "kernels/strings/short_text.h"

namespace tern {

// Makes strings one after another in one pool. When they are more than the budget, the rest is dropped and finish() says so.
class TextBuilder {
 public:
  explicit TextBuilder(int64_t budget) : left_(budget) {}
  void reserve(int64_t count) {  // of strings, as far as the budget reaches
    ends_.reserve(static_cast<size_t>(std::clamp<int64_t>(left_ / static_cast<int64_t>(sizeof(size_t)), 0, count)));
  }
  void append(std::string_view part) {  // to the string that is being made
    if ((left_ -= static_cast<int64_t>(part.size())) < 0) return;
    if (part.size() > room_ - used_) grow(part.size());
    copy_text(pool_.get() + used_, part);
    used_ += part.size();
  }
  void end() {  // of that string
    if ((left_ -= static_cast<int64_t>(sizeof(StringRef) + sizeof(size_t))) >= 0) ends_.push_back(used_);
  }
  void add(std::string_view whole) {
    append(whole);
    end();
  }
  bool fits() const { return left_ >= 0; }
  int64_t count() const { return static_cast<int64_t>(ends_.size()); }
  // Precondition: as many strings as dims say, when fits(). Error: over budget (unsupported).
  Result<Tensor> finish(const Dims& dims) &&;

 private:
  void grow(size_t bytes);  // so that so many more have room

  int64_t left_;
  std::unique_ptr<char[]> pool_;
  size_t used_ = 0, room_ = 0;  // of its bytes
  std::vector<size_t> ends_;
};

// The error of text that is more than the budget.
Error too_much_text();

// The elements of a tensor of strings.
inline std::span<const StringRef> strings_of(const Tensor& t) { return t.span<StringRef>(); }

// For `infer`: is input i text?
Status check_text(InferContext& c, size_t i = 0);
// Output 0 is like input 0, which is text, and holds elements of this dtype.
Status infer_text_map(InferContext& c, DType dtype = DType::string);

// y[i] is what f(x[i], builder) appends.
template <class F>
Result<std::vector<Tensor>> map_text(const ComputeRequest& r, F f) {
  TextBuilder y(r.budget);
  y.reserve(r.inputs[0].count());
  for (const StringRef& x : strings_of(r.inputs[0])) {
    f(x.view(), y);
    y.end();
    if (!y.fits()) break;
  }
  auto out = std::move(y).finish(r.inputs[0].dims());
  if (!out) return out.error();
  return std::vector<Tensor>{std::move(*out)};
}

// y[i] is f(x[i]), a number. Error: that of f, a Result<T>.
template <class T, class F>
Result<std::vector<Tensor>> map_numbers(const ComputeRequest& r, F f) {
  auto out = Tensor::allocate(dtype_of<T>(), r.inputs[0].dims());
  if (!out) return out.error();
  T* y = out->template mutable_data<T>();
  for (const StringRef& x : strings_of(r.inputs[0])) {
    Result<T> v = f(x.view());
    if (!v) return v.error();
    *y++ = *v;
  }
  return std::vector<Tensor>{std::move(*out)};
}

// Rows as TensorFlow tells them: splits[0] is 0, none is below the one before, the last is `values`. Error: others (invalid).
Result<std::vector<int64_t>> row_splits(const Tensor& splits, int64_t values);

// White space and case as ASCII has them, whatever the locale.
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
std::string_view strip(std::string_view s);
// A text for an error: what is no printable ASCII as '?', at most 40 bytes.
std::string quoted(std::string_view s);

}  // namespace tern
