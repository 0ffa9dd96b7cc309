// Sessions on a device: which there are, what is refused, and whole models on the simulated one, byte for byte the CPU's. Contract: tern.h,
// runtime/cuda/device_plan.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/movement/bools.h"
#include "runtime/cuda/modules.h"
#include "runtime/model.h"
#include "tests/support/cases.h"
#include "tests/support/exercise.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test::in_sessions {
namespace {

std::string data(const std::string& path) { return std::string(TERN_TEST_DATA) + "/" + path; }

// Seeded values: floats in [-2, 2), integers in [0, 3) (rows of any embedding), bools.
void fill(std::span<std::byte> bytes, DType dtype, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 1;
  auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  visit(dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
      for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
        T v{};
        if constexpr (std::is_floating_point_v<T>) v = static_cast<T>(next()) / static_cast<T>(1 << 22) - 2;
        else if constexpr (std::is_same_v<T, bool>) v = next() % 2 != 0;
        else if constexpr (std::is_integral_v<T>) v = static_cast<T>(next() % 3);
        std::memcpy(bytes.data() + i, &v, sizeof v);
      }
    }
  });
}

void check_equal(Session& there, Session& here, uint32_t seed) {
  for (const Port& p : here.inputs()) {
    fill(here.input_bytes(p.name), p.dtype, seed);
    std::ranges::copy(here.input_bytes(p.name), there.input_bytes(p.name).begin());
  }
  REQUIRE(here.run());
  const bool ran = there.run();
  REQUIRE_MESSAGE(ran, (ran ? "" : there.status().error().message()));
  for (const Port& p : here.outputs()) {
    CAPTURE(p.name);
    CHECK(same_elements(p.dtype, there.output_bytes(p.name), here.output_bytes(p.name)));
  }
}

}  // namespace

TEST_CASE("device: the sample models on the simulated device have the CPU's bytes, run after run, in both ways of copying and any order of warps") {
  if (cuda::ptx_modules().empty()) return;
  ptxsim::Options second;
  second.async = ptxsim::AsyncMode::at_wait;
  second.order = ptxsim::Options::WarpOrder::shuffled;
  for (const ptxsim::Options& options : {ptxsim::Options(), second}) {
    auto device = cuda::simulated_device(options);
    REQUIRE(device.ok());
    for (const char* name : {"digits_mlp", "digits_cnn", "orderbook_tcn", "text_classifier", "transformer_encoder", "volatility_lstm"}) {
      CAPTURE(name);
      auto model = load(data("models/") + name + "/model.onnx");
      REQUIRE(model.ok());
      SessionOptions with;
      for (const Port& p : model->inputs()) {
        for (const std::string& d : p.shape) {
          if (d.find_first_not_of("0123456789") != std::string::npos) with.dims[d] = 2;
        }
      }
      auto here = model->session(with);
      REQUIRE_MESSAGE(here.ok(), (here.ok() ? "" : here.error().message()));
      auto there = session_on(*model, with, *device);
      REQUIRE_MESSAGE(there.ok(), (there.ok() ? "" : there.error().message()));
      CHECK(there->isa() == "cuda");
      CHECK(there->steps().size() > 0);
      for (uint32_t seed : {1u, 2u}) check_equal(*there, *here, seed);
    }
  }
}

TEST_CASE("device: a second session of a model uploads no weights again") {
  if (cuda::ptx_modules().empty()) return;
  // Counts what a session asks of its device.
  struct Counting : cuda::Device {
    std::shared_ptr<cuda::Device> inner = *cuda::simulated_device();
    size_t uploaded = 0;
    std::string name() const override { return "counting"; }
    Result<cuda::Memory> allocate(size_t bytes) override { return inner->allocate(bytes); }
    Result<cuda::Memory> allocate_host(size_t bytes) override { return inner->allocate_host(bytes); }
    Status upload(std::byte* to, std::span<const std::byte> from) override { return uploaded += from.size(), inner->upload(to, from); }
    Result<std::unique_ptr<cuda::DeviceRun>> prepare(std::span<const Launch> launches, bool) override { return inner->prepare(launches); }
  };
  auto device = std::make_shared<Counting>();
  auto model = load(data("models/digits_mlp/model.onnx"));
  REQUIRE(model.ok());
  auto first = session_on(*model, {.dims = {{"batch", 1}}}, device);
  REQUIRE_MESSAGE(first.ok(), (first.ok() ? "" : first.error().message()));
  const size_t once = device->uploaded;
  CHECK(once > static_cast<size_t>(model->weight_bytes()) / 2);
  auto second = session_on(*model, {.dims = {{"batch", 3}}}, device);
  REQUIRE(second.ok());
  CHECK(device->uploaded - once < static_cast<size_t>(model->weight_bytes()) / 2);
  auto here = model->session({.dims = {{"batch", 3}}});
  check_equal(*second, *here, 5);
}

TEST_CASE("device: bytes that stand for bools become 0 and 1, as many as there are and no more") {
  if (cuda::ptx_modules().empty()) return;
  auto device = *cuda::simulated_device();
  for (int64_t count : {1, 255, 256, 257, 1000}) {
    std::vector<std::byte> bytes;
    for (int64_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(i * 7));
    auto x = device->allocate(bytes.size()), y = device->allocate(bytes.size()), host = device->allocate_host(bytes.size());
    REQUIRE((x.ok() && y.ok() && host.ok()));
    REQUIRE(device->upload(x->get(), bytes).ok());
    Launches launches;
    cuda::launch_bools({reinterpret_cast<uint8_t*>(x->get()), reinterpret_cast<uint8_t*>(y->get()), count}, launches);
    launches.move(Launch::Kind::download, host->get(), y->get(), count);
    auto run = device->prepare(launches.all());
    REQUIRE(run.ok());
    const bool ran = (*run)->run();
    REQUIRE_MESSAGE(ran, (ran ? "" : (*run)->status().error().message()));
    for (size_t i = 0; i < bytes.size(); ++i) CHECK(host->get()[i] == std::byte(bytes[i] != std::byte(0)));
  }
}

