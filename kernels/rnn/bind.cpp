// See bind.h. Weights that are constants are packed once per model; others are packed into the workspace by every run.
#include "kernels/rnn/bind.h"

#include <algorithm>

#include "kernels/activation_attributes.h"
#include "kernels/gemm/weights.h"
#include "kernels/quantize/integer.h"
#include "kernels/rnn/launch.h"
#include "runtime/base/checked.h"
#include "runtime/base/cpu_vnni.h"
#include "runtime/base/crc.h"

namespace tern {

Result<RnnActivations> rnn_activations(const AttrReader& attrs, Cell cell) {
  const size_t count = cell == Cell::lstm ? 3 : cell == Cell::gru ? 2 : 1;
  const size_t directions = attrs.s("direction") == "bidirectional" ? 2 : 1;
  const char* defaults[] = {cell == Cell::rnn ? "Tanh" : "Sigmoid", "Tanh", "Tanh"};
  const std::vector<std::string> names = attrs.strings("activations");
  const std::vector<float> alphas = attrs.floats("activation_alpha"), betas = attrs.floats("activation_beta");
  if (!names.empty() && names.size() != count * directions) {
    return invalid(std::to_string(names.size()) + " activations are given, " + std::to_string(count * directions) + " are needed");
  }
  RnnActivations out{};
  size_t alpha = 0, beta = 0;
  for (size_t i = 0; i < count * directions; ++i) {
    const std::string name = names.empty() ? defaults[i % count] : names[i];
    auto spec = parse_activation(name);
    using enum Activation;
    if (!spec || spec->activation == round_f16 || spec->activation == round_bf16) return unsupported("activation '" + name + "'");
    // Parameters are consumed in order by those functions that take them.
    const Activation a = spec->activation;
    const bool two = a == affine || a == scaled_tanh || a == hard_sigmoid;
    if ((two || a == leaky_relu || a == thresholded_relu || a == elu) && alpha < alphas.size()) spec->alpha = alphas[alpha++];
    if (two && beta < betas.size()) spec->beta = betas[beta++];
    out[i / count][i % count] = *spec;
  }
  return out;
}

namespace {

// Does portable_row.h compute it? It hands x on otherwise.
bool in_double(Activation a) {
  using enum Activation;
  constexpr Activation kThose[] = {none,        sigmoid,      tanh, relu,     affine,  leaky_relu, thresholded_relu,
                                   scaled_tanh, hard_sigmoid, elu,  softsign, softplus};
  return std::find(std::begin(kThose), std::end(kThose), a) != std::end(kThose);
}

constexpr int64_t kMostStepsOfNothing = 1 << 16;
constexpr size_t kScalesOfW = 8, kScalesOfR = 9;  // DynamicQuantizeLSTM's inputs

Status expect(const BindContext& c, size_t i, const char* what, const Dims& dims) {
  if (!c.has(i) || c.in(i).dims == dims) return {};
  return invalid(std::string(what) + " is " + to_string(c.in(i).dims) + ", it must be " + to_string(dims));
}

// Checks the dims of every input and fills everything of the shape but the range.
Status read_shape(BindContext& c, Cell cell, RnnShape& s) {
  const Dims &x = c.in(0).dims, &r = c.in(2).dims;
  if (x.rank != 3 || r.rank != 3) return invalid("X is " + to_string(x) + " and R is " + to_string(r) + ": both must have 3 dimensions");
  const std::string direction = c.attrs.s("direction");
  s.batch_first = c.attrs.i("layout") != 0;
  s.steps = x[s.batch_first ? 1 : 0];
  s.batch = x[s.batch_first ? 0 : 1];
  s.inputs = x[2];
  s.hidden = r[2];
  s.directions = direction == "bidirectional" ? 2 : 1;
  s.first_reversed = direction == "reverse";
  const int64_t D = s.directions, B = s.batch, H = s.hidden;
  if (c.attrs.has("hidden_size") && c.attrs.i("hidden_size") != H) {
    return invalid("R is " + to_string(r) + " and hidden_size is " + std::to_string(c.attrs.i("hidden_size")));
  }
  if (!checked_count(std::array<int64_t, 5>{s.steps, B, D, 4 * gates(cell), H}) || H > INT32_MAX) {
    return unsupported("a window of " + to_string(x) + " with " + std::to_string(H) + " units");
  }
  // Without features no input backs the steps: a file of a few bytes could ask for any number of them.
  if (s.inputs == 0 && s.steps > kMostStepsOfNothing) return unsupported(std::to_string(s.steps) + " steps without any feature");
  const int64_t n = gates(cell) * H;
  const Dims state = s.batch_first ? Dims{B, D, H} : Dims{D, B, H};
  for (const Status& status :
       {expect(c, 1, "W", {D, n, s.inputs}), expect(c, 2, "R", {D, n, H}), expect(c, 3, "B", {D, 2 * n}), expect(c, 4, "sequence_lens", {B}),
        expect(c, 5, "initial_h", state), expect(c, 6, "initial_c", state), expect(c, 7, "P", {D, 3 * H}),
        expect(c, kScalesOfW, "the scales of W", {D, n}), expect(c, kScalesOfR, "the scales of R", {D, n})}) {
    if (!status) return status;
  }
  for (size_t i : {size_t(1), size_t(2), kScalesOfW, kScalesOfR}) {
    if (c.has(kScalesOfW) && !c.in(i).constant) return unsupported("weights of 8 bits, or their scales, that are not constant");
  }
  s.input_forget = cell == Cell::lstm && c.attrs.i("input_forget") != 0;
  s.linear_before_reset = cell == Cell::gru && c.attrs.i("linear_before_reset") != 0;
  s.clip = c.attrs.f("clip");
  auto activations = rnn_activations(c.attrs, cell);
  if (!activations) return activations.error();
  s.plain = s.clip <= 0 && !s.input_forget && !c.has(7) && !c.has(4);
  for (size_t d = 0; d < 2; ++d) {
    for (size_t i = 0; i < 3; ++i) s.activations[d][i] = (*activations)[d][i];
  }
  for (size_t d = 0; d < static_cast<size_t>(D); ++d) {
    const size_t count = cell == Cell::lstm ? 3 : cell == Cell::gru ? 2 : 1;
    for (size_t i = 0; i < count; ++i) {
      s.plain &= s.activations[d][i].activation == (i == 0 && cell != Cell::rnn ? Activation::sigmoid : Activation::tanh);
    }
  }
  s.x_step = (s.batch_first ? 1 : B) * s.inputs;
  s.x_row = (s.batch_first ? s.steps : 1) * s.inputs;
  s.y_step = D * H * (s.batch_first ? 1 : B);
  s.y_row = s.batch_first ? s.steps * D * H : H;
  s.y_direction = s.batch_first ? H : B * H;
  s.state_row = s.batch_first ? D * H : H;
  s.state_direction = s.batch_first ? H : B * H;
  return {};
}

std::string length_fault(int64_t steps) { return "a sequence length was out of range [0, " + std::to_string(steps) + "]"; }

// Lengths, initial states, peepholes and outputs: the same for the CPU and a device, in f32.
template <class Args>
void set_values(BindContext& c, Cell cell, Args& a) {
  c.set(a.lengths, c.input<const int32_t>(4));
  c.set(a.initial_h, c.input<const float>(5));
  c.set(a.initial_c, c.input<const float>(6));
  c.set(a.peepholes, c.input<const float>(7));
  c.set(a.y, c.output<float>(0));
  c.set(a.y_h, c.output<float>(1));
  if (cell == Cell::lstm) c.set(a.y_c, c.output<float>(2));
}

// Scales of W or R.
std::vector<float> scales_of(const BindContext& c, size_t input) {
  if (!c.has(input)) return {};
  const auto* scales = static_cast<const float*>(c.in(input).contents);
  return {scales, scales + c.in(input).count()};
}
const float* of_direction(const std::vector<float>& scales, int64_t direction, int64_t n) {
  return scales.empty() ? nullptr : scales.data() + direction * n;
}
std::string tag_of(const std::vector<float>& scales) { return scales.empty() ? "" : "/of" + std::to_string(crc32(std::as_bytes(std::span(scales)))); }
// W or R, input `i`, as `pack` packs f32: bytes times their scales.
template <class T, class Pack>
Address<const T> packed_weights(BindContext& c, size_t i, const std::string& tag, int64_t count, Pack pack) {
  if (c.in(i).dtype == DType::f32) return c.packed<T, float>(i, tag, count, std::move(pack));
  const auto scales = scales_of(c, i == 1 ? kScalesOfW : kScalesOfR);
  const auto k = static_cast<size_t>(c.in(i).dims[2]);
  return c.packed<T, int8_t>(i, tag + tag_of(scales), count, [=](const int8_t* w, T* to) {
    std::vector<float> real(scales.size() * k);
    for (size_t e = 0; e < real.size(); ++e) real[e] = static_cast<float>(w[e]) * scales[e / k];
    pack(real.data(), to);
  });
}
WeightForm form_of(const BindContext& c) { return c.has(kScalesOfW) ? WeightForm::int8 : c.products.weights; }

// Does the session, or the file, want W and R kept in fewer bits, and can they be?
bool keeps_weights(const BindContext& c, Cell cell, const RnnShape& s) {
  const WeightForm form = form_of(c);
  if (form == WeightForm::f32 || !c.in(1).constant || !c.in(2).constant) return false;
  const bool terms = form == WeightForm::bf16 || std::max(s.inputs, s.hidden) <= kMostInt8Terms;
  return terms && s.inputs > 0 && gates(cell) * s.hidden * (s.inputs + s.hidden) >= kLeastRecurrentWeights;
}
// Is a step one pass over an R by units (interleaved.h)?
bool alone(const BindContext& c, Cell cell, const RnnShape& s) {
  return s.batch == 1 && s.plain && c.in(2).constant && (cell == Cell::lstm || (cell == Cell::gru && s.linear_before_reset));
}
void interleave(BindContext& c, WeightForm form, Cell cell, const RnnShape& s, const std::string& tag, RnnArgs& a) {
  const int64_t D = s.directions, H = s.hidden, bytes = interleaved_bytes(form, cell, H);
  c.set(a.ahead, c.workspace(s.inputs * kMostAhead * 4 + round_up(s.inputs, 16) * 4 + 64));
  const auto given = scales_of(c, kScalesOfR);
  c.set(a.interleaved, packed_weights<std::byte>(c, 2, tag + "/units", D * bytes, [=](const float* r, std::byte* p) {
          const int64_t n = gates(cell) * H;
          for (int64_t d = 0; d < D; ++d) interleave_r(form, cell, r + d * n * H, H, of_direction(given, d, n), p + d * bytes);
        }));
}
const KernelRow& kept_row(Cell cell, WeightForm form, Isa isa) {
  constexpr auto kBf16 = rows_of<TERN_ON_EACH_ISA(rnn_weights_bf16), TERN_ON_EACH_ISA(gru_weights_bf16), TERN_ON_EACH_ISA(lstm_weights_bf16)>,
                 kInt8 = rows_of<TERN_ON_EACH_ISA(rnn_weights_int8), TERN_ON_EACH_ISA(gru_weights_int8), TERN_ON_EACH_ISA(lstm_weights_int8)>;
  const size_t isas = kBf16.size() / 3, first = static_cast<size_t>(cell) * isas;
  if (form == WeightForm::bf16) return *pick(std::span(kBf16).subspan(first, isas), DType::f32, integer_isa(isa, has_bf16_pairs()));
  return *pick(std::span(kInt8).subspan(first, isas), DType::f32, integer_isa(isa, has_vnni()));
}
// w [n, k].
void pack_kept(WeightForm form, const float* w, int64_t n, int64_t k, const float* given, std::byte* packed) {
  if (form == WeightForm::int8) pack_quads(w, 1, k, n, k, given, packed);
  else pack_weights(form, w, 1, k, n, k, 1.0f, packed);
}
void bind_kept(BindContext& c, Cell cell, const RnnShape& s, const std::string& tag, RnnArgs& a) {
  const WeightForm form = form_of(c);
  const int64_t D = s.directions, H = s.hidden, I = s.inputs, n = gates(cell) * H;
  const std::string as = form == WeightForm::bf16 ? "/bf16" : "/int8";
  const auto w_scales = scales_of(c, kScalesOfW), r_scales = scales_of(c, kScalesOfR);
  if (form == c.products.weights) c.keep_weights();
  a.w_floats = kept_bytes(form, n, I);
  c.set(a.kept_w, packed_weights<std::byte>(c, 1, tag + "/w" + as, D * a.w_floats, [=, bytes = a.w_floats](const float* w, std::byte* p) {
          for (int64_t d = 0; d < D; ++d) pack_kept(form, w + d * n * I, n, I, of_direction(w_scales, d, n), p + d * bytes);
        }));
  if (alone(c, cell, s)) {
    interleave(c, form, cell, s, tag + as, a);
  } else {
    a.r_floats = kept_r_bytes(form, cell, H);
    c.set(a.kept_r, packed_weights<std::byte>(c, 2, tag + "/r" + as, D * a.r_floats, [=, bytes = a.r_floats](const float* r, std::byte* p) {
            const int64_t together = cell == Cell::gru ? 2 * H : n;
            for (int64_t d = 0; d < D; ++d) {
              pack_kept(form, r + d * n * H, together, H, of_direction(r_scales, d, n), p + d * bytes);
              if (together < n) pack_kept(form, r + (d * n + together) * H, H, H, nullptr, p + d * bytes + kept_h_at(form, H));
            }
          }));
  }
  const int64_t most = std::max(I, H);
  c.set(a.terms, c.workspace(kTermRows * (form == WeightForm::bf16 ? pairs_row(most) * 4 : quads_row(most))));
}

// W and R as f32: packed once per model, or in every run.
void bind_plain(BindContext& c, Cell cell, const RnnShape& s, const std::string& tag, RnnArgs& a) {
  const int64_t D = s.directions, H = s.hidden, n = gates(cell) * H;
  a.w_floats = packed_floats(n, s.inputs, 1);
  a.r_floats = packed_r_floats(cell, H);
  if (c.in(1).constant) {
    c.set(a.packed_w, packed_weights<float>(c, 1, tag + "/w", D * a.w_floats, [=, inputs = s.inputs, floats = a.w_floats](const float* w, float* p) {
            for (int64_t d = 0; d < D; ++d) pack_w(cell, w + d * n * inputs, inputs, H, p + d * floats);
          }));
  } else {
    c.set(a.w, c.input<const float>(1));
    c.set(a.work_w, c.workspace<float>(D * a.w_floats));
  }
  if (alone(c, cell, s)) {
    interleave(c, WeightForm::f32, cell, s, tag, a);
  } else if (c.in(2).constant) {
    c.set(a.packed_r, packed_weights<float>(c, 2, tag + "/r", D * a.r_floats, [=, floats = a.r_floats](const float* r, float* p) {
            for (int64_t d = 0; d < D; ++d) pack_r(cell, r + d * n * H, H, p + d * floats);
          }));
  } else {
    c.set(a.r, c.input<const float>(2));
    c.set(a.work_r, c.workspace<float>(D * a.r_floats));
  }
}

Status bind_f32(BindContext& c, Cell cell, const RnnShape& s, const KernelRow& kernel) {
  const int64_t D = s.directions, H = s.hidden, n = gates(cell) * H, rows = std::min(s.end - s.begin, s.batch);
  RnnArgs& a = c.args<RnnArgs>();
  a.s = s;
  c.set(a.x, c.input<const float>(0));
  set_values(c, cell, a);
  const std::string tag = std::string("rnn") + std::to_string(static_cast<int>(cell)) + (s.linear_before_reset ? "l" : "");
  const bool kept = keeps_weights(c, cell, s);
  if (kept) bind_kept(c, cell, s, tag, a);
  else bind_plain(c, cell, s, tag, a);
  if (!c.has(3)) {
    c.set(a.summed_bias, c.table<float>(D * (n + H), [](float*) {}));  // zeros
  } else if (c.in(3).constant) {
    c.set(a.summed_bias, c.packed<float>(3, tag + "/b", D * (n + H), [=, linear = s.linear_before_reset](const float* bias, float* p) {
      for (int64_t d = 0; d < D; ++d) sum_bias(cell, bias + d * 2 * n, H, linear, p + d * (n + H));
    }));
  } else {
    c.set(a.bias, c.input<const float>(3));
    c.set(a.work_bias, c.workspace<float>(D * (n + H)));
  }
  c.set(a.pre, c.workspace<float>(s.steps * rows * n));
  c.set(a.gates, c.workspace<float>(rows * n));
  c.set(a.h, c.workspace<float>(rows * H));
  c.set(a.c, c.workspace<float>(rows * H));
  if (c.has(4)) c.set(a.fault, c.fault(length_fault(s.steps)));
  c.run(kept ? kept_row(cell, form_of(c), c.isa) : kernel);
  return {};
}

// w [D, n, k] as rows of k, to_row apart: once per model, or by a launch in every run.
Address<const float> rows_of_weights(BindContext& c, size_t input, const std::string& tag, int64_t directions, int64_t n, int64_t k,
                                     cuda::ArrangeArgs& arrange) {
  const int64_t row = round_up(n, 4), floats = std::max<int64_t>(1, directions * k * row);
  if (c.in(input).constant) {
    return c.packed<float>(input, tag + "/rows", floats, [=](const float* from, float* to) {
      for (int64_t i = 0; i < directions * k; ++i) {
        for (int64_t j = 0; j < n; ++j) to[i * row + j] = from[(i / k * n + j) * k + i % k];
      }
    });
  }
  const auto to = c.workspace<float>(floats);
  arrange = {nullptr, nullptr, k, n, row, 1, k, 1};
  c.set(arrange.from, c.input<const float>(input));
  c.set(arrange.to, to);
  return to;
}

Status bind_device(BindContext& c, Cell cell, const RnnShape& s, const KernelRow& kernel) {
  const int64_t D = s.directions, B = s.batch, H = s.hidden, n = gates(cell) * H, row = round_up(n, 4);
  cuda::RnnSteps& step = c.args<cuda::RnnSteps>();
  cuda::RnnArgs& a = step.rnn;
  a.s = s;
  a.cell = cell;
  set_values(c, cell, a);
  const std::string tag = std::string("rnn") + std::to_string(static_cast<int>(cell)) + (s.linear_before_reset ? "l" : "");
  const auto w = rows_of_weights(c, 1, tag + "/w", D, n, s.inputs, step.w), r = rows_of_weights(c, 2, tag + "/r", D, n, H, step.r);
  Address<const float> bias;
  if (!c.has(3)) {
    bias = c.table<float>(D * (n + H), [](float*) {});  // zeros
  } else if (c.in(3).constant) {
    bias = c.packed<float>(3, tag + "/b", D * (n + H), [=, linear = s.linear_before_reset](const float* from, float* p) {
      for (int64_t d = 0; d < D; ++d) sum_bias(cell, from + d * 2 * n, H, linear, p + d * (n + H));
    });
  } else {
    const auto to = c.workspace<float>(D * (n + H));
    step.bias = {nullptr, nullptr, D, gates(cell), H, cell == Cell::gru && s.linear_before_reset};
    c.set(step.bias.bias, c.input<const float>(3));
    c.set(step.bias.to, to);
    bias = to;
  }
  const auto pre = c.workspace<float>(std::max<int64_t>(1, D * s.steps * B * n));
  step.x.m = s.steps * B;
  step.x.n = step.x.y_row = n;
  step.x.k = step.x.x_row = s.inputs;
  step.x.w_k = row;
  step.x.w_column = 1;
  step.x.batches = step.x.chains = step.x.bias_column = 1;
  step.x.beta = 1;
  c.set(step.x.x, c.input<const float>(0));
  c.set(step.x.w, w);
  c.set(step.x.bias, bias);
  c.set(step.x.y, pre);
  c.set(a.pre, pre);
  c.set(a.r, r);
  c.set(a.bias, bias);
  a.r_row = row;
  a.pre_direction = s.steps * B * n;
  a.pre_step = s.batch_first ? n : B * n;  // in the order of x
  a.pre_row = s.batch_first ? s.steps * n : n;
  if (!cuda::rnn_whole(s, cell)) {
    if (s.steps > cuda::kRnnMostSteps) return unsupported(std::to_string(s.steps) + " steps of " + std::to_string(H) + " units on a device");
    for (float*& h : a.h) c.set(h, c.workspace<float>(std::max<int64_t>(1, D * B * H)));
    c.set(a.c, c.workspace<float>(std::max<int64_t>(1, D * B * H)));
    if (cell == Cell::gru) c.set(a.z, c.workspace<float>(std::max<int64_t>(1, D * B * H)));
  }
  if (c.has(4)) c.set(step.fault, c.fault(length_fault(s.steps)));
  c.run(kernel);
  return {};
}

}  // namespace

Status bind_recurrent(BindContext& c, Cell cell) {
  RnnShape s{};
  if (Status status = read_shape(c, cell, s); !status) return status;
  const KernelRow* kernel = c.pick(c.in(0).dtype);
  if (kernel == nullptr) return bad_dtype(c.in(0).dtype);
  const auto [begin, end] = c.range(s.directions * s.batch);
  if (begin == end || s.hidden == 0) return {};
  s.begin = begin;
  s.end = end;
  if (c.in(0).dtype == DType::f32) return kernel->isa == Isa::cuda ? bind_device(c, cell, s, *kernel) : bind_f32(c, cell, s, *kernel);
  for (const auto& direction : s.activations) {
    for (const ActivationSpec& f : direction) {
      if (!in_double(f.activation)) return unsupported("this activation in a recurrent layer of " + std::string(name(c.in(0).dtype)));
    }
  }
  const int64_t rows = c.isa == Isa::cuda ? cuda::kPortableRnnBlocks : 1, bytes = s.hidden * static_cast<int64_t>(size_of(c.in(0).dtype));
  PortableRnnArgs& a = c.args<PortableRnnArgs>();
  a.s = s;
  const void** from[] = {&a.x, &a.w, &a.r, &a.bias, nullptr, &a.initial_h, &a.initial_c, &a.peepholes};
  for (size_t i = 0; i < std::size(from); ++i) {
    if (from[i] != nullptr) c.set(*from[i], c.input(i));
  }
  c.set(a.lengths, c.input<const int32_t>(4));
  c.set(a.y, c.output(0));
  c.set(a.y_h, c.output(1));
  if (cell == Cell::lstm) c.set(a.y_c, c.output(2));
  if (c.has(4)) c.set(a.fault, c.fault(length_fault(s.steps)));
  c.set(a.gates, c.workspace<double>(rows * 4 * s.hidden));
  c.set(a.h, c.workspace(rows * bytes));
  c.set(a.c, c.workspace(rows * bytes));
  c.run(*kernel);
  return {};
}

}  // namespace tern
