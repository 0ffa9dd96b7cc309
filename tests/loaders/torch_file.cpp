// From a file of PyTorch to a model: which weights of a checkpoint, and trees that do or do not agree. What the command shows of it is in
// tests/tools/command.sh.
#include <doctest/doctest.h>

#include "loaders/load.h"
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/module/agree.h"
#include "loaders/torch/suggest/suggest.h"
#include "loaders/torch/weights_file.h"

using namespace tern;
using namespace tern::torch;

namespace in_torch_file {
namespace {

std::string path(const std::string& name) { return std::string(TERN_TEST_DATA) + "/torch/command/" + name; }

WeightsFile file(const std::string& name) {
  auto source = map_file(path(name));
  REQUIRE(source);
  auto f = WeightsFile::open(*source);
  REQUIRE_MESSAGE(f, (f ? "" : f.error().message()));
  return *f;
}

std::string keys(const std::string& name) {
  std::string s;
  for (const auto& c : file(name).candidates()) s += c.path + ":" + std::to_string(c.tensors) + (c.module ? ":module " : " ");
  return s;
}

std::string error_of_select(const std::string& name, std::string_view key) {
  auto weights = file(name).select(key);
  if (weights) return "";
  CHECK(weights.error().code() == Code::kUsage);
  return weights.error().message();
}

std::shared_ptr<Module> tree(const std::string& text) {
  auto arch = parse_architecture(text, "t");
  REQUIRE_MESSAGE(arch, (arch ? "" : arch.error().message()));
  return arch->root;
}

std::string difference(const std::string& file_tree, const std::string& written) {
  Status s = check_agreement(*tree(file_tree), *tree(written));
  return s ? "" : s.error().message();
}

}  // namespace

TEST_CASE("torch file: what training keeps for itself is no candidate") {
  CHECK(keys("net.pth") == ":17 ");
  CHECK(keys("mixed.pth") == ":17 ");
  CHECK(keys("lightning.ckpt") == "state_dict:17 ");
  CHECK(keys("training.pth") == "model:17 ema:17 ");
  CHECK(keys("whole.pth") == ":17:module ");
  CHECK(keys("net.safetensors") == ":17 ");
}

TEST_CASE("torch file: a key chooses, and without one a single set is taken") {
  CHECK(error_of_select("lightning.ckpt", "") == "");
  CHECK(error_of_select("training.pth", "ema") == "");
  CHECK(error_of_select("training.pth", "") ==
        "it holds several sets of weights: model (17 tensors), ema (17 tensors); choose one with LoadOptions::key");
  CHECK(error_of_select("training.pth", "optimizer") == "it holds no weights at optimizer; it has: model (17 tensors), ema (17 tensors)");
  auto model = file("training.pth").select("model"), ema = file("training.pth").select("ema");
  REQUIRE(model);
  REQUIRE(ema);
  CHECK(checksum(model->entries[0].tensor, 0).ok());
  CHECK(*checksum(model->entries[0].tensor, 0) != *checksum(ema->entries[0].tensor, 0));
}

TEST_CASE("torch file: values that are no tensors are known by name and type") {
  auto mixed = file("mixed.pth").select("");
  REQUIRE(mixed);
  CHECK(mixed->others == std::vector<std::pair<std::string, std::string>>{{"epoch", "int"}, {"date", "str"}});
}

TEST_CASE("torch file: a written tree must say what the file's tree says") {
  const std::string net =
      "Net(\n  (a): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding_mode=zeros)\n  (b): Linear(in_features=4, out_features=2, bias=True)\n)";
  CHECK(difference(net, net) == "");
  CHECK(difference(net, "Net(\n  (b): Linear(4, 2)\n  (a): Conv2d(1, 8, 3, stride=1.0, padding_mode='zeros', groups=1)\n)") == "");
  CHECK(difference(net, "Other(\n  (a): ReLU()\n)").find("the root is Other, and Net in the file") != std::string::npos);
  CHECK(difference(net, "Net(\n  (a): Conv2d(1, 8, kernel_size=(3, 5))\n  (b): Linear(4, 2)\n)")
            .find("a has kernel_size=(3, 5), and (3, 3) in the file") != std::string::npos);
  CHECK(difference(net, "Net(\n  (a): Conv2d(1, 8, 3)\n)").find("b is missing here") != std::string::npos);
  CHECK(difference(net, "Net(\n  (a): Conv2d(1, 8, 3)\n  (b): Linear(4, 2)\n  (c): ReLU()\n)").find("c is not in the file") != std::string::npos);
  CHECK(difference("Net(\n  (a): TransformerEncoderLayer(\n    (linear1): Linear(2, 2)\n  )\n)",
                   "Net(\n  (a): TransformerEncoderLayer(d_model=2, nhead=1)\n)") == "");
}

TEST_CASE("torch file: the suggestion for a whole module is its tree and the forwards that it needs") {
  auto module = file("whole.pth").module("");
  REQUIRE(module);
  const std::string text = suggest_architecture(**module, "whole.pth");
  CHECK(text.find("  (stem): Conv2d(1, 4, kernel_size=(3, 3), stride=(2, 2))\n") != std::string::npos);
  CHECK(text.find("class Block:\n    def forward(self, x):\n        # modules: self.conv, self.bn\n        ?\n") != std::string::npos);
  CHECK(text.find("# modules: self.stem, self.blocks, self.head\n        # parameters: self.scale [4, 1, 1]\n        ?\n") != std::string::npos);
  auto chain = file("chain.pth").module("");
  REQUIRE(chain);
  CHECK(suggest_architecture(**chain, "chain.pth").find("It needs no architecture") != std::string::npos);
  auto legacy = file("legacy.pth").module("");
  REQUIRE(legacy);
  CHECK(suggest_architecture(**legacy, "legacy.pth").find("return x + torch.relu(self.bn(self.conv(x)))") != std::string::npos);
}

TEST_CASE("torch file: a child that other modules of the class have is None where there is none") {
  // safetensors by hand: three 2x2 matrices
  std::string header = "{", data;
  for (const char* name : {"a.l.weight", "b.l.weight", "b.d.weight"}) {
    const size_t at = data.size();
    for (float v : {1.0f, 2.0f, 3.0f, 4.0f}) data.append(reinterpret_cast<const char*>(&v), 4);
    header += std::string(header.size() > 1 ? "," : "") + "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[" +
              std::to_string(at) + "," + std::to_string(at + 16) + "]}";
  }
  header += "}";
  const uint64_t length = header.size();
  const std::string bytes = std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
  LoadOptions options;
  options.architecture =
      "Net(\n  (a): Block(\n    (l): Linear(2, 2, bias=False)\n  )\n  (b): Block(\n    (l): Linear(2, 2, bias=False)\n    (d): Linear(2, 2, "
      "bias=False)\n  )\n)\n"
      "class Block:\n  def forward(self, x):\n    y = self.l(x)\n    if self.d is not None:\n      y = self.d(y)\n    return y\n"
      "class Net:\n  def forward(self, x):\n    return self.b(self.a(x))\n";
  auto model = load_bytes(std::as_bytes(std::span(bytes)), options);
  REQUIRE_MESSAGE(model, (model ? "" : model.error().message()));
  CHECK(model->parameters() == 12);
  options.architecture.replace(options.architecture.find("self.d is"), 9, "self.e is");
  auto typo = load_bytes(std::as_bytes(std::span(bytes)), options);
  REQUIRE(!typo);
  CHECK(typo.error().message().find("self.e") != std::string::npos);
}

}  // namespace in_torch_file
