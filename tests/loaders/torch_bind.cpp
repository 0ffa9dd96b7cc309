// load_state_dict: what torch says of weights that do not fit (its own words, recorded from 2.14.1), and prefixes.
#include <doctest/doctest.h>

#include "loaders/torch/state_dict/bind.h"

using namespace tern;
using namespace tern::torch;

namespace in_torch_bind {
namespace {

using Sizes = std::vector<int64_t>;

StoredTensor tensor(Sizes sizes) {
  StoredTensor t;
  t.dtype = DType::f32;
  t.dtype_name = "f32";
  t.element_size = 4;
  t.strides.assign(sizes.size(), 1);
  t.sizes = std::move(sizes);
  return t;
}

StateDict dict(const std::vector<std::pair<std::string, Sizes>>& entries) {
  StateDict d;
  for (const auto& [name, sizes] : entries) d.entries.push_back({name, tensor(sizes)});
  return d;
}

std::shared_ptr<Module> leaf(const char* cls) {
  auto m = std::make_shared<Module>();
  m->cls = cls;
  return m;
}

// Net: p, then a = Linear(3, 4), bn = BatchNorm1d(4), sub = Sequential(Linear(4, 4), Linear(4, 2, bias=False))
Module net() {
  Module m;
  m.cls = "Net";
  m.children = {{"a", leaf("Linear")}, {"bn", leaf("BatchNorm1d")}, {"sub", leaf("Sequential")}};
  m.children[2].second->children = {{"0", leaf("Linear")}, {"1", leaf("Linear")}};
  return m;
}

std::vector<Expected> net_state() {
  return {{"p", Sizes{}},
          {"a.weight", Sizes{4, 3}},
          {"a.bias", Sizes{4}},
          {"bn.weight", Sizes{4}},
          {"bn.bias", Sizes{4}},
          {"bn.running_mean", Sizes{4}},
          {"bn.running_var", Sizes{4}},
          {"bn.num_batches_tracked", Sizes{}, true},
          {"sub.0.weight", Sizes{4, 4}},
          {"sub.0.bias", Sizes{4}},
          {"sub.1.weight", Sizes{2, 4}}};
}

StateDict net_weights() {
  StateDict d;
  for (const Expected& e : net_state()) d.entries.push_back({e.name, tensor(*e.shape)});
  d.modules = {{"", 1}, {"a", 1}, {"bn", 2}, {"sub", 1}, {"sub.0", 1}, {"sub.1", 1}};
  return d;
}

void drop(StateDict& d, std::string_view name) {
  std::erase_if(d.entries, [&](const StateDict::Entry& e) { return e.name == name; });
}

StateDict with_prefix(const std::string& prefix, StateDict d) {
  for (auto& e : d.entries) e.name = prefix + e.name;
  for (auto& [path, version] : d.modules) path = path.empty() ? prefix.substr(0, prefix.size() - 1) : prefix + path;
  return d;
}

std::string error(const StateDict& d, bool strict = true) {
  auto bound = bind_weights(d, net(), net_state(), strict);
  if (bound) return "";
  CHECK(bound.error().code() == Code::kInvalid);
  return bound.error().message();
}

std::string notes(const StateDict& d, bool strict = true) {
  auto bound = bind_weights(d, net(), net_state(), strict);
  if (!bound) return "error: " + bound.error().message();
  std::string s;
  for (const std::string& note : bound->notes) s += note + "|";
  return s;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("bind: weights that match are all there, in the tree's order") {
  StateDict d = net_weights();
  std::swap(d.entries[0], d.entries[5]);
  auto bound = bind_weights(d, net(), net_state(), true);
  REQUIRE(bound);
  REQUIRE(bound->weights.entries.size() == 11);
  CHECK(bound->weights.entries[0].name == "p");
  CHECK(bound->weights.entries[10].name == "sub.1.weight");
  CHECK(bound->weights.entries[10].tensor.sizes == Sizes{2, 4});
  CHECK(bound->notes.empty());
}

TEST_CASE("bind: everything that is wrong is told at once, in torch's words and order") {
  StateDict d = net_weights();
  for (const char* name : {"a.weight", "sub.1.weight", "bn.num_batches_tracked", "a.bias", "bn.weight", "bn.bias", "p"}) drop(d, name);
  for (auto& [name, sizes] : std::vector<std::pair<std::string, Sizes>>{{"a.bias", {5, 3}},
                                                                        {"bn.weight", {}},
                                                                        {"p", {1}},
                                                                        {"zzz", {1}},
                                                                        {"sub.0.foo", {2}},
                                                                        {"sub.1.bias", {2}},
                                                                        {"sub.9.w", {3}},
                                                                        {"q.r.s", {1}},
                                                                        {"sub.0._extra_state", {1}}}) {
    d.entries.push_back({name, tensor(sizes)});
  }
  d.others = {{"bn.bias", "int"}};
  const std::string expected =
      "Error(s) in loading state_dict for Net: Missing key(s) in state_dict: \"a.weight\", \"bn.num_batches_tracked\", \"sub.1.weight\". "
      "Unexpected key(s) in state_dict: \"zzz\", \"q.r.s\", \"sub.9.w\", \"sub.0._extra_state\", \"sub.0.foo\", \"sub.1.bias\". "
      "size mismatch for a.bias: copying a param with shape torch.Size([5, 3]) from checkpoint, the shape in current model is torch.Size([4]). "
      "size mismatch for bn.weight: copying a param with shape torch.Size([]) from checkpoint, the shape in current model is torch.Size([4]). "
      "While copying the parameter named \"bn.bias\", expected torch.Tensor or Tensor-like object from checkpoint but received <class 'int'>";
  CHECK(error(d) == expected);
  SUBCASE("not strict, only sizes and kinds count") {
    const std::string text = error(d, false);
    CHECK(!has(text, "Missing"));
    CHECK(!has(text, "Unexpected"));
    CHECK(has(text, "for Net: size mismatch for a.bias"));
    CHECK(has(text, "<class 'int'>"));
  }
}

TEST_CASE("bind: not strict, missing and unexpected names are notes") {
  StateDict d = net_weights();
  drop(d, "a.bias");
  d.entries.push_back({"extra.weight", tensor({1})});
  CHECK(has(error(d), "Missing key(s) in state_dict: \"a.bias\". Unexpected key(s) in state_dict: \"extra.weight\"."));
  auto bound = bind_weights(d, net(), net_state(), false);
  REQUIRE(bound);
  CHECK(bound->weights.entries.size() == 10);
  CHECK(bound->weights.find("a.bias") == nullptr);
  CHECK(bound->weights.find("extra.weight") == nullptr);
  CHECK(bound->notes == std::vector<std::string>{"missing weights: a.bias", "unexpected weights, not used: extra.weight"});
}

TEST_CASE("bind: num_batches_tracked may be absent when the file is from before version 2 of BatchNorm, or does not tell") {
  StateDict d = net_weights();
  drop(d, "bn.num_batches_tracked");
  CHECK(has(error(d), "Missing key(s) in state_dict: \"bn.num_batches_tracked\"."));
  d.modules[2].second = 1;
  CHECK(error(d) == "");
  d.modules.clear();
  CHECK(error(d) == "");
  d.modules = {{"", 1}, {"sub", 2}};
  CHECK(error(d) == "");
  CHECK(has(error(with_prefix("module.",
                              [] {
                                StateDict n = net_weights();
                                drop(n, "bn.num_batches_tracked");
                                return n;
                              }())),
            "Missing key(s) in state_dict: \"bn.num_batches_tracked\"."));
}

TEST_CASE("bind: one element in one dimension is a scalar of old, but no scalar is one element in one dimension") {
  StateDict d = net_weights();
  drop(d, "p");
  d.entries.push_back({"p", tensor({1})});
  auto bound = bind_weights(d, net(), net_state(), true);
  REQUIRE(bound);
  CHECK(bound->weights.find("p")->sizes.empty());
  CHECK(bound->weights.find("p")->strides.empty());
  d.entries.back().tensor = tensor({1, 1});
  CHECK(has(error(d),
            "size mismatch for p: copying a param with shape torch.Size([1, 1]) from checkpoint, the shape in current model is torch.Size([])."));
  auto one = bind_weights(dict({{"w", {}}}), *leaf("PReLU"), {{"w", Sizes{1}}}, true);
  REQUIRE(!one);
  CHECK(has(one.error().message(), "Error(s) in loading state_dict for PReLU: size mismatch for w: copying a param with shape torch.Size([]) from"));
}

TEST_CASE("bind: shapes that only the file knows fit, but must be there") {
  Module m = net();
  std::vector<Expected> state = net_state();
  state.insert(state.begin(), {"pos", std::nullopt});
  StateDict d = net_weights();
  auto without = bind_weights(d, m, state, true);
  REQUIRE(!without);
  CHECK(has(without.error().message(), "Missing key(s) in state_dict: \"pos\"."));
  d.entries.push_back({"pos", tensor({7, 8, 9})});
  CHECK(bind_weights(d, m, state, true));
  state[0].optional = true;
  d = net_weights();
  CHECK(bind_weights(d, m, state, true));
}

TEST_CASE("bind: a prefix is taken off or put on when that makes the match exact, and a note says so") {
  for (const char* prefix : {"module.", "_orig_mod.", "model.", "module._orig_mod.", "net.encoder."}) {
    const std::string note = notes(with_prefix(prefix, net_weights()));
    CHECK_MESSAGE(note == "weights matched with the prefix " + std::string(prefix) + " taken off (11 names)|", prefix);
  }
  auto bound = bind_weights(with_prefix("module.", net_weights()), net(), net_state(), true);
  REQUIRE(bound);
  CHECK(bound->weights.find("sub.1.weight") != nullptr);
  CHECK(bound->weights.find("module.sub.1.weight") == nullptr);

  SUBCASE("the other way round") {
    Module wrapper;
    wrapper.cls = "Wrapper";
    wrapper.children = {{"model", std::make_shared<Module>(net())}};
    std::vector<Expected> state = net_state();
    for (Expected& e : state) e.name = "model." + e.name;
    auto added = bind_weights(net_weights(), wrapper, state, true);
    REQUIRE(added);
    CHECK(added->notes == std::vector<std::string>{"weights matched with the prefix model. put on (11 names)"});
    CHECK(added->weights.find("model.a.weight") != nullptr);
    auto exchanged = bind_weights(with_prefix("module.", net_weights()), wrapper, state, true);
    REQUIRE(exchanged);
    CHECK(exchanged->notes == std::vector<std::string>{"weights matched with the prefix module. taken off, the prefix model. put on (11 names)"});
    auto shared = bind_weights(with_prefix("module.model.", net_weights()), wrapper, state, true);
    REQUIRE(shared);
    CHECK(shared->notes == std::vector<std::string>{"weights matched with the prefix module. taken off (11 names)"});
  }
  SUBCASE("inside of names") {
    StateDict d = net_weights();
    for (auto& e : d.entries) {
      if (e.name.starts_with("sub.")) e.name = "sub._orig_mod." + e.name.substr(4);
    }
    CHECK(has(notes(d), "weights matched with the names of wrappers (_orig_mod and the like) taken out"));
  }
}

TEST_CASE("bind: a prefix that leaves errors stays, and the error tells of it") {
  StateDict d = with_prefix("module.", net_weights());
  drop(d, "module.a.bias");
  const std::string text = error(d);
  CHECK(has(text, "Missing key(s) in state_dict: \"p\", \"a.weight\", \"a.bias\""));
  CHECK(has(text, "Unexpected key(s) in state_dict: \"module.p\", \"module.a.weight\", \"module.bn.weight\""));
  CHECK(has(text, "; with the prefix module. taken off 10 of its 10 names would be among the 11 expected ones"));
  CHECK(has(notes(d, false), "weights matched with the prefix module. taken off (10 names)|missing weights: a.bias|"));
  // another layer's name is no prefix
  auto other = bind_weights(
      dict({{"fc1.weight", {2, 2}}}),
      [] {
        Module m;
        m.cls = "Net";
        m.children = {{"fc2", leaf("Linear")}};
        return m;
      }(),
      {{"fc2.weight", Sizes{2, 2}}}, true);
  REQUIRE(!other);
  CHECK(has(other.error().message(), "Missing key(s) in state_dict: \"fc2.weight\". Unexpected key(s) in state_dict: \"fc1.weight\".; did you mean"));
}

TEST_CASE("bind: sizes count also under a prefix") {
  StateDict d = with_prefix("module.", net_weights());
  d.entries[1].tensor = tensor({3, 4});
  CHECK(has(error(d),
            "for Net: size mismatch for a.weight: copying a param with shape torch.Size([3, 4]) from checkpoint, the shape in current model is "
            "torch.Size([4, 3]).; a.weight would fit transposed"));
}

TEST_CASE("bind: hints name a near name, a tied weight, a parametrised one") {
  StateDict d = net_weights();
  drop(d, "sub.0.weight");
  d.entries.push_back({"sub.O.weight", tensor({4, 4})});
  CHECK(has(error(d), "; did you mean \"sub.O.weight\" for \"sub.0.weight\"?"));
  d.entries.back().tensor = tensor({5, 4});
  CHECK(!has(error(d), "did you mean"));

  const std::vector<Expected> language = {{"embed.weight", Sizes{9, 4}}, {"lm_head.weight", Sizes{9, 4}}};
  Module m;
  m.cls = "LM";
  m.children = {{"embed", leaf("Embedding")}, {"lm_head", leaf("Linear")}};
  auto tied = bind_weights(dict({{"embed.weight", {9, 4}}}), m, language, true);
  REQUIRE(!tied);
  CHECK(has(tied.error().message(), "\"lm_head.weight\" may be tied to \"embed.weight\""));
}

TEST_CASE("bind: a weight that weight_norm and the like split is there by its parts") {
  const std::vector<Expected> state = {{"a.weight", Sizes{4, 3}}};
  Module m;
  m.cls = "Net";
  m.children = {{"a", leaf("Linear")}};
  const std::vector<std::vector<std::string>> kinds = {
      {"weight_g", "weight_v"},
      {"weight_orig", "weight_u", "weight_v"},
      {"parametrizations.weight.original0", "parametrizations.weight.original1"},
      {"parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v"}};
  for (const auto& parts : kinds) {
    for (const char* prefix : {"", "module."}) {
      StateDict d;
      for (const std::string& part : parts) d.entries.push_back({prefix + ("a." + part), tensor({4})});
      auto bound = bind_weights(d, m, state, true);
      REQUIRE_MESSAGE(bound, parts[0]);
      REQUIRE(bound->weights.entries.size() == parts.size());
      for (const std::string& part : parts) CHECK(bound->weights.find("a." + part) != nullptr);
      d.entries.pop_back();
      auto half = bind_weights(d, m, state, true);
      if (parts[0] != "parametrizations.weight.original") CHECK(!half);
    }
  }
  auto both = bind_weights(dict({{"a.weight", {4, 3}}, {"a.weight_g", {4}}}), m, state, true);
  REQUIRE(!both);
  CHECK(has(both.error().message(), "for Net: Unexpected key(s) in state_dict: \"a.weight_g\"."));
}

TEST_CASE("bind: the old names of weight_norm load into the parametrization, as torch's hook has it, and only together") {
  const std::vector<Expected> state = {
      {"a.bias", Sizes{4}}, {"a.parametrizations.weight.original0", std::nullopt}, {"a.parametrizations.weight.original1", std::nullopt}};
  Module m;
  m.cls = "Net";
  m.children = {{"a", leaf("ParametrizedLinear")}};
  for (const char* prefix : {"", "module."}) {
    StateDict d;
    for (const char* key : {"a.bias", "a.weight_g", "a.weight_v"}) d.entries.push_back({std::string(prefix) + key, tensor({4})});
    auto bound = bind_weights(d, m, state, true);
    REQUIRE_MESSAGE(bound, bound.error().message());
    CHECK(bound->weights.find("a.parametrizations.weight.original0") != nullptr);
    CHECK(bound->weights.find("a.parametrizations.weight.original1") != nullptr);
  }
  auto half = bind_weights(dict({{"a.bias", {4}}, {"a.weight_g", {4}}}), m, state, true);
  REQUIRE(!half);
  CHECK(has(half.error().message(),
            "Missing key(s) in state_dict: \"a.parametrizations.weight.original0\", \"a.parametrizations.weight.original1\". Unexpected key(s) in "
            "state_dict: \"a.weight_g\"."));
}

TEST_CASE("bind: values that are no tensors are a note") {
  StateDict d = net_weights();
  d.others = {{"epoch", "int"}, {"lr", "float"}, {"args", "dict"}, {"date", "str"}};
  CHECK(notes(d) == "values that are no tensors, not used: epoch, lr, args and 1 more|");
}

}  // namespace in_torch_bind
