// Casts, and operators that give what they are given. See operator.h. Next: activations.cpp.
#include "kernels/dtype_code.h"
#include "loaders/tensorflow/graph/tensors.h"
#include "loaders/tensorflow/graph/types.h"
#include "loaders/tensorflow/ops/common.h"
#include "tern_tensorflow.pb.h"

namespace tern::tensorflow {
namespace {

Values cast(Call& c) {
  GraphBuilder& b = c.b;
  const int to = c.type_number("DstT");
  const Value& x = c.value(0);
  if (to == kComplex64) {  // of f32 parts
    const ValueId real = b.cast(x.id(), DType::f32);
    return {Value::complex(real, x.imaginary() == kNone ? filled_like(b, real, DType::f32, 0) : x.imaginary())};
  }
  if (to == kComplex128) return c.fail(unsupported("complex numbers of 128 bits are not supported"));
  const DType from = b.dtype(x.id()), wanted = c.dtype("DstT");
  if (c.boolean("Truncate", false) && is_float(from) && is_float(wanted) && size_of(wanted) < size_of(from))
    return c.fail(unsupported("Truncate, which cuts digits off instead of rounding, is not supported"));
  return {b.cast(x.imaginary() == kNone ? c.tensor(0) : x.id(), wanted)};
}

// The same bits as another type of that width: between integers a cast.
Values bitcast(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const DType from = b.dtype(x), to = c.dtype("type");
  if (!b.ok() || from == to) return {x};
  if (size_of(from) != size_of(to) || from == DType::boolean || to == DType::boolean)
    return c.fail(unsupported(std::string("the bits of ") + name(from) + " as " + name(to) + " are not supported, only types of equal widths are"));
  if (is_int(from) && is_int(to)) return {b.cast(x, to)};
  return {b.emit("BitCast", {x}, attributes({{"to", int64_t(code_of(to))}}))};
}

Values constant(Call& c) {
  const auto* value = c.attribute("value");
  if (value == nullptr || !value->has_tensor() || value->tensor().dtype() != kComplex64) return {c.b.constant(c.constant("value"), c.name)};
  auto parts = to_complex(value->tensor(), c.b.program.contents);
  if (!parts) return c.fail(parts.error().within("attribute value"));
  const ValueId real = c.b.constant(std::move((*parts)[0]), c.name);
  return {Value::complex(real, c.b.constant(std::move((*parts)[1]), c.name + ":imaginary"))};
}

Values placeholder(Call& c) { return c.fail(invalid("is read, and is no input of the signature")); }

Values identities(Call& c) {
  Values all;
  for (size_t i = 0; i < c.count(); ++i) all.push_back(c.value(i));
  return all;
}

// Both must fit each other: what the file says of the extents is what inference knows as well, or the run finds out.
Values ensure_shape(Call& c) {
  GraphBuilder& b = c.b;
  const ValueId x = c.tensor(0);
  const Shape want = c.shape("shape"), &have = b.shape(x);
  if (!b.ok() || !want.ranked() || !have.ranked()) return {x};
  bool fits = want.rank() == have.rank();
  for (int i = 0; fits && i < want.rank(); ++i) fits = !want[i].known() || !have[i].known() || want[i] == have[i];
  if (!fits) return c.fail(invalid("the shape is " + have.text() + ", and must be " + want.text()));
  return {x};
}

constexpr Operator kCastsRows[] = {
    {"Const", nullptr, constant},
    {"Placeholder PlaceholderV2", nullptr, placeholder},
    {"Cast", nullptr, cast},
    {"Bitcast", nullptr, bitcast},
    {"Identity Snapshot StopGradient PreventGradient CheckNumerics CheckNumericsV2 GuaranteeConst DebugGradientIdentity DeepCopy _EagerConst "
     "XlaSharding Print PlaceholderWithDefault",
     nullptr, pass},
    {"IdentityN", nullptr, identities},
    {"EnsureShape", nullptr, ensure_shape},
};

}  // namespace

std::span<const Operator> cast_operators() { return kCastsRows; }

}  // namespace tern::tensorflow
