// Plan and evaluator: the same bits, inputs that survive a run, outputs where they were promised, If that branches, threads that agree, programs
// that sessions share.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <thread>

#include "runtime/evaluator.h"
#include "runtime/infer_shapes.h"
#include "runtime/model.h"
#include "tests/support/graph_builder.h"
#include "tests/support/threads.h"

namespace tern::test::in_session {
namespace {

Array array_of(const Tensor& t) { return to_array(t); }

Session make_session(const Model& model, SessionOptions options = {}) {
  auto session = model.session(options);
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
  return std::move(*session);
}

Model make(GraphBuilder& b) {
  auto model = make_model(b.graph, {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
  return *model;
}

void write(Session& s, const char* name, const Tensor& t) {
  auto to = s.input_bytes(name);
  REQUIRE(to.size() == t.bytes());
  std::memcpy(to.data(), t.raw(), t.bytes());
}

void check_bytes(std::span<const std::byte> a, const Array& b) {
  REQUIRE(a.size() == b.bytes.size());
  CHECK(std::memcmp(a.data(), b.bytes.data(), a.size()) == 0);
}

// x -> MatMul -> Softmax -> Reshape -> Softmax, with x read again at the end.
GraphBuilder chain() {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), 6});
  auto h = b.node("MatMul", {x, b.constant(random_f32({6, 6}, 3))});
  auto s = b.node("Softmax", {h});
  auto r = b.node("Reshape", {s, b.ints({-1, 2, 3})});
  auto t = b.node("Softmax", {r}, {{"axis", int64_t(1)}});
  b.output(b.node("Concat", {b.node("Reshape", {t, b.ints({-1, 6})}), x}, {{"axis", int64_t(1)}}), "y");
  b.output(s, "hidden");
  return b;
}

}  // namespace

TEST_CASE("session: plan and evaluator give the same bits, for several batches, ISAs and thread counts, run after run") {
  GraphBuilder b = chain();
  Model model = make(b);
  for (int64_t batch : {1, 2, 5, 33}) {
    const Tensor x = random_f32({batch, 6}, static_cast<uint32_t>(batch));
    const std::vector<Array> in = {array_of(x)};
    auto expected = model.evaluate(in, "scalar");
    REQUIRE(expected.ok());
    for (const char* isa : test::isa_names()) {
      for (int threads : test::thread_counts()) {
        SessionOptions options;
        options.dims["batch"] = batch;
        options.isa = isa;
        options.threads = threads;
        Session s = make_session(model, options);
        write(s, "x", x);
        for (int run = 0; run < 3; ++run) {
          s.run();
          check_bytes(s.output_bytes("y"), (*expected)[0]);
          check_bytes(s.output_bytes("hidden"), (*expected)[1]);
        }
        CHECK(std::memcmp(s.input_bytes("x").data(), x.raw(), x.bytes()) == 0);  // inputs are never written
      }
    }
  }
}

TEST_CASE("session: a row of a batch has the bits it has alone") {
  GraphBuilder b = chain();
  Model model = make(b);
  const Tensor x = random_f32({5, 6}, 11);
  auto whole = model.evaluate(std::vector<Array>{array_of(x)});
  REQUIRE(whole.ok());
  for (int64_t row = 0; row < 5; ++row) {
    const Tensor one = Tensor::of<float>({1, 6}, x.span<float>().subspan(static_cast<size_t>(row) * 6, 6));
    auto alone = model.evaluate(std::vector<Array>{array_of(one)});
    REQUIRE(alone.ok());
    const size_t bytes = (*alone)[0].bytes.size();
    CHECK(std::memcmp((*whole)[0].bytes.data() + static_cast<size_t>(row) * bytes, (*alone)[0].bytes.data(), bytes) == 0);
  }
}

