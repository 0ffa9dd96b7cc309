// Hostile safetensors files: each rule of the format broken once, files cut anywhere, indices that point elsewhere.
#include "loaders/safetensors/safetensors.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "loaders/torch/weights_file.h"
#include "loaders/weights/shards.h"
#include "tern/tern.h"
#include "tests/support/cheap.h"

namespace tern::test::in_safetensors {
namespace {

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

std::string file_of(const std::string& header, size_t data, int64_t longer = 0) {
  const uint64_t n = header.size() + static_cast<uint64_t>(longer);
  return std::string(reinterpret_cast<const char*>(&n), 8) + header + std::string(data, '\1');
}

std::string refusal(const std::string& file) {
  return refused_cheaply(file.size(), [&] { return load_safetensors(Source{bytes(file), nullptr, {}, {}}); });
}

// One tensor "a" of these fields over `data` bytes.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets, size_t data) {
  return file_of("{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", data);
}

std::string sample() {
  return file_of(
      R"({"__metadata__":{"format":"pt","c":"a"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"I16","shape":[3],"data_offsets":[8,14]}}  )",
      14);
}

// A folder of its own for the index and what it may find.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("tern_shards_" + std::to_string(::getpid()));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path / "model");
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name, std::ios::binary) << text; }
  std::string refusal(const std::string& index) const {
    write("model/index.json", index);
    return refused_cheaply(index.size(), [&]() -> Result<StateDict> {
      auto source = map_file((path / "model/index.json").string());
      if (!source) return source.error();
      return load_shards(*source, torch::load_shard);
    });
  }
};

bool has(const std::string& message, std::string_view part) { return message.find(part) != message.npos; }

}  // namespace

TEST_CASE("hostile safetensors: the untouched sample loads") {
  const std::string file = sample();
  auto tensors = load_safetensors(Source{bytes(file), nullptr, {}, {}});
  REQUIRE(tensors.ok());
  CHECK(tensors->entries.size() == 3);
}

TEST_CASE("hostile safetensors: cut at every length, and longer than it says") {
  const std::string whole = sample();
  for (size_t n = 0; n < whole.size(); ++n) refusal(whole.substr(0, n));
  CHECK(has(refusal(whole + '\0'), "end at byte 14 of 15"));
}

TEST_CASE("hostile safetensors: every bit flipped") {
  std::string file = sample();
  for (size_t i = 0; i < file.size() - 14; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
      (void)load_safetensors(Source{bytes(file), nullptr, {}, {}});
      file[i] = static_cast<char>(file[i] ^ (1 << bit));
    }
  }
}

TEST_CASE("hostile safetensors: a header's length that lies") {
  for (int64_t longer : {int64_t(1), int64_t(1000), int64_t(1) << 40, INT64_MAX - 100, int64_t(-30)}) {
    CHECK(!load_safetensors(Source{bytes(file_of("{}", 0, longer)), nullptr, {}, {}}).ok());
  }
  CHECK(has(refusal(file_of("{}", 0, 99'999'999)), "at most 100000000"));
  CHECK(has(refusal(file_of("{}", 0, 99'999'998)), "truncated in its header"));
}

