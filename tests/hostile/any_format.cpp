// Bytes that are no model of any format, or of two at once.
#include <doctest/doctest.h>

#include "tern/tern.h"
#include "tests/support/cheap.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/zip_writer.h"

namespace tern::test::in_any_format {

TEST_CASE("any format: nothing, one byte, and 64 MB of the same byte") {
  for (const size_t size : {size_t(0), size_t(1), size_t(2), size_t(8), size_t(4096), size_t(kSanitized ? 1 : 64) << 20}) {
    for (const char byte : {'\0', '\xff', '{', 'P', '\x80', '\x08', ' '}) {
      CAPTURE(size);
      CAPTURE(static_cast<int>(byte));
      const std::string file(size, byte);
      refused_cheaply(file.size(), [&] { return load_bytes(bytes(file)); });
    }
  }
}

TEST_CASE("any format: a file of two formats is one of them or refused, and never both") {
  const std::string onnx = model(13, {node("Relu", {"x"}, {"y"})}, {input("x", 1, {2})}, {output("y")}).data;
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const uint64_t n = header.size();
  const std::string safetensors = std::string(reinterpret_cast<const char*>(&n), 8) + header + std::string(4, '\1');
  ZipWriter zip;
  zip.add("a/data.pkl", "\x80\x02}q\x01.");
  const std::string archive = zip.finish();
  for (const std::string& file :
       {safetensors + archive, onnx + archive, archive + onnx, archive + safetensors, safetensors + onnx, onnx + safetensors}) {
    auto result = load_bytes(bytes(file));
    if (result.ok()) {
      CHECK(result->format() == "onnx");  // the message ends where its fields do; what follows are unknown fields
      continue;
    }
    CHECK(result.error().message() != "");
    CHECK(result.error().message().find('\n') == std::string::npos);
  }
}

TEST_CASE("any format: safetensors of metadata alone, metadata that is no text, and a million tensors") {
  auto file_of = [](const std::string& header) {
    const uint64_t n = header.size();
    return std::string(reinterpret_cast<const char*>(&n), 8) + header;
  };
  for (const char* header : {R"({"__metadata__":{"a":"b"}})", R"({"__metadata__":{"a":1}})", R"({"__metadata__":[]})", R"({"__metadata__":"a"})",
                             R"({"__metadata__":{"a":{"b":"c"}}})", "{}"}) {
    const std::string file = file_of(header);
    refused_cheaply(file.size(), [&] { return load_bytes(bytes(file)); });
  }
  std::string many = "{";
  for (int i = 0; i < (kSanitized ? 20000 : 1000000); ++i)
    many += (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  const std::string file = file_of(many + "}");
  refused_cheaply(
      file.size() * 12, [&] { return load_bytes(bytes(file)); }, 30);  // an entry of 60 bytes becomes a few objects: linear
}

}  // namespace tern::test::in_any_format
