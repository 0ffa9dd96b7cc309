// What an operator is: OpDef (schema, shape inference, binding, kernel table), and the two contexts its functions see.
// An operator is one `constinit const OpDef` in its family's .cpp and one line in catalog.cpp; kernels/README.md walks through one.
//
//   infer   from types (and known contents) of inputs to types of outputs; symbolic dims in, symbolic dims out.
//   bind    once per session and part: reads shapes, attributes and known inputs, picks a kernel row, writes a plain args struct.
//           Both are called through infer_op and bind_op, which refuse what the schema forbids: an operator never sees it.
//   row.run what the hot path calls: reads the args struct, computes, nothing else.
// Next: elementwise/elementwise.h, then softmax/softmax.h.
#pragma once
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/pack_store.h"
#include "runtime/base/attributes.h"
#include "runtime/base/cpu_features.h"
#include "runtime/base/tensor.h"

namespace tern {

// One step of a plan: run(args). The args live in the session's arena.
using RunFn = void (*)(const void* args);
struct Step {
  RunFn run = nullptr;
  const void* args = nullptr;
};

// A kernel: one body for one dtype and one ISA. `name` is printed everywhere: "softmax/f32/avx512".
struct KernelRow {
  const char* name;
  DType dtype;  // of the elements it computes on (the first input's, unless its family says otherwise)
  Isa isa;      // portable C++ code is `scalar`
  RunFn run;
};
// row<SoftmaxArgs, avx512::softmax_f32>("softmax/f32/avx512", DType::f32, Isa::avx512)
template <class Args, void (*F)(const Args&)>
constexpr KernelRow row(const char* name, DType dtype, Isa isa) {
  return {name, dtype, isa, [](const void* args) { F(*static_cast<const Args*>(args)); }};
}
// The row of the best ISA not above `cap` for this dtype; null when there is none.
const KernelRow* pick(std::span<const KernelRow> rows, DType dtype, Isa cap);

// The dtype and (perhaps symbolic) shape of a value.
struct TypeInfo {
  DType dtype = DType::none;
  Shape shape;
  bool operator==(const TypeInfo&) const = default;
};
// The elements of a small integer tensor (rank 0 or 1), as far as they are known symbolically. Longer ones are nobody's shape.
using SymbolicInts = std::vector<Dim>;
constexpr int64_t kMaxInts = 1024;

// What shape inference sees of one node, and what it answers.
class InferContext {
 public:
  struct Input {
    TypeInfo type;                        // dtype none: absent, or not known yet
    const Tensor* value = nullptr;        // its contents, when they are known (a constant; in the evaluator, anything)
    const SymbolicInts* ints = nullptr;   // its contents as symbols, when it computes a shape
  };
  InferContext(const Attributes& attributes, std::vector<Input> in, size_t output_count, int64_t* symbol_counter)
      : attrs(attributes), inputs(std::move(in)), outputs(output_count), output_ints(output_count), symbol_counter_(symbol_counter) {}

  const Attributes& attrs;
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

// What binding sees of one node. `bind` is called twice for every part: first to measure (data of inputs that are not `known`
// is null, workspace() and table() only count, so that a budget is checked before anything is allocated or filled), then with the
// real pointers. Both calls must ask for the same things, and neither may hold on the heap what grows with extents.
class BindContext {
 public:
  struct Memory {               // what the two calls draw from
    std::byte* tables = nullptr;     // null while measuring
    std::byte* workspace = nullptr;  // null while measuring
    PackStore* packs = nullptr;      // null only while measuring
    uint32_t* fault = nullptr;       // null while measuring
  };
  BindContext(const Attributes& attributes, Isa isa_cap, std::span<const TensorView> in, std::span<const TensorView> out,
              std::span<const Tensor* const> constant_inputs, Memory memory, int part_index = 0, int part_count = 1)
      : attrs(attributes), isa(isa_cap), inputs(in), outputs(out), part(part_index), parts(part_count), constants_(constant_inputs),
        memory_(memory) {}