TEST_CASE("evaluate: calls of the same dims and of others, in turn and from several threads, give what each gives alone") {
  GraphBuilder b = chain();
  const Model model = make(b);
  auto bytes_of = [](const Model& m, int64_t rows) {
    auto y = m.evaluate(std::vector<Array>{array_of(random_f32({rows, 6}, static_cast<uint32_t>(rows)))});
    REQUIRE(y.ok());
    return (*y)[0].bytes;
  };
  std::vector<std::vector<std::byte>> alone;
  for (int64_t rows = 0; rows < 6; ++rows) {
    GraphBuilder fresh = chain();
    alone.push_back(bytes_of(make(fresh), rows + 1));
  }
  for (int64_t rows : {5, 1, 1, 5, 3, 6, 5}) CHECK(bytes_of(model, rows) == alone[static_cast<size_t>(rows) - 1]);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int64_t first : {1, 4}) {
    threads.emplace_back([&, first] {
      for (int64_t i = 0; i < 60; ++i) {
        const int64_t rows = first + i % 3;
        auto y = model.evaluate(std::vector<Array>{array_of(random_f32({rows, 6}, static_cast<uint32_t>(rows)))});
        if (!y || (*y)[0].bytes != alone[static_cast<size_t>(rows) - 1]) ++wrong;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("evaluate: inputs are read where they lie, stay as they are, and are not what comes out") {
  GraphBuilder b;
  const ValueId x = b.input("x", {5}), c = b.input("c", {5}, DType::boolean);
  for (ValueId v : {x, b.node("Where", {c, x, b.node("Neg", {x})}), c, b.node("Cast", {c}, {{"to", int64_t(7)}})}) b.output(v);
  const Model model = make(b);
  for (const std::vector<uint8_t>& bools : {std::vector<uint8_t>{0, 1, 1, 0, 1}, std::vector<uint8_t>{0, 2, 255, 0, 128}}) {
    std::vector<Array> in = {array_of(f32({5}, {1, 2, 3, 4, 5})), array_of(boolean({5}, {false, true, true, false, true}))};
    for (size_t i = 0; i < 5; ++i) in[1].bytes[i] = static_cast<std::byte>(bools[i]);
    const std::vector<Array> before = in;
    auto y = model.evaluate(in);
    REQUIRE(y.ok());
    for (size_t i = 0; i < 2; ++i) CHECK(in[i].bytes == before[i].bytes);
    for (Array& array : in) std::fill(array.bytes.begin(), array.bytes.end(), std::byte(99));
    check_same(*to_tensor((*y)[0]), f32({5}, {1, 2, 3, 4, 5}));
    check_same(*to_tensor((*y)[1]), f32({5}, {-1, 2, 3, -4, 5}));
    for (size_t i = 0; i < 5; ++i) CHECK((*y)[2].bytes[i] == static_cast<std::byte>(bools[i] != 0));
    check_same(*to_tensor((*y)[3]), i64({5}, {0, 1, 1, 0, 1}));
  }
}

TEST_CASE("session: the arena's size is known without one, and nothing is packed for it") {
  GraphBuilder b;
  auto x = b.input("x", {Dim::symbol("batch"), 6});
  b.output(b.node("MatMul", {x, b.constant(random_f32({6, 40}, 3))}));
  const Model model = make(b);
  for (const int threads : test::thread_counts()) {
    const SessionOptions options{.dims = {{"batch", 5}}, .threads = threads};
    auto bytes = arena_bytes(model, options);
    REQUIRE(bytes.ok());
    if (threads == 1) CHECK(model.state().packs.bytes() == 0);
    CHECK(static_cast<size_t>(*bytes) == make_session(model, options).arena_bytes());
    CHECK(model.state().packs.bytes() > 0);
  }
  CHECK(arena_bytes(model, {}).error().code() == Code::kUsage);  // batch is not bound
}

// What sessions of these options hold; null when there is none.
std::shared_ptr<const Program> shared_program(const Model& model, const SessionOptions& o) {
  return model.state().programs.find({o.dims, best_isa(parse_isa(o.isa)), WeightForm::f32, o.threads, o.budget, o.work});
}

TEST_CASE("session: those of the same shapes share a program, and nothing that a run writes") {
  GraphBuilder b = chain();
  const Model model = make(b);
  const SessionOptions options{.dims = {{"batch", 5}}};
  std::optional<Session> first = make_session(model, options);
  const std::weak_ptr<const Program> program = shared_program(model, options);
  CHECK(program.use_count() == 1);
  Session second = make_session(model, {.dims = {{"batch", 5}}, .huge_pages = true});  // where its arena lies is no part of a program
  CHECK(program.use_count() == 2);
  CHECK(second.text() == *session_text(model, {.dims = {{"batch", 5}}, .huge_pages = true}));

  const Tensor x = random_f32({5, 6}, 1), other = random_f32({5, 6}, 2);
  auto expected = model.evaluate(std::vector<Array>{array_of(x)}), expected_other = model.evaluate(std::vector<Array>{array_of(other)});
  REQUIRE(expected.ok());
  REQUIRE(expected_other.ok());
  write(*first, "x", x);
  write(second, "x", other);
  first->run();
  second.run();
  check_bytes(first->output_bytes("y"), (*expected)[0]);
  check_bytes(second.output_bytes("y"), (*expected_other)[0]);
  CHECK(first->input_bytes("x").data() != second.input_bytes("x").data());

  first.reset();
  CHECK(program.use_count() == 1);
  write(second, "x", x);
  second.run();
  check_bytes(second.output_bytes("y"), (*expected)[0]);
  second = make_session(model, {.dims = {{"batch", 4}}});
  CHECK(program.expired());  // the model does not hold it
  CHECK(shared_program(model, options) == nullptr);
}

TEST_CASE("session: other dims, ISAs, threads and budgets are another program") {
  GraphBuilder b = chain();
  const Model model = make(b);
  const SessionOptions options{.dims = {{"batch", 5}}};
  const Session session = make_session(model, options);
  const auto program = shared_program(model, options);
  std::vector<SessionOptions> others(4, options);
  others[0].dims["batch"] = 6;
  others[1].isa = "scalar";
  others[2].budget = int64_t(1) << 28;
  others[3].work = int64_t(1) << 40;
  if (test::thread_counts().size() > 1) others.emplace_back(options).threads = 2;
  for (const SessionOptions& o : others) {
    const Session another = make_session(model, o);
    const auto its = shared_program(model, o);
    CHECK(its != nullptr);
    CHECK(its != program);
    CHECK(program.use_count() == 2);  // of `session`, and here
  }
}

TEST_CASE("session: threads that make sessions of one model at once share one program") {
  GraphBuilder b = chain();
  const Model model = make(b);
  const Tensor x = random_f32({3, 6}, 1);
  auto expected = model.evaluate(std::vector<Array>{array_of(x)});
  REQUIRE(expected.ok());
  const SessionOptions options{.dims = {{"batch", 3}}};
  for (int round = 0; round < 20; ++round) {
    std::vector<std::optional<Session>> sessions(4);
    std::vector<std::thread> threads;
    for (auto& session : sessions) {
      threads.emplace_back([&] {
        auto made = model.session(options);
        if (!made) return;
        std::memcpy(made->input_bytes("x").data(), x.raw(), x.bytes());
        made->run();
        session.emplace(std::move(*made));
      });
    }
    for (std::thread& t : threads) t.join();
    for (auto& session : sessions) {
      REQUIRE(session.has_value());
      check_bytes(session->output_bytes("y"), (*expected)[0]);
    }
    CHECK(shared_program(model, options).use_count() == 5);
  }
}

TEST_CASE("session: outputs that are inputs or constants are copies of them") {
  GraphBuilder b;
  auto x = b.input("x", {3});
  b.output(x, "same");
  b.output(b.constant(f32({2}, {4, 5})), "constant");
  b.output(x, "again");
  Model model = make(b);
  Session s = make_session(model);
  write(s, "x", f32({3}, {1, 2, 3}));
  s.run();
  CHECK(s.output<float>("same")[2] == 3.0f);
  CHECK(s.output<float>("again")[0] == 1.0f);
  CHECK(s.output<float>("constant")[1] == 5.0f);
  CHECK(s.output<float>("same").data() != s.input<float>("x").data());
}

TEST_CASE("session: a live If takes the branch that its condition says, in the plan as in the evaluator") {
  GraphBuilder b;
  auto condition = b.input("c", Shape(std::vector<Dim>()), DType::boolean);
  auto x = b.input("x", {2, 3});
  auto h = b.node("Softmax", {x});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("h", {2, 3});
    auto outer = g.input("x", {2, 3});
    g.output(branch == 0 ? g.node("Softmax", {inner}) : outer);
    b.graph.subgraphs.push_back(g.graph);
  }
  auto y = b.nodes("If", {condition, h, x}, 1, {}, {0, 1})[0];
  b.output(b.node("Softmax", {y}, {{"axis", int64_t(0)}}), "y");
  b.output(h, "h");
  Model model = make(b);
  Session s = make_session(model);
  CHECK(*session_text(model, {}) == s.text());
  const Tensor input = random_f32({2, 3}, 5);
  write(s, "x", input);
  for (bool value : {true, false, true}) {
    s.input<bool>("c")[0] = value;
    s.run();
    auto expected = model.evaluate(std::vector<Array>{array_of(boolean({}, {value})), array_of(input)});
    REQUIRE(expected.ok());
    check_bytes(s.output_bytes("y"), (*expected)[0]);
    check_bytes(s.output_bytes("h"), (*expected)[1]);
  }
}

TEST_CASE("session: a branch that cannot run with these shapes is an error only when it is taken") {
  GraphBuilder b;
  auto condition = b.input("c", Shape(std::vector<Dim>()), DType::boolean);
  auto x = b.input("x", {Dim::symbol("n"), 3});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("x", {Dim::symbol("n"), 3});
    g.output(branch == 0 ? g.node("Squeeze", {inner, g.ints({0})}) : g.node("Softmax", {inner}));
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0], "y");
  Model model = make(b);
  const Array one = array_of(random_f32({1, 3}, 1)), two = array_of(random_f32({2, 3}, 1));
  const Array yes = array_of(boolean({}, {true})), no = array_of(boolean({}, {false}));
  auto squeezed = model.evaluate(std::vector<Array>{yes, one});
  REQUIRE(squeezed.ok());
  CHECK((*squeezed)[0].dims == std::vector<int64_t>{3});
  auto softmax = model.evaluate(std::vector<Array>{no, two});
  REQUIRE(softmax.ok());
  CHECK((*softmax)[0].dims == std::vector<int64_t>{2, 3});
  auto refused = model.evaluate(std::vector<Array>{yes, two});
  REQUIRE(!refused.ok());
  CHECK(refused.error().message().find("Squeeze") != std::string::npos);
  auto planned = model.session({.dims = {{"n", 2}}});
  REQUIRE(!planned.ok());
  CHECK(planned.error().code() == Code::kUnsupported);
}

TEST_CASE("session: a byte of a bool that is not zero is true and 1 everywhere, in the plan as in the evaluator") {
  GraphBuilder b;
  auto c = b.input("c", {4}, DType::boolean);
  auto x = b.input("x", {4}), z = b.input("z", {4});
  b.output(b.node("Where", {c, x, z}), "where");
  b.output(b.node("Cast", {c}, {{"to", int64_t(7)}}), "cast");
  b.output(b.node("Not", {c}), "not");
  b.output(b.node("And", {c, b.constant(boolean({1}, {true}))}), "and");
  b.output(b.node("Equal", {c, b.constant(boolean({4}, {false, true, true, false}))}), "equal");
  b.output(b.node("Reshape", {c, b.ints({2, 2})}), "reshape");
  b.output(b.node("ReduceMax", {c, b.ints({0})}, {{"keepdims", int64_t(0)}}), "any");
  b.output(b.node("Concat", {c, c}, {{"axis", int64_t(0)}}), "concat");
  b.output(c, "same");
  auto first = b.node("Gather", {c, b.constant(Tensor::scalar(int64_t(1)))});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("x", {4});
    g.output(branch == 0 ? g.node("Neg", {inner}) : inner);
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {first, x}, 1, {}, {0, 1})[0], "if");
  Model model = make(b);
  Array flags = array_of(boolean({4}, {false, true, true, false})), odd = flags;
  odd.bytes = {std::byte(0), std::byte(6), std::byte(255), std::byte(0)};
  const Tensor ones = random_f32({4}, 1), twos = random_f32({4}, 2);
  auto expected = model.evaluate(std::vector<Array>{flags, array_of(ones), array_of(twos)});
  auto evaluated = model.evaluate(std::vector<Array>{odd, array_of(ones), array_of(twos)});
  REQUIRE(expected.ok());
  REQUIRE(evaluated.ok());
  for (int threads : {1, 2}) {
    Session s = make_session(model, {.threads = threads});
    std::memcpy(s.input_bytes("c").data(), odd.bytes.data(), 4);
    write(s, "x", ones);
    write(s, "z", twos);
    for (int run = 0; run < 2; ++run) {
      CHECK(s.run());
      for (size_t o = 0; o < expected->size(); ++o) {
        INFO(model.outputs()[o].name);
        CHECK((*evaluated)[o].bytes == (*expected)[o].bytes);
        check_bytes(s.output_bytes(model.outputs()[o].name), (*expected)[o]);
      }
    }
    CHECK(std::memcmp(s.input_bytes("c").data(), odd.bytes.data(), 4) == 0);  // inputs are never written
  }
}

