// Programs of torch.export written by hand: the JSON of a .pt2 file in a few words.
//   Pt2Program p;
//   p.input("x", {"2", "s0"}).node("aten.relu.default", {{"self", t("x")}}, {t("y")}).output(t("y"));
//   build_program(p.text(), {}, {});
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace tern::test {

inline std::string quoted(const std::string& s) { return "\"" + s + "\""; }
// {"as_tensor": {"name": "x"}} and the other arguments.
inline std::string t(const std::string& name) { return "{\"as_tensor\":{\"name\":" + quoted(name) + "}}"; }
inline std::string i(int64_t n) { return "{\"as_int\":" + std::to_string(n) + "}"; }
inline std::string arg(const std::string& tag, const std::string& json) { return "{" + quoted(tag) + ":" + json + "}"; }
inline std::string symint(const std::string& name) { return "{\"as_sym_int\":{\"as_name\":" + quoted(name) + "}}"; }

class Pt2Program {
 public:
  using Arguments = std::vector<std::pair<std::string, std::string>>;  // name, JSON

  // Sizes are numbers, or symbols.
  Pt2Program& meta(const std::string& name, const std::vector<std::string>& sizes, int dtype = 7) {
    std::string list, strides;
    for (const std::string& s : sizes) {
      const bool number = !s.empty() && s[0] >= '0' && s[0] <= '9';
      const std::string expression = s.find('(') == std::string::npos ? "Symbol('" + s + "', positive=True, integer=True)" : s;
      list += (list.empty() ? "" : ",") + (number ? "{\"as_int\":" + s + "}" : "{\"as_expr\":{\"expr_str\":" + quoted(expression) + "}}");
      strides += (strides.empty() ? "" : ",") + std::string("{\"as_int\":1}");
    }
    append(metas, quoted(name) + ":{\"dtype\":" + std::to_string(dtype) + ",\"sizes\":[" + list + "],\"strides\":[" + strides +
                      "],\"storage_offset\":{\"as_int\":0},\"layout\":7}");
    return *this;
  }
  Pt2Program& input(const std::string& name, const std::vector<std::string>& sizes, int dtype = 7) {
    append(inputs, "{\"user_input\":{\"arg\":" + t(name) + "}}");
    return meta(name, sizes, dtype);
  }
  Pt2Program& spec(const std::string& json) {
    append(inputs, json);
    return *this;
  }
  static std::string node_text(const std::string& target, const Arguments& arguments, const std::vector<std::string>& outputs) {
    std::string a, o;
    for (const auto& [name, json] : arguments) append(a, "{\"name\":" + quoted(name) + ",\"arg\":" + json + ",\"kind\":1}");
    for (const std::string& json : outputs) append(o, json);
    return "{\"target\":" + quoted((target.starts_with("_") ? "" : "torch.ops.") + target) + ",\"inputs\":[" + a + "],\"outputs\":[" + o +
           "],\"metadata\":{}}";
  }
  Pt2Program& node(const std::string& target, const Arguments& arguments, const std::vector<std::string>& outputs) {
    append(nodes, node_text(target, arguments, outputs));
    return *this;
  }
  Pt2Program& output(const std::string& json) {
    append(outputs, "{\"user_output\":{\"arg\":" + json + "}}");
    return *this;
  }
  std::string text() const {
    return "{\"graph_module\":{\"graph\":{\"inputs\":[],\"outputs\":[],\"nodes\":[" + nodes + "],\"tensor_values\":{" + metas +
           "}},\"signature\":{\"input_specs\":[" + inputs + "],\"output_specs\":[" + outputs + "]},\"module_call_graph\":" + calls +
           "},\"schema_version\":{\"major\":" + major + ",\"minor\":1}" + more + "}";
  }

  std::string inputs, outputs, nodes, metas, calls = "[]", major = "8", more;

 private:
  static void append(std::string& list, const std::string& item) { list += (list.empty() ? "" : ",") + item; }
};

}  // namespace tern::test
