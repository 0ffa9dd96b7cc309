// Each fusion: the exported spelling becomes one node, computes the same within rounding, and is left alone when it only looks alike.
#include "runtime/fuse/fuse.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "kernels/dtype_code.h"
#include "runtime/evaluator.h"
#include "runtime/fuse/passes.h"
#include "runtime/infer_shapes.h"
#include "runtime/model.h"
#include "runtime/optimize.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_fuse {
namespace {

using Builder = GraphBuilder;
ValueId number(Builder& b, float v) { return b.constant(Tensor::scalar(v)); }

// Optimises a copy with fusion and one without, evaluates both, and compares; gives the fused graph.
Graph fused(Builder& b, const std::vector<Tensor>& inputs, float tolerance = 2e-6f) {
  Graph plain = b.graph, graph = b.graph;
  REQUIRE(optimize(plain, 1 << 24, Stage::fold).ok());
  Status s = optimize(graph, 1 << 24);
  REQUIRE_MESSAGE(s.ok(), s.error().message());
  auto expected = evaluate_graph(plain, inputs, {});
  auto actual = evaluate_graph(graph, inputs, {});
  REQUIRE(expected.ok());
  REQUIRE_MESSAGE(actual.ok(), (actual.ok() ? std::string() : actual.error().message()));
  for (size_t o = 0; o < expected->size(); ++o) check_close((*actual)[o], (*expected)[o], 0, tolerance);
  return graph;
}

ValueId erf_sum(Builder& b, ValueId x, bool divide) {
  auto scaled = divide ? b.node("Div", {x, number(b, 1.41421354f)}) : b.node("Mul", {x, number(b, 0.707106769f)});
  return b.node("Add", {b.node("Erf", {scaled}), number(b, 1.0f)});
}

}  // namespace

TEST_CASE("fuse: the mean over gathered rows is one GatherMean, with the same bits; over anything else it is not") {
  const Tensor ids = i64({2, 3}, {1, -1, 4, 0, 0, 8});
  for (int64_t axis : {1, -2, 0, 2}) {
    for (int64_t row : {70, 1}) {
      for (int kind = 0; kind < 10; ++kind) {
        constexpr std::pair<DType, DType> kTypes[] = {
            {DType::f32, DType::f32}, {DType::f16, DType::f32}, {DType::bf16, DType::f32}, {DType::i32, DType::f32}, {DType::f32, DType::f64}};
        const auto [from, to] = kTypes[kind / 2];
        const bool twice = kind % 2 != 0, taken = to == DType::f32 && from != DType::i32;
        Builder b;
        const ValueId x = b.input("x", {2, 3}, DType::i64);
        const ValueId rows = b.node("Gather", {b.constant(cast(random_f32({9, row}, 1, -9, 9), from)), x});
        const ValueId numbers = from == to ? rows : b.node("Cast", {rows}, {{"to", int64_t(code_of(to))}});
        b.output(b.node("ReduceMean", {numbers, b.ints({axis})}, {{"keepdims", int64_t(axis == 1)}}));
        if (twice) b.output(b.node("Transpose", {rows}));
        Graph plain = b.graph;
        REQUIRE(optimize(plain, 1 << 24).ok());
        Graph graph = plain;
        fuse_gather_mean(graph);
        CHECK(Builder::count(graph, "GatherMean") == ((axis == 1 || axis == -2) && row > 1 && !twice && taken));
        const auto expected = evaluate_graph(plain, {{ids}}, {}), actual = evaluate_graph(graph, {{ids}}, {});
        REQUIRE_MESSAGE(actual.ok(), actual.error().message());
        for (size_t o = 0; o < expected->size(); ++o) check_same((*actual)[o], (*expected)[o]);
      }
    }
  }
}

TEST_CASE("fuse: every exported spelling of GELU becomes Gelu") {
  for (int spelling = 0; spelling < 4; ++spelling) {
    Builder b;
    auto x = b.input("x", {3, 5});
    auto sum = erf_sum(b, x, spelling % 2 == 0);
    if (spelling < 2) b.output(b.node("Mul", {b.node("Mul", {x, sum}), number(b, 0.5f)}));
    else b.output(b.node("Mul", {b.node("Mul", {x, number(b, 0.5f)}), sum}));
    Graph g = fused(b, {random_f32({3, 5}, 1, -4, 4)});
    CHECK(g.nodes.size() == 1);
    CHECK(Builder::count(g, "Gelu") == 1);
  }
}

TEST_CASE("fuse: the tanh form of GELU, Swish and Mish are recognised") {
  Builder b;
  auto x = b.input("x", {17});
  auto cubic = b.node("Mul", {b.node("Pow", {x, number(b, 3.0f)}), number(b, 0.044715f)});
  auto inner = b.node("Mul", {b.node("Add", {x, cubic}), number(b, 0.797884583f)});
  auto sum = b.node("Add", {b.node("Tanh", {inner}), number(b, 1.0f)});
  b.output(b.node("Mul", {b.node("Mul", {x, number(b, 0.5f)}), sum}));
  b.output(b.node("Mul", {x, b.node("Sigmoid", {x})}));
  b.output(b.node("Mul", {b.node("Tanh", {b.node("Softplus", {x})}), x}));
  Graph g = fused(b, {random_f32({17}, 2, -4, 4)});
  REQUIRE(g.nodes.size() == 3);
  CHECK(Builder::count(g, "Gelu") == 1);
  CHECK(Builder::count(g, "Swish") == 1);
  CHECK(Builder::count(g, "Mish") == 1);
}

