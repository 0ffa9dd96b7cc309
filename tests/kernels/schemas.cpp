// The schemas of the catalog against those that ONNX publishes for its newest opset: data/schemas/attributes.txt. Contract: kernels/op.h.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>

#include "kernels/op.h"

namespace tern::test::in_schemas {
namespace {

using Schema = std::map<std::string, std::string>;  // attribute: "i = -1", "ints optional", "s required"

// What tern says otherwise, and why.
struct Difference {
  const char *op, *attribute, *tern;
};
constexpr Difference kDifferences[] = {
    {"RNN", "activations", "strings optional"},  // ONNX's default names two, and most cells take one: absent means Tanh for each
};

std::map<std::string, Schema> published() {
  std::map<std::string, Schema> all;
  std::ifstream file(std::string(TERN_TEST_DATA) + "/schemas/attributes.txt");
  for (std::string line; std::getline(file, line);) {
    const size_t name = line.find(' '), attribute = line.find(' ', name + 1);
    Schema& schema = all[line.substr(0, name)];
    if (name == std::string::npos) continue;
    const std::string rest = line.substr(attribute + 1);
    if (rest.find("graph") == 0) continue;  // subgraphs are no attributes here
    schema[line.substr(name + 1, attribute - name - 1)] = rest;
  }
  return all;
}

Schema schema_of(const OpDef& op) {
  constexpr const char* kKinds[] = {"i", "f", "s", "ints", "floats", "strings", "tensor"};
  Schema schema;
  for (const AttrSpec& spec : op.attrs) {
    std::string says = spec.required() ? "required" : "optional";
    if (const auto value = spec.default_value()) {
      Attributes one;
      one.set("", *value);
      says = "= " + one.text().substr(1);
    }
    CHECK_MESSAGE(schema.emplace(spec.name, std::string(kKinds[static_cast<int>(spec.kind)]) + " " + says).second, spec.name);
  }
  return schema;
}

}  // namespace

TEST_CASE("schemas: attributes, kinds and defaults of every operator are those of the newest ONNX") {
  std::map<std::string, Schema> onnx = published();
  REQUIRE(onnx.size() > 150);
  for (const Difference& d : kDifferences) {
    std::string& says = onnx.at(d.op).at(d.attribute);
    CHECK_MESSAGE(says != d.tern, d.op);  // it is none any more
    says = d.tern;
  }
  Schema& optional = onnx.at("Optional");  // a type is no attribute here: two numbers say it
  REQUIRE(optional.erase("type") == 1);
  optional = {{"dtype", "i = 0"}, {"sequence", "i = 0"}};
  std::set<std::string> compared;
  for (const OpDef* op : all_ops()) {
    if (op->tern_only) continue;
    INFO(std::string(op->name));
    REQUIRE(onnx.count(op->name) == 1);
    CHECK(schema_of(*op) == onnx[op->name]);
    compared.insert(op->name);
  }
  for (const char* op : {"Softmax", "Conv", "LSTM", "Resize", "Attention", "Add", "If"}) CHECK(compared.count(op) == 1);
}

}  // namespace tern::test::in_schemas
