// One operator bound to tensors of its own, ready to be run again and again: what the kernel benchmarks time. Next: kernels.cpp.
#pragma once
#include <cstring>
#include <random>
#include <vector>

#include "kernels/evaluate.h"

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
    for (size_t i = 0; i < inputs_.size(); ++i) in.push_back(inputs_[i].view(constants >> i & 1));
    const TensorView out = output_.view();
    if (op.macs) macs_ = op.macs(attrs_, in, {&out, 1});
    auto binding = bind_op(op, {.attrs = attrs_, .isa = isa, .inputs = in, .outputs = {&out, 1}});
    if (!binding || binding->row == nullptr) return;
    ready_ = make_ready(*binding, inputs_, {&output_, 1}, packs_);
    row_ = binding->row;
  }
  bool ok() const { return row_ != nullptr; }
  void run() const { ready_.step.run(ready_.step.args); }
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
  ReadyStep ready_;
  const KernelRow* row_ = nullptr;
  int64_t macs_ = 0;
};

}  // namespace tern::bench
