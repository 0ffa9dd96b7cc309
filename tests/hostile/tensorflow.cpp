// Hostile graphs of TensorFlow: bytes changed anywhere, constants and texts that grow, functions that call themselves, many of everything, names that
// would speak to a terminal, pipes where files belong. Code: loaders/tensorflow, runtime/fold_constants.cpp.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "loaders/load.h"
#include "runtime/base/printable.h"
#include "runtime/model.h"
#include "tern/tern.h"
#include "tests/support/cheap.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_tensorflow {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = std::string(TERN_TEST_DATA) + "/tensorflow/saved_models/";
constexpr int64_t kFloat = 1, kInt = 3, kText = 7;

Proto type(int64_t t) { return Proto().i(6, t); }
Proto with(const char* name, const Proto& value) { return Proto().s(1, name).m(2, value); }
Proto dims(const std::vector<int64_t>& sizes) {
  Proto p;
  for (const int64_t n : sizes) p.m(2, Proto().i(1, n));
  return p;
}

Proto op(const std::string& name, const std::string& what, const std::vector<std::string>& inputs, const std::vector<Proto>& attributes = {}) {
  Proto p = Proto().s(1, name).s(2, what);
  for (const std::string& i : inputs) p.s(3, i);
  for (const Proto& a : attributes) p.m(5, a);
  return p;
}
Proto place(int64_t dtype, const std::vector<int64_t>& sizes) {
  return op("x", "Placeholder", {}, {with("dtype", type(dtype)), with("shape", Proto().m(7, dims(sizes)))});
}
// One element, which is repeated: `field` is that of the dtype.
Proto repeated(const std::string& name, int64_t dtype, const std::vector<int64_t>& sizes, const Proto& element) {
  Proto tensor = Proto().i(1, dtype).m(2, dims(sizes));
  tensor.data += element.data;
  return op(name, "Const", {}, {with("dtype", type(dtype)), with("value", Proto().m(8, tensor))});
}
Proto floats(const std::string& name, const std::vector<int64_t>& sizes) { return repeated(name, kFloat, sizes, Proto().f(5, 1)); }
Proto number(const std::string& name, int64_t n) { return repeated(name, kInt, {}, Proto().i(7, n)); }
Proto text(const std::string& name, const std::string& t) { return repeated(name, kText, {}, Proto().s(8, t)); }

struct File {
  std::string data;
  File& add(const Proto& node) {
    data += Proto().m(1, node).data;
    return *this;
  }
  Result<Model> load() const { return load_bytes(bytes(data)); }
  std::string refusal() const {
    return refused_cheaply(data.size(), [&] { return load(); });
  }
  // Whether or not it is a model: within the bounds.
  Result<Model> cheap() const {
    return cheaply(data.size(), [&] { return load(); });
  }
};

bool has(const std::string& message, std::string_view part) { return message.find(part) != message.npos; }

}  // namespace

TEST_CASE("hostile tensorflow: a frozen graph with other bytes somewhere is a model or refused with one line") {
  auto whole = read_file(kFolder + "frozen/model.pb");
  REQUIRE(whole.ok());
  std::mt19937 random(1);
  for (int round = 0; round < (kSanitized ? 100 : 1500); ++round) {
    std::vector<std::byte> other = *whole;
    for (int k = 0; k < 1 + round % 4; ++k) other[random() % other.size()] = static_cast<std::byte>(random());
    if (round % 3 == 0) other.resize(random() % other.size());
    auto model = load_bytes(other);
    if (model.ok()) continue;
    CHECK(model.error().message() == printable(model.error().message()));
    CHECK(model.error().code() != Code::kOk);
  }
}

TEST_CASE("hostile tensorflow: constants that double stop where the budget ends") {
  File f;
  f.add(place(kFloat, {1})).add(floats("c0", {1024})).add(number("axis", 0));
  for (int i = 0; i < 50; ++i) {
    const std::string from = "c" + std::to_string(i);
    f.add(op("c" + std::to_string(i + 1), "ConcatV2", {from, from, "axis"}, {with("N", Proto().i(3, 2)), with("T", type(kFloat))}));
  }
  f.add(op("sum", "Sum", {"c50", "axis"}, {with("T", type(kFloat))})).add(op("y", "Add", {"x", "sum"}, {with("T", type(kFloat))}));
  auto model = f.cheap();
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  CHECK(cheaply(f.data.size(), [&] { return model->layers({}); }).size() > 40);  // which folds once more
}

