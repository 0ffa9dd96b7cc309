// Graphs as ONNX files: what is written reads back with equal bits, and is spelt as runtimes expect it. Contract: loaders/onnx/write.h.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "loaders/npy/npy.h"
#include "loaders/onnx/write.h"
#include "runtime/infer_shapes.h"
#include "tests/support/cases.h"
#include "tests/support/graph_builder.h"
#include "tests/support/missing_library.h"

namespace tern::test::in_onnx_write {
namespace {

const std::string kData = TERN_TEST_DATA;

std::span<const std::byte> bytes_of(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }

Graph inferred(GraphBuilder& b) {
  Status s = optimize(b.graph, 1 << 20, Stage::infer);
  REQUIRE_MESSAGE(s.ok(), (s.ok() ? "" : s.error().message()));
  return b.graph;
}
std::string written(const Graph& graph) {
  auto bytes = to_onnx(graph);
  REQUIRE_MESSAGE(bytes.ok(), (bytes.ok() ? "" : bytes.error().message()));
  return *bytes;
}
// The graph that the file holds, nothing folded.
Graph read_back(const std::string& bytes) {
  auto graph = load_onnx(bytes_of(bytes), "", {});
  REQUIRE_MESSAGE(graph.ok(), (graph.ok() ? "" : graph.error().message()));
  return *graph;
}
Model model_of(const std::string& bytes, bool optimized = true) {
  auto model = load_bytes(bytes_of(bytes), {.optimize = optimized});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  return *model;
}
Model model_of(const Graph& graph, bool optimized = true) {
  auto model = make_model(graph, {.optimize = optimized});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  return *model;
}
std::string ops(const Graph& g) {
  std::string s;
  for (const Node& n : g.nodes) s += (s.empty() ? "" : " ") + std::string(n.op->name);
  return s;
}
int64_t constant_count(const Graph& g) {
  return std::count_if(g.values.begin(), g.values.end(), [](const Value& v) { return v.constant.present(); });
}

Array ramp(DType dtype, std::vector<int64_t> dims, float step = 0.37f) {
  Array a{dtype, dims, {}, {}};
  int64_t count = 1;
  for (int64_t d : dims) count *= d;
  a.bytes.resize(static_cast<size_t>(count) * size_of(dtype));
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      for (int64_t i = 0; i < count; ++i) {
        const float number = step * static_cast<float>((i * 7) % 23 - 11);
        T x = static_cast<T>(std::fabs(number));
        if (std::is_signed_v<T> && number < 0) x = static_cast<T>(-x);
        std::memcpy(a.bytes.data() + static_cast<size_t>(i) * sizeof(T), &x, sizeof(T));
      }
    } else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) {
      for (int64_t i = 0; i < count; ++i) {
        const float x = step * static_cast<float>((i * 7) % 23 - 11);
        uint16_t bits = std::is_same_v<T, f16> ? to_f16(x).bits : to_bf16(x).bits;
        std::memcpy(a.bytes.data() + static_cast<size_t>(i) * 2, &bits, 2);
      }
    }
  });
  return a;
}
Tensor ramp_tensor(DType dtype, std::vector<int64_t> dims, float step = 0.37f) {
  auto t = to_tensor(ramp(dtype, std::move(dims), step));
  REQUIRE(t.ok());
  return *t;
}

void check_same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].dtype == b[i].dtype);
    CHECK(a[i].dims == b[i].dims);
    CHECK(a[i].strings == b[i].strings);
    CHECK((a[i].bytes == b[i].bytes));
    CHECK(a[i].sequence == b[i].sequence);
    check_same_bits(a[i].elements, b[i].elements);
  }
}
// Both models on these inputs.
void check_same_results(const Model& a, const Model& b, const std::vector<Array>& inputs) {
  const auto names = [](const std::vector<Port>& ports) {
    std::string s;
    for (const Port& p : ports) s += p.name + " " + name(p.dtype) + " " + name(p.kind) + " ";
    return s;
  };
  CHECK(names(a.inputs()) == names(b.inputs()));
  CHECK(names(a.outputs()) == names(b.outputs()));
  auto x = a.evaluate(inputs), y = b.evaluate(inputs);
  REQUIRE_MESSAGE(x.ok(), (x.ok() ? "" : x.error().message()));
  REQUIRE_MESSAGE(y.ok(), (y.ok() ? "" : y.error().message()));
  check_same_bits(*x, *y);
}
void check_round_trip(const Graph& graph, const std::vector<Array>& inputs) {
  const std::string bytes = written(graph);
  for (bool optimized : {false, true}) check_same_results(model_of(graph, optimized), model_of(bytes, optimized), inputs);
}

