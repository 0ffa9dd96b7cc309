// Memory that runs short: every k-th allocation fails in turn, once and from there on, through everything that the API does with a model of
// each format. Each call gives an error or what it gives otherwise; nothing ends the process, and no exception crosses the API.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "loaders/load.h"
#include "loaders/npy/npy.h"
#include "runtime/base/cpus.h"
#include "runtime/base/guarded.h"
#include "tern/tern.h"
#include "tern/tern_c.h"
#include "tests/support/allocations.h"
#include "tests/support/cheap.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_memory_failures {
namespace {

const std::string kData = TERN_TEST_DATA "/";

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// What a use of a model gave, in memory that was there before: a digest of all results, or the first error.
struct Use {
  uint64_t digest = 0;
  const char* failed = nullptr;  // the call that gave an error
  const char* wrong = nullptr;   // the call that gave an error without a message, or what it never may
  void add(const void* bytes, size_t n) {
    for (size_t i = 0; i < n; ++i) digest = (digest ^ static_cast<const uint8_t*>(bytes)[i]) * 0x100000001b3u;
  }
  // The error is no surprise; whether it says something is checked.
  bool gave(const Error& error, const char* call, bool always = false) {
    if (failed == nullptr && !always) failed = call;
    if (error.message().empty() || error.code() == Code::kOk) wrong = call;
    return false;
  }
};

const int kThreads = std::min<int>(2, static_cast<int>(usable_cpus().size()));

struct Sample {
  std::string path;
  LoadOptions options = {};
  std::map<std::string, int64_t> dims = {};
  bool copied = false;  // load_bytes
};

// The values of the inputs: in range as indices, whatever the dtype.
void fill(std::span<std::byte> bytes) { std::fill(bytes.begin(), bytes.end(), std::byte{0}); }

void plan_and_run(const Model& model, const Sample& sample, int threads, Use& use) {
  auto options = guarded([&]() -> Result<SessionOptions> { return SessionOptions{.dims = sample.dims, .threads = threads}; });
  if (!options) return (void)use.gave(options.error(), "options");
  auto session = model.session(*options);
  if (!session) return (void)use.gave(session.error(), "session");
  for (const Port& p : session->inputs()) fill(session->input_bytes(p.name));
  if (!session->run()) use.wrong = "run";
  if (auto status = session->status(); !status) use.gave(status.error(), "status");
  for (const Port& p : session->outputs()) use.add(session->output_bytes(p.name).data(), session->output_bytes(p.name).size());
  if (auto second = model.session(*options)) {  // it shares the program
    if (!second->run()) use.wrong = "run of a second session";
  } else {
    use.gave(second.error(), "second session");
  }
  double ns[256];
  if (session->steps().size() > std::size(ns) || !session->run_timed(ns)) use.wrong = "run_timed";
  (void)session->text();
  (void)session->isa();
  if (auto none = session->try_input<float>("there is no such input"); none) {
    use.wrong = "try_input";
  } else {
    use.gave(none.error(), "try_input", true);
  }
  for (const Port& p : session->outputs()) (void)session->dims(p.name);
  Session moved = std::move(*session);
  moved.run();
}

// Everything that the C++ API does with a model.
Use use_model(const Sample& sample, const std::string& bytes, std::span<const Array> arrays) {
  Use use;
  auto model = sample.copied ? load_bytes(std::as_bytes(std::span(bytes)), sample.options) : load(sample.path, sample.options);
  if (!model) {
    use.gave(model.error(), "load");
    return use;
  }
  (void)model->inputs();
  (void)model->outputs();
  (void)model->format();
  (void)model->producer();
  (void)model->metadata();
  (void)model->notes();
  (void)model->layers();
  (void)model->layers(sample.dims);
  (void)model->text();
  const int64_t numbers[] = {model->opset(), model->parameters(), model->weight_bytes(), model->data_dependent()};
  use.add(numbers, sizeof numbers);
  plan_and_run(*model, sample, 1, use);
  if (kThreads > 1) plan_and_run(*model, sample, kThreads, use);
  auto out = model->evaluate(arrays);
  if (!out) {
    use.gave(out.error(), "evaluate");
    return use;
  }
  for (const Array& a : *out) use.add(a.bytes.data(), a.bytes.size());
  return use;
}

// Calls f(k) for every k of the `count` allocations. A larger model than the smallest of its format makes more than kEach; the work, which grows
// with the square, would take minutes: there it is every so manieth, a prime, so that no pattern of the code is always missed.
template <class F>
void for_each_failure(int64_t count, F f) {
  const int64_t kEach = kSanitized ? 100 : 1500, kWork = kSanitized ? 25'000 : 400'000;  // kWork: allocations in all
  int64_t stride = 1;
  if (count > kEach) {
    constexpr int64_t kPrimes[] = {3, 5, 7, 11, 13, 17, 23, 31, 41, 53, 71, 97, 127, 167, 223};
    stride = *std::lower_bound(std::begin(kPrimes), std::end(kPrimes) - 1, count * count / 2 / kWork);
  }
  for (int64_t k = 1; k <= count; k += stride) f(k);
}

// `use` gives a Use; it is called until it knows the number of its allocations, then with each of them failing.
template <class F>
void fail_each(F use) {
  const Use settled = use();  // what is made once only is made now
  REQUIRE_MESSAGE(settled.failed == nullptr, std::string(settled.failed == nullptr ? "" : settled.failed));
  fail_allocations(0, false);
  const Use whole = use();
  const int64_t count = stop_failing_allocations();
  REQUIRE(whole.digest == settled.digest);
  REQUIRE(count > 5);
  for (const bool persistent : {false, true}) {
    int64_t refusals = 0;
    for_each_failure(count, [&](int64_t k) {
      fail_allocations(k, persistent);
      const Use got = use();
      stop_failing_allocations();
      refusals += got.failed != nullptr;
      if (got.wrong != nullptr) FAIL("allocation " << k << ": what " << got.wrong << " gives is no answer");
      if (got.failed == nullptr && got.digest != whole.digest) FAIL("allocation " << k << (persistent ? " and after" : "") << ": another result");
    });
    CHECK(refusals > 0);
  }
  const Use after = use();
  CHECK(after.failed == nullptr);
  CHECK(after.digest == whole.digest);
}

void check(Sample sample) {
  const std::string bytes = contents(sample.path);
  auto model = load(sample.path, sample.options);
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  for (const Port& p : model->inputs()) {
    for (const std::string& d : p.shape) {
      if (d.find_first_not_of("0123456789") != d.npos) sample.dims[d] = 8;  // also of pictures
    }
  }
  auto session = model->session({.dims = sample.dims});
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? "" : session.error().message()));
  std::vector<Array> arrays;
  for (const Port& p : session->inputs()) {
    arrays.push_back({p.dtype, session->dims(p.name), std::vector<std::byte>(session->input_bytes(p.name).size()), {}});
    fill(arrays.back().bytes);
  }
  fail_each([&] { return use_model(sample, bytes, arrays); });
}

}  // namespace

