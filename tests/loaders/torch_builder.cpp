// tern::nn: architectures written in C++ give the graphs that the printed tree and its forwards give.
#include <doctest/doctest.h>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "runtime/model.h"
#include "tern/nn.h"

using namespace tern;

namespace in_torch_builder {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/torch/command/";

std::string text_of_file(const std::string& name) {
  auto bytes = read_file(kFolder + name);
  REQUIRE(bytes);
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

nn::Module block(int64_t n) {
  return nn::custom("Block", {{"conv", nn::Conv2d(n, n, 3, {.padding = 1, .bias = false})}, {"bn", nn::BatchNorm2d(n)}},
                    [](const nn::Self& self, nn::Tensor x) { return x + nn::call("torch.relu", {self("bn", self("conv", x))}); });
}

nn::Module net() {
  return nn::custom("Net",
                    {{"stem", nn::Conv2d(1, 4, 3, {.stride = 2})}, {"blocks", nn::Sequential({block(4), block(4)})}, {"head", nn::Linear(36, 3)}},
                    [](const nn::Self& self, nn::Tensor x) {
                      const nn::Tensor h = self("blocks", self("stem", x)) * self.parameter("scale");
                      return nn::call("torch.softmax", {self("head", h.flatten(1))}, {{"dim", -1}});
                    });
}

std::string error(const nn::Module& m, const std::string& file = "net.pth") {
  auto model = load(kFolder + file, m);
  return model ? "" : model.error().message();
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::vector<Tensor> arrays(const std::string& file, const std::string& key) {
  auto bytes = read_file(kFolder + file);
  REQUIRE(bytes);
  auto all = read_npz(*bytes);
  REQUIRE(all);
  for (const auto& [name, tensor] : *all) {
    if (name == key) return {tensor};
  }
  FAIL("no array " << key);
  return {};
}

}  // namespace

TEST_CASE("nn: a network gives the same graph and the same bits as its printed tree and forwards") {
  auto built = load(kFolder + "net.pth", net());
  REQUIRE_MESSAGE(built, (built ? "" : built.error().message()));
  LoadOptions options;
  options.architecture = text_of_file("net.txt");
  options.architecture_name = "net.txt";
  auto printed = load(kFolder + "net.pth", options);
  REQUIRE_MESSAGE(printed, (printed ? "" : printed.error().message()));
  CHECK(built->text() == printed->text());
  const Array x = to_array(arrays("net.npz", "in_x")[0]), expected = to_array(arrays("net.npz", "out_output")[0]);
  auto a = built->evaluate(std::span(&x, 1)), b = printed->evaluate(std::span(&x, 1));
  REQUIRE(a);
  REQUIRE(b);
  CHECK((*a)[0].bytes == (*b)[0].bytes);
  REQUIRE((*a)[0].dims == expected.dims);
  for (size_t i = 0; i < expected.bytes.size() / 4; ++i) {
    CHECK(reinterpret_cast<const float*>((*a)[0].bytes.data())[i] ==
          doctest::Approx(reinterpret_cast<const float*>(expected.bytes.data())[i]).epsilon(1e-4));
  }
}

TEST_CASE("nn: prefixes, keys and bytes in memory work as with an architecture in text") {
  auto parallel = load(kFolder + "parallel.pth", net());
  REQUIRE_MESSAGE(parallel, (parallel ? "" : parallel.error().message()));
  CHECK(parallel->notes() == std::vector<std::string>{"weights matched with the prefix module. taken off (17 names)",
                                                      "input x is taken to be f32[batch,1,x_2,x_3], as the first layer has it"});
  LoadOptions told;
  told.inputs = {{"", DType::none, {"batch", "1", "8", "8"}}};
  auto with_shape = load(kFolder + "net.pth", net(), told);
  REQUIRE_MESSAGE(with_shape, (with_shape ? "" : with_shape.error().message()));
  CHECK(with_shape->notes().empty());
  CHECK(with_shape->inputs()[0].shape == std::vector<std::string>{"batch", "1", "8", "8"});
  CHECK(load(kFolder + "training.pth", net(), {.key = "ema"}));
  CHECK(has(error(net(), "training.pth"), "choose one with LoadOptions::key"));
  auto bytes = read_file(kFolder + "net.pth");
  REQUIRE(bytes);
  CHECK(load_bytes(*bytes, net()));
}

TEST_CASE("nn: text is what LoadOptions::architecture takes, with torch's names and defaults") {
  CHECK(
      nn::Sequential({nn::Conv2d(1, 8, {3, 5}, {.stride = {2, 1}, .padding = "same"}), nn::ReLU(), nn::Flatten(), nn::Linear(8, 2, {.bias = false})})
          .text() ==
      "Sequential(\n"
      "  (0): Conv2d(1, 8, kernel_size=(3, 5), stride=(2, 1), padding='same', dilation=1, groups=1, bias=True, padding_mode='zeros')\n"
      "  (1): ReLU()\n  (2): Flatten(start_dim=1, end_dim=-1)\n  (3): Linear(in_features=8, out_features=2, bias=False)\n)\n");
  CHECK(nn::module("Hardtanh", {-2, 0.5}, {{"inplace", true}}).text() == "Hardtanh(-2, 0.5, inplace=True)\n");
  CHECK(nn::MaxPool2d(2).text() == "MaxPool2d(kernel_size=2, stride=None, padding=0, ceil_mode=False)\n");
  CHECK(nn::BatchNorm1d(3).text() == "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n");
  CHECK(nn::LSTM(2, 3, {.batch_first = true}).text() == "LSTM(2, 3, num_layers=1, bias=True, batch_first=True, bidirectional=False)\n");
  CHECK(nn::TransformerEncoderLayer(8, 2, {.activation = "gelu"}).text() ==
        "TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=2048, activation='gelu', layer_norm_eps=1e-05, batch_first=False, "
        "norm_first=False, bias=True)\n");
  CHECK(nn::custom("F", {{"a", nn::Identity()}}, {{"x"}, {"ids", "i64[batch, 4]"}},
                   [](const nn::Self& self, const std::vector<nn::Tensor>& in) {
                     return nn::tuple({nn::cat({in[0], self("a", in[0])}, 1), 2 * in[1] - 0.5, in[1].at("..., :2").view({in[1].size(0), -1}),
                                       nn::call("F.pad", {in[0], {1, 2}})});
                   })
            .text() ==
        "F(\n  (a): Identity()\n)\n\nclass F:\n    def forward(self, x, ids: i64[batch, 4]):\n        v0 = self.a(x)\n        v1 = torch.cat([x, "
        "v0], dim=1)\n"
        "        v2 = 2 * ids\n        v3 = v2 - 0.5\n        v4 = ids[..., :2]\n        v5 = ids.size(0)\n        v6 = v4.view(v5, -1)\n        v7 "
        "= F.pad(x, (1, 2))\n"
        "        v8 = (v1, v3, v6, v7)\n        return v8\n");
}

TEST_CASE("nn: constants stand where they are used") {
  const std::string text = nn::custom("F", {}, [](const nn::Self&, nn::Tensor x) { return x + nn::call("torch.arange", {4}).view({2, 2}); }).text();
  CHECK(has(text, "        v0 = x + torch.arange(4).view(2, 2)\n        return v0\n"));
}

TEST_CASE("nn: one class with two forwards is two classes, with one forward is one") {
  auto scaled = [](double by) { return nn::custom("Scale", {}, [by](const nn::Self&, nn::Tensor x) { return x * by; }); };
  const std::string text = nn::Sequential({scaled(2), scaled(3), scaled(2)}).text();
  CHECK(has(text, "(0): Scale()\n  (1): Scale_2()\n  (2): Scale()\n"));
  CHECK(has(text, "class Scale:\n    def forward(self, x):\n        v0 = x * 2.0\n"));
  CHECK(has(text, "class Scale_2:\n    def forward(self, x):\n        v0 = x * 3.0\n"));
  CHECK(text.find("class Scale:") == text.rfind("class Scale:"));
}

TEST_CASE("nn: what is wrong is told by load, in one line") {
  CHECK(has(error(nn::module("Conv2d\n", {1})), "is no name of a class"));
  CHECK(has(error(nn::Sequential({{"a b", nn::ReLU()}})), "'a b' is no name of a child of Sequential"));
  CHECK(has(error(nn::custom("Net", {}, [](const nn::Self&, nn::Tensor x) { return x.at("0]\nimport os"); })), "is no index"));
  CHECK(has(error(nn::custom("Net", {}, [](const nn::Self&, nn::Tensor x) { return x.method("view)", {}); })), "is no method"));
  CHECK(has(error(nn::custom("Net", {}, [](const nn::Self& self, nn::Tensor x) { return self("a(", x); })), "is no name of a child"));
  CHECK(has(error(nn::custom("Net", {}, {{"x", "f32[1]):\n"}}, [](const nn::Self&, const std::vector<nn::Tensor>& in) { return in[0]; })),
            "is no input"));
  auto unknown = load(kFolder + "net.pth", nn::custom("Net", {}, [](const nn::Self&, nn::Tensor x) { return nn::call("torch.no_such_thing", {x}); }),
                      {.strict = false});
  REQUIRE(!unknown);
  CHECK(has(unknown.error().message(), "no_such_thing"));
  nn::Tensor kept = [] {
    std::vector<nn::Tensor> out;
    nn::custom("A", {}, [&](const nn::Self&, nn::Tensor x) {
      out.push_back(x);
      return x;
    });
    return out[0];
  }();
  CHECK(has(error(nn::custom("B", {}, [&](const nn::Self&, nn::Tensor x) { return x + kept; })), "B: a tensor of another forward is used"));
  CHECK(has(error(nn::Sequential({nn::Linear(2, 2)})),
            "Error(s) in loading state_dict for Sequential: Missing key(s) in state_dict: \"0.weight\", \"0.bias\"."));
}

}  // namespace in_torch_builder
