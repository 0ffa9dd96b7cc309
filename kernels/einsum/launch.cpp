// Which kernel of einsum.cu runs. See launch.h.
#include "kernels/launch.h"

#include "kernels/einsum/einsum_device.h"

namespace tern::cuda {
namespace {

// By the number of operands.
struct Names {
  const char* of[kEinsumMostOperands];
};
constexpr Names names_of(DType t) {
  switch (t) {
    case DType::f32: return {{"einsum_1_f32", "einsum_2_f32", "einsum_3_f32"}};
    case DType::f64: return {{"einsum_1_f64", "einsum_2_f64", "einsum_3_f64"}};
    case DType::f16: return {{"einsum_1_f16", "einsum_2_f16", "einsum_3_f16"}};
    case DType::bf16: return {{"einsum_1_bf16", "einsum_2_bf16", "einsum_3_bf16"}};
    case DType::i32: return {{"einsum_1_i32", "einsum_2_i32", "einsum_3_i32"}};
    case DType::i64: return {{"einsum_1_i64", "einsum_2_i64", "einsum_3_i64"}};
    default: return {};
  }
}

}  // namespace

template <DType kType>
void launch_einsum(const EinsumArgs& a, Launches& to) {
  constexpr Names kNames = names_of(kType);
  to.add("einsum/einsum", kNames.of[a.operands - 1], {blocks_for(a.end, kEinsumBlock)}, {kEinsumBlock}, 0, a);  // a device's share is all
}
template void launch_einsum<DType::f32>(const EinsumArgs&, Launches&);
template void launch_einsum<DType::f64>(const EinsumArgs&, Launches&);
template void launch_einsum<DType::f16>(const EinsumArgs&, Launches&);
template void launch_einsum<DType::bf16>(const EinsumArgs&, Launches&);
template void launch_einsum<DType::i32>(const EinsumArgs&, Launches&);
template void launch_einsum<DType::i64>(const EinsumArgs&, Launches&);

}  // namespace tern::cuda
