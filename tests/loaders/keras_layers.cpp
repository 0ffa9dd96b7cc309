// Layers of loaders/keras/layers against Keras 3 and tf_keras: small models, tests/data/keras/layers, made by make.py beside them. Each is built from
// its config, with weights by their paths, evaluated and run by a session; with the batch as a symbol, as files have it.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "loaders/keras/model/build.h"
#include "tests/support/recorded.h"

namespace tern::test::in_keras_layers {
namespace {

struct Recorded : RecordedCases {
  explicit Recorded(const std::string& stem) : RecordedCases(stem + ".json", stem + ".npz") {}
  const Tensor* find(const std::string& name) const {
    const Json::Id alias = json.get(json.get(json.root(), "aliases"), name);
    const auto at = arrays.find(alias == Json::kNothing ? std::string_view(name) : json.string(alias));
    return at == arrays.end() ? nullptr : &at->second;
  }
};

// Weights by their paths in model.weights.h5.
class RecordedWeights : public keras::WeightSource {
 public:
  RecordedWeights(const Recorded& recorded, std::string prefix) : recorded_(recorded), prefix_(std::move(prefix)) {}
  Result<std::optional<StoredTensor>> find(const keras::WeightPlace& place, std::string_view, size_t index, const std::vector<int64_t>&) override {
    const Tensor* t = nullptr;
    std::string path = place.path;
    t = recorded_.find(prefix_ + path + "/vars/" + std::to_string(index));
    for (size_t at = path.rfind('/'); t == nullptr && at != path.npos; at = at == 0 ? path.npos : path.rfind('/', at - 1)) {
      std::string hidden = path;  // an attribute of tf_keras: "_query_dense"
      t = recorded_.find(prefix_ + hidden.insert(at + 1, "_") + "/vars/" + std::to_string(index));
    }
    if (t == nullptr) return std::optional<StoredTensor>();
    StoredTensor stored;
    stored.dtype = t->dtype();
    stored.element_size = static_cast<int64_t>(size_of(t->dtype()));
    int64_t stride = t->count();
    for (int64_t n : t->dims().span()) {
      stored.sizes.push_back(n);
      stored.strides.push_back(stride /= std::max<int64_t>(n, 1));
    }
    stored.storage = std::make_shared<Storage>(Storage{{t->raw(), t->bytes()}, nullptr, place.path});
    return std::optional(std::move(stored));
  }
  Result<std::optional<std::string>> asset(const keras::WeightPlace&, std::string_view) override { return std::optional<std::string>(); }

 private:
  const Recorded& recorded_;
  std::string prefix_;
};

std::string difference(const Array& got, const Tensor& want) {
  auto tensor = to_tensor(got);
  if (!tensor) return tensor.error().message();
  if (tensor->dtype() != want.dtype()) return std::string("is ") + name(tensor->dtype()) + " instead of " + name(want.dtype());
  if (tensor->dims() != want.dims()) return "is " + Shape(tensor->dims()).text() + " instead of " + Shape(want.dims()).text();
  for (int64_t i = 0; i < want.count(); ++i) {
    const double g = tensor->data<float>()[i], w = want.data<float>()[i];
    if (!(std::fabs(g - w) <= 1e-5 + 1e-4 * std::fabs(w)) && !(g != g && w != w))  // the project's bound for Keras
      return "element " + std::to_string(i) + " is " + std::to_string(g) + " instead of " + std::to_string(w);
  }
  return {};
}

Result<Graph> graph_of(const Recorded& recorded, int major, const std::string& model, Json::Id config) {
  keras::Builder builder("keras");
  RecordedWeights weights(recorded, model + "/");
  keras::Net net(builder, recorded.json, {major, ""}, weights, int64_t(1) << 30);
  return keras::build_graph(net, config, {});
}

void play(const Recorded& recorded, int major, const std::string& name, Json::Id config) {
  CAPTURE(name);
  auto graph = graph_of(recorded, major, name, config);
  REQUIRE_MESSAGE(graph.ok(), name << ": " << (graph.ok() ? "" : graph.error().message()));
  auto model = make_model(std::move(*graph), {});
  REQUIRE_MESSAGE(model.ok(), name << ": " << (model.ok() ? "" : model.error().message()));
  std::vector<Array> inputs;
  for (const Port& port : model->inputs()) {
    const Tensor* x = recorded.find(name + "/in/" + port.name);
    REQUIRE_MESSAGE(x != nullptr, "no array for input " << port.name);
    inputs.push_back(to_array(*x));
  }
  auto outputs = model->evaluate(inputs);
  REQUIRE_MESSAGE(outputs.ok(), name << ": " << (outputs.ok() ? "" : outputs.error().message()));
  for (size_t o = 0; o < outputs->size(); ++o) {
    const Tensor* want = recorded.find(name + "/out/" + std::to_string(o));
    REQUIRE(want != nullptr);
    const std::string wrong = difference((*outputs)[o], *want);
    CHECK_MESSAGE(wrong.empty(), name << ", output " << o << " (" << model->outputs()[o].name << "): " << wrong);
  }
  CHECK(recorded.find(name + "/out/" + std::to_string(outputs->size())) == nullptr);
  auto session = model->session({.dims = {{"batch", 2}}});
  REQUIRE_MESSAGE(session.ok(), name << ": " << (session.ok() ? "" : session.error().message()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto to = session->input_bytes(model->inputs()[i].name);
    REQUIRE(to.size() == inputs[i].bytes.size());
    std::copy(inputs[i].bytes.begin(), inputs[i].bytes.end(), to.begin());
  }
  session->run();
  for (size_t o = 0; o < outputs->size(); ++o) {
    const auto bytes = session->output_bytes(session->outputs()[o].name);
    const auto& want = (*outputs)[o].bytes;
    CHECK_MESSAGE((bytes.size() == want.size() && std::equal(bytes.begin(), bytes.end(), want.begin())),
                  name << ", output " << o << ": the session has other bits");
  }
}

void play_all(const char* file, int major) {
  const Recorded recorded(std::string(TERN_TEST_DATA) + "/keras/layers/" + file);
  const Json::Id models = recorded.json.get(recorded.json.root(), "models");
  REQUIRE(recorded.json.size(models) >= 18);
  for (size_t i = 0; i < recorded.json.size(models); ++i)
    play(recorded, major, std::string(recorded.json.key(models, i)), recorded.json.item(models, i));
}

}  // namespace

TEST_CASE("keras layers: models of every layer give what Keras 3 records") { play_all("keras3", 3); }
TEST_CASE("keras layers: models of every layer give what tf_keras records") { play_all("keras2", 2); }

}  // namespace tern::test::in_keras_layers
