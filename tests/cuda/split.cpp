// Sessions on a device and the CPU: models of which some nodes have no kernel for a device, byte for byte the CPU's, and what is copied between the
// sides. Contract: SessionOptions::device in tern.h, runtime/plan/split.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "runtime/cuda/modules.h"
#include "runtime/model.h"
#include "tests/support/exercise.h"
#include "tests/support/graph_builder.h"
#include "tools/ptxsim/device/device.h"

namespace tern::test::in_split {
namespace {

// The simulated device, and what is asked of it.
struct Watched : cuda::Device {
  std::shared_ptr<cuda::Device> inner = *cuda::simulated_device();
  std::vector<size_t> graphs;  // how many launches each has
  size_t copies = 0;           // up and down, of all of them
  std::string name() const override { return "watched"; }
  Result<cuda::Memory> allocate(size_t bytes) override { return inner->allocate(bytes); }
  Result<cuda::Memory> allocate_host(size_t bytes) override { return inner->allocate_host(bytes); }
  Status upload(std::byte* to, std::span<const std::byte> from) override { return inner->upload(to, from); }
  Result<std::unique_ptr<cuda::DeviceRun>> prepare(std::span<const Launch> launches, bool block) override {
    graphs.push_back(launches.size());
    for (const Launch& l : launches) copies += l.kind == Launch::Kind::upload || l.kind == Launch::Kind::download;
    return inner->prepare(launches, block);
  }
};

// Sums that no device has a kernel for: of four operands, and of another dtype.
ValueId fourth(GraphBuilder& b, ValueId x) { return b.node("Einsum", {x, x, x, x}, {{"equation", std::string("ij,ij,ij,ij->ij")}}); }
ValueId transposed(GraphBuilder& b, ValueId u32) { return b.node("Einsum", {u32, u32}, {{"equation", std::string("ij,ij->ji")}}); }

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
  return n;
}
// The lines of a plan that say where steps run and what is copied, without numbers.
std::string outline(const Session& s) {
  std::string lines;
  const std::string text = s.text();
  for (size_t at = text.find("plan: "); at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("on the ")) lines += line + "\n";
    if (line.starts_with("  upload") || line.starts_with("  download")) lines += line.substr(0, line.find('@')) + "\n";
    at = end + 1;
  }
  return lines;
}

void fill(std::span<std::byte> to, DType dtype, uint32_t seed) {
  std::mt19937 random(seed);
  for (size_t i = 0; i < to.size(); i += size_of(dtype)) {
    const float f = static_cast<float>(random() % 4096) / 1024 - 2;
    const int64_t n = static_cast<int64_t>(random() % 3);
    if (dtype == DType::f32) std::memcpy(&to[i], &f, sizeof f);
    else std::memcpy(&to[i], &n, size_of(dtype));
  }
}

struct Pair {
  std::shared_ptr<Watched> device = std::make_shared<Watched>();
  Model model;
  Session here, there;
};
Pair pair(const Graph& graph) {
  auto model = make_model(graph, {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : model.error().message()));
  auto device = std::make_shared<Watched>();
  auto here = model->session();
  REQUIRE_MESSAGE(here.ok(), (here.ok() ? "" : here.error().message()));
  auto there = session_on(*model, {.device = "ptxsim,cpu"}, device);
  REQUIRE_MESSAGE(there.ok(), (there.ok() ? "" : there.error().message()));
  return {device, *model, std::move(*here), std::move(*there)};
}
void check_equal(Pair& p) {
  for (uint32_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    for (const Port& port : p.here.inputs()) {
      fill(p.here.input_bytes(port.name), port.dtype, seed);
      std::ranges::copy(p.here.input_bytes(port.name), p.there.input_bytes(port.name).begin());
    }
    REQUIRE(p.here.run());
    const bool ran = p.there.run();
    REQUIRE_MESSAGE(ran, (ran ? "" : p.there.status().error().message()));
    for (const Port& port : p.here.outputs()) {
      CAPTURE(port.name);
      CHECK(same_elements(port.dtype, p.there.output_bytes(port.name), p.here.output_bytes(port.name)));
    }
  }
}

ValueId product(GraphBuilder& b, ValueId x, int64_t n, uint32_t seed) { return b.node("MatMul", {x, b.constant(random_f32({n, n}, seed))}); }

// A loop's body: iteration number, condition, then what input() adds.
struct Body : GraphBuilder {
  ValueId i = input("i", Shape(std::vector<Dim>()), DType::i64), going = input("going", Shape(std::vector<Dim>()), DType::boolean);
};

}  // namespace