// Reads every case below a folder, writes it, reads that, and compares what both compute. Returns how many.
int check_cases(const std::string& folder) {
  int done = 0;
  for (const auto& path : folders_with_models(folder)) {
    CAPTURE(path.string());
    auto model = load((path / "model.onnx").string());
    if (!model.ok() && lacks_library(model.error().message())) continue;
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
    std::vector<Array> inputs = read_arrays(path, "input", model->inputs());
    REQUIRE(inputs.size() >= model->inputs().size());
    inputs.resize(model->inputs().size());  // the rest are defaults of initializers
    const std::string bytes = written(model->state().graph);
    check_same_results(*model, model_of(bytes), inputs);
    CHECK(written(model_of(bytes).state().graph).size() > 0);
    ++done;
  }
  return done;
}

}  // namespace

TEST_CASE("writing ONNX: every official node case reads back and gives the same bits") { CHECK(check_cases(kData + "/node") > 250); }

TEST_CASE("writing ONNX: random graphs read back and give the same bits") { CHECK(check_cases(kData + "/random") == 20); }

TEST_CASE("writing ONNX: the trained models read back and give the same bits") {
  int done = 0;
  for (const auto& path : folders_with_models(kData + "/models")) {
    CAPTURE(path.string());
    auto model = load((path / "model.onnx").string());
    auto file = read_file((path / "data.npz").string());
    REQUIRE(model.ok());
    REQUIRE(file.ok());
    std::vector<Array> inputs;
    for (const Port& p : model->inputs()) {
      auto array = read_npz(*file, "in_" + p.name);
      REQUIRE(array.ok());
      inputs.push_back(to_array(array->front().second));
    }
    const std::string bytes = written(model->state().graph);
    check_same_results(*model, model_of(bytes), inputs);
    CHECK(written(model_of(bytes).state().graph) == bytes);  // once normalised, nothing changes any more
    ++done;
  }
  CHECK(done == 7);
}

TEST_CASE("writing ONNX: the file begins with its IR version and tern's name, and tells its size beforehand") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {Dim::symbol("batch"), Dim(3)})}));
  auto file = OnnxFile::of(inferred(b));
  REQUIRE(file.ok());
  const std::string bytes = written(b.graph);
  CHECK(bytes.substr(0, 8) == std::string("\x08\x08\x12\x04tern", 8));
  CHECK(file->bytes() == static_cast<int64_t>(bytes.size()));
  CHECK(file->opset() == 18);
  const Graph back = read_back(bytes);
  CHECK(back.producer == std::string("tern ") + version());
  CHECK(back.opset == 18);
  CHECK(back.nodes[0].name == "n0");
}

TEST_CASE("writing ONNX: what the file said of itself stays") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.input("x", {3})}));
  using Metadata = std::vector<std::pair<std::string, std::string>>;
  b.graph.metadata =
      Metadata{{"domain", "org.example"},      {"model_version", "-7"}, {"doc_string", "a model"}, {"license", "MIT"}, {"license", "again"}, {"", ""},
               {"graph.doc_string", "a graph"}};
  inferred(b);
  const Graph back = read_back(written(b.graph));
  auto sorted = [](Metadata m) {
    std::sort(m.begin(), m.end());
    return m;
  };
  CHECK(sorted(back.metadata) == sorted(b.graph.metadata));
  // what is no field's value, and a field's second value, are properties
  b.graph.metadata = Metadata{{"model_version", "1.5"}, {"domain", "a"}, {"domain", "b"}};
  CHECK(sorted(read_back(written(b.graph)).metadata) == sorted(b.graph.metadata));
}

TEST_CASE("writing ONNX: an error of the sink ends the writing") {
  GraphBuilder b;
  b.output(b.node("Add", {b.input("x", {3}), b.constant(ramp_tensor(DType::f32, {3}))}));
  auto file = OnnxFile::of(inferred(b));
  REQUIRE(file.ok());
  int calls = 0;
  Status s = file->write([&](std::span<const std::byte>) -> Status { return ++calls == 3 ? Status(invalid("full")) : Status(); });
  CHECK(calls == 3);
  REQUIRE(!s.ok());
  CHECK(s.error().message() == "full");
}

TEST_CASE("writing ONNX: dimensions keep their text, and unknown ones have none") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("batch"), *parse_dim("2*seq+1"), Dim(4)});
  const ValueId mask = b.input("mask", {Dim(6)}, DType::boolean);
  b.output(b.node("Relu", {x}), "y");
  b.output(b.node("NonZero", {mask}), "found");
  const Graph back = read_back(written(inferred(b)));
  CHECK(back.value(back.inputs[0]).type.shape.text() == "[batch,2*seq+1,4]");
  CHECK(back.value(back.inputs[1]).type == TypeInfo{DType::boolean, {Dim(6)}});
  REQUIRE(back.output_dim_names.size() == 2);
  CHECK(back.output_dim_names[0] == std::vector<std::string>{"batch", "2*seq+1", ""});
  CHECK(back.output_dim_names[1] == std::vector<std::string>{"", ""});
}

