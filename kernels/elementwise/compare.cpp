// The comparisons: any two elements of one dtype to bool. See elementwise.h, binary_rows.h. Next: variadic.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"

namespace tern {
namespace {

// f32 compares as it is: widening it would halve the lanes.
inline float comparable(float x) { return x; }
inline std::string_view comparable(StringRef x) { return x.view(); }
template <class T>
auto comparable(T x) {
  return widen(x);
}

struct Equal {
  static constexpr bool kSameBits = true;
  template <class T>
  bool operator()(T a, T b) const {
    return comparable(a) == comparable(b);
  }
};
struct Less {
  template <class T>
  bool operator()(T a, T b) const {
    return comparable(a) < comparable(b);
  }
};
struct LessOrEqual {
  template <class T>
  bool operator()(T a, T b) const {
    return comparable(a) <= comparable(b);
  }
};
bool is_any(DType t) { return t != DType::none; }

template <bool (*kAllowed)(DType)>
Status infer(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, DType::boolean);
}

// a > b is b < a: rows of their own on the same bodies, the slowest of this folder to compile.
Status bind_turned(BindContext& c) { return bind_binary(c, c.pick(c.in(0).dtype), 1, 0); }
constexpr OpDef turned_op(const char* name, std::span<const KernelRow* const> rows) {
  OpDef op = binary_op(name, infer<is_number>, rows);
  op.bind = bind_turned;
  return op;
}

}  // namespace

extern constinit const OpDef kEqual =
    binary_op("Equal", infer<is_any>,
              rows_of<kBinary<"equal", Equal{}, Floats>, kBinary<"equal", Equal{}, Ints>, kBinary<"equal", Equal{}, Types<bool, StringRef>>>);
extern constinit const OpDef kGreater = turned_op("Greater", rows_of<kBinary<"greater", Less{}, Floats>, kBinary<"greater", Less{}, Ints>>);
extern constinit const OpDef kGreaterOrEqual =
    turned_op("GreaterOrEqual", rows_of<kBinary<"greater_or_equal", LessOrEqual{}, Floats>, kBinary<"greater_or_equal", LessOrEqual{}, Ints>>);
extern constinit const OpDef kLess = binary_op("Less", infer<is_number>, rows_of<kBinary<"less", Less{}, Floats>, kBinary<"less", Less{}, Ints>>);
extern constinit const OpDef kLessOrEqual = binary_op(
    "LessOrEqual", infer<is_number>, rows_of<kBinary<"less_or_equal", LessOrEqual{}, Floats>, kBinary<"less_or_equal", LessOrEqual{}, Ints>>);

}  // namespace tern
