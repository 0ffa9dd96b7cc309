// The one kernel behind nearly every operator that moves elements: an n-dimensional strided copy of elements of any size.
//   y[i0,i1,...] = x[i0,i1,...]   where x and y step through memory with strides of their own (zero repeats, negative reverses)
//   Shapes    up to kMaxCopyRank extents; strides in bytes. Elements are opaque: strings move like numbers.
//   Cost      no arithmetic; one read and one write an element. Runs that are contiguous on both sides are single memcpy calls,
//             an innermost transposition goes through tiles that stay in L1.
//   Numerics  bytes are copied, so NaN payloads and subnormals survive.
//   Edges     an extent of zero copies nothing.
//   Source    the collapsing of dimensions is what NumPy's iterator and every transposition library do.
// Next: copy.cpp, then reshape.cpp and transpose.cpp.
#pragma once
#include "kernels/op.h"

namespace tern {

constexpr int kMaxCopyRank = 2 * kMaxRank;

// Loops are outermost first; `size` bytes move at the heart. tiled: the last two loops are a transposition.
struct Copy {
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  int64_t size = 0;
  int32_t rank = 0;
  bool tiled = false;
  int64_t n[kMaxCopyRank] = {}, from_stride[kMaxCopyRank] = {}, to_stride[kMaxCopyRank] = {};

  Copy() = default;
  Copy(const void* x, void* y, DType dtype)
      : from(static_cast<const std::byte*>(x)), to(static_cast<std::byte*>(y)), size(static_cast<int64_t>(size_of(dtype))) {}
  // One more loop inside those already there; strides in elements of the constructor's dtype.
  void loop(int64_t extent, int64_t from_step, int64_t to_step);
};

// Copies to be done in order.
struct CopyArgs {
  const Copy* copies;
  int64_t count;
};

// The strides, in elements, of a dense row-major tensor.
std::array<int64_t, kMaxRank> dense_strides(const Dims& dims);

// Drops and merges loops; the copy stays the same.
Copy collapse(const Copy& copy);
// Collapses, takes this part's share of each copy and makes them the step. Copies that overlap in y must not be split.
Status bind_copies(BindContext& c, std::span<const Copy> copies, bool split = true);
// `bytes` from one place to another.
Status bind_flat_copy(BindContext& c, const void* from, void* to, int64_t bytes);

// All of them are the same portable code for every dtype and ISA.
extern const KernelRow kCopyRows[1];

}  // namespace tern
