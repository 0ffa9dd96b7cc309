// Schemas and binding of tables, sums and products. See mapped.h. Next: mapped_pools.cpp.
#include "kernels/quantize/mapped.h"

#include "kernels/layouts.h"
#include "kernels/quantize/integer.h"
#include "runtime/base/cpu_vnni.h"

namespace tern {
namespace {

// ---- QuantizedAdd, QuantizedMul: data, scale and zero point of a, of b; scale and zero point of y ----

Status infer_pair(InferContext& c) {
  for (size_t i : {0u, 3u, 7u}) {
    if (!is_byte(c.dtype(i))) return bad_dtype(c.dtype(i));
  }
  for (size_t i : {1u, 4u, 6u}) {
    if (c.dtype(i) != DType::f32) return bad_dtype(c.dtype(i));
  }
  if (c.dtype(2) != c.dtype(0) || c.dtype(5) != c.dtype(3)) return invalid("a zero point is not of the dtype of its data");
  const Shape &a = c.shape(0), &b = c.shape(3);
  bool fits = !a.ranked() || !b.ranked() || a.rank() == b.rank();
  for (int d = 0; fits && a.ranked() && b.ranked() && d < a.rank(); ++d)
    fits = !a[d].known() || !b[d].known() || b[d].is(1) || a[d].value() == b[d].value();
  if (!fits) return invalid("A is " + a.text() + ", B " + b.text() + ": they must be alike, or B 1 in a run of dims");
  c.set(0, c.dtype(7), a.ranked() ? a : b);
  return {};
}
// Where b is no longer as a, and where it is again: it is 1 between. False when it is not so.
bool find_run(const Dims& a, const Dims& b, int& begin, int& end) {
  begin = 0, end = a.rank;
  while (begin < a.rank && a[begin] == b[begin]) ++begin;
  while (end > begin && a[end - 1] == b[end - 1]) --end;
  for (int d = begin; d < end; ++d) {
    if (b[d] != 1) return false;
  }
  return true;
}
template <bool kProduct>
Status bind_pair(BindContext& c) {
  for (size_t i : {1u, 2u, 4u, 5u, 6u, 7u}) {
    if (c.in(i).count() != 1) return invalid("input " + std::to_string(i) + " is " + to_string(c.in(i).dims) + ", it must have one element");
  }
  const Dims& dims = c.in(0).dims;
  int first = 0, last = 0;
  if (dims.rank != c.in(3).dims.rank || !find_run(dims, c.in(3).dims, first, last)) return invalid("A and B must be alike, or B 1 in a run of dims");
  if (c.out(0).count() == 0) return {};
  const int64_t repeat = dims.count(first, last), inner = dims.count(last, dims.rank);
  const bool alike = first == last, single = !alike && inner == 1;
  const int64_t columns = alike ? 0 : single ? repeat : inner;
  const auto [begin, end] = alike ? c.range(c.out(0).count(), 64) : c.range(c.out(0).count() / columns);
  if (begin == end) return {};
  QuantizedPair& p = c.args<QuantizedPair>();
  p.columns = columns;
  p.repeat = single ? 1 : repeat;
  p.single = single;
  p.product = kProduct;
  p.a_signed = c.in(0).dtype == DType::i8;
  p.b_signed = c.in(3).dtype == DType::i8;
  p.y_signed = c.out(0).dtype == DType::i8;
  p.begin = begin;
  p.end = end;
  c.set(p.a, c.input<const uint8_t>(0));
  c.set(p.a_scale, c.input<const float>(1));
  c.set(p.a_zero, c.input<const uint8_t>(2));
  c.set(p.b, c.input<const uint8_t>(3));
  c.set(p.b_scale, c.input<const float>(4));
  c.set(p.b_zero, c.input<const uint8_t>(5));
  c.set(p.y_scale, c.input<const float>(6));
  c.set(p.y_zero, c.input<const uint8_t>(7));
  c.set(p.y, c.output<uint8_t>(0));
  c.run(*c.pick(DType::i8));
  return {};
}

// ---- Lookup8: x, table ----

constexpr auto& kLookupRows = rows_of<TERN_ON_EACH_ISA(lookup_i8)>;

Status infer_lookup(InferContext& c) {
  if (!is_byte(c.dtype(0)) || !is_byte(c.dtype(1))) return bad_dtype(is_byte(c.dtype(0)) ? c.dtype(1) : c.dtype(0));
  c.set(0, c.dtype(1), c.shape(0));
  return {};
}
Status bind_lookup(BindContext& c) {
  if (c.in(1).count() != 256) return invalid("the table is " + to_string(c.in(1).dims) + ", expected [256]");
  const auto [begin, end] = c.range(c.out(0).count(), 64);
  if (begin == end) return {};
  Lookup8Args& a = c.args<Lookup8Args>();
  a.begin = begin;
  a.end = end;
  c.set(a.x, c.input<const uint8_t>(0));
  c.set(a.table, c.input<const uint8_t>(1));
  c.set(a.y, c.output<uint8_t>(0));
  c.run(*pick(kLookupRows, DType::i8, integer_isa(c.isa, has_byte_tables())));
  return {};
}

std::optional<LastForm> pair_channels_last(const LayoutQuery& q) { return takes_last(q, {0, 3}); }

constexpr auto& kPairRows = rows_of<TERN_ON_EACH_ISA(quantized_pair_i8)>;

}  // namespace

constinit const OpDef kQuantizedAdd = {.name = "QuantizedAdd",
                                       .inputs = {8, 8},
                                       .outputs = {1, 1},
                                       .infer = infer_pair,
                                       .bind = bind_pair<false>,
                                       .kernels = kPairRows,
                                       .tern_only = true,
                                       .channels_last = pair_channels_last};
constinit const OpDef kQuantizedMul = {.name = "QuantizedMul",
                                       .inputs = {8, 8},
                                       .outputs = {1, 1},
                                       .infer = infer_pair,
                                       .bind = bind_pair<true>,
                                       .kernels = kPairRows,
                                       .tern_only = true,
                                       .channels_last = pair_channels_last};
constinit const OpDef kLookup8 = {.name = "Lookup8",
                                  .inputs = {2, 2},
                                  .outputs = {1, 1},
                                  .infer = infer_lookup,
                                  .bind = bind_lookup,
                                  .kernels = kLookupRows,
                                  .inplace_inputs = 1,
                                  .tern_only = true,
                                  .channels_last = map_channels_last};

}  // namespace tern