TEST_CASE("writing ONNX: outputs keep their names, also those that are inputs, constants or twice the same") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2}), c = b.constant(ramp_tensor(DType::f32, {2}));
  const ValueId y = b.node("Neg", {x});
  b.graph.value(y).name = "inner";
  b.output(y, "first");
  b.output(y, "second");
  b.output(x, "x");
  b.output(x, "passed");
  b.output(c, "weight");
  const std::string bytes = written(inferred(b));
  const Graph back = read_back(bytes);
  CHECK(back.output_names == std::vector<std::string>{"first", "second", "x", "passed", "weight"});
  CHECK(ops(back) == "Neg Identity Identity Identity");
  CHECK(back.outputs[2] == back.inputs[0]);
  check_round_trip(b.graph, {ramp(DType::f32, {2})});
}

TEST_CASE("writing ONNX: names that are empty or used twice become names of their own") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  ValueId y = x;
  for (int i = 0; i < 3; ++i) {
    y = b.node("Neg", {b.node("Exp", {y})});
    b.graph.value(y).name = "x";
    b.graph.value(y - 1).name = "";
  }
  for (Node& n : b.graph.nodes) n.name = "same";
  b.graph.nodes[4].name = "";
  b.output(y, "y");
  const Graph back = read_back(written(inferred(b)));  // which refuses a name that is defined twice
  std::vector<std::string> names;
  for (const Node& n : back.nodes) names.push_back(n.name);
  CHECK(names == std::vector<std::string>{"same", "same_1", "same_2", "same_3", "", "same_4"});
  check_round_trip(b.graph, {ramp(DType::f32, {2})});
}

TEST_CASE("writing ONNX: constants of every dtype, of no elements, and strings") {
  GraphBuilder b;
  int k = 0;
  for (DType t : {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32,
                  DType::u64}) {
    b.output(b.node("Identity", {b.constant(ramp_tensor(t, {2, 5}, 1.0f))}), "y" + std::to_string(k++));
  }
  const bool flags[] = {true, false, true};
  b.output(b.node("Identity", {b.constant(Tensor::of<bool>({3}, flags))}), "flags");
  b.output(b.node("Identity", {b.constant(*Tensor::allocate(DType::f32, {0, 4}))}), "empty");
  const std::string words[] = {"", "zwei", std::string("a\0b", 3)};
  b.output(b.node("Identity", {b.constant(*Tensor::strings({3}, words))}), "words");
  b.output(b.node("ConstantOfShape", {b.ints({2})}, {{"value", Tensor::of<bool>({1}, std::span(flags, 1))}}), "filled");
  inferred(b);
  check_round_trip(b.graph, {});
}

TEST_CASE("writing ONNX: a constant is one initializer, however many read it") {
  GraphBuilder b;
  const Tensor weight = ramp_tensor(DType::f32, {4, 4});
  const ValueId x = b.input("x", {4, 4}), w = b.constant(weight), again = b.constant(weight);
  const ValueId flat = b.constant(weight.reshaped({16}));
  b.output(b.node("Add", {b.node("MatMul", {b.node("MatMul", {x, w}), w}), again}));
  b.output(b.node("Neg", {flat}));
  const Graph back = read_back(written(inferred(b)));
  CHECK(constant_count(back) == 2);  // the other dims are another one
  CHECK(back.nodes[0].inputs[1] == back.nodes[2].inputs[1]);
  CHECK(back.value(back.nodes[0].inputs[1]).name == b.graph.value(w).name);
  check_round_trip(b.graph, {ramp(DType::f32, {4, 4})});
}

TEST_CASE("writing ONNX: Linear on matrices is Gemm") {
  for (int64_t transposed : {0, 1}) {
    for (bool bias : {false, true}) {
      CAPTURE(transposed);
      CAPTURE(bias);
      GraphBuilder b;
      const ValueId x = b.input("x", {Dim::symbol("batch"), Dim(5)});
      std::vector<ValueId> in = {x, b.constant(ramp_tensor(DType::f32, transposed ? std::vector<int64_t>{3, 5} : std::vector<int64_t>{5, 3}))};
      if (bias) in.push_back(b.constant(ramp_tensor(DType::f32, {3}, 2)));
      b.output(b.node("Linear", in, {{"transB", transposed}}), "y");
      const Graph back = read_back(written(inferred(b)));
      CHECK(ops(back) == "Gemm");
      CHECK(back.nodes[0].attrs.i("transB") == transposed);
      CHECK(back.nodes[0].inputs.size() == (bias ? 3u : 2u));
      CHECK(back.nodes[0].name == "n0");
      check_round_trip(b.graph, {ramp(DType::f32, {7, 5})});
    }
  }
}

