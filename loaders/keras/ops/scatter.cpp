// Writes by index, sums over segments, bins. See ops.h. Next: fourier.cpp.
#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

ValueId scattered(const Call& c, ValueId into, ValueId at, ValueId values, const std::string& reduction) {
  return c.emit("ScatterND", {into, c.b.cast(at, DType::i64), values}, attributes({{"reduction", reduction}}));
}

// Values that meet at a place are added.
Flows scatter(Call& c) {
  const Operands o(c);
  const ValueId at = o.tensor(0, "indices"), values = o.tensor(1, "values|updates");
  const ValueId zeros = c.emit("Expand", {c.b.scalar_like(values, 0), c.b.ints(o.sizes("shape", 2))});
  return {{scattered(c, zeros, at, values, "add")}};
}

Flows scatter_update(Call& c) {
  const Operands o(c);
  const std::string reduction = o.text("reduction", "none");
  if (reduction != "none" && reduction != "add" && reduction != "max" && reduction != "min" && reduction != "mul")
    return c.unsupported("this reduction");
  const ValueId x = o.tensor(0, "inputs|tensor");
  return {{scattered(c, x, o.tensor(1, "indices"), o.tensor(o.get(2, "updates"), c.b.dtype(x)), reduction)}};
}

template <Text reduction>
Flows tensor_scatter(Call& c) {
  const Operands o(c);
  return {{scattered(c, o.tensor(0, "tensor"), o.tensor(1, "indices"), o.tensor(2, "updates"), reduction.text)}};
}

// The update, padded to the size of x, where a mask that was padded like it says so. A start that is too far is moved back, as XLA does.
Flows slice_update(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "inputs"), update = o.tensor(o.get(2, "updates"), c.b.dtype(x));
  const std::vector<Int> starts = o.sizes("start_indices", 1), size = sizes_of(c.b, x), part = sizes_of(c.b, update);
  if (!c.b.ok() || starts.size() != size.size() || part.size() != size.size()) return c.invalid("its updates have other axes than its input");
  std::vector<Int> pads, behind;
  for (size_t i = 0; i < starts.size(); ++i) {
    if (starts[i].known() && starts[i].value() < 0) return c.unsupported("a negative start");
    const Int room = c.b.sub(size[i], part[i]);
    Int start = starts[i];
    if (!(start.known() && room.known() && start.value() <= room.value()))
      start = Int::computed(c.emit("Max", {c.emit("Min", {c.b.scalar(start), c.b.scalar(room)}), c.b.scalar(Int(0))}));
    pads.push_back(start);
    behind.push_back(c.b.sub(room, start));
  }
  pads.insert(pads.end(), behind.begin(), behind.end());
  const ValueId margins = c.b.ints(pads);
  const ValueId ones = c.emit("Expand", {c.b.scalar(DType::f32, 1), c.emit("Shape", {update})});
  const ValueId inside = c.b.cast(c.emit("Pad", {ones, margins}), DType::boolean);
  return {{c.emit("Where", {inside, c.emit("Pad", {update, margins}), x})}};
}

// ---- segments

// Ids may be in any order, and those below 0 count nowhere; of sorted ones each belongs to the last or the next segment.
Flows segments(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "data"), ids = o.tensor(1, "segment_ids");
  const std::string& cls = c.layer.class_name;
  const std::string name = cls == "ops.SegmentReduction" ? o.text("reduction_fn|reduction") : cls.substr(cls.find("egment") + 6);
  const bool sorted = o.flag("sorted", false);
  if (sorted) return {{by_tensorflow(c, ("Segment" + name).c_str(), {x, ids})[0].value}};
  const Argument given = o.get(2, "num_segments");
  ValueId count = given.is_none() ? kNone : o.tensor(given, DType::i32);
  if (count == kNone && name == "Sum") return c.unsupported("segment_sum without num_segments");
  if (count == kNone) {
    const ValueId last = c.emit("ReduceMax", {c.b.cast(ids, DType::i32)}, attributes({{"keepdims", int64_t(0)}}));
    count = c.emit("Add", {last, c.b.scalar(DType::i32, 1)});
  }
  return {{by_tensorflow(c, ("UnsortedSegment" + name).c_str(), {x, ids, count})[0].value}};
}

// ---- bins

Flows in_top_k(Call& c) {
  const Operands o(c);
  const ValueId k = o.tensor(2, "k");
  return {{by_tensorflow(c, "InTopKV2", {o.tensor(1, "predictions"), o.tensor(0, "targets"), k})[0].value}};
}

