// tern conformance: every ONNX test case below a folder, compared as ONNX's own runner does. See command.h and compare.h.
#include <fnmatch.h>

#include "tools/tern/arrays.h"
#include "tools/tern/compare.h"
#include "tools/tern/print.h"
#include "tools/tern/save.h"

namespace tern::command {
namespace {

enum class Outcome { passed, failed, unsupported };
constexpr const char* kNames[] = {"passed", "failed", "unsupported"};

struct Case {
  std::string name, detail;
  Outcome outcome = Outcome::passed;
};

// Folders that hold a case, below `root`, links to folders included but no deeper than anyone nests tests.
void find_cases(const std::string& root, const std::string& relative, int depth, std::vector<std::string>& found) {
  const std::string here = relative.empty() ? root : root + "/" + relative;
  bool model = false, data = false;
  std::vector<std::string> folders;
  for (const std::string& n : list_folder(here)) {
    model = model || n == "model.onnx";
    if (n.rfind("test_data_set_", 0) == 0) data = true;
    else if (depth < 8 && is_folder(here + "/" + n)) folders.push_back(n);
  }
  if (model && data) found.push_back(relative.empty() ? "." : relative);
  for (const std::string& n : folders) find_cases(root, relative.empty() ? n : relative + "/" + n, depth + 1, found);
}

Case error_case(Case c, const Error& e) {
  c.outcome = e.code() == Code::kUnsupported ? Outcome::unsupported : Outcome::failed;
  c.detail = e.message();
  return c;
}

Case run_case(const std::string& folder, const std::string& case_name, const SessionOptions& session, bool evaluate) {
  Case c{case_name, {}, Outcome::passed};
  auto model = load(folder + "/model.onnx");
  if (!model) return error_case(c, model.error());
  auto recordings = read_recordings(folder, *model);
  if (!recordings) return error_case(c, recordings.error());
  const std::vector<Port> ports = model->inputs();
  for (const Recording& r : *recordings) {
    std::vector<Array> inputs;
    for (size_t i = 0; i < ports.size(); ++i) {  // by position: inputs that are initializers are not among them
      if (i >= r.inputs.size() || !r.inputs[i]) return error_case(c, invalid(r.name + ": nothing recorded for input " + ports[i].name));
      inputs.push_back(*r.inputs[i]);
    }
    auto outputs = compute(*model, inputs, session, evaluate || (on_cpu(session) && model->data_dependent()));
    if (!outputs) return error_case(c, outputs.error());
    const std::vector<Array>& arrays = outputs->arrays;
    if (r.outputs.size() != arrays.size()) {
      return error_case(
          c, invalid(r.name + ": " + std::to_string(r.outputs.size()) + " outputs recorded, " + std::to_string(arrays.size()) + " computed"));
    }
    for (size_t o = 0; o < arrays.size(); ++o) {
      if (!r.outputs[o]) continue;
      const Difference d = compare(arrays[o], *r.outputs[o], {});
      if (d.same) continue;
      c.outcome = Outcome::failed;
      c.detail = r.name + " output " + std::to_string(o) + ": " + d.reason;
      return c;
    }
  }
  return c;
}

}  // namespace

int conformance(const Options& options) {
  auto session = session_options(options);
  if (!session) return fail("wrong usage", session.error());
  const std::string& root = options.positional[0];
  if (!is_folder(root)) return fail("cannot read " + root, invalid("not a folder"));
  std::vector<std::string> names;
  find_cases(root, "", 0, names);
  const std::string only = options.get("--only");
  std::erase_if(names, [&](const std::string& n) {
    return !only.empty() && fnmatch(only.c_str(), n.c_str(), 0) != 0 && fnmatch(only.c_str(), n.substr(n.rfind('/') + 1).c_str(), 0) != 0;
  });
  if (names.empty())
    return fail("cannot read " + root,
                invalid("no folder below it holds model.onnx and test_data_set_*" + (only.empty() ? "" : " and matches " + only)));
  std::vector<Case> cases;
  size_t counts[3] = {};
  for (size_t i = 0; i < names.size(); ++i) {
    if (i % 16 == 0) progress(std::to_string(i) + " of " + std::to_string(names.size()) + ": " + names[i]);
    cases.push_back(run_case(root + "/" + names[i], names[i], *session, options.has("--evaluate")));
    ++counts[static_cast<int>(cases.back().outcome)];
  }
  progress("");
  const bool json_on_stdout = options.get("--json") == "-";
  Json j;
  j.object().key("passed").value(counts[0]).key("failed").value(counts[1]).key("unsupported").value(counts[2]).key("cases").array();
  for (const Case& c : cases) {
    if (!json_on_stdout && c.outcome != Outcome::passed)
      out(shown(kNames[static_cast<int>(c.outcome)]) + "  " + shown(c.name) + ": " + shown(c.detail) + "\n");
    j.object().key("name").value(c.name).key("result").value(kNames[static_cast<int>(c.outcome)]).key("detail").value(c.detail).end();
  }
  j.end().end();
  if (json_on_stdout) {
    out(j.text());
  } else {
    if (options.has("--json")) {
      if (Status s = write_file(options.get("--json"), j.text().str()); !s) return fail_at("cannot write", s.error());
    }
    out(shown(counts[0]) + " passed, " + shown(counts[1]) + " failed, " + shown(counts[2]) + " skipped\n");
  }
  return counts[1] == 0 ? kDone : kDifferent;
}

}  // namespace tern::command
