// Models with strings, or with shapes that depend on data, in parts: what only evaluate() runs before and after, and a rest with sessions.
// Contract: runtime/parts.h, ModelParts.
#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <random>

#include "runtime/model.h"
#include "runtime/optimize.h"
#include "tests/support/graph_builder.h"

namespace tern::test::in_parts {
namespace {

Tensor text(Dims dims, std::vector<std::string> values) { return *Tensor::strings(dims, values); }

Model model_of(const GraphBuilder& b) {
  auto model = make_model(b.graph, {});
  REQUIRE_MESSAGE(model.ok(), (model.ok() ? std::string() : model.error().message()));
  return *model;
}

// words [batch, ?] of a text are numbers, which choose rows of a table; their sum and `more` make a score, whose best place is a label.
struct Classifier : GraphBuilder {
  Classifier() {
    const Dim batch = Dim::symbol("batch");
    const ValueId words = input("text", {batch}, DType::string), more = input("more", {batch, 3});
    const auto parts = nodes("RaggedStringSplit", {node("StringLower", {words})}, 2);
    const ValueId numbers =
        node("Lookup", {parts[0], graph.add_constant("keys", text({3}, {"a", "b", "c"})), constant(i64({3}, {1, 2, 3})), constant(i64({}, {0}))});
    const ValueId ids = node("RaggedToDense", {constant(i64({2}, {-1, -1})), numbers, constant(i64({}, {0})), parts[1]},
                             {{"types", std::vector<std::string>{"ROW_SPLITS"}}});
    const ValueId rows = node("Gather", {constant(random_f32({4, 3}, 1)), ids});
    const ValueId sum = node("ReduceSum", {rows, constant(i64({1}, {1}))}, {{"keepdims", int64_t(0)}});
    const ValueId score = node("Add", {sum, more});
    const ValueId best = node("ArgMax", {score}, {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}});
    output(score, "score");
    output(node("Gather", {graph.add_constant("labels", text({3}, {"no", "yes", "perhaps"})), best}), "label");
    output(numbers, "numbers");
  }
  ValueId constant(Tensor t) { return graph.add_constant("k" + std::to_string(graph.values.size()), std::move(t)); }
};

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> all;
  for (const Port& p : ports) all.push_back(p.name);
  return all;
}
using Names = std::vector<std::string>;

Array array_of(const std::vector<std::string>& texts) { return to_array(text({static_cast<int64_t>(texts.size())}, texts)); }

}  // namespace

TEST_CASE("parts: words, numbers and labels are three models, whose results are those of the whole") {
  const Model model = model_of(Classifier());
  CHECK(model.session({.dims = {{"batch", 2}}}).error().code() == Code::kUnsupported);
  auto made = model.parts();
  REQUIRE(made.ok());
  REQUIRE(made->has_value());
  const ModelParts& parts = **made;
  REQUIRE(parts.before.has_value());
  REQUIRE(parts.after.has_value());
  CHECK(names(parts.before->inputs()) == Names{"text"});
  REQUIRE(parts.before->outputs().size() == 2);
  CHECK(names(parts.before->outputs())[0] == "numbers");
  const std::string ids = names(parts.before->outputs())[1];
  CHECK(names(parts.rest.inputs()) == Names{"more", ids});
  CHECK(parts.rest.inputs()[1].shape == Names{"batch", "length"});
  CHECK(parts.rest.inputs()[1].dtype == DType::i64);
  REQUIRE(parts.rest.outputs().size() == 2);
  CHECK(names(parts.rest.outputs())[0] == "score");
  CHECK(names(parts.after->inputs()) == Names{names(parts.rest.outputs())[1]});
  CHECK(names(parts.after->outputs()) == Names{"label"});
  CHECK(!parts.rest.data_dependent());

  const Array texts = array_of({"A b zz", "c"}), more = to_array(random_f32({2, 3}, 5));
  auto whole = model.evaluate(std::vector<Array>{texts, more});
  REQUIRE_MESSAGE(whole.ok(), (whole.ok() ? std::string() : whole.error().message()));
  auto before = parts.before->evaluate(std::vector<Array>{texts});
  REQUIRE_MESSAGE(before.ok(), (before.ok() ? std::string() : before.error().message()));
  CHECK((*before)[0].bytes == (*whole)[2].bytes);
  CHECK((*before)[1].dims == std::vector<int64_t>{2, 3});
  auto session = parts.rest.session({.dims = {{"batch", 2}, {"length", 3}}});
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
  std::memcpy(session->input_bytes("more").data(), more.bytes.data(), more.bytes.size());
  std::memcpy(session->input_bytes(ids).data(), (*before)[1].bytes.data(), (*before)[1].bytes.size());
  REQUIRE(session->run());
  const auto score = session->output_bytes("score");
  CHECK(std::vector<std::byte>(score.begin(), score.end()) == (*whole)[0].bytes);
  const auto best = session->output_bytes(session->outputs()[1].name);
  auto after = parts.after->evaluate(std::vector<Array>{{DType::i64, {2}, {best.begin(), best.end()}, {}}});
  REQUIRE(after.ok());
  CHECK((*after)[0].strings == (*whole)[1].strings);
}

