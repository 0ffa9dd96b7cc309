// Products in other arithmetic. On the tensor cores: against a product in double, within the error that is stated, on shapes around the edges of
// their tiles; NaN and infinity. By cuBLAS: what it is told (driver.sh runs it). And that nobody gets them who has not asked. Contracts:
// kernels/gemm/tensor.h, kernels/gemm/library.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "kernels/conv/tensor.h"
#include "kernels/gemm/library.h"
#include "kernels/gemm/tensor.h"
#include "runtime/cuda/modules.h"
#include "tests/support/device.h"
#include "tests/support/op_test.h"
#include "tools/ptxsim/ptxsim.h"

namespace tern::test::in_precision {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr Precision kAll[] = {Precision::tf32, Precision::f16, Precision::bf16};
const char* name_of(Precision p) { return p == Precision::tf32 ? "tf32" : p == Precision::f16 ? "f16" : "bf16"; }

// This build has no kernels. The simulator, where the environment names no other device.
bool none() {
  setenv("TERN_TEST_DEVICE", "ptxsim", 0);
  return cuda::ptx_modules().empty();
}

Attributes attributes(Attrs list) {
  Attributes a;
  for (const auto& [name, value] : list) a.set(name, value);
  return a;
}
const KernelRow& row_of(const OpDef& op, Precision p) {
  return std::string_view(op.name).find("Conv") == std::string_view::npos ? cuda::tensor_row(p) : cuda::conv_tensor_row(p);
}
Tensor device_product(const OpDef& op, const Attributes& attrs, const std::vector<Tensor>& inputs, const Tensor& like, uint32_t constants,
                      Precision precision, const std::function<void(Launch&)>& change = {}) {
  const DeviceResult there = run_on_device(op, attrs, inputs, {&like, 1}, constants, change, {.precision = precision});
  INFO(there.why);
  REQUIRE(there.row != nullptr);
  CHECK(there.row == &row_of(op, precision));
  CHECK(there.why == "");
  return there.outputs[0];
}

// The largest |error|, in units of what the contract allows: within 1. Inputs lie in [-1, 1).
void check_error(const char* op_name, Attrs list, const std::vector<Tensor>& inputs, int64_t k, uint32_t constants, Precision precision,
                 const std::function<void(Launch&)>& change = {}) {
  const OpDef& op = *find_op(op_name);
  std::string text = std::string(op_name) + " by " + name_of(precision) + ":";
  for (const Tensor& t : inputs) text += t.present() ? " " + to_string(t.dims()) : " _";
  CAPTURE(text);
  std::vector<Tensor> exact, absolute;
  for (const Tensor& t : inputs) {
    exact.push_back(t.present() ? cast(t, DType::f64) : absent());
    absolute.push_back(t.present() ? cast(t, DType::f64) : absent());
    if (!t.present()) continue;
    double* v = reinterpret_cast<double*>(absolute.back().mutable_raw());
    for (int64_t i = 0; i < t.dims().count(); ++i) v[i] = std::fabs(v[i]);
  }
  const Attributes attrs = attributes(list);
  auto wanted = evaluate(op, attrs, exact, 1, {}), sums = evaluate(op, attrs, absolute, 1, {});
  REQUIRE_MESSAGE(wanted.ok(), (wanted.ok() ? "" : wanted.error().message()));
  REQUIRE(sums.ok());
  const Tensor like = *Tensor::allocate(DType::f32, (*wanted)[0].dims());
  const Tensor y = device_product(op, attrs, inputs, like, constants, precision, change);
  const double u = precision == Precision::bf16 ? 0x1p-8 : 0x1p-11,
               tiny = precision == Precision::f16 ? 0x1p-24 * (1 + u) * static_cast<double>(k) : 0;
  double worst = 0;
  for (int64_t i = 0; i < y.dims().count(); ++i) {
    const double error = std::fabs((*wanted)[0].data<double>()[i] - static_cast<double>(y.data<float>()[i])), s = (*sums)[0].data<double>()[i];
    const double allowed = (2 + u) * u * s + static_cast<double>(k + 4) * 0x1p-22 * s + tiny;
    if (!(error <= allowed)) worst = std::isnan(error) ? kInf : std::max(worst, error / std::max(allowed, 1e-300));
  }
  CHECK(worst <= 1);
}

template <class T>
const T& pick(const std::vector<T>& from, std::mt19937& engine) {
  return from[engine() % from.size()];
}

struct Form {
  const char* tile;
  int64_t rows, columns;
  uint32_t threads;
};
constexpr Form kForms[] = {{"gemm_128x128_by_", 128, 128, 256}, {"gemm_64x64_by_", 64, 64, 128}, {"gemm_16x64_by_", 16, 64, 128}};

// That form instead of the one that is chosen; fewer blocks than tiles where `walk` says so.
std::function<void(Launch&)> as(const Form& form, Precision precision, int64_t m, int64_t n, bool walk) {
  static std::string kernel;
  kernel = form.tile + std::string(name_of(precision));
  const int64_t tiles = (m + form.rows - 1) / form.rows * ((n + form.columns - 1) / form.columns);
  return [&form, walk, blocks = walk ? (tiles + 1) / 2 : tiles](Launch& l) {
    if (std::string_view(l.kernel).find("_by_") == std::string_view::npos) {  // of the rounding
      if (walk) l.grid.x = (l.grid.x + 1) / 2;
      return;
    }
    l.kernel = kernel.c_str();
    l.grid = {static_cast<uint32_t>(blocks)};
    l.block = {form.threads};
  };
}

}  // namespace