TEST_CASE("split: a node without a kernel between others runs on the CPU, and only what crosses is copied") {
  if (cuda::ptx_modules().empty()) return;
  GraphBuilder b;
  const ValueId x = b.input("x", {4, 8}), unused = b.input("side", {4, 8}, DType::u32);
  const ValueId first = product(b, x, 8, 1);
  const ValueId middle = fourth(b, first);
  const ValueId last = b.node("Add", {product(b, middle, 8, 2), first});
  b.output(b.node("Tanh", {last}), "y");
  b.output(transposed(b, unused), "z");
  Pair p = pair(b.graph);
  check_equal(p);
  CHECK(outline(p.there) ==
        "on the device:\n  upload %x\n  download %n0\non the CPU:\n"
        "on the device:\n  upload %n1\n  download %n4\non the CPU:\n");
  CHECK(p.device->graphs.size() == 2);
  CHECK(p.device->copies == 4);
  CHECK(p.there.isa().starts_with("cuda,"));
  CHECK(p.there.steps().size() == p.here.steps().size());
  // Each step has its time.
  std::vector<double> ns(p.there.steps().size(), -1);
  REQUIRE(p.there.run_timed(ns));
  for (double t : ns) CHECK(t > 0);
  // Plain devices go on refusing.
  auto refused = session_on(p.model, {}, p.device);
  REQUIRE(!refused.ok());
  CHECK(refused.error().message().find("Einsum") != std::string::npos);
}

TEST_CASE("split: where every node has a kernel there is one graph and no copy but inputs and outputs; where none has, no graph") {
  if (cuda::ptx_modules().empty()) return;
  GraphBuilder all;
  const ValueId x = all.input("x", {4, 8}), y = all.input("y", {4, 8});
  all.output(all.node("Sigmoid", {all.node("Add", {product(all, x, 8, 1), y})}), "a");
  all.output(all.node("Mul", {x, y}), "b");
  Pair p = pair(all.graph);
  check_equal(p);
  CHECK(p.device->graphs.size() == 1);
  CHECK(p.device->copies == 4);
  CHECK(count(p.there.text(), "on the device:") == 1);
  CHECK(count(p.there.text(), "on the CPU:") == 0);
  auto plain = session_on(p.model, {}, p.device);
  REQUIRE(plain.ok());
  CHECK(p.device->graphs[1] == p.device->graphs[0]);

  GraphBuilder none;
  none.output(transposed(none, none.input("x", {4, 8}, DType::u32)), "y");
  none.output(fourth(none, none.input("v", {4, 8})), "w");
  none.output(none.constant(random_f32({3}, 1)), "c");
  Pair q = pair(none.graph);
  check_equal(q);
  CHECK(q.device->graphs.empty());
  CHECK(outline(q.there) == "on the CPU:\n");
}

TEST_CASE("split: a Loop and an If between products, with what they carry, capture and gather") {
  if (cuda::ptx_modules().empty()) return;
  for (int64_t trips : {1, 2, 3}) {
    CAPTURE(trips);
    GraphBuilder b;
    const ValueId x = b.input("x", {4, 4}), yes = b.input("yes", Shape(std::vector<Dim>()), DType::boolean);
    const ValueId state = product(b, x, 4, 1), kept = product(b, x, 4, 2);
    Body body;
    const ValueId v = body.input("v", {4, 4}), other = body.input("other", {4, 4}), captured = body.input("captured", {4, 4});
    const ValueId next = body.node("Sub", {body.node("MatMul", {v, captured}), other});
    for (ValueId o : {body.going, next, v, next}) body.output(o);
    const auto out = b.loop("Loop", {b.constant(Tensor::scalar(trips)), b.constant(Tensor::scalar(true)), state, kept}, {kept}, body, 3);
    for (int branch = 0; branch < 2; ++branch) {
      GraphBuilder g;
      const ValueId p = g.input("p", {4, 4}), q = g.input("q", {4, 4});
      g.output(branch == 0 ? g.node("Sub", {p, q}) : g.node("Softmax", {q}));
      g.output(p);
      b.graph.subgraphs.push_back(g.graph);
    }
    const auto branched = b.nodes("If", {yes, product(b, out[0], 4, 3), out[1]}, 2, {}, {1, 2});
    b.output(b.node("Add", {product(b, branched[0], 4, 4), branched[1]}), "y");
    b.output(out[2], "all");
    b.output(b.node("Add", {out[1], kept}), "z");
    Pair p = pair(b.graph);
    check_equal(p);
    CHECK(p.device->graphs.size() == 3);
  }
}

TEST_CASE("split: a loop that does not run leaves what the device computed") {
  if (cuda::ptx_modules().empty()) return;
  GraphBuilder b;
  const ValueId x = b.input("x", {4, 4}), go = b.input("go", Shape(std::vector<Dim>()), DType::boolean);
  Body body;
  body.input("v", {4, 4});
  const ValueId captured = body.input("captured", {4, 4});
  body.output(body.going);
  body.output(body.node("Neg", {captured}));
  b.output(b.loop("Loop", {b.constant(Tensor::scalar<int64_t>(3)), go, product(b, x, 4, 1)}, {x}, body, 1)[0], "y");
  Pair p = pair(b.graph);
  check_equal(p);
  for (Session* s : {&p.here, &p.there}) s->input<bool>("go")[0] = false;
  REQUIRE(p.here.run());
  REQUIRE(p.there.run());
  CHECK(same_elements(DType::f32, p.there.output_bytes("y"), p.here.output_bytes("y")));
}

