// Outputs from inputs: a session's plan, or node by node. See arrays.h.
#include <algorithm>
#include <cstring>

#include "runtime/model.h"
#include "runtime/optimize.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {

Result<Outputs> compute(const Model& model, std::span<const Array> inputs, SessionOptions session, bool evaluate) {
  const std::vector<Port> ports = model.inputs();
  Outputs outputs;
  outputs.evaluated = evaluate;
  outputs.isa = name(best_isa(parse_isa(session.isa)));
  if (!evaluate) {
    std::vector<Dims> given;
    for (const Array& a : inputs) given.emplace_back(std::span<const int64_t>(a.dims));
    auto solved = solve_dims(model.state().graph, given);
    if (!solved) return solved.error();
    session.dims.insert(solved->begin(), solved->end());  // what the caller bound stays, and is compared below
    auto s = model.session(session);
    if (s) {
      for (size_t i = 0; i < ports.size(); ++i) {
        if (s->dims(ports[i].name) != inputs[i].dims) {
          return invalid("input " + ports[i].name + " has shape " + shape_text(inputs[i].dims) + ", the model expects " + shape_text(s->dims(ports[i].name)));
        }
        if (ports[i].dtype != inputs[i].dtype) return invalid("input " + ports[i].name + " is " + name(inputs[i].dtype) + ", the model expects " + name(ports[i].dtype));
        auto to = s->input_bytes(ports[i].name);
        if (ports[i].dtype == DType::string) {
          auto* elements = reinterpret_cast<StringRef*>(to.data());
          for (size_t k = 0; k < inputs[i].strings.size(); ++k) {
            elements[k] = {inputs[i].strings[k].data(), static_cast<int64_t>(inputs[i].strings[k].size())};
          }
        } else if (!to.empty()) {
          std::memcpy(to.data(), inputs[i].bytes.data(), std::min(to.size(), inputs[i].bytes.size()));
        }
      }
      if (!s->run()) return s->status().error();
      for (const Port& p : s->outputs()) {
        auto bytes = s->output_bytes(p.name);
        Array a{p.dtype, s->dims(p.name), {}, {}};
        if (p.dtype == DType::string) {
          auto* elements = reinterpret_cast<const StringRef*>(bytes.data());
          for (size_t k = 0; k < bytes.size() / sizeof(StringRef); ++k) a.strings.emplace_back(elements[k].view());
        } else {
          a.bytes.assign(bytes.begin(), bytes.end());
        }
        outputs.arrays.push_back(std::move(a));
      }
      return outputs;
    }
    // Only shapes that depend on data, and strings, may go the other way: any other error would come again, or be hidden.
    if (s.error().code() != Code::kUnsupported || s.error().message().find("evaluate()") == std::string::npos) return s.error();
    const std::string& why = s.error().message();
    note(why.substr(0, std::min(why.find("; run the model"), why.find(": only evaluate()"))) + ": running node by node");
    outputs.evaluated = true;
  }
  auto arrays = model.evaluate(inputs, session.isa);
  if (!arrays) return arrays.error();
  outputs.arrays = std::move(*arrays);
  return outputs;
}

}  // namespace tern::command
