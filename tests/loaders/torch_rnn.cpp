// LSTM, GRU, RNN and their cells, against torch's answers.
#include "loaders/torch/nn/assemble.h"
#include "tests/support/torch_cases.h"

namespace tern {
namespace in_torch_rnn {
namespace {

using namespace test;

TEST_CASE("torch rnn: every option gives what torch gives, however the module was written") {
  const torch::Checkpoint file = open_cases("rnn/cases.pth");
  check_cases(file, 1e-5, 2e-6);
}

std::string operators_of(const Graph& graph) {
  std::string all;
  for (const Node& node : graph.nodes) all += (all.empty() ? "" : " ") + std::string(node.op->name);
  return all;
}

// A model of one written layer, with the weights of a recorded module, of which only the first output is kept.
Graph first_output(const torch::Checkpoint& file, const char* weights_of, const std::string& text, TypeInfo input) {
  const auto tree = parsed(text);
  auto module = file.module(file.get(file.get(file.root(), weights_of), "module"));
  REQUIRE(module.ok());
  const StateDict weights = torch::state_dict(**module);
  std::map<std::string, const StoredTensor*, std::less<>> names;
  for (const auto& e : weights.entries) names.emplace(e.name, &e.tensor);
  torch::Builder b("test");
  torch::Weights constants(std::move(names), 1 << 20);
  torch::Network network(b, constants, nullptr);
  const torch::IValue out = network.call(*tree, "", {torch::IValue::tensor(b.input("input", std::move(input)))});
  REQUIRE_MESSAGE(b.ok(), b.status().error().message());
  auto graph = b.finish({{"y", (*out.items())[0].id()}});
  REQUIRE(graph.ok());
  REQUIRE(optimize(*graph, 1 << 20, Stage::fuse).ok());
  return std::move(*graph);
}

TEST_CASE("torch rnn: one layer is one node, and batch_first copies nothing") {
  const torch::Checkpoint file = open_cases("rnn/cases.pth");
  const Dim batch = Dim::symbol("batch"), steps = Dim::symbol("steps");
  const char* one = "lstm layers=1 bidirectional=False batch_first=False bias=True state=False";
  const char* both = "lstm layers=1 bidirectional=True batch_first=True bias=True state=False";
  const TypeInfo window{DType::f32, Shape{batch, steps, 7}};
  CHECK(operators_of(first_output(file, one, "LSTM(7, 4, batch_first=True)", window)) == "LSTM Squeeze");
  CHECK(operators_of(first_output(file, one, "LSTM(7, 4)", window)) == "LSTM Squeeze");
  CHECK(operators_of(first_output(file, both, "LSTM(7, 4, batch_first=True, bidirectional=True)", window)) == "LSTM Reshape");
  CHECK(operators_of(first_output(file, both, "LSTM(7, 4, bidirectional=True)", {DType::f32, Shape{steps, 1, 7}})) == "LSTM Reshape");
}

TEST_CASE("torch rnn: as a model, the input is told by the layer and the outputs are named as torch nests them") {
  const torch::Checkpoint file = open_cases("rnn/cases.pth");
  const auto module =
      file.module(file.get(file.get(file.root(), "lstm layers=2 bidirectional=True batch_first=True bias=False state=False"), "module"));
  REQUIRE(module.ok());
  const StateDict weights = torch::state_dict(**module);
  auto graph = torch::assemble(**module, nullptr, weights, {}, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  auto model = make_model(std::move(*graph), {});
  REQUIRE(model.ok());
  CHECK(model->inputs()[0].name == "input");
  CHECK(model->inputs()[0].shape == std::vector<std::string>{"batch", "input_1", "7"});
  REQUIRE(model->outputs().size() == 3);
  CHECK(model->outputs()[0].name == "output_0");
  CHECK(model->outputs()[1].name == "output_1_0");
  CHECK(model->outputs()[2].name == "output_1_1");
  CHECK(model->outputs()[0].shape == std::vector<std::string>{"batch", "input_1", "8"});
  CHECK(model->outputs()[1].shape == std::vector<std::string>{"4", "batch", "4"});
}

TEST_CASE("torch rnn: a state of zeros is no state, so that exported programs and layers give the same nodes") {
  for (const double fill : {0.0, 1.0}) {
    torch::Builder b("test");
    const Dim batch = Dim::symbol("batch");
    const auto t = [](ValueId v) { return torch::IValue::tensor(v); };
    auto weight = [&](const Dims& dims) {
      auto w = Tensor::allocate(DType::f32, dims);
      std::fill_n(w->mutable_data<float>(), w->count(), 0.5f);
      return t(b.constant(*w));
    };
    const ValueId x = b.input("x", {DType::f32, Shape{5, batch, 2}});
    const torch::IValue sizes = torch::IValue::list({Int(1), b.size(x, 1), Int(4)});
    const torch::IValue state = torch::call(b, "torch.full", {sizes, fill});
    const torch::IValue y = torch::call(b, "aten.lstm.input",
                                        {t(x), torch::IValue::list({state, state}), torch::IValue::list({weight({16, 2}), weight({16, 4})}), false,
                                         Int(1), 0.0, false, false, false});
    REQUIRE_MESSAGE(b.ok(), b.status().error().message());
    auto graph = b.finish({{"y", (*y.items())[0].id()}});
    REQUIRE(graph.ok());
    REQUIRE(optimize(*graph, 1 << 20, Stage::fuse).ok());
    CHECK((operators_of(*graph) == "LSTM Squeeze") == (fill == 0));
  }
}

// ---- what is refused ----

Status check_tree(const std::string& text) {
  const auto tree = parsed(text);
  auto expected = torch::expected_state(*tree, nullptr);
  return expected ? Status() : Status(expected.error());
}

TEST_CASE("torch rnn: constructor arguments that make no sense are refused") {
  CHECK(check_tree("LSTM(7, 4)").ok());
  for (const char* text : {"LSTM(7, 0)", "LSTM(0, 4)", "LSTM(7, 4, proj_size=4)", "LSTM(7, 4, proj_size=-1)", "GRU(7, 4, num_layers=0)",
                           "RNN(7, 4, num_layers=2000000000)", "LSTMCell(7, 0)"}) {
    CAPTURE(text);
    CHECK_FALSE(check_tree(text).ok());
  }
  auto wrong = torch::parse_architecture("GRU(7, 4, proj_size=2)", "test");  // torch: only an LSTM is projected
  REQUIRE(wrong.ok());
  CHECK_FALSE(torch::complete(*wrong->root).ok());
}

struct Call {
  torch::Builder b{"test"};
  int count = 0;
  torch::IValue x = tensor({5, 3, 2}), h = tensor({1, 3, 4});
  torch::IValues params = {tensor({16, 2}), tensor({16, 4}), tensor({16}), tensor({16})};
  torch::IValue tensor(std::vector<int64_t> dims) {
    return torch::IValue::tensor(b.input("in" + std::to_string(count++), {DType::f32, Shape(Dims(std::span<const int64_t>(dims)))}));
  }
  std::string message(bool biased = true, int64_t layers = 1, double dropout = 0, bool train = false, const torch::IValue* hx = nullptr) {
    torch::call(
        b, "aten.lstm.input",
        {x, hx != nullptr ? *hx : torch::IValue::list({h, h}), torch::IValue::list(params), biased, Int(layers), dropout, train, false, false});
    return b.ok() ? "" : b.status().error().message();
  }
};

bool contains(const std::string& message, std::string_view part) {
  INFO(message);
  CHECK_MESSAGE(message.find(part) != message.npos, std::string(part));
  return message.find(part) != message.npos;
}

TEST_CASE("torch rnn: calls that do not fit are refused, saying what does not") {
  CHECK(Call().message() == "");
  CHECK(Call().message(true, 1, 0.5, false) == "");
  contains(Call().message(true, 1, 0.5, true), "model.eval()");
  contains(Call().message(false), "4 parameters");
  contains(Call().message(true, 2), "2 parameters");
  contains(Call().message(true, 1000000000), "layers");
  {
    Call c;
    const torch::IValue alone = c.h;
    contains(c.message(true, 1, 0, false, &alone), "(h_0, c_0)");
  }
  {
    Call c;
    c.h = c.tensor({2, 3, 4});
    contains(c.message(), "layers times directions");
  }
  {
    Call c;
    c.x = c.tensor({5, 3, 9});
    contains(c.message(), "9 features");
  }
  {
    Call c;
    c.params[1] = c.tensor({16, 3});
    contains(c.message(), "weight_hh");
  }
  {
    Call c;
    c.params[3] = c.tensor({15});
    contains(c.message(), "bias");
  }
  {
    Call c;
    torch::call(c.b, "torch.nn.utils.rnn.pack_padded_sequence", {c.x, c.h}, {{"batch_first", true}});
    REQUIRE_FALSE(c.b.ok());
    CHECK(c.b.status().error().code() == Code::kUnsupported);
    contains(c.b.status().error().message(), "packed sequences");
  }
}

}  // namespace
}  // namespace in_torch_rnn
}  // namespace tern
