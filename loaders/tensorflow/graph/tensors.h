// Tensors as TensorFlow's graphs hold them: raw bytes, which stay in the file, or lists of values of which the last is repeated. Next: builder.h.
#pragma once
#include <array>

#include "loaders/source.h"
#include "runtime/graph.h"

namespace tern::tensorflow_pb {
class TensorProto;
class ShapeProto;
}  // namespace tern::tensorflow_pb

namespace tern::tensorflow {

// Where contents of tensors lie.
struct Contents {
  Source source;   // the file of the graph
  int64_t budget;  // bytes left for elements that the file does not hold: repeated ones, sparse ones
};

// Errors do not name the tensor: the caller does. More than kMaxRank axes (unsupported); a negative or too large shape, a number of values or bytes that
// does not fit it, more repeated values than the budget allows (invalid). Subnormal f32 and f64 elements become zero.
Result<Tensor> to_tensor(const tensorflow_pb::TensorProto& proto, Contents& contents);
// The real and the imaginary part of a complex64 tensor. Errors: as above.
Result<std::array<Tensor, 2>> to_complex(const tensorflow_pb::TensorProto& proto, Contents& contents);
// Sizes that are all known. Errors: as above.
Result<Dims> to_dims(const tensorflow_pb::ShapeProto& proto);
// An extent that is not known is a symbol of its own, made by `fresh`.
Result<Shape> to_shape(const tensorflow_pb::ShapeProto& proto, Graph& fresh);

}  // namespace tern::tensorflow