TEST_CASE("fuse: gates spelled out by frameworks without them become Swish, HardSigmoid and HardSwish") {
  struct Case {
    const char *op, *why;
    std::function<ValueId(Builder&, ValueId)> make;
  };
  auto relu6 = [](Builder& b, ValueId x, float shift, float high) {
    return b.node("Clip", {b.node("Add", {x, number(b, shift)}), number(b, 0), number(b, high)});
  };
  const Case cases[] = {
      {"Swish", "a beta",
       [](Builder& b, ValueId x) {
         return b.node("Mul", {b.node("Sigmoid", {b.node("Mul", {number(b, 1.5f), x})}), x});
       }},
      {"HardSigmoid", "times a sixth",
       [&](Builder& b, ValueId x) {
         return b.node("Mul", {relu6(b, x, 3, 6), number(b, 1.0f / 6)});
       }},
      {"HardSigmoid", "by six",
       [&](Builder& b, ValueId x) {
         return b.node("Div", {relu6(b, x, 3, 6), number(b, 6)});
       }},
      {"HardSwish", "a gate times x",
       [&](Builder& b, ValueId x) {
         return b.node("Mul", {x, b.node("Mul", {number(b, 1.0f / 6), relu6(b, x, 3, 6)})});
       }},
      {"HardSwish", "a product by six",
       [&](Builder& b, ValueId x) {
         return b.node("Div", {b.node("Mul", {x, relu6(b, x, 3, 6)}), number(b, 6)});
       }},
      {"", "another shift",
       [&](Builder& b, ValueId x) {
         return b.node("Div", {relu6(b, x, 2, 6), number(b, 6)});
       }},
      {"", "another limit",
       [&](Builder& b, ValueId x) {
         return b.node("Mul", {x, b.node("Div", {relu6(b, x, 3, 5), number(b, 6)})});
       }},
      {"", "six by it",
       [&](Builder& b, ValueId x) {
         return b.node("Div", {number(b, 6), relu6(b, x, 3, 6)});
       }},
      {"", "another gate",
       [&](Builder& b, ValueId x) {
         return b.node("Div", {b.node("Mul", {b.node("Abs", {x}), relu6(b, x, 3, 6)}), number(b, 6)});
       }},
      {"", "another x",
       [](Builder& b, ValueId x) {
         return b.node("Mul", {b.node("Sigmoid", {b.node("Mul", {number(b, 1.5f), b.node("Abs", {x})})}), x});
       }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.why);
    Builder b;
    b.output(c.make(b, b.input("x", {2, 17})));
    const Graph g = fused(b, {random_f32({2, 17}, 2, -5, 5)});
    int found = 0;
    for (const char* op : {"Swish", "HardSigmoid", "HardSwish"}) found += Builder::count(g, op);
    CHECK(found == (*c.op != 0));
    if (*c.op == 0) continue;
    REQUIRE(g.nodes.size() == 1);
    CHECK(g.nodes[0].op->name == std::string_view(c.op));
  }
}

TEST_CASE("fuse: what only looks like a GELU stays as it is") {
  for (int change = 0; change < 3; ++change) {
    Builder b;
    auto x = b.input("x", {4}), other = b.input("z", {4});
    auto scaled = b.node("Div", {x, number(b, change == 0 ? 1.5f : 1.41421354f)});
    auto sum = b.node("Add", {b.node("Erf", {scaled}), number(b, change == 1 ? 2.0f : 1.0f)});
    b.output(b.node("Mul", {b.node("Mul", {change == 2 ? other : x, sum}), number(b, 0.5f)}));
    Graph g = fused(b, {random_f32({4}, 3), random_f32({4}, 4)});
    CHECK(Builder::count(g, "Gelu") == 0);
  }
}

TEST_CASE("fuse: the primitives of LayerNorm become LayerNormalization with their epsilon") {
  for (bool last : {true, false}) {
    Builder b;
    auto x = b.input("x", {2, 6});
    auto axes = b.ints({last ? -1 : 0});
    auto d = b.node("Sub", {x, b.node("ReduceMean", {x, axes})});
    auto variance = b.node("ReduceMean", {b.node("Pow", {d, number(b, 2.0f)}), axes});
    auto root = b.node("Sqrt", {b.node("Add", {variance, number(b, 0.25f)})});
    auto scaled = b.node("Mul", {b.node("Div", {d, root}), b.constant(random_f32({6}, 5))});
    b.output(b.node("Add", {scaled, b.constant(random_f32({6}, 6))}));
    Graph g = fused(b, {random_f32({2, 6}, 7)});
    CHECK(Builder::count(g, "LayerNormalization") == (last ? 1 : 0));
    if (last) {
      CHECK(g.nodes.size() == 1);
      CHECK(g.nodes[0].attrs.f("epsilon") == 0.25f);
    }
  }
}

TEST_CASE("fuse: every spelling of a division by the root of the mean square becomes RMSNormalization, unless it is another's or over another axis") {
  for (int spelling = 0; spelling < 8; ++spelling) {
    INFO(spelling);
    Builder b;
    const ValueId x = b.input("x", {2, 6}), other = b.input("other", {2, 6}), axes = b.ints({spelling == 5 ? 0 : 1});
    const ValueId square = spelling == 1 ? b.node("Mul", {x, x}) : b.node("Pow", {x, number(b, spelling == 6 ? 3.0f : 2.0f)});
    const ValueId root = b.node("Sqrt", {b.node("Add", {b.node("ReduceMean", {square, axes}), number(b, 0.25f)})});
    const ValueId over = spelling == 4 ? other : x;
    const ValueId inverse = spelling == 2 ? b.node("Div", {number(b, 1.0f), root}) : b.node("Reciprocal", {root});
    const ValueId y = spelling == 3 ? b.node("Div", {over, root}) : b.node("Mul", {inverse, over});
    b.output(b.node("Mul", {b.constant(random_f32(spelling == 7 ? Dims{2, 1} : Dims{6}, 5)), y}));
    b.output(b.node("Abs", {other}));
    const Graph g = fused(b, {random_f32({2, 6}, 7, spelling == 6 ? 0.5f : -1, 1), random_f32({2, 6}, 8)}, 1e-5f);
    CHECK(Builder::count(g, "RMSNormalization") == (spelling < 4 ? 1 : 0));
    if (spelling < 4) CHECK(Builder::count(g, "Abs") + 1 == static_cast<int64_t>(g.nodes.size()));
  }
}

