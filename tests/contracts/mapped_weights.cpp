// Weights that lie in a mapping: once a session is made, run() reads nothing of it, and so faults no page. What becomes of the file changes
// no session, and no model unless it was mapped in place.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tern/tern.h"
#include "tests/support/hot_path.h"

namespace tern::test::in_mapped_weights {
namespace {

constexpr int64_t kRows = 8192, kColumns = 64, kOut = 16;

float element(int64_t i) { return static_cast<float>(i % 1009) * 0.001f - 0.3f; }

// A safetensors file whose tensors all begin at multiples of 64, so that they can be mapped: bias, table, weight, and some bytes behind.
std::string write_file() {
  std::string header =
      R"({"fc.bias":{"dtype":"F32","shape":[16],"data_offsets":[0,64]},"emb.weight":{"dtype":"F32","shape":[8192,64],"data_offsets":[64,2097216]},)"
      R"("fc.weight":{"dtype":"F32","shape":[16,64],"data_offsets":[2097216,2101312]},"rest":{"dtype":"F32","shape":[16],"data_offsets":[2101312,2101376]}})";
  header.resize((header.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const uint64_t size = header.size();
  char path[] = "/tmp/tern_mapped_XXXXXX";
  close(mkstemp(path));
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&size), 8);
  file << header;
  for (int64_t i = 0; i < kOut + kRows * kColumns + kOut * kColumns + 16; ++i) {
    const float x = element(i);
    file.write(reinterpret_cast<const char*>(&x), 4);
  }
  return path;
}

void overwrite(const std::string& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(0, std::ios::end);
  const std::string zeros(static_cast<size_t>(file.tellg()), '\0');
  file.seekp(0);
  file << zeros;
}

Result<Model> load_file(const std::string& path, bool map_files) {
  return load(path, {.architecture = "Net(\n  (emb): Embedding(8192, 64)\n  (fc): Linear(64, 16)\n)\n"
                                     "def forward(self, ids: i64[3]):\n    rows = self.emb(ids)\n    return rows, self.fc(rows), self.fc.bias\n",
                     .strict = false,
                     .map_files = map_files});
}

constexpr int64_t kIds[] = {3, 8191, 4000};

void check_run(Session& session) {
  std::memcpy(session.input<int64_t>("ids").data(), kIds, sizeof kIds);
  session.run();
  const auto rows = session.output<float>("output_0"), y = session.output<float>("output_1"), bias = session.output<float>("output_2");
  bool same = true;
  double worst = 0;
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t c = 0; c < kColumns; ++c) same &= rows[static_cast<size_t>(r * kColumns + c)] == element(kOut + kIds[r] * kColumns + c);
    for (int64_t o = 0; o < kOut; ++o) {
      double sum = element(o);
      for (int64_t c = 0; c < kColumns; ++c)
        sum += double(element(kOut + kIds[r] * kColumns + c)) * element(kOut + kRows * kColumns + o * kColumns + c);
      worst = std::max(worst, std::abs(sum - y[static_cast<size_t>(r * kOut + o)]));
    }
  }
  for (int64_t o = 0; o < kOut; ++o) same &= bias[static_cast<size_t>(o)] == element(o);
  CHECK(same);
  CHECK(worst < 1e-5);  // 64 products of magnitude 0.5 in f32
}

}  // namespace

TEST_CASE("mapped weights: a session does not see what becomes of a file that is mapped in place") {
  const std::string path = write_file();
  auto model = load_file(path, true);
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  auto session = model->session();
  REQUIRE(session.ok());
  overwrite(path);
  check_run(*session);
  unlink(path.c_str());
}

TEST_CASE("mapped weights: a model does not see what becomes of its file") {
  const std::string path = write_file();
  auto model = load_file(path, false);
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  SUBCASE("rewritten") { overwrite(path); }
  SUBCASE("truncated") { REQUIRE(truncate(path.c_str(), 0) == 0); }
  SUBCASE("removed") { unlink(path.c_str()); }
  auto session = model->session();
  REQUIRE(session.ok());
  check_run(*session);
  Array ids{DType::i64, {3}, std::vector<std::byte>(sizeof kIds), {}};
  std::memcpy(ids.bytes.data(), kIds, sizeof kIds);
  auto out = model->evaluate(std::span(&ids, 1));
  REQUIRE(out.ok());
  const auto y = session->output<float>("output_1");
  CHECK(std::memcmp((*out)[1].bytes.data(), y.data(), y.size_bytes()) == 0);
  unlink(path.c_str());
}

TEST_CASE("mapped weights: rows that were never read before fault no page") {
  const std::string path = write_file();
  auto model = load_file(path, false);
  REQUIRE(model.ok());
  auto session = model->session();
  REQUIRE(session.ok());
  const std::span<int64_t> ids = session->input<int64_t>("ids");
  int64_t next = 0;
  const HotPathReport report = watch_hot_path(
      [&] {
        for (int64_t& id : ids) id = next = (next + 1237) % kRows;  // another page every time
        session->run();
      },
      200);
  CHECK_MESSAGE(report.clean(), report.text());
  unlink(path.c_str());
}

}  // namespace tern::test::in_mapped_weights
