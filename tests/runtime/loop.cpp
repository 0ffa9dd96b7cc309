// Loop: known answers, plan and evaluator with the same bits, what inference and folding make of one, and what is refused.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

#include "runtime/evaluator.h"
#include "runtime/optimize.h"
#include "runtime/verify.h"
#include "tests/support/cheap.h"
#include "tests/support/sessions.h"

namespace tern::test::in_loop {
namespace {

const Shape kScalar = Shape(std::vector<Dim>());

// A body whose first inputs are there: the iteration number and the condition.
struct Body : GraphBuilder {
  ValueId i = input("i", {}, DType::i64), going = input("going", {}, DType::boolean);
};

struct Limits {
  ValueId trips, condition;
};
Limits limits(GraphBuilder& b, int64_t trips, bool condition = true) {
  return {b.constant(Tensor::scalar(trips)), b.constant(Tensor::scalar(condition))};
}

// a, b = b, a + b, and every sum.
Graph fibonacci(int64_t trips) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2}), y = b.input("y", {2});
  Body body;
  const ValueId p = body.input("p", {}), q = body.input("q", {});
  const ValueId sum = body.node("Add", {p, q});
  for (ValueId v : {body.going, q, sum, sum}) body.output(v);
  const Limits l = limits(b, trips);
  const auto out = b.loop("Loop", {l.trips, l.condition, x, y}, {}, body, 3);
  b.output(out[0], "a");
  b.output(out[1], "b");
  b.output(out[2], "sums");
  return b.graph;
}

// x + 1 until the sum of its elements is at least `limit`; at most 50 times.
Graph count_up(float limit) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  Body body;
  const ValueId v = body.input("v", {});
  const ValueId next = body.node("Add", {v, body.constant(f32({}, {1}))});
  const ValueId sum = body.node("ReduceSum", {next, body.ints({0})}, {{"keepdims", int64_t(0)}});
  body.output(body.node("Less", {sum, body.constant(f32({}, {limit}))}));
  body.output(next);
  const Limits l = limits(b, 50);
  b.output(b.loop("Loop", {l.trips, l.condition, x}, {}, body, 1)[0], "y");
  b.output(x, "x again");
  return b.graph;
}

}  // namespace

TEST_CASE("loop: values that trade places, for every number of iterations") {
  const float a[] = {1, 1, 2, 3, 5, 8, 13}, b[] = {1, 2, 3, 5, 8, 13, 21};
  for (int64_t trips : {0, 1, 2, 3, 6, -4}) {
    INFO(trips);
    const int64_t n = std::max<int64_t>(trips, 0);
    const auto out = run_both(model_of(fibonacci(trips)), {f32({2}, {1, 10}), f32({2}, {1, 10})});
    CHECK(floats_of(out[0]) == std::vector<float>{a[n], 10 * a[n]});
    CHECK(floats_of(out[1]) == std::vector<float>{b[n], 10 * b[n]});
    CHECK(out[2].dims == std::vector<int64_t>{n, 2});
    const std::vector<float> sums = floats_of(out[2]);
    for (int64_t k = 0; k < n; ++k) CHECK(sums[static_cast<size_t>(2 * k + 1)] == 10 * b[k + 1]);
  }
}

TEST_CASE("loop: a condition that the body computes ends it, after even and odd numbers of iterations") {
  for (float limit : {3.0f, 5.0f, 7.0f, 9.0f}) {
    const auto out = run_both(model_of(count_up(limit)), {f32({2}, {0.5f, 0.25f})});
    const float n = std::ceil((limit - 0.75f) / 2);
    CHECK(floats_of(out[0]) == std::vector<float>{0.5f + n, 0.25f + n});
    CHECK(floats_of(out[1]) == std::vector<float>{0.5f, 0.25f});
  }
  CHECK(floats_of(run_both(model_of(count_up(1000)), {f32({2}, {0, 0})})[0])[0] == 50);
}

