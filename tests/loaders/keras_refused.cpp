// What a Keras file may hold that is refused, and in which words. Models of JSON alone, whose weights are zeros. Code: loaders/keras.
#include <doctest/doctest.h>

#include "loaders/keras/keras.h"
#include "tests/support/cheap.h"
#include "tests/support/keras_zeros.h"

using namespace tern;

namespace in_keras_refused {
namespace {

std::string layer(const std::string& cls, const std::string& config, const std::string& more = "") {
  return R"({"class_name":")" + cls + R"(","config":{)" + config + "}" + more + "}";
}
const std::string kInput = layer("InputLayer", R"("name":"x","batch_shape":[null,4],"dtype":"float32")");
const std::string kDense = layer("Dense", R"("name":"y","units":3)");

std::string sequential(const std::string& layers, const std::string& more = R"(,"keras_version":"3.15.1")") {
  return R"({"class_name":"Sequential","config":{"name":"m","layers":[)" + layers + "]}" + more + "}";
}
std::string functional(const std::string& layers, const std::string& in = R"(["x",0,0])", const std::string& out = R"(["y",0,0])") {
  return R"({"class_name":"Functional","keras_version":"3.15.1","config":{"name":"m","layers":[)" + layers + R"(],"input_layers":)" + in +
         R"(,"output_layers":)" + out + "}}";
}
std::string named(const std::string& name, const std::string& cls, const std::string& config, const std::string& calls) {
  return layer(cls, R"("name":")" + name + "\"" + (config.empty() ? "" : ",") + config,
               R"(,"module":"keras.layers","name":")" + name + R"(","inbound_nodes":[)" + calls + "]");
}
std::string tensor(const std::string& from, int node = 0, int index = 0) {
  return R"({"class_name":"__keras_tensor__","config":{"shape":[null,4],"keras_history":[")" + from + "\"," + std::to_string(node) + "," +
         std::to_string(index) + "]}}";
}
std::string call(const std::string& args) { return R"({"args":[)" + args + R"(],"kwargs":{}})"; }
const std::string kX = named("x", "InputLayer", R"("batch_shape":[null,4],"dtype":"float32")", "");

Error refusal(const std::string& json, const std::string& version = "") {
  test::ZeroWeights zeros;
  auto graph = keras::graph_of_json(json, version, zeros, {});
  return graph ? Error() : graph.error();
}

void refused(const std::string& json, Code code, const std::string& part, const std::string& version = "") {
  const Error e = refusal(json, version);
  CAPTURE(json.substr(0, 300));
  CHECK_MESSAGE(e.message().find(part) != std::string::npos, e.message());
  CHECK(e.code() == code);
}

}  // namespace

