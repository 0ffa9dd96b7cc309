// The shared mechanics of inferring and binding one operator. See op.h.
#include "kernels/op.h"

#include "runtime/base/checked.h"

namespace tern {

std::string TypeInfo::text() const {
  return (kind == ValueKind::tensor ? std::string() : std::string(tern::name(kind)) + " of ") + tern::name(dtype) + shape.text();
}

std::optional<SymbolicInts> InferContext::ints(size_t i) const {
  if (!has(i)) return std::nullopt;
  if (inputs[i].ints != nullptr) return *inputs[i].ints;
  if (inputs[i].value == nullptr || inputs[i].value->count() > kMaxInts) return std::nullopt;
  auto known = as_ints(inputs[i].value->view());
  if (!known) return std::nullopt;
  return SymbolicInts(known->begin(), known->end());
}

std::optional<std::vector<int64_t>> InferContext::known_ints(size_t i) const {
  auto symbols = ints(i);
  if (!symbols) return std::nullopt;
  std::vector<int64_t> out;
  for (const Dim& d : *symbols) {
    if (!d.known()) return std::nullopt;
    out.push_back(d.value());
  }
  return out;
}

int64_t work_of(const OpDef& op, const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView> out) {
  int64_t elements = 0;
  bool any = false;
  for (auto views : {in, out}) {
    for (const TensorView& v : views) elements = v.present() ? checked_add(elements, v.count()).value_or(INT64_MAX) : elements;
  }
  for (const TensorView& y : out) any = any || (y.present() && y.count() > 0);
  if (!any) return 0;
  auto weighed = [](int64_t n) { return checked_mul(n, 8).value_or(INT64_MAX); };
  int64_t most = op.view ? 0 : weighed(elements);
  const bool fast = !out.empty() && out[0].dtype == DType::f32;
  if (op.macs != nullptr) most = std::max(most, fast ? op.macs(attrs, in, out) : weighed(op.macs(attrs, in, out)));
  if (op.steps != nullptr) most = std::max(most, weighed(op.steps(attrs, in, out)));
  return most;
}

bool requires_input(const OpDef& op, size_t i) { return op.inputs.max < 0 || i < static_cast<size_t>(op.inputs.min); }

bool requires_output(const OpDef& op, size_t o) { return o < static_cast<size_t>(op.outputs.min) && (o >= 32 || !(op.optional_outputs >> o & 1)); }

namespace {

// What value_inputs says of input i, which is there; count < 0: not known.
Status check_value_input(const OpDef& op, size_t i, DType dtype, std::optional<int> rank, int64_t count) {
  const ValueInputs& v = op.value_inputs;
  const uint32_t bit = 1u << i;
  const bool integers = (v.ints | v.integer) & bit, one = (v.integer | v.number | v.boolean) & bit;
  const bool fits = integers          ? dtype == DType::i32 || dtype == DType::i64
                    : v.boolean & bit ? dtype == DType::boolean
                    : v.floats & bit  ? dtype == DType::f16 || dtype == DType::f32 || dtype == DType::f64
                                      : is_number(dtype);
  const std::string where = "input " + std::to_string(i);
  if (!fits) {
    const char* expected = integers ? "i32 or i64" : v.boolean & bit ? "bool" : v.floats & bit ? "f16, f32 or f64" : "a number";
    return invalid(where + " is " + name(dtype) + ", it must be " + expected);
  }
  if (rank && *rank > 1) return invalid(where + " has " + std::to_string(*rank) + " dimensions, it must be " + (one ? "one element" : "a list"));
  if (one && count >= 0 && count != 1) return invalid(where + " has " + std::to_string(count) + " elements, it must be one");
  return {};
}

Status check_inputs(const OpDef& op, const InferContext& c) {
  for (size_t i = 0; i < std::max(c.inputs.size(), static_cast<size_t>(op.inputs.min)); ++i) {
    if (!c.has(i)) {
      if (requires_input(op, i)) return invalid("input " + std::to_string(i) + " is required");
      continue;
    }
    const InferContext::Input& in = c.inputs[i];
    if (in.type.kind != ValueKind::tensor && !op.any_kind) {
      return invalid("input " + std::to_string(i) + " is " + (in.type.kind == ValueKind::sequence ? "a " : "an ") + name(in.type.kind) +
                     ", it must be a tensor");
    }
    if (!op.value_inputs.has(i)) continue;
    std::optional<int> rank = in.type.shape.ranked() ? std::optional(in.type.shape.rank()) : std::nullopt;
    int64_t count = rank == 0 ? 1 : rank == 1 && in.type.shape[0].known() ? in.type.shape[0].value() : -1;
    if (in.ints != nullptr) count = static_cast<int64_t>(in.ints->size());
    if (in.value != nullptr) {
      rank = in.value->dims().rank;
      count = in.value->count();
    }
    if (Status s = check_value_input(op, i, in.type.dtype, rank, count); !s) return s;
  }
  return {};
}

}  // namespace

Status infer_op(const OpDef& op, InferContext& c) {
  if (Status s = check_inputs(op, c); !s) return s;
  if (Status s = op.infer(c); !s) return s;
  for (const TypeInfo& y : c.outputs) {
    if (y.shape.rank() > kMaxRank) {
      return unsupported("the output shape " + y.shape.text() + " has " + std::to_string(y.shape.rank()) + " dimensions, at most " +
                         std::to_string(kMaxRank) + " are supported");
    }
    for (const Dim& d : y.shape.dims()) {
      if (d.known() && d.value() < 0) return invalid("the output shape " + y.shape.text() + " has a negative dimension");
    }
  }
  return {};
}

Result<Binding> bind_op(const OpDef& op, const BindRequest& request) {
  BindContext c(request, op.kernels);
  for (size_t i = 0; i < std::max(c.inputs.size(), static_cast<size_t>(op.inputs.min)); ++i) {
    if (!c.has(i)) {
      if (requires_input(op, i)) return invalid("input " + std::to_string(i) + " is required");
      continue;
    }
    if (!op.value_inputs.has(i)) continue;
    const TensorView& in = c.in(i);
    if (!in.known) return unsupported("input " + std::to_string(i) + " must be known before the run");
    if (Status s = check_value_input(op, i, in.dtype, in.dims.rank, in.count()); !s) return s.error();
  }
  for (size_t o = 0; o < static_cast<size_t>(op.outputs.min); ++o) {
    if (requires_output(op, o) && !c.has_out(o)) return invalid("output " + std::to_string(o) + " is required");
  }
  bool any = false;
  for (const TensorView& y : c.outputs) any = any || (y.present() && y.count() > 0);
  if (!any) return Binding();
  auto is_string = [](const TensorView& v) { return v.present() && v.dtype == DType::string; };
  if (c.isa == Isa::cuda &&
      (std::any_of(c.inputs.begin(), c.inputs.end(), is_string) || std::any_of(c.outputs.begin(), c.outputs.end(), is_string))) {
    return unsupported("strings stay on the CPU");
  }
  if (Status s = op.bind(c); !s) return s.error();
  return std::move(c).finish();
}

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b, InferContext& c) {
  if (!a.ranked() || !b.ranked()) return Shape();
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape out = longer;
  for (int i = 0; i < shorter.rank(); ++i) {
    Dim& n = out[longer.rank() - shorter.rank() + i];
    const Dim& m = shorter[i];
    if (n == m || m.is(1)) continue;
    if (n.is(1)) {
      n = m;
    } else if (n.known() && m.known()) {
      return invalid("shapes " + a.text() + " and " + b.text() + " do not broadcast");
    } else if (m.known()) {
      n = m;  // a symbol against a number above one: it must equal it, or be 1
    } else if (!n.known()) {
      n = c.fresh();
    }
  }
  return out;
}

Status infer_same(InferContext& c) {
  if (!c.outputs.empty()) c.outputs[0] = c.inputs[0].type;
  return {};
}

Error bad_dtype(DType t) { return unsupported(std::string(name(t)) + " inputs are not supported"); }

}  // namespace tern