TEST_CASE("session: NonZero and Compress count bytes of bools as true when they are not zero") {
  GraphBuilder b;
  auto c = b.input("c", {5}, DType::boolean);
  b.output(b.node("NonZero", {c}), "where");
  b.output(b.node("Compress", {b.input("x", {5}), c}), "kept");
  Model model = make(b);
  Array c6 = array_of(boolean({5}, {false, true, false, true, true}));
  c6.bytes = {std::byte(0), std::byte(6), std::byte(0), std::byte(1), std::byte(128)};
  auto y = model.evaluate(std::vector<Array>{c6, array_of(f32({5}, {0, 1, 2, 3, 4}))});
  REQUIRE(y.ok());
  CHECK((*y)[0].bytes == array_of(i64({1, 3}, {1, 3, 4})).bytes);
  CHECK((*y)[1].bytes == array_of(f32({3}, {1, 3, 4})).bytes);
}

TEST_CASE("session: a condition whose count is known only at run time is checked by the evaluator and refused by a plan") {
  GraphBuilder b;
  auto condition = b.node("Greater", {b.input("c", {Dim::symbol("n")}), b.constant(Tensor::scalar(0.0f))});
  auto x = b.input("x", {2});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    auto inner = g.input("x", {2});
    g.output(branch == 0 ? g.node("Neg", {inner}) : g.node("Abs", {inner}));
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {condition, x}, 1, {}, {0, 1})[0], "y");
  Model model = make(b);
  const Array two = array_of(f32({2}, {1, 2}));
  auto negated = model.evaluate(std::vector<Array>{array_of(f32({1}, {3})), two});
  REQUIRE(negated.ok());
  CHECK((*negated)[0].bytes == array_of(f32({2}, {-1, -2})).bytes);
  for (const Tensor& c : {f32({2}, {1, 1}), f32({0}, {})}) {
    auto refused = model.evaluate(std::vector<Array>{array_of(c), two});
    REQUIRE(!refused.ok());
    CHECK(refused.error().message().find("one bool") != std::string::npos);
    CHECK(!model.session({.dims = {{"n", c.count()}}}).ok());
  }
  CHECK(model.session({.dims = {{"n", 1}}}).ok());
}

