// Hostile .pt2 files: programs that lie, archives that do not hold what they say, bombs. One line, in bounded time and memory.
#include <doctest/doctest.h>

#include <random>

#include "loaders/load.h"
#include "loaders/torch/export/export.h"
#include "loaders/torch/export/program.h"
#include "tern/tern.h"
#include "tests/support/cheap.h"
#include "tests/support/pt2_program.h"
#include "tests/support/zip_writer.h"

namespace tern::test::in_torch_export {
namespace {

const std::string kFolder = std::string(TERN_TEST_DATA) + "/torch/export/";

std::span<const std::byte> bytes(const std::string& s) { return std::as_bytes(std::span(s.data(), s.size())); }
bool has(const std::string& message, std::string_view part) { return message.find(part) != message.npos; }

std::string recorded(const std::string& file) {
  auto read = read_file(kFolder + file);
  REQUIRE(read.ok());
  return {reinterpret_cast<const char*>(read->data()), read->size()};
}

std::string refusal(const Pt2Program& p) {
  const std::string text = p.text();
  return refused_cheaply(8 * text.size(), [&] { return torch::build_program(text, {}, {}); });
}
std::string refusal_of(const std::string& text) {
  return refused_cheaply(8 * text.size(), [&] { return torch::build_program(text, {}, {}); });
}

// A ZIP archive without checksums, as PyTorch can be told to write.
std::string archive(const std::vector<std::pair<std::string, std::string>>& members, bool deflate = false) {
  ZipWriter zip;
  for (const auto& [name, data] : members) zip.add(name, data, {.deflate = deflate, .crc = false});
  return zip.finish();
}

// y = x + w, with w of four f32.
Pt2Program with_weight() {
  Pt2Program p;
  p.input("x", {"4"}).spec(R"({"parameter":{"arg":{"name":"p_w"},"parameter_name":"w"}})").meta("p_w", {"4"});
  return p.node("aten.add.Tensor", {{"self", t("x")}, {"other", t("p_w")}}, {t("y")}).output(t("y"));
}

std::string config(const std::string& sizes, const std::string& strides, const std::string& offset = "0", const std::string& path = "weight_0",
                   const std::string& pickle = "false", const std::string& dtype = "7") {
  return R"({"config":{"w":{"path_name":")" + path + R"(","is_param":true,"use_pickle":)" + pickle + R"(,"tensor_meta":{"dtype":)" + dtype +
         R"(,"sizes":[)" + sizes + R"(],"strides":[)" + strides + R"(],"storage_offset":{"as_int":)" + offset + R"(},"layout":7}}}})";
}

std::string weights_archive(const std::string& configuration, const std::string& payload = std::string(16, '\0')) {
  return archive({{"m/archive_format", "pt2"},
                  {"m/models/model.json", with_weight().text()},
                  {"m/data/weights/model_weights_config.json", configuration},
                  {"m/data/weights/weight_0", payload}});
}

std::string refused(const std::string& file) {
  return refused_cheaply(file.size(), [&] { return load_bytes(bytes(file)); });
}

std::string repeat(const std::string& s, size_t n) {
  std::string out;
  for (size_t k = 0; k < n; ++k) out += s;
  return out;
}

}  // namespace

TEST_CASE("hostile export: the archive made here loads, and so does one with a smaller view of its payload") {
  CHECK(load_bytes(bytes(weights_archive(config(i(4), i(1))))).ok());
  CHECK(load_bytes(bytes(weights_archive(config(i(4), i(2), "1"), std::string(32, '\0')))).ok());
  CHECK(load_bytes(bytes(weights_archive(config(i(4), i(0))))).ok());
}

TEST_CASE("hostile export: recorded files cut at every 64th byte") {
  for (const char* name : {"mlp-2.14.pt2", "mlp-2.3.pt2", "mlp-2.8.pt2"}) {
    const std::string whole = recorded(name);
    for (size_t n = 1; n < whole.size(); n += 64) refused(whole.substr(0, n));
  }
}

TEST_CASE("hostile export: recorded files with bytes overwritten") {
  std::mt19937 random(3);
  for (const char* name : {"in_place-2.14.pt2", "mlp-2.3.pt2", "structures-2.8.pt2"}) {
    const std::string whole = recorded(name);
    for (int k = 0; k < 300; ++k) {
      std::string file = whole;
      for (uint32_t n = 0; n <= random() % 4; ++n) file[random() % file.size()] = static_cast<char>(random());
      (void)load_bytes(bytes(file));
    }
  }
}

TEST_CASE("hostile export: programs with bytes overwritten") {
  std::mt19937 random(5);
  Pt2Program p;
  p.input("x", {"2", "s0"}).node("aten.sym_size.int", {{"self", t("x")}, {"dim", i(1)}}, {symint("n")});
  p.node("aten.view.default", {{"self", t("x")}, {"size", arg("as_sym_ints", "[{\"as_name\":\"n\"},{\"as_int\":2}]")}}, {t("v")});
  p.node("aten.relu_.default", {{"self", t("v")}}, {t("r")}).output(t("r")).output(t("x"));
  const std::string whole = p.text();
  for (int k = 0; k < 1500; ++k) {
    std::string text = whole;
    for (uint32_t n = 0; n <= random() % 3; ++n) text[random() % text.size()] = "0123456789{}[]\",:-x"[random() % 19];
    (void)torch::build_program(text, {}, {});
  }
}

TEST_CASE("hostile export: values that are read before they are made, or made twice") {
  Pt2Program later, self, twice, missing, input;
  later.input("x", {"2"})
      .node("aten.relu.default", {{"self", t("b")}}, {t("a")})
      .node("aten.relu.default", {{"self", t("a")}}, {t("b")})
      .output(t("b"));
  CHECK(has(refusal(later), "'b' is read before anything makes it"));
  self.input("x", {"2"}).node("aten.add.Tensor", {{"self", t("a")}, {"other", t("x")}}, {t("a")}).output(t("a"));
  CHECK(has(refusal(self), "'a' is read before"));
  twice.input("x", {"2"})
      .node("aten.relu.default", {{"self", t("x")}}, {t("a")})
      .node("aten.neg.default", {{"self", t("x")}}, {t("a")})
      .output(t("a"));
  CHECK(has(refusal(twice), "'a' is made twice"));
  input.input("x", {"2"}).node("aten.relu.default", {{"self", t("x")}}, {t("x")}).output(t("x"));
  CHECK(has(refusal(input), "'x' is made twice"));
  missing.input("x", {"2"}).output(t("nothing"));
  CHECK(has(refusal(missing), "'nothing' is read before"));
}

TEST_CASE("hostile export: a document that is no program") {
  for (const char* text :
       {"", "[]", "{}", "1", "null", R"({"schema_version":8})", R"({"schema_version":{"major":"8"}})", R"({"schema_version":{"major":8}})",
        R"({"schema_version":{"major":8},"graph_module":{"graph":{"nodes":{}}}})", R"({"schema_version":{"major":99999999999999999999}})"}) {
    refusal_of(text);
  }
  refusal_of(repeat("[", 1'000'000));
  refusal_of(repeat("{\"graph_module\":", 100'000));
}

TEST_CASE("hostile export: arguments and results of the wrong kind") {
  for (const std::string& a :
       {std::string("{}"), std::string("1"), std::string("null"), std::string("{\"as_tensor\":1}"), std::string("{\"as_tensor\":{}}"),
        std::string("{\"as_tensors\":[1]}"), std::string("{\"as_int\":\"1\"}"), std::string("{\"as_graph\":{}}"),
        std::string("{\"as_int\":1,\"as_bool\":true}"), std::string("{\"as_scalar_type\":99}"), std::string("{\"as_custom_obj\":{\"name\":\"x\"}}"),
        std::string("{\"as_float\":\"inf\"}"), i(3), arg("as_string", "\"x\"")}) {
    Pt2Program p;
    refusal(p.input("x", {"2"}).node("aten.relu.default", {{"self", a}}, {t("y")}).output(t("y")));
  }
  Pt2Program many, none;
  many.input("x", {"4"}).node("aten.split.Tensor", {{"self", t("x")}, {"split_size", i(2)}}, {arg("as_tensors", R"([{"name":"a"}])")}).output(t("a"));
  CHECK(has(refusal(many), "gives 2 values"));
  none.input("x", {"4"}).node("aten.relu.default", {}, {t("y")}).output(t("y"));
  refusal(none);
  Pt2Program nothing;
  refusal(nothing.input("x", {"4"}).node("aten.relu_.default", {}, {}).node("aten.relu_.default", {{"self", i(1)}}, {t("y")}).output(t("y")));
}

TEST_CASE("hostile export: inputs that cannot be") {
  Pt2Program rank, negative, dtype, complex, bomb, huge;
  CHECK(has(refusal(rank.input("x", std::vector<std::string>(9, "1")).output(t("x"))), "dimensions"));
  negative.input("x", {"2"});
  negative.metas.replace(negative.metas.find("\"as_int\":2"), 10, "\"as_int\":-2");
  CHECK(has(refusal(negative.output(t("x"))), "size is damaged"));
  CHECK(has(refusal(dtype.input("x", {"2"}, 77).output(t("x"))), "dtype"));
  CHECK(has(refusal(complex.input("x", {"2"}, 10).output(t("x"))), "complex64"));
  CHECK(has(refusal(bomb.input("x", {repeat("Add(", 1000) + "Integer(1)" + repeat(")", 1000)}).output(t("x"))), "size"));
  CHECK(has(refusal(huge.input("x", {"Add(" + repeat("Symbol('a'), ", 100'000) + "Integer(1))"}).output(t("x"))), "size"));
}

TEST_CASE("hostile export: graphs inside one another, and given the wrong number of values") {
  auto graph = [](const std::string& nodes, const std::string& name) {
    return arg("as_graph",
               R"({"name":"g","graph":{"inputs":[)" + t("a") + R"(],"outputs":[)" + t(name) + R"(],"nodes":[)" + nodes + R"(],"tensor_values":{}}})");
  };
  std::string nodes = Pt2Program::node_text("aten.relu.default", {{"self", t("a")}}, {t("b")});
  for (int k = 0; k < 40; ++k)
    nodes = Pt2Program::node_text("higher_order.wrap_with_set_grad_enabled", {{"", arg("as_bool", "false")}, {"", graph(nodes, "b")}, {"", t("a")}},
                                  {t("b")});
  Pt2Program deep, wrong, changed;
  deep.input("a", {"2"});
  deep.nodes = nodes;
  CHECK(has(refusal(deep.output(t("b"))), "nested too deeply"));
  const std::string relu = Pt2Program::node_text("aten.relu.default", {{"self", t("a")}}, {t("b")});
  wrong.input("x", {"2"})
      .node("higher_order.wrap_with_set_grad_enabled", {{"", arg("as_bool", "false")}, {"", graph(relu, "b")}}, {t("y")})
      .output(t("y"));
  CHECK(has(refusal(wrong), "takes 1 values and is given 0"));
  const std::string in_place = Pt2Program::node_text("aten.relu_.default", {{"self", t("a")}}, {t("b")});
  changed.input("x", {"2"})
      .node("higher_order.wrap_with_set_grad_enabled", {{"", arg("as_bool", "false")}, {"", graph(in_place, "b")}, {"", t("x")}}, {t("y")})
      .output(t("y"));
  CHECK(has(refusal(changed), "was given"));
}

TEST_CASE("hostile export: a hundred thousand nodes take time in proportion, views changed in place are bounded") {
  Pt2Program chain, views;
  chain.input("x0", {"2"});
  const size_t many = flood(20'000);
  for (size_t k = 0; k < many; ++k) chain.node("aten.relu.default", {{"self", t("x" + std::to_string(k))}}, {t("x" + std::to_string(k + 1))});
  chain.node("aten.nothing.default", {{"self", t("x" + std::to_string(many))}}, {t("y")}).output(t("y"));
  CHECK(has(refusal(chain), "aten.nothing.default"));
  views.input("x", {"2"}).node("aten.clone.default", {{"self", t("x")}}, {t("y")});
  for (size_t k = 0; k < flood(4'000); ++k) {
    views.node("aten.view.default", {{"self", t("y")}, {"size", arg("as_ints", "[2]")}}, {t("v" + std::to_string(k))});
    views.node("aten.add_.Tensor", {{"self", t("v" + std::to_string(k))}, {"other", i(1)}}, {t("w" + std::to_string(k))});
  }
  const std::string text = views.output(t("y")).text();
  auto graph = torch::build_program(text, {}, {});
  CHECK((graph.ok() || graph.error().code() == Code::kUnsupported));
}

TEST_CASE("hostile export: weights that are missing or are not what the program says") {
  CHECK(has(refusal(with_weight()), "weight w is missing"));
  CHECK(has(refused(weights_archive(config(i(3), i(1)))), "another dtype or shape"));
  CHECK(has(refused(weights_archive(config(i(4), i(1), "0", "weight_0", "false", "4"))), "another dtype or shape"));
  CHECK(has(refused(weights_archive(config(i(4), i(1)), std::string(15, '\0'))), "beyond its storage"));
  CHECK(has(refused(weights_archive(config(i(4), i(1)), "")), "beyond its storage"));
  CHECK(has(refused(weights_archive(config(i(4), i(1), "1"))), "beyond its storage"));
  CHECK(has(refused(weights_archive(config(i(4), i(2)))), "beyond its storage"));
  CHECK(has(refused(weights_archive(config(i(4), i(-1)))), "negative stride"));
  CHECK(has(refused(weights_archive(config(i(4), i(1), "-1"))), "negative offset"));
  CHECK(has(refused(weights_archive(config(i(-4), i(1)))), "negative size"));
  CHECK(has(refused(weights_archive(config(i(INT64_MAX), i(INT64_MAX)))), "beyond its storage"));
  CHECK(has(refused(weights_archive(config(i(4) + "," + i(4), i(1)))), "2 sizes and 1 strides"));
  CHECK(has(refused(weights_archive(config(i(1'000'000'000'000), i(0)))), ""));
  CHECK(has(refused(weights_archive(config(i(4), i(1), "0", "weight_0", "false", "99"))), "dtype is not known"));
}

TEST_CASE("hostile export: payloads are members of the archive and nothing else") {
  for (const char* path : {"../../etc/passwd", "/etc/passwd", "weight_1", "", "weight_0\\u0000", "../weights/weight_0"}) {
    CHECK_MESSAGE(has(refused(weights_archive(config(i(4), i(1), "0", path))), "is not in the archive"), std::string(path));
  }
  refused(weights_archive(config(i(4), i(1), "0", "weight_0", "true")));                                           // no pickle
  refused(weights_archive(config(i(4), i(1), "0", "weight_0", "true"), archive({{"m/data.pkl", "\x80\x02N."}})));  // a pickle of None: no tensor
  const std::string inner = weights_archive(config(i(4), i(1)));
  refused(weights_archive(config(i(4), i(1), "0", "weight_0", "true"), inner));  // an archive of the wrong kind
  refused(weights_archive("{\"config\":[]}"));
  refused(weights_archive("{"));
  refused(weights_archive("{\"config\":{\"w\":1}}"));
}

TEST_CASE("hostile export: archives without a program, or with several") {
  CHECK(has(refused(archive({{"m/archive_format", "pt2"}, {"m/data/aotinductor/model/x.so", "x"}})), "holds no program"));
  CHECK(has(refused(archive({{"serialized_exported_program.json", "{}"}})), "schema_version"));
  CHECK(has(refused(archive({{"serialized_exported_program.json", with_weight().text()}})), "weight w is missing"));
  CHECK(has(refused(archive({{"serialized_exported_program.json", with_weight().text()}, {"serialized_state_dict.pt", "PK"}})),
            "serialized_state_dict.pt"));
  const std::string two = archive({{"m/models/a.json", "{}"}, {"m/models/b.json", "{}"}});
  auto graph = load_bytes(bytes(two));
  REQUIRE(!graph.ok());
  CHECK(graph.error().code() == Code::kUsage);
  CHECK(has(graph.error().message(), "a, b; choose one with LoadOptions::key"));
  CHECK(has(refused(archive({{"m/models/a.json", with_weight().text()}, {"m/byteorder", "big"}})), "big-endian"));
}

TEST_CASE("hostile export: a compressed program that unfolds a thousandfold is not unfolded") {
  CHECK(has(refused(archive({{"m/models/a.json", std::string(20'000'000, ' ')}}, true)), "larger than the budget"));
  CHECK(load_bytes(bytes(archive({{"m/models/a.json",
                                   Pt2Program().input("x", {"2"}).node("aten.relu.default", {{"self", t("x")}}, {t("y")}).output(t("y")).text()}},
                                 true)))
            .ok());
}

TEST_CASE("hostile export: names of a megabyte do not fill the error") {
  const std::string name(1'000'000, 'n');
  Pt2Program p, op;
  CHECK(refusal(p.input("x", {"2"}).node("aten.relu.default", {{"self", t(name)}}, {t("y")}).output(t("y"))).size() < 1000);
  auto model = load_bytes(bytes(archive({{"m/models/a.json", op.input("x", {"2"}).node(name, {{"self", t("x")}}, {t("y")}).output(t("y")).text()}})));
  REQUIRE(!model.ok());
  CHECK(model.error().message().size() < 20'000);
}

}  // namespace tern::test::in_torch_export
