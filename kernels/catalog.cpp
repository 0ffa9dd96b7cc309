// The catalog: every operator of this build, one line each, sorted by name within its family. No static constructors: the array
// is constant-initialised. To add an operator: declare its OpDef in its family's header, define it there, add a line here.
#include <algorithm>
#include <array>

#include "kernels/control/control.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gather/gather.h"
#include "kernels/movement/movement.h"
#include "kernels/op.h"
#include "kernels/shape/shape.h"
#include "kernels/softmax/softmax.h"

namespace tern {
namespace {

constexpr const OpDef* kOps[] = {
    // control
    &kIf,
    // gemm
    &kGemm,
    &kLinear,
    &kMatMul,
    // gather
    &kGather,
    // movement
    &kConcat, &kDropout, &kExpand, &kFlatten, &kIdentity, &kReshape, &kSlice, &kSplit, &kSqueeze, &kTile, &kTranspose, &kUnsqueeze,
    // shape
    &kShape, &kSize,
    // softmax
    &kSoftmax,
};

}  // namespace

std::span<const OpDef* const> all_ops() { return kOps; }

const OpDef* find_op(std::string_view name) {
  for (const OpDef* op : kOps) {
    if (name == op->name) return op;
  }
  return nullptr;
}

}  // namespace tern
