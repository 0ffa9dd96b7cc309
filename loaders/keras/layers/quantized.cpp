// See quantized.h. Next: rnn.h.
#include "loaders/keras/layers/quantized.h"

#include "runtime/base/printable.h"
#include "runtime/graph_einsum.h"

namespace tern::keras {
namespace {

constexpr int64_t kExact = (int64_t(1) << 24) / (127 * 127);  // terms of a sum of products of 8 bits that f32 holds to the last

// How x is rounded: AbsMaxQuantizer, or not at all.
struct Rounding {
  bool any = false;
  double least = -127, most = 127, epsilon = 1e-7;
};
Rounding rounding(const Call& c, bool otherwise) {
  const Config config = c.config.object("quantization_config").object("config");
  if (!c.config.has("quantization_config")) return {.any = otherwise};
  if (!config.has("activation_quantizer")) return {};
  Rounding r{.any = true};
  const std::string cls = config.called("activation_quantizer");
  if (cls != "AbsMaxQuantizer") c.unsupported("quantizer " + printable(cls, 80));
  const Config of_x = config.object("activation_quantizer").object("config");
  if (const std::vector<double> range = of_x.numbers("value_range"); range.size() == 2) r.least = range[0], r.most = range[1];
  r.epsilon = of_x.number("epsilon", r.epsilon);
  if (r.least < -127 || r.most > 127) c.unsupported("a quantizer of more than 8 bits");
  return r;
}

struct Rounded {
  ValueId x = kNone, scale = kNone;  // whole numbers; what x was multiplied by, sizes of 1 along `axes`
};
Rounded rounded(const Call& c, ValueId x, const Rounding& how, const std::vector<int64_t>& axes) {
  const ValueId largest = reduce(c, "ReduceMax", c.emit("Abs", {x}), axes, true);
  const ValueId scale = c.emit("Div", {number(c, x, how.most), c.emit("Add", {largest, number(c, x, how.epsilon)})});
  return {c.emit("Clip", {c.emit("Round", {c.emit("Mul", {x, scale})}), number(c, x, how.least), number(c, x, how.most)}), scale};
}

// The letters of an equation, with one for each axis that dots stand for.
struct Letters {
  std::string x, kernel, y;
};
Letters letters_of(const std::string& equation, int rank) {
  const size_t comma = equation.find(','), arrow = equation.find("->");
  Letters l{equation.substr(0, comma), equation.substr(comma + 1, arrow - comma - 1), equation.substr(arrow + 2)};
  std::string dots;
  for (int i = static_cast<int>(l.x.size()) - 3; i < rank; ++i) dots += static_cast<char>('0' + i);
  for (std::string* s : {&l.x, &l.kernel, &l.y}) {
    if (const size_t at = s->find("..."); at != s->npos) s->replace(at, 3, dots);
  }
  return l;
}

// A scale of x, whose axes are summed over or are y's, with the axes of y.
ValueId as_of_y(const Call& c, ValueId scale, const Letters& l, const std::vector<int64_t>& summed) {
  std::string have;
  for (char a : l.x) have += l.y.find(a) == l.y.npos ? "" : std::string(1, a);
  std::vector<int64_t> order, more;
  for (size_t i = 0; i < l.y.size(); ++i) {
    if (const size_t at = have.find(l.y[i]); at == have.npos) more.push_back(static_cast<int64_t>(i));
    else order.push_back(static_cast<int64_t>(at));
  }
  return unsqueeze(c.b, permute(c.b, squeeze(c.b, scale, summed), order), more);
}

ValueId next(const Call& c, Weights& weights, const char* name) {
  const auto dims = weights.dims(name);
  return c.weight(weights, name, dims.value_or(std::vector<int64_t>()), false);
}

// Two numbers in [-8, 7] a byte along the last axis, low half first: packed [rows, (n + 1) / 2] as [rows, n].
ValueId unpacked(const Call& c, ValueId packed, int64_t rows, int64_t n) {
  const ValueId bytes = c.b.cast(packed, DType::u8);
  const ValueId high = c.emit("BitShift", {bytes, c.b.scalar(DType::u8, 4)}, attributes({{"direction", std::string("RIGHT")}}));
  std::vector<ValueId> halves;
  for (ValueId half : {bytes, high}) {
    const ValueId v = c.b.cast(half, DType::i32);
    const ValueId low = c.emit("BitwiseAnd", {c.emit("Add", {v, number(c, v, 8)}), number(c, v, 15)});
    halves.push_back(unsqueeze(c.b, c.emit("Sub", {low, number(c, v, 8)}), {2}));
  }
  const ValueId pairs = c.b.reshape(concat(c.b, halves, 2), {Int(rows), Int(2 * ((n + 1) / 2))});
  return c.b.cast(slice(c.b, pairs, 1, 0, n), c.layer.compute);
}

// q in floats again, of its scales: a column's (`axis` 1) or a row's each, or with a zero for each group along the other axis.
ValueId restored(Call& c, Weights& weights, ValueId q, const std::string& name, int axis) {
  ValueId scale = next(c, weights, (name + "_scale").c_str());
  if (!c.b.ok()) return kNone;
  if (c.b.rank(scale) == 1) return c.emit("Div", {q, axis == 1 ? scale : unsqueeze(c.b, scale, {1})});
  const ValueId zero = c.b.cast(next(c, weights, (name + "_zero").c_str()), c.layer.compute);
  const ValueId group = c.b.cast(next(c, weights, "g_idx"), DType::i64);
  const auto mapped = [&](ValueId v) { return c.emit("Gather", {v, group}, attributes({{"axis", int64_t(1 - axis)}})); };
  return c.emit("Mul", {c.emit("Sub", {q, mapped(zero)}), mapped(scale)});
}

bool four_bits(const Call& c) { return c.layer.quantized.starts_with("int4"); }

// The kernel of 4 bits, in floats.
ValueId small_kernel(Call& c, Weights& weights, const QuantizedProduct& p, const Letters& l, ValueId& bias) {
  int64_t rows = 1, columns = 1;
  if (p.kernel.size() != l.kernel.size()) return c.unsupported("a kernel of 4 bits with axes that dots stand for"), kNone;
  std::vector<Int> sizes(p.kernel.begin(), p.kernel.end());
  for (size_t i = 0; i < p.kernel.size(); ++i) {
    if (p.kernel[i] < 1 || p.kernel[i] > int64_t(1) << 20) return c.unsupported("a kernel of 4 bits whose sizes the file does not tell"), kNone;
    (l.y.find(l.kernel[i]) == l.y.npos ? rows : columns) *= p.kernel[i];
    if (rows > int64_t(1) << 40 || columns > int64_t(1) << 40) return c.unsupported("so large a kernel of 4 bits"), kNone;
  }
  if (weights.dims("kernel") != std::vector<int64_t>{rows, (columns + 1) / 2})
    return c.unsupported("a kernel of 4 bits as older versions of Keras pack it"), kNone;
  const ValueId packed = c.weight(weights, "kernel", {rows, (columns + 1) / 2});
  if (p.bias) bias = c.weight(weights, "bias", *p.bias);
  return c.b.reshape(restored(c, weights, unpacked(c, packed, rows, columns), "kernel", 1), sizes);
}

bool calibrated(const Call& c) { return c.layer.quantized.starts_with("gptq/") || c.layer.quantized.starts_with("awq/"); }

// The kernel that GPTQ or AWQ left ("gptq/4/128": of so many bits), in floats: stored transposed, of 4 bits two rows a byte, low half first; AWQ has
// multiplied its rows by scales before.
ValueId calibrated_kernel(Call& c, Weights& weights, const QuantizedProduct& p, ValueId& bias) {
  const bool awq = c.layer.quantized.starts_with("awq/"), halves = awq || c.layer.quantized.starts_with("gptq/4/");
  const int64_t features = p.kernel[0], units = p.kernel[1];
  if (units < 1 || units > int64_t(1) << 40) return c.invalid("its config: " + std::to_string(units) + " units"), kNone;
  if (p.bias) bias = c.weight(weights, "bias", *p.bias);
  ValueId q = c.weight(weights, "kernel", {halves ? (units + 1) / 2 : units, features}, false);
  if (c.b.ok() && c.b.dtype(q) != DType::u8) return c.invalid("weight kernel is no bytes"), kNone;
  if (halves) {
    const ValueId high = c.emit("BitShift", {q, c.b.scalar(DType::u8, 4)}, attributes({{"direction", std::string("RIGHT")}}));
    const ValueId low = c.emit("BitwiseAnd", {q, c.b.scalar(DType::u8, 15)});
    q = concat(c.b, {unsqueeze(c.b, low, {1}), unsqueeze(c.b, high, {1})}, 1);
    q = slice(c.b, c.b.reshape(q, {Int(2 * ((units + 1) / 2)), Int(features)}), 0, 0, units);
  }
  if (c.b.ok() && weights.dims("kernel_scale").value_or(std::vector<int64_t>()).size() != 2)
    return c.invalid("weight kernel_scale is no table"), kNone;
  if (const auto zeros = weights.dims("kernel_zero"); c.b.ok() && (!zeros || zeros->size() != 2))
    return c.unsupported("a kernel whose zeros are not in the file, which Keras 3.15 forgets when it saves and cannot load either,"), kNone;
  const ValueId scales = awq ? c.weight(weights, "awq_scales", {features}, false) : kNone;
  const ValueId kernel = permute(c.b, restored(c, weights, c.b.cast(q, c.layer.compute), "kernel", 0), {1, 0});
  return awq ? c.emit("Div", {kernel, unsqueeze(c.b, scales, {1})}) : kernel;
}

}  // namespace

bool is_quantized(const Call& c, Weights weights) { return !c.layer.quantized.empty() || weights.dtype("kernel") == DType::i8; }

ValueId quantized_product(Call& c, Weights weights, ValueId x, const QuantizedProduct& p) {
  if (!c.b.ok()) return kNone;
  const Letters l = letters_of(p.equation, c.b.rank(x));
  std::vector<int64_t> summed;
  int64_t terms = 1;
  for (size_t i = 0; i < l.x.size() && i < static_cast<size_t>(c.b.rank(x)); ++i) {
    if (l.y.find(l.x[i]) != l.y.npos) continue;
    summed.push_back(static_cast<int64_t>(i));
    const int64_t n = c.known_size(x, static_cast<int>(i));
    terms = terms > kExact || n > kExact ? kExact + 1 : terms * n;
  }
  ValueId bias = kNone, y = kNone;
  const Rounding how = rounding(c, !four_bits(c));
  if (calibrated(c)) {
    y = einsum(c.b, p.equation, {x, calibrated_kernel(c, weights, p, bias)});
  } else if (four_bits(c)) {
    const ValueId kernel = small_kernel(c, weights, p, l, bias);
    const bool grouped = c.layer.quantized != "int4" && !c.layer.quantized.ends_with("/-1");
    const Rounded r = how.any && !grouped ? rounded(c, x, how, summed) : Rounded{x};
    y = einsum(c.b, p.equation, {r.x, kernel});
    if (r.scale != kNone) y = c.emit("Div", {y, as_of_y(c, r.scale, l, summed)});
  } else {
    const ValueId kernel = c.weight(weights, "kernel", p.kernel);
    if (p.bias) bias = c.weight(weights, "bias", *p.bias);
    ValueId scale = next(c, weights, "kernel_scale");
    const Rounded r = how.any ? rounded(c, x, how, summed) : Rounded{x};
    const DType exact = !how.any ? c.layer.compute : terms <= kExact ? DType::f32 : DType::i32;
    y = c.b.cast(einsum(c.b, p.equation, {c.b.cast(r.x, exact), c.b.cast(kernel, exact)}), c.layer.compute);
    if (r.scale != kNone) scale = c.emit("Mul", {as_of_y(c, r.scale, l, summed), scale});
    y = c.emit("Div", {y, scale});
  }
  return bias == kNone ? y : c.emit("Add", {y, bias});
}

ValueId quantized_rows(Call& c, ValueId ids, int64_t rows, int64_t width) {
  if (rows < 1 || width < 1 || width > int64_t(1) << 40) return c.invalid("its config: a table of " + std::to_string(rows) + " rows"), kNone;
  if (four_bits(c)) {
    const ValueId packed = c.weight("embeddings", {rows, (width + 1) / 2});
    return c.emit("Gather", {restored(c, c.weights, unpacked(c, packed, rows, width), "embeddings", 0), ids});
  }
  const ValueId table = c.weight("embeddings", {rows, width}), scale = c.weight("embeddings_scale", {rows}, false);
  const ValueId row = c.b.cast(c.emit("Gather", {table, ids}), c.layer.compute);
  return c.emit("Div", {row, unsqueeze(c.b, c.emit("Gather", {scale, ids}), {c.b.rank(ids)})});
}

}  // namespace tern::keras