TEST_CASE("writing ONNX: Linear on other ranks is MatMul and Add, with the weight transposed beforehand") {
  for (DType dtype : {DType::f32, DType::f64, DType::f16}) {
    CAPTURE(name(dtype));
    GraphBuilder b;
    const ValueId x = b.input("x", {Dim::symbol("batch"), Dim(2), Dim(5)}, dtype);
    const Tensor weight = ramp_tensor(dtype, {3, 5});
    const ValueId w = b.constant(weight), bias = b.constant(ramp_tensor(dtype, {3}, 2));
    const ValueId h = b.node("Linear", {b.node("Neg", {x}), w}, {{"transB", int64_t{1}}});
    const ValueId y = b.node("Linear", {x, w, bias}, {{"transB", int64_t{1}}});
    const ValueId z = b.node("Linear", {b.node("Concat", {y, h}, {{"axis", int64_t{2}}}), b.constant(ramp_tensor(dtype, {6, 2}))});
    b.output(z, "z");
    const std::string bytes = written(inferred(b));
    const Graph back = read_back(bytes);
    CHECK(ops(back) == "Neg MatMul MatMul Add Concat MatMul");
    CHECK(constant_count(back) == 3);
    const Tensor& t = back.value(back.nodes[1].inputs[1]).constant;
    CHECK(back.nodes[2].inputs[1] == back.nodes[1].inputs[1]);
    REQUIRE(t.dims() == Dims{5, 3});
    const size_t size = size_of(dtype);
    for (size_t i = 0; i < 15; ++i) CHECK(std::memcmp(t.raw() + (i % 5 * 3 + i / 5) * size, weight.raw() + i * size, size) == 0);
    // Node by node, MatMul and Add round twice where Linear rounds once; fused again, they are the same.
    if (dtype == DType::f32) check_same_results(model_of(b.graph), model_of(bytes), {ramp(dtype, {3, 2, 5})});
  }
}

TEST_CASE("writing ONNX: a weight that is also read as it is stays one, and is transposed by a node") {
  GraphBuilder b;
  const ValueId ids = b.input("ids", {Dim::symbol("batch"), Dim(4)}, DType::i64);
  const ValueId table = b.constant(ramp_tensor(DType::f32, {9, 5}));
  b.output(b.node("Linear", {b.node("Gather", {table, ids}), table}, {{"transB", int64_t{1}}}), "logits");
  const std::string bytes = written(inferred(b));
  const Graph back = read_back(bytes);
  CHECK(ops(back) == "Gather Transpose MatMul");
  CHECK(constant_count(back) == 1);
  Array rows = ramp(DType::i64, {2, 4}, 0.6f);
  check_round_trip(b.graph, {rows});
}

TEST_CASE("writing ONNX: what only fusing makes is refused") {
  for (bool residual : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {2, 2}), w = b.constant(ramp_tensor(DType::f32, {2, 2}));
    if (residual) b.output(b.node("Linear", {x, w, kNone, x}));
    else b.output(b.node("Linear", {x, w}, {{"activation", std::string("Relu")}}));
    auto bytes = to_onnx(inferred(b));
    REQUIRE(!bytes.ok());
    CHECK(bytes.error().code() == Code::kUnsupported);
    CHECK(bytes.error().message().substr(0, 11) == "n0 (Linear)");
  }
  GraphBuilder b;
  b.output(b.node("Reorder", {b.input("x", {1, 2, 3, 3})}));
  auto bytes = to_onnx(b.graph);
  REQUIRE(!bytes.ok());
  CHECK(bytes.error().code() == Code::kUnsupported);
}

TEST_CASE("writing ONNX: what ONNX has not is refused by name") {
  GraphBuilder b;
  b.output(b.node("StringLower", {b.input("x", {2}, DType::string)}));
  auto bytes = to_onnx(inferred(b));
  REQUIRE(!bytes.ok());
  CHECK(bytes.error().code() == Code::kUnsupported);
  CHECK(bytes.error().message() == "n0 (StringLower): ONNX has no such operator");
}

TEST_CASE("writing ONNX: an activation that ONNX's recurrent operators have not is refused by name") {
  GraphBuilder b;
  const std::vector<ValueId> in = {b.input("x", {5, 1, 2}), b.constant(ramp_tensor(DType::f32, {1, 3, 2}, 0.05f)),
                                   b.constant(ramp_tensor(DType::f32, {1, 3, 3}, 0.04f))};
  b.output(b.nodes("RNN", in, 2, {{"hidden_size", int64_t{3}}, {"activations", std::vector<std::string>{"Selu"}}})[0]);
  auto bytes = to_onnx(inferred(b));
  REQUIRE(!bytes.ok());
  CHECK(bytes.error().message() == "n0 (RNN): ONNX's recurrent operators have no activation 'Selu'");
}

