// Thousands of models that are nearly right: whatever they hold, each step from loading to running is an error or an answer, and plan and
// evaluator agree to the bit on every answer. The fuzz target `onnx` goes on from here.
#include <doctest/doctest.h>

#include <random>

#include "tests/support/cheap.h"
#include "tests/support/exercise.h"
#include "tests/support/random_model.h"

namespace tern::test::in_random_models {

TEST_CASE("random models: nearly right models give errors or the same answers from plan and evaluator") {
  const int kRounds = kSanitized ? 800 : 4000;
  const int64_t before = peak_kb();
  int loaded = 0, planned = 0, ran = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::mt19937 random(static_cast<uint32_t>(round));
    std::vector<uint8_t> decisions(64 + random() % 448);
    for (uint8_t& d : decisions) d = static_cast<uint8_t>(random());
    Choices choices(decisions);
    const std::string file = random_model(choices);
    const Exercise e = exercise(bytes(file));
    CHECK_MESSAGE(e.fault == "", "round " << round << ": " << e.fault);
    loaded += e.loaded;
    planned += e.planned;
    ran += e.ran > 0;
  }
  MESSAGE(loaded << " of " << kRounds << " load, " << planned << " are planned, " << ran << " run");
  CHECK(loaded > kRounds / 5);  // else they test the loader alone
  CHECK(ran > kRounds / 10);
  if (!kSanitized) CHECK(peak_kb() - before < 256 * 1024);  // four arenas of at most 64 MB, and what the allocator keeps
}

TEST_CASE("random models: official cases with bytes changed") {
  std::mt19937 random(11);
  int loaded = 0, rounds = 0;
  for (const auto& path : folders_with_models(TERN_TEST_DATA "/node")) {
    auto whole = read_file((path / "model.onnx").string());
    REQUIRE(whole.ok());
    for (int round = 0; round < (kSanitized ? 1 : 6); ++round) {
      std::string file(reinterpret_cast<const char*>(whole->data()), whole->size());
      for (unsigned k = 0; k < 1 + random() % 3; ++k) {
        const size_t at = random() % file.size();
        if (random() % 2) file[at] = static_cast<char>(random());
        else file[at] = static_cast<char>(file[at] + (random() % 2 ? 1 : -1));
      }
      const Exercise e = exercise(bytes(file));
      CHECK_MESSAGE(e.fault == "", path.filename().string() << ": " << e.fault);
      loaded += e.loaded;
      ++rounds;
    }
  }
  CHECK(loaded > rounds / 10);
}

}  // namespace tern::test::in_random_models
