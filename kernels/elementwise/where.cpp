// See where.h.
#include "kernels/elementwise/where.h"

#include "kernels/apart.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/nest.h"

namespace tern {
namespace {

// An operand along a row: it moves, or stands.
template <class V>
struct Moving {
  const V* at;
  V operator()(int64_t i) const { return at[i]; }
};
template <class V>
struct Standing {
  V value;
  V operator()(int64_t) const { return value; }
};
template <class V, class F>
void with_operand(const V* row, int64_t step, F f) {
  if (step == 1) f(Moving<V>{row});
  else f(Standing<V>{*row});
}

// U: unsigned bits of the size of an element.
template <class U>
void where(const WhereArgs& args) {
  const U *a = static_cast<const U*>(args.a), *b = static_cast<const U*>(args.b);
  U* y = static_cast<U*>(args.y);
  const int64_t sc = args.nest.step[0], sa = args.nest.step[1], sb = args.nest.step[2];
  for_rows(args.nest, [=, &args](int64_t at, const int64_t* from, int64_t n) {
    const uint8_t* rc = reinterpret_cast<const uint8_t*>(args.condition) + from[0];
    const U *ra = a + from[1], *rb = b + from[2];
    U* ry = y + at;
    with_operand(rc, sc, [&](auto c) {
      with_operand(ra, sa, [&](auto yes) {
        with_operand(rb, sb, [&](auto no) {
          TERN_APART
          for (int64_t i = 0; i < n; ++i) ry[i] = chosen(c(i), yes(i), no(i));
        });
      });
    });
  });
}
template <class U, DType kT>
constexpr KernelRow where_row(const char* name) {
  return row<WhereArgs, where<U>>(name, kT, Isa::scalar);
}
static_assert(sizeof(Pair) == sizeof(StringRef));

constexpr KernelRow kRows[] = {
    where_row<uint32_t, DType::f32>("where/f32/scalar"),     where_row<uint64_t, DType::f64>("where/f64/scalar"),
    where_row<uint16_t, DType::f16>("where/f16/scalar"),     where_row<uint16_t, DType::bf16>("where/bf16/scalar"),
    where_row<uint8_t, DType::i8>("where/i8/scalar"),        where_row<uint16_t, DType::i16>("where/i16/scalar"),
    where_row<uint32_t, DType::i32>("where/i32/scalar"),     where_row<uint64_t, DType::i64>("where/i64/scalar"),
    where_row<uint8_t, DType::u8>("where/u8/scalar"),        where_row<uint16_t, DType::u16>("where/u16/scalar"),
    where_row<uint32_t, DType::u32>("where/u32/scalar"),     where_row<uint64_t, DType::u64>("where/u64/scalar"),
    where_row<uint8_t, DType::boolean>("where/bool/scalar"), where_row<Pair, DType::string>("where/string/scalar"),
};

Status infer_where(InferContext& c) {
  if (c.dtype(0) != DType::boolean) return bad_dtype(c.dtype(0));
  if (Status s = same_dtypes(c, 1, is_any); !s) return s;
  return infer_broadcast(c, c.dtype(1));
}

Status bind_where(BindContext& c) {
  const TensorView& y = c.out(0);
  const KernelRow* kernel = c.pick(c.in(1).dtype);
  if (kernel == nullptr || c.in(2).dtype != c.in(1).dtype) return bad_dtype(c.in(1).dtype);
  auto dims = broadcast(c.in(0).dims, c.in(1).dims);
  if (dims) dims = broadcast(*dims, c.in(2).dims);
  if (dims != y.dims) return invalid("the inputs of Where do not broadcast to " + to_string(y.dims));
  const auto [begin, end] = c.range(y.count(), kGrain);
  if (begin == end) return {};
  const Dims operands[] = {c.in(0).dims, c.in(1).dims, c.in(2).dims};
  WhereArgs& a = c.args<WhereArgs>();
  a.nest = make_nest(y.dims, operands, begin, end);
  c.set(a.condition, c.input<const bool>(0));
  c.set(a.a, c.input(1));
  c.set(a.b, c.input(2));
  c.set(a.y, c.output(0));
  c.run(*kernel);
  return {};
}

}  // namespace

extern constinit const OpDef kWhere = {.name = "Where",
                                       .inputs = {3, 3},
                                       .outputs = {1, 1},
                                       .infer = infer_where,
                                       .bind = bind_where,
                                       .kernels = rows_of<kRows, cuda::kWhere>,
                                       .inplace_inputs = 6};

}  // namespace tern
