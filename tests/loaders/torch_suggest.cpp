// Drafts of architectures from names and shapes of weights.
#include <doctest/doctest.h>

#include "loaders/torch/suggest/suggest.h"

using namespace tern;
using namespace tern::torch;

namespace in_torch_suggest {
namespace {

using Sizes = std::vector<int64_t>;
using Names = std::vector<std::pair<std::string, Sizes>>;

StateDict dict(const Names& names, const std::vector<std::string>& modules = {}) {
  StateDict d;
  for (const auto& [name, sizes] : names) {
    StoredTensor t;
    t.dtype = DType::f32;
    t.sizes = sizes;
    d.entries.push_back({name, t});
  }
  for (const std::string& m : modules) d.modules.emplace_back(m, 1);
  return d;
}

// The draft without its comment lines.
std::string draft(const StateDict& d) {
  auto text = suggest_architecture(d, "net.pth");
  if (!text) return "error: " + text.error().message();
  std::string out;
  for (size_t at = 0; at < text->size();) {
    const size_t end = text->find('\n', at) + 1;
    const std::string line = text->substr(at, end - at);
    if (line[0] != '#') out += line;
    at = end;
  }
  return out;
}
std::string one(const Names& names) { return draft(dict(names)); }

Names block(const std::string& path, int64_t n) {
  return {{path + "conv1.weight", {n, n, 3, 3}}, {path + "bn1.weight", {n}},      {path + "bn1.bias", {n}},
          {path + "bn1.running_mean", {n}},      {path + "bn1.running_var", {n}}, {path + "conv2.weight", {n, n, 3, 3}}};
}
void append(Names& to, const Names& from) { to.insert(to.end(), from.begin(), from.end()); }

Names encoder_layer(const std::string& p) {
  Names out = {{p + "self_attn.in_proj_weight", {48, 16}},
               {p + "self_attn.in_proj_bias", {48}},
               {p + "self_attn.out_proj.weight", {16, 16}},
               {p + "self_attn.out_proj.bias", {16}},
               {p + "linear1.weight", {32, 16}},
               {p + "linear1.bias", {32}},
               {p + "linear2.weight", {16, 32}},
               {p + "linear2.bias", {16}}};
  for (const char* norm : {"norm1", "norm2"}) append(out, {{p + norm + ".weight", {16}}, {p + norm + ".bias", {16}}});
  return out;
}

}  // namespace

TEST_CASE("suggest: numbers without weights are modules without weights") {
  CHECK(one({{"0.weight", {8, 4}}, {"0.bias", {8}}, {"2.weight", {2, 8}}}) ==
        "Sequential(\n  (0): Linear(in_features=4, out_features=8, bias=True)\n  (1): ?()\n  (2): Linear(in_features=8, out_features=2, "
        "bias=False)\n)\n");
  // _metadata also knows those behind the last weights, and what has no number
  CHECK(draft(dict({{"fc.weight", {8, 4}}, {"fc.bias", {8}}}, {"", "fc", "act"})) ==
        "Net(\n  (fc): Linear(in_features=4, out_features=8, bias=True)\n  (act): ?()\n)\n\nclass Net:\n    def forward(self, x):\n        # "
        "modules: self.fc, self.act\n        ?\n");
  // in the order of the numbers, whatever the file's
  CHECK(one({{"10.weight", {2, 8}}, {"9.weight", {8, 4}}})
            .find("(9): Linear(in_features=4, out_features=8, bias=False)\n  (10): Linear(in_features=8") != std::string::npos);
}

TEST_CASE("suggest: layers by the shapes of their weights") {
  CHECK(one({{"weight", {3, 4}}, {"bias", {3}}}) == "Linear(in_features=4, out_features=3, bias=True)\n");
  CHECK(one({{"weight", {8, 3, 5, 3}}, {"bias", {8}}}) == "Conv2d(3, 8, kernel_size=(5, 3), stride=?, padding=?)\n");
  CHECK(one({{"weight", {8, 3, 1}}}) == "Conv1d(3, 8, kernel_size=(1,), stride=?, bias=False)\n");
  CHECK(one({{"weight", {8, 3, 2, 2, 2}}, {"bias", {3}}}) == "ConvTranspose3d(8, 3, kernel_size=(2, 2, 2), stride=?, padding=?, output_padding=?)\n");
  CHECK(one({{"weight", {8, 3, 2, 2}}, {"bias", {6}}}) ==
        "ConvTranspose2d(8, 6, kernel_size=(2, 2), stride=?, padding=?, output_padding=?, groups=2)\n");
  CHECK(one({{"running_mean", {4}}, {"running_var", {4}}}) ==
        "BatchNorm1d(4, eps=1e-05, momentum=0.1, affine=False, track_running_stats=True)  # or BatchNorm of other dimensions\n");
  CHECK(one({{"weight", {3, 6}}, {"bias", {3, 6}}}) == "LayerNorm((3, 6), eps=1e-05, elementwise_affine=True)\n");
  CHECK(one({{"weight", {6}}, {"bias", {6}}}) == "LayerNorm((6,), eps=1e-05, elementwise_affine=True)\n");
  CHECK(one({{"weight", {1}}}) == "PReLU(num_parameters=1)\n");
  CHECK(one({{"weight_ih_l0", {24, 5}}, {"weight_hh_l0", {24, 6}}}) == "LSTM(5, 6, bias=False, batch_first=?)\n");
  CHECK(one({{"weight_ih_l0", {18, 5}},
             {"weight_hh_l0", {18, 6}},
             {"bias_ih_l0", {18}},
             {"bias_hh_l0", {18}},
             {"weight_ih_l1", {18, 6}},
             {"weight_hh_l1", {18, 6}}}) == "GRU(5, 6, num_layers=2, batch_first=?)\n");
  CHECK(one({{"weight_ih_l0", {6, 5}}, {"weight_hh_l0", {6, 6}}, {"bias_ih_l0", {6}}, {"weight_ih_l0_reverse", {6, 5}}}) ==
        "RNN(5, 6, batch_first=?, bidirectional=True, nonlinearity=?)\n");
  CHECK(one({{"weight_ih_l0", {24, 5}}, {"weight_hh_l0", {24, 3}}, {"weight_hr_l0", {3, 6}}, {"bias_ih_l0", {24}}}) ==
        "LSTM(5, 6, proj_size=3, batch_first=?)\n");
  CHECK(one({{"weight_ih", {18, 5}}, {"weight_hh", {18, 6}}, {"bias_ih", {18}}}) == "GRUCell(5, 6)\n");
  CHECK(one({{"in_proj_weight", {48, 16}}, {"out_proj.weight", {16, 16}}}) ==
        "MultiheadAttention(embed_dim=16, num_heads=?, bias=False, batch_first=?)\n");
  CHECK(one({{"q_proj_weight", {16, 16}},
             {"k_proj_weight", {16, 8}},
             {"v_proj_weight", {16, 4}},
             {"in_proj_bias", {48}},
             {"out_proj.weight", {16, 16}}}) == "MultiheadAttention(embed_dim=16, num_heads=?, kdim=8, vdim=4, batch_first=?)\n");
}

TEST_CASE("suggest: neighbours say what shapes alone do not") {
  const std::string cnn = one({{"0.weight", {8, 3, 3, 3}},
                               {"1.running_mean", {8}},
                               {"1.running_var", {8}},
                               {"2.weight", {8, 1, 3, 3}},
                               {"3.weight", {8}},
                               {"3.bias", {8}},
                               {"4.weight", {4, 8}},
                               {"4.bias", {4}},
                               {"5.running_mean", {4}},
                               {"5.running_var", {4}}});
  CHECK(cnn.find("(1): BatchNorm2d(8,") != std::string::npos);
  CHECK(cnn.find("(2): Conv2d(8, 8, kernel_size=(3, 3), stride=?, padding=?, groups=8, bias=False)") != std::string::npos);
  CHECK(cnn.find("(3): GroupNorm(?, 8, eps=1e-05, affine=True)") != std::string::npos);
  CHECK(cnn.find("(5): BatchNorm1d(4,") != std::string::npos);
  const std::string text = one({{"0.weight", {100, 16}}, {"1.weight_ih_l0", {32, 16}}, {"1.weight_hh_l0", {32, 8}}, {"2.weight", {5, 8}}});
  CHECK(text.find("(0): Embedding(100, 16)") != std::string::npos);
  CHECK(text.find("(2): Linear(in_features=8, out_features=5, bias=False)") != std::string::npos);
  CHECK(one({{"tok_emb.weight", {100, 16}}}).find("(tok_emb): Embedding(100, 16)") != std::string::npos);
}

TEST_CASE("suggest: weights that weight_norm and the like split are one") {
  for (const Names& names :
       {Names{{"weight_g", {6, 1, 1}}, {"weight_v", {6, 4, 3}}, {"bias", {6}}},
        Names{{"bias", {6}}, {"weight_orig", {6, 4, 3}}, {"weight_u", {6}}, {"weight_v", {12}}},
        Names{{"bias", {6}}, {"parametrizations.weight.original0", {6, 1, 1}}, {"parametrizations.weight.original1", {6, 4, 3}}}}) {
    CHECK(one(names).starts_with("Conv1d(4, 6, kernel_size=(3,), stride=?, padding=?)  # "));
  }
}

TEST_CASE("suggest: transformers are layers by the names of their parts") {
  Names names = encoder_layer("layers.0.");
  append(names, encoder_layer("layers.1."));
  append(names, encoder_layer("layers.2."));
  append(names, {{"norm.weight", {16}}, {"norm.bias", {16}}});
  CHECK(one(names) ==
        "TransformerEncoder(\n  (layers): ModuleList(\n    (0-2): 3 x TransformerEncoderLayer(d_model=16, nhead=?, dim_feedforward=32, activation=?, "
        "batch_first=?, norm_first=?)\n  )\n"
        "  (norm): LayerNorm((16,), eps=1e-05, elementwise_affine=True)\n)\n");
}

TEST_CASE("suggest: equal parts are of one class, of which one forward is enough") {
  Names names = {{"scale", {2, 3}}};
  for (int i = 0; i < 3; ++i) append(names, block("a." + std::to_string(i) + ".", 8));
  append(names, block("b.0.", 16));
  append(names, {{"b.0.down.weight", {16, 8, 1, 1}}});
  const std::string text = one(names);
  CHECK(text.find("    (0-2): 3 x Block(\n      (conv1): Conv2d(8, 8,") != std::string::npos);
  CHECK(text.find("(b): Sequential(\n    (0): Block(\n") != std::string::npos);
  CHECK(text.find("(down): Conv2d(8, 16, kernel_size=(1, 1), stride=?, bias=False)") == std::string::npos);
  CHECK(text.ends_with(
      "class Block:\n    def forward(self, x):\n        # modules: self.conv1, self.bn1, self.conv2, self.down\n        ?\n\n"
      "class Net:\n    def forward(self, x):\n        # modules: self.a, self.b\n        # parameters: self.scale [2, 3]\n        ?\n"));
}

TEST_CASE("suggest: a wrapper's prefix is left out, and comments say so and what each ? is for") {
  auto text = suggest_architecture(
      dict({{"module.0.weight", {4, 3, 3, 3}}, {"module.2.weight", {4, 4, 3, 3}}}, {"", "module", "module.0", "module.1", "module.2"}), "a\nb.pth");
  REQUIRE(text);
  CHECK(text->starts_with("# A first draft from the names and shapes of a_b.pth."));
  CHECK(text->find("# The prefix module. of all names is left out here") != std::string::npos);
  CHECK(text->find("\nSequential(\n  (0): Conv2d(3, 4") != std::string::npos);
  CHECK(text->find("#   ?()  a module without weights") != std::string::npos);
  CHECK(text->find("#   stride=?  of a convolution") != std::string::npos);
  CHECK(text->find("#   padding=?  of a convolution") != std::string::npos);
  CHECK(text->find("nhead") == std::string::npos);
  CHECK(text->find("output_padding") == std::string::npos);
}

TEST_CASE("suggest: names that no modules have are refused or harmless") {
  CHECK(one({}) == "error: it holds no weights to suggest an architecture from");
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "a.";
  CHECK(one({{deep + "weight", {1}}}).starts_with("error: its names nest more than 100 deep"));
  CHECK(one({{"a..b.weight", {2, 2}}, {"", {1}}, {".", {1}}, {"99999999.x", {2}}, {"0.x", {2}}, {"a\n)", {}}}).find('\n') != std::string::npos);
  CHECK(one({{"0.weight", {2, 2}}, {"999999.weight", {2, 2}}}).size() < 1000);
}

}  // namespace in_torch_suggest
