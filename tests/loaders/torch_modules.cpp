// Whole pickled modules: the tree, its attributes and tensors, and the text that torch prints. The expected texts are torch's
// (tests/data/torch/make/modules.py). Code: loaders/torch/pickle/modules.cpp, loaders/torch/module.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "tests/support/torch_file.h"

namespace tern::test::in_torch_modules {
namespace {

using namespace std::string_literals;
using torch::Checkpoint;
using torch::Literal;
using torch::Literals;

const std::string kLinear = "torch.nn.modules.linear", kContainer = "torch.nn.modules.container";

std::shared_ptr<torch::Module> tree(const std::string& file) {  // `file` must outlive the result
  auto c = Checkpoint::open(source_of(file));
  REQUIRE_MESSAGE(c.ok(), c.error().message());
  REQUIRE(c->is_module(c->root()));
  auto m = c->module(c->root());
  REQUIRE_MESSAGE(m.ok(), m.error().message());
  return *m;
}

std::string refusal(const std::string& object) {
  const std::string file = torch_zip(object);
  auto c = Checkpoint::open(source_of(file));
  REQUIRE(c.ok());
  auto m = c->module(c->root());
  return m ? "" : m.error().message();
}

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

std::string names(const StateDict& d) {
  std::string s;
  for (const auto& e : d.entries) s += (s.empty() ? "" : " ") + e.name;
  return s;
}

std::string linear(const Named& attributes = {}) { return module(kLinear, "Linear", {{"weight", four()}, {"bias", "N"}}, {}, attributes); }

}  // namespace

TEST_CASE("modules: every class of torch.nn prints as torch prints it") {
  std::map<std::string, std::string> expected;
  std::ifstream in(TERN_TEST_DATA "/torch/modules.txt");
  std::string number;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) number = line.substr(4);
    else expected[number] += (expected[number].empty() ? "" : "\n") + line;
  }
  REQUIRE(expected.size() > 170);
  auto source = map_file(TERN_TEST_DATA "/torch/modules.pt");
  auto c = Checkpoint::open(*source);
  REQUIRE_MESSAGE(c.ok(), c.error().message());
  size_t printed = 0;
  for (const auto& [key, value] : c->pairs(c->root())) {
    auto m = c->module(value);
    REQUIRE_MESSAGE(m.ok(), m.error().message());
    CHECK(torch::print(**m) == expected[c->key_text(key)]);
    ++printed;
  }
  CHECK(printed == expected.size());
}

TEST_CASE("modules: a tree has classes, attributes, children in order, and its tensors") {
  const std::string file = torch_zip(module(
      "mine", "Net", {{"scale", four()}},
      {{"fc", linear({{"in_features", "K\4"}, {"_secret", "K\1"}})}, {"none", "N"}, {"act", module("torch.nn.modules.activation", "ReLU", {}, {})}},
      {{"depth", "K\2"}, {"name", text("x")}, {"sizes", integers({1, 2})}, {"table", dict({})}}, {{"mean", four()}}));
  const auto m = tree(file);
  CHECK(m->cls == "Net");
  CHECK(m->qualified == "mine.Net");
  CHECK(m->pickled);
  REQUIRE(m->children.size() == 2);
  CHECK(m->children[0].first == "fc");
  CHECK(m->children[1].first == "act");
  CHECK(m->child("act") == m->children[1].second.get());
  CHECK(m->child("none") == nullptr);
  CHECK(m->arg("depth")->text() == "2");
  CHECK(m->arg("name")->text() == "'x'");
  CHECK(m->arg("sizes")->text() == "(1, 2)");
  CHECK(m->arg("training")->text() == "False");
  CHECK(m->arg("table") == nullptr);  // no literal
  CHECK(m->child("fc")->arg("_secret") == nullptr);
  CHECK(m->child("fc")->arg("in_features")->text() == "4");
  REQUIRE(m->tensors.size() == 2);
  CHECK((m->tensors[0].name == "scale" && !m->tensors[0].buffer));
  CHECK((m->tensors[1].name == "mean" && m->tensors[1].buffer));
  REQUIRE(m->child("fc")->tensors.size() == 2);
  CHECK(m->child("fc")->tensors[1].tensor == nullptr);  // registered as None
  CHECK(names(torch::state_dict(*m)) == "scale mean fc.weight");
}