TEST_CASE("session: an operator that reads one value twice is not computed in place on it") {
  GraphBuilder b;
  auto x = b.input("x", {40});
  auto h = b.node("Neg", {x});
  b.output(b.node("Sum", {h, x, h}), "y");
  Model model = make(b);
  Session s = make_session(model);
  const Tensor input = random_f32({40}, 9);
  write(s, "x", input);
  s.run();
  check_bytes(s.output_bytes("y"), (*model.evaluate(std::vector<Array>{array_of(input)}))[0]);
  CHECK(s.output<float>("y")[7] == -input.data<float>()[7]);
}

TEST_CASE("session: unbound, unknown and impossible options are usage errors that say what to do") {
  GraphBuilder b = chain();
  Model model = make(b);
  auto unbound = model.session();
  REQUIRE(!unbound.ok());
  CHECK(unbound.error().code() == Code::kUsage);
  CHECK(unbound.error().message().find("batch") != std::string::npos);
  CHECK(!model.session({.dims = {{"batch", 1}}, .threads = 0}).ok());
  CHECK(model.session({.dims = {{"batch", 1}}, .isa = "sse"}).error().code() == Code::kUsage);
  auto big = model.session({.dims = {{"batch", int64_t(1) << 40}}});
  REQUIRE(!big.ok());
  CHECK(big.error().code() == Code::kUnsupported);
}

