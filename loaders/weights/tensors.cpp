// See tensors.h: views checked against their storages, and made dense.
#include "loaders/weights/tensors.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/checked.h"
#include "runtime/base/crc.h"
#include "runtime/base/mapping.h"
#include "runtime/base/sealed.h"
#include "runtime/base/subnormals.h"

namespace tern {
namespace {

std::string text(const std::vector<int64_t>& sizes) {
  std::string s = "[";
  for (size_t i = 0; i < sizes.size(); ++i) s += (i > 0 ? "," : "") + std::to_string(sizes[i]);
  return s + "]";
}

bool is_dense(const StoredTensor& t) {
  int64_t expected = 1;
  for (size_t i = t.sizes.size(); i-- > 0;) {
    if (t.sizes[i] != 1 && t.strides[i] != expected) return false;
    expected *= t.sizes[i];
  }
  return true;
}

// Calls f(first, count) for every run of elements that lie side by side, in row-major order; `first` counts from the storage's begin.
template <class F>
void for_each_run(const StoredTensor& t, F f) {
  const size_t rank = t.sizes.size();
  if (std::find(t.sizes.begin(), t.sizes.end(), 0) != t.sizes.end()) return;
  size_t inner = rank;  // axes from here on are dense
  int64_t run = 1;
  while (inner > 0 && (t.sizes[inner - 1] == 1 || t.strides[inner - 1] == run)) run *= t.sizes[--inner];
  std::vector<int64_t> index(inner, 0);
  int64_t at = t.offset;
  while (true) {
    f(at, run);
    size_t axis = inner;
    while (axis > 0) {
      --axis;
      at += t.strides[axis];
      if (++index[axis] < t.sizes[axis]) break;
      at -= t.strides[axis] * t.sizes[axis];
      index[axis] = 0;
      if (axis == 0) return;
    }
    if (inner == 0) return;
  }
}

constexpr int64_t kWorthHolding = int64_t(16) << 10;  // a smaller tensor is copied, so that it keeps no page of the file
constexpr int64_t kPiece = int64_t(1) << 20;          // of a mapping: its pages leave the process again, one piece after another

bool has_subnormals(const StoredTensor& t, std::span<const std::byte> bytes) {
  if (!is_in_place(t.storage->owner)) return any_subnormal(t.dtype, bytes);
  bool any = false;
  for (size_t done = 0; done < bytes.size() && !any; done += kPiece) {
    const auto piece = bytes.subspan(done, std::min<size_t>(kPiece, bytes.size() - done));
    any = any_subnormal(t.dtype, piece);
    release_pages(piece);
  }
  return any;
}

void negate(DType dtype, std::byte* p, int64_t n) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
      for (int64_t i = 0; i < n; ++i) p[2 * i + 1] ^= std::byte{0x80};
    } else if constexpr (std::is_floating_point_v<T>) {  // also the sign of a zero
      for (int64_t i = 1; i <= n; ++i) p[i * static_cast<int64_t>(sizeof(T)) - 1] ^= std::byte{0x80};
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      for (int64_t i = 0; i < n; ++i) {
        std::make_unsigned_t<T> v;
        std::memcpy(&v, p + i * static_cast<int64_t>(sizeof v), sizeof v);
        v = static_cast<std::make_unsigned_t<T>>(0u - v);
        std::memcpy(p + i * static_cast<int64_t>(sizeof v), &v, sizeof v);
      }
    }
  });
}

Result<int64_t> bytes_within(const StoredTensor& t, int64_t budget) {
  auto count = element_count(t);
  auto bytes = count ? checked_mul(*count, t.element_size) : std::nullopt;
  if (!bytes) return invalid("the tensor of sizes " + text(t.sizes) + " is too large");
  const auto backed = t.storage ? static_cast<int64_t>(t.storage->bytes.size()) : 0;
  if (*bytes > backed && *bytes - backed > budget) {
    return invalid("the tensor of sizes " + text(t.sizes) + " repeats the " + std::to_string(backed) + " bytes of its storage beyond the budget");
  }
  return *bytes;
}

}  // namespace

std::optional<int64_t> element_count(const StoredTensor& t) { return checked_count(t.sizes); }

Status check_view(const StoredTensor& t) {
  if (t.sizes.size() > 64) return invalid("a tensor has " + std::to_string(t.sizes.size()) + " dimensions");
  if (t.sizes.size() != t.strides.size())
    return invalid("a tensor has " + std::to_string(t.sizes.size()) + " sizes and " + std::to_string(t.strides.size()) + " strides");
  for (int64_t n : t.sizes) {
    if (n < 0) return invalid("a tensor has the negative size " + std::to_string(n));
  }
  auto count = element_count(t);
  if (!count) return invalid("a tensor of sizes " + text(t.sizes) + " is too large");
  if (*count == 0 || !t.storage) return {};
  if (t.offset < 0) return invalid("a tensor begins at the negative offset " + std::to_string(t.offset));
  std::optional<int64_t> last = t.offset;
  for (size_t i = 0; i < t.sizes.size(); ++i) {
    if (t.strides[i] < 0) return invalid("a tensor has the negative stride " + std::to_string(t.strides[i]));
    auto step = checked_mul(t.sizes[i] - 1, t.strides[i]);
    last = step && last ? checked_add(*last, *step) : std::nullopt;
  }
  auto end = last ? checked_add(*last, 1) : std::nullopt;
  auto bytes = end ? checked_mul(*end, t.element_size) : std::nullopt;
  if (!bytes || static_cast<uint64_t>(*bytes) > t.storage->bytes.size()) {
    return invalid("a tensor of sizes " + text(t.sizes) + ", strides " + text(t.strides) + " and offset " + std::to_string(t.offset) +
                   " reaches beyond its storage " + t.storage->key + " of " + std::to_string(t.storage->bytes.size()) + " bytes");
  }
  return {};
}

