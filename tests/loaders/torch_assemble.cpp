// From trees to graphs: inputs and their types, names of outputs, split and tied weights, custom classes, and what is refused.
// Code: loaders/torch/nn: assemble, net, weights, parametrize.
#include "kernels/dtype_code.h"
#include "kernels/evaluate.h"
#include "loaders/torch/arch/parse.h"
#include "loaders/torch/nn/layers.h"
#include "loaders/torch/state_dict/bind.h"
#include "tests/support/torch_layers.h"

namespace tern::test::in_torch_assemble {
namespace {

using torch::Expected;

torch::Architecture parse(const std::string& text) {
  auto arch = torch::parse_architecture(text, "net.txt");
  REQUIRE_MESSAGE(arch.ok(), (arch.ok() ? "" : arch.error().message()));
  if (arch->root) REQUIRE(torch::complete(*arch->root).ok());
  return std::move(*arch);
}

// A weight of zeros for everything that the tree expects and knows the shape of.
StateDict zeros(const torch::Architecture& arch) {
  StateDict out;
  auto expected = torch::expected_state(*arch.root, arch.program.get());
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? "" : expected.error().message()));
  for (const Expected& e : *expected) {
    if (!e.shape) continue;
    StoredTensor t;
    t.dtype = DType::f32;
    t.dtype_name = "f32";
    t.element_size = 4;
    t.sizes = *e.shape;
    int64_t count = 1;
    t.strides.resize(t.sizes.size());
    for (size_t i = t.sizes.size(); i-- > 0; count *= t.sizes[i]) t.strides[i] = count;
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(count) * 4);
    auto storage = std::make_shared<Storage>();
    storage->bytes = *bytes;
    storage->owner = bytes;
    t.storage = storage;
    out.entries.push_back({e.name, t});
  }
  return out;
}

Result<Graph> build(const std::string& text, const LoadOptions& options = {}) {
  const torch::Architecture arch = parse(text);
  return torch::assemble(*arch.root, arch.program.get(), zeros(arch), options, "pytorch");
}

std::string inputs(const std::string& text, const LoadOptions& options = {}) {
  auto g = build(text, options);
  if (!g) return g.error().message();
  std::string s;
  for (ValueId v : g->inputs) s += g->value(v).name + ": " + name(g->value(v).type.dtype) + g->value(v).type.shape.text() + " ";
  return s.substr(0, s.size() - 1);
}

std::string outputs(const std::string& text) {
  auto g = build(text);
  if (!g) return g.error().message();
  std::string s;
  for (const std::string& n : g->output_names) s += (s.empty() ? "" : " ") + n;
  return s;
}

}  // namespace

TEST_CASE("torch assemble: the first layer tells what the input is") {
  CHECK(inputs("Linear(5, 3)") == "input: f32[batch,5]");
  CHECK(inputs("Sequential(Identity(), Dropout(0.1), Conv2d(3, 8, 3), ReLU())") == "input: f32[batch,3,input_2,input_3]");
  CHECK(inputs("Sequential(Embedding(10, 4), Linear(4, 2))") == "input: i64[batch,input_1]");
  CHECK(inputs("BatchNorm1d(4)") == "input: f32[batch,4]");
  CHECK(inputs("Bilinear(3, 4, 2)") == "input1: f32[batch,3] input2: f32[batch,4]");
  CHECK(inputs("RMSNorm((3, 4))") == "x: f32[batch,3,4]");
  CHECK(inputs("Net(\n  (a): Linear(5, 3)\n  (b): Conv1d(3, 2, 1)\n)\ndef forward(self, left, right):\n    return self.a(left), self.b(right)\n") ==
        "left: f32[batch,5] right: f32[batch,3,right_2]");
}

