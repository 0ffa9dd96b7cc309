// Max, Mean, Min, Sum of any number of inputs: y = x0 op x1, then y = y op x2 and so on, in order. See elementwise.h. Next: where.cpp.
#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"
#include "runtime/base/half.h"

namespace tern {
namespace {

struct VariadicArgs {
  RunFn run;                // of the binary kernel
  const BinaryArgs* steps;  // [count]
  int64_t count;
};
void run_steps(const VariadicArgs& a) {
  for (int64_t i = 0; i < a.count; ++i) a.run(&a.steps[i]);
}
constexpr KernelRow kStepsRow = row<VariadicArgs, run_steps>("variadic/scalar", DType::none, Isa::scalar);

template <bool (*kAllowed)(DType)>
Status infer(InferContext& c) {
  if (Status s = same_dtypes(c, 0, kAllowed); !s) return s;
  return infer_broadcast(c, c.dtype(0));
}

Status bind_steps(BindContext& c, Binary op, bool mean) {
  const TensorView& y = c.out(0);
  const int64_t inputs = static_cast<int64_t>(c.inputs.size());
  const KernelRow* kernel = pick(kBinaryRows, y.dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(y.dtype);
  Dims dims;
  for (const TensorView& x : c.inputs) {
    const auto wider = broadcast(dims, x.dims);
    if (!wider || x.dtype != y.dtype) return invalid("inputs of " + to_string(dims) + " and " + to_string(x.dims) + " do not broadcast");
    dims = *wider;
  }
  if (!(dims == y.dims)) return invalid("the inputs broadcast to " + to_string(dims) + ", not " + to_string(y.dims));
  const auto [begin, end] = c.range(y.count(), kGrain);
  if (begin == end) return {};
  const int64_t count = (inputs > 1 ? inputs - 1 : 1) + (mean ? 1 : 0);
  Operand n;  // how many inputs there are
  if (mean) {
    n.at = bytes_of(c.table<double>(1, [&](double* to) {
      visit(y.dtype, [&]<class T>() {
        if constexpr (std::is_same_v<T, f16>) *reinterpret_cast<T*>(to) = to_f16(static_cast<float>(inputs));
        else if constexpr (std::is_same_v<T, bf16>) *reinterpret_cast<T*>(to) = to_bf16(static_cast<float>(inputs));
        else if constexpr (std::is_floating_point_v<T>) *reinterpret_cast<T*>(to) = static_cast<T>(inputs);
      });
    }));
  }
  VariadicArgs& a = c.args(VariadicArgs{kernel->run, nullptr, count});
  c.set(a.steps, c.table<BinaryArgs>(count, [&, first = begin, last = end](BinaryArgs* to) {
    // one input alone: max(x, x) is x
    set_binary(c, to[0], Operand::input(c, 0), Operand::input(c, inputs > 1 ? 1 : 0), inputs > 1 ? op : Binary::max, first, last);
    for (int64_t i = 2; i < inputs; ++i) set_binary(c, to[i - 1], Operand::output(c), Operand::input(c, static_cast<size_t>(i)), op, first, last);
    if (mean) set_binary(c, to[count - 1], Operand::output(c), n, Binary::div, first, last);
  }));
  c.run(kStepsRow);
  return {};
}
template <Binary kOp, bool kMeanOf>
Status bind(BindContext& c) { return bind_steps(c, kOp, kMeanOf); }

// Of known numbers, or of the same expression twice.
template <bool kLargest>
std::optional<Dim> symbolic(std::span<const Dim> in, const Attributes&) {
  Dim best = in[0];
  for (const Dim& d : in.subspan(1)) {
    if (d == best) continue;
    if (!d.known() || !best.known()) return std::nullopt;
    if ((d.value() > best.value()) == kLargest) best = d;
  }
  return best;
}
std::optional<Dim> sum(std::span<const Dim> in, const Attributes&) {
  std::optional<Dim> total = in[0];
  for (const Dim& d : in.subspan(1)) {
    if (total) total = add(*total, d);
  }
  return total;
}

// Input 0 or 1 may be overwritten: the first step reads both of each place before it writes there.
constexpr OpDef variadic_op(const char* name, Status (*infer)(InferContext&), Status (*bind)(BindContext&),
                            std::optional<Dim> (*symbolic)(std::span<const Dim>, const Attributes&)) {
  return {.name = name, .inputs = {1, -1}, .outputs = {1, 1}, .infer = infer, .bind = bind, .kernels = kBinaryRows, .inplace_inputs = 3,
          .symbolic = symbolic};
}

}  // namespace

constinit const OpDef kMax = variadic_op("Max", infer<is_number>, bind<Binary::max, false>, symbolic<true>);
constinit const OpDef kMean = variadic_op("Mean", infer<is_float>, bind<Binary::add, true>, nullptr);
constinit const OpDef kMin = variadic_op("Min", infer<is_number>, bind<Binary::min, false>, symbolic<false>);
constinit const OpDef kSum = variadic_op("Sum", infer<is_float>, bind<Binary::add, false>, sum);

}  // namespace tern