TEST_CASE("fuse: GELU by erfc in f64, as TensorFlow's operator is read, becomes Gelu") {
  for (double one : {1.0, 2.0}) {
    Builder b;
    const ValueId x = b.input("x", {3, 50});
    const ValueId z = b.node("Cast", {b.node("Mul", {b.node("Neg", {x}), number(b, 0.707106769f)})}, {{"to", int64_t(11)}});
    const ValueId erfc = b.node("Sub", {b.constant(Tensor::scalar(one)), b.node("Erf", {z})});
    b.output(b.node("Mul", {b.node("Mul", {number(b, 0.5f), x}), b.node("Cast", {erfc}, {{"to", int64_t(1)}})}));
    CHECK(Builder::count(fused(b, {random_f32({3, 50}, 7, -6, 6)}), "Gelu") == (one == 1));
  }
}

TEST_CASE("fuse: a product of rows between two Reshapes is one product, with its bias and activation, and no other Reshape is lost") {
  const Dim batch = Dim::symbol("batch");
  for (int like = 0; like < 4; ++like) {
    Builder b;
    const ValueId x = b.input("x", {batch, 3, 4, 6}), w = b.constant(random_f32({6, 5}, 1));
    const ValueId product = b.node("MatMul", {b.node("Reshape", {x, b.ints({-1, 6})}), w});
    const std::vector<int64_t> back[] = {{-1, 3, 4, 5}, {-1, 4, 3, 5}, {-1, 12, 5}, {-1, 3, 4, 5}};
    const ValueId y = b.node("Reshape", {product, b.ints(back[like])});
    b.output(b.node("Relu", {b.node("Add", {y, b.constant(random_f32({5}, 2))})}));
    if (like == 3) b.output(product);
    const Graph g = fused(b, {random_f32({2, 3, 4, 6}, 7)});
    CHECK(Builder::count(g, "Linear") == (like == 0));
    CHECK((Builder::count(g, "Reshape") == 0) == (like == 0));
  }
}

TEST_CASE("fuse: LayerNorm as Keras and TensorFlow multiply it out becomes LayerNormalization, unless another mean is taken away") {
  for (int spelling = 0; spelling < 6; ++spelling) {
    Builder b;
    const ValueId x = b.input("x", {2, 3, 21}), other = b.input("other", {2, 3, 21}), axes = b.ints({2});
    const ValueId mean = b.node("ReduceMean", {x, axes}), d = b.node("Sub", {x, mean});
    const ValueId variance = b.node("ReduceMean", {b.node("Mul", {d, d}), axes});
    const ValueId inverse = b.node("Reciprocal", {b.node("Sqrt", {b.node("Add", {variance, number(b, 0.25f)})})});
    const ValueId m = b.node("Mul", {inverse, b.constant(random_f32({1, 1, 21}, 5, 1, 2))}), bias = b.constant(random_f32({1, 1, 21}, 6));
    const ValueId wrong = b.node("ReduceMean", {other, axes});
    const ValueId taken = spelling == 2 ? wrong : mean;
    const ValueId shift = spelling % 2 == 0 ? b.node("Sub", {bias, b.node("Mul", {taken, m})})
                                            : b.node("Add", {b.node("Mul", {spelling == 3 ? taken : b.node("Neg", {taken}), m}), bias});
    b.output(b.node("Add", {b.node("Mul", {spelling == 4 ? other : x, spelling == 5 ? inverse : m}), shift}));
    b.output(b.node("Abs", {b.node("Add", {other, wrong})}));
    const Graph g = fused(b, {random_f32({2, 3, 21}, 7), random_f32({2, 3, 21}, 8)}, 1e-5f);
    CHECK(Builder::count(g, "LayerNormalization") == (spelling < 2 ? 1 : 0));
  }
}

// One element of `rank` axes.
ValueId ones(Builder& b, float v, int rank) {
  Dims dims;
  for (int i = 0; i < rank; ++i) dims.push_back(1);
  return b.constant(Tensor::of<float>(dims, std::span<const float>(&v, 1)));
}

TEST_CASE("fuse: a one-element constant of more axes than the data keeps the axes that it adds") {
  for (int at = 0; at < 6; ++at) {  // which constant has them
    for (int rank : {1, 2, 3, 4}) {
      Builder b;
      auto x = b.input("x", {3, 8});
      auto one = [&](int i, float v) { return ones(b, v, i == at ? rank : 0); };
      auto axes = b.ints({-1});
      auto d = b.node("Sub", {x, b.node("ReduceMean", {x, axes})});
      auto variance = b.node("ReduceMean", {b.node("Pow", {d, one(0, 2.0f)}), axes});
      auto norm = b.node("Div", {d, b.node("Sqrt", {b.node("Add", {variance, one(1, 0.25f)})})});
      b.output(b.node("Add", {b.node("Mul", {norm, b.constant(random_f32({8}, 5))}), b.constant(random_f32({8}, 6))}));
      auto erf = b.node("Erf", {b.node("Div", {x, one(2, 1.41421354f)})});
      b.output(b.node("Mul", {b.node("Mul", {x, b.node("Add", {erf, one(3, 1.0f)})}), one(4, 0.5f)}));
      auto scores = b.node("Mul", {b.node("MatMul", {x, b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}})}), one(5, 0.5f)});
      b.output(b.node("MatMul", {b.node("Softmax", {scores}), x}));
      b.output(b.node("Relu", {b.node("Add", {b.node("MatMul", {x, b.constant(random_f32({8, 1}, 7))}), one(5, 0.5f)})}));
      Graph g = fused(b, {random_f32({3, 8}, 1)});  // compares shapes too
      CHECK(Builder::count(g, "LayerNormalization") == (at < 2 && rank > 2 ? 0 : 1));
      CHECK(Builder::count(g, "Gelu") == (at > 1 && at < 5 && rank > 2 ? 0 : 1));
    }
  }
}

