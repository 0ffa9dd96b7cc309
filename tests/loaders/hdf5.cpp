// Files that h5py wrote, read to the bit: every layout, chunk index, filter, byte order and way of keeping names; what is refused, by name.
#include "loaders/hdf5/hdf5.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "loaders/hdf5/checksums.h"

using namespace tern;
using hdf5::File;

namespace in_hdf5 {
namespace {

constexpr int64_t kBudget = 1 << 20;
const std::string kFolder = std::string(TERN_TEST_DATA) + "/hdf5/";

Source source_of(const std::string& name) {
  auto source = map_file(kFolder + name);
  REQUIRE(source.ok());
  return *source;
}

File opened(const std::string& name) {
  auto file = File::open(source_of(name), kBudget);
  REQUIRE_MESSAGE(file.ok(), name << ": " << file.error().message());
  return *file;
}

File::Id at(const File& file, const std::string& path) {
  auto id = file.find(file.root(), path);
  REQUIRE_MESSAGE(id.ok(), path << ": " << id.error().message());
  REQUIRE_MESSAGE(*id != File::kNothing, path);
  return *id;
}

std::string sizes_text(const StoredTensor& t) {
  std::string s;
  for (int64_t n : t.sizes) s += (s.empty() ? "" : ",") + std::to_string(n);
  return s.empty() ? "-" : s;
}

// Texts as Python's repr writes those that are here.
std::vector<std::string> quoted(const std::vector<std::string>& texts) {
  std::vector<std::string> out;
  for (const std::string& s : texts) out.push_back("'" + s + "'");
  return out;
}

std::vector<std::vector<std::string>> expected() {
  std::ifstream in(kFolder + "expected.txt");
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string f; std::getline(fields, f, '\t');) rows.back().push_back(f);
  }
  return rows;
}

std::string refusal(const File& file, const std::string& path) {
  auto id = file.find(file.root(), path);
  if (!id) return id.error().message();
  auto tensor = file.read(*id);
  if (!tensor) {
    CHECK(tensor.error().code() == Code::kUnsupported);
    return tensor.error().message();
  }
  auto made = dense(*tensor, kBudget);
  return made ? "" : made.error().message();
}

}  // namespace

TEST_CASE("hdf5: every dataset, text, number and group of the recorded files is what h5py reads") {
  std::map<std::string, File> files;
  std::map<std::string, int> seen;
  for (const auto& row : expected()) {
    const std::string &what = row[0], &name = row[1], &path = row[2];
    CAPTURE(name);
    CAPTURE(path);
    if (!files.contains(name)) files.emplace(name, opened(name));
    const File& file = files.at(name);
    const File::Id id = at(file, path);
    ++seen[what];
    if (what == "data") {
      auto described = file.describe(id);
      REQUIRE(described.ok());
      CHECK(described->storage == nullptr);
      CHECK(described->dtype_name == row[3]);
      CHECK(sizes_text(*described) == row[4]);
      auto t = file.read(id);
      REQUIRE_MESSAGE(t.ok(), t.error().message());
      CHECK(t->dtype_name == row[3]);
      CHECK(sizes_text(*t) == row[4]);
      auto sum = checksum(*t, kBudget);
      REQUIRE_MESSAGE(sum.ok(), sum.error().message());
      CHECK(*sum == std::stoul(row[5], nullptr, 16));
    } else if (what == "strings") {
      auto texts = file.strings(id);
      REQUIRE_MESSAGE(texts.ok(), texts.error().message());
      CHECK(quoted(*texts) == std::vector<std::string>(row.begin() + 3, row.end()));
    } else if (what == "texts") {
      auto texts = file.texts(id, row[3]);
      REQUIRE_MESSAGE(texts.ok(), row[3] << ": " << texts.error().message());
      REQUIRE(texts->has_value());
      CHECK_MESSAGE(quoted(**texts) == std::vector<std::string>(row.begin() + 4, row.end()), row[3]);
    } else if (what == "number") {
      auto number = file.number(id, row[3]);
      REQUIRE_MESSAGE(number.ok(), row[3] << ": " << number.error().message());
      REQUIRE(number->has_value());
      CHECK(**number == std::stod(row[4]));
    } else {
      const auto children = file.children(id);
      CHECK(children.size() == std::stoul(row[3]));
      if (!children.empty()) {
        CHECK(file.name(children.front()) == row[4]);
        CHECK(file.name(children.back()) == row.back());
      }
    }
  }
  CHECK(seen["data"] == 256);
  CHECK(seen["strings"] == 16);
  CHECK(seen["texts"] > 100);
  CHECK(seen["number"] == 45);
  CHECK(seen["links"] > 40);
}

