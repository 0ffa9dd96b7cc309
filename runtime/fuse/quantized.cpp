// See quantized.h.
#include "runtime/fuse/quantized.h"

#include <cmath>

#include "kernels/quantize/integer.h"
#include "kernels/quantize/linear.h"

namespace tern {
namespace {

const Tensor* one(const Rewriter& r, ValueId v, DType dtype) {
  const Tensor* t = r.constant(v, dtype);
  return t != nullptr && t->count() == 1 && t->dims().rank <= 1 ? t : nullptr;
}
ValueId zero_input(const Node& node) { return node.inputs.size() > 2 ? node.inputs[2] : kNone; }

std::optional<float> limit(const Rewriter& r, const Node& clip, size_t i, float none) {
  if (i >= clip.inputs.size() || clip.inputs[i] == kNone) return none;
  const auto v = r.scalar(clip.inputs[i]);
  return v && !std::isnan(*v) ? v : std::nullopt;
}

Tensor byte(DType dtype, int32_t v) { return dtype == DType::i8 ? Tensor::scalar(static_cast<int8_t>(v)) : Tensor::scalar(static_cast<uint8_t>(v)); }

}  // namespace

std::optional<Quantized> dequantized(const Rewriter& r, ValueId v) {
  const Node* node = r.producer(v, "DequantizeLinear");
  if (node == nullptr || r.dtype(v) != DType::f32 || node->read().i("block_size") != 0) return std::nullopt;
  const Quantized q{node->inputs[0], node->inputs[1], zero_input(*node)};
  const DType dtype = r.dtype(q.data);
  if (!is_byte(dtype) || one(r, q.scale, DType::f32) == nullptr || (q.zero != kNone && one(r, q.zero, dtype) == nullptr)) return std::nullopt;
  return q;
}

std::optional<Quantized> dequantized_weights(const Rewriter& r, ValueId v, int axis) {
  const Node* node = r.producer(v, "DequantizeLinear");
  if (node == nullptr || r.dtype(v) != DType::f32 || node->read().i("block_size") != 0) return std::nullopt;
  const Quantized q{node->inputs[0], node->inputs[1], zero_input(*node)};
  const DType dtype = r.dtype(q.data);
  if (!r.graph.is_constant(q.data) || (!is_byte(dtype) && dtype != DType::i32)) return std::nullopt;
  const Dims& dims = r.graph.value(q.data).constant.dims();
  const Tensor *scale = r.constant(q.scale), *zero = r.constant(q.zero, dtype);
  if (scale == nullptr || scale->dims().rank > 1 || (q.zero != kNone && (zero == nullptr || zero->count() != scale->count()))) return std::nullopt;
  const auto given = normalize_axis(node->read().i("axis"), dims.rank);
  if (scale->count() != 1 && (!given || *given != axis || scale->count() != dims[axis])) return std::nullopt;
  return q;
}

std::optional<Quantized> quantizes(const Rewriter& r, size_t n) {
  const Node* node = r.at(n, "QuantizeLinear");
  if (node == nullptr || node->read().i("block_size") != 0) return std::nullopt;
  const Quantized q{node->inputs[0], node->inputs[1], zero_input(*node)};
  const DType dtype = r.dtype(node->outputs[0]);
  if (!is_byte(dtype) || r.dtype(q.data) != DType::f32 || one(r, q.scale, DType::f32) == nullptr) return std::nullopt;
  if (q.zero != kNone && one(r, q.zero, dtype) == nullptr) return std::nullopt;
  return q;
}

int32_t zero_of(const Rewriter& r, ValueId zero) {
  if (zero == kNone) return 0;
  const Tensor& t = r.graph.value(zero).constant;
  return t.dtype() == DType::i8 ? *t.data<int8_t>() : *t.data<uint8_t>();
}

ValueId zero_or_none(Rewriter& r, ValueId zero, DType dtype) {
  if (zero != kNone) return zero;
  return r.add_constant("no.zero", dtype == DType::i8 ? Tensor::scalar(int8_t(0)) : Tensor::scalar(uint8_t(0)));
}

bool same_scale(const Rewriter& r, const Quantized& a, const Quantized& b) {
  return *r.scalar(a.scale) == *r.scalar(b.scale) && zero_of(r, a.zero) == zero_of(r, b.zero);
}

int32_t quantized_number(const Rewriter& r, const Quantized& to, DType dtype, float x) {
  const float scale = *r.scalar(to.scale);
  return dtype == DType::i8 ? quantized<int8_t>(x, scale, zero_of(r, to.zero)) : quantized<uint8_t>(x, scale, zero_of(r, to.zero));
}

std::optional<Limits> limits(const Rewriter& r, const Quantized& y, DType dtype) {
  const int32_t lowest = dtype == DType::i8 ? -128 : 0;
  Limits all{y.data, lowest, lowest + 255};
  const Node* relu = r.producer(y.data, "Relu");
  const Node* clip = relu != nullptr ? relu : r.producer(y.data, "Clip");
  if (clip == nullptr || !r.read_once(y.data)) return all;
  const auto low = relu != nullptr ? 0.0f : limit(r, *clip, 1, -INFINITY), high = relu != nullptr ? INFINITY : limit(r, *clip, 2, INFINITY);
  if (!low || !high || *low > *high || !(*r.scalar(y.scale) > 0)) return std::nullopt;
  return Limits{clip->inputs[0], quantized_number(r, y, dtype, *low), quantized_number(r, y, dtype, *high)};
}

void put_within(Rewriter& r, size_t n, Node made, const Limits& within, DType dtype) {
  const int32_t lowest = dtype == DType::i8 ? -128 : 0;
  made.outputs = r.graph.nodes[n].outputs;
  if (within.low == lowest && within.high == lowest + 255) {
    r.replace(n, std::move(made));
    return;
  }
  const std::string name = r.graph.value(made.outputs[0]).name;
  const ValueId v = r.insert_before(n, *made.op, made.attrs, made.inputs, name + ".unclipped");
  if (v == kNone) return;
  const ValueId low = r.add_constant(name + ".low", byte(dtype, within.low)), high = r.add_constant(name + ".high", byte(dtype, within.high));
  r.replace(n, Node{find_op("Clip"), "", {}, {v, low, high}, r.graph.nodes[n].outputs, {}});
}

}  // namespace tern
