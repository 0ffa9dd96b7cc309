// Convolutions against a scalar model of the documented order of additions: the same bits on every ISA. Contract: kernels/conv/conv.h.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/device.h"
#include "tests/support/op_test.h"

namespace tern::test::in_conv {
namespace {

using Ints = std::vector<int64_t>;

// One axis of a window, outermost first.
struct Axis {
  int64_t in, kernel, stride = 1, dilation = 1, begin = 0, end = 0, spread = 1;  // spread: distance of inputs (transposed)
  int64_t out() const { return ((in - 1) * spread + 1 + begin + end - (kernel - 1) * dilation - 1) / stride + 1; }
  // Where tap k of output o reads: in x spread out, and whether that lies outside of it, or between its elements.
  int64_t at(int64_t o, int64_t k) const { return o * stride + k * dilation - begin; }
  bool outside(int64_t o, int64_t k) const { return at(o, k) < 0 || at(o, k) > (in - 1) * spread; }
  bool between(int64_t o, int64_t k) const { return at(o, k) % spread != 0; }
  // The taps that output o has not between elements, and how many of them lie outside x.
  int64_t count(int64_t o, bool only_outside) const {
    int64_t n = 0;
    for (int64_t k = 0; k < kernel; ++k) n += !between(o, k) && (!only_outside || outside(o, k));
    return n;
  }
};

struct Model {
  std::vector<Axis> axes;                           // three
  int64_t batch = 1, groups = 1, ics = 1, ocs = 1;  // channels of a group

  Dims in() const { return {batch, groups * ics, axes[0].in, axes[1].in, axes[2].in}; }
  Dims out() const { return {batch, groups * ocs, axes[0].out(), axes[1].out(), axes[2].out()}; }
  Dims weight() const { return {groups * ocs, ics, axes[0].kernel, axes[1].kernel, axes[2].kernel}; }

  // Taps that are not executed, as kernels/conv/conv.h says under Numerics.
  bool left_out(const int64_t* o, const int64_t* k) const {
    for (size_t a = 0; a < 3; ++a) {
      if (axes[a].between(o[a], k[a])) return true;
    }
    const Axis &rows = axes[1], &cols = axes[2];
    const int64_t phase = o[2] % cols.spread, last = phase + (cols.out() - 1 - phase) / cols.spread * cols.spread;
    if (last == phase) return false;  // a single column
    if (axes[0].count(o[0], false) == 1 && rows.outside(o[1], k[1])) return true;
    const bool edge = o[2] == phase || o[2] == last, narrow = cols.count(phase, true) + cols.count(last, true) > cols.count(phase, false);
    return ics >= 16 && edge && !narrow && cols.outside(o[2], k[2]);
  }
  float under(const float* plane, const int64_t* o, const int64_t* k) const {
    int64_t at = 0;
    for (size_t a = 0; a < 3; ++a) {
      const int64_t j = o[a] * axes[a].stride + k[a] * axes[a].dilation - axes[a].begin;
      if (j < 0 || j % axes[a].spread != 0 || j / axes[a].spread >= axes[a].in) return 0;
      at = at * axes[a].in + j / axes[a].spread;
    }
    return plane[at];
  }
  // w[oc][ic][tap], one fmaf chain an output, as kernels/conv/conv.h says.
  Tensor run(const Tensor& x, const Tensor& w, const Tensor& bias) const {
    Tensor y = *Tensor::allocate(DType::f32, out());
    const int64_t plane = in().count(2, 5), taps = weight().count(2, 5), step = ics < 16 ? 1 : 16;
    int64_t at = 0;
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t oc = 0; oc < groups * ocs; ++oc) {
        int64_t o[3], k[3];
        for (o[0] = 0; o[0] < axes[0].out(); ++o[0]) {
          for (o[1] = 0; o[1] < axes[1].out(); ++o[1]) {
            for (o[2] = 0; o[2] < axes[2].out(); ++o[2]) {
              float sum = bias.present() ? bias.data<float>()[oc] : 0;
              for (int64_t ic0 = 0; ic0 < ics; ic0 += step) {
                for (int64_t t = 0; t < taps; ++t) {
                  k[0] = t / (axes[1].kernel * axes[2].kernel), k[1] = t / axes[2].kernel % axes[1].kernel, k[2] = t % axes[2].kernel;
                  for (int64_t ic = ic0; ic < std::min(ics, ic0 + step) && !left_out(o, k); ++ic) {
                    const float* from = x.data<float>() + (n * groups * ics + oc / ocs * ics + ic) * plane;
                    sum = std::fmaf(under(from, o, k), w.data<float>()[(oc * ics + ic) * taps + t], sum);
                  }
                }
              }
              y.mutable_data<float>()[at++] = sum;
            }
          }
        }
      }
    }
    return y;
  }
};