TEST_CASE("tensor cores: every form is within the stated error, around the edges of its tiles and with every epilogue") {
  if (none()) return;
  std::mt19937 engine(1);
  const std::vector<int64_t> ms = {1, 2, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 127, 129, 130},
                             ns = {1, 2, 3, 7, 8, 9, 15, 31, 63, 64, 65, 66, 127, 129},
                             ks = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 97};
  uint32_t seed = 0;
  for (Precision precision : kAll) {
    for (const Form& form : kForms) {
      for (int i = 0; i < 24; ++i) {
        const int64_t m = pick(ms, engine), n = pick(ns, engine), k = pick(ks, engine);
        const bool transposed = engine() % 2 != 0;
        std::vector<Tensor> inputs = {random_f32({m, k}, ++seed), random_f32(transposed ? Dims{n, k} : Dims{k, n}, ++seed),
                                      engine() % 3 == 0 ? absent() : random_f32({n}, ++seed)};
        if (engine() % 2) inputs.push_back(random_f32({m, n}, ++seed));
        check_error("Linear", {{"transB", int64_t(transposed)}, {"activation", pick<std::string>({"", "Relu"}, engine)}}, inputs, k,
                    engine() % 2 ? 6 : 0, precision, as(form, precision, m, n, engine() % 2));
      }
    }
  }
}

