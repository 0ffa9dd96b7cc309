// The .npy and .npz readers, against bytes as NumPy writes them and against broken ones. Code: loaders/npy, loaders/zip.
#include "loaders/npy/npy.h"

#include <doctest/doctest.h>

#include <cstring>

#include "loaders/load.h"
#include "loaders/zip/zip.h"
#include "tests/support/zip_writer.h"

using namespace tern;

namespace in_npy {
namespace {

std::span<const std::byte> bytes_of(const std::string& s) { return {reinterpret_cast<const std::byte*>(s.data()), s.size()}; }

std::string npy(std::string header, const std::string& body, char major = 1) {
  std::string s("\x93NUMPY", 6);
  s += major;
  s += '\0';
  header += '\n';
  s += static_cast<char>(header.size() & 255);
  s += static_cast<char>(header.size() >> 8);
  if (major > 1) s += std::string(2, '\0');
  return s + header + body;
}

template <class T>
std::string raw(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

std::vector<std::byte> sample() {
  auto file = read_file(std::string(TERN_TEST_DATA) + "/models/digits_mlp/data.npz");
  REQUIRE(file.ok());
  return *file;
}

}  // namespace

TEST_CASE("npy: a row-major array keeps its dtype, shape and elements") {
  auto t = read_npy(bytes_of(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", raw<float>({1, 2, 3, 4, 5, 6}))));
  REQUIRE(t.ok());
  CHECK(t->dtype() == DType::f32);
  CHECK(t->dims() == Dims{2, 3});
  CHECK(t->span<float>()[4] == 5);
}

TEST_CASE("npy: a Fortran-ordered array is turned into rows") {
  auto t = read_npy(bytes_of(npy("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 3), }", raw<int64_t>({1, 4, 2, 5, 3, 6}), 2)));
  REQUIRE(t.ok());
  for (int64_t i = 0; i < 6; ++i) CHECK(t->span<int64_t>()[static_cast<size_t>(i)] == i + 1);
}

TEST_CASE("npy: big-endian elements are turned around") {
  auto t = read_npy(bytes_of(npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", std::string("\x01\x02\xff\xfe", 4))));
  REQUIRE(t.ok());
  CHECK(t->span<int16_t>()[0] == 0x102);
  CHECK(t->span<int16_t>()[1] == -2);
}

TEST_CASE("npy: a scalar has rank 0, an empty array no elements") {
  auto scalar = read_npy(bytes_of(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", std::string(1, '\1'))));
  REQUIRE(scalar.ok());
  CHECK(scalar->dims().rank == 0);
  CHECK(scalar->span<bool>()[0]);
  auto empty = read_npy(bytes_of(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7), }", "")));
  REQUIRE(empty.ok());
  CHECK(empty->dims() == Dims{0, 7});
}

TEST_CASE("npy: unicode strings become UTF-8 without their padding") {
  auto t = read_npy(bytes_of(npy("{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }", raw<uint32_t>({0xe9, 0, 'a', 0x20ac}))));
  REQUIRE(t.ok());
  CHECK(t->span<StringRef>()[0].view() == "\xc3\xa9");
  CHECK(t->span<StringRef>()[1].view() == "a\xe2\x82\xac");
}

TEST_CASE("npy: what is written reads back the same, at every rank") {
  const std::vector<float> values = {1, -2, 0.5f, 4, 5, 6};
  for (const Dims& dims : {Dims{6}, Dims{2, 3}, Dims{1, 2, 3, 1}}) {
    const Tensor t = Tensor::of<float>(dims, values);
    const std::string written = write_npy(t);
    CHECK((written.size() - t.bytes()) % 64 == 0);  // NumPy maps files at this alignment
    auto back = read_npy(bytes_of(written));
    REQUIRE(back.ok());
    CHECK(back->dims() == dims);
    CHECK(std::memcmp(back->raw(), t.raw(), t.bytes()) == 0);
  }
  auto scalar = read_npy(bytes_of(write_npy(Tensor::scalar<int64_t>(7))));
  REQUIRE(scalar.ok());
  CHECK(scalar->dims().rank == 0);
  CHECK(scalar->span<int64_t>()[0] == 7);
}

TEST_CASE("npy: a shape that the bytes do not back is refused before anything is allocated") {
  for (const char* shape : {"(3,)", "(4611686018427387904, 4)", "(99999999999999999999,)", "(-1,)", "(2", "(1,1,1,1,1,1,1,1,1,)"}) {
    CAPTURE(shape);
    CHECK_FALSE(read_npy(bytes_of(npy(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape + "}", raw<float>({1, 2})))).ok());
  }
}

TEST_CASE("npy: object arrays are refused, never executed") {
  auto t = read_npy(bytes_of(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "cos\nsystem\n")));
  REQUIRE_FALSE(t.ok());
  CHECK(t.error().code() == Code::kUnsupported);
}

TEST_CASE("npy: what tern has no dtype for is refused by its name") {
  auto error = [](const char* type) {
    return read_npy(bytes_of(npy(std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (1,), }", std::string(16, 'x'))))
        .error()
        .message();
  };
  CHECK(error("|O") == "the .npy file has elements of type '|O', which tern does not have (Python objects); save an array of numbers or of strings");
  CHECK(error("<M8[D]") == "the .npy file has elements of type '<M8[D]', which tern does not have");
  CHECK(error("<c16") == "the .npy file has elements of type 'c16', which tern does not have");
}

TEST_CASE("npy: every truncation is an error") {
  const std::string whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", raw<float>({1, 2}));
  REQUIRE(read_npy(bytes_of(whole)).ok());
  for (size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(read_npy(bytes_of(whole.substr(0, n))).ok());
}

TEST_CASE("npz: a compressed archive from NumPy opens by key") {
  const auto file = sample();
  auto all = read_npz(file);
  REQUIRE(all.ok());
  CHECK(all->size() == 2);
  auto one = read_npz(file, "in_image");
  REQUIRE(one.ok());
  REQUIRE(one->size() == 1);
  CHECK(one->front().second.dims() == Dims{16, 1, 8, 8});
  auto none = read_npz(file, "absent");
  REQUIRE(!none.ok());
  CHECK(none.error().message() == "it holds no array named absent; it holds in_image, out_probabilities");
}

TEST_CASE("zip: every truncation is an error, and so is a flipped bit in the contents") {
  const auto file = sample();
  for (size_t n = 0; n < file.size(); ++n) CHECK_FALSE(read_npz(std::span(file).first(n)).ok());
  auto zip = ZipArchive::open(file);
  REQUIRE(zip.ok());
  const ZipArchive::Entry& e = zip->entries()[0];
  const auto length = [&](size_t at) { return std::to_integer<size_t>(file[at]) | std::to_integer<size_t>(file[at + 1]) << 8; };
  const size_t begin = e.offset + 30 + length(e.offset + 26) + length(e.offset + 28);
  for (size_t i = begin; i < begin + e.compressed; ++i) {
    auto broken = file;
    broken[i] ^= std::byte{0x10};
    auto again = ZipArchive::open(broken);
    REQUIRE(again.ok());
    auto bytes = again->read(again->entries()[0], 1 << 20);
    auto whole = zip->read(e, 1 << 20);
    // The last byte of a deflate stream may hold unused bits; anything else must be noticed.
    if (bytes.ok()) CHECK(*bytes == *whole);
    if (i < begin + e.compressed - 1) CHECK_FALSE(bytes.ok());
  }
}

TEST_CASE("zip: a member larger than the limit, or than deflate could make it, is refused") {
  const auto file = sample();
  auto zip = ZipArchive::open(file);
  REQUIRE(zip.ok());
  ZipArchive::Entry e = zip->entries()[0];
  CHECK_FALSE(zip->read(e, e.size - 1).ok());
  CHECK(zip->read(e, e.size).ok());
  e.size = uint64_t(1) << 40;
  CHECK_FALSE(zip->read(e, UINT64_MAX).ok());
  ZipArchive::Entry encrypted = zip->entries()[0];
  encrypted.flags |= 1;
  CHECK(zip->read(encrypted, 1 << 20).error().code() == Code::kUnsupported);
}

TEST_CASE("npz: what compressed arrays take is known before they are decompressed") {
  const std::string zeros = write_npy(*Tensor::allocate(DType::u8, {48 << 20}));
  for (bool deflate : {false, true}) {
    tern::test::ZipWriter zip;
    zip.add("a.npy", zeros, {.deflate = deflate});
    const std::string file = zip.finish();
    auto arrays = read_npz(std::as_bytes(std::span(file)));
    CHECK(arrays.ok() != deflate);
    if (deflate) CHECK(arrays.error().message().find("larger than the budget") != std::string::npos);
  }
}

}  // namespace in_npy
