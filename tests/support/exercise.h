// Everything that a stranger does with a model file: load, look, plan, run on four kinds of inputs, evaluate on the same ones. Whatever
// the bytes are, each step gives an error in one line or succeeds, and where plan and evaluator both succeed they give the same bits.
//   const Exercise e = exercise(bytes);   CHECK(e.fault == "");   CHECK(e.ran == 4);
// Hostile tests and the fuzz target of ONNX call it. Next: random_model.h.
#pragma once
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "tern/tern.h"
#include "tests/support/cases.h"

namespace tern::test {

struct Exercise {
  bool loaded = false, planned = false;
  int ran = 0, evaluated = 0;  // of the four kinds of inputs
  std::string fault;           // what should not be; empty when all is well
  std::string error;           // the last error that a step gave
};

// zeros, ones (0x01 bytes: small integers, true, subnormals), 0xff bytes (-1, NaN, bools that are neither 0 nor 1), and bytes of every kind.
inline void fill_bytes(std::span<std::byte> bytes, int kind) {
  uint32_t state = 12345;
  for (std::byte& b : bytes) {
    state = state * 1664525 + 1013904223;
    b = kind == 0 ? std::byte{0} : kind == 1 ? std::byte{1} : kind == 2 ? std::byte{0xff} : static_cast<std::byte>(state >> 24);
  }
}

// The same bits; NaN equals NaN, whatever its payload (that is no part of the promise).
inline bool same_elements(DType dtype, std::span<const std::byte> a, std::span<const std::byte> b) {
  if (a.size() != b.size()) return false;
  bool same = true;
  visit(dtype, [&]<class T>() {
    if constexpr (!std::is_void_v<T>) {
      for (size_t i = 0; i + sizeof(T) <= a.size() && same; i += sizeof(T)) {
        if (std::memcmp(a.data() + i, b.data() + i, sizeof(T)) == 0) continue;
        T x, y;
        std::memcpy(&x, a.data() + i, sizeof(T));
        std::memcpy(&y, b.data() + i, sizeof(T));
        if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>) same = std::isnan(to_f32(x)) && std::isnan(to_f32(y));
        else if constexpr (std::is_floating_point_v<T>) same = std::isnan(x) && std::isnan(y);
        else same = false;
      }
    }
  });
  return same;
}

inline void note_error(Exercise& e, const Error& error, const char* step) {
  e.error = error.message();
  if (e.error.empty()) e.fault = std::string(step) + " fails without a message";
  for (const char c : e.error) {
    if (static_cast<unsigned char>(c) < 32 || c == 127) e.fault = std::string(step) + ": an error of more than one printable line: " + e.error;
  }
}

// Concrete shapes of the inputs, symbols as `dims` has them; nothing when a shape is not known. Sequences are of two elements, optionals full.
inline std::optional<std::vector<Array>> blank_inputs(const Model& model, const std::map<std::string, int64_t>& dims) {
  std::vector<Array> inputs;
  for (const Port& port : model.inputs()) {
    Array a{port.dtype, {}, {}, {}};
    int64_t count = 1;
    for (const std::string& text : port.shape) {
      const auto at = port.kind == ValueKind::tensor ? dims.find(text) : dims.end();
      const bool number = !text.empty() && text.find_first_not_of("0123456789") == text.npos && text.size() < 10;
      if (at == dims.end() && !number && (port.kind == ValueKind::tensor || text == "?")) return std::nullopt;
      a.dims.push_back(at != dims.end() ? at->second : number ? std::stoll(text) : 2);
      if (a.dims.back() > 4096 || (count *= a.dims.back()) > 1 << 20) return std::nullopt;
    }
    if (a.dtype == DType::string) a.strings.resize(static_cast<size_t>(count), "s");
    else a.bytes.resize(static_cast<size_t>(count) * size_of(a.dtype));
    if (port.kind == ValueKind::sequence || port.kind == ValueKind::optional_sequence) {
      Array list{port.dtype, {}, {}, {}, true, {a, a}};
      a = std::move(list);
    }
    inputs.push_back(std::move(a));
  }
  return inputs;
}

inline Exercise exercise(std::span<const std::byte> file, LoadOptions options = {}, int64_t dim = 2) {
  Exercise e;
  auto model = load_bytes(file, options);
  if (!model) {
    note_error(e, model.error(), "load");
    return e;
  }
  e.loaded = true;
  (void)model->text();
  (void)model->layers();
  (void)model->parameters();
  SessionOptions session_options = all_dims(*model, dim);
  session_options.budget = int64_t(64) << 20;
  session_options.work = int64_t(1) << 30;
  (void)model->layers(session_options.dims);
  auto inputs = blank_inputs(*model, session_options.dims);
  auto session = model->session(session_options);
  if (!session) note_error(e, session.error(), "session");
  else (void)session->text();
  e.planned = session.ok();
  if (session && session->macs() > 10'000'000) return e;  // a big computation that was asked for
  for (int kind = 0; kind < 4; ++kind) {
    bool ran = false;
    if (session) {
      for (const Port& port : session->inputs()) fill_bytes(session->input_bytes(port.name), kind);
      ran = session->run();  // false: an index was out of range, which evaluate() must refuse too
      e.ran += ran;
    }
    if (!inputs) continue;
    for (Array& a : *inputs) {
      fill_bytes(a.bytes, kind);
      for (Array& element : a.elements) fill_bytes(element.bytes, kind);
    }
    auto outputs = model->evaluate(*inputs, "scalar", int64_t(128) << 20);
    e.evaluated += outputs.ok();
    if (!outputs) note_error(e, outputs.error(), "evaluate");
    if (!outputs && outputs.error().code() == Code::kUnsupported) break;  // over budget, after seconds: a plan needs less for the same loop
    if (!session) continue;
    if (ran != outputs.ok()) e.fault = "run() and evaluate() do not agree on success: " + e.error;
    for (size_t o = 0; ran && outputs.ok() && o < outputs->size(); ++o) {
      const Port& port = session->outputs()[o];
      if (port.dtype != (*outputs)[o].dtype || !same_elements(port.dtype, session->output_bytes(port.name), (*outputs)[o].bytes)) {
        e.fault = "output " + port.name + " of run() and evaluate() differ on inputs of kind " + std::to_string(kind);
      }
    }
  }
  return e;
}

}  // namespace tern::test
