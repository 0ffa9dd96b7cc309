// Hostile Keras files: archives and .h5 cut and flipped anywhere, members that are bombs, JSON that lies. Code: loaders/keras, loaders/zip.
#include <doctest/doctest.h>

#include <random>

#include "loaders/load.h"
#include "loaders/zip/zip.h"
#include "tern/tern.h"
#include "tests/support/cheap.h"
#include "tests/support/zip_writer.h"

namespace tern::test::in_keras {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/keras/graphs/";

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

std::string text_of(std::span<const std::byte> b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

std::string file(const std::string& name) {
  auto all = read_file(kFolder + name);
  REQUIRE(all.ok());
  return text_of(*all);
}

std::string member(const std::string& archive, const char* name) {
  auto zip = ZipArchive::open(bytes(archive));
  REQUIRE(zip.ok());
  auto all = zip->read(*zip->find(name), size_t(1) << 20);
  REQUIRE(all.ok());
  return text_of(*all);
}

std::string archive(const std::string& config, const std::string& weights, const ZipWriter::Options& o = {}) {
  ZipWriter zip;
  zip.add("metadata.json", R"({"keras_version":"3.15.1"})", o);
  zip.add("config.json", config, o);
  zip.add("model.weights.h5", weights, o);
  return zip.finish();
}

}  // namespace

TEST_CASE("hostile keras: a file that is cut anywhere is refused") {
  for (const char* name : {"chain3.keras", "chain2.h5"}) {
    const std::string whole = file(name);
    for (size_t n = 0; n < whole.size(); n += every(131)) {
      CAPTURE(n);
      const std::string cut = whole.substr(0, n);
      refused_cheaply(cut.size(), [&] { return load_bytes(bytes(cut)); });
    }
  }
}

TEST_CASE("hostile keras: a file with other bytes somewhere is a model or refused with one line") {
  std::mt19937 random(1);
  for (const char* name : {"nested3.h5", "several2.h5", "functions.h5"}) {
    const std::string whole = file(name);
    for (int round = 0; round < (kSanitized ? 40 : 400); ++round) {
      std::string other = whole;
      for (int k = 0; k < 1 + round % 4; ++k) other[random() % other.size()] = static_cast<char>(random());
      auto model = load_bytes(bytes(other));
      if (model.ok()) continue;
      CHECK(model.error().message() != "");
      CHECK(model.error().message().find('\n') == std::string::npos);
      CHECK((model.error().code() == Code::kInvalid || model.error().code() == Code::kUnsupported));
    }
  }
}

TEST_CASE("hostile keras: members that inflate to more than the file explains") {
  const std::string whole = file("chain3.keras"), weights = member(whole, "model.weights.h5");
  CHECK(load_bytes(bytes(archive(member(whole, "config.json"), weights, {.deflate = true}))).ok());
  const std::string blanks(size_t(kSanitized ? 80 : 200) << 20, ' ');
  for (const std::string& bomb : {archive(blanks, weights, {.deflate = true}), archive(member(whole, "config.json"), blanks, {.deflate = true})}) {
    refused_cheaply(bomb.size(), [&] { return load_bytes(bytes(bomb)); });
  }
}

TEST_CASE("hostile keras: members that are not there, or are something else") {
  const std::string whole = file("chain3.keras"), config = member(whole, "config.json"), weights = member(whole, "model.weights.h5");
  ZipWriter none;
  none.add("metadata.json", "{}");
  none.add("config.json", config);
  for (const std::string& wrong : {archive("", weights), archive("[]", weights), archive("{}", weights), archive("null", weights),
                                   archive(config, ""), archive(config, "not HDF5"), archive(config, whole), none.finish()}) {
    refused_cheaply(wrong.size(), [&] { return load_bytes(bytes(wrong)); });
  }
}

TEST_CASE("hostile keras: sizes in the JSON that no file backs") {
  const std::string whole = file("chain3.keras"), config = member(whole, "config.json"), weights = member(whole, "model.weights.h5");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = config;
    const size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    return archive(changed.replace(at, from.size(), to), weights);
  };
  for (const char* units : {"-1", "0", "9223372036854775807", "1e300", "null", "\"3\"", "[3]", "{}"}) {
    const std::string wrong = with("\"units\": 3", "\"units\": " + std::string(units));
    CAPTURE(units);
    refused_cheaply(wrong.size(), [&] { return load_bytes(bytes(wrong)); });
  }
  for (const char* shape : {"[null, 2, 9223372036854775807]", "[null, 4611686018427387904, 4]", "[null, -2, 4]", "[]", "[1,1,1,1,1,1,1,1,1,1]",
                            "\"x\"", "[null, 2.5, 4]"}) {
    const std::string wrong = with("\"batch_shape\": [null, 2, 4]", "\"batch_shape\": " + std::string(shape));
    CAPTURE(shape);
    auto model = load_bytes(bytes(wrong));
    if (model.ok()) {  // the product is checked by the session, which has the batch
      CHECK(!model->session({.dims = {{"batch", 1}}}).ok());
      continue;
    }
    CHECK(model.error().message().find('\n') == std::string::npos);
  }
}

}  // namespace tern::test::in_keras
