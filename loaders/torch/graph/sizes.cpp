// Sizes while a graph is built: known numbers stay numbers, symbols of the inputs' shapes stay linear expressions, and what is neither is
// computed by nodes on i64 scalars. See builder.h.
#include <algorithm>

#include "loaders/torch/graph/builder.h"

namespace tern::torch {

bool Builder::resolvable(const Dim& dim) const {
  return std::all_of(dim.terms().begin(), dim.terms().end(), [&](const auto& term) { return symbols_.contains(term.first); });
}

Int Builder::size(ValueId v, int axis) {
  if (!ok() || axis < 0 || axis >= rank(v)) return 0;
  const Dim& d = shape(v)[axis];
  if (resolvable(d)) return d;
  Attributes attrs;
  attrs.set("start", int64_t(axis));
  attrs.set("end", int64_t(axis + 1));
  return Int::computed(emit("Squeeze", {emit("Shape", {v}, std::move(attrs)), ints(std::vector<int64_t>{0})}));
}

// An input's dimension may be coefficient * symbol + constant.
ValueId Builder::symbol(const std::string& name) {
  if (auto known = symbol_values_.find(name); known != symbol_values_.end()) return known->second;
  const Origin origin = symbols_.find(name)->second;
  const Dim dim = shape(origin.input)[origin.axis];
  Attributes attrs;
  attrs.set("start", int64_t(origin.axis));
  attrs.set("end", int64_t(origin.axis + 1));
  ValueId v = emit("Shape", {origin.input}, std::move(attrs));
  if (dim.constant() != 0) v = emit("Sub", {v, ints(std::vector<int64_t>{dim.constant()})});
  if (dim.terms()[0].second != 1) v = emit("Div", {v, ints(std::vector<int64_t>{dim.terms()[0].second})});
  symbol_values_.emplace(name, v);
  return v;
}

ValueId Builder::vector(const Int& value) {
  if (value.node != kNone) return emit("Unsqueeze", {value.node, ints(std::vector<int64_t>{0})});
  if (value.known()) return ints(std::vector<int64_t>{value.value()});
  ValueId sum = kNone;
  for (const auto& [name, coefficient] : value.dim.terms()) {
    ValueId term = symbol(name);
    if (coefficient != 1) term = emit("Mul", {term, ints(std::vector<int64_t>{coefficient})});
    sum = sum == kNone ? term : emit("Add", {sum, term});
  }
  return value.dim.constant() == 0 ? sum : emit("Add", {sum, ints(std::vector<int64_t>{value.dim.constant()})});
}

ValueId Builder::scalar(const Int& value) {
  if (value.node != kNone) return value.node;
  if (value.known()) return constant(tern::Tensor::scalar(value.value()));
  return emit("Squeeze", {vector(value), ints(std::vector<int64_t>{0})});
}

ValueId Builder::ints(const std::vector<Int>& values) {
  if (!ok()) return kNone;
  std::vector<ValueId> pieces;
  std::vector<int64_t> run;  // known ones side by side are one constant
  for (const Int& value : values) {
    if (value.known()) {
      run.push_back(value.value());
      continue;
    }
    if (!run.empty()) pieces.push_back(ints(run));
    run.clear();
    pieces.push_back(vector(value));
  }
  if (!run.empty() || pieces.empty()) pieces.push_back(ints(run));
  if (pieces.size() == 1) return pieces[0];
  Attributes attrs;
  attrs.set("axis", int64_t(0));
  return emit("Concat", std::move(pieces), std::move(attrs));
}

Int Builder::binary(const char* op, const Int& a, const Int& b) {
  const ValueId v = emit(op, {scalar(a), scalar(b)});
  if (v == kNone) return 0;
  const auto& known = graph_.value(v).ints;  // inference may know better
  if (known && known->size() == 1 && resolvable((*known)[0])) return (*known)[0];
  return Int::computed(v);
}

Int Builder::add(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::add(a.dim, b.dim)) return *d;
  }
  return binary("Add", a, b);
}

Int Builder::sub(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::sub(a.dim, b.dim)) return *d;
  }
  return binary("Sub", a, b);
}

Int Builder::mul(const Int& a, const Int& b) {
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::mul(a.dim, b.dim)) return *d;
  }
  return binary("Mul", a, b);
}

Int Builder::floor_div(const Int& a, const Int& b) {
  if (b.known() && b.value() == 0) {
    fail(invalid("an integer is divided by zero"));
    return 0;
  }
  if (a.node == kNone && b.node == kNone) {
    if (auto d = tern::div(a.dim, b.dim)) return *d;
  }
  // Div truncates; what is left after taking the remainder off divides evenly.
  return binary("Div", sub(a, mod(a, b)), b);
}

Int Builder::mod(const Int& a, const Int& b) {
  if (b.known() && b.value() == 0) {
    fail(invalid("an integer is divided by zero"));
    return 0;
  }
  if (a.known() && b.known() && b.value() != -1) {
    const int64_t r = a.value() % b.value();
    return r != 0 && (r < 0) != (b.value() < 0) ? r + b.value() : r;
  }
  if (b.known() && (b.value() == 1 || b.value() == -1)) return 0;
  return binary("Mod", a, b);
}

// A shape with one open dimension is a constant with -1, when the elements say that -1 is just that: such a reshape needs no nodes to
// compute its shape.
ValueId Builder::reshape(ValueId v, const std::vector<Int>& sizes) {
  if (!ok()) return kNone;
  size_t open = 0, missing = 0;
  bool zero = false;
  for (const Int& s : sizes) {
    open += !s.known();
    missing += s.known() && s.value() == -1;
    zero |= s.known() && s.value() == 0;
  }
  Attributes attrs;
  if (zero) attrs.set("allowzero", int64_t(1));
  if (open == 1 && missing == 0 && !zero) {
    std::vector<Dim> from = shape(v).dims();
    std::optional<Dim> rest = Dim(1), want;
    for (const Int& s : sizes) {
      if (s.known()) {
        rest = tern::mul(*rest, s.dim);
        if (!rest) break;
      } else if (s.node == kNone) {
        want = s.dim;
      }
    }
    std::optional<Dim> whole = Dim(1);
    for (const Dim& d : from) whole = whole ? tern::mul(*whole, d) : whole;
    auto made = rest && want ? tern::mul(*rest, *want) : std::nullopt;
    if (whole && made && *whole == *made) {
      std::vector<int64_t> known;
      for (const Int& s : sizes) known.push_back(s.known() ? s.value() : -1);
      return emit("Reshape", {v, ints(known)}, std::move(attrs));
    }
  }
  return emit("Reshape", {v, ints(sizes)}, std::move(attrs));
}

}  // namespace tern::torch