TEST_CASE("tensor cores: batches, broadcast operands, transposed ones, alpha and beta") {
  if (none()) return;
  for (Precision precision : kAll) {
    for (uint32_t constants : {0u, 2u}) {
      for (const auto& [a, b] : std::vector<std::pair<Dims, Dims>>{{{3, 5, 7}, {3, 7, 9}},
                                                                   {{2, 1, 65, 33}, {1, 3, 33, 17}},
                                                                   {{7}, {7, 130}},
                                                                   {{4, 1, 129}, {129}},
                                                                   {{3, 0}, {0, 5}},
                                                                   {{2, 3, 20, 40}, {40, 10}}}) {
        check_error("MatMul", {}, {random_f32(a, 1), random_f32(b, 2)}, a.back(), constants, precision);
      }
    }
    for (const auto& [ta, tb] : std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
      for (const Dims& c : {Dims{33, 70}, Dims{70}, Dims{33, 1}, Dims{}}) {
        check_error("Gemm", {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", 2.0f}},
                    {random_f32(ta ? Dims{19, 33} : Dims{33, 19}, 1), random_f32(tb ? Dims{70, 19} : Dims{19, 70}, 2), random_f32(c, 3)}, 19,
                    ta ? 2 : 0, precision);
      }
    }
  }
  // As many tiles as a large card wants before it takes the large ones.
  check_error("MatMul", {}, {random_f32({1409, 9}, 1), random_f32({9, 1409}, 2)}, 9, 2, Precision::f16);
}

TEST_CASE("tensor cores: a product of numbers that the factors hold is exact, whichever element it is") {
  if (none()) return;
  const int64_t m = 37, n = 71, k = 53;
  Tensor x = random_f32({m, k}, 1, -8, 8), w = random_f32({k, n}, 2, -8, 8);
  for (Tensor* t : {&x, &w}) {
    float* v = reinterpret_cast<float*>(t->mutable_raw());
    for (int64_t i = 0; i < t->dims().count(); ++i) v[i] = std::rint(v[i]);
  }
  const OpDef& op = *find_op("MatMul");
  auto wanted = evaluate(op, {}, std::vector<Tensor>{x, w}, 1, {});
  REQUIRE(wanted.ok());
  for (Precision precision : kAll) {
    for (uint32_t constants : {0u, 2u}) check_same(device_product(op, {}, {x, w}, (*wanted)[0], constants, precision), (*wanted)[0]);
  }
}

TEST_CASE("tensor cores: an activation that is no Relu is applied to what was stored") {
  if (none()) return;
  const Tensor x = random_f32({18, 20}, 1), w = random_f32({20, 67}, 2), b = random_f32({67}, 3);
  for (Precision precision : kAll) {
    const Tensor like = *Tensor::allocate(DType::f32, {18, 67});
    const Tensor plain = device_product(*find_op("Linear"), {}, {x, w, b}, like, 2, precision);
    auto wanted = evaluate(*find_op("Tanh"), {}, std::vector<Tensor>{plain}, 1, {.isa = runnable_isas().back()});
    REQUIRE(wanted.ok());
    check_same(device_product(*find_op("Linear"), attributes({{"activation", std::string("Tanh")}}), {x, w, b}, like, 2, precision), (*wanted)[0]);
  }
}

TEST_CASE("tensor cores: convolutions are within the stated error, around the edges of their tiles") {
  if (none()) return;
  std::mt19937 engine(3);
  uint32_t seed = 0;
  const auto fewer = [](Launch& l) { l.grid.x = (l.grid.x + 1) / 2; };  // a block computes several tiles
  for (Precision precision : kAll) {
    for (int i = 0; i < 40; ++i) {
      const auto axes = 1 + engine() % 3;
      const int64_t g = pick<int64_t>({1, 1, 1, 2, 3}, engine), ic = pick<int64_t>({1, 3, 4, 15, 16, 17, 33}, engine),
                    oc = pick<int64_t>({2, 15, 16, 17, 31, 63, 64, 65, 130}, engine);
      Dims x{pick<int64_t>({1, 1, 2}, engine), g * ic}, w{g * oc, ic};
      std::vector<int64_t> pads, ends, strides, dilations;
      for (size_t d = 0; d < axes; ++d) {
        const int64_t taps = pick<int64_t>({1, 2, 3}, engine), dilation = pick<int64_t>({1, 1, 2}, engine);
        x.push_back((taps - 1) * dilation +
                    pick<int64_t>(axes == 1 ? std::vector<int64_t>{1, 31, 64, 65} : std::vector<int64_t>{1, 2, 7, 9}, engine));
        w.push_back(taps);
        pads.push_back(pick<int64_t>({0, 1, 2}, engine));
        ends.push_back(pick<int64_t>({0, 1}, engine));
        strides.push_back(pick<int64_t>({1, 1, 2, 3}, engine));
        dilations.push_back(dilation);
      }
      pads.insert(pads.end(), ends.begin(), ends.end());
      const bool transposed = i % 4 == 3;  // [C, OC of a group, taps]
      if (transposed) std::swap(w[0], w[1]), w[0] = g * ic, w[1] = oc;
      const std::vector<Tensor> inputs = {random_f32(x, ++seed), random_f32(w, ++seed), engine() % 2 ? random_f32({g * oc}, ++seed) : absent()};
      const int64_t terms = ic * w.count(2, w.rank);
      if (transposed)
        check_error(
            "ConvTranspose", {{"group", g}, {"strides", strides}}, inputs, terms, 6, precision, i % 2 ? fewer : [](Launch&) {});
      else
        check_error(
            "Conv", {{"group", g}, {"pads", pads}, {"strides", strides}, {"dilations", dilations}}, inputs, terms, 6, precision,
            i % 2 ? fewer : [](Launch&) {});
    }
  }
}

TEST_CASE("tensor cores: a convolution of numbers that the factors hold is exact, with every epilogue") {
  if (none()) return;
  uint32_t seed = 50;
  const auto whole = [&](Dims dims) {
    Tensor t = random_f32(dims, ++seed, -4, 4);
    float* v = reinterpret_cast<float*>(t.mutable_raw());
    for (int64_t i = 0; i < dims.count(); ++i) v[i] = std::rint(v[i]);
    return t;
  };
  const OpDef& op = *find_op("FusedConv");
  for (const int64_t oc : {5, 70}) {
    for (const char* activation : {"", "Relu", "Tanh"}) {
      for (const bool all : {false, true}) {
        std::vector<Tensor> inputs = {whole({2, 6, 7, 9}), whole({oc * 2, 3, 3, 3}), whole({oc * 2})};
        if (all) inputs.insert(inputs.end(), {whole({2, oc * 2, 7, 9}), random_f32({oc * 2}, ++seed), random_f32({oc * 2}, ++seed)});
        const Attributes attrs =
            attributes({{"group", int64_t(2)}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"activation", std::string(activation)}});
        auto wanted = evaluate(op, attrs, inputs, 1, {.isa = runnable_isas().back()});
        REQUIRE_MESSAGE(wanted.ok(), (wanted.ok() ? "" : wanted.error().message()));
        for (Precision precision : kAll) check_same(device_product(op, attrs, inputs, (*wanted)[0], ~0u, precision), (*wanted)[0]);
      }
    }
  }
}

