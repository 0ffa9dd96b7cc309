// What general.cu runs for a general Attention. See general_row.h.
#include <algorithm>

#include "kernels/attention/general_row.h"
#include "kernels/launch.h"

namespace tern::cuda {
namespace {

constexpr const char* kModule = "attention/general";

template <DType kType>
void launch(const GeneralAttentionArgs& a, Launches& to) {
  const char* rows = kType == DType::f32   ? "attention_general_f32"
                     : kType == DType::f64 ? "attention_general_f64"
                     : kType == DType::f16 ? "attention_general_f16"
                                           : "attention_general_bf16";
  const char* present = kType == DType::f32 ? "attention_present_32" : kType == DType::f64 ? "attention_present_64" : "attention_present_16";
  if (a.present_key != nullptr || a.present_value != nullptr) {
    const int64_t elements = a.batches * a.kv_heads * a.T * std::max(a.D, a.Dv);
    to.add(kModule, present, {blocks_for(elements, kGeneralThreads)}, {kGeneralThreads}, 0, a);
  }
  to.add(kModule, rows, {blocks_for(std::min(kGeneralBlocks, a.end - a.begin), 1)}, {kGeneralThreads}, 0, a);
}

}  // namespace

constinit const KernelRow kGeneralAttention[] = {
    device_row<GeneralAttentionArgs, launch<DType::f32>>("attention_onnx/f32/cuda", DType::f32),
    device_row<GeneralAttentionArgs, launch<DType::f64>>("attention_onnx/f64/cuda", DType::f64),
    device_row<GeneralAttentionArgs, launch<DType::f16>>("attention_onnx/f16/cuda", DType::f16),
    device_row<GeneralAttentionArgs, launch<DType::bf16>>("attention_onnx/bf16/cuda", DType::bf16),
};

}  // namespace tern::cuda