TEST_CASE("parts: a model without strings has none, nor has one of nothing but strings") {
  GraphBuilder numbers;
  numbers.output(numbers.node("Relu", {numbers.input("x", {2})}));
  CHECK(!model_of(numbers).parts()->has_value());
  GraphBuilder words;
  words.output(words.node("StringLower", {words.input("x", {2}, DType::string)}));
  CHECK(!model_of(words).parts()->has_value());
}

TEST_CASE("parts: numbers that become text on their way are before the rest, with all that they come from") {
  GraphBuilder b;
  const ValueId x = b.input("x", {3}, DType::i64);
  const ValueId bucket = b.node("StringHash", {b.node("AsString", {b.node("Neg", {x})})}, {{"buckets", int64_t(5)}});
  b.output(b.node("Add", {bucket, x}), "y");
  b.output(x, "same");
  const Model model = model_of(b);
  auto parts = model.parts();
  REQUIRE(parts->has_value());
  REQUIRE((*parts)->before.has_value());
  CHECK(!(*parts)->after.has_value());
  CHECK(names((*parts)->before->inputs()) == Names{"x"});
  CHECK(names((*parts)->rest.inputs())[0] == "x");
  CHECK(names((*parts)->rest.outputs()) == Names{"y", "same"});
  CHECK((*parts)->rest.session().ok());
}

TEST_CASE("parts: a string that is only passed on, and names that are taken, find their place") {
  GraphBuilder b;
  const ValueId word = b.input("word", {2}, DType::string), x = b.input("n0", {2});  // as the node below is called
  const ValueId length = b.node("StringLength", {word});
  b.output(b.node("Add", {b.node("Cast", {length}, {{"to", int64_t(1)}}), x}), "y");
  b.output(word, "word again");
  const Model model = model_of(b);
  auto parts = model.parts();
  REQUIRE(parts->has_value());
  CHECK(names((*parts)->before->outputs()) == Names{"n0_2"});
  CHECK(names((*parts)->rest.inputs()) == Names{"n0", "n0_2"});
  REQUIRE((*parts)->after.has_value());
  auto again = (*parts)->after->evaluate(std::vector<Array>{array_of({"a", "b"})});
  REQUIRE(again.ok());
  CHECK((*again)[0].strings == Names{"a", "b"});
}

TEST_CASE("parts: pools that inputs share are kept once, however long a chain of them is") {
  GraphBuilder b;
  ValueId x = b.input("x", {1}, DType::string);
  const ValueId yes = b.input("c", {1}, DType::boolean);
  for (int i = 0; i < 100; ++i) x = b.node("Where", {yes, x, x});
  b.output(x);
  const Model model = model_of(b);
  auto out = model.evaluate(std::vector<Array>{array_of({"a"}), to_array(boolean({1}, {true}))});
  REQUIRE(out.ok());
  CHECK((*out)[0].strings == Names{"a"});
}