TEST_CASE("tensor cores: a convolution's NaN and infinity pass, an infinite weight over padding gives NaN") {
  if (none()) return;
  const Tensor x = f32({1, 1, 4}, {1, kNaN, 1, 1}), w = f32({2, 1, 3}, {1, 1, 1, 1, 1, kInf}), like = *Tensor::allocate(DType::f32, {1, 2, 4});
  for (Precision precision : kAll) {
    const Tensor y = device_product(*find_op("Conv"), attributes({{"pads", std::vector<int64_t>{1, 1}}}), {x, w}, like, 2, precision);
    const float* v = y.data<float>();
    CHECK((std::isnan(v[0]) && std::isnan(v[1]) && std::isnan(v[2]) && v[3] == 2));
    CHECK((std::isnan(v[6]) && std::isnan(v[7])));
  }
}

TEST_CASE("tensor cores: convolutions without constant weights, and of single channels, keep the CPU's bits") {
  if (none()) return;
  const Tensor x = random_f32({1, 4, 9, 9}, 1), w = random_f32({6, 4, 3, 3}, 2), each = random_f32({4, 1, 3, 3}, 3);
  const OpDef& op = *find_op("Conv");
  for (const bool depthwise : {false, true}) {
    const std::vector<Tensor> inputs = {x, depthwise ? each : w};
    const Attributes attrs = attributes({{"group", int64_t(depthwise ? 4 : 1)}});
    auto wanted = evaluate(op, attrs, inputs, 1, {});
    REQUIRE(wanted.ok());
    const DeviceResult there = run_on_device(op, attrs, inputs, *wanted, depthwise ? 2 : 0, {}, {.precision = Precision::bf16});
    CHECK(there.row == &cuda::conv_f32);
    check_same(there.outputs[0], (*wanted)[0]);
  }
}

TEST_CASE("tensor cores: NaN and infinity pass, and f16 ends at 65504") {
  if (none()) return;
  const OpDef& op = *find_op("MatMul");
  const Tensor x = f32({3, 2}, {kNaN, 1, kInf, 1, 70000, 1}), w = f32({2, 2}, {1, 0, 2, 2}), like = *Tensor::allocate(DType::f32, {3, 2});
  for (Precision precision : kAll) {
    CAPTURE(name_of(precision));
    const Tensor y = device_product(op, {}, {x, w}, like, 0, precision);
    const float* v = y.data<float>();
    CHECK((std::isnan(v[0]) && std::isnan(v[1])));
    CHECK((v[2] == kInf && std::isnan(v[3])));
    if (precision == Precision::f16) {
      CHECK((v[4] == kInf && std::isnan(v[5])));
    } else {
      CHECK((std::fabs(v[4] - 70002) < 70000 / 200 && v[5] == 2));
    }
    const Tensor rectified = device_product(*find_op("Linear"), attributes({{"activation", std::string("Relu")}}), {x, w}, like, 2, precision);
    CHECK(std::isnan(rectified.data<float>()[0]));
  }
}

TEST_CASE("tensor cores: rounding is to nearest even, and what is no number stays none") {
  CHECK(cuda::to_tf32(1.0f).bits == 0x3f800000u);
  CHECK(cuda::to_tf32(std::bit_cast<float>(0x3f801000u)).bits == 0x3f800000u);  // half way, to even
  CHECK(cuda::to_tf32(std::bit_cast<float>(0x3f803000u)).bits == 0x3f804000u);
  CHECK(cuda::to_tf32(std::bit_cast<float>(0x3f801001u)).bits == 0x3f802000u);
  CHECK(cuda::to_tf32(std::bit_cast<float>(0xbf803000u)).bits == 0xbf804000u);
  CHECK(cuda::to_tf32(std::numeric_limits<float>::max()).bits == 0x7f800000u);
  CHECK(cuda::to_tf32(-kInf).bits == 0xff800000u);
  CHECK(std::isnan(std::bit_cast<float>(cuda::to_tf32(std::bit_cast<float>(0x7fffffffu)).bits)));
  CHECK(std::isnan(std::bit_cast<float>(cuda::to_tf32(std::bit_cast<float>(0x7f800001u)).bits)));
}

