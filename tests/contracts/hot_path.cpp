// The hot path contract: run() allocates nothing, locks nothing, faults no page, makes no system call. First the checker itself is
// checked with planted violations; then every sample model goes through it.
#include "tests/support/hot_path.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "runtime/base/tensor.h"
#include "runtime/cuda/device.h"
#include "runtime/model.h"
#include "tern/tern.h"
#include "tests/support/threads.h"

namespace tern::test::in_hot_path {
namespace {

std::vector<std::filesystem::path> sample_models() {
  std::vector<std::filesystem::path> paths;
  for (const char* folder : {TERN_TEST_DATA "/models", TERN_TEST_DATA "/loops/steady", TERN_TEST_DATA "/loops/live"}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (std::filesystem::exists(entry.path() / "model.onnx")) paths.push_back(entry.path() / "model.onnx");
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Every symbol of the model's inputs bound to n.
SessionOptions bound(const Model& model, int64_t n) {
  SessionOptions options;
  for (const Port& port : model.inputs()) {
    for (const std::string& dim : port.shape) {
      if (dim.find_first_not_of("0123456789") != std::string::npos) options.dims[dim] = n;
    }
  }
  return options;
}

// A device that computes nothing: what is left is what a session does around it.
struct IdleDevice : cuda::Device {
  struct Run : cuda::DeviceRun {
    bool run() noexcept override { return true; }
    bool run_timed(std::span<double>) noexcept override { return true; }
    Status status() const override { return {}; }
  };
  std::string name() const override { return "idle"; }
  Result<cuda::Memory> allocate(size_t bytes) override { return allocate_aligned(std::max<size_t>(bytes, 1)); }
  Result<cuda::Memory> allocate_host(size_t bytes) override {
    cuda::Memory memory = allocate_aligned(std::max<size_t>(bytes, 1));
    std::fill_n(memory.get(), bytes, std::byte());
    return memory;
  }
  Status upload(std::byte*, std::span<const std::byte>) override { return {}; }
  Result<std::unique_ptr<cuda::DeviceRun>> prepare(std::span<const Launch>, bool) override { return std::unique_ptr<cuda::DeviceRun>(new Run); }
};

}  // namespace

TEST_CASE("hot path: the checker notices a planted allocation") {
  void* volatile kept = nullptr;  // or the compiler deletes the pair
  CHECK(watch_hot_path([&] { kept = std::malloc(24), std::free(kept); }, 10).allocations == 20);
}

TEST_CASE("hot path: the checker notices a planted lock") {
  std::mutex mutex;
  CHECK(watch_hot_path([&] { std::lock_guard lock(mutex); }, 10).locks == 10);
}

TEST_CASE("hot path: the checker notices a planted system call") {
  CHECK(watch_hot_path([] { syscall(SYS_getppid); }, 3).system_call);
  CHECK(!watch_hot_path([] {}, 3).system_call);
}

TEST_CASE("hot path: the checker notices a planted page fault") {
  constexpr size_t kPage = 4096;
  auto* fresh = static_cast<char*>(mmap(nullptr, 64 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  size_t next = 0;
  CHECK(watch_hot_path([&] { fresh[next++ % 64 * kPage] = 1; }, 20).page_faults >= 10);
  munmap(fresh, 64 * kPage);
}

TEST_CASE("hot path: every sample model, those with loops too, runs without allocation, lock, page fault or system call") {
  const auto paths = sample_models();
  REQUIRE(paths.size() >= 10);
  for (const auto& path : paths) {
    auto model = load(path.string());
    REQUIRE_MESSAGE(model.ok(), path.string() << ": " << (model.ok() ? "" : model.error().message()));
    for (int threads : test::thread_counts()) {
      SessionOptions options = bound(*model, 3);
      options.threads = threads;
      auto session = model->session(options);
      REQUIRE_MESSAGE(session.ok(), path.string() << ": " << (session.ok() ? "" : session.error().message()));
      // A child of fork has no workers, so the filter is for one thread only. With more, threads that have spun in vain sleep and are woken:
      // the exception that Session::run names (tests/runtime/workers.cpp).
      if (threads > 1) {
        session->run();
        continue;
      }
      const HotPathReport report = watch_hot_path([&] { session->run(); }, 200);
      CHECK_MESSAGE(report.clean(), path.string() << ": " << report.text());
    }
  }
}

TEST_CASE("hot path: neither keep_warm() nor weights in fewer bits do anything of the kind") {
  int kept = 0;
  for (const auto& path : sample_models()) {
    auto model = load(path.string());
    REQUIRE(model.ok());
    for (const char* weights : {"", "bf16", "int8"}) {
      SessionOptions options = bound(*model, 3);
      options.weights = weights;
      options.warm = true;
      auto session = model->session(options);
      if (!session.ok() && *weights && session.error().message().find("no product") != std::string::npos) continue;
      REQUIRE_MESSAGE(session.ok(), path.string() << ": " << (session.ok() ? "" : session.error().message()));
      kept += *weights != 0;
      bool warm = true;
      const HotPathReport report = watch_hot_path([&] { session->run(), warm &= session->keep_warm(); }, 50);
      CHECK(warm);
      CHECK_MESSAGE(report.clean(), path.string() << " " << weights << ": " << report.text());
    }
  }
  CHECK(kept >= 6);
}

TEST_CASE("hot path: on a device and the CPU a session adds nothing of the kind to what the driver does") {
  for (const auto& path : sample_models()) {
    auto model = load(path.string());
    REQUIRE(model.ok());
    SessionOptions options = bound(*model, 3);
    options.device = "cuda,cpu";
    auto session = session_on(*model, options, std::make_shared<IdleDevice>());
    REQUIRE_MESSAGE(session.ok(), path.string() << ": " << (session.ok() ? "" : session.error().message()));
    const HotPathReport report = watch_hot_path([&] { session->run(); }, 200);
    CHECK_MESSAGE(report.clean(), path.string() << ": " << report.text());
  }
}

}  // namespace tern::test::in_hot_path
