// scaled_dot_product_attention, MultiheadAttention and the Transformer's layers, against torch's answers.
#include <functional>

#include "loaders/torch/nn/assemble.h"
#include "tests/support/torch_cases.h"

namespace tern {
namespace in_torch_attention {
namespace {

using namespace test;

TEST_CASE("torch attention: every option of attention gives what torch gives, however the module was written") {
  const torch::Checkpoint file = open_cases("attention/cases.pth");
  check_cases(file, 1e-5, 2e-6);
}

TEST_CASE("torch attention: Transformer layers and stacks give what torch gives, however they were written") {
  const torch::Checkpoint file = open_cases("attention/transformer.pth");
  check_cases(file, 2e-5, 5e-6);
}

// The weights of a recorded module, for trees that are written otherwise.
StateDict weights_of(const torch::Checkpoint& file, std::string_view name) {
  auto module = file.module(file.get(file.get(file.root(), name), "module"));
  REQUIRE(module.ok());
  return torch::state_dict(**module);
}

int64_t count(const Model& model, std::string_view op) {
  int64_t n = 0;
  for (const Node& node : model.state().optimized.nodes) n += node.op->name == op;
  return n;
}

TEST_CASE("torch attention: an encoder with free sizes is fused, and rows of a batch do not see each other") {
  const torch::Checkpoint file = open_cases("attention/transformer.pth");
  const auto tree = parsed(
      "TransformerEncoder(\n"
      "  (layers): ModuleList(\n"
      "    (0-1): 2 x TransformerEncoderLayer(8, 2, 11, batch_first=True)\n"
      "  )\n"
      "  (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True)\n"
      ")");
  const StateDict weights = weights_of(file, "encoder batch_first=True norm=True, ");
  auto graph = torch::assemble(*tree, nullptr, weights, {}, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  auto model = make_model(std::move(*graph), {});
  REQUIRE(model.ok());
  REQUIRE(model->inputs().size() == 1);
  CHECK(model->inputs()[0].name == "src");
  CHECK(model->inputs()[0].shape == std::vector<std::string>{"batch", "src_1", "8"});
  CHECK(count(*model, "FusedAttention") == 2);
  auto two = model->session({.dims = {{"batch", 2}, {"src_1", 4}}}), one = model->session({.dims = {{"batch", 1}, {"src_1", 4}}});
  REQUIRE((two.ok() && one.ok()));
  for (size_t i = 0; i < 64; ++i) two->input<float>("src")[i] = static_cast<float>(i % 13) * 0.25f - 1;
  for (size_t i = 0; i < 32; ++i) one->input<float>("src")[i] = two->input<float>("src")[32 + i];
  two->run();
  one->run();
  for (size_t i = 0; i < 32; ++i) CHECK(one->output<float>("output")[i] == two->output<float>("output")[32 + i]);
}

// "src batch src_1 8 | tgt batch tgt_1 8"
std::string inputs_of(const torch::Checkpoint& file, const char* recorded, const std::string& text) {
  const auto tree = parsed(text);
  const StateDict weights = weights_of(file, recorded);
  auto graph = torch::assemble(*tree, nullptr, weights, {}, "test");
  REQUIRE_MESSAGE(graph.ok(), graph.error().message());
  auto model = make_model(std::move(*graph), {});
  REQUIRE(model.ok());
  std::string all;
  for (const Port& port : model->inputs()) {
    all += (all.empty() ? "" : " | ") + port.name;
    for (const std::string& dim : port.shape) all += " " + dim;
  }
  return all;
}

TEST_CASE("torch attention: as models, layers share the batch and have steps of their own, in both layouts") {
  const torch::Checkpoint file = open_cases("attention/transformer.pth"), attention = open_cases("attention/cases.pth");
  CHECK(inputs_of(file, "decoder layer, batch_first=True", "TransformerDecoderLayer(8, 2, 11, batch_first=True)") ==
        "tgt batch tgt_1 8 | memory batch memory_1 8");
  CHECK(inputs_of(file, "decoder layer, norm_first=True", "TransformerDecoderLayer(8, 2, 11, norm_first=True)") ==
        "tgt tgt_0 batch 8 | memory memory_0 batch 8");
  CHECK(inputs_of(file, "transformer batch_first=False, ", "Transformer(8, 2, 2, 1, 11)") == "src src_0 batch 8 | tgt tgt_0 batch 8");
  CHECK(inputs_of(attention, "mha kdim vdim batch_first=True", "MultiheadAttention(8, 2, kdim=9, vdim=11, batch_first=True)") ==
        "query batch query_1 8 | key batch key_1 9 | value batch key_1 11");
  CHECK(inputs_of(attention, "mha kdim vdim batch_first=False", "MultiheadAttention(8, 2, kdim=9, vdim=11)") ==
        "query query_0 batch 8 | key key_0 batch 9 | value key_0 batch 11");
}

TEST_CASE("torch attention: an activation is a function, a module as an argument, or a child") {
  const torch::Checkpoint file = open_cases("attention/transformer.pth");
  for (const char* how : {"nn.GELU()", "F.gelu", "'gelu'", "torch.nn.functional.gelu"}) {
    CAPTURE(how);
    CHECK(inputs_of(file, "encoder layer, activation=gelu, batch_first=True",
                    std::string("TransformerEncoderLayer(8, 2, 11, batch_first=True, activation=") + how + ")") == "src batch src_1 8");
  }
  const auto tree = parsed("TransformerEncoderLayer(8, 2, 11, activation=mine.gelu)");
  auto graph = torch::assemble(*tree, nullptr, weights_of(file, "encoder layer, defaults"), {}, "test");
  REQUIRE_FALSE(graph.ok());
  CHECK(graph.error().message().find("mine.gelu") != std::string::npos);
}

TEST_CASE("torch attention: a mask that leaves every query a key costs no second look at the rows") {
  for (const bool whole_row : {false, true}) {
    torch::Builder b("test");
    const ValueId q = b.input("q", {DType::f32, Shape{1, 2, 3, 4}});
    auto mask = Tensor::allocate(DType::boolean, {3, 3});
    REQUIRE(mask.ok());
    for (int64_t i = 0; i < 9; ++i) mask->mutable_data<bool>()[i] = i % 3 <= i / 3 && !(whole_row && i < 3);
    const auto t = [](ValueId v) { return torch::IValue::tensor(v); };
    const auto y = torch::call(b, "F.scaled_dot_product_attention", {t(q), t(q), t(q), t(b.constant(*mask))});
    auto graph = b.finish({{"y", y.id()}});
    REQUIRE(graph.ok());
    auto model = make_model(std::move(*graph), {});
    REQUIRE(model.ok());
    CHECK(count(*model, "FusedAttention") == 1);
    CHECK(count(*model, "Where") == (whole_row ? 1 : 0));
  }
}

// ---- what is refused ----

std::string refusal(const std::string& text) {
  auto architecture = torch::parse_architecture(text, "test");
  REQUIRE_MESSAGE(architecture.ok(), architecture.error().message());
  if (const Status s = torch::complete(*architecture->root); !s) return s.error().message();
  auto expected = torch::expected_state(*architecture->root, nullptr);
  return expected ? "" : expected.error().message();
}

bool says(const std::string& message, std::string_view part) {
  INFO(message);
  const bool found = message.find(part) != message.npos;
  CHECK_MESSAGE(found, std::string(part));
  return found;
}

TEST_CASE("torch attention: what print(model) hides is asked for by name and place") {
  const std::string message = refusal(
      "TransformerEncoder(\n"
      "  (layers): ModuleList(\n"
      "    (0): TransformerEncoderLayer(\n"
      "      (self_attn): MultiheadAttention(\n"
      "        (out_proj): NonDynamicallyQuantizableLinear(in_features=16, out_features=16, bias=True)\n"
      "      )\n"
      "      (linear1): Linear(in_features=16, out_features=32, bias=True)\n"
      "      (dropout): Dropout(p=0.1, inplace=False)\n"
      "      (linear2): Linear(in_features=32, out_features=16, bias=True)\n"
      "      (norm1): LayerNorm((16,), eps=1e-05, elementwise_affine=True)\n"
      "      (norm2): LayerNorm((16,), eps=1e-05, elementwise_affine=True)\n"
      "      (dropout1): Dropout(p=0.1, inplace=False)\n"
      "      (dropout2): Dropout(p=0.1, inplace=False)\n"
      "    )\n"
      "  )\n"
      ")");
  says(message, "layers.0.self_attn");
  says(message, "MultiheadAttention(embed_dim=16, num_heads=…)");
  says(message, "nhead=…");
  says(refusal("TransformerEncoderLayer(d_model=16)"), "nhead is missing");
  says(refusal("TransformerDecoderLayer(nhead=2)"), "d_model is missing");
}

TEST_CASE("torch attention: arguments that make no sense are refused") {
  says(refusal("MultiheadAttention(16, 3)"), "divisible");
  says(refusal("MultiheadAttention(num_heads=4)"), "embed_dim is missing");
  says(refusal("MultiheadAttention(16, 0)"), "divisible");
  says(refusal("Transformer(16, 4, num_encoder_layers=2000000000)"), "make no sense");
  says(refusal("TransformerEncoderLayer(16, 3)"), "divisible");
}

std::string failure(const char* spelling, const std::function<torch::IValue(torch::Builder&, torch::IValue q)>& call) {
  torch::Builder b("test");
  const ValueId q = b.input("q", {DType::f32, Shape{2, 3, 4}});
  call(b, torch::IValue::tensor(q));
  INFO(std::string(spelling));
  REQUIRE(!b.ok());
  return b.status().error().message();
}

TEST_CASE("torch attention: contradictions of a call are refused") {
  says(failure("sdpa",
               [](torch::Builder& b, torch::IValue q) {
                 return torch::call(b, "F.scaled_dot_product_attention", {q, q, q, q, 0.0, true});
               }),
       "is_causal");
  says(failure("gqa",
               [](torch::Builder& b, torch::IValue q) {
                 const auto k = torch::IValue::tensor(b.input("k", {DType::f32, Shape{3, 3, 4}}));
                 return torch::call(b, "F.scaled_dot_product_attention", {q, k, k}, {{"enable_gqa", true}});
               }),
       "heads");
  const auto mha = [](torch::Builder& b, torch::IValue q, int64_t biases, std::vector<std::pair<std::string, torch::IValue>> named) {
    auto constant = [&](std::vector<int64_t> dims) {
      auto t = Tensor::allocate(DType::f32, Dims(std::span<const int64_t>(dims)));
      std::fill_n(t->mutable_data<float>(), t->count(), 1.0f);
      return torch::IValue::tensor(b.constant(*t));
    };
    const auto k = torch::IValue::tensor(b.input("k", {DType::f32, Shape{2, 3, 4}}));
    return torch::call(b, "F.multi_head_attention_forward",
                       {q, k, k, Int(4), Int(2), constant({12, 4}), constant({biases}), {}, {}, false, 0.0, constant({4, 4}), {}}, named);
  };
  says(failure("bias", [&](torch::Builder& b, torch::IValue q) { return mha(b, q, 11, {}); }), "needs 12 rows");
  says(failure("causal", [&](torch::Builder& b, torch::IValue q) { return mha(b, q, 12, {{"is_causal", true}}); }), "is_causal needs attn_mask");
  says(failure("padding", [&](torch::Builder& b, torch::IValue q) { return mha(b, q, 12, {{"key_padding_mask", q}}); }), "key_padding_mask");
}

}  // namespace
}  // namespace in_torch_attention
}  // namespace tern
