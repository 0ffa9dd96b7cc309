// SavedModels and frozen graphs (tests/data/tensorflow/saved_models.py): what they compute is what TensorFlow computed, and what is wrong with them is
// said in one line. Code: loaders/tensorflow.
#include "loaders/tensorflow/tensorflow.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "loaders/load.h"
#include "tests/support/onnx_writer.h"
#include "tests/support/recorded.h"

using namespace tern;
namespace fs = std::filesystem;

namespace in_tensorflow {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/tensorflow/saved_models/";

std::string path_of(const std::string& name) { return kFolder + name + (fs::exists(kFolder + name + "/model.pb") ? "/model.pb" : "/model"); }

std::string wrong(const std::string& name, const LoadOptions& options = {}) {
  auto model = load(path_of(name), options);
  return model ? test::wrong(*model, kFolder + name + "/data.npz", 1e-4, 1e-5) : model.error().message();
}

// A copy of a recorded model that may be spoilt, gone with its owner.
struct Copy {
  explicit Copy(const std::string& name) : path(fs::temp_directory_path() / ("tern_saved_model_" + name + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::copy(kFolder + name + "/model", path, fs::copy_options::recursive);
  }
  ~Copy() { fs::remove_all(path); }
  std::string why() const {
    auto model = load(path.string());
    CHECK(!model.ok());
    if (model.ok()) return "";
    code = model.error().code();
    return model.error().message();
  }
  fs::path path;
  mutable Code code = Code::kOk;
};

// What the caller says of a model whose inputs begin with several sizes.
const std::vector<Port> kEdges = {{"nodes", DType::f32, {"4", "3"}}, {"edges", DType::i32, {"5", "2"}}, {"weights", DType::f32, {"5"}}};

bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("tensorflow: SavedModels and frozen graphs compute what TensorFlow computed") {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    LoadOptions options;
    if (name == "frozen_two_ends") options.outputs = {"class", "sum"};
    if (name == "edges") options.inputs = kEdges;
    CHECK_MESSAGE(wrong(name, options) == "", name << ": " << wrong(name, options));
    ++seen;
  }
  CHECK(seen == 17);
}

TEST_CASE("tensorflow: open first sizes are the batch, unless the caller tells shapes that begin with several sizes") {
  const auto sizes = [](const LoadOptions& options) {
    auto model = load(path_of("edges"), options);
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
    std::string all;
    for (const char* name : {"nodes", "edges", "weights"}) {
      for (const Port& port : model->inputs()) all += port.name == name ? " " + port.shape[0] : "";
    }
    return all;
  };
  CHECK(sizes({}) == " batch batch batch");
  CHECK(sizes({.inputs = kEdges}) == " nodes_0 edges_0 edges_0");
  CHECK(sizes({.inputs = {kEdges[1], kEdges[2]}}) == " batch batch batch");
  CHECK(sizes({.inputs = {kEdges[0], kEdges[1]}}) == " nodes_0 edges_0 batch");
}

TEST_CASE("tensorflow: Keras' recurrent functions become the catalog's operators") {
  auto fused = load(path_of("keras_rnn"));
  REQUIRE(fused.ok());
  CHECK(has(fused->text(), "LSTM"));
  CHECK(has(fused->text(), "GRU"));
  CHECK(!has(fused->text(), "Loop"));
}

TEST_CASE("tensorflow: a signature is chosen by name, and all are listed") {
  auto model = load(path_of("linear"), {.signature = "product"});
  REQUIRE(model.ok());
  CHECK(model->outputs().size() == 1);
  CHECK(model->metadata().empty());
  const std::vector<Signature>& all = model->state().graph.signatures;
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "product");
  CHECK(all[1].name == "serving_default");
  REQUIRE((all[1].inputs.size() == 1 && all[1].outputs.size() == 2));
  CHECK(all[1].inputs[0].name == "x");
  CHECK(all[1].inputs[0].dtype == "f32");
  CHECK(all[1].inputs[0].shape == std::vector<std::string>{"batch", "3"});
  CHECK(all[1].outputs[0].name == "shape");
  CHECK(all[1].outputs[0].dtype == "i32");
  CHECK(all[1].outputs[0].shape == std::vector<std::string>{"2"});
  CHECK(all[1].outputs[1].name == "y");
  auto none = load(path_of("linear"), {.signature = "produkt"});
  REQUIRE(!none.ok());
  CHECK(none.error().code() == Code::kUsage);
  CHECK(has(none.error().message(), "the nearest is product; name one of these in LoadOptions::signature: product, serving_default"));
}