TEST_CASE("writing ONNX: tables are LabelEncoders, with keys, values and what others get") {
  const Tensor words = *Tensor::strings({3}, std::vector<std::string>{"red", "", "gr\xc3\xbcn"}),
               numbers = Tensor::ints(std::vector<int64_t>{7, -2, 40});
  const Tensor reals = Tensor::of<float>({3}, std::vector<float>{0.5f, -1, 3e30f}), word = *Tensor::strings({}, std::vector<std::string>{"none"});
  const Array texts{DType::string, {2, 3}, {}, {"red", "blue", "gr\xc3\xbcn", "", "Red", "red "}};
  Array ids{DType::i64, {4}, {}, {}};
  for (int64_t id : {40, 7, 8, -2})
    ids.bytes.insert(ids.bytes.end(), reinterpret_cast<const std::byte*>(&id), reinterpret_cast<const std::byte*>(&id) + 8);
  struct Table {
    Tensor keys, values, otherwise;
  };
  for (const Table& t : {Table{words, numbers, Tensor::scalar(int64_t{-1})}, Table{words, reals, Tensor::scalar(-0.25f)}, Table{words, words, word},
                         Table{numbers, words, word}, Table{numbers, numbers, Tensor::scalar(int64_t{5})}}) {
    const bool text = t.keys.dtype() == DType::string;
    GraphBuilder b;
    const ValueId x = text ? b.input("x", {2, 3}, DType::string) : b.input("x", {4}, DType::i64);
    b.output(b.node("Lookup", {x, b.constant(t.keys), b.constant(t.values), b.constant(t.otherwise)}), "y");
    const std::string bytes = written(inferred(b));
    CHECK(bytes.find("LabelEncoder") != std::string::npos);
    CHECK(bytes.find("ai.onnx.ml") != std::string::npos);
    CHECK(ops(read_back(bytes)) == "Lookup");
    check_round_trip(b.graph, {text ? texts : ids});
  }
}

TEST_CASE("writing ONNX: tables of i32 are looked up as i64, and some tables have no form") {
  auto i32 = [](std::vector<int32_t> values) { return Tensor::of<int32_t>({static_cast<int64_t>(values.size())}, values); };
  Array ids{DType::i32, {2}, {}, std::vector<std::string>{}};
  for (int32_t id : {9, 3}) ids.bytes.insert(ids.bytes.end(), reinterpret_cast<const std::byte*>(&id), reinterpret_cast<const std::byte*>(&id) + 4);
  auto table = [&](GraphBuilder& b, Tensor values, Tensor otherwise, int64_t required) {
    const ValueId x = b.input("x", {2}, DType::i32);
    b.output(
        b.node("Lookup", {x, b.constant(i32({3, 4})), b.constant(std::move(values)), b.constant(std::move(otherwise))}, {{"required", required}}),
        "y");
    return inferred(b);
  };
  GraphBuilder plain, strict, wide;
  const Graph graph = table(plain, i32({30, 40}), Tensor::scalar(int32_t{-7}), 0);
  CHECK(ops(read_back(written(graph))) == "Cast Lookup Cast");
  check_round_trip(graph, {ids});
  for (const Graph& none : {table(strict, i32({30, 40}), Tensor::scalar(int32_t{-7}), 1),
                            table(wide, Tensor::of<double>({2}, std::vector<double>{1, 2}), Tensor::scalar(0.5), 0)}) {
    auto bytes = to_onnx(none);
    REQUIRE(!bytes.ok());
    CHECK(bytes.error().code() == Code::kUnsupported);
    CHECK(bytes.error().message().starts_with("n0 (Lookup): a table"));
  }
}

TEST_CASE("reading ONNX: a LabelEncoder without one of its columns is refused") {
  GraphBuilder b;
  b.output(b.node("Lookup", {b.input("x", {1}, DType::i64), b.ints({5, 6}), b.ints({7, 8}), b.scalar(DType::i64, 0)}), "y");
  const std::string good = written(inferred(b));
  auto why = [&](const char* from, const char* to) {
    std::string bad = good;
    bad.replace(bad.find(from), std::strlen(to), to);
    auto graph = load_onnx(bytes_of(bad), "", {});
    return graph.ok() ? std::string() : graph.error().message();
  };
  CHECK(why("keys_int64s", "keys_int64z").find("keys_strings or keys_int64s is not there") != std::string::npos);
  CHECK(why("values_int64s", "values_int64z").find("values_strings or values_int64s is not there") != std::string::npos);
  CHECK(why("LabelEncoder", "LabelEncodex").find("ai.onnx.ml.LabelEncodex") != std::string::npos);
}

TEST_CASE("writing ONNX: indices and shapes of i32 are i64 there, and what onnxruntime finds unique too") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), at = b.input("at", {1, 1}, DType::i32);
  b.output(b.node("GatherND", {x, at}), "y");
  b.output(b.node("Reshape", {x, b.constant(Tensor::of<int32_t>({1}, std::vector<int32_t>{6}))}), "z");
  b.output(b.nodes("Unique", {at}, 1)[0], "u");
  const Graph graph = inferred(b);
  CHECK(ops(read_back(written(graph))) == "Cast GatherND Cast Reshape Cast Unique Cast");
  Array one{DType::i32, {1, 1}, std::vector<std::byte>(4), {}};
  one.bytes[0] = std::byte(1);
  check_round_trip(graph, {ramp(DType::f32, {2, 3}), one});
}

