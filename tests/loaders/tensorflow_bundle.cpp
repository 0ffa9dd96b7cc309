// Checkpoints: checksums, blocks of tables, Snappy, texts and variables in parts. data/tensorflow/bundles is what TensorFlow wrote, with counted
// values (bundles.py); tables of several blocks are written here as LevelDB's format says. Code: loaders/tensorflow/bundle.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "loaders/source.h"
#include "loaders/tensorflow/bundle/bundle.h"
#include "loaders/tensorflow/bundle/slices.h"
#include "loaders/tensorflow/bundle/snappy.h"
#include "loaders/tensorflow/bundle/table.h"
#include "runtime/base/crc.h"

namespace tern::tensorflow {
namespace in_tensorflow_bundle {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/tensorflow/bundles/";
constexpr int64_t kBudget = int64_t(1) << 20;

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

template <class T>
std::string number(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string varint(uint64_t n) {
  std::string out;
  for (; n > 127; n >>= 7) out += static_cast<char>(n | 128);
  return out + static_cast<char>(n);
}

std::string entry(size_t shared, const std::string& rest, const std::string& value) {
  return varint(shared) + varint(rest.size()) + varint(value.size()) + rest + value;
}

// A table as it is made: put() gives the place of each block, finish() the file.
struct TableWriter {
  std::string file;
  std::string put(const std::string& block, uint8_t type = 0) {
    const std::string place = varint(file.size()) + varint(block.size()), whole = block + static_cast<char>(type);
    file += whole + number(masked(crc32c(bytes(whole))));
    return place;
  }
  static std::string plain(const std::string& entries) { return entries + number(uint32_t{0}) + number(uint32_t{1}); }
  std::string finish(const std::string& index) {
    const std::string meta = put(plain("")), at = put(plain(index)), handles = meta + at;
    return file + handles + std::string(40 - handles.size(), '\0') + number(uint64_t{0xdb4775248b80fb57u});
  }
};

std::string refusal(const std::string& file) {
  auto table = read_table(bytes(file), kBudget);
  REQUIRE_FALSE(table.ok());
  return table.error().message();
}

// The element i of what bundles.py counts.
int64_t counted(int64_t i) { return i % 251; }

template <class T>
void check_counted(Result<Tensor> tensor, const Dims& dims) {
  REQUIRE_MESSAGE(tensor.ok(), (tensor.ok() ? "" : tensor.error().message()));
  CHECK(tensor->dims() == dims);
  REQUIRE(tensor->dtype() == dtype_of<T>());
  bool same = true;
  for (int64_t i = 0; i < dims.count(); ++i) same = same && tensor->data<T>()[i] == static_cast<T>(counted(i));
  CHECK(same);
}

}  // namespace

TEST_CASE("bundle: a checksum is stored masked") {
  CHECK(masked(0x46dd794eu) == 0x951f7892u);  // rotated by 15 bits to the right, plus 0xa282ead8
}

TEST_CASE("bundle: what TensorFlow wrote is read: prefixed keys, texts, parts") {
  auto bundle = Bundle::open(kFolder, "parts", {});
  REQUIRE_MESSAGE(bundle.ok(), (bundle.ok() ? "" : bundle.error().message()));
  CHECK(bundle->keys().size() == 44);
  for (int i = 0; i < 40; ++i) {
    auto t = bundle->read("layer_" + std::to_string(i) + "/kernel");
    REQUIRE(t.ok());
    CHECK(t->data<float>()[0] == static_cast<float>(i));
    CHECK(t->data<float>()[1] == static_cast<float>(-i));
  }
  auto texts = bundle->read("texts");
  REQUIRE(texts.ok());
  std::string last;
  for (int i = 0; i < 50; ++i) last += std::string("\xc3\xa9\0x", 4);
  CHECK(texts->data<StringRef>()[0].view() == "one");
  CHECK(texts->data<StringRef>()[1].view().empty());
  CHECK(texts->data<StringRef>()[2].view() == last);
  check_counted<float>(bundle->read("rows"), {7, 4});
  check_counted<float>(bundle->read("columns"), {3, 10});
  auto many = bundle->read("many");
  REQUIRE(many.ok());
  bool same = many->dims() == Dims{20000};
  for (int64_t i = 0; i < 20000; ++i) same = same && many->data<int8_t>()[i] == static_cast<int8_t>(counted(i));
  CHECK(same);
  CHECK_FALSE(bundle->read("row").ok());
  CHECK_FALSE(bundle->has("rows2"));
}

TEST_CASE("bundle: a part of a variable, told as graphs of TensorFlow 1 tell it") {
  auto bundle = Bundle::open(kFolder, "parts", {});
  REQUIRE(bundle.ok());
  auto rows = bundle->read_part("rows", "7 4 3,2:0,4");
  REQUIRE_MESSAGE(rows.ok(), (rows.ok() ? "" : rows.error().message()));
  CHECK(rows->dims() == Dims{2, 4});
  for (int64_t i = 0; i < 8; ++i) CHECK(rows->data<float>()[i] == static_cast<float>(12 + i));
  CHECK_FALSE(bundle->read_part("rows", "7 4 3,3:0,4").ok());
  CHECK_FALSE(bundle->read_part("rows", "7 4 3;2:-").ok());
  CHECK_FALSE(bundle->read_part("rows", "").ok());
}

TEST_CASE("bundle: several shards") {
  auto bundle = Bundle::open(kFolder, "shards", {});
  REQUIRE_MESSAGE(bundle.ok(), (bundle.ok() ? "" : bundle.error().message()));
  check_counted<float>(bundle->read("first"), {5});
  check_counted<int64_t>(bundle->read("second"), {2, 3});
}

TEST_CASE("bundle: subnormal elements are zeros of their sign wherever they lie, and a tensor without them is not copied") {
  const auto folder = std::filesystem::temp_directory_path() / ("tern_bundle_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  constexpr int64_t kCount = 70'000;  // 273 KB: two pieces of what is checked at a time
  for (const int64_t at : {int64_t(-1), int64_t(0), int64_t(65'535), int64_t(65'536), kCount - 1}) {
    CAPTURE(at);
    std::vector<float> values(kCount);
    for (int64_t i = 0; i < kCount; ++i) values[static_cast<size_t>(i)] = static_cast<float>(counted(i));
    if (at >= 0) values[static_cast<size_t>(at)] = -1e-40f;
    const std::string shard(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    const auto field = [](int n, uint64_t value) { return varint(uint64_t(n) << 3) + varint(value); };
    const auto message = [](int n, const std::string& inner) { return varint(uint64_t(n) << 3 | 2) + varint(inner.size()) + inner; };
    const std::string header = field(1, 1) + message(3, field(1, 1)), shape = message(2, message(2, field(1, kCount)));
    const std::string checksum = varint(6 << 3 | 5) + number(masked(crc32c_by_tables(bytes(shard))));
    const std::string variable = field(1, 1) + shape + field(5, shard.size()) + checksum;
    TableWriter t;
    const std::string place = t.put(TableWriter::plain(entry(0, "", header) + entry(0, "w", variable)));
    std::ofstream(folder / "x.index", std::ios::binary) << t.finish(entry(0, "w", place));
    std::ofstream(folder / "x.data-00000-of-00001", std::ios::binary) << shard;
    auto bundle = Bundle::open(folder.string(), "x", {});
    REQUIRE_MESSAGE(bundle.ok(), (bundle.ok() ? "" : bundle.error().message()));
    auto first = bundle->read("w"), again = bundle->read("w");
    REQUIRE_MESSAGE(first.ok(), (first.ok() ? "" : first.error().message()));
    REQUIRE(again.ok());
    CHECK((first->raw() == again->raw()) == (at < 0));
    int wrong = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      const float expected = i == at ? -0.0f : static_cast<float>(counted(i));
      for (const Tensor& w : {*first, *again}) wrong += std::memcmp(w.data<float>() + i, &expected, sizeof expected) != 0;
    }
    CHECK(wrong == 0);
    std::fstream(folder / "x.data-00000-of-00001", std::ios::binary | std::ios::in | std::ios::out).seekp(270'001).put('?');
    bundle = Bundle::open(folder.string(), "x", {});
    REQUIRE(bundle.ok());
    auto damaged = bundle->read("w");
    REQUIRE(!damaged.ok());
    CHECK(damaged.error().message() == "its checksum is wrong: the file is damaged");
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("slices: the keys of parts are those that TensorFlow writes") {
  auto source = map_beneath(kFolder, "parts.index", {});
  REQUIRE(source.ok());
  auto table = read_table(source->bytes, kBudget);
  REQUIRE(table.ok());
  size_t parts = 0;
  for (const auto& [key, value] : *table) parts += !key.empty() && key[0] == '\0';
  CHECK(parts == 3 + 4 + 3);
  const auto has = [&](const char* name, Slice s) { return table->contains(slice_key(name, s)); };
  CHECK(has("many", {{0}, {6667}}));
  CHECK(has("many", {{6667}, {6667}}));
  CHECK(has("many", {{13334}, {6666}}));
  // By hand from the format's text: 64 takes two bytes, 2^20 - 1 three and 2^20 four; a whole axis has the length -1.
  CHECK(slice_key("a", {{63}, {-1}}) == std::string("\0a\0\1\1\1\xbf\x7f", 8));
  CHECK(slice_key("a", {{64}, {8191}}) == std::string("\0a\0\1\1\1\xc0\x40\xdf\xff", 10));
  CHECK(slice_key("a", {{8192}, {1048575}}) == std::string("\0a\0\1\1\1\xe0\x20\x00\xef\xff\xff", 12));
  CHECK(slice_key("a", {{1048576}, {0}}) == std::string("\0a\0\1\1\1\xf0\x10\x00\x00\x80", 11));
  CHECK(slice_key(std::string("\0\xff", 2), {{}, {}}) == std::string("\0\0\xff\xff\0\0\1\0", 8));
}

TEST_CASE("slices: parts that overlap, leave gaps or lie outside are refused") {
  const auto check = [](std::vector<Slice> s, const Dims& whole) {
    Status status = check_slices(s, whole);
    return status ? std::string() : status.error().message();
  };
  CHECK(check({{{0, 0}, {2, -1}}, {{2, 0}, {1, 4}}}, {3, 4}).empty());
  CHECK(check({{{0, 0}, {2, -1}}}, {3, 4}) == "its parts leave gaps");
  CHECK(check({{{0, 0}, {2, -1}}, {{1, 0}, {2, 4}}}, {3, 4}) == "its parts overlap");
  CHECK(check({{{0, 0}, {1, 4}}, {{0, 0}, {1, 4}}, {{2, 0}, {1, 4}}}, {3, 4}) == "its parts overlap");
  CHECK(check({{{2, 0}, {2, 4}}, {{0, 0}, {1, 4}}}, {3, 4}) == "a part of it lies outside");
  CHECK(check({{{-1, 0}, {4, 4}}}, {3, 4}) == "a part of it lies outside");
  CHECK(check({{{1, 0}, {-1, 4}}}, {3, 4}) == "a part of it lies outside");
  CHECK(check({{{4, 0}, {INT64_MAX, 4}}}, {3, 4}) == "a part of it lies outside");
  CHECK(check({{{0}, {3}}}, {3, 4}) == "a part of it has another number of axes");
  CHECK(check({{{0, 0}, {0, 4}}, {{0, 0}, {3, 4}}}, {3, 4}).empty());
}

TEST_CASE("table: keys that share their begin, in several blocks") {
  TableWriter w;
  const std::string first = w.put(TableWriter::plain(entry(0, "abc", "1") + entry(2, "d", "22")));
  const std::string second = w.put(TableWriter::plain(entry(0, "abd0", "") + entry(4, "\xff", "4")));
  const std::string file = w.finish(entry(0, "abd", first) + entry(0, "b", second));
  auto table = read_table(bytes(file), kBudget);
  REQUIRE_MESSAGE(table.ok(), (table.ok() ? "" : table.error().message()));
  CHECK(*table == Table{{"abc", "1"}, {"abd", "22"}, {"abd0", ""}, {"abd0\xff", "4"}});
}

TEST_CASE("table: what does not hold together is refused") {
  const auto of = [](const std::string& block) {
    TableWriter w;
    const std::string place = w.put(block);
    return w.finish(entry(0, "z", place));
  };
  CHECK(read_table(bytes(of(TableWriter::plain(entry(0, "a", "1")))), kBudget).ok());
  CHECK(refusal(of(TableWriter::plain(entry(1, "a", "1")))).find("entries are malformed") != std::string::npos);  // shares with nothing
  CHECK(refusal(of(TableWriter::plain(entry(0, "a", "1") + entry(2, "a", "1")))).find("entries are malformed") != std::string::npos);
  CHECK(refusal(of(TableWriter::plain(entry(0, "b", "1") + entry(0, "a", "1")))).find("ascending order") != std::string::npos);
  CHECK(refusal(of(TableWriter::plain(entry(0, "a", "1") + entry(1, "", "1")))).find("ascending order") != std::string::npos);
  CHECK(refusal(of(entry(0, "a", "1") + number(uint32_t{0}) + number(uint32_t{9}))).find("entries are malformed") != std::string::npos);
  CHECK(refusal(of(number(uint32_t{0xffffffff}))).find("entries are malformed") != std::string::npos);
  CHECK(refusal(of(TableWriter::plain(varint(0) + varint(1) + varint(uint64_t{1} << 60) + "a"))).find("entries are malformed") != std::string::npos);
  std::string damaged = of(TableWriter::plain(entry(0, "a", "1")));
  damaged[3] = 'b';
  CHECK(refusal(damaged).find("checksum is wrong") != std::string::npos);
  TableWriter unknown;
  const std::string place = unknown.put(TableWriter::plain(entry(0, "a", "1")), 2);
  CHECK(refusal(unknown.finish(entry(0, "z", place))).find("compressed in a way that is not supported (2)") != std::string::npos);
  TableWriter twice;
  const std::string same = twice.put(TableWriter::plain(entry(0, "a", "1")));
  CHECK(refusal(twice.finish(entry(0, "a", same) + entry(0, "b", same))).find("overlap") != std::string::npos);
  TableWriter beyond;
  CHECK(refusal(beyond.finish(entry(0, "a", varint(uint64_t{1} << 40) + varint(5)))).find("beyond the end") != std::string::npos);
  TableWriter trailer;  // a block that ends where the last blocks do: its checksum would lie in the footer
  trailer.put(TableWriter::plain(entry(0, "a", std::string(200, 'x'))));
  const size_t body = TableWriter(trailer).finish(entry(0, "a", varint(0) + varint(200))).size() - 48;
  CHECK(refusal(trailer.finish(entry(0, "a", varint(0) + varint(body - 2)))).find("beyond the end") != std::string::npos);
  CHECK(refusal(std::string(47, '\0')).find("shorter than its footer") != std::string::npos);
  CHECK(refusal(std::string(200, '\0')).find("does not end as") != std::string::npos);
  std::string longer;  // 200,000 entries of three bytes: more memory than 16 times the file and the budget
  for (int i = 0; i < 200'000; ++i) longer += entry(0, std::to_string(1'000'000 + i), "");
  CHECK(refusal(of(TableWriter::plain(longer))).find("more memory than LoadOptions::budget") != std::string::npos);
}

// A block of Snappy: its length, then literals (length - 1 in the six high bits, 00) and copies (01: 3 bits of length - 4 and 11 of the
// distance; 10: 6 bits of length - 1 and a distance of 16 bits).
TEST_CASE("snappy: literals and copies, also of what is being copied") {
  const std::string block = varint(13) + static_cast<char>(2 << 2) + "abc" + static_cast<char>(((7 - 4) << 2) | 1) + '\x03' +
                            static_cast<char>(((3 - 1) << 2) | 2) + std::string("\x07\0", 2);
  auto plain = snappy_uncompressed(bytes(block), 13);
  if (!plain.ok() && plain.error().code() == Code::kUnsupported) {  // a build without libsnappy
    CHECK(plain.error().message().find("libsnappy-dev") != std::string::npos);
    return;
  }
  REQUIRE_MESSAGE(plain.ok(), (plain.ok() ? "" : plain.error().message()));
  CHECK(std::string(reinterpret_cast<const char*>(plain->data()), plain->size()) == "abcabcabcaabc");
  CHECK(snappy_uncompressed(bytes(block), 12).error().message().find("more memory") != std::string::npos);
  CHECK_FALSE(snappy_uncompressed(bytes(block.substr(0, 6)), 13).ok());                                  // ends early
  CHECK_FALSE(snappy_uncompressed(bytes(varint(12) + block.substr(1)), 13).ok());                        // is longer than it says
  CHECK_FALSE(snappy_uncompressed(bytes(varint(uint64_t{1} << 31) + block.substr(1)), INT64_MAX).ok());  // no block holds so much
  CHECK_FALSE(snappy_uncompressed(bytes(varint(4) + std::string("\x05\x09", 2)), 13).ok());              // copies from before the begin
  CHECK_FALSE(snappy_uncompressed({}, 13).ok());
  TableWriter w;
  const std::string entries = TableWriter::plain(entry(0, "key", "value"));
  const std::string place = w.put(varint(entries.size()) + static_cast<char>((entries.size() - 1) << 2) + entries, 1);
  auto table = read_table(bytes(w.finish(entry(0, "z", place))), kBudget);
  REQUIRE(table.ok());
  CHECK(*table == Table{{"key", "value"}});
}

}  // namespace in_tensorflow_bundle
}  // namespace tern::tensorflow
