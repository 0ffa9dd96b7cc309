// Tensors out of little: zeros_like, arange, one_hot, shapes; and casts. See ops.h. Next: network.cpp.
#include <cmath>

#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

constexpr const char* kCreateX = "x|input|tensor|indices|inputs";

Flows cast(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kCreateX);
  const Argument to = o.get(1, "dtype");
  const DType dtype = dtype_named(to.text);
  if (dtype == DType::none) return c.unsupported("a cast to " + (to.text.empty() ? "an unknown dtype" : to.text));
  return {{c.b.cast(x, dtype)}};
}

// What lies outside of an integer dtype becomes its largest or least number.
Flows saturate(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kCreateX);
  const DType dtype = dtype_named(o.get(1, "dtype").text);
  if (dtype != DType::u8 && dtype != DType::i8 && dtype != DType::i16 && dtype != DType::u16) return cast(c);
  const int bits = static_cast<int>(8 * size_of(dtype));
  const double most = std::ldexp(1, is_signed_int(dtype) ? bits - 1 : bits) - 1, least = is_signed_int(dtype) ? -most - 1 : 0;
  if (size_of(c.b.dtype(x)) < 4) x = c.b.cast(x, is_float(c.b.dtype(x)) ? DType::f32 : DType::i32);
  return {{c.b.cast(c.emit("Clip", {x, c.b.scalar_like(x, least), c.b.scalar_like(x, most)}), dtype)}};
}

// To its own dtype unless told.
Flows converted(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x|value");
  return {{c.b.cast(x, o.dtype("dtype", c.b.dtype(x)))}};
}

Flows filled_like(Call& c, const Argument& value) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kCreateX);
  const DType dtype = o.dtype("dtype", c.b.dtype(x));
  return {{c.emit("Expand", {o.tensor(value, dtype), c.emit("Shape", {x})})}};
}

Argument number(double n) {
  Argument a;
  a.kind = Argument::Kind::real;
  a.real = n;
  return a;
}

Flows zeros_like(Call& c) { return filled_like(c, number(0)); }
Flows ones_like(Call& c) { return filled_like(c, number(1)); }
Flows full_like(Call& c) { return filled_like(c, Operands(c).get(1, "fill_value")); }

Flows full(Call& c) {
  const Operands o(c);
  const std::string& name = c.layer.class_name;
  const bool fill = name == "tf.fill";
  const Argument value = name == "tf.zeros" ? number(0) : name == "tf.ones" ? number(1) : o.get(fill ? 1 : 0, "fill_value|value");
  const Argument shape = o.get(fill || name != "ops.Full" ? 0 : kNamed, "shape|dims");
  const DType dtype = o.dtype("dtype", name == "tf.fill" ? DType::none : DType::f32);
  return {{c.emit("Expand", {o.tensor(value, dtype), c.b.ints(o.sizes(shape))})}};
}

Flows arange(Call& c) {
  const Operands o(c);
  Argument start = o.get(0, "start"), stop = o.get(1, "stop|limit"), step = o.get(2, "step|delta");
  if (stop.is_none()) stop = start, start = number(0), start.kind = Argument::Kind::integer;
  if (step.is_none()) step = number(1), step.kind = Argument::Kind::integer, step.integer = 1;
  const DType dtype = o.dtype("dtype", o.common({start, stop, step}));
  return {{c.emit("Range", {o.tensor(start, dtype), o.tensor(stop, dtype), o.tensor(step, dtype)})}};
}

Flows shape_of(Call& c) {
  const Operands o(c);
  return {{c.b.cast(c.emit("Shape", {o.tensor(0, kCreateX)}), o.dtype("out_type", DType::i32))}};
}

Flows size_of_all(Call& c) { return {{c.b.cast(c.emit("Size", {Operands(c).tensor(0, kCreateX)}), DType::i32)}}; }
Flows rank_of(Call& c) { return {{c.b.constant(Tensor::scalar(static_cast<int32_t>(c.b.rank(Operands(c).tensor(0, kCreateX)))))}}; }

// Indices outside give rows of `off`: ONNX counts negative ones from the end, so they are moved behind it.
Flows one_hot(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kCreateX);
  const int64_t depth = o.integer("num_classes|depth", 0, 1), axis = o.integer("axis", -1);
  if (depth < 1) return c.invalid("one_hot of " + std::to_string(depth) + " classes");
  const DType dtype = o.dtype("dtype", DType::f32);
  x = c.b.cast(x, DType::i64);  // as onnxruntime has it: i64 indices, f32 rows
  const ValueId outside = c.emit("Less", {x, c.b.scalar_like(x, 0)});
  x = c.emit("Where", {outside, c.b.scalar_like(x, static_cast<double>(depth)), x});
  const Argument on = o.get(kNamed, "on_value"), off = o.get(kNamed, "off_value");
  const ValueId values = concat(c.b,
                                {c.b.reshape(o.tensor(off.is_none() ? number(0) : off, DType::f32), {1}),
                                 c.b.reshape(o.tensor(on.is_none() ? number(1) : on, DType::f32), {1})},
                                0);
  const ValueId rows = c.emit("OneHot", {x, c.b.constant(Tensor::scalar(depth)), values}, attributes({{"axis", axis}}));
  return {{c.b.cast(rows, dtype)}};
}

// 1 where any of the indices along the second axis (of a vector the first) is.
Flows multi_hot(Call& c) {
  const Flows hot = one_hot(c);
  if (!c.b.ok()) return {};
  const ValueId rows = hot[0].value;
  const int64_t axis = c.b.rank(rows) < 3 ? 0 : 1;
  return {{c.emit("ReduceMax", {rows, c.b.ints({axis})}, attributes({{"keepdims", int64_t(0)}}))}};
}

Flows sequence_mask(Call& c) {
  const Operands o(c);
  const ValueId lengths = o.tensor(0, "lengths|x");
  const Argument most = o.get(1, "maxlen");
  if (most.is_none()) return c.unsupported("sequence_mask without maxlen");
  const ValueId n = o.tensor(most, c.b.dtype(lengths));
  const ValueId steps = c.emit("Range", {c.b.scalar_like(lengths, 0), n, c.b.scalar_like(lengths, 1)});
  const ValueId mask = c.emit("Less", {steps, unsqueeze(c.b, lengths, {c.b.rank(lengths)})});
  return {{c.b.cast(mask, o.dtype("dtype", DType::boolean))}};
}

constexpr LayerRow kCreateRows[] = {
    {"ops.Cast tf.cast", cast},
    {"ops.SaturateCast tf.saturate_cast tf.dtypes.saturate_cast", saturate},
    {"ops.Array ops.ConvertToTensor", converted},
    {"ops.ZerosLike tf.zeros_like tf.compat.v1.zeros_like", zeros_like},
    {"ops.OnesLike tf.ones_like tf.compat.v1.ones_like", ones_like},
    {"ops.FullLike", full_like},
    {"ops.Full tf.fill tf.zeros tf.ones", full},
    {"ops.Arange tf.range", arange},
    {"tf.shape tf.compat.v1.shape", shape_of},
    {"ops.Size tf.size tf.compat.v1.size", size_of_all},
    {"ops.Ndim tf.rank tf.compat.v1.rank", rank_of},
    {"ops.OneHot tf.one_hot", one_hot},
    {"ops.MultiHot", multi_hot},
    {"tf.sequence_mask", sequence_mask},
};

}  // namespace

std::span<const LayerRow> create_operations() { return kCreateRows; }

}  // namespace tern::keras
