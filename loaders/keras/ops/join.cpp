// Tensors joined and cut: concatenate, stack, split, x[…], take. See ops.h. Next: product.cpp.
#include <algorithm>

#include "loaders/keras/ops/ops.h"

namespace tern::keras {
namespace {

using Kind = Argument::Kind;

constexpr const char* kJoinX = "x|xs|values|value|input|tensor|params|inputs|arrays";

Flows concatenate(Call& c) {
  const Operands o(c);
  const std::vector<ValueId> all = o.promoted(o.tensors(0, kJoinX));
  const int64_t axis = o.integer("axis|concat_dim", c.layer.class_name == "tf.concat" ? -1 : 0, 1);
  return {{concat(c.b, all, c.axis(axis, c.b.rank(all[0])))}};
}

Flows append(Call& c) {
  const Operands o(c);
  std::vector<ValueId> all = o.promoted({o.tensor(0, "x1"), o.tensor(1, "x2")});
  const Argument axis = o.get(kNamed, "axis");
  for (ValueId& v : all) v = axis.is_none() ? c.b.reshape(v, {-1}) : v;
  return {{concat(c.b, all, axis.is_none() ? 0 : c.axis(axis.integer, c.b.rank(all[0])))}};
}

Flows stack(Call& c) {
  const Operands o(c);
  std::vector<ValueId> all = o.promoted(o.tensors(0, kJoinX));
  const int axis = c.axis(o.integer("axis", 0, 1), c.b.rank(all[0]) + 1);
  for (ValueId& v : all) v = unsqueeze(c.b, v, {axis});
  return {{concat(c.b, all, axis)}};
}

// hstack along axis 1 (0 of vectors), vstack along 0 of matrices.
Flows hstack(Call& c) {
  const Operands o(c);
  const std::vector<ValueId> all = o.promoted(o.tensors(0, kJoinX));
  return {{concat(c.b, all, c.b.rank(all[0]) > 1 ? 1 : 0)}};
}
Flows vstack(Call& c) {
  const Operands o(c);
  std::vector<ValueId> all = o.promoted(o.tensors(0, kJoinX));
  for (ValueId& v : all) v = c.b.rank(v) == 1 ? unsqueeze(c.b, v, {0}) : v;
  return {{concat(c.b, all, 0)}};
}

// Along the third axis, which vectors and matrices get.
Flows dstack(Call& c) {
  const Operands o(c);
  std::vector<ValueId> all = o.promoted(o.tensors(0, kJoinX));
  for (ValueId& v : all) {
    if (c.b.rank(v) == 1) v = unsqueeze(c.b, v, {0});
    if (c.b.rank(v) == 2) v = unsqueeze(c.b, v, {2});
  }
  return {{concat(c.b, all, 2)}};
}

std::vector<ValueId> parts(Call& c, ValueId x, int axis, const std::vector<int64_t>& sizes) {
  if (!c.b.ok() || sizes.size() > 4096) return c.invalid("too many parts"), std::vector<ValueId>();
  if (sizes.size() == 1) return {x};
  return c.b.emit("Split", {x, c.b.ints(sizes)}, attributes({{"axis", int64_t(axis)}}), sizes.size());
}

Flows flows(const std::vector<ValueId>& values) {
  Flows out;
  for (ValueId v : values) out.push_back({v});
  return out;
}

// Into equal parts, or at places (keras.ops), or of sizes (tf).
template <int otherwise>
Flows split(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kJoinX);
  const int axis = c.axis(o.integer("axis", otherwise, 2), c.b.rank(x));
  const Argument how = o.get(1, "indices_or_sections|num_or_size_splits");
  const int64_t n = c.known_size(x, axis);
  if (!c.b.ok()) return {};
  std::vector<int64_t> sizes;
  if (how.is(Kind::integer)) {
    const bool nearly = c.layer.class_name == "ops.ArraySplit";  // the first ones are longer by one
    if (how.integer < 1 || (!nearly && n % how.integer != 0) || how.integer > 4096)
      return c.invalid("an axis of " + std::to_string(n) + " has no such equal parts");
    for (int64_t i = 0; i < how.integer; ++i) sizes.push_back(n / how.integer + (i < n % how.integer ? 1 : 0));
  } else if (c.layer.class_name.starts_with("tf.")) {
    sizes = o.ints("num_or_size_splits", 1);
    int64_t known = 0;
    for (int64_t s : sizes) known += std::max<int64_t>(s, 0);
    for (int64_t& s : sizes) s = s < 0 ? n - known : s;
  } else {
    int64_t begin = 0;
    for (int64_t end : o.ints("indices_or_sections")) {
      end = std::clamp<int64_t>(end < 0 ? end + n : end, begin, n);
      sizes.push_back(end - begin);
      begin = end;
    }
    sizes.push_back(n - begin);
  }
  return flows(parts(c, x, axis, sizes));
}

Flows unstack(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, kJoinX);
  const int axis = c.axis(o.integer("axis", 0), c.b.rank(x));
  const int64_t n = c.known_size(x, axis);
  if (n > 4096) return c.invalid("too many parts");
  Flows out;
  for (int64_t i = 0; i < n && c.b.ok(); ++i)
    out.push_back({c.emit("Gather", {x, c.b.constant(Tensor::scalar(i))}, attributes({{"axis", int64_t(axis)}}))});
  return out;
}

