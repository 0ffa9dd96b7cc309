// Tensor storage, string pools, subnormal flushing. See tensor.h.
#include "runtime/base/tensor.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>

#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"

namespace tern {

std::shared_ptr<std::byte> allocate_aligned(size_t bytes, bool zero) {
  size_t size = (bytes + 2 * kAlignment - 1) / kAlignment * kAlignment;
  if (size >= kHugePage) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    size = (size + page - 1) / page * page;
    std::byte* p = map_pages(size);
    if (p == nullptr) throw std::bad_alloc();
    if (zero) prefault(p, size);  // zeros it is already
    return {p, [size](std::byte* q) { ::munmap(q, size); }};
  }
  // Not operator new's own alignment: of aligned blocks the C library keeps no list for each thread, which the evaluator's small tensors live from.
  auto* block = static_cast<std::byte*>(::operator new(size + kAlignment));
  std::byte* p = block + (kAlignment - reinterpret_cast<uintptr_t>(block) % kAlignment) % kAlignment;
  if (zero) std::memset(p, 0, size);
  return {p, [block](std::byte*) { ::operator delete(block); }};
}

std::optional<int64_t> storage_bytes(DType dtype, const Dims& dims, const Layout& layout) {
  Dims stored = dims;
  if (layout.blocked) {
    stored = {ceil_div(dims[1], 16), dims[0], dims.rank == 4 ? dims[2] + layout.top + layout.bottom : 1, dims.back() + layout.left + layout.right,
              16};
  }
  int64_t bytes = static_cast<int64_t>(size_of(dtype));
  bool empty = false;
  for (int64_t n : stored.span()) {
    if (n < 0) return std::nullopt;
    empty = empty || n == 0;
    auto product = checked_mul(bytes, std::max<int64_t>(n, 1));
    if (!product || *product > kMaxBytes) return std::nullopt;
    bytes = *product;
  }
  return empty ? 0 : bytes;
}

Result<Tensor> Tensor::allocate(DType dtype, const Dims& dims) {
  auto bytes = storage_bytes(dtype, dims);
  if (!bytes) return invalid("a tensor of shape " + to_string(dims) + " has no representable size");
  if (static_cast<size_t>(*bytes) < kWorthMapping || dtype == DType::string)
    return Tensor(dtype, dims, allocate_aligned(static_cast<size_t>(*bytes)));
  auto memory = map_memory(static_cast<size_t>(*bytes));
  if (!memory) throw std::bad_alloc();
  return Tensor(dtype, dims, std::move(*memory));
}

Result<Tensor> Tensor::strings(const Dims& dims, std::span<const std::string> values) {
  auto t = allocate(DType::string, dims);
  if (!t) return t;
  size_t bytes = 0;
  for (const std::string& s : values) bytes += s.size();
  auto pool = std::make_shared<std::string>();
  pool->reserve(bytes);  // so that it never moves
  auto* elements = t->mutable_data<StringRef>();
  for (const std::string& s : values) {
    *elements++ = {pool->data() + pool->size(), static_cast<int64_t>(s.size())};
    *pool += s;
  }
  const Pool kept{pool, static_cast<int64_t>(bytes)};
  t->keep({&kept, 1});
  return t;
}

void Tensor::keep(std::span<const Pool> pools) {
  Body b = body();
  b.pools.insert(b.pools.end(), pools.begin(), pools.end());
  std::sort(b.pools.begin(), b.pools.end(), [](const Pool& x, const Pool& y) { return std::less<>()(x.owner.get(), y.owner.get()); });
  const auto same = [](const Pool& x, const Pool& y) { return x.owner.get() == y.owner.get(); };
  b.pools.erase(std::unique(b.pools.begin(), b.pools.end(), same), b.pools.end());
  *this = Tensor(std::move(b));
}

int64_t Tensor::text_bytes() const {
  int64_t sum = 0;
  for (const Pool& p : pools()) sum = checked_add(sum, p.bytes).value_or(INT64_MAX);
  return sum;
}

std::optional<std::vector<int64_t>> as_ints(const TensorView& view) {
  if (!is_int(view.dtype) && view.dtype != DType::boolean) return std::nullopt;
  std::vector<int64_t> out(static_cast<size_t>(view.count()));
  visit(view.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<int64_t>(view.as<const T>()[i]);
    }
  });
  return out;
}

void normalize_elements(DType dtype, void* data, int64_t count) {
  // By their bits: where subnormals count as zero (FlushSubnormals), no comparison tells them from it. In blocks, of which every compiler makes vectors.
  auto flush = [&]<class Bits>(Bits* p, Bits exponent, Bits sign) {
    constexpr int64_t kBlock = 64 / sizeof(Bits);
    const auto flushed = [=](Bits b) { return b & (sign | (Bits((b & exponent) == 0) - 1)); };
    int64_t i = 0;
    for (; i + kBlock <= count; i += kBlock) {
      for (int64_t j = i; j < i + kBlock; ++j) p[j] = flushed(p[j]);
    }
    for (; i < count; ++i) p[i] = flushed(p[i]);
  };
  if (dtype == DType::f32) flush(static_cast<uint32_t*>(data), 0x7f800000u, 0x80000000u);
  if (dtype == DType::f64) flush(static_cast<uint64_t*>(data), uint64_t(0x7ff0000000000000), uint64_t(0x8000000000000000));
  if (dtype == DType::boolean) {
    auto* bytes = static_cast<uint8_t*>(data);
    for (int64_t i = 0; i < count; ++i) bytes[i] = bytes[i] != 0;
  }
}

}  // namespace tern
