// Layers of several inputs. See layer.h. Next: norm.cpp.
#include <algorithm>

#include "loaders/keras/layers/pieces.h"
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

// The inputs, in Keras 3 in the dtype that all of them fit: integers and floats are floats.
std::vector<ValueId> given(const Call& c) {
  std::vector<ValueId> out;
  for (const Flow& f : c.inputs) out.push_back(f.value);
  return c.layer.keras() == 2 ? out : Operands(c).promoted(out);
}

// Inputs of fewer axes than another get ones behind the batch.
std::vector<ValueId> aligned(Call& c) {
  int most = 0;
  for (const Flow& f : c.inputs) most = std::max(most, c.b.rank(f.value));
  std::vector<ValueId> out;
  for (ValueId x : given(c)) {
    std::vector<int64_t> axes;
    for (int i = c.b.rank(x); i < most; ++i) axes.push_back(static_cast<int64_t>(axes.size()) + 1);
    out.push_back(unsqueeze(c.b, x, axes));
  }
  return out;
}

// What counts in all inputs that have masks (Keras 2), or in any where all have one (Keras 3).
ValueId merged_mask(Call& c) {
  ValueId out = kNone;
  size_t masks = 0;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const ValueId mask = c.mask(i);
    if (mask == kNone) continue;
    ++masks;
    out = out == kNone ? mask : c.emit(c.layer.keras() == 2 ? "And" : "Or", {out, mask});
  }
  return c.layer.keras() == 2 || masks == c.inputs.size() ? out : kNone;
}

template <OpName kOp, bool kMean = false>
Flows elementwise(Call& c) {
  if (c.inputs.empty()) return c.invalid("it is called with no tensors");
  const std::vector<ValueId> xs = aligned(c);
  ValueId y = xs[0];
  for (size_t i = 1; i < xs.size(); ++i) y = c.emit(kOp.text, {y, xs[i]});
  if (kMean) y = c.emit("Div", {y, number(c, y, static_cast<double>(xs.size()))});
  return {{y, merged_mask(c)}};
}

// [batch, steps] as [batch, steps, 1]; the mask of input i.
ValueId wide_mask(const Call& c, size_t i) {
  const ValueId mask = c.inputs[i].mask;
  return mask == kNone ? kNone : unsqueeze(c.b, to_bool(c, mask), {-1});
}

// Keras 3 looks at masks where a product or an extreme would take in what does not count. Inputs of different ranks have lost theirs by then.
bool heeds_masks(const Call& c) {
  if (c.layer.keras() == 2) return false;
  const int rank = c.b.rank(c.x());
  return std::all_of(c.inputs.begin(), c.inputs.end(), [&](const Flow& f) { return c.b.rank(f.value) == rank; }) &&
         std::any_of(c.inputs.begin(), c.inputs.end(), [](const Flow& f) { return f.mask != kNone; });
}

// What does not count is 1; what counts nowhere gives 0.
Flows multiply(Call& c) {
  if (c.inputs.empty() || !heeds_masks(c)) return elementwise<"Mul">(c);
  ValueId y = kNone, counts = kNone;
  bool all = true;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    ValueId x = c.inputs[i].value;
    const ValueId mask = wide_mask(c, i);
    if (mask != kNone) x = c.emit("Where", {mask, x, number(c, x, 1)});
    counts = mask == kNone ? counts : counts == kNone ? mask : c.emit("Or", {counts, mask});
    all = all && mask != kNone;
    y = y == kNone ? x : c.emit("Mul", {y, x});
  }
  if (all) y = c.emit("Where", {counts, y, number(c, y, 0)});
  return {{y, merged_mask(c)}};
}

// What does not count is what the others are.
template <OpName kOp>
Flows extreme(Call& c) {
  if (c.inputs.empty() || !heeds_masks(c)) return elementwise<kOp>(c);
  ValueId y = c.x(), counts = wide_mask(c, 0);
  for (size_t i = 1; i < c.inputs.size(); ++i) {
    ValueId x = c.inputs[i].value;
    const ValueId mask = wide_mask(c, i);
    if (mask != kNone) x = c.emit("Where", {mask, x, y});
    if (counts != kNone) y = c.emit("Where", {counts, y, x});
    counts = mask != kNone && counts != kNone ? c.emit("Or", {counts, mask}) : kNone;
    y = c.emit(kOp.text, {y, x});
  }
  return {{y, merged_mask(c)}};
}

