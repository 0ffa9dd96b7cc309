// The shared mechanics of inferring and binding one operator. See op.h.
#include "kernels/op.h"

#include "runtime/base/checked.h"

namespace tern {

const KernelRow* pick(std::span<const KernelRow> rows, DType dtype, Isa cap) {
  const KernelRow* best = nullptr;
  for (const KernelRow& r : rows) {
    if (r.dtype == dtype && r.isa <= cap && (best == nullptr || r.isa > best->isa)) best = &r;
  }
  return best;
}

std::optional<SymbolicInts> InferContext::ints(size_t i) const {
  if (!has(i)) return std::nullopt;
  if (inputs[i].ints != nullptr) return *inputs[i].ints;
  if (inputs[i].value == nullptr) return std::nullopt;
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

std::optional<std::vector<int64_t>> BindContext::ints(size_t i) const {
  if (!has(i) || !in(i).known) return std::nullopt;
  return as_ints(in(i));
}

BindContext::Range BindContext::range(int64_t total, int64_t grain) {
  split_ = true;
  const int64_t grains = ceil_div(total, grain);
  return {std::min(total, grains * part / parts * grain), std::min(total, grains * (part + 1) / parts * grain)};
}

std::byte* BindContext::take_table(int64_t bytes) {
  const int64_t at = table_bytes_;
  table_bytes_ += round_up(bytes, kAlignment);
  if (!measuring()) return memory_.tables + at;
  measured_.push_back(allocate_aligned(static_cast<size_t>(bytes)));
  return measured_.back().get();
}

std::byte* BindContext::take_workspace(int64_t bytes) {
  const int64_t at = workspace_bytes_;
  workspace_bytes_ += round_up(bytes, kAlignment);
  return memory_.workspace == nullptr ? nullptr : memory_.workspace + at;
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
  c.set(0, c.dtype(0), c.shape(0));
  return {};
}

Error bad_dtype(DType t) { return unsupported(std::string(name(t)) + " inputs are not supported"); }

}  // namespace tern
