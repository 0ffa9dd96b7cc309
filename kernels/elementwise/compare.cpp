// The comparisons: any two elements of one dtype to bool. See elementwise.h. Next: variadic.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"

namespace tern {
namespace {

bool is_any(DType t) { return t != DType::none; }

template <bool (*kAllowed)(DType)>
Status infer(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, DType::boolean);
}
template <Binary kOp>
Status bind(BindContext& c) { return bind_binary(c, kCompareRows, kOp); }

constexpr OpDef compare_op(const char* name, Status (*infer)(InferContext&), Status (*bind)(BindContext&)) {
  return {.name = name, .inputs = {2, 2}, .outputs = {1, 1}, .infer = infer, .bind = bind, .kernels = kCompareRows, .inplace_inputs = 3};
}

}  // namespace

constinit const OpDef kEqual = compare_op("Equal", infer<is_any>, bind<Binary::equal>);
constinit const OpDef kGreater = compare_op("Greater", infer<is_number>, bind<Binary::greater>);
constinit const OpDef kGreaterOrEqual = compare_op("GreaterOrEqual", infer<is_number>, bind<Binary::greater_or_equal>);
constinit const OpDef kLess = compare_op("Less", infer<is_number>, bind<Binary::less>);
constinit const OpDef kLessOrEqual = compare_op("LessOrEqual", infer<is_number>, bind<Binary::less_or_equal>);

}  // namespace tern