TEST_CASE("memory failures: an ONNX model, from its file and from memory") {
  check({kData + "models/volatility_lstm/model.onnx", {.map_files = true}});
  check({kData + "models/digits_cnn/model.onnx", {}, {}, true});
}

TEST_CASE("memory failures: ONNX with external data and a branch") {
  char folder[] = "/tmp/tern_memory_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/model.onnx", weights = std::string(folder) + "/w.bin";
  const Proto w = tensor("w", 1, {64}).m(13, Proto().s(1, "location").s(2, "w.bin")).i(14, 1);
  const Proto taken = graph({node("Add", {"x", "w"}, {"then"})}, {}, {output("then")}),
              other = graph({node("Relu", {"x"}, {"else"})}, {}, {output("else")});
  const Proto m =
      model(13, {node("If", {"c"}, {"y"}, {attr_graph("then_branch", taken), attr_graph("else_branch", other)}), node("Identity", {"w"}, {"z"})},
            {input("c", 9, {1}), input("x", 1, {"n", 64})}, {output("y"), output("z")}, {w});
  std::ofstream(path, std::ios::binary) << m.data;
  std::ofstream(weights, std::ios::binary) << std::string(256, '\1');
  check({path});
  unlink(path.c_str());
  unlink(weights.c_str());
  rmdir(folder);
}

TEST_CASE("memory failures: a state_dict with an architecture") {
  LoadOptions options;
  options.architecture = contents(kData + "torch/command/net.txt");
  options.architecture_name = "net.txt";
  SUBCASE("zip") { check({kData + "torch/command/net.pth", options}); }
  SUBCASE("legacy") { check({kData + "torch/command/legacy.pth", options}); }
  SUBCASE("safetensors") { check({kData + "torch/command/net.safetensors", options}); }
  // Each allocation of the readers themselves: no weight is used. (legacy.pth has its own modules, and takes no other tree.)
  options.architecture = "Sequential(\n  (0): ReLU()\n)\n";
  options.strict = false;
  options.inputs = {{"input", DType::f32, {"n", "4"}}};
  SUBCASE("zip, each") { check({kData + "torch/command/net.pth", options}); }
  SUBCASE("safetensors, each") { check({kData + "torch/command/net.safetensors", options}); }
}

TEST_CASE("memory failures: a whole module") {
  LoadOptions options;
  options.architecture = contents(kData + "torch/command/forwards.txt");
  options.architecture_name = "forwards.txt";
  check({kData + "torch/command/whole.pth", options});
}
TEST_CASE("memory failures: an exported program") { check({kData + "torch/export/mlp-2.14.pt2"}); }
TEST_CASE("memory failures: an exported program with branches") { check({kData + "torch/export/branches-2.14.pt2"}); }

TEST_CASE("memory failures: arrays of a .npz") {
  const std::string npz = contents(kData + "torch/command/net.npz");
  REQUIRE(!npz.empty());
  fail_each([&] {
    Use use;
    auto arrays = guarded([&] { return read_npz(std::as_bytes(std::span(npz))); });
    if (!arrays) {
      use.gave(arrays.error(), "read_npz");
      return use;
    }
    for (const auto& [name, tensor] : *arrays) use.add(tensor.raw(), tensor.bytes());
    return use;
  });
}