// The last `spatial` axes of a 5-D tensor (the others have extent 1).
Dims keep(const Dims& d, int spatial) {
  Dims r{d[0], d[1]};
  for (int i = 5 - spatial; i < 5; ++i) r.push_back(d[i]);
  return r;
}

void check_conv(Model m, int spatial = 2, bool biased = true) {
  while (m.axes.size() < 3) m.axes.insert(m.axes.begin(), Axis{1, 1});
  const Tensor x = random_f32(m.in(), 1), w = random_f32(m.weight(), 2), bias = biased ? random_f32({m.groups * m.ocs}, 3) : absent();
  Ints strides, dilations, pads, ends;
  for (size_t a = static_cast<size_t>(3 - spatial); a < 3; ++a) {
    strides.push_back(m.axes[a].stride);
    dilations.push_back(m.axes[a].dilation);
    pads.push_back(m.axes[a].begin);
    ends.push_back(m.axes[a].end);
  }
  pads.insert(pads.end(), ends.begin(), ends.end());
  const Tensor expected = m.run(x, w, bias).reshaped(keep(m.out(), spatial));
  auto y = run_op("Conv", {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", m.groups}},
                  {x.reshaped(keep(m.in(), spatial)), w.reshaped(keep(m.weight(), spatial)), bias});
  check_same(y[0], expected);
}

}  // namespace

TEST_CASE("conv: every width up to 31 has the bits of the model, blocked and planar") {
  for (int64_t width = 1; width <= 31; ++width) {
    check_conv({{{3, 3, 1, 1, 1, 1}, {width, 3, 1, 1, 1, 1}}, 1, 1, 16, 20});
    check_conv({{{2, 1}, {width, 1}}, 1, 1, 17, 33});
    check_conv({{{2, 2}, {width, 1}}, 1, 1, 3, 5});
  }
}

TEST_CASE("conv: maps beyond the second cache are gone through in stripes, and no sum knows") {
  // A device has none.
  if (on_device()) return;
  check_conv({{{281, 3, 1, 1, 1, 1}, {15, 3, 1, 1, 1, 1}}, 1, 1, 16, 33});  // rows in pairs
  check_conv({{{41, 1}, {103, 1}}, 1, 1, 20, 50});                          // one row of all pixels
  check_conv({{{66, 1, 2}, {150, 3, 2, 1, 1, 1}}, 1, 2, 16, 35});
}

TEST_CASE("conv: strides, dilations and lopsided padding") {
  for (int64_t ics : {2, 18}) {
    check_conv({{{9, 3, 2, 1, 1, 0}, {11, 3, 2, 1, 0, 2}}, 2, 1, ics, 6});
    check_conv({{{9, 3, 1, 2, 2, 2}, {11, 2, 1, 3, 1, 0}}, 1, 1, ics, 17}, 2, false);
    check_conv({{{7, 4, 3, 2, 3, 1}, {8, 5, 2, 1, 4, 4}}, 1, 1, ics, 3});
    check_conv({{{4, 1, 2}, {9, 1, 3}}, 1, 1, ics, 9});
    check_conv({{{10, 2, 2}, {10, 10}}, 1, 1, ics, 9});  // one column: pixels run down
    check_conv({{{30, 4}, {1, 1}}, 1, 1, ics, 32});
  }
}

