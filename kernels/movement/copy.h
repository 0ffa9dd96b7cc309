// The one kernel behind nearly every operator that moves elements: an n-dimensional strided copy of elements of any size.
//   y[i0,i1,...] = x[i0,i1,...]   where x and y step through memory with strides of their own (zero repeats, negative reverses)
//   Shapes    up to kMaxCopyRank extents; strides in bytes. Elements are opaque: strings move like numbers.
//   Cost      no arithmetic; one read and one write an element. Runs that are contiguous on both sides are single memcpy calls,
//             an innermost transposition goes through tiles that stay in L1.
//   Numerics  bytes are copied, so NaN payloads and subnormals survive.
//   Edges     an extent of zero copies nothing.
//   Source    the collapsing of dimensions is what NumPy's iterator and every transposition library do.
// Next: copy.cpp, launch.cpp and copy.cu (the same on a device), then reshape.cpp and transpose.cpp.
#pragma once
#include "kernels/movement/copy_launch.h"
#include "kernels/op.h"

namespace tern {

static_assert(kMaxCopyRank == 2 * kMaxRank);

// Copies to be done in order.
struct CopyArgs {
  const Copy* copies;
  int64_t count;
};
// For a device: `count` Copy structs follow it, and then the loops of all, so that a launch can read them where they were bound. In order:
// those that overlap in y, one launch after another.
struct CopyBlock {
  int64_t count;
  bool in_order;
};
namespace cuda {
void launch_copies(const CopyBlock& block, Launches& to);  // copy_launch.cpp
}

// The same while binding.
struct CopyRequest {
  Address<const std::byte> from;
  Address<std::byte> to;
  int64_t size = 0;
  int32_t rank = 0;
  bool tiled = false;
  CopyLoop loops[kMaxCopyRank] = {};

  CopyRequest() = default;
  CopyRequest(Address<const std::byte> x, Address<std::byte> y, DType dtype) : from(x), to(y), size(static_cast<int64_t>(size_of(dtype))) {}
  // One more loop inside those already there; strides in elements of the constructor's dtype.
  void loop(int64_t extent, int64_t from_step, int64_t to_step) { loops[rank++] = {extent, from_step * size, to_step * size}; }
};

// The strides, in elements, of a dense row-major tensor.
std::array<int64_t, kMaxRank> dense_strides(const Dims& dims);

// Drops and merges loops; the copy stays the same.
CopyRequest collapse(const CopyRequest& copy);
// Collapses copies, takes this part's share of each and makes them the step. Copies that overlap in y must not be split.
class CopyList {
 public:
  explicit CopyList(BindContext& c, bool split = true) : c_(c), split_(split) {}
  void add(const CopyRequest& copy);
  Status bind();

 private:
  struct Kept {
    Address<const std::byte> from;
    Address<std::byte> to;
    int64_t size;
    int32_t rank;
    bool tiled;
  };
  Status bind_on_device();

  void set(Copy& to, const Kept& k);  // all but its loops
  BindContext& c_;
  const bool split_;
  std::vector<Kept> kept_;
  std::vector<CopyLoop> loops_;
};
// One copy.
Status bind_copy(BindContext& c, const CopyRequest& copy);
// `bytes` of input 0 to output 0, which may be the same place: then there is nothing to do.
Status bind_flat_copy(BindContext& c, int64_t bytes);

// All of them are the same code for every dtype: portable, and that of a device.
extern const KernelRow kCopyRows[2];

}  // namespace tern