TEST_CASE("modules: buffers that are not saved stay out of the state_dict") {
  const std::string one = "(" + text("tmp") + "l";
  for (const std::string& set : {global("__builtin__", "set") + one + "\x85R", "\x8f(" + text("tmp") + "\x90"}) {
    const std::string file =
        torch_zip(module("mine", "Net", {{"tmp2", four()}}, {}, {{"_non_persistent_buffers_set", set}}, {{"tmp", four()}, {"kept", four()}}));
    CHECK(names(torch::state_dict(*tree(file))) == "tmp2 kept");
  }
}

TEST_CASE("modules: a shared module is one module under each of its names") {
  const std::string file = torch_zip(global(kContainer, "Sequential") + ")\x81}(" + text("_parameters") + "}" + text("_buffers") + "}" +
                                     text("_modules") + "}(" + text("0") + linear() + "q\1" + text("1") + "h\1uubq\2");
  const auto m = tree(file);
  REQUIRE(m->children.size() == 2);
  CHECK(m->children[0].second == m->children[1].second);
  CHECK(names(torch::state_dict(*m)) == "0.weight 1.weight");
}

TEST_CASE("modules: wrappers of data parallelism and compilation are taken off") {
  for (const auto& [cls, child] : {std::pair("torch.nn.parallel.data_parallel:DataParallel", "module"),
                                   std::pair("torch.nn.parallel.distributed:DistributedDataParallel", "module"),
                                   std::pair("torch._dynamo.eval_frame:OptimizedModule", "_orig_mod")}) {
    const std::string name = cls;
    const std::string file = torch_zip(module(name.substr(0, name.find(':')), name.substr(name.find(':') + 1), {}, {{child, linear()}}));
    CHECK(tree(file)->cls == "Linear");
    auto c = Checkpoint::open(source_of(file));
    CHECK((*c->wrapped_module(c->root()))->children.size() == 1);
    CHECK(names(*c->list()) == std::string(child) + ".weight");
  }
  const std::string file = torch_zip(module("torch.nn.parallel.data_parallel", "DataParallel", {}, {{"other", linear()}}));
  CHECK(tree(file)->cls == "DataParallel");
}

TEST_CASE("modules: hooks are code, but for the weight norms of old") {
  const std::string hook = global("torch.nn.utils.weight_norm", "WeightNorm") + ")\x81" + dict({{"name", text("weight")}, {"dim", "K\0"s}}) + "b";
  const auto with = [&](const std::string& key, const std::string& value) {
    return torch_zip(linear({{key, global("collections", "OrderedDict") + ")RK\1" + value + "s"}}));
  };
  const std::string norm = with("_forward_pre_hooks", hook), code = with("_forward_hooks", global("mine", "hook")),
                    none = torch_zip(linear({{"_forward_hooks", global("collections", "OrderedDict") + ")R"}}));
  CHECK(tree(norm)->refusal.empty());
  REQUIRE(tree(norm)->arg("hook") != nullptr);
  CHECK(tree(norm)->arg("hook")->text() == "('WeightNorm', 'weight', 0, None, None)");
  CHECK(contains(tree(code)->refusal, "hooks"));
  CHECK(tree(none)->refusal.empty());
}

TEST_CASE("modules: the source of a class in a legacy file is kept, and not run") {
  const std::string cls = "(" + text("module") + global("mine", "Net") + text("net.py") + text("class Net: ...") + "tQ";
  const std::string file = torch_legacy(cls + ")\x81" + dict({{"_parameters", dict({{"w", four()}})}, {"_modules", dict({})}}) + "b");
  CHECK(tree(file)->source == "class Net: ...");
  CHECK(tree(file)->qualified == "mine.Net");
}

