// Partitioned variables: parts of one tensor under keys that tell which part each is, in a code that sorts as the numbers do. Next: slices.cpp.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/tensor.h"

namespace tern::tensorflow {

struct Slice {
  std::vector<int64_t> start, length;  // for each axis; length -1: the whole of it, from 0 on
};

// The last word of "4 6 0,2:-": for each axis its begin and its extent, or - for the whole.
std::optional<Slice> parse_slice(std::string_view text);
// The key that a part of the tensor `name` is stored under.
std::string slice_key(const std::string& name, const Slice& slice);
// Whole axes as numbers. Errors (invalid): another number of axes, a part that is not inside `whole`, parts that overlap or leave gaps.
Status check_slices(std::vector<Slice>& slices, const Dims& whole);
// Copies the elements of a part to their place.
void place_slice(const Tensor& part, const Slice& slice, Tensor& whole);

}  // namespace tern::tensorflow