TEST_CASE("loop: a condition from outside may forbid the first iteration") {
  GraphBuilder b;
  const ValueId go = b.input("go", kScalar, DType::boolean), x = b.input("x", {3});
  Body body;
  const ValueId v = body.input("v", {});
  body.output(body.going);
  body.output(body.node("Neg", {v}));
  b.output(b.loop("Loop", {b.constant(Tensor::scalar<int64_t>(3)), go, x}, {}, body, 1)[0], "y");
  const Model model = model_of(b.graph);
  CHECK(floats_of(run_both(model, {boolean({}, {true}), f32({3}, {1, 2, 3})})[0]) == std::vector<float>{-1, -2, -3});
  CHECK(floats_of(run_both(model, {boolean({}, {false}), f32({3}, {1, 2, 3})})[0]) == std::vector<float>{1, 2, 3});
}

TEST_CASE("loop: carried values that are constants, captured, passed on, or the same twice") {
  for (int64_t trips : {1, 2, 5}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {2});
    Body body;
    const ValueId u = body.input("u", {}), v = body.input("v", {}), w = body.input("w", {}), z = body.input("z", {}),
                  outside = body.input("outside", {});
    const ValueId sum = body.node("Add", {body.node("Add", {body.node("Add", {u, v}), w}), z});
    for (ValueId o : {body.going, body.constant(f32({2}, {3, 4})), outside, sum, sum, u, body.i}) body.output(o);
    const Limits l = limits(b, trips);
    const auto out = b.loop("Loop", {l.trips, l.condition, x, x, x, x}, {x}, body, 6);
    for (ValueId o : out) b.output(o);
    const auto y = run_both(model_of(b.graph), {f32({2}, {1, 2})});
    float p = 1, s = 1, t = 1;  // the first elements of u, w and z
    for (int64_t i = 0; i < trips; ++i) {
      const float next = p + 1 + s + t;
      p = 3;
      s = t = next;
    }
    CHECK(floats_of(y[0])[0] == 3);
    CHECK(floats_of(y[1])[0] == 1);
    CHECK(floats_of(y[2])[0] == s);
    CHECK(floats_of(y[3])[0] == t);
    CHECK(floats_of(y[4])[0] == 1);
    CHECK(y[5].dims == std::vector<int64_t>{trips});
    CHECK(static_cast<int64_t>(y[5].bytes[static_cast<size_t>(8 * (trips - 1))]) == trips - 1);
  }
}

TEST_CASE("loop: loops in loops and branches in loops, down to the same bits") {
  for (int64_t outer : {1, 2, 3}) {
    GraphBuilder b;
    const ValueId x = b.input("x", {4});
    Body body;
    const ValueId v = body.input("v", {}), captured = body.input("x", {});
    Body inner;
    const ValueId w = inner.input("w", {}), number = inner.input("number", {});
    const ValueId next =
        inner.node("Add", {inner.node("Mul", {w, inner.constant(f32({}, {0.75f}))}), inner.node("Cast", {number}, {{"to", int64_t(1)}})});
    for (ValueId o : {inner.going, next, inner.i, next}) inner.output(o);
    for (int branch = 0; branch < 2; ++branch) {
      GraphBuilder g;
      const ValueId p = g.input("p", {}), q = g.input("q", {});
      g.output(branch == 0 ? g.node("Sub", {p, q}) : g.node("Softmax", {p}));
      body.graph.subgraphs.push_back(g.graph);
    }
    const auto in = body.loop("Loop", {body.constant(Tensor::scalar<int64_t>(3)), body.constant(Tensor::scalar(true)), v}, {body.i}, inner, 3);
    const ValueId odd = body.node("Cast", {body.node("Mod", {body.i, body.constant(Tensor::scalar<int64_t>(2))})}, {{"to", int64_t(9)}});
    const ValueId branched = body.nodes("If", {odd, in[0], captured}, 1, {}, {0, 1})[0];
    for (ValueId o : {body.going, branched, in[1], in[2], branched}) body.output(o);
    const Limits l = limits(b, outer);
    const auto out = b.loop("Loop", {l.trips, l.condition, x}, {x}, body, 4);
    for (ValueId o : out) b.output(o);
    const auto y = run_both(model_of(b.graph), {random_f32({4}, 9)});
    CHECK(y[1].dims == std::vector<int64_t>{outer, 3});
    CHECK(y[2].dims == std::vector<int64_t>{outer, 3, 4});
  }
}