TEST_CASE("keras: models of this test load when nothing is wrong with them") {
  CHECK(refusal(sequential(kInput + "," + kDense)).message() == "");
  CHECK(refusal(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x"))))).message() == "");
}

TEST_CASE("keras: code that is not Keras' own is refused by its name, and what to do is said") {
  const std::string fix = "model.export()";
  refused(sequential(kInput + "," + layer("Lambda", R"("name":"l","function":["4wEAAAA=",null,null])")), Code::kUnsupported,
          "layer l (Lambda): a Lambda");
  refused(sequential(kInput + "," + layer("Lambda", R"("name":"l")")), Code::kUnsupported, fix);
  refused(sequential(kInput + "," + layer("Mine", R"("name":"l")", R"(,"registered_name":"pack>Mine","module":null)")), Code::kUnsupported,
          "layer l (Mine): a class of the model's own code (pack>Mine)");
  refused(sequential(kInput + "," + layer("Dense", R"("name":"l","units":2)", R"(,"module":"__main__")")), Code::kUnsupported, fix);
  refused(sequential(kInput + "," + layer("Dense", R"("name":"l","units":2,"activation":"<lambda>")")), Code::kUnsupported, "Python lambda");
  refused(R"({"class_name":"Mine","config":{"name":"m"},"registered_name":"Mine"})", Code::kUnsupported, "a subclassed model (Mine)");
  refused(sequential(kInput + "," + layer("Nonesuch", R"("name":"l")")), Code::kUnsupported,
          "layer l (Nonesuch): layers of class Nonesuch are not supported (the file is of Keras 3.15.1)");
}

TEST_CASE("keras: versions that are not read are told") {
  refused(sequential(kInput + "," + kDense, ""), Code::kUnsupported, "Keras 1.2.2", "1.2.2");
  refused(sequential(kInput + "," + kDense, ""), Code::kUnsupported, "Keras 4.0", "4.0");
  refused(sequential(layer("Dense", R"("name":"y","output_dim":3,"W_regularizer":null)"), ""), Code::kUnsupported, "Keras 1");
}

TEST_CASE("keras: a number may be an array of one, as Keras 2.2 wrote it") {
  const std::string leaky = layer("LeakyReLU", R"("name":"y","alpha":{"type":"ndarray","value":0.25})");
  CHECK(refusal(sequential(kInput + "," + leaky)).message() == "");
  refused(sequential(kInput + "," + layer("LeakyReLU", R"("name":"y","alpha":{"type":"ndarray","value":"x"})")), Code::kInvalid,
          "alpha is no number");
}

TEST_CASE("keras: other quantisations than kernels of 8 and 4 bits are refused, in every way that they are told, and layers that have none") {
  const auto dense = [](const std::string& settings) { return sequential(kInput + "," + layer("Dense", R"("name":"y","units":3,)" + settings)); };
  for (const char* policy : {R"("float8_from_float32")", R"({"class_name":"DTypePolicy","config":{"name":"gptq_from_bfloat16"}})",
                             R"({"class_name":"QuantizedDTypePolicy","config":{"mode":"awq","source_name":"float32"}})"}) {
    refused(dense(R"("dtype":)" + std::string(policy)), Code::kUnsupported, "quantised");
  }
  refused(sequential(kInput + "," + layer("BatchNormalization", R"("name":"y","dtype":"int8_from_float32")")), Code::kUnsupported, "quantised");
  const std::string int8 = R"("dtype":"int8_from_float32","quantization_config":{"class_name":"Int8QuantizationConfig","config":)";
  refused(dense(int8 + R"({"activation_quantizer":{"class_name":"Own","config":{}}}})"), Code::kUnsupported, "quantizer Own");
  refused(dense(int8 + R"({"activation_quantizer":{"class_name":"AbsMaxQuantizer","config":{"value_range":[-1000,1000]}}}})"), Code::kUnsupported,
          "more than 8 bits");
  refused(dense(R"("dtype":"int4/128_from_float32")"), Code::kUnsupported, "4 bits");
  refused(dense(R"("dtype":"gptq/4/128_from_float32")"), Code::kInvalid, "is no bytes");
  refused(
      sequential(kInput + "," + layer("EinsumDense", R"("name":"y","equation":"ab,bc->ac","output_shape":[3],"dtype":"gptq/4/128_from_float32")")),
      Code::kUnsupported, "quantised");
}

TEST_CASE("keras: a convolution of a number, which has no axes, is invalid") {
  const std::string number = named("x", "InputLayer", R"("batch_shape":[],"dtype":"float32")", "");
  for (const char* strides : {"[]", "2", "[1,1,1,1]"}) {
    const std::string args = R"({"args":[)" + tensor("x") + R"(,[[[[1.0]]]]],"kwargs":{"strides":)" + strides + "}}";
    refused(functional(number + "," + named("y", "TFOpLambda", R"("function":"nn.conv2d")", args)), Code::kInvalid, "layer y (tf.nn.conv2d)");
  }
}

TEST_CASE("keras: a recurrent layer takes as many states as it has") {
  const std::string window = named("x", "InputLayer", R"("batch_shape":[null,5,4],"dtype":"float32")", "");
  const std::string state = named("s", "InputLayer", R"("batch_shape":[null,3],"dtype":"float32")", "");
  for (const int states : {1, 2, 3}) {
    std::string given = tensor("s");
    for (int i = 1; i < states; ++i) given += "," + tensor("s");
    const std::string args = R"({"args":[)" + tensor("x") + R"(],"kwargs":{"initial_state":[)" + given + "]}}";
    const std::string json = functional(window + "," + state + "," + named("y", "LSTM", R"("units":3)", args), R"([["x",0,0],["s",0,0]])");
    if (states == 2) CHECK(refusal(json).message() == "");
    else refused(json, Code::kInvalid, "it is called with " + std::to_string(states) + " states");
  }
}

TEST_CASE("keras: references to what is not there are invalid") {
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("z")))), Code::kInvalid, "'z' [0][0], which no layer makes");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x", 1)))), Code::kInvalid, "'x' [1][0]");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x", -1)))), Code::kInvalid, "'x' [-1][0]");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x", 0, 1)))), Code::kInvalid, "'x' [0][1]");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x"))), R"(["x",0,0])", R"(["q",0,0])"), Code::kInvalid,
          "'q' [0][0]");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x"))), R"(["y",0,0])"), Code::kInvalid, "is no InputLayer");
  refused(functional(kX + "," + named("y", "Dense", R"("units":2)", call(tensor("x"))), R"("x")"), Code::kInvalid, "input_layers");
  refused(functional(kX + "," + kX), Code::kInvalid, "two layers are called 'x'");
}

