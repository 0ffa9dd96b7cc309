// Operations that Keras writes as layers: keras.ops (class Add of keras.src.ops.numpy: row "ops.Add") and, in Keras 2, TensorFlow's functions
// (TFOpLambda of math.add: row "tf.math.add"). What differs between the two is where arguments stand: of keras.ops tensors are arguments and
// settings lie in the config, of TensorFlow's functions all are arguments. Next: arguments.cpp, then pointwise.cpp.
#pragma once
#include "loaders/keras/layers/layer.h"
#include "loaders/tensorflow/node.h"

namespace tern::keras {

// The name of a node as a template argument: unary<"Relu">.
template <size_t N>
struct Text {
  char text[N];
  constexpr Text(const char (&s)[N]) { std::copy_n(s, N, text); }  // NOLINT: implicit on purpose
};

constexpr size_t kNamed = SIZE_MAX;  // of an argument that has no place

// The arguments of one call.
class Operands {
 public:
  explicit Operands(const Call& c) : c(c), b(c.b) {}

  // By place, or by one of the names ("axis|dim") among the call's arguments, or in the config; none where there is none.
  Argument get(size_t place, std::string_view names) const;
  bool has(std::string_view names) const { return !get(kNamed, names).is_none(); }
  int64_t integer(std::string_view names, int64_t otherwise, size_t place = kNamed) const;
  double number(std::string_view names, double otherwise, size_t place = kNamed) const;
  bool flag(std::string_view names, bool otherwise) const;
  std::string text(std::string_view names, std::string_view otherwise = {}) const;
  DType dtype(std::string_view names, DType otherwise) const;
  // An integer, or a list of them that are known; empty for none.
  std::vector<int64_t> ints(std::string_view names, size_t place = kNamed) const;
  // The same where some may be computed: numbers and scalars of the graph, or one vector of known length.
  std::vector<Int> sizes(std::string_view names, size_t place = kNamed) const;
  std::vector<Int> sizes(const Argument& a) const;
  Int size(const Argument& a) const;

  // A tensor; numbers and lists of them become constants. Fails for others.
  ValueId tensor(const Argument& a, DType dtype = DType::none) const;
  ValueId tensor(size_t place, std::string_view names) const { return tensor(get(place, names)); }
  // Those of a list, or of several arguments.
  std::vector<ValueId> tensors(size_t place, std::string_view names) const;
  // Two operands in the dtype that both fit: dtypes of tensors beat those of numbers unless these are of a higher kind.
  std::pair<ValueId, ValueId> pair(size_t place, std::string_view first, std::string_view second) const;
  DType common(const std::vector<Argument>& operands) const;
  std::vector<ValueId> promoted(const std::vector<ValueId>& values) const;
  // Integers and bools become f32, as in functions of real numbers.
  ValueId real(ValueId v) const { return is_float(b.dtype(v)) ? v : b.cast(v, DType::f32); }
  // Known axes in [0, rank); all of them for none.
  std::vector<int64_t> axes(std::string_view names, int rank, size_t place = kNamed) const;

  const Call& c;
  GraphBuilder& b;
};

// x op y.
inline ValueId with(const Call& c, const char* op, ValueId x, double y) { return c.emit(op, {x, c.b.scalar_like(x, y)}); }

// The outputs of TensorFlow's operator of that name (one, absent, where it failed): for functions that are one.
using TensorFlowAttribute = std::pair<std::string, tensorflow::NodeCall::Attribute>;
std::vector<tensorflow::NodeTensor> by_tensorflow(const Call& c, const char* op, std::vector<tensorflow::NodeTensor> inputs,
                                                  std::vector<TensorFlowAttribute> attributes = {});

// The last two axes of x one for the other (algebra.cpp).
ValueId turned(Call& c, ValueId x);
// Of matrices [.., m, n]: [.., min(m, n)], the largest first (factors.cpp).
ValueId singular_values(Call& c, ValueId x);

// Of keras.ops: bool < integers < floats; f16 with bf16 is f32.
DType promote(DType a, DType b);

// The tables, by file.
std::span<const LayerRow> pointwise_operations();   // pointwise.cpp: arithmetic, comparisons, functions of one number
std::span<const LayerRow> function_operations();    // functions.cpp: arctan2, hypot, isclose, diff, diagonal
std::span<const LayerRow> reduce_operations();      // reduce.cpp: sum, mean, max, argmax, norms …
std::span<const LayerRow> nan_operations();         // nan.cpp: nansum …, median, quantile
std::span<const LayerRow> shape_operations();       // shape.cpp: reshape, transpose, tile, pad …
std::span<const LayerRow> join_operations();        // join.cpp: concatenate, stack, split, x[…], take
std::span<const LayerRow> product_operations();     // product.cpp: matmul, einsum, tensordot …
std::span<const LayerRow> algebra_operations();     // algebra.cpp: solve, inv, det, cholesky …
std::span<const LayerRow> factor_operations();      // factors.cpp: svd, qr, eigh, pinv
std::span<const LayerRow> create_operations();      // create.cpp: zeros_like, arange, one_hot, cast, shape
std::span<const LayerRow> range_operations();       // range.cpp: linspace, meshgrid, diag, cross, kron …
std::span<const LayerRow> scatter_operations();     // scatter.cpp: scatter, segments, bins
std::span<const LayerRow> fourier_operations();     // fourier.cpp: fft, stft …
std::span<const LayerRow> network_operations();     // network.cpp: activations, conv, pools, norms
std::span<const LayerRow> picture_operations();     // picture.cpp: resize, colours, patches, filters
std::span<const LayerRow> tf_picture_operations();  // tf_pictures.cpp: what tf.image has besides
std::span<const LayerRow> label_operations();       // labels.cpp: ctc_decode, unique
std::span<const LayerRow> rarer_operations();       // rarer.cpp: further functions of TensorFlow
std::span<const LayerRow> warp_operations();        // warp.cpp: affine_transform, map_coordinates
std::span<const LayerRow> loss_operations();        // loss.cpp: cross entropies, psnr
std::span<const LayerRow> tensorflow_operations();  // tensorflow.cpp: TensorFlowOpLayer, text, what is one operator of TensorFlow

}  // namespace tern::keras