TEST_CASE("loop: with a loop in the body, slices and the condition are still those of this iteration") {
  for (int64_t trips : {1, 2, 3}) {
    INFO(trips);
    GraphBuilder b;
    const ValueId x = b.input("x", {2});
    Body inner;
    const ValueId v = inner.input("v", {});
    inner.output(inner.going);
    inner.output(inner.node("Add", {v, v}));
    Body body;
    const ValueId state = body.input("state", {});
    const Limits twice = limits(body, 2);
    const ValueId next = body.loop("Loop", {twice.trips, twice.condition, state}, {}, inner, 1)[0];
    const ValueId view = body.node("Reshape", {state, body.ints({2, 1})});
    for (ValueId o : {body.going, next, state, view}) body.output(o);
    const Limits l = limits(b, trips);
    const auto out = b.loop("Loop", {l.trips, l.condition, x}, {}, body, 3);
    b.output(out[0], "y");
    b.output(out[1], "states");
    b.output(out[2], "views");
    const auto y = run_both(model_of(b.graph), {f32({2}, {1, 3})});
    std::vector<float> states;
    for (int64_t k = 0, factor = 1; k < trips; ++k, factor *= 4) states.insert(states.end(), {1.0f * factor, 3.0f * factor});
    CHECK(floats_of(y[1]) == states);
    CHECK(floats_of(y[2]) == states);
    CHECK(floats_of(y[0])[0] == states[states.size() - 2] * 4);
  }
  // while (flag): flag says whether x was below the limit when this iteration began, so one more follows the last that was
  for (float start : {100.0f, 10.0f, 3.0f, 0.5f}) {
    INFO(start);
    GraphBuilder b;
    const ValueId x = b.input("x", kScalar);
    Body inner;
    const ValueId v = inner.input("v", kScalar);
    inner.output(inner.going);
    inner.output(inner.node("Add", {v, v}));
    Body body;
    const ValueId state = body.input("state", kScalar), flag = body.input("flag", kScalar, DType::boolean);
    const Limits once = limits(body, 1);
    const ValueId next = body.loop("Loop", {once.trips, once.condition, state}, {}, inner, 1)[0];
    for (ValueId o : {flag, next, body.node("Less", {state, body.constant(f32({}, {8}))})}) body.output(o);
    const Limits l = limits(b, 20);
    b.output(b.loop("Loop", {l.trips, l.condition, x, b.constant(Tensor::scalar(true))}, {}, body, 2)[0], "y");
    float expected = start;
    for (bool going = true, mark = true; going;) {
      going = mark;
      mark = expected < 8;
      expected *= 2;
    }
    CHECK(floats_of(run_both(model_of(b.graph), {f32({}, {start})})[0])[0] == expected);
  }
}

TEST_CASE("loop: the plan keeps the initial value for others, and takes no more memory for more iterations") {
  auto bytes = [](int64_t trips) {
    GraphBuilder b;
    const ValueId x = b.input("x", {256});
    const ValueId start = b.node("Neg", {x});
    Body body;
    const ValueId v = body.input("v", {});
    body.output(body.going);
    body.output(body.node("Add", {v, body.constant(f32({}, {1}))}));
    const Limits l = limits(b, trips);
    const ValueId y = b.loop("Loop", {l.trips, l.condition, start}, {}, body, 1)[0];
    b.output(b.node("Add", {y, start}), "y");
    const Model model = model_of(b.graph);
    if (trips < 10) CHECK(floats_of(run_both(model, {f32({256}, std::vector<float>(256, 2))})[0])[0] == static_cast<float>(trips) - 4);
    return *arena_bytes(model, {});
  };
  CHECK(bytes(3) == bytes(1000000));
}

TEST_CASE("loop: products in a body are counted as often as it runs") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 8});
  Body body;
  const ValueId v = body.input("v", {});
  body.output(body.going);
  body.output(body.node("MatMul", {v, body.constant(random_f32({8, 8}, 1))}));
  const Limits l = limits(b, 5);
  b.output(b.loop("Loop", {l.trips, l.condition, x}, {}, body, 1)[0], "y");
  const Model model = model_of(b.graph);
  auto session = model.session();
  REQUIRE(session.ok());
  CHECK(session->macs() == 5 * 64);
  CHECK(session->text().find("loop/any/scalar, 5 times") != std::string::npos);
}