TEST_CASE("session: an ISA that is unknown or not of this machine is refused; as TERN_ISA it is ignored with a note") {
  GraphBuilder b = chain();
  Model model = make(b);
  const char* other = of_this_architecture(Isa::neon) ? "avx2" : "neon";
  for (const char* isa : {"sse9", other}) {
    auto session = model.session({.dims = {{"batch", 1}}, .isa = isa});
    REQUIRE(!session);
    CHECK(session.error().code() == Code::kUsage);
    CHECK(session.error().message().find("known: scalar") != std::string::npos);
    setenv("TERN_ISA", isa, 1);
    const std::vector<std::string> notes = make(b).notes();
    unsetenv("TERN_ISA");
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("ignored: TERN_ISA=" + std::string(isa)) == 0);
  }
  CHECK(model.notes().empty());
}

TEST_CASE("session: an unknown dimension's error lists those that the inputs have") {
  GraphBuilder b = chain();
  auto session = make(b).session({.dims = {{"batch", 1}, {"bacth", 2}}});
  REQUIRE(!session);
  CHECK(session.error().message() == "no input has a dimension named bacth; known: batch");
}

TEST_CASE("session: spans of an unknown name or another dtype are empty") {
  GraphBuilder b = chain();
  Model model = make(b);
  Session s = make_session(model, {.dims = {{"batch", 2}}});
  CHECK(s.input<float>("x").size() == 12);
  CHECK(s.input<double>("x").empty());
  CHECK(s.input<float>("y").empty());
  CHECK(s.output<float>("nothing").empty());
  CHECK(s.dims("x") == std::vector<int64_t>{2, 6});
}