TEST_CASE("keras: layers that wait for each other are invalid") {
  refused(functional(kX + "," + named("y", "Add", "", call("[" + tensor("z") + "," + tensor("x") + "]")) + "," +
                     named("z", "Dense", R"("units":4)", call(tensor("y")))),
          Code::kInvalid, "wait for each other");
}

TEST_CASE("keras: weights of other sizes name the layer, the weight and both") {
  test::ZeroWeights zeros;
  struct Other : test::ZeroWeights {
    Result<std::optional<StoredTensor>> find(const keras::WeightPlace& place, std::string_view name, size_t i, const std::vector<int64_t>&) override {
      return ZeroWeights::find(place, name, i, {4, 7});
    }
  } other;
  auto graph = keras::graph_of_json(sequential(kInput + "," + kDense), "", other, {});
  REQUIRE(!graph.ok());
  CHECK(graph.error().message() == "layer y (Dense): weight kernel is [4,7] in the file, and [4,3] in the model");
  CHECK(graph.error().code() == Code::kInvalid);
}

TEST_CASE("keras: JSON as deep as its file is long, models in models and calls without end are refused at once") {
  for (const std::string& open : {std::string("["), std::string("{\"a\":")}) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += open;
    refused(deep, Code::kInvalid, "nested too deeply");
  }
  std::string nested = kDense;
  for (int i = 0; i < 60; ++i) nested = layer("Sequential", R"("name":"s","layers":[)" + nested + "]");
  refused(sequential(kInput + "," + nested), Code::kUnsupported, "deep");
  if (test::kSanitized) return;  // what follows ends where a budget is spent: it takes time, and no memory of its own
  // Each model calls the next twice: 2^30 calls.
  std::string twice =
      layer("Sequential", R"("name":"f0","layers":[)" + kInput + "," + layer("Activation", R"("name":"a","activation":"linear")") + "]");
  for (int i = 1; i <= 30; ++i) {
    const std::string n = std::to_string(i), inner = "f" + std::to_string(i - 1);
    twice.pop_back();
    twice += R"(,"name":")" + inner + R"(","inbound_nodes":[)" + call(tensor("x")) + "," + call(tensor(inner)) + "]}";
    twice = layer("Functional", R"("name":"f)" + n + R"(","layers":[)" + kX + "," + twice + R"(],"input_layers":["x",0,0],"output_layers":[")" +
                                    inner + R"(",2,0])");
  }
  refused(sequential(kInput + "," + twice), Code::kUnsupported, "");
}

TEST_CASE("keras: a Sequential model that was never built takes the shape that the caller gives") {
  const std::string json = sequential(kDense);
  refused(json, Code::kUnsupported, "the shape of input 'y_input' is not in the file");
  test::ZeroWeights zeros;
  LoadOptions options;
  options.inputs = {{"", DType::f32, {"batch", "4"}}};
  auto graph = keras::graph_of_json(json, "", zeros, options);
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  CHECK(graph->value(graph->inputs[0]).type.shape.text() == "[batch,4]");
}

}  // namespace in_keras_refused