TEST_CASE("loop: an index out of range in any iteration is reported, and the next run begins anew") {
  GraphBuilder b;
  const ValueId list = b.input("indices", {4}, DType::i64);
  Body body;
  const ValueId v = body.input("v", {}), indices = body.input("indices", {});
  const ValueId at = body.node("Gather", {indices, body.i});
  const ValueId row = body.node("Gather", {body.constant(f32({3}, {1, 2, 4})), at});
  body.output(body.going);
  body.output(body.node("Add", {v, row}));
  const Limits l = limits(b, 4);
  b.output(b.loop("Loop", {l.trips, l.condition, b.constant(f32({}, {0}))}, {list}, body, 1)[0], "y");
  const Model model = model_of(b.graph);
  auto session = model.session();
  REQUIRE(session.ok());
  auto run = [&](std::vector<int64_t> indices_now) {
    std::ranges::copy(indices_now, session->input<int64_t>("indices").begin());
    const bool fine = session->run();
    CHECK(fine == session->status().ok());
    return fine ? "" : session->status().error().message();
  };
  CHECK(run({0, 1, 2, 0}) == "");
  CHECK(session->output<float>("y")[0] == 8);
  CHECK(run({7, 1, 2, 0}) == "n0 (Loop): n1 (Gather): an index was out of range [-3, 3)");
  CHECK(run({0, 1, 2, -4}) == "n0 (Loop): n1 (Gather): an index was out of range [-3, 3)");
  CHECK(run({0, 1, 2, 0}) == "");
}

TEST_CASE("loop: what the evaluator keeps of a body serves values of other sizes, other contents and other indices") {
  GraphBuilder b;
  const ValueId trips = b.input("trips", {}, DType::i64), x = b.input("x", {Dim::symbol("n"), 2}), at = b.input("at", {8}, DType::i64);
  Body body;
  const ValueId v = body.input("v", {}), steady = body.input("steady", {}), captured = body.input("x", {}), indices = body.input("at", {});
  const ValueId grown = body.node("Concat", {v, captured}, {{"axis", int64_t(0)}});
  const ValueId row = body.node("Gather", {captured, body.node("Gather", {indices, body.i})});
  const ValueId sum = body.node("Add", {steady, body.node("Mul", {row, row})});
  const ValueId powered = body.node("MatMul", {sum, body.constant(f32({2, 2}, {1, 1, 0, 1}))});
  for (ValueId o : {body.going, grown, powered, body.node("ReduceSum", {grown, body.ints({0})})}) body.output(o);
  const auto out = b.loop("Loop", {trips, b.constant(Tensor::scalar(true)), x, b.constant(f32({2}, {0, 0}))}, {x, at}, body, 3);
  for (ValueId o : out) b.output(o);
  auto run = [&](int64_t count, const Tensor& rows, std::vector<int64_t> places, int64_t& left_budget) {
    EvaluateOptions left{.isa = best_isa()};
    const int64_t budget = left.budget;
    const std::vector<Datum> in = {Tensor::scalar(count), rows, i64({8}, places)};
    auto y = evaluate_graph(b.graph, in, left);
    left_budget = budget - left.budget;
    return y;
  };
  for (const int64_t n : {1, 3}) {
    const Tensor rows = random_f32({n, 2}, static_cast<uint32_t>(n), -2, 2);
    int64_t taken = 0;
    auto y = run(8, rows, {0, n - 1, 0, -1, 0, n - 1, -n, 0}, taken);
    REQUIRE(y.ok());
    CHECK(taken == 0);  // what was kept is given back
    CHECK((*y)[0].tensor.dims() == Dims{9 * n, 2});
    float a = 0, c = 0;
    for (const int64_t place : {int64_t(0), n - 1, int64_t(0), n - 1, int64_t(0), n - 1, int64_t(0), int64_t(0)}) {
      const float* r = rows.data<float>() + 2 * place;
      a += r[0] * r[0], c += r[1] * r[1];
      c = std::fma(c, 1.0f, a);
    }
    CHECK((*y)[1].tensor.data<float>()[0] == a);
    CHECK((*y)[1].tensor.data<float>()[1] == doctest::Approx(c));
    auto bad = run(8, rows, {0, 0, 0, 0, 0, n, 0, 0}, taken);
    REQUIRE(!bad.ok());
    CHECK(bad.error().message().find("an index was out of range") != std::string::npos);
  }
}