TEST_CASE("fuse: an attention of four axes is left alone when its scale adds a fifth") {
  for (int rank : {4, 5}) {
    Builder b;
    auto q = b.input("q", {2, 3, 5, 4}), k = b.input("k", {2, 3, 4, 5}), v = b.input("v", {2, 3, 5, 6});
    b.output(b.node("MatMul", {b.node("Softmax", {b.node("Mul", {b.node("MatMul", {q, k}), ones(b, 0.5f, rank)})}), v}));
    Graph g = fused(b, {random_f32({2, 3, 5, 4}, 1), random_f32({2, 3, 4, 5}, 2), random_f32({2, 3, 5, 6}, 3)}, 1e-5f);
    CHECK(Builder::count(g, "FusedAttention") == (rank == 4));
  }
}

TEST_CASE("fuse: a mask with a batch of its own is taken only when it is the scores' for sure") {
  for (bool same : {true, false}) {
    Builder b;
    const Dim batch = Dim::symbol("batch"), masks = same ? batch : Dim::symbol("masks");
    auto q = b.input("q", {batch, 3, 5, 4}), k = b.input("k", {batch, 3, 4, 5}), v = b.input("v", {batch, 3, 5, 6}),
         mask = b.input("mask", {masks, 1, 5, 5});
    auto scores = b.node("Add", {b.node("MatMul", {q, k}), mask});
    b.output(b.node("MatMul", {b.node("Softmax", {scores}), v}));
    REQUIRE(optimize(b.graph, 1 << 24).ok());
    CHECK(Builder::count(b.graph, "FusedAttention") == (same ? 1 : 0));
  }
}

TEST_CASE("fuse: softmax(q k^T scale + mask) v becomes FusedAttention, with or without its parts") {
  for (int form = 0; form < 3; ++form) {
    Builder b;
    auto q = b.input("q", {2, 3, 5, 4}), k = b.input("k", {2, 7, 3, 4}), v = b.input("v", {2, 3, 7, 4});
    auto kt = b.node("Transpose", {k}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    auto scores = b.node("MatMul", {q, kt});
    if (form == 0) scores = b.node("Mul", {scores, number(b, 0.5f)});
    if (form == 1) scores = b.node("Div", {scores, number(b, 3.0f)});
    if (form == 1) scores = b.node("Add", {scores, b.constant(random_f32({1, 1, 5, 7}, 9))});
    b.output(b.node("MatMul", {b.node("Softmax", {scores}), v}));
    Graph g = fused(b, {random_f32({2, 3, 5, 4}, 1), random_f32({2, 7, 3, 4}, 2), random_f32({2, 3, 7, 4}, 3)});
    CHECK(Builder::count(g, "FusedAttention") == 1);
    CHECK(Builder::count(g, "Softmax") == 0);
  }
}

TEST_CASE("fuse: a constant choice between scores and a very low number is a mask of an attention") {
  enum Kind { causal, hidden, infinite, three_axes, no_row, modest, one_column, more_scores, computed };
  for (int kind = causal; kind <= computed; ++kind) {
    INFO(kind);
    Builder b;
    const int64_t T = 5, S = 7;
    const bool flat = kind == three_axes;
    const int64_t N = kind == more_scores ? 1 : 2;
    const Dims q_dims = flat ? Dims{6, T, 4} : Dims{N, 3, T, 4}, k_dims = flat ? Dims{6, 4, S} : Dims{N, 3, 4, S},
               v_dims = flat ? Dims{6, S, 3} : Dims{N, 3, S, 3};
    std::vector<uint8_t> seen;
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t j = 0; j < (kind == one_column ? 1 : S); ++j) seen.push_back((j <= t + S - T && !(kind == no_row && t == 2)) != (kind == hidden));
    }
    if (kind == more_scores) seen.insert(seen.end(), seen.begin(), seen.begin() + T * S);
    const Dims mask_dims = flat ? Dims{T, S} : Dims{kind == more_scores ? 2 : 1, 1, T, kind == one_column ? 1 : S};
    Tensor shown = *Tensor::allocate(DType::boolean, mask_dims);
    std::copy(seen.begin(), seen.end(), shown.mutable_data<uint8_t>());
    ValueId mask = b.constant(shown);
    if (kind == computed) mask = b.node("And", {mask, b.node("Not", {b.node("IsNaN", {b.input("more", {1})})})});
    const ValueId scores = b.node("Div", {b.node("MatMul", {b.input("q", Shape(q_dims)), b.input("k", Shape(k_dims))}), number(b, 2)});
    const ValueId low = number(b, kind == infinite ? -INFINITY : kind == modest ? -100.0f : -3.4028235e38f);
    const ValueId masked = kind == hidden ? b.node("Where", {mask, low, scores}) : b.node("Where", {mask, scores, low});
    b.output(b.node("MatMul", {b.node("Softmax", {masked}), b.input("v", Shape(v_dims))}));
    if (kind == computed) {
      REQUIRE(optimize(b.graph, 1 << 24).ok());
      CHECK(Builder::count(b.graph, "FusedAttention") == 0);
      continue;
    }
    const Graph g = fused(b, {random_f32(q_dims, 1), random_f32(k_dims, 2), random_f32(v_dims, 3)});
    CHECK(Builder::count(g, "FusedAttention") == (kind <= three_axes ? 1 : 0));
  }
}