TEST_CASE("modules: what is no tree is refused") {
  CHECK(contains(refusal(module(kContainer, "Sequential", {}, {{"0", "K\1"}})), "Sequential.0 is none"));
  const std::string self =
      global(kContainer, "Sequential") + ")\x81q\1}(" + text("_parameters") + "}" + text("_modules") + "}" + text("0") + "h\1sub";
  CHECK(contains(refusal(self), "contains itself"));
  std::string deep = linear();
  for (int i = 0; i < 98; ++i) deep = module(kContainer, "Sequential", {}, {{"0", deep}});
  CHECK(refusal(module(kContainer, "Sequential", {}, {{"0", deep}})) == "");  // a hundred
  deep = module(kContainer, "Sequential", {}, {{"0", deep}});
  CHECK(contains(refusal(module(kContainer, "Sequential", {}, {{"0", deep}})), "nest more than 100 deep"));
  CHECK(contains(refusal(module(kLinear, "Linear", {{"weight", tensor(storage("FloatStorage", "0", 4), 1, {4}, {1})}}, {})),
                 "torch.nn.modules.linear.Linear.weight: a tensor"));
  const std::string no_module = torch_zip(global("mine", "Config") + ")\x81" + dict({{"_modules", "}"}}) + "b");
  auto c = Checkpoint::open(source_of(no_module));
  CHECK_FALSE(c->is_module(c->root()));
  CHECK_FALSE(c->module(c->root()).ok());
}

TEST_CASE("modules: literals show as repr() shows them") {
  const auto real = [](double d) { return Literal{d}.text(); };
  CHECK(real(1) == "1.0");
  CHECK(real(-0.0) == "-0.0");
  CHECK(real(0.1) == "0.1");
  CHECK(real(1e-5) == "1e-05");
  CHECK(real(0.0001) == "0.0001");
  CHECK(real(1e15) == "1000000000000000.0");
  CHECK(real(1e16) == "1e+16");
  CHECK(real(123456.75) == "123456.75");
  CHECK(real(1.0 / 3) == "0.3333333333333333");
  CHECK(real(INFINITY) == "inf");
  CHECK(real(-INFINITY) == "-inf");
  CHECK(real(NAN) == "nan");
  CHECK(Literal{"it's"s}.text() == "\"it's\"");
  CHECK(Literal{"a\"b'"s}.text() == "'a\"b\\''");
  CHECK(Literal{"a\\\n"s}.text() == "'a\\\\\\n'");
  CHECK(Literal{}.text() == "None");
  CHECK(Literal{true}.text() == "True");
  CHECK(Literal{int64_t(-3)}.text() == "-3");
  CHECK(Literal{torch::Name{"relu"}}.text() == "relu");
  CHECK(Literal{Literals{}}.text() == "()");
  CHECK(Literal{Literals{Literal{int64_t(1)}}}.text() == "(1,)");
  CHECK(Literal{Literals{Literal{int64_t(1)}}, true}.text() == "[1]");
  CHECK(Literal{Literals{Literal{int64_t(1)}, Literal{Literals{Literal{2.0}}, true}}}.text() == "(1, [2.0])");
}

TEST_CASE("modules: attributes of NumPy and torch count as literals") {
  const std::string dtype =
      global("numpy", "dtype") + "(" + text("f8") + "\x89\x88tR(K\3" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s;
  const std::string number = global("numpy.core.multiarray", "scalar") + dtype + "C\x08\0\0\0\0\0\0\xf8\x3f\x86R"s;
  const std::string file = torch_zip(linear({{"p", number},
                                             {"shape", global("torch", "Size") + integers({2, 3}) + "\x85R"},
                                             {"dtype", global("torch", "float16")},
                                             {"f", global("torch.nn.functional", "relu")},
                                             {"long", list(std::vector<std::string>(300, "K\1"))},
                                             {"deep", "K\1\x85\x85\x85\x85\x85\x85"}}));
  const auto m = tree(file);
  CHECK(m->arg("p")->text() == "1.5");
  CHECK(m->arg("shape")->text() == "(2, 3)");
  CHECK(m->arg("dtype")->text() == "torch.float16");
  CHECK(m->arg("f")->text() == "relu");
  CHECK(m->arg("long") == nullptr);
  CHECK(m->arg("deep") == nullptr);
}

}  // namespace tern::test::in_torch_modules
