// Which layouts operators that are computed element by element take and give: layouts.h.
#include "kernels/conv/map_blocks.h"
#include "kernels/epilogue.h"

namespace tern {
namespace {

bool may_be_blocked(const TypeInfo* t, int64_t fewest) {
  if (t == nullptr || t->dtype != DType::f32 || !t->shape.known() || (t->shape.rank() != 3 && t->shape.rank() != 4)) return false;
  const Dims d = t->shape.concrete();
  return d.count() > 0 && d[1] >= fewest;
}

// One element, or one a channel of y, or of each of its images.
bool is_of_channels(const LayoutQuery& q, size_t i) {
  if (!q.has(i) || !q.inputs[i].type->shape.known()) return false;
  const Dims d = q.x(i), y = q.y();
  if (d.count() == 1 && d.rank <= y.rank) return true;
  const int axis = d.rank - y.rank + 1;
  if (axis < 0 || axis > 1 || d[axis] != y[1]) return false;
  return d.count() == y[1] * (axis == 1 ? d[0] : 1);
}

// A map of two, of which the first is like y; or the second, where it is the same with them swapped.
std::optional<LayoutForm> pair(const LayoutQuery& q, bool commutative) {
  if (!q.suits_output() || q.inputs.size() != 2) return std::nullopt;
  const size_t first = commutative && !q.like_y(0) ? 1 : 0, second = 1 - first;
  if (!q.like_y(first) || (!q.like_y(second) && !is_of_channels(q, second))) return std::nullopt;
  LayoutForm f = map_form("map", std::string(q.op.name));
  f.takes = {Takes::blocked, Takes::blocked};
  if (!q.suits(second) || q.x(second) != q.y()) f.takes[second] = Takes::plain;
  f.inputs = {first, second};
  return f;
}

}  // namespace

bool LayoutQuery::suits(size_t i) const { return has(i) && inputs[i].value == nullptr && may_be_blocked(inputs[i].type, kBlock); }
bool LayoutQuery::suits_output(size_t o, int64_t fewest) const { return o < outputs.size() && may_be_blocked(outputs[o], fewest); }
std::optional<std::vector<int64_t>> LayoutQuery::ints(size_t i) const {
  return has(i) && inputs[i].value != nullptr ? as_ints(inputs[i].value->view()) : std::nullopt;
}

LayoutForm map_form() {
  LayoutForm f;
  f.takes = {Takes::blocked};
  f.gives = true;
  f.op = &kMapBlocks;
  f.inputs = {0};
  return f;
}
LayoutForm map_form(std::string attribute, Attributes::Value value) {
  LayoutForm f = map_form();
  f.attrs.set(std::move(attribute), std::move(value));
  return f;
}
Attributes some_channels(int64_t first, int64_t channels) {
  Attributes attrs;
  attrs.set("first", first);
  attrs.set("channels", channels);
  return attrs;
}

std::optional<LayoutForm> activation_layouts(const LayoutQuery& q) {
  const auto spec = q.suits_output() && q.like_y(0) ? q.op.activation(q) : std::nullopt;
  if (!spec) return std::nullopt;
  LayoutForm f = map_form();
  f.attrs = as_attributes(q, *spec);
  return f;
}

std::optional<LayoutForm> pair_layouts(const LayoutQuery& q) { return pair(q, false); }
std::optional<LayoutForm> commutative_layouts(const LayoutQuery& q) { return pair(q, true); }

LastForm takes_last(const LayoutQuery& q, std::vector<size_t> inputs) {
  LastForm f;
  f.takes = std::move(inputs);
  f.op = &q.op;
  f.attrs = q.given;
  return f;
}
std::optional<LastForm> map_channels_last(const LayoutQuery& q) { return takes_last(q, {0}); }

}  // namespace tern