TEST_CASE("hdf5: what lies in one piece is read in place, once for all names of a dataset") {
  const Source source = source_of("earliest.h5");
  auto file = File::open(source, kBudget);
  REQUIRE(file.ok());
  const auto inside = [&](const StoredTensor& t) {
    return t.storage->bytes.data() >= source.bytes.data() && t.storage->bytes.data() < source.bytes.data() + source.bytes.size();
  };
  auto contiguous = file->read(at(*file, "types/f4")), compact = file->read(at(*file, "compact")), other = file->read(at(*file, "other_name"));
  REQUIRE((contiguous.ok() && compact.ok() && other.ok()));
  CHECK(inside(*contiguous));
  CHECK(contiguous->storage->owner == source.owner);
  CHECK(contiguous->storage->readable_after == source.bytes.data() + source.bytes.size() - contiguous->storage->bytes.data() - 24);
  CHECK(inside(*compact));
  CHECK(other->storage == compact->storage);
  auto chunked = file->read(at(*file, "chunks/deflate")), again = file->read(at(*file, "chunks/deflate"));
  REQUIRE((chunked.ok() && again.ok()));
  CHECK(!inside(*chunked));
  CHECK(chunked->storage == again->storage);
  auto aliased = dense(*chunked, kBudget);
  REQUIRE(aliased.ok());
  CHECK(aliased->raw() == chunked->storage->bytes.data());
}

TEST_CASE("hdf5: paths, kinds and names") {
  const File file = opened("latest.h5");
  CHECK(file.kind(file.root()) == File::Kind::group);
  CHECK(file.path(file.root()) == "/");
  CHECK(file.path(at(file, "group/of//groups/deep/")) == "group/of/groups/deep");
  CHECK(at(file, "") == file.root());
  CHECK(at(file, "/") == file.root());
  CHECK(file.find(at(file, "group/of"), "groups").ok());
  CHECK(file.name(at(file, "links/ümlaut \\ and 日本")) == "ümlaut \\ and 日本");
  CHECK(file.kind(at(file, "scalar")) == File::Kind::dataset);
  CHECK(file.kind(at(file, "named_type")) == File::Kind::datatype);
  for (const char* absent : {"nothing", "group/nothing/of", "scalar/below", "links/1/link 1", "groups", "group/o", "group/off"}) {
    auto id = file.find(file.root(), absent);
    REQUIRE(id.ok());
    CHECK_MESSAGE(*id == File::kNothing, absent);
  }
  for (size_t i = 1; i < file.objects(); ++i) {
    bool below = false;
    for (File::Id parent = 0; parent < i && !below; ++parent) {
      for (File::Id child : file.children(parent)) below = below || child == i;
    }
    REQUIRE(below);
  }
}

TEST_CASE("hdf5: attributes that are absent, of other types, whole or split") {
  const File file = opened("earliest.h5");
  const File::Id id = at(file, "attributes");
  auto absent = file.text(id, "absent");
  REQUIRE(absent.ok());
  CHECK(!absent->has_value());
  auto joined = file.texts(id, "layer_names");
  REQUIRE((joined.ok() && joined->has_value()));
  CHECK(**joined == std::vector<std::string>{"dense", "lstm", "dense_1"});
  CHECK(file.text(id, "int").error().message() == "attribute int: is i64 and no text");
  CHECK(file.texts(id, "int").error().message() == "attribute int: is i64 and no text");
  CHECK(file.text(id, "variable_list").error().message() == "attribute variable_list: is a list of 3 and no text");
  CHECK(file.number(id, "variable").error().message() == "attribute variable: is no number");
  CHECK(file.number(id, "empty_list").error().message() == "attribute empty_list: is no number");
  auto names = file.attribute_names(at(file, "attributes/3"));
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"a0", "a1", "a2"});
  const File latest = opened("latest.h5");
  auto many = latest.attribute_names(at(latest, "attributes/30"));
  REQUIRE(many.ok());
  CHECK(many->size() == 30);
}

