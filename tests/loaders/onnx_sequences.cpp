// Sequences and optionals in ONNX files: types of inputs, the type of an empty optional, recorded data, and writing all that again.
#include <doctest/doctest.h>

#include "loaders/load.h"
#include "loaders/onnx/onnx.h"
#include "loaders/onnx/write.h"
#include "runtime/model.h"
#include "runtime/verify.h"
#include "tests/support/onnx_writer.h"

namespace tern::test::in_onnx_sequences {
namespace {

Proto tensor_type(const std::vector<DimOf>& dims, int dtype = 1) {
  Proto shape;
  for (const DimOf& d : dims) shape.m(1, d.number ? Proto().i(1, d.value) : Proto().s(2, d.text));
  return Proto().m(1, Proto().i(1, dtype).m(2, shape));
}
Proto sequence_type(const Proto& element) { return Proto().m(4, Proto().m(1, element)); }
Proto optional_type(const Proto& element) { return Proto().m(9, Proto().m(1, element)); }
Proto value_of(std::string_view name, const Proto& type) { return Proto().s(1, name).m(2, type); }
Proto attr_type(const Proto& type) { return Proto().s(1, "type").m(14, type).i(20, 13); }

Result<Graph> load(const Proto& m) { return load_graph(Source{bytes(m), nullptr, "", ""}, {}); }
Graph load_ok(const Proto& m) {
  auto g = load(m);
  REQUIRE_MESSAGE(g.ok(), (g.ok() ? "" : g.error().message()));
  REQUIRE(verify(*g).ok());
  return std::move(*g);
}
Proto identity_of(const Proto& type) { return model(18, {node("Identity", {"x"}, {"y"})}, {value_of("x", type)}, {output("y")}); }
std::string refusal(const Proto& m, Code code = Code::kUnsupported) {
  auto g = load(m);
  REQUIRE(!g.ok());
  CHECK(g.error().code() == code);
  return g.error().message();
}
const Proto kTensor = raw_tensor<float>("", 1, {2}, {1, 2});

}  // namespace

TEST_CASE("onnx sequences: inputs are sequences and optionals of tensors, whose dims are no names that callers bind") {
  const auto type = [](const Proto& p) {
    const Graph g = load_ok(identity_of(p));
    return g.value(g.inputs[0]).type;
  };
  const Proto element = tensor_type({"batch", 3});
  CHECK(type(sequence_type(element)).kind == ValueKind::sequence);
  CHECK(type(optional_type(element)).kind == ValueKind::optional);
  CHECK(type(optional_type(sequence_type(element))).kind == ValueKind::optional_sequence);
  CHECK(type(sequence_type(element)).text() == "sequence of f32[?0,3]");
  CHECK(type(sequence_type(Proto().m(1, Proto().i(1, 7)))).text() == "sequence of i64?");
}

TEST_CASE("onnx sequences: types that nest otherwise are refused by name") {
  const Proto f = tensor_type({2});
  const std::string refused = "sequences of sequences and optionals, and optionals of optionals, are not supported";
  CHECK(refusal(identity_of(sequence_type(sequence_type(f)))).find(refused) != std::string::npos);
  CHECK(refusal(identity_of(sequence_type(optional_type(f)))).find(refused) != std::string::npos);
  CHECK(refusal(identity_of(optional_type(optional_type(f)))).find(refused) != std::string::npos);
  CHECK(refusal(identity_of(optional_type(sequence_type(sequence_type(f))))).find(refused) != std::string::npos);
  CHECK(refusal(identity_of(sequence_type(Proto().m(5, Proto())))) == "input 'x': it is a map, which is not supported");
  CHECK(refusal(identity_of(Proto().m(4, Proto())), Code::kInvalid) == "input 'x': it has no type");
  Proto deep = f;
  for (int i = 0; i < 1000; ++i) deep = sequence_type(deep);
  CHECK(refusal(identity_of(deep), Code::kInvalid).find("nest more than 64 deep") != std::string::npos);
}

TEST_CASE("onnx sequences: an empty optional has the type that its attribute says") {
  const auto kind = [](const Proto& type) {
    auto m = make_model(load_ok(model(18, {node("Optional", {}, {"y"}, {attr_type(type)})}, {}, {output("y")})), {});
    REQUIRE_MESSAGE(m.ok(), (m.ok() ? "" : m.error().message()));
    CHECK(m->outputs()[0].dtype == DType::i64);
    return m->outputs()[0].kind;
  };
  CHECK(kind(tensor_type({2}, 7)) == ValueKind::optional);
  CHECK(kind(sequence_type(tensor_type({2}, 7))) == ValueKind::optional_sequence);
  CHECK(refusal(model(18, {node("Optional", {}, {"y"}, {attr_type(Proto())})}, {}, {output("y")}), Code::kInvalid)
            .find("attribute 'type': it has no type") != std::string::npos);
}

TEST_CASE("onnx sequences: recorded data are read as what the model takes") {
  const Proto two = Proto().i(2, 1).m(3, kTensor).m(3, raw_tensor<int64_t>("", 7, {}, {5}));
  auto list = load_value_proto(bytes(two), ValueKind::sequence);
  REQUIRE(list.ok());
  REQUIRE(list->elements != nullptr);
  CHECK(list->elements->size() == 2);
  CHECK((*list->elements)[0].data<float>()[1] == 2);
  CHECK((*list->elements)[1].data<int64_t>()[0] == 5);
  CHECK(load_value_proto(bytes(Proto()), ValueKind::sequence)->elements->empty());
  CHECK(!load_value_proto(bytes(Proto()), ValueKind::optional)->present());
  CHECK(load_value_proto(bytes(Proto().i(2, 1).m(3, kTensor)), ValueKind::optional)->tensor.count() == 2);
  CHECK(load_value_proto(bytes(Proto().i(2, 3).m(5, two)), ValueKind::optional_sequence)->elements->size() == 2);
  CHECK(load_value_proto(bytes(kTensor), ValueKind::tensor)->tensor.count() == 2);

  const auto error = [](const Proto& p, ValueKind kind) {
    auto value = load_value_proto(bytes(p), kind);
    return value ? std::string() : value.error().message();
  };
  CHECK(error(Proto().i(2, 3), ValueKind::sequence) == "it is a sequence of other things than tensors");
  CHECK(error(Proto().i(2, 4), ValueKind::optional).find("another thing than a tensor or a sequence") != std::string::npos);
  CHECK(error(Proto().i(2, 1).m(3, tensor("", 1, {2}).s(9, "four")), ValueKind::sequence).find("element 0: it holds 4 bytes") != std::string::npos);
  CHECK(error(Proto().i(2, 1), ValueKind::optional).find("it has no dtype") != std::string::npos);
  std::string cut = two.data;
  cut.pop_back();
  CHECK(!load_value_proto(bytes(cut), ValueKind::sequence).ok());
}

TEST_CASE("onnx sequences: a SequenceMap takes what its body captures, and is refused without a body or with one of too few outputs") {
  const Proto body = graph({node("Add", {"e", "x"}, {"r"})}, {value_of("e", tensor_type({2}))}, {output("r")});
  const auto map = [&](const std::vector<Proto>& attrs, const std::vector<std::string>& outputs) {
    return model(18, {node("SequenceMap", {"s"}, outputs, attrs, "map")}, {value_of("s", sequence_type(tensor_type({2}))), input("x", 1, {2})},
                 {output("y")});
  };
  const Graph g = load_ok(map({attr_graph("body", body)}, {"y"}));
  CHECK(g.nodes[0].captured == 1);
  CHECK(g.nodes[0].inputs.size() == 2);
  CHECK(refusal(map({}, {"y"}), Code::kInvalid) == "map (SequenceMap): it has no body");
  CHECK(refusal(map({attr_graph("body", body)}, {"y", "z"}), Code::kInvalid) == "map (SequenceMap): body has 1 outputs, the node 2");
}

TEST_CASE("onnx sequences: what is written reads back with the same kinds, types and results") {
  const Proto body = graph({node("Mul", {"e", "x"}, {"r"})}, {value_of("e", tensor_type({2}))}, {output("r")});
  const Proto m = model(
      18,
      {node("SequenceMap", {"s"}, {"t"}, {attr_graph("body", body)}), node("Optional", {}, {"n"}, {attr_type(sequence_type(tensor_type({2}, 7)))}),
       node("Optional", {"t"}, {"o"}), node("OptionalHasElement", {"p"}, {"h"})},
      {value_of("s", sequence_type(tensor_type({2}))), input("x", 1, {2}), value_of("p", optional_type(tensor_type({"a"})))},
      {output("t"), output("n"), output("o"), output("h")});
  auto first = make_model(load_ok(m), {});
  REQUIRE(first.ok());
  auto written = to_onnx(first->state().graph);
  REQUIRE_MESSAGE(written.ok(), (written.ok() ? "" : written.error().message()));
  auto second = load_bytes(bytes(*written));
  REQUIRE_MESSAGE(second.ok(), (second.ok() ? "" : second.error().message()));
  const auto types = [](const Model& model) {
    std::string s;
    for (const auto& ports : {model.inputs(), model.outputs()}) {
      for (const Port& p : ports) s += p.name + " " + name(p.kind) + " " + name(p.dtype) + " " + std::to_string(p.shape.size()) + "; ";
    }
    return s;
  };
  CHECK(types(*first) == types(*second));
  CHECK(types(*second).find("n optional sequence i64 1; o optional sequence f32 1; h tensor bool 0") != std::string::npos);
  auto tensor = load_tensor_proto(bytes(kTensor));
  REQUIRE(tensor.ok());
  Array s;
  s.sequence = true;
  s.elements = {to_array(*tensor), to_array(*tensor)};
  const std::vector<Array> in{s, to_array(*tensor), Array()};
  auto a = first->evaluate(in), b = second->evaluate(in);
  REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.error().message()));
  REQUIRE(b.ok());
  REQUIRE((*a)[0].elements.size() == 2);
  CHECK((*a)[0].elements[1].bytes == (*b)[0].elements[1].bytes);
  CHECK((*b)[2].sequence);
  CHECK((*b)[1].dtype == DType::none);
}

}  // namespace tern::test::in_onnx_sequences
