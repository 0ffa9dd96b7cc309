// tern verify: outputs against recorded ones. See command.h and compare.h.
#include "tools/tern/arrays.h"
#include "tools/tern/compare.h"
#include "tools/tern/print.h"

namespace tern::command {

int verify(const Options& options) {
  auto session = session_options(options);
  if (!session) return fail("wrong usage", session.error());
  Tolerance tolerance;
  auto rtol = options.number("--rtol", tolerance.rtol), atol = options.number("--atol", tolerance.atol);
  auto ulp = options.integer("--ulp", 0, 0, INT64_MAX);
  if (!rtol) return fail("wrong usage", rtol.error());
  if (!atol) return fail("wrong usage", atol.error());
  if (!ulp) return fail("wrong usage", ulp.error());
  // Asked for ULP alone, the other rule must not let more through.
  if (options.has("--ulp") && !options.has("--rtol")) *rtol = 0;
  if (options.has("--ulp") && !options.has("--atol")) *atol = 0;
  tolerance = {*rtol, *atol, *ulp};
  auto model = load_model(options);
  if (!model) return fail_at("cannot load", model.error());
  auto recordings = read_recordings(options.positional[1], *model);
  if (!recordings) return fail_at("cannot read", recordings.error());
  const std::vector<Port> ports = model->inputs(), results = model->outputs();
  const std::vector<Shape> shapes = input_shapes(*model);
  int code = kDone;
  Json j;
  j.object().key("model").value(options.positional[0]).key("outputs").array();
  for (const Recording& r : *recordings) {
    std::vector<Array> inputs;
    for (size_t i = 0; i < ports.size(); ++i) {
      if (i >= r.inputs.size() || !r.inputs[i])
        return fail("cannot read the recorded data",
                    invalid(r.name + ": holds nothing for input " + ports[i].name + "; wanted input_" + std::to_string(i) + ".pb"));
      Status fits;  // of what is no tensor the model says it
      if (ports[i].kind == ValueKind::tensor) fits = check_array(*r.inputs[i], r.name, ports[i], shapes[i], session->dims);
      if (!fits) return fail("cannot use the inputs", fits.error());
      inputs.push_back(*r.inputs[i]);
    }
    auto outputs = compute(*model, inputs, *session, options.has("--evaluate"));
    if (!outputs) return fail("cannot run " + options.positional[0], outputs.error());
    if (r.outputs.size() > results.size()) {
      return fail("cannot compare",
                  invalid(r.name + ": holds " + std::to_string(r.outputs.size()) + " outputs, the model has " + std::to_string(results.size())));
    }
    for (size_t o = 0; o < r.outputs.size(); ++o) {
      if (!r.outputs[o]) {
        note("output " + results[o].name + " is not compared: " + r.name + " holds nothing for it");
        continue;
      }
      const Difference d = compare(outputs->arrays[o], *r.outputs[o], tolerance);
      if (!d.same) code = kDifferent;
      char line[200];
      std::snprintf(line, sizeof line, ": worst absolute %.3g, relative %.3g, %lld ULP", d.worst_absolute, d.worst_relative,
                    static_cast<long long>(d.worst_ulp));
      std::string text = (recordings->size() > 1 ? r.name + " " : std::string()) + results[o].name + line;
      if (!d.where.empty()) text += " at " + shape_text(d.where);
      text += d.same ? ": same" : ": DIFFERENT: " + d.reason;
      if (!options.has("--json")) out(shown(text) + "\n");
      j.object().key("data").value(r.name).key("name").value(results[o].name).key("same").value(d.same).key("reason").value(d.reason);
      j.key("worst_absolute")
          .value(d.worst_absolute)
          .key("worst_relative")
          .value(d.worst_relative)
          .key("worst_ulp")
          .value(d.worst_ulp)
          .key("where")
          .array();
      for (int64_t n : d.where) j.value(n);
      j.end().end();
    }
  }
  j.end().key("same").value(code == kDone).end();
  if (options.has("--json")) out(j.text());
  return code;
}

}  // namespace tern::command
