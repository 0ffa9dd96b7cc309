// Operators of PyTorch: one table for the functions of a forward (F.relu, torch.cat, Tensor.view), for ATen's overloads in .pt2 files
// (aten.relu.default), and for the layers of torch.nn, which call the same rows, so that all of them give the same nodes.
// A row has its spellings, its arguments as a Python signature, and a function that adds the nodes.
// To add one: write the function in the file of its family, add a row to that file's table. Next: pointwise.cpp.
#pragma once
#include <span>
#include <string_view>

#include "loaders/torch/graph/builder.h"

namespace tern::torch {

class Arguments;

// Whose elements the result has: a new tensor's; the first argument's, or some of them; those or copies of them, as torch decides by strides,
// dtypes or indices (reshape, to, x[i]); the result is the first argument.
enum class Shares : uint8_t { nothing, view, perhaps, same };

struct Operator {
  // Separated by blanks: "aten.linear.default F.linear". Prefixes: aten. (overloads as in .pt2 files), F. (torch.nn.functional), torch.
  // (also torch.special., torch.linalg. written whole), Tensor. (methods; self is the first argument), math., operator.
  const char* spellings;
  const char* signature;  // "input|self, weight, bias=None, *, dtype=None": see signature.h; "*sizes" also takes one list
  IValue (*apply)(Builder& b, const Arguments& a);
  Shares shares = Shares::nothing;
  // Of a view: `whole`, its first argument, with `part` in place of the elements that it shows. Null: not known.
  ValueId (*put_back)(Builder& b, const Arguments& a, ValueId whole, ValueId part) = nullptr;
};

// The arguments of one call, bound to the names of a signature. Accessors fail the builder when the kind does not fit.
class Arguments {
 public:
  Arguments(Builder& b, const Operator& op) : b_(b), op_(op) {}
  Status bind(const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named);

  const IValue& operator[](std::string_view name) const;  // None when absent
  bool has(std::string_view name) const { return !(*this)[name].is_none(); }
  const IValue& first() const { return bound_[0].value; }
  void set_first(IValue value) { bound_[0].value = std::move(value); }
  // Whether an argument, or the only item of one, is that value.
  bool holds(ValueId v) const;
  ValueId tensor(std::string_view name) const;          // fails when it is no tensor
  ValueId tensor_or_none(std::string_view name) const;  // kNone for None
  std::vector<ValueId> tensors(std::string_view name) const;
  bool boolean(std::string_view name) const;
  int64_t integer(std::string_view name) const;  // a known int
  Int size(std::string_view name) const;         // an int, perhaps symbolic
  double number(std::string_view name) const;    // an int, float or bool
  std::string string(std::string_view name) const;
  DType dtype(std::string_view name) const;                                  // none for None
  std::vector<int64_t> ints(std::string_view name, size_t count = 0) const;  // a known int is repeated to `count` (0: as it is)
  std::vector<Int> sizes(std::string_view name) const;                       // an int or a list of them

 private:
  struct Bound {
    std::string_view name;
    IValue value;
  };
  Builder& b_;
  const Operator& op_;
  std::vector<Bound> bound_;
};

// The row of a spelling; null when there is none.
const Operator* find_operator(std::string_view spelling);
// Calls it. Errors go to the builder, named by the spelling. Unknown spelling: "torch.foo is not supported".
IValue call(Builder& b, std::string_view spelling, const IValues& positional, const std::vector<std::pair<std::string, IValue>>& named = {});
// Every table, for find_operator, tests and documentation.
std::span<const std::span<const Operator>> all_operators();

// The tables, by file.
std::span<const Operator> number_operators();       // numbers.cpp: math.sqrt, torch.sym_max
std::span<const Operator> pointwise_operators();    // pointwise.cpp: arithmetic, comparisons, logic, where
std::span<const Operator> cast_operators();         // casts.cpp: to, float, dropout in eval mode
std::span<const Operator> function_operators();     // functions.cpp: exp, log, sin, round, atan2 …
std::span<const Operator> activation_operators();   // activations.cpp
std::span<const Operator> linear_operators();       // linear.cpp: linear, matmul, addmm, bmm, bilinear
std::span<const Operator> einsum_operators();       // einsum.cpp: einsum, tensordot, kron, cross
std::span<const Operator> conv_operators();         // conv.cpp
std::span<const Operator> pool_operators();         // pool.cpp
std::span<const Operator> interpolate_operators();  // interpolate.cpp: interpolate, upsample, pixel_shuffle
std::span<const Operator> norm_operators();         // norm.cpp: batch, layer, group, instance, rms, local response, softmax, normalize
std::span<const Operator> shape_operators();        // shape.cpp: view, permute, expand, repeat, flip, roll …
std::span<const Operator> join_operators();         // join.cpp: cat, stack, split, chunk, unbind
std::span<const Operator> pad_operators();          // pad.cpp
std::span<const Operator> reduce_operators();       // reduce.cpp: sum, mean, prod, any, all, var, std, norms …
std::span<const Operator> order_operators();        // order.cpp: max, min, argmax, topk, sort, median, cumsum …
std::span<const Operator> getitem_operators();      // indexing.cpp: x[…]
std::span<const Operator> index_operators();        // index.cpp: select, slice, index, gather, unfold, fold
std::span<const Operator> diagonal_operators();     // diagonal.cpp: diagonal, diag_embed, trace
std::span<const Operator> embedding_operators();    // embedding.cpp: embedding, embedding_bag, one_hot
std::span<const Operator> scatter_operators();      // scatter.cpp: scatter, index_put, index_add, slice_scatter …
std::span<const Operator> create_operators();       // create.cpp: zeros, ones, full, arange, eye, tril, scalar_tensor, sym_size
std::span<const Operator> attention_operators();    // attention.cpp: scaled_dot_product_attention, multi_head_attention_forward
std::span<const Operator> rnn_operators();          // rnn.cpp: lstm, gru, rnn_tanh, rnn_relu

}  // namespace tern::torch
