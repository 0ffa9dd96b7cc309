// What an operator is: OpDef (schema, shape inference, binding, kernel table), and InferContext, which infer sees (BindContext: binding.h).
// An operator is one `constinit const OpDef` in its family's .cpp and one line in catalog.cpp; kernels/README.md walks through one.
//
//   infer   from types (and known contents) of inputs to types of outputs; symbolic dims in, symbolic dims out.
//   bind    once per session and part: reads shapes, attributes and known inputs, picks a kernel row, writes a plain args struct: a Binding.
//           Both are called through infer_op and bind_op, which refuse what the schema forbids: an operator never sees it.
//   row.run what the hot path calls: reads the args struct, computes, nothing else.
// Next: elementwise/elementwise.h, then softmax/softmax.h.
#pragma once
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/binding.h"

namespace tern {

// The dtype and (perhaps symbolic) shape of a value. Of a sequence or an optional they are those of its elements: what all of them have. A dim
// that inference made up ("?7") is then one about which nothing is known, and each element has its own.
struct TypeInfo {
  DType dtype = DType::none;
  Shape shape;
  ValueKind kind = ValueKind::tensor;
  bool operator==(const TypeInfo&) const = default;
  std::string text() const;  // "f32[2,seq]", "sequence of f32[2,?7]"
};
// The elements of a small integer tensor (rank 0 or 1), as far as they are known symbolically. Longer ones are nobody's shape.
using SymbolicInts = std::vector<Dim>;
constexpr int64_t kMaxInts = 1024;

// What shape inference sees of one node, and what it answers.
class InferContext {
 public:
  struct Input {
    TypeInfo type;                       // dtype none: absent, or not known yet
    const Tensor* value = nullptr;       // its contents, when they are known (a constant; in the evaluator, anything)
    const SymbolicInts* ints = nullptr;  // its contents as symbols, when it computes a shape
  };
  InferContext(const AttrReader& attributes, std::vector<Input> in, size_t output_count, int64_t* symbol_counter)
      : attrs(attributes), inputs(std::move(in)), outputs(output_count), output_ints(output_count), symbol_counter_(symbol_counter) {}

  const AttrReader attrs;
  const std::vector<Input> inputs;
  std::vector<TypeInfo> outputs;                         // to be filled
  std::vector<std::optional<SymbolicInts>> output_ints;  // may be filled: contents that are known symbolically

  bool has(size_t i) const { return i < inputs.size() && inputs[i].type.dtype != DType::none; }
  DType dtype(size_t i) const { return has(i) ? inputs[i].type.dtype : DType::none; }
  const Shape& shape(size_t i) const { return inputs[i].type.shape; }
  // Contents of integer input i, symbolic or constant; nothing when not (fully) known, or longer than kMaxInts.
  std::optional<SymbolicInts> ints(size_t i) const;
  // The same, when all are numbers.
  std::optional<std::vector<int64_t>> known_ints(size_t i) const;
  void set(size_t o, DType dtype, Shape shape) {
    if (o < outputs.size()) outputs[o] = {dtype, std::move(shape)};
  }
  // A dimension about which nothing is known: a symbol of its own ("?7").
  Dim fresh() { return Dim::symbol("?" + std::to_string((*symbol_counter_)++)); }

