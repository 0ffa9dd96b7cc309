// Scan: every axis from either end against a plain reference, plan and evaluator with the same bits, and what is refused.
#include <doctest/doctest.h>

#include "tests/support/sessions.h"

namespace tern::test::in_scan {
namespace {

// state, y[k] = state + x[k], both along the given axes of x [3,5] and of the output.
Graph running_sum(int64_t axis, int64_t out_axis, bool reverse, bool out_reverse, Shape shape = {3, 5}) {
  GraphBuilder b, body;
  const ValueId x = b.input("x", std::move(shape)), start = b.input("start", {axis == 0 || axis == -2 ? 5 : 3});
  const ValueId state = body.input("state", {}), slice = body.input("slice", {});
  const ValueId sum = body.node("Add", {state, slice});
  body.output(sum);
  body.output(sum);
  const auto out = b.loop("Scan", {start, x}, {}, body, 2,
                          {{"num_scan_inputs", int64_t(1)},
                           {"scan_input_axes", std::vector<int64_t>{axis}},
                           {"scan_output_axes", std::vector<int64_t>{out_axis}},
                           {"scan_input_directions", std::vector<int64_t>{reverse}},
                           {"scan_output_directions", std::vector<int64_t>{out_reverse}}});
  b.output(out[0], "last");
  b.output(out[1], "sums");
  return b.graph;
}

}  // namespace

TEST_CASE("scan: along every axis of inputs and outputs, from either end") {
  const Tensor x = random_f32({3, 5}, 1);
  for (int64_t axis : {0, 1, -1, -2}) {
    for (int64_t out_axis : {0, 1, -1}) {
      for (int directions = 0; directions < 4; ++directions) {
        const bool reverse = directions & 1, out_reverse = directions & 2, rows = axis == 0 || axis == -2;
        INFO(axis << " " << out_axis << " " << directions);
        const int64_t length = rows ? 3 : 5, width = rows ? 5 : 3;
        const Tensor start = random_f32({width}, 2);
        const auto y = run_both(model_of(running_sum(axis, out_axis, reverse, out_reverse)), {x, start});
        std::vector<float> state(start.span<float>().begin(), start.span<float>().end());
        const std::vector<float> sums = floats_of(y[1]);
        REQUIRE(y[1].dims == (out_axis == 0 ? std::vector<int64_t>{length, width} : std::vector<int64_t>{width, length}));
        for (int64_t k = 0; k < length; ++k) {
          const int64_t from = reverse ? length - 1 - k : k, to = out_reverse ? length - 1 - k : k;
          for (int64_t e = 0; e < width; ++e) {
            float& s = state[static_cast<size_t>(e)];
            s += x.span<float>()[static_cast<size_t>(rows ? from * 5 + e : e * 5 + from)];
            CHECK(sums[static_cast<size_t>(out_axis == 0 ? to * width + e : e * length + to)] == s);
          }
        }
        CHECK(floats_of(y[0]) == state);
      }
    }
  }
}

TEST_CASE("scan: several inputs and states, a captured weight, no element at all") {
  GraphBuilder b, body;
  const ValueId x = b.input("x", {Dim::symbol("n"), 2, 4}), z = b.input("z", {Dim::symbol("n"), 2, 4}), h = b.input("h", {2, 4});
  const ValueId state = body.input("state", {}), count = body.input("count", {}), p = body.input("p", {}), q = body.input("q", {});
  const ValueId next =
      body.node("Tanh", {body.node("Add", {body.node("MatMul", {p, body.constant(random_f32({4, 4}, 3))}), body.node("Mul", {state, q})})});
  for (ValueId o : {next, body.node("Add", {count, body.constant(f32({}, {1}))}), next, count}) body.output(o);
  const auto out = b.loop("Scan", {h, b.constant(f32({}, {0})), x, z}, {}, body, 4, {{"num_scan_inputs", int64_t(2)}});
  for (ValueId o : out) b.output(o);
  const Model model = model_of(b.graph);
  CHECK(model.outputs()[2].shape == std::vector<std::string>{"n", "2", "4"});
  for (int64_t n : {0, 1, 2, 5}) {
    const auto y = run_both(model, {random_f32({n, 2, 4}, 4), random_f32({n, 2, 4}, 5), random_f32({2, 4}, 6)}, {.dims = {{"n", n}}});
    CHECK(floats_of(y[1])[0] == static_cast<float>(n));
    CHECK(y[2].dims == std::vector<int64_t>{n, 2, 4});
  }
}

TEST_CASE("scan: what does not fit is refused, naming it") {
  CHECK(error_of(running_sum(2, 0, false, false)) == "n0 (Scan): scan input 0: axis 2 is not one of its 2");
  CHECK(error_of(running_sum(0, 3, false, false)) == "n0 (Scan): scan output 0: axis 3 is not one of its 2");
  CHECK(error_of(running_sum(0, -3, false, false)) == "n0 (Scan): scan output 0: axis -3 is not one of its 2");

  GraphBuilder b, body;
  const ValueId x = b.input("x", {3, 2}), z = b.input("z", {4, 2});
  const ValueId p = body.input("p", {}), q = body.input("q", {});
  body.output(body.node("Add", {p, q}));
  b.output(b.loop("Scan", {x, z}, {}, body, 1, {{"num_scan_inputs", int64_t(2)}})[0]);
  CHECK(error_of(b.graph) == "n0 (Scan): its scan inputs have 3 and 4 slices along their axes");
  for (int64_t count : {0, 3, -1}) {
    Graph graph = b.graph;
    graph.nodes[0].attrs.set("num_scan_inputs", count);
    CHECK(error_of(graph) == "n0 (Scan): num_scan_inputs is " + std::to_string(count) + ", and it has 2 inputs");
  }
  Graph graph = b.graph;
  graph.nodes[0].attrs.set("scan_input_axes", std::vector<int64_t>{0});
  CHECK(error_of(graph) == "n0 (Scan): scan_input_axes has 1 elements, expected 2");
}

TEST_CASE("scan: lengths that only a run can compare are compared") {
  GraphBuilder b, body;
  const ValueId x = b.input("x", {Dim::symbol("n"), 2}), z = b.input("z", {Dim::symbol("m"), 2});
  const ValueId p = body.input("p", {}), q = body.input("q", {});
  body.output(body.node("Add", {p, q}));
  b.output(b.loop("Scan", {x, z}, {}, body, 1, {{"num_scan_inputs", int64_t(2)}})[0]);
  const Model model = model_of(b.graph);
  CHECK(model.evaluate(arrays_of({random_f32({3, 2}, 1), random_f32({3, 2}, 2)})).ok());
  const auto y = model.evaluate(arrays_of({random_f32({3, 2}, 1), random_f32({4, 2}, 2)}));
  REQUIRE(!y.ok());
  CHECK(y.error().message() == "n0 (Scan): its scan inputs have 3 and 4 slices along their axes");
  CHECK(session_error(model, {.dims = {{"n", 3}, {"m", 4}}}) == "n0 (Scan): its scan inputs have 3 and 4 slices along their axes");
}

}  // namespace tern::test::in_scan
