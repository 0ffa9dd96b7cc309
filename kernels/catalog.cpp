// The catalog: every operator of this build, one line each, sorted by name within its family. No static constructors: the array
// is constant-initialised. To add an operator: declare its OpDef in its family's header, define it there, add a line here.
#include <algorithm>
#include <array>

#include "kernels/control/control.h"
#include "kernels/gemm/gemm.h"
#include "kernels/op.h"
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
