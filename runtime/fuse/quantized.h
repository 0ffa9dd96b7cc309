// What the fusions of quantised values ask: which value is a DequantizeLinear or QuantizeLinear of one constant scale, and of what.
// Next: integer_products.cpp, quantized_maps.cpp.
#pragma once
#include "runtime/fuse/rewriter.h"

namespace tern {

// data, scale, zero point: kNone when the file leaves it out.
struct Quantized {
  ValueId data = kNone, scale = kNone, zero = kNone;
};

// v = (data - zero) * scale, data u8 or i8, scale and zero constants of one element.
std::optional<Quantized> dequantized(const Rewriter& r, ValueId v);
// The same of data that is a constant, and whose scales may be one for each index of `axis`; also of i32, the bias of a product.
std::optional<Quantized> dequantized_weights(const Rewriter& r, ValueId v, int axis);
// Node n is the QuantizeLinear of `data` to u8 or i8, by constants of one element.
std::optional<Quantized> quantizes(const Rewriter& r, size_t n);
// The zero point, and a constant of it where there is none.
int32_t zero_of(const Rewriter& r, ValueId zero);
ValueId zero_or_none(Rewriter& r, ValueId zero, DType dtype);
bool same_scale(const Rewriter& r, const Quantized& a, const Quantized& b);
// A Relu or Clip of numbers before QuantizeLinear y, as limits of its bytes: exact, as quantising never turns an order. Nothing when there is one
// that cannot be said so.
struct Limits {
  ValueId input;  // what is quantised without it
  int32_t low, high;
};
std::optional<Limits> limits(const Rewriter& r, const Quantized& y, DType dtype);
// Node n, a QuantizeLinear to `dtype`, becomes `made`, or a Clip of it.
void put_within(Rewriter& r, size_t n, Node made, const Limits& within, DType dtype);
// What QuantizeLinear makes of x.
int32_t quantized_number(const Rewriter& r, const Quantized& to, DType dtype, float x);

}  // namespace tern