TEST_CASE("fuse: attentions that share what a mask hides share what it shows") {
  Builder b;
  Tensor hidden = *Tensor::allocate(DType::boolean, {5, 7});
  for (int64_t i = 0; i < 35; ++i) hidden.mutable_data<uint8_t>()[i] = i % 7 > i / 7 + 2;
  const ValueId mask = b.constant(hidden), low = number(b, -INFINITY);
  const ValueId k = b.input("k", {2, 3, 4, 7}), v = b.input("v", {2, 3, 7, 3});
  for (const char* q : {"q", "other q"}) {
    const ValueId scores = b.node("MatMul", {b.input(q, {2, 3, 5, 4}), k});
    b.output(b.node("MatMul", {b.node("Softmax", {b.node("Where", {mask, low, scores})}), v}));
  }
  Graph g = b.graph;  // the pass alone: equal constants become one behind it
  REQUIRE(infer_shapes(g).ok());
  fuse_attention(g);
  std::vector<ValueId> masks;
  for (const Node& n : g.nodes) {
    if (n.op == find_op("FusedAttention")) masks.push_back(n.inputs[3]);
  }
  REQUIRE(masks.size() == 2);
  CHECK(masks[0] == masks[1]);
}

TEST_CASE("fuse: constants that queries and keys are multiplied with are the scale of an attention, whoever else reads the products") {
  for (int like = 0; like < 6; ++like) {
    INFO(like);
    Builder b;
    const auto heads = [&](ValueId x, std::vector<int64_t> perm) { return b.node("Transpose", {x}, {{"perm", perm}}); };
    const ValueId q = b.input("q", {2, 5, 3, 8}), k = b.input("k", {2, 7, 3, 8}), v = b.input("v", {2, 3, 7, 4}),
                  by = number(b, like == 5 ? 0.0f : 0.6f);
    const bool before = like % 2 == 0;
    const ValueId product = before ? b.node("Mul", {q, by}) : b.node("Mul", {by, heads(q, {0, 2, 1, 3})});
    const ValueId queries = before ? heads(product, {0, 2, 1, 3}) : product;
    const ValueId keys = before ? heads(b.node("Mul", {k, by}), {0, 2, 3, 1}) : b.node("Mul", {heads(k, {0, 2, 3, 1}), by});
    const ValueId scores = b.node("Mul", {b.node("MatMul", {queries, keys}), number(b, 0.5f)});
    b.output(b.node("MatMul", {b.node("Softmax", {scores}), v}));
    if (like == 2) b.output(b.node("Abs", {product}));
    if (like == 3) b.output(b.node("Abs", {keys}));
    if (like == 4) b.output(b.node("Abs", {queries}));
    const Graph g = fused(b, {random_f32({2, 5, 3, 8}, 1), random_f32({2, 7, 3, 8}, 2), random_f32({2, 3, 7, 4}, 3)});
    CHECK(Builder::count(g, "FusedAttention") == 1);
    CHECK(Builder::count(g, "Mul") == (like < 2 ? 0 : like < 5 ? 1 : 2));
    for (const Node& n : g.nodes) {
      if (n.op->name == std::string("FusedAttention")) CHECK(n.read().f("scale") == doctest::Approx(like < 5 ? 0.5 * 0.6 * 0.6 : 0.5));
    }
  }
}

TEST_CASE("fuse: attention of three dimensions, as torch exports it with scaled queries, is heads of one batch") {
  for (const bool masked : {false, true}) {
    Builder b;
    auto q = b.input("q", {6, 5, 4}), k = b.input("k", {6, 7, 4}), v = b.input("v", {6, 7, 3});
    auto kt = b.node("Transpose", {k}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
    auto scores = b.node("MatMul", {b.node("Mul", {q, number(b, 0.5f)}), kt});
    if (masked) scores = b.node("Add", {b.constant(random_f32({6, 5, 7}, 9)), scores});
    b.output(b.node("MatMul", {b.node("Softmax", {scores}, {{"axis", int64_t(2)}}), v}));
    Graph g = fused(b, {random_f32({6, 5, 4}, 1), random_f32({6, 7, 4}, 2), random_f32({6, 7, 3}, 3)});
    CHECK(Builder::count(g, "FusedAttention") == 1);
    CHECK(Builder::count(g, "Transpose") == 0);
  }
}

TEST_CASE("fuse: an Attention of ONNX that asks for no more than FusedAttention is one, to the bit") {
  const std::vector<Tensor> inputs = {random_f32({2, 4, 5, 8}, 1), random_f32({2, 4, 7, 8}, 2), random_f32({2, 4, 7, 6}, 3)};
  const auto check = [&](Attrs attrs, int64_t expected, const Tensor& mask = {}) {
    Builder b;
    std::vector<ValueId> in;
    for (const Tensor& t : inputs) in.push_back(b.input("x" + std::to_string(in.size()), Shape(t.dims())));
    if (mask.present()) in.push_back(b.constant(mask));
    b.output(b.node("Attention", in, attrs));
    CHECK(Builder::count(fused(b, inputs, 0), "FusedAttention") == expected);
  };
  check({}, 1);
  check({{"scale", 0.7f}}, 1);
  check({}, 0, random_f32({5, 7}, 4));
  check({{"is_causal", int64_t(1)}}, 0);
  check({{"left_window_size", int64_t(2)}}, 0);
  check({{"right_window_size", int64_t(0)}}, 0);
  check({{"softcap", 2.0f}}, 0);
  check({{"softmax_precision", int64_t(11)}}, 0);
  Builder b;  // heads that share keys
  const auto x = [&](const char* name, int64_t heads) { return b.input(name, {2, heads, 5, 8}); };
  b.output(b.node("Attention", {x("q", 4), x("k", 2), x("v", 2)}));
  CHECK(Builder::count(fused(b, {random_f32({2, 4, 5, 8}, 1), random_f32({2, 2, 5, 8}, 2), random_f32({2, 2, 5, 8}, 3)}, 0), "FusedAttention") == 0);
}

TEST_CASE("fuse: what stands behind an activation or a scale that a convolution has already stays behind it") {
  for (bool scaled : {false, true}) {
    Builder b;
    const Dims y_dims{1, 4, 5, 5};
    const ValueId x = b.input("x", {1, 3, 5, 5}), other = b.input("other", Shape(y_dims)), w = b.constant(random_f32({4, 3, 1, 1}, 1));
    if (scaled) {
      const ValueId v = b.node("FusedConv", {x, w, kNone, other, b.constant(random_f32({4}, 2)), b.constant(random_f32({4}, 3))});
      b.output(b.node("Relu", {v}));
    } else {
      b.output(b.node("Add", {b.node("FusedConv", {x, w}, {{"activation", std::string("Relu")}}), other}));
    }
    CHECK(fused(b, {random_f32({1, 3, 5, 5}, 4), random_f32(y_dims, 5)}).nodes.size() == 2);
  }
}

TEST_CASE("fuse: a mask that makes more scores than there were is no mask of an attention") {
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{2, 3, 5, 7}, std::vector<int64_t>{2, 1, 5, 7}}) {
    const int rank = dims[1] == 1 ? 3 : 4;  // scores of [1,3,5,7], or [3,5,7]
    Builder b;
    auto q = b.input("q", rank == 4 ? Shape{1, 3, 5, 4} : Shape{3, 5, 4}), k = b.input("k", rank == 4 ? Shape{1, 3, 4, 7} : Shape{3, 4, 7});
    auto v = b.input("v", rank == 4 ? Shape{1, 3, 7, 4} : Shape{3, 7, 4});
    auto scores = b.node("Add", {b.node("MatMul", {q, k}), b.constant(random_f32(Dims(std::span<const int64_t>(dims)), 9))});
    b.output(b.node("MatMul", {b.node("Softmax", {scores}), v}));
    const Dims qd = rank == 4 ? Dims{1, 3, 5, 4} : Dims{3, 5, 4}, kd = rank == 4 ? Dims{1, 3, 4, 7} : Dims{3, 4, 7},
               vd = rank == 4 ? Dims{1, 3, 7, 4} : Dims{3, 7, 4};
    Graph g = fused(b, {random_f32(qd, 1), random_f32(kd, 2), random_f32(vd, 3)});
    CHECK(Builder::count(g, "FusedAttention") == 0);
  }
}

