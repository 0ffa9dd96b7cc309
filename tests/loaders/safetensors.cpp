// Files of the safetensors package and of torch, read to the bit; shards; what is told apart by content.
#include "loaders/safetensors/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "loaders/torch/weights_file.h"
#include "loaders/weights/shards.h"

using namespace tern;

namespace in_safetensors {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/torch/safetensors/";

Source source_of(const std::string& file) {
  auto source = map_file(kFolder + file);
  REQUIRE(source.ok());
  return *source;
}

StateDict state_of(const std::string& file) {
  const Source source = source_of(file);
  auto tensors = looks_like_shard_index(source.bytes) ? load_shards(source, torch::load_shard) : load_safetensors(source);
  REQUIRE_MESSAGE(tensors.ok(), file << ": " << (tensors ? "" : tensors.error().message()));
  return std::move(*tensors);
}

// A file from its header and data.
std::string file_of(const std::string& header, size_t data) {
  const uint64_t n = header.size();
  return std::string(reinterpret_cast<const char*>(&n), 8) + header + std::string(data, '\1');
}

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

bool is_index(const std::string& s) { return looks_like_shard_index(bytes(s)); }

}  // namespace

TEST_CASE("safetensors: every tensor of every recorded file has the bytes that torch has") {
  std::ifstream list(kFolder + "crc.txt");
  std::map<std::string, StateDict> files;
  std::string file, name, crc;
  int seen = 0;
  while (list >> file >> name >> crc) {
    if (!files.contains(file)) files.emplace(file, state_of(file));
    const StoredTensor* t = files[file].find(name);
    REQUIRE_MESSAGE(t != nullptr, file << " " << name);
    auto sum = checksum(*t, 1 << 20);
    REQUIRE(sum.ok());
    CHECK_MESSAGE(*sum == std::stoul(crc, nullptr, 16), file << " " << name);
    ++seen;
  }
  CHECK(seen == 27);
}

TEST_CASE("safetensors: dtypes are spelt as tern and torch spell them; those that tern lacks are listed and refused") {
  const StateDict tensors = state_of("types.safetensors");
  CHECK(tensors.entries.size() == 18);
  const std::map<std::string, std::string> names = {{"float64", "f64"},
                                                    {"bfloat16", "bf16"},
                                                    {"uint32", "u32"},
                                                    {"bool", "bool"},
                                                    {"int8", "i8"},
                                                    {"complex64", "complex64"},
                                                    {"float8_e4m3fn", "float8_e4m3fn"},
                                                    {"float8_e5m2", "float8_e5m2"}};
  for (const auto& [name, dtype] : names) CHECK(tensors.find(name)->dtype_name == dtype);
  CHECK(tensors.find("complex64")->element_size == 8);
  CHECK(dense(*tensors.find("float32"), 0).ok());
  for (const char* name : {"complex64", "float8_e4m3fn"}) {
    auto made = dense(*tensors.find(name), 0);
    REQUIRE(!made.ok());
    CHECK(made.error().code() == Code::kUnsupported);
  }
  auto floats = dense(*tensors.find("float32"), 0);
  REQUIRE(floats.ok());
  CHECK(floats->span<float>()[5] == 5);
  CHECK(tensors.find("float32")->sizes == std::vector<int64_t>{2, 3});
  CHECK(tensors.find("float32")->strides == std::vector<int64_t>{3, 1});
  CHECK(tensors.find("scalar")->sizes.empty());
  CHECK(tensors.find("empty")->sizes == std::vector<int64_t>{0, 4});
}

TEST_CASE("safetensors: elements below a byte are listed and refused") {
  const std::string file =
      file_of(R"({"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}})", 6);
  auto tensors = load_safetensors(Source{bytes(file), nullptr, {}, {}});
  REQUIRE(tensors.ok());
  CHECK(tensors->find("a")->sizes == std::vector<int64_t>{3, 2});
  auto made = dense(*tensors->find("b"), 0);
  REQUIRE(!made.ok());
  CHECK(made.error().code() == Code::kUnsupported);
  CHECK(made.error().message() == "is a tensor of 6-bit elements, which is not supported");
}

TEST_CASE("safetensors: tensors are listed in the order of their bytes") {
  const std::string file = file_of(
      R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"z":{"dtype":"U8","shape":[0],"data_offsets":[3,3]}})",
      5);
  auto tensors = load_safetensors(Source{bytes(file), nullptr, {}, {}});
  REQUIRE(tensors.ok());
  std::string order;
  for (const auto& e : tensors->entries) order += e.name;
  CHECK(order == "azb");
}

TEST_CASE("safetensors: the header may be padded, and may know more than the format asks") {
  for (const char* header :
       {"{}", "{}      ", R"({"__metadata__":{"format":"pt"}})", R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,0],"shape":[0]}})"}) {
    const std::string file = file_of(header, 0);
    CHECK(load_safetensors(Source{bytes(file), nullptr, {}, {}}).ok() == (std::string(header).find("\"a\"") == std::string::npos));
  }
  const std::string more = file_of(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"note":"x"}})", 1);
  CHECK(load_safetensors(Source{bytes(more), nullptr, {}, {}}).ok());
}

