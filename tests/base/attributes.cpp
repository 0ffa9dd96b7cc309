// Reading attributes through a schema. Contract: runtime/base/attributes.h.
#include "runtime/base/attributes.h"

#include <doctest/doctest.h>

#include "tests/support/last_words.h"

namespace tern::test::in_attributes {
namespace {

constexpr int64_t kAxes[] = {0, 2};
constexpr AttrSpec kSchema[] = {{"axis", AttrKind::i, -1},         {"scale", AttrKind::f, 0.5f},   {"mode", AttrKind::s, "constant"},
                                {"axes", AttrKind::ints, kAxes},   {"to", AttrKind::i, kRequired}, {"hidden_size", AttrKind::i},
                                {"perm", AttrKind::ints},          {"value", AttrKind::tensor},    {"clip", AttrKind::floats},
                                {"activations", AttrKind::strings}};

}  // namespace

TEST_CASE("attributes: what a node does not give is the schema's default, or empty where there is none") {
  const Attributes none;
  const AttrReader r(kSchema, none);
  CHECK(r.i("axis") == -1);
  CHECK(r.f("scale") == 0.5f);
  CHECK(r.s("mode") == "constant");
  CHECK(r.ints("axes") == std::vector<int64_t>{0, 2});
  for (const char* name : {"axis", "scale", "mode", "axes"}) CHECK(r.has(name));
  for (const char* name : {"to", "hidden_size", "perm", "value", "clip", "activations"}) CHECK(!r.has(name));
  CHECK(r.i("hidden_size") == 0);
  CHECK(r.ints("perm").empty());
  CHECK(r.floats("clip").empty());
  CHECK(r.strings("activations").empty());
  CHECK(r.tensor("value") == nullptr);
}

TEST_CASE("attributes: what a node gives is read, unless it is of another kind") {
  Attributes given;
  given.set("axis", int64_t{3});
  given.set("hidden_size", int64_t{4});
  given.set("perm", std::vector<int64_t>{1, 0});
  given.set("value", Tensor::scalar(2.0f));
  given.set("scale", int64_t{1});  // verify refuses this graph; what reads it earlier sees the default
  const AttrReader r(kSchema, given);
  CHECK(r.i("axis") == 3);
  CHECK(r.has("hidden_size"));
  CHECK(r.i("hidden_size") == 4);
  CHECK(r.ints("perm") == std::vector<int64_t>{1, 0});
  CHECK(r.tensor("value")->data<float>()[0] == 2);
  CHECK(r.f("scale") == 0.5f);
}

TEST_CASE("attributes: of few and of many each is found by its whole name") {
  const Attributes none;
  const AttrReader r(kSchema, none);
  for (const char* name : {"axes", "activations"}) CHECK(r.lists(name));
  for (std::string_view name : {std::string_view(), std::string_view("hidden"), std::string_view("axes_"), std::string_view("axes\0", 5)}) {
    CHECK(!r.lists(name));
  }
  Attributes given;
  for (int64_t n = 0; n < 20; ++n) {
    for (int64_t i = 0; i < n; ++i) CHECK(given.i("a" + std::to_string(i), -1) == i);
    for (const char* name : {"", "a", "a100", "b"}) CHECK(!given.has(name));
    given.set("a" + std::to_string(n), n);
  }
}

TEST_CASE("attributes: reading what the schema does not list, or as another kind, ends the process") {
  const Attributes none;
  const AttrReader r(kSchema, none);
  CHECK(r.lists("axis"));
  CHECK(!r.lists("axes_"));
  const std::pair<std::string, int> unlisted{"tern: an attribute is read that the schema does not list: axes_\n", SIGABRT};
  CHECK(last_words([&] { (void)r.ints("axes_"); }) == unlisted);
  CHECK(last_words([&] { (void)r.has("axes_"); }) == unlisted);
  CHECK(last_words([&] { (void)AttrReader().i("axes_"); }) == unlisted);
  const std::pair<std::string, int> other{"tern: an attribute is read as another kind than the schema says: axis\n", SIGABRT};
  CHECK(last_words([&] { (void)r.f("axis"); }) == other);
  CHECK(last_words([&] { (void)r.ints("axis"); }) == other);
  CHECK(last_words([&] { (void)r.tensor("axis"); }) == other);
}

TEST_CASE("attributes: a value is the default when it says the same, bit for bit") {
  CHECK(kSchema[0].is_default(int64_t{-1}));
  CHECK(!kSchema[0].is_default(int64_t{0}));
  CHECK(!kSchema[0].is_default(-1.0f));
  CHECK(kSchema[2].is_default(std::string("constant")));
  CHECK(kSchema[3].is_default(std::vector<int64_t>{0, 2}));
  CHECK(!kSchema[4].is_default(int64_t{0}));  // required: it has none
  CHECK(!kSchema[6].is_default(std::vector<int64_t>{}));
}

}  // namespace tern::test::in_attributes