TEST_CASE("writing ONNX: a choice between bools is logic, and Erf of f64 is one of f32") {
  GraphBuilder b;
  const ValueId c = b.input("c", {3, 1}, DType::boolean), p = b.input("p", {1, 2}, DType::boolean), x = b.input("x", {2}, DType::f64);
  b.output(b.node("Where", {c, p, b.node("Not", {p})}), "y");
  b.output(b.node("Erf", {x}), "z");
  const Graph graph = inferred(b);
  const std::string bytes = written(graph);
  CHECK(ops(read_back(bytes)) == "Not Not And And Or Cast Erf Cast");
  Array choice{DType::boolean, {3, 1}, {std::byte(1), std::byte(0), std::byte(1)}, {}}, yes{DType::boolean, {1, 2}, {std::byte(1), std::byte(0)}, {}};
  const std::vector<Array> inputs = {choice, yes, Array{DType::f64, {2}, std::vector<std::byte>(16), {}}};
  check_same_results(model_of(graph), model_of(bytes), inputs);
}

TEST_CASE("writing ONNX: Swish is written as what it is made of") {
  for (float alpha : {1.0f, 1.5f}) {
    GraphBuilder b;
    b.output(b.node("Swish", {b.input("x", {40})}, {{"alpha", alpha}}), "y");
    const std::string bytes = written(inferred(b));
    const Graph back = read_back(bytes);
    CHECK(ops(back) == (alpha == 1 ? "Sigmoid Mul" : "Mul Sigmoid Mul"));
    CHECK(back.opset == 18);
    check_round_trip(b.graph, {ramp(DType::f32, {40})});
  }
  GraphBuilder b;  // the factor has the dtype of x
  b.output(b.node("Swish", {b.input("x", {4}, DType::f64)}, {{"alpha", 2.0f}}), "y");
  const Graph back = read_back(written(inferred(b)));
  CHECK(back.value(back.nodes[0].inputs[1]).constant.dtype() == DType::f64);
}

TEST_CASE("writing ONNX: recurrent layers with the batch first are written with the sequence first") {
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    CAPTURE(op);
    const int64_t gates = op[0] == 'L' ? 4 : op[0] == 'G' ? 3 : 1, hidden = 3;
    GraphBuilder b;
    const ValueId x = b.input("x", {Dim::symbol("batch"), Dim(5), Dim(2)});
    std::vector<ValueId> in = {x,
                               b.constant(ramp_tensor(DType::f32, {2, gates * hidden, 2}, 0.05f)),
                               b.constant(ramp_tensor(DType::f32, {2, gates * hidden, hidden}, 0.04f)),
                               kNone,
                               kNone,
                               b.input("h", {Dim::symbol("batch"), Dim(2), Dim(hidden)})};
    std::vector<Array> values = {ramp(DType::f32, {4, 5, 2}), ramp(DType::f32, {4, 2, hidden}, 0.1f)};
    if (op[0] == 'L') {
      in.push_back(b.input("c", {Dim::symbol("batch"), Dim(2), Dim(hidden)}));
      values.push_back(ramp(DType::f32, {4, 2, hidden}, 0.2f));
    }
    const auto outputs =
        b.nodes(op, in, op[0] == 'L' ? 3 : 2, {{"layout", int64_t{1}}, {"hidden_size", hidden}, {"direction", std::string("bidirectional")}});
    for (ValueId y : outputs) b.output(y);
    const Graph back = read_back(written(inferred(b)));
    for (const Node& n : back.nodes) CHECK(!n.attrs.has("layout"));
    CHECK(std::count_if(back.nodes.begin(), back.nodes.end(), [](const Node& n) { return std::string_view(n.op->name) == "Transpose"; }) ==
          (op[0] == 'L' ? 6 : 4));
    check_round_trip(b.graph, values);
  }
}

TEST_CASE("writing ONNX: branches of an If share constants with the graph around them and name what they give") {
  const Tensor weight = ramp_tensor(DType::f32, {3});
  GraphBuilder then_branch, else_branch, b;
  {
    const ValueId x = then_branch.input("x", {3}), w = then_branch.constant(weight);
    then_branch.output(then_branch.node("Add", {x, w}), "out");
    then_branch.output(x, "x");  // captured, given as it is
    then_branch.output(w, "kept");
  }
  {
    const ValueId x = else_branch.input("x", {3}), w = else_branch.constant(weight);
    const ValueId y = else_branch.node("Mul", {x, w});
    else_branch.output(y, "out");
    else_branch.output(y, "twice");
    else_branch.output(x, "out");
  }
  const ValueId c = b.input("c", {}, DType::boolean), x = b.input("x", {3});
  b.graph.subgraphs = {then_branch.graph, else_branch.graph};
  const auto y = b.nodes("If", {c, b.node("Sub", {x, b.constant(weight)})}, 3, {}, {0, 1});
  for (ValueId v : y) b.output(v);
  const std::string bytes = written(inferred(b));
  size_t times = 0;
  const std::string_view raw(reinterpret_cast<const char*>(weight.raw()), weight.bytes());
  for (size_t at = bytes.find(raw); at != std::string::npos; at = bytes.find(raw, at + 1)) ++times;
  CHECK(times == 1);
  for (uint8_t condition : {0, 1}) {
    Array taken{DType::boolean, {}, {std::byte{condition}}, {}};
    check_round_trip(b.graph, {taken, ramp(DType::f32, {3}, 0.3f)});
  }
}