TEST_CASE("torch assemble: a chain whose input only its layers tell runs for any batch and size that fit") {
  const std::vector<LayerCase> cases = load_family("container");
  const LayerCase& c = cases.front();  // Conv2d, BatchNorm2d, ReLU, MaxPool2d, Flatten, Linear
  auto g = torch::load_whole(*c.module, nullptr, {}, "pytorch");
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  auto model = make_model(std::move(*g), {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  CHECK(model->inputs()[0].shape == std::vector<std::string>{"batch", "1", "input_2", "input_3"});
  auto session = model->session({.dims = {{"batch", 2}, {"input_2", 6}, {"input_3", 6}}});
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().message()));
  const std::span<float> x = session->input<float>("input");
  REQUIRE(x.size() == static_cast<size_t>(c.inputs[0].count()));
  std::copy_n(c.inputs[0].data<float>(), x.size(), x.begin());
  session->run();
  const std::span<const float> y = session->output<float>("output");
  REQUIRE(y.size() == static_cast<size_t>(c.outputs[0].count()));
  CHECK(close(Tensor::of<float>(c.outputs[0].dims(), y), c.outputs[0]));
}

TEST_CASE("torch assemble: options and annotations come before what layers tell") {
  const std::string net = "Net(\n  (a): Linear(5, 3)\n)\n";
  CHECK(inputs("Linear(5, 3)", {.inputs = {{"", DType::f32, {"n", "7", "5"}}}}) == "input: f32[n,7,5]");
  CHECK(inputs("Linear(5, 3)", {.inputs = {{"input", DType::none, {"2", "5"}}}}) == "input: f32[2,5]");
  CHECK(inputs("Sequential(Embedding(10, 4))", {.inputs = {{"input", DType::none, {"6"}}}}) == "input: i64[6]");
  CHECK(inputs(net + "def forward(self, x: f32[N, 2, 5]):\n    return self.a(x)\n") == "x: f32[N,2,5]");
  CHECK(inputs(net + "def forward(self, x, y=None):\n    return self.a(x)\n") == "x: f32[batch,5]");
  CHECK(inputs("Linear(5, 3)", {.inputs = {{"y", DType::f32, {"2", "5"}}}}) == "the model has no input y; its inputs are input");
  CHECK(inputs("Linear(5, 3)", {.inputs = {{"", DType::f32, {"2", "5"}}, {"", DType::f32, {"2"}}}}) ==
        "the model has no input 1; its inputs are input");
  CHECK(inputs("Linear(5, 3)", {.inputs = {{"input", DType::f32, {"2", "a b"}}}}) == "input input: 'a b' is no size");
  const std::string unknown = inputs("Sequential(Flatten(), Linear(784, 10))");
  CHECK_MESSAGE(
      unknown.find("the shape of input input is not known: write it in forward as input: f32[N, 3, 32, 32], or give it in LoadOptions::inputs") !=
          std::string::npos,
      unknown);
}

TEST_CASE("torch assemble: outputs are named by what forward returns") {
  const std::string net = "Net(\n  (a): Linear(4, 4)\n)\n";
  auto with = [&](const std::string& result) { return outputs(net + "def forward(self, x):\n    y = self.a(x)\n    return " + result + "\n"); };
  CHECK(with("y") == "output");
  CHECK(with("y, x") == "output_0 output_1");
  CHECK(with("y, [x, y], None") == "output_0 output_1_0 output_1_1");
  CHECK(with("{'logits': y, 'states': (x, y)}") == "logits states_0 states_1");
  CHECK(with("y, x.shape[0]") == "output_0 output_1");
  CHECK(with("'text'").find("output output is a string, not a tensor") != std::string::npos);
}