TEST_CASE("hdf5: what is not read is refused by name, and only when it is asked for") {
  const File file = opened("refused.h5");
  CHECK(refusal(file, "there").empty());
  CHECK(refusal(file, "soft") == "soft: is a soft link, which is not followed");
  CHECK(refusal(file, "soft/below") == "soft: is a soft link, which is not followed");
  CHECK(refusal(file, "external_link") == "external_link: is a link to another file, which is not followed");
  CHECK(refusal(file, "external") == "is kept in other files (external storage), which is not supported");
  CHECK(refusal(file, "virtual") == "is virtual: its data are those of other files, which is not supported");
  CHECK(refusal(file, "lzf") == "is stored with the filter lzf, which is not supported");
  CHECK(refusal(file, "scaleoffset") == "is stored with the filter scaleoffset, which is not supported");
  CHECK(refusal(file, "nbit") == "is stored with the filter nbit, which is not supported");
  CHECK(refusal(file, "null") == "is a dataset without elements (null), which is not supported");
  for (const char* type : {"opaque", "compound", "array", "reference", "enumeration"}) {
    CHECK(refusal(file, type) == "has the dtype " + std::string(type) + ", which is not supported");
  }
  CHECK(refusal(file, "complex") == "has the dtype compound, which is not supported");
  CHECK(refusal(file, "ragged") == "has the dtype variable-length, which is not supported");
  CHECK(refusal(file, "long_double") == "has the dtype 128-bit float, which is not supported");
  CHECK(refusal(file, "user_defined_bool") == "has the dtype enumeration, which is not supported");
  CHECK(file.kind(1) != File::Kind::group);
  auto listed = file.describe(at(file, "external"));
  REQUIRE(listed.ok());
  CHECK(listed->refusal == "kept in other files (external storage)");
  auto texts = file.strings(at(file, "there"));
  CHECK(texts.error().message() == "is f32 and no text");
  CHECK(file.describe(file.root()).error().message() == "is no dataset");
}

TEST_CASE("hdf5: an opaque dataset keeps its bytes, for whoever knows what they are") {
  const File file = opened("refused.h5");
  auto t = file.read(at(file, "opaque"));
  REQUIRE(t.ok());
  CHECK(t->dtype == DType::none);
  CHECK(t->dtype_name == "opaque");
  CHECK(t->element_size == 2);
  REQUIRE(t->storage->bytes.size() == 4);
  CHECK(t->storage->bytes[3] == std::byte{4});
}

TEST_CASE("hdf5: strings are read as texts, and are no tensor") {
  const File file = opened("earliest.h5");
  auto t = file.read(at(file, "strings/variable"));
  REQUIRE(t.ok());
  CHECK(t->dtype_name == "string");
  CHECK(dense(*t, kBudget).error().message() == "has the dtype string, which is not supported");
}

TEST_CASE("hdf5: told by its signature, at the begin or behind a block of other bytes") {
  const Source source = source_of("user_block.h5");
  const auto bytes = source.bytes;
  CHECK(hdf5::looks_like_hdf5(bytes));
  CHECK(hdf5::looks_like_hdf5(bytes.subspan(512)));
  CHECK(hdf5::looks_like_hdf5(bytes.subspan(1024)));
  CHECK(!hdf5::looks_like_hdf5(bytes.subspan(1)));
  CHECK(!hdf5::looks_like_hdf5({}));
  CHECK(!hdf5::looks_like_hdf5(bytes.subspan(1024, 7)));
}

TEST_CASE("hdf5: the checksums of the texts that their authors published") {
  const auto of = [](std::string_view s) { return std::as_bytes(std::span(s.data(), s.size())); };
  CHECK(hdf5::lookup3(of("")) == 0xdeadbeef);
  CHECK(hdf5::lookup3(of("Four score and seven years ago")) == 0x17770551);
  CHECK(hdf5::fletcher32(of("")) == 0);
}

}  // namespace in_hdf5
