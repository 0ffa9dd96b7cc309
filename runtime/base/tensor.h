// Tensor: a dtype, dims and shared storage (constants of a model, values of the evaluator).
// TensorView: what a kernel is bound to: a type, and contents where they are known. Next: attributes.h.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/shape.h"
#include "tern/dtype.h"
#include "tern/status.h"

namespace tern {

constexpr size_t kAlignment = 64;  // of what is allocated (weights may lie in a file as they are): one AVX-512 register, one cache line

// `bytes` of storage aligned to kAlignment, zeroed on request, its size rounded up to a multiple of that (of arenas and packs; no kernel
// reads past the last element of an input: a caller's array ends where it ends). Throws std::bad_alloc, which ends at the API (guarded.h).
std::shared_ptr<std::byte> allocate_aligned(size_t bytes, bool zero = false);

// How the elements of a value lie in memory.
//   plain     row-major, dense.
//   blocked   NCHW16c, the blocks outermost: [ceil(C/16)][N][halo_top + H + halo_bottom][halo_left + W + halo_right][16], f32 only. So some blocks
//             of channels lie together whatever the batch, and a Concat has its inputs where they are computed (plan/join_in_place.cpp).
//             The halo is zero; lanes past C hold anything and are never read. Rank 4, or rank 3 with H = 1 (N, C, W). See kernels/conv/conv.h.
struct Layout {
  bool blocked = false;
  int32_t top = 0, bottom = 0, left = 0, right = 0;
  bool operator==(const Layout&) const = default;
};

// Bytes that a value of this type occupies; nothing for impossible dims, and beyond kMaxBytes. Extents of zero are taken as one there:
// strides, offsets and workspaces are products of some extents, so that what has a size has no overflow in them either.
constexpr int64_t kMaxBytes = int64_t(1) << 48;
std::optional<int64_t> storage_bytes(DType dtype, const Dims& dims, const Layout& layout = {});

struct TensorView {
  DType dtype = DType::none;
  Dims dims;
  const void* contents = nullptr;  // read them only when `known`. Where a value lies at run time is another matter: kernels/binding.h
  bool constant = false;           // its contents are known and never change (a weight)
  bool known = false;              // its contents may be read now, to shape the work (a constant; in the evaluator, anything)
  Layout layout;
  bool present() const { return dtype != DType::none; }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(contents);
  }
  int64_t count() const { return dims.count(); }
};

// Copying shares everything: a graph and its copies hold a constant once. A tensor that is shared must not be written.
class Tensor {
 public:
  Tensor() = default;  // none
  // Uninitialised elements. Errors: dims negative or the size overflows (invalid). Memory that runs short throws std::bad_alloc, as
  // everywhere (guarded.h): an error here could be taken for a shape that cannot be, and inference would go on without it.
  static Result<Tensor> allocate(DType dtype, const Dims& dims);
  // A tensor over storage that `owner` keeps alive.
  Tensor(DType dtype, const Dims& dims, std::shared_ptr<const std::byte> owner)
      : body_(std::make_shared<const Body>(Body{dtype, dims, std::move(owner), {}})) {}
  // For small constants: from values. Throws std::bad_alloc.
  template <class T>
  static Tensor of(const Dims& dims, std::span<const T> values) {
    Tensor t(dtype_of<T>(), dims, allocate_aligned(values.size_bytes()));
    std::copy(values.begin(), values.end(), t.template mutable_data<T>());
    return t;
  }
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, std::span<const T>(&value, 1));
  }
  // A 1-D i64 tensor.
  static Tensor ints(std::span<const int64_t> values) { return of<int64_t>({static_cast<int64_t>(values.size())}, values); }
  // A string tensor; copies the bytes into a pool of its own.
  static Result<Tensor> strings(const Dims& dims, std::span<const std::string> values);

  bool present() const { return body_ != nullptr && body_->dtype != DType::none; }
  DType dtype() const { return body().dtype; }
  const Dims& dims() const { return body().dims; }
  int64_t count() const { return dims().count(); }
  size_t bytes() const { return static_cast<size_t>(count()) * size_of(dtype()); }
  const std::byte* raw() const { return storage().get(); }
  std::byte* mutable_raw() { return const_cast<std::byte*>(raw()); }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(raw());
  }
  template <class T>
  T* mutable_data() {
    return reinterpret_cast<T*>(mutable_raw());
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<size_t>(count())};
  }
  // The same elements under other dims of the same count.
  Tensor reshaped(const Dims& dims) const {
    Body b = body();
    b.dims = dims;
    return Tensor(std::move(b));
  }
  const std::shared_ptr<const std::byte>& storage() const { return body().storage; }
  // String elements point into pools; whoever copies such elements keeps their pools too. A pool that is kept already is not kept twice.
  struct Pool {
    std::shared_ptr<const void> owner;
    int64_t bytes;  // what it counts against budgets
  };
  const std::vector<Pool>& pools() const { return body().pools; }
  void keep(std::span<const Pool> pools);
  // Of all its pools: what the strings take beside their elements.
  int64_t text_bytes() const;
  TensorView view(bool constant = false) const { return {dtype(), dims(), raw(), constant, true, {}}; }

 private:
  struct Body {
    DType dtype = DType::none;
    Dims dims;
    std::shared_ptr<const std::byte> storage;
    std::vector<Pool> pools;
  };
  explicit Tensor(Body b) : body_(std::make_shared<const Body>(std::move(b))) {}
  const Body& body() const {
    static const Body none;
    return body_ == nullptr ? none : *body_;
  }
  std::shared_ptr<const Body> body_;  // null: none. Values are many and most are no constants, so this is all that each of them holds
};

// The elements of an integer (or bool) tensor as i64; nothing for other dtypes.
std::optional<std::vector<int64_t>> as_ints(const TensorView& view);
// Brings elements that come from outside to what kernels take for granted, in place: subnormal f32 and f64 become zero of their sign
// (the numbers contract), and a byte of a bool that is not zero becomes one (reading any other as a bool is undefined).
void normalize_elements(DType dtype, void* data, int64_t count);
// Whether one bool is true: its byte is not zero. Precondition: a boolean of one element, with data.
inline bool is_true(const Tensor& condition) { return *reinterpret_cast<const uint8_t*>(condition.raw()) != 0; }

}  // namespace tern