TEST_CASE("torch assemble: what a printed tree and its weights do not tell is refused, saying where and what to do") {
  auto error = [](const std::string& text) {
    auto g = build(text);
    return g.ok() ? "" : g.error().message();
  };
  CHECK(error("Net(\n  (block): Block(\n    (fc): Linear(4, 4)\n  )\n  (other): Block()\n)\n") ==
        "the forwards of Net, Block (block) are not known: write them in an architecture file as in Python and give it in LoadOptions::architecture");
  CHECK(error("Sequential(\n  (0): Linear(4, 4)\n  (1): Swish()\n)\n") ==
        "the forward of Swish (1) is not known: write it in an architecture file as in Python and give it in LoadOptions::architecture");
  CHECK(error("ConvAct(\n  (0): Linear(4, 4)\n  (1): ReLU()\n)\n") ==
        "the forward of ConvAct is not known: write it in an architecture file as in Python and give it in LoadOptions::architecture (a subclass of "
        "nn.Sequential is written as "
        "class ConvAct(nn.Sequential): pass)");
  CHECK(error("Sequential(\n  (0): Sequential(\n    (pool): FractionalMaxPool2d(2)\n  )\n)\n") ==
        "0.pool: FractionalMaxPool2d is not supported: its windows are random");
  CHECK(error("Sequential(Linear(4, 4), ModuleList())").find("1: ModuleList has no forward: call what it holds") == 0);
  CHECK(error("Sequential(Linear(4, 4), AdaptiveMaxPool1d(2, return_indices=True))").find("return_indices") != std::string::npos);
  CHECK(error("Sequential(Linear(4, 4), MaxPool1d())").find("1: MaxPool1d: kernel_size is missing; write MaxPool1d(kernel_size=…)") == 0);

  auto unknown = torch::parse_architecture("Sequential(Linear(4, 4, colour=3))", "net.txt");
  REQUIRE(unknown.ok());
  CHECK(torch::complete(*unknown->root).error().message() == "0: Linear: has no argument colour");
  auto many = torch::parse_architecture("Sequential(ReLU(True, 4))", "net.txt");
  REQUIRE(many.ok());
  CHECK(torch::complete(*many->root).error().message() == "0: ReLU: takes at most 1 positional arguments");
  auto groups = torch::parse_architecture("Conv1d(3, 4, 1, groups=2)", "net.txt");
  REQUIRE(groups.ok());
  CHECK(torch::expected_state(*groups->root, nullptr).error().message() == "Conv1d: in_channels and out_channels must be multiples of groups");
  auto norm = torch::parse_architecture("Embedding(3, 4, max_norm=1.0)", "net.txt");
  REQUIRE(norm.ok());
  CHECK(torch::expected_state(*norm->root, nullptr).error().code() == Code::kUnsupported);
}

TEST_CASE("torch assemble: a weight that is missing is named") {
  const torch::Architecture arch = parse("Sequential(Linear(4, 4), Linear(4, 2))");
  StateDict weights = zeros(arch);
  weights.entries.pop_back();
  auto g = torch::assemble(*arch.root, nullptr, weights, {}, "pytorch");
  REQUIRE(!g.ok());
  CHECK(g.error().message() == "1: weight 1.bias is missing");
}

TEST_CASE("torch assemble: weights of f64 and f16 decide the input's dtype") {
  const torch::Architecture arch = parse("Sequential(Dropout(), Linear(4, 2))");
  StateDict weights = zeros(arch);
  for (auto& e : weights.entries) {
    e.tensor.dtype = DType::f64;
    e.tensor.element_size = 8;
    auto storage = std::make_shared<Storage>(*e.tensor.storage);
    auto bytes = std::make_shared<std::vector<std::byte>>(2 * storage->bytes.size());
    storage->bytes = *bytes;
    storage->owner = bytes;
    e.tensor.storage = storage;
  }
  auto g = torch::assemble(*arch.root, nullptr, weights, {}, "pytorch");
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  CHECK(g->value(g->inputs[0]).type.dtype == DType::f64);
}

TEST_CASE("torch assemble: tied weights and shared modules are one constant") {
  for (const LayerCase& c : load_family("container")) {
    if (c.name != "container.c2" && c.name != "container.c3") continue;  // the same Linear twice; two with one weight
    auto g = torch::load_whole(*c.module, nullptr, options_for(c), "pytorch");
    REQUIRE(g.ok());
    int matrices = 0;
    for (const Value& v : g->values) matrices += v.constant.present() && v.constant.dims().rank == 2;
    CHECK(matrices == 1);
  }
}