TEST_CASE("safetensors: a tied tensor is found under the name that save_model took away") {
  const StateDict tensors = state_of("tied.safetensors");
  REQUIRE(tensors.entries.size() == 2);
  CHECK(tensors.entries[1].name == "head.weight");
  CHECK(same_view(*tensors.find("head.weight"), *tensors.find("embed.weight")));
  // not a tie: the value is no tensor, or the name has a tensor of its own
  const std::string file = file_of(
      R"({"__metadata__":{"b":"a","c":"nothing","format":"pt"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      2);
  auto other = load_safetensors(Source{bytes(file), nullptr, {}, {}});
  REQUIRE(other.ok());
  CHECK(other->entries.size() == 2);
}

TEST_CASE("safetensors: shards give what the index maps, and nothing else") {
  for (const char* index : {"model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    CHECK(torch::WeightsFile::recognises(source_of(index)));
    const StateDict tensors = state_of(index);
    CHECK(tensors.entries.size() == 4);
    CHECK(tensors.find("extra") == nullptr);
    CHECK(tensors.find("b.weight")->sizes == std::vector<int64_t>{2, 3});
    CHECK(tensors.entries[0].name[0] == 'a');
  }
}

TEST_CASE("safetensors: shards of a hub's cache are links to its blobs") {
  const std::filesystem::path root = std::filesystem::temp_directory_path() / ("tern_hub_" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "blobs");
  std::filesystem::create_directories(root / "snapshots/rev");
  std::ofstream(root / "blobs/a", std::ios::binary) << file_of(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2);
  std::ofstream(root / "blobs/i") << R"({"weight_map":{"w":"model-00001-of-00001.safetensors"}})";
  std::filesystem::create_symlink("../../blobs/i", root / "snapshots/rev/model.safetensors.index.json");
  std::filesystem::create_symlink("../../blobs/a", root / "snapshots/rev/model-00001-of-00001.safetensors");
  auto index = map_file((root / "snapshots/rev/model.safetensors.index.json").string());
  REQUIRE(index.ok());
  auto shards = load_shards(*index, torch::load_shard);
  CHECK_MESSAGE(shards.ok(), (shards ? "" : shards.error().message()));
  std::filesystem::rename(root / "blobs", root / "elsewhere");  // the same links, and no cache any more
  std::filesystem::create_symlink("elsewhere", root / "blobs");
  shards = load_shards(*index, torch::load_shard);
  CHECK(!shards.ok());
  index->how.follow_links = true;
  CHECK(load_shards(*index, torch::load_shard).ok());
  std::filesystem::remove_all(root);
}

TEST_CASE("safetensors: the last tensor of a file is not copied; of a file in place it is, behind which nothing may be read") {
  const auto path = std::filesystem::temp_directory_path() / ("tern_last_" + std::to_string(::getpid()) + ".safetensors");
  const std::string header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[16384],\"data_offsets\":[0,65536]}}";
  std::ofstream(path, std::ios::binary) << file_of(header + std::string(8 - header.size() % 8, ' '), 65536);
  for (const bool map : {false, true}) {
    CAPTURE(map);
    auto source = map_file(path.string(), {.map = map});
    REQUIRE(source.ok());
    auto tensors = load_safetensors(*source);
    REQUIRE_MESSAGE(tensors.ok(), (tensors.ok() ? "" : tensors.error().message()));
    auto w = dense(tensors->entries.at(0).tensor, 0);
    REQUIRE(w.ok());
    const std::byte* last = source->bytes.data() + source->bytes.size() - 65536;
    CHECK((w->raw() == last) == !map);
    CHECK(std::memcmp(w->raw(), last, 65536) == 0);
    *source = {};
    tensors = Error();
    unsigned sum = 0;
    for (size_t i = 0; i < 65536 + 64; ++i) sum += static_cast<unsigned>(w->raw()[i]);
    CHECK(sum >= 65536);
  }
  std::filesystem::remove(path);
}

TEST_CASE("safetensors: files and indices are told by their content") {
  CHECK(looks_like_safetensors(source_of("types.safetensors").bytes));
  CHECK_FALSE(looks_like_safetensors(source_of("model.safetensors.index.json").bytes));
  CHECK_FALSE(looks_like_safetensors(source_of("pytorch_model-00001-of-00002.bin").bytes));
  CHECK(looks_like_safetensors(bytes(file_of("{\"a\":", 0))));  // cut off: still one, so that the error can say so
  CHECK_FALSE(looks_like_safetensors(bytes(std::string("\2\0\0\0", 4))));
  CHECK_FALSE(looks_like_safetensors({}));
  CHECK(is_index(R"({"weight_map":{}})"));
  CHECK(is_index("\n { \"metadata\" : {\"x\": [\"}\", \"\\\"\"]}, \"weight_map\" : {\"a\": \"b\"} }"));
  CHECK_FALSE(is_index(R"({"metadata":{"weight_map":{}}})"));
  CHECK_FALSE(is_index(R"({"weight_map":[]})"));
  CHECK_FALSE(is_index(R"({"note":"weight_map","x":{}})"));
  CHECK_FALSE(is_index(R"(["weight_map"])"));
  CHECK_FALSE(is_index(R"({}{"weight_map":{}})"));
  CHECK_FALSE(is_index(""));
  CHECK_FALSE(is_index("{"));
  CHECK_FALSE(is_index("{\"a\\"));
  CHECK_FALSE(is_index("{\"weight_map\""));
  CHECK_FALSE(is_index("{\"a\":\"" + std::string(100'000, 'x') + "\",\"weight_map\":{}}"));  // no index has that much before it
}

}  // namespace in_safetensors
