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
  in.reserve(inputs.size());
  for (const Tensor& t : inputs) {
    in.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, &t, nullptr} : InferContext::Input{});
  }
  return in;
}

// Less than a large page from the heap, which gives memory back that is there: a mapping of its own would be touched for the first time at every call.
Result<Tensor> allocate_output(DType dtype, const Dims& dims, int64_t bytes) {
  if (static_cast<size_t>(bytes) < kHugePage) return Tensor(dtype, dims, allocate_aligned(static_cast<size_t>(bytes)));
  return Tensor::allocate(dtype, dims);
}

Result<std::vector<Tensor>> infer_outputs(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                          int64_t& budget) {
  int64_t symbols = 0;
  InferContext c({op.attrs, attrs}, known_inputs(inputs), output_count, &symbols);
  if (Status s = infer_op(op, c); !s) return s.error();
  std::vector<Tensor> outputs;
  outputs.reserve(output_count);
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
    auto t = allocate_output(type.dtype, type.shape.concrete(), *bytes);
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

// Where tensors lie.
struct Linked {
  std::vector<const std::byte*> in;
  std::vector<std::byte*> out;
  Linked(std::span<const Tensor> inputs, std::span<Tensor> outputs) {
    in.reserve(inputs.size());
    out.reserve(outputs.size());
    for (const Tensor& t : inputs) in.push_back(t.raw());
    for (Tensor& t : outputs) out.push_back(t.mutable_raw());
  }
};

}  // namespace

ReadyStep make_ready(const Binding& binding, std::span<const Tensor> inputs, std::span<Tensor> outputs, PackStore& packs) {
  const Linked linked(inputs, outputs);
  std::vector<const std::byte*> packed;
  for (const Binding::Pack& p : binding.packs) packed.push_back(packs.find_or_make(inputs[p.input], p.tag, static_cast<size_t>(p.bytes), p.fill));
  ReadyStep ready{allocate_aligned(static_cast<size_t>(binding.image_bytes())),
                  binding.workspace_bytes > 0 ? allocate_aligned(static_cast<size_t>(binding.workspace_bytes)) : nullptr,
                  std::make_unique<uint32_t>(0),
                  {}};
  ready.step = link_step(binding, ready.image.get(), {linked.in, linked.out, packed, ready.workspace.get(), ready.fault.get()});
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
  in.reserve(inputs.size());
  out.reserve(outputs->size());
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

std::optional<PreparedOp> PreparedOp::make(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                           const EvaluateOptions& options) {
  constexpr int64_t kMostBytes = 16384;  // beside its outputs
  if (op.compute != nullptr || op.data_dependent || inputs.size() > 32) return std::nullopt;
  PreparedOp made;
  std::vector<InferContext::Input> known;
  std::vector<TensorView> in, in_full, out;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& t = inputs[i];
    const bool constant = (options.constants >> i & 1) != 0;
    if (t.dtype() == DType::string) return std::nullopt;
    made.inputs_.push_back({t.dtype(), t.dims()});
    known.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, constant ? &t : nullptr, nullptr} : InferContext::Input{});
    in_full.push_back(t.view(constant));
    in.push_back(constant ? t.view(true) : TensorView{.dtype = t.dtype(), .dims = t.dims(), .layout = {}});
  }
  int64_t symbols = 0;
  InferContext c({op.attrs, attrs}, std::move(known), output_count, &symbols);
  if (!infer_op(op, c)) return std::nullopt;
  for (const TypeInfo& type : c.outputs) {
    if (type.dtype == DType::string || (type.dtype != DType::none && !type.shape.known())) return std::nullopt;
    const Dims dims = type.dtype != DType::none ? type.shape.concrete() : Dims();
    const auto bytes = storage_bytes(type.dtype, dims);
    const auto sum = bytes ? checked_add(made.output_bytes_, *bytes) : std::nullopt;
    if (!sum) return std::nullopt;
    made.output_bytes_ = *sum;
    made.outputs_.push_back({type.dtype, dims});
    out.push_back({.dtype = type.dtype, .dims = dims, .layout = {}});
  }
  made.work_ = work_of(op, {op.attrs, attrs}, in, out);
  if (made.work_ != work_of(op, {op.attrs, attrs}, in_full, out)) return std::nullopt;
  auto bound = bind_op(
      op, {.attrs = {op.attrs, attrs}, .isa = options.isa, .products = options.products, .inputs = in, .outputs = out, .table_budget = kMostBytes});
  if (!bound) return std::nullopt;
  made.binding_ = std::move(*bound);
  if (made.binding_.row == nullptr) return made;
  const int64_t bytes = made.bytes();
  if (bytes > std::min(kMostBytes, options.budget) || (!made.binding_.packs.empty() && options.packs == nullptr)) return std::nullopt;
  for (const Binding::Pack& p : made.binding_.packs) {
    if (p.bytes > options.budget - bytes) return std::nullopt;
    made.packed_.push_back(options.packs->find_or_make(inputs[p.input], p.tag, static_cast<size_t>(p.bytes), p.fill));
  }
  made.image_ = allocate_aligned(static_cast<size_t>(bytes));
  return made;
}

int64_t PreparedOp::bytes() const {
  return checked_add(binding_.row == nullptr ? 0 : binding_.image_bytes(), binding_.workspace_bytes).value_or(INT64_MAX);
}

bool PreparedOp::fits(std::span<const Tensor> inputs) const {
  return std::equal(inputs.begin(), inputs.end(), inputs_.begin(), inputs_.end(),
                    [](const Tensor& t, const Type& type) { return t.dtype() == type.dtype && t.dims() == type.dims; });
}

Result<std::vector<Tensor>> PreparedOp::run(std::span<const Tensor> inputs) {
  const FlushSubnormals flush;
  std::vector<Tensor> outputs;
  outputs.reserve(outputs_.size());
  for (const Type& type : outputs_) {
    if (type.dtype == DType::none) {
      outputs.emplace_back();
      continue;
    }
    auto t = allocate_output(type.dtype, type.dims, *storage_bytes(type.dtype, type.dims));
    if (!t) return t.error();
    outputs.push_back(std::move(*t));
  }
  if (binding_.row == nullptr) return outputs;
  const Linked linked(inputs, outputs);
  uint32_t fault = 0;
  const Step step = link_step(binding_, image_.get(), {linked.in, linked.out, packed_, image_.get() + binding_.image_bytes(), &fault});
  step.run(step.args);
  if (fault != 0) return invalid(binding_.fault);
  return outputs;
}

}  // namespace tern