TEST_CASE("device: names that are none, and threads, are wrong usage") {
  auto model = load(data("models/digits_mlp/model.onnx"));
  REQUIRE(model.ok());
  for (const char* name :
       {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1000", "ptxsim", "CUDA", "cpu,cuda", "auto,cpu", "cuda,", ",cpu", "cuda,cpu,cpu"}) {
    CAPTURE(name);
    auto s = model->session({.dims = {{"batch", 1}}, .device = name});
    REQUIRE(!s.ok());
    CHECK(s.error().code() == Code::kUsage);
    CHECK(s.error().message().find("known: cpu, cuda, cuda:N, auto, and cuda,cpu") != std::string::npos);
  }
  for (const char* name : {"cuda", "cuda,cpu", "cuda:1,cpu"}) {
    auto s = model->session({.dims = {{"batch", 1}}, .threads = 2, .device = name});
    REQUIRE(!s.ok());
    CHECK(s.error().message() == std::string("a session on ") + name + " has one thread");
  }
  auto cpu = model->session({.dims = {{"batch", 1}}, .device = "cpu"});
  REQUIRE(cpu.ok());
  CHECK(cpu->isa() != "cuda");
}

TEST_CASE("device: a precision is that of one session: its products are near the CPU's, and another session of the model has the CPU's bytes") {
  if (cuda::ptx_modules().empty()) return;
  auto device = cuda::simulated_device();
  REQUIRE(device.ok());
  auto model = load(data("models/digits_mlp/model.onnx"));
  REQUIRE(model.ok());
  const SessionOptions plain = {.dims = {{"batch", 2}}};
  auto here = model->session(plain);
  REQUIRE(here.ok());
  const std::string output = here->outputs()[0].name;
  std::vector<std::unique_ptr<Session>> alive;  // so that the weights stay on the device
  const std::pair<const char*, float> cases[] = {{"tf32", 0.01f}, {"f16", 0.01f}, {"bf16", 0.1f}, {"f32", 0.0f}, {"", 0.0f}};
  for (const auto& c : cases) {
    const std::string precision = c.first;
    const float error = c.second;
    CAPTURE(precision);
    SessionOptions with = plain;
    with.precision = precision;
    auto there = session_on(*model, with, *device);
    REQUIRE_MESSAGE(there.ok(), (there.ok() ? "" : there.error().message()));
    const std::string wanted = error == 0 ? "gemm/f32/cuda" : "gemm_" + precision + "/f32/cuda";
    CHECK(std::ranges::any_of(there->steps(), [&](const StepInfo& s) { return s.kernel == wanted; }));
    if (error == 0) {
      check_equal(*there, *here, 7);
    } else {
      for (const Port& p : here->inputs()) {
        fill(here->input_bytes(p.name), p.dtype, 7);
        std::ranges::copy(here->input_bytes(p.name), there->input_bytes(p.name).begin());
      }
      REQUIRE(here->run());
      REQUIRE(there->run());
      const auto a = here->output<float>(output), b = there->output<float>(output);
      float worst = 0;
      for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
      CHECK((worst > 0 && worst < error));
    }
    alive.push_back(std::make_unique<Session>(std::move(*there)));
  }
  auto none = session_on(*model, {.dims = {{"batch", 2}}, .gemm = "cublas"}, *device);
  REQUIRE(!none.ok());
  CHECK(none.error().code() == Code::kUnsupported);
  CHECK(none.error().message().find("cuBLAS") != std::string::npos);
}

TEST_CASE("device: other arithmetic is refused where no device is named, and by names that are none") {
  auto model = load(data("models/digits_mlp/model.onnx"));
  REQUIRE(model.ok());
  const auto error = [&](const char* device, const char* precision, const char* gemm) {
    auto s = model->session({.dims = {{"batch", 1}}, .device = device, .precision = precision, .gemm = gemm});
    return s ? std::string() : (s.error().code() == Code::kUsage ? "usage: " : "") + s.error().message();
  };
  for (const char* device : {"", "cpu", "auto"}) {
    CHECK(error(device, "tf32", "").starts_with("usage: precision tf32 needs a device"));
    CHECK(error(device, "", "cublas").starts_with("usage: gemm cublas needs a device"));
    CHECK(error(device, "f32", "own") == "");
  }
  CHECK(error("cuda", "f64", "") == "usage: unknown precision 'f64'; known: f32, tf32, f16, bf16");
  CHECK(error("cpu", "", "mkl") == "usage: unknown gemm 'mkl'; known: own, cublas");
}

TEST_CASE("device: where no GPU can be used, cuda says why and auto computes on the CPU") {
  if (cuda::open_device("cuda").ok()) return;
  auto model = load(data("models/digits_mlp/model.onnx"));
  REQUIRE(model.ok());
  auto none = model->session({.dims = {{"batch", 1}}, .device = "cuda"});
  REQUIRE(!none.ok());
  CHECK(none.error().code() == Code::kUnsupported);
  CHECK(none.error().message().find("CPU") != std::string::npos);
  auto here = model->session({.dims = {{"batch", 1}}});
  auto chosen = model->session({.dims = {{"batch", 1}}, .device = "auto"});
  REQUIRE(chosen.ok());
  CHECK(chosen->isa() == here->isa());
  check_equal(*chosen, *here, 3);
}

}  // namespace tern::test::in_sessions
