// Tensors as ONNX stores them: in the message, as raw bytes of the file, in files beside it, or sparse. Next: external.h.
#pragma once
#include <span>

#include "loaders/onnx/external.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

// Where the weights of a model lie.
struct Sources {
  std::span<const std::byte> file;  // raw data
  ExternalFiles external;
  int64_t budget;                          // bytes left for what the file does not back: sparse tensors made dense
  std::shared_ptr<const void> owner = {};  // of the file; may be null
};

// The dtype of ONNX's number for it. Errors: unsupported (8-bit floats, 4-bit integers, complex ...), by name.
Result<DType> dtype_of(int64_t onnx_data_type);
// The number that ONNX has for a dtype's name in old files ("FLOAT"); 0 when there is none of that name.
int64_t data_type_number(std::string_view name);

// Subnormal f32 and f64 elements become zero, bytes of a bool other than 0 become 1.
void clean(Tensor& tensor);

// Errors do not name the tensor: the caller does. Subnormal f32 and f64 elements become zero. `normal`: its raw data are known to hold none.
Result<Tensor> to_tensor(const onnx_pb::Tensor& proto, Sources& sources, bool normal = false);
// The same of a message of which no other tensor will be made; only its name is of use afterwards. In memory of our own (`owner`), large raw data of f32
// stay where they are: up to three bytes before, over their own tag and length, where no element may begin there; subnormal elements become zero
// there. Pages that others were copied from go.
Result<Tensor> take_tensor(onnx_pb::Tensor& proto, Sources& sources);
Result<Tensor> to_dense(const onnx_pb::SparseTensor& proto, Sources& sources);

}  // namespace tern::onnx