TEST_CASE("torch assemble: split weights of state_dicts are folded, hooks and parametrizations") {
  const std::string stem = std::string(TERN_TEST_DATA) + "/torch/nn/split";
  auto source = map_file(stem + ".pt");
  auto bytes = read_file(stem + ".npz");
  REQUIRE(source.ok());
  REQUIRE(bytes.ok());
  auto file = torch::Checkpoint::open(*source);
  auto arrays = read_npz(*bytes);
  REQUIRE(file.ok());
  REQUIRE(arrays.ok());
  const std::map<std::string, Tensor> by_name(arrays->begin(), arrays->end());
  for (const std::string key : {"s0", "s1", "s2"}) {
    auto candidate = file->select(key);
    REQUIRE(candidate.ok());
    auto dict = file->state_dict(*candidate);
    REQUIRE(dict.ok());
    const Tensor& text = by_name.at(key + ".repr");
    const torch::Architecture arch = parse(std::string(reinterpret_cast<const char*>(text.raw()), text.bytes()));
    auto expected = torch::expected_state(*arch.root, nullptr);
    REQUIRE(expected.ok());
    if (key != "s2") {  // hooks are not printed
      std::string names;
      for (const Expected& e : *expected) names += e.name + "\n";
      const Tensor& keys = by_name.at(key + ".keys");
      CHECK(names == std::string(reinterpret_cast<const char*>(keys.raw()), keys.bytes()));
    }
    auto bound = torch::bind_weights(*dict, *arch.root, *expected, true);
    REQUIRE_MESSAGE(bound.ok(), key << ": " << (bound.ok() ? "" : bound.error().message()));
    LayerCase c{"split." + key, "", "", "", nullptr, {by_name.at(key + ".in0")}, {by_name.at(key + ".out0")}};
    auto g = torch::assemble(*arch.root, nullptr, bound->weights, options_for(c), "pytorch");
    REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
    check_outputs(std::move(*g), c, "split");
  }
}

TEST_CASE("torch assemble: a subclass of Sequential, or of one of the file, calls its children in turn") {
  const std::string inside = "(\n    (0): Linear(3, 4)\n    (1): ReLU()\n  )\n)\n";
  const std::string classes = "class Base(torch.nn.Sequential):\n    'Several layers.'\nclass ConvAct(Base): pass\n";
  auto chain = build("Sequential(\n  (0): ConvAct" + inside + classes), plain = build("Sequential(\n  (0): Sequential" + inside);
  REQUIRE_MESSAGE(chain.ok(), (chain.ok() ? "" : chain.error().message()));
  REQUIRE(plain.ok());
  CHECK(chain->nodes.size() == 2);
  CHECK(to_text(*chain) == to_text(*plain));
}

TEST_CASE("torch assemble: a subclass of a layer has that layer's options and weights") {
  const std::string cls =
      "class Scaled(nn.LayerNorm):\n    def forward(self, x):\n"
      "        torch._assert(x.dim() == 2, f'{x.shape} is no matrix')\n"
      "        return F.layer_norm(x, self.normalized_shape, None, None, self.eps)\n";
  auto sub = build("Scaled((4,), eps=0.25)\n" + cls, {.inputs = {{"x", DType::f32, {"2", "4"}}}});
  auto plain = build("LayerNorm((4,), eps=0.25, elementwise_affine=False)", {.inputs = {{"", DType::f32, {"2", "4"}}}});
  REQUIRE_MESSAGE(sub.ok(), (sub.ok() ? "" : sub.error().message()));
  REQUIRE(plain.ok());
  REQUIRE(sub->nodes.size() == 1);
  CHECK(sub->nodes[0].attrs.f("epsilon", 0) == 0.25f);
  CHECK(sub->nodes[0].attrs == plain->nodes[0].attrs);
}

TEST_CASE("torch assemble: as many bags as offsets, whatever the number of indices") {
  CHECK(inputs("EmbeddingBag(10, 4)", {.inputs = {}}) == "input: i64[batch,input_1]");
  const std::string text = "Net(\n  (bag): EmbeddingBag(10, 4)\n)\ndef forward(self, ids, offsets):\n    return self.bag(ids, offsets)\n";
  CHECK(inputs(text) == "ids: i64[ids_0] offsets: i64[offsets_0]");
  auto g = build(text);
  REQUIRE(g.ok());
  CHECK(g->value(g->outputs[0]).type.shape.text() == "[offsets_0,4]");
}