TEST_CASE("hostile tensorflow: what loading folded does not let a session fold more") {
  File f;  // loading folds the first 16 MB; the next 64 MB are four times as much, as the budget for a file of so many weights would be
  f.add(place(kFloat, {1})).add(repeated("four", kInt, {1}, Proto().i(7, 4))).add(number("axis", 0)).add(floats("c0", {256}));
  for (int i = 0; i < 9; ++i)
    f.add(op("c" + std::to_string(i + 1), "Tile", {"c" + std::to_string(i), "four"}, {with("T", type(kFloat)), with("Tmultiples", type(kInt))}));
  f.add(op("sum", "Sum", {"c9", "axis"}, {with("T", type(kFloat))})).add(op("y", "Add", {"x", "sum"}, {with("T", type(kFloat))}));
  auto model = cheaply(
      f.data.size(), [&] { return f.load(); }, 5, 32);
  REQUIRE(model.ok());
  CHECK(cheaply(
            f.data.size(), [&] { return arena_bytes(*model, {}); }, 5, 16)
            .ok());
}

TEST_CASE("hostile tensorflow: texts that double, or become longer with every match") {
  const Proto none = with("separator", Proto().s(2, ""));
  File doubling;
  doubling.add(place(kText, {1})).add(text("c0", std::string(64, 'a')));
  for (int i = 0; i < 60; ++i) {
    const std::string from = "c" + std::to_string(i);
    doubling.add(op("c" + std::to_string(i + 1), "StringJoin", {from, from}, {with("N", Proto().i(3, 2)), none}));
  }
  doubling.add(op("y", "StringJoin", {"x", "c60"}, {with("N", Proto().i(3, 2)), none}));
  auto model = doubling.cheap();
  CHECK_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));

  File matches;
  matches.add(place(kText, {1})).add(text("c0", "aaaa"));
  for (int i = 0; i < 60; ++i) {
    matches.add(op("c" + std::to_string(i + 1), "StaticRegexReplace", {"c" + std::to_string(i)},
                   {with("pattern", Proto().s(2, "")), with("rewrite", Proto().s(2, "zz")), with("replace_global", Proto().i(5, 1))}));
  }
  matches.add(op("y", "StringJoin", {"x", "c60"}, {with("N", Proto().i(3, 2)), none}));
  auto grown = matches.cheap();
  if (!grown.ok()) CHECK(has(grown.error().message(), "libre2-dev"));  // the one thing that may be missing
}