TEST_CASE("writing ONNX: loops keep their own inputs, what they capture, and their attributes") {
  GraphBuilder body, scan, b;
  {
    const ValueId i = body.input("i", {}, DType::i64), going = body.input("going", {}, DType::boolean), v = body.input("v", {}),
                  w = body.input("w", {});
    for (ValueId o : {going, body.node("Sub", {v, w}), v, i}) body.output(o);
  }
  {
    const ValueId state = scan.input("state", {}), slice = scan.input("slice", {}), w = scan.input("w", {});
    for (ValueId o : {scan.node("Mul", {scan.node("Add", {state, slice}), w}), slice}) scan.output(o);
  }
  const ValueId x = b.input("x", {3}), trips = b.constant(Tensor::scalar<int64_t>(4)), go = b.constant(Tensor::scalar(true));
  const auto y = b.loop("Loop", {trips, go, x}, {b.node("Neg", {x})}, body, 3);
  const auto z =
      b.loop("Scan", {x, y[1]}, {x}, scan, 2,
             {{"num_scan_inputs", int64_t(1)}, {"scan_input_directions", std::vector<int64_t>{1}}, {"scan_output_axes", std::vector<int64_t>{1}}});
  for (ValueId v : {y[0], y[1], y[2], z[0], z[1]}) b.output(v);
  check_round_trip(b.graph, {ramp(DType::f32, {3}, 0.3f)});
  const Graph again = read_back(written(inferred(b)));
  CHECK(again.nodes[1].captured == 1);
  CHECK(again.nodes[1].inputs.size() == 4);
  CHECK(again.nodes[2].attrs == b.graph.nodes[2].attrs);
}