TEST_CASE("torch assemble: a whole module of the user's class runs with his forwards") {
  const std::string stem = std::string(TERN_TEST_DATA) + "/torch/nn/custom";
  auto source = map_file(stem + ".pt");
  auto bytes = read_file(stem + ".npz");
  REQUIRE(source.ok());
  REQUIRE(bytes.ok());
  auto file = torch::Checkpoint::open(*source);
  auto arrays = read_npz(*bytes);
  REQUIRE(file.ok());
  REQUIRE(arrays.ok());
  std::map<std::string, Tensor> by_name(arrays->begin(), arrays->end());
  auto root = file->module(file->root());
  REQUIRE(root.ok());
  auto alone = torch::load_whole(**root, nullptr, {}, "pytorch");
  REQUIRE(!alone.ok());
  CHECK(alone.error().code() == Code::kUnsupported);
  CHECK(alone.error().message() ==
        "the forwards of Net, Block (block) are not known: write them in an architecture file as in Python and give it in LoadOptions::architecture");
  const torch::Architecture arch = parse(
      "class Block:\n    def forward(self, x):\n        return torch.relu(self.fc(x)) * self.scale + self.shift\n"
      "class Net:\n    def forward(self, x):\n        h = self.block(x)\n        return {'logits': self.head(h), 'states': (x, [h])}\n");
  arch.program->tell_layers(**root);
  auto g = torch::load_whole(**root, arch.program.get(), {}, "pytorch");
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  CHECK(g->output_names == std::vector<std::string>{"logits", "states_0", "states_1_0"});
  LayerCase c{"custom", "", "", "", nullptr, {by_name.at("x")}, {by_name.at("logits"), by_name.at("x"), by_name.at("states")}};
  check_outputs(std::move(*g), c, "whole");
}

// What a tree with classes builds, and what a tree of torch.nn's own does; the conversions of names between them aside.
std::string text_of(const std::string& text, const LoadOptions& options = {}) {
  auto g = build(text, options);
  return g ? to_text(*g) : g.error().message();
}

TEST_CASE("torch assemble: a class that extends a layer is that layer, however it calls it") {
  const std::string conv = "(1, 4, kernel_size=(3,), stride=(1,), padding=(1,))", head = "Sequential(\n  (0): My" + conv + "\n  (1): ReLU()\n)\n";
  const std::string plain = text_of("Sequential(\n  (0): Conv1d" + conv + "\n  (1): ReLU()\n)\n");
  const std::string def = "    def forward(self, x):\n        return ";
  for (const std::string classes : {
           "class My(nn.Conv1d): pass\n",
           "class My(torch.nn.Conv1d):\n    'Nothing new.'\n",
           "class Base(nn.Conv1d):\n    pass\nclass My(Base):\n    pass\n",
           "class Mixin:\n    def double(self, x):\n        return x\nclass My(Mixin, nn.Conv1d):\n    pass\n",
       }) {
    CHECK_MESSAGE(text_of(head + classes) == plain, classes);
  }
  for (const std::string result :
       {"super().forward(x)", "super(My, self).forward(x)", "nn.Conv1d.forward(self, x)", "torch.nn.Conv1d.forward(self, x)",
        "F.conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)"}) {
    CHECK_MESSAGE(text_of(head + "class My(nn.Conv1d):\n" + def + result + "\n", {.inputs = {{"", DType::f32, {"batch", "1", "input_2"}}}}) == plain,
                  result);
  }
  CHECK(text_of(head + "class Base(nn.Conv1d):\n" + def +
                "super().forward(self.same(x))\n    def same(self, x):\n        return x\nclass My(Base):\n" + def + "super().forward(x)\n") ==
        plain);
  CHECK(text_of(head + "class Base(nn.Conv1d):\n" + def + "super().forward(x)\nclass My(Base):\n" + def + "Base.forward(self, x)\n") == plain);
  const std::string norm = text_of("Linear(4, 2)", {.inputs = {{"input", DType::f32, {"batch", "4"}}}});
  CHECK(text_of("Linear(4, 2)\nclass Linear(nn.Linear):\n    def forward(self, input):\n        return super().forward(input)\n") == norm);
  // its own weights beside the layer's, and a class above that has no such method
  CHECK(inputs("My" + conv + "\nclass My(nn.Conv1d):\n" + def + "super().forward(x) * self.gain\n").find("self.gain") != std::string::npos);
  CHECK(inputs("My" + conv + "\nclass My(nn.Conv1d):\n" + def + "super().rate(x)\n").find("no class above My has a rate that is known") !=
        std::string::npos);
}

