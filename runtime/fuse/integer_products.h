// What the products of integers share that integer_products.cpp and integer_conv_transpose.cpp make of what lies between scales.
// Next: integer_products.cpp, integer_conv_transpose.cpp.
#pragma once
#include "runtime/fuse/quantized.h"

namespace tern {

// Sums of k products stay below 2^30, and the bias too: i32 would wrap, where f32 does not.
bool sums_fit(const Rewriter& r, const Quantized& x, const Quantized& w, int64_t k);
// The inputs that QLinearConv and FusedQLinearMatMul share; nothing when the bias, of so many columns, does not fit.
std::optional<std::vector<ValueId>> product_inputs(Rewriter& r, const Quantized& x, const Quantized& w, const Quantized& y, DType y_dtype,
                                                   ValueId bias, int64_t columns);
ValueId optional_input(const Node& node, size_t i);  // kNone where there is none
// The product whose only reader is what `within` says.
const Node* product_before(const Rewriter& r, const Limits& within, const char* op);

// Node n, which quantises what a ConvTranspose gives, becomes integers, if it can.
void integer_conv_transpose(Rewriter& r, size_t n, const Quantized& y, const Limits& within, DType dtype);

}  // namespace tern
