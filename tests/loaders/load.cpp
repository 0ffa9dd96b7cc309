// Telling formats apart, and files that are none. Contract: loaders/load.h.
#include "loaders/load.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/onnx_writer.h"

namespace tern::test::in_load {
namespace {

Error refusal(const std::string& content) {
  auto g = load_graph(Source{bytes(content), nullptr, "", ""}, {});
  REQUIRE(!g.ok());
  return g.error();
}

}  // namespace

TEST_CASE("load: other formats are told by their first bytes") {
  using namespace std::string_literals;
  CHECK(refusal("PK\3\4 and more"s).message().find("ZIP") != std::string::npos);
  CHECK(refusal("\x80\2]q\0."s).message().find("a pickle that holds no tensors") != std::string::npos);
  CHECK(refusal("\x80\2}q\0."s).message().find("a pickle that holds no tensors") != std::string::npos);
  CHECK(refusal("\x80\4\x95."s).message().find("pickle byte 2") != std::string::npos);
  CHECK(refusal("\2\0\0\0\0\0\0\0{}"s).code() == Code::kUnsupported);
}

TEST_CASE("load: texts, empty files and unknown bytes are no models") {
  using namespace std::string_literals;
  CHECK(refusal(""s).message() == "the file is empty");
  CHECK(refusal("\xff\xfe\xfd\xfc"s).code() == Code::kInvalid);
  CHECK(refusal("\0"s).code() == Code::kInvalid);
  CHECK(refusal("\x80\2"s).code() == Code::kInvalid);  // too short for a pickle
}

TEST_CASE("load: only regular files are read") {
  CHECK(!read_file("/nonexistent/model.onnx").ok());
  CHECK(read_file("/tmp").error().message().find("directory") != std::string::npos);
  CHECK(read_file("/dev/zero").error().message().find("regular") != std::string::npos);
  char folder[] = "/tmp/tern_load_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string pipe = std::string(folder) + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_file(pipe).error().code() == Code::kInvalid);
  unlink(pipe.c_str());
  rmdir(folder);
}

TEST_CASE("load: an error is one printable line, whatever names the file holds") {
  const Proto m = model(13, {node("Relu", {"no\nsuch\x1b[31m"}, {"y"}, {}, "a\tb\xff")}, {}, {output("y")});
  auto g = load_graph(Source{bytes(m), nullptr, "", ""}, {});
  REQUIRE(!g.ok());
  for (char c : g.error().message()) {
    CHECK(static_cast<unsigned char>(c) >= 32);
    CHECK(static_cast<unsigned char>(c) < 127);
  }
}

TEST_CASE("load: an error of a file names the file") {
  auto model = load("/nonexistent/model.onnx");
  REQUIRE(!model.ok());
  CHECK(model.error().code() == Code::kInvalid);
  CHECK(model.error().message().starts_with("/nonexistent/model.onnx: "));
}

}  // namespace tern::test::in_load
