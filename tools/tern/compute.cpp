// Outputs from inputs: a session's plan, or node by node. See arrays.h.
#include <algorithm>
#include <cstring>

#include "runtime/model.h"
#include "runtime/optimize.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

// For the evaluator, which takes its inputs whole: those that are made up must not be more than it may take.
Result<std::vector<Array>> made(const Model& model, std::span<const Array> inputs, const std::vector<Dims>& dims, int64_t budget, const Late& late) {
  budget = budget_of(model.state(), budget, dims);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int64_t bytes = storage_bytes(inputs[i].dtype, dims[i]).value_or(INT64_MAX);
    if (bytes > budget) return unsupported("its inputs need more memory than the budget: raise SessionOptions::budget");
    budget -= bytes;
  }
  std::vector<Array> arrays;
  for (size_t i = 0; i < inputs.size(); ++i) {
    auto a = inputs[i].bytes.empty() && inputs[i].strings.empty() ? late(i) : Result<Array>(inputs[i]);
    if (!a) return a.error();
    arrays.push_back(std::move(*a));
  }
  return arrays;
}

// The model with those inputs that shapes depend on as what they hold in this call: constants. `inputs` loses them. For devices, which evaluate nothing.
Result<Model> with_known_shapes(const Model& model, std::vector<Array>& inputs) {
  Graph g = model.state().graph;
  std::vector<bool> known(g.inputs.size(), false);
  for (const Node& n : g.nodes) {
    for (size_t i = 0; n.op != nullptr && i < n.inputs.size(); ++i) {
      const auto at = std::find(g.inputs.begin(), g.inputs.end(), n.inputs[i]);
      if (at != g.inputs.end() && n.op->value_inputs.has(i)) known[static_cast<size_t>(at - g.inputs.begin())] = true;
    }
  }
  std::vector<ValueId> left;
  std::vector<Array> rest;
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    if (!known[i]) {
      left.push_back(g.inputs[i]);
      rest.push_back(std::move(inputs[i]));
      continue;
    }
    auto contents = to_tensor(inputs[i]);
    if (!contents) return contents.error();
    g.value(g.inputs[i]).type = {contents->dtype(), Shape(contents->dims())};
    g.value(g.inputs[i]).constant = std::move(*contents);
  }
  for (const Node& n : g.nodes) {  // inferred anew
    for (ValueId v : n.outputs) {
      if (v != kNone) g.value(v).type = {}, g.value(v).ints.reset();
    }
  }
  g.inputs = std::move(left);
  inputs = std::move(rest);
  return make_model(std::move(g), model.state().options);
}

// Runs the parts of a model one after another. What flows between them is known by name.
Result<Outputs> compute_parts(const Model& model, const ModelParts& parts, std::span<const Array> inputs, const SessionOptions& session) {
  std::map<std::string, Array> known;
  const std::vector<Port> ports = model.inputs();
  for (size_t i = 0; i < ports.size(); ++i) known[ports[i].name] = inputs[i];
  Outputs outputs;
  SessionOptions with = session;
  with.dims.clear();  // those of the whole, which the arrays have
  auto run_part = [&](const Model& part, bool evaluate) -> Status {
    std::vector<Array> in;
    for (const Port& p : part.inputs()) in.push_back(known[p.name]);
    auto out = compute(part, in, with, evaluate);
    if (!out) return out.error();
    const std::vector<Port> names = part.outputs();
    for (size_t o = 0; o < names.size(); ++o) known[names[o].name] = std::move(out->arrays[o]);
    if (!evaluate) outputs = std::move(*out);
    return {};
  };
  if (Status s = parts.before ? run_part(*parts.before, true) : Status(); !s) return s.error();
  if (Status s = run_part(parts.rest, false); !s) return s.error();
  if (Status s = parts.after ? run_part(*parts.after, true) : Status(); !s) return s.error();
  outputs.arrays.clear();
  outputs.in_parts = true;
  for (const Port& p : model.outputs()) outputs.arrays.push_back(known[p.name]);
  return outputs;
}

}  // namespace