TEST_CASE("conv: one and three spatial axes") {
  for (int64_t ics : {3, 20}) {
    check_conv({{{40, 3, 1, 8}}, 2, 1, ics, 32}, 1);
    check_conv({{{13, 4, 2, 1, 3, 0}}, 1, 1, ics, 7}, 1);
    check_conv({{{4, 2, 1, 1, 1, 0}, {5, 3, 2, 1, 1, 1}, {6, 3, 1, 2, 2, 2}}, 2, 1, ics, 5}, 3);
    check_conv({{{4, 2}, {5, 1}, {6, 1}}, 1, 1, ics, 5}, 3);
  }
}

TEST_CASE("conv: groups of any size, and depthwise") {
  for (int64_t ics : {1, 2, 16, 19}) {
    for (int64_t ocs : {1, 3, 16}) check_conv({{{5, 3, 1, 1, 1, 1}, {6, 3, 1, 1, 1, 1}}, 2, 3, ics, ocs});
  }
  for (int64_t ics : {2, 4, 8}) {  // the lanes of a block are those of several groups
    for (int64_t stride : {1, 2}) check_conv({{{5, 3, stride, 1, 1, 1}, {19, 3, stride, 1, 1, 0}}, 2, 40 / ics, ics, ics});
  }
  for (int64_t channels : {2, 16, 23, 40}) {
    check_conv({{{6, 3, 1, 1, 1, 1}, {17, 3, 1, 1, 1, 1}}, 2, channels, 1, 1});
    check_conv({{{6, 3, 2, 1, 1, 1}, {17, 3, 2, 2, 1, 1}}, 1, channels, 1, 1});
  }
  for (int64_t width = 2; width < 90; width += width < 20 ? 1 : 11) check_conv({{{5, 3, 2, 1, 1, 1}, {width, 2, 1, 1, 1, 0}}, 2, 3, 1, 2});
  for (int64_t stride : {1, 2, 3, 4}) check_conv({{{7, 3, 1, 2, 2, 1}, {50, 5, stride, 2, 4, 4}}, 1, 3, 1, 1});
  check_conv({{{4, 2, 1, 1, 3, 3}, {9, 3, 1, 1, 1, 1}}, 1, 3, 1, 1});                                       // rows of windows that are padding alone
  for (int64_t stride : {1, 2}) check_conv({{{90, 5, stride, 3, 4, 2}, {70, 3, 1, 1, 1, 1}}, 1, 3, 1, 1});  // several stripes
}

TEST_CASE("conv: an empty batch gives an empty result") {
  CHECK(run_op("Conv", {}, {random_f32({0, 3, 4, 4}, 1), random_f32({2, 3, 2, 2}, 2)})[0].dims() == Dims{0, 2, 3, 3});
}

TEST_CASE("conv: automatic padding puts the odd one where it says") {
  const Tensor x = random_f32({1, 2, 5, 6}, 1), w = random_f32({3, 2, 2, 3}, 2);
  Model m{{{1, 1}, {5, 2, 2, 1, 0, 1}, {6, 3, 2, 1, 0, 1}}, 1, 1, 2, 3};
  check_same(run_op("Conv", {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}, {x, w})[0], m.run(x, w, {}).reshaped({1, 3, 3, 3}));
  m.axes[1].begin = m.axes[2].begin = 1;
  m.axes[1].end = m.axes[2].end = 0;
  check_same(run_op("Conv", {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}}, {x, w})[0], m.run(x, w, {}).reshaped({1, 3, 3, 3}));
  m.axes[1].begin = m.axes[2].begin = 0;
  check_same(run_op("Conv", {{"auto_pad", std::string("VALID")}, {"strides", Ints{2, 2}}}, {x, w})[0], m.run(x, w, {}).reshaped({1, 3, 2, 2}));
}

