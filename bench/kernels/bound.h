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
  Bound(const OpDef& op, Attributes attrs, std::vector<Tensor> inputs, size_t outputs, uint32_t constants, Isa isa)
      : attrs_(std::move(attrs)), inputs_(std::move(inputs)) {
    std::vector<InferContext::Input> types;
    for (const Tensor& t : inputs_)
      types.push_back(t.present() ? InferContext::Input{{t.dtype(), Shape(t.dims())}, &t, nullptr} : InferContext::Input{});
    int64_t symbols = 0;
    InferContext infer({op.attrs, attrs_}, std::move(types), outputs, &symbols);
    if (!infer_op(op, infer)) return;
    std::vector<TensorView> in, out;
    for (size_t i = 0; i < inputs_.size(); ++i) in.push_back(inputs_[i].view(constants >> i & 1));
    for (const TypeInfo& y : infer.outputs) {
      if (!y.shape.known()) return;
      outputs_.push_back(*Tensor::allocate(y.dtype, y.shape.concrete()));
      out.push_back(outputs_.back().view());
    }
    if (op.macs) macs_ = op.macs({op.attrs, attrs_}, in, out);
    auto binding = bind_op(op, {.attrs = {op.attrs, attrs_}, .isa = isa, .inputs = in, .outputs = out});
    if (!binding || binding->row == nullptr) return;
    ready_ = make_ready(*binding, inputs_, outputs_, packs_);
    row_ = binding->row;
  }
  bool ok() const { return row_ != nullptr; }
  void run() const { ready_.step.run(ready_.step.args); }
  const KernelRow* row() const { return row_; }
  const Tensor& output() const { return outputs_[0]; }
  int64_t macs() const { return macs_; }
  int64_t bytes() const {  // that a run must at least touch
    size_t sum = 0;
    for (const Tensor& t : outputs_) sum += t.bytes();
    for (const Tensor& t : inputs_) sum += t.bytes();
    return static_cast<int64_t>(sum);
  }

 private:
  Attributes attrs_;
  std::vector<Tensor> inputs_, outputs_;
  PackStore packs_;
  ReadyStep ready_;
  const KernelRow* row_ = nullptr;
  int64_t macs_ = 0;
};

}  // namespace tern::bench