TEST_CASE("writing ONNX: the opset is the lowest that has what the graph uses") {
  struct Case {
    const char* op;
    DType dtype;
    std::vector<std::pair<const char*, Attributes::Value>> attrs;
    int64_t opset;
    size_t attributes;  // that are written
  };
  using Ints = std::vector<int64_t>;
  const int64_t one = 1, zero = 0;
  const Case cases[] = {
      {"Relu", DType::f32, {}, 18, 0},
      {"Relu", DType::bf16, {}, 22, 0},
      {"BitCast", DType::f32, {}, 26, 0},
      {"Attention", DType::f32, {}, 23, 0},
      {"Attention", DType::f32, {{"left_window_size", int64_t{2}}, {"right_window_size", int64_t{-1}}}, 25, 1},
      {"Attention", DType::f32, {{"left_window_size", zero}, {"right_window_size", zero}}, 25, 2},
      {"Attention", DType::f32, {{"left_window_size", int64_t{-1}}}, 23, 0},
      {"AveragePool", DType::f32, {{"kernel_shape", Ints{1, 1}}, {"dilations", Ints{1, 1}}, {"ceil_mode", zero}}, 18, 1},
      {"AveragePool", DType::f32, {{"kernel_shape", Ints{1, 1}}, {"dilations", Ints{1, 2}}}, 19, 2},
      {"AveragePool", DType::f32, {{"kernel_shape", Ints{1, 1}}, {"ceil_mode", one}}, 22, 2},
      {"MaxPool", DType::f32, {{"kernel_shape", Ints{1, 1}}, {"ceil_mode", one}}, 22, 2},
      {"MaxPool", DType::f32, {{"kernel_shape", Ints{1, 1}}, {"ceil_mode", zero}}, 18, 1},
      {"BitShift", DType::u32, {{"direction", std::string("LEFT")}}, 18, 1},
      {"BitShift", DType::i32, {{"direction", std::string("LEFT")}}, 28, 1},
      {"Cast", DType::f32, {{"to", one}, {"saturate", one}}, 18, 1},
      {"CastLike", DType::f32, {{"saturate", one}}, 18, 0},
      {"Celu", DType::f32, {}, 18, 0},
      {"Celu", DType::f64, {}, 28, 0},
      {"Compress", DType::f32, {}, 18, 0},
      {"Compress", DType::bf16, {}, 28, 0},
      {"CumProd", DType::f32, {}, 26, 0},
      {"DequantizeLinear", DType::u8, {}, 18, 0},
      {"DequantizeLinear", DType::i16, {}, 21, 0},
      {"DequantizeLinear", DType::f16, {}, 19, 0},
      {"DequantizeLinear", DType::u8, {{"block_size", int64_t{2}}}, 21, 1},
      {"DequantizeLinear", DType::u8, {{"output_dtype", one}}, 23, 1},
      {"Einsum", DType::bf16, {}, 28, 0},
      {"Equal", DType::f32, {}, 18, 0},
      {"Equal", DType::string, {}, 19, 0},
      {"Gelu", DType::f32, {}, 20, 0},
      {"GridSample", DType::f32, {{"mode", std::string("linear")}}, 20, 1},
      {"GroupNormalization", DType::f32, {{"num_groups", one}}, 21, 1},
      {"IsInf", DType::f32, {}, 18, 0},
      {"IsInf", DType::f16, {}, 20, 0},
      {"IsNaN", DType::f16, {}, 18, 0},
      {"Mod", DType::i32, {{"fmod", zero}}, 18, 1},
      {"Mod", DType::f32, {{"fmod", one}}, 18, 1},
      {"Mod", DType::f32, {{"fmod", zero}}, 28, 1},
      {"OneHot", DType::bf16, {}, 28, 0},
      {"Pad", DType::f32, {{"mode", std::string("edge")}}, 18, 1},
      {"Pad", DType::f32, {{"mode", std::string("wrap")}}, 19, 1},
      {"QLinearMatMul", DType::f16, {}, 21, 0},
      {"QuantizeLinear", DType::u8, {{"saturate", one}}, 18, 0},
      {"QuantizeLinear", DType::u16, {}, 21, 0},
      {"QuantizeLinear", DType::f16, {}, 19, 0},
      {"QuantizeLinear", DType::u8, {{"block_size", int64_t{2}}}, 21, 1},
      {"QuantizeLinear", DType::u8, {{"output_dtype", int64_t{2}}}, 21, 1},
      {"QuantizeLinear", DType::u8, {{"precision", one}}, 23, 1},
      {"RMSNormalization", DType::f32, {}, 23, 0},
      {"Range", DType::f32, {}, 18, 0},
      {"Range", DType::f32, {{"stash_type", one}}, 18, 0},
      {"Range", DType::f32, {{"stash_type", int64_t{10}}}, 27, 1},
      {"Range", DType::f16, {}, 27, 0},
      {"ReduceMax", DType::boolean, {}, 20, 0},
      {"ReduceMin", DType::boolean, {}, 20, 0},
      {"ReduceMax", DType::i32, {}, 18, 0},
      {"Resize", DType::f32, {{"coordinate_transformation_mode", std::string("half_pixel_symmetric")}}, 19, 1},
      {"ReverseSequence", DType::bf16, {}, 28, 0},
      {"RotaryEmbedding", DType::f32, {}, 23, 0},
      {"SpaceToDepth", DType::f32, {{"blocksize", one}}, 18, 1},
      {"SpaceToDepth", DType::f32, {{"blocksize", one}, {"mode", std::string("DCR")}}, 18, 1},
      {"SpaceToDepth", DType::f32, {{"blocksize", one}, {"mode", std::string("CRD")}}, 28, 2},
      {"TopK", DType::bf16, {}, 24, 0},
      {"Unique", DType::bf16, {}, 28, 0},
      {"Add", DType::f32, {}, 18, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.op);
    CAPTURE(name(c.dtype));
    GraphBuilder b;
    const ValueId x = b.input("x", {2}, c.dtype);
    const ValueId y = b.node(c.op, {x});
    for (const auto& [key, value] : c.attrs) b.graph.nodes[0].attrs.set(key, value);
    b.graph.value(y).type = {c.dtype, {2}};
    b.output(y, "y");
    auto file = OnnxFile::of(b.graph);
    REQUIRE(file.ok());
    CHECK(file->opset() == c.opset);
    const std::string bytes = written(b.graph);
    size_t attributes = 0;  // "\x0a" and the length of a name begin each
    for (const auto& [key, value] : c.attrs) {
      const std::string field = std::string("\x0a") + static_cast<char>(std::strlen(key)) + key;
      attributes += bytes.find(field) != std::string::npos;
    }
    CHECK(attributes == c.attributes);
  }
}

TEST_CASE("writing ONNX: more than one file can hold is refused before anything is written") {
  GraphBuilder b;
  const auto storage = allocate_aligned(64);  // never read
  const int64_t rows = (int64_t{1} << 29) / 4;
  b.output(b.node("MatMul", {b.input("x", {1, rows}), b.constant(Tensor(DType::f32, {rows, 4}, storage))}), "y");
  b.graph.value(b.graph.outputs[0]).type = {DType::f32, {1, 4}};
  auto file = OnnxFile::of(b.graph);
  REQUIRE(!file.ok());
  CHECK(file.error().code() == Code::kUnsupported);
  CHECK(file.error().message().find("2147483647") != std::string::npos);
  b.graph.nodes[0].inputs[1] = b.constant(Tensor(DType::f32, {rows - 100, 4}, storage));
  file = OnnxFile::of(b.graph);
  REQUIRE(file.ok());
  CHECK(file->bytes() > (rows - 100) * 16);
}

}  // namespace tern::test::in_onnx_write
