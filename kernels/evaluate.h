// Runs one operator on tensors: infer, bind, run. May allocate. What the evaluator, the constant folder and the kernel tests call.
// Next: runtime/evaluator.h.
#pragma once
#include <optional>

#include "kernels/op.h"
#include "kernels/pack_store.h"

namespace tern {

struct EvaluateOptions {
  Isa isa = Isa::scalar;
  uint32_t constants = 0;             // bit i: input i is a constant of the model (it may be packed)
  PackStore* packs = nullptr;         // null: one for this call alone
  int64_t budget = int64_t(1) << 32;  // most bytes of outputs, tables, workspace and packed weights together
  int64_t tables = INT64_MAX;         // most bytes of tables, which are filled entry by entry
  int64_t work = INT64_MAX;           // most of what work_of() counts
  Products products = {};             // what is computed in other arithmetic
  int parts = 1;                      // bind in so many parts and run them in order: what threads would compute
};

// inputs[i] absent: a Tensor of dtype none. Errors as infer and bind give them, an index out of range (invalid), or over budget (unsupported). Throws
// std::bad_alloc.
Result<std::vector<Tensor>> evaluate(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                     const EvaluateOptions& options);

// An operator bound for inputs of these types, to run again and again on others of the same: what a loop in the evaluator keeps of its nodes.
class PreparedOp {
 public:
  // Nothing when its shapes, its binding or its work depend on contents that are no constants, when there is text, when it takes much memory beside its
  // outputs, and when it fails: evaluate() runs it, or says why not.
  static std::optional<PreparedOp> make(const OpDef& op, const Attributes& attrs, std::span<const Tensor> inputs, size_t output_count,
                                        const EvaluateOptions& options);
  bool fits(std::span<const Tensor> inputs) const;  // are they of those types?
  // Precondition of run(), which asks no budget.
  bool affordable(const EvaluateOptions& left) const { return output_bytes_ <= left.budget && work_ <= left.work; }
  // Precondition: they fit. Error: an index out of range (invalid). Throws std::bad_alloc.
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs);
  int64_t bytes() const;  // that it holds
  int64_t work() const { return work_; }

 private:
  struct Type {
    DType dtype;
    Dims dims;
  };
  std::vector<Type> inputs_, outputs_;
  Binding binding_;
  std::vector<const std::byte*> packed_;
  std::shared_ptr<std::byte> image_;  // and the workspace behind it
  int64_t output_bytes_ = 0, work_ = 0;
};

// A binding with memory of its own, linked to tensors, which keep their storage as long as it is run: for whoever has no arena.
struct ReadyStep {
  std::shared_ptr<std::byte> image, workspace;
  std::unique_ptr<uint32_t> fault;  // not zero after a run: an index was out of range, as Binding::fault says
  Step step;
};
// Precondition: binding.row != nullptr. Throws std::bad_alloc.
ReadyStep make_ready(const Binding& binding, std::span<const Tensor> inputs, std::span<Tensor> outputs, PackStore& packs);

}  // namespace tern
