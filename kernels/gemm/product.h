// What MatMul, Gemm and Linear ask for, and how threads share it: what the ways to bind a product have in common. Next: gemm.cpp, weights.cpp.
#pragma once
#include "kernels/activation_attributes.h"
#include "kernels/gemm/matrices.h"

namespace tern {

// Matrices x (m, k) times w (k, n), by strides.
struct Product {
  int64_t m = 0, n = 0, k = 0;
  int64_t x_row = 0, x_k = 1, w_k = 0, w_column = 1;
  Batch batch;
  int bias = -1, residual = -1;                    // indices of inputs
  int64_t bias_rows = 1, c_row = 0, c_column = 1;  // how the bias broadcasts over [bias_rows, n]
  float alpha = 1, beta = 1;
  ActivationSpec epilogue;
};

// Which share this part computes: matrices of the batch, rows, or groups of panels.
struct Share {
  BindContext::Range batch, rows, groups;
  bool empty() const { return batch.begin == batch.end || rows.begin == rows.end || groups.begin == groups.end; }
};
Share share(BindContext& c, const Product& p, bool rows_may_split);

Address<const BatchOffset> table_of(BindContext& c, const Batch& batch, BindContext::Range range);
// Is the bias, if there is one, as panels read it?
bool bias_is_ready(const Product& p);
// What names the packed form of constant weights, behind the name of its kernel.
std::string pack_tag(const Product& p);

// weights.cpp: whether the session wants these weights kept in fewer bits and they can be, and the binding.
bool keeps_weights(const BindContext& c, const Product& p);
Status bind_weights(BindContext& c, const Product& p);

}  // namespace tern