TEST_CASE("fuse: a softmax over another axis, or one that is also an output, is no attention") {
  for (int form = 0; form < 2; ++form) {
    Builder b;
    auto q = b.input("q", {1, 2, 4, 4}), k = b.input("k", {1, 2, 4, 4}), v = b.input("v", {1, 2, 4, 4});
    auto p = b.node("Softmax", {b.node("MatMul", {q, k})}, {{"axis", int64_t(form == 0 ? 2 : -1)}});
    b.output(b.node("MatMul", {p, v}));
    if (form == 1) b.output(p);
    Graph g = fused(b, {random_f32({1, 2, 4, 4}, 1), random_f32({1, 2, 4, 4}, 2), random_f32({1, 2, 4, 4}, 3)});
    CHECK(Builder::count(g, "FusedAttention") == 0);
  }
}

TEST_CASE("fuse: product, bias, residual and activation become one Linear, in that order") {
  Builder b;
  auto x = b.input("x", {3, 6}), r = b.input("r", {3, 8});
  auto product = b.node("MatMul", {x, b.constant(random_f32({6, 8}, 1))});
  auto biased = b.node("Add", {b.constant(random_f32({8}, 2)), product});
  b.output(b.node("Tanh", {b.node("Add", {biased, r})}));
  Graph g = fused(b, {random_f32({3, 6}, 3), random_f32({3, 8}, 4)});
  REQUIRE(g.nodes.size() == 1);
  CHECK(g.nodes[0].op == find_op("Linear"));
  CHECK(g.nodes[0].attrs.s("activation") == "Tanh");
  CHECK(g.nodes[0].inputs.size() == 4);
}

TEST_CASE("fuse: Gemm with its options becomes Linear only where that means the same") {
  struct Form {
    Attrs attrs;
    bool fuses;
  };
  const Form forms[] = {
      {{{"transB", int64_t(1)}}, true}, {{{"transB", int64_t(1)}, {"alpha", 0.5f}}, false}, {{{"transB", int64_t(1)}, {"beta", 2.0f}}, false}};
  for (const Form& form : forms) {
    Builder b;
    auto x = b.input("x", {2, 6});
    b.output(b.node("Relu", {b.node("Gemm", {x, b.constant(random_f32({8, 6}, 1)), b.constant(random_f32({8}, 2))}, form.attrs)}));
    Graph g = fused(b, {random_f32({2, 6}, 3)});
    CHECK(Builder::count(g, "Linear") == (form.fuses ? 1 : 0));
    CHECK(g.nodes.size() == (form.fuses ? 1u : 2u));
  }
}

TEST_CASE("fuse: a product that is read twice keeps its own result") {
  Builder b;
  auto x = b.input("x", {2, 4});
  auto h = b.node("MatMul", {x, b.constant(random_f32({4, 4}, 1))});
  b.output(b.node("Add", {h, b.constant(random_f32({4}, 2))}));
  b.output(h);
  Graph g = fused(b, {random_f32({2, 4}, 3)});
  CHECK(Builder::count(g, "MatMul") == 1);
}

TEST_CASE("fuse: a bias that would widen the product is not taken") {
  Builder b;
  auto x = b.input("x", {1, 4});
  auto h = b.node("MatMul", {x, b.constant(random_f32({4, 4}, 1))});
  b.output(b.node("Add", {h, b.constant(random_f32({3, 4}, 2))}));  // [1,4] + [3,4]
  Graph g = fused(b, {random_f32({1, 4}, 3)});
  CHECK(g.value(g.outputs[0]).type.shape.text() == "[3,4]");
  CHECK(Builder::count(g, "Linear") == 0);
}

