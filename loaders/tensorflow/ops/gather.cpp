// Reading by index. See operator.h. Next: scatter.cpp.
#include "loaders/tensorflow/ops/complex.h"

namespace tern::tensorflow {
namespace {

// Indices are i32 or i64.
ValueId index_of(Call& c, size_t i) {
  const ValueId v = c.tensor(i);
  return is_int(c.b.dtype(v)) && size_of(c.b.dtype(v)) < 4 ? c.b.cast(v, DType::i32) : v;
}

// x [batch.., before.., n, behind..] by indices [batch.., k..] along the axis of n: [batch.., before.., k.., behind..]
ValueId batched_gather(Call& c, ValueId x, ValueId indices, int axis, int batch) {
  GraphBuilder& b = c.b;
  const int rank = b.rank(x), places = b.rank(indices) - batch;
  if (!b.ok()) return kNone;
  if (batch > axis || places < 0) return b.fail(invalid("batch_dims is " + std::to_string(batch))), kNone;
  std::vector<int64_t> order;  // the axis right behind the batch
  for (int i = 0; i < rank; ++i) {
    if (i != axis) order.push_back(i);
  }
  order.insert(order.begin() + batch, axis);
  const ValueId y = b.emit("GatherND", {permute(b, x, order), unsqueeze(b, indices, {batch + places})}, attributes({{"batch_dims", int64_t(batch)}}));
  std::vector<int64_t> back;  // [batch.., k.., before.., behind..] with before in front of k
  const int before = axis - batch;
  for (int i = 0; i < batch; ++i) back.push_back(i);
  for (int i = 0; i < before; ++i) back.push_back(batch + places + i);
  for (int i = 0; i < places; ++i) back.push_back(batch + i);
  for (int i = axis + 1; i < rank; ++i) back.push_back(i - 1 + places);
  return permute(b, y, back);
}

ValueId gathered(Call& c, ValueId x, ValueId indices, int64_t axis, int64_t batch_dims) {
  GraphBuilder& b = c.b;
  const int along = axis_of(c, axis, b.rank(x));
  const int64_t batch = batch_dims < 0 ? batch_dims + b.rank(indices) : batch_dims;
  if (!b.ok()) return kNone;
  if (batch < 0 || batch > b.rank(indices)) return b.fail(invalid("batch_dims is " + std::to_string(batch_dims))), kNone;
  if (batch > 0) return batched_gather(c, x, indices, along, static_cast<int>(batch));
  return b.emit("Gather", {x, indices}, attributes({{"axis", int64_t(along)}}));
}

Values gather(Call& c) { return {gathered(c, c.tensor(0), index_of(c, 1), 0, 0)}; }

Values gather_v2(Call& c) {
  const int64_t batch = c.integer("batch_dims", 0);
  int64_t axis = known_int(c, 2);
  return {gathered(c, c.tensor(0), index_of(c, 1), axis, batch)};
}

Values resource_gather(Call& c) {
  const int64_t batch = c.integer("batch_dims", 0);
  return {gathered(c, c.variable(0), index_of(c, 1), batch, batch)};
}

Values gather_nd_of(Call& c, ValueId x) {
  if (const std::string policy = c.string("bad_indices_policy", ""); policy == "IGNORE")
    return c.fail(unsupported("bad_indices_policy IGNORE is not supported"));
  return {c.b.emit("GatherND", {x, c.b.cast(c.tensor(1), DType::i64)})};
}
Values gather_nd(Call& c) { return gather_nd_of(c, c.tensor(0)); }
Values resource_gather_nd(Call& c) { return gather_nd_of(c, c.variable(0)); }

constexpr Operator kGatherRows[] = {
    {"Gather", nullptr, each_part<gather>},      {"GatherV2", nullptr, each_part<gather_v2>},       {"ResourceGather", nullptr, resource_gather},
    {"GatherNd", nullptr, each_part<gather_nd>}, {"ResourceGatherNd", nullptr, resource_gather_nd},
};

}  // namespace

std::span<const Operator> gather_operators() { return kGatherRows; }

}  // namespace tern::tensorflow