TEST_CASE("conv: NaN reaches exactly the outputs whose window holds it") {
  Tensor x = random_f32({1, 1, 1, 20}, 1);
  x.mutable_data<float>()[9] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = run_op("Conv", {{"pads", Ints{0, 1, 0, 1}}}, {x, random_f32({1, 1, 1, 3}, 2)})[0];
  for (int64_t i = 0; i < 20; ++i) CHECK(std::isnan(y.data<float>()[i]) == (i >= 8 && i <= 10));
}

TEST_CASE("conv: behind the last channel of a block that is not full no weight is read") {
  for (int64_t kernel : {1, 3}) {
    const Model m = {{{1, 1}, {4, kernel}, {9, kernel}}, 1, 1, 18, 40};
    Tensor w = random_f32(m.weight(), 2);
    const int64_t channel = m.weight().count(1, 5);
    for (int64_t oc : {16, 32}) std::fill_n(w.mutable_data<float>() + oc * channel, channel, std::numeric_limits<float>::infinity());
    const Tensor x = random_f32(m.in(), 1);
    check_same(run_op("Conv", {}, {x, w, absent()})[0], m.run(x, w, absent()));
  }
}

TEST_CASE("conv: which taps over padding are executed follows from the shape alone: infinite weights and sums of -0 tell") {
  const Model models[] = {{{{1, 1}, {5, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}}, 1, 1, 16, 20},
                          {{{1, 1}, {5, 3, 1, 1, 1, 1}, {37, 5, 2, 1, 2, 2}}, 1, 1, 33, 5},
                          {{{1, 1}, {5, 3, 2, 2, 2, 1}, {9, 2, 3, 1, 1, 1}}, 1, 2, 18, 5},
                          {{{1, 1}, {5, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}}, 1, 1, 3, 5},
                          {{{1, 1}, {5, 3, 1, 1, 1, 1}, {9, 3, 1, 1, 1, 1}}, 1, 17, 1, 1},
                          {{{1, 1}, {5, 3, 1, 1, 1, 1}, {1, 3, 1, 1, 1, 1}}, 1, 1, 16, 5},
                          {{{1, 1}, {1, 3, 1, 1, 2, 1}, {2, 5, 1, 1, 4, 2}}, 1, 1, 16, 5},
                          {{{1, 1}, {9, 3, 1, 1, 1, 1}, {5, 1, 1}}, 1, 1, 16, 5},
                          {{{2, 2, 1, 1, 1, 0}, {4, 3, 1, 1, 1, 1}, {5, 3, 1, 1, 1, 1}}, 1, 1, 16, 5},
                          {{{1, 1}, {2, 3, 3, 1, 2, 2}, {20, 3, 1, 1, 1, 1}}, 1, 1, 16, 20},  // two rows without a tap in common
                          {{{1, 1}, {1, 1}, {20, 3, 1, 2, 4, 0}}, 1, 1, 16, 5},
                          {{{1, 1}, {4, 1, 1, 1, 1, 2}, {6, 1, 1, 1, 1, 0}}, 1, 1, 18, 20},  // one tap, over padding
                          {{{1, 1}, {4, 1, 1, 1, 2, 1}, {20, 1, 1, 1, 0, 1}}, 1, 1, 18, 20}};
  for (const Model& m : models) {
    const Dims in = m.in();
    CAPTURE(to_string(in));
    Tensor x = random_f32(in, 1, 0.5f, 1), w = random_f32(m.weight(), 2, -2, -1);
    const Tensor bias = f32({m.groups * m.ocs}, std::vector<float>(static_cast<size_t>(m.groups * m.ocs), -0.0f));
    for (int64_t tap : {int64_t(0), m.weight().count(2, 5) - 1, int64_t(-1)}) {
      if (tap < 0) std::fill_n(x.mutable_data<float>(), x.count(), 0.0f);  // then sums are -0 where nothing was padding
      else w.mutable_data<float>()[tap] = std::numeric_limits<float>::infinity();
      if (tap < 0) w = random_f32(m.weight(), 2, -2, -1);
      Attributes attrs;
      attrs.set("group", m.groups);
      attrs.set("strides", Ints{m.axes[0].stride, m.axes[1].stride, m.axes[2].stride});
      attrs.set("dilations", Ints{m.axes[0].dilation, m.axes[1].dilation, m.axes[2].dilation});
      attrs.set("pads", Ints{m.axes[0].begin, m.axes[1].begin, m.axes[2].begin, m.axes[0].end, m.axes[1].end, m.axes[2].end});
      const Tensor inputs[] = {x, w, bias};
      for (Isa isa : runnable_isas()) {  // not a device, which executes every tap
        auto y = evaluate(*find_op("Conv"), attrs, inputs, 1, {.isa = isa});
        REQUIRE(y.ok());
        check_same((*y)[0], m.run(x, w, bias));
      }
    }
  }
}