// ---- x[…]

class Subscript {
 public:
  Subscript(const Operands& o, ValueId x) : o_(o), b_(o.b), x_(x) {}

  ValueId apply(const std::vector<Argument>& items) {
    size_t named = 0;
    for (const Argument& item : items) named += !item.is_none() && !item.is(Kind::ellipsis);
    for (const Argument& item : items) {
      if (!b_.ok()) return kNone;
      const int rank = b_.rank(x_);
      if (item.is_none()) {
        x_ = unsqueeze(b_, x_, {axis_++});
      } else if (item.is(Kind::ellipsis)) {
        axis_ = rank - static_cast<int>(named);
      } else if (axis_ >= rank || axis_ < 0) {
        return b_.fail(invalid("more indices than axes"));
      } else {
        --named;
        one(item);
      }
    }
    return x_;
  }

 private:
  void one(const Argument& item) {
    if (item.is(Kind::slice)) {
      cut(item);
      ++axis_;
    } else if (item.is(Kind::integer) || (item.is(Kind::tensor) && b_.rank(item.flow.value) == 0)) {
      const ValueId at = item.is(Kind::integer) ? b_.constant(Tensor::scalar(item.integer)) : item.flow.value;
      x_ = b_.emit("Gather", {x_, at}, attributes({{"axis", int64_t(axis_)}}));
    } else if ((item.is(Kind::tensor) || item.is(Kind::list)) && !gathered_) {  // one list of places; several would meet each other
      gathered_ = true;
      const ValueId at = o_.tensor(item);
      if (!is_int(b_.dtype(at))) b_.fail(unsupported("indexing with a mask is not supported"));
      x_ = b_.emit("Gather", {x_, at}, attributes({{"axis", int64_t(axis_)}}));
      axis_ += b_.rank(at);
    } else {
      b_.fail(unsupported("indexing with several lists is not supported"));
    }
  }

  void cut(const Argument& s) {
    const Argument &start = s.items[0], &stop = s.items[1], &step = s.items[2];
    if (!step.is_none() && !step.is(Kind::integer)) return void(b_.fail(unsupported("a computed step is not supported")));
    const int64_t by = step.is_none() ? 1 : step.integer;
    if (by == 0) return void(b_.fail(invalid("a slice with step 0")));
    if (start.is_none() && stop.is_none() && by == 1) return;
    const Int from = start.is_none() ? Int(by > 0 ? 0 : INT64_MAX) : o_.size(start);
    const Int to = stop.is_none() ? Int(by > 0 ? INT64_MAX : INT64_MIN) : o_.size(stop);
    x_ = b_.emit("Slice", {x_, b_.ints(std::vector<Int>{from}), b_.ints(std::vector<Int>{to}), b_.ints({axis_}), b_.ints({by})});
  }

  const Operands& o_;
  GraphBuilder& b_;
  ValueId x_;
  int axis_ = 0;
  bool gathered_ = false;
};

Flows getitem(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "x|tensor");
  const Argument key = o.get(1, "key|slice_spec");
  Subscript subscript(o, x);
  return {{subscript.apply(key.is(Kind::list) ? key.items : std::vector<Argument>{key})}};
}