namespace {

// A detector: x times weights gives 8 boxes and their scores; those that do not overlap are chosen and, times two, come out. With `again`, products of
// the chosen ones follow.
struct Detector : GraphBuilder {
  explicit Detector(bool again = false) {
    const ValueId x = input("x", {1, 6}), picture = node("MatMul", {x, constant(random_f32({6, 40}, 3))});
    const ValueId boxes = node("Reshape", {node("Slice", {picture, constant(i64({1}, {0})), constant(i64({1}, {32})), constant(i64({1}, {1}))}),
                                           constant(i64({3}, {1, 8, 4}))});
    const ValueId scores = node("Reshape", {node("Slice", {picture, constant(i64({1}, {32})), constant(i64({1}, {40})), constant(i64({1}, {1}))}),
                                            constant(i64({3}, {1, 1, 8}))});
    const ValueId chosen = node("NonMaxSuppression", {boxes, scores, constant(i64({1}, {8})), constant(f32({1}, {0.1f})), constant(f32({1}, {-9}))});
    const ValueId rows = node("Slice", {chosen, constant(i64({1}, {2})), constant(i64({1}, {3})), constant(i64({1}, {1}))});
    ValueId at = node("Gather", {node("Reshape", {boxes, constant(i64({2}, {8, 4}))}), node("Reshape", {rows, constant(i64({1}, {-1}))})});
    if (again) at = node("MatMul", {at, constant(random_f32({4, 4}, 4))});
    output(node("Add", {at, at}), "boxes");
    output(scores, "scores");
  }
  ValueId constant(Tensor t) { return graph.add_constant("k" + std::to_string(graph.values.size()), std::move(t)); }
};

// The whole, evaluated, is the rest by a plan and what is after it, evaluated.
void same_in_parts(const Model& model, const Array& x) {
  auto parts = model.parts();
  REQUIRE_MESSAGE(parts.ok(), (parts.ok() ? std::string() : parts.error().message()));
  REQUIRE(parts->has_value());
  REQUIRE((*parts)->after.has_value());
  auto whole = model.evaluate(std::vector<Array>{x});
  REQUIRE_MESSAGE(whole.ok(), (whole.ok() ? std::string() : whole.error().message()));
  auto session = (*parts)->rest.session();
  REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
  std::memcpy(session->input_bytes("x").data(), x.bytes.data(), x.bytes.size());
  REQUIRE(session->run());
  std::vector<Array> between;
  for (const Port& p : (*parts)->after->inputs()) {
    const auto bytes = session->output_bytes(p.name);
    REQUIRE(!bytes.empty());
    between.push_back({p.dtype, session->dims(p.name), {bytes.begin(), bytes.end()}, {}});
  }
  auto after = (*parts)->after->evaluate(between);
  REQUIRE_MESSAGE(after.ok(), (after.ok() ? std::string() : after.error().message()));
  CHECK((*after)[0].dims == (*whole)[0].dims);
  CHECK((*after)[0].bytes == (*whole)[0].bytes);
  const auto scores = session->output_bytes("scores");
  CHECK(std::vector<std::byte>(scores.begin(), scores.end()) == (*whole)[1].bytes);
}

}  // namespace

TEST_CASE("parts: what leads to the boxes of a detector has a plan, what chooses them and what follows has none") {
  for (bool again : {false, true}) {
    CAPTURE(again);
    const Model model = model_of(Detector(again));
    CHECK(model.data_dependent());
    auto parts = model.parts();
    REQUIRE(parts->has_value());
    CHECK(!(*parts)->before.has_value());
    CHECK(names((*parts)->rest.inputs()) == Names{"x"});
    CHECK(!(*parts)->rest.data_dependent());
    CHECK(names((*parts)->after->outputs()) == Names{"boxes"});
    CHECK(to_text((*parts)->rest.state().optimized).find("NonMaxSuppression") == std::string::npos);
    same_in_parts(model, to_array(random_f32({1, 6}, 7)));
  }
}

