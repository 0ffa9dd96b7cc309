// Hostile HDF5 files: cut and flipped anywhere (with checksums that are right again), structures that lead back to themselves or lie over one
// another, sizes that lie, chunks and texts that are bombs. Written by hand where no library would.
#include "loaders/hdf5/hdf5.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <fstream>
#include <sstream>

#include "loaders/hdf5/fractal_heap.h"
#include "tests/support/cheap.h"
#include "tests/support/hdf5_walk.h"

namespace tern::test::in_hdf5 {
namespace {

std::string recorded(const std::string& name) {
  std::ifstream in(std::string(TERN_TEST_DATA) + "/hdf5/" + name, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  REQUIRE(all.str().size() > 1000);
  return all.str();
}

bool has(const std::string& message, std::string_view part) { return message.find(part) != message.npos; }

// The message with which a file, or something in it, is refused.
std::string refusal(const std::string& file, int64_t budget = int64_t(48) << 20) {
  return refused_cheaply(file.size(), [&] {
    Status s = walk_hdf5(bytes_of(file), budget, [](const std::string&) {});
    return s;
  });
}

template <class T>
std::string number(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
std::string u8(uint64_t v) { return number(static_cast<uint8_t>(v)); }
std::string u16(uint64_t v) { return number(static_cast<uint16_t>(v)); }
std::string u32(uint64_t v) { return number(static_cast<uint32_t>(v)); }
std::string u64(uint64_t v) { return number(v); }
constexpr uint64_t kNone = ~uint64_t(0);

void replace(std::string& in, size_t at, const std::string& by) { in.replace(at, by.size(), by); }

// An old file, written structure by structure: put() gives the address of each.
struct Writer {
  std::string bytes = "\x89HDF\r\n\x1a\n" + std::string(4, '\0') + std::string("\0\x08\x08\0", 4) + u16(4) + u16(16) + u32(0) + u64(0) + u64(kNone) +
                      u64(0) + u64(kNone) + u64(0) + u64(0) + std::string(24, '\0');

  uint64_t put(const std::string& structure) {
    bytes.append((8 - bytes.size() % 8) % 8, '\0');
    bytes += structure;
    return bytes.size() - structure.size();
  }
  static std::string message(uint16_t type, std::string body, uint8_t flags = 0) {
    body.append((8 - body.size() % 8) % 8, '\0');
    return u16(type) + u16(body.size()) + u8(flags) + std::string(3, '\0') + body;
  }
  // An object's header of these messages.
  uint64_t object(const std::string& messages) { return put(u8(1) + u8(0) + u16(1) + u32(1) + u32(messages.size()) + u32(0) + messages); }
  static std::string link(const std::string& name, uint64_t address) { return message(6, u8(1) + u8(0) + u8(name.size()) + name + u64(address)); }
  // The whole file, its root being the object at `address`.
  std::string file(uint64_t address) {
    replace(bytes, 40, u64(bytes.size()));
    replace(bytes, 64, u64(address));
    return bytes;
  }
  // With one dataset "d" of these messages.
  std::string of(const std::string& messages) { return file(object(link("d", object(messages)))); }
};

std::string sizes(const std::vector<uint64_t>& dims) {
  std::string s = u8(1) + u8(dims.size()) + u8(0) + std::string(5, '\0');
  for (uint64_t n : dims) s += u64(n);
  return Writer::message(1, s);
}
const std::string kByte = Writer::message(3, u8(0x10) + std::string(3, '\0') + u32(1) + u16(0) + u16(8));
const std::string kVariable = Writer::message(3, u8(0x19) + u8(1) + u16(0) + u32(16) + u8(0x13) + std::string(3, '\0') + u32(1));
const std::string kDeflate = Writer::message(11, u8(2) + u8(1) + u16(1) + u16(0) + u16(0));

std::string contiguous(uint64_t address, uint64_t bytes) { return Writer::message(8, u8(3) + u8(1) + u64(address) + u64(bytes)); }
std::string chunked(uint64_t tree, const std::vector<uint64_t>& chunk, uint64_t element = 1) {
  std::string s = u8(3) + u8(2) + u8(chunk.size() + 1) + u64(tree);
  for (uint64_t n : chunk) s += u32(n);
  return Writer::message(8, s + u32(element));
}
// A node of a tree of chunks of one dimension.
struct Entry {
  uint64_t stored, first, address;
};
std::string tree(uint8_t level, const std::vector<Entry>& entries) {
  std::string s = "TREE" + u8(1) + u8(level) + u16(entries.size()) + u64(kNone) + u64(kNone);
  for (const Entry& e : entries) s += u32(e.stored) + u32(0) + u64(e.first) + u64(0) + u64(e.address);
  return s + std::string(24, '\0');
}

std::string deflated(const std::string& text) {
  std::string out(compressBound(text.size()), '\0');
  uLongf size = out.size();
  REQUIRE(compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(), 9) == Z_OK);
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("hostile hdf5: the untouched samples are read") {
  for (const char* name : {"few/old.h5", "few/v108.h5", "few/new.h5"}) {
    std::string told;
    (void)walk_hdf5(bytes_of(recorded(name)), 1 << 20, [&](const std::string& m) { told += has(m, "no text") || has(m, "no number") ? "" : m; });
    CHECK_MESSAGE(told == "", name);
  }
  Writer w;
  const uint64_t data = w.put("data"), index = w.put(tree(0, {{4, 0, data}}));
  CHECK(walk_hdf5(Writer(w).of(sizes({4}) + kByte + contiguous(data, 4))).ok());
  CHECK(walk_hdf5(Writer(w).of(sizes({4}) + kByte + chunked(index, {4}))).ok());
}

TEST_CASE("hostile hdf5: cut anywhere, whether or not the end is moved too") {
  for (const char* name : {"few/old.h5", "few/new.h5"}) {
    const std::string whole = recorded(name);
    const bool old = whole[8] == 0;
    for (size_t n = 0; n < whole.size(); n += kSanitized ? 211 : 37) {
      std::string cut = whole.substr(0, n);
      CHECK(!walk_hdf5(cut).ok());
      if (n < 64) continue;
      replace(cut, old ? 40 : 28, u64(n));
      (void)walk_hdf5(repaired(cut, 2));
    }
  }
}

TEST_CASE("hostile hdf5: bytes changed anywhere, with checksums that are right again") {
  for (const char* name : {"few/old.h5", "few/v108.h5", "few/new.h5"}) {
    std::string file = recorded(name);
    for (size_t i = 0; i < file.size(); i += kSanitized ? 211 : 11) {
      const char before = file[i];
      for (const int by : {1, 0x80, 0xff}) {
        file[i] = static_cast<char>(by == 0xff ? 0xff : before ^ by);
        (void)walk_hdf5(file[8] == 0 ? file : repaired(file, 2));
      }
      file[i] = before;
    }
  }
}

TEST_CASE("hostile hdf5: structures whose checksum does not match") {
  const std::string whole = recorded("few/new.h5");
  for (const char* structure : {"OHDR", "FRHP", "FHDB", "BTHD", "BTLF", "FAHD", "FADB", "EAHD", "EAIB"}) {
    const size_t at = whole.find(structure);
    REQUIRE_MESSAGE(at != whole.npos, structure);
    std::string file = whole, told;
    file[at + 22] = static_cast<char>(file[at + 22] ^ 1);
    (void)walk_hdf5(bytes_of(file), 1 << 20, [&](const std::string& m) { told += m; });
    CHECK_MESSAGE(has(told, "bytes is corrupt: its checksum does not match"), structure);
  }
  std::string file = whole;
  file[12] = static_cast<char>(file[12] ^ 1);
  CHECK(has(refusal(file), "the superblock at byte 0 of 48 bytes is corrupt"));
}

TEST_CASE("hostile hdf5: numbers that are nearly those of the machine are of no known type") {
  const auto type_of = [](uint64_t sign, uint64_t exponent_at, uint64_t exponent, uint64_t mantissa, uint64_t bias) {
    Writer w;
    const std::string type =
        u8(0x11) + u8(0x20) + u8(sign) + u8(0) + u32(4) + u16(0) + u16(32) + u8(exponent_at) + u8(exponent) + u8(0) + u8(mantissa) + u32(bias);
    const std::string bytes = w.of(sizes({1}) + Writer::message(3, type) + contiguous(96, 4));
    auto file = hdf5::File::open(Source{bytes_of(bytes), nullptr, {}, {}}, 1 << 20);
    REQUIRE(file.ok());
    auto described = file->describe(1);
    REQUIRE(described.ok());
    return described->dtype_name;
  };
  CHECK(type_of(31, 23, 8, 23, 127) == "f32");
  CHECK(type_of(31, 23, 8, 23, 126) == "32-bit float");
  CHECK(type_of(30, 23, 8, 23, 127) == "32-bit float");
  CHECK(type_of(31, 22, 9, 22, 127) == "32-bit float");
  CHECK(type_of(31, 24, 8, 23, 127) == "32-bit float");
}

TEST_CASE("hostile hdf5: groups in themselves, and groups with two names") {
  Writer w;
  const uint64_t root = w.object(Writer::link("self", 96));
  REQUIRE(root == 96);
  CHECK(refusal(w.file(root)) == "self: is the group that it lies in: groups that contain themselves are not read");
  Writer two;
  const uint64_t inner = two.object(Writer::link("x", kNone) + Writer::message(2, std::string(18, '\xff')));
  (void)inner;
  Writer deep;
  const uint64_t first = deep.bytes.size(), second = first + 16 + 24;  // each leads to the other
  CHECK(deep.object(Writer::link("b", second)) == first);
  CHECK(deep.object(Writer::link("a", first)) == second);
  CHECK(refusal(deep.file(first)) == "b/a: is the group that it lies in: groups that contain themselves are not read");
  Writer twice;
  const uint64_t empty = twice.object(Writer::message(2, u8(0) + u8(0) + u64(kNone) + u64(kNone)));
  CHECK(refusal(twice.file(twice.object(Writer::link("a", empty) + Writer::link("b", empty)))) ==
        "b: is a group that has another name too, which is not supported");
  Writer same;
  CHECK(has(refusal(same.file(same.object(Writer::link("a", 1) + Writer::link("a", 1)))), "has the name a twice"));
  for (const char* name : {"", ".", "a/b"}) {
    Writer bad;
    CHECK(has(refusal(bad.file(bad.object(Writer::link(name, 96)))), "a link whose name is none"));
  }
}

TEST_CASE("hostile hdf5: a chain of groups as deep as the file allows") {
  Writer w;
  uint64_t below = w.object(Writer::message(2, u8(0) + u8(0) + u64(kNone) + u64(kNone)));
  const size_t depth = flood(100'000);
  for (size_t i = 0; i < depth; ++i) below = w.object(Writer::link("g", below));
  const std::string file = w.file(below);
  auto opened = hdf5::File::open(Source{bytes_of(file), nullptr, {}, {}}, 1 << 20);
  REQUIRE(opened.ok());
  CHECK(opened->objects() == depth + 1);
  CHECK(opened->path(static_cast<hdf5::File::Id>(depth)).size() < 1000);
}

TEST_CASE("hostile hdf5: headers that continue in themselves, or longer than the file") {
  Writer w;
  const uint64_t root = w.bytes.size();
  w.object(Writer::message(16, u64(root + 16) + u64(24)));
  CHECK(has(refusal(w.file(root)), "continues without an end"));
  Writer far;
  CHECK(has(refusal(far.file(far.object(Writer::message(16, u64(96) + u64(1 << 20))))), "lies outside of the file"));
  Writer none;
  CHECK(has(refusal(none.file(none.object(Writer::message(16, u64(96) + u64(0))))), "continues without an end"));
  Writer many;
  std::string nothing;
  for (int i = 0; i < 9000; ++i) nothing += u16(12) + u16(0) + u32(0);
  uint64_t at = many.put(nothing), next = at;
  for (int i = 0; i < 10; ++i) next = many.put(Writer::message(16, u64(at) + u64(nothing.size())));
  std::string all;
  for (int i = 0; i < 10; ++i) all += Writer::message(16, u64(at) + u64(nothing.size()));
  CHECK(has(refusal(many.file(many.object(all))), "more than 65536 messages"));
  (void)next;
}

TEST_CASE("hostile hdf5: trees that contain themselves or lie over one another") {
  Writer w;
  const uint64_t self = w.bytes.size();
  w.put(tree(0, {{4, 0, self}}));
  w.bytes[self + 5] = 1;
  CHECK(has(refusal(w.of(sizes({4}) + kByte + chunked(self, {4}))), "not one level below its parent"));
  // Eight levels of a hundred pointers to the same node each.
  Writer over;
  uint64_t below = over.put(tree(0, {}));
  for (uint8_t level = 1; level < 9; ++level) below = over.put(tree(level, std::vector<Entry>(100, {4, 0, below})));
  CHECK(has(refusal(over.of(sizes({4}) + kByte + chunked(below, {4}))), "lie over one another"));
}

TEST_CASE("hostile hdf5: a tree of version 2 has as many records as it says") {
  const std::string whole = recorded("few/new.h5");
  size_t trees = 0;
  for (size_t at = whole.find("BTHD"); at != whole.npos; at = whole.find("BTHD", at + 1), ++trees) {
    for (const int by : {1, -1}) {
      std::string file = whole, told;
      file[at + 26] = static_cast<char>(file[at + 26] + by);
      (void)walk_hdf5(bytes_of(repaired(file)), 1 << 20, [&](const std::string& m) { told += m; });
      CHECK(has(told, by > 0 ? "has fewer records than it says" : "has more records than it says"));
    }
    std::string file = whole, told;
    replace(file, at + 24, u16(500) + u64(500));  // of the root, and in all
    (void)walk_hdf5(bytes_of(repaired(file)), 1 << 20, [&](const std::string& m) { told += m; });
    CHECK_MESSAGE(has(told, "has more records than fit"), told);
  }
  CHECK(trees == 4);
}

TEST_CASE("hostile hdf5: blocks of a fractal heap say where in the heap they are, and whose") {
  const std::string whole = recorded("few/new.h5");
  size_t blocks = 0;
  for (const char* signature : {"FHDB", "FHIB"}) {
    for (size_t at = whole.find(signature); at != whole.npos; at = whole.find(signature, at + 1), ++blocks) {
      for (const size_t field : {5u, 13u}) {  // the heap's address, the block's offset
        std::string file = whole, told;
        file[at + field] = static_cast<char>(file[at + field] + 1);
        (void)walk_hdf5(bytes_of(repaired(file)), 1 << 20, [&](const std::string& m) { told += m; });
        CHECK_MESSAGE(has(told, "the fractal heap's block at byte " + std::to_string(at) + " is damaged"), told);
      }
    }
  }
  CHECK(blocks > 2);
}

// A heap without blocks, whose ids have so many bytes.
TEST_CASE("hostile hdf5: tiny objects of a fractal heap lie in their ids") {
  for (const uint64_t id_bytes : {8u, 18u, 19u}) {
    std::string header = "FRHP" + u8(0) + u16(id_bytes) + u16(0) + u8(0) + u32(4096) + u64(0) + u64(kNone) + std::string(80, '\0') + u16(4) +
                         u64(512) + u64(65536) + u16(32) + u16(0) + u64(kNone) + u16(0);
    header += u32(hdf5::lookup3(bytes_of(header)));
    hdf5::Space space(bytes_of(header), 1 << 20);
    auto heap = hdf5::FractalHeap::open(space, 0);
    REQUIRE_MESSAGE(heap.ok(), (heap.ok() ? "" : heap.error().message()));
    const bool wide = id_bytes > 18;  // the length has a byte more
    const auto object = [&](uint64_t length, const std::string& text) {
      const std::string id = wide ? u8(0x20 | (length - 1) >> 8) + u8(length - 1) + text : u8(0x20 | (length - 1)) + text;
      auto o = heap->object(space, bytes_of(id));
      return o ? std::string(reinterpret_cast<const char*>(o->data()), o->size()) : o.error().message();
    };
    CHECK(object(1, "abcdefg") == "a");
    CHECK(object(6, "abcdefg") == "abcdef");
    CHECK(object(7, "abcdefg") == "abcdefg");
    CHECK(has(object(8, "abcdefg"), "has a tiny object that is longer than its id"));
    CHECK(has(object(wide ? 4096 : 16, "abcdefg"), "has a tiny object that is longer than its id"));
    CHECK(has(heap->object(space, bytes_of(u8(0x60) + "abcdefg")).error().message(), "has no object of an id"));  // of a later version
    CHECK(has(heap->object(space, bytes_of(std::string(8, '\0'))).error().message(), "has no object of an id"));  // of a block that is not there
  }
}

// A heap of one block of 512 bytes, in a file that goes on behind it.
TEST_CASE("hostile hdf5: managed objects of a fractal heap end in their block") {
  constexpr uint64_t kBlock = 256, kBytes = 512;
  std::string file = "FRHP" + u8(0) + u16(8) + u16(0) + u8(0) + u32(4096) + u64(0) + u64(kNone) + std::string(80, '\0') + u16(4) + u64(kBytes) +
                     u64(65536) + u16(32) + u16(0) + u64(kBlock) + u16(0);
  file += u32(hdf5::lookup3(bytes_of(file)));
  file.resize(kBlock);
  file += "FHDB" + u8(0) + u64(0) + u32(0) + "hello";
  file.resize(2048, 'x');
  hdf5::Space space(bytes_of(file), 1 << 20);
  auto heap = hdf5::FractalHeap::open(space, 0);
  REQUIRE_MESSAGE(heap.ok(), (heap.ok() ? "" : heap.error().message()));
  const auto object = [&](uint64_t offset, uint64_t length) {
    const std::string id = u8(0) + u32(offset) + u16(length);
    auto o = heap->object(space, bytes_of(id));
    return o ? std::string(reinterpret_cast<const char*>(o->data()), o->size()) : o.error().message();
  };
  CHECK(object(17, 5) == "hello");
  CHECK(object(kBytes - 4, 4) == "xxxx");
  for (const auto& [offset, length] : std::initializer_list<std::pair<uint64_t, uint64_t>>{{kBytes - 4, 5}, {kBytes, 1}, {kBytes + 1, 1}, {17, 1000}})
    CHECK(has(object(offset, length), "has an object that lies in no block"));
}

TEST_CASE("hostile hdf5: groups that share a table of names") {
  Writer w;
  std::string names(8, '\0'), symbols = "SNOD" + u8(1) + u8(0) + u16(2000);
  const uint64_t object = w.object(sizes({1}) + kByte + contiguous(0, 1));
  for (int i = 0; i < 2000; ++i) {
    symbols += u64(names.size()) + u64(object) + std::string(24, '\0');
    names += std::to_string(i) + std::string(1, '\0');
  }
  const uint64_t data = w.put(names), heap = w.put("HEAP" + u32(0) + u64(names.size()) + u64(kNone) + u64(data)), node = w.put(symbols);
  const uint64_t table = w.put("TREE" + u8(0) + u8(0) + u16(1) + u64(kNone) + u64(kNone) + u64(0) + u64(node) + u64(8));
  std::string links;
  for (int i = 0; i < 2000; ++i) links += Writer::link(std::to_string(i), w.object(Writer::message(17, u64(table) + u64(heap))));
  const uint64_t root = w.object(links);
  CHECK(has(refusal(w.file(root)), "the file has more than 262144 links"));
}

TEST_CASE("hostile hdf5: sizes that lie") {
  const auto told = [](const std::string& dims, const std::string& layout) {
    Writer w;
    return refusal(w.of(dims + kByte + layout));
  };
  CHECK(has(told(sizes({1000}), contiguous(96, 10)), "has 10 bytes, its sizes need 1000"));
  CHECK(has(told(sizes({100'000}), contiguous(96, 100'000)), "lies outside of the file"));
  CHECK(has(told(sizes({100'000}), contiguous(kNone - 50, 100'000)), "lies outside of the file"));
  CHECK(has(told(sizes({uint64_t(1) << 32, uint64_t(1) << 32}), contiguous(96, 10)), "sizes that are too large"));
  CHECK(has(told(sizes({uint64_t(1) << 63}), contiguous(96, 10)), "a dimension of 9223372036854775808"));
  CHECK(has(told(sizes(std::vector<uint64_t>(33, 1)), contiguous(96, 1)), "a dataspace that is damaged"));
  CHECK(has(told(sizes({uint64_t(1) << 40}), contiguous(kNone, 10)), "larger than the file explains"));
  CHECK(has(told(sizes({uint64_t(1) << 40}), chunked(kNone, {1000})), "larger than the file explains"));
  CHECK(has(told(sizes({4}), chunked(kNone, {0})), "chunks of an impossible size"));
  CHECK(has(told(sizes({4, 4}), chunked(kNone, {uint64_t(1) << 31, 4})), "chunks of an impossible size"));
  CHECK(has(told(sizes({4}), chunked(kNone, {2, 2})), "chunks of another rank"));
  CHECK(has(told(sizes({4}), chunked(kNone, {2}, 4)), "chunks of other elements"));
  CHECK(has(told(sizes({40}), Writer::message(8, u8(3) + u8(0) + u16(4) + "data")), "has 4 bytes, its sizes need 40"));
}

TEST_CASE("hostile hdf5: chunks that are bombs, too short, twice there or between others") {
  const std::string zeros = deflated(std::string(8 << 20, '\0'));
  Writer w;
  const uint64_t data = w.put(zeros);
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < 100; ++i) entries.push_back({zeros.size(), i << 23, data});
  const uint64_t index = w.put(tree(0, entries));
  CHECK(has(refusal(Writer(w).of(sizes({100 << 23}) + kByte + chunked(index, {1 << 23}) + kDeflate)), "larger than the file explains"));
  // The dataset is small; its chunks are not, and all are the same few bytes.
  std::vector<Entry> rows;
  Writer wide(w);
  std::string thin = "TREE" + u8(1) + u8(0) + u16(4000) + u64(kNone) + u64(kNone);
  for (uint64_t i = 0; i < 4000; ++i) thin += u32(zeros.size()) + u32(0) + u64(i) + u64(0) + u64(0) + u64(data);
  const uint64_t all = wide.put(thin + std::string(32, '\0'));
  CHECK(has(refusal(wide.of(sizes({4000, 1}) + kByte + chunked(all, {1, 1 << 23}) + kDeflate)), "lie over one another"));

  const auto told = [](const std::vector<Entry>& chunks, const std::string& filters) {
    Writer small;
    REQUIRE(small.put("data") == 96);
    const uint64_t at = small.put(tree(0, chunks));
    return refusal(small.of(sizes({8}) + kByte + chunked(at, {4}) + filters));
  };
  CHECK(has(told({{1, 0, 96}}, ""), "has a chunk of 1 bytes instead of 4"));
  CHECK(has(told({{0, 0, 96}}, ""), "has a chunk of 0 bytes instead of 4"));
  CHECK(has(told({{5, 0, 96}}, ""), "has a chunk of 5 bytes instead of 4"));
  CHECK(has(told({{4, 0, 96}, {4, 0, 96}}, ""), "has a chunk twice"));
  CHECK(has(told({{4, 2, 96}}, ""), "begins within another one"));
  CHECK(has(told({{4, 0, 1 << 20}}, ""), "lies outside of the file"));
  CHECK(has(told({{4, 0, 96}}, kDeflate), "a damaged chunk"));
  CHECK(has(told({{1, 0, 96}}, Writer::message(11, u8(2) + u8(1) + u16(3) + u16(0) + u16(0))), "its checksum does not match"));
}

TEST_CASE("hostile hdf5: a chunk that is larger than its dataset counts, with what it is decompressed into") {
  const std::string zeros = deflated(std::string(40 << 20, '\0'));
  Writer w;
  const uint64_t data = w.put(zeros), at = w.put(tree(0, {{zeros.size(), 0, data}}));
  CHECK(has(refusal(w.of(sizes({1}) + kByte + chunked(at, {40 << 20}) + kDeflate)), "explains"));
}

TEST_CASE("hostile hdf5: sums of chunks, as machines of both byte orders write them") {
  const std::string elements = "data";
  const uint32_t sum = hdf5::fletcher32(bytes_of(elements));
  const uint32_t exchanged = (sum & 0xff) << 8 | (sum >> 8 & 0xff) | (sum & 0xff0000) << 8 | (sum >> 8 & 0xff0000);
  REQUIRE(sum != exchanged);
  const auto told = [&](uint32_t stored) {
    Writer w;
    const uint64_t data = w.put(elements + u32(stored)), at = w.put(tree(0, {{8, 0, data}}));
    std::string all;
    const std::string sums = Writer::message(11, u8(2) + u8(1) + u16(3) + u16(0) + u16(0));
    (void)walk_hdf5(bytes_of(w.of(sizes({4}) + kByte + chunked(at, {4}) + sums)), 1 << 20, [&](const std::string& m) { all += m; });
    return all;
  };
  CHECK(told(sum) == "");
  CHECK(told(exchanged) == "");
  CHECK(has(told(sum + 1), "its checksum does not match"));
}

TEST_CASE("hostile hdf5: a chunk cannot decompress to more than deflate can hold") {
  Writer w;
  REQUIRE(w.put("data") == 96);
  const uint64_t at = w.put(tree(0, {{4, 0, 96}}));
  CHECK(has(refusal(w.of(sizes({8}) + kByte + chunked(at, {1 << 20}) + kDeflate)), "cannot decompress to its size"));
}

TEST_CASE("hostile hdf5: global heaps with free space of no size, and texts that are longer than the file") {
  const auto told = [](const std::string& collection, uint32_t bytes, uint32_t number, uint64_t count = 1) {
    Writer w;
    const uint64_t heap = w.put(collection);
    std::string elements;
    for (uint64_t i = 0; i < count; ++i) elements += u32(bytes) + u64(heap) + u32(number);
    const uint64_t data = w.put(elements);
    return refusal(w.of(sizes({count}) + kVariable + contiguous(data, elements.size())));
  };
  const std::string head = "GCOL" + u32(1), object = u16(1) + u16(1) + u32(0) + u64(5) + "hello" + std::string(3, '\0');
  CHECK(has(told(head + u64(40) + object, 5, 2), "has no object 2"));
  CHECK(has(told(head + u64(40) + object, 6, 1), "longer than its place"));
  CHECK(has(told(head + u64(72) + u16(0) + u16(0) + u32(0) + u64(0) + object + std::string(16, '\0'), 5, 1), "has no object 1"));
  CHECK(has(told(head + u64(8) + object, 5, 1), "is damaged"));
  CHECK(has(told(head + u64(1 << 20) + object, 5, 1), "lies outside of the file"));
  CHECK(has(told(head + u64(40) + u16(1) + u16(1) + u32(0) + u64(kNone - 9), 5, 1), "reaches beyond it"));
  const std::string large(100'000, 'x');
  CHECK(has(told(head + u64(large.size() + 40) + u16(1) + u16(1) + u32(0) + u64(large.size()) + large + std::string(40, '\0'), 100'000, 1, 10'000),
            "larger than the file explains"));
}

TEST_CASE("hostile hdf5: datasets over one another") {
  Writer w;
  const uint64_t data = w.put(std::string(1 << 20, 'x'));
  std::string links;
  for (int i = 0; i < 1000; ++i) links += Writer::link(std::to_string(i), w.object(sizes({1 << 20}) + kByte + contiguous(data, 1 << 20)));
  CHECK(has(refusal(w.file(w.object(links))), "the datasets lie over one another"));
}

}  // namespace tern::test::in_hdf5
