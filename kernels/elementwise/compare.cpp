// The comparisons: any two elements of one dtype to bool. See elementwise.h, binary_functions.h, binary_rows.h. Next: variadic.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/device.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/numbers.h"
#include "kernels/strings/short_text.h"

namespace tern {
namespace {

using namespace functions;

using IntsAndBool = Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>;

// Of text: most pairs differ in size, or are short.
struct EqualText {
  bool operator()(const StringRef& a, const StringRef& b) const { return same_text(a.view(), b.view()); }
};

template <bool (*kAllowed)(DType)>
Status infer_compare(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, DType::boolean);
}

// a > b is b < a: rows of their own on the same bodies, the slowest of this folder to compile.
Status bind_turned(BindContext& c) { return bind_binary(c, c.pick(c.in(0).dtype), 1, 0); }
constexpr OpDef turned_op(const char* name, std::span<const KernelRow* const> rows) {
  OpDef op = binary_op(name, infer_compare<is_number>, rows);
  op.bind = bind_turned;
  return op;
}

}  // namespace

extern constinit const OpDef kEqual = binary_op(
    "Equal", infer_compare<is_any>,
    rows_of<TERN_ON_EACH_ISA(equal_any), kBinary<"equal", Equal{}, NarrowFloats>, kBinary<"equal", Equal{}, OtherInts>,
            kBinary<"equal", Equal{}, Types<bool>>, kBinary<"equal", EqualText{}, Types<StringRef>>, cuda::kComparison<"equal", IntsAndBool>>);
extern constinit const OpDef kGreater =
    turned_op("Greater", rows_of<TERN_ON_EACH_ISA(greater_any), kBinary<"greater", Less{}, NarrowFloats>, kBinary<"greater", Less{}, OtherInts>,
                                 cuda::kComparison<"greater", Ints, "less">>);
extern constinit const OpDef kGreaterOrEqual = turned_op(
    "GreaterOrEqual", rows_of<TERN_ON_EACH_ISA(greater_or_equal_any), kBinary<"greater_or_equal", LessOrEqual{}, NarrowFloats>,
                              kBinary<"greater_or_equal", LessOrEqual{}, OtherInts>, cuda::kComparison<"greater_or_equal", Ints, "less_or_equal">>);
extern constinit const OpDef kLess = binary_op(
    "Less", infer_compare<is_number>,
    rows_of<TERN_ON_EACH_ISA(less_any), kBinary<"less", Less{}, NarrowFloats>, kBinary<"less", Less{}, OtherInts>, cuda::kComparison<"less", Ints>>);
extern constinit const OpDef kLessOrEqual =
    binary_op("LessOrEqual", infer_compare<is_number>,
              rows_of<TERN_ON_EACH_ISA(less_or_equal_any), kBinary<"less_or_equal", LessOrEqual{}, NarrowFloats>,
                      kBinary<"less_or_equal", LessOrEqual{}, OtherInts>, cuda::kComparison<"less_or_equal", Ints>>);

}  // namespace tern