TEST_CASE("loop: endless and huge ones end in an error in bounded time") {
  for (int64_t trips : {int64_t(1) << 62, INT64_MAX}) {
    for (bool empty : {true, false}) {
      GraphBuilder b;
      const ValueId x = b.input("x", {2});
      Body body;
      const ValueId v = body.input("v", {});
      body.output(body.going);
      if (!empty) body.output(body.node("Neg", {v}));
      const Limits l = limits(b, trips);
      std::vector<ValueId> in = {l.trips, l.condition};
      if (!empty) in.push_back(x);
      const auto out = b.loop("Loop", in, empty ? std::vector<ValueId>{x} : std::vector<ValueId>(), body, empty ? 0 : 1);
      if (empty) b.graph.subgraphs[0].add_value("x");
      if (empty) b.graph.subgraphs[0].inputs = {0, 1, 2};
      b.output(empty ? x : out[0], "y");
      const Graph& graph = b.graph;
      REQUIRE(verify(graph).ok());
      const auto begin = std::chrono::steady_clock::now();
      const auto evaluated = evaluate_graph(graph, std::vector<Tensor>{f32({2}, {1, 2})}, {.work = int64_t(1) << (kSanitized ? 25 : 30)});
      REQUIRE(!evaluated.ok());
      CHECK(evaluated.error().message().find("take more operations than the budget") != std::string::npos);
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
      if (empty) continue;  // nobody reads what it gives: it goes
      const std::string error = session_error(model_of(graph));
      CHECK(error.find(trips == INT64_MAX ? "how often it runs" : "more than the budget") != std::string::npos);
    }
  }
}

TEST_CASE("loop: scan outputs grow within the budget of bytes") {
  GraphBuilder b;
  const ValueId x = b.input("x", {1024});
  Body body;
  const ValueId captured = body.input("x", {});
  body.output(body.going);
  body.output(body.node("Neg", {captured}));
  const Limits l = limits(b, 1 << 20);
  b.output(b.loop("Loop", {l.trips, l.condition}, {x}, body, 1)[0], "y");
  const auto evaluated = evaluate_graph(b.graph, std::vector<Tensor>{random_f32({1024}, 1)}, {.budget = 16 << 20});
  REQUIRE(!evaluated.ok());
  CHECK(evaluated.error().message().find("budget") != std::string::npos);
}

TEST_CASE("loop: what changes its dims has fresh ones, and runs in the evaluator") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("n"), 2}), keep = b.input("keep", {3});
  Body body;
  const ValueId v = body.input("v", {}), w = body.input("w", {}), captured = body.input("x", {});
  for (ValueId o : {body.going, body.node("Concat", {v, captured}, {{"axis", int64_t(0)}}), body.node("Neg", {w}), w}) body.output(o);
  const Limits l = limits(b, 3);
  const auto out = b.loop("Loop", {l.trips, l.condition, x, keep}, {x}, body, 3);
  for (ValueId o : out) b.output(o);
  const Model model = model_of(b.graph);
  CHECK(model.outputs()[0].shape[0].starts_with("?"));
  CHECK(model.outputs()[0].shape[1] == "2");
  CHECK(model.outputs()[1].shape == std::vector<std::string>{"3"});
  CHECK(model.outputs()[2].shape == std::vector<std::string>{"3", "3"});
  CHECK(model.data_dependent());
  CHECK(session_error(model, {.dims = {{"n", 1}}}).find("run the model with evaluate()") != std::string::npos);
  const auto y = model.evaluate(arrays_of({f32({1, 2}, {1, 2}), f32({3}, {1, 2, 3})}));
  REQUIRE(y.ok());
  CHECK((*y)[0].dims == std::vector<int64_t>{4, 2});
}

TEST_CASE("loop: the number of iterations may be a dimension, known when a session binds it") {
  GraphBuilder b;
  const ValueId x = b.input("x", {Dim::symbol("n"), 2});
  const ValueId trips = b.node("Gather", {b.node("Shape", {x}), b.constant(Tensor::scalar<int64_t>(0))});
  Body body;
  const ValueId v = body.input("v", {}), captured = body.input("x", {});
  const ValueId sum = body.node("Add", {v, body.node("Gather", {captured, body.i})});
  for (ValueId o : {body.going, sum, sum}) body.output(o);
  const auto out = b.loop("Loop", {trips, b.constant(Tensor::scalar(true)), b.constant(f32({2}, {0, 0}))}, {x}, body, 2);
  b.output(out[1], "sums");
  const Model model = model_of(b.graph);
  CHECK(model.outputs()[0].shape == std::vector<std::string>{"n", "2"});
  const auto y = run_both(model, {f32({3, 2}, {1, 2, 3, 4, 5, 6})}, {.dims = {{"n", 3}}});
  CHECK(floats_of(y[0]) == std::vector<float>{1, 2, 4, 6, 9, 12});
  run_both(model, {f32({0, 2}, {})}, {.dims = {{"n", 0}}});
}

