// See text.h.
#include "kernels/strings/text.h"

#include "runtime/base/checked.h"

namespace tern {

Error too_much_text() { return unsupported("the text needs more memory than the budget"); }

void TextBuilder::grow(size_t bytes) {
  room_ = std::max({used_ + bytes, 2 * room_, size_t(64)});
  std::unique_ptr<char[]> larger(new char[room_]);
  std::copy_n(pool_.get(), used_, larger.get());
  pool_ = std::move(larger);
}

Result<Tensor> TextBuilder::finish(const Dims& dims) && {
  if (!fits()) return too_much_text();
  auto t = Tensor::allocate(DType::string, dims);
  if (!t) return t;
  if (pool_ == nullptr) grow(0);  // empty strings are somewhere, too
  const std::shared_ptr<const char[]> pool(std::move(pool_));
  auto* y = t->mutable_data<StringRef>();
  size_t begin = 0;
  for (size_t end : ends_) {
    *y++ = {pool.get() + begin, static_cast<int64_t>(end - begin)};
    begin = end;
  }
  const Tensor::Pool kept{pool, static_cast<int64_t>(used_)};
  t->keep({&kept, 1});
  return t;
}

Status check_text(InferContext& c, size_t i) {
  if (c.dtype(i) == DType::string || !c.has(i)) return {};
  return invalid("input " + std::to_string(i) + " is " + name(c.dtype(i)) + ": it must be text");
}

Status infer_text_map(InferContext& c, DType dtype) {
  if (Status s = check_text(c); !s) return s;
  c.set(0, dtype, c.shape(0));
  return {};
}

Result<std::vector<int64_t>> row_splits(const Tensor& splits, int64_t values) {
  auto rows = as_ints(splits.view());
  if (!rows || splits.dims().rank != 1 || rows->empty()) return invalid("row_splits must be integers of one dimension, one at least");
  if (rows->front() != 0 || rows->back() != values || !std::is_sorted(rows->begin(), rows->end()))
    return invalid("row_splits must rise from 0 to the number of values, " + std::to_string(values));
  return std::move(*rows);
}

std::string_view strip(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

std::string quoted(std::string_view s) {
  std::string out = "'";
  for (char c : s.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (s.size() > 40 ? "'…" : "'");
}

}  // namespace tern
