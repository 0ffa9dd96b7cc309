// See evaluate.h.
#include "kernels/evaluate.h"

#include "runtime/base/checked.h"
#include "runtime/base/fp_mode.h"

namespace tern {
namespace {

Error over_budget(const OpDef& op, int64_t bytes, int64_t budget) {
  return unsupported(std::string(op.name) + " needs " + std::to_string(bytes) + " bytes, more than the budget of " + std::to_string(budget));
}

Result<std::vector<Tensor>> infer_outputs(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                          int64_t& budget) {
  std::vector<InferContext::Input> in;
  for (const Tensor& t : inputs) {
    in.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, &t, nullptr} : InferContext::Input{});
  }
  int64_t symbols = 0;
  InferContext c(attrs, std::move(in), output_count, &symbols);
  if (Status s = infer_op(op, c); !s) return s.error();
  std::vector<Tensor> outputs;
  for (const TypeInfo& type : c.outputs) {
    if (type.dtype == DType::none) {
      outputs.emplace_back();
      continue;
    }
    if (!type.shape.known()) return unsupported(std::string(op.name) + ": the shape " + type.shape.text() + " is not known");
    auto bytes = storage_bytes(type.dtype, type.shape.concrete());
    if (!bytes) return invalid(std::string(op.name) + ": the output shape " + type.shape.text() + " has no representable size");
    if (*bytes > budget) return over_budget(op, *bytes, budget);
    budget -= *bytes;
    auto t = Tensor::allocate(type.dtype, type.shape.concrete());
    if (!t) return t.error();
    outputs.push_back(std::move(*t));
  }
  return outputs;
}

}  // namespace

Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                     const EvaluateOptions& options) {
  FlushSubnormals flush;
  int64_t left = options.budget;
  auto outputs = infer_outputs(op, attrs, inputs, output_count, left);
  if (!outputs) return outputs;
  std::vector<TensorView> in, out;
  std::vector<const Tensor*> constants;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool constant = i < 32 && (options.constants >> i & 1);
    in.push_back(inputs[i].view(constant));
    constants.push_back(constant ? &inputs[i] : nullptr);
  }
  for (Tensor& t : *outputs) {
    if (t.dtype() == DType::string) {
      for (const Tensor& i : inputs) t.keep(i.pools());
    }
    out.push_back(t.view());
  }
  if (const int64_t work = work_of(op, attrs, in, out); work > options.work) {
    return unsupported(std::string(op.name) + " takes " + std::to_string(work) + " operations, more than the budget of " + std::to_string(options.work));
  }
  PackStore own;
  BindContext::Memory memory{nullptr, nullptr, options.packs ? options.packs : &own};
  for (int part = 0; part < options.parts; ++part) {
    BindContext measure(attrs, options.isa, in, out, constants, memory, part, options.parts);
    if (Status s = bind_op(op, measure); !s) return s.error();
    if (measure.step().run == nullptr || (part > 0 && !measure.split())) continue;
    int64_t bytes = measure.table_bytes() + measure.workspace_bytes();
    for (const BindContext::Pack& p : measure.packs()) bytes = checked_add(bytes, p.bytes).value_or(INT64_MAX);
    if (bytes > left) return over_budget(op, bytes, left);
    if (measure.table_bytes() > options.tables) {
      return unsupported(std::string(op.name) + " needs tables of " + std::to_string(measure.table_bytes()) + " bytes, more than the budget of " +
                         std::to_string(options.tables));
    }
    auto tables = allocate_aligned(static_cast<size_t>(measure.table_bytes()));
    auto workspace = allocate_aligned(static_cast<size_t>(measure.workspace_bytes()));
    uint32_t fault = 0;
    BindContext bound(attrs, options.isa, in, out, constants, {tables.get(), workspace.get(), memory.packs, &fault}, part, options.parts);
    if (Status s = bind_op(op, bound); !s) return s.error();
    if (bound.table_bytes() != measure.table_bytes() || bound.workspace_bytes() != measure.workspace_bytes()) {
      return invalid(std::string(op.name) + ": binding asked for other memory than measuring did");
    }
    bound.step().run(bound.step().args);
    if (fault != 0) return invalid(bound.fault_text());
    for (Tensor& t : *outputs) {
      if (t.dtype() == DType::string) t.keep({tables});  // text that the operator wrote (Cast) lies in its tables
    }
  }
  return outputs;
}

}  // namespace tern
