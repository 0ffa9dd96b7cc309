// What a session is asked for beyond its dims: weights in fewer bits, and to be kept warm. Contract: SessionOptions in tern.h.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "runtime/base/half.h"
#include "runtime/model.h"
#include "runtime/plan/program.h"
#include "tests/support/graph_builder.h"
#include "tests/support/threads.h"

namespace tern::test::in_session_options {
namespace {

// Weights that bf16 holds, where `round`.
Tensor weights(Dims dims, uint32_t seed, bool round) {
  Tensor t = random_f32(dims, seed, -0.3f, 0.3f);
  for (int64_t i = 0; round && i < t.count(); ++i) t.mutable_data<float>()[i] = to_f32(to_bf16(t.data<float>()[i]));
  return t;
}

// Two products, an LSTM between them.
Model net(bool round) {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), 64});
  auto h = b.node("Relu", {b.node("MatMul", {x, b.constant(weights({64, 80}, 1, round))})});
  auto window = b.node("Reshape", {h, b.ints({4, -1, 20})});
  auto y = b.nodes("LSTM", {window, b.constant(weights({1, 256, 20}, 2, round)), b.constant(weights({1, 256, 64}, 3, round))}, 1,
                   {{"hidden_size", int64_t(64)}})[0];
  b.output(b.node("Reshape", {y, b.ints({-1, 256})}), "y");
  auto model = make_model(b.graph, {});
  REQUIRE(model.ok());
  return *model;
}

Session session(const Model& model, SessionOptions options) {
  auto made = model.session(options);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().message()));
  return std::move(*made);
}
SessionOptions with(std::string weights, int64_t batch = 2, int threads = 1, std::string isa = "") {
  SessionOptions o;
  o.dims = {{"batch", batch}};
  o.weights = std::move(weights);
  o.threads = threads;
  o.isa = std::move(isa);
  return o;
}

std::vector<float> computed(Session& s) {
  std::span<float> x = s.input<float>("x");
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 64 * 37 % 29) / 13 - 1;
  CHECK(s.run());
  const auto y = s.output<float>("y");
  return {y.begin(), y.end()};
}
void check_equal(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

size_t count(const std::string& text, const std::string& word) {
  size_t n = 0;
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
  return n;
}
int64_t packed_bytes(const Session& s) {
  const std::string text = s.text(), before = "packed weights of ";
  return std::stoll(text.substr(text.find(before) + before.size()));
}

}  // namespace

TEST_CASE("weights: a session in bf16 rounds weights, is near f32, and is the same for every ISA and number of threads") {
  const Model exact = net(false), round = net(true);
  Session f32 = session(round, with("f32")), bf16 = session(round, with("bf16"));
  const std::vector<float> plain = computed(f32), wanted = computed(bf16);
  float worst = 0;  // the LSTM rounds its inputs and states too
  for (size_t i = 0; i < wanted.size(); ++i) worst = std::max(worst, std::fabs(wanted[i] - plain[i]));
  CHECK(worst > 0);
  CHECK(worst < 0.004f);
  for (Isa isa : runnable_isas()) {
    for (int threads : thread_counts()) {
      Session again = session(exact, with("bf16", 2, threads, name(isa)));
      check_equal(computed(again), wanted);
    }
  }
}

TEST_CASE("weights: int8 is near f32 and the same for every batch, ISA and number of threads") {
  const Model model = net(false);
  Session f32 = session(model, with("")), int8 = session(model, with("int8"));
  const std::vector<float> plain = computed(f32), y = computed(int8);
  float worst = 0;
  for (size_t i = 0; i < y.size(); ++i) worst = std::max(worst, std::fabs(y[i] - plain[i]));
  CHECK(worst > 0);
  CHECK(worst < 0.01f);
  for (Isa isa : runnable_isas()) {
    for (int threads : thread_counts()) {
      Session again = session(model, with("int8", 2, threads, name(isa)));
      check_equal(computed(again), y);
    }
  }
}