bool same_view(const StoredTensor& a, const StoredTensor& b) {
  return a.storage && b.storage && a.storage->bytes.data() == b.storage->bytes.data() && a.storage->bytes.size() == b.storage->bytes.size() &&
         a.offset == b.offset && a.sizes == b.sizes && a.strides == b.strides && a.dtype == b.dtype && a.dtype_name == b.dtype_name &&
         a.negative == b.negative && a.used_as() == b.used_as();
}

Result<Tensor> dense(const StoredTensor& t, int64_t budget) {
  if (!t.refusal.empty()) return unsupported("is " + t.refusal + ", which is not supported");
  if (t.dtype == DType::none) return unsupported("has the dtype " + t.dtype_name + ", which is not supported");
  if (t.sizes.size() > kMaxRank) return unsupported("has " + std::to_string(t.sizes.size()) + " dimensions, at most 8 are supported");
  if (Status s = check_view(t); !s) return s.error();
  auto bytes = bytes_within(t, budget);
  if (!bytes) return bytes.error();
  const Dims dims{std::span<const int64_t>(t.sizes)};
  if (*bytes > 0 && !t.storage) return unsupported("has no data in this file");
  const bool in_place = *bytes > 0 && is_in_place(t.storage->owner);
  const bool worth_holding = *bytes >= kWorthHolding || (*bytes > 0 && (in_place || !is_mapped(t.storage->owner)));
  if (worth_holding && is_dense(t) && t.storage->owner && !t.negative && t.dtype != DType::boolean) {
    const std::byte* p = t.storage->bytes.data() + t.offset * t.element_size;
    const auto after = static_cast<int64_t>(t.storage->bytes.data() + t.storage->bytes.size() - p) - *bytes + t.storage->readable_after;
    const std::span<const std::byte> elements(p, static_cast<size_t>(*bytes));
    const bool room = !in_place && is_mapped(t.storage->owner);  // behind all memory that is mapped (map_memory(), hold())
    const bool placed = reinterpret_cast<uintptr_t>(p) % size_of(t.dtype) == 0 && (room || after >= static_cast<int64_t>(kAlignment));
    if (placed && (t.normal || !has_subnormals(t, elements))) return Tensor(t.dtype, dims, hold(t.storage->owner, elements));
  }
  auto made = Tensor::allocate(t.dtype, dims);
  if (!made) return made.error();
  std::byte* to = made->mutable_raw();
  if (*bytes > 0) {
    for_each_run(t, [&](int64_t first, int64_t n) {
      const std::byte* from = t.storage->bytes.data() + first * t.element_size;
      for (int64_t left = n * t.element_size; left > 0;) {
        const auto piece = static_cast<size_t>(std::min(left, kPiece));
        std::memcpy(to, from, piece);
        if (in_place && piece == static_cast<size_t>(kPiece)) release_pages({from, piece});
        from += piece, to += piece, left -= static_cast<int64_t>(piece);
      }
    });
    if (worth_holding) retire(t.storage->owner, t.storage->bytes);
  }
  if (t.negative) negate(t.dtype, made->mutable_raw(), dims.count());
  normalize_elements(t.dtype, made->mutable_raw(), dims.count());
  return sealed(std::move(*made));
}

Result<uint32_t> checksum(const StoredTensor& t, int64_t budget) {
  if (Status s = check_view(t); !s) return s.error();
  auto bytes = bytes_within(t, budget);
  if (!bytes) return bytes.error();
  uint32_t crc = 0;
  if (*bytes == 0) return crc;
  if (!t.storage) return unsupported("has no data in this file");
  const bool changed = t.negative || t.conjugate || t.dtype == DType::boolean;
  std::vector<std::byte> piece;
  constexpr int64_t kPiece = 4096;
  for_each_run(t, [&](int64_t first, int64_t n) {
    for (int64_t i = 0; i < n; i += kPiece) {
      const int64_t m = changed ? std::min(kPiece, n - i) : n;
      const std::byte* p = t.storage->bytes.data() + (first + i) * t.element_size;
      if (changed) {
        piece.assign(p, p + m * t.element_size);
        if (t.dtype == DType::boolean) {
          for (std::byte& b : piece) b = std::byte{b != std::byte{0}};
        } else if (t.dtype == DType::none) {  // complex: the sign of both parts, then of the imaginary one
          const int64_t half = t.element_size / 2;
          for (int64_t e = 0; e < m; ++e) {
            if (t.negative) piece[static_cast<size_t>((e + 1) * t.element_size - half - 1)] ^= std::byte{0x80};
            if (t.negative != t.conjugate) piece[static_cast<size_t>((e + 1) * t.element_size - 1)] ^= std::byte{0x80};
          }
        } else {
          negate(t.dtype, piece.data(), m);
        }
        p = piece.data();
      }
      crc = crc32({p, static_cast<size_t>(m * t.element_size)}, crc);
      if (!changed) break;
    }
  });
  return crc;
}

const StoredTensor* StateDict::find(std::string_view name) const {
  for (const Entry& e : entries) {
    if (e.name == name) return &e.tensor;
  }
  return nullptr;
}

}  // namespace tern