TEST_CASE("parts: places that depend on data come before the products that they are for") {
  GraphBuilder b;
  const ValueId x = b.input("x", {5, 4});
  const ValueId mask = b.node("Greater", {b.node("ReduceMax", {x, b.graph.add_constant("axis", i64({1}, {1}))}, {{"keepdims", int64_t(0)}}),
                                          b.graph.add_constant("least", f32({}, {0.5f}))});
  const ValueId kept = b.node("Compress", {x, mask}, {{"axis", int64_t(0)}});
  b.output(b.node("MatMul", {kept, b.graph.add_constant("w", random_f32({4, 3}, 1))}), "y");
  const Model model = model_of(b);
  auto parts = model.parts();
  REQUIRE(parts->has_value());
  REQUIRE((*parts)->before.has_value());
  CHECK(!(*parts)->after.has_value());
  REQUIRE((*parts)->rest.inputs().size() == 1);
  CHECK((*parts)->rest.inputs()[0].shape == Names{"length", "4"});
  CHECK((*parts)->rest.session({.dims = {{"length", 3}}}).ok());
}

TEST_CASE("parts: shapes that depend on data around nothing that multiplies are left to the evaluator as a whole") {
  GraphBuilder b;
  b.output(b.node("Relu", {b.node("Compress", {b.input("x", {5, 4}), b.input("mask", {5}, DType::boolean)}, {{"axis", int64_t(0)}})}), "y");
  CHECK(!model_of(b).parts()->has_value());
}

namespace {

// Rows of four numbers on their way through products, choices of rows that data make, and sums: what of them has a plan differs from seed to seed.
struct Rows : GraphBuilder {
  explicit Rows(uint32_t seed) : random(seed) {
    std::vector<ValueId> values = {input("x", {Dim::symbol("n"), 4})};
    for (int i = 0; i < 14; ++i) {
      const ValueId from = values[pick(values.size())];
      switch (pick(6)) {
        case 0: values.push_back(node("MatMul", {from, constant(random_f32({4, 4}, seed + static_cast<uint32_t>(i)))})); break;
        case 1: values.push_back(node("Relu", {from})); break;
        case 2: values.push_back(node("Add", {from, from})); break;
        case 3: {
          const ValueId sums = node("ReduceSum", {from, constant(i64({1}, {1}))}, {{"keepdims", int64_t(0)}});
          values.push_back(node("Compress", {from, node("Greater", {sums, constant(f32({}, {0}))})}, {{"axis", int64_t(0)}}));
          break;
        }
        case 4: {  // the first rows · n / (n + 1) rows, as many as dims alone tell
          const auto first = [&](ValueId v) { return node("Gather", {node("Shape", {v}), constant(i64({1}, {0}))}); };
          const ValueId n = first(values[0]), more = node("Add", {n, constant(i64({1}, {1}))});
          const ValueId most = node("Div", {node("Mul", {first(from), n}), more});
          values.push_back(node("Slice", {from, constant(i64({1}, {0})), most}));
          break;
        }
        default: values.push_back(node("Concat", {from, values[pick(values.size())]}, {{"axis", int64_t(0)}}));
      }
    }
    for (int o = 0; o < 3; ++o) output(values[1 + pick(values.size() - 1)], "y" + std::to_string(o));
  }
  ValueId constant(Tensor t) { return graph.add_constant("k" + std::to_string(graph.values.size()), std::move(t)); }
  size_t pick(size_t n) { return random() % n; }
  std::mt19937 random;
};

}  // namespace