  const Attributes& attrs;
  const Isa isa;  // kernels above it must not be chosen
  const std::span<const TensorView> inputs, outputs;
  const int part, parts;  // this binding computes part `part` of `parts` (threads); see range()

  bool has(size_t i) const { return i < inputs.size() && inputs[i].present(); }
  bool has_out(size_t o) const { return o < outputs.size() && outputs[o].present(); }
  const TensorView& in(size_t i) const { return inputs[i]; }
  const TensorView& out(size_t o) const { return outputs[o]; }
  // Contents of input i, which OpDef::value_inputs declares as integers, so that they are known. Empty when it is absent.
  std::vector<int64_t> ints(size_t i) const;

  // The share of [0, total) that this part computes. An operator that never asks is computed whole by part 0.
  // Shares begin at multiples of `grain`. With one part: all of it.
  struct Range {
    int64_t begin, end;
  };
  Range range(int64_t total, int64_t grain = 1);

  // The step: run this row with these args (copied). At most one call; none means nothing is to be done.
  template <class Args>
  void run(const KernelRow& row, const Args& args) {
    static_assert(std::is_trivially_copyable_v<Args>);
    row_ = &row;
    step_ = {row.run, table<Args>(1, [&](Args* copy) { *copy = args; })};
  }
  // Scratch for this step alone, 64-byte aligned, contents undefined at every run. Null while measuring.
  template <class T = std::byte>
  T* workspace(int64_t count) { return reinterpret_cast<T*>(take(workspace_bytes_, memory_.workspace, count, sizeof(T))); }
  // Memory of the session, 64-byte aligned, read at every run. fill(T*) writes it now; while measuring it is not called and the
  // result is null.
  template <class T, class Fill>
  T* table(int64_t count, Fill fill) {
    T* p = reinterpret_cast<T*>(take(table_bytes_, memory_.tables, count, sizeof(T)));
    if (p != nullptr) fill(p);
    return p;
  }
  // The word in which the kernel of this binding reports indices that lie outside: it works with the nearest legal ones, so that
  // memory is safe, and assigns a number other than zero when there was any. Every run assigns it; nothing branches on an index.
  // `what` is told to the caller: "an index was out of range [-5, 5)". Null while measuring.
  uint32_t* fault(std::string what) {
    fault_ = std::move(what);
    return memory_.fault;
  }
  // Input i in another order ("packed"), made once per model: fill(T* zeroed) is called when no session has asked for this
  // `tag` before. The tag must name everything that the packing depends on (kernel, tile, ISA). Preconditions: in(i).constant, i < 32.
  template <class T, class Fill>
  const T* packed(size_t i, std::string_view tag, int64_t count, Fill fill) {
    packed_inputs_ |= 1u << i;
    if (measuring()) {
      packs_.push_back({constants_[i]->raw(), 0});
      take(packs_.back().bytes, nullptr, count, sizeof(T));
      return reinterpret_cast<const T*>(constants_[i]->raw());  // stands in: not null, and nobody reads it
    }
    return reinterpret_cast<const T*>(memory_.packs->find_or_make(
        *constants_[i], tag, static_cast<size_t>(count) * sizeof(T), [&](std::byte* p) { fill(reinterpret_cast<T*>(p)); }));
  }

  // For who called bind.
  bool measuring() const { return memory_.tables == nullptr; }
  const Step& step() const { return step_; }
  const KernelRow* row() const { return row_; }
  bool split() const { return split_; }
  const std::string& fault_text() const { return fault_; }  // empty: this binding cannot report any
  uint32_t packed_inputs() const { return packed_inputs_; }  // bit i: packed(i) was called
  int64_t table_bytes() const { return table_bytes_; }
  int64_t workspace_bytes() const { return workspace_bytes_; }
  struct Pack {
    const std::byte* of;  // what is packed
    int64_t bytes;
  };
  std::span<const Pack> packs() const { return packs_; }  // noted while measuring