TEST_CASE("conv: the fused form adds the residual, then activates, then scales") {
  for (Dims in : {Dims{2, 16, 5, 7}, Dims{1, 3, 4, 30}}) {
    const Tensor x = random_f32(in, 1), w = random_f32({19, in[1], 3, 3}, 2), bias = random_f32({19}, 3);
    const Tensor residual = random_f32({in[0], 19, in[2], in[3]}, 4, -3, 3), scale = random_f32({19}, 5), shift = random_f32({19}, 6);
    const Tensor plain = run_op("Conv", {{"pads", Ints{1, 1, 1, 1}}}, {x, w, bias})[0];
    Tensor expected = *Tensor::allocate(DType::f32, plain.dims());
    const int64_t plane = in[2] * in[3];
    for (int64_t i = 0; i < plain.count(); ++i) {
      float v = plain.data<float>()[i] + residual.data<float>()[i];
      v = v < 0 ? v * 0.25f : v;
      const int64_t c = i / plane % 19;
      expected.mutable_data<float>()[i] = std::fmaf(v, scale.data<float>()[c], shift.data<float>()[c]);
    }
    check_same(run_op("FusedConv", {{"pads", Ints{1, 1, 1, 1}}, {"activation", std::string("LeakyRelu")}, {"alpha", 0.25f}},
                      {x, w, bias, residual, scale, shift})[0],
               expected);
    for (int64_t i = 0; i < plain.count(); ++i) expected.mutable_data<float>()[i] = std::max(0.0f, plain.data<float>()[i]);
    check_same(run_op("FusedConv", {{"pads", Ints{1, 1, 1, 1}}, {"activation", std::string("Relu")}}, {x, w, bias})[0], expected);
    for (int64_t i = 0; i < plain.count(); ++i) expected.mutable_data<float>()[i] = std::clamp(plain.data<float>()[i], -0.5f, 0.75f);
    const Attrs clip = {{"pads", Ints{1, 1, 1, 1}}, {"activation", std::string("Clip")}, {"alpha", -0.5f}, {"beta", 0.75f}};
    check_same(run_op("FusedConv", clip, {x, w, bias})[0], expected);
  }
}

