// What loops know of lists of tensors. Next: lists.cpp, loop.cpp.
#pragma once
#include "loaders/tensorflow/graph/builder.h"

namespace tern::tensorflow {

// A scalar of any integer type as a number that sizes can be computed with.
Int int_of(Builder& b, ValueId v);
// [length, element...]
ValueId zeros(Builder& b, DType dtype, const Int& length, const std::vector<Int>& element);
// The elements of a list; where nothing was put in yet, zeros of items' shape (unranked: that which the list was told). Fails: no shape is known.
ValueId filled(Builder& b, const TensorList& list, const TypeInfo& item);
// The same where an element is read.
ValueId elements_of(Builder& b, const TensorList& list);
// The elements with `item` at `index`.
ValueId put(Builder& b, ValueId elements, ValueId index, ValueId item);

}  // namespace tern::tensorflow
