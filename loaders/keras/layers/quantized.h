// Kernels of 8 bits and less, as `model.quantize("int8")` of Keras 3 leaves them, and what layers compute with them. Next: quantized.cpp.
#pragma once
#include <optional>

#include "loaders/keras/layers/pieces.h"

namespace tern::keras {

// Has the layer, or one that it holds, such a kernel (the next weight)? Of MultiHeadAttention no policy says so.
bool is_quantized(const Call& c, Weights weights);

struct QuantizedProduct {
  std::string equation;                      // "...a,ab->...b": of x and the kernel
  std::vector<int64_t> kernel;               // its sizes before it was quantised
  std::optional<std::vector<int64_t>> bias;  // its sizes; nothing: there is none
};
// equation(x, kernel) + bias in the layer's dtype. Of 8 bits: x is rounded too, to 127 steps of its largest value over the axes that are summed,
// the product is one of integers, and exact; of 4 bits, or where the config has no activation_quantizer, x is as it is, as it is for GPTQ and AWQ.
//   Errors    (builder) unsupported: other quantisations. invalid: sizes that do not fit.
//   Source    keras.quantizers, Dense and EinsumDense of Keras 3.
ValueId quantized_product(Call& c, Weights weights, ValueId x, const QuantizedProduct& product);

// Rows `ids` of a table of 8 or 4 bits [rows, width].
ValueId quantized_rows(Call& c, ValueId ids, int64_t rows, int64_t width);

}  // namespace tern::keras