// start_indices, and the shape that is cut out; -1 in tf.slice: to the end.
Flows cut_out(Call& c) {
  const Operands o(c);
  const ValueId x = o.tensor(0, "inputs|input_|x");
  const std::vector<Int> begin = o.sizes("start_indices|begin", 1), size = o.sizes("shape|size", 2);
  std::vector<Int> end;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < begin.size() && i < size.size(); ++i) {
    axes.push_back(static_cast<int64_t>(i));
    end.push_back(size[i].known() && size[i].value() < 0 ? Int(INT64_MAX) : c.b.add(begin[i], size[i]));
  }
  if (axes.size() != begin.size()) return c.invalid("its shape has other axes than its begin");
  return {{c.emit("Slice", {x, c.b.ints(begin), c.b.ints(end), c.b.ints(axes)})}};
}

// ---- places

Flows take(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kJoinX);
  const ValueId at = o.tensor(1, "indices");
  if (const int64_t batch = o.integer("batch_dims", 0); batch != 0) {
    const ValueId axis = o.has("axis") ? o.tensor(kNamed, "axis") : c.b.constant(Tensor::scalar(batch));
    return {{by_tensorflow(c, "GatherV2", {x, at, axis}, {{"batch_dims", batch}})[0].value}};
  }
  const Argument axis = o.get(kNamed, "axis");
  if (axis.is_none() && c.layer.class_name == "ops.Take") x = c.b.reshape(x, {-1});
  const int64_t a = axis.is_none() ? 0 : c.axis(axis.integer, c.b.rank(x));
  return {{c.emit("Gather", {x, is_int(c.b.dtype(at)) ? at : c.b.cast(at, DType::i32)}, attributes({{"axis", a}}))}};
}

// v, repeated along the axes but `axis` where `like` has more.
ValueId widened(const Call& c, ValueId v, ValueId like, int64_t axis) {
  std::vector<Int> sizes = sizes_of(c.b, like), own = sizes_of(c.b, v);
  if (!c.b.ok()) return kNone;
  sizes[static_cast<size_t>(axis)] = own[static_cast<size_t>(axis)] = 1;
  const auto same = [](const Int& p, const Int& q) { return p.node == kNone && q.node == kNone && p.dim == q.dim; };
  if (std::equal(sizes.begin(), sizes.end(), own.begin(), own.end(), same)) return v;
  return c.emit("Expand", {v, c.b.ints(sizes)});
}

// Like NumPy's: the axes besides are broadcast, and a place below 0 counts from the end.
Flows take_along_axis(Call& c) {
  const Operands o(c);
  ValueId x = o.tensor(0, kJoinX), at = o.tensor(1, "indices");
  const Argument axis = o.get(kNamed, "axis");
  if (axis.is_none()) x = c.b.reshape(x, {-1}), at = c.b.reshape(at, {-1});
  const int64_t a = axis.is_none() ? 0 : c.axis(axis.integer, c.b.rank(x));
  if (c.b.rank(at) != c.b.rank(x)) return c.invalid("its indices have other axes than its input");
  return {{c.emit("GatherElements", {widened(c, x, at, a), widened(c, at, x, a)}, attributes({{"axis", a}}))}};
}

Flows gather_nd(Call& c) {
  const Operands o(c);
  return {{c.emit("GatherND", {o.tensor(0, kJoinX), c.b.cast(o.tensor(1, "indices"), DType::i64)},
                  attributes({{"batch_dims", o.integer("batch_dims", 0)}}))}};
}

constexpr LayerRow kJoinRows[] = {
    {"ops.Concatenate tf.concat", concatenate},
    {"ops.Append", append},
    {"ops.Stack tf.stack", stack},
    {"ops.Hstack", hstack},
    {"ops.Vstack", vstack},
    {"ops.Dstack", dstack},
    {"ops.Split ops.ArraySplit ops.Vsplit tf.split", split<0>},
    {"ops.Hsplit", split<1>},
    {"ops.Dsplit", split<2>},
    {"ops.Unstack tf.unstack", unstack},
    {"ops.GetItem tf.__operators__.getitem", getitem},
    {"ops.Slice tf.slice", cut_out},
    {"ops.Take tf.gather tf.compat.v1.gather", take},
    {"ops.TakeAlongAxis", take_along_axis},
    {"tf.gather_nd tf.compat.v1.gather_nd", gather_nd},
};

}  // namespace

std::span<const LayerRow> join_operations() { return kJoinRows; }

}  // namespace tern::keras