TEST_CASE("tensorflow: the layers of a SavedModel of Keras 2 are those of its summary, also when the file has none or broken ones") {
  const fs::path folder = fs::path(TERN_TEST_DATA) / "tensorflow/layers";
  for (const char* name : {"functional", "sequential", "before_2_5"}) {
    auto model = load((folder / name / "model").string());
    REQUIRE_MESSAGE(model.ok(), model.error().message());
    std::string told;
    for (const SummaryRow& row : model->state().graph.summary) {
      std::string shapes, inputs;
      for (const Shape& shape : row.shapes) shapes += (shapes.empty() ? "" : " ") + shape.text();
      for (const std::string& in : row.inputs) inputs += (inputs.empty() ? "" : " ") + in;
      told += row.name + "|" + row.type + "|" + shapes + "|" + std::to_string(row.parameters) + "|" + std::to_string(row.fixed) + "|" + inputs + "\n";
    }
    std::ifstream file(folder / name / "summary.txt");
    CHECK(told == std::string(std::istreambuf_iterator<char>(file), {}));
  }
  auto none = load(path_of("keras_rnn"));
  REQUIRE(none.ok());
  CHECK(none->state().graph.summary.empty());
  // What is broken is not there, and the model runs all the same.
  const fs::path spoilt = fs::temp_directory_path() / ("tern_layers_" + std::to_string(::getpid()));
  for (const char* text : {"", "\x0a\x05\x2a\x03{\"a", "\x0a\x04\x2a\x02[]", "\x0a\xff\xff\xff\xff\x0f"}) {
    fs::remove_all(spoilt);
    fs::copy(folder / "sequential/model", spoilt, fs::copy_options::recursive);
    std::ofstream(spoilt / "keras_metadata.pb", std::ios::binary) << text;
    auto model = load(spoilt.string());
    CHECK(model.ok());
    CHECK((!model.ok() || model->state().graph.summary.empty()));
  }
  fs::remove_all(spoilt);
}

TEST_CASE("tensorflow: outputs of a frozen graph are named when several nodes are read by no other") {
  auto all = load(path_of("frozen_two_ends"));
  REQUIRE(!all.ok());
  CHECK(all.error().code() == Code::kUsage);
  CHECK(has(all.error().message(), "LoadOptions::outputs: class, sum"));
  auto none = load(path_of("frozen_two_ends"), {.outputs = {"klass"}});
  REQUIRE(!none.ok());
  CHECK(none.error().code() == Code::kUsage);
}

TEST_CASE("tensorflow: what is missing of a folder is named") {
  {
    Copy c("linear");
    fs::remove_all(c.path / "variables");
    CHECK(has(c.why(), "variables/variables.index: No such file or directory"));
    CHECK(c.code == Code::kInvalid);
  }
  {
    Copy c("linear");
    fs::remove(c.path / "variables/variables.data-00000-of-00001");
    CHECK(has(c.why(), "variables.data-00000-of-00001: No such file or directory"));
  }
  {
    Copy c("linear");
    fs::remove(c.path / "saved_model.pb");
    CHECK(has(c.why(), "without its saved_model.pb"));
    CHECK(c.code == Code::kInvalid);
  }
  {
    Copy c("words");
    fs::remove_all(c.path / "assets");
    CHECK(has(c.why(), "vocabulary.txt: No such file or directory"));
    CHECK(c.code == Code::kInvalid);
  }
}

TEST_CASE("tensorflow: weights that were changed, cut or taken from another model are refused") {
  {
    Copy c("linear");
    std::fstream shard(c.path / "variables/variables.data-00000-of-00001", std::ios::in | std::ios::out | std::ios::binary);
    shard.seekp(3);
    shard.put('\x55');
    shard.close();
    CHECK(has(c.why(), "its checksum is wrong: the file is damaged"));
  }
  {
    Copy c("linear");
    fs::resize_file(c.path / "variables/variables.data-00000-of-00001", 5);
    CHECK(has(c.why(), "beyond the end"));
  }
  {
    Copy c("linear");
    fs::remove_all(c.path / "variables");
    fs::copy(kFolder + "loop_cell/model/variables", c.path / "variables");
    CHECK(has(c.why(), "variable"));
    CHECK(c.code == Code::kInvalid);
  }
  {
    Copy c("linear");  // of which the graph says f64
    const std::string file = (c.path / "saved_model.pb").string(), dtype = "\n\5dtype\22\0020\1";
    std::ifstream in(file, std::ios::binary);
    std::string graph((std::istreambuf_iterator<char>(in)), {});
    for (size_t at = graph.find("VarHandleOp"); at != graph.npos; at = graph.find("VarHandleOp", at + 1)) {
      if (const size_t said = graph.find(dtype, at); said != graph.npos) graph[said + 10] = 2;
    }
    std::ofstream(file, std::ios::binary) << graph;
    CHECK_MESSAGE(has(c.why(), "is f64 in the graph and f32 in the checkpoint"), c.why());
    CHECK(c.code == Code::kInvalid);
  }
}

