// Indices out of range: the plan says false and where, the evaluator fails with the same words, for every operator that is driven by
// indices, in branches, in parts, run after run. Contract: BindContext::fault in kernels/binding.h, Session::status in tern.h.
#include <doctest/doctest.h>

#include <cstring>

#include "runtime/model.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_faults {
namespace {

Model make(GraphBuilder& b) {
  auto model = make_model(b.graph, {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
  return *model;
}

Tensor i32(Dims dims, std::vector<int32_t> values) { return Tensor::of<int32_t>(dims, std::span<const int32_t>(values)); }

void write(Session& s, const std::string& name, const Tensor& t) {
  auto to = s.input_bytes(name);
  REQUIRE(to.size() == t.bytes());
  std::memcpy(to.data(), t.raw(), t.bytes());
}

// A model with the inputs "index" and maybe others, whose contents stay the same.
struct Case {
  Model model;
  std::vector<std::pair<std::string, Tensor>> others;
};

// Runs legal, illegal, legal: on every ISA, with 1 and 2 threads. Nothing sticks to a session.
void check(const Case& c, const Tensor& legal, const std::vector<Tensor>& illegal, const std::string& error) {
  INFO(error);
  auto arrays = [&](const Tensor& index) {
    std::vector<Array> in;
    for (const Port& p : c.model.inputs()) {
      if (p.name == "index") in.push_back(to_array(index));
      for (const auto& [name, t] : c.others) {
        if (p.name == name) in.push_back(to_array(t));
      }
    }
    return in;
  };
  auto expected = c.model.evaluate(arrays(legal));
  REQUIRE_MESSAGE(expected.ok(), (expected.ok() ? std::string() : expected.error().message()));
  for (Isa isa : runnable_isas()) {
    for (int threads : {1, 2}) {
      auto s = c.model.session({.threads = threads, .isa = name(isa)});
      REQUIRE_MESSAGE(s.ok(), (s.ok() ? std::string() : s.error().message()));
      for (const auto& [name, t] : c.others) write(*s, name, t);
      auto run_legal = [&] {
        write(*s, "index", legal);
        CHECK(s->run());
        CHECK(s->status().ok());
        for (size_t o = 0; o < expected->size(); ++o) {
          auto bytes = s->output_bytes(c.model.outputs()[o].name);
          REQUIRE(bytes.size() == (*expected)[o].bytes.size());
          CHECK(std::memcmp(bytes.data(), (*expected)[o].bytes.data(), bytes.size()) == 0);
        }
      };
      run_legal();
      for (const Tensor& index : illegal) {
        write(*s, "index", index);
        CHECK_FALSE(s->run());
        CHECK(s->status().error().code() == Code::kInvalid);
        CHECK(s->status().error().message() == error);
        std::vector<double> ns(s->steps().size());
        CHECK_FALSE(s->run_timed(ns));
      }
      run_legal();
    }
  }
  for (const Tensor& index : illegal) {
    auto refused = c.model.evaluate(arrays(index));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code() == Code::kInvalid);
    CHECK(refused.error().message() == error);
  }
}

// y = op(x, index) with x a constant [5,3] of random numbers.
Case indexed(const char* op, DType dtype, Shape index, Attrs attrs = {}) {
  GraphBuilder b;
  auto k = b.input("index", std::move(index), dtype);
  b.output(b.node(op, {b.constant(random_f32({5, 3}, 1)), k}, attrs), "y");
  return {make(b), {}};
}

Case scattered(const char* op, DType dtype, Shape index, Shape updates, Attrs attrs = {}) {
  GraphBuilder b;
  auto x = b.input("x", {5, 3}), k = b.input("index", std::move(index), dtype), u = b.input("u", updates);
  b.output(b.node(op, {x, k, u}, attrs), "y");
  return {make(b), {{"x", random_f32({5, 3}, 1)}, {"u", random_f32(updates.concrete(), 2)}}};
}

constexpr int64_t kLow = INT64_MIN, kHigh = INT64_MAX;

}  // namespace

TEST_CASE("faults: Gather along either axis, by i64 and i32") {
  const std::vector<Tensor> bad = {i64({2}, {0, 5}), i64({2}, {-6, 0}), i64({2}, {kLow, kHigh}), i64({2}, {5, -6})};
  check(indexed("Gather", DType::i64, {2}), i64({2}, {-5, 4}), bad, "n0 (Gather): an index was out of range [-5, 5)");
  const std::vector<Tensor> bad32 = {i32({2}, {0, 3}), i32({2}, {-4, 0}), i32({2}, {INT32_MIN, INT32_MAX})};
  check(indexed("Gather", DType::i32, {2}, {{"axis", int64_t(1)}}), i32({2}, {-3, 2}), bad32, "n0 (Gather): an index was out of range [-3, 3)");
}

TEST_CASE("faults: GatherElements and GatherND") {
  check(indexed("GatherElements", DType::i64, {1, 3}), i64({1, 3}, {4, -5, 0}), {i64({1, 3}, {0, 0, 5}), i64({1, 3}, {-6, 0, 0})},
        "n0 (GatherElements): an index was out of range [-5, 5)");
  check(indexed("GatherND", DType::i64, {2, 1}), i64({2, 1}, {4, -5}), {i64({2, 1}, {0, 5})}, "n0 (GatherND): an index was out of range [-5, 5)");
  check(indexed("GatherND", DType::i32, {2, 2}), i32({2, 2}, {4, 2, -5, -3}), {i32({2, 2}, {0, 0, 4, 3}), i32({2, 2}, {-6, 0, 0, 0})},
        "n0 (GatherND): an index was out of range of [5,3]");
}

TEST_CASE("faults: ScatterElements and ScatterND, with and without a reduction") {
  for (const char* reduction : {"none", "add"}) {
    check(scattered("ScatterElements", DType::i64, {1, 3}, {1, 3}, {{"reduction", std::string(reduction)}}), i64({1, 3}, {4, -5, 0}),
          {i64({1, 3}, {0, 5, 0}), i64({1, 3}, {0, -6, 0})}, "n0 (ScatterElements): an index was out of range [-5, 5)");
    check(scattered("ScatterND", DType::i64, {2, 1}, {2, 3}, {{"reduction", std::string(reduction)}}), i64({2, 1}, {4, -5}),
          {i64({2, 1}, {0, kHigh})}, "n0 (ScatterND): an index was out of range [-5, 5)");
    check(scattered("ScatterND", DType::i32, {2, 2}, {2}, {{"reduction", std::string(reduction)}}), i32({2, 2}, {4, 2, 0, 0}),
          {i32({2, 2}, {0, 3, 0, 0})}, "n0 (ScatterND): an index was out of range of [5,3]");
  }
}

TEST_CASE("faults: lengths of ReverseSequence and of the recurrent operators") {
  GraphBuilder r;
  auto lens = r.input("index", {3}, DType::i64);
  r.output(r.node("ReverseSequence", {r.constant(random_f32({5, 3}, 1)), lens}), "y");
  check({make(r), {}}, i64({3}, {0, 3, 5}), {i64({3}, {0, 6, 0}), i64({3}, {-1, 0, 0}), i64({3}, {kLow, kHigh, 0})},
        "n0 (ReverseSequence): a sequence length was out of range [0, 5]");
  for (const char* op : {"LSTM", "GRU", "RNN"}) {
    const int64_t gates = op[0] == 'L' ? 4 : op[0] == 'G' ? 3 : 1;
    for (DType t : {DType::f32, DType::f64}) {
      GraphBuilder b;
      auto weight = [&](Dims dims, uint32_t seed) { return b.constant(cast(random_f32(dims, seed), t)); };
      auto x = weight({4, 3, 2}, 1), w = weight({1, gates * 5, 2}, 2), h = weight({1, gates * 5, 5}, 3);
      auto n = b.input("index", {3}, DType::i32);
      b.output(b.node(op, {x, w, h, kNone, n}), "y");
      const Model model = make(b);
      check({model, {}}, i32({3}, {0, 2, 4}), {i32({3}, {0, 5, 0}), i32({3}, {0, 0, -1}), i32({3}, {INT32_MIN, INT32_MAX, 0})},
            std::string("n0 (") + op + "): a sequence length was out of range [0, 4]");
      auto s = model.session();
      REQUIRE(s.ok());
      write(*s, "index", i32({3}, {-3, 1000, 2}));
      CHECK_FALSE(s->run());
      auto clamped = model.evaluate(std::vector<Array>{to_array(i32({3}, {0, 4, 2}))});
      REQUIRE(clamped.ok());
      CHECK(std::memcmp(s->output_bytes("y").data(), (*clamped)[0].bytes.data(), (*clamped)[0].bytes.size()) == 0);
    }
  }
}

TEST_CASE("faults: an index beyond the depth of OneHot is none: all are off") {
  GraphBuilder b;
  b.output(b.node("OneHot", {b.input("index", {2}, DType::i64), b.constant(Tensor::scalar(int64_t(3))), b.constant(f32({2}, {0, 1}))}), "y");
  Model model = make(b);
  auto s = model.session();
  REQUIRE(s.ok());
  write(*s, "index", i64({2}, {3, -4}));
  CHECK(s->run());
  for (float v : s->output<float>("y")) CHECK(v == 0.0f);
}

TEST_CASE("faults: a part of a wide gather that another thread computes is heard of") {
  GraphBuilder b;
  auto k = b.input("index", {4096}, DType::i64);
  b.output(b.node("Gather", {b.constant(random_f32({7, 16}, 1)), k}), "y");
  std::vector<int64_t> legal(4096, 3), last = legal, first = legal;
  last.back() = 7;
  first.front() = -8;
  check({make(b), {}}, i64({4096}, legal), {i64({4096}, last), i64({4096}, first)}, "n0 (Gather): an index was out of range [-7, 7)");
}

TEST_CASE("faults: the first node is named, and one that is not run in a branch is not heard of") {
  GraphBuilder b;
  auto condition = b.input("c", Shape(std::vector<Dim>()), DType::boolean);
  auto k = b.input("index", {1}, DType::i64);
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("k", {1}, DType::i64);
    g.output(g.node("Gather", {g.constant(random_f32({branch == 0 ? 4 : 8, 2}, 1)), inner}));
    b.graph.subgraphs.push_back(g.graph);
  }
  auto y = b.nodes("If", {condition, k}, 1, {}, {0, 1})[0];
  b.output(y, "y");
  b.output(b.node("Gather", {b.constant(random_f32({6, 2}, 1)), k}), "z");
  Model model = make(b);
  auto s = model.session();
  REQUIRE(s.ok());
  auto error = [&](bool taken, int64_t index) {
    const Tensor c = boolean({}, {taken}), at = i64({1}, {index});
    write(*s, "c", c);
    write(*s, "index", at);
    const bool fine = s->run();
    const std::string message = s->status().error().message();
    CHECK(fine == message.empty());
    auto evaluated = model.evaluate(std::vector<Array>{to_array(c), to_array(at)});
    CHECK((evaluated ? std::string() : evaluated.error().message()) == message);
    return message;
  };
  CHECK(error(true, 3) == "");
  CHECK(error(true, 4) == "n0 (If): n0 (Gather): an index was out of range [-4, 4)");
  CHECK(error(false, 4) == "");  // the word of the other branch does not stay
  CHECK(error(false, 6) == "n1 (Gather): an index was out of range [-6, 6)");
  CHECK(error(false, 9) == "n0 (If): n0 (Gather): an index was out of range [-8, 8)");
  CHECK(error(true, 0) == "");
}

TEST_CASE("faults: constants out of range are refused when the model is made") {
  GraphBuilder b;
  b.output(b.node("Gather", {b.input("x", {5, 3}), b.ints({0, 5})}), "y");
  CHECK(make_model(b.graph, {}).error().message() == "n0 (Gather): an index was out of range [-5, 5)");
  GraphBuilder nd;
  nd.output(nd.node("GatherND", {nd.input("x", {5, Dim::symbol("n")}), nd.constant(i64({1, 2}, {5, 0}))}), "y");
  CHECK(make_model(nd.graph, {}).error().message() == "n0 (GatherND): an index was out of range of [5,?]");
}

}  // namespace tern::test::in_faults