TEST_CASE("fuse: conv, batch norm, residual and activation become one FusedConv; a norm after the activation joins too") {
  Builder b;
  auto x = b.input("x", {2, 3, 6, 6});
  auto conv =
      b.node("Conv", {x, b.constant(random_f32({4, 3, 3, 3}, 1)), b.constant(random_f32({4}, 2))}, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  auto norm = [&](ValueId v, uint32_t seed) {
    return b.node("BatchNormalization", {v, b.constant(random_f32({4}, seed, 0.5f, 2)), b.constant(random_f32({4}, seed + 1)),
                                         b.constant(random_f32({4}, seed + 2)), b.constant(random_f32({4}, seed + 3, 0.5f, 2))});
  };
  auto r = b.input("r", {2, 4, 6, 6});
  auto y = b.node("Add", {norm(conv, 10), r});
  b.output(norm(b.node("LeakyRelu", {y}, {{"alpha", 0.1f}}), 20));
  Graph g = fused(b, {random_f32({2, 3, 6, 6}, 5), random_f32({2, 4, 6, 6}, 6)}, 2e-5f);
  REQUIRE(g.nodes.size() == 1);
  CHECK(g.nodes[0].op == find_op("FusedConv"));
  CHECK(g.nodes[0].attrs.s("activation") == "LeakyRelu");
  CHECK(g.nodes[0].attrs.f("alpha") == 0.1f);
  CHECK(g.nodes[0].inputs.size() == 6);
}

TEST_CASE("fuse: the same of a transposed convolution, whose scale goes to the channels of each group") {
  for (int64_t groups : {1, 2}) {
    Builder b;
    auto norm = [&](ValueId v, uint32_t seed) {
      return b.node("BatchNormalization", {v, b.constant(random_f32({6}, seed, 0.5f, 2)), b.constant(random_f32({6}, seed + 1)),
                                           b.constant(random_f32({6}, seed + 2)), b.constant(random_f32({6}, seed + 3, 0.5f, 2))});
    };
    auto x = b.input("x", {2, 4, 3, 3}), r = b.input("r", {2, 6, 6, 6});
    auto conv = b.node("ConvTranspose", {x, b.constant(random_f32({4, 6 / groups, 2, 2}, 1)), b.constant(random_f32({6}, 2))},
                       {{"strides", std::vector<int64_t>{2, 2}}, {"group", groups}});
    b.output(norm(b.node("Relu", {b.node("Add", {r, norm(conv, 10)})}), 20));
    Graph g = fused(b, {random_f32({2, 4, 3, 3}, 5), random_f32({2, 6, 6, 6}, 6)}, 2e-5f);
    REQUIRE(g.nodes.size() == 1);
    CHECK(g.nodes[0].op == find_op("FusedConvTranspose"));
    CHECK(g.nodes[0].attrs.s("activation") == "Relu");
    CHECK(g.nodes[0].inputs.size() == 6);
  }
}

TEST_CASE("fuse: a vector that is added to the channels becomes the bias, and then the norm folds into it; any other sum does not") {
  Builder b;
  auto x = b.input("x", {2, 4, 5, 4});
  auto conv = [&](const char* op, Dims w) { return b.node(op, {x, b.constant(random_f32(w, 1))}); };
  auto y = b.node("Add", {b.constant(random_f32({4, 1, 1}, 2)), conv("Conv", {4, 4, 2, 1})});
  b.output(b.node("BatchNormalization", {y, b.constant(random_f32({4}, 3, 0.5f, 2)), b.constant(random_f32({4}, 4)), b.constant(random_f32({4}, 5)),
                                         b.constant(random_f32({4}, 6, 0.5f, 2))}));
  b.output(b.node("Add", {conv("ConvTranspose", {4, 3, 2, 2}), b.constant(random_f32({1, 3, 1, 1}, 7))}));
  b.output(b.node("Add", {conv("Conv", {4, 4, 1, 1}), b.constant(random_f32({4}, 8))}));     // along the last axis
  b.output(b.node("Add", {conv("Conv", {4, 4, 1, 1}), b.constant(random_f32({5, 1}, 8))}));  // along the rows
  Graph g = fused(b, {random_f32({2, 4, 5, 4}, 5)}, 2e-5f);
  CHECK(Builder::count(g, "Add") == 2);
  CHECK(Builder::count(g, "BatchNormalization") == 0);
}

TEST_CASE("fuse: a norm goes into weights that a few convolutions share, not into those of many") {
  for (int64_t readers : {8, 9}) {
    Builder b;
    const ValueId x = b.input("x", {1, 3, 5, 5}), w = b.constant(random_f32({4, 3, 1, 1}, 1));
    auto vector = [&](uint32_t seed) { return b.constant(random_f32({4}, seed, 0.5f, 2)); };
    for (int64_t i = 0; i < readers; ++i) {
      const ValueId v = b.node("Conv", {b.node("Elu", {x}, {{"alpha", 1 + static_cast<float>(i)}}), w});
      b.output(b.node("BatchNormalization", {v, vector(2), vector(3), vector(4), vector(5)}));
    }
    CHECK(Builder::count(fused(b, {random_f32({1, 3, 5, 5}, 6)}), "BatchNormalization") == (readers > 8 ? readers : 0));
  }
}

TEST_CASE("fuse: a norm of constants written as product and sum goes into the convolution, before or after its bias; one that others read does not") {
  for (bool biased : {false, true}) {
    for (bool scalar : {false, true}) {
      for (bool read_twice : {false, true}) {
        Builder b;
        auto x = b.input("x", {2, 6, 5, 4});
        auto v =
            b.node("Conv", {x, b.constant(random_f32({6, 2, 3, 3}, 1)), biased ? b.constant(random_f32({6}, 2)) : kNone}, {{"group", int64_t(3)}});
        if (read_twice) b.output(v);
        v = b.node("Mul", {scalar ? number(b, 0.5f) : b.constant(random_f32({6, 1, 1}, 3)), v});
        b.output(b.node("Relu", {b.node("Add", {v, b.constant(random_f32({1, 6, 1, 1}, 4))})}));
        const Graph g = fused(b, {random_f32({2, 6, 5, 4}, 5)});
        CHECK((Builder::count(g, "FusedConv") == 1) == !read_twice);
        CHECK((g.nodes.size() == 1) == !read_twice);
      }
    }
  }
  Builder b;  // a number a column is none a channel
  auto v = b.node("Conv", {b.input("x", {1, 4, 6, 6}), b.constant(random_f32({4, 4, 3, 3}, 1))});
  b.output(b.node("Mul", {v, b.constant(random_f32({4}, 3))}));
  CHECK(fused(b, {random_f32({1, 4, 6, 6}, 5)}).nodes.size() == 2);
}

TEST_CASE("fuse: activations with the parameters that they have become epilogues of convolutions and products") {
  struct Case {
    const char* op;
    Attrs attrs;
    float alpha;
  };
  const Case cases[] = {
      {"Swish", {}, 1}, {"Swish", {{"alpha", 1.5f}}, 1.5f}, {"Mish", {}, 0}, {"Celu", {{"alpha", 0.5f}}, 0.5f}, {"Softsign", {}, 0}};
  for (const Case& c : cases) {
    Builder b;
    auto x = b.input("x", {1, 3, 4, 4});
    b.output(b.node(c.op, {b.node("Conv", {x, b.constant(random_f32({5, 3, 3, 3}, 1))})}, c.attrs));
    b.output(b.node(c.op, {b.node("Add", {b.node("MatMul", {x, b.constant(random_f32({4, 6}, 2))}), b.constant(random_f32({6}, 3))})}, c.attrs));
    Graph g = fused(b, {random_f32({1, 3, 4, 4}, 5)});
    REQUIRE(g.nodes.size() == 2);
    for (const Node& n : g.nodes) CHECK(n.attrs.f("alpha") == c.alpha);
  }
}

TEST_CASE("fuse: an epilogue takes its parts in its own order, each once, and none that others read") {
  const Dims dims = {1, 4, 5, 5};
  enum Kind {
    activation_then_sum,
    two_sums,
    two_activations,
    norm_then_activation,
    norm_then_sum,
    own_sum,
    broadcast_sum,
    wide_sum,
    read_twice,
    kinds
  };
  for (int kind = 0; kind < kinds; ++kind) {
    INFO(kind);
    Builder b;
    const auto x = b.input("x", Shape(dims)), r = b.input("r", Shape(dims)), row = b.input("row", {5}), wide = b.input("wide", {3, 4, 5, 5});
    const auto conv = b.node("Conv", {x, b.constant(random_f32({4, 4, 1, 1}, 1)), b.constant(random_f32({4}, 2))});
    const auto relu = [&](ValueId v) { return b.node("Relu", {v}); };
    const auto sum = [&](ValueId v, ValueId with) { return b.node("Add", {v, with}); };
    const auto norm = [&](ValueId v) {
      return b.node("BatchNormalization", {v, b.constant(random_f32({4}, 3, 0.5f, 2)), b.constant(random_f32({4}, 4)), b.constant(random_f32({4}, 5)),
                                           b.constant(random_f32({4}, 6, 0.5f, 2))});
    };
    switch (kind) {
      case activation_then_sum: b.output(sum(relu(conv), r)); break;
      case two_sums: b.output(sum(sum(conv, r), x)); break;
      case two_activations: b.output(b.node("Sigmoid", {relu(conv)})); break;
      case norm_then_activation: b.output(b.node("Tanh", {norm(relu(conv))})); break;
      case norm_then_sum: b.output(sum(norm(relu(conv)), r)); break;
      case own_sum: b.output(sum(conv, conv)); break;
      case broadcast_sum: b.output(sum(conv, row)); break;
      case wide_sum: b.output(sum(conv, wide)); break;
      case read_twice: b.output(sum(conv, r)), b.output(relu(conv)); break;
    }
    const Graph g = fused(b, {random_f32(dims, 5), random_f32(dims, 6), random_f32({5}, 7), random_f32({3, 4, 5, 5}, 8)}, 2e-5f);
    CHECK(g.nodes.size() == (kind == read_twice ? 3 : 2));
  }
}

TEST_CASE("fuse: zeros that are padded around a convolution's input are its padding; other padding is not") {
  using Ints = std::vector<int64_t>;
  struct Case {
    Ints pads, axes;
    const char* mode;
    float value;
    bool joins;
  };
  const Case cases[] = {{{0, 0, 1, 2, 0, 0, 3, 0}, {}, "constant", 0, true},    {{1, 2}, {-1}, "constant", 0, true},
                        {{0, 0, 1, 2, 0, 0, 3, 0}, {}, "constant", 1, false},   {{0, 0, 1, 2, 0, 0, 3, 0}, {}, "edge", 0, false},
                        {{0, 1, 1, 2, 0, 0, 3, 0}, {}, "constant", 0, false},   {{0, 0, 1, -1, 0, 0, 3, 0}, {}, "constant", 0, false},
                        {{0, 0, 1, 2, 0, 0, 3, 0}, {}, "constant", -0.f, false}};
  for (const Case& c : cases) {
    Builder b;
    auto x = b.input("x", {2, 3, 6, 5});
    auto padded = b.node("Pad", {x, b.ints(c.pads), number(b, c.value), c.axes.empty() ? kNone : b.ints(c.axes)}, {{"mode", std::string(c.mode)}});
    const int64_t channels = c.pads.size() == 8 && c.pads[1] == 1 ? 4 : 3;
    b.output(b.node("Conv", {padded, b.constant(random_f32({4, channels, 3, 3}, 1))}, {{"pads", Ints{0, 1, 1, 0}}}));
    Graph g = fused(b, {random_f32({2, 3, 6, 5}, 5)}, 0);
    CHECK(Builder::count(g, "Pad") == !c.joins);
  }
}

}  // namespace tern::test::in_fuse
