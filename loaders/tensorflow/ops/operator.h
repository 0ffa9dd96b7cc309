// Operators of TensorFlow: a row has its names, the arguments that its outputs are of, and a function that adds the nodes.
// To add one: write the function in the file of its family, add a row to that file's table. Variables, functions, control flow and lists of tensors are
// not here but in ../graph. Next: catalog.cpp.
#pragma once
#include <span>
#include <string_view>

#include "loaders/tensorflow/graph/call.h"

namespace tern::tensorflow {

struct Operator {
  const char* names;  // separated by blanks: "Add AddV2"
  // Output arguments as TensorFlow's OpDef names them: "y batch_mean batch_variance". One that is a list has the attribute that tells its length:
  // "nested_splits*N values". Functions refer to outputs by these names. Null: one argument, perhaps a list.
  const char* outputs;
  // One value for each output, those of lists one by one.
  Values (*apply)(Call& c);
};

// The row of a name; null when there is none.
const Operator* find_operator(std::string_view name);
// Every table, for find_operator, tests and documentation.
std::span<const std::span<const Operator>> all_operators();

// The tables, by file.
std::span<const Operator> arithmetic_operators();   // arithmetic.cpp: of two operands; comparisons, logic, choices
std::span<const Operator> function_operators();     // functions.cpp: exp, sqrt, erf, floor …
std::span<const Operator> special_operators();      // special.cpp: lgamma, digamma, erfinv
std::span<const Operator> bessel_operators();       // bessel.cpp: incomplete gamma and beta, zeta, the next number
std::span<const Operator> bit_operators();          // bits.cpp
std::span<const Operator> cast_operators();         // casts.cpp: constants, casts, identities
std::span<const Operator> activation_operators();   // activations.cpp
std::span<const Operator> linear_operators();       // linear.cpp: products, einsum, biases
std::span<const Operator> conv_operators();         // conv.cpp
std::span<const Operator> pool_operators();         // pool.cpp
std::span<const Operator> norm_operators();         // norm.cpp
std::span<const Operator> reduce_operators();       // reduce.cpp
std::span<const Operator> shape_operators();        // shape.cpp
std::span<const Operator> slice_operators();        // slice.cpp
std::span<const Operator> join_operators();         // join.cpp
std::span<const Operator> pad_operators();          // pad.cpp: margins, blocks between space, batch and depth
std::span<const Operator> create_operators();       // create.cpp: fill, range, one_hot
std::span<const Operator> matrix_operators();       // matrix.cpp: diagonals, bands
std::span<const Operator> equation_operators();     // equations.cpp: inverses, determinants, triangles
std::span<const Operator> gather_operators();       // gather.cpp
std::span<const Operator> scatter_operators();      // scatter.cpp: scatters, segments
std::span<const Operator> dynamic_operators();      // dynamic.cpp: where, unique, partitions, bins
std::span<const Operator> order_operators();        // order.cpp: top_k
std::span<const Operator> detection_operators();    // detection.cpp: boxes that overlap
std::span<const Operator> image_operators();        // image.cpp: resizes, crops
std::span<const Operator> project_operators();      // project.cpp: pictures through a projective transform
std::span<const Operator> color_operators();        // colors.cpp
std::span<const Operator> patch_operators();        // patches.cpp: windows written out, dilation
std::span<const Operator> cell_operators();         // cells.cpp: steps of recurrent layers
std::span<const Operator> quantize_operators();     // quantize.cpp: FakeQuant
std::span<const Operator> complex_operators();      // complex.cpp
std::span<const Operator> fourier_operators();      // fourier.cpp
std::span<const Operator> string_operators();       // strings.cpp: text, ragged rows, tables
std::span<const Operator> ragged_operators();       // ragged.cpp: rows of different lengths
std::span<const Operator> sparse_operators();       // sparse.cpp: indices, values, shape
std::span<const Operator> audio_operators();        // audio.cpp: spectrograms, coefficients
std::span<const Operator> recognition_operators();  // recognition.cpp: labels of steps
std::span<const Operator> example_operators();      // examples.cpp: tf.Example messages
std::span<const Operator> refused_operators();      // refused.cpp: what is refused with a reason

}  // namespace tern::tensorflow