 private:
  // Counts in `sum`, which stops at INT64_MAX / 2: more than any budget, and two of them can still be added.
  static std::byte* take(int64_t& sum, std::byte* memory, int64_t count, size_t size);

  std::span<const Tensor* const> constants_;
  Memory memory_;
  Step step_;
  const KernelRow* row_ = nullptr;
  bool split_ = false;
  std::string fault_;
  uint32_t packed_inputs_ = 0;
  int64_t table_bytes_ = 0, workspace_bytes_ = 0;
  std::vector<Pack> packs_;
};

struct AttrSpec {
  const char* name;
  AttrKind kind;
  bool required = false;
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
using MacsFn = int64_t (*)(const Attributes& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

struct OpDef {
  const char* name;  // "Softmax": the newest ONNX operator of that name, or one of tern's fused ones
  Arity inputs, outputs;
  std::span<const AttrSpec> attrs = {};
  Status (*infer)(InferContext&) = nullptr;
  Status (*bind)(BindContext&) = nullptr;
  std::span<const KernelRow> kernels = {};
  MacsFn macs = nullptr;          // null: it does no multiply-accumulates worth counting
  MacsFn steps = nullptr;         // how much it does, where that is more than `macs` and than elements it reads and writes (windows)
  ValueInputs value_inputs = {};
  uint32_t optional_outputs = 0;  // bit o: output o may be absent although outputs.min counts it (a part of a Split that nobody reads)
  uint32_t inplace_inputs = 0;    // bit i: output 0 may lie on input i when both have the same dims and element size
  bool view = false;              // output 0 is input 0 under other dims: no work when they may share memory
  bool moves_data = false;        // every output element is a copy of an element of a data input (not of value_inputs):
                                  // shape computations pass through it symbolically
  bool data_dependent = false;    // the shape of an output depends on the contents of a data input (NonZero)
  bool tern_only = false;         // one of tern's own, no ONNX operator
  std::optional<Dim> (*symbolic)(std::span<const Dim>, const Attributes&) = nullptr;  // one element of a small integer computation
};

// Calls op.infer after checking what the schema says of the inputs, absent ones and value_inputs included, and op's answer after it:
// ranks up to kMaxRank, no negative dims. The way to infer.
Status infer_op(const OpDef& op, InferContext& c);
// Calls op.bind after checking that what it takes for granted is there: inputs, value_inputs with known contents, outputs. The way to bind.
// An operator whose outputs are all empty has nothing to do, however large its other extents are, and is not bound.
Status bind_op(const OpDef& op, BindContext& c);
// Inputs and outputs that every node of this operator has; the others are optional, and absent ones are asked for with has(), has_out().
// Of any number of inputs (Concat) none is optional.
bool requires_input(const OpDef& op, size_t i);
bool requires_output(const OpDef& op, size_t o);

// How much one run does, as budgets of work count it: the most of its f32 multiply-accumulates, its other steps times 8, and the elements
// that it reads and writes times 8. Nothing when all outputs are empty.
int64_t work_of(const OpDef& op, const Attributes& attrs, std::span<const TensorView> in, std::span<const TensorView> out);

// The catalog: every operator of this build (catalog.cpp). Null when there is none of that name.
const OpDef* find_op(std::string_view name);
std::span<const OpDef* const> all_ops();

// ---- pieces that many infer functions share (infer.cpp) ----

// NumPy broadcasting of symbolic shapes; an error names both.
Result<Shape> broadcast_shapes(const Shape& a, const Shape& b, InferContext& c);
// Output 0 has the dtype and shape of input 0.
Status infer_same(InferContext& c);
// Refuses a dtype: "f16 inputs are not supported" (unsupported).
Error bad_dtype(DType t);

}  // namespace tern