TEST_CASE("conv: a residual may be added to a depthwise, a grouped and a one-pixel result") {
  struct Case {
    Dims x, w;
    int64_t group;
  } cases[] = {
      {{1, 20, 4, 5}, {20, 1, 1, 1}, 20}, {{2, 3, 4, 21}, {6, 1, 1, 1}, 3}, {{1, 6, 4, 5}, {9, 2, 1, 1}, 3}, {{2, 20, 1, 1}, {5, 20, 1, 1}, 1}};
  for (const Case& k : cases) {
    const Tensor x = random_f32(k.x, 1), w = random_f32(k.w, 2), residual = random_f32({k.x[0], k.w[0], k.x[2], k.x[3]}, 4);
    const Tensor plain = run_op("Conv", {{"group", k.group}}, {x, w})[0];
    Tensor expected = *Tensor::allocate(DType::f32, plain.dims());
    for (int64_t i = 0; i < plain.count(); ++i) expected.mutable_data<float>()[i] = plain.data<float>()[i] + residual.data<float>()[i];
    check_same(run_op("FusedConv", {{"group", k.group}}, {x, w, absent(), residual})[0], expected);
  }
}

TEST_CASE("conv: 16-bit floats and doubles follow the same order") {
  const Tensor x = random_f32({1, 20, 3, 4}, 1), w = random_f32({3, 20, 2, 2}, 2), expected = run_op("Conv", {}, {x, w})[0];
  const Tensor f64 = run_op("Conv", {}, {cast(x, DType::f64), cast(w, DType::f64)})[0];
  for (int64_t i = 0; i < expected.count(); ++i) CHECK(f64.data<double>()[i] == doctest::Approx(expected.data<float>()[i]).epsilon(1e-5));
  // Inputs that both hold exactly: the float sums are those of f32, rounded once.
  const Tensor hx = cast(f32({1, 1, 3}, {1, 2, 3}), DType::f16), hw = cast(f32({1, 1, 2}, {0.5f, -4}), DType::f16);
  check_same(run_op("Conv", {}, {hx, hw})[0], cast(f32({1, 1, 2}, {-7.5f, -11}), DType::f16));
  check_same(run_op("Conv", {}, {cast(f32({1, 1, 3}, {1, 2, 3}), DType::bf16), cast(f32({1, 1, 2}, {0.5f, -4}), DType::bf16)})[0],
             cast(f32({1, 1, 2}, {-7.5f, -11}), DType::bf16));
  const Tensor y = cast(f32({1, 1, 2}, {1, 2}), DType::f16);  // an epilogue is of f32 alone
  CHECK(op_error("FusedConv", {}, {hx, hw, absent(), y}).find("f16") != std::string::npos);
  CHECK(op_error("FusedConv", {{"activation", std::string("Relu")}}, {hx, hw}).find("f16") != std::string::npos);
}

TEST_CASE("conv: what does not fit together is refused with both shapes") {
  CHECK(op_error("Conv", {}, {random_f32({1, 3, 4, 4}, 1), random_f32({2, 4, 2, 2}, 2)}).find("input channels differ") != std::string::npos);
  CHECK(op_error("Conv", {}, {random_f32({1, 3, 4, 4}, 1), random_f32({2, 3, 5, 2}, 2)}).find("does not fit") != std::string::npos);
  CHECK(op_error("Conv", {{"group", int64_t(2)}}, {random_f32({1, 4, 4, 4}, 1), random_f32({3, 2, 2, 2}, 2)}).find("no multiple") !=
        std::string::npos);
  CHECK(op_error("Conv", {{"strides", Ints{0, 1}}}, {random_f32({1, 3, 4, 4}, 1), random_f32({2, 3, 2, 2}, 2)}).find("out of range") !=
        std::string::npos);
  CHECK(op_error("Conv", {{"pads", Ints{1, 1}}}, {random_f32({1, 3, 4, 4}, 1), random_f32({2, 3, 2, 2}, 2)}).find("entries") != std::string::npos);
}

TEST_CASE("conv: absurd windows are refused, not computed") {
  const Tensor x = random_f32({1, 16, 3, 3}, 1), w = random_f32({2, 16, 2, 2}, 2);
  CHECK(op_error("Conv", {{"dilations", Ints{int64_t(1) << 40, 1}}}, {x, w}).find("out of range") != std::string::npos);
  CHECK(op_error("Conv", {{"dilations", Ints{1 << 20, 1 << 20}}, {"auto_pad", std::string("SAME_UPPER")}}, {x, w}).find("budget") !=
        std::string::npos);
}