TEST_CASE("tensor cores: shared memory has no bank conflicts, and neither addresses nor decisions depend on data") {
  if (none()) return;
  const auto modules = cuda::ptx_modules();
  const auto at = std::find_if(modules.begin(), modules.end(), [](const cuda::DeviceModule& m) { return std::string_view(m.name) == "gemm/tensor"; });
  REQUIRE(at != modules.end());
  auto module = ptxsim::Module::parse({reinterpret_cast<const char*>(at->image.data()), at->image.size()}, "tensor.ptx");
  REQUIRE(module.ok());
  constexpr int64_t kM = 130, kN = 132, kRowBytes = 3 * cuda::kStageBytes;
  ptxsim::Machine machine;
  ptxsim::Options options;
  options.taint = true;
  const auto room = [&](size_t bytes) {
    const std::vector<std::byte> zeros(bytes);
    const uint64_t address = *machine.allocate(bytes);
    REQUIRE(machine.write(address, zeros.data(), bytes).ok());
    return reinterpret_cast<std::byte*>(address);
  };
  cuda::TensorArgs args{room(kM * kRowBytes), room(kN * kRowBytes), kRowBytes, {}};
  args.product.y = reinterpret_cast<float*>(room(kM * kN * 4));
  args.product.batches = 1;
  args.product.m = kM;
  args.product.n = args.product.y_row = kN;
  args.product.wide_y = true;
  for (Precision precision : kAll) {
    for (const Form& form : kForms) {
      const std::string kernel = form.tile + std::string(name_of(precision));
      CAPTURE(kernel);
      const auto blocks = static_cast<uint32_t>((kM + form.rows - 1) / form.rows * ((kN + form.columns - 1) / form.columns));
      auto result = machine.launch(*module, kernel, {blocks}, {form.threads}, 0, std::as_bytes(std::span(&args, 1)), options);
      REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message()));
      CHECK(result->findings.empty());
      CHECK(result->taint.clean());
      CHECK(result->counters.shared_wavefronts == 4 * result->counters.shared_requests);  // of 16 bytes a lane
    }
  }
}

namespace {

// As cuBLAS reads what it is told, on the host.
void multiply(const CublasProduct& p) {
  for (int64_t b = 0; b < p.batches; ++b) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < p.k; ++k) {
          const float x = p.x[b * p.x_step + (p.x_transposed ? k * p.x_row + i : i * p.x_row + k)];
          const float w = p.w[b * p.w_step + (p.w_transposed ? j * p.w_row + k : k * p.w_row + j)];
          sum += static_cast<double>(x) * static_cast<double>(w);
        }
        p.y[b * p.y_step + i * p.n + j] = static_cast<float>(static_cast<double>(p.alpha) * sum);
      }
    }
  }
}

}  // namespace

