// Case folders in the official layout (model.onnx, test_data_set_0/input_N.pb, output_N.pb), and the official comparison.
#pragma once
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "loaders/load.h"
#include "loaders/onnx/onnx.h"
#include "runtime/base/half.h"
#include "runtime/model.h"
#include "tern/tern.h"

namespace tern::test {

inline std::vector<std::filesystem::path> folders_with_models(const std::string& root) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (std::filesystem::exists(entry.path() / "model.onnx")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// input_0.pb, input_1.pb … (or output_…) of a case, whose model has these inputs (outputs); stops at the first that is missing.
inline std::vector<Array> read_arrays(const std::filesystem::path& folder, const std::string& stem, const std::vector<Port>& ports) {
  std::vector<Array> out;
  for (int i = 0;; ++i) {
    const auto path = folder / "test_data_set_0" / (stem + "_" + std::to_string(i) + ".pb");
    if (!std::filesystem::exists(path)) return out;
    const Port port = out.size() < ports.size() ? ports[out.size()] : Port();
    auto bytes = read_file(path.string());
    auto value = bytes ? load_value_proto(*bytes, port.kind) : Result<Datum>(bytes.error());
    if (!value) return {};
    out.push_back(to_array(*value, port.dtype));
  }
}

// Empty when `actual` is close to `expected` (same dtype and shape; NaN equals NaN; sequences element by element); else what differs.
inline std::string difference(const Array& actual, const Array& expected, double rtol, double atol) {
  if (actual.sequence != expected.sequence || actual.elements.size() != expected.elements.size()) return "another sequence";
  for (size_t i = 0; i < expected.elements.size(); ++i) {
    if (std::string d = difference(actual.elements[i], expected.elements[i], rtol, atol); !d.empty()) return "[" + std::to_string(i) + "] " + d;
  }
  if (expected.sequence) return "";
  if (actual.dtype != expected.dtype) return std::string("dtype ") + name(actual.dtype) + " instead of " + name(expected.dtype);
  if (actual.dims != expected.dims) return "another shape";
  if (actual.dtype == DType::string) return actual.strings == expected.strings ? "" : "other strings";
  std::string text;
  visit(actual.dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T> && !std::is_same_v<T, StringRef>) {
      const auto* a = reinterpret_cast<const T*>(actual.bytes.data());
      const auto* e = reinterpret_cast<const T*>(expected.bytes.data());
      for (size_t i = 0; i < actual.bytes.size() / sizeof(T) && text.empty(); ++i) {
        double x, y;
        if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) x = to_f32(a[i]), y = to_f32(e[i]);
        else x = static_cast<double>(a[i]), y = static_cast<double>(e[i]);
        if (x == y || (std::isnan(x) && std::isnan(y)) || std::fabs(x - y) <= atol + rtol * std::fabs(y)) continue;
        text = "element " + std::to_string(i) + " is " + std::to_string(x) + ", expected " + std::to_string(y);
      }
    }
  });
  return text;
}

// Every symbol of the model's inputs bound to n.
inline SessionOptions all_dims(const Model& model, int64_t n) {
  SessionOptions options;
  for (const Port& port : model.inputs()) {
    for (const std::string& dim : port.shape) {
      if (port.kind != ValueKind::tensor) continue;
      if (dim.find_first_not_of("0123456789") != std::string::npos) options.dims[dim] = n;
    }
  }
  return options;
}

}  // namespace tern::test