// How many of `edges` (ascending) lie below each x, or (right) not above.
ValueId places(const Call& c, ValueId x, ValueId edges, bool right) {
  const ValueId wide = unsqueeze(c.b, x, {c.b.rank(x)});
  const ValueId passed = c.emit(right ? "LessOrEqual" : "Less", {edges, wide});
  return c.emit("ReduceSum", {c.b.cast(passed, DType::i32), c.b.ints({int64_t(c.b.rank(x))})}, attributes({{"keepdims", int64_t(0)}}));
}

Flows digitize(Call& c) {
  const Operands o(c);
  const ValueId x = o.real(o.tensor(0, "x"));
  return {{places(c, x, o.tensor(o.get(1, "bins"), c.b.dtype(x)), true)}};
}

Flows search_sorted(Call& c) {
  const Operands o(c);
  const auto [edges, x] = o.pair(0, "sorted_sequence", "values");
  if (c.b.rank(edges) != 1) return c.unsupported("a sequence of several rows");
  return {{places(c, x, edges, o.text("side", "left") == "right")}};
}

Flows is_in(Call& c) {
  const Operands o(c);
  const auto [x, set] = o.pair(0, "x1", "x2");
  const ValueId equal = c.emit("Equal", {unsqueeze(c.b, x, {c.b.rank(x)}), c.b.reshape(set, {-1})});
  const ValueId any = c.emit("ReduceMax", {equal, c.b.ints({int64_t(c.b.rank(x))})}, attributes({{"keepdims", int64_t(0)}}));
  return {{o.flag("invert", false) ? c.emit("Not", {any}) : any}};
}

// How often each number from 0 on is in a row: as many as the largest needs, and `minlength` at least.
Flows bin_count(Call& c) {
  const Operands o(c);
  const ValueId x = c.b.cast(o.tensor(0, "x"), DType::i64);
  if (o.flag("sparse", false)) return c.unsupported("a sparse result");
  const ValueId most = c.emit("Add", {c.emit("ReduceMax", {x}, attributes({{"keepdims", int64_t(0)}})), c.b.scalar(Int(1))});
  const ValueId n = c.emit("Max", {most, c.b.scalar(Int(o.integer("minlength", 0)))});
  const Argument weights = o.get(1, "weights");
  const int rank = c.b.rank(x);
  const ValueId numbers = c.emit("Range", {c.b.scalar(Int(0)), n, c.b.scalar(Int(1))});
  ValueId hits = c.emit("Equal", {unsqueeze(c.b, x, {rank}), numbers});  // [..., place, number]
  hits = c.b.cast(hits, DType::i32);
  if (!weights.is_none()) {
    const ValueId w = o.tensor(weights);
    hits = c.emit("Mul", {c.b.cast(hits, c.b.dtype(w)), unsqueeze(c.b, w, {rank})});
  }
  return {{c.emit("ReduceSum", {hits, c.b.ints({rank - 1})}, attributes({{"keepdims", int64_t(0)}}))}};
}

// Where it is not zero: an index for each axis.
Flows nonzero(Call& c) {
  const ValueId x = c.b.cast(Operands(c).tensor(0, "x"), DType::boolean);
  const int rank = c.b.rank(x);
  const ValueId all = c.b.cast(c.emit("NonZero", {x}), DType::i32);  // [rank, n]
  Flows out;
  for (int64_t i = 0; i < rank && c.b.ok(); ++i) out.push_back({squeeze(c.b, slice(c.b, all, 0, i, i + 1), {0})});
  return out;
}

constexpr LayerRow kScatterRows[] = {
    {"ops.Scatter tf.scatter_nd", scatter},
    {"ops.ScatterUpdate", scatter_update},
    {"tf.tensor_scatter_nd_update", tensor_scatter<"none">},
    {"tf.tensor_scatter_nd_add", tensor_scatter<"add">},
    {"tf.tensor_scatter_nd_max", tensor_scatter<"max">},
    {"tf.tensor_scatter_nd_min", tensor_scatter<"min">},
    {"ops.SliceUpdate", slice_update},
    {"ops.SegmentReduction ops.SegmentSum ops.SegmentMax ops.SegmentMin ops.SegmentProd", segments},
    {"ops.InTopK", in_top_k},
    {"ops.Digitize", digitize},
    {"ops.SearchSorted tf.searchsorted", search_sorted},
    {"ops.IsIn", is_in},
    {"ops.Bincount", bin_count},
    {"ops.Nonzero", nonzero},
};

}  // namespace

std::span<const LayerRow> scatter_operations() { return kScatterRows; }

}  // namespace tern::keras
