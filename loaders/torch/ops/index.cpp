// Reading by index: select, slices, gathers, windows. See operator.h. Next: diagonal.cpp, embedding.cpp, scatter.cpp.
#include "loaders/torch/ops/indexing.h"

namespace tern::torch {
namespace {

constexpr int64_t kMostPlaces = int64_t(1) << 22;  // that a constant of indices may have

IValue select_one(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  return tensor_of(select(b, x, axis, a.size("index")));
}

IValue slice_axis(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  const SliceOf part{axis, a.has("start") ? a.size("start") : Int(0), a.has("end") ? a.size("end") : Int(INT64_MAX), a.integer("step")};
  return tensor_of(slices(b, x, {part}));
}

IValue narrow(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dim"));
  Int start = a.size("start");
  if (start.known() && start.value() < 0) start = b.add(start, b.size(x, axis));
  return tensor_of(slices(b, x, {{axis, start, b.add(start, a.size("length"))}}));
}

IValue index_select(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input");
  ValueId index = index_of(b, a, "index");
  const int axis = b.axis(x, a.integer("dim"));
  if (b.ok() && b.rank(index) == 0) index = unsqueeze(b, index, {0});
  return tensor_of(b.emit("Gather", {x, index}, attributes({{"axis", int64_t(axis)}})));
}

IValue index_tensors(Builder& b, const Arguments& a) {  // aten.index.Tensor: None is a whole axis
  const ValueId x = a.tensor("input");
  const IValues* items = a["indices"].items();
  if (items == nullptr) return tensor_of(b.ok() ? b.fail(invalid("indices must be a list of tensors")) : kNone);
  std::vector<ValueId> indices;
  for (const IValue& item : *items) {
    if (!item.is_none() && !item.is_tensor()) return tensor_of(b.fail(invalid(std::string("indices must be tensors or None, not ") + item.kind())));
    indices.push_back(item.id());
  }
  return tensor_of(advanced_index(b, x, indices));
}

IValue gather(Builder& b, const Arguments& a) {
  const ValueId x = a.tensor("input"), index = index_of(b, a, "index");
  const int axis = b.axis(x, a.integer("dim"));
  if (b.ok() && b.rank(x) == 0) return tensor_of(b.rank(index) == 0 ? x : b.emit("Expand", {x, b.emit("Shape", {index})}));
  return tensor_of(b.emit("GatherElements", {x, index}, attributes({{"axis", int64_t(axis)}})));
}

// gather, with the axes other than `dim` broadcast.
IValue take_along_dim(Builder& b, const Arguments& a) {
  ValueId x = a.tensor("input"), index = index_of(b, a, "indices");
  int axis = 0;
  if (a.has("dim")) {
    axis = b.axis(x, a.integer("dim"));
  } else {
    x = b.reshape(x, {Int(-1)});
    index = b.reshape(index, {Int(-1)});
  }
  if (!b.ok()) return {};
  if (b.rank(x) != b.rank(index)) return tensor_of(b.fail(invalid("input and indices must have as many dimensions as one another")));
  auto others = [&](ValueId v) {  // the shape, with 1 along the axis
    std::vector<Int> sizes;
    for (int i = 0; i < b.rank(v); ++i) sizes.push_back(i == axis ? Int(1) : b.size(v, i));
    return sizes;
  };
  bool same = true;
  for (int i = 0; i < b.rank(x); ++i) same = same && (i == axis || b.shape(x)[i] == b.shape(index)[i]);
  if (!same) {
    const ValueId of_x = b.ints(others(x)), of_index = b.ints(others(index));
    x = b.emit("Expand", {x, of_index});
    index = b.emit("Expand", {index, of_x});
  }
  return tensor_of(b.emit("GatherElements", {x, index}, attributes({{"axis", int64_t(axis)}})));
}

IValue take(Builder& b, const Arguments& a) {
  return tensor_of(b.emit("Gather", {b.reshape(a.tensor("input"), {Int(-1)}), index_of(b, a, "index")}, attributes({{"axis", int64_t(0)}})));
}

// ---- windows ----

// places[o, k] = o * step + k * dilation
ValueId window_places(Builder& b, int64_t size, int64_t window, int64_t step, int64_t dilation) {
  constexpr int64_t kMost = int64_t(1) << 31;  // and no product overflows
  if (window < 1 || step < 1 || dilation < 1 || window > kMost || dilation > kMost)
    return b.fail(invalid("a window's size, step and dilation must be at least 1"));
  if (window > size || (window - 1) * dilation >= size)
    return b.fail(invalid("a window of " + std::to_string(window) + " does not fit a size of " + std::to_string(size)));
  const int64_t n = (size - dilation * (window - 1) - 1) / step + 1;
  if (n > kMostPlaces / window) return b.fail(unsupported("more than " + std::to_string(kMostPlaces) + " places of windows"));
  std::vector<int64_t> places;
  for (int64_t o = 0; o < n; ++o) {
    for (int64_t k = 0; k < window; ++k) places.push_back(o * step + k * dilation);
  }
  return b.constant(tern::Tensor::ints(places).reshaped({n, window}));
}

IValue unfold_axis(Builder& b, const Arguments& a) {  // Tensor.unfold: windows of an axis, as a new last axis
  const ValueId x = a.tensor("input");
  const int axis = b.axis(x, a.integer("dimension"));
  const Int size = b.size(x, axis);
  if (!b.ok()) return {};
  if (!size.known()) return tensor_of(b.fail(unsupported("unfold along a dimension that is not known when the model is loaded")));
  const ValueId y =
      b.emit("Gather", {x, window_places(b, size.value(), a.integer("size"), a.integer("step"), 1)}, attributes({{"axis", int64_t(axis)}}));
  std::vector<int64_t> order;
  for (int i = 0; i < b.rank(y); ++i) {
    if (i != axis + 1) order.push_back(i);
  }
  order.push_back(axis + 1);
  return tensor_of(b.ok() ? permute(b, y, order) : kNone);
}

struct Blocks {
  std::vector<int64_t> kernel, dilation, padding, stride;
  explicit Blocks(const Arguments& a)
      : kernel(a.ints("kernel_size", 2)), dilation(a.ints("dilation", 2)), padding(a.ints("padding", 2)), stride(a.ints("stride", 2)) {}
};

// F.unfold: [N, C, H, W] to [N, C kh kw, blocks].
IValue unfold(Builder& b, const Arguments& a) {
  const ValueId input = a.tensor("input");
  const Blocks w(a);
  return tensor_of(batched(b, input, 2, [&](ValueId x) -> ValueId {
    if (b.rank(x) != 4) return b.fail(invalid("unfold needs an input of three or four dimensions"));
    const std::vector<int64_t> pads = {0, 0, w.padding[0], w.padding[1], 0, 0, w.padding[0], w.padding[1]};
    x = b.emit("Pad", {x, b.ints(pads)});
    for (int i : {3, 2}) {  // [N, C, oh, kh, ow, kw]
      const Int size = b.size(x, i);
      if (!b.ok()) return kNone;
      if (!size.known()) return b.fail(unsupported("unfold of a size that is not known when the model is loaded"));
      const auto s = static_cast<size_t>(i - 2);
      x = b.emit("Gather", {x, window_places(b, size.value(), w.kernel[s], w.stride[s], w.dilation[s])}, attributes({{"axis", int64_t(i)}}));
    }
    if (!b.ok()) return kNone;
    const Int n = b.size(x, 0), channels = b.mul(b.size(x, 1), b.mul(b.size(x, 3), b.size(x, 5))), blocks = b.mul(b.size(x, 2), b.size(x, 4));
    return b.reshape(permute(b, x, {0, 1, 3, 5, 2, 4}), {n, channels, blocks});
  }));
}

// F.fold, its adjoint: the blocks are added up where they overlap.
IValue fold(Builder& b, const Arguments& a) {
  const ValueId input = a.tensor("input");
  const Blocks w(a);
  const std::vector<int64_t> out = a.ints("output_size", 2);
  if (!b.ok()) return {};
  return tensor_of(batched(b, input, 1, [&](ValueId x) -> ValueId {
    if (b.rank(x) != 3) return b.fail(invalid("fold needs an input of two or three dimensions"));
    for (int64_t n : {out[0], out[1], w.padding[0], w.padding[1]}) {
      if (n < 0 || n > int64_t(1) << 30) return b.fail(invalid("output_size or padding makes no sense"));
    }
    const int64_t height = out[0] + 2 * w.padding[0], width = out[1] + 2 * w.padding[1], window = w.kernel[0] * w.kernel[1];
    const ValueId rows = window_places(b, height, w.kernel[0], w.stride[0], w.dilation[0]),
                  cols = window_places(b, width, w.kernel[1], w.stride[1], w.dilation[1]);
    if (!b.ok()) return kNone;
    if (b.contents(rows)->count() > kMostPlaces / b.contents(cols)->count())
      return b.fail(unsupported("more than " + std::to_string(kMostPlaces) + " places of windows"));
    std::vector<int64_t> places;  // [kh, kw, oh, ow]
    const auto r = b.contents(rows)->span<int64_t>(), c = b.contents(cols)->span<int64_t>();
    const auto kh = static_cast<size_t>(w.kernel[0]), kw = static_cast<size_t>(w.kernel[1]);
    for (size_t i = 0; i < kh; ++i) {
      for (size_t j = 0; j < kw; ++j) {
        for (size_t p = i; p < r.size(); p += kh) {
          for (size_t q = j; q < c.size(); q += kw) places.push_back(r[p] * width + c[q]);
        }
      }
    }
    const Int n = b.size(x, 0), channels = b.floor_div(b.size(x, 1), window), all = b.mul(n, channels);
    const auto count = static_cast<int64_t>(places.size());
    const ValueId updates = b.reshape(permute(b, b.reshape(x, {n, channels, window, Int(count / window)}), {2, 3, 0, 1}), {count, all});
    const ValueId zeros = b.emit("Expand", {b.scalar_like(x, 0), b.ints(std::vector<Int>{height * width, all})});
    const ValueId sums = b.emit("ScatterND", {zeros, b.constant(tern::Tensor::ints(places).reshaped({count, 1})), updates},
                                attributes({{"reduction", std::string("add")}}));
    const ValueId y = b.reshape(transpose(b, sums, 0, 1), {n, channels, height, width});
    return slices(b, y, {{2, w.padding[0], height - w.padding[0]}, {3, w.padding[1], width - w.padding[1]}});
  }));
}

ValueId put_selected(Builder& b, const Arguments& a, ValueId whole, ValueId part) {
  return call(b, "aten.select_scatter.default", {IValue::tensor(whole), IValue::tensor(part), a["dim"], a["index"]}).id();
}

ValueId put_slice(Builder& b, const Arguments& a, ValueId whole, ValueId part) {
  return call(b, "aten.slice_scatter.default", {IValue::tensor(whole), IValue::tensor(part), a["dim"], a["start"], a["end"], a["step"]}).id();
}

constexpr Operator kIndexRows[] = {
    {"aten.select.int torch.select Tensor.select", "input|self, dim, index", select_one, Shares::view, put_selected},
    {"aten.slice.Tensor", "input|self, dim=0, start=None, end=None, step=1", slice_axis, Shares::view, put_slice},
    {"aten.narrow.default torch.narrow Tensor.narrow", "input|self, dim, start, length", narrow, Shares::view},
    {"aten.index_select.default torch.index_select Tensor.index_select", "input|self, dim, index", index_select},
    {"aten.index.Tensor aten._unsafe_index.Tensor", "input|self, indices", index_tensors},
    {"aten.gather.default torch.gather Tensor.gather", "input|self, dim, index, *, sparse_grad=False", gather},
    {"aten.take_along_dim.default torch.take_along_dim Tensor.take_along_dim", "input|self, indices, dim=None", take_along_dim},
    {"aten.take.default torch.take Tensor.take", "input|self, index", take},
    {"aten.unfold.default Tensor.unfold", "input|self, dimension, size, step", unfold_axis, Shares::view},
    {"F.unfold", "input, kernel_size, dilation=1, padding=0, stride=1", unfold},
    {"aten.im2col.default", "input|self, kernel_size, dilation, padding, stride", unfold},
    {"F.fold", "input, output_size, kernel_size, dilation=1, padding=0, stride=1", fold},
    {"aten.col2im.default", "input|self, output_size, kernel_size, dilation, padding, stride", fold},
};

}  // namespace

std::span<const Operator> index_operators() { return kIndexRows; }

}  // namespace tern::torch