TEST_CASE("session: checked spans tell the names that exist, and the dtype") {
  GraphBuilder b = chain();
  Model model = make(b);
  Session s = make_session(model, {.dims = {{"batch", 2}}});
  CHECK(s.try_input<float>("x")->data() == s.input<float>("x").data());
  CHECK(s.try_input<const float>("x")->size() == 12);
  CHECK(s.try_output<float>("y")->data() == s.output<float>("y").data());
  CHECK(s.try_input<float>("typo").error().message() == "there is no input 'typo'; the model has x (f32)");
  CHECK(s.try_output<float>("x").error().message() == "there is no output 'x'; the model has y (f32), hidden (f32)");
  CHECK(s.try_input<double>("x").error().message() == "input x has elements of f32, not f64");
  CHECK(s.try_input<double>("x").error().code() == Code::kUsage);
}

TEST_CASE("session: more threads than CPUs, and CPUs that are not this process's, are wrong usage") {
  GraphBuilder b = chain();
  Model model = make(b);
  const std::vector<int> cpus = usable_cpus();
  const std::string count = std::to_string(cpus.size());
  auto many = model.session({.dims = {{"batch", 1}}, .threads = static_cast<int>(cpus.size()) + 1});
  REQUIRE(!many);
  CHECK(many.error().code() == Code::kUsage);
  CHECK(many.error().message().find("may use " + count + " CPU") != std::string::npos);
  if (cpus.size() == 1) return;
  auto elsewhere = model.session({.dims = {{"batch", 1}}, .threads = 2, .cpus = {cpus.back() + 1}});
  REQUIRE(!elsewhere);
  CHECK(elsewhere.error().code() == Code::kUsage);
  CHECK(elsewhere.error().message().find("to CPU " + std::to_string(cpus.back() + 1) + "; this process may use " + std::to_string(cpus[0])) !=
        std::string::npos);
  CHECK(model.session({.dims = {{"batch", 1}}, .threads = 2, .cpus = {cpus.back()}}).ok());
}

TEST_CASE("session: an empty batch runs and gives empty outputs") {
  GraphBuilder b = chain();
  Model model = make(b);
  Session s = make_session(model, {.dims = {{"batch", 0}}});
  s.run();
  CHECK(s.output<float>("y").empty());
}

