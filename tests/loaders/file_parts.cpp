// Files of which parts are copied when they are asked for. Code: loaders/file_parts.cpp.
#include "loaders/file_parts.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "runtime/base/mapping.h"

namespace tern {
namespace in_file_parts {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tern_file_parts_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& bytes) const {
    std::ofstream(path / "x", std::ios::binary) << bytes;
    return path.string();
  }
};

std::string counted(size_t n) {
  std::string s(n, '\0');
  for (size_t i = 0; i < n; ++i) s[i] = static_cast<char>(i * 7 % 251);
  return s;
}
std::string text(const FileParts::Part& p) { return {reinterpret_cast<const char*>(p.bytes.data()), p.bytes.size()}; }

}  // namespace

TEST_CASE("file parts: small and large ones are what the file holds there, aligned, with room to read behind, and copied once") {
  Folder f;
  const std::string whole = counted(1'000'000);
  auto file = FileParts::open(f.write(whole), "x", {});
  REQUIRE(file.ok());
  CHECK(file->size() == 1'000'000);
  for (const auto& place : {std::pair{0, 10}, {3, 1000}, {999'990, 10}, {5, 300'000}, {700'000, 300'000}, {1'000'000, 0}}) {
    const int offset = place.first, size = place.second;
    CAPTURE(offset);
    auto part = file->part(offset, size);
    REQUIRE(part.ok());
    CHECK(text(*part) == whole.substr(static_cast<size_t>(offset), static_cast<size_t>(size)));
    CHECK(reinterpret_cast<uintptr_t>(part->bytes.data()) % 64 == 0);
    CHECK(part->source->bytes.size() >= part->bytes.size() + 64);
    CHECK(part->source->bytes.data() == part->bytes.data());
    CHECK(is_mapped(part->source->owner) == (size >= 300'000));
    auto again = file->part(offset, size);
    REQUIRE(again.ok());
    CHECK(again->bytes.data() == part->bytes.data());
  }
  CHECK(text(*file->part(5, 300'000)) == whole.substr(5, 300'000));  // none lies over another
}

TEST_CASE("file parts: parts over one another are no more than the file and the budget") {
  Folder f;
  auto file = FileParts::open(f.write(counted(1000)), "x", {.budget = 500});
  REQUIRE(file.ok());
  for (int i = 0; i < 3; ++i) CHECK(file->part(i, 500).ok());
  CHECK(file->part(0, 500).ok());  // which is there
  auto more = file->part(3, 1);
  REQUIRE(!more.ok());
  CHECK(more.error().message() == "its parts lie over one another");
}

TEST_CASE("file parts: a file that changes after it was opened is refused, and what was read before stays") {
  Folder f;
  const std::string whole = counted(400'000);
  auto file = FileParts::open(f.write(whole), "x", {});
  REQUIRE(file.ok());
  auto part = file->part(0, 300'000);
  REQUIRE(part.ok());
  for (const std::string& other : {std::string(400'000, 'x'), std::string("short")}) {
    f.write(other);
    CHECK(text(*part) == whole.substr(0, 300'000));
    for (const int size : {10, 300'000}) {
      auto late = file->part(100, size);
      REQUIRE(!late.ok());
      CHECK(late.error().code() == Code::kInvalid);
    }
  }
}

TEST_CASE("file parts: who looks at a part sees all of its bytes in order, in pieces of whole elements, whatever of them lies in holes") {
  Folder f;
  const std::string head = counted(1000), middle = counted(300'000);
  {
    const std::string folder = f.write(head);
    std::ofstream file(folder + "/x", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(600'000);
    file << middle;
    file.close();
    fs::resize_file(folder + "/x", 2'000'000);
  }
  const std::string whole = head + std::string(599'000, '\0') + middle + std::string(1'100'000, '\0');
  for (const bool map : {false, true}) {
    CAPTURE(map);
    auto file = FileParts::open(f.path.string(), "x", {.map = map});
    REQUIRE(file.ok());
    for (const auto& place : {std::pair{1'200'000, 700'000}, {8, 1'500'000}, {0, 100}, {8, 1'500'000}, {500'000, 150'000}}) {
      const size_t offset = static_cast<size_t>(place.first), size = static_cast<size_t>(place.second);
      CAPTURE(offset);
      std::string seen;
      auto part = file->part(place.first, place.second, [&](std::span<const std::byte> piece) {
        CHECK((piece.size() % 8 == 0 || seen.size() + piece.size() == size));
        seen.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      });
      REQUIRE(part.ok());
      CHECK((seen == whole.substr(offset, size)));
      CHECK((text(*part) == seen));
    }
  }
}

TEST_CASE("file parts: in place, all parts are of one mapping") {
  Folder f;
  auto file = FileParts::open(f.write(counted(1000)), "x", {.map = true});
  REQUIRE(file.ok());
  auto a = file->part(0, 10), b = file->part(500, 500);
  REQUIRE((a.ok() && b.ok()));
  CHECK(b->bytes.data() == a->bytes.data() + 500);
}

TEST_CASE("file parts: what is no file, and holes beyond the budget") {
  Folder f;
  CHECK(!FileParts::open(f.path.string(), "x", {}).ok());
  fs::create_directory(f.path / "folder");
  CHECK(!FileParts::open(f.path.string(), "folder", {}).ok());
  f.write("head");
  fs::resize_file(f.path / "x", uint64_t(1) << 30);
  auto file = FileParts::open(f.path.string(), "x", {});
  REQUIRE(!file.ok());
  CHECK(file.error().message().find("are holes, more than the budget") != std::string::npos);
}

}  // namespace in_file_parts
}  // namespace tern