TEST_CASE("hostile tensorflow: a pattern that is none is told in a few words") {
  File f;
  f.add(place(kText, {1}));
  f.add(op("y", "StaticRegexReplace", {"x"}, {with("pattern", Proto().s(2, std::string(200'000, '('))), with("rewrite", Proto().s(2, ""))}));
  auto model = f.cheap();
  if (model.ok()) {  // a pattern is compiled when it is first used
    const Array x{.dtype = DType::string, .dims = {1}, .bytes = {}, .strings = {"a"}};
    auto answer = cheaply(f.data.size(), [&] { return model->evaluate(std::span(&x, 1)); });
    REQUIRE(!answer.ok());
    CHECK(answer.error().message().size() < 1000);
  } else {
    CHECK(has(model.error().message(), "libre2-dev"));
  }
}

TEST_CASE("hostile tensorflow: many inputs of one operator, many repeated constants") {
  constexpr int kMany = 60'000;
  Proto add = op("y", "AddN", std::vector<std::string>(kMany, "x"), {with("N", Proto().i(3, kMany)), with("T", type(kFloat))});
  CHECK(has(File().add(place(kFloat, {-1, 4})).add(add).refusal(), "unfold to more than"));

  File splats;
  splats.add(place(kFloat, {1000}));
  std::string last = "x";
  for (int i = 0; i < 20'000; ++i) {
    const std::string c = "k" + std::to_string(i), y = "y" + std::to_string(i);
    splats.add(floats(c, {1000})).add(op(y, "Add", {last, c}, {with("T", type(kFloat))}));
    last = y;
  }
  CHECK(has(splats.refusal(), "takes more memory than LoadOptions::budget allows"));
}

// With the model 1.5 KB a node, 2.8 KB one that calls a function of its own. When all stay parsed until the end: 2 and 5 KB.
TEST_CASE("hostile tensorflow: nodes and functions are not kept as parsed objects, however many there are") {
  const size_t kMany = flood(10'000);
  const Proto list = Proto().m(1, Proto().i(6, kFloat));
  File chain, calls;
  chain.add(place(kFloat, {4}));
  calls.add(place(kFloat, {4}));
  Proto library;
  std::string last = "x";
  for (size_t i = 0; i < kMany; ++i) {
    const std::string y = "y" + std::to_string(i), f = "f" + std::to_string(i);
    chain.add(op(y, "Exp", {last}, {with("T", type(kFloat))}));
    calls.add(op(y, "PartitionedCall", {last}, {with("f", Proto().m(10, Proto().s(1, f))), with("Tin", list), with("Tout", list)}));
    library.m(1, Proto()
                     .m(1, Proto().s(1, f).m(2, Proto().s(1, "a").i(3, kFloat)).m(3, Proto().s(1, "o").i(3, kFloat)))
                     .m(3, op("n", "Relu", {"a"}, {with("T", type(kFloat))}))
                     .m(4, Proto().s(1, "o").s(2, "n:activations:0")));
    last = y;
  }
  calls.data += Proto().m(2, library).data;
  CHECK(cheaply(
            chain.data.size(), [&] { return chain.load(); }, 5, 17)
            .ok());
  CHECK(cheaply(
            calls.data.size(), [&] { return calls.load(); }, 5, 31)
            .ok());
}

TEST_CASE("hostile tensorflow: functions that call themselves, or twice what calls twice") {
  const auto function = [](const std::string& name, const std::string& callee, int calls) {
    Proto f = Proto().m(1, Proto().s(1, name).m(2, Proto().s(1, "a").i(3, kFloat)).m(3, Proto().s(1, "o").i(3, kFloat)));
    std::string last = "a";
    for (int i = 0; i < calls; ++i) {
      const std::string n = "n" + std::to_string(i);
      const Proto types = Proto().m(1, Proto().i(6, kFloat));
      f.m(3, callee.empty()
                 ? op(n, "Relu", {last}, {with("T", type(kFloat))})
                 : op(n, "PartitionedCall", {last}, {with("f", Proto().m(10, Proto().s(1, callee))), with("Tin", types), with("Tout", types)}));
      last = n + (callee.empty() ? ":activations:0" : ":output:0");
    }
    return f.m(4, Proto().s(1, "o").s(2, last));
  };
  const auto file = [&](const std::vector<Proto>& functions, const std::string& first) {
    File f;
    f.add(place(kFloat, {4}))
        .add(op("y", "PartitionedCall", {"x"}, {with("f", Proto().m(10, Proto().s(1, first))), with("Tout", Proto().m(1, Proto().i(6, kFloat)))}));
    Proto library;
    for (const Proto& each : functions) library.m(1, each);
    f.data += Proto().m(2, library).data;
    return f;
  };
  CHECK(has(file({function("f", "f", 1)}, "f").refusal(), "deep in each other"));
  CHECK(has(file({function("f", "g", 1), function("g", "f", 1)}, "f").refusal(), "deep in each other"));
  std::vector<Proto> all = {function("f0", "", 2)};
  for (int i = 1; i < 40; ++i) all.push_back(function("f" + std::to_string(i), "f" + std::to_string(i - 1), 2));
  CHECK(has(file(all, "f39").refusal(), "unfold to more than"));
}

TEST_CASE("hostile tensorflow: names of nodes do not reach a terminal as they are") {
  for (const std::string name : {"\x1b[2J\x1b[31mdone\x07", "a\nb\rc",
                                 "\xe2\x80\xae"
                                 "gnp",
                                 "\xc2\x9b"
                                 "31m",
                                 "\xff\xfe"}) {
    const std::string message = File().add(place(kFloat, {4})).add(op(name, "NoSuchOp" + name, {"x"})).add(op("y", "Relu", {name})).refusal();
    CHECK(message == printable(message));
    CHECK(message.find('\x1b') == std::string::npos);
  }
  const std::string message = File().add(op(std::string(2'000'000, 'L'), "Placeholder", {"^gone"})).add(op("y", "Nope", {"z"})).refusal();
  CHECK(message.size() < 4000);
}

TEST_CASE("hostile tensorflow: a pipe, a folder or an endless file in the place of a file of the model is refused at once") {
  const fs::path path = fs::temp_directory_path() / ("tern_hostile_saved_model_" + std::to_string(::getpid()));
  for (const char* name : {"saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"}) {
    for (const int kind : {0, 1, 2}) {
      fs::remove_all(path);
      fs::copy(kFolder + "linear/model", path, fs::copy_options::recursive);
      REQUIRE(load(path.string()).ok());
      fs::remove(path / name);
      if (kind == 0) REQUIRE(::mkfifo((path / name).c_str(), 0600) == 0);
      if (kind == 1) fs::create_directory(path / name);
      if (kind == 2) fs::create_symlink("/dev/zero", path / name);
      CAPTURE(name);
      CAPTURE(kind);
      refused_cheaply(
          0, [&] { return load(path.string()); }, 1);
    }
  }
  fs::remove_all(path);
}

}  // namespace tern::test::in_tensorflow
