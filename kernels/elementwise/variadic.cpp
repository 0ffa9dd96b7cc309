// Max, Mean, Min, Sum of any number of inputs: y = x0 op x1, then y = y op x2 and so on, in order. See elementwise.h. Next: where.cpp.
#include "kernels/elementwise/variadic.h"

#include "kernels/elementwise/binary_rows.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/layouts.h"
#include "runtime/base/half.h"

namespace tern {

extern const OpDef kMax, kMin;

namespace {

using namespace functions;
constexpr Text kVariadicModule("elementwise/arithmetic");

// Two inputs are one binary kernel, more of them its steps one after the other.
struct BinaryStep {
  RunFn run;
  BinaryArgs args;
};
struct VariadicArgs {
  const BinaryStep* steps;  // [count]
  int64_t count;
};
void run_steps(const VariadicArgs& a) {
  for (int64_t i = 0; i < a.count; ++i) a.steps[i].run(&a.steps[i].args);
}
constexpr KernelRow kSteps = row<VariadicArgs, run_steps>("variadic/any/scalar", DType::none, Isa::scalar);

// on_device: the rows that take all steps at once.
Status bind_steps(BindContext& c, const OpDef& binary, bool mean, std::span<const KernelRow> on_device) {
  const TensorView& y = c.out(0);
  const int64_t inputs = static_cast<int64_t>(c.inputs.size());
  const KernelRow *kernel = pick(binary.kernels, y.dtype, c.isa), *last_kernel = mean ? pick(kDiv.kernels, y.dtype, c.isa) : kernel;
  if (kernel == nullptr) return bad_dtype(y.dtype);
  if (inputs == 2 && !mean) return bind_binary(c, kernel);
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
  if (inputs == 1) kernel = pick(kMax.kernels, y.dtype, c.isa);  // max(x, x) is x
  auto set_steps = [&, first = begin, last = end](auto step) {   // step(i): the arguments of that one
    set_binary(c, step(0), Operand::input(c, 0), Operand::input(c, inputs > 1 ? 1 : 0), first, last);
    for (int64_t i = 2; i < inputs; ++i) set_binary(c, step(i - 1), Operand::output(c), Operand::input(c, static_cast<size_t>(i)), first, last);
    if (mean) set_binary(c, step(count - 1), Operand::output(c), n, first, last);
  };
  if (c.isa == Isa::cuda) {
    cuda::VariadicArgs& a = c.args(cuda::VariadicArgs{nullptr, count, end, mean});
    c.set(a.steps, c.table<BinaryArgs>(count, [&](BinaryArgs* to) { set_steps([&](int64_t i) -> BinaryArgs& { return to[i]; }); }));
    for (const KernelRow& r : inputs == 1 ? std::span<const KernelRow>(cuda::kMaxOf) : on_device) {
      if (r.dtype == y.dtype) c.run(r);
    }
    return {};
  }
  VariadicArgs& a = c.args(VariadicArgs{nullptr, count});
  c.set(a.steps, c.table<BinaryStep>(count, [&](BinaryStep* to) {
    for (int64_t i = 0; i < count; ++i) to[i].run = mean && i == count - 1 ? last_kernel->run : kernel->run;
    set_steps([&](int64_t i) -> BinaryArgs& { return to[i].args; });
  }));
  c.run(kSteps);
  return {};
}
template <const OpDef& kBinaryOp, bool kMeanOf, const auto& kOnDevice>
Status bind_variadic(BindContext& c) {
  return bind_steps(c, kBinaryOp, kMeanOf, kOnDevice);
}

// Of known numbers, or of the same expression twice.
template <bool kLargest>
std::optional<Dim> symbolic_extreme(std::span<const Dim> in, const AttrReader&) {
  Dim best = in[0];
  for (const Dim& d : in.subspan(1)) {
    if (d == best) continue;
    if (!d.known() || !best.known()) return std::nullopt;
    if ((d.value() > best.value()) == kLargest) best = d;
  }
  return best;
}
std::optional<Dim> sum(std::span<const Dim> in, const AttrReader&) {
  std::optional<Dim> total = in[0];
  for (const Dim& d : in.subspan(1)) {
    if (total) total = add(*total, d);
  }
  return total;
}

// Input 0 or 1 may be overwritten: the first step reads both of each place before it writes there.
constexpr OpDef variadic_op(const char* name, Status (*infer)(InferContext&), Status (*bind)(BindContext&), std::span<const KernelRow* const> rows,
                            Symbolic symbolic, LayoutsFn layouts = nullptr) {
  return {.name = name,
          .inputs = {1, -1},
          .outputs = {1, 1},
          .infer = infer,
          .bind = bind,
          .kernels = rows,
          .inplace_inputs = 3,
          .symbolic = symbolic,
          .layouts = layouts};
}

}  // namespace

// Sum and Mean have Add's rows, and Div's.
extern constinit const OpDef kMax = variadic_op("Max", infer_binary<is_number>, bind_variadic<kMax, false, cuda::kMaxOf>,
                                                rows_of<TERN_ON_EACH_ISA(max_f32), TERN_ON_EACH_ISA(max_wide), kBinary<"max", Max{}, Ints>,
                                                        cuda::kBinary<kVariadicModule, "max", Ints>, kSteps, cuda::kMaxOf>,
                                                symbolic_extreme<true>, pair_layouts);
extern constinit const OpDef kMean =
    variadic_op("Mean", infer_binary<is_float>, bind_variadic<kAdd, true, cuda::kSumOf>, rows_of<kSteps, cuda::kSumOf>, nullptr);
extern constinit const OpDef kMin = variadic_op("Min", infer_binary<is_number>, bind_variadic<kMin, false, cuda::kMinOf>,
                                                rows_of<TERN_ON_EACH_ISA(min_f32), TERN_ON_EACH_ISA(min_wide), kBinary<"min", Min{}, Ints>,
                                                        cuda::kBinary<kVariadicModule, "min", Ints>, kSteps, cuda::kMinOf>,
                                                symbolic_extreme<false>, pair_layouts);
extern constinit const OpDef kSum =
    variadic_op("Sum", infer_binary<is_float>, bind_variadic<kAdd, false, cuda::kSumOf>, rows_of<kSteps, cuda::kSumOf>, sum);

}  // namespace tern
