// What a host program does around tern: little stack, an odd floating-point mode, fork, threads that share a model, sessions that come and
// go. The answers keep their bits, and nothing leaks.
#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfenv>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "tern/flush_subnormals.h"
#include "tern/tern.h"
#include "tests/support/cases.h"

namespace tern::test::in_embedding {
namespace {

std::vector<std::filesystem::path> sample_models() { return folders_with_models(TERN_TEST_DATA "/models"); }

void fill_inputs(Session& session, uint32_t seed) {
  std::mt19937 random(seed);
  for (const Port& port : session.inputs()) {
    const std::span<std::byte> bytes = session.input_bytes(port.name);
    if (port.dtype == DType::f32) {
      for (float& x : session.input<float>(port.name)) x = static_cast<float>(random() % 2048) / 1024 - 1;  // exact in every rounding mode
    } else {
      std::memset(bytes.data(), 0, bytes.size());  // ids, masks
    }
  }
}

std::vector<std::byte> outputs_of(Session& session) {
  std::vector<std::byte> all;
  for (const Port& port : session.outputs()) {
    const auto bytes = session.output_bytes(port.name);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

// Loads, makes a session for dims of 1 and runs it; the bytes of all outputs.
std::vector<std::byte> answer(const std::filesystem::path& folder, uint32_t seed) {
  auto model = load((folder / "model.onnx").string());
  REQUIRE(model.ok());
  auto session = model->session(all_dims(*model, 1));
  REQUIRE(session.ok());
  fill_inputs(*session, seed);
  session->run();
  return outputs_of(*session);
}

// Runs f on a thread with so much stack.
void with_stack(size_t bytes, const std::function<void()>& f) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(
              &thread, &attributes, [](void* p) -> void* { return (*static_cast<const std::function<void()>*>(p))(), nullptr; },
              const_cast<std::function<void()>*>(&f)) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

int64_t resident_kb() {
  long pages = 0, resident = 0;
  if (FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t open_files() {
  size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

}  // namespace

TEST_CASE("embedding: run() needs no more than 64 KB of stack, and gives the same bits") {
  for (const auto& folder : sample_models()) {
    CAPTURE(folder.filename().string());
    const auto expected = answer(folder, 1);
    auto model = load((folder / "model.onnx").string());
    REQUIRE(model.ok());
    auto session = model->session(all_dims(*model, 1));
    REQUIRE(session.ok());
    fill_inputs(*session, 1);
    with_stack(64 << 10, [&] { session->run(); });
    CHECK(outputs_of(*session) == expected);
  }
}

TEST_CASE("embedding: load and session need no more than 256 KB of stack") {
  for (const auto& folder : sample_models()) {
    CAPTURE(folder.filename().string());
    std::vector<std::byte> found;
    with_stack(256 << 10, [&] { found = answer(folder, 1); });
    CHECK(found == answer(folder, 1));
  }
}

TEST_CASE("embedding: the caller's rounding and subnormal modes change no bit, and are the caller's again") {
  for (const auto& folder : sample_models()) {
    CAPTURE(folder.filename().string());
    const auto expected = answer(folder, 2);
    for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      std::fesetround(rounding);
#if defined(__x86_64__)
      const unsigned mode = _mm_getcsr() ^ 0x8040u;
      _mm_setcsr(mode);
#endif
      const auto found = answer(folder, 2);
      const int after = std::fegetround();
#if defined(__x86_64__)
      const unsigned mode_after = _mm_getcsr();
      _mm_setcsr(mode_after ^ 0x8040u);
      CHECK((mode_after | 0x3fu) == (mode | 0x3fu));  // but for the sticky flags
#endif
      std::fesetround(FE_TONEAREST);
      CHECK(after == rounding);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("embedding: within a stretch of flushed subnormals the bits are the same, and the mode is the caller's when it ends") {
  for (const auto& folder : sample_models()) {
    CAPTURE(folder.filename().string());
    const auto expected = answer(folder, 2);
    std::fesetround(FE_UPWARD);
    std::vector<std::byte> found;
    volatile float tiny = 1e-40f, half = 0.5f, within = 0, after_run = 0;
    {
      FlushSubnormals stretch;
      within = tiny * half;
      found = answer(folder, 2);
      after_run = tiny * half;
    }
    const int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(found == expected);
    CHECK(within == 0);
    CHECK(after_run == 0);
    CHECK(after == FE_UPWARD);
    CHECK(tiny * half != 0);
  }
}

TEST_CASE("embedding: a session runs on in a child after fork, and in the parent") {
  const auto folder = sample_models().front();
  auto model = load((folder / "model.onnx").string());
  REQUIRE(model.ok());
  auto session = model->session(all_dims(*model, 1));
  REQUIRE(session.ok());
  fill_inputs(*session, 3);
  session->run();
  const auto expected = outputs_of(*session);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 100; ++i) session->run();
    _exit(outputs_of(*session) == expected ? 0 : 1);
  }
  session->run();
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(outputs_of(*session) == expected);
}

TEST_CASE("embedding: a thousand models loaded and let go leave no memory and no open file behind") {
  const auto models = sample_models();
  auto cycle = [&](int times) {
    for (int i = 0; i < times; ++i) {
      auto model = load((models[static_cast<size_t>(i) % models.size()] / "model.onnx").string());
      REQUIRE(model.ok());
      auto session = model->session(all_dims(*model, 1));
      REQUIRE(session.ok());
      session->run();
    }
  };
  cycle(100);
  const int64_t before = resident_kb();
  const size_t files = open_files();
  cycle(1000);
  CHECK(open_files() == files);
#ifndef TERN_SANITIZED
  CHECK(resident_kb() - before < 4 * 1024);
#endif
}

// TSan sees this one too (label slow).
TEST_CASE("embedding: eight threads share a model, make sessions and destroy them, at random") {
  for (const auto& folder : sample_models()) {
    CAPTURE(folder.filename().string());
    auto model = load((folder / "model.onnx").string());
    REQUIRE(model.ok());
    std::vector<std::vector<std::byte>> expected;
    for (uint32_t seed = 0; seed < 4; ++seed) expected.push_back(answer(folder, seed));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        const Model mine = *model;
        for (int i = 0; i < 12; ++i) {
          SessionOptions options = all_dims(mine, 1);
          options.isa = random() % 2 ? "" : "scalar";
          auto session = mine.session(options);
          if (!session) {
            ++wrong;
            continue;
          }
          Session moved = std::move(*session);
          for (unsigned k = random() % 4; k > 0; --k) {
            const uint32_t seed = random() % 4;
            fill_inputs(moved, seed);
            moved.run();
            if (outputs_of(moved) != expected[seed]) ++wrong;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
  }
}

}  // namespace tern::test::in_embedding
