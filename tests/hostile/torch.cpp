// Hostile PyTorch files: nothing executes, nothing crashes; one clear line, fast, in no more memory than the file explains. Runs under
// sanitizers too.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>

#include "loaders/torch/weights_file.h"
#include "tests/support/cheap.h"
#include "tests/support/torch_file.h"

namespace tern::test::in_torch {
namespace {

using namespace std::string_literals;

constexpr int64_t kBudget = int64_t(1) << 20;

// The most memory since the last call with `reset`.
int64_t peak_since(bool reset = false) {
  if (reset) {
    if (std::FILE* f = std::fopen("/proc/self/clear_refs", "w")) {
      std::fputs("5", f);
      std::fclose(f);
    }
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

// Everything that `tern inspect` and a loader would do with the file. The error's message; empty when there is none.
std::string use(const std::string& file) {
  const Source source = source_of(file);
  if (!torch::WeightsFile::recognises(source)) return "not a file of PyTorch";
  auto check = [](const Error& e) {
    CHECK((e.code() == Code::kInvalid || e.code() == Code::kUnsupported || e.code() == Code::kUsage));
    CHECK(!e.message().empty());
    return e.message();
  };
  auto opened = torch::WeightsFile::open(source);
  if (!opened) return check(opened.error());
  std::string message;
  (void)opened->never_executed();
  if (auto tree = opened->module(""); tree && *tree) (void)torch::print(**tree);
  auto all = opened->list();
  if (!all) return check(all.error());
  for (const auto& c : opened->candidates()) {
    if (auto weights = opened->select(c.path); !weights) message = check(weights.error());
  }
  for (const auto& e : all->entries) {
    if (auto crc = checksum(e.tensor, kBudget); !crc) message = check(crc.error());
    if (auto made = dense(e.tensor, kBudget); !made) message = check(made.error());
  }
  return message;
}

// The same, under two seconds, and within 64 MB beyond what stood before and `per_byte` times the file's size.
std::string cheaply(const std::string& file, int64_t per_byte = 20) {
  const int64_t before = peak_since(true);
  const std::clock_t start = std::clock();  // not the time of others
  std::string message = use(file);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (!kSanitized) {
    CHECK(seconds < 2 + 0.5e-6 * static_cast<double>(file.size()));
    CHECK(peak_since() - before < 64 * 1024 + per_byte * static_cast<int64_t>(file.size()) / 1024);
  }
  return message;
}

std::string repeated(const std::string& s, size_t n) {
  std::string out;
  out.reserve(s.size() * n);
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

// A bare pickle of the object beside an array of NumPy: one that holds no weights is refused before anything walks its objects.
std::string beside_array(const std::string& object) {
  const std::string dtype =
      global("numpy", "dtype") + "(" + text("f4") + "\x89\x88tR(K\3" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"s;
  const std::string array = global("numpy.core.multiarray", "_reconstruct") + "(" + global("numpy", "ndarray") + integers({0}) + "C\1btR(K\1" +
                            integers({2}) + dtype +
                            "\x89"
                            "C\x08"
                            "12345678tb";
  return pickled("](" + array + object + "e");
}
// What is said of a bare pickle that was read whole and has no tensors.
const std::string kNoTensors =
    "a pickle that holds no tensors, so neither weights nor a module; save the model's with torch.save(model.state_dict(), ...)";

bool contains(const std::string& s, const std::string& part) { return s.find(part) != std::string::npos; }

// One file of each container, with a bit of everything.
std::vector<std::string> samples() {
  const std::string net =
      module("torch.nn.modules.container", "Sequential", {},
             {{"0", module("torch.nn.modules.linear", "Linear", {{"weight", four()}, {"bias", "N"}}, {}, {{"in_features", "K\4"}})}});
  const std::string object = dict({{"model", dict({{"a", four()}, {"b", tensor(storage("FloatStorage", "0", 4), 1, {2, 2}, {0, 1})}})},
                                   {"net", net},
                                   {"lr", "G\x3f\xf8\0\0\0\0\0\0"s}});
  return {torch_zip(object), torch_zip(object, {{"0", std::string(16, '\x3f')}}, {.deflate = true}),
          torch_zip(object, {{"0", std::string(16, '\x3f')}}, {.crc = false, .descriptor = true, .align = 64}), torch_legacy(object),
          beside_array(dict({{"lr", "G\x3f\xf8\0\0\0\0\0\0"s}}) + integers({1, 2}) + global("mine", "C") + ")\x81}b")};
}

}  // namespace

TEST_CASE("hostile torch: nothing of what a pickle calls is executed") {
  const std::string mark = "/tmp/tern_executed_" + std::to_string(::getpid());
  const std::string command = "(" + text("touch " + mark) + "t";
  for (const std::string& call : {global("os", "system") + command + "R", global("posix", "system") + command + "R",
                                  text("os") + text("system") + "\x93" + command + "R", "(" + text("touch " + mark) + "ios\nsystem\n",
                                  "(" + global("os", "system") + text("touch " + mark) + "o", global("os", "system") + command + "\x81",
                                  global("os", "system") + command + "}\x92", global("subprocess", "Popen") + command + "R" + command + "b"}) {
    for (const std::string& file : {torch_zip(call), torch_zip(call + "0" + four()), torch_legacy(call, {}), beside_array(call),
                                    torch_zip(dict({{"w", four()}, {"x", call}}))}) {
      CHECK(cheaply(file) == "");
      auto opened = torch::WeightsFile::open(source_of(file));
      REQUIRE(opened.ok());
      CHECK(opened->never_executed().size() == 1);
      CHECK(::access(mark.c_str(), F_OK) != 0);
    }
    CHECK(cheaply(pickled(call)) == kNoTensors);
    CHECK(::access(mark.c_str(), F_OK) != 0);
  }
}

TEST_CASE("hostile torch: millions of nested containers load or are refused, in time") {
  const size_t kMany = kSanitized ? 1'200'000 : 10'000'000;  // of marks and of the stack 2^20 are taken
  CHECK(contains(cheaply(pickled(repeated("]", kMany) + repeated("a", kMany - 1))), "too deep"));
  CHECK(contains(cheaply(pickled(repeated("(", kMany) + repeated("t", kMany))), "too many marks"));
  CHECK(cheaply(beside_array("N" + repeated("\x85", kMany))) != "");
  CHECK(contains(cheaply(beside_array("N" + repeated("\x85", flood(500'000)))), "nest more than 1000 deep"));
  CHECK(contains(cheaply(beside_array("]" + repeated("q\1]h\1a", 1'000'000))), "nest more than 1000 deep"));
  CHECK(contains(cheaply(torch_zip(repeated("}U\1k", 5000) + four() + repeated("s", 5000))), "nest more than 1000 deep"));
  CHECK(cheaply(torch_zip(repeated("}U\1k", 900) + four() + repeated("s", 900))) == "");
  CHECK(cheaply(beside_array("cm\nC\n)R" + repeated(")R", flood(1'000'000)))) == "");  // calls of calls
  CHECK(cheaply(beside_array("N" + repeated("Q", flood(1'000'000)))) == "");
}

TEST_CASE("hostile torch: objects that double at every step are walked once") {
  std::string bomb = "]q\1";
  for (int level = 0; level < 40; ++level) bomb += "0h\1h\1\x86q\1";
  CHECK(cheaply(beside_array(bomb)) == "");
  std::string lists = four() + "q\1";
  for (int level = 0; level < 40; ++level) lists += "0](h\1h\1eq\1";
  (void)cheaply(torch_zip(lists));
  std::string dicts = four() + "q\1";
  for (int level = 0; level < 40; ++level) dicts += "0}(U\1ah\1U\1bh\1uq\1";
  (void)cheaply(torch_zip(dicts));
  std::string modules = module("torch.nn.modules.linear", "Linear", {{"weight", four()}}, {}) + "q\1";
  for (int level = 0; level < 40; ++level) {
    modules += "0" + global("torch.nn.modules.container", "Sequential") + ")\x81}(" + text("_parameters") + "}" + text("_buffers") + "}" +
               text("_modules") + "}(U\1ah\1U\1bh\1uubq\1";
  }
  CHECK(contains(cheaply(torch_zip(modules)), "contain each other too often"));
  std::string attribute = "]q\1";
  for (int level = 0; level < 40; ++level) attribute += "0h\1h\1\x86q\1";
  (void)cheaply(torch_zip(module("torch.nn.modules.linear", "Linear", {{"weight", four()}}, {}, {{"x", attribute}})));
}

TEST_CASE("hostile torch: many references to one object cost no more than the file explains") {
  CHECK(contains(cheaply(torch_zip("](" + four() + "q\1" + repeated("h\1", 900'000) + "e")), "too often"));
  const std::string net = module("torch.nn.modules.linear", "Linear", {{"weight", four()}, {"bias", four()}}, {});
  CHECK(contains(cheaply(torch_zip("](" + net + "q\1" + repeated("h\1", 900'000) + "e")), "too often"));
  (void)cheaply(beside_array("](N" + repeated("2", flood(1'000'000)) + "e"));
  // A hundred thousand names, and keys that repeat.
  std::string many = "}(", same = "}(";
  for (size_t i = 0; i < flood(100'000); ++i) many += text("k" + std::to_string(i)) + "K\1", same += text("k") + "K\1";
  CHECK(cheaply(torch_zip(many + text("w") + four() + "u")) == "");
  CHECK(cheaply(torch_zip(same + text("w") + four() + "u")) == "");
  // Dictionaries within dictionaries that all hold one large one.
  std::string shared = many + "uq\1";
  for (int i = 0; i < 2000; ++i) shared += "}(U\1aK\1U\1bh\1u";
  CHECK(cheaply(torch_zip("](" + shared + "e")) == "");
  // Modules that all hold one large one.
  std::string parts = "}(";
  for (int i = 0; i < 2000; ++i) parts += text(std::to_string(i)) + module("torch.nn.modules.activation", "ReLU", {}, {});
  std::string roots = "](" + global("m", "Big") + ")\x81}(" + text("_parameters") + "}" + text("_modules") + parts + "uubq\1";
  for (int i = 0; i < 2000; ++i) roots += global("m", "Root") + ")\x81}(" + text("_parameters") + "}" + text("_modules") + "}U\1xh\1sub";
  (void)cheaply(torch_zip(roots + "e"));
}

TEST_CASE("hostile torch: a memory bomb of small opcodes is refused in time") {
  const std::string million = repeated("]0", flood(1'000'000));
  (void)cheaply(pickled(repeated(million, 5) + "N"));
  std::string globals;
  for (size_t i = 0; i < flood(300'000); ++i) globals += "c" + std::to_string(i) + "\nx\n0";
  (void)cheaply(pickled(globals + "N"), 60);
  std::string memo;
  for (uint32_t i = 0; i < flood(1'000'000); ++i) memo += "r" + ZipWriter::text<uint32_t>(i * 4000u);
  (void)cheaply(pickled("N" + memo), 30);
  (void)cheaply(pickled("N" + repeated("\x94", flood(3'000'000))));
}

TEST_CASE("hostile torch: members that decompress to more than the file explains are refused") {
  const std::string zeros(size_t(100) << 20, '\0');
  ZipWriter zip;
  zip.add("a/data.pkl", pickled(tensor(storage("FloatStorage", "0", static_cast<int64_t>(zeros.size() / 4)), 0, {1}, {1})));
  zip.add("a/data/0", zeros, {.deflate = true});
  const std::string file = zip.finish();
  int64_t before = peak_since(true);
  CHECK(contains(use(file), "decompress to more than the file explains"));
  if (!kSanitized) CHECK(peak_since() - before < 16 * 1024);
  ZipWriter large;
  large.add("a/data.pkl", zeros, {.deflate = true});
  const std::string pickle = large.finish();
  before = peak_since(true);
  CHECK(contains(use(pickle), "larger than the budget"));
  if (!kSanitized) CHECK(peak_since() - before < 16 * 1024);
}

TEST_CASE("hostile torch: views that lie about their storages are refused") {
  const auto view = [](int64_t offset, const Ints& sizes, const Ints& strides) {
    return cheaply(torch_zip(tensor(storage("FloatStorage", "0", 4), offset, sizes, strides)));
  };
  CHECK(view(0, {4}, {1}) == "");
  constexpr int64_t kMost = INT64_MAX;
  for (const auto& [offset, sizes, strides] : std::vector<std::tuple<int64_t, Ints, Ints>>{{0, {5}, {1}},
                                                                                           {1, {4}, {1}},
                                                                                           {0, {2, 2}, {3, 1}},
                                                                                           {0, {2}, {4}},
                                                                                           {-1, {2}, {1}},
                                                                                           {3, {2}, {-1}},
                                                                                           {0, {-1}, {1}},
                                                                                           {0, {kMost}, {1}},
                                                                                           {0, {kMost, kMost}, {1, 1}},
                                                                                           {0, {2}, {kMost}},
                                                                                           {kMost, {2}, {kMost}},
                                                                                           {kMost, {1}, {1}},
                                                                                           {0, {int64_t(1) << 33, int64_t(1) << 33}, {0, 0}},
                                                                                           {0, {int64_t(1) << 40}, {0}},
                                                                                           {0, {4}, {}},
                                                                                           {0, {}, {1}},
                                                                                           {0, Ints(100, 1), Ints(100, 0)}}) {
    CHECK(view(offset, sizes, strides) != "");
  }
  CHECK(cheaply(torch_zip(tensor(storage("FloatStorage", "0", 4000), 0, {4000}, {1}))) != "");  // a storage shorter than its tensors
}

TEST_CASE("hostile torch: every truncation and every flipped byte is survived") {
  for (const std::string& file : samples()) {
    REQUIRE(use(file) == "");
    for (size_t n = 0; n < file.size(); n += every(1)) (void)use(file.substr(0, n));
    for (size_t i = 0; i < file.size(); i += every(1)) {
      for (const int flip : {1, 0x80, 0xff}) {
        std::string broken = file;
        broken[i] = static_cast<char>(broken[i] ^ flip);
        (void)use(broken);
      }
    }
  }
}

TEST_CASE("hostile torch: random bytes over files and random opcodes are survived") {
  std::mt19937 random(11);
  const std::vector<std::string> files = samples();
  for (int round = 0; round < (kSanitized ? 3000 : 20000); ++round) {
    std::string file = files[random() % files.size()];
    for (unsigned n = 1 + random() % 4; n > 0; --n) file[random() % file.size()] = static_cast<char>(random());
    (void)use(file);
  }
  const std::string opcodes = "()]}.0122aeeussttlbRRQNK\1hhqq\x81\x85\x86\x87\x8f\x90\x94\x88";
  for (int round = 0; round < (kSanitized ? 3000 : 20000); ++round) {
    std::string object = four() + "q\1";
    for (unsigned n = random() % 40; n > 0; --n) {
      const char op = opcodes[random() % opcodes.size()];
      object += op == 'h' || op == 'q' || op == 'K' ? std::string{op, '\1'}
                : op == 'R'                         ? global("collections", "OrderedDict") + ")R"
                                                    : std::string(1, op);
    }
    (void)use(torch_zip(object));
  }
}

}  // namespace tern::test::in_torch
