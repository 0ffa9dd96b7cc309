// Formats that are refused by name. Contract: loaders/formats.h; the files are those of tests/data/formats/make.
#include "loaders/formats.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "loaders/load.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_formats {
namespace {

using namespace std::string_literals;

// Nothing for formats that are read, and unknown ones.
std::optional<Error> refused(const Content& content) {
  const Format* format = format_of(content);
  return format != nullptr && format->load == nullptr ? std::optional(refusal(*format)) : std::nullopt;
}

std::string message_of(const std::string& content, Code code) {
  auto error = refused(Source{bytes(content), nullptr, "", ""});
  if (!error) return "(not known)";
  CHECK(error->code() == code);
  CHECK(load_graph(Source{bytes(content), nullptr, "", ""}, {}).error().message() == error->message());
  return error->message();
}
std::string unread(const std::string& content) { return message_of(content, Code::kUnsupported); }

// The format that reads it.
std::string_view read_as(const std::string& content) {
  const Source source{bytes(content), nullptr, "", ""};
  const Content looked_at(source);
  const Format* format = format_of(looked_at);
  return format != nullptr && format->load != nullptr ? format->name : "(not read)";
}

// A length-delimited field.
std::string field(char tag, const std::string& payload) { return std::string{tag, static_cast<char>(payload.size())} + payload; }

}  // namespace

TEST_CASE("formats: files that other libraries wrote are named, with the remedy") {
  struct Row {
    const char *file, *name, *remedy;
  };
  constexpr Row kRows[] = {{"sklearn_2.pkl", "a pickled scikit-learn model", "skl2onnx"},
                           {"sklearn_5.pkl", "a pickled scikit-learn model", "skl2onnx"},
                           {"sklearn_in_dict.pkl", "a pickled scikit-learn model", "skl2onnx"},
                           {"sklearn.joblib", "a joblib file of scikit-learn", "skl2onnx"},
                           {"sklearn_zlib.joblib", "as joblib writes them", "skl2onnx"},
                           {"arrays.joblib", "a joblib file", "ONNX"},
                           {"xgboost.json", "an XGBoost model", "onnxmltools"},
                           {"xgboost.ubj", "an XGBoost model", "onnxmltools"},
                           {"xgboost.pkl", "a pickled XGBoost model", "onnxmltools"},
                           {"lightgbm.txt", "a LightGBM model", "onnxmltools"},
                           {"lightgbm.pkl", "a pickled LightGBM model", "onnxmltools"},
                           {"keras.json", "an architecture of Keras", "Keras"},
                           {"plain.h5", "an HDF5 file", "ONNX"},
                           {"model.gguf", "a GGUF model", "safetensors"},
                           {"flax.msgpack", "JAX (msgpack)", "jax2onnx"},
                           {"torchscript.pt", "a TorchScript archive", "state_dict"},
                           {"model.ort", "onnxruntime's own format", "the ONNX file"},
                           {"model.gz", "gzip", "gunzip"},
                           {"model.xz", "xz", "unxz"},
                           {"model.lzma", "lzma", "unlzma"},
                           {"model.bz2", "bzip2", "bunzip2"},
                           {"model.z", "zlib", "joblib"},
                           {"settings.pkl", "a pickle that holds no tensors", "torch.save"}};
  for (const Row& row : kRows) {
    CAPTURE(row.file);
    auto model = load(std::string(TERN_TEST_DATA) + "/formats/" + row.file);
    REQUIRE(!model.ok());
    CHECK(model.error().code() == Code::kUnsupported);
    CHECK_MESSAGE(model.error().message().find(row.name) != std::string::npos, model.error().message());
    CHECK_MESSAGE(model.error().message().find(row.remedy) != std::string::npos, model.error().message());
    CHECK(model.error().message().find("weights only") == std::string::npos);
  }
  for (const char* file : {"x.npy", "x.npz"}) {
    auto model = load(std::string(TERN_TEST_DATA) + "/formats/" + file);
    REQUIRE(!model.ok());
    CHECK(model.error().code() == Code::kInvalid);
    CHECK(model.error().message().find("a NumPy ") != std::string::npos);
  }
}