TEST_CASE("memory failures: the C interface") {
  const std::string path = kData + "models/digits_mlp/model.onnx";
  const tern_dim batch = {"batch", 1};
  const float pixels[64] = {};
  const tern_array image = {2, 4, {1, 1, 8, 8}, pixels, sizeof pixels};
  fail_each([&] {
    Use use;
    tern_error error;
    auto failed = [&](const char* call) {
      use.gave(guarded([&]() -> Result<int> { return Error(static_cast<Code>(error.code), error.message[0] != 0 ? "no memory" : ""); }).error(),
               call);
    };
    tern_load_options load_options = TERN_LOAD_OPTIONS_INIT;
    tern_model* model = tern_load_with(path.c_str(), &load_options, &error);
    if (model == nullptr) {
      failed("tern_load");
      return use;
    }
    tern_model_port port;
    if (tern_model_input(model, 0, &port) != 0 || tern_model_output(model, 0, &port) != 0) use.wrong = "tern_model_input";
    tern_arrays* arrays = tern_evaluate(model, &image, 1, nullptr, &error);
    if (arrays == nullptr) {
      failed("tern_evaluate");
    } else {
      tern_array out;
      if (tern_arrays_get(arrays, 0, &out) == 0) use.add(out.data, out.bytes);
      tern_arrays_free(arrays);
    }
    tern_session_options options = TERN_SESSION_OPTIONS_INIT;
    options.dims = &batch;
    options.dim_count = 1;
    tern_session* session = tern_session_new(model, &options, &error);
    tern_model_free(model);
    if (session == nullptr) {
      failed("tern_session_new");
      return use;
    }
    tern_port x, y;
    if (tern_input(session, 0, &x) == 0) std::memset(x.data, 0, x.bytes);
    double ns[256];
    tern_step step = {};
    step.size = sizeof step;
    if (tern_find_input(session, "there is no such input", &y) != 2) use.wrong = "tern_find_input";
    if (tern_step_get(session, 0, &step) != 0) use.failed = "tern_step_get";
    if (tern_run_timed(session, ns, std::size(ns)) != 0) use.wrong = "tern_run_timed";
    if (tern_run(session) != 0) use.wrong = "tern_run";
    if (tern_output(session, 0, &y) == 0) use.add(y.data, y.bytes);
    tern_session_free(session);
    return use;
  });
}

TEST_CASE("memory failures: sequences and optionals through the C interface") {
  const Proto vector = Proto().m(1, Proto().i(1, 1)), list = Proto().m(4, Proto().m(1, vector));
  auto value = [](const char* name, const Proto& type) { return Proto().s(1, name).m(2, type); };
  const Proto body = graph({node("Add", {"e", "x"}, {"r"})}, {value("e", vector)}, {output("r")});
  const Proto with = graph({node("SequenceInsert", {"m", "x"}, {"w"})}, {}, {output("w")}),
              without = graph({node("SequenceErase", {"m"}, {"v"})}, {}, {output("v")});
  const Proto m = model(18,
                        {node("SequenceMap", {"s"}, {"m"}, {attr_graph("body", body)}), node("SplitToSequence", {"x"}, {"p"}),
                         node("If", {"c"}, {"i"}, {attr_graph("then_branch", with), attr_graph("else_branch", without)}),
                         node("Optional", {"i"}, {"o"}), node("ConcatFromSequence", {"p"}, {"y"}, {attr("axis", int64_t(0))})},
                        {value("s", list), input("x", 1, {"n"}), input("c", 9, {})}, {output("p"), output("o"), output("y")});
  const float x[2] = {1, 2};
  const bool yes = true;
  const tern_array elements[] = {{2, 1, {2}, x, sizeof x}, {2, 0, {}, x, sizeof x[0]}};
  const tern_array in[] = {{15, 0, {}, elements, sizeof elements}, elements[0], {13, 0, {}, &yes, 1}};
  fail_each([&] {
    Use use;
    tern_error error;
    auto failed = [&](const char* call) {
      use.gave(guarded([&]() -> Result<int> { return Error(static_cast<Code>(error.code), error.message[0] != 0 ? "no memory" : ""); }).error(),
               call);
    };
    tern_model* loaded = tern_load_bytes(m.data.data(), m.data.size(), &error);
    if (loaded == nullptr) {
      failed("tern_load_bytes");
      return use;
    }
    tern_arrays* arrays = tern_evaluate(loaded, in, 3, nullptr, &error);
    tern_model_free(loaded);
    if (arrays == nullptr) {
      failed("tern_evaluate");
      return use;
    }
    tern_array out;
    for (size_t o = 0; o < 2 && tern_arrays_get(arrays, o, &out) == 0; ++o) {
      const auto* parts = static_cast<const tern_array*>(out.data);
      for (size_t i = 0; i < out.bytes / sizeof out; ++i) use.add(parts[i].data, parts[i].bytes);
    }
    tern_arrays_free(arrays);
    return use;
  });
}

}  // namespace tern::test::in_memory_failures