TEST_CASE("torch assemble: what a forward does before its layer tells the input too") {
  const std::string my = "(1, 4, kernel_size=(3,), padding=(1,))\nclass My(nn.Conv1d):\n    def forward(self, x):\n        return super().forward(",
                    norm = "((8,))\nclass My(nn.LayerNorm):\n    def forward(self, x):\n        ";
  CHECK(inputs("My" + my + "x)\n") == "x: f32[batch,1,x_2]");
  CHECK(inputs("My" + my + "x.unsqueeze(-2))\n") == "x: f32[batch,x_1]");
  CHECK(inputs("My" + my + "x.transpose(1, 2))\n") == "x: f32[batch,x_1,1]");
  CHECK(inputs("My" + norm + "return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)\n") == "x: f32[batch,8,x_2,x_3]");
}

TEST_CASE("torch assemble: attributes that __init__ sets in branches") {
  const std::string tree = "Net(\n  (a): Linear(4, 4)\n)\nclass Net(nn.Module):\n    def __init__(self, dim, norm_layer=None, bias=True):\n";
  const std::string forward = "    def forward(self, x: f32[N, 4]):\n        x = self.a(x)\n        return x if self.v is None else x + self.v\n";
  const std::string without = text_of("Net(\n  (a): Linear(4, 4)\n)\ndef forward(self, x: f32[N, 4]):\n    return self.a(x)\n");
  for (const std::string init : {
           "        if bias:\n            self.v = Attention(dim)\n        else:\n            self.v = None\n",
           "        self.v = None\n        if bias:\n            self.v = nn.Linear(dim, dim)\n",
           "        self.v = norm_layer(dim) if norm_layer else None\n",
           "        self.v: Optional[nn.Module] = None\n",
           "        self.w = self.v = None\n",
           "        if bias:\n            self.v = nn.Parameter(torch.zeros(dim))\n        else:\n            self.register_parameter('v', None)\n",
           "        self.register_buffer(\"v\", None)\n",
       }) {
    CHECK_MESSAGE(text_of(tree + init + forward) == without, init);
  }
  for (const std::string init : {"        self.v = 2.5\n        if bias:\n            self.v = None\n",
                                 "        if bias:\n            self.v = scale(dim)\n        else:\n            self.v = None\n",
                                 "        if bias:\n            self.v = 1\n        else:\n            self.v = 2\n"}) {
    CHECK_MESSAGE(text_of(tree + init + forward).find("self.v: Net has no module, weight or attribute of that name") != std::string::npos, init);
  }
}

