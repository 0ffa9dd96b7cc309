// Operators that ONNX has in another form, whose indices and shapes are i64, whose tables are attributes; and dtypes that onnxruntime lacks: Erf and
// trigonometry of f64, Unique of most integers, Where of bools. See graph_writer.h.
#include <algorithm>

#include "kernels/dtype_code.h"
#include "loaders/onnx/graph_writer.h"

namespace tern::onnx {
namespace {

// Inputs that are i64 and nothing else in ONNX; bit i: input i. The catalog takes i32, too.
struct Wide {
  const char* op;
  uint32_t inputs;
};
constexpr Wide kWide[] = {
    {"ConstantOfShape", 1}, {"Expand", 2}, {"GatherND", 2}, {"Pad", 2},  {"Reshape", 2}, {"Resize", 8}, {"ReverseSequence", 2},
    {"ScatterND", 2},       {"Split", 2},  {"Squeeze", 2},  {"Tile", 2}, {"TopK", 2},    {"Trilu", 2},  {"Unsqueeze", 2},
};

uint32_t wide_inputs(const Node& node) {
  const std::string_view op = node.op->name;
  if (op.starts_with("Reduce")) return 2;
  const auto* at = std::find_if(std::begin(kWide), std::end(kWide), [&](const Wide& w) { return op == w.op; });
  return at == std::end(kWide) ? 0 : at->inputs;
}

}  // namespace

std::string GraphWriter::cast(const Node& node, const std::string& x, DType to) {
  const std::string y = model_.claim(x + ":" + name(to));
  write_attribute("to", int64_t(code_of(to)), *emit("Cast", node.name, {x}, {y}).add_attribute());
  return y;
}

std::vector<std::string> GraphWriter::inputs_of(const Node& node) {
  std::vector<std::string> inputs = names_of(node.inputs);
  const uint32_t wide = wide_inputs(node);
  for (size_t i = 0; i < inputs.size() && i < 32; ++i) {
    if ((wide >> i & 1) != 0 && node.inputs[i] != kNone && graph_.value(node.inputs[i]).type.dtype == DType::i32)
      inputs[i] = cast(node, inputs[i], DType::i64);
  }
  return inputs;
}

// The first input and output go through another dtype.
void GraphWriter::computed_as(const Node& node, DType dtype) {
  const DType own = graph_.value(node.inputs[0]).type.dtype;
  std::vector<std::string> inputs = names_of(node.inputs), outputs = names_of(node.outputs);
  const std::string y = outputs[0];
  inputs[0] = cast(node, inputs[0], dtype);
  if (!y.empty()) outputs[0] = model_.claim(y + ":" + name(dtype));
  write_attributes(node, emit(node.op->name, node.name, inputs, outputs));
  if (!y.empty()) write_attribute("to", int64_t(code_of(own)), *emit("Cast", node.name, {outputs[0]}, {y}).add_attribute());
}

// A choice between bools, of which onnxruntime knows none.
void GraphWriter::choose_bools(const Node& node) {
  const std::vector<std::string> in = names_of(node.inputs);
  const std::string otherwise = emit_before(node, "Not", {in[0]});
  const std::string yes = emit_before(node, "And", {in[0], in[1]}), no = emit_before(node, "And", {otherwise, in[2]});
  emit("Or", node.name, {yes, no}, {name_of(node.outputs[0])});
}

bool GraphWriter::other_form(const Node& node) {
  const std::string_view op = node.op->name;
  const ValueId data = node.inputs.empty() ? kNone : node.inputs[op == "Where" ? 1 : 0];
  const DType dtype = data == kNone ? DType::none : graph_.value(data).type.dtype;
  const bool narrow = is_int(dtype) && dtype != DType::i8 && dtype != DType::i64 && dtype != DType::u64;
  constexpr std::string_view kOfF32[] = {"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Erf", "GlobalAveragePool", "Sinh", "Tan"};
  if (dtype == DType::f64 && std::find(std::begin(kOfF32), std::end(kOfF32), op) != std::end(kOfF32)) computed_as(node, DType::f32);
  else if (op == "Unique" && narrow) computed_as(node, DType::i64);
  else if (op == "Where" && dtype == DType::boolean) choose_bools(node);
  else return false;
  return true;
}

// ai.onnx.ml's LabelEncoder, whose columns are strings, i64 and, of values, f32.
Status GraphWriter::lookup(const Node& node) {
  const Tensor* table[3];
  for (size_t i = 0; i < 3; ++i) {
    const ValueId v = node.inputs[i + 1];
    if (!graph_.is_constant(v)) return unsupported("a table that is computed has no ONNX form");
    table[i] = &graph_.value(v).constant;
  }
  const auto& [keys, values, otherwise] = table;
  const DType value = values->dtype();
  if (node.read().i("required") != 0) return unsupported("a table in which everything must be found has no ONNX form");
  if (value != DType::string && value != DType::f32 && value != DType::i64 && value != DType::i32)
    return unsupported(std::string("a table with values of ") + name(value) + " has no ONNX form");
  const std::string x = name_of(node.inputs[0]), y = name_of(node.outputs[0]);
  const bool narrow = value == DType::i32;
  const std::string found = narrow ? model_.claim(y + ":i64") : y;
  onnx_pb::NodeProto& written = emit("LabelEncoder", node.name, {keys->dtype() == DType::i32 ? cast(node, x, DType::i64) : x}, {found});
  written.set_domain("ai.onnx.ml");
  model_.require_ml();
  auto column = [&](const std::string& which, const Tensor& t, bool one) {
    const std::string attribute = which + (t.dtype() == DType::string ? "_string" : t.dtype() == DType::f32 ? "_float" : "_int64") + (one ? "" : "s");
    Attributes::Value list;
    if (t.dtype() == DType::string) {
      std::vector<std::string> texts;
      for (const StringRef& s : t.span<StringRef>()) texts.emplace_back(s.view());
      list = one ? Attributes::Value(texts.at(0)) : Attributes::Value(texts);
    } else if (t.dtype() == DType::f32) {
      const std::vector<float> numbers(t.data<float>(), t.data<float>() + t.count());
      list = one ? Attributes::Value(numbers.at(0)) : Attributes::Value(numbers);
    } else {
      const std::vector<int64_t> numbers = *as_ints(t.view());
      list = one ? Attributes::Value(numbers.at(0)) : Attributes::Value(numbers);
    }
    write_attribute(attribute, list, *written.add_attribute());
  };
  column("keys", *keys, false);
  column("values", *values, false);
  column("default", *otherwise, true);
  if (narrow) write_attribute("to", int64_t(code_of(DType::i32)), *emit("Cast", node.name, {found}, {y}).add_attribute());
  return {};
}

}  // namespace tern::onnx
