// The operator of ai.onnx.ml that preprocessing becomes: LabelEncoder, a table, is the catalog's Lookup. See normalize.h.
#include "loaders/onnx/normalize/normalize.h"

namespace tern::onnx {
namespace {

// The list of one column, under the name that says its type. Nothing: of floats, where they are keys, or as a tensor (opset 4).
Result<Tensor> column(const OnnxNode& node, const std::string& which, bool floats) {
  auto list = [&](const char* type) { return node.attrs.find(which + type); };
  if (const auto* v = list("_strings"); v != nullptr && std::holds_alternative<std::vector<std::string>>(*v)) {
    const auto& texts = std::get<std::vector<std::string>>(*v);
    return Tensor::strings({static_cast<int64_t>(texts.size())}, texts);
  }
  if (const auto* v = list("_int64s"); v != nullptr && std::holds_alternative<std::vector<int64_t>>(*v))
    return Tensor::ints(std::get<std::vector<int64_t>>(*v));
  if (const auto* v = list("_floats"); floats && v != nullptr && std::holds_alternative<std::vector<float>>(*v)) {
    const auto& numbers = std::get<std::vector<float>>(*v);
    return Tensor::of<float>({static_cast<int64_t>(numbers.size())}, numbers);
  }
  return unsupported("a table of which attribute " + which + "_strings or " + which + "_int64s is not there is not supported");
}

Status label_encoder(OnnxNode& node, Emitter& to) {
  if (node.input(0) == kNone) return invalid("input 0 is required");
  auto keys = column(node, "keys", false), values = column(node, "values", true);
  if (!keys) return keys.error();
  if (!values) return values.error();
  if (keys->count() != values->count())
    return invalid("the table has " + std::to_string(keys->count()) + " keys and " + std::to_string(values->count()) + " values");
  Tensor otherwise;
  if (values->dtype() == DType::i64) otherwise = Tensor::scalar(node.old<int64_t>("default_int64", -1));
  else if (values->dtype() == DType::f32) otherwise = Tensor::scalar(node.old<float>("default_float", -0.0f));
  else otherwise = *Tensor::strings({}, std::vector<std::string>{node.old<std::string>("default_string", "_Unused")});
  node.inputs = {node.input(0), to.constant(std::move(*keys)), to.constant(std::move(*values)), to.constant(std::move(otherwise))};
  node.op = "Lookup";
  node.own = true;
  node.attrs = {};
  return {};
}

}  // namespace

Rule ml_rule(const std::string& op) { return op == "LabelEncoder" ? label_encoder : nullptr; }

}  // namespace tern::onnx