TEST_CASE("torch assemble: a state_dict of other dtypes is copied into the module's") {
  const std::string net = "Sequential(\n  (0): Linear(4, 2)\n  (1): BatchNorm1d(2)\n)\n";
  const torch::Architecture arch = parse(net);
  auto expected = torch::expected_state(*arch.root, arch.program.get());
  REQUIRE(expected.ok());
  // 1.5 and 0 as f16, bf16, f64 and i64; every third tensor of the file has another dtype.
  auto stored = [](const StoredTensor& like, DType dtype, bool whole) {
    StoredTensor t = like;
    t.dtype = dtype;
    t.dtype_name = name(dtype);
    t.element_size = static_cast<int64_t>(size_of(dtype));
    auto made = Tensor::allocate(DType::f32, Dims(std::span<const int64_t>(t.sizes)));
    std::fill_n(made->mutable_data<float>(), made->count(), whole ? 3.0f : 1.5f);
    Attributes to;
    to.set("to", int64_t(code_of(dtype)));
    auto cast = evaluate(*find_op("Cast"), to, {&*made, 1}, 1, {});
    REQUIRE(cast.ok());
    auto bytes = std::make_shared<std::vector<std::byte>>((*cast)[0].raw(), (*cast)[0].raw() + (*cast)[0].bytes());
    auto storage = std::make_shared<Storage>();
    storage->bytes = *bytes;
    storage->owner = bytes;
    t.storage = storage;
    return t;
  };
  const DType kinds[] = {DType::f16, DType::bf16, DType::f64, DType::i64, DType::f32};
  for (size_t first = 0; first < std::size(kinds); ++first) {
    StateDict file = zeros(arch);
    size_t at = first;
    for (auto& e : file.entries) {
      const DType dtype = e.name.ends_with("num_batches_tracked") ? DType::i64 : kinds[at++ % std::size(kinds)];
      e.tensor = stored(e.tensor, dtype, dtype == DType::i64);
    }
    auto bound = torch::bind_weights(file, *arch.root, *expected, true);
    REQUIRE_MESSAGE(bound.ok(), (bound.ok() ? "" : bound.error().message()));
    auto g = torch::assemble(*arch.root, arch.program.get(), bound->weights, {}, "pytorch");
    REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
    CHECK(g->value(g->inputs[0]).type.dtype == DType::f32);
    for (const auto& e : file.entries) {
      auto v = std::find_if(g->values.begin(), g->values.end(), [&](const Value& value) { return value.name == e.name; });
      if (v == g->values.end()) continue;  // the count of batches
      REQUIRE(v->constant.dtype() == DType::f32);
      CHECK(v->constant.data<float>()[0] == (e.tensor.dtype == DType::i64 ? 3.0f : 1.5f));
    }
    CHECK(bound->weights.find("1.num_batches_tracked")->used_as() == DType::i64);
  }
  // a forward that computes in f16, and an input that is declared so
  StateDict half = zeros(parse("Net(\n  (a): Linear(4, 2)\n)\n"));
  for (auto& e : half.entries) e.tensor = stored(e.tensor, DType::f16, false);
  auto dtype_of_output = [&](const std::string& text, DType module) {
    const torch::Architecture a = parse(text);
    auto wanted = torch::expected_state(*a.root, a.program.get());
    auto bound = torch::bind_weights(half, *a.root, *wanted, true, module);
    REQUIRE(bound.ok());
    auto g = torch::assemble(*a.root, a.program.get(), bound->weights, {}, "pytorch");
    return g ? std::string(name(g->value(g->outputs[0]).type.dtype)) : g.error().message();
  };
  const std::string tree = "Net(\n  (a): Linear(4, 2)\n)\n";
  CHECK(dtype_of_output(tree + "def forward(self, x: f32[N, 4]):\n    return self.a(x)\n", DType::f32) == "f32");
  CHECK(dtype_of_output(tree + "def forward(self, x: f32[N, 4]):\n    return self.a(x.half())\n", DType::f32) == "f16");
  CHECK(dtype_of_output(tree + "def forward(self, x: f16[N, 4]):\n    return self.a(x) + self.a.bias\n", DType::f16) == "f16");
}

TEST_CASE("torch assemble: hooks and quantised classes are refused by name") {
  auto root = std::make_shared<torch::Module>();
  root->cls = "Linear";
  root->qualified = "torch.ao.nn.quantized.modules.linear.Linear";
  root->pickled = true;
  CHECK(torch::load_whole(*root, nullptr, {}, "pytorch").error().message() ==
        "torch.ao.nn.quantized.modules.linear.Linear is not supported: it is quantised");
  root->qualified = "torch.nn.modules.linear.Linear";
  root->refusal = "it has forward hooks, which are code";
  auto g = torch::load_whole(*root, nullptr, {}, "pytorch");
  CHECK(g.error().message() == "Linear cannot be used: it has forward hooks, which are code");
  CHECK(g.error().code() == Code::kUnsupported);
  root->qualified = "timm.layers.Linear";  // somebody's own class of that name
  root->refusal.clear();
  CHECK(torch::load_whole(*root, nullptr, {}, "pytorch").error().message().find("the forward of Linear is not known") == 0);
}

}  // namespace tern::test::in_torch_assemble
