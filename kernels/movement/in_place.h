// Transpose where the array lies, and blocks in another order: for weights, of the largest of which there should not be two.
//   x[a, b, chunk] -> x[b, a, chunk], once for every axis that goes forward; [H, W, I, O] -> [O, I, H, W] takes [HWI, O] and then O times [HW, I].
//     small            through a buffer that stays in the second cache
//     long chunks      along the cycles of the permutation, chunk after chunk
//     short ones       first among neighbours, through the buffer, which makes them long: [A/n, n, B] -> [A/n, B, n] -> [B, A/n, n]
//   Shapes    as Transpose (transpose.cpp); elements are opaque.
//   Cost      a read and a write an element for each of one to three passes, a buffer of kInPlaceBuffer, a bit for each chunk.
//   Edges     where no divisor of an extent fits (a large prime), nothing is done.
// Next: in_place.cpp.
#pragma once
#include <cstddef>
#include <span>

#include "runtime/base/shape.h"

namespace tern {

constexpr int64_t kInPlaceBuffer = int64_t(512) << 10;

// The elements of `dims`, of `size` bytes each (1, 2, 4, 8 or 16), with their axes as Transpose's `perm` says. False: they lie as they did. `perm` is a
// permutation. Throws std::bad_alloc, before anything moved.
bool transpose_in_place(std::byte* data, int64_t size, const Dims& dims, std::span<const int> perm);

// Of each of `outer` arrays of blocks of `block` bytes: block i is what block order[i] was, as a Gather along an axis does (the gates of an LSTM).
// `order` is a permutation. False: an array does not fit into the buffer, and all lie as they did. Throws as above.
bool reorder_in_place(std::byte* data, int64_t outer, int64_t block, std::span<const int64_t> order);

}  // namespace tern