TEST_CASE("formats: TensorFlow's and Apple's protocol buffers are told from each other and from ONNX") {
  const std::string meta_info = field('\x12', field('\x0a', field('\x0a', "Add"))) + field('\x22', "serve");
  const std::string node = field('\x0a', "dense/MatMul") + field('\x12', "MatMul");
  CHECK(read_as("\x08\x01"s + field('\x12', field('\x0a', meta_info) + field('\x12', node))) == "a TensorFlow SavedModel");
  CHECK(read_as(field('\x0a', node) + field('\x22', "\x08\x1b")) == "a frozen TensorFlow graph (GraphDef)");
  CHECK(unread(field('\x0a', meta_info)).starts_with("a TensorFlow meta graph"));
  CHECK(unread("\x08\x07"s + field('\x12', field('\x0a', field('\x0a', "image") + field('\x1a', "\x2a\x00")))).starts_with("a Core ML model"));
  CHECK(unread("node {\n  name: \"x\"\n}\n").starts_with("a TensorFlow graph as text"));
}

TEST_CASE("formats: magic numbers and texts") {
  CHECK(unread("\x1c\0\0\0TFL3\x14\0\x20\0"s).starts_with("a TensorFlow Lite model, which is not read; "));
  CHECK(unread("ftrt\x00\x00\x00\x00"s).starts_with("a TensorRT engine"));
  CHECK(unread("\x10\0\0\0{\"task\":\"detect\"ftrt...."s.replace(0, 1, 1, '\x10')).starts_with("a TensorRT engine"));
  CHECK(unread("<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\">\n</net>").starts_with("an OpenVINO model"));
  CHECK(unread("<?xml version=\"1.0\"?>\n<PMML version=\"4.4\">").starts_with("a PMML document"));
  CHECK(unread("\x28\xb5\x2f\xfd\x24\x10").starts_with("a zstd-compressed file"));
  CHECK(unread("binf\0\0\0\x3f"s).starts_with("an XGBoost model"));
  CHECK(unread("\0\0\0\x3f\x02\0\0\0"s + std::string(128, '\0') + "\6\0\0\0\0\0\0\0gbtree"s).starts_with("an XGBoost model"));
  CHECK(unread("PYTORCH1....").find("newer PyTorch") != std::string::npos);
  std::string tar(1024, '\0');
  tar.replace(0, 5, "model").replace(257, 5, "ustar");
  CHECK(unread(tar).starts_with("a tar archive, "));
  CHECK(unread(tar.replace(0, 8, "sys_info")).starts_with("a tar archive of PyTorch 0.1"));
}

TEST_CASE("formats: pages of errors and pointers are no models") {
  auto none = [](const std::string& content) { return message_of(content, Code::kInvalid); };
  for (const char* page : {"<html>no such page</html>\n", "<!DOCTYPE html><html>", "  \r\n<!doctype HTML>", "\xef\xbb\xbf<HTML lang=en>",
                           "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"}) {
    CHECK(none(page).starts_with("a web page, not a model; download"));
  }
  CHECK(none("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").find("git lfs pull") != std::string::npos);
  CHECK(none("{\"architectures\": [\"Bert\"], \"model_type\": \"bert\"}").find("model.safetensors") != std::string::npos);
}

TEST_CASE("formats: folders are told by what lies in them") {
  char folder[] = "/tmp/tern_formats_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string root = folder;
  CHECK(!refuse_known_folder(root));
  CHECK(!refuse_known_folder(root + "/none"));
  CHECK(load(root).error().message().find("is a directory") != std::string::npos);
  std::ofstream(root + "/model.safetensors") << "x";
  CHECK(load(root).error().message() == root + ": a folder of Hugging Face, not a model; name the weights inside: model.safetensors");
  std::ofstream(root + "/saved_model.pb") << "x";
  CHECK(load(root).error().code() == Code::kInvalid);  // what lies there is read, and is none
  CHECK(load(root).error().message() == root + ": a text, not a model");
  std::filesystem::remove_all(root);
}

TEST_CASE("formats: what tern reads is none of them") {
  size_t count = 0;
  for (const char* folder : {"node", "random", "models", "torch"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(TERN_TEST_DATA) + "/" + folder)) {
      const std::string end = entry.path().extension().string();
      if (!entry.is_regular_file() || (end != ".onnx" && end != ".pth" && end != ".pt" && end != ".pt2" && end != ".safetensors")) continue;
      auto source = map_file(entry.path().string());
      REQUIRE(source.ok());
      auto error = refused(*source);
      CHECK_MESSAGE(!error, entry.path().string() << ": " << (error ? error->message() : ""));
      ++count;
    }
  }
  CHECK(count > 100);
}

}  // namespace tern::test::in_formats