TEST_CASE("split: faults of both sides are told, the first in the order of the nodes") {
  if (cuda::ptx_modules().empty()) return;
  GraphBuilder b;
  const ValueId yes = b.input("yes", Shape(std::vector<Dim>()), DType::boolean), k = b.input("k", {1}, DType::i64);
  const ValueId first = b.node("Gather", {b.constant(random_f32({6, 2}, 1)), k});
  for (int64_t rows : {4, 8}) {
    GraphBuilder g;
    const ValueId inner = g.input("k", {1}, DType::i64);
    g.output(g.node("Gather", {g.constant(random_f32({rows, 2}, 1)), inner}));
    b.graph.subgraphs.push_back(g.graph);
  }
  const ValueId branched = b.nodes("If", {yes, k}, 1, {}, {0, 1})[0];
  b.output(b.node("Gather", {b.constant(random_f32({10, 2}, 1)), k}), "y");
  b.output(b.node("Add", {first, branched}), "z");
  Pair p = pair(b.graph);
  CHECK(p.device->graphs.size() == 2);
  for (bool taken : {true, false}) {
    for (int64_t index : {0, 3, 4, 5, 7, 9, 11, 1}) {
      CAPTURE(taken);
      CAPTURE(index);
      for (Session* s : {&p.here, &p.there}) {
        s->input<bool>("yes")[0] = taken;
        s->input<int64_t>("k")[0] = index;
      }
      CHECK(p.there.run() == p.here.run());
      CHECK(p.there.status().error().message() == p.here.status().error().message());
    }
  }
}

TEST_CASE("split: subnormals are zero on the CPU's side too, and the caller's mode is its own again") {
  if (cuda::ptx_modules().empty()) return;
  GraphBuilder b;
  const ValueId x = b.input("x", {4}), yes = b.input("yes", Shape(std::vector<Dim>()), DType::boolean);
  const ValueId small = b.node("Mul", {x, b.constant(f32({4}, {1e-20f, 1e-20f, 1, 1}))});
  for (int branch = 0; branch < 2; ++branch) {
    GraphBuilder g;
    const ValueId v = g.input("v", {4});
    g.output(g.node("Mul", {v, g.constant(f32({4}, {1e-20f, 1, 1e-20f, 1}))}));
    b.graph.subgraphs.push_back(g.graph);
  }
  b.output(b.nodes("If", {yes, small}, 1, {}, {0, 1})[0], "y");
  Pair p = pair(b.graph);
  std::ranges::fill(p.there.input<float>("x"), 1.0f);
  REQUIRE(p.there.run());
  CHECK(p.there.output<float>("y")[0] == 0);
  CHECK(p.there.output<float>("y")[1] == 1e-20f);
  volatile float tiny = 1e-30f;
  CHECK(tiny * 1e-10f > 0);
}

TEST_CASE("split: random graphs with nodes of both kinds, views and nodes in place") {
  if (cuda::ptx_modules().empty()) return;
  size_t graphs = 0, crossings = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    GraphBuilder b;
    std::vector<ValueId> values{b.input("x", {4, 8}), b.input("y", {4, 8})};
    auto any = [&] { return values[random() % values.size()]; };
    auto late = [&] { return values[values.size() - 1 - random() % std::min<size_t>(3, values.size())]; };
    for (int n = 0; n < 14; ++n) {
      const ValueId v = late();
      switch (random() % 8) {
        case 0: values.push_back(product(b, v, 8, seed + static_cast<uint32_t>(n))); break;
        case 1: values.push_back(b.node("Add", {v, any()})); break;
        case 2: values.push_back(b.node("Tanh", {v})); break;
        case 3: values.push_back(b.node("Mul", {any(), v})); break;
        case 4: values.push_back(b.node("Reshape", {b.node("Tanh", {b.node("Reshape", {v, b.ints({8, 4})})}), b.ints({4, 8})})); break;
        case 5: {
          Body body;
          const ValueId state = body.input("state", {4, 8}), c = body.input("c", {4, 8});
          body.output(body.going);
          body.output(body.node("Sub", {c, state}));
          values.push_back(
              b.loop("Loop", {b.constant(Tensor::scalar<int64_t>(1 + random() % 3)), b.constant(Tensor::scalar(true)), v}, {any()}, body, 1)[0]);
          break;
        }
        default: values.push_back(fourth(b, v)); break;
      }
    }
    for (int o = 0; o < 3; ++o) b.output(o == 0 ? values.back() : any());
    Pair p = pair(b.graph);
    check_equal(p);
    graphs += p.device->graphs.size();
    crossings += p.device->copies;
  }
  CHECK(graphs > 60);
  CHECK(crossings > 160);
}

}  // namespace tern::test::in_split