TEST_CASE("parts: sizes that are products of open dims are no data") {
  for (const bool split : {false, true}) {  // with rows that data choose before, of what the same sizes cut
    CAPTURE(split);
    GraphBuilder b;
    const auto constant = [&](Tensor t) { return b.graph.add_constant("k" + std::to_string(b.graph.values.size()), std::move(t)); };
    const ValueId x = b.input("x", {Dim::symbol("n"), Dim::symbol("m"), 4}), shape = b.node("Shape", {x});
    const auto size = [&](int64_t axis) { return b.node("Gather", {shape, constant(i64({1}, {axis}))}); };
    const ValueId rows = b.node("Mul", {size(0), size(1)}), half = b.node("Div", {rows, constant(i64({1}, {2}))});
    const ValueId flat = b.node("Reshape", {x, b.node("Concat", {rows, constant(i64({1}, {4}))}, {{"axis", int64_t(0)}})});
    if (split) {
      const ValueId first = b.node("Slice", {flat, constant(i64({1}, {0})), half});
      const ValueId sums = b.node("ReduceSum", {first, constant(i64({1}, {1}))}, {{"keepdims", int64_t(0)}});
      const ValueId chosen = b.node("Compress", {first, b.node("Greater", {sums, constant(f32({}, {0}))})}, {{"axis", int64_t(0)}});
      b.output(b.node("MatMul", {chosen, constant(random_f32({4, 2}, 3))}), "z");
    }
    b.output(b.node("Slice", {b.node("MatMul", {flat, constant(random_f32({4, 2}, 1))}), constant(i64({1}, {0})), half}), "y");
    const Model model = model_of(b);
    CHECK(model.data_dependent() == split);
    auto parts = model.parts();
    REQUIRE_MESSAGE(parts.ok(), (parts.ok() ? std::string() : parts.error().message()));
    REQUIRE(parts->has_value() == split);
    const Array given = to_array(random_f32({3, 5, 4}, 9));
    auto whole = model.evaluate(std::vector<Array>{given});
    REQUIRE(whole.ok());
    CHECK(whole->back().dims == std::vector<int64_t>{7, 2});
    std::map<std::string, Array> known = {{"x", given}};
    if (split) {
      auto before = (*parts)->before->evaluate(std::vector<Array>{given});
      REQUIRE(before.ok());
      for (size_t o = 0; o < before->size(); ++o) known[(*parts)->before->outputs()[o].name] = (*before)[o];
    }
    const Model& rest = split ? (*parts)->rest : model;
    CHECK(!rest.data_dependent());
    std::vector<Dims> dims;
    for (const Port& p : rest.inputs()) dims.emplace_back(std::span<const int64_t>(known[p.name].dims));
    auto session = rest.session({.dims = *solve_dims(rest.state().optimized, dims)});
    REQUIRE_MESSAGE(session.ok(), (session.ok() ? std::string() : session.error().message()));
    for (const Port& p : rest.inputs()) {
      const auto to = session->input_bytes(p.name);
      std::memcpy(to.data(), known[p.name].bytes.data(), to.size());
    }
    session->run();
    const auto y = session->output_bytes("y");
    CHECK(std::vector<std::byte>(y.begin(), y.end()) == whole->back().bytes);
  }
}

TEST_CASE("parts: random graphs give the same in parts, and the rest has sessions") {
  int in_parts = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    const Model model = model_of(Rows(seed));
    auto parts = model.parts();
    REQUIRE_MESSAGE(parts.ok(), (parts.ok() ? std::string() : parts.error().message()));
    if (!*parts) continue;
    ++in_parts;
    CHECK(!(*parts)->rest.data_dependent());
    const Array x = to_array(random_f32({6, 4}, seed));
    auto whole = model.evaluate(std::vector<Array>{x});
    REQUIRE_MESSAGE(whole.ok(), (whole.ok() ? std::string() : whole.error().message()));
    std::map<std::string, Array> known = {{"x", x}};
    for (const Model* part : {(*parts)->before ? &*(*parts)->before : nullptr, &(*parts)->rest, (*parts)->after ? &*(*parts)->after : nullptr}) {
      if (part == nullptr) continue;
      std::vector<Array> in;
      for (const Port& p : part->inputs()) {
        REQUIRE(known.contains(p.name));
        in.push_back(known[p.name]);
      }
      auto out = part->evaluate(in);
      REQUIRE_MESSAGE(out.ok(), (out.ok() ? std::string() : out.error().message()));
      for (size_t o = 0; o < out->size(); ++o) known[part->outputs()[o].name] = (*out)[o];
    }
    for (size_t o = 0; o < whole->size(); ++o) {
      const Array& y = known[model.outputs()[o].name];
      CHECK(y.dims == (*whole)[o].dims);
      CHECK(y.bytes == (*whole)[o].bytes);
    }
  }
  CHECK(in_parts > 30);
}

}  // namespace tern::test::in_parts
