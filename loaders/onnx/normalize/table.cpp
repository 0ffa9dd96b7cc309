// The table of normalisations. See normalize.h.
#include <climits>

#include "loaders/onnx/normalize/normalize.h"
#include "runtime/base/half.h"

namespace tern::onnx {
namespace {

struct Entry {
  const char* op;
  int64_t up_to;  // the newest opset in which the operator still needs the rule
  Rule rule;
};

constexpr int64_t kAll = INT64_MAX;

// Rules of one operator apply in this order. They are for the operator of the file: what a rule renames has its newest form already.
constexpr Entry kTable[] = {
    {"Add", 6, broadcast_axis},
    {"And", 6, broadcast_axis},
    {"Div", 6, broadcast_axis},
    {"Equal", 6, broadcast_axis},
    {"Gemm", 6, broadcast_axis},
    {"Greater", 6, broadcast_axis},
    {"Less", 6, broadcast_axis},
    {"Mul", 6, broadcast_axis},
    {"Or", 6, broadcast_axis},
    {"Pow", 6, broadcast_axis},
    {"Sub", 6, broadcast_axis},
    {"Xor", 6, broadcast_axis},
    {"PRelu", 6, prelu_channels},
    {"BatchNormalization", 13, batch_norm_inference},
    {"Cast", 5, cast_names},
    {"Cast", kAll, cast_rounding},
    {"CastLike", kAll, cast_rounding},
    {"Clip", 10, clip_to_inputs},
    {"Clip", kAll, clip_finite},
    {"Concat", 3, concat_axis},
    {"Dropout", 11, dropout_inference},
    {"Dropout", 11, dropout_mask},
    {"Einsum", kAll, einsum_product},
    {"GlobalLpPool", 1, lp_pool_order},
    {"GridSample", 19, grid_sample_modes},
    {"GRU", 6, output_sequence},
    {"GroupNormalization", 20, group_norm_channels},
    {"Hardmax", 12, flat_softmax},
    {"LogSoftmax", 12, flat_softmax},
    {"LSTM", 6, output_sequence},
    {"LayerNormalization", kAll, norm_parameters},
    {"LpPool", 1, lp_pool_order},
    {"Pad", 10, pad_to_inputs},
    {"RNN", 6, output_sequence},
    {"RMSNormalization", kAll, norm_parameters},
    {"ReduceL1", 17, axes_to_input},
    {"ReduceL2", 17, axes_to_input},
    {"ReduceLogSum", 17, axes_to_input},
    {"ReduceLogSumExp", 17, axes_to_input},
    {"ReduceMax", 17, axes_to_input},
    {"ReduceMean", 17, axes_to_input},
    {"ReduceMin", 17, axes_to_input},
    {"ReduceProd", 17, axes_to_input},
    {"ReduceSum", 12, axes_to_input},
    {"ReduceSumSquare", 17, axes_to_input},
    {"Reshape", 4, reshape_to_input},
    {"Scatter", 10, scatter_elements},
    {"Selu", 5, selu_constants},
    {"Slice", 9, slice_to_inputs},
    {"Softmax", 12, flat_softmax},
    {"Split", 1, split_sizes},
    {"Split", 12, split_to_input},
    {"Split", 17, split_count},
    {"Squeeze", 12, axes_to_input},
    {"Tile", 5, tile_repeats},
    {"TopK", 9, topk_to_input},
    {"Unsqueeze", 12, axes_to_input},
    {"Upsample", 9, upsample_to_resize},
    {"Resize", 10, resize_simple},
    {"Resize", 12, resize_tensorflow},
    {"Resize", kAll, resize_empty_inputs},
};

}  // namespace

Status normalize(OnnxNode& node, Emitter& to) {
  const std::string op = node.op;
  node.attrs.erase("consumed_inputs");  // an allocation hint of opset 1
  for (const Entry& entry : kTable) {
    if (node.version > entry.up_to || op != entry.op) continue;
    if (Status s = entry.rule(node, to); !s) return s;
  }
  return {};
}

Tensor scalar_of(DType dtype, double value) {
  switch (dtype) {
    case DType::f64: return Tensor::scalar(value);
    case DType::f16: return Tensor::scalar(to_f16(value));
    case DType::bf16: return Tensor::scalar(to_bf16(value));
    case DType::i8: return Tensor::scalar(static_cast<int8_t>(value));
    case DType::u8: return Tensor::scalar(static_cast<uint8_t>(value));
    case DType::i32: return Tensor::scalar(static_cast<int32_t>(value));
    case DType::i64: return Tensor::scalar(static_cast<int64_t>(value));
    default: return Tensor::scalar(static_cast<float>(value));
  }
}

}  // namespace tern::onnx