TEST_CASE("hostile safetensors: what the header must be") {
  CHECK(has(refusal(file_of("[]", 0)), "does not begin with {"));
  CHECK(has(refusal(file_of(" {}", 0)), "does not begin with {"));
  CHECK(has(refusal(file_of("", 0)), "does not begin with {"));
  CHECK(has(refusal(file_of("{} x", 0)), "JSON"));
  CHECK(has(refusal(file_of("{\"\xff\":1}", 0)), "UTF-8"));
  CHECK(has(refusal(file_of(std::string("{}\0", 3), 0)), "JSON"));
  CHECK(has(refusal(file_of(R"({"a":1})", 0)), "dtype"));
  CHECK(has(refusal(file_of(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}})", 2)),
            "twice"));
  CHECK(
      has(refusal(file_of("{\"" + std::string(5000, 'n') + "\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1)), "name of 5000 bytes"));
  CHECK(has(refusal(file_of(R"({"__metadata__":[]})", 0)), "__metadata__"));
  CHECK(has(refusal(file_of(R"({"__metadata__":{"a":1}})", 0)), "__metadata__"));
  CHECK(has(refusal(file_of(R"({"__metadata__":{"a":{"b":"c"}}})", 0)), "__metadata__"));
  CHECK(has(refusal(file_of(R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", 1)), "nested"));
}

TEST_CASE("hostile safetensors: what a tensor must be") {
  const std::string f32 = "\"F32\"";
  CHECK(has(refusal(one("\"F33\"", "[1]", "[0,4]", 4)), "unknown dtype F33"));
  CHECK(has(refusal(one("\"f32\"", "[1]", "[0,4]", 4)), "unknown dtype"));
  CHECK(has(refusal(one("1", "[1]", "[0,4]", 4)), "dtype"));
  for (const char* shape : {"1", "[-1]", "[1.0]", "[\"1\"]", "[18446744073709551615]", "null", "{}", "[true]"})
    CHECK(has(refusal(one(f32, shape, "[0,4]", 4)), "shape"));
  CHECK(has(refusal(one(f32, "[4611686018427387904,4]", "[0,4]", 4)), "too large"));
  CHECK(has(refusal(one(f32, "[1152921504606846976]", "[0,4]", 4)), "too large"));
  for (const char* offsets : {"[0]", "[0,4,8]", "[]", "4", "[-4,0]", "[0,4.0]", "[0,18446744073709551615]"})
    CHECK(has(refusal(one(f32, "[1]", offsets, 4)), "data_offsets"));
  CHECK(has(refusal(one(f32, "[1]", "[4,0]", 4)), "outside"));
  CHECK(has(refusal(one(f32, "[1]", "[0,8]", 4)), "outside"));
  CHECK(has(refusal(one(f32, "[1]", "[8,12]", 8)), "outside"));
  CHECK(has(refusal(one(f32, "[2]", "[0,4]", 4)), "needs 8 bytes"));
  CHECK(has(refusal(one(f32, "[]", "[0,0]", 0)), "needs 4 bytes"));
  CHECK(has(refusal(one(f32, "[0]", "[0,4]", 4)), "needs 0 bytes"));
  CHECK(has(refusal(one("\"F4\"", "[3]", "[0,2]", 2)), "whole bytes"));
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  CHECK(has(refusal(one(f32, many + "]", "[0,4]", 4)), "65 dimensions"));
}

TEST_CASE("hostile safetensors: gaps, overlaps and leftovers between tensors") {
  auto two = [](const std::string& a, const std::string& b, size_t data) {
    return file_of(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + a + "},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + b + "}}",
        data);
  };
  CHECK(load_safetensors(Source{bytes(two("[2,4]", "[0,2]", 4)), nullptr, {}, {}}).ok());
  CHECK(has(refusal(two("[0,2]", "[1,3]", 3)), "b: overlaps"));
  CHECK(has(refusal(two("[0,2]", "[0,2]", 2)), "overlaps"));
  CHECK(has(refusal(two("[0,2]", "[3,5]", 5)), "b: follows a gap of 1 bytes"));
  CHECK(has(refusal(two("[1,3]", "[3,5]", 5)), "a: follows a gap"));
  CHECK(has(refusal(two("[0,2]", "[2,4]", 5)), "end at byte 4 of 5"));
}

TEST_CASE("hostile safetensors: a header of megabytes of names or digits costs a multiple of its size") {
  std::string names = "{", digits = "{\"a\":{\"dtype\":\"U8\",\"shape\":[";
  for (int i = 0; names.size() < flood(3'000'000); ++i) names += "\"" + std::to_string(i) + "\":{},";
  refusal(file_of(names + "\"x\":{}}", 0));
  while (digits.size() < flood(2'000'000)) digits += "1,";
  CHECK(has(refusal(file_of(digits + "1],\"data_offsets\":[0,1]}}", 1)), "dimensions"));
  refusal(file_of("{\"a\":" + std::string(flood(1'000'000), '['), 0));
}

TEST_CASE("hostile safetensors: random bytes overwritten") {
  std::mt19937 random(7);
  for (int i = 0; i < (kSanitized ? 3000 : 20'000); ++i) {
    std::string file = sample();
    for (uint32_t k = 0; k <= random() % 4; ++k) file[random() % file.size()] = "0123456789{}[]\",:-.e\\"[random() % 21];
    (void)load_safetensors(Source{bytes(file), nullptr, {}, {}});
  }
}

TEST_CASE("hostile shards: names that lead elsewhere are not opened") {
  Folder folder;
  folder.write("outside.safetensors", sample());
  folder.write("model/inside.safetensors", sample());
  std::filesystem::create_directory(folder.path / "model/folder");
  std::filesystem::create_symlink("../outside.safetensors", folder.path / "model/link.safetensors");
  REQUIRE(::mkfifo((folder.path / "model/fifo").c_str(), 0600) == 0);
  auto index = [](const std::string& file) { return "{\"weight_map\":{\"a\":\"" + file + "\"}}"; };
  for (const char* name :
       {"../outside.safetensors", "/etc/passwd", "./inside.safetensors", "folder/x", "a\\\\b", "..", ".", "", "inside.safetensors\\u0000"}) {
    CHECK_MESSAGE(has(folder.refusal(index(name)), "no plain file name"), std::string(name));
  }
  CHECK(has(folder.refusal(index("link.safetensors")), "symbolic link"));
  CHECK(has(folder.refusal(index("folder")), "directory"));
  CHECK(has(folder.refusal(index("fifo")), "not a regular file"));
  CHECK(has(folder.refusal(index("missing.safetensors")), "No such file"));
  CHECK(has(folder.refusal(index("index.json")), "neither a safetensors file nor a checkpoint"));  // itself
  CHECK(has(folder.refusal(index(std::string(10'000, 'n'))), "name too long"));
}

TEST_CASE("hostile shards: an index that is damaged, or promises what is not there") {
  Folder folder;
  folder.write("model/inside.safetensors", sample());
  CHECK(has(folder.refusal(R"({"weight_map":{"a":"inside.safetensors","z":"inside.safetensors"}})"), "holds z, and it does not"));
  CHECK(has(folder.refusal(R"({"weight_map":{"a":1}})"), "no file name"));
  CHECK(has(folder.refusal(R"({"weight_map":[]})"), "no weight_map"));
  CHECK(has(folder.refusal(R"({"weight_map":{"a":"x"},"weight_map":{}})"), "twice"));
  folder.refusal(R"({"weight_map":{"a":"inside.safetensors")");
  folder.refusal("");
  folder.write("model/inside.safetensors", sample().substr(0, 150));
  CHECK(has(folder.refusal(R"({"weight_map":{"a":"inside.safetensors"}})"), "inside.safetensors: "));
  const std::string text = R"({"weight_map":{"a":"inside.safetensors"}})";
  CHECK(has(refused_cheaply(text.size(),
                            [&] {
                              return load_shards(Source{bytes(text), nullptr, {}, {}}, torch::load_shard);
                            }),
            "loaded from memory"));
}

}  // namespace tern::test::in_safetensors