TEST_CASE("session: work that neither weights nor inputs back is refused by plan and evaluator, and allowed when it is asked for") {
  GraphBuilder b;
  auto x = b.input("x", {1});
  ValueId y = b.node("Expand", {x, b.ints({1024, 1024})});
  for (int i = 0; i < 40; ++i) y = b.node("MatMul", {y, y});
  b.output(b.node("ReduceMax", {y}));
  Model model = make(b);
  auto refused = model.session({});
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == Code::kUnsupported);
  CHECK(refused.error().message().find("SessionOptions::work") != std::string::npos);
  CHECK(model.session({.work = int64_t(1) << 40}).ok());
  CHECK(model.session({.budget = 1 << 20, .work = int64_t(1) << 40}).error().code() == Code::kUnsupported);
}

TEST_CASE("session: its text is told without one, and tables may take a sixteenth of the budget") {
  GraphBuilder b;
  auto x = b.input("x", {4});
  b.output(b.node("Relu", {b.node("Pad", {x, b.ints({0, 1 << 20})}, {{"mode", std::string("reflect")}})}));
  Model model = make(b);
  auto text = session_text(model, {});
  REQUIRE(text.ok());
  CHECK(*text == make_session(model).text());
  CHECK(text->find("plan: 2 steps, ") != std::string::npos);
  const int64_t arena = *arena_bytes(model, {});  // 8 MB of them are the table of Pad
  CHECK(session_text(model, {.budget = arena}).error().code() == Code::kUnsupported);
  CHECK(model.session({.budget = arena}).error().code() == Code::kUnsupported);
  CHECK(session_text(model, {.threads = 0}).error().code() == Code::kUsage);
}

TEST_CASE("session: by default a file gets a gigabyte, and more for its weights and the inputs whose sizes the caller chose") {
  ModelState state;
  state.weight_bytes = 100;
  CHECK(budget_of(state, 0, {}) == (int64_t(1) << 30) + 1600);
  CHECK(budget_of(state, 5, {}) == 5);
  const auto repeated = [](const Dim& n) {  // 2 GB out of 64 MB
    GraphBuilder b;
    auto x = b.input("x", {n});
    b.output(b.node("ReduceMax", {b.node("Expand", {x, b.ints({32, 1})})}));
    return make(b);
  };
  constexpr int64_t kMany = 1 << 24;
  const Model fixed = repeated(kMany), chosen = repeated(Dim::symbol("n"));
  for (const Status& s : {Status(session_text(fixed, {}).error()), Status(arena_bytes(fixed, {}).error()), Status(fixed.session({}).error())}) {
    CHECK(s.error().code() == Code::kUnsupported);
    CHECK(s.error().message().find("SessionOptions::budget") != std::string::npos);
  }
  CHECK(session_text(fixed, {.budget = int64_t(4) << 30}).ok());
  CHECK(session_text(chosen, {.dims = {{"n", kMany}}}).ok());
  const std::vector<Array> x = {{DType::f32, {kMany}, std::vector<std::byte>(4 * kMany), {}}};
  CHECK(fixed.evaluate(x).error().code() == Code::kUnsupported);
}

TEST_CASE("evaluate: the budget is of all tensors together") {
  GraphBuilder b;
  auto x = b.input("x", {1});
  std::vector<ValueId> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(b.node("Add", {b.node("Expand", {x, b.ints({1 << 20})}), b.constant(Tensor::scalar(static_cast<float>(i)))}));
  b.output(b.node("Sum", all));
  Graph graph = b.graph;
  REQUIRE(infer_shapes(graph).ok());
  const std::vector<Tensor> in = {f32({1}, {1})};
  CHECK(evaluate_graph(graph, in, {.budget = int64_t(40) << 20}).ok());
  CHECK(evaluate_graph(graph, in, {.budget = int64_t(16) << 20}).error().code() == Code::kUnsupported);
  CHECK(evaluate_graph(graph, in, {.work = 1 << 20}).error().code() == Code::kUnsupported);
}

}  // namespace tern::test::in_session
