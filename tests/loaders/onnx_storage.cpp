// Every way in which ONNX stores a tensor. Contract: loaders/onnx/tensors.h, loaders/onnx/external.h.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "loaders/load.h"
#include "loaders/onnx/external.h"
#include "loaders/onnx/onnx.h"
#include "loaders/wire/wire.h"
#include "runtime/base/half.h"
#include "runtime/base/mapping.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_onnx_storage {
namespace {

// A model whose output "w" is the initializer `t`.
Proto holding(const Proto& t) { return model(13, {}, {}, {output("w")}, {t}); }

// The one output of that model.
Result<Tensor> loaded(const Proto& t, const std::string& directory = "") {
  const Proto m = holding(t);
  auto g = load_graph(Source{bytes(m), nullptr, directory, ""}, {});
  if (!g) return g.error();
  return g->value(g->outputs[0]).constant;
}
template <class T>
void check_elements(const Result<Tensor>& t, const Dims& dims, const std::vector<T>& expected) {
  REQUIRE_MESSAGE(t.ok(), (t.ok() ? "" : t.error().message()));
  CHECK(t->dtype() == dtype_of<T>());
  CHECK(t->dims() == dims);
  REQUIRE(static_cast<size_t>(t->count()) == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) CHECK(t->data<T>()[i] == expected[i]);
}
void check_error(const Result<Tensor>& t, Code code, const std::string& part) {
  REQUIRE(!t.ok());
  CHECK(t.error().code() == code);
  CHECK_MESSAGE(t.error().message().find(part) != std::string::npos, t.error().message());
}

}  // namespace

TEST_CASE("onnx storage: raw data of every dtype keep their bits") {
  check_elements<float>(loaded(raw_tensor<float>("w", 1, {2, 2}, {1, -2, 3.5f, 4})), {2, 2}, {1, -2, 3.5f, 4});
  check_elements<uint8_t>(loaded(raw_tensor<uint8_t>("w", 2, {2}, {0, 255})), {2}, {0, 255});
  check_elements<int8_t>(loaded(raw_tensor<int8_t>("w", 3, {2}, {-128, 127})), {2}, {-128, 127});
  check_elements<uint16_t>(loaded(raw_tensor<uint16_t>("w", 4, {1}, {65535})), {1}, {65535});
  check_elements<int16_t>(loaded(raw_tensor<int16_t>("w", 5, {1}, {-2})), {1}, {-2});
  check_elements<int32_t>(loaded(raw_tensor<int32_t>("w", 6, {1}, {-7})), {1}, {-7});
  check_elements<int64_t>(loaded(raw_tensor<int64_t>("w", 7, {}, {INT64_MIN})), {}, {INT64_MIN});
  check_elements<double>(loaded(raw_tensor<double>("w", 11, {1}, {1e300})), {1}, {1e300});
  check_elements<uint32_t>(loaded(raw_tensor<uint32_t>("w", 12, {1}, {4000000000u})), {1}, {4000000000u});
  check_elements<uint64_t>(loaded(raw_tensor<uint64_t>("w", 13, {1}, {UINT64_MAX})), {1}, {UINT64_MAX});
}

TEST_CASE("onnx storage: weights of a large file are right wherever they begin; what they were copied from goes, of other dtypes than f32") {
  constexpr int64_t kCount = 1200 * 1000;
  std::vector<Proto> weights, outputs;
  for (int i = 0; i < 4; ++i) {  // names of different lengths, so that at most one begins at a multiple of eight bytes
    std::vector<double> values(kCount, static_cast<double>(i + 1));
    values[5] = 1e-310;
    weights.push_back(raw_tensor<double>(std::string(static_cast<size_t>(i + 1), 'w'), 11, {kCount}, values));
    outputs.push_back(output(std::string(static_cast<size_t>(i + 1), 'w')));
  }
  const Proto m = model(13, {}, {}, outputs, weights);
  auto file = map_memory(bytes(m).size());
  REQUIRE(file.ok());
  std::memcpy(file->get(), bytes(m).data(), bytes(m).size());
  const std::span<const std::byte> all(file->get(), bytes(m).size());
  auto g = load_graph(Source{all, *file, "", ""}, {});
  REQUIRE(g.ok());
  int held = 0, gone = 0;
  for (size_t i = 0; i < 4; ++i) {
    const Tensor& t = g->value(g->outputs[i]).constant;
    REQUIRE(t.count() == kCount);
    CHECK(t.data<double>()[5] == 0);
    CHECK(std::count(t.data<double>(), t.data<double>() + kCount, static_cast<double>(i + 1)) == kCount - 1);
    held += t.raw() >= all.data() && t.raw() < all.data() + all.size();
    const std::byte* middle = all.data() + all.size() / 8 * (2 * i + 1);
    gone += std::all_of(middle, middle + 4096, [](std::byte b) { return b == std::byte{0}; });
  }
  CHECK(held == 0);  // a subnormal number is made zero in a copy
  CHECK(gone >= 3);  // the one that could have been held had its pages retired
}

