// Attention of ONNX: schema, inference, binding and the kernel in double, plain C++. See general.h.
#include "kernels/attention/general.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/bind.h"
#include "kernels/attention/general_row.h"
#include "kernels/attention/launch.h"
#include "kernels/dtype_code.h"
#include "runtime/base/checked.h"

namespace tern {
namespace {

// past, then what is new.
template <class T>
void write_present(T* to, const T* past, const T* now, const HeadLayout& at, const GeneralAttentionArgs& a, int64_t width) {
  for (int64_t b = 0; b < a.batches; ++b) {
    for (int64_t h = 0; h < a.kv_heads; ++h) {
      const int64_t first = (b * a.kv_heads + h) * a.P * width;
      for (int64_t i = 0; i < a.P * width; ++i) *to++ = past[first + i];
      for (int64_t n = 0; n < a.T - a.P; ++n) {
        for (int64_t d = 0; d < width; ++d) *to++ = now[at.at(b, h, n) + d];
      }
    }
  }
}

template <class T>
void attend_row(const GeneralAttentionArgs& a, int64_t row) {
  const general::RowPlace r = general::place_of(a, row);
  double most = -general::kInfinity, open = -general::kInfinity;  // the largest score, and the largest of what is added to scores
  for (int64_t j = 0; j < a.T; ++j) {
    const general::Score s = general::score<T>(a, r, row, j);
    a.weights[j] = s.masked;
    most = portable::max_nan(most, s.masked);
    open = portable::max_nan(open, s.bias);
  }
  const bool closed = open == -general::kInfinity;
  const double from = portable::select(most == -general::kInfinity, 0, most);
  double total = 0;
  for (int64_t j = 0; j < a.T; ++j) {
    a.weights[j] = portable::exp(a.weights[j] - from);
    total += a.weights[j];
  }
  for (int64_t d = 0; d < a.Dv; ++d) a.sums[d] = 0;
  for (int64_t j = 0; j < a.T; ++j) {
    const double weight = portable::select(closed, 0, a.weights[j] / total);
    if (a.qk != nullptr && a.mode == 3) static_cast<T*>(a.qk)[row * a.T + j] = narrow<T>(weight);
    for (int64_t d = 0; d < a.Dv; ++d) a.sums[d] += portable::select(closed, 0, weight * general::value<T>(a, r, j, d));
  }
  T* y = static_cast<T*>(a.y) + a.y_at.at(r.b, r.h, r.s);  // [Dv]
  for (int64_t d = 0; d < a.Dv; ++d) y[d] = narrow<T>(a.sums[d]);
}

template <class T>
void attention(const GeneralAttentionArgs& a) {
  if (a.writes_present && a.present_key != nullptr) {
    write_present(static_cast<T*>(a.present_key), static_cast<const T*>(a.past_key), static_cast<const T*>(a.k), a.k_at, a, a.D);
  }
  if (a.writes_present && a.present_value != nullptr) {
    write_present(static_cast<T*>(a.present_value), static_cast<const T*>(a.past_value), static_cast<const T*>(a.v), a.v_at, a, a.Dv);
  }
  for (int64_t row = a.begin; row < a.end; ++row) attend_row<T>(a, row);
}

constexpr KernelRow kRows[] = {
    row<GeneralAttentionArgs, attention<float>>("attention_onnx/f32/scalar", DType::f32, Isa::scalar),
    row<GeneralAttentionArgs, attention<double>>("attention_onnx/f64/scalar", DType::f64, Isa::scalar),
    row<GeneralAttentionArgs, attention<f16>>("attention_onnx/f16/scalar", DType::f16, Isa::scalar),
    row<GeneralAttentionArgs, attention<bf16>>("attention_onnx/bf16/scalar", DType::bf16, Isa::scalar),
};

constexpr AttrSpec kGeneralAttrs[] = {
    {"is_causal", AttrKind::i, 0},
    {"kv_num_heads", AttrKind::i},
    {"left_window_size", AttrKind::i, -1},
    {"q_num_heads", AttrKind::i},
    {"qk_matmul_output_mode", AttrKind::i, 0},
    {"right_window_size", AttrKind::i, -1},
    {"scale", AttrKind::f},
    {"softcap", AttrKind::f, 0.0f},
    {"softmax_precision", AttrKind::i},
};
constexpr const char* kInputs[] = {"Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"};

// [B, S, heads D] as [B, heads, S, D]; unranked where nothing is known.
Shape with_heads(const Shape& x, int64_t heads, InferContext& c) {
  if (!x.ranked() || x.rank() == 4) return x;
  return Shape{x[0], Dim(heads), x[1], x[2].known() ? Dim(x[2].value() / heads) : c.fresh()};
}

Status infer_general(InferContext& c) {
  const DType dtype = c.dtype(0);
  if (pick(rows_of<kRows>, dtype, Isa::scalar) == nullptr) return bad_dtype(dtype);
  for (size_t i : {1, 2, 4, 5}) {
    if (c.has(i) && c.dtype(i) != dtype)
      return unsupported(std::string(kInputs[i]) + " is " + name(c.dtype(i)) + " and Q is " + name(dtype) + ", which is not supported");
  }
  if (c.has(3) && c.dtype(3) != DType::boolean && c.dtype(3) != dtype)
    return unsupported(std::string("attn_mask of ") + name(c.dtype(3)) + " is not supported, only of bool and of Q's dtype");
  if (c.has(6) && c.dtype(6) != DType::i64) return invalid(std::string("nonpad_kv_seqlen is ") + name(c.dtype(6)) + ", expected i64");
  if (c.has(4) != c.has(5)) return invalid("past_key and past_value come together");
  if (c.has(4) && c.has(6)) return invalid("nonpad_kv_seqlen and past_key exclude each other");
  if (const int64_t mode = c.attrs.i("qk_matmul_output_mode"); mode < 0 || mode > 3)
    return invalid("qk_matmul_output_mode is " + std::to_string(mode) + ", expected 0 to 3");
  for (const char* side : {"left_window_size", "right_window_size"}) {
    if (const int64_t size = c.attrs.i(side); size < -1)
      return invalid(std::string(side) + " is " + std::to_string(size) + ", expected -1 (no end) or more");
  }
  for (size_t o = 0; o < c.outputs.size(); ++o) c.set(o, dtype, Shape());
  for (size_t i = 0; i < 3; ++i) {
    if (!c.shape(i).ranked()) return {};
    if (c.shape(i).rank() != c.shape(0).rank() || (c.shape(i).rank() != 3 && c.shape(i).rank() != 4)) {
      return invalid("Q is " + c.shape(0).text() + " and " + kInputs[i] + " is " + c.shape(i).text() +
                     ": they must all have 3 or all have 4 dimensions");
    }
  }
  const bool flat = c.shape(0).rank() == 3;
  const int64_t heads = c.attrs.i("q_num_heads"), kv_heads = c.attrs.i("kv_num_heads");
  if (flat && (heads < 1 || kv_heads < 1)) return invalid("inputs of 3 dimensions need q_num_heads and kv_num_heads");
  const Shape q = with_heads(c.shape(0), heads, c), k = with_heads(c.shape(1), kv_heads, c), v = with_heads(c.shape(2), kv_heads, c);
  Dim total = k[2];
  if (c.has(4)) {
    if (!c.shape(4).ranked()) return {};
    if (c.shape(4).rank() != 4) return invalid("past_key is " + c.shape(4).text() + ", it must have 4 dimensions");
    total = add(total, c.shape(4)[2]).value_or(c.fresh());
  }
  const auto wide = mul(v[3], Dim(heads));
  c.set(0, dtype, flat ? Shape{q[0], q[2], wide ? *wide : c.fresh()} : Shape{q[0], q[1], q[2], v[3]});
  c.set(1, dtype, Shape{k[0], k[1], total, k[3]});
  c.set(2, dtype, Shape{v[0], v[1], total, v[3]});
  c.set(3, dtype, Shape{q[0], q[1], q[2], total});
  return {};
}

struct Sides {
  int64_t B, heads, S, D;
  HeadLayout layout;
};

// Nothing when the hidden size is no multiple of the heads.
std::optional<Sides> sides_of(const Dims& d, int64_t heads) {
  if (d.rank == 4) return Sides{d[0], d[1], d[2], d[3], {d[1] * d[2] * d[3], d[2] * d[3], d[3]}};
  if (d.rank != 3 || heads < 1 || d[2] % heads != 0) return std::nullopt;
  return Sides{d[0], heads, d[1], d[2] / heads, {d[1] * d[2], d[2] / heads, d[2]}};
}

// The same in f32, by the kernel of attention.h.
void run_in_f32(BindContext& c, const GeneralAttentionArgs& g) {
  AttentionArgs& a = c.args<AttentionArgs>();
  a.heads = g.heads;
  a.group = g.group;
  a.T = g.S;
  a.S = g.T;
  a.P = g.P;
  a.D = g.D;
  a.E = g.Dv;
  a.q_at = g.q_at;
  a.k_at = g.k_at;
  a.v_at = g.v_at;
  a.y_at = g.y_at;
  a.mask_batch = g.mask_batch;
  a.mask_head = g.mask_head;
  a.mask_row = g.mask_row;
  a.mask_column = 1;
  a.masked_from = g.masked_from;
  a.before = g.before;
  a.after = g.after;
  a.step = 1;
  a.scale = static_cast<float>(g.scale);
  a.softcap = static_cast<float>(g.softcap);
  a.mode = g.mode;
  a.kind = g.kind;
  a.hides = g.kind != AttentionMask::none || c.has(6) || g.before < g.S + g.T || g.after < g.S + g.T;
  c.set(a.mask, c.input(3));
  c.set(a.valid, c.input<const int64_t>(6));
  const float** from[] = {&a.q, &a.k, &a.v, nullptr, &a.past_key, &a.past_value};
  for (size_t i = 0; i < std::size(from); ++i) {
    if (from[i] != nullptr) c.set(*from[i], c.input<const float>(i));
  }
  float** to[] = {&a.y, &a.present_key, &a.present_value, &a.qk};
  for (size_t o = 0; o < std::size(to); ++o) c.set(*to[o], c.output<float>(o));
  run_attention(c, a, g.batches);
}

Status run_in_double(BindContext& c, const GeneralAttentionArgs& sizes) {
  const DType dtype = c.in(0).dtype;
  const KernelRow* kernel = pick(rows_of<kRows, cuda::kGeneralAttention>, dtype, c.isa);
  if (kernel == nullptr) return bad_dtype(dtype);
  GeneralAttentionArgs& a = c.args(sizes);
  const void** from[] = {&a.q, &a.k, &a.v, &a.mask, &a.past_key, &a.past_value};
  for (size_t i = 0; i < std::size(from); ++i) c.set(*from[i], c.input(i));
  c.set(a.valid, c.input<const int64_t>(6));
  void** to[] = {&a.y, &a.present_key, &a.present_value, &a.qk};
  for (size_t o = 0; o < std::size(to); ++o) c.set(*to[o], c.output(o));
  a.writes_present = c.part == 0;
  if (c.isa == Isa::cuda) {
    c.set(a.weights, c.workspace<double>(cuda::kGeneralBlocks * a.T));
  } else {
    c.set(a.weights, c.workspace<double>(a.T));
    c.set(a.sums, c.workspace<double>(a.Dv));
  }
  const auto [begin, end] = c.range(a.batches * a.heads * a.S);
  a.begin = begin;
  a.end = end;
  const bool presents = a.writes_present && (c.has_out(1) || c.has_out(2));
  if (begin < end || presents) c.run(*kernel);
  return {};
}

Status bind_general(BindContext& c) {
  const auto q = sides_of(c.in(0).dims, c.attrs.i("q_num_heads")), k = sides_of(c.in(1).dims, c.attrs.i("kv_num_heads")),
             v = sides_of(c.in(2).dims, c.attrs.i("kv_num_heads"));
  if (!q || !k || !v || c.in(1).dims.rank != c.in(0).dims.rank || c.in(2).dims.rank != c.in(0).dims.rank)
    return invalid("the numbers of heads do not divide the hidden sizes");
  auto differ = [&](size_t i) {
    return invalid("Q is " + to_string(c.in(0).dims) + " and " + kInputs[i] + " is " + to_string(c.in(i).dims) + ", which does not fit");
  };
  if (k->B != q->B || k->D != q->D || k->heads < 1 || q->heads % k->heads != 0) return differ(1);
  if (v->B != q->B || v->heads != k->heads || v->S != k->S) return differ(2);
  GeneralAttentionArgs a{};
  a.P = c.has(4) ? c.in(4).dims[2] : 0;
  const auto total = checked_add(a.P, k->S);
  if (!total) return differ(4);
  a.T = *total;
  if (c.has(4) && !(c.in(4).dims == Dims{q->B, k->heads, a.P, k->D})) return differ(4);
  if (c.has(5) && !(c.in(5).dims == Dims{q->B, k->heads, a.P, v->D})) return differ(5);
  if (c.has(6) && !(c.in(6).dims == Dims{q->B})) return differ(6);
  a.masked_from = a.T;
  if (c.has(3)) {  // right-aligned; the last axis is as it is
    const Dims& m = c.in(3).dims;
    if (m.rank < 1 || m.rank > 4 || m.back() > a.T) return differ(3);
    const int64_t sizes[] = {q->B, q->heads, q->S};
    int64_t* strides[] = {&a.mask_batch, &a.mask_head, &a.mask_row};
    int64_t stride = m.back();
    for (int i = m.rank - 2; i >= 0; --i) {
      const int axis = i + 4 - m.rank;
      if (m[i] != 1 && m[i] != sizes[axis]) return differ(3);
      if (m[i] != 1) *strides[axis] = stride;
      stride *= m[i];
    }
    a.masked_from = m.back();
    a.kind = c.in(3).dtype == DType::boolean ? AttentionMask::bools : AttentionMask::floats;
  }
  const bool flat = c.in(0).dims.rank == 3;
  const Dims wanted[] = {flat ? Dims{q->B, q->S, q->heads * v->D} : Dims{q->B, q->heads, q->S, v->D}, Dims{q->B, k->heads, a.T, k->D},
                         Dims{q->B, k->heads, a.T, v->D}, Dims{q->B, q->heads, q->S, a.T}};
  for (size_t o = 0; o < 4; ++o) {
    if (c.has_out(o) && !(c.out(o).dims == wanted[o]))
      return invalid("output " + std::to_string(o) + " is " + to_string(c.out(o).dims) + ", expected " + to_string(wanted[o]));
  }
  a.heads = q->heads;
  a.kv_heads = k->heads;
  a.group = q->heads / k->heads;
  a.batches = q->B;
  a.S = q->S;
  a.D = q->D;
  a.Dv = v->D;
  a.q_at = q->layout;
  a.k_at = k->layout;
  a.v_at = v->layout;
  a.y_at = flat ? HeadLayout{a.S * a.heads * a.Dv, a.Dv, a.heads * a.Dv} : HeadLayout{a.heads * a.S * a.Dv, a.S * a.Dv, a.Dv};
  a.scale = c.attrs.has("scale") ? static_cast<double>(c.attrs.f("scale")) : 1 / std::sqrt(static_cast<double>(a.D));
  a.softcap = static_cast<double>(c.attrs.f("softcap"));
  // No place and no key is further away than this.
  const int64_t whole = std::min(checked_add(a.T, a.S).value_or(INT64_MAX), INT64_MAX / 4);
  const int64_t left = c.attrs.i("left_window_size"), right = c.attrs.i("right_window_size");
  a.before = left < 0 ? whole : std::min(left, whole);
  a.after = c.attrs.i("is_causal") != 0 ? 0 : right < 0 ? whole : std::min(right, whole);
  a.mode = static_cast<int>(c.attrs.i("qk_matmul_output_mode"));
  if (c.in(0).dtype == DType::f32 && dtype_from_code(c.attrs.has("softmax_precision") ? c.attrs.i("softmax_precision") : 0) != DType::f64 &&
      a.T > 0) {
    run_in_f32(c, a);
    return {};
  }
  return run_in_double(c, a);
}

int64_t macs_general(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView>) {
  const auto q = sides_of(in[0].dims, attrs.i("q_num_heads")), v = sides_of(in[2].dims, attrs.i("kv_num_heads"));
  if (!q || !v) return 0;
  const int64_t past = in.size() > 4 && in[4].dims.rank == 4 ? in[4].dims[2] : 0;
  std::optional<int64_t> n = checked_mul(checked_mul(q->B * q->heads, q->S).value_or(INT64_MAX), v->S + past);
  n = n ? checked_mul(*n, q->D + v->D) : n;
  return n.value_or(INT64_MAX);
}

}  // namespace

constinit const OpDef kAttention = {.name = "Attention",
                                    .inputs = {3, 7},
                                    .outputs = {1, 4},
                                    .attrs = kGeneralAttrs,
                                    .infer = infer_general,
                                    .bind = bind_general,
                                    .kernels = rows_of<TERN_ON_EACH_ISA(attention_f32), cuda::attention_f32, kRows, cuda::kGeneralAttention>,
                                    .macs = macs_general};

}  // namespace tern