TEST_CASE("tensorflow: files of the model that are links are refused") {
  Copy c("linear");
  const fs::path shard = c.path / "variables/variables.data-00000-of-00001", other = c.path / "other";
  fs::rename(shard, other);
  fs::create_symlink(other, shard);
  CHECK(has(c.why(), "symbolic link"));
  CHECK(c.code == Code::kInvalid);
}

TEST_CASE("tensorflow: a negative padding is refused, the catalog's Pad would cut") {
  using test::Proto;
  const auto shape = [](std::initializer_list<int64_t> sizes) {
    Proto p;
    for (const int64_t n : sizes) p.m(2, Proto().i(1, n));
    return p;
  };
  const auto attr = [](const char* name, const Proto& value) { return Proto().s(1, name).m(2, value); };
  const Proto f32 = Proto().i(6, 1), i32 = Proto().i(6, 3);
  const Proto x = Proto().s(1, "x").s(2, "Placeholder").m(5, attr("dtype", f32)).m(5, attr("shape", Proto().m(7, shape({4}))));
  const Proto tensor = Proto().i(1, 3).m(2, shape({1, 2})).ints(7, {2, -1});
  const Proto pads = Proto().s(1, "p").s(2, "Const").m(5, attr("dtype", i32)).m(5, attr("value", Proto().m(8, tensor)));
  const Proto y = Proto().s(1, "y").s(2, "Pad").s(3, "x").s(3, "p").m(5, attr("T", f32));
  const Proto graph = Proto().m(1, x).m(1, pads).m(1, y);
  const auto loaded = load_bytes(std::as_bytes(std::span(graph.data)), {});
  REQUIRE(!loaded.ok());
  CHECK(loaded.error().code() == Code::kInvalid);
  CHECK_MESSAGE(has(loaded.error().message(), "y (Pad): paddings must not be negative, they are -1"), loaded.error().message());
}

TEST_CASE("tensorflow: masks of a StridedSlice have 32 bits, and others are refused as TensorFlow does") {
  using test::Proto;
  const auto attr = [](const char* name, const Proto& value) { return Proto().s(1, name).m(2, value); };
  const Proto f32 = Proto().i(6, 1), i32 = Proto().i(6, 3), four = Proto().m(2, Proto().i(1, 4)), one = Proto().m(2, Proto().i(1, 1));
  const Proto x = Proto().s(1, "x").s(2, "Placeholder").m(5, attr("dtype", f32)).m(5, attr("shape", Proto().m(7, four)));
  const Proto ones = Proto().i(1, 3).m(2, one).ints(7, {1});
  const Proto at = Proto().s(1, "b").s(2, "Const").m(5, attr("dtype", i32)).m(5, attr("value", Proto().m(8, ones)));
  for (const int64_t mask : {int64_t(-1), int64_t(1) << 62, -(int64_t(1) << 31) - 1}) {
    Proto y = Proto().s(1, "y").s(2, "StridedSlice").s(3, "x").s(3, "b").s(3, "b").s(3, "b").m(5, attr("T", f32)).m(5, attr("Index", i32));
    y.m(5, attr("new_axis_mask", Proto().i(3, mask)));
    const Proto graph = Proto().m(1, x).m(1, at).m(1, y);
    const auto loaded = load_bytes(std::as_bytes(std::span(graph.data)), {});
    CHECK(loaded.ok() == (mask == -1));
    if (!loaded.ok()) CHECK_MESSAGE(has(loaded.error().message(), "y (StridedSlice): a mask of "), loaded.error().message());
  }
}

TEST_CASE("tensorflow: a function that gives what no node of it computes is refused") {
  using test::Proto;
  const Proto call = Proto()
                         .s(1, "call")
                         .s(2, "PartitionedCall")
                         .m(5, Proto().s(1, "f").m(2, Proto().m(10, Proto().s(1, "g"))))
                         .m(5, Proto().s(1, "Tout").m(2, Proto().m(1, Proto().i(6, 1))));
  const Proto function = Proto().m(1, Proto().s(1, "g").m(3, Proto().s(1, "y").i(3, 1))).m(4, Proto().s(1, "y").s(2, "gone:z:0"));
  const Proto graph = Proto().m(1, call).m(2, Proto().m(1, function));
  const auto loaded = load_bytes(std::as_bytes(std::span(graph.data)), {});
  REQUIRE(!loaded.ok());
  CHECK_MESSAGE(loaded.error().message().find("function 'g' gives what a node computes that is not there") != std::string::npos,
                loaded.error().message());
}

}  // namespace in_tensorflow