TEST_CASE("loop: of constants alone it is folded, of no iteration it goes, and what it never changes is captured") {
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  Body body;
  const ValueId v = body.input("v", {}), same = body.input("same", {});
  for (ValueId o : {body.going, body.node("Add", {v, same}), same}) body.output(o);
  const Limits four = limits(b, 4), none = limits(b, 0), never = limits(b, 4, false);
  const ValueId one = b.constant(f32({2}, {1, 1}));
  const auto constant = b.loop("Loop", {four.trips, four.condition, one, one}, {}, body, 2);
  const auto zero = b.loop("Loop", {none.trips, none.condition, x, x}, {}, body, 2);
  const auto forbidden = b.loop("Loop", {never.trips, never.condition, x, x}, {}, body, 2);
  const auto runs = b.loop("Loop", {four.trips, four.condition, x, one}, {}, body, 2);
  for (ValueId o : {constant[0], zero[0], forbidden[1], runs[0], runs[1]}) b.output(o);
  Graph graph = b.graph;
  REQUIRE(optimize(graph, int64_t(64) << 20).ok());
  CHECK(GraphBuilder::count(graph, "Loop") == 1);
  CHECK(graph.nodes[0].outputs.size() == 1);
  CHECK(graph.is_constant(graph.outputs[0]));
  CHECK(graph.outputs[1] == graph.inputs[0]);
  const auto y = run_both(model_of(b.graph), {f32({2}, {7, 8})});
  CHECK(floats_of(y[0])[0] == 5);
  CHECK(floats_of(y[3]) == std::vector<float>{11, 12});
  CHECK(floats_of(y[4])[0] == 1);
}

TEST_CASE("loop: what does not fit is refused, naming it") {
  struct Case {
    Tensor trips = Tensor::scalar<int64_t>(2), condition = Tensor::scalar(true);
    const char* op = "Neg";
    size_t outputs = 1;
    bool condition_is_carried = false;
  };
  auto error = [](const Case& c) {
    GraphBuilder b;
    const ValueId x = b.input("x", {2});
    Body body;
    const ValueId v = body.input("v", {});
    body.output(c.condition_is_carried ? v : body.going);
    if (std::string_view(c.op) == "Unsqueeze") body.output(body.node("Unsqueeze", {v, body.ints({0})}));
    else if (std::string_view(c.op) == "Cast") body.output(body.node("Cast", {v}, {{"to", int64_t(7)}}));
    else body.output(body.node(c.op, {v}));
    b.output(b.loop("Loop", {b.constant(c.trips), b.constant(c.condition), x}, {}, body, c.outputs)[0], "y");
    return error_of(b.graph);
  };
  CHECK(error({}) == "");
  CHECK(error({.trips = f32({}, {2})}) == "n0 (Loop): its trip count is f32[], it must be one i64");
  CHECK(error({.trips = Tensor::ints(std::vector<int64_t>{1, 2})}) == "n0 (Loop): its trip count is i64[2], it must be one i64");
  CHECK(error({.condition = Tensor::scalar<int64_t>(1)}) == "n0 (Loop): its condition is i64[], it must be one bool");
  CHECK(error({.op = "Unsqueeze"}) == "n0 (Loop): carried value 0 changes its rank: it is [2] and becomes [1,2]");
  CHECK(error({.op = "Cast"}) == "n0 (Loop): carried value 0 is f32 and becomes i64");
  CHECK(error({.condition_is_carried = true}) == "n0 (Loop): its body's condition is f32[2], it must be one bool");
  CHECK(error({.outputs = 2}) == "n0 (Loop): its body has 2 outputs, which does not fit 1 carried values and 2 outputs of the node");
}

}  // namespace tern::test::in_loop
