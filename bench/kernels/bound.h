// One operator bound to tensors of its own, ready to be run again and again: what the kernel benchmarks time. Next: kernels.cpp.
#pragma once
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "kernels/op.h"
#include "kernels/pack_store.h"

namespace tern::bench {

// Seeded values in [-1, 1). Never zeros: a benchmark of zeros measures another machine.
inline Tensor random_tensor(const Dims& dims, uint32_t seed) {
  std::mt19937 engine(seed);
  Tensor t = *Tensor::allocate(DType::f32, dims);
  for (int64_t i = 0; i < t.count(); ++i) t.mutable_data<float>()[i] = static_cast<float>(engine() >> 8) / 8388608.0f - 1;
  return t;
}

class Bound {
 public:
  // Bit i of `constants`: input i is a weight. Check ok() before run().
  Bound(const OpDef& op, Attributes attrs, std::vector<Tensor> inputs, uint32_t constants, Isa isa)
      : attrs_(std::move(attrs)), inputs_(std::move(inputs)) {
    std::vector<InferContext::Input> types;
    for (const Tensor& t : inputs_) types.push_back({{t.dtype(), Shape(t.dims())}, &t, nullptr});
    int64_t symbols = 0;
    InferContext infer(attrs_, std::move(types), 1, &symbols);
    if (!infer_op(op, infer) || !infer.outputs[0].shape.known()) return;
    output_ = *Tensor::allocate(infer.outputs[0].dtype, infer.outputs[0].shape.concrete());
    std::vector<TensorView> in;
    std::vector<const std::byte*> in_at;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      in.push_back(inputs_[i].view(constants >> i & 1));
      in_at.push_back(inputs_[i].raw());
    }
    const TensorView out = output_.view();
    std::byte* out_at = output_.mutable_raw();
    if (op.macs) macs_ = op.macs(attrs_, in, {&out, 1});
    auto binding = bind_op(op, {.attrs = attrs_, .isa = isa, .inputs = in, .outputs = {&out, 1}});
    if (!binding || binding->row == nullptr) return;
    std::vector<const std::byte*> packed;
    for (const Binding::Pack& p : binding->packs) packed.push_back(packs_.find_or_make(inputs_[p.input], p.tag, static_cast<size_t>(p.bytes), p.fill));
    image_ = allocate_aligned(static_cast<size_t>(binding->image_bytes()));
    workspace_ = allocate_aligned(static_cast<size_t>(binding->workspace_bytes));
    step_ = link_step(*binding, image_.get(), {in_at, {&out_at, 1}, packed, workspace_.get(), reinterpret_cast<uint32_t*>(fault_.get())});
    row_ = binding->row;
  }
  bool ok() const { return step_.run != nullptr; }
  void run() const { step_.run(step_.args); }
  const KernelRow* row() const { return row_; }
  const Tensor& output() const { return output_; }
  int64_t macs() const { return macs_; }
  int64_t bytes() const {  // that a run must at least touch
    size_t sum = output_.bytes();
    for (const Tensor& t : inputs_) sum += t.bytes();
    return static_cast<int64_t>(sum);
  }

 private:
  Attributes attrs_;
  std::vector<Tensor> inputs_;
  Tensor output_;
  PackStore packs_;
  std::shared_ptr<std::byte> image_, workspace_;
  std::shared_ptr<std::byte> fault_ = allocate_aligned(sizeof(uint32_t));
  Step step_;
  const KernelRow* row_ = nullptr;
  int64_t macs_ = 0;
};

}  // namespace tern::bench
