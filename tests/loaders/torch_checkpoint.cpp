// Checkpoints: what is listed, which weights are found, what would have been executed. Files that torch made, with what torch finds in
// them (tests/data/torch/make/checkpoints.py), and files by hand. Code: loaders/torch/pickle.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "loaders/torch/pickle/checkpoint.h"
#include "tests/support/torch_file.h"

namespace tern::test::in_torch_checkpoint {
namespace {

using namespace std::string_literals;
using torch::Checkpoint;

constexpr int64_t kBudget = int64_t(1) << 20;

std::string row(const StateDict::Entry& e) {
  char crc[16];
  auto sum = checksum(e.tensor, kBudget);
  std::snprintf(crc, sizeof crc, "%08x", sum ? *sum : 0);
  std::string s = e.name + "|" + e.tensor.dtype_name + "|";
  for (size_t i = 0; i < e.tensor.sizes.size(); ++i) s += (i > 0 ? "x" : "") + std::to_string(e.tensor.sizes[i]);
  return s + "|" + std::to_string(element_count(e.tensor).value_or(0) * e.tensor.element_size) + "|" + crc;
}

std::string listing(const Checkpoint& c) {
  auto all = c.list();
  if (!all) return "error: " + all.error().message();
  std::string s;
  for (const auto& e : all->entries) s += row(e) + "\n";
  return s;
}

std::string names(const std::string& file) {
  auto c = Checkpoint::open(source_of(file));
  if (!c) return "error: " + c.error().message();
  auto all = c->list();
  if (!all) return "error: " + all.error().message();
  std::string s;
  for (const auto& e : all->entries) s += (s.empty() ? "" : " ") + e.name;
  return s;
}

std::string candidates(const std::string& file) {
  auto c = Checkpoint::open(source_of(file));
  REQUIRE(c.ok());
  std::string s;
  for (const auto& candidate : c->candidates()) s += (s.empty() ? "" : " ") + candidate.path + ":" + std::to_string(candidate.tensors);
  return s;
}

std::string refusal(const std::string& file) {
  auto c = Checkpoint::open(source_of(file));
  if (!c) return c.error().message();
  auto all = c->list();
  return all ? "" : all.error().message();
}

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("checkpoint: files of torch hold what torch finds in them") {
  size_t files = 0;
  for (const auto& place : std::filesystem::directory_iterator(TERN_TEST_DATA "/torch/checkpoints")) {
    if (place.path().extension() != ".pt") continue;
    CAPTURE(place.path().string());
    ++files;
    std::ifstream in(std::filesystem::path(place.path()).replace_extension(".txt"));
    std::stringstream expected;
    expected << in.rdbuf();
    auto source = map_file(place.path().string());
    REQUIRE(source.ok());
    CHECK(torch::looks_like_checkpoint(source->bytes));
    auto c = Checkpoint::open(*source);
    REQUIRE_MESSAGE(c.ok(), c.error().message());
    CHECK(listing(*c) == expected.str());
    CHECK(c->unknown_globals().empty());
    // Once more from bytes that nobody keeps.
    const std::string copy(reinterpret_cast<const char*>(source->bytes.data()), source->bytes.size());
    auto again = Checkpoint::open(source_of(copy));
    REQUIRE(again.ok());
    CHECK(listing(*again) == expected.str());
  }
  CHECK(files >= 37);
}

TEST_CASE("checkpoint: what is read of a file outlives the reader") {
  for (const char* name : {"views", "legacy_views", "deflated", "pickled2", "arrays2", "big_endian"}) {
    CAPTURE(std::string(name));
    std::vector<Tensor> kept;
    std::vector<std::string> before;
    {
      auto source = map_file(std::string(TERN_TEST_DATA "/torch/checkpoints/") + name + ".pt");
      auto c = Checkpoint::open(*source);
      REQUIRE(c.ok());
      auto all = c->list();
      REQUIRE(all.ok());
      for (const auto& e : all->entries) {
        auto made = dense(e.tensor, kBudget);
        if (!made) continue;
        before.emplace_back(reinterpret_cast<const char*>(made->raw()), made->bytes());
        kept.push_back(std::move(*made));
      }
    }
    REQUIRE(!kept.empty());
    for (size_t i = 0; i < kept.size(); ++i) CHECK(std::string(reinterpret_cast<const char*>(kept[i].raw()), kept[i].bytes()) == before[i]);
  }
}

TEST_CASE("checkpoint: storages are mapped where they are stored, and shared by their tensors") {
  for (const char* name : {"tied", "legacy_tied"}) {
    auto source = map_file(std::string(TERN_TEST_DATA "/torch/checkpoints/") + name + ".pt");
    auto c = Checkpoint::open(*source);
    auto all = c->list();
    REQUIRE(all.ok());
    const StoredTensor *first = all->find("0.weight"), *second = all->find("1.weight");
    REQUIRE((first != nullptr && second != nullptr));
    CHECK(same_view(*first, *second));
    CHECK_FALSE(same_view(*first, *all->find("0.bias")));
    CHECK(first->storage->bytes.data() > source->bytes.data());
    CHECK(first->storage->bytes.data() < source->bytes.data() + source->bytes.size());
    CHECK(first->storage->owner == source->owner);
    CHECK(first->storage->bytes.data() + first->storage->bytes.size() + first->storage->readable_after ==
          source->bytes.data() + source->bytes.size());
  }
}

TEST_CASE("checkpoint: names are keys and places joined with dots, whatever the keys are") {
  CHECK(names(torch_zip(four())) == "");
  CHECK(names(torch_zip(list({four(), dict({{"a", four()}, {"b", list({"N", four()})}})}))) == "0 1.a 1.b.1");
  CHECK(names(torch_zip("}(K\3" + four() + "\x88" + four() + "N" + four() + "G\x3f\xf8\0\0\0\0\0\0"s + four() + "K\1\x85" + four() + "u")) ==
        "3 True None 1.5 (1,)");
  CHECK(names(torch_zip("}(" + text("a") + four() + text("b") + four() + text("a") + "K\1u")) == "b");         // set again, to something else
  CHECK(names(torch_zip("}(" + text("a") + "K\1" + text("b") + four() + text("a") + four() + "u")) == "a b");  // a key keeps its place
  CHECK(names(torch_zip(global("collections", "OrderedDict") + ")R(" + text("a") + four() + "u")) == "a");
  CHECK(names(torch_zip(global("collections", "OrderedDict") + "](](" + text("a") + four() + "e" + "](" + text("b") + four() + "ee\x85R")) == "a b");
  CHECK(names(torch_zip(global("collections", "defaultdict") + global("builtins", "list") + "\x85R(" + text("a") + four() + "u")) == "a");
  CHECK(names(torch_zip(global("mine", "Config") + ")\x81" + dict({{"w", four()}}) + "b")) == "w");  // attributes of an unknown class
  CHECK(names(torch_zip(global("mine", "State") + four() + "N\x86R")) == "0");                       // a named tuple
  CHECK(names(torch_zip(global("mine", "Slots") + ")\x81N" + dict({{"w", four()}}) +
                        "\x86"
                        "b")) == "w");
  CHECK(names(torch_zip(global("mine", "Bag") + ")\x81(" + four() + four() + "e")) == "0 1");
}

TEST_CASE("checkpoint: cycles end, and shared objects are listed under each of their names") {
  CHECK(names(torch_zip("]q\1(h\1" + four() + "q\2h\2e")) == "1 2");
  CHECK(names(torch_zip("}q\1(" + text("self") + "h\1" + text("w") + four() + "u")) == "w");
  CHECK(names(torch_zip("}(" + text("a") + dict({{"w", four()}}) + "q\1" + text("b") + "h\1u")) == "a.w b.w");
}

TEST_CASE("checkpoint: weights are found in nested dictionaries, training's own state is not") {
  CHECK(candidates(torch_zip(dict({{"a", four()}, {"b", four()}}))) == ":2");
  CHECK(candidates(torch_zip(dict({{"epoch", "K\3"}, {"model", dict({{"a", four()}})}, {"optimizer", dict({{"a", four()}, {"b", four()}})}}))) ==
        "model:1");
  for (const char* key :
       {"optimizer", "optimizer_state_dict", "optim", "optimizer_states", "lr_scheduler", "grad_scaler", "g_optimizer", "Optimizer"}) {
    CHECK(candidates(torch_zip(dict({{"net", dict({{"a", four()}})}, {key, dict({{"b", four()}})}}))) == "net:1");
  }
  CHECK(candidates(torch_zip(dict({{"m", dict({{"a", four()}})}, {"other", dict({{"state", dict({{"b", four()}})}, {"param_groups", "]"}})}}))) ==
        "m:1");
  CHECK(candidates(torch_zip(dict({{"g", dict({{"a", four()}})}, {"d", dict({{"a", four()}, {"n", "K\1"}})}}))) == "g:1 d:1");
  CHECK(candidates(torch_zip(dict({{"a", four()}, {"ema", dict({{"a", four()}})}}))) == "ema:1");
  CHECK(candidates(torch_zip(dict({{"deep", dict({{"deeper", dict({{"a", four()}})}})}}))) == "deep.deeper:1");
  CHECK(candidates(torch_zip(dict({{"a", four()}, {"b", "K\1"}, {"c", "K\2"}}))) == "");  // mostly others
  CHECK(candidates(torch_zip(dict({{"epoch", "K\3"}}))) == "");
  CHECK(candidates(torch_zip(module("torch.nn.modules.linear", "Linear", {{"weight", four()}, {"bias", "N"}}, {}))) == ":1");
  CHECK(candidates(torch_zip(dict({{"net", module("mine", "Net", {{"w", four()}}, {})}}))) == "net:1");
}

TEST_CASE("checkpoint: a key chooses among several weights") {
  const std::string file = torch_zip(dict({{"g", dict({{"model", dict({{"a", four()}, {"b", four()}})}})},
                                           {"d", dict({{"model", dict({{"c", four()}})}})},
                                           {"x", dict({{"e", four()}})}}));
  auto c = Checkpoint::open(source_of(file));
  REQUIRE(c.ok());
  CHECK(c->select("g.model")->path == "g.model");
  CHECK(c->select("x")->path == "x");
  CHECK(c->select("").error().code() == Code::kUsage);
  CHECK(contains(c->select("").error().message(), "g.model (2 tensors), d.model (1 tensors), x (1 tensors); choose one with LoadOptions::key"));
  CHECK(contains(c->select("model").error().message(), "no weights at model"));  // two are called so
  CHECK_FALSE(c->select("odel").ok());
  const std::string one = torch_zip(dict({{"g", dict({{"model", dict({{"a", four()}})}})}}));
  auto single = Checkpoint::open(source_of(one));
  CHECK(single->select("")->path == "g.model");
  CHECK(single->select("model")->path == "g.model");
  CHECK_FALSE(single->select("other").ok());
  const std::string none = torch_zip(dict({{"epoch", "K\1"}}));
  CHECK(contains(Checkpoint::open(source_of(none))->select("").error().message(), "no dictionary of tensors"));
  std::string all = "}(";
  for (int i = 0; i < 50; ++i) all += text("w" + std::to_string(i)) + dict({{"a", four()}});
  const std::string many = torch_zip(all + "u");
  CHECK(contains(Checkpoint::open(source_of(many))->select("").error().message(), "and 30 more"));
}

TEST_CASE("checkpoint: a state_dict has its tensors, its other values, and what _metadata says of modules") {
  const std::string metadata = global("collections", "OrderedDict") + ")R(" + text("") + dict({{"version", "K\1"}}) + text("bn") +
                               dict({{"version", "K\2"}}) + text("act") + "}u";
  const std::string file =
      torch_zip(global("collections", "OrderedDict") + ")R(" + text("w") + four() + text("n") + "K\1u" + dict({{"_metadata", metadata}}) + "b");
  auto c = Checkpoint::open(source_of(file));
  REQUIRE(c.ok());
  auto d = c->state_dict(*c->select(""));
  REQUIRE(d.ok());
  REQUIRE(d->entries.size() == 1);
  CHECK(d->entries[0].name == "w");
  CHECK(d->others == std::vector<std::pair<std::string, std::string>>{{"n", "int"}});
  CHECK(d->modules == std::vector<std::pair<std::string, int64_t>>{{"", 1}, {"bn", 2}, {"act", 0}});
}

TEST_CASE("checkpoint: what would have been executed elsewhere is named, and nothing else is") {
  const auto globals = [](const std::string& object) {
    const std::string file = torch_zip(object);
    auto c = Checkpoint::open(source_of(file));
    REQUIRE_MESSAGE(c.ok(), c.error().message());
    std::string s;
    for (const std::string& name : c->unknown_globals()) s += (s.empty() ? "" : " ") + name;
    return s;
  };
  const std::string hello = "(" + text("echo") + "t";
  CHECK(globals(global("os", "system") + hello + "R") == "os.system");
  CHECK(globals(global("posix", "system") + hello + "\x81") == "posix.system");
  CHECK(globals(text("os") + text("system") + "\x93" + hello + "R") == "os.system");
  CHECK(globals("(" + text("echo") + "ios\nsystem\n") == "os.system");
  CHECK(globals("(" + global("os", "system") + text("echo") + "o") == "os.system");
  CHECK(globals(global("subprocess", "Popen") + hello + "}\x92") == "subprocess.Popen");
  CHECK(globals(global("__builtin__", "eval") + hello + "R") == "builtins.eval");
  CHECK(globals(global("builtins", "getattr") + "(" + global("os", "path") + text("x") + "tR" + hello + "R") == "builtins.getattr os.path");
  CHECK(globals(list({four(), global("os", "system")})) == "os.system");          // only named: importing runs code too
  CHECK(globals(global("os", "system") + hello + "R0" + four()) == "os.system");  // thrown away
  CHECK(globals(global("mine", "Net") + ")\x81}b") == "mine.Net");
  CHECK(globals(global("torch.nn.modules.module", "os.system") + hello + "R") == "torch.nn.modules.module.os.system");
  CHECK(globals(global("torch.hub", "load") + hello + "R") == "torch.hub.load");
  CHECK(globals(global("torch.nn.modules.module", "register_module_forward_hook") + hello + "R") != "");
  CHECK(globals(global("torch.nn.functional", "relu")) == "");
  CHECK(globals(global("torch.nn.functional", "boolean_dispatch") + ")R") == "torch.nn.functional.boolean_dispatch");
  CHECK(globals(global("numpyx", "scalar") + ")R") == "numpyx.scalar");
  CHECK(globals(global("numpy", "load") + hello + "R") == "numpy.load");
  CHECK(globals(global("numpy.f2py.diagnose", "run") + hello + "R") != "");
  CHECK(globals(global("torchx", "FloatStorage")) == "torchx.FloatStorage");
  CHECK(globals(global("torch.utils.collect_env", "run") + hello + "R") == "torch.utils.collect_env.run");
  for (const std::string& known :
       {global("collections", "OrderedDict"), global("torch", "FloatStorage"), global("torch", "float16"), global("torch.cuda", "HalfStorage"),
        global("torch._utils", "_rebuild_tensor_v2"), global("numpy.core.multiarray", "scalar"), global("numpy._core.multiarray", "_reconstruct"),
        global("torch.nn.modules.conv", "Conv2d"), global("torch.nn.parameter", "Parameter"), global("torch", "per_tensor_affine"),
        global("torch.nn.modules.linear", "_LinearWithBias"), global("torch", "FloatTensor")}) {
    CHECK(globals(known) == "");
  }
  // In a file inside of the file, and in the small pickles of the legacy form.
  const std::string inner = torch_legacy(storage("FloatStorage", "0", 4) + global("os", "system") + hello + "R0");
  CHECK(globals(global("torch.storage", "_load_from_bytes") + "(B" + ZipWriter::text<uint32_t>(inner.size()) + inner + "tR") == "os.system");
  std::string legacy = torch_legacy(four());
  const size_t at = legacy.find("little_endian") - 7;
  legacy.insert(at, global("os", "system") + hello + "R0");
  auto c = Checkpoint::open(source_of(legacy));
  REQUIRE_MESSAGE(c.ok(), c.error().message());
  CHECK(c->unknown_globals() == std::vector<std::string>{"os.system"});
}

TEST_CASE("checkpoint: archives are told apart by content, and others are named") {
  const auto reason = [](const std::string& file) {
    auto c = Checkpoint::open(source_of(file));
    return c ? std::string() : c.error().message();
  };
  const auto archive = [](std::initializer_list<const char*> names) {
    ZipWriter zip;
    for (const char* name : names) zip.add(name, pickled("N"));
    return zip.finish();
  };
  CHECK(reason(archive({"x/data.pkl"})) == "");
  CHECK(reason(archive({"data.pkl"})) == "");
  CHECK(reason(archive({"readme", "y/z/data.pkl", "x/data.pkl"})) == "");
  CHECK(contains(reason(archive({"x/data.pkl", "y/data.pkl"})), "two files data.pkl"));
  CHECK(contains(reason(archive({"x/data.pkl", "data.pkl"})), "two files data.pkl"));
  CHECK(contains(reason(archive({"word/document.xml"})), "no PyTorch file"));
  CHECK(contains(reason(archive({"x/y/data.pkl"})), "no PyTorch file"));
  for (const std::string& yes : {torch_zip("N"), torch_legacy("N"), pickled("N") + std::string(70, '.'), "(lp0\n."s, "cos\nsystem\n(S'x'\ntR."s,
                                 "L119547037146038801333356L\n."s}) {
    CHECK(torch::looks_like_checkpoint(source_of(yes).bytes));
  }
  for (const std::string& no : {""s, "\x80"s, "\x80\x02"s, "\x08\x07"s, "(just a text)."s, "{\"a\": 1}"s, "Sequential(\n)"s,
                                "\x80\x09"
                                "123."s,
                                "]]]]x."s, "(lp0\n.trailing."s}) {
    CHECK_FALSE(torch::looks_like_checkpoint(source_of(no).bytes));
  }
}

TEST_CASE("checkpoint: the bytes of an archive are little-endian unless it says so") {
  ZipWriter zip;
  zip.add("x/data.pkl", pickled(four()));
  zip.add("x/byteorder", "middle");
  zip.add("x/data/0", std::string(16, '\1'));
  CHECK(contains(refusal(zip.finish()), "neither little nor big"));
}

TEST_CASE("checkpoint: a storage must have the bytes that its tensors say") {
  const auto with = [](const std::string& object, size_t bytes) { return refusal(torch_zip(object, {{"0", std::string(bytes, '\1')}})); };
  CHECK(with(four(), 16) == "");
  CHECK(contains(with(four(), 15), "storage 0 has 15 bytes, its tensors say 16"));
  CHECK(contains(with(four(), 17), "storage 0 has 17 bytes"));
  CHECK(contains(with(four(), 0), "storage 0 has 0 bytes"));
  CHECK(contains(with(tensor(storage("FloatStorage", "1", 4), 0, {4}, {1}), 16), "data/1 is not in the archive"));
  CHECK(contains(with(tensor(storage("FloatStorage", "../0", 4), 0, {4}, {1}), 16), "is not in the archive"));
  CHECK(contains(with(tensor(storage("FloatStorage", "0", -4), 0, {4}, {1}), 16), "states -4 elements"));
  CHECK(contains(with(tensor(storage("FloatStorage", "0", int64_t(1) << 62), 0, {4}, {1}), 16), "states 4611686018427387904 elements"));
  CHECK(contains(with(tensor(storage("WeirdStorage", "0", 4), 0, {4}, {1}), 16), "torch.WeirdStorage"));
  CHECK(contains(with(list({four(), tensor(storage("HalfStorage", "0", 4), 0, {4}, {1})}), 16), "two sizes"));
  CHECK(with(list({four(), tensor(storage("HalfStorage", "0", 8), 0, {4}, {1})}), 16) == "");
  CHECK(contains(with(dict({{"layer.w", tensor(storage("FloatStorage", "0", 4), 1, {4}, {1})}}), 16),
                 "layer.w: a tensor of sizes [4], strides [1] and offset 1 reaches beyond"));
  CHECK(contains(with(tensor("N", 0, {4}, {1}), 16), "no persistent id"));
  CHECK(contains(with(tensor("N"
                             "Q",
                             0, {4}, {1}),
                      16),
                 "no storage"));
  CHECK(contains(with(tensor(storage("FloatStorage", "0", 4), 0, {4}, {}), 16), "1 sizes and 0 strides"));
}

TEST_CASE("checkpoint: legacy storages must be those of the tensors, whole and once") {
  CHECK(names(torch_legacy(dict({{"a", four()}}))) == "a");
  const std::string ones(16, '\x3f');
  CHECK(contains(refusal(torch_legacy(four(), {})), "storage 0 is not in the file"));
  CHECK(contains(refusal(torch_legacy(four(), {{"1", 4, ones}})), "storage 1 is used by no tensor"));
  CHECK(contains(refusal(torch_legacy(four(), {{"0", 5, ones + "1234"}})), "has 5 elements, its tensors say 4"));
  CHECK(contains(refusal(torch_legacy(four(), {{"0", 4, ones.substr(1)}})), "truncated in storage 0"));
  CHECK(contains(refusal(torch_legacy(four(), {{"0", 4, ones}, {"0", 4, ones}})), "there twice"));
  const std::string old = torch_legacy(four());
  CHECK(contains(refusal(std::string(old).replace(old.find("\xe9\x03"), 2, "\xea\x03")), "unknown version"));
  // The views of old files: a storage that is a piece of another, counted in elements.
  const auto piece = [](int64_t offset, int64_t elements) {
    return tensor("(" + text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + integer(4) + "(" + text("v") + integer(offset) +
                      integer(elements) + "ttQ",
                  0, {2}, {1});
  };
  std::string data;
  for (const float f : {1.f, 2.f, 3.f, 4.f}) data.append(reinterpret_cast<const char*>(&f), 4);
  const std::string file = torch_legacy(piece(1, 2), {{"0", 4, data}});
  auto c = Checkpoint::open(source_of(file));
  auto all = c->list();
  REQUIRE(all.ok());
  auto made = dense(all->entries[0].tensor, 0);
  REQUIRE(made.ok());
  CHECK(made->data<float>()[0] == 2);
  CHECK(made->data<float>()[1] == 3);
  CHECK(contains(refusal(torch_legacy(piece(3, 2), {{"0", 4, data}})), "beyond its end"));
  CHECK(contains(refusal(torch_legacy(piece(-1, 2), {{"0", 4, data}})), "beyond its end"));
  CHECK(contains(refusal(torch_legacy(piece(2, 1), {{"0", 4, data}})), "reaches beyond"));
}

TEST_CASE("checkpoint: tensors before 0.4, meta tensors, sparse ones, lazy parameters") {
  std::deque<std::string> files;  // the entries are views of them
  const auto first = [&](const std::string& object) {
    auto c = Checkpoint::open(source_of(files.emplace_back(torch_zip(object))));
    REQUIRE(c.ok());
    auto all = c->list();
    REQUIRE_MESSAGE(all.ok(), all.error().message());
    REQUIRE(all->entries.size() == 1);
    return all->entries[0];
  };
  const std::string old =
      global("torch", "FloatTensor") + ")R(" + storage("FloatStorage", "0", 4) + integer(1) + integers({3}) + integers({1}) + "tb";
  CHECK(row(first(old)).substr(0, 9) == "|f32|3|12");
  CHECK(contains(refusal(torch_zip(global("torch", "FloatTensor") + ")R")), "no data"));
  const std::string meta =
      global("torch._utils", "_rebuild_meta_tensor_no_storage") + "(" + global("torch", "float64") + integers({2, 3}) + integers({3, 1}) + "\x89tR";
  CHECK(row(first(meta)) == "|f64|2x3|48|00000000");
  CHECK(contains(first(meta).tensor.refusal, "meta"));
  const std::string sparse = global("torch._utils", "_rebuild_sparse_tensor") + "(" + global("torch", "sparse_coo") + "(" +
                             tensor(storage("FloatStorage", "0", 4), 0, {1, 4}, {4, 1}) + four() + integers({9}) + "ttR";
  CHECK(contains(first(sparse).tensor.refusal, "sparse"));
  CHECK(first(sparse).tensor.sizes == Ints{9});
  CHECK(contains(dense(first(sparse).tensor, 0).error().message(), "sparse"));
  CHECK(contains(first(global("torch.nn.parameter", "UninitializedParameter") + "\x88\x85R").tensor.refusal, "uninitialised"));
  const std::string parameter = global("torch._utils", "_rebuild_parameter") + "(" + four() + "\x88" + global("collections", "OrderedDict") + ")RtR";
  CHECK(first(parameter).tensor.parameter);
  CHECK_FALSE(first(four()).tensor.parameter);
  const std::string mine = global("torch._tensor", "_rebuild_from_type_v2") + "(" + global("torch._utils", "_rebuild_tensor_v2") +
                           global("mine", "MyTensor") + integers({}) + "}tR";
  CHECK(contains(first(mine).tensor.refusal, "class mine.MyTensor"));
  const std::string known = global("torch._tensor", "_rebuild_from_type_v2") + "(" + global("torch._utils", "_rebuild_tensor_v2") +
                            global("mine", "MyTensor") + "(" + storage("FloatStorage", "0", 4) + integer(0) + integers({2, 2}) + integers({2, 1}) +
                            "\x89" + global("collections", "OrderedDict") + ")Rt}tR";
  CHECK(row(first(known)) == "|f32|2x2|16|00000000");
  CHECK(contains(first(known).tensor.refusal, "class mine.MyTensor"));
  const std::string packed = global("torch._utils", "_rebuild_qtensor") + "(" + storage("QUInt4x2Storage", "0", 16) + integer(0) + integers({4, 8}) +
                             integers({8, 1}) + "N\x89" + global("collections", "OrderedDict") + ")RtR";  // 32 elements in 16 bytes
  CHECK(contains(first(packed).tensor.refusal, "packed quantised tensor (quint4x2)"));
  CHECK(first(packed).tensor.sizes == Ints{4, 8});
  CHECK(contains(refusal(torch_zip(global("torch._utils", "_rebuild_tensor_v2") + ")R")), "make no sense"));
}

TEST_CASE("checkpoint: a tensor that the pickle changes after it was made is refused") {
  const std::string i = "K\1", value = "G" + std::string(8, '\0');
  for (const std::string& change : {i + value + "s", "(" + i + value + "u", value + "a", "(" + value + value + "e"}) {
    const std::string file = torch_zip(dict({{"w", four() + change}, {"b", four()}}));
    CHECK_MESSAGE(contains(refusal(file), "w: the pickle changes a tensor after it was made"), refusal(file));
    auto c = Checkpoint::open(source_of(file));
    CHECK(c->list().error().code() == Code::kUnsupported);
  }
  const std::string parameter = "ctorch._utils\n_rebuild_parameter\n(" + four() + value + "a" + "\x88" + dict({}) + "tR";
  CHECK(contains(refusal(torch_zip(dict({{"w", parameter}}))), "changes a tensor"));
  const std::string state = "(" + storage("FloatStorage", "0", 4) + "K\1(K\3t(K\1ttb";  // Tensor.__setstate__ sets the storage anew
  CHECK(contains(refusal(torch_zip(dict({{"w", four() + state}}))), "changes a tensor"));
  CHECK(refusal(torch_zip(dict({{"w", four() + dict({{"tag", "K\1"}}) + "b"}}))) == "");  // attributes are not elements
}

TEST_CASE("checkpoint: NumPy's arrays are weights only where there are no tensors") {
  const std::string dtype =
      global("numpy", "dtype") + "(" + text("f4") + "\x89\x88tR(K\3" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s;
  const std::string array = global("numpy.core.multiarray", "_reconstruct") + "(" + global("numpy", "ndarray") + integers({0}) + "C\1btR(K\1" +
                            integers({2}) + dtype +
                            "\x89"
                            "C\x08"
                            "12345678tb";
  CHECK(names(torch_zip(dict({{"a", array}}))) == "a");
  CHECK(names(torch_zip(dict({{"a", array}, {"t", four()}}))) == "t");
  CHECK(candidates(torch_zip(dict({{"m", dict({{"a", array}})}}))) == "m:1");
}

}  // namespace tern::test::in_torch_checkpoint