TEST_CASE("onnx storage: a large weight of f32 lies in the file, wherever it begins there and whatever its elements are") {
  constexpr int64_t kCount = 100'000;
  std::vector<float> first(kCount, 3), second(kCount);
  for (int64_t i = 0; i < kCount; ++i) second[static_cast<size_t>(i)] = static_cast<float>(i % 1000) - 500;
  first[70'000] = -1e-40f;
  for (int i = 0; i < 4; ++i) {
    const Proto m = model(13, {}, {}, {output("v"), output("ww")},
                          {raw_tensor<float>("v", 1, {kCount}, first), raw_tensor<float>("ww", 1, {kCount / 2, 2}, second)});
    auto file = map_memory(bytes(m).size() + 4);
    REQUIRE(file.ok());
    std::memcpy(file->get() + i, bytes(m).data(), bytes(m).size());
    protect(*file);
    const std::span<const std::byte> all(file->get() + i, bytes(m).size());
    auto g = load_graph(Source{all, *file, "", ""}, {});
    REQUIRE(g.ok());
    const Tensor &v = g->value(g->outputs[0]).constant, &w = g->value(g->outputs[1]).constant;
    for (const Tensor* t : {&v, &w}) {
      CHECK(reinterpret_cast<uintptr_t>(t->raw()) % sizeof(float) == 0);
      CHECK((t->raw() >= all.data() && t->raw() < all.data() + all.size()));
    }
    CHECK(__builtin_bit_cast(uint32_t, v.data<float>()[70'000]) == 0x80000000u);
    CHECK(std::count(v.data<float>(), v.data<float>() + kCount, 3.0f) == kCount - 1);
    CHECK(std::equal(second.begin(), second.end(), w.data<float>()));
  }
  const Proto small = model(13, {}, {}, {output("w")}, {raw_tensor<float>("w", 1, {1000}, std::vector<float>(1000, 3))});
  auto g = load_graph(Source{bytes(small), nullptr, "", ""}, {});  // memory that is not ours is not touched
  REQUIRE(g.ok());
  CHECK(g->value(g->outputs[0]).constant.data<float>()[999] == 3);
}

TEST_CASE("onnx storage: a byte of a raw bool that is neither 0 nor 1 is true") {
  check_elements<bool>(loaded(raw_tensor<uint8_t>("w", 9, {3}, {0, 1, 200})), {3}, {false, true, true});
}

TEST_CASE("onnx storage: typed fields are read packed and one by one") {
  check_elements<float>(loaded(tensor("w", 1, {2}).fixed<float>(4, {1.5f, -2})), {2}, {1.5f, -2});
  check_elements<float>(loaded(tensor("w", 1, {2}).f(4, 1.5f).f(4, -2)), {2}, {1.5f, -2});
  check_elements<int64_t>(loaded(tensor("w", 7, {3}).ints(7, {-1, 5, int64_t(1) << 40})), {3}, {-1, 5, int64_t(1) << 40});
  check_elements<int64_t>(loaded(tensor("w", 7, {2}).i(7, -1).ints(7, {5})), {2}, {-1, 5});
  check_elements<int8_t>(loaded(tensor("w", 3, {2}).ints(5, {-128, 127})), {2}, {-128, 127});
  check_elements<uint8_t>(loaded(tensor("w", 2, {2}).ints(5, {255, 7})), {2}, {255, 7});
  check_elements<int16_t>(loaded(tensor("w", 5, {1}).ints(5, {-300})), {1}, {-300});
  check_elements<bool>(loaded(tensor("w", 9, {2}).ints(5, {0, 1})), {2}, {false, true});
  check_elements<double>(loaded(tensor("w", 11, {1}).fixed<double>(10, {0.1})), {1}, {0.1});
  check_elements<uint32_t>(loaded(tensor("w", 12, {1}).ints(11, {4000000000})), {1}, {4000000000u});
  check_elements<uint64_t>(loaded(tensor("w", 13, {1}).ints(11, {-1})), {1}, {UINT64_MAX});
}

TEST_CASE("onnx storage: 16-bit floats are stored as their bits in int32_data") {
  auto half = loaded(tensor("w", 10, {2}).ints(5, {0x3c00, 0xc000}));
  REQUIRE(half.ok());
  CHECK(to_f32(half->data<f16>()[0]) == 1);
  CHECK(to_f32(half->data<f16>()[1]) == -2);
  auto brain = loaded(tensor("w", 16, {1}).ints(5, {0x3f80}));
  REQUIRE(brain.ok());
  CHECK(to_f32(brain->data<bf16>()[0]) == 1);
}

TEST_CASE("onnx storage: strings come from string_data only") {
  auto t = loaded(tensor("w", 8, {2}).s(6, "a").s(6, ""));
  REQUIRE(t.ok());
  CHECK(t->data<StringRef>()[0].view() == "a");
  CHECK(t->data<StringRef>()[1].view().empty());
  check_error(loaded(tensor("w", 8, {1}).s(9, "x")), Code::kInvalid, "strings cannot be raw");
}

TEST_CASE("onnx storage: a scalar has one element, an extent of 0 none") {
  check_elements<float>(loaded(tensor("w", 1, {}).f(4, 3)), {}, {3});
  check_elements<float>(loaded(tensor("w", 1, {0, 5})), {0, 5}, {});
  check_elements<float>(loaded(tensor("w", 1, {0}).s(9, "")), {0}, {});
}

TEST_CASE("onnx storage: subnormal weights become zero of their sign") {
  auto t = loaded(raw_tensor<float>("w", 1, {3}, {1e-40f, -1e-40f, 1.2e-38f}));
  REQUIRE(t.ok());
  CHECK(t->data<float>()[0] == 0.0f);
  CHECK(std::signbit(t->data<float>()[1]));
  CHECK(t->data<float>()[1] == 0.0f);
  CHECK(t->data<float>()[2] == 1.2e-38f);
  auto typed = loaded(tensor("w", 11, {1}).fixed<double>(10, {1e-310}));
  REQUIRE(typed.ok());
  CHECK(typed->data<double>()[0] == 0.0);
}

TEST_CASE("onnx storage: too few and too many elements are refused") {
  check_error(loaded(raw_tensor<float>("w", 1, {2}, {1})), Code::kInvalid, "initializer 'w': it holds 4 bytes and its shape [2] of f32 needs 8");
  check_error(loaded(raw_tensor<float>("w", 1, {2}, {1, 2, 3})), Code::kInvalid, "12 bytes");
  check_error(loaded(tensor("w", 1, {2}).f(4, 1)), Code::kInvalid, "1 elements");
  check_error(loaded(tensor("w", 8, {2}).s(6, "a")), Code::kInvalid, "1 elements");
  check_error(loaded(tensor("w", 1, {2})), Code::kInvalid, "0 elements");
  check_error(loaded(tensor("w", 1, {-2}).f(4, 1)), Code::kInvalid, "negative");
  check_error(loaded(tensor("w", 1, {1 << 30, 1 << 30, 1 << 30})), Code::kInvalid, "too large");
  check_error(loaded(raw_tensor<float>("w", 1, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1})), Code::kUnsupported, "9 dimensions");
}

TEST_CASE("onnx storage: dtypes that tern does not have are refused by name") {
  check_error(loaded(raw_tensor<uint8_t>("w", 17, {1}, {1})), Code::kUnsupported, "FLOAT8E4M3FN is not supported");
  check_error(loaded(raw_tensor<uint8_t>("w", 22, {2}, {1})), Code::kUnsupported, "INT4 is not supported");
  check_error(loaded(raw_tensor<float>("w", 14, {1}, {1, 2})), Code::kUnsupported, "COMPLEX64");
  check_error(loaded(raw_tensor<float>("w", 99, {1}, {1})), Code::kUnsupported, "dtype 99");
  check_error(loaded(raw_tensor<float>("w", 0, {1}, {1})), Code::kInvalid, "no dtype");
}

TEST_CASE("onnx storage: sparse initializers become dense, by linear and by coordinate indices") {
  auto sparse = [](const Proto& indices, std::vector<float> values = {5, 6}) {
    const auto n = static_cast<int64_t>(values.size());
    Proto s = Proto().m(1, raw_tensor<float>("w", 1, {n}, values)).m(2, indices).ints(3, {2, 3});
    Proto g = graph({}, {}, {output("w")}).m(15, s);
    auto loaded_graph = load_graph(Source{bytes(model_of(13, g)), nullptr, "", ""}, {});
    if (!loaded_graph) return Result<Tensor>(loaded_graph.error());
    return Result<Tensor>(loaded_graph->value(loaded_graph->outputs[0]).constant);
  };
  check_elements<float>(sparse(raw_tensor<int64_t>("", 7, {2}, {1, 5})), {2, 3}, {0, 5, 0, 0, 0, 6});
  check_elements<float>(sparse(raw_tensor<int64_t>("", 7, {2, 2}, {0, 2, 1, 0})), {2, 3}, {0, 0, 5, 6, 0, 0});
  check_error(sparse(raw_tensor<int64_t>("", 7, {2}, {1, 6})), Code::kInvalid, "outside");
  check_error(sparse(raw_tensor<int64_t>("", 7, {2}, {-1, 5})), Code::kInvalid, "outside");
  check_error(sparse(raw_tensor<int64_t>("", 7, {2}, {5, 1})), Code::kInvalid, "ascending");
  check_error(sparse(raw_tensor<int64_t>("", 7, {2}, {1, 1})), Code::kInvalid, "ascending");
  check_error(sparse(raw_tensor<int64_t>("", 7, {2, 2}, {0, 3, 1, 0})), Code::kInvalid, "outside");
  check_error(sparse(raw_tensor<int64_t>("", 7, {1}, {1})), Code::kInvalid, "do not fit");
}

TEST_CASE("onnx storage: a sparse tensor above the budget is refused before memory is taken") {
  Proto s = Proto().m(1, raw_tensor<float>("w", 1, {1}, {1})).m(2, raw_tensor<int64_t>("", 7, {1}, {0})).ints(3, {int64_t(1) << 40});
  auto g = load_graph(Source{bytes(model_of(13, graph({}, {}, {output("w")}).m(15, s))), nullptr, "", ""}, {});
  REQUIRE(!g.ok());
  CHECK(g.error().code() == Code::kUnsupported);
  CHECK(g.error().message().find("LoadOptions::budget") != std::string::npos);
}

TEST_CASE("onnx storage: one TensorProto loads by itself") {
  check_elements<float>(load_tensor_proto(bytes(raw_tensor<float>("x", 1, {2}, {1, 2}))), {2}, {1, 2});
  CHECK(!load_tensor_proto(bytes(std::string("\x0a\xff", 2))).ok());
}

namespace {

// A folder of its own with weights.bin: the floats 1, 2, 3, 4.
struct Folder {
  Folder() {
    char name[] = "/tmp/tern_onnx_XXXXXX";
    path = mkdtemp(name);
    std::filesystem::create_directory(path + "/inner");
    write("weights.bin", {1, 2, 3, 4});
    write("inner/deep.bin", {7});
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::vector<float>& values) const {
    FILE* f = std::fopen((path + "/" + name).c_str(), "wb");
    std::fwrite(values.data(), sizeof(float), values.size(), f);
    std::fclose(f);
  }
  std::string path;
};

Proto external(const std::string& location, const std::vector<int64_t>& dims, const char* offset = nullptr, const char* length = nullptr) {
  Proto t = tensor("w", 1, dims).i(14, 1);
  t.m(13, Proto().s(1, "location").s(2, location));
  if (offset != nullptr) t.m(13, Proto().s(1, "offset").s(2, offset));
  if (length != nullptr) t.m(13, Proto().s(1, "length").s(2, length));
  t.m(13, Proto().s(1, "checksum").s(2, "ignored"));
  return t;
}

}  // namespace

TEST_CASE("onnx storage: a file is read to where its first large weights begin a cache line, however long the names before them") {
  Folder f;
  for (int64_t count : {100, 70'000}) {
    for (size_t name = 1; name <= 70; name += 3) {
      const Proto small = raw_tensor<float>(std::string(name, 's'), 1, {100}, std::vector<float>(100, 1));
      const Proto m =
          model(13, {}, {}, {output("w")}, {small, raw_tensor<float>("w", 1, {count}, std::vector<float>(static_cast<size_t>(count), 3))});
      std::ofstream(f.path + "/m.onnx", std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes(m).data()), static_cast<int64_t>(bytes(m).size()));
      const auto source = map_file(f.path + "/m.onnx");
      REQUIRE(source.ok());
      const auto g = load_graph(*source, {});
      REQUIRE(g.ok());
      const Tensor& w = g->value(g->outputs[0]).constant;
      CHECK(reinterpret_cast<uintptr_t>(w.raw()) % kAlignment == 0);
      CHECK((w.raw() >= source->bytes.data() && w.raw() < source->bytes.data() + source->bytes.size()) == (count > 100));
      CHECK(std::count(w.data<float>(), w.data<float>() + count, 3.0f) == count);
    }
  }
}

TEST_CASE("onnx storage: what is no protobuf has no first payload, and neither has one that ends before it says") {
  Folder f;
  const std::string path = f.path + "/p";
  const auto first = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const int fd = ::open(path.c_str(), O_RDONLY);
    constexpr uint32_t kPath[] = {7, 5, 9};
    const auto begin = wire::first_payload(fd, static_cast<int64_t>(content.size()), kPath, 10);
    ::close(fd);
    return begin.value_or(-1);
  };
  const std::string payload = "\x4a\x0c" + std::string(12, 'x'), tensor = "\x2a\x0e" + payload, graph = "\x3a\x10" + tensor;
  CHECK(first(graph) == 6);
  CHECK(first("\x08\x07" + graph) == 8);                                                    // after a number
  CHECK(first("\x0d" + std::string(4, 'x') + "\x09" + std::string(8, 'x') + graph) == 20);  // after fixed ones
  CHECK(first("\x3a\x12\x2a\x0e" + payload) == -1);                                         // longer than the file
  CHECK(first(graph.substr(0, 10)) == -1);
  CHECK(first("") == -1);
  CHECK(first(std::string(100, '\xff')) == -1);
  CHECK(first(std::string(20'000, '\x0b')) == -1);  // groups
}

TEST_CASE("onnx external data: offset and length select a part of a file beside the model") {
  Folder f;
  check_elements<float>(loaded(external("weights.bin", {4}), f.path), {4}, {1, 2, 3, 4});
  check_elements<float>(loaded(external("./weights.bin", {2}, "8", "8"), f.path), {2}, {3, 4});
  check_elements<float>(loaded(external("inner/deep.bin", {1}), f.path), {1}, {7});
}

TEST_CASE("onnx external data: a part that the file does not have is refused") {
  Folder f;
  check_error(loaded(external("weights.bin", {5}), f.path), Code::kInvalid, "needs 20 bytes at offset 0, the file has 16");
  check_error(loaded(external("weights.bin", {1}, "13"), f.path), Code::kInvalid, "the file has 16");
  check_error(loaded(external("weights.bin", {1}, "9223372036854775807"), f.path), Code::kInvalid, "the file has 16");
  check_error(loaded(external("weights.bin", {1}, "-4"), f.path), Code::kInvalid, "offset");
  check_error(loaded(external("weights.bin", {1}, "4x"), f.path), Code::kInvalid, "offset");
  check_error(loaded(external("weights.bin", {1}, "0", "8"), f.path), Code::kInvalid, "length is 8");
  check_error(loaded(external("weights.bin", {int64_t(1) << 61}), f.path), Code::kInvalid, "");
  check_error(loaded(external("none.bin", {1}), f.path), Code::kInvalid, "No such file");
}

TEST_CASE("onnx external data: the same bytes are read once, and parts that overlap ask for no more than the file has") {
  Folder f;
  const Proto same = model(13, {}, {}, {output("w"), output("v")}, {external("weights.bin", {4}), external("weights.bin", {2, 2}).s(8, "v")});
  auto g = load_graph(Source{bytes(same), nullptr, f.path, ""}, {});
  REQUIRE(g.ok());
  CHECK(g->value(g->outputs[0]).constant.raw() == g->value(g->outputs[1]).constant.raw());
  CHECK(g->value(g->outputs[1]).constant.dims() == Dims{2, 2});
  onnx::ExternalFiles files(f.path, false);
  int64_t spare = 7;
  CHECK(files.read("weights.bin", 0, -1, DType::f32, {4}, spare).ok());
  check_error(files.read("weights.bin", 4, -1, DType::f32, {2}, spare), Code::kInvalid, "overlapping");
  spare = 8;
  CHECK(files.read("weights.bin", 4, -1, DType::f32, {2}, spare).ok());
  CHECK(spare == 0);
  CHECK(files.read("weights.bin", 4, -1, DType::f32, {1, 2}, spare).ok());  // read before
}

TEST_CASE("onnx external data: paths that leave the folder are refused") {
  Folder f;
  for (const char* path : {"", "/etc/passwd", "../weights.bin", "inner/../weights.bin", "inner/..", "inner\\deep.bin", "..", "."}) {
    CAPTURE(path);
    CHECK(!loaded(external(path, {1}), f.path).ok());
  }
  check_error(loaded(external(std::string("weights.bin\0x", 13), {1}), f.path), Code::kInvalid, "NUL");
  check_error(loaded(external("../weights.bin", {1}), f.path + "/inner"), Code::kInvalid, "leaves the model's folder");
}

TEST_CASE("onnx external data: links, pipes, folders and devices are refused at once") {
  Folder f;
  REQUIRE(symlink("weights.bin", (f.path + "/link.bin").c_str()) == 0);
  REQUIRE(symlink("inner", (f.path + "/linked").c_str()) == 0);
  REQUIRE(mkfifo((f.path + "/pipe").c_str(), 0600) == 0);
  check_error(loaded(external("link.bin", {1}), f.path), Code::kInvalid, "symbolic link");
  CHECK(!loaded(external("linked/deep.bin", {1}), f.path).ok());
  check_error(loaded(external("pipe", {1}), f.path), Code::kInvalid, "not a regular file");
  check_error(loaded(external("inner", {1}), f.path), Code::kInvalid, "not a regular file");
  check_error(loaded(external("null", {1}), "/dev"), Code::kInvalid, "not a regular file");
}

TEST_CASE("onnx external data: links of a hub's cache are read, others when the caller says so") {
  Folder f;
  std::filesystem::create_directories(f.path + "/blobs");
  std::filesystem::create_directories(f.path + "/snapshots/rev");
  f.write("blobs/hash", {5, 6});
  REQUIRE(symlink("../../blobs/hash", (f.path + "/snapshots/rev/w.bin").c_str()) == 0);
  REQUIRE(symlink("/etc/hostname", (f.path + "/snapshots/rev/out.bin").c_str()) == 0);
  check_elements<float>(loaded(external("w.bin", {2}), f.path + "/snapshots/rev"), {2}, {5, 6});
  check_error(loaded(external("out.bin", {1}), f.path + "/snapshots/rev"), Code::kInvalid, "symbolic link");
  REQUIRE(symlink("weights.bin", (f.path + "/link.bin").c_str()) == 0);
  REQUIRE(link((f.path + "/weights.bin").c_str(), (f.path + "/hard.bin").c_str()) == 0);
  check_error(loaded(external("hard.bin", {1}), f.path), Code::kInvalid, "hard link");
  for (const char* name : {"link.bin", "hard.bin"}) {
    const Proto m = holding(external(name, {4}));
    auto model = load_graph(Source{bytes(m), nullptr, f.path, ""}, {.follow_links = true});
    CHECK_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  }
}

TEST_CASE("onnx external data: the model's own file is data like any other") {
  Folder f;
  const Proto m = holding(external("model.onnx", {1}, "4"));
  std::ofstream(f.path + "/model.onnx", std::ios::binary) << m.data;
  auto model = load(f.path + "/model.onnx");
  REQUIRE(model.ok());
  auto out = model->evaluate({});
  REQUIRE(out.ok());
  CHECK(std::memcmp((*out)[0].bytes.data(), m.data.data() + 4, 4) == 0);
}

TEST_CASE("onnx external data: a model from memory names no files unless its folder is given") {
  check_error(loaded(external("weights.bin", {1}), ""), Code::kInvalid, "LoadOptions::directory");
}

}  // namespace tern::test::in_onnx_storage
