// Operators that onnxruntime, or ONNX, has in another form: whose indices and shapes are i64, whose tables are attributes. See graph_writer.h.
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

// onnxruntime tells apart strings, f32, f64, i8 and i64.
void GraphWriter::unique(const Node& node) {
  const DType dtype = graph_.value(node.inputs[0]).type.dtype;
  std::vector<std::string> inputs = names_of(node.inputs), outputs = names_of(node.outputs);
  const bool widened = is_int(dtype) && dtype != DType::i8 && dtype != DType::i64 && dtype != DType::u64;
  const std::string y = outputs[0];
  if (widened) inputs[0] = cast(node, inputs[0], DType::i64);
  if (widened && !y.empty()) outputs[0] = model_.claim(y + ":i64");
  write_attributes(node, emit("Unique", node.name, inputs, outputs));
  if (widened && !y.empty()) write_attribute("to", int64_t(code_of(dtype)), *emit("Cast", node.name, {outputs[0]}, {y}).add_attribute());
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
