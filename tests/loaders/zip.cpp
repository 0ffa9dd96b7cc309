// The ZIP reader: PyTorch's own form, other writers' forms, and archives that two readers could see differently. Code: loaders/zip.
#include "loaders/zip/zip.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "loaders/source.h"
#include "runtime/base/mapping.h"
#include "tests/support/zip_writer.h"

namespace tern::test::in_zip {
namespace {

using namespace std::string_literals;

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

std::string text(const Result<std::vector<std::byte>>& r) {
  return r ? std::string(reinterpret_cast<const char*>(r->data()), r->size()) : "error: " + r.error().message();
}
std::string text(const Result<std::span<const std::byte>>& r) {
  return r ? std::string(reinterpret_cast<const char*>(r->data()), r->size()) : "error: " + r.error().message();
}

std::string refusal(const std::string& file) {
  auto zip = ZipArchive::open(bytes(file));
  if (zip) return "";
  CHECK(zip.error().code() == Code::kInvalid);
  CHECK(zip.error().message().find('\n') == std::string::npos);
  return zip.error().message();
}

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

// Two members; patched by the tests below.
struct Sample {
  ZipWriter zip;
  std::string file;
  explicit Sample(const ZipWriter::Options& o = {}, bool zip64 = false) {
    zip.add("a/first", "0123456789", o);
    zip.add("a/second", "abcdef", o);
    file = zip.finish(zip64);
  }
  const ZipWriter::Member& first() const { return zip.members[0]; }
  const ZipWriter::Member& second() const { return zip.members[1]; }
};

}  // namespace

TEST_CASE("zip: members are read in every form that writers give them") {
  for (const bool deflate : {false, true}) {
    for (const bool descriptor : {false, true}) {
      for (const bool zip64 : {false, true}) {
        for (const size_t align : {size_t(0), size_t(64), size_t(4096)}) {
          CAPTURE(deflate);
          CAPTURE(descriptor);
          CAPTURE(zip64);
          CAPTURE(align);
          const Sample s({deflate, true, descriptor, align, zip64}, zip64);
          auto zip = ZipArchive::open(bytes(s.file));
          REQUIRE_MESSAGE(zip.ok(), zip.error().message());
          REQUIRE(zip->entries().size() == 2);
          CHECK(zip->entries()[0].name == "a/first");  // in the order of the directory
          const ZipArchive::Entry* second = zip->find("a/second");
          REQUIRE(second == &zip->entries()[1]);
          CHECK(second->size == 6);
          CHECK(text(zip->read(*second, 6)) == "abcdef");
          CHECK(text(zip->read(zip->entries()[0], 10)) == "0123456789");
          if (deflate) {
            CHECK(zip->view(*second).error().code() == Code::kUnsupported);
          } else {
            auto view = zip->view(*second);
            CHECK(text(view) == "abcdef");
            CHECK(static_cast<const void*>(view->data()) == s.file.data() + s.second().payload);  // in place
            if (align > 0) CHECK(s.second().payload % align == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("zip: names are found whatever their order, and only whole ones") {
  ZipWriter w;
  for (const char* name : {"b", "a", "a/b", "c/"}) w.add(name, std::string("in ") + name);
  const std::string file = w.finish();
  auto zip = ZipArchive::open(bytes(file));
  REQUIRE(zip.ok());
  for (const char* name : {"b", "a", "a/b", "c/"}) {
    REQUIRE(zip->find(name) != nullptr);
    CHECK(text(zip->read(*zip->find(name), 100)) == std::string("in ") + name);
  }
  for (const char* name : {"", "A", "a/", "b/", "c", "d"}) CHECK(zip->find(name) == nullptr);
}

TEST_CASE("zip: an archive may have a comment, empty members, or no member at all") {
  ZipWriter w;
  w.add("empty", "");
  w.add("deflated", "", {.deflate = true});
  const std::string file = w.finish(false, "a comment");
  auto zip = ZipArchive::open(bytes(file));
  REQUIRE(zip.ok());
  CHECK(text(zip->read(zip->entries()[0], 0)) == "");
  CHECK(text(zip->read(zip->entries()[1], 0)) == "");
  CHECK(text(zip->view(zip->entries()[0])) == "");
  CHECK(ZipArchive::open(bytes(ZipWriter().finish()))->entries().empty());
}

TEST_CASE("zip: a wrong checksum is an error, a checksum of 0 only where nobody computed one") {
  Sample s;
  s.file[s.first().payload + 3] ^= 1;
  auto zip = ZipArchive::open(bytes(s.file), {.in_place = false, .zero_crc_unset = true});
  REQUIRE(zip.ok());
  CHECK(contains(text(zip->view(zip->entries()[0])), "corrupt"));
  CHECK(contains(text(zip->read(zip->entries()[0], 10)), "corrupt"));
  CHECK(text(zip->view(zip->entries()[1])) == "abcdef");
  const Sample unset({.crc = false});
  auto lax = ZipArchive::open(bytes(unset.file), {.in_place = false, .zero_crc_unset = true}), strict = ZipArchive::open(bytes(unset.file));
  REQUIRE((lax.ok() && strict.ok()));
  CHECK(text(lax->view(lax->entries()[0])) == "0123456789");
  CHECK(contains(text(strict->view(strict->entries()[0])), "corrupt"));
}

TEST_CASE("zip: large members of a file in place are checked piece by piece") {
  const std::string path = "/tmp/tern_zip_test_" + std::to_string(::getpid()) + ".zip";
  std::string big(5 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 7 + (i >> 13));
  for (const size_t broken : {size_t(0), size_t(1) << 20, big.size() - 1, big.size()}) {  // the last: none
    ZipWriter w;
    const size_t payload = w.add("big", big).payload;
    std::string file = w.finish();
    const bool whole = broken == big.size();
    if (!whole) file[payload + broken] ^= 4;
    std::FILE* f = std::fopen(path.c_str(), "wb");
    REQUIRE(f != nullptr);
    REQUIRE(std::fwrite(file.data(), 1, file.size(), f) == file.size());
    std::fclose(f);
    auto source = map_file(path, {.map = true});
    std::remove(path.c_str());
    REQUIRE(source.ok());
    auto zip = ZipArchive::open(source->bytes, {.in_place = true, .zero_crc_unset = false});
    REQUIRE(zip.ok());
    auto view = zip->view(zip->entries()[0]);
    CHECK(view.ok() == whole);
    if (whole) CHECK(text(view) == big);
  }
}

TEST_CASE("zip: what is inflated once leaves its place in the archive, and nothing else does") {
  std::string noise(3 << 20, '\0');
  uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  ZipWriter w;
  w.add("before", "0123456789", {.deflate = true});
  w.add("large", noise, {.deflate = true});
  w.add("behind", "abcdef");
  const std::string file = w.finish();
  for (const bool once : {false, true}) {
    auto memory = map_memory(file.size());
    REQUIRE(memory.ok());
    std::copy(file.begin(), file.end(), reinterpret_cast<char*>(memory->get()));
    auto zip = ZipArchive::open({memory->get(), file.size()});
    REQUIRE(zip.ok());
    auto large = zip->read_shared(*zip->find("large"), 4 << 20, once);
    REQUIRE(large.ok());
    CHECK(is_mapped(*large));
    CHECK(std::equal(noise.begin(), noise.end(), reinterpret_cast<const char*>(large->get())));
    const std::byte* begin = memory->get() + w.members[1].payload;
    const auto gone = std::count(begin, begin + w.members[1].compressed, std::byte{0});
    CHECK((once ? gone > (3 << 20) - 20'000 : gone < (3 << 20) / 100));
    CHECK(text(zip->read(*zip->find("before"), 100)) == "0123456789");
    CHECK(text(zip->read(*zip->find("behind"), 100)) == "abcdef");
    auto small = zip->read_shared(*zip->find("before"), 100, once);
    REQUIRE(small.ok());
    CHECK(!is_mapped(*small));
    CHECK(std::string(reinterpret_cast<const char*>(small->get()), 10) == "0123456789");
    CHECK(zip->read_shared(*zip->find("large"), 1 << 20).error().message() == "member large is larger than the budget of 1048576 bytes");
  }
}

TEST_CASE("zip: what the local header says must be what the directory says") {
  const Sample good;
  CHECK(refusal(good.file) == "");
  auto with = [&](size_t at, auto value) {
    std::string file = good.file;
    patch(file, good.first().local + at, value);
    return refusal(file);
  };
  CHECK(contains(with(0, uint32_t(0)), "no local header"));
  CHECK(contains(with(30, 'b'), "another name"));
  CHECK(contains(with(26, uint16_t(6)), "another name"));  // a shorter one
  CHECK(contains(with(8, uint16_t(8)), "another compression"));
  CHECK(contains(with(6, uint16_t(1)), "another size or checksum"));  // encrypted here, not there
  CHECK(contains(with(14, uint32_t(1)), "another size or checksum"));
  CHECK(contains(with(18, uint32_t(9)), "another size or checksum"));
  CHECK(contains(with(22, uint32_t(9)), "another size or checksum"));
  CHECK(contains(with(18, uint32_t(0)), "another size or checksum"));  // zeros need bit 3
  const Sample later({.descriptor = true});
  std::string file = later.file;
  patch(file, later.first().local + 18, uint32_t(9));
  CHECK(contains(refusal(file), "another size or checksum"));
}

TEST_CASE("zip: names that mean another place, or that are there twice, are refused") {
  for (const std::string& name : {"../x"s, "a/../../x"s, "/x"s, "a\\x"s, "C:x"s, "a\0b"s, ""s, "a/.."s}) {
    CAPTURE(name);
    ZipWriter w;
    w.add(name, "data");
    CHECK(contains(refusal(w.finish()), "unsafe name"));
  }
  for (const std::string& name : {"..x"s, "a/..b/c"s, "a/.hidden"s, ".data/id"s, "a b"s, "\xc3\xa4"s}) {
    ZipWriter w;
    w.add(name, "data");
    CHECK(refusal(w.finish()) == "");
  }
  ZipWriter twice;
  twice.add("a/data.pkl", "one");
  twice.add("b", "other");
  twice.add("a/data.pkl", "two");
  CHECK(contains(refusal(twice.finish()), "a/data.pkl is there twice"));
}

TEST_CASE("zip: members that overlap, or that reach into the directory, are refused") {
  Sample s;
  // The second member begins inside of the first one's data.
  ZipWriter inner;
  inner.add("a/second", "abcdef");
  const std::string header = inner.finish().substr(0, inner.members[0].payload + 6);
  ZipWriter w;
  w.add("a/first", "..." + header);
  w.add("a/second", "abcdef");
  std::string file = w.finish();
  CHECK(refusal(file) == "");
  patch(file, w.members[1].central + 42, static_cast<uint32_t>(w.members[0].payload + 3));
  CHECK(contains(refusal(file), "overlap"));
  std::string far = s.file;  // the data of the last member would go on into the directory
  for (const size_t at : {s.second().local + 18, s.second().local + 22, s.second().central + 20, s.second().central + 24})
    patch(far, at, uint32_t(7));
  CHECK(contains(refusal(far), "reaches into the directory"));
  for (const size_t at : {s.second().local + 18, s.second().local + 22, s.second().central + 20, s.second().central + 24})
    patch(far, at, uint32_t(1 << 30));
  CHECK(contains(refusal(far), "truncated"));
}

TEST_CASE("zip: sizes of 64 bits that lie are refused") {
  const Sample good({.zip64 = true}, true);
  REQUIRE(refusal(good.file) == "");
  const size_t extra = good.first().central + 46 + 7 + 4;
  for (const size_t field : {size_t(0), size_t(8), size_t(16)}) {
    for (const uint64_t lie : {uint64_t(0), uint64_t(9), uint64_t(11), uint64_t(1) << 40, ~uint64_t(0), ~uint64_t(0) - 30, uint64_t(1) << 63}) {
      CAPTURE(field);
      CAPTURE(lie);
      if (field == 16 && lie == 0) continue;  // the first member does begin at 0
      std::string file = good.file;
      patch(file, extra + field, lie);
      CHECK(refusal(file) != "");
    }
  }
  std::string file = good.file;  // no extra field for what wants one
  patch(file, good.first().central + 46 + 7, uint16_t(2));
  CHECK(refusal(file) != "");
  patch(file, good.first().central + 46 + 7, uint16_t(1));
  patch(file, good.first().central + 46 + 7 + 2, uint16_t(12));
  CHECK(contains(refusal(file), "directory is damaged"));
}

TEST_CASE("zip: two end records must say the same") {
  const Sample good({}, true);
  REQUIRE(refusal(good.file) == "");
  auto with = [&](size_t at, auto value) {
    std::string file = good.file;
    patch(file, at, value);
    return refusal(file);
  };
  const size_t end = good.zip.end, end64 = good.zip.end64;
  for (const uint64_t lie : {uint64_t(1), uint64_t(3), uint64_t(1) << 60, ~uint64_t(0)}) {
    CHECK(with(end64 + 24, lie) != "");
    CHECK(with(end64 + 32, lie) != "");
    CHECK(with(end64 + 40, lie) != "");
    CHECK(with(end64 + 48, lie) != "");
    CHECK(with(end64 + 4, lie) != "");
    CHECK(with(end - 12, lie) != "");  // where the record is
  }
  CHECK(contains(with(end + 10, uint16_t(1)), "parts"));
  CHECK(contains(with(end + 4, uint16_t(1)), "parts"));
  CHECK(contains(with(end + 12, uint32_t(5)), "disagree"));
  CHECK(contains(with(end + 16, uint32_t(5)), "disagree"));
  std::string file = good.file;  // 0xffff and 0xffffffff: see there
  patch(file, end + 8, uint16_t(0xffff));
  patch(file, end + 10, uint16_t(0xffff));
  patch(file, end + 12, uint32_t(0xffffffff));
  patch(file, end + 16, uint32_t(0xffffffff));
  CHECK(refusal(file) == "");
  const Sample narrow;
  file = narrow.file;
  patch(file, narrow.zip.end + 16, uint32_t(0xffffffff));
  CHECK(contains(refusal(file), "ZIP64 end record is missing"));
}

TEST_CASE("zip: the directory lies right before its end record, and nothing follows it") {
  const Sample good;
  const size_t end = good.zip.end;
  std::string file = good.file;
  file.insert(end, "gap");
  CHECK(contains(refusal(file), "does not lie where"));
  CHECK(contains(refusal("front" + good.file), "does not lie where"));  // offsets do not hold any more
  CHECK(refusal(good.file + "tail") != "");
  file = good.file;
  patch(file, end + 8, uint16_t(1));
  patch(file, end + 10, uint16_t(1));
  CHECK(contains(refusal(file), "longer than its members"));
  patch(file, end + 8, uint16_t(3));
  patch(file, end + 10, uint16_t(3));
  CHECK(refusal(file) != "");
  // A comment that holds an end record of its own.
  ZipWriter two;
  two.add("x", "y");
  CHECK(refusal(two.finish(false, "PK\5\6" + std::string(30, '\0'))) != "");
}

TEST_CASE("zip: what deflate cannot have made is refused before memory is taken for it") {
  Sample s({.deflate = true});
  for (const uint32_t size : {uint32_t(0xfffffffe), uint32_t(1) << 30, uint32_t(11), uint32_t(9), uint32_t(0)}) {
    std::string file = s.file;
    patch(file, s.first().local + 22, size);
    patch(file, s.first().central + 24, size);
    auto zip = ZipArchive::open(bytes(file));
    REQUIRE(zip.ok());
    CHECK_FALSE(zip->read(zip->entries()[0], UINT64_MAX).ok());
  }
  std::string file = s.file;  // a method of another kind
  patch(file, s.first().local + 8, uint16_t(12));
  patch(file, s.first().central + 10, uint16_t(12));
  auto zip = ZipArchive::open(bytes(file));
  REQUIRE(zip.ok());
  CHECK(zip->read(zip->entries()[0], 100).error().code() == Code::kUnsupported);
  CHECK(zip->view(zip->entries()[0]).error().code() == Code::kUnsupported);
  const Sample stored;
  file = stored.file;
  patch(file, stored.first().local + 22, uint32_t(9));
  patch(file, stored.first().central + 24, uint32_t(9));
  CHECK(contains(refusal(file), "cannot have the size"));
}

TEST_CASE("zip: an encrypted member is named") {
  Sample s;
  patch(s.file, s.first().local + 6, uint16_t(1));
  patch(s.file, s.first().central + 8, uint16_t(1));
  auto zip = ZipArchive::open(bytes(s.file));
  REQUIRE(zip.ok());
  CHECK(contains(text(zip->view(zip->entries()[0])), "a/first is encrypted"));
  CHECK(contains(text(zip->read(zip->entries()[0], 100)), "a/first is encrypted"));
}

TEST_CASE("zip: every truncation is refused") {
  for (const bool zip64 : {false, true}) {
    const Sample s({}, zip64);
    for (size_t n = 0; n < s.file.size(); ++n) CHECK(refusal(s.file.substr(0, n)) != "");
  }
}

}  // namespace tern::test::in_zip