TEST_CASE("conv transpose: the model of a spread-out input and a mirrored kernel, in the same bits") {
  struct Case {
    Dims x;
    Ints kernel, stride, dilation, pads, extra;
    int64_t ocs, group;
  };
  const Case cases[] = {{{1, 3, 4, 5}, {3, 3}, {2, 3}, {1, 1}, {1, 0, 0, 1}, {1, 2}, 5, 1},
                        {{2, 18, 3, 4}, {2, 3}, {1, 2}, {2, 1}, {0, 0, 0, 0}, {0, 0}, 17, 1},
                        {{1, 4, 3, 3}, {3, 2}, {2, 2}, {1, 1}, {2, 1, 2, 1}, {0, 1}, 3, 2},
                        {{1, 2, 3, 3}, {1, 1}, {3, 3}, {1, 1}, {1, 0, 1, 0}, {2, 0}, 2, 1},
                        {{2, 16, 7, 9}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, {0, 0}, 33, 1},
                        {{1, 17, 5, 8}, {4, 4}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {0, 0}, 20, 1},
                        {{1, 16, 5, 8}, {3, 3}, {2, 2}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 16, 1},  // phases that no tap reaches
                        {{1, 16, 5, 4}, {2, 5}, {4, 3}, {3, 2}, {0, 2, 1, 0}, {1, 0}, 16, 1},
                        {{1, 20, 4, 5}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1, 20},    // depthwise
                        {{1, 3, 2, 2}, {2, 40}, {40, 35}, {1, 1}, {0, 0, 0, 0}, {0, 0}, 2, 1}};  // more phases than are worth it
  for (const Case& k : cases) {
    const int64_t ics = k.x[1] / k.group;
    const Tensor x = random_f32(k.x, 1), w = random_f32({k.x[1], k.ocs, k.kernel[0], k.kernel[1]}, 2), bias = random_f32({k.ocs * k.group}, 3);
    Model m{{{1, 1}}, k.x[0], k.group, ics, k.ocs};
    for (size_t a = 0; a < 2; ++a) {
      const int64_t full = (k.kernel[a] - 1) * k.dilation[a];
      m.axes.push_back(
          {k.x[static_cast<int>(2 + a)], k.kernel[a], 1, k.dilation[a], full - k.pads[a], full - k.pads[2 + a] + k.extra[a], k.stride[a]});
    }
    Tensor mirrored = *Tensor::allocate(DType::f32, m.weight());
    const int64_t taps = k.kernel[0] * k.kernel[1];
    for (int64_t g = 0; g < k.group; ++g) {
      for (int64_t oc = 0; oc < k.ocs; ++oc) {
        for (int64_t ic = 0; ic < ics; ++ic) {
          for (int64_t t = 0; t < taps; ++t) {
            mirrored.mutable_data<float>()[((g * k.ocs + oc) * ics + ic) * taps + t] =
                w.data<float>()[((g * ics + ic) * k.ocs + oc) * taps + taps - 1 - t];
          }
        }
      }
    }
    auto y =
        run_op("ConvTranspose", {{"strides", k.stride}, {"dilations", k.dilation}, {"pads", k.pads}, {"output_padding", k.extra}, {"group", k.group}},
               {x, w, bias});
    check_same(y[0], m.run(x, mirrored, bias).reshaped(keep(m.out(), 2)));
  }
}

