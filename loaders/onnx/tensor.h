// TensorProto to Tensor: every way to store elements, each checked against the dims before anything is allocated. Next: external.h.
#pragma once
#include <string>

#include "loaders/onnx/external.h"
#include "runtime/base/tensor.h"
#include "tern_onnx.pb.h"

namespace tern::onnx {

// ONNX's data_type number to ours; none when tern has no such dtype.
DType to_dtype(int data_type);
// "float8e4m3fn" and the like, for messages.
std::string data_type_name(int data_type);

Result<Tensor> to_tensor(const onnx_pb::Tensor& proto, ExternalData& external);
// Densifies; `budget` bounds the dense bytes and is lowered by them.
Result<Tensor> to_tensor(const onnx_pb::SparseTensor& proto, ExternalData& external, int64_t& budget);

}  // namespace tern::onnx