TEST_CASE("weights: the plan tells the kernels and how many bytes are packed, each form once per model") {
  const Model model = net(false);
  const Session f32 = session(model, with("")), bf16 = session(model, with("bf16")), int8 = session(model, with("int8"));
  CHECK(count(f32.text(), "_weights_") == 0);
  CHECK(count(bf16.text(), "gemm_weights_bf16/f32") == 1);
  CHECK(count(bf16.text(), "lstm_weights_bf16/f32") == 1);
  CHECK(count(int8.text(), "_weights_int8/f32") == 2);
  const int64_t elements = 64 * 80 + 256 * 84;
  CHECK(packed_bytes(f32) >= 4 * elements);
  CHECK(packed_bytes(bf16) >= 2 * elements);
  CHECK(packed_bytes(bf16) < 2 * elements + 2048);
  CHECK(packed_bytes(int8) >= elements);
  CHECK(packed_bytes(int8) < elements + 6144);  // scales, and of the LSTM what sums begin with
  const size_t before = model.state().packs.bytes();
  const Session second = session(model, with("int8", 3));
  CHECK(model.state().packs.bytes() == before);
}

TEST_CASE("weights: what is no form, a device, and a model without such products are refused") {
  const Model model = net(false);
  auto refused = [&](const Model& m, SessionOptions o, Code code, const char* word) {
    auto made = m.session(o);
    REQUIRE(!made.ok());
    CHECK(made.error().code() == code);
    CHECK_MESSAGE(made.error().message().find(word) != std::string::npos, made.error().message());
  };
  refused(model, with("int4"), Code::kUsage, "known: f32, bf16, int8");
  for (const char* device : {"cuda", "auto", "cuda,cpu"}) {
    SessionOptions o = with("bf16");
    o.device = device;
    refused(model, o, Code::kUsage, "for the CPU");
  }
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), 8});
  b.output(b.node("MatMul", {x, b.constant(random_f32({8, 8}, 1))}), "y");
  auto small = make_model(b.graph, {});
  REQUIRE(small.ok());
  refused(*small, with("int8"), Code::kUnsupported, "no product");
  CHECK(small->session(with("f32")).ok());
}

TEST_CASE("threads: what takes two microseconds is shared, what takes less is the caller's alone, with the same bits") {
  for (int64_t rows : {2, 300}) {
    GraphBuilder b;
    auto x = b.input("x", {rows, 64});
    auto h = b.node("Relu", {b.node("MatMul", {x, b.constant(random_f32({64, 96}, 1))})});
    b.output(b.node("Softmax", {h}), "y");
    auto model = make_model(b.graph, {});
    REQUIRE(model.ok());
    auto program = make_program(model->state().optimized, {.isa = best_isa({}), .threads = 2});
    REQUIRE(program.ok());
    for (const Work& w : (*program)->work) CHECK(w.parts.size() == (rows == 300 ? 2 : 1));
    if (thread_counts().size() == 1) continue;
    SessionOptions o;
    Session alone = session(*model, o);
    o.threads = 2;
    Session both = session(*model, o);
    check_equal(computed(both), computed(alone));
  }
}

TEST_CASE("keep_warm: outputs, status and inputs are what they were") {
  const Model model = net(false);
  for (int threads : thread_counts()) {
    SessionOptions o = with("", 2, threads);
    Session cold = session(model, o);
    CHECK(!cold.keep_warm());
    o.warm = true;
    Session s = session(model, o);
    const std::vector<float> y = computed(s);
    for (float& x : s.input<float>("x")) x = 7;
    for (int i = 0; i < 3; ++i) CHECK(s.keep_warm());
    const auto after = s.output<float>("y");
    check_equal({after.begin(), after.end()}, y);
    CHECK(s.input<float>("x")[5] == 7);
    CHECK(s.run());
    CHECK(s.output<float>("y")[3] != y[3]);
    check_equal(computed(s), y);
  }
}

TEST_CASE("keep_warm: an index out of range stays told, and one in half-written inputs is not") {
  GraphBuilder b;
  auto at = b.input("at", {2}, DType::i64);
  b.output(b.node("Gather", {b.constant(random_f32({5, 3}, 1)), at}), "y");
  auto model = make_model(b.graph, {});
  REQUIRE(model.ok());
  SessionOptions o;
  o.warm = true;
  Session s = session(*model, o);
  const auto write = [&](int64_t i) { s.input<int64_t>("at")[0] = i; };
  write(9);
  CHECK(!s.run());
  write(1);
  CHECK(s.keep_warm());
  CHECK(!s.status());
  CHECK(s.run());
  write(9);
  CHECK(s.keep_warm());
  CHECK(s.status());
}

}  // namespace tern::test::in_session_options