TEST_CASE("conv transpose: output_shape and SAME choose the cut") {
  const Tensor x = f32({1, 1, 3}, {1, 2, 3}), w = f32({1, 1, 3}, {1, 10, 100});  // full result: 1 10 102 20 203 30 300 with stride 2
  check_same(run_op("ConvTranspose", {{"strides", Ints{2}}}, {x, w})[0], f32({1, 1, 7}, {1, 10, 102, 20, 203, 30, 300}));
  check_same(run_op("ConvTranspose", {{"strides", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}}, {x, w})[0],
             f32({1, 1, 6}, {1, 10, 102, 20, 203, 30}));
  check_same(run_op("ConvTranspose", {{"strides", Ints{2}}, {"auto_pad", std::string("SAME_LOWER")}}, {x, w})[0],
             f32({1, 1, 6}, {10, 102, 20, 203, 30, 300}));
  check_same(run_op("ConvTranspose", {{"strides", Ints{2}}, {"output_shape", Ints{8}}}, {x, w})[0],
             f32({1, 1, 8}, {1, 10, 102, 20, 203, 30, 300, 0}));
  check_same(run_op("ConvTranspose", {{"strides", Ints{2}}, {"pads", Ints{1, 2}}}, {x, w})[0], f32({1, 1, 4}, {10, 102, 20, 203}));
}

TEST_CASE("conv transpose: the fused form adds the residual, then activates, then scales, in every phase and group") {
  struct Case {
    Dims x, w;
    Ints strides;
    int64_t group;
  };
  const Case cases[] = {{{2, 16, 3, 5}, {16, 19, 3, 3}, {2, 3}, 1}, {{1, 6, 4, 9}, {6, 4, 2, 2}, {2, 2}, 2}, {{1, 17, 7}, {17, 3, 4}, {2}, 1}};
  for (const Case& k : cases) {
    const int64_t channels = k.w[1] * k.group;
    const Tensor x = random_f32(k.x, 1), w = random_f32(k.w, 2), bias = random_f32({channels}, 3);
    const Tensor scale = random_f32({channels}, 5), shift = random_f32({channels}, 6);
    const Tensor plain = run_op("ConvTranspose", {{"strides", k.strides}, {"group", k.group}}, {x, w, bias})[0];
    const Tensor residual = random_f32(plain.dims(), 4, -3, 3);
    Tensor expected = *Tensor::allocate(DType::f32, plain.dims());
    const int64_t plane = plain.dims().count(2, plain.dims().rank);
    for (int64_t i = 0; i < plain.count(); ++i) {
      float v = plain.data<float>()[i] + residual.data<float>()[i];
      v = v < 0 ? v * 0.25f : v;
      const int64_t c = i / plane % channels;
      expected.mutable_data<float>()[i] = std::fmaf(v, scale.data<float>()[c], shift.data<float>()[c]);
    }
    const Attrs fused = {{"strides", k.strides}, {"group", k.group}, {"activation", std::string("LeakyRelu")}, {"alpha", 0.25f}};
    check_same(run_op("FusedConvTranspose", fused, {x, w, bias, residual, scale, shift})[0], expected);
    for (int64_t i = 0; i < plain.count(); ++i)
      expected.mutable_data<float>()[i] = std::max(0.0f, plain.data<float>()[i] + residual.data<float>()[i]);
    check_same(
        run_op("FusedConvTranspose", {{"strides", k.strides}, {"group", k.group}, {"activation", std::string("Relu")}}, {x, w, bias, residual})[0],
        expected);
  }
}

TEST_CASE("conv transpose: epilogues that do not fit are refused") {
  const Tensor x = random_f32({1, 2, 3, 3}, 1), w = random_f32({2, 4, 2, 2}, 2);
  CHECK(op_error("FusedConvTranspose", {}, {x, w, random_f32({3}, 3)}).find("one value per output channel") != std::string::npos);
  CHECK(op_error("FusedConvTranspose", {}, {x, w, absent(), random_f32({1, 4, 4, 3}, 3)}).find("the residual is [1,4,4,3]") != std::string::npos);
  CHECK(op_error("FusedConvTranspose", {}, {x, w, absent(), absent(), random_f32({4}, 3)}).find("together") != std::string::npos);
}

}  // namespace tern::test::in_conv
