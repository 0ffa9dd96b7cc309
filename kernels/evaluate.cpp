// See evaluate.h.
#include "kernels/evaluate.h"

#include "runtime/base/checked.h"
#include "runtime/base/mapping.h"
#include "tern/flush_subnormals.h"

namespace tern {
namespace {

Error over_budget(const OpDef& op, int64_t bytes, int64_t budget) {
  return unsupported(std::string(op.name) + " needs " + std::to_string(bytes) + " bytes, more than the budget of " + std::to_string(budget));
}

Error over_work(const OpDef& op, int64_t work, int64_t budget) {
  return unsupported(std::string(op.name) + " takes " + std::to_string(work) + " operations, more than the budget of " + std::to_string(budget));
}

std::vector<InferContext::Input> known_inputs(std::span<const Tensor> inputs) {
  std::vector<InferContext::Input> in;
  for (const Tensor& t : inputs) {
    in.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, &t, nullptr} : InferContext::Input{});
  }
  return in;
}

Result<std::vector<Tensor>> infer_outputs(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                          int64_t& budget) {
  int64_t symbols = 0;
  InferContext c({op.attrs, attrs}, known_inputs(inputs), output_count, &symbols);
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
    // Less than a large page from the heap, which gives memory back that is there: a mapping of its own would be touched for the first time at every call.
    if (static_cast<size_t>(*bytes) < kHugePage) {
      outputs.emplace_back(type.dtype, type.shape.concrete(), allocate_aligned(static_cast<size_t>(*bytes)));
      continue;
    }
    auto t = Tensor::allocate(type.dtype, type.shape.concrete());
    if (!t) return t.error();
    outputs.push_back(std::move(*t));
  }
  return outputs;
}

// An operator without kernels. What it has computed counts against the budget as it grows, and once more when it is there.
Result<std::vector<Tensor>> compute(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                    const EvaluateOptions& options) {
  int64_t symbols = 0;
  InferContext c({op.attrs, attrs}, known_inputs(inputs), output_count, &symbols);
  if (Status s = infer_op(op, c); !s) return s.error();
  std::vector<TensorView> in;
  for (const Tensor& t : inputs) in.push_back(t.view());
  if (const int64_t work = work_of(op, {op.attrs, attrs}, in, in); work > options.work) return over_work(op, work, options.work);
  auto outputs = op.compute({{op.attrs, attrs}, inputs, output_count, options.budget, options.work});
  if (!outputs) return outputs;
  int64_t bytes = 0;
  for (const Tensor& t : *outputs)
    bytes = checked_add(bytes, checked_add(static_cast<int64_t>(t.bytes()), t.text_bytes()).value_or(INT64_MAX)).value_or(INT64_MAX);
  if (bytes > options.budget) return over_budget(op, bytes, options.budget);
  return outputs;
}

}  // namespace

ReadyStep make_ready(const Binding& binding, std::span<const Tensor> inputs, std::span<Tensor> outputs, PackStore& packs) {
  std::vector<const std::byte*> in, packed;
  std::vector<std::byte*> out;
  for (const Tensor& t : inputs) in.push_back(t.raw());
  for (Tensor& t : outputs) out.push_back(t.mutable_raw());
  for (const Binding::Pack& p : binding.packs) packed.push_back(packs.find_or_make(inputs[p.input], p.tag, static_cast<size_t>(p.bytes), p.fill));
  ReadyStep ready{allocate_aligned(static_cast<size_t>(binding.image_bytes())),
                  binding.workspace_bytes > 0 ? allocate_aligned(static_cast<size_t>(binding.workspace_bytes)) : nullptr,
                  std::make_unique<uint32_t>(0),
                  {}};
  ready.step = link_step(binding, ready.image.get(), {in, out, packed, ready.workspace.get(), ready.fault.get()});
  return ready;
}

Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                     const EvaluateOptions& options) {
  FlushSubnormals flush;
  if (op.compute != nullptr) return compute(op, attrs, inputs, output_count, options);
  int64_t left = options.budget;
  auto outputs = infer_outputs(op, attrs, inputs, output_count, left);
  if (!outputs) return outputs;
  std::vector<TensorView> in, out;
  const bool copies_text = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.dtype() == DType::string; });
  for (size_t i = 0; i < inputs.size(); ++i) in.push_back(inputs[i].view(i < 32 && (options.constants >> i & 1)));
  for (Tensor& t : *outputs) {
    if (t.dtype() == DType::string) {
      for (const Tensor& i : inputs) t.keep(i.pools());
    }
    out.push_back(t.view());
  }
  if (const int64_t work = work_of(op, {op.attrs, attrs}, in, out); work > options.work) {
    return over_work(op, work, options.work);
  }
  PackStore own;
  PackStore& packs = options.packs ? *options.packs : own;
  for (int part = 0; part < options.parts; ++part) {
    auto bound = bind_op(op, {.attrs = {op.attrs, attrs},
                              .isa = options.isa,
                              .products = options.products,
                              .inputs = in,
                              .outputs = out,
                              .part = part,
                              .parts = options.parts,
                              .table_budget = std::min(options.tables, left)});
    if (!bound) return bound.error();
    if (bound->row == nullptr || (part > 0 && !bound->split)) continue;
    int64_t bytes = bound->image_bytes() + bound->workspace_bytes;
    for (const Binding::Pack& p : bound->packs) bytes = checked_add(bytes, p.bytes).value_or(INT64_MAX);
    if (bytes > left) return over_budget(op, bytes, left);
    const ReadyStep ready = make_ready(*bound, inputs, *outputs, packs);
    ready.step.run(ready.step.args);
    if (*ready.fault != 0) return invalid(bound->fault);
    for (Tensor& t : *outputs) {
      const Tensor::Pool text{ready.image, bound->image_bytes()};
      if (t.dtype() == DType::string && !copies_text) t.keep({&text, 1});  // what the operator wrote (Cast) lies in its tables
    }
  }
  return outputs;
}

}  // namespace tern