TEST_CASE("cuBLAS: is told which matrices, where, and is not asked for what it cannot do") {
  struct Case {
    const char* op;
    std::vector<std::pair<const char*, Attributes::Value>> attrs;
    Dims x, w;
    bool can;
  };
  const Case cases[] = {{"MatMul", {}, {5, 7}, {7, 9}, true},
                        {"MatMul", {}, {3, 5, 7}, {3, 7, 9}, true},
                        {"MatMul", {}, {2, 3, 5, 7}, {2, 3, 7, 4}, true},
                        {"MatMul", {}, {7}, {3, 7, 4}, true},
                        {"MatMul", {}, {2, 1, 5, 3}, {1, 3, 3, 7}, false},
                        {"MatMul", {}, {2, 0}, {0, 3}, false},
                        {"MatMul", {}, {4, 1, 12}, {12}, true},
                        {"Gemm", {{"transA", int64_t(1)}, {"alpha", 0.5f}}, {6, 5}, {6, 9}, true},
                        {"Gemm", {{"transB", int64_t(1)}}, {5, 6}, {9, 6}, true},
                        {"Gemm", {{"transA", int64_t(1)}}, {6, 1}, {6, 9}, true},
                        {"Gemm", {{"transB", int64_t(1)}}, {5, 1}, {9, 1}, true},
                        {"Gemm", {{"transA", int64_t(1)}, {"transB", int64_t(1)}, {"alpha", -2.0f}}, {6, 5}, {9, 6}, true},
                        {"Linear", {{"transB", int64_t(1)}}, {2, 5, 6}, {9, 6}, true},
                        {"Linear", {}, {2, 5, 6}, {6, 9}, true}};
  for (const Case& c : cases) {
    const OpDef& op = *find_op(c.op);
    Attributes attrs;
    for (const auto& [name, value] : c.attrs) attrs.set(name, value);
    const std::vector<Tensor> inputs = {random_f32(c.x, 1), random_f32(c.w, 2)};
    auto wanted = evaluate(op, attrs, inputs, 1, {});
    REQUIRE(wanted.ok());
    INFO(std::string(c.op) << " " << to_string(c.x) << " " << to_string(c.w));
    Tensor y = *Tensor::allocate(DType::f32, (*wanted)[0].dims());
    const TensorView in[] = {inputs[0].view(), inputs[1].view()}, out = y.view();
    auto bound = bind_op(op, {.attrs = {op.attrs, attrs}, .isa = Isa::cuda, .products = {.cublas = true}, .inputs = in, .outputs = {&out, 1}});
    REQUIRE(bound.ok());
    REQUIRE(bound->row == (c.can ? &cuda::gemm_cublas_f32 : &cuda::gemm_f32));
    if (!c.can) continue;
    const auto image = allocate_aligned(static_cast<size_t>(bound->image_bytes()));
    const std::byte* from[] = {inputs[0].raw(), inputs[1].raw()};
    std::byte* to[] = {y.mutable_raw()};
    link_image(*bound, image.get(), image.get(), {.inputs = from, .outputs = to});
    Launches launches;
    bound->row->launch(image.get(), launches);
    REQUIRE(launches.all().size() == 1);  // nothing is left to be done
    REQUIRE(launches.all()[0].kind == Launch::Kind::product);
    CublasProduct product;
    std::memcpy(&product, launches.all()[0].args.data(), sizeof product);
    CHECK(product.x_row >= (product.x_transposed ? product.m : product.k));
    CHECK(product.w_row >= (product.w_transposed ? product.k : product.n));
    multiply(product);
    check_close(y, (*wanted)[0], 16, 1e-6f);
  }
}

TEST_CASE("cuBLAS: where the result lies on the residual, the product goes elsewhere first") {
  const Tensor x = random_f32({4, 8}, 1), w = random_f32({8, 4}, 2), bias = random_f32({4}, 3), y = random_f32({4, 4}, 4);
  const TensorView in[] = {x.view(), w.view(), bias.view(), y.view()}, out = y.view();
  const OpDef& op = *find_op("Linear");
  const Attributes none_given;
  for (const uint32_t in_place : {0u, 8u}) {
    auto bound = bind_op(
        op,
        {.attrs = {op.attrs, none_given}, .isa = Isa::cuda, .products = {.cublas = true}, .inputs = in, .outputs = {&out, 1}, .in_place = in_place});
    REQUIRE(bound.ok());
    CHECK((bound->workspace_bytes >= 64) == (in_place != 0));
  }
}

TEST_CASE("tensor cores: nobody gets them who has not asked") {
  const Tensor x = random_f32({4, 8}, 1), w = random_f32({8, 4}, 2), y = random_f32({4, 4}, 3);
  const TensorView in[] = {x.view(), w.view()}, out = y.view();
  const Attributes none_given;
  const OpDef& op = *find_op("MatMul");
  auto row = [&](Isa isa, Products products) {
    auto bound = bind_op(op, {.attrs = {op.attrs, none_given}, .isa = isa, .products = products, .inputs = in, .outputs = {&out, 1}});
    REQUIRE(bound.ok());
    return bound->row;
  };
  CHECK(row(Isa::cuda, {}) == &cuda::gemm_f32);
  CHECK(tern::pick(op.kernels, DType::f32, Isa::cuda) == &cuda::gemm_f32);
  CHECK(row(Isa::cuda, {.precision = Precision::bf16}) == &cuda::tensor_row(Precision::bf16));
  CHECK(row(Isa::scalar, {.precision = Precision::bf16})->isa == Isa::scalar);
  CHECK(row(Isa::scalar, {.cublas = true})->isa == Isa::scalar);
}

}  // namespace tern::test::in_precision