 private:
  int64_t* symbol_counter_;
};

struct Arity {
  int min, max;  // max -1: any number
};

// Inputs whose contents bind must know, by what they hold; bit i: input i.
struct ValueInputs {
  uint32_t ints = 0;     // i32 or i64 of rank 0 or 1: axes, a shape, pads
  uint32_t integer = 0;  // one i32 or i64: an axis, k
  uint32_t number = 0;   // one number of any dtype: a limit of Range
  uint32_t floats = 0;   // f16, f32 or f64 of rank 0 or 1: scales
  uint32_t boolean = 0;  // one bool
  constexpr bool has(size_t i) const { return i < 32 && ((ints | integer | number | floats | boolean) >> i & 1); }
};

// Multiply-accumulates of one run, or other steps, from concrete dims; may stop at INT64_MAX.
using MacsFn = int64_t (*)(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

// What an operator that computes its outputs itself is given: its inputs with their contents, and what it may spend.
struct ComputeRequest {
  AttrReader attrs;
  std::span<const Tensor> inputs;
  size_t outputs;  // how many are asked for; the last ones may be left out
  int64_t budget;  // most bytes of outputs, the text of strings included
  int64_t work;    // most of what work_of() counts, of what takes more than a few steps for each byte of input
  bool has(size_t i) const { return i < inputs.size() && inputs[i].present(); }
};
using ComputeFn = Result<std::vector<Tensor>> (*)(const ComputeRequest&);

// Which layouts an operator takes and gives, besides plain values, and what it is behind another operator: layouts.h, epilogue.h.
struct LayoutQuery;
struct LayoutForm;
struct LastForm;
struct ActivationSpec;
struct EpilogueSlots;
using LayoutsFn = std::optional<LayoutForm> (*)(const LayoutQuery&);
using ChannelsLastFn = std::optional<LastForm> (*)(const LayoutQuery&);
using ActivationFn = std::optional<ActivationSpec> (*)(const LayoutQuery&);

struct OpDef {
  const char* name;  // "Softmax": the newest ONNX operator of that name, or one of tern's fused ones
  Arity inputs, outputs;
  std::span<const AttrSpec> attrs = {};  // with their defaults, those of ONNX: whoever reads one asks an AttrReader, by name
  Status (*infer)(InferContext&) = nullptr;
  Status (*bind)(BindContext&) = nullptr;
  ComputeFn compute = nullptr;                     // instead of bind and rows: text has no size before it is made, so that only the evaluator runs it
  std::span<const KernelRow* const> kernels = {};  // rows_of<…>: every row that bind may choose
  MacsFn macs = nullptr;                           // null: it does no multiply-accumulates worth counting
  MacsFn steps = nullptr;                          // how much it does, where that is more than `macs` and than elements it reads and writes (windows)
  ValueInputs value_inputs = {};
  uint32_t optional_outputs = 0;  // bit o: output o may be absent although outputs.min counts it (a part of a Split that nobody reads)
  uint32_t inplace_inputs = 0;    // bit i: output 0 may lie on input i when both have the same dims and element size
  bool view = false;              // output 0 is input 0 under other dims: no work when they may share memory
  bool moves_data = false;        // every output element is a copy of an element of a data input (not of value_inputs):
                                  // shape computations pass through it symbolically
  bool data_dependent = false;    // the shape of an output depends on the contents of a data input (NonZero)
  bool any_kind = false;          // takes and gives sequences and optionals too (Identity); all other operators with a kernel see tensors only
  bool tern_only = false;         // one of tern's own, no ONNX operator
  std::optional<Dim> (*symbolic)(std::span<const Dim>, const AttrReader&) = nullptr;  // one element of a small integer computation
  LayoutsFn layouts = nullptr;                                                        // null: plain values only
  ChannelsLastFn channels_last = nullptr;                                             // null: channels first only
  ActivationFn activation = nullptr;                                                  // what it is as an epilogue; null: none
  const EpilogueSlots* epilogue = nullptr;                                            // what may be computed with it; null: nothing
};

// Calls op.infer after checking what the schema says of the inputs, their kinds, absent ones and value_inputs included, and op's answer after it:
// ranks up to kMaxRank, no negative dims. The way to infer.
Status infer_op(const OpDef& op, InferContext& c);
// Calls op.bind after checking that what it takes for granted is there: inputs, value_inputs with known contents, outputs. The way to bind.
// An operator whose outputs are all empty has nothing to do, however large its other extents are, and is not bound.
Result<Binding> bind_op(const OpDef& op, const BindRequest& request);
// Inputs and outputs that every node of this operator has; the others are optional, and absent ones are asked for with has(), has_out().
// Of any number of inputs (Concat) none is optional.
bool requires_input(const OpDef& op, size_t i);
bool requires_output(const OpDef& op, size_t o);

// How much one run does, as budgets of work count it: the most of its f32 multiply-accumulates, its other steps times 8, and the elements
// that it reads and writes times 8. Nothing when all outputs are empty.
int64_t work_of(const OpDef& op, const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

// The catalog: every operator of this build (catalog.cpp). Null when there is none of that name.
const OpDef* find_op(std::string_view name);
std::span<const OpDef* const> all_ops();

// ---- pieces that many infer functions share (op.cpp) ----

// NumPy broadcasting of symbolic shapes; an error names both.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b, InferContext& c);
// Output 0 has the type of input 0.
Status infer_same(InferContext& c);
// Refuses a dtype: "f16 inputs are not supported" (unsupported).
Error bad_dtype(DType t);

}  // namespace tern