Flows subtract(Call& c) {
  if (c.inputs.size() != 2) return c.invalid("it is called with " + std::to_string(c.inputs.size()) + " tensors, not two");
  return elementwise<"Sub">(c);
}

// Where one input has a mask, those without count everywhere; what is joined counts where all (Keras 3: any) of its last axis do.
ValueId joined_mask(Call& c, int axis) {
  std::vector<ValueId> masks;
  bool any = false;
  for (size_t i = 0; i < c.inputs.size(); ++i) any = any || c.mask(i) != kNone;
  if (!any) return kNone;
  const int rank = c.b.rank(c.x());
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    ValueId mask = c.mask(i);
    const ValueId x = c.inputs[i].value;
    if (mask == kNone) mask = c.emit("Expand", {c.b.scalar(DType::boolean, 1), c.b.ints(sizes_of(c.b, x))});
    else if (c.b.rank(mask) < rank) mask = c.emit("Expand", {unsqueeze(c.b, mask, {-1}), c.b.ints(sizes_of(c.b, x))});
    masks.push_back(mask);
  }
  return reduce(c, c.layer.keras() == 2 ? "ReduceMin" : "ReduceMax", concat(c.b, masks, axis), {rank - 1}, false);
}

Flows concatenate(Call& c) {
  if (c.inputs.empty()) return c.invalid("it is called with no tensors");
  const int axis = c.axis(c.config.integer("axis", -1), c.b.rank(c.x()));
  return {{concat(c.b, given(c), axis), joined_mask(c, axis)}};
}

// The sum over axis ax of x and ay of y, for each of the batch: [batch, the rest of x, the rest of y].
Flows dot(Call& c) {
  if (c.inputs.size() != 2) return c.invalid("it is called with " + std::to_string(c.inputs.size()) + " tensors, not two");
  ValueId x = c.x(0), y = c.x(1);
  const int rx = c.b.rank(x), ry = c.b.rank(y);
  const std::vector<int64_t> axes = c.config.ints("axes", 2);
  if (axes.size() != 2 || rx < 2 || ry < 2) return c.invalid("its axes, or those of its inputs, are too few");
  const int ax = c.axis(axes[0], rx), ay = c.axis(axes[1], ry);
  if (!c.b.ok()) return {};
  if (ax == 0 || ay == 0) return c.invalid("axis 0 is the batch");
  if (c.config.boolean("normalize", false)) {
    const double least = c.layer.keras() == 2 ? 1e-12 : 1e-14;
    x = unit(c, x, {ax}, least);
    y = unit(c, y, {ay}, least);
  }
  std::vector<int64_t> order_x = {0}, order_y = {0, ay};
  std::vector<Int> shape = {c.b.size(x, 0)};
  for (int i = 1; i < rx; ++i) {
    if (i == ax) continue;
    order_x.push_back(i);
    shape.push_back(c.b.size(x, i));
  }
  order_x.push_back(ax);
  for (int i = 1; i < ry; ++i) {
    if (i == ay) continue;
    order_y.push_back(i);
    shape.push_back(c.b.size(y, i));
  }
  if (shape.size() == 1) shape.emplace_back(1);
  const Int n = c.b.size(x, ax);
  x = c.b.reshape(permute(c.b, x, order_x), {shape[0], rx == 2 ? Int(1) : Int(-1), n});
  y = c.b.reshape(permute(c.b, y, order_y), {shape[0], n, ry == 2 ? Int(1) : Int(-1)});
  return {{c.b.reshape(c.emit("MatMul", {x, y}), shape)}};
}

constexpr LayerRow kMergeRows[] = {
    {"Add", elementwise<"Add">, Masking::own},
    {"Multiply", multiply, Masking::own},
    {"Subtract", subtract, Masking::own},
    {"Average", elementwise<"Add", true>, Masking::own},
    {"Maximum", extreme<"Max">, Masking::own},
    {"Minimum", extreme<"Min">, Masking::own},
    {"Concatenate TFDConcat", concatenate, Masking::own},
    {"Dot", dot},
};

}  // namespace

std::span<const LayerRow> merge_layers() { return kMergeRows; }

}  // namespace tern::keras