Result<Outputs> compute(const Model& model, std::span<const Array> inputs, SessionOptions session, bool evaluate, const Late& late) {
  const std::vector<Port> ports = model.inputs();
  Outputs outputs;
  outputs.evaluated = evaluate;
  outputs.isa = name(best_isa(parse_isa(session.isa)));
  std::vector<Dims> given;
  for (const Array& a : inputs) given.emplace_back(std::span<const int64_t>(a.dims));
  if (!evaluate) {
    auto solved = solve_dims(model.state().graph, given);
    if (!solved) return solved.error();
    auto parts = model.parts();
    if (!parts) return parts.error();
    if (*parts) {
      for (const auto& [dim, value] : session.dims) {
        if (const auto at = solved->find(dim); at != solved->end() && at->second != value)
          return usage("--dim " + dim + "=" + std::to_string(value) + ": the inputs have " + std::to_string(at->second));
      }
      auto whole =
          late ? made(model, inputs, given, session.budget, late) : Result<std::vector<Array>>(std::vector<Array>(inputs.begin(), inputs.end()));
      if (!whole) return whole.error();
      return compute_parts(model, **parts, *whole, session);
    }
    session.dims.insert(solved->begin(), solved->end());  // what the caller bound stays, and is compared below
    auto s = open_session(model, session);
    if (s) {
      for (size_t i = 0; i < ports.size(); ++i) {
        if (s->dims(ports[i].name) != inputs[i].dims) {
          return invalid("input " + ports[i].name + " has shape " + shape_text(inputs[i].dims) + ", the model expects " +
                         shape_text(s->dims(ports[i].name)));
        }
        if (ports[i].dtype != inputs[i].dtype)
          return invalid("input " + ports[i].name + " is " + name(inputs[i].dtype) + ", the model expects " + name(ports[i].dtype));
        auto to = s->input_bytes(ports[i].name);
        if (to.empty()) continue;
        Array made;
        if (late && inputs[i].bytes.empty()) {
          auto a = late(i);
          if (!a) return a.error();
          made = std::move(*a);
        }
        const std::vector<std::byte>& bytes = made.bytes.empty() ? inputs[i].bytes : made.bytes;
        std::memcpy(to.data(), bytes.data(), std::min(to.size(), bytes.size()));
      }
      if (s->isa() == name(Isa::cuda) && s->steps().empty()) return unsupported("nothing is left to run on a device: all of it is constant");
      if (!s->run()) return s->status().error();
      outputs.isa = s->isa();
      outputs.device = device_of(session, *s);
      for (const Port& p : s->outputs()) {
        auto bytes = s->output_bytes(p.name);
        Array a{p.dtype, s->dims(p.name), {}, {}};
        a.bytes.assign(bytes.begin(), bytes.end());
        outputs.arrays.push_back(std::move(a));
      }
      return outputs;
    }
    // Only shapes that depend on data, and strings, may go the other way: any other error would come again, or be hidden.
    if (s.error().code() != Code::kUnsupported || s.error().message().find("evaluate()") == std::string::npos) return s.error();
    const std::string& why = s.error().message();
    if (!on_cpu(session)) {
      std::vector<Array> rest(inputs.begin(), inputs.end());
      const bool whole = !late && std::all_of(inputs.begin(), inputs.end(), [](const Array& a) { return !a.sequence && a.elements.empty(); });
      auto known = whole ? with_known_shapes(model, rest) : Result<Model>(s.error());
      if (known && rest.size() < inputs.size()) return compute(*known, rest, session, false, late);
      return unsupported(why.substr(0, why.find("; run the model")) + ": such models run on the CPU only, leave out --device");
    }
    note(why.substr(0, std::min(why.find("; run the model"), why.find(": only evaluate()"))) + ": running node by node");
    outputs.evaluated = true;
  }
  std::vector<Array> whole;
  if (late) {
    auto all = made(model, inputs, given, session.budget, late);
    if (!all) return all.error();
    whole = std::move(*all);
    inputs = whole;
  }
  auto arrays = model.evaluate(inputs, session.isa, session.budget);
  if (!arrays) return arrays.error();
  outputs.arrays = std::move(*arrays);
  return outputs;
}

}  // namespace tern::command
